//! `POST /tests/{verb}`: buttons put on test and taken off, by the same code as the API's.

use std::sync::Arc;

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use escalation::time::{Seconds, Timestamp};
use serde::Deserialize;
use station::view::TestView;

use super::form::must_be_fresh;
use super::trouble;
use crate::api::testing::perform;
use crate::caller::{Caller, Visitor};
use crate::moment;
use crate::problem::Problem;
use crate::room::Room;

/// The fields of both forms.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fields {
    csrf: String,
    site: String,
    /// Buttons or places, separated by commas.
    devices: String,
    tester: Option<String>,
    minutes: Option<u32>,
}

/// A button on test, as the queue shows it.
pub(super) struct Line {
    pub(super) site: String,
    pub(super) device: String,
    pub(super) words: String,
    pub(super) until_ms: i64,
    pub(super) until_in: String,
    pub(super) ends_soon: bool,
}

impl Line {
    /// The line of a button at this time.
    pub(super) fn new(test: &TestView, now: Timestamp) -> Self {
        Self {
            site: test.device.site.to_string(),
            device: test.device.name.to_string(),
            words: format!(
                "{}, {}: the next press asks {} whether it was they. Put on test by {}, until {}",
                test.site_name,
                test.place,
                test.tester,
                test.by,
                moment::clock(test.until, &test.timezone),
            ),
            until_ms: test.until.as_millisecond(),
            until_in: moment::span(now, test.until),
            ends_soon: test.ends_soon,
        }
    }
}

pub(super) async fn act(
    State(room): State<Arc<Room>>,
    Visitor(caller): Visitor,
    Path(verb): Path<String>,
    form: Result<Form<Fields>, FormRejection>,
) -> Response {
    let done = match form {
        Ok(Form(fields)) => submit(&room, &caller, &verb, fields).await,
        Err(rejection) => Err(Problem::bad_request(format!("The form could not be read: {}. Nothing was changed.", rejection.body_text()))),
    };
    match done {
        Ok(()) => Redirect::to("/").into_response(),
        Err(problem) => trouble(&room, Some(&caller), problem, "/"),
    }
}

async fn submit(room: &Room, caller: &Caller, verb: &str, fields: Fields) -> Result<(), Problem> {
    must_be_fresh(caller, &fields.csrf)?;
    let devices = fields.devices.split(',').map(|device| device.trim().to_owned()).filter(|device| !device.is_empty()).collect();
    let on = match (verb, fields.tester, fields.minutes) {
        ("start", Some(tester), Some(minutes)) => Some((tester, Seconds(minutes.saturating_mul(60)))),
        ("start", _, _) => return Err(Problem::bad_request("Say who tests, and for how many minutes. Nothing was changed.".to_owned())),
        ("end", _, _) => None,
        (_unknown, _, _) => return Err(Problem::not_found("form with this name")),
    };
    perform(room, caller, fields.site.trim(), devices, on, None).await
}
