//! What is arranged for a site: whose it is, and how its calls are handled. A site says it itself or leaves it to its region.
//!
//! Only what can be true of several places is here. Where a place is, how one gets in and what to beware of is said by each
//! site itself: an address that was taken over from somewhere else would send help there.

use super::reader::{At, Section};
use super::roles::DraftRoles;
use super::{wait, zone};
use crate::directory::CloseGuard;
use crate::id::{CalendarId, CustomerId, LadderId, PlanId};
use crate::time::Seconds;

/// Longest ETA limit: beyond it nobody is on the way.
const ETA_LIMIT_MAX: Seconds = Seconds(4 * 3600);

/// What is arranged for a site, as far as it is said.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Arrangement {
    /// Whose.
    pub customer: Option<At<CustomerId>>,
    /// Which ladder a press there climbs.
    pub ladder: Option<At<LadderId>>,
    /// Whether devices are told `received`, `responding`, `closed`.
    pub feedback: Option<At<bool>>,
    /// When more than one person's word is needed to close a call there.
    pub close_guard: Option<At<CloseGuard>>,
    /// Above this ETA the climb goes on beside an accept.
    pub eta_limit: Option<At<Seconds>>,
    /// What is done about a call there.
    pub plan: Option<At<PlanId>>,
    /// Whose public holidays count there.
    pub calendar: Option<At<CalendarId>>,
    /// Its zone, by the canonical IANA name.
    pub timezone: Option<At<String>>,
    /// In which state it is.
    pub state: Option<At<String>>,
    /// Whom a responder rings with a question.
    pub phone: Option<At<String>>,
    /// Who has which part there.
    pub roles: DraftRoles,
}

impl Arrangement {
    pub(super) fn read(section: &mut Section<'_, '_, '_>) -> Self {
        Self {
            customer: section.id("customer"),
            ladder: section.id("ladder"),
            feedback: section.choice("feedback", &[("on", true), ("off", false)]),
            close_guard: section.choice(
                "close_guard",
                &[("off", CloseGuard::Off), ("after_cancel", CloseGuard::AfterCancel), ("always", CloseGuard::Always)],
            ),
            eta_limit: section.read("eta_limit", |text| wait::parse(text, ETA_LIMIT_MAX)),
            plan: section.id("plan"),
            calendar: section.id("calendar"),
            timezone: section.read("timezone", zone::parse),
            state: section.text("state"),
            phone: section.text("phone"),
            roles: DraftRoles::read(section),
        }
    }

    /// This, and where it says nothing what `other` says.
    pub(super) fn or(self, other: &Self) -> Self {
        Self {
            customer: self.customer.or_else(|| other.customer.clone()),
            ladder: self.ladder.or_else(|| other.ladder.clone()),
            feedback: self.feedback.or_else(|| other.feedback.clone()),
            close_guard: self.close_guard.or_else(|| other.close_guard.clone()),
            eta_limit: self.eta_limit.or_else(|| other.eta_limit.clone()),
            plan: self.plan.or_else(|| other.plan.clone()),
            calendar: self.calendar.or_else(|| other.calendar.clone()),
            timezone: self.timezone.or_else(|| other.timezone.clone()),
            state: self.state.or_else(|| other.state.clone()),
            phone: self.phone.or_else(|| other.phone.clone()),
            roles: self.roles.or(&other.roles),
        }
    }

    /// Whether it names another customer than `other` does.
    pub(super) fn is_of_another_customer(&self, other: &Self) -> bool {
        let both = self.customer.as_ref().zip(other.customer.as_ref());
        both.is_some_and(|(own, theirs)| own.value != theirs.value)
    }
}
