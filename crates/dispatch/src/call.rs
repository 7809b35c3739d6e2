//! Calls by an account that speaks Twilio's Calls resource (2010-04-01), or anything compatible.
//!
//! A call says only that it is one until a human presses a digit, because whoever takes it may be a machine that keeps and
//! forwards what it hears. One request a try; what is said in the call is `script`, what comes back from it `callback`.

mod callback;
mod script;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use escalation::dispatch::{Address, Order};
use escalation::id::{CarrierName, DispatchId};
use tokio::time::Instant;

use crate::call::script::Script;
use crate::carrier::{Fault, Letter, Taken};
use crate::client::{self, Wanted};
use crate::health::Now;
use crate::message::Spoken;
use crate::recent::Recent;
use crate::settings::{self, SettingsError};
use crate::sms::answer::judge;
use crate::sms::ears::Missed;
use crate::sms::number::is_e164;
use crate::twilio_api::{Access, TwilioApi};

/// Calls whose words are remembered; beyond it the oldest call would only be able to say that it was interrupted.
const SCRIPTS_MAX: usize = 20_000;
/// How long a phone may ring, seconds: the rules wait 75 s for somebody to ask to hear it.
const RING_S: std::ops::RangeInclusive<u64> = 5..=40;

/// An account that makes calls. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Caller(Arc<Inner>);

struct Inner {
    name: CarrierName,
    api: TwilioApi,
    from: String,
    ring_s: String,
    machine_detection: bool,
    /// `https://alerts.example.org`: the provider asks there what to say, so that there is no call without it.
    public_url: String,
    now: Now,
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
        let Some(public_url) = public_url else {
            return Err(SettingsError::new(
                &what,
                "calls need [http] public_url: the provider asks us there what to say, and brings the digits there",
                "set public_url, or remove the account and ask people by text and e-mail",
            ));
        };
        Ok(Self(Arc::new(Inner {
            name: settings.name.clone(),
            api,
            from: settings.from.clone(),
            ring_s: settings.ring_s.to_string(),
            machine_detection: settings.machine_detection,
            public_url: public_url.trim_end_matches('/').to_owned(),
            now,
            scripts: Mutex::new(Recent::new(SCRIPTS_MAX)),
        })))
    }

    pub(crate) fn name(&self) -> &CarrierName {
        &self.0.name
    }

    pub(crate) fn slots(&self) -> usize {
        self.0.api.slots()
    }

    /// Starts a call. Where the answer is lost it may ring a second time: better than not at all.
    pub(crate) async fn send(&self, order: &Order, letter: &Letter, budget: Duration) -> Result<Taken, Fault> {
        let (Address::Voice(to), Letter::Spoken(spoken)) = (&order.address, letter) else {
            return Err(Fault::Refused("not_a_call".to_owned()));
        };
        self.remember(order, spoken);
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
        let response = inner.api.post("Calls.json", budget).form(&form).send().await.map_err(|e| client::fault_of(&e))?;
        let sid = judge(response, (inner.now)()).await?;
        Ok(Taken { receipt_due: true, provider_ref: sid })
    }

    /// For `cooee doctor`: whether the account can be reached and takes our login. Rings nobody.
    pub(crate) async fn probe(&self) -> Result<String, String> {
        self.0.api.probe().await
    }

    /// Where a callback about a call goes, with a step of it.
    fn hook(&self, dispatch: &DispatchId, kind: &str, step: &str) -> String {
        let step = if step.is_empty() { String::new() } else { format!("&s={step}") };
        format!("{}/hooks/{}/{kind}?d={dispatch}{step}", self.0.public_url, self.name())
    }

    /// Before the call is asked for, because the provider may want the words before it has answered us. A second try leaves
    /// what the first knows: somebody may be in that call.
    fn remember(&self, order: &Order, spoken: &Spoken) {
        let (name, mut scripts) = (order.id.to_string(), self.scripts());
        if scripts.get(&name).is_none() {
            scripts.insert(Instant::now(), name, Script::new(spoken));
        }
    }

    /// What credit the account has.
    pub(crate) async fn credit(&self) -> Result<f64, Missed> {
        self.0.api.credit().await
    }

    /// With less than this there is a trouble; `None` where the account is not asked.
    pub(crate) fn credit_low(&self) -> Option<f64> {
        self.0.api.credit_low()
    }

    fn scripts(&self) -> MutexGuard<'_, Recent<Script>> {
        self.0.scripts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn check(what: &str, settings: &settings::Voice) -> Result<(), SettingsError> {
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
    Ok(())
}
