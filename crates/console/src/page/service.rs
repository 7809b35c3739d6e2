//! `POST /out-of-service/{verb}`: buttons taken out of service and put back, by the same code as the API's.

use std::sync::Arc;

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use escalation::out_of_service::Defect;
use escalation::time::Timestamp;
use serde::Deserialize;
use station::view::WithdrawalView;

use super::form::must_be_fresh;
use super::trouble;
use crate::api::service::{perform, withdrawal};
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
    keeper: Option<String>,
    instead: Option<String>,
    why: Option<String>,
    minutes: Option<u32>,
}

/// A button out of service, as the queue shows it.
pub(super) struct Withdrawal {
    pub(super) site: String,
    pub(super) device: String,
    pub(super) words: String,
    pub(super) instead: String,
    pub(super) until_ms: i64,
    pub(super) until_in: String,
    pub(super) ends_soon: bool,
    pub(super) none_left: bool,
}

impl Withdrawal {
    /// The line of a button at this time.
    pub(super) fn new(out: &WithdrawalView, now: Timestamp) -> Self {
        Self {
            site: out.device.site.to_string(),
            device: out.device.name.to_string(),
            words: format!(
                "{}, {}: {}. {} looks after it. Taken out of service by {}, until {}",
                out.site_name,
                out.place,
                words(out.why),
                out.keeper,
                out.by,
                moment::clock(out.until, &out.timezone),
            ),
            instead: match &out.instead {
                Some((_, place)) => format!("Meanwhile use {place}."),
                None => "Meanwhile use a phone: 000.".to_owned(),
            },
            until_ms: out.until.as_millisecond(),
            until_in: moment::span(now, out.until),
            ends_soon: out.ends_soon,
            none_left: out.none_left,
        }
    }
}

/// What is wrong with a button.
pub(super) fn words(why: Defect) -> &'static str {
    match why {
        Defect::Sticks => "it presses by itself",
        Defect::Damaged => "it is broken",
        Defect::Moved => "it was moved",
        Defect::Works => "people work at the place",
        Defect::Other => "something else is wrong with it",
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
    let out = match (verb, fields.keeper, fields.instead, fields.why, fields.minutes) {
        ("start", Some(keeper), Some(instead), Some(why), Some(minutes)) => Some(withdrawal(keeper, &instead, &why, minutes)?),
        ("start", ..) => {
            return Err(Problem::bad_request(
                "Say who looks after them, what is used meanwhile, what is wrong, and for how many minutes. Nothing was changed."
                    .to_owned(),
            ));
        }
        ("end", ..) => None,
        (_unknown, ..) => return Err(Problem::not_found("form with this name")),
    };
    perform(room, caller, fields.site.trim(), devices, out, None).await
}
