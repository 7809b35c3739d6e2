//! Steps of the clock: since when our time is another than people knew it to be, and which hours it leapt over.
//!
//! Our time follows the world's clock forward at once while nothing is open, and by slewing else. How far it has to go is worked out
//! from what the record says of steps, so that a replay knows the same.

use std::collections::VecDeque;

use crate::time::{Seconds, SignedDuration, Timestamp};

/// Smaller steps nobody notices, in microseconds (ours).
const NOTICED_US: i64 = 60_000_000;
/// For so long after a step nothing is drilled (ours): whoever put the clock forward by mistake has time to see it, and whoever put it
/// right is not drilled in the same minute.
const DOUBTED_FOR: Seconds = Seconds(600);
/// What was leapt over is forgotten after this: longer than any window lasts.
const FORGOTTEN_AFTER: Seconds = Seconds(6 * 3_600);
/// The most that are kept: a clock that is stepped more often is doubted all the time.
const KEPT_MAX: usize = 16;
/// Our time is slewed by a twentieth of what passes, which is so large a part of what it counts itself.
const SLEWED_PART: i64 = 21;

/// What is known of steps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Steps {
    /// The last ones.
    leaps: VecDeque<Leap>,
    /// How far the world's clock was ahead of our time, in microseconds, and when.
    ahead: Option<(Timestamp, i64)>,
}

/// One change of our time, or of the clock that it follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Leap {
    /// Before it.
    from: Timestamp,
    /// After it.
    to: Timestamp,
    /// From when on it counts.
    since: Timestamp,
}

impl Steps {
    /// The clock was stepped; where nothing is open our time has followed a step forward already.
    pub(crate) fn note(&mut self, at: Timestamp, by_us: i64, is_idle: bool) {
        let ahead_us = self.ahead_us(at).saturating_add(by_us);
        self.ahead = Some((at, ahead_us));
        if is_idle && ahead_us > NOTICED_US {
            self.push(Leap { from: by(at, ahead_us.saturating_neg()), to: at, since: at });
            self.ahead = None;
        } else if by_us.unsigned_abs() > NOTICED_US.unsigned_abs() {
            self.push(Leap { from: at, to: at, since: at });
        }
    }

    /// Nothing is open any more: our time leaps by what it has not followed yet.
    pub(crate) fn calm(&mut self, at: Timestamp) {
        let ahead_us = self.ahead_us(at);
        if ahead_us > NOTICED_US {
            self.push(Leap { from: at, to: by(at, ahead_us), since: at });
        }
        if ahead_us >= 0 {
            self.ahead = None;
        }
    }

    /// The station that starts goes by the world's clock as it is: it has leapt by what the one before had not followed yet.
    pub(crate) fn start(&mut self, at: Timestamp) {
        let Some((since, ahead_us)) = self.ahead.take() else { return };
        // What was leapt over has passed for nobody, and was not slewed either.
        let left_us = slewed(ahead_us, since, by(at, ahead_us.saturating_neg()));
        if left_us > NOTICED_US {
            self.push(Leap { from: by(at, left_us.saturating_neg()), to: at, since: at });
        }
    }

    /// Whether people may not know an hour yet, or the window that opened then has lost a part of its time to a leap.
    pub(crate) fn leave_in_doubt(&self, now: Timestamp, opens: Timestamp) -> bool {
        let is_doubtful = |leap: &Leap| leap.since <= now && (now < DOUBTED_FOR.after(leap.to) || (leap.from < opens && opens <= leap.to));
        self.leaps.iter().any(is_doubtful)
    }

    fn ahead_us(&self, at: Timestamp) -> i64 {
        self.ahead.map_or(0, |(since, ahead_us)| slewed(ahead_us, since, at))
    }

    fn push(&mut self, leap: Leap) {
        self.leaps.retain(|known| leap.since < FORGOTTEN_AFTER.after(known.to));
        if self.leaps.len() >= KEPT_MAX {
            self.leaps.pop_front();
        }
        self.leaps.push_back(leap);
    }
}

/// What is left of so many microseconds after that time of slewing.
fn slewed(ahead_us: i64, since: Timestamp, at: Timestamp) -> i64 {
    let slewed_us = at.as_microsecond().saturating_sub(since.as_microsecond()).max(0) / SLEWED_PART;
    if ahead_us > 0 { ahead_us.saturating_sub(slewed_us).max(0) } else { ahead_us.saturating_add(slewed_us).min(0) }
}

fn by(at: Timestamp, us: i64) -> Timestamp {
    at.saturating_add(SignedDuration::from_micros(us)).unwrap_or(at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + s).unwrap()
    }

    #[test]
    fn a_step_forward_leaves_its_hours_and_ten_minutes_in_doubt() {
        let mut steps = Steps::default();
        steps.note(at(3_600), 3_600_000_000, true);
        assert!(steps.leave_in_doubt(at(3_600), at(3_600)) && steps.leave_in_doubt(at(4_199), at(4_000)));
        assert!(!steps.leave_in_doubt(at(4_200), at(4_000)) && !steps.leave_in_doubt(at(4_200), at(-10)));
        assert!(steps.leave_in_doubt(at(9_000), at(3_600)) && steps.leave_in_doubt(at(9_000), at(1)), "leapt into");
    }

    #[test]
    fn what_is_followed_once_nothing_is_open_is_a_leap_then() {
        let mut steps = Steps::default();
        steps.note(at(0), 3_600_000_000, false);
        assert!(!steps.leave_in_doubt(at(700), at(500)));
        steps.calm(at(1_050));
        // By fifty seconds it was slewed meanwhile.
        assert!(steps.leave_in_doubt(at(4_600 + 599), at(6_000)) && !steps.leave_in_doubt(at(4_600 + 601), at(6_000)));
        assert!(steps.leave_in_doubt(at(9_000), at(4_600)));
        // What was put right before is none.
        let mut steps = Steps::default();
        steps.note(at(0), 3_600_000_000, false);
        steps.note(at(60), -3_590_000_000, false);
        steps.calm(at(1_050));
        assert!(!steps.leave_in_doubt(at(1_050), at(1_000)));
    }

    /// A call is open while the clock is put forward, and the station is killed before it is closed.
    #[test]
    fn a_start_leaps_by_what_was_not_followed_yet() {
        let mut steps = Steps::default();
        steps.note(at(0), 600_000_000, false);
        steps.start(at(700));
        assert!(steps.leave_in_doubt(at(1_299), at(2_000)) && !steps.leave_in_doubt(at(1_300), at(2_000)));
        assert!(steps.leave_in_doubt(at(2_000), at(300)), "leapt into");
        let mut steps = Steps::default();
        steps.note(at(0), 600_000_000, false);
        steps.start(at(86_400));
        assert!(!steps.leave_in_doubt(at(86_400), at(86_300)), "long slewed");
    }

    #[test]
    fn what_was_put_back_and_is_put_right_is_no_leap() {
        let mut steps = Steps::default();
        steps.note(at(0), -3_600_000_000, true);
        steps.calm(at(10));
        steps.note(at(60), 3_600_000_000, true);
        assert!(steps.leave_in_doubt(at(659), at(30)) && !steps.leave_in_doubt(at(661), at(30)));
    }

    #[test]
    fn a_clock_that_steps_all_the_time_fills_no_memory() {
        let mut steps = Steps::default();
        for s in 0..1_000 {
            steps.note(at(s), 70_000_000, s % 3 == 0);
        }
        assert_eq!(steps.leaps.len(), KEPT_MAX);
    }
}
