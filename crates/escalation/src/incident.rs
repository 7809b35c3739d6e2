//! An incident: calls that are open at one site at the same time.
//!
//! Nothing is merged by it. Each call keeps its ladder, its codes, its answers and its closing, because each is one person's. A
//! reference says that they belong together, and whoever goes to one of them hears of the others: a second press at a place is
//! news to nobody more than to those who are on the way there (lifecycle, "Signal, activation, trouble").

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::acknowledgement::Commitment;
use crate::activation::{Activation, Check, Companion, Told};
use crate::answering::address_of;
use crate::course::Course;
use crate::dispatch::{Purpose, Recipient};
use crate::engine::Engine;
use crate::event::Event;
use crate::id::{ActivationId, ContactKey, CustomerId, PersonId, SiteId};
use crate::ladder::Medium;
use crate::signal::Kind;

/// So many calls that are open at a site are looked at, the earliest ones (ours): nobody reads a longer list, and a site where
/// hundreds are pressed must not be slow for it.
pub const BESIDE_MAX: usize = 10;

/// Who is open at which site, in the order in which they were raised; what is opened again comes last. Drills are no calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scenes {
    calls: Sites,
    /// Those of them that are for responders who went there.
    for_responders: Sites,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Sites(BTreeMap<SiteId, Vec<ActivationId>>);

impl Scenes {
    pub(crate) fn enter(&mut self, act: &Activation) {
        if act.is_drill() {
            return;
        }
        self.calls.enter(act);
        if act.about.is_some() {
            self.for_responders.enter(act);
        }
    }

    pub(crate) fn leave(&mut self, act: &Activation) {
        self.calls.leave(act);
        self.for_responders.leave(act);
    }
}

impl Sites {
    fn enter(&mut self, act: &Activation) {
        let Some(here) = self.0.get_mut(&act.device.site) else {
            self.0.insert(act.device.site.clone(), vec![act.id.clone()]);
            return;
        };
        // Thousands may be open at one site: twice the room of what is there would weigh on every one of them.
        if here.len() == here.capacity() {
            here.reserve_exact(here.len() / 8 + 1);
        }
        here.push(act.id.clone());
    }

    fn leave(&mut self, act: &Activation) {
        let Some(here) = self.0.get_mut(&act.device.site) else { return };
        if let Some(place) = here.iter().position(|id| *id == act.id) {
            here.remove(place);
        }
        if here.is_empty() {
            self.0.remove(&act.device.site);
        }
    }

    fn at(&self, site: &SiteId) -> &[ActivationId] {
        self.0.get(site).map_or(&[], Vec::as_slice)
    }
}

impl Engine {
    /// The other calls that are open at an activation's site: the ten earliest, in order; what was opened again comes last. None are
    /// drills, nor presses of a button on test whose tester is still asked. A drill is beside nothing.
    pub fn calls_beside<'e>(&'e self, act: &'e Activation) -> impl Iterator<Item = &'e Activation> {
        self.calls_at(&act.customer, &act.device.site).filter(|other| other.id != act.id && !act.is_drill()).take(BESIDE_MAX)
    }

    /// Whether somebody is not told of a call beside another: any call at that site is for them, who fell silent or called for help
    /// where they went, or it is silent and they work where it comes from. Whoever threatens somebody may read their phone.
    pub fn is_kept_from(&self, call: &Activation, person: Option<PersonId>, contact: ContactKey) -> bool {
        let is_theirs = |call: &Activation| self.is_for(call, person, contact);
        let mut for_responders = self.those_open(self.scenes().for_responders.at(&call.device.site), &call.customer);
        is_theirs(call)
            || for_responders.any(is_theirs)
            || person.is_some_and(|person| self.may_be_watched(person, &call.device, call.kind))
    }

    /// Whether a call is for somebody who went to another.
    fn is_for(&self, call: &Activation, person: Option<PersonId>, contact: ContactKey) -> bool {
        call.about.as_deref().is_some_and(|about| {
            let shares = |in_need: PersonId| self.person(in_need).is_some_and(|p| p.contacts.values().any(|theirs| *theirs == contact));
            about.mark == Some(contact) || about.person.is_some_and(|in_need| person == Some(in_need.person) || shares(in_need.person))
        })
    }

    /// The incident that a call raised now at this site belongs to: the first call of it, whether or not that one is still open.
    /// `None` where nothing else is open there.
    pub(crate) fn incident_at(&self, customer: &CustomerId, site: &SiteId) -> Option<ActivationId> {
        let first = self.calls_at(customer, site).next()?;
        Some(first.incident.as_deref().unwrap_or(&first.id).clone())
    }

    /// The reference of an incident is kept once for the calls that follow one another in it.
    pub(crate) fn share_incident(&self, act: &Activation) -> Option<Arc<ActivationId>> {
        let latest = self.scenes().calls.at(&act.device.site).last().and_then(|id| self.activation(id));
        let known = latest.and_then(|latest| latest.incident.clone()).filter(|known| act.incident.as_ref() == Some(known));
        known.or_else(|| act.incident.clone())
    }

    fn calls_at(&self, customer: &CustomerId, site: &SiteId) -> impl Iterator<Item = &Activation> {
        self.those_open(self.scenes().calls.at(site), customer)
    }

    fn those_open<'e>(&'e self, here: &'e [ActivationId], customer: &CustomerId) -> impl Iterator<Item = &'e Activation> {
        let here = here.iter().filter_map(|id| self.activation(id));
        here.filter(move |act| act.customer == *customer && act.is_open() && act.asks_tester().is_none())
    }
}

impl Activation {
    /// Who is on the way, or there.
    fn on_the_way(&self) -> impl Iterator<Item = &Companion> {
        let there = self.arrivals.iter().filter(|arrival| arrival.check != Check::Over).map(|arrival| &arrival.by);
        self.committed().map(|promise| &promise.by).chain(there)
    }

    /// Whether an alarm of this call may have reached them, whoever they answered it as. What asked a tester was none.
    fn knows(&self, to: &Recipient) -> bool {
        let is_alarmed = |told: &Told| told.reached() && !told.as_tester;
        self.told.iter().any(|(other, told)| is_same(other, to) && is_alarmed(told))
    }

    /// Whether they are among those whom the latest rung asks.
    fn asks_now(&self, to: &Recipient) -> bool {
        let channels = self.latest_pursuits().flat_map(|(_, pursuit)| pursuit.party.steps.iter().flatten());
        channels.into_iter().any(|channel| channel.to.contact() == to.contact())
    }
}

impl Course<'_> {
    /// Whoever goes to another call at this site is told of this one, once, whatever rung they stand on: in writing, where they
    /// answered the other, with a code of this one's. The ladder goes its own way beside it. What is opened again is news to everybody
    /// but whom it asks at once, also to whoever had declined it.
    pub(crate) fn tell_whoever_goes_there(&mut self) {
        let is_opened_again = self.events.iter().any(|event| matches!(event, Event::Reopened { .. }));
        for (to, medium) in self.going_to_others() {
            let person = person_of(&to);
            let is_known = if is_opened_again {
                self.act.asks_now(&to)
            } else {
                let has_declined = person.is_some_and(|person| self.act.resting.contains_key(&person));
                self.act.knows(&to) || has_declined || self.is_warned(&to)
            };
            let goes = person.is_some() && self.act.committed().any(|promise| promise.by.person.map(|by| by.person) == person);
            let is_kept = to.contact().is_none_or(|contact| self.engine.is_kept_from(&self.act, person, contact));
            if !is_known && !goes && !is_kept {
                self.owe(to, medium, Purpose::Alarm, None);
            }
        }
    }

    /// Whether they were going where a colleague fell silent when that call was raised: then words of its own have warned them. Who goes
    /// there later, only looks, or goes to another call there, hears of it from here.
    fn is_warned(&self, to: &Recipient) -> bool {
        let silent = self.act.about.as_deref().filter(|_| self.act.kind == Kind::Welfare);
        let Some(theirs) = silent.and_then(|about| self.engine.activation(&about.of)) else { return false };
        let then = theirs.committed().filter(|promise| promise.since <= self.act.raised_at).map(|promise| &promise.by);
        let mut going = then.filter(|by| by.commitment == Commitment::Going);
        going.any(|by| address_of(self.engine, theirs, by).is_some_and(|(other, _)| is_same(&other, to)))
    }

    /// Where those can be written to who go to another call at this site, each once, to however many they go.
    fn going_to_others(&self) -> Vec<(Recipient, Medium)> {
        let others = self.engine.calls_beside(&self.act);
        let going = others.flat_map(|other| other.on_the_way().filter_map(|by| address_of(self.engine, other, by)));
        let mut once: Vec<(Recipient, Medium)> = Vec::new();
        for (to, medium) in going.filter(|(_, medium)| matches!(medium, Medium::Sms | Medium::Email)) {
            if !once.iter().any(|(other, _)| is_same(other, &to)) {
                once.push((to, medium));
            }
        }
        once
    }
}

/// Whether two are one human, as far as their address or their name tells.
fn is_same(one: &Recipient, other: &Recipient) -> bool {
    one.contact() == other.contact() || person_of(one).is_some_and(|person| person_of(other) == Some(person))
}

fn person_of(to: &Recipient) -> Option<PersonId> {
    match to {
        Recipient::Person { person, .. } => Some(person.person),
        Recipient::Centre { .. } | Recipient::Stranger { .. } => None,
    }
}
