//! `GET /activations/{id}`: one activation with its ladder, every message and its history.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use escalation::event::Way;
use escalation::id::ActivationId;
use escalation::plan::Part;
use escalation::time::Timestamp;
use station::view::{Attempt, Detail, Line, PlanView, RungView, StepView, Taken, TargetView};

use super::row::{self, Row};
use super::seat::{self, Seat};
use super::{Frame, drill, html, queue, trouble};
use crate::caller::{Caller, Visitor};
use crate::moment;
use crate::problem::Problem;
use crate::roles::Action;
use crate::room::Room;

#[derive(Template)]
#[template(path = "activation.html")]
struct Page {
    frame: Frame,
    seats: Vec<Seat>,
    region: Region,
}

#[derive(Template)]
#[template(path = "activation_region.html")]
struct Region {
    csrf: String,
    back: &'static str,
    now: String,
    now_ms: i64,
    /// How many calls nobody has taken up, this one among them: the page sounds for each, and so does the queue.
    unowned: usize,
    /// How many of them are others.
    others: usize,
    row: Row,
    ladder: Vec<Step>,
    plan: Option<Plan>,
    sheet: Vec<drill::Line>,
    unreached: Vec<String>,
    attempts: Vec<Message>,
    history: Vec<Said>,
    endings: Vec<(&'static str, &'static str)>,
    thresholds: Vec<(usize, &'static str)>,
}

/// One rung in words.
struct Step {
    number: u16,
    wait_s: u32,
    need: String,
    stands: String,
    since: String,
    until_ms: i64,
    until_in: String,
    targets: Vec<String>,
}

/// The action plan in words.
struct Plan {
    title: String,
    parts: Vec<(&'static str, Vec<PlanStep>)>,
}

/// One step of it in words.
struct PlanStep {
    id: String,
    anchor: String,
    says: String,
    required: bool,
    done: bool,
    stands: String,
}

/// One message in words.
struct Message {
    at: String,
    to: String,
    medium: &'static str,
    purpose: String,
    outcome: &'static str,
    outcome_at: String,
    remarks: String,
}

/// One line of history in words.
struct Said {
    seq: u64,
    at: String,
    text: String,
}

pub(super) async fn page(State(room): State<Arc<Room>>, Visitor(caller): Visitor, Path(id): Path<String>) -> Response {
    let shown = async { Ok::<_, Problem>((look(&room, &caller, &id).await?, seat::seats(&room, &caller).await?)) };
    match shown.await {
        Ok((region, seats)) => html(StatusCode::OK, &Page { frame: Frame::new(&room, Some(&caller)), seats, region }),
        Err(problem) => trouble(&room, Some(&caller), problem, "/"),
    }
}

pub(super) async fn region(State(room): State<Arc<Room>>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    Ok(html(StatusCode::OK, &look(&room, &caller, &id).await?))
}

async fn look(room: &Room, caller: &Caller, id: &str) -> Result<Region, Problem> {
    caller.must(Action::See)?;
    let unknown = || Problem::not_found("activation with this reference");
    let id: ActivationId = id.parse().map_err(|_| unknown())?;
    let now = room.desk.turn().await?;
    let detail = room.desk.activation(id, caller.scope.clone(), caller.onlooker(Way::Page)).await?;
    let detail = detail.ok_or_else(unknown)?;
    let Detail { card, ladder, plan, sheet, attempts, history } = &detail;
    let zone = &card.timezone;
    let unowned = queue::unowned(room, caller).await?;
    let own = usize::from(card.drill.is_none() && row::is_unowned(card));
    Ok(Region {
        csrf: caller.csrf.clone(),
        back: "activation",
        now: moment::clock(now, zone),
        now_ms: now.as_millisecond(),
        unowned,
        others: unowned.saturating_sub(own),
        row: Row::new(card, now, caller),
        ladder: ladder.iter().map(|rung| step(rung, now, zone)).collect(),
        plan: plan.as_ref().map(|plan| followed(plan, zone)),
        sheet: sheet.as_ref().map(|sheet| drill::Line::all(sheet, zone)).unwrap_or_default(),
        unreached: sheet.as_ref().map(|sheet| sheet.unreached.clone()).unwrap_or_default(),
        attempts: attempts.iter().map(|attempt| message(attempt, zone)).collect(),
        history: history.iter().rev().map(|line| said(line, zone)).collect(),
        endings: row::endings(),
        thresholds: row::thresholds(),
    })
}

fn step(rung: &RungView, now: Timestamp, zone: &str) -> Step {
    let stands = match (rung.until, rung.entered_at, &rung.passed_over) {
        (Some(_), _, _) => "now".to_owned(),
        (None, _, Some(why)) => format!("passed over: {why}"),
        (None, Some(_), None) => "done".to_owned(),
        (None, None, None) => "to come".to_owned(),
    };
    Step {
        number: rung.number,
        wait_s: rung.wait_s,
        need: rung.need.as_ref().map_or_else(String::new, |need| format!(", {need} must accept")),
        stands,
        since: rung.entered_at.map(|at| moment::clock(at, zone)).unwrap_or_default(),
        until_ms: rung.until.map_or(0, Timestamp::as_millisecond),
        until_in: rung.until.map(|at| moment::span(now, at)).unwrap_or_default(),
        targets: rung.targets.iter().map(target).collect(),
    }
}

fn target(target: &TargetView) -> String {
    let together = |media: &Vec<escalation::ladder::Medium>| {
        let names: Vec<&str> = media.iter().map(|medium| medium.as_str()).collect();
        names.join(" and ")
    };
    let by: Vec<String> = target.by.iter().map(together).collect();
    let by = by.join(", then ");
    match &target.passed_over {
        Some(why) => format!("{} by {by}: passed over, {why}", target.name),
        None => format!("{} by {by}", target.name),
    }
}

fn followed(plan: &PlanView, zone: &str) -> Plan {
    let approved = if plan.approved_by.is_empty() { String::new() } else { format!(", approved by {}", plan.approved_by) };
    let steps = |part: Part| plan.steps.iter().filter(|view| view.id.part == part).map(|view| plan_step(view, zone)).collect::<Vec<_>>();
    let parts = [("Whoever goes", steps(Part::Responder)), ("The centre", steps(Part::Centre))];
    Plan {
        title: format!("{}, version {}{approved}", plan.id, plan.version),
        parts: parts.into_iter().filter(|(_, steps)| !steps.is_empty()).collect(),
    }
}

fn plan_step(view: &StepView, zone: &str) -> PlanStep {
    let stands = match &view.taken {
        None => String::new(),
        Some(Taken { by, at, skipped: None }) => format!("done by {by}, {}", moment::clock(*at, zone)),
        Some(Taken { by, at, skipped: Some(why) }) => format!("passed over by {by}, {}: {why}", moment::clock(*at, zone)),
    };
    PlanStep {
        id: view.id.to_string(),
        anchor: format!("step-{}-{}", view.id.part.as_str(), view.id.number),
        says: view.says.clone(),
        required: view.required,
        done: view.taken.as_ref().is_some_and(|taken| taken.skipped.is_none()),
        stands,
    }
}

fn message(attempt: &Attempt, zone: &str) -> Message {
    let mut remarks = Vec::new();
    remarks.extend(attempt.detail.clone());
    remarks.extend(attempt.provider.as_ref().map(|name| format!("through {name}")));
    if attempt.possible_duplicate {
        remarks.push("may have been sent twice".to_owned());
    }
    if attempt.late_ms >= 1_000 {
        remarks.push(format!("late by {} s", attempt.late_ms / 1_000));
    }
    Message {
        at: moment::clock(attempt.queued_at, zone),
        to: attempt.to.clone(),
        medium: attempt.medium.as_str(),
        purpose: attempt.purpose.as_str().replace('_', " "),
        outcome: attempt.outcome,
        outcome_at: attempt.outcome_at.map(|at| moment::clock(at, zone)).unwrap_or_default(),
        remarks: remarks.join("; "),
    }
}

fn said(line: &Line, zone: &str) -> Said {
    Said { seq: line.seq, at: moment::clock(line.at, zone), text: line.text.clone() }
}
