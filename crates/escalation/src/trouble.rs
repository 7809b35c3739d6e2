//! Trouble: equipment or coverage that does not hold what it promises. One per cause, not per device.

use serde::{Deserialize, Serialize};

use crate::id::{ActivationId, AnchorName, CarrierName, CentreId, CustomerId, DeviceId, LadderId, RosterId, SiteId};
use crate::time::Timestamp;

/// A trouble's cause; it is its own key, so that one cause is one trouble.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The outside broker is away, or refuses us.
    BrokerAway,
    /// The broker refused or did not answer a subscription: presses on it would not reach us.
    SubscriptionRefused {
        /// The topic filter.
        filter: String,
    },
    /// The broker lost our session: what it held for us while we were away is gone.
    SessionLost,
    /// The broker lacks a setting that keeps presses safe.
    BrokerSetting {
        /// What it failed: `persistence`, `queue`, `packet_size`.
        lacks: String,
    },
    /// The record could not be reached; entries are in the spool.
    RecordUnreachable,
    /// The record is not signed: the signer fails, or refuses because the record does not continue what was signed.
    RecordUnsigned,
    /// A spool was put aside: it holds entries that were acted on and that the record lacks.
    SpoolPutAside,
    /// What was erased may be there: the list of erasures does not read or cannot be written, or a value could not be deleted.
    ErasureFailing,
    /// The station's key is another than the one under which people of open calls were told: their codes and links mean nothing.
    KeyReplaced,
    /// The directory file is missing or broken; the last adopted one is in force.
    DirectoryBroken,
    /// A provider does not take messages.
    ProviderDown {
        /// Which.
        carrier: CarrierName,
    },
    /// A provider's list of replies does not read: answers by text may be there unheard.
    RepliesUnread {
        /// Whose.
        carrier: CarrierName,
    },
    /// An account has less credit than the settings want it to have: without any it sends nothing.
    CreditLow {
        /// Which account.
        carrier: CarrierName,
        /// Whether it has none at all: the next message will most likely be refused.
        gone: bool,
    },
    /// An account does not say what credit it has.
    CreditUnread {
        /// Which account.
        carrier: CarrierName,
    },
    /// An anchor does not take checkpoints of the record, or there are none to give it.
    AnchorFailing {
        /// Which.
        anchor: AnchorName,
    },
    /// A rung had nobody to tell.
    Coverage {
        /// On which ladder.
        ladder: LadderId,
        /// At which site.
        site: SiteId,
    },
    /// At some time in the days to come nobody would be told of a press.
    CoverageGap {
        /// On which ladder.
        ladder: LadderId,
        /// At which site.
        site: SiteId,
        /// From when; where it had begun when it was found, since then.
        from: Timestamp,
    },
    /// Somebody was said to stand in on a roster and is not on duty by the directory in force, so that whoever they were to stand in for
    /// is on duty alone again.
    StandInUndone {
        /// On which roster.
        roster: RosterId,
    },
    /// Nobody is at the desk of a centre that a ladder counts on and that is reached by nothing else.
    DeskUnarmed {
        /// Of which centre.
        centre: CentreId,
    },
    /// A person's phone told its carrier to block us.
    OptedOut {
        /// Whose.
        person: crate::id::PersonId,
    },
    /// A device was opened.
    Tampered {
        /// At which site.
        site: SiteId,
    },
    /// A button is pressed as no hand presses: it sticks, or its contact chatters.
    Chatter {
        /// Which.
        device: DeviceId,
    },
    /// A button that is watched has not been heard for as long as its class of supervision allows.
    DeviceSilent {
        /// Which.
        device: DeviceId,
    },
    /// Of a site's buttons none that is watched has been heard for as long as its class allows: a press may reach nobody.
    SiteBlind {
        /// Which.
        site: SiteId,
    },
    /// A button says that its battery runs out.
    BatteryLow {
        /// Which.
        device: DeviceId,
    },
    /// A signal could not be taken in full because a queue was full.
    Overflow {
        /// Which queue.
        queue: String,
    },
    /// An event made no sense to the state it met; kept as evidence of a fault in the program.
    Fault {
        /// In which activation, if any.
        activation: Option<ActivationId>,
    },
}

impl Cause {
    /// Whose trouble it is: one customer's, or the whole station's.
    pub fn concerns(&self) -> Scope<'_> {
        match self {
            Self::Coverage { site, .. } | Self::CoverageGap { site, .. } | Self::Tampered { site } | Self::SiteBlind { site } => {
                Scope::Site(site)
            }
            Self::Chatter { device } | Self::DeviceSilent { device } | Self::BatteryLow { device } => Scope::Site(&device.site),
            Self::OptedOut { .. }
            | Self::StandInUndone { .. }
            | Self::DeskUnarmed { .. }
            | Self::BrokerAway
            | Self::SubscriptionRefused { .. }
            | Self::SessionLost
            | Self::BrokerSetting { .. }
            | Self::RecordUnreachable
            | Self::RecordUnsigned
            | Self::SpoolPutAside
            | Self::ErasureFailing
            | Self::KeyReplaced
            | Self::DirectoryBroken
            | Self::ProviderDown { .. }
            | Self::RepliesUnread { .. }
            | Self::CreditLow { .. }
            | Self::CreditUnread { .. }
            | Self::AnchorFailing { .. }
            | Self::Overflow { .. }
            | Self::Fault { .. } => Scope::Station,
        }
    }
}

/// Whose a trouble is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope<'a> {
    /// One site's, and therefore one customer's.
    Site(&'a SiteId),
    /// No one site's. Who is told of it the watch decides, cause by cause: what may stop anybody's presses every key sees.
    Station,
}

/// A trouble that is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// Since when.
    pub since: Timestamp,
    /// Whose, where it is one customer's.
    pub customer: Option<CustomerId>,
    /// The customer whose own technical ladder looked after such troubles when it came up; `None` where the operator's did.
    pub keeper: Option<CustomerId>,
}
