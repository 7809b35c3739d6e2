//! `POST /activations/{id}/{verb}`: the pages' plain forms, done by the same code as the API's acts.

use std::sync::Arc;

use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use escalation::acknowledgement::{Commitment, Disposition};
use escalation::input::{Act, Rung};
use escalation::police::Threshold;
use escalation::private::Private;
use escalation::time::Seconds;
use serde::Deserialize;

use super::trouble;
use crate::api::act::{Wish, entered, perform, read_escalate_to, step_act, successor};
use crate::api::strict::Conditions;
use crate::caller::{Caller, Visitor};
use crate::problem::Problem;
use crate::roles::Action;
use crate::room::Room;
use crate::secret;

/// The fields of all forms; which ones a verb wants is below.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fields {
    csrf: String,
    back: Option<String>,
    seq: Option<u64>,
    by: Option<String>,
    commitment: Option<Commitment>,
    minutes: Option<u32>,
    to: Option<String>,
    reason: Option<String>,
    for_s: Option<u32>,
    note: Option<String>,
    disposition: Option<Disposition>,
    threshold: Option<u8>,
    called_by: Option<String>,
    reference: Option<String>,
    safe_word: Option<String>,
    step: Option<String>,
    skipped: Option<String>,
    how: Option<String>,
}

pub(super) async fn act(
    State(room): State<Arc<Room>>,
    Visitor(caller): Visitor,
    Path((id, verb)): Path<(String, String)>,
    form: Result<Form<Fields>, FormRejection>,
) -> Response {
    let there = format!("/activations/{id}");
    let done = match form {
        Ok(Form(fields)) => {
            let back = match fields.back.as_deref() {
                Some("queue") => "/".to_owned(),
                Some(_) | None => there.clone(),
            };
            submit(&room, &caller, &id, &verb, fields).await.map(|()| back)
        }
        Err(rejection) => {
            Err(Problem::bad_request(format!("The form could not be read: {}. Nothing was recorded.", rejection.body_text())))
        }
    };
    match done {
        Ok(back) => Redirect::to(&back).into_response(),
        Err(problem) => {
            // A reference that is none would make a link to anywhere.
            let back = if problem.status == StatusCode::NOT_FOUND { "/" } else { &there };
            trouble(&room, Some(&caller), problem, back)
        }
    }
}

async fn submit(room: &Room, caller: &Caller, id: &str, verb: &str, fields: Fields) -> Result<(), Problem> {
    must_be_fresh(caller, &fields.csrf)?;
    let seen = fields.seq;
    let actor = fields.by.clone().filter(|by| !by.trim().is_empty());
    let (action, act) = read(verb, fields)?;
    caller.must(action)?;
    // Only closing must not be done on stale knowledge. While a ladder climbs, every receipt changes the activation:
    // an operator's claim or words must not be refused for that, and a second accept only adds a co-responder.
    let seen = seen.filter(|_| action == Action::Close);
    let conditions = Conditions { idempotency_key: None, seen };
    perform(room, caller, id, Wish { actor, act, conditions }).await.map(|_| ())
}

/// A form is of the session that sends it.
pub(super) fn must_be_fresh(caller: &Caller, csrf: &str) -> Result<(), Problem> {
    if !caller.csrf.is_empty() && secret::same(caller.csrf.as_bytes(), csrf.as_bytes()) {
        return Ok(());
    }
    Err(Problem::new(
        StatusCode::FORBIDDEN,
        "stale-form",
        "This form is from another session",
        "Go back, load the page again, and press once more. Nothing was recorded.",
    ))
}

fn read(verb: &str, fields: Fields) -> Result<(Action, Act), Problem> {
    let missing = |what: &str| Problem::bad_request(format!("Say {what}. Nothing was recorded."));
    let words = fields.note.filter(|note| !note.trim().is_empty());
    let named = fields.by.is_some_and(|by| !by.trim().is_empty());
    match verb {
        "claim" => Ok((Action::Claim, Act::Claim)),
        "hold" => {
            let reason = fields.reason.filter(|reason| !reason.trim().is_empty()).ok_or_else(|| missing("why"))?;
            let span = fields.for_s.map(Seconds).ok_or_else(|| missing("for how long"))?;
            Ok((Action::Hold, Act::Hold { span, reason: Private::Open(reason) }))
        }
        "hand-over" => {
            let to = successor(fields.to.unwrap_or_default())?;
            Ok((Action::HandOver, Act::HandOver { to }))
        }
        "accept" | "decline" | "arrived" if !named => Err(missing("who: their name or id")),
        "accept" => {
            let eta_s = fields.minutes.map(|m| Seconds(m.saturating_mul(60)));
            let commitment = fields.commitment.ok_or_else(|| missing("going or verifying"))?;
            Ok((Action::Accept, Act::Accept { commitment, eta_s }))
        }
        "decline" => Ok((Action::Decline, Act::Decline)),
        "arrived" => Ok((Action::Arrived, Act::Arrived)),
        "police" => {
            let threshold = fields.threshold.and_then(Threshold::of_number);
            let said = |text: Option<String>| text.filter(|text| !text.trim().is_empty()).map(Private::Open);
            let reference = said(fields.reference);
            let rung = said(fields.called_by).map(|called_by| Rung { called_by, reference, at: None });
            Ok((Action::Police, Act::Police { threshold, rung }))
        }
        "step" => {
            let skipped = match fields.how.as_deref() {
                Some("done") => None,
                // Without words it is refused: what was meant to be passed over is never taken for done.
                Some("skipped") => Some(fields.skipped.unwrap_or_default()),
                Some(_) | None => return Err(missing("whether it was done or passed over")),
            };
            Ok((Action::TakeStep, step_act(&fields.step.unwrap_or_default(), skipped)?))
        }
        "escalate" => {
            let to = fields.to.as_deref().and_then(read_escalate_to);
            let to = to.ok_or_else(|| missing("how far: next, all or rung 2"))?;
            Ok((Action::Escalate, Act::Escalate { to }))
        }
        "note" => {
            let text = words.map(Private::Open).ok_or_else(|| missing("something in the note"))?;
            Ok((Action::Note, Act::Note { text }))
        }
        "close" => {
            let disposition = fields.disposition.ok_or_else(|| missing("with which outcome"))?;
            let note = words.map(Private::Open);
            Ok((Action::Close, Act::Close { disposition, note }))
        }
        "safe" => Ok((Action::Safe, Act::Safe { word: entered(fields.safe_word)? })),
        "reopen" => {
            let reason = fields.reason.filter(|reason| !reason.trim().is_empty()).ok_or_else(|| missing("why"))?;
            Ok((Action::Reopen, Act::Reopen { reason: Private::Open(reason) }))
        }
        _unknown => Err(Problem::not_found("form with this name")),
    }
}
