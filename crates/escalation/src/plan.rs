//! Action plans: what responders and the centre do about a call, step by step.
//!
//! The rules know how many steps there are and which of them have to be taken; their words stay with the names of places. A plan
//! is frozen into the call that was raised under it, and no step of it stops a ladder or holds one: required steps are asked for
//! at the closing and nowhere else (lifecycle, "What an answer does").

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::id::PlanId;

/// Most steps of one part: nobody follows more.
pub const STEPS_MAX: usize = 20;

/// An action plan, as it was when a call was raised.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Its id.
    pub id: PlanId,
    /// Which version of it, as its author counts.
    pub version: u32,
    /// What responders do.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub responder: Vec<Step>,
    /// What the centre does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub centre: Vec<Step>,
}

/// One step of a plan, without its words.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The call is not closed before it is taken, or passed over for a reason.
    #[serde(default, skip_serializing_if = "is_optional")]
    pub required: bool,
}

/// Whose steps they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// Whoever goes.
    Responder,
    /// The monitoring centre.
    Centre,
}

/// Which step of a plan.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StepId {
    /// Whose.
    pub part: Part,
    /// Counts from 1.
    pub number: u16,
}

impl Plan {
    /// The steps of a part, in order.
    pub fn steps(&self, part: Part) -> &[Step] {
        match part {
            Part::Responder => &self.responder,
            Part::Centre => &self.centre,
        }
    }

    /// One step; `None` where the plan has none of this number.
    pub fn step(&self, id: StepId) -> Option<Step> {
        self.steps(id.part).get(usize::from(id.number.checked_sub(1)?)).copied()
    }

    /// Which steps have to be taken before a call is closed.
    pub fn required(&self) -> impl Iterator<Item = StepId> + '_ {
        let numbered = |part: Part| (1u16..).zip(self.steps(part)).map(move |(number, step)| (StepId { part, number }, step));
        let all = numbered(Part::Responder).chain(numbered(Part::Centre));
        all.filter(|(_, step)| step.required).map(|(id, _)| id)
    }
}

impl StepId {
    /// Reads `responder 2` or `centre 1`.
    pub fn parse(text: &str) -> Option<Self> {
        let (part, number) = text.trim().split_once(' ')?;
        let part = Part::ALL.into_iter().find(|known| known.as_str() == part)?;
        let number = number.trim();
        let number = number.parse().ok().filter(|read| *read > 0 && number.bytes().all(|b| b.is_ascii_digit()))?;
        Some(Self { part, number })
    }
}

impl Part {
    /// Both, in the order in which they are shown.
    pub const ALL: [Self; 2] = [Self::Responder, Self::Centre];

    /// As it is recorded and named in the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Responder => "responder",
            Self::Centre => "centre",
        }
    }
}

impl fmt::Display for StepId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.part.as_str(), self.number)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_optional(required: &bool) -> bool {
    !*required
}
