//! Following the action plan of a call: steps are ticked, or passed over for a reason.
//!
//! Nothing here moves a ladder. Whoever is made to tick a step has done no more than that.

use crate::course::Course;
use crate::event::{Event, Responder};
use crate::plan::StepId;
use crate::private::Private;
use crate::rejection::Rejection;

impl Course<'_> {
    /// Somebody took a step, or says why it was not taken. What was passed over may still be done; what is done stays done.
    pub(crate) fn take_step(&mut self, by: &Responder, step: StepId, skipped: Option<&Private>) -> Result<(), Rejection> {
        let Some(followed) = self.act.followed.as_deref() else {
            return Err(Rejection::NoPlan(self.id()));
        };
        if followed.plan.step(step).is_none() {
            return Err(Rejection::NoSuchStep { activation: self.id(), step });
        }
        if followed.is_done(step) || (skipped.is_some() && followed.is_settled(step)) {
            return Err(Rejection::StepTaken { activation: self.id(), step });
        }
        let event = Event::StepTaken { act: self.id(), by: by.clone(), plan: followed.plan.id.clone(), step, skipped: skipped.cloned() };
        self.push(event);
        Ok(())
    }

    /// A call is not closed while a required step is neither taken nor passed over for a reason.
    pub(crate) fn must_have_followed(&self) -> Result<(), Rejection> {
        let left = self.act.followed.as_ref().map(|followed| followed.left()).unwrap_or_default();
        if left.is_empty() { Ok(()) } else { Err(Rejection::PlanUnfinished { activation: self.id(), left }) }
    }
}
