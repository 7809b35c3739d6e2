//! One seed's past, whole: what the record says, what really left and arrived, and the state that was at the end.
//!
//! Plain data, so that the oracles can be shown a past that was doctored. It judges nothing.

use std::collections::BTreeSet;

use escalation::engine::Engine;
use escalation::event::Event;
use escalation::id::Digest;
use escalation::time::{SignedDuration, Timestamp};
use ledger::{Ledger as _, Seq};
use serde::Deserialize;
use station::journal;

use crate::overhear::Overheard;
use crate::world::{Human, Sent, World};

/// All that the oracles look at.
#[derive(Clone)]
pub(crate) struct Past {
    pub(crate) entries: Vec<Entry>,
    pub(crate) sent: Vec<Sent>,
    /// The payloads that a device was told are taken.
    pub(crate) received: BTreeSet<Digest>,
    /// What was confirmed to anybody, by its place in the record.
    pub(crate) confirmed: Vec<(u64, Vec<u8>)>,
    pub(crate) human: Human,
    /// Times without a process.
    pub(crate) downs: Vec<(Timestamp, Timestamp)>,
    /// When the wall clock was stepped, in the world's own time, and by how many microseconds.
    pub(crate) steps: Vec<(Timestamp, i64)>,
    pub(crate) ended_at: Timestamp,
    /// The state that the last station had when it ended in order.
    pub(crate) live: Option<Engine>,
    /// Everything that was logged.
    pub(crate) heard: String,
}

/// One entry, read.
#[derive(Clone)]
pub(crate) struct Entry {
    pub(crate) seq: u64,
    pub(crate) at: Timestamp,
    /// The same in the world's own time, which no step of a clock touches.
    pub(crate) truly: Timestamp,
    pub(crate) kind: String,
    pub(crate) event: Event,
    pub(crate) text: String,
    pub(crate) aseq: Option<u64>,
    /// The last of its turn: only here is the state one that anybody saw.
    pub(crate) ends_turn: bool,
}

/// The common fields that the oracles need.
#[derive(Deserialize)]
struct Fields<'a> {
    boot: &'a str,
    mono_us: i64,
    aseq: Option<u64>,
}

impl Past {
    /// What the wall clock showed at a moment of the world's own time.
    pub(crate) fn wall_at(&self, truly: Timestamp) -> Timestamp {
        let ahead_us: i64 = self.steps.iter().filter(|(at, _)| *at <= truly).map(|(_, by_us)| by_us).sum();
        truly + SignedDuration::from_micros(ahead_us)
    }

    /// Takes it out of a world in which nothing happens any more.
    pub(crate) async fn of(world: &World, live: Option<Engine>, heard: &Overheard) -> Self {
        let entries = read(world).await;
        let mut state = world.state();
        Self {
            entries,
            sent: std::mem::take(&mut state.sent),
            received: std::mem::take(&mut state.received),
            confirmed: std::mem::take(&mut state.confirmed),
            human: std::mem::take(&mut state.human),
            downs: std::mem::take(&mut state.downs),
            steps: std::mem::take(&mut state.steps),
            ended_at: world.true_time(),
            live,
            heard: heard.text(),
        }
    }
}

/// What the record holds. What the world read when it was written is not read again where the bytes are the same.
async fn read(world: &World) -> Vec<Entry> {
    let stored = world.memory.entries(Seq::FIRST, u32::MAX).await.unwrap();
    let (mut written, ends) = world.take_record();
    let read = stored.into_iter().map(|entry| {
        let (seq, body) = (entry.seq.index(), entry.body.unwrap());
        let (at, event) = match written.remove(&seq) {
            Some(read) if read.body == body.bytes() => (read.at, read.event),
            Some(_) | None => journal::read(body.bytes()).unwrap(),
        };
        let Fields { boot, mono_us, aseq } = serde_json::from_slice(body.bytes()).unwrap();
        let truly = world.state().boots[boot] + SignedDuration::from_micros(mono_us);
        let text = String::from_utf8(body.bytes().to_vec()).unwrap();
        Entry { seq, at, truly, kind: entry.columns.kind, event, text, aseq, ends_turn: ends.contains(&seq) }
    });
    read.collect()
}
