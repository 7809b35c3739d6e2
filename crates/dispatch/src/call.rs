//! Calls by an account that speaks Twilio's Calls resource (2010-04-01), or anything compatible.
//!
//! A call says only that it is one until a human presses a digit, because whoever takes it may be a machine that keeps and
//! forwards what it hears. One request a try; what is said in the call is `script`, what comes back from it `callback`.

mod callback;
mod script;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use escalation::dispatch::{Address, Order};
use escalation::id::{CarrierName, DispatchId};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, StatusCode};
use tokio::time::Instant;

use crate::call::script::Script;
use crate::carrier::{Fault, Letter, Taken};
use crate::client::{self, Wanted};
use crate::health::Now;
use crate::recent::Recent;
use crate::settings::{self, Secret, SettingsError};
use crate::sms::answer::judge;
use crate::sms::awaited::Awaited;
use crate::sms::number::is_e164;

/// Calls whose words are remembered; beyond it the oldest call would only be able to say that it was interrupted.
const SCRIPTS_MAX: usize = 20_000;
/// How long a phone may ring, seconds: the rules wait 75 s for somebody to ask to hear it.
const RING_S: std::ops::RangeInclusive<u64> = 5..=40;

/// An account that makes calls. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Caller(Arc<Inner>);

struct Inner {
    client: Client,
    calls_url: String,
    account_url: String,
    auth: HeaderValue,
    secret: Secret,
    from: String,
    ring_s: String,
    machine_detection: bool,
    /// `https://alerts.example.org`: the provider asks there what to say, so that there is no call without it.
    public_url: String,
    slots: usize,
    request: Duration,
    now: Now,
    awaited: Awaited,
    scripts: Mutex<Recent<Script>>,
}

impl fmt::Debug for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Caller({})", self.name())
    }
}

impl Caller {
    /// Reads the secret and builds the client; connects to nothing.
    pub(crate) fn open(settings: &settings::Voice, public_url: Option<&str>, now: Now) -> Result<Self, SettingsError> {
        let what = format!("[[voice]] {}", settings.name);
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
        let Some(public_url) = public_url else {
            return Err(SettingsError::new(
                &what,
                "calls need [http] public_url: the provider asks us there what to say, and brings the digits there",
                "set public_url, or remove the account and ask people by text and e-mail",
            ));
        };
        let sid = &settings.account_sid;
        let base = base.as_str().trim_end_matches('/');
        let login = STANDARD.encode(format!("{sid}:{}", secret.current));
        let mut auth = HeaderValue::from_str(&format!("Basic {login}"))
            .map_err(|error| SettingsError::new(&what, error, "check account_sid and the token's file for strange characters"))?;
        auth.set_sensitive(true);
        Ok(Self(Arc::new(Inner {
            client,
            calls_url: format!("{base}/2010-04-01/Accounts/{sid}/Calls.json"),
            account_url: format!("{base}/2010-04-01/Accounts/{sid}.json"),
            auth,
            secret,
            from: settings.from.clone(),
            ring_s: settings.ring_s.to_string(),
            machine_detection: settings.machine_detection,
            public_url: public_url.trim_end_matches('/').to_owned(),
            slots: settings.slots,
            request: Duration::from_millis(settings.request_ms),
            now,
            awaited: Awaited::new(settings.name.clone()),
            scripts: Mutex::new(Recent::new(SCRIPTS_MAX)),
        })))
    }

    pub(crate) fn name(&self) -> &CarrierName {
        self.0.awaited.carrier()
    }

    pub(crate) fn slots(&self) -> usize {
        self.0.slots
    }

    /// Starts a call. Where the answer is lost it may ring a second time: better than not at all.
    pub(crate) async fn send(&self, order: &Order, letter: &Letter, budget: Duration) -> Result<Taken, Fault> {
        let (Address::Voice(to), Letter::Spoken(spoken)) = (&order.address, letter) else {
            return Err(Fault::Refused("not_a_call".to_owned()));
        };
        // Before it is asked for: the provider may want the words before it has answered us.
        self.scripts().insert(Instant::now(), order.id.to_string(), Script::new(to, spoken));
        let inner = &*self.0;
        let words = self.hook(&order.id, "voice", "");
        // The fragment asks for five retries on every kind of failure; it is not part of what is signed.
        let status = format!("{}#rc=5&rp=all", self.hook(&order.id, "status", ""));
        let mut form = vec![
            ("To", to.as_str()),
            ("From", inner.from.as_str()),
            ("Url", words.as_str()),
            ("Method", "POST"),
            ("Timeout", inner.ring_s.as_str()),
            ("StatusCallback", status.as_str()),
            ("StatusCallbackMethod", "POST"),
            ("StatusCallbackEvent", "completed"),
        ];
        if inner.machine_detection {
            // Beside the call and not before it: people hang up on silence.
            form.extend([("MachineDetection", "Enable"), ("AsyncAmd", "true"), ("AsyncAmdStatusCallback", status.as_str())]);
        }
        let request = inner.client.post(&inner.calls_url).header(AUTHORIZATION, inner.auth.clone());
        let response = request.timeout(budget.min(inner.request)).form(&form).send().await.map_err(|e| client::fault_of(&e))?;
        let sid = judge(response, (inner.now)()).await?;
        if let Some(sid) = &sid {
            inner.awaited.expect(sid.clone(), order.id.clone());
        }
        Ok(Taken { receipt_due: true, provider_ref: sid })
    }

    /// For `cooee doctor`: whether the account can be reached and takes our login. Rings nobody.
    pub(crate) async fn probe(&self) -> Result<String, String> {
        let request = self.0.client.get(&self.0.account_url).header(AUTHORIZATION, self.0.auth.clone());
        let unreachable = |why: &str| {
            Err(format!("the account cannot be reached ({why})\n  check base_url, the firewall and the provider's status page"))
        };
        match request.send().await {
            Ok(answer) if answer.status().is_success() => Ok("the account can be reached and takes our credentials".to_owned()),
            Ok(answer) if matches!(answer.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::NOT_FOUND) => {
                Err("the account refuses our credentials\n  compare account_sid and the token's file with the provider's console"
                    .to_owned())
            }
            Ok(answer) => unreachable(&format!("status {}", answer.status().as_u16())),
            Err(error) => unreachable(client::fault_of(&error).class()),
        }
    }

    /// Where a callback about a call goes, with a step of it.
    fn hook(&self, dispatch: &DispatchId, kind: &str, step: &str) -> String {
        let step = if step.is_empty() { String::new() } else { format!("&s={step}") };
        format!("{}/hooks/{}/{kind}?d={dispatch}{step}", self.0.public_url, self.name())
    }

    fn scripts(&self) -> MutexGuard<'_, Recent<Script>> {
        self.0.scripts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check(what: &str, settings: &settings::Voice) -> Result<(), SettingsError> {
    let sid = &settings.account_sid;
    if sid.is_empty() || !sid.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return Err(SettingsError::new(
            what,
            "account_sid is not one",
            "copy it from the provider's console: AC and 32 letters and digits",
        ));
    }
    if !is_e164(&settings.from) {
        return Err(SettingsError::new(
            what,
            "from is not a number, and nobody could let it through at night",
            "use a number of your own in E.164, like +61400000000",
        ));
    }
    if !RING_S.contains(&settings.ring_s) {
        return Err(SettingsError::new(
            what,
            format!("ring_s is {}, and a phone must ring for 5 to 40 seconds", settings.ring_s),
            "remove it to use 25",
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
