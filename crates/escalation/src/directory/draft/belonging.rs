//! Whose is whose: one customer's ladders and people are never used for another's alarms.

use std::collections::{BTreeMap, BTreeSet};

use super::index::Index;
use super::reader::{At, Reader};
use super::{Draft, DraftCustomer, DraftDevice, DraftLadder, DraftRoster, DraftSite, DraftTarget, DraftWho};
use crate::id::{CustomerId, GroupId, LadderId, SiteId, Slug};

/// The customers whose presses may climb a ladder, each with a line that says so.
type Users<'d> = BTreeMap<&'d CustomerId, usize>;

pub(super) fn review(reader: &mut Reader<'_>, draft: &Draft, index: &Index<'_>) {
    foreign_members(reader, draft, index);
    let by_ladder = users(draft, index);
    let nobody = Users::new();
    // A ladder that asks for roles is there once for each of its sites: of each customer it is said once.
    let mut said: BTreeSet<(&LadderId, &CustomerId)> = BTreeSet::new();
    for ladder in &draft.ladders {
        let users = by_ladder.get(&ladder.id).unwrap_or(&nobody);
        if let Some(own) = &ladder.customer {
            for (user, line) in users.iter().filter(|(user, _)| **user != &own.value && said.insert((&ladder.named, user))) {
                reader.error(
                    *line,
                    format!("ladder \"{}\" belongs to customer \"{}\", not \"{user}\"", ladder.named, own.value),
                    "one customer's people would be told of another's",
                    "use a ladder of the customer's own",
                );
            }
        }
        for rung in &ladder.rungs {
            let owner = format!("ladder \"{}\", rung {}", ladder.named, rung.number);
            for group in &rung.groups {
                foreign_group(reader, index, &owner, ladder, users, group);
            }
            for target in &rung.targets {
                foreign_person(reader, index, &owner, ladder, users, target);
            }
        }
    }
}

fn foreign_person(reader: &mut Reader<'_>, index: &Index<'_>, owner: &str, ladder: &DraftLadder, users: &Users<'_>, target: &DraftTarget) {
    // Whose a group is holds for all of it, and that its members are of the same is said of the group.
    if target.group.as_ref().and_then(|id| index.group(id)).is_some_and(|group| group.customer.is_some()) {
        return;
    }
    let (roster, told): (Option<&DraftRoster>, BTreeSet<&Slug>) = match &target.who {
        DraftWho::Person(id) => (None, BTreeSet::from([id])),
        DraftWho::Centre(_) => return,
        DraftWho::Roster(id) => {
            let roster = index.roster(id);
            (roster, roster.into_iter().flat_map(DraftRoster::people).map(|p| &p.value).collect())
        }
    };
    let mut people: Vec<_> = told.into_iter().filter_map(|id| index.person(id)).collect();
    people.sort_by_key(|person| person.line);
    let told_as = target.told_as();
    let people = people.into_iter().filter_map(|p| Some((format!("person \"{}\"{told_as}", p.id), p.customer.as_ref()?)));
    let rosters = roster.into_iter().filter_map(|r| Some((format!("roster \"{}\"{told_as}", r.id), r.customer.as_ref()?)));
    for (whom, theirs) in people.chain(rosters) {
        foreign(reader, owner, ladder, users, target.line, (&whom, &theirs.value));
    }
}

fn foreign_group(reader: &mut Reader<'_>, index: &Index<'_>, owner: &str, ladder: &DraftLadder, users: &Users<'_>, named: &At<GroupId>) {
    // A customer that is not there is said of the group.
    let is_there = |theirs: &&At<CustomerId>| index.customer_named(Some(theirs)).is_some();
    if let Some(theirs) = index.group(&named.value).and_then(|group| group.customer.as_ref()).filter(is_there) {
        foreign(reader, owner, ladder, users, named.line, (&format!("group \"{}\"", named.value), &theirs.value));
    }
}

/// Says so where somebody of one customer would be told of another one's alarms.
fn foreign(
    reader: &mut Reader<'_>,
    owner: &str,
    ladder: &DraftLadder,
    users: &Users<'_>,
    line: usize,
    (whom, theirs): (&str, &CustomerId),
) {
    let own = ladder.customer.as_ref().map(|c| &c.value);
    let told_of: BTreeSet<_> = own.into_iter().chain(users.keys().copied()).collect();
    if let Some(other) = told_of.iter().find(|c| **c != theirs) {
        reader.error(
            line,
            format!("{owner}: {whom} belongs to customer \"{theirs}\", not \"{other}\""),
            "they would be told of another customer's alarms",
            "name one of that customer, or leave its own customer out",
        );
    }
}

/// Members of a group that is one customer's, and who are another one's.
fn foreign_members(reader: &mut Reader<'_>, draft: &Draft, index: &Index<'_>) {
    for group in &draft.groups {
        let Some(own) = &group.customer else { continue };
        for member in &group.members {
            let theirs = index.person(&member.value).and_then(|person| person.customer.as_ref());
            if let Some(theirs) = theirs.filter(|theirs| theirs.value != own.value) {
                reader.error(
                    member.line,
                    format!(
                        "group \"{}\": person \"{}\" belongs to customer \"{}\", not \"{}\"",
                        group.id, member.value, theirs.value, own.value
                    ),
                    "they would be told of another customer's alarms",
                    "name one of that customer, or leave its own customer out",
                );
            }
        }
    }
}

/// Who climbs which ladder: by their sites, by devices there, and by presses from nowhere.
fn users<'d>(draft: &'d Draft, index: &Index<'d>) -> BTreeMap<LadderId, Users<'d>> {
    let mut users: BTreeMap<LadderId, Users<'d>> = BTreeMap::new();
    let mut climbs = |ladder: LadderId, customer: &'d CustomerId, line: usize| {
        users.entry(ladder).or_default().entry(customer).or_insert(line);
    };
    let mut devices: BTreeMap<&SiteId, Vec<&DraftDevice>> = BTreeMap::new();
    for device in &draft.devices {
        devices.entry(&device.site.value).or_default().push(device);
    }
    for site in &draft.sites {
        let Some(customer) = index.customer_of(site) else {
            continue;
        };
        if let Some(ladder) = index.ladder_of(site) {
            climbs(index.climbed(&ladder.value, &site.id), &customer.id, site.arrangement.ladder.as_ref().map_or(site.line, |l| l.line));
        }
        for own in devices.get(&site.id).into_iter().flatten().filter_map(|device| device.ladder.as_ref()) {
            climbs(index.climbed(&own.value, &site.id), &customer.id, own.line);
        }
    }
    for (customer, named) in draft.told_of_troubles() {
        climbs(named.value.clone(), &customer.id, named.line);
    }
    if let Some(fallback) = &draft.fallback
        && let Some(customer) = index.customer_named(fallback.customer.as_ref())
    {
        climbs(fallback.ladder.value.clone(), &customer.id, fallback.line);
    }
    users
}

impl Draft {
    /// Everybody who may be told of something: by a ladder that is climbed, or by the one for the station's own troubles.
    pub fn told(&self) -> BTreeSet<&Slug> {
        let index = Index::of(self);
        let users = users(self, &index);
        let is_stations = |ladder: &DraftLadder| self.technical.ladder.as_ref().is_some_and(|own| own.value == ladder.id);
        let climbed = self.ladders.iter().filter(|ladder| users.contains_key(&ladder.id) || is_stations(ladder));
        climbed.flat_map(|ladder| &ladder.rungs).flat_map(|rung| index.people_of(rung)).collect()
    }

    /// By which ladder each customer's own troubles are told: its technical one, else the operator's.
    fn told_of_troubles(&self) -> impl Iterator<Item = (&DraftCustomer, &At<LadderId>)> {
        self.customers.iter().filter_map(|customer| Some((customer, customer.technical.as_ref().or(self.technical.ladder.as_ref())?)))
    }

    /// At which sites each ladder is climbed: those whose own it is, and those that have a device with it.
    pub(super) fn climbed_at(&self) -> BTreeMap<LadderId, Vec<&DraftSite>> {
        let index = Index::of(self);
        let own = self.sites.iter().filter_map(|site| Some((&index.ladder_of(site)?.value, site)));
        let devices = self.devices.iter().filter_map(|d| Some((&d.ladder.as_ref()?.value, index.site(&d.site.value)?)));
        let mut climbed: BTreeMap<LadderId, BTreeMap<(usize, &SiteId), &DraftSite>> = BTreeMap::new();
        for (named, site) in own.chain(devices) {
            let ladder = index.climbed(named, &site.id);
            climbed.entry(ladder).or_default().insert((site.line, &site.id), site);
        }
        climbed.into_iter().map(|(ladder, sites)| (ladder, sites.into_values().collect())).collect()
    }
}
