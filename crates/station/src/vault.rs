//! The vault: names, numbers and places by the ids that the rules use.
//!
//! Filled from disclosures at replay and from an adoption as it happens. What was erased is simply not here: whoever
//! asks gets nothing, and the message owed to it fails as "no address". Never logged, never stored by anyone else.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use escalation::directory::place::{PlaceCard, Places, PlanCard, SiteCard};
use escalation::id::{CentreId, ContactKey, CustomerId, DeviceId, PersonId, PersonVersion, PlanId, SiteId};
use escalation::ladder::Medium;
use ledger::Seq;

/// How many numbers of strangers are kept, so that "nothing acknowledged" can be answered, and how many names that callers gave
/// for themselves; the oldest gives way.
const LATELY_MAX: usize = 1_000;

/// Names, numbers and places.
#[derive(Clone, Default)]
pub struct Vault {
    people: BTreeMap<PersonVersion, PersonCard>,
    by_reference: BTreeMap<String, PersonId>,
    latest: BTreeMap<PersonId, u32>,
    places: BTreeMap<u32, Arc<Places>>,
    /// Which entry each version of a person is.
    person_entries: BTreeMap<PersonVersion, Seq>,
    /// Which entry each directory is.
    directory_entries: BTreeMap<u32, Seq>,
    strangers: Lately,
    actors: Lately,
}

/// Texts by key, the oldest first and not more than [`LATELY_MAX`].
#[derive(Clone, Default)]
struct Lately(VecDeque<(ContactKey, String)>);

/// One version of a person.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct PersonCard {
    /// The directory's own id.
    pub reference: String,
    /// The name.
    pub name: String,
    /// The mobile number, E.164.
    pub mobile: Option<String>,
    /// The mailbox.
    pub email: Option<String>,
    /// The keys of those addresses.
    pub contacts: BTreeMap<Medium, ContactKey>,
    /// Where their phones ring.
    pub based_at: Option<SiteId>,
    /// Whose alone they are.
    pub customer: Option<CustomerId>,
}

impl fmt::Debug for PersonCard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PersonCard(redacted)")
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vault({} person versions, redacted)", self.people.len())
    }
}

impl Vault {
    /// Every version of everybody.
    pub(crate) fn cards(&self) -> impl Iterator<Item = &PersonCard> {
        self.people.values()
    }

    /// Takes a version of a person.
    pub fn keep_person(&mut self, version: PersonVersion, card: PersonCard) {
        self.by_reference.insert(card.reference.clone(), version.person);
        self.latest.insert(version.person, version.version);
        self.people.insert(version, card);
    }

    /// Takes the places of a directory version.
    pub fn keep_places(&mut self, directory: u32, places: Places) {
        self.places.insert(directory, Arc::new(places));
    }

    /// Lets go of what is known of a person, so that they are shown as after a start without it: by their number.
    pub(crate) fn forget_person(&mut self, person: PersonId) {
        let id = person.to_string();
        let versions = PersonVersion { person, version: 0 }..=PersonVersion { person, version: u32::MAX };
        for (_, card) in self.people.range_mut(versions) {
            let PersonCard { contacts, based_at, customer, .. } = std::mem::take(card);
            *card = PersonCard { reference: id.clone(), name: id.clone(), contacts, based_at, customer, ..PersonCard::default() };
        }
        self.by_reference.retain(|_, known| *known != person);
        self.by_reference.insert(id, person);
    }

    /// Lets go of the names that callers gave and of strangers' numbers.
    pub(crate) fn forget_callers(&mut self) {
        self.actors = Lately::default();
        self.strangers = Lately::default();
    }

    /// Keeps which entry says this of a person.
    pub(crate) fn keep_person_entry(&mut self, version: PersonVersion, entry: Seq) {
        self.person_entries.insert(version, entry);
    }

    /// Keeps which entry a directory is.
    pub(crate) fn keep_directory_entry(&mut self, directory: u32, entry: Seq) {
        self.directory_entries.insert(directory, entry);
    }

    /// The entry that says this of a person.
    pub(crate) fn person_entry(&self, version: PersonVersion) -> Option<Seq> {
        self.person_entries.get(&version).copied()
    }

    /// The entry that a directory is.
    pub(crate) fn directory_entry(&self, directory: u32) -> Option<Seq> {
        self.directory_entries.get(&directory).copied()
    }

    /// The places alone: whoever is shown what it says learns of nobody, and not how help is sent. What a plan says is in its
    /// author's own words.
    pub(crate) fn without_people(&self) -> Self {
        let planless = |places: &Arc<Places>| {
            if places.plans.is_empty() { Arc::clone(places) } else { Arc::new(Places { plans: BTreeMap::new(), ..Places::clone(places) }) }
        };
        Self { places: self.places.iter().map(|(version, places)| (*version, planless(places))).collect(), ..Self::default() }
    }

    /// Keeps the number of someone who wrote to us and is in no directory.
    pub fn keep_stranger(&mut self, key: ContactKey, number: &str) {
        self.strangers.keep(key, number);
    }

    /// Keeps a name that somebody gave for themselves, so that views can show who acted.
    pub fn keep_actor(&mut self, key: ContactKey, name: &str) {
        self.actors.keep(key, name);
    }

    /// The name that somebody gave for themselves. `None` where it was erased, or gave way to later ones.
    pub fn actor(&self, key: ContactKey) -> Option<&str> {
        self.actors.get(key)
    }

    /// One version of a person.
    pub fn person(&self, version: PersonVersion) -> Option<&PersonCard> {
        self.people.get(&version)
    }

    /// A person's latest version.
    pub fn latest(&self, person: PersonId) -> Option<(PersonVersion, &PersonCard)> {
        let version = PersonVersion { person, version: *self.latest.get(&person)? };
        self.people.get(&version).map(|card| (version, card))
    }

    /// The person that the directory calls so.
    pub fn by_reference(&self, reference: &str) -> Option<PersonId> {
        self.by_reference.get(reference).copied()
    }

    /// The one person of this id or name among those who are `eligible`; nobody where two share the name.
    pub fn find(&self, text: &str, eligible: &dyn Fn(PersonId) -> bool) -> Option<PersonId> {
        if let Some(person) = self.by_reference(text) {
            return Some(person).filter(|id| eligible(*id));
        }
        let is_named = |id: PersonId| self.latest(id).is_some_and(|(_, card)| card.name.eq_ignore_ascii_case(text));
        let mut named = self.people().filter(|id| is_named(*id) && eligible(*id));
        let found = named.next();
        if named.next().is_some() { None } else { found }
    }

    /// Everyone, by number.
    pub fn people(&self) -> impl Iterator<Item = PersonId> + '_ {
        self.latest.keys().copied()
    }

    /// The number that ids are minted from next.
    pub fn next_person(&self) -> PersonId {
        PersonId::new(self.latest.keys().next_back().map_or(0, |id| id.number()).saturating_add(1))
    }

    /// The address behind a key: of that version first, of anyone else's second.
    pub fn address(&self, person: Option<PersonVersion>, contact: ContactKey) -> Option<&str> {
        let own = person.and_then(|version| self.people.get(&version)).and_then(|card| card.address(contact));
        let strangers = || self.strangers.get(contact);
        own.or_else(|| self.people.values().rev().find_map(|card| card.address(contact))).or_else(strangers)
    }

    /// A person's name, or their id where the name was erased.
    pub fn name_of(&self, person: PersonId) -> String {
        self.latest(person).map_or_else(|| person.to_string(), |(_, card)| card.name.clone())
    }

    /// What may be said of a site, by the directory that was in force.
    pub fn site(&self, directory: u32, site: &SiteId) -> Option<&SiteCard> {
        self.places.get(&directory).and_then(|places| places.sites.get(site))
    }

    /// What may be said of a place.
    pub fn place(&self, directory: u32, device: &DeviceId) -> Option<&PlaceCard> {
        self.places.get(&directory).and_then(|places| places.devices.get(device))
    }

    /// What an action plan says.
    pub fn plan(&self, directory: u32, plan: &PlanId) -> Option<&PlanCard> {
        self.places.get(&directory).and_then(|places| places.plans.get(plan))
    }

    /// A customer's name.
    pub fn customer(&self, directory: u32, customer: &CustomerId) -> Option<&str> {
        self.places.get(&directory).and_then(|places| places.customers.get(customer)).map(String::as_str)
    }

    /// A centre's name.
    pub fn centre(&self, directory: u32, centre: &CentreId) -> Option<&str> {
        self.places.get(&directory).and_then(|places| places.centres.get(centre)).map(String::as_str)
    }
}

impl Lately {
    fn keep(&mut self, key: ContactKey, text: &str) {
        if self.get(key).is_some() {
            return;
        }
        if self.0.len() >= LATELY_MAX {
            self.0.pop_front();
        }
        self.0.push_back((key, text.to_owned()));
    }

    fn get(&self, key: ContactKey) -> Option<&str> {
        self.0.iter().find(|(known, _)| *known == key).map(|(_, text)| text.as_str())
    }
}

impl PersonCard {
    fn address(&self, contact: ContactKey) -> Option<&str> {
        self.contacts.iter().find(|(_, key)| **key == contact).and_then(|(medium, _)| match medium {
            Medium::Sms | Medium::Voice => self.mobile.as_deref(),
            Medium::Email => self.email.as_deref(),
            Medium::Webhook | Medium::Desk => None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(person: u32, version: u32) -> PersonVersion {
        PersonVersion { person: PersonId::new(person), version }
    }

    fn card(reference: &str, mobile: &str, key: u8) -> PersonCard {
        PersonCard {
            reference: reference.into(),
            name: "Jo Smith".into(),
            mobile: Some(mobile.into()),
            contacts: [(Medium::Sms, ContactKey::new([key; 16]))].into(),
            ..PersonCard::default()
        }
    }

    #[test]
    fn an_address_is_found_by_the_version_that_was_told() {
        let mut vault = Vault::default();
        vault.keep_person(version(1, 1), card("jo", "+61400000001", 1));
        vault.keep_person(version(1, 2), card("jo", "+61400000002", 2));
        assert_eq!(vault.address(Some(version(1, 1)), ContactKey::new([1; 16])), Some("+61400000001"));
        assert_eq!(vault.address(None, ContactKey::new([1; 16])), Some("+61400000001"));
        assert_eq!(vault.latest(PersonId::new(1)).unwrap().0, version(1, 2));
        assert_eq!(vault.address(None, ContactKey::new([9; 16])), None, "what was erased is not there");
        assert_eq!(vault.next_person(), PersonId::new(2));
    }

    #[test]
    fn a_name_that_two_share_means_nobody() {
        let mut vault = Vault::default();
        vault.keep_person(version(1, 1), card("jo", "+61400000001", 1));
        assert_eq!(vault.find("jo smith", &|_| true), Some(PersonId::new(1)));
        vault.keep_person(version(2, 1), card("jo-2", "+61400000002", 2));
        assert_eq!(vault.find("Jo Smith", &|_| true), None);
        assert_eq!(vault.find("jo-2", &|_| true), Some(PersonId::new(2)));
        assert!(!format!("{vault:?} {:?}", card("jo", "+61400000001", 1)).contains("61400"));
    }

    #[test]
    fn strangers_are_bounded_and_the_oldest_gives_way() {
        let mut vault = Vault::default();
        let key = |n: usize| {
            let mut bytes = [0; 16];
            bytes[..8].copy_from_slice(&n.to_be_bytes());
            ContactKey::new(bytes)
        };
        for n in 0..=LATELY_MAX {
            vault.keep_stranger(key(n), &format!("+{n}"));
        }
        assert_eq!(vault.strangers.0.len(), LATELY_MAX);
        assert_eq!(vault.address(None, key(0)), None);
        assert_eq!(vault.address(None, key(1)), Some("+1"));
    }
}
