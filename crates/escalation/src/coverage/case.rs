//! A case: calls for which the same rungs of a ladder apply at any one instant.

use crate::ladder::Ladder;
use crate::roster::WallClock;
use crate::signal::Kind;

/// Calls for which the same rungs of a ladder apply at any one instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Case {
    /// Which kinds of help; all of them where no rung asks.
    pub kinds: Vec<Kind>,
    /// By which clock hours are read; `None` where nobody knows the site, and where no rung asks.
    pub clock: Option<WallClock>,
}

impl Case {
    /// Every case of a ladder that is climbed at places with these clocks.
    pub fn all(ladder: &Ladder, clocks: &[Option<WallClock>]) -> Vec<Self> {
        let mut apart: Vec<Option<WallClock>> = Vec::new();
        // Where no rung asks about holidays, whose they are makes no other case.
        let asked = |clock: &WallClock| {
            let calendar = clock.calendar.clone().filter(|_| ladder.asks_about_holidays());
            WallClock { zone: clock.zone.clone(), calendar }
        };
        for clock in clocks.iter().filter(|_| ladder.has_hours()).map(|clock| clock.as_ref().map(asked)) {
            if !apart.contains(&clock) {
                apart.push(clock);
            }
        }
        if apart.is_empty() {
            apart.push(None);
        }
        let kinds = kinds(ladder);
        let cases = apart.into_iter().flat_map(|clock| kinds.iter().map(move |kinds| Self { kinds: kinds.clone(), clock: clock.clone() }));
        cases.collect()
    }

    /// Whether it is every kind of help.
    pub fn is_of_every_kind(&self) -> bool {
        Kind::ALL.iter().all(|kind| self.kinds.contains(kind))
    }

    /// Any of its kinds, by which its rungs are asked: they answer the same for all of them.
    pub(super) fn kind(&self) -> Kind {
        self.kinds.first().copied().unwrap_or(Kind::Duress)
    }
}

/// Kinds apart where a rung tells them apart.
fn kinds(ladder: &Ladder) -> Vec<Vec<Kind>> {
    let mut apart: Vec<Vec<Kind>> = Vec::new();
    for kind in Kind::ALL {
        let same = |other: &Kind| ladder.rungs.iter().all(|rung| rung.when.is_for(kind) == rung.when.is_for(*other));
        match apart.iter_mut().find(|kinds| kinds.first().is_some_and(same)) {
            Some(kinds) => kinds.push(kind),
            None => apart.push(vec![kind]),
        }
    }
    apart
}
