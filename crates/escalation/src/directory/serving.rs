//! Which centres are reached by their desk alone, and whose calls come to it.

use std::collections::BTreeSet;

use super::Directory;
use super::reach::Reach;
use crate::id::{CentreId, LadderId};
use crate::ladder::{Ladder, Rung, Who};
use crate::time::Timestamp;

impl Directory {
    /// Whether a centre is reached by its desk: there is such a centre, and it has no webhook.
    pub fn is_desk(&self, centre: &CentreId) -> bool {
        self.centres.get(centre).is_some_and(|centre| centre.webhook.is_none())
    }

    /// The centres that are reached by their desk.
    pub fn desks(&self) -> impl Iterator<Item = &CentreId> {
        self.centres.iter().filter(|(_, centre)| centre.webhook.is_none()).map(|(id, _)| id)
    }

    /// Those of them that a ladder names which a press can climb.
    pub fn desks_on_ladders(&self) -> BTreeSet<&CentreId> {
        let of_sites = self.sites.values().map(|site| &site.ladder);
        let of_devices = self.devices.values().filter_map(|device| device.ladder.as_ref());
        let of_nowhere = self.fallback.as_ref().map(|fallback| &fallback.ladder);
        let pressed: BTreeSet<&LadderId> = of_sites.chain(of_devices).chain(of_nowhere).collect();
        let ladders = pressed.into_iter().filter_map(|id| self.ladders.get(id));
        ladders.flat_map(|ladder| centres_of(ladder)).filter(|centre| self.is_desk(centre)).collect()
    }

    /// Those of them that a press somewhere would wait for at an instant: a desk that rungs ask by day alone is missed by day alone.
    pub fn desks_asked(&self, at: Timestamp) -> BTreeSet<&CentreId> {
        let of_sites = self.sites.values().map(|site| (site.clock.as_deref(), &site.ladder));
        let of_devices = self.devices.iter().filter_map(|(id, device)| Some((self.clock_at(&id.site), device.ladder.as_ref()?)));
        let of_nowhere = self.fallback.iter().map(|fallback| (None, &fallback.ladder));
        let (mut judged, mut asked) = (BTreeSet::new(), BTreeSet::new());
        for (clock, ladder) in of_sites.chain(of_devices).chain(of_nowhere) {
            // Hours are the same wherever the same ladder is read by the same clock.
            let by = clock.map(|clock| (clock.zone.name(), clock.calendar.as_ref()));
            if !judged.insert((ladder, by)) {
                continue;
            }
            let rungs = self.ladders.get(ladder).into_iter().flat_map(|ladder| &ladder.rungs);
            let now = rungs.filter(|rung| match (&rung.when.hours, clock) {
                (Some(hours), Some(clock)) => self.rosters.are_on(hours, clock, at).0,
                (Some(_), None) | (None, _) => true,
            });
            asked.extend(now.flat_map(centres_of_rung).filter(|centre| self.is_desk(centre)));
        }
        asked
    }

    /// Whose calls come to the desk of a centre: of sites that have a button with such a ladder, of customers whose old presses it is
    /// asked about first, and of presses from nowhere.
    pub fn reach_of_desk(&self, centre: &CentreId) -> Reach<'_> {
        let named: BTreeSet<&LadderId> =
            self.ladders.iter().filter(|(_, ladder)| centres_of(ladder).any(|named| named == centre)).map(|(id, _)| id).collect();
        let mut reach = Reach::default();
        let own = self.sites.iter().map(|(id, site)| (id, &site.ladder));
        let of_devices = self.devices.iter().filter_map(|(id, device)| Some((&id.site, device.ladder.as_ref()?)));
        for (site, _) in own.chain(of_devices).filter(|(_, ladder)| named.contains(ladder)) {
            if let Some((site, at)) = self.sites.get_key_value(site) {
                reach.sites.insert(site, &at.customer);
            }
        }
        let asking = self.customers.iter().filter(|(_, customer)| customer.centre.as_ref() == Some(centre)).map(|(id, _)| id);
        let nowhere = self.fallback.iter().filter(|fallback| named.contains(&fallback.ladder)).map(|fallback| &fallback.customer);
        reach.customers.extend(asking.chain(nowhere));
        reach
    }
}

fn centres_of(ladder: &Ladder) -> impl Iterator<Item = &CentreId> {
    ladder.rungs.iter().flat_map(centres_of_rung)
}

fn centres_of_rung(rung: &Rung) -> impl Iterator<Item = &CentreId> {
    rung.targets.iter().filter_map(|target| match &target.who {
        Who::Centre(centre) => Some(centre),
        Who::Person(_) | Who::Roster(_) => None,
    })
}
