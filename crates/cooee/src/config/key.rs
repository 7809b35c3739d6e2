//! `[[key]]`: who may use the API, by the digest of their secret.

use std::collections::BTreeMap;

use console::roles;
use console::settings::KeySettings;
use escalation::id::{CustomerId, Digest, SiteId, Slug};
use serde::{Deserialize, Serialize};

use super::layer::Layered;

/// One key, as `cooee key new` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Key {
    /// The public half, the middle of `ck_<id>_<secret>`.
    pub(crate) id: Slug,
    /// Who holds it: what the record says acted.
    pub(crate) name: String,
    /// What its holder may do.
    pub(crate) role: Role,
    /// Only these sites; empty is all of the customers'.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) sites: Vec<SiteId>,
    /// Only these customers; empty is all of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) customers: Vec<CustomerId>,
    /// SHA-256 of the secret half, 64 hex digits.
    pub(crate) hash: Digest,
}

impl Key {
    /// The same, as the desk's room reads it.
    pub(crate) fn to_console(&self) -> KeySettings {
        let Self { id, name, role, sites, customers, hash } = self.clone();
        KeySettings { id, name, role: role.into(), sites, customers, hash }
    }
}

/// What a key's holder is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Role {
    /// Operators of a monitoring centre.
    Centre,
    /// People of a site.
    Site,
    /// An app or a gateway: it raises, and learns nothing.
    Device,
    /// Reads everything in its scope and changes nothing.
    Auditor,
    /// Runs the station.
    Admin,
}

impl From<Role> for roles::Role {
    fn from(role: Role) -> Self {
        match role {
            Role::Centre => Self::Centre,
            Role::Site => Self::Site,
            Role::Device => Self::Device,
            Role::Auditor => Self::Auditor,
            Role::Admin => Self::Admin,
        }
    }
}

pub(super) fn review(layered: &mut Layered<'_>, keys: &[(usize, Key)]) {
    let mut seen = BTreeMap::new();
    for (index, key) in keys {
        let at = index.to_string();
        if key.name.trim().is_empty() {
            layered.error(&["key", &at], "key: the name is empty", "the record says who acted by it", "write who holds the key");
        }
        if seen.insert(&key.id, index).is_some() {
            layered.error(
                &["key", &at],
                &format!("key: the id \"{}\" is there twice", key.id),
                "",
                "remove one, or make a new one with  cooee key new",
            );
        }
    }
}
