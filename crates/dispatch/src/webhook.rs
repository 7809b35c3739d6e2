//! A centre's webhook: a signed POST as Standard Webhooks 1.0 describes it.
//!
//! Headers: `webhook-id` (the order's key, the same on every retry: discard a second one), `webhook-timestamp` (Unix
//! seconds) and `webhook-signature` (`v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`; two of them, with a space
//! between, while a secret is being rotated). A 2xx says that a machine took it; it is never a human answer.
//!
//! Body, one JSON object: `type` (`dispatch.alarm`, one per purpose), `timestamp` (when the message was queued, RFC 3339) and `data`:
//! `dispatch`, `ref`, `customer_id`, `customer`, `site_id`, `site`, `device_id`, `place`, `mounting`, `address`, `entry`,
//! `rendezvous`, `hazards`, `kind` (`duress`), `kind_shown` (`DURESS`), `opened_at` (RFC 3339), `time`, `date`, `presses`, `age`, `late`,
//! `unregistered`, `unrecorded`, `drill` (`yes` where it is one), `responder`, `disposition`, `phone`, `url`; each a string, empty where not known.
//! Of a drill `type` is `drill.alarm` and so on, `kind_shown` is `DRILL`, and `instruction` says that nobody is to be rung.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use escalation::dispatch::Order;
use escalation::id::CarrierName;
use escalation::time::Timestamp;
use reqwest::{Client, Response, Url};
use ring::hmac;
use serde_json::{Map, Value, json};

use crate::carrier::{Fault, Letter, Taken};
use crate::client::{self, Wanted};
use crate::health::Now;
use crate::message::Text;
use crate::settings::{Secret, SettingsError, Webhook};

/// What of an order's words the body shows, and under which name.
const FIELDS: [(&str, &str); 29] = [
    ("ref", "ref"),
    ("customer_id", "customer_id"),
    ("customer", "customer"),
    ("site_id", "site_id"),
    ("site", "site"),
    ("device_id", "device_id"),
    ("place", "place"),
    ("mounting", "mounting"),
    ("address", "address"),
    ("entry", "entry"),
    ("rendezvous", "rendezvous"),
    ("hazards", "hazards"),
    ("kind", "kind_id"),
    ("kind_shown", "kind"),
    ("opened_at", "opened_at"),
    ("time", "time"),
    ("date", "date"),
    ("presses", "presses"),
    ("age", "age"),
    ("late", "late"),
    ("unregistered", "unregistered"),
    ("unrecorded", "unrecorded"),
    ("drill", "drill"),
    ("responder", "responder"),
    ("about", "about"),
    ("beside", "beside"),
    ("brief", "brief"),
    ("disposition", "disposition"),
    ("phone", "phone"),
];
/// What an operator is told of a drill.
const IN_DRILL: &str = "This is a drill. Nobody is in danger. Ring nobody, and no police. Answer as you would if it were real.";
/// The same of what is said about a drill: it may be over because somebody called in earnest.
const ABOUT_DRILL: &str = "This is about a drill alone. Whatever else you are sent is not part of it.";
/// Names the body's shape in reports, as a template's hash names a text's.
const SHAPE: &str = "webhook@body-5";
/// Shortest secret accepted, bytes (Standard Webhooks: 24 to 64).
const SECRET_MIN: usize = 24;

/// A centre's endpoint.
pub(crate) struct Endpoint {
    name: CarrierName,
    client: Client,
    url: Url,
    keys: Vec<hmac::Key>,
    slots: usize,
    request: Duration,
    now: Now,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Endpoint({})", self.name)
    }
}

/// The body of an order, the same on every retry.
pub(crate) fn body(order: &Order) -> Text {
    let mut data = Map::new();
    data.insert("dispatch".to_owned(), json!(order.id.to_string()));
    for (shown, word) in FIELDS {
        let value = order.words.get(word).map_or("", String::as_str);
        data.insert(shown.to_owned(), json!(value));
    }
    data.insert("url".to_owned(), json!(order.words.get("url").map_or("", String::as_str)));
    let drill = order.is_drill();
    let instruction = match (drill, order.purpose.is_alarm()) {
        (false, _) => "",
        (true, true) => IN_DRILL,
        (true, false) => ABOUT_DRILL,
    };
    data.insert("instruction".to_owned(), json!(instruction));
    // A receiver that knows no drills must not take one for a call.
    let family = if drill { "drill" } else { "dispatch" };
    let body = json!({
        "type": format!("{family}.{}", order.purpose.as_str()),
        "timestamp": order.queued_at.to_string(),
        "data": Value::Object(data),
    });
    Text { body: body.to_string(), template: format!("{}.{SHAPE}", order.purpose.as_str()) }
}

impl Endpoint {
    /// Reads the secret and builds the client; connects to nothing.
    pub(crate) fn open(settings: &Webhook, now: Now) -> Result<Self, SettingsError> {
        Self::open_as(&format!("[[webhook]] {}", settings.name), settings, now)
    }

    /// The same for another table of the settings, `what`.
    pub(crate) fn open_as(what: &str, settings: &Webhook, now: Now) -> Result<Self, SettingsError> {
        let secret = Secret::read(&format!("{what} secret_file"), &settings.secret_file)?;
        let keys = secret.each().map(|secret| key_of(what, secret)).collect::<Result<_, _>>()?;
        let (client, url) = client::build(&Wanted {
            what,
            url: &settings.url,
            connect_ms: settings.connect_ms,
            request_ms: settings.request_ms,
            slots: settings.slots,
            proxy: settings.proxy.as_deref(),
            ca_file: settings.ca_file.as_deref(),
            identity: None,
        })?;
        if settings.slots == 0 || settings.request_ms == 0 || settings.attempt_s == 0 {
            return Err(SettingsError::new(
                what,
                "slots, request_ms and attempt_s must be more than 0",
                "remove the setting to use its default",
            ));
        }
        Ok(Self {
            name: settings.name.clone(),
            client,
            url,
            keys,
            slots: settings.slots,
            request: Duration::from_millis(settings.request_ms),
            now,
        })
    }

    pub(crate) fn name(&self) -> &CarrierName {
        &self.name
    }
    pub(crate) fn slots(&self) -> usize {
        self.slots
    }

    /// Posts a message once.
    pub(crate) async fn send(&self, order: &Order, letter: &Letter, budget: Duration) -> Result<Taken, Fault> {
        self.post(order.key(), letter.words().to_owned(), budget).await.map(|_status| Taken { provider_ref: None, receipt_due: false })
    }

    /// Posts a body under an id, once; gives the status of success.
    pub(crate) async fn post(&self, id: String, body: String, budget: Duration) -> Result<u16, Fault> {
        let timestamp = (self.now)().as_second().to_string();
        let request = self
            .client
            .post(self.url.clone())
            .timeout(budget.min(self.request))
            .header("content-type", "application/json")
            .header("webhook-signature", sign(&self.keys, &id, &timestamp, &body))
            .header("webhook-id", id)
            .header("webhook-timestamp", timestamp)
            .body(body);
        let response = request.send().await.map_err(|e| client::fault_of(&e))?;
        judge(&response, (self.now)())?;
        // Reading the rest keeps the connection; that it was taken is already known.
        let status = response.status().as_u16();
        Ok(response.bytes().await.map_or(status, |_rest| status))
    }

    /// For `cooee doctor`: whether the host answers at all. No message is sent, so the secret cannot be checked.
    pub(crate) async fn probe(&self) -> Result<String, String> {
        match self.client.head(self.url.clone()).send().await {
            Ok(response) if response.status().is_server_error() => {
                Err(format!("the endpoint answers {}\n  ask the centre whether its receiver is up", response.status()))
            }
            Ok(response) => Ok(format!("the endpoint can be reached (HEAD answers {})", response.status())),
            Err(error) => Err(format!(
                "the endpoint cannot be reached ({})\n  check the url, the firewall and the certificate",
                client::fault_of(&error).class()
            )),
        }
    }
}

fn key_of(what: &str, secret: &str) -> Result<hmac::Key, SettingsError> {
    let bytes = match secret.strip_prefix("whsec_") {
        Some(encoded) => STANDARD.decode(encoded).map_err(|error| {
            SettingsError::new(what, format!("the secret after whsec_ is not base64: {error}"), "copy it again from the centre")
        })?,
        None => secret.as_bytes().to_vec(),
    };
    if bytes.len() < SECRET_MIN {
        return Err(SettingsError::new(
            what,
            format!("the secret has {} bytes", bytes.len()),
            format!("agree on one of at least {SECRET_MIN} random bytes"),
        ));
    }
    Ok(hmac::Key::new(hmac::HMAC_SHA256, &bytes))
}

/// One `v1` signature per key, the current key's first.
fn sign(keys: &[hmac::Key], id: &str, timestamp: &str, body: &str) -> String {
    let signed = format!("{id}.{timestamp}.{body}");
    let signatures: Vec<_> = keys.iter().map(|key| format!("v1,{}", STANDARD.encode(hmac::sign(key, signed.as_bytes())))).collect();
    signatures.join(" ")
}

/// What a status says of whether a message was taken.
pub(crate) fn judge(response: &Response, now: Timestamp) -> Result<(), Fault> {
    let status = response.status();
    match status.as_u16() {
        200..=299 => Ok(()),
        401 | 403 => Err(Fault::Credentials),
        429 | 503 => Err(Fault::Busy(client::retry_after(response.headers(), now))),
        408 | 425 | 502 | 504 => Err(Fault::Unknown { why: "gateway timeout", absent: false }),
        500..=599 => Err(Fault::NotSent("server error")),
        refused => Err(Fault::Refused(refused.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the Standard Webhooks reference libraries.
    #[test]
    fn signatures_are_what_the_standard_says() {
        let key = key_of("t", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let signature = sign(&[key], "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", "{\"test\": 2432232314}");
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn a_short_or_broken_secret_is_refused() {
        assert!(key_of("t", "short").is_err());
        assert!(key_of("t", "whsec_***").is_err());
        assert!(key_of("t", "twenty-four bytes of text").is_ok());
    }
}
