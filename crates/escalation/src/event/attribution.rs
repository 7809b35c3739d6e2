//! Which activation an event belongs to, and who is responsible for it.

use super::{Doer, Event, Responder};
use crate::id::ActivationId;

impl Event {
    /// The activation or the notice it belongs to: its stream in the record.
    pub fn activation(&self) -> Option<&ActivationId> {
        match self {
            Self::Raised(raised) => Some(&raised.act),
            Self::PressedAgain { act, .. }
            | Self::CancelAsked { act, .. }
            | Self::AskedFirst { act, .. }
            | Self::RungEntered { act, .. }
            | Self::RungPassedOver { act, .. }
            | Self::ContactPassedOver { act, .. }
            | Self::DispatchQueued { act, .. }
            | Self::DispatchReported { act, .. }
            | Self::ReceiptOverdue { act, .. }
            | Self::Accepted { act, .. }
            | Self::Joined { act, .. }
            | Self::Declined { act, .. }
            | Self::Arrived { act, .. }
            | Self::SafetyAsked { act, .. }
            | Self::FellSilent { act, .. }
            | Self::PoliceNeeded { act, .. }
            | Self::PoliceUnrung { act, .. }
            | Self::PoliceRung { act, .. }
            | Self::CommitmentQuestioned { act, .. }
            | Self::CommitmentLapsed { act, .. }
            | Self::Claimed { act, .. }
            | Self::ClaimLapsed { act }
            | Self::Held { act, .. }
            | Self::HoldEnded { act, .. }
            | Self::HandOverOffered { act, .. }
            | Self::HandOverEnded { act, .. }
            | Self::Escalated { act, .. }
            | Self::Exhausted { act, .. }
            | Self::RoundStarted { act, .. }
            | Self::NoteAdded { act, .. }
            | Self::StepTaken { act, .. }
            | Self::SaidSafe { act, .. }
            | Self::WordJudged { act, .. }
            | Self::WordHeeded { act }
            | Self::Closed { act, .. }
            | Self::Reopened { act, .. }
            | Self::TestAnswered { act, .. }
            | Self::TroubleTold { act, .. }
            | Self::TroubleAnswered { act, .. }
            | Self::TroubleOver { act }
            | Self::Archived { act } => Some(act),
            Self::AnswerSetAside { act, .. } => act.as_ref(),
            Self::StationStarted { .. }
            | Self::ClockStepped { .. }
            | Self::RecordLost { .. }
            | Self::RecordFound {}
            | Self::Ticked { .. }
            | Self::SignedBy { .. }
            | Self::CheckpointAnchored { .. }
            | Self::DirectoryAdopted { .. }
            | Self::PersonVersioned { .. }
            | Self::TroubleRaised { .. }
            | Self::TroubleCleared { .. }
            | Self::TestStarted { .. }
            | Self::TestEnded { .. }
            | Self::OutOfService { .. }
            | Self::InService { .. }
            | Self::StandInSaid { .. }
            | Self::StandInOver { .. }
            | Self::DeskArmed { .. }
            | Self::DeskUnarmed { .. }
            | Self::DrillMissed { .. }
            | Self::DeviceReported { .. }
            | Self::BundleExported { .. }
            | Self::RegisterExported { .. }
            | Self::Erased { .. }
            | Self::LegalHoldSet { .. }
            | Self::Viewed(_) => None,
        }
    }

    /// Who answered, where it is an answer to what they were sent.
    pub fn responder(&self) -> Option<&Responder> {
        let (Self::Accepted { by, .. }
        | Self::Joined { by, .. }
        | Self::Declined { by, .. }
        | Self::Arrived { by, .. }
        | Self::PoliceNeeded { by, .. }
        | Self::PoliceRung { by, .. }
        | Self::TestAnswered { by, .. }
        | Self::TroubleAnswered { by, .. }
        | Self::StepTaken { by, .. }
        | Self::SaidSafe { by, .. }) = self
        else {
            return None;
        };
        Some(by)
    }

    /// Who is responsible for it, where it came through the API.
    pub fn doer(&self) -> Option<&Doer> {
        match self {
            Self::Raised(raised) => raised.by.as_ref(),
            Self::PressedAgain { by, .. } | Self::DeskUnarmed { by, .. } => by.as_ref(),
            Self::Accepted { by, .. }
            | Self::Joined { by, .. }
            | Self::Declined { by, .. }
            | Self::Arrived { by, .. }
            | Self::PoliceNeeded { by, .. }
            | Self::PoliceRung { by, .. }
            | Self::TestAnswered { by, .. }
            | Self::TroubleAnswered { by, .. }
            | Self::StepTaken { by, .. }
            | Self::SaidSafe { by, .. } => by.by.as_ref(),
            Self::TestStarted { by, .. }
            | Self::DeskArmed { by, .. }
            | Self::TestEnded { by, .. }
            | Self::OutOfService { by, .. }
            | Self::InService { by, .. }
            | Self::StandInSaid { by, .. }
            | Self::StandInOver { by, .. }
            | Self::Claimed { by, .. }
            | Self::Held { by, .. }
            | Self::HandOverOffered { by, .. }
            | Self::Escalated { by, .. }
            | Self::NoteAdded { by, .. }
            | Self::Closed { by, .. }
            | Self::Reopened { by, .. }
            | Self::BundleExported { by, .. }
            | Self::RegisterExported { by, .. }
            | Self::Erased { by, .. }
            | Self::LegalHoldSet { by, .. } => Some(by),
            Self::StationStarted { .. }
            | Self::ClockStepped { .. }
            | Self::RecordLost { .. }
            | Self::RecordFound {}
            | Self::Ticked { .. }
            | Self::SignedBy { .. }
            | Self::CheckpointAnchored { .. }
            | Self::DirectoryAdopted { .. }
            | Self::PersonVersioned { .. }
            | Self::TroubleRaised { .. }
            | Self::TroubleCleared { .. }
            | Self::TroubleTold { .. }
            | Self::TroubleOver { .. }
            | Self::DrillMissed { .. }
            | Self::DeviceReported { .. }
            | Self::CancelAsked { .. }
            | Self::AskedFirst { .. }
            | Self::RungEntered { .. }
            | Self::RungPassedOver { .. }
            | Self::ContactPassedOver { .. }
            | Self::DispatchQueued { .. }
            | Self::DispatchReported { .. }
            | Self::ReceiptOverdue { .. }
            | Self::SafetyAsked { .. }
            | Self::FellSilent { .. }
            | Self::PoliceUnrung { .. }
            | Self::AnswerSetAside { .. }
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
            // Whoever read did nothing, and nobody's name is called back for it.
            | Self::Viewed(_) => None,
        }
    }
}
