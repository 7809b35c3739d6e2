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

/// The evening of every seed: schedule, site, the button whose ladder it is, and the window, in hours and minutes of universal time.
pub(crate) const PLAN: [(&str, &str, Option<&str>, &str, i64); 4] = [
    ("early", "hall", None, "2026-11-18T11:09:00Z", 4),
    ("late", "hall", None, "2026-11-18T11:15:00Z", 10),
    ("counter", "library", Some("front-1"), "2026-11-18T11:12:00Z", 12),
    ("desk", "clinic", None, "2026-11-18T11:10:00Z", 8),
];

/// Nothing is drilled so shortly after a start.
const SETTLING: SignedDuration = SignedDuration::from_secs(120);
/// The same in the world's own time, in which its clock may be slewed.
const SETTLED: SignedDuration = SignedDuration::from_secs(140);
/// Nor so shortly after a call of the customer was closed.
const CALM: SignedDuration = SignedDuration::from_secs(120);
/// So shortly before its window closes a drill that cannot begin is missed.
const LAST_LOOK: SignedDuration = SignedDuration::from_secs(2);
/// A look that is due comes within this.
const LOOKED: SignedDuration = SignedDuration::from_secs(3);

/// The same as the directory has it; Perth is eight hours ahead.
pub(crate) fn schedules() -> String {
    let line = |(id, site, device, opens, minutes): &(&str, &str, Option<&str>, &str, i64)| {
        let at = &opens[11..16].replacen("11:", "19:", 1);
        let device = device.map(|device| format!("device = \"{device}\"\n")).unwrap_or_default();
        format!("[[drill]]\nid = \"{id}\"\nsites = [\"{site}\"]\n{device}on = \"wed\"\nat = \"{at}\"\nminutes = {minutes}\n")
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
    /// When a drill of a schedule began last.
    begun: Option<Timestamp>,
    /// Whether any clock was wrong yet: a step was seen, or the station has started more than once.
    clocks: u32,
    /// What came of each schedule.
    came_to: BTreeMap<String, u32>,
}

impl Evening {
    fn read(&mut self, entry: &Entry, found: &mut Findings) {
        match &entry.event {
            Event::DirectoryAdopted { .. } => self.adopted = self.adopted.or(Some(entry.at)),
            Event::StationStarted { .. } => {
                self.clocks += u32::from(self.started.is_some());
                self.started = Some(entry.at);
            }
            Event::ClockStepped { .. } => self.clocks += 1,
            Event::TestStarted { dev, until, .. } => drop(self.on_test.insert(dev.clone(), *until)),
            Event::TestEnded { dev, .. } => drop(self.on_test.remove(dev)),
            Event::RecordLost { .. } => self.lost = true,
            Event::RecordFound {} => self.lost = false,
            Event::OutOfService { dev, until, .. } => drop(self.out_of_service.insert(dev.clone(), *until)),
            Event::InService { dev, .. } => drop(self.out_of_service.remove(dev)),
            Event::Raised(raised) => {
                if let Some(scheduled) = &raised.scheduled {
                    self.is_held(entry, &raised.cust, &raised.dev.site, scheduled.schedule.as_str(), found);
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
                self.is_why(entry, cust, site, schedule.as_str(), *why, found);
                let planned = PLAN.iter().find(|(id, ..)| *id == schedule.as_str()).map(|(.., opens, _)| instant(opens));
                if planned != Some(*due) || *count != 1 || *due > entry.at {
                    found.wrong("H missed what was not due", &entry.text);
                }
                *self.came_to.entry(schedule.to_string()).or_default() += 1;
            }
            _other => {}
        }
    }

    /// A drill is missed at the end of its window and no sooner, and what is said to have stood in its way does so.
    fn is_why(&self, entry: &Entry, customer: &CustomerId, site: &SiteId, schedule: &str, why: Missed, found: &mut Findings) {
        let Some((_, place, device, opens, minutes)) = PLAN.iter().find(|(id, ..)| *id == schedule) else { return };
        let closes = instant(opens) + SignedDuration::from_mins(*minutes);
        if entry.at < closes - LAST_LOOK {
            found.wrong("H missed before its window was over", &entry.text);
        }
        let device = device.and_then(|device| format!("{place}/{device}").parse::<DeviceId>().ok());
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
            Missed::Crowded => self.begun.is_some_and(|begun| begun >= instant(opens)),
            Missed::RecordLost => self.lost,
            Missed::Clock => self.clocks > 0,
            Missed::Passed => self.clocks > 0 && entry.at >= closes,
            // Twenty are never on, and the plan stays as it is.
            Missed::TooManyDrills | Missed::NoSuchPlace | Missed::Changed => false,
        };
        if !is_so {
            found.wrong("H missed for what was not so", &entry.text);
        }
    }

    fn is_held(&mut self, entry: &Entry, customer: &CustomerId, site: &SiteId, schedule: &str, found: &mut Findings) {
        *self.came_to.entry(schedule.to_owned()).or_default() += 1;
        let Some((_, place, device, opens, minutes)) = PLAN.iter().find(|(id, ..)| *id == schedule) else {
            return found.wrong("H drilled by nobody's schedule", &entry.text);
        };
        let opens = instant(opens);
        if !(opens..opens + SignedDuration::from_mins(*minutes)).contains(&entry.at) || site.as_str() != *place {
            found.wrong("H drilled outside of its window", &entry.text);
        }
        if self.calls.iter().any(|call| self.customers.get(call) == Some(customer)) {
            found.wrong("H drilled beside a call", &entry.text);
        }
        self.begun = Some(entry.at);
        if self.closed.get(customer).is_some_and(|closed| entry.at < *closed + CALM) {
            found.wrong("H drilled right after a call", &entry.text);
        }
        if self.drills.values().any(|there| there == site) {
            found.wrong("H drilled beside a drill", &entry.text);
        }
        if self.started.is_none_or(|started| entry.at < started + SETTLING) {
            found.wrong("H drilled too soon after a start", &entry.text);
        }
        let device = device.and_then(|device| format!("{place}/{device}").parse::<DeviceId>().ok());
        let out_until = device.and_then(|device| self.out_of_service.get(&device).copied());
        if self.lost || out_until.is_some_and(|until| entry.at < until) {
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
        evening.read(entry, found);
        let ran_on = entry.truly + SignedDuration::from_secs(10);
        let was_down = past.downs.iter().any(|(from, to)| *from < ran_on && entry.truly < *to);
        let up_since = past.downs.iter().map(|(_, to)| *to).filter(|up| *up <= entry.truly).max();
        if ran_on < past.ended_at && !was_down && up_since.is_some_and(|up| entry.truly > up + SETTLED) {
            looked.push(entry.at);
        }
    }
    for (id, _, _, opens, minutes) in PLAN {
        let closes = instant(opens) + SignedDuration::from_mins(minutes);
        let was_in_force = evening.adopted.is_some_and(|adopted| adopted < instant(opens));
        let came_to = evening.came_to.get(id).copied().unwrap_or(0);
        let is_over = looked.iter().any(|at| *at > closes + LOOKED);
        if came_to > 1 {
            found.wrong("H held and missed, or twice", id);
        }
        if came_to == 0 && was_in_force && is_over {
            found.wrong("H due, and neither held nor missed", id);
        }
    }
}

fn instant(text: &str) -> Timestamp {
    text.parse().unwrap()
}
