//! Erasing private values, and what forbids it. The record keeps every entry and hash; whoever erases deletes what lies beside them.

use crate::engine::Engine;
use crate::event::{Doer, Erasable, Event};
use crate::id::ActivationId;
use crate::input::{Erasure, LegalHold, RepeatedErasure};
use crate::rejection::Rejection;

/// How many values one entry names: with more it would be a long line, and several entries say the same.
pub const VALUES_MAX: usize = 500;

impl Engine {
    pub(crate) fn on_erasure(&self, erasure: &Erasure) -> Result<Vec<Event>, Rejection> {
        self.must_be_quiet()?;
        if let Some(held) = self.held_against(&erasure.from) {
            return Err(Rejection::UnderLegalHold(held.clone()));
        }
        // Whoever the directory names must be reachable. Of an activation whoever asks has looked whether there is one.
        if let Erasable::Person(person) = &erasure.from
            && !self.is_gone(*person)
        {
            return Err(Rejection::StillInTheDirectory(*person));
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
            again: None,
        });
        Ok(self.leaves_with(&erasure.from).into_iter().chain(erased).collect())
    }

    /// What was erased stays erased whatever is open now: the calls of an older copy go on without these values, as they would have.
    /// Only what that copy holds for a court is kept back.
    pub(crate) fn on_repeated_erasure(&self, erasure: &RepeatedErasure) -> Result<Vec<Event>, Rejection> {
        if let Some(held) = self.held_against(&erasure.from) {
            return Err(Rejection::UnderLegalHold(held.clone()));
        }
        let RepeatedErasure { customer, from, basis, principal, values, again } = erasure;
        let by = Doer { principal: principal.clone(), actor: None, actor_key: None, person: None, idempotency: None };
        let erased = Event::Erased {
            cust: customer.clone(),
            from: from.clone(),
            basis: basis.clone(),
            by,
            values: values.clone(),
            again: Some(again.clone()),
        };
        let left = if self.must_be_quiet().is_ok() { self.leaves_with(from) } else { None };
        Ok(left.into_iter().chain([erased]).collect())
    }

    /// The legal hold that forbids erasing this, where there is one: what is held may name anybody.
    pub fn held_against(&self, from: &Erasable) -> Option<&ActivationId> {
        match from {
            Erasable::Activation(id) => self.legal_holds().get(id),
            Erasable::Person(_) => self.legal_holds().first(),
        }
    }

    /// What lacks its words is not opened again: it leaves memory with them.
    fn leaves_with(&self, from: &Erasable) -> Option<Event> {
        match from {
            Erasable::Activation(id) => self.activation(id).map(|act| Event::Archived { act: act.id.clone() }),
            Erasable::Person(_) => None,
        }
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
}
