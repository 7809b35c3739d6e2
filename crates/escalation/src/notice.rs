//! A notice: what people were told of a matter, by whom it is looked after, and what is owed to them.
//!
//! It is no activation: it has no button, no place and no responder, and nothing of it is listed, counted or answered with one.
//! A matter has one notice for good, so that its reference means the same every time. Its codes are new each time it begins: the
//! late answer to one trouble must not take the next.

use std::collections::BTreeMap;

use crate::acknowledgement::Code;
use crate::activation::AttemptState;
use crate::dispatch::{Purpose, Recipient};
use crate::event::{Event, Party, Responder, Telling};
use crate::id::{ActivationId, ContactKey, LadderId};
use crate::ladder::{Medium, RungIndex};
use crate::matter::Matter;
use crate::reporting;
use crate::time::Timestamp;
use crate::trouble::Cause;

/// So many beginnings are remembered: a matter begins no more often in an hour.
pub(crate) const BEGINNINGS: usize = 3;
/// So many of the latest messages are remembered whatever they were.
const WORDS_MAX: usize = 64;

/// What people were told of a matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its reference: `TRB-7`.
    pub id: ActivationId,
    /// Of what.
    pub matter: Matter,
    /// Which cause the last message named.
    pub cause: Cause,
    /// How many others of the matter there were then.
    pub more: u32,
    /// Since when there was any trouble, as the last message says.
    pub opened: Timestamp,
    /// Since when it was told this time.
    pub since: Timestamp,
    /// How it stands.
    pub stage: NoticeStage,
    /// How many entries of the record it has: a withheld one shows.
    pub entries: u32,
    /// Since when nothing of the matter is open, while people are still to be told that it is over.
    pub(crate) calm_since: Option<Timestamp>,
    /// When people were told last.
    pub(crate) told_at: Timestamp,
    /// Of which ladder.
    pub(crate) ladder: Option<LadderId>,
    /// When it last began, or grew, the latest last.
    pub(crate) begun: Vec<Timestamp>,
    pub(crate) pursued: Vec<Pursued>,
    pub(crate) words: BTreeMap<u32, Word>,
    pub(crate) dispatches: u32,
    pub(crate) codes: BTreeMap<ContactKey, Code>,
}

/// How a notice stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoticeStage {
    /// People are told, and nobody has said that they look after it.
    Asking {
        /// The rung that was told last.
        rung: RungIndex,
        /// When the next one is, or everybody again.
        until: Timestamp,
    },
    /// Somebody looks after it.
    Taken {
        /// Who.
        by: Box<Responder>,
        /// The rung that was told last.
        rung: RungIndex,
        /// When people are told again if it lasts.
        until: Timestamp,
    },
    /// It is over, and whoever was told has been told so.
    Over,
}

/// A party of the rung that was told last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pursued {
    pub(crate) party: Party,
    pub(crate) step: u16,
    /// They said that they cannot.
    pub(crate) declined: bool,
}

impl Pursued {
    fn is(&self, by: &Responder) -> bool {
        let mut channels = self.party.steps.iter().flatten();
        let by_phone = by.contact.is_some() && channels.any(|channel| channel.to.contact() == by.contact);
        by_phone || by.person.is_some_and(|by| self.party.person.is_some_and(|own| own.person == by.person))
    }
}

/// One message about a matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Word {
    /// To whom.
    pub to: Recipient,
    /// By which channel.
    pub medium: Medium,
    /// What for.
    pub purpose: Purpose,
    /// When it was queued.
    pub at: Timestamp,
    /// What became of it.
    pub state: AttemptState,
    pub(crate) pursued: Option<(u16, u16)>,
}

impl Word {
    /// Whether it says that there is a trouble.
    pub fn tells(&self) -> bool {
        match self.purpose {
            Purpose::Trouble | Purpose::TroubleAgain => true,
            // No notice sends any but the first two.
            Purpose::TroubleTaken
            | Purpose::TroubleOver
            | Purpose::Alarm
            | Purpose::AlarmAgain
            | Purpose::AskFirst
            | Purpose::AskKeeper
            | Purpose::AskTester
            | Purpose::NotATest
            | Purpose::PressedAgain
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
            | Purpose::AlreadyClosed => false,
        }
    }
}

impl Notice {
    /// The messages since it last began, the earliest first.
    pub fn words(&self) -> impl Iterator<Item = &Word> {
        self.words.values().filter(|word| word.at >= self.since)
    }

    /// Whom the trouble was told, each address once: all whom a message may have reached.
    pub fn told(&self) -> Vec<(&Recipient, Medium)> {
        let mut told: Vec<(&Recipient, Medium)> = Vec::new();
        for word in self.words().filter(|word| word.tells() && word.state != AttemptState::Lost) {
            if !told.iter().any(|(to, medium)| *medium == word.medium && to.is_same_address(&word.to)) {
                told.push((&word.to, word.medium));
            }
        }
        told
    }

    /// Whether people wait for the word that it is over.
    pub fn is_open(&self) -> bool {
        match self.stage {
            NoticeStage::Asking { .. } | NoticeStage::Taken { .. } => true,
            NoticeStage::Over => false,
        }
    }

    /// Whether a party can still be told by a message that is on its way or arrived.
    pub(crate) fn is_alive(&self, pursued: (u16, u16)) -> bool {
        self.words.values().any(|word| word.pursued == Some(pursued) && word.at >= self.since && word.state != AttemptState::Lost)
    }

    /// Whether anybody of the rung that was told last may still answer.
    pub(crate) fn is_waited_for(&self) -> bool {
        let mut waiting = self.pursued.iter().enumerate().filter(|(_, pursued)| !pursued.declined);
        waiting.any(|(index, pursued)| u16::try_from(index).is_ok_and(|index| self.is_alive((index, pursued.step))))
    }

    /// The latest message that told a phone of the trouble by text.
    pub(crate) fn word_to(&self, contact: ContactKey) -> Option<&Word> {
        let told = self.words().filter(|word| word.tells() && word.medium == Medium::Sms && word.state != AttemptState::Lost);
        told.filter(|word| word.to.contact() == Some(contact)).last()
    }

    /// When a phone was last sent anything of it by text, also before it last began; `None` where its owner looks after it.
    pub(crate) fn last_spoke_to(&self, contact: ContactKey) -> Option<Timestamp> {
        let is_theirs = match &self.stage {
            NoticeStage::Taken { by, .. } => by.contact == Some(contact),
            NoticeStage::Asking { .. } | NoticeStage::Over => false,
        };
        let mut to_them = self.words.values().rev().filter(|word| word.medium == Medium::Sms && word.to.contact() == Some(contact));
        to_them.find(|word| !is_theirs && word.state != AttemptState::Lost).map(|word| word.at)
    }

    /// Takes one of its events; false for what is none of them, or cannot follow what is here.
    pub(crate) fn apply(&mut self, at: Timestamp, event: &Event) -> bool {
        self.entries = self.entries.saturating_add(1);
        match event {
            Event::TroubleTold { cause, more, opened, ladder, rung, why, until, parties, .. } => {
                self.ladder = Some(ladder.clone());
                (self.cause, self.more, self.opened) = (cause.clone(), *more, *opened);
                self.on_told(at, *why, parties);
                self.stage = NoticeStage::Asking { rung: *rung, until: *until };
                true
            }
            Event::DispatchQueued { dispatch, to, medium, purpose, pursuit, code, .. } => {
                let word = Word { to: to.clone(), medium: *medium, purpose: *purpose, at, state: AttemptState::Owed, pursued: *pursuit };
                self.on_queued(*dispatch, word, *code)
            }
            Event::DispatchReported { dispatch, report, .. } => {
                if let Some(word) = self.words.get_mut(dispatch) {
                    word.state = word.state.max(reporting::rank(report));
                }
                self.has_queued(*dispatch)
            }
            Event::TroubleAnswered { by, takes, until, .. } => self.on_answered(by, *takes, *until),
            Event::TroubleOver { .. } => {
                let was_open = self.is_open();
                self.stage = NoticeStage::Over;
                self.calm_since = None;
                self.pursued = Vec::new();
                was_open
            }
            Event::RungPassedOver { .. } | Event::ContactPassedOver { .. } => true,
            Event::Raised(_)
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
            | Event::TestAnswered { .. }
            | Event::PressedAgain { .. }
            | Event::CancelAsked { .. }
            | Event::AskedFirst { .. }
            | Event::RungEntered { .. }
            | Event::ReceiptOverdue { .. }
            | Event::Accepted { .. }
            | Event::Joined { .. }
            | Event::Declined { .. }
            | Event::Arrived { .. }
            | Event::SafetyAsked { .. }
            | Event::FellSilent { .. }
            | Event::PoliceNeeded { .. }
            | Event::PoliceUnrung { .. }
            | Event::PoliceRung { .. }
            | Event::AnswerSetAside { .. }
            | Event::CommitmentQuestioned { .. }
            | Event::CommitmentLapsed { .. }
            | Event::Claimed { .. }
            | Event::ClaimLapsed { .. }
            | Event::Held { .. }
            | Event::HoldEnded { .. }
            | Event::HandOverOffered { .. }
            | Event::HandOverEnded { .. }
            | Event::Escalated { .. }
            | Event::Exhausted { .. }
            | Event::RoundStarted { .. }
            | Event::NoteAdded { .. }
            | Event::StepTaken { .. }
            | Event::SaidSafe { .. }
            | Event::WordJudged { .. }
            | Event::WordHeeded { .. }
            | Event::Closed { .. }
            | Event::Reopened { .. }
            | Event::Archived { .. }
            | Event::BundleExported { .. }
            | Event::RegisterExported { .. }
            | Event::Erased { .. }
            | Event::LegalHoldSet { .. }
            | Event::Viewed(_) => false,
        }
    }

    /// Whether a message has been queued under this number, remembered or not.
    pub(crate) fn has_queued(&self, number: u32) -> bool {
        (1..=self.dispatches).contains(&number)
    }

    fn on_told(&mut self, at: Timestamp, why: Telling, parties: &[Party]) {
        match why {
            Telling::Begins => self.begin(at),
            Telling::Joined => self.remember_beginning(at),
            Telling::WaitOver | Telling::NobodyLeft | Telling::Declined | Telling::Again => {}
        }
        self.told_at = at;
        self.pursued = parties.iter().map(|party| Pursued { party: party.clone(), step: 0, declined: false }).collect();
        // What becomes of earlier ones says nothing about whom this rung tries.
        self.words.values_mut().for_each(|word| word.pursued = None);
        self.forget_repeats();
    }

    fn on_answered(&mut self, by: &Responder, takes: bool, until: Timestamp) -> bool {
        if !takes {
            self.pursued.iter_mut().filter(|pursued| pursued.is(by)).for_each(|pursued| pursued.declined = true);
        }
        match (&self.stage, takes) {
            (NoticeStage::Asking { rung, .. } | NoticeStage::Taken { rung, .. }, true) => {
                self.stage = NoticeStage::Taken { by: Box::new(by.clone()), rung: *rung, until };
            }
            (NoticeStage::Taken { rung, .. }, false) if self.is_looked_after_by(by) => {
                self.stage = NoticeStage::Asking { rung: *rung, until };
            }
            (NoticeStage::Asking { .. } | NoticeStage::Taken { .. }, false) => {}
            (NoticeStage::Over, _) => return false,
        }
        true
    }

    /// Whether it is they who said that they look after it.
    pub(crate) fn is_looked_after_by(&self, by: &Responder) -> bool {
        match &self.stage {
            NoticeStage::Taken { by: before, .. } => before.contact == by.contact,
            NoticeStage::Asking { .. } | NoticeStage::Over => false,
        }
    }

    fn on_queued(&mut self, number: u32, word: Word, code: Option<Code>) -> bool {
        if number != self.dispatches.saturating_add(1) {
            return false;
        }
        self.dispatches = number;
        if let (Some(code), Some(contact)) = (code, word.to.contact()) {
            self.codes.insert(contact, code);
        }
        if let Some((index, step)) = word.pursued
            && let Some(pursued) = self.pursued.get_mut(usize::from(index))
        {
            pursued.step = step;
        }
        self.words.insert(number, word);
        true
    }

    /// A trouble may last for months. Whoever was told stays known, however often it was said again.
    fn forget_repeats(&mut self) {
        let mut known: Vec<(Recipient, Medium)> = Vec::new();
        let mut repeats = Vec::new();
        for (index, (number, word)) in self.words.iter().rev().enumerate() {
            let reached = word.tells() && word.state != AttemptState::Lost;
            let first = reached && !known.iter().any(|(to, medium)| *medium == word.medium && to.is_same_address(&word.to));
            if first {
                known.push((word.to.clone(), word.medium));
            }
            if !first && index >= WORDS_MAX && word.state != AttemptState::Owed {
                repeats.push(*number);
            }
        }
        for number in repeats {
            self.words.remove(&number);
        }
    }

    fn begin(&mut self, at: Timestamp) {
        self.since = at;
        self.calm_since = None;
        self.remember_beginning(at);
        self.codes = BTreeMap::new();
        // A carrier may still say what became of those that it has.
        self.words.retain(|_, word| !matches!(word.state, AttemptState::Delivered | AttemptState::Lost));
    }

    fn remember_beginning(&mut self, at: Timestamp) {
        if self.begun.len() == BEGINNINGS {
            self.begun.remove(0);
        }
        self.begun.push(at);
    }
}
