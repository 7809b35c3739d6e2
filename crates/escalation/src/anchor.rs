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
    /// A time-stamping authority put its time to the note. Whether it was the authority that signed this is not looked at here.
    Rfc3161 {
        /// The time in the stamp, by the authority's clock.
        at: Timestamp,
        /// The stamp's number among the authority's, in hex.
        serial: String,
        /// The whole reply as it came (`TimeStampResp`), in base64: it is what others verify.
        token: String,
    },
}

impl Receipt {
    /// The word by which the record has it.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Smtp { .. } => "smtp",
            Self::Http { .. } => "http",
            Self::Puback => "puback",
            Self::Rfc3161 { .. } => "rfc3161",
        }
    }
}

/// An anchor took a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Anchored {
    /// Which.
    pub anchor: AnchorName,
    /// Under which name the record was signed.
    pub origin: String,
    /// How many entries the checkpoint covers.
    pub size: u64,
    /// Its root.
    pub root: Digest,
    /// How that is known.
    pub receipt: Receipt,
}

/// The last checkpoint that an anchor took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastAnchored {
    /// Under which name the record was signed: after a recovery sizes begin anew.
    pub origin: String,
    /// How many entries it covers.
    pub size: u64,
    /// When that was recorded.
    pub at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is recorded is read for ever.
    #[test]
    fn receipts_are_written_like_this() {
        let written = [
            (
                Receipt::Smtp { message_id: "<checkpoint.a.9@example.org>".to_owned() },
                r#"{"smtp":{"message_id":"<checkpoint.a.9@example.org>"}}"#,
            ),
            (Receipt::Http { status: 204, id: "checkpoint.a.9".to_owned() }, r#"{"http":{"status":204,"id":"checkpoint.a.9"}}"#),
            (Receipt::Puback, r#""puback""#),
            (
                Receipt::Rfc3161 { at: "2026-04-13T06:04:05.25Z".parse().unwrap(), serial: "02".to_owned(), token: "MAA=".to_owned() },
                r#"{"rfc3161":{"at":"2026-04-13T06:04:05.25Z","serial":"02","token":"MAA="}}"#,
            ),
        ];
        for (receipt, json) in written {
            assert_eq!(serde_json::to_string(&receipt).unwrap(), json);
            assert_eq!(json.split('"').nth(1), Some(receipt.as_str()));
            assert_eq!(serde_json::from_str::<Receipt>(json).unwrap(), receipt);
        }
    }
}
