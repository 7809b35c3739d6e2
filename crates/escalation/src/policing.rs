//! Police: somebody says that they are needed, somebody is asked to ring, and somebody says that they have.
//!
//! Nothing here rings anybody: 000 is rung by a person. What nobody has said to have rung counts as not rung.

use crate::course::Course;
use crate::dispatch::{Purpose, Recipient};
use crate::event::{Event, Responder};
use crate::input::Rung;
use crate::ladder::Medium;
use crate::police::Threshold;
use crate::time::Seconds;

/// A claimed centre rings within this long; without one the people who answered are told to (lifecycle, "What an answer does").
const RING_WITHIN: Seconds = Seconds(30);
/// Until somebody says that they have rung, people are asked this often,
const ASK_EVERY: Seconds = Seconds(60);
/// and after so many times
const ASK_OFTEN: u32 = 5;
/// only this often.
const ASK_LATER: Seconds = Seconds(600);

impl Course<'_> {
    /// Somebody says that the police are needed. Once more changes no deadline.
    pub(crate) fn need_police(&mut self, by: &Responder, threshold: Option<Threshold>) {
        let first = self.act.police.is_none();
        let event = Event::PoliceNeeded { act: self.id(), by: by.clone(), threshold, ring_by: RING_WITHIN.after(self.now) };
        self.push(event);
        self.ask_keeper_no_longer();
        if first {
            for (to, medium) in self.alarmed() {
                if medium == Medium::Webhook {
                    self.owe(to, medium, Purpose::RingPolice, None);
                }
            }
        }
    }

    /// Somebody has rung.
    pub(crate) fn police_rung(&mut self, by: &Responder, threshold: Option<Threshold>, rung: Option<&Rung>) {
        let event = Event::PoliceRung {
            act: self.id(),
            by: by.clone(),
            threshold,
            called_by: rung.map(|rung| rung.called_by.clone()),
            reference: rung.and_then(|rung| rung.reference.clone()),
            called_at: rung.and_then(|rung| rung.at),
        };
        self.push(event);
        self.ask_keeper_no_longer();
    }

    /// Nobody has said that they have rung. A centre that has claimed has one more minute; then everybody is asked all the same.
    pub(crate) fn police_unrung(&mut self) {
        let asked = self.act.police.as_ref().map_or(0, |police| police.asked);
        let told = self.act.claim.is_none() || asked > 0;
        let wait = if asked < ASK_OFTEN { ASK_EVERY } else { ASK_LATER };
        let event = Event::PoliceUnrung { act: self.id(), told, next: wait.after(self.now) };
        self.push(event);
        if told {
            self.ask_to_ring();
        }
    }

    /// Whoever has committed rings; where nobody has, everybody alarmed does. The others are asked whether anyone has.
    fn ask_to_ring(&mut self) {
        let ringing: Vec<(Recipient, Medium)> = self.act.committed().filter_map(|promise| self.address_of(&promise.by)).collect();
        let others = self.alarmed();
        for (to, medium) in &ringing {
            self.owe(to.clone(), *medium, Purpose::RingPolice, None);
        }
        for (to, medium) in others {
            if ringing.iter().any(|(asked, _)| is_same_reader(asked, &to)) {
                continue;
            }
            let purpose = if ringing.is_empty() { Purpose::RingPolice } else { Purpose::HasAnyoneRung };
            self.owe(to, medium, purpose, None);
        }
    }
}

/// Whoever is told to ring is not asked beside it, at another address of theirs, whether anyone has.
fn is_same_reader(one: &Recipient, other: &Recipient) -> bool {
    match (one, other) {
        (Recipient::Person { person: one, .. }, Recipient::Person { person: other, .. }) if one.person == other.person => true,
        (Recipient::Person { .. } | Recipient::Centre { .. } | Recipient::Stranger { .. }, _) => one.is_same_address(other),
    }
}
