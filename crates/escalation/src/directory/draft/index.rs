//! What a draft holds, by id: made once, so that a directory of thousands of sites costs its size and not its square.

use std::collections::{BTreeMap, BTreeSet};

use super::group::Groups;
use super::reader::At;
use super::region::Regions;
use super::{
    Draft, DraftCentre, DraftCustomer, DraftGroup, DraftLadder, DraftPerson, DraftRegion, DraftRoster, DraftRung, DraftSite, DraftTarget,
    DraftWho,
};
use crate::id::{CentreId, CustomerId, GroupId, LadderId, RosterId, SiteId, Slug};
use crate::ladder::Medium;

/// A draft and where to find its things. Of two with one id, which is an error, the first is meant.
pub(super) struct Index<'d> {
    draft: &'d Draft,
    customers: BTreeMap<&'d CustomerId, &'d DraftCustomer>,
    people: BTreeMap<&'d Slug, &'d DraftPerson>,
    centres: BTreeMap<&'d CentreId, &'d DraftCentre>,
    rosters: BTreeMap<&'d RosterId, &'d DraftRoster>,
    groups: Groups<'d>,
    regions: Regions<'d>,
    sites: BTreeMap<&'d SiteId, &'d DraftSite>,
    /// The ladders that ask for roles, with the sites that climb them.
    filled_at: BTreeMap<&'d LadderId, BTreeMap<(usize, &'d SiteId), &'d DraftSite>>,
}

impl<'d> Index<'d> {
    /// Of a draft, with errors or without.
    pub(super) fn of(draft: &'d Draft) -> Self {
        let asking = draft.written.iter().filter(|ladder| ladder.asks_for_roles());
        let mut index = Self {
            draft,
            customers: first(draft.customers.iter().map(|customer| (&customer.id, customer))),
            people: first(draft.people.iter().map(|person| (&person.id, person))),
            centres: first(draft.centres.iter().map(|centre| (&centre.id, centre))),
            rosters: first(draft.rosters.iter().map(|roster| (&roster.id, roster))),
            groups: Groups::of(&draft.groups),
            regions: Regions::of(&draft.regions),
            sites: first(draft.sites.iter().map(|site| (&site.id, site))),
            filled_at: asking.map(|ladder| (&ladder.id, BTreeMap::new())).collect(),
        };
        let own = draft.sites.iter().filter_map(|site| Some((&index.ladder_of(site)?.value, site)));
        let of_devices = draft.devices.iter().filter_map(|d| Some((&d.ladder.as_ref()?.value, index.site(&d.site.value)?)));
        for (ladder, site) in own.chain(of_devices).collect::<Vec<_>>() {
            if let Some(sites) = index.filled_at.get_mut(ladder) {
                sites.insert((site.line, &site.id), site);
            }
        }
        index
    }

    /// Whether a ladder asks for roles, so that only a site makes it whole.
    pub(super) fn asks_for_roles(&self, named: &LadderId) -> bool {
        self.filled_at.contains_key(named)
    }

    /// The sites that climb a ladder which asks for roles, in the file's order.
    pub(super) fn sites_of(&self, named: &LadderId) -> impl Iterator<Item = &'d DraftSite> {
        self.filled_at.get(named).into_iter().flat_map(BTreeMap::values).copied()
    }

    /// The ladder that a site means by this name: as it fills it, where it asks for roles.
    pub(super) fn climbed(&self, named: &LadderId, site: &SiteId) -> LadderId {
        if self.asks_for_roles(named) { named.at(site) } else { named.clone() }
    }

    /// Whether all that a site and its region say is known: its customer and its region are there and belong together, and its
    /// roles can be read.
    pub(super) fn is_whole(&self, site: &DraftSite) -> bool {
        let region = self.region_of(site);
        !site.astray
            && !site.arrangement.roles.astray
            && self.customer_of(site).is_some()
            && site.extends.is_some() == region.is_some()
            && region.is_none_or(|region| !site.own.is_of_another_customer(&region.arrangement))
    }

    /// The person of this id.
    pub(super) fn person(&self, id: &Slug) -> Option<&'d DraftPerson> {
        self.people.get(id).copied()
    }

    /// The group of this id.
    pub(super) fn group(&self, id: &GroupId) -> Option<&'d DraftGroup> {
        self.groups.named(id)
    }

    /// The roster of this id.
    pub(super) fn roster(&self, id: &RosterId) -> Option<&'d DraftRoster> {
        self.rosters.get(id).copied()
    }

    /// The site of this id.
    pub(super) fn site(&self, id: &SiteId) -> Option<&'d DraftSite> {
        self.sites.get(id).copied()
    }

    /// The region that a site extends.
    pub(super) fn region_of(&self, site: &DraftSite) -> Option<&'d DraftRegion> {
        self.regions.named(site.extends.as_ref())
    }

    /// Whose a site is: the customer that it or its region names, or the only one there is.
    pub(super) fn customer_of(&self, site: &DraftSite) -> Option<&'d DraftCustomer> {
        self.customer_named(site.arrangement.customer.as_ref())
    }

    /// The customer of that name, or the only one there is where none is named.
    pub(super) fn customer_named(&self, named: Option<&At<CustomerId>>) -> Option<&'d DraftCustomer> {
        match (named, self.draft.customers.as_slice()) {
            (Some(id), _) => self.customers.get(&id.value).copied(),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }

    /// A site's ladder: its own, else its region's, else its customer's, else the default.
    pub(super) fn ladder_of(&self, site: &'d DraftSite) -> Option<&'d At<LadderId>> {
        let customer = self.customer_of(site);
        site.arrangement.ladder.as_ref().or_else(|| customer.and_then(|c| c.ladder.as_ref())).or(self.draft.defaults.ladder.as_ref())
    }

    /// Whether all that a target names is there.
    pub(super) fn has(&self, target: &DraftTarget) -> bool {
        match &target.who {
            DraftWho::Person(id) => self.people.contains_key(id),
            DraftWho::Centre(id) => self.centres.contains_key(id),
            DraftWho::Roster(id) => self.roster(id).is_some_and(|r| r.people().all(|p| self.people.contains_key(&p.value))),
        }
    }

    /// The people whom a rung may mean.
    pub(super) fn people_of(&self, rung: &'d DraftRung) -> BTreeSet<&'d Slug> {
        let mut people: BTreeSet<&Slug> = BTreeSet::new();
        for target in &rung.targets {
            match &target.who {
                DraftWho::Person(id) => people.extend([id]),
                DraftWho::Centre(_) => {}
                DraftWho::Roster(id) => {
                    people.extend(self.roster(id).into_iter().flat_map(DraftRoster::people).map(|person| &person.value));
                }
            }
        }
        people
    }

    /// The channels by which a target is asked, in order: what is written, else what they have.
    pub(super) fn channels_of(&self, target: &DraftTarget) -> Vec<Vec<Medium>> {
        target.by.clone().unwrap_or_else(|| {
            let defaults = match &target.who {
                DraftWho::Person(_) | DraftWho::Roster(_) => [Medium::Sms, Medium::Email].as_slice(),
                DraftWho::Centre(id) => match self.centres.get(id) {
                    Some(centre) if centre.webhook.is_some() => &[Medium::Webhook],
                    Some(_) | None => &[Medium::Desk],
                },
            };
            let has = |medium: &&Medium| self.addresses(target, **medium);
            defaults.iter().filter(has).map(|m| vec![*m]).collect()
        })
    }

    /// Those of them that lead anywhere.
    pub(super) fn usable(&self, target: &DraftTarget) -> Vec<Medium> {
        let channels = self.channels_of(target).into_iter().flatten();
        channels.filter(|m| self.addresses(target, *m)).collect()
    }

    /// Whether nothing is sent on this rung: all that leads anywhere are desks, at which somebody has to be.
    pub(super) fn asks_desks_alone(&self, rung: &DraftRung) -> bool {
        rung.targets.iter().all(|target| self.usable(target).iter().all(|medium| *medium == Medium::Desk))
    }

    /// Whether nothing is sent on any rung of this ladder.
    pub(super) fn sends_nothing(&self, ladder: &DraftLadder) -> bool {
        ladder.rungs.iter().all(|rung| self.asks_desks_alone(rung))
    }

    fn addresses(&self, target: &DraftTarget, medium: Medium) -> bool {
        match &target.who {
            DraftWho::Person(id) => self.person(id).is_some_and(|p| p.reachable_by(medium)),
            DraftWho::Roster(id) => {
                let named = self.roster(id).into_iter().flat_map(DraftRoster::people);
                named.filter_map(|named| self.person(&named.value)).any(|p| p.reachable_by(medium))
            }
            DraftWho::Centre(id) => match medium {
                Medium::Desk => true,
                Medium::Webhook => self.centres.get(id).is_some_and(|c| c.webhook.is_some()),
                Medium::Sms | Medium::Email | Medium::Voice => false,
            },
        }
    }
}

/// The first of each id.
fn first<'d, K: Ord, V>(things: impl Iterator<Item = (&'d K, &'d V)>) -> BTreeMap<&'d K, &'d V> {
    let mut by_id = BTreeMap::new();
    for (id, thing) in things {
        by_id.entry(id).or_insert(thing);
    }
    by_id
}
