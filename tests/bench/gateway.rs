//! A light stand-in for the SMS gateway: takes a message, notes when its last byte had come, answers as told.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::serve::ListenerExt as _;
use tokio::sync::{oneshot, watch};
use tokio::time::Instant;

use crate::directory;

/// How long anything may take before what has not come counts as lost.
const PATIENCE: Duration = Duration::from_mins(1);

/// A gateway on a thread and a port of its own.
pub(crate) struct Gateway {
    port: u16,
    desk: Arc<Desk>,
    _stop: oneshot::Sender<()>,
}

/// How the gateway answers a message.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Manner {
    /// At once.
    AtOnce,
    /// After a while.
    After(Duration),
    /// Never.
    Never,
}

struct Desk {
    notes: Mutex<Notes>,
    distinct: watch::Sender<usize>,
}

struct Notes {
    manner: Manner,
    /// When the message about each button was first complete.
    arrivals: Vec<Option<Instant>>,
    /// Messages about a button that had one before.
    repeats: usize,
    /// Bytes of all bodies, and of how many.
    bytes: usize,
    count: usize,
}

impl Gateway {
    /// Starts it; `buttons` is how many there are to speak of.
    pub(crate) fn start(buttons: u32) -> Self {
        let socket = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("bind the gateway's port");
        socket.set_nonblocking(true).expect("set a socket non-blocking");
        let port = socket.local_addr().expect("a bound socket has an address").port();
        let arrivals = vec![None; usize::try_from(buttons).expect("fits memory")];
        let notes = Mutex::new(Notes { manner: Manner::AtOnce, arrivals, repeats: 0, bytes: 0, count: 0 });
        let desk = Arc::new(Desk { notes, distinct: watch::Sender::new(0) });
        let (stop, stopped) = oneshot::channel();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&desk));
        std::thread::spawn(move || serve(socket, router, stopped));
        Self { port, desk, _stop: stop }
    }

    /// Its port on 127.0.0.1.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// From now on it answers like this.
    pub(crate) fn answers(&self, manner: Manner) {
        self.desk.notes().manner = manner;
    }

    /// Waits until messages about this many different buttons have come; what is missing a minute later is lost.
    pub(crate) async fn until(&self, distinct: usize) {
        let mut seen = self.desk.distinct.subscribe();
        let waited = seen.wait_for(|seen| *seen >= distinct);
        // Lost presses are counted from what arrived, not from here.
        drop(tokio::time::timeout(PATIENCE, waited).await);
    }

    /// How many different buttons messages have come about.
    pub(crate) fn distinct(&self) -> usize {
        *self.desk.distinct.borrow()
    }

    /// When the message about a button was complete.
    pub(crate) fn arrival(&self, key: u32) -> Option<Instant> {
        let index = usize::try_from(key).expect("fits memory");
        self.desk.notes().arrivals.get(index).copied().flatten()
    }

    /// How many messages have come, whatever they say.
    pub(crate) fn count(&self) -> usize {
        self.desk.notes().count
    }

    /// Messages about a button that had one before.
    pub(crate) fn repeats(&self) -> usize {
        self.desk.notes().repeats
    }

    /// Bytes of an average body.
    pub(crate) fn body_bytes(&self) -> usize {
        let notes = self.desk.notes();
        notes.bytes / notes.count.max(1)
    }

    /// Forgets what came, so that a message can come for the first time again.
    pub(crate) fn forget(&self) {
        self.desk.notes().arrivals.fill(None);
        self.desk.distinct.send_replace(0);
    }
}

impl Desk {
    fn notes(&self) -> MutexGuard<'_, Notes> {
        self.notes.lock().expect("no holder panics")
    }

    fn take(&self, at: Instant, body: &[u8]) -> Manner {
        let mut notes = self.notes();
        notes.bytes += body.len();
        notes.count += 1;
        let index = directory::button_in(body).and_then(|key| usize::try_from(key).ok());
        let arrival = index.and_then(|index| notes.arrivals.get_mut(index)).expect("a message about a button of ours");
        let first = arrival.is_none();
        if first {
            *arrival = Some(at);
            self.distinct.send_modify(|distinct| *distinct += 1);
        } else {
            notes.repeats += 1;
        }
        notes.manner
    }
}

fn serve(socket: std::net::TcpListener, router: Router, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("start a runtime");
    runtime.block_on(async {
        let listener = tokio::net::TcpListener::from_std(socket).expect("adopt a socket").tap_io(|stream| {
            // Only a matter of speed; a socket that has just been closed refuses it.
            let _speed = stream.set_nodelay(true);
        });
        tokio::select! {
            ended = axum::serve(listener, router) => ended.expect("serve the gateway"),
            _dropped = stopped => {}
        }
    });
}

async fn answer(State(desk): State<Arc<Desk>>, method: Method, body: Bytes) -> Response {
    let json = [(header::CONTENT_TYPE, "application/json")];
    if method != Method::POST {
        return (json, r#"{"messages":[]}"#).into_response();
    }
    match desk.take(Instant::now(), &body) {
        Manner::AtOnce => {}
        Manner::After(rest) => tokio::time::sleep(rest).await,
        Manner::Never => std::future::pending().await,
    }
    let number = directory::button_in(&body).unwrap_or_default();
    let taken = format!(r#"{{"sid":"SM{number:032x}","status":"queued"}}"#);
    (StatusCode::CREATED, json, taken).into_response()
}
