//! Waiting for a condition, never for a time.

use std::time::Duration;

use tokio::time::Instant;

/// How long anything may take before the test gives up: far beyond what a loaded machine needs.
pub const PATIENCE: Duration = Duration::from_mins(3);

const LOOK_EVERY: Duration = Duration::from_millis(5);

/// Asks `probe` until it has an answer; fails the test with `what` was awaited when it has none for [`PATIENCE`].
pub async fn until<T>(what: &str, mut probe: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = probe().await {
            return answer;
        }
        assert!(Instant::now() < deadline, "waited {} s for {what}", PATIENCE.as_secs());
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
