//! Out of service: for a stated time a press of a button asks a named keeper first, and the ladder a minute later.
//!
//! A button that sticks calls by itself, and whoever is woken by it for the fifth time that night no longer looks. So a person may
//! take it out of service: for a day at the most, with somebody who looks after it, and with another button that people use instead.
//! Nothing does so by itself (lifecycle, "Chatter"). What is pressed may be pressed by a hand all the same: the keeper's answer counts
//! like anybody's, and without one the full ladder follows. Presses that come meanwhile are those of a button that sticks: they
//! neither end the minute nor make it longer, and end nobody's commitment.

use serde::{Deserialize, Serialize};

use crate::activation::{Activation, Progress};
use crate::course::Course;
use crate::engine::Engine;
use crate::event::{Doer, Entry, Event, Opening};
use crate::id::{CustomerId, DeviceId, PersonId, PersonVersion};
use crate::input::{InServiceWanted, OutOfServiceWanted};
use crate::ladder::{Medium, RungIndex};
use crate::rejection::Rejection;
use crate::signal::{Kind, Signal};
use crate::testing::{some_buttons, warned_before};
use crate::time::{Seconds, Timestamp};

/// The longest that a button is out of service (lifecycle, "Out of service": it ends by itself within 24 h).
const LONGEST: Seconds = Seconds(86_400);
/// The shortest.
const SHORTEST: Seconds = Seconds(60);
/// Before its end it is said that it ends: time to look at the button once more (ours).
const WARNING: Seconds = Seconds(1_800);

/// A button out of service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfService {
    /// Whose it was then.
    pub customer: CustomerId,
    /// Who took it out.
    pub by: Doer,
    /// Who looks after it.
    pub keeper: PersonVersion,
    /// Which button people use instead; without one, a phone.
    pub instead: Option<DeviceId>,
    /// What is wrong with it.
    pub why: Defect,
    /// Since when.
    pub since: Timestamp,
    /// From when on it is said that it ends.
    pub warn_at: Timestamp,
    /// When it ends by itself.
    pub until: Timestamp,
}

/// What is wrong with a button. No free words: they would stand in the record of the site for ever, and name people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Defect {
    /// It presses by itself.
    Sticks,
    /// It is broken.
    Damaged,
    /// It is not where the directory says.
    Moved,
    /// People work at the place.
    Works,
    /// Something else.
    Other,
}

impl Defect {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Sticks, Self::Damaged, Self::Moved, Self::Works, Self::Other];

    /// As it is written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sticks => "sticks",
            Self::Damaged => "damaged",
            Self::Moved => "moved",
            Self::Works => "works",
            Self::Other => "other",
        }
    }

    /// What is written so, if anything.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|defect| defect.as_str() == text)
    }
}

impl OutOfService {
    /// Whether it still is.
    pub fn is_on(&self, now: Timestamp) -> bool {
        self.since <= now && now < self.until
    }
}

impl Engine {
    /// Takes buttons out of service: all that are named, or none.
    pub(crate) fn on_out_of_service_wanted(&self, now: Timestamp, wanted: &OutOfServiceWanted) -> Result<Vec<Event>, Rejection> {
        let named = wanted.keeper.person.filter(|id| !self.is_gone(*id));
        let keeper = named.and_then(|id| Some((id, self.person(id)?))).ok_or(Rejection::UnknownKeeper)?;
        if !keeper.1.contacts.contains_key(&Medium::Sms) {
            return Err(Rejection::KeeperWithoutPhone);
        }
        if !(SHORTEST..=LONGEST).contains(&wanted.span) {
            return Err(Rejection::ImplausibleSpan);
        }
        some_buttons(&wanted.devices)?;
        if let Some(instead) = &wanted.instead {
            self.must_serve(now, instead, wanted)?;
        }
        let until = wanted.span.after(now);
        let warn_at = warned_before(until, WARNING, now);
        let mut events = Vec::new();
        for dev in &wanted.devices {
            let cust = self.whose_button(dev)?;
            if self.may_be_watched(keeper.0, dev, self.kind_of(dev, None)) {
                return Err(Rejection::KeeperAtThePlace(dev.clone()));
            }
            if let Some(of) = self.stands_in_for(now, dev).find(|of| !wanted.devices.contains(of)) {
                return Err(Rejection::IsASubstitute { device: dev.clone(), of: of.clone() });
            }
            events.push(Event::OutOfService {
                cust,
                dev: dev.clone(),
                keeper: PersonVersion { person: keeper.0, version: keeper.1.version },
                instead: wanted.instead.clone(),
                why: wanted.why,
                by: Doer::from(&wanted.by),
                warn_at,
                until,
            });
        }
        Ok(events)
    }

    /// Whether a press that joins a call says nothing new: its button has been out of service since before the call for that very reason,
    /// and nobody has said that it is more than a button.
    pub(crate) fn is_of_a_stuck_button(&self, now: Timestamp, act: &Activation, signal: &Signal, kind: Kind) -> bool {
        act.opening == Opening::AskKeeper && !act.in_earnest && self.withdrawn_for(now, signal, kind).is_some()
    }

    /// Puts buttons back into service; those that are in service are left as they are.
    pub(crate) fn on_in_service_wanted(&self, now: Timestamp, wanted: &InServiceWanted) -> Vec<Event> {
        let out = wanted.devices.iter().filter(|dev| self.withdrawal_of(dev).is_some_and(|out| out.is_on(now)));
        let back = |dev: &DeviceId| {
            let cust = self.directory().sites.get(&dev.site).map(|site| site.customer.clone());
            Event::InService { cust, dev: dev.clone(), by: Doer::from(&wanted.by) }
        };
        out.map(back).collect()
    }

    /// Whom a press asks first because its button is out of service: while nobody calls from it in another way.
    pub(crate) fn keeper_of(&self, now: Timestamp, signal: &Signal, kind: Kind) -> Option<PersonVersion> {
        let out = self.withdrawn_for(now, signal, kind).filter(|_| self.open_of(&signal.device).is_none())?;
        Some(out.keeper)
    }

    /// How a button is out of service, for a press that is certainly of the time since, and that somebody looks after. A reload may have
    /// taken the keeper out, given the site to another customer, or moved them to it.
    fn withdrawn_for(&self, now: Timestamp, signal: &Signal, kind: Kind) -> Option<&OutOfService> {
        let out = self.withdrawal_of(&signal.device).filter(|out| out.is_on(now))?;
        let (age, opening) = (self.age_of(now, signal, kind), self.opening_of(now, signal, kind));
        let is_whose_it_was = self.directory().sites.get(&signal.device.site).is_some_and(|site| site.customer == out.customer);
        let may_keep = is_whose_it_was && !self.is_gone(out.keeper.person) && !self.may_be_watched(out.keeper.person, &signal.device, kind);
        (may_keep && self.is_fresh_press(signal, age, opening, out.since)).then_some(out)
    }

    /// Whether somebody works where a silent call comes from: whoever threatens one there may have both, and nobody else is asked.
    pub(crate) fn may_be_watched(&self, person: PersonId, device: &DeviceId, kind: Kind) -> bool {
        let is_silent = match kind {
            Kind::Duress | Kind::Welfare => true,
            Kind::Panic | Kind::Medical | Kind::Assist => false,
        };
        is_silent && self.person(person).is_some_and(|person| person.based_at.as_ref() == Some(&device.site))
    }

    /// Whether people can use this button in the place of those.
    fn must_serve(&self, now: Timestamp, instead: &DeviceId, wanted: &OutOfServiceWanted) -> Result<(), Rejection> {
        let is_there = self.directory().devices.contains_key(instead) && wanted.devices.iter().all(|dev| dev.site == instead.site);
        let is_out = wanted.devices.contains(instead) || self.withdrawal_of(instead).is_some_and(|out| out.is_on(now));
        let is_on_test = self.test_of(instead).is_some_and(|test| test.is_on(now));
        if is_there && !is_out && !is_on_test { Ok(()) } else { Err(Rejection::NoSubstitute(instead.clone())) }
    }

    /// In the place of which buttons, as far as the directory has them still, people use this one.
    pub(crate) fn stands_in_for<'e>(&'e self, now: Timestamp, device: &'e DeviceId) -> impl Iterator<Item = &'e DeviceId> {
        let is_theirs = move |out: &OutOfService| out.is_on(now) && out.instead.as_ref() == Some(device);
        let out = self.out_of_service().filter(move |(of, out)| is_theirs(out) && self.directory().devices.contains_key(*of));
        out.map(|(of, _)| of)
    }
}

impl Course<'_> {
    /// Somebody says that it is more than a button: the keeper is not waited for any longer.
    pub(crate) fn ask_keeper_no_longer(&mut self) {
        if self.act.waits_for_keeper() {
            self.enter(RungIndex(0), Entry::InEarnest, &[]);
        }
    }
}

impl Activation {
    /// Whether a tester or a keeper is asked before anybody else is: for its minute, and nothing makes that longer.
    pub(crate) fn asks_alone(&self) -> bool {
        self.asks_tester().is_some() || self.waits_for_keeper()
    }

    /// Whether the ladder waits until the keeper's minute is over; also where they go, and it asks for more people than them.
    pub(crate) fn waits_for_keeper(&self) -> bool {
        let before = match (self.opening, self.progress) {
            (Opening::AskKeeper, Progress::Climb { rung: None, .. }) => true,
            (Opening::AskKeeper | Opening::AskTester | Opening::AskFirst | Opening::Ladder, _) => false,
        };
        before && self.is_open() && !self.is_stilled()
    }

    /// The keeper who is asked before the ladder begins; `None` once it has, or they have said that they go, or where nobody is.
    pub fn asks_keeper(&self) -> Option<PersonId> {
        let asking = self.waits_for_keeper() && self.promise.is_none();
        let (_, asked) = self.latest_pursuits().next().filter(|_| asking)?;
        asked.party.person.map(|person| person.person)
    }
}
