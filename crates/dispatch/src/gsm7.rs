//! GSM 03.38 as the air interface counts it: which characters a text message may hold and how many septets each takes.
//!
//! One character outside this alphabet halves a message's room (UCS-2, 70 characters), so texts are brought into it
//! before they are counted. Knows nothing of templates or alarms.

/// Septets in one segment.
pub const SEGMENT: usize = 160;

/// The basic alphabet, escape excluded: one septet each (3GPP TS 23.038, 6.2.1).
const BASIC: &str =
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
/// The extension table: two septets each (3GPP TS 23.038, 6.2.1.1).
const EXTENSION: &str = "\u{c}^{}\\[~]|€";

/// Septets that one character takes, `None` where the alphabet lacks it.
pub fn septets_of(c: char) -> Option<usize> {
    // Nearly every character of a message is one of these; the tables are for the rest.
    if c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | ',' | '\'' | '-' | '/' | '=' | ':') {
        return Some(1);
    }
    if BASIC.contains(c) {
        return Some(1);
    }
    EXTENSION.contains(c).then_some(2)
}

/// Septets that a text takes, `None` where any character is outside the alphabet.
pub fn septets(text: &str) -> Option<usize> {
    text.chars().map(septets_of).sum()
}

/// Brings any text into the basic alphabet, one septet a character: typography becomes ASCII, accents that GSM lacks are
/// dropped, brackets that cost two septets become round ones, and what has no likeness becomes `?`.
pub fn normalise(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\r' || c == '\u{c}' {
            plain.push(' ');
        } else if septets_of(c) == Some(1) {
            plain.push(c);
        } else {
            plain.push_str(likeness(c));
        }
    }
    plain
}

fn likeness(c: char) -> &'static str {
    match c {
        '\u{2018}' | '\u{2019}' | '\u{201b}' | '\u{2032}' | '`' | '\u{b4}' | '^' => "'",
        '\u{201c}' | '\u{201d}' | '\u{201e}' | '\u{2033}' | '«' | '»' => "\"",
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '~' => "-",
        '\u{2026}' => "...",
        '\u{a0}' | '\u{2000}'..='\u{200a}' | '\u{202f}' | '\t' | '\u{b}' => " ",
        '\u{200b}'..='\u{200f}' | '\u{feff}' | '\u{ad}' => "",
        '[' | '{' => "(",
        ']' | '}' => ")",
        '|' | '\\' => "/",
        '€' => "EUR",
        '•' | '·' | '×' => "*",
        'á' | 'â' | 'ã' | 'ā' | 'ă' | 'ą' => "a",
        'À' | 'Á' | 'Â' | 'Ã' | 'Ā' | 'Ă' | 'Ą' => "A",
        'ç' | 'ć' | 'č' => "c",
        'Ć' | 'Č' => "C",
        'ď' | 'đ' | 'ð' => "d",
        'Ď' | 'Đ' | 'Ð' => "D",
        'ê' | 'ë' | 'ē' | 'ę' | 'ě' => "e",
        'È' | 'Ê' | 'Ë' | 'Ē' | 'Ę' | 'Ě' => "E",
        'ğ' => "g",
        'Ğ' => "G",
        'í' | 'î' | 'ï' | 'ī' | 'ı' => "i",
        'Ì' | 'Í' | 'Î' | 'Ï' | 'Ī' | 'İ' => "I",
        'ł' => "l",
        'Ł' => "L",
        'ń' | 'ň' => "n",
        'Ń' | 'Ň' => "N",
        'ó' | 'ô' | 'õ' | 'ō' | 'ő' => "o",
        'Ò' | 'Ó' | 'Ô' | 'Õ' | 'Ō' | 'Ő' => "O",
        'œ' => "oe",
        'Œ' => "OE",
        'ř' => "r",
        'Ř' => "R",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'Ś' | 'Š' | 'Ş' | 'Ș' => "S",
        'ť' | 'ţ' | 'ț' => "t",
        'Ť' | 'Ţ' | 'Ț' => "T",
        'ú' | 'û' | 'ū' | 'ů' | 'ű' => "u",
        'Ù' | 'Ú' | 'Û' | 'Ū' | 'Ů' | 'Ű' => "U",
        'ý' | 'ÿ' => "y",
        'Ý' | 'Ÿ' => "Y",
        'ź' | 'ż' | 'ž' => "z",
        'Ź' | 'Ż' | 'Ž' => "Z",
        _other => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_alphabet_has_its_size() {
        // 128 codes less the escape; the extension table's ten with the form feed.
        assert_eq!(BASIC.chars().count(), 127);
        assert_eq!(EXTENSION.chars().count(), 10);
    }

    #[test]
    fn characters_cost_what_the_tables_say() {
        for (text, cost) in [
            ("", Some(0)),
            ("Y47", Some(3)),
            ("Don't", Some(5)),
            ("@£$¥èéùìòÇØøÅå", Some(14)),
            ("[x]", Some(5)),
            ("{}\\~^|€", Some(14)),
            ("a\u{2019}b", None),
            ("ç", None),
            ("日本", None),
            ("😀", None),
            ("`", None),
        ] {
            assert_eq!(septets(text), cost, "{text:?}");
        }
    }

    #[test]
    fn typography_and_foreign_letters_become_plain() {
        for (from, to) in [
            ("Don\u{2019}t \u{201c}go\u{201d} \u{2013} wait\u{2026}", "Don't \"go\" - wait..."),
            ("Façade [rear] {1} a|b", "Facade (rear) (1) a/b"),
            ("Łódź", "Lodz"),
            ("日本 😀", "?? ?"),
            ("a\u{a0}b\tc\r", "a b c "),
            ("Zoë at Müller's Café", "Zoe at Müller's Café"),
            ("zero\u{200b}width", "zerowidth"),
        ] {
            assert_eq!(normalise(from), to);
        }
    }

    #[test]
    fn whatever_comes_in_one_septet_a_character_comes_out() {
        for code in (0..0x3000).chain(0x1f300..0x1f700) {
            let Some(c) = char::from_u32(code) else {
                continue;
            };
            let plain = normalise(&c.to_string());
            assert_eq!(septets(&plain), Some(plain.chars().count()), "U+{code:04X}");
        }
    }
}
