//! Foresight: where nobody would be told of a press in the days to come, and what is recorded of it.
//!
//! Working it out takes a processor for a while. It is done beside the watch, from the directory that was in force, and comes back
//! as an input; what was worked out of a directory that is in force no longer, or before somebody else was on duty, says nothing.

use std::collections::BTreeMap;

use crate::coverage::{HORIZON_DAYS, Outlook, spans};
use crate::directory::{Directory, Person};
use crate::engine::Engine;
use crate::event::Event;
use crate::id::{LadderId, PersonId, SiteId};
use crate::outage::Carrier;
use crate::time::{SignedDuration, Timestamp};
use crate::trouble::Cause;

/// What the days to come hold, as far as nobody would be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Foresight {
    /// Of which version of the directory.
    pub directory: u32,
    /// After how many changes of who is on duty.
    pub duty: u64,
    /// When it was worked out: it looks ahead from here.
    pub at: Timestamp,
    /// The first gap of each ladder at each site.
    pub gaps: Vec<Gap>,
}

/// A time during which a press would be told to nobody.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gap {
    /// At which site.
    pub site: SiteId,
    /// On which ladder: the site's, or one that a device there has to itself.
    pub ladder: LadderId,
    /// From when, at the earliest from when it was worked out.
    pub from: Timestamp,
    /// Until when, at the latest until the days are over that are looked at.
    pub until: Timestamp,
}

impl Foresight {
    /// Works it out for every place of a directory of this version, with who stands in after so many changes, where messages leave
    /// by `carriers`.
    pub fn of(
        directory: &Directory,
        people: &BTreeMap<PersonId, Person>,
        (version, duty): (u32, u64),
        at: Timestamp,
        carriers: &[Carrier],
    ) -> Self {
        let until = at.saturating_add(SignedDuration::from_hours(24 * HORIZON_DAYS)).unwrap_or(Timestamp::MAX);
        let outlook = Outlook { directory, people, outages: &[] };
        let mut first: BTreeMap<(&SiteId, &LadderId), (Timestamp, Timestamp)> = BTreeMap::new();
        let places = outlook.places((at, until), carriers);
        for (place, cover) in places.iter().flat_map(|place| place.covers.iter().map(move |cover| (place, cover))) {
            let silent = spans(&cover.intervals, &|interval| interval.walk.told.is_empty());
            for gap in silent.into_iter().take(1) {
                first.entry((place.site, &cover.ladder)).and_modify(|known| *known = gap.min(*known)).or_insert(gap);
            }
        }
        let gaps = first.into_iter().map(|((site, ladder), (from, until))| Gap { site: site.clone(), ladder: ladder.clone(), from, until });
        Self { directory: version, duty, at, gaps: gaps.collect() }
    }

    /// When the first of its gaps that have begun is over, and another look is due.
    pub fn first_end(&self) -> Option<Timestamp> {
        self.gaps.iter().map(|gap| gap.until).min()
    }

    /// Whether a trouble is about a gap: it begins when that does, or both have begun by now.
    fn confirms(&self, trouble: &Cause) -> bool {
        self.gaps.iter().any(|gap| gap.is_named_by(trouble, self.at))
    }
}

impl Gap {
    fn cause(&self) -> Cause {
        Cause::CoverageGap { ladder: self.ladder.clone(), site: self.site.clone(), from: self.from }
    }

    fn is_named_by(&self, trouble: &Cause, now: Timestamp) -> bool {
        let Cause::CoverageGap { ladder, site, from } = trouble else { return false };
        *ladder == self.ladder && *site == self.site && (*from == self.from || (*from <= now && self.from <= now))
    }
}

impl Engine {
    /// What was found is a trouble for as long as it is ahead or lasts; what is no longer there clears. So does whoever was to stand in:
    /// this comes at every start, and whenever somebody else is on duty.
    pub(crate) fn on_foreseen(&self, seen: &Foresight) -> Vec<Event> {
        let undone = self.stand_ins_undone_now(seen.at);
        if (seen.directory, seen.duty) != (self.directory_version(), self.duty_changes()) {
            return undone;
        }
        let open = || self.troubles().map(|(cause, _)| cause).filter(|cause| matches!(cause, Cause::CoverageGap { .. }));
        let over = open().filter(|cause| !seen.confirms(cause)).flat_map(|cause| self.trouble_cleared(cause));
        let fresh = seen.gaps.iter().filter(|gap| !open().any(|cause| gap.is_named_by(cause, seen.at)));
        over.chain(fresh.flat_map(|gap| self.trouble_noticed(&gap.cause()))).chain(undone).collect()
    }
}
