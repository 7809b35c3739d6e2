//! What is remembered of each device: its last press, whether it is there, whether it stands open.
//!
//! Registered devices are as many as the directory has. Whoever may publish can name others without end, so of those only some
//! are remembered. Knows nothing of activations: those of a device that is forgotten stay open.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::directory::Directory;
use crate::id::{DeviceId, Digest};
use crate::time::Timestamp;

/// Of devices that nobody registered this many are remembered; beyond, the one that was first heard longest ago gives way. A
/// retained press of a forgotten one is taken for new, and its presence is recorded once more: in doubt it is said again.
const STRANGERS_MAX: usize = 4_096;

/// All devices that were heard.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Devices {
    heard: BTreeMap<DeviceId, Heard>,
    /// Those of them that stand open.
    open: BTreeSet<DeviceId>,
    /// Those of them that the directory does not know, the one first heard longest ago in front.
    strangers: VecDeque<DeviceId>,
}

/// What is remembered of one device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Heard {
    /// When it last pressed, redeliveries not counted.
    pub(crate) pressed_at: Option<Timestamp>,
    /// When a test press of it last reached a human, who said so.
    pub(crate) proven_at: Option<Box<Timestamp>>,
    /// The latest payload that came as a copy kept by the broker, by which the copy is recognised as seen.
    pub(crate) kept: Option<Box<Digest>>,
    /// The latest payload that came as it was sent; the broker may keep that one too.
    pub(crate) latest: Option<Digest>,
    /// Whether it is there, where it said.
    pub(crate) online: Option<bool>,
}

impl Devices {
    /// What is remembered of a device.
    pub(crate) fn get(&self, device: &DeviceId) -> Option<&Heard> {
        self.heard.get(device)
    }

    /// A device was heard: what is remembered of it, to be changed.
    pub(crate) fn hear(&mut self, device: &DeviceId, directory: &Directory) -> &mut Heard {
        if !self.heard.contains_key(device) && !directory.devices.contains_key(device) {
            self.strangers.push_back(device.clone());
            self.make_room();
        }
        self.heard.entry(device.clone()).or_default()
    }

    /// A device was opened, or closed again.
    pub(crate) fn set_open(&mut self, device: &DeviceId, open: bool, directory: &Directory) {
        if open {
            self.hear(device, directory);
            self.open.insert(device.clone());
        } else {
            self.open.remove(device);
        }
    }

    /// Whether another device of the same site stands open still.
    pub(crate) fn is_open_beside(&self, device: &DeviceId) -> bool {
        self.open.iter().any(|open| open.site == device.site && open != device)
    }

    /// Another directory is in force: who is a stranger by it.
    pub(crate) fn adopt(&mut self, directory: &Directory) {
        self.strangers.retain(|device| !directory.devices.contains_key(device));
        let listed: BTreeSet<DeviceId> = self.strangers.iter().cloned().collect();
        let struck = self.heard.keys().filter(|device| !directory.devices.contains_key(device) && !listed.contains(*device));
        self.strangers.extend(struck.cloned());
        self.make_room();
    }

    fn make_room(&mut self) {
        while self.strangers.len() > STRANGERS_MAX {
            if let Some(forgotten) = self.strangers.pop_front() {
                self.heard.remove(&forgotten);
                self.open.remove(&forgotten);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::{Device, Mounting};
    use crate::signal::Kind;

    fn stranger(number: usize) -> DeviceId {
        format!("library/x-{number}").parse().unwrap()
    }

    #[test]
    fn strangers_are_bounded_and_a_registered_device_is_never_forgotten() {
        let registered: DeviceId = "library/counter-1".parse().unwrap();
        let mut directory = Directory::default();
        directory
            .devices
            .insert(registered.clone(), Device { ladder: None, mounting: Mounting::Fixed, kind: Kind::Duress, supervision: None });
        let mut devices = Devices::default();
        devices.hear(&registered, &directory).online = Some(true);
        devices.set_open(&stranger(0), true, &directory);
        for number in 0..=STRANGERS_MAX {
            devices.hear(&stranger(number), &directory).online = Some(true);
        }
        assert_eq!(devices.heard.len(), STRANGERS_MAX + 1);
        assert_eq!(devices.get(&stranger(0)), None, "the first heard gives way");
        assert!(!devices.is_open_beside(&registered), "and nothing of it is left behind");
        assert!(devices.get(&stranger(1)).is_some());
        assert!(devices.get(&registered).is_some());
        devices.adopt(&Directory::default());
        assert_eq!(devices.heard.len(), STRANGERS_MAX, "struck from the directory it is a stranger like others");
        assert!(devices.get(&registered).is_some(), "and the latest of them");
    }
}
