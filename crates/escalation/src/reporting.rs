//! What carriers report, and what deadlines bring.

use crate::acknowledgement::Commitment;
use crate::activation::{Activation, AttemptState, Check, Promise};
use crate::course::Course;
use crate::dispatch::{DeliveryReport, Purpose, Report};
use crate::engine::Engine;
use crate::event::{CoResponder, Entry, Event, HoldEnd, Lapse};
use crate::ladder::Medium;
use crate::time::{Seconds, Timestamp, Why, millis_between};

/// How long a promised receipt is waited for before the next channel (mechanisms, "Directory": SMS receipt 30 s).
const RECEIPT_WAIT: Seconds = Seconds(30);
/// How long a call may take until somebody has asked to hear it: 25 s of ringing, as set by default and 40 s at most, and the words
/// that ask. What ends earlier is reported when it ends.
const CALL_WAIT: Seconds = Seconds(75);
/// The least time to answer "still going?" (lifecycle: max(2 min, 20 % of the ETA)).
const GRACE_MIN: Seconds = Seconds(120);
/// How many deadlines of one activation one decision handles; a bound against a loop, far above what can be due together.
const DUE_MAX: usize = 256;

impl Engine {
    pub(crate) fn on_report(&self, now: Timestamp, report: &DeliveryReport) -> Vec<Event> {
        let Some(act) = self.activation(&report.dispatch.activation) else {
            return self.on_notice_report(now, report);
        };
        let known = act.attempts.get(&report.dispatch.number);
        let state = known.map(|a| a.state);
        // A status only moves up; the first word with the text is kept whatever its rank, because it says what was sent.
        let called = known.is_some_and(|a| a.medium == Medium::Voice);
        // A call that was listened to has reached somebody, however it ended.
        let was_heard = called && state == Some(AttemptState::Delivered);
        let moves_up = state.is_some_and(|state| rank(&report.report) > state) && !was_heard;
        if !(1..=act.dispatches).contains(&report.dispatch.number) || (!moves_up && report.text.is_none()) {
            return Vec::new();
        }
        let mut course = Course::on(self, now, act);
        let receipt_by = match report.report {
            Report::AcceptedReceiptDue if called => Some(CALL_WAIT.after(now)),
            Report::AcceptedReceiptDue => Some(RECEIPT_WAIT.after(now)),
            Report::Accepted | Report::Delivered | Report::Undelivered { .. } | Report::Failed(_) => None,
        };
        let event = Event::DispatchReported {
            act: course.id(),
            dispatch: report.dispatch.number,
            report: report.report.clone(),
            receipt_by,
            provider: report.provider.clone(),
            provider_ref: report.provider_ref.clone(),
            text: report.text.clone(),
            template: report.template.clone(),
            possible_duplicate: report.possible_duplicate,
            tries: report.tries,
        };
        course.push(event);
        let lost = matches!(report.report, Report::Undelivered { .. } | Report::Failed(_));
        if moves_up && lost {
            match known.and_then(|a| a.pursuit) {
                Some((pursuit, step)) => course.channel_failed(pursuit, step),
                None => course.centre_not_informed(report.dispatch.number),
            }
        }
        course.events
    }

    /// Handles everything due of one activation: the newest of those that are, so that after an outage the fresh ones go first.
    pub(crate) fn on_tick(&self, now: Timestamp) -> Vec<Event> {
        match self.newest_due(now) {
            Some(act) => {
                if let Some(events) = self.on_silence(now, act) {
                    return events;
                }
                let mut course = Course::on(self, now, act);
                course.catch_up();
                course.events
            }
            // Whoever is in danger goes first, however long the trouble lasts already.
            None => self.tell_of_troubles(now),
        }
    }
}

impl Course<'_> {
    fn catch_up(&mut self) {
        // What something else had held back is late only since that came due.
        let mut free_since = Timestamp::MIN;
        // What a drill still waited for is of no use once its time is over.
        if self.act.is_open() && self.act.drill.as_ref().is_some_and(|drill| drill.ends_at() <= self.now) {
            self.drill_over();
        }
        for _ in 0..DUE_MAX {
            match self.act.next_due() {
                Some((_, Why::Silence)) => return,
                Some((at, why)) if at <= self.now => {
                    free_since = free_since.max(at);
                    self.measure_lateness(free_since);
                    self.fall_due(at, why);
                    if why == Why::Archive {
                        return;
                    }
                }
                Some(_) | None => return,
            }
        }
    }

    fn fall_due(&mut self, at: Timestamp, why: Why) {
        match why {
            Why::Receipt => self.receipt_overdue(),
            Why::RungWait => match self.act.progress {
                crate::activation::Progress::Climb { rung, until } => self.wait_over(rung, until),
                crate::activation::Progress::Rounds { .. } => {}
            },
            Why::Arrival | Why::Grace => self.promise_due(at, why),
            Why::Police => self.police_unrung(),
            Why::Check => self.ask_whether_safe(),
            // The call for whoever fell silent is raised by a decision of its own; no activation waits to tell of a trouble.
            Why::Silence | Why::Trouble => {}
            Why::Hold => self.hold_over(),
            Why::HandOver => self.hand_over_unanswered(),
            Why::Word => self.heed_word(),
            Why::ClaimLapse => {
                let event = Event::ClaimLapsed { act: self.id() };
                self.push(event);
                self.inform_centres_passed();
            }
            Why::Round => self.start_round(false),
            Why::DrillOver => self.drill_over(),
            Why::Archive => {
                let event = Event::Archived { act: self.id() };
                self.push(event);
            }
        }
    }

    fn receipt_overdue(&mut self) {
        let now = self.now;
        let overdue = self.act.attempts.iter().find_map(|(number, attempt)| match attempt.state {
            AttemptState::Accepted(Some(due)) if due <= now => Some((*number, attempt.pursuit)),
            AttemptState::Accepted(_) | AttemptState::Owed | AttemptState::Overdue | AttemptState::Delivered | AttemptState::Lost => None,
        });
        let Some((dispatch, pursuit)) = overdue else {
            return;
        };
        let event = Event::ReceiptOverdue { act: self.id(), dispatch };
        self.push(event);
        if let Some((pursuit, step)) = pursuit {
            self.channel_failed(pursuit, step);
        }
    }

    /// Somebody's time is over: "verifying" ends, whoever is going is asked, and whoever was asked has not answered.
    pub(crate) fn promise_due(&mut self, at: Timestamp, why: Why) {
        let Some(promise) = self.act.promise_that_is((at, why)).cloned() else {
            return;
        };
        let whose = self.act.co_responder(&promise);
        match (why == Why::Grace, promise.commitment) {
            (true, _) => self.lapse(self.why_silent(&promise), whose),
            (false, Commitment::Verifying) => self.lapse(Lapse::VerifyingOver, whose),
            (false, Commitment::Going) => self.ask_whether_still_going(at, &promise, whose),
        }
    }

    /// Time we were away counts against the first one. A co-responder may have come to be needed long after their time, and whoever
    /// was never asked is not silent.
    fn ask_whether_still_going(&mut self, due: Timestamp, promise: &Promise, whose: Option<CoResponder>) {
        let from = if whose.is_some() { self.now } else { due };
        let event = Event::CommitmentQuestioned { act: self.id(), grace_until: grace(promise).after(from), whose };
        self.push(event);
        if let Some((to, medium)) = self.address_of(&promise.by) {
            self.owe(to, medium, Purpose::StillGoing, None);
        }
    }

    /// Whoever committed was asked whether they are going, or, where they had arrived, whether they are safe.
    fn why_silent(&self, promise: &Promise) -> Lapse {
        let silent = self.act.arrivals.iter().any(|a| a.check == Check::Silent && a.by.is_same(&promise.by));
        if silent { Lapse::FellSilent } else { Lapse::NoAnswer }
    }

    fn lapse(&mut self, why: Lapse, whose: Option<CoResponder>) {
        let held = self.act.is_stilled();
        let event = Event::CommitmentLapsed { act: self.id(), why, whose };
        self.push(event);
        if held && !self.act.is_stilled() {
            self.end_hold(HoldEnd::CommitmentEnded);
            self.resume(Entry::Resumed);
        }
    }
}

/// How far a report says that a message came.
pub(crate) fn rank(report: &Report) -> AttemptState {
    match report {
        Report::AcceptedReceiptDue | Report::Accepted => AttemptState::Accepted(None),
        Report::Delivered => AttemptState::Delivered,
        Report::Undelivered { .. } | Report::Failed(_) => AttemptState::Lost,
    }
}

fn grace(promise: &Promise) -> Seconds {
    let eta_s = millis_between(promise.since, promise.arrive_by) / 1_000;
    Seconds(u32::try_from(eta_s / 5).unwrap_or(u32::MAX)).max(GRACE_MIN)
}

/// The activation's attempts that no carrier has reported: what the outbox owes.
pub(crate) fn owed(act: &Activation) -> impl Iterator<Item = u32> + '_ {
    act.attempts.iter().filter(|(_, a)| a.state == AttemptState::Owed).map(|(number, _)| *number)
}
