//! A monitoring centre's receiver of signed webhooks, as one would write it from the public standard.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use harness::wait;
use ring::hmac;
use serde_json::Value;
use tokio::task::JoinHandle;

/// The secret that both sides have, as the standard writes it.
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// The centre; gone when dropped.
pub(crate) struct Centre {
    url: String,
    desk: Arc<Desk>,
    server: JoinHandle<()>,
}

#[derive(Default)]
struct Desk {
    calls: Mutex<Vec<Call>>,
    hangs: Mutex<bool>,
}

/// One POST as it came.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) id: String,
    pub(crate) signed: bool,
    pub(crate) body: Value,
}

impl Centre {
    pub(crate) async fn open() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/duress", listener.local_addr().unwrap());
        let desk = Arc::new(Desk::default());
        let router = Router::new().fallback(take).with_state(Arc::clone(&desk));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, desk, server }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// From now on it takes calls and never answers.
    pub(crate) fn hang(&self) {
        *self.desk.hangs.lock().unwrap() = true;
    }

    pub(crate) fn calls(&self) -> Vec<Call> {
        self.desk.calls.lock().unwrap().clone()
    }

    /// Waits for a call of this type, such as `dispatch.alarm`.
    pub(crate) async fn expect_call(&self, kind: &str) -> Call {
        wait::until(&format!("a webhook {kind}"), async || self.calls().into_iter().find(|call| call.body["type"] == kind)).await
    }
}

impl Drop for Centre {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(State(desk): State<Arc<Desk>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
    let call =
        Call { id: header("webhook-id"), signed: is_signed(&header, &body), body: serde_json::from_slice(&body).unwrap_or_default() };
    desk.calls.lock().unwrap().push(call);
    let hangs = *desk.hangs.lock().unwrap();
    if hangs {
        std::future::pending::<()>().await;
    }
    StatusCode::NO_CONTENT
}

/// Standard Webhooks 1.0: HMAC-SHA256 of `id.timestamp.body` under the base64 secret after `whsec_`.
fn is_signed(header: &impl Fn(&str) -> String, body: &[u8]) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, &STANDARD.decode(SECRET.trim_start_matches("whsec_")).unwrap());
    let mut signed = format!("{}.{}.", header("webhook-id"), header("webhook-timestamp")).into_bytes();
    signed.extend_from_slice(body);
    let given = header("webhook-signature");
    let versions = given.split(' ').filter_map(|one| one.strip_prefix("v1,")).filter_map(|one| STANDARD.decode(one).ok());
    versions.into_iter().any(|tag| hmac::verify(&key, &signed, &tag).is_ok())
}
