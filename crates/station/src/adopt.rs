//! Adoption: a directory draft meets the ids that were minted before.
//!
//! People keep their number for ever; a changed detail is a new version. What is open here is sealed by the journal.

use std::collections::BTreeMap;

use escalation::directory::draft::{Draft, ResolvedPerson};
use escalation::directory::place::Places;
use escalation::directory::{Adoption, Person, PersonChange};
use escalation::id::{Digest, PersonId, PersonVersion};
use escalation::private::Private;

use crate::secret::Secret;
use crate::vault::{PersonCard, Vault};

/// Turns a draft into what the rules can adopt.
pub fn offer(draft: &Draft, digest: Digest, zones: &str, vault: &Vault, secret: &Secret) -> Result<Adoption, serde_json::Error> {
    let mut minted: BTreeMap<String, PersonId> = BTreeMap::new();
    let mut next = vault.next_person().number();
    let resolved = draft.resolve(
        &mut |person| {
            let reference = person.id.to_string();
            let known = vault.by_reference(&reference).or_else(|| minted.get(&reference).copied());
            known.unwrap_or_else(|| {
                let id = PersonId::new(next);
                next = next.saturating_add(1);
                minted.insert(reference, id);
                id
            })
        },
        &|_medium, address| secret.contact(address),
    );
    let gone = vault.people().filter(|id| !resolved.people.iter().any(|p| p.id == *id)).collect();
    let places = serde_json::to_string(&resolved.places)?;
    let people = resolved.people.into_iter().filter_map(|person| change(person, vault)).collect();
    Ok(Adoption { digest, directory: resolved.directory, people, gone, places: Private::Open(places), zones: zones.to_owned() })
}

/// Puts an adopted directory's names where messages find them.
pub(crate) fn keep(vault: &mut Vault, adoption: &Adoption, version: u32) {
    for change in &adoption.people {
        let open = |text: &Option<Private>| text.as_ref().and_then(Private::open).map(ToOwned::to_owned);
        let card = PersonCard {
            reference: change.reference.open().unwrap_or_default().to_owned(),
            name: change.name.open().unwrap_or_default().to_owned(),
            mobile: open(&change.mobile),
            email: open(&change.email),
            contacts: change.person.contacts.clone(),
            based_at: change.person.based_at.clone(),
            customer: change.person.customer.clone(),
        };
        vault.keep_person(PersonVersion { person: change.id, version: change.person.version }, card);
    }
    if let Some(places) = adoption.places.open().and_then(|text| serde_json::from_str::<Places>(text).ok()) {
        vault.keep_places(version, places);
    }
}

/// A person's new version, where anything about them differs from the latest.
fn change(person: ResolvedPerson, vault: &Vault) -> Option<PersonChange> {
    let latest = vault.latest(person.id);
    let same = latest.is_some_and(|(_, card)| {
        card.reference == person.reference.as_str()
            && card.name == person.name
            && card.mobile == person.mobile
            && card.email == person.email
            && card.contacts == person.contacts
            && card.based_at == person.based_at
            && card.customer == person.customer
    });
    if same {
        return None;
    }
    let version = latest.map_or(0, |(version, _)| version.version).saturating_add(1);
    Some(PersonChange {
        id: person.id,
        person: Person { version, contacts: person.contacts, based_at: person.based_at, customer: person.customer },
        reference: Private::Open(person.reference.to_string()),
        name: Private::Open(person.name),
        mobile: person.mobile.map(Private::Open),
        email: person.email.map(Private::Open),
    })
}
