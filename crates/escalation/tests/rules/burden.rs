//! What twenty thousand open activations weigh, and what a burst costs. Figures are printed, for a reader to compare: a burst twice
//! as large should cost the same for each press. No duration is asserted, because a busy machine would break it.

use std::time::Duration;

use escalation::acknowledgement::Disposition;
use escalation::dispatch::Report;
use escalation::engine::Engine;
use escalation::input::{Act, Input};
use escalation::time::SignedDuration;

use crate::floor::{Floor, operator, press};
use crate::stories::COUNTERS;

/// Presses of as many devices, each through its own gateway; gives how long the rules took for them.
fn burst(engine: &mut Engine, presses: u32, now: &mut escalation::time::Timestamp) -> Duration {
    let signals: Vec<_> = (0..presses)
        .map(|n| {
            let mut signal = press("library/counter-1");
            signal.device.name = escalation::id::DeviceName::parse(&format!("x-{n}")).unwrap();
            signal.id = Some(format!("press-{n}"));
            signal
        })
        .collect();
    let watch = stopwatch();
    for signal in signals {
        *now += SignedDuration::from_micros(50);
        step(engine, *now, &Input::Signal(signal));
    }
    watch.elapsed()
}

fn step(engine: &mut Engine, now: escalation::time::Timestamp, input: &Input) -> usize {
    let mut events = engine.decide(now, input).unwrap();
    for event in &mut events {
        event.seal_with(&mut |field| *field.text = escalation::private::Private::Sealed(crate::floor::digest_of("x")));
        engine.apply(now, event);
    }
    events.len()
}

#[expect(clippy::disallowed_methods, reason = "a test that prints how long the rules take needs a stopwatch")]
fn stopwatch() -> std::time::Instant {
    std::time::Instant::now()
}

/// The process's own memory in KiB, where the system tells.
fn rss_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with("RssAnon:")).unwrap_or_default();
    line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0)
}

#[test]
fn a_burst_costs_in_proportion_and_an_activation_weighs_little() {
    let floor = Floor::new(COUNTERS);
    for presses in [2_000, 4_000] {
        let (mut engine, mut now) = (floor.engine.clone(), floor.now);
        let pressed = burst(&mut engine, presses, &mut now);
        now += SignedDuration::from_secs(30);
        let watch = stopwatch();
        let mut ticks = 0_u32;
        while engine.next_deadline().is_some_and(|d| d.at <= now) {
            assert!(step(&mut engine, now, &Input::Tick) > 0);
            ticks += 1;
        }
        let ticked = watch.elapsed();
        assert!(ticks >= presses, "every one of them was due");
        println!("{presses} presses: {:?} each; as many deadlines at once: {:?} each", pressed / presses, ticked / presses);
    }
    let before = rss_kib();
    let (mut engine, mut now) = (floor.engine.clone(), floor.now);
    burst(&mut engine, 20_000, &mut now);
    println!(
        "20,000 open activations: {} bytes each, their messages owed and ids remembered included",
        rss_kib().saturating_sub(before) * 1_024 / 20_000
    );
    println!(
        "one activation itself: {} bytes, one owed message: {}",
        size_of::<escalation::activation::Activation>(),
        size_of::<escalation::dispatch::Dispatch>()
    );
    assert_eq!(engine.activations().count(), 20_000);
    assert!(size_of::<escalation::activation::Activation>() < 1_024);
}

#[test]
fn closed_activations_do_not_fill_memory_and_one_that_owes_a_word_stays() {
    let mut floor = Floor::new(COUNTERS);
    let close = || Act::Close { disposition: Disposition::Test, note: None };
    // The very first still owes its messages: nobody has reported them.
    let first = floor.press("library/counter-1");
    floor.command(operator("desk"), close()).unwrap();
    for _ in 0..1_200 {
        floor.press("library/counter-1");
        floor.command(operator("desk"), close()).unwrap();
        let owed: Vec<_> = floor.engine.outbox().map(|(id, _)| id.clone()).filter(|id| id.activation != first).collect();
        for id in owed {
            floor.report_on(&id, Report::Delivered);
        }
    }
    assert_eq!(floor.engine.activations().count(), 1_000);
    assert!(floor.engine.activation(&first).is_some(), "its people have not heard that it is over");
    assert_eq!(floor.engine.faults(), 0);
    let memory: Vec<_> = floor.engine.activations().map(|act| act.id.number).collect();
    assert_eq!(memory.last(), Some(&1_201), "the earliest closed leave, the latest stay");
}
