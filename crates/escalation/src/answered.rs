//! When people last answered from a phone of their own: that a number is in the directory does not mean that somebody answers it.
//!
//! Only what a human did with what was sent to them counts: a reply with a code, a gesture on their page, digits in a call. What
//! somebody says of them through the API proves no phone, and neither does a receipt. It counts for the address it came from: a
//! person with another number is somebody whom nobody has heard from. And it is known by the customer whose call it was: when
//! somebody answered another one's is nothing that this one is told.

use crate::engine::Engine;
use crate::event::{AnsweredVia, Event, Responder};
use crate::id::{ContactKey, CustomerId, PersonId};
use crate::time::Timestamp;

/// The last answer of a person.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LastAnswer {
    at: Timestamp,
    /// The address it came from, where that is known; of a link it is not.
    contact: Option<ContactKey>,
    /// Which of their details were in force.
    version: u32,
}

impl Engine {
    /// When a person last answered from an address that they still have, to one of the customers that `of` names; to the operator,
    /// about a trouble, is `None` there. `None` where nobody knows that they ever did.
    pub fn last_answered(&self, id: PersonId, of: impl Fn(Option<&CustomerId>) -> bool) -> Option<Timestamp> {
        let person = self.person(id)?;
        let still_theirs = |last: &LastAnswer| match last.contact {
            Some(contact) => person.contacts.values().any(|theirs| *theirs == contact),
            None => person.version == last.version,
        };
        let answers = self.answers_of(id).filter(|(customer, last)| of(*customer) && still_theirs(last));
        answers.map(|(_, last)| last.at).max()
    }

    /// Takes note of who answered, where somebody did.
    pub(crate) fn note_answer(&mut self, at: Timestamp, event: &Event) {
        let Some((by, person)) = event.responder().and_then(|by| Some((by, by.person?))) else {
            return;
        };
        if is_by_hand(by) {
            let customer = event.activation().and_then(|id| self.activation(id)).map(|act| act.customer.clone());
            self.keep_answer(person.person, customer, LastAnswer { at, contact: by.contact, version: person.version });
        }
    }
}

/// Whether a human did something with what was sent to them.
fn is_by_hand(by: &Responder) -> bool {
    match by.via {
        AnsweredVia::Sms | AnsweredVia::Link(_) | AnsweredVia::Voice => true,
        AnsweredVia::Api => false,
    }
}
