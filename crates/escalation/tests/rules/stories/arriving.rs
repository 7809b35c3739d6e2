//! Who has arrived: their check, the call for whoever falls silent, and help from their own page.

use escalation::acknowledgement::{Gesture, Reply};
use escalation::activation::{Check, Stage};
use escalation::dispatch::{Purpose, Recipient};
use escalation::event::Event;
use escalation::ladder::Medium;
use escalation::signal::Kind;
use expect_test::expect;

use super::{COUNTERS, PEOPLE};
use crate::floor::Floor;
use crate::script::{check, play};

fn raised(floor: &Floor, kind: Kind) -> usize {
    floor.count(|event| matches!(event, Event::Raised(raised) if raised.kind == kind))
}

#[test]
fn who_has_arrived_is_asked_whether_they_are_safe_and_silence_sends_help_to_them() {
    check(
        COUNTERS,
        "press library/counter-1
        forward 40s
        reply p-nair Y{code}
        tap p-nair arrived
        forward 3m
        forward 2m",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-1.1 sms to j-smith: alarm code 47
            > forward 40s
            30s       KAL-1 rung 2 until 75s (WaitOver): p-nair by sms+email, duty by sms
            30s         KAL-1.2 sms to p-nair: alarm code 47
            30s         KAL-1.3 email to p-nair: alarm
            30s         KAL-1.4 sms to duty: alarm code 47
            > reply p-nair Y{code}
            40s       KAL-1 p-nair accepts: Going until 640s
            40s         KAL-1.5 sms to p-nair: confirmed code 47
            40s         KAL-1.6 sms to j-smith: someone_going code 47
            40s         KAL-1.7 sms to duty: someone_going code 47
            40s         KAL-1.8 webhook to westside: alarm
            > tap p-nair arrived
            40s       KAL-1 p-nair on the page arrives: asked at 220s, silent at 340s
            > forward 3m
            220s      KAL-1 arrival 0 safe? until 340s
            220s        KAL-1.9 sms to p-nair: are_you_safe code 47
            > forward 2m
            340s      KAL-1 arrival 0 SILENT: KAL-2
            340s      KAL-2 raised with KAL-1: welfare at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            340s      KAL-2 rung 1 until 370s (Raised): j-smith by sms then email
            340s        KAL-2.1 sms to j-smith: alarm code 84
            340s      KAL-1 commitment lapsed (FellSilent)
            340s      KAL-1 rung 3 until 400s (Resumed): westside by webhook
            340s        KAL-1.10 webhook to westside: alarm_again
        "#]],
    );
}

/// F24: a responder walks in after another who does not answer.
#[test]
fn whoever_else_is_going_is_warned_when_a_colleague_falls_silent() {
    let mut floor = Floor::new(COUNTERS);
    play(&mut floor, "press library/counter-1\nforward 40s\nreply p-nair Y{code}\nreply j-smith Y{code}\ntap p-nair arrived");
    floor.skip_messages();
    play(&mut floor, "forward 3m");
    floor.expect("p-nair", Medium::Sms, Purpose::AreYouSafe);
    play(&mut floor, "forward 2m");
    floor.expect("j-smith", Medium::Sms, Purpose::ColleagueSilent);
    let warned = |name: &str| {
        let purposes = floor.engine.outbox().filter(|(_, owed)| owed.purpose == Purpose::ColleagueSilent);
        purposes.filter(|(_, owed)| floor.name_of(&owed.to) == name).count()
    };
    assert_eq!((warned("p-nair"), warned("duty")), (0, 0), "neither the silent one nor who never went");
}

#[test]
fn every_word_of_theirs_begins_the_check_anew() {
    for word in ["reply j-smith Y{code}", "tap j-smith arrived", "tap j-smith going", "j-smith arrives"] {
        let mut floor = Floor::new(PEOPLE);
        play(&mut floor, "press library/counter-1\nreply j-smith Y{code}\ntap j-smith arrived");
        for _ in 0..20 {
            floor.forward("4m");
            assert_eq!(floor.subject().arrivals[0].check, Check::Asked, "{word}");
            play(&mut floor, word);
            assert_eq!(floor.subject().arrivals[0].check, Check::Heard, "{word}");
        }
        assert_eq!(raised(&floor, Kind::Welfare), 0, "{word}");
        assert!(matches!(floor.stage(), Stage::Committed(_)), "who is there is not asked whether they are still going");
    }
}

#[test]
fn who_leaves_is_no_longer_asked_and_the_climb_goes_on() {
    let mut floor = Floor::new(PEOPLE);
    play(&mut floor, "press library/counter-1\nreply j-smith Y{code}\ntap j-smith arrived\nforward 1m\nreply j-smith N{code}");
    assert_eq!((floor.stage(), floor.subject().arrivals[0].check), (Stage::Climbing, Check::Over));
    play(&mut floor, "forward 20m");
    assert_eq!(raised(&floor, Kind::Welfare), 0);
    assert_eq!(floor.count(|event| matches!(event, Event::SafetyAsked { .. })), 0);
}

#[test]
fn arriving_commits_who_had_said_nothing() {
    for how in ["j-smith arrives", "tap j-smith arrived"] {
        let mut floor = Floor::new(PEOPLE);
        play(&mut floor, &format!("press library/counter-1\n{how}"));
        assert!(matches!(floor.stage(), Stage::Committed(_)), "{how}");
        assert!(floor.subject().next_due().is_some(), "i3: their check is what it waits for");
    }
}

#[test]
fn a_closed_call_asks_nobody_whether_they_are_safe() {
    let mut floor = Floor::new(PEOPLE);
    play(&mut floor, "press library/counter-1\ntap j-smith arrived\nwestside closes\nforward 1h");
    assert_eq!(floor.count(|event| matches!(event, Event::SafetyAsked { .. } | Event::FellSilent { .. })), 0);
}

#[test]
fn several_who_fall_silent_at_once_get_a_call_each_and_no_code_means_two_calls() {
    let mut floor = Floor::new(COUNTERS);
    play(&mut floor, "press library/counter-1\nforward 40s\ntap p-nair arrived\ntap duty arrived");
    floor.forward("10m");
    assert_eq!(raised(&floor, Kind::Welfare), 2);
    let mut meanings = std::collections::BTreeSet::new();
    for (_, event) in &floor.events {
        if let Event::DispatchQueued { act, to, code: Some(code), .. } = event {
            meanings.insert((to.contact(), *code, act.clone()));
        }
    }
    let codes: std::collections::BTreeSet<_> = meanings.iter().map(|(contact, code, _)| (*contact, *code)).collect();
    assert_eq!(codes.len(), meanings.len(), "{meanings:?}");
}

#[test]
fn whom_a_call_is_for_is_not_asked_to_go() {
    let mut floor = Floor::new(COUNTERS);
    play(&mut floor, "press library/counter-1\nforward 40s\ntap p-nair arrived");
    floor.forward("5m");
    let welfare = floor.engine.activations().find(|act| act.kind == Kind::Welfare).map(|act| act.id.clone());
    floor.forward("30m");
    let nair = floor.person("p-nair");
    let asked = floor.count(|event| {
        let Event::DispatchQueued { act, to: Recipient::Person { person, .. }, purpose, .. } = event else { return false };
        Some(act) == welfare.as_ref() && purpose.is_alarm() && person.person == nair
    });
    assert_eq!(asked, 0);
}

#[test]
fn a_responder_who_needs_help_raises_a_call_of_their_own_that_hides_in_no_other() {
    let mut floor = Floor::new(PEOPLE);
    let parent = floor.press("library/counter-1");
    play(&mut floor, "reply j-smith Y{code}");
    for times in 1..=3 {
        floor.subject = Some(parent.clone());
        floor.tap("j-smith", Reply::InNeed, Gesture::Shown);
        assert_eq!(raised(&floor, Kind::Duress), 2, "pressing again joins their own call");
        assert_eq!(floor.subject().presses, times);
        assert_ne!(floor.subject, Some(parent.clone()));
    }
    assert_eq!(floor.press("library/counter-1"), parent, "and the button's presses stay with its own");
    assert_eq!(floor.count(|event| matches!(event, Event::TroubleRaised { .. })), 0, "whoever needs help is no gap of the ladder");
}

#[test]
fn a_call_for_help_needs_no_gesture_and_never_comes_too_late() {
    let mut floor = Floor::new(PEOPLE);
    let parent = floor.press("library/counter-1");
    play(&mut floor, "reply j-smith Y{code}\nwestside closes");
    floor.skip_messages();
    floor.subject = Some(parent.clone());
    floor.tap("j-smith", Reply::InNeed, Gesture::Missing);
    assert_eq!(raised(&floor, Kind::Duress), 2);
    assert_ne!(floor.subject, Some(parent));
    floor.forward("0s");
    floor.expect("p-nair", Medium::Sms, Purpose::Alarm);
    floor.expect_nothing_silent();
}
