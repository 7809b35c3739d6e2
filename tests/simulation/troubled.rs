//! T: whoever was told of a trouble is told once that it is over, by the same channel, and nobody else is; and it is over.
//!
//! Worked out from the record alone, by counting messages to addresses; it asks the rules nothing.

use std::collections::{BTreeMap, BTreeSet};

use escalation::dispatch::{Purpose, Report};
use escalation::event::{Event, Telling};
use escalation::id::{ActivationId, ContactKey};
use escalation::ladder::Medium;
use escalation::matter::Topic;
use escalation::time::{Seconds, Timestamp};
use escalation::trouble::Cause;

use crate::oracle::Findings;
use crate::past::{Entry, Past};

/// The `wait` of the scenario's directory.
const TECHNICAL_WAIT: Seconds = Seconds(20);

type Address = (ContactKey, Medium);

/// What people were told of one matter, since it last began.
#[derive(Default)]
struct Told {
    /// Messages that may have arrived.
    messages: BTreeMap<Address, BTreeSet<u32>>,
    /// Who must be told of the end, once there was one.
    to_hear: Option<BTreeSet<Address>>,
    heard: BTreeMap<Address, usize>,
}

impl Told {
    fn judge(&self, act: &ActivationId, found: &mut Findings) {
        let expected = self.to_hear.clone().unwrap_or_default();
        for address in expected.iter().filter(|address| !self.heard.contains_key(*address)) {
            found.wrong("T told of a trouble and not of its end", format!("{act} {address:?}"));
        }
        for (address, times) in self.heard.iter().filter(|(address, times)| **times > 1 || !expected.contains(*address)) {
            found.wrong("T told of an end twice or without cause", format!("{act} {address:?} {times} times"));
        }
    }
}

/// What is known of troubles themselves, whatever people were told.
#[derive(Default)]
struct Lasting {
    causes: BTreeSet<Cause>,
    topics: BTreeMap<ActivationId, Topic>,
    started_at: Option<Timestamp>,
}

impl Lasting {
    fn note(&mut self, entry: &Entry, found: &mut Findings) {
        match &entry.event {
            Event::StationStarted { .. } => self.started_at = Some(entry.at),
            Event::TroubleRaised { cause, .. } => drop(self.causes.insert(cause.clone())),
            Event::TroubleCleared { cause, .. } => drop(self.causes.remove(cause)),
            Event::TroubleTold { act, topic, .. } => drop(self.topics.insert(act.clone(), *topic)),
            Event::TroubleOver { act } => {
                // No customer of a scenario has a technical ladder of its own: one kind is one matter.
                if self.causes.iter().any(|cause| Some(&cause.topic()) == self.topics.get(act)) {
                    found.wrong("T said to be over while it lasts", act);
                }
                let is_fresh = |started: Timestamp| entry.at < TECHNICAL_WAIT.after(started);
                if self.started_at.is_some_and(is_fresh) {
                    found.wrong("T said to be over before anything was looked at", act);
                }
            }
            _other => {}
        }
    }
}

/// Judges every notice of a past.
pub(crate) fn are_told_of_the_end(past: &Past, found: &mut Findings) {
    let mut all: BTreeMap<ActivationId, Told> = BTreeMap::new();
    let mut lasting = Lasting::default();
    for entry in &past.entries {
        lasting.note(entry, found);
        let Some(act) = entry.event.activation().filter(|act| act.prefix.is_of_notices()) else { continue };
        let told = all.entry(act.clone()).or_default();
        match &entry.event {
            Event::TroubleTold { why: Telling::Begins, .. } => std::mem::take(told).judge(act, found),
            Event::DispatchQueued { dispatch, to, medium, purpose, .. } => {
                let address = (to.contact().unwrap(), *medium);
                match purpose {
                    Purpose::Trouble | Purpose::TroubleAgain => told.messages.entry(address).or_default().extend([*dispatch]),
                    Purpose::TroubleOver => *told.heard.entry(address).or_default() += 1,
                    _other => {}
                }
            }
            Event::DispatchReported { dispatch, report: Report::Undelivered { .. } | Report::Failed(_), .. } => {
                for messages in told.messages.values_mut() {
                    messages.remove(dispatch);
                }
            }
            Event::TroubleOver { .. } => {
                let told_of_it = told.messages.iter().filter(|(_, messages)| !messages.is_empty());
                told.to_hear = Some(told_of_it.map(|(address, _)| *address).collect());
            }
            _other => {}
        }
    }
    for (act, told) in all {
        told.judge(&act, found);
    }
}
