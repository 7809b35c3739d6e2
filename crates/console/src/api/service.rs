//! Buttons out of service: which they are, how they are taken out, and how they are put back.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use escalation::id::SiteId;
use escalation::out_of_service::Defect;
use escalation::rejection::Rejection;
use escalation::time::{Seconds, Timestamp};
use escalation::verdict::Verdict;
use serde::{Deserialize, Serialize};
use station::desk::{ServiceRequest, Withdrawal};
use station::view::WithdrawalView;
use utoipa::ToSchema;

use super::act;
use super::activations::{NAME_MAX, fits};
use super::shape::time;
use super::strict::Strict;
use crate::caller::Caller;
use crate::problem::{Document, Problem};
use crate::roles::Action;
use crate::room::Room;

/// What stands for a phone, where there is no other button.
const NO_BUTTON: &str = "none";

/// Buttons to be taken out of service.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct OutBody {
    /// At which site.
    site: String,
    /// Which buttons there, by id or by the name of their place; at most 200.
    devices: Vec<String>,
    /// Id or name of the person who looks after them: they are asked by text when one is pressed.
    keeper: String,
    /// Which button or place there is used meanwhile; `none` where people use a phone.
    instead: String,
    /// `sticks`, `damaged`, `moved`, `works` or `other`.
    why: String,
    /// For how long at most, 1 to 1440.
    minutes: u32,
    /// Id or name of the person who acts.
    by: Option<String>,
}

/// Buttons to be put back into service.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BackBody {
    /// At which site.
    site: String,
    /// Which buttons there.
    devices: Vec<String>,
    /// Id or name of the person who acts.
    by: Option<String>,
}

/// What is out of service in scope: a press of each asks its keeper first, and everybody a minute later.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OutOfService {
    out_of_service: Vec<OutShape>,
}

/// One button out of service.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct OutShape {
    customer: String,
    site: String,
    device: String,
    place: String,
    /// Who looks after it.
    keeper: String,
    /// The button there that is used meanwhile; null is a phone.
    instead: Option<String>,
    /// What is wrong with it.
    why: &'static str,
    /// Who took it out of service.
    by: String,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String)]
    since: Timestamp,
    /// When it ends by itself.
    #[serde(serialize_with = "time")]
    #[schema(value_type = String)]
    until: Timestamp,
    /// That is within half an hour.
    ends_soon: bool,
    /// No button of its site is in service: people there have a phone, and nothing else.
    none_left: bool,
}

/// Lists the buttons out of service in scope.
#[utoipa::path(
    get, path = "/api/v1/out-of-service",
    responses(
        (status = 200, description = "The buttons out of service", body = OutOfService),
        (status = "4XX", description = "Refused", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn list(State(room): State<Arc<Room>>, caller: Caller) -> Result<Json<OutOfService>, Problem> {
    caller.must(Action::See)?;
    out_of_service(&room, &caller).await
}

/// Takes buttons out of service: all that are named, or none.
#[utoipa::path(
    post, path = "/api/v1/out-of-service", request_body = OutBody,
    responses(
        (status = 200, description = "They are out of service, durably", body = OutOfService),
        (status = "4XX", description = "Refused; nothing was changed", body = Document, content_type = "application/problem+json"),
        (status = 503, description = "Not taken; send it again", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn take_out(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Strict { value, .. }: Strict<OutBody>,
) -> Result<Json<OutOfService>, Problem> {
    let out = withdrawal(value.keeper, &value.instead, &value.why, value.minutes)?;
    perform(&room, &caller, &value.site, value.devices, Some(out), value.by).await?;
    out_of_service(&room, &caller).await
}

/// Puts buttons back into service.
#[utoipa::path(
    post, path = "/api/v1/out-of-service/end", request_body = BackBody,
    responses(
        (status = 200, description = "They are in service, durably", body = OutOfService),
        (status = "4XX", description = "Refused; nothing was changed", body = Document, content_type = "application/problem+json"),
        (status = 503, description = "Not taken; send it again", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn put_back(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Strict { value, .. }: Strict<BackBody>,
) -> Result<Json<OutOfService>, Problem> {
    perform(&room, &caller, &value.site, value.devices, None, value.by).await?;
    out_of_service(&room, &caller).await
}

/// What a caller says of a withdrawal.
pub(crate) fn withdrawal(keeper: String, instead: &str, why: &str, minutes: u32) -> Result<Withdrawal, Problem> {
    let instead = instead.trim();
    if instead.is_empty() {
        return Err(Problem::bad_request(
            "\"instead\": say which button there is used meanwhile, or none where people use a phone. Nothing was changed.".to_owned(),
        ));
    }
    let Some(why) = Defect::parse(why) else {
        let known = Defect::ALL.map(Defect::as_str).join(", ");
        return Err(Problem::bad_request(format!("\"why\": say what is wrong, one of {known}. Nothing was changed.")));
    };
    let instead = (!instead.eq_ignore_ascii_case(NO_BUTTON)).then(|| instead.to_owned());
    Ok(Withdrawal { keeper, instead, why, span: Seconds(minutes.saturating_mul(60)) })
}

/// Takes buttons out of service or puts them back: for the API and, with the same care, for the page's forms.
pub(crate) async fn perform(
    room: &Room,
    caller: &Caller,
    site: &str,
    devices: Vec<String>,
    out: Option<Withdrawal>,
    actor: Option<String>,
) -> Result<(), Problem> {
    caller.must(Action::Serve)?;
    fits("by", actor.as_deref(), NAME_MAX)?;
    fits("keeper", out.as_ref().map(|out| out.keeper.as_str()), NAME_MAX)?;
    fits("instead", out.as_ref().and_then(|out| out.instead.as_deref()), NAME_MAX)?;
    for device in &devices {
        fits("devices", Some(device), NAME_MAX)?;
    }
    let request = ServiceRequest {
        principal: caller.principal.clone(),
        actor,
        scope: caller.scope.clone(),
        site: SiteId::parse(site).map_err(|why| Problem::bad_request(format!("\"site\": {why}. Nothing was changed.")))?,
        devices,
        out,
    };
    match room.desk.service(request).await? {
        Verdict::Durable(_) => Ok(()),
        Verdict::Refused(Rejection::UnknownPlace) => Err(Problem::not_found("site, or button of that id or place")),
        Verdict::Refused(why) => Err(act::refusal(room, caller, why).await),
        Verdict::NotTaken(why) => Err(why.into()),
    }
}

async fn out_of_service(room: &Room, caller: &Caller) -> Result<Json<OutOfService>, Problem> {
    let out = room.desk.out_of_service(caller.scope.clone()).await?;
    Ok(Json(OutOfService { out_of_service: out.iter().map(OutShape::from).collect() }))
}

impl From<&WithdrawalView> for OutShape {
    fn from(out: &WithdrawalView) -> Self {
        Self {
            customer: out.customer.to_string(),
            site: out.device.site.to_string(),
            device: out.device.name.to_string(),
            place: out.place.clone(),
            keeper: out.keeper.clone(),
            instead: out.instead.as_ref().map(|(device, _)| device.name.to_string()),
            why: out.why.as_str(),
            by: out.by.clone(),
            since: out.since,
            until: out.until,
            ends_soon: out.ends_soon,
            none_left: out.none_left,
        }
    }
}
