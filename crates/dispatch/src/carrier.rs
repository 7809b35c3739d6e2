//! What every carrier has in common: the order made ready, and what can become of one try at one account.
//!
//! Carriers know nothing of queues, failover or retries; that is `attempt`.

use std::time::Duration;

use escalation::dispatch::Order;
use escalation::id::CarrierName;

use crate::call::Caller;
use crate::email::Relay;
use crate::message::{Mail, Spoken, Text};
use crate::sms::account::Account;
use crate::webhook::Endpoint;

/// One account, relay or endpoint that messages go out by.
#[derive(Debug)]
pub(crate) enum Carrier {
    /// An SMS account.
    Sms(Account),
    /// A mail relay.
    Email(Box<Relay>),
    /// An account that makes calls.
    Call(Caller),
    /// A centre's webhook.
    Webhook(Box<Endpoint>),
}

/// What is to be sent, worded for its medium.
#[derive(Clone)]
pub(crate) enum Letter {
    /// A text message.
    Text(Text),
    /// An e-mail.
    Mail(Mail),
    /// What a call says.
    Spoken(Spoken),
    /// A webhook's body.
    Body(Text),
}

impl Letter {
    /// The words for the record.
    pub(crate) fn words(&self) -> &str {
        match self {
            Self::Text(text) | Self::Body(text) => &text.body,
            Self::Mail(mail) => &mail.text,
            Self::Spoken(spoken) => &spoken.content,
        }
    }

    /// Which template made them.
    pub(crate) fn template(&self) -> &str {
        match self {
            Self::Text(text) | Self::Body(text) => &text.template,
            Self::Mail(mail) => &mail.template,
            Self::Spoken(spoken) => &spoken.template,
        }
    }
}

/// The provider took the message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    /// The provider's own id of it.
    pub(crate) provider_ref: Option<String>,
    /// Whether a receipt will come.
    pub(crate) receipt_due: bool,
}

/// Why one try at one account did not end in the message being taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It surely was not sent: no connection, or the provider said it failed. Try again.
    NotSent(&'static str),
    /// The provider has too much to do, and may have said for how long.
    Busy(Option<Duration>),
    /// It may have been sent: the answer was lost. `absent` where the provider could be asked and has no such message.
    Unknown {
        /// What was lost.
        why: &'static str,
        /// Asked for its list, the provider did not show the message.
        absent: bool,
    },
    /// This account refuses this message for good; digits and letters of the provider's code.
    Refused(String),
    /// This account does not accept our credentials.
    Credentials,
}

impl Fault {
    /// A word for health and log.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Self::NotSent(why) | Self::Unknown { why, .. } => why,
            Self::Busy(_) => "busy",
            Self::Refused(_) => "refused",
            Self::Credentials => "credentials",
        }
    }
}

impl Carrier {
    pub(crate) fn name(&self) -> &CarrierName {
        match self {
            Self::Sms(account) => account.name(),
            Self::Email(relay) => relay.name(),
            Self::Call(caller) => caller.name(),
            Self::Webhook(endpoint) => endpoint.name(),
        }
    }

    pub(crate) fn slots(&self) -> usize {
        match self {
            Self::Sms(account) => account.slots(),
            Self::Email(relay) => relay.slots(),
            Self::Call(caller) => caller.slots(),
            Self::Webhook(endpoint) => endpoint.slots(),
        }
    }

    /// One try, no longer than `budget` and the account's own request timeout.
    pub(crate) async fn send(&self, order: &Order, letter: &Letter, budget: Duration) -> Result<Taken, Fault> {
        match self {
            Self::Sms(account) => account.send(order, letter, budget).await,
            Self::Email(relay) => relay.send(order, letter, budget).await,
            Self::Call(caller) => caller.send(order, letter, budget).await,
            Self::Webhook(endpoint) => endpoint.send(order, letter, budget).await,
        }
    }

    /// Asks the provider whether it already has this message, for at most a second. `None` where it has not, or cannot say.
    pub(crate) async fn find(&self, order: &Order, letter: &Letter) -> Option<Taken> {
        match self {
            Self::Sms(account) => account.find(order, letter).await,
            // SMTP cannot be asked, a phone may ring twice, and a webhook's receiver knows our id and discards the second.
            Self::Email(_) | Self::Call(_) | Self::Webhook(_) => None,
        }
    }
}
