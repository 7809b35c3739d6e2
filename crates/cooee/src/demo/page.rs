//! The demo's page: buttons to press, phones and a mailbox to answer by, switches to break things, and the ladder.
//!
//! Serves the page and what the fakes know; the ladder it shows comes from Cooee's own API, like anybody else's screen.
//! Nothing inline and nothing from elsewhere, so that the strictest content policy holds.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::Deserialize;
use serde_json::{Value, json};

use super::buttons::{Buttons, Gesture};
use super::mailbox::Mailbox;
use super::phones::{Phones, Switch};

const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; base-uri 'none'; \
     frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'",
);
/// Longest reply that a fake phone sends, in bytes.
const REPLY_MAX: usize = 1_600;

/// What the page plays with.
pub(crate) struct Parts {
    /// The virtual site's name.
    pub(crate) site: String,
    /// Its IANA zone: the page shows the same time as the texts.
    pub(crate) timezone: String,
    /// Its buttons.
    pub(crate) buttons: Buttons,
    /// The SMS provider.
    pub(crate) phones: Phones,
    /// The mail server.
    pub(crate) mailbox: Mailbox,
    /// Whose phones are shown.
    pub(crate) people: Vec<Persona>,
    /// The command that starts the demo again after a kill; `None` where it would have forgotten everything.
    pub(crate) restart: Option<String>,
    /// Where the broker listens, for people who bring their own MQTT client.
    pub(crate) broker: String,
}

/// One person of the demo.
pub(crate) struct Persona {
    /// The name.
    pub(crate) name: String,
    /// The mobile number, E.164.
    pub(crate) mobile: String,
}

/// The page at `/demo` and what it needs below it. Mount it beside Cooee's own routes: it reads `/api/v1` from there.
pub(crate) fn router(parts: Arc<Parts>) -> Router {
    Router::new()
        .route("/demo", get(async || file("text/html; charset=utf-8", include_str!("../../assets/demo.html"))))
        .route("/demo/demo.css", get(async || file("text/css; charset=utf-8", include_str!("../../assets/demo.css"))))
        .route("/demo/demo.js", get(async || file("text/javascript; charset=utf-8", include_str!("../../assets/demo.js"))))
        .route("/demo/world", get(world))
        .route("/demo/gesture", post(gesture))
        .route("/demo/reply", post(reply))
        .route("/demo/switch", post(switch))
        .with_state(parts)
}

fn file(kind: &'static str, text: &'static str) -> Response {
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (headers, text).into_response()
}

/// Everything that the fakes know, once a second.
async fn world(State(parts): State<Arc<Parts>>) -> Json<Value> {
    let phones = parts.people.iter().map(|person| {
        let thread = parts.phones.thread(&person.mobile);
        let thread = thread
            .iter()
            .map(|sms| json!({ "sid": sms.sid, "inbound": sms.inbound, "text": sms.body, "status": sms.status, "at": sms.at.to_string() }));
        json!({ "name": person.name, "number": person.mobile, "thread": thread.collect::<Vec<_>>() })
    });
    let mails = parts.mailbox.mails();
    let mails = mails.iter().map(|mail| json!({ "to": mail.to, "subject": mail.subject, "text": mail.text, "at": mail.at.to_string() }));
    Json(json!({
        "site": parts.site,
        "timezone": parts.timezone,
        "site_id": parts.buttons.site(),
        "broker": parts.broker,
        "connected": parts.buttons.connected(),
        "buttons": parts.buttons.all(),
        "phones": phones.collect::<Vec<_>>(),
        "mails": mails.collect::<Vec<_>>(),
        "switches": {
            "provider_down": parts.phones.is_on(Switch::ProviderDown),
            "no_receipt": parts.phones.is_on(Switch::NoReceipt),
        },
        "pid": std::process::id(),
        "restart": parts.restart,
    }))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    device: String,
    gesture: Gesture,
}

async fn gesture(State(parts): State<Arc<Parts>>, Json(asked): Json<Asked>) -> Response {
    match parts.buttons.gesture(&asked.device, asked.gesture) {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(why) => (StatusCode::CONFLICT, format!("{why:#}")).into_response(),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    number: String,
    text: String,
}

async fn reply(State(parts): State<Arc<Parts>>, Json(written): Json<Written>) -> Response {
    if !parts.people.iter().any(|p| p.mobile == written.number) {
        return (StatusCode::NOT_FOUND, "no such phone here").into_response();
    }
    if written.text.trim().is_empty() || written.text.len() > REPLY_MAX {
        return (StatusCode::BAD_REQUEST, "write something, and not a novel").into_response();
    }
    parts.phones.reply(&written.number, &written.text);
    StatusCode::NO_CONTENT.into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Turned {
    switch: Switch,
    on: bool,
}

async fn switch(State(parts): State<Arc<Parts>>, Json(turned): Json<Turned>) -> StatusCode {
    parts.phones.switch(turned.switch, turned.on);
    StatusCode::NO_CONTENT
}

#[cfg(test)]
mod tests;
