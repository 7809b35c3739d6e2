//! The timetable: when each site is due by each schedule, and what became of what was due.
//!
//! It holds one line for each site of each schedule in force, and for a while what was last of those that are not, so that it cannot
//! grow. What a line says of its last occasion is that day alone: whatever comes of clocks, reloads and starts, a day that was held or
//! missed is never due again.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use jiff::civil::{Date, Time};
use serde::{Deserialize, Serialize};

use super::steps::Steps;
use super::{APART_MIN, Occasion, Schedule};
use crate::acknowledgement::Commitment;
use crate::directory::Directory;
use crate::event::{DrillEnd, Event};
use crate::id::{ActivationId, CustomerId, ScheduleId, SiteId};
use crate::time::{Seconds, Timestamp};
use crate::zone::Zone;

/// For so long after somebody said that they go a drill of a schedule goes on (ours): others may answer as well, and nobody at a desk
/// is there to close it. Left open, twenty that were answered would keep the twenty-first from beginning.
pub(crate) const ANSWERED_FOR: Seconds = Seconds(300);

/// A drill that begins so long after its turn is late, and the next one is counted from it (ours): the watch looks every second.
const LATE: Seconds = Seconds(2);
/// From when the next drill is counted is forgotten after this: longer than any window lasts.
const FORGOTTEN_AFTER: Seconds = Seconds(6 * 3_600);
/// For so long it is kept what was last of a site that was taken off a schedule, so that a day on which it comes back is not held twice.
const KEPT_FOR: Seconds = Seconds(2 * 86_400);
/// Of so many sites of a customer that are on no schedule any more it is shown that they were missed last.
const FORMER_SHOWN: usize = 20;
/// The most that is kept of sites that were taken off a schedule.
const FORMER_MAX: usize = 10_000;

/// A site of a schedule.
pub type Place = (ScheduleId, SiteId);

/// Why a drill that was due was not held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Missed {
    /// The station was down then, or had just started.
    Down,
    /// A call of the customer was open.
    CallOpen,
    /// The last call of the customer had been closed so shortly before that its people were to have some calm.
    JustClosed,
    /// Another drill was on at the site.
    DrillOpen,
    /// As many drills of the customer were on as may be at once.
    TooManyDrills,
    /// The button was on test.
    OnTest,
    /// The button was out of service.
    OutOfService,
    /// Other drills were to begin before it, one after the other, and took all of its time.
    Crowded,
    /// The record could not be reached.
    RecordLost,
    /// The clock of the station and that of the world differed.
    Clock,
    /// The site or its button is not in the directory.
    NoSuchPlace,
    /// The schedule was changed or taken out of the directory meanwhile.
    Changed,
    /// The clock went past it.
    Passed,
}

impl Missed {
    /// In words for whoever set it up.
    pub fn words(self) -> &'static str {
        match self {
            Self::Down => "the station was down, or had just started",
            Self::CallOpen => "a call of the customer was open",
            Self::JustClosed => "a call of the customer had just been closed",
            Self::DrillOpen => "another drill was on at the site",
            Self::TooManyDrills => "as many drills were on as may be at once",
            Self::OnTest => "the button was on test",
            Self::OutOfService => "the button was out of service",
            Self::Crowded => "other drills came first",
            Self::RecordLost => "the record could not be reached",
            Self::Clock => "the machine's clock was wrong, or had just been put right",
            Self::NoSuchPlace => "the site or its button was not in the directory",
            Self::Changed => "the schedule was changed meanwhile",
            Self::Passed => "the clock went past it",
        }
    }
}

/// What became of a drill that was held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It is on.
    On,
    /// As many as its ladder asks for had said that they go when it ended, and had not taken it back.
    Answered,
    /// It ended, and they had not.
    Unanswered,
    /// A call came between, or somebody closed it, before they had.
    CutShort,
}

/// The last drill that was held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its reference.
    pub drill: ActivationId,
    /// On which day.
    pub day: Date,
    /// What became of it.
    pub outcome: Outcome,
}

/// One site of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// Whose it is.
    pub(crate) customer: CustomerId,
    /// What is due next; `None` where no day can be found.
    pub next: Option<Occasion>,
    /// The last that was held.
    pub last_held: Option<Held>,
    /// The last day that was missed, and why.
    pub last_missed: Option<(Date, Missed)>,
    /// How many were held.
    pub held: u32,
    /// How many of those somebody answered.
    pub answered: u32,
    /// How many of those nobody did.
    pub unanswered: u32,
    /// How many were missed.
    pub missed: u32,
    /// Since when the schedule is in force as it is.
    pub(crate) since: Timestamp,
    /// In how long its drills begin.
    window_s: Seconds,
    /// What opened before is not due.
    from: Timestamp,
    /// The last day that was held or missed.
    settled: Option<Date>,
    /// When that was: the days are worked out from there.
    meant: (super::Repeat, Time, Zone),
}

/// What was last of a site that is on a schedule no longer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Former {
    /// Since when it is not.
    left: Timestamp,
    /// What had become of its drills.
    was: Tally,
    /// The last day that was missed, and why, where none was held after it.
    pub missed: Option<(Date, Missed)>,
}

/// Every site of every schedule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Timetable {
    tallies: BTreeMap<Place, Tally>,
    /// Whose turn it is when.
    turns: BTreeSet<(Timestamp, Place)>,
    /// The drills that are on, and whose they are.
    on: BTreeMap<ActivationId, (CustomerId, Place)>,
    /// When those end of which as many have said that they go as it takes.
    over: BTreeSet<(Timestamp, ActivationId)>,
    /// From when the next drill of each schedule is counted, of those whose window opened at one time: the turn of the last one, or
    /// when that began where it was late.
    begun: BTreeMap<(ScheduleId, Timestamp), Timestamp>,
    /// When any of a customer's schedules began last.
    last_begun: BTreeMap<CustomerId, Timestamp>,
    /// What is known of steps of the clock.
    pub(crate) steps: Steps,
    /// What was last of sites that are on a schedule no longer, by whose they were.
    former: BTreeMap<(CustomerId, Place), Former>,
    /// How many were missed, also of schedules that are gone.
    missed: u64,
    /// How many were held that nobody answered.
    unanswered: u64,
}

impl Timetable {
    /// Every line.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&Place, &Tally)> {
        self.tallies.iter()
    }

    /// How many were missed, and how many were held that nobody answered, since the record began.
    pub(crate) fn missed_and_unanswered(&self) -> (u64, u64) {
        (self.missed, self.unanswered)
    }

    /// When the first turn of all comes, or the first drill that was answered ends.
    pub(crate) fn first(&self) -> Option<Timestamp> {
        let turn = self.turns.first().map(|(at, _)| *at);
        turn.into_iter().chain(self.over.first().map(|(at, _)| *at)).min()
    }

    /// The drills that were answered and have lasted for long enough.
    pub(crate) fn over(&self, now: Timestamp) -> impl Iterator<Item = &ActivationId> {
        self.over.iter().take_while(move |(at, _)| *at <= now).map(|(_, drill)| drill)
    }

    /// Whose turn has come, the earliest first.
    pub(crate) fn due(&self, now: Timestamp) -> impl Iterator<Item = (&Place, &Tally, Occasion)> {
        let come = self.turns.iter().take_while(move |(at, _)| *at <= now);
        come.filter_map(|(_, place)| {
            let tally = self.tallies.get(place)?;
            Some((place, tally, tally.next?))
        })
    }

    /// Every site that is on a schedule no longer and was missed last: of each customer the last few.
    pub(crate) fn former(&self) -> impl Iterator<Item = (&CustomerId, &Place, &Former)> {
        self.former.iter().filter(|(_, former)| former.missed.is_some()).map(|((customer, place), former)| (customer, place, former))
    }

    /// From when the next drill of a schedule is counted, of those whose window opened at this time.
    pub(crate) fn begun(&self, schedule: &ScheduleId, opened: Timestamp) -> Option<Timestamp> {
        self.begun.get(&(schedule.clone(), opened)).copied()
    }

    /// Whether the last drill of any schedule of a customer began within this time.
    pub(crate) fn has_begun(&self, customer: &CustomerId, within: Range<Timestamp>) -> bool {
        self.last_begun.get(customer).is_some_and(|begun| within.contains(begun))
    }

    /// Whether the last drill of any schedule of a customer began so shortly before that the next one would come in a heap with it.
    pub(crate) fn has_just_begun(&self, customer: &CustomerId, now: Timestamp) -> bool {
        // A clock that was put back leaves no drill of tomorrow to be counted from.
        self.last_begun.get(customer).is_some_and(|begun| *begun <= now && now < APART_MIN.after(*begun))
    }

    /// Goes by another directory. What it has in common with the one before goes on as it was. What is another customer's by now
    /// begins anew, so that nobody reads what became of the drills of somebody else.
    pub(crate) fn go_by(&mut self, at: Timestamp, directory: &Directory) {
        let mut before = std::mem::take(&mut self.tallies);
        let mut gone = Vec::new();
        self.turns.clear();
        for (id, schedule) in &directory.drills {
            for (number, site) in schedule.sites.iter().enumerate() {
                let Some(zone) = directory.clock_at(site).map(|clock| clock.zone.clone()) else { continue };
                let place = (id.clone(), site.clone());
                let tally = match before.remove(&place) {
                    Some(tally) if tally.customer == schedule.customer => tally.under(at, schedule, zone),
                    another => {
                        gone.extend(another.map(|tally| tally.left(at, place.clone())));
                        Tally::new(at, schedule, zone, self.former.remove(&(schedule.customer.clone(), place.clone())))
                    }
                };
                self.tallies.insert(place.clone(), tally);
                self.set_next(&place, schedule, number);
            }
        }
        self.begun.retain(|(id, _), _| directory.drills.contains_key(id));
        self.last_begun.retain(|customer, _| directory.customers.contains_key(customer));
        gone.extend(before.into_iter().map(|(place, tally)| tally.left(at, place)));
        self.former.extend(gone);
        self.forget_former(at, directory);
    }

    /// Forgets of what is on no schedule any more all that is neither shown nor needed still.
    fn forget_former(&mut self, at: Timestamp, directory: &Directory) {
        let mut newest: Vec<_> = self.former.iter().map(|(whose, former)| (former.left, whose.clone(), former.missed.is_some())).collect();
        newest.sort_unstable_by(|one, other| other.cmp(one));
        let mut shown: BTreeMap<CustomerId, usize> = BTreeMap::new();
        for (number, (left, whose, was_missed)) in newest.into_iter().enumerate() {
            let count = shown.entry(whose.0.clone()).or_default();
            *count = count.saturating_add(usize::from(was_missed));
            let is_shown = was_missed && *count <= FORMER_SHOWN;
            let is_needed = at < KEPT_FOR.after(left);
            // A customer that is gone may come back as a site may, and until then somebody is to read what it has missed.
            let is_shown = is_shown && (is_needed || directory.customers.contains_key(&whose.0));
            if number >= FORMER_MAX || !(is_shown || is_needed) {
                self.former.remove(&whose);
            } else if !is_shown && let Some(former) = self.former.get_mut(&whose) {
                former.missed = None;
            }
        }
    }

    /// Takes note of what becomes of drills. `is_answered` says whether the activation that the event is of was before it.
    pub(crate) fn note(&mut self, at: Timestamp, event: &Event, directory: &Directory, is_answered: bool) {
        if let Event::Raised(raised) = event
            && let Some(scheduled) = &raised.scheduled
        {
            let place = (scheduled.schedule.clone(), raised.dev.site.clone());
            self.on.insert(raised.act.clone(), (raised.cust.clone(), place.clone()));
            self.last_begun.insert(raised.cust.clone(), at);
            if let Some(tally) = self.tallies.get_mut(&place) {
                if let Some(due) = tally.next {
                    let is_late = at < due.turn || LATE.after(due.turn) <= at;
                    self.begun.retain(|(id, _), begun| *id != place.0 || at < FORGOTTEN_AFTER.after(*begun));
                    self.begun.insert((place.0.clone(), due.opens), if is_late { at } else { due.turn });
                }
                tally.last_held = Some(Held { drill: raised.act.clone(), day: scheduled.day, outcome: Outcome::On });
                tally.held = tally.held.saturating_add(1);
                self.settle(&place, scheduled.day, directory);
            }
        }
        if let Event::Accepted { act, commitment: Commitment::Going, .. } | Event::Joined { act, commitment: Commitment::Going, .. } = event
            && self.on.contains_key(act)
            && !is_answered
        {
            // Where it was taken back meanwhile, or another one was needed, it is counted from here.
            self.over.retain(|(_, drill)| drill != act);
            self.over.insert((ANSWERED_FOR.after(at), act.clone()));
        }
        if let Event::Closed { act, drill, .. } = event
            && self.on.contains_key(act)
        {
            let unless_answered = match drill {
                Some(DrillEnd::Exhausted | DrillEnd::TimeOver | DrillEnd::Answered) => Outcome::Unanswered,
                Some(DrillEnd::RealCall) | None => Outcome::CutShort,
            };
            self.conclude(act, if is_answered { Outcome::Answered } else { unless_answered });
            self.over.retain(|(_, drill)| drill != act);
        }
        if let Event::DrillMissed { schedule, site, day, count, why, .. } = event {
            self.missed = self.missed.saturating_add(u64::from(*count));
            let place = (schedule.clone(), site.clone());
            if let Some(tally) = self.tallies.get_mut(&place) {
                tally.last_missed = Some((*day, *why));
                tally.missed = tally.missed.saturating_add(*count);
                self.settle(&place, *day, directory);
            }
        }
    }

    /// What was on when its line went is counted with what is kept of that; where it is forgotten, for the station alone.
    fn conclude(&mut self, drill: &ActivationId, outcome: Outcome) {
        self.unanswered = self.unanswered.saturating_add(u64::from(outcome == Outcome::Unanswered));
        let Some((customer, place)) = self.on.remove(drill) else { return };
        let is_its_own = |tally: &&mut Tally| tally.last_held.as_ref().is_some_and(|held| held.drill == *drill);
        let in_force = self.tallies.get_mut(&place).filter(is_its_own);
        let former = || self.former.get_mut(&(customer, place)).map(|former| &mut former.was).filter(is_its_own);
        let Some(tally) = in_force.or_else(former) else { return };
        match outcome {
            Outcome::On | Outcome::CutShort => {}
            Outcome::Answered => tally.answered = tally.answered.saturating_add(1),
            Outcome::Unanswered => tally.unanswered = tally.unanswered.saturating_add(1),
        }
        if let Some(held) = &mut tally.last_held {
            held.outcome = outcome;
        }
    }

    fn settle(&mut self, place: &Place, day: Date, directory: &Directory) {
        if let Some(tally) = self.tallies.get_mut(place) {
            tally.settled = tally.settled.max(Some(day));
        }
        let schedule = directory.drills.get(&place.0);
        if let Some((schedule, number)) = schedule.and_then(|schedule| Some((schedule, schedule.place_of(&place.1)?))) {
            self.set_next(place, schedule, number);
        }
    }

    fn set_next(&mut self, place: &Place, schedule: &Schedule, number: usize) {
        let Some(tally) = self.tallies.get_mut(place) else { return };
        if let Some(before) = tally.next {
            self.turns.remove(&(before.turn, place.clone()));
        }
        tally.next = schedule.next(number, &tally.meant.2, tally.from, tally.settled);
        if let Some(next) = tally.next {
            self.turns.insert((next.turn, place.clone()));
        }
    }
}

impl Tally {
    /// One that is new, or has come back: a day on which it was held or missed before is not due again, and what was counted is not
    /// lost.
    fn new(at: Timestamp, schedule: &Schedule, zone: Zone, former: Option<Former>) -> Self {
        let (since, from, window_s, meant) = (at, at, schedule.window_s, (schedule.on, schedule.at, zone));
        if let Some(former) = former {
            return Self { next: None, since, from, window_s, meant, ..former.was };
        }
        Self {
            customer: schedule.customer.clone(),
            next: None,
            last_held: None,
            last_missed: None,
            held: 0,
            answered: 0,
            unanswered: 0,
            missed: 0,
            since,
            window_s,
            from,
            settled: None,
            meant,
        }
    }

    /// What is kept of it once it is on the schedule no longer.
    fn left(self, at: Timestamp, place: Place) -> ((CustomerId, Place), Former) {
        let missed = self.last_missed.filter(|_| self.is_missed_last());
        ((self.customer.clone(), place), Former { left: at, was: self, missed })
    }

    /// The same under a schedule that may have changed. Days that it would have had before it was changed were never due; the day of
    /// the change counts as a whole, so that it is not lost where its hour is moved, also to one before the line was there at all.
    fn under(self, at: Timestamp, schedule: &Schedule, zone: Zone) -> Self {
        let (window_s, meant) = (schedule.window_s, (schedule.on, schedule.at, zone));
        if self.meant == meant {
            let since = if self.window_s == window_s { self.since } else { at };
            return Self { since, window_s, ..self };
        }
        let date = meant.2.wall(at).date();
        let (today, was_due) = (meant.2.midnight(date), self.next.is_some_and(|next| next.day == date));
        let from = if was_due { today } else { self.from.max(today) };
        Self { since: at, from, window_s, meant, ..self }
    }

    /// Whether what is due would still come of it under another schedule.
    pub(crate) fn would_keep(&self, due: Occasion, at: Timestamp, schedule: &Schedule, (number, zone): (usize, &Zone)) -> bool {
        let from = self.clone().under(at, schedule, zone.clone()).from;
        schedule.on_day(number, zone, due.day).is_some_and(|occasion| occasion.opens >= from)
    }

    /// Whether a schedule has the same days and hours there as the one that is kept here, and is of the same customer.
    pub(crate) fn is_under(&self, schedule: &Schedule, zone: &Zone) -> bool {
        let (on, at, known) = &self.meant;
        schedule.customer == self.customer && (*on, *at) == (schedule.on, schedule.at) && known == zone
    }

    /// Whether the last that was due was missed.
    pub fn is_missed_last(&self) -> bool {
        self.last_missed.is_some_and(|(day, _)| self.last_held.as_ref().is_none_or(|held| held.day <= day))
    }

    /// The clock by which its days are.
    pub fn zone(&self) -> &Zone {
        &self.meant.2
    }
}
