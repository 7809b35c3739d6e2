//! `[[customer]]`: whose sites they are.

use super::defaults::DraftDefaults;
use super::reader::{At, Reader, Section};
use crate::id::{CentreId, CustomerId, LadderId, Prefix};

/// The id of the customer that is there where none is named.
const IMPLICIT_ID: &str = "default";
/// What its references begin with: the first letters of "activation".
const IMPLICIT_PREFIX: &str = "ACT";

/// A customer as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftCustomer {
    /// Its id.
    pub id: CustomerId,
    /// Its name; the id where none is given.
    pub name: String,
    /// What its references begin with; the first three letters of the id where none is given.
    pub prefix: At<Prefix>,
    /// The ladder of its sites where they name none.
    pub ladder: Option<At<LadderId>>,
    /// The centre asked first about old and unreadable signals.
    pub centre: Option<At<CentreId>>,
    /// Who is told of its own troubles.
    pub technical: Option<At<LadderId>>,
    /// Where it begins.
    pub line: usize,
}

impl DraftCustomer {
    pub(super) fn read(mut section: Section<'_, '_, '_>) -> Option<Self> {
        let id = section.id::<CustomerId>("id");
        section.missing("id", "", "give it a short name for references");
        let name = section.text("name");
        let prefix = section.id::<Prefix>("prefix");
        let line = section.line;
        let derived = id.as_ref().and_then(|id| derived_prefix(&id.value));
        if derived.is_none() {
            section.missing(
                "prefix",
                "references like KAL-42 begin with it, and the id has too few letters to make one",
                "add  prefix = \"KAL\"  : 2 to 6 capital letters of your choice",
            );
        }
        let ladder = section.id("ladder");
        let centre = section.id("centre");
        let technical = section.id("technical");
        section.later("jurisdiction", "jurisdictions are", "leave the key out");
        section.close();
        let id = id?.value;
        let derived = derived.map(|value| At { value, line });
        Some(Self {
            name: name.map_or_else(|| id.to_string(), |n| n.value),
            id,
            prefix: prefix.or(derived)?,
            ladder,
            centre,
            technical,
            line,
        })
    }

    /// The one customer of a directory that names none.
    pub(super) fn implicit(reader: &mut Reader<'_>, defaults: &DraftDefaults) -> Option<Self> {
        let line = defaults.prefix.as_ref().map_or(0, |p| p.line);
        let (Ok(id), Ok(prefix)) = (CustomerId::parse(IMPLICIT_ID), IMPLICIT_PREFIX.parse()) else {
            let what = "the implicit customer's own id is not one".to_owned();
            reader.error(0, what, "", "name a [[customer]]");
            return None;
        };
        Some(Self {
            name: id.to_string(),
            id,
            prefix: defaults.prefix.clone().unwrap_or(At { value: prefix, line }),
            ladder: None,
            centre: None,
            technical: None,
            line,
        })
    }
}

fn derived_prefix(id: &CustomerId) -> Option<Prefix> {
    let letters = id.as_str().chars().filter(char::is_ascii_alphabetic);
    let text: String = letters.take(3).collect::<String>().to_ascii_uppercase();
    text.parse().ok()
}
