//! Devices, people and troubles, read only.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use escalation::event::Way;

use super::shape::{Device, Devices, People, Person, Trouble, Troubles};
use crate::caller::Caller;
use crate::problem::{Document, Problem};
use crate::roles::Action;
use crate::room::Room;

/// Lists the registered devices in scope.
#[utoipa::path(
    get, path = "/api/v1/devices",
    responses(
        (status = 200, description = "The devices", body = Devices),
        (status = "4XX", description = "Refused", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(State(room): State<Arc<Room>>, caller: Caller) -> Result<Json<Devices>, Problem> {
    caller.must(Action::See)?;
    let devices = room.desk.devices(caller.scope).await?;
    Ok(Json(Devices { devices: devices.iter().map(Device::from).collect() }))
}

/// One device.
#[utoipa::path(
    get, path = "/api/v1/devices/{site}/{device}",
    params(("site" = String, Path, description = "Its site"), ("device" = String, Path, description = "Its name there")),
    responses(
        (status = 200, description = "The device", body = Device),
        (status = "4XX", description = "Refused", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn one(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Path((site, name)): Path<(String, String)>,
) -> Result<Json<Device>, Problem> {
    caller.must(Action::See)?;
    let devices = room.desk.devices(caller.scope).await?;
    let found = devices.iter().find(|device| device.id.site.as_str() == site && device.id.name.as_str() == name);
    found.map(|device| Json(Device::from(device))).ok_or_else(|| Problem::not_found("device with this name"))
}

/// Lists whom the ladders in scope may tell, with when each of their addresses was last answered; whoever never did comes first.
#[utoipa::path(
    get, path = "/api/v1/people",
    responses(
        (status = 200, description = "The people", body = People),
        (status = "4XX", description = "Refused", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn people(State(room): State<Arc<Room>>, caller: Caller) -> Result<Json<People>, Problem> {
    caller.must(Action::See)?;
    let people = room.desk.people(caller.scope.clone(), caller.onlooker(Way::Api)).await?;
    Ok(Json(People { people: people.iter().map(Person::from).collect() }))
}

/// Lists the open troubles in scope.
#[utoipa::path(
    get, path = "/api/v1/troubles",
    responses(
        (status = 200, description = "The troubles", body = Troubles),
        (status = "4XX", description = "Refused", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn troubles(State(room): State<Arc<Room>>, caller: Caller) -> Result<Json<Troubles>, Problem> {
    caller.must(Action::See)?;
    let open = room.desk.troubles(caller.scope).await?;
    let troubles: Result<Vec<_>, _> = open.iter().map(Trouble::try_from).collect();
    let troubles = troubles.map_err(|error| {
        Problem::new(
            StatusCode::INTERNAL_SERVER_ERROR,
            "trouble-unwritable",
            "A trouble could not be written",
            format!("{error}. Alarms are not affected. Report it with the version."),
        )
    })?;
    Ok(Json(Troubles { troubles }))
}
