//! Who read: what the record says of its readers, to those who may know.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use escalation::event::{Viewer, Way};
use escalation::id::ActivationId;
use escalation::time::Timestamp;
use serde::{Deserialize, Serialize};
use station::view::{ViewLine, ViewsAsked, ViewsPage};
use utoipa::ToSchema;

use super::shape::time;
use super::strict::Asked;
use crate::caller::Caller;
use crate::problem::{Document, Problem};
use crate::roles::Action;
use crate::room::Room;

/// How many lines a page has.
const LIMIT: u16 = 100;

/// Which page.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Turned {
    /// `next` of the page before; the newest where it is left out.
    page: Option<String>,
}

/// Who read, the newest first.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Views {
    views: Vec<Viewing>,
    /// What `page` takes to go on, also after a page with few lines or none; null where there is no more.
    next: Option<String>,
}

/// That somebody read something, so often within a window of at most an hour or so.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Viewing {
    /// The entry that says so.
    seq: u64,
    /// What was read: an activation's reference; people, duty, readers, entries or stream; others where it was more than could be kept apart.
    #[schema(example = "KAL-42")]
    of: String,
    /// Whose it is; null where it is of several customers, as is a list that a key of several customers reads. Only an unrestricted key is
    /// told of those.
    customer: Option<String>,
    site: Option<String>,
    /// The key or session; `os:` and a user of the machine; link for whoever has a responder's link. Null where they could not be kept apart.
    by: Option<String>,
    /// Whose link it was; null where a key or a session read.
    person: Option<String>,
    /// By which ways: page, api, bundle, link, views.
    how: Vec<&'static str>,
    /// How many times.
    count: u32,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String)]
    first: Timestamp,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String)]
    last: Timestamp,
}

/// Who read an activation, the newest first. That you asked is noted too.
#[utoipa::path(
    get, path = "/api/v1/activations/{id}/views",
    params(("id" = String, Path, description = "Its reference", example = "KAL-42"), Turned),
    responses(
        (status = 200, description = "Its readers", body = Views),
        (status = "4XX", description = "Refused", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn of(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Path(id): Path<String>,
    Asked(turned): Asked<Turned>,
) -> Result<Json<Views>, Problem> {
    caller.must(Action::SeeViews)?;
    let unknown = || Problem::not_found("activation with this reference");
    let id: ActivationId = id.parse().map_err(|_| unknown())?;
    room.desk.views(asked(&caller, Some(id), &turned)?).await?.map(|page| Json(Views::from(page))).ok_or_else(unknown)
}

/// Who read anything within the key's scope, the newest first. That you asked is noted too.
#[utoipa::path(
    get, path = "/api/v1/views", params(Turned),
    responses(
        (status = 200, description = "The readers", body = Views),
        (status = "4XX", description = "Refused", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(State(room): State<Arc<Room>>, caller: Caller, Asked(turned): Asked<Turned>) -> Result<Json<Views>, Problem> {
    caller.must(Action::SeeViews)?;
    let page = room.desk.views(asked(&caller, None, &turned)?).await?;
    page.map(|page| Json(Views::from(page))).ok_or_else(|| Problem::not_found("record for this key"))
}

fn asked(caller: &Caller, of: Option<ActivationId>, turned: &Turned) -> Result<ViewsAsked, Problem> {
    let before = turned.page.as_deref().map(str::parse::<u64>).transpose();
    let before = before.map_err(|_| Problem::bad_request("\"page\" is the `next` of the page before; leave it out for the newest."))?;
    Ok(ViewsAsked { of, scope: caller.scope.clone(), onlooker: caller.onlooker(Way::Views), before, limit: LIMIT })
}

impl From<ViewsPage> for Views {
    fn from(page: ViewsPage) -> Self {
        Self { views: page.views.into_iter().map(Viewing::from).collect(), next: page.next.map(|seq| seq.to_string()) }
    }
}

impl From<ViewLine> for Viewing {
    fn from(line: ViewLine) -> Self {
        let ViewLine { seq, said, at: _ } = line;
        let (by, person) = match said.by {
            Some(Viewer::Principal(principal)) => (Some(principal), None),
            Some(Viewer::Link(person)) => (Some("link".to_owned()), Some(person.to_string())),
            None => (None, None),
        };
        Self {
            seq,
            of: said.of.name(),
            customer: said.cust.map(|customer| customer.to_string()),
            site: said.site.map(|site| site.to_string()),
            by,
            person,
            how: said.how.iter().map(|way| way.as_str()).collect(),
            count: said.count,
            first: said.first,
            last: said.last,
        }
    }
}
