//! The room's furniture: what every handler shares, and the one router that all of it hangs on.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware;
use station::desk::Desk;
use station::notary::Proofs;
use tokio::sync::{Semaphore, watch};

use crate::hooks::Hooks;
use crate::keys::Keys;
use crate::limiter::Limiter;
use crate::metrics::Counters;
use crate::responder::proof::Proof;
use crate::secret::{self, NoRandom};
use crate::session::Sessions;
use crate::settings::Settings;
use crate::{api, assets, page, responder, security};

/// The largest body that is read (interfaces: 64 KiB).
pub(crate) const BODY_MAX: usize = 64 * 1024;
/// How many streams may be open at once; each costs the watch one look a second.
const STREAMS_MAX: usize = 256;
/// How many lookups of links may stand before the watch at once: whoever guesses waits here, not in front of operators.
const GUESSES_MAX: usize = 16;
/// How many proofs of coverage are worked out at once: each takes a processor for a while, and alarms need the others.
const PROOFS_MAX: usize = 1;
/// How many evidence bundles are made at once: each holds a whole history in memory.
const EXPORTS_MAX: usize = 1;
/// How many registers are made at once: each reads many histories, one after the other.
const REGISTERS_MAX: usize = 1;
/// How often one peer may present a wrong key or link in a minute before it is told to slow down.
const FAILURES_PER_MINUTE: u32 = 30;
/// How many unproven answers through one link are recorded in a minute; more say nothing new and would fill the record.
const UNPROVEN_PER_MINUTE: u32 = 10;

/// What the door hands in.
pub struct Parts {
    /// The way to the watch.
    pub desk: Desk,
    /// The keys in force; a reload sends new ones.
    pub keys: watch::Receiver<Arc<Keys>>,
    /// Settings.
    pub settings: Settings,
    /// Who takes callbacks.
    pub hooks: Arc<dyn Hooks>,
    /// What verifiers ask for.
    pub proofs: Arc<dyn Proofs>,
    /// Asks for another look at the days to come, because somebody else is on duty than was.
    pub look_again: Arc<dyn Fn() + Send + Sync>,
    /// The state of the parts that the station's own health does not cover: broker, providers.
    pub probes: Arc<dyn Fn() -> Vec<Probe> + Send + Sync>,
    /// Other rooms' metrics, appended as Prometheus text.
    pub extra_metrics: Arc<dyn Fn(&mut String) + Send + Sync>,
}

/// How one part is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Its name: `broker`, `sms/first`.
    pub name: String,
    /// Whether it holds what it promises.
    pub ok: bool,
    /// What is wrong and what to do, without names, numbers or secrets.
    pub detail: String,
}

/// What every handler shares.
pub(crate) struct Room {
    pub(crate) desk: Desk,
    pub(crate) keys: watch::Receiver<Arc<Keys>>,
    pub(crate) settings: Settings,
    pub(crate) hooks: Arc<dyn Hooks>,
    pub(crate) proofs: Arc<dyn Proofs>,
    pub(crate) look_again: Arc<dyn Fn() + Send + Sync>,
    pub(crate) probes: Arc<dyn Fn() -> Vec<Probe> + Send + Sync>,
    pub(crate) extra_metrics: Arc<dyn Fn(&mut String) + Send + Sync>,
    pub(crate) sessions: Sessions,
    pub(crate) proof: Proof,
    pub(crate) counters: Counters,
    /// Wrong keys and links, by peer.
    pub(crate) failures: Limiter<Option<IpAddr>>,
    /// Answers without a hand, by link.
    pub(crate) unproven: Limiter<String>,
    pub(crate) streams: Arc<Semaphore>,
    pub(crate) guesses: Semaphore,
    pub(crate) proofs_at_work: Semaphore,
    pub(crate) exports: Semaphore,
    pub(crate) registers: Semaphore,
    pub(crate) pulse: api::health::Pulse,
    /// The forms' token where nobody logs in: the demo and the control socket.
    pub(crate) house_csrf: String,
}

/// The router of the whole room.
///
/// # Errors
/// The system has no random bytes for nonces and tokens.
pub fn router(parts: Parts) -> Result<Router, NoRandom> {
    let minute = Duration::from_mins(1);
    let room = Arc::new(Room {
        desk: parts.desk,
        keys: parts.keys,
        settings: parts.settings,
        hooks: parts.hooks,
        proofs: parts.proofs,
        look_again: parts.look_again,
        probes: parts.probes,
        extra_metrics: parts.extra_metrics,
        sessions: Sessions::default(),
        proof: Proof::new()?,
        counters: Counters::default(),
        failures: Limiter::new(FAILURES_PER_MINUTE, minute),
        unproven: Limiter::new(UNPROVEN_PER_MINUTE, minute),
        streams: Arc::new(Semaphore::new(STREAMS_MAX)),
        guesses: Semaphore::new(GUESSES_MAX),
        proofs_at_work: Semaphore::new(PROOFS_MAX),
        exports: Semaphore::new(EXPORTS_MAX),
        registers: Semaphore::new(REGISTERS_MAX),
        pulse: api::health::Pulse::default(),
        house_csrf: secret::text(&secret::random::<16>()?),
    });
    Ok(Router::new()
        .merge(api::routes())
        .merge(page::routes())
        .merge(responder::routes())
        .merge(assets::routes())
        .fallback(api::no_such_route)
        .method_not_allowed_fallback(api::no_such_method)
        .layer(DefaultBodyLimit::max(BODY_MAX))
        .layer(middleware::from_fn(security::headers))
        .layer(middleware::from_fn_with_state(room.clone(), crate::metrics::count))
        .with_state(room))
}
