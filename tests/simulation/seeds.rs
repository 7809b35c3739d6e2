//! The tests: many seeds, one seed with its log, and stations that lie.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::oracle;
use crate::scenario::{Ended, Lie, live, relive};

/// How many seeds a plain run lives: a minute or two on two cores.
const SEEDS: u64 = 2_500;
/// How many failing seeds are told before the run gives up.
const FAILURES_MAX: usize = 3;

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a number, not {text:?}")))
}

/// One seed, lived twice: what was wrong with it. One judgement serves both lives, which must agree to the byte.
fn twice(seed: u64) -> (Ended, Vec<String>) {
    let mut first = live(seed, Lie::Nothing);
    let second = relive(seed);
    let mut wrong = std::mem::take(&mut first.wrong);
    wrong.extend(oracle::judge(&first.past));
    wrong.extend(differing(&first.log, &second));
    (first, wrong)
}

/// T: where two lives of one seed part.
fn differing(first: &[String], second: &[String]) -> Option<String> {
    let at = (0..first.len().max(second.len())).find(|line| first.get(*line) != second.get(*line))?;
    Some(format!("T two lives of one seed differ at line {at}:\n    {:?}\n    {:?}", first.get(at), second.get(at)))
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
                    for (total, count) in totals.iter().zip(counts_of(&ended)) {
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

/// Activations, messages, restarts.
fn counts_of(ended: &Ended) -> [usize; 3] {
    let raised = ended.past.entries.iter().filter(|entry| entry.kind == "activation.raised").count();
    [raised, ended.past.sent.len(), ended.kills]
}

/// Whether the oracles notice a lie in any of a few seeds, by the name of what it breaks.
fn is_noticed(lie: Lie, finding: &str) {
    let noticed = (0..40).any(|seed| {
        let ended = live(seed, lie);
        let found = oracle::judge(&ended.past);
        ended.wrong.iter().chain(&found).any(|wrong| wrong.starts_with(finding))
    });
    assert!(noticed, "nobody noticed {lie:?}: {finding}");
}

#[test]
fn a_record_that_confirms_what_it_has_not_is_noticed() {
    is_noticed(Lie::CommitsNothingNow, "I1 confirmed before durable");
    is_noticed(Lie::CommitsNothingNow, "I1 told a device before the record had it");
    is_noticed(Lie::CommitsNothingNow, "I2 sent what neither record nor spool knows");
}

#[test]
fn a_voice_that_forgets_is_noticed() {
    is_noticed(Lie::VoiceForgets, "O owed and never sent");
}

#[test]
fn a_voice_that_stutters_or_hides_its_doubt_is_noticed() {
    is_noticed(Lie::VoiceStutters, "D sent twice in one life");
    is_noticed(Lie::VoiceStutters, "D a duplicate without a kill");
    is_noticed(Lie::VoiceHidesDoubt, "D a duplicate is not marked");
}

#[test]
fn a_station_that_is_fenced_is_noticed() {
    is_noticed(Lie::Rival, "W the station ended by itself");
}

#[test]
fn a_record_that_is_never_caught_up_is_noticed() {
    is_noticed(Lie::RecordStaysAway, "L the record was never caught up");
    is_noticed(Lie::RecordStaysAway, "L a press was never acknowledged");
}

#[test]
fn an_act_on_stale_knowledge_is_noticed() {
    is_noticed(Lie::DeskIsNotToldWhatWasSeen, "S acted on stale knowledge");
}

#[test]
fn two_lives_that_part_are_noticed() {
    let log = live(0, Lie::Nothing).log;
    let mut other = log.clone();
    other.last_mut().unwrap().push(' ');
    assert!(differing(&log, &other).is_some_and(|wrong| wrong.starts_with("T ")));
    assert!(differing(&log, &log[1..]).is_some() && differing(&log, &log).is_none());
}
