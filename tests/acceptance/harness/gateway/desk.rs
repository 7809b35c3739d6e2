//! What the gateway knows: messages both ways, what arrived, what is wrong at present.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};

use jiff::Timestamp;
use tokio::sync::watch;
use tokio::time::Instant;

use super::Fault;
use super::call::Ringing;
use super::callback::Callback;

/// One message, either way.
#[derive(Clone, Debug)]
pub struct Sms {
    /// The provider's id, `SM` and 32 hex digits.
    pub sid: String,
    /// Number it goes to.
    pub to: String,
    /// Number or name it comes from.
    pub from: String,
    /// Its text.
    pub body: String,
    /// Where it stands, in the provider's words.
    pub status: String,
    /// The provider's error code, once failed.
    pub error_code: Option<u32>,
    /// Where its receipts go.
    pub status_callback: Option<String>,
    /// When the request was complete, or the phone sent it.
    pub at: Instant,
    /// The same by the wall clock, as the listing shows it.
    pub date: Timestamp,
    pub(super) direction: Direction,
    pub(super) expected: bool,
}

/// Which way a message goes, seen from Cooee.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Out,
    In,
}

/// A request to send that was complete, whatever became of it.
#[derive(Clone, Debug)]
pub struct Arrival {
    /// When its last byte had been read.
    pub at: Instant,
    /// Number it names.
    pub to: String,
    /// Text it carries.
    pub body: String,
    /// The fault it met.
    pub fault: Fault,
}

/// The gateway's memory, shared by its handlers and the test.
pub(super) struct Desk {
    pub(super) account_sid: String,
    pub(super) auth_token: String,
    pub(super) http: reqwest::Client,
    fault: watch::Sender<Fault>,
    serial: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
pub(super) struct State {
    pub(super) messages: Vec<Sms>,
    pub(super) arrivals: Vec<Arrival>,
    pub(super) calls: Vec<Ringing>,
    pub(super) callbacks: Vec<Callback>,
    pub(super) inbound_webhook: Option<String>,
    pub(super) reach: Option<(String, String)>,
    pub(super) denies_listing: bool,
    faults: BTreeMap<String, Fault>,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self {
            account_sid: format!("AC{:032x}", 0xC0_0EE),
            auth_token: "a-token-for-tests-only".to_owned(),
            http: crate::http::client(),
            fault: watch::Sender::new(Fault::None),
            serial: AtomicU64::new(1),
            state: Mutex::default(),
        }
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder panics")
    }

    pub(super) fn set_fault(&self, fault: Fault) {
        self.fault.send_replace(fault);
    }

    pub(super) fn set_fault_of(&self, number: &str, fault: Fault) {
        self.state().faults.insert(number.to_owned(), fault);
        self.fault.send_modify(|_same| {});
    }

    /// Sees every change of a fault from now on.
    pub(super) fn watch_faults(&self) -> watch::Receiver<Fault> {
        self.fault.subscribe()
    }

    /// Notes a complete request and says which fault it meets.
    pub(super) fn arrive(&self, at: Instant, to: &str, body: &str) -> Fault {
        let mut state = self.state();
        let fault = state.faults.get(to).copied().unwrap_or(*self.fault.borrow());
        state.arrivals.push(Arrival { at, to: to.to_owned(), body: body.to_owned(), fault });
        fault
    }

    /// Takes a message from Cooee to a phone.
    pub(super) fn accept(&self, at: Instant, to: &str, from: &str, body: &str, callback: Option<String>) -> Sms {
        let sms = Sms { status_callback: callback, ..self.sms(at, to, from, body, Direction::Out, "queued") };
        self.state().messages.push(sms.clone());
        sms
    }

    /// Takes a message from a phone to Cooee.
    pub(super) fn receive(&self, from: &str, to: &str, body: &str) -> Sms {
        let sms = self.sms(Instant::now(), to, from, body, Direction::In, "received");
        self.state().messages.push(sms.clone());
        sms
    }

    /// Marks a message as expected and gives it, when there is one.
    pub(super) fn expect(&self, to: &str, part: &str) -> Option<Sms> {
        let mut state = self.state();
        let fits = |m: &&mut Sms| m.direction == Direction::Out && !m.expected && m.to == to && m.body.contains(part);
        let sms = state.messages.iter_mut().find(fits)?;
        sms.expected = true;
        Some(sms.clone())
    }

    /// Moves a message on, and gives it.
    pub(super) fn set_status(&self, sid: &str, status: &str, error_code: Option<u32>) -> Option<Sms> {
        let mut state = self.state();
        let sms = state.messages.iter_mut().find(|m| m.sid == sid)?;
        status.clone_into(&mut sms.status);
        sms.error_code = error_code;
        Some(sms.clone())
    }

    /// The next id of a kind, `SM` for messages and `CA` for calls.
    pub(super) fn sid(&self, kind: &str) -> String {
        format!("{kind}{:032x}", self.serial.fetch_add(1, Ordering::Relaxed))
    }

    fn sms(&self, at: Instant, to: &str, from: &str, body: &str, direction: Direction, status: &str) -> Sms {
        Sms {
            sid: self.sid("SM"),
            to: to.to_owned(),
            from: from.to_owned(),
            body: body.to_owned(),
            status: status.to_owned(),
            error_code: None,
            status_callback: None,
            at,
            date: wall_clock(),
            direction,
            expected: false,
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "a provider dates its messages by its own wall clock")]
fn wall_clock() -> Timestamp {
    Timestamp::now()
}
