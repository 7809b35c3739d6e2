//! What an operator may say about carriers, and the checks that need no network.
//!
//! Only shapes and defaults live here: nothing connects, and a secret is always a file, never a value.

mod anchor;
mod hosted;
mod http;
mod voice;

use std::fmt;
use std::path::{Path, PathBuf};

use escalation::id::CarrierName;
use serde::Deserialize;

pub use self::anchor::{Anchor, HookAnchor, MailAnchor, StampAnchor, TopicAnchor};
pub use self::hosted::{Hosted, Service};
pub use self::http::{Auth, BodyAs, Callback, CallbackAuth, CreditMap, Encoding, Hash, Http, Method, ReceiptMap, ReplyMap, TakenMap};
pub use self::voice::{Voice, VoiceKind};

/// Everything this room is configured by. The door fills it from `[[sms]]`, `[email]`, `[[voice]]`, `[[webhook]]`, `[[anchor]]` and `[templates]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// SMS accounts in order of preference.
    pub sms: Vec<Sms>,
    /// The mail relay.
    pub email: Option<Email>,
    /// Accounts that make calls, in order of preference.
    pub voice: Vec<Voice>,
    /// Webhooks of centres, chosen by name.
    pub webhook: Vec<Webhook>,
    /// Places outside that are given checkpoints.
    pub anchor: Vec<Anchor>,
    /// Texts edited by the operator.
    pub templates: Templates,
}

/// One account with an SMS provider, `[[sms]]`; `kind` says which API it speaks.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Sms {
    /// Twilio's Messages resource, or anything compatible with it.
    Twilio(Box<Twilio>),
    /// Any gateway, by templates.
    Http(Box<Http>),
    /// `messagemedia`, of Sinch.
    MessageMedia(Box<Hosted>),
    /// `clicksend`.
    ClickSend(Box<Hosted>),
    /// `smsglobal`.
    SmsGlobal(Box<Hosted>),
    /// `telstra`, its Messaging API.
    Telstra(Box<Hosted>),
}

impl Sms {
    /// What `kind` may say.
    pub const KINDS: [&str; 6] = ["twilio", "http", "messagemedia", "clicksend", "smsglobal", "telstra"];

    /// Its name in reports, callbacks and troubles.
    pub fn name(&self) -> &CarrierName {
        match self {
            Self::Twilio(account) => &account.name,
            Self::Http(account) => &account.name,
            Self::MessageMedia(account) | Self::ClickSend(account) | Self::SmsGlobal(account) | Self::Telstra(account) => &account.name,
        }
    }

    /// Everything that is wrong with it, as far as that can be known without reading a secret or connecting to anything. Of a
    /// `twilio` account nothing can: its few keys are proved when it is opened.
    pub fn flaws(&self) -> Vec<Flaw> {
        use crate::sms::preset::flaws;
        match self {
            Self::Twilio(_) => Vec::new(),
            Self::Http(account) => crate::sms::http::flaws(account),
            Self::MessageMedia(account) => flaws(Service::MessageMedia, account),
            Self::ClickSend(account) => flaws(Service::ClickSend, account),
            Self::SmsGlobal(account) => flaws(Service::SmsGlobal, account),
            Self::Telstra(account) => flaws(Service::Telstra, account),
        }
    }

    /// Seconds in which an order must be taken by some account, retries included.
    pub fn attempt_s(&self) -> u64 {
        match self {
            Self::Twilio(account) => account.attempt_s,
            Self::Http(account) => account.attempt_s,
            Self::MessageMedia(account) | Self::ClickSend(account) | Self::SmsGlobal(account) | Self::Telstra(account) => account.attempt_s,
        }
    }
}

/// An account of the kind `twilio`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Twilio {
    /// Its name in reports, callbacks and troubles.
    pub name: CarrierName,
    /// Where the API is, `https://api.twilio.com`. Plain `http` only on loopback.
    #[serde(default = "twilio_base")]
    pub base_url: String,
    /// The account, `AC...`.
    pub account_sid: String,
    /// File with the auth token; a second line is accepted in callbacks too while tokens are being rotated.
    pub auth_token_file: PathBuf,
    /// The sending number in E.164, or a messaging service `MG...`.
    pub from: String,
    /// How replies and receipts reach us.
    #[serde(default)]
    pub inbound: Inbound,
    /// How long the carrier may try to reach a phone, seconds.
    #[serde(default = "validity_s")]
    pub validity_s: u32,
    /// Requests under way at once.
    #[serde(default = "sms_slots")]
    pub slots: usize,
    /// Milliseconds to connect.
    #[serde(default = "connect_ms")]
    pub connect_ms: u64,
    /// Milliseconds for a whole request.
    #[serde(default = "request_ms")]
    pub request_ms: u64,
    /// Seconds in which an order must be taken by some account, retries included.
    #[serde(default = "attempt_s")]
    pub attempt_s: u64,
    /// Keeps one connection open with a light request each 25 s, so that an alarm does not begin with a TLS handshake.
    #[serde(default = "yes")]
    pub keep_warm: bool,
    /// What the account must still have, in its own currency or units; with less there is a trouble. Asked once an hour.
    pub credit_low: Option<f64>,
    /// An HTTP proxy; the environment's is never used.
    pub proxy: Option<String>,
    /// PEM bundle to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
}

/// How replies and receipts reach us. Both ways list messages; they differ in how often.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Inbound {
    /// By callbacks; listing each 30 s while something is open catches what a callback lost.
    Webhook,
    /// By listing each 2 s while something is open; no inbound port is needed.
    #[default]
    Poll,
}

/// The mail relay, `[email]`. Its name in reports and troubles is `email`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Email {
    /// `smtps://user@host:465`, or `smtp://user@host:587?tls=starttls`; plain `smtp://` only on loopback.
    pub url: String,
    /// File with the password, where the URL names a user.
    pub password_file: Option<PathBuf>,
    /// The sender, `Duress <duress@example.org>`.
    pub from: String,
    /// PEM bundle to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Mails under way at once.
    #[serde(default = "email_slots")]
    pub slots: usize,
    /// Milliseconds to connect.
    #[serde(default = "connect_ms")]
    pub connect_ms: u64,
    /// Milliseconds for a whole mail, from connecting to the relay's last word.
    #[serde(default = "mail_ms")]
    pub request_ms: u64,
    /// Seconds in which the relay must have taken a mail, retries included.
    #[serde(default = "mail_attempt_s")]
    pub attempt_s: u64,
}

/// A centre's webhook, `[[webhook]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// Its name, as the directory's centres use it.
    pub name: CarrierName,
    /// Where to post. Plain `http` only on loopback.
    pub url: String,
    /// File with the Standard Webhooks secret, `whsec_` and base64, or any text of 24 bytes and more; a second line signs as well during rotation.
    pub secret_file: PathBuf,
    /// Requests under way at once.
    #[serde(default = "webhook_slots")]
    pub slots: usize,
    /// Milliseconds to connect.
    #[serde(default = "connect_ms")]
    pub connect_ms: u64,
    /// Milliseconds for a whole request.
    #[serde(default = "request_ms")]
    pub request_ms: u64,
    /// Seconds in which the centre must have taken a message, retries included.
    #[serde(default = "attempt_s")]
    pub attempt_s: u64,
    /// An HTTP proxy; the environment's is never used.
    pub proxy: Option<String>,
    /// PEM bundle to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
}

/// Texts edited by the operator, `[templates]`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Templates {
    /// A folder whose files replace the built-in ones of the same name (`alarm.sms.txt`); what it lacks stays built in.
    pub dir: Option<PathBuf>,
}

fn twilio_base() -> String {
    "https://api.twilio.com".to_owned()
}
fn validity_s() -> u32 {
    600
}
fn sms_slots() -> usize {
    128
}
fn email_slots() -> usize {
    16
}
fn webhook_slots() -> usize {
    32
}
fn connect_ms() -> u64 {
    2_000
}
fn request_ms() -> u64 {
    8_000
}
fn mail_ms() -> u64 {
    20_000
}
fn attempt_s() -> u64 {
    20
}
fn mail_attempt_s() -> u64 {
    45
}
fn yes() -> bool {
    true
}
/// Something wrong with one key of an account's settings, found without reading a secret or connecting to anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Flaw {
    /// The key within the account's table, outermost first: `["receipt", "poll_url"]`.
    pub key: Vec<String>,
    /// The line within the key's value, from 0.
    pub line: usize,
    /// What is wrong with it.
    pub wrong: String,
    /// What to do about it.
    pub remedy: String,
}

/// Why the carriers could not be set up. Says what was attempted, what was wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {wrong}\n  {remedy}")]
pub struct SettingsError {
    /// Which setting or file.
    pub what: String,
    /// What is wrong with it.
    pub wrong: String,
    /// What to do about it.
    pub remedy: String,
}

impl SettingsError {
    pub(crate) fn new(what: impl Into<String>, wrong: impl fmt::Display, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), wrong: wrong.to_string(), remedy: remedy.into() }
    }
}

/// A secret from a file: one line, or two during rotation. Its `Debug` shows nothing.
#[derive(Clone)]
pub(crate) struct Secret {
    /// The one we use.
    pub(crate) current: String,
    /// The other one that is still, or already, good.
    pub(crate) other: Option<String>,
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

impl Secret {
    /// Reads a secret file; refuses one that everybody on the machine may read.
    pub(crate) fn read(what: &str, path: &Path) -> Result<Self, SettingsError> {
        let text = Self::whole(what, path)?;
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let empty = || SettingsError::new(what, format!("{} is empty", path.display()), "put the secret on its first line");
        let current = lines.next().map(str::to_owned).ok_or_else(empty)?;
        Ok(Self { current, other: lines.next().map(str::to_owned) })
    }

    /// The same for a secret of many lines, such as a key.
    pub(crate) fn whole(what: &str, path: &Path) -> Result<String, SettingsError> {
        refuse_world_readable(what, path)?;
        std::fs::read_to_string(path).map_err(|error| {
            SettingsError::new(
                what,
                format!("cannot read {}: {error}", path.display()),
                "create the file with the secret on its first line, mode 0600, owned by the service's user",
            )
        })
    }

    /// Both secrets that are good, the current one first.
    pub(crate) fn each(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.current.as_str()).chain(self.other.as_deref())
    }
}

#[cfg(unix)]
fn refuse_world_readable(what: &str, path: &Path) -> Result<(), SettingsError> {
    use std::os::unix::fs::PermissionsExt;
    let Ok(meta) = std::fs::metadata(path) else {
        return Ok(()); // Reading it says better what is wrong.
    };
    if meta.permissions().mode() & 0o004 == 0 {
        return Ok(());
    }
    Err(SettingsError::new(
        what,
        format!("{} can be read by everybody on this machine", path.display()),
        format!("chmod 600 {}, and change the secret if others had access", path.display()),
    ))
}

#[cfg(not(unix))]
fn refuse_world_readable(_what: &str, _path: &Path) -> Result<(), SettingsError> {
    Ok(())
}

/// True for a host that never leaves this machine, the only kind that may be spoken to in clear.
pub(crate) fn is_loopback(host: &str) -> bool {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || bare.parse::<std::net::IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_secret_that_everybody_can_read_is_refused_with_the_remedy() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("token");
        std::fs::write(&path, "one\ntwo\n").unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
        let error = Secret::read("auth_token_file", &path).unwrap_err();
        assert!(error.remedy.starts_with("chmod 600"), "{error}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        let secret = Secret::read("auth_token_file", &path).unwrap();
        assert_eq!(secret.each().collect::<Vec<_>>(), ["one", "two"]);
        assert_eq!(format!("{secret:?}"), "Secret(redacted)");
    }

    #[test]
    fn loopback_is_recognised_and_nothing_else_is() {
        for host in ["localhost", "127.0.0.1", "127.8.8.8", "[::1]", "::1"] {
            assert!(is_loopback(host), "{host}");
        }
        for host in ["localhost.example.org", "10.0.0.1", "example.org", "0.0.0.0"] {
            assert!(!is_loopback(host), "{host}");
        }
    }

    #[test]
    fn unknown_fields_and_kinds_are_refused() {
        let sms = |extra: &str| {
            format!(r#"{{"name":"first","kind":"twilio","account_sid":"AC1","auth_token_file":"t","from":"+61400000000"{extra}}}"#)
        };
        let Sms::Twilio(parsed) = serde_json::from_str(&sms("")).unwrap() else { panic!("another kind") };
        assert_eq!((parsed.slots, parsed.inbound), (128, Inbound::Poll));
        let unknown = serde_json::from_str::<Sms>(&sms(r#","colour":"red""#)).unwrap_err();
        assert!(unknown.to_string().contains("colour"));
        let kind = sms("").replace("twilio", "pigeon");
        let error = serde_json::from_str::<Sms>(&kind).unwrap_err();
        assert!(error.to_string().contains("unknown variant `pigeon`"), "{error}");
    }
}
