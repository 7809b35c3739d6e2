//! Reopening: the ladder begins anew, and what was said of a call that was over does not count for this one.

use escalation::activation::Stage;
use escalation::dispatch::Purpose;
use escalation::event::Event;
use escalation::ladder::Medium;
use expect_test::expect;

use super::{COUNTERS, PEOPLE};
use crate::floor::Floor;
use crate::script::{check, play};

#[test]
fn what_is_opened_again_climbs_from_the_first_rung_and_whoever_went_is_asked_anew() {
    check(
        PEOPLE,
        "press library/counter-1
        reply j-smith Y{code}
        forward 60s
        desk closes
        forward 60s
        desk reopens
        forward 31s
        reply p-nair Y{code}
        desk closes",
        expect![[r#"
            > press library/counter-1
            0s        LIB-1 raised: duress at library/counter-1 of default (Registered, Live { up_to_s: None }, Ladder)
            0s        LIB-1 rung 1 until 30s (Raised): j-smith by sms
            0s          LIB-1.1 sms to j-smith: alarm code 47
            > reply j-smith Y{code}
            0s        LIB-1 j-smith accepts: Going until 600s
            0s          LIB-1.2 sms to j-smith: confirmed code 47
            > forward 60s
            > desk closes
            60s       LIB-1 closed by desk: Attended, 6 entries
            60s         LIB-1.3 sms to j-smith: stand_down
            > forward 60s
            > desk reopens
            120s      LIB-1 OPENED AGAIN by desk
            120s      LIB-1 rung 1 until 150s (Reopened): j-smith by sms
            120s        LIB-1.4 sms to j-smith: alarm_again code 47
            > forward 31s
            150s      LIB-1 rung 2 until 180s (WaitOver): p-nair by sms
            150s        LIB-1.5 sms to p-nair: alarm code 47
            > reply p-nair Y{code}
            151s      LIB-1 p-nair accepts: Going until 751s
            151s        LIB-1.6 sms to p-nair: confirmed code 47
            151s        LIB-1.7 sms to j-smith: someone_going code 47
            > desk closes
            151s      LIB-1 closed by desk: Attended, 16 entries
            151s        LIB-1.8 sms to j-smith: stand_down
            151s        LIB-1.9 sms to p-nair: stand_down
        "#]],
    );
}

#[test]
fn only_what_is_closed_is_opened_again_and_within_a_day() {
    let mut floor = Floor::new(PEOPLE);
    let act = floor.press("library/counter-1");
    play(&mut floor, "desk reopens");
    assert_eq!(floor.timeline.last().map(String::as_str), Some("0s        refused: LIB-1 is open"));
    play(&mut floor, "desk closes\nforward 23h\ndesk reopens");
    assert_eq!(floor.stage(), Stage::Climbing);
    play(&mut floor, "desk closes\nforward 24h");
    assert!(floor.engine.activation(&act).is_none(), "a day after the second closing, not after the first");
    play(&mut floor, "desk reopens");
    assert!(floor.timeline.last().is_some_and(|line| line.contains("refused: there is no activation LIB-1")));
}

#[test]
fn a_press_joins_what_is_open_again_unless_the_button_has_called_anew() {
    let mut floor = Floor::new(PEOPLE);
    let first = floor.press("library/counter-1");
    play(&mut floor, "desk closes\ndesk reopens\nforward 2m");
    assert_eq!(floor.press("library/counter-1"), first);
    play(&mut floor, "desk closes\nforward 2m");
    let second = floor.press("library/counter-1");
    assert_ne!(second, first);
    floor.subject = Some(first.clone());
    play(&mut floor, "desk reopens");
    assert_eq!(floor.engine.open_count(), 2);
    assert_eq!(floor.press("library/counter-1"), second);
    for act in [second, first] {
        floor.subject = Some(act);
        play(&mut floor, "desk closes");
    }
    assert_eq!(floor.engine.open_count(), 0);
}

#[test]
fn everyone_alarmed_is_stood_down_once_for_each_closing() {
    let mut floor = Floor::new(PEOPLE);
    play(&mut floor, "press library/counter-1\ndesk closes\ndesk reopens\ndesk closes");
    for _ in 0..2 {
        floor.expect("j-smith", Medium::Sms, Purpose::StandDown);
    }
    assert_eq!(floor.count(|event| matches!(event, Event::DispatchQueued { purpose: Purpose::StandDown, .. })), 2);
}

#[test]
fn nobody_owns_or_holds_what_is_opened_again() {
    let mut floor = Floor::new(COUNTERS);
    play(&mut floor, "press library/counter-1\nwestside claims\nwestside holds 300s\nwestside closes\nwestside reopens");
    assert!(floor.subject().claim.is_none() && floor.subject().hold.is_none());
    assert_eq!(floor.stage(), Stage::Climbing);
}

#[test]
fn what_was_delivered_before_the_closing_reaches_nobody_now() {
    let mut floor = Floor::new(COUNTERS);
    play(&mut floor, "press library/counter-1\ndelivered sms to j-smith\nwestside closes\nwestside reopens\nfailed sms to j-smith");
    floor.expect("j-smith", Medium::Email, Purpose::Alarm);
}
