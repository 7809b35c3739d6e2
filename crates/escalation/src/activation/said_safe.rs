//! Who has said that it is over.

use super::Companion;

/// Somebody's word that all is well. It closes nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SaidSafe {
    /// Whose.
    pub by: Companion,
    /// They had arrived: they said what they saw.
    pub eyes_on: bool,
    /// They gave a word with it that was not the safe one.
    pub disproved: bool,
}
