//! A mailbox: enough of RFC 5321 to catch slips of the hand; the mail server has the last word.

use super::reader::{At, Section, Wrong};

const REMEDY: &str = "write it as  name@example.org";

/// Reads a mailbox. As with a number, one that cannot be read still counts as there.
pub(super) fn read(section: &mut Section<'_, '_, '_>, key: &'static str) -> Option<At<String>> {
    let (_, line) = section.value(key)?;
    let unreadable = At { value: String::new(), line };
    Some(section.read(key, parse).unwrap_or(unreadable))
}

fn parse(text: &str) -> Result<String, Wrong> {
    let Some((local, domain)) = text.split_once('@') else {
        return Err(Wrong::new("has no @", REMEDY));
    };
    if text.len() > 254 || local.is_empty() || local.len() > 64 {
        return Err(Wrong::new("has a part that is empty or too long", REMEDY));
    }
    if !local.bytes().all(is_local) || local.starts_with('.') || local.ends_with('.') {
        return Err(Wrong::new("has a character before the @ that mail does not carry", REMEDY));
    }
    let label =
        |l: &str| !l.is_empty() && !l.starts_with('-') && !l.ends_with('-') && l.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    if !domain.split('.').all(label) {
        return Err(Wrong::new("has no domain after the @", REMEDY));
    }
    Ok(text.to_owned())
}

/// An RFC 5322 `atext` or the dot between atoms.
fn is_local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte)
}
