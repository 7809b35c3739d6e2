//! When people are told next of each matter: kept as it changes, so that nobody who presses waits while every matter is asked.

use std::collections::{BTreeMap, BTreeSet};

use crate::matter::Matter;
use crate::time::Timestamp;

/// When people are told next of each matter, or that it is over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Dues {
    of: BTreeMap<Matter, Timestamp>,
    by_time: BTreeSet<(Timestamp, Matter)>,
}

impl Dues {
    /// Whenever a matter has changed; `None` where nobody is told of it any more.
    pub(crate) fn set(&mut self, matter: &Matter, at: Option<Timestamp>) {
        let before = match at {
            Some(at) => self.of.insert(matter.clone(), at),
            None => self.of.remove(matter),
        };
        if let Some(before) = before {
            self.by_time.remove(&(before, matter.clone()));
        }
        if let Some(at) = at {
            self.by_time.insert((at, matter.clone()));
        }
    }

    /// The first of all.
    pub(crate) fn first(&self) -> Option<(Timestamp, &Matter)> {
        self.by_time.first().map(|(at, matter)| (*at, matter))
    }
}
