//! Bodies, queries and headers as the document says them: anything else is refused with what was wrong.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use serde::de::DeserializeOwned;

use crate::problem::Problem;
use crate::room::{BODY_MAX, Room};

/// The longest `Idempotency-Key`.
const KEY_MAX: usize = 255;

/// A JSON body and its bytes. No body at all is an empty object.
pub(crate) struct Strict<T> {
    pub(crate) value: T,
    pub(crate) bytes: Bytes,
}

impl<T: DeserializeOwned> FromRequest<Arc<Room>> for Strict<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, room: &Arc<Room>) -> Result<Self, Problem> {
        let kind = request.headers().get(header::CONTENT_TYPE).cloned();
        let bytes = match Bytes::from_request(request, room).await {
            Ok(bytes) => bytes,
            Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                return Err(Problem::new(
                    StatusCode::PAYLOAD_TOO_LARGE,
                    "too-large",
                    "The body is too large",
                    format!("A body has at most {BODY_MAX} bytes. Nothing was recorded."),
                ));
            }
            Err(_) => return Err(Problem::bad_request("The body ended early. Send it again.")),
        };
        if bytes.is_empty() {
            return parse(b"{}").map(|value| Self { value, bytes });
        }
        let json = kind
            .and_then(|kind| kind.to_str().ok().map(str::to_ascii_lowercase))
            .is_some_and(|kind| kind.split(';').next().is_some_and(|k| k.trim() == "application/json"));
        if !json {
            return Err(Problem::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "not-json",
                "The body is not declared as JSON",
                "Send it with `Content-Type: application/json`. Nothing was recorded.",
            ));
        }
        parse(&bytes).map(|value| Self { value, bytes })
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    serde_json::from_slice(bytes)
        .map_err(|error| Problem::bad_request(format!("The body is not what /api/v1/openapi.json says: {error}. Nothing was recorded.")))
}

/// A query string.
pub(crate) struct Asked<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequestParts<Arc<Room>> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, room: &Arc<Room>) -> Result<Self, Problem> {
        Query::<T>::from_request_parts(parts, room)
            .await
            .map(|Query(asked)| Self(asked))
            .map_err(|rejection| Problem::bad_request(format!("{}.", rejection.body_text())))
    }
}

/// What an act's headers say.
pub(crate) struct Conditions {
    /// `Idempotency-Key`.
    pub(crate) idempotency_key: Option<String>,
    /// `If-Match`.
    pub(crate) seen: Option<u64>,
}

impl FromRequestParts<Arc<Room>> for Conditions {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &Arc<Room>) -> Result<Self, Problem> {
        Ok(Self { idempotency_key: idempotency_key(&parts.headers)?, seen: if_match(&parts.headers)? })
    }
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let Some(key) = headers.get("idempotency-key") else {
        return Ok(None);
    };
    match key.to_str() {
        Ok(key) if (1..=KEY_MAX).contains(&key.len()) => Ok(Some(key.to_owned())),
        Ok(_) | Err(_) => {
            Err(Problem::bad_request(format!("Idempotency-Key has 1 to {KEY_MAX} visible ASCII characters. Nothing was recorded.")))
        }
    }
}

fn if_match(headers: &HeaderMap) -> Result<Option<u64>, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Ok(None);
    };
    let seen = value.to_str().ok().and_then(|text| text.trim().strip_prefix('"')?.strip_suffix('"')?.parse().ok());
    match seen {
        Some(seen) => Ok(Some(seen)),
        None => Err(Problem::bad_request(
            "If-Match is the `seq` of the activation you saw, in double quotes: If-Match: \"1234\". Nothing was recorded.",
        )),
    }
}
