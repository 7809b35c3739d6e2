//! How buttons of one make are watched: for how long they may be silent, and at which hours anybody cares.

use serde::{Deserialize, Serialize};

use crate::roster::Hours;
use crate::time::Seconds;

/// A class of supervision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Supervision {
    /// For how long a device may be silent. A fixed button at a counter says that it is there every hour or more often, one on a
    /// battery once or twice a day (practice, F14).
    pub silent_after_s: Seconds,
    /// At which hours of its site its silence counts; `None`: day and night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
}
