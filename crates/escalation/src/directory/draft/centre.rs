//! `[[centre]]`: a monitoring centre.

use super::reader::{At, Section};
use crate::id::{CarrierName, CentreId};

/// A centre as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftCentre {
    /// Its id.
    pub id: CentreId,
    /// Its name; the id where none is given.
    pub name: String,
    /// The `name` of the `[[webhook]]` in the settings that reaches it. Whether that exists only the settings know.
    pub webhook: Option<At<CarrierName>>,
    /// Where it begins.
    pub line: usize,
}

impl DraftCentre {
    pub(super) fn read(mut section: Section<'_, '_, '_>) -> Option<Self> {
        let id = section.id::<CentreId>("id");
        section.missing("id", "", "give it a short name for the ladders");
        let name = section.text("name");
        let webhook = section.id("webhook");
        let line = section.line;
        section.close();
        let id = id?.value;
        Some(Self { name: name.map_or_else(|| id.to_string(), |n| n.value), id, webhook, line })
    }
}
