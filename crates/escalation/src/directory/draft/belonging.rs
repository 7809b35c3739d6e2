//! Whose is whose: one customer's ladders and people are never used for another's alarms.

use std::collections::{BTreeMap, BTreeSet};

use super::reader::{At, Reader};
use super::{Draft, DraftCustomer, DraftLadder, DraftRoster, DraftSite, DraftTarget, DraftWho};
use crate::id::{CustomerId, LadderId, SiteId, Slug};

pub(super) fn review(reader: &mut Reader<'_>, draft: &Draft) {
    for ladder in &draft.ladders {
        let users = users(draft, ladder);
        if let Some(own) = &ladder.customer {
            for (user, line) in users.iter().filter(|(user, _)| **user != &own.value) {
                reader.error(
                    *line,
                    format!("ladder \"{}\" belongs to customer \"{}\", not \"{user}\"", ladder.id, own.value),
                    "one customer's people would be told of another's",
                    "use a ladder of the customer's own",
                );
            }
        }
        for (index, rung) in ladder.rungs.iter().enumerate() {
            let owner = format!("ladder \"{}\", rung {}", ladder.id, index + 1);
            for target in &rung.targets {
                foreign_person(reader, draft, &owner, ladder, &users, target);
            }
        }
    }
}

fn foreign_person(
    reader: &mut Reader<'_>,
    draft: &Draft,
    owner: &str,
    ladder: &DraftLadder,
    users: &BTreeMap<&CustomerId, usize>,
    target: &DraftTarget,
) {
    let rosters: Vec<&DraftRoster> = match &target.who {
        DraftWho::Person(_) | DraftWho::Centre(_) => Vec::new(),
        DraftWho::Roster(id) => draft.rosters.iter().filter(|r| r.id == *id).collect(),
    };
    let told: Vec<&Slug> = match &target.who {
        DraftWho::Person(id) => vec![id],
        DraftWho::Centre(_) => return,
        DraftWho::Roster(_) => rosters.iter().flat_map(|r| r.people()).map(|p| &p.value).collect(),
    };
    let people = draft.people.iter().filter(|p| told.contains(&&p.id));
    let people = people.filter_map(|p| Some((format!("person \"{}\"", p.id), p.customer.as_ref()?)));
    let rosters = rosters.iter().filter_map(|r| Some((format!("roster \"{}\"", r.id), r.customer.as_ref()?)));
    let own = ladder.customer.as_ref().map(|c| &c.value);
    let told_of: BTreeSet<_> = own.into_iter().chain(users.keys().copied()).collect();
    for (whom, theirs) in people.chain(rosters) {
        if let Some(other) = told_of.iter().find(|c| ***c != theirs.value) {
            reader.error(
                target.line,
                format!("{owner}: {whom} belongs to customer \"{}\", not \"{other}\"", theirs.value),
                "they would be told of another customer's alarms",
                "name one of that customer, or leave its own customer out",
            );
        }
    }
}

/// The customers whose presses may climb a ladder, each with a line that says so.
fn users<'d>(draft: &'d Draft, ladder: &DraftLadder) -> BTreeMap<&'d CustomerId, usize> {
    let mut users = BTreeMap::new();
    for site in &draft.sites {
        let Some(customer) = draft.customer_of(site) else {
            continue;
        };
        if draft.ladder_of(site).is_some_and(|l| l.value == ladder.id) {
            let line = site.ladder.as_ref().map_or(site.line, |l| l.line);
            users.entry(&customer.id).or_insert(line);
        }
        for device in draft.devices.iter().filter(|d| d.site.value == site.id) {
            if let Some(own) = device.ladder.as_ref().filter(|l| l.value == ladder.id) {
                users.entry(&customer.id).or_insert(own.line);
            }
        }
    }
    if let Some(fallback) = draft.fallback.as_ref().filter(|f| f.ladder.value == ladder.id)
        && let Some(customer) = draft.customer_named(fallback.customer.as_ref())
    {
        users.entry(&customer.id).or_insert(fallback.line);
    }
    users
}

impl Draft {
    /// Whose a site is: the customer it names, or the only one there is.
    pub fn customer_of(&self, site: &DraftSite) -> Option<&DraftCustomer> {
        self.customer_named(site.customer.as_ref())
    }

    /// The customer of that name, or the only one there is where none is named.
    pub(super) fn customer_named(&self, named: Option<&At<CustomerId>>) -> Option<&DraftCustomer> {
        match (named, self.customers.as_slice()) {
            (Some(id), all) => all.iter().find(|c| c.id == id.value),
            (None, [only]) => Some(only),
            (None, _) => None,
        }
    }

    /// At which sites each ladder is climbed: those whose own it is, and those that have a device with it.
    pub(super) fn climbed_at(&self) -> BTreeMap<&LadderId, Vec<&DraftSite>> {
        let by_id: BTreeMap<&SiteId, &DraftSite> = self.sites.iter().map(|site| (&site.id, site)).collect();
        let own = self.sites.iter().filter_map(|site| Some((&self.ladder_of(site)?.value, site)));
        let devices = self.devices.iter().filter_map(|d| Some((&d.ladder.as_ref()?.value, *by_id.get(&d.site.value)?)));
        let mut climbed: BTreeMap<&LadderId, BTreeMap<usize, &DraftSite>> = BTreeMap::new();
        for (ladder, site) in own.chain(devices) {
            climbed.entry(ladder).or_default().insert(site.line, site);
        }
        climbed.into_iter().map(|(ladder, sites)| (ladder, sites.into_values().collect())).collect()
    }

    /// A site's ladder: its own, else its customer's, else the default.
    pub fn ladder_of<'d>(&'d self, site: &'d DraftSite) -> Option<&'d At<LadderId>> {
        let customer = self.customer_of(site);
        site.ladder.as_ref().or_else(|| customer.and_then(|c| c.ladder.as_ref())).or(self.defaults.ladder.as_ref())
    }
}
