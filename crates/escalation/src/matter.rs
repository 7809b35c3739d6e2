//! Matters: what people are told of as one, so that thirty sites with one gap are one message.
//!
//! A matter belongs to whoever is told of it. The operator's is one for all customers that the operator looks after: a fault that
//! opens a gap in three hundred of them is one message, and none of them finds the operator's people in what is theirs.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::id::CustomerId;
use crate::time::{Seconds, SignedDuration, Timestamp};
use crate::trouble::{Cause, Trouble};

/// A gap that begins later than this leaves a day to be mended in, and wakes nobody.
const GAP_NEAR: SignedDuration = SignedDuration::from_hours(48);

/// What people are told of as one: one kind of trouble that one technical ladder hears of.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Matter {
    /// The customer whose own technical ladder hears of it; `None` where that is the operator's.
    pub customer: Option<CustomerId>,
    /// What kind.
    pub topic: Topic,
}

/// A kind of trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Topic {
    /// [`Cause::BrokerAway`].
    BrokerAway,
    /// [`Cause::SubscriptionRefused`].
    SubscriptionRefused,
    /// [`Cause::SessionLost`].
    SessionLost,
    /// [`Cause::BrokerSetting`].
    BrokerSetting,
    /// [`Cause::RecordUnreachable`].
    RecordUnreachable,
    /// [`Cause::RecordUnsigned`].
    RecordUnsigned,
    /// [`Cause::AnchorFailing`].
    AnchorFailing,
    /// [`Cause::SpoolPutAside`].
    SpoolPutAside,
    /// [`Cause::ErasureFailing`].
    ErasureFailing,
    /// [`Cause::KeyReplaced`].
    KeyReplaced,
    /// [`Cause::DirectoryBroken`].
    DirectoryBroken,
    /// [`Cause::ProviderDown`].
    ProviderDown,
    /// [`Cause::RepliesUnread`].
    RepliesUnread,
    /// [`Cause::CreditLow`].
    CreditLow,
    /// [`Cause::CreditUnread`].
    CreditUnread,
    /// [`Cause::Coverage`].
    Coverage,
    /// [`Cause::CoverageGap`].
    CoverageGap,
    /// [`Cause::StandInUndone`].
    StandInUndone,
    /// [`Cause::DeskUnarmed`].
    DeskUnarmed,
    /// [`Cause::OptedOut`].
    OptedOut,
    /// [`Cause::Tampered`].
    Tampered,
    /// [`Cause::Chatter`].
    Chatter,
    /// [`Cause::DeviceSilent`].
    DeviceSilent,
    /// [`Cause::SiteBlind`].
    SiteBlind,
    /// [`Cause::BatteryLow`].
    BatteryLow,
    /// [`Cause::Overflow`].
    Overflow,
    /// [`Cause::Fault`].
    Fault,
}

/// How much a trouble may ask of people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Gravity {
    /// Everything works that somebody in danger needs: the first rung, by day, once a day.
    Lesser,
    /// A press may reach nobody, or an answer nobody: the whole ladder, day and night.
    AlarmPath,
}

impl Cause {
    /// Its kind.
    pub fn topic(&self) -> Topic {
        match self {
            Self::BrokerAway => Topic::BrokerAway,
            Self::SubscriptionRefused { .. } => Topic::SubscriptionRefused,
            Self::SessionLost => Topic::SessionLost,
            Self::BrokerSetting { .. } => Topic::BrokerSetting,
            Self::RecordUnreachable => Topic::RecordUnreachable,
            Self::RecordUnsigned => Topic::RecordUnsigned,
            Self::AnchorFailing { .. } => Topic::AnchorFailing,
            Self::SpoolPutAside => Topic::SpoolPutAside,
            Self::ErasureFailing => Topic::ErasureFailing,
            Self::KeyReplaced => Topic::KeyReplaced,
            Self::DirectoryBroken => Topic::DirectoryBroken,
            Self::ProviderDown { .. } => Topic::ProviderDown,
            Self::RepliesUnread { .. } => Topic::RepliesUnread,
            Self::CreditLow { .. } => Topic::CreditLow,
            Self::CreditUnread { .. } => Topic::CreditUnread,
            Self::Coverage { .. } => Topic::Coverage,
            Self::CoverageGap { .. } => Topic::CoverageGap,
            Self::StandInUndone { .. } => Topic::StandInUndone,
            Self::DeskUnarmed { .. } => Topic::DeskUnarmed,
            Self::OptedOut { .. } => Topic::OptedOut,
            Self::Tampered { .. } => Topic::Tampered,
            Self::Chatter { .. } => Topic::Chatter,
            Self::DeviceSilent { .. } => Topic::DeviceSilent,
            Self::SiteBlind { .. } => Topic::SiteBlind,
            Self::BatteryLow { .. } => Topic::BatteryLow,
            Self::Overflow { .. } => Topic::Overflow,
            Self::Fault { .. } => Topic::Fault,
        }
    }

    /// How much it may ask of people at an instant: a gap grows graver as it comes nearer.
    pub fn gravity(&self, now: Timestamp) -> Gravity {
        if self.grave_from().is_some_and(|from| from <= now) { Gravity::AlarmPath } else { Gravity::Lesser }
    }

    /// From when it may ask everything of people; `None` where it never does.
    pub(crate) fn grave_from(&self) -> Option<Timestamp> {
        match self {
            Self::BrokerAway
            | Self::SubscriptionRefused { .. }
            | Self::SessionLost
            | Self::RecordUnreachable
            | Self::SpoolPutAside
            | Self::KeyReplaced
            | Self::DirectoryBroken
            | Self::ProviderDown { .. }
            | Self::RepliesUnread { .. }
            | Self::Coverage { .. }
            | Self::StandInUndone { .. }
            | Self::DeskUnarmed { .. }
            | Self::SiteBlind { .. }
            | Self::CreditLow { gone: true, .. }
            | Self::Overflow { .. } => Some(Timestamp::MIN),
            Self::CoverageGap { from, .. } => Some(from.saturating_sub(GAP_NEAR).unwrap_or(Timestamp::MIN)),
            Self::BrokerSetting { .. }
            | Self::RecordUnsigned
            | Self::ErasureFailing
            | Self::AnchorFailing { .. }
            | Self::CreditLow { gone: false, .. }
            | Self::CreditUnread { .. }
            | Self::OptedOut { .. }
            | Self::Tampered { .. }
            | Self::Chatter { .. }
            | Self::DeviceSilent { .. }
            | Self::BatteryLow { .. }
            | Self::Fault { .. } => None,
        }
    }
}

/// A matter with what is open of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Open<'e> {
    /// The gravest of its causes, of several the one that is there the longest: the one that a message names.
    pub(crate) cause: &'e Cause,
    /// How many others there are.
    pub(crate) more: u32,
    /// Since when the gravest is there.
    pub(crate) cause_since: Timestamp,
    /// Since when there is any of those that are open.
    pub(crate) opened: Timestamp,
    /// Since when there is any, where what comes back before it was over for the wait is the same.
    pub(crate) since: Timestamp,
    /// Since when there is the latest of those that were grave when they came up: what can wait wakes nobody who looks after another.
    pub(crate) latest: Option<Timestamp>,
}

impl Open<'_> {
    /// How much it may ask of people.
    pub(crate) fn gravity(&self, now: Timestamp) -> Gravity {
        self.cause.gravity(now)
    }
}

impl Trouble {
    /// What people are told of it as.
    pub fn matter(&self, cause: &Cause) -> Matter {
        Matter { customer: self.keeper.clone(), topic: cause.topic() }
    }
}

/// Everything that is open of one matter, so that asking for it costs the same however much there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Causes {
    since: Timestamp,
    /// When the last of them was over; a matter that was ever open is remembered.
    left_at: Option<Timestamp>,
    /// By when it bites, and then by how long it lasts: the first is the gravest.
    by_urgency: BTreeSet<(Timestamp, Timestamp, Cause)>,
    by_age: BTreeSet<(Timestamp, Cause)>,
    grave_by_age: BTreeSet<(Timestamp, Cause)>,
}

impl Causes {
    /// One more; what comes back within the `wait` is the same.
    pub(crate) fn insert(&mut self, cause: &Cause, since: Timestamp, wait: Seconds) {
        let is_same = !self.is_empty() || self.left_at.is_some_and(|left| since < wait.after(left));
        if !is_same {
            self.since = since;
        }
        self.by_urgency.insert((bites_at(cause), since, cause.clone()));
        self.by_age.insert((since, cause.clone()));
        if cause.gravity(since) == Gravity::AlarmPath {
            self.grave_by_age.insert((since, cause.clone()));
        }
    }

    pub(crate) fn remove(&mut self, cause: &Cause, since: Timestamp, at: Timestamp) {
        self.by_urgency.remove(&(bites_at(cause), since, cause.clone()));
        self.by_age.remove(&(since, cause.clone()));
        self.grave_by_age.remove(&(since, cause.clone()));
        if self.is_empty() {
            self.left_at = Some(at);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.by_age.is_empty()
    }

    pub(crate) fn open(&self) -> Option<Open<'_>> {
        let (_, cause_since, cause) = self.by_urgency.first()?;
        let (opened, _) = self.by_age.first()?;
        let latest = self.grave_by_age.last().map(|(latest, _)| *latest);
        let more = u32::try_from(self.by_age.len().saturating_sub(1)).unwrap_or(u32::MAX);
        Some(Open { cause, more, cause_since: *cause_since, opened: *opened, since: self.since, latest })
    }
}

/// A gap bites when it begins, anything else has already.
fn bites_at(cause: &Cause) -> Timestamp {
    if let Cause::CoverageGap { from, .. } = cause { *from } else { Timestamp::MIN }
}
