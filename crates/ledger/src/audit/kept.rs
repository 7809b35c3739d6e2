//! What an audit compares a record with: a checkpoint, or what stands on paper of one.

use crate::checkpoint::Checkpoint;
use crate::key::Origin;
use crate::paper::Paper;
use crate::tree::Root;

/// Something that was kept since the record was so long.
#[derive(Clone, Debug)]
pub(super) enum Kept {
    /// A checkpoint that a known key has signed.
    Signed {
        checkpoint: Checkpoint,
        /// Its file.
        from: String,
        /// Whether it lay outside of the operator's control.
        outside: bool,
    },
    /// Three lines that whoever verifies has kept. Nobody vouches for them, and they need nobody to.
    Paper {
        paper: Paper,
        /// Its file.
        from: String,
    },
}

impl Kept {
    /// The checkpoint and its file, if a key vouches for it.
    pub(super) fn signed(&self) -> Option<(&Checkpoint, &str)> {
        match self {
            Self::Signed { checkpoint, from, outside: _ } => Some((checkpoint, from)),
            Self::Paper { .. } => None,
        }
    }

    pub(super) fn is_outside(&self) -> bool {
        match self {
            Self::Signed { outside, .. } => *outside,
            Self::Paper { .. } => true,
        }
    }

    pub(super) fn from(&self) -> &str {
        match self {
            Self::Signed { from, .. } | Self::Paper { from, .. } => from,
        }
    }

    pub(super) fn origin(&self) -> &Origin {
        match self {
            Self::Signed { checkpoint, .. } => checkpoint.origin(),
            Self::Paper { paper, .. } => paper.origin(),
        }
    }

    pub(super) fn size(&self) -> u64 {
        match self {
            Self::Signed { checkpoint, .. } => checkpoint.size(),
            Self::Paper { paper, .. } => paper.size(),
        }
    }

    pub(super) fn root(&self) -> Root {
        match self {
            Self::Signed { checkpoint, .. } => checkpoint.root(),
            Self::Paper { paper, .. } => paper.root(),
        }
    }
}
