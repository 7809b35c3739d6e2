//! `/login`: a pasted key becomes a session. `/logout` ends it.

use std::sync::Arc;

use askama::Template;
use axum::extract::rejection::FormRejection;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Form};
use serde::Deserialize;

use super::{Frame, html, trouble};
use crate::caller::{Peer, Visitor, cookie, crosses_sites, wrong_key};
use crate::problem::Problem;
use crate::roles::Action;
use crate::room::Room;
use crate::secret;
use crate::session::{COOKIE, LASTS};

#[derive(Template)]
#[template(path = "login.html")]
struct Page {
    frame: Frame,
    said: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pasted {
    key: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Leave {
    csrf: String,
}

pub(super) async fn page(State(room): State<Arc<Room>>) -> Response {
    again(&room, StatusCode::OK, String::new())
}

pub(super) async fn log_in(
    State(room): State<Arc<Room>>,
    peer: Option<Extension<ConnectInfo<Peer>>>,
    headers: HeaderMap,
    form: Result<Form<Pasted>, FormRejection>,
) -> Response {
    if crosses_sites(&Method::POST, &headers) {
        let said = "Another site sent this. Type the address of this page yourself.";
        return again(&room, StatusCode::FORBIDDEN, said.to_owned());
    }
    let Ok(Form(pasted)) = form else {
        return again(&room, StatusCode::BAD_REQUEST, "Paste the key into the field.".to_owned());
    };
    let keys = room.keys.borrow().clone();
    let Some(key) = keys.prove(pasted.key.trim()) else {
        let ip = match peer {
            Some(Extension(ConnectInfo(Peer::Net(ip)))) => Some(ip),
            Some(Extension(ConnectInfo(Peer::Os(_)))) | None => None,
        };
        let problem = wrong_key(&room, ip);
        return again(&room, problem.status, problem.detail);
    };
    if !key.role.may(Action::See) {
        let said = "This key can only raise an alarm; it opens no pages. Use another key.";
        return again(&room, StatusCode::FORBIDDEN, said.to_owned());
    }
    match room.sessions.open(key) {
        Ok(token) => set_cookie(&room, &token, LASTS.as_secs()),
        Err(why) => trouble(&room, None, Problem::from(why), "/login"),
    }
}

pub(super) async fn log_out(
    State(room): State<Arc<Room>>,
    Visitor(caller): Visitor,
    headers: HeaderMap,
    form: Result<Form<Leave>, FormRejection>,
) -> Response {
    let ours = form.is_ok_and(|Form(leave)| secret::same(leave.csrf.as_bytes(), caller.csrf.as_bytes()));
    if !ours {
        let said = "This form is from another session. Load the page again.";
        return trouble(&room, Some(&caller), Problem::bad_request(said), "/");
    }
    if let Some(token) = cookie(&headers) {
        room.sessions.end(token);
    }
    set_cookie(&room, "", 0)
}

fn set_cookie(room: &Room, token: &str, lasts_s: u64) -> Response {
    let secure = if room.settings.is_https() { "; Secure" } else { "" };
    let cookie = format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict; Max-Age={lasts_s}{secure}");
    match HeaderValue::try_from(cookie) {
        Ok(cookie) => {
            let next = if lasts_s == 0 { "/login" } else { "/" };
            ([(header::SET_COOKIE, cookie)], Redirect::to(next)).into_response()
        }
        Err(error) => again(room, StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
    }
}

fn again(room: &Room, status: StatusCode, said: String) -> Response {
    html(status, &Page { frame: Frame::new(room, None), said })
}
