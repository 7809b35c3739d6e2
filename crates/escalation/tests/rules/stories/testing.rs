//! Buttons on test: one press is asked about, and nothing else is ever held back.

use std::collections::BTreeMap;

use escalation::acknowledgement::{Disposition, Reply};
use escalation::activation::Stage;
use escalation::dispatch::{Failure, Purpose, Report};
use escalation::event::{Entry, Event, Opening, SetAside};
use escalation::id::{ActivationId, DeviceId};
use escalation::input::{Act, Input};
use escalation::ladder::Medium;
use escalation::rejection::Rejection;
use escalation::signal::{DeviceClock, Kind, Signal, Unreadable, Verb};
use escalation::time::{Seconds, SignedDuration, Timestamp};
use proptest::prelude::*;

use super::{COUNTERS, PEOPLE};
use crate::floor::{Floor, operator, press, signal};

const BUTTON: &str = "library/counter-1";

/// P. Nair tests the button, and has been asked; J. Smith is first on the ladder.
fn asked() -> Floor {
    let mut floor = Floor::new(PEOPLE);
    floor.test(&[BUTTON], "p-nair", 30).unwrap();
    floor.press(BUTTON);
    floor.expect("p-nair", Medium::Sms, Purpose::AskTester);
    floor.expect_nothing_silent();
    assert_eq!(floor.subject().opening, Opening::AskTester);
    assert_eq!(floor.subject().asks_tester(), Some(floor.person("p-nair")));
    floor
}

/// The ladder has begun, and whoever tests is not waited for.
fn is_real(floor: &mut Floor) {
    floor.expect_sms("j-smith");
    assert_eq!((floor.stage(), floor.subject().asks_tester()), (Stage::Climbing, None));
    assert!(floor.engine.last_proven(&BUTTON.parse().unwrap()).is_none(), "nothing was proven");
}

#[test]
fn a_yes_of_the_tester_closes_the_press_and_proves_the_button() {
    let mut floor = asked();
    floor.forward("50s");
    floor.reply("p-nair", "Y{code}");
    floor.expect("p-nair", Medium::Sms, Purpose::StandDown);
    floor.expect_nothing_silent();
    let closing = floor.subject().closing.clone().unwrap();
    assert_eq!((closing.disposition, closing.by.person), (Disposition::Test, Some(floor.person("p-nair"))));
    assert_eq!(floor.engine.last_proven(&BUTTON.parse().unwrap()), Some(floor.now));
    floor.forward("10m");
    floor.expect_nothing_silent();
}

#[test]
fn one_press_each_the_next_one_is_a_call() {
    let mut floor = asked();
    floor.reply("p-nair", "Y{code}");
    floor.skip_messages();
    floor.press(BUTTON);
    floor.expect_sms("j-smith");
    floor.expect_nothing_silent();
}

#[test]
fn without_a_yes_within_a_minute_it_is_a_call() {
    let mut floor = asked();
    floor.forward("60s");
    is_real(&mut floor);
    floor.expect_nothing_silent();
    floor.reply("p-nair", "Y{code}");
    floor.expect("p-nair", Medium::Sms, Purpose::NothingAcknowledged);
    assert_eq!(floor.stage(), Stage::Climbing, "whoever says that they tested has not said that they go");
    floor.forward("30s");
    floor.expect_sms("p-nair");
    floor.reply("p-nair", "Y{code}");
    floor.expect("p-nair", Medium::Sms, Purpose::Confirmed);
    assert!(floor.subject().is_open(), "who was called like anybody goes like anybody");
}

/// Somebody is threatened at the button that was being tested; the tester, elsewhere, says yes to the question of before.
#[test]
fn a_yes_to_the_test_holds_no_ladder_that_a_second_press_began() {
    let mut floor = asked();
    floor.forward("20s");
    floor.hear(signal(BUTTON, Verb::Press { kind: None, style: None }));
    floor.skip_messages();
    floor.reply("p-nair", "Y{code}");
    assert_eq!(floor.stage(), Stage::Climbing);
    assert!(floor.subject().is_open());
}

#[test]
fn nobody_holds_back_what_may_be_a_test() {
    let mut floor = asked();
    floor.command(operator("desk"), Act::Claim).unwrap();
    let hold = Act::Hold { span: Seconds(300), reason: "wait".to_owned().into() };
    assert!(matches!(floor.command(operator("desk"), hold), Err(Rejection::NothingToHold(_))));
    floor.forward("60s");
    is_real(&mut floor);
}

#[test]
fn a_no_is_a_call_at_once_and_whoever_said_it_is_asked_like_anybody() {
    let mut floor = asked();
    floor.reply("p-nair", "N{code}");
    floor.expect("p-nair", Medium::Sms, Purpose::NotATest);
    is_real(&mut floor);
    floor.forward("30s");
    floor.expect_sms("p-nair");
    floor.expect_nothing_silent();
}

#[test]
fn a_second_press_is_a_call_at_once() {
    for (later, kind) in [("1s", None), ("40s", None), ("5s", Some(Kind::Panic))] {
        let mut floor = asked();
        floor.forward(later);
        floor.hear(signal(BUTTON, Verb::Press { kind, style: None }));
        is_real(&mut floor);
    }
}

/// The broker's second copy of a message is no second press.
#[test]
fn the_same_message_once_more_is_no_second_press() {
    let mut floor = Floor::new(PEOPLE);
    floor.test(&[BUTTON], "p-nair", 30).unwrap();
    let mut first = press(BUTTON);
    first.id = Some("press-1".to_owned());
    floor.send(first.clone());
    floor.skip_messages();
    first.origin.dup = true;
    floor.hear(first);
    floor.expect_nothing_silent();
    assert!(floor.subject().asks_tester().is_some());
}

#[test]
fn another_kind_of_call_from_the_same_button_is_a_call_beside() {
    let mut floor = asked();
    floor.hear(signal(BUTTON, Verb::Press { kind: Some(Kind::Medical), style: None }));
    floor.expect_sms("j-smith");
}

#[test]
fn a_cancel_at_the_device_is_a_call_at_once() {
    let mut floor = asked();
    floor.hear(signal(BUTTON, Verb::Cancel(None)));
    is_real(&mut floor);
}

#[test]
fn where_the_tester_cannot_be_reached_it_is_a_call_at_once() {
    let mut floor = Floor::new(PEOPLE);
    floor.test(&[BUTTON], "p-nair", 30).unwrap();
    floor.press(BUTTON);
    let question = floor.expect("p-nair", Medium::Sms, Purpose::AskTester);
    floor.report(&question, Report::Failed(Failure::Unavailable));
    is_real(&mut floor);
}

/// Nobody but the tester says that it was a test, and the tester by text alone.
#[test]
fn nobody_else_can_say_that_it_was_a_test() {
    let mut floor = asked();
    floor.reply("j-smith", "Y47");
    floor.tap("p-nair", Reply::Going { code: None }, escalation::acknowledgement::Gesture::Shown);
    assert!(floor.subject().is_open(), "on the page they say that they go");
    let mut floor = asked();
    floor.reply("p-nair", "H{code}");
    let aside = |e: &Event| matches!(e, Event::AnswerSetAside { why: SetAside::NotAnAnswer, .. });
    assert_eq!(floor.count(aside), 1);
    floor.reply("p-nair", "yes");
    floor.skip_messages();
    floor.forward("60s");
    assert_eq!(floor.stage(), Stage::Climbing);
    is_real(&mut floor);
}

#[test]
fn an_operator_need_not_wait_for_the_tester() {
    let mut floor = asked();
    floor.command(operator("op-3"), Act::Escalate { to: escalation::input::EscalateTo::Next }).unwrap();
    is_real(&mut floor);
}

#[test]
fn a_test_ends_by_itself_and_when_somebody_ends_it() {
    let mut floor = Floor::new(PEOPLE);
    floor.test(&[BUTTON], "p-nair", 30).unwrap();
    floor.forward("30m");
    floor.press(BUTTON);
    floor.expect_sms("j-smith");
    let mut floor = Floor::new(PEOPLE);
    floor.test(&[BUTTON], "p-nair", 30).unwrap();
    assert_eq!(floor.end_test(&[BUTTON]).len(), 1);
    assert_eq!(floor.end_test(&[BUTTON]).len(), 0, "it is off already");
    floor.press(BUTTON);
    floor.expect_sms("j-smith");
}

#[test]
fn other_buttons_are_not_on_test() {
    let mut floor = Floor::new(COUNTERS);
    floor.test(&[BUTTON], "p-nair", 30).unwrap();
    floor.press("library/counter-2");
    floor.expect_sms("j-smith");
    floor.press("library/loose");
    floor.expect_sms("j-smith");
}

/// What may have been pressed before the test began, or was not pressed at the button, is a call.
#[test]
fn what_is_not_certainly_a_fresh_press_of_the_button_is_a_call() {
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
        let mut floor = Floor::new(PEOPLE);
        floor.test(&[BUTTON], "p-nair", 30).unwrap();
        floor.forward("1m");
        let mut signal = press(BUTTON);
        change(&mut signal, floor.now);
        floor.send(signal);
        assert_ne!(floor.subject().opening, Opening::AskTester, "{what}");
    }
    let mut floor = Floor::new(PEOPLE);
    floor.test(&[BUTTON], "p-nair", 30).unwrap();
    floor.send(signal(BUTTON, Verb::Unreadable { why: Unreadable::NotJson }));
    assert_eq!(floor.subject().opening, Opening::AskFirst);
    let mut floor = Floor::new(PEOPLE);
    floor.test(&[BUTTON], "p-nair", 30).unwrap();
    floor.take(Input::Raised { signal: press(BUTTON), by: operator("app") }).unwrap();
    floor.expect_sms("j-smith");
}

#[test]
fn a_test_that_makes_no_sense_is_refused() {
    let mut floor = Floor::new(PEOPLE);
    assert_eq!(floor.test(&[BUTTON], "nobody", 30), Err(Rejection::UnknownTester));
    assert_eq!(floor.test(&[BUTTON], "p-nair", 0), Err(Rejection::ImplausibleTest));
    assert_eq!(floor.test(&[BUTTON], "p-nair", 61), Err(Rejection::ImplausibleTest));
    assert_eq!(floor.test(&[], "p-nair", 30), Err(Rejection::ImplausibleList));
    assert_eq!(floor.test(&[BUTTON, "library/loose"], "p-nair", 30), Err(Rejection::UnknownPlace), "all of them or none");
    let act = floor.press(BUTTON);
    assert!(matches!(floor.test(&[BUTTON], "p-nair", 30), Err(Rejection::CallOpen { activation, .. }) if activation == act));
    let mute = PEOPLE.replacen("mobile = \"+61 491 570 156\"", "email = \"p@example.org\"", 1);
    let mut floor = Floor::new(&mute.replacen("person = \"p-nair\", by = [\"sms\"]", "person = \"p-nair\"", 1));
    assert_eq!(floor.test(&[BUTTON], "p-nair", 30), Err(Rejection::TesterWithoutPhone));
}

#[test]
fn after_an_outage_an_unanswered_test_press_is_a_call() {
    let mut floor = asked();
    floor.away("3m");
    assert!(floor.subject().asks_tester().is_none());
    floor.expect_sms("j-smith");
}

/// Whatever a naive reader of the record makes of it: who is on test until when, and how many presses that holds back.
#[derive(Default)]
struct Reader {
    on_test: BTreeMap<DeviceId, Timestamp>,
    asking: BTreeMap<ActivationId, Timestamp>,
    held_back: usize,
}

impl Reader {
    fn read(&mut self, floor: &Floor) {
        *self = Self::default();
        for (at, event) in &floor.events {
            if let Event::TestStarted { dev, until, .. } = event {
                self.on_test.insert(dev.clone(), *until);
            }
            if let Event::TestEnded { dev, .. } = event {
                self.on_test.remove(dev);
            }
            if let Event::Raised(raised) = event {
                let until = self.on_test.get(&raised.dev).copied();
                if raised.opening == Opening::AskTester {
                    assert!(until.is_some_and(|until| *at < until), "{} is not on test and its press was held back", raised.dev);
                    self.on_test.remove(&raised.dev);
                    self.asking.insert(raised.act.clone(), *at);
                    self.held_back += 1;
                }
            }
            if let Event::RungEntered { act, why, .. } = event {
                let is_known = matches!(why, Entry::WaitOver | Entry::NobodyLeft | Entry::PressedAgain | Entry::NotATest);
                assert!(self.asking.remove(act).is_none() || is_known, "{why:?}");
            }
            if let Event::Closed { act, by, .. } = event
                && let Some(since) = self.asking.remove(act)
            {
                assert!(*at < since + SignedDuration::from_secs(60), "{act} was closed as a test after its minute");
                assert_eq!(by.person, Some(floor.person("p-nair")), "{act} was closed by somebody else");
            }
        }
        for (act, since) in &self.asking {
            assert!(floor.now <= *since + SignedDuration::from_secs(60), "{act} is held back since {since}");
        }
    }
}

#[derive(Clone, Debug)]
enum Happens {
    Test(usize, u32),
    EndTest(usize),
    Press(usize, bool),
    Cancel(usize),
    Reply(bool),
    Later(u32),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        3 => (0_usize..3, 1_u32..61).prop_map(|(button, minutes)| Happens::Test(button, minutes)),
        1 => (0_usize..3).prop_map(Happens::EndTest),
        6 => (0_usize..4, any::<bool>()).prop_map(|(button, medical)| Happens::Press(button, medical)),
        1 => (0_usize..3).prop_map(Happens::Cancel),
        3 => prop::bool::weighted(0.7).prop_map(Happens::Reply),
        6 => prop_oneof![3 => 1_u32..90, 1 => 90_u32..4_000].prop_map(Happens::Later),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    /// No press outside of test mode is ever held back, none of it longer than a minute, and each button's once.
    #[test]
    fn no_press_outside_of_test_mode_is_ever_held_back(all in prop::collection::vec(happens(), 1..60)) {
        let buttons = ["library/counter-1", "library/counter-2", "library/pendant", "library/loose"];
        let mut floor = Floor::new(COUNTERS);
        let mut reader = Reader::default();
        for happens in &all {
            match happens {
                Happens::Test(button, minutes) => drop(floor.test(&[buttons[*button]], "p-nair", *minutes)),
                Happens::EndTest(button) => drop(floor.end_test(&[buttons[*button]])),
                Happens::Press(button, medical) => {
                    let kind = medical.then_some(Kind::Medical);
                    drop(floor.hear(signal(buttons[*button], Verb::Press { kind, style: None })));
                }
                Happens::Cancel(button) => drop(floor.hear(signal(buttons[*button], Verb::Cancel(None)))),
                Happens::Reply(yes) => drop(floor.reply("p-nair", if *yes { "Y{code}" } else { "N{code}" })),
                Happens::Later(s) => floor.forward(&format!("{s}s")),
            }
            reader.read(&floor);
        }
        let open_without_a_word: Vec<_> = floor.engine.activations().filter(|act| act.is_open() && act.asks_tester().is_none() && act.pursuits.is_empty()).collect();
        prop_assert!(open_without_a_word.is_empty(), "{open_without_a_word:?}");
    }
}
