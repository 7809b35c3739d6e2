//! `[[anchor]]`: places outside that are given checkpoints of the record.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::str::FromStr;

use escalation::anchor::Occasion;
use escalation::id::AnchorName;
use lettre::message::Mailbox;
use serde::Deserialize;

use super::{Flaw, connect_ms, request_ms};

/// One place outside, `[[anchor]]`; `kind` says how it is reached.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Anchor {
    /// A mailbox, by way of the relay of `[email]`.
    Email(MailAnchor),
    /// A receiver of webhooks.
    Webhook(HookAnchor),
    /// The outside broker, retained, for whoever subscribes.
    Mqtt(TopicAnchor),
    /// A time-stamping authority.
    Rfc3161(StampAnchor),
}

impl Anchor {
    /// What `kind` may say.
    pub const KINDS: [&str; 4] = ["email", "webhook", "mqtt", "rfc3161"];

    /// Its name in the record and in troubles.
    pub fn name(&self) -> &AnchorName {
        match self {
            Self::Email(anchor) => &anchor.name,
            Self::Webhook(anchor) => &anchor.name,
            Self::Mqtt(anchor) => &anchor.name,
            Self::Rfc3161(anchor) => &anchor.name,
        }
    }

    /// What calls for a checkpoint.
    pub fn when(&self) -> &BTreeSet<Occasion> {
        match self {
            Self::Email(anchor) => &anchor.when,
            Self::Webhook(anchor) => &anchor.when,
            Self::Mqtt(anchor) => &anchor.when,
            Self::Rfc3161(anchor) => &anchor.when,
        }
    }

    /// The least time between two, seconds.
    pub fn every_s(&self) -> u64 {
        match self {
            Self::Email(anchor) => anchor.every_s,
            Self::Webhook(anchor) => anchor.every_s,
            Self::Mqtt(anchor) => anchor.every_s,
            Self::Rfc3161(anchor) => anchor.every_s,
        }
    }

    /// The least time between two tries that failed, seconds; 0 where the watch knows better. An authority may charge for an answer
    /// that cannot be used as for any other, and turns away whoever asks too often.
    pub fn again_s(&self) -> u64 {
        match self {
            Self::Rfc3161(anchor) => anchor.every_s.clamp(minute_s(), hour_s()),
            Self::Email(_) | Self::Webhook(_) | Self::Mqtt(_) => 0,
        }
    }

    /// Everything that is wrong with it, as far as that can be known without reading a secret or connecting to anything.
    pub fn flaws(&self) -> Vec<Flaw> {
        let mut flaws = Vec::new();
        let mut flaw = |key: &str, wrong: String, remedy: &str| {
            flaws.push(Flaw { key: vec![key.to_owned()], line: 0, wrong, remedy: remedy.to_owned() });
        };
        if self.when().is_empty() {
            flaw("when", "is empty: nothing would ever be sent".to_owned(), "leave it out to use its default, or take the anchor out");
        }
        if self.every_s() == 0 {
            flaw("every_s", "is 0".to_owned(), "write at least 1, or leave it out");
        }
        if matches!(self, Self::Email(_)) && self.when().contains(&Occasion::Change) && self.every_s() < minute_s() {
            flaw(
                "every_s",
                "is less than 60: a relay would hold back alarms for so many mails".to_owned(),
                "write at least 60, or leave it out",
            );
        }
        if matches!(self, Self::Rfc3161(_)) && (1..minute_s()).contains(&self.every_s()) {
            flaw(
                "every_s",
                "is less than 60: an authority turns away whoever asks so often, and every stamp stays in the record".to_owned(),
                "write at least 60, or leave it out",
            );
        }
        match self {
            Self::Email(anchor) => {
                if let Err(why) = Mailbox::from_str(&anchor.to) {
                    flaw("to", format!("is no mailbox: {why}"), "write it like records@insurer.example.org");
                }
            }
            Self::Webhook(anchor) => {
                if let Err(why) = crate::client::address("", &anchor.url) {
                    flaw("url", format!("cannot be used: {}", why.wrong), &why.remedy);
                }
            }
            Self::Rfc3161(anchor) => {
                if let Err(why) = crate::client::public_address("", &anchor.url) {
                    flaw("url", format!("cannot be used: {}", why.wrong), &why.remedy);
                }
            }
            Self::Mqtt(_) => {}
        }
        flaws
    }
}

/// An anchor of the kind `email`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailAnchor {
    /// Its name in the record and in troubles.
    pub name: AnchorName,
    /// Whose mailbox. Not recorded.
    pub to: String,
    /// What calls for a mail.
    #[serde(default = "daily")]
    pub when: BTreeSet<Occasion>,
    /// The least time between two mails, seconds.
    #[serde(default = "minute_s")]
    pub every_s: u64,
}

/// An anchor of the kind `webhook`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HookAnchor {
    /// Its name in the record and in troubles.
    pub name: AnchorName,
    /// Where to post. Plain `http` only on loopback.
    pub url: String,
    /// File with the Standard Webhooks secret, `whsec_` and base64, or any text of 24 bytes and more; a second line signs as well during rotation.
    pub secret_file: PathBuf,
    /// What calls for a request.
    #[serde(default = "change")]
    pub when: BTreeSet<Occasion>,
    /// The least time between two requests, seconds.
    #[serde(default = "hour_s")]
    pub every_s: u64,
    /// Milliseconds to connect.
    #[serde(default = "connect_ms")]
    pub connect_ms: u64,
    /// Milliseconds for a whole request.
    #[serde(default = "request_ms")]
    pub request_ms: u64,
    /// An HTTP proxy; the environment's is never used.
    pub proxy: Option<String>,
    /// PEM bundle to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
}

/// An anchor of the kind `mqtt`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TopicAnchor {
    /// Its name in the record and in troubles.
    pub name: AnchorName,
    /// What calls for a message.
    #[serde(default = "change")]
    pub when: BTreeSet<Occasion>,
    /// The least time between two messages, seconds.
    #[serde(default = "hour_s")]
    pub every_s: u64,
}

/// An anchor of the kind `rfc3161`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StampAnchor {
    /// Its name in the record and in troubles.
    pub name: AnchorName,
    /// Where to ask; plain `http` too, for what is sent is a hash and what comes back is verified by others.
    pub url: String,
    /// What calls for a stamp.
    #[serde(default = "daily")]
    pub when: BTreeSet<Occasion>,
    /// The least time between two stamps, seconds.
    #[serde(default = "hour_s")]
    pub every_s: u64,
    /// Milliseconds to connect.
    #[serde(default = "connect_ms")]
    pub connect_ms: u64,
    /// Milliseconds for a whole request.
    #[serde(default = "request_ms")]
    pub request_ms: u64,
    /// An HTTP proxy; the environment's is never used.
    pub proxy: Option<String>,
    /// PEM bundle to trust instead of the system's, for the connection; stamps are verified elsewhere.
    pub ca_file: Option<PathBuf>,
}

/// Who sees each closing knows when some customer had an alarm.
fn daily() -> BTreeSet<Occasion> {
    [Occasion::Daily].into()
}
fn change() -> BTreeSet<Occasion> {
    [Occasion::Change].into()
}
/// For mails, which are asked for by name where they come more often than daily.
fn minute_s() -> u64 {
    60
}
/// An hour, in which ticks hide how much happened (reference: anchors that strangers read).
fn hour_s() -> u64 {
    3_600
}
