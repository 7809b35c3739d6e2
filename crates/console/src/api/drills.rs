//! Drills: how one is started, and what came of it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use escalation::event::Way;
use escalation::id::{ActivationId, SiteId};
use escalation::rejection::Rejection;
use escalation::schedule::{Held, Outcome as Became};
use escalation::time::{Seconds, Timestamp};
use escalation::verdict::{Outcome, Verdict};
use serde::{Deserialize, Serialize};
use station::desk::DrillRequest;
use station::schedules::{FormerView, Reason, ScheduleView, SiteView};
use station::view::{Answered, Attempt, Card, Sheet, Told};
use utoipa::ToSchema;

use super::act;
use super::activations::{NAME_MAX, NOTE_MAX, fits};
use super::shape::{Activation, maybe_time, time};
use super::strict::Strict;
use crate::caller::Caller;
use crate::problem::{Document, Problem};
use crate::roles::Action;
use crate::room::Room;

/// How long a drill lasts where nobody says, in minutes: as long as it may.
const MINUTES: u32 = 60;

/// A ladder to be drilled.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DrillBody {
    /// At which site.
    pub(crate) site: String,
    /// The ladder of which button there, by id or by the name of its place; the site's own where not said.
    pub(crate) device: Option<String>,
    /// For how long at most, 1 to 60; 60 where not said.
    pub(crate) minutes: Option<u32>,
    /// What it is for, at most 2,000 bytes.
    pub(crate) note: Option<String>,
    /// Id or name of the person who acts.
    pub(crate) by: Option<String>,
}

/// A drill that has begun.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Started {
    /// Its reference. It is an activation, and every act on activations that fits a drill works on it.
    #[schema(example = "KAL-42")]
    drill: String,
    /// The entry that made it durable.
    seq: u64,
}

/// What came of a drill.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ResultSheet {
    /// The drill as it stands.
    drill: Activation,
    /// Who started it.
    started_by: String,
    /// Everybody who was told, in order.
    told: Vec<ToldShape>,
    /// How many of them have answered.
    answered: usize,
    /// How many have not.
    unanswered: usize,
    /// How many messages did not get through, or are not known to have: failed, undelivered, without a receipt that was promised, or,
    /// once it is over, without any word.
    lost: usize,
    /// Steps and people that it came to and could not reach, and why.
    unreached: Vec<String>,
    /// The operator who claimed it first. It answers for no centre: of which one they are is not recorded.
    claimed_by: Option<String>,
    /// It is over, somebody was told, everybody told has answered, and nothing was lost or unreached.
    complete: bool,
}

/// Somebody who was told.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ToldShape {
    /// A person's name, or a centre's.
    name: String,
    /// On which rung, from 1; 0 for who was told beside somebody's answer.
    rung: u16,
    /// When it was their turn.
    #[serde(serialize_with = "time")]
    #[schema(value_type = String)]
    at: Timestamp,
    /// Each message that called them. Empty for a centre that watches the desk.
    messages: Vec<MessageShape>,
    /// Their first answer; null where there is none. Delivered is not answered.
    answer: Option<AnswerShape>,
}

/// One message that called somebody.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct MessageShape {
    /// sms, email, voice or webhook.
    by: &'static str,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String)]
    at: Timestamp,
    /// When a provider took it.
    #[serde(serialize_with = "maybe_time")]
    #[schema(value_type = Option<String>)]
    taken_at: Option<Timestamp>,
    /// When the provider said that it had arrived.
    #[serde(serialize_with = "maybe_time")]
    #[schema(value_type = Option<String>)]
    delivered_at: Option<Timestamp>,
    /// queued, accepted, delivered, undelivered, failed, no receipt, or, once it is over, not known.
    outcome: &'static str,
    /// Code or reason, where there is one.
    detail: Option<String>,
}

/// Somebody's first answer.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AnswerShape {
    #[serde(serialize_with = "time")]
    #[schema(value_type = String)]
    at: Timestamp,
    /// How long after it was their turn, in milliseconds.
    after_ms: u64,
    /// going, verifying or cannot.
    what: &'static str,
    /// sms, voice, link or api; by the API it is somebody's word for theirs.
    by: &'static str,
}

/// The schedules in scope.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Schedules {
    schedules: Vec<ScheduleShape>,
    /// What was missed last at sites that are no longer scheduled.
    no_longer_scheduled: Vec<FormerSite>,
}

/// A site that was missed, and is not on that schedule any more.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FormerSite {
    schedule: String,
    customer: String,
    id: String,
    name: String,
    last_missed: MissedShape,
}

/// A schedule by which drills begin by themselves.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ScheduleShape {
    #[schema(example = "spring")]
    id: String,
    customer: String,
    /// On which days.
    #[schema(example = "first tue")]
    on: String,
    /// When its window opens, by the clock on each site's wall.
    #[schema(example = "10:00")]
    at: String,
    /// In how many minutes the drills of all of its sites begin.
    minutes: u32,
    /// The ladder of which button; null is the site's own.
    device: Option<String>,
    /// Its sites that this key may see.
    sites: Vec<ScheduledSite>,
}

/// One site of a schedule, and what came of its drills.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ScheduledSite {
    id: String,
    name: String,
    timezone: String,
    /// When it is drilled next; in the past where it is due and waits.
    #[serde(serialize_with = "maybe_time")]
    #[schema(value_type = Option<String>)]
    next: Option<Timestamp>,
    /// What it waits for, in the words of `last_missed`; null where nothing stands in its way.
    #[schema(value_type = Option<String>)]
    waits_for: Option<Reason>,
    last_held: Option<HeldShape>,
    last_missed: Option<MissedShape>,
    /// How many were held, since the site is on the schedule.
    held: u32,
    /// How many of those somebody answered.
    answered: u32,
    /// How many of those nobody did.
    unanswered: u32,
    /// How many were missed.
    missed: u32,
}

/// The last drill that was held.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct HeldShape {
    /// Its reference.
    drill: String,
    /// The day there.
    day: String,
    /// on, answered, unanswered or `cut_short`: by a call, or by whoever closed it.
    #[schema(value_type = String)]
    outcome: Became,
}

/// The last day that was missed. It was not held afterwards.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct MissedShape {
    /// The day there.
    day: String,
    /// down, `call_open`, `just_closed`, `drill_open`, `too_many_drills`, crowded, `on_test`, `out_of_service`, `record_lost`, clock,
    /// `no_such_place`, changed or passed; waits, where it is of something that may be outside of the sites of a key.
    #[schema(value_type = String)]
    why: Reason,
}

/// Lists the schedules in scope: what is due next, what was held and what was missed, and why.
#[utoipa::path(
    get, path = "/api/v1/drills",
    responses(
        (status = 200, description = "The schedules", body = Schedules),
        (status = "4XX", description = "Refused", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(State(room): State<Arc<Room>>, caller: Caller) -> Result<Json<Schedules>, Problem> {
    caller.must(Action::See)?;
    let timetable = room.desk.schedules(caller.scope).await?;
    Ok(Json(Schedules {
        schedules: timetable.schedules.iter().map(ScheduleShape::from).collect(),
        no_longer_scheduled: timetable.former.iter().map(FormerSite::from).collect(),
    }))
}

/// Starts a drill: the ladder's people are told as for a real press, in messages that say DRILL.
#[utoipa::path(
    post, path = "/api/v1/drills", request_body = DrillBody,
    responses(
        (status = 201, description = "It has begun, durably", body = Started),
        (status = "4XX", description = "Refused; nobody was told", body = Document, content_type = "application/problem+json"),
        (status = 503, description = "Not taken; look whether it has begun before you send it again", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn start(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Strict { value, .. }: Strict<DrillBody>,
) -> Result<Response, Problem> {
    let outcome = perform(&room, &caller, value).await?;
    let drill = outcome.activation.map(|id| id.to_string()).unwrap_or_default();
    let location = HeaderValue::try_from(format!("/api/v1/drills/{drill}"));
    let mut response = (StatusCode::CREATED, Json(Started { drill, seq: outcome.seq })).into_response();
    if let Ok(location) = location {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// The result sheet of a drill, while it is on and afterwards.
#[utoipa::path(
    get, path = "/api/v1/drills/{drill}", params(("drill" = String, Path, description = "Its reference", example = "KAL-42")),
    responses(
        (status = 200, description = "Who was told, by what and when, who answered and who did not", body = ResultSheet),
        (status = "4XX", description = "Refused", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn sheet(State(room): State<Arc<Room>>, caller: Caller, Path(id): Path<String>) -> Result<Json<ResultSheet>, Problem> {
    caller.must(Action::See)?;
    let unknown = || Problem::not_found("drill with this reference");
    let id: ActivationId = id.parse().map_err(|_| unknown())?;
    // Of what is no drill nothing is shown here, and so nothing is noted.
    room.desk.card(id.clone(), caller.scope.clone()).await?.filter(|card| card.drill.is_some()).ok_or_else(unknown)?;
    let detail = room.desk.activation(id, caller.scope.clone(), caller.onlooker(Way::Api)).await?.ok_or_else(unknown)?;
    let sheet = detail.sheet.as_ref().ok_or_else(unknown)?;
    Ok(Json(ResultSheet::new(&detail.card, sheet)))
}

/// Starts one: for the API and, with the same care, for the page's form.
pub(crate) async fn perform(room: &Room, caller: &Caller, asked: DrillBody) -> Result<Outcome, Problem> {
    caller.must(Action::Drill)?;
    fits("by", asked.by.as_deref(), NAME_MAX)?;
    fits("device", asked.device.as_deref(), NAME_MAX)?;
    fits("note", asked.note.as_deref(), NOTE_MAX)?;
    let request = DrillRequest {
        principal: caller.principal.clone(),
        actor: asked.by,
        scope: caller.scope.clone(),
        site: SiteId::parse(&asked.site).map_err(|why| Problem::bad_request(format!("\"site\": {why}. Nobody was told.")))?,
        device: asked.device,
        span: Seconds(asked.minutes.unwrap_or(MINUTES).saturating_mul(60)),
        note: asked.note,
    };
    match room.desk.drill(request).await? {
        Verdict::Durable(outcome) => Ok(outcome),
        Verdict::Refused(Rejection::UnknownPlace) => Err(Problem::not_found("site, or button of that id or place")),
        Verdict::Refused(why) => Err(act::refusal(room, caller, why).await),
        Verdict::NotTaken(why) => Err(why.into()),
    }
}

impl ResultSheet {
    fn new(card: &Card, sheet: &Sheet) -> Self {
        let answered = sheet.told.iter().filter(|told| told.answered.is_some()).count();
        let lost = sheet.told.iter().flat_map(|told| &told.written).filter(|written| written.is_lost()).count();
        Self {
            drill: Activation::from(card),
            started_by: sheet.by.clone(),
            told: sheet.told.iter().map(ToldShape::from).collect(),
            answered,
            unanswered: sheet.told.len().saturating_sub(answered),
            lost,
            unreached: sheet.unreached.clone(),
            claimed_by: sheet.claimed_by.clone(),
            complete: sheet.over && answered > 0 && answered == sheet.told.len() && lost == 0 && sheet.unreached.is_empty(),
        }
    }
}

impl From<&ScheduleView> for ScheduleShape {
    fn from(schedule: &ScheduleView) -> Self {
        Self {
            id: schedule.id.to_string(),
            customer: schedule.customer.to_string(),
            on: schedule.on.clone(),
            at: schedule.at.clone(),
            minutes: schedule.minutes,
            device: schedule.device.as_ref().map(ToString::to_string),
            sites: schedule.sites.iter().map(ScheduledSite::from).collect(),
        }
    }
}

impl From<&FormerView> for FormerSite {
    fn from(former: &FormerView) -> Self {
        Self {
            schedule: former.schedule.to_string(),
            customer: former.customer.to_string(),
            id: former.site.to_string(),
            name: former.name.clone(),
            last_missed: MissedShape { day: former.day.to_string(), why: former.why },
        }
    }
}

impl From<&SiteView> for ScheduledSite {
    fn from(site: &SiteView) -> Self {
        let held = |held: &Held| HeldShape { drill: held.drill.to_string(), day: held.day.to_string(), outcome: held.outcome };
        Self {
            id: site.id.to_string(),
            name: site.name.clone(),
            timezone: site.timezone.clone(),
            next: site.next,
            waits_for: site.waits_for,
            last_held: site.last_held.as_ref().map(held),
            last_missed: site.last_missed.map(|(day, why)| MissedShape { day: day.to_string(), why }),
            held: site.held,
            answered: site.answered,
            unanswered: site.unanswered,
            missed: site.missed,
        }
    }
}

impl From<&Told> for ToldShape {
    fn from(told: &Told) -> Self {
        Self {
            name: told.name.clone(),
            rung: told.rung,
            at: told.at,
            messages: told.written.iter().map(MessageShape::from).collect(),
            answer: told.answered.as_ref().map(AnswerShape::from),
        }
    }
}

impl From<&Attempt> for MessageShape {
    fn from(written: &Attempt) -> Self {
        Self {
            by: written.medium.as_str(),
            at: written.queued_at,
            taken_at: written.taken_at,
            delivered_at: written.delivered_at,
            outcome: written.outcome,
            detail: written.detail.clone(),
        }
    }
}

impl From<&Answered> for AnswerShape {
    fn from(answered: &Answered) -> Self {
        Self { at: answered.at, after_ms: answered.after_ms, what: answered.what, by: answered.via }
    }
}
