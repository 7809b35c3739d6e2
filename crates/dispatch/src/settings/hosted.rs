//! What an operator may say about a service whose API we know: the login, the number, and little else.

use std::path::PathBuf;

use escalation::id::CarrierName;
use serde::Deserialize;

use super::{Inbound, attempt_s, connect_ms, request_ms, sms_slots, validity_s, yes};

/// An account of the kind `messagemedia`, `clicksend`, `smsglobal` or `telstra`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hosted {
    /// Its name in reports, callbacks and troubles.
    pub name: CarrierName,
    /// The API key, user name or client id.
    pub user: String,
    /// File with the API secret, key or client secret.
    pub token_file: PathBuf,
    /// The sending number in E.164: nobody could answer a name.
    pub from: String,
    /// Where the API is, if not where the service says.
    pub base_url: Option<String>,
    /// File with a secret of at least 24 bytes that our callback addresses end with; without it no callback is believed.
    pub callback_secret_file: Option<PathBuf>,
    /// How replies and receipts reach us.
    #[serde(default)]
    pub inbound: Inbound,
    /// How long the carrier may try to reach a phone, seconds, where the service lets us say.
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
    /// What the account must still have, in its own currency or units; with less there is a trouble. Asked once an hour.
    pub credit_low: Option<f64>,
    /// An HTTP proxy; the environment's is never used.
    pub proxy: Option<String>,
    /// PEM bundle to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
}

/// A service whose API we know from its documentation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Service {
    /// `messagemedia`, of Sinch.
    MessageMedia,
    /// `clicksend`.
    ClickSend,
    /// `smsglobal`.
    SmsGlobal,
    /// `telstra`, its Messaging API.
    Telstra,
}
