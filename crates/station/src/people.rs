//! People as readers see them: whom a ladder may tell, and which of their addresses a human was ever heard from.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use escalation::directory::{Directory, Site};
use escalation::id::{LadderId, PersonId, SiteId};
use escalation::ladder::{Ladder, Who};
use escalation::roster::Roster;

use crate::floor::Floor;
use crate::view::{PersonView, Scope};

/// Whom the ladders of a scope may tell, of all of them where it is everything; whoever was longest not heard from comes first.
pub(crate) fn view(floor: &Floor, scope: &Scope) -> Vec<PersonView> {
    let directory = floor.engine.directory();
    let own: BTreeMap<&SiteId, &Site> = directory.sites.iter().filter(|(id, site)| scope.permits(&site.customer, id)).collect();
    let told = if scope.is_everything() {
        told_by(directory, directory.ladders.values())
    } else {
        let with_ladder = directory.devices.iter().filter_map(|(id, device)| Some((id, device.ladder.as_ref()?)));
        let of_devices = with_ladder.filter(|(id, _)| own.contains_key(&id.site)).map(|(_, ladder)| ladder);
        let ladders: BTreeSet<&LadderId> = own.values().map(|site| &site.ladder).chain(of_devices).collect();
        told_by(directory, ladders.into_iter().filter_map(|id| directory.ladders.get(id)))
    };
    let counts = |site: Option<&SiteId>| scope.is_everything() || site.is_some_and(|site| own.contains_key(site));
    let mut people: Vec<PersonView> = told
        .into_iter()
        .filter_map(|id| Some((id, floor.engine.person(id)?)))
        .map(|(id, person)| PersonView {
            id,
            name: floor.vault.name_of(id),
            channels: person.contacts.iter().map(|(medium, contact)| (*medium, floor.engine.last_answered(*contact, counts))).collect(),
        })
        .collect();
    people.sort_by(|one, other| (one.last_answered(), &one.name, one.id).cmp(&(other.last_answered(), &other.name, other.id)));
    people
}

/// Whom ladders may tell: named on a rung, or on a roster that is.
pub(crate) fn told_by<'d>(directory: &Directory, ladders: impl Iterator<Item = &'d Arc<Ladder>>) -> BTreeSet<PersonId> {
    let mut told = BTreeSet::new();
    for target in ladders.flat_map(|ladder| &ladder.rungs).flat_map(|rung| &rung.targets) {
        match &target.who {
            Who::Person(person) => told.extend([*person]),
            Who::Centre(_) => {}
            Who::Roster(roster) => told.extend(directory.rosters.rosters.get(roster).into_iter().flat_map(Roster::people)),
        }
    }
    told
}
