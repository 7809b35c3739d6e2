//! `[defaults]`: what holds where a customer or a site says nothing.

use super::arrangement::Arrangement;
use super::reader::{At, Section};
use super::zone;
use crate::id::{CalendarId, CentreId, LadderId, PlanId, Prefix, SupervisionId};

/// What holds where a customer or a site says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DraftDefaults {
    /// The prefix of references where no customer is named.
    pub prefix: Option<At<Prefix>>,
    /// The zone of sites, by its canonical IANA name.
    pub timezone: Option<At<String>>,
    /// Whose public holidays count at sites.
    pub calendar: Option<At<CalendarId>>,
    /// The ladder of customers.
    pub ladder: Option<At<LadderId>>,
    /// The action plan of sites.
    pub plan: Option<At<PlanId>>,
    /// How devices are watched.
    pub supervision: Option<At<SupervisionId>>,
    /// The centre of customers.
    pub centre: Option<At<CentreId>>,
}

impl DraftDefaults {
    pub(super) fn read(mut section: Section<'_, '_, '_>) -> Self {
        let read = Self {
            prefix: section.id("prefix"),
            timezone: section.read("timezone", zone::parse),
            calendar: section.id("calendar"),
            ladder: section.id("ladder"),
            plan: section.id("plan"),
            supervision: section.id("supervision"),
            centre: section.id("centre"),
        };
        section.close();
        read
    }

    /// What holds at a site of which neither it nor its region says more. The ladder is left to its customer.
    pub(super) fn arrangement(&self) -> Arrangement {
        Arrangement { timezone: self.timezone.clone(), calendar: self.calendar.clone(), plan: self.plan.clone(), ..Arrangement::default() }
    }
}
