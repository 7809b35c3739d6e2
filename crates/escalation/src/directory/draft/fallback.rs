//! `[fallback]`: whose a press is that names a site nobody knows.

use super::reader::{At, Section};
use crate::id::{CustomerId, LadderId};

/// The fallback as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftFallback {
    /// Whose activation it becomes; the only customer's where none is named.
    pub customer: Option<At<CustomerId>>,
    /// Which ladder it climbs.
    pub ladder: At<LadderId>,
    /// Where it begins.
    pub line: usize,
}

impl DraftFallback {
    pub(super) fn read(mut section: Section<'_, '_, '_>) -> Option<Self> {
        let customer = section.id("customer");
        let ladder = section.id("ladder");
        section.missing("ladder", "", "name the ladder that such a press climbs");
        let line = section.line;
        section.close();
        Some(Self { customer, ladder: ladder?, line })
    }
}
