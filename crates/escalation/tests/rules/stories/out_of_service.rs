//! Buttons out of service: a press asks their keeper for a minute, and nothing is held back longer or elsewhere.

use std::collections::BTreeMap;

use escalation::acknowledgement::Commitment;
use escalation::activation::Stage;
use escalation::dispatch::{Failure, Purpose, Report};
use escalation::event::{Event, Opening};
use escalation::id::{ActivationId, DeviceId};
use escalation::input::Input;
use escalation::ladder::Medium;
use escalation::rejection::Rejection;
use escalation::signal::{DeviceClock, Kind, Signal, Unreadable, Verb};
use escalation::time::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{COUNTERS, PEOPLE};
use crate::floor::{Floor, operator, press, signal};

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

/// Somebody with a key says that it is real; so does a duress word at the button.
#[test]
fn a_call_in_earnest_waits_for_no_keeper() {
    let mut floor = asked();
    floor.take(Input::Raised { signal: press(BUTTON), by: operator("app") }).unwrap();
    climbs(&mut floor);
    let mut floor = Floor::new(COUNTERS);
    floor.take_out(&[BUTTON], "p-nair", BESIDE, 240).unwrap();
    floor.take(Input::Raised { signal: press(BUTTON), by: operator("app") }).unwrap();
    climbs(&mut floor);
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
    let cases: [(&str, Change); 4] = [
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
        floor.forward("1m");
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
    assert_eq!(floor.take_out(&[BUTTON], "p-nair", BESIDE, 0), Err(Rejection::ImplausibleOutage));
    assert_eq!(floor.take_out(&[BUTTON], "p-nair", BESIDE, 1_441), Err(Rejection::ImplausibleOutage));
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

#[derive(Clone, Debug)]
enum Happens {
    TakeOut(usize, usize, u32),
    PutBack(usize),
    Press(usize, bool),
    Cancel(usize),
    Reply(bool),
    Close,
    Later(u32),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        3 => (0_usize..3, 0_usize..4, 1_u32..121).prop_map(|(button, instead, minutes)| Happens::TakeOut(button, instead, minutes)),
        1 => (0_usize..3).prop_map(Happens::PutBack),
        6 => (0_usize..4, any::<bool>()).prop_map(|(button, medical)| Happens::Press(button, medical)),
        1 => (0_usize..3).prop_map(Happens::Cancel),
        2 => any::<bool>().prop_map(Happens::Reply),
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
                Happens::Reply(yes) => drop(floor.reply("p-nair", if *yes { "Y{code}" } else { "N{code}" })),
                Happens::Close if floor.engine.open_count() > 0 => drop(floor.command(operator("desk"), super::closing_as_fault())),
                Happens::Close => {}
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
