//! The vigil: which of the buttons that are watched are heard, which are silent, and which are not known.
//!
//! Pure: time comes in as spans that passed. Its memory is of one run alone, as that of heartbeats is (mechanisms, "Rooms meeting"):
//! after a start a device is unknown until it is heard, or until it has been silent for as long as it may. What is unknown raises
//! nothing and, what matters more, clears nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::directory::Directory;
use crate::id::{DeviceId, SiteId, SupervisionId};
use crate::matter::Gravity;
use crate::roster::{Rosters, WallClock};
use crate::supervision::Supervision;
use crate::time::Timestamp;
use crate::trouble::Cause;

/// At or below this a battery runs out, in percent: weeks before a button is dead, for those that say anything at all. Ours: no
/// standard names a figure, and vendors scale theirs as they like (practice, F15).
const BATTERY_LOW: u8 = 20;
/// From here it does no longer, in percent: a new battery, and not a warmer room.
const BATTERY_GOOD: u8 = 30;

/// What is watched, by one version of the directory.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watchlist {
    version: u32,
    classes: BTreeMap<SupervisionId, Supervision>,
    /// Every registered device, with its class where it is watched.
    devices: BTreeMap<DeviceId, Option<SupervisionId>>,
    clocks: BTreeMap<SiteId, Arc<WallClock>>,
    rosters: Arc<Rosters>,
}

/// What the ears know of a device.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heard {
    /// How many signs of life it has given since the start.
    pub signs: u64,
    /// Its battery in percent, where it was said last.
    pub battery: Option<u8>,
}

/// What passed since the last look.
#[derive(Clone, Copy, Debug)]
pub struct Passed {
    /// When it is, for hours.
    pub now: Timestamp,
    /// For how many milliseconds somebody listened; 0 where presses could not reach us.
    pub listened_ms: u64,
}

/// What came to be known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct News {
    /// Of what.
    pub cause: Cause,
    /// Whether it is so, or known not to be.
    pub is_on: bool,
}

/// The memory of one run.
#[derive(Clone, Debug, Default)]
pub struct Vigil {
    version: u32,
    has_looked: bool,
    devices: BTreeMap<DeviceId, Memory>,
    told: BTreeMap<Cause, bool>,
}

/// What is remembered of a device that is watched.
#[derive(Clone, Copy, Debug)]
struct Memory {
    signs: u64,
    standing: Standing,
    /// For how long it has been silent while somebody listened and its hours were on.
    silent_ms: u64,
    /// For how long it has given no sign while somebody listened, at whatever hours.
    since_sign_ms: u64,
}

/// How a device stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Not heard since it is watched, and not silent for long enough.
    Unknown,
    Heard,
    /// Until it gives a sign, whatever else changes.
    Silent,
}

/// A device as its site sees it.
#[derive(Clone, Copy, Debug)]
struct Reading<'l> {
    class: &'l SupervisionId,
    allowed_ms: u64,
    is_on: bool,
    memory: Memory,
}

impl Watchlist {
    /// What this version of the directory has watched.
    pub fn of(directory: &Directory, version: u32) -> Self {
        Self {
            version,
            classes: directory.supervisions.clone(),
            devices: directory.devices.iter().map(|(id, device)| (id.clone(), device.supervision.clone())).collect(),
            clocks: directory.sites.iter().filter_map(|(id, site)| Some((id.clone(), Arc::clone(site.clock.as_ref()?)))).collect(),
            rosters: Arc::clone(&directory.rosters),
        }
    }

    /// Of which version.
    pub fn version(&self) -> u32 {
        self.version
    }

    /// The devices that are watched, site by site.
    fn watched(&self) -> impl Iterator<Item = (&DeviceId, &SupervisionId, &Supervision)> {
        self.devices.iter().filter_map(|(id, class)| {
            let (class, supervision) = self.classes.get_key_value(class.as_ref()?)?;
            Some((id, class, supervision))
        })
    }

    /// Whether silence there counts now. Where no clock is known it does: the strict answer is the one that tells somebody.
    fn is_on(&self, class: &Supervision, site: &SiteId, now: Timestamp) -> bool {
        match (&class.hours, self.clocks.get(site)) {
            (Some(hours), Some(clock)) => self.rosters.are_on(hours, clock, now).0,
            (Some(_), None) | (None, _) => true,
        }
    }
}

impl Vigil {
    /// Looks once, and gives what nobody was told yet, the gravest first; see [`Vigil::told`].
    pub fn look(&mut self, list: &Watchlist, passed: Passed, heard: &dyn Fn(&DeviceId) -> Option<Heard>) -> Vec<News> {
        if self.version != list.version {
            self.adopt(list);
        }
        let mut known = BTreeMap::new();
        let mut sites: BTreeMap<&SiteId, Vec<Reading<'_>>> = BTreeMap::new();
        for (device, class, supervision) in list.watched() {
            let is_on = list.is_on(supervision, &device.site, passed.now);
            let allowed_ms = u64::from(supervision.silent_after_s.0) * 1_000;
            let signs = heard(device).map_or(0, |heard| heard.signs);
            // The ears of a run begin with it: at its first look whatever they have is new.
            let before = if self.has_looked { signs } else { 0 };
            let memory = self.devices.entry(device.clone()).or_insert_with(|| Memory::new(before));
            memory.pass(signs, is_on, allowed_ms, passed.listened_ms);
            sites.entry(&device.site).or_default().push(Reading { class, allowed_ms, is_on, memory: *memory });
            if let Some(is_silent) = memory.standing.is_silent() {
                known.insert(Cause::DeviceSilent { device: device.clone() }, is_silent);
            }
        }
        self.has_looked = true;
        for (site, readings) in sites {
            if let Some(is_blind) = is_blind(&readings) {
                known.insert(Cause::SiteBlind { site: site.clone() }, is_blind);
            }
        }
        for device in list.devices.keys() {
            if let Some(is_low) = heard(device).and_then(|heard| is_low(heard.battery?)) {
                known.insert(Cause::BatteryLow { device: device.clone() }, is_low);
            }
        }
        let untold = known.into_iter().filter(|(cause, is_on)| self.told.get(cause) != Some(is_on));
        let mut news: Vec<_> = untold.map(|(cause, is_on)| News { cause, is_on }).collect();
        news.sort_by_key(|news| (!news.is_on, news.cause.gravity(passed.now) != Gravity::AlarmPath));
        news
    }

    /// The watch has taken it. What it did not take is news again at the next look.
    pub fn told(&mut self, news: News) {
        self.told.insert(news.cause, news.is_on);
    }

    /// Under another directory the rules may have dropped what they were told: they are told everything again, which costs nothing
    /// where they know it. For how long a device has been silent stays known.
    fn adopt(&mut self, list: &Watchlist) {
        self.version = list.version;
        self.told.clear();
        self.devices.retain(|device, _| list.devices.get(device).is_some_and(Option::is_some));
    }
}

impl Memory {
    /// Of a device that comes under watch: what the ears heard of it before says nothing of now.
    fn new(signs: u64) -> Self {
        Self { signs, standing: Standing::Unknown, silent_ms: 0, since_sign_ms: 0 }
    }

    fn pass(&mut self, signs: u64, is_on: bool, allowed_ms: u64, listened_ms: u64) {
        if self.signs != signs {
            *self = Self { standing: Standing::Heard, ..Self::new(signs) };
            return;
        }
        self.since_sign_ms = self.since_sign_ms.saturating_add(listened_ms);
        // Whoever is switched off with the office has as long as ever once it opens.
        self.silent_ms = if is_on { self.silent_ms.saturating_add(listened_ms) } else { 0 };
        if self.silent_ms >= allowed_ms {
            self.standing = Standing::Silent;
        }
    }
}

impl Reading<'_> {
    fn is_silent(&self) -> bool {
        self.memory.standing == Standing::Silent
    }

    /// Whether it gave a sign, not longer ago than this.
    fn was_heard_within(&self, span_ms: u64) -> bool {
        self.memory.standing == Standing::Heard && self.memory.since_sign_ms < span_ms
    }
}

impl Standing {
    fn is_silent(self) -> Option<bool> {
        match self {
            Self::Unknown => None,
            Self::Heard => Some(false),
            Self::Silent => Some(true),
        }
    }
}

/// Blind where nothing is heard that should be; not blind where anything was, not longer ago than it may be silent; else nobody knows.
fn is_blind(readings: &[Reading<'_>]) -> Option<bool> {
    let mut on = readings.iter().filter(|reading| reading.is_on).peekable();
    let is_all_gone = on.peek().is_some() && on.all(Reading::is_silent);
    let classes: BTreeSet<&SupervisionId> = readings.iter().map(|reading| reading.class).collect();
    if is_all_gone || classes.into_iter().any(|class| is_class_gone(readings, class)) {
        return Some(true);
    }
    readings.iter().any(|reading| reading.was_heard_within(reading.allowed_ms)).then_some(false)
}

/// Several that speak often are silent together, and nothing else was heard for as long as they may be: one that speaks once a day
/// hides it no longer than that.
fn is_class_gone(readings: &[Reading<'_>], class: &SupervisionId) -> bool {
    let mates: Vec<_> = readings.iter().filter(|reading| reading.is_on && reading.class == class).collect();
    let [first, _, ..] = mates.as_slice() else { return false };
    mates.iter().all(|mate| mate.is_silent()) && !readings.iter().any(|reading| reading.was_heard_within(first.allowed_ms))
}

/// Between the two figures nothing is said, so that a battery at the edge does not come and go.
fn is_low(percent: u8) -> Option<bool> {
    match percent {
        ..=BATTERY_LOW => Some(true),
        BATTERY_GOOD.. => Some(false),
        _ => None,
    }
}
