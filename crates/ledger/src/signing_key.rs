//! The secret half of a record's key, and the file it lies in.
//!
//! The file is one line as the Go tools write it: `PRIVATE+KEY+name+id+base64(01 ‖ seed)`. It is made once, for its owner
//! alone, and never shown. Where the seed comes from is the caller's business: this room has no randomness.

use std::fmt;
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use crate::key::{Origin, VerifyKey};
use crate::note::Signature;

/// What the line begins with.
const PREFIX: &str = "PRIVATE+KEY+";
/// The algorithm byte of Ed25519.
const ED25519_BYTE: u8 = 0x01;
/// Others may do nothing with the file, and its group may read it at most: systemd hands a credential to a service's user
/// through the group's bits.
const FORBIDDEN_MODE: u32 = 0o037;

/// A key that can sign. Its `Debug` shows the public half.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: VerifyKey,
}

/// A key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// It could not be read or made.
    #[error("could not {attempted} the record's key {path}; the station's user must own it")]
    File {
        /// `read` or `make`.
        attempted: &'static str,
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Others can read it, or write to it.
    #[error(
        "the record's key {path} is open to others (mode {mode:03o}): whoever has read it can sign as this record; run  chmod 600 {path}  and rotate it"
    )]
    Exposed {
        /// Which.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It holds something else.
    #[error("{path} holds no signing key: it must be the one line that was written when the key was made")]
    Content {
        /// Which.
        path: PathBuf,
    },
}

impl SigningKey {
    /// The key of this name with this seed.
    pub fn from_seed(name: Origin, seed: &[u8; 32]) -> Option<Self> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
        let public = pair.public_key().as_ref().try_into().ok()?;
        Some(Self { pair, public: VerifyKey::new(name, public) })
    }

    /// Writes a new key's file, for its owner alone. A file that is there is never overwritten.
    ///
    /// # Errors
    /// [`KeyFileError::File`].
    pub fn create(path: &Path, name: Origin, seed: &[u8; 32]) -> Result<Self, KeyFileError> {
        let key = Self::from_seed(name, seed).ok_or_else(|| KeyFileError::Content { path: path.to_owned() })?;
        let bytes: Vec<u8> = std::iter::once(ED25519_BYTE).chain(*seed).collect();
        let line = format!("{PREFIX}{}+{}+{}\n", key.public.name(), key.public.id(), STANDARD.encode(bytes));
        let write = || {
            let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
            file.write_all(line.as_bytes())?;
            file.sync_all()
        };
        write().map_err(|source| KeyFileError::File { attempted: "make", path: path.to_owned(), source })?;
        Ok(key)
    }

    /// Reads a key's file.
    ///
    /// # Errors
    /// [`KeyFileError`]; among them that others could read it too.
    pub fn read(path: &Path) -> Result<Self, KeyFileError> {
        let file = |source| KeyFileError::File { attempted: "read", path: path.to_owned(), source };
        let mode = std::fs::metadata(path).map_err(file)?.permissions().mode() & 0o777;
        if mode & FORBIDDEN_MODE != 0 {
            return Err(KeyFileError::Exposed { path: path.to_owned(), mode });
        }
        let text = std::fs::read_to_string(path).map_err(file)?;
        Self::parse(text.trim_end()).ok_or_else(|| KeyFileError::Content { path: path.to_owned() })
    }

    fn parse(line: &str) -> Option<Self> {
        let mut parts = line.strip_prefix(PREFIX)?.splitn(3, '+');
        let (name, id, secret) = (parts.next()?, parts.next()?, parts.next()?);
        let bytes = STANDARD.decode(secret).ok()?;
        let (&ED25519_BYTE, seed) = bytes.split_first()? else { return None };
        let key = Self::from_seed(name.parse().ok()?, seed.try_into().ok()?)?;
        (key.public.id().to_string() == id).then_some(key)
    }

    /// The public half.
    pub const fn public(&self) -> &VerifyKey {
        &self.public
    }

    /// Signs the text of a note.
    pub(crate) fn sign(&self, text: &str) -> Signature {
        let bytes = self.pair.sign(text.as_bytes()).as_ref().to_vec();
        Signature { name: self.public.name().clone(), id: self.public.id(), bytes }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SigningKey").field(&self.public.to_string()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SEED: [u8; 32] = [7; 32];

    fn name() -> Origin {
        "alerts.example.org/kalamunda/1".parse().expect("a name")
    }

    #[test]
    fn a_key_is_made_once_for_its_owner_alone_and_reads_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("record.key");
        let made = SigningKey::create(&path, name(), &SEED).expect("made");
        assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert_eq!(SigningKey::read(&path).expect("read").public(), made.public());
        assert!(matches!(SigningKey::create(&path, name(), &[8; 32]), Err(KeyFileError::File { attempted: "make", .. })));
        assert_eq!(SigningKey::read(&path).expect("read").public(), made.public(), "it was not overwritten");
        assert!(!format!("{made:?}").contains(&STANDARD.encode(SEED)));
    }

    #[test]
    fn a_key_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("record.key");
        SigningKey::create(&path, name(), &SEED).expect("made");
        for (mode, is_refused) in
            [(0o400, false), (0o440, false), (0o600, false), (0o604, true), (0o644, true), (0o660, true), (0o601, true)]
        {
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).expect("set");
            let refused = matches!(SigningKey::read(&path), Err(KeyFileError::Exposed { mode: said, .. }) if said == mode);
            assert_eq!(refused, is_refused, "{mode:o}");
        }
    }

    #[test]
    fn a_file_that_is_not_the_line_of_a_key_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("record.key");
        SigningKey::create(&path, name(), &SEED).expect("made");
        let line = std::fs::read_to_string(&path).expect("read");
        let wrong =
            [line.replace("kalamunda", "kalamundb"), line.replace("PRIVATE", "PUBLIC"), line[..line.len() - 6].to_owned(), String::new()];
        for text in wrong {
            std::fs::write(&path, &text).expect("written");
            assert!(matches!(SigningKey::read(&path), Err(KeyFileError::Content { .. })), "{text}");
        }
    }
}
