//! Calls: what reaches a person, what only reaches a machine, and whom nobody rings.

use escalation::ladder::Medium;
use expect_test::expect;

use crate::floor::Floor;
use crate::script::{check, play};

/// A library whose first person is rung where a text does not do, and whose second is rung at once; a third one works there.
const CALLS: &str = r#"
[defaults]
timezone = "Australia/Perth"

[[customer]]
id = "kalamunda"
name = "City of Kalamunda"
prefix = "KAL"
ladder = "counters"

[[person]]
id = "j-smith"
name = "J. Smith"
mobile = "+61 491 570 006"

[[person]]
id = "p-nair"
name = "P. Nair"
mobile = "+61 491 570 156"

[[person]]
id = "clerk"
name = "A. Clerk"
mobile = "+61 491 570 157"
based_at = "library"

[[site]]
id = "library"
name = "Library"
sms_name = "Library"

[[device]]
id = "counter-1"
site = "library"
place = "Counter 1"

[[ladder]]
id = "counters"

[[ladder.rung]]
notify = [{ person = "j-smith", by = ["voice", "sms"] }]
wait = "3m"

[[ladder.rung]]
notify = [{ person = "clerk", by = ["voice"] }, { person = "p-nair", by = [["sms", "voice"]] }]
wait = "3m"
"#;

#[test]
fn a_busy_phone_is_written_to_and_a_voicemail_is_no_answer() {
    check(
        CALLS,
        "press library/counter-1
        promised voice to j-smith
        busy j-smith
        delivered sms to j-smith
        forward 3m
        promised voice to p-nair
        voicemail p-nair
        forward 3m",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 180s (Raised): j-smith by voice then sms
            0s          KAL-1.1 voice to j-smith: alarm
            > promised voice to j-smith
            0s          KAL-1.1 is AcceptedReceiptDue
            > busy j-smith
            0s          KAL-1.1 is Undelivered { code: "busy" }
            0s          KAL-1.2 sms to j-smith: alarm code 47
            > delivered sms to j-smith
            0s          KAL-1.2 is Delivered
            > forward 3m
            180s      KAL-1 clerk of rung 2 passed over (NotByCall)
            180s      KAL-1 rung 2 until 360s (WaitOver): p-nair by sms+voice
            180s        KAL-1.3 sms to p-nair: alarm code 47
            180s        KAL-1.4 voice to p-nair: alarm
            > promised voice to p-nair
            180s        KAL-1.4 is AcceptedReceiptDue
            > voicemail p-nair
            180s        KAL-1.4 is Undelivered { code: "voicemail" }
            > forward 3m
            360s      KAL-1 EXHAUSTED
            360s      KAL-1 clerk of rung 2 passed over (NotByCall)
            360s      KAL-1 round 1 (everyone): j-smith by voice then sms, p-nair by sms+voice
            360s        KAL-1.5 voice to j-smith: alarm_again
            360s        KAL-1.6 sms to p-nair: alarm_again code 47
            360s        KAL-1.7 voice to p-nair: alarm_again
        "#]],
    );
}

#[test]
fn a_call_that_was_listened_to_has_reached_somebody_however_it_ends() {
    check(
        CALLS,
        "press library/counter-1
        promised voice to j-smith
        delivered voice to j-smith
        unanswered j-smith
        forward 1m",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 180s (Raised): j-smith by voice then sms
            0s          KAL-1.1 voice to j-smith: alarm
            > promised voice to j-smith
            0s          KAL-1.1 is AcceptedReceiptDue
            > delivered voice to j-smith
            0s          KAL-1.1 is Delivered
            > unanswered j-smith
            > forward 1m
        "#]],
    );
}

#[test]
fn a_call_of_which_nothing_is_heard_gives_way_to_the_next_channel() {
    check(
        CALLS,
        "press library/counter-1
        promised voice to j-smith
        forward 75s",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 180s (Raised): j-smith by voice then sms
            0s          KAL-1.1 voice to j-smith: alarm
            > promised voice to j-smith
            0s          KAL-1.1 is AcceptedReceiptDue
            > forward 75s
            75s         KAL-1.1 has no receipt
            75s         KAL-1.2 sms to j-smith: alarm code 47
        "#]],
    );
}

#[test]
fn a_digit_answers_and_what_follows_is_written() {
    check(
        CALLS,
        "press library/counter-1
        promised voice to j-smith
        delivered voice to j-smith
        dial j-smith 3
        delivered sms to p-nair
        dial p-nair 2
        dial p-nair 1
        desk closes",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 180s (Raised): j-smith by voice then sms
            0s          KAL-1.1 voice to j-smith: alarm
            > promised voice to j-smith
            0s          KAL-1.1 is AcceptedReceiptDue
            > delivered voice to j-smith
            0s          KAL-1.1 is Delivered
            > dial j-smith 3
            0s        KAL-1 j-smith in a call declines, rests until 900s
            0s          KAL-1.2 sms to j-smith: declined
            0s        KAL-1 clerk of rung 2 passed over (NotByCall)
            0s        KAL-1 rung 2 until 180s (NobodyLeft): p-nair by sms+voice
            0s          KAL-1.3 sms to p-nair: alarm code 47
            0s          KAL-1.4 voice to p-nair: alarm
            > delivered sms to p-nair
            0s          KAL-1.3 is Delivered
            > dial p-nair 2
            0s        KAL-1 p-nair in a call accepts: Verifying until 120s
            0s          KAL-1.5 sms to p-nair: confirmed code 47
            > dial p-nair 1
            0s        KAL-1 p-nair in a call accepts: Going until 600s
            0s          KAL-1.6 sms to p-nair: confirmed code 47
            0s          KAL-1.7 sms to j-smith: someone_going code 47
            > desk closes
            0s        KAL-1 closed by desk: Attended, 18 entries
            0s          KAL-1.8 sms to j-smith: stand_down
            0s          KAL-1.9 sms to p-nair: stand_down
        "#]],
    );
}

#[test]
fn i4_a_digit_from_a_phone_that_was_not_rung_stops_nothing() {
    let mut floor = Floor::new(CALLS);
    floor.press("library/counter-1");
    play(&mut floor, "dial p-nair 1");
    let act = floor.engine.activations().next().unwrap();
    assert!(act.promise.is_none(), "nobody asked P. Nair");
}

#[test]
fn nobody_is_rung_where_the_victim_may_hear_it_and_nobody_for_calm_support() {
    let mut floor = Floor::new(CALLS);
    play(&mut floor, "press library/counter-1 assist");
    floor.expect("j-smith", Medium::Sms, escalation::dispatch::Purpose::Alarm);
    check(
        CALLS,
        "press library/counter-1 panic
        forward 3m",
        expect![[r#"
            > press library/counter-1 panic
            0s        KAL-1 raised: panic at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 180s (Raised): j-smith by voice then sms
            0s          KAL-1.1 voice to j-smith: alarm
            > forward 3m
            180s      KAL-1 rung 2 until 360s (WaitOver): clerk by voice, p-nair by sms+voice
            180s        KAL-1.2 voice to clerk: alarm
            180s        KAL-1.3 sms to p-nair: alarm code 47
            180s        KAL-1.4 voice to p-nair: alarm
        "#]],
    );
}
