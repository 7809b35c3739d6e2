//! Who is pursued, why now, and why not any further.

use serde::{Deserialize, Serialize};

use crate::dispatch::Recipient;
use crate::id::{PersonId, PersonVersion, RosterId};
use crate::ladder::{Medium, RungIndex, Who};
use crate::time::Timestamp;

/// Why a rung was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// The activation was raised.
    Raised,
    /// The rung before waited in vain.
    WaitOver,
    /// Nobody on the rung before was left to wait for.
    NobodyLeft,
    /// Someone moved it on.
    Escalated,
    /// A commitment ended.
    Resumed,
    /// The button was pressed again long after an accept.
    PressedAgain,
    /// It was closed, and is open again.
    Reopened,
    /// Its button was on test, and something spoke against this press being one.
    NotATest,
    /// Its button was out of service, and somebody said that it is more than a button.
    InEarnest,
}

/// Somebody pursued: a target of a rung with the details that were current when it was entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Of which rung.
    pub rung: RungIndex,
    /// Who.
    pub who: Who,
    /// For a person: which details.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonVersion>,
    /// The channel steps that can be tried: fallback in order, together within a step.
    pub steps: Vec<Vec<Channel>>,
}

/// What a roster said when a rung was entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnDuty {
    /// Of which rung.
    pub rung: RungIndex,
    /// Which roster.
    pub roster: RosterId,
    /// Who is on duty, whether or not they could be tried.
    pub people: Vec<PersonId>,
    /// The answer holds until then at least; left out: for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

/// One channel to one party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Which medium.
    pub medium: Medium,
    /// To whom exactly.
    pub to: Recipient,
}

/// Why a whole rung was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RungSkip {
    /// It resolves to nobody who can be tried.
    Nobody,
    /// Only the centre is on it, and an operator has claimed.
    CentreHasClaimed,
    /// It holds at other hours, or on other days.
    OutsideItsHours,
    /// It is for other kinds of help.
    NotForThisKind,
}

/// Why somebody is not tried (any further).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactSkip {
    /// No longer in any directory.
    Unknown,
    /// None of the rung's channels has an address for them.
    NoAddress,
    /// Every channel failed or stayed without a receipt.
    AllChannelsFailed,
    /// Declined, and rests.
    Resting,
    /// The call is for them.
    InNeed,
    /// An operator of the centre has claimed already.
    CentreHasClaimed,
    /// The same address is on this rung already.
    SameAddress,
    /// The roster has nobody on duty.
    NobodyOnDuty,
    /// Has accepted already, and others are needed beside them.
    HasAccepted,
    /// Only a call would reach them, and it would ring where nobody may hear it, or this kind of help is not called for.
    NotByCall,
    /// It is reached by its desk, and nobody has said to be at it.
    NobodyAtTheDesk,
}
