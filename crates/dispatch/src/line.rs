//! One channel at work: its accounts in order, the slots in front of them, and the orders that walk through.
//!
//! An order for a free slot goes out at once, on a task of its own. Nothing here polls.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use escalation::dispatch::{DeliveryReport, Failure, Report};
use escalation::id::CarrierName;
use escalation::input::Input;
use escalation::private::Private;
use futures_util::future::join_all;
use tokio::time::Instant;

use crate::attempt::{Attempt, Next};
use crate::carrier::{Carrier, Letter, Taken};
use crate::health::Gauge;
use crate::message::{Book, Unworded};
use crate::report::Reporter;
use crate::slots::Slots;
use crate::webhook;

/// One account with its health.
pub(crate) struct Account {
    pub(crate) carrier: Carrier,
    pub(crate) gauge: Arc<Gauge>,
}

/// The accounts of one channel in order of preference.
pub(crate) struct Line {
    accounts: Vec<Account>,
    waiting: Mutex<Slots<Box<Attempt>>>,
    whole: Duration,
    book: Arc<Book>,
    reporter: Reporter,
    done: Done,
}

/// Told when an order is out of our hands.
pub(crate) type Done = Arc<dyn Fn(&Attempt) + Send + Sync>;

/// What came of one try.
enum Outcome {
    Report(DeliveryReport),
    Ask(usize, Duration),
}

impl Line {
    /// A line over `accounts`; an attempt lasts at most `whole`.
    pub(crate) fn new(accounts: Vec<Account>, whole: Duration, book: Arc<Book>, reporter: Reporter, done: Done) -> Arc<Self> {
        let slots = Slots::new(accounts.iter().map(|account| account.carrier.slots()));
        Arc::new(Self { accounts, waiting: Mutex::new(slots), whole, book, reporter, done })
    }

    pub(crate) fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// Sends at once where a slot is free, queues otherwise.
    pub(crate) fn offer(self: &Arc<Self>, attempt: Box<Attempt>) {
        let entered = self.slots().enter(attempt.order.recency, attempt);
        if let Some((index, attempt)) = entered {
            tokio::spawn(Arc::clone(self).walk(index, attempt));
        }
    }

    /// Forgets what waits; the record still owes it. Says how many.
    pub(crate) fn forget_waiting(&self) -> usize {
        self.slots().clear()
    }

    fn slots(&self) -> MutexGuard<'_, Slots<Box<Attempt>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an order, which holds a slot of account `index`, to its report.
    async fn walk(self: Arc<Self>, mut index: usize, mut attempt: Box<Attempt>) {
        loop {
            let outcome = self.try_once(index, &mut attempt).await;
            // The slot belongs to the provider's work, not to ours: whoever is next may go.
            self.hand_on(index);
            let (next, wait) = match outcome {
                Outcome::Report(report) => return self.report(&attempt, report).await,
                Outcome::Ask(next, wait) => (next, wait),
            };
            if !self.rest(wait).await {
                return; // Still owed: the next start sends it.
            }
            let entered = self.slots().enter_on(next, attempt.order.recency, attempt);
            match entered {
                Some(same) => attempt = same,
                None => return,
            }
            index = next;
        }
    }

    fn hand_on(self: &Arc<Self>, index: usize) {
        let next = self.slots().leave(index);
        if let Some(attempt) = next {
            tokio::spawn(Arc::clone(self).walk(index, attempt));
        }
    }

    /// Waits without a slot; false where the station is going down.
    async fn rest(&self, wait: Duration) -> bool {
        let mut stopping = self.reporter.stopping.clone();
        if *stopping.borrow() {
            return false;
        }
        if wait.is_zero() {
            return true;
        }
        tokio::select! {
            () = tokio::time::sleep(wait) => true,
            _ = stopping.wait_for(|stop| *stop) => false,
        }
    }

    async fn try_once(&self, index: usize, attempt: &mut Attempt) -> Outcome {
        let Some(account) = self.accounts.get(index) else {
            return Outcome::Report(self.failed(attempt, Failure::NoCarrier));
        };
        let now = Instant::now();
        let first = attempt.start(now);
        if first && now - attempt.offered > self.whole && self.all_down() {
            // It waited for as long as an attempt may take behind providers that take nothing: other channels must know.
            return Outcome::Report(self.failed(attempt, Failure::Unavailable));
        }
        let letter = match self.word(attempt) {
            Ok(letter) => letter,
            Err(Unworded { .. }) => {
                return Outcome::Report(self.failed(attempt, Failure::Template));
            }
        };
        if first && attempt.order.possible_duplicate {
            if let Some((name, taken)) = self.find(attempt, &letter).await {
                return Outcome::Report(accepted(attempt, &letter, name, taken));
            }
            attempt.doubt = true;
        }
        attempt.tries += 1;
        let budget = attempt.budget(Instant::now(), self.whole);
        match account.carrier.send(&attempt.order, &letter, budget).await {
            Ok(taken) => {
                account.gauge.answered();
                Outcome::Report(accepted(attempt, &letter, account.carrier.name(), taken))
            }
            Err(fault) => {
                account.gauge.failed(&fault);
                tracing::info!(dispatch.id = %attempt.order.id, carrier = %account.carrier.name(), error = fault.class(), "not taken");
                match attempt.after(index, &fault, Instant::now(), self.whole) {
                    Next::Ask(next, wait) => Outcome::Ask(next, wait),
                    Next::Over(failure) => Outcome::Report(self.failed(attempt, failure)),
                }
            }
        }
    }

    fn all_down(&self) -> bool {
        self.accounts.iter().all(|a| a.gauge.read().down)
    }

    /// Words the order at its first try and keeps the letter for the next.
    fn word(&self, attempt: &mut Attempt) -> Result<Letter, Unworded> {
        if let Some(letter) = &attempt.letter {
            return Ok(letter.clone());
        }
        let order = &attempt.order;
        let letter = match self.accounts.first().map(|account| &account.carrier) {
            Some(Carrier::Email(_)) => Letter::Mail(self.book.email(order.purpose, &order.words)?),
            Some(Carrier::Webhook(_)) => Letter::Body(webhook::body(order)),
            Some(Carrier::Sms(_)) | None => Letter::Text(self.book.sms(order.purpose, &order.words)?),
        };
        attempt.letter = Some(letter.clone());
        Ok(letter)
    }

    /// Asks every account at once whether it has the message from before a crash.
    async fn find(&self, attempt: &Attempt, letter: &Letter) -> Option<(&CarrierName, Taken)> {
        let asked = self.accounts.iter().map(|account| async {
            let found = account.carrier.find(&attempt.order, letter).await;
            found.map(|taken| (account.carrier.name(), taken))
        });
        join_all(asked).await.into_iter().flatten().next()
    }

    fn failed(&self, attempt: &Attempt, failure: Failure) -> DeliveryReport {
        let only = match self.accounts.as_slice() {
            [account] => Some(account.carrier.name().clone()),
            _several => None,
        };
        DeliveryReport {
            dispatch: attempt.order.id.clone(),
            report: Report::Failed(failure),
            provider: only,
            provider_ref: None,
            text: attempt.letter.as_ref().map(|l| Private::Open(l.words().to_owned())),
            template: attempt.letter.as_ref().map(|l| l.template().to_owned()),
            possible_duplicate: attempt.doubt,
            tries: attempt.tries,
        }
    }

    async fn report(&self, attempt: &Attempt, report: DeliveryReport) {
        let what = report.dispatch.to_string();
        let input = Input::DeliveryReported(report);
        self.reporter.until_taken(&what, input).await;
        (self.done)(attempt);
    }
}

fn accepted(attempt: &Attempt, letter: &Letter, provider: &CarrierName, taken: Taken) -> DeliveryReport {
    DeliveryReport {
        dispatch: attempt.order.id.clone(),
        report: if taken.receipt_due { Report::AcceptedReceiptDue } else { Report::Accepted },
        provider: Some(provider.clone()),
        provider_ref: taken.provider_ref,
        text: Some(Private::Open(letter.words().to_owned())),
        template: Some(letter.template().to_owned()),
        possible_duplicate: attempt.doubt,
        tries: attempt.tries,
    }
}
