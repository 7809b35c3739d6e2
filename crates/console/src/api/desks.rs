//! Desks: whether somebody is at the desk of a centre, said by whoever is.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use escalation::id::CentreId;
use escalation::rejection::Rejection;
use escalation::time::Timestamp;
use escalation::verdict::Verdict;
use serde::{Deserialize, Serialize};
use station::consoles::{DeskView, SeatRequest, WORD_HOLDS, Word};
use utoipa::ToSchema;

use super::act;
use super::shape::maybe_time;
use super::strict::{Asked, Strict};
use crate::caller::Caller;
use crate::problem::{Document, Problem};
use crate::roles::Action;
use crate::room::Room;

/// The longest name of a console, in bytes.
const CONSOLE_MAX: usize = 64;

/// Somebody is at a desk.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SeatBody {
    /// Tells the consoles of one key apart: letters, digits, `.`, `_` and `-`, at most 64. Name nobody in it. Left out, the key has one.
    #[serde(default)]
    #[schema(example = "left-screen")]
    console: String,
}

/// Which console leaves.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WhichConsole {
    /// Its name; left out: every console of this key.
    console: Option<String>,
}

/// The desks in scope.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Desks {
    /// After how many seconds a word lapses: say it again every third of that.
    holds_s: u64,
    desks: Vec<DeskShape>,
}

/// The desk of one centre.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct DeskShape {
    centre: String,
    name: String,
    /// Whether somebody says that they are there. A ladder passes over a desk that is not armed, in 0 s.
    armed: bool,
    /// Since when it is armed; null where it is not.
    #[serde(serialize_with = "maybe_time")]
    #[schema(value_type = Option<String>)]
    since: Option<Timestamp>,
    /// How many consoles say so. None yet where the station has just started and has it from its record.
    consoles: usize,
    /// Whether this key may arm it: its role does, and it sees all calls that come to the desk.
    may_arm: bool,
}

/// Lists the desks in scope: the centres without a webhook, whose operators look at the queue or follow the stream.
#[utoipa::path(
    get, path = "/api/v1/desks",
    responses(
        (status = 200, description = "The desks", body = Desks),
        (status = "4XX", description = "Refused", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(State(room): State<Arc<Room>>, caller: Caller) -> Result<Json<Desks>, Problem> {
    caller.must(Action::See)?;
    desks(&room, &caller).await
}

/// Says that somebody is at a desk, for the next 15 seconds. What is said again while it lasts is written nowhere.
#[utoipa::path(
    post, path = "/api/v1/desks/{centre}", request_body = SeatBody,
    params(("centre" = String, Path, description = "The centre's id", example = "westside")),
    responses(
        (status = 200, description = "It is armed, durably", body = Desks),
        (status = "4XX", description = "Refused; it is not armed by this", body = Document, content_type = "application/problem+json"),
        (status = 503, description = "Not taken: it counts as not armed; say it again", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn arm(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Path(centre): Path<String>,
    Strict { value, .. }: Strict<SeatBody>,
) -> Result<Json<Desks>, Problem> {
    say(&room, &caller, &centre, Word::Here(named(value.console)?)).await?;
    desks(&room, &caller).await
}

/// Says that a console leaves a desk. Where it was the last one the desk is not armed any more, at once.
#[utoipa::path(
    delete, path = "/api/v1/desks/{centre}",
    params(
        ("centre" = String, Path, description = "The centre's id", example = "westside"),
        ("console" = Option<String>, Query, description = "Which console leaves; left out: every console of this key"),
    ),
    responses(
        (status = 200, description = "It has left, durably", body = Desks),
        (status = "4XX", description = "Refused; nothing was changed", body = Document, content_type = "application/problem+json"),
        (status = 503, description = "Not taken; it lapses by itself", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn leave(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Path(centre): Path<String>,
    Asked(WhichConsole { console }): Asked<WhichConsole>,
) -> Result<Json<Desks>, Problem> {
    say(&room, &caller, &centre, Word::Gone(console.map(named).transpose()?)).await?;
    desks(&room, &caller).await
}

async fn say(room: &Room, caller: &Caller, centre: &str, word: Word) -> Result<(), Problem> {
    caller.must(Action::Arm)?;
    let unknown = || Problem::not_found("centre of that id without a webhook");
    let centre = CentreId::parse(centre).map_err(|_why| unknown())?;
    let request = SeatRequest { principal: caller.principal.clone(), scope: caller.scope.clone(), centre, word };
    match room.desk.seat(request).await? {
        Verdict::Durable(_) => Ok(()),
        Verdict::Refused(Rejection::UnknownDesk) => Err(unknown()),
        Verdict::Refused(why) => Err(act::refusal(room, caller, why).await),
        Verdict::NotTaken(why) => Err(why.into()),
    }
}

fn named(console: String) -> Result<String, Problem> {
    let is_plain = console.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-'));
    if is_plain && console.len() <= CONSOLE_MAX {
        return Ok(console);
    }
    Err(Problem::bad_request("\"console\": letters, digits, '.', '_' and '-', at most 64 of them. Nothing was changed."))
}

async fn desks(room: &Room, caller: &Caller) -> Result<Json<Desks>, Problem> {
    let desks = room.desk.desks(caller.scope.clone()).await?;
    Ok(Json(Desks { holds_s: WORD_HOLDS.as_secs(), desks: desks.into_iter().map(|desk| DeskShape::new(desk, caller)).collect() }))
}

impl DeskShape {
    fn new(desk: DeskView, caller: &Caller) -> Self {
        let DeskView { centre, name, armed_since, consoles, may_arm } = desk;
        Self {
            centre: centre.to_string(),
            name,
            armed: armed_since.is_some(),
            since: armed_since,
            consoles,
            may_arm: may_arm && caller.role.may(Action::Arm),
        }
    }
}
