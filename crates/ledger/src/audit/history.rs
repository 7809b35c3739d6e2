//! The counters within the record that have no gap: entries of an activation, activations of a customer.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;

use super::finding::Fault;
use crate::found::Found;

/// What an audit looks at within an entry, beside its columns. A field that holds something else than it should counts as not there.
#[derive(Debug, Deserialize)]
pub(super) struct Fields<'a> {
    #[serde(borrow, default)]
    t: Found<Cow<'a, str>>,
    #[serde(borrow, default)]
    cust: Found<Cow<'a, str>>,
    #[serde(borrow, default)]
    act: Found<Cow<'a, str>>,
    #[serde(borrow, default)]
    succeeds: Found<Cow<'a, str>>,
    #[serde(default)]
    aseq: Found<u64>,
    #[serde(default)]
    count: Found<u64>,
    #[serde(default)]
    ord: Found<u64>,
}

impl Fields<'_> {
    /// When it happened, as it is written.
    pub(super) fn at(&self) -> Option<&str> {
        self.t.0.as_deref()
    }

    /// The note of the name that this record goes on from.
    pub(super) fn succeeds(&self) -> Option<&str> {
        self.succeeds.0.as_deref()
    }
}

/// How far each counter is.
#[derive(Clone, Debug, Default)]
pub(super) struct Histories {
    activations: Counters,
    customers: Counters,
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

/// Counters by what they count for.
#[derive(Clone, Debug, Default)]
struct Counters(HashMap<String, Counter>);

impl Counters {
    fn of<T>(&mut self, whose: &str, change: impl FnOnce(&mut Counter) -> T) -> T {
        match self.0.get_mut(whose) {
            Some(counter) => change(counter),
            None => change(self.0.entry(whose.to_owned()).or_default()),
        }
    }
}

impl Histories {
    /// An entry of which the bytes are gone: what it counted is not known any more.
    pub(super) fn pass(&mut self, act: &str, cust: &str) {
        self.activations.of(act, |counter| counter.gone += 1);
        self.customers.of(cust, |counter| counter.gone += 1);
    }

    /// Takes up one entry's counters.
    pub(super) fn follow(&mut self, fields: &Fields<'_>) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let (Some(act), Some(found)) = (fields.act.0.as_deref(), fields.aseq.0) {
            if let Some(expected) = self.activations.of(act, |counter| counter.count(found)) {
                faults.push(Fault::Sequence { act: act.to_owned(), expected, found });
            }
            let counted = found.saturating_add(1);
            if let Some(found) = fields.count.0.filter(|count| *count != counted) {
                faults.push(Fault::Count { act: act.to_owned(), expected: counted, found });
            }
        }
        // Activations are counted from 1.
        if let (Some(cust), Some(found)) = (fields.cust.0.as_deref(), fields.ord.0)
            && let Some(expected) = self.customers.of(cust, |counter| counter.count(found.saturating_sub(1)))
        {
            faults.push(Fault::Ordinal { cust: cust.to_owned(), expected: expected.saturating_add(1), found });
        }
        faults
    }
}
