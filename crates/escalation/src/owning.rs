//! Owning a call: an operator claims it, holds its climb for a stated time, and hands it over.
//!
//! Nothing here lasts by itself: a claim, a hold and an offer each end at a time that was said, and what ends leaves the ladder to
//! climb. Whoever is to take over has not done so until they say so themselves.

use crate::acknowledgement::CLAIM_LAPSE;
use crate::activation::{Chase, Hold, Offer, Progress, Pursuit};
use crate::course::Course;
use crate::event::{Doer, Entry, Event, HandOverEnd, HoldEnd, Successor};
use crate::private::Private;
use crate::rejection::Rejection;
use crate::time::{Seconds, Timestamp};

/// The longest that one hold quiets the people of a ladder (lifecycle, "What an answer does").
const HOLD_MAX: Seconds = Seconds(300);
/// So many holds in a row, while the ladder does not move (lifecycle, "What an answer does").
const HOLDS_MAX: u8 = 3;
/// Whoever is to take over has this long: half of what an owner's silence may last, so that whoever offered hears of it in time.
const TAKE_OVER_WITHIN: Seconds = Seconds(60);

impl Course<'_> {
    /// An operator takes ownership: where nobody has it, or where its owner has offered it to them.
    pub(crate) fn claim(&mut self, doer: &Doer) -> Result<(), Rejection> {
        match &self.act.claim {
            // The same owner's claim is renewed beside, like any act of theirs; said once more it takes an offer back.
            Some(claim) if claim.by.is_same_caller(doer) => {
                if self.act.offer.is_some() {
                    self.end_offer(HandOverEnd::TakenBack, claim.lapses_at);
                }
                Ok(())
            }
            Some(_) if !self.act.offer.as_ref().is_some_and(|offer| offer.is_to(doer)) => Err(Rejection::ClaimedByAnother(self.id())),
            Some(_) | None => {
                let event = Event::Claimed { act: self.id(), by: doer.clone(), lapses_at: self.claim_lapses_at() };
                self.push(event);
                Ok(())
            }
        }
    }

    /// Any act of the owner keeps the claim alive.
    pub(crate) fn renew_claim(&mut self, doer: &Doer) {
        let lapses_at = self.claim_lapses_at();
        let renews = self.act.claim.as_ref().is_some_and(|c| c.by.is_same_caller(doer) && c.lapses_at != lapses_at);
        if renews {
            let event = Event::Claimed { act: self.id(), by: doer.clone(), lapses_at };
            self.push(event);
        }
    }

    /// The owner buys time: the people of the ladder are left alone until then. The centre's own rung is answered by the claim.
    pub(crate) fn hold(&mut self, doer: &Doer, span: Seconds, reason: &Private) -> Result<(), Rejection> {
        self.must_own(doer)?;
        if span.0 == 0 || span > HOLD_MAX {
            return Err(Rejection::ImplausibleHold);
        }
        if self.act.holds >= HOLDS_MAX {
            return Err(Rejection::HoldsSpent);
        }
        match self.act.progress {
            // A press of which one person is asked is held back for its minute and no longer.
            Progress::Climb { .. } if self.act.asks_alone() => return Err(Rejection::NothingToHold(self.id())),
            Progress::Climb { .. } => {}
            // Everybody was told and nobody came: that is no time to be quiet.
            Progress::Rounds { .. } => return Err(Rejection::NothingToHold(self.id())),
        }
        let event = Event::Held { act: self.id(), by: doer.clone(), until: span.after(self.now), reason: reason.clone() };
        self.push(event);
        Ok(())
    }

    /// The owner names who is to take over. It stays theirs until the other one claims it.
    pub(crate) fn hand_over(&mut self, doer: &Doer, to: &Successor) -> Result<(), Rejection> {
        self.must_own(doer)?;
        let until = TAKE_OVER_WITHIN.after(self.now);
        if Offer::new(to, until).is_to(doer) {
            return Err(Rejection::AlreadyTheirs(self.id()));
        }
        let event = Event::HandOverOffered { act: self.id(), by: doer.clone(), to: to.clone(), until };
        self.push(event);
        Ok(())
    }

    /// The time that was bought is over. What was held back is done now: the next rung where its time has come, else whatever the
    /// people of this one can still be tried by.
    pub(crate) fn hold_over(&mut self) {
        self.end_hold(HoldEnd::TimeOver);
        if !self.act.is_running() {
            return;
        }
        let overdue = match self.act.progress {
            Progress::Climb { until, .. } => until <= self.now,
            Progress::Rounds { .. } => false,
        };
        if !overdue {
            self.try_what_failed_meanwhile();
            self.settle();
        }
    }

    /// Ends a hold, where there is one.
    pub(crate) fn end_hold(&mut self, why: HoldEnd) {
        if self.act.hold.is_some() {
            let event = Event::HoldEnded { act: self.id(), why };
            self.push(event);
        }
    }

    /// Nobody took over: it is still whose it was, for no longer than an owner may be silent, and a hold of somebody who was on
    /// their way out is over.
    pub(crate) fn hand_over_unanswered(&mut self) {
        let lapses_at = self.act.claim.as_ref().map_or(self.now, |claim| claim.lapses_at.min(CLAIM_LAPSE.after(self.now)));
        self.end_offer(HandOverEnd::Silence, lapses_at);
        if self.act.hold.is_some() {
            self.end_hold(HoldEnd::HandOverUnanswered);
            if self.act.is_running() {
                self.resume(Entry::Resumed);
            }
        }
    }

    fn end_offer(&mut self, why: HandOverEnd, lapses_at: Timestamp) {
        let event = Event::HandOverEnded { act: self.id(), why, lapses_at };
        self.push(event);
    }

    fn must_own(&self, doer: &Doer) -> Result<(), Rejection> {
        let owns = self.act.claim.as_ref().is_some_and(|claim| claim.by.is_same_caller(doer));
        if owns { Ok(()) } else { Err(Rejection::NotTheOwner(self.id())) }
    }

    /// An owner may be silent for as long as they said, and else for no longer than an owner may.
    fn claim_lapses_at(&self) -> Timestamp {
        let lapses_at = CLAIM_LAPSE.after(self.now);
        self.act.hold.as_deref().map_or(lapses_at, |Hold { until, .. }| lapses_at.max(*until))
    }

    /// A channel that came to nothing during a hold was left at that; its next step is tried now.
    fn try_what_failed_meanwhile(&mut self) {
        let stuck = |(index, pursuit): (usize, &Pursuit)| {
            let index = u16::try_from(index).ok()?;
            let dead = pursuit.state == Chase::Trying && !self.act.step_is_alive(index, pursuit.step);
            dead.then_some((index, pursuit.step))
        };
        let stuck: Vec<(u16, u16)> = self.act.latest_pursuits().filter_map(stuck).collect();
        for (pursuit, step) in stuck {
            self.try_step(pursuit, step.saturating_add(1));
        }
    }
}
