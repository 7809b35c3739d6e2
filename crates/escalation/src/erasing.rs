//! Erasing private values, and what forbids it. The record keeps every entry and hash; whoever erases deletes what lies beside them.

use crate::engine::Engine;
use crate::event::{Doer, Erasable, Event};
use crate::id::{ActivationId, PersonId};
use crate::input::{Erasure, LegalHold};
use crate::rejection::Rejection;

/// How many values one entry names: with more it would be a long line, and several entries say the same.
const VALUES_MAX: usize = 500;

impl Engine {
    pub(crate) fn on_erasure(&self, erasure: &Erasure) -> Result<Vec<Event>, Rejection> {
        self.must_be_quiet()?;
        match &erasure.from {
            Erasable::Activation(id) => self.may_erase_activation(id)?,
            Erasable::Person(person) => self.may_erase_person(*person)?,
        }
        if erasure.values.is_empty() {
            return Err(Rejection::NothingToErase);
        }
        let erased = erasure.values.chunks(VALUES_MAX).map(|values| Event::Erased {
            cust: erasure.customer.clone(),
            from: erasure.from.clone(),
            basis: erasure.basis.clone(),
            by: Doer::from(&erasure.by),
            values: values.to_vec(),
        });
        // What lacks its words is not opened again: it leaves memory with them.
        let left = match &erasure.from {
            Erasable::Activation(id) => self.activation(id).map(|act| Event::Archived { act: act.id.clone() }),
            Erasable::Person(_) => None,
        };
        Ok(left.into_iter().chain(erased).collect())
    }

    pub(crate) fn on_legal_hold(&self, hold: &LegalHold) -> Vec<Event> {
        // Each order is recorded, also a second one for the same call; one that was not given cannot be lifted.
        if !hold.on && !self.legal_holds().contains(&hold.of) {
            return Vec::new();
        }
        let LegalHold { customer, of, on, by, reason } = hold;
        vec![Event::LegalHoldSet { cust: customer.clone(), of: of.clone(), on: *on, by: Doer::from(by), reason: reason.clone() }]
    }

    /// Nothing is erased while anybody calls for help or is owed a word: whoever goes may stand on no ladder, and strangers' numbers
    /// and callers' own names are in memory alone and go with the first erasure.
    fn must_be_quiet(&self) -> Result<(), Rejection> {
        if self.open_count() == 0 && self.owed_count() == 0 { Ok(()) } else { Err(Rejection::StillAtWork) }
    }

    /// Whoever asks has looked whether there is such an activation at all.
    fn may_erase_activation(&self, id: &ActivationId) -> Result<(), Rejection> {
        if self.legal_holds().contains(id) { Err(Rejection::UnderLegalHold(id.clone())) } else { Ok(()) }
    }

    /// Whoever the directory names must be reachable, and what is under legal hold may name anybody.
    fn may_erase_person(&self, person: PersonId) -> Result<(), Rejection> {
        if let Some(id) = self.legal_holds().first() {
            return Err(Rejection::UnderLegalHold(id.clone()));
        }
        if self.is_gone(person) { Ok(()) } else { Err(Rejection::StillInTheDirectory(person)) }
    }
}
