//! Links to the responder's page within texts. Whoever has one answers as the person it was sent to, so that nobody else is shown it.

/// Where they lead.
const PATH: &str = "/a/";
/// Characters of a token (`secret`).
const TOKEN: usize = 11;
/// What stands in the place of a token.
const HIDDEN: &str = "(link)";

/// Whether a text holds one.
pub(crate) fn held(text: &str) -> bool {
    next(text).is_some()
}

/// The text, with every token left out.
pub(crate) fn hidden(text: String) -> String {
    if !held(&text) {
        return text;
    }
    let mut shown = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = next(rest) {
        shown.push_str(before);
        shown.push_str(HIDDEN);
        rest = after;
    }
    shown.push_str(rest);
    shown
}

/// What stands before the first token, its path included, and what stands behind it.
fn next(text: &str) -> Option<(&str, &str)> {
    text.match_indices(PATH).find_map(|(at, found)| {
        let (before, rest) = text.split_at_checked(at + found.len())?;
        let (token, after) = rest.split_at_checked(TOKEN)?;
        token.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_').then_some((before, after))
    })
}

#[cfg(test)]
mod tests {
    use escalation::id::PersonId;

    use super::*;
    use crate::secret::Secret;

    #[test]
    fn every_token_is_left_out_and_nothing_else() {
        let secret = Secret::from_bytes(&[7; 32]);
        let token = |person| secret.link(&"KAL-1".parse().unwrap(), secret.contact("+61400000001"), PersonId::new(person));
        let (one, other) = (token(1), token(2));
        let text = format!("\u{2019} Answer: https://alerts.example.org/a/{one} or c.au/a/{other}.");
        assert!(held(&text));
        assert_eq!(hidden(text), "\u{2019} Answer: https://alerts.example.org/a/(link) or c.au/a/(link).");
        for plain in ["", "n/a/", "a/b/c/a/short", "n/a/\u{2019}\u{2019}\u{2019}\u{2019}", "the gate, n/a/ask at desk"] {
            assert_eq!((held(plain), hidden(plain.to_owned()).as_str()), (false, plain));
        }
    }
}
