//! Keys that sign notes, as C2SP signed-note names and spells them: Ed25519 and nothing else.
//!
//! A key is its name, an id of four bytes made from both, and 32 bytes of public key. Who holds the secret half is the
//! signer's business (`signer`).

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, UnparsedPublicKey};

use crate::digest::Digest;

/// The algorithm byte of Ed25519 (C2SP signed-note).
const ED25519_BYTE: u8 = 0x01;

/// A key's name, and a record's: `alerts.example.org/kalamunda/1`. Not empty, no spaces, no control characters, no `+`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin(String);

/// A text that cannot name a record or a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the name of a record and its key is at most 200 characters without spaces, control characters and plus signs, like alerts.example.org/kalamunda/1"
)]
pub struct NotAnOrigin;

/// The longest name: a checkpoint must stay small enough to be read aloud and printed.
const ORIGIN_MAX: usize = 200;

impl FromStr for Origin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        let is_wrong = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        if text.is_empty() || text.len() > ORIGIN_MAX || text.contains(is_wrong) { Err(NotAnOrigin) } else { Ok(Self(text.to_owned())) }
    }
}

impl Origin {
    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of the record that follows after a recovery: the number at its end is one higher, and is 2 where there is none.
    #[must_use]
    pub fn following(&self) -> Self {
        let numbered = self.0.rsplit_once('/').and_then(|(stem, number)| Some((stem, number.parse::<u32>().ok()?)));
        match numbered {
            Some((stem, number)) => Self(format!("{stem}/{}", number.saturating_add(1))),
            None => Self(format!("{}/2", self.0)),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The public half of a key, which is all that a verifier needs: `name+id+base64(01 ‖ key)`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifyKey {
    name: Origin,
    public: [u8; 32],
}

/// Which key signed: the first four bytes of SHA-256(name ‖ 0A ‖ 01 ‖ public key).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct KeyId(pub [u8; 4]);

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// A text that is no public key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a public key of a record is written  name+id+key  on one line, for Ed25519; this is none, or a character of it is wrong")]
pub struct NotAVerifyKey;

impl VerifyKey {
    /// A key known by its name and bytes.
    pub const fn new(name: Origin, public: [u8; 32]) -> Self {
        Self { name, public }
    }

    /// Its name.
    pub const fn name(&self) -> &Origin {
        &self.name
    }

    /// Its id.
    pub fn id(&self) -> KeyId {
        let digest = Digest::of(&[self.name.0.as_bytes(), b"\n", &[ED25519_BYTE], &self.public]);
        let [a, b, c, d, ..] = *digest.as_bytes();
        KeyId([a, b, c, d])
    }

    /// Its 32 bytes.
    pub const fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// Whether `signature` is this key's over `message`.
    pub(crate) fn signed(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.public).verify(message, signature).is_ok()
    }
}

impl fmt::Display for VerifyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = vec![ED25519_BYTE];
        bytes.extend_from_slice(&self.public);
        write!(f, "{}+{}+{}", self.name, self.id(), STANDARD.encode(bytes))
    }
}

impl FromStr for VerifyKey {
    type Err = NotAVerifyKey;

    fn from_str(text: &str) -> Result<Self, NotAVerifyKey> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else { return Err(NotAVerifyKey) };
        let name = name.parse().map_err(|NotAnOrigin| NotAVerifyKey)?;
        let bytes = STANDARD.decode(key).map_err(|_| NotAVerifyKey)?;
        let Some((&ED25519_BYTE, public)) = bytes.split_first() else { return Err(NotAVerifyKey) };
        let key = Self { name, public: public.try_into().map_err(|_| NotAVerifyKey)? };
        if key.id().to_string() == id { Ok(key) } else { Err(NotAVerifyKey) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VKEY: &str = "duress.example/st-annes/1+87dbc3a9+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4";

    #[test]
    fn a_public_key_comes_back_and_no_other_spelling_is_one() {
        let key: VerifyKey = VKEY.parse().expect("a key");
        assert_eq!(key.to_string(), VKEY);
        assert_eq!(key.name().as_str(), "duress.example/st-annes/1");
        for at in 0..VKEY.len() {
            for bit in 0..8 {
                let mut bytes = VKEY.as_bytes().to_vec();
                bytes[at] ^= 1 << bit;
                let Ok(changed) = String::from_utf8(bytes) else { continue };
                assert_eq!(changed.parse::<VerifyKey>(), Err(NotAVerifyKey), "{changed}");
            }
        }
        assert_eq!(format!("{VKEY}\n").parse::<VerifyKey>(), Err(NotAVerifyKey));
        let witness = "witness.example/county-hall+6549a9d3+BCVDuS/xCVURR2rcg2nbbdyTNmWhGXjdoUBO4QZsqVWd";
        assert_eq!(witness.parse::<VerifyKey>(), Err(NotAVerifyKey), "a cosignature is another algorithm");
    }

    #[test]
    fn a_recovered_record_has_the_next_number() {
        for (name, next) in [("a.example/x/1", "a.example/x/2"), ("a.example/x", "a.example/x/2"), ("a/9", "a/10")] {
            assert_eq!(name.parse::<Origin>().expect("a name").following().as_str(), next);
        }
        for wrong in ["", "a b", "a+b", "a\nb", "a\u{a0}b"] {
            assert_eq!(wrong.parse::<Origin>(), Err(NotAnOrigin));
        }
    }
}
