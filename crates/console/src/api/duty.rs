//! Who is on duty, and who stands in for whom.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use escalation::event::{ViewOf, Way};
use escalation::id::RosterId;
use escalation::input::Moment;
use escalation::rejection::Rejection;
use escalation::roster::How;
use escalation::time::Timestamp;
use escalation::verdict::Verdict;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};
use station::duty::{Change, RosterView, StandInRequest, StandInView};
use utoipa::ToSchema;

use super::act;
use super::activations::{NAME_MAX, fits};
use super::shape::{maybe_time, time};
use super::strict::Strict;
use crate::caller::Caller;
use crate::problem::{Document, Problem};
use crate::roles::Action;
use crate::room::Room;

/// Somebody to stand in.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StandInBody {
    /// On which roster.
    roster: String,
    /// Who would be on duty: id or name.
    off: String,
    /// Who is instead: id or name.
    on: String,
    /// From when; left out it is at once. `2026-12-24 18:00` by the roster's clock, or an instant like `2026-12-24T10:00:00Z`.
    from: Option<String>,
    /// Until when, written the same way.
    until: String,
    /// Id or name of the person who acts.
    by: Option<String>,
}

/// Somebody to be back on duty.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StandInOverBody {
    /// On which roster.
    roster: String,
    /// Who was stood in for: id or name.
    off: String,
    /// From when that was, as it is listed.
    from: String,
    /// Id or name of the person who acts.
    by: Option<String>,
}

/// The rosters in scope, and who is on duty.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OnDuty {
    rosters: Vec<RosterShape>,
}

/// One roster.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct RosterShape {
    id: String,
    timezone: String,
    /// Whoever is on duty now. Empty: nobody is, and a rung that names this roster is passed over.
    on_duty: Vec<String>,
    /// Until when at least; null is for good.
    #[serde(serialize_with = "maybe_time")]
    #[schema(value_type = Option<String>)]
    until: Option<Timestamp>,
    /// Who stands in, now or later.
    stand_ins: Vec<StandInShape>,
    /// Whether this key reaches everything that the roster is for, and may say who stands in.
    may_change: bool,
}

/// Somebody stands in.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct StandInShape {
    off: String,
    on: String,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String)]
    from: Timestamp,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String)]
    until: Timestamp,
    /// Who said so.
    by: String,
    /// Whether whoever stands in is on duty instead.
    counts: bool,
    /// Whether both are on duty: there would be one person fewer otherwise, or a rung could not tell whoever stands in. Where neither
    /// this nor `counts` is true, whoever would be on duty is so alone: whoever stands in has left the directory, can be told by no
    /// rung, or belongs to another customer by now, or the roster is for others as well.
    both: bool,
}

/// Lists the rosters in scope, who is on duty now, and who stands in.
#[utoipa::path(
    get, path = "/api/v1/duty",
    responses(
        (status = 200, description = "The rosters", body = OnDuty),
        (status = "4XX", description = "Refused", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(State(room): State<Arc<Room>>, caller: Caller) -> Result<Json<OnDuty>, Problem> {
    caller.must(Action::See)?;
    room.desk.seen(ViewOf::Duty, caller.scope.clone(), caller.onlooker(Way::Api)).await?;
    on_duty(&room, &caller).await
}

/// Puts one person in the place of another for a stated time.
#[utoipa::path(
    post, path = "/api/v1/duty/stand-ins", request_body = StandInBody,
    responses(
        (status = 200, description = "It counts, durably", body = OnDuty),
        (status = "4XX", description = "Refused; nothing was changed", body = Document, content_type = "application/problem+json"),
        (status = 503, description = "Not taken; send it again", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn stand_in(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Strict { value, .. }: Strict<StandInBody>,
) -> Result<Json<OnDuty>, Problem> {
    let change = stands_in(value.on, value.from.as_deref(), &value.until)?;
    perform(&room, &caller, &value.roster, value.off, change, value.by).await?;
    on_duty(&room, &caller).await
}

/// Puts whoever was stood in for back on duty.
#[utoipa::path(
    post, path = "/api/v1/duty/stand-ins/end", request_body = StandInOverBody,
    responses(
        (status = 200, description = "They are on duty again, durably", body = OnDuty),
        (status = "4XX", description = "Refused; nothing was changed", body = Document, content_type = "application/problem+json"),
        (status = 503, description = "Not taken; send it again", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn end(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Strict { value, .. }: Strict<StandInOverBody>,
) -> Result<Json<OnDuty>, Problem> {
    perform(&room, &caller, &value.roster, value.off, back(&value.from)?, value.by).await?;
    on_duty(&room, &caller).await
}

/// What a caller says of somebody who stands in.
pub(crate) fn stands_in(on: String, from: Option<&str>, until: &str) -> Result<Change, Problem> {
    let from = from.map(str::trim).filter(|from| !from.is_empty()).map(|from| moment("from", from)).transpose()?;
    Ok(Change::StandIn { on, from, until: moment("until", until.trim())? })
}

/// What a caller says of somebody who is back on duty.
pub(crate) fn back(from: &str) -> Result<Change, Problem> {
    match from.trim().parse() {
        Ok(from) => Ok(Change::Back { from }),
        Err(_not_an_instant) => Err(Problem::bad_request("\"from\": write it as it is listed. Nothing was changed.".to_owned())),
    }
}

fn moment(field: &str, text: &str) -> Result<Moment, Problem> {
    // An instant says its zone; a time without one is by the roster's clock, also where a form wrote it.
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Moment::Instant(at));
    }
    // A zone in brackets would be passed over, and a date alone is its first moment, which few mean.
    let is_whole = text.contains(':') && !text.contains('[');
    text.parse::<DateTime>().ok().filter(|_| is_whole).map(Moment::Wall).ok_or_else(|| {
        Problem::bad_request(format!(
            "\"{field}\": write a time by the roster's clock like 2026-12-24 18:00, or an instant like 2026-12-24T10:00:00Z. Nothing was changed."
        ))
    })
}

/// Says who stands in, or who is back: for the API and, with the same care, for the page's forms.
pub(crate) async fn perform(
    room: &Room,
    caller: &Caller,
    roster: &str,
    off: String,
    change: Change,
    actor: Option<String>,
) -> Result<(), Problem> {
    caller.must(Action::StandIn)?;
    fits("by", actor.as_deref(), NAME_MAX)?;
    fits("off", Some(&off), NAME_MAX)?;
    if let Change::StandIn { on, .. } = &change {
        fits("on", Some(on), NAME_MAX)?;
    }
    let request = StandInRequest {
        principal: caller.principal.clone(),
        actor,
        scope: caller.scope.clone(),
        roster: RosterId::parse(roster.trim()).map_err(|why| Problem::bad_request(format!("\"roster\": {why}. Nothing was changed.")))?,
        off,
        change,
    };
    match room.desk.stand_in(request).await? {
        Verdict::Durable(_) => {
            (room.look_again)();
            Ok(())
        }
        Verdict::Refused(Rejection::UnknownRoster) => Err(Problem::not_found("roster of that id")),
        Verdict::Refused(why) => Err(act::refusal(room, caller, why).await),
        Verdict::NotTaken(why) => Err(why.into()),
    }
}

async fn on_duty(room: &Room, caller: &Caller) -> Result<Json<OnDuty>, Problem> {
    let rosters = room.desk.duty(caller.scope.clone()).await?;
    Ok(Json(OnDuty { rosters: rosters.iter().map(|roster| RosterShape::new(roster, caller)).collect() }))
}

impl RosterShape {
    fn new(roster: &RosterView, caller: &Caller) -> Self {
        Self {
            id: roster.id.to_string(),
            timezone: roster.timezone.clone(),
            on_duty: roster.on_duty.clone(),
            until: roster.until,
            stand_ins: roster.stand_ins.iter().map(StandInShape::from).collect(),
            may_change: roster.may_change && caller.role.may(Action::StandIn),
        }
    }
}

impl From<&StandInView> for StandInShape {
    fn from(view: &StandInView) -> Self {
        let StandInView { off, on, from, until, by, counts, off_id: _ } = view.clone();
        Self { off, on, from, until, by, counts: counts == Some(How::Instead), both: counts == Some(How::Beside) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_an_instant_or_one_of_the_rosters_clock() {
        let at = |text: &str| moment("until", text).ok();
        let wall = Moment::Wall(jiff::civil::date(2026, 12, 24).at(18, 0, 0, 0));
        assert_eq!(at("2026-12-24 18:00"), Some(wall));
        assert_eq!(at("2026-12-24T18:00"), Some(wall));
        let instant = "2026-12-24T10:00:00Z".parse().unwrap();
        assert_eq!(at("2026-12-24T18:00+08:00"), Some(Moment::Instant(instant)));
        assert_eq!(at("2026-12-24T10:00:00Z"), Some(Moment::Instant(instant)));
        for wrong in ["", "tonight", "18:00", "24/12/2026 18:00", "2026-12-24 25:00", "2026-12-24", "2026-12-24T18:00[Australia/Sydney]"] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }
}
