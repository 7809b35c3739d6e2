//! The signer: it remembers what it signed last, and signs nothing that does not continue it.
//!
//! Whoever can write to the database but not to this room's file can neither rewrite what was signed nor cut it off: the next
//! checkpoint is refused. Every note is on the disk before it is given away, and the same tree is given the same note again.
//! It knows trees, not entries; it blocks while the disk does, so a caller keeps it off the way of an alarm.

use std::collections::BTreeSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::checkpoint::{self, Checkpoint, NotACheckpoint};
use crate::key::VerifyKey;
use crate::note::SignedNote;
use crate::proof::{self, ConsistencyProof, NotProven, TreeHead};
use crate::signing_key::SigningKey;

/// The keys that sign: one, or two while a rotation lasts.
#[derive(Debug)]
pub struct SigningKeys {
    /// The key.
    pub current: SigningKey,
    /// The one before it. Both sign until every verifier has the new one.
    pub before: Option<SigningKey>,
}

impl SigningKeys {
    /// The public halves, the current one first.
    pub fn public(&self) -> Vec<VerifyKey> {
        std::iter::once(&self.current).chain(&self.before).map(|key| key.public().clone()).collect()
    }
}

/// The one who signs.
#[derive(Debug)]
pub struct Signer {
    keys: SigningKeys,
    file: File,
    path: PathBuf,
    /// Bytes of the file that are notes which were given away.
    len: u64,
    last: Option<Checkpoint>,
    succeeds: Option<SignedNote>,
}

/// The signer cannot start, or does not sign.
#[derive(Debug, thiserror::Error)]
pub enum SignerError {
    /// The file of its notes is not there.
    #[error(
        "the signer's memory {path} is gone: what was signed before is not known, so nothing is signed under this name any more; put the file back from where it was moved to, or start a new name with  cooee record recover"
    )]
    Forgotten {
        /// Which.
        path: PathBuf,
    },
    /// The file could not be read or written.
    #[error("could not {attempted} the signer's memory {path}; check that the disk is not full and that the station's user owns the file")]
    File {
        /// What was attempted.
        attempted: &'static str,
        /// Which.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Another process signs.
    #[error("another process signs with {path}; stop it first")]
    InUse {
        /// Which.
        path: PathBuf,
    },
    /// The last note in the file is not one of its keys'.
    #[error(
        "the last checkpoint in {path} is not signed by this key: {why}; the key or the file belongs to another record, or one of them was exchanged"
    )]
    NotOurs {
        /// Which.
        path: PathBuf,
        /// How that shows.
        #[source]
        why: NotACheckpoint,
    },
    /// The tree does not continue what was signed.
    #[error("refused to sign: {0}")]
    Refused(#[from] NotProven),
    /// The two keys of a rotation are of different records.
    #[error("the two keys are of different records; both must have one name")]
    TwoNames,
    /// Its own signature does not verify: it must not be given away.
    #[error("a checkpoint that was just signed does not verify: {0}")]
    Fault(#[source] NotACheckpoint),
}

impl Signer {
    /// Makes the memory of a signer that has signed nothing yet. A file that is there is never overwritten.
    ///
    /// # Errors
    /// [`SignerError::File`].
    pub fn create(path: &Path) -> Result<(), SignerError> {
        let make = || {
            OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.sync_all()?;
            path.parent().map_or(Ok(()), |folder| File::open(folder)?.sync_all())
        };
        make().map_err(|source| SignerError::File { attempted: "make", path: path.to_owned(), source })
    }

    /// Takes up the work with these keys where the notes in the file end. A note that was torn by a crash was never given
    /// away, and is cut off.
    ///
    /// A key of the name that follows the last note's begins anew after a recovery; the old note is then in
    /// [`Self::succeeds`].
    ///
    /// # Errors
    /// [`SignerError`].
    pub fn open(path: &Path, keys: SigningKeys) -> Result<Self, SignerError> {
        let failed = |attempted| move |source| SignerError::File { attempted, path: path.to_owned(), source };
        if keys.before.as_ref().is_some_and(|before| before.public().name() != keys.current.public().name()) {
            return Err(SignerError::TwoNames);
        }
        let mut file = match OpenOptions::new().read(true).write(true).open(path) {
            Ok(file) => file,
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Err(SignerError::Forgotten { path: path.to_owned() }),
            Err(other) => return Err(failed("open")(other)),
        };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(SignerError::InUse { path: path.to_owned() }),
            Err(TryLockError::Error(source)) => return Err(failed("lock")(source)),
        }
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(failed("read"))?;
        let text = String::from_utf8(bytes).unwrap_or_else(|torn| {
            let whole = torn.utf8_error().valid_up_to();
            String::from_utf8_lossy(torn.as_bytes().get(..whole).unwrap_or_default()).into_owned()
        });
        let (given, rest) = notes(&text);
        let len = u64::try_from(text.len() - rest.len()).unwrap_or(u64::MAX);
        let (last, succeeds) = match given.last() {
            None => (None, None),
            Some(note) => take_up(note, &keys).map_err(|why| SignerError::NotOurs { path: path.to_owned(), why })?,
        };
        file.set_len(len).map_err(failed("mend"))?;
        Ok(Self { keys, file, path: path.to_owned(), len, last, succeeds })
    }

    /// The public halves of the keys it signs with.
    pub fn keys(&self) -> Vec<VerifyKey> {
        self.keys.public()
    }

    /// The file of all that it has given away.
    pub fn memory(&self) -> &Path {
        &self.path
    }

    /// What it signed last; `None` before its first.
    pub const fn last(&self) -> Option<&Checkpoint> {
        self.last.as_ref()
    }

    /// The last note under the name before this one, until the first of this name is signed.
    pub const fn succeeds(&self) -> Option<&SignedNote> {
        self.succeeds.as_ref()
    }

    /// Signs a tree, given the proof that it continues the last one (an empty proof before the first).
    ///
    /// # Errors
    /// [`SignerError::Refused`] where the tree is shorter or another; nothing is remembered of it.
    pub fn sign(&mut self, tree: TreeHead, proof: &ConsistencyProof) -> Result<Checkpoint, SignerError> {
        if let Some(last) = &self.last {
            proof::continues(last.head(), &tree, proof)?;
            if *last.head() == tree && last.note().signatures().iter().map(|by| by.id).eq(self.keys().iter().map(VerifyKey::id)) {
                return Ok(last.clone());
            }
        }
        let text = checkpoint::text(self.keys.current.public().name(), &tree);
        let signatures = std::iter::once(&self.keys.current).chain(&self.keys.before).map(|key| key.sign(&text)).collect();
        let note = SignedNote::new(text, signatures).to_string();
        let signed = Checkpoint::open(&note, &self.keys()).map_err(SignerError::Fault)?;
        self.remember(&note).map_err(|source| SignerError::File { attempted: "write to", path: self.path.clone(), source })?;
        self.last = Some(signed.clone());
        self.succeeds = None;
        Ok(signed)
    }

    /// On the disk before it is given away. What a failed write left behind is cut off by the next one.
    fn remember(&mut self, note: &str) -> io::Result<()> {
        self.file.set_len(self.len)?;
        self.file.write_all_at(note.as_bytes(), self.len)?;
        self.file.sync_data()?;
        self.len += u64::try_from(note.len()).unwrap_or(u64::MAX);
        Ok(())
    }
}

type TakenUp = (Option<Checkpoint>, Option<SignedNote>);

fn take_up(note: &str, keys: &SigningKeys) -> Result<TakenUp, NotACheckpoint> {
    match Checkpoint::open(note, &keys.public()) {
        Ok(last) => Ok((Some(last), None)),
        Err(NotACheckpoint::OtherOrigin { found, expected }) if found.following() == expected => Ok((None, Some(note.parse()?))),
        Err(why) => Err(why),
    }
}

/// The notes in a file of notes, one after the other, and what is left over at its end.
pub fn notes(text: &str) -> (Vec<&str>, &str) {
    let mut notes = Vec::new();
    let mut rest = text;
    while let Some(end) = end_of_note(rest) {
        let (note, after) = rest.split_at(end);
        notes.push(note);
        rest = after;
    }
    (notes, rest)
}

/// What a signer's memory has of these sizes, where each of the keys vouches for it: read note by note, for it grows for years. One that
/// does not read, or is away, has nothing more: then that is not known.
pub fn given_away(memory: &Path, sizes: &BTreeSet<u64>, keys: &[VerifyKey]) -> Vec<Checkpoint> {
    let Ok(file) = File::open(memory) else { return Vec::new() };
    let is_vouched = |note: &str| keys.iter().all(|key| Checkpoint::open(note, std::slice::from_ref(key)).is_ok());
    let (mut lines, mut found) = (BufReader::new(file), Vec::new());
    let (mut note, mut line) = (String::new(), String::new());
    loop {
        line.clear();
        let goes_on = lines.read_line(&mut line).is_ok_and(|read| read > 0);
        if !line.starts_with('\u{2014}') && end_of_note(&note) == Some(note.len()) {
            let size = note.lines().nth(1).and_then(|size| size.parse().ok());
            if size.is_some_and(|size: u64| sizes.contains(&size)) && is_vouched(&note) {
                found.extend(Checkpoint::open(&note, keys).ok());
            }
            note.clear();
        }
        if !goes_on {
            return found;
        }
        note.push_str(&line);
    }
}

/// Where the first note ends: after the last signature line that follows its blank line.
fn end_of_note(text: &str) -> Option<usize> {
    let signatures = text.find("\n\n")? + 2;
    let lines = text.get(signatures..)?.split_inclusive('\n');
    let signed: usize = lines.take_while(|line| line.starts_with('\u{2014}') && line.ends_with('\n')).map(str::len).sum();
    (signed > 0).then_some(signatures + signed)
}

#[cfg(test)]
mod tests;
