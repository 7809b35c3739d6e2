//! A course: one decision in the making, on one activation.
//!
//! It holds a working copy, and every event it adds is applied to that copy by the very function that will apply it
//! for good. A decision can therefore look at its own consequences without changing anything outside itself.

use crate::acknowledgement::Code;
use crate::activation::Activation;
use crate::dispatch::{Purpose, Recipient};
use crate::engine::Engine;
use crate::event::Event;
use crate::id::{ActivationId, CentreId, ContactKey};
use crate::ladder::Medium;
use crate::time::Timestamp;

/// A decision in the making.
pub(crate) struct Course<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) now: Timestamp,
    pub(crate) act: Activation,
    pub(crate) events: Vec<Event>,
    /// By how many milliseconds the present step is late.
    pub(crate) late_ms: u64,
    /// A desk that this very decision is about, because nobody is at it any more.
    pub(crate) left: Option<&'a CentreId>,
    /// Codes that this very decision has given for other activations, which the engine does not know yet.
    pub(crate) given: Vec<(ContactKey, Code)>,
}

impl<'a> Course<'a> {
    /// On an activation that is already there.
    pub(crate) fn on(engine: &'a Engine, now: Timestamp, act: &Activation) -> Self {
        Self { engine, now, act: act.clone(), events: Vec::new(), late_ms: 0, left: None, given: Vec::new() }
    }

    /// Its reference, for a new event.
    pub(crate) fn id(&self) -> ActivationId {
        self.act.id.clone()
    }

    /// Adds an event and lets the working copy feel it.
    pub(crate) fn push(&mut self, event: Event) {
        if event.activation().is_some() {
            self.act.apply(self.now, &event);
        }
        self.events.push(event);
    }

    /// Owes a message. Answers to it carry a code where the recipient can answer by text.
    pub(crate) fn owe(&mut self, to: Recipient, medium: Medium, purpose: Purpose, pursuit: Option<(u16, u16)>) {
        let code = match (medium, purpose) {
            (
                Medium::Sms,
                Purpose::Alarm
                | Purpose::AlarmAgain
                | Purpose::AskFirst
                | Purpose::AskKeeper
                | Purpose::AskTester
                | Purpose::PressedAgain
                | Purpose::SomeoneGoing
                | Purpose::StillGoing
                | Purpose::AreYouSafe
                | Purpose::WhichAlarm
                | Purpose::NothingAcknowledged
                | Purpose::Confirmed,
            ) => to.contact().and_then(|contact| self.code_for(contact)),
            (
                Medium::Sms,
                Purpose::Declined
                | Purpose::NotATest
                | Purpose::ColleagueSilent
                | Purpose::RingPolice
                | Purpose::HasAnyoneRung
                | Purpose::StandDown
                | Purpose::AlreadyClosed
                | Purpose::Trouble
                | Purpose::TroubleAgain
                | Purpose::TroubleTaken
                | Purpose::TroubleOver,
            )
            | (Medium::Email | Medium::Voice | Medium::Webhook | Medium::Desk, _) => None,
        };
        let key = to.contact().and_then(|_| self.engine.key());
        let event = Event::DispatchQueued {
            act: self.id(),
            dispatch: self.act.dispatches.saturating_add(1),
            to,
            medium,
            purpose,
            pursuit,
            code,
            key,
            late_ms: self.late_ms,
        };
        self.push(event);
    }

    /// The same code on every message of this activation to this phone.
    fn code_for(&self, contact: ContactKey) -> Option<Code> {
        let given = |code: Code| self.given.contains(&(contact, code));
        self.act.codes.get(&contact).copied().or_else(|| self.engine.codes().choose(contact, given))
    }
}
