//! Why a hold or the offer of a hand-over is over.

use serde::{Deserialize, Serialize};

/// Why a hold ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldEnd {
    /// The time that was said is over.
    TimeOver,
    /// The button was pressed again more than two minutes after.
    PressedAgain,
    /// Whoever had committed no longer does: what the hold was placed on has changed.
    CommitmentEnded,
    /// Its owner wanted to hand over, and nobody took it.
    HandOverUnanswered,
}

/// Why an offer ended that nobody took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandOverEnd {
    /// Nobody said a word.
    Silence,
    /// The owner keeps it.
    TakenBack,
}
