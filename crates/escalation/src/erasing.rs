//! Erasing private values, and what forbids it. The record keeps every entry and hash; whoever erases deletes what lies beside them.

use crate::activation::Activation;
use crate::dispatch::Recipient;
use crate::engine::Engine;
use crate::event::{Doer, Erasable, Event};
use crate::id::{ActivationId, PersonId};
use crate::input::{Erasure, LegalHold};
use crate::rejection::Rejection;

/// How many values one entry names: with more it would be a long line, and several entries say the same.
const VALUES_MAX: usize = 500;

impl Engine {
    pub(crate) fn on_erasure(&self, erasure: &Erasure) -> Result<Vec<Event>, Rejection> {
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
        Ok(erased.collect())
    }

    pub(crate) fn on_legal_hold(&self, hold: &LegalHold) -> Vec<Event> {
        if self.legal_holds().contains(&hold.of) == hold.on {
            return Vec::new();
        }
        let LegalHold { customer, of, on, by, reason } = hold;
        vec![Event::LegalHoldSet { cust: customer.clone(), of: of.clone(), on: *on, by: Doer::from(by), reason: reason.clone() }]
    }

    /// What is over and owes nobody a word; whoever asks has looked whether there is such an activation at all.
    fn may_erase_activation(&self, id: &ActivationId) -> Result<(), Rejection> {
        if self.legal_holds().contains(id) {
            return Err(Rejection::UnderLegalHold(id.clone()));
        }
        let is_open = self.activation(id).is_some_and(Activation::is_open);
        if is_open || self.outbox().any(|(dispatch, _)| dispatch.activation == *id) {
            return Err(Rejection::StillAtWork(id.clone()));
        }
        Ok(())
    }

    /// Whoever may still be told must be reachable, and what is under legal hold may name anybody.
    fn may_erase_person(&self, person: PersonId) -> Result<(), Rejection> {
        if let Some(id) = self.legal_holds().first() {
            return Err(Rejection::UnderLegalHold(id.clone()));
        }
        if !self.is_gone(person) {
            return Err(Rejection::StillInTheDirectory(person));
        }
        let mut at_work = self.activations().filter(|act| act.is_open() && self.directory().may_tell(&act.ladder, person));
        if let Some(act) = at_work.next() {
            return Err(Rejection::StillAtWork(act.id.clone()));
        }
        let owed =
            self.outbox().find(|(_, dispatch)| matches!(&dispatch.to, Recipient::Person { person: told, .. } if told.person == person));
        owed.map_or(Ok(()), |(dispatch, _)| Err(Rejection::StillAtWork(dispatch.activation.clone())))
    }
}
