//! Desks: which of the centres that are reached by their desk have somebody at it.
//!
//! Nothing is sent to a desk, so that nothing could fail there: without a word of somebody who is at it, a rung would wait its whole
//! time for nobody. A desk is *armed* while somebody says so. The shell holds what lasts seconds (who said it last, and when that
//! lapses) and brings the two transitions; here they are state, so that a replayed record waits for the same desks.

use crate::acknowledgement::Code;
use crate::activation::{Activation, Chase};
use crate::course::Course;
use crate::dispatch::Recipient;
use crate::engine::Engine;
use crate::event::{Channel, ContactSkip, DeskEnd, Doer, Event, Party};
use crate::id::{CentreId, ContactKey};
use crate::input::{Attribution, DeskArmed, DeskUnarmed};
use crate::ladder::{Medium, RungIndex, Who};
use crate::rejection::Rejection;
use crate::time::Timestamp;
use crate::trouble::Cause;

/// A desk with somebody at it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Armed {
    /// Since when.
    pub since: Timestamp,
    /// Under which key it was said first.
    pub principal: String,
}

impl Engine {
    /// Whether somebody is known to be at the desk of a centre. What is not known is not so.
    pub fn is_armed(&self, centre: &CentreId) -> bool {
        self.armed().contains_key(centre)
    }

    /// Somebody says that they are at a desk. Said again it is nothing new.
    pub(crate) fn on_desk_armed(&self, armed: &DeskArmed) -> Result<Vec<Event>, Rejection> {
        let DeskArmed { centre, by } = armed;
        if !self.directory().is_desk(centre) {
            return Err(Rejection::UnknownDesk);
        }
        if self.is_armed(centre) {
            return Ok(Vec::new());
        }
        let event = Event::DeskArmed { centre: centre.clone(), by: Doer::from(by) };
        let over = self.trouble_cleared(&Cause::DeskUnarmed { centre: centre.clone() });
        Ok(std::iter::once(event).chain(over).collect())
    }

    /// Nobody is at a desk any more. Whatever waits for it alone goes on at once, the newest call first; also what a version before this
    /// one left waiting for a desk that nobody had armed.
    pub(crate) fn on_desk_unarmed(&self, now: Timestamp, unarmed: &DeskUnarmed) -> Vec<Event> {
        let DeskUnarmed { centre, by } = unarmed;
        let why = if by.is_some() { DeskEnd::Said } else { DeskEnd::Lapsed };
        let ended = Event::DeskUnarmed { centre: centre.clone(), why, by: by.as_ref().map(Doer::from) };
        let mut events: Vec<Event> = self.is_armed(centre).then_some(ended).into_iter().collect();
        let mut waiting: Vec<&Activation> =
            self.activations().filter(|act| act.is_open() && act.waits_at(centre).next().is_some()).collect();
        waiting.sort_by_key(|act| std::cmp::Reverse(act.recency()));
        let mut given = Vec::new();
        for act in waiting {
            let mut course = Course::on(self, now, act);
            course.left = Some(centre);
            course.given = given;
            course.leave_desk(centre);
            // A phone that is told of several calls in one moment answers each by a code of its own.
            given = course.given;
            given.extend(course.events.iter().filter_map(code_given));
            // What is wrong with a ladder that several of them climb is said once.
            let is_said = |event: &Event| matches!(event, Event::TroubleRaised { .. }) && events.contains(event);
            let new: Vec<Event> = course.events.into_iter().filter(|event| !is_said(event)).collect();
            events.extend(new);
        }
        events
    }

    pub(crate) fn on_desk(&mut self, at: Timestamp, event: &Event) {
        if let Event::DeskArmed { centre, by } = event {
            let armed = Armed { since: at, principal: by.principal.clone() };
            self.armed_mut().insert(centre.clone(), armed);
        }
        if let Event::DeskUnarmed { centre, .. } = event {
            self.armed_mut().remove(centre);
        }
    }
}

impl Course<'_> {
    /// Whether somebody is at a desk, as far as this decision has come.
    pub(crate) fn is_armed(&self, centre: &CentreId) -> bool {
        self.left != Some(centre) && self.engine.is_armed(centre)
    }

    /// Whoever was waited for at this desk has left it.
    fn leave_desk(&mut self, centre: &CentreId) {
        let rungs: Vec<RungIndex> = self.act.waits_at(centre).collect();
        for rung in rungs {
            let who = Who::Centre(centre.clone());
            let event = Event::ContactPassedOver { act: self.id(), rung, who, why: ContactSkip::NobodyAtTheDesk };
            self.push(event);
        }
        self.settle();
    }
}

/// Which code a phone is given with a message.
fn code_given(event: &Event) -> Option<(ContactKey, Code)> {
    if let Event::DispatchQueued { to, code: Some(code), .. } = event { Some((to.contact()?, *code)) } else { None }
}

impl Activation {
    /// The rungs on which the latest pursuits wait for somebody at the desk of a centre.
    pub(crate) fn waits_at<'a>(&'a self, centre: &'a CentreId) -> impl Iterator<Item = RungIndex> + use<'a> {
        let waits = move |party: &Party| party.steps.iter().flatten().any(|channel| channel.is_desk_of(centre));
        let pursuits = self.latest_pursuits().filter(|(_, pursuit)| pursuit.state == Chase::Trying);
        pursuits.filter(move |(_, pursuit)| waits(&pursuit.party)).map(|(_, pursuit)| pursuit.party.rung)
    }
}

impl Channel {
    fn is_desk_of(&self, of: &CentreId) -> bool {
        match &self.to {
            Recipient::Centre { centre, .. } => self.medium == Medium::Desk && centre == of,
            Recipient::Person { .. } | Recipient::Stranger { .. } => false,
        }
    }
}

impl From<(&CentreId, &str)> for DeskArmed {
    /// Said by nobody in particular: for engines that play a part.
    fn from((centre, principal): (&CentreId, &str)) -> Self {
        let by = Attribution { principal: principal.to_owned(), actor: None, actor_key: None, person: None, idempotency: None };
        Self { centre: centre.clone(), by }
    }
}
