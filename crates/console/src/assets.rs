//! The few files that pages load, compiled in. Their URLs bear a digest of their bytes, so that they may be kept for ever.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::extract::Path;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::room::Room;
use crate::secret;

/// One file.
pub(crate) struct Asset {
    kind: &'static str,
    bytes: &'static [u8],
    path: String,
}

impl Asset {
    fn new(name: &str, kind: &'static str, bytes: &'static [u8]) -> Self {
        let digest: String = secret::digest(bytes).to_string().chars().take(16).collect();
        Self { kind, bytes, path: format!("/assets/{digest}/{name}") }
    }

    /// Where a page finds it.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }
}

pub(crate) static CONSOLE_JS: LazyLock<Asset> = LazyLock::new(|| Asset::new("console.js", JS, include_bytes!("../assets/console.js")));
pub(crate) static RESPONDER_JS: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("responder.js", JS, include_bytes!("../assets/responder.js")));
pub(crate) static STYLE: LazyLock<Asset> = LazyLock::new(|| Asset::new("style.css", CSS, include_bytes!("../assets/style.css")));
pub(crate) static RESPONDER_STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("responder.css", CSS, include_bytes!("../assets/responder.css")));
pub(crate) static ICON: LazyLock<Asset> = LazyLock::new(|| Asset::new("icon.svg", "image/svg+xml", include_bytes!("../assets/icon.svg")));

const JS: &str = "text/javascript; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";

/// The files' routes.
pub(crate) fn routes() -> Router<Arc<Room>> {
    Router::new().route("/assets/{digest}/{name}", get(asset))
}

async fn asset(Path((digest, name)): Path<(String, String)>) -> Response {
    let asked = format!("/assets/{digest}/{name}");
    let all = [&CONSOLE_JS, &RESPONDER_JS, &STYLE, &RESPONDER_STYLE, &ICON];
    match all.into_iter().find(|asset| asset.path == asked) {
        Some(asset) => ([(header::CONTENT_TYPE, asset.kind), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")], asset.bytes)
            .into_response(),
        None => (StatusCode::NOT_FOUND, "There is no such file; reload the page.").into_response(),
    }
}
