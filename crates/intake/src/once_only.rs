//! What comes only once, by QoS 0, when there is no room to insist on it: handed to the watch, and said aloud.

use escalation::input::Input;
use escalation::signal::Signal;
use escalation::trouble::Cause;
use escalation::verdict::{Submit, Verdict};
use futures_util::FutureExt;

use crate::troubles::Troubles;

/// That such signals may be lost; one trouble, however they came.
pub(crate) fn overflow() -> Cause {
    Cause::Overflow { queue: "qos0".to_owned() }
}

/// Hands a signal to the watch once; the verdict of one that waits there is nobody's.
pub(crate) fn hand_over(submit: &Submit, troubles: &Troubles, signal: Signal) {
    troubles.raise(overflow());
    if let Some(Verdict::NotTaken(why)) = submit(Input::Signal(signal)).now_or_never() {
        tracing::error!(%why, "a signal that comes only once is lost: too many wait already");
    }
}
