//! A server that stands for a Twilio-compatible SMS gateway and the phones behind it.
//!
//! It speaks the provider's HTTP API as documented (messages, listing, account probe, signed callbacks), misbehaves on
//! request, and remembers everything: what arrived and when, what a phone would have shown, what nobody expected.
//! It runs on a thread of its own, so that it answers whatever the test is doing.

mod account;
mod call;
mod callback;
mod desk;
mod exchange;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::oneshot;

pub use call::{Conversation, Ringing};
pub use callback::{Callback, signature, signature_of_json};
pub use desk::{Arrival, Sms};

use crate::port::Port;
use crate::wait;
use desk::{Desk, Direction};

/// What the gateway does with the next messages, until told otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Nothing wrong: accepted, sent, delivered, each with its receipt.
    #[default]
    None,
    /// `500`, nothing accepted.
    ServerError,
    /// `503`, nothing accepted.
    Unavailable,
    /// `429` with `Retry-After`, nothing accepted.
    TooMany {
        /// Seconds named in `Retry-After`.
        retry_after_s: u32,
    },
    /// `400` with this provider error code (21211 no such number, 21610 the recipient said STOP), nothing accepted.
    Refused {
        /// The provider's error code.
        code: u32,
    },
    /// No answer and nothing accepted, until the fault changes; then the connection is closed.
    Hang,
    /// Accepted, then a receipt that says `undelivered`.
    Undelivered {
        /// The provider's error code, such as 30003 (phone unreachable).
        code: u32,
    },
    /// The `delivered` receipt comes before the response to the request.
    ReceiptFirst,
    /// Every receipt twice, and `sent` once more after `delivered`.
    DuplicateReceipts,
    /// Receipts only after this time.
    LateReceipts(Duration),
    /// Accepted, and never a receipt.
    NoReceipt,
    /// Accepted; the response takes this long.
    Slow(Duration),
    /// Accepted; the response waits until the fault changes.
    Held,
    /// Accepted; the connection is closed instead of a response.
    DropAfterAccept,
}

/// The gateway; stopped when dropped.
pub struct Gateway {
    desk: Arc<Desk>,
    port: Port,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// One phone behind the gateway.
#[derive(Clone)]
pub struct Phone {
    desk: Arc<Desk>,
    number: String,
}

impl Gateway {
    /// A gateway with one account, whose receipts go to the URL that each message names.
    #[must_use]
    pub fn start() -> Self {
        let port = Port::take();
        let desk = Arc::new(Desk::new());
        let (stop, stopped) = oneshot::channel();
        let listener = exchange::Exchange::bind(port.number());
        let served = Arc::clone(&desk);
        let thread = std::thread::Builder::new()
            .name("gateway".to_owned())
            .spawn(move || exchange::serve(listener, account::router(served), stopped))
            .expect("start the gateway's thread");
        Self { desk, port, stop: Some(stop), thread: Some(thread) }
    }

    /// The API's base URL.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.number())
    }

    /// The account.
    #[must_use]
    pub fn account_sid(&self) -> &str {
        &self.desk.account_sid
    }

    /// The account's secret, which also signs callbacks.
    #[must_use]
    pub fn auth_token(&self) -> &str {
        &self.desk.auth_token
    }

    /// From now on messages meet this fault.
    pub fn fault(&self, fault: Fault) {
        self.desk.set_fault(fault);
    }

    /// Whether it answers listings, by which Cooee finds out what became of a message it is unsure of.
    pub fn lists(&self, lists: bool) {
        self.desk.state().denies_listing = !lists;
    }

    /// Posts what phones send to this URL. Without it a reply is only in the listing.
    pub fn inbound_webhook(&self, url: &str) {
        self.desk.state().inbound_webhook = Some(url.to_owned());
    }

    /// Callbacks to URLs that begin with `public` are signed as such and go to `actual`: the proxy in front of Cooee.
    pub fn reach(&self, public: &str, actual: &str) {
        self.desk.state().reach = Some((public.to_owned(), actual.to_owned()));
    }

    /// The phone with this number.
    #[must_use]
    pub fn phone(&self, number: &str) -> Phone {
        Phone { desk: Arc::clone(&self.desk), number: number.to_owned() }
    }

    /// Every complete request to send, in order of arrival, whatever became of it.
    #[must_use]
    pub fn arrivals(&self) -> Vec<Arrival> {
        self.desk.state().arrivals.clone()
    }

    /// How many requests to send have arrived completely.
    #[must_use]
    pub fn arrived(&self) -> usize {
        self.desk.state().arrivals.len()
    }

    /// Waits until `count` requests to send have arrived completely.
    pub async fn expect_arrivals(&self, count: usize) {
        let what = format!("{count} requests at the SMS gateway");
        wait::until(&what, async || (self.arrived() >= count).then_some(())).await;
    }

    /// Every message that it accepted and that a phone has or will have.
    #[must_use]
    pub fn accepted(&self) -> Vec<Sms> {
        let state = self.desk.state();
        state.messages.iter().filter(|m| m.direction == Direction::Out).cloned().collect()
    }

    /// Accepted messages whose number and text had been accepted before.
    #[must_use]
    pub fn duplicates(&self) -> usize {
        let accepted = self.accepted();
        let distinct: std::collections::BTreeSet<_> = accepted.iter().map(|sms| (&sms.to, &sms.body)).collect();
        accepted.len().saturating_sub(distinct.len())
    }

    /// Fails when a phone has a message, or rings, that no line of the test expected. Call it in a state that has been waited for.
    pub fn expect_nothing_else(&self) {
        let unexpected: Vec<String> =
            self.accepted().into_iter().filter(|sms| !sms.expected).map(|sms| format!("  to {}: {}", sms.to, sms.body)).collect();
        assert!(unexpected.is_empty(), "messages that no line expected:\n{}", unexpected.join("\n"));
        let ringing: Vec<String> = self.desk.state().calls.iter().filter(|call| !call.expected).map(|call| call.to.clone()).collect();
        assert!(ringing.is_empty(), "calls that no line expected: {ringing:?}");
    }

    /// Every callback it has posted, with the answer it got.
    #[must_use]
    pub fn callbacks(&self) -> Vec<Callback> {
        self.desk.state().callbacks.clone()
    }

    /// Posts a status receipt for a message, again or out of order.
    pub async fn receipt(&self, sid: &str, status: &str, error_code: Option<u32>) {
        callback::receipt(&self.desk, sid, status, error_code).await;
    }

    /// Posts one callback again, byte for byte. Says the HTTP status of the answer.
    pub async fn replay(&self, earlier: &Callback) -> u16 {
        callback::replay(&self.desk, earlier).await
    }

    /// Posts a JSON callback, signed as the provider does it: the body's SHA-256 is part of the signed URL.
    pub async fn callback_json(&self, url: &str, body: &serde_json::Value) -> u16 {
        callback::post_json(&self.desk, url, body).await
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            // Fails only when the thread has ended already.
            let _ended = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _panicked = thread.join();
        }
    }
}

impl Phone {
    /// Waits for a message that contains `part` and that no line has expected yet.
    pub async fn expect_sms(&self, part: &str) -> Sms {
        let what = format!("an SMS to {} that contains {part:?}", self.number);
        wait::until(&what, async || self.desk.expect(&self.number, part)).await
    }

    /// Everything it has received.
    #[must_use]
    pub fn received(&self) -> Vec<Sms> {
        let state = self.desk.state();
        state.messages.iter().filter(|m| m.direction == Direction::Out && m.to == self.number).cloned().collect()
    }

    /// Sends `text` to the number that it last heard from, and waits until the gateway has handed it on.
    pub async fn reply(&self, text: &str) -> Sms {
        let service = self.received().pop().map(|sms| sms.from);
        let service = service.unwrap_or_else(|| panic!("{} has received nothing to reply to", self.number));
        self.send(&service, text).await
    }

    /// Sends `text` to `service`, and waits until the gateway has handed it on.
    pub async fn send(&self, service: &str, text: &str) -> Sms {
        let sms = self.desk.receive(&self.number, service, text);
        callback::inbound(&self.desk, &sms).await;
        sms
    }

    /// From now on messages to this phone meet this fault, whatever the gateway does otherwise.
    pub fn fault(&self, fault: Fault) {
        self.desk.set_fault_of(&self.number, fault);
    }
}
