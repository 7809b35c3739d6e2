//! Which accounts to ask last: one that kept failing is passed over for a while, then one message tries it.
//!
//! Pure, with the time as a parameter. It only orders: where nobody else is left, an account is asked whatever its breaker
//! says, for an unsent alarm is worse than a slow one.

use std::time::Duration;

use tokio::time::Instant;

/// Failures in a row after which an account is passed over.
pub(crate) const OPENS_AFTER: u32 = 3;
/// How long at first, and at most after it failed again and again.
const FIRST_PAUSE: Duration = Duration::from_secs(10);
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// How an account's breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// It is asked in its turn.
    Closed,
    /// It kept failing and is passed over while another account is left.
    Open,
    /// One message is trying it.
    Trying,
}

impl BreakerState {
    /// A word for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::Trying => "trying",
        }
    }
}

/// The breaker of one account.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Breaker {
    state: BreakerState,
    /// Until when others keep away; meaningless while closed.
    until: Instant,
    pause: Duration,
}

impl Breaker {
    pub(crate) fn new(now: Instant) -> Self {
        Self { state: BreakerState::Closed, until: now, pause: FIRST_PAUSE }
    }

    pub(crate) fn state(&self) -> BreakerState {
        self.state
    }

    /// Whether it may be asked in its turn.
    pub(crate) fn is_willing(&self, now: Instant) -> bool {
        match self.state {
            BreakerState::Closed => true,
            BreakerState::Open | BreakerState::Trying => now >= self.until,
        }
    }

    /// A message is being sent by it: while an open one is tried, others keep away.
    pub(crate) fn asked(&mut self, now: Instant) {
        match self.state {
            BreakerState::Closed => {}
            BreakerState::Open | BreakerState::Trying => {
                self.state = BreakerState::Trying;
                self.until = now + self.pause;
            }
        }
    }

    /// It did what it was asked.
    pub(crate) fn answered(&mut self, now: Instant) {
        *self = Self::new(now);
    }

    /// It failed: `in_a_row` times by now, or in a way that will not pass by itself.
    pub(crate) fn failed(&mut self, now: Instant, in_a_row: u32, for_good: bool) {
        match self.state {
            BreakerState::Closed if !for_good && in_a_row < OPENS_AFTER => return,
            BreakerState::Closed => {}
            BreakerState::Open | BreakerState::Trying => self.pause = (self.pause * 2).min(LONGEST_PAUSE),
        }
        self.state = BreakerState::Open;
        self.until = now + self.pause;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_opens_after_three_failures_lets_one_message_try_and_pauses_longer_each_time() {
        let now = Instant::now();
        let mut breaker = Breaker::new(now);
        for n in 1..OPENS_AFTER {
            breaker.failed(now, n, false);
            assert!(breaker.is_willing(now));
        }
        breaker.failed(now, OPENS_AFTER, false);
        assert!(breaker.state() == BreakerState::Open && !breaker.is_willing(now));
        let later = now + FIRST_PAUSE;
        assert!(breaker.is_willing(later));
        breaker.asked(later);
        assert!(breaker.state() == BreakerState::Trying && !breaker.is_willing(later), "one at a time");
        breaker.failed(later, OPENS_AFTER + 1, false);
        assert!(!breaker.is_willing(later + FIRST_PAUSE) && breaker.is_willing(later + FIRST_PAUSE * 2));
        for _ in 0..9 {
            breaker.failed(later, 9, false);
        }
        assert!(breaker.is_willing(later + LONGEST_PAUSE), "never longer than a minute");
        breaker.answered(later);
        assert_eq!(breaker.state(), BreakerState::Closed);
        breaker.failed(later, 1, true);
        assert_eq!(breaker.state(), BreakerState::Open, "refused credentials do not mend themselves");
    }
}
