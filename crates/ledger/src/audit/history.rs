//! The counters within the record that have no gap: entries of an activation, activations of a customer.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::finding::Fault;

/// What an audit looks at within an entry, beside its columns. A field that holds something else than it should counts as not there.
#[derive(Debug, Deserialize)]
pub(super) struct Fields<'a> {
    #[serde(borrow)]
    t: Option<Found<Cow<'a, str>>>,
    #[serde(borrow)]
    cust: Option<Found<Cow<'a, str>>>,
    #[serde(borrow)]
    act: Option<Found<Cow<'a, str>>>,
    #[serde(borrow)]
    succeeds: Option<Found<Cow<'a, str>>>,
    aseq: Option<Found<u64>>,
    count: Option<Found<u64>>,
    ord: Option<Found<u64>>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Found<T> {
    It(T),
    Other(IgnoredAny),
}

impl<T> Found<T> {
    fn it(&self) -> Option<&T> {
        match self {
            Self::It(it) => Some(it),
            Self::Other(IgnoredAny) => None,
        }
    }
}

impl Fields<'_> {
    /// When it happened, as it is written.
    pub(super) fn at(&self) -> Option<&str> {
        self.t.as_ref()?.it().map(AsRef::as_ref)
    }

    /// The note of the name that this record goes on from.
    pub(super) fn succeeds(&self) -> Option<&str> {
        self.succeeds.as_ref()?.it().map(AsRef::as_ref)
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
        let text = |field: &Option<Found<Cow<'_, str>>>| field.as_ref()?.it().map(|text| text.as_ref().to_owned());
        let number = |field: &Option<Found<u64>>| field.as_ref()?.it().copied();
        if let (Some(act), Some(found)) = (text(&fields.act), number(&fields.aseq)) {
            if let Some(expected) = self.activations.of(&act, |counter| counter.count(found)) {
                faults.push(Fault::Sequence { act: act.clone(), expected, found });
            }
            let counted = found.saturating_add(1);
            if let Some(found) = number(&fields.count).filter(|count| *count != counted) {
                faults.push(Fault::Count { act, expected: counted, found });
            }
        }
        // Activations are counted from 1.
        if let (Some(cust), Some(found)) = (text(&fields.cust), number(&fields.ord))
            && let Some(expected) = self.customers.of(&cust, |counter| counter.count(found.saturating_sub(1)))
        {
            faults.push(Fault::Ordinal { cust, expected: expected.saturating_add(1), found });
        }
        faults
    }
}
