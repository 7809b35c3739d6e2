//! `GET /duty`: who is on duty, and `POST /duty/{verb}`: who stands in for whom, by the same code as the API's.

use std::sync::Arc;

use askama::Template;
use axum::Form;
use axum::extract::rejection::FormRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use escalation::event::Way;
use escalation::roster::How;
use escalation::time::Timestamp;
use serde::Deserialize;
use station::duty::{RosterView, StandInView};

use super::form::must_be_fresh;
use super::{Frame, html, trouble};
use crate::api::duty::{back, perform, stands_in};
use crate::caller::{Caller, Visitor};
use crate::moment;
use crate::problem::Problem;
use crate::roles::Action;
use crate::room::Room;

/// What is said of one who is on duty beside the other.
const BOTH: &str = "BOTH ARE ON DUTY: there would be one person fewer otherwise, or a rung could not tell whoever stands in";
/// What is said of one who is not.
const NO_MORE: &str = "COUNTS NO MORE, and whoever was stood in for is on duty alone: whoever stands in has left the directory, can be \
     told by no rung any more, or is somebody else's by now, or the roster is for others as well. Name somebody else";

#[derive(Template)]
#[template(path = "duty.html")]
struct Page {
    frame: Frame,
    now: String,
    csrf: String,
    uncovered: usize,
    rosters: Vec<Roster>,
    /// Whom a form offers; any other name of the directory may be written as well.
    names: Vec<String>,
}

/// A roster, in words.
struct Roster {
    id: String,
    timezone: String,
    on_duty: Vec<String>,
    until: String,
    people: Vec<(String, String)>,
    stand_ins: Vec<Line>,
    may_change: bool,
}

/// Somebody stands in, in words.
struct Line {
    words: String,
    off_id: String,
    /// To the second, as the form gives it back.
    from: String,
    /// What is wrong with it; empty: whoever stands in is on duty instead.
    warning: &'static str,
}

/// The fields of both forms.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Fields {
    csrf: String,
    roster: String,
    off: String,
    on: Option<String>,
    from: Option<String>,
    until: Option<String>,
}

pub(super) async fn page(State(room): State<Arc<Room>>, Visitor(caller): Visitor) -> Response {
    match look(&room, &caller).await {
        Ok(page) => html(StatusCode::OK, &page),
        Err(problem) => trouble(&room, Some(&caller), problem, "/"),
    }
}

async fn look(room: &Room, caller: &Caller) -> Result<Page, Problem> {
    caller.must(Action::See)?;
    let now = room.desk.turn().await?;
    let may_change = caller.role.may(Action::StandIn);
    let rosters: Vec<Roster> =
        room.desk.duty(caller.scope.clone()).await?.iter().map(|roster| Roster::new(roster, now, may_change)).collect();
    let mut names: Vec<String> =
        room.desk.people(caller.scope.clone(), caller.onlooker(Way::Page)).await?.into_iter().map(|person| person.name).collect();
    names.sort();
    names.dedup();
    Ok(Page {
        frame: Frame::new(room, Some(caller)),
        now: moment::day(now, "UTC"),
        csrf: caller.csrf.clone(),
        uncovered: rosters.iter().filter(|roster| roster.on_duty.is_empty()).count(),
        rosters,
        names,
    })
}

impl Roster {
    fn new(roster: &RosterView, now: Timestamp, may_change: bool) -> Self {
        let zone = &roster.timezone;
        Self {
            id: roster.id.to_string(),
            timezone: zone.clone(),
            on_duty: roster.on_duty.clone(),
            until: roster.until.map_or_else(
                || "for good".to_owned(),
                |until| format!("until {} at least, in {}", moment::day(until, zone), moment::span(now, until)),
            ),
            people: roster.people.clone(),
            stand_ins: roster.stand_ins.iter().map(|stand_in| Line::new(stand_in, zone)).collect(),
            may_change: may_change && roster.may_change,
        }
    }
}

impl Line {
    fn new(stand_in: &StandInView, zone: &str) -> Self {
        let StandInView { off, off_id, on, from, until, by, counts } = stand_in;
        Self {
            words: format!("{on} for {off}, from {} until {}. Said by {by}", moment::day(*from, zone), moment::day(*until, zone)),
            off_id: off_id.clone(),
            from: from.to_string(),
            warning: match counts {
                Some(How::Instead) => "",
                Some(How::Beside) => BOTH,
                None => NO_MORE,
            },
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
        Ok(()) => Redirect::to("/duty").into_response(),
        Err(problem) => trouble(&room, Some(&caller), problem, "/duty"),
    }
}

async fn submit(room: &Room, caller: &Caller, verb: &str, fields: Fields) -> Result<(), Problem> {
    must_be_fresh(caller, &fields.csrf)?;
    let Fields { roster, off, on, from, until, .. } = fields;
    let change = match (verb, on, from, until) {
        ("start", Some(on), from, Some(until)) => stands_in(on.trim().to_owned(), from.as_deref(), &until)?,
        ("end", None, Some(from), None) => back(&from)?,
        ("start" | "end", ..) => {
            return Err(Problem::bad_request("Say who stands in for whom, and until when. Nothing was changed.".to_owned()));
        }
        (_unknown, ..) => return Err(Problem::not_found("form with this name")),
    };
    perform(room, caller, &roster, off.trim().to_owned(), change, None).await
}
