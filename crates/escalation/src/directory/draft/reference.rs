//! Whether everything that a draft names is there, and named once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use super::index::Index;
use super::nearest::nearest;
use super::reader::{At, Reader};
use super::roles::Holder;
use super::written::Notified;
use super::{Arrangement, Draft, DraftRegion, DraftSite, DraftTarget, DraftWho};
use crate::id::{CalendarId, CustomerId, GroupId, LadderId, PlanId, RegionId, RosterId, SupervisionId};
use crate::roster::State;

pub(super) fn review(reader: &mut Reader<'_>, draft: &Draft, index: &Index<'_>) {
    let named = Named::of(draft);
    named_once(reader, draft);
    customers(reader, draft, &named);
    regions(reader, draft, &named);
    sites(reader, draft, index, &named);
    ladders(reader, draft, &named);
    holidays_without_calendar(reader, draft, index);
    groups(reader, draft, &named);
    rosters(reader, draft, &named);
    adapters(reader, draft, &named);
    drills(reader, draft, &named);
    shared_addresses(reader, draft);
    fallback(reader, draft, &named);
    known_ladder(reader, &named, "technical", draft.technical.ladder.as_ref());
}

/// The ids of one kind: to look one up, and in the file's order to say which was meant.
struct Ids<'d> {
    there: BTreeSet<&'d str>,
    in_order: Vec<&'d str>,
}

impl<'d> FromIterator<&'d str> for Ids<'d> {
    fn from_iter<I: IntoIterator<Item = &'d str>>(ids: I) -> Self {
        let in_order: Vec<_> = ids.into_iter().collect();
        Self { there: in_order.iter().copied().collect(), in_order }
    }
}

/// All that can be named.
struct Named<'d> {
    customers: Ids<'d>,
    people: Ids<'d>,
    groups: Ids<'d>,
    regions: Ids<'d>,
    sites: Ids<'d>,
    centres: Ids<'d>,
    ladders: Ids<'d>,
    rosters: Ids<'d>,
    calendars: Ids<'d>,
    plans: Ids<'d>,
    supervisions: Ids<'d>,
}

impl<'d> Named<'d> {
    fn of(draft: &'d Draft) -> Self {
        Self {
            customers: draft.customers.iter().map(|c| c.id.as_str()).collect(),
            people: draft.people.iter().map(|p| p.id.as_str()).collect(),
            groups: draft.groups.iter().map(|g| g.id.as_str()).collect(),
            regions: draft.regions.iter().map(|r| r.id.as_str()).collect(),
            sites: draft.sites.iter().map(|s| s.id.as_str()).collect(),
            centres: draft.centres.iter().map(|c| c.id.as_str()).collect(),
            ladders: draft.written.iter().map(|l| l.id.as_str()).collect(),
            rosters: draft.rosters.iter().map(|r| r.id.as_str()).collect(),
            calendars: draft.calendars.iter().map(|c| c.id.as_str()).collect(),
            plans: draft.plans.iter().map(|p| p.id.as_str()).collect(),
            supervisions: draft.supervisions.iter().map(|s| s.id.as_str()).collect(),
        }
    }
}

fn named_once(reader: &mut Reader<'_>, draft: &Draft) {
    once(reader, "customer", draft.customers.iter().map(|c| (c.id.as_str(), c.line)));
    once(reader, "person", draft.people.iter().map(|p| (p.id.as_str(), p.line)));
    once(reader, "group", draft.groups.iter().map(|g| (g.id.as_str(), g.line)));
    once(reader, "region", draft.regions.iter().map(|r| (r.id.as_str(), r.line)));
    once(reader, "site", draft.sites.iter().map(|s| (s.id.as_str(), s.line)));
    once(reader, "centre", draft.centres.iter().map(|c| (c.id.as_str(), c.line)));
    once(reader, "roster", draft.rosters.iter().map(|r| (r.id.as_str(), r.line)));
    once(reader, "calendar", draft.calendars.iter().map(|c| (c.id.as_str(), c.line)));
    once(reader, "ladder", draft.written.iter().map(|l| (l.id.as_str(), l.line)));
    once(reader, "plan", draft.plans.iter().map(|p| (p.id.as_str(), p.line)));
    once(reader, "supervision", draft.supervisions.iter().map(|s| (s.id.as_str(), s.line)));
    once(reader, "drill", draft.drills.iter().map(|d| (d.id.as_str(), d.line)));
    once(reader, "adapter", draft.adapters.iter().map(|a| (a.rule.id.as_str(), a.line)));
    let devices: Vec<_> = draft.devices.iter().map(|d| (format!("{}/{}", d.site.value, d.id), d.line)).collect();
    once(reader, "device", devices.iter().map(|(id, line)| (id.as_str(), *line)));
    let mut seen = BTreeMap::new();
    for customer in &draft.customers {
        let prefix = customer.prefix.value.as_str();
        if customer.prefix.value.is_of_notices() {
            reader.error(
                customer.prefix.line,
                format!("customer \"{}\": the prefix {prefix} is the station's own", customer.id),
                "messages about troubles have references that begin so",
                "choose another prefix",
            );
        }
        if let Some(first) = seen.insert(prefix, customer)
            && first.id != customer.id
        {
            reader.error(
                customer.prefix.line,
                format!("customers \"{}\" and \"{}\" share the prefix {prefix}", first.id, customer.id),
                "two activations could bear the same reference",
                "give each a prefix of its own",
            );
        }
    }
}

fn once<'a>(reader: &mut Reader<'_>, noun: &str, ids: impl Iterator<Item = (&'a str, usize)>) {
    let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
    for (id, line) in ids {
        if let Some(first) = seen.get(id) {
            reader.error(
                line,
                format!("{noun} \"{id}\" is there twice; the first is on line {first}"),
                "",
                "rename one of them or merge the two",
            );
        } else {
            seen.insert(id, line);
        }
    }
}

fn customers(reader: &mut Reader<'_>, draft: &Draft, named: &Named<'_>) {
    for (owner, wanted) in draft
        .customers
        .iter()
        .map(|c| (format!("customer \"{}\"", c.id), &c.ladder))
        .chain(draft.customers.iter().map(|c| (format!("customer \"{}\", technical", c.id), &c.technical)))
        .chain([("defaults".to_owned(), &draft.defaults.ladder)])
    {
        known_ladder(reader, named, &owner, wanted.as_ref());
    }
    for (owner, wanted) in draft
        .customers
        .iter()
        .map(|c| (format!("customer \"{}\"", c.id), &c.centre))
        .chain([("defaults".to_owned(), &draft.defaults.centre)])
    {
        if let Some(centre) = wanted {
            known(reader, &owner, "centre", centre.line, centre.value.as_str(), &named.centres);
        }
    }
    known_calendar(reader, named, "defaults", draft.defaults.calendar.as_ref());
    known_plan(reader, named, "defaults", draft.defaults.plan.as_ref());
    known_supervision(reader, named, "defaults", draft.defaults.supervision.as_ref());
    for person in &draft.people {
        let owner = format!("person \"{}\"", person.id);
        known_customer(reader, named, &owner, person.customer.as_ref());
        if let Some(site) = &person.based_at {
            known(reader, &owner, "site", site.line, site.value.as_str(), &named.sites);
        }
    }
}

fn regions(reader: &mut Reader<'_>, draft: &Draft, named: &Named<'_>) {
    let extended: BTreeSet<&RegionId> = draft.sites.iter().filter_map(|site| Some(&site.extends.as_ref()?.value)).collect();
    for region in &draft.regions {
        let owner = format!("region \"{}\"", region.id);
        known_arrangement(reader, named, &owner, &region.arrangement);
        if region.arrangement.customer.is_none() && draft.customers.len() > 1 {
            reader.error(
                region.line,
                format!("{owner}: customer is missing"),
                "there are several customers, and a region belongs to exactly one",
                "add  customer = \"...\"",
            );
        }
        if !extended.contains(&region.id) {
            reader.warn(
                region.line,
                format!("no site extends {owner}"),
                "what it says holds nowhere",
                "write  extends = \"...\"  at its sites",
            );
        }
    }
}

fn sites(reader: &mut Reader<'_>, draft: &Draft, index: &Index<'_>, named: &Named<'_>) {
    let mut without_ladder: BTreeSet<&RegionId> = BTreeSet::new();
    for site in &draft.sites {
        let owner = format!("site \"{}\"", site.id);
        known_arrangement(reader, named, &owner, &site.own);
        // What a region that is wrong would have said is not missing here.
        let Ok(region) = extended(reader, index, named, site) else {
            continue;
        };
        if site.arrangement.customer.is_none() && draft.customers.len() > 1 {
            // Where a region has no customer, that is said of the region.
            if region.is_none() {
                reader.error(
                    site.line,
                    format!("{owner}: customer is missing"),
                    "there are several customers, and a site belongs to exactly one",
                    "add  customer = \"...\"",
                );
            }
        } else if index.customer_of(site).is_some() && index.ladder_of(site).is_none() {
            // A region's sites are many: what all of them lack is said once.
            let (line, whose) = region.map_or((site.line, owner), |region| (region.line, format!("region \"{}\"", region.id)));
            if region.is_none_or(|region| without_ladder.insert(&region.id)) {
                reader.error(
                    line,
                    format!("{whose}: ladder is missing, and its customer has none either"),
                    "a press there would be told to nobody",
                    "add  ladder = \"...\"  here, at the customer or under [defaults]",
                );
            }
        }
    }
    for device in &draft.devices {
        let owner = format!("device \"{}\"", device.id);
        known(reader, &owner, "site", device.site.line, device.site.value.as_str(), &named.sites);
        known_ladder(reader, named, &owner, device.ladder.as_ref());
        // What the defaults name is found there, once.
        if device.supervision != draft.defaults.supervision {
            known_supervision(reader, named, &owner, device.supervision.as_ref());
        }
    }
}

/// The region that a site extends, if it extends one and may.
fn extended<'d>(reader: &mut Reader<'_>, index: &Index<'d>, named: &Named<'_>, site: &DraftSite) -> Result<Option<&'d DraftRegion>, ()> {
    let Some(extends) = &site.extends else {
        return if site.astray { Err(()) } else { Ok(None) };
    };
    let owner = format!("site \"{}\"", site.id);
    known(reader, &owner, "region", extends.line, extends.value.as_str(), &named.regions);
    let region = index.region_of(site).ok_or(())?;
    if site.own.is_of_another_customer(&region.arrangement) {
        // Where one of the two is misspelt, that is said already.
        let is_there =
            |said: &Arrangement| said.customer.as_ref().is_some_and(|named_as| named.customers.there.contains(named_as.value.as_str()));
        if is_there(&site.own) && is_there(&region.arrangement) {
            reader.error(
                extends.line,
                format!("{owner}: region \"{}\" belongs to another customer", region.id),
                "one customer's settings would hold at another's site",
                "extend a region of the site's own customer",
            );
        }
        return Err(());
    }
    Ok(Some(region))
}

fn known_arrangement(reader: &mut Reader<'_>, named: &Named<'_>, owner: &str, said: &Arrangement) {
    known_customer(reader, named, owner, said.customer.as_ref());
    known_ladder(reader, named, owner, said.ladder.as_ref());
    known_calendar(reader, named, owner, said.calendar.as_ref());
    known_plan(reader, named, owner, said.plan.as_ref());
    for (name, role) in said.roles.iter() {
        let owner = format!("{owner}, roles.{name}");
        for holder in &role.holders {
            match &holder.value {
                Holder::Person(id) => known(reader, &owner, "person", holder.line, id.as_str(), &named.people),
                Holder::Group(id) => known(reader, &owner, "group", holder.line, id.as_str(), &named.groups),
                Holder::Roster(id) => known(reader, &owner, "roster", holder.line, id.as_str(), &named.rosters),
            }
        }
    }
}

fn ladders(reader: &mut Reader<'_>, draft: &Draft, named: &Named<'_>) {
    for ladder in &draft.written {
        let owner = format!("ladder \"{}\"", ladder.id);
        known_customer(reader, named, &owner, ladder.customer.as_ref());
        for (index, rung) in ladder.rungs.iter().enumerate() {
            let owner = format!("{owner}, rung {}", index + 1);
            for notified in &rung.notified {
                match notified {
                    Notified::Party(target) => known_party(reader, named, &owner, target),
                    // Who is in a group and not there is said of the group, once.
                    Notified::Group(group) => {
                        known(reader, &owner, "group", group.id.line, group.id.value.as_str(), &named.groups);
                    }
                    // Who has a role and is not there is said of the site or its region.
                    Notified::Role(_) => {}
                }
            }
        }
    }
}

fn known_party(reader: &mut Reader<'_>, named: &Named<'_>, owner: &str, target: &DraftTarget) {
    match &target.who {
        DraftWho::Person(id) => known(reader, owner, "person", target.line, id.as_str(), &named.people),
        DraftWho::Centre(id) => known(reader, owner, "centre", target.line, id.as_str(), &named.centres),
        DraftWho::Roster(id) => known(reader, owner, "roster", target.line, id.as_str(), &named.rosters),
    }
}

fn groups(reader: &mut Reader<'_>, draft: &Draft, named: &Named<'_>) {
    let filled = draft.ladders.iter().flat_map(|ladder| &ladder.rungs).flat_map(|rung| &rung.groups).map(|group| &group.value);
    let told: BTreeSet<&GroupId> = filled.chain(draft.notified().filter_map(Notified::group)).collect();
    for group in &draft.groups {
        let owner = format!("group \"{}\"", group.id);
        known_customer(reader, named, &owner, group.customer.as_ref());
        for member in &group.members {
            known(reader, &owner, "person", member.line, member.value.as_str(), &named.people);
        }
        if !told.contains(&group.id) {
            reader.warn(
                group.line,
                format!("{owner} is on no ladder"),
                "nobody is ever told because of it",
                "name it in a rung:  notify = [{ group = \"...\" }]",
            );
        }
    }
}

fn rosters(reader: &mut Reader<'_>, draft: &Draft, named: &Named<'_>) {
    let filled = draft.ladders.iter().flat_map(|ladder| &ladder.rungs).flat_map(|rung| &rung.targets).filter_map(DraftTarget::roster);
    let asked: BTreeSet<&RosterId> = filled.chain(draft.notified().filter_map(Notified::roster)).collect();
    for roster in &draft.rosters {
        let owner = format!("roster \"{}\"", roster.id);
        known_customer(reader, named, &owner, roster.customer.as_ref());
        for person in roster.named() {
            known(reader, &owner, "person", person.line, person.value.as_str(), &named.people);
        }
        known_calendar(reader, named, &owner, roster.calendar.as_ref());
        if !asked.contains(&roster.id) {
            reader.warn(
                roster.line,
                format!("{owner} is on no ladder"),
                "nobody is ever asked because of it",
                "name it in a rung:  notify = [{ roster = \"...\" }]",
            );
        }
    }
    for (index, leave) in draft.leave.iter().enumerate() {
        let owner = format!("leave {}", index + 1);
        known(reader, &owner, "person", leave.person.line, leave.person.value.as_str(), &named.people);
    }
}

fn adapters(reader: &mut Reader<'_>, draft: &Draft, named: &Named<'_>) {
    let registered: BTreeSet<_> = draft.devices.iter().map(|d| (&d.site.value, &d.id)).collect();
    for adapter in &draft.adapters {
        let owner = format!("adapter \"{}\"", adapter.rule.id);
        if let Some(site) = &adapter.site {
            known(reader, &owner, "site", site.line, site.value.as_str(), &named.sites);
        }
        for device in adapter.rule.devices.values() {
            if !registered.contains(&(&device.site, &device.name)) {
                reader.warn(
                    adapter.line,
                    format!("{owner}: device \"{device}\" is not registered"),
                    "its press still climbs the ladder, worded as an unregistered button",
                    "add a [[device]], or correct the name here",
                );
            }
        }
    }
}

fn drills(reader: &mut Reader<'_>, draft: &Draft, named: &Named<'_>) {
    for drill in &draft.drills {
        let owner = format!("drill \"{}\"", drill.id);
        for site in &drill.sites {
            known(reader, &owner, "site", site.line, site.value.as_str(), &named.sites);
        }
        if let Some(region) = &drill.region {
            known(reader, &owner, "region", region.line, region.value.as_str(), &named.regions);
        }
    }
}

fn shared_addresses(reader: &mut Reader<'_>, draft: &Draft) {
    let mobiles = draft.people.iter().map(|p| (p, p.mobile.as_ref()));
    let mailboxes = draft.people.iter().map(|p| (p, p.email.as_ref()));
    for (noun, addresses) in [("mobile number", mobiles.collect::<Vec<_>>()), ("mailbox", mailboxes.collect())] {
        let mut seen = BTreeMap::new();
        for (person, address) in addresses {
            let Some(address) = address.filter(|a| !a.value.is_empty()) else {
                continue;
            };
            if let Some(first) = seen.insert(address.value.to_ascii_lowercase(), person) {
                reader.warn(
                    address.line,
                    format!("persons \"{}\" and \"{}\" have the same {noun}", first.id, person.id),
                    "who of them answered could not be told, and the two count as one way to reach someone",
                    "give each their own, or make them one person",
                );
            }
        }
    }
}

fn fallback(reader: &mut Reader<'_>, draft: &Draft, named: &Named<'_>) {
    let Some(fallback) = &draft.fallback else {
        return;
    };
    known_ladder(reader, named, "fallback", Some(&fallback.ladder));
    known_customer(reader, named, "fallback", fallback.customer.as_ref());
    if fallback.customer.is_none() && draft.customers.len() > 1 {
        reader.error(fallback.line, "fallback: customer is missing".to_owned(), "there are several customers", "add  customer = \"...\"");
    }
}

/// A rung that asks whether it is a holiday needs somebody's holidays at every site where its ladder is climbed.
fn holidays_without_calendar(reader: &mut Reader<'_>, draft: &Draft, index: &Index<'_>) {
    let climbed = draft.climbed_at();
    for ladder in &draft.ladders {
        let Some(rung) = ladder.rungs.iter().find(|rung| rung.asks_about_holidays()) else {
            continue;
        };
        let mut said: BTreeSet<&RegionId> = BTreeSet::new();
        for site in climbed.get(&ladder.id).into_iter().flatten().filter(|site| site.arrangement.calendar.is_none()) {
            // A region's sites are many: what all of them that climb its ladder, or their customer's, lack is said once.
            let leaves_it = site.own.ladder.is_none() && index.ladder_of(site).is_some_and(|named| named.value == ladder.named);
            let region = index.region_of(site).filter(|_| leaves_it);
            let (line, owner) = region
                .map_or_else(|| (site.line, format!("site \"{}\"", site.id)), |region| (region.line, format!("region \"{}\"", region.id)));
            if region.is_none_or(|region| said.insert(&region.id)) {
                reader.error(
                    line,
                    format!("{owner}: ladder \"{}\", rung {} asks about holidays, and no calendar is named", ladder.named, rung.number),
                    "no day would be a holiday there",
                    "add  calendar = \"AU-WA\"  here or under [defaults]",
                );
            }
        }
    }
}

fn known_calendar(reader: &mut Reader<'_>, named: &Named<'_>, owner: &str, wanted: Option<&At<CalendarId>>) {
    if let Some(calendar) = wanted.filter(|calendar| calendar.value.as_str().parse::<State>().is_err()) {
        known(reader, owner, "calendar", calendar.line, calendar.value.as_str(), &named.calendars);
    }
}

fn known_plan(reader: &mut Reader<'_>, named: &Named<'_>, owner: &str, wanted: Option<&At<PlanId>>) {
    if let Some(plan) = wanted {
        known(reader, owner, "plan", plan.line, plan.value.as_str(), &named.plans);
    }
}

fn known_supervision(reader: &mut Reader<'_>, named: &Named<'_>, owner: &str, wanted: Option<&At<SupervisionId>>) {
    if let Some(class) = wanted {
        known(reader, owner, "supervision", class.line, class.value.as_str(), &named.supervisions);
    }
}

fn known_ladder(reader: &mut Reader<'_>, named: &Named<'_>, owner: &str, wanted: Option<&At<LadderId>>) {
    if let Some(ladder) = wanted {
        known(reader, owner, "ladder", ladder.line, ladder.value.as_str(), &named.ladders);
    }
}

fn known_customer(reader: &mut Reader<'_>, named: &Named<'_>, owner: &str, wanted: Option<&At<CustomerId>>) {
    if let Some(customer) = wanted {
        known(reader, owner, "customer", customer.line, customer.value.as_str(), &named.customers);
    }
}

fn known(reader: &mut Reader<'_>, owner: impl Display, noun: &str, line: usize, wanted: &str, ids: &Ids<'_>) {
    if ids.there.contains(wanted) {
        return;
    }
    let remedy = match nearest(wanted, ids.in_order.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("add a [[{noun}]] of that id, or name one that is there"),
    };
    reader.error(line, format!("{owner}: there is no {noun} \"{wanted}\""), "", &remedy);
}
