//! `GET /people`: whom a press may be told to, and who of them was ever heard from.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use escalation::event::Way;
use escalation::time::Timestamp;
use station::view::PersonView;

use super::{Frame, html, trouble};
use crate::caller::{Caller, Visitor};
use crate::moment;
use crate::problem::Problem;
use crate::roles::Action;
use crate::room::Room;

#[derive(Template)]
#[template(path = "people.html")]
struct Page {
    frame: Frame,
    now: String,
    unheard: usize,
    people: Vec<Row>,
}

/// Somebody, in words.
struct Row {
    name: String,
    is_heard: bool,
    channels: Vec<(&'static str, Option<String>)>,
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
    let people: Vec<Row> =
        room.desk.people(caller.scope.clone(), caller.onlooker(Way::Page)).await?.iter().map(|person| Row::new(person, now)).collect();
    let unheard = people.iter().filter(|row| !row.is_heard).count();
    Ok(Page { frame: Frame::new(room, Some(caller)), now: moment::day(now, "UTC"), unheard, people })
}

impl Row {
    fn new(person: &PersonView, now: Timestamp) -> Self {
        let ago = |at: Timestamp| format!("{} ago", moment::span(at, now));
        Self {
            name: person.name.clone(),
            is_heard: person.last_answered().is_some(),
            channels: person.channels.iter().map(|(medium, at)| (medium.as_str(), at.map(ago))).collect(),
        }
    }
}
