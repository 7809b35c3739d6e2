//! Places where a debug build dies on purpose, so that a test can cut the power exactly there.
//!
//! `COOEE_FAILPOINT=before_append` aborts the process when that place is first reached, `before_append:7` at the seventh
//! time. A release build knows nothing of it.

/// Between an event that was decided and its append.
pub(crate) const BEFORE_APPEND: &str = "before_append";
/// The record has the turn, and nothing that depends on it has left.
pub(crate) const AFTER_APPEND_BEFORE_RELEASE: &str = "after_append_before_release";
/// What depends on the turn has been handed on.
pub(crate) const AFTER_RELEASE: &str = "after_release";
/// Within the rebuilding of the state.
pub(crate) const MID_REPLAY: &str = "mid_replay";
/// The spool has a turn that the record lacks, and nothing that depends on it has left.
pub(crate) const MID_SPOOL: &str = "mid_spool";
/// The notary is about to sign what is committed.
pub(crate) const BEFORE_SIGNING: &str = "before_signing";
/// A checkpoint is on the disk, and nobody has seen it.
pub(crate) const AFTER_SIGNING: &str = "after_signing";

/// Dies here where the environment says so.
#[cfg(debug_assertions)]
pub(crate) fn reached(place: &'static str) {
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    static WANTED: OnceLock<Option<(String, AtomicU64)>> = OnceLock::new();
    let wanted = WANTED.get_or_init(|| {
        let text = std::env::var("COOEE_FAILPOINT").ok()?;
        let (place, times) = text.split_once(':').unwrap_or((&text, "1"));
        Some((place.to_owned(), AtomicU64::new(times.parse().ok()?)))
    });
    if let Some((wanted, left)) = wanted
        && wanted == place
        && left.fetch_sub(1, Ordering::Relaxed) == 1
    {
        tracing::error!(place, "dying on purpose (COOEE_FAILPOINT)");
        std::process::abort();
    }
}

/// A release build does not die on purpose.
#[cfg(not(debug_assertions))]
pub(crate) fn reached(_place: &'static str) {}
