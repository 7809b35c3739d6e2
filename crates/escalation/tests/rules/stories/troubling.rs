//! Troubles that people are told of: once per cause, by their own ladder, until somebody looks after them or they are over.

use std::collections::{BTreeMap, BTreeSet};

use escalation::acknowledgement::Code;
use escalation::dispatch::{Failure, Purpose, Report};
use escalation::event::{Event, SetAside, Telling};
use escalation::id::{CarrierName, ContactKey, CustomerId, LadderId, SiteId};
use escalation::input::Input;
use escalation::ladder::Medium;
use escalation::matter::{Gravity, Topic};
use escalation::notice::{Notice, NoticeStage};
use escalation::time::Timestamp;
use escalation::trouble::Cause;
use expect_test::expect;
use proptest::prelude::*;

use super::COUNTERS;
use crate::floor::Floor;
use crate::script::{compare, play};

/// The operator has two people, Kalamunda one of its own, and Mundaring one as well.
pub(super) fn technical() -> String {
    format!(
        r#"{COUNTERS}
[[person]]
id = "ops"
name = "Ops"
mobile = "+61 491 570 160"
email = "ops@example.org"
[[person]]
id = "boss"
name = "Boss"
mobile = "+61 491 570 161"
[[person]]
id = "kal-it"
name = "Kal It"
customer = "kalamunda"
mobile = "+61 491 570 162"
[[person]]
id = "mun-it"
name = "Mun It"
customer = "mundaring"
mobile = "+61 491 570 163"
[technical]
ladder = "station"
[[ladder]]
id = "station"
[[ladder.rung]]
notify = [{{ person = "ops" }}]
wait = "5m"
[[ladder.rung]]
notify = [{{ person = "boss" }}]
wait = "5m"
[[ladder]]
id = "kal-tech"
customer = "kalamunda"
[[ladder.rung]]
notify = [{{ person = "kal-it" }}]
[[ladder]]
id = "mun-tech"
customer = "mundaring"
[[ladder.rung]]
notify = [{{ person = "mun-it" }}]
"#
    )
    .replace("id = \"kalamunda\"\nname", "id = \"kalamunda\"\ntechnical = \"kal-tech\"\nname")
    .replace("id = \"mundaring\"\nname", "id = \"mundaring\"\ntechnical = \"mun-tech\"\nname")
}

fn floor() -> Floor {
    Floor::new(&technical())
}

fn noticed(floor: &mut Floor, cause: Cause) {
    floor.take(Input::TroubleNoticed(cause)).unwrap();
}

fn cleared(floor: &mut Floor, cause: Cause) {
    floor.take(Input::TroubleCleared(cause)).unwrap();
}

fn tampered(site: &str) -> Cause {
    Cause::Tampered { site: SiteId::parse(site).unwrap() }
}

fn down(carrier: &str) -> Cause {
    Cause::ProviderDown { carrier: CarrierName::parse(carrier).unwrap() }
}

fn gap(site: &str, from: Timestamp) -> Cause {
    Cause::CoverageGap { ladder: LadderId::parse("counters").unwrap(), site: SiteId::parse(site).unwrap(), from }
}

/// The broker is away, and Ops has been told.
fn told() -> Floor {
    let mut floor = floor();
    noticed(&mut floor, Cause::BrokerAway);
    floor.forward("60s");
    floor.expect("ops", Medium::Sms, Purpose::Trouble);
    floor.expect_nothing_silent();
    floor
}

#[test]
fn a_trouble_that_lasts_climbs_until_somebody_looks_after_it_and_ends_with_one_all_clear() {
    let mut floor = floor();
    noticed(&mut floor, Cause::BrokerAway);
    play(&mut floor, "forward 60s\ndelivered sms to ops\nforward 5m\nreply boss Y{code}\nforward 90m");
    cleared(&mut floor, Cause::BrokerAway);
    play(&mut floor, "forward 2h");
    compare(
        &floor,
        expect![[r#"
        0s        ! trouble: BrokerAway
        > forward 60s
        60s       TRB-1 BrokerAway +0 rung 1 until 360s (Begins): ops by sms then email
        60s         TRB-1.1 sms to ops: trouble code 9900
        > delivered sms to ops
        60s         TRB-1.1 is Delivered
        > forward 5m
        360s      TRB-1 BrokerAway +0 rung 2 until 2160s (WaitOver): boss by sms
        360s        TRB-1.2 sms to boss: trouble code 9900
        > reply boss Y{code}
        360s      TRB-1 boss looks after it: true, until 7560s
        360s        TRB-1.3 sms to boss: trouble_taken
        > forward 90m
        5760s     ! cleared: BrokerAway
        > forward 2h
        5820s     TRB-1 over
        5820s       TRB-1.4 sms to ops: trouble_over
        5820s       TRB-1.5 sms to boss: trouble_over
    "#]],
    );
}

#[test]
fn a_blip_tells_nobody() {
    let mut floor = floor();
    for _ in 0..10 {
        noticed(&mut floor, Cause::BrokerAway);
        floor.forward("59s");
        cleared(&mut floor, Cause::BrokerAway);
        floor.forward("61s");
    }
    floor.forward("2h");
    floor.expect_nothing_silent();
    assert_eq!(floor.engine.notices().count(), 0);
}

#[test]
fn what_comes_back_within_the_wait_is_the_same_trouble() {
    let mut floor = told();
    for _ in 0..4 {
        cleared(&mut floor, Cause::BrokerAway);
        floor.forward("59s");
        noticed(&mut floor, Cause::BrokerAway);
        floor.forward("10s");
    }
    floor.expect_nothing_silent();
    cleared(&mut floor, Cause::BrokerAway);
    floor.forward("60s");
    floor.expect("ops", Medium::Sms, Purpose::TroubleOver);
    floor.expect_nothing_silent();
}

/// A broker in a loop is away most of the time, and never for as long as the wait.
#[test]
fn what_flaps_faster_than_the_wait_is_told_and_climbs() {
    let mut floor = floor();
    let flap = |floor: &mut Floor| {
        noticed(floor, Cause::BrokerAway);
        floor.forward("50s");
        cleared(floor, Cause::BrokerAway);
        floor.forward("10s");
    };
    flap(&mut floor);
    floor.expect_nothing_silent();
    flap(&mut floor);
    floor.expect("ops", Medium::Sms, Purpose::Trouble);
    for _ in 0..6 {
        flap(&mut floor);
    }
    floor.expect("boss", Medium::Sms, Purpose::Trouble);
    floor.forward("60s");
    floor.expect("ops", Medium::Sms, Purpose::TroubleOver);
    floor.expect("boss", Medium::Sms, Purpose::TroubleOver);
    floor.expect_nothing_silent();
}

/// Nobody answers what can wait; tonight's gap is told all the same.
#[test]
fn what_cannot_wait_is_not_kept_behind_what_can() {
    let mut floor = floor();
    let (soon, later) = (floor.now, floor.now + escalation::time::SignedDuration::from_hours(24 * 6));
    noticed(&mut floor, gap("library", later));
    floor.forward("60s");
    floor.expect("kal-it", Medium::Sms, Purpose::Trouble);
    noticed(&mut floor, gap("library", soon));
    floor.forward("60s");
    floor.expect("kal-it", Medium::Sms, Purpose::TroubleAgain);
    floor.expect_nothing_silent();
}

#[test]
fn a_gap_that_comes_near_is_told_when_it_does() {
    let mut floor = floor();
    let from = floor.now + escalation::time::SignedDuration::from_hours(50);
    noticed(&mut floor, gap("library", from));
    floor.forward("60s");
    floor.expect("kal-it", Medium::Sms, Purpose::Trouble);
    floor.forward("119m");
    floor.expect_nothing_silent();
    floor.forward("1m");
    floor.expect("kal-it", Medium::Sms, Purpose::TroubleAgain);
    floor.expect_nothing_silent();
}

/// A customer that names nobody of its own any more is looked after by the operator, and finds nobody of the operator's in its record.
#[test]
fn a_reload_shows_no_customer_the_operators_people() {
    let mut floor = floor();
    let soon = floor.now;
    noticed(&mut floor, gap("library", soon));
    floor.forward("60s");
    floor.expect("kal-it", Medium::Sms, Purpose::Trouble);
    floor.adopt(&technical().replace("technical = \"kal-tech\"\n", ""));
    floor.forward("30m");
    floor.expect("ops", Medium::Sms, Purpose::Trouble);
    let told = |event: &Event| {
        let Event::TroubleTold { cust, parties, .. } = event else { return None };
        Some((cust.is_some(), parties.iter().any(|party| party.person.is_some_and(|person| person.person == floor.person("kal-it")))))
    };
    let told: Vec<_> = floor.events.iter().filter_map(|(_, event)| told(event)).collect();
    assert!(told.len() > 1 && told.iter().all(|(is_theirs, own_people)| is_theirs == own_people), "{told:?}");
}

#[test]
fn many_causes_of_one_kind_are_one_message() {
    let mut floor = floor();
    for name in ["first", "second", "third"] {
        noticed(&mut floor, down(name));
    }
    floor.forward("60s");
    floor.expect("ops", Medium::Sms, Purpose::Trouble);
    floor.expect_nothing_silent();
    let notice = floor.engine.notices().next().unwrap();
    assert_eq!((notice.matter.topic, notice.more, &notice.cause), (Topic::ProviderDown, 2, &down("first")));
    cleared(&mut floor, down("first"));
    cleared(&mut floor, down("third"));
    floor.forward("2m");
    floor.expect_nothing_silent();
    cleared(&mut floor, down("second"));
    floor.forward("60s");
    floor.expect("ops", Medium::Sms, Purpose::TroubleOver);
    floor.expect_nothing_silent();
}

#[test]
fn where_texts_fail_the_mail_is_tried_and_then_the_next_rung() {
    let mut floor = floor();
    noticed(&mut floor, Cause::RecordUnreachable);
    floor.forward("60s");
    let text = floor.expect("ops", Medium::Sms, Purpose::Trouble);
    floor.report(&text, Report::Failed(Failure::Unavailable));
    let mail = floor.expect("ops", Medium::Email, Purpose::Trouble);
    floor.expect_nothing_silent();
    floor.report(&mail, Report::Failed(Failure::Unavailable));
    let boss = floor.expect("boss", Medium::Sms, Purpose::Trouble);
    floor.report(&boss, Report::Failed(Failure::Unavailable));
    floor.expect_nothing_silent();
    assert!(floor.engine.notices().next().unwrap().told().is_empty(), "nobody is shown as told");
    // Nobody heard of it, so that nobody is told that it is over.
    cleared(&mut floor, Cause::RecordUnreachable);
    floor.forward("1h");
    floor.expect_nothing_silent();
}

#[test]
fn the_all_clear_goes_to_exactly_those_who_were_told_and_by_the_channel_that_reached_them() {
    let mut floor = floor();
    noticed(&mut floor, Cause::BrokerAway);
    floor.forward("60s");
    let text = floor.expect("ops", Medium::Sms, Purpose::Trouble);
    floor.report(&text, Report::Undelivered { code: "30003".to_owned() });
    let mail = floor.expect("ops", Medium::Email, Purpose::Trouble);
    floor.report(&mail, Report::Accepted);
    cleared(&mut floor, Cause::BrokerAway);
    floor.forward("60s");
    floor.expect("ops", Medium::Email, Purpose::TroubleOver);
    floor.expect_nothing_silent();
}

#[test]
fn a_customers_trouble_goes_to_its_own_people_alone() {
    let mut floor = floor();
    let soon = floor.now;
    noticed(&mut floor, gap("library", soon));
    floor.forward("60s");
    floor.expect("kal-it", Medium::Sms, Purpose::Trouble);
    floor.forward("10h");
    for _ in 0..20 {
        floor.expect("kal-it", Medium::Sms, Purpose::TroubleAgain);
    }
    floor.skip_messages();
    noticed(&mut floor, gap("depot", soon));
    floor.forward("60s");
    floor.expect("mun-it", Medium::Sms, Purpose::Trouble);
}

#[test]
fn a_customer_without_a_technical_ladder_is_looked_after_by_the_operator() {
    let mut floor = Floor::new(&technical().replace("technical = \"mun-tech\"\n", ""));
    let soon = floor.now;
    noticed(&mut floor, gap("depot", soon));
    floor.forward("60s");
    floor.expect("ops", Medium::Sms, Purpose::Trouble);
    floor.expect_nothing_silent();
}

/// A fault that opens a gap at every customer is one message to whoever looks after them, and nobody of the operator's stands in what
/// is a customer's.
#[test]
fn all_customers_whom_the_operator_looks_after_are_one_matter() {
    let town = |number: u8| {
        let (letter, prefix) = (char::from(b'A' + number % 26), if number < 26 { "XA" } else { "XB" });
        format!(
            "[[customer]]\nid = \"town-{number}\"\nprefix = \"{prefix}{letter}\"\nladder = \"depot\"\n\
             [[site]]\nid = \"hall-{number}\"\ncustomer = \"town-{number}\"\nname = \"Hall\"\n"
        )
    };
    let text = technical() + &(0..40_u8).map(town).collect::<Vec<_>>().concat();
    let mut floor = Floor::new(&text);
    let soon = floor.now;
    for number in 0..40_u8 {
        noticed(&mut floor, gap(&format!("hall-{number}"), soon));
    }
    noticed(&mut floor, gap("library", soon));
    floor.forward("60s");
    floor.expect("ops", Medium::Sms, Purpose::Trouble);
    floor.expect("kal-it", Medium::Sms, Purpose::Trouble);
    floor.expect_nothing_silent();
    let told_of = |event: &Event| {
        let Event::TroubleTold { cust, more, .. } = event else { return None };
        Some((cust.as_ref().map(ToString::to_string), *more))
    };
    let told: Vec<_> = floor.events.iter().filter_map(|(_, event)| told_of(event)).collect();
    assert_eq!(told, [(None, 39), (Some("kalamunda".to_owned()), 0)]);
    // Whoever heard of it first hears of its end, also where the customer names people of its own meanwhile.
    floor.adopt(&text.replace("id = \"town-0\"\n", "id = \"town-0\"\ntechnical = \"station\"\n"));
    for number in 0..40_u8 {
        cleared(&mut floor, gap(&format!("hall-{number}"), soon));
    }
    floor.forward("60s");
    floor.expect("ops", Medium::Sms, Purpose::TroubleOver);
    floor.expect_nothing_silent();
}

#[test]
fn without_a_technical_ladder_troubles_are_shown_and_not_sent() {
    let mut floor = Floor::new(COUNTERS);
    noticed(&mut floor, Cause::BrokerAway);
    floor.forward("24h");
    floor.expect_nothing_silent();
    assert_eq!(floor.engine.next_deadline(), None);
    // Whoever is named later is told.
    floor.adopt(&technical());
    floor.forward("1s");
    floor.expect("ops", Medium::Sms, Purpose::Trouble);
}

#[test]
fn what_can_wait_is_told_by_day_to_the_first_rung_once_a_day() {
    let mut floor = floor();
    // It is 14:03 in Perth; the evening begins at 21:00.
    floor.forward("8h");
    noticed(&mut floor, Cause::RecordUnsigned);
    floor.forward("8h");
    floor.expect_nothing_silent();
    floor.forward("1h");
    floor.expect("ops", Medium::Sms, Purpose::Trouble);
    floor.forward("23h");
    floor.expect_nothing_silent();
    floor.forward("1h");
    floor.expect("ops", Medium::Sms, Purpose::TroubleAgain);
    floor.expect_nothing_silent();
}

#[test]
fn a_gap_of_next_week_wakes_nobody_until_it_comes_near() {
    let mut floor = floor();
    floor.forward("8h");
    let from = floor.now + escalation::time::SignedDuration::from_hours(24 * 6);
    noticed(&mut floor, gap("library", from));
    floor.forward("8h");
    floor.expect_nothing_silent();
    floor.forward("1h");
    floor.expect("kal-it", Medium::Sms, Purpose::Trouble);
    floor.expect_nothing_silent();
}

#[test]
fn nobody_is_told_again_for_a_while_once_somebody_looks_after_it() {
    let mut floor = told();
    let events = floor.reply("ops", "Y{code}");
    assert!(events.iter().any(|event| matches!(event, Event::TroubleAnswered { takes: true, .. })));
    floor.expect("ops", Medium::Sms, Purpose::TroubleTaken);
    assert!(matches!(floor.engine.notices().next().unwrap().stage, NoticeStage::Taken { .. }));
    floor.forward("119m");
    floor.expect_nothing_silent();
    floor.forward("1m");
    floor.expect("ops", Medium::Sms, Purpose::TroubleAgain);
    floor.expect_nothing_silent();
    floor.forward("5m");
    floor.expect("boss", Medium::Sms, Purpose::Trouble);
}

/// Whoever looks after one account that is down does not know that the other one went down as well.
#[test]
fn another_of_the_kind_is_told_also_to_whoever_looks_after_the_first() {
    let mut floor = floor();
    noticed(&mut floor, down("first"));
    floor.forward("60s");
    floor.expect("ops", Medium::Sms, Purpose::Trouble);
    floor.reply("ops", "Y{code}");
    floor.expect("ops", Medium::Sms, Purpose::TroubleTaken);
    for _ in 0..10 {
        noticed(&mut floor, down("second"));
        floor.forward("61s");
        floor.skip_messages();
        floor.reply("ops", "Y{code}");
        cleared(&mut floor, down("second"));
        floor.forward("10s");
    }
    let joined = |event: &Event| matches!(event, Event::TroubleTold { why: Telling::Joined, more: 1, .. });
    assert_eq!(floor.count(joined), 2, "with the first telling three in an hour, however often it comes and goes");
}

/// Whoever looks after tonight's gap is not woken for one of next week.
#[test]
fn what_can_wait_joins_nothing_that_is_looked_after() {
    let mut floor = floor();
    let (soon, later) = (floor.now, floor.now + escalation::time::SignedDuration::from_hours(24 * 6));
    noticed(&mut floor, gap("library", soon));
    floor.forward("60s");
    floor.expect("kal-it", Medium::Sms, Purpose::Trouble);
    floor.reply("kal-it", "Y{code}");
    floor.expect("kal-it", Medium::Sms, Purpose::TroubleTaken);
    noticed(&mut floor, gap("library", later));
    floor.forward("10m");
    floor.expect_nothing_silent();
}

#[test]
fn whoever_looked_after_it_and_cannot_any_more_says_so_and_the_next_is_told() {
    let mut floor = told();
    floor.reply("ops", "Y{code}");
    floor.skip_messages();
    floor.reply("boss", "N9900");
    floor.expect_nothing_silent();
    floor.reply("ops", "N{code}");
    floor.expect("boss", Medium::Sms, Purpose::Trouble);
}

#[test]
fn a_no_goes_on_at_once() {
    let mut floor = told();
    floor.reply("ops", "N{code}");
    floor.expect("boss", Medium::Sms, Purpose::Trouble);
    floor.expect_nothing_silent();
    floor.reply("boss", "N{code}");
    floor.expect_nothing_silent();
}

/// Somebody who is awake and cannot does not take the time of whoever else was asked.
#[test]
fn a_no_leaves_the_others_of_the_rung_their_time() {
    let both = technical()
        .replace("notify = [{ person = \"boss\" }]", "notify = [{ person = \"p-nair\" }]")
        .replace("notify = [{ person = \"ops\" }]", "notify = [{ person = \"ops\" }, { person = \"boss\" }]");
    let mut floor = Floor::new(&both);
    noticed(&mut floor, Cause::BrokerAway);
    floor.forward("60s");
    floor.expect("ops", Medium::Sms, Purpose::Trouble);
    let boss = floor.expect("boss", Medium::Sms, Purpose::Trouble);
    for _ in 0..3 {
        floor.reply("ops", "N{code}");
        floor.expect_nothing_silent();
    }
    floor.report(&boss, Report::Failed(Failure::Unavailable));
    floor.expect("p-nair", Medium::Sms, Purpose::Trouble);
    floor.expect_nothing_silent();
    let until = |event: &Event| matches!(event, Event::TroubleAnswered { takes: false, until, .. } if *until == floor.now + escalation::time::SignedDuration::from_mins(5));
    assert_eq!(floor.count(until), 3, "the record says when the next rung is told");
}

#[test]
fn what_became_of_a_message_is_recorded_however_late() {
    let mut floor = told();
    let owed: Vec<_> = floor.engine.outbox().map(|(id, _)| id.clone()).collect();
    floor.report_on(&owed[0], Report::Accepted);
    cleared(&mut floor, Cause::BrokerAway);
    floor.forward("60s");
    noticed(&mut floor, Cause::BrokerAway);
    floor.forward("60s");
    let events = floor.report_on(&owed[0], Report::Undelivered { code: "30003".to_owned() });
    assert!(matches!(events.as_slice(), [Event::DispatchReported { report: Report::Undelivered { .. }, .. }]), "{events:?}");
}

#[test]
fn an_answer_counts_for_its_own_trouble_while_it_lasts() {
    let mut floor = told();
    cleared(&mut floor, Cause::BrokerAway);
    floor.forward("60s");
    floor.expect("ops", Medium::Sms, Purpose::TroubleOver);
    let set_aside = |events: &[Event], expected: SetAside| {
        assert!(matches!(events, [Event::AnswerSetAside { act: None, why, .. }] if *why == expected), "{events:?}");
    };
    set_aside(&floor.reply("ops", "Y{code}"), SetAside::AlreadyClosed);
    let early = floor.now;
    noticed(&mut floor, Cause::BrokerAway);
    floor.forward("70s");
    floor.expect("ops", Medium::Sms, Purpose::Trouble);
    let events = floor.reply_as("ops", "Y{code}", Some("SM-x".to_owned()), Some(early));
    set_aside(&events[..1], SetAside::BeforeTheAlarm);
    floor.expect("ops", Medium::Sms, Purpose::TroubleAgain);
    floor.expect_nothing_silent();
}

/// The text of yesterday's answer may arrive tonight, and a carrier need not say when it was sent.
#[test]
fn a_late_answer_takes_nothing_new() {
    let mut floor = told();
    cleared(&mut floor, Cause::BrokerAway);
    floor.forward("60s");
    floor.expect("ops", Medium::Sms, Purpose::TroubleOver);
    noticed(&mut floor, Cause::BrokerAway);
    floor.forward("60s");
    let tonight = floor.expect("ops", Medium::Sms, Purpose::Trouble);
    let events = floor.reply("ops", "Y9900");
    assert!(matches!(&events[0], Event::AnswerSetAside { why: SetAside::UnknownCode, .. }), "{events:?}");
    assert!(matches!(floor.engine.notices().next().unwrap().stage, NoticeStage::Asking { .. }));
    let again = floor.expect("ops", Medium::Sms, Purpose::TroubleAgain);
    assert!(again.code == tonight.code && again.code != Code::new(9_900), "they are told the code that counts");
    floor.expect_nothing_silent();
}

/// Whoever answers a bare yes to a trouble believes that they have taken it: they are told how, once for each time they were told.
#[test]
fn a_bare_yes_to_a_trouble_is_answered_with_its_code() {
    for text in ["Y", "N99", "Y9999"] {
        let mut floor = told();
        floor.reply("ops", text);
        floor.expect("ops", Medium::Sms, Purpose::TroubleAgain);
        floor.reply("ops", text);
        floor.reply("boss", text);
        floor.expect_nothing_silent();
        assert!(matches!(floor.engine.notices().next().unwrap().stage, NoticeStage::Asking { .. }), "{text} takes nothing");
        floor.reply("ops", "Y{code}");
        floor.expect("ops", Medium::Sms, Purpose::TroubleTaken);
        cleared(&mut floor, Cause::BrokerAway);
        floor.forward("60s");
        floor.expect("ops", Medium::Sms, Purpose::TroubleOver);
        floor.expect_nothing_silent();
    }
}

/// A bare yes of somebody who was told of a call and then of a trouble may mean either: the call climbs on.
#[test]
fn a_bare_yes_after_a_trouble_holds_up_no_call() {
    let alike = technical().replace("notify = [{ person = \"ops\" }]", "notify = [{ person = \"j-smith\", by = [\"sms\"] }]");
    let alike = alike.replace("ladder = \"station\"\n", "ladder = \"station\"\nwait = \"10s\"\n");
    let pauses = |floor: &mut Floor| {
        let events = floor.reply("j-smith", "Y");
        let paused = |event: &Event| matches!(event, Event::AnswerSetAside { pauses_until: Some(_), .. });
        assert!(events.iter().any(|event| matches!(event, Event::DispatchQueued { purpose: Purpose::WhichAlarm, .. })), "{events:?}");
        events.iter().any(paused)
    };
    let mut floor = Floor::new(&alike);
    floor.press("library/counter-1");
    noticed(&mut floor, Cause::BrokerAway);
    floor.forward("25s");
    assert!(!pauses(&mut floor), "the trouble came after the call");
    let mut floor = Floor::new(&alike);
    noticed(&mut floor, Cause::BrokerAway);
    floor.forward("15s");
    floor.press("library/counter-1");
    floor.forward("25s");
    assert!(!pauses(&mut floor), "the trouble came a moment before the call");
    let mut floor = Floor::new(&alike);
    noticed(&mut floor, Cause::BrokerAway);
    floor.forward("15s");
    cleared(&mut floor, Cause::BrokerAway);
    floor.forward("15s");
    floor.press("library/counter-1");
    floor.forward("25s");
    assert!(!pauses(&mut floor), "and so did the word that it is over");
    let mut floor = Floor::new(&alike);
    noticed(&mut floor, Cause::BrokerAway);
    floor.forward("15s");
    floor.forward("11m");
    floor.press("library/counter-1");
    floor.forward("25s");
    assert!(pauses(&mut floor), "nobody speaks of what they were told long ago");
}

/// The answer to a trouble stops no call, and the answer to a call ends no trouble, however many of either there are.
#[test]
fn a_trouble_takes_no_code_and_no_turn_of_a_call() {
    let alike = technical().replace("notify = [{ person = \"ops\" }]", "notify = [{ person = \"j-smith\", by = [\"sms\"] }]");
    let (mut with, mut without) = (Floor::new(&alike), Floor::new(&alike));
    for cause in [Cause::BrokerAway, Cause::RecordUnreachable, Cause::DirectoryBroken] {
        noticed(&mut with, cause);
    }
    for floor in [&mut with, &mut without] {
        floor.forward("60s");
        floor.skip_messages();
        floor.press("library/front-1");
    }
    let codes = [&mut with, &mut without].map(|floor| floor.expect_sms("j-smith").code);
    assert_eq!(codes[0], codes[1], "the same code as without any trouble");
    let of_notices: BTreeSet<u16> = with.events.iter().filter_map(|(_, event)| notice_code(event)).collect();
    assert_eq!(of_notices.len(), 3, "one for each trouble");
    assert!(of_notices.iter().all(|code| *code >= 9_900), "{of_notices:?}");
    with.skip_messages();
    with.reply("j-smith", &format!("Y{}", of_notices.first().unwrap()));
    with.expect("j-smith", Medium::Sms, Purpose::TroubleTaken);
    assert!(with.subject().promise.is_none(), "nobody goes because somebody looks after the broker");
}

fn notice_code(event: &Event) -> Option<u16> {
    let Event::DispatchQueued { act, code, .. } = event else { return None };
    code.filter(|_| act.prefix.is_of_notices()).map(Code::number)
}

#[test]
fn calls_that_are_due_go_before_troubles_that_are() {
    let mut floor = floor();
    floor.press("library/front-1");
    noticed(&mut floor, Cause::BrokerAway);
    floor.skip_messages();
    floor.now += escalation::time::SignedDuration::from_mins(30);
    for _ in 0..3 {
        let events = floor.take(Input::Tick).unwrap();
        let of_notice = events.iter().any(|event| event.activation().is_some_and(|id| id.prefix.is_of_notices()));
        let call_due = floor.subject().next_due().is_some_and(|(at, _)| at <= floor.now);
        assert!(!(of_notice && call_due), "a trouble was told while a call was due");
    }
}

#[test]
fn after_a_start_everything_is_given_time_to_come_back() {
    let mut floor = floor();
    noticed(&mut floor, Cause::BrokerAway);
    floor.forward("10s");
    floor.away("1h");
    floor.expect_nothing_silent();
    floor.forward("59s");
    floor.expect_nothing_silent();
    floor.forward("1s");
    floor.expect("ops", Medium::Sms, Purpose::Trouble);
}

#[test]
fn what_comes_and_goes_is_told_three_times_an_hour() {
    let mut floor = floor();
    for _ in 0..12 {
        noticed(&mut floor, Cause::BrokerAway);
        floor.forward("61s");
        cleared(&mut floor, Cause::BrokerAway);
        floor.forward("61s");
    }
    let count = |floor: &Floor, why: Telling| floor.count(|event| matches!(event, Event::TroubleTold { why: told, .. } if *told == why));
    let over = |floor: &Floor| floor.count(|event| matches!(event, Event::TroubleOver { .. }));
    assert_eq!((count(&floor, Telling::Begins), over(&floor)), (3, 2), "the last word is that there is a trouble");
    noticed(&mut floor, Cause::BrokerAway);
    floor.forward("10m");
    assert!(floor.engine.notices().next().unwrap().is_open(), "what comes back is the same trouble");
    cleared(&mut floor, Cause::BrokerAway);
    floor.forward("2h");
    assert_eq!((count(&floor, Telling::Begins), over(&floor)), (3, 3));
}

/// Nothing was looked at yet when the station starts: what it says of the broker is from before.
#[test]
fn a_start_is_no_proof_that_it_is_over() {
    let mut floor = told();
    cleared(&mut floor, Cause::BrokerAway);
    floor.forward("30s");
    floor.away("1h");
    noticed(&mut floor, Cause::BrokerAway);
    floor.forward("10m");
    assert_eq!(floor.count(|event| matches!(event, Event::TroubleOver { .. })), 0);
}

/// Somebody who is told at three in the afternoon is not woken at three at night because it is over; and since it is told once a day,
/// it is not said to be over before it could be told again.
#[test]
fn the_end_of_what_can_wait_is_told_by_day() {
    let mut floor = floor();
    noticed(&mut floor, Cause::RecordUnsigned);
    floor.forward("60s");
    floor.expect("ops", Medium::Sms, Purpose::Trouble);
    floor.forward("12h");
    cleared(&mut floor, Cause::RecordUnsigned);
    floor.forward("11h");
    floor.expect_nothing_silent();
    noticed(&mut floor, Cause::RecordUnsigned);
    floor.forward("10m");
    cleared(&mut floor, Cause::RecordUnsigned);
    floor.expect_nothing_silent();
    floor.forward("50m");
    floor.expect("ops", Medium::Sms, Purpose::TroubleOver);
}

/// What was lost while it seemed to be over is tried elsewhere once it is not.
#[test]
fn a_text_that_is_lost_while_it_seems_over_is_made_up_for() {
    let mut floor = floor();
    noticed(&mut floor, Cause::BrokerAway);
    floor.forward("60s");
    let text = floor.expect("ops", Medium::Sms, Purpose::Trouble);
    cleared(&mut floor, Cause::BrokerAway);
    floor.report(&text, Report::Failed(Failure::Unavailable));
    floor.forward("30s");
    noticed(&mut floor, Cause::BrokerAway);
    floor.forward("60s");
    floor.expect("boss", Medium::Sms, Purpose::Trouble);
}

#[test]
fn a_rung_with_nobody_takes_no_time_and_what_reaches_nobody_is_said() {
    let roster = "[[roster]]\nid = \"off\"\n[[roster.shift]]\npeople = [\"boss\"]\nuntil = \"2020-01-01 00:00\"\n";
    let nobody =
        |who: &str| technical().replace(&format!("notify = [{{ person = \"{who}\" }}]"), "notify = [{ roster = \"off\" }]") + roster;
    let mut floor = Floor::new(&nobody("ops"));
    noticed(&mut floor, Cause::BrokerAway);
    floor.forward("60s");
    floor.expect("boss", Medium::Sms, Purpose::Trouble);
    let mut floor = Floor::new(&nobody("ops").replace("notify = [{ person = \"boss\" }]", "notify = [{ roster = \"off\" }]"));
    noticed(&mut floor, Cause::BrokerAway);
    floor.forward("10h");
    floor.expect_nothing_silent();
    assert!(floor.engine.notices().next().unwrap().told().is_empty());
    assert!(floor.count(|event| matches!(event, Event::RungPassedOver { .. })) >= 2, "it is recorded that nobody was there");
    cleared(&mut floor, Cause::BrokerAway);
    floor.forward("60s");
    floor.expect_nothing_silent();
    assert!(!floor.engine.notices().next().unwrap().is_open());
}

/// What may happen to troubles.
#[derive(Clone, Debug)]
enum Happening {
    Noticed(usize),
    Cleared(usize),
    Wait(u32),
    Reply(usize, bool),
    Fail(usize),
    Restart,
}

fn causes() -> [Cause; 7] {
    let soon = "2026-04-13T06:03:00Z".parse().unwrap();
    [Cause::BrokerAway, down("first"), down("second"), Cause::RecordUnsigned, gap("library", soon), gap("depot", soon), tampered("library")]
}

const EVERYBODY: [&str; 4] = ["ops", "boss", "kal-it", "mun-it"];

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        4 => (0..7_usize).prop_map(Happening::Noticed),
        4 => (0..7_usize).prop_map(Happening::Cleared),
        4 => (1..4_000_u32).prop_map(Happening::Wait),
        2 => (0..4_usize, any::<bool>()).prop_map(|(who, yes)| Happening::Reply(who, yes)),
        2 => (0..8_usize).prop_map(Happening::Fail),
        1 => Just(Happening::Restart),
    ]
}

fn live(happenings: &[Happening]) -> Floor {
    let mut floor = floor();
    for happening in happenings {
        match happening {
            Happening::Noticed(cause) => noticed(&mut floor, causes()[*cause].clone()),
            Happening::Cleared(cause) => cleared(&mut floor, causes()[*cause].clone()),
            Happening::Wait(s) => floor.forward(&format!("{s}s")),
            Happening::Reply(who, yes) => drop(floor.reply(EVERYBODY[*who], if *yes { "Y{code}" } else { "N{code}" })),
            Happening::Fail(nth) => {
                let owed: Vec<_> = floor.engine.outbox().map(|(id, _)| id.clone()).collect();
                if let Some(id) = owed.get(*nth) {
                    floor.report_on(id, Report::Failed(Failure::Unavailable));
                }
            }
            Happening::Restart => floor.away("5s"),
        }
    }
    floor
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Whatever comes and goes: nobody hears of another's trouble, nobody is told that a trouble is over who was not told of it,
    /// everybody who was is told so once it is, and no phone hears more of one matter in an hour than it may.
    #[test]
    fn people_are_told_of_their_own_troubles_and_of_their_end(happenings in prop::collection::vec(happening(), 1..60)) {
        let mut floor = live(&happenings);
        floor.forward("2h");
        let grave = floor.engine.troubles().filter(|(cause, _)| cause.gravity(floor.now) == Gravity::AlarmPath);
        for (cause, trouble) in grave {
            let is_told = floor.engine.notice(&trouble.matter(cause)).is_some_and(Notice::is_open);
            prop_assert!(is_told, "{cause:?} lasts, and nobody was told");
        }
        let must_move = |floor: &Floor| floor.engine.next_deadline().is_none_or(|deadline| deadline.at > floor.now);
        prop_assert!(must_move(&floor), "due, and nothing came of it");
        for cause in causes() {
            cleared(&mut floor, cause);
        }
        floor.forward("48h");
        prop_assert!(must_move(&floor), "due, and nothing came of it");
        let mut waiting: BTreeMap<(String, ContactKey, Medium), u32> = BTreeMap::new();
        let mut heard: BTreeMap<(String, ContactKey), Vec<Timestamp>> = BTreeMap::new();
        let mut queued = BTreeMap::new();
        let mut lasting = BTreeMap::new();
        for (at, event) in &floor.events {
            if let Event::TroubleRaised { cause, cust } = event {
                lasting.insert(cause.clone(), cust.clone());
            }
            if let Event::TroubleCleared { cause, .. } = event {
                lasting.remove(cause);
            }
            if let Event::TroubleOver { act } = event {
                let matter = &floor.engine.notice_called(act).unwrap().matter;
                let of_it = |(cause, cust): (&Cause, &Option<_>)| cause.topic() == matter.topic && *cust == matter.customer;
                prop_assert!(!lasting.iter().any(of_it), "{matter:?} is over while it lasts");
            }
            if let Event::DispatchReported { act, dispatch, report: Report::Failed(_), .. } = event
                && let Some((key, Purpose::Trouble | Purpose::TroubleAgain)) = queued.get(&(act.clone(), *dispatch))
                && let Some(alive) = waiting.get_mut(key)
            {
                // A message that is lost only after the word that it is over was one that might still arrive.
                *alive -= 1;
                if *alive == 0 {
                    waiting.remove(key);
                }
            }
            if let Event::TroubleOver { act } = event {
                queued.retain(|(of, _), _| of != act);
            }
            let Event::DispatchQueued { act, to, medium, purpose, dispatch, .. } = event else { continue };
            let notice = floor.engine.notice_called(act).unwrap();
            let own: &[&str] = match notice.matter.customer.as_ref().map(CustomerId::as_str) {
                Some("kalamunda") => &["kal-it"],
                Some("mundaring") => &["mun-it"],
                Some(_) => panic!("whose?"),
                None => &["ops", "boss"],
            };
            prop_assert!(own.contains(&&*floor.name_of(to)), "{} was told of {:?}", floor.name_of(to), notice.matter);
            let key = (act.to_string(), to.contact().unwrap(), *medium);
            queued.insert((act.clone(), *dispatch), (key.clone(), *purpose));
            prop_assert!(purpose.as_str().starts_with("trouble"), "{purpose:?} about a trouble");
            if matches!(purpose, Purpose::Trouble | Purpose::TroubleAgain) {
                *waiting.entry(key.clone()).or_default() += 1;
            }
            if *purpose == Purpose::TroubleOver {
                prop_assert!(waiting.remove(&key).is_some(), "told that it is over, and never of it: {key:?}");
            }
            if *purpose != Purpose::TroubleTaken {
                heard.entry((key.0, key.1)).or_default().push(*at);
            }
        }
        prop_assert!(waiting.is_empty(), "nobody told them that it is over: {waiting:?}");
        for (phone, times) in heard {
            for (index, from) in times.iter().enumerate() {
                let within = times[index..].iter().take_while(|at| at.duration_since(*from).as_secs() < 3_600).count();
                prop_assert!(within <= 16, "{phone:?} heard {within} messages in an hour");
            }
        }
        prop_assert!(floor.engine.notices().all(|notice| !notice.is_open()));
    }
}
