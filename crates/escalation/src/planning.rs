//! Following the action plan of a call: steps are ticked, or passed over for a reason.
//!
//! Nothing here moves a ladder. Whoever is made to tick a step has done no more than that.

use crate::course::Course;
use crate::event::{Event, Responder};
use crate::plan::{Part, StepId};
use crate::private::Private;
use crate::rejection::Rejection;

impl Course<'_> {
    /// Somebody took a step, or says why it was not taken. What was passed over may still be done; what is done stays done.
    /// Whoever may be watched where the button is takes no step of the centre's: nobody there can be made to tick what the centre
    /// then believes.
    pub(crate) fn take_step(
        &mut self,
        by: &Responder,
        at_the_place: bool,
        step: StepId,
        skipped: Option<&Private>,
    ) -> Result<(), Rejection> {
        let Some(followed) = self.act.followed.as_deref() else {
            return Err(Rejection::NoPlan(self.id()));
        };
        if followed.plan.step(step).is_none() {
            return Err(Rejection::NoSuchStep { activation: self.id(), step });
        }
        match step.part {
            Part::Centre if at_the_place => return Err(Rejection::CentresStep(self.id())),
            Part::Centre | Part::Responder => {}
        }
        if followed.is_done(step) || (skipped.is_some() && followed.is_settled(step)) {
            return Err(Rejection::StepTaken { activation: self.id(), step });
        }
        self.record_step(by, step, skipped);
        Ok(())
    }

    /// Whoever goes ticks a step on their page; one that a colleague has ticked before is said twice. `false` where it is no step
    /// of theirs.
    pub(crate) fn tick(&mut self, by: &Responder, number: u16) -> bool {
        let step = StepId { part: Part::Responder, number };
        let committed = self.act.committed().any(|promise| promise.by.is(by)) || self.act.has_arrived(by);
        let known = self.act.followed.as_ref().is_some_and(|followed| followed.plan.step(step).is_some());
        if committed && known {
            self.record_step(by, step, None);
        }
        committed && known
    }

    fn record_step(&mut self, by: &Responder, step: StepId, skipped: Option<&Private>) {
        let Some(followed) = self.act.followed.as_deref() else { return };
        let event = Event::StepTaken { act: self.id(), by: by.clone(), plan: followed.plan.id.clone(), step, skipped: skipped.cloned() };
        self.push(event);
    }

    /// A call is not closed while a required step is neither taken nor passed over for a reason.
    pub(crate) fn must_have_followed(&self) -> Result<(), Rejection> {
        let left = self.act.followed.as_ref().map(|followed| followed.left()).unwrap_or_default();
        if left.is_empty() { Ok(()) } else { Err(Rejection::PlanUnfinished { activation: self.id(), left }) }
    }
}
