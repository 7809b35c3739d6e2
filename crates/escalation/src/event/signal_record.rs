//! What is recorded of a signal, and what it was recognised as.

use serde::{Deserialize, Serialize};

use super::{is_false, offer};
use crate::id::Digest;
use crate::private::{Field, Private};
use crate::signal::{Evidence, Signal, Style, Unreadable, Verb, Via};
use crate::time::Timestamp;

/// What is recorded of a signal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalRecord {
    /// Which way in.
    pub via: Via,
    /// The sender's client id or gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// MQTT quality of service.
    pub qos: u8,
    /// A copy kept by the broker.
    #[serde(default, skip_serializing_if = "is_false")]
    pub retained: bool,
    /// Marked as possibly sent before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub dup: bool,
    /// Topic and payload.
    pub raw: Private,
    /// SHA-256 of the payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_sha256: Option<Digest>,
    /// Payload size.
    pub payload_bytes: u64,
    /// The sender's id for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The sender's counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// The sender's time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pressed_at: Option<Timestamp>,
    /// How it was pressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub style: Option<Style>,
    /// Why it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<Unreadable>,
    /// Words with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Private>,
    /// Where it says it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Private>,
    /// Battery in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub battery: Option<u8>,
}

impl From<&Signal> for SignalRecord {
    fn from(signal: &Signal) -> Self {
        let Evidence { raw, payload_sha256, payload_bytes } = signal.evidence.clone();
        let (style, unreadable) = match &signal.verb {
            Verb::Press { style, .. } => (*style, None),
            Verb::Unreadable { why } => (None, Some(*why)),
            Verb::Cancel(_) | Verb::Tamper { .. } | Verb::Presence { .. } => (None, None),
        };
        Self {
            via: signal.origin.via,
            client: signal.origin.client.clone(),
            qos: signal.origin.qos,
            retained: signal.origin.retained,
            dup: signal.origin.dup,
            raw,
            payload_sha256,
            payload_bytes,
            id: signal.id.clone(),
            sequence: signal.counter(),
            pressed_at: signal.pressed_at,
            style,
            unreadable,
            note: signal.note.clone(),
            location: signal.location.clone(),
            battery: signal.battery,
        }
    }
}

impl SignalRecord {
    /// Offers its private texts to `seal`.
    pub(super) fn seal_with(&mut self, seal: &mut dyn FnMut(Field<'_>)) {
        offer(seal, "raw", "", Some(&mut self.raw));
        offer(seal, "note", "", self.note.as_mut());
        offer(seal, "location", "", self.location.as_mut());
    }
}

/// What a device said that is not a press.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceSays {
    /// Opened.
    TamperOn,
    /// Closed again.
    TamperOff,
    /// There.
    Online,
    /// Gone.
    Offline,
    /// Cancel, while nothing of it was open.
    Cancel,
}

/// How a repeat press was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// The very same message once more: same id, or same counter and time.
    Redelivered,
    /// Within the merge window of the last press: one gesture.
    SameGesture,
    /// Later than that: pressed again.
    Again,
}
