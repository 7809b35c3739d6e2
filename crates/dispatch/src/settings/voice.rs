//! What an operator may say about an account that makes calls.

use std::path::PathBuf;

use escalation::id::CarrierName;
use serde::Deserialize;

use super::{attempt_s, connect_ms, request_ms, twilio_base, yes};

/// One account that makes calls, `[[voice]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Voice {
    /// Its name in reports, callbacks and troubles.
    pub name: CarrierName,
    /// Which API it speaks.
    #[serde(default)]
    pub kind: VoiceKind,
    /// Where the API is, `https://api.twilio.com`. Plain `http` only on loopback.
    #[serde(default = "twilio_base")]
    pub base_url: String,
    /// The account, `AC...`.
    pub account_sid: String,
    /// File with the auth token; a second line is accepted in callbacks too while tokens are being rotated.
    pub auth_token_file: PathBuf,
    /// The number that rings people, in E.164: one that they know and that is let through at night.
    pub from: String,
    /// How long a phone rings, seconds, 5 to 40: less than its voicemail waits, or a machine takes every call.
    #[serde(default = "ring_s")]
    pub ring_s: u64,
    /// Asks the provider to say whether a machine took the call, which it charges for.
    #[serde(default = "yes")]
    pub machine_detection: bool,
    /// Requests under way at once.
    #[serde(default = "voice_slots")]
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
    /// What the account must still have, in its own currency or units; with less there is a trouble. Asked once an hour.
    pub credit_low: Option<f64>,
    /// An HTTP proxy; the environment's is never used.
    pub proxy: Option<String>,
    /// PEM bundle to trust instead of the system's.
    pub ca_file: Option<PathBuf>,
}

/// Which API an account speaks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VoiceKind {
    /// Twilio's Calls resource, or anything compatible with it.
    #[default]
    Twilio,
}

fn ring_s() -> u64 {
    25
}
fn voice_slots() -> usize {
    16
}
