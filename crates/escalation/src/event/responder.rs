//! Who answered and how, why an answer counts for nothing, and why a commitment ended.

use serde::{Deserialize, Serialize};

use super::doer::Doer;
use super::offer;
use crate::acknowledgement::Gesture;
use crate::id::{ContactKey, PersonVersion};
use crate::private::{Field, Private};

/// Why something that came back counts for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetAside {
    /// Not a form that counts: free text, a quote, a reaction, an auto-reply.
    NotAnAnswer,
    /// A bare yes without its code.
    CodeMissing,
    /// A code that this phone was never given, or that has lapsed.
    UnknownCode,
    /// From a number that nobody asked.
    UnknownSender,
    /// Sent before the activation was raised.
    BeforeTheAlarm,
    /// No human gesture came with it: a scanner or a preview.
    NoGesture,
    /// An opt-out word.
    OptedOut,
    /// A word that takes an opt-out back.
    OptedIn,
    /// The activation was closed before.
    AlreadyClosed,
    /// The very same message was here before.
    Replayed,
    /// "Verifying" was renewed once already.
    VerifyingSpent,
}

/// Why a commitment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lapse {
    /// Asked whether still going, and silent.
    NoAnswer,
    /// Verifying took too long.
    VerifyingOver,
    /// Withdrawn: declined after accepting.
    Withdrawn,
    /// Had arrived, was asked whether they are safe, and was silent.
    FellSilent,
    /// The button was pressed again more than two minutes after.
    PressedAgain,
}

/// Who answered, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Responder {
    /// A person of the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonVersion>,
    /// The address they answered from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactKey>,
    /// How.
    pub via: AnsweredVia,
    /// Through the API: who is responsible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Doer>,
    /// The words, by text message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Private>,
    /// The provider's id of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_ref: Option<String>,
}

/// Somebody who accepted beside others, where an entry is about their commitment and not the first one's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CoResponder {
    /// The `aseq` of the entry in which they accepted last.
    pub answer: u32,
    /// A person of the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonVersion>,
}

impl Responder {
    /// What tells somebody without a place in the directory from others: their address, else the name a caller gave.
    pub(crate) fn mark(&self) -> Option<ContactKey> {
        self.contact.or_else(|| self.by.as_ref()?.actor_key)
    }

    /// Offers its private texts to `seal`.
    pub(super) fn seal_with(&mut self, seal: &mut dyn FnMut(Field<'_>)) {
        let subject = self.person.map(|p| p.person.to_string()).unwrap_or_default();
        offer(seal, "text", &subject, self.text.as_mut());
        if let Some(doer) = &mut self.by {
            doer.seal_with(seal);
        }
    }
}

/// How an answer came: part of its quality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnsweredVia {
    /// A text message with a code.
    Sms,
    /// The responder's page, with a gesture.
    Link(Gesture),
    /// A key-held API call.
    Api,
    /// A digit pressed in a call, after another one that asked to hear it.
    Voice,
}
