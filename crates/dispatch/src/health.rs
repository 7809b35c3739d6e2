//! How each provider has been answering, and the trouble it raises when it does not.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use escalation::id::CarrierName;
use escalation::time::Timestamp;
use escalation::trouble::Cause;
use tokio::sync::watch;
use tokio::time::Instant;

use crate::breaker::{Breaker, BreakerState, OPENS_AFTER};
use crate::carrier::Fault;
use crate::report::Reporter;

/// Failures in a row after which a provider counts as down: when its breaker opens.
const DOWN_AFTER: u32 = OPENS_AFTER;
/// Messages whose latency is remembered.
const TIMED: usize = 64;

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
    /// Whether it is asked in its turn.
    pub breaker: BreakerState,
    /// How long it took to take the messages it took, `None` before the first of this run.
    pub latency: Option<Latency>,
}

/// How long a provider took to take a message, over the last 64 that it took; milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Latency {
    /// The last one.
    pub last_ms: u64,
    /// Half of them took no longer.
    pub median_ms: u64,
    /// The slowest.
    pub worst_ms: u64,
}

/// Keeps one provider's health and raises or clears its trouble.
pub(crate) struct Gauge {
    kept: Mutex<Kept>,
    /// `None` until the provider was first heard of: a trouble may be open from before this start.
    down: watch::Sender<Option<bool>>,
    now: Now,
}

struct Kept {
    health: Health,
    breaker: Breaker,
    took_ms: VecDeque<u64>,
    /// A message failed for a reason that no greeting can see, such as credit that is used up.
    beyond_greeting: bool,
}

impl Gauge {
    /// Starts with nothing known; the trouble follows in a task of its own until `reporter` stops.
    pub(crate) fn new(carrier: CarrierName, now: Now, reporter: &Reporter) -> Self {
        let (down, watched) = watch::channel(None);
        let cause = Cause::ProviderDown { carrier: carrier.clone() };
        tokio::spawn(reporter.clone().follow(carrier.to_string(), cause, watched));
        let health = Health {
            carrier,
            last_ok: None,
            last_error: None,
            consecutive_failures: 0,
            down: false,
            breaker: BreakerState::Closed,
            latency: None,
        };
        let kept = Kept { health, breaker: Breaker::new(Instant::now()), took_ms: VecDeque::with_capacity(TIMED), beyond_greeting: false };
        Self { kept: Mutex::new(kept), down, now }
    }

    /// The provider answered: also with a refusal of one message, which says nothing against the provider.
    pub(crate) fn answered(&self) {
        let mut kept = self.kept();
        kept.health.last_ok = Some((self.now)());
        kept.health.consecutive_failures = 0;
        kept.health.down = false;
        kept.beyond_greeting = false;
        kept.breaker.answered(Instant::now());
        self.tell(false);
    }

    /// The provider answered a light request. That shows that it is there and not that it sends: what a message has shown to
    /// be wrong only a message clears.
    pub(crate) fn greeted(&self) {
        if !self.kept().beyond_greeting {
            self.answered();
        }
    }

    /// The provider did not answer a light request, or refused it.
    pub(crate) fn not_greeted(&self, fault: &Fault) {
        self.failing(fault, false);
    }

    /// The provider took a message, so long after it was asked.
    pub(crate) fn took(&self, latency: Duration) {
        self.answered();
        let mut kept = self.kept();
        if kept.took_ms.len() == TIMED {
            kept.took_ms.pop_front();
        }
        kept.took_ms.push_back(u64::try_from(latency.as_millis()).unwrap_or(u64::MAX));
    }

    /// The provider failed with a message.
    pub(crate) fn failed(&self, fault: &Fault) {
        self.failing(fault, true);
    }

    fn failing(&self, fault: &Fault, with_a_message: bool) {
        let at_once = match fault {
            Fault::Refused(_) => return self.answered(),
            Fault::Credentials => true,
            Fault::NotSent(_) | Fault::Busy(_) | Fault::Unknown { .. } => false,
        };
        let mut kept = self.kept();
        let kept = &mut *kept;
        kept.beyond_greeting |= with_a_message && at_once;
        let health = &mut kept.health;
        health.last_error = Some((fault.class(), (self.now)()));
        health.consecutive_failures = health.consecutive_failures.saturating_add(1);
        kept.breaker.failed(Instant::now(), health.consecutive_failures, at_once);
        if (at_once || health.consecutive_failures >= DOWN_AFTER) && !health.down {
            health.down = true;
            tracing::warn!(carrier = %health.carrier, error = fault.class(), "provider down");
            self.tell(true);
        }
    }

    /// A message is being sent by it.
    pub(crate) fn asked(&self) {
        self.kept().breaker.asked(Instant::now());
    }

    /// Whether it may be asked in its turn; where not, it is asked last.
    pub(crate) fn is_willing(&self) -> bool {
        self.kept().breaker.is_willing(Instant::now())
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
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
        let kept = self.kept();
        Health { breaker: kept.breaker.state(), latency: latency(&kept.took_ms), ..kept.health.clone() }
    }
}

fn latency(took_ms: &VecDeque<u64>) -> Option<Latency> {
    let mut sorted: Vec<u64> = took_ms.iter().copied().collect();
    sorted.sort_unstable();
    let median = sorted.get(sorted.len().saturating_sub(1) / 2);
    Some(Latency { last_ms: *took_ms.back()?, median_ms: *median?, worst_ms: *sorted.last()? })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use escalation::verdict::{NotTaken, Submit, Verdict};

    use super::*;

    fn gauge() -> Gauge {
        let submit: Submit = Arc::new(|_| Box::pin(async { Verdict::NotTaken(NotTaken::Stopping) }));
        let (_stop, stopping) = watch::channel(false);
        let now: Now = Arc::new(|| Timestamp::UNIX_EPOCH);
        Gauge::new(CarrierName::parse("first").unwrap(), now, &Reporter { submit, stopping, over: crate::report::DrillsOver::default() })
    }

    #[tokio::test]
    async fn a_greeting_clears_only_what_a_greeting_can_see() {
        let gauge = gauge();
        gauge.failed(&Fault::Credentials);
        gauge.greeted();
        assert!(gauge.read().down && !gauge.is_willing(), "the account is there, and has no credit still");
        gauge.took(Duration::from_millis(5));
        assert!(!gauge.read().down && gauge.is_willing());

        for _ in 0..3 {
            gauge.failed(&Fault::NotSent("connect"));
        }
        assert!(gauge.read().down);
        gauge.greeted();
        assert!(!gauge.read().down, "it could not be reached, and can be now");
        gauge.not_greeted(&Fault::Credentials);
        gauge.greeted();
        assert!(!gauge.read().down);
    }
}
