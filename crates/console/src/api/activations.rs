//! Raising activations and looking at them.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use escalation::event::Way;
use escalation::id::{ActivationId, SiteId};
use escalation::rejection::Rejection;
use escalation::signal::Kind;
use escalation::time::Timestamp;
use escalation::verdict::Verdict;
use serde::{Deserialize, Serialize};
use station::desk::RaiseRequest;
use station::view::Query;
use utoipa::ToSchema;

use super::act;
use super::shape::{Activation, ActivationPage, FullActivation};
use super::strict::{Asked, Strict};
use crate::caller::Caller;
use crate::problem::{Document, Problem};
use crate::roles::Action;
use crate::room::Room;

/// The longest note, in bytes.
pub(crate) const NOTE_MAX: usize = 2_000;
/// The longest name of a person who acts, in bytes.
pub(crate) const NAME_MAX: usize = 200;
/// The longest id a caller may give a press, in bytes (escalation, `Signal::id`).
const ID_MAX: usize = 128;
/// How many activations a page has where nobody said.
const LIMIT: u16 = 50;
/// How many it has at most.
const LIMIT_MAX: u16 = 200;

/// A press by an app, or by someone on another's behalf.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct RaiseBody {
    /// At which site.
    site: String,
    /// Which device there; this or `place`. A name that nobody registered is an unregistered device, and alarms.
    device: Option<String>,
    /// Where there; this or `device`.
    place: Option<String>,
    /// duress, panic, medical or assist; else the device's own.
    #[schema(value_type = Option<String>)]
    kind: Option<Kind>,
    /// Words with it, at most 2,000 bytes.
    note: Option<String>,
    /// Your id for this press, at most 128 bytes: the same again joins what it raised.
    id: Option<String>,
    /// Who presses, as you know them.
    by: Option<String>,
}

/// What a press became.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Raised {
    /// The activation it raised or joined.
    activation: Option<String>,
    /// The entry that made it durable.
    seq: u64,
}

/// Which activations.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct ListQuery {
    /// Only open or only closed ones.
    state: Option<OpenOrClosed>,
    /// Only this site.
    site: Option<String>,
    /// Raised at or after, RFC 3339.
    #[param(value_type = Option<String>)]
    from: Option<Timestamp>,
    /// Raised before, RFC 3339.
    #[param(value_type = Option<String>)]
    to: Option<Timestamp>,
    /// From the page before.
    cursor: Option<String>,
    /// How many, 1 to 200; 50 where not said.
    limit: Option<u16>,
}

/// Half of all states.
#[derive(Clone, Copy, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OpenOrClosed {
    /// Not closed.
    Open,
    /// Closed.
    Closed,
}

/// Raises an activation. Answers only once it is durable.
#[utoipa::path(
    post, path = "/api/v1/activations", request_body = RaiseBody,
    responses(
        (status = 201, description = "It is durable: raised, or joined to what the same press raised before", body = Raised),
        (status = "4XX", description = "Refused; nothing was recorded", body = Document, content_type = "application/problem+json"),
        (status = 503, description = "Not taken; send it again", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn raise(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Strict { value, bytes }: Strict<RaiseBody>,
) -> Result<Response, Problem> {
    caller.must(Action::Raise)?;
    let request = raise_request(&caller, value, bytes.to_vec())?;
    match room.desk.raise(request).await? {
        Verdict::Durable(outcome) => {
            let activation = outcome.activation.map(|id| id.to_string());
            let location = activation.as_deref().and_then(|id| HeaderValue::try_from(format!("/api/v1/activations/{id}")).ok());
            let raised = Raised { activation, seq: outcome.seq };
            let mut response = (StatusCode::CREATED, Json(raised)).into_response();
            if let Some(location) = location {
                response.headers_mut().insert(header::LOCATION, location);
            }
            Ok(response)
        }
        Verdict::Refused(Rejection::UnknownPlace) => Err(Problem::not_found("site or device")),
        Verdict::Refused(why) => Err(act::refusal(&room, &caller, why).await),
        Verdict::NotTaken(why) => Err(why.into()),
    }
}

fn raise_request(caller: &Caller, asked: RaiseBody, body: Vec<u8>) -> Result<RaiseRequest, Problem> {
    let device = match (asked.device, asked.place) {
        (Some(device), None) => device,
        (None, Some(place)) => place,
        (Some(_), Some(_)) | (None, None) => {
            return Err(Problem::bad_request("Say either \"device\" or \"place\", not both. Nothing was recorded."));
        }
    };
    fits("device or place", Some(&device), NAME_MAX)?;
    fits("note", asked.note.as_deref(), NOTE_MAX)?;
    fits("id", asked.id.as_deref(), ID_MAX)?;
    fits("by", asked.by.as_deref(), NAME_MAX)?;
    Ok(RaiseRequest {
        principal: caller.principal.clone(),
        actor: asked.by,
        scope: caller.scope.clone(),
        site: SiteId::parse(&asked.site).map_err(|why| Problem::bad_request(format!("\"site\": {why}.")))?,
        device,
        kind: asked.kind,
        note: asked.note,
        id: asked.id,
        body,
    })
}

/// Refuses a text that is empty or longer than `most` bytes.
pub(crate) fn fits(field: &str, text: Option<&str>, most: usize) -> Result<(), Problem> {
    match text {
        Some(text) if text.trim().is_empty() || text.len() > most => {
            Err(Problem::bad_request(format!("\"{field}\" has 1 to {most} bytes. Nothing was recorded.")))
        }
        Some(_) | None => Ok(()),
    }
}

/// Lists activations, newest first.
#[utoipa::path(
    get, path = "/api/v1/activations", params(ListQuery),
    responses(
        (status = 200, description = "A page", body = ActivationPage),
        (status = "4XX", description = "Refused", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Asked(asked): Asked<ListQuery>,
) -> Result<Json<ActivationPage>, Problem> {
    caller.must(Action::See)?;
    let limit = asked.limit.unwrap_or(LIMIT);
    if !(1..=LIMIT_MAX).contains(&limit) {
        return Err(Problem::bad_request(format!("\"limit\" is 1 to {LIMIT_MAX}.")));
    }
    let site = asked.site.as_deref().map(SiteId::parse).transpose();
    let page = room
        .desk
        .list(Query {
            scope: caller.scope,
            open: asked.state.map(|state| match state {
                OpenOrClosed::Open => true,
                OpenOrClosed::Closed => false,
            }),
            site: site.map_err(|why| Problem::bad_request(format!("\"site\": {why}.")))?,
            from: asked.from,
            to: asked.to,
            cursor: asked.cursor,
            limit,
        })
        .await?;
    Ok(Json(ActivationPage { activations: page.cards.iter().map(Activation::from).collect(), next_cursor: page.next_cursor }))
}

/// One activation in full. `ETag` is its `seq`, for `If-Match`.
#[utoipa::path(
    get, path = "/api/v1/activations/{id}", params(("id" = String, Path, description = "Its reference", example = "KAL-42")),
    responses(
        (status = 200, description = "The activation", body = FullActivation),
        (status = "4XX", description = "Refused", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn one(State(room): State<Arc<Room>>, caller: Caller, Path(id): Path<String>) -> Result<Response, Problem> {
    caller.must(Action::See)?;
    let unknown = || Problem::not_found("activation with this reference");
    let id: ActivationId = id.parse().map_err(|_| unknown())?;
    let detail = room.desk.activation(id, caller.scope.clone(), caller.onlooker(Way::Api)).await?;
    let detail = detail.ok_or_else(unknown)?;
    let etag = format!("\"{}\"", detail.card.seq);
    Ok(([(header::ETAG, etag)], Json(FullActivation::from(&detail))).into_response())
}
