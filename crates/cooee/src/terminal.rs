//! What others wrote, shown on a terminal: nothing in it may move a cursor, hide a line or say what only we say.

use std::fmt::Write as _;

use serde_json::Value;

/// A text without line ends and whatever else does something instead of being seen: each such character is spelled out.
pub(crate) fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        if acts(letter) { shown.extend(letter.escape_unicode()) } else { shown.push(letter) }
    }
    shown
}

/// A document whose texts read back as they were, and do nothing to whoever looks at it.
pub(crate) fn json(document: &Value) -> String {
    let mut shown = String::new();
    for letter in document.to_string().chars() {
        if acts(letter) {
            for unit in letter.encode_utf16(&mut [0; 2]) {
                let _written = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(letter);
        }
    }
    shown
}

/// Controls (also those of ISO 6429's second set), ends of lines, and what turns the direction of writing or is not seen.
const fn acts(letter: char) -> bool {
    matches!(letter,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_spelled_out_and_the_rest_is_as_it_was() {
        assert_eq!(
            plain("Zo\u{eb} O\u{2019}Neil: data/\u{1b}[2J\r\nknown  \u{9b}\u{202e}"),
            "Zo\u{eb} O\u{2019}Neil: data/\\u{1b}[2J\\u{d}\\u{a}known  \\u{9b}\\u{202e}"
        );
        let said = serde_json::json!({ "a": "\u{1b}[31m \u{9b}31m \u{202e}\u{e0041} Zo\u{eb}" });
        let shown = json(&said);
        assert!(!shown.chars().any(acts), "{shown:?}");
        assert_eq!(serde_json::from_str::<Value>(&shown).unwrap(), said);
    }
}
