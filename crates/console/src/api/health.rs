//! Is the process there, is the watch turning, does everything hold what it promises?

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use escalation::time::Timestamp;
use serde::Serialize;
use station::desk::{Desk, DeskError, Health};
use tokio::sync::Mutex;
use tokio::time::Instant;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::room::{Probe, Room};

/// How long the watch may take to turn once more. An idle one turns at once; a busy one within one append.
const TURN_MAX: Duration = Duration::from_secs(2);
/// How long an answer about the watch holds for everybody who asks: each one costs the watch a look.
const PULSE_EVERY: Duration = Duration::from_secs(1);

#[derive(Serialize)]
struct Ready {
    ready: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    parts: Option<Vec<Part>>,
}

#[derive(Serialize)]
struct Part {
    name: String,
    ok: bool,
    detail: String,
}

/// `GET /healthz`: the process answers.
pub(super) async fn process() -> &'static str {
    "ok\n"
}

/// Whether the watch turned when it was last asked. Anybody may ask, so callers share one answer a second.
#[derive(Default)]
pub(crate) struct Pulse(Mutex<Option<(Instant, Beat)>>);

/// What came of waiting for a turn; `None` is none in time.
type Beat = Option<Result<Timestamp, DeskError>>;

impl Pulse {
    async fn take(&self, desk: &Desk) -> Beat {
        let mut last = self.0.lock().await;
        if let Some((at, beat)) = &*last
            && at.elapsed() < PULSE_EVERY
        {
            return beat.clone();
        }
        let beat = tokio::time::timeout(TURN_MAX, desk.turn()).await.ok();
        *last = Some((Instant::now(), beat.clone()));
        beat
    }
}

/// `GET /healthz/dispatch`: answers after the watch has turned, at most a second ago.
pub(super) async fn dispatch(State(room): State<Arc<Room>>) -> Result<Response, Problem> {
    match room.pulse.take(&room.desk).await {
        Some(turned) => Ok(format!("turned {}\n", turned?).into_response()),
        None => Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "not-turning",
            "The watch is not turning",
            "The watch has not turned for 2 s: ladders may stand still. Ring the people on them, then look at the log and restart the station.",
        )),
    }
}

/// `GET /readyz`: 200 only while everything holds. `?verbose` says it part by part, to who oversees the station.
pub(super) async fn ready(State(room): State<Arc<Room>>, caller: Result<Caller, Problem>, RawQuery(query): RawQuery) -> Response {
    let verbose = query.as_deref().is_some_and(|query| query.split('&').any(|q| q == "verbose" || q.starts_with("verbose=")));
    if verbose && let Err(problem) = caller.and_then(|caller| caller.must_oversee()) {
        return problem.into_response();
    }
    let health = room.desk.health().borrow().clone();
    let mut parts = of_station(&health);
    parts.extend((room.probes)().into_iter().map(|Probe { name, ok, detail }| Part { name, ok, detail }));
    let ready = parts.iter().all(|part| part.ok);
    let status = if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let body = Ready { ready, parts: verbose.then_some(parts) };
    (status, Json(body)).into_response()
}

fn of_station(health: &Health) -> Vec<Part> {
    let part = |name: &str, ok: bool, good: String, bad: String| Part { name: name.to_owned(), ok, detail: if ok { good } else { bad } };
    vec![
        part("watch", health.started, "takes inputs".to_owned(), "still reads its record; presses wait at the broker".to_owned()),
        part(
            "record",
            health.record_reachable,
            format!("{} entries", health.size),
            format!("unreachable; {} entries are in the spool and ladders run. Mend the database", health.spooled),
        ),
        part("directory", health.directory, "in force".to_owned(), "none in force: nobody can be told. Run `cooee check`".to_owned()),
    ]
}
