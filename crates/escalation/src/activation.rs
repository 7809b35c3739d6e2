//! One activation's life: from the first signal to its disposition.
//!
//! Owns what may follow what within one activation. Does not know how a message is worded, who has which number,
//! or when anything happened: every `at` comes in as a parameter.

mod arrival;
mod companion;
mod followed;
mod hold;
mod pace;
mod police;
mod pursuit;
mod said_safe;
mod taking;

use std::sync::Arc;

pub use self::arrival::{Arrival, Check};
pub use self::companion::{Claim, Companion, Promise};
pub use self::followed::Followed;
pub use self::hold::{Hold, Offer};
pub use self::pace::Pace;
pub use self::police::Police;
pub use self::pursuit::{Attempt, AttemptState, Chase, Pursuit, Told};
pub use self::said_safe::SaidSafe;
use crate::acknowledgement::{BARE_YES_PAUSE, Code, Commitment, Disposition};
use crate::directory::{Centre, CloseGuard, Directory, Standing};
use crate::dispatch::Recipient;
use crate::drilling::Drill;
use crate::event::{About, Age, CoResponder, Doer, Event, Opening, Raised, Responder};
use crate::few::Few;
use crate::id::{ActivationId, CentreId, ContactKey, CustomerId, DeviceId, Digest, KeyId, PersonId};
use crate::ladder::{Ladder, Medium, RungIndex};
use crate::raising::Joint;
use crate::roster::{Rosters, WallClock};
use crate::signal::Kind;
use crate::time::{Timestamp, Why};
use crate::word::Given;

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
    /// The rosters at raise, for those that a later directory no longer knows.
    pub(crate) rosters: Arc<Rosters>,
    /// By what the hours of its rungs are read, as it was at raise; `None` where nobody knows the site.
    pub(crate) clock: Option<Arc<WallClock>>,
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
    /// How fast; `None` while it was pressed once.
    pace: Option<Box<Pace>>,
    /// The sender's id for the first press: our `received` answers it.
    pub signal_id: Option<Box<str>>,
    /// Someone at the device asked to cancel: verify.
    pub cancel_asked: bool,
    /// Somebody has said in their own words that it is real, or opened it again: no press of it is a button's own.
    pub in_earnest: bool,
    /// When more than one person's word is needed to close it.
    pub guard: CloseGuard,
    /// Who has said that it is over, each once, since it was last pressed.
    pub said_safe: Vec<SaidSafe>,
    /// A safe word that was given, or its twin.
    pub word: Option<Box<Given>>,
    /// How far it has come.
    pub progress: Progress,
    /// Who has committed, while the commitment holds.
    pub promise: Option<Box<Promise>>,
    /// Which operator owns it.
    pub claim: Option<Box<Claim>>,
    /// The time that its owner has bought.
    pub hold: Option<Box<Hold>>,
    /// How often in a row it was held, while the ladder did not move.
    pub holds: u8,
    /// To whom its owner has offered it.
    pub offer: Option<Box<Offer>>,
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
    /// For whom, where it is for a responder to another call.
    pub about: Option<Box<About>>,
    /// It is a drill: nobody pressed, and nobody is in danger.
    pub drill: Option<Box<Drill>>,
    /// The first call of the incident that it belongs to, where others were open at its site when it was raised.
    pub incident: Option<Arc<ActivationId>>,
    /// The action plan, and how far it was followed.
    pub followed: Option<Box<Followed>>,
    /// Whether the police are needed, and whether anybody has rung.
    pub police: Option<Police>,
    /// How many people have to accept before the climb stands still: the most that any rung entered so far asks for.
    pub need: u16,
    /// Co-responders, each with a deadline of their own while more than one is needed.
    pub joined: Vec<Promise>,
    /// Who is at the place or was, in order; their checks end with the call.
    pub arrivals: Vec<Arrival>,
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
    /// The station's keys under which its people were told, each once: after a key was replaced there are several. None before,
    /// and in entries from before keys had names.
    pub(crate) keys: Vec<KeyId>,
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

/// Where an activation stands, derived for readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The ladder is running; nobody has committed.
    Climbing,
    /// A named person has committed to act.
    Committed(Commitment),
    /// Nobody has committed; its owner keeps the ladder still for a stated time.
    Held,
    /// Every rung was tried; rounds go on until a human answers (I5).
    Exhausted,
    /// Closed with a disposition.
    Closed,
}

impl Activation {
    pub(crate) fn raise(at: Timestamp, raised: &Raised, device: DeviceId, ladder: Arc<Ladder>, frozen: &Directory) -> Self {
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
            rosters: Arc::clone(&frozen.rosters),
            clock: frozen.sites.get(&raised.dev.site).and_then(|site| site.clock.clone()),
            directory: raised.directory,
            eta_limit_s: raised.eta_limit_s,
            centres: raised.centres.iter().map(|(id, centre)| (id.clone(), centre.clone())).collect(),
            feedback: raised.feedback,
            raised_at: at,
            last_press_at: at,
            gesture_at: at,
            payload: raised.signal.payload_sha256,
            presses: 1,
            pace: None,
            signal_id: raised.signal.id.as_deref().map(Into::into),
            cancel_asked: false,
            in_earnest: false,
            guard: raised.guard,
            said_safe: Vec::new(),
            word: None,
            progress: Progress::Climb { rung: None, until: at },
            promise: None,
            claim: None,
            hold: None,
            holds: 0,
            offer: None,
            closing: None,
            pursuits: Vec::new(),
            attempts: Few::default(),
            told: Few::default(),
            codes: Few::default(),
            about: raised.about.clone().map(Box::new),
            drill: raised.drill_until.map(|until| Box::new(Drill { until, interrupted_at: None, ended: None })),
            incident: raised.incident.clone().map(Arc::new),
            followed: raised.plan.clone().map(|plan| Box::new(Followed::new(plan))),
            police: None,
            need: 1,
            joined: Vec::new(),
            arrivals: Vec::new(),
            verified: Vec::new(),
            resting: Few::default(),
            dispatches: 0,
            entries: 1,
            pressed_again_told_at: None,
            answered_at: Few::default(),
            joint,
            keys: Vec::new(),
            paused: false,
            latest: 0,
        }
    }

    /// Rebuilds one activation from its own history, to be looked at: it knows no rosters, and climbs no further. `None` where that does not begin with its raise.
    pub fn replay<'e>(history: impl IntoIterator<Item = (Timestamp, &'e Event)>) -> Option<Self> {
        let mut history = history.into_iter();
        let (at, first) = history.next()?;
        let Event::Raised(raised) = first else { return None };
        let mut act = Self::raise(at, raised, raised.dev.clone(), Arc::clone(&raised.ladder), &Directory::default());
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
            (Some(promise), _) if self.are_enough() => Stage::Committed(promise.commitment),
            (Some(_) | None, Progress::Climb { .. }) if self.hold.is_some() => Stage::Held,
            (Some(_) | None, Progress::Climb { .. }) => Stage::Climbing,
            (Some(_) | None, Progress::Rounds { .. }) => Stage::Exhausted,
        }
    }

    /// Whether it is a drill, by which nobody is in danger.
    pub fn is_drill(&self) -> bool {
        self.drill.is_some()
    }

    /// Whether a real call has come between.
    fn is_interrupted(&self) -> bool {
        self.drill.as_ref().is_some_and(|drill| drill.interrupted_at.is_some())
    }

    /// Where it stands in a queue: the later, the sooner it is its turn. Real calls by when they were raised, the newest first; drills
    /// behind every one of them.
    pub fn recency(&self) -> Timestamp {
        if self.is_drill() { Timestamp::MIN } else { self.raised_at }
    }

    /// Whether nobody has closed it.
    pub fn is_open(&self) -> bool {
        self.closing.is_none()
    }

    /// Whether the ladder's own clocks run: open, and neither its owner nor anybody's commitment holds them.
    pub(crate) fn is_running(&self) -> bool {
        self.is_open() && self.hold.is_none() && (self.promise.is_none() || self.climbs_beside())
    }

    /// Whether somebody has committed, and the climb goes on all the same.
    pub(crate) fn climbs_beside(&self) -> bool {
        self.promise.as_ref().is_some_and(|promise| promise.climb_on || !self.are_enough())
    }

    /// Whether the climb stands still because as many have committed as it takes.
    pub(crate) fn is_stilled(&self) -> bool {
        self.promise.is_some() && !self.climbs_beside()
    }

    /// Whether as many have committed as the ladder asks for.
    fn are_enough(&self) -> bool {
        self.need <= 1 || self.going() >= usize::from(self.need)
    }

    /// Whether somebody is going, and no more people are needed.
    pub(crate) fn is_answered(&self) -> bool {
        self.promise.as_ref().is_some_and(|promise| promise.commitment == Commitment::Going) && self.are_enough()
    }

    /// Whether somebody has committed, and more people are needed beside them.
    pub fn is_wanting(&self) -> bool {
        self.promise.is_some() && !self.are_enough()
    }

    /// Everybody who has committed, the first one first.
    pub fn committed(&self) -> impl Iterator<Item = &Promise> {
        self.promise.as_deref().into_iter().chain(&self.joined)
    }

    /// How many people are certainly going and will be there within the site's limit: whoever verifies has not said that they come.
    /// Whoever is not in the directory may be one of those who are, and two such names may be one human: beside nobody they are one.
    pub fn going(&self) -> usize {
        let going = || self.committed().map(|promise| &promise.by).filter(|by| by.commitment == Commitment::Going && !by.far);
        let known = going().filter(|by| by.person.is_some()).count();
        known.max(going().take(1).count())
    }

    /// Whether a person has accepted where others are needed beside them: they are not asked again.
    pub(crate) fn has_accepted(&self, person: PersonId) -> bool {
        self.need > 1 && self.committed().filter_map(|promise| promise.by.person).any(|by| by.person == person)
    }

    /// What happens next without anybody doing anything, and when. An open activation always has one (I3).
    pub fn next_due(&self) -> Option<(Timestamp, Why)> {
        if let Some(closing) = &self.closing {
            return Some((closing.archive_at, Why::Archive));
        }
        let drill = self.drill.as_deref().map(|drill| (drill.ends_at(), Why::DrillOver));
        // Whatever else a drill waits for, nobody is told of it beside a real call.
        if let Some(drill) = drill.filter(|_| self.is_interrupted()) {
            return Some(drill);
        }
        let promise = self.bound().filter_map(|promise| self.promise_due(promise)).min_by_key(|(at, _)| *at);
        let check = self.arrivals.iter().filter_map(Arrival::due).min_by_key(|(at, _)| *at);
        let police = self.police.as_ref().and_then(Police::due).map(|at| (at, Why::Police));
        let hold = self.hold.as_deref().map(|hold| (hold.until, Why::Hold));
        let offer = self.offer.as_ref().map(|offer| (offer.until, Why::HandOver));
        let claim = self.claim.as_ref().map(|c| (c.lapses_at, Why::ClaimLapse));
        let word = self.word.as_ref().and_then(|given| given.heed_at).map(|at| (at, Why::Word));
        [drill, promise, check, police, hold, offer, word, claim, self.progress_due(), self.receipt_due()]
            .into_iter()
            .flatten()
            .min_by_key(|(at, _)| *at)
    }

    /// Everybody whose commitment ends by itself: the first one's, and where more than one is needed everyone else's as well.
    fn bound(&self) -> impl Iterator<Item = &Promise> {
        self.promise.as_deref().into_iter().chain(self.joined.iter().filter(|_| self.need > 1))
    }

    /// Whose commitment it is that this is due of.
    pub(crate) fn promise_that_is(&self, due: (Timestamp, Why)) -> Option<&Promise> {
        self.bound().find(|promise| self.promise_due(promise) == Some(due))
    }

    /// A co-responder, as entries name them; `None` for the first one.
    pub(crate) fn co_responder(&self, promise: &Promise) -> Option<CoResponder> {
        let joined = self.joined.iter().find(|joined| joined.answer == promise.answer);
        joined.map(|joined| CoResponder { answer: joined.answer, person: joined.by.person })
    }

    /// Whoever is there is not asked whether they are still going: their own check is what their commitment waits for.
    fn promise_due(&self, promise: &Promise) -> Option<(Timestamp, Why)> {
        let there = self.arrivals.iter().find(|arrival| arrival.by.is_same(&promise.by));
        match there.map(|arrival| (arrival.check, arrival.silent_at)) {
            Some((Check::Heard | Check::Asked, _)) => None,
            Some((Check::Silent, silent_at)) => Some((silent_at, Why::Grace)),
            Some((Check::Over, _)) | None => Some(match promise.grace_until {
                Some(grace) => (grace, Why::Grace),
                None => (promise.arrive_by, Why::Arrival),
            }),
        }
    }

    /// Whether this human is at the place.
    pub(crate) fn has_arrived(&self, by: &Responder) -> bool {
        self.arrivals.iter().any(|arrival| arrival.is_of(by))
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

    /// Until when a bare yes holds the climb. `None` where nothing climbs, where it waits as long anyway, or where one has held it
    /// before: two machines must not hold it for ever.
    pub(crate) fn pause(&self, now: Timestamp) -> Option<Timestamp> {
        let until = BARE_YES_PAUSE.after(now);
        // A press of which one person is asked is held back for no longer than it is.
        if self.asks_alone() {
            return None;
        }
        match self.progress {
            Progress::Climb { until: waits, .. } => (self.is_running() && !self.paused && waits < until).then_some(until),
            Progress::Rounds { .. } => None,
        }
    }

    /// Whether its button is pressed as no hand presses. What several devices share is not judged: one of them may be a hand's.
    pub fn is_chattering(&self) -> bool {
        matches!(self.joint, Joint::Device(..)) && self.is_pressed_fast()
    }

    /// Whether no hand presses as fast.
    pub(crate) fn is_pressed_fast(&self) -> bool {
        self.pace.as_ref().is_some_and(|pace| pace.is_chatter())
    }

    /// When a press last made the climb go on in spite of somebody's commitment or hold.
    pub(crate) fn resumed_at(&self) -> Option<Timestamp> {
        self.pace.as_ref().and_then(|pace| pace.resumed_at)
    }

    fn pace_mut(&mut self) -> &mut Pace {
        self.pace.get_or_insert_with(|| Box::new(Pace::new(self.raised_at)))
    }

    /// Whether the last press had this payload.
    pub(crate) fn is_last_payload(&self, digest: Option<Digest>) -> bool {
        digest.is_some() && self.payload == digest
    }

    /// How often this human has held the climb by "verifying".
    pub(crate) fn times_verified(&self, by: &Responder) -> usize {
        self.verified.iter().filter(|c| c.is(by)).count()
    }
}
