//! The daemon's HTTP faces, as a client with one key sees them.

use reqwest::{Client, Method, RequestBuilder};
use serde_json::Value;

use super::stream::Stream;
use crate::wait;

/// A client with one key, or none.
#[derive(Clone)]
pub struct Api {
    base: String,
    key: Option<String>,
    http: Client,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body as JSON; null where it is none.
    pub body: Value,
    /// The body as text.
    pub text: String,
}

impl Api {
    /// A client of the daemon at `base`, with this key.
    #[must_use]
    pub fn new(base: String, key: Option<String>) -> Self {
        Self { base, key, http: crate::http::client() }
    }

    /// A request of one's own: further headers, another body.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base)).timeout(wait::PATIENCE);
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    /// GET, or `None` where nobody answers.
    pub async fn get(&self, path: &str) -> Option<Answer> {
        answer(self.request(Method::GET, path)).await
    }

    /// POST of a JSON body, or `None` where nobody answers.
    pub async fn post(&self, path: &str, body: &Value) -> Option<Answer> {
        answer(self.request(Method::POST, path).json(body)).await
    }

    /// GET that must be answered with 200.
    pub async fn must_get(&self, path: &str) -> Value {
        let answer = self.get(path).await.unwrap_or_else(|| panic!("GET {path}: no answer"));
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.text);
        answer.body
    }

    /// POST that must be answered with 2xx.
    pub async fn must_post(&self, path: &str, body: &Value) -> Value {
        let answer = self.post(path, body).await.unwrap_or_else(|| panic!("POST {path}: no answer"));
        assert!((200..300).contains(&answer.status), "POST {path}: {} {}", answer.status, answer.text);
        answer.body
    }

    /// The live stream, from the entry after `last`.
    pub async fn stream(&self, last: Option<u64>) -> Stream {
        let mut request = self.http.get(format!("{}/api/v1/stream", self.base));
        if let Some(key) = &self.key {
            request = request.bearer_auth(key);
        }
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last.to_string());
        }
        let response = request.send().await.unwrap_or_else(|e| panic!("open the stream: {e}"));
        assert_eq!(response.status(), 200, "open the stream");
        Stream::new(response)
    }
}

/// Sends a request; `None` where nobody answers.
pub async fn answer(request: RequestBuilder) -> Option<Answer> {
    let response = request.send().await.ok()?;
    let status = response.status().as_u16();
    let text = response.text().await.ok()?;
    Some(Answer { status, body: serde_json::from_str(&text).unwrap_or_default(), text })
}
