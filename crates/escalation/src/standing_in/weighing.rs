//! What counts of all that was said, by a directory: weighed anew whenever that or what was said changes.
//!
//! Each line is weighed in the order in which it was said, with those before it that count, and never leaves a rung with fewer people
//! than it had without it: then both are on duty. What the lines make of each other therefore never depends on which of them
//! was weighed when.

use std::collections::{BTreeMap, BTreeSet};

use super::{ANSWERS_MAX, SaidStandIn};
use crate::addressing::{self, Resolution, Surroundings};
use crate::directory::reach::Reach;
use crate::directory::{Directory, Person};
use crate::event::ContactSkip;
use crate::id::{CentreId, CustomerId, LadderId, PersonId, RosterId};
use crate::ladder::{Medium, Rung, RungIndex, Target, Who};
use crate::roster::{Counting, Duty, How, Roster, Rosters, StandIn};
use crate::signal::Kind;
use crate::time::Timestamp;

/// A directory, and its people, by which it is weighed.
pub(crate) struct Weighing<'e> {
    directory: &'e Directory,
    /// Somebody's details; nobody's who left the directory.
    person: Box<dyn Fn(PersonId) -> Option<&'e Person> + 'e>,
    reaches: BTreeMap<&'e RosterId, Reach<'e>>,
    climbed: BTreeSet<&'e LadderId>,
    /// What a roster that nobody climbs is for.
    nobody: Reach<'e>,
}

/// Whose phones may ring, as it is in one kind of call or another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ringing {
    /// Everybody's.
    All,
    /// Those of people who are based where no button of the roster is.
    Elsewhere,
    /// Nobody's: a call for calm support, and every trouble.
    None,
}

const RINGINGS: [Ringing; 3] = [Ringing::All, Ringing::Elsewhere, Ringing::None];

/// A rung as it would be entered, with some people on duty.
struct Imagined<'w, 'e> {
    weighing: &'w Weighing<'e>,
    reach: &'w Reach<'e>,
    ringing: Ringing,
    on_duty: &'w dyn Fn(&RosterId) -> Option<Duty>,
}

impl Surroundings for Imagined<'_, '_> {
    fn on_duty(&self, roster: &RosterId) -> Option<Duty> {
        (self.on_duty)(roster)
    }

    fn person(&self, person: PersonId, target: &Target) -> Resolution {
        self.weighing.steps_to(person, target, self.reach, self.ringing)
    }

    fn centre(&self, centre: &CentreId) -> Resolution {
        let details = self.weighing.directory.centres.get(centre).ok_or(ContactSkip::Unknown)?;
        Ok((None, vec![vec![addressing::channel_to(centre, details)]]))
    }
}

impl<'e> Weighing<'e> {
    /// By this directory and these people.
    pub(crate) fn new(directory: &'e Directory, person: Box<dyn Fn(PersonId) -> Option<&'e Person> + 'e>) -> Self {
        Self { directory, person, reaches: directory.reaches(), climbed: directory.climbed(), nobody: Reach::default() }
    }

    /// What a roster's people are told of.
    pub(crate) fn reach(&self, roster: &RosterId) -> &Reach<'e> {
        self.reaches.get(roster).unwrap_or(&self.nobody)
    }

    /// The rosters with everybody on duty who counts of what was said.
    pub(crate) fn rosters_with(&self, said: &[SaidStandIn], at: Timestamp) -> Rosters {
        let mut rosters = Rosters::clone(&self.directory.rosters);
        rosters.rosters.values_mut().for_each(|roster| roster.stand_ins.clear());
        for said in said.iter().filter(|said| said.lasts(at)) {
            let counting = self.how_counts(&rosters, said, at).map(|how| Counting { stand_in: said.stand_in.clone(), how });
            if let Some(roster) = rosters.rosters.get_mut(&said.roster) {
                roster.stand_ins.extend(counting);
            }
        }
        rosters
    }

    /// The rosters on which somebody who was to be stood in for is on duty alone again. One that is for nobody of those any more has
    /// nobody to be told of it; one that is gone may have another name by now.
    pub(crate) fn undone(&self, rosters: &Rosters, said: &[SaidStandIn], at: Timestamp) -> BTreeSet<RosterId> {
        let is_undone = |said: &&SaidStandIn| match rosters.rosters.get(&said.roster) {
            Some(roster) if said.is_for_any(self.reach(&said.roster)) => {
                roster.stand_ins.iter().all(|counting| counting.stand_in != said.stand_in)
            }
            Some(_) => false,
            None => self.is_alone_elsewhere(rosters, &said.stand_in, at),
        };
        said.iter().filter(|said| said.lasts(at)).filter(is_undone).map(|said| said.roster.clone()).collect()
    }

    /// Whether whoever was to be stood in for on a roster that is gone is on duty on another one that somebody climbs at any of that
    /// time from `at` on, and nobody with them.
    fn is_alone_elsewhere(&self, rosters: &Rosters, stand_in: &StandIn, at: Timestamp) -> bool {
        let climbed = rosters.rosters.iter().filter(|(id, _)| self.rungs_of(id).next().is_some());
        let mut theirs = climbed.map(|(_, roster)| roster).filter(|roster| roster.people().any(|person| person == stand_in.off));
        theirs.any(|roster| is_alone_on(rosters, roster, stand_in, at))
    }

    /// How one counts beside all that were said before it. Too many are told rather than too few: wherever one cannot be in the
    /// place of the other, both are on duty, as far as whoever stands in can be told at all.
    fn how_counts(&self, rosters: &Rosters, said: &SaidStandIn, at: Timestamp) -> Option<How> {
        let SaidStandIn { roster, stand_in, .. } = said;
        let reach = self.reach(roster);
        if !said.is_for(reach) || !self.may_be_told(reach, stand_in.on) || !self.is_reached_by_any(roster, stand_in.on) {
            return None;
        }
        let is_whole = self.is_reached(roster, stand_in.off, stand_in.on) && !self.leaves_fewer(rosters, roster, stand_in, at);
        Some(if is_whole { How::Instead } else { How::Beside })
    }

    /// Whether a person may be put on a roster: somebody of the directory who belongs to nobody else than those it is for.
    pub(crate) fn may_be_told(&self, reach: &Reach<'_>, person: PersonId) -> bool {
        let Some(known) = (self.person)(person) else { return false };
        let is_alone = self.directory.customers.len() <= 1;
        let is_theirs = |own: &CustomerId| !reach.is_stations && reach.whose().into_iter().all(|customer| customer == own);
        is_alone || known.customer.as_ref().is_none_or(is_theirs)
    }

    /// Whether every rung that names the roster can tell them: also in silence where a call must not be heard, and without a call
    /// wherever whoever they stand in for would be told so, as of a call for calm support.
    pub(crate) fn is_reached(&self, roster: &RosterId, off: PersonId, on: PersonId) -> bool {
        let reach = self.reach(roster);
        let can = |person: PersonId, target: &Target, ringing: Ringing| self.steps_to(person, target, reach, ringing).is_ok();
        self.rungs_of(roster).all(|rung| {
            let is_for_support = rung.when.kinds.contains(&Kind::Assist);
            rung.targets.iter().filter(|target| is_roster(target, roster)).all(|target| {
                let writes = target.by.iter().flatten().any(|medium| *medium != Medium::Voice);
                let must_write = (is_for_support && writes) || can(off, target, Ringing::None);
                can(on, target, Ringing::Elsewhere) && (!must_write || can(on, target, Ringing::None))
            })
        })
    }

    /// Whether any rung that names the roster can tell them of anything.
    fn is_reached_by_any(&self, roster: &RosterId, on: PersonId) -> bool {
        let reach = self.reach(roster);
        let mut targets = self.rungs_of(roster).flat_map(|rung| &rung.targets).filter(|target| is_roster(target, roster)).peekable();
        targets.peek().is_none() || targets.any(|target| self.steps_to(on, target, reach, Ringing::All).is_ok())
    }

    /// The rungs that name a roster, of ladders that something climbs.
    pub(crate) fn rungs_of<'s>(&'s self, roster: &'s RosterId) -> impl Iterator<Item = &'e Rung> + use<'s, 'e> {
        let ladders = self.climbed.iter().filter_map(|id| self.directory.ladders.get(*id));
        ladders.flat_map(|ladder| &ladder.rungs).filter(move |rung| rung.targets.iter().any(|target| is_roster(target, roster)))
    }

    /// The roster, and all that are told together with it.
    pub(crate) fn beside(&self, roster: &RosterId) -> BTreeSet<RosterId> {
        let rosters = self.rungs_of(roster).flat_map(|rung| &rung.targets).filter_map(named);
        rosters.chain([roster]).cloned().collect()
    }

    /// Whether at any time from `at` on a rung would tell fewer people with one more who stands in than without. People are told
    /// apart by their addresses, as when a rung is entered.
    pub(crate) fn leaves_fewer(&self, rosters: &Rosters, id: &RosterId, stand_in: &StandIn, at: Timestamp) -> bool {
        let Some(roster) = rosters.rosters.get(id) else { return false };
        // A ladder that asks for roles is there once for each site, and most of its rungs tell the same people.
        let mut rungs: Vec<&Rung> = Vec::new();
        for rung in self.rungs_of(id) {
            if !rungs.iter().any(|known| known.targets == rung.targets) {
                rungs.push(rung);
            }
        }
        let changed = with(roster, stand_in);
        let mut at = at.max(stand_in.from);
        for _answer in 0..ANSWERS_MAX {
            let (before, after) = (rosters.on_duty_of(roster, at), rosters.on_duty_of(&changed, at));
            let others = rungs.iter().flat_map(|rung| &rung.targets).filter_map(named).filter(|other| *other != id);
            let others: BTreeMap<&RosterId, Duty> = others.filter_map(|other| Some((other, rosters.on_duty(other, at)?))).collect();
            let said = |duty: &Duty, asked: &RosterId| if asked == id { Some(duty.clone()) } else { others.get(asked).cloned() };
            let count = |rung: &Rung, duty: &Duty, ringing: Ringing| self.told(id, rung, ringing, &|asked| said(duty, asked));
            let fewer = |rung: &&Rung| RINGINGS.iter().any(|ringing| count(rung, &after, *ringing) < count(rung, &before, *ringing));
            if before.people != after.people && rungs.iter().any(fewer) {
                return true;
            }
            let next = others.values().chain([&before, &after]).filter_map(|duty| duty.until).min();
            match next.filter(|next| *next < stand_in.until) {
                Some(next) => at = next,
                None => return false,
            }
        }
        // Nobody knows, and too many are told rather than too few.
        true
    }

    /// How many a rung tells with these on duty.
    fn told(&self, roster: &RosterId, rung: &Rung, ringing: Ringing, on_duty: &dyn Fn(&RosterId) -> Option<Duty>) -> usize {
        let imagined = Imagined { weighing: self, reach: self.reach(roster), ringing, on_duty };
        addressing::parties(RungIndex(0), rung.targets.iter(), &imagined).iter().filter(|party| party.is_ok()).count()
    }

    fn steps_to(&self, id: PersonId, target: &Target, reach: &Reach<'_>, ringing: Ringing) -> Resolution {
        let person = (self.person)(id).ok_or(ContactSkip::Unknown)?;
        let may_ring = match ringing {
            Ringing::All => true,
            Ringing::Elsewhere => person.based_at.as_ref().is_none_or(|site| !reach.sites.contains_key(site)),
            Ringing::None => false,
        };
        addressing::steps_to(id, person, target, may_ring)
    }
}

/// Whether somebody is on duty on a roster at any of the time for which they were to be stood in for, and nobody was said to be so
/// with them or in their place.
fn is_alone_on(rosters: &Rosters, roster: &Roster, said: &StandIn, at: Timestamp) -> bool {
    let mut at = at.max(said.from);
    for _answer in 0..ANSWERS_MAX {
        if at >= said.until {
            return false;
        }
        let duty = rosters.on_duty_of(roster, at);
        let covers =
            |counting: &&Counting| counting.stand_in.off == said.off && counting.stand_in.from <= at && at < counting.stand_in.until;
        if duty.people.contains(&said.off) && !roster.stand_ins.iter().any(|counting| covers(&counting)) {
            return true;
        }
        match duty.until {
            Some(until) => at = until,
            None => return false,
        }
    }
    true
}

/// The same roster with one more who stands in.
fn with(roster: &Roster, stand_in: &StandIn) -> Roster {
    let mut changed = roster.clone();
    changed.stand_ins.push(Counting { stand_in: stand_in.clone(), how: How::Instead });
    changed
}

fn named(target: &Target) -> Option<&RosterId> {
    match &target.who {
        Who::Roster(roster) => Some(roster),
        Who::Person(_) | Who::Centre(_) => None,
    }
}

fn is_roster(target: &Target, roster: &RosterId) -> bool {
    named(target) == Some(roster)
}
