//! What people answer: going, verifying, cannot; what counts and what never does.

use escalation::acknowledgement::Commitment;
use escalation::acknowledgement::{Answer, Disposition, Gesture, Reply, Sender};
use escalation::activation::{Activation, Stage};
use escalation::dispatch::Purpose;
use escalation::event::{Event, SetAside};
use escalation::input::{Act, Input};
use escalation::ladder::Medium;
use expect_test::expect;

use super::{COUNTERS, PEOPLE};
use crate::floor::{Floor, duration};
use crate::script::{check, play};

fn set_aside(events: &[Event]) -> Vec<SetAside> {
    events.iter().filter_map(|e| if let Event::AnswerSetAside { why, .. } = e { Some(*why) } else { None }).collect()
}

#[test]
fn going_holds_the_climb_until_they_should_be_there_and_then_asks() {
    check(
        COUNTERS,
        "press library/counter-1
        forward 10s
        reply j-smith Y{code}
        delivered webhook to westside
        forward 10m
        reply j-smith y{code}
        forward 10m
        forward 2m",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-1.1 sms to j-smith: alarm code 47
            > forward 10s
            > reply j-smith Y{code}
            10s       KAL-1 j-smith accepts: Going until 610s
            10s         KAL-1.2 sms to j-smith: confirmed code 47
            10s         KAL-1.3 webhook to westside: alarm
            > delivered webhook to westside
            10s         KAL-1.3 is Delivered
            > forward 10m
            610s      KAL-1 still going? until 730s
            610s        KAL-1.4 sms to j-smith: still_going code 47
            > reply j-smith y{code}
            610s      KAL-1 j-smith accepts once more: Going until 1210s
            610s        KAL-1.5 sms to j-smith: confirmed code 47
            > forward 10m
            1210s     KAL-1 still going? until 1330s
            1210s       KAL-1.6 sms to j-smith: still_going code 47
            > forward 2m
            1330s     KAL-1 commitment lapsed (NoAnswer)
            1330s     KAL-1 rung 2 until 1375s (Resumed): p-nair by sms+email, duty by sms
            1330s       KAL-1.7 sms to p-nair: alarm code 47
            1330s       KAL-1.8 email to p-nair: alarm
            1330s       KAL-1.9 sms to duty: alarm code 47
        "#]],
    );
}

#[test]
fn an_accept_never_skips_the_centre() {
    for kind in ["duress", "panic", "medical"] {
        let mut floor = Floor::new(COUNTERS);
        play(&mut floor, &format!("press library/counter-1 {kind}\nreply j-smith Y{{code}}"));
        floor.expect_sms("j-smith");
        floor.expect("j-smith", Medium::Sms, Purpose::Confirmed);
        floor.expect_webhook("westside");
        floor.expect_nothing_silent();
    }
    let mut floor = Floor::new(COUNTERS);
    play(&mut floor, "press library/counter-1 assist\nreply j-smith Y{code}");
    floor.expect_sms("j-smith");
    floor.expect("j-smith", Medium::Sms, Purpose::Confirmed);
    floor.expect_nothing_silent();
}

/// A centre that was tried and not reached knows of nothing.
#[test]
fn an_accept_tells_a_centre_that_could_not_be_told_before() {
    let smith = r#"notify = [{ person = "j-smith", by = ["sms", "email"] }]"#;
    let mut floor = Floor::new(&COUNTERS.replace(smith, r#"notify = [{ centre = "westside" }]"#));
    play(&mut floor, "press library/counter-1");
    floor.expect_webhook("westside");
    play(&mut floor, "failed webhook to westside\nreply p-nair Y{code}");
    floor.expect_webhook("westside");
}

#[test]
fn a_centre_that_cannot_be_told_beside_an_accept_is_a_trouble() {
    check(
        COUNTERS,
        "press library/counter-1
        reply j-smith Y{code}
        failed webhook to westside",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-1.1 sms to j-smith: alarm code 47
            > reply j-smith Y{code}
            0s        KAL-1 j-smith accepts: Going until 600s
            0s          KAL-1.2 sms to j-smith: confirmed code 47
            0s          KAL-1.3 webhook to westside: alarm
            > failed webhook to westside
            0s          KAL-1.3 is Failed(Unavailable)
            0s        KAL-1 westside of rung 3 passed over (AllChannelsFailed)
            0s        ! trouble: Coverage { ladder: LadderId("counters"), site: SiteId(Slug("library")) }
        "#]],
    );
}

#[test]
fn verifying_holds_120_s_is_renewable_once_and_never_again() {
    check(
        PEOPLE,
        "press library/counter-1
        reply j-smith H{code}
        forward 100s
        reply j-smith H{code}
        reply j-smith H{code}
        forward 120s
        reply j-smith H{code}
        forward 5s",
        expect![[r#"
            > press library/counter-1
            0s        LIB-1 raised: duress at library/counter-1 of default (Registered, Live { up_to_s: None }, Ladder)
            0s        LIB-1 rung 1 until 30s (Raised): j-smith by sms
            0s          LIB-1.1 sms to j-smith: alarm code 47
            > reply j-smith H{code}
            0s        LIB-1 j-smith accepts: Verifying until 120s
            0s          LIB-1.2 sms to j-smith: confirmed code 47
            > forward 100s
            > reply j-smith H{code}
            100s      LIB-1 j-smith accepts once more: Verifying until 220s
            100s        LIB-1.3 sms to j-smith: confirmed code 47
            > reply j-smith H{code}
            100s      LIB-1: an answer set aside (VerifyingSpent)
            100s        LIB-1.4 sms to j-smith: nothing_acknowledged code 47
            > forward 120s
            220s      LIB-1 commitment lapsed (VerifyingOver)
            220s      LIB-1 rung 2 until 250s (Resumed): p-nair by sms
            220s        LIB-1.5 sms to p-nair: alarm code 47
            > reply j-smith H{code}
            220s      LIB-1: an answer set aside (VerifyingSpent)
            220s        LIB-1.6 sms to j-smith: nothing_acknowledged code 47
            > forward 5s
        "#]],
    );
}

#[test]
fn a_firm_answer_replaces_verifying_and_later_ones_join() {
    check(
        COUNTERS,
        "press library/counter-1
        forward 30s
        delivered sms to duty
        reply j-smith H{code}
        reply p-nair Y{code}
        reply duty Y{code}
        reply duty N{code}",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-1.1 sms to j-smith: alarm code 47
            > forward 30s
            30s       KAL-1 rung 2 until 75s (WaitOver): p-nair by sms+email, duty by sms
            30s         KAL-1.2 sms to p-nair: alarm code 47
            30s         KAL-1.3 email to p-nair: alarm
            30s         KAL-1.4 sms to duty: alarm code 47
            > delivered sms to duty
            30s         KAL-1.4 is Delivered
            > reply j-smith H{code}
            30s       KAL-1 j-smith accepts: Verifying until 150s
            30s         KAL-1.5 sms to j-smith: confirmed code 47
            30s         KAL-1.6 webhook to westside: alarm
            > reply p-nair Y{code}
            30s       KAL-1 p-nair accepts: Going until 630s
            30s         KAL-1.7 sms to p-nair: confirmed code 47
            30s         KAL-1.8 sms to j-smith: someone_going code 47
            30s         KAL-1.9 sms to duty: someone_going code 47
            30s         KAL-1.10 webhook to westside: someone_going
            > reply duty Y{code}
            30s       KAL-1 duty joins: Going until 630s
            30s         KAL-1.11 sms to duty: confirmed code 47
            > reply duty N{code}
            30s       KAL-1 duty declines, rests until 930s
            30s         KAL-1.12 sms to duty: declined
        "#]],
    );
}

#[test]
fn an_eta_above_the_limit_climbs_on_and_a_nearer_answer_holds() {
    check(
        COUNTERS,
        "press library/counter-1
        j-smith accepts 16m
        forward 30s
        reply p-nair Y{code}
        forward 60s",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-1.1 sms to j-smith: alarm code 47
            > j-smith accepts 16m
            0s        KAL-1 j-smith through desk accepts: Going until 960s, the climb goes on
            0s          KAL-1.2 webhook to westside: alarm
            > forward 30s
            30s       KAL-1 rung 2 until 75s (WaitOver): p-nair by sms+email, duty by sms
            30s         KAL-1.3 sms to p-nair: alarm code 47
            30s         KAL-1.4 email to p-nair: alarm
            30s         KAL-1.5 sms to duty: alarm code 47
            > reply p-nair Y{code}
            30s       KAL-1 p-nair accepts: Going until 630s
            30s         KAL-1.6 sms to p-nair: confirmed code 47
            > forward 60s
        "#]],
    );
}

#[test]
fn a_decline_moves_on_at_once_and_rests_the_person_for_15_minutes() {
    check(
        PEOPLE,
        "press library/counter-1
        reply j-smith N{code}
        forward 15m
        forward 61s",
        expect![[r#"
            > press library/counter-1
            0s        LIB-1 raised: duress at library/counter-1 of default (Registered, Live { up_to_s: None }, Ladder)
            0s        LIB-1 rung 1 until 30s (Raised): j-smith by sms
            0s          LIB-1.1 sms to j-smith: alarm code 47
            > reply j-smith N{code}
            0s        LIB-1 j-smith declines, rests until 900s
            0s          LIB-1.2 sms to j-smith: declined
            0s        LIB-1 rung 2 until 30s (NobodyLeft): p-nair by sms
            0s          LIB-1.3 sms to p-nair: alarm code 47
            > forward 15m
            30s       LIB-1 EXHAUSTED
            30s       LIB-1 j-smith of rung 1 passed over (Resting)
            30s       LIB-1 round 1 (everyone): p-nair by sms
            30s         LIB-1.4 sms to p-nair: alarm_again code 47
            90s       LIB-1 j-smith of rung 1 passed over (Resting)
            90s       LIB-1 round 2 (everyone): p-nair by sms
            90s         LIB-1.5 sms to p-nair: alarm_again code 47
            150s      LIB-1 round 3 (centre and last rung): p-nair by sms
            150s        LIB-1.6 sms to p-nair: alarm_again code 47
            210s      LIB-1 j-smith of rung 1 passed over (Resting)
            210s      LIB-1 round 4 (everyone): p-nair by sms
            210s        LIB-1.7 sms to p-nair: alarm_again code 47
            270s      LIB-1 round 5 (centre and last rung): p-nair by sms
            270s        LIB-1.8 sms to p-nair: alarm_again code 47
            330s      LIB-1 round 6 (centre and last rung): p-nair by sms
            330s        LIB-1.9 sms to p-nair: alarm_again code 47
            390s      LIB-1 j-smith of rung 1 passed over (Resting)
            390s      LIB-1 round 7 (everyone): p-nair by sms
            390s        LIB-1.10 sms to p-nair: alarm_again code 47
            450s      LIB-1 round 8 (centre and last rung): p-nair by sms
            450s        LIB-1.11 sms to p-nair: alarm_again code 47
            510s      LIB-1 round 9 (centre and last rung): p-nair by sms
            510s        LIB-1.12 sms to p-nair: alarm_again code 47
            570s      LIB-1 round 10 (centre and last rung): p-nair by sms
            570s        LIB-1.13 sms to p-nair: alarm_again code 47
            630s      LIB-1 round 11 (centre and last rung): p-nair by sms
            630s        LIB-1.14 sms to p-nair: alarm_again code 47
            690s      LIB-1 j-smith of rung 1 passed over (Resting)
            690s      LIB-1 round 12 (everyone): p-nair by sms
            690s        LIB-1.15 sms to p-nair: alarm_again code 47
            750s      LIB-1 round 13 (centre and last rung): p-nair by sms
            750s        LIB-1.16 sms to p-nair: alarm_again code 47
            810s      LIB-1 round 14 (centre and last rung): p-nair by sms
            810s        LIB-1.17 sms to p-nair: alarm_again code 47
            870s      LIB-1 round 15 (centre and last rung): p-nair by sms
            870s        LIB-1.18 sms to p-nair: alarm_again code 47
            > forward 61s
            930s      LIB-1 round 16 (centre and last rung): p-nair by sms
            930s        LIB-1.19 sms to p-nair: alarm_again code 47
        "#]],
    );
}

#[test]
fn when_all_have_declined_the_turn_of_everyone_asks_them_again() {
    check(
        PEOPLE,
        "press library/counter-1
        reply j-smith N{code}
        reply p-nair N{code}
        forward 2m",
        expect![[r#"
            > press library/counter-1
            0s        LIB-1 raised: duress at library/counter-1 of default (Registered, Live { up_to_s: None }, Ladder)
            0s        LIB-1 rung 1 until 30s (Raised): j-smith by sms
            0s          LIB-1.1 sms to j-smith: alarm code 47
            > reply j-smith N{code}
            0s        LIB-1 j-smith declines, rests until 900s
            0s          LIB-1.2 sms to j-smith: declined
            0s        LIB-1 rung 2 until 30s (NobodyLeft): p-nair by sms
            0s          LIB-1.3 sms to p-nair: alarm code 47
            > reply p-nair N{code}
            0s        LIB-1 p-nair declines, rests until 900s
            0s          LIB-1.4 sms to p-nair: declined
            0s        LIB-1 EXHAUSTED
            0s        LIB-1 j-smith of rung 1 passed over (Resting)
            0s        LIB-1 p-nair of rung 2 passed over (Resting)
            0s        LIB-1 round 1 (everyone): j-smith by sms, p-nair by sms
            0s          LIB-1.5 sms to j-smith: alarm_again code 47
            0s          LIB-1.6 sms to p-nair: alarm_again code 47
            > forward 2m
            60s       LIB-1 j-smith of rung 1 passed over (Resting)
            60s       LIB-1 p-nair of rung 2 passed over (Resting)
            60s       LIB-1 round 2 (everyone): j-smith by sms, p-nair by sms
            60s         LIB-1.7 sms to j-smith: alarm_again code 47
            60s         LIB-1.8 sms to p-nair: alarm_again code 47
            120s      LIB-1 p-nair of rung 2 passed over (Resting)
            120s      LIB-1 round 3 (centre and last rung): nobody
        "#]],
    );
}

#[test]
fn one_who_committed_and_then_cannot_resumes_the_climb() {
    check(
        PEOPLE,
        "press library/counter-1
        reply j-smith Y{code}
        forward 5m
        reply j-smith N{code}",
        expect![[r#"
            > press library/counter-1
            0s        LIB-1 raised: duress at library/counter-1 of default (Registered, Live { up_to_s: None }, Ladder)
            0s        LIB-1 rung 1 until 30s (Raised): j-smith by sms
            0s          LIB-1.1 sms to j-smith: alarm code 47
            > reply j-smith Y{code}
            0s        LIB-1 j-smith accepts: Going until 600s
            0s          LIB-1.2 sms to j-smith: confirmed code 47
            > forward 5m
            > reply j-smith N{code}
            300s      LIB-1 commitment lapsed (Withdrawn)
            300s      LIB-1 j-smith declines, rests until 1200s
            300s        LIB-1.3 sms to j-smith: declined
            300s      LIB-1 rung 2 until 330s (Resumed): p-nair by sms
            300s        LIB-1.4 sms to p-nair: alarm code 47
        "#]],
    );
}

#[test]
fn somebody_without_a_name_who_accepts_and_declines_through_one_key_is_the_same() {
    use crate::floor::operator;
    use escalation::input::{Act, Attribution};
    let mut floor = Floor::new(PEOPLE);
    floor.press("library/counter-1");
    floor.skip_messages();
    let jane = || Attribution { actor: Some("Jane".to_owned().into()), ..operator("desk") };
    floor.command(jane(), Act::Accept { commitment: Commitment::Going, eta_s: None }).unwrap();
    assert_eq!(floor.stage(), Stage::Committed(Commitment::Going));
    floor.command(jane(), Act::Decline).unwrap();
    assert_eq!(floor.stage(), Stage::Climbing, "their promise is over");
    floor.expect_sms("p-nair");
}

/// Two people at one desk share its key. What one of them says is not what the other did.
#[test]
fn two_names_through_one_key_are_two_humans() {
    use crate::floor::{key_of, operator};
    use escalation::input::{Act, Attribution};
    let mut floor = Floor::new(PEOPLE);
    floor.press("library/counter-1");
    floor.skip_messages();
    let named = |name: &str| Attribution { actor: Some(name.to_owned().into()), actor_key: Some(key_of(name)), ..operator("desk") };
    let going = || Act::Accept { commitment: Commitment::Going, eta_s: None };
    floor.command(named("Jane"), going()).unwrap();
    let events = floor.command(named("Bob"), going()).unwrap();
    assert!(matches!(events.first(), Some(Event::Joined { .. })), "a second human is a co-responder: {events:?}");
    floor.command(named("Bob"), Act::Decline).unwrap();
    assert_eq!(floor.stage(), Stage::Committed(Commitment::Going), "Jane is still going");
    floor.command(operator("desk"), Act::Decline).unwrap();
    assert_eq!(floor.stage(), Stage::Committed(Commitment::Going), "the key without a name is nobody in particular");
    let events = floor.command(named("Jane"), going()).unwrap();
    assert!(matches!(events.first(), Some(Event::Accepted { renewal: true, .. })), "{events:?}");
    floor.command(named("Jane"), Act::Decline).unwrap();
    assert_eq!(floor.stage(), Stage::Climbing);
}

/// Accepted through the desk, asked by text, answered by text: one and the same person.
#[test]
fn still_going_is_asked_where_they_can_be_reached_and_the_answer_counts() {
    check(
        PEOPLE,
        "press library/counter-1
        p-nair accepts 5m
        forward 5m
        reply p-nair Y{code}
        forward 1m",
        expect![[r#"
            > press library/counter-1
            0s        LIB-1 raised: duress at library/counter-1 of default (Registered, Live { up_to_s: None }, Ladder)
            0s        LIB-1 rung 1 until 30s (Raised): j-smith by sms
            0s          LIB-1.1 sms to j-smith: alarm code 47
            > p-nair accepts 5m
            0s        LIB-1 p-nair through desk accepts: Going until 300s
            0s          LIB-1.2 sms to j-smith: someone_going code 47
            > forward 5m
            300s      LIB-1 still going? until 420s
            300s        LIB-1.3 sms to p-nair: still_going code 47
            > reply p-nair Y{code}
            300s      LIB-1 p-nair accepts once more: Going until 900s
            300s        LIB-1.4 sms to p-nair: confirmed code 47
            > forward 1m
        "#]],
    );
}

#[test]
fn the_time_to_answer_still_going_is_a_fifth_of_the_eta_and_two_minutes_at_least() {
    let mut floor = Floor::new(PEOPLE);
    play(&mut floor, "press library/counter-1\nj-smith accepts 15m\nforward 15m");
    assert!(floor.timeline.iter().any(|l| l.contains("still going? until 1080s")), "{:#?}", floor.timeline);
    floor.forward("3m");
    assert_eq!(floor.stage(), Stage::Climbing);
}

#[test]
fn i4_only_a_human_act_stops_a_ladder() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    let alarm = floor.expect_sms("j-smith");
    floor.deliver(&alarm);
    let code = alarm.code.unwrap();
    for text in [
        "I'm driving with Do Not Disturb on. Y{code}",
        "Liked \u{201c}DURESS Kalamunda Library. Reply Y{code}=going\u{201d}",
        "Laughed at \u{201c}Reply Y{code}\u{201d}",
        "Y",
        "yes",
        "ok",
        "STOP",
        "Y99",
        "",
        "Y{code} on my way to the library now",
    ] {
        let events = floor.reply("j-smith", text);
        assert_eq!(set_aside(&events).len(), 1, "{text:?} with {code}: {events:#?}");
        assert_eq!(floor.stage(), Stage::Climbing, "{text:?}");
    }
    let going = Reply::Going { code: None };
    let events = floor.tap("j-smith", going, Gesture::Missing);
    assert_eq!(set_aside(&events), [SetAside::NoGesture], "a scanner posts forms");
    floor.skip_messages();
    floor.forward("20s");
    floor.forward("10s");
    floor.expect_sms("p-nair");
    assert_eq!(floor.stage(), Stage::Climbing);
}

#[test]
fn nothing_acknowledged_is_said_once_a_minute_to_a_phone() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    floor.reply("j-smith", "Liked \u{201c}DURESS\u{201d}");
    floor.expect("j-smith", Medium::Sms, Purpose::NothingAcknowledged);
    floor.reply("j-smith", "Liked \u{201c}Nothing acknowledged\u{201d}");
    floor.expect_nothing_silent();
    floor.forward("20s");
    floor.reply("j-smith", "Y");
    floor.expect_nothing_silent();
    floor.reply("p-nair", "hello");
    floor.reply("+61 491 570 777", "hello");
    floor.expect_nothing_silent();
}

/// Lifecycle: a bare `Y` pauses 30 s and asks for the code.
#[test]
fn a_bare_yes_to_the_only_alarm_holds_the_climb_once_for_its_code() {
    check(
        PEOPLE,
        "press library/counter-1
        forward 20s
        reply j-smith Y
        forward 20s
        reply j-smith yes
        forward 10s
        reply p-nair Y
        forward 30s",
        expect![[r#"
            > press library/counter-1
            0s        LIB-1 raised: duress at library/counter-1 of default (Registered, Live { up_to_s: None }, Ladder)
            0s        LIB-1 rung 1 until 30s (Raised): j-smith by sms
            0s          LIB-1.1 sms to j-smith: alarm code 47
            > forward 20s
            > reply j-smith Y
            20s       LIB-1: an answer set aside (CodeMissing), waits for the code until 50s
            20s         LIB-1.2 sms to j-smith: which_alarm code 47
            > forward 20s
            > reply j-smith yes
            40s       LIB-1: an answer set aside (CodeMissing)
            > forward 10s
            50s       LIB-1 rung 2 until 80s (WaitOver): p-nair by sms
            50s         LIB-1.3 sms to p-nair: alarm code 47
            > reply p-nair Y
            50s       LIB-1: an answer set aside (CodeMissing)
            50s         LIB-1.4 sms to p-nair: which_alarm code 47
            > forward 30s
            80s       LIB-1 EXHAUSTED
            80s       LIB-1 round 1 (everyone): j-smith by sms, p-nair by sms
            80s         LIB-1.5 sms to j-smith: alarm_again code 47
            80s         LIB-1.6 sms to p-nair: alarm_again code 47
        "#]],
    );
}

#[test]
fn a_bare_yes_holds_nothing_where_it_could_mean_two_alarms_or_none_of_them() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    floor.press("library/counter-2");
    floor.forward("20s");
    let before: Vec<_> = floor.engine.activations().map(Activation::next_due).collect();
    floor.reply("j-smith", "Y");
    assert_eq!(floor.engine.activations().map(Activation::next_due).collect::<Vec<_>>(), before, "which of the two?");
    let mut floor = Floor::new(PEOPLE);
    floor.press("library/counter-1");
    let before = floor.subject().next_due();
    floor.reply_as("j-smith", "Y", None, Some(floor.now - duration("10s")));
    assert_eq!(floor.subject().next_due(), before, "it was sent before the alarm");
    floor.forward("61s");
    assert_eq!(floor.stage(), Stage::Exhausted);
    let before = floor.subject().next_due();
    floor.reply("j-smith", "Y");
    assert_eq!(floor.subject().next_due(), before, "the rounds go on");
}

/// A message with a code is an answer: what a bare yes held is taken up by it.
#[test]
fn the_code_that_follows_a_bare_yes_is_the_answer() {
    let mut floor = Floor::new(PEOPLE);
    play(&mut floor, "press library/counter-1\nforward 25s\nreply j-smith Y\nforward 20s\nreply j-smith Y{code}");
    assert_eq!(floor.stage(), Stage::Committed(Commitment::Going));
    assert_eq!(floor.count(|e| matches!(e, Event::RungEntered { .. })), 1, "nobody else was troubled");
}

#[test]
fn a_bare_yes_is_asked_which_alarm() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    let events = floor.reply("j-smith", "yes");
    assert_eq!(set_aside(&events), [SetAside::CodeMissing]);
    floor.expect("j-smith", Medium::Sms, Purpose::WhichAlarm);
    floor.expect_nothing_silent();
}

#[test]
fn the_button_on_the_page_counts_with_a_gesture() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    floor.skip_messages();
    floor.tap("j-smith", Reply::Going { code: None }, Gesture::Shown);
    assert_eq!(floor.stage(), Stage::Committed(Commitment::Going));
    floor.expect_webhook("westside");
    floor.expect_nothing_silent();
}

#[test]
fn a_replayed_message_counts_once_and_is_recorded_once() {
    let mut floor = Floor::new(PEOPLE);
    floor.press("library/counter-1");
    let say = |floor: &mut Floor| floor.reply_as("j-smith", "H{code}", Some("SMx".to_owned()), None);
    assert!(matches!(say(&mut floor).first(), Some(Event::Accepted { .. })));
    let again = say(&mut floor);
    assert_eq!(set_aside(&again), [SetAside::Replayed]);
    assert_eq!(again.len(), 1);
    assert_eq!(say(&mut floor), [], "a provider that lists it for ever fills no record");
}

/// A provider's signature has no time in it: who kept a callback of last week cannot answer a call of today by it.
#[test]
fn a_message_replayed_after_days_answers_no_later_call() {
    let mut floor = Floor::new(PEOPLE);
    floor.press("library/counter-1");
    let code = floor.expect_sms("j-smith").code;
    floor.reply_as("j-smith", "Y{code}", Some("SMx".to_owned()), None);
    floor.command(crate::floor::operator("desk"), Act::Close { disposition: Disposition::Attended, note: None }).unwrap();
    floor.forward("168h");
    while {
        floor.press("library/counter-1");
        floor.skip_messages();
        floor.subject().codes.values().all(|given| Some(*given) != code)
    } {
        floor.command(crate::floor::operator("desk"), Act::Close { disposition: Disposition::Attended, note: None }).unwrap();
        floor.forward("25h");
    }
    let again = floor.reply_as("j-smith", "Y{code}", Some("SMx".to_owned()), None);
    assert_eq!(set_aside(&again), [SetAside::Replayed], "the code is another call's by now");
    assert_eq!(floor.stage(), Stage::Climbing);
}

#[test]
fn a_code_answers_only_an_alarm_raised_before_it_was_sent() {
    let mut floor = Floor::new(PEOPLE);
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    let before = floor.now - duration("3s");
    let events = floor.reply_as("j-smith", "Y{code}", None, Some(before));
    assert_eq!(set_aside(&events), [SetAside::BeforeTheAlarm]);
    floor.expect("j-smith", Medium::Sms, Purpose::NothingAcknowledged);
    let whole_second = floor.now - duration("1s");
    floor.reply_as("j-smith", "Y{code}", None, Some(whole_second));
    assert_eq!(floor.stage(), Stage::Committed(Commitment::Going), "providers stamp whole seconds");
}

#[test]
fn each_activation_has_its_own_code_on_a_phone_and_every_resend_the_same() {
    let mut floor = Floor::new(PEOPLE);
    floor.press("library/counter-1");
    let first = floor.expect_sms("j-smith").code;
    floor.forward("1m");
    floor.skip_messages();
    floor.forward("1m");
    assert_eq!(floor.expect_sms("j-smith").code, first);
    floor.skip_messages();
    floor.hear(crate::floor::press("library/unknown"));
    assert_ne!(floor.expect_sms("j-smith").code, first);
}

#[test]
fn an_opt_out_is_a_trouble_of_that_person_and_stops_nothing() {
    check(
        COUNTERS,
        "press library/counter-1
        reply j-smith STOP
        forward 30s",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-1.1 sms to j-smith: alarm code 47
            > reply j-smith STOP
            0s        KAL-1: an answer set aside (OptedOut)
            0s        ! trouble: OptedOut { person: PersonId(1) }
            > forward 30s
            30s       KAL-1 rung 2 until 75s (WaitOver): p-nair by sms+email, duty by sms
            30s         KAL-1.2 sms to p-nair: alarm code 47
            30s         KAL-1.3 email to p-nair: alarm
            30s         KAL-1.4 sms to duty: alarm code 47
        "#]],
    );
}

#[test]
fn start_takes_an_opt_out_back_and_answers_no_alarm() {
    check(
        COUNTERS,
        "press library/counter-1
        reply j-smith STOP
        reply j-smith start
        forward 30s",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-1.1 sms to j-smith: alarm code 47
            > reply j-smith STOP
            0s        KAL-1: an answer set aside (OptedOut)
            0s        ! trouble: OptedOut { person: PersonId(1) }
            > reply j-smith start
            0s        KAL-1: an answer set aside (OptedIn)
            0s          KAL-1.2 sms to j-smith: nothing_acknowledged code 47
            0s        ! cleared: OptedOut { person: PersonId(1) }
            > forward 30s
            30s       KAL-1 rung 2 until 75s (WaitOver): p-nair by sms+email, duty by sms
            30s         KAL-1.3 sms to p-nair: alarm code 47
            30s         KAL-1.4 email to p-nair: alarm
            30s         KAL-1.5 sms to duty: alarm code 47
        "#]],
    );
}

#[test]
fn an_answer_to_an_activation_that_has_left_memory_is_still_recorded() {
    let mut floor = Floor::new(PEOPLE);
    let act = floor.press("library/counter-1");
    play(&mut floor, "desk closes");
    floor.forward("24h");
    assert!(floor.engine.activation(&act).is_none());
    floor.skip_messages();
    let late = floor.reply("j-smith", "Y{code}");
    assert_eq!(set_aside(&late), [SetAside::UnknownCode]);
    let from = Sender::Link {
        activation: act,
        contact: crate::floor::key_of("+61491570006"),
        person: floor.person("j-smith"),
        gesture: Gesture::Shown,
    };
    let link = Answer { from, reply: Reply::Going { code: None }, text: None, provider_ref: None, sent_at: None };
    assert_eq!(set_aside(&floor.take(Input::Answer(link)).unwrap()), [SetAside::AlreadyClosed]);
    floor.expect_nothing_silent();
}
