//! Responders at the place: they say that they are there, are asked whether they are safe, and are looked for where they fall silent.
//!
//! Somebody who went to help must not need a button of their own: silence raises a call for them, and so does their page.

use crate::acknowledgement::{Commitment, DEFAULT_ETA};
use crate::activation::{Activation, Arrival, Check, Companion};
use crate::course::Course;
use crate::dispatch::{Purpose, Recipient};
use crate::engine::Engine;
use crate::event::{About, Doer, Event, Responder};
use crate::ladder::Medium;
use crate::signal::{Kind, Origin, Signal, Via};
use crate::time::{Seconds, Timestamp, Why};

/// A responder who has arrived is asked this long after their last word whether they are safe.
const ASK_AFTER: Seconds = Seconds(180);
/// And has this long to answer: 5 minutes in all (lifecycle, "What an answer does").
const ANSWER_WITHIN: Seconds = Seconds(120);

impl Engine {
    /// Whether silence is what is due next of an activation: the call for whoever fell silent is a decision of its own, so that no
    /// two activations are given codes in one.
    pub(crate) fn on_silence(&self, now: Timestamp, act: &Activation) -> Option<Vec<Event>> {
        let (_, why) = act.next_due().filter(|(at, _)| *at <= now)?;
        if why != Why::Silence {
            return None;
        }
        let silent = |arrival: &Arrival| arrival.due().is_some_and(|(at, why)| at <= now && why == Why::Silence);
        let place = act.arrivals.iter().position(silent)?;
        let arrival = act.arrivals.get(place)?;
        let about = About { of: act.id.clone(), person: arrival.by.person, mark: arrival.by.mark() };
        let call = self.call_for(now, act, Kind::Welfare, about, Via::Check, None);
        let raised = call.iter().find_map(Event::activation).cloned().unwrap_or_else(|| act.id.clone());
        let mut course = Course::on(self, now, act);
        let silent = Event::FellSilent { act: act.id.clone(), arrival: u16::try_from(place).unwrap_or(u16::MAX), raised };
        course.push(silent);
        course.warn_colleagues_of(&arrival.by);
        Some(course.events.into_iter().chain(call).collect())
    }

    /// A responder needs help themselves and says so on their page.
    pub(crate) fn in_need(&self, now: Timestamp, act: &Activation, by: &Responder) -> Vec<Event> {
        let about = About { of: act.id.clone(), person: by.person, mark: by.mark() };
        self.call_for(now, act, Kind::Duress, about, Via::Page, by.by.clone())
    }

    /// A call for somebody at the place of another one, as if a button had been pressed there for them.
    fn call_for(&self, now: Timestamp, act: &Activation, kind: Kind, about: About, via: Via, by: Option<Doer>) -> Vec<Event> {
        let origin = Origin { via, client: None, qos: 0, retained: false, dup: false, waited_since: None };
        let signal = Signal::made_here(act.device.clone(), Some(kind), origin);
        self.on_press_about(now, &signal, kind, by, about)
    }
}

impl Course<'_> {
    /// Whoever else is going or there must not walk into what silenced their colleague.
    fn warn_colleagues_of(&mut self, silent: &Companion) {
        let others = self.act.committed().map(|promise| &promise.by);
        let others = others.filter(|by| by.commitment == Commitment::Going && !by.is_same(silent));
        let mut warned: Vec<(Recipient, Medium)> = Vec::new();
        for (to, medium) in others.filter_map(|by| self.address_of(by)) {
            if warned.iter().all(|(other, _)| !other.is_same_address(&to)) {
                warned.push((to, medium));
            }
        }
        for (to, medium) in warned {
            self.owe(to, medium, Purpose::ColleagueSilent, None);
        }
    }

    /// A responder is at the place, or is still safe there. Who has not committed before does so with it.
    pub(crate) fn arrive(&mut self, by: &Responder) {
        let going = self.act.promise.as_ref().is_some_and(|p| p.by.is(by) && p.commitment == Commitment::Going);
        if !going && !self.act.joined.iter().any(|joined| joined.by.is(by)) {
            self.accept(by, Commitment::Going, DEFAULT_ETA);
        }
        let renewal = self.act.has_arrived(by);
        let ask_at = ASK_AFTER.after(self.now);
        let event = Event::Arrived { act: self.id(), by: by.clone(), ask_at, silent_at: ANSWER_WITHIN.after(ask_at), renewal };
        self.push(event);
        self.confirm(by, Purpose::Confirmed);
    }

    /// Asks the responders who have not been heard for a while. After an outage they have their time to answer all the same.
    pub(crate) fn ask_whether_safe(&mut self) {
        let now = self.now;
        let quiet = |arrival: &Arrival| arrival.check == Check::Heard && arrival.ask_at <= now;
        let Some(place) = self.act.arrivals.iter().position(quiet) else { return };
        let Some(by) = self.act.arrivals.get(place).map(|arrival| arrival.by.clone()) else { return };
        let arrival = u16::try_from(place).unwrap_or(u16::MAX);
        let event = Event::SafetyAsked { act: self.id(), arrival, silent_at: ANSWER_WITHIN.after(self.now) };
        self.push(event);
        if let Some((to, medium)) = self.address_of(&by) {
            self.owe(to, medium, Purpose::AreYouSafe, None);
        }
    }
}
