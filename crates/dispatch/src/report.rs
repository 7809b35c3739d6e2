//! Handing what became of things to the watch, until it has taken them.

use escalation::input::Input;
use escalation::verdict::{NotTaken, Submit, Verdict};
use tokio::sync::watch;

use crate::backoff::{Backoff, seed_of};

/// Hands inputs to the watch. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Reporter {
    pub(crate) submit: Submit,
    pub(crate) stopping: watch::Receiver<bool>,
}

impl Reporter {
    /// Offers an input until it is taken: a send that nobody recorded would be repeated after a crash.
    /// `what` names it in the log and spreads the retries; it holds no personal data. False where the station is going down; what was not recorded is then still owed.
    pub(crate) async fn until_taken(&self, what: &str, input: Input) -> bool {
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

    /// Offers an input once: whoever sent it to us will send it again. True once durable.
    pub(crate) async fn once(&self, input: Input) -> bool {
        match (self.submit)(input).await {
            Verdict::Durable(_) | Verdict::Refused(_) => true,
            Verdict::NotTaken(_) => false,
        }
    }
}
