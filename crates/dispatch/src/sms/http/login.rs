//! How we log in to a gateway. Holds the secret; shows it to nobody but the gateway.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use escalation::time::Timestamp;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared};
use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{Client, RequestBuilder, Url};
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use serde::Deserialize;
use tokio::time::Instant;

use crate::carrier::Fault;
use crate::client;
use crate::settings::{Auth, Http, Secret, SettingsError};

/// A token is renewed this long before it ends.
const RENEW_BEFORE: Duration = Duration::from_mins(2);
/// A token lasts this long where its provider does not say.
const LASTS: Duration = Duration::from_mins(5);

/// A way to log in.
pub(super) enum Login {
    /// The templates say it, or nobody asks.
    None,
    /// The same header each time.
    Header(HeaderValue),
    /// A code over each request.
    Mac { id: String, key: hmac::Key },
    /// A token that is fetched and kept.
    Oauth(Box<Oauth>),
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Login(redacted)")
    }
}

/// Client credentials and the token they last got.
pub(super) struct Oauth {
    token_url: String,
    form: Vec<(&'static str, String)>,
    purse: Arc<Mutex<Purse>>,
}

/// The token, and how the next one is got.
#[derive(Default)]
struct Purse {
    held: Option<Held>,
    /// The fetch that is under way.
    fetch: Option<Shared<BoxFuture<'static, Result<HeaderValue, Fault>>>>,
}

struct Held {
    header: HeaderValue,
    until: Instant,
}

/// What a token's provider answers (RFC 6749, 5.1). Some write the seconds as text.
#[derive(Deserialize)]
struct Granted {
    access_token: String,
    #[serde(default)]
    expires_in: serde_json::Value,
}

impl Login {
    /// `settings` were checked: what its `auth` needs is there.
    pub(super) fn open(what: &str, settings: &Http, secret: Option<&Secret>) -> Result<Self, SettingsError> {
        let token = secret.map_or("", |secret| secret.current.as_str());
        let user = settings.user.as_deref().unwrap_or_default();
        Ok(match settings.auth {
            Auth::None => Self::None,
            Auth::Basic => Self::Header(header(what, &format!("Basic {}", STANDARD.encode(format!("{user}:{token}"))))?),
            Auth::Bearer => Self::Header(header(what, &format!("Bearer {token}"))?),
            Auth::Mac => Self::Mac { id: user.to_owned(), key: hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes()) },
            Auth::Oauth2 => {
                let mut form = vec![
                    ("grant_type", "client_credentials".to_owned()),
                    ("client_id", user.to_owned()),
                    ("client_secret", token.to_owned()),
                ];
                form.extend(settings.scope.iter().map(|scope| ("scope", scope.clone())));
                let token_url = settings.token_url.clone().unwrap_or_default();
                Self::Oauth(Box::new(Oauth { token_url, form, purse: Arc::default() }))
            }
        })
    }

    /// Adds our login to a request; fetches a token first where there is none that is good.
    pub(super) async fn sign(
        &self,
        client: &Client,
        method: &str,
        url: &Url,
        request: RequestBuilder,
        now: Timestamp,
    ) -> Result<RequestBuilder, Fault> {
        Ok(match self {
            Self::None => request,
            Self::Header(header) => request.header(AUTHORIZATION, header.clone()),
            Self::Mac { id, key } => request.header(AUTHORIZATION, mac(id, key, method, url, now)?),
            Self::Oauth(oauth) => request.header(AUTHORIZATION, oauth.token(client).await?),
        })
    }

    /// Forgets a token that was refused; true where a new one may help. Another message may have forgotten it first.
    pub(super) fn forget(&self) -> bool {
        match self {
            Self::None | Self::Header(_) | Self::Mac { .. } => false,
            Self::Oauth(oauth) => {
                purse(&oauth.purse).held = None;
                true
            }
        }
    }
}

impl Oauth {
    /// The token. Whoever needs it while it is being fetched waits for the same fetch, and hears the same of it: behind a
    /// provider that hangs nobody waits for one after another. Whoever gives up meanwhile takes it from nobody.
    async fn token(&self, client: &Client) -> Result<HeaderValue, Fault> {
        let fetch = {
            let mut kept = purse(&self.purse);
            if let Some(good) = kept.held.as_ref().filter(|held| held.until > Instant::now()) {
                return Ok(good.header.clone());
            }
            let under_way = kept.fetch.as_ref().filter(|fetch| fetch.peek().is_none()).cloned();
            under_way.unwrap_or_else(|| kept.fetch.insert(self.fetch(client)).clone())
        };
        fetch.await
    }

    /// Fetches one, on a task of its own, and keeps it.
    fn fetch(&self, client: &Client) -> Shared<BoxFuture<'static, Result<HeaderValue, Fault>>> {
        let (request, kept) = (client.post(&self.token_url).form(&self.form), Arc::clone(&self.purse));
        let task = tokio::spawn(async move {
            let got = ask(request).await;
            let mut kept = purse(&kept);
            // Whoever comes later asks anew, also where everybody who waited has given up meanwhile.
            kept.fetch = None;
            let held = got?;
            let header = held.header.clone();
            kept.held = Some(held);
            Ok(header)
        });
        async move { task.await.unwrap_or(Err(Fault::NotSent("died"))) }.boxed().shared()
    }
}

/// One request for a token. Whatever goes wrong here, no message was sent.
async fn ask(request: RequestBuilder) -> Result<Held, Fault> {
    let answer = request.send().await.map_err(|error| lost(&error))?;
    match answer.status().as_u16() {
        200..=299 => {}
        429 | 503 => return Err(Fault::Busy(None)),
        500..=599 => return Err(Fault::NotSent("server error")),
        _refused => return Err(Fault::Credentials),
    }
    let granted: Granted = answer.json().await.map_err(|error| lost(&error))?;
    let seconds = granted.expires_in.as_u64().or_else(|| granted.expires_in.as_str()?.parse().ok());
    let lasts = seconds.map_or(LASTS, Duration::from_secs).min(Duration::from_hours(24));
    let header = header("", &format!("Bearer {}", granted.access_token)).map_err(|_strange| Fault::Credentials)?;
    Ok(Held { header, until: Instant::now() + lasts.saturating_sub(RENEW_BEFORE) })
}

fn purse(purse: &Mutex<Purse>) -> MutexGuard<'_, Purse> {
    purse.lock().unwrap_or_else(PoisonError::into_inner)
}

fn lost(error: &reqwest::Error) -> Fault {
    match client::fault_of(error) {
        Fault::NotSent(why) | Fault::Unknown { why, .. } => Fault::NotSent(why),
        other @ (Fault::Busy(_) | Fault::Refused(_) | Fault::Credentials) => other,
    }
}

fn header(what: &str, value: &str) -> Result<HeaderValue, SettingsError> {
    let mut header = HeaderValue::from_str(value)
        .map_err(|error| SettingsError::new(what, error, "check user and the token's file for strange characters"))?;
    header.set_sensitive(true);
    Ok(header)
}

/// `MAC id, ts, nonce, mac` over time, nonce, method, path, host and port, each on a line, and an empty last line.
fn mac(id: &str, key: &hmac::Key, method: &str, url: &Url, now: Timestamp) -> Result<HeaderValue, Fault> {
    let mut random = [0_u8; 15];
    SystemRandom::new().fill(&mut random).map_err(|_none| Fault::NotSent("no randomness"))?;
    let nonce = STANDARD.encode(random).replace(['+', '/'], "x");
    header("", &mac_of(id, key, (method, url), now.as_second(), &nonce)).map_err(|_strange| Fault::Credentials)
}

fn mac_of(id: &str, key: &hmac::Key, (method, url): (&str, &Url), ts: i64, nonce: &str) -> String {
    let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
    let signed = format!("{ts}\n{nonce}\n{method}\n{path}\n{host}\n{port}\n\n");
    let code = STANDARD.encode(hmac::sign(key, signed.as_bytes()));
    format!("MAC id=\"{id}\", ts=\"{ts}\", nonce=\"{nonce}\", mac=\"{code}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `openssl dgst -sha256 -hmac` says of the same lines.
    #[test]
    fn a_mac_covers_time_nonce_method_path_host_and_port() {
        let key = hmac::Key::new(hmac::HMAC_SHA256, b"secret");
        let url = Url::parse("https://api.example.net/v2/sms?limit=1").unwrap();
        let said = mac_of("key11", &key, ("GET", &url), 1_325_376_000, "random-string");
        assert_eq!(
            said,
            "MAC id=\"key11\", ts=\"1325376000\", nonce=\"random-string\", mac=\"V7pAAQxCYxvEt6GWa02mPtHZ5aJHnMvS5gxmmK9gjSg=\""
        );
    }
}
