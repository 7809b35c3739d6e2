//! `[[sms]]`: which keys there are depends on the `kind`, and a gateway's templates are tried before anything starts.

use dispatch::settings::Sms;

use super::layer::Layered;

/// The list of accounts.
const LIST: &str = "sms";

/// Every account that can be used; what is wrong with the others is said where it stands.
pub(crate) fn read(layered: &mut Layered<'_>) -> Vec<Sms> {
    let mut accounts = Vec::new();
    for (index, kind) in layered.choices(LIST, "kind").into_iter().enumerate() {
        let Some(account) = shaped(layered, index, kind.as_deref()) else { continue };
        let at = index.to_string();
        for flaw in account.flaws() {
            let path: Vec<&str> = [LIST, &at].into_iter().chain(flaw.key.iter().map(String::as_str)).collect();
            layered.error_within(&path, flaw.line, &format!("sms: {} {}", flaw.key.join("."), flaw.wrong), &flaw.remedy);
        }
        accounts.push(account);
    }
    accounts
}

fn shaped(layered: &mut Layered<'_>, index: usize, kind: Option<&str>) -> Option<Sms> {
    match kind {
        Some("twilio") => layered.item(LIST, index, "kind").map(Sms::Twilio),
        Some("http") => layered.item(LIST, index, "kind").map(Sms::Http),
        Some("messagemedia") => layered.item(LIST, index, "kind").map(Sms::MessageMedia),
        Some("clicksend") => layered.item(LIST, index, "kind").map(Sms::ClickSend),
        Some("smsglobal") => layered.item(LIST, index, "kind").map(Sms::SmsGlobal),
        Some("telstra") => layered.item(LIST, index, "kind").map(Sms::Telstra),
        Some(other) => {
            let path = [LIST, &index.to_string(), "kind"];
            let remedy = format!("use one of: {}", Sms::KINDS.join(", "));
            layered.error(&path, &format!("sms: kind cannot be used: \"{other}\" is none of the choices"), "", &remedy);
            None
        }
        None => {
            let remedy = format!("add kind, one of: {}", Sms::KINDS.join(", "));
            layered.error(&[LIST, &index.to_string()], "sms: kind is missing", "", &remedy);
            None
        }
    }
}
