//! Browser sessions: a pasted key becomes a cookie for 12 hours. Kept in memory only; a restart asks for the key again.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use escalation::id::{Digest, Slug};
use tokio::time::Instant;

use crate::keys::{Key, Keys};
use crate::secret::{self, NoRandom};

/// How long a session lasts: a long shift.
pub(crate) const LASTS: Duration = Duration::from_hours(12);
/// How many sessions there can be; one more ends the one that would end first.
const SESSIONS_MAX: usize = 1_024;
/// The cookie's name.
pub(crate) const COOKIE: &str = "cooee_session";

/// Every session.
#[derive(Default)]
pub(crate) struct Sessions {
    by_token: Mutex<BTreeMap<Digest, Session>>,
}

#[derive(Clone)]
struct Session {
    key: Slug,
    hash: Digest,
    csrf: String,
    until: Instant,
}

impl Sessions {
    /// Opens a session for a key and returns the cookie's value.
    pub(crate) fn open(&self, key: &Key) -> Result<String, NoRandom> {
        let token = secret::text(&secret::random::<32>()?);
        let session =
            Session { key: key.id.clone(), hash: key.hash, csrf: secret::text(&secret::random::<16>()?), until: Instant::now() + LASTS };
        let mut sessions = self.by_token.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|_, session| session.until > Instant::now());
        while sessions.len() >= SESSIONS_MAX {
            let first = sessions.iter().min_by_key(|(_, s)| s.until).map(|(t, _)| *t);
            match first {
                Some(token) => sessions.remove(&token),
                None => break,
            };
        }
        sessions.insert(secret::digest(token.as_bytes()), session);
        Ok(token)
    }

    /// The key behind a cookie and the token its forms must bring, while both session and key are in force.
    pub(crate) fn find<'k>(&self, token: &str, keys: &'k Keys) -> Option<(&'k Key, String)> {
        let sessions = self.by_token.lock().unwrap_or_else(PoisonError::into_inner);
        let session = sessions.get(&secret::digest(token.as_bytes()))?;
        let key = keys.get(&session.key)?;
        let valid = session.until > Instant::now() && key.hash == session.hash;
        valid.then(|| (key, session.csrf.clone()))
    }

    /// Ends a session.
    pub(crate) fn end(&self, token: &str) {
        let mut sessions = self.by_token.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.remove(&secret::digest(token.as_bytes()));
    }
}
