//! Whose calls and troubles a roster's people are told of, so that nobody who belongs to one customer is put on duty for another.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Directory;
use crate::id::{CustomerId, LadderId, RosterId, SiteId};
use crate::ladder::{Ladder, Who};

/// Everything that climbs a ladder on which a roster is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reach<'d> {
    /// Sites that have a button with such a ladder, and whose they are.
    pub sites: BTreeMap<&'d SiteId, &'d CustomerId>,
    /// Customers whose troubles, or whose presses from nowhere, are told so.
    pub customers: BTreeSet<&'d CustomerId>,
    /// The station's own troubles are.
    pub is_stations: bool,
}

/// Whose calls and troubles those were that somebody was said to be told of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Whose {
    /// Customers.
    pub customers: BTreeSet<CustomerId>,
    /// The station's own troubles as well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub station: bool,
}

impl Whose {
    /// What an entry says: one customer alone, or all of them. `None`: it is from before that was kept.
    pub(crate) fn of(customer: Option<&CustomerId>, whose: Option<&Self>) -> Option<Self> {
        let alone = || customer.map(|customer| Self { customers: BTreeSet::from([customer.clone()]), station: false });
        whose.cloned().or_else(alone)
    }

    /// Whether all that another is for is in it.
    pub(crate) fn includes(&self, other: &Self) -> bool {
        (self.station || !other.station) && self.customers.is_superset(&other.customers)
    }

    /// Whether nothing of a reach is anybody else's.
    pub fn covers(&self, reach: &Reach<'_>) -> bool {
        (self.station || !reach.is_stations) && reach.whose().into_iter().all(|customer| self.customers.contains(customer))
    }
}

impl From<&Reach<'_>> for Whose {
    fn from(reach: &Reach<'_>) -> Self {
        Self { customers: reach.whose().into_iter().cloned().collect(), station: reach.is_stations }
    }
}

impl Reach<'_> {
    /// Whose all of it is.
    pub fn whose(&self) -> BTreeSet<&CustomerId> {
        self.sites.values().chain(&self.customers).copied().collect()
    }

    /// The one customer that it is for, where it is for one alone.
    pub fn customer(&self) -> Option<CustomerId> {
        let whose = self.whose();
        whose.first().copied().filter(|_| whose.len() == 1 && !self.is_stations).cloned()
    }
}

impl Directory {
    /// What a roster's people are told of.
    pub fn reach(&self, roster: &RosterId) -> Reach<'_> {
        self.reaches().remove(roster).unwrap_or_default()
    }

    /// The ladders that name a roster.
    pub fn ladders_of<'d>(&'d self, roster: &'d RosterId) -> impl Iterator<Item = &'d Ladder> {
        self.ladders.values().map(|ladder| &**ladder).filter(move |ladder| rosters_of(ladder).contains(roster))
    }

    /// The ladders that something climbs: of a site or a button, of a customer or of presses from nowhere, or of troubles. What no
    /// press and no trouble can climb tells nobody.
    pub fn climbed(&self) -> BTreeSet<&LadderId> {
        let of_sites = self.sites.values().map(|site| &site.ladder);
        let of_devices = self.devices.values().filter_map(|device| device.ladder.as_ref());
        let of_customers = self.customers.values().flat_map(|customer| customer.technical.iter().chain(&customer.ladder));
        let of_station = self.technical.ladder.iter().chain(self.fallback.as_ref().map(|fallback| &fallback.ladder));
        of_sites.chain(of_devices).chain(of_customers).chain(of_station).collect()
    }

    /// The same of every roster that a ladder names, in one pass: there may be thousands of sites.
    pub fn reaches(&self) -> BTreeMap<&RosterId, Reach<'_>> {
        let on: BTreeMap<&LadderId, BTreeSet<&RosterId>> = self.ladders.iter().map(|(id, ladder)| (id, rosters_of(ladder))).collect();
        let of = |ladder: &LadderId| on.get(ladder).into_iter().flatten().copied();
        let mut reaches: BTreeMap<&RosterId, Reach<'_>> = BTreeMap::new();
        let own = self.sites.iter().map(|(id, site)| (id, &site.ladder));
        let of_devices = self.devices.iter().filter_map(|(id, device)| Some((&id.site, device.ladder.as_ref()?)));
        for (site, ladder) in own.chain(of_devices) {
            let Some((site, at)) = self.sites.get_key_value(site) else { continue };
            for roster in of(ladder) {
                reaches.entry(roster).or_default().sites.insert(site, &at.customer);
            }
        }
        for (id, customer) in &self.customers {
            let told = customer.technical.as_ref().or(self.technical.ladder.as_ref());
            for roster in told.into_iter().chain(&customer.ladder).flat_map(of) {
                reaches.entry(roster).or_default().customers.insert(id);
            }
        }
        if let Some(fallback) = &self.fallback {
            for roster in of(&fallback.ladder) {
                reaches.entry(roster).or_default().customers.insert(&fallback.customer);
            }
        }
        self.technical.ladder.iter().flat_map(of).for_each(|roster| reaches.entry(roster).or_default().is_stations = true);
        reaches
    }
}

fn rosters_of(ladder: &Ladder) -> BTreeSet<&RosterId> {
    let targets = ladder.rungs.iter().flat_map(|rung| &rung.targets);
    let named = targets.filter_map(|target| match &target.who {
        Who::Roster(roster) => Some(roster),
        Who::Person(_) | Who::Centre(_) => None,
    });
    named.collect()
}
