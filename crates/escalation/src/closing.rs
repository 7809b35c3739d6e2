//! Closing: with a disposition, and where its site asks for more, not on one person's word.
//!
//! Somebody who is made to say that all is well is one person. Saying so proposes to close and closes nothing; a second human, one
//! who stands there, or a reference that the police gave is what a guarded call is closed on.

use crate::acknowledgement::Disposition;
use crate::activation::Check;
use crate::course::Course;
use crate::directory::CloseGuard;
use crate::dispatch::Purpose;
use crate::event::{Doer, Event};
use crate::private::Private;
use crate::rejection::Rejection;
use crate::time::Seconds;

/// A closed activation stays in memory this long, so that late answers are told so (mechanisms, "Rooms meeting"); the
/// earliest of a thousand leave sooner.
const ARCHIVE_AFTER: Seconds = Seconds(86_400);

impl Course<'_> {
    /// Somebody says that it is over. Nothing is stopped by it.
    pub(crate) fn say_safe(&mut self, doer: &Doer) {
        let by = self.engine.responder(doer);
        let there = |check| match check {
            Check::Heard | Check::Asked => true,
            Check::Silent | Check::Over => false,
        };
        let eyes_on = self.act.arrivals.iter().any(|arrival| there(arrival.check) && arrival.by.is(&by));
        let event = Event::SaidSafe { act: self.id(), by, eyes_on };
        self.push(event);
    }

    /// Ends it, and tells everyone alarmed.
    pub(crate) fn close(&mut self, doer: &Doer, disposition: Disposition, note: Option<&Private>) -> Result<(), Rejection> {
        if self.is_guarded() && !self.is_borne_out(doer) {
            return Err(Rejection::CloseGuarded(self.id()));
        }
        let event = Event::Closed {
            act: self.id(),
            by: doer.clone(),
            disposition,
            note: note.cloned(),
            count: self.act.entries.saturating_add(1),
            archive_at: ARCHIVE_AFTER.after(self.now),
        };
        self.push(event);
        self.stand_down();
        Ok(())
    }

    fn is_guarded(&self) -> bool {
        match self.act.guard {
            CloseGuard::Off => false,
            CloseGuard::AfterCancel => self.act.cancel_asked || self.act.police.is_some(),
            CloseGuard::Always => true,
        }
    }

    fn is_borne_out(&self, closer: &Doer) -> bool {
        let second = |doer: &Doer| doer.is_told_apart_from(closer);
        let said = self.act.said_safe.iter().any(|said| said.eyes_on || said.by.doer.as_deref().is_some_and(second));
        said || self.act.police.as_ref().is_some_and(|police| police.referenced)
    }

    /// Everyone alarmed is told once that it is over, by the channel that reached them.
    fn stand_down(&mut self) {
        for (to, medium) in self.alarmed() {
            self.owe(to, medium, Purpose::StandDown, None);
        }
    }
}
