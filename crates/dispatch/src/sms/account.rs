//! An SMS account of whichever kind: what sending, listening and callbacks need of it. One match arm per kind.

use std::sync::Arc;
use std::time::Duration;

use escalation::dispatch::Order;
use escalation::id::CarrierName;

use crate::carrier::{Fault, Letter, Taken};
use crate::health::Now;
use crate::settings::{Hosted, Inbound, Service, SettingsError, Sms};
use crate::sms::awaited::Awaited;
use crate::sms::ears::Missed;
use crate::sms::http::Gateway;
use crate::sms::preset;
use crate::sms::twilio::Twilio;

/// An account, shared between sending and listening. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) enum Account {
    /// Twilio's API.
    Twilio(Arc<Twilio>),
    /// Any gateway, by templates.
    Http(Arc<Gateway>),
}

impl Account {
    /// Reads the secrets and builds the client; connects to nothing.
    pub(crate) fn open(settings: &Sms, public_url: Option<&str>, now: &Now) -> Result<Self, SettingsError> {
        let now = Arc::clone(now);
        match settings {
            Sms::Twilio(settings) => Ok(Self::Twilio(Arc::new(Twilio::open(settings, public_url, now)?))),
            Sms::Http(settings) => Ok(Self::Http(Arc::new(Gateway::open(settings, public_url, now)?))),
            Sms::MessageMedia(account) => Self::hosted(Service::MessageMedia, account, public_url, now),
            Sms::ClickSend(account) => Self::hosted(Service::ClickSend, account, public_url, now),
            Sms::SmsGlobal(account) => Self::hosted(Service::SmsGlobal, account, public_url, now),
            Sms::Telstra(account) => Self::hosted(Service::Telstra, account, public_url, now),
        }
    }

    fn hosted(service: Service, account: &Hosted, public_url: Option<&str>, now: Now) -> Result<Self, SettingsError> {
        if let Some(flaw) = preset::flaws(service, account).into_iter().next() {
            return Err(SettingsError::new(format!("[[sms]] {} {}", account.name, flaw.key.join(".")), flaw.wrong, flaw.remedy));
        }
        let gateway = preset::gateway(service, account)?;
        Ok(Self::Http(Arc::new(Gateway::open(&gateway, public_url, now)?)))
    }

    pub(crate) fn name(&self) -> &CarrierName {
        self.awaited().carrier()
    }

    /// What it took and whose receipts are due.
    pub(crate) fn awaited(&self) -> &Awaited {
        match self {
            Self::Twilio(account) => account.awaited(),
            Self::Http(account) => account.awaited(),
        }
    }

    pub(crate) fn slots(&self) -> usize {
        match self {
            Self::Twilio(account) => account.slots(),
            Self::Http(account) => account.slots(),
        }
    }

    pub(crate) fn inbound(&self) -> Inbound {
        match self {
            Self::Twilio(account) => account.inbound(),
            Self::Http(account) => account.inbound(),
        }
    }

    pub(crate) fn keep_warm(&self) -> bool {
        match self {
            Self::Twilio(account) => account.keep_warm(),
            Self::Http(account) => account.keep_warm(),
        }
    }

    /// One try, no longer than `budget` and the account's own request timeout.
    pub(crate) async fn send(&self, order: &Order, letter: &Letter, budget: Duration) -> Result<Taken, Fault> {
        match self {
            Self::Twilio(account) => account.send(order, letter, budget).await,
            Self::Http(account) => account.send(order, letter, budget).await,
        }
    }

    /// Asks the provider whether it already has this message. `None` where it has not, or cannot say.
    pub(crate) async fn find(&self, order: &Order, letter: &Letter) -> Option<Taken> {
        match self {
            Self::Twilio(account) => account.find(order, letter).await.ok().flatten(),
            // Gateways differ in what they can be asked; what may be there twice is marked.
            Self::Http(_) => None,
        }
    }

    /// A light request that keeps a connection open and, where the provider has one for it, says whether our login is good.
    pub(crate) async fn greet(&self) -> Result<(), Fault> {
        match self {
            Self::Twilio(account) => account.greet().await,
            Self::Http(account) => account.greet().await,
        }
    }

    /// What credit it has.
    pub(crate) async fn credit(&self) -> Result<f64, Missed> {
        match self {
            Self::Twilio(account) => account.credit().await,
            Self::Http(account) => account.credit().await,
        }
    }

    /// With less than this there is a trouble; `None` where it is not asked.
    pub(crate) fn credit_low(&self) -> Option<f64> {
        match self {
            Self::Twilio(account) => account.credit_low(),
            Self::Http(account) => account.credit_low(),
        }
    }

    /// For `cooee doctor`.
    pub(crate) async fn probe(&self) -> Result<String, String> {
        match self {
            Self::Twilio(account) => account.probe().await,
            Self::Http(account) => account.probe().await,
        }
    }
}
