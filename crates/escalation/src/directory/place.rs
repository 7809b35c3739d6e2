//! What a message may say of a customer, a site and a place. Kept as one disclosure beside an adopted directory,
//! because addresses do not belong into an entry.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{CentreId, CustomerId, DeviceId, PlanId, SiteId};
use crate::plan::{Part, StepId};

/// Everything sayable about where.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Places {
    /// Customers' names.
    pub customers: BTreeMap<CustomerId, String>,
    /// Centres' names.
    pub centres: BTreeMap<CentreId, String>,
    /// Sites.
    pub sites: BTreeMap<SiteId, SiteCard>,
    /// Devices: where exactly.
    pub devices: BTreeMap<DeviceId, PlaceCard>,
    /// What the steps of action plans say.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub plans: BTreeMap<PlanId, PlanCard>,
}

/// What a message may say of a site. Everything but name, short name and zone may be empty.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteCard {
    /// Full name.
    pub name: String,
    /// Name in a text message, at most 20 characters.
    pub sms_name: String,
    /// IANA zone: `Australia/Perth`.
    pub timezone: String,
    /// Street.
    pub address: String,
    /// Suburb.
    pub suburb: String,
    /// State.
    pub state: String,
    /// Nearest cross street.
    pub cross_street: String,
    /// Way in.
    pub entry: String,
    /// Where responders meet.
    pub rendezvous: String,
    /// What to beware of.
    pub hazards: String,
    /// Whom a responder rings with a question; never the counter's line.
    pub phone: String,
}

/// Where exactly a device is.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlaceCard {
    /// `Front counter 1`.
    pub name: String,
    /// The same in a text message, at most 20 characters.
    pub sms_name: String,
}

/// What an action plan says, step by step in the order of its rules' side.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanCard {
    /// Who approved it; empty where that is not said.
    pub approved_by: String,
    /// What responders do.
    pub responder: Vec<String>,
    /// What the centre does.
    pub centre: Vec<String>,
}

impl PlanCard {
    /// What a step says.
    pub fn says(&self, step: StepId) -> Option<&str> {
        let steps = match step.part {
            Part::Responder => &self.responder,
            Part::Centre => &self.centre,
        };
        steps.get(usize::from(step.number.checked_sub(1)?)).map(String::as_str)
    }
}

impl std::fmt::Debug for PlanCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlanCard(redacted)")
    }
}

impl std::fmt::Debug for Places {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Places({} sites, {} devices, redacted)", self.sites.len(), self.devices.len())
    }
}

impl std::fmt::Debug for SiteCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SiteCard(redacted)")
    }
}

impl std::fmt::Debug for PlaceCard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PlaceCard(redacted)")
    }
}
