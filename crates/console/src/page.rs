//! The operators' pages: made on the server, complete without scripts. A small module replaces regions as the record moves.

mod activation;
mod drill;
mod duty;
mod form;
mod login;
mod people;
mod queue;
mod row;
mod schedules;
mod seat;
mod service;
mod testing;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};

use crate::assets::{CONSOLE_JS, ICON, STYLE};
use crate::caller::Caller;
use crate::problem::Problem;
use crate::room::Room;
use crate::security;

/// The pages' routes.
pub(crate) fn routes() -> Router<Arc<Room>> {
    Router::new()
        .route("/", get(queue::page))
        .route("/regions/queue", get(queue::region))
        .route("/activations/{id}", get(activation::page))
        .route("/regions/activations/{id}", get(activation::region))
        .route("/activations/{id}/{verb}", post(form::act))
        .route("/people", get(people::page))
        .route("/tests/{verb}", post(testing::act))
        .route("/out-of-service/{verb}", post(service::act))
        .route("/duty", get(duty::page))
        .route("/duty/{verb}", post(duty::act))
        .route("/drills", get(schedules::page))
        .route("/drills/start", post(drill::start))
        .route("/login", get(login::page).post(login::log_in))
        .route("/logout", post(login::log_out))
}

/// What stands around every page.
struct Frame {
    style: &'static str,
    script: &'static str,
    icon: &'static str,
    station: String,
    phone: String,
    who: String,
    role: &'static str,
    csrf: String,
    session: bool,
}

impl Frame {
    fn new(room: &Room, caller: Option<&Caller>) -> Self {
        Self {
            style: STYLE.path(),
            script: CONSOLE_JS.path(),
            icon: ICON.path(),
            station: room.settings.station.clone(),
            phone: room.settings.phone.clone(),
            who: caller.map(|c| c.principal.clone()).unwrap_or_default(),
            role: caller.map_or("", |c| c.role.as_str()),
            csrf: caller.map(|c| c.csrf.clone()).unwrap_or_default(),
            session: caller.is_some_and(|c| c.session),
        }
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct Trouble {
    frame: Frame,
    title: &'static str,
    detail: String,
    back: String,
}

/// A problem as a page, with the way back.
fn trouble(room: &Room, caller: Option<&Caller>, problem: Problem, back: &str) -> Response {
    let status = problem.status;
    html(status, &Trouble { frame: Frame::new(room, caller), title: problem.title, detail: problem.detail, back: back.to_owned() })
}

fn html(status: StatusCode, page: &impl Template) -> Response {
    let mut response = match page.render() {
        Ok(text) => (status, Html(text)).into_response(),
        Err(error) => Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "page",
            "The page could not be made",
            format!("{error}. Alarms still run on the server; /api/v1/activations has the same as data."),
        )
        .into_response(),
    };
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, security::CONSOLE);
    response.headers_mut().insert("x-robots-tag", HeaderValue::from_static("noindex"));
    response
}
