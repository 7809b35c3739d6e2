//! H: what was due by a schedule was held once in its window, or missed once with a reason; never both, and never beside anything real.
//!
//! Worked out from the record and a plan on paper; it asks the rules nothing.

use std::collections::{BTreeMap, BTreeSet};

use escalation::event::Event;
use escalation::id::{ActivationId, CustomerId, DeviceId, SiteId};
use escalation::schedule::Missed;
use escalation::time::{SignedDuration, Timestamp};

use crate::oracle::Findings;
use crate::past::{Entry, Past};

/// A schedule, its sites, the button whose ladder it is, when its window opens, and for how many minutes.
type Planned = (&'static str, &'static [&'static str], Option<&'static str>, &'static str, i64);

/// The evening of every seed, in universal time. The hall and the two of the pair are one customer's.
pub(crate) const PLAN: [Planned; 5] = [
    ("early", &["hall"], None, "2026-11-18T11:09:00Z", 4),
    ("pair", &["annexe", "lodge"], None, "2026-11-18T11:09:00Z", 6),
    ("late", &["hall"], None, "2026-11-18T11:15:00Z", 10),
    ("counter", &["library"], Some("front-1"), "2026-11-18T11:12:00Z", 12),
    ("desk", &["clinic"], None, "2026-11-18T11:10:00Z", 8),
];

/// Nothing is drilled so shortly after a start.
const SETTLING: SignedDuration = SignedDuration::from_secs(120);
/// The same in the world's own time, in which its clock may be slewed.
const SETTLED: SignedDuration = SignedDuration::from_secs(140);
/// Nor so shortly after a call of the customer was closed.
const CALM: SignedDuration = SignedDuration::from_secs(120);
/// So shortly before its window closes a drill that cannot begin is missed.
const LAST_LOOK: SignedDuration = SignedDuration::from_secs(2);
/// Two drills of a customer begin so far apart.
const APART: SignedDuration = SignedDuration::from_secs(5);
/// A look may be so late, and a turn with it.
const LATE: SignedDuration = SignedDuration::from_secs(2);
/// By so much the station's time and the wall's may differ at a drill, and what is read of both a little later.
const BELIEVED: SignedDuration = SignedDuration::from_secs(62);
/// For so long after a step nothing is drilled.
const DOUBTED: SignedDuration = SignedDuration::from_secs(600);
/// A look that is due comes within this.
const LOOKED: SignedDuration = SignedDuration::from_secs(3);

/// The same as the directory has it; Perth is eight hours ahead.
pub(crate) fn schedules() -> String {
    let line = |(id, sites, device, opens, minutes): &Planned| {
        let at = &opens[11..16].replacen("11:", "19:", 1);
        let device = device.map(|device| format!("device = \"{device}\"\n")).unwrap_or_default();
        format!("[[drill]]\nid = \"{id}\"\nsites = {sites:?}\n{device}on = \"wed\"\nat = \"{at}\"\nminutes = {minutes}\n")
    };
    PLAN.iter().map(line).collect()
}

/// What the record has said so far.
#[derive(Default)]
struct Evening {
    adopted: Option<Timestamp>,
    started: Option<Timestamp>,
    lost: bool,
    customers: BTreeMap<ActivationId, CustomerId>,
    /// Calls that are open.
    calls: BTreeSet<ActivationId>,
    drills: BTreeMap<ActivationId, SiteId>,
    out_of_service: BTreeMap<DeviceId, Timestamp>,
    on_test: BTreeMap<DeviceId, Timestamp>,
    /// When the last call of each customer was closed.
    closed: BTreeMap<CustomerId, Timestamp>,
    /// When a drill of each customer's schedules began last, and of which.
    begun: BTreeMap<CustomerId, (Timestamp, String)>,
    /// Whether any clock was wrong yet: a step was seen, or the station has started more than once.
    clocks: u32,
    /// When steps that people notice were seen, or the station's own time leapt beside the world's.
    steps: Vec<Timestamp>,
    /// The times of the last entry, and the process that wrote it.
    last: Option<(Timestamp, Timestamp, String)>,
    /// What came of each site of each schedule.
    came_to: BTreeMap<(String, String), u32>,
}

impl Evening {
    fn read(&mut self, entry: &Entry, wall: Timestamp, found: &mut Findings) {
        self.see_leap(entry);
        match &entry.event {
            Event::DirectoryAdopted { .. } => self.adopted = self.adopted.or(Some(entry.at)),
            Event::StationStarted { .. } => {
                self.clocks += u32::from(self.started.is_some());
                self.started = Some(entry.at);
            }
            Event::ClockStepped { by_us } => {
                self.clocks += 1;
                self.steps.extend((by_us.abs() > 60_000_000).then_some(entry.at));
            }
            Event::TestStarted { dev, until, .. } => drop(self.on_test.insert(dev.clone(), *until)),
            Event::TestEnded { dev, .. } => drop(self.on_test.remove(dev)),
            Event::RecordLost { .. } => self.lost = true,
            Event::RecordFound {} => self.lost = false,
            Event::OutOfService { dev, until, .. } => drop(self.out_of_service.insert(dev.clone(), *until)),
            Event::InService { dev, .. } => drop(self.out_of_service.remove(dev)),
            Event::Raised(raised) => {
                if let Some(scheduled) = &raised.scheduled {
                    self.is_held(entry, &raised.cust, &raised.dev.site, scheduled.schedule.as_str(), found);
                    if (entry.at.duration_until(wall)).abs() > BELIEVED {
                        found.wrong("H drilled by another clock than everybody's", &entry.text);
                    }
                }
                self.customers.insert(raised.act.clone(), raised.cust.clone());
                if raised.drill_until.is_some() {
                    self.drills.insert(raised.act.clone(), raised.dev.site.clone());
                } else {
                    self.calls.insert(raised.act.clone());
                }
            }
            Event::Closed { act, drill, .. } => {
                if drill.is_some() && !self.drills.contains_key(act) {
                    found.wrong("H a call ended as a drill", act);
                }
                if self.calls.remove(act)
                    && let Some(customer) = self.customers.get(act)
                {
                    self.closed.insert(customer.clone(), entry.at);
                }
                self.drills.remove(act);
            }
            Event::Reopened { act, .. } => drop(self.calls.insert(act.clone())),
            Event::DrillMissed { cust, schedule, site, due, count, why, .. } => {
                self.is_why(entry, wall, cust, site, schedule.as_str(), *why, found);
                let planned = PLAN.iter().find(|(id, ..)| *id == schedule.as_str()).map(|(.., opens, _)| instant(opens));
                if planned != Some(*due) || *count != 1 || *due > entry.at {
                    found.wrong("H missed what was not due", &entry.text);
                }
                *self.came_to.entry((schedule.to_string(), site.to_string())).or_default() += 1;
            }
            _other => {}
        }
    }

    /// Within a process our time goes as the world's does, but for a twentieth; else it leapt.
    fn see_leap(&mut self, entry: &Entry) {
        let boot = entry.text.split_once("\"boot\":\"").and_then(|(_, rest)| rest.split_once('"')).map_or("", |(boot, _)| boot);
        let last = self.last.replace((entry.at, entry.truly, boot.to_owned()));
        if let Some((at, truly, _)) = last.filter(|(_, truly, by)| *truly <= entry.truly && *by == boot) {
            let (ours, theirs) = (at.duration_until(entry.at), truly.duration_until(entry.truly));
            let is_leap = ours - theirs - theirs / 20 > BELIEVED;
            self.steps.extend(is_leap.then_some(entry.at));
        }
    }

    /// A drill is missed at the end of its window and no sooner, and what is said to have stood in its way does so.
    #[expect(clippy::too_many_arguments, reason = "an entry, both clocks, and what it says")]
    fn is_why(
        &self,
        entry: &Entry,
        wall: Timestamp,
        customer: &CustomerId,
        site: &SiteId,
        schedule: &str,
        why: Missed,
        found: &mut Findings,
    ) {
        let Some((_, _, device, opens, minutes)) = PLAN.iter().find(|(id, ..)| *id == schedule) else { return };
        let closes = instant(opens) + SignedDuration::from_mins(*minutes);
        if entry.at < closes - LAST_LOOK {
            found.wrong("H missed before its window was over", &entry.text);
        }
        let device = device.and_then(|device| format!("{site}/{device}").parse::<DeviceId>().ok());
        let until = |known: &BTreeMap<DeviceId, Timestamp>| {
            device.as_ref().and_then(|device| known.get(device)).is_some_and(|until| entry.at < *until)
        };
        let is_so = match why {
            Missed::Down => self.started.is_some_and(|started| closes <= started + SETTLING),
            Missed::CallOpen => self.calls.iter().any(|call| self.customers.get(call) == Some(customer)),
            Missed::JustClosed => self.closed.get(customer).is_some_and(|closed| entry.at < *closed + CALM),
            Missed::DrillOpen => self.drills.values().any(|there| there == site),
            Missed::OnTest => until(&self.on_test),
            Missed::OutOfService => until(&self.out_of_service),
            Missed::Crowded => self.begun.get(customer).is_some_and(|(begun, _)| *begun >= instant(opens)),
            Missed::RecordLost => self.lost,
            // Steps that came into the window or shortly before it, and a wall that shows another time.
            Missed::Clock => {
                let is_doubt = |step: Timestamp| entry.at < step + DOUBTED || step >= instant(opens);
                // What had not been followed yet is leapt over by a start.
                let by_start = self.started.is_some_and(|started| !self.steps.is_empty() && is_doubt(started));
                let is_doubted = by_start || self.steps.iter().any(|step| is_doubt(*step));
                is_doubted || entry.at.duration_until(wall).abs() > BELIEVED - LATE - LATE
            }
            Missed::Passed => self.clocks > 0 && entry.at >= closes,
            // Twenty are never on, and the plan stays as it is.
            Missed::TooManyDrills | Missed::NoSuchPlace | Missed::Changed => false,
        };
        if !is_so {
            found.wrong("H missed for what was not so", &entry.text);
        }
    }

    fn is_held(&mut self, entry: &Entry, customer: &CustomerId, site: &SiteId, schedule: &str, found: &mut Findings) {
        *self.came_to.entry((schedule.to_owned(), site.to_string())).or_default() += 1;
        let Some((_, places, device, opens, minutes)) = PLAN.iter().find(|(id, ..)| *id == schedule) else {
            return found.wrong("H drilled by nobody's schedule", &entry.text);
        };
        let (opens, window) = (instant(opens), SignedDuration::from_mins(*minutes));
        if !(opens..opens + window).contains(&entry.at) || !places.contains(&site.as_str()) {
            found.wrong("H drilled outside of its window", &entry.text);
        }
        if self.calls.iter().any(|call| self.customers.get(call) == Some(customer)) {
            found.wrong("H drilled beside a call", &entry.text);
        }
        // Each site of a schedule has its part of the window, and two schedules of a customer do not come in a heap.
        let part = window / i32::try_from(places.len()).unwrap() - LATE;
        let is_heap = |(begun, by): &(Timestamp, String)| entry.at < *begun + if by == schedule { part.max(APART) } else { APART };
        if self.begun.insert(customer.clone(), (entry.at, schedule.to_owned())).as_ref().is_some_and(is_heap) {
            found.wrong("H drilled in a heap", &entry.text);
        }
        if self.steps.iter().any(|step| entry.at < *step + DOUBTED) {
            found.wrong("H drilled at an hour that nobody knows yet", &entry.text);
        }
        if self.closed.get(customer).is_some_and(|closed| entry.at < *closed + CALM) {
            found.wrong("H drilled right after a call", &entry.text);
        }
        if self.drills.values().any(|there| there == site) {
            found.wrong("H drilled beside a drill", &entry.text);
        }
        if self.started.is_none_or(|started| entry.at < started + SETTLING) {
            found.wrong("H drilled too soon after a start", &entry.text);
        }
        let device = device.and_then(|device| format!("{site}/{device}").parse::<DeviceId>().ok());
        let until = |known: &BTreeMap<DeviceId, Timestamp>| {
            device.as_ref().and_then(|device| known.get(device)).is_some_and(|until| entry.at < *until)
        };
        if self.lost || until(&self.out_of_service) || until(&self.on_test) {
            found.wrong("H drilled what cannot be drilled", &entry.text);
        }
    }
}

/// Judges every schedule of the evening.
pub(crate) fn are_held_or_missed(past: &Past, found: &mut Findings) {
    let mut evening = Evening::default();
    // Times at which a process had been up for long enough to drill, and went on for long enough to have looked.
    let mut looked: Vec<Timestamp> = Vec::new();
    for entry in &past.entries {
        evening.read(entry, past.wall_at(entry.truly), found);
        let ran_on = entry.truly + SignedDuration::from_secs(10);
        let was_down = past.downs.iter().any(|(from, to)| *from < ran_on && entry.truly < *to);
        let up_since = past.downs.iter().map(|(_, to)| *to).filter(|up| *up <= entry.truly).max();
        if ran_on < past.ended_at && !was_down && up_since.is_some_and(|up| entry.truly > up + SETTLED) {
            looked.push(entry.at);
        }
    }
    for (id, sites, _, opens, minutes) in PLAN {
        let closes = instant(opens) + SignedDuration::from_mins(minutes);
        let was_in_force = evening.adopted.is_some_and(|adopted| adopted < instant(opens));
        let is_over = looked.iter().any(|at| *at > closes + LOOKED);
        for site in sites {
            let came_to = evening.came_to.get(&(id.to_owned(), (*site).to_owned())).copied().unwrap_or(0);
            if came_to > 1 {
                found.wrong("H held and missed, or twice", id);
            }
            if came_to == 0 && was_in_force && is_over {
                found.wrong("H due, and neither held nor missed", id);
            }
        }
    }
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}
