//! What a call is closed on.

use serde::{Deserialize, Serialize};

/// When more than one person's word is needed to close a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CloseGuard {
    /// Never.
    #[default]
    Off,
    /// Once somebody at the button has asked to cancel, or the police are needed.
    AfterCancel,
    /// For every call but one for support.
    Always,
}

impl CloseGuard {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
    pub(crate) fn is_off(&self) -> bool {
        *self == Self::Off
    }
}
