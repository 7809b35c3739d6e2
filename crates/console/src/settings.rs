//! What the desk is told about its surroundings. Reading files and environment is the door's work, not this room's.

use escalation::id::{CustomerId, Digest, SiteId, Slug};
use escalation::outage::Carrier;
use serde::Deserialize;

use crate::roles::Role;

/// The desk's settings, already checked by the door.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// The station's name, shown on every page.
    pub station: String,
    /// What the world calls us, without a trailing slash: `https://alerts.example.org`. Decides whether cookies are
    /// `Secure`; Host and X-Forwarded-* never do.
    pub public_url: Option<String>,
    /// Whom an operator rings when the page is not live; empty where nobody said.
    pub phone: String,
    /// No login on loopback: `cooee demo` only.
    pub demo: bool,
    /// By what messages leave, for whoever asks what a press would do.
    pub carriers: Vec<Carrier>,
}

impl Settings {
    /// Whether the world reaches us through TLS, so that cookies must never travel without it.
    pub(crate) fn is_https(&self) -> bool {
        self.public_url.as_deref().is_some_and(|url| url.starts_with("https://"))
    }
}

/// One `[[key]]` of the settings, as `cooee key new` prints it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeySettings {
    /// The key's public half, the middle of `ck_<id>_...`; unique.
    pub id: Slug,
    /// Who holds it: what the record says acted.
    pub name: String,
    /// What its holder may do.
    pub role: Role,
    /// Only these sites; empty is all of the customers'.
    #[serde(default)]
    pub sites: Vec<SiteId>,
    /// Only these customers; empty is all of them.
    #[serde(default)]
    pub customers: Vec<CustomerId>,
    /// Hex SHA-256 of the whole secret part of the token.
    pub hash: Digest,
}
