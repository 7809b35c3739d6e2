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
        self.is_done(step) || self.skipped.contains(&step)
    }

    /// Required steps that nobody has done or passed over.
    pub fn left(&self) -> Vec<StepId> {
        self.plan.required().filter(|step| !self.is_settled(*step)).collect()
    }

    /// How many steps were done or passed over, and how many there are.
    pub fn progress(&self) -> (usize, usize) {
        (self.done.len() + self.skipped.len(), self.plan.responder.len() + self.plan.centre.len())
    }

    pub(crate) fn take(&mut self, step: StepId, skipped: bool) {
        self.skipped.retain(|other| *other != step);
        let list = if skipped { &mut self.skipped } else { &mut self.done };
        if !list.contains(&step) {
            list.push(step);
        }
    }
}
