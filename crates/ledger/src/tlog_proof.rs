//! tlog-proof files (C2SP tlog-proof): an entry's place, its path, and the checkpoint it leads to, in one text.
//!
//! With the entry's bytes beside it such a file can be verified years later, offline, by programs that are not ours. The
//! optional `extra` line of the format is authenticated by nothing, so none is written and none is read.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::checkpoint::{Checkpoint, NotACheckpoint};
use crate::digest::Digest;
use crate::key::VerifyKey;
use crate::proof::{InclusionProof, NotProven};

/// The first line.
const VERSION: &str = "c2sp.org/tlog-proof@v1";
/// More hashes than a path can have: a tree of 2^63 leaves is 63 high.
const PATH_MAX: usize = 63;

/// A proof that can be kept beside the bytes it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TlogProof {
    /// The entry's place.
    pub index: u64,
    /// From the entry up to the root.
    pub path: InclusionProof,
    /// What vouches for the root.
    pub checkpoint: Checkpoint,
}

/// A text that is no proof, or whose checkpoint nobody known vouches for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotATlogProof {
    /// It does not read.
    #[error("this is no tlog-proof file: {0}")]
    Text(&'static str),
    /// Its checkpoint is none.
    #[error(transparent)]
    Checkpoint(#[from] NotACheckpoint),
}

impl TlogProof {
    /// Reads a file and verifies its checkpoint. Whether it proves anything is asked with [`Self::proves`].
    ///
    /// # Errors
    /// [`NotATlogProof`].
    pub fn open(text: &str, keys: &[VerifyKey]) -> Result<Self, NotATlogProof> {
        let (proof, note) = text.split_once("\n\n").ok_or(NotATlogProof::Text("there is no blank line before its checkpoint"))?;
        let mut lines = proof.split('\n');
        if lines.next() != Some(VERSION) {
            return Err(NotATlogProof::Text("its first line is not  c2sp.org/tlog-proof@v1"));
        }
        let place = lines.next().and_then(|line| line.strip_prefix("index "));
        // Written back and compared, so that there is no sign and no leading zero.
        let index = place.and_then(|digits| digits.parse::<u64>().ok().filter(|index| index.to_string() == digits));
        let index = index.ok_or(NotATlogProof::Text("its second line is not  index  and a number"))?;
        let path = lines.map(hash).collect::<Option<Vec<_>>>().ok_or(NotATlogProof::Text("a line is not the base64 of a hash"))?;
        if path.len() > PATH_MAX {
            return Err(NotATlogProof::Text("its path is longer than any tree is high"));
        }
        Ok(Self { index, path: InclusionProof { path }, checkpoint: Checkpoint::open(note, keys)? })
    }

    /// That exactly these bytes are the entry at this place.
    ///
    /// # Errors
    /// [`NotProven`].
    pub fn proves(&self, body: &[u8]) -> Result<(), NotProven> {
        self.checkpoint.includes(self.index, body, &self.path)
    }
}

fn hash(line: &str) -> Option<Digest> {
    Digest::try_from(STANDARD.decode(line).ok()?.as_slice()).ok()
}

impl fmt::Display for TlogProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{VERSION}\nindex {}", self.index)?;
        self.path.path.iter().try_for_each(|hash| writeln!(f, "{}", STANDARD.encode(hash.as_bytes())))?;
        write!(f, "\n{}", self.checkpoint)
    }
}
