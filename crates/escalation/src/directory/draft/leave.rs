//! `[[leave]]`: when a person is away from every roster.

use std::fmt;

use super::reader::{At, Section};
use super::wall;
use crate::id::Slug;
use crate::roster::Leave;

/// A leave as the file has it.
#[derive(Clone, PartialEq, Eq)]
pub struct DraftLeave {
    /// Whose.
    pub person: At<Slug>,
    /// When.
    pub leave: Leave,
}

impl DraftLeave {
    pub(super) fn read(mut section: Section<'_, '_, '_>) -> Option<Self> {
        let person = section.id::<Slug>("person");
        section.missing("person", "", "add  person = \"...\"");
        let span = wall::span(&mut section);
        section.close();
        let (from, until) = span?;
        Some(Self { person: person?, leave: Leave { from, until } })
    }
}

impl fmt::Debug for DraftLeave {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DraftLeave(line {}, redacted)", self.person.line)
    }
}
