//! The guard: no byte of what is withheld from a reader may come to them by another way.
//!
//! An entry holds no name. But a button can be called after the person who carries it, a key after the one who holds it, and a text that
//! was sent can say who is going. What names somebody who is withheld is withheld as well.

use std::collections::{BTreeMap, BTreeSet};

use escalation::event::Reader;
use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

use super::{Dossier, Kept};
use crate::vault::Vault;

/// The least that is looked for, in bytes: a single letter is in everything.
const LEAST: usize = 2;
/// What people write between the digits of a number.
const BETWEEN_DIGITS: [char; 7] = [' ', '-', '.', '(', ')', '/', '\u{a0}'];

/// What must not be said.
#[derive(Clone, Debug, Default)]
pub(super) struct Guard {
    /// Names, mailboxes and ids as their words, by the first of them.
    said: BTreeMap<String, BTreeSet<Vec<String>>>,
    /// Numbers, as they can be dialled.
    numbers: BTreeSet<String>,
}

impl Guard {
    /// Of everybody whom a directory ever named, whether they were told or not: a button is called after whoever carries it, who
    /// stands on no ladder. And of what callers said of themselves and of others; of nobody for a reader who is told everything.
    pub(super) fn of(dossier: &Dossier, reader: Reader) -> Self {
        match reader {
            Reader::Police => return Self::default(),
            Reader::Regulator | Reader::Foi => {}
        }
        let mut guard = Self::default();
        for kept in dossier.people.iter().chain(&dossier.own) {
            guard.keep_all(kept);
        }
        guard.keep_everybody(&dossier.vault);
        guard
    }

    /// Of everybody whom a directory ever named.
    pub(super) fn of_everybody(vault: &Vault) -> Self {
        let mut guard = Self::default();
        guard.keep_everybody(vault);
        guard
    }

    fn keep_everybody(&mut self, vault: &Vault) {
        for card in vault.cards() {
            self.keep(&card.name);
            card.mobile.iter().chain(&card.email).for_each(|address| self.keep(address));
            // An id of one word (`duty`) may be a word of every entry.
            if card.reference.contains(|letter: char| !letter.is_alphanumeric()) {
                self.keep(&card.reference);
            }
        }
    }

    fn keep_all(&mut self, kept: &Kept) {
        for held in &kept.values {
            let names = matches!(held.label, "name" | "reference" | "mobile" | "email" | "actor" | "called_by" | "successor");
            if let Some(disclosure) = held.disclosure.as_ref().filter(|_| names) {
                self.keep(&disclosure.value());
            }
        }
    }

    fn keep(&mut self, value: &str) {
        if let Some(number) = value.strip_prefix('+') {
            let digits = number.replace(BETWEEN_DIGITS, "");
            // As it is dialled within Australia, and as it is written without the nought.
            if let Some(rest) = digits.strip_prefix("61") {
                self.numbers.extend([format!("0{rest}"), rest.to_owned()]);
            }
            self.numbers.insert(digits);
            return;
        }
        let folded = folded(value);
        // An id of O'Brien is `o-brien` or `obrien`.
        for spelled in [folded.replace('\'', " "), folded.replace('\'', "")] {
            let words = words(&spelled);
            let length: usize = words.iter().map(String::len).sum();
            if let Some(first) = words.first().filter(|_| length >= LEAST) {
                self.said.entry(first.clone()).or_default().insert(words);
            }
        }
    }

    /// Whether a text says something of it: the same words one after the other, whatever stands between them and however their
    /// letters are accented; or the same digits.
    pub(super) fn hears(&self, text: &str) -> bool {
        let words = words(&folded(text));
        let named = (0..words.len()).filter_map(|at| words.get(at..)).any(|from| {
            let known = from.first().and_then(|first| self.said.get(first));
            known.is_some_and(|known| known.iter().any(|said| from.starts_with(said)))
        });
        named || self.dials(text) || self.dials(&text.replace(BETWEEN_DIGITS, ""))
    }

    fn dials(&self, text: &str) -> bool {
        text.split(|letter: char| !letter.is_ascii_digit()).any(|digits| self.numbers.contains(digits))
    }
}

/// In lower case, without accents, and with one kind of apostrophe: an id that was made of a name has no others.
fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    for letter in text.nfkd().filter(|letter| !is_combining_mark(*letter)).flat_map(char::to_lowercase) {
        match letter {
            // These are letters of their own, which no normal form takes apart.
            'đ' | 'ð' => folded.push('d'),
            'ø' => folded.push('o'),
            'ł' => folded.push('l'),
            'ı' => folded.push('i'),
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            '\u{2018}' | '\u{2019}' | '\u{2bc}' | '`' | '\u{b4}' => folded.push('\''),
            other => folded.push(other),
        }
    }
    folded
}

/// The words of a text. A letter without case is a word of its own: its script may write no spaces.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    for letter in text.chars() {
        let is_cased = letter.is_lowercase() || letter.is_numeric();
        if !is_cased && !word.is_empty() {
            words.push(std::mem::take(&mut word));
        }
        if is_cased {
            word.push(letter);
        } else if letter.is_alphanumeric() {
            words.push(letter.to_string());
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_heard_however_an_id_spells_it_and_not_within_other_words() {
        let mut guard = Guard::default();
        for value in ["J. Smith", "+61400000001", "Li", "j.smith@example.org"] {
            guard.keep(value);
        }
        for said in [
            "for J. SMITH.",
            r#"{"dev":"library/j-smith"}"#,
            "J Smith's phone",
            "ref 61400000001",
            "tel:+61400000001",
            "tel:0400000001",
            "0400 000 001",
            "on (0400) 000-001",
            "ask Li",
            "<J.Smith@example.org>",
        ] {
            assert!(guard.hears(said), "{said}");
        }
        for said in ["library", "j-smithers", "161400000001", "Smithfield", "j and smith", ""] {
            assert!(!guard.hears(said), "{said}");
        }
        assert!(!Guard::default().hears("J. Smith"));
    }

    #[test]
    fn names_of_every_shape_are_heard() {
        let shapes = [
            ("Mary-Jane O'Brien", &["mary-jane-o-brien", "MARY-JANE O\u{2019}BRIEN", "mary-jane-obrien-pendant", "mary jane o brien"][..]),
            ("Zo\u{eb} Nguy\u{1ec5}n", &["zoe-nguyen", "Zoe\u{308} Nguye\u{302}\u{303}n", "ZO\u{cb} NGUY\u{1ec4}N"]),
            ("\u{110}\u{1eb7}ng S\u{f8}rensen-Gro\u{df}", &["dang-sorensen-gross", "\u{111}\u{1eb7}ng s\u{f8}rensen gro\u{df}"]),
            ("Cher", &["cher-pendant", "ask CHER!", "(Cher)"]),
            ("\u{674e}\u{5c0f}\u{9f99}", &["\u{8bf7}\u{674e}\u{5c0f}\u{9f99}\u{6765}"]),
        ];
        for (name, spellings) in shapes {
            let mut guard = Guard::default();
            guard.keep(name);
            for said in spellings {
                assert!(guard.hears(said), "{name}: {said}");
            }
            assert!(!guard.hears("the front counter of the library, cherry red"), "{name}");
        }
    }
}
