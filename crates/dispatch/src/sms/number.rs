//! How providers write a phone's number, and how we read it: E.164 within, whatever they like outside. Pure.

/// `+61400000001` as `61400000001`.
pub(crate) fn plain(number: &str) -> String {
    number.trim_start_matches('+').to_owned()
}

/// `+61400000001` as `0400000001` within country `61`; a number of another country stays as it is.
pub(crate) fn national(number: &str, country_code: &str) -> String {
    match plain(number).strip_prefix(country_code) {
        Some(rest) if number.starts_with('+') => format!("0{rest}"),
        Some(_) | None => number.to_owned(),
    }
}

/// Any of those, with blanks and dashes, as E.164. What is no number (a sender's name) stays as it is: nobody is on a
/// ladder by it.
pub(crate) fn e164(written: &str, country_code: &str) -> String {
    let bare: String = written.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.')).collect();
    let digits = bare.strip_prefix('+').unwrap_or(&bare);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return written.to_owned();
    }
    if bare.starts_with('+') {
        return bare;
    }
    match (bare.strip_prefix("00"), bare.strip_prefix('0')) {
        (Some(international), _) => format!("+{international}"),
        (None, Some(national)) => format!("+{country_code}{national}"),
        (None, None) => format!("+{bare}"),
    }
}

/// Whether a setting is a number that can be answered.
pub(crate) fn is_e164(number: &str) -> bool {
    let digits = number.strip_prefix('+');
    digits.is_some_and(|n| (7..=15).contains(&n.len()) && n.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_phone_is_the_same_phone_however_it_is_written() {
        for written in ["+61400000001", "61400000001", "0400000001", "0400 000 001", "0061400000001", "+61 400-000-001"] {
            assert_eq!(e164(written, "61"), "+61400000001", "{written}");
        }
        assert_eq!(e164("Telstra", "61"), "Telstra");
        assert_eq!(e164("+441234567890", "61"), "+441234567890");
        assert_eq!((plain("+61400000001").as_str(), national("+61400000001", "61").as_str()), ("61400000001", "0400000001"));
        assert_eq!(national("+441234567890", "61"), "+441234567890");
        assert!(is_e164("+61400000000") && !is_e164("COUNCIL") && !is_e164("0400000001") && !is_e164("+6140000000x"));
    }
}
