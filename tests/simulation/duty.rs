//! Who is on duty: an operator says now and then that somebody stands in, and every rung must ask just those whom that leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use escalation::event::{Event, OnDuty, Party};
use escalation::id::{ActivationId, PersonId, RosterId};
use escalation::input::Moment;
use escalation::ladder::{Ladder, Rung, Who};
use escalation::roster::StandIn;
use escalation::time::{SignedDuration, Timestamp};
use escalation::verdict::Verdict;
use station::desk::Desk;
use station::duty::{Change, StandInRequest};
use station::view::Scope;

use crate::dice::Dice;
use crate::oracle::Findings;
use crate::past::Past;
use crate::world::World;

/// The one roster of the directory: P. Nair, always.
pub(crate) const ROSTER: &str = "second";

/// An operator puts somebody in the place of P. Nair, or of whoever stands in, or puts them back.
pub(crate) async fn change(world: &Arc<World>, desk: &Desk, dice: &mut Dice) {
    let roster = RosterId::parse(ROSTER).unwrap();
    let said = desk.duty(Scope::everything()).await.ok().and_then(|rosters| rosters.into_iter().next()).map(|roster| roster.stand_ins);
    let ended = said.filter(|said| !said.is_empty() && dice.chance(30)).map(|said| dice.pick(&said).clone());
    let (off, change) = if let Some(said) = ended {
        (said.off_id, Change::Back { from: said.from })
    } else {
        let now = world.true_time();
        let from = now + SignedDuration::from_secs(i64::try_from(dice.between(0, 300)).unwrap() - 60);
        let until = from + SignedDuration::from_secs(i64::try_from(dice.between(30, 900)).unwrap());
        let on = (*dice.pick(&["j-smith", "t-fox", "k-lee", "m-ono", "t-fox", "nobody"])).to_owned();
        let from = dice.chance(70).then_some(Moment::Instant(from));
        let off = (*dice.pick(&["p-nair", "p-nair", "t-fox", "m-ono"])).to_owned();
        (off, Change::StandIn { on, from, until: Moment::Instant(until) })
    };
    let request = StandInRequest { principal: "ops-1".to_owned(), actor: None, scope: Scope::everything(), roster, off, change };
    let verdict = desk.stand_in(request).await;
    world.log(format!("stand-in {verdict:?}"));
    if let Ok(Verdict::Durable(outcome)) = verdict {
        world.confirm("stand-in", &outcome, None);
    }
}

/// What the record says of who is on duty, without anything of the rules that say so.
#[derive(Default)]
struct Naive {
    regular: Vec<PersonId>,
    gone: BTreeSet<PersonId>,
    /// Whoever a rung names beside the roster: they take nobody's place.
    beside: BTreeSet<PersonId>,
    said: Vec<StandIn>,
    /// The ladder of each call.
    ladders: BTreeMap<ActivationId, Arc<Ladder>>,
    /// Whom a call could not try since the last rung that was entered.
    passed_over: BTreeSet<(ActivationId, Who)>,
}

impl Naive {
    fn hear(&mut self, event: &Event) {
        if let Event::DirectoryAdopted { directory, gone, .. } = event {
            self.regular =
                directory.rosters.rosters.values().flat_map(|roster| &roster.shifts).flat_map(|shift| shift.people.clone()).collect();
            self.gone = gone.iter().copied().collect();
            let rungs = directory.ladders.values().flat_map(|ladder| &ladder.rungs);
            let shared = rungs.filter(|rung| rung.targets.iter().any(|target| matches!(target.who, Who::Roster(_))));
            self.beside = shared.flat_map(named).collect();
        }
        if let Event::Raised(raised) = event {
            self.ladders.insert(raised.act.clone(), Arc::clone(&raised.ladder));
        }
        if let Event::ContactPassedOver { act, who, .. } = event {
            self.passed_over.insert((act.clone(), who.clone()));
        }
        if let Event::StandInSaid { off, on, from, until, .. } = event {
            self.said.retain(|said| said.off != *off || said.until <= *from || *until <= said.from);
            self.said.push(StandIn { off: *off, on: *on, from: *from, until: *until });
        }
        if let Event::StandInOver { off, from, .. } = event {
            self.said.retain(|said| (said.off, said.from) != (*off, *from));
        }
    }

    fn on_duty(&self, at: Timestamp) -> Vec<PersonId> {
        let mut people = self.regular.clone();
        for said in self.said.iter().filter(|said| said.from <= at && at < said.until && !self.gone.contains(&said.on)) {
            if !people.contains(&said.off) || people.contains(&said.on) {
                continue;
            }
            if self.beside.contains(&said.on) {
                people.push(said.on);
            } else {
                people.iter_mut().filter(|person| **person == said.off).for_each(|person| *person = said.on);
            }
        }
        people
    }

    /// Whether somebody is pursued or was passed over.
    fn is_asked(&self, act: &ActivationId, parties: &[Party], person: PersonId) -> bool {
        let who = Who::Person(person);
        parties.iter().any(|party| party.who == who) || self.passed_over.contains(&(act.clone(), who))
    }

    /// Whether a rung may pursue a party: it names it, or a roster of it says so.
    fn may_ask(&self, act: &ActivationId, party: &Party, said: &[OnDuty]) -> bool {
        let Who::Person(person) = &party.who else { return true };
        let rung = self.ladders.get(act).and_then(|ladder| ladder.rung(party.rung));
        rung.is_none_or(|rung| named(rung).contains(person))
            || said.iter().any(|said| said.rung == party.rung && said.people.contains(person))
    }
}

/// Whom a rung names in their own name.
fn named(rung: &Rung) -> Vec<PersonId> {
    rung.targets.iter().filter_map(|target| if let Who::Person(person) = &target.who { Some(*person) } else { None }).collect()
}

/// O: a rung that names the roster asks whoever is on duty at that moment, and nobody else of it.
pub(crate) fn are_whom_the_record_says(past: &Past, found: &mut Findings) {
    let mut naive = Naive::default();
    for entry in &past.entries {
        naive.hear(&entry.event);
        let Event::RungEntered { act, duty, parties, .. } = &entry.event else { continue };
        let expected = naive.on_duty(entry.at);
        for said in duty {
            if said.people != expected {
                found.wrong("O a roster said somebody else than the record", format!("{act} entry {}: {said:?} {expected:?}", entry.seq));
            }
            if !expected.iter().all(|person| naive.is_asked(act, parties, *person)) {
                found.wrong("O a rung did not ask whom its roster said", format!("{act} entry {}: {expected:?} {parties:?}", entry.seq));
            }
        }
        if !parties.iter().all(|party| naive.may_ask(act, party, duty)) {
            found.wrong("O a rung asked whom nobody named", format!("{act} entry {}: {parties:?}", entry.seq));
        }
        naive.passed_over.retain(|(of, _)| of != act);
    }
}
