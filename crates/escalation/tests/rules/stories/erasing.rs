//! Erasing: what forbids it, and what the record says of it.

use escalation::event::{Again, Erasable, Event};
use escalation::id::{CustomerId, Digest, PersonId};
use escalation::input::{Act, Command, Erasure, Input, LegalHold, RepeatedErasure};
use escalation::rejection::Rejection;

use super::COUNTERS;
use crate::floor::{Floor, digest_of, operator};
use crate::script::play;

fn customer() -> CustomerId {
    CustomerId::parse("kalamunda").unwrap()
}

fn erasure(from: Erasable, values: usize) -> Input {
    let values: Vec<Digest> = (0..values).map(|n| digest_of(&n.to_string())).collect();
    Input::ErasureAsked(Erasure { customer: Some(customer()), from, basis: "GDA 27.2".to_owned(), by: operator("desk"), values })
}

fn hold(on: bool) -> Input {
    let of = "KAL-1".parse().unwrap();
    Input::LegalHoldAsked(LegalHold { customer: customer(), of, on, by: operator("desk"), reason: "Coroner".to_owned().into() })
}

fn call() -> Erasable {
    Erasable::Activation("KAL-1".parse().unwrap())
}

#[test]
fn what_is_open_or_owes_somebody_a_message_is_not_erased() {
    let mut floor = Floor::new(COUNTERS);
    play(&mut floor, "press library/counter-1");
    let refused = Err(Rejection::StillAtWork);
    assert_eq!(floor.take(erasure(call(), 1)).map(drop), refused);
    assert_eq!(floor.take(erasure(Erasable::Activation("MUN-7".parse().unwrap()), 1)).map(drop), refused, "nor anybody else");
    assert_eq!(floor.take(erasure(Erasable::Person(PersonId::new(9)), 1)).map(drop), refused, "whoever they are");
    play(&mut floor, "westside closes");
    assert_eq!(floor.take(erasure(call(), 1)).map(drop), refused, "people are told that it is over");
}

#[test]
fn nobody_is_erased_whom_the_directory_names() {
    let mut floor = Floor::new(COUNTERS);
    let person = PersonId::new(1);
    assert_eq!(floor.take(erasure(Erasable::Person(person), 1)).map(drop), Err(Rejection::StillInTheDirectory(person)));
}

#[test]
fn a_legal_hold_forbids_it_until_it_is_lifted_and_is_said_once() {
    let mut floor = Floor::new(COUNTERS);
    floor.take(hold(true)).unwrap();
    floor.take(hold(true)).unwrap();
    let refused = Err(Rejection::UnderLegalHold("KAL-1".parse().unwrap()));
    for from in [call(), Erasable::Person(PersonId::new(1))] {
        assert_eq!(floor.take(erasure(from, 1)).map(drop), refused);
    }
    floor.take(hold(false)).unwrap();
    assert_eq!(floor.take(erasure(call(), 0)).map(drop), Err(Rejection::NothingToErase));
    floor.take(erasure(call(), 1_001)).unwrap();
    let said = |floor: &Floor, is: fn(&Event) -> Option<usize>| floor.events.iter().filter_map(|(_, event)| is(event)).collect::<Vec<_>>();
    assert_eq!(
        said(&floor, |event| if let Event::LegalHoldSet { on, .. } = event { Some(usize::from(*on)) } else { None }),
        [1, 1, 0],
        "each order"
    );
    assert_eq!(said(&floor, |event| if let Event::Erased { values, .. } = event { Some(values.len()) } else { None }), [500, 500, 1]);
}

/// What lacks its reasons and its people's numbers is not climbed again.
#[test]
fn what_was_erased_is_not_opened_again() {
    let mut floor = Floor::new(COUNTERS);
    floor.take(hold(true)).unwrap();
    floor.take(hold(false)).unwrap();
    play(&mut floor, "press library/counter-1\naccepted sms to j-smith\nwestside closes\naccepted sms to j-smith");
    floor.take(erasure(call(), 1)).unwrap();
    let reopen = Act::Reopen { reason: "words".to_owned().into() };
    let id = "KAL-1".parse().unwrap();
    let command = Command { activation: id, by: operator("westside"), seen: None, at_the_place: false, act: reopen };
    assert!(matches!(floor.take(Input::Command(command)), Err(Rejection::UnknownActivation(_))));
}

/// A person who comes back in the same turn stays known.
#[test]
fn an_erasure_is_heard_after_a_directory_of_its_turn() {
    let floor = Floor::new(COUNTERS);
    assert!(erasure(Erasable::Person(floor.person("j-smith")), 1).rank() > Input::RecordFound.rank());
}

fn repeated(from: Erasable) -> Input {
    let again = Again { at: "2026-11-21T02:14:31Z".parse().unwrap(), seq: 4_711, leaf: digest_of("leaf"), found: 1 };
    let (basis, principal, values) = ("GDA 27.2".to_owned(), "app".to_owned(), vec![digest_of("a")]);
    Input::ErasureRepeated(RepeatedErasure { customer: Some(customer()), from, basis, principal, values, again })
}

/// An older copy of the record may hold a call open that is long over: what was erased since is gone all the same, and the call goes on.
#[test]
fn what_was_erased_before_is_erased_again_whatever_is_open_and_stops_no_call() {
    let mut floor = Floor::new(COUNTERS);
    play(&mut floor, "press library/counter-1");
    for from in [call(), Erasable::Person(floor.person("j-smith"))] {
        let events = floor.take(repeated(from)).unwrap();
        let [Event::Erased { again: Some(again), by, .. }] = events.as_slice() else { panic!("{events:?}") };
        assert_eq!((again.seq, by.principal.as_str(), by.actor.as_ref()), (4_711, "app", None));
    }
    assert_eq!(floor.engine.open_count(), 1);
    play(&mut floor, "westside closes\naccepted sms to j-smith");
}

/// Once it is quiet it leaves memory with its words, as at the first time.
#[test]
fn what_is_over_leaves_memory_when_it_is_erased_again() {
    let mut floor = Floor::new(COUNTERS);
    play(&mut floor, "press library/counter-1\naccepted sms to j-smith\nwestside closes\naccepted sms to j-smith");
    let events = floor.take(repeated(call())).unwrap();
    assert!(matches!(events.as_slice(), [Event::Archived { .. }, Event::Erased { .. }]), "{events:?}");
}

/// What is kept for a court cannot be had back; what is kept too long can still be erased.
#[test]
fn what_an_older_copy_holds_for_a_court_is_not_erased_again() {
    let mut floor = Floor::new(COUNTERS);
    floor.take(hold(true)).unwrap();
    let refused = Err(Rejection::UnderLegalHold("KAL-1".parse().unwrap()));
    for from in [call(), Erasable::Person(PersonId::new(1))] {
        assert_eq!(floor.take(repeated(from)).map(drop), refused);
    }
    floor.take(repeated(Erasable::Activation("KAL-2".parse().unwrap()))).unwrap();
    floor.take(hold(false)).unwrap();
    floor.take(repeated(call())).unwrap();
}
