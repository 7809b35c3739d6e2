//! API keys: who may knock, by the digest of their secret. Knows nothing of HTTP.
//!
//! A token is `ck_<id>_<secret>`: the id finds the key, the secret proves it. Only the secret's SHA-256 is ever in the
//! settings; a plain digest is enough because the secret is 256 random bits, not a password.

use std::collections::{BTreeMap, BTreeSet};

use escalation::id::{Digest, Slug};
use station::view::Scope;

use crate::roles::Role;
use crate::secret;
use crate::settings::KeySettings;

/// The keys in force.
#[derive(Clone, Debug, Default)]
pub struct Keys {
    by_id: BTreeMap<Slug, Key>,
}

/// One key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its public half.
    pub id: Slug,
    /// Who holds it.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// To whose things.
    pub scope: Scope,
    /// SHA-256 of the secret half.
    pub hash: Digest,
}

/// What is wrong with the `[[key]]` tables.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyFinding {
    /// Two tables with one id.
    #[error("two [[key]] tables have the id \"{0}\": remove one, or make a new one with `cooee key new`")]
    Twice(Slug),
    /// A role that makes sense only somewhere.
    #[error("the [[key]] \"{id}\" has the role {role} and names no site: add  sites = [\"...\"]")]
    NoSite {
        /// Which.
        id: Slug,
        /// Which role.
        role: &'static str,
    },
    /// Nobody to attribute an act to.
    #[error("the [[key]] \"{0}\" has no name: say who holds it, the record attributes acts to it")]
    NoName(Slug),
    /// The record could not tell them apart.
    #[error("the [[key]] tables \"{first}\" and \"{second}\" have the same name: the record attributes acts to it; rename one")]
    SameName {
        /// The earlier table.
        first: Slug,
        /// The later one.
        second: Slug,
    },
    /// A name that the station itself gives.
    #[error("the [[key]] \"{0}\" has a name that the station gives to users of this machine (os:...) or to the demo: rename it")]
    ReservedName(Slug),
}

impl Keys {
    /// Reads the `[[key]]` tables; the first thing wrong refuses them all.
    pub fn read(tables: Vec<KeySettings>) -> Result<Self, KeyFinding> {
        let mut by_id = BTreeMap::new();
        let mut by_name: BTreeMap<String, Slug> = BTreeMap::new();
        for table in tables {
            let key = Key::read(table)?;
            // Different only in case or in spaces around it, a name is the same to whoever reads the record.
            let name = key.name.trim().to_lowercase();
            if name == "demo" || name.starts_with("os:") {
                return Err(KeyFinding::ReservedName(key.id));
            }
            let earlier = by_name.insert(name, key.id.clone()).filter(|earlier| *earlier != key.id);
            if let Some(first) = earlier {
                return Err(KeyFinding::SameName { first, second: key.id });
            }
            if let Some(earlier) = by_id.insert(key.id.clone(), key) {
                return Err(KeyFinding::Twice(earlier.id));
            }
        }
        Ok(Self { by_id })
    }

    /// The key that this token proves, if any.
    pub fn prove(&self, token: &str) -> Option<&Key> {
        let (id, secret) = token.strip_prefix("ck_")?.split_at_checked(
            // A secret has 43 characters and may itself contain underscores; the id is what is in front of it.
            token.len().checked_sub("ck_".len() + SECRET_CHARS + 1)?,
        )?;
        let key = self.by_id.get(&Slug::parse(id).ok()?)?;
        let presented = secret::digest(secret.strip_prefix('_')?.as_bytes());
        secret::same(presented.as_bytes(), key.hash.as_bytes()).then_some(key)
    }

    /// The key with this id, if it is still in force.
    pub fn get(&self, id: &Slug) -> Option<&Key> {
        self.by_id.get(id)
    }
}

/// 32 bytes in base64url without padding.
const SECRET_CHARS: usize = 43;

/// Makes a token and the digest for its `[[key]]` table. The token is shown once and stored nowhere.
pub fn mint(id: &Slug) -> Result<(String, Digest), secret::NoRandom> {
    let secret = secret::text(&secret::random::<32>()?);
    let hash = secret::digest(secret.as_bytes());
    Ok((format!("ck_{id}_{secret}"), hash))
}

impl Key {
    fn read(table: KeySettings) -> Result<Self, KeyFinding> {
        if table.name.trim().is_empty() {
            return Err(KeyFinding::NoName(table.id));
        }
        if !table.role.can_have(&table.sites, &table.customers) {
            return Err(KeyFinding::NoSite { id: table.id, role: table.role.as_str() });
        }
        let some = |empty: bool| (!empty).then_some(());
        Ok(Self {
            scope: Scope {
                customers: some(table.customers.is_empty()).map(|()| table.customers.into_iter().collect::<BTreeSet<_>>()),
                sites: some(table.sites.is_empty()).map(|()| table.sites.into_iter().collect::<BTreeSet<_>>()),
                at_the_place: table.role.is_at_the_place(),
            },
            id: table.id,
            name: table.name,
            role: table.role,
            hash: table.hash,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(id: &str, role: Role, hash: Digest) -> KeySettings {
        KeySettings { id: Slug::parse(id).unwrap(), name: "Westside MC".to_owned(), role, sites: Vec::new(), customers: Vec::new(), hash }
    }

    #[test]
    fn a_minted_token_proves_its_key_and_no_other() {
        for id in ["westside", "with_under_scores", "a"] {
            let slug = Slug::parse(id).unwrap();
            let (token, hash) = mint(&slug).unwrap();
            let keys = Keys::read(vec![table(id, Role::Centre, hash)]).unwrap();
            assert_eq!(keys.prove(&token).map(|k| k.id.as_str()), Some(id));
            let mut forged = token.clone();
            let last = if forged.pop() == Some('A') { 'B' } else { 'A' };
            forged.push(last);
            for bad in [forged.as_str(), "", "ck_", "ck__", "ck_a_b", &token[3..], "ck_\u{e4}\u{e4}_x"] {
                assert!(keys.prove(bad).is_none(), "{bad} must prove nothing");
            }
            let (other, _) = mint(&slug).unwrap();
            assert!(keys.prove(&other).is_none());
        }
    }

    #[test]
    fn tables_that_would_surprise_are_refused() {
        let hash = secret::digest(b"x");
        let twice = vec![table("a", Role::Centre, hash), table("a", Role::Admin, hash)];
        assert!(matches!(Keys::read(twice), Err(KeyFinding::Twice(_))));
        for role in [Role::Device, Role::Site] {
            let roaming = vec![table("a", role, hash)];
            assert!(matches!(Keys::read(roaming), Err(KeyFinding::NoSite { .. })));
        }
        let same = vec![table("a", Role::Centre, hash), KeySettings { name: " westside mc".to_owned(), ..table("b", Role::Admin, hash) }];
        assert!(matches!(Keys::read(same), Err(KeyFinding::SameName { .. })));
        for name in ["os:root", "OS:1000", "demo", " Demo "] {
            let posing = KeySettings { name: name.to_owned(), ..table("a", Role::Centre, hash) };
            assert!(matches!(Keys::read(vec![posing]), Err(KeyFinding::ReservedName(_))), "{name}");
        }
        let mut nameless = table("a", Role::Centre, hash);
        nameless.name.clear();
        assert!(matches!(Keys::read(vec![nameless]), Err(KeyFinding::NoName(_))));
    }
}
