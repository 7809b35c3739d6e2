//! N: whoever goes to an open call is told of the next one at that site.
//!
//! Worked out from the record alone; it asks the rules nothing. Of who goes it knows the last who said so, until anything else is
//! recorded of that call: that is less than there is, and always true.

use std::collections::{BTreeMap, BTreeSet};

use escalation::dispatch::{Purpose, Recipient};
use escalation::event::{Event, Responder};
use escalation::id::{ActivationId, ContactKey, CustomerId, PersonId, SiteId};
use escalation::signal::Kind;

use crate::oracle::Findings;
use crate::past::Past;

/// So many other calls at a site are looked at.
const LOOKED_AT: usize = 10;

/// Whoever answered, by what is known of them.
#[derive(Clone)]
struct Somebody {
    person: Option<PersonId>,
    contact: Option<ContactKey>,
}

impl Somebody {
    fn of(by: &Responder) -> Option<Self> {
        let known = Self { person: by.person.map(|by| by.person), contact: by.contact };
        known.contact.is_some().then_some(known)
    }

    /// Whether they may be one, as far as the record tells: whose phone is whose it does not.
    fn may_be(&self, other: &Self) -> bool {
        self.person.is_some() && self.person == other.person || self.contact.is_some() && self.contact == other.contact
    }
}

struct Call {
    at: (CustomerId, SiteId),
    /// For which responder it is, and whether they fell silent: then those who went with them are warned in words of its own.
    about: Option<(Somebody, ActivationId, bool)>,
    is_open: bool,
    going: Option<Somebody>,
    people: BTreeSet<PersonId>,
    contacts: BTreeSet<ContactKey>,
}

impl Call {
    fn told(&mut self, to: &Recipient) {
        if let Recipient::Person { person, .. } = to {
            self.people.insert(person.person);
        }
        self.contacts.extend(to.contact());
    }

    /// Whoever says anything of a call knows of it, by whatever way they say it.
    fn heard_from(&mut self, by: &Responder) {
        self.people.extend(by.person.map(|by| by.person));
        self.contacts.extend(by.contact);
    }

    fn knows(&self, somebody: &Somebody) -> bool {
        somebody.person.is_some_and(|person| self.people.contains(&person))
            || somebody.contact.is_some_and(|contact| self.contacts.contains(&contact))
    }
}

/// Judges every rung that was entered.
pub(crate) fn are_told_of_what_is_beside(past: &Past, found: &mut Findings) {
    let mut calls: BTreeMap<ActivationId, Call> = BTreeMap::new();
    let mut owed: Vec<(ActivationId, Somebody)> = Vec::new();
    for entry in &past.entries {
        if let Event::Raised(raised) = &entry.event
            && raised.drill_until.is_none()
        {
            let at = (raised.cust.clone(), raised.dev.site.clone());
            let call = Call {
                at,
                about: raised.about.as_ref().map(|about| {
                    let somebody = Somebody { person: about.person.map(|person| person.person), contact: about.mark };
                    (somebody, about.of.clone(), raised.kind == Kind::Welfare)
                }),
                is_open: true,
                going: None,
                people: BTreeSet::new(),
                contacts: BTreeSet::new(),
            };
            calls.insert(raised.act.clone(), call);
        }
        if let Event::RungEntered { act, .. } = &entry.event
            && let Some(call) = calls.get(act)
        {
            let there: Vec<(&ActivationId, &Call)> =
                calls.iter().filter(|(other, there)| *other != act && there.at == call.at && there.is_open).collect();
            let for_responders: Vec<&Somebody> =
                there.iter().map(|(_, there)| *there).chain([call]).filter_map(|call| call.about.as_ref()).map(|(who, ..)| who).collect();
            // Of more than these the rules look at the earliest alone.
            if there.len() <= LOOKED_AT {
                let is_warned = |of: &ActivationId| matches!(&call.about, Some((_, with, true)) if with == of);
                let going = there.into_iter().filter(|(of, _)| !is_warned(of)).filter_map(|(_, there)| there.going.clone());
                let told = going.filter(|somebody| for_responders.iter().all(|in_need| !in_need.may_be(somebody)));
                owed.extend(told.map(|going| (act.clone(), going)));
            }
        }
        if let Some(call) = entry.event.activation().and_then(|act| calls.get_mut(act)) {
            if let Event::DispatchQueued {
                to,
                purpose: Purpose::Alarm | Purpose::AlarmAgain | Purpose::AskFirst | Purpose::AskKeeper,
                ..
            } = &entry.event
            {
                call.told(to);
            }
            let says_nothing =
                |event: &Event| matches!(event, Event::DispatchQueued { .. } | Event::DispatchReported { .. } | Event::PressedAgain { .. });
            if let Event::Accepted { by, .. } | Event::Joined { by, .. } | Event::Declined { by, .. } = &entry.event {
                call.heard_from(by);
            }
            if let Event::Closed { .. } | Event::Reopened { .. } = &entry.event {
                call.is_open = matches!(entry.event, Event::Reopened { .. });
            }
            if let Event::Accepted { by, .. } = &entry.event {
                call.going = Somebody::of(by);
            } else if !says_nothing(&entry.event) {
                call.going = None;
            }
        }
        if entry.ends_turn {
            for (act, somebody) in owed.drain(..) {
                if !calls.get(&act).is_some_and(|call| call.knows(&somebody)) {
                    found.wrong("N goes there and was not told", format!("{act} entry {}", entry.seq));
                }
            }
        }
    }
}
