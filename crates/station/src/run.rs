//! The loop: drain what is ready, turn, append, and only then release.
//!
//! One task. It owns the floor, and nothing is read from the floor between a turn and the word that the turn is
//! durable. Whatever waits in front of it waits in bounded queues (`desk`).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use escalation::activation::Activation;
use escalation::dispatch::{Order, Report};
use escalation::id::{ActivationId, DispatchId};
use escalation::input::{Input, Started};
use escalation::rejection::Rejection;
use escalation::time::{Timestamp, millis_between};
use escalation::trouble::Cause;
use escalation::verdict::{NotTaken, Outcome, Verdict};
use ledger::{AppendError, Batch, Ledger, Subtrees};
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::JoinHandle;

use crate::clock::{Clock, Timekeeper, later};
use crate::consoles::{self, Consoles, SeatRequest};
use crate::desk::{Counter, Health, Knock, Look};
use crate::entropy::Entropy;
use crate::erasing::{self, Overdue};
use crate::erasures::Erasures;
use crate::failpoint;
use crate::floor::{Feedback, Floor, LinkBase, Ticket, Turn};
use crate::journal::Journal;
use crate::look;
use crate::lost::Lost;
use crate::onlookers::{Onlookers, WINDOWS_MAX};
use crate::replay::{self, ReplayError, Replayed};
use crate::salvage;
use crate::secret::Secret;
use crate::spool::Spool;

/// How long an append may take before the engine goes on with the spool (house: 250 ms).
const APPEND_PATIENCE: Duration = Duration::from_millis(250);
/// A sleep is never longer, so that a step of any clock is seen within it (mechanisms, "Time").
const SLEEP_MAX: Duration = Duration::from_secs(1);
/// How many inputs one turn takes: one transaction's worth.
const DRAIN_MAX: usize = 512;
/// How many activations' deadlines one turn handles; the rest follow in the next one.
const TICKS_MAX: usize = 256;
/// How many troubles one turn tells people of, when no call is due; the rest follow in the next one, which begins at once.
const TELLINGS_MAX: usize = 8;
/// How long between two looks for drills that are due.
const DRILLS_EVERY: Duration = Duration::from_secs(1);
/// How many windows of readers one turn writes down, when there is nothing else to write: a press waits for no more of them than that.
const VIEWS_MAX: usize = 16;
/// How long nothing was written before readers are, while somebody may be in danger.
const CALM: Duration = Duration::from_secs(1);
/// How long what is due of readers waits for that at the longest, in microseconds.
const CALM_AWAITED_US: i64 = 60_000_000;
/// How long between two tries to reach a lost record.
const RETRY_EVERY: Duration = Duration::from_millis(500);

/// How long news that calls for nothing (a provider took a message, a phone has it) waits for company. At a steady pace it
/// then shares a commit with the next press, instead of being one that a press must wait for; a press never waits itself.
const COMPANY_MAX: Duration = Duration::from_millis(10);

/// How long one try to reach a lost record may take.
const ATTEMPT_MAX: Duration = Duration::from_secs(10);
/// The ticket of an input whose verdict nobody waits for.
const NOBODY: Ticket = Ticket(u64::MAX);

/// How a message leaves: `Err` gives it back when the voice's queue is full, and it is offered again.
pub type Send = Box<dyn FnMut(Order) -> Result<(), Box<Order>> + std::marker::Send>;
/// How a device is told. What cannot be told now is told at its next press.
pub type Tell = Box<dyn FnMut(Feedback) + std::marker::Send>;

/// What a station is made of.
pub struct Parts<L, C> {
    /// The record.
    pub ledger: Arc<L>,
    /// The clocks.
    pub clock: C,
    /// Salts and nonces.
    pub entropy: Entropy,
    /// The station's key.
    pub secret: Secret,
    /// Where links point.
    pub links: LinkBase,
    /// Where the spool is.
    pub data_dir: PathBuf,
    /// The node's name.
    pub node: String,
    /// The program's version.
    pub version: String,
    /// How messages leave.
    pub send: Send,
    /// How devices are told.
    pub tell: Tell,
    /// The watch's ends of the desk.
    pub counter: Counter,
    /// Whether anything is open: what asks providers more often.
    pub busy: watch::Sender<bool>,
}

/// Why the station ended.
#[derive(Debug, thiserror::Error)]
pub enum StationError {
    /// The state could not be rebuilt.
    #[error(transparent)]
    Replay(#[from] ReplayError),
    /// Another writer has taken the record over: only a fresh start may go on.
    #[error("another writer has taken over the record; this one releases nothing more and stops")]
    Fenced(#[source] AppendError),
}

/// The watch, ready to run.
pub struct Station<L, C> {
    ledger: Arc<L>,
    clock: C,
    keeper: Timekeeper,
    floor: Floor,
    /// Over what was replayed, until the notary has it.
    tree: Subtrees,
    spool: Spool,
    erasures: Erasures,
    /// What the list of erasures asks of this start.
    overdue: Overdue,
    send: Send,
    tell: Tell,
    counter: Counter,
    busy: watch::Sender<bool>,
    node: String,
    version: String,
    tickets: BTreeMap<Ticket, oneshot::Sender<Verdict>>,
    next_ticket: u64,
    backlog: BTreeSet<(Reverse<Timestamp>, DispatchId)>,
    /// Messages that may have left before this start.
    maybe_sent: BTreeSet<DispatchId>,
    /// Those of them that left again, until the voice says what became of the second.
    sent_again: BTreeSet<DispatchId>,
    lost: Option<Lost>,
    onlookers: Arc<Onlookers>,
    /// Who is at which desk.
    consoles: Consoles,
    /// When something was last to be written that is no reader, by the monotonic clock.
    worked_at: Duration,
    /// The watch is going: what is known of readers is written whether it is due or not.
    is_leaving: bool,
    /// Presses of spools that were put aside, by file.
    salvaged: Vec<(PathBuf, Vec<Input>)>,
    /// References that people were told of by those spools.
    given: Vec<ActivationId>,
    /// Events that could not be written as they were, and how many of them a trouble tells of.
    mended: Arc<AtomicU64>,
    mended_told: u64,
    wake: Arc<Notify>,
    lag_ms: u64,
    /// When drills are looked for next.
    drills_at: Duration,
}

/// How a turn became durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kept {
    InTheRecord,
    InTheSpool,
    Nowhere,
}

impl<L: Ledger, C: Clock> Station<L, C> {
    /// Gives the record what was spooled, rebuilds the state, and records the start. Nothing has been sent yet.
    ///
    /// # Errors
    /// When the record cannot be read or written: without it there is no state to go on with.
    pub async fn open(parts: Parts<L, C>) -> Result<Self, StationError> {
        let Parts { ledger, clock, entropy, secret, links, data_dir, node, version, send, tell, counter, busy } = parts;
        let mut spool = Spool::in_dir(&data_dir);
        let spooled = replay::drain_spool(&*ledger, &mut spool).await?;
        let journal = Journal::new(entropy);
        let mended = journal.mended();
        let erasures = Erasures::in_dir(&data_dir, secret.clone());
        let mut floor = Floor::new(journal, secret, links);
        let replayed = replay::replay(&*ledger, &mut floor).await?;
        let overdue = erasing::overdue(&*ledger, &erasures, &mut floor, &replayed).await.map_err(ReplayError::from)?;
        let Replayed { size, tree, .. } = replayed;
        let (mut salvaged, mut given) = (Vec::new(), Vec::new());
        for (path, batches) in spool.unheard() {
            let presses = salvage::presses(&*ledger, &batches).await.map_err(ReplayError::from)?;
            tracing::error!(spool.kept = %path.display(), presses = presses.len(), "presses of a spool that was put aside are heard now");
            salvaged.push((path, presses));
            given.extend(salvage::references(&batches));
        }
        let keeper = Timekeeper::start(clock.monotonic(), clock.wall(), floor.last_entry_at());
        tracing::info!(
            record.size = size,
            spool.batches = spooled,
            activations.open = floor.engine.open_count(),
            "state rebuilt from the record"
        );
        let maybe_sent = floor.owed();
        let wake: Arc<Notify> = Arc::default();
        Ok(Self {
            ledger,
            clock,
            keeper,
            backlog: maybe_sent.iter().map(|id| (newness(&floor, id), id.clone())).collect(),
            maybe_sent,
            sent_again: BTreeSet::new(),
            floor,
            tree,
            spool,
            erasures,
            overdue,
            send,
            tell,
            counter,
            busy,
            node,
            version,
            tickets: BTreeMap::new(),
            next_ticket: 0,
            lost: None,
            onlookers: Arc::new(Onlookers::new(Arc::clone(&wake))),
            consoles: Consoles::default(),
            worked_at: Duration::ZERO,
            is_leaving: false,
            salvaged,
            given,
            mended,
            mended_told: 0,
            wake,
            lag_ms: 0,
            drills_at: Duration::ZERO,
        })
    }

    /// The tree over what was replayed, for the notary: so that nobody reads the record a second time before things can be proven.
    pub fn take_tree(&mut self) -> Subtrees {
        std::mem::take(&mut self.tree)
    }

    /// The rebuilt state, before the first turn.
    pub fn floor(&self) -> &Floor {
        &self.floor
    }

    /// Runs until `stop` or until another writer has taken over.
    ///
    /// # Errors
    /// [`StationError::Fenced`]: state may only be rebuilt by a fresh process.
    pub async fn run(self, stop: watch::Receiver<bool>) -> Result<(), StationError> {
        self.keep_watch(stop).await.map(drop)
    }

    /// The same, and gives the state back as it was at the end: what a proof compares with a replay (I6).
    ///
    /// # Errors
    /// As [`Self::run`].
    pub async fn keep_watch(mut self, mut stop: watch::Receiver<bool>) -> Result<Floor, StationError> {
        let started = Started {
            node: self.node.clone(),
            version: self.version.clone(),
            zones: escalation::directory::draft::zones_version().to_owned(),
            key: Some(self.floor.secret().id()),
            last_entry_at: self.floor.last_entry_at(),
            given: std::mem::take(&mut self.given),
        };
        self.floor.forget_receipts();
        self.consoles = Consoles::after_start(self.clock.monotonic(), &self.floor.engine);
        let kept =
            if self.spool.has_kept() { Input::TroubleNoticed(Cause::SpoolPutAside) } else { Input::TroubleCleared(Cause::SpoolPutAside) };
        // A process that ended while the record was away has not said that it is back.
        // What was erased is forgotten in the first turn, before anything is sent.
        let Overdue { repeats, failing } = std::mem::take(&mut self.overdue);
        let values = repeats.iter().flat_map(|repeat| erasing::to_ledger(&repeat.values)).collect();
        let first = [Input::Started(started), Input::RecordFound, kept];
        let first = first.into_iter().chain(repeats.into_iter().map(Input::ErasureRepeated));
        self.spin(first.map(|input| (NOBODY, input)).collect()).await?;
        self.erase_again(values, failing).await?;
        self.hear_salvaged().await?;
        for feedback in self.floor.standing_feedback() {
            (self.tell)(feedback);
        }
        let mut knocks = Vec::with_capacity(DRAIN_MAX);
        let mut company_until = None;
        loop {
            let mut looks = Vec::new();
            let patience = company_until.map_or(SLEEP_MAX, |until: Duration| until.saturating_sub(self.clock.monotonic()));
            let pause = self.until_next().min(patience);
            tokio::select! {
                biased;
                _ = stop.wait_for(|stop| *stop) => break,
                taken = self.counter.inputs.recv_many(&mut knocks, DRAIN_MAX) => if taken == 0 { break },
                look = self.counter.looks.recv() => looks.extend(look),
                () = self.wake.notified() => {}
                () = tokio::time::sleep(pause) => {}
            }
            while let Ok(look) = self.counter.looks.try_recv() {
                looks.push(look);
            }
            if looks.is_empty() && self.waits_for_company(&knocks, &mut company_until) {
                continue;
            }
            company_until = None;
            let mut inputs = Vec::with_capacity(knocks.len());
            for Knock { mut input, reply } in knocks.drain(..) {
                self.doubt(&mut input);
                self.admit(input, reply, &mut inputs);
            }
            for look in looks {
                self.answer(look, &mut inputs);
            }
            self.spin(inputs).await?;
            self.hear_salvaged().await?;
        }
        self.write_last_views().await?;
        self.counter.inputs.close();
        while let Ok(knock) = self.counter.inputs.try_recv() {
            knocks.push(knock);
        }
        for knock in knocks {
            refuse(knock.reply, NotTaken::Stopping);
        }
        tracing::info!(record.size = self.floor.next().index(), "the watch has stopped");
        Ok(self.floor)
    }

    /// Deletes what an older copy of the record has of what was erased, now that it says so again, before anybody is served. That it
    /// cannot be deleted keeps no press from being heard.
    async fn erase_again(&mut self, values: Vec<ledger::Digest>, mut failing: bool) -> Result<(), StationError> {
        let nothing = values.is_empty();
        let deleted = match self.lost {
            Some(_) | None if nothing => Ok(()),
            // Its entries are in the spool: the next start finds them in the record, and deletes.
            Some(_) => Err("the record cannot be reached".to_owned()),
            None => match tokio::time::timeout(ATTEMPT_MAX, self.ledger.erase(&values)).await {
                Ok(erased) => erased.map(drop).map_err(|error| error.to_string()),
                Err(elapsed) => Err(elapsed.to_string()),
            },
        };
        if let Err(error) = deleted {
            tracing::error!(error = %error, "what an older copy of the record has of what was erased may still be there; the next start deletes it");
            failing = true;
        }
        let said = if failing { Input::TroubleNoticed } else { Input::TroubleCleared };
        self.spin(vec![(NOBODY, said(Cause::ErasureFailing))]).await
    }

    /// Hears the presses of spools that were put aside, once there is a directory that says whom they concern.
    async fn hear_salvaged(&mut self) -> Result<(), StationError> {
        if self.floor.engine.directory_version() == 0 {
            return Ok(());
        }
        for (path, presses) in std::mem::take(&mut self.salvaged) {
            for some in presses.chunks(DRAIN_MAX) {
                self.spin(some.iter().map(|press| (NOBODY, press.clone())).collect()).await?;
            }
            // Where nothing could be written they are heard again at the next start.
            let durable = self.lost.as_mut().is_none_or(|lost| lost.spool(&mut self.spool));
            if durable && let Err(error) = self.spool.heard(&path) {
                tracing::error!(error = %error, "the presses of a spool that was put aside were heard, and will be again at the next start");
            }
        }
        Ok(())
    }

    /// Whether all that is in hand may wait, and nothing else is to be done yet.
    fn waits_for_company(&self, knocks: &[Knock], until: &mut Option<Duration>) -> bool {
        if knocks.is_empty() || knocks.len() >= DRAIN_MAX || !knocks.iter().all(can_wait) || self.until_next().is_zero() {
            return false;
        }
        let now = self.clock.monotonic();
        now < *until.get_or_insert(now + COMPANY_MAX)
    }

    /// A receipt may be of the message that left before a crash while the voice repeats it: that there may be two must be in
    /// the record with whatever is recorded first, since another crash may come before the voice's own word.
    fn doubt(&mut self, input: &mut Input) {
        let Input::DeliveryReported(said) = input else { return };
        match said.report {
            Report::Delivered | Report::Undelivered { .. } => said.possible_duplicate |= self.sent_again.contains(&said.dispatch),
            Report::AcceptedReceiptDue | Report::Accepted | Report::Failed(_) => {
                self.sent_again.remove(&said.dispatch);
            }
        }
    }

    /// Gives an input its place in the turn. An answer or an act that nobody can write down is turned away instead: its sender
    /// would be told that nothing was taken while a ladder stood still for it. A press is never turned away.
    fn admit(&mut self, input: Input, reply: oneshot::Sender<Verdict>, inputs: &mut Vec<(Ticket, Input)>) {
        let is_word = matches!(input, Input::Answer(_) | Input::Command(_) | Input::StandInWanted(_) | Input::StandInOver(_));
        if is_word && self.lost.as_ref().is_some_and(Lost::is_unwritten) {
            return refuse(reply, NotTaken::Unrecorded);
        }
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.tickets.insert(ticket, reply);
        inputs.push((ticket, input));
    }

    /// One turn, made durable and released: our own news first, then presses and answers, deadlines, receipts, the rest.
    async fn spin(&mut self, mut inputs: Vec<(Ticket, Input)>) -> Result<(), StationError> {
        let (now, stepped) = self.read_clock();
        let news = self.retry_lost().await?;
        let mono_us = u64::try_from(self.clock.monotonic().as_micros()).unwrap_or(u64::MAX);
        let own = stepped.into_iter().chain(news).chain(self.fault()).map(|input| (NOBODY, input)).collect();
        let mut turn = self.floor.turn(now, mono_us, own);
        let of_desks = self.consoles.look(self.clock.monotonic(), now, &self.floor.engine);
        inputs.extend(of_desks.into_iter().map(|input| (NOBODY, input)));
        inputs.sort_by_key(|(_, input)| input.rank());
        let after_presses = inputs.partition_point(|(_, input)| input.rank() == 0);
        let rest = inputs.split_off(after_presses);
        self.floor.take_into(now, mono_us, inputs, &mut turn);
        self.tick(now, mono_us, &mut turn);
        self.floor.take_into(now, mono_us, rest, &mut turn);
        self.look_for_drills(now, mono_us, &mut turn);
        self.take_views(now, mono_us, &mut turn);
        self.make_durable(turn, now).await?;
        self.post_health();
        Ok(())
    }

    fn read_clock(&mut self) -> (Timestamp, Option<Input>) {
        let idle = self.floor.engine.open_count() == 0;
        let reading = self.keeper.read(self.clock.monotonic(), self.clock.wall(), idle);
        self.floor.set_wall_ahead(reading.wall_ahead_us);
        let stepped = reading.stepped_us.map(|by_us| {
            tracing::warn!(clock.step_ms = by_us / 1_000, "the wall clock was stepped; no deadline moves");
            Input::ClockStepped { by_us }
        });
        (reading.now, stepped)
    }

    /// That an event had to be mended before it could be written, where that is new.
    fn fault(&mut self) -> Option<Input> {
        let mended = self.mended.load(Ordering::Relaxed);
        let is_new = mended > std::mem::replace(&mut self.mended_told, mended);
        is_new.then_some(Input::TroubleNoticed(Cause::Fault { activation: None }))
    }

    fn tick(&mut self, now: Timestamp, mono_us: u64, turn: &mut Turn) {
        for _ in 0..TICKS_MAX {
            match self.floor.engine.next_deadline_of_calls() {
                Some(deadline) if deadline.at <= now => {
                    self.lag_ms = millis_between(deadline.at, now);
                    self.floor.take_into(now, mono_us, vec![(NOBODY, Input::Tick)], turn);
                }
                // How late a trouble is told says nothing about ladders, and whoever presses meanwhile waits for few of them.
                Some(_) | None => return self.tell_of_troubles(now, mono_us, turn),
            }
        }
    }

    /// Who read is written when there is nothing else to write and nobody to be answered, so that it shares no commit with an alarm; and
    /// never to the spool: it waits in memory for the record.
    fn take_views(&mut self, now: Timestamp, mono_us: u64, turn: &mut Turn) {
        if !turn.batch.is_empty() {
            self.worked_at = self.clock.monotonic();
        }
        if self.lost.is_some() || !turn.batch.is_empty() || !turn.verdicts.is_empty() {
            return;
        }
        let (due_by, most) = if self.is_leaving { (Timestamp::MAX, DRAIN_MAX) } else { (later(now, -self.views_wait_us()), VIEWS_MAX) };
        let views = self.onlookers.take(now, due_by, most).into_iter();
        self.floor.take_into(now, mono_us, views.map(|view| (NOBODY, Input::Viewed(Box::new(view)))).collect(), turn);
    }

    /// How long beyond its time what is due of readers waits: while a call is on that is no drill, for a calm moment.
    fn views_wait_us(&self) -> i64 {
        let is_calm = self.clock.monotonic().saturating_sub(self.worked_at) >= CALM;
        if is_calm || self.real_open() == 0 { 0 } else { CALM_AWAITED_US }
    }

    /// How many calls are on that are no drills.
    fn real_open(&self) -> usize {
        self.floor.engine.open_count().saturating_sub(self.floor.engine.drills().count())
    }

    /// What is known of readers when the watch ends in order.
    async fn write_last_views(&mut self) -> Result<(), StationError> {
        self.is_leaving = true;
        for _ in 0..=WINDOWS_MAX.div_ceil(DRAIN_MAX) {
            if self.lost.is_some() || self.onlookers.next_due().is_none() {
                break;
            }
            self.spin(Vec::new()).await?;
        }
        Ok(())
    }

    fn tell_of_troubles(&mut self, now: Timestamp, mono_us: u64, turn: &mut Turn) {
        for _ in 0..TELLINGS_MAX {
            match self.floor.engine.next_deadline() {
                Some(deadline) if deadline.at <= now => self.floor.take_into(now, mono_us, vec![(NOBODY, Input::Tick)], turn),
                Some(_) | None => return,
            }
        }
    }

    /// Last of all in a turn, whatever else is in it: a drill begins behind everything that is real. What waits is not looked at in
    /// every turn of a busy hour.
    fn look_for_drills(&mut self, now: Timestamp, mono_us: u64, turn: &mut Turn) {
        let looked = self.clock.monotonic();
        if looked >= self.drills_at && self.floor.engine.next_drill_at().is_some_and(|at| at <= now) {
            self.drills_at = looked + DRILLS_EVERY;
            let look = Input::DrillsDue { clock_is_off: self.floor.is_clock_off() };
            self.floor.take_into(now, mono_us, vec![(NOBODY, look)], turn);
        }
    }

    async fn make_durable(&mut self, mut turn: Turn, now: Timestamp) -> Result<(), StationError> {
        if self.lost.is_none() && turn.batch.is_empty() {
            self.release(turn, now, Kept::InTheRecord);
            return Ok(());
        }
        let batch = Arc::new(std::mem::replace(&mut turn.batch, Batch::new(self.floor.next())));
        if self.lost.is_some() {
            self.put_aside(turn, batch, now);
            return Ok(());
        }
        failpoint::reached(failpoint::BEFORE_APPEND);
        let mut appending = Box::pin(append(Arc::clone(&self.ledger), Arc::clone(&batch)));
        match tokio::time::timeout(APPEND_PATIENCE, &mut appending).await {
            Ok(None) => {
                self.floor.totals.appends += 1;
                failpoint::reached(failpoint::AFTER_APPEND_BEFORE_RELEASE);
                self.release(turn, now, Kept::InTheRecord);
                failpoint::reached(failpoint::AFTER_RELEASE);
                Ok(())
            }
            Ok(Some(fenced @ AppendError::Fenced { .. })) => Err(StationError::Fenced(fenced)),
            Ok(Some(unknown @ AppendError::Unknown { .. })) => {
                tracing::error!(error = %unknown, "the record does not answer; entries go to the spool");
                self.lose_record(turn, batch, now, None);
                Ok(())
            }
            Err(_elapsed) => {
                tracing::error!(patience_ms = 250, "the record did not answer in time; entries go to the spool");
                // It goes on and is the first try: a second one beside it would only stand in its way.
                let attempt = waking(appending, Arc::clone(&self.wake));
                self.lose_record(turn, batch, now, Some(attempt));
                Ok(())
            }
        }
    }

    fn lose_record(&mut self, turn: Turn, batch: Arc<Batch>, now: Timestamp, attempt: Option<JoinHandle<Option<AppendError>>>) {
        self.lost = Some(Lost::new(attempt, self.clock.monotonic() + RETRY_EVERY));
        self.put_aside(turn, batch, now);
    }

    /// An alarm outranks its paperwork: the turn is spooled and goes on; its PUBACKs wait for the record. A turn that
    /// wrote nothing leans on those before it and waits with the last of them.
    fn put_aside(&mut self, mut turn: Turn, batch: Arc<Batch>, now: Timestamp) {
        let feedback = std::mem::take(&mut turn.feedback);
        let mut kept = Kept::InTheRecord;
        if let Some(lost) = &mut self.lost {
            let withheld = lost.withhold(&mut turn.verdicts);
            lost.put(batch, withheld, feedback);
            kept = if lost.spool(&mut self.spool) { Kept::InTheSpool } else { Kept::Nowhere };
        }
        self.release(turn, now, kept);
    }

    /// Tries the oldest pending batch again with the same bytes, until its outcome is known. A task of its own waits
    /// for the record, so that no alarm does. Gives the news that the engine should hear.
    async fn retry_lost(&mut self) -> Result<Option<Input>, StationError> {
        let Some(lost) = &mut self.lost else { return Ok(None) };
        loop {
            if let Some(attempt) = lost.attempt.take() {
                if !attempt.is_finished() {
                    lost.attempt = Some(attempt);
                    break;
                }
                match attempt.await {
                    Ok(None) => {
                        self.floor.totals.appends += 1;
                        let Some(done) = lost.done() else { break };
                        done.withheld.into_iter().for_each(|(ticket, verdict)| reply(&mut self.tickets, ticket, verdict));
                        done.feedback.into_iter().for_each(|feedback| (self.tell)(feedback));
                    }
                    Ok(Some(fenced @ AppendError::Fenced { .. })) => return Err(StationError::Fenced(fenced)),
                    Ok(Some(AppendError::Unknown { .. })) | Err(_) => lost.next_try = self.clock.monotonic() + RETRY_EVERY,
                }
            }
            if self.clock.monotonic() < lost.next_try && lost.count() > 0 {
                break;
            }
            match lost.next(&self.spool) {
                Ok(Some(batch)) => {
                    lost.attempt = Some(waking(append(Arc::clone(&self.ledger), batch), Arc::clone(&self.wake)));
                }
                Ok(None) => return Ok(Some(self.find_record())),
                Err(error) => {
                    tracing::error!(error = %error, "what waits in the spool cannot be given to the record");
                    lost.next_try = self.clock.monotonic() + RETRY_EVERY;
                }
            }
        }
        Ok(lost.news(self.floor.engine.is_record_lost(), || self.spool.has_kept()))
    }

    fn find_record(&mut self) -> Input {
        self.lost = None;
        if let Err(error) = self.spool.clear() {
            tracing::error!(error = %error, "the record has everything, but the spool could not be removed");
        }
        tracing::info!("the record has everything that was spooled");
        Input::RecordFound
    }

    /// What depends on the turn may leave now.
    fn release(&mut self, turn: Turn, now: Timestamp, kept: Kept) {
        for (ticket, verdict, _) in turn.verdicts {
            let verdict = match (kept, verdict) {
                (Kept::Nowhere, Verdict::Durable(_)) => Verdict::NotTaken(NotTaken::Unrecorded),
                (Kept::InTheRecord | Kept::InTheSpool | Kept::Nowhere, verdict) => verdict,
            };
            reply(&mut self.tickets, ticket, verdict);
        }
        for id in turn.orders {
            self.backlog.insert((newness(&self.floor, &id), id));
        }
        self.send_owed(now, kept != Kept::Nowhere);
        for feedback in turn.feedback {
            // `received` means the record has it, and nothing less.
            if kept == Kept::InTheRecord {
                (self.tell)(feedback);
            }
        }
        for entry in turn.stream {
            // Nobody may be listening.
            drop(self.counter.stream.send(entry));
        }
    }

    /// Offers what is owed to the voice, the newest activation first: whatever waits, a fresh call never waits behind it.
    fn send_owed(&mut self, now: Timestamp, recorded: bool) {
        while let Some((newness, id)) = self.backlog.pop_first() {
            let possible_duplicate = self.maybe_sent.remove(&id);
            let Some(order) = self.floor.order(&id, now, possible_duplicate, recorded) else { continue };
            if let Err(order) = (self.send)(order) {
                if order.possible_duplicate {
                    self.maybe_sent.insert(order.id.clone());
                }
                self.backlog.insert((newness, order.id));
                return;
            }
            if possible_duplicate {
                self.sent_again.insert(id);
            }
        }
    }

    fn answer(&mut self, look: Look, inputs: &mut Vec<(Ticket, Input)>) {
        let adopting = inputs.iter().any(|(_, input)| matches!(input, Input::DirectoryOffered(_)));
        if adopting && let Look::Adopt(_, done) = look {
            // People are numbered from what is in force, so that a turn can adopt one directory only.
            let busy = "another one is being adopted; offer it again".to_owned();
            return drop(done.send(Verdict::Refused(Rejection::Directory(busy))));
        }
        if let Look::Words(words, done) = look {
            self.floor.take_words(words);
            if done.send(()).is_err() {
                tracing::debug!("safe words were taken up, and whoever brought them has gone");
            }
            return;
        }
        if let Look::Delete(deletion, done) = look {
            let (ledger, erasures) = (Arc::clone(&self.ledger), self.erasures.clone());
            tokio::spawn(async move { drop(done.send(erasing::delete(&*ledger, &erasures, deletion).await)) });
            return;
        }
        if let Look::Desks(scope, done) = look {
            return drop(done.send(self.consoles.view(&self.floor, &scope)));
        }
        if let Look::Seat(request, done) = look {
            return self.seat(request, done, inputs);
        }
        if let Some((input, reply)) = look::answer(&self.floor, &self.ledger, &self.onlookers, self.keeper_now(), look) {
            self.admit(input, reply, inputs);
        }
    }

    /// Somebody is at a desk, or leaves it. What is said again while it holds is written nowhere.
    fn seat(&mut self, request: SeatRequest, done: oneshot::Sender<Verdict>, inputs: &mut Vec<(Ticket, Input)>) {
        if let Err(why) = consoles::may(&self.floor, &request) {
            return drop(done.send(Verdict::Refused(why)));
        }
        // Whose claim could not be written down is nobody at a desk: while that lasts no word is renewed, and all lapse.
        if request.is_here() && self.lost.as_ref().is_some_and(Lost::is_unwritten) {
            return refuse(done, NotTaken::Unrecorded);
        }
        match self.consoles.hear(self.clock.monotonic(), &self.floor.engine, request) {
            Some(input) => self.admit(input, done, inputs),
            None => drop(done.send(Verdict::Durable(Outcome::default()))),
        }
    }

    fn keeper_now(&self) -> Timestamp {
        let mut keeper = self.keeper.clone();
        keeper.read(self.clock.monotonic(), self.clock.wall(), false).now
    }

    fn until_next(&self) -> Duration {
        let backlog = if self.backlog.is_empty() { SLEEP_MAX } else { Duration::from_millis(50) };
        // An attempt that is under way wakes us itself; waiting for its start would spin.
        let waiting = self.lost.as_ref().filter(|lost| lost.attempt.is_none());
        let retry = waiting.map_or(SLEEP_MAX, |lost| lost.next_try.saturating_sub(self.clock.monotonic()));
        let deadline = self
            .floor
            .engine
            .next_deadline()
            .map_or(SLEEP_MAX, |deadline| Duration::from_millis(millis_between(self.keeper_now(), deadline.at).saturating_add(1)));
        let due = self.floor.engine.next_deadline().is_some_and(|deadline| deadline.at <= self.keeper_now());
        let viewed = self.onlookers.next_due().filter(|_| self.lost.is_none());
        let viewed = viewed.map_or(SLEEP_MAX, |at| {
            let (now, at) = (self.keeper_now(), later(at, self.views_wait_us()));
            if at <= now { Duration::ZERO } else { Duration::from_millis(millis_between(now, at).saturating_add(1)) }
        });
        let lapses = self.consoles.next_look(&self.floor.engine).saturating_sub(self.clock.monotonic());
        if due { Duration::ZERO } else { SLEEP_MAX.min(backlog).min(retry).min(deadline).min(viewed).min(lapses) }
    }

    fn post_health(&mut self) {
        let all_open = self.floor.engine.open_count();
        let drills = self.floor.engine.drills().count();
        let (drills_missed, drills_unanswered) = self.floor.engine.drills_missed_and_unanswered();
        let open = u64::try_from(self.real_open()).unwrap_or(u64::MAX);
        let health = Health {
            started: true,
            record_reachable: self.lost.is_none(),
            spooled: self.lost.as_ref().map_or(0, Lost::count),
            size: self.floor.next().index(),
            last_at: self.floor.last_entry_at().unwrap_or_default(),
            milestones: self.floor.milestones(),
            open,
            drills: u64::try_from(drills).unwrap_or(u64::MAX),
            owed: u64::try_from(self.floor.engine.owed_count()).unwrap_or(u64::MAX),
            lag_ms: self.lag_ms,
            directory: self.floor.engine.directory_version() > 0,
            troubles: u64::try_from(self.floor.engine.troubles().count()).unwrap_or(u64::MAX),
            gaps: u64::try_from(self.floor.engine.troubles().filter(|(cause, _)| matches!(cause, Cause::CoverageGap { .. })).count())
                .unwrap_or(u64::MAX),
            drills_missed,
            drills_unanswered,
            totals: self.floor.totals.clone(),
        };
        self.counter.health.send_if_modified(|posted| {
            let changed = *posted != health;
            *posted = health;
            changed
        });
        self.busy.send_if_modified(|busy| std::mem::replace(busy, all_open > 0) != (all_open > 0));
    }
}

/// One try to append a batch, given up after ten seconds: a dead connection would otherwise be waited for for ever.
async fn append<L: Ledger>(ledger: Arc<L>, batch: Arc<Batch>) -> Option<AppendError> {
    match tokio::time::timeout(ATTEMPT_MAX, ledger.append(&batch)).await {
        Ok(outcome) => outcome.err(),
        Err(elapsed) => Some(AppendError::Unknown { first: batch.first(), source: Box::new(elapsed) }),
    }
}

/// A try that nobody waits for; its end wakes the watch.
fn waking(
    append: impl Future<Output = Option<AppendError>> + std::marker::Send + 'static,
    wake: Arc<Notify>,
) -> JoinHandle<Option<AppendError>> {
    tokio::spawn(async move {
        let outcome = append.await;
        wake.notify_one();
        outcome
    })
}

/// Of two messages the one of the newer activation goes first, and of one activation the earlier; drills go behind all.
fn newness(floor: &Floor, id: &DispatchId) -> Reverse<Timestamp> {
    Reverse(floor.engine.activation(&id.activation).map_or(Timestamp::UNIX_EPOCH, Activation::recency))
}

fn reply(tickets: &mut BTreeMap<Ticket, oneshot::Sender<Verdict>>, ticket: Ticket, verdict: Verdict) {
    if let Some(waiting) = tickets.remove(&ticket) {
        // Whoever asked may have gone; what was recorded stays.
        drop(waiting.send(verdict));
    }
}

/// Whether this may wait a moment: a commit of its own would gain nobody anything.
fn can_wait(knock: &Knock) -> bool {
    match &knock.input {
        Input::DeliveryReported(said) => match said.report {
            Report::AcceptedReceiptDue | Report::Accepted | Report::Delivered => true,
            Report::Undelivered { .. } | Report::Failed(_) => false,
        },
        Input::Signal(_)
        | Input::Raised { .. }
        | Input::Answer(_)
        | Input::Command(_)
        | Input::TestWanted(_)
        | Input::TestOver(_)
        | Input::OutOfServiceWanted(_)
        | Input::InServiceWanted(_)
        | Input::StandInWanted(_)
        | Input::StandInOver(_)
        | Input::DeskArmed(_)
        | Input::DeskUnarmed(_)
        | Input::DrillWanted(_)
        | Input::Tick
        | Input::DrillsDue { .. }
        | Input::DirectoryOffered(_)
        | Input::TroubleNoticed(_)
        | Input::TroubleCleared(_)
        | Input::Started(_)
        | Input::ClockStepped { .. }
        | Input::RecordLost { .. }
        | Input::RecordFound
        | Input::TickOwed { .. }
        | Input::SignedBy(_)
        | Input::CheckpointAnchored(_)
        | Input::BundleExported(_)
        | Input::RegisterExported(_)
        | Input::CoverageForeseen(_)
        | Input::ErasureAsked(_)
        | Input::ErasureRepeated(_)
        | Input::LegalHoldAsked(_)
        | Input::Viewed(_) => false,
    }
}

fn refuse(reply: oneshot::Sender<Verdict>, why: NotTaken) {
    drop(reply.send(Verdict::NotTaken(why)));
}
