//! A draft in the form that the rules use, without a station: ids that count, and keys that only tell addresses apart.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::Draft;
use crate::directory::place::Places;
use crate::directory::{Directory, Person};
use crate::id::{ContactKey, PersonId};
use crate::ladder::Medium;

/// A directory that can be asked what it would do, and what its people are called.
#[derive(Clone, PartialEq, Eq)]
pub struct AtHand {
    /// The directory.
    pub directory: Directory,
    /// Everybody in it.
    pub people: BTreeMap<PersonId, Person>,
    /// Their names.
    pub names: BTreeMap<PersonId, String>,
    /// What may be said of customers, sites and places.
    pub places: Places,
}

impl Draft {
    /// The form the rules use, with ids and keys that count instead of being minted.
    pub fn at_hand(&self) -> AtHand {
        let addresses = self.people.iter().flat_map(|p| [p.mobile.as_ref(), p.email.as_ref()]).flatten();
        let addresses: BTreeSet<String> = addresses.map(|a| a.value.to_ascii_lowercase()).collect();
        let numbers: BTreeMap<&str, u64> = addresses.iter().map(String::as_str).zip(1..).collect();
        let key = |_: Medium, address: &str| {
            let number = numbers.get(address.to_ascii_lowercase().as_str()).copied().unwrap_or(0);
            ContactKey::new(u128::from(number).to_be_bytes())
        };
        let mut minted = 0;
        let resolved = self.resolve(
            &mut |_| {
                minted += 1;
                PersonId::new(minted)
            },
            &key,
        );
        let names = resolved.people.iter().map(|p| (p.id, p.name.clone())).collect();
        let people = resolved
            .people
            .into_iter()
            .map(|p| (p.id, Person { version: 1, contacts: p.contacts, based_at: p.based_at, customer: p.customer }));
        AtHand { people: people.collect(), names, directory: resolved.directory, places: resolved.places }
    }
}

impl fmt::Debug for AtHand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "AtHand({} people, redacted)", self.people.len())
    }
}
