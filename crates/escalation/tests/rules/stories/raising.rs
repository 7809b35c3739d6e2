//! What raises a call: everything that fails, fails towards alarm.

use escalation::directory::Standing;
use escalation::event::{Age, Event, Opening};
use escalation::signal::{DeviceClock, Kind, Verb};
use escalation::time::Timestamp;
use expect_test::expect;

use super::{COUNTERS, PEOPLE};
use crate::floor::{Floor, digest_of, duration, press, signal};
use crate::script::{check, play};

#[test]
fn an_unregistered_button_climbs_its_sites_ladder() {
    check(
        COUNTERS,
        "press library/nobody-knows-me
        forward 30s",
        expect![[r#"
            > press library/nobody-knows-me
            0s        KAL-1 raised: duress at library/nobody-knows-me of kalamunda (UnknownDevice, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-1.1 sms to j-smith: alarm code 47
            > forward 30s
            30s       KAL-1 rung 2 until 75s (WaitOver): p-nair by sms+email, duty by sms
            30s         KAL-1.2 sms to p-nair: alarm code 47
            30s         KAL-1.3 email to p-nair: alarm
            30s         KAL-1.4 sms to duty: alarm code 47
        "#]],
    );
}

#[test]
fn a_site_that_nobody_knows_climbs_the_fallback() {
    check(
        COUNTERS,
        "arm night-desk
        press elsewhere/button
        forward 60s",
        expect![[r#"
            > arm night-desk
            0s        the desk of night-desk armed by desk
            > press elsewhere/button
            0s        MUN-1 raised: duress at elsewhere/button of mundaring (UnknownSite, Live { up_to_s: None }, Ladder)
            0s        MUN-1 rung 1 until 60s (Raised): depot-lead by sms
            0s          MUN-1.1 sms to depot-lead: alarm code 47
            > forward 60s
            60s       MUN-1 rung 2 until 120s (WaitOver): night-desk by desk
        "#]],
    );
}

#[test]
fn without_a_fallback_the_default_ladder_is_climbed() {
    let mut floor = Floor::new(PEOPLE);
    floor.press("elsewhere/button");
    assert_eq!(floor.subject().standing, Standing::UnknownSite);
    floor.expect_sms("j-smith");
    floor.expect_nothing_silent();
}

#[test]
fn with_no_directory_at_all_a_press_is_raised_exhausted_and_loud() {
    let mut floor = Floor::bare();
    floor.press("library/counter-1");
    floor.forward("2m");
    crate::script::compare(
        &floor,
        expect![[r#"
            0s        ACT-1 raised: duress at library/counter-1 of none (UnknownSite, Live { up_to_s: None }, Ladder)
            0s        ACT-1 EXHAUSTED
            0s        ! trouble: Coverage { ladder: LadderId("none"), site: SiteId(Slug("library")) }
            0s        ACT-1 round 1 (everyone): nobody
            60s       ACT-1 round 2 (everyone): nobody
            120s      ACT-1 round 3 (centre and last rung): nobody
        "#]],
    );
    floor.expect_nothing_silent();
}

#[test]
fn strangers_behind_one_gateway_are_one_call_for_ten_minutes_that_counts_them() {
    check(
        PEOPLE,
        "press library/x through gateway-1
        press library/y through gateway-1
        press library/z through gateway-2
        reply j-smith Y{code}
        forward 9m
        press library/x through gateway-1
        forward 2m
        press library/x through gateway-1",
        expect![[r#"
            > press library/x through gateway-1
            0s        LIB-1 raised: duress at library/x of default (UnknownDevice, Live { up_to_s: None }, Ladder)
            0s        LIB-1 rung 1 until 30s (Raised): j-smith by sms
            0s          LIB-1.1 sms to j-smith: alarm code 47
            > press library/y through gateway-1
            0s        LIB-1 pressed again, 2 presses (SameGesture)
            > press library/z through gateway-2
            0s        LIB-2 raised with LIB-1: duress at library/z of default (UnknownDevice, Live { up_to_s: None }, Ladder)
            0s        LIB-2 rung 1 until 30s (Raised): j-smith by sms
            0s          LIB-2.1 sms to j-smith: alarm code 84
            > reply j-smith Y{code}
            0s        LIB-2 j-smith accepts: Going until 600s
            0s          LIB-2.2 sms to j-smith: confirmed code 84
            > forward 9m
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
            > press library/x through gateway-1
            540s      LIB-1 pressed again, 3 presses (Again)
            > forward 2m
            600s      LIB-2 still going? until 720s
            600s        LIB-2.3 sms to j-smith: still_going code 84
            600s      LIB-1 round 10 (centre and last rung): p-nair by sms
            600s        LIB-1.16 sms to p-nair: alarm_again code 47
            660s      LIB-1 round 11 (centre and last rung): p-nair by sms
            660s        LIB-1.17 sms to p-nair: alarm_again code 47
            > press library/x through gateway-1
            660s      LIB-3 raised with LIB-1: duress at library/x of default (UnknownDevice, Live { up_to_s: None }, Ladder)
            660s      LIB-3 rung 1 until 690s (Raised): j-smith by sms
            660s        LIB-3.1 sms to j-smith: alarm code 31
        "#]],
    );
}

/// A stranger is a person too: pressed long after an accept, the climb goes on.
#[test]
fn a_strangers_press_long_after_an_accept_resumes_the_climb() {
    let mut floor = Floor::new(PEOPLE);
    play(&mut floor, "press library/x\nreply j-smith Y{code}\nforward 3m");
    floor.skip_messages();
    floor.press("library/x");
    floor.expect_sms("p-nair");
}

#[test]
fn unreadable_asks_the_centre_first_and_then_alarms_once_a_site_and_ten_minutes() {
    check(
        COUNTERS,
        "unreadable library/counter-1
        unreadable library/counter-2
        forward 120s",
        expect![[r#"
            > unreadable library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, AskFirst)
            0s        KAL-1 asks first until 120s: westside by webhook
            0s          KAL-1.1 webhook to westside: ask_first
            > unreadable library/counter-2
            0s        KAL-1 pressed again, 2 presses (SameGesture)
            > forward 120s
            120s      KAL-1 rung 1 until 150s (WaitOver): j-smith by sms then email
            120s        KAL-1.2 sms to j-smith: alarm code 47
        "#]],
    );
}

#[test]
fn without_a_centre_rung_one_is_asked_first() {
    check(
        PEOPLE,
        "unreadable library/counter-1
        reply j-smith N{code}
        forward 30s",
        expect![[r#"
            > unreadable library/counter-1
            0s        LIB-1 raised: duress at library/counter-1 of default (Registered, Live { up_to_s: None }, AskFirst)
            0s        LIB-1 asks first until 120s: j-smith by sms
            0s          LIB-1.1 sms to j-smith: ask_first code 47
            > reply j-smith N{code}
            0s        LIB-1 j-smith declines, rests until 900s
            0s          LIB-1.2 sms to j-smith: declined
            0s        LIB-1 j-smith of rung 1 passed over (Resting)
            0s        LIB-1 rung 1 passed over (Nobody)
            0s        LIB-1 rung 2 until 30s (NobodyLeft): p-nair by sms
            0s          LIB-1.3 sms to p-nair: alarm code 47
            > forward 30s
            30s       LIB-1 EXHAUSTED
            30s       LIB-1 j-smith of rung 1 passed over (Resting)
            30s       LIB-1 round 1 (everyone): p-nair by sms
            30s         LIB-1.4 sms to p-nair: alarm_again code 47
        "#]],
    );
}

#[test]
fn a_centre_that_cannot_be_asked_first_takes_no_time() {
    check(
        COUNTERS,
        "unreadable library/counter-1
        failed webhook to westside",
        expect![[r#"
            > unreadable library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, AskFirst)
            0s        KAL-1 asks first until 120s: westside by webhook
            0s          KAL-1.1 webhook to westside: ask_first
            > failed webhook to westside
            0s          KAL-1.1 is Failed(Unavailable)
            0s        KAL-1 westside of rung 1 passed over (AllChannelsFailed)
            0s        KAL-1 rung 1 until 30s (NobodyLeft): j-smith by sms then email
            0s          KAL-1.2 sms to j-smith: alarm code 47
        "#]],
    );
}

fn aged(floor: &Floor, device: &str, clock: DeviceClock, ago: &str) -> escalation::signal::Signal {
    let mut signal = press(device);
    signal.clock = clock;
    signal.pressed_at = Some(floor.now - duration(ago));
    signal
}

#[test]
fn only_a_proven_clock_makes_a_press_old() {
    use DeviceClock::{Proven, Unproven};
    let expected = [
        ("library/counter-1", Unproven, "300m", Age::Live { up_to_s: None }),
        ("library/counter-1", Proven, "2m", Age::Live { up_to_s: None }),
        ("library/counter-1", Proven, "121s", Age::Delayed { s: 121 }),
        ("library/counter-1", Proven, "60m", Age::Delayed { s: 3_600 }),
        ("library/counter-1", Proven, "3601s", Age::Recovered { s: Some(3_601) }),
        ("library/pendant", Proven, "24h", Age::Delayed { s: 86_400 }),
        ("library/pendant", Proven, "25h", Age::Recovered { s: Some(90_000) }),
        ("library/counter-1", Proven, "2000h", Age::Live { up_to_s: None }),
    ];
    for (device, clock, ago, age) in expected {
        let mut floor = Floor::new(COUNTERS);
        floor.send(aged(&floor, device, clock, ago));
        let opening = if matches!(age, Age::Recovered { .. }) { Opening::AskFirst } else { Opening::Ladder };
        assert_eq!((floor.subject().age, floor.subject().opening), (age, opening), "{device} {clock:?} {ago}");
    }
}

#[test]
fn the_future_is_live_and_so_is_what_waited_behind_an_outage() {
    let mut floor = Floor::new(COUNTERS);
    let mut early = aged(&floor, "library/counter-1", DeviceClock::Proven, "0s");
    early.pressed_at = Some(floor.now + duration("1h"));
    floor.send(early);
    assert_eq!(floor.subject().age, Age::Live { up_to_s: None });
    let mut waited = press("library/counter-2");
    waited.origin.waited_since = Some(floor.now - duration("10m"));
    floor.send(waited);
    assert_eq!(floor.subject().age, Age::Live { up_to_s: Some(600) });
}

#[test]
fn a_medical_call_is_delayed_for_a_day() {
    let mut floor = Floor::new(COUNTERS);
    let mut medical = aged(&floor, "library/counter-1", DeviceClock::Proven, "23h");
    medical.verb = Verb::Press { kind: Some(Kind::Medical), style: None };
    floor.send(medical);
    assert_eq!(floor.subject().age, Age::Delayed { s: 82_800 });
}

#[test]
fn a_kept_copy_asks_first_unless_it_was_seen() {
    let mut floor = Floor::new(COUNTERS);
    let kept = |payload: &str| {
        let mut signal = press("library/counter-1");
        signal.origin.retained = true;
        signal.evidence.payload_sha256 = Some(digest_of(payload));
        signal
    };
    floor.send(kept("one"));
    assert_eq!((floor.subject().age, floor.subject().opening), (Age::Recovered { s: None }, Opening::AskFirst));
    floor.expect_webhook("westside");
    assert_eq!(floor.hear(kept("one")), [], "the broker repeats it at every connect");
    play(&mut floor, "westside closes");
    floor.skip_messages();
    let mut live = press("library/counter-1");
    live.evidence.payload_sha256 = Some(digest_of("two"));
    floor.send(live);
    assert_eq!(floor.hear(kept("one")), [], "and still, after a live press between");
    assert_eq!(floor.hear(kept("two")), [], "a live press that the broker kept as well");
}

#[test]
fn customers_count_for_themselves() {
    let mut floor = Floor::new(COUNTERS);
    let acts: Vec<String> =
        ["library/counter-1", "depot/gate", "library/counter-2", "elsewhere/x"].iter().map(|d| floor.press(d).to_string()).collect();
    assert_eq!(acts, ["KAL-1", "MUN-1", "KAL-2", "MUN-2"]);
    let ords = floor.events.iter().filter_map(|(_, e)| if let Event::Raised(r) = e { Some((r.cust.to_string(), r.ord)) } else { None });
    let ords: Vec<_> = ords.collect();
    let expected = [("kalamunda", 1), ("mundaring", 1), ("kalamunda", 2), ("mundaring", 2)];
    assert_eq!(ords, expected.map(|(c, n)| (c.to_owned(), n)));
}

#[test]
fn references_minted_without_the_record_are_of_a_space_of_their_own() {
    let mut floor = Floor::new(COUNTERS);
    play(
        &mut floor,
        "press library/counter-1
        desk closes
        record lost
        record lost
        press library/counter-1
        press library/counter-2
        record found
        press library/pendant
        record lost
        press depot/gate",
    );
    let acts: Vec<String> = floor.engine.activations().map(|a| a.id.to_string()).collect();
    assert_eq!(acts, ["KAL-1", "KAL-2", "KAL-U1-1", "KAL-U1-2", "MUN-U2-1"]);
    let ords = floor.events.iter().filter_map(|(_, e)| if let Event::Raised(r) = e { Some(r.ord) } else { None });
    assert_eq!(ords.collect::<Vec<_>>(), [1, 2, 3, 4, 1], "and no customer's count has a gap");
}

#[test]
fn tamper_and_presence_are_noted_and_call_nobody() {
    let mut floor = Floor::new(COUNTERS);
    let tell = |floor: &mut Floor, device: &str, verb| floor.hear(signal(device, verb)).len();
    assert_eq!(tell(&mut floor, "library/counter-1", Verb::Presence { online: true }), 1);
    assert_eq!(tell(&mut floor, "library/counter-1", Verb::Presence { online: true }), 0, "only changes are recorded");
    assert_eq!(tell(&mut floor, "library/counter-1", Verb::Tamper { on: true }), 2);
    assert_eq!(tell(&mut floor, "library/counter-2", Verb::Tamper { on: true }), 1, "one trouble a cause");
    assert_eq!(tell(&mut floor, "library/counter-1", Verb::Tamper { on: false }), 1, "the other stands open");
    assert_eq!(floor.engine.troubles().count(), 1);
    assert_eq!(tell(&mut floor, "library/counter-2", Verb::Tamper { on: false }), 2);
    assert_eq!(floor.engine.troubles().count(), 0);
    floor.expect_nothing_silent();
}

#[test]
fn a_counter_that_no_reader_of_the_record_could_hold_stays_in_the_raw_message() {
    let mut floor = Floor::new(COUNTERS);
    let mut huge = press("library/counter-1");
    huge.sequence = Some(u64::MAX);
    huge.pressed_at = Some(Timestamp::UNIX_EPOCH);
    floor.send(huge);
    let counts = floor.events.iter().filter_map(|(_, e)| if let Event::Raised(r) = e { Some(r.signal.sequence) } else { None });
    assert_eq!(counts.collect::<Vec<_>>(), [None]);
}
