//! Evidence bundles. Each that is handed out is an entry of the record before it leaves.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use escalation::event::Reader;
use escalation::id::ActivationId;
use serde::Deserialize;
use station::evidence::{self, NotHanded, Wish};
use utoipa::ToSchema;

use super::activations::{NAME_MAX, fits};
use super::strict::Strict;
use crate::caller::Caller;
use crate::problem::{Document, Problem};
use crate::roles::Action;
use crate::room::Room;

/// For whom, and to whom.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportBody {
    /// police (everything), regulator (the reference that the police gave) or foi (no private value).
    #[serde(rename = "for")]
    #[schema(value_type = String, example = "police")]
    reader: Reader,
    /// Id or name of the person to whom it is handed out, at most 200 bytes.
    by: Option<String>,
}

/// An evidence bundle: entries, proofs, a report, and how to check them. That it was handed out is recorded first.
#[utoipa::path(
    post, path = "/api/v1/activations/{id}/export", request_body = ExportBody,
    params(("id" = String, Path, description = "The activation's reference", example = "KAL-42")),
    responses(
        (status = 200, description = "A zip (BagIt)", body = Vec<u8>, content_type = "application/zip"),
        (status = "4XX", description = "Refused, or nothing is signed", body = Document, content_type = "application/problem+json"),
        (status = 503, description = "Not handed out; ask again", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn export(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Path(id): Path<String>,
    Strict { value: ExportBody { reader, by }, .. }: Strict<ExportBody>,
) -> Result<Response, Problem> {
    caller.must(Action::Export)?;
    let unknown = || Problem::not_found("activation with this reference");
    let of: ActivationId = id.parse().map_err(|_| unknown())?;
    fits("by", by.as_deref(), NAME_MAX)?;
    stays_in_its_line(by.as_deref())?;
    let name = format!("attachment; filename=\"{of}-{}.zip\"", reader.as_str());
    let wish = Wish { of, reader, principal: caller.principal, actor: by, scope: caller.scope };
    // One at a time: it holds a whole history in memory and hashes it.
    let turn = room.exports.acquire().await;
    let handed = evidence::hand_out(&room.desk, &*room.proofs, wish).await;
    drop(turn);
    match handed {
        Ok(handed) => {
            Ok(([(header::CONTENT_TYPE, "application/zip".to_owned()), (header::CONTENT_DISPOSITION, name)], handed.zip).into_response())
        }
        Err(NotHanded::Unknown) => Err(unknown()),
        Err(why) => Err(why.into()),
    }
}

/// Refuses a name that would be printed as another line, or turned round.
fn stays_in_its_line(by: Option<&str>) -> Result<(), Problem> {
    if by.is_some_and(|by| !by.chars().all(evidence::is_plain)) {
        return Err(Problem::bad_request(
            "\"by\" has a control character, a line break or a mark that turns the direction of writing. Write the name in one line without them. Nothing was handed out.",
        ));
    }
    Ok(())
}

impl From<NotHanded> for Problem {
    fn from(why: NotHanded) -> Self {
        match why {
            NotHanded::Unknown => Self::not_found("activation with this reference"),
            NotHanded::Desk(why) => why.into(),
            NotHanded::Notary(why) => why.into(),
            NotHanded::NotTaken(why) => why.into(),
            NotHanded::TooMany => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "too-many",
                "They are too many for one register",
                format!("{why}. Say a shorter time with `from` and `to`."),
            ),
            NotHanded::TooLong | NotHanded::TooLarge(_) => Self::new(
                StatusCode::UNPROCESSABLE_ENTITY,
                "too-long",
                "It is too long for a bundle",
                format!("{why}. Take its entries and proofs from /api/v1/record one by one. Nothing was handed out."),
            ),
            NotHanded::Died(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "not-handed",
                "Nothing was handed out",
                format!("{why}. Alarms are not affected. Ask again."),
            ),
        }
    }
}
