//! Standing in: one person in the place of another on a roster, said while the station runs, for a stated time.
//!
//! Whoever is ill at six in the evening is on duty at seven unless somebody says otherwise, and that somebody has no shell on the
//! station. What is said counts from then on for every rung that is entered and for everything that is foretold, and ends by itself.
//! The file is as it was: a reload keeps what was said as far as the new one has the roster and the person still.

use std::collections::BTreeSet;

use crate::addressing;
use crate::directory::reach::Reach;
use crate::engine::Engine;
use crate::event::{Doer, Event};
use crate::id::{CustomerId, PersonId, RosterId};
use crate::input::{Moment, StandInOver, StandInWanted};
use crate::ladder::{Rung, Target, Who};
use crate::rejection::Rejection;
use crate::roster::StandIn;
use crate::time::{Seconds, Timestamp};
use crate::zone::Zone;

/// The longest time for which somebody stands in; what lasts longer belongs into the file, where the next manager finds it (ours).
const LONGEST: Seconds = Seconds(31 * 86_400);
/// The shortest.
const SHORTEST: Seconds = Seconds(60);
/// So far ahead it may begin (ours).
const AHEAD: Seconds = Seconds(62 * 86_400);
/// So many of one roster that are not over.
const MOST: usize = 100;
/// So many answers of a roster are looked at: far more than two months of any roster have.
const ANSWERS_MAX: usize = 10_000;

/// Somebody stands in, and who said so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaidStandIn {
    /// Who, for whom and when.
    pub stand_in: StandIn,
    /// Whose the roster was then, where it was for one customer alone: whoever it is for later knows nothing of it.
    pub customer: Option<CustomerId>,
    /// Who said so.
    pub by: Doer,
}

impl Engine {
    /// Puts one person in the place of another.
    pub(crate) fn on_stand_in_wanted(&self, now: Timestamp, wanted: &StandInWanted) -> Result<Vec<Event>, Rejection> {
        let roster = &wanted.roster;
        let known = self.directory().rosters.rosters.get(roster).ok_or(Rejection::UnknownRoster)?;
        let off = wanted.off.person.filter(|off| known.people().any(|person| person == *off)).ok_or(Rejection::UnknownOff)?;
        let reach = self.directory().reach(roster);
        let on = wanted.on.person.filter(|on| self.may_be_told(&reach, *on)).ok_or(Rejection::UnknownStandIn)?;
        let from = wanted.from.map_or(now, |from| from.first(&known.zone)).max(now);
        let stand_in = StandIn { from: whole_seconds(from), until: whole_seconds(wanted.until.last(&known.zone)), off, on };
        is_plausible(now, &stand_in)?;
        if !self.is_reached(roster, &reach, on) {
            return Err(Rejection::StandInUnreached);
        }
        if self.stand_ins_on(roster, now).count() >= MOST {
            return Err(Rejection::TooManyStandIns);
        }
        let is_of_them = |said: &SaidStandIn| said.customer == reach.customer() && said.stand_in.off == off;
        if self.stand_ins_on(roster, now).any(|said| is_of_them(said) && overlap(&said.stand_in, &stand_in)) {
            return Err(Rejection::StoodInForAlready);
        }
        self.must_change_something(roster, &stand_in)?;
        let StandIn { from, until, off, on } = stand_in;
        let by = Doer::from(&wanted.by);
        Ok(vec![Event::StandInSaid { cust: reach.customer(), roster: roster.clone(), off, on, from, until, by }])
    }

    /// Puts whoever was stood in for back on duty. What is over already is left as it is.
    pub(crate) fn on_stand_in_over(&self, now: Timestamp, over: &StandInOver) -> Result<Vec<Event>, Rejection> {
        let roster = &over.roster;
        let is_it = |said: &&SaidStandIn| Some(said.stand_in.off) == over.off.person && said.stand_in.from == over.from;
        let said = self.stand_ins_on(roster, now).find(is_it).ok_or(Rejection::NoStandIn)?;
        let StandIn { off, from, .. } = said.stand_in;
        Ok(vec![Event::StandInOver { cust: said.customer.clone(), roster: roster.clone(), off, from, by: Doer::from(&over.by) }])
    }

    /// Whether a person may be put on a roster: somebody of the directory who belongs to nobody else than those it is for.
    pub fn may_stand_in(&self, roster: &RosterId, person: PersonId) -> bool {
        self.may_be_told(&self.directory().reach(roster), person)
    }

    fn may_be_told(&self, reach: &Reach<'_>, person: PersonId) -> bool {
        let Some(known) = self.person(person).filter(|_| !self.is_gone(person)) else { return false };
        let is_alone = self.directory().customers.len() <= 1;
        let is_theirs = |own: &CustomerId| !reach.is_stations && reach.whose().into_iter().all(|customer| customer == own);
        is_alone || known.customer.as_ref().is_none_or(is_theirs)
    }

    /// Who stands in on a roster, now or later.
    pub fn stand_ins_on<'e>(&'e self, roster: &RosterId, now: Timestamp) -> impl Iterator<Item = &'e SaidStandIn> + use<'e> {
        self.stand_ins().get(roster).into_iter().flatten().filter(move |said| said.stand_in.until > now)
    }

    /// What counts of all that was said, by the directory in force: whoever left it, cannot be told, or belongs to somebody else by
    /// now stands in for nobody; nor does anybody on a roster that is for others than it was.
    pub(crate) fn stand_ins_that_count(&self, at: Timestamp) -> Vec<(RosterId, Vec<StandIn>)> {
        let here = self.stand_ins().keys().filter(|id| self.directory().rosters.rosters.contains_key(*id));
        let counting = here.map(|id| {
            let reach = self.directory().reach(id);
            let counts = |said: &&SaidStandIn| {
                let on = said.stand_in.on;
                said.customer == reach.customer() && self.may_be_told(&reach, on) && self.is_reached(id, &reach, on)
            };
            (id.clone(), self.stand_ins_on(id, at).filter(counts).map(|said| said.stand_in.clone()).collect())
        });
        counting.collect()
    }

    /// Whether every rung that names the roster can tell them, also in silence where a call must not be heard.
    fn is_reached(&self, roster: &RosterId, reach: &Reach<'_>, on: PersonId) -> bool {
        let Some(person) = self.person(on) else { return false };
        let may_ring = person.based_at.as_ref().is_none_or(|site| !reach.sites.contains_key(site));
        let mut told = self.rungs_of(roster).flat_map(|rung| &rung.targets).filter(|target| is_roster(target, roster));
        told.all(|target| addressing::steps_to(on, person, target, may_ring).is_ok())
    }

    fn rungs_of<'e>(&'e self, roster: &'e RosterId) -> impl Iterator<Item = &'e Rung> {
        let rungs = self.directory().ladders.values().flat_map(|ladder| &ladder.rungs);
        rungs.filter(move |rung| rung.targets.iter().any(|target| is_roster(target, roster)))
    }

    /// At some time the one is on duty, and at none of those the other is: neither there, nor beside it on the same rung, where one
    /// message fewer would be sent.
    fn must_change_something(&self, roster: &RosterId, wanted: &StandIn) -> Result<(), Rejection> {
        let beside: BTreeSet<&Who> = self.rungs_of(roster).flat_map(|rung| &rung.targets).map(|target| &target.who).collect();
        let rosters = &self.directory().rosters;
        let (mut at, mut is_needed) = (wanted.from, false);
        for _answer in 0..ANSWERS_MAX {
            let Some(duty) = rosters.on_duty(roster, at) else { break };
            let is_on = duty.people.contains(&wanted.off);
            let mut next = duty.until;
            let mut is_told = duty.people.contains(&wanted.on);
            for who in &beside {
                match who {
                    Who::Person(person) => is_told |= *person == wanted.on,
                    Who::Centre(_) => {}
                    Who::Roster(other) => {
                        let Some(duty) = rosters.on_duty(other, at) else { continue };
                        is_told |= duty.people.contains(&wanted.on);
                        next = next.into_iter().chain(duty.until).min();
                    }
                }
            }
            if is_on && is_told {
                return Err(Rejection::OnDutyAlready);
            }
            is_needed |= is_on;
            match next.filter(|next| *next < wanted.until) {
                Some(next) => at = next,
                None => break,
            }
        }
        if is_needed { Ok(()) } else { Err(Rejection::NotOnDuty) }
    }
}

fn is_roster(target: &Target, roster: &RosterId) -> bool {
    match &target.who {
        Who::Roster(named) => named == roster,
        Who::Person(_) | Who::Centre(_) => false,
    }
}

fn is_plausible(now: Timestamp, stand_in: &StandIn) -> Result<(), Rejection> {
    let StandIn { from, until, .. } = stand_in;
    let is_long_enough = SHORTEST.after(*from) <= *until && *until > now;
    let is_short_enough = *until <= LONGEST.after(*from) && *from <= AHEAD.after(now);
    if is_long_enough && is_short_enough { Ok(()) } else { Err(Rejection::ImplausibleStandIn) }
}

fn overlap(one: &StandIn, other: &StandIn) -> bool {
    one.from < other.until && other.from < one.until
}

/// Instants are named by whoever ends it, who was shown them without fractions.
fn whole_seconds(at: Timestamp) -> Timestamp {
    Timestamp::from_second(at.as_second()).unwrap_or(at)
}

impl Moment {
    /// When it comes first, by a clock on the wall there.
    fn first(self, zone: &Zone) -> Timestamp {
        match self {
            Self::Instant(at) => at,
            Self::Wall(wall) => zone.first(wall),
        }
    }

    /// When it is there last.
    fn last(self, zone: &Zone) -> Timestamp {
        match self {
            Self::Instant(at) => at,
            Self::Wall(wall) => zone.last(wall),
        }
    }
}
