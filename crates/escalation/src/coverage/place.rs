//! Every place of a directory and what holds for it. What a ladder does is worked out once for all places whose clocks agree.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Case, Cover, Outlook, Span};
use crate::id::{CustomerId, DeviceId, LadderId, SiteId};
use crate::outage::Carrier;
use crate::roster::WallClock;

/// One site, or a device with a ladder of its own, and what holds there.
#[derive(Clone, Debug)]
pub struct Place<'a> {
    /// Whose.
    pub customer: &'a CustomerId,
    /// Which site.
    pub site: &'a SiteId,
    /// `None` for the site's own ladder.
    pub device: Option<&'a DeviceId>,
    /// For each case of its ladder.
    pub covers: Arc<[Cover]>,
}

/// What holds for a ladder where its hours are read by one clock.
type ByClock<'a> = (Option<&'a WallClock>, Arc<[Cover]>);

impl<'a> Outlook<'a> {
    /// What holds at every place for presses of a span where messages leave by `carriers`, in the order of sites and devices.
    pub fn places(&self, span: Span, carriers: &[Carrier]) -> Vec<Place<'a>> {
        let directory = self.directory;
        let own = directory.devices.iter().filter_map(|(id, device)| Some((&id.site, Some(id), device.ladder.as_ref()?)));
        let mut named: Vec<(&SiteId, Option<&DeviceId>, &LadderId)> =
            directory.sites.iter().map(|(id, site)| (id, None, &site.ladder)).chain(own).collect();
        named.sort_unstable();
        let mut known: BTreeMap<&LadderId, Vec<ByClock<'a>>> = BTreeMap::new();
        let mut places = Vec::new();
        for (site, device, ladder) in named {
            let (Some(details), Some(rungs)) = (directory.sites.get(site), directory.ladders.get(ladder)) else { continue };
            // A ladder that asks no clock does the same at every site.
            let clock = details.clock.as_deref().filter(|_| rungs.has_hours());
            let by_clock = known.entry(ladder).or_default();
            let found = by_clock.iter().find(|(other, _)| *other == clock).map(|(_, covers)| Arc::clone(covers));
            let covers = found.unwrap_or_else(|| {
                let cases = Case::all(rungs, &[clock.cloned()]);
                let covers: Arc<[Cover]> = cases.iter().map(|case| self.cover(rungs, case, span, carriers)).collect();
                by_clock.push((clock, Arc::clone(&covers)));
                covers
            });
            places.push(Place { customer: &details.customer, site, device, covers });
        }
        places
    }
}
