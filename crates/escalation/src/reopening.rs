//! Reopening: what was closed too early is a call again, and the ladder begins anew.
//!
//! Nobody is taken to be still going, and nobody to be still owning it: what people had said was said of a call that was over.

use crate::activation::Activation;
use crate::course::Course;
use crate::engine::Engine;
use crate::event::{Doer, Entry, Event};
use crate::ladder::RungIndex;
use crate::private::Private;
use crate::time::Timestamp;
use crate::trouble::Cause;

impl Engine {
    /// Opens a closed activation again, as long as memory has it, and begins its ladder as it was frozen.
    pub(crate) fn reopen(&self, now: Timestamp, act: &Activation, doer: Doer, reason: &Private) -> Vec<Event> {
        let mut course = Course::on(self, now, act);
        let event = Event::Reopened { act: course.id(), by: doer, reason: reason.clone() };
        course.push(event);
        course.enter(RungIndex(0), Entry::Reopened, &[]);
        // Whoever was told under a key that was lost since cannot answer by that.
        if act.keys.iter().any(|told| Some(*told) != self.key()) {
            course.raise_trouble(Cause::KeyReplaced);
        }
        course.events
    }
}
