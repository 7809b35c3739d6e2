//! The API's routes: one list that the router is made of and that the `OpenAPI` document is compared with.

pub(crate) mod act;
mod activations;
mod coverage;
mod desks;
mod devices;
pub(crate) mod drills;
pub(crate) mod duty;
mod erase;
pub(crate) mod export;
pub(crate) mod health;
mod hooks;
pub(crate) mod openapi;
mod record;
mod register;
pub(crate) mod service;
pub(crate) mod shape;
mod stream;
pub(crate) mod strict;
pub(crate) mod testing;
mod views;

use std::sync::Arc;

use axum::Router;
use axum::http::{Method, StatusCode, Uri};
use axum::routing::{MethodRouter, delete, get, post};

use crate::problem::Problem;
use crate::room::Room;

/// One route of `/api/v1`: method, path, handler.
type Route = (&'static str, &'static str, MethodRouter<Arc<Room>>);

/// Every route under `/api/v1` except the document itself.
fn list() -> Vec<Route> {
    vec![
        ("post", "/api/v1/activations", post(activations::raise)),
        ("get", "/api/v1/activations", get(activations::list)),
        ("get", "/api/v1/activations/{id}", get(activations::one)),
        ("get", "/api/v1/activations/{id}/views", get(views::of)),
        ("get", "/api/v1/views", get(views::list)),
        ("post", "/api/v1/activations/{id}/claim", post(act::claim)),
        ("post", "/api/v1/activations/{id}/hold", post(act::hold)),
        ("post", "/api/v1/activations/{id}/hand-over", post(act::hand_over)),
        ("post", "/api/v1/activations/{id}/accept", post(act::accept)),
        ("post", "/api/v1/activations/{id}/decline", post(act::decline)),
        ("post", "/api/v1/activations/{id}/arrived", post(act::arrived)),
        ("post", "/api/v1/activations/{id}/police", post(act::police)),
        ("post", "/api/v1/activations/{id}/escalate", post(act::escalate)),
        ("post", "/api/v1/activations/{id}/note", post(act::note)),
        ("post", "/api/v1/activations/{id}/safe", post(act::safe)),
        ("post", "/api/v1/activations/{id}/step", post(act::step)),
        ("post", "/api/v1/activations/{id}/close", post(act::close)),
        ("post", "/api/v1/activations/{id}/reopen", post(act::reopen)),
        ("post", "/api/v1/activations/{id}/export", post(export::export)),
        ("post", "/api/v1/activations/{id}/erase", post(erase::activation)),
        ("post", "/api/v1/activations/{id}/legal-hold", post(erase::hold)),
        ("post", "/api/v1/erasures", post(erase::person)),
        ("get", "/api/v1/devices", get(devices::list)),
        ("get", "/api/v1/devices/{site}/{device}", get(devices::one)),
        ("get", "/api/v1/people", get(devices::people)),
        ("get", "/api/v1/troubles", get(devices::troubles)),
        ("get", "/api/v1/tests", get(testing::list)),
        ("post", "/api/v1/tests", post(testing::start)),
        ("post", "/api/v1/tests/end", post(testing::end)),
        ("get", "/api/v1/out-of-service", get(service::list)),
        ("post", "/api/v1/out-of-service", post(service::take_out)),
        ("post", "/api/v1/out-of-service/end", post(service::put_back)),
        ("get", "/api/v1/duty", get(duty::list)),
        ("post", "/api/v1/duty/stand-ins", post(duty::stand_in)),
        ("post", "/api/v1/duty/stand-ins/end", post(duty::end)),
        ("get", "/api/v1/desks", get(desks::list)),
        ("post", "/api/v1/desks/{centre}", post(desks::arm)),
        ("delete", "/api/v1/desks/{centre}", delete(desks::leave)),
        ("get", "/api/v1/drills", get(drills::list)),
        ("post", "/api/v1/drills", post(drills::start)),
        ("get", "/api/v1/drills/{drill}", get(drills::sheet)),
        ("get", "/api/v1/coverage", get(coverage::look)),
        ("get", "/api/v1/stream", get(stream::follow)),
        ("get", "/api/v1/register", get(register::table)),
        ("get", "/api/v1/record/checkpoint", get(record::checkpoint)),
        ("get", "/api/v1/record/entries", get(record::entries)),
        ("get", "/api/v1/record/entries/{seq}/proof", get(record::proof)),
        ("get", "/api/v1/record/consistency", get(record::consistency)),
    ]
}

/// The API, the health pages and the callbacks.
pub(crate) fn routes() -> Router<Arc<Room>> {
    let api = list().into_iter().fold(Router::new(), |router, (_, path, handler)| router.route(path, handler));
    api.route("/api/v1/openapi.json", get(openapi::serve))
        .route("/healthz", get(health::process))
        .route("/healthz/dispatch", get(health::dispatch))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(crate::metrics::metrics))
        .route("/hooks/{provider}/status", post(hooks::status))
        .route("/hooks/{provider}/inbound", post(hooks::inbound))
        .route("/hooks/{provider}/voice", post(hooks::voice))
}

/// Nothing is served there.
pub(crate) async fn no_such_route(uri: Uri) -> Problem {
    let detail = if uri.path().starts_with("/api/") {
        "Nothing is served at this path. /api/v1/openapi.json lists what is."
    } else {
        "Nothing is served at this path. The queue is at /."
    };
    Problem::new(StatusCode::NOT_FOUND, "no-such-path", "No such path", detail)
}

/// Something is served there, but not so.
pub(crate) async fn no_such_method(method: Method) -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "no-such-method",
        "Not with this method",
        format!("This path is served, but not for {method}. The header Allow says for which."),
    )
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn the_document_has_every_route_and_no_other() {
        let served: BTreeSet<(String, String)> =
            super::list().into_iter().map(|(method, path, _)| (path.to_owned(), method.to_owned())).collect();
        let document: serde_json::Value = serde_json::from_str(&super::openapi::document()).unwrap();
        let mut said = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for method in item.as_object().unwrap().keys() {
                said.insert((path.clone(), method.clone()));
            }
        }
        assert_eq!(said, served);
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    }

    #[test]
    fn the_documentation_has_every_route_and_no_other() {
        let page = include_str!("../../../docs/src/reference/http.md");
        let rows = page.lines().filter_map(|line| line.strip_prefix("| ")?.split_once(" | `/api/"));
        let said: BTreeSet<(String, String)> =
            rows.map(|(method, rest)| (format!("/api/{}", rest.split('`').next().unwrap()), method.to_lowercase())).collect();
        let served: BTreeSet<(String, String)> =
            super::list().into_iter().map(|(method, path, _)| (path.to_owned(), method.to_owned())).collect();
        assert_eq!(said, served);
    }
}
