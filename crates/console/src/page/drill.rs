//! `POST /drills/start`: a drill begun from the queue, by the same code as the API's; and its result sheet in words.

use std::sync::Arc;

use axum::Form;
use axum::extract::State;
use axum::extract::rejection::FormRejection;
use axum::response::{IntoResponse, Redirect, Response};
use serde::Deserialize;
use station::view::{Sheet, Told};

use super::form::must_be_fresh;
use super::trouble;
use crate::api::drills::{DrillBody, perform};
use crate::caller::{Caller, Visitor};
use crate::moment;
use crate::problem::Problem;
use crate::room::Room;

/// The fields of the form; what is left empty was not said.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fields {
    csrf: String,
    site: String,
    device: String,
    minutes: u32,
    note: String,
}

/// Somebody on the result sheet, in words.
pub(super) struct Line {
    pub(super) name: String,
    pub(super) turn: String,
    pub(super) messages: String,
    pub(super) answer: String,
}

impl Line {
    /// Every line of a sheet.
    pub(super) fn all(sheet: &Sheet, zone: &str) -> Vec<Self> {
        sheet.told.iter().map(|told| Self::new(told, zone)).collect()
    }

    fn new(told: &Told, zone: &str) -> Self {
        let messages = told.written.iter().map(|written| {
            let detail = written.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
            let at = written.delivered_at.map(|at| format!(" at {}", moment::clock(at, zone))).unwrap_or_default();
            format!("{} {}{detail}{at}", written.medium.as_str(), written.outcome)
        });
        let messages: Vec<String> = messages.collect();
        let answer = told.answered.as_ref().map(|answer| {
            let seconds = answer.after_ms.div_ceil(1_000);
            format!("{} by {}, after {seconds} s", answer.what, answer.via)
        });
        Self {
            name: told.name.clone(),
            turn: if told.rung == 0 {
                format!("beside an answer, {}", moment::clock(told.at, zone))
            } else {
                format!("step {}, {}", told.rung, moment::clock(told.at, zone))
            },
            messages: match (messages.is_empty(), told.is_centre()) {
                (false, _) => messages.join("; "),
                (true, true) => "on the desk".to_owned(),
                (true, false) => "nothing was sent".to_owned(),
            },
            answer: answer.unwrap_or_else(|| "NO ANSWER".to_owned()),
        }
    }
}

pub(super) async fn start(State(room): State<Arc<Room>>, Visitor(caller): Visitor, form: Result<Form<Fields>, FormRejection>) -> Response {
    let done = match form {
        Ok(Form(fields)) => submit(&room, &caller, fields).await,
        Err(rejection) => Err(Problem::bad_request(format!("The form could not be read: {}. Nobody was told.", rejection.body_text()))),
    };
    match done {
        Ok(to) => Redirect::to(&to).into_response(),
        Err(problem) => trouble(&room, Some(&caller), problem, "/"),
    }
}

async fn submit(room: &Room, caller: &Caller, fields: Fields) -> Result<String, Problem> {
    must_be_fresh(caller, &fields.csrf)?;
    let said = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    let asked = DrillBody {
        site: fields.site.trim().to_owned(),
        device: said(fields.device),
        minutes: Some(fields.minutes),
        note: said(fields.note),
        by: None,
    };
    let outcome = perform(room, caller, asked).await?;
    Ok(outcome.activation.map_or_else(|| "/".to_owned(), |drill| format!("/activations/{drill}")))
}
