//! What went wrong, as a problem document (RFC 9457) or as a page: for a tired person, with what to do next.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use escalation::verdict::NotTaken;
use serde::Serialize;
use station::desk::DeskError;
use utoipa::ToSchema;

use crate::api::shape::Activation;
use crate::secret::NoRandom;

/// A refusal or a failure that the caller is told.
#[derive(Clone, Debug)]
pub(crate) struct Problem {
    /// The HTTP status.
    pub(crate) status: StatusCode,
    /// The last part of its type.
    pub(crate) slug: &'static str,
    /// What it is, the same for each of its kind.
    pub(crate) title: &'static str,
    /// What happened here and what to do.
    pub(crate) detail: String,
    /// How the activation stands now, where acting on stale knowledge was refused.
    pub(crate) fresh: Option<Box<Activation>>,
}

/// A problem document.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub(crate) struct Document {
    /// A name for this kind of problem.
    #[serde(rename = "type")]
    #[schema(example = "urn:cooee:problem:stale")]
    kind: String,
    /// What it is.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What happened and what to do.
    detail: String,
    /// For 409 and 412: how the activation stands now, within the caller's scope.
    #[serde(skip_serializing_if = "Option::is_none")]
    activation: Option<Box<Activation>>,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, slug: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        Self { status, slug, title, detail: detail.into(), fresh: None }
    }

    /// The request cannot be understood.
    pub(crate) fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "bad-request", "The request cannot be understood", detail)
    }

    /// It does not exist, or not for this key: the two are told alike.
    pub(crate) fn not_found(what: impl std::fmt::Display) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "Not found",
            format!("There is no {what} that this key may see. Check the reference and the key's sites and customers."),
        )
    }

    /// The same with the state that the caller should look at before trying again.
    pub(crate) fn with(mut self, fresh: Option<Activation>) -> Self {
        self.fresh = fresh.map(Box::new);
        self
    }

    fn unavailable(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "not-taken", "Not taken: nothing was recorded", detail)
    }
}

impl From<NotTaken> for Problem {
    fn from(why: NotTaken) -> Self {
        Self::unavailable(format!("{why}. Nothing was recorded. Send it again; if it is urgent and fails again, ring the centre."))
    }
}

impl From<DeskError> for Problem {
    fn from(why: DeskError) -> Self {
        match why {
            DeskError::Stopping => Self::unavailable("The station is stopping or restarting. Nothing was recorded. Try again in a second."),
            DeskError::Record(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "record-unreadable",
                "The record cannot be read",
                "Alarms still run on the server. Ask whoever runs the station to look at /readyz?verbose, and try again in a second.",
            ),
            DeskError::Cursor => Self::bad_request(why.to_string()),
        }
    }
}

impl From<NoRandom> for Problem {
    fn from(why: NoRandom) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "no-random", "The system gave no random bytes", why.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let document = Document {
            kind: format!("urn:cooee:problem:{}", self.slug),
            title: self.title,
            status: self.status.as_u16(),
            detail: self.detail,
            activation: self.fresh,
        };
        let mut response = (self.status, axum::Json(document)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"cooee\""));
        }
        response
    }
}
