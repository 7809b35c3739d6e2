//! Which messages were recorded last on which topic, so that a retained copy of one is not heard again.
//!
//! Every subscription brings the broker's retained messages once more. Must not know a payload: hashes are enough.

use std::collections::BTreeMap;

use escalation::id::Digest;
use escalation::signal::Signal;

use crate::adapter::sha256;

/// How many topics are remembered. Overflow rule: all are forgotten, so that a copy is heard once more.
const TOPICS_MAX: usize = 16_384;

/// The last payload recorded on each topic, both as their hashes.
#[derive(Debug, Default)]
pub(super) struct Seen(BTreeMap<Digest, Digest>);

impl Seen {
    /// Whether this is a retained copy of what was recorded last on its topic, live or retained.
    pub(super) fn is_copy(&self, signal: &Signal) -> bool {
        signal.origin.retained && hashes(signal).is_some_and(|(topic, payload)| self.0.get(&topic) == Some(&payload))
    }

    /// This is recorded.
    pub(super) fn remember(&mut self, signal: &Signal) {
        let Some((topic, payload)) = hashes(signal) else { return };
        if self.0.len() >= TOPICS_MAX && !self.0.contains_key(&topic) {
            self.0.clear();
        }
        self.0.insert(topic, payload);
    }
}

/// Nothing where the payload is a code.
fn hashes(signal: &Signal) -> Option<(Digest, Digest)> {
    let topic = signal.evidence.raw.open()?.split(' ').next()?;
    Some((Digest::new(sha256(topic.as_bytes())), signal.evidence.payload_sha256?))
}
