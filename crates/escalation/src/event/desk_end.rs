//! Why nobody is at a desk any more.

use serde::{Deserialize, Serialize};

/// Why nobody is at a desk any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeskEnd {
    /// The last who was there said so.
    Said,
    /// Nobody said that they are there for as long as a word holds.
    Lapsed,
}
