//! From a topic and a payload to what was heard.
//!
//! Adapters are pure and total: every pair of byte strings has a meaning, and none of them panics. They read no clock, keep
//! no state and never decide whether something is an alarm: that is the rules' (`escalation`).

pub mod generic;
pub mod native;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use escalation::directory::adapter::Rule;
use escalation::id::{DeviceId, DeviceName, Digest, SiteId, Slug};
use escalation::private::Private;
use escalation::signal::{Evidence, Origin, Signal, Unreadable, Verb};
use escalation::time::Timestamp;
use ring::digest::{SHA256, digest};
use serde_json::Value;

/// Longest payload that is read and kept, in bytes; a longer one is known by its hash alone.
pub const PAYLOAD_MAX: usize = 64 * 1024;
/// Deepest JSON that is read, in levels.
pub const DEPTH_MAX: usize = 32;
/// Longest sender's id that is kept as it is, in bytes.
const ID_MAX: usize = 128;

/// What a message says.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// Something for the rules.
    Signal(Box<Signal>),
    /// A heartbeat: supervision keeps it in memory.
    Alive {
        /// Whose.
        device: DeviceId,
        /// Battery in percent.
        battery: Option<u8>,
        /// Signal strength in dBm.
        rssi: Option<i32>,
        /// The device's own time.
        at: Option<Timestamp>,
    },
    /// Nothing for us.
    Ignored(Ignored),
}

/// Why a message is none of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// Its topic is neither native nor any rule's.
    NotOurTopic,
    /// A retained message was cleared, which says nothing about the device.
    Cleared,
    /// A rule knows it and says that it means nothing.
    WithoutMeaning,
}

/// The native topics and the rules in force.
#[derive(Debug, Default)]
pub struct Adapters {
    rules: Vec<generic::Compiled>,
}

impl Adapters {
    /// Compiles rules. A faulty one is left out and reported; the others hold.
    pub fn new(rules: &[Rule]) -> (Self, Vec<generic::RuleFault>) {
        let (mut compiled, mut faults) = (Vec::new(), Vec::new());
        for rule in rules {
            match generic::Compiled::new(rule) {
                Ok(rule) => compiled.push(rule),
                Err(found) => faults.extend(found),
            }
        }
        (Self { rules: compiled }, faults)
    }

    /// Every topic filter to subscribe, each once, in order.
    pub fn filters(&self) -> Vec<String> {
        let mut filters: Vec<String> = native::FILTERS.map(str::to_owned).into();
        for rule in &self.rules {
            if !filters.iter().any(|known| known == rule.filter()) {
                filters.push(rule.filter().to_owned());
            }
        }
        filters
    }

    /// What a message says. Native topics come before rules.
    pub fn hear(&self, topic: &[u8], payload: &[u8], origin: Origin) -> Heard {
        if topic.starts_with(native::ROOT) {
            return native::hear(topic, payload, origin);
        }
        generic::hear(&self.rules, topic, payload, origin)
    }
}

/// A signal with nothing but its evidence; adapters fill in the rest.
fn bare(device: DeviceId, verb: Verb, origin: Origin, evidence: Evidence) -> Box<Signal> {
    Box::new(Signal::bare(device, verb, origin, evidence))
}

/// The message itself: its topic always, its payload unless it is too large.
fn evidence(topic: &[u8], payload: &[u8]) -> Evidence {
    let mut raw = STANDARD.encode(topic);
    if payload.len() <= PAYLOAD_MAX {
        raw.push(' ');
        STANDARD.encode_string(payload, &mut raw);
    }
    Evidence {
        raw: Private::Open(raw),
        payload_sha256: Some(Digest::new(sha256(payload))),
        payload_bytes: u64::try_from(payload.len()).unwrap_or(u64::MAX),
    }
}

/// The same for a payload that is a code: neither it, nor its hash, nor its length is kept.
fn evidence_without_payload(topic: &[u8]) -> Evidence {
    Evidence { raw: Private::Open(STANDARD.encode(topic)), payload_sha256: None, payload_bytes: 0 }
}

/// SHA-256 of some bytes.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut sum = [0; 32];
    sum.copy_from_slice(digest(&SHA256, bytes).as_ref());
    sum
}

/// The device that two names from outside stand for.
fn device(site: &[u8], name: &[u8]) -> DeviceId {
    DeviceId { site: SiteId::from(slug(site)), name: DeviceName::from(slug(name)) }
}

/// A name from outside as a slug: itself where it is one, else `x-` and the first 16 hex digits of its SHA-256.
fn slug(name: &[u8]) -> Slug {
    let as_is = std::str::from_utf8(name).ok().and_then(|text| Slug::parse(text).ok());
    as_is.unwrap_or_else(|| {
        let hashed = hashed(name);
        Slug::parse(&hashed).unwrap_or_else(|_| unreachable!("{hashed} is hex digits behind x-"))
    })
}

fn hashed(name: &[u8]) -> String {
    let digits: String = Digest::new(sha256(name)).to_string().chars().take(16).collect();
    format!("x-{digits}")
}

/// Reads a payload as JSON of bounded size and depth.
fn json(payload: &[u8]) -> Result<Value, Unreadable> {
    if payload.len() > PAYLOAD_MAX {
        return Err(Unreadable::TooLarge);
    }
    let text = std::str::from_utf8(payload).map_err(|_| Unreadable::NotUtf8)?;
    if deeper_than(DEPTH_MAX, text) {
        return Err(Unreadable::TooDeep);
    }
    serde_json::from_str(text).map_err(|_| Unreadable::NotJson)
}

/// Whether brackets nest deeper than `limit`, those inside strings aside.
fn deeper_than(limit: usize, text: &str) -> bool {
    let (mut depth, mut quoted, mut escaped) = (0_usize, false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'[' | b'{' if !quoted => depth += 1,
            b']' | b'}' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > limit {
            return true;
        }
    }
    false
}

/// The sender's own id for its message, from a string or a number; one that is too long stands as its hash, so that it still recognises repeats.
fn message_id(value: &Value) -> Option<String> {
    let id = scalar(value).filter(|id| !id.is_empty())?;
    Some(if id.len() > ID_MAX { hashed(id.as_bytes()) } else { id })
}

/// Battery in percent, from a number or a number as text; anything outside 0 to 100 says nothing.
fn percent(value: &Value) -> Option<u8> {
    let number: f64 = scalar(value)?.parse().ok()?;
    if !(0.0..=100.0).contains(&number) {
        return None;
    }
    format!("{number:.0}").parse().ok()
}

/// A string, number or truth value as text.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
