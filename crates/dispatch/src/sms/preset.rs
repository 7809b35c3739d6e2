//! Services whose API we know: each is a filled-in gateway, `presets/*.toml`, with the operator's login and number.

use serde::Deserialize;

use crate::settings::{Callback, CallbackAuth, Encoding, Hash, Hosted, Http, Service, SettingsError};

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

/// Puts the service's address in wherever `{base}` stands.
fn fill(value: &mut toml::Value, base: &str) {
    match value {
        toml::Value::String(text) => *text = text.replace("{base}", base),
        toml::Value::Table(table) => table.iter_mut().for_each(|(_, inner)| fill(inner, base)),
        toml::Value::Array(items) => items.iter_mut().for_each(|inner| fill(inner, base)),
        toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_) | toml::Value::Datetime(_) => {}
    }
}
