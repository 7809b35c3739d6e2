//! What is foretold is what happens: random directories, random instants, and the engine itself as the witness.

use std::collections::BTreeMap;
use std::sync::Arc;

use escalation::coverage::{Case, Outlook, Walk};
use escalation::directory::{Adoption, Centre, Customer, Device, Directory, Mounting, Person, PersonChange, Site};
use escalation::event::{Channel, ContactSkip, Event, RungSkip};
use escalation::id::{CalendarId, CarrierName, CentreId, ContactKey, CustomerId, LadderId, PersonId, RosterId, SiteId};
use escalation::input::Input;
use escalation::ladder::{Ladder, Medium, Need, Rung, RungIndex, Target, When, Who};
use escalation::outage::{Outage, Path};
use escalation::rehearsal::{Happening, Scene, Step};
use escalation::roster::WallClock;
use escalation::signal::{Kind, Verb};
use escalation::time::{Seconds, SignedDuration, Timestamp};
use escalation::zone::Zone;

use crate::floor::{Floor, digest_of, signal};
use crate::rehearsal::outages;
use crate::rosters::{Dice, ZONES, edges, hours, id, thrown};

const PEOPLE: u32 = 6;

/// Who was told, or would be: when after the press, on which rung, and by which channels.
type Told = (u64, RungIndex, Who, Vec<Vec<Channel>>);
/// Who was passed over, or would be.
type Passed = (RungIndex, Who, ContactSkip);
/// Which rung took no time, and why.
type Skipped = (RungIndex, RungSkip);

pub(crate) fn pick<T: Clone>(dice: &mut Dice, of: &[T]) -> T {
    of[usize::try_from(dice.throw(i64::try_from(of.len()).unwrap())).unwrap()].clone()
}

fn target(dice: &mut Dice) -> Target {
    let person = PersonId::new(u32::try_from(dice.throw(i64::from(PEOPLE) + 1)).unwrap() + 1);
    let centre = CentreId::parse(pick(dice, &["hooked", "desk", "gone"])).unwrap();
    let roster = if dice.throw(8) == 0 { RosterId::parse("gone").unwrap() } else { id() };
    let who = pick(dice, &[Who::Person(person), Who::Centre(centre), Who::Roster(roster.clone()), Who::Roster(roster)]);
    let by = pick(dice, &[vec![vec![Medium::Sms], vec![Medium::Email]], vec![vec![Medium::Sms, Medium::Email]], vec![vec![Medium::Email]]]);
    Target { who, by }
}

/// Half of the rungs hold always, the others at certain hours, for certain kinds of help, or both.
fn when(dice: &mut Dice) -> When {
    if dice.heads() {
        return When::default();
    }
    let kinds = if dice.heads() { Vec::new() } else { Kind::ALL.into_iter().filter(|_| dice.heads()).collect() };
    When { hours: (dice.throw(4) > 0).then(|| hours(dice)), kinds }
}

/// Waits that are short, and some so long that a hand-over comes in between.
fn ladder(dice: &mut Dice) -> Ladder {
    let rungs = (0..=dice.throw(4)).map(|_| {
        let targets = (0..dice.throw(4)).map(|_| target(dice)).collect();
        let wait_s = u32::try_from(pick(dice, &[0, 30, 45, 900, 3600]) + dice.throw(60)).unwrap();
        Rung { targets, wait_s: Seconds(wait_s), when: when(dice), need: Need::One }
    });
    Ladder { id: LadderId::parse("thrown").unwrap(), rungs: rungs.collect() }
}

fn person(dice: &mut Dice, number: u32) -> Person {
    // Now and then two people have one number, and some have none.
    let key = |medium: u8, owner: u32| ContactKey::new([medium, u8::try_from(owner).unwrap(), 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7]);
    let owner = if dice.throw(5) == 0 { 1 } else { number };
    let mut contacts = BTreeMap::new();
    if dice.throw(5) > 0 {
        contacts.insert(Medium::Sms, key(1, owner));
    }
    if dice.heads() {
        contacts.insert(Medium::Email, key(2, number));
    }
    Person { version: 1, contacts, based_at: None, customer: None }
}

/// Some sites have no holidays, and a few no clock at all.
fn clock(dice: &mut Dice, zone: &Zone) -> Option<WallClock> {
    let calendar = dice.heads().then(|| CalendarId::parse("local").unwrap());
    (dice.throw(8) > 0).then(|| WallClock { zone: zone.clone(), calendar })
}

/// The case of a call of this kind at the only site.
fn case(directory: &Directory, ladder: &Ladder, kind: Kind) -> Case {
    let clock = directory.clock_at(&SiteId::parse("library").unwrap()).cloned();
    let mut holding = Case::all(ladder, &[clock]).into_iter().filter(|case| case.kinds.contains(&kind));
    let case = holding.next().expect("every kind is in a case");
    assert!(holding.next().is_none(), "no kind is in two");
    case
}

pub(crate) fn directory(dice: &mut Dice, zone: &Zone, edge: Timestamp) -> (Directory, BTreeMap<PersonId, Person>) {
    let mut directory = Directory { rosters: Arc::new(thrown(dice, zone, edge)), ..Directory::default() };
    let customer = CustomerId::parse("one").unwrap();
    let ladder = ladder(dice);
    let site = Site {
        customer: customer.clone(),
        ladder: ladder.id.clone(),
        eta_limit_s: Seconds(900),
        feedback: true,
        close_guard: escalation::directory::CloseGuard::Off,
        plan: None,
        clock: clock(dice, zone).map(Arc::new),
    };
    let device = Device { ladder: None, mounting: Mounting::Fixed, kind: Kind::Duress, supervision: None };
    directory.customers.insert(customer, Customer { prefix: "ONE".parse().unwrap(), ladder: None, centre: None, technical: None });
    directory.sites.insert(SiteId::parse("library").unwrap(), site);
    directory.devices.insert("library/a".parse().unwrap(), device);
    directory.ladders.insert(ladder.id.clone(), Arc::new(ladder));
    directory.centres.insert(CentreId::parse("hooked").unwrap(), Centre { webhook: Some(CarrierName::parse("hook").unwrap()) });
    directory.centres.insert(CentreId::parse("desk").unwrap(), Centre { webhook: None });
    let people = (1..=PEOPLE).map(|number| (PersonId::new(number), person(dice, number)));
    let people = people.collect();
    (directory, people)
}

pub(crate) fn adopt(floor: &mut Floor, directory: &Directory, people: &BTreeMap<PersonId, Person>) {
    let people = people.iter().map(|(id, person)| PersonChange {
        id: *id,
        person: person.clone(),
        reference: "r".to_owned().into(),
        name: "n".to_owned().into(),
        mobile: None,
        email: None,
    });
    let adoption = Adoption {
        digest: digest_of("thrown"),
        directory: directory.clone(),
        people: people.collect(),
        gone: Vec::new(),
        places: "{}".to_owned().into(),
        zones: "z".to_owned(),
    };
    floor.take(Input::DirectoryOffered(Box::new(adoption))).unwrap();
}

/// Somebody is at the desk, unless it is out.
pub(crate) fn take_seats(floor: &mut Floor, outages: &[Outage]) {
    if outages.iter().all(|outage| outage.of != Path::Medium(Medium::Desk)) {
        floor.arm("desk").unwrap();
    }
}

/// A press at `at` on a fresh engine, ticked until the ladder is exhausted: what its record says.
fn lived(
    directory: &Directory,
    people: &BTreeMap<PersonId, Person>,
    kind: Kind,
    at: Timestamp,
    outages: &[Outage],
) -> (Vec<Told>, Vec<Passed>, Vec<Skipped>, u64) {
    let mut floor = Floor::bare();
    floor.now = at;
    adopt(&mut floor, directory, people);
    take_seats(&mut floor, outages);
    floor.send(signal("library/a", Verb::Press { kind: Some(kind), style: None }));
    let is_exhausted = |floor: &Floor| floor.events.iter().position(|(_, e)| matches!(e, Event::Exhausted { .. }));
    let mut ticks = 0;
    while is_exhausted(&floor).is_none() {
        floor.now = floor.engine.next_deadline().expect("a climb waits for something").at;
        floor.take(Input::Tick).unwrap();
        ticks += 1;
        assert!(ticks < 100, "the ladder does not end");
    }
    let end = is_exhausted(&floor).unwrap();
    let after = |then: Timestamp| u64::try_from(then.duration_since(at).as_secs()).unwrap();
    let (mut told, mut passed, mut skipped) = (Vec::new(), Vec::new(), Vec::new());
    for (then, event) in &floor.events[..end] {
        if let Event::RungEntered { rung, parties, .. } = event {
            told.extend(parties.iter().map(|party| (after(*then), *rung, party.who.clone(), party.steps.clone())));
        }
        if let Event::ContactPassedOver { rung, who, why, .. } = event {
            passed.push((*rung, who.clone(), *why));
        }
        if let Event::RungPassedOver { rung, why, .. } = event {
            skipped.push((*rung, *why));
        }
    }
    (told, passed, skipped, after(floor.events[end].0))
}

#[test]
fn what_is_foretold_is_what_happens() {
    let (mut presses, mut intervals, mut crossed, mut limited) = (0, 0, 0, 0);
    for seed in 1..=400_u64 {
        let mut dice = Dice::new(seed);
        let name = pick(&mut dice, &ZONES);
        let zone = Zone::named(name).unwrap();
        let edge = pick(&mut dice, &edges(name));
        let (directory, people) = directory(&mut dice, &zone, edge);
        let ladder = directory.ladders.values().next().unwrap();
        let empty = dice.heads().then_some(Outage { of: Path::Medium(Medium::Desk), known_after_s: Seconds(0) });
        let outages: Vec<Outage> = empty.into_iter().collect();
        let outlook = Outlook { directory: &directory, people: &people, outages: &outages };
        let from = edge - SignedDuration::from_hours(36);
        let kind = pick(&mut dice, &Kind::ALL);
        let case = case(&directory, ladder, kind);
        let foretold = outlook.intervals(ladder, &case, from, edge + SignedDuration::from_hours(36));
        intervals += foretold.len();
        for interval in &foretold {
            let length = interval.until.duration_since(interval.from).as_secs();
            // Its first second, its last, and one between.
            for at in [0, length - 1, dice.throw(length.max(1))].map(|s| interval.from + SignedDuration::from_secs(s.max(0))) {
                let (told, passed, skipped, exhausted) = lived(&directory, &people, kind, at, &outages);
                let walk = &interval.walk;
                let parties =
                    walk.entered.iter().flat_map(|e| e.parties.iter().map(|p| (e.after_s, e.rung, p.who.clone(), p.steps.clone())));
                assert_eq!(parties.collect::<Vec<_>>(), told, "seed {seed}, a press at {at}: who is told");
                let passed_over = walk.passed_over.iter().map(|p| (p.rung, p.who.clone(), p.why));
                assert_eq!(passed_over.collect::<Vec<_>>(), passed, "seed {seed}, a press at {at}: who is passed over");
                limited += skipped.iter().filter(|(_, why)| *why != RungSkip::Nobody).count();
                let rungs = walk.skipped.iter().map(|s| (s.rung, s.why));
                assert_eq!(rungs.collect::<Vec<_>>(), skipped, "seed {seed}, a press at {at}: which rungs take no time");
                assert_eq!(walk.exhausted_after_s, exhausted, "seed {seed}, a press at {at}: when it is exhausted");
                presses += 1;
            }
        }
        crossed += usize::from(foretold.len() > 2);
    }
    println!("{presses} presses in {intervals} intervals of 400 directories, {limited} rungs that did not apply");
    assert!(limited > 500, "too few rungs are limited: {limited}");
    assert!(crossed > 100, "too few directories change within three days: {crossed}");
}

/// Who is told by what, who is passed over, when it is exhausted: what is foretold.
fn foretold(walk: &Walk) -> Vec<String> {
    let told = walk.told.iter().flat_map(|told| {
        told.by.iter().map(|channel| format!("{} rung {} {:?} by {:?}", told.after_s, told.rung.0, told.who, channel.medium))
    });
    let passed = walk.passed_over.iter().map(|p| format!("{} rung {} {:?} not, {:?}", p.after_s, p.rung.0, p.who, p.why));
    let mut lines: Vec<String> = told.chain(passed).collect();
    lines.push(format!("{} exhausted", walk.exhausted_after_s));
    lines.sort();
    lines
}

/// The same of a press that an engine lived through.
fn rehearsed(scene: &Scene<'_>) -> Vec<String> {
    let rehearsal = scene.play().expect("a press is always raised");
    let until_exhausted = rehearsal.steps.iter().take_while(|step| step.what != Happening::Exhausted);
    let line = |step: &Step| match &step.what {
        Happening::Told { rung, who, medium } => Some(format!("{} rung {} {who:?} by {medium:?}", step.after_s, rung.0)),
        Happening::PassedOver { rung, who, why } => Some(format!("{} rung {} {who:?} not, {why:?}", step.after_s, rung.0)),
        Happening::Entered { .. } | Happening::Stuck { .. } | Happening::Skipped { .. } | Happening::Exhausted | Happening::Round => None,
    };
    let mut lines: Vec<String> = until_exhausted.filter_map(line).collect();
    lines.push(format!("{} exhausted", rehearsal.exhausted_after_s().expect("a ladder ends")));
    lines.sort();
    lines
}

#[test]
fn what_is_foretold_of_an_outage_is_what_happens() {
    let device = "library/a".parse().unwrap();
    let (mut presses, mut silent) = (0, 0);
    for seed in 1..=300_u64 {
        let mut dice = Dice::new(seed);
        let name = pick(&mut dice, &ZONES);
        let edge = pick(&mut dice, &edges(name));
        let (directory, people) = directory(&mut dice, &Zone::named(name).unwrap(), edge);
        let outages = outages(&mut dice);
        let ladder = directory.ladders.values().next().unwrap();
        let outlook = Outlook { directory: &directory, people: &people, outages: &outages };
        let from = edge - SignedDuration::from_hours(36);
        let kind = pick(&mut dice, &Kind::ALL);
        for interval in outlook.intervals(ladder, &case(&directory, ladder, kind), from, edge + SignedDuration::from_hours(36)) {
            let length = interval.until.duration_since(interval.from).as_secs();
            for at in [0, length - 1, dice.throw(length.max(1))].map(|s| interval.from + SignedDuration::from_secs(s.max(0))) {
                let scene = Scene { directory: &directory, people: &people, device: &device, kind: Some(kind), at, outages: &outages };
                assert_eq!(foretold(&interval.walk), rehearsed(&scene), "seed {seed}, a press at {at} with {outages:?}");
                presses += 1;
            }
            silent += usize::from(interval.walk.told.is_empty());
        }
    }
    println!("{presses} presses with something down");
    assert!(presses > 1_000 && silent > 50, "too little happens: {presses} presses, {silent} silent intervals");
}
