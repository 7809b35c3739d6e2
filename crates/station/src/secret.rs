//! The station's own key: from it come contact keys and link tokens, which therefore need no storage and are the same
//! after a restart.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use escalation::id::{ActivationId, ContactKey, KeyId, PersonId};
use ring::hmac;

/// The key. Its `Debug` shows nothing.
#[derive(Clone)]
pub struct Secret {
    key: hmac::Key,
}

/// The key could not be had.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The file could not be read or made.
    #[error("could not {attempted} the key file {path}; the station's user must own it")]
    File {
        /// `read` or `make`.
        attempted: &'static str,
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Others can read it.
    #[error("the key file {path} can be read by others; run  chmod 600 {path}")]
    Exposed {
        /// Which.
        path: PathBuf,
    },
    /// It is too short to be a key.
    #[error("the key file {path} holds fewer than 32 bytes; move it away and let the station make a new one")]
    Short {
        /// Which.
        path: PathBuf,
    },
    /// No randomness.
    #[error(transparent)]
    Entropy(#[from] crate::entropy::NoEntropy),
}

impl Secret {
    /// From bytes, for a simulation.
    pub fn from_bytes(bytes: &[u8]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, bytes) }
    }

    /// Reads the key file, or makes it (0600) where there is none.
    pub fn open(path: &Path) -> Result<Self, SecretError> {
        let file = |attempted| move |source| SecretError::File { attempted, path: path.to_owned(), source };
        match std::fs::read(path) {
            Ok(bytes) => {
                refuse_exposed(path)?;
                if bytes.len() < 32 {
                    return Err(SecretError::Short { path: path.to_owned() });
                }
                Ok(Self::from_bytes(&bytes))
            }
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => {
                let mut entropy = crate::entropy::Entropy::from_system()?;
                let bytes = [entropy.sixteen(), entropy.sixteen()].concat();
                write_private(path, &bytes).map_err(file("make"))?;
                Ok(Self::from_bytes(&bytes))
            }
            Err(other) => Err(file("read")(other)),
        }
    }

    /// What this key is called where the record says which one was in use.
    pub fn id(&self) -> KeyId {
        let tag = self.tag(&["key id"]);
        let mut id = [0; 4];
        id.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        KeyId::new(id)
    }

    /// The key of one address: equal addresses have equal keys.
    pub fn contact(&self, address: &str) -> ContactKey {
        self.digest(&["contact", address])
    }

    /// The key of a name that a caller gives: the same however it is spaced and capitalised, and never an address's.
    pub fn actor(&self, name: &str) -> ContactKey {
        let words: Vec<&str> = name.split_whitespace().collect();
        self.digest(&["actor", &words.join(" ").to_lowercase()])
    }

    /// The token of a responder's link: 11 base64url characters, 66 bits, for one person and one activation.
    pub fn link(&self, activation: &ActivationId, contact: ContactKey, person: PersonId) -> String {
        use base64::Engine as _;
        let tag = self.tag(&["link", &activation.to_string(), &contact.to_string(), &person.to_string()]);
        let text = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(tag.as_ref());
        text.chars().take(11).collect()
    }

    /// What only this station can put before an erasure in its list: whoever lacks the key has nothing erased by it.
    pub fn erasure(&self, seq: u64, body: &str) -> String {
        crate::journal::hex(self.tag(&["erasure", &seq.to_string(), body]).as_ref())
    }

    fn digest(&self, parts: &[&str]) -> ContactKey {
        let tag = self.tag(parts);
        let mut key = [0; 16];
        key.iter_mut().zip(tag.as_ref()).for_each(|(to, from)| *to = *from);
        ContactKey::new(key)
    }

    fn tag(&self, parts: &[&str]) -> hmac::Tag {
        let mut context = hmac::Context::with_key(&self.key);
        for part in parts {
            context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            context.update(part.as_bytes());
        }
        context.sign()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

fn refuse_exposed(path: &Path) -> Result<(), SecretError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = std::fs::metadata(path)
        .map_err(|source| SecretError::File { attempted: "read", path: path.to_owned(), source })?
        .permissions()
        .mode();
    if mode & 0o077 != 0 {
        return Err(SecretError::Exposed { path: path.to_owned() });
    }
    Ok(())
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::io::Write as _;
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_key_is_made_once_for_its_owner_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("link.key");
        let made = Secret::open(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Secret::open(&path).unwrap().contact("+61400000001"), made.contact("+61400000001"));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(matches!(Secret::open(&path), Err(SecretError::Exposed { .. })));
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, [7; 31]).unwrap();
        assert!(matches!(Secret::open(&path), Err(SecretError::Short { .. })));
    }

    #[test]
    fn a_name_has_one_key_however_it_is_typed_and_no_address_has_it() {
        let secret = Secret::from_bytes(&[7; 32]);
        assert_eq!(secret.actor(" jane  O\u{2019}Neil\n"), secret.actor("Jane O\u{2019}Neil"));
        assert_ne!(secret.actor("Jane"), secret.actor("Bob"));
        assert_ne!(secret.actor("jane"), secret.contact("jane"));
        assert_ne!(secret.id(), Secret::from_bytes(&[8; 32]).id());
    }

    #[test]
    fn a_link_is_one_persons_and_one_activations() {
        let secret = Secret::from_bytes(&[7; 32]);
        let contact = secret.contact("+61400000001");
        let link = |act: &str, person| secret.link(&act.parse().unwrap(), contact, PersonId::new(person));
        assert_eq!(link("KAL-1", 1).len(), 11);
        assert_eq!(link("KAL-1", 1), link("KAL-1", 1));
        assert_ne!(link("KAL-1", 1), link("KAL-2", 1));
        assert_ne!(link("KAL-1", 1), link("KAL-1", 2));
        assert_ne!(Secret::from_bytes(&[8; 32]).contact("+61400000001"), contact);
    }
}
