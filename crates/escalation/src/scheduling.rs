//! Scheduling: drills that the directory asks for begin by themselves, or are missed and say why.
//!
//! Nothing here may come before anything real. A drill waits in its window for whatever stands in its way, one begins at a look, and
//! none is ever caught up: whoever is drilled at an hour that nobody expects learns to distrust the word.

use std::collections::{BTreeMap, BTreeSet};

use crate::course::Course;
use crate::directory::{Adoption, Directory};
use crate::drilling::{AT_ONCE_MAX, Beginning, LONGEST};
use crate::engine::Engine;
use crate::event::{Doer, DrillEnd, Event, Scheduled};
use crate::id::{CustomerId, DeviceId, SiteId};
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
/// The most days that one entry says were missed: a clock that was wrong by decades is written down in a few lines.
const DAYS_MAX: u32 = 1_000;

/// Who stands in whose way at the moment of a look.
struct Scene<'e> {
    /// Customers of whom a call is open.
    calling: BTreeSet<&'e CustomerId>,
    /// Customers of whom one was closed shortly before.
    called: BTreeSet<&'e CustomerId>,
    /// How many drills of each are on.
    drilling: BTreeMap<&'e CustomerId, usize>,
    /// Where one is.
    drilled: BTreeSet<&'e SiteId>,
    /// Whether the station's clock is not the world's.
    clock_is_off: bool,
}

impl<'e> Scene<'e> {
    fn of(engine: &'e Engine, now: Timestamp, clock_is_off: bool) -> Self {
        let calls = || engine.activations().filter(|act| !act.is_drill());
        let open = calls().filter(|act| act.is_open());
        let closed = calls().filter(|act| act.closing.as_ref().is_some_and(|closing| now < CALM.after(closing.at)));
        let mut drilling: BTreeMap<&CustomerId, usize> = BTreeMap::new();
        for drill in engine.drills() {
            let count = drilling.entry(&drill.customer).or_default();
            *count = count.saturating_add(1);
        }
        Self {
            calling: open.map(|act| &act.customer).collect(),
            called: closed.map(|act| &act.customer).collect(),
            drilling,
            drilled: engine.drills().map(|drill| &drill.device.site).collect(),
            clock_is_off,
        }
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
        let scene = Scene::of(self, now, clock_is_off);
        let due = self.timetable().due(now).filter(|(_, _, due)| now < due.closes);
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
        let (mut events, mut begun) = (Vec::new(), Vec::new());
        for (place, tally, due) in self.timetable().due(now) {
            let Some(schedule) = self.directory().drills.get(&place.0) else { continue };
            // Where two begin in one turn each must see the other.
            let behind_another = (!begun.is_empty()).then_some(Missed::Crowded);
            let in_the_way = self.in_the_way(now, &scene, schedule, place, due).or(behind_another);
            if due.closes <= now {
                events.push(missed(now, place, schedule, tally, due, self.why_over(tally, due, in_the_way)));
            } else if let Some(why) = in_the_way {
                if due.closes <= LAST_LOOK.after(now) {
                    events.push(missed(now, place, schedule, tally, due, why));
                }
            } else {
                begun = self.begin_scheduled(now, place, schedule, due);
            }
            if events.len() >= MISSED_MAX {
                break;
            }
        }
        // Every reason holds where it stands in the record: what begins comes after what was missed without it, and what ends after all.
        events.into_iter().chain(begun).chain(self.answered_drills_over(now)).collect()
    }

    /// Ends what was answered, and is still. What begins at the same look counts it as being on.
    fn answered_drills_over(&self, now: Timestamp) -> Vec<Event> {
        let drills = self.timetable().over(now).filter_map(|drill| self.activation(drill));
        let drills = drills.filter(|drill| drill.is_open() && drill.is_answered());
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
            let why = if due.closes <= now { self.why_over(tally, due, in_the_way()) } else { Missed::Changed };
            let is_over = due.closes <= now && !is_kept(next, place, tally);
            (is_over || is_lost(next, place, tally, due)).then(|| missed(now, place, schedule, tally, due, why))
        });
        dropped.collect()
    }

    /// Why nothing came of an occasion that is over.
    fn why_over(&self, tally: &Tally, due: Occasion, in_the_way: Option<Missed>) -> Missed {
        if due.closes <= SETTLING.after(self.up_since()) {
            Missed::Down
        } else if due.closes <= tally.since {
            Missed::Changed
        } else {
            let crowded = self.timetable().has_begun_since(due.turn).then_some(Missed::Crowded);
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
        let on_test = |device: &DeviceId| self.test_of(device).is_some_and(|test| test.is_on(now));
        let withdrawn = |device: &DeviceId| self.withdrawal_of(device).is_some_and(|out| out.is_on(now));
        // A clock that was put back leaves no drill of tomorrow to be counted from.
        let begun = self.timetable().begun(id, due.opens).filter(|begun| *begun <= now);
        let ways = [
            (scene.calling.contains(customer), Missed::CallOpen),
            (self.is_record_lost(), Missed::RecordLost),
            (scene.clock_is_off, Missed::Clock),
            (scene.called.contains(customer), Missed::JustClosed),
            (scene.drilled.contains(site), Missed::DrillOpen),
            (device.as_ref().is_some_and(on_test), Missed::OnTest),
            (device.as_ref().is_some_and(withdrawn), Missed::OutOfService),
            (scene.drilling.get(customer).is_some_and(|count| *count >= AT_ONCE_MAX), Missed::TooManyDrills),
            (begun.is_some_and(|begun| now < schedule.next_after(begun)), Missed::Crowded),
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

/// Whether nothing would come any more of what is due, because this directory has not that day, or has it for another customer.
fn is_lost(next: &Directory, (id, site): &Place, tally: &Tally, due: Occasion) -> bool {
    let schedule = next.drills.get(id).filter(|schedule| schedule.sites.contains(site) && schedule.customer == tally.customer);
    !is_kept(next, &(id.clone(), site.clone()), tally) && !schedule.is_some_and(|schedule| schedule.on.is_on(due.day))
}

/// An occasion was missed, and with it every later one that is over as well: as one entry, and never held afterwards.
fn missed(now: Timestamp, place: &Place, schedule: &Schedule, tally: &Tally, due: Occasion, why: Missed) -> Event {
    let number = schedule.place_of(&place.1).unwrap_or_default();
    let (mut last, mut count) = (due, 1);
    while count < DAYS_MAX
        && let Some(later) = schedule.next(number, tally.zone(), last.opens, Some(last.day)).filter(|later| later.closes <= now)
    {
        (last, count) = (later, count + 1);
    }
    Event::DrillMissed {
        cust: schedule.customer.clone(),
        schedule: place.0.clone(),
        site: place.1.clone(),
        day: last.day,
        due: last.opens,
        count,
        why,
    }
}
