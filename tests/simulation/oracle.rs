//! What must hold of every seed, whatever happened in it. Each finding begins with the name of what it breaks.

use std::collections::{BTreeMap, BTreeSet};

use escalation::acknowledgement::Gesture;
use escalation::activation::Activation;
use escalation::engine::Engine;
use escalation::event::{AnsweredVia, Event, Responder};
use escalation::id::{ActivationId, CustomerId, DispatchId};
use escalation::time::{SignedDuration, Timestamp, millis_between};
use ledger::{Ledger as _, Seq};
use station::floor::Floor;
use station::journal;

use crate::overhear::Overheard;
use crate::scenario::{PRIVATE, replayed};
use crate::world::{World, payload_of};

/// Everyone is told again at least every 10 minutes; a round may be a minute late by a full queue.
const QUIET_MAX_MS: u64 = 660_000;

/// One entry, read.
struct Entry {
    seq: u64,
    at: Timestamp,
    /// The same in the world's own time, which no step of a clock touches.
    truly: Timestamp,
    event: Event,
    text: String,
    fields: serde_json::Value,
}

/// I6 and I3 at every start: the state that was left in order is the one that is rebuilt.
pub(crate) fn compare_restart(world: &World, floor: &Floor) {
    has_deadlines(world, &floor.engine);
    let last = world.state().last_floor.take();
    if let Some(last) = last
        && last.engine != floor.engine
        && !world.state().ever_unspooled
    {
        world.wrong("I6 replay differs from live", differences(&last.engine, &floor.engine));
    }
}

/// Everything else, at the end.
pub(crate) async fn judge(world: &World, floor: Option<&Floor>, heard: &Overheard) {
    let entries = read(world).await;
    let rebuilt = replayed(world).await;
    match floor {
        Some(floor) => {
            if floor.engine != rebuilt.engine {
                world.wrong("I6 replay differs from live", differences(&floor.engine, &rebuilt.engine));
            }
            if floor.next() != rebuilt.next() {
                world.wrong("I6 replay ends elsewhere", format!("{} and {}", floor.next(), rebuilt.next()));
            }
        }
        None => world.wrong("W no state at the end", ""),
    }
    if rebuilt.engine.faults() > 0 {
        world.wrong("F events made no sense", rebuilt.engine.faults());
    }
    has_deadlines(world, &rebuilt.engine);
    nothing_confirmed_is_lost(world, &entries);
    every_press_is_there(world, &entries);
    sequences_have_no_gap(world, &entries);
    repeats_reset_nothing(world, &entries);
    only_humans_stop_it(world, &entries);
    never_quiet(world, &entries);
    everything_owed_was_sent(world, &rebuilt.engine);
    duplicates_are_of_kills(world);
    nothing_private(world, &entries, heard);
}

async fn read(world: &World) -> Vec<Entry> {
    let stored = world.memory.entries(Seq::FIRST, u32::MAX).await.unwrap();
    let read = stored.into_iter().map(|entry| {
        let body = entry.body.unwrap();
        let (at, event) = journal::read(body.bytes()).unwrap();
        let fields: serde_json::Value = serde_json::from_slice(body.bytes()).unwrap();
        let since = SignedDuration::from_micros(fields["mono_us"].as_i64().unwrap());
        let truly = world.state().boots[fields["boot"].as_str().unwrap()] + since;
        let text = String::from_utf8(body.bytes().to_vec()).unwrap();
        Entry { seq: entry.seq.index(), at, truly, event, text, fields }
    });
    read.collect()
}

fn differences(one: &Engine, other: &Engine) -> String {
    let differing: Vec<_> = one
        .activations()
        .zip(other.activations())
        .filter(|(a, b)| a != b)
        .map(|(a, b)| format!("{a:?}\n    became {b:?}"))
        .take(1)
        .collect();
    let counts =
        |e: &Engine| (e.activations().count(), e.owed_count(), e.open_count(), e.directory_version(), e.is_record_lost(), e.faults());
    format!("{:?} and {:?}\n    {}", counts(one), counts(other), differing.join("\n"))
}

/// I3: an open activation has a deadline, or a person who has committed, whose commitment has one.
fn has_deadlines(world: &World, engine: &Engine) {
    for act in engine.activations().filter(|act| act.is_open() && act.next_due().is_none()) {
        world.wrong("I3 open without a deadline", format!("{} {:?}", act.id, act.progress));
    }
}

/// I1: what was confirmed is in the record, byte for byte.
fn nothing_confirmed_is_lost(world: &World, entries: &[Entry]) {
    let confirmed = std::mem::take(&mut world.state().confirmed);
    for (seq, body) in confirmed {
        let kept = usize::try_from(seq).ok().and_then(|place| entries.get(place));
        if kept.is_none_or(|entry| entry.text.as_bytes() != body) {
            world.wrong("I1 a confirmed entry is not in the record", format!("{seq} {}", String::from_utf8_lossy(&body)));
        }
    }
}

/// I7: every press that was acknowledged to a device is in the record.
fn every_press_is_there(world: &World, entries: &[Entry]) {
    let recorded: BTreeSet<_> = entries.iter().filter_map(|entry| payload_of(&entry.event)).collect();
    let missing: Vec<_> = world.state().received.difference(&recorded).copied().collect();
    for payload in missing {
        world.wrong("I7 a press is not in the record", payload);
    }
}

/// I9, I10: time increases, and nothing withheld would go unseen.
fn sequences_have_no_gap(world: &World, entries: &[Entry]) {
    let mut histories: BTreeMap<ActivationId, u64> = BTreeMap::new();
    let mut ordinals: BTreeMap<CustomerId, u32> = BTreeMap::new();
    let mut last = None;
    for entry in entries {
        if last.is_some_and(|last| entry.at <= last) {
            world.wrong("I10 time did not increase", entry.seq);
        }
        last = Some(entry.at);
        if let Some(act) = entry.event.activation() {
            let expected = histories.entry(act.clone()).or_default();
            if entry.fields["aseq"].as_u64() != Some(*expected) {
                world.wrong("I9 aseq has a gap", format!("{act} entry {} expected {expected} in {}", entry.seq, entry.fields));
            }
            *expected += 1;
            if let Event::Closed { count, .. } = &entry.event
                && u64::from(*count) != *expected
            {
                world.wrong("I9 count at closing", format!("{act} says {count}, has {expected}"));
            }
        }
        if let Event::Raised(raised) = &entry.event {
            let ordinal = ordinals.entry(raised.cust.clone()).or_default();
            *ordinal += 1;
            if raised.ord != *ordinal {
                world.wrong("I9 ord has a gap", format!("{} has {} for {ordinal}", raised.act, raised.ord));
            }
        }
    }
}

/// I8: a repeat press moves no deadline of the ladder and takes nothing back.
fn repeats_reset_nothing(world: &World, entries: &[Entry]) {
    let mut engine = Engine::default();
    for entry in entries {
        let before = match &entry.event {
            Event::PressedAgain { act, .. } | Event::CancelAsked { act, .. } => engine.activation(act).cloned(),
            _other => None,
        };
        engine.apply(entry.at, &entry.event);
        let Some(before) = before else { continue };
        let after = engine.activation(&before.id).unwrap();
        let held = |act: &Activation| (act.progress, act.promise.clone(), act.claim.clone(), act.closing.clone(), act.next_due());
        if held(&before) != held(after) {
            world.wrong("I8 a repeat reset something", format!("{} entry {}", before.id, entry.seq));
        }
    }
}

/// I4: whatever holds or ends a ladder was done by a human who really did it.
fn only_humans_stop_it(world: &World, entries: &[Entry]) {
    for entry in entries {
        let human = match &entry.event {
            Event::Accepted { act, by, .. } | Event::Joined { act, by, .. } | Event::Declined { act, by, .. } => is_human(world, act, by),
            Event::Claimed { by, .. } | Event::Closed { by, .. } | Event::Escalated { by, .. } => {
                by.idempotency.is_some_and(|key| world.state().human.keys.contains(&key))
            }
            _other => true,
        };
        if !human {
            world.wrong("I4 stopped by nobody", &entry.fields);
        }
    }
}

fn is_human(world: &World, act: &ActivationId, by: &Responder) -> bool {
    let human = &world.state().human;
    match by.via {
        AnsweredVia::Sms => by.provider_ref.as_ref().is_some_and(|text| human.texts.contains(text)),
        AnsweredVia::Link(Gesture::Shown) => human.links.contains(&act.to_string()),
        AnsweredVia::Link(Gesture::Missing) => false,
        AnsweredVia::Api => by.by.as_ref().and_then(|doer| doer.idempotency).is_some_and(|key| human.keys.contains(&key)),
    }
}

/// I5: nobody's call goes quiet for longer than a round takes, until a human has answered.
fn never_quiet(world: &World, entries: &[Entry]) {
    let end = world.true_time();
    let mut sends: BTreeMap<ActivationId, Vec<Timestamp>> = BTreeMap::new();
    for sent in world.state().sent.iter().filter(|sent| sent.alarm) {
        sends.entry(sent.id.activation.clone()).or_default().push(sent.at);
    }
    let downs = world.state().downs.clone();
    for (act, calls) in calls(entries) {
        // A ladder that reaches nobody at all says so at once; there is nobody to be told again.
        if calls.empty {
            continue;
        }
        let mut marks = sends.remove(&act).unwrap_or_default();
        let until = calls.closed.unwrap_or(end);
        marks.extend(calls.held_until.iter().copied());
        marks.push(calls.raised);
        marks.push(until);
        marks.retain(|at| *at <= until);
        marks.sort();
        for pair in marks.windows(2) {
            let down: u64 = downs.iter().map(|(from, to)| millis_between((*from).max(pair[0]), (*to).min(pair[1]))).sum();
            let quiet = millis_between(pair[0], pair[1]).saturating_sub(down);
            if quiet > QUIET_MAX_MS {
                world.wrong("I5 quiet for too long", format!("{act} for {quiet} ms from {}", pair[0]));
            }
        }
    }
}

/// What held one activation's rounds back, in the world's own time.
struct Call {
    raised: Timestamp,
    closed: Option<Timestamp>,
    held_until: Vec<Timestamp>,
    empty: bool,
}

fn calls(entries: &[Entry]) -> BTreeMap<ActivationId, Call> {
    let mut calls: BTreeMap<ActivationId, Call> = BTreeMap::new();
    for entry in entries {
        let Some(act) = entry.event.activation() else { continue };
        if let Event::Raised(raised) = &entry.event {
            let call = Call { raised: entry.truly, closed: None, held_until: Vec::new(), empty: raised.ladder.rungs.is_empty() };
            calls.insert(act.clone(), call);
        }
        let Some(call) = calls.get_mut(act) else { continue };
        // A hold fills the time until its end, or until the watch goes on before.
        let mut hold = |until: Timestamp| {
            let seconds = i64::try_from(millis_between(entry.at, until) / 1_000).unwrap();
            call.held_until.extend((0..=seconds).step_by(60).chain([seconds]).map(|s| entry.truly + SignedDuration::from_secs(s)));
        };
        match &entry.event {
            Event::Accepted { arrive_by, .. } => hold(*arrive_by),
            Event::CommitmentQuestioned { grace_until, .. } => hold(*grace_until),
            Event::Claimed { lapses_at, .. } => hold(*lapses_at),
            Event::Declined { rests_until, .. } => hold(*rests_until),
            Event::Closed { .. } => call.closed = Some(entry.truly),
            _other => {}
        }
    }
    calls
}

/// What is still owed at the end was at least offered once: the calm end leaves time for everything.
fn everything_owed_was_sent(world: &World, engine: &Engine) {
    let sent: BTreeSet<DispatchId> = world.state().sent.iter().map(|sent| sent.id.clone()).collect();
    let recent = world.true_time() - SignedDuration::from_secs(30);
    let never: Vec<_> =
        engine.outbox().filter(|(id, owed)| !sent.contains(id) && owed.queued_at < recent).map(|(id, _)| id.clone()).collect();
    for id in never {
        world.wrong("O owed and never sent", id);
    }
}

/// Duplicates are of sends that a kill cut off, and no more.
fn duplicates_are_of_kills(world: &World) {
    let mut lives: BTreeMap<DispatchId, u32> = BTreeMap::new();
    let sent = world.state().sent.clone();
    for sent in sent.into_iter().filter(|sent| sent.known) {
        if let Some(before) = lives.insert(sent.id.clone(), sent.life)
            && before >= sent.life
        {
            world.wrong("D a duplicate without a kill", &sent.id);
        }
    }
}

/// I11, and the record: commitments, never contents.
fn nothing_private(world: &World, entries: &[Entry], heard: &Overheard) {
    let heard = heard.text();
    for private in PRIVATE {
        if let Some(line) = heard.lines().find(|line| line.contains(private)) {
            world.wrong("I11 a private text was logged", format!("{private}: {line}"));
        }
        if let Some(entry) = entries.iter().find(|entry| entry.text.contains(private)) {
            world.wrong("P a private text is in an entry", format!("{private}: {}", entry.text));
        }
    }
}
