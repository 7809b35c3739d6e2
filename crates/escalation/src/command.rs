//! Acts through the API. These callers can be told no, and are told why.

use crate::acknowledgement::{Commitment, DEFAULT_ETA, VERIFYING_HOLD};
use crate::activation::Progress;
use crate::course::Course;
use crate::engine::{Deed, Engine};
use crate::event::{AnsweredVia, Doer, Entry, Event, Responder};
use crate::id::PersonVersion;
use crate::input::{Act, Attribution, Command, EscalateTo};
use crate::ladder::RungIndex;
use crate::rejection::Rejection;
use crate::time::{Seconds, Timestamp};
use crate::trouble::Cause;

/// The longest ETA that is believed.
const ETA_MAX: Seconds = Seconds(86_400);

impl From<&Attribution> for Doer {
    fn from(by: &Attribution) -> Self {
        Self {
            principal: by.principal.clone(),
            actor: by.actor.clone(),
            actor_key: by.actor_key,
            person: by.person,
            idempotency: by.idempotency,
        }
    }
}

impl Deed {
    fn of(act: &Act) -> Self {
        match act {
            Act::Claim => Self::Claimed,
            Act::Hold { .. } => Self::Held,
            Act::HandOver { .. } => Self::HandedOver,
            Act::Accept { commitment, .. } => Self::Accepted(*commitment),
            Act::Decline => Self::Declined,
            Act::Arrived => Self::Arrived,
            Act::Police { rung: None, .. } => Self::PoliceNeeded,
            Act::Police { rung: Some(_), .. } => Self::PoliceRung,
            Act::Escalate { .. } => Self::Escalated,
            Act::Note { .. } => Self::Noted,
            Act::Close { disposition, .. } => Self::Closed(*disposition),
            Act::Reopen { .. } => Self::Reopened,
            Act::Safe { .. } => Self::SaidSafe,
            Act::TakeStep { step, skipped } => Self::StepTaken(*step, skipped.is_some()),
        }
    }
}

impl Engine {
    pub(crate) fn on_command(&self, now: Timestamp, command: &Command) -> Result<Vec<Event>, Rejection> {
        let doer = Doer::from(&command.by);
        if let Some(done) = doer.idempotency.and_then(|key| self.was_done(now, &doer.principal, key)) {
            let same = done.is(&command.activation, Deed::of(&command.act), &doer);
            return if same { Ok(Vec::new()) } else { Err(Rejection::KeyReused) };
        }
        let act = self.activation(&command.activation).ok_or_else(|| Rejection::UnknownActivation(command.activation.clone()))?;
        let mut course = Course::on(self, now, act);
        if let Some(closing) = &act.closing {
            return match &command.act {
                // Something remembered afterwards is an addendum; everything else comes too late.
                Act::Note { text } => {
                    course.push(Event::NoteAdded { act: act.id.clone(), by: doer, text: text.clone() });
                    Ok(course.events)
                }
                // A drill ends at moments that nobody foresees: whoever is made to give a word on it then is heard, whichever it is.
                Act::Safe { word: Some(word) } if act.is_drill() => Ok(self.forced_in_drill(now, act, word)),
                Act::Reopen { .. } if act.is_drill() => Err(Rejection::DrillIsATest(act.id.clone())),
                Act::Reopen { reason } => Ok(self.reopen(now, act, doer, reason)),
                Act::Claim
                | Act::Safe { .. }
                | Act::Hold { .. }
                | Act::HandOver { .. }
                | Act::Accept { .. }
                | Act::Decline
                | Act::Arrived
                | Act::Police { .. }
                | Act::TakeStep { .. }
                | Act::Escalate { .. }
                | Act::Close { .. } => Err(Rejection::AlreadyClosed { activation: act.id.clone(), at: closing.at }),
            };
        }
        course.act_on(&doer, command)?;
        course.renew_claim(&doer);
        if let Act::Safe { word: Some(word) } = &command.act
            && act.is_drill()
        {
            course.events.extend(self.forced_in_drill(now, act, word));
        }
        if !course.act.is_open() {
            // With the last call that the lost key left behind its trouble is over.
            if self.has_trouble(&Cause::KeyReplaced) && !self.is_stranded(self.key(), Some(&act.id)) {
                course.events.extend(self.trouble_cleared(&Cause::KeyReplaced));
            }
            course.events.extend(self.trouble_cleared(&Cause::Chatter { device: act.device.clone() }));
            course.events.extend(self.surplus(&act.customer));
        }
        Ok(course.events)
    }

    /// A caller as somebody who answers.
    pub(crate) fn responder(&self, doer: &Doer) -> Responder {
        let person = doer.person.and_then(|id| self.person(id).map(|p| PersonVersion { person: id, version: p.version }));
        Responder { person, contact: None, via: AnsweredVia::Api, by: Some(doer.clone()), text: None, provider_ref: None }
    }
}

impl Course<'_> {
    fn act_on(&mut self, doer: &Doer, command: &Command) -> Result<(), Rejection> {
        match &command.act {
            Act::Claim => self.claim(doer),
            Act::Hold { span, reason } => self.hold(doer, *span, reason),
            Act::HandOver { to } => self.hand_over(doer, to),
            Act::Accept { commitment, eta_s } => self.accept_through_api(doer, *commitment, *eta_s),
            Act::Decline => {
                let by = self.engine.responder(doer);
                self.decline(&by);
                Ok(())
            }
            Act::Arrived => {
                let by = self.engine.responder(doer);
                self.arrive(&by);
                Ok(())
            }
            Act::Police { threshold, rung } => {
                if self.act.is_drill() {
                    return Err(Rejection::OnlyADrill(self.id()));
                }
                let by = self.engine.responder(doer);
                match rung {
                    None => self.need_police(&by, *threshold),
                    Some(rung) => self.police_rung(&by, *threshold, Some(rung)),
                }
                Ok(())
            }
            Act::TakeStep { step, skipped } => {
                let by = self.engine.responder(doer);
                self.take_step(&by, command.at_the_place, *step, skipped.as_ref())
            }
            Act::Escalate { to } => self.escalate(doer, *to),
            Act::Safe { word } => {
                self.say_safe(doer, word.as_ref());
                Ok(())
            }
            Act::Reopen { .. } => Err(Rejection::NotClosed(self.id())),
            Act::Note { text } => {
                let event = Event::NoteAdded { act: self.id(), by: doer.clone(), text: text.clone() };
                self.push(event);
                Ok(())
            }
            Act::Close { disposition, note } => self.close(doer, command.at_the_place, *disposition, note.as_ref()),
        }
    }

    fn accept_through_api(&mut self, doer: &Doer, commitment: Commitment, eta_s: Option<Seconds>) -> Result<(), Rejection> {
        let by = self.engine.responder(doer);
        let eta = match commitment {
            Commitment::Going => eta_s.unwrap_or(DEFAULT_ETA),
            Commitment::Verifying if self.verifying_is_spent(&by) => {
                return Err(Rejection::VerifyingSpent);
            }
            Commitment::Verifying => VERIFYING_HOLD,
        };
        if eta.0 == 0 || eta > ETA_MAX {
            return Err(Rejection::ImplausibleEta);
        }
        self.accept(&by, commitment, eta);
        Ok(())
    }

    fn escalate(&mut self, doer: &Doer, to: EscalateTo) -> Result<(), Rejection> {
        let rungs = self.act.ladder.rungs.len();
        let current = match self.act.progress {
            Progress::Climb { rung, .. } => Some(rung),
            Progress::Rounds { .. } => None,
        };
        let target = match (to, current) {
            (EscalateTo::Rung(rung), _) if self.act.ladder.rung(rung).is_none() => {
                return Err(Rejection::NoSuchRung { activation: self.id(), rungs });
            }
            (EscalateTo::Rung(rung), Some(_)) => Some(rung),
            (EscalateTo::Next, Some(rung)) => Some(rung.map_or(RungIndex(0), RungIndex::next)),
            (EscalateTo::All, _) | (EscalateTo::Next | EscalateTo::Rung(_), None) => None,
        };
        let event = Event::Escalated { act: self.id(), by: doer.clone(), to: target };
        self.push(event);
        match (target, current) {
            (Some(rung), _) if matches!(to, EscalateTo::Rung(_)) => self.enter_named(rung),
            (Some(rung), _) => self.enter(rung, Entry::Escalated, &[]),
            (None, Some(_)) => self.enter_all(),
            (None, None) => self.start_round(true),
        }
        Ok(())
    }

    /// Everyone at once: the last rung, with every other one told beside it.
    fn enter_all(&mut self) {
        let last = u16::try_from(self.act.ladder.rungs.len().saturating_sub(1)).unwrap_or(u16::MAX);
        let others: Vec<RungIndex> = (0..last).map(RungIndex).collect();
        self.enter(RungIndex(last), Entry::Escalated, &others);
    }
}
