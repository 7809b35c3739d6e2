//! A mobile number: E.164, however people space it.

use super::reader::{At, Section, Wrong};

const REMEDY: &str = "write it with its country code: \"+61 4xx xxx xxx\"";

/// Reads a number. One that cannot be read still counts as there, so that a single mistake is not reported again as a
/// person nobody can reach; the finding is an error, so no draft comes of it.
pub(super) fn read(section: &mut Section<'_, '_, '_>, key: &'static str) -> Option<At<String>> {
    let (_, line) = section.value(key)?;
    let Some(number) = section.read(key, parse) else {
        return Some(At { value: String::new(), line });
    };
    if is_australian_landline(&number.value) {
        let what = section.titled(&format!("{key} is an Australian landline"));
        section.reader.warn(number.line, what, "a text message there is lost or read out by a machine", "give a mobile number, +61 4...");
    }
    Some(number)
}

/// Whether two ways of writing a number are of one number. What cannot be read is no number, and none is it.
pub fn is_one_number(one: &str, other: &str) -> bool {
    matches!((parse(one), parse(other)), (Ok(one), Ok(other)) if one == other)
}

fn parse(text: &str) -> Result<String, Wrong> {
    let compact: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.')).collect();
    if let Some(rest) = compact.strip_prefix("04")
        && rest.len() == 8
        && is_digits(rest)
    {
        return Ok(format!("+614{rest}"));
    }
    let Some(digits) = compact.strip_prefix('+') else {
        return Err(Wrong::new("does not begin with + and a country code", REMEDY));
    };
    if !is_digits(digits) {
        return Err(Wrong::new("has something in it that is not a digit", REMEDY));
    }
    if !(8..=15).contains(&digits.len()) {
        let what = format!("has {} digits; a number has 8 to 15", digits.len());
        return Err(Wrong::new(what, REMEDY));
    }
    if digits.starts_with('0') || digits.starts_with("610") {
        return Err(Wrong::new("has a 0 where the country code or the number after it begins", "leave that 0 out: \"+61 4xx xxx xxx\""));
    }
    if digits.starts_with("614") && digits.len() != 11 {
        let what = format!("has {} digits after +61; an Australian mobile has 9", digits.len() - 2);
        return Err(Wrong::new(what, REMEDY));
    }
    Ok(format!("+{digits}"))
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

fn is_australian_landline(number: &str) -> bool {
    ["+612", "+613", "+617", "+618"].iter().any(|area| number.starts_with(area))
}
