//! How each provider has been answering, and the trouble it raises when it does not.

use std::sync::{Arc, Mutex, PoisonError};

use escalation::id::CarrierName;
use escalation::input::Input;
use escalation::time::Timestamp;
use escalation::trouble::Cause;
use tokio::sync::watch;

use crate::carrier::Fault;
use crate::report::Reporter;

/// Failures in a row after which a provider counts as down.
const DOWN_AFTER: u32 = 3;

/// Reads the wall clock: this room has none of its own.
pub type Now = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// How one provider has been answering.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// Which, by its name in the settings.
    pub carrier: CarrierName,
    /// When it last did what we asked.
    pub last_ok: Option<Timestamp>,
    /// The class of its last failure (`connect`, `timeout`, `cut off`, `busy`, `credentials`, ...) and when.
    pub last_error: Option<(&'static str, Timestamp)>,
    /// Failures since it last answered.
    pub consecutive_failures: u32,
    /// Whether a trouble is open for it.
    pub down: bool,
}

/// Keeps one provider's health and raises or clears its trouble.
pub(crate) struct Gauge {
    health: Mutex<Health>,
    /// `None` until the provider was first heard of: a trouble may be open from before this start.
    down: watch::Sender<Option<bool>>,
    now: Now,
}

impl Gauge {
    /// Starts with nothing known; the trouble follows in a task of its own until `reporter` stops.
    pub(crate) fn new(carrier: CarrierName, now: Now, reporter: &Reporter) -> Self {
        let (down, watched) = watch::channel(None);
        tokio::spawn(follow(carrier.clone(), watched, reporter.clone()));
        let health = Health { carrier, last_ok: None, last_error: None, consecutive_failures: 0, down: false };
        Self { health: Mutex::new(health), down, now }
    }

    /// The provider answered: also with a refusal of one message, which says nothing against the provider.
    pub(crate) fn answered(&self) {
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        health.last_ok = Some((self.now)());
        health.consecutive_failures = 0;
        health.down = false;
        self.tell(false);
    }

    /// The provider failed.
    pub(crate) fn failed(&self, fault: &Fault) {
        let at_once = match fault {
            Fault::Refused(_) => return self.answered(),
            Fault::Credentials => true,
            Fault::NotSent(_) | Fault::Busy(_) | Fault::Unknown { .. } => false,
        };
        let mut health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        health.last_error = Some((fault.class(), (self.now)()));
        health.consecutive_failures = health.consecutive_failures.saturating_add(1);
        if (at_once || health.consecutive_failures >= DOWN_AFTER) && !health.down {
            health.down = true;
            tracing::warn!(carrier = %health.carrier, error = fault.class(), "provider down");
            self.tell(true);
        }
    }

    /// Wakes the follower only where something changed.
    fn tell(&self, is_down: bool) {
        self.down.send_if_modified(|told| {
            let before = told.replace(is_down);
            before != Some(is_down)
        });
    }

    /// As it stands now.
    pub(crate) fn read(&self) -> Health {
        self.health.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Raises and clears the trouble; what changes back before it was taken is never raised. The first word is always said,
/// so that a trouble from before a restart is cleared; the rules know whether there is one.
async fn follow(carrier: CarrierName, mut down: watch::Receiver<Option<bool>>, reporter: Reporter) {
    let mut told = None;
    while down.changed().await.is_ok() {
        let is_down = *down.borrow_and_update();
        if is_down == told {
            continue;
        }
        let cause = Cause::ProviderDown { carrier: carrier.clone() };
        let input = if is_down == Some(true) { Input::TroubleNoticed(cause) } else { Input::TroubleCleared(cause) };
        if reporter.until_taken(carrier.as_str(), input).await {
            told = is_down;
        }
    }
}
