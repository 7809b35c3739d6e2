//! `[[site]]`: where help is sent to, and what may be said of it.

use std::fmt;

use super::arrangement::Arrangement;
use super::defaults::DraftDefaults;
use super::reader::{At, Section};
use super::region::Regions;
use super::sayable;
use crate::directory::place::SiteCard;
use crate::id::{RegionId, SiteId};
use crate::roster::WallClock;
use crate::time::Seconds;
use crate::zone::Zone;

/// Above this ETA the climb goes on beside an accept, where a site says nothing else (lifecycle: 15 min).
const ETA_LIMIT: Seconds = Seconds(15 * 60);

/// A site as the file has it.
#[derive(Clone, PartialEq, Eq)]
pub struct DraftSite {
    /// Its id, as topics name it.
    pub id: SiteId,
    /// The region that says what it does not.
    pub extends: Option<At<RegionId>>,
    /// Whether it names a region in a way that nobody can read.
    pub(super) astray: bool,
    /// What it says itself.
    pub own: Arrangement,
    /// What holds there: what it says itself, else its region, else the defaults. Lines are those on which it is said.
    pub arrangement: Arrangement,
    /// What may be said of it.
    pub card: SiteCard,
    /// Where it begins.
    pub line: usize,
}

impl DraftSite {
    pub(super) fn read(mut section: Section<'_, '_, '_>, regions: &Regions<'_>, defaults: &DraftDefaults) -> Option<Self> {
        let id = section.id::<SiteId>("id");
        section.missing("id", "", "give it the name that its devices' topics use");
        let extends = section.id("extends");
        let astray = extends.is_none() && section.has("extends");
        let own = Arrangement::read(&mut section);
        // Nothing is taken over from another customer's region; that the two are not of one customer is said by the review.
        let region = regions.named(extends.as_ref()).filter(|region| !own.is_of_another_customer(&region.arrangement));
        let said = region.map_or_else(|| own.clone(), |region| own.clone().or(&region.arrangement));
        let arrangement = said.or(&defaults.arrangement());
        // A region has a zone wherever the defaults have none.
        if extends.is_none() && !astray && defaults.timezone.is_none() {
            section.missing("timezone", "messages say the local time", "add  timezone = \"Australia/Perth\"  here or under [defaults]");
        }
        let card = card(&mut section, &arrangement);
        refuse_later(&mut section);
        let line = section.line;
        section.close();
        Some(Self { id: id?.value, extends, astray, own, arrangement, card, line })
    }

    /// Above this ETA the climb goes on beside an accept.
    pub(super) fn eta_limit_s(&self) -> Seconds {
        self.arrangement.eta_limit.as_ref().map_or(ETA_LIMIT, |limit| limit.value)
    }

    /// By what the hours of rungs are read there. `None` never happens in a draft without errors: every site there has a zone.
    pub(super) fn clock(&self) -> Option<WallClock> {
        let zone = Zone::named(&self.card.timezone).ok()?;
        Some(WallClock { zone, calendar: self.arrangement.calendar.as_ref().map(|calendar| calendar.value.clone()) })
    }
}

fn card(section: &mut Section<'_, '_, '_>, arrangement: &Arrangement) -> SiteCard {
    let name = said(section, "name");
    section.missing("name", "nobody could be told where to go", "add  name = \"...\"");
    let sms_name = sayable::read(section, &name);
    let arranged = |said: &Option<At<String>>| said.as_ref().map(|text| text.value.clone()).unwrap_or_default();
    let card = SiteCard {
        name,
        sms_name,
        timezone: arranged(&arrangement.timezone),
        address: said(section, "address"),
        suburb: said(section, "suburb"),
        state: arranged(&arrangement.state),
        cross_street: said(section, "cross_street"),
        entry: said(section, "entry"),
        rendezvous: said(section, "rendezvous"),
        hazards: said(section, "hazards"),
        phone: arranged(&arrangement.phone),
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

/// Keys of a later version, which a region would have too.
pub(super) fn refuse_later(section: &mut Section<'_, '_, '_>) {
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
