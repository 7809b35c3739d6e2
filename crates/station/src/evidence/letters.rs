//! Letters of what callers write, where it is printed in lines: one that ends a line or turns it round could pose as another line.

/// Whether a letter stays within its line and in its place: no control character, no separator of lines, nothing that turns the direction
/// of writing.
pub fn is_plain(letter: char) -> bool {
    let turns = matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !letter.is_control() && !turns && !matches!(letter, '\u{2028}' | '\u{2029}')
}

/// A text with a question mark for each letter that is not.
pub(super) fn plain(text: &str) -> String {
    text.chars().map(|letter| if is_plain(letter) { letter } else { '?' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_letter_ends_a_line_or_turns_it_round() {
        assert_eq!(plain("Zo\u{eb} \u{674e} O'Brien, Sgt."), "Zo\u{eb} \u{674e} O'Brien, Sgt.");
        for bad in "\n\r\t\u{0}\u{7f}\u{85}\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}\u{202a}\u{202e}\u{2066}\u{2069}".chars() {
            assert_eq!(plain(&format!("a{bad}b")), "a?b", "{bad:?}");
        }
    }
}
