//! The guard: no byte of what is withheld from a reader may come to them by another way.
//!
//! An entry holds no name. But a button can be called after the person who carries it, a key after the one who holds it, and a text that
//! was sent can say who is going. What names somebody who is withheld is withheld as well.

use escalation::event::Reader;

use super::{Dossier, Kept};

/// The least that is looked for, in bytes: a single letter is in everything.
const LEAST: usize = 2;

/// What must not be said, in lower case.
#[derive(Clone, Debug, Default)]
pub(super) struct Guard {
    secrets: Vec<String>,
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
        for card in dossier.vault.cards() {
            guard.keep(&card.name);
            card.mobile.iter().chain(&card.email).for_each(|address| guard.keep(address));
            // An id of one word (`duty`) may be a word of every entry.
            if card.reference.contains(|letter: char| !letter.is_alphanumeric()) {
                guard.keep(&card.reference);
            }
        }
        guard
    }

    fn keep_all(&mut self, kept: &Kept) {
        for held in &kept.values {
            let names = matches!(held.label, "name" | "reference" | "mobile" | "email" | "actor" | "called_by" | "successor");
            if let Some(disclosure) = held.disclosure.as_ref().filter(|_| names) {
                self.keep(&disclosure.value());
            }
        }
    }

    /// As it is written, without the plus of a number or as it is dialled within Australia, and as an id is made of a name.
    fn keep(&mut self, value: &str) {
        let value = value.trim().to_lowercase();
        let words: Vec<&str> = value.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let dialled = value.strip_prefix("+61").map(|rest| format!("0{rest}"));
        for spelled in [value.trim_start_matches('+').to_owned(), words.join("-")].into_iter().chain(dialled) {
            if spelled.len() >= LEAST && !self.secrets.contains(&spelled) {
                self.secrets.push(spelled);
            }
        }
    }

    /// Whether a text says something of it, as words of their own.
    pub(super) fn hears(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let ends = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric());
        self.secrets.iter().any(|secret| {
            text.match_indices(secret.as_str()).any(|(at, found)| {
                let (before, after) = (text.get(..at).unwrap_or_default(), text.get(at + found.len()..).unwrap_or_default());
                ends(before.chars().next_back()) && ends(after.chars().next())
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_heard_however_an_id_spells_it_and_not_within_other_words() {
        let mut guard = Guard::default();
        for value in ["J. Smith", "+61400000001", "Li"] {
            guard.keep(value);
        }
        for said in ["for J. SMITH.", r#"{"dev":"library/j-smith"}"#, "ref 61400000001", "tel:+61400000001", "tel:0400000001", "ask Li"] {
            assert!(guard.hears(said), "{said}");
        }
        for said in ["library", "j-smithers", "161400000001", "Smithfield", ""] {
            assert!(!guard.hears(said), "{said}");
        }
        assert!(!Guard::default().hears("J. Smith"));
    }
}
