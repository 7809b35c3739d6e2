//! An account that speaks Twilio's Messages resource (2010-04-01), or anything compatible.
//!
//! One request a try; nothing here retries, queues or decides which account is next.

use std::fmt;
use std::time::Duration;

use escalation::dispatch::{Address, Order};
use escalation::id::DispatchId;
use escalation::time::{SignedDuration, Timestamp};

use crate::carrier::{Fault, Letter, Taken};
use crate::client::{self, Wanted};
use crate::health::Now;
use crate::settings::{self, Inbound, Secret, SettingsError};
use crate::sms::answer::{Page, Resource, judge, read_date, refusal};
use crate::sms::awaited::Awaited;
use crate::sms::ears::Missed;
use crate::sms::number::is_e164;
use crate::twilio_api::{Access, TwilioApi};

/// What a text is to the API.
const MESSAGES: &str = "Messages.json";
/// How long a provider may take to say whether it has a message (mechanisms, "Codes, links, callbacks, keys").
const LOOKUP: Duration = Duration::from_secs(1);
/// Messages asked for in one page when looking one up.
const LOOKUP_PAGE: u32 = 50;
/// How much earlier than queued a provider's clock may say a message was made. Little: taking an earlier message of the
/// same words for this one would leave this one unsent, the other error only sends it twice.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_secs(5);

/// An account.
pub(crate) struct Twilio {
    api: TwilioApi,
    from: String,
    validity_s: String,
    /// `https://alerts.example.org`, where callbacks can reach us.
    public_url: Option<String>,
    inbound: Inbound,
    keep_warm: bool,
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
        let api = TwilioApi::open(&Access {
            account_sid: &settings.account_sid,
            auth_token_file: &settings.auth_token_file,
            attempt_s: settings.attempt_s,
            credit_low: settings.credit_low,
            wanted: Wanted {
                what: &what,
                url: &settings.base_url,
                connect_ms: settings.connect_ms,
                request_ms: settings.request_ms,
                slots: settings.slots,
                proxy: settings.proxy.as_deref(),
                ca_file: settings.ca_file.as_deref(),
                identity: None,
            },
        })?;
        check(&what, settings)?;
        Ok(Self {
            api,
            from: settings.from.clone(),
            validity_s: settings.validity_s.to_string(),
            public_url: public_url.map(|url| url.trim_end_matches('/').to_owned()),
            inbound: settings.inbound,
            keep_warm: settings.keep_warm,
            now,
            awaited: Awaited::new(settings.name.clone()),
        })
    }

    pub(crate) fn awaited(&self) -> &Awaited {
        &self.awaited
    }
    pub(crate) fn slots(&self) -> usize {
        self.api.slots()
    }
    pub(crate) fn secret(&self) -> &Secret {
        self.api.secret()
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
        let fault = match self.api.post(MESSAGES, budget).form(&form).send().await {
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
        self.get(self.api.get(MESSAGES).query(query)).await
    }

    /// The page after one, by the path that the API gave.
    pub(crate) async fn list_more(&self, path: &str) -> Result<Page, Fault> {
        match self.api.get_path(path) {
            Some(request) => self.get(request).await,
            None => Err(Fault::NotSent("strange page")),
        }
    }

    async fn get(&self, request: reqwest::RequestBuilder) -> Result<Page, Fault> {
        let response = request.send().await.map_err(|e| client::fault_of(&e))?;
        if !response.status().is_success() {
            return Err(refusal(response, (self.now)()).await);
        }
        response.json().await.map_err(|e| client::fault_of(&e))
    }

    /// A light request that keeps a connection open and says whether our credentials are good.
    pub(crate) async fn greet(&self) -> Result<(), Fault> {
        self.api.greet().await
    }

    /// What credit the account has.
    pub(crate) async fn credit(&self) -> Result<f64, Missed> {
        self.api.credit().await
    }

    /// With less than this there is a trouble; `None` where the account is not asked.
    pub(crate) fn credit_low(&self) -> Option<f64> {
        self.api.credit_low()
    }

    /// For `cooee doctor`.
    pub(crate) async fn probe(&self) -> Result<String, String> {
        self.api.probe().await
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
    let is_service = settings.from.starts_with("MG") && settings.from.bytes().all(|b| b.is_ascii_alphanumeric());
    if !is_e164(&settings.from) && !is_service {
        return Err(SettingsError::new(
            what,
            "from is neither a number nor a messaging service, and nobody could answer it",
            "use a number of your own in E.164, like +61400000000, or MG...",
        ));
    }
    Ok(())
}
