//! Owning a call: what a hold quiets and for how long, and that a hand-over is none until it is taken.

use escalation::activation::Stage;
use escalation::event::Event;
use expect_test::expect;

use super::{COUNTERS, PEOPLE};
use crate::floor::Floor;
use crate::script::{check, play};

fn owner(floor: &Floor) -> Option<&str> {
    floor.subject().claim.as_ref().map(|claim| claim.by.principal.as_str())
}

fn rungs(floor: &Floor) -> usize {
    floor.count(|event| matches!(event, Event::RungEntered { .. }))
}

#[test]
fn a_hold_buys_the_time_that_was_said_and_the_ladder_goes_on_by_itself() {
    check(
        COUNTERS,
        "press library/counter-1
        westside claims
        westside holds 100s
        forward 5m",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-1.1 sms to j-smith: alarm code 47
            > westside claims
            0s        KAL-1 claimed by westside until 120s
            > westside holds 100s
            0s        KAL-1 held by westside until 100s
            > forward 5m
            100s      KAL-1 hold ended (TimeOver)
            100s      KAL-1 rung 2 until 145s (WaitOver): p-nair by sms+email, duty by sms
            100s        KAL-1.2 sms to p-nair: alarm code 47
            100s        KAL-1.3 email to p-nair: alarm
            100s        KAL-1.4 sms to duty: alarm code 47
            120s      KAL-1 claim lapsed
            145s      KAL-1 rung 3 until 205s (WaitOver): westside by webhook
            145s        KAL-1.5 webhook to westside: alarm
            205s      KAL-1 EXHAUSTED
            205s      KAL-1 round 1 (everyone): j-smith by sms then email, p-nair by sms+email, duty by sms, westside by webhook
            205s        KAL-1.6 sms to j-smith: alarm_again code 47
            205s        KAL-1.7 sms to p-nair: alarm_again code 47
            205s        KAL-1.8 email to p-nair: alarm_again
            205s        KAL-1.9 sms to duty: alarm_again code 47
            205s        KAL-1.10 webhook to westside: alarm_again
            265s      KAL-1 round 2 (everyone): j-smith by sms then email, p-nair by sms+email, duty by sms, westside by webhook
            265s        KAL-1.11 sms to j-smith: alarm_again code 47
            265s        KAL-1.12 sms to p-nair: alarm_again code 47
            265s        KAL-1.13 email to p-nair: alarm_again
            265s        KAL-1.14 sms to duty: alarm_again code 47
            265s        KAL-1.15 webhook to westside: alarm_again
        "#]],
    );
}

#[test]
fn a_hold_that_ends_before_the_rung_does_tries_what_had_failed_meanwhile() {
    check(
        COUNTERS,
        "press library/counter-1
        westside claims
        westside holds 20s
        failed sms to j-smith
        forward 21s",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-1.1 sms to j-smith: alarm code 47
            > westside claims
            0s        KAL-1 claimed by westside until 120s
            > westside holds 20s
            0s        KAL-1 held by westside until 20s
            > failed sms to j-smith
            0s          KAL-1.1 is Failed(Unavailable)
            > forward 21s
            20s       KAL-1 hold ended (TimeOver)
            20s         KAL-1.2 email to j-smith: alarm
        "#]],
    );
}

#[test]
fn only_the_owner_holds_and_not_for_long_and_not_for_ever() {
    check(
        PEOPLE,
        "press library/counter-1
        westside holds 60s
        westside claims
        eastside holds 60s
        westside holds 301s
        westside holds 0s
        westside holds 300s
        forward 200s
        westside holds 300s
        westside holds 300s
        forward 100s
        westside holds 10s",
        expect![[r#"
            > press library/counter-1
            0s        LIB-1 raised: duress at library/counter-1 of default (Registered, Live { up_to_s: None }, Ladder)
            0s        LIB-1 rung 1 until 30s (Raised): j-smith by sms
            0s          LIB-1.1 sms to j-smith: alarm code 47
            > westside holds 60s
            0s        refused: only the operator who has claimed LIB-1 can hold it or hand it over; claim it first
            > westside claims
            0s        LIB-1 claimed by westside until 120s
            > eastside holds 60s
            0s        refused: only the operator who has claimed LIB-1 can hold it or hand it over; claim it first
            > westside holds 301s
            0s        refused: a hold is between 1 s and 300 s
            > westside holds 0s
            0s        refused: a hold is between 1 s and 300 s
            > westside holds 300s
            0s        LIB-1 held by westside until 300s
            0s        LIB-1 claimed by westside until 300s
            > forward 200s
            > westside holds 300s
            200s      LIB-1 held by westside until 500s
            200s      LIB-1 claimed by westside until 500s
            > westside holds 300s
            200s      LIB-1 held by westside until 500s
            > forward 100s
            > westside holds 10s
            300s      refused: a ladder is held three times in a row at most; let it go on, or escalate
        "#]],
    );
    let mut floor = Floor::new(PEOPLE);
    play(&mut floor, "press library/counter-1\nforward 61s\nwestside claims");
    assert_eq!(floor.stage(), Stage::Exhausted);
    play(&mut floor, "westside holds 60s");
    assert_eq!(floor.stage(), Stage::Exhausted, "nobody came: that is no time to be quiet");
}

#[test]
fn once_the_ladder_has_moved_it_may_be_held_again() {
    let mut floor = Floor::new(COUNTERS);
    play(&mut floor, "press library/counter-1\nwestside claims");
    for _ in 0..3 {
        play(&mut floor, "westside holds 40s");
    }
    play(&mut floor, "forward 41s\nwestside holds 40s");
    assert_eq!(floor.stage(), Stage::Held);
    assert_eq!(rungs(&floor), 2);
}

#[test]
fn an_escalation_ends_a_hold_and_so_does_a_press_long_after() {
    for end in ["westside escalates next", "forward 121s\npress library/counter-1"] {
        let mut floor = Floor::new(COUNTERS);
        play(&mut floor, &format!("press library/counter-1\nwestside claims\nwestside holds 300s\n{end}"));
        assert_eq!((floor.stage(), rungs(&floor)), (Stage::Climbing, 2), "{end}");
    }
    let mut floor = Floor::new(COUNTERS);
    play(&mut floor, "press library/counter-1\nwestside claims\nwestside holds 300s\nforward 100s\npress library/counter-1");
    assert_eq!((floor.stage(), rungs(&floor)), (Stage::Held, 1));
}

#[test]
fn whoever_was_going_and_no_longer_is_ends_a_hold() {
    for gone in ["reply j-smith N{code}", "forward 12m"] {
        let mut floor = Floor::new(COUNTERS);
        play(&mut floor, "press library/counter-1\nreply j-smith Y{code}\nforward 500s\nwestside claims\nwestside holds 300s");
        play(&mut floor, gone);
        assert!(floor.subject().hold.is_none() && rungs(&floor) > 1, "{gone}");
    }
}

#[test]
fn the_owner_may_be_silent_for_as_long_as_they_said() {
    check(
        PEOPLE,
        "press library/counter-1
        westside claims
        westside holds 200s
        westside notes
        forward 199s",
        expect![[r#"
            > press library/counter-1
            0s        LIB-1 raised: duress at library/counter-1 of default (Registered, Live { up_to_s: None }, Ladder)
            0s        LIB-1 rung 1 until 30s (Raised): j-smith by sms
            0s          LIB-1.1 sms to j-smith: alarm code 47
            > westside claims
            0s        LIB-1 claimed by westside until 120s
            > westside holds 200s
            0s        LIB-1 held by westside until 200s
            0s        LIB-1 claimed by westside until 200s
            > westside notes
            0s        LIB-1 note by westside
            > forward 199s
        "#]],
    );
}

#[test]
fn a_hand_over_is_complete_only_when_the_other_takes_it() {
    let mut floor = Floor::new(COUNTERS);
    play(&mut floor, "press library/counter-1\nwestside claims\nwestside hands over to duty");
    assert_eq!(owner(&floor), Some("westside"));
    play(&mut floor, "night claims\nnight claims as j-smith\nnight claims as Bob");
    assert_eq!(owner(&floor), Some("westside"), "neither a key without a name nor anybody else");
    play(&mut floor, "night claims as duty");
    assert_eq!(owner(&floor), Some("night"));
    assert!(floor.subject().offer.is_none());
    play(&mut floor, "westside holds 60s");
    assert!(floor.subject().hold.is_none(), "it is theirs no longer");
}

#[test]
fn somebody_of_no_directory_takes_over_in_the_name_that_was_said() {
    let mut floor = Floor::new(COUNTERS);
    play(
        &mut floor,
        "press library/counter-1\nwestside claims\nwestside hands over to Jane\nwestside claims as Bob\nwestside claims as Jane",
    );
    let claim = floor.subject().claim.clone().unwrap();
    assert!(claim.by.actor_key.is_some() && floor.subject().offer.is_none());
    play(&mut floor, "westside claims as Jane\nwestside claims");
    assert_eq!(floor.subject().claim.as_ref().map(|claim| &claim.by), Some(&claim.by), "a key without a name is not Jane");
}

#[test]
fn silence_gives_it_back_and_ends_what_was_held() {
    check(
        COUNTERS,
        "press library/counter-1
        westside claims
        westside holds 300s
        westside hands over to duty
        forward 3m",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-1.1 sms to j-smith: alarm code 47
            > westside claims
            0s        KAL-1 claimed by westside until 120s
            > westside holds 300s
            0s        KAL-1 held by westside until 300s
            0s        KAL-1 claimed by westside until 300s
            > westside hands over to duty
            0s        KAL-1 westside asks duty to take over until 60s
            > forward 3m
            60s       KAL-1 not taken over (Silence), claim until 180s
            60s       KAL-1 hold ended (HandOverUnanswered)
            60s       KAL-1 rung 2 until 105s (Resumed): p-nair by sms+email, duty by sms
            60s         KAL-1.2 sms to p-nair: alarm code 47
            60s         KAL-1.3 email to p-nair: alarm
            60s         KAL-1.4 sms to duty: alarm code 47
            105s      KAL-1 westside of rung 3 passed over (CentreHasClaimed)
            105s      KAL-1 rung 3 passed over (CentreHasClaimed)
            105s      KAL-1 EXHAUSTED
            180s      KAL-1 claim lapsed
            180s      KAL-1 round 1 (everyone): j-smith by sms then email, p-nair by sms+email, duty by sms, westside by webhook
            180s        KAL-1.5 sms to j-smith: alarm_again code 47
            180s        KAL-1.6 sms to p-nair: alarm_again code 47
            180s        KAL-1.7 email to p-nair: alarm_again
            180s        KAL-1.8 sms to duty: alarm_again code 47
            180s        KAL-1.9 webhook to westside: alarm
        "#]],
    );
}

#[test]
fn an_owner_takes_back_what_they_offered() {
    let mut floor = Floor::new(COUNTERS);
    play(&mut floor, "press library/counter-1\nwestside claims\nwestside hands over to duty\nwestside claims\nnight claims as duty");
    assert_eq!(owner(&floor), Some("westside"));
    assert!(floor.subject().offer.is_none());
}

#[test]
fn nobody_hands_over_what_is_not_theirs_or_to_themselves() {
    let mut floor = Floor::new(COUNTERS);
    play(&mut floor, "press library/counter-1\nwestside claims\nnight hands over to duty");
    assert!(floor.subject().offer.is_none());
    play(&mut floor, "forward 3m\nnight claims as Jane");
    assert_eq!(owner(&floor), Some("night"));
}
