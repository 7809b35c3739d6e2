//! Buttons on test: which they are, how they come on it, and how they are taken off.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use escalation::id::SiteId;
use escalation::rejection::Rejection;
use escalation::time::{Seconds, Timestamp};
use escalation::verdict::Verdict;
use serde::{Deserialize, Serialize};
use station::desk::TestRequest;
use station::view::TestView;
use utoipa::ToSchema;

use super::act;
use super::activations::{NAME_MAX, fits};
use super::shape::time;
use super::strict::Strict;
use crate::caller::Caller;
use crate::problem::{Document, Problem};
use crate::roles::Action;
use crate::room::Room;

/// Buttons to be put on test.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestBody {
    /// At which site.
    site: String,
    /// Which buttons there, by id or by the name of their place; at most 200.
    devices: Vec<String>,
    /// Id or name of the person who presses them: they are asked by text whether it was they.
    tester: String,
    /// For how long at most, 1 to 60.
    minutes: u32,
    /// Id or name of the person who acts.
    by: Option<String>,
}

/// Buttons to be taken off test.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct TestOverBody {
    /// At which site.
    site: String,
    /// Which buttons there.
    devices: Vec<String>,
    /// Id or name of the person who acts.
    by: Option<String>,
}

/// What is on test in scope: one press of each asks its tester first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OnTest {
    tests: Vec<TestShape>,
}

/// One button on test.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct TestShape {
    customer: String,
    site: String,
    device: String,
    place: String,
    /// Who presses it.
    tester: String,
    /// Who put it on test.
    by: String,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String)]
    since: Timestamp,
    /// When it ends by itself, unless it is pressed before.
    #[serde(serialize_with = "time")]
    #[schema(value_type = String)]
    until: Timestamp,
    /// That is within five minutes.
    ends_soon: bool,
}

/// Lists the buttons on test in scope.
#[utoipa::path(
    get, path = "/api/v1/tests",
    responses(
        (status = 200, description = "The buttons on test", body = OnTest),
        (status = "4XX", description = "Refused", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(State(room): State<Arc<Room>>, caller: Caller) -> Result<Json<OnTest>, Problem> {
    caller.must(Action::See)?;
    on_test(&room, &caller).await
}

/// Puts buttons on test: all that are named, or none.
#[utoipa::path(
    post, path = "/api/v1/tests", request_body = TestBody,
    responses(
        (status = 200, description = "They are on test, durably", body = OnTest),
        (status = "4XX", description = "Refused; nothing was changed", body = Document, content_type = "application/problem+json"),
        (status = 503, description = "Not taken; send it again", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn start(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Strict { value, .. }: Strict<TestBody>,
) -> Result<Json<OnTest>, Problem> {
    let on = Some((value.tester, Seconds(value.minutes.saturating_mul(60))));
    perform(&room, &caller, &value.site, value.devices, on, value.by).await?;
    on_test(&room, &caller).await
}

/// Takes buttons off test.
#[utoipa::path(
    post, path = "/api/v1/tests/end", request_body = TestOverBody,
    responses(
        (status = 200, description = "They are not on test, durably", body = OnTest),
        (status = "4XX", description = "Refused; nothing was changed", body = Document, content_type = "application/problem+json"),
        (status = 503, description = "Not taken; send it again", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn end(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Strict { value, .. }: Strict<TestOverBody>,
) -> Result<Json<OnTest>, Problem> {
    perform(&room, &caller, &value.site, value.devices, None, value.by).await?;
    on_test(&room, &caller).await
}

/// Puts buttons on test or takes them off: for the API and, with the same care, for the page's forms.
pub(crate) async fn perform(
    room: &Room,
    caller: &Caller,
    site: &str,
    devices: Vec<String>,
    on: Option<(String, Seconds)>,
    actor: Option<String>,
) -> Result<(), Problem> {
    caller.must(Action::Test)?;
    fits("by", actor.as_deref(), NAME_MAX)?;
    fits("tester", on.as_ref().map(|(tester, _)| tester.as_str()), NAME_MAX)?;
    for device in &devices {
        fits("devices", Some(device), NAME_MAX)?;
    }
    let request = TestRequest {
        principal: caller.principal.clone(),
        actor,
        scope: caller.scope.clone(),
        site: SiteId::parse(site).map_err(|why| Problem::bad_request(format!("\"site\": {why}. Nothing was changed.")))?,
        devices,
        on,
    };
    match room.desk.test(request).await? {
        Verdict::Durable(_) => Ok(()),
        Verdict::Refused(Rejection::UnknownPlace) => Err(Problem::not_found("site, or button of that id or place")),
        Verdict::Refused(why) => Err(act::refusal(room, caller, why).await),
        Verdict::NotTaken(why) => Err(why.into()),
    }
}

async fn on_test(room: &Room, caller: &Caller) -> Result<Json<OnTest>, Problem> {
    let tests = room.desk.tests(caller.scope.clone()).await?;
    Ok(Json(OnTest { tests: tests.iter().map(TestShape::from).collect() }))
}

impl From<&TestView> for TestShape {
    fn from(test: &TestView) -> Self {
        Self {
            customer: test.customer.to_string(),
            site: test.device.site.to_string(),
            device: test.device.name.to_string(),
            place: test.place.clone(),
            tester: test.tester.clone(),
            by: test.by.clone(),
            since: test.since,
            until: test.until,
            ends_soon: test.ends_soon,
        }
    }
}
