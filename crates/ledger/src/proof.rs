//! Paths through the tree, and what they prove: that a leaf is in it, and that one tree continues another.
//!
//! RFC 9162 sections 2.1.3.2 and 2.1.4.2, word for word. What is compared with what is not said here: sizes and roots come
//! from a verified checkpoint (`checkpoint`), and a leaf hash from the entry's own bytes. Without both a path proves nothing,
//! because an interior node passes for a leaf of a smaller tree.

use crate::digest::Digest;
use crate::tree::{LeafHash, Root, node};

/// The hashes beside the way from one leaf up to the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct InclusionProof {
    /// From the leaf upwards.
    pub path: Vec<Digest>,
}

/// The hashes that lead from the root of an earlier tree to that of a later one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// In the order of RFC 6962.
    pub path: Vec<Digest>,
}

/// A tree said by its size and root. Says nothing about who vouches for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TreeHead {
    /// Leaves in it.
    pub size: u64,
    /// The root over them.
    pub root: Root,
}

/// A path does not prove what it was said to prove.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotProven {
    /// The place lies outside of the tree.
    #[error("entry {index} does not exist in a record of {size} entries")]
    Outside {
        /// The place.
        index: u64,
        /// Entries in the tree.
        size: u64,
    },
    /// Wrong length, order or content: altered bytes, another place, or another record.
    #[error("the proof does not lead to the root of the checkpoint: the entry, its place or the proof was altered")]
    NotIncluded,
    /// The older tree is the larger one.
    #[error("a record of {newer} entries cannot continue one of {older}: its tail was cut off, or an older copy was restored")]
    Shrunk {
        /// Entries in the tree that is said to be the older.
        older: u64,
        /// Entries in the tree that is said to be the newer.
        newer: u64,
    },
    /// Two trees of one size with different roots.
    #[error(
        "there are two records of {size} entries with different roots: one of them was rewritten, and if both are signed the signer vouched for two histories"
    )]
    Forked {
        /// Their size.
        size: u64,
    },
    /// The newer tree does not begin with the older one.
    #[error("the later record does not begin with the earlier one: an entry before {older} was altered, removed or inserted")]
    NotContinued {
        /// Entries in the older tree.
        older: u64,
    },
}

/// Whether `leaf` is at `index` in `tree`.
pub(crate) fn includes(tree: &TreeHead, index: u64, leaf: LeafHash, proof: &InclusionProof) -> Result<(), NotProven> {
    if index >= tree.size {
        return Err(NotProven::Outside { index, size: tree.size });
    }
    let (mut place, mut last) = (index, tree.size - 1);
    let mut hash = *leaf.digest();
    for beside in &proof.path {
        if last == 0 {
            return Err(NotProven::NotIncluded);
        }
        if place & 1 == 1 || place == last {
            hash = node(beside, &hash);
            // On the right edge, levels at which the node stands alone are passed over.
            while place & 1 == 0 && place != 0 {
                (place, last) = (place >> 1, last >> 1);
            }
        } else {
            hash = node(&hash, beside);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    if last == 0 && hash == *tree.root.digest() { Ok(()) } else { Err(NotProven::NotIncluded) }
}

/// Whether `newer` begins with `older`.
pub(crate) fn continues(older: &TreeHead, newer: &TreeHead, proof: &ConsistencyProof) -> Result<(), NotProven> {
    let refused = NotProven::NotContinued { older: older.size };
    if older.size > newer.size {
        return Err(NotProven::Shrunk { older: older.size, newer: newer.size });
    }
    if older.size == newer.size {
        return match (older.root == newer.root, proof.path.is_empty()) {
            (true, true) => Ok(()),
            (true, false) => Err(refused),
            (false, _) => Err(NotProven::Forked { size: older.size }),
        };
    }
    if older.size == 0 {
        let is_empty = older.root == Root::of_nothing() && proof.path.is_empty();
        return if is_empty { Ok(()) } else { Err(refused) };
    }
    // A tree of a power of two is itself the first node of the path, and is left out of it.
    let whole = older.size.is_power_of_two().then(|| *older.root.digest());
    let mut path = whole.iter().chain(&proof.path);
    let Some(first) = path.next() else { return Err(refused) };
    let (mut place, mut last) = (older.size - 1, newer.size - 1);
    while place & 1 == 1 {
        (place, last) = (place >> 1, last >> 1);
    }
    let (mut earlier, mut later) = (*first, *first);
    for beside in path {
        if last == 0 {
            return Err(refused);
        }
        if place & 1 == 1 || place == last {
            earlier = node(beside, &earlier);
            later = node(beside, &later);
            while place & 1 == 0 && place != 0 {
                (place, last) = (place >> 1, last >> 1);
            }
        } else {
            later = node(&later, beside);
        }
        (place, last) = (place >> 1, last >> 1);
    }
    let holds = last == 0 && earlier == *older.root.digest() && later == *newer.root.digest();
    if holds { Ok(()) } else { Err(refused) }
}

#[cfg(test)]
mod tests;
