//! A time-stamping authority, as a place to which a question is posted (RFC 3161, 3.4). What is asked, and what its answer says, is
//! the record's business.
//!
//! No secret is sent, and nothing of what comes back is believed here, so that plain `http` will do.

use std::fmt;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Response, Url};

use super::BUDGET;
use crate::client::{self, Wanted};
use crate::health::Now;
use crate::settings::{SettingsError, StampAnchor};
use crate::webhook;

/// What a question is sent as.
const QUERY: &str = "application/timestamp-query";
/// What an answer must come as.
const REPLY: &str = "application/timestamp-reply";

/// An authority, ready to be asked.
pub struct Authority {
    client: Client,
    url: Url,
    request: Duration,
    now: Now,
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authority")
    }
}

impl Authority {
    pub(super) fn open(what: &str, settings: &StampAnchor, now: &Now) -> Result<Self, SettingsError> {
        let (client, url) = client::build_public(&Wanted {
            what,
            url: &settings.url,
            connect_ms: settings.connect_ms,
            request_ms: settings.request_ms,
            slots: 1,
            proxy: settings.proxy.as_deref(),
            ca_file: settings.ca_file.as_deref(),
            identity: None,
        })?;
        if settings.request_ms == 0 {
            return Err(SettingsError::new(what, "request_ms must be more than 0", "remove the setting to use its default"));
        }
        Ok(Self { client, url, request: Duration::from_millis(settings.request_ms), now: std::sync::Arc::clone(now) })
    }

    /// Posts a question once: the answer to the byte, of at most so many of them, or in a word why there is none.
    pub async fn ask(&self, question: Vec<u8>, at_most: usize) -> Result<Vec<u8>, String> {
        let request = self.client.post(self.url.clone()).timeout(BUDGET.min(self.request)).header(CONTENT_TYPE, QUERY).body(question);
        let response = request.send().await.map_err(|error| client::fault_of(&error).class().to_owned())?;
        webhook::judge(&response, (self.now)()).map_err(|fault| fault.class().to_owned())?;
        if !is_reply(response.headers()) {
            return Err("no time stamp".to_owned());
        }
        read(response, at_most).await
    }

    /// For `cooee doctor`: whether the host answers at all. No stamp is asked for: some charge for each.
    pub async fn probe(&self) -> Result<String, String> {
        match self.client.head(self.url.clone()).send().await {
            Ok(response) if matches!(response.status().as_u16(), 502..=504) => {
                Err(format!("the authority answers {}\n  see whether it is up", response.status()))
            }
            // Whatever else it makes of a request without a question: many know no HEAD.
            Ok(response) => Ok(format!("the authority can be reached (HEAD answers {}); no stamp was asked for", response.status())),
            Err(error) => Err(format!(
                "the authority cannot be reached ({})\n  check the url, the firewall and the certificate",
                client::fault_of(&error).class()
            )),
        }
    }
}

fn is_reply(headers: &HeaderMap) -> bool {
    let said = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    said.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(REPLY))
}

/// The body, which nobody says the length of: read no further than it may go.
async fn read(mut response: Response, at_most: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|error| client::fault_of(&error).class().to_owned())? {
        body.extend_from_slice(&part);
        if body.len() > at_most {
            return Err("too long".to_owned());
        }
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_says_that_it_is_one() {
        let is = |said: &str| is_reply(&[(CONTENT_TYPE, said.parse().unwrap())].into_iter().collect());
        assert!(is("application/timestamp-reply") && is("Application/Timestamp-Reply; charset=binary"));
        assert!(!is("text/html") && !is("application/timestamp-reply-not") && !is_reply(&HeaderMap::new()));
    }
}
