//! What is wrong with a gateway's settings, found before anything is sent: each with its key, line, reason and remedy.
//!
//! Every request is made once from words that would break out of a careless template, and read back.

use std::path::Path;

use minijinja::Value;
use reqwest::Url;

use crate::client;
use crate::purse::unusable;
use crate::settings::{Auth, BodyAs, CallbackAuth, Flaw, Http, Inbound, Method};
use crate::sms::http::sheet::{Sheet, WORDS, Words};
use crate::sms::number::is_e164;
use crate::sms::signature::pairs_of;

/// Holds everything that means something in JSON, a form or an address.
const TELLING: &str = "Zoe's \"A\" \\ & = + % %41 # ? / {x} <b> \u{e9} end";

/// Everything wrong with the settings of one gateway, in the order of its keys.
pub(crate) fn flaws(settings: &Http) -> Vec<Flaw> {
    let (sheet, mut flaws) = Sheet::of(settings);
    if flaws.is_empty() {
        flaws.extend(requests(settings, &sheet));
    }
    if let Some((wrong, remedy)) = settings.credit.as_ref().and_then(|map| unusable(map.low)) {
        flaws.push(flaw("credit.low", wrong, remedy));
    }
    flaws.extend(login(settings));
    flaws.extend(listening(settings));
    if !is_e164(&settings.from) {
        flaws.push(flaw(
            "from",
            "is not a number, and nobody could answer it",
            "use a number of your own in E.164, like +61400000000, that the provider lets you send from",
        ));
    }
    if settings.country_code.is_empty() || !settings.country_code.bytes().all(|b| b.is_ascii_digit()) {
        flaws.push(flaw("country_code", "is not digits", "write it like 61"));
    }
    for (key, is_zero) in [("slots", settings.slots == 0), ("request_ms", settings.request_ms == 0), ("attempt_s", settings.attempt_s == 0)]
    {
        if is_zero {
            flaws.push(flaw(key, "must be more than 0", "remove the setting to use its default"));
        }
    }
    flaws
}

fn flaw(key: &str, wrong: impl Into<String>, remedy: impl Into<String>) -> Flaw {
    Flaw { key: key.split('.').map(str::to_owned).collect(), line: 0, wrong: wrong.into(), remedy: remedy.into() }
}

/// Words for a request that nobody gets. `reachable` is whether callbacks can reach us: their addresses may be empty.
pub(super) fn sample(reachable: bool) -> Words {
    let mut words: Words = WORDS.into_iter().map(|word| (word, Value::from("1"))).collect();
    for (word, value) in [("to", "+61400000001"), ("to_plain", "61400000001"), ("to_national", "0400000001"), ("text", TELLING)] {
        words.insert(word, Value::from(value));
    }
    let here = if reachable { "https://alerts.example.org/hooks/x/status?d=KAL-1.1&key=a" } else { "" };
    words.insert("status_url", Value::from(here));
    words.insert("inbound_url", Value::from(here));
    words.insert("id", Value::from("id"));
    words.insert("ids", Value::from(vec!["id", TELLING]));
    words.insert("since", Value::from("2026-04-13T06:03:00Z"));
    words
}

/// Makes every request once and reads it back.
fn requests(settings: &Http, sheet: &Sheet) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let addresses = [
        ("url", Some(&settings.url)),
        ("probe_url", settings.probe_url.as_ref()),
        ("credit.url", settings.credit.as_ref().map(|map| &map.url)),
        ("receipt.poll_url", settings.receipt.as_ref().and_then(|map| map.poll_url.as_ref())),
        ("reply.poll_url", settings.reply.as_ref().and_then(|map| map.poll_url.as_ref())),
        ("reply.confirm_url", settings.reply.as_ref().and_then(|map| map.confirm_url.as_ref())),
    ];
    let words = sample(true);
    for (key, _) in addresses.into_iter().filter(|(_, source)| source.is_some()) {
        match sheet.render(key, &words) {
            Some(address) => match client::address("", &address) {
                Ok(url) if url.password().is_some() => {
                    flaws.push(flaw(
                        key,
                        "holds a password",
                        "settings are copied and shown; use auth = \"basic\" with user and token_file",
                    ));
                }
                Ok(_) => {}
                Err(error) => flaws.push(flaw(key, error.wrong, error.remedy)),
            },
            None => flaws.push(flaw(key, "cannot be made", "use words only, without arithmetic on them")),
        }
    }
    if let Some(url) = &settings.token_url {
        flaws.extend(client::address("", url).err().map(|error| flaw("token_url", error.wrong, error.remedy)));
    }
    for (name, value) in &settings.headers {
        let key = format!("headers.{name}");
        let lower = name.to_ascii_lowercase();
        let is_telling = ["authorization", "key", "secret", "token", "password"].iter().any(|word| lower.contains(word));
        if is_telling && !sheet.says(&key, "token") && !value.contains("dispatch") {
            flaws.push(flaw(&key, "seems to hold a secret", "settings are copied and shown; put it into token_file and write {{ token }}"));
        }
        let good = reqwest::header::HeaderName::try_from(name.as_str()).is_ok() && sheet.render(&key, &words).is_some();
        if !good {
            flaws.push(flaw(&key, "is not a header", "a header's name is letters and dashes, its value one line"));
        }
    }
    for reachable in [true, false] {
        if let Some(found) = message(settings, sheet, &sample(reachable)) {
            flaws.push(found);
            break;
        }
    }
    if let Some(body) = settings.reply.as_ref().and_then(|map| map.confirm_body.as_ref()) {
        let made = sheet.render("reply.confirm_body", &words).and_then(|body| serde_json::from_str::<serde_json::Value>(&body).ok());
        if made.is_none() || !body.contains("ids") {
            flaws.push(flaw("reply.confirm_body", "does not make JSON with the ids", "write it like  {\"reply_ids\": {{ ids }}}"));
        }
    }
    flaws
}

/// Whether the request for a message says exactly its text and its number.
fn message(settings: &Http, sheet: &Sheet, words: &Words) -> Option<Flaw> {
    let (key, said) = match (&settings.body, settings.method) {
        (Some(_), Method::Get) => return Some(flaw("body", "a GET has no body", "put the words into url, or use method = \"post\"")),
        (None, Method::Get | Method::Post | Method::Put) => {
            let address = sheet.render("url", words).and_then(|url| Url::parse(&url).ok());
            let pairs = address.map(|url| pairs_of(url.query().unwrap_or_default()));
            ("url", pairs.map(|pairs| pairs.into_iter().map(|(_, value)| value).collect::<Vec<_>>()))
        }
        (Some(_), Method::Post | Method::Put) => {
            let body = sheet.render("body", words);
            let said = match settings.body_as {
                BodyAs::Json => body.and_then(|body| serde_json::from_str(&body).ok()).map(|json| leaves(&json)),
                BodyAs::Form => body.map(|body| pairs_of(&body).into_iter().map(|(_, value)| value).collect()),
            };
            ("body", said)
        }
    };
    let Some(said) = said else {
        let remedy = "a value stands between quotes, as \"{{ text }}\"; what may be empty goes between {% if status_url %} and {% endif %}";
        return Some(flaw(key, "does not make JSON", remedy));
    };
    if !said.iter().any(|value| value == TELLING) {
        return Some(flaw(key, "does not say the text, or not as it is", "let one value be {{ text }} and nothing else"));
    }
    let address = sheet.render("url", words).unwrap_or_default();
    let numbers = ["+61400000001", "61400000001", "0400000001"];
    let told =
        said.iter().any(|value| numbers.contains(&value.as_str())) || address.contains("61400000001") || address.contains("0400000001");
    (!told).then(|| flaw(key, "does not say whom the text is for", "let one value be {{ to }}, {{ to_plain }} or {{ to_national }}"))
}

/// Every text in a JSON document.
fn leaves(json: &serde_json::Value) -> Vec<String> {
    use serde_json::Value as Json;
    match json {
        Json::String(text) => vec![text.clone()],
        Json::Array(items) => items.iter().flat_map(leaves).collect(),
        Json::Object(fields) => fields.values().flat_map(leaves).collect(),
        Json::Null | Json::Bool(_) | Json::Number(_) => Vec::new(),
    }
}

fn login(settings: &Http) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let needs: &[(&str, bool)] = match settings.auth {
        Auth::None => &[],
        Auth::Bearer => &[("token_file", settings.token_file.is_some())],
        Auth::Basic | Auth::Mac => &[("user", settings.user.is_some()), ("token_file", settings.token_file.is_some())],
        Auth::Oauth2 => {
            &[("user", settings.user.is_some()), ("token_file", settings.token_file.is_some()), ("token_url", settings.token_url.is_some())]
        }
    };
    for (key, _) in needs.iter().filter(|(_, there)| !there) {
        flaws.push(flaw("auth", format!("needs {key}, which is missing"), format!("add {key}, or choose another auth")));
    }
    if settings.client_cert_file.is_some() != settings.client_key_file.is_some() {
        flaws.push(flaw("client_cert_file", "goes with client_key_file", "set both or neither"));
    }
    let says_token = std::iter::once(&settings.url).chain(&settings.body).chain(settings.headers.values()).any(|t| t.contains("token"));
    if says_token && settings.token_file.is_none() && settings.auth == Auth::None {
        flaws.push(flaw("token_file", "is missing, and a template says the token", "name the file that holds it; secrets live in files"));
    }
    flaws
}

fn listening(settings: &Http) -> Vec<Flaw> {
    let mut flaws = Vec::new();
    let polled = settings.reply.as_ref().is_some_and(|map| map.poll_url.is_some());
    let called = settings.reply.is_some() && settings.callback.is_some();
    if !polled && !called {
        flaws.push(flaw(
            "reply",
            "no reply can reach us: there is neither [sms.reply] with a poll_url nor one with [sms.callback]",
            "add the way this provider hands replies on; people answer by text",
        ));
    } else if settings.inbound == Inbound::Webhook && !called {
        flaws.push(flaw("inbound", "webhook needs [sms.callback]: an unproved callback is never believed", "add it, or poll"));
    } else if settings.inbound == Inbound::Poll && !polled {
        flaws.push(flaw("inbound", "poll needs poll_url in [sms.reply]", "add it, or set inbound = \"webhook\""));
    }
    let pointers = [
        ("taken.id", settings.taken.id.as_ref()),
        ("taken.status", settings.taken.status.as_ref()),
        ("taken.code", settings.taken.code.as_ref()),
        ("credit.at", settings.credit.as_ref().map(|map| &map.at)),
        ("receipt.poll_items", settings.receipt.as_ref().map(|map| &map.poll_items)),
        ("reply.poll_items", settings.reply.as_ref().map(|map| &map.poll_items)),
    ];
    for (key, pointer) in pointers {
        if pointer.is_some_and(|pointer| !pointer.is_empty() && !pointer.starts_with('/')) {
            flaws.push(flaw(key, "is not a JSON pointer", "write it like /messages/0/id"));
        }
    }
    if polled && settings.reply.as_ref().is_some_and(|map| map.sent_at.is_empty()) {
        let remedy = "say which field holds the time a reply was sent";
        flaws.push(flaw("reply.sent_at", "is missing: an old reply that is listed again could answer a new alarm", remedy));
    }
    if !settings.taken.ok.is_empty() && settings.taken.status.is_none() {
        flaws.push(flaw("taken.ok", "there is no taken.status to compare it with", "say where the status is, or remove ok"));
    }
    if let Some(map) = &settings.receipt
        && map.id.is_none()
        && map.dispatch.is_none()
    {
        flaws.push(flaw("receipt.id", "is missing, and there is no receipt.dispatch: no receipt could be matched", "add one of them"));
    }
    if let Some(map) = &settings.reply
        && map.confirm_url.is_some() != map.confirm_body.is_some()
    {
        flaws.push(flaw("reply.confirm_url", "goes with reply.confirm_body", "set both or neither"));
    }
    if let Some(callback) = &settings.callback {
        let wrong = match callback.auth {
            CallbackAuth::Hmac if callback.header.is_none() => Some(("callback.header", "is missing: it holds the signature")),
            CallbackAuth::Basic if callback.user.is_none() => Some(("callback.user", "is missing")),
            CallbackAuth::Secret | CallbackAuth::Basic | CallbackAuth::Hmac => None,
        };
        flaws.extend(wrong.map(|(key, wrong)| flaw(key, wrong, "add it as the provider names it")));
    }
    let empty = |file: Option<&Path>| file.is_some_and(|path| path.as_os_str().is_empty());
    if empty(settings.token_file.as_deref()) {
        flaws.push(flaw("token_file", "is empty", "name the file that holds the secret"));
    }
    flaws
}
