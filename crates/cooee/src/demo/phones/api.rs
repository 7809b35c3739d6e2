//! The provider's HTTP API, as far as an SMS carrier uses it: send, list, fetch, probe.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Form, Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use escalation::time::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{Exchange, Sms};

const ACCOUNTS: &str = "/2010-04-01/Accounts";

pub(super) fn router(exchange: Arc<Exchange>) -> Router {
    Router::new()
        .route(&format!("{ACCOUNTS}/{{account}}"), get(probe))
        .route(&format!("{ACCOUNTS}/{{account}}/Messages.json"), get(list).post(send))
        .route(&format!("{ACCOUNTS}/{{account}}/Messages/{{message}}"), get(fetch))
        .layer(from_fn_with_state(Arc::clone(&exchange), admit))
        .with_state(exchange)
}

/// Only the account's holder, and only while the provider is up.
async fn admit(State(exchange): State<Arc<Exchange>>, request: Request, next: Next) -> Response {
    if exchange.state().provider_down {
        return refusal(StatusCode::SERVICE_UNAVAILABLE, 20503, "the demo's switch says: provider down");
    }
    let login = STANDARD.encode(format!("{}:{}", exchange.account_sid, exchange.auth_token));
    let given = request.headers().get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let own = request.uri().path().strip_prefix(ACCOUNTS).and_then(|p| p.strip_prefix('/'));
    let own = own.is_some_and(|p| p.starts_with(&exchange.account_sid));
    if !own || given != Some(format!("Basic {login}").as_str()) {
        return refusal(StatusCode::UNAUTHORIZED, 20003, "Authenticate");
    }
    next.run(request).await
}

async fn send(State(exchange): State<Arc<Exchange>>, Form(form): Form<BTreeMap<String, String>>) -> Response {
    let field = |name: &str| form.get(name).cloned().unwrap_or_default();
    let (to, body) = (field("To"), field("Body"));
    if !to.starts_with('+') || body.is_empty() {
        return refusal(StatusCode::BAD_REQUEST, 21211, "To and Body are required");
    }
    let sms = exchange.store(Sms {
        sid: String::new(),
        inbound: false,
        from: exchange.number.clone(),
        to,
        body,
        status: "queued".to_owned(),
        at: (exchange.now)(),
        status_callback: form.get("StatusCallback").cloned(),
    });
    let answer = (StatusCode::CREATED, Json(resource(&exchange, &sms))).into_response();
    let sender = Arc::clone(&exchange);
    tokio::spawn(async move { sender.deliver(&sms.sid).await });
    answer
}

/// Newest first, by number and date, in pages.
async fn list(State(exchange): State<Arc<Exchange>>, Query(query): Query<BTreeMap<String, String>>) -> Response {
    let number = |name: &str, default: usize| query.get(name).and_then(|v| v.parse().ok()).unwrap_or(default);
    let (size, page) = (number("PageSize", 50).clamp(1, 1000), number("Page", 0));
    let found: Vec<Value> = {
        let state = exchange.state();
        let fitting = state.messages.iter().rev().filter(|m| fits(m, &query));
        fitting.map(|m| resource(&exchange, m)).collect()
    };
    let start = page.saturating_mul(size);
    let more = found.len() > start.saturating_add(size);
    let shown: Vec<_> = found.into_iter().skip(start).take(size).collect();
    let next = more.then(|| {
        let kept = query.iter().filter(|(name, _)| *name != "Page");
        let first = format!("{ACCOUNTS}/{}/Messages.json?Page={}", exchange.account_sid, page.saturating_add(1));
        kept.fold(first, |uri, (name, value)| uri + "&" + name + "=" + &encoded(value))
    });
    Json(json!({ "messages": shown, "page": page, "page_size": size, "next_page_uri": next })).into_response()
}

fn fits(sms: &Sms, query: &BTreeMap<String, String>) -> bool {
    query.iter().all(|(name, value)| match name.as_str() {
        "To" => sms.to == *value,
        "From" => sms.from == *value,
        "DateSent>" => moment(sms.at, value) >= *value,
        "DateSent<" => moment(sms.at, value) <= *value,
        "DateSent" => moment(sms.at, value) == *value,
        _ => true,
    })
}

/// A date in the precision of the filter it is compared with: `2026-11-21` or `2026-11-21T09:30:00Z`.
fn moment(at: Timestamp, filter: &str) -> String {
    let format = if filter.contains('T') { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%d" };
    at.strftime(format).to_string()
}

async fn fetch(State(exchange): State<Arc<Exchange>>, Path((_, message)): Path<(String, String)>) -> Response {
    let sid = message.trim_end_matches(".json");
    let found = exchange.state().messages.iter().find(|m| m.sid == sid).cloned();
    match found {
        Some(sms) => Json(resource(&exchange, &sms)).into_response(),
        None => refusal(StatusCode::NOT_FOUND, 20404, "not found"),
    }
}

async fn probe(State(exchange): State<Arc<Exchange>>) -> Response {
    Json(json!({ "sid": exchange.account_sid, "friendly_name": "Demo", "status": "active", "type": "Full" })).into_response()
}

fn refusal(status: StatusCode, code: u32, message: &str) -> Response {
    (status, Json(json!({ "code": code, "message": message, "status": status.as_u16() }))).into_response()
}

fn resource(exchange: &Exchange, sms: &Sms) -> Value {
    let date = jiff::fmt::rfc2822::to_string(&sms.at.to_zoned(TimeZone::UTC)).unwrap_or_default();
    json!({
        "sid": sms.sid, "account_sid": exchange.account_sid, "to": sms.to, "from": sms.from, "body": sms.body,
        "status": sms.status, "direction": if sms.inbound { "inbound" } else { "outbound-api" },
        "error_code": null, "error_message": null, "num_segments": "1", "num_media": "0", "api_version": "2010-04-01",
        "date_created": date, "date_updated": date, "date_sent": date,
        "uri": format!("{ACCOUNTS}/{}/Messages/{}.json", exchange.account_sid, sms.sid),
    })
}

/// Percent-encodes everything but what is never special.
fn encoded(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}
