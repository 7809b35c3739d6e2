//! What each event does to an activation, and which can follow what is there.

use super::{
    Activation, Arrival, Attempt, AttemptState, Chase, Check, Claim, Closing, Companion, Hold, Offer, Police, Progress, Promise, Pursuit,
    SaidSafe, Told,
};
use crate::acknowledgement::Commitment;
use crate::dispatch::{Purpose, Report};
use crate::event::{CoResponder, ContactSkip, Doer, DrillEnd, Event, HoldEnd, Lapse, Party, Repeat, Responder};
use crate::id::{Digest, KeyId};
use crate::ladder::{RungIndex, Who};
use crate::plan::StepId;
use crate::police::Threshold;
use crate::time::Timestamp;
use crate::word::{Given, Word};

/// Of so many messages of earlier rounds a receipt is waited for, so that a night of rounds does not pile up.
const RECEIPTS_MAX: usize = 32;

impl Activation {
    /// Takes one event of this activation. Infallible; what makes no sense returns `false` and changes nothing but the count.
    pub(crate) fn apply(&mut self, at: Timestamp, event: &Event) -> bool {
        self.entries = self.entries.saturating_add(1);
        if !self.can_take(event) {
            return false;
        }
        self.in_earnest |= is_in_earnest(event);
        match event {
            Event::PressedAgain { presses, how, signal, .. } => self.on_pressed_again(at, *presses, *how, signal.payload_sha256),
            Event::CancelAsked { .. } => self.cancel_asked = true,
            Event::AskedFirst { until, parties, need, .. } => {
                self.need = self.need.max(need.unwrap_or(1));
                self.progress = Progress::Climb { rung: None, until: *until };
                self.pursue(parties);
            }
            Event::RungEntered { rung, until, parties, need, .. } => self.on_rung(*rung, *until, parties, *need),
            Event::ContactPassedOver { rung, who, why, .. } => self.on_passed_over(*rung, who, *why),
            Event::DispatchQueued { dispatch, to, medium, purpose, pursuit, code, key, .. } => {
                self.tell_under(*key);
                let (to_whom, state) = (to.clone(), AttemptState::Owed);
                let attempt = Attempt { to: to_whom, medium: *medium, purpose: *purpose, pursuit: *pursuit, state };
                self.on_queued(at, *dispatch, attempt);
                if let (Some(code), Some(contact)) = (code, to.contact()) {
                    self.codes.insert(contact, *code);
                }
            }
            Event::DispatchReported { dispatch, report, receipt_by, .. } => self.on_reported(*dispatch, report, *receipt_by),
            Event::ReceiptOverdue { dispatch, .. } => self.on_overdue(*dispatch),
            Event::Accepted { by, commitment, arrive_by, climb_on, .. } => self.on_accepted(at, by, *commitment, *arrive_by, *climb_on),
            // Older entries name no time: whoever is needed is asked at once.
            Event::Joined { by, commitment, far, arrive_by, .. } => self.on_joined(at, by, *commitment, arrive_by.unwrap_or(at), *far),
            Event::Arrived { by, ask_at, silent_at, .. } => self.on_arrived(at, by, *ask_at, *silent_at),
            Event::SafetyAsked { arrival, silent_at, .. } => self.on_checked(*arrival, Check::Asked, Some(*silent_at)),
            Event::FellSilent { arrival, .. } => self.on_checked(*arrival, Check::Silent, None),
            Event::PoliceNeeded { threshold, ring_by, .. } => self.on_police_needed(at, *threshold, *ring_by),
            Event::PoliceUnrung { told, next, .. } => self.on_police_unrung(*told, *next),
            Event::PoliceRung { threshold, called_by, reference, .. } => {
                self.on_police_rung(at, *threshold, called_by.is_some() && reference.is_some());
            }
            Event::StepTaken { step, skipped, .. } => self.on_step(*step, skipped.is_some()),
            Event::SaidSafe { by, eyes_on, with_word, .. } => self.on_said_safe(by, *eyes_on, *with_word),
            Event::WordJudged { word, heed_at, .. } => self.on_word(*word, *heed_at),
            Event::WordHeeded { .. } => self.on_heeded(),
            Event::Declined { by, rests_until, .. } => self.on_declined(by, *rests_until),
            Event::CommitmentQuestioned { grace_until, whose, .. } => self.on_questioned(whose.as_ref(), *grace_until),
            Event::CommitmentLapsed { whose: Some(whose), .. } => self.joined.retain(|joined| joined.answer != whose.answer),
            Event::CommitmentLapsed { why, whose: None, .. } => self.on_lapsed(at, *why),
            Event::Claimed { by, lapses_at, .. } => self.on_claimed(by, *lapses_at),
            Event::ClaimLapsed { .. } => self.on_unclaimed(),
            Event::Held { until, .. } => self.on_held(at, *until),
            Event::HoldEnded { why, .. } => self.on_hold_ended(at, *why),
            Event::HandOverOffered { to, until, .. } => self.offer = Some(Box::new(Offer::new(to, *until))),
            Event::HandOverEnded { lapses_at, .. } => self.on_hand_over_ended(*lapses_at),
            Event::Escalated { .. } => self.on_escalated(),
            Event::Exhausted { next, .. } => {
                self.progress = Progress::Rounds { round: 0, next: *next, next_everyone: *next, everyone: 0 };
            }
            Event::RoundStarted { round, everyone, next, next_everyone, parties, .. } => {
                self.on_round(*round, *everyone, *next, *next_everyone, parties);
            }
            Event::Closed { by, disposition, archive_at, drill, .. } => {
                self.on_closed(Closing { by: by.clone(), at, disposition: *disposition, archive_at: *archive_at }, *drill);
            }
            Event::Reopened { .. } => self.on_reopened(at),
            Event::AnswerSetAside { pauses_until: Some(until), .. } => self.on_paused(*until),
            Event::AnswerSetAside { pauses_until: None, .. }
            | Event::RungPassedOver { .. }
            | Event::NoteAdded { .. }
            | Event::TestAnswered { .. }
            | Event::Archived { .. } => {}
            Event::Raised(_)
            | Event::StationStarted { .. }
            | Event::ClockStepped { .. }
            | Event::RecordLost { .. }
            | Event::RecordFound {}
            | Event::Ticked { .. }
            | Event::SignedBy { .. }
            | Event::CheckpointAnchored { .. }
            | Event::DirectoryAdopted { .. }
            | Event::PersonVersioned { .. }
            | Event::TroubleRaised { .. }
            | Event::TroubleCleared { .. }
            | Event::TroubleTold { .. }
            | Event::TroubleAnswered { .. }
            | Event::TroubleOver { .. }
            | Event::TestStarted { .. }
            | Event::TestEnded { .. }
            | Event::OutOfService { .. }
            | Event::InService { .. }
            | Event::StandInSaid { .. }
            | Event::StandInOver { .. }
            | Event::DeskArmed { .. }
            | Event::DeskUnarmed { .. }
            | Event::DrillMissed { .. }
            | Event::DeviceReported { .. }
            | Event::BundleExported { .. }
            | Event::RegisterExported { .. }
            | Event::Erased { .. }
            | Event::LegalHoldSet { .. }
            | Event::Viewed(_) => return false,
        }
        true
    }

    /// Somebody is told under a key of the station: their codes and links mean something under that one alone.
    fn tell_under(&mut self, key: Option<KeyId>) {
        if let Some(key) = key.filter(|key| !self.keys.contains(key)) {
            self.keys.reserve_exact(1);
            self.keys.push(key);
        }
    }

    /// Whether an event can follow what is here. One that cannot is a fault of the program or of its record.
    fn can_take(&self, event: &Event) -> bool {
        match event {
            Event::PressedAgain { .. } | Event::AnswerSetAside { .. } | Event::NoteAdded { .. } => true,
            Event::CancelAsked { .. }
            | Event::AskedFirst { .. }
            | Event::RungEntered { .. }
            | Event::RungPassedOver { .. }
            | Event::ContactPassedOver { .. }
            | Event::Accepted { .. }
            | Event::Declined { .. }
            | Event::Arrived { .. }
            | Event::PoliceNeeded { .. }
            | Event::PoliceRung { .. }
            | Event::SaidSafe { .. }
            | Event::WordJudged { .. }
            | Event::Claimed { .. }
            | Event::Escalated { .. }
            | Event::Exhausted { .. }
            | Event::TestAnswered { .. }
            | Event::Closed { .. } => self.is_open(),
            Event::CommitmentQuestioned { whose: Some(whose), .. } | Event::CommitmentLapsed { whose: Some(whose), .. } => {
                self.joined.iter().any(|joined| joined.answer == whose.answer)
            }
            Event::Joined { .. } | Event::CommitmentQuestioned { whose: None, .. } | Event::CommitmentLapsed { whose: None, .. } => {
                self.promise.is_some()
            }
            Event::SafetyAsked { arrival, .. } => self.check_of(*arrival) == Some(Check::Heard),
            Event::FellSilent { arrival, .. } => self.check_of(*arrival) == Some(Check::Asked),
            Event::PoliceUnrung { .. } => self.police.as_ref().is_some_and(|police| police.rung_at.is_none()),
            Event::ClaimLapsed { .. } | Event::Held { .. } | Event::HandOverOffered { .. } => self.claim.is_some(),
            Event::HoldEnded { .. } => self.hold.is_some(),
            Event::HandOverEnded { .. } => self.offer.is_some(),
            Event::StepTaken { step, .. } => {
                self.is_open() && self.followed.as_ref().is_some_and(|followed| followed.plan.step(*step).is_some())
            }
            Event::WordHeeded { .. } => self.word.as_ref().is_some_and(|given| given.heed_at.is_some()),
            Event::RoundStarted { .. } => self.is_open() && matches!(self.progress, Progress::Rounds { .. }),
            Event::DispatchQueued { dispatch, .. } => *dispatch == self.dispatches.saturating_add(1),
            Event::DispatchReported { dispatch, .. } => (1..=self.dispatches).contains(dispatch),
            Event::ReceiptOverdue { dispatch, .. } => {
                self.attempts.get(dispatch).is_some_and(|a| matches!(a.state, AttemptState::Accepted(Some(_))))
            }
            Event::Archived { .. } | Event::Reopened { .. } => self.closing.is_some(),
            Event::Raised(_)
            | Event::StationStarted { .. }
            | Event::ClockStepped { .. }
            | Event::RecordLost { .. }
            | Event::RecordFound {}
            | Event::Ticked { .. }
            | Event::SignedBy { .. }
            | Event::CheckpointAnchored { .. }
            | Event::DirectoryAdopted { .. }
            | Event::PersonVersioned { .. }
            | Event::TroubleRaised { .. }
            | Event::TroubleCleared { .. }
            | Event::TroubleTold { .. }
            | Event::TroubleAnswered { .. }
            | Event::TroubleOver { .. }
            | Event::TestStarted { .. }
            | Event::TestEnded { .. }
            | Event::OutOfService { .. }
            | Event::InService { .. }
            | Event::StandInSaid { .. }
            | Event::StandInOver { .. }
            | Event::DeskArmed { .. }
            | Event::DeskUnarmed { .. }
            | Event::DrillMissed { .. }
            | Event::DeviceReported { .. }
            | Event::BundleExported { .. }
            | Event::RegisterExported { .. }
            | Event::Erased { .. }
            | Event::LegalHoldSet { .. }
            | Event::Viewed(_) => false,
        }
    }

    fn on_overdue(&mut self, dispatch: u32) {
        if let Some(attempt) = self.attempts.get_mut(&dispatch) {
            attempt.state = attempt.state.max(AttemptState::Overdue);
        }
    }

    /// What is over asks for nothing any more.
    fn on_closed(&mut self, closing: Closing, ended: Option<DrillEnd>) {
        if let Some(drill) = &mut self.drill {
            drill.ended = ended;
        }
        self.closing = Some(Box::new(closing));
        self.promise = None;
        self.on_unclaimed();
        self.arrivals = Vec::new();
        self.pursuits = Vec::new();
        self.latest = 0;
        if let Some(given) = &mut self.word {
            given.heed_at = None;
        }
    }

    fn on_step(&mut self, step: StepId, skipped: bool) {
        if let Some(followed) = &mut self.followed {
            followed.take(step, skipped);
        }
    }

    fn on_said_safe(&mut self, by: &Responder, eyes_on: bool, with_word: bool) {
        let disproved = with_word && !self.word.as_ref().is_some_and(|given| given.is_safe());
        self.said_safe.retain(|said| !said.by.is(by));
        self.said_safe.push(SaidSafe { by: Companion::new(by, Commitment::Going), eyes_on, disproved });
    }

    /// A twin stays: whoever is made to give it may be made to give the other one as well.
    fn on_word(&mut self, word: Word, heed_at: Timestamp) {
        let twin = word == Word::Duress || self.word.as_ref().is_some_and(|given| given.word == Word::Duress);
        let word = if twin { Word::Duress } else { word };
        self.word = Some(Box::new(Given { word, outdated: false, heed_at: Some(heed_at) }));
    }

    /// Whether anybody's commitment or hold stands in the way of a twin is over.
    fn on_heeded(&mut self) {
        if let Some(given) = &mut self.word {
            given.heed_at = None;
        }
        if self.word.as_ref().is_some_and(|given| given.word == Word::Duress) {
            self.on_escalated();
        }
    }

    /// Who had committed to a call that was over has not committed to this one.
    fn on_reopened(&mut self, at: Timestamp) {
        self.closing = None;
        self.joined = Vec::new();
        self.need = 1;
        self.said_safe = Vec::new();
        if let Some(followed) = &mut self.followed {
            followed.begin_again();
        }
        if let Some(given) = &mut self.word {
            given.outdated = true;
        }
        self.progress = Progress::Climb { rung: None, until: at };
        self.let_go_of_attempts();
    }

    fn on_claimed(&mut self, by: &Doer, lapses_at: Timestamp) {
        self.offer = self.offer.take().filter(|offer| !offer.is_to(by));
        self.claim = Some(Box::new(Claim { by: by.clone(), lapses_at }));
    }

    /// What an owner has bought or offered is theirs alone.
    fn on_unclaimed(&mut self) {
        self.claim = None;
        self.hold = None;
        self.offer = None;
    }

    fn on_held(&mut self, at: Timestamp, until: Timestamp) {
        self.hold = Some(Box::new(Hold { since: at, until }));
        self.holds = self.holds.saturating_add(1);
    }

    fn on_lapsed(&mut self, at: Timestamp, why: Lapse) {
        self.promise = None;
        match why {
            Lapse::PressedAgain => self.pace_mut().resumed_at = Some(at),
            Lapse::NoAnswer | Lapse::VerifyingOver | Lapse::Withdrawn | Lapse::FellSilent => {}
        }
    }

    fn on_hold_ended(&mut self, at: Timestamp, why: HoldEnd) {
        self.hold = None;
        match why {
            HoldEnd::PressedAgain => self.pace_mut().resumed_at = Some(at),
            HoldEnd::TimeOver | HoldEnd::CommitmentEnded | HoldEnd::HandOverUnanswered => {}
        }
    }

    fn on_hand_over_ended(&mut self, lapses_at: Timestamp) {
        self.offer = None;
        if let Some(claim) = &mut self.claim {
            claim.lapses_at = lapses_at;
        }
    }

    /// Somebody wants the climb to go on, whoever held it.
    fn on_escalated(&mut self) {
        self.hold = None;
        if let Some(promise) = &mut self.promise {
            promise.climb_on = true;
        }
    }

    fn on_rung(&mut self, rung: RungIndex, until: Timestamp, parties: &[Party], need: Option<u16>) {
        self.need = self.need.max(need.unwrap_or(1));
        self.holds = 0;
        self.progress = Progress::Climb { rung: Some(rung), until };
        self.pursue(parties);
    }

    fn on_round(&mut self, round: u32, everyone: bool, next: Timestamp, next_everyone: Timestamp, parties: &[Party]) {
        let before = match self.progress {
            Progress::Rounds { everyone, .. } => everyone,
            Progress::Climb { .. } => 0,
        };
        let everyone = before.saturating_add(u32::from(everyone));
        self.progress = Progress::Rounds { round, next, next_everyone, everyone };
        self.let_go_of_attempts();
        self.pursue(parties);
    }

    fn on_paused(&mut self, until: Timestamp) {
        self.paused = true;
        match &mut self.progress {
            Progress::Climb { until: waits, .. } => *waits = until.max(*waits),
            Progress::Rounds { .. } => {}
        }
    }

    fn on_pressed_again(&mut self, at: Timestamp, presses: u32, how: Repeat, payload: Option<Digest>) {
        self.presses = presses;
        match how {
            Repeat::Redelivered => return,
            Repeat::SameGesture => {}
            Repeat::Again => self.gesture_at = at,
        }
        self.pace_mut().press(at);
        // Whoever said before that it is over did not know of this press.
        self.said_safe = Vec::new();
        if let Some(given) = &mut self.word {
            given.outdated = true;
        }
        self.last_press_at = at;
        self.payload = payload;
    }

    /// Whoever had committed before, and is somebody else, stays on as a co-responder.
    fn on_accepted(&mut self, at: Timestamp, by: &Responder, commitment: Commitment, arrive_by: Timestamp, climb_on: bool) {
        self.joined.retain(|joined| !joined.by.is(by));
        if let Some(before) = self.promise.take()
            && !before.by.is(by)
        {
            self.joined.push(*before);
        }
        let promise = self.promise_of(at, by, commitment, arrive_by, climb_on);
        match commitment {
            Commitment::Verifying => self.verified.push(promise.by.clone()),
            Commitment::Going => {}
        }
        self.promise = Some(Box::new(promise));
    }

    fn on_joined(&mut self, at: Timestamp, by: &Responder, commitment: Commitment, arrive_by: Timestamp, far: bool) {
        self.joined.retain(|joined| !joined.by.is(by));
        let promise = self.promise_of(at, by, commitment, arrive_by, far);
        self.joined.push(promise);
    }

    fn on_questioned(&mut self, whose: Option<&CoResponder>, grace_until: Timestamp) {
        let asked = match whose {
            None => self.promise.as_deref_mut(),
            Some(whose) => self.joined.iter_mut().find(|joined| joined.answer == whose.answer),
        };
        if let Some(promise) = asked {
            promise.grace_until = Some(grace_until);
        }
    }

    /// What the present entry commits somebody to.
    fn promise_of(&self, at: Timestamp, by: &Responder, commitment: Commitment, arrive_by: Timestamp, climb_on: bool) -> Promise {
        let by = Companion::new(by, commitment).at_a_distance(climb_on);
        Promise { by, commitment, since: at, arrive_by, grace_until: None, climb_on, answer: self.entries.saturating_sub(1) }
    }

    fn pursue(&mut self, parties: &[Party]) {
        self.latest = self.pursuits.len();
        self.pursuits.extend(parties.iter().map(|party| Pursuit { party: party.clone(), step: 0, state: Chase::Trying }));
    }

    /// Rounds go on without end, so what can no longer change anything is let go here; and a ladder that begins anew counts its
    /// pursuits from the first again. A receipt that was promised is still recorded when it comes, of the latest messages at least:
    /// that a phone had it is evidence, however late.
    fn let_go_of_attempts(&mut self) {
        self.pursuits = Vec::new();
        let is_promised = |state| matches!(state, AttemptState::Accepted(Some(_)) | AttemptState::Overdue);
        let promised = self.attempts.values().filter(|attempt| is_promised(attempt.state)).count();
        let mut too_many = promised.saturating_sub(RECEIPTS_MAX);
        self.attempts.retain(|_, a| match a.state {
            AttemptState::Owed => true,
            AttemptState::Accepted(Some(_)) | AttemptState::Overdue => {
                let is_too_old = too_many > 0;
                too_many = too_many.saturating_sub(1);
                !is_too_old
            }
            AttemptState::Accepted(None) | AttemptState::Delivered | AttemptState::Lost => false,
        });
        for attempt in self.attempts.values_mut() {
            attempt.pursuit = None;
        }
    }

    /// Whoever is named twice on a rung is over by each naming for itself: the channels of the other are still tried.
    fn on_passed_over(&mut self, rung: RungIndex, who: &Who, why: ContactSkip) {
        let theirs = |pursuit: &Pursuit| pursuit.party.who == *who && pursuit.party.rung == rung;
        if why != ContactSkip::AllChannelsFailed {
            for pursuit in self.pursuits.iter_mut().filter(|pursuit| theirs(pursuit)) {
                pursuit.state = Chase::Over(why);
            }
            return;
        }
        let spent = self.pursuits.iter().enumerate().position(|(index, pursuit)| {
            let index = u16::try_from(index).unwrap_or(u16::MAX);
            let is_last = usize::from(pursuit.step) + 1 >= pursuit.party.steps.len();
            theirs(pursuit) && pursuit.state == Chase::Trying && is_last && !self.step_is_alive(index, pursuit.step)
        });
        if let Some(pursuit) = spent.and_then(|index| self.pursuits.get_mut(index)) {
            pursuit.state = Chase::Over(why);
        }
    }

    fn on_queued(&mut self, at: Timestamp, number: u32, attempt: Attempt) {
        self.dispatches = self.dispatches.max(number);
        if let Some((pursuit, step)) = attempt.pursuit
            && let Some(pursuit) = self.pursuits.get_mut(usize::from(pursuit))
        {
            pursuit.step = step;
        }
        match attempt.purpose {
            Purpose::Alarm | Purpose::AlarmAgain | Purpose::AskFirst | Purpose::AskKeeper | Purpose::AskTester => {
                let alarms = self.told.get(&attempt.to).map_or(0, |told| told.alarms).saturating_add(1);
                // What is said later of a call that somebody knows of is written: nobody is rung for a stand-down.
                self.told.insert(
                    attempt.to.clone(),
                    Told { medium: attempt.medium.in_writing(), alarms, as_tester: attempt.purpose == Purpose::AskTester },
                );
            }
            Purpose::PressedAgain => self.pressed_again_told_at = Some(at),
            Purpose::NothingAcknowledged | Purpose::WhichAlarm | Purpose::AlreadyClosed => {
                if let Some(contact) = attempt.to.contact() {
                    self.answered_at.insert(contact, at);
                }
            }
            Purpose::Confirmed
            | Purpose::NotATest
            | Purpose::Declined
            | Purpose::SomeoneGoing
            | Purpose::StillGoing
            | Purpose::AreYouSafe
            | Purpose::ColleagueSilent
            | Purpose::RingPolice
            | Purpose::HasAnyoneRung
            | Purpose::StandDown
            | Purpose::Trouble
            | Purpose::TroubleAgain
            | Purpose::TroubleTaken
            | Purpose::TroubleOver => {}
        }
        self.attempts.insert(number, attempt);
    }

    fn on_reported(&mut self, number: u32, report: &Report, receipt_by: Option<Timestamp>) {
        let Some(attempt) = self.attempts.get_mut(&number) else {
            return;
        };
        let state = match report {
            Report::AcceptedReceiptDue | Report::Accepted => AttemptState::Accepted(receipt_by),
            Report::Delivered => AttemptState::Delivered,
            Report::Undelivered { .. } | Report::Failed(_) => AttemptState::Lost,
        };
        let lost = state == AttemptState::Lost && attempt.state != AttemptState::Lost;
        attempt.state = attempt.state.max(state);
        if lost
            && attempt.purpose.is_alarm()
            && let Some(told) = self.told.get_mut(&attempt.to)
        {
            told.alarms = told.alarms.saturating_sub(1);
        }
    }

    /// Said once more it moves no deadline; a reason that is given later is kept.
    fn on_police_needed(&mut self, at: Timestamp, threshold: Option<Threshold>, next: Timestamp) {
        let before = self.police.unwrap_or(Police { since: at, threshold, asked: 0, told: false, rung_at: None, referenced: false, next });
        self.police = Some(Police { threshold: threshold.or(before.threshold), ..before });
    }

    fn on_police_unrung(&mut self, told: bool, next: Timestamp) {
        self.police = self.police.map(|police| Police { asked: police.asked.saturating_add(1), told, next, ..police });
    }

    fn on_police_rung(&mut self, at: Timestamp, threshold: Option<Threshold>, referenced: bool) {
        self.on_police_needed(at, threshold, at);
        self.police = self.police.map(|police| Police {
            rung_at: police.rung_at.or(Some(at)),
            referenced: police.referenced || referenced,
            ..police
        });
    }

    fn check_of(&self, arrival: u16) -> Option<Check> {
        self.arrivals.get(usize::from(arrival)).map(|arrival| arrival.check)
    }

    fn on_arrived(&mut self, at: Timestamp, by: &Responder, ask_at: Timestamp, silent_at: Timestamp) {
        let committed = self.promise.as_deref_mut().into_iter().chain(&mut self.joined);
        for promise in committed.filter(|promise| promise.by.is(by)) {
            promise.by.far = false;
        }
        match self.arrivals.iter_mut().find(|arrival| arrival.by.is(by)) {
            Some(there) => {
                there.ask_at = ask_at;
                there.silent_at = silent_at;
                there.check = Check::Heard;
            }
            None => self.arrivals.push(Arrival::new(Companion::new(by, Commitment::Going), at, ask_at, silent_at)),
        }
        // Nobody has gone to a place of danger: nobody is looked for there.
        if self.is_drill() {
            self.arrivals.iter_mut().for_each(|arrival| arrival.check = Check::Over);
        }
    }

    fn on_checked(&mut self, arrival: u16, check: Check, silent_at: Option<Timestamp>) {
        if let Some(arrival) = self.arrivals.get_mut(usize::from(arrival)) {
            arrival.check = check;
            arrival.silent_at = silent_at.unwrap_or(arrival.silent_at);
        }
    }

    fn on_declined(&mut self, by: &Responder, rests_until: Timestamp) {
        self.joined.retain(|joined| !joined.by.is(by));
        for arrival in self.arrivals.iter_mut().filter(|arrival| arrival.by.is(by)) {
            arrival.check = Check::Over;
        }
        if self.promise.as_ref().is_some_and(|p| p.by.is(by)) {
            self.promise = None;
        }
        let Some(person) = by.person else { return };
        self.resting.insert(person.person, rests_until);
        for pursuit in &mut self.pursuits {
            if pursuit.party.who == Who::Person(person.person) {
                pursuit.state = Chase::Over(ContactSkip::Resting);
            }
        }
    }
}

/// Whether somebody says in their own words that it is real, or opens it again.
fn is_in_earnest(event: &Event) -> bool {
    matches!(
        event,
        Event::PressedAgain { by: Some(_), .. }
            | Event::PoliceNeeded { .. }
            | Event::PoliceRung { .. }
            | Event::WordJudged { .. }
            | Event::Escalated { .. }
            | Event::Reopened { .. }
    )
}
