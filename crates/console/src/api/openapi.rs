//! The `OpenAPI` document, made from the handlers' own annotations.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::{act, activations, coverage, desks, devices, drills, duty, erase, export, record, register, service, stream, testing, views};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Cooee",
        description = "Duress alarms, escalation and acknowledgement. Every 2xx of a changing request comes after what it confirms is durable. \
                       Errors are problem documents (RFC 9457) that say what to do. Outside a key's scope nothing exists (404)."
    ),
    paths(
        activations::raise, activations::list, activations::one, views::of, views::list,
        act::claim, act::hold, act::hand_over, act::accept, act::decline, act::arrived, act::police, act::step, act::escalate, act::note, act::safe, act::close, act::reopen, export::export,
        erase::activation, erase::hold, erase::person,
        devices::list, devices::one, devices::people, devices::troubles, coverage::look,
        testing::list, testing::start, testing::end, service::list, service::take_out, service::put_back, duty::list, duty::stand_in, duty::end, desks::list, desks::arm, desks::leave, drills::list, drills::start, drills::sheet, stream::follow, register::table,
        record::checkpoint, record::entries, record::proof, record::consistency
    ),
    security(("key" = [])),
    modifiers(&Key)
)]
struct Api;

struct Key;

impl Modify for Key {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new()
            .scheme(HttpAuthScheme::Bearer)
            .bearer_format("ck_<id>_<secret>")
            .description(Some("An API key, printed by `cooee key new`"))
            .build();
        document.components.get_or_insert_default().add_security_scheme("key", SecurityScheme::Http(scheme));
    }
}

/// The document as JSON.
pub fn document() -> String {
    let mut document = Api::openapi();
    env!("CARGO_PKG_VERSION").clone_into(&mut document.info.version);
    serde_json::to_string_pretty(&document).unwrap_or_default()
}

/// `GET /api/v1/openapi.json`
pub(super) async fn serve() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], document()).into_response()
}
