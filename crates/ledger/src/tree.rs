//! The RFC 6962 Merkle tree over entries: hashes and the frontier that yields a root.
//!
//! Knows bytes and hashes only, and never stores: who owns the leaves is `Ledger`'s business. What is proven from them is
//! `subtrees` and `proof`.

use crate::digest::{Digest, NotADigest};

/// The hash of one entry's exact bytes: SHA-256(00 ‖ bytes), RFC 6962 section 2.1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LeafHash(Digest);

impl LeafHash {
    /// The leaf hash of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Digest::of(&[&[0x00], bytes]))
    }

    /// A leaf hash that was stored earlier.
    pub const fn from_digest(digest: Digest) -> Self {
        Self(digest)
    }

    /// The digest itself.
    pub const fn digest(&self) -> &Digest {
        &self.0
    }
}

/// The hash of a whole tree of a known size.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Root(Digest);

impl Root {
    /// A root that was computed elsewhere. It vouches for nothing: see `checkpoint`.
    pub(crate) const fn from_digest(digest: Digest) -> Self {
        Self(digest)
    }

    /// The root of the empty tree: SHA-256 of nothing.
    pub(crate) fn of_nothing() -> Self {
        Self(Digest::of(&[]))
    }

    /// The digest itself.
    pub const fn digest(&self) -> &Digest {
        &self.0
    }
}

/// An interior node: SHA-256(01 ‖ left ‖ right).
pub(crate) fn node(left: &Digest, right: &Digest) -> Digest {
    Digest::of(&[&[0x01], left.as_bytes(), right.as_bytes()])
}

/// The right edge of a tree: all that is needed to append leaves and to say the root.
///
/// Holds one hash for each bit set in `size`, the largest complete subtree first; so 2^64 leaves need 64 hashes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Digest>,
}

/// Stored bytes are not a frontier.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are no frontier: eight bytes of size must be followed by one 32-byte hash for each bit set in it")]
pub struct NotAFrontier;

impl From<NotADigest> for NotAFrontier {
    fn from(_: NotADigest) -> Self {
        Self
    }
}

impl Frontier {
    /// The frontier of the empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// Leaves in the tree, which is also the index of the next one.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends one leaf. Costs one hash on average.
    pub fn append(&mut self, leaf: LeafHash) {
        // Each complete subtree on the right edge that is as large as what we carry is joined with it.
        let mut carried = leaf.0;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.peaks.pop() {
                carried = node(&left, &carried);
            }
        }
        self.peaks.push(carried);
        self.size += 1;
    }

    /// The root of the tree as it stands; SHA-256 of nothing when it is empty.
    pub fn root(&self) -> Root {
        let joined = self.peaks.iter().rev().copied().reduce(|right, left| node(&left, &right));
        joined.map_or_else(Root::of_nothing, Root)
    }

    /// Eight bytes of size, most significant first, then the hashes, the largest subtree's first.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = self.size.to_be_bytes().to_vec();
        for peak in &self.peaks {
            bytes.extend_from_slice(peak.as_bytes());
        }
        bytes
    }

    /// Reads what `to_bytes` wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, NotAFrontier> {
        let (size, hashes) = bytes.split_first_chunk::<8>().ok_or(NotAFrontier)?;
        let size = u64::from_be_bytes(*size);
        let peaks = hashes.chunks(Digest::LEN).map(Digest::try_from).collect::<Result<Vec<_>, _>>()?;
        if u32::try_from(peaks.len()) != Ok(size.count_ones()) {
            return Err(NotAFrontier);
        }
        Ok(Self { size, peaks })
    }
}

impl Extend<LeafHash> for Frontier {
    fn extend<I: IntoIterator<Item = LeafHash>>(&mut self, leaves: I) {
        leaves.into_iter().for_each(|leaf| self.append(leaf));
    }
}

impl FromIterator<LeafHash> for Frontier {
    fn from_iter<I: IntoIterator<Item = LeafHash>>(leaves: I) -> Self {
        let mut frontier = Self::new();
        frontier.extend(leaves);
        frontier
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VECTORS: &str = include_str!("../../../tests/golden/record/vectors.json");
    const LARGE: &str = include_str!("../../../tests/golden/record/vectors_large.json");

    fn parse(text: &str) -> serde_json::Value {
        serde_json::from_str(text).expect("the vectors are JSON")
    }

    /// Compares the root at every size the vectors name with the root of that many leaves.
    fn check_roots(vectors: &serde_json::Value, leaves: &[LeafHash]) {
        let roots = vectors["roots"].as_object().expect("roots by size");
        assert!(!roots.is_empty());
        for (size, root) in roots {
            let size: usize = size.parse().expect("a size");
            let frontier: Frontier = leaves[..size].iter().copied().collect();
            assert_eq!(frontier.size(), u64::try_from(size).expect("small"));
            assert_eq!(frontier.root().digest().to_string(), root.as_str().expect("hex"), "root of {size} leaves");
            assert_eq!(Frontier::from_bytes(&frontier.to_bytes()), Ok(frontier));
        }
    }

    #[test]
    fn the_roots_of_the_vectors_come_out() {
        let vectors = parse(VECTORS);
        let mut leaves = Vec::new();
        for leaf in vectors["leaves"].as_array().expect("leaves") {
            let hash = LeafHash::of(leaf["utf8"].as_str().expect("text").as_bytes());
            assert_eq!(hash.digest().to_string(), leaf["leaf_hash"].as_str().expect("hex"));
            leaves.push(hash);
        }
        check_roots(&vectors, &leaves);
        assert_eq!(Frontier::new().root().digest().to_string(), vectors["empty_root"].as_str().expect("hex"));
    }

    #[test]
    fn the_roots_of_the_large_vectors_come_out() {
        let leaves: Vec<_> = (0..1000).map(|i| LeafHash::of(format!("leaf-{i}").as_bytes())).collect();
        check_roots(&parse(LARGE), &leaves);
    }

    #[test]
    fn what_is_no_frontier_is_refused() {
        let three: Frontier = (0..3_u8).map(|i| LeafHash::of(&[i])).collect();
        let bytes = three.to_bytes();
        for wrong in [&bytes[..7], &bytes[..bytes.len() - 1], &bytes[..bytes.len() - 32]] {
            assert_eq!(Frontier::from_bytes(wrong), Err(NotAFrontier));
        }
    }

    /// RFC 6962 section 2.1, word for word: split at the largest power of two below n.
    fn naive(leaves: &[LeafHash]) -> Digest {
        match leaves {
            [] => Digest::of(&[]),
            [leaf] => *leaf.digest(),
            more => {
                let split = more.len().next_power_of_two() / 2;
                node(&naive(&more[..split]), &naive(&more[split..]))
            }
        }
    }

    proptest! {
        #[test]
        fn the_frontier_agrees_with_the_definition(seed in any::<u64>(), size in 0_usize..700) {
            let leaves: Vec<_> = (0..size).map(|i| LeafHash::of(format!("{seed}-{i}").as_bytes())).collect();
            let frontier: Frontier = leaves.iter().copied().collect();
            prop_assert_eq!(*frontier.root().digest(), naive(&leaves));
        }
    }
}
