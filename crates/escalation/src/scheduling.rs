//! Scheduling: drills that the directory asks for begin by themselves, or are missed and say why.
//!
//! Nothing here may come before anything real. A drill waits in its window for whatever stands in its way, one begins at a look, and
//! none is ever caught up: whoever is drilled at an hour that nobody expects learns to distrust the word.

use std::collections::{BTreeMap, BTreeSet};

use crate::activation::Activation;
use crate::course::Course;
use crate::directory::{Adoption, Directory};
use crate::drilling::{AT_ONCE_MAX, Beginning, LONGEST};
use crate::engine::Engine;
use crate::event::{Doer, DrillEnd, Event, Scheduled};
use crate::id::{ActivationId, CustomerId, DeviceId, SiteId};
use crate::schedule::{Former, Missed, Occasion, Place, Schedule, Tally};
use crate::time::{Seconds, Timestamp};

/// For so long after a start nothing is drilled (ours): what was pressed meanwhile, and waits at a broker or in a spool, goes first.
const SETTLING: Seconds = Seconds(120);
/// For so long after its last call was closed nobody of a customer is drilled (ours): its people are still told that it is over, and
/// whoever was called for help should not read the next message as more of it.
const CALM: Seconds = Seconds(120);
/// What still waits so shortly before its window closes is missed for what it waits for: the watch looks every second.
const LAST_LOOK: Seconds = Seconds(2);
/// The most that one look misses; the rest follows with the next one.
const MISSED_MAX: usize = 256;
/// The most days that one entry says were missed: a clock that was wrong by decades is written down in a few lines. What one look
/// misses ends with the entry that reaches it: each day is searched for, and meanwhile nobody is heard.
const DAYS_MAX: u32 = 1_000;

/// Who stands in whose way at the moment of a look.
struct Scene<'e> {
    /// Since when and until when calls of each customer were open, of those that are or were shortly before.
    calls: BTreeMap<&'e CustomerId, Vec<(Timestamp, Option<Timestamp>)>>,
    /// Which drills of each are on, by when they began.
    drilling: BTreeMap<&'e CustomerId, BTreeSet<(Timestamp, &'e ActivationId)>>,
    /// Where one is, and since when.
    drilled: BTreeMap<&'e SiteId, Timestamp>,
    /// Whether the station's clock is not the world's.
    clock_is_off: bool,
}

impl<'e> Scene<'e> {
    fn of(engine: &'e Engine, now: Timestamp, clock_is_off: bool) -> Self {
        let mut scene = Self { calls: BTreeMap::new(), drilling: BTreeMap::new(), drilled: BTreeMap::new(), clock_is_off };
        for call in engine.activations().filter(|act| !act.is_drill()) {
            let closed_at = call.closing.as_ref().map(|closing| closing.at);
            if closed_at.is_none_or(|closed_at| now < CALM.after(closed_at)) {
                scene.calls.entry(&call.customer).or_default().push((call.raised_at, closed_at));
            }
        }
        for drill in engine.drills() {
            scene.drilling.entry(&drill.customer).or_default().insert((drill.raised_at, &drill.id));
            scene.drilled.insert(&drill.device.site, drill.raised_at);
        }
        scene
    }

    fn is_call_open(&self, customer: &CustomerId, then: Timestamp) -> bool {
        let mut calls = self.calls.get(customer).into_iter().flatten();
        calls.any(|(raised_at, closed_at)| *raised_at <= then && closed_at.is_none_or(|closed_at| then < closed_at))
    }

    fn is_call_just_closed(&self, customer: &CustomerId, then: Timestamp) -> bool {
        let mut closed = self.calls.get(customer).into_iter().flatten().filter_map(|(_, closed_at)| *closed_at);
        closed.any(|closed_at| closed_at <= then && then < CALM.after(closed_at))
    }

    fn are_too_many_drills_on(&self, customer: &CustomerId, then: Timestamp) -> bool {
        let last_of_them = self.drilling.get(customer).and_then(|drills| drills.iter().nth(AT_ONCE_MAX.saturating_sub(1)));
        last_of_them.is_some_and(|(began, _)| *began <= then)
    }
}

impl Engine {
    /// When a drill is due next, whether or not anything stands in its way, or one that was answered ends.
    pub fn next_drill_at(&self) -> Option<Timestamp> {
        self.timetable().first()
    }

    /// Every site of every schedule, what is due there and what became of what was.
    pub fn scheduled(&self) -> impl Iterator<Item = (&Place, &Schedule, &Tally)> {
        let drills = &self.directory().drills;
        self.timetable().lines().filter_map(|(place, tally)| Some((place, drills.get(&place.0)?, tally)))
    }

    /// Every site that is on a schedule no longer and was missed last, and whose it was: of each customer the last few.
    pub fn no_longer_scheduled(&self) -> impl Iterator<Item = (&CustomerId, &Place, &Former)> {
        self.timetable().former()
    }

    /// What is due and cannot begin yet, and what it waits for; `clock_is_off` as in [`crate::input::Input::DrillsDue`].
    pub fn drills_waiting(&self, now: Timestamp, clock_is_off: bool) -> BTreeMap<&Place, Missed> {
        let mut due = self.timetable().due(now).filter(|(_, _, due)| now < due.closes).peekable();
        if due.peek().is_none() {
            return BTreeMap::new();
        }
        let scene = Scene::of(self, now, clock_is_off);
        let waiting = due.filter_map(|(place, _, due)| {
            let schedule = self.directory().drills.get(&place.0)?;
            Some((place, self.in_the_way(now, &scene, schedule, place, due)?))
        });
        waiting.collect()
    }

    /// How many drills of schedules were missed, and how many were held that nobody answered, since the record began.
    pub fn drills_missed_and_unanswered(&self) -> (u64, u64) {
        self.timetable().missed_and_unanswered()
    }

    /// Looks at what is due: begins the first drill that can begin, and misses what can no longer.
    pub(crate) fn on_drills_due(&self, now: Timestamp, clock_is_off: bool) -> Vec<Event> {
        let is_due = self.next_drill_at().is_some_and(|at| at <= now);
        if !is_due || now < SETTLING.after(self.up_since()) {
            return Vec::new();
        }
        let scene = Scene::of(self, now, clock_is_off);
        let drills = &self.directory().drills;
        let due = self.timetable().due(now);
        let mut due: Vec<_> = due.filter_map(|(place, tally, due)| Some((place, drills.get(&place.0)?, tally, due))).collect();
        // Whose turn it still is goes before whoever is late: else one that a call held would take the turns of all that follow.
        due.sort_by_key(|(_, schedule, _, due)| schedule.next_after(due.turn) <= now);
        let (mut events, mut begun, mut days) = (Vec::new(), Vec::new(), 0_u32);
        for (place, schedule, tally, due) in due {
            let in_the_way = self.in_the_way(now, &scene, schedule, place, due);
            let why = if due.closes <= now {
                Some(self.why_over(schedule, tally, due, in_the_way))
            } else if let Some(why) = in_the_way.or((!begun.is_empty()).then_some(Missed::Crowded)) {
                // Where two begin in one turn each must see the other.
                (due.closes <= LAST_LOOK.after(now)).then_some(why)
            } else {
                begun = self.begin_scheduled(now, place, schedule, due);
                None
            };
            let (event, count) = why.map(|why| missed(now, place, schedule, tally, due, why)).unzip();
            events.extend(event);
            days = days.saturating_add(count.unwrap_or(0));
            if events.len() >= MISSED_MAX || days >= DAYS_MAX {
                break;
            }
        }
        // Every reason holds where it stands in the record: what begins comes after what was missed without it, and what ends after all.
        events.into_iter().chain(begun).chain(self.answered_drills_over(now)).collect()
    }

    /// Ends what was answered, and is still. What begins at the same look counts it as being on. One that a call has come between is
    /// ended by that.
    fn answered_drills_over(&self, now: Timestamp) -> Vec<Event> {
        let drills = self.timetable().over(now).filter_map(|drill| self.activation(drill));
        let drills = drills.filter(|drill| drill.is_open() && drill.is_answered() && !is_interrupted(drill));
        let ended = drills.flat_map(|drill| {
            let mut course = Course::on(self, now, drill);
            course.end_drill(DrillEnd::Answered);
            course.events
        });
        ended.collect()
    }

    /// What is due, and no longer will be under another directory.
    pub(crate) fn drills_dropped_by(&self, now: Timestamp, adoption: &Adoption) -> Vec<Event> {
        let (next, scene) = (&adoption.directory, Scene::of(self, now, false));
        let due = self.timetable().lines().filter_map(|(place, tally)| Some((place, tally, tally.next.filter(|due| due.opens <= now)?)));
        let dropped = due.filter_map(|(place, tally, due)| {
            let schedule = self.directory().drills.get(&place.0)?;
            let in_the_way = || self.in_the_way(now, &scene, schedule, place, due);
            let why = if due.closes <= now { self.why_over(schedule, tally, due, in_the_way()) } else { Missed::Changed };
            let is_over = due.closes <= now && !is_kept(next, place, tally);
            (is_over || is_lost(now, next, place, tally, due)).then(|| missed(now, place, schedule, tally, due, why).0)
        });
        dropped.collect()
    }

    /// Why nothing came of an occasion that is over.
    fn why_over(&self, schedule: &Schedule, tally: &Tally, due: Occasion, in_the_way: Option<Missed>) -> Missed {
        if due.closes <= SETTLING.after(self.up_since()) {
            Missed::Down
        } else if due.closes <= tally.since {
            Missed::Changed
        } else {
            let crowded = self.timetable().has_begun(&schedule.customer, due.turn..due.closes).then_some(Missed::Crowded);
            in_the_way.or(crowded).unwrap_or(Missed::Passed)
        }
    }

    /// What keeps a drill from beginning right now.
    fn in_the_way(&self, now: Timestamp, scene: &Scene<'_>, schedule: &Schedule, (id, site): &Place, due: Occasion) -> Option<Missed> {
        let device = schedule.device.as_ref().map(|name| DeviceId { site: site.clone(), name: name.clone() });
        let is_there = |device: &DeviceId| self.directory().devices.contains_key(device);
        let customer = self.directory().sites.get(site).map(|site| &site.customer).filter(|customer| **customer == schedule.customer);
        let Some(customer) = customer.filter(|_| device.as_ref().is_none_or(is_there)) else {
            return Some(Missed::NoSuchPlace);
        };
        // Of what is over it is asked what stood in its window to the end, and not what stands now.
        let then = now.min(due.closes);
        let on_test = |device: &DeviceId| self.test_of(device).is_some_and(|test| test.is_on(then));
        let withdrawn = |device: &DeviceId| self.withdrawal_of(device).is_some_and(|out| out.is_on(then));
        // A clock that was put back leaves no drill of tomorrow to be counted from.
        let begun = self.timetable().begun(id, due.opens).filter(|begun| *begun <= then);
        let is_behind = begun.is_some_and(|begun| then < schedule.next_after(begun)) || self.timetable().has_just_begun(customer, then);
        let ways = [
            (scene.is_call_open(customer, then), Missed::CallOpen),
            (self.is_record_lost(), Missed::RecordLost),
            (scene.clock_is_off || self.timetable().steps.leave_in_doubt(then, due.opens), Missed::Clock),
            (scene.is_call_just_closed(customer, then), Missed::JustClosed),
            (scene.drilled.get(site).is_some_and(|began| *began <= then), Missed::DrillOpen),
            (device.as_ref().is_some_and(on_test), Missed::OnTest),
            (device.as_ref().is_some_and(withdrawn), Missed::OutOfService),
            (scene.are_too_many_drills_on(customer, then), Missed::TooManyDrills),
            (is_behind, Missed::Crowded),
        ];
        ways.into_iter().find_map(|(stands, why)| stands.then_some(why))
    }

    fn begin_scheduled(&self, now: Timestamp, place: &Place, schedule: &Schedule, due: Occasion) -> Vec<Event> {
        let device = schedule.device.as_ref().map(|name| DeviceId { site: place.1.clone(), name: name.clone() });
        let by = Doer { principal: format!("schedule:{}", place.0), actor: None, actor_key: None, person: None, idempotency: None };
        let scheduled = Some(Scheduled { schedule: place.0.clone(), day: due.day });
        self.begin_drill(now, Beginning { site: &place.1, device, span: LONGEST, note: None, by, scheduled }).unwrap_or_default()
    }
}

/// Whether a directory has this site of this schedule, on the same days and at the same hour.
fn is_kept(next: &Directory, (id, site): &Place, tally: &Tally) -> bool {
    let schedule = next.drills.get(id).filter(|schedule| schedule.sites.contains(site));
    schedule.zip(next.clock_at(site)).is_some_and(|(schedule, clock)| tally.is_under(schedule, &clock.zone))
}

/// Whether nothing would come any more of what is due, because this directory has not that day, has it at an hour before all that it
/// makes due, or has it for another customer.
fn is_lost(now: Timestamp, next: &Directory, (id, site): &Place, tally: &Tally, due: Occasion) -> bool {
    let schedule = next.drills.get(id).filter(|schedule| schedule.customer == tally.customer);
    let there = schedule.and_then(|schedule| Some((schedule, schedule.place_of(site)?, &next.clock_at(site)?.zone)));
    !there.is_some_and(|(schedule, number, zone)| tally.is_under(schedule, zone) || tally.would_keep(due, now, schedule, (number, zone)))
}

/// Whether a call has come between.
fn is_interrupted(drill: &Activation) -> bool {
    drill.drill.as_ref().is_some_and(|drill| drill.interrupted_at.is_some())
}

/// An occasion was missed, and with it every later one that is over as well: as one entry, and never held afterwards. Says of how many
/// days it is.
fn missed(now: Timestamp, place: &Place, schedule: &Schedule, tally: &Tally, due: Occasion, why: Missed) -> (Event, u32) {
    let number = schedule.place_of(&place.1).unwrap_or_default();
    let (mut last, mut count) = (due, 1);
    while count < DAYS_MAX
        && let Some(later) = schedule.next(number, tally.zone(), last.opens, Some(last.day)).filter(|later| later.closes <= now)
    {
        (last, count) = (later, count + 1);
    }
    let event = Event::DrillMissed {
        cust: schedule.customer.clone(),
        schedule: place.0.clone(),
        site: place.1.clone(),
        day: last.day,
        due: last.opens,
        count,
        why,
    };
    (event, count)
}
