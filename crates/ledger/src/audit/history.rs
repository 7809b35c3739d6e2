//! The counters within the record that have no gap: entries of an activation, activations of a customer.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::finding::Fault;

/// How far each counter is.
#[derive(Clone, Debug, Default)]
pub(super) struct Histories {
    activations: BTreeMap<String, Counter>,
    customers: BTreeMap<String, Counter>,
}

/// One counter.
#[derive(Clone, Copy, Debug, Default)]
struct Counter {
    next: u64,
    /// Entries since the last one that was read of which the bytes are gone: each may have been counted.
    gone: u64,
}

impl Counter {
    /// Takes up a number; gives the one that should have been there. After a gap it goes on from what is there, so that one
    /// gap is one finding.
    fn count(&mut self, found: u64) -> Option<u64> {
        let Self { next, gone } = *self;
        *self = Self { next: found.saturating_add(1), gone: 0 };
        (found < next || found > next.saturating_add(gone)).then_some(next)
    }
}

impl Histories {
    /// An entry of which the bytes are gone: what it counted is not known any more.
    pub(super) fn pass(&mut self, act: &str, cust: &str) {
        self.activations.entry(act.to_owned()).or_default().gone += 1;
        self.customers.entry(cust.to_owned()).or_default().gone += 1;
    }

    /// Takes up one entry's counters.
    pub(super) fn follow(&mut self, fields: &Map<String, Value>) -> Vec<Fault> {
        let mut faults = Vec::new();
        let text = |field: &str| fields.get(field).and_then(Value::as_str).map(ToOwned::to_owned);
        let number = |field: &str| fields.get(field).and_then(Value::as_u64);
        if let (Some(act), Some(found)) = (text("act"), number("aseq")) {
            if let Some(expected) = self.activations.entry(act.clone()).or_default().count(found) {
                faults.push(Fault::Sequence { act: act.clone(), expected, found });
            }
            let counted = found.saturating_add(1);
            if let Some(found) = number("count").filter(|count| *count != counted) {
                faults.push(Fault::Count { act, expected: counted, found });
            }
        }
        // Activations are counted from 1.
        if let (Some(cust), Some(found)) = (text("cust"), number("ord"))
            && let Some(expected) = self.customers.entry(cust.clone()).or_default().count(found.saturating_sub(1))
        {
            faults.push(Fault::Ordinal { cust, expected: expected.saturating_add(1), found });
        }
        faults
    }
}
