//! Every account and endpoint of the settings by which messages leave, as the rules imagine them failing.

use escalation::id::CarrierName;
use escalation::ladder::Medium;
use escalation::outage::{Carrier, Path};
use escalation::time::Seconds;

/// What the settings call the mail relay, which has no name of its own.
const RELAY: &str = "email";

/// The carriers in their order of preference.
pub(crate) fn carriers(settings: &dispatch::Settings) -> Vec<Carrier> {
    let carrier = |name: &str, of: Path, attempt_s: u64| Carrier {
        name: name.to_owned(),
        of,
        attempt_s: Seconds(u32::try_from(attempt_s).unwrap_or(u32::MAX)),
    };
    let sms = settings.sms.iter().map(|sms| carrier(sms.name().as_str(), Path::Medium(Medium::Sms), sms.attempt_s()));
    let email = settings.email.iter().map(|relay| carrier(RELAY, Path::Medium(Medium::Email), relay.attempt_s));
    let voice = settings.voice.iter().map(|voice| carrier(voice.name.as_str(), Path::Medium(Medium::Voice), voice.attempt_s));
    let hook = |name: &CarrierName| Path::Webhook(name.clone());
    let webhooks = settings.webhook.iter().map(|webhook| carrier(webhook.name.as_str(), hook(&webhook.name), webhook.attempt_s));
    sms.chain(email).chain(voice).chain(webhooks).collect()
}
