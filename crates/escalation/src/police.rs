//! What speaks for ringing the police, as an operator or a responder ticks it.

use serde::{Deserialize, Serialize};

/// Why the police are needed: thresholds that are agreed on before anybody presses (practice, R9).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Threshold {
    /// A credible threat of harm.
    ThreatOfHarm,
    /// Stalking, or threats outside of work.
    Stalking,
    /// An assault, or the attempt.
    Assault,
    /// A weapon, present or implied.
    Weapon,
    /// Property is being damaged while it gets worse.
    Damage,
    /// Somebody refuses to leave, and safety is at risk.
    RefusesToLeave,
}

impl Threshold {
    /// Every one, in the order of their numbers from 1.
    pub const ALL: [Self; 6] = [Self::ThreatOfHarm, Self::Stalking, Self::Assault, Self::Weapon, Self::Damage, Self::RefusesToLeave];

    /// By its number, 1 to 6.
    pub fn of_number(number: u8) -> Option<Self> {
        usize::from(number).checked_sub(1).and_then(|index| Self::ALL.get(index)).copied()
    }

    /// What a person says to the police.
    pub fn words(self) -> &'static str {
        match self {
            Self::ThreatOfHarm => "credible threat of harm",
            Self::Stalking => "stalking or threats outside of work",
            Self::Assault => "assault or attempt",
            Self::Weapon => "weapon present or implied",
            Self::Damage => "property damage, getting worse",
            Self::RefusesToLeave => "refuses to leave, safety at risk",
        }
    }
}
