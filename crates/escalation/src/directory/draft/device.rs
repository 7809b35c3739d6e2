//! `[[device]]`: a registered button, and where exactly it is.

use std::fmt;

use super::defaults::DraftDefaults;
use super::reader::{At, Section};
use super::sayable;
use super::supervision::UNWATCHED;
use crate::directory::Mounting;
use crate::directory::place::PlaceCard;
use crate::id::{DeviceName, LadderId, SiteId, SupervisionId};
use crate::signal::Kind;

/// A device as the file has it.
#[derive(Clone, PartialEq, Eq)]
pub struct DraftDevice {
    /// Its name within the site, as topics name it.
    pub id: DeviceName,
    /// Where.
    pub site: At<SiteId>,
    /// Its own ladder, where it differs from its site's.
    pub ladder: Option<At<LadderId>>,
    /// Whether it stays where it is; fixed where nothing is said.
    pub mounting: Mounting,
    /// What a press means that does not say; duress where nothing is said.
    pub kind: Kind,
    /// How it is watched.
    pub supervision: Option<At<SupervisionId>>,
    /// Whether it says that it is not to be.
    pub is_unwatched: bool,
    /// What may be said of it.
    pub card: PlaceCard,
    /// Where it begins.
    pub line: usize,
}

impl DraftDevice {
    pub(super) fn read(mut section: Section<'_, '_, '_>, defaults: &DraftDefaults) -> Option<Self> {
        let id = section.id::<DeviceName>("id");
        section.missing("id", "", "give it the name that its topic uses");
        let site = section.id::<SiteId>("site");
        section.missing("site", "", "name the [[site]] it is at");
        let place = section.text("place").map(|p| p.value);
        let name = place.unwrap_or_else(|| id.as_ref().map(|i| i.value.to_string()).unwrap_or_default());
        let sms_name = sayable::read(&mut section, &name);
        let ladder = section.id("ladder");
        let mounting = section.choice("mounting", &[("fixed", Mounting::Fixed), ("portable", Mounting::Portable)]);
        let kind = section.choice("kind", &[Kind::Duress, Kind::Panic, Kind::Medical, Kind::Assist].map(|k| (k.as_str(), k)));
        let supervision = section.id("supervision").or_else(|| defaults.supervision.clone());
        let is_unwatched = supervision.as_ref().is_some_and(|supervision| supervision.value.as_str() == UNWATCHED);
        section.later("adapter", "adapters named by a device are", "write an [[adapter]] rule; devices with native topics need none");
        let line = section.line;
        section.close();
        Some(Self {
            id: id?.value,
            site: site?,
            ladder,
            mounting: mounting.map_or(Mounting::Fixed, |m| m.value),
            kind: kind.map_or(Kind::Duress, |k| k.value),
            supervision: supervision.filter(|_| !is_unwatched),
            is_unwatched,
            card: PlaceCard { name, sms_name },
            line,
        })
    }
}

impl fmt::Debug for DraftDevice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DraftDevice({}/{}, line {}, redacted)", self.site.value, self.id, self.line)
    }
}
