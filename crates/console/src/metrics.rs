//! What Prometheus reads: the station's health and this room's own counters. No names and no numbers in labels.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use axum::extract::{MatchedPath, Request, State};
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use station::desk::Health;

use crate::caller::Caller;
use crate::problem::Problem;
use crate::room::Room;

/// This room's own counters.
#[derive(Default)]
pub(crate) struct Counters {
    requests: Family<Answered, Counter>,
    /// Keys that proved nothing.
    pub(crate) wrong_keys: Counter,
    /// Links that led nowhere.
    pub(crate) wrong_links: Counter,
    /// Answers through a link without evidence of a hand.
    pub(crate) unproven_answers: Counter,
    /// Streams that are open.
    pub(crate) streams: Gauge,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    route: String,
    status: u16,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Failed {
    reason: &'static str,
}

/// Counts an answer by its route's pattern, never by the path itself: that holds tokens.
pub(crate) async fn count(State(room): State<Arc<Room>>, request: Request, next: Next) -> Response {
    let route = match request.extensions().get::<MatchedPath>() {
        Some(path) => path.as_str().to_owned(),
        None => "none".to_owned(),
    };
    let response = next.run(request).await;
    let answered = Answered { route, status: response.status().as_u16() };
    room.counters.requests.get_or_create(&answered).inc();
    response
}

/// `GET /metrics`, for who oversees the station: a number that moves tells of a silent alarm.
pub(crate) async fn metrics(State(room): State<Arc<Room>>, caller: Caller) -> Response {
    if let Err(problem) = caller.must_oversee() {
        return problem.into_response();
    }
    let health = room.desk.health().borrow().clone();
    match page(&room, &health) {
        Ok(page) => ([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], page).into_response(),
        Err(std::fmt::Error) => Problem::new(
            axum::http::StatusCode::INTERNAL_SERVER_ERROR,
            "metrics",
            "The metrics could not be written",
            "A metric could not be written as text. Alarms are not affected. Report it with the version.",
        )
        .into_response(),
    }
}

fn page(room: &Room, health: &Health) -> Result<String, std::fmt::Error> {
    let mut registry = Registry::with_prefix("cooee");
    of_station(&mut registry, health);
    let own = &room.counters;
    registry.register("http_requests", "Answers, by route and status", own.requests.clone());
    registry.register("wrong_keys", "API keys that proved nothing", own.wrong_keys.clone());
    registry.register("wrong_links", "Responder links that led nowhere", own.wrong_links.clone());
    registry.register(
        "unproven_answers",
        "Answers through a link without evidence of a hand; they stop nothing",
        own.unproven_answers.clone(),
    );
    registry.register("streams_open", "Live streams that are open", own.streams.clone());
    let mut page = String::new();
    text::encode_registry(&mut page, &registry)?;
    (room.extra_metrics)(&mut page);
    text::encode_eof(&mut page)?;
    Ok(page)
}

fn of_station(registry: &mut Registry, health: &Health) {
    let mut gauge = |name: &str, help: &str, value: u64| {
        let metric = Gauge::<u64, AtomicU64>::default();
        metric.set(value);
        registry.register(name, help, metric);
    };
    gauge("started", "1 once replay is done and inputs are taken", health.started.into());
    gauge("record_reachable", "1 while the record takes entries", health.record_reachable.into());
    gauge("directory_in_force", "1 while a directory is in force", health.directory.into());
    gauge("spool_entries", "Entries in the spool", health.spooled);
    gauge("record_size", "Entries in the record", health.size);
    gauge("open_activations", "Activations that are not closed", health.open);
    gauge("drills_open", "Drills that are not over; they count among nothing else", health.drills);
    gauge("notifications_owed", "Messages owed and not yet reported", health.owed);
    gauge("troubles_open", "Troubles that are open", health.troubles);
    gauge("coverage_gaps", "Ladders at sites that would tell nobody at some time of the days to come", health.gaps);
    gauge("ladder_step_lag_milliseconds", "Lag of the last deadline", health.lag_ms);
    let mut counter = |name: &str, help: &str, value: u64| {
        let metric = Counter::<u64>::default();
        metric.inc_by(value);
        registry.register(name, help, metric);
    };
    let totals = &health.totals;
    counter("inputs", "Inputs decided since start", totals.inputs);
    counter("appends", "Appends committed since start", totals.appends);
    counter("entries", "Entries committed since start", totals.entries);
    counter("activations_raised", "Activations raised since start", totals.raised);
    counter("drills_started", "Drills started since start", totals.drills);
    counter("drills_missed", "Drills of schedules that were missed, since the record began", health.drills_missed);
    counter("drills_unanswered", "Drills of schedules that nobody answered, since the record began", health.drills_unanswered);
    counter("ladders_exhausted", "Ladders exhausted since start", totals.exhausted);
    let failed = Family::<Failed, Counter>::default();
    for (reason, count) in &totals.failed {
        failed.get_or_create(&Failed { reason }).inc_by(*count);
    }
    registry.register("notifications_failed", "Messages that no provider took, by reason, since start", failed);
}
