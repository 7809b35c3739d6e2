//! One activation's life: from the first signal to its disposition.
//!
//! Owns what may follow what within one activation. Does not know how a message is worded, who has which number,
//! or when anything happened: every `at` comes in as a parameter.

use std::sync::Arc;

use crate::acknowledgement::{BARE_YES_PAUSE, Code, Commitment, Disposition};
use crate::directory::{Centre, Standing};
use crate::dispatch::{Purpose, Recipient, Report};
use crate::event::{Age, AnsweredVia, ContactSkip, Doer, Event, Opening, Party, Raised, Repeat, Responder};
use crate::few::Few;
use crate::id::{ActivationId, CentreId, ContactKey, CustomerId, DeviceId, Digest, KeyId, PersonId, PersonVersion};
use crate::ladder::{Ladder, Medium, RungIndex, Who};
use crate::raising::Joint;
use crate::signal::Kind;
use crate::time::{Timestamp, Why};

/// One person's call for help.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Activation {
    /// Its reference.
    pub id: ActivationId,
    /// Whose.
    pub customer: CustomerId,
    /// By which device.
    pub device: DeviceId,
    /// How well that device is known.
    pub standing: Standing,
    /// What kind of help.
    pub kind: Kind,
    /// How old the press was.
    pub age: Age,
    /// How it started.
    pub opening: Opening,
    /// Its ladder, frozen.
    pub ladder: Arc<Ladder>,
    /// The directory version at raise: names of places are read from it.
    pub directory: u32,
    /// Above this many seconds the climb goes on beside an accept.
    pub eta_limit_s: u32,
    /// The ladder's centres as they were at raise, for those that the directory no longer knows.
    pub centres: Few<CentreId, Centre>,
    /// Whether the device is told what becomes of its call; `None` where its raise did not say, and the directory does.
    pub feedback: Option<bool>,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// When it was last pressed, redeliveries not counted.
    pub last_press_at: Timestamp,
    /// When the present gesture began: what follows within the merge window belongs to it.
    pub(crate) gesture_at: Timestamp,
    /// The payload of the last press.
    payload: Option<Digest>,
    /// How often, redeliveries not counted.
    pub presses: u32,
    /// The sender's id for the first press: our `received` answers it.
    pub signal_id: Option<Box<str>>,
    /// Someone at the device asked to cancel: verify.
    pub cancel_asked: bool,
    /// How far it has come.
    pub progress: Progress,
    /// Who has committed, while the commitment holds.
    pub promise: Option<Box<Promise>>,
    /// Which operator owns it.
    pub claim: Option<Box<Claim>>,
    /// How it ended.
    pub closing: Option<Box<Closing>>,
    /// Everyone pursued, in order of entry; a round starts the list anew.
    pub pursuits: Vec<Pursuit>,
    /// Messages that may still change something.
    pub attempts: Few<u32, Attempt>,
    /// Everyone who was sent an alarm, and by what.
    pub told: Few<Recipient, Told>,
    /// Codes by phone.
    pub codes: Few<ContactKey, Code>,
    /// Co-responders.
    pub joined: Vec<Companion>,
    /// Everyone who has held the climb by "verifying", once for each time: each may do so twice.
    pub verified: Vec<Companion>,
    /// Who declined, and until when they rest.
    pub resting: Few<PersonId, Timestamp>,
    /// How many dispatches it has had; the next is one more.
    pub dispatches: u32,
    /// How many entries it has in the record; the next has this as its `aseq`.
    pub entries: u32,
    /// When the acceptor was last told that it was pressed again.
    pub pressed_again_told_at: Option<Timestamp>,
    /// When "nothing acknowledged" last went to a phone.
    pub answered_at: Few<ContactKey, Timestamp>,
    /// What later presses join it by, while it is open.
    pub(crate) joint: Joint,
    /// The station's key under which its people were first told; `None` before, and in entries from before keys had names.
    pub(crate) key: Option<KeyId>,
    /// A bare yes has held the climb; another one does not.
    paused: bool,
    /// The first pursuit of the latest rung or round.
    latest: usize,
}

/// How far the ladder has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// On a rung; `None` before the first one, while a human is asked first.
    Climb {
        /// Which.
        rung: Option<RungIndex>,
        /// Until when it waits.
        until: Timestamp,
    },
    /// Every rung was tried; all of them repeat until a human answers (I5).
    Rounds {
        /// Counts from 1; 0 before the first.
        round: u32,
        /// When the next is.
        next: Timestamp,
        /// When everyone is told next.
        next_everyone: Timestamp,
        /// How often everyone was told.
        everyone: u32,
    },
}

/// A commitment and its deadline (I3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Promise {
    /// Who.
    pub by: Companion,
    /// To what.
    pub commitment: Commitment,
    /// Since when.
    pub since: Timestamp,
    /// When they should be there, or have verified.
    pub arrive_by: Timestamp,
    /// Asked whether still going; silence until then resumes the climb.
    pub grace_until: Option<Timestamp>,
    /// The climb goes on beside it.
    pub climb_on: bool,
}

/// Somebody who answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Companion {
    /// A person of the directory.
    pub person: Option<PersonVersion>,
    /// The address they answered from.
    pub contact: Option<ContactKey>,
    /// How.
    pub via: AnsweredVia,
    /// Through the API: who is responsible.
    pub doer: Option<Box<Doer>>,
    /// To what.
    pub commitment: Commitment,
}

impl Companion {
    pub(crate) fn new(by: &Responder, commitment: Commitment) -> Self {
        Self { person: by.person, contact: by.contact, via: by.via, doer: by.by.clone().map(Box::new), commitment }
    }

    /// Whether `other` is the same human, as far as anyone can tell.
    pub(crate) fn is(&self, other: &Responder) -> bool {
        match (self.person, other.person) {
            (Some(mine), Some(theirs)) => mine.person == theirs.person,
            (None, None) => {
                let same_doer = match (&self.doer, &other.by) {
                    (Some(mine), Some(theirs)) => mine.is_same_caller(theirs),
                    (None, None) => true,
                    (Some(_), None) | (None, Some(_)) => false,
                };
                self.contact == other.contact && same_doer
            }
            (Some(_), None) | (None, Some(_)) => false,
        }
    }
}

/// An operator's ownership.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Who.
    pub by: Doer,
    /// Without an act of theirs it lapses then.
    pub lapses_at: Timestamp,
}

/// How an activation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Closing {
    /// Who said so.
    pub by: Doer,
    /// When.
    pub at: Timestamp,
    /// With which outcome.
    pub disposition: Disposition,
    /// When it leaves memory.
    pub archive_at: Timestamp,
}

/// One party being tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pursuit {
    /// Who, of which rung, by which channels.
    pub party: Party,
    /// The channel step that is being tried.
    pub step: u16,
    /// Whether there is still something to wait for.
    pub state: Chase,
}

/// How a pursuit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chase {
    /// A message is out, or a desk has it in view.
    Trying,
    /// Nothing left to wait for, and why.
    Over(ContactSkip),
}

/// A message that may still change something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// To whom.
    pub to: Recipient,
    /// By which channel.
    pub medium: Medium,
    /// What for.
    pub purpose: Purpose,
    /// Whose pursuit, and which step.
    pub pursuit: Option<(u16, u16)>,
    /// What became of it.
    pub state: AttemptState,
}

/// What became of a message, in order of rank.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AttemptState {
    /// No carrier has reported.
    Owed,
    /// A provider took it; a receipt is due until then, `None` where none will come.
    Accepted(Option<Timestamp>),
    /// The promised receipt did not come in time.
    Overdue,
    /// The phone has it.
    Delivered,
    /// It will not arrive.
    Lost,
}

/// How an alarm went to somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Told {
    /// By which channel.
    pub medium: Medium,
    /// How many alarms may have reached them by it: sent, and not known to be lost.
    pub alarms: u32,
}

impl Told {
    /// Whether they may know of the alarm at all.
    pub fn reached(self) -> bool {
        self.alarms > 0
    }
}

/// Where an activation stands, derived for readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The ladder is running; nobody has committed.
    Climbing,
    /// A named person has committed to act.
    Committed(Commitment),
    /// Every rung was tried; rounds go on until a human answers (I5).
    Exhausted,
    /// Closed with a disposition.
    Closed,
}

impl Activation {
    pub(crate) fn raise(at: Timestamp, raised: &Raised, device: DeviceId, ladder: Arc<Ladder>) -> Self {
        let joint = Joint::of(raised, &device);
        Self {
            id: raised.act.clone(),
            customer: raised.cust.clone(),
            device,
            standing: raised.standing,
            kind: raised.kind,
            age: raised.age,
            opening: raised.opening,
            ladder,
            directory: raised.directory,
            eta_limit_s: raised.eta_limit_s,
            centres: raised.centres.iter().map(|(id, centre)| (id.clone(), centre.clone())).collect(),
            feedback: raised.feedback,
            raised_at: at,
            last_press_at: at,
            gesture_at: at,
            payload: raised.signal.payload_sha256,
            presses: 1,
            signal_id: raised.signal.id.as_deref().map(Into::into),
            cancel_asked: false,
            progress: Progress::Climb { rung: None, until: at },
            promise: None,
            claim: None,
            closing: None,
            pursuits: Vec::new(),
            attempts: Few::default(),
            told: Few::default(),
            codes: Few::default(),
            joined: Vec::new(),
            verified: Vec::new(),
            resting: Few::default(),
            dispatches: 0,
            entries: 1,
            pressed_again_told_at: None,
            answered_at: Few::default(),
            joint,
            key: None,
            paused: false,
            latest: 0,
        }
    }

    /// Rebuilds one activation from its own history; `None` where that does not begin with its raise.
    pub fn replay<'e>(history: impl IntoIterator<Item = (Timestamp, &'e Event)>) -> Option<Self> {
        let mut history = history.into_iter();
        let (at, first) = history.next()?;
        let Event::Raised(raised) = first else { return None };
        let mut act = Self::raise(at, raised, raised.dev.clone(), Arc::clone(&raised.ladder));
        for (at, event) in history {
            act.apply(at, event);
        }
        Some(act)
    }

    /// Where it stands.
    pub fn stage(&self) -> Stage {
        if self.closing.is_some() {
            return Stage::Closed;
        }
        match (&self.promise, self.progress) {
            (Some(promise), _) => Stage::Committed(promise.commitment),
            (None, Progress::Climb { .. }) => Stage::Climbing,
            (None, Progress::Rounds { .. }) => Stage::Exhausted,
        }
    }

    /// Whether nobody has closed it.
    pub fn is_open(&self) -> bool {
        self.closing.is_none()
    }

    /// Whether the ladder's own clocks run: open, and nobody's commitment holds them.
    pub(crate) fn is_running(&self) -> bool {
        self.is_open() && self.promise.as_ref().is_none_or(|p| p.climb_on)
    }

    /// What happens next without anybody doing anything, and when. An open activation always has one (I3).
    pub fn next_due(&self) -> Option<(Timestamp, Why)> {
        if let Some(closing) = &self.closing {
            return Some((closing.archive_at, Why::Archive));
        }
        let promise = self.promise.as_ref().map(|p| match p.grace_until {
            Some(grace) => (grace, Why::Grace),
            None => (p.arrive_by, Why::Arrival),
        });
        let claim = self.claim.as_ref().map(|c| (c.lapses_at, Why::ClaimLapse));
        [promise, claim, self.progress_due(), self.receipt_due()].into_iter().flatten().min_by_key(|(at, _)| *at)
    }

    /// A live claim holds back the rounds; its own lapse is then the deadline.
    fn progress_due(&self) -> Option<(Timestamp, Why)> {
        if !self.is_running() {
            return None;
        }
        match self.progress {
            Progress::Climb { until, .. } => Some((until, Why::RungWait)),
            Progress::Rounds { next, .. } => self.claim.is_none().then_some((next, Why::Round)),
        }
    }

    /// Receipts are missed when they are missed, whoever has committed meanwhile.
    fn receipt_due(&self) -> Option<(Timestamp, Why)> {
        let due = self.attempts.values().filter_map(|a| match a.state {
            AttemptState::Accepted(due) => due,
            AttemptState::Owed | AttemptState::Overdue | AttemptState::Delivered | AttemptState::Lost => None,
        });
        due.min().map(|at| (at, Why::Receipt))
    }

    /// The pursuits of the latest rung or round, with their numbers.
    pub(crate) fn latest_pursuits(&self) -> impl Iterator<Item = (usize, &Pursuit)> {
        self.pursuits.iter().enumerate().skip(self.latest)
    }

    /// Whether anything of a pursuit's current step may still reach its party.
    pub(crate) fn step_is_alive(&self, pursuit: u16, step: u16) -> bool {
        let on_a_desk = self
            .pursuits
            .get(usize::from(pursuit))
            .and_then(|p| p.party.steps.get(usize::from(step)))
            .is_some_and(|channels| channels.iter().any(|c| c.medium == Medium::Desk));
        let alive = |a: &Attempt| match a.state {
            AttemptState::Owed | AttemptState::Accepted(_) | AttemptState::Delivered => a.pursuit == Some((pursuit, step)),
            AttemptState::Overdue | AttemptState::Lost => false,
        };
        on_a_desk || self.attempts.values().any(alive)
    }

    /// Takes one event of this activation. Infallible; what makes no sense returns `false` and changes nothing but the count.
    pub(crate) fn apply(&mut self, at: Timestamp, event: &Event) -> bool {
        self.entries = self.entries.saturating_add(1);
        if !self.can_take(event) {
            return false;
        }
        match event {
            Event::PressedAgain { presses, how, signal, .. } => self.on_pressed_again(at, *presses, *how, signal.payload_sha256),
            Event::CancelAsked { .. } => self.cancel_asked = true,
            Event::AskedFirst { until, parties, .. } => {
                self.progress = Progress::Climb { rung: None, until: *until };
                self.pursue(parties);
            }
            Event::RungEntered { rung, until, parties, .. } => {
                self.progress = Progress::Climb { rung: Some(*rung), until: *until };
                self.pursue(parties);
            }
            Event::ContactPassedOver { rung, who, why, .. } => self.on_passed_over(*rung, who, *why),
            Event::DispatchQueued { dispatch, to, medium, purpose, pursuit, code, key, .. } => {
                self.key = self.key.or(*key);
                self.on_queued(
                    at,
                    *dispatch,
                    Attempt { to: to.clone(), medium: *medium, purpose: *purpose, pursuit: *pursuit, state: AttemptState::Owed },
                );
                if let (Some(code), Some(contact)) = (code, to.contact()) {
                    self.codes.insert(contact, *code);
                }
            }
            Event::DispatchReported { dispatch, report, receipt_by, .. } => self.on_reported(*dispatch, report, *receipt_by),
            Event::ReceiptOverdue { dispatch, .. } => {
                if let Some(attempt) = self.attempts.get_mut(dispatch) {
                    attempt.state = attempt.state.max(AttemptState::Overdue);
                }
            }
            Event::Accepted { by, commitment, arrive_by, climb_on, .. } => self.on_accepted(at, by, *commitment, *arrive_by, *climb_on),
            Event::Joined { by, commitment, .. } => {
                self.joined.retain(|c| !c.is(by));
                self.joined.push(Companion::new(by, *commitment));
            }
            Event::Declined { by, rests_until, .. } => self.on_declined(by, *rests_until),
            Event::CommitmentQuestioned { grace_until, .. } => {
                if let Some(promise) = &mut self.promise {
                    promise.grace_until = Some(*grace_until);
                }
            }
            Event::CommitmentLapsed { .. } => self.promise = None,
            Event::Claimed { by, lapses_at, .. } => self.claim = Some(Box::new(Claim { by: by.clone(), lapses_at: *lapses_at })),
            Event::ClaimLapsed { .. } => self.claim = None,
            Event::Escalated { .. } => {
                if let Some(promise) = &mut self.promise {
                    promise.climb_on = true;
                }
            }
            Event::Exhausted { next, .. } => {
                self.progress = Progress::Rounds { round: 0, next: *next, next_everyone: *next, everyone: 0 };
            }
            Event::RoundStarted { round, everyone, next, next_everyone, parties, .. } => {
                let before = match self.progress {
                    Progress::Rounds { everyone, .. } => everyone,
                    Progress::Climb { .. } => 0,
                };
                let everyone = before.saturating_add(u32::from(*everyone));
                self.progress = Progress::Rounds { round: *round, next: *next, next_everyone: *next_everyone, everyone };
                self.begin_round();
                self.pursue(parties);
            }
            Event::Closed { by, disposition, archive_at, .. } => {
                self.closing = Some(Box::new(Closing { by: by.clone(), at, disposition: *disposition, archive_at: *archive_at }));
                self.promise = None;
                self.claim = None;
                self.pursuits = Vec::new();
                self.latest = 0;
            }
            Event::AnswerSetAside { pauses_until: Some(until), .. } => self.on_paused(*until),
            Event::AnswerSetAside { pauses_until: None, .. }
            | Event::RungPassedOver { .. }
            | Event::NoteAdded { .. }
            | Event::Archived { .. } => {}
            Event::Raised(_)
            | Event::StationStarted { .. }
            | Event::ClockStepped { .. }
            | Event::RecordLost { .. }
            | Event::RecordFound {}
            | Event::DirectoryAdopted { .. }
            | Event::PersonVersioned { .. }
            | Event::TroubleRaised { .. }
            | Event::TroubleCleared { .. }
            | Event::DeviceReported { .. } => return false,
        }
        true
    }

    /// Whether an event can follow what is here. One that cannot is a fault of the program or of its record.
    fn can_take(&self, event: &Event) -> bool {
        match event {
            Event::PressedAgain { .. } | Event::AnswerSetAside { .. } | Event::NoteAdded { .. } => true,
            Event::CancelAsked { .. }
            | Event::AskedFirst { .. }
            | Event::RungEntered { .. }
            | Event::RungPassedOver { .. }
            | Event::ContactPassedOver { .. }
            | Event::Accepted { .. }
            | Event::Declined { .. }
            | Event::Claimed { .. }
            | Event::Escalated { .. }
            | Event::Exhausted { .. }
            | Event::Closed { .. } => self.is_open(),
            Event::Joined { .. } | Event::CommitmentQuestioned { .. } | Event::CommitmentLapsed { .. } => self.promise.is_some(),
            Event::ClaimLapsed { .. } => self.claim.is_some(),
            Event::RoundStarted { .. } => self.is_open() && matches!(self.progress, Progress::Rounds { .. }),
            Event::DispatchQueued { dispatch, .. } => *dispatch == self.dispatches.saturating_add(1),
            Event::DispatchReported { dispatch, .. } => (1..=self.dispatches).contains(dispatch),
            Event::ReceiptOverdue { dispatch, .. } => {
                self.attempts.get(dispatch).is_some_and(|a| matches!(a.state, AttemptState::Accepted(Some(_))))
            }
            Event::Archived { .. } => self.closing.is_some(),
            Event::Raised(_)
            | Event::StationStarted { .. }
            | Event::ClockStepped { .. }
            | Event::RecordLost { .. }
            | Event::RecordFound {}
            | Event::DirectoryAdopted { .. }
            | Event::PersonVersioned { .. }
            | Event::TroubleRaised { .. }
            | Event::TroubleCleared { .. }
            | Event::DeviceReported { .. } => false,
        }
    }

    /// Until when a bare yes holds the climb. `None` where nothing climbs, where it waits as long anyway, or where one has held it
    /// before: two machines must not hold it for ever.
    pub(crate) fn pause(&self, now: Timestamp) -> Option<Timestamp> {
        let until = BARE_YES_PAUSE.after(now);
        match self.progress {
            Progress::Climb { until: waits, .. } => (self.is_running() && !self.paused && waits < until).then_some(until),
            Progress::Rounds { .. } => None,
        }
    }

    fn on_paused(&mut self, until: Timestamp) {
        self.paused = true;
        match &mut self.progress {
            Progress::Climb { until: waits, .. } => *waits = until.max(*waits),
            Progress::Rounds { .. } => {}
        }
    }

    /// Whether the last press had this payload.
    pub(crate) fn is_last_payload(&self, digest: Option<Digest>) -> bool {
        digest.is_some() && self.payload == digest
    }

    /// How often this human has held the climb by "verifying".
    pub(crate) fn times_verified(&self, by: &Responder) -> usize {
        self.verified.iter().filter(|c| c.is(by)).count()
    }

    fn on_pressed_again(&mut self, at: Timestamp, presses: u32, how: Repeat, payload: Option<Digest>) {
        self.presses = presses;
        match how {
            Repeat::Redelivered => return,
            Repeat::SameGesture => {}
            Repeat::Again => self.gesture_at = at,
        }
        self.last_press_at = at;
        self.payload = payload;
    }

    /// Whoever had committed before, and is somebody else, stays on as a co-responder.
    fn on_accepted(&mut self, at: Timestamp, by: &Responder, commitment: Commitment, arrive_by: Timestamp, climb_on: bool) {
        self.joined.retain(|c| !c.is(by));
        if let Some(before) = self.promise.take()
            && !before.by.is(by)
        {
            self.joined.push(before.by);
        }
        let by = Companion::new(by, commitment);
        match commitment {
            Commitment::Verifying => self.verified.push(by.clone()),
            Commitment::Going => {}
        }
        self.promise = Some(Box::new(Promise { by, commitment, since: at, arrive_by, grace_until: None, climb_on }));
    }

    fn pursue(&mut self, parties: &[Party]) {
        self.latest = self.pursuits.len();
        self.pursuits.extend(parties.iter().map(|party| Pursuit { party: party.clone(), step: 0, state: Chase::Trying }));
    }

    /// Rounds go on without end, so what can no longer change anything is let go here.
    fn begin_round(&mut self) {
        self.pursuits = Vec::new();
        self.attempts.retain(|_, a| match a.state {
            AttemptState::Owed => true,
            AttemptState::Accepted(_) | AttemptState::Overdue | AttemptState::Delivered | AttemptState::Lost => false,
        });
        for attempt in self.attempts.values_mut() {
            attempt.pursuit = None;
        }
    }

    fn on_passed_over(&mut self, rung: RungIndex, who: &Who, why: ContactSkip) {
        for pursuit in &mut self.pursuits {
            if pursuit.party.who == *who && pursuit.party.rung == rung {
                pursuit.state = Chase::Over(why);
            }
        }
    }

    fn on_queued(&mut self, at: Timestamp, number: u32, attempt: Attempt) {
        self.dispatches = self.dispatches.max(number);
        if let Some((pursuit, step)) = attempt.pursuit
            && let Some(pursuit) = self.pursuits.get_mut(usize::from(pursuit))
        {
            pursuit.step = step;
        }
        match attempt.purpose {
            Purpose::Alarm | Purpose::AlarmAgain | Purpose::AskFirst => {
                let alarms = self.told.get(&attempt.to).map_or(0, |told| told.alarms).saturating_add(1);
                self.told.insert(attempt.to.clone(), Told { medium: attempt.medium, alarms });
            }
            Purpose::PressedAgain => self.pressed_again_told_at = Some(at),
            Purpose::NothingAcknowledged | Purpose::WhichAlarm | Purpose::AlreadyClosed => {
                if let Some(contact) = attempt.to.contact() {
                    self.answered_at.insert(contact, at);
                }
            }
            Purpose::Confirmed | Purpose::Declined | Purpose::SomeoneGoing | Purpose::StillGoing | Purpose::StandDown => {}
        }
        self.attempts.insert(number, attempt);
    }

    fn on_reported(&mut self, number: u32, report: &Report, receipt_by: Option<Timestamp>) {
        let Some(attempt) = self.attempts.get_mut(&number) else {
            return;
        };
        let state = match report {
            Report::AcceptedReceiptDue | Report::Accepted => AttemptState::Accepted(receipt_by),
            Report::Delivered => AttemptState::Delivered,
            Report::Undelivered { .. } | Report::Failed(_) => AttemptState::Lost,
        };
        let lost = state == AttemptState::Lost && attempt.state != AttemptState::Lost;
        attempt.state = attempt.state.max(state);
        if lost
            && attempt.purpose.is_alarm()
            && let Some(told) = self.told.get_mut(&attempt.to)
        {
            told.alarms = told.alarms.saturating_sub(1);
        }
    }

    fn on_declined(&mut self, by: &Responder, rests_until: Timestamp) {
        self.joined.retain(|c| !c.is(by));
        if self.promise.as_ref().is_some_and(|p| p.by.is(by)) {
            self.promise = None;
        }
        let Some(person) = by.person else { return };
        self.resting.insert(person.person, rests_until);
        for pursuit in &mut self.pursuits {
            if pursuit.party.who == Who::Person(person.person) {
                pursuit.state = Chase::Over(ContactSkip::Resting);
            }
        }
    }
}
