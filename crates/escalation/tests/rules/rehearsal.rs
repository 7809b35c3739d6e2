//! A rehearsal says what an engine does: random directories, instants, kinds and outages, and the floor as the witness.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use escalation::directory::{Directory, Person};
use escalation::dispatch::{DeliveryReport, Failure, Recipient, Report};
use escalation::event::Event;
use escalation::id::{CarrierName, DispatchId, PersonId, SiteId};
use escalation::input::Input;
use escalation::ladder::{Medium, Who};
use escalation::outage::{Outage, Path};
use escalation::rehearsal::{Happening, Scene};
use escalation::signal::{Kind, Verb};
use escalation::time::{Seconds, SignedDuration, Timestamp};
use escalation::zone::Zone;

use crate::coverage::{adopt, directory, pick, take_seats};
use crate::floor::{Floor, signal};
use crate::rosters::{Dice, ZONES, edges};

/// The same directories with calls in them, and with people who are based where the button is.
fn with_calls(
    dice: &mut Dice,
    (mut directory, mut people): (Directory, BTreeMap<PersonId, Person>),
) -> (Directory, BTreeMap<PersonId, Person>) {
    for ladder in directory.ladders.values_mut() {
        for target in Arc::make_mut(ladder).rungs.iter_mut().flat_map(|rung| &mut rung.targets).filter(|_| dice.heads()) {
            target.by.insert(0, vec![Medium::Voice]);
        }
    }
    for person in people.values_mut().filter(|_| dice.heads()) {
        person.based_at = Some(SiteId::parse("library").unwrap());
    }
    (directory, people)
}

pub(crate) fn outages(dice: &mut Dice) -> Vec<Outage> {
    let paths = [Medium::Sms, Medium::Email, Medium::Voice, Medium::Desk].map(Path::Medium);
    let hook = Path::Webhook(CarrierName::parse("hook").unwrap());
    let down = paths.into_iter().chain([hook]).filter(|_| dice.throw(3) == 0).collect::<Vec<_>>();
    down.into_iter().map(|of| Outage { of, known_after_s: Seconds(pick(dice, &[0, 7, 20, 45])) }).collect()
}

fn is_down(outages: &[Outage], medium: Medium, to: &Recipient) -> Option<Seconds> {
    let hook = |name: &CarrierName| matches!(to, Recipient::Centre { webhook: Some(webhook), .. } if webhook == name);
    let down = outages.iter().find(|outage| match &outage.of {
        Path::Medium(down) => *down == medium,
        Path::Webhook(name) => hook(name),
    });
    down.map(|outage| outage.known_after_s)
}

/// What an event says of the climb.
fn read_out(then: Timestamp, event: &Event, outages: &[Outage]) -> Option<String> {
    if let Event::RungEntered { rung, until, .. } = event {
        return Some(format!("rung {} waits {}", rung.0, until.duration_since(then).as_secs()));
    }
    if let Event::ContactPassedOver { rung, who, why, .. } = event {
        return Some(format!("rung {}: {who:?} not, {why:?}", rung.0));
    }
    if let Event::RungPassedOver { rung, why, .. } = event {
        return Some(format!("rung {}: skipped, {why:?}", rung.0));
    }
    if let Event::DispatchQueued { to, medium, .. } = event {
        let who = match to {
            Recipient::Person { person, .. } => Who::Person(person.person),
            Recipient::Centre { centre, .. } => Who::Centre(centre.clone()),
            Recipient::Stranger { .. } => panic!("nobody wrote to us"),
        };
        let how = is_down(outages, *medium, to).map_or("told".to_owned(), |after| format!("stuck for {}", after.0));
        return Some(format!("{who:?} {how} by {medium:?}"));
    }
    let ends = [("exhausted", matches!(event, Event::Exhausted { .. })), ("round", matches!(event, Event::RoundStarted { .. }))];
    ends.into_iter().find(|(_, is)| *is).map(|(word, _)| word.to_owned())
}

/// What the record of a press says, a line each.
fn lived(floor: &mut Floor, kind: Kind, outages: &[Outage]) -> Vec<String> {
    let (at, began) = (floor.now, floor.events.len());
    floor.send(signal("library/a", Verb::Press { kind: Some(kind), style: None }));
    let mut awaited: BTreeSet<(Timestamp, DispatchId)> = BTreeSet::new();
    let mut seen: BTreeSet<DispatchId> = BTreeSet::new();
    let mut lines = Vec::new();
    let mut read = began;
    let mut exhausted: Option<Timestamp> = None;
    loop {
        for (then, event) in &floor.events[read..] {
            let after = then.duration_since(at).as_secs();
            if matches!(event, Event::Exhausted { .. }) {
                exhausted = Some(*then);
            }
            lines.extend(read_out(*then, event, outages).map(|words| format!("{after} {words}")));
            if let Event::RungEntered { parties, .. } | Event::RoundStarted { parties, .. } = event {
                let desks = parties.iter().filter(|party| party.steps[0].iter().any(|channel| channel.medium == Medium::Desk));
                lines.extend(desks.map(|party| format!("{after} {:?} told by {:?}", party.who, Medium::Desk)));
            }
        }
        read = floor.events.len();
        let owed: Vec<_> = floor.engine.outbox().map(|(id, owed)| (id.clone(), is_down(outages, owed.medium, &owed.to))).collect();
        for (id, down) in owed {
            if seen.insert(id.clone()) {
                awaited.insert((down.unwrap_or(Seconds(0)).after(floor.now), id));
            }
        }
        let deadline = floor.engine.next_deadline().expect("an open call waits for something").at;
        let reported = awaited.first().map(|(at, _)| *at).filter(|at| *at <= deadline);
        let next = reported.unwrap_or(deadline);
        if exhausted.is_some_and(|then| next > then) {
            return lines;
        }
        floor.now = next.max(floor.now);
        let input = match reported.and_then(|_| awaited.pop_first()) {
            None => Input::Tick,
            Some((_, dispatch)) => {
                let owed = floor.engine.owed(&dispatch).unwrap();
                let down = is_down(outages, owed.medium, &owed.to).is_some();
                let report = if down { Report::Failed(Failure::Unavailable) } else { Report::Accepted };
                Input::DeliveryReported(DeliveryReport::bare(dispatch, report))
            }
        };
        floor.take(input).unwrap();
    }
}

fn rehearsed(scene: &Scene<'_>) -> Vec<String> {
    let rehearsal = scene.play().expect("a press is always raised");
    let line = |after: u64, what: &Happening| match what {
        Happening::Entered { rung, waits_s, .. } => format!("{after} rung {} waits {waits_s}", rung.0),
        Happening::Told { who, medium, .. } => format!("{after} {who:?} told by {medium:?}"),
        Happening::Stuck { who, medium, known_after_s, .. } => format!("{after} {who:?} stuck for {} by {medium:?}", known_after_s.0),
        Happening::PassedOver { rung, who, why } => format!("{after} rung {}: {who:?} not, {why:?}", rung.0),
        Happening::Skipped { rung, why } => format!("{after} rung {}: skipped, {why:?}", rung.0),
        Happening::Exhausted => format!("{after} exhausted"),
        Happening::Round => format!("{after} round"),
    };
    rehearsal.steps.iter().map(|step| line(step.after_s, &step.what)).collect()
}

#[test]
fn what_is_rehearsed_is_what_happens() {
    let (mut stuck, mut told) = (0, 0);
    for seed in 1..=600_u64 {
        let mut dice = Dice::new(seed);
        let name = pick(&mut dice, &ZONES);
        let edge = pick(&mut dice, &edges(name));
        let thrown = directory(&mut dice, &Zone::named(name).unwrap(), edge);
        let (directory, people) = with_calls(&mut dice, thrown);
        let outages = outages(&mut dice);
        let kind = pick(&mut dice, &Kind::ALL);
        let at = edge + SignedDuration::from_mins(dice.throw(3 * 24 * 60) - 36 * 60);
        let device = "library/a".parse().unwrap();
        let scene = Scene { directory: &directory, people: &people, device: &device, kind: Some(kind), at, outages: &outages };
        let mut rehearsed = rehearsed(&scene);
        let mut floor = Floor::bare();
        floor.now = at;
        adopt(&mut floor, &directory, &people);
        take_seats(&mut floor, &outages);
        let mut lived = lived(&mut floor, kind, &outages);
        stuck += lived.iter().filter(|line| line.contains("stuck")).count();
        told += lived.iter().filter(|line| line.contains("told")).count();
        // Of what happens at one instant the order is nobody's business.
        rehearsed.sort();
        lived.sort();
        assert_eq!(rehearsed, lived, "seed {seed}: a {kind:?} press at {at} with {outages:?}");
    }
    println!("600 rehearsals: {told} messages that leave, {stuck} that do not");
    assert!(stuck > 500 && told > 500, "too little happens: {told} and {stuck}");
}

/// A message that nobody can take is given up only after a while: the next channel waits that long, and no longer than the rung.
#[test]
fn what_does_not_leave_costs_the_time_until_that_is_known() {
    let directory = r#"
[defaults]
timezone = "Australia/Perth"
[[customer]]
id = "one"
prefix = "ONE"
[[person]]
id = "ann"
mobile = "0491 570 006"
email = "ann@example.org"
[[person]]
id = "ben"
mobile = "0491 570 156"
[[site]]
id = "library"
name = "Library"
ladder = "first"
[[ladder]]
id = "first"
[[ladder.rung]]
notify = [{ person = "ann", by = ["sms", "email"] }]
wait = "30s"
[[ladder.rung]]
notify = [{ person = "ben" }]
wait = "60s"
"#;
    let draft = escalation::directory::draft::Draft::parse("directory.toml", directory).draft.unwrap();
    let hand = draft.at_hand();
    let device = "library/counter".parse().unwrap();
    let outages = [Outage { of: Path::Medium(Medium::Sms), known_after_s: Seconds(20) }];
    let at = "2026-12-25T11:30:00Z".parse().unwrap();
    let scene = Scene { directory: &hand.directory, people: &hand.people, device: &device, kind: None, at, outages: &outages };
    let who = |number| format!("{:?}", Who::Person(PersonId::new(number)));
    let (ann, ben) = (who(1), who(2));
    let expected = [
        "0 rung 0 waits 30".to_owned(),
        format!("0 {ann} stuck for 20 by Sms"),
        format!("20 {ann} told by Email"),
        "30 rung 1 waits 60".to_owned(),
        format!("30 {ben} stuck for 20 by Sms"),
        format!("50 rung 1: {ben} not, AllChannelsFailed"),
        "50 exhausted".to_owned(),
        "50 round".to_owned(),
        format!("50 {ann} stuck for 20 by Sms"),
        format!("50 {ben} stuck for 20 by Sms"),
    ];
    assert_eq!(rehearsed(&scene), expected);
    let rehearsal = scene.play().unwrap();
    assert_eq!((rehearsal.first_told_after_s(), rehearsal.exhausted_after_s()), (Some(20), Some(50)));
}
