//! The floor: everything the watch holds in memory, and the one turn that changes it.
//!
//! A turn decides, seals and applies each input in order, and says what follows once it is durable. It reads no clock,
//! waits for nothing and sends nothing: that is `run`'s part.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use escalation::acknowledgement::Sender;
use escalation::activation::{Activation, Stage};
use escalation::directory::draft::SafeWords;
use escalation::dispatch::{Order, Recipient, Report};
use escalation::engine::Engine;
use escalation::event::{Erasable, Event};
use escalation::id::{ActivationId, CarrierName, ContactKey, CustomerId, DeviceId, DispatchId, LadderId, PersonId, PersonVersion};
use escalation::input::{Act, Command, Input, OutOfServiceWanted, TestWanted};
use escalation::ladder::Ladder;
use escalation::private::Private;
use escalation::rejection::Rejection;
use escalation::signal::{DeviceClock, Verb};
use escalation::time::Timestamp;
use escalation::verdict::{NotTaken, Outcome, Verdict};
use escalation::word::Entered;
use ledger::{Batch, Listing, Seq};

use crate::actor;
use crate::adopt;
use crate::clock::later;
use crate::desk::{Totals, failure_name};
use crate::duty;
use crate::journal::{Common, Journal, JournalError};
use crate::milestones::Milestones;
use crate::secret::Secret;
use crate::vault::Vault;
use crate::view::StreamEntry;

/// Everything in memory.
#[derive(Debug)]
pub struct Floor {
    /// The rules' state.
    pub engine: Engine,
    /// Names and numbers.
    pub vault: Arc<Vault>,
    /// Counters since start.
    pub totals: Totals,
    journal: Journal,
    secret: Secret,
    next: Seq,
    last_at: Timestamp,
    milestones: Milestones,
    trails: BTreeMap<ActivationId, Trail>,
    links: BTreeMap<Token, Link>,
    receipts: BTreeMap<DispatchId, (CarrierName, String)>,
    link_base: LinkBase,
    wall_ahead_us: i64,
    words: SafeWords,
}

/// Beyond this no drill of a schedule begins, in microseconds (ours): people know the hour by the world's clock.
const DRILLED_WITHIN_US: u64 = 60_000_000;
/// Below this the two clocks are taken to agree, in microseconds: what others stamp has whole seconds.
const WALL_TRUSTED_US: u64 = 1_000_000;

/// A link's token, without the room a text would take: there are as many as people told.
type Token = [u8; 11];

/// What is kept of an activation beside the rules' own state.
#[derive(Debug, Default)]
struct Trail {
    /// The entry that last changed it.
    last_seq: u64,
    /// Who was given a link, and where. Few, so that a list does.
    holders: Vec<(ContactKey, PersonId)>,
}

/// Whose a link is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// For which activation.
    pub activation: ActivationId,
    /// To which address it went.
    pub contact: ContactKey,
    /// For whom.
    pub person: PersonId,
}

/// Where links point: the public URL, if there is one, and the host that is short enough for a text message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkBase {
    /// `https://alerts.example.org`, without a closing slash.
    pub public_url: Option<String>,
    /// `alerts.example.org`, for text messages; taken from the public URL where it is not set.
    pub link_host: Option<String>,
    /// When a text message carries the link.
    pub in_texts: LinksInTexts,
}

/// When a text message carries a link. A mail always does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LinksInTexts {
    /// Wherever it fits.
    Always,
    /// Only after an answer: carriers block texts with links, and the first one must arrive.
    #[default]
    AfterAnswer,
    /// Never.
    Never,
}

/// Names an input until its verdict is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// What a turn wrote and what follows from it once that is durable.
#[derive(Debug)]
pub struct Turn {
    /// What to append; empty where nothing changed.
    pub batch: Batch,
    /// Verdicts, in order of the inputs.
    pub verdicts: Vec<(Ticket, Verdict, Holds)>,
    /// Messages that are owed from here on.
    pub orders: Vec<DispatchId>,
    /// What devices are told.
    pub feedback: Vec<Feedback>,
    /// The same entries, for the stream.
    pub stream: Vec<Arc<StreamEntry>>,
}

/// What a verdict has to wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// The record itself: a PUBACK means nothing less (I1).
    Record,
    /// The record, or the spool beside it.
    Spool,
}

/// What a device is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feedback {
    /// Which device.
    pub device: DeviceId,
    /// The id of its press, if it gave one.
    pub id: Option<String>,
    /// The activation.
    pub activation: ActivationId,
    /// What became of it.
    pub state: FeedbackState,
}

/// Three states, and no more than three.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FeedbackState {
    /// Durable here.
    Received,
    /// A human has committed.
    Responding,
    /// Over.
    Closed,
}

impl Floor {
    /// An empty floor that appends from the start of a record.
    pub fn new(journal: Journal, secret: Secret, link_base: LinkBase) -> Self {
        Self {
            engine: Engine::default(),
            vault: Arc::default(),
            totals: Totals::default(),
            journal,
            secret,
            next: Seq::FIRST,
            last_at: Timestamp::UNIX_EPOCH,
            milestones: Milestones::default(),
            trails: BTreeMap::new(),
            links: BTreeMap::new(),
            receipts: BTreeMap::new(),
            link_base,
            wall_ahead_us: 0,
            words: SafeWords::default(),
        }
    }

    /// The place of the next entry.
    pub fn next(&self) -> Seq {
        self.next
    }

    /// When the last entry was written; `None` on an empty record.
    pub fn last_entry_at(&self) -> Option<Timestamp> {
        (self.next != Seq::FIRST).then_some(self.last_at)
    }

    /// How far the record has come with what anchors wait for.
    pub fn milestones(&self) -> Milestones {
        self.milestones
    }

    /// The station's key.
    pub fn secret(&self) -> &Secret {
        &self.secret
    }

    /// How far the world's clock is ahead of our time, in microseconds, as last read.
    pub(crate) fn set_wall_ahead(&mut self, us: i64) {
        self.wall_ahead_us = us;
    }

    /// Whether the world's clock differs so much from our time that people would not expect a drill at the hour at which we hold it.
    pub(crate) fn is_clock_off(&self) -> bool {
        self.wall_ahead_us.unsigned_abs() > DRILLED_WITHIN_US
    }

    /// Safe words, in place of those before.
    pub fn take_words(&mut self, words: SafeWords) {
        self.words = words;
    }

    /// Whose a link is, while its activation is in memory: open, or closed less than a day ago and not a thousand closings.
    pub fn link(&self, token: &str) -> Option<&Link> {
        self.links.get(&self::token(token)?)
    }

    /// The entry that last changed an activation.
    pub fn last_seq(&self, activation: &ActivationId) -> u64 {
        self.trails.get(activation).map_or(0, |trail| trail.last_seq)
    }

    /// Fills in what a carrier needs. With `recorded` false neither code nor link is given: nobody could honour them.
    pub fn order(&self, id: &DispatchId, now: Timestamp, possible_duplicate: bool, recorded: bool) -> Option<Order> {
        let dispatch = self.engine.owed(id)?;
        if let Some(notice) = self.engine.notice_called(&id.activation) {
            return Some(crate::notice::write(self, notice, dispatch, now, possible_duplicate, recorded));
        }
        let act = self.engine.activation(&id.activation)?;
        Some(crate::order::write(self, &self.link_base, act, dispatch, now, possible_duplicate, recorded))
    }

    /// One turn: every input in order, then whatever its deadlines ask for.
    pub fn turn(&mut self, now: Timestamp, mono_us: u64, inputs: Vec<(Ticket, Input)>) -> Turn {
        let mut turn =
            Turn { batch: Batch::new(self.next), verdicts: Vec::new(), orders: Vec::new(), feedback: Vec::new(), stream: Vec::new() };
        self.take_into(now, mono_us, inputs, &mut turn);
        turn
    }

    /// The same, continuing a turn.
    pub(crate) fn take_into(&mut self, now: Timestamp, mono_us: u64, inputs: Vec<(Ticket, Input)>, turn: &mut Turn) {
        for (ticket, input) in inputs {
            let holds = holds(&input);
            let verdict = self.take(now, mono_us, input, turn);
            turn.verdicts.push((ticket, verdict, holds));
        }
    }

    /// Takes up an entry that is already in the record. Returns what a device would have been told, which nobody is told twice.
    pub fn replay(&mut self, seq: Seq, at: Timestamp, event: &Event) {
        self.engine.apply(at, event);
        self.follow(seq, event);
        self.await_receipt(event);
        self.pass(seq, at);
    }

    /// Goes past an entry that is in the record, whatever it says.
    pub(crate) fn pass(&mut self, seq: Seq, at: Timestamp) {
        self.next = seq.next();
        self.last_at = at;
    }

    fn take(&mut self, now: Timestamp, mono_us: u64, mut input: Input, turn: &mut Turn) -> Verdict {
        self.totals.inputs += 1;
        self.resolve(&mut input);
        let decided = self.engine.decide(now, &input);
        // A repeat of what was done already decides nothing, and is answered as before whatever its caller has seen since.
        let repeated = decided.as_ref().is_ok_and(Vec::is_empty);
        if let Some(stale) = self.stale(&input).filter(|_| !repeated) {
            return Verdict::Refused(stale);
        }
        let events = match decided {
            Ok(events) => events,
            Err(rejection) => return Verdict::Refused(rejection),
        };
        let mut outcome = Outcome { activation: named(&input), ..Outcome::default() };
        if let Input::Command(command) = &input
            && repeated
        {
            outcome.co_responder = self.engine.is_co_responder(command);
        }
        let adoption = match input {
            Input::DirectoryOffered(adoption) => Some(adoption),
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
            | Input::DeliveryReported(_)
            | Input::Tick
            | Input::DrillsDue { .. }
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
            | Input::Viewed(_) => None,
        };
        let mut unwritten = false;
        for event in events {
            if let Err(error) = self.write(now, mono_us, event, turn, &mut outcome) {
                // A program fault: it is said loudly, whatever else the input did still holds, and nothing is confirmed.
                tracing::error!(error = %error, "an event could not be written");
                unwritten = true;
            }
        }
        if let Some(adoption) = adoption {
            adopt::keep(Arc::make_mut(&mut self.vault), &adoption, self.engine.directory_version());
        }
        outcome.seq = self.next.index().saturating_sub(1);
        if unwritten { Verdict::NotTaken(NotTaken::Unrecorded) } else { Verdict::Durable(outcome) }
    }

    fn write(&mut self, now: Timestamp, mono_us: u64, event: Event, turn: &mut Turn, outcome: &mut Outcome) -> Result<(), JournalError> {
        // Recorded time is strictly increasing, to the microsecond (I10).
        let at = later(now, 0).max(later(self.last_at, 1));
        let common = self.common(at, mono_us, &event);
        let sealed = self.journal.seal(event, &common)?;
        self.engine.apply(at, &sealed.event);
        let seq = turn.batch.push(sealed.body, sealed.disclosures);
        self.last_at = at;
        self.next = seq.next();
        self.follow(seq, &sealed.event);
        self.conclude(seq, &sealed.event, turn, outcome);
        Ok(())
    }

    fn common(&self, at: Timestamp, mono_us: u64, event: &Event) -> Common {
        let act = event.activation().and_then(|id| self.engine.activation(id));
        let notice = event.activation().and_then(|id| self.engine.notice_called(id));
        let aseq = match (event, act, notice) {
            (Event::Raised(_), _, _) | (Event::TroubleTold { .. }, None, None) => Some(0),
            (_, Some(act), _) => Some(act.entries),
            (_, None, notice) => notice.map(|notice| notice.entries),
        };
        // Whose a trouble is that people are told of, its entry says itself.
        let told = notice.filter(|_| !matches!(event, Event::TroubleTold { .. }));
        let customer = act.map(|act| &act.customer).or_else(|| told.and_then(|notice| self.engine.seen_by(&notice.matter)));
        Common { at, mono_us, customer: customer.cloned(), aseq }
    }

    /// Keeps the indexes that the rules do not need: live and at replay alike.
    fn follow(&mut self, seq: Seq, event: &Event) {
        self.milestones.pass(seq, event);
        if let Event::PersonVersioned { id, person, .. } = event {
            Arc::make_mut(&mut self.vault).keep_person_entry(PersonVersion { person: *id, version: person.version }, seq);
        }
        if let Event::DirectoryAdopted { version, .. } = event {
            Arc::make_mut(&mut self.vault).keep_directory_entry(*version, seq);
        }
        if let Event::Erased { from: Erasable::Person(person), .. } = event {
            Arc::make_mut(&mut self.vault).forget_person(*person);
        }
        let Some(id) = event.activation() else { return };
        if let Event::Archived { .. } = event {
            self.forget(id);
            return;
        }
        let trail = self.trails.entry(id.clone()).or_default();
        trail.last_seq = seq.index();
        if let Event::DispatchQueued { to: Recipient::Person { person, contact }, .. } = event {
            let holder = (*contact, person.person);
            if !trail.holders.contains(&holder) {
                trail.holders.reserve_exact(1);
                trail.holders.push(holder);
                let link = Link { activation: id.clone(), contact: holder.0, person: holder.1 };
                if let Some(token) = token(&self.secret.link(id, holder.0, holder.1)) {
                    self.links.entry(token).or_insert(link);
                }
            }
        }
    }

    /// Lets go of an activation that has left memory, without looking through those that have not.
    fn forget(&mut self, id: &ActivationId) {
        for (contact, person) in self.trails.remove(id).unwrap_or_default().holders {
            if let Some(token) = token(&self.secret.link(id, contact, person)) {
                self.links.remove(&token);
            }
        }
        let all = DispatchId { activation: id.clone(), number: 0 }..=DispatchId { activation: id.clone(), number: u32::MAX };
        let gone: Vec<_> = self.receipts.range(all).map(|(dispatch, _)| dispatch.clone()).collect();
        for dispatch in gone {
            self.receipts.remove(&dispatch);
        }
    }

    /// Providers owe receipts for these since before this start: they are asked for them. What is sent from now on the voice
    /// itself remembers.
    pub fn receipts_due(&self) -> impl Iterator<Item = (&DispatchId, &CarrierName, &str)> {
        self.receipts.iter().map(|(id, (provider, reference))| (id, provider, reference.as_str()))
    }

    /// The voice has been told which receipts are due from before.
    pub(crate) fn forget_receipts(&mut self) {
        self.receipts.clear();
    }

    fn await_receipt(&mut self, event: &Event) {
        let Event::DispatchReported { act, dispatch, report, provider, provider_ref, .. } = event else { return };
        let id = DispatchId { activation: act.clone(), number: *dispatch };
        match (report, provider, provider_ref) {
            (Report::AcceptedReceiptDue, Some(provider), Some(reference)) => {
                self.receipts.insert(id, (provider.clone(), reference.clone()));
            }
            (Report::Delivered | Report::Undelivered { .. } | Report::Failed(_), _, _) => {
                self.receipts.remove(&id);
            }
            (Report::AcceptedReceiptDue | Report::Accepted, _, _) => {}
        }
    }

    /// What follows from an event once it is durable.
    fn conclude(&mut self, seq: Seq, event: &Event, turn: &mut Turn, outcome: &mut Outcome) {
        self.count(event);
        // One that leaves memory beside is not what the input was about.
        if let Some(id) = event.activation().filter(|_| !matches!(event, Event::Archived { .. })) {
            outcome.activation = Some(id.clone());
        }
        match event {
            Event::Raised(raised) => self.tell_device(&raised.act, raised.signal.id.clone(), FeedbackState::Received, turn),
            Event::PressedAgain { act, signal, .. } => {
                // A repeat is answered whatever it was: the sender repeats because it has not heard us.
                let state = self.engine.activation(act).map_or(FeedbackState::Received, feedback_state);
                self.tell_device(act, signal.id.clone(), state, turn);
            }
            Event::Accepted { act, .. } => {
                outcome.counted = true;
                self.tell_responding(act, turn);
            }
            Event::Joined { act, .. } => {
                outcome.counted = true;
                outcome.co_responder = true;
                // Of two who are needed it is the second who makes the answer.
                if self.engine.activation(act).is_some_and(|act| act.need > 1) {
                    self.tell_responding(act, turn);
                }
            }
            Event::Declined { .. }
            | Event::Arrived { .. }
            | Event::PoliceNeeded { .. }
            | Event::PoliceRung { .. }
            | Event::StepTaken { .. }
            | Event::TroubleAnswered { .. }
            | Event::TestAnswered { .. } => {
                outcome.counted = true;
            }
            Event::Closed { act, .. } => {
                self.tell_device(act, None, FeedbackState::Closed, turn);
                self.list(act, seq, turn);
            }
            Event::Reopened { act, .. } => self.tell_device(act, None, FeedbackState::Received, turn),
            Event::DispatchQueued { act, dispatch, .. } => turn.orders.push(DispatchId { activation: act.clone(), number: *dispatch }),
            Event::DispatchReported { .. }
            | Event::Exhausted { .. }
            | Event::StationStarted { .. }
            | Event::ClockStepped { .. }
            | Event::RecordLost { .. }
            | Event::RecordFound {}
            | Event::Ticked { .. }
            | Event::SignedBy { .. }
            | Event::CheckpointAnchored { .. }
            | Event::DirectoryAdopted { .. }
            | Event::PersonVersioned { .. }
            | Event::TroubleRaised { .. }
            | Event::TroubleCleared { .. }
            | Event::TroubleTold { .. }
            | Event::TroubleOver { .. }
            | Event::DeviceReported { .. }
            | Event::TestStarted { .. }
            | Event::TestEnded { .. }
            | Event::OutOfService { .. }
            | Event::InService { .. }
            | Event::StandInSaid { .. }
            | Event::StandInOver { .. }
            | Event::DeskArmed { .. }
            | Event::DeskUnarmed { .. }
            | Event::DrillMissed { .. }
            | Event::CancelAsked { .. }
            | Event::AskedFirst { .. }
            | Event::RungEntered { .. }
            | Event::RungPassedOver { .. }
            | Event::ContactPassedOver { .. }
            | Event::ReceiptOverdue { .. }
            | Event::AnswerSetAside { .. }
            | Event::SafetyAsked { .. }
            | Event::FellSilent { .. }
            | Event::PoliceUnrung { .. }
            | Event::CommitmentQuestioned { .. }
            | Event::CommitmentLapsed { .. }
            | Event::Claimed { .. }
            | Event::ClaimLapsed { .. }
            | Event::Held { .. }
            | Event::HoldEnded { .. }
            | Event::HandOverOffered { .. }
            | Event::HandOverEnded { .. }
            | Event::Escalated { .. }
            | Event::RoundStarted { .. }
            | Event::SaidSafe { .. }
            | Event::WordJudged { .. }
            | Event::WordHeeded { .. }
            | Event::NoteAdded { .. }
            | Event::Archived { .. }
            | Event::BundleExported { .. }
            | Event::RegisterExported { .. }
            | Event::LegalHoldSet { .. }
            | Event::Viewed(_) => {}
            // Which callers gave their names there is not known here: all are forgotten, and known again as they act.
            Event::Erased { .. } => Arc::make_mut(&mut self.vault).forget_callers(),
        }
        if let Some(sealed) = turn.batch.entries().last() {
            turn.stream.push(Arc::new(self.stream_entry(seq, sealed)));
        }
    }

    fn count(&mut self, event: &Event) {
        self.totals.entries += 1;
        if let Event::Raised(raised) = event {
            let count = if raised.drill_until.is_some() { &mut self.totals.drills } else { &mut self.totals.raised };
            *count += 1;
        }
        // A drill that comes to the end of its ladder has come to its end.
        if let Event::Exhausted { act, .. } = event {
            self.totals.exhausted += u64::from(self.engine.activation(act).is_some_and(|act| !act.is_drill()));
        }
        if let Event::DispatchReported { report: Report::Failed(why), .. } = event {
            *self.totals.failed.entry(failure_name(*why)).or_default() += 1;
        }
    }

    /// The button hears that help is coming once nobody more is needed.
    fn tell_responding(&mut self, act: &ActivationId, turn: &mut Turn) {
        match self.engine.activation(act).map(feedback_state) {
            Some(FeedbackState::Responding) => self.tell_device(act, None, FeedbackState::Responding, turn),
            Some(FeedbackState::Received | FeedbackState::Closed) | None => {}
        }
    }

    fn stream_entry(&self, seq: Seq, sealed: &ledger::Sealed) -> StreamEntry {
        let columns = sealed.body.columns();
        let site = columns
            .stream
            .parse()
            .ok()
            .and_then(|id: ActivationId| self.engine.activation(&id))
            .map(|act| act.device.site.to_string())
            .or_else(|| columns.stream.parse().ok().map(|device: DeviceId| device.site.to_string()));
        StreamEntry {
            seq: seq.index(),
            kind: columns.kind.clone(),
            customer: columns.cust.clone(),
            site: site.unwrap_or_default(),
            stream: columns.stream.clone(),
            body: sealed.body.bytes().into(),
        }
    }

    fn tell_device(&self, act: &ActivationId, id: Option<String>, state: FeedbackState, turn: &mut Turn) {
        let Some(act) = self.engine.activation(act) else { return };
        let by_directory = || self.engine.directory().sites.get(&act.device.site).is_none_or(|site| site.feedback);
        if act.feedback.unwrap_or_else(by_directory) {
            let id = id.or_else(|| act.signal_id.as_deref().map(ToOwned::to_owned));
            turn.feedback.push(Feedback { device: act.device.clone(), id, activation: act.id.clone(), state });
        }
    }

    /// What devices with open activations are told after a start: a word lost in a crash is said again.
    pub fn standing_feedback(&self) -> Vec<Feedback> {
        let mut turn =
            Turn { batch: Batch::new(self.next), verdicts: Vec::new(), orders: Vec::new(), feedback: Vec::new(), stream: Vec::new() };
        for act in self.engine.activations().filter(|act| act.is_open()) {
            self.tell_device(&act.id, None, feedback_state(act), &mut turn);
        }
        turn.feedback
    }

    /// A closed activation gets its card: lists of what is over come from there.
    fn list(&self, id: &ActivationId, seq: Seq, turn: &mut Turn) {
        let Some(act) = self.engine.activation(id) else { return };
        let listing = Listing {
            key: id.to_string(),
            cust: act.customer.to_string(),
            site: act.device.site.to_string(),
            state: "closed".to_owned(),
            opened_us: act.raised_at.as_microsecond(),
            seq,
            card: Vec::new(),
        };
        if let Err(error) = turn.batch.list(listing) {
            tracing::error!(error = %error, activation.id = %id, "a closed activation could not be listed");
        }
    }

    /// What only the shell knows: which key a number has, which person a reference means.
    fn resolve(&mut self, input: &mut Input) {
        if let Input::TickOwed { wall_ahead_us } = input {
            *wall_ahead_us = self.wall_ahead_us;
        }
        if let Input::Answer(answer) = input {
            answer.sent_at = answer.sent_at.map(|at| self.by_our_clock(at));
        }
        if let Input::Signal(signal) | Input::Raised { signal, .. } = input
            && signal.clock == DeviceClock::Proven
        {
            signal.pressed_at = signal.pressed_at.map(|at| self.by_our_clock(at));
        }
        if let Input::Answer(answer) = input {
            let (number, activation) = match &answer.from {
                Sender::Number(number) => (number.open(), None),
                Sender::Callee { activation, number } => (number.open(), Some(activation.clone())),
                Sender::Contact(_) | Sender::Called { .. } | Sender::Link { .. } => (None, None),
            };
            if let Some(number) = number.map(ToOwned::to_owned) {
                let contact = self.secret.contact(&number);
                // Whoever looks at names right now holds them: they are copied only where something is new.
                if self.vault.address(None, contact).is_none() {
                    Arc::make_mut(&mut self.vault).keep_stranger(contact, &number);
                }
                answer.from = match activation {
                    Some(activation) => Sender::Called { activation, contact },
                    None => Sender::Contact(contact),
                };
            }
        }
        if let Some(by) = input.by_mut()
            && let Some(actor) = by.actor.as_ref().and_then(Private::open)
        {
            let key = self.secret.actor(actor);
            by.actor_key = Some(key);
            if self.vault.actor(key).is_none() {
                Arc::make_mut(&mut self.vault).keep_actor(key, actor);
            }
        }
        if let Some(person) = actor::person(self, input)
            && let Some(by) = input.by_mut()
        {
            by.person = Some(person);
        }
        if let Input::Command(command) = input {
            self.resolve_successor(command);
        }
        self.resolve_tester(input);
        duty::resolve(self, input);
        self.judge_word(input);
    }

    /// Whoever is named to test, or to look after a button, is a person of the customer, or of nobody.
    fn resolve_tester(&self, input: &mut Input) {
        if let Input::TestWanted(TestWanted { devices, tester: named, .. })
        | Input::OutOfServiceWanted(OutOfServiceWanted { devices, keeper: named, .. }) = input
            && let Some(site) = devices.first().map(|device| &device.site)
            && let Some(customer) = self.engine.directory().sites.get(site).map(|site| &site.customer)
            && let Some(name) = named.name.open()
        {
            named.person = self.vault.find(name, &|person| self.is_of(person, customer, None));
        }
    }

    /// What a word is, before anything of it is decided or written down.
    fn judge_word(&self, input: &mut Input) {
        let (site, entered) = match input {
            Input::Signal(signal) | Input::Raised { signal, .. } => match &mut signal.verb {
                Verb::Cancel(Some(entered)) => (Some(signal.device.site.clone()), entered),
                Verb::Cancel(None) | Verb::Press { .. } | Verb::Tamper { .. } | Verb::Presence { .. } | Verb::Unreadable { .. } => return,
            },
            Input::Command(command) => {
                let Act::Safe { word: Some(entered) } = &mut command.act else { return };
                (self.engine.activation(&command.activation).map(|act| act.device.site.clone()), entered)
            }
            Input::Answer(_)
            | Input::TestWanted(_)
            | Input::TestOver(_)
            | Input::OutOfServiceWanted(_)
            | Input::InServiceWanted(_)
            | Input::StandInWanted(_)
            | Input::StandInOver(_)
            | Input::DeskArmed(_)
            | Input::DeskUnarmed(_)
            | Input::DrillWanted(_)
            | Input::DeliveryReported(_)
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
            | Input::Viewed(_) => return,
        };
        if let (Entered::Open(text), Some(site)) = (&*entered, site) {
            *entered = Entered::Judged(self.words.judge(&site, text));
        }
    }

    /// Whoever is named to take over is known again by the name, as any other actor is.
    fn resolve_successor(&mut self, command: &mut Command) {
        let Act::HandOver { to } = &mut command.act else { return };
        let Some(name) = to.name.open() else { return };
        let key = self.secret.actor(name);
        if self.vault.actor(key).is_none() {
            Arc::make_mut(&mut self.vault).keep_actor(key, name);
        }
        to.key = Some(key);
        to.person = self.vault.find(name, &|person| self.may_answer(person, &command.activation));
    }

    /// A time that others stamped by the world's clock, as our own time would have said it. After a step of the wall
    /// clock the two differ for a while, and a fresh answer must not look older than its alarm.
    fn by_our_clock(&self, at: Timestamp) -> Timestamp {
        if self.wall_ahead_us.unsigned_abs() < WALL_TRUSTED_US { at } else { later(at, self.wall_ahead_us.saturating_neg()) }
    }

    /// Whether a caller may name this person as acting: one of the activation's own customer. Where there is one
    /// customer alone that is everybody; otherwise whoever is on a ladder of its sites or on the frozen one, or on nobody's.
    pub(crate) fn may_answer(&self, person: PersonId, activation: &ActivationId) -> bool {
        self.engine.activation(activation).is_some_and(|act| self.is_of(person, &act.customer, Some(&act.ladder)))
    }

    /// Whether a person is on a ladder of a customer, or on nobody else's.
    pub(crate) fn is_of(&self, person: PersonId, customer: &CustomerId, frozen: Option<&Arc<Ladder>>) -> bool {
        let directory = self.engine.directory();
        if directory.customers.len() <= 1 {
            return true;
        }
        let of_sites = directory.sites.values().filter(|site| site.customer == *customer).map(|site| &site.ladder);
        let is_own = |device: &DeviceId| directory.sites.get(&device.site).is_some_and(|site| site.customer == *customer);
        let with_ladder = directory.devices.iter().filter_map(|(id, device)| Some((id, device.ladder.as_ref()?)));
        let of_devices = with_ladder.filter(|(id, _)| is_own(id)).map(|(_, ladder)| ladder);
        let own: BTreeSet<&LadderId> = of_sites.chain(of_devices).chain(frozen.map(|ladder| &ladder.id)).collect();
        let named = |ladder: &Arc<Ladder>| directory.may_tell(ladder, person);
        let by_own = || own.iter().filter_map(|id| directory.ladders.get(*id)).chain(frozen).any(named);
        // A ladder that asks for roles is there once for each site: they are compared by name, and there may be thousands.
        let elsewhere = || directory.ladders.iter().filter(|(id, _)| !own.contains(id)).any(|(_, ladder)| named(ladder));
        by_own() || !elsewhere()
    }

    fn stale(&self, input: &Input) -> Option<Rejection> {
        let Input::Command(command) = input else { return None };
        let seen = command.seen?;
        let act = self.engine.activation(&command.activation)?;
        (self.last_seq(&act.id) > seen).then(|| Rejection::Stale { activation: act.id.clone(), seen })
    }

    /// Addresses that are out of a person's latest details are still resolved by the version that was told.
    pub fn address_of(&self, person: Option<PersonVersion>, contact: ContactKey) -> Option<&str> {
        self.vault.address(person, contact)
    }

    /// Every dispatch that no carrier has reported: after a start each may have been sent before.
    pub fn owed(&self) -> BTreeSet<DispatchId> {
        self.engine.outbox().map(|(id, _)| id.clone()).collect()
    }
}

/// A token as it is kept; `None` for what is none of ours.
fn token(text: &str) -> Option<Token> {
    text.as_bytes().try_into().ok()
}

/// The activation that a command names, so that a repeat of it can be answered with the current state.
fn named(input: &Input) -> Option<ActivationId> {
    if let Input::Command(command) = input { Some(command.activation.clone()) } else { None }
}

fn holds(input: &Input) -> Holds {
    match input {
        // What is erased is deleted from the record, so that it must have said so.
        Input::Signal(_) | Input::ErasureAsked(_) | Input::ErasureRepeated(_) => Holds::Record,
        Input::Raised { .. }
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
        | Input::DeliveryReported(_)
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
        | Input::LegalHoldAsked(_)
        | Input::Viewed(_) => Holds::Spool,
    }
}

fn feedback_state(act: &Activation) -> FeedbackState {
    match act.stage() {
        Stage::Climbing | Stage::Held | Stage::Exhausted => FeedbackState::Received,
        Stage::Committed(_) => FeedbackState::Responding,
        Stage::Closed => FeedbackState::Closed,
    }
}
