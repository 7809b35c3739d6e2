//! `GET /drills`: which drills begin by themselves, what became of the last ones, and which were missed.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use escalation::schedule::{Held, Outcome};
use station::schedules::{FormerView, ScheduleView, SiteView};

use super::{Frame, html, trouble};
use crate::caller::{Caller, Visitor};
use crate::moment;
use crate::problem::Problem;
use crate::roles::Action;
use crate::room::Room;

#[derive(Template)]
#[template(path = "drills.html")]
struct Page {
    frame: Frame,
    now: String,
    /// How many sites were missed last time, or had a drill that nobody answered.
    amiss: usize,
    schedules: Vec<Schedule>,
    former: Vec<Former>,
}

/// A site that was missed and is no longer scheduled, in words.
struct Former {
    schedule: String,
    name: String,
    missed: String,
}

/// A schedule, in words.
struct Schedule {
    id: String,
    when: String,
    sites: Vec<Line>,
}

/// One of its sites, in words.
struct Line {
    name: String,
    next: String,
    held: Option<LastHeld>,
    missed: String,
    counts: String,
    is_amiss: bool,
}

/// The last drill that was held, in words.
struct LastHeld {
    drill: String,
    words: String,
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
    let timetable = room.desk.schedules(caller.scope.clone()).await?;
    let schedules: Vec<Schedule> = timetable.schedules.iter().map(Schedule::from).collect();
    Ok(Page {
        frame: Frame::new(room, Some(caller)),
        now: moment::day(now, "UTC"),
        amiss: schedules.iter().flat_map(|schedule| &schedule.sites).filter(|site| site.is_amiss).count(),
        schedules,
        former: timetable.former.iter().map(Former::from).collect(),
    })
}

impl From<&FormerView> for Former {
    fn from(view: &FormerView) -> Self {
        let missed = format!("{}: {}", view.day, view.why.words());
        Self { schedule: view.schedule.to_string(), name: view.name.clone(), missed }
    }
}

impl From<&ScheduleView> for Schedule {
    fn from(view: &ScheduleView) -> Self {
        let ladder = view.device.as_ref().map_or_else(|| "the ladder of the site".to_owned(), |device| format!("the ladder of {device}"));
        Self {
            id: view.id.to_string(),
            when: format!("{} at {}, within {} minutes: {ladder}", view.on, view.at, view.minutes),
            sites: view.sites.iter().map(Line::from).collect(),
        }
    }
}

impl From<&SiteView> for Line {
    fn from(view: &SiteView) -> Self {
        let next = view.next.map(|next| moment::day(next, &view.timezone));
        let next = match (next, view.waits_for) {
            (Some(next), Some(why)) => format!("due since {next}, and waits: {}", why.words()),
            (Some(next), None) => next,
            (None, _) => "never".to_owned(),
        };
        let missed = view.last_missed.map(|(day, why)| format!("{day}: {}", why.words()));
        Self {
            name: view.name.clone(),
            next,
            held: view.last_held.as_ref().map(|held| LastHeld { drill: held.drill.to_string(), words: held_words(held) }),
            missed: missed.unwrap_or_else(|| "none".to_owned()),
            counts: format!("{} held, {} answered, {} not answered; {} missed", view.held, view.answered, view.unanswered, view.missed),
            is_amiss: view.needs_a_look(),
        }
    }
}

fn held_words(held: &Held) -> String {
    let became = match held.outcome {
        Outcome::On => "is on",
        Outcome::Answered => "answered",
        Outcome::Unanswered => "NOT ANSWERED",
        Outcome::CutShort => "cut short",
    };
    format!("{}: {became}", held.day)
}
