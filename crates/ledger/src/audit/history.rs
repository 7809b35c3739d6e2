//! The counters within the record that have no gap: entries of an activation, activations of a customer.

use std::collections::HashMap;

use super::finding::Fault;

/// What an entry counts.
#[derive(Clone, Debug)]
pub(super) struct Counted {
    /// The customer whose activations it counts.
    pub(super) cust: Option<String>,
    /// The activation whose entries it counts.
    pub(super) act: Option<String>,
    /// Its place among the entries of its activation, from 0.
    pub(super) aseq: Option<u64>,
    /// How many entries its activation has up to and including it, where it closes one.
    pub(super) count: Option<u64>,
    /// The place of its activation among those of its customer, from 1, where it raises one.
    pub(super) ord: Option<u64>,
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
    pub(super) fn follow(&mut self, counted: &Counted) -> Vec<Fault> {
        let mut faults = Vec::new();
        if let (Some(act), Some(found)) = (counted.act.as_deref(), counted.aseq) {
            if let Some(expected) = self.activations.of(act, |counter| counter.count(found)) {
                faults.push(Fault::Sequence { act: act.to_owned(), expected, found });
            }
            let expected = found.saturating_add(1);
            if let Some(found) = counted.count.filter(|count| *count != expected) {
                faults.push(Fault::Count { act: act.to_owned(), expected, found });
            }
        }
        // Activations are counted from 1.
        if let (Some(cust), Some(found)) = (counted.cust.as_deref(), counted.ord)
            && let Some(expected) = self.customers.of(cust, |counter| counter.count(found.saturating_sub(1)))
        {
            faults.push(Fault::Ordinal { cust: cust.to_owned(), expected: expected.saturating_add(1), found });
        }
        faults
    }
}
