//! Calls through the gateway: a phone that rings, what a human or a machine hears, and what they press.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Form, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde_json::json;

use super::desk::Desk;
use super::{Phone, callback};
use crate::wait;

/// A call that Cooee asked for.
#[derive(Clone, Debug)]
pub struct Ringing {
    /// The provider's id, `CA` and 32 hex digits.
    pub sid: String,
    /// The number that rings.
    pub to: String,
    /// Where the provider asks what to say.
    pub url: String,
    /// Where it says how the call ended.
    pub status_callback: String,
    /// Where it says who took it.
    pub machine_callback: Option<String>,
    pub(super) expected: bool,
}

/// A call somebody, or something, has taken.
pub struct Conversation {
    desk: Arc<Desk>,
    call: Ringing,
    /// Where the next digit goes.
    action: Option<String>,
    /// The words last heard.
    words: String,
}

/// Takes the request for a call.
pub(super) async fn dial(State(desk): State<Arc<Desk>>, Form(form): Form<BTreeMap<String, String>>) -> Response {
    let field = |name: &str| form.get(name).cloned().unwrap_or_default();
    let call = Ringing {
        sid: desk.sid("CA"),
        to: field("To"),
        url: field("Url"),
        status_callback: field("StatusCallback"),
        machine_callback: form.get("AsyncAmdStatusCallback").cloned(),
        expected: false,
    };
    let body = json!({"sid": call.sid, "to": call.to, "from": field("From"), "status": "queued", "direction": "outbound-api"});
    desk.state().calls.push(call);
    (StatusCode::CREATED, Json(body)).into_response()
}

impl Phone {
    /// Waits until it rings, for a call that no line has expected yet.
    pub async fn expect_call(&self) -> Ringing {
        let what = format!("a call to {}", self.number);
        wait::until(&what, async || {
            let mut state = self.desk.state();
            let call = state.calls.iter_mut().find(|call| !call.expected && call.to == self.number)?;
            call.expected = true;
            Some(call.clone())
        })
        .await
    }

    /// Waits until it rings, and takes the call.
    pub async fn answer_call(&self) -> Conversation {
        let call = self.expect_call().await;
        self.take(call, "human").await
    }

    /// It rings, and a machine takes the call. Gives what the machine keeps.
    pub async fn voicemail(&self) -> String {
        let call = self.expect_call().await;
        let taken = self.take(call, "machine_start").await;
        let kept = taken.words.clone();
        taken.end("completed").await;
        kept
    }

    /// It rings, and is engaged.
    pub async fn busy(&self) {
        self.unanswered("busy").await;
    }

    /// It rings, and nobody takes it.
    pub async fn no_answer(&self) {
        self.unanswered("no-answer").await;
    }

    async fn unanswered(&self, how: &str) {
        let call = self.expect_call().await;
        Conversation { desk: Arc::clone(&self.desk), call, action: None, words: String::new() }.end(how).await;
    }

    async fn take(&self, call: Ringing, by: &str) -> Conversation {
        let mut taken = Conversation { desk: Arc::clone(&self.desk), action: Some(call.url.clone()), call, words: String::new() };
        taken.go_on(&[("CallStatus", "in-progress")]).await;
        if let Some(url) = &taken.call.machine_callback {
            let form = vec![("AnsweredBy", by.to_owned()), ("CallSid", taken.call.sid.clone())];
            callback::post(&taken.desk, url, form).await;
        }
        taken
    }
}

impl Conversation {
    /// The words last heard.
    #[must_use]
    pub fn words(&self) -> &str {
        &self.words
    }

    /// Presses a digit and hears what comes of it.
    pub async fn press(mut self, digit: &str) -> Self {
        self.go_on(&[("CallStatus", "in-progress"), ("Digits", digit)]).await;
        self
    }

    /// Hangs up.
    pub async fn hang_up(self) {
        self.end("completed").await;
    }

    async fn go_on(&mut self, fields: &[(&'static str, &str)]) {
        let action = self.action.clone().expect("the call waits for a digit");
        let said = callback::post(&self.desk, &action, self.form(fields)).await;
        self.action = between(&said, "action=\"", "\"").map(|url| url.replace("&amp;", "&"));
        self.words = between(&said, "<Say language=\"en-AU\">", "</Say>").unwrap_or_default();
    }

    async fn end(self, how: &str) {
        callback::post(&self.desk, &self.call.status_callback, self.form(&[("CallStatus", how)])).await;
    }

    fn form(&self, fields: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        let call = [("CallSid", self.call.sid.clone()), ("To", self.call.to.clone()), ("Direction", "outbound-api".to_owned())];
        call.into_iter().chain(fields.iter().map(|(name, value)| (*name, (*value).to_owned()))).collect()
    }
}

fn between(text: &str, before: &str, after: &str) -> Option<String> {
    let rest = text.split_once(before)?.1;
    rest.split_once(after).map(|(found, _)| found.to_owned())
}
