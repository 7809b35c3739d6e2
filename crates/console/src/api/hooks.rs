//! `POST /hooks/{provider}/...`: hands a callback on exactly as it came, and answers what it is told to.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::FromRequest as _;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::hooks::{HookCall, HookKind};
use crate::problem::Problem;
use crate::room::Room;

pub(super) async fn status(State(room): State<Arc<Room>>, Path(provider): Path<String>, request: Request) -> Result<Response, Problem> {
    hand_on(room, provider, HookKind::Status, request).await
}

pub(super) async fn inbound(State(room): State<Arc<Room>>, Path(provider): Path<String>, request: Request) -> Result<Response, Problem> {
    hand_on(room, provider, HookKind::Inbound, request).await
}

pub(super) async fn voice(State(room): State<Arc<Room>>, Path(provider): Path<String>, request: Request) -> Result<Response, Problem> {
    hand_on(room, provider, HookKind::Voice, request).await
}

async fn hand_on(room: Arc<Room>, provider: String, kind: HookKind, request: Request) -> Result<Response, Problem> {
    let path_and_query = match request.uri().path_and_query() {
        Some(raw) => raw.as_str().to_owned(),
        None => request.uri().path().to_owned(),
    };
    let headers =
        request.headers().iter().filter_map(|(name, value)| Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))).collect();
    let method = request.method().to_string();
    let body = Bytes::from_request(request, &room).await.map_err(|rejection| {
        Problem::new(
            rejection.status(),
            "callback-unread",
            "The callback could not be read",
            "A callback has at most 65536 bytes and ends where it says. Nothing was recorded; send it again.",
        )
    })?;
    let call = HookCall { provider, kind, method, path_and_query, headers, body: body.to_vec() };
    let reply = room.hooks.receive(call).await;
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let kind = HeaderValue::from_static(reply.content_type);
    Ok((status, [(header::CONTENT_TYPE, kind)], reply.body).into_response())
}
