//! Checkpoints (C2SP tlog-checkpoint): a record's name, size and root, signed.
//!
//! Whoever has a [`Checkpoint`] knows that one of the keys it was opened with vouched for it. There is no other way to get
//! one, and nothing else that an entry can be proven against: a size or root from anywhere else proves nothing.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::digest::Digest;
use crate::key::{Origin, VerifyKey};
use crate::note::{NotANote, NotSigned, SignedNote};
use crate::proof::{self, ConsistencyProof, InclusionProof, NotProven, TreeHead};
use crate::tree::{LeafHash, Root};

/// A verified checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    origin: Origin,
    head: TreeHead,
    note: SignedNote,
}

/// A text that is no checkpoint, or one that nobody known vouches for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotACheckpoint {
    /// Not a signed note.
    #[error(transparent)]
    Note(#[from] NotANote),
    /// A signed note of something else.
    #[error("this signed note is no checkpoint: its three lines must be a name, a number and a root")]
    Text,
    /// Of another record than the key's.
    #[error("this checkpoint is of {found}, and the key is of {expected}")]
    OtherOrigin {
        /// The record it names.
        found: Origin,
        /// The record that the key signs.
        expected: Origin,
    },
    /// Not signed, or not truly.
    #[error(transparent)]
    NotSigned(#[from] NotSigned),
}

impl Checkpoint {
    /// Reads a checkpoint and verifies that one of `keys`, of the record it names, has signed it.
    ///
    /// # Errors
    /// [`NotACheckpoint`].
    pub fn open(note: &str, keys: &[VerifyKey]) -> Result<Self, NotACheckpoint> {
        let note: SignedNote = note.parse()?;
        let (origin, head) = parse(note.text()).ok_or(NotACheckpoint::Text)?;
        let own: Vec<_> = keys.iter().filter(|key| *key.name() == origin).cloned().collect();
        if let ([], Some(other)) = (own.as_slice(), keys.first()) {
            return Err(NotACheckpoint::OtherOrigin { found: origin, expected: other.name().clone() });
        }
        note.verify(&own)?;
        Ok(Self { origin, head, note })
    }

    /// Which record.
    pub const fn origin(&self) -> &Origin {
        &self.origin
    }

    /// Entries it covers.
    pub const fn size(&self) -> u64 {
        self.head.size
    }

    /// The root over them.
    pub const fn root(&self) -> Root {
        self.head.root
    }

    /// The root as the note has it, in base64.
    pub fn root_text(&self) -> String {
        STANDARD.encode(self.head.root.digest().as_bytes())
    }

    pub(crate) const fn head(&self) -> &TreeHead {
        &self.head
    }

    /// The note, as it can be handed on.
    pub const fn note(&self) -> &SignedNote {
        &self.note
    }

    /// That exactly these bytes are entry `index` of the record.
    ///
    /// # Errors
    /// [`NotProven`].
    pub fn includes(&self, index: u64, body: &[u8], proof: &InclusionProof) -> Result<(), NotProven> {
        proof::includes(&self.head, index, LeafHash::of(body), proof)
    }

    /// That this record begins with all that `older` covered.
    ///
    /// # Errors
    /// [`NotProven`].
    pub fn continues(&self, older: &Self, proof: &ConsistencyProof) -> Result<(), NotProven> {
        self.begins_with(&older.head, proof)
    }

    /// The same of a tree that nobody has vouched for yet: what it is compared with is somebody else's copy.
    ///
    /// # Errors
    /// [`NotProven`].
    pub fn begins_with(&self, older: &TreeHead, proof: &ConsistencyProof) -> Result<(), NotProven> {
        proof::continues(older, &self.head, proof)
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.note.fmt(f)
    }
}

/// The three lines that are signed.
pub(crate) fn text(origin: &Origin, head: &TreeHead) -> String {
    format!("{origin}\n{}\n{}\n", head.size, STANDARD.encode(head.root.digest().as_bytes()))
}

/// Reads exactly what [`text`] writes.
pub(crate) fn parse(lines: &str) -> Option<(Origin, TreeHead)> {
    let mut parts = lines.strip_suffix('\n')?.split('\n');
    let origin: Origin = parts.next()?.parse().ok()?;
    let size = parts.next()?.parse().ok()?;
    let root = Digest::try_from(STANDARD.decode(parts.next()?).ok()?.as_slice()).ok()?;
    let head = TreeHead { size, root: Root::from_digest(root) };
    // Written back and compared: no sign, no leading zero, nothing after the root.
    (text(&origin, &head) == lines).then_some((origin, head))
}

#[cfg(test)]
mod tests;
