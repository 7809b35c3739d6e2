//! A call for help, as it is recorded when it is raised.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::doer::Doer;
use super::signal_record::SignalRecord;
use crate::directory::{Centre, CloseGuard, Standing};
use crate::id::{ActivationId, CentreId, ContactKey, CustomerId, DeviceId, PersonVersion, ScheduleId};
use crate::ladder::Ladder;
use crate::plan::Plan;
use crate::signal::Kind;
use crate::time::Timestamp;

/// A call for help, as recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raised {
    /// Its reference.
    pub act: ActivationId,
    /// Counts a customer's activations without a gap: a withheld one shows.
    pub ord: u32,
    /// Whose.
    pub cust: CustomerId,
    /// By which device.
    pub dev: DeviceId,
    /// How well that device is known.
    pub standing: Standing,
    /// What kind of help.
    pub kind: Kind,
    /// How old the press is.
    pub age: Age,
    /// How it starts.
    pub opening: Opening,
    /// The ladder, frozen.
    pub ladder: Arc<Ladder>,
    /// The directory version it was taken from.
    pub directory: u32,
    /// Above this many seconds the climb goes on beside an accept.
    pub eta_limit_s: u32,
    /// The ladder's centres as they were, for those that a later directory no longer knows.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub centres: BTreeMap<CentreId, Centre>,
    /// Whether the device is told what becomes of its call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feedback: Option<bool>,
    /// When more than one person's word is needed to close it.
    #[serde(default, skip_serializing_if = "CloseGuard::is_off")]
    pub guard: CloseGuard,
    /// What is done about it, frozen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Arc<Plan>>,
    /// For whom, where it is for a responder to another call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<About>,
    /// Who is asked first, where its button was on test.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tester: Option<PersonVersion>,
    /// When it ends by itself, where it is a drill: nobody pressed, and nobody is in danger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub drill_until: Option<Timestamp>,
    /// Which schedule asked for it, where it is a drill that began by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scheduled: Option<Scheduled>,
    /// The first call of the incident that it belongs to, where others were open at its site.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<ActivationId>,
    /// The message.
    pub signal: SignalRecord,
    /// Who is responsible, where it was raised through the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Doer>,
}

/// A drill that began by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scheduled {
    /// By which schedule of the directory.
    pub schedule: ScheduleId,
    /// On which day, by the clock on the wall there.
    pub day: Date,
}

/// A responder who needs help themselves, and at which call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct About {
    /// The call to which they went.
    pub of: ActivationId,
    /// A person of the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonVersion>,
    /// Keyed digest of the address they answered from, or of the name that a caller gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mark: Option<ContactKey>,
}

/// How old a press was when it reached us (lifecycle, "Age").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Age {
    /// Fresh, or of an age nobody vouches for.
    Live {
        /// It may have waited up to this many seconds while the link was away.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        up_to_s: Option<u64>,
    },
    /// Old by a proven clock, still dispatched in full.
    Delayed {
        /// Seconds.
        s: u64,
    },
    /// Too old to send everyone at once, or a kept copy that nobody had seen.
    Recovered {
        /// Seconds, where known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        s: Option<u64>,
    },
}

/// How an activation starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opening {
    /// Rung by rung.
    Ladder,
    /// A human is asked first: the centre, else rung 1. Unanswered, the full ladder follows.
    AskFirst,
    /// Its button is out of service: its keeper is asked. Unanswered, the full ladder follows.
    AskKeeper,
    /// Its button is on test: whoever tests it is asked whether it was they. Without their yes the full ladder follows.
    AskTester,
}
