//! Guarded closing: what a site closes on beside one person's word, and that a word alone stops nothing.

use escalation::activation::Stage;
use escalation::event::Event;

use super::COUNTERS;
use crate::floor::Floor;
use crate::script::play;

fn guarded(when: &str) -> Floor {
    let site = "customer = \"kalamunda\"\nname = \"Kalamunda Library\"";
    Floor::new(&COUNTERS.replace(site, &format!("{site}\nclose_guard = \"{when}\"")))
}

fn is_closed(when: &str, script: &str) -> bool {
    let mut floor = guarded(when);
    play(&mut floor, &format!("press library/counter-1\n{script}"));
    floor.stage() == Stage::Closed
}

#[test]
fn a_site_says_when_one_word_is_not_enough() {
    for (when, plain, cancelled, police) in
        [("off", true, true, true), ("after_cancel", true, false, false), ("always", false, false, false)]
    {
        assert_eq!(is_closed(when, "westside closes"), plain, "{when}");
        assert_eq!(is_closed(when, "cancel library/counter-1\nwestside closes"), cancelled, "{when} after a cancel");
        assert_eq!(is_closed(when, "j-smith needs police\nwestside closes"), police, "{when} with police");
    }
}

#[test]
fn a_second_human_bears_it_out_and_the_same_one_does_not() {
    for (said, closes, enough) in [
        ("desk says safe as Jane", "desk closes as Bob", true),
        ("desk says safe as j-smith", "night closes as p-nair", true),
        ("desk says safe as Jane", "night closes", true),
        ("desk says safe as Jane", "desk closes as Jane", false),
        ("desk says safe as Jane", "desk closes", false),
        ("desk says safe as j-smith", "desk closes", false),
        ("desk says safe as j-smith", "night closes as j-smith", false),
    ] {
        assert_eq!(is_closed("always", &format!("{said}\n{closes}")), enough, "{said}, {closes}");
    }
}

#[test]
fn whoever_stands_there_is_believed_and_whoever_fell_silent_is_not() {
    assert!(is_closed("always", "j-smith arrives\ndesk says safe as j-smith\ndesk closes as j-smith"));
    let mut floor = guarded("always");
    play(&mut floor, "press library/counter-1\nj-smith arrives\nforward 6m");
    floor.subject = Some("KAL-1".parse().unwrap());
    play(&mut floor, "desk says safe as j-smith\ndesk closes as j-smith");
    assert_ne!(floor.stage(), Stage::Closed);
}

#[test]
fn the_polices_reference_bears_it_out_and_their_being_rung_does_not() {
    assert!(is_closed("always", "j-smith rang police\nwestside closes"));
    assert!(!is_closed("always", "tap j-smith rung\nwestside closes"));
}

#[test]
fn a_press_takes_back_what_was_said_before_it() {
    assert!(!is_closed("always", "desk says safe as Jane\nforward 2m\npress library/counter-1\ndesk closes as Bob"));
}

#[test]
fn support_is_closed_by_anyone_with_one_word() {
    let mut floor = guarded("always");
    play(&mut floor, "press library/counter-1 assist\nwestside closes");
    assert_eq!(floor.stage(), Stage::Closed);
}

#[test]
fn saying_that_it_is_over_stops_nothing() {
    let mut floor = guarded("off");
    play(&mut floor, "press library/counter-1\ndesk says safe as Jane\nforward 31s");
    assert_eq!(floor.count(|event| matches!(event, Event::RungEntered { .. })), 2);
}

#[test]
fn an_open_call_keeps_the_guard_that_it_was_raised_with() {
    let mut floor = guarded("always");
    play(&mut floor, "press library/counter-1");
    floor.adopt(COUNTERS);
    play(&mut floor, "westside closes");
    assert_ne!(floor.stage(), Stage::Closed);
}
