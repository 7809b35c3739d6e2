//! The engine: four functions and the state they share.
//!
//! `decide` reads and changes nothing; `apply` is the only mutation and cannot fail; `next_deadline` says when to come
//! back and why; `outbox` is what we owe the world. After a crash, replaying the events owes exactly the same work.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::acknowledgement::{Commitment, Disposition};
use crate::activation::Activation;
use crate::agenda::Agenda;
use crate::anchor::{Anchored, LastAnchored};
use crate::codes::Codes;
use crate::desk::Armed;
use crate::devices::Devices;
use crate::directory::reach::Whose;
use crate::directory::{Adoption, Directory, Person, PersonChange};
use crate::dispatch::Dispatch;
use crate::dues::Dues;
use crate::event::{DeviceSays, Doer, Event, Raised, Repeat, Responder, SignalRecord};
use crate::id::{ActivationId, AnchorName, CentreId, ContactKey, CustomerId, DeviceId, Digest, DispatchId, KeyId, PersonId, SiteId};
use crate::incident::Scenes;
use crate::input::{Act, Command, Input, SignedBy, Started};
use crate::ladder::Ladder;
use crate::matter::{Causes, Matter};
use crate::notice::Notice;
use crate::out_of_service::OutOfService;
use crate::plan::StepId;
use crate::raising::Joint;
use crate::rejection::Rejection;
use crate::remembered::Remembered;
use crate::reporting::owed;
use crate::roster::{Roster, Rosters, StandIn};
use crate::schedule::Timetable;
use crate::signal::Signal;
use crate::standing_in::{SaidStandIn, StandIns};
use crate::testing::TestMode;
use crate::time::{Deadline, Timestamp, Why, millis_between};
use crate::trouble::{Cause, Scope, Trouble};

/// A customer's closed activations in memory: far more than a day has, unless buttons are pressed in a loop. The earliest leave
/// first, and no other customer's.
const CLOSED_MAX: usize = 1_000;
/// A provider's message is known for what it is when it comes again, for so many days: its signature has no time in it, and the code
/// that it quotes may belong to another call by then.
const HEARD_DAYS: u32 = 3_650;
/// How many of the earliest are looked at for one that may leave.
const SURPLUS_LOOK: usize = 64;
/// Series of references from here on are taken from the time instead of counted.
const SERIES_BY_TIME: u32 = 1_000_000;
/// 2026-01-01T00:00:00Z, from which those are counted, in seconds since 1970.
const SERIES_EPOCH_S: i64 = 1_767_225_600;

/// The rules' whole state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Engine {
    directory: Arc<Directory>,
    directory_version: u32,
    directory_digest: Option<Digest>,
    key: Option<KeyId>,
    /// The public keys that sign the record: the current one, and the one before it while both do.
    signing: Option<(String, Option<String>)>,
    /// The last checkpoint that each anchor took.
    anchored: BTreeMap<AnchorName, LastAnchored>,
    people: BTreeMap<PersonId, Person>,
    /// When a human last answered from an address, by the site of the call.
    answers: BTreeMap<(ContactKey, Option<SiteId>), Timestamp>,
    /// Those of them whom the directory in force does not name.
    gone: BTreeSet<PersonId>,
    /// Activations of which nothing may be erased; in memory or not.
    legal_holds: BTreeSet<ActivationId>,
    activations: BTreeMap<ActivationId, Box<Activation>>,
    open: BTreeMap<Joint, ActivationId>,
    open_count: usize,
    /// The same by site, without drills.
    scenes: Scenes,
    /// Those of them that are drills.
    drills: BTreeSet<ActivationId>,
    /// Each customer's in memory that are over, the earliest closed first.
    closed: BTreeMap<CustomerId, VecDeque<ActivationId>>,
    agenda: Agenda,
    outbox: BTreeMap<DispatchId, Dispatch>,
    ordinals: BTreeMap<CustomerId, u32>,
    numbers: BTreeMap<(crate::id::Prefix, u32), u32>,
    codes: Codes,
    presses: Remembered<PressKey, ActivationId>,
    heard: Remembered<String, Heard, HEARD_DAYS>,
    done: Remembered<(String, Digest), Done>,
    devices: Devices,
    /// Buttons on test, until they are pressed; those whose time is over are left as they are.
    tests: BTreeMap<DeviceId, TestMode>,
    /// Buttons out of service; those whose time is over are left as they are.
    out_of_service: BTreeMap<DeviceId, OutOfService>,
    /// Who was said to stand in on which roster.
    stand_ins: StandIns,
    /// How often that has changed who is on duty.
    duty_changes: u64,
    /// The desks that somebody is at.
    armed: BTreeMap<CentreId, Armed>,
    /// When drills begin by themselves, and what became of those that were due.
    timetable: Timetable,
    /// When the latest entry was made. Within a turn the clock stands, and each entry is made a microsecond after the one before.
    latest: Timestamp,
    troubles: BTreeMap<Cause, Trouble>,
    /// The same by what people are told of as one.
    matters: BTreeMap<Matter, Causes>,
    /// What people were told of them.
    notices: BTreeMap<Matter, Notice>,
    /// The matter of each notice, by its reference.
    references: BTreeMap<ActivationId, Matter>,
    /// When people are told next of each matter.
    dues: Dues,
    /// When the station last took up its work.
    up_since: Option<Timestamp>,
    /// What references are minted under while the record is lost.
    lost_series: u32,
    /// How often the record was lost with a spool beside it.
    losses: u32,
    lost: bool,
    faults: u64,
}

/// What makes two signals the same press.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum PressKey {
    Id(DeviceId, Arc<str>),
    Counter(DeviceId, u64, Timestamp),
}

/// What an idempotency key stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Done {
    /// On which activation.
    pub(crate) act: ActivationId,
    /// What was done.
    pub(crate) deed: Deed,
    /// Keyed digest of the name in which it was done.
    actor_key: Option<ContactKey>,
    /// The same as a person.
    person: Option<PersonId>,
}

impl Done {
    /// Whether the same is asked once more: this act on this activation, in the same name. What two people behind one key do is
    /// done by each of them, and the second is never told that it was done already.
    pub(crate) fn is(&self, act: &ActivationId, deed: Deed, doer: &Doer) -> bool {
        self.act == *act && self.deed == deed && (self.actor_key, self.person) == (doer.actor_key, doer.person)
    }
}

/// What was done under an idempotency key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    /// Raised it, or pressed again.
    Pressed,
    /// Accepted, as the first or beside others.
    Accepted(Commitment),
    /// Declined.
    Declined,
    /// Arrived, or was still safe.
    Arrived,
    /// Said that the police are needed.
    PoliceNeeded,
    /// Said that they have been rung.
    PoliceRung,
    /// Claimed.
    Claimed,
    /// Held the climb.
    Held,
    /// Offered it to somebody else.
    HandedOver,
    /// Moved the climb on.
    Escalated,
    /// Wrote something down.
    Noted,
    /// Closed it.
    Closed(Disposition),
    /// Opened it again.
    Reopened,
    /// Said that it is over.
    SaidSafe,
    /// Took a step of the plan, or, where it is true, passed it over.
    StepTaken(StepId, bool),
}

/// How often a message from outside was here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Once.
    Once,
    /// Again, and that is recorded; from here on it is a provider listing the same message for the umpteenth time.
    Again,
}

impl Engine {
    /// What does this input mean? Reads state, changes nothing.
    ///
    /// # Errors
    /// A [`Rejection`] where a caller can be told no; what comes from devices, phones and carriers is never refused.
    pub fn decide(&self, now: Timestamp, input: &Input) -> Result<Vec<Event>, Rejection> {
        Ok(match input {
            Input::Signal(signal) => self.on_signal(now, signal, None),
            Input::Raised { signal, by } => self.on_signal(now, signal, Some(Doer::from(by))),
            Input::Answer(answer) => self.on_answer(now, answer),
            Input::Command(command) => return self.on_command(now, command),
            Input::TestWanted(wanted) => return self.on_test_wanted(now, wanted),
            Input::TestOver(over) => self.on_test_over(now, over),
            Input::OutOfServiceWanted(wanted) => return self.on_out_of_service_wanted(now, wanted),
            Input::InServiceWanted(wanted) => self.on_in_service_wanted(now, wanted),
            Input::StandInWanted(wanted) => return self.on_stand_in_wanted(now, wanted),
            Input::StandInOver(over) => return self.on_stand_in_over(now, over),
            Input::DeskArmed(armed) => return self.on_desk_armed(armed),
            Input::DeskUnarmed(unarmed) => self.on_desk_unarmed(now, unarmed),
            Input::DrillWanted(wanted) => return self.on_drill_wanted(now, wanted),
            Input::DeliveryReported(report) => self.on_report(now, report),
            Input::Tick => self.on_tick(now),
            // It looks at all that is there, also at what came in the very turn of the look.
            Input::DrillsDue { clock_is_off } => self.on_drills_due(now.max(self.latest), *clock_is_off),
            Input::DirectoryOffered(adoption) => self.on_directory(now, adoption),
            Input::TroubleNoticed(cause) => self.on_trouble_noticed(cause),
            Input::TroubleCleared(cause) => self.trouble_cleared(cause),
            Input::Started(started) => self.on_started(now, started),
            Input::ClockStepped { by_us } => vec![Event::ClockStepped { by_us: *by_us }],
            Input::RecordLost { spooled } => self.on_record_lost(now, *spooled),
            Input::RecordFound if self.lost => {
                std::iter::once(Event::RecordFound {}).chain(self.trouble_cleared(&Cause::RecordUnreachable)).collect()
            }
            Input::RecordFound => Vec::new(),
            Input::TickOwed { wall_ahead_us } => vec![self.ticked(*wall_ahead_us)],
            Input::SignedBy(signed) => self.on_signed_by(signed),
            Input::CheckpointAnchored(anchored) => self.on_anchored(anchored),
            Input::BundleExported(export) => vec![Event::from(export)],
            Input::RegisterExported(export) => vec![Event::from(export)],
            Input::CoverageForeseen(seen) => self.on_foreseen(seen),
            Input::ErasureAsked(erasure) => return self.on_erasure(erasure),
            Input::ErasureRepeated(erasure) => return self.on_repeated_erasure(erasure),
            Input::LegalHoldAsked(hold) => self.on_legal_hold(hold),
            Input::Viewed(view) => vec![Event::from(&**view)],
        })
    }

    /// The only mutation. Infallible: an event that makes no sense is counted as a fault, never a panic.
    pub fn apply(&mut self, at: Timestamp, event: &Event) {
        self.take_note(at, event);
        match event {
            Event::StationStarted { key, given, .. } => self.start_under(at, *key, given),
            Event::ClockStepped { .. }
            | Event::BundleExported { .. }
            | Event::RegisterExported { .. }
            | Event::Erased { .. }
            | Event::Viewed(_) => {}
            Event::LegalHoldSet { of, on, .. } => self.hold_legally(of, *on),
            Event::RecordLost { series } => self.lose(*series),
            Event::RecordFound {} => self.lost = false,
            Event::SignedBy { key, before, .. } => self.signing = Some((key.clone(), before.clone())),
            Event::CheckpointAnchored { anchor, origin, size, .. } => self.remember_anchored(at, anchor, origin, *size),
            Event::DirectoryAdopted { version, digest, directory, gone, .. } => {
                self.gone = gone.iter().copied().collect();
                self.go_by(at, *version, *digest, directory);
            }
            Event::PersonVersioned { id, person, .. } => self.know(*id, person),
            Event::TroubleRaised { cause, cust } => self.be_troubled(at, cause, cust.as_ref()),
            Event::TroubleCleared { cause, .. } => self.clear(at, cause),
            Event::TroubleTold { .. } | Event::TroubleAnswered { .. } | Event::TroubleOver { .. } => self.apply_to_notice(at, event),
            Event::DeviceReported { dev, says, .. } => self.on_device_reported(dev, *says),
            Event::TestStarted { .. } | Event::TestEnded { .. } | Event::TestAnswered { .. } => self.on_test(at, event),
            Event::OutOfService { .. } | Event::InService { .. } => self.on_service(at, event),
            Event::StandInSaid { .. } | Event::StandInOver { .. } | Event::Ticked { .. } => self.on_stand_in(at, event),
            Event::DeskArmed { .. } | Event::DeskUnarmed { .. } => self.on_desk(at, event),
            Event::DrillMissed { .. } => self.timetable.note(at, event, &self.directory, false),
            Event::Raised(raised) => self.on_raised(at, raised),
            Event::AnswerSetAside { act: None, provider_ref, .. } => self.hear(at, provider_ref.as_ref()),
            Event::AnswerSetAside { act: Some(_), provider_ref, .. } => {
                self.hear(at, provider_ref.as_ref());
                self.apply_to_activation(at, event);
            }
            Event::Accepted { act, by, commitment, .. } | Event::Joined { act, by, commitment, .. } => {
                self.take_answer(at, event, act, by, Deed::Accepted(*commitment));
            }
            Event::Declined { act, by, .. } => self.take_answer(at, event, act, by, Deed::Declined),
            Event::Arrived { act, by, .. } => self.take_answer(at, event, act, by, Deed::Arrived),
            Event::PoliceNeeded { act, by, .. } => self.take_answer(at, event, act, by, Deed::PoliceNeeded),
            Event::PoliceRung { act, by, .. } => self.take_answer(at, event, act, by, Deed::PoliceRung),
            Event::SaidSafe { act, by, .. } => self.take_answer(at, event, act, by, Deed::SaidSafe),
            Event::StepTaken { act, by, step, skipped, .. } => {
                self.take_answer(at, event, act, by, Deed::StepTaken(*step, skipped.is_some()));
            }
            Event::Claimed { act, by, .. } => self.take_act(at, event, act, by, Deed::Claimed),
            Event::Held { act, by, .. } => self.take_act(at, event, act, by, Deed::Held),
            Event::HandOverOffered { act, by, .. } => self.take_act(at, event, act, by, Deed::HandedOver),
            Event::Escalated { act, by, .. } => self.take_act(at, event, act, by, Deed::Escalated),
            Event::NoteAdded { act, by, .. } => self.take_act(at, event, act, by, Deed::Noted),
            Event::Closed { act, by, disposition, .. } => {
                self.remember_closed(at, act);
                self.take_act(at, event, act, by, Deed::Closed(*disposition));
                self.leave_joint(act);
            }
            Event::Reopened { act, by, .. } => {
                self.take_act(at, event, act, by, Deed::Reopened);
                self.forget_closed(act);
                self.end_drills_beside(at, act);
            }
            Event::PressedAgain { act, dev, signal, how, by, .. } => {
                self.remember_press(at, act, dev, signal, *how != Repeat::Redelivered);
                self.interrupt_drills(at, dev, signal);
                if let Some(by) = by {
                    self.remember_doer(at, act, by, Deed::Pressed);
                }
                self.apply_to_activation(at, event);
            }
            Event::DispatchQueued { act, dispatch, to, medium, purpose, code, late_ms, .. } => {
                self.apply_to_activation(at, event);
                let id = DispatchId { activation: act.clone(), number: *dispatch };
                let owed =
                    Dispatch { id, to: to.clone(), medium: *medium, purpose: *purpose, code: *code, queued_at: at, late_ms: *late_ms };
                self.on_queued(act, owed);
            }
            Event::DispatchReported { act, dispatch, .. } => {
                self.apply_to_activation(at, event);
                self.outbox.remove(&DispatchId { activation: act.clone(), number: *dispatch });
            }
            Event::Archived { act } => self.archive(act),
            Event::CancelAsked { .. }
            | Event::AskedFirst { .. }
            | Event::RungEntered { .. }
            | Event::RungPassedOver { .. }
            | Event::ContactPassedOver { .. }
            | Event::ReceiptOverdue { .. }
            | Event::SafetyAsked { .. }
            | Event::FellSilent { .. }
            | Event::PoliceUnrung { .. }
            | Event::CommitmentQuestioned { .. }
            | Event::CommitmentLapsed { .. }
            | Event::ClaimLapsed { .. }
            | Event::HoldEnded { .. }
            | Event::HandOverEnded { .. }
            | Event::Exhausted { .. }
            | Event::RoundStarted { .. }
            | Event::WordJudged { .. }
            | Event::WordHeeded { .. } => self.apply_to_activation(at, event),
        }
    }

    /// What is kept of an event whatever it is of.
    fn take_note(&mut self, at: Timestamp, event: &Event) {
        self.latest = self.latest.max(at);
        self.agenda.advance(at);
        self.note_answer(at, event);
        if let Event::ClockStepped { by_us } = event {
            self.timetable.steps.note(at, *by_us, self.open_count == 0);
        }
        if !matches!(event, Event::DrillMissed { .. }) {
            let drill = event.activation().and_then(|act| self.activation(act)).filter(|act| act.is_drill());
            let is_answered = drill.is_some_and(Activation::is_answered);
            self.timetable.note(at, event, &self.directory, is_answered);
        }
    }

    fn know(&mut self, id: PersonId, person: &Person) {
        self.people.insert(id, person.clone());
    }

    /// When to come back for a call, and why.
    pub fn next_deadline_of_calls(&self) -> Option<Deadline> {
        let (at, id) = self.agenda.first()?;
        let (_, why) = self.activations.get(id)?.next_due()?;
        Some(Deadline { at, activation: id.clone(), why })
    }

    /// When to come back, and why.
    pub fn next_deadline(&self) -> Option<Deadline> {
        let of_a_trouble = self.dues.first().map(|(at, matter)| {
            let activation = self.notices.get(matter).map_or_else(|| self.next_notice_id(), |notice| notice.id.clone());
            Deadline { at, activation, why: Why::Trouble }
        });
        self.next_deadline_of_calls().into_iter().chain(of_a_trouble).min_by_key(|deadline| deadline.at)
    }

    fn go_by(&mut self, at: Timestamp, version: u32, digest: Digest, directory: &Directory) {
        self.directory = Arc::new(directory.clone());
        self.put_on_duty(at);
        self.timetable.go_by(at, directory);
        self.devices.adopt(directory);
        self.directory_version = version;
        self.directory_digest = Some(digest);
        self.set_every_due();
    }

    fn hold_legally(&mut self, of: &ActivationId, on: bool) {
        if on {
            self.legal_holds.insert(of.clone());
        } else {
            self.legal_holds.remove(of);
        }
    }

    /// Activations of which nothing may be erased.
    pub(crate) fn legal_holds(&self) -> &BTreeSet<ActivationId> {
        &self.legal_holds
    }

    /// Whether this is somebody whom a directory named and the one in force does not.
    pub(crate) fn is_gone(&self, person: PersonId) -> bool {
        self.gone.contains(&person)
    }

    /// What we owe the outside world and have not yet seen done.
    pub fn outbox(&self) -> impl Iterator<Item = (&DispatchId, &Dispatch)> {
        self.outbox.iter()
    }

    /// One message owed, if it still is.
    pub fn owed(&self, id: &DispatchId) -> Option<&Dispatch> {
        self.outbox.get(id)
    }

    /// How many messages are owed.
    pub fn owed_count(&self) -> usize {
        self.outbox.len()
    }

    /// One activation, until a day after its closing or a thousand of its customer's later ones.
    pub fn activation(&self, id: &ActivationId) -> Option<&Activation> {
        self.activations.get(id).map(|act| &**act)
    }

    /// All activations in memory.
    pub fn activations(&self) -> impl Iterator<Item = &Activation> {
        self.activations.values().map(|act| &**act)
    }

    /// How many activations nobody has closed.
    pub fn open_count(&self) -> usize {
        self.open_count
    }

    /// The drills that nobody has closed; they are among the open activations.
    pub fn drills(&self) -> impl Iterator<Item = &Activation> {
        self.drills.iter().filter_map(|id| self.activation(id))
    }

    /// The directory in force.
    pub fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Its version, 0 before the first.
    pub fn directory_version(&self) -> u32 {
        self.directory_version
    }

    /// SHA-256 of the file it was read from.
    pub fn directory_digest(&self) -> Option<Digest> {
        self.directory_digest
    }

    /// A person's current details. Someone who left the directory keeps their last ones.
    pub fn person(&self, id: PersonId) -> Option<&Person> {
        self.people.get(&id)
    }

    /// When a human last answered from an address, by the site of the call.
    pub(crate) fn answers_of(&self, contact: ContactKey) -> impl Iterator<Item = (Option<&SiteId>, Timestamp)> {
        let theirs = self.answers.range((contact, None)..).take_while(move |((from, _), _)| *from == contact);
        theirs.map(|((_, site), at)| (site.as_ref(), *at))
    }

    /// Keeps it.
    pub(crate) fn keep_answer(&mut self, contact: ContactKey, site: Option<SiteId>, at: Timestamp) {
        self.answers.insert((contact, site), at);
    }

    /// Everyone ever adopted.
    pub fn people(&self) -> impl Iterator<Item = (&PersonId, &Person)> {
        self.people.iter()
    }

    /// Open troubles.
    pub fn troubles(&self) -> impl Iterator<Item = (&Cause, &Trouble)> {
        self.troubles.iter()
    }

    /// Everything that is open of a matter.
    pub(crate) fn causes_of(&self, matter: &Matter) -> Option<&Causes> {
        self.matters.get(matter)
    }

    /// Whether anything of a matter is open right now, whatever people were told of it.
    pub fn lasts(&self, matter: &Matter) -> bool {
        self.causes_of(matter).is_some_and(|causes| !causes.is_empty())
    }

    /// Who of the customers may see what becomes of a matter: the one whose own technical ladder hears of it. Where that one has
    /// none any more the operator's people are told, and nobody of them stands in what is a customer's.
    pub fn seen_by<'m>(&self, matter: &'m Matter) -> Option<&'m CustomerId> {
        matter.customer.as_ref().filter(|customer| self.directory.has_technical_ladder(customer))
    }

    /// The first matter of which people are to be told, and when.
    pub(crate) fn first_due(&self) -> Option<(Timestamp, &Matter)> {
        self.dues.first()
    }

    /// What people were told of troubles, whether they last or are over.
    pub fn notices(&self) -> impl Iterator<Item = &Notice> {
        self.notices.values()
    }

    /// What people were told of a matter.
    pub fn notice(&self, matter: &Matter) -> Option<&Notice> {
        self.notices.get(matter)
    }

    /// The notice of a reference.
    pub fn notice_called(&self, id: &ActivationId) -> Option<&Notice> {
        // Whoever asks for a call is not kept waiting.
        let matter = id.prefix.is_of_notices().then(|| self.references.get(id))?;
        self.notices.get(matter?)
    }

    /// When the station last took up its work; the beginning of time before the first start.
    pub fn up_since(&self) -> Timestamp {
        self.up_since.unwrap_or(Timestamp::MIN)
    }

    /// When a device last pressed, as far as memory goes back.
    pub fn last_press(&self, device: &DeviceId) -> Option<Timestamp> {
        self.devices.get(device).and_then(|heard| heard.pressed_at)
    }

    /// When a test press of a device last reached a human, who said that it was theirs.
    pub fn last_proven(&self, device: &DeviceId) -> Option<Timestamp> {
        self.devices.get(device).and_then(|heard| heard.proven_at.as_deref().copied())
    }

    /// Buttons on test, and those whose test has ended by itself without a press.
    pub fn tests(&self) -> impl Iterator<Item = (&DeviceId, &TestMode)> {
        self.tests.iter()
    }

    /// Buttons that were taken out of service and not put back, also where their time is over.
    pub fn out_of_service(&self) -> impl Iterator<Item = (&DeviceId, &OutOfService)> {
        self.out_of_service.iter()
    }

    pub(crate) fn withdrawal_of(&self, device: &DeviceId) -> Option<&OutOfService> {
        self.out_of_service.get(device)
    }

    /// Everything that was said of who stands in.
    pub(crate) fn stand_ins(&self) -> &StandIns {
        &self.stand_ins
    }

    /// How often somebody else was put on duty than the directory says, or put back. What was worked out before says nothing.
    pub fn duty_changes(&self) -> u64 {
        self.duty_changes
    }

    /// The desks that somebody is at, by centre.
    pub fn armed(&self) -> &BTreeMap<CentreId, Armed> {
        &self.armed
    }

    pub(crate) fn armed_mut(&mut self) -> &mut BTreeMap<CentreId, Armed> {
        &mut self.armed
    }

    /// When drills begin by themselves.
    pub(crate) fn timetable(&self) -> &Timetable {
        &self.timetable
    }

    pub(crate) fn test_of(&self, device: &DeviceId) -> Option<&TestMode> {
        self.tests.get(device)
    }

    /// Events that made no sense to the state they met. Anything above 0 is a fault in the program or its record.
    pub fn faults(&self) -> u64 {
        self.faults
    }

    /// Whether entries go to the spool.
    pub fn is_record_lost(&self) -> bool {
        self.lost
    }

    /// Whether the caller of an accept is one who joined another: a repeat of it is answered as it stands.
    pub fn is_co_responder(&self, command: &Command) -> bool {
        let by = self.responder(&Doer::from(&command.by));
        let joined = || self.activation(&command.activation).is_some_and(|act| act.joined.iter().any(|joined| joined.by.is(&by)));
        matches!(command.act, Act::Accept { .. }) && joined()
    }

    /// The station's key, as it was named at the last start.
    pub(crate) fn key(&self) -> Option<KeyId> {
        self.key
    }

    /// Whether replies and links of an open activation mean nothing under `key`, because its people were told under another one.
    /// `but` is left out: it is being closed.
    pub(crate) fn is_stranded(&self, key: Option<KeyId>, but: Option<&ActivationId>) -> bool {
        let told_otherwise = |act: &Activation| act.is_open() && but != Some(&act.id) && act.keys.iter().any(|told| Some(*told) != key);
        self.activations().any(told_otherwise)
    }

    pub(crate) fn codes(&self) -> &Codes {
        &self.codes
    }

    pub(crate) fn has_trouble(&self, cause: &Cause) -> bool {
        self.troubles.contains_key(cause)
    }

    /// How often a provider's message was here before.
    pub(crate) fn has_heard(&self, now: Timestamp, provider_ref: &String) -> Option<Heard> {
        self.heard.get(now, provider_ref).copied()
    }

    /// What a caller's idempotency key stands for already.
    pub(crate) fn was_done(&self, now: Timestamp, principal: &str, key: Digest) -> Option<&Done> {
        self.done.get(now, &(principal.to_owned(), key))
    }

    pub(crate) fn presence_of(&self, device: &DeviceId) -> Option<bool> {
        self.devices.get(device).and_then(|heard| heard.online)
    }

    /// Whether another device of the same site is open still.
    pub(crate) fn is_tampered_beside(&self, device: &DeviceId) -> bool {
        self.devices.is_open_beside(device)
    }

    pub(crate) fn people_at(&self, contact: ContactKey) -> impl Iterator<Item = PersonId> + '_ {
        self.people.iter().filter(move |(_, p)| p.contacts.values().any(|c| *c == contact)).map(|(id, _)| *id)
    }

    pub(crate) fn knows_contact(&self, contact: ContactKey) -> bool {
        self.people_at(contact).next().is_some()
    }

    pub(crate) fn customer_of(&self, cause: &Cause) -> Option<CustomerId> {
        match cause.concerns() {
            Scope::Site(site) => self.directory.sites.get(site).map(|s| s.customer.clone()),
            Scope::Station => None,
        }
    }

    pub(crate) fn open_at(&self, joint: &Joint) -> Option<&Activation> {
        self.open.get(joint).and_then(|id| self.activation(id))
    }

    pub(crate) fn has_seen_retained(&self, signal: &Signal) -> bool {
        let digest = signal.evidence.payload_sha256;
        digest.is_some()
            && self.devices.get(&signal.device).is_some_and(|heard| heard.kept.as_deref() == digest.as_ref() || heard.latest == digest)
    }

    /// The activation that the very same press belongs to.
    pub(crate) fn pressed_before(&self, now: Timestamp, signal: &Signal) -> Option<&Activation> {
        let key = press_key(&signal.device, signal.id.as_ref(), signal.counter(), signal.pressed_at)?;
        self.presses.get(now, &key).and_then(|id| self.activation(id))
    }

    pub(crate) fn scenes(&self) -> &Scenes {
        &self.scenes
    }

    pub(crate) fn next_ordinal(&self, customer: &CustomerId) -> u32 {
        self.ordinals.get(customer).copied().unwrap_or(0).saturating_add(1)
    }

    pub(crate) fn next_activation_id(&self, customer: &CustomerId) -> ActivationId {
        self.next_id(self.directory.customers.get(customer).map_or_else(crate::id::Prefix::fallback, |c| c.prefix.clone()))
    }

    pub(crate) fn next_notice_id(&self) -> ActivationId {
        self.next_id(crate::id::Prefix::of_notices())
    }

    fn next_id(&self, prefix: crate::id::Prefix) -> ActivationId {
        let series = if self.lost { self.lost_series } else { 0 };
        let number = self.numbers.get(&(prefix.clone(), series)).copied().unwrap_or(0).saturating_add(1);
        ActivationId { prefix, series, number }
    }

    /// Of the activations that are due, the newest: after an outage the fresh ones go first.
    pub(crate) fn newest_due(&self, now: Timestamp) -> Option<&Activation> {
        self.agenda.newest_due(now).and_then(|id| self.activation(id))
    }

    /// How the station stands, for a statement about the time in which nothing happened.
    fn ticked(&self, wall_ahead_us: i64) -> Event {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let absent = self.directory.devices.keys().filter(|device| self.devices.get(device).and_then(|heard| heard.online) == Some(false));
        Event::Ticked {
            open: count(self.open_count),
            owed: count(self.outbox.len()),
            devices: count(self.directory.devices.len()),
            absent: count(absent.count()),
            troubles: count(self.troubles.len()),
            wall_ahead_us,
        }
    }

    fn on_signed_by(&self, signed: &SignedBy) -> Vec<Event> {
        let SignedBy { key, before, succeeds } = signed.clone();
        let known = self.signing.as_ref().is_some_and(|(old_key, old_before)| (old_key, old_before) == (&key, &before));
        if known { Vec::new() } else { vec![Event::SignedBy { key, before, succeeds }] }
    }

    /// What was taken proves that the anchor can be reached.
    fn on_anchored(&self, anchored: &Anchored) -> Vec<Event> {
        let Anchored { anchor, origin, size, root, receipt } = anchored.clone();
        let cleared = self.trouble_cleared(&Cause::AnchorFailing { anchor: anchor.clone() });
        std::iter::once(Event::CheckpointAnchored { anchor, origin, size, root, receipt }).chain(cleared).collect()
    }

    fn remember_anchored(&mut self, at: Timestamp, anchor: &AnchorName, origin: &str, size: u64) {
        self.anchored.insert(anchor.clone(), LastAnchored { origin: origin.to_owned(), size, at });
    }

    /// The last checkpoint that each anchor took, of those in the settings and of those that were.
    pub fn anchored(&self) -> &BTreeMap<AnchorName, LastAnchored> {
        &self.anchored
    }

    /// One that was noticed while another directory came into force may be of a button that this one does not have.
    fn on_trouble_noticed(&self, cause: &Cause) -> Vec<Event> {
        // And at a desk somebody may have sat down in the same moment.
        let is_over = if let Cause::DeskUnarmed { centre } = cause { self.is_armed(centre) } else { false };
        if self.directory.still_looks_at(cause) && !is_over { self.trouble_noticed(cause) } else { Vec::new() }
    }

    pub(crate) fn trouble_noticed(&self, cause: &Cause) -> Vec<Event> {
        if self.has_trouble(cause) {
            return Vec::new();
        }
        vec![Event::TroubleRaised { cust: self.customer_of(cause), cause: cause.clone() }]
    }

    pub(crate) fn trouble_cleared(&self, cause: &Cause) -> Vec<Event> {
        match self.troubles.get(cause) {
            Some(open) => vec![Event::TroubleCleared { cust: open.customer.clone(), cause: cause.clone() }],
            None => Vec::new(),
        }
    }

    /// While the spool holds, losses are counted. Without it a crash would forget the count along with what was minted, and
    /// the next loss would mint it again for somebody else: the series is then taken from the time.
    fn on_record_lost(&self, now: Timestamp, spooled: bool) -> Vec<Event> {
        let is_apart = self.lost_series >= SERIES_BY_TIME;
        let series = match (self.lost, spooled) {
            (true, true) => return Vec::new(),
            (true, false) if is_apart => return Vec::new(),
            (false, true) => self.losses.saturating_add(1),
            (true | false, false) => series_by_time(now).max(self.lost_series.saturating_add(1)),
        };
        std::iter::once(Event::RecordLost { series }).chain(self.trouble_noticed(&Cause::RecordUnreachable)).collect()
    }

    /// A start under another key than before leaves open calls whose people cannot answer by what they were sent.
    fn on_started(&self, now: Timestamp, started: &Started) -> Vec<Event> {
        let event = Event::StationStarted {
            node: started.node.clone(),
            version: started.version.clone(),
            zones: started.zones.clone(),
            key: started.key,
            down_ms: started.last_entry_at.map(|at| millis_between(at, now)),
            given: started.given.clone(),
        };
        let stranded = self.is_stranded(started.key, None);
        let trouble = if stranded { self.trouble_noticed(&Cause::KeyReplaced) } else { self.trouble_cleared(&Cause::KeyReplaced) };
        std::iter::once(event).chain(trouble).collect()
    }

    fn on_directory(&self, now: Timestamp, adoption: &Adoption) -> Vec<Event> {
        // The same file under another key of the station: everybody's addresses have other keys, and no reply would be known. Or it
        // names somebody whom this record had erased, as an older copy's file may: nobody could be told by the number they had there.
        // Or an earlier version of this program read it, which did not keep whose somebody is.
        let is_news = |change: &PersonChange| {
            let is_known = |known: &Person| (&known.contacts, &known.customer) == (&change.person.contacts, &change.person.customer);
            !self.person(change.id).is_some_and(is_known)
        };
        if self.directory_digest == Some(adoption.digest) && !adoption.people.iter().any(is_news) {
            return self.trouble_cleared(&Cause::DirectoryBroken);
        }
        let people = adoption.people.iter().map(|change| Event::PersonVersioned {
            id: change.id,
            person: change.person.clone(),
            reference: change.reference.clone(),
            name: change.name.clone(),
            mobile: change.mobile.clone(),
            email: change.email.clone(),
        });
        let adopted = Event::DirectoryAdopted {
            version: self.directory_version.saturating_add(1),
            digest: adoption.digest,
            directory: Box::new(adoption.directory.clone()),
            gone: adoption.gone.clone(),
            places: adoption.places.clone(),
            zones: adoption.zones.clone(),
        };
        // Coverage is judged anew against the new directory, at the next press; what lies ahead by the lookout, which is asked.
        let stale = self.troubles.keys().filter(|cause| matches!(cause, Cause::Coverage { .. } | Cause::DirectoryBroken));
        let stale = stale.chain(adoption.directory.no_longer_looked_at(self.troubles.keys()));
        let cleared = stale.flat_map(|cause| self.trouble_cleared(cause));
        let dropped = self.drills_dropped_by(now, adoption).into_iter();
        dropped.chain(people).chain(std::iter::once(adopted)).chain(cleared).chain(self.stand_ins_undone_by(now, adoption)).collect()
    }

    fn on_device_reported(&mut self, device: &DeviceId, says: DeviceSays) {
        match says {
            DeviceSays::Online => self.devices.hear(device, &self.directory).online = Some(true),
            DeviceSays::Offline => self.devices.hear(device, &self.directory).online = Some(false),
            DeviceSays::TamperOn => self.devices.set_open(device, true, &self.directory),
            DeviceSays::TamperOff => self.devices.set_open(device, false, &self.directory),
            DeviceSays::Cancel => {}
        }
    }

    fn lose(&mut self, series: u32) {
        self.lost = true;
        self.lost_series = series;
        if series < SERIES_BY_TIME {
            self.losses = series;
        }
    }

    /// What is on test, and what was proven by it.
    fn on_test(&mut self, at: Timestamp, event: &Event) {
        if let Event::TestStarted { dev, tester, by, warn_at, until, .. } = event {
            let test = TestMode { by: by.clone(), tester: *tester, since: at, warn_at: *warn_at, until: *until };
            self.tests.insert(dev.clone(), test);
        }
        if let Event::TestEnded { dev, .. } = event {
            self.tests.remove(dev);
        }
        if let Event::TestAnswered { dev, by, theirs, .. } = event {
            self.hear(at, by.provider_ref.as_ref());
            if *theirs {
                self.devices.hear(dev, &self.directory).proven_at = Some(Box::new(at));
            }
            self.apply_to_activation(at, event);
        }
    }

    /// What is out of service, and what is back.
    fn on_service(&mut self, at: Timestamp, event: &Event) {
        if let Event::OutOfService { cust, dev, keeper, instead, why, by, warn_at, until } = event {
            let out = OutOfService {
                customer: cust.clone(),
                by: by.clone(),
                keeper: *keeper,
                instead: instead.clone(),
                why: *why,
                since: at,
                warn_at: *warn_at,
                until: *until,
            };
            self.out_of_service.insert(dev.clone(), out);
        }
        if let Event::InService { dev, .. } = event {
            self.out_of_service.remove(dev);
        }
    }

    /// Who stands in, and who is back on duty: part of the directory in force from here on.
    fn on_stand_in(&mut self, at: Timestamp, event: &Event) {
        if let Event::StandInSaid { cust, whose, roster, off, on, from, until, by } = event {
            self.stand_ins.say(
                at,
                SaidStandIn {
                    roster: roster.clone(),
                    stand_in: StandIn { from: *from, until: *until, off: *off, on: *on },
                    customer: cust.clone(),
                    whose: Whose::of(cust.as_ref(), whose.as_ref()),
                    by: by.clone(),
                    is_ended: false,
                },
            );
            self.put_on_duty(at);
        }
        if let Event::StandInOver { cust, whose, roster, off, from, .. } = event {
            self.stand_ins.end(roster, *off, *from, Whose::of(cust.as_ref(), whose.as_ref()).as_ref());
            self.put_on_duty(at);
        }
        if let Event::Ticked { .. } = event {
            self.dismiss(at);
        }
    }

    /// The directory in force has who stands in, so that nothing which asks who is on duty can miss it. What counts is weighed anew
    /// with every directory and with all that is said or ended.
    fn put_on_duty(&mut self, at: Timestamp) {
        if self.stand_ins.all().is_empty() {
            return;
        }
        let rosters = self.weighing().rosters_with(self.stand_ins.all(), at);
        if rosters != *self.directory.rosters {
            self.go_by_rosters(rosters);
            self.duty_changes = self.duty_changes.saturating_add(1);
        }
    }

    /// Whoever stood in until now may be told by the roster no more. Nobody else is on duty by that.
    fn dismiss(&mut self, at: Timestamp) {
        let is_over = |roster: &Roster| roster.stand_ins.iter().any(|counting| counting.stand_in.until <= at);
        if self.directory.rosters.rosters.values().any(is_over) {
            let mut rosters = Rosters::clone(&self.directory.rosters);
            rosters.rosters.values_mut().for_each(|roster| roster.stand_ins.retain(|counting| counting.stand_in.until > at));
            self.go_by_rosters(rosters);
        }
    }

    fn go_by_rosters(&mut self, rosters: Rosters) {
        Arc::make_mut(&mut self.directory).rosters = Arc::new(rosters);
    }

    fn be_troubled(&mut self, at: Timestamp, cause: &Cause, customer: Option<&CustomerId>) {
        // Whoever hears of it first hears of its end, whatever a later directory says.
        let keeper = customer.filter(|customer| self.directory.has_technical_ladder(customer));
        let trouble = Trouble { since: at, customer: customer.cloned(), keeper: keeper.cloned() };
        let matter = trouble.matter(cause);
        if let Some(before) = self.troubles.insert(cause.clone(), trouble) {
            self.leave_matter(at, &before, cause);
        }
        if let Some(notice) = self.notices.get_mut(&matter) {
            notice.calm_since = None;
        }
        let wait = self.directory.technical.wait_s;
        self.matters.entry(matter.clone()).or_default().insert(cause, at, wait);
        self.set_due(&matter);
    }

    /// A cause is over; the last of a matter that people were told of sets in the wait for the word that it is.
    fn clear(&mut self, at: Timestamp, cause: &Cause) {
        if let Some(trouble) = self.troubles.remove(cause) {
            self.leave_matter(at, &trouble, cause);
        }
    }

    fn leave_matter(&mut self, at: Timestamp, trouble: &Trouble, cause: &Cause) {
        let matter = trouble.matter(cause);
        if let Some(causes) = self.matters.get_mut(&matter) {
            causes.remove(cause, trouble.since, at);
        }
        let is_open = self.lasts(&matter);
        if let Some(notice) = self.notices.get_mut(&matter).filter(|notice| !is_open && notice.is_open()) {
            notice.calm_since = Some(at);
        }
        self.set_due(&matter);
    }

    fn apply_to_notice(&mut self, at: Timestamp, event: &Event) {
        if let Event::TroubleTold { act, of, topic, cause, .. } = event {
            let matter = Matter { customer: of.clone(), topic: *topic };
            let fresh = || Notice::new(act.clone(), &matter, cause);
            self.notices.entry(matter.clone()).or_insert_with(fresh);
            self.references.insert(act.clone(), matter);
            self.pass(act);
        }
        if let Event::TroubleAnswered { by, .. } = event {
            self.hear(at, by.provider_ref.as_ref());
        }
        let matter = event.activation().and_then(|id| self.references.get(id)).cloned();
        let notice = matter.as_ref().and_then(|matter| self.notices.get_mut(matter));
        if !notice.is_some_and(|notice| notice.apply(at, event)) {
            self.faults = self.faults.saturating_add(1);
        }
        if let Some(matter) = matter {
            self.set_due(&matter);
        }
    }

    fn set_due(&mut self, matter: &Matter) {
        let at = self.told_or_over_at(matter);
        self.dues.set(matter, at);
    }

    /// The waits are those of the directory in force, and a start gives everything time to come back.
    fn set_every_due(&mut self) {
        let all: BTreeSet<Matter> = self.matters.keys().chain(self.notices.keys()).cloned().collect();
        for matter in &all {
            self.set_due(matter);
        }
    }

    /// From here on the station has this key, and gives none of these references again.
    fn start_under(&mut self, at: Timestamp, key: Option<KeyId>, given: &[ActivationId]) {
        self.up_since = Some(at);
        self.timetable.steps.start(at);
        self.set_every_due();
        self.key = key;
        for id in given {
            self.pass(id);
        }
    }

    /// A reference that somebody has been told, though the record lacks the call: the next one of its series lies behind it.
    fn pass(&mut self, id: &ActivationId) {
        let last = self.numbers.entry((id.prefix.clone(), id.series)).or_default();
        *last = id.number.max(*last);
        if id.series < SERIES_BY_TIME {
            self.losses = id.series.max(self.losses);
        }
    }

    fn on_raised(&mut self, at: Timestamp, raised: &Raised) {
        if self.activations.contains_key(&raised.act) {
            self.faults = self.faults.saturating_add(1);
            return;
        }
        let (device, ladder) = (self.share_device(&raised.dev), self.share_ladder(&raised.ladder));
        let mut act = Activation::raise(at, raised, device, ladder, self.directory());
        act.incident = self.share_incident(&act);
        // One press: whatever becomes of it, the next one is a call like any other.
        if raised.tester.is_some() {
            self.tests.remove(&raised.dev);
        }
        self.ordinals.insert(raised.cust.clone(), raised.ord);
        self.numbers.insert((raised.act.prefix.clone(), raised.act.series), raised.act.number);
        self.open.insert(act.joint.clone(), raised.act.clone());
        self.open_count = self.open_count.saturating_add(1);
        self.scenes.enter(&act);
        if act.is_drill() {
            self.drills.insert(act.id.clone());
        } else {
            self.interrupt_drills(at, &raised.dev, &raised.signal);
            self.remember_press(at, &raised.act, &raised.dev, &raised.signal, true);
        }
        if let Some(by) = &raised.by {
            self.remember_doer(at, &raised.act, by, Deed::Pressed);
        }
        self.agenda.moved(&act.id, act.recency(), None, act.next_due().map(|(due, _)| due));
        self.activations.insert(act.id.clone(), Box::new(act));
    }

    /// A press ends the drill at its site. What comes without a message that was kept whole is a twin's, or somebody's who needs help:
    /// whoever watches them must see nothing change.
    fn interrupt_drills(&mut self, at: Timestamp, device: &DeviceId, signal: &SignalRecord) {
        if signal.payload_sha256.is_some() {
            self.end_drills_at(at, &device.site);
        }
    }

    /// What is opened again is a call in earnest.
    fn end_drills_beside(&mut self, at: Timestamp, act: &ActivationId) {
        if let Some(site) = self.activation(act).map(|act| act.device.site.clone()) {
            self.end_drills_at(at, &site);
        }
    }

    /// Somebody at the site calls for help in earnest: its drill is over, and that is the next thing it waits for.
    fn end_drills_at(&mut self, at: Timestamp, site: &SiteId) {
        let there: Vec<ActivationId> = self.drills().filter(|drill| drill.device.site == *site).map(|drill| drill.id.clone()).collect();
        for id in there {
            let Some(act) = self.activations.get_mut(&id) else { continue };
            let before = act.next_due().map(|(due, _)| due);
            act.interrupt_drill(at);
            let after = act.next_due().map(|(due, _)| due);
            self.agenda.moved(&id, act.recency(), before, after);
        }
    }

    /// A registered device's name is kept once, by the directory, however often it is heard.
    fn share_device(&self, heard: &DeviceId) -> DeviceId {
        let known = self.directory.devices.get_key_value(heard);
        known.map_or_else(|| heard.clone(), |(known, _)| known.clone())
    }

    /// A replayed ladder that equals the directory's is kept once, not once for each activation.
    fn share_ladder(&self, frozen: &Arc<Ladder>) -> Arc<Ladder> {
        match self.directory.ladders.get(&frozen.id) {
            Some(current) if current == frozen => Arc::clone(current),
            Some(_) | None => Arc::clone(frozen),
        }
    }

    fn apply_to_activation(&mut self, at: Timestamp, event: &Event) {
        let Some(id) = event.activation() else { return };
        if id.prefix.is_of_notices() && !self.activations.contains_key(id) {
            return self.apply_to_notice(at, event);
        }
        let Some(act) = self.activations.get_mut(id) else {
            self.faults = self.faults.saturating_add(1);
            return;
        };
        let before = act.next_due().map(|(due, _)| due);
        if !act.apply(at, event) {
            self.faults = self.faults.saturating_add(1);
        }
        let after = act.next_due().map(|(due, _)| due);
        self.agenda.moved(id, act.recency(), before, after);
    }

    /// A message is owed from here on, and its code means this activation.
    fn on_queued(&mut self, id: &ActivationId, dispatch: Dispatch) {
        if let (Some(code), Some(contact)) = (dispatch.code, dispatch.to.contact()) {
            // The codes of notices are apart: no activation is given one of them.
            if self.activations.contains_key(id) {
                self.codes.hold(contact, code, id);
            } else {
                self.codes.give_to_notice(contact, code);
            }
        }
        self.outbox.insert(dispatch.id.clone(), dispatch);
    }

    /// Later presses of the same device raise a new activation.
    fn leave_joint(&mut self, id: &ActivationId) {
        if let Some(act) = self.activations.get(id)
            && self.open.get(&act.joint) == Some(id)
        {
            self.open.remove(&act.joint);
        }
    }

    /// It is being closed; once more says nothing new.
    fn remember_closed(&mut self, at: Timestamp, id: &ActivationId) {
        let Some(act) = self.activations.get(id).filter(|act| act.is_open()) else { return };
        self.open_count = self.open_count.saturating_sub(1);
        self.scenes.leave(act);
        self.drills.remove(id);
        self.closed.entry(act.customer.clone()).or_default().push_back(id.clone());
        if self.open_count == 0 {
            self.timetable.steps.calm(at);
        }
    }

    /// It is open again. A later call of the same button stays the one that its presses join.
    fn forget_closed(&mut self, id: &ActivationId) {
        let Some(act) = self.activations.get(id).filter(|act| act.is_open()) else { return };
        let left =
            self.closed.get_mut(&act.customer).and_then(|closed| closed.iter().position(|closed| closed == id).map(|at| closed.remove(at)));
        if left.is_some() {
            self.open_count = self.open_count.saturating_add(1);
            self.scenes.enter(act);
            self.open.entry(act.joint.clone()).or_insert_with(|| id.clone());
        }
    }

    /// The customer's earliest closed activation that owes nobody a word, where one more would be more than memory holds.
    pub(crate) fn surplus(&self, customer: &CustomerId) -> Option<Event> {
        let closed = self.closed.get(customer).filter(|closed| closed.len() >= CLOSED_MAX)?;
        let settled = |id: &&ActivationId| self.activation(id).is_some_and(|act| owed(act).next().is_none());
        closed.iter().take(SURPLUS_LOOK).find(settled).map(|id| Event::Archived { act: id.clone() })
    }

    fn archive(&mut self, id: &ActivationId) {
        let is_closed = self.activation(id).is_some_and(|act| !act.is_open());
        let Some(act) = is_closed.then(|| self.activations.remove(id)).flatten() else {
            self.faults = self.faults.saturating_add(1);
            return;
        };
        self.agenda.moved(id, act.recency(), act.next_due().map(|(due, _)| due), None);
        if let Some(closed) = self.closed.get_mut(&act.customer)
            && let Some(place) = closed.iter().position(|closed| closed == id)
        {
            closed.remove(place);
        }
        for number in owed(&act) {
            self.outbox.remove(&DispatchId { activation: id.clone(), number });
        }
        self.codes.free(act.codes.iter());
    }

    fn remember_press(&mut self, at: Timestamp, act: &ActivationId, dev: &DeviceId, signal: &SignalRecord, counts: bool) {
        let dev = &self.share_device(dev);
        if let Some(key) = press_key(dev, signal.id.as_ref(), signal.sequence, signal.pressed_at) {
            self.presses.insert(at, key, act.clone());
        }
        let heard = self.devices.hear(dev, &self.directory);
        if signal.payload_sha256.is_some() {
            if signal.retained {
                heard.kept = signal.payload_sha256.map(Box::new);
            } else {
                heard.latest = signal.payload_sha256;
            }
        }
        if counts {
            heard.pressed_at = Some(at);
        }
    }

    /// What a key stands for is its first event: a claim that is renewed beside it is no act of its own.
    fn remember_doer(&mut self, at: Timestamp, act: &ActivationId, doer: &Doer, deed: Deed) {
        let Some(key) = doer.idempotency else { return };
        if self.was_done(at, &doer.principal, key).is_none() {
            let done = Done { act: act.clone(), deed, actor_key: doer.actor_key, person: doer.person };
            self.done.insert(at, (doer.principal.clone(), key), done);
        }
    }

    fn take_answer(&mut self, at: Timestamp, event: &Event, act: &ActivationId, by: &Responder, deed: Deed) {
        self.hear(at, by.provider_ref.as_ref());
        if let Some(doer) = &by.by {
            self.remember_doer(at, act, doer, deed);
        }
        self.apply_to_activation(at, event);
    }

    fn take_act(&mut self, at: Timestamp, event: &Event, act: &ActivationId, by: &Doer, deed: Deed) {
        self.remember_doer(at, act, by, deed);
        self.apply_to_activation(at, event);
    }

    fn hear(&mut self, at: Timestamp, provider_ref: Option<&String>) {
        if let Some(provider_ref) = provider_ref {
            let times = if self.heard.get(at, provider_ref).is_some() { Heard::Again } else { Heard::Once };
            self.heard.insert(at, provider_ref.clone(), times);
        }
    }
}

/// Seconds since the start of 2026, behind all series that were counted.
fn series_by_time(now: Timestamp) -> u32 {
    let s = now.as_second().saturating_sub(SERIES_EPOCH_S).max(0);
    SERIES_BY_TIME.saturating_add(u32::try_from(s).unwrap_or(u32::MAX))
}

fn press_key(device: &DeviceId, id: Option<&String>, counter: Option<u64>, at: Option<Timestamp>) -> Option<PressKey> {
    match (id, counter, at) {
        (Some(id), _, _) => Some(PressKey::Id(device.clone(), id.as_str().into())),
        (None, Some(counter), Some(at)) => Some(PressKey::Counter(device.clone(), counter, at)),
        (None, Some(_), None) | (None, None, _) => None,
    }
}
