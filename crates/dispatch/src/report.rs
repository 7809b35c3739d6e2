//! Handing what became of things to the watch, until it has taken them.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use escalation::dispatch::{Order, Purpose};
use escalation::id::ActivationId;
use escalation::input::Input;
use escalation::trouble::Cause;
use escalation::verdict::{NotTaken, Submit, Verdict};
use tokio::sync::watch;

use crate::backoff::{Backoff, seed_of};

/// How long a report is still offered once the station is going down: a record that takes nothing must not keep it from ending.
const PARTING: Duration = Duration::from_secs(5);

/// Hands inputs to the watch. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Reporter {
    pub(crate) submit: Submit,
    pub(crate) stopping: watch::Receiver<bool>,
    pub(crate) over: DrillsOver,
}

/// Drills that are over, the latest of them: what still waits to call somebody for one must not leave behind a real call.
#[derive(Clone, Default)]
pub(crate) struct DrillsOver(Arc<Mutex<VecDeque<ActivationId>>>);

/// How many are kept: far more than can have anything waiting.
const DRILLS_KEPT: usize = 256;

impl DrillsOver {
    /// Notes whose end an order says.
    pub(crate) fn note(&self, order: &Order) {
        if order.is_drill() && order.purpose == Purpose::StandDown {
            let mut over = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if !over.contains(&order.id.activation) {
                over.push_back(order.id.activation.clone());
            }
            if over.len() > DRILLS_KEPT {
                over.pop_front();
            }
        }
    }

    /// Whether an order calls somebody for a drill that is over.
    pub(crate) fn has(&self, order: &Order) -> bool {
        order.is_drill() && order.purpose.calls() && self.0.lock().unwrap_or_else(PoisonError::into_inner).contains(&order.id.activation)
    }
}

impl Reporter {
    /// Offers an input until it is taken: a send that nobody recorded would be repeated after a crash.
    /// `what` names it in the log and spreads the retries; it holds no personal data. False where the station is going down and
    /// the watch did not take it within 5 s; what was not recorded is then still owed.
    pub(crate) async fn until_taken(&self, what: &str, input: Input) -> bool {
        tokio::select! {
            taken = self.offer(what, input) => taken,
            () = self.parting() => {
                tracing::warn!(what, "a report was not recorded before the end; its message is still owed");
                false
            }
        }
    }

    /// Ends a while after the station began to go down.
    async fn parting(&self) {
        if self.stopping.clone().wait_for(|stop| *stop).await.is_err() {
            // Nobody is left to say so.
            std::future::pending::<()>().await;
        }
        tokio::time::sleep(PARTING).await;
    }

    async fn offer(&self, what: &str, input: Input) -> bool {
        let seed = seed_of(what);
        let mut round = 0;
        loop {
            match (self.submit)(input.clone()).await {
                Verdict::Durable(_) => return true,
                Verdict::Refused(why) => {
                    tracing::warn!(what, %why, "the rules refused a report");
                    return true;
                }
                Verdict::NotTaken(NotTaken::Stopping) => return false,
                Verdict::NotTaken(NotTaken::Overloaded | NotTaken::Unrecorded) => {
                    tokio::time::sleep(Backoff::REPORTING.wait(seed, round)).await;
                    round = round.saturating_add(1);
                }
            }
        }
    }

    /// Raises and clears a trouble; what changes back before it was taken is never raised. The first word is always said, so
    /// that a trouble from before a restart is cleared; the rules know whether there is one.
    pub(crate) async fn follow(self, what: String, cause: Cause, mut raised: watch::Receiver<Option<bool>>) {
        let mut told = None;
        while raised.changed().await.is_ok() {
            let is_raised = *raised.borrow_and_update();
            if is_raised == told {
                continue;
            }
            let cause = cause.clone();
            let input = if is_raised == Some(true) { Input::TroubleNoticed(cause) } else { Input::TroubleCleared(cause) };
            if self.until_taken(&what, input).await {
                told = is_raised;
            }
        }
    }

    /// Offers an input once and says what became of it.
    pub(crate) async fn ask(&self, input: Input) -> Verdict {
        (self.submit)(input).await
    }

    /// Offers an input once: whoever sent it to us will send it again. True once durable.
    pub(crate) async fn once(&self, input: Input) -> bool {
        match self.ask(input).await {
            Verdict::Durable(_) | Verdict::Refused(_) => true,
            Verdict::NotTaken(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_record_that_takes_nothing_does_not_keep_the_station_from_ending() {
        let hung: Submit = Arc::new(|_| Box::pin(std::future::pending()));
        let down: Submit = Arc::new(|_| Box::pin(async { Verdict::NotTaken(NotTaken::Unrecorded) }));
        let (stop, stopping) = watch::channel(false);
        let offers = [hung, down].map(|submit| {
            let reporter = Reporter { submit, stopping: stopping.clone(), over: DrillsOver::default() };
            tokio::spawn(async move { reporter.until_taken("KAL-42.1", Input::TroubleNoticed(Cause::BrokerAway)).await })
        });
        stop.send_replace(true);
        for offer in offers {
            let taken = tokio::time::timeout(Duration::from_mins(1), offer).await.expect("it never ended").unwrap();
            assert!(!taken);
        }
    }
}
