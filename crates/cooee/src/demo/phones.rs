//! A Twilio-compatible SMS provider and the phones behind it, on loopback.
//!
//! Speaks the provider's HTTP API (send, list, probe), posts signed receipts and replies, and can be told to be down or to
//! send no receipts. It must not know what a text means.

mod api;
mod callback;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use escalation::time::Timestamp;
use ring::rand::{SecureRandom, SystemRandom};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::Now;
use super::keep::Keep;
use callback::Poster;

/// The provider; stops when dropped.
pub(crate) struct Phones {
    exchange: Arc<Exchange>,
    base_url: String,
    _tasks: JoinSet<()>,
}

/// What the provider can be told to do wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Switch {
    /// Answers 503 to everything.
    ProviderDown,
    /// Takes messages and never says what became of them.
    NoReceipt,
}

/// One text, in either direction.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Sms {
    /// The provider's id.
    pub(crate) sid: String,
    /// Whether a phone sent it.
    pub(crate) inbound: bool,
    /// From which number.
    pub(crate) from: String,
    /// To which number.
    pub(crate) to: String,
    /// The words.
    pub(crate) body: String,
    /// The provider's word for what became of it.
    pub(crate) status: String,
    /// When.
    pub(crate) at: Timestamp,
    /// Where its receipts go.
    pub(crate) status_callback: Option<String>,
}

/// The provider's inside, shared with its handlers.
struct Exchange {
    account_sid: String,
    auth_token: String,
    number: String,
    now: Now,
    keep: Keep,
    poster: Poster,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    messages: Vec<Sms>,
    provider_down: bool,
    no_receipt: bool,
    inbound_url: Option<String>,
}

impl Phones {
    /// Starts the provider on a free port. `number` is the service's own; `keep` is a file that outlives a kill.
    pub(crate) async fn start(number: &str, keep: Option<PathBuf>, now: Now) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("open a loopback port for the fake SMS provider")?;
        let base_url = format!("http://{}", listener.local_addr()?);
        let keep = Keep::new(keep);
        let messages = latest(keep.read()?);
        let auth_token = random_hex()?;
        let exchange = Arc::new(Exchange {
            account_sid: format!("AC{}", random_hex()?),
            poster: Poster::new(&auth_token)?,
            auth_token,
            number: number.to_owned(),
            now,
            keep,
            state: Mutex::new(State { messages, ..State::default() }),
        });
        let mut tasks = JoinSet::new();
        let router = api::router(Arc::clone(&exchange));
        tasks.spawn(async move {
            if let Err(why) = axum::serve(listener, router).await {
                tracing::error!("the fake SMS provider stopped: {why}");
            }
        });
        Ok(Self { exchange, base_url, _tasks: tasks })
    }

    /// What `[[sms]] base_url` has to be.
    pub(crate) fn base_url(&self) -> &str {
        &self.base_url
    }

    /// What `[[sms]] account_sid` has to be.
    pub(crate) fn account_sid(&self) -> &str {
        &self.exchange.account_sid
    }

    /// What the auth token file has to hold; another one after each start.
    pub(crate) fn auth_token(&self) -> &str {
        &self.exchange.auth_token
    }

    /// Where replies are posted: `{public_url}/hooks/{provider}/inbound`. Without it they wait to be listed.
    pub(crate) fn post_replies_to(&self, url: String) {
        self.exchange.state().inbound_url = Some(url);
    }

    /// Makes something go wrong, or right again.
    pub(crate) fn switch(&self, switch: Switch, on: bool) {
        let mut state = self.exchange.state();
        match switch {
            Switch::ProviderDown => state.provider_down = on,
            Switch::NoReceipt => state.no_receipt = on,
        }
    }

    /// Whether that is going wrong now.
    pub(crate) fn is_on(&self, switch: Switch) -> bool {
        let state = self.exchange.state();
        match switch {
            Switch::ProviderDown => state.provider_down,
            Switch::NoReceipt => state.no_receipt,
        }
    }

    /// The texts to and from one phone, oldest first.
    pub(crate) fn thread(&self, number: &str) -> Vec<Sms> {
        let state = self.exchange.state();
        let of_phone = state.messages.iter().filter(|m| m.from == number || m.to == number);
        of_phone.cloned().collect()
    }

    /// A phone answers. The reply can be listed at once, and is posted in the background where a URL is set.
    pub(crate) fn reply(&self, number: &str, body: &str) {
        let reply = self.exchange.store(Sms {
            sid: String::new(),
            inbound: true,
            from: number.to_owned(),
            to: self.exchange.number.clone(),
            body: body.to_owned(),
            status: "received".to_owned(),
            at: (self.exchange.now)(),
            status_callback: None,
        });
        let exchange = Arc::clone(&self.exchange);
        tokio::spawn(async move { exchange.post_reply(&reply).await });
    }
}

impl Exchange {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a message and gives it its id.
    fn store(&self, mut sms: Sms) -> Sms {
        let mut state = self.state();
        sms.sid = format!("SM{:032x}", state.messages.len() + 1);
        state.messages.push(sms.clone());
        self.keep.add(&sms);
        sms
    }

    /// Moves a message on; `None` where there is no such message.
    fn set_status(&self, sid: &str, status: &str) -> Option<Sms> {
        let mut state = self.state();
        let sms = state.messages.iter_mut().find(|m| m.sid == sid)?;
        status.clone_into(&mut sms.status);
        self.keep.add(sms);
        Some(sms.clone())
    }
}

/// The last line of each message is how it stands.
fn latest(lines: Vec<Sms>) -> Vec<Sms> {
    let mut messages: Vec<Sms> = Vec::new();
    for line in lines {
        match messages.iter_mut().find(|m| m.sid == line.sid) {
            Some(earlier) => *earlier = line,
            None => messages.push(line),
        }
    }
    messages
}

fn random_hex() -> anyhow::Result<String> {
    let mut bytes = [0_u8; 16];
    let filled = SystemRandom::new().fill(&mut bytes);
    filled.map_err(|_| anyhow::anyhow!("the system gave no random bytes; try again once it does"))?;
    Ok(format!("{:032x}", u128::from_be_bytes(bytes)))
}

#[cfg(test)]
mod tests;
