//! The police: who says that they are needed, who is asked to ring, and that only a person's word says that they were rung.

use escalation::dispatch::Purpose;
use escalation::event::Event;
use escalation::ladder::Medium;
use expect_test::expect;

use super::{COUNTERS, PEOPLE};
use crate::floor::Floor;
use crate::script::{check, play};

fn asked_to_ring(floor: &Floor) -> usize {
    floor.count(|event| matches!(event, Event::DispatchQueued { purpose: Purpose::RingPolice | Purpose::HasAnyoneRung, .. }))
}

#[test]
fn without_a_claimed_centre_the_answerer_is_told_to_ring_and_others_are_asked_until_one_says_so() {
    check(
        COUNTERS,
        "press library/counter-1
        forward 40s
        reply p-nair Y{code}
        tap p-nair police
        forward 31s
        forward 60s
        tap duty rung
        forward 5m",
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
            > tap p-nair police
            40s       KAL-1 p-nair on the page needs the police (None), rung by 70s
            40s         KAL-1.9 webhook to westside: ring_police
            > forward 31s
            70s       KAL-1 police unrung, told true, again at 130s
            70s         KAL-1.10 sms to p-nair: ring_police
            70s         KAL-1.11 sms to j-smith: has_anyone_rung
            70s         KAL-1.12 sms to duty: has_anyone_rung
            70s         KAL-1.13 webhook to westside: has_anyone_rung
            > forward 60s
            130s      KAL-1 police unrung, told true, again at 190s
            130s        KAL-1.14 sms to p-nair: ring_police
            130s        KAL-1.15 sms to j-smith: has_anyone_rung
            130s        KAL-1.16 sms to duty: has_anyone_rung
            130s        KAL-1.17 webhook to westside: has_anyone_rung
            > tap duty rung
            131s      KAL-1 duty on the page says the police were rung
            > forward 5m
        "#]],
    );
}

#[test]
fn a_centre_that_has_claimed_has_a_minute_more_and_no_longer() {
    let mut floor = Floor::new(COUNTERS);
    play(&mut floor, "press library/counter-1\nreply j-smith Y{code}\nwestside claims\nj-smith needs police\nforward 30s");
    floor.skip_messages();
    assert_eq!(floor.count(|event| matches!(event, Event::PoliceUnrung { told: false, .. })), 1);
    play(&mut floor, "westside notes\nforward 60s");
    floor.expect("j-smith", Medium::Sms, Purpose::RingPolice);
}

#[test]
fn nobody_is_asked_once_somebody_has_said_that_they_rang_or_it_is_closed() {
    for end in ["j-smith rang police", "tap j-smith rung", "westside closes"] {
        let mut floor = Floor::new(PEOPLE);
        play(&mut floor, &format!("press library/counter-1\nreply j-smith Y{{code}}\nj-smith needs police\nforward 3m\n{end}"));
        let before = asked_to_ring(&floor);
        assert!(before > 0);
        floor.forward("1h");
        assert_eq!(asked_to_ring(&floor), before, "{end}");
    }
}

#[test]
fn until_then_it_is_asked_without_end_and_said_once_more_moves_nothing() {
    let mut floor = Floor::new(PEOPLE);
    play(&mut floor, "press library/counter-1\nj-smith needs police\nforward 20s\nj-smith needs police\nforward 10s");
    assert_eq!(floor.count(|event| matches!(event, Event::PoliceUnrung { .. })), 1, "30 s from the first");
    let mut before = asked_to_ring(&floor);
    for _ in 0..6 {
        floor.forward("10m");
        assert!(asked_to_ring(&floor) > before);
        before = asked_to_ring(&floor);
    }
}

#[test]
fn rung_at_once_asks_nobody() {
    let mut floor = Floor::new(PEOPLE);
    play(&mut floor, "press library/counter-1\nj-smith rang police\nforward 1h");
    assert_eq!(asked_to_ring(&floor), 0);
    assert!(floor.subject().police.is_some_and(|police| police.rung_at.is_some()));
}
