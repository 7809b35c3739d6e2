//! From ladders as they are written to ladders as they are climbed: groups are their members, and roles whoever has them.
//!
//! A ladder that asks for roles is there once for each site that climbs it and nowhere else, so that the rules, the proof and
//! the record know persons, centres and rosters alone. A rung that a site leaves empty on purpose is not there at that site.

use std::collections::BTreeSet;

use super::group::Groups;
use super::index::Index;
use super::ladder::{DraftLadder, DraftRung, DraftTarget, DraftWho};
use super::nearest::nearest;
use super::reader::{At, Reader};
use super::roles::{DraftRoles, Holder};
use super::some_of::some_of;
use super::written::{Named, Notified, WrittenLadder, WrittenRung};
use super::{Draft, DraftSite};
use crate::id::{GroupId, LadderId, RegionId, RoleName, SiteId};

/// Most sites that a finding names.
const SITES_SHOWN: usize = 3;

impl Draft {
    /// Every ladder as it is climbed, in the file's order; one that asks for roles once for each of its sites.
    pub(super) fn filled(&self) -> Vec<DraftLadder> {
        let index = Index::of(self);
        let groups = Groups::of(&self.groups);
        let none = DraftRoles::default();
        let mut ladders = Vec::new();
        for ladder in &self.written {
            if ladder.asks_for_roles() {
                let sites = index.sites_of(&ladder.id);
                ladders.extend(sites.map(|site| filled(ladder, ladder.id.at(&site.id), &groups, &site.arrangement.roles)));
            } else {
                ladders.push(filled(ladder, ladder.id.clone(), &groups, &none));
            }
        }
        ladders
    }

    /// What the rungs of all ladders name, also of those that nobody climbs.
    pub(super) fn notified(&self) -> impl Iterator<Item = &Notified> {
        self.written.iter().flat_map(|ladder| &ladder.rungs).flat_map(|rung| &rung.notified)
    }
}

/// What cannot be filled: a role of which a site says nothing, and a ladder that asks for roles where no site is.
/// `falls_back` is whether there is a `[fallback]`, read or not.
pub(super) fn review(reader: &mut Reader<'_>, draft: &Draft, index: &Index<'_>, falls_back: bool) {
    for ladder in draft.written.iter().filter(|ladder| ladder.asks_for_roles()) {
        // What a region that is wrong would have said is not missing here.
        let sites: Vec<&DraftSite> = index.sites_of(&ladder.id).filter(|site| index.is_whole(site)).collect();
        let mut said: BTreeSet<&RoleName> = BTreeSet::new();
        for (number, role) in ladder.roles().filter(|(_, role)| said.insert(&role.value)) {
            let lack: Vec<&SiteId> =
                sites.iter().filter(|site| site.arrangement.roles.get(&role.value).is_none()).map(|site| &site.id).collect();
            if !lack.is_empty() {
                reader.error(
                    role.line,
                    format!("ladder \"{}\", rung {number}: {} say who is \"{}\"", ladder.id, not_all(&lack, sites.len()), role.value),
                    "nobody could be told there for it",
                    &format!("write  roles.{0} = [\"...\"]  at the site or its region, or  roles.{0} = []  where nobody is", role.value),
                );
            }
        }
    }
    unasked(reader, draft, index);
    for (owner, named) in without_a_site(draft) {
        if index.asks_for_roles(&named.value) {
            reader.error(
                named.line,
                format!("{owner}: ladder \"{}\" asks for roles, and no site is there to say who has them", named.value),
                "nobody could be told",
                "name a ladder of persons, groups, rosters and centres",
            );
        }
    }
    if !falls_back {
        let defaults = draft.customers.iter().filter_map(|customer| customer.ladder.as_ref().or(draft.defaults.ladder.as_ref()));
        for named in defaults.filter(|named| index.asks_for_roles(&named.value)) {
            reader.error(
                named.line,
                format!("ladder \"{}\" is a default and asks for roles, and there is no [fallback]", named.value),
                "a press that names a site nobody knows would be told to nobody, or to another customer's people",
                "add  [fallback]  with a ladder of persons, groups, rosters and centres",
            );
        }
    }
}

/// `2 of its 40 sites ("a", "b") do not`.
fn not_all(lack: &[&SiteId], all: usize) -> String {
    let names: Vec<&str> = lack.iter().map(|site| site.as_str()).collect();
    let does = if lack.len() == 1 { "does" } else { "do" };
    format!("{} of {all} sites ({}) {does} not", lack.len(), some_of(&names, SITES_SHOWN).unwrap_or_default())
}

/// Roles that somebody has and no ladder of theirs asks for: a slip of the pen tells nobody.
fn unasked(reader: &mut Reader<'_>, draft: &Draft, index: &Index<'_>) {
    let mut asked: BTreeSet<(&SiteId, &RoleName)> = BTreeSet::new();
    for ladder in draft.written.iter().filter(|ladder| ladder.asks_for_roles()) {
        for site in index.sites_of(&ladder.id) {
            asked.extend(ladder.roles().map(|(_, role)| (&site.id, &role.value)));
        }
    }
    let names: BTreeSet<&RoleName> = asked.iter().map(|(_, name)| *name).collect();
    let mut warn = |line: usize, name: &RoleName, what: String| {
        let near = nearest(name.as_str(), names.iter().filter(|known| **known != name).map(|known| known.as_str()));
        let remedy = match near.filter(|_| !names.contains(name)) {
            Some(near) => format!("did you mean \"{near}\"?"),
            None => "take it out, or name it in a rung of that ladder:  notify = [{ role = \"...\" }]".to_owned(),
        };
        reader.warn(line, what, "nobody is ever told because of it", &remedy);
    };
    let mut wanted: BTreeSet<(usize, &RoleName)> = BTreeSet::new();
    let mut unsure: BTreeSet<&RegionId> = BTreeSet::new();
    for site in &draft.sites {
        let is_asked = |name: &RoleName| asked.contains(&(&site.id, name));
        wanted.extend(site.arrangement.roles.iter().filter(|(name, _)| is_asked(name)).map(|(name, role)| (role.line, name)));
        if !index.is_whole(site) {
            unsure.extend(site.extends.iter().map(|region| &region.value));
            continue;
        }
        for (name, role) in site.own.roles.iter().filter(|(name, _)| !is_asked(name)) {
            warn(role.line, name, format!("site \"{}\": role \"{name}\" is asked for by no ladder that is climbed there", site.id));
        }
    }
    // A region's role may be asked for at one of its sites alone. That no site extends it is said of the region.
    let extended: BTreeSet<&RegionId> = draft.sites.iter().filter_map(|site| Some(&site.extends.as_ref()?.value)).collect();
    for region in draft.regions.iter().filter(|region| extended.contains(&region.id) && !unsure.contains(&region.id)) {
        for (name, role) in region.arrangement.roles.iter().filter(|(name, role)| !wanted.contains(&(role.line, *name))) {
            warn(
                role.line,
                name,
                format!("region \"{}\": role \"{name}\" is asked for at none of its sites, or each of them says its own", region.id),
            );
        }
    }
}

/// The ladders that are climbed where no site is known.
fn without_a_site(draft: &Draft) -> impl Iterator<Item = (String, &At<LadderId>)> {
    let customers = draft
        .customers
        .iter()
        .filter_map(|customer| Some((format!("customer \"{}\", technical", customer.id), customer.technical.as_ref()?)));
    let fallback = draft.fallback.iter().map(|fallback| ("fallback".to_owned(), &fallback.ladder));
    let technical = draft.technical.ladder.iter().map(|ladder| ("technical".to_owned(), ladder));
    customers.chain(fallback).chain(technical)
}

fn filled(ladder: &WrittenLadder, id: LadderId, groups: &Groups<'_>, roles: &DraftRoles) -> DraftLadder {
    let could_be_read = |role: &_| roles.get(role).is_some_and(|role| role.sound);
    DraftLadder {
        id,
        named: ladder.id.clone(),
        customer: ladder.customer.clone(),
        rungs: (1_usize..).zip(&ladder.rungs).filter_map(|(number, written)| rung(number, written, groups, roles)).collect(),
        line: ladder.line,
        sound: ladder.sound && ladder.roles().all(|(_, role)| could_be_read(&role.value)),
    }
}

/// `None` where it asks for roles that nobody has, and for nobody else.
fn rung(number: usize, written: &WrittenRung, groups: &Groups<'_>, roles: &DraftRoles) -> Option<DraftRung> {
    let mut rung = DraftRung {
        number,
        targets: Vec::new(),
        groups: Vec::new(),
        wait_s: written.wait_s,
        when: written.when.clone(),
        need: written.need,
        line: written.line,
    };
    let mut asks_for_roles = false;
    for notified in &written.notified {
        match notified {
            Notified::Party(target) => rung.targets.push(target.clone()),
            Notified::Group(named) => rung.tell_group(named, groups),
            Notified::Role(Named { id, by }) => {
                asks_for_roles = true;
                let role = roles.get(&id.value).filter(|role| role.sound);
                for holder in role.into_iter().flat_map(|role| &role.holders) {
                    let before = rung.targets.len();
                    let party = |who| DraftTarget { who, by: by.clone(), group: None, role: None, line: holder.line };
                    match &holder.value {
                        Holder::Person(person) => rung.targets.push(party(DraftWho::Person(person.clone()))),
                        Holder::Roster(roster) => rung.targets.push(party(DraftWho::Roster(roster.clone()))),
                        Holder::Group(group) => {
                            let id = At { value: group.clone(), line: holder.line };
                            rung.tell_group(&Named { id, by: by.clone() }, groups);
                        }
                    }
                    for target in rung.targets.iter_mut().skip(before) {
                        target.role = Some(id.value.clone());
                    }
                }
            }
        }
    }
    (!asks_for_roles || !rung.targets.is_empty() || !rung.groups.is_empty()).then_some(rung)
}

impl DraftRung {
    fn tell_group(&mut self, named: &Named<GroupId>, groups: &Groups<'_>) {
        let members = groups.named(&named.id.value).into_iter().flat_map(|group| &group.members);
        self.targets.extend(members.map(|member| DraftTarget {
            who: DraftWho::Person(member.value.clone()),
            by: named.by.clone(),
            group: Some(named.id.value.clone()),
            role: None,
            line: named.id.line,
        }));
        self.groups.push(named.id.clone());
    }
}
