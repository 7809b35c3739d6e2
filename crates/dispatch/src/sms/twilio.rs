//! An account that speaks Twilio's Messages resource (2010-04-01), or anything compatible.
//!
//! One request a try; nothing here retries, queues or decides which account is next.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use escalation::dispatch::{Address, Order};
use escalation::id::DispatchId;
use escalation::time::{SignedDuration, Timestamp};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, StatusCode};

use crate::carrier::{Fault, Letter, Taken};
use crate::client::{self, Wanted};
use crate::health::Now;
use crate::settings::{self, Inbound, Secret, SettingsError};
use crate::sms::answer::{Page, Resource, judge, read_date, refusal};
use crate::sms::awaited::Awaited;
use crate::sms::number::is_e164;

/// How long a provider may take to say whether it has a message (mechanisms, "Codes, links, callbacks, keys").
const LOOKUP: Duration = Duration::from_secs(1);
/// Messages asked for in one page when looking one up.
const LOOKUP_PAGE: u32 = 50;
/// How much earlier than queued a provider's clock may say a message was made. Little: taking an earlier message of the
/// same words for this one would leave this one unsent, the other error only sends it twice.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_secs(5);

/// An account.
pub(crate) struct Twilio {
    client: Client,
    messages_url: String,
    account_url: String,
    auth: HeaderValue,
    secret: Secret,
    from: String,
    validity_s: String,
    /// `https://alerts.example.org`, where callbacks can reach us.
    public_url: Option<String>,
    inbound: Inbound,
    keep_warm: bool,
    slots: usize,
    request: Duration,
    now: Now,
    awaited: Awaited,
}

impl fmt::Debug for Twilio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Twilio({})", self.awaited.carrier())
    }
}

impl Twilio {
    /// Reads the secret and builds the client; connects to nothing.
    pub(crate) fn open(settings: &settings::Twilio, public_url: Option<&str>, now: Now) -> Result<Self, SettingsError> {
        let what = format!("[[sms]] {}", settings.name);
        let secret = Secret::read(&format!("{what} auth_token_file"), &settings.auth_token_file)?;
        let (client, base) = client::build(&Wanted {
            what: &what,
            url: &settings.base_url,
            connect_ms: settings.connect_ms,
            request_ms: settings.request_ms,
            slots: settings.slots,
            proxy: settings.proxy.as_deref(),
            ca_file: settings.ca_file.as_deref(),
            identity: None,
        })?;
        check(&what, settings)?;
        let sid = &settings.account_sid;
        let base = base.as_str().trim_end_matches('/');
        let login = STANDARD.encode(format!("{sid}:{}", secret.current));
        let mut auth = HeaderValue::from_str(&format!("Basic {login}"))
            .map_err(|error| SettingsError::new(&what, error, "check account_sid and the token's file for strange characters"))?;
        auth.set_sensitive(true);
        Ok(Self {
            client,
            messages_url: format!("{base}/2010-04-01/Accounts/{sid}/Messages.json"),
            account_url: format!("{base}/2010-04-01/Accounts/{sid}.json"),
            auth,
            secret,
            from: settings.from.clone(),
            validity_s: settings.validity_s.to_string(),
            public_url: public_url.map(|url| url.trim_end_matches('/').to_owned()),
            inbound: settings.inbound,
            keep_warm: settings.keep_warm,
            slots: settings.slots,
            request: Duration::from_millis(settings.request_ms),
            now,
            awaited: Awaited::new(settings.name.clone()),
        })
    }

    pub(crate) fn awaited(&self) -> &Awaited {
        &self.awaited
    }
    pub(crate) fn slots(&self) -> usize {
        self.slots
    }
    pub(crate) fn secret(&self) -> &Secret {
        &self.secret
    }
    pub(crate) fn public_url(&self) -> Option<&str> {
        self.public_url.as_deref()
    }
    pub(crate) fn inbound(&self) -> Inbound {
        self.inbound
    }
    pub(crate) fn keep_warm(&self) -> bool {
        self.keep_warm
    }

    /// Sends a text. Where the answer is lost the provider is asked whether it has the message.
    pub(crate) async fn send(&self, order: &Order, letter: &Letter, budget: Duration) -> Result<Taken, Fault> {
        let Address::Sms(to) = &order.address else {
            return Err(Fault::Refused("not_a_number".to_owned()));
        };
        let mut form = vec![
            ("To", to.as_str()),
            (self.sender_field(), self.from.as_str()),
            ("Body", letter.words()),
            ("ValidityPeriod", self.validity_s.as_str()),
        ];
        let callback = self.callback(&order.id);
        if let Some(callback) = &callback {
            form.push(("StatusCallback", callback));
        }
        let request =
            self.client.post(&self.messages_url).header(AUTHORIZATION, self.auth.clone()).timeout(budget.min(self.request)).form(&form);
        let fault = match request.send().await {
            Ok(response) => match judge(response, (self.now)()).await {
                Ok(sid) => return Ok(self.taken(sid, order)),
                Err(fault) => fault,
            },
            Err(error) => client::fault_of(&error),
        };
        let Fault::Unknown { why, .. } = fault else {
            return Err(fault);
        };
        match self.find(order, letter).await {
            Ok(Some(taken)) => Ok(taken),
            Ok(None) => Err(Fault::Unknown { why, absent: true }),
            Err(_) => Err(Fault::Unknown { why, absent: false }),
        }
    }

    /// Looks for this very message among the last to its number, for at most a second.
    pub(crate) async fn find(&self, order: &Order, letter: &Letter) -> Result<Option<Taken>, Fault> {
        let Address::Sms(to) = &order.address else {
            return Ok(None);
        };
        let mut query = vec![("To", to.clone()), ("PageSize", LOOKUP_PAGE.to_string())];
        if let Some(number) = self.number() {
            query.push(("From", number.to_owned()));
        }
        let listing = tokio::time::timeout(LOOKUP, self.list(&query)).await;
        let page = listing.map_err(|_late| Fault::Unknown { why: "timeout", absent: false })??;
        let earliest = order.queued_at.saturating_sub(CLOCK_SLACK).unwrap_or(Timestamp::MIN);
        let same = |message: &Resource| {
            let ours = message.body.as_deref() == Some(letter.words()) && !message.is_inbound();
            let made = message.date_created.as_deref().and_then(read_date);
            ours && !message.gave_up() && !self.awaited.is_anothers(&message.sid, &order.id) && made.is_none_or(|at| at >= earliest)
        };
        let found = page.messages.into_iter().find(same);
        Ok(found.map(|message| self.taken(Some(message.sid), order)))
    }

    /// One page of messages.
    pub(crate) async fn list(&self, query: &[(&str, String)]) -> Result<Page, Fault> {
        self.get(self.client.get(&self.messages_url).query(query)).await
    }

    /// The page after one, by the path that the API gave.
    pub(crate) async fn list_more(&self, path: &str) -> Result<Page, Fault> {
        let base = self.messages_url.split("/2010-04-01/").next().unwrap_or_default();
        if !path.starts_with("/2010-04-01/") {
            return Err(Fault::NotSent("strange page")); // Our credentials go nowhere else.
        }
        self.get(self.client.get(format!("{base}{path}"))).await
    }

    async fn get(&self, request: reqwest::RequestBuilder) -> Result<Page, Fault> {
        let request = request.header(AUTHORIZATION, self.auth.clone());
        let response = request.send().await.map_err(|e| client::fault_of(&e))?;
        if !response.status().is_success() {
            return Err(refusal(response, (self.now)()).await);
        }
        response.json().await.map_err(|e| client::fault_of(&e))
    }

    /// A light request that keeps a connection open and says whether our credentials are good.
    pub(crate) async fn greet(&self) -> Result<(), Fault> {
        let request = self.client.get(&self.account_url);
        let request = request.header(AUTHORIZATION, self.auth.clone());
        let response = request.send().await.map_err(|e| client::fault_of(&e))?;
        let status = response.status();
        if status == StatusCode::UNAUTHORIZED || status == StatusCode::FORBIDDEN {
            return Err(Fault::Credentials);
        }
        if status.is_server_error() {
            return Err(Fault::NotSent("server error"));
        }
        // The body must be read, or the connection is closed instead of kept.
        response.bytes().await.map(drop).map_err(|e| client::fault_of(&e))
    }

    /// For `cooee doctor`.
    pub(crate) async fn probe(&self) -> Result<String, String> {
        match self.greet().await {
            Ok(()) => Ok("the account can be reached and takes our credentials".to_owned()),
            Err(Fault::Credentials) => {
                Err("the account refuses our credentials\n  compare account_sid and the token's file with the provider's console"
                    .to_owned())
            }
            Err(fault) => Err(format!(
                "the account cannot be reached ({})\n  check base_url, the firewall and the provider's status page",
                fault.class()
            )),
        }
    }

    /// Our own number, where we send by one.
    pub(crate) fn number(&self) -> Option<&str> {
        self.from.starts_with('+').then_some(self.from.as_str())
    }

    fn sender_field(&self) -> &'static str {
        if self.from.starts_with("MG") { "MessagingServiceSid" } else { "From" }
    }

    fn callback(&self, dispatch: &DispatchId) -> Option<String> {
        let base = self.public_url.as_deref()?;
        // The fragment asks for five retries on every kind of failure; it is not part of what is signed.
        Some(format!("{base}/hooks/{}/status?d={dispatch}#rc=5&rp=all", self.awaited.carrier()))
    }

    fn taken(&self, sid: Option<String>, order: &Order) -> Taken {
        if let Some(sid) = &sid {
            self.awaited.expect(sid.clone(), order.id.clone());
        }
        Taken { receipt_due: sid.is_some() || self.public_url.is_some(), provider_ref: sid }
    }
}

fn check(what: &str, settings: &settings::Twilio) -> Result<(), SettingsError> {
    let sid = &settings.account_sid;
    if sid.is_empty() || !sid.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(SettingsError::new(
            what,
            "account_sid is not one",
            "copy it from the provider's console: AC and 32 letters and digits",
        ));
    }
    let is_service = settings.from.starts_with("MG") && settings.from.bytes().all(|b| b.is_ascii_alphanumeric());
    if !is_e164(&settings.from) && !is_service {
        return Err(SettingsError::new(
            what,
            "from is neither a number nor a messaging service, and nobody could answer it",
            "use a number of your own in E.164, like +61400000000, or MG...",
        ));
    }
    if settings.slots == 0 || settings.request_ms == 0 || settings.attempt_s == 0 {
        return Err(SettingsError::new(
            what,
            "slots, request_ms and attempt_s must be more than 0",
            "remove the setting to use its default",
        ));
    }
    Ok(())
}
