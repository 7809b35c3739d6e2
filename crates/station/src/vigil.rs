//! The vigil: asks the ears every few seconds who was heard, and tells the watch of buttons that are not.
//!
//! A task of its own, never on the way of an alarm. What it makes of what was heard is the rules' (`escalation::vigil`).

use std::time::Duration;

use escalation::id::DeviceId;
use escalation::input::Input;
use escalation::time::Timestamp;
use escalation::verdict::{NotTaken, Verdict};
use escalation::vigil::{Heard, News, Passed, Vigil, Watchlist};

use crate::desk::Desk;

/// How often it looks. The shortest silence that a class can allow is not worth more.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// The longest time that counts from one look to the next: where this process itself stood still, it heard nobody.
const LISTENED_MAX: Duration = Duration::from_secs(10);

/// How much is told after one look, the gravest first; the rest is news at the next one, so that what is heard meanwhile counts.
const TOLD_MAX: usize = 256;

/// What the ears know of a device; `None` where they have not heard it since the start.
pub type Ask = Box<dyn Fn(&DeviceId) -> Option<Heard> + Send>;

/// What a vigil is made of.
pub struct Parts {
    /// The way to the watch.
    pub desk: Desk,
    /// Our clock.
    pub now: Box<dyn Fn() -> Timestamp + Send>,
    /// What the ears know.
    pub heard: Ask,
    /// For how long they have listened since the start.
    pub listened: Box<dyn Fn() -> Duration + Send>,
}

/// Looks until the watch has ended.
pub async fn run(parts: Parts) {
    let (mut vigil, mut list) = (Vigil::default(), Watchlist::default());
    let mut before = (parts.listened)();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        match parts.desk.watchlist(list.version()).await {
            Ok(Some(another)) => list = another,
            Ok(None) => {}
            Err(_stopping) => return,
        }
        let listened = (parts.listened)();
        let passed = listened.saturating_sub(before).min(LISTENED_MAX);
        before = listened;
        let passed = Passed { now: (parts.now)(), listened_ms: u64::try_from(passed.as_millis()).unwrap_or(u64::MAX) };
        for news in vigil.look(&list, passed, &*parts.heard).into_iter().take(TOLD_MAX) {
            match parts.desk.submit(input(&news)).await {
                Verdict::Durable(_) | Verdict::Refused(_) => vigil.told(news),
                Verdict::NotTaken(NotTaken::Stopping) => return,
                // It is still news at the next look.
                Verdict::NotTaken(NotTaken::Overloaded | NotTaken::Unrecorded) => break,
            }
        }
    }
}

fn input(news: &News) -> Input {
    let cause = news.cause.clone();
    if news.is_on { Input::TroubleNoticed(cause) } else { Input::TroubleCleared(cause) }
}
