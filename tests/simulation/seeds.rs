//! The tests: many seeds, one seed with its log, and stations that lie.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::scenario::{Ended, Lie, live};

/// How many seeds a plain run lives: about a minute on two cores.
const SEEDS: u64 = 300;
/// How many failing seeds are told before the run gives up.
const FAILURES_MAX: usize = 3;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {text:?}")))
}

/// One seed, lived twice: what was wrong with it.
fn twice(seed: u64) -> (Ended, Vec<String>) {
    let mut first = live(seed, Lie::Nothing);
    let second = live(seed, Lie::Nothing);
    let mut wrong = std::mem::take(&mut first.wrong);
    if let Some(at) = (0..first.log.len().max(second.log.len())).find(|line| first.log.get(*line) != second.log.get(*line)) {
        wrong.push(format!("T two lives of one seed differ at line {at}:\n    {:?}\n    {:?}", first.log.get(at), second.log.get(at)));
    }
    (first, wrong)
}

#[test]
fn every_seed_keeps_the_promises() {
    if let Some(seed) = number("COOEE_SIM_SEED") {
        let (ended, wrong) = twice(seed);
        println!("{}", ended.log.join("\n"));
        assert!(wrong.is_empty(), "seed {seed}:\n  {}", wrong.join("\n  "));
        return;
    }
    let seeds = number("COOEE_SIM_SEEDS").unwrap_or(SEEDS);
    let (next, failed) = (AtomicU64::new(0), Mutex::new(Vec::new()));
    let totals = [const { AtomicU64::new(0) }; 3];
    std::thread::scope(|scope| {
        for _core in 0..2 {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds || failed.lock().unwrap().len() >= FAILURES_MAX {
                        return;
                    }
                    let (ended, wrong) = twice(seed);
                    for (total, count) in totals.iter().zip([ended.activations, ended.sent, ended.kills]) {
                        total.fetch_add(u64::try_from(count).unwrap(), Ordering::Relaxed);
                    }
                    if !wrong.is_empty() {
                        failed.lock().unwrap().push((seed, wrong));
                    }
                }
            });
        }
    });
    let [activations, sent, kills] = totals.map(AtomicU64::into_inner);
    println!("{seeds} seeds lived twice: {activations} activations, {sent} messages, {kills} restarts");
    let failed = failed.into_inner().unwrap();
    for (seed, wrong) in &failed {
        println!("seed {seed}; all of it:  COOEE_SIM_SEED={seed} cargo test -p proof --test simulation\n  {}", wrong.join("\n  "));
    }
    assert!(failed.is_empty(), "{} seeds failed", failed.len());
}

/// Whether the oracles notice a lie in any of a few seeds, by the name of what it breaks.
fn is_noticed(lie: Lie, oracle: &str) {
    let noticed = (0..40).any(|seed| live(seed, lie).wrong.iter().any(|wrong| wrong.starts_with(oracle)));
    assert!(noticed, "nobody noticed {lie:?}");
}

#[test]
fn a_record_that_confirms_what_it_has_not_is_noticed() {
    is_noticed(Lie::CommitsNothingNow, "I1");
}

#[test]
fn a_voice_that_forgets_is_noticed() {
    is_noticed(Lie::VoiceForgets, "O");
}

#[test]
fn a_voice_that_stutters_is_noticed() {
    is_noticed(Lie::VoiceStutters, "D");
}
