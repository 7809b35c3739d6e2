//! The world around one station: its clocks, its record, its process, and the memory of everything that passed between them.
//!
//! It knows what the record and the spool hold at any moment, so that whatever leaves the station can be judged as it leaves.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use escalation::dispatch::Order;
use escalation::event::Event;
use escalation::id::{ActivationId, Digest, DispatchId};
use escalation::time::{SignedDuration, Timestamp};
use escalation::verdict::Outcome;
use ledger::Batch;
use ledger::memory::MemoryLedger;
use station::clock::Clock;
use station::desk::Desk;
use station::floor::{Feedback, Floor};
use station::journal;
use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;

use crate::dice::Dice;
use crate::faults::{Plan, Weather};
use crate::scenario::Lie;

/// How often a station may read its clock within one millisecond, far above what any burst here needs.
const READINGS_MAX: u32 = 100_000;

/// Everything outside the station.
pub(crate) struct World {
    /// The record, which outlives every process.
    pub(crate) memory: MemoryLedger,
    /// The data directory, which does too.
    pub(crate) folder: PathBuf,
    /// Wakes whoever ends the process.
    pub(crate) killed: Notify,
    /// Wakes whoever ends it gracefully.
    pub(crate) asked_to_stop: Notify,
    born: Instant,
    state: Mutex<State>,
}

/// What the world remembers.
pub(crate) struct State {
    pub(crate) dice: Dice,
    pub(crate) weather: Weather,
    /// The living process: which, and the way to it.
    pub(crate) life: u32,
    pub(crate) alive: bool,
    pub(crate) desk: Option<Desk>,
    pub(crate) tasks: Vec<AbortHandle>,
    /// Until when the record cannot be reached.
    pub(crate) outage_until: Duration,
    /// Until when the voice's queue is full.
    pub(crate) full_until: Duration,
    pub(crate) step_us: i64,
    /// Each step of the wall clock, when it was.
    pub(crate) steps: Vec<(Timestamp, i64)>,
    readings: u32,
    last_reading: Duration,
    pub(crate) lie: Lie,
    /// The spool has failed before: a stop may have left entries behind that nobody was told of.
    pub(crate) ever_unspooled: bool,
    /// The spool cannot be written either.
    pub(crate) spool_broken: bool,
    /// Times without a process, and the last moment there was one.
    pub(crate) downs: Vec<(Timestamp, Timestamp)>,
    /// When each process began, by the name its entries have.
    pub(crate) boots: BTreeMap<String, Timestamp>,
    pub(crate) sent: Vec<Sent>,
    pub(crate) reported: BTreeSet<DispatchId>,
    pub(crate) human: Human,
    pub(crate) confirmed: Vec<(u64, Vec<u8>)>,
    pub(crate) received: BTreeSet<Digest>,
    pub(crate) log: Vec<String>,
    pub(crate) wrong: Vec<String>,
    /// The state of a station that ended in order, until the next one has replayed.
    pub(crate) last_floor: Option<Floor>,
    record: Known,
    spool: Known,
    spool_read: usize,
    spool_begins: Vec<u8>,
}

/// What humans really did, to hold against what the record says they did.
#[derive(Clone, Default)]
pub(crate) struct Human {
    /// How many of a hundred messages anybody answers.
    pub(crate) willing: u64,
    pub(crate) texts: BTreeSet<String>,
    pub(crate) links: BTreeSet<String>,
    pub(crate) keys: BTreeSet<Digest>,
}

/// One message that left the station.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) at: Timestamp,
    pub(crate) id: DispatchId,
    pub(crate) life: u32,
    pub(crate) alarm: bool,
    /// What neither record nor spool could keep is forgotten by a kill, and its number is given again.
    pub(crate) known: bool,
}

/// What a store holds.
#[derive(Default)]
struct Known {
    dispatches: BTreeSet<DispatchId>,
    raised: BTreeSet<ActivationId>,
    payloads: BTreeSet<Digest>,
    bodies: BTreeMap<u64, Read>,
    /// The last entry of every batch.
    ends: BTreeSet<u64>,
}

/// One entry as a store got it, and what it says.
pub(crate) struct Read {
    pub(crate) body: Vec<u8>,
    pub(crate) at: Timestamp,
    pub(crate) event: Event,
}

impl Known {
    fn learn(&mut self, seq: u64, body: &[u8]) {
        let (at, event) = journal::read(body).unwrap();
        if let Event::DispatchQueued { act, dispatch, .. } = &event {
            self.dispatches.insert(DispatchId { activation: act.clone(), number: *dispatch });
        }
        if let Event::Raised(raised) = &event {
            self.raised.insert(raised.act.clone());
        }
        self.payloads.extend(payload_of(&event));
        self.bodies.insert(seq, Read { body: body.to_vec(), at, event });
    }
}

/// The payload of the signal that an event records.
pub(crate) fn payload_of(event: &Event) -> Option<Digest> {
    match event {
        Event::Raised(raised) => raised.signal.payload_sha256,
        Event::PressedAgain { signal, .. } | Event::CancelAsked { signal, .. } | Event::DeviceReported { signal, .. } => {
            signal.payload_sha256
        }
        _other => None,
    }
}

impl World {
    pub(crate) fn new(mut dice: Dice, weather: Weather, folder: PathBuf) -> Arc<Self> {
        let state = State {
            dice: dice.fork(),
            weather,
            life: 0,
            alive: false,
            desk: None,
            tasks: Vec::new(),
            outage_until: Duration::ZERO,
            full_until: Duration::ZERO,
            step_us: 0,
            steps: Vec::new(),
            readings: 0,
            last_reading: Duration::ZERO,
            lie: Lie::Nothing,
            ever_unspooled: false,
            spool_broken: false,
            downs: Vec::new(),
            boots: BTreeMap::new(),
            sent: Vec::new(),
            reported: BTreeSet::new(),
            human: Human::default(),
            confirmed: Vec::new(),
            received: BTreeSet::new(),
            log: Vec::new(),
            wrong: Vec::new(),
            last_floor: None,
            record: Known::default(),
            spool: Known::default(),
            spool_read: 0,
            spool_begins: Vec::new(),
        };
        Arc::new(Self {
            memory: MemoryLedger::new(),
            folder,
            killed: Notify::new(),
            asked_to_stop: Notify::new(),
            born: Instant::now(),
            state: Mutex::new(state),
        })
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Time since the world began.
    pub(crate) fn age(&self) -> Duration {
        self.born.elapsed()
    }

    /// What an honest wall clock would say.
    pub(crate) fn true_time(&self) -> Timestamp {
        Timestamp::from_second(1_795_000_000).unwrap() + self.age()
    }

    pub(crate) fn log(&self, what: impl Display) {
        let at = self.age().as_millis();
        self.state().log.push(format!("{at:>9} {what}"));
    }

    /// Something happened that must never happen.
    pub(crate) fn wrong(&self, oracle: &str, what: impl Display) {
        let at = self.age().as_millis();
        let mut state = self.state();
        state.log.push(format!("{at:>9} WRONG {oracle}: {what}"));
        state.wrong.push(format!("{oracle}: {what}"));
    }

    /// The way to the living station, if one lives.
    pub(crate) fn desk(&self) -> Option<Desk> {
        self.state().desk.clone()
    }

    pub(crate) fn lives(&self, life: u32) -> bool {
        let state = self.state();
        state.alive && state.life == life
    }

    /// The process of this life is gone from here on.
    pub(crate) fn die(&self, life: u32) {
        if self.lives(life) {
            self.log("KILL");
            self.state().alive = false;
            self.killed.notify_one();
        }
    }

    /// A process begins whose entropy begins so: its entries name it by that.
    pub(crate) fn boots(&self, first: [u8; 16]) {
        let name = first[..4].iter().fold("b-".to_owned(), |name, byte| format!("{name}{byte:02x}"));
        let now = self.true_time();
        let mut state = self.state();
        state.boots.insert(name, now);
        state.readings = 0;
    }

    /// Throws what becomes of the next append.
    pub(crate) fn plan_append(&self) -> Plan {
        let age = self.age();
        let mut state = self.state();
        let Weather { slow, unknown, deadly } = state.weather;
        let away = age < state.outage_until;
        let dice = &mut state.dice;
        let ms = Duration::from_millis;
        if away {
            let hang = *dice.pick(&[0, 0, 5, 400, 3_000, 30_000]);
            return Plan::Lost { committed: false, after: ms(hang) };
        }
        if dice.rarely(slow) {
            let (before, after) = (dice.between(0, 2_000), dice.between(0, 2_000));
            return Plan::Commit { before: ms(before), after: ms(after) };
        }
        if dice.rarely(unknown) {
            return Plan::Lost { committed: dice.chance(50), after: ms(dice.between(0, 600)) };
        }
        if dice.rarely(deadly) {
            return Plan::Die { committed: dice.chance(50) };
        }
        let before = if dice.chance(30) { dice.between(1, 8) } else { 0 };
        Plan::Commit { before: ms(before), after: Duration::ZERO }
    }

    /// The record has taken a batch.
    pub(crate) fn committed(&self, batch: &Batch) {
        let mut state = self.state();
        for (seq, sealed) in batch.placed() {
            state.record.learn(seq.index(), sealed.body.bytes());
        }
        state.record.ends.extend(batch.next().index().checked_sub(1));
    }

    /// All that the record was given, and where its batches end. Nothing is given to it any more.
    pub(crate) fn take_record(&self) -> (BTreeMap<u64, Read>, BTreeSet<u64>) {
        let mut state = self.state();
        (std::mem::take(&mut state.record.bodies), std::mem::take(&mut state.record.ends))
    }

    /// Reads what the spool has had added, by an own reading of its file.
    fn read_spool(&self, state: &mut State) {
        let bytes = std::fs::read(self.folder.join("spool")).unwrap_or_default();
        // It begins with the digest of its first line: another beginning is another spool.
        let beginning = bytes.get(..64).unwrap_or_default();
        if bytes.len() < state.spool_read || beginning != state.spool_begins {
            state.spool = Known::default();
            state.spool_read = 0;
            state.spool_begins = beginning.to_vec();
        }
        while let Some(length) = bytes[state.spool_read..].iter().position(|byte| *byte == b'\n') {
            let line = &bytes[state.spool_read..state.spool_read + length];
            state.spool_read += length + 1;
            let json = &line[line.iter().position(|byte| *byte == b' ').unwrap() + 1..];
            let line: serde_json::Value = serde_json::from_slice(json).unwrap();
            let first = line["first"].as_u64().unwrap();
            for (seq, entry) in (first..).zip(line["entries"].as_array().unwrap()) {
                state.spool.learn(seq, &STANDARD.decode(entry["body"].as_str().unwrap()).unwrap());
            }
        }
    }

    /// Whether the record, or else the spool, knows a message.
    pub(crate) fn knows_dispatch(&self, id: &DispatchId) -> bool {
        let mut state = self.state();
        if state.record.dispatches.contains(id) {
            return true;
        }
        self.read_spool(&mut state);
        state.spool.dispatches.contains(id)
    }

    /// I1: a press is confirmed only by the record; anything else by the record or the spool.
    pub(crate) fn confirm(&self, what: &str, outcome: &Outcome, payload: Option<Digest>) {
        let held = {
            let mut state = self.state();
            let in_record = state.record.bodies.get(&outcome.seq).map(|read| read.body.clone());
            let body = match (in_record, payload) {
                (Some(body), _) => Some(body),
                (None, Some(_)) => None,
                (None, None) => {
                    self.read_spool(&mut state);
                    state.spool.bodies.get(&outcome.seq).map(|read| read.body.clone())
                }
            };
            let known = payload.is_none_or(|payload| state.record.payloads.contains(&payload));
            match body {
                Some(body) if known => {
                    state.confirmed.push((outcome.seq, body));
                    true
                }
                Some(_) | None => false,
            }
        };
        if !held {
            self.wrong("I1 confirmed before durable", format!("{what} {outcome:?}"));
        }
    }

    /// What a device was told: `received` means the record has it.
    pub(crate) fn told(&self, feedback: &Feedback) {
        let known = self.state().record.raised.contains(&feedback.activation);
        self.log(format!("tell {} {} {:?}", feedback.device, feedback.activation, feedback.state));
        if !known {
            self.wrong("I1 told a device before the record had it", &feedback.activation);
        }
    }

    /// Judges a message as it leaves, and remembers it.
    pub(crate) fn sends(&self, order: &Order, life: u32) {
        use escalation::dispatch::Purpose;
        let plain = ["code", "link", "url"].iter().all(|word| order.words[word].is_empty());
        let excused = plain && self.state().spool_broken;
        let known = self.knows_dispatch(&order.id);
        if !excused && !known {
            self.wrong("I2 sent what neither record nor spool knows", &order.id);
        }
        let before: Vec<Sent> = self.state().sent.iter().filter(|sent| sent.known && sent.id == order.id).cloned().collect();
        if before.iter().any(|sent| sent.life == life) {
            self.wrong("D sent twice in one life", &order.id);
        }
        if !before.is_empty() && !order.possible_duplicate {
            self.wrong("D a duplicate is not marked", &order.id);
        }
        if self.state().reported.contains(&order.id) {
            self.wrong("D sent again although its report was durable", &order.id);
        }
        let alarm = match order.purpose {
            Purpose::Alarm | Purpose::AlarmAgain | Purpose::AskFirst | Purpose::AskKeeper | Purpose::AskTester => true,
            Purpose::PressedAgain
            | Purpose::NotATest
            | Purpose::Confirmed
            | Purpose::Declined
            | Purpose::SomeoneGoing
            | Purpose::StillGoing
            | Purpose::AreYouSafe
            | Purpose::ColleagueSilent
            | Purpose::RingPolice
            | Purpose::HasAnyoneRung
            | Purpose::StandDown
            | Purpose::NothingAcknowledged
            | Purpose::WhichAlarm
            | Purpose::AlreadyClosed
            | Purpose::Trouble
            | Purpose::TroubleAgain
            | Purpose::TroubleTaken
            | Purpose::TroubleOver => false,
        };
        let (code, late, again) = (&order.words["code"], &order.words["late"], order.possible_duplicate);
        self.log(format!("send {} {:?} {:?} code={code} late={late} again={again}", order.id, order.purpose, order.address));
        let at = self.true_time();
        self.state().sent.push(Sent { at, id: order.id.clone(), life, alarm, known });
    }
}

/// The machine's clocks as one process sees them.
pub(crate) struct WorldClock {
    pub(crate) world: Arc<World>,
    pub(crate) started: Instant,
}

impl Clock for WorldClock {
    /// A station that never rests would stop the world's time: it is stopped instead.
    fn monotonic(&self) -> Duration {
        let now = self.started.elapsed();
        let mut state = self.world.state();
        state.readings = if state.last_reading == now { state.readings + 1 } else { 0 };
        state.last_reading = now;
        let readings = state.readings;
        drop(state);
        assert!(readings < READINGS_MAX, "L the station spins at {now:?}");
        now
    }

    fn wall(&self) -> Timestamp {
        let step = self.world.state().step_us;
        self.world.true_time() + SignedDuration::from_micros(step)
    }
}
