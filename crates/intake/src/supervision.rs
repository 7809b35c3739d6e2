//! Who was heard from, and when: in memory only.
//!
//! A healthy heartbeat confirms nothing and is no entry in the record; after a restart a device is unknown until heard. Must not
//! raise anything: silence is judged where hours are known, by the vigil of the rules.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use escalation::id::DeviceId;
use escalation::signal::{DeviceClock, Verb};
use escalation::time::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// How far a device's time may be from ours, and how long that proof holds.
const AGREEMENT: SignedDuration = SignedDuration::from_secs(60);
/// How many devices are remembered. Overflow rule: those known stay, newcomers are not remembered.
const CAPACITY: usize = 100_000;

/// When a device was last heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastHeard {
    /// How many signs of life it has given. What a broker kept is none: it says how things were.
    pub signs: u64,
    /// Its last message of any kind.
    pub at: Option<Timestamp>,
    /// Its last heartbeat.
    pub heartbeat: Option<Timestamp>,
    /// Battery in percent, where it was said last.
    pub battery: Option<u8>,
    /// Signal strength in dBm, where it was said last.
    pub rssi: Option<i32>,
    /// Whether the last heartbeat's own time agreed with ours.
    agreed: bool,
}

/// The devices heard since the start, and for how long somebody listened. Cheap to clone; every clone sees the same.
#[derive(Clone, Debug, Default)]
pub struct Supervision {
    devices: Arc<Mutex<BTreeMap<DeviceId, LastHeard>>>,
    listening: Arc<Mutex<Listening>>,
}

/// When what came was a sign of life.
#[derive(Clone, Copy, Debug, Default)]
struct Listening {
    /// Before it is now.
    before: Duration,
    /// Since when it is, or from when it will be.
    since: Option<Instant>,
}

/// Whether what a device sends proves that it is there. A will is the broker's word, what a gateway says of a device that has gone
/// is the gateway's, and what nobody can read may be either.
pub(crate) fn is_sign_of_life(verb: &Verb) -> bool {
    match verb {
        Verb::Press { .. } | Verb::Cancel(_) | Verb::Tamper { .. } => true,
        Verb::Presence { .. } | Verb::Unreadable { .. } => false,
    }
}

impl Supervision {
    /// From `at` on what comes is a sign of life: before that it may have waited for us.
    pub(crate) fn listen_from(&self, at: Instant) {
        let mut listening = self.listening();
        listening.before = listening.until(Instant::now());
        listening.since = Some(at);
    }

    /// Nothing comes any more.
    pub(crate) fn listen_no_more(&self) {
        let mut listening = self.listening();
        *listening = Listening { before: listening.until(Instant::now()), since: None };
    }

    /// For how long somebody has listened since the start.
    pub fn listened(&self) -> Duration {
        self.listening().until(Instant::now())
    }

    fn counts(&self) -> bool {
        self.listening().since.is_some_and(|since| since <= Instant::now())
    }

    /// When this device was last heard; `None` is unknown since the start.
    pub fn last_heard(&self, device: &DeviceId) -> Option<LastHeard> {
        self.devices().get(device).copied()
    }

    /// Takes in a heartbeat that came at `now`. `said` is the device's own time.
    pub fn heartbeat(&self, device: &DeviceId, now: Timestamp, said: Option<Timestamp>, battery: Option<u8>, rssi: Option<i32>) {
        let signs = u64::from(self.counts());
        self.update(device, |last| {
            last.signs += signs;
            last.at = Some(now);
            last.heartbeat = Some(now);
            last.battery = battery.or(last.battery);
            last.rssi = rssi.or(last.rssi);
            last.agreed = said.is_some_and(|said| within(said, now));
        });
    }

    /// Takes in that a device sent something else.
    pub fn heard(&self, device: &DeviceId, now: Timestamp, battery: Option<u8>) {
        let signs = u64::from(self.counts());
        self.update(device, |last| {
            last.signs += signs;
            last.at = Some(now);
            last.battery = battery.or(last.battery);
        });
    }

    /// Whether this device's own time may be believed at `now`: its last heartbeat came within 60 s and agreed within 60 s.
    /// What is not proven counts as live, so that the strict answer is the one that alarms.
    pub fn clock(&self, device: &DeviceId, now: Timestamp) -> DeviceClock {
        let proven = self.last_heard(device).is_some_and(|last| last.agreed && last.heartbeat.is_some_and(|at| within(at, now)));
        if proven { DeviceClock::Proven } else { DeviceClock::Unproven }
    }

    fn update(&self, device: &DeviceId, change: impl FnOnce(&mut LastHeard)) {
        let mut devices = self.devices();
        if let Some(last) = devices.get_mut(device) {
            change(last);
        } else if devices.len() < CAPACITY {
            change(devices.entry(device.clone()).or_default());
        }
    }

    fn devices(&self) -> std::sync::MutexGuard<'_, BTreeMap<DeviceId, LastHeard>> {
        self.devices.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn listening(&self) -> std::sync::MutexGuard<'_, Listening> {
        self.listening.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listening {
    fn until(&self, now: Instant) -> Duration {
        self.before + self.since.map(|since| now.saturating_duration_since(since)).unwrap_or_default()
    }
}

fn within(one: Timestamp, other: Timestamp) -> bool {
    one.duration_since(other).abs() <= AGREEMENT
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        format!("2026-11-21T{text}Z").parse().unwrap()
    }

    #[test]
    fn a_clock_is_proven_by_an_agreeing_heartbeat_and_for_a_minute() {
        let ears = Supervision::default();
        let device = "s/d".parse().unwrap();
        assert_eq!(ears.clock(&device, at("06:00:00")), DeviceClock::Unproven);
        ears.heartbeat(&device, at("06:00:00"), Some(at("06:00:59")), Some(40), None);
        assert_eq!(ears.clock(&device, at("06:01:00")), DeviceClock::Proven);
        assert_eq!(ears.clock(&device, at("06:01:01")), DeviceClock::Unproven);
    }

    #[test]
    fn the_last_heartbeat_decides() {
        let ears = Supervision::default();
        let device = "s/d".parse().unwrap();
        for said in [None, Some(at("05:58:59")), Some(at("06:01:01"))] {
            ears.heartbeat(&device, at("06:00:00"), Some(at("06:00:00")), Some(40), Some(-70));
            ears.heartbeat(&device, at("06:00:00"), said, None, None);
            assert_eq!(ears.clock(&device, at("06:00:00")), DeviceClock::Unproven, "{said:?}");
        }
        let last = ears.last_heard(&device).unwrap();
        assert_eq!((last.battery, last.rssi), (Some(40), Some(-70)));
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_have_waited_is_no_sign_and_its_time_is_not_listened() {
        let ears = Supervision::default();
        let device = "s/d".parse().unwrap();
        let signs = || ears.last_heard(&device).map_or(0, |last| last.signs);
        ears.heard(&device, at("06:00:00"), None);
        assert_eq!((signs(), ears.listened()), (0, Duration::ZERO), "nobody listens yet");
        ears.listen_from(Instant::now() + Duration::from_mins(1));
        tokio::time::advance(Duration::from_secs(59)).await;
        ears.heartbeat(&device, at("06:00:00"), None, None, None);
        assert_eq!((signs(), ears.listened()), (0, Duration::ZERO), "it may have waited");
        tokio::time::advance(Duration::from_secs(11)).await;
        ears.heartbeat(&device, at("06:00:00"), None, None, None);
        assert_eq!((signs(), ears.listened()), (1, Duration::from_secs(10)));
        ears.listen_no_more();
        tokio::time::advance(Duration::from_mins(10)).await;
        ears.listen_from(Instant::now());
        tokio::time::advance(Duration::from_secs(5)).await;
        ears.heard(&device, at("06:00:00"), None);
        assert_eq!((signs(), ears.listened()), (2, Duration::from_secs(15)));
    }

    #[test]
    fn a_press_is_a_sign_of_life_but_proves_no_clock() {
        let ears = Supervision::default();
        let device = "s/d".parse().unwrap();
        ears.heard(&device, at("06:00:00"), None);
        assert_eq!(ears.last_heard(&device).unwrap().at, Some(at("06:00:00")));
        assert_eq!(ears.clock(&device, at("06:00:00")), DeviceClock::Unproven);
    }
}
