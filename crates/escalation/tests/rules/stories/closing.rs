//! The desk: claim, escalate, note, close, and what comes after closing.

use escalation::dispatch::Purpose;
use escalation::event::Event;
use escalation::input::{Act, Attribution, Command, Input, Started};
use escalation::ladder::Medium;
use escalation::rejection::Rejection;
use escalation::trouble::Cause;
use expect_test::expect;

use super::{COUNTERS, PEOPLE};
use crate::floor::{Floor, digest_of, key_of, operator};
use crate::script::{check, play};

#[test]
fn a_claim_satisfies_the_centre_and_nobody_else() {
    check(
        COUNTERS,
        "press library/counter-1
        westside claims
        forward 50s
        westside notes
        forward 30s
        eastside claims
        forward 200s",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-1.1 sms to j-smith: alarm code 47
            > westside claims
            0s        KAL-1 claimed by westside until 120s
            > forward 50s
            30s       KAL-1 rung 2 until 75s (WaitOver): p-nair by sms+email, duty by sms
            30s         KAL-1.2 sms to p-nair: alarm code 47
            30s         KAL-1.3 email to p-nair: alarm
            30s         KAL-1.4 sms to duty: alarm code 47
            > westside notes
            50s       KAL-1 note by westside
            50s       KAL-1 claimed by westside until 170s
            > forward 30s
            75s       KAL-1 westside of rung 3 passed over (CentreHasClaimed)
            75s       KAL-1 rung 3 passed over (CentreHasClaimed)
            75s       KAL-1 EXHAUSTED
            > eastside claims
            80s       refused: KAL-1 is claimed by another operator
            > forward 200s
            170s      KAL-1 claim lapsed
            170s      KAL-1 round 1 (everyone): j-smith by sms then email, p-nair by sms+email, duty by sms, westside by webhook
            170s        KAL-1.5 sms to j-smith: alarm_again code 47
            170s        KAL-1.6 sms to p-nair: alarm_again code 47
            170s        KAL-1.7 email to p-nair: alarm_again
            170s        KAL-1.8 sms to duty: alarm_again code 47
            170s        KAL-1.9 webhook to westside: alarm
            230s      KAL-1 round 2 (everyone): j-smith by sms then email, p-nair by sms+email, duty by sms, westside by webhook
            230s        KAL-1.10 sms to j-smith: alarm_again code 47
            230s        KAL-1.11 sms to p-nair: alarm_again code 47
            230s        KAL-1.12 email to p-nair: alarm_again
            230s        KAL-1.13 sms to duty: alarm_again code 47
            230s        KAL-1.14 webhook to westside: alarm_again
        "#]],
    );
}

#[test]
fn a_claim_holds_the_rounds_and_its_lapse_starts_them() {
    check(
        PEOPLE,
        "press library/counter-1
        forward 65s
        desk claims
        forward 100s
        desk notes
        forward 121s",
        expect![[r#"
            > press library/counter-1
            0s        LIB-1 raised: duress at library/counter-1 of default (Registered, Live { up_to_s: None }, Ladder)
            0s        LIB-1 rung 1 until 30s (Raised): j-smith by sms
            0s          LIB-1.1 sms to j-smith: alarm code 47
            > forward 65s
            30s       LIB-1 rung 2 until 60s (WaitOver): p-nair by sms
            30s         LIB-1.2 sms to p-nair: alarm code 47
            60s       LIB-1 EXHAUSTED
            60s       LIB-1 round 1 (everyone): j-smith by sms, p-nair by sms
            60s         LIB-1.3 sms to j-smith: alarm_again code 47
            60s         LIB-1.4 sms to p-nair: alarm_again code 47
            > desk claims
            65s       LIB-1 claimed by desk until 185s
            > forward 100s
            > desk notes
            165s      LIB-1 note by desk
            165s      LIB-1 claimed by desk until 285s
            > forward 121s
            285s      LIB-1 claim lapsed
            285s      LIB-1 round 2 (everyone): j-smith by sms, p-nair by sms
            285s        LIB-1.5 sms to j-smith: alarm_again code 47
            285s        LIB-1.6 sms to p-nair: alarm_again code 47
        "#]],
    );
}

#[test]
fn a_centre_passed_over_for_a_claim_is_told_when_the_claim_lapses() {
    let mut floor = Floor::new(&COUNTERS.replace(
        "notify = [{ centre = \"westside\" }]\nwait = \"60s\"",
        "notify = [{ centre = \"westside\" }]\nwait = \"60s\"\n\n[[ladder.rung]]\nnotify = [{ person = \"depot-lead\", by = [\"sms\"] }]\nwait = \"300s\"",
    ));
    play(&mut floor, "press library/counter-1\nwestside claims\nforward 119s");
    floor.skip_messages();
    floor.forward("1s");
    floor.expect_webhook("westside");
    floor.expect_nothing_silent();
}

#[test]
fn escalate_to_the_next_to_a_rung_and_to_all() {
    check(
        COUNTERS,
        "press library/counter-1
        desk escalates next
        desk escalates 1
        desk escalates 9
        desk escalates all
        forward 60s
        desk escalates next",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-1.1 sms to j-smith: alarm code 47
            > desk escalates next
            0s        KAL-1 escalated to rung 2 by desk
            0s        KAL-1 rung 2 until 45s (Escalated): p-nair by sms+email, duty by sms
            0s          KAL-1.2 sms to p-nair: alarm code 47
            0s          KAL-1.3 email to p-nair: alarm
            0s          KAL-1.4 sms to duty: alarm code 47
            > desk escalates 1
            0s        KAL-1 escalated to rung 1 by desk
            0s        KAL-1 rung 1 until 30s (Escalated): j-smith by sms then email
            0s          KAL-1.5 sms to j-smith: alarm_again code 47
            > desk escalates 9
            0s        refused: the ladder of KAL-1 has 3 rungs
            > desk escalates all
            0s        KAL-1 escalated to everyone by desk
            0s        KAL-1 rung 3 with 1+2 until 60s (Escalated): j-smith by sms then email, p-nair by sms+email, duty by sms, westside by webhook
            0s          KAL-1.6 sms to j-smith: alarm_again code 47
            0s          KAL-1.7 sms to p-nair: alarm_again code 47
            0s          KAL-1.8 email to p-nair: alarm_again
            0s          KAL-1.9 sms to duty: alarm_again code 47
            0s          KAL-1.10 webhook to westside: alarm
            > forward 60s
            60s       KAL-1 EXHAUSTED
            60s       KAL-1 round 1 (everyone): j-smith by sms then email, p-nair by sms+email, duty by sms, westside by webhook
            60s         KAL-1.11 sms to j-smith: alarm_again code 47
            60s         KAL-1.12 sms to p-nair: alarm_again code 47
            60s         KAL-1.13 email to p-nair: alarm_again
            60s         KAL-1.14 sms to duty: alarm_again code 47
            60s         KAL-1.15 webhook to westside: alarm_again
            > desk escalates next
            60s       KAL-1 escalated to everyone by desk
            60s       KAL-1 round 2 (everyone): j-smith by sms then email, p-nair by sms+email, duty by sms, westside by webhook
            60s         KAL-1.16 sms to j-smith: alarm_again code 47
            60s         KAL-1.17 sms to p-nair: alarm_again code 47
            60s         KAL-1.18 email to p-nair: alarm_again
            60s         KAL-1.19 sms to duty: alarm_again code 47
            60s         KAL-1.20 webhook to westside: alarm_again
        "#]],
    );
}

#[test]
fn escalating_beside_a_commitment_climbs_beside_it() {
    check(
        COUNTERS,
        "press library/counter-1
        reply j-smith Y{code}
        desk escalates next
        forward 45s
        forward 60s",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-1.1 sms to j-smith: alarm code 47
            > reply j-smith Y{code}
            0s        KAL-1 j-smith accepts: Going until 600s
            0s          KAL-1.2 sms to j-smith: confirmed code 47
            0s          KAL-1.3 webhook to westside: alarm
            > desk escalates next
            0s        KAL-1 escalated to rung 2 by desk
            0s        KAL-1 rung 2 until 45s (Escalated): p-nair by sms+email, duty by sms
            0s          KAL-1.4 sms to p-nair: alarm code 47
            0s          KAL-1.5 email to p-nair: alarm
            0s          KAL-1.6 sms to duty: alarm code 47
            > forward 45s
            45s       KAL-1 rung 3 until 105s (WaitOver): westside by webhook
            45s         KAL-1.7 webhook to westside: alarm_again
            > forward 60s
            105s      KAL-1 EXHAUSTED
            105s      KAL-1 round 1 (everyone): j-smith by sms then email, p-nair by sms+email, duty by sms, westside by webhook
            105s        KAL-1.8 sms to j-smith: alarm_again code 47
            105s        KAL-1.9 sms to p-nair: alarm_again code 47
            105s        KAL-1.10 email to p-nair: alarm_again
            105s        KAL-1.11 sms to duty: alarm_again code 47
            105s        KAL-1.12 webhook to westside: alarm_again
        "#]],
    );
}

#[test]
fn everyone_alarmed_is_told_once_that_it_is_over_by_what_reached_them() {
    let mut floor = Floor::new(COUNTERS);
    play(
        &mut floor,
        "press library/counter-1
        undelivered sms to j-smith
        delivered email to j-smith
        forward 30s
        failed sms to duty",
    );
    floor.skip_messages();
    play(&mut floor, "westside closes");
    floor.expect("j-smith", Medium::Email, Purpose::StandDown);
    floor.expect("p-nair", Medium::Sms, Purpose::StandDown);
    floor.expect("p-nair", Medium::Email, Purpose::StandDown);
    floor.expect_nothing_silent();
}

/// The first alarm arrived, the second did not: they know of it, and must hear that it is over.
#[test]
fn one_alarm_that_arrived_is_enough_to_be_stood_down() {
    let mut floor = Floor::new(PEOPLE);
    play(
        &mut floor,
        "press library/counter-1
        delivered sms to j-smith
        forward 60s
        undelivered sms to j-smith",
    );
    floor.skip_messages();
    play(&mut floor, "desk closes");
    floor.expect("j-smith", Medium::Sms, Purpose::StandDown);
}

/// New details of a person are a new recipient, but still one phone.
#[test]
fn a_phone_is_stood_down_once_whatever_became_of_the_directory() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    floor.adopt(&COUNTERS.replace("j.smith@example.org", "smith@example.org"));
    play(&mut floor, "forward 135s");
    floor.skip_messages();
    play(&mut floor, "westside closes");
    floor.expect("j-smith", Medium::Sms, Purpose::StandDown);
    floor.expect("p-nair", Medium::Sms, Purpose::StandDown);
    floor.expect("p-nair", Medium::Email, Purpose::StandDown);
    floor.expect("duty", Medium::Sms, Purpose::StandDown);
    floor.expect("westside", Medium::Webhook, Purpose::StandDown);
    floor.expect_nothing_silent();
}

#[test]
fn after_closing_a_note_is_an_addendum_and_everything_else_is_told_so() {
    check(
        COUNTERS,
        "press library/counter-1
        reply j-smith Y{code}
        westside closes
        westside notes
        westside claims
        westside escalates all
        westside closes
        reply j-smith N{code}
        reply j-smith Y{code}
        tap j-smith going
        forward 23h
        forward 1h",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-1.1 sms to j-smith: alarm code 47
            > reply j-smith Y{code}
            0s        KAL-1 j-smith accepts: Going until 600s
            0s          KAL-1.2 sms to j-smith: confirmed code 47
            0s          KAL-1.3 webhook to westside: alarm
            > westside closes
            0s        KAL-1 closed by westside: Attended, 7 entries
            0s          KAL-1.4 sms to j-smith: stand_down
            0s          KAL-1.5 webhook to westside: stand_down
            > westside notes
            0s        KAL-1 note by westside
            > westside claims
            0s        refused: KAL-1 was closed at 2026-04-13T06:03:00Z
            > westside escalates all
            0s        refused: KAL-1 was closed at 2026-04-13T06:03:00Z
            > westside closes
            0s        refused: KAL-1 was closed at 2026-04-13T06:03:00Z
            > reply j-smith N{code}
            0s        KAL-1: an answer set aside (AlreadyClosed)
            0s          KAL-1.6 sms to j-smith: already_closed
            > reply j-smith Y{code}
            0s        KAL-1: an answer set aside (AlreadyClosed)
            > tap j-smith going
            0s        KAL-1: an answer set aside (AlreadyClosed)
            > forward 23h
            > forward 1h
            86400s    KAL-1 archived
        "#]],
    );
}

#[test]
fn an_unknown_activation_is_refused() {
    let mut floor = Floor::new(PEOPLE);
    let act = Command { activation: "KAL-9".parse().unwrap(), by: operator("desk"), seen: None, at_the_place: false, act: Act::Claim };
    assert!(matches!(floor.take(Input::Command(act)), Err(Rejection::UnknownActivation(_))));
}

#[test]
fn an_idempotency_key_acts_once() {
    let mut floor = Floor::new(PEOPLE);
    floor.press("library/counter-1");
    let once = || Attribution { idempotency: Some(digest_of("key")), ..operator("desk") };
    assert_eq!(floor.command(once(), Act::Note { text: "n".to_owned().into() }).unwrap().len(), 1);
    assert_eq!(floor.command(once(), Act::Note { text: "n".to_owned().into() }).unwrap(), []);
    assert_eq!(floor.command(Attribution { principal: "other".to_owned(), ..once() }, Act::Claim).unwrap().len(), 1, "per key");
}

#[test]
fn an_idempotency_key_never_stands_for_two_acts() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    let other = floor.press("library/counter-2");
    let once = || Attribution { idempotency: Some(digest_of("key")), ..operator("desk") };
    let note = || Act::Note { text: "n".to_owned().into() };
    floor.command(operator("desk"), Act::Claim).unwrap();
    floor.forward("1s");
    assert_eq!(floor.command(once(), note()).unwrap().len(), 2, "the claim is renewed beside it");
    assert_eq!(floor.command(once(), note()).unwrap(), []);
    assert_eq!(floor.command(once(), Act::Claim), Err(Rejection::KeyReused), "another act");
    floor.subject = Some("KAL-1".parse().unwrap());
    assert_ne!(floor.subject().id, other);
    assert_eq!(floor.command(once(), note()), Err(Rejection::KeyReused), "another activation");
}

/// A second operator whose program takes the same key is not told that it was done when it was somebody else who did it.
#[test]
fn an_idempotency_key_never_stands_for_two_people() {
    let mut floor = Floor::new(PEOPLE);
    floor.press("library/counter-1");
    let named = |name: &str| Attribution {
        idempotency: Some(digest_of("key")),
        actor_key: Some(key_of(name)),
        actor: Some(name.to_owned().into()),
        ..operator("desk")
    };
    floor.command(named("first"), Act::Safe { word: None }).unwrap();
    assert_eq!(floor.command(named("first"), Act::Safe { word: None }).unwrap(), []);
    assert_eq!(floor.command(named("second"), Act::Safe { word: None }), Err(Rejection::KeyReused));
}

#[test]
fn a_repeated_accept_is_answered_with_the_callers_own_role() {
    use escalation::acknowledgement::Commitment;
    let mut floor = Floor::new(PEOPLE);
    let activation = floor.press("library/counter-1");
    let accept = |who: &str| {
        let by = Attribution { idempotency: Some(digest_of(who)), ..operator(who) };
        Command {
            activation: activation.clone(),
            by,
            seen: None,
            at_the_place: false,
            act: Act::Accept { commitment: Commitment::Going, eta_s: None },
        }
    };
    for who in ["first", "second"] {
        floor.take(Input::Command(accept(who))).unwrap();
        assert_eq!(floor.take(Input::Command(accept(who))), Ok(Vec::new()));
        assert_eq!(floor.engine.is_co_responder(&accept(who)), who == "second");
    }
}

#[test]
fn a_call_whose_people_were_told_under_two_keys_is_stranded_under_either() {
    let mut floor = Floor::new(PEOPLE);
    let start = |floor: &mut Floor, key: &str| {
        let (node, version, zones) = ("a".to_owned(), "0.1.0".to_owned(), "2025b".to_owned());
        let started = Started { node, version, zones, key: Some(key.parse().unwrap()), last_entry_at: Some(floor.now), given: Vec::new() };
        floor.take(Input::Started(started)).unwrap();
    };
    let troubled = |floor: &Floor| floor.engine.troubles().any(|(cause, _)| *cause == Cause::KeyReplaced);
    start(&mut floor, "00000001");
    floor.press("library/counter-1");
    start(&mut floor, "00000002");
    let under_the_second = |e: &Event| matches!(e, Event::DispatchQueued { key: Some(key), .. } if key.to_string() == "00000002");
    floor.forward("10m");
    assert!(floor.count(under_the_second) > 0);
    start(&mut floor, "00000001");
    assert!(troubled(&floor), "whoever was told in between has a code that is dead now");
}

/// A lost key: what people were sent is dead, and stays a trouble for as long as somebody may try to answer by it.
#[test]
fn a_replaced_key_is_a_trouble_until_the_calls_of_the_old_one_are_closed() {
    let mut floor = Floor::new(PEOPLE);
    let start = |floor: &mut Floor, key: &str| {
        let (node, version, zones) = ("a".to_owned(), "0.1.0".to_owned(), "2025b".to_owned());
        let started = Started { node, version, zones, key: Some(key.parse().unwrap()), last_entry_at: Some(floor.now), given: Vec::new() };
        floor.take(Input::Started(started)).unwrap();
    };
    let troubled = |floor: &Floor| floor.engine.troubles().any(|(cause, _)| *cause == Cause::KeyReplaced);
    start(&mut floor, "00000001");
    floor.press("library/counter-1");
    let named = |e: &Event| matches!(e, Event::DispatchQueued { key: Some(key), .. } if key.to_string() == "00000001");
    assert_eq!(floor.count(named), 1, "the message says which key its code needs");
    start(&mut floor, "00000001");
    assert!(!troubled(&floor));
    start(&mut floor, "00000002");
    assert!(troubled(&floor));
    start(&mut floor, "00000001");
    assert!(!troubled(&floor), "the old key is back");
    start(&mut floor, "00000002");
    play(&mut floor, "desk closes");
    assert!(!troubled(&floor), "nobody is left who could answer by it");
    floor.press("library/counter-1");
    start(&mut floor, "00000002");
    assert!(!troubled(&floor));
}

#[test]
fn raising_through_the_api_twice_under_one_idempotency_key_is_one_activation() {
    let mut floor = Floor::new(PEOPLE);
    let raise = |floor: &mut Floor| {
        let by = Attribution { idempotency: Some(digest_of("key")), ..operator("app") };
        floor.take(Input::Raised { signal: crate::floor::press("library/counter-1"), by }).unwrap()
    };
    let first = raise(&mut floor);
    let Some(Event::Raised(raised)) = first.first() else { panic!("{first:?}") };
    let again = raise(&mut floor);
    assert_eq!(again.first().unwrap().activation(), Some(&raised.act));
    assert_eq!(floor.subject().presses, 1);
}

#[test]
fn an_eta_must_be_believable() {
    use escalation::acknowledgement::Commitment;
    use escalation::time::Seconds;
    let mut floor = Floor::new(PEOPLE);
    floor.press("library/counter-1");
    for eta in [0, 86_401] {
        let act = Act::Accept { commitment: Commitment::Going, eta_s: Some(Seconds(eta)) };
        assert_eq!(floor.command(operator("desk"), act), Err(Rejection::ImplausibleEta));
    }
}

#[test]
fn two_names_behind_one_key_do_not_hold_one_claim() {
    let mut floor = Floor::new(PEOPLE);
    floor.press("library/counter-1");
    let named = |name: &str| Attribution { actor_key: Some(key_of(name)), actor: Some(name.to_owned().into()), ..operator("desk") };
    assert_eq!(floor.command(named("jane"), Act::Claim).unwrap().len(), 1);
    assert!(matches!(floor.command(named("bob"), Act::Claim), Err(Rejection::ClaimedByAnother(_))));
    let noted = floor.command(named("bob"), Act::Note { text: "n".to_owned().into() }).unwrap();
    assert!(!noted.iter().any(|event| matches!(event, Event::Claimed { .. })), "a note of his does not take her call: {noted:?}");
}
