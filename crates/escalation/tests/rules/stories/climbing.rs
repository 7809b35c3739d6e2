//! Rungs, waits, channels, outcomes, exhaustion and its rounds, and time that was lost.

use escalation::activation::{Progress, Stage};
use escalation::dispatch::{Purpose, Report};
use escalation::event::{ContactSkip, Event};
use escalation::ladder::Medium;
use expect_test::expect;

use super::{COUNTERS, PEOPLE};
use crate::floor::Floor;
use crate::script::{check, play};

#[test]
fn rung_after_rung_until_everyone_is_told_again() {
    check(
        PEOPLE,
        "press library/counter-1
        forward 10m",
        expect![[r#"
            > press library/counter-1
            0s        LIB-1 raised: duress at library/counter-1 of default (Registered, Live { up_to_s: None }, Ladder)
            0s        LIB-1 rung 1 until 30s (Raised): j-smith by sms
            0s          LIB-1.1 sms to j-smith: alarm code 47
            > forward 10m
            30s       LIB-1 rung 2 until 60s (WaitOver): p-nair by sms
            30s         LIB-1.2 sms to p-nair: alarm code 47
            60s       LIB-1 EXHAUSTED
            60s       LIB-1 round 1 (everyone): j-smith by sms, p-nair by sms
            60s         LIB-1.3 sms to j-smith: alarm_again code 47
            60s         LIB-1.4 sms to p-nair: alarm_again code 47
            120s      LIB-1 round 2 (everyone): j-smith by sms, p-nair by sms
            120s        LIB-1.5 sms to j-smith: alarm_again code 47
            120s        LIB-1.6 sms to p-nair: alarm_again code 47
            180s      LIB-1 round 3 (centre and last rung): p-nair by sms
            180s        LIB-1.7 sms to p-nair: alarm_again code 47
            240s      LIB-1 round 4 (everyone): j-smith by sms, p-nair by sms
            240s        LIB-1.8 sms to j-smith: alarm_again code 47
            240s        LIB-1.9 sms to p-nair: alarm_again code 47
            300s      LIB-1 round 5 (centre and last rung): p-nair by sms
            300s        LIB-1.10 sms to p-nair: alarm_again code 47
            360s      LIB-1 round 6 (centre and last rung): p-nair by sms
            360s        LIB-1.11 sms to p-nair: alarm_again code 47
            420s      LIB-1 round 7 (everyone): j-smith by sms, p-nair by sms
            420s        LIB-1.12 sms to j-smith: alarm_again code 47
            420s        LIB-1.13 sms to p-nair: alarm_again code 47
            480s      LIB-1 round 8 (centre and last rung): p-nair by sms
            480s        LIB-1.14 sms to p-nair: alarm_again code 47
            540s      LIB-1 round 9 (centre and last rung): p-nair by sms
            540s        LIB-1.15 sms to p-nair: alarm_again code 47
            600s      LIB-1 round 10 (centre and last rung): p-nair by sms
            600s        LIB-1.16 sms to p-nair: alarm_again code 47
        "#]],
    );
}

#[test]
fn several_people_of_a_rung_are_told_at_once_and_channels_go_together_or_in_order() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    floor.expect_nothing_silent();
    floor.forward("29s");
    floor.expect_nothing_silent();
    floor.forward("1s");
    floor.expect_sms("p-nair");
    floor.expect_email("p-nair");
    floor.expect_sms("duty");
    floor.forward("44s");
    floor.expect_nothing_silent();
    floor.forward("1s");
    floor.expect_webhook("westside");
    floor.expect_nothing_silent();
}

#[test]
fn a_channel_that_fails_gives_way_to_the_next_at_once() {
    for outcome in ["undelivered", "failed", "refused"] {
        let mut floor = Floor::new(COUNTERS);
        floor.press("library/counter-1");
        play(&mut floor, &format!("{outcome} sms to j-smith"));
        floor.expect_sms("j-smith");
        floor.expect_email("j-smith");
        floor.expect_nothing_silent();
    }
}

#[test]
fn a_receipt_that_does_not_come_in_time_gives_way_to_the_next_channel() {
    check(
        COUNTERS,
        "press library/counter-1
        promised sms to j-smith
        forward 31s
        delivered sms to j-smith
        undelivered email to j-smith",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-1.1 sms to j-smith: alarm code 47
            > promised sms to j-smith
            0s          KAL-1.1 is AcceptedReceiptDue
            > forward 31s
            30s       KAL-1 rung 2 until 75s (WaitOver): p-nair by sms+email, duty by sms
            30s         KAL-1.2 sms to p-nair: alarm code 47
            30s         KAL-1.3 email to p-nair: alarm
            30s         KAL-1.4 sms to duty: alarm code 47
            30s         KAL-1.1 has no receipt
            30s         KAL-1.5 email to j-smith: alarm
            > delivered sms to j-smith
            31s         KAL-1.1 is Delivered
            > undelivered email to j-smith
            31s         KAL-1.5 is Undelivered { code: "30003" }
            31s       KAL-1 j-smith of rung 1 passed over (AllChannelsFailed)
        "#]],
    );
}

#[test]
fn a_contact_with_no_channel_left_is_passed_over_at_once() {
    check(
        COUNTERS,
        "press library/counter-1
        failed sms to j-smith
        failed email to j-smith
        failed sms to duty
        failed sms to p-nair
        undelivered email to p-nair
        failed webhook to westside
        forward 60s",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-1.1 sms to j-smith: alarm code 47
            > failed sms to j-smith
            0s          KAL-1.1 is Failed(Unavailable)
            0s          KAL-1.2 email to j-smith: alarm
            > failed email to j-smith
            0s          KAL-1.2 is Failed(Unavailable)
            0s        KAL-1 j-smith of rung 1 passed over (AllChannelsFailed)
            0s        KAL-1 rung 2 until 45s (NobodyLeft): p-nair by sms+email, duty by sms
            0s          KAL-1.3 sms to p-nair: alarm code 47
            0s          KAL-1.4 email to p-nair: alarm
            0s          KAL-1.5 sms to duty: alarm code 47
            > failed sms to duty
            0s          KAL-1.5 is Failed(Unavailable)
            0s        KAL-1 duty of rung 2 passed over (AllChannelsFailed)
            > failed sms to p-nair
            0s          KAL-1.3 is Failed(Unavailable)
            > undelivered email to p-nair
            0s          KAL-1.4 is Undelivered { code: "30003" }
            0s        KAL-1 p-nair of rung 2 passed over (AllChannelsFailed)
            0s        KAL-1 rung 3 until 60s (NobodyLeft): westside by webhook
            0s          KAL-1.6 webhook to westside: alarm
            > failed webhook to westside
            0s          KAL-1.6 is Failed(Unavailable)
            0s        KAL-1 westside of rung 3 passed over (AllChannelsFailed)
            0s        KAL-1 EXHAUSTED
            0s        KAL-1 round 1 (everyone): j-smith by sms then email, p-nair by sms+email, duty by sms, westside by webhook
            0s          KAL-1.7 sms to j-smith: alarm_again code 47
            0s          KAL-1.8 sms to p-nair: alarm_again code 47
            0s          KAL-1.9 email to p-nair: alarm_again
            0s          KAL-1.10 sms to duty: alarm_again code 47
            0s          KAL-1.11 webhook to westside: alarm_again
            > forward 60s
            60s       KAL-1 round 2 (everyone): j-smith by sms then email, p-nair by sms+email, duty by sms, westside by webhook
            60s         KAL-1.12 sms to j-smith: alarm_again code 47
            60s         KAL-1.13 sms to p-nair: alarm_again code 47
            60s         KAL-1.14 email to p-nair: alarm_again
            60s         KAL-1.15 sms to duty: alarm_again code 47
            60s         KAL-1.16 webhook to westside: alarm_again
        "#]],
    );
}

#[test]
fn channels_together_fail_only_together() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    floor.forward("30s");
    floor.skip_messages();
    let (sms, email) = (floor.latest("p-nair", Medium::Sms), floor.latest("p-nair", Medium::Email));
    floor.report_on(&sms, Report::Undelivered { code: "1".to_owned() });
    assert_eq!(floor.count(|e| matches!(e, Event::ContactPassedOver { .. })), 0, "the mail may still reach them");
    floor.report_on(&email, Report::Undelivered { code: "1".to_owned() });
    assert_eq!(floor.count(|e| matches!(e, Event::ContactPassedOver { .. })), 1);
    floor.expect_nothing_silent();
}

#[test]
fn a_status_only_moves_up_and_a_receipt_may_come_before_the_response() {
    check(
        COUNTERS,
        "press library/counter-1
        delivered sms to j-smith
        promised sms to j-smith
        accepted sms to j-smith
        delivered sms to j-smith
        forward 29s",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-1.1 sms to j-smith: alarm code 47
            > delivered sms to j-smith
            0s          KAL-1.1 is Delivered
            > promised sms to j-smith
            > accepted sms to j-smith
            > delivered sms to j-smith
            > forward 29s
        "#]],
    );
}

/// The address of the second rung's only person leaves the directory while the first rung waits.
#[test]
fn an_empty_rung_takes_no_time_and_says_why() {
    let three = PEOPLE.to_owned() + "\n[[ladder.rung]]\nnotify = [{ person = \"j-smith\", by = [\"sms\"] }]\nwait = \"30s\"\n";
    let mut floor = Floor::new(&three);
    floor.press("library/counter-1");
    let moved = three.replace("mobile = \"+61 491 570 156\"", "email = \"p.nair@example.org\"");
    floor.adopt(&moved.replace("person = \"p-nair\", by = [\"sms\"]", "person = \"p-nair\", by = [\"email\"]"));
    floor.forward("30s");
    crate::script::compare(
        &floor,
        expect![[r#"
            0s        LIB-1 raised: duress at library/counter-1 of default (Registered, Live { up_to_s: None }, Ladder)
            0s        LIB-1 rung 1 until 30s (Raised): j-smith by sms
            0s          LIB-1.1 sms to j-smith: alarm code 47
            30s       LIB-1 p-nair of rung 2 passed over (NoAddress)
            30s       LIB-1 rung 2 passed over (Nobody)
            30s       ! trouble: Coverage { ladder: LadderId("people"), site: SiteId(Slug("library")) }
            30s       LIB-1 rung 3 until 60s (WaitOver): j-smith by sms
            30s         LIB-1.2 sms to j-smith: alarm_again code 47
        "#]],
    );
}

/// Overdue rungs that turn out to be empty are passed over as well, and what is told waits no longer than it should.
#[test]
fn an_empty_rung_among_overdue_ones_is_passed_over_too() {
    let three = PEOPLE.to_owned() + "\n[[ladder.rung]]\nnotify = [{ person = \"j-smith\", by = [\"sms\"] }]\nwait = \"30s\"\n";
    let mut floor = Floor::new(&three);
    floor.press("library/counter-1");
    let moved = three.replace("mobile = \"+61 491 570 156\"", "email = \"p.nair@example.org\"");
    floor.adopt(&moved.replace("person = \"p-nair\", by = [\"sms\"]", "person = \"p-nair\", by = [\"email\"]"));
    floor.away("70s");
    crate::script::compare(
        &floor,
        expect![[r#"
            0s        LIB-1 raised: duress at library/counter-1 of default (Registered, Live { up_to_s: None }, Ladder)
            0s        LIB-1 rung 1 until 30s (Raised): j-smith by sms
            0s          LIB-1.1 sms to j-smith: alarm code 47
            70s       started, away for 70000 ms
            70s       LIB-1 p-nair of rung 2 passed over (NoAddress)
            70s       LIB-1 rung 2 passed over (Nobody)
            70s       ! trouble: Coverage { ladder: LadderId("people"), site: SiteId(Slug("library")) }
            70s       LIB-1 rung 3 until 100s (WaitOver, late by 40000 ms): j-smith by sms
            70s         LIB-1.2 sms to j-smith: alarm_again code 47 late by 40000 ms
        "#]],
    );
}

#[test]
fn the_rounds_keep_their_times_for_hours() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    floor.forward("135s");
    assert_eq!(floor.stage(), Stage::Exhausted);
    let exhausted_at = floor.now;
    floor.forward("3h");
    let rounds: Vec<(i64, bool)> = floor
        .events
        .iter()
        .filter_map(|(at, e)| {
            let Event::RoundStarted { everyone, .. } = e else { return None };
            Some((at.duration_since(exhausted_at).as_secs() / 60, *everyone))
        })
        .collect();
    assert_eq!(rounds.len(), 181, "one a minute for three hours, and the first at once");
    let everyone: Vec<i64> = rounds.iter().filter(|(_, everyone)| *everyone).map(|(at, _)| *at).collect();
    assert_eq!(everyone.get(..7).unwrap(), [0, 1, 3, 6, 11, 21, 31], "after 1, 2, 3, 5, then every 10 minutes");
    assert_eq!(everyone.last(), Some(&171));
    let webhooks = floor.count(|e| matches!(e, Event::DispatchQueued { medium: Medium::Webhook, .. }));
    assert_eq!(webhooks, 182, "the centre hears of it every 60 s without end, and once on its rung");
}

#[test]
fn a_round_lets_go_of_what_can_no_longer_change_anything() {
    let mut floor = Floor::new(PEOPLE);
    floor.press("library/counter-1");
    floor.forward("1m");
    for _ in 0..50 {
        let owed: Vec<_> = floor.engine.outbox().map(|(id, _)| id.clone()).collect();
        for id in owed {
            floor.report_on(&id, Report::Accepted);
        }
        floor.forward("1m");
        assert!(floor.subject().attempts.len() <= 4 && floor.subject().pursuits.len() <= 2, "a night of rounds may not pile up");
    }
}

/// A phone that was off for the length of a rung: that it has the text at last is evidence, whatever round it is by then.
#[test]
fn a_receipt_that_comes_after_a_round_began_is_recorded() {
    let mut floor = Floor::new(PEOPLE);
    floor.press("library/counter-1");
    let first: Vec<_> = floor.engine.outbox().map(|(id, _)| id.clone()).collect();
    for id in &first {
        floor.report_on(id, Report::AcceptedReceiptDue);
    }
    floor.forward("10m");
    assert_eq!(floor.stage(), Stage::Exhausted);
    for id in &first {
        let delivered =
            |e: &Event| matches!(e, Event::DispatchReported { dispatch, report: Report::Delivered, .. } if *dispatch == id.number);
        floor.report_on(id, Report::Delivered);
        floor.report_on(id, Report::Delivered);
        assert_eq!(floor.count(delivered), 1, "once: {id}");
    }
}

#[test]
fn receipts_that_never_come_do_not_pile_up() {
    let mut floor = Floor::new(PEOPLE);
    floor.press("library/counter-1");
    for _ in 0..600 {
        let owed: Vec<_> = floor.engine.outbox().map(|(id, _)| id.clone()).collect();
        for id in owed {
            floor.report_on(&id, Report::AcceptedReceiptDue);
        }
        floor.forward("1m");
        assert!(floor.subject().attempts.len() <= 40, "{}", floor.subject().attempts.len());
    }
}

#[test]
fn after_downtime_overdue_rungs_collapse_into_what_should_be_true_now() {
    check(
        COUNTERS,
        "press library/counter-1
        forward 10s
        away 70s
        forward 60s",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-1.1 sms to j-smith: alarm code 47
            > forward 10s
            > away 70s
            80s       started, away for 70000 ms
            80s       KAL-1 rung 3 with 2 until 140s (WaitOver, late by 50000 ms): p-nair by sms+email, duty by sms, westside by webhook
            80s         KAL-1.2 sms to p-nair: alarm code 47 late by 50000 ms
            80s         KAL-1.3 email to p-nair: alarm late by 50000 ms
            80s         KAL-1.4 sms to duty: alarm code 47 late by 50000 ms
            80s         KAL-1.5 webhook to westside: alarm late by 50000 ms
            > forward 60s
            140s      KAL-1 EXHAUSTED
            140s      KAL-1 round 1 (everyone): j-smith by sms then email, p-nair by sms+email, duty by sms, westside by webhook
            140s        KAL-1.6 sms to j-smith: alarm_again code 47
            140s        KAL-1.7 sms to p-nair: alarm_again code 47
            140s        KAL-1.8 email to p-nair: alarm_again
            140s        KAL-1.9 sms to duty: alarm_again code 47
            140s        KAL-1.10 webhook to westside: alarm_again
        "#]],
    );
    check(
        COUNTERS,
        "press library/counter-1
        away 1h
        forward 60s",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-1.1 sms to j-smith: alarm code 47
            > away 1h
            3600s     started, away for 3600000 ms
            3600s     KAL-1 EXHAUSTED
            3600s     KAL-1 round 1 (everyone, late by 3570000 ms): j-smith by sms then email, p-nair by sms+email, duty by sms, westside by webhook
            3600s       KAL-1.2 sms to j-smith: alarm_again code 47 late by 3570000 ms
            3600s       KAL-1.3 sms to p-nair: alarm code 47 late by 3570000 ms
            3600s       KAL-1.4 email to p-nair: alarm late by 3570000 ms
            3600s       KAL-1.5 sms to duty: alarm code 47 late by 3570000 ms
            3600s       KAL-1.6 webhook to westside: alarm late by 3570000 ms
            > forward 60s
            3660s     KAL-1 round 2 (everyone): j-smith by sms then email, p-nair by sms+email, duty by sms, westside by webhook
            3660s       KAL-1.7 sms to j-smith: alarm_again code 47
            3660s       KAL-1.8 sms to p-nair: alarm_again code 47
            3660s       KAL-1.9 email to p-nair: alarm_again
            3660s       KAL-1.10 sms to duty: alarm_again code 47
            3660s       KAL-1.11 webhook to westside: alarm_again
        "#]],
    );
}

#[test]
fn after_downtime_the_newest_activation_goes_first() {
    let mut floor = Floor::new(COUNTERS);
    let old = floor.press("library/counter-1");
    floor.forward("5s");
    let new = floor.press("library/counter-2");
    floor.timeline.clear();
    floor.away("5m");
    let entered: Vec<_> = floor.timeline.iter().filter(|l| l.contains("round 1")).cloned().collect();
    assert!(entered.first().unwrap().contains(&new.to_string()) && entered.last().unwrap().contains(&old.to_string()), "{entered:#?}");
}

#[test]
fn what_a_claim_or_a_commitment_held_back_is_not_our_lateness() {
    let mut floor = Floor::new(COUNTERS);
    play(
        &mut floor,
        "press library/counter-1
        forward 100s
        westside claims
        forward 200s",
    );
    play(
        &mut floor,
        "press library/counter-2
        promised sms to j-smith
        reply j-smith Y{code}
        forward 30m",
    );
    let late = floor.events.iter().filter(|(_, e)| {
        matches!(e, Event::DispatchQueued { late_ms, .. } | Event::RoundStarted { late_ms, .. } | Event::RungEntered { late_ms, .. } if *late_ms > 0)
    });
    assert_eq!(late.count(), 0, "{:#?}", floor.timeline);
}

#[test]
fn an_eta_beyond_the_limit_given_later_takes_the_climb_up_without_calling_it_late() {
    check(
        COUNTERS,
        "press library/counter-1
        j-smith accepts 10m
        forward 5m
        j-smith accepts 30m
        forward 60s",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-1.1 sms to j-smith: alarm code 47
            > j-smith accepts 10m
            0s        KAL-1 j-smith through desk accepts: Going until 600s
            0s          KAL-1.2 webhook to westside: alarm
            > forward 5m
            > j-smith accepts 30m
            300s      KAL-1 j-smith through desk accepts once more: Going until 2100s, the climb goes on
            300s      KAL-1 rung 2 until 345s (Resumed): p-nair by sms+email, duty by sms
            300s        KAL-1.3 sms to p-nair: alarm code 47
            300s        KAL-1.4 email to p-nair: alarm
            300s        KAL-1.5 sms to duty: alarm code 47
            > forward 60s
            345s      KAL-1 rung 3 until 405s (WaitOver): westside by webhook
            345s        KAL-1.6 webhook to westside: alarm_again
        "#]],
    );
}

#[test]
fn one_phone_of_two_people_on_a_rung_is_rung_once() {
    let shared = PEOPLE.replace("+61 491 570 156", "+61 491 570 006").replace(
        "notify = [{ person = \"j-smith\", by = [\"sms\"] }]",
        "notify = [{ person = \"j-smith\", by = [\"sms\"] }, { person = \"p-nair\", by = [\"sms\"] }]",
    );
    let mut floor = Floor::new(&shared);
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    floor.expect_nothing_silent();
    assert_eq!(floor.count(|e| matches!(e, Event::ContactPassedOver { .. })), 1, "and that is recorded (I9)");
}

#[test]
fn the_ladder_is_frozen_and_its_people_are_resolved_when_a_rung_is_entered() {
    let mut floor = Floor::new(PEOPLE);
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    let before = floor.engine.directory_version();
    floor.adopt(&PEOPLE.replace("+61 491 570 156", "+61 491 570 999").replace("wait = \"30s\"", "wait = \"90s\""));
    floor.forward("30s");
    floor.expect_sms("p-nair");
    let entered = floor.events.iter().find_map(|(_, e)| {
        let Event::RungEntered { rung, directory, parties, .. } = e else { return None };
        (rung.0 == 1).then_some((*directory, parties.first()?.person?.version))
    });
    assert_eq!(entered, Some((before + 1, 2)), "the new number, and the version that gave it");
    assert_eq!(floor.subject().directory, before, "the activation names the version that raised it");
    let Progress::Climb { until, .. } = floor.subject().progress else { panic!("{:?}", floor.subject().progress) };
    assert_eq!(floor.stamp(until), "60s", "waits are the frozen ladder's");
}

/// The contract with a centre ends by a reload; the calls that are open were promised to it.
#[test]
fn a_centre_that_left_the_directory_is_still_told_of_open_calls() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    let without = COUNTERS
        .replace("centre = \"westside\"\n", "")
        .replace("[[centre]]\nid = \"westside\"\nname = \"Westside Centre\"\nwebhook = \"westside\"\n", "")
        .replace("notify = [{ centre = \"westside\" }]", "notify = [{ centre = \"night-desk\" }]");
    floor.adopt(&without);
    floor.skip_messages();
    floor.forward("75s");
    floor.expect_webhook("westside");
    floor.skip_messages();
    floor.forward("2m");
    floor.expect_webhook("westside");
    let unknown = |e: &Event| matches!(e, Event::ContactPassedOver { why: ContactSkip::Unknown, .. });
    assert_eq!(floor.count(unknown), 0);
}

#[test]
fn a_centre_that_moved_is_told_where_it_is_now() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    floor.adopt(&COUNTERS.replace("webhook = \"westside\"", "webhook = \"westside-new\""));
    floor.skip_messages();
    floor.forward("75s");
    let told = floor.expect_webhook("westside");
    let to = &floor.engine.owed(&told.id).unwrap().to;
    assert!(format!("{to:?}").contains("westside-new"), "{to:?}");
}

#[test]
fn someone_who_left_the_directory_is_told_with_their_last_details() {
    let mut floor = Floor::new(PEOPLE);
    floor.press("library/counter-1");
    floor.adopt(&PEOPLE.replace("person = \"p-nair\"", "person = \"j-smith\""));
    floor.expect_sms("j-smith");
    floor.forward("30s");
    assert_eq!(floor.expect_sms("p-nair").purpose, Purpose::Alarm);
    floor.expect_nothing_silent();
}
