//! Who is told of troubles, and when.

use serde::{Deserialize, Serialize};

use crate::id::LadderId;
use crate::time::Seconds;
use crate::zone::Zone;

/// So long a trouble lasts before people are told, and so long it is over before they are told that: a blip tells nobody.
const WAIT: Seconds = Seconds(60);
/// While nobody looks after it everybody of the ladder is told again so often.
const AGAIN: Seconds = Seconds(1_800);

/// Who is told of troubles, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Technical {
    /// The operator's ladder: of the station's troubles, and of those of customers without a technical ladder of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ladder: Option<LadderId>,
    /// How long a trouble lasts before anybody is told, and how long it is over before they are told that.
    pub wait_s: Seconds,
    /// How often everybody is told again while nobody looks after it.
    pub again_s: Seconds,
    /// By whose clock it is day: at night nobody is told of what can wait. Without one it is always day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
}

impl Default for Technical {
    fn default() -> Self {
        Self { ladder: None, wait_s: WAIT, again_s: AGAIN, zone: None }
    }
}

impl Technical {
    /// Whether nothing of it was written.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}
