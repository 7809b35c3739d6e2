//! The only clock.
//!
//! Within a boot time advances with the monotonic clock alone; the wall clock is watched beside it and followed by
//! slewing. A step of the wall clock can therefore neither freeze a deadline nor fire one (I10).

use std::time::Duration;

use escalation::time::{SignedDuration, Timestamp};

/// Our time follows the wall clock by at most this share of the time that passed (mechanisms, "Time": 5 %).
const SLEW_DIVISOR: i64 = 20;
/// A change of the wall clock against the monotonic one beyond this is a step and is recorded, in microseconds.
const STEP_US: i64 = 1_000_000;

/// Where readings come from: the machine, or a simulation.
pub trait Clock: Send + Sync + 'static {
    /// Time since the start of this boot or process; never goes back, and goes on while the machine sleeps.
    fn monotonic(&self) -> Duration;
    /// What the wall clock says.
    fn wall(&self) -> Timestamp;
}

impl<C: Clock> Clock for std::sync::Arc<C> {
    fn monotonic(&self) -> Duration {
        self.as_ref().monotonic()
    }

    fn wall(&self) -> Timestamp {
        self.as_ref().wall()
    }
}

/// The machine's clocks.
#[derive(Debug)]
pub struct MachineClock {
    start: Duration,
}

impl MachineClock {
    /// Starts the stopwatch.
    pub fn start() -> Self {
        Self { start: since_boot() }
    }
}

/// Time since the machine was started, sleep included: a deadline that passed while it was suspended is due when it wakes.
#[cfg(any(target_os = "linux", target_os = "android"))]
fn since_boot() -> Duration {
    let at = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    Duration::try_from(at).unwrap_or_default()
}

/// Elsewhere the monotonic clock, from an arbitrary start; whether it counts sleep is the system's to say.
#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn since_boot() -> Duration {
    rustix::time::clock_gettime(rustix::time::ClockId::Monotonic).try_into().unwrap_or_default()
}

impl Clock for MachineClock {
    fn monotonic(&self) -> Duration {
        since_boot().saturating_sub(self.start)
    }

    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads a clock")]
    fn wall(&self) -> Timestamp {
        Timestamp::now()
    }
}

/// Turns readings into the one time that rules and record use. Pure: it is fed, it reads nothing.
#[derive(Clone, Debug)]
pub struct Timekeeper {
    now: Timestamp,
    monotonic: Duration,
    ahead_us: i64,
}

/// What a reading brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The time.
    pub now: Timestamp,
    /// The wall clock was stepped by this many microseconds since the last reading.
    pub stepped_us: Option<i64>,
    /// How far the wall clock is ahead of our time, in microseconds: what others stamped by theirs is read by it.
    pub wall_ahead_us: i64,
}

impl Timekeeper {
    /// Starts at the wall clock, or just after the last entry where the wall clock is behind it.
    pub fn start(monotonic: Duration, wall: Timestamp, last_entry: Option<Timestamp>) -> Self {
        let after_last = last_entry.map(|last| later(last, 1));
        let now = after_last.map_or(wall, |after| after.max(wall));
        Self { now, monotonic, ahead_us: micros(now, wall) }
    }

    /// Takes a reading. `idle` says that no activation is open, so that a step forward may be adopted at once.
    pub fn read(&mut self, monotonic: Duration, wall: Timestamp, idle: bool) -> Reading {
        let passed_us = i64::try_from(monotonic.saturating_sub(self.monotonic).as_micros()).unwrap_or(i64::MAX);
        self.monotonic = self.monotonic.max(monotonic);
        self.now = later(self.now, passed_us);
        let ahead_us = micros(self.now, wall);
        let change = ahead_us.saturating_sub(self.ahead_us);
        let stepped_us = (change.unsigned_abs() > STEP_US.unsigned_abs()).then_some(change);
        let slew = passed_us / SLEW_DIVISOR;
        let adopt = if idle && ahead_us > 0 { ahead_us } else { ahead_us.clamp(slew.saturating_neg(), slew) };
        self.now = later(self.now, adopt);
        self.ahead_us = micros(self.now, wall);
        Reading { now: self.now, stepped_us, wall_ahead_us: self.ahead_us }
    }
}

/// How far the wall clock is ahead of ours, in microseconds.
fn micros(ours: Timestamp, wall: Timestamp) -> i64 {
    wall.as_microsecond().saturating_sub(ours.as_microsecond())
}

/// `at` and this many microseconds more, saturating; whole microseconds, as the record keeps them.
pub(crate) fn later(at: Timestamp, us: i64) -> Timestamp {
    let floor = Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at);
    floor.saturating_add(SignedDuration::from_micros(us)).unwrap_or(floor)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(s: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + s).unwrap()
    }

    #[test]
    fn i10_a_step_of_the_wall_clock_neither_freezes_nor_fires_a_deadline() {
        for step_s in [-86_400, -3_600, -5, 5, 3_600, 86_400] {
            let mut keeper = Timekeeper::start(Duration::ZERO, at(0), None);
            let deadline = at(30);
            let stepped = keeper.read(Duration::from_secs(10), at(10 + step_s), false);
            assert_eq!(stepped.stepped_us, Some(step_s * 1_000_000), "the step itself is told");
            assert!(stepped.now < deadline, "{step_s}: must not fire at 10 s, got {}", stepped.now);
            let mut last = stepped.now;
            for s in 11..=33 {
                let reading = keeper.read(Duration::from_secs(s), at(i64::try_from(s).unwrap() + step_s), false);
                assert_eq!(reading.stepped_us, None);
                assert!(reading.now > last, "time goes on");
                last = reading.now;
            }
            assert!(last >= deadline, "{step_s}: fired within 5 % of its 30 s");
        }
    }

    #[test]
    fn a_step_forward_is_adopted_at_once_while_nothing_is_open() {
        let mut keeper = Timekeeper::start(Duration::ZERO, at(0), None);
        assert_eq!(keeper.read(Duration::from_secs(1), at(3_601), true).now, at(3_601));
        assert!(keeper.read(Duration::from_secs(2), at(2), true).now > at(3_601), "and backward by slewing alone");
    }

    #[test]
    fn i10_after_a_restart_time_is_past_the_last_entry() {
        let mut keeper = Timekeeper::start(Duration::ZERO, at(0), Some(at(100)));
        assert!(keeper.read(Duration::ZERO, at(0), true).now > at(100));
    }

    /// `/proc/uptime` counts what the machine slept; the system's plain monotonic clock does not.
    #[test]
    #[cfg(target_os = "linux")]
    fn deadlines_do_not_sleep_with_the_machine() {
        let uptime = || -> Duration {
            let text = std::fs::read_to_string("/proc/uptime").unwrap();
            Duration::from_secs_f64(text.split(' ').next().unwrap().parse().unwrap())
        };
        let hundredth = Duration::from_millis(10);
        let (before, ours, after) = (uptime(), since_boot(), uptime());
        assert!(before <= ours + hundredth && ours <= after + hundredth, "{before:?} {ours:?} {after:?}");
    }
}
