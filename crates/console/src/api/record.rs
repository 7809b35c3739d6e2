//! The record for those who verify it: entries as they were hashed, checkpoints and proofs.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use escalation::event::{ViewOf, Way};
use serde::{Deserialize, Serialize};
use station::notary::NotaryError;
use utoipa::ToSchema;

use super::strict::Asked;
use crate::caller::Caller;
use crate::problem::{Document, Problem};
use crate::roles::Action;
use crate::room::Room;

/// How many entries one answer holds.
const ENTRIES_MAX: u64 = 1_000;

/// From where to where.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Span {
    /// The first place, or the smaller size.
    from: u64,
    /// The place after the last, or the larger size.
    to: u64,
}

/// That one record begins with another.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Consistency {
    /// Entries in the earlier record.
    from: u64,
    /// Entries in the later one.
    to: u64,
    /// The proof of RFC 6962 section 2.1.2, in hex.
    hashes: Vec<String>,
}

/// The latest checkpoint.
#[utoipa::path(
    get, path = "/api/v1/record/checkpoint",
    responses(
        (status = 200, description = "A signed note (C2SP tlog-checkpoint)", body = String, content_type = "text/plain"),
        (status = "4XX", description = "Refused, or nothing is signed", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn checkpoint(State(room): State<Arc<Room>>, caller: Caller) -> Result<Response, Problem> {
    caller.must(Action::See)?;
    room.proofs.checkpoint().map(|note| text("text/plain; charset=utf-8", note.into_bytes())).ok_or_else(|| NotaryError::Unsigned.into())
}

/// Entries, each exactly as it was hashed, one a line. A line is empty where the bytes are gone.
#[utoipa::path(
    get, path = "/api/v1/record/entries", params(Span),
    responses(
        (status = 200, description = "One entry a line", body = String, content_type = "application/x-ndjson"),
        (status = "4XX", description = "Refused", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn entries(State(room): State<Arc<Room>>, caller: Caller, Asked(span): Asked<Span>) -> Result<Response, Problem> {
    caller.must(Action::See)?;
    // Entries of every customer: a restricted key has the stream.
    if !caller.scope.is_everything() {
        return Err(Problem::not_found("record for this key"));
    }
    room.desk.seen(ViewOf::Entries, caller.scope.clone(), caller.onlooker(Way::Api)).await?;
    let count = span.to.saturating_sub(span.from).min(ENTRIES_MAX);
    let limit = u32::try_from(count).unwrap_or_default();
    let entries = room.proofs.entries(span.from, limit).await?;
    let lines = entries.into_iter().flat_map(|mut entry| {
        entry.push(b'\n');
        entry
    });
    Ok(text("application/x-ndjson", lines.collect()))
}

/// That one entry is in the record of the latest checkpoint.
#[utoipa::path(
    get, path = "/api/v1/record/entries/{seq}/proof",
    params(("seq" = u64, Path, description = "The entry's place")),
    responses(
        (status = 200, description = "A proof file (C2SP tlog-proof)", body = String, content_type = "text/plain"),
        (status = "4XX", description = "Refused, not there, or nothing is signed", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn proof(State(room): State<Arc<Room>>, caller: Caller, Path(seq): Path<u64>) -> Result<Response, Problem> {
    caller.must(Action::See)?;
    Ok(text("text/plain; charset=utf-8", room.proofs.proof(seq).await?.into_bytes()))
}

/// That one record begins with another.
#[utoipa::path(
    get, path = "/api/v1/record/consistency", params(Span),
    responses(
        (status = 200, description = "The proof", body = Consistency),
        (status = "4XX", description = "Refused, not there, or nothing is signed", body = Document, content_type = "application/problem+json"),
    )
)]
pub(super) async fn consistency(
    State(room): State<Arc<Room>>,
    caller: Caller,
    Asked(Span { from, to }): Asked<Span>,
) -> Result<Json<Consistency>, Problem> {
    caller.must(Action::See)?;
    let hashes = room.proofs.consistency(from, to).await?;
    Ok(Json(Consistency { from, to, hashes }))
}

fn text(kind: &'static str, body: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

impl From<NotaryError> for Problem {
    fn from(why: NotaryError) -> Self {
        let unavailable = |why: NotaryError| {
            Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "record-unreadable",
                "The record cannot be read",
                format!("{why}. Alarms are not affected."),
            )
        };
        match why {
            NotaryError::Unsigned => Self::new(StatusCode::NOT_FOUND, "unsigned", "There is no checkpoint", format!("{why}.")),
            NotaryError::Cannot(why) => Self::new(StatusCode::NOT_FOUND, "no-such-proof", "There is no such proof", format!("{why}.")),
            NotaryError::Record(_)
            | NotaryError::Behind
            | NotaryError::Key(_)
            | NotaryError::Signer(_)
            | NotaryError::Died(_)
            | NotaryError::Restored => unavailable(why),
        }
    }
}
