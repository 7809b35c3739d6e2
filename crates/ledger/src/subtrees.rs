//! What is kept of the tree to prove things from it: the hashes of complete subtrees, from 256 leaves upwards, and all of them
//! within the block of 256 that is not full yet.
//!
//! A quarter of a byte an entry, in memory. The leaves below are read again from the record when a proof needs them, at most
//! three blocks of 256; the newest, from which the next checkpoint is made, are at hand with everything above them. Knows nothing of stores: who has the leaves hands them in.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::digest::Digest;
use crate::proof::{ConsistencyProof, InclusionProof, TreeHead};
use crate::tree::{LeafHash, Root, node};

/// Leaves in a block: the smallest subtree that is kept.
pub const BLOCK: u64 = 1 << BLOCK_LEVEL;
const BLOCK_LEVEL: usize = 8;

/// The complete subtrees of a record.
#[derive(Clone, Debug, Default)]
pub struct Subtrees {
    size: u64,
    /// By level, that of leaves first, then by place. Below the level of blocks, of the block that is not full yet alone.
    levels: Vec<Vec<Digest>>,
}

/// Leaf hashes of some blocks, read from the record.
#[derive(Clone, Debug, Default)]
pub struct Blocks(BTreeMap<u64, Vec<LeafHash>>);

/// A proof could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CannotProve {
    /// The tree is not that large.
    #[error("the record has {size} entries, and a proof was asked for {asked}")]
    Beyond {
        /// What was asked for.
        asked: u64,
        /// Entries there are.
        size: u64,
    },
    /// A leaf that the proof needs was not handed in.
    #[error("the record did not give the hash of entry {index}")]
    Missing {
        /// Its place.
        index: u64,
    },
}

impl Blocks {
    /// Adds the leaves of one block, from its first on.
    pub fn insert(&mut self, block: u64, leaves: Vec<LeafHash>) {
        self.0.insert(block, leaves);
    }

    fn leaf(&self, index: u64) -> Option<LeafHash> {
        let within = usize::try_from(index % BLOCK).ok()?;
        self.0.get(&(index / BLOCK))?.get(within).copied()
    }
}

impl Subtrees {
    /// Of an empty record.
    pub fn new() -> Self {
        Self::default()
    }

    /// Leaves in the tree.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends one leaf.
    pub fn append(&mut self, leaf: LeafHash) {
        self.size += 1;
        let mut whole = *leaf.digest();
        for level in 0.. {
            if self.levels.len() == level {
                self.levels.push(Vec::new());
            }
            let Some(kept) = self.levels.get_mut(level) else { break };
            kept.push(whole);
            // A right child completes its parent.
            let (true, Some([.., left, right])) = (kept.len().is_multiple_of(2), kept.get(..)) else { break };
            whole = node(left, right);
        }
        if self.size.is_multiple_of(BLOCK) {
            self.levels.iter_mut().take(BLOCK_LEVEL).for_each(Vec::clear);
        }
    }

    /// The whole tree's size and root.
    pub fn head(&self) -> TreeHead {
        let root = match self.subtree(0..self.size, &Blocks::default()) {
            // Everything that the newest tree is made of is in memory.
            Ok(root) if self.size > 0 => Root::from_digest(root),
            Ok(_) | Err(_) => Root::of_nothing(),
        };
        TreeHead { size: self.size, root }
    }

    /// The blocks whose leaves proofs for these places and sizes need, and that are not in memory.
    pub fn needed(&self, places: &[u64]) -> BTreeSet<u64> {
        let full = self.size / BLOCK;
        places.iter().map(|place| place / BLOCK).filter(|block| *block < full).collect()
    }

    /// The root at an earlier size.
    pub fn head_at(&self, size: u64, blocks: &Blocks) -> Result<TreeHead, CannotProve> {
        self.reaches(size)?;
        let root = if size == 0 { Root::of_nothing() } else { Root::from_digest(self.subtree(0..size, blocks)?) };
        Ok(TreeHead { size, root })
    }

    /// That the leaf at `index` is in the tree of `size` leaves.
    pub fn inclusion(&self, index: u64, size: u64, blocks: &Blocks) -> Result<InclusionProof, CannotProve> {
        self.reaches(size)?;
        if index >= size {
            return Err(CannotProve::Beyond { asked: index.saturating_add(1), size });
        }
        let mut path = Vec::new();
        let mut within = 0..size;
        while within.end - within.start > 1 {
            let middle = middle(&within);
            let (left, right) = (within.start..middle, middle..within.end);
            let (inside, beside) = if index < middle { (left, right) } else { (right, left) };
            path.push(self.subtree(beside, blocks)?);
            within = inside;
        }
        path.reverse();
        Ok(InclusionProof { path })
    }

    /// That the tree of `newer` leaves begins with that of `older`.
    pub fn consistency(&self, older: u64, newer: u64, blocks: &Blocks) -> Result<ConsistencyProof, CannotProve> {
        self.reaches(newer)?;
        if older > newer {
            return Err(CannotProve::Beyond { asked: older, size: newer });
        }
        let mut path = Vec::new();
        let mut within = 0..newer;
        if older > 0 {
            while older < within.end {
                let middle = middle(&within);
                let (left, right) = (within.start..middle, middle..within.end);
                let (inside, beside) = if older <= middle { (left, right) } else { (right, left) };
                path.push(self.subtree(beside, blocks)?);
                within = inside;
            }
            // The older tree's own root is known to whoever asks.
            if within.start > 0 {
                path.push(self.subtree(within, blocks)?);
            }
        }
        path.reverse();
        Ok(ConsistencyProof { path })
    }

    fn reaches(&self, size: u64) -> Result<(), CannotProve> {
        if size > self.size { Err(CannotProve::Beyond { asked: size, size: self.size }) } else { Ok(()) }
    }

    /// The hash over a range that is a node of some tree. At most one path of it is not complete subtrees.
    fn subtree(&self, range: Range<u64>, blocks: &Blocks) -> Result<Digest, CannotProve> {
        let width = range.end - range.start;
        if width.is_power_of_two() {
            if let Some(kept) = self.kept(&range) {
                return Ok(kept);
            }
            if width >= BLOCK {
                return Err(CannotProve::Missing { index: range.start });
            }
        }
        if width <= 1 {
            let leaf = blocks.leaf(range.start).ok_or(CannotProve::Missing { index: range.start })?;
            return Ok(*leaf.digest());
        }
        let middle = middle(&range);
        Ok(node(&self.subtree(range.start..middle, blocks)?, &self.subtree(middle..range.end, blocks)?))
    }

    /// The hash of a complete subtree, where it is in memory.
    fn kept(&self, range: &Range<u64>) -> Option<Digest> {
        let width = range.end - range.start;
        let level = usize::try_from(width.trailing_zeros()).ok()?;
        let first = if width < BLOCK { self.size - self.size % BLOCK } else { 0 };
        let place = range.start.checked_sub(first)? / width;
        self.levels.get(level)?.get(usize::try_from(place).ok()?).copied()
    }
}

impl Extend<LeafHash> for Subtrees {
    fn extend<I: IntoIterator<Item = LeafHash>>(&mut self, leaves: I) {
        leaves.into_iter().for_each(|leaf| self.append(leaf));
    }
}

/// Where a range of at least two is split: after the largest power of two below its width (RFC 6962 section 2.1).
fn middle(range: &Range<u64>) -> u64 {
    let width = range.end - range.start;
    range.start + (1 << (width - 1).ilog2())
}

#[cfg(test)]
mod tests;
