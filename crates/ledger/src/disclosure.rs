//! Personal data beside the record: a salted file of which an entry holds only the digest.
//!
//! The entry stays provable for ever; deleting the disclosure's row erases the value. Makes no salt: randomness comes from the caller.

use std::fmt;

use serde_json::Value;

use crate::canonical;
use crate::digest::Digest;
use crate::entry::fits_a_column;

/// Hex digits of a salt: 128 bits.
const SALT_DIGITS: usize = 32;

/// One value that an entry commits to without containing it.
///
/// The bytes are exactly `["<32 hex digits of salt>","<label>","<value>"]`, and their SHA-256 is the digest.
#[derive(Clone, PartialEq, Eq)]
pub struct Disclosure {
    digest: Digest,
    subject: String,
    bytes: Vec<u8>,
}

/// Why bytes are no disclosure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotADisclosure {
    /// Not the one canonical spelling of three strings with a salt in front.
    #[error(r#"a disclosure is exactly ["<32 hex digits>","label","value"], without spaces"#)]
    Form,
    /// The subject would be refused by a database.
    #[error("a disclosure's subject is at most 255 bytes without control characters")]
    Subject,
}

impl Disclosure {
    /// Seals a value under a salt, which must be fresh for every value.
    ///
    /// `subject` says whom the value is about (`P-17`), so that all of a person's can be found for erasure; empty for nobody.
    pub fn seal(subject: &str, salt: [u8; 16], label: &str, value: &str) -> Result<Self, NotADisclosure> {
        let salt = u128::from_be_bytes(salt);
        Self::consistent(subject, spell(&format!("{salt:032x}"), label, value))
    }

    /// Takes the bytes of a disclosure; every other spelling is refused.
    pub fn parse(subject: &str, bytes: &[u8]) -> Result<Self, NotADisclosure> {
        let parts: [String; 3] = serde_json::from_slice(bytes).map_err(|_| NotADisclosure::Form)?;
        let [salt, label, value] = &parts;
        let hex = |digit: u8| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit);
        if salt.len() != SALT_DIGITS || !salt.bytes().all(hex) || spell(salt, label, value) != bytes {
            return Err(NotADisclosure::Form);
        }
        Self::consistent(subject, bytes.to_vec())
    }

    /// A disclosure read back; `None` when its bytes do not have the digest it is stored under.
    pub(crate) fn from_stored(digest: Digest, subject: String, bytes: Vec<u8>) -> Option<Self> {
        (Digest::of(&[&bytes]) == digest).then_some(Self { digest, subject, bytes })
    }

    fn consistent(subject: &str, bytes: Vec<u8>) -> Result<Self, NotADisclosure> {
        if !fits_a_column(subject) {
            return Err(NotADisclosure::Subject);
        }
        Ok(Self { digest: Digest::of(&[&bytes]), subject: subject.to_owned(), bytes })
    }

    /// The SHA-256 of the bytes: what the entry contains, and the file's name in a bundle.
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    pub(crate) const fn digest_bytes(&self) -> &[u8] {
        self.digest.as_bytes()
    }

    /// Whom the value is about (`P-17`), or empty.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// The exact bytes of the file.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What kind of value it is (`phone`).
    pub fn label(&self) -> String {
        self.part(1)
    }

    /// The value itself. Never for a log line.
    pub fn value(&self) -> String {
        self.part(2)
    }

    /// One of the three strings. They are there by construction; a digest that fits leaves no doubt either.
    fn part(&self, index: usize) -> String {
        let parts: Vec<Value> = serde_json::from_slice(&self.bytes).unwrap_or_default();
        parts.get(index).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

impl fmt::Debug for Disclosure {
    /// Shows the digest alone: neither whom it is about nor what it says.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Disclosure({})", self.digest)
    }
}

fn spell(salt: &str, label: &str, value: &str) -> Vec<u8> {
    let mut bytes = vec![b'['];
    canonical::write_string(&mut bytes, salt);
    bytes.push(b',');
    canonical::write_string(&mut bytes, label);
    bytes.push(b',');
    canonical::write_string(&mut bytes, value);
    bytes.push(b']');
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_disclosures_of_the_vectors_come_out() {
        let vectors: Value = serde_json::from_str(include_str!("../../../tests/golden/record/vectors.json")).expect("JSON");
        for sample in vectors["disclosures"].as_array().expect("disclosures") {
            let bytes = sample["bytes_utf8"].as_str().expect("text").as_bytes();
            let parsed = Disclosure::parse("P-1", bytes).expect("a disclosure");
            assert_eq!(parsed.digest().to_string(), sample["digest"].as_str().expect("hex"));
            assert_eq!(parsed.label(), sample["path"].as_str().expect("text"));
            let salt = u128::from_str_radix(&String::from_utf8_lossy(&bytes[2..34]), 16).expect("hex").to_be_bytes();
            assert_eq!(Disclosure::seal("P-1", salt, &parsed.label(), &parsed.value()), Ok(parsed));
        }
    }

    #[test]
    fn other_spellings_are_refused() {
        for wrong in [
            r#"["00112233445566778899aabbccddeeff", "phone","1"]"#,
            r#"["00112233445566778899AABBCCDDEEFF","phone","1"]"#,
            r#"["00112233445566778899aabbccddeef","phone","1"]"#,
            r#"["00112233445566778899aabbccddeeff","phone",1]"#,
            r#"["00112233445566778899aabbccddeeff","phone"]"#,
        ] {
            assert_eq!(Disclosure::parse("", wrong.as_bytes()), Err(NotADisclosure::Form), "{wrong}");
        }
        assert_eq!(Disclosure::seal("P\0", [0; 16], "a", "b"), Err(NotADisclosure::Subject));
    }

    #[test]
    fn nothing_of_it_is_shown() {
        let sealed = Disclosure::seal("P-17", [7; 16], "phone", "+61400000000").expect("sealed");
        assert_eq!(sealed.value(), "+61400000000");
        let shown = format!("{sealed:?}");
        assert!(!shown.contains("P-17") && !shown.contains("614"), "{shown}");
    }
}
