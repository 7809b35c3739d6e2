//! How far the action plan of a call was followed.

use std::sync::Arc;

use crate::plan::{Plan, StepId};

/// A plan, and which of its steps are taken. Who took them and when is in the history of the call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Followed {
    /// The plan, frozen.
    pub plan: Arc<Plan>,
    /// Steps that were done.
    done: Vec<StepId>,
    /// Steps that were passed over for a reason, and not done since.
    skipped: Vec<StepId>,
}

impl Followed {
    pub(crate) fn new(plan: Arc<Plan>) -> Self {
        Self { plan, done: Vec::new(), skipped: Vec::new() }
    }

    /// Whether somebody did it.
    pub fn is_done(&self, step: StepId) -> bool {
        self.done.contains(&step)
    }

    /// Whether it was done, or passed over for a reason.
    pub fn is_settled(&self, step: StepId) -> bool {
        self.is_done(step) || self.is_skipped(step)
    }

    /// Required steps that nobody has done or passed over.
    pub fn left(&self) -> Vec<StepId> {
        self.plan.required().filter(|step| !self.is_settled(*step)).collect()
    }

    /// Whether it was passed over for a reason, and not done since.
    pub fn is_skipped(&self, step: StepId) -> bool {
        self.skipped.contains(&step)
    }

    /// What was done for a call that is open again is to be done once more.
    pub(crate) fn begin_again(&mut self) {
        self.done = Vec::new();
        self.skipped = Vec::new();
    }

    pub(crate) fn take(&mut self, step: StepId, skipped: bool) {
        self.skipped.retain(|other| *other != step);
        let list = if skipped { &mut self.skipped } else { &mut self.done };
        if !list.contains(&step) {
            list.push(step);
        }
    }
}
