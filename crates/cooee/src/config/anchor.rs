//! `[[anchor]]`: which keys there are depends on the `kind`, and what it leans on must be there.

use std::collections::BTreeSet;

use dispatch::settings::Anchor;

use super::layer::Layered;

/// The list of anchors.
const LIST: &str = "anchor";

/// Every anchor that can be used; what is wrong with the others is said where it stands.
pub(crate) fn read(layered: &mut Layered<'_>, has_relay: bool, has_broker: bool) -> Vec<Anchor> {
    let mut anchors: Vec<Anchor> = Vec::new();
    let mut names = BTreeSet::new();
    for (index, kind) in layered.choices(LIST, "kind").into_iter().enumerate() {
        let Some(anchor) = shaped(layered, index, kind.as_deref()) else { continue };
        let at = index.to_string();
        for flaw in anchor.flaws() {
            let path: Vec<&str> = [LIST, &at].into_iter().chain(flaw.key.iter().map(String::as_str)).collect();
            layered.error(&path, &format!("anchor: {} {}", flaw.key.join("."), flaw.wrong), "", &flaw.remedy);
        }
        if !names.insert(anchor.name().clone()) {
            let what = format!("anchor: there is another one of the name {}", anchor.name());
            layered.error(&[LIST, &at, "name"], &what, "nobody could tell which of them has what", "give each a name of its own");
        }
        if matches!(anchor, Anchor::Email(_)) && !has_relay {
            let what = format!("anchor: {} is sent by mail, and there is no [email]", anchor.name());
            layered.error(&[LIST, &at, "kind"], &what, "", "add [email], or choose another kind");
        }
        if matches!(anchor, Anchor::Mqtt(_)) && anchors.iter().any(|other| matches!(other, Anchor::Mqtt(_))) {
            let what = format!("anchor: {} is a second one at the broker, which keeps one checkpoint", anchor.name());
            layered.error(&[LIST, &at, "kind"], &what, "one copy would have two receipts", "keep one of them");
        }
        if matches!(anchor, Anchor::Mqtt(_)) && !has_broker {
            let what = format!("anchor: {} is published to a broker, and there is no [mqtt]", anchor.name());
            let why = "the listener inside the process is no place outside";
            layered.error(&[LIST, &at, "kind"], &what, why, "use [mqtt], or choose another kind");
        }
        anchors.push(anchor);
    }
    anchors
}

fn shaped(layered: &mut Layered<'_>, index: usize, kind: Option<&str>) -> Option<Anchor> {
    match kind {
        Some("email") => layered.item(LIST, index, "kind").map(Anchor::Email),
        Some("webhook") => layered.item(LIST, index, "kind").map(Anchor::Webhook),
        Some("mqtt") => layered.item(LIST, index, "kind").map(Anchor::Mqtt),
        Some("rfc3161") => layered.item(LIST, index, "kind").map(Anchor::Rfc3161),
        Some(other) => {
            let path = [LIST, &index.to_string(), "kind"];
            let remedy = format!("use one of: {}", Anchor::KINDS.join(", "));
            layered.error(&path, &format!("anchor: kind cannot be used: \"{other}\" is none of the choices"), "", &remedy);
            None
        }
        None => {
            let remedy = format!("add kind, one of: {}", Anchor::KINDS.join(", "));
            layered.error(&[LIST, &index.to_string()], "anchor: kind is missing", "", &remedy);
            None
        }
    }
}
