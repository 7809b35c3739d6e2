//! Services whose API we know: each is a filled-in gateway, `presets/*.toml`, with the operator's login and number.

use serde::Deserialize;

use crate::settings::{Callback, CallbackAuth, Encoding, Flaw, Hash, Hosted, Http, Inbound, Service, SettingsError};
use crate::sms::http;

/// What an operator may say about an account with a service; everything else is filled in.
const THEIRS: [&str; 4] = ["from", "slots", "request_ms", "attempt_s"];
/// Why an account is not asked for its credit.
const NO_CREDIT: &str = "this service's documentation shows no way to ask for it";

/// The filled-in settings of a service. Their own keys are those of `[[sms]] kind = "http"`, and `base_url`.
fn source(service: Service) -> &'static str {
    match service {
        Service::MessageMedia => include_str!("../../presets/messagemedia.toml"),
        Service::ClickSend => include_str!("../../presets/clicksend.toml"),
        Service::SmsGlobal => include_str!("../../presets/smsglobal.toml"),
        Service::Telstra => include_str!("../../presets/telstra.toml"),
    }
}

/// The gateway that an account with a service is.
pub(crate) fn gateway(service: Service, account: &Hosted) -> Result<Http, SettingsError> {
    let what = format!("[[sms]] {}", account.name);
    let broken = |error: toml::de::Error| SettingsError::new(&what, error.message(), "report this: the service's own settings are broken");
    let mut table: toml::Table = source(service).parse().map_err(broken)?;
    let usual = table.remove("base_url");
    let mut credit = table.remove("credit");
    if let (Some(toml::Value::Table(asked)), Some(low)) = (&mut credit, account.credit_low) {
        asked.insert("low".to_owned(), low.into());
        table.extend(credit.map(|asked| ("credit".to_owned(), asked)));
    } else if account.credit_low.is_some() {
        return Err(SettingsError::new(format!("{what} credit_low"), NO_CREDIT, "remove credit_low, and have the service warn you itself"));
    }
    let base = account.base_url.as_deref().or_else(|| usual.as_ref()?.as_str()).unwrap_or_default();
    let mut table = toml::Value::Table(table);
    fill(&mut table, base.trim_end_matches('/'));
    if let toml::Value::Table(table) = &mut table {
        table.insert("name".to_owned(), account.name.to_string().into());
        table.insert("from".to_owned(), account.from.clone().into());
    }
    let mut http = Http::deserialize(table).map_err(broken)?;
    http.user = Some(account.user.clone());
    http.token_file = Some(account.token_file.clone());
    http.callback = account.callback_secret_file.clone().map(|secret_file| Callback {
        auth: CallbackAuth::Secret,
        secret_file,
        header: None,
        user: None,
        hash: Hash::default(),
        encoding: Encoding::default(),
        timestamp_header: None,
    });
    http.inbound = account.inbound;
    http.validity_s = account.validity_s;
    http.slots = account.slots;
    http.connect_ms = account.connect_ms;
    http.request_ms = account.request_ms;
    http.attempt_s = account.attempt_s;
    http.keep_warm = account.keep_warm;
    http.proxy.clone_from(&account.proxy);
    http.ca_file.clone_from(&account.ca_file);
    Ok(http)
}

/// What is wrong with the settings of an account, under the operator's own keys.
pub(crate) fn flaws(service: Service, account: &Hosted) -> Vec<Flaw> {
    let at = |key: &str, wrong: String, remedy: String| Flaw { key: vec![key.to_owned()], line: 0, wrong, remedy };
    let found = match gateway(service, account) {
        Ok(gateway) => http::flaws(&gateway),
        Err(error) if error.wrong == NO_CREDIT => return vec![at("credit_low", error.wrong, error.remedy)],
        Err(error) => return vec![at("user", error.wrong, error.remedy)],
    };
    let (theirs, filled): (Vec<Flaw>, Vec<Flaw>) =
        found.into_iter().partition(|flaw| flaw.key.first().is_some_and(|key| THEIRS.contains(&key.as_str())));
    let (low, filled): (Vec<Flaw>, Vec<Flaw>) = filled.into_iter().partition(|flaw| flaw.key == ["credit", "low"]);
    let mut flaws = theirs;
    flaws.extend(low.into_iter().map(|flaw| at("credit_low", flaw.wrong, flaw.remedy)));
    if account.inbound == Inbound::Webhook && account.callback_secret_file.is_none() {
        let wrong = "webhook needs callback_secret_file: an unproved callback is never believed";
        flaws.push(at("inbound", wrong.to_owned(), "add it, or poll".to_owned()));
    } else if let Some(flaw) = filled.into_iter().next() {
        // Only the address that it was filled in with can make what is filled in wrong.
        flaws.push(at("base_url", flaw.wrong, flaw.remedy));
    }
    flaws
}

/// Puts the service's address in wherever `{base}` stands.
fn fill(value: &mut toml::Value, base: &str) {
    match value {
        toml::Value::String(text) => *text = text.replace("{base}", base),
        toml::Value::Table(table) => table.iter_mut().for_each(|(_, inner)| fill(inner, base)),
        toml::Value::Array(items) => items.iter_mut().for_each(|inner| fill(inner, base)),
        toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_) | toml::Value::Datetime(_) => {}
    }
}
