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
use futures_util::stream::{FuturesUnordered, StreamExt};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use crate::attempt::{Attempt, Next};
use crate::carrier::{Carrier, Fault, Letter, Taken};
use crate::health::Gauge;
use crate::message::{Book, Unworded};
use crate::report::Reporter;
use crate::seal::Seal;
use crate::slots::Slots;
use crate::webhook;

/// Without acceptance for so long another account is asked beside (interfaces, "Providers"), and after as long again the next.
const HEDGE_AFTER: Duration = Duration::from_secs(3);

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
    /// The newest, for mails.
    seal: watch::Receiver<Option<Seal>>,
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
    pub(crate) fn new(
        accounts: Vec<Account>,
        whole: Duration,
        book: Arc<Book>,
        seal: watch::Receiver<Option<Seal>>,
        reporter: Reporter,
        done: Done,
    ) -> Arc<Self> {
        let slots = Slots::new(accounts.iter().map(|account| account.carrier.slots()));
        Arc::new(Self { accounts, waiting: Mutex::new(slots), whole, book, seal, reporter, done })
    }

    pub(crate) fn accounts(&self) -> &[Account] {
        &self.accounts
    }

    /// Sends at once where a slot is free, queues otherwise.
    pub(crate) fn offer(self: &Arc<Self>, attempt: Box<Attempt>) {
        let order = self.order();
        let entered = self.slots().enter(&order, attempt.order.recency, attempt);
        if let Some((index, attempt)) = entered {
            tokio::spawn(Arc::clone(self).walk(index, attempt));
        }
    }

    /// The accounts that a fresh order may go out by, in order: those that kept failing only where no other is left. It waits
    /// for a slot of a good one rather than for a dead one to say nothing.
    fn order(&self) -> Vec<usize> {
        let willing = self.willing();
        let (first, last): (Vec<usize>, Vec<usize>) = (0..willing.len()).partition(|index| willing.get(*index) == Some(&true));
        if first.is_empty() { last } else { first }
    }

    fn willing(&self) -> Vec<bool> {
        self.accounts.iter().map(|account| account.gauge.is_willing()).collect()
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
            let outcome = match self.prepare(index, &mut attempt).await {
                Ok(letter) => self.ask(index, &mut attempt, &letter).await,
                Err(report) => {
                    self.hand_on(index);
                    Outcome::Report(*report)
                }
            };
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

    /// Gives a slot to whoever is next for it. An account may have become well or failed meanwhile, so what waits is offered to
    /// every one that it may go out by.
    fn hand_on(self: &Arc<Self>, index: usize) {
        let order = self.order();
        let mut slots = self.slots();
        let bound = slots.leave(index, !order.contains(&index)).map(|attempt| (index, attempt));
        let free = std::iter::from_fn(|| slots.pull(&order));
        for (index, attempt) in bound.into_iter().chain(free) {
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

    /// The words of an order, or the report of one that nobody need be asked about.
    async fn prepare(&self, index: usize, attempt: &mut Attempt) -> Result<Letter, Box<DeliveryReport>> {
        if index >= self.accounts.len() {
            return Err(Box::new(self.failed(attempt, Failure::NoCarrier)));
        }
        if self.reporter.over.has(&attempt.order) {
            return Err(Box::new(self.failed(attempt, Failure::Withdrawn)));
        }
        let now = Instant::now();
        let first = attempt.start(now);
        if first && now - attempt.offered > self.whole && self.all_down() {
            // It waited for as long as an attempt may take behind providers that take nothing: other channels must know.
            return Err(Box::new(self.failed(attempt, Failure::Unavailable)));
        }
        let letter = match self.word(attempt) {
            Ok(letter) => letter,
            Err(Unworded { .. }) => return Err(Box::new(self.failed(attempt, Failure::Template))),
        };
        if first && attempt.order.possible_duplicate {
            if let Some((name, taken)) = self.find(attempt, &letter).await {
                return Err(Box::new(accepted(attempt, &letter, name, taken)));
            }
            attempt.doubt = true;
        }
        Ok(letter)
    }

    /// One try, and other accounts beside it where nobody has taken it for long, or one of them failed while another is silent
    /// still. What may then be there twice is marked.
    async fn ask(self: &Arc<Self>, index: usize, attempt: &mut Attempt, letter: &Letter) -> Outcome {
        let mut asked = vec![index];
        let mut under_way = FuturesUnordered::new();
        under_way.push(self.start(index, attempt, letter));
        loop {
            let heard = timeout(HEDGE_AFTER, under_way.next()).await;
            match heard {
                // Whoever is heard first decides; the other requests go on by themselves, and may be taken as well.
                Ok(Some((index, Ok(taken)))) => {
                    attempt.doubt |= !under_way.is_empty();
                    return self.settle(index, attempt, letter, Ok(taken));
                }
                Ok(Some((index, Err(fault)))) if under_way.is_empty() => return self.settle(index, attempt, letter, Err(fault)),
                Ok(Some((index, Err(fault)))) => {
                    attempt.after(index, &fault, Instant::now(), self.whole, &self.willing());
                }
                Ok(None) => return Outcome::Report(self.failed(attempt, Failure::Unavailable)),
                Err(_silent) => {}
            }
            if let Some(beside) = self.beside(&asked, attempt) {
                tracing::info!(dispatch.id = %attempt.order.id, "slow: another account is asked beside");
                asked.push(beside);
                under_way.push(self.start(beside, attempt, letter));
            }
        }
    }

    /// Sends by one account, on a task that holds its slot until the provider has spoken, whoever still listens.
    fn start(
        self: &Arc<Self>,
        index: usize,
        attempt: &mut Attempt,
        letter: &Letter,
    ) -> impl Future<Output = (usize, Result<Taken, Fault>)> + Send + use<> {
        attempt.tries += 1;
        let budget = attempt.budget(Instant::now(), self.whole);
        let (line, order, letter, alive) = (Arc::clone(self), Arc::clone(&attempt.order), letter.clone(), attempt.alive());
        let sending = tokio::spawn(async move {
            let Some(account) = line.accounts.get(index) else {
                return Err(Fault::NotSent("no account"));
            };
            account.gauge.asked();
            let asked = Instant::now();
            let said = account.carrier.send(&order, &letter, budget).await;
            match &said {
                Ok(_) => account.gauge.took(asked.elapsed()),
                Err(fault) => {
                    account.gauge.failed(fault);
                    tracing::info!(dispatch.id = %order.id, carrier = %account.carrier.name(), error = fault.class(), "not taken");
                }
            }
            line.hand_on(index);
            drop(alive);
            said
        });
        async move { (index, flat(sending.await)) }
    }

    /// Another account than those `asked` that this order was never given to, may be, and has a slot free right now; takes
    /// the slot.
    fn beside(&self, asked: &[usize], attempt: &Attempt) -> Option<usize> {
        let willing = self.willing();
        let untried = attempt.untried(asked);
        let mut slots = self.slots();
        untried.into_iter().filter(|other| willing.get(*other) == Some(&true)).find(|other| slots.take(*other, attempt.order.recency))
    }

    /// What follows from what one account said.
    fn settle(&self, index: usize, attempt: &mut Attempt, letter: &Letter, said: Result<Taken, Fault>) -> Outcome {
        let Some(account) = self.accounts.get(index) else {
            return Outcome::Report(self.failed(attempt, Failure::NoCarrier));
        };
        match said {
            Ok(taken) => Outcome::Report(accepted(attempt, letter, account.carrier.name(), taken)),
            Err(fault) => match attempt.after(index, &fault, Instant::now(), self.whole, &self.willing()) {
                Next::Ask(next, wait) => Outcome::Ask(next, wait),
                Next::Over(failure) => Outcome::Report(self.failed(attempt, failure)),
            },
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
            Some(Carrier::Email(_)) => {
                let mail = self.book.email(order.purpose, &order.words)?;
                Letter::Mail(match &*self.seal.borrow() {
                    Some(seal) => seal.stamp(mail),
                    None => mail,
                })
            }
            Some(Carrier::Call(_)) => Letter::Spoken(self.book.spoken(order.purpose, &order.words)?),
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

/// What a request's task said. One that died may have sent the message.
fn flat(joined: Result<Result<Taken, Fault>, tokio::task::JoinError>) -> Result<Taken, Fault> {
    joined.unwrap_or(Err(Fault::Unknown { why: "died", absent: false }))
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
