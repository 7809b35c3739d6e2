//! What the provider posts to Cooee: receipts and inbound messages, signed.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::StatusCode;
use ring::{digest, hmac};
use serde_json::Value;

use super::Fault;
use super::desk::{Desk, Sms};

/// One callback as it was posted.
#[derive(Clone, Debug)]
pub struct Callback {
    /// The URL that was signed, without its fragment.
    pub url: String,
    /// Form fields.
    pub form: Vec<(String, String)>,
    /// The `X-Twilio-Signature` header.
    pub signature: String,
    /// The HTTP status of each try, 0 where there was no answer.
    pub answers: Vec<u16>,
    /// The body of the last answer.
    pub body: String,
}

/// The provider's signature of a form: HMAC-SHA1 over the URL and the sorted fields.
#[must_use]
pub fn signature(auth_token: &str, url: &str, form: &[(String, String)]) -> String {
    let mut sorted = form.to_vec();
    sorted.sort();
    let signed = sorted.iter().fold(url.to_owned(), |text, (name, value)| text + name + value);
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, auth_token.as_bytes());
    STANDARD.encode(hmac::sign(&key, signed.as_bytes()))
}

/// The signed URL and the signature for a JSON body, whose SHA-256 becomes a query parameter.
#[must_use]
pub fn signature_of_json(auth_token: &str, url: &str, body: &[u8]) -> (String, String) {
    let hash = digest::digest(&digest::SHA256, body);
    let hex = hash.as_ref().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("write to a string");
        text
    });
    let joint = if url.contains('?') { '&' } else { '?' };
    let url = format!("{url}{joint}bodySHA256={hex}");
    let signature = signature(auth_token, &url, &[]);
    (url, signature)
}

/// Percent-encodes everything but what is never special.
pub(super) fn encode(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            write!(out, "%{byte:02X}").expect("write to a string");
        }
        out
    })
}

/// Posts the receipts that an accepted message gets, in the background.
pub(super) fn receipts(desk: &Arc<Desk>, sms: Sms, fault: Fault) {
    let desk = Arc::clone(desk);
    tokio::spawn(async move {
        let (delay, times, last, code) = match fault {
            Fault::NoReceipt => return,
            Fault::Undelivered { code } => (Duration::ZERO, 1, "undelivered", Some(code)),
            Fault::LateReceipts(delay) => (delay, 1, "delivered", None),
            Fault::DuplicateReceipts => (Duration::ZERO, 2, "delivered", None),
            Fault::None
            | Fault::ServerError
            | Fault::Unavailable
            | Fault::TooMany { .. }
            | Fault::Refused { .. }
            | Fault::Hang
            | Fault::ReceiptFirst
            | Fault::Slow(_)
            | Fault::Held
            | Fault::DropAfterAccept => (Duration::ZERO, 1, "delivered", None),
        };
        tokio::time::sleep(delay).await;
        for (status, code) in [("sent", None), (last, code)] {
            for _time in 0..times {
                receipt(&desk, &sms.sid, status, code).await;
            }
        }
        if fault == Fault::DuplicateReceipts {
            post_receipt(&desk, &sms, "sent", None).await;
        }
    });
}

/// Moves a message on and posts the receipt that says so, where it asked for one.
pub(super) async fn receipt(desk: &Desk, sid: &str, status: &str, code: Option<u32>) {
    let sms = desk.set_status(sid, status, code).unwrap_or_else(|| panic!("the gateway has no message {sid}"));
    post_receipt(desk, &sms, status, code).await;
}

async fn post_receipt(desk: &Desk, sms: &Sms, status: &str, code: Option<u32>) {
    let Some(url) = &sms.status_callback else {
        return;
    };
    let mut form = vec![("MessageStatus", status.to_owned()), ("SmsStatus", status.to_owned())];
    form.extend(common(desk, sms));
    form.extend(code.map(|code| ("ErrorCode", code.to_string())));
    post(desk, url, form).await;
}

/// Posts what a phone sent, where a webhook is set.
pub(super) async fn inbound(desk: &Desk, sms: &Sms) {
    let Some(url) = desk.state().inbound_webhook.clone() else {
        return;
    };
    let mut form = vec![
        ("Body", sms.body.clone()),
        ("SmsStatus", "received".to_owned()),
        ("NumMedia", "0".to_owned()),
        ("NumSegments", "1".to_owned()),
    ];
    form.extend(common(desk, sms));
    post(desk, &url, form).await;
}

fn common(desk: &Desk, sms: &Sms) -> [(&'static str, String); 6] {
    [
        ("MessageSid", sms.sid.clone()),
        ("SmsSid", sms.sid.clone()),
        ("AccountSid", desk.account_sid.clone()),
        ("From", sms.from.clone()),
        ("To", sms.to.clone()),
        ("ApiVersion", "2010-04-01".to_owned()),
    ]
}

/// Posts one form, as often as the URL's fragment allows (`#rc=5&rp=all`: five retries, whatever went wrong). Gives the body of
/// the last answer.
pub(super) async fn post(desk: &Desk, url: &str, form: Vec<(&'static str, String)>) -> String {
    let (signed, fragment) = url.split_once('#').unwrap_or((url, ""));
    let option = |name: &str| fragment.split('&').find_map(|part| part.split_once('=').filter(|(n, _v)| *n == name));
    let retries: u32 = option("rc").and_then(|(_name, count)| count.parse().ok()).unwrap_or(1).min(5);
    let policy = option("rp").map_or("ct", |(_name, policy)| policy);
    let form: Vec<(String, String)> = form.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let signature = signature(&desk.auth_token, signed, &form);
    let mut callback = Callback { url: signed.to_owned(), form, signature, answers: Vec::new(), body: String::new() };
    for retry in 0..=retries {
        // The provider waits longer than this; a test need not.
        tokio::time::sleep(Duration::from_millis(200).saturating_mul(retry)).await;
        let (status, body) = try_once(desk, &callback).await;
        callback.answers.push(status);
        callback.body = body;
        if !is_worth_another_try(status, policy) {
            break;
        }
    }
    let body = callback.body.clone();
    desk.state().callbacks.push(callback);
    body
}

fn is_worth_another_try(status: u16, policy: &str) -> bool {
    let asked = |kind: &str| policy.split(',').any(|p| p == kind || p == "all");
    match status {
        0 => asked("ct") || asked("rt"),
        400..=499 => asked("4xx"),
        500..=599 => asked("5xx"),
        _ => false,
    }
}

/// Posts a callback again and says the HTTP status, 0 without an answer.
pub(super) async fn replay(desk: &Desk, callback: &Callback) -> u16 {
    try_once(desk, callback).await.0
}

async fn try_once(desk: &Desk, callback: &Callback) -> (u16, String) {
    let request = desk.http.post(actual(desk, &callback.url)).header("X-Twilio-Signature", &callback.signature).form(&callback.form);
    answer(request).await
}

/// Posts a JSON body, signed, and says the HTTP status, 0 without an answer.
pub(super) async fn post_json(desk: &Desk, url: &str, body: &Value) -> u16 {
    let body = body.to_string().into_bytes();
    let (url, signature) = signature_of_json(&desk.auth_token, url, &body);
    let request =
        desk.http.post(actual(desk, &url)).header("X-Twilio-Signature", signature).header("Content-Type", "application/json").body(body);
    answer(request).await.0
}

async fn answer(request: reqwest::RequestBuilder) -> (u16, String) {
    let Ok(response) = request.timeout(crate::wait::PATIENCE).send().await else {
        return (0, String::new());
    };
    let status: StatusCode = response.status();
    (status.as_u16(), response.text().await.unwrap_or_default())
}

/// Where a URL leads, behind the proxy that `public_url` stands for.
fn actual(desk: &Desk, url: &str) -> String {
    match &desk.state().reach {
        Some((public, actual)) if url.starts_with(public) => url.replacen(public, actual, 1),
        Some(_) | None => url.to_owned(),
    }
}
