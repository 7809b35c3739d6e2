//! One order's walk through its accounts: which to ask next, and when to give up. Pure; `line` does the walking.
//!
//! An unsent alarm is worse than a double one: where an answer was lost the message is sent again and marked.

use std::sync::Arc;
use std::time::Duration;

use escalation::dispatch::{Failure, Order};
use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::backoff::{Backoff, seed_of};
use crate::carrier::{Fault, Letter};

/// The least time an account gets that was never asked, even past the end of the attempt.
const LEAST_BUDGET: Duration = Duration::from_secs(4);

/// An order on its way.
pub(crate) struct Attempt {
    /// Shared with its requests under way.
    pub(crate) order: Arc<Order>,
    /// Worded once, at its first try.
    pub(crate) letter: Option<Letter>,
    /// How many requests it took so far.
    pub(crate) tries: u32,
    /// It may have been sent twice.
    pub(crate) doubt: bool,
    /// When it was handed to us.
    pub(crate) offered: Instant,
    started: Option<Instant>,
    standing: Vec<Standing>,
    seed: u64,
    /// Held until the report is taken, and by each request under way; a shutdown waits for all of them.
    alive: mpsc::Sender<()>,
}

/// How one account has answered this order so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Untried,
    Again { not_before: Instant, round: u32 },
    Refused,
    Credentials,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Ask this account after that wait.
    Ask(usize, Duration),
    /// No account took it.
    Over(Failure),
}

impl Attempt {
    pub(crate) fn new(order: Order, accounts: usize, now: Instant, alive: mpsc::Sender<()>) -> Self {
        Self {
            letter: None,
            tries: 0,
            doubt: false,
            offered: now,
            started: None,
            standing: vec![Standing::Untried; accounts],
            seed: seed_of(&order.id.to_string()),
            alive,
            order: Arc::new(order),
        }
    }

    /// Starts the attempt's clock at its first try, and says whether this is it.
    pub(crate) fn start(&mut self, now: Instant) -> bool {
        let first = self.started.is_none();
        self.started.get_or_insert(now);
        first
    }

    /// What is left of `whole` for a request.
    pub(crate) fn budget(&self, now: Instant, whole: Duration) -> Duration {
        let spent = self.started.map_or(Duration::ZERO, |started| now - started);
        whole.saturating_sub(spent).max(LEAST_BUDGET)
    }

    /// For a request of this order that is under way.
    pub(crate) fn alive(&self) -> mpsc::Sender<()> {
        self.alive.clone()
    }

    /// The accounts that were never asked, and are not `asked` right now, in order.
    pub(crate) fn untried(&self, asked: &[usize]) -> Vec<usize> {
        let untried =
            self.standing.iter().enumerate().filter(|(other, standing)| !asked.contains(other) && **standing == Standing::Untried);
        untried.map(|(other, _)| other).collect()
    }

    /// Takes note of a failed try at account `index` and chooses the next. `willing` says of each account whether it may be
    /// asked in its turn.
    pub(crate) fn after(&mut self, index: usize, fault: &Fault, now: Instant, whole: Duration, willing: &[bool]) -> Next {
        let round = match self.standing.get(index) {
            Some(Standing::Again { round, .. }) => round + 1,
            Some(Standing::Untried | Standing::Refused | Standing::Credentials) | None => 0,
        };
        let wait = Backoff::SENDING.wait(self.seed, round);
        let again = |wait: Duration| Standing::Again { not_before: now + wait, round };
        let standing = match fault {
            Fault::NotSent(_) => again(wait),
            Fault::Busy(asked) => again(asked.unwrap_or(wait).max(wait)),
            Fault::Unknown { .. } => {
                self.doubt = true;
                again(wait)
            }
            Fault::Refused(_) => Standing::Refused,
            Fault::Credentials => Standing::Credentials,
        };
        if let Some(slot) = self.standing.get_mut(index) {
            *slot = standing;
        }
        if let Fault::Unknown { absent: true, .. } = fault
            && round == 0
        {
            // It answers, and says it has nothing: ask the same account again at once.
            return Next::Ask(index, Duration::ZERO);
        }
        self.choose(now, whole, willing)
    }

    fn choose(&self, now: Instant, whole: Duration, willing: &[bool]) -> Next {
        let never: Vec<usize> = (0..self.standing.len()).filter(|index| self.standing.get(*index) == Some(&Standing::Untried)).collect();
        let untried = never.iter().find(|index| willing.get(**index) == Some(&true)).or(never.first()).copied();
        if let Some(index) = untried {
            return Next::Ask(index, Duration::ZERO);
        }
        let again = self.standing.iter().enumerate().filter_map(|(index, s)| match s {
            Standing::Again { not_before, .. } => Some((*not_before, index)),
            Standing::Untried | Standing::Refused | Standing::Credentials => None,
        });
        let end = self.started.unwrap_or(now) + whole;
        match again.min() {
            Some((at, index)) if at < end => Next::Ask(index, at.saturating_duration_since(now)),
            Some(_) => Next::Over(Failure::Unavailable),
            None if self.standing.contains(&Standing::Credentials) => Next::Over(Failure::Credentials),
            None => Next::Over(Failure::Refused),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use escalation::dispatch::{Address, Purpose, Words};
    use escalation::time::Timestamp;

    const WHOLE: Duration = Duration::from_secs(20);
    const WILLING: &[bool] = &[true; 3];

    fn attempt(accounts: usize, now: Instant) -> Attempt {
        let order = Order {
            id: "KAL-42.1".parse().unwrap(),
            purpose: Purpose::Alarm,
            address: Address::Missing,
            words: Words::new(),
            queued_at: Timestamp::UNIX_EPOCH,
            recency: 2,
            possible_duplicate: false,
        };
        let mut attempt = Attempt::new(order, accounts, now, mpsc::channel(1).0);
        assert!(attempt.start(now));
        attempt
    }

    #[tokio::test]
    async fn an_account_that_asks_for_patience_is_left_for_the_next_and_then_waited_for() {
        let now = Instant::now();
        let mut attempt = attempt(2, now);
        let busy = Fault::Busy(Some(Duration::from_secs(7)));
        assert_eq!(attempt.after(0, &busy, now, WHOLE, WILLING), Next::Ask(1, Duration::ZERO));
        let longer = Fault::Busy(Some(Duration::from_secs(9)));
        assert_eq!(attempt.after(1, &longer, now, WHOLE, WILLING), Next::Ask(0, Duration::from_secs(7)));
        let end = Fault::Busy(Some(Duration::from_mins(1)));
        assert_eq!(attempt.after(0, &end, now, WHOLE, WILLING), Next::Ask(1, Duration::from_secs(9)));
        assert_eq!(attempt.after(1, &end, now, WHOLE, WILLING), Next::Over(Failure::Unavailable));
        assert!(!attempt.doubt);
    }

    #[tokio::test]
    async fn a_lost_answer_is_doubt_and_goes_on() {
        let now = Instant::now();
        let mut attempt = attempt(2, now);
        let hung = Fault::Unknown { why: "timeout", absent: false };
        assert_eq!(attempt.after(0, &hung, now, WHOLE, WILLING), Next::Ask(1, Duration::ZERO));
        assert!(attempt.doubt);
        let absent = Fault::Unknown { why: "cut off", absent: true };
        assert_eq!(attempt.after(1, &absent, now, WHOLE, WILLING), Next::Ask(1, Duration::ZERO), "the one that answers, at once");
        assert_ne!(attempt.after(1, &absent, now, WHOLE, WILLING), Next::Ask(1, Duration::ZERO), "but not in a tight loop");
    }

    #[tokio::test]
    async fn the_failure_says_what_can_be_mended() {
        let now = Instant::now();
        let refused = Fault::Refused("21211".to_owned());
        for (second, failure) in [(refused.clone(), Failure::Refused), (Fault::Credentials, Failure::Credentials)] {
            let mut attempt = attempt(2, now);
            assert_eq!(attempt.after(0, &refused, now, WHOLE, WILLING), Next::Ask(1, Duration::ZERO));
            assert_eq!(attempt.after(1, &second, now, WHOLE, WILLING), Next::Over(failure));
        }
    }

    #[tokio::test]
    async fn an_account_never_asked_gets_its_turn_even_late() {
        let now = Instant::now();
        let mut attempt = attempt(3, now);
        let late = now + Duration::from_secs(30);
        let hung = Fault::Unknown { why: "timeout", absent: false };
        assert_eq!(attempt.after(0, &hung, late, WHOLE, WILLING), Next::Ask(1, Duration::ZERO));
        assert_eq!(attempt.budget(late, WHOLE), LEAST_BUDGET);
        assert_eq!(attempt.after(1, &hung, late, WHOLE, WILLING), Next::Ask(2, Duration::ZERO));
        assert_eq!(attempt.after(2, &hung, late, WHOLE, WILLING), Next::Over(Failure::Unavailable));
    }

    #[tokio::test]
    async fn an_account_that_kept_failing_is_asked_last_and_not_never() {
        let now = Instant::now();
        let mut attempt = attempt(3, now);
        let failed = Fault::NotSent("connect");
        let willing = [true, false, true];
        assert_eq!(attempt.after(0, &failed, now, WHOLE, &willing), Next::Ask(2, Duration::ZERO));
        assert_eq!(attempt.after(2, &failed, now, WHOLE, &willing), Next::Ask(1, Duration::ZERO));
    }
}
