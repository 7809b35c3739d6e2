//! The templates of one gateway: rendered with every value escaped for the place it stands in, so that no name, text or
//! number can change what a request says.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use minijinja::value::ValueKind;
use minijinja::{Environment, Error, ErrorKind, Output, State, UndefinedBehavior, Value};

use crate::settings::{BodyAs, Flaw, Http};

/// Steps of the template engine for one request; a large one takes some dozens.
const FUEL: u64 = 20_000;
/// What every template may say (see [`Http`]).
pub(super) const WORDS: [&str; 16] = [
    "to",
    "to_plain",
    "to_national",
    "from",
    "from_plain",
    "from_national",
    "text",
    "dispatch",
    "dispatch_key",
    "validity_s",
    "validity_min",
    "expires_at",
    "user",
    "token",
    "status_url",
    "inbound_url",
];
/// Words that only a request about one message has.
const OF_A_MESSAGE: [&str; 7] = ["to", "to_plain", "to_national", "text", "dispatch", "dispatch_key", "expires_at"];

/// Values by name.
pub(super) type Words = BTreeMap<&'static str, Value>;

/// All templates of one gateway, by the key they are written under.
#[derive(Debug)]
pub(crate) struct Sheet {
    env: Environment<'static>,
}

/// Where a template's text ends up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Address,
    Json,
    Form,
    Header,
}

impl Sheet {
    /// Takes up every template of the settings, and says what is wrong with which.
    pub(crate) fn of(settings: &Http) -> (Self, Vec<Flaw>) {
        let mut env = Environment::new();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.set_fuel(Some(FUEL));
        env.set_formatter(escaped);
        let mut sheet = Self { env };
        let mut flaws = Vec::new();
        for (key, place, source, more) in templates(settings) {
            if let Err(flaw) = sheet.add(&key, place, source, more) {
                flaws.push(flaw);
            }
        }
        (sheet, flaws)
    }

    /// The text of one template; `None` where it cannot be made from these words.
    pub(super) fn render(&self, key: &str, words: &Words) -> Option<String> {
        let name = [Place::Address, Place::Json, Place::Form, Place::Header].map(|place| format!("{}/{key}", place.as_str()));
        let template = name.iter().find_map(|name| self.env.get_template(name).ok())?;
        template.render(words).ok()
    }

    /// Whether a template says a word.
    pub(super) fn says(&self, key: &str, word: &str) -> bool {
        let places = [Place::Address, Place::Json, Place::Form, Place::Header];
        let template = places.iter().find_map(|place| self.env.get_template(&format!("{}/{key}", place.as_str())).ok());
        template.is_some_and(|template| template.undeclared_variables(false).contains(word))
    }

    fn add(&mut self, key: &str, place: Place, source: &str, more: &[&str]) -> Result<(), Flaw> {
        let path = || key.split('.').map(str::to_owned).collect::<Vec<_>>();
        let name = format!("{}/{key}", place.as_str());
        self.env.add_template_owned(name.clone(), source.to_owned()).map_err(|error| Flaw {
            key: path(),
            line: error.line().map_or(0, |line| line.saturating_sub(1)),
            wrong: format!("is not a template: {error}"),
            remedy: "values are written as {{ word }}; correct what stands between the braces".to_owned(),
        })?;
        let said = self.env.get_template(&name).map(|template| template.undeclared_variables(false)).unwrap_or_default();
        let is_send = matches!(path().first().map(String::as_str), Some("url" | "body" | "headers"));
        let known = |word: &str| (WORDS.contains(&word) && (is_send || !OF_A_MESSAGE.contains(&word))) || more.contains(&word);
        let Some(unknown) = said.iter().filter(|word| !known(word)).min() else {
            return Ok(());
        };
        let listed: Vec<_> = WORDS.iter().chain(more).copied().filter(|word| known(word)).collect();
        Err(Flaw {
            key: path(),
            line: source.lines().position(|line| line.contains(unknown.as_str())).unwrap_or(0),
            wrong: format!("there is no word \"{unknown}\" here"),
            remedy: format!("use one of: {}", listed.join(", ")),
        })
    }
}

impl Place {
    fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Json => "json",
            Self::Form => "form",
            Self::Header => "header",
        }
    }
}

type Written<'s> = (String, Place, &'s str, &'static [&'static str]);

/// Every template of the settings: its key, where it goes, its source, and the words it has besides.
fn templates(settings: &Http) -> Vec<Written<'_>> {
    let body = match settings.body_as {
        BodyAs::Json => Place::Json,
        BodyAs::Form => Place::Form,
    };
    let mut all: Vec<Written<'_>> = vec![("url".to_owned(), Place::Address, &settings.url, &[])];
    all.extend(settings.body.iter().map(|source| ("body".to_owned(), body, source.as_str(), &[][..])));
    all.extend(settings.headers.iter().map(|(name, source)| (format!("headers.{name}"), Place::Header, source.as_str(), &[][..])));
    all.extend(settings.probe_url.iter().map(|source| ("probe_url".to_owned(), Place::Address, source.as_str(), &[][..])));
    all.extend(settings.credit.iter().map(|map| ("credit.url".to_owned(), Place::Address, map.url.as_str(), &[][..])));
    let receipts = settings.receipt.iter().filter_map(|map| map.poll_url.as_deref());
    all.extend(receipts.map(|source| ("receipt.poll_url".to_owned(), Place::Address, source, &["id", "since"][..])));
    if let Some(map) = &settings.reply {
        all.extend(map.poll_url.iter().map(|s| ("reply.poll_url".to_owned(), Place::Address, s.as_str(), &["since"][..])));
        all.extend(map.confirm_url.iter().map(|s| ("reply.confirm_url".to_owned(), Place::Address, s.as_str(), &[][..])));
        all.extend(map.confirm_body.iter().map(|s| ("reply.confirm_body".to_owned(), Place::Json, s.as_str(), &["ids"][..])));
    }
    all
}

/// Writes a value so that it stays one value where it stands. A template's own `safe` changes nothing.
fn escaped(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let place = state.name().split_once('/').map_or("", |(place, _)| place).to_owned();
    if value.kind() == ValueKind::Seq {
        if place != "json" {
            return Err(Error::new(ErrorKind::InvalidOperation, "a list can only stand in JSON"));
        }
        let list = serde_json::to_string(value).map_err(|error| Error::new(ErrorKind::BadSerialization, error.to_string()))?;
        return Ok(out.write_str(&list)?);
    }
    let text = if value.is_none() || value.is_undefined() { String::new() } else { value.to_string() };
    let safe = match place.as_str() {
        "json" => quoted(&text),
        "header" if text.chars().any(char::is_control) => {
            return Err(Error::new(ErrorKind::InvalidOperation, "a header cannot hold control characters"));
        }
        "header" => text,
        _address_or_form => percent(&text),
    };
    Ok(out.write_str(&safe)?)
}

/// Between the quotes of a JSON string.
fn quoted(text: &str) -> String {
    let whole = serde_json::Value::from(text).to_string();
    let inner = whole.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or_default().to_owned()
}

/// Everything but letters, digits and `-._~` as `%XX` (RFC 3986, 2.3).
pub(crate) fn percent(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            safe.push(char::from(byte));
        } else {
            // Writing into a String cannot fail.
            let _written = write!(safe, "%{byte:02X}");
        }
    }
    safe
}
