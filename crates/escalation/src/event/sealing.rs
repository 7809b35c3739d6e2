//! Which texts of an event are private: each is offered to be sealed before the event is applied or recorded.

use super::{Doer, Event, SignalRecord, offer};
use crate::private::Field;

impl Event {
    /// Offers every private text to `seal`, in a fixed order.
    pub fn seal_with(&mut self, seal: &mut dyn FnMut(Field<'_>)) {
        match self {
            Self::DirectoryAdopted { places, .. } => offer(seal, "places", "", Some(places)),
            Self::PersonVersioned { id, reference, name, mobile, email, .. } => {
                let subject = id.to_string();
                offer(seal, "reference", &subject, Some(reference));
                offer(seal, "name", &subject, Some(name));
                offer(seal, "mobile", &subject, mobile.as_mut());
                offer(seal, "email", &subject, email.as_mut());
            }
            Self::Raised(raised) => pressed(seal, &mut raised.signal, raised.by.as_mut()),
            Self::PressedAgain { signal, by, .. } => pressed(seal, signal, by.as_mut()),
            Self::CancelAsked { signal, .. } | Self::DeviceReported { signal, .. } => signal.seal_with(seal),
            Self::DispatchReported { text, .. } | Self::AnswerSetAside { text, .. } => offer(seal, "text", "", text.as_mut()),
            Self::Accepted { by, .. }
            | Self::Joined { by, .. }
            | Self::Declined { by, .. }
            | Self::Arrived { by, .. }
            | Self::PoliceNeeded { by, .. }
            | Self::TestAnswered { by, .. }
            | Self::TroubleAnswered { by, .. }
            | Self::SaidSafe { by, .. } => {
                by.seal_with(seal);
            }
            Self::StepTaken { by, skipped, .. } => {
                by.seal_with(seal);
                offer(seal, "skipped", "", skipped.as_mut());
            }
            Self::PoliceRung { by, called_by, reference, .. } => {
                by.seal_with(seal);
                offer(seal, "called_by", "", called_by.as_mut());
                offer(seal, "reference", "", reference.as_mut());
            }
            Self::Held { by, reason, .. } | Self::Reopened { by, reason, .. } | Self::LegalHoldSet { by, reason, .. } => {
                by.seal_with(seal);
                offer(seal, "reason", "", Some(reason));
            }
            Self::HandOverOffered { by, to, .. } => {
                by.seal_with(seal);
                to.seal_with(seal);
            }
            Self::Claimed { by, .. }
            | Self::Escalated { by, .. }
            | Self::TestStarted { by, .. }
            | Self::TestEnded { by, .. }
            | Self::OutOfService { by, .. }
            | Self::InService { by, .. }
            | Self::StandInSaid { by, .. }
            | Self::StandInOver { by, .. }
            | Self::DeskArmed { by, .. }
            | Self::DeskUnarmed { by: Some(by), .. }
            | Self::BundleExported { by, .. }
            | Self::RegisterExported { by, .. }
            | Self::Erased { by, .. } => {
                by.seal_with(seal);
            }
            Self::NoteAdded { by, text, .. } => {
                by.seal_with(seal);
                offer(seal, "note", "", Some(text));
            }
            Self::Closed { by, note, .. } => {
                by.seal_with(seal);
                offer(seal, "note", "", note.as_mut());
            }
            Self::StationStarted { .. }
            | Self::ClockStepped { .. }
            | Self::RecordLost { .. }
            | Self::RecordFound {}
            | Self::Ticked { .. }
            | Self::SignedBy { .. }
            | Self::CheckpointAnchored { .. }
            | Self::TroubleRaised { .. }
            | Self::TroubleCleared { .. }
            | Self::TroubleTold { .. }
            | Self::TroubleOver { .. }
            | Self::DeskUnarmed { by: None, .. }
            | Self::DrillMissed { .. }
            | Self::AskedFirst { .. }
            | Self::RungEntered { .. }
            | Self::RungPassedOver { .. }
            | Self::ContactPassedOver { .. }
            | Self::DispatchQueued { .. }
            | Self::ReceiptOverdue { .. }
            | Self::SafetyAsked { .. }
            | Self::FellSilent { .. }
            | Self::PoliceUnrung { .. }
            | Self::CommitmentQuestioned { .. }
            | Self::CommitmentLapsed { .. }
            | Self::ClaimLapsed { .. }
            | Self::HoldEnded { .. }
            | Self::HandOverEnded { .. }
            | Self::Exhausted { .. }
            | Self::RoundStarted { .. }
            | Self::WordJudged { .. }
            | Self::WordHeeded { .. }
            | Self::Archived { .. }
            | Self::Viewed(_) => {}
        }
    }
}

/// What a press says, and who pressed on somebody's behalf.
fn pressed(seal: &mut dyn FnMut(Field<'_>), signal: &mut SignalRecord, by: Option<&mut Doer>) {
    signal.seal_with(seal);
    if let Some(by) = by {
        by.seal_with(seal);
    }
}
