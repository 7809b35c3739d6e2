//! Standing in: one person in the place of another on a roster, said while the station runs, for a stated time.
//!
//! Whoever is ill at six in the evening is on duty at seven unless somebody says otherwise, and that somebody has no shell on the
//! station. What is said counts from then on for every rung that is entered and for everything that is foretold, and ends by itself.
//! The file is as it was: a reload keeps what was said, and it is weighed anew what of it counts.

mod said;
mod weighing;

use std::collections::{BTreeMap, BTreeSet};

pub use said::SaidStandIn;
pub(crate) use said::StandIns;
pub(crate) use weighing::Weighing;

use crate::directory::reach::Whose;
use crate::directory::{Adoption, Person};
use crate::engine::Engine;
use crate::event::{Doer, Event};
use crate::id::{PersonId, RosterId};
use crate::input::{Moment, StandInOver, StandInWanted};
use crate::ladder::Who;
use crate::rejection::Rejection;
use crate::roster::{How, Rosters, StandIn};
use crate::time::{Seconds, Timestamp};
use crate::trouble::Cause;
use crate::zone::Zone;

/// The longest time for which somebody stands in; what lasts longer belongs into the file, where the next manager finds it (ours).
const LONGEST: Seconds = Seconds(31 * 86_400);
/// The shortest.
const SHORTEST: Seconds = Seconds(60);
/// So far ahead it may begin (ours).
const AHEAD: Seconds = Seconds(62 * 86_400);
/// So long ago it may have begun, which then is at once: a form was open for a while. Whatever is longer ago is a slip of the pen, and
/// not what somebody means who is asked tonight (ours).
const AGO: Seconds = Seconds(15 * 60);
/// So many of one roster that are not over.
const MOST: usize = 100;
/// So many answers of a roster are looked at: far more than two months of any roster have.
const ANSWERS_MAX: usize = 10_000;

impl Engine {
    /// Puts one person in the place of another. Whoever says the same once more, because no answer came, has said it already.
    pub(crate) fn on_stand_in_wanted(&self, now: Timestamp, wanted: &StandInWanted) -> Result<Vec<Event>, Rejection> {
        let roster = &wanted.roster;
        let known = self.directory().rosters.rosters.get(roster).ok_or(Rejection::UnknownRoster)?;
        let off = wanted.off.person.filter(|off| known.people().any(|person| person == *off)).ok_or(Rejection::UnknownOff)?;
        let weighing = self.weighing();
        let reach = weighing.reach(roster);
        let on = wanted.on.person.filter(|on| weighing.may_be_told(reach, *on)).ok_or(Rejection::UnknownStandIn)?;
        let from = wanted.from.map_or(now, |from| from.first(&known.zone));
        let until = whole_seconds(wanted.until.last(&known.zone));
        let stand_in = StandIn { from: whole_seconds(from.max(now)), until, off, on };
        let theirs = || self.stand_ins_on(roster, now).filter(|said| said.is_for(reach));
        if theirs().any(|said| self.how_counts(said) == Some(How::Instead) && is_the_same(now, &said.stand_in, &stand_in)) {
            return Ok(Vec::new());
        }
        is_plausible(now, from, &stand_in)?;
        if !weighing.is_reached(roster, off, on) {
            return Err(Rejection::StandInUnreached);
        }
        if theirs().count() >= MOST {
            return Err(Rejection::TooManyStandIns);
        }
        if theirs().any(|said| said.stand_in.off == off && said.stand_in.overlaps(&stand_in) && self.how_counts(said).is_some()) {
            return Err(Rejection::StoodInForAlready);
        }
        if self.is_away(now, &weighing.beside(roster), &stand_in) {
            return Err(Rejection::StandInAway);
        }
        self.must_change_something(&weighing, roster, &stand_in)?;
        if weighing.leaves_fewer(&self.directory().rosters, roster, &stand_in, now) {
            return Err(Rejection::OnDutyAlready);
        }
        let (cust, by) = (reach.customer(), Doer::from(&wanted.by));
        let whose = cust.is_none().then(|| Whose::from(reach));
        Ok(vec![Event::StandInSaid { cust, whose, roster: roster.clone(), off, on, from: stand_in.from, until, by }])
    }

    /// Puts whoever was stood in for back on duty. What is over already is left as it is.
    pub(crate) fn on_stand_in_over(&self, now: Timestamp, over: &StandInOver) -> Result<Vec<Event>, Rejection> {
        let reach = self.directory().reach(&over.roster);
        let is_it = |said: &&SaidStandIn| (Some(said.stand_in.off), said.stand_in.from) == (over.off.person, over.from);
        let mut lines: Vec<&SaidStandIn> = self.said_of(&over.roster).filter(is_it).collect();
        lines.retain(|said| over.of_others || said.is_for(&reach));
        // What counts comes before what was said for others once and has the same name.
        lines.sort_by_key(|said| (!said.lasts(now), !said.is_for(&reach)));
        let said = lines.first().ok_or(Rejection::NoStandIn)?;
        if !said.lasts(now) {
            return Ok(Vec::new());
        }
        let (cust, StandIn { off, from, .. }) = (said.customer.clone(), said.stand_in.clone());
        let whose = said.whose.clone().filter(|_| cust.is_none());
        Ok(vec![Event::StandInOver { cust, whose, roster: over.roster.clone(), off, from, by: Doer::from(&over.by) }])
    }

    /// By what it is weighed who counts: the directory in force.
    pub(crate) fn weighing(&self) -> Weighing<'_> {
        Weighing::new(self.directory(), Box::new(|id| self.person(id).filter(|_| !self.is_gone(id))))
    }

    /// Whether a person may be put on a roster: somebody of the directory who belongs to nobody else than those it is for.
    pub fn may_stand_in(&self, roster: &RosterId, person: PersonId) -> bool {
        let weighing = self.weighing();
        weighing.may_be_told(weighing.reach(roster), person)
    }

    /// Who stands in on a roster, now or later.
    pub fn stand_ins_on<'e>(&'e self, roster: &'e RosterId, now: Timestamp) -> impl Iterator<Item = &'e SaidStandIn> + use<'e> {
        self.said_of(roster).filter(move |said| said.lasts(now))
    }

    /// The same with what was ended or is over, as far as it is kept.
    pub fn said_of<'e>(&'e self, roster: &'e RosterId) -> impl Iterator<Item = &'e SaidStandIn> + use<'e> {
        self.stand_ins().all().iter().filter(move |said| said.roster == *roster)
    }

    /// How one counts by the directory in force: `None` where nobody is on duty by it, who left the directory, can be told by no
    /// rung, or belongs to somebody else by now; nor does anybody on a roster that is for others than it was.
    pub fn how_counts(&self, said: &SaidStandIn) -> Option<How> {
        let counting = &self.directory().rosters.rosters.get(&said.roster)?.stand_ins;
        counting.iter().find(|counting| counting.stand_in == said.stand_in).map(|counting| counting.how)
    }

    /// What becomes a trouble, and what no longer is one, of those who are not on duty by a directory as they were said to be.
    pub(crate) fn stand_ins_undone(&self, now: Timestamp, weighing: &Weighing<'_>, rosters: &Rosters) -> Vec<Event> {
        let open =
            || self.troubles().filter_map(|(cause, _)| if let Cause::StandInUndone { roster } = cause { Some(roster) } else { None });
        let undone = weighing.undone(rosters, self.stand_ins().all(), now);
        let cause = |roster: &RosterId| Cause::StandInUndone { roster: roster.clone() };
        let over = open().filter(|roster| !undone.contains(*roster)).flat_map(|roster| self.trouble_cleared(&cause(roster)));
        over.chain(undone.iter().flat_map(|roster| self.trouble_noticed(&cause(roster)))).collect()
    }

    /// The same by the directory in force.
    pub(crate) fn stand_ins_undone_now(&self, now: Timestamp) -> Vec<Event> {
        self.stand_ins_undone(now, &self.weighing(), &self.directory().rosters)
    }

    /// The same by one that is about to come into force.
    pub(crate) fn stand_ins_undone_by(&self, now: Timestamp, adoption: &Adoption) -> Vec<Event> {
        let changed: BTreeMap<PersonId, &Person> = adoption.people.iter().map(|change| (change.id, &change.person)).collect();
        let known = |id: PersonId| changed.get(&id).copied().or_else(|| self.person(id)).filter(|_| !adoption.gone.contains(&id));
        let weighing = Weighing::new(&adoption.directory, Box::new(known));
        self.stand_ins_undone(now, &weighing, &weighing.rosters_with(self.stand_ins().all(), now))
    }

    /// Whether whoever is to stand in is stood in for themselves at that time, there or on a roster that is told together with it:
    /// what was said first would decide who is on duty.
    fn is_away(&self, now: Timestamp, beside: &BTreeSet<RosterId>, wanted: &StandIn) -> bool {
        let mut said = beside.iter().flat_map(|roster| self.stand_ins_on(roster, now));
        said.any(|said| said.stand_in.off == wanted.on && said.stand_in.overlaps(wanted) && self.how_counts(said).is_some())
    }

    /// At some time the one is on duty, and at none of those the other is: neither there, nor beside it on the same rung, where one
    /// message fewer would be sent.
    fn must_change_something(&self, weighing: &Weighing<'_>, roster: &RosterId, wanted: &StandIn) -> Result<(), Rejection> {
        let beside: BTreeSet<&Who> = weighing.rungs_of(roster).flat_map(|rung| &rung.targets).map(|target| &target.who).collect();
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

fn is_plausible(now: Timestamp, said: Timestamp, stand_in: &StandIn) -> Result<(), Rejection> {
    let StandIn { from, until, .. } = stand_in;
    let is_of_now = AGO.after(said) >= now;
    let is_long_enough = SHORTEST.after(*from) <= *until && *until > now;
    let is_short_enough = *until <= LONGEST.after(*from) && *from <= AHEAD.after(now);
    if is_of_now && is_long_enough && is_short_enough { Ok(()) } else { Err(Rejection::ImplausibleStandIn) }
}

/// Whether the same is said once more; what was to begin at once has begun meanwhile.
fn is_the_same(now: Timestamp, said: &StandIn, wanted: &StandIn) -> bool {
    StandIn { from: said.from.max(whole_seconds(now)), ..said.clone() } == *wanted
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
