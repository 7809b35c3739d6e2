//! What an erasure says that was made before, in a part of the record that was lost.

use serde::{Deserialize, Serialize};

use crate::id::Digest;
use crate::time::Timestamp;

/// An erasure that was recorded, and whose entry an older copy of the record lacks. It is made again, under its own basis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Again {
    /// When it was recorded first.
    pub at: Timestamp,
    /// The place that its entry had.
    pub seq: u64,
    /// That entry's leaf hash.
    pub leaf: Digest,
    /// How many of its values the older copy had.
    pub found: u32,
}
