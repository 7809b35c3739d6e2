//! Who was heard from, and when: in memory only.
//!
//! A healthy heartbeat confirms nothing and is no entry in the record; after a restart a device is unknown until heard. Must not
//! raise anything: silence is judged where opening hours are known.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use escalation::id::DeviceId;
use escalation::signal::DeviceClock;
use escalation::time::{SignedDuration, Timestamp};

/// How far a device's time may be from ours, and how long that proof holds.
const AGREEMENT: SignedDuration = SignedDuration::from_secs(60);
/// How many devices are remembered. Overflow rule: those known stay, newcomers are not remembered.
const CAPACITY: usize = 100_000;

/// When a device was last heard.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LastHeard {
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

/// The devices heard since the start. Cheap to clone; every clone sees the same.
#[derive(Clone, Debug, Default)]
pub struct Supervision(Arc<Mutex<BTreeMap<DeviceId, LastHeard>>>);

impl Supervision {
    /// When this device was last heard; `None` is unknown since the start.
    pub fn last_heard(&self, device: &DeviceId) -> Option<LastHeard> {
        self.devices().get(device).copied()
    }

    /// Takes in a heartbeat that came at `now`. `said` is the device's own time.
    pub fn heartbeat(&self, device: &DeviceId, now: Timestamp, said: Option<Timestamp>, battery: Option<u8>, rssi: Option<i32>) {
        self.update(device, |last| {
            last.at = Some(now);
            last.heartbeat = Some(now);
            last.battery = battery.or(last.battery);
            last.rssi = rssi.or(last.rssi);
            last.agreed = said.is_some_and(|said| within(said, now));
        });
    }

    /// Takes in that a device sent something else.
    pub fn heard(&self, device: &DeviceId, now: Timestamp, battery: Option<u8>) {
        self.update(device, |last| {
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
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
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

    #[test]
    fn a_press_is_a_sign_of_life_but_proves_no_clock() {
        let ears = Supervision::default();
        let device = "s/d".parse().unwrap();
        ears.heard(&device, at("06:00:00"), None);
        assert_eq!(ears.last_heard(&device).unwrap().at, Some(at("06:00:00")));
        assert_eq!(ears.clock(&device, at("06:00:00")), DeviceClock::Unproven);
    }
}
