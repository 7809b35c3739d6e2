//! `GET /stream`: the record as server-sent events, within a key's scope, exactly from where the reader was.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use escalation::event::{ViewOf, Way};
use escalation::time::Timestamp;
use futures_util::stream::poll_fn;
use serde_json::json;
use station::desk::{Desk, STREAM_MAX};
use station::view::{Scope, StreamEntry};
use tokio::sync::{broadcast, mpsc};

use crate::caller::Caller;
use crate::problem::{Document, Problem};
use crate::roles::Action;
use crate::room::Room;
use crate::serve::Stopping;

/// How often a beat comes: a reader that hears nothing for 3 s is not live.
const BEAT: Duration = Duration::from_secs(1);
/// How many entries are read from the record at once while a reader catches up.
const CHUNK: usize = 500;
/// How many events may wait for a slow connection; beyond it the reader's place in the watch's own queue waits.
const WAITING_MAX: usize = 64;

/// Follows the record. `Last-Event-ID` resumes after that entry; without it the stream begins now. Event names are record kinds and data is the entry's exact bytes.
/// `beat` comes each second with the station's time and the number of open activations in scope; `reset` says that more than 10,000 entries were missed: read the lists again.
#[utoipa::path(
    get, path = "/api/v1/stream",
    params(("Last-Event-ID" = Option<String>, Header, description = "The sequence number of the last entry seen")),
    responses(
        (status = 200, description = "Server-sent events", body = String, content_type = "text/event-stream"),
        (status = "4XX", description = "Refused", body = Document, content_type = "application/problem+json"),
        (status = 503, description = "Too many streams are open", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn follow(
    State(room): State<Arc<Room>>,
    caller: Caller,
    stopping: Option<Extension<Stopping>>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    caller.must(Action::See)?;
    let after = last_event_id(&headers)?;
    let place = room.streams.clone().try_acquire_owned().map_err(|_| {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "too-many-streams",
            "Too many streams are open",
            "Close a page or a program that follows the stream, or read /api/v1/activations instead.",
        )
    })?;
    room.desk.seen(ViewOf::Stream, caller.scope.clone(), caller.onlooker(Way::Api)).await?;
    let (sink, mut events) = mpsc::channel(WAITING_MAX);
    let reader = Reader { desk: room.desk.clone(), entries: room.desk.follow(), scope: caller.scope, sent: after, open: None, sink };
    tokio::spawn(async move {
        room.counters.streams.inc();
        let stopped = async {
            match stopping {
                Some(Extension(Stopping(mut stopping))) => {
                    if stopping.wait_for(|stopping| *stopping).await.is_err() {
                        tracing::debug!("the server of a stream is gone");
                    }
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _gone = reader.read() => {}
            () = stopped => {}
        }
        room.counters.streams.dec();
        drop(place);
    });
    let body = Body::from_stream(poll_fn(move |context| events.poll_recv(context).map(|frame| frame.map(Ok::<Bytes, Infallible>))));
    let kind = [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store, no-transform")];
    // A proxy that collects what it forwards would make a live page look dead.
    Ok((kind, [("x-accel-buffering", "no")], body).into_response())
}

fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(id) = headers.get("last-event-id") else {
        return Ok(None);
    };
    let seq = id.to_str().ok().and_then(|id| id.trim().parse().ok());
    seq.map(Some).ok_or_else(|| Problem::bad_request("Last-Event-ID is the sequence number of an entry; leave it out to begin now."))
}

/// The other end is gone, or the station is stopping.
struct Gone;

struct Reader {
    desk: Desk,
    entries: broadcast::Receiver<Arc<StreamEntry>>,
    scope: Scope,
    /// The last entry that was sent or passed over.
    sent: Option<u64>,
    /// How many activations are open in scope; counted again after an entry in scope.
    open: Option<u64>,
    sink: mpsc::Sender<Bytes>,
}

impl Reader {
    async fn read(mut self) -> Result<(), Gone> {
        self.catch_up().await?;
        let mut beat = tokio::time::interval(BEAT);
        beat.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _due = beat.tick() => self.beat().await?,
                entry = self.entries.recv() => match entry {
                    Ok(entry) => self.pass_on(&entry).await?,
                    Err(broadcast::error::RecvError::Lagged(_)) => self.reset().await?,
                    Err(broadcast::error::RecvError::Closed) => return Err(Gone),
                },
            }
        }
    }

    /// Sends what was missed from the record. Entries that arrive meanwhile wait in `entries` and are told apart by number.
    async fn catch_up(&mut self) -> Result<(), Gone> {
        let Some(mut after) = self.sent else {
            return Ok(());
        };
        let size = self.desk.health().borrow().size;
        let most = u64::try_from(STREAM_MAX).unwrap_or(u64::MAX);
        // A number that the record has not reached yet comes from another record.
        if after > size || size - after > most {
            self.sent = None;
            return self.reset().await;
        }
        // All of it is read and sifted here: a stretch of others' or of erased entries must not look like the end.
        let stretch = u64::try_from(CHUNK).unwrap_or(u64::MAX);
        loop {
            let missed = self.desk.since(after, CHUNK, Scope::everything()).await;
            let missed = missed.map_err(|_| Gone)?;
            for entry in &missed {
                self.pass_on(entry).await?;
            }
            after = match missed.last() {
                Some(last) => last.seq,
                None if after.saturating_add(stretch) >= size => return Ok(()),
                None => after.saturating_add(stretch),
            };
        }
    }

    async fn pass_on(&mut self, entry: &StreamEntry) -> Result<(), Gone> {
        if self.sent.is_some_and(|sent| entry.seq <= sent) {
            return Ok(());
        }
        if entry.is_of_readers() {
            // A number that moves on by itself would say at a quiet counter that somebody has just opened the call.
            return Ok(());
        }
        self.sent = Some(entry.seq);
        if !self.scope.permits_entry(entry) {
            return Ok(());
        }
        self.open = None;
        let data = String::from_utf8_lossy(&entry.body);
        self.send(Some(entry.seq), &entry.kind, &data).await
    }

    /// A beat proves that the watch turns: it brings the watch's own time. Its id moves on past entries of others, so
    /// that a reader with a narrow scope is not told to start again after a busy night elsewhere.
    async fn beat(&mut self) -> Result<(), Gone> {
        let at: Timestamp = self.desk.turn().await.map_err(|_| Gone)?;
        let open = match self.open {
            Some(open) => open,
            None => self.desk.count(self.scope.clone()).await.map_err(|_| Gone)?,
        };
        self.open = Some(open);
        let data = json!({ "at": at.to_string(), "open": open }).to_string();
        self.send(self.sent, "beat", &data).await
    }

    async fn reset(&mut self) -> Result<(), Gone> {
        self.open = None;
        self.send(None, "reset", "{}").await
    }

    async fn send(&self, id: Option<u64>, event: &str, data: &str) -> Result<(), Gone> {
        let id = id.map(|id| format!("id: {id}\n")).unwrap_or_default();
        // An entry is one line by its format; were it not, the rest must not pass for fields of the event.
        let data = data.replace('\r', "").replace('\n', "\ndata: ");
        let frame = format!("{id}event: {event}\ndata: {data}\n\n");
        self.sink.send(Bytes::from(frame)).await.map_err(|_| Gone)
    }
}
