//! What an open activation weighs in the rules and on the floor: a process of its own, so that nothing else is measured.

#![cfg(test)]

use std::collections::BTreeMap;
use std::sync::Arc;

use escalation::directory::{Adoption, Centre, Customer, Device, Directory, Mounting, Person, PersonChange, Site};
use escalation::dispatch::{DeliveryReport, Report};
use escalation::id::{CarrierName, CentreId, CustomerId, DeviceId, Digest, LadderId, PersonId, SiteId};
use escalation::input::{Input, Started};
use escalation::ladder::{Ladder, Medium, Need, Rung, Target, When, Who};
use escalation::private::Private;
use escalation::signal::{Evidence, Kind, Origin, Signal, Verb, Via};
use escalation::time::{Seconds, SignedDuration, Timestamp};
use station::entropy::Entropy;
use station::floor::{Floor, LinkBase, Ticket};
use station::journal::Journal;
use station::secret::Secret;

/// So many calls are open at once.
const OPEN: u32 = 20_000;
/// What one may weigh, with everything that is remembered of its press and its device: 20,000 are 50 MiB.
const MOST_BYTES: u64 = 50 * 1_024 * 1_024 / 20_000;
/// A site has so many buttons.
const BUTTONS: u32 = 100;

fn button(number: u32) -> DeviceId {
    format!("library-{}/front-counter-{}", number / BUTTONS, number % BUTTONS).parse().unwrap()
}

/// A customer with a site for every hundred buttons; every site has its own first person, and the centre behind.
fn adoption(secret: &Secret) -> Adoption {
    let (customer, centre) = (CustomerId::parse("kalamunda").unwrap(), CentreId::parse("westside").unwrap());
    let mut directory = Directory::default();
    directory
        .customers
        .insert(customer.clone(), Customer { prefix: "KAL".parse().unwrap(), ladder: None, centre: Some(centre.clone()), technical: None });
    directory.centres.insert(centre.clone(), Centre { webhook: Some(CarrierName::parse("westside").unwrap()) });
    let mut people = Vec::new();
    for number in 0..=2 * OPEN / BUTTONS {
        let (id, ladder) = (PersonId::new(number + 1), LadderId::parse(&format!("counters-{number}")).unwrap());
        let by = |who, medium| Rung {
            targets: vec![Target { who, by: vec![vec![medium]] }],
            wait_s: Seconds(3_600),
            when: When::default(),
            need: Need::One,
        };
        let rungs = vec![by(Who::Person(id), Medium::Sms), by(Who::Centre(centre.clone()), Medium::Webhook)];
        directory.ladders.insert(ladder.clone(), Arc::new(Ladder { id: ladder.clone(), rungs }));
        let site = Site {
            customer: customer.clone(),
            ladder,
            eta_limit_s: Seconds(900),
            feedback: true,
            close_guard: escalation::directory::CloseGuard::Off,
            plan: None,
            clock: None,
        };
        directory.sites.insert(SiteId::parse(&format!("library-{number}")).unwrap(), site);
        let mobile = format!("+614915{number:05}");
        let contacts = BTreeMap::from([(Medium::Sms, secret.contact(&mobile))]);
        people.push(PersonChange {
            id,
            person: Person { version: 1, contacts, based_at: None, customer: None },
            reference: format!("p-{number}").into(),
            name: "J. Smith".to_owned().into(),
            mobile: Some(mobile.into()),
            email: None,
        });
    }
    for number in 0..2 * OPEN {
        directory.devices.insert(button(number), Device { ladder: None, mounting: Mounting::Fixed, kind: Kind::Duress, supervision: None });
    }
    let places = Private::Open("{}".to_owned());
    Adoption { digest: Digest::new([1; 32]), directory, people, gone: Vec::new(), places, zones: "2025b".to_owned() }
}

fn press(number: u32) -> Input {
    let origin = Origin { via: Via::Session, client: None, qos: 1, retained: false, dup: false, waited_since: None };
    let evidence = Evidence { raw: "dG9waWM= e30=".to_owned().into(), payload_sha256: Some(Digest::new([9; 32])), payload_bytes: 2 };
    let press = Signal::bare(button(number), Verb::Press { kind: None, style: None }, origin, evidence);
    Input::Signal(Signal { id: Some(format!("5f0c6a8e-{number:08}")), ..press })
}

/// A press, and what a provider says of the message that it caused: it was taken, and the phone has it.
fn a_call(floor: &mut Floor, now: &mut Timestamp, number: u32) {
    let mut take = |floor: &mut Floor, input| {
        *now += SignedDuration::from_millis(1);
        floor.turn(*now, 0, vec![(Ticket(0), input)])
    };
    for dispatch in take(floor, press(number)).orders {
        for report in [Report::AcceptedReceiptDue, Report::Delivered] {
            let first = report == Report::AcceptedReceiptDue;
            let report = DeliveryReport {
                dispatch: dispatch.clone(),
                report,
                provider: Some(CarrierName::parse("first").unwrap()),
                provider_ref: Some(format!("SM{number:032}")),
                text: first.then(|| "words".to_owned().into()),
                template: first.then(|| "alarm.sms@3f2a91c0".to_owned()),
                possible_duplicate: false,
                tries: 1,
            };
            take(floor, Input::DeliveryReported(report));
        }
    }
}

/// The process's own memory in bytes, wherever a busy machine has put it.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("this test reads /proc/self/status: run it on Linux");
    let kib = |name: &str| {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap()
    };
    (kib("RssAnon:") + kib("VmSwap:")) * 1_024
}

#[test]
fn twenty_thousand_open_activations_fit_in_50_mib() {
    let secret = Secret::from_bytes(&[7; 32]);
    let mut floor = Floor::new(Journal::new(Entropy::from_seed(b"weight")), secret.clone(), LinkBase::default());
    let mut now: Timestamp = "2026-04-13T06:03:00Z".parse().unwrap();
    let started = Started {
        node: "a".into(),
        version: "0".into(),
        zones: "2025b".into(),
        key: Some(secret.id()),
        last_entry_at: None,
        given: Vec::new(),
    };
    let adopted = Input::DirectoryOffered(Box::new(adoption(&secret)));
    floor.turn(now, 0, vec![(Ticket(0), Input::Started(started)), (Ticket(1), adopted)]);
    // The first ones also take up what the process had freed before; the second ones are weighed.
    for number in 0..OPEN {
        a_call(&mut floor, &mut now, number);
    }
    let before = memory();
    for number in OPEN..2 * OPEN {
        a_call(&mut floor, &mut now, number);
    }
    let each = memory().saturating_sub(before) / u64::from(OPEN);
    assert_eq!((floor.engine.open_count(), floor.engine.owed_count()), (2 * usize::try_from(OPEN).unwrap(), 0));
    println!("an open activation with one message delivered: {each} bytes in the rules and on the floor");
    assert!((1..=MOST_BYTES).contains(&each), "{each} bytes, and {MOST_BYTES} are allowed");
}
