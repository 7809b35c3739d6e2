//! The name of a site or a place as a text message says it: at most 20 characters, never cut inside a word.

use super::reader::{At, Section, Wrong};

/// Longest name in a text message, in characters: site and place share 45 septets of the first text.
const SMS_NAME_MAX: usize = 20;

/// Reads `sms_name`, or makes one of the name's leading words.
pub(super) fn read(section: &mut Section<'_, '_, '_>, name: &str) -> String {
    let written = section.has("sms_name");
    let given: Option<At<String>> = section.read("sms_name", |text| {
        let text = text.trim();
        let long = text.chars().count();
        if text.is_empty() || text.chars().any(char::is_control) {
            return Err(Wrong::new("is empty or not one line", "write up to 20 characters"));
        }
        if long > SMS_NAME_MAX {
            return Err(Wrong::new(
                format!("has {long} characters; a text message has room for {SMS_NAME_MAX}"),
                "shorten it so that a stranger still finds the place",
            ));
        }
        Ok(text.to_owned())
    });
    if let Some(given) = given {
        return given.value;
    }
    let short = leading_words(name);
    if written || short == name {
        return short;
    }
    let line = section.line;
    if short.is_empty() {
        let what = section.titled("the name has no word that fits into a text message");
        section.reader.error(line, what, "", "add  sms_name = \"...\"  with up to 20 characters");
    } else {
        let what = section.titled(&format!("a text message will call it \"{short}\""));
        section.reader.warn(
            line,
            what,
            "its name is longer than 20 characters",
            "add  sms_name = \"...\"  so that a stranger still finds the place",
        );
    }
    short
}

fn leading_words(name: &str) -> String {
    let mut short = String::new();
    for word in name.split_whitespace() {
        let gap = usize::from(!short.is_empty());
        if short.chars().count() + gap + word.chars().count() > SMS_NAME_MAX {
            break;
        }
        if gap == 1 {
            short.push(' ');
        }
        short.push_str(word);
    }
    short
}
