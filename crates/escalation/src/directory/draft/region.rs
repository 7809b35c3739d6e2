//! `[[region]]`: what several sites of a customer have alike, said once.
//!
//! It is no place and no level of its own: once the file is read, each of its sites has what the region says and the region is
//! gone. A region extends no other, so that nobody follows a chain of them.

use std::collections::BTreeMap;
use std::fmt;

use super::arrangement::Arrangement;
use super::defaults::DraftDefaults;
use super::reader::{At, Section};
use super::site;
use crate::id::RegionId;

/// What is said of one place alone.
const OF_ONE_PLACE: [&str; 7] = ["address", "suburb", "cross_street", "entry", "rendezvous", "hazards", "sms_name"];

/// A region as the file has it.
#[derive(Clone, PartialEq, Eq)]
pub struct DraftRegion {
    /// Its id.
    pub id: RegionId,
    /// What holds at its sites where they say nothing.
    pub arrangement: Arrangement,
    /// Where it begins.
    pub line: usize,
}

impl DraftRegion {
    pub(super) fn read(mut section: Section<'_, '_, '_>, defaults: &DraftDefaults) -> Option<Self> {
        let id = section.id::<RegionId>("id");
        section.missing("id", "", "give it a short name for its sites to extend");
        let arrangement = Arrangement::read(&mut section);
        if defaults.timezone.is_none() {
            section.missing(
                "timezone",
                "a site that names none would have no clock",
                "add  timezone = \"Australia/Perth\"  here or under [defaults]",
            );
        }
        section.refuse("name", "a region is shown nowhere", "leave the key out");
        section.refuse("extends", "a region extends no other", "write into one region what both say");
        for key in OF_ONE_PLACE {
            section.refuse(key, "that is of one place, and help would be sent to the wrong one", "write it at each site");
        }
        site::refuse_later(&mut section);
        let line = section.line;
        section.close();
        Some(Self { id: id?.value, arrangement, line })
    }
}

/// Regions by id, for the sites that extend them. Of two with one id, which is an error, the first is meant.
pub(super) struct Regions<'d>(BTreeMap<&'d RegionId, &'d DraftRegion>);

impl<'d> Regions<'d> {
    pub(super) fn of(regions: &'d [DraftRegion]) -> Self {
        let mut by_id = BTreeMap::new();
        for region in regions {
            by_id.entry(&region.id).or_insert(region);
        }
        Self(by_id)
    }

    /// The region of that name.
    pub(super) fn named(&self, named: Option<&At<RegionId>>) -> Option<&'d DraftRegion> {
        named.and_then(|id| self.0.get(&id.value).copied())
    }
}

impl fmt::Debug for DraftRegion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DraftRegion({}, line {}, redacted)", self.id, self.line)
    }
}
