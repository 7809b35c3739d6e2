//! Anchors: places outside of the operator's control that are given checkpoints of the record, and how it is known that they took one.
//!
//! When one is given away is the watch's affair; here is only what is remembered of it.

use serde::{Deserialize, Serialize};

use crate::id::{AnchorName, Digest};
use crate::time::Timestamp;

/// What calls for a checkpoint to be given away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Occasion {
    /// Anything was recorded that is not about anchors themselves.
    Change,
    /// An activation was closed.
    Closing,
    /// A day has begun, by UTC: in Australia that is in the morning.
    Daily,
}

/// By what it is known that a checkpoint was taken. None of these says that it was kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Receipt {
    /// The mail relay took the mail.
    Smtp {
        /// The mail's `Message-ID`, by which its recipient finds it.
        message_id: String,
    },
    /// The receiver answered with a success.
    Http {
        /// The status, 200 to 299.
        status: u16,
        /// The `webhook-id` that was posted.
        id: String,
    },
    /// The broker acknowledged the message.
    Puback,
}

/// An anchor took a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchored {
    /// Which.
    pub anchor: AnchorName,
    /// How many entries the checkpoint covers.
    pub size: u64,
    /// Its root.
    pub root: Digest,
    /// How that is known.
    pub receipt: Receipt,
}

/// The last checkpoint that an anchor took.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastAnchored {
    /// How many entries it covers.
    pub size: u64,
    /// When that was recorded.
    pub at: Timestamp,
}
