//! Buttons out of service: a press asks their keeper for a minute, and nothing is held back longer or elsewhere.

use std::collections::BTreeMap;

use escalation::acknowledgement::Commitment;
use escalation::activation::Stage;
use escalation::dispatch::{Failure, Purpose, Report};
use escalation::event::{Event, Opening};
use escalation::id::{ActivationId, DeviceId};
use escalation::input::{Act, Input};
use escalation::ladder::Medium;
use escalation::rejection::Rejection;
use escalation::signal::{DeviceClock, Kind, Signal, Unreadable, Verb};
use escalation::time::{Seconds, SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{COUNTERS, PEOPLE};
use crate::floor::{Floor, operator, press, signal};
use crate::script::play;

const BUTTON: &str = "library/counter-1";
const BESIDE: &str = "library/counter-2";

/// P. Nair looks after a button that sticks, and has been asked about a press; J. Smith is first on the ladder.
fn asked() -> Floor {
    let mut floor = Floor::new(COUNTERS);
    floor.take_out(&[BUTTON], "p-nair", BESIDE, 240).unwrap();
    floor.press(BUTTON);
    floor.expect("p-nair", Medium::Sms, Purpose::AskKeeper);
    floor.expect_nothing_silent();
    assert_eq!(floor.subject().opening, Opening::AskKeeper);
    assert_eq!(floor.subject().asks_keeper(), Some(floor.person("p-nair")));
    floor
}

/// The ladder has begun, and the keeper is not waited for.
fn climbs(floor: &mut Floor) {
    floor.expect_sms("j-smith");
    assert_eq!((floor.stage(), floor.subject().asks_keeper()), (Stage::Climbing, None));
}

#[test]
fn without_an_answer_of_the_keeper_a_press_is_a_call_after_a_minute() {
    let mut floor = asked();
    floor.forward("59s");
    floor.expect_nothing_silent();
    floor.forward("1s");
    climbs(&mut floor);
    floor.forward("30s");
    floor.expect("p-nair", Medium::Sms, Purpose::AlarmAgain);
    floor.expect("p-nair", Medium::Email, Purpose::Alarm);
    floor.expect_sms("duty");
}

/// Their answer is one like any other: a human has said that they go.
#[test]
fn a_keeper_who_goes_has_accepted() {
    let mut floor = asked();
    floor.reply("p-nair", "Y{code}");
    floor.expect("p-nair", Medium::Sms, Purpose::Confirmed);
    assert_eq!((floor.stage(), floor.subject().asks_keeper()), (Stage::Committed(Commitment::Going), None));
    assert!(floor.subject().is_open(), "that somebody goes closes nothing");
}

#[test]
fn a_keeper_who_cannot_makes_it_a_call_at_once() {
    let mut floor = asked();
    floor.reply("p-nair", "N{code}");
    floor.expect("p-nair", Medium::Sms, Purpose::Declined);
    climbs(&mut floor);
}

#[test]
fn where_the_keeper_cannot_be_reached_it_is_a_call_at_once() {
    let mut floor = Floor::new(COUNTERS);
    floor.take_out(&[BUTTON], "p-nair", BESIDE, 240).unwrap();
    floor.press(BUTTON);
    let question = floor.expect("p-nair", Medium::Sms, Purpose::AskKeeper);
    floor.report(&question, Report::Failed(Failure::Unavailable));
    climbs(&mut floor);
}

/// It sticks: what it presses meanwhile neither calls everybody nor makes the minute longer.
#[test]
fn presses_that_follow_neither_end_the_minute_nor_make_it_longer() {
    let mut floor = asked();
    for _ in 0..11 {
        floor.forward("5s");
        floor.hear(press(BUTTON));
    }
    floor.expect_nothing_silent();
    assert_eq!(floor.subject().presses, 12);
    floor.forward("5s");
    climbs(&mut floor);
}

/// Somebody with a key says that it is real; so does whoever says that the police are needed.
#[test]
fn a_call_in_earnest_waits_for_no_keeper() {
    let mut floor = asked();
    floor.take(Input::Raised { signal: press(BUTTON), by: operator("app") }).unwrap();
    climbs(&mut floor);
    let mut floor = asked();
    floor.command(operator("desk"), Act::Police { threshold: None, rung: None }).unwrap();
    climbs(&mut floor);
    let mut floor = asked();
    play(&mut floor, "p-nair rang police");
    climbs(&mut floor);
    let mut floor = Floor::new(COUNTERS);
    floor.take_out(&[BUTTON], "p-nair", BESIDE, 240).unwrap();
    floor.take(Input::Raised { signal: press(BUTTON), by: operator("app") }).unwrap();
    climbs(&mut floor);
}

/// Nothing makes the minute of one person longer: no word without a code, and no owner.
#[test]
fn nobody_holds_back_what_only_the_keeper_knows() {
    let mut floor = asked();
    floor.forward("59s");
    floor.reply("p-nair", "yes");
    floor.skip_messages();
    floor.command(operator("desk"), Act::Claim).unwrap();
    let hold = Act::Hold { span: Seconds(300), reason: "wait".to_owned().into() };
    assert!(matches!(floor.command(operator("desk"), hold), Err(Rejection::NothingToHold(_))));
    floor.forward("1s");
    climbs(&mut floor);
}

/// The next press is of a button that is in service, or may be older than the outage: everybody is told.
#[test]
fn what_joins_a_call_while_its_keeper_is_asked_is_asked_whether_it_sticks() {
    type Change = fn(&mut Floor) -> Signal;
    let cases: [(&str, Change); 4] = [
        ("put back", |floor| {
            floor.put_back(&[BUTTON]);
            press(BUTTON)
        }),
        ("its time is over", |floor| {
            floor.take_out(&[BUTTON], "p-nair", BESIDE, 1).unwrap();
            floor.forward("45s");
            floor.press(BUTTON);
            floor.skip_messages();
            floor.forward("20s");
            press(BUTTON)
        }),
        ("waited while the link was away", |floor| {
            let mut signal = press(BUTTON);
            signal.origin.waited_since = Some(floor.began);
            signal
        }),
        ("delayed", |floor| {
            let mut signal = press(BUTTON);
            (signal.clock, signal.pressed_at) = (DeviceClock::Proven, Some(floor.now - SignedDuration::from_mins(5)));
            signal
        }),
    ];
    for (what, change) in cases {
        let mut floor = Floor::new(COUNTERS);
        floor.forward("10m");
        if what != "its time is over" {
            floor.take_out(&[BUTTON], "p-nair", BESIDE, 240).unwrap();
            floor.press(BUTTON);
            floor.skip_messages();
        }
        let signal = change(&mut floor);
        assert!(floor.subject().asks_keeper().is_some(), "{what}");
        floor.hear(signal);
        floor.expect_sms("j-smith");
        assert!(floor.subject().asks_keeper().is_none(), "{what}");
    }
}

/// Somebody goes, and the button presses on: that says nothing new. Whoever goes is asked at their own time, as ever.
#[test]
fn a_button_that_presses_on_ends_nobodys_commitment() {
    let mut floor = asked();
    floor.reply("p-nair", "Y{code}");
    floor.skip_messages();
    for _ in 0..9 {
        floor.forward("1m");
        floor.hear(press(BUTTON));
    }
    floor.expect_nothing_silent();
    assert_eq!(floor.stage(), Stage::Committed(Commitment::Going));
    floor.forward("1m");
    floor.expect("p-nair", Medium::Sms, Purpose::StillGoing);
    floor.forward("3m");
    climbs(&mut floor);
    let mut floor = asked();
    floor.reply("p-nair", "Y{code}");
    floor.skip_messages();
    floor.forward("3m");
    floor.put_back(&[BUTTON]);
    floor.hear(press(BUTTON));
    floor.expect("p-nair", Medium::Sms, Purpose::PressedAgain);
    floor.expect_sms("j-smith");
}

/// Once somebody has said that it is more than a button, its presses are a hand's.
#[test]
fn a_press_after_somebody_said_that_it_is_real_is_heard() {
    for why in ["police", "reopened", "duress", "escalated", "called"] {
        let mut floor = asked();
        match why {
            "police" => drop(floor.command(operator("desk"), Act::Police { threshold: None, rung: None }).unwrap()),
            "escalated" => drop(floor.command(operator("desk"), Act::Escalate { to: escalation::input::EscalateTo::Next }).unwrap()),
            "called" => drop(floor.take(Input::Raised { signal: press(BUTTON), by: operator("app") }).unwrap()),
            "duress" => play(&mut floor, "desk says safe as Jane with duress"),
            _ => play(&mut floor, "desk closes\ndesk reopens"),
        }
        floor.forward("6s");
        floor.skip_messages();
        floor.reply("j-smith", "Y{code}");
        floor.skip_messages();
        floor.forward("3m");
        floor.skip_messages();
        floor.hear(press(BUTTON));
        floor.expect("j-smith", Medium::Sms, Purpose::PressedAgain);
    }
}

/// Who looks after a button that is mended by nobody any more is not waited for.
#[test]
fn a_keeper_who_leaves_while_they_are_asked_is_not_waited_for() {
    let (before, rest) = COUNTERS.split_once("[[person]]\nid = \"p-nair\"").unwrap();
    let (_, after) = rest.split_once("[[person]]").unwrap();
    let gone = format!("{before}[[person]]{after}").replacen("{ person = \"p-nair\", by = [[\"sms\", \"email\"]] }, ", "", 1);
    let mut floor = asked();
    floor.adopt(&gone);
    floor.hear(press(BUTTON));
    climbs(&mut floor);
}

/// A clock that says a day of long ago is none: it makes no press older than the outage.
#[test]
fn a_clock_that_is_none_makes_no_press_old() {
    let mut floor = Floor::new(COUNTERS);
    floor.take_out(&[BUTTON], "p-nair", BESIDE, 240).unwrap();
    let mut signal = press(BUTTON);
    (signal.clock, signal.pressed_at) = (DeviceClock::Unproven, Some(Timestamp::UNIX_EPOCH));
    floor.send(signal);
    assert_eq!(floor.subject().opening, Opening::AskKeeper);
}

/// One keeper is one of two who are needed.
#[test]
fn a_keeper_is_no_more_people_than_the_ladder_asks_for() {
    let two = COUNTERS.replacen("wait = \"30s\"", "wait = \"30s\"\nneed = 2", 1).replacen(
        "notify = [{ person = \"j-smith\", by = [\"sms\", \"email\"] }]",
        "notify = [{ person = \"j-smith\", by = [\"sms\"] }, { person = \"duty\", by = [\"sms\"] }]",
        1,
    );
    let mut floor = Floor::new(&two);
    floor.take_out(&[BUTTON], "p-nair", BESIDE, 240).unwrap();
    floor.press(BUTTON);
    floor.skip_messages();
    floor.reply("p-nair", "Y{code}");
    floor.skip_messages();
    assert_eq!((floor.stage(), floor.subject().going()), (Stage::Climbing, 1), "one of two");
    floor.command(operator("desk"), Act::Claim).unwrap();
    let hold = Act::Hold { span: Seconds(300), reason: "wait".to_owned().into() };
    assert!(matches!(floor.command(operator("desk"), hold), Err(Rejection::NothingToHold(_))));
    floor.forward("59s");
    floor.hear(press(BUTTON));
    floor.expect_nothing_silent();
    floor.forward("1s");
    floor.expect_sms("j-smith");
    floor.expect_sms("duty");
    floor.reply("j-smith", "Y{code}");
    assert_eq!(floor.stage(), Stage::Committed(Commitment::Going));
}

/// A second kind of help from a button that is asked about is no button that sticks.
#[test]
fn another_kind_of_call_from_the_same_button_is_a_call_at_once() {
    let mut floor = asked();
    floor.hear(signal(BUTTON, Verb::Press { kind: Some(Kind::Medical), style: None }));
    floor.expect_sms("j-smith");
}

/// Who is gone from the directory, or is based where a silent button is, is asked by nobody.
#[test]
fn a_keeper_who_may_be_threatened_or_is_gone_is_not_asked() {
    let based = COUNTERS.replacen("name = \"P. Nair\"", "name = \"P. Nair\"\nbased_at = \"library\"", 1);
    let mut floor = Floor::new(&based);
    let there = Err(Rejection::KeeperAtThePlace(BUTTON.parse().unwrap()));
    assert_eq!(floor.take_out(&[BUTTON], "p-nair", BESIDE, 30), there);
    let audible = based.replacen("place = \"Front counter 1\"", "place = \"Front counter 1\"\nkind = \"panic\"", 1);
    Floor::new(&audible).take_out(&[BUTTON], "p-nair", BESIDE, 30).unwrap();
    let (before, rest) = COUNTERS.split_once("[[person]]\nid = \"p-nair\"").unwrap();
    let (_, after) = rest.split_once("[[person]]").unwrap();
    let gone = format!("{before}[[person]]{after}").replacen("{ person = \"p-nair\", by = [[\"sms\", \"email\"]] }, ", "", 1);
    for (what, later) in [("moved to the place", based), ("gone", gone)] {
        let mut floor = Floor::new(COUNTERS);
        floor.take_out(&[BUTTON], "p-nair", BESIDE, 240).unwrap();
        floor.adopt(&later);
        floor.press(BUTTON);
        floor.expect_sms("j-smith");
        assert_eq!(floor.subject().opening, Opening::Ladder, "{what}");
        if what == "gone" {
            assert_eq!(floor.take_out(&[BUTTON], "p-nair", BESIDE, 240), Err(Rejection::UnknownKeeper));
        }
    }
}

/// It stays out of service from press to press: each of them asks, after each closing.
#[test]
fn every_call_of_it_asks_the_keeper_again() {
    let mut floor = asked();
    for _ in 0..3 {
        floor.command(operator("desk"), super::closing_as_fault()).unwrap();
        floor.skip_messages();
        floor.forward("2m");
        floor.press(BUTTON);
        floor.expect("p-nair", Medium::Sms, Purpose::AskKeeper);
        floor.expect_nothing_silent();
    }
}

#[test]
fn it_ends_by_itself_and_when_somebody_ends_it() {
    let mut floor = Floor::new(COUNTERS);
    floor.take_out(&[BUTTON], "p-nair", BESIDE, 1_440).unwrap();
    floor.forward("24h");
    floor.press(BUTTON);
    climbs(&mut floor);
    let mut floor = Floor::new(COUNTERS);
    floor.take_out(&[BUTTON], "p-nair", BESIDE, 240).unwrap();
    assert_eq!(floor.put_back(&[BUTTON]).len(), 1);
    assert_eq!(floor.put_back(&[BUTTON]).len(), 0, "it is back already");
    floor.press(BUTTON);
    climbs(&mut floor);
}

#[test]
fn other_buttons_are_in_service() {
    let mut floor = Floor::new(COUNTERS);
    floor.take_out(&[BUTTON], "p-nair", BESIDE, 240).unwrap();
    floor.press(BESIDE);
    floor.expect_sms("j-smith");
    floor.press("library/loose");
    floor.expect_sms("j-smith");
}

/// One that is mended is tested before it is put back: its test goes first, and its second press is a call at once.
#[test]
fn a_button_that_is_tested_while_out_of_service_asks_its_tester() {
    let mut floor = Floor::new(COUNTERS);
    floor.take_out(&[BUTTON], "p-nair", BESIDE, 240).unwrap();
    floor.test(&[BUTTON], "duty", 30).unwrap();
    floor.press(BUTTON);
    floor.expect("duty", Medium::Sms, Purpose::AskTester);
    floor.hear(press(BUTTON));
    climbs(&mut floor);
}

/// What may have been pressed before, or was not pressed at the button, is a call.
#[test]
fn what_may_be_older_than_the_outage_is_a_call() {
    type Change = fn(&mut Signal, Timestamp);
    let cases: [(&str, Change); 7] = [
        ("pressed before by a proven clock", |signal, now| {
            signal.clock = DeviceClock::Proven;
            signal.pressed_at = Some(now - SignedDuration::from_secs(90));
        }),
        ("pressed before by a clock that nobody vouches for", |signal, now| {
            signal.clock = DeviceClock::Unproven;
            signal.pressed_at = Some(now - SignedDuration::from_secs(90));
        }),
        ("waited for long, though since", |signal, now| signal.origin.waited_since = Some(now - SignedDuration::from_secs(150))),
        ("kept by the broker", |signal, _| signal.origin.retained = true),
        ("sent before", |signal, _| signal.origin.dup = true),
        ("waited while the link was away", |signal, now| signal.origin.waited_since = Some(now - SignedDuration::from_mins(40))),
        ("old by a proven clock", |signal, now| {
            signal.clock = DeviceClock::Proven;
            signal.pressed_at = Some(now - SignedDuration::from_mins(10));
        }),
    ];
    for (what, change) in cases {
        let mut floor = Floor::new(COUNTERS);
        floor.take_out(&[BUTTON], "p-nair", BESIDE, 240).unwrap();
        floor.forward(if what.contains("since") { "3m" } else { "1m" });
        let mut signal = press(BUTTON);
        change(&mut signal, floor.now);
        floor.send(signal);
        assert_ne!(floor.subject().opening, Opening::AskKeeper, "{what}");
    }
    let mut floor = Floor::new(COUNTERS);
    floor.take_out(&[BUTTON], "p-nair", BESIDE, 240).unwrap();
    floor.send(signal(BUTTON, Verb::Unreadable { why: Unreadable::NotJson }));
    assert_eq!(floor.subject().opening, Opening::AskFirst);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let mut floor = Floor::new(COUNTERS);
    assert_eq!(floor.take_out(&[BUTTON], "nobody", BESIDE, 30), Err(Rejection::UnknownKeeper));
    assert_eq!(floor.take_out(&[BUTTON], "p-nair", BESIDE, 0), Err(Rejection::ImplausibleSpan));
    assert_eq!(floor.take_out(&[BUTTON], "p-nair", BESIDE, 1_441), Err(Rejection::ImplausibleSpan));
    assert_eq!(floor.take_out(&[], "p-nair", BESIDE, 30), Err(Rejection::ImplausibleList));
    assert_eq!(floor.take_out(&[BUTTON, "library/loose"], "p-nair", BESIDE, 30), Err(Rejection::UnknownPlace), "all of them or none");
    for poor in [BUTTON, "library/loose", "depot/gate"] {
        let refused = Err(Rejection::NoSubstitute(poor.parse().unwrap()));
        assert_eq!(floor.take_out(&[BUTTON], "p-nair", poor, 30), refused, "{poor}");
    }
    let mute = PEOPLE.replacen("mobile = \"+61 491 570 156\"", "email = \"p@example.org\"", 1);
    let mut floor = Floor::new(&mute.replacen("person = \"p-nair\", by = [\"sms\"]", "person = \"p-nair\"", 1));
    assert_eq!(floor.take_out(&[BUTTON], "p-nair", "-", 30), Err(Rejection::KeeperWithoutPhone));
}

/// Nobody is sent to a button that is out of service itself.
#[test]
fn a_button_that_people_are_told_to_use_stays_in_service() {
    let mut floor = Floor::new(COUNTERS);
    floor.take_out(&[BUTTON], "p-nair", BESIDE, 240).unwrap();
    let (device, of) = (BESIDE.parse().unwrap(), BUTTON.parse().unwrap());
    assert_eq!(floor.take_out(&[BESIDE], "p-nair", "-", 30), Err(Rejection::IsASubstitute { device, of }));
    assert!(matches!(floor.test(&[BESIDE], "duty", 30), Err(Rejection::IsASubstitute { .. })), "its press would ask a tester alone");
    floor.test(&["library/pendant"], "duty", 30).unwrap();
    let on_test = Rejection::NoSubstitute("library/pendant".parse().unwrap());
    assert_eq!(floor.take_out(&[BUTTON], "p-nair", "library/pendant", 30), Err(on_test));
    floor.end_test(&["library/pendant"]);
    let out = Rejection::NoSubstitute(BUTTON.parse().unwrap());
    assert_eq!(floor.take_out(&["library/pendant"], "p-nair", BUTTON, 30), Err(out));
    floor.take_out(&[BUTTON, BESIDE], "p-nair", "library/pendant", 30).unwrap();
    floor.forward("30m");
    floor.take_out(&["library/pendant"], "p-nair", BUTTON, 30).unwrap();
}

/// A button that calls right now can be taken out of service; the call that is open stays what it is.
#[test]
fn the_call_that_is_open_is_left_as_it_is() {
    let mut floor = Floor::new(COUNTERS);
    floor.press(BUTTON);
    floor.expect_sms("j-smith");
    floor.take_out(&[BUTTON], "p-nair", BESIDE, 240).unwrap();
    floor.hear(press(BUTTON));
    assert_eq!((floor.stage(), floor.subject().asks_keeper()), (Stage::Climbing, None));
    floor.forward("30s");
    floor.expect("p-nair", Medium::Sms, Purpose::Alarm);
}

#[test]
fn after_an_outage_of_ours_an_unanswered_press_is_a_call() {
    let mut floor = asked();
    floor.away("3m");
    assert!(floor.subject().asks_keeper().is_none());
    floor.expect_sms("j-smith");
}

/// Whatever a naive reader of the record makes of it: which button is out of service until when, and what that holds back.
#[derive(Default)]
struct Reader {
    out: BTreeMap<DeviceId, Timestamp>,
    asking: BTreeMap<ActivationId, Timestamp>,
}

impl Reader {
    fn read(&mut self, floor: &Floor) {
        *self = Self::default();
        for (at, event) in &floor.events {
            if let Event::OutOfService { dev, until, .. } = event {
                self.out.insert(dev.clone(), *until);
            }
            if let Event::InService { dev, .. } = event {
                self.out.remove(dev);
            }
            if let Event::PressedAgain { act, dev, .. } = event
                && self.out.get(dev).is_none_or(|until| at >= until)
            {
                assert!(!still_asks(floor, act), "{dev} is in service, and its press waits for a keeper");
            }
            if let Event::Raised(raised) = event
                && raised.opening == Opening::AskKeeper
            {
                let until = self.out.get(&raised.dev).copied();
                assert!(until.is_some_and(|until| *at < until), "{} is in service and its press was held back", raised.dev);
                self.asking.insert(raised.act.clone(), *at);
            }
            if let Event::RungEntered { act, .. } | Event::Accepted { act, .. } | Event::Closed { act, .. } | Event::Exhausted { act, .. } =
                event
            {
                self.asking.remove(act);
            }
        }
        for (act, since) in &self.asking {
            assert!(floor.now < *since + SignedDuration::from_secs(60), "{act} is held back since {since}");
        }
    }
}

fn still_asks(floor: &Floor, act: &ActivationId) -> bool {
    floor.engine.activation(act).is_some_and(|act| act.asks_keeper().is_some())
}

#[derive(Clone, Debug)]
enum Happens {
    TakeOut(usize, usize, u32),
    PutBack(usize),
    Press(usize, bool),
    Cancel(usize),
    Reply(&'static str),
    Hold,
    Close,
    Later(u32),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        3 => (0_usize..3, 0_usize..4, 1_u32..121).prop_map(|(button, instead, minutes)| Happens::TakeOut(button, instead, minutes)),
        1 => (0_usize..3).prop_map(Happens::PutBack),
        6 => (0_usize..4, any::<bool>()).prop_map(|(button, medical)| Happens::Press(button, medical)),
        1 => (0_usize..3).prop_map(Happens::Cancel),
        3 => prop::sample::select(vec!["Y{code}", "N{code}", "H{code}", "yes"]).prop_map(Happens::Reply),
        1 => Just(Happens::Hold),
        2 => Just(Happens::Close),
        6 => prop_oneof![3 => 1_u32..90, 1 => 90_u32..4_000].prop_map(Happens::Later),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    /// No press of a button in service is ever held back, none of one out of service for longer than a minute, and nobody is sent to
    /// a button that is out of service.
    #[test]
    fn no_press_of_a_button_in_service_is_ever_held_back(all in prop::collection::vec(happens(), 1..60)) {
        let buttons = ["library/counter-1", "library/counter-2", "library/pendant", "-"];
        let mut floor = Floor::new(COUNTERS);
        let mut reader = Reader::default();
        for happens in &all {
            match happens {
                Happens::TakeOut(button, instead, minutes) => drop(floor.take_out(&[buttons[*button]], "p-nair", buttons[*instead], *minutes)),
                Happens::PutBack(button) => drop(floor.put_back(&[buttons[*button]])),
                Happens::Press(button, medical) => {
                    let kind = medical.then_some(Kind::Medical);
                    let device = if buttons[*button] == "-" { "library/loose" } else { buttons[*button] };
                    drop(floor.hear(signal(device, Verb::Press { kind, style: None })));
                }
                Happens::Cancel(button) => drop(floor.hear(signal(buttons[*button], Verb::Cancel(None)))),
                Happens::Reply(text) => drop(floor.reply("p-nair", text)),
                Happens::Hold if floor.engine.open_count() > 0 => {
                    drop(floor.command(operator("desk"), Act::Claim));
                    drop(floor.command(operator("desk"), Act::Hold { span: Seconds(300), reason: "wait".to_owned().into() }));
                }
                Happens::Close if floor.engine.open_count() > 0 => drop(floor.command(operator("desk"), super::closing_as_fault())),
                Happens::Hold | Happens::Close => {}
                Happens::Later(s) => floor.forward(&format!("{s}s")),
            }
            reader.read(&floor);
            let out: BTreeMap<_, _> = floor.engine.out_of_service().filter(|(_, out)| out.is_on(floor.now)).collect();
            for (device, outage) in &out {
                let instead = outage.instead.as_ref();
                prop_assert!(!instead.is_some_and(|instead| out.contains_key(instead)), "people of {device} are sent to one out of service");
            }
        }
        let unasked: Vec<_> = floor.engine.activations().filter(|act| act.is_open() && act.pursuits.is_empty()).collect();
        prop_assert!(unasked.is_empty(), "{unasked:?}");
    }
}
