//! The ways in which buttons are pressed, and how long each press takes to become a message.

use std::ops::Range;
use std::time::Duration;

use tokio::time::Instant;

use crate::gateway::Manner;
use crate::session::Session;
use crate::usage;

/// Rest between presses that come one at a time, so that nothing of the last is under way.
const REST: Duration = Duration::from_millis(25);
/// Between presses at 200 a second.
const STEADY_EVERY: Duration = Duration::from_millis(5);

/// One at a time: how long each took.
pub(crate) async fn single(session: &mut Session, presses: u32) -> Vec<Duration> {
    let mut times = Vec::new();
    for key in session.keys(presses) {
        times.push((key, session.buttons.press(key)));
        session.gateway.until(usize::try_from(key).expect("fits memory") + 1).await;
        tokio::time::sleep(REST).await;
    }
    session.all_through().await;
    latencies(session, &times)
}

/// 200 a second: how long each took, and the processor time they took together.
pub(crate) async fn steady(session: &mut Session, presses: u32) -> (Vec<Duration>, Duration) {
    let before = usage::processor(session.pid());
    let mut times = Vec::new();
    let start = Instant::now();
    for (turn, key) in (0..).zip(session.keys(presses)) {
        tokio::time::sleep_until(start + STEADY_EVERY * turn).await;
        times.push((key, session.buttons.press(key)));
    }
    session.all_through().await;
    let used = usage::processor(session.pid()).saturating_sub(before);
    (latencies(session, &times), used)
}

/// All at once: how long until the last message was complete, and the processor time they took together.
pub(crate) async fn burst(session: &mut Session, presses: u32) -> (Duration, Duration) {
    let before = usage::processor(session.pid());
    let keys = session.keys(presses);
    let start = session.buttons.press_all(keys.clone());
    session.all_through().await;
    let used = usage::processor(session.pid()).saturating_sub(before);
    (last(session, keys).map_or(Duration::MAX, |last| last - start), used)
}

/// All at once against a gateway that takes a while: how long until the last message was answered.
pub(crate) async fn slow(session: &mut Session, presses: u32, gateway: Duration) -> Duration {
    session.gateway.answers(Manner::After(gateway));
    let (took, _used) = burst(session, presses).await;
    session.gateway.answers(Manner::AtOnce);
    took.saturating_add(gateway)
}

fn latencies(session: &Session, pressed: &[(u32, Instant)]) -> Vec<Duration> {
    let took = |(key, at): &(u32, Instant)| session.gateway.arrival(*key).map(|arrival| arrival - *at);
    pressed.iter().filter_map(took).collect()
}

fn last(session: &Session, keys: Range<u32>) -> Option<Instant> {
    keys.filter_map(|key| session.gateway.arrival(key)).max()
}
