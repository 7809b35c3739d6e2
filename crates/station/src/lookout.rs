//! The lookout: works out what the days to come hold and tells the watch where nobody would be told of a press.
//!
//! A task of its own, never on the way of an alarm: the watch hands over what it knows of its places and goes on, the proof takes a
//! thread meanwhile, and what it finds comes back as an input. It looks at the start, whenever it is asked to, every night, and when
//! a gap that it found is over.

use std::time::Duration;

use escalation::foresight::Foresight;
use escalation::input::Input;
use escalation::outage::Carrier;
use escalation::time::{SignedDuration, Timestamp, millis_between};
use escalation::trouble::Cause;
use escalation::verdict::Verdict;
use tokio::sync::watch;

use crate::desk::Desk;
use crate::view::Scope;

/// When it looks every night, in hours after midnight UTC: midnight in Perth, two or three in the morning in the east.
const NIGHT_HOUR: i8 = 16;
/// The least time between two looks that nobody asked for; and how long until it looks again where the watch did not take it.
const APART: Duration = Duration::from_mins(1);

/// What a lookout is made of.
pub struct Parts {
    /// The way to the watch.
    pub desk: Desk,
    /// By what messages leave.
    pub carriers: Vec<Carrier>,
}

/// The one who looks ahead.
pub struct Lookout {
    parts: Parts,
    asked: watch::Receiver<()>,
}

/// Asks for another look: after a reload, and when somebody else is on duty than was.
#[derive(Clone, Debug)]
pub struct Ask(watch::Sender<()>);

impl Ask {
    /// The directory may be another one now.
    pub fn look_again(&self) {
        self.0.send_replace(());
    }
}

/// The watch has ended, and nobody needs to know what comes.
struct Over;

impl Lookout {
    /// A lookout, and how it is asked.
    pub fn new(parts: Parts) -> (Self, Ask) {
        let (ask, asked) = watch::channel(());
        (Self { parts, asked }, Ask(ask))
    }

    /// Looks until the watch has ended.
    pub async fn run(mut self) {
        while let Ok(pause) = self.look().await {
            tokio::select! {
                asked = self.asked.changed() => if asked.is_err() { return },
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Looks once; gives after how long to look again.
    async fn look(&self) -> Result<Duration, Over> {
        let view = self.parts.desk.coverage(Scope::everything()).await.map_err(|_stopping| Over)?;
        let (at, carriers) = (view.at, self.parts.carriers.clone());
        let proof = move || Foresight::of(&view.directory, &view.people, (view.version, view.duty), view.at, &carriers);
        let Ok(seen) = tokio::task::spawn_blocking(proof).await else {
            tracing::error!("what the days to come hold could not be worked out; run  cooee check  and report it with the version");
            drop(self.parts.desk.submit(Input::TroubleNoticed(Cause::Fault { activation: None })).await);
            return Ok(until_night(at));
        };
        let pause = seen.first_end().map_or(until_night(at), |end| until_night(at).min(between(at, end)));
        tracing::info!(gaps = seen.gaps.len(), "looked ahead");
        match self.parts.desk.submit(Input::CoverageForeseen(seen)).await {
            Verdict::Durable(_) => Ok(pause.max(APART)),
            Verdict::Refused(_) | Verdict::NotTaken(_) => Ok(APART),
        }
    }
}

/// How long until the next night's look.
fn until_night(at: Timestamp) -> Duration {
    between(at, next_night(at))
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    Duration::from_millis(millis_between(from, to))
}

/// The next night's look after `at`.
fn next_night(at: Timestamp) -> Timestamp {
    let day = SignedDuration::from_hours(24).as_secs();
    let hour = i64::from(NIGHT_HOUR) * 3_600;
    let since = (at.as_second() - hour).rem_euclid(day);
    Timestamp::from_second(at.as_second() - since + day).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_night_is_once_a_day_and_never_now() {
        let next = |at: &str| next_night(at.parse().unwrap()).to_string();
        assert_eq!(next("2026-11-28T12:00:00Z"), "2026-11-28T16:00:00Z");
        assert_eq!(next("2026-11-28T15:59:59.9Z"), "2026-11-28T16:00:00Z");
        assert_eq!(next("2026-11-28T16:00:00Z"), "2026-11-29T16:00:00Z");
        assert_eq!(next("2026-11-28T23:00:00Z"), "2026-11-29T16:00:00Z");
    }
}
