//! A time-stamping authority, as a place to which a question is posted (RFC 3161, 3.4). What is asked, and what its answer says, is
//! the record's business.
//!
//! No secret is sent, and nothing of what comes back is believed here, so that plain `http` will do. Whoever listens there learns who
//! asks and when, and not by which program.

use std::fmt;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Response, StatusCode, Url};

use super::{BUDGET, Refusal};
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

    /// Posts a question once: the answer to the byte, of at most so many of them, or why there is none.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn ask(&self, question: Vec<u8>, at_most: usize) -> Result<Vec<u8>, Refusal> {
        let request = self.client.post(self.url.clone()).timeout(BUDGET.min(self.request)).header(CONTENT_TYPE, QUERY).body(question);
        let response = request.send().await.map_err(|error| client::fault_of(&error))?;
        webhook::judge(&response, (self.now)())?;
        if !is_reply(response.headers()) {
            return Err(Refusal::asked("no time stamp"));
        }
        read(response, at_most).await
    }

    /// For `cooee doctor`: whether the host answers at all. No stamp is asked for: some charge for each.
    pub async fn probe(&self) -> Result<String, String> {
        match self.client.head(self.url.clone()).send().await {
            Ok(response) => looked(response.status()),
            Err(error) => Err(format!(
                "the authority cannot be reached ({})\n  check the url, the firewall and the certificate",
                client::fault_of(&error).class()
            )),
        }
    }
}

/// What the answer to a request without a question says of what a question would be answered.
fn looked(status: StatusCode) -> Result<String, String> {
    let remedy = match status.as_u16() {
        300..=399 => "no redirect is followed: write the url that the authority stands at now",
        401 | 403 => {
            "it asks for a login, or lets nobody in from here: take an authority that asks for none, or let its operator admit this machine"
        }
        407 => "the proxy of the settings asks for a login: take one that asks for none, or let its operator admit this machine",
        429 => "it was asked too often, by this machine or another behind the same address: wait, and ask its operator how often is not",
        404 | 410 => "nothing is at that path: compare the url with the one that the authority publishes",
        // Many know no HEAD.
        501 => return Ok(reached(status)),
        500..=599 => "see whether it is up; if it is, ask whoever runs it",
        _fine => return Ok(reached(status)),
    };
    Err(format!("the authority answers {status}\n  {remedy}"))
}

fn reached(status: StatusCode) -> String {
    format!("the authority can be reached (HEAD answers {status}); no stamp was asked for")
}

fn is_reply(headers: &HeaderMap) -> bool {
    let said = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    said.split(';').next().is_some_and(|kind| kind.trim().eq_ignore_ascii_case(REPLY))
}

/// The body, which nobody says the length of: read no further than it may go.
async fn read(mut response: Response, at_most: usize) -> Result<Vec<u8>, Refusal> {
    let mut body = Vec::new();
    while let Some(part) = response.chunk().await.map_err(|error| client::fault_of(&error))? {
        body.extend_from_slice(&part);
        if body.len() > at_most {
            return Err(Refusal::asked("too long"));
        }
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use escalation::time::Timestamp;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    /// What is sent to an authority that answers this, and what becomes of it.
    async fn asked(answer: &str) -> (String, Result<Vec<u8>, Refusal>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/stamp", listener.local_addr().unwrap());
        let settings: StampAnchor = toml::from_str(&format!("name = \"stamps\"\nurl = {url:?}\nrequest_ms = 40000\n")).unwrap();
        let now: Now = Arc::new(|| Timestamp::UNIX_EPOCH);
        let authority = Authority::open("t", &settings, &now).unwrap();
        let asking = tokio::spawn(async move { authority.ask(b"question".to_vec(), 8).await });
        let (mut line, _) = listener.accept().await.unwrap();
        let mut heard = String::new();
        while !heard.ends_with("\r\n\r\nquestion") {
            let mut part = [0; 1_024];
            let count = line.read(&mut part).await.unwrap();
            assert_ne!(count, 0, "cut off: {heard}");
            heard.push_str(std::str::from_utf8(&part[..count]).unwrap());
        }
        line.write_all(format!("HTTP/1.1 {answer}").as_bytes()).await.unwrap();
        drop(line);
        (heard.to_lowercase(), asking.await.unwrap())
    }

    #[tokio::test]
    async fn in_clear_nobody_is_told_which_program_asks() {
        let (heard, answer) = asked("200 OK\r\ncontent-type: application/timestamp-reply\r\ncontent-length: 5\r\n\r\nreply").await;
        assert_eq!(answer, Ok(b"reply".to_vec()));
        assert!(heard.contains("\r\ncontent-type: application/timestamp-query\r\n"), "{heard}");
        assert!(!heard.contains("cooee") && !heard.contains("user-agent"), "{heard}");
    }

    #[tokio::test]
    async fn what_is_no_answer_is_said_and_for_how_long_nobody_is_to_ask_again() {
        let lasting = |why: &str| Err(Refusal::asked(why));
        let soon = |why: &str, wait: Option<u64>| Err(Refusal { wait: wait.map(Duration::from_secs), ..Refusal::asked(why) });
        let reply = "content-type: application/timestamp-reply\r\n";
        for (answer, expected) in [
            (format!("200 OK\r\n{reply}content-length: 9\r\n\r\n123456789"), lasting("too long")),
            (format!("200 OK\r\n{reply}content-length: 5\r\n\r\n123"), soon("cut off", None)),
            ("200 OK\r\ncontent-length: 0\r\n\r\n".to_owned(), lasting("no time stamp")),
            ("302 Found\r\nlocation: /there\r\ncontent-length: 0\r\n\r\n".to_owned(), lasting("refused (302)")),
            ("404 Not Found\r\ncontent-length: 0\r\n\r\n".to_owned(), lasting("refused (404)")),
            ("401 Unauthorized\r\ncontent-length: 0\r\n\r\n".to_owned(), lasting("credentials")),
            ("500 Oh\r\ncontent-length: 0\r\n\r\n".to_owned(), soon("server error", None)),
            ("429 Slow\r\nretry-after: 700\r\ncontent-length: 0\r\n\r\n".to_owned(), soon("busy", Some(700))),
            ("503 Slow\r\nretry-after: 86400\r\ncontent-length: 0\r\n\r\n".to_owned(), soon("busy", Some(3_600))),
        ] {
            assert_eq!(asked(&answer).await.1, expected, "{answer}");
        }
    }

    #[test]
    fn an_authority_that_would_refuse_is_not_called_fine() {
        let looked = |status: u16| looked(StatusCode::from_u16(status).unwrap());
        for fine in [200, 204, 400, 405, 406, 411, 415, 501] {
            assert!(looked(fine).is_ok_and(|words| words.contains(&fine.to_string())), "{fine}");
        }
        for refuses in [301, 302, 307, 308, 401, 403, 404, 407, 410, 429, 500, 502, 503, 504] {
            let words = looked(refuses).expect_err("it refuses");
            assert!(words.contains(&refuses.to_string()) && words.contains("\n  "), "{words}");
        }
    }

    #[test]
    fn an_answer_says_that_it_is_one() {
        let is = |said: &str| is_reply(&[(CONTENT_TYPE, said.parse().unwrap())].into_iter().collect());
        assert!(is("application/timestamp-reply") && is("Application/Timestamp-Reply; charset=binary"));
        assert!(!is("text/html") && !is("application/timestamp-reply-not") && !is_reply(&HeaderMap::new()));
    }
}
