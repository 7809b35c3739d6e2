//! When a phone or a mailbox was last answered by a human: that it is in the directory does not mean that anybody answers it.
//!
//! Only what a human did with what was sent to them counts: a reply with a code, a gesture on their page, digits in a call. What
//! somebody says of them through the API proves no phone, and neither does a receipt. It is known of the address and not of the
//! person, so that another number is one that nobody has answered and a mail answers for no phone; and by the site of the call,
//! since when somebody answered another site's is nothing that this one is told.

use crate::engine::Engine;
use crate::event::{AnsweredVia, Event};
use crate::id::{ContactKey, SiteId};
use crate::time::Timestamp;

impl Engine {
    /// When an address was last answered by a human, in calls of the sites that `of` names; `None` is there what was of no site of
    /// the directory: a trouble, or a place that nobody knows. `None` where nobody knows that it ever was.
    pub fn last_answered(&self, contact: ContactKey, of: impl Fn(Option<&SiteId>) -> bool) -> Option<Timestamp> {
        self.answers_of(contact).filter(|(site, _)| of(*site)).map(|(_, at)| at).max()
    }

    /// Takes note of who answered, where somebody did.
    pub(crate) fn note_answer(&mut self, at: Timestamp, event: &Event) {
        let Some(by) = event.responder() else {
            return;
        };
        let by_hand = match by.via {
            AnsweredVia::Sms | AnsweredVia::Link(_) | AnsweredVia::Voice => true,
            AnsweredVia::Api => false,
        };
        if let Some(contact) = by.contact.filter(|_| by_hand) {
            let site = event.activation().and_then(|id| self.activation(id)).map(|act| &act.device.site);
            let site = site.filter(|site| self.directory().sites.contains_key(*site)).cloned();
            self.keep_answer(contact, site, at);
        }
    }
}
