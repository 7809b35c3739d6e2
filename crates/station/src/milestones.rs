//! Milestones: how far the record has come with what anchors wait for.
//!
//! Told by the entries alone, live and at replay alike, so that a restart owes each anchor what was owed before, and no more.

use escalation::event::Event;
use escalation::trouble::Cause;
use ledger::Seq;

/// Sizes that a checkpoint must have to cover something: 0 while there is nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Milestones {
    /// The last entry that is not about anchors themselves. Were those counted, each receipt would call for the next checkpoint.
    pub change: u64,
    /// The last closing of an activation.
    pub closing: u64,
}

impl Milestones {
    /// Takes up an entry.
    pub(crate) fn pass(&mut self, seq: Seq, event: &Event) {
        let size = seq.next().index();
        if !is_of_anchors(event) {
            self.change = size;
        }
        if matches!(event, Event::Closed { .. }) {
            self.closing = size;
        }
    }
}

fn is_of_anchors(event: &Event) -> bool {
    matches!(
        event,
        Event::CheckpointAnchored { .. }
            | Event::TroubleRaised { cause: Cause::AnchorFailing { .. }, .. }
            | Event::TroubleCleared { cause: Cause::AnchorFailing { .. }, .. }
    )
}

#[cfg(test)]
mod tests {
    use escalation::anchor::Receipt;
    use escalation::id::{AnchorName, Digest};

    use super::*;

    #[test]
    fn what_is_about_anchors_calls_for_none() {
        let anchor = AnchorName::parse("insurer").unwrap();
        let cause = Cause::AnchorFailing { anchor: anchor.clone() };
        let receipt = Receipt::Http { status: 204, id: "checkpoint.1".to_owned() };
        let of_anchors = [
            Event::CheckpointAnchored { anchor, origin: "a".to_owned(), size: 1, root: Digest::new([0; 32]), receipt },
            Event::TroubleRaised { cust: None, cause: cause.clone() },
            Event::TroubleCleared { cust: None, cause },
        ];
        let mut milestones = Milestones::default();
        milestones.pass(Seq::new(0), &Event::RecordFound {});
        for (seq, event) in (1..).zip(&of_anchors) {
            milestones.pass(Seq::new(seq), event);
        }
        assert_eq!(milestones, Milestones { change: 1, closing: 0 });
        milestones.pass(Seq::new(4), &Event::TroubleRaised { cust: None, cause: Cause::BrokerAway });
        assert_eq!(milestones.change, 5);
    }
}
