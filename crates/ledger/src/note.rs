//! Signed notes (C2SP signed-note): a text and the signatures under it, read without any leniency.
//!
//! Stricter than the libraries that read them: one spelling of base64, no carriage return, a final newline, and a signature
//! counts only under its key's own name and id. Two different byte strings are never the same note.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::key::{KeyId, Origin, VerifyKey};

/// What a signature line begins with: an em dash and a space.
const DASH: &str = "\u{2014} ";
/// The most signatures a note may have: its own key, the one before, and witnesses.
const SIGNATURES_MAX: usize = 16;

/// A text with signatures, none of which has been verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedNote {
    text: String,
    signatures: Vec<Signature>,
}

/// One signature line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The key's name.
    pub name: Origin,
    /// The key's id.
    pub id: KeyId,
    /// What the key made; 64 bytes where it is Ed25519's.
    pub bytes: Vec<u8>,
}

/// Bytes that are no signed note.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no signed note: {0}; take the file as it was sent, not text copied out of a mail")]
pub struct NotANote(&'static str);

/// A note was not signed by the key it should be signed by.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotSigned {
    /// None of the keys has signed.
    #[error("none of the keys that were given has signed this")]
    ByNoKnownKey,
    /// A signature says that it is of a given key, and is not.
    #[error("the signature of key {name} ({id}) is false: the text or the signature was altered")]
    False {
        /// The key's name.
        name: Origin,
        /// The key's id.
        id: KeyId,
    },
    /// One key has signed twice.
    #[error("key {name} ({id}) has signed this twice")]
    Twice {
        /// The key's name.
        name: Origin,
        /// The key's id.
        id: KeyId,
    },
}

impl SignedNote {
    /// A note of this text, which ends with a newline, and these signatures.
    pub(crate) const fn new(text: String, signatures: Vec<Signature>) -> Self {
        Self { text, signatures }
    }

    /// What was signed, with its final newline.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Every signature, verified or not.
    pub fn signatures(&self) -> &[Signature] {
        &self.signatures
    }

    /// Verifies the signatures of `keys`. Each of them that has signed must have signed truly, and at least one must have;
    /// signatures of other keys say nothing, for or against.
    ///
    /// # Errors
    /// [`NotSigned`].
    pub fn verify(&self, keys: &[VerifyKey]) -> Result<(), NotSigned> {
        let mut seen = Vec::new();
        for signature in &self.signatures {
            let Some(key) = keys.iter().find(|key| *key.name() == signature.name && key.id() == signature.id) else { continue };
            let (name, id) = (signature.name.clone(), signature.id);
            if seen.contains(&key.public()) {
                return Err(NotSigned::Twice { name, id });
            }
            if !key.signed(self.text.as_bytes(), &signature.bytes) {
                return Err(NotSigned::False { name, id });
            }
            seen.push(key.public());
        }
        if seen.is_empty() { Err(NotSigned::ByNoKnownKey) } else { Ok(()) }
    }
}

impl fmt::Display for SignedNote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|signature| {
            let bytes: Vec<u8> = signature.id.0.iter().chain(&signature.bytes).copied().collect();
            writeln!(f, "{DASH}{} {}", signature.name, STANDARD.encode(bytes))
        })
    }
}

impl FromStr for SignedNote {
    type Err = NotANote;

    fn from_str(note: &str) -> Result<Self, NotANote> {
        if note.contains(|c: char| c.is_control() && c != '\n') {
            return Err(NotANote("it has a carriage return or another control character"));
        }
        let (text, signed) = note.rsplit_once("\n\n").ok_or(NotANote("there is no blank line before its signatures"))?;
        let lines = signed.strip_suffix('\n').ok_or(NotANote("its last line has no end"))?;
        let signatures = lines.split('\n').map(Signature::parse).collect::<Result<Vec<_>, _>>()?;
        if signatures.len() > SIGNATURES_MAX {
            return Err(NotANote("it has more than 16 signatures"));
        }
        if text.is_empty() {
            return Err(NotANote("it has no text"));
        }
        Ok(Self { text: format!("{text}\n"), signatures })
    }
}

impl Signature {
    fn parse(line: &str) -> Result<Self, NotANote> {
        let wrong = NotANote("a signature line is not  \u{2014} name base64");
        let (name, base64) = line.strip_prefix(DASH).and_then(|rest| rest.split_once(' ')).ok_or(wrong)?;
        let name = name.parse().map_err(|_| wrong)?;
        let decoded = STANDARD.decode(base64).map_err(|_| wrong)?;
        let (id, bytes) = decoded.split_first_chunk::<4>().ok_or(wrong)?;
        if bytes.is_empty() {
            return Err(wrong);
        }
        Ok(Self { name, id: KeyId(*id), bytes: bytes.to_vec() })
    }
}
