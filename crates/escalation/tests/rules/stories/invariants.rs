//! The invariants of the house, as far as the rules can show them, each by its name. I4 is told in `answering`, I8 in `merging`.

use escalation::acknowledgement::{Answer, Reply, Sender};
use escalation::activation::Stage;
use escalation::dispatch::{Address, DeliveryReport, Order, Purpose, Report, Words};
use escalation::event::Event;
use escalation::id::CarrierName;
use escalation::input::{Act, Attribution, Command, Input};
use escalation::private::Private;

use super::{COUNTERS, PEOPLE};
use crate::floor::{Floor, operator, press, signal};
use crate::script::play;
use escalation::signal::{Unreadable, Verb};

/// Walks one activation through everything it can be in, and asks at every step what it waits for.
#[test]
fn i3_an_open_activation_always_waits_for_something() {
    let steps = [
        "press library/counter-1",
        "forward 10s",
        "promised sms to j-smith",
        "reply j-smith H{code}",
        "forward 119s",
        "forward 2s",
        "westside claims",
        "forward 60s",
        "reply p-nair Y{code}",
        "forward 10m",
        "forward 2m",
        "desk escalates all",
        "reply duty N{code}",
        "forward 10m",
        "westside claims",
        "forward 1m",
        "j-smith accepts 1h",
        "forward 90m",
        "unreadable library/counter-2",
        "forward 5m",
    ];
    let mut floor = Floor::new(COUNTERS);
    for step in steps {
        play(&mut floor, step);
        for act in floor.engine.activations().filter(|a| a.is_open()) {
            let (due, _) = act.next_due().unwrap_or_else(|| panic!("{} waits for nothing after {step}", act.id));
            assert!(due >= floor.now || floor.engine.next_deadline().is_some_and(|d| d.at <= due), "{step}");
        }
        assert!(floor.engine.next_deadline().is_some(), "{step}");
    }
}

#[test]
fn i5_a_ladder_never_ends_in_silence() {
    let mut floor = Floor::new(PEOPLE);
    floor.press("library/counter-1");
    floor.forward("1m");
    for minute in 1..=600 {
        let owed: Vec<_> = floor.engine.outbox().map(|(id, _)| id.clone()).collect();
        for id in &owed {
            floor.report_on(id, Report::Accepted);
        }
        assert_eq!(floor.stage(), Stage::Exhausted, "minute {minute}");
        floor.skip_messages();
        floor.forward("1m");
        floor.expect_sms("p-nair");
    }
}

/// Every story replays its record through JSON beside itself; here it is done once more from nothing, at the end.
#[test]
fn i6_replay_equals_live() {
    let mut floor = Floor::new(COUNTERS);
    play(
        &mut floor,
        "press library/counter-1 id a
        press depot/gate
        forward 40s
        undelivered sms to j-smith
        reply p-nair Y{code}
        record lost
        press library/pendant
        forward 20m
        westside claims
        record found
        westside closes
        forward 30h",
    );
    let mut again = escalation::engine::Engine::default();
    for (at, event) in &floor.events {
        again.apply(*at, event);
    }
    assert!(again == floor.engine);
    assert_eq!(again.next_deadline(), floor.engine.next_deadline());
    assert!(again.outbox().eq(floor.engine.outbox()));
}

#[test]
fn i7_every_press_is_in_the_record() {
    let mut floor = Floor::new(COUNTERS);
    let mut presses = 0;
    for device in ["library/counter-1", "library/nobody", "elsewhere/x", "depot/gate"] {
        for _ in 0..4 {
            for dup in [false, true] {
                let mut signal = press(device);
                signal.origin.dup = dup;
                assert_eq!(recorded(&floor.hear(signal)), 1, "{device}");
                presses += 1;
            }
            floor.forward("59s");
        }
        assert_eq!(recorded(&floor.hear(signal(device, Verb::Unreadable { why: Unreadable::NotJson }))), 1);
        presses += 1;
    }
    assert_eq!(floor.count(is_press), presses);
}

fn recorded(events: &[Event]) -> usize {
    events.iter().filter(|e| is_press(e)).count()
}

fn is_press(event: &Event) -> bool {
    matches!(event, Event::Raised(_) | Event::PressedAgain { .. })
}

/// Nobody on a rung, no address, a declined person: each is an entry with its reason.
#[test]
fn i9_what_did_not_happen_is_recorded_too() {
    let mut floor = Floor::new(COUNTERS);
    play(&mut floor, "press library/counter-1\nwestside claims\nreply j-smith N{code}\nforward 45s");
    assert_eq!(floor.count(|e| matches!(e, Event::RungPassedOver { .. })), 1, "the centre's rung, claimed");
    play(&mut floor, "westside notes\nforward 100s\nforward 60s");
    assert!(floor.count(|e| matches!(e, Event::ContactPassedOver { .. })) >= 2, "J. Smith rests: {:#?}", floor.timeline);
}

#[test]
fn i10_a_step_of_the_clock_moves_no_deadline_and_is_recorded() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    let before = (floor.engine.next_deadline(), floor.subject().clone());
    for by_us in [3_600_000_000, -7_200_000_000] {
        let events = floor.take(Input::ClockStepped { by_us }).unwrap();
        assert_eq!(events, [Event::ClockStepped { by_us }]);
    }
    assert_eq!((floor.engine.next_deadline(), floor.subject().clone()), before);
}

const SECRETS: [&str; 6] =
    ["Josephine", "+61491570006", "josephine@example.org", "gunman at the desk", "12 Secret Street", "Y47 on my way"];

#[test]
fn i11_no_debug_of_what_comes_in_or_goes_out_shows_private_text() {
    let secret = |n: usize| Private::from((*SECRETS.get(n).unwrap()).to_owned());
    let mut told = press("library/counter-1");
    told.note = Some(secret(3));
    told.location = Some(secret(4));
    told.evidence.raw = secret(3);
    let by = Attribution { actor: Some(secret(0)), ..operator("desk") };
    let answer =
        Answer { from: Sender::Number(secret(1)), reply: Reply::NotAnAnswer, text: Some(secret(5)), provider_ref: None, sent_at: None };
    let report = DeliveryReport { text: Some(secret(3)), ..DeliveryReport::bare("KAL-1.1".parse().unwrap(), Report::Accepted) };
    let note = Command {
        activation: "KAL-1".parse().unwrap(),
        by: by.clone(),
        seen: None,
        at_the_place: false,
        act: Act::Note { text: secret(3) },
    };
    let inputs = [
        Input::Raised { signal: told.clone(), by },
        Input::Signal(told),
        Input::Answer(answer),
        Input::Command(note),
        Input::DeliveryReported(report),
    ];
    let mut shown = Vec::new();
    let floor = Floor::new(COUNTERS);
    for input in &inputs {
        shown.push(format!("{input:?}"));
        shown.push(format!("{:?}", floor.engine.decide(floor.now, input)));
    }
    for address in
        [Address::Sms(SECRETS[1].to_owned()), Address::Email(SECRETS[2].to_owned()), Address::Webhook(CarrierName::parse("w").unwrap())]
    {
        let order = Order {
            id: "KAL-1.1".parse().unwrap(),
            purpose: Purpose::Alarm,
            address,
            words: Words::from([("note", SECRETS[3].to_owned()), ("address", SECRETS[4].to_owned())]),
            queued_at: floor.now,
            recency: 1,
            possible_duplicate: false,
        };
        shown.push(format!("{order:?}"));
    }
    shown.push(format!("{:?}", floor.events));
    let shown = shown.concat();
    for secret in SECRETS.iter().chain(&["J. Smith", "61491570", "570 006", "j.smith@"]) {
        assert!(!shown.contains(secret), "{secret} shows in a debug print");
    }
    assert!(shown.len() > 1_000);
}

#[test]
fn an_open_private_text_cannot_be_written_down() {
    let note = Event::NoteAdded {
        act: "KAL-1".parse().unwrap(),
        by: escalation::event::Doer { principal: "desk".to_owned(), actor: None, actor_key: None, person: None, idempotency: None },
        text: "words".to_owned().into(),
    };
    assert!(serde_json::to_string(&note).is_err());
}
