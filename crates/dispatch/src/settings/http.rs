//! What an operator may say about a gateway of any maker: how a request is written, how an answer is read, how its
//! callbacks are checked. Only shapes and defaults; `sms::http` proves them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use escalation::id::CarrierName;
use serde::Deserialize;

use super::{Inbound, attempt_s, connect_ms, request_ms, sms_slots, validity_s, yes};

/// An SMS gateway spoken to by templates, `[[sms]] kind = "http"`.
///
/// Words of every template: `to`, `from` (E.164), `to_plain`, `from_plain` (without the plus), `to_national`,
/// `from_national` (`0400000001` within the country), `text`, `dispatch` (our name for the message), `dispatch_key` (the same
/// with the time at which it was queued: for a header by which a repeat is one message, since a name may be given again where a
/// crash met a record and a spool that both failed), `validity_s`, `validity_min`, `expires_at` (RFC 3339), `user`, `token`,
/// `status_url`, `inbound_url` (where callbacks reach us; empty where they cannot). Values are escaped for the place they
/// stand in.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// Its name in reports, callbacks and troubles.
    pub name: CarrierName,
    /// The sending number in E.164: nobody could answer a name.
    pub from: String,
    /// How a message is handed over.
    #[serde(default)]
    pub method: Method,
    /// Where to, a template. Plain `http` only on loopback.
    pub url: String,
    /// Headers by name, each a template.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The body, a template; none with `method = "get"`.
    pub body: Option<String>,
    /// How the body's values are escaped, and its content type.
    #[serde(default)]
    pub body_as: BodyAs,
    /// How we log in.
    #[serde(default)]
    pub auth: Auth,
    /// The user, key id or client id of the login.
    pub user: Option<String>,
    /// File with the password, key or client secret.
    pub token_file: Option<PathBuf>,
    /// Where an OAuth 2 token is had, with `auth = "oauth2"`.
    pub token_url: Option<String>,
    /// Which scopes to ask for, with `auth = "oauth2"`.
    pub scope: Option<String>,
    /// PEM certificate of our own, where the gateway asks for one; needs `client_key_file`.
    pub client_cert_file: Option<PathBuf>,
    /// Its key.
    pub client_key_file: Option<PathBuf>,
    /// What national numbers begin with internationally.
    #[serde(default = "australia")]
    pub country_code: String,
    /// A light request that needs our login, for `cooee doctor` and to keep a connection warm.
    pub probe_url: Option<String>,
    /// How replies and receipts reach us.
    #[serde(default)]
    pub inbound: Inbound,
    /// How an answer to a message is read.
    #[serde(default)]
    pub taken: TakenMap,
    /// How a receipt is read.
    pub receipt: Option<ReceiptMap>,
    /// How a reply is read.
    pub reply: Option<ReplyMap>,
    /// How a callback is proved; without it none is believed.
    pub callback: Option<Callback>,
    /// How the account is asked what credit it has.
    pub credit: Option<CreditMap>,
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
    /// Keeps one connection open with a light request each 25 s.
    #[serde(default = "yes")]
    pub keep_warm: bool,
    /// An HTTP proxy; the environment's is never used.
    pub proxy: Option<String>,
    /// PEM bundle to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
}

/// How an account is asked once an hour what credit it has, `[sms.credit]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreditMap {
    /// Where to ask (`GET`); words: those without a message.
    pub url: String,
    /// JSON pointer to the amount in what that answers: a number, or a text that is one.
    pub at: String,
    /// What the account must still have, in its own currency or units; with less there is a trouble.
    pub low: f64,
}

/// How a message is handed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// With a body.
    #[default]
    Post,
    /// With a body.
    Put,
    /// All in the address; only for gateways that know nothing else, since addresses end up in logs.
    Get,
}

/// How a body's values are escaped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum BodyAs {
    /// `application/json`: values stand between quotes of the template's own.
    #[default]
    Json,
    /// `application/x-www-form-urlencoded`.
    Form,
}

/// How we log in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Auth {
    /// By what the templates say, or not at all.
    #[default]
    None,
    /// `Authorization: Basic` of `user` and the token.
    Basic,
    /// `Authorization: Bearer` with the token.
    Bearer,
    /// A token of its own from `token_url`, by client credentials (RFC 6749, 4.4).
    Oauth2,
    /// `Authorization: MAC`, HMAC-SHA-256 over time, nonce, method, path, host and port (draft-ietf-oauth-v2-http-mac-01).
    Mac,
}

/// How an answer to a message is read, `[sms.taken]`.
///
/// A place in an answer is a JSON pointer (`/messages/0/id`). Codes are compared without regard to case: the value at `code`,
/// then the one at `status`, then the HTTP status.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TakenMap {
    /// Where the provider's id of the message is.
    pub id: Option<String>,
    /// Where the answer says what became of the message.
    pub status: Option<String>,
    /// What stands there for a message that was taken; where empty, a 2xx is enough.
    pub ok: Vec<String>,
    /// Where an error's code is.
    pub code: Option<String>,
    /// Codes after which a retry may help.
    pub transient: Vec<String>,
    /// Codes that say something about our account: login, credit, sending number.
    pub credentials: Vec<String>,
    /// Codes that refuse this message for good.
    pub refused: Vec<String>,
}

impl TakenMap {
    /// The same for a request that hands no message over: any 2xx is a success.
    pub(crate) fn codes_only(&self) -> Self {
        Self { id: None, ok: Vec::new(), ..self.clone() }
    }
}

/// How a receipt is read, `[sms.receipt]`, in a callback and in a listing.
///
/// A field is a name, or a JSON pointer into the receipt.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReceiptMap {
    /// Field with the provider's id of the message.
    pub id: Option<String>,
    /// Field with our own name for the message, where the provider gives back what the request said.
    pub dispatch: Option<String>,
    /// Field with the status.
    pub status: String,
    /// Field with the code of a failure.
    pub code: Option<String>,
    /// Statuses of a message that the phone has.
    pub delivered: Vec<String>,
    /// Statuses of a message that was given up.
    pub failed: Vec<String>,
    /// Where to ask: of one message where `{{ id }}` is in it, else for a list.
    pub poll_url: Option<String>,
    /// JSON pointer to the list, or to the message, in what that answers.
    #[serde(default)]
    pub poll_items: String,
}

/// How a reply is read, `[sms.reply]`, in a callback and in a listing.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReplyMap {
    /// Field with the provider's id of the reply.
    pub id: String,
    /// Field with the number it came from.
    pub from: String,
    /// Field with its words.
    pub text: String,
    /// Fields with the time it was sent, the first that is there counts: RFC 3339, Unix seconds, or `2026-08-04 11:24:27 +1000`.
    #[serde(default)]
    pub sent_at: Vec<String>,
    /// Where to list replies; words: `since` (a day ago, RFC 3339), and those without a message.
    pub poll_url: Option<String>,
    /// JSON pointer to the list in what that answers.
    #[serde(default)]
    pub poll_items: String,
    /// Where to tell the provider which replies we have (`POST`).
    pub confirm_url: Option<String>,
    /// What to tell it: JSON, with `{{ ids }}` for the list of ids.
    pub confirm_body: Option<String>,
}

/// How a callback is proved, `[sms.callback]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Callback {
    /// By what.
    pub auth: CallbackAuth,
    /// File with the secret of at least 24 bytes; a second line is good as well during rotation.
    pub secret_file: PathBuf,
    /// The header that holds the secret or the signature. Without it the secret is in the address (`?key=`).
    pub header: Option<String>,
    /// The user, with `auth = "basic"`.
    pub user: Option<String>,
    /// The hash under the signature.
    #[serde(default)]
    pub hash: Hash,
    /// How the signature is written.
    #[serde(default)]
    pub encoding: Encoding,
    /// A header with Unix seconds that are signed too, as `seconds.body`; older ones than five minutes are refused.
    pub timestamp_header: Option<String>,
}

/// By what a callback is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CallbackAuth {
    /// A secret that only the provider was told, in a header or in the address.
    Secret,
    /// `Authorization: Basic` of `user` and the secret.
    Basic,
    /// An HMAC of the body in a header.
    Hmac,
}

/// The hash under a signature.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Hash {
    /// SHA-256.
    #[default]
    Sha256,
    /// SHA-1, for providers that know nothing else.
    Sha1,
    /// SHA-512.
    Sha512,
}

/// How a signature is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Hex digits; `sha256=` before them is allowed.
    #[default]
    Hex,
    /// Base64.
    Base64,
}

fn australia() -> String {
    "61".to_owned()
}
