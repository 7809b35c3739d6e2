//! A button that sticks: one call, one trouble, every press recorded, and people left in peace as far as that is safe.

use escalation::dispatch::Purpose;
use escalation::event::Event;
use escalation::trouble::Cause;

use super::COUNTERS;
use crate::floor::Floor;
use crate::script::play;

/// Pressed every five seconds for so long.
fn stick(floor: &mut Floor, device: &str, for_s: u32) {
    for _ in 0..for_s / 5 {
        floor.forward("5s");
        floor.press(device);
    }
}

fn chatter(device: &str) -> Cause {
    Cause::Chatter { device: device.parse().unwrap() }
}

fn has_trouble(floor: &Floor, device: &str) -> bool {
    floor.engine.troubles().any(|(cause, _)| *cause == chatter(device))
}

fn told_again(floor: &Floor) -> usize {
    floor.count(|event| matches!(event, Event::DispatchQueued { purpose: Purpose::PressedAgain, .. }))
}

#[test]
fn it_raises_one_call_and_one_trouble_and_every_press_is_recorded() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    stick(&mut floor, "library/counter-1", 3_600);
    assert_eq!(floor.engine.open_count(), 1);
    assert_eq!(floor.count(|event| matches!(event, Event::PressedAgain { .. })), 720);
    assert_eq!(floor.count(|event| matches!(event, Event::TroubleRaised { cause: Cause::Chatter { .. }, .. })), 1);
}

#[test]
fn whoever_is_going_is_told_every_ten_minutes_instead_of_every_minute() {
    let mut floor = Floor::new(COUNTERS);
    play(&mut floor, "press library/counter-1\nwestside claims");
    stick(&mut floor, "library/counter-1", 300);
    let (in_five_minutes, before) = (told_again(&floor), floor.now);
    assert!(in_five_minutes > 0, "the first minutes may be a hand's");
    stick(&mut floor, "library/counter-1", 3_600);
    let hour = told_again(&floor) - in_five_minutes;
    let centres_and_people = floor.subject().told.len();
    assert!(hour <= 6 * (centres_and_people + 1), "{hour} in an hour since {before}");
}

#[test]
fn a_commitment_is_broken_by_it_once_and_not_for_ever() {
    let mut floor = Floor::new(COUNTERS);
    play(&mut floor, "press library/counter-1");
    stick(&mut floor, "library/counter-1", 240);
    let lapsed = |floor: &Floor| floor.count(|event| matches!(event, Event::CommitmentLapsed { .. }));
    for _ in 0..4 {
        play(&mut floor, "j-smith accepts 15m");
        stick(&mut floor, "library/counter-1", 150);
    }
    assert_eq!(lapsed(&floor), 1, "in ten minutes of chatter");
}

#[test]
fn other_buttons_are_untouched() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    stick(&mut floor, "library/counter-1", 600);
    play(&mut floor, "press library/counter-2\nj-smith accepts 15m\nforward 121s");
    let before = floor.count(|event| matches!(event, Event::CommitmentLapsed { .. }));
    floor.press("library/counter-2");
    assert_eq!(floor.count(|event| matches!(event, Event::CommitmentLapsed { .. })), before + 1);
    assert!(!has_trouble(&floor, "library/counter-2"));
}

#[test]
fn the_trouble_ends_when_it_is_quiet_or_when_the_call_is_closed() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    stick(&mut floor, "library/counter-1", 240);
    assert!(has_trouble(&floor, "library/counter-1"));
    play(&mut floor, "forward 5m\npress library/counter-1");
    assert!(!has_trouble(&floor, "library/counter-1"), "quiet for a while, then a press like any other");
    stick(&mut floor, "library/counter-1", 240);
    assert!(has_trouble(&floor, "library/counter-1"));
    play(&mut floor, "westside closes");
    assert!(!has_trouble(&floor, "library/counter-1"));
    floor.press("library/counter-1");
    assert_eq!(floor.engine.open_count(), 1, "never taken out of service by itself");
}

#[test]
fn what_a_gateway_speaks_for_is_not_judged() {
    let mut floor = Floor::new(COUNTERS);
    for n in 0..400 {
        play(&mut floor, &format!("press library/stranger-{} through gateway-1\nforward 1s", n % 3));
    }
    assert_eq!(floor.engine.troubles().filter(|(cause, _)| matches!(cause, Cause::Chatter { .. })).count(), 0);
}
