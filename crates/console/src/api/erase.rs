//! Erasing private values under a basis, and the legal hold that forbids it.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use escalation::id::ActivationId;
use escalation::retention::BASIS_MAX;
use serde::{Deserialize, Serialize};
use station::erasing::{self, Asker, NotErased, Whose};
use utoipa::ToSchema;

use super::act;
use super::activations::{NAME_MAX, NOTE_MAX, fits};
use super::strict::Strict;
use crate::caller::Caller;
use crate::problem::{Document, Problem};
use crate::roles::Action;
use crate::room::Room;

/// By what right the private values of an activation are erased.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EraseBody {
    /// The disposal authority or law, at most 400 bytes. It stands in the record for ever: name nobody in it.
    #[schema(example = "General Disposal Authority for Local Government, 27.2.1")]
    basis: String,
    /// Id or name of the person who asks for it, at most 200 bytes.
    by: Option<String>,
}

/// Whose details are erased, and by what right.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ErasePersonBody {
    /// The id that the directory had for them, or their number (`P-3`).
    person: String,
    /// The disposal authority or law, at most 400 bytes. It stands in the record for ever: name nobody in it.
    basis: String,
    /// Id or name of the person who asks for it, at most 200 bytes.
    by: Option<String>,
}

/// A legal hold.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct LegalHoldBody {
    /// Whether it is under legal hold from here on.
    on: bool,
    /// Whose order, which matter; at most 2,000 bytes.
    reason: String,
    /// Id or name of the person who says so, at most 200 bytes.
    by: Option<String>,
}

/// What was erased.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Erased {
    /// Of what: an activation's reference, or a person's number.
    from: String,
    /// How many values.
    values: usize,
    /// The entry that says so.
    seq: u64,
}

/// What was recorded.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Held {
    /// The entry that made it durable; the latest where nothing changed.
    seq: u64,
}

/// Erases every private value in the entries of an activation, once every call is closed and everybody was told. Entries, hashes and
/// proofs stay.
#[utoipa::path(
    post, path = "/api/v1/activations/{id}/erase", request_body = EraseBody,
    params(("id" = String, Path, description = "The activation's reference", example = "KAL-42")),
    responses(
        (status = 200, description = "They are deleted, and the record says so", body = Erased),
        (status = "4XX", description = "Refused; nothing was erased", body = Document, content_type = "application/problem+json"),
        (status = 503, description = "Not known to be erased; ask again", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn activation(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Path(id): Path<String>,
    Strict { value: EraseBody { basis, by }, .. }: Strict<EraseBody>,
) -> Result<Json<Erased>, Problem> {
    caller.must(Action::Erase)?;
    let of: ActivationId = id.parse().map_err(|_| Problem::not_found("activation with this reference"))?;
    perform(&room, &caller, Whose::Activation(of), basis, by).await
}

/// Erases the details of somebody whom the directory no longer names: every version of them, and their name wherever they acted.
#[utoipa::path(
    post, path = "/api/v1/erasures", request_body = ErasePersonBody,
    responses(
        (status = 200, description = "They are deleted, and the record says so", body = Erased),
        (status = "4XX", description = "Refused; nothing was erased", body = Document, content_type = "application/problem+json"),
        (status = 503, description = "Not known to be erased; ask again", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn person(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Strict { value: ErasePersonBody { person, basis, by }, .. }: Strict<ErasePersonBody>,
) -> Result<Json<Erased>, Problem> {
    caller.must(Action::Erase)?;
    fits("person", Some(&person), NAME_MAX)?;
    perform(&room, &caller, Whose::Person(person), basis, by).await
}

/// Puts an activation under legal hold, or lifts it. While any is held nobody's details are erased either.
#[utoipa::path(
    post, path = "/api/v1/activations/{id}/legal-hold", request_body = LegalHoldBody,
    params(("id" = String, Path, description = "The activation's reference", example = "KAL-42")),
    responses(
        (status = 200, description = "It is durable", body = Held),
        (status = "4XX", description = "Refused; nothing was changed", body = Document, content_type = "application/problem+json"),
        (status = 503, description = "Not taken; send it again", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn hold(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Path(id): Path<String>,
    Strict { value: LegalHoldBody { on, reason, by }, .. }: Strict<LegalHoldBody>,
) -> Result<Json<Held>, Problem> {
    caller.must(Action::Erase)?;
    let of: ActivationId = id.parse().map_err(|_| Problem::not_found("activation with this reference"))?;
    fits("reason", Some(&reason), NOTE_MAX)?;
    let asker = asker(&caller, by)?;
    match erasing::hold(&room.desk, asker, of, on, reason).await {
        Ok(seq) => Ok(Json(Held { seq })),
        Err(why) => Err(refused(&room, &caller, why).await),
    }
}

async fn perform(room: &Room, caller: &Caller, whose: Whose, basis: String, by: Option<String>) -> Result<Json<Erased>, Problem> {
    fits("basis", Some(&basis), BASIS_MAX)?;
    let asker = asker(caller, by)?;
    let desk = room.desk.clone();
    let of = match &whose {
        Whose::Activation(id) => id.to_string(),
        Whose::Person(_) => "this person".to_owned(),
    };
    // Whoever asked may hang up; what the record says is erased is deleted all the same.
    let work = tokio::spawn(async move { erasing::erase(&desk, asker, whose, basis).await });
    match work.await.unwrap_or_else(|why| Err(NotErased::StillThere { of, why: why.to_string() })) {
        Ok(erased) => Ok(Json(Erased { from: erased.from.to_string(), values: erased.values, seq: erased.seq })),
        Err(why) => Err(refused(room, caller, why).await),
    }
}

fn asker(caller: &Caller, by: Option<String>) -> Result<Asker, Problem> {
    fits("by", by.as_deref(), NAME_MAX)?;
    Ok(Asker { principal: caller.principal.clone(), actor: by, scope: caller.scope.clone() })
}

async fn refused(room: &Room, caller: &Caller, why: NotErased) -> Problem {
    match why {
        NotErased::Unknown => Problem::not_found("activation or person"),
        NotErased::Refused(why) => act::refusal(room, caller, why).await,
        NotErased::NotTaken(why) => why.into(),
        NotErased::Desk(why) => why.into(),
        NotErased::TooLong => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "too-long",
            "It is too long to be erased at once",
            format!("{why}. Nothing was erased."),
        ),
        NotErased::NamesSomebody => Problem::bad_request(format!("{why}. Nothing was erased.")),
        NotErased::StillThere { .. } => {
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, "still-there", "It is still there", format!("{why}."))
        }
    }
}
