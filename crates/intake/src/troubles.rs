//! Tells the watch about our own troubles, in order and until it has taken them.
//!
//! Must not hold anything up: raising and clearing return at once. One cause is one trouble: what is told already is not told again.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use escalation::input::Input;
use escalation::trouble::Cause;
use escalation::verdict::{NotTaken, Submit, Verdict};
use tokio::sync::Notify;
use tokio::task::AbortHandle;

/// How long to wait before what was not taken is told again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How much may wait. Overflow rule: of one cause the oldest that waits gives way to the newest.
const WAITING_MAX: usize = 256;

/// Our own troubles. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Troubles {
    board: Arc<Board>,
}

struct Board {
    state: Mutex<State>,
    news: Notify,
}

#[derive(Default)]
struct State {
    open: BTreeMap<Cause, bool>,
    waiting: VecDeque<(Cause, bool)>,
}

impl Troubles {
    /// Starts telling `submit`; the task ends when it is aborted or the station is stopping.
    pub(crate) fn start(submit: Submit) -> (Self, AbortHandle) {
        let board = Arc::new(Board { state: Mutex::default(), news: Notify::new() });
        let task = tokio::spawn(tell(board.clone(), submit));
        (Self { board }, task.abort_handle())
    }

    /// Something does not hold what it promises.
    pub(crate) fn raise(&self, cause: Cause) {
        self.set(cause, true);
    }

    /// It does. Told once even where this process never said otherwise: an earlier one may have.
    pub(crate) fn clear(&self, cause: Cause) {
        self.set(cause, false);
    }

    /// Whether it is open as far as we said.
    pub(crate) fn is_open(&self, cause: &Cause) -> bool {
        self.board.lock().open.get(cause).copied().unwrap_or(false)
    }

    fn set(&self, cause: Cause, open: bool) {
        let mut state = self.board.lock();
        if state.open.insert(cause.clone(), open) == Some(open) {
            return;
        }
        if state.waiting.len() >= WAITING_MAX {
            let earlier = state.waiting.iter().position(|(waiting, _)| *waiting == cause);
            earlier.map(|at| state.waiting.remove(at));
        }
        if open {
            tracing::warn!(trouble = ?cause, "trouble noticed");
        } else {
            tracing::info!(trouble = ?cause, "trouble cleared");
        }
        state.waiting.push_back((cause, open));
        self.board.news.notify_one();
    }
}

impl Board {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn tell(board: Arc<Board>, submit: Submit) {
    loop {
        let next = board.lock().waiting.pop_front();
        let Some((cause, open)) = next else {
            board.news.notified().await;
            continue;
        };
        let input = if open { Input::TroubleNoticed(cause) } else { Input::TroubleCleared(cause) };
        loop {
            match submit(input.clone()).await {
                Verdict::Durable(_) | Verdict::Refused(_) => break,
                Verdict::NotTaken(NotTaken::Stopping) => return,
                Verdict::NotTaken(NotTaken::Overloaded | NotTaken::Unrecorded) => tokio::time::sleep(AGAIN_AFTER).await,
            }
        }
    }
}
