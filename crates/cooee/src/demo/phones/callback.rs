//! What the provider posts: receipts and replies, signed with the account's token.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::hmac;

use super::{Exchange, Sms};

/// How long a phone takes to show a text; long enough to see it happen.
const AIR: Duration = Duration::from_millis(400);
/// How often a callback is tried where its URL asks for retries (`#rc=5`).
const RETRIES_MAX: u32 = 5;
/// Between tries, times their number.
const RETRY: Duration = Duration::from_millis(500);

/// Posts callbacks.
pub(super) struct Poster {
    http: reqwest::Client,
    key: hmac::Key,
}

impl Poster {
    pub(super) fn new(auth_token: &str) -> anyhow::Result<Self> {
        // Loopback alone: no proxy, and no certificates that a system might lack.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(5))
            .tls_backend_preconfigured(tls)
            .build()
            .context("make the fake SMS provider's HTTP client")?;
        Ok(Self { http, key: hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, auth_token.as_bytes()) })
    }

    /// HMAC-SHA1 over the URL and the sorted fields, base64: the provider's `X-Twilio-Signature`.
    fn signature(&self, url: &str, form: &[(&str, String)]) -> String {
        let mut sorted = form.to_vec();
        sorted.sort();
        let signed = sorted.iter().fold(url.to_owned(), |text, (name, value)| text + name + value);
        STANDARD.encode(hmac::sign(&self.key, signed.as_bytes()))
    }

    async fn post(&self, url: &str, form: &[(&str, String)]) {
        // The fragment asks for retries; it is neither sent nor signed.
        let (url, fragment) = url.split_once('#').unwrap_or((url, ""));
        let asked = fragment.split('&').find_map(|part| part.strip_prefix("rc=")?.parse().ok());
        let retries = asked.unwrap_or(0_u32).min(RETRIES_MAX);
        let signature = self.signature(url, form);
        for attempt in 0..=retries {
            tokio::time::sleep(RETRY * attempt).await;
            let sent = self.http.post(url).header("X-Twilio-Signature", &signature).form(form).send().await;
            match sent {
                Ok(answer) if answer.status().is_success() => return,
                Ok(answer) => tracing::debug!("a callback of the fake SMS provider was answered {}", answer.status()),
                Err(why) => tracing::debug!("a callback of the fake SMS provider failed: {}", why.without_url()),
            }
        }
    }
}

impl Exchange {
    /// The message travels: sent, then on the phone, each with its receipt. Without receipts it arrives all the same.
    pub(super) async fn deliver(&self, sid: &str) {
        for status in ["sent", "delivered"] {
            tokio::time::sleep(AIR).await;
            if self.state().no_receipt {
                return;
            }
            if let Some(sms) = self.set_status(sid, status) {
                self.post_receipt(&sms).await;
            }
        }
    }

    async fn post_receipt(&self, sms: &Sms) {
        if let Some(url) = &sms.status_callback {
            let mut form = self.fields(sms);
            form.push(("MessageStatus", sms.status.clone()));
            form.push(("SmsStatus", sms.status.clone()));
            self.poster.post(url, &form).await;
        }
    }

    /// Posts what a phone sent, where there is a URL for it; the lock is not held over the wire.
    pub(super) async fn post_reply(&self, sms: &Sms) {
        let url = self.state().inbound_url.clone();
        if let Some(url) = url {
            let mut form = self.fields(sms);
            form.push(("Body", sms.body.clone()));
            form.push(("SmsStatus", sms.status.clone()));
            form.push(("NumMedia", "0".to_owned()));
            self.poster.post(&url, &form).await;
        }
    }

    fn fields(&self, sms: &Sms) -> Vec<(&'static str, String)> {
        vec![
            ("AccountSid", self.account_sid.clone()),
            ("ApiVersion", "2010-04-01".to_owned()),
            ("From", sms.from.clone()),
            ("MessageSid", sms.sid.clone()),
            ("SmsSid", sms.sid.clone()),
            ("To", sms.to.clone()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the provider's own documentation.
    #[test]
    fn the_signature_is_the_providers() {
        let poster = Poster::new("12345").unwrap();
        let form = [
            ("CallSid", "CA1234567890ABCDE"),
            ("Caller", "+14158675310"),
            ("Digits", "1234"),
            ("From", "+14158675310"),
            ("To", "+18005551212"),
        ]
        .map(|(name, value)| (name, value.to_owned()));
        let signature = poster.signature("https://example.com/myapp.php?foo=1&bar=2", &form);
        assert_eq!(signature, "L/OH5YylLD5NRKLltdqwSvS0BnU=");
    }
}
