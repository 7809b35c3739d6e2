//! The provider's HTTP API: sending, listing, and the probe that `doctor` uses.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Form, Path, Query, Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{Timestamp, Unit, tz::TimeZone};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Fault;
use super::desk::{Desk, Direction, Sms};
use super::exchange::Cut;
use super::{call, callback};

const BASE: &str = "/2010-04-01/Accounts";

/// The API of one account.
pub(super) fn router(desk: Arc<Desk>) -> Router {
    Router::new()
        .route(&format!("{BASE}/{{account}}/Messages.json"), get(list).post(send))
        .route(&format!("{BASE}/{{account}}/Calls.json"), post(call::dial))
        .route(&format!("{BASE}/{{account}}/Balance.json"), get(balance))
        .route(&format!("{BASE}/{{account}}"), get(probe))
        .layer(from_fn_with_state(Arc::clone(&desk), log_in))
        .with_state(desk)
}

async fn log_in(State(desk): State<Arc<Desk>>, request: Request, next: Next) -> Response {
    let wanted = format!("Basic {}", STANDARD.encode(format!("{}:{}", desk.account_sid, desk.auth_token)));
    let given = request.headers().get(AUTHORIZATION).and_then(|value| value.to_str().ok());
    let ours = request.uri().path().strip_prefix(BASE).is_some_and(|p| p.trim_start_matches('/').starts_with(&desk.account_sid));
    if given != Some(wanted.as_str()) || !ours {
        return refusal(StatusCode::UNAUTHORIZED, 20003, "Authenticate");
    }
    next.run(request).await
}

async fn send(State(desk): State<Arc<Desk>>, ConnectInfo(cut): ConnectInfo<Cut>, Form(form): Form<BTreeMap<String, String>>) -> Response {
    let at = Instant::now();
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let (to, from, body) = (field("To"), field("From"), field("Body"));
    let (true, true, true) = (to.starts_with('+'), !from.is_empty(), !body.is_empty()) else {
        return refusal(StatusCode::BAD_REQUEST, 21211, "To, From and Body are required");
    };
    // Watched from before it is read, so that a hung request cannot miss its release.
    let mut faults = desk.watch_faults();
    let fault = desk.arrive(at, to, body);
    let accept = || desk.accept(at, to, from, body, form.get("StatusCallback").cloned());
    match fault {
        Fault::ServerError => refusal(StatusCode::INTERNAL_SERVER_ERROR, 20500, "Internal Server Error"),
        Fault::Unavailable => refusal(StatusCode::SERVICE_UNAVAILABLE, 20503, "Service Unavailable"),
        Fault::Refused { code } => refusal(StatusCode::BAD_REQUEST, code, "refused"),
        Fault::TooMany { retry_after_s } => {
            let mut response = refusal(StatusCode::TOO_MANY_REQUESTS, 20429, "Too Many Requests");
            response.headers_mut().insert(header::RETRY_AFTER, retry_after_s.into());
            response
        }
        Fault::Hang => {
            // The sender lives as long as the desk that this handler holds.
            let _alive = faults.changed().await;
            closed(&cut)
        }
        Fault::DropAfterAccept => {
            callback::receipts(&desk, accept(), fault);
            closed(&cut)
        }
        Fault::Slow(time) => {
            let sms = accept();
            tokio::time::sleep(time).await;
            created(&desk, sms, fault)
        }
        Fault::Held => {
            let sms = accept();
            let _alive = faults.changed().await;
            created(&desk, sms, fault)
        }
        Fault::ReceiptFirst => {
            let sms = accept();
            callback::receipt(&desk, &sms.sid, "delivered", None).await;
            (StatusCode::CREATED, Json(resource(&desk, &sms))).into_response()
        }
        Fault::None | Fault::Undelivered { .. } | Fault::DuplicateReceipts | Fault::LateReceipts(_) | Fault::NoReceipt => {
            created(&desk, accept(), fault)
        }
    }
}

fn created(desk: &Arc<Desk>, sms: Sms, fault: Fault) -> Response {
    let response = (StatusCode::CREATED, Json(resource(desk, &sms))).into_response();
    callback::receipts(desk, sms, fault);
    response
}

fn closed(cut: &Cut) -> Response {
    cut.now();
    StatusCode::INTERNAL_SERVER_ERROR.into_response()
}

/// Newest first, filtered and paged as the provider does it.
async fn list(State(desk): State<Arc<Desk>>, Query(query): Query<BTreeMap<String, String>>) -> Response {
    let number = |name: &str, default: usize| query.get(name).and_then(|v| v.parse().ok()).unwrap_or(default);
    if desk.state().denies_listing {
        return refusal(StatusCode::SERVICE_UNAVAILABLE, 20503, "Service Unavailable");
    }
    let (size, page) = (number("PageSize", 50).clamp(1, 1000), number("Page", 0));
    let found: Vec<Value> = {
        let state = desk.state();
        let fits = |m: &&Sms| fits(m, &query);
        state.messages.iter().rev().filter(fits).map(|m| resource(&desk, m)).collect()
    };
    let start = page.saturating_mul(size);
    let shown: Vec<Value> = found.iter().skip(start).take(size).cloned().collect();
    let more = start.saturating_add(shown.len()) < found.len();
    let next = more.then(|| page_uri(&desk, &query, page.saturating_add(1)));
    let end = start.saturating_add(shown.len()).saturating_sub(1);
    Json(json!({
        "messages": shown, "page": page, "page_size": size, "start": start, "end": end,
        "uri": page_uri(&desk, &query, page), "first_page_uri": page_uri(&desk, &query, 0),
        "next_page_uri": next, "previous_page_uri": null,
    }))
    .into_response()
}

fn fits(sms: &Sms, query: &BTreeMap<String, String>) -> bool {
    query.iter().all(|(name, value)| match name.as_str() {
        "To" => sms.to == *value,
        "From" => sms.from == *value,
        "DateSent" => day_or_moment(sms.date, value) == *value,
        "DateSent>" => day_or_moment(sms.date, value).as_str() >= value.as_str(),
        "DateSent<" => day_or_moment(sms.date, value).as_str() <= value.as_str(),
        _ => true,
    })
}

/// The message's date in the precision of the filter: `2026-11-21` or `2026-11-21T09:30:00Z`, which sort as text.
fn day_or_moment(date: Timestamp, filter: &str) -> String {
    let format = if filter.contains('T') { "%Y-%m-%dT%H:%M:%SZ" } else { "%Y-%m-%d" };
    date.strftime(format).to_string()
}

fn page_uri(desk: &Desk, query: &BTreeMap<String, String>, page: usize) -> String {
    let kept = query.iter().filter(|(name, _value)| *name != "Page");
    let encoded =
        kept.fold(format!("Page={page}"), |uri, (name, value)| format!("{uri}&{}={}", callback::encode(name), callback::encode(value)));
    format!("{BASE}/{}/Messages.json?{encoded}", desk.account_sid)
}

/// `{account}` comes with its `.json`: a path parameter is a whole segment.
async fn probe(State(desk): State<Arc<Desk>>, Path(account): Path<String>) -> Response {
    if account != format!("{}.json", desk.account_sid) {
        return refusal(StatusCode::NOT_FOUND, 20404, "not found");
    }
    let account = json!({"sid": desk.account_sid, "friendly_name": "Proof", "status": "active", "type": "Full"});
    Json(account).into_response()
}

async fn balance(State(desk): State<Arc<Desk>>) -> Response {
    Json(json!({"account_sid": desk.account_sid, "balance": "42.00", "currency": "AUD"})).into_response()
}

fn refusal(status: StatusCode, code: u32, message: &str) -> Response {
    let body = json!({"code": code, "message": message, "more_info": "", "status": status.as_u16()});
    (status, HeaderMap::new(), Json(body)).into_response()
}

fn resource(desk: &Desk, sms: &Sms) -> Value {
    let date = sms.date.round(Unit::Second).unwrap_or(sms.date).to_zoned(TimeZone::UTC);
    let date = jiff::fmt::rfc2822::to_string(&date).expect("a date of this century");
    let direction = match sms.direction {
        Direction::Out => "outbound-api",
        Direction::In => "inbound",
    };
    json!({
        "sid": sms.sid, "account_sid": desk.account_sid, "to": sms.to, "from": sms.from, "body": sms.body,
        "status": sms.status, "direction": direction, "error_code": sms.error_code, "error_message": null,
        "num_segments": "1", "num_media": "0", "api_version": "2010-04-01", "price": null, "price_unit": "USD",
        "messaging_service_sid": null, "date_created": date, "date_updated": date, "date_sent": date,
        "uri": format!("{BASE}/{}/Messages/{}.json", desk.account_sid, sms.sid), "subresource_uris": {},
    })
}
