//! Why a drill ended by itself.

use serde::{Deserialize, Serialize};

/// Why a drill ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DrillEnd {
    /// Every rung was tried: a real call would repeat without end, a drill does not.
    Exhausted,
    /// It has lasted as long as a drill may.
    TimeOver,
    /// A schedule asked for it, somebody said that they go, and everybody else had time to say so as well.
    Answered,
    /// Somebody at that site called for help in earnest.
    RealCall,
}
