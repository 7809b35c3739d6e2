//! What must hold of every seed, whatever happened in it. Each finding begins with the name of what it breaks.
//!
//! Pure: a past goes in, findings come out. `planted` proves of each that it can fail.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use escalation::acknowledgement::Gesture;
use escalation::activation::{Activation, Check, Progress, Promise};
use escalation::engine::Engine;
use escalation::event::{AnsweredVia, Entry as Cause, Event, Responder};
use escalation::id::{ActivationId, CustomerId, DispatchId};
use escalation::time::{SignedDuration, Timestamp, Why, millis_between};

use crate::alarmed;
use crate::beside;
use crate::drills;
use crate::duty;
use crate::past::{Entry, Past};
use crate::scenario::PRIVATE;
use crate::troubled;
use crate::world::payload_of;

/// Everyone is told again at least every 10 minutes; a round may be a minute late by a full queue.
const QUIET_MAX_MS: u64 = 660_000;
/// By how much a deadline may lie behind the turn that should have met it.
const OVERDUE_MAX: SignedDuration = SignedDuration::from_secs(1);

/// What is wrong with a past.
#[derive(Default)]
pub(crate) struct Findings(pub(crate) Vec<String>);

impl Findings {
    pub(crate) fn wrong(&mut self, oracle: &str, what: impl Display) {
        self.0.push(format!("{oracle}: {what}"));
    }
}

/// Everything that is wrong with a past.
pub(crate) fn judge(past: &Past) -> Vec<String> {
    let mut found = Findings::default();
    let rebuilt = states_make_sense(past, &mut found);
    everything_owed_was_sent(past, &rebuilt, &mut found);
    nothing_confirmed_is_lost(past, &mut found);
    every_press_is_there(past, &mut found);
    sequences_have_no_gap(past, &mut found);
    only_humans_stop_it(past, &mut found);
    never_quiet(past, &mut found);
    duplicates_are_of_kills(past, &mut found);
    alarmed::are_told_how_it_goes(past, &mut found);
    troubled::are_told_of_the_end(past, &mut found);
    duty::are_whom_the_record_says(past, &mut found);
    beside::are_told_of_what_is_beside(past, &mut found);
    drills::are_held_or_missed(past, &mut found);
    nothing_private(past, &mut found);
    found.0
}

/// How one state differs from another.
pub(crate) fn differences(one: &Engine, other: &Engine) -> String {
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

/// Lives the record again, entry by entry, and looks at every state on the way. Gives the last.
fn states_make_sense(past: &Past, found: &mut Findings) -> Engine {
    let mut engine = Engine::default();
    let mut touched = BTreeSet::new();
    for entry in &past.entries {
        let act = entry.event.activation();
        let before = act.filter(|_| is_repeat(entry)).and_then(|act| engine.activation(act).cloned());
        if let Event::RungEntered { act, rung, why, .. } = &entry.event
            && !matches!(why, Cause::Escalated)
            && let Some(Progress::Climb { rung: Some(last), .. }) = engine.activation(act).map(|act| act.progress)
            && *rung <= last
        {
            found.wrong("I8 a ladder went back", format!("{act} from {last:?} to {rung:?}, entry {}", entry.seq));
        }
        engine.apply(entry.at, &entry.event);
        if let Some(before) = before {
            repeat_resets_nothing(&before, &engine, entry, found);
        }
        touched.extend(act.cloned());
        if entry.ends_turn {
            for act in std::mem::take(&mut touched) {
                has_deadline(engine.activation(&act), found);
            }
            is_not_overdue(&engine, entry, found);
        }
    }
    for act in engine.activations() {
        has_deadline(Some(act), found);
    }
    let first = engine.activations().filter_map(Activation::next_due).map(|(at, _)| at).min();
    // People are told of a trouble at deadlines of its own.
    let is_first = engine.next_deadline().map_or(first.is_none(), |deadline| match deadline.why {
        Why::Trouble => first.is_none_or(|first| deadline.at <= first),
        _other => Some(deadline.at) == first,
    });
    if !is_first {
        found.wrong("I3 the first deadline is not on the agenda", format!("{first:?} {:?}", engine.next_deadline()));
    }
    match &past.live {
        Some(live) if *live != engine => found.wrong("I6 replay differs from live", differences(live, &engine)),
        Some(_) => {}
        None => found.wrong("W no state at the end", ""),
    }
    if engine.faults() > 0 {
        found.wrong("F events made no sense", engine.faults());
    }
    engine
}

/// I3: an open activation has a deadline, or a person who has committed, whose commitment has one; and where more than one is needed
/// everybody's has.
fn has_deadline(act: Option<&Activation>, found: &mut Findings) {
    let Some(act) = act.filter(|act| act.is_open()) else { return };
    let next = act.next_due().map(|(at, _)| at);
    if next.is_none() {
        found.wrong("I3 open without a deadline", format!("{} {:?}", act.id, act.progress));
    }
    let believed = act.committed().filter(|_| act.need > 1).map(|promise| believed_until(act, promise)).min();
    if believed.is_some_and(|until| next.is_none_or(|at| at > until)) {
        found.wrong("I3 somebody counts without a deadline", format!("{} {believed:?} {next:?}", act.id));
    }
}

/// Until when somebody's commitment is believed: as they said, until their answer is due, or, where they are there, by their own check.
fn believed_until(act: &Activation, promise: &Promise) -> Timestamp {
    let there = act.arrivals.iter().find(|arrival| arrival.by.is_same(&promise.by));
    match there.map(|arrival| (arrival.check, arrival)) {
        Some((Check::Heard, arrival)) => arrival.ask_at,
        Some((Check::Asked | Check::Silent, arrival)) => arrival.silent_at,
        Some((Check::Over, _)) | None => promise.grace_until.unwrap_or(promise.arrive_by),
    }
}

/// I3: a deadline that a turn leaves behind is none.
fn is_not_overdue(engine: &Engine, entry: &Entry, found: &mut Findings) {
    if let Some(deadline) = engine.next_deadline()
        && deadline.at < entry.at - OVERDUE_MAX
    {
        found.wrong("I3 a turn left a deadline behind", format!("{deadline:?} at {}, entry {}", entry.at, entry.seq));
    }
}

fn is_repeat(entry: &Entry) -> bool {
    entry.kind == "activation.pressed_again" || entry.kind == "activation.cancel_asked"
}

/// I8: a repeat press moves no deadline of the ladder and takes nothing back.
fn repeat_resets_nothing(before: &Activation, engine: &Engine, entry: &Entry, found: &mut Findings) {
    let held =
        |act: &Activation| (act.progress, act.promise.clone(), act.claim.clone(), act.hold.clone(), act.closing.clone(), act.next_due());
    if engine.activation(&before.id).map(held) != Some(held(before)) {
        found.wrong("I8 a repeat reset something", format!("{} entry {}", before.id, entry.seq));
    }
}

/// I1: what was confirmed is in the record, byte for byte.
fn nothing_confirmed_is_lost(past: &Past, found: &mut Findings) {
    for (seq, body) in &past.confirmed {
        let kept = usize::try_from(*seq).ok().and_then(|place| past.entries.get(place));
        if kept.is_none_or(|entry| entry.text.as_bytes() != body) {
            found.wrong("I1 a confirmed entry is not in the record", format!("{seq} {}", String::from_utf8_lossy(body)));
        }
    }
}

/// I7: every press that was acknowledged to a device is in the record.
fn every_press_is_there(past: &Past, found: &mut Findings) {
    let recorded: BTreeSet<_> = past.entries.iter().filter_map(|entry| payload_of(&entry.event)).collect();
    for payload in past.received.difference(&recorded) {
        found.wrong("I7 a press is not in the record", payload);
    }
}

/// I9, I10: time increases, and nothing withheld would go unseen.
fn sequences_have_no_gap(past: &Past, found: &mut Findings) {
    let mut histories: BTreeMap<ActivationId, u64> = BTreeMap::new();
    let mut ordinals: BTreeMap<CustomerId, u32> = BTreeMap::new();
    let mut last = None;
    for entry in &past.entries {
        if last.is_some_and(|last| entry.at <= last) {
            found.wrong("I10 time did not increase", entry.seq);
        }
        last = Some(entry.at);
        if let Some(act) = entry.event.activation() {
            let expected = histories.entry(act.clone()).or_default();
            if entry.aseq != Some(*expected) {
                found.wrong("I9 aseq has a gap", format!("{act} entry {} expected {expected} in {}", entry.seq, entry.text));
            }
            *expected += 1;
            if let Event::Closed { count, .. } = &entry.event
                && u64::from(*count) != *expected
            {
                found.wrong("I9 count at closing", format!("{act} says {count}, has {expected}"));
            }
        }
        if let Event::Raised(raised) = &entry.event {
            let ordinal = ordinals.entry(raised.cust.clone()).or_default();
            *ordinal += 1;
            if raised.ord != *ordinal {
                found.wrong("I9 ord has a gap", format!("{} has {} for {ordinal}", raised.act, raised.ord));
            }
        }
    }
}

/// I4: whatever holds or ends a ladder was done by a human who really did it.
fn only_humans_stop_it(past: &Past, found: &mut Findings) {
    for entry in &past.entries {
        let human = match &entry.event {
            Event::Accepted { act, by, .. }
            | Event::Joined { act, by, .. }
            | Event::Declined { act, by, .. }
            | Event::TroubleAnswered { act, by, .. } => is_human(past, act, by),
            // A drill ends by itself; that it was one is looked at apart.
            Event::Closed { drill: Some(_), .. } => true,
            Event::Claimed { by, .. } | Event::Held { by, .. } | Event::Closed { by, .. } | Event::Escalated { by, .. } => {
                by.idempotency.is_some_and(|key| past.human.keys.contains(&key))
            }
            _other => true,
        };
        if !human {
            found.wrong("I4 stopped by nobody", &entry.text);
        }
    }
}

fn is_human(past: &Past, act: &ActivationId, by: &Responder) -> bool {
    match by.via {
        AnsweredVia::Sms | AnsweredVia::Voice => by.provider_ref.as_ref().is_some_and(|text| past.human.texts.contains(text)),
        AnsweredVia::Link(Gesture::Shown) => past.human.links.contains(&act.to_string()),
        AnsweredVia::Link(Gesture::Missing) => false,
        AnsweredVia::Api => by.by.as_ref().and_then(|doer| doer.idempotency).is_some_and(|key| past.human.keys.contains(&key)),
    }
}

/// I5: nobody's call goes quiet for longer than a round takes, until a human has answered.
fn never_quiet(past: &Past, found: &mut Findings) {
    let mut sends: BTreeMap<ActivationId, Vec<Timestamp>> = BTreeMap::new();
    for sent in past.sent.iter().filter(|sent| sent.alarm) {
        sends.entry(sent.id.activation.clone()).or_default().push(sent.at);
    }
    for (act, call) in calls(&past.entries) {
        // A ladder that reaches nobody at all says so at once; there is nobody to be told again.
        if call.empty {
            continue;
        }
        let mut marks = sends.remove(&act).unwrap_or_default();
        let until = call.closed.unwrap_or(past.ended_at);
        marks.extend(call.held_until.iter().copied());
        marks.push(call.raised);
        marks.push(until);
        marks.retain(|at| *at <= until);
        marks.sort();
        for pair in marks.windows(2) {
            let down: u64 = past.downs.iter().map(|(from, to)| millis_between((*from).max(pair[0]), (*to).min(pair[1]))).sum();
            let quiet = millis_between(pair[0], pair[1]).saturating_sub(down);
            if quiet > QUIET_MAX_MS {
                found.wrong("I5 quiet for too long", format!("{act} for {quiet} ms from {}", pair[0]));
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
            Event::Held { until, .. } => hold(*until),
            Event::Claimed { lapses_at, .. } => hold(*lapses_at),
            Event::Declined { rests_until, .. } => hold(*rests_until),
            Event::Closed { .. } => call.closed = Some(entry.truly),
            _other => {}
        }
    }
    calls
}

/// What is still owed at the end was at least offered once: the calm end leaves time for everything.
fn everything_owed_was_sent(past: &Past, engine: &Engine, found: &mut Findings) {
    let sent: BTreeSet<&DispatchId> = past.sent.iter().map(|sent| &sent.id).collect();
    let recent = past.ended_at - SignedDuration::from_secs(30);
    for (id, _) in engine.outbox().filter(|(id, owed)| !sent.contains(id) && owed.queued_at < recent) {
        found.wrong("O owed and never sent", id);
    }
}

/// Duplicates are of sends that a kill cut off, and no more.
fn duplicates_are_of_kills(past: &Past, found: &mut Findings) {
    let mut lives: BTreeMap<&DispatchId, u32> = BTreeMap::new();
    for sent in past.sent.iter().filter(|sent| sent.known) {
        if let Some(before) = lives.insert(&sent.id, sent.life)
            && before >= sent.life
        {
            found.wrong("D a duplicate without a kill", &sent.id);
        }
    }
}

/// I11, and the record: commitments, never contents.
fn nothing_private(past: &Past, found: &mut Findings) {
    for private in PRIVATE {
        if past.heard.contains(private) {
            let line = past.heard.lines().find(|line| line.contains(private)).unwrap_or_default();
            found.wrong("I11 a private text was logged", format!("{private}: {line}"));
        }
        if let Some(entry) = past.entries.iter().find(|entry| entry.text.contains(private)) {
            found.wrong("P a private text is in an entry", format!("{private}: {}", entry.text));
        }
    }
}
