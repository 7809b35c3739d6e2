//! A signal: one message from a device, kept verbatim, and what it was taken to mean.
//!
//! Adapters make these from topics and payloads. They are total: what cannot be read is still a signal.

use serde::{Deserialize, Serialize};

use crate::id::{DeviceId, Digest};
use crate::private::Private;
use crate::time::Timestamp;
use crate::word::Entered;

/// One message from a device.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signal {
    /// Who sent it, as its topic says; the device need not be registered.
    pub device: DeviceId,
    /// What it says.
    pub verb: Verb,
    /// How it reached us.
    pub origin: Origin,
    /// The message itself.
    pub evidence: Evidence,
    /// The sender's own id for this press, if it gave one: the key for recognising a repeat (at most 128 bytes).
    pub id: Option<String>,
    /// The sender's own counter, if it gave one.
    pub sequence: Option<u64>,
    /// When the sender says it happened.
    pub pressed_at: Option<Timestamp>,
    /// Whether that clock deserves belief.
    pub clock: DeviceClock,
    /// Words that came with it.
    pub note: Option<Private>,
    /// Where the sender says it is, `lat,lon,accuracy_m` as text.
    pub location: Option<Private>,
    /// Battery in percent.
    pub battery: Option<u8>,
}

/// Numbers of the record stay below 2^53, so that every JSON reader reads them alike (record format).
const COUNTER_MAX: u64 = (1 << 53) - 1;

impl Signal {
    /// A signal of which nothing is known but its evidence; whoever reads more in it fills that in.
    pub fn bare(device: DeviceId, verb: Verb, origin: Origin, evidence: Evidence) -> Self {
        Self {
            device,
            verb,
            origin,
            evidence,
            id: None,
            sequence: None,
            pressed_at: None,
            clock: DeviceClock::Unproven,
            note: None,
            location: None,
            battery: None,
        }
    }

    /// A press that no message brought: made here, so that there is no evidence and nothing a sender could have said.
    pub(crate) fn made_here(device: DeviceId, kind: Option<Kind>, origin: Origin) -> Self {
        let evidence = Evidence { raw: Private::Open(String::new()), payload_sha256: None, payload_bytes: 0 };
        Self::bare(device, Verb::Press { kind, style: None }, origin, evidence)
    }

    /// The sender's counter, if it gave one that the record can hold; any other stays in the raw message alone.
    pub fn counter(&self) -> Option<u64> {
        self.sequence.filter(|count| *count <= COUNTER_MAX)
    }

    /// The kind of call that the message itself names, if any.
    pub fn said_kind(&self) -> Option<Kind> {
        match &self.verb {
            Verb::Press { kind, .. } => *kind,
            Verb::Cancel(_) | Verb::Tamper { .. } | Verb::Presence { .. } | Verb::Unreadable { .. } => None,
        }
    }
}

/// What a signal says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verb {
    /// A call for help. `kind` is `None` where the message does not name one; the device's own kind then holds.
    Press {
        /// The kind of call, if said.
        kind: Option<Kind>,
        /// How the button was pressed, if said.
        style: Option<Style>,
    },
    /// Someone at the device asks to cancel, with a word or without: a state to verify, never an acknowledgement.
    Cancel(Option<Entered>),
    /// The device's housing was opened (`true`) or closed again.
    Tamper {
        /// Whether it is open now.
        on: bool,
    },
    /// The device or its gateway went away (`false`) or came back.
    Presence {
        /// Whether it is there now.
        online: bool,
    },
    /// A message on an alarm topic that no rule could read; it asks a human, then alarms.
    Unreadable {
        /// What was wrong with it.
        why: Unreadable,
    },
}

/// What kind of help is called for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Silent: a person under threat. The default.
    Duress,
    /// Audible panic.
    Panic,
    /// Someone is hurt or ill.
    Medical,
    /// Somebody who should have been heard was not.
    Welfare,
    /// Support wanted, not duress.
    Assist,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Duress, Self::Panic, Self::Medical, Self::Welfare, Self::Assist];

    /// As the API and the record write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Duress => "duress",
            Self::Panic => "panic",
            Self::Medical => "medical",
            Self::Welfare => "welfare",
            Self::Assist => "assist",
        }
    }
}

/// How a button was pressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Style {
    /// Once.
    Single,
    /// Twice.
    Double,
    /// Held.
    Long,
    /// A dedicated emergency gesture.
    Sos,
}

/// Why a message could not be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unreadable {
    /// Not the JSON that its topic promises.
    NotJson,
    /// Not UTF-8.
    NotUtf8,
    /// Larger than 64 KiB; kept by its hash.
    TooLarge,
    /// Nested deeper than 32 levels.
    TooDeep,
    /// No mapping rule matched.
    NoRuleMatched,
    /// A field that decides has a value nobody defined.
    UnknownValue,
}

/// How a signal reached us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Which way in.
    pub via: Via,
    /// The sender's client id or gateway, where the transport tells: what unregistered presses merge by.
    pub client: Option<String>,
    /// MQTT quality of service, 0 to 2; 0 elsewhere.
    pub qos: u8,
    /// The broker kept it for late subscribers.
    pub retained: bool,
    /// The sender says it may have sent it before.
    pub dup: bool,
    /// The link was away since then, so that the message may have waited this long; `None` if it was up.
    pub waited_since: Option<Timestamp>,
}

/// The ways in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Via {
    /// A session with an outside broker.
    Session,
    /// The listener inside this process.
    Listener,
    /// The HTTP API.
    Api,
    /// A responder's page: they need help themselves.
    Page,
    /// Nobody: a responder who had arrived fell silent.
    Check,
}

/// The message itself. Topic and payload are one disclosure, base64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    /// `base64(topic) base64(payload)`, separated by one space; the payload is left out where it is a code or too large.
    pub raw: Private,
    /// SHA-256 of the payload, `None` where the payload is a code.
    pub payload_sha256: Option<Digest>,
    /// Payload size in bytes.
    pub payload_bytes: u64,
}

/// Whether a device's own time may be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceClock {
    /// Nothing vouches for it: the signal counts as live.
    Unproven,
    /// A heartbeat or its gateway agreed with our clock within 60 s.
    Proven,
}
