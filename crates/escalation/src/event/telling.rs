//! Why people are told of a trouble at this moment.

use serde::{Deserialize, Serialize};

/// Why people are told of a trouble at this moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Telling {
    /// It has lasted long enough.
    Begins,
    /// The rung before waited in vain.
    WaitOver,
    /// Nobody on the rung before was left to wait for.
    NobodyLeft,
    /// Somebody of the rung before said that they cannot.
    Declined,
    /// It lasts.
    Again,
    /// Another of its kind came up that whoever looks after it does not know of, or what could wait no longer can.
    Joined,
}
