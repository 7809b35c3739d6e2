//! How fast a button is pressed: by hands, or by a contact that sticks.

use crate::time::{Seconds, Timestamp};

/// More signals than this in a minute are many (lifecycle, "Signal, activation, trouble").
const MANY: u32 = 6;
/// So many minutes in a row with many signals are chatter (lifecycle).
const MINUTES: u32 = 3;
/// Signals are counted by the minute.
const MINUTE: Seconds = Seconds(60);

/// How fast it is pressed, minute by minute since the first press.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    minute_began: Timestamp,
    in_minute: u32,
    busy_minutes: u32,
    /// When a press last made the climb go on in spite of somebody's commitment or hold.
    pub(crate) resumed_at: Option<Timestamp>,
}

impl Pace {
    /// Pressed for the first time.
    pub(crate) fn new(at: Timestamp) -> Self {
        Self { minute_began: at, in_minute: 1, busy_minutes: 0, resumed_at: None }
    }

    /// Pressed once more.
    pub(crate) fn press(&mut self, at: Timestamp) {
        let minute_ends = MINUTE.after(self.minute_began);
        if at < minute_ends {
            self.in_minute = self.in_minute.saturating_add(1);
            return;
        }
        let follows = at < MINUTE.after(minute_ends);
        self.busy_minutes = if follows && self.in_minute > MANY { self.busy_minutes.saturating_add(1) } else { 0 };
        self.minute_began = if follows { minute_ends } else { at };
        self.in_minute = 1;
    }

    /// Whether no hand presses like this.
    pub(crate) fn is_chatter(&self) -> bool {
        self.busy_minutes.saturating_add(u32::from(self.in_minute > MANY)) >= MINUTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::SignedDuration;

    /// How a button that is pressed every so many seconds for a while stands at the end.
    fn after(every_s: i64, for_s: i64) -> bool {
        let began: Timestamp = "2026-04-13T06:03:00Z".parse().unwrap();
        let mut pace = Pace::new(began);
        let mut at = every_s;
        while at <= for_s {
            pace.press(began.saturating_add(SignedDuration::from_secs(at)).unwrap());
            at += every_s;
        }
        pace.is_chatter()
    }

    #[test]
    fn more_than_six_a_minute_for_three_minutes_is_chatter() {
        assert!(!after(1, 119), "two minutes of it are somebody in fear");
        assert!(!after(8, 150), "the third minute is not over yet, and had six so far");
        assert!(after(1, 130));
        assert!(after(8, 180));
        assert!(!after(10, 3_600), "six a minute are not more than six");
        assert!(!after(65, 3_600));
    }

    #[test]
    fn a_quiet_minute_begins_the_count_anew() {
        let began: Timestamp = "2026-04-13T06:03:00Z".parse().unwrap();
        let mut pace = Pace::new(began);
        let mut press = |from: i64, to: i64| {
            for at in from..to {
                pace.press(began.saturating_add(SignedDuration::from_secs(at)).unwrap());
            }
            pace.is_chatter()
        };
        assert!(press(1, 200));
        assert!(!press(320, 321));
        assert!(!press(321, 430));
    }
}
