//! Anchors that are reached by mail, by webhook or as an authority: a checkpoint goes out once, and it is said how it is known to have
//! been taken.
//!
//! None of this shares a queue, a slot or a connection with messages about alarms. When one is due, and what follows from its
//! being refused, is the watch's business.

mod authority;
mod letter;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use escalation::anchor::Receipt;
use escalation::id::CarrierName;
use escalation::time::Timestamp;
use lettre::message::Mailbox;
use serde_json::json;

use crate::carrier::Fault;
use crate::email::Relay;
use crate::health::Now;
use crate::settings::{Anchor as Wanted, HookAnchor, MailAnchor, Settings, SettingsError, Webhook};
use crate::webhook::Endpoint;
pub use authority::Authority;

/// How long the whole may take, from connecting to the last word. The watch waits a little longer, so that ours is the reason it hears.
const BUDGET: Duration = Duration::from_secs(45);

/// A checkpoint and what has to be said with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Keepsake {
    /// The station's name.
    pub station: String,
    /// The record's name.
    pub origin: String,
    /// How many entries it covers.
    pub size: u64,
    /// Its root, in base64 as the note has it.
    pub root: String,
    /// The signed note, to the byte.
    pub note: String,
    /// The public keys of whoever signed it.
    pub keys: Vec<String>,
    /// When, by the record's time.
    pub at: Timestamp,
}

/// Why a place did not take what it was given, or gave no answer that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// In a word or two, with the number that it answered where it refused.
    pub why: String,
    /// How long it asks to be left alone (`Retry-After`); an hour at the most.
    pub wait: Option<Duration>,
    /// It was asked, or may have been. Otherwise nothing of it left.
    pub was_asked: bool,
}

impl Refusal {
    fn asked(why: impl Into<String>) -> Self {
        Self { why: why.into(), wait: None, was_asked: true }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        let class = fault.class();
        match fault {
            // An error of its server is an answer.
            Fault::NotSent(why) => Self { was_asked: why != "connect" && why != "request", ..Self::asked(class) },
            Fault::Busy(wait) => Self { wait, ..Self::asked(class) },
            Fault::Refused(code) => Self::asked(format!("{class} ({code})")),
            Fault::Unknown { .. } | Fault::Credentials => Self::asked(class),
        }
    }
}

impl Keepsake {
    /// The same on every try, so that what comes twice is shown once; another where the same size has another root, because then
    /// two histories were signed, and whoever drops what has a known id must not drop that.
    fn id(&self) -> String {
        let root: String = self.root.chars().filter(char::is_ascii_alphanumeric).take(12).collect();
        format!("checkpoint.{}.{}.{root}", self.origin.replace('/', "."), self.size)
    }
}

/// How an anchor is reached.
#[derive(Debug)]
pub enum Way {
    /// By mail or webhook.
    Post(Anchor),
    /// A time-stamping authority, which is asked something and whose answer the record reads.
    Authority(Authority),
    /// By the broker, which another room speaks to.
    Broker,
}

/// An anchor that takes a note, ready to be given one.
pub struct Anchor(By);

enum By {
    Mail { relay: Box<Relay>, to: Mailbox },
    Hook(Box<Endpoint>),
}

impl fmt::Debug for Anchor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Anchor")
    }
}

impl Way {
    /// Reads secrets and builds the client; connects to nothing.
    pub fn open(wanted: &Wanted, settings: &Settings, now: &Now) -> Result<Self, SettingsError> {
        match wanted {
            Wanted::Email(mail) => Anchor::by_mail(mail, settings).map(Self::Post),
            Wanted::Webhook(hook) => Anchor::by_hook(hook, now).map(Self::Post),
            Wanted::Mqtt(_) => Ok(Self::Broker),
            Wanted::Rfc3161(stamp) => Authority::open(&format!("[[anchor]] {}", stamp.name), stamp, now).map(Self::Authority),
        }
    }

    /// For `cooee doctor`: whether it can be reached. Nothing is sent.
    pub async fn probe(&self) -> Result<String, String> {
        match self {
            Self::Post(anchor) => anchor.probe().await,
            Self::Authority(authority) => authority.probe().await,
            Self::Broker => Ok("it is the broker".to_owned()),
        }
    }
}

impl Anchor {
    fn by_mail(mail: &MailAnchor, settings: &Settings) -> Result<Self, SettingsError> {
        let what = format!("[[anchor]] {}", mail.name);
        let Some(email) = &settings.email else {
            return Err(SettingsError::new(what, "there is no mail relay to send it by", "add [email], or take the anchor out"));
        };
        let to = Mailbox::from_str(&mail.to).map_err(|why| SettingsError::new(&what, format!("to: {why}"), "write one mailbox"))?;
        Ok(Self(By::Mail { relay: Box::new(Relay::open(email)?), to }))
    }

    fn by_hook(hook: &HookAnchor, now: &Now) -> Result<Self, SettingsError> {
        let what = format!("[[anchor]] {}", hook.name);
        let name = CarrierName::parse(hook.name.as_str()).map_err(|why| SettingsError::new(&what, why, "write a short name"))?;
        let endpoint = Webhook {
            name,
            url: hook.url.clone(),
            secret_file: hook.secret_file.clone(),
            slots: 1,
            connect_ms: hook.connect_ms,
            request_ms: hook.request_ms,
            attempt_s: BUDGET.as_secs(),
            proxy: hook.proxy.clone(),
            ca_file: hook.ca_file.clone(),
        };
        Endpoint::open_as(&what, &endpoint, std::sync::Arc::clone(now)).map(|endpoint| Self(By::Hook(Box::new(endpoint))))
    }

    /// Gives it a checkpoint once: by what it is known to have been taken, or why it is not.
    pub async fn give(&self, keepsake: &Keepsake) -> Result<Receipt, Refusal> {
        match &self.0 {
            By::Mail { relay, to } => {
                let id = format!("<{}@{}>", keepsake.id(), relay.domain());
                let mail = letter::write(relay.begin(to.clone()), &id, keepsake);
                let mail = mail.ok_or_else(|| Refusal::asked("the mail cannot be written"))?;
                relay.deliver(&mail, BUDGET).await?;
                Ok(Receipt::Smtp { message_id: id })
            }
            By::Hook(endpoint) => {
                let id = keepsake.id();
                let status = endpoint.post(id.clone(), body(keepsake), BUDGET).await?;
                Ok(Receipt::Http { status, id })
            }
        }
    }

    async fn probe(&self) -> Result<String, String> {
        match &self.0 {
            By::Mail { relay, .. } => relay.probe().await,
            By::Hook(endpoint) => endpoint.probe().await,
        }
    }
}

fn body(keepsake: &Keepsake) -> String {
    let Keepsake { station, origin, size, root, note, keys, at } = keepsake;
    let data = json!({"station": station, "origin": origin, "size": size, "root": root, "checkpoint": note, "keys": keys});
    json!({"type": "checkpoint.signed", "timestamp": at.to_string(), "data": data}).to_string()
}
