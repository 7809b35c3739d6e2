//! THE VOICE: what leaves the house for people and centres, and what they and their providers tell us back.
//!
//! An [`Order`] comes in by [`Voice::send`], goes out by a carrier, and ends in exactly one first report to the watch; receipts
//! follow. Replies arrive by [`Callbacks`] or by listing. This room decides nothing about alarms: whom to tell, when and
//! how often is the rules' business. It has no clock of its own, and never logs a number, an address or a text.
//!
//! # Dramatis personae
//! - [`Voice`]: the front door. [`settings::Settings`]: what an operator may say.
//! - `line`: one channel's accounts with their `slots`; `attempt`: one order's walk through them; `backoff`: its patience; `breaker`: who is asked last.
//! - `purse`: what credit an account has.
//! - `carrier`: one try at one account: `sms::account` (`twilio`, or `http` by templates), `email`, `call`, `webhook`.
//! - [`anchor`]: checkpoints for others to keep, which share nothing with messages.
//! - [`message`]: wording; [`gsm7`]: counting. [`Callbacks`] and `sms::listening`: what comes back.

pub mod anchor;
mod attempt;
pub mod backoff;
mod breaker;
mod call;
mod carrier;
mod client;
mod email;
pub mod gsm7;
mod health;
mod inbound;
mod line;
pub mod message;
mod purse;
mod recent;
mod report;
mod seal;
pub mod settings;
mod slots;
mod sms;
mod twilio_api;
mod webhook;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use escalation::dispatch::{Address, DeliveryReport, Failure, Order, Report};
use escalation::id::{CarrierName, DispatchId};
use escalation::input::Input;
use escalation::verdict::Submit;
use futures_util::future::{join_all, join4};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use crate::attempt::Attempt;
use crate::call::Caller;
use crate::carrier::Carrier;
use crate::email::Relay;
use crate::health::Gauge;
use crate::inbound::Inbox;
use crate::line::{Account, Line};
use crate::message::Book;
use crate::purse::{Owner, Purse};
use crate::report::{DrillsOver, Reporter};
use crate::sms::account::Account as SmsAccount;
use crate::sms::ears::Ears;
use crate::sms::listening::Listening;
use crate::webhook::Endpoint;

pub use crate::breaker::BreakerState;
pub use crate::health::{Health, Latency, Now};
pub use crate::inbound::{Callbacks, HookKind, HookReply, HookRequest};
pub use crate::seal::Seal;
pub use crate::settings::{Settings, SettingsError};

/// Orders in hand at once, waiting or under way; one more is refused and stays with the caller.
pub const IN_HAND_MAX: usize = 100_000;

/// Why the voice could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum VoiceError {
    /// A setting, a secret's file or a template does not do.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// Two carriers have one name, so that a report or callback could not be told apart.
    #[error("two carriers are named \"{0}\"\n  give each [[sms]], [[voice]] and [[webhook]] a name of its own; \"email\" is the relay's")]
    NamedTwice(CarrierName),
}

/// An order that was not taken. It stays with the caller, who offers it again when a report has come in, at the latest after a second.
#[derive(Debug, thiserror::Error)]
pub enum NotQueued {
    /// [`IN_HAND_MAX`] orders are in hand.
    #[error("{IN_HAND_MAX} messages are in hand; offer it again in a second")]
    Full(Box<Order>),
    /// The voice is closing; the next start owes it still.
    #[error("the voice is closing")]
    Closing(Box<Order>),
}

impl NotQueued {
    /// The order, back.
    pub fn into_order(self) -> Order {
        match self {
            Self::Full(order) | Self::Closing(order) => *order,
        }
    }
}

/// The front door. Everything it starts stops with [`Voice::shutdown`].
pub struct Voice {
    sms: Arc<Line>,
    email: Arc<Line>,
    calls: Arc<Line>,
    webhooks: BTreeMap<CarrierName, Arc<Line>>,
    accounts: Vec<SmsAccount>,
    reporter: Reporter,
    callbacks: Callbacks,
    in_hand: Arc<Mutex<HashSet<DispatchId>>>,
    seal: watch::Sender<Option<Seal>>,
    stopping: watch::Sender<bool>,
    /// A copy goes with every order; when the last is gone nothing is under way.
    alive: Mutex<Option<mpsc::Sender<()>>>,
    all_gone: Mutex<Option<mpsc::Receiver<()>>>,
}

impl Voice {
    /// Builds every carrier and starts listening. Must be called within a runtime; connects in the background only.
    ///
    /// `public_url` is where callbacks reach us, `None` where they cannot. `busy` is true while something is open: replies
    /// are then asked for often. `now` reads the wall clock.
    pub fn open(
        settings: &Settings,
        public_url: Option<&str>,
        submit: Submit,
        busy: &watch::Receiver<bool>,
        now: &Now,
    ) -> Result<Self, VoiceError> {
        let (stopping, watched) = watch::channel(false);
        let reporter = Reporter { submit, stopping: watched, over: DrillsOver::default() };
        let built = Built::from(settings, public_url, now)?;
        let in_hand = Arc::new(Mutex::new(HashSet::new()));
        let (seal, seal_out) = watch::channel(None);
        let lines = Lines {
            book: Arc::new(built.book),
            seal: seal_out,
            reporter: reporter.clone(),
            in_hand: Arc::clone(&in_hand),
            now: Arc::clone(now),
        };
        let sms_whole = settings.sms.iter().map(settings::Sms::attempt_s).max();
        let sms = built.sms.iter().cloned().map(Carrier::Sms);
        let sms = lines.line(sms, sms_whole);
        let email_whole = settings.email.as_ref().map(|email| email.attempt_s);
        let email = lines.line(built.email.map(|relay| Carrier::Email(Box::new(relay))), email_whole);
        let calls_whole = settings.voice.iter().map(|voice| voice.attempt_s).max();
        let calls = lines.line(built.calls.iter().cloned().map(Carrier::Call), calls_whole);
        let mut webhooks = BTreeMap::new();
        for (endpoint, settings) in built.webhooks.into_iter().zip(&settings.webhook) {
            let name = endpoint.name().clone();
            let carrier = Carrier::Webhook(Box::new(endpoint));
            webhooks.insert(name, lines.line([carrier], Some(settings.attempt_s)));
        }
        let inbox = Inbox::new(reporter.clone());
        for (account, line) in built.sms.iter().zip(sms.accounts()) {
            let listening = Listening {
                account: account.clone(),
                inbox: Arc::clone(&inbox),
                gauge: Arc::clone(&line.gauge),
                ears: Ears::new(account.name().clone(), &reporter),
                now: Arc::clone(now),
                busy: busy.clone(),
                stopping: reporter.stopping.clone(),
                deaf: false,
                patience: Duration::ZERO,
            };
            tokio::spawn(listening.run());
        }
        let owners = built.sms.iter().cloned().map(Owner::Sms).chain(built.calls.iter().cloned().map(Owner::Calls));
        for owner in owners {
            Purse::open(owner, &reporter);
        }
        let (alive, all_gone) = mpsc::channel(1);
        Ok(Self {
            callbacks: Callbacks::new(built.sms.iter().cloned(), built.calls, inbox),
            accounts: built.sms,
            sms,
            email,
            calls,
            webhooks,
            reporter,
            in_hand,
            seal,
            stopping,
            alive: Mutex::new(Some(alive)),
            all_gone: Mutex::new(Some(all_gone)),
        })
    }

    /// Takes an order; never blocks. For a free slot it goes out at once, otherwise the newest activation goes first.
    ///
    /// The same dispatch offered again while in hand is one dispatch.
    pub fn send(&self, order: Order) -> Result<(), NotQueued> {
        let alive = self.alive.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(alive) = alive else {
            return Err(NotQueued::Closing(Box::new(order)));
        };
        {
            let mut in_hand = self.in_hand.lock().unwrap_or_else(PoisonError::into_inner);
            if in_hand.contains(&order.id) {
                return Ok(());
            }
            if in_hand.len() >= IN_HAND_MAX {
                return Err(NotQueued::Full(Box::new(order)));
            }
            in_hand.insert(order.id.clone());
        }
        self.reporter.over.note(&order);
        let line = match &order.address {
            Address::Sms(_) => Some(&self.sms),
            Address::Email(_) => Some(&self.email),
            Address::Voice(_) => Some(&self.calls),
            Address::Webhook(name) => self.webhooks.get(name),
            Address::Missing => {
                self.fail(&order, Failure::NoAddress, alive);
                return Ok(());
            }
        };
        match line.filter(|line| !line.accounts().is_empty()) {
            Some(line) => {
                let accounts = line.accounts().len();
                line.offer(Box::new(Attempt::new(order, accounts, Instant::now(), alive)));
            }
            None => self.fail(&order, Failure::NoCarrier, alive),
        }
        Ok(())
    }

    /// From here on mails say that the record is signed so far, or nothing of it.
    pub fn seal_with(&self, seal: Option<Seal>) {
        self.seal.send_replace(seal);
    }

    /// Where providers' callbacks are taken.
    pub fn callbacks(&self) -> Callbacks {
        self.callbacks.clone()
    }

    /// Expects the receipt of a message that an account took before this start, so that listing asks after it.
    pub fn expect_receipt(&self, dispatch: &DispatchId, provider: &CarrierName, provider_ref: &str) {
        let account = self.accounts.iter().find(|account| account.name() == provider);
        if let Some(account) = account {
            account.awaited().expect(provider_ref.to_owned(), dispatch.clone());
        }
    }

    /// How each provider has been answering, in the order of the settings.
    pub fn health(&self) -> Vec<Health> {
        self.lines().flat_map(|line| line.accounts()).map(|account| account.gauge.read()).collect()
    }

    /// Lets what is under way finish, with its report; what waits stays owed by the record. Takes no more orders.
    ///
    /// Lasts as long as one request and the watch's taking of its report; the watch must stop after us.
    pub async fn shutdown(&self) {
        self.stopping.send_replace(true);
        let last = self.alive.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(last);
        let waiting: usize = self.lines().map(|line| line.forget_waiting()).sum();
        if waiting > 0 {
            tracing::info!(waiting, "messages left for the next start");
        }
        let gone = self.all_gone.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(mut gone) = gone {
            // Nobody ever sends: it ends when the last order is gone.
            while gone.recv().await.is_some() {}
        }
    }

    fn lines(&self) -> impl Iterator<Item = &Arc<Line>> {
        [&self.sms, &self.email, &self.calls].into_iter().chain(self.webhooks.values())
    }

    /// Reports an order that no carrier can even try.
    fn fail(&self, order: &Order, failure: Failure, alive: mpsc::Sender<()>) {
        let reporter = self.reporter.clone();
        let in_hand = Arc::clone(&self.in_hand);
        let report = DeliveryReport { tries: 0, ..DeliveryReport::bare(order.id.clone(), Report::Failed(failure)) };
        tokio::spawn(async move {
            let id = report.dispatch.clone();
            let input = Input::DeliveryReported(report);
            reporter.until_taken(&id.to_string(), input).await;
            in_hand.lock().unwrap_or_else(PoisonError::into_inner).remove(&id);
            drop(alive);
        });
    }
}

/// Everything that settings can be wrong about, before anything starts.
struct Built {
    book: Book,
    sms: Vec<SmsAccount>,
    email: Option<Relay>,
    calls: Vec<Caller>,
    webhooks: Vec<Endpoint>,
}

impl Built {
    fn from(settings: &Settings, public_url: Option<&str>, now: &Now) -> Result<Self, VoiceError> {
        let book = Book::load(settings.templates.dir.as_deref())?;
        let mut sms = Vec::with_capacity(settings.sms.len());
        for account in &settings.sms {
            sms.push(SmsAccount::open(account, public_url, now)?);
        }
        let email = settings.email.as_ref().map(Relay::open).transpose()?;
        let mut calls = Vec::with_capacity(settings.voice.len());
        for account in &settings.voice {
            calls.push(Caller::open(account, public_url, Arc::clone(now))?);
        }
        let mut webhooks = Vec::with_capacity(settings.webhook.len());
        for endpoint in &settings.webhook {
            webhooks.push(Endpoint::open(endpoint, Arc::clone(now))?);
        }
        let built = Self { book, sms, email, calls, webhooks };
        built.names_differ()?;
        Ok(built)
    }

    /// Every carrier's name, in the order of the settings.
    fn names(&self) -> impl Iterator<Item = &CarrierName> {
        let sms = self.sms.iter().map(SmsAccount::name);
        sms.chain(self.email.iter().map(Relay::name))
            .chain(self.calls.iter().map(Caller::name))
            .chain(self.webhooks.iter().map(Endpoint::name))
    }

    fn names_differ(&self) -> Result<(), VoiceError> {
        let mut seen = std::collections::BTreeSet::new();
        for name in self.names() {
            if !seen.insert(name) {
                return Err(VoiceError::NamedTwice(name.clone()));
            }
        }
        Ok(())
    }
}

/// Checks settings, secrets' files and templates without connecting to anything, for `cooee check`.
pub fn check(settings: &Settings, public_url: Option<&str>) -> Result<(), VoiceError> {
    let now: Now = Arc::new(|| escalation::time::Timestamp::UNIX_EPOCH);
    Built::from(settings, public_url, &now)?;
    for wanted in &settings.anchor {
        anchor::Way::open(wanted, settings, &now)?;
    }
    Ok(())
}

/// What `cooee doctor` learns of one provider: what is good, or what is wrong and what to do about it.
pub type Probe = (CarrierName, Result<String, String>);

/// Asks each provider whether it can be reached and takes our login. Sends no message and listens to nothing.
pub async fn probe(settings: &Settings, public_url: Option<&str>, now: &Now) -> Result<Vec<Probe>, VoiceError> {
    let built = Built::from(settings, public_url, now)?;
    let accounts = join_all(built.sms.iter().map(|account| with_credit(account.probe(), Owner::Sms(account.clone()))));
    let relay = join_all(built.email.iter().map(Relay::probe));
    let endpoints = join_all(built.webhooks.iter().map(Endpoint::probe));
    let callers = join_all(built.calls.iter().map(|caller| with_credit(caller.probe(), Owner::Calls(caller.clone()))));
    let said = join4(accounts, relay, callers, endpoints).await;
    let names = built.names().cloned();
    Ok(names.zip(said.0.into_iter().chain(said.1).chain(said.2).chain(said.3)).collect())
}

/// What an account says of itself, and what credit it has where the settings have it asked.
async fn with_credit(probe: impl Future<Output = Result<String, String>>, owner: Owner) -> Result<String, String> {
    let said = probe.await?;
    let Some(low) = owner.low() else {
        return Ok(said);
    };
    match owner.credit().await {
        Ok(credit) if credit < low => {
            Err(format!("{said}, and has {credit} of credit, less than {low}\n  top it up: without any it sends nothing"))
        }
        Ok(credit) => Ok(format!("{said}, and has {credit} of credit")),
        Err(missed) => Err(format!(
            "{said}, and does not say what credit it has ({})\n  look at the provider's console; see credit_low in the settings' reference",
            missed.class()
        )),
    }
}

/// What every line is made with.
struct Lines {
    book: Arc<Book>,
    seal: watch::Receiver<Option<Seal>>,
    reporter: Reporter,
    in_hand: Arc<Mutex<HashSet<DispatchId>>>,
    now: Now,
}

impl Lines {
    fn line(&self, carriers: impl IntoIterator<Item = Carrier>, whole_s: Option<u64>) -> Arc<Line> {
        let account = |carrier: Carrier| Account {
            gauge: Arc::new(Gauge::new(carrier.name().clone(), Arc::clone(&self.now), &self.reporter)),
            carrier,
        };
        let in_hand = Arc::clone(&self.in_hand);
        Line::new(
            carriers.into_iter().map(account).collect(),
            Duration::from_secs(whole_s.unwrap_or_default()),
            Arc::clone(&self.book),
            self.seal.clone(),
            self.reporter.clone(),
            Arc::new(move |attempt: &Attempt| {
                let mut in_hand = in_hand.lock().unwrap_or_else(PoisonError::into_inner);
                in_hand.remove(&attempt.order.id);
            }),
        )
    }
}
