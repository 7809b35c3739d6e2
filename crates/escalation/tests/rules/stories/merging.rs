//! The same button again.

use escalation::acknowledgement::Commitment;
use escalation::activation::Stage;
use escalation::dispatch::Purpose;
use escalation::event::{Event, Repeat};
use escalation::input::Input;
use escalation::ladder::Medium;
use escalation::signal::{DeviceClock, Kind, Verb, Via};
use expect_test::expect;

use super::{COUNTERS, PEOPLE};
use crate::floor::{Floor, digest_of, operator, press, signal};
use crate::script::{check, play};

fn repeats(floor: &Floor) -> Vec<(Repeat, u32)> {
    let one = |e: &Event| if let Event::PressedAgain { how, presses, .. } = e { Some((*how, *presses)) } else { None };
    floor.events.iter().filter_map(|(_, e)| one(e)).collect()
}

#[test]
fn the_same_id_is_the_same_press_even_shortly_after_closing() {
    let mut floor = Floor::new(PEOPLE);
    play(
        &mut floor,
        "press library/counter-1 id abc
        press library/counter-1 id abc
        desk closes
        press library/counter-1 id abc",
    );
    assert_eq!(repeats(&floor), [(Repeat::Redelivered, 1), (Repeat::Redelivered, 1)]);
    assert_eq!(floor.engine.activations().count(), 1);
    floor.forward("24h");
    play(&mut floor, "press library/counter-1 id abc");
    assert_eq!(floor.engine.activations().filter(|a| a.is_open()).count(), 1, "a day later it is a press");
}

/// A counter that restarts at 1 must not be silent for a day.
#[test]
fn an_id_that_comes_back_long_after_closing_is_a_new_call_unless_it_is_an_old_copy() {
    let mut floor = Floor::new(PEOPLE);
    let mut first = press("library/counter-1");
    first.id = Some("1".to_owned());
    floor.send(first.clone());
    play(&mut floor, "desk closes\nforward 61s");
    let mut copy = first.clone();
    copy.origin.dup = true;
    floor.send(copy);
    assert_eq!(floor.engine.open_count(), 0, "marked as sent before");
    floor.send(first.clone());
    assert_eq!(floor.engine.open_count(), 1);
    floor.forward("2m");
    let open = floor.subject().id.clone();
    assert_eq!(floor.send(first), open, "and belongs to that one while it is open");
}

/// The mark says that one hop sent it twice, not that the button did: it counts while that hop may still owe us the old one.
#[test]
fn a_brokers_mark_hides_no_press_long_after_closing() {
    let mut floor = Floor::new(PEOPLE);
    let mut press = press("library/counter-1");
    press.id = Some("1".to_owned());
    floor.send(press.clone());
    play(&mut floor, "desk closes\nforward 11m");
    press.origin.dup = true;
    floor.send(press);
    assert_eq!(floor.engine.open_count(), 1);
}

/// A button that boots for every press counts from one, and its clock starts in 1970.
#[test]
fn a_counter_of_a_button_without_a_clock_hides_no_press_after_closing() {
    for (clock, calls) in [(DeviceClock::Unproven, 1), (DeviceClock::Proven, 0)] {
        let mut floor = Floor::new(PEOPLE);
        let mut counted = press("library/counter-1");
        counted.sequence = Some(1);
        counted.clock = clock;
        counted.pressed_at = Some(floor.now);
        floor.send(counted.clone());
        floor.send(counted.clone());
        play(&mut floor, "desk closes");
        floor.send(counted.clone());
        assert_eq!(floor.engine.open_count(), 0, "an echo of the gesture that was closed");
        floor.forward("61s");
        floor.send(counted);
        assert_eq!(floor.engine.open_count(), calls, "a time that is vouched for tells the old one: {clock:?}");
    }
}

/// One key raises for many rooms: it is no gateway, and one room's call must not hide another's.
#[test]
fn places_that_nobody_registered_and_one_key_raised_are_calls_of_their_own() {
    let mut floor = Floor::new(COUNTERS);
    let raised = |place: &str| {
        let mut signal = press(place);
        signal.origin.via = Via::Api;
        signal.origin.client = Some("app".to_owned());
        Input::Raised { signal, by: operator("app") }
    };
    for place in ["library/store-room", "library/kitchen", "library/kitchen"] {
        floor.take(raised(place)).unwrap();
    }
    assert_eq!(floor.engine.open_count(), 2);
    assert_eq!(repeats(&floor), [(Repeat::SameGesture, 2)], "the same place joins its own");
    play(&mut floor, "press library/found-1 through gateway\npress library/found-2 through gateway");
    assert_eq!(floor.engine.open_count(), 3, "behind a gateway they are one");
}

#[test]
fn without_an_id_counter_and_time_tell() {
    let mut floor = Floor::new(PEOPLE);
    let mut counted = press("library/counter-1");
    counted.sequence = Some(7);
    counted.pressed_at = Some(floor.now);
    floor.send(counted.clone());
    floor.forward("2m");
    floor.send(counted.clone());
    counted.sequence = Some(8);
    floor.send(counted);
    assert_eq!(repeats(&floor), [(Repeat::Redelivered, 1), (Repeat::Again, 2)]);
}

#[test]
fn a_minute_is_one_gesture_and_a_gesture_ends() {
    let mut floor = Floor::new(PEOPLE);
    floor.press("library/counter-1");
    for _ in 0..4 {
        floor.forward("50s");
        floor.press("library/counter-1");
    }
    let same = |n| (Repeat::SameGesture, n);
    let again = |n| (Repeat::Again, n);
    assert_eq!(repeats(&floor), [same(2), again(3), same(4), again(5)]);
}

#[test]
fn a_second_try_at_one_message_is_not_a_second_press() {
    let mut floor = Floor::new(PEOPLE);
    floor.press("library/counter-1");
    let mut dup = press("library/counter-1");
    dup.origin.dup = true;
    floor.send(dup.clone());
    dup.evidence.payload_sha256 = Some(digest_of("another"));
    floor.send(dup.clone());
    floor.forward("2m");
    floor.send(dup);
    assert_eq!(repeats(&floor), [(Repeat::Redelivered, 1), (Repeat::SameGesture, 2), (Repeat::Again, 3)], "in doubt it is a press");
}

#[test]
fn i8_a_repeat_press_never_resets_a_timer_and_never_cancels() {
    let mut floor = Floor::new(PEOPLE);
    floor.press("library/counter-1");
    for _ in 0..3 {
        let before = floor.subject().next_due();
        floor.press("library/counter-1");
        assert_eq!(floor.subject().next_due(), before);
        floor.forward("9s");
    }
    floor.skip_messages();
    floor.forward("3s");
    floor.expect_sms("p-nair");
    floor.reply("p-nair", "Y{code}");
    floor.skip_messages();
    let before = floor.subject().next_due();
    floor.forward("90s");
    floor.press("library/counter-1");
    assert_eq!(floor.subject().next_due(), before, "nor that of a commitment");
    assert_eq!(floor.stage(), Stage::Committed(Commitment::Going));
}

#[test]
fn pressed_again_is_told_to_whoever_is_going_and_to_the_centre() {
    let mut floor = Floor::new(COUNTERS);
    play(&mut floor, "press library/counter-1\nreply j-smith Y{code}\nforward 70s");
    floor.skip_messages();
    floor.press("library/counter-1");
    floor.expect("j-smith", Medium::Sms, Purpose::PressedAgain);
    floor.expect("westside", Medium::Webhook, Purpose::PressedAgain);
    floor.expect_nothing_silent();
    floor.forward("30s");
    floor.press("library/counter-1");
    floor.expect_nothing_silent();
}

#[test]
fn pressed_again_reaches_someone_who_accepted_through_the_desk() {
    let mut floor = Floor::new(PEOPLE);
    play(&mut floor, "press library/counter-1\np-nair accepts 10m\nforward 70s");
    floor.skip_messages();
    floor.press("library/counter-1");
    floor.expect("p-nair", Medium::Sms, Purpose::PressedAgain);
    floor.expect_nothing_silent();
}

#[test]
fn a_press_more_than_two_minutes_after_an_accept_resumes_the_climb() {
    check(
        COUNTERS,
        "press library/counter-1
        reply j-smith Y{code}
        forward 121s
        press library/counter-1",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-1.1 sms to j-smith: alarm code 47
            > reply j-smith Y{code}
            0s        KAL-1 j-smith accepts: Going until 600s
            0s          KAL-1.2 sms to j-smith: confirmed code 47
            0s          KAL-1.3 webhook to westside: alarm
            > forward 121s
            > press library/counter-1
            121s      KAL-1 pressed again, 2 presses (Again)
            121s        KAL-1.4 webhook to westside: pressed_again
            121s        KAL-1.5 sms to j-smith: pressed_again code 47
            121s      KAL-1 commitment lapsed (PressedAgain)
            121s      KAL-1 rung 2 until 166s (PressedAgain): p-nair by sms+email, duty by sms
            121s        KAL-1.6 sms to p-nair: alarm code 47
            121s        KAL-1.7 email to p-nair: alarm
            121s        KAL-1.8 sms to duty: alarm code 47
        "#]],
    );
}

/// Someone who keeps pressing is one gesture after another, and none of them may hide that it is long after the accept.
#[test]
fn pressing_on_and_on_resumes_the_climb_too() {
    let mut floor = Floor::new(PEOPLE);
    play(&mut floor, "press library/counter-1\nreply j-smith Y{code}");
    for _ in 0..13 {
        floor.forward("10s");
        floor.press("library/counter-1");
    }
    assert_eq!(floor.stage(), Stage::Climbing);
}

#[test]
fn after_closing_a_press_is_a_new_call() {
    let mut floor = Floor::new(PEOPLE);
    let first = floor.press("library/counter-1");
    play(&mut floor, "desk closes");
    floor.skip_messages();
    let second = floor.press("library/counter-1");
    assert_ne!(first, second);
    floor.expect_sms("j-smith");
}

#[test]
fn support_medical_and_duress_stay_apart_so_that_none_hides_another() {
    let mut floor = Floor::new(PEOPLE);
    for device in ["library/counter-1", "library/unregistered"] {
        let assist = floor.send(signal(device, Verb::Press { kind: Some(Kind::Assist), style: None }));
        let duress = floor.press(device);
        assert_ne!(assist, duress, "{device}");
        let medical = floor.send(signal(device, Verb::Press { kind: Some(Kind::Medical), style: None }));
        assert!(medical != assist && medical != duress, "{device}");
        assert_eq!(floor.send(signal(device, Verb::Press { kind: Some(Kind::Panic), style: None })), duress);
        let last = floor.events.last().map(|(_, event)| event);
        assert!(matches!(last, Some(Event::PressedAgain { kind: Some(Kind::Panic), .. })), "the record says which: {last:?}");
        assert_eq!(floor.press(device), duress);
        assert_eq!(floor.send(signal(device, Verb::Press { kind: Some(Kind::Assist), style: None })), assist);
    }
}

#[test]
fn two_buttons_of_one_place_are_two_calls() {
    let mut floor = Floor::new(COUNTERS);
    assert_ne!(floor.press("library/counter-1"), floor.press("library/counter-2"));
}

#[test]
fn a_cancel_is_a_state_to_verify() {
    check(
        PEOPLE,
        "press library/counter-1
        cancel library/counter-1
        forward 30s
        desk closes
        cancel library/counter-1",
        expect![[r#"
            > press library/counter-1
            0s        LIB-1 raised: duress at library/counter-1 of default (Registered, Live { up_to_s: None }, Ladder)
            0s        LIB-1 rung 1 until 30s (Raised): j-smith by sms
            0s          LIB-1.1 sms to j-smith: alarm code 47
            > cancel library/counter-1
            0s        LIB-1 cancel asked
            > forward 30s
            30s       LIB-1 rung 2 until 60s (WaitOver): p-nair by sms
            30s         LIB-1.2 sms to p-nair: alarm code 47
            > desk closes
            30s       LIB-1 closed by desk: Attended, 7 entries
            30s         LIB-1.3 sms to j-smith: stand_down
            30s         LIB-1.4 sms to p-nair: stand_down
            > cancel library/counter-1
            30s       library/counter-1 says Cancel
        "#]],
    );
}

/// An old press asks first; the person who then presses live waits for nobody.
#[test]
fn a_live_press_behind_one_that_was_asked_first_starts_the_ladder() {
    let mut floor = Floor::new(COUNTERS);
    let mut kept = press("library/counter-1");
    kept.origin.retained = true;
    floor.send(kept.clone());
    floor.expect("westside", Medium::Webhook, Purpose::AskFirst);
    floor.forward("5s");
    kept.evidence.payload_sha256 = Some(digest_of("another kept copy"));
    floor.send(kept);
    floor.expect_nothing_silent();
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    floor.expect_nothing_silent();
    let until = floor.subject().next_due();
    floor.press("library/counter-1");
    assert_eq!(floor.subject().next_due(), until, "i8: once");
}

/// Whoever was asked first and goes holds the ladder, as ever.
#[test]
fn a_live_press_behind_an_accept_of_one_who_was_asked_first_does_not_start_it() {
    let mut floor = Floor::new(PEOPLE);
    let mut kept = press("library/counter-1");
    kept.origin.retained = true;
    floor.send(kept);
    floor.reply("j-smith", "Y{code}");
    floor.skip_messages();
    floor.press("library/counter-1");
    assert_eq!(floor.stage(), Stage::Committed(Commitment::Going));
    floor.expect_nothing_silent();
}

#[test]
fn a_reused_id_never_hides_duress_behind_a_medical_call() {
    let mut floor = Floor::new(PEOPLE);
    let said = |kind| {
        let mut said = signal("library/counter-1", Verb::Press { kind: Some(kind), style: None });
        said.id = Some("1".to_owned());
        said
    };
    let medical = floor.send(said(Kind::Medical));
    assert_ne!(floor.send(said(Kind::Duress)), medical);
}
