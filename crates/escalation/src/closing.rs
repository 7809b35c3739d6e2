//! Closing: with a disposition, and where its site asks for more, not on one person's word.
//!
//! Somebody who is made to say that all is well is one person. Saying so proposes to close and closes nothing; a second human, one
//! who stands there, a reference that the police gave, or the safe word of the place is what a guarded call is closed on. Whoever may be
//! watched where the button is closes nothing once a word was given, whichever it was: the centre does.

use crate::acknowledgement::Disposition;
use crate::activation::Check;
use crate::course::Course;
use crate::directory::CloseGuard;
use crate::dispatch::Purpose;
use crate::event::{Doer, Event};
use crate::private::Private;
use crate::rejection::Rejection;
use crate::time::Seconds;
use crate::word::{Entered, Given, Word};

/// A closed activation stays in memory this long, so that late answers are told so (mechanisms, "Rooms meeting"); the
/// earliest of a thousand leave sooner.
pub(crate) const ARCHIVE_AFTER: Seconds = Seconds(86_400);

impl Course<'_> {
    /// Somebody says that it is over. Nothing is stopped by it.
    pub(crate) fn say_safe(&mut self, doer: &Doer, word: Option<&Entered>) {
        // Of a drill the twin is a call of its own; what stands still for it is none.
        if let Some(word) = word.filter(|_| !self.act.is_drill()) {
            self.judge(word.word());
        }
        let by = self.engine.responder(doer);
        let there = |check| match check {
            Check::Heard | Check::Asked => true,
            Check::Silent | Check::Over => false,
        };
        let eyes_on = self.act.arrivals.iter().any(|arrival| there(arrival.check) && arrival.by.is(&by));
        let event = Event::SaidSafe { act: self.id(), by, eyes_on, with_word: word.is_some() };
        self.push(event);
    }

    /// Ends it, and tells everyone alarmed.
    pub(crate) fn close(
        &mut self,
        doer: &Doer,
        at_the_place: bool,
        disposition: Disposition,
        note: Option<&Private>,
    ) -> Result<(), Rejection> {
        if self.act.is_drill() && disposition != Disposition::Test {
            return Err(Rejection::DrillIsATest(self.id()));
        }
        if at_the_place && self.act.word.is_some() {
            return Err(Rejection::WordGiven(self.id()));
        }
        if self.is_guarded() && !self.is_borne_out(doer) {
            return Err(Rejection::CloseGuarded(self.id()));
        }
        self.must_have_followed()?;
        let event = Event::Closed {
            act: self.id(),
            by: doer.clone(),
            disposition,
            note: note.cloned(),
            drill: None,
            count: self.act.entries.saturating_add(1),
            archive_at: ARCHIVE_AFTER.after(self.now),
        };
        self.push(event);
        self.stand_down();
        if self.act.is_drill() {
            self.withdraw_calls();
        }
        Ok(())
    }

    /// Once a word was given only what it was can tell how much the rest is worth.
    fn is_guarded(&self) -> bool {
        if self.act.word.is_some() {
            return true;
        }
        match self.act.guard {
            CloseGuard::Off => false,
            CloseGuard::AfterCancel => self.act.cancel_asked || self.act.police.is_some(),
            CloseGuard::Always => true,
        }
    }

    fn is_borne_out(&self, closer: &Doer) -> bool {
        let seen = self.act.said_safe.iter().any(|said| said.eyes_on && !said.disproved);
        let seen = seen || self.act.police.as_ref().is_some_and(|police| police.referenced);
        let second = |doer: &Doer| doer.is_told_apart_from(closer);
        let said = || self.act.said_safe.iter().any(|said| !said.disproved && said.by.doer.as_deref().is_some_and(second));
        match self.act.word.as_deref() {
            // Whoever is forced gives names as readily as words: what counts is what others have seen.
            Some(Given { word: Word::Duress, .. }) => seen,
            Some(given) => seen || given.is_safe() || said(),
            None => seen || said(),
        }
    }

    /// Everyone alarmed is told once that it is over, by the channel that reached them.
    pub(crate) fn stand_down(&mut self) {
        for (to, medium) in self.alarmed() {
            self.owe(to, medium, Purpose::StandDown, None);
        }
    }
}
