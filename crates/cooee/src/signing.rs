//! Where the record's keys and the signer's memory lie, and how they come there: made once, rotated, begun anew.
//!
//! The keys come from the service manager's credentials where it hands some in, else from the data directory.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail, ensure};
use ledger::{Origin, SignedNote, Signer, SigningKey, SigningKeys, notes};
use ring::rand::{SecureRandom as _, SystemRandom};
use station::notary::NotaryError;

use crate::private;

/// The key, by its name among credentials and in the data directory.
const KEY: &str = "record.key";
/// The key before it, while both sign.
const BEFORE: &str = "record.key.before";
/// The signer's memory: every checkpoint it gave away.
pub(crate) const NOTES: &str = "checkpoints";
/// Says that the record was restored, until a new name was begun. The notes beside it are as old as the copy, and a signer
/// that went on from there would vouch for a second history of the same name.
const RESTORED: &str = "restored";

/// The files of one station's signer.
#[derive(Clone, Debug)]
pub(crate) struct Signing {
    data_dir: PathBuf,
    credentials: Option<PathBuf>,
}

impl Signing {
    /// Of a station with this data directory, under this service manager.
    pub(crate) fn of(data_dir: &Path) -> Self {
        Self::with(data_dir, std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from))
    }

    fn with(data_dir: &Path, credentials: Option<PathBuf>) -> Self {
        Self { data_dir: data_dir.to_owned(), credentials }
    }

    /// Every checkpoint that was given away.
    pub(crate) fn notes(&self) -> PathBuf {
        self.data_dir.join(NOTES)
    }

    /// Sees to it that nothing is signed before a new name was begun: the record was restored.
    pub(crate) fn hold(&self) -> anyhow::Result<()> {
        let path = self.restored();
        let why = "This record was restored from a backup. Nothing is signed until  cooee record recover  has begun a new name.\n";
        private::write(&path, why.as_bytes()).with_context(|| format!("write {}", path.display()))
    }

    fn restored(&self) -> PathBuf {
        self.data_dir.join(RESTORED)
    }

    /// The signer, ready or not; `None` where nobody asked for one.
    pub(crate) fn open(&self) -> Option<Result<Signer, NotaryError>> {
        let key = self.find(KEY);
        if key.is_none() && !self.notes().exists() {
            return None;
        }
        if self.restored().exists() {
            return Some(Err(NotaryError::Restored));
        }
        let opened = || {
            // Where the key is gone, its error says which file was looked for.
            let current = SigningKey::read(&key.clone().unwrap_or_else(|| self.data_dir.join(KEY)))?;
            let before = self.find(BEFORE).map(|path| SigningKey::read(&path)).transpose()?;
            Ok(Signer::open(&self.notes(), SigningKeys { current, before })?)
        };
        Some(opened())
    }

    /// Makes what is needed to sign under this name; gives the public key.
    pub(crate) fn begin(&self, origin: &Origin) -> anyhow::Result<String> {
        let notes = self.notes();
        ensure!(
            !notes.exists(),
            "this record is signed already ({} is there)\n  another key is made with  cooee record rotate",
            notes.display()
        );
        let key = match self.find(KEY) {
            Some(path) => SigningKey::read(&path)?,
            None => self.make(origin.clone())?,
        };
        ensure!(
            key.public().name() == origin,
            "the key that is there is of {}\n  give that name, or move the key away",
            key.public().name()
        );
        Signer::create(&notes)?;
        Ok(key.public().to_string())
    }

    /// Makes a new key; the one in use signs beside it until its file is removed. Gives both public keys, the new one first.
    pub(crate) fn rotate(&self) -> anyhow::Result<(String, String)> {
        let old = self.own_key()?;
        let (path, before) = (self.data_dir.join(KEY), self.data_dir.join(BEFORE));
        ensure!(
            !before.exists(),
            "a rotation is under way: {} is there\n  remove it once every verifier has the key after it, and start the station once without it",
            before.display()
        );
        std::fs::rename(&path, &before).with_context(|| format!("move {} to {}", path.display(), before.display()))?;
        let new = self.make(old.public().name().clone())?;
        Ok((new.public().to_string(), old.public().to_string()))
    }

    /// Begins the name that follows, with a key of its own. Gives its public key.
    pub(crate) fn recover(&self) -> anyhow::Result<String> {
        let name = self.own_name()?;
        let notes = self.notes();
        if !notes.exists() {
            Signer::create(&notes)?;
        }
        for file in [KEY, BEFORE] {
            let path = self.data_dir.join(file);
            let kept = self.data_dir.join(format!("{file}.of-{}", name.as_str().replace('/', "-")));
            if path.exists() {
                std::fs::rename(&path, &kept).with_context(|| format!("move {} to {}", path.display(), kept.display()))?;
            }
        }
        let key = self.make(name.following())?.public().to_string();
        match std::fs::remove_file(self.restored()) {
            Ok(()) => Ok(key),
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => Ok(key),
            Err(why) => Err(why).with_context(|| format!("remove {}, without which the new key signs", self.restored().display())),
        }
    }

    /// The name that was signed under last: the notes say it also where the key is gone, as after a restore.
    fn own_name(&self) -> anyhow::Result<Origin> {
        if self.find(KEY).is_none() {
            let text = std::fs::read_to_string(self.notes()).unwrap_or_default();
            let last = notes(&text).0.last().and_then(|note| note.parse::<SignedNote>().ok());
            let name = last.and_then(|note| note.text().lines().next()?.parse().ok());
            if let Some(name) = name {
                return Ok(name);
            }
        }
        Ok(self.own_key()?.public().name().clone())
    }

    fn own_key(&self) -> anyhow::Result<SigningKey> {
        let path = self.data_dir.join(KEY);
        if let Some(credential) = self.find(KEY).filter(|found| *found != path) {
            bail!("{} stands before every key that is made here\n  exchange it with the service manager", credential.display());
        }
        ensure!(
            path.exists(),
            "there is no {}\n  a key among the service manager's credentials is exchanged there; one is made with  cooee record new",
            path.display()
        );
        Ok(SigningKey::read(&path)?)
    }

    fn make(&self, name: Origin) -> anyhow::Result<SigningKey> {
        let mut seed = [0; 32];
        SystemRandom::new().fill(&mut seed).map_err(|_| anyhow!("the system gave no random bytes; try again once it does"))?;
        Ok(SigningKey::create(&self.data_dir.join(KEY), name, &seed)?)
    }

    /// Among credentials first, then in the data directory.
    fn find(&self, name: &str) -> Option<PathBuf> {
        let places = self.credentials.iter().chain([&self.data_dir]);
        places.map(|folder| folder.join(name)).find(|path| path.exists())
    }
}

#[cfg(test)]
mod tests {
    use ledger::{ConsistencyProof, LeafHash, SignerError, Subtrees};

    use super::*;

    fn origin() -> Origin {
        "alerts.example.org/kalamunda/1".parse().unwrap()
    }

    fn sign(signer: &mut Signer, size: u8) -> Result<ledger::Checkpoint, SignerError> {
        let mut tree = Subtrees::new();
        tree.extend((0..size).map(|index| LeafHash::of(&[index])));
        let older = signer.last().map_or(0, ledger::Checkpoint::size);
        signer.sign(
            tree.head(),
            &tree.consistency(older, u64::from(size), &ledger::Blocks::default()).unwrap_or(ConsistencyProof { path: Vec::new() }),
        )
    }

    #[test]
    fn a_key_is_made_rotated_and_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let signing = Signing::with(folder.path(), None);
        assert!(signing.open().is_none(), "nobody asked for a signature");
        assert!(signing.rotate().is_err() && signing.recover().is_err());
        let first = signing.begin(&origin()).unwrap();
        assert!(signing.begin(&origin()).is_err());
        let mut signer = signing.open().unwrap().unwrap();
        sign(&mut signer, 9).unwrap();
        drop(signer);
        let (second, old) = signing.rotate().unwrap();
        assert!(old == first && second != first);
        assert!(signing.rotate().is_err(), "one at a time");
        let mut signer = signing.open().unwrap().unwrap();
        assert_eq!(sign(&mut signer, 9).unwrap().note().signatures().len(), 2);
        assert!(matches!(sign(&mut signer, 4), Err(SignerError::Refused(_))));
        drop(signer);
        let third = signing.recover().unwrap();
        assert!(third.starts_with("alerts.example.org/kalamunda/2+"), "{third}");
        let mut signer = signing.open().unwrap().unwrap();
        assert_eq!(sign(&mut signer, 4).unwrap().origin().as_str(), "alerts.example.org/kalamunda/2");
        let kept =
            std::fs::read_dir(folder.path()).unwrap().filter(|file| file.as_ref().unwrap().file_name().to_string_lossy().contains(".of-"));
        assert_eq!(kept.count(), 2, "old keys are kept");
    }

    #[test]
    fn a_restored_record_is_not_signed_before_a_new_name_was_begun() {
        let folder = tempfile::tempdir().unwrap();
        let signing = Signing::with(folder.path(), None);
        signing.begin(&origin()).unwrap();
        let mut signer = signing.open().unwrap().unwrap();
        sign(&mut signer, 4).unwrap();
        drop(signer);
        signing.hold().unwrap();
        // Whatever is put back by hand: the key that is there would sign a second history of its name.
        assert!(matches!(signing.open(), Some(Err(NotaryError::Restored))));
        // The key was never in the backup, and the notes say under which name it signed.
        std::fs::remove_file(folder.path().join(KEY)).unwrap();
        let key = signing.recover().unwrap();
        assert!(key.starts_with("alerts.example.org/kalamunda/2+"), "{key}");
        let mut signer = signing.open().unwrap().unwrap();
        assert!(signer.succeeds().is_some_and(|note| note.text().starts_with("alerts.example.org/kalamunda/1\n4\n")));
        assert_eq!(sign(&mut signer, 3).unwrap().size(), 3);
    }

    #[test]
    fn a_credential_stands_before_a_file_and_a_lost_key_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let credentials = tempfile::tempdir().unwrap();
        let here = Signing::with(folder.path(), None);
        here.begin(&origin()).unwrap();
        let there = Signing::with(folder.path(), Some(credentials.path().to_owned()));
        std::fs::rename(folder.path().join(KEY), credentials.path().join(KEY)).unwrap();
        assert!(there.open().unwrap().is_ok());
        here.make(origin()).unwrap();
        assert!(there.rotate().is_err() && there.recover().is_err(), "the credential would go on signing");
        std::fs::remove_file(folder.path().join(KEY)).unwrap();
        assert!(matches!(here.open(), Some(Err(NotaryError::Key(_)))), "the notes are there, so a key was");
    }
}
