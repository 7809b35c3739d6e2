//! The schedules of drills as readers see them: what is due next, and what became of what was.
//!
//! A place that a reader may not see is not there, and is in no count that they are told.

use std::collections::BTreeMap;

use escalation::id::{CustomerId, DeviceName, ScheduleId, SiteId};
use escalation::schedule::{Held, Missed, Outcome, Schedule, Tally};
use escalation::time::Timestamp;
use jiff::civil::Date;
use serde::{Serialize, Serializer};

use crate::floor::Floor;
use crate::view::Scope;

/// All that a reader may see of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timetable {
    /// The schedules in force.
    pub schedules: Vec<ScheduleView>,
    /// What was missed last and is no longer scheduled.
    pub former: Vec<FormerView>,
}

/// Why a drill was missed or waits, as far as a reader may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Why.
    Known(Missed),
    /// Something that may be outside of their sites.
    Elsewhere,
}

/// A site that is on a schedule no longer, and was missed last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerView {
    /// On which schedule it was.
    pub schedule: ScheduleId,
    /// Which.
    pub site: SiteId,
    /// Its name, or its id where it is gone as well.
    pub name: String,
    /// Whose.
    pub customer: CustomerId,
    /// On which day.
    pub day: Date,
    /// Why.
    pub why: Reason,
}

/// One schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleView {
    /// Its id.
    pub id: ScheduleId,
    /// Whose.
    pub customer: CustomerId,
    /// On which days, as the directory says it.
    pub on: String,
    /// At which hour of the clock on each site's wall.
    pub at: String,
    /// In how many minutes its drills begin.
    pub minutes: u32,
    /// The ladder of which button; the site's own without one.
    pub device: Option<DeviceName>,
    /// Its sites within the reader's scope.
    pub sites: Vec<SiteView>,
}

/// One site of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteView {
    /// Which.
    pub id: SiteId,
    /// Its name.
    pub name: String,
    /// IANA zone of its clock.
    pub timezone: String,
    /// When it is due next, or since when it is.
    pub next: Option<Timestamp>,
    /// What it waits for, where it is due and cannot begin.
    pub waits_for: Option<Reason>,
    /// The last that was held.
    pub last_held: Option<Held>,
    /// The last day that was missed, and why.
    pub last_missed: Option<(Date, Reason)>,
    /// How many were held.
    pub held: u32,
    /// How many of those somebody answered.
    pub answered: u32,
    /// How many of those nobody did.
    pub unanswered: u32,
    /// How many were missed.
    pub missed: u32,
}

impl SiteView {
    /// Whether the last that was due was missed, or was held and nobody answered.
    pub fn needs_a_look(&self) -> bool {
        let held = self.last_held.as_ref();
        let is_missed = self.last_missed.is_some_and(|(day, _)| held.is_none_or(|held| held.day <= day));
        is_missed || held.is_some_and(|held| held.outcome == Outcome::Unanswered)
    }
}

impl Reason {
    /// Whoever may see some sites alone hears of a call, which may be of another, and of how many drills are on there, that something
    /// stands in the way.
    fn for_reader(why: Missed, scope: &Scope) -> Self {
        match why {
            Missed::CallOpen | Missed::JustClosed | Missed::TooManyDrills | Missed::Crowded if scope.sites.is_some() => Self::Elsewhere,
            Missed::CallOpen
            | Missed::JustClosed
            | Missed::TooManyDrills
            | Missed::Crowded
            | Missed::Down
            | Missed::DrillOpen
            | Missed::OnTest
            | Missed::OutOfService
            | Missed::RecordLost
            | Missed::Clock
            | Missed::NoSuchPlace
            | Missed::Changed
            | Missed::Passed => Self::Known(why),
        }
    }

    /// In words for whoever set it up.
    pub fn words(self) -> &'static str {
        match self {
            Self::Known(why) => why.words(),
            Self::Elsewhere => "something else came first, perhaps outside of your sites",
        }
    }
}

impl Serialize for Reason {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Known(why) => why.serialize(to),
            Self::Elsewhere => to.serialize_str("waits"),
        }
    }
}

/// The schedules within a scope, and what was missed last of those that were.
pub(crate) fn view(floor: &Floor, scope: &Scope, now: Timestamp) -> Timetable {
    let former = floor.engine.no_longer_scheduled().filter(|(customer, (_, site), _)| scope.permits(customer, site));
    let former = former.filter_map(|(customer, (schedule, site), former)| {
        let (day, why) = former.missed?;
        let why = Reason::for_reader(why, scope);
        let owner = floor.engine.directory().sites.get(site).map(|site| &site.customer);
        // Where the site is another's by now, so is whoever may see that site alone.
        let is_anothers = owner.is_some_and(|owner| owner != customer);
        if is_anothers && scope.sites.is_some() && scope.customers.is_none() {
            return None;
        }
        let name = if owner == Some(customer) { name(floor, site) } else { site.to_string() };
        Some(FormerView { schedule: schedule.clone(), site: site.clone(), name, customer: customer.clone(), day, why })
    });
    Timetable { schedules: in_force(floor, scope, now), former: former.collect() }
}

fn in_force(floor: &Floor, scope: &Scope, now: Timestamp) -> Vec<ScheduleView> {
    let waiting = floor.engine.drills_waiting(now, floor.is_clock_off());
    let mut views: BTreeMap<&ScheduleId, ScheduleView> = BTreeMap::new();
    for (place, schedule, tally) in floor.engine.scheduled() {
        let (id, site) = place;
        if scope.permits(&schedule.customer, site) {
            let view = views.entry(id).or_insert_with(|| bare(id, schedule));
            view.sites.push(of_site(floor, scope, site, tally, waiting.get(place).copied()));
        }
    }
    views.into_values().collect()
}

fn bare(id: &ScheduleId, schedule: &Schedule) -> ScheduleView {
    ScheduleView {
        id: id.clone(),
        customer: schedule.customer.clone(),
        on: schedule.on.to_string(),
        at: schedule.at.strftime("%H:%M").to_string(),
        minutes: schedule.window_s.0 / 60,
        device: schedule.device.clone(),
        sites: Vec::new(),
    }
}

/// A site's name; its id where no name is known.
fn name(floor: &Floor, site: &SiteId) -> String {
    floor.vault.site(floor.engine.directory_version(), site).map_or_else(|| site.to_string(), |card| card.name.clone())
}

fn of_site(floor: &Floor, scope: &Scope, site: &SiteId, tally: &Tally, waits_for: Option<Missed>) -> SiteView {
    let reason = |why: Missed| Reason::for_reader(why, scope);
    SiteView {
        id: site.clone(),
        name: name(floor, site),
        timezone: tally.zone().name().to_owned(),
        next: tally.next.map(|next| next.turn),
        waits_for: waits_for.map(reason),
        last_held: tally.last_held.clone(),
        last_missed: tally.last_missed.map(|(day, why)| (day, reason(why))),
        held: tally.held,
        answered: tally.answered,
        unanswered: tally.unanswered,
        missed: tally.missed,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn whoever_may_see_some_sites_alone_reads_nothing_of_others() {
        let of_a_site = Scope { sites: Some(BTreeSet::from([SiteId::parse("library").unwrap()])), ..Scope::everything() };
        let shown = |why: Missed, scope: &Scope| serde_json::to_value(Reason::for_reader(why, scope)).unwrap();
        for why in [Missed::CallOpen, Missed::JustClosed, Missed::TooManyDrills, Missed::Crowded] {
            assert_eq!(shown(why, &of_a_site), "waits");
            assert_eq!(shown(why, &Scope::everything()), serde_json::to_value(why).unwrap());
        }
        assert_eq!(shown(Missed::OnTest, &of_a_site), "on_test");
    }
}
