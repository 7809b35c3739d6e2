//! `[[site]]`: where help is sent to, and what may be said of it.

use std::fmt;

use super::defaults::DraftDefaults;
use super::reader::{At, Section};
use super::{sayable, wait, zone};
use crate::directory::CloseGuard;
use crate::directory::place::SiteCard;
use crate::id::{CalendarId, CustomerId, LadderId, PlanId, SiteId};
use crate::roster::WallClock;
use crate::time::Seconds;
use crate::zone::Zone;

/// Above this ETA the climb goes on beside an accept, where a site says nothing else (lifecycle: 15 min).
const ETA_LIMIT: Seconds = Seconds(15 * 60);
/// Longest ETA limit: beyond it nobody is on the way.
const ETA_LIMIT_MAX: Seconds = Seconds(4 * 3600);

/// A site as the file has it.
#[derive(Clone, PartialEq, Eq)]
pub struct DraftSite {
    /// Its id, as topics name it.
    pub id: SiteId,
    /// Whose; the only customer's where none is named.
    pub customer: Option<At<CustomerId>>,
    /// Its ladder; the customer's where none is named.
    pub ladder: Option<At<LadderId>>,
    /// Above this ETA the climb goes on beside an accept.
    pub eta_limit_s: Seconds,
    /// Whether devices are told `received`, `responding`, `closed`.
    pub feedback: bool,
    /// When more than one person's word is needed to close a call there.
    pub close_guard: CloseGuard,
    /// What is done about a call there.
    pub plan: Option<At<PlanId>>,
    /// Whose public holidays count there.
    pub calendar: Option<At<CalendarId>>,
    /// What may be said of it.
    pub card: SiteCard,
    /// Where it begins.
    pub line: usize,
}

impl DraftSite {
    pub(super) fn read(mut section: Section<'_, '_, '_>, defaults: &DraftDefaults) -> Option<Self> {
        let id = section.id::<SiteId>("id");
        section.missing("id", "", "give it the name that its devices' topics use");
        let customer = section.id("customer");
        let ladder = section.id("ladder");
        let feedback = section.choice("feedback", &[("on", true), ("off", false)]);
        let close_guard = section
            .choice("close_guard", &[("off", CloseGuard::Off), ("after_cancel", CloseGuard::AfterCancel), ("always", CloseGuard::Always)]);
        let eta_limit = section.read("eta_limit", |text| wait::parse(text, ETA_LIMIT_MAX));
        let plan = section.id("plan").or_else(|| defaults.plan.clone());
        let calendar = section.id("calendar").or_else(|| defaults.calendar.clone());
        let card = card(&mut section, defaults);
        refuse_later(&mut section);
        let line = section.line;
        section.close();
        Some(Self {
            id: id?.value,
            customer,
            ladder,
            eta_limit_s: eta_limit.map_or(ETA_LIMIT, |e| e.value),
            feedback: feedback.is_none_or(|f| f.value),
            close_guard: close_guard.map(|g| g.value).unwrap_or_default(),
            plan,
            calendar,
            card,
            line,
        })
    }

    /// By what the hours of rungs are read there. `None` never happens in a draft without errors: every site there has a zone.
    pub(super) fn clock(&self) -> Option<WallClock> {
        let zone = Zone::named(&self.card.timezone).ok()?;
        Some(WallClock { zone, calendar: self.calendar.as_ref().map(|calendar| calendar.value.clone()) })
    }
}

fn card(section: &mut Section<'_, '_, '_>, defaults: &DraftDefaults) -> SiteCard {
    let name = said(section, "name");
    section.missing("name", "nobody could be told where to go", "add  name = \"...\"");
    let sms_name = sayable::read(section, &name);
    let timezone = section.read("timezone", zone::parse);
    if defaults.timezone.is_none() {
        section.missing("timezone", "messages say the local time", "add  timezone = \"Australia/Perth\"  here or under [defaults]");
    }
    let timezone = timezone.or_else(|| defaults.timezone.clone());
    let card = SiteCard {
        name,
        sms_name,
        timezone: timezone.map(|z| z.value).unwrap_or_default(),
        address: said(section, "address"),
        suburb: said(section, "suburb"),
        state: said(section, "state"),
        cross_street: said(section, "cross_street"),
        entry: said(section, "entry"),
        rendezvous: said(section, "rendezvous"),
        hazards: said(section, "hazards"),
        phone: said(section, "phone"),
    };
    if section.absent("address") {
        let what = section.titled("there is no address");
        section.reader.warn(
            section.line,
            what,
            "whoever goes, and the police, would have to know the place by its name",
            "add  address = \"...\", suburb, state and cross_street",
        );
    }
    card
}

fn said(section: &mut Section<'_, '_, '_>, key: &'static str) -> String {
    section.text(key).map(|t| t.value).unwrap_or_default()
}

fn refuse_later(section: &mut Section<'_, '_, '_>) {
    const LEAVE_OUT: &str = "leave the key out";
    section.later("type", "types of sites are", LEAVE_OUT);
    section.later("lat", "positions of sites are", "say it in words under entry");
    section.later("lon", "positions of sites are", "say it in words under entry");
    section.later("callback", "rules for calling back are", "leave the key out: the counter is never called");
    section.later("callback_number", "rules for calling back are", "use phone for the number a responder rings");
    section.later("hours", "opening hours are", "write hours at the rungs that hold by them");
    section.later("staffing_min", "staffing rules are", LEAVE_OUT);
}

impl fmt::Debug for DraftSite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DraftSite({}, line {}, redacted)", self.id, self.line)
    }
}
