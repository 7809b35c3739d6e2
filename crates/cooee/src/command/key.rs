//! `cooee key new`: an API key. Its secret is printed once and kept nowhere; the settings get its digest.

use std::fmt::Write as _;
use std::io::Write;
use std::process::ExitCode;

use anyhow::{Context, anyhow, ensure};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use console::roles;
use escalation::id::{Digest, Slug};
use ring::rand::{SecureRandom, SystemRandom};
use serde::Serialize;

use crate::cli::NewKey;
use crate::config::Key;

/// Makes a key and prints it.
pub(crate) fn new(arguments: NewKey) -> anyhow::Result<ExitCode> {
    let (secret, key) = make(arguments)?;
    let stanza = stanza(&key)?;
    let shown = format!("The key of {}, shown once and kept nowhere:\n\n  {secret}\n\nAdd this to the settings:\n\n{stanza}", key.name);
    std::io::stdout().write_all(shown.as_bytes()).context("print the key")?;
    Ok(ExitCode::SUCCESS)
}

fn make(arguments: NewKey) -> anyhow::Result<(String, Key)> {
    ensure!(
        !arguments.name.trim().is_empty() && !arguments.name.chars().any(char::is_control),
        "--name is empty or not one line: the record says who acted by it"
    );
    let role = roles::Role::from(arguments.role);
    ensure!(
        role.can_have(&arguments.sites, &arguments.customers),
        "a key of the role {} belongs to a site: add  --site SITE{}",
        role.as_str(),
        if role == roles::Role::Site { ", or  --customer CUSTOMER  for all of a customer's" } else { "" }
    );
    let mut name = String::new();
    for byte in random::<4>()? {
        write!(name, "{byte:02x}").context("name the key")?;
    }
    let half = URL_SAFE_NO_PAD.encode(random::<32>()?);
    let mut digest = [0; 32];
    digest.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, half.as_bytes()).as_ref());
    let key = Key {
        id: Slug::parse(&name)?,
        name: arguments.name,
        role: arguments.role,
        sites: arguments.sites,
        customers: arguments.customers,
        hash: Digest::new(digest),
    };
    Ok((format!("ck_{name}_{half}"), key))
}

fn random<const N: usize>() -> anyhow::Result<[u8; N]> {
    let mut bytes = [0; N];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| anyhow!("the system gave no random bytes; try again once it does"))?;
    Ok(bytes)
}

fn stanza(key: &Key) -> anyhow::Result<String> {
    #[derive(Serialize)]
    struct Stanza<'k> {
        key: [&'k Key; 1],
    }
    toml::to_string(&Stanza { key: [key] }).context("write the [[key]] stanza")
}

#[cfg(test)]
mod tests {
    use escalation::id::SiteId;

    use super::*;
    use crate::config::Role;

    fn arguments(role: Role, sites: &[&str]) -> NewKey {
        NewKey {
            name: "O'Brien \"night\"".to_owned(),
            role,
            sites: sites.iter().map(|s| SiteId::parse(s).unwrap()).collect(),
            customers: Vec::new(),
        }
    }

    #[test]
    fn a_key_is_what_its_stanza_says() {
        let (secret, key) = make(arguments(Role::Site, &["library"])).unwrap();
        let printed = stanza(&key).unwrap();
        let read: toml::Table = toml::from_str(&printed).unwrap();
        let read: Key = read["key"][0].clone().try_into().unwrap();
        assert_eq!(read, key);
        let (id, half) = secret.strip_prefix("ck_").unwrap().split_once('_').unwrap();
        assert_eq!((id, half.len()), (key.id.as_str(), 43));
        assert!(!printed.contains(half), "the settings must not hold the secret");
        let digest = ring::digest::digest(&ring::digest::SHA256, half.as_bytes());
        assert_eq!(digest.as_ref(), key.hash.as_bytes());
    }

    #[test]
    fn two_keys_differ() {
        let one = make(arguments(Role::Admin, &[])).unwrap();
        let other = make(arguments(Role::Admin, &[])).unwrap();
        assert_ne!(one.0, other.0);
        assert_ne!(one.1.hash, other.1.hash);
    }

    #[test]
    fn a_key_that_the_settings_would_refuse_is_not_made() {
        assert!(make(arguments(Role::Site, &[])).is_err());
        assert!(make(arguments(Role::Device, &[])).is_err());
        let of_a_customer = |role| NewKey { customers: vec![Slug::parse("kalamunda").unwrap().into()], ..arguments(role, &[]) };
        assert!(make(of_a_customer(Role::Site)).is_ok());
        assert!(make(of_a_customer(Role::Device)).is_err());
    }
}
