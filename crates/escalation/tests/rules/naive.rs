//! A naive ladder, written from the lifecycle's words alone, against the engine.
//!
//! It knows one kind of ladder: people with a phone, each on one rung. Somebody stays silent, or their phone fails some time after
//! every message, or they decline some time after the first. It walks the milliseconds of a plain list of what is to come.

use std::collections::BTreeMap;
use std::sync::Arc;

use escalation::acknowledgement::{Answer, Reply, Sender};
use escalation::directory::{Adoption, Customer, Device, Directory, Mounting, Person, PersonChange, Site};
use escalation::dispatch::{Failure, Recipient, Report};
use escalation::event::{Event, Party};
use escalation::id::{CustomerId, DispatchId, LadderId, PersonId, SiteId};
use escalation::input::Input;
use escalation::ladder::{Ladder, Medium, Need, Rung, Target, When, Who};
use escalation::signal::Kind;
use escalation::time::{Seconds, SignedDuration};
use proptest::prelude::*;

use crate::floor::{Floor, digest_of, key_of};

/// What a person does when they are told.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Habit {
    Silent,
    /// The phone fails this many seconds after every message.
    Fails(u64),
    /// They decline this many seconds after the first message.
    Declines(u64),
}

/// A rung: how long it waits, and the habits of its people.
type Step = (u64, Vec<Habit>);

/// What is told: when (ms), on which rung (`None` in a round), to whom.
type Told = (u64, Option<usize>, Vec<usize>);

/// Until when both are compared: over twenty minutes of rounds.
const HORIZON_MS: u64 = 1_500_000;

fn ladders() -> impl Strategy<Value = Vec<Step>> {
    let habit = prop_oneof![
        3 => Just(Habit::Silent),
        2 => (0_u64..100).prop_map(Habit::Fails),
        2 => (0_u64..400).prop_map(Habit::Declines),
    ];
    prop::collection::vec((1_u64..120, prop::collection::vec(habit, 0..3)), 0..4)
}

/// Every person's own fraction of a second, so that no two things ever happen at one instant.
fn moment(person: usize, seconds: u64) -> u64 {
    seconds * 1_000 + (1 << person)
}

struct Naive<'a> {
    ladder: &'a [Step],
    now: u64,
    told: Vec<Told>,
    /// What people will do, by time: the person, and whether it is the phone that fails.
    to_come: BTreeMap<u64, (usize, bool)>,
    heard_before: Vec<usize>,
    rests_until: BTreeMap<usize, u64>,
    /// People of the present rung of whom something may still come.
    waiting_for: Vec<usize>,
}

/// The whole story of one press, from the words of the lifecycle.
fn expected(ladder: &[Step]) -> Vec<Told> {
    let mut naive = Naive {
        ladder,
        now: 0,
        told: Vec::new(),
        to_come: BTreeMap::new(),
        heard_before: Vec::new(),
        rests_until: BTreeMap::new(),
        waiting_for: Vec::new(),
    };
    for (rung, (wait, _)) in ladder.iter().enumerate() {
        naive.climb(rung, *wait);
    }
    naive.rounds();
    naive.told.retain(|(at, _, _)| *at <= HORIZON_MS);
    naive.told
}

impl Naive<'_> {
    fn people(&self, rung: usize) -> Vec<usize> {
        let before: usize = self.ladder.iter().take(rung).map(|(_, habits)| habits.len()).sum();
        (before..before + self.ladder[rung].1.len()).collect()
    }

    fn habit(&self, person: usize) -> Habit {
        self.ladder.iter().flat_map(|(_, habits)| habits).nth(person).copied().unwrap()
    }

    fn is_resting(&self, person: usize) -> bool {
        self.rests_until.get(&person).is_some_and(|until| *until > self.now)
    }

    fn tell(&mut self, rung: Option<usize>, people: Vec<usize>) {
        for person in &people {
            match self.habit(*person) {
                Habit::Silent => {}
                Habit::Fails(after) => drop(self.to_come.insert(self.now + moment(*person, after), (*person, true))),
                Habit::Declines(after) => {
                    if !self.heard_before.contains(person) {
                        self.to_come.insert(self.now + moment(*person, after), (*person, false));
                    }
                }
            }
            self.heard_before.push(*person);
        }
        self.told.push((self.now, rung, people));
    }

    /// Lets people act up to and including `until`; stops early when `enough` says so.
    fn live_until(&mut self, until: u64, enough: impl Fn(&Self) -> bool) {
        while let Some((at, (person, fails))) = self.to_come.first_key_value().map(|(at, what)| (*at, *what)) {
            if at > until {
                break;
            }
            self.to_come.remove(&at);
            self.now = at;
            self.waiting_for.retain(|other| *other != person);
            if !fails {
                self.rests_until.insert(person, at + 900_000);
            }
            if enough(self) {
                return;
            }
        }
        self.now = until;
    }

    fn climb(&mut self, rung: usize, wait: u64) {
        let people: Vec<usize> = self.people(rung).into_iter().filter(|p| !self.is_resting(*p)).collect();
        if people.is_empty() {
            return;
        }
        self.waiting_for.clone_from(&people);
        self.tell(Some(rung), people);
        self.live_until(self.now + wait * 1_000, |naive| naive.waiting_for.is_empty());
    }

    /// Everyone at once, then after 1, 2, 3, 5 and every 10 minutes; the last rung every minute.
    fn rounds(&mut self) {
        let began = self.now;
        let all: Vec<usize> = (0..self.ladder.len()).flat_map(|rung| self.people(rung)).collect();
        let last: Vec<usize> = self.ladder.len().checked_sub(1).map(|rung| self.people(rung)).unwrap_or_default();
        for minute in 0..=25_u64 {
            self.live_until(began + minute * 60_000, |_| false);
            let everyone = [0, 1, 3, 6, 11, 21].contains(&minute);
            let whom = if everyone { &all } else { &last };
            let mut awake: Vec<usize> = whom.iter().copied().filter(|p| !self.is_resting(*p)).collect();
            if awake.is_empty() && everyone {
                awake.clone_from(&all);
            }
            self.tell(None, awake);
        }
    }
}

fn person(index: usize) -> PersonId {
    PersonId::new(u32::try_from(index).unwrap() + 1)
}

fn adoption(ladder: &[Step]) -> Adoption {
    let mut next = 0;
    let rungs = ladder.iter().map(|(wait, habits)| {
        let targets = habits.iter().map(|_| {
            next += 1;
            Target { who: Who::Person(person(next - 1)), by: vec![vec![Medium::Sms]] }
        });
        Rung { targets: targets.collect(), wait_s: Seconds(u32::try_from(*wait).unwrap()), when: When::default(), need: Need::One }
    });
    let id = LadderId::parse("simple").unwrap();
    let frozen = Ladder { id: id.clone(), rungs: rungs.collect() };
    let customer = CustomerId::parse("one").unwrap();
    let site = SiteId::parse("library").unwrap();
    let mut directory = Directory::default();
    directory
        .customers
        .insert(customer.clone(), Customer { prefix: "ONE".parse().unwrap(), ladder: Some(id.clone()), centre: None, technical: None });
    directory.sites.insert(
        site,
        Site {
            customer,
            ladder: id.clone(),
            eta_limit_s: Seconds(900),
            feedback: true,
            close_guard: escalation::directory::CloseGuard::Off,
            plan: None,
            clock: None,
        },
    );
    let device = Device { ladder: None, mounting: Mounting::Fixed, kind: Kind::Duress, supervision: None };
    directory.devices.insert("library/counter-1".parse().unwrap(), device);
    directory.ladders.insert(id, Arc::new(frozen));
    let people = (0..next).map(|index| PersonChange {
        id: person(index),
        person: Person {
            version: 1,
            contacts: BTreeMap::from([(Medium::Sms, key_of(&index.to_string()))]),
            based_at: None,
            customer: None,
        },
        reference: "r".to_owned().into(),
        name: "n".to_owned().into(),
        mobile: None,
        email: None,
    });
    let people = people.collect();
    Adoption { digest: digest_of("simple"), directory, people, gone: Vec::new(), places: "{}".to_owned().into(), zones: "z".to_owned() }
}

/// The same story as the engine tells it.
fn told_by_the_engine(ladder: &[Step]) -> Vec<Told> {
    let habits: Vec<Habit> = ladder.iter().flat_map(|(_, habits)| habits).copied().collect();
    let mut floor = Floor::bare();
    floor.take(Input::DirectoryOffered(Box::new(adoption(ladder)))).unwrap();
    let began = floor.now;
    let mut to_come: BTreeMap<u64, (usize, DispatchId)> = BTreeMap::new();
    let mut declined = Vec::new();
    let mut seen = floor.events.len();
    floor.press("library/counter-1");
    loop {
        let now = u64::try_from(floor.now.duration_since(began).as_millis()).unwrap();
        for (_, event) in floor.events.get(seen..).unwrap() {
            let Event::DispatchQueued { act, dispatch, to: Recipient::Person { person, .. }, purpose, .. } = event else { continue };
            let index = usize::try_from(person.person.number()).unwrap() - 1;
            let id = DispatchId { activation: act.clone(), number: *dispatch };
            match habits.get(index).unwrap() {
                Habit::Fails(after) => drop(to_come.insert(now + moment(index, *after), (index, id))),
                Habit::Declines(after) if !declined.contains(&index) && purpose.is_alarm() => {
                    declined.push(index);
                    to_come.insert(now + moment(index, *after), (index, id));
                }
                Habit::Declines(_) | Habit::Silent => {}
            }
        }
        seen = floor.events.len();
        let deadline = floor.engine.next_deadline().unwrap();
        let deadline_ms = u64::try_from(deadline.at.duration_since(began).as_millis()).unwrap();
        let acts_at = to_come.first_key_value().map_or(u64::MAX, |(at, _)| *at);
        if deadline_ms.min(acts_at) > HORIZON_MS {
            break;
        }
        if deadline_ms <= acts_at {
            floor.now = deadline.at;
            floor.take(Input::Tick).unwrap();
            continue;
        }
        floor.now = began + SignedDuration::from_millis(i64::try_from(acts_at).unwrap());
        let (_, (index, id)) = to_come.pop_first().unwrap();
        match habits.get(index).unwrap() {
            Habit::Fails(_) => drop(floor.report_on(&id, Report::Failed(Failure::Refused))),
            Habit::Declines(_) => {
                let contact = key_of(&index.to_string());
                let code = floor.engine.activation(&id.activation).unwrap().codes.get(&contact).copied();
                let reply = Reply::Cannot { code };
                floor
                    .take(Input::Answer(Answer { from: Sender::Contact(contact), reply, text: None, provider_ref: None, sent_at: None }))
                    .unwrap();
            }
            Habit::Silent => {}
        }
    }
    let who = |parties: &[Party]| -> Vec<usize> {
        let one = |p: &Party| p.person.map(|p| usize::try_from(p.person.number()).unwrap() - 1);
        parties.iter().filter_map(one).collect()
    };
    let told = floor.events.iter().filter_map(|(at, event)| {
        let ms = u64::try_from(at.duration_since(began).as_millis()).unwrap();
        if let Event::RungEntered { rung, parties, .. } = event {
            return Some((ms, Some(usize::from(rung.0)), who(parties)));
        }
        if let Event::RoundStarted { parties, .. } = event { Some((ms, None, who(parties))) } else { None }
    });
    told.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn the_engine_climbs_as_a_naive_reader_of_the_lifecycle_would(ladder in ladders()) {
        prop_assert_eq!(told_by_the_engine(&ladder), expected(&ladder));
    }
}
