//! `[[ladder]]` as it is climbed: who is asked, in which order. A ladder that asks for roles is there once for each site.

use super::reader::At;
use crate::id::{CentreId, CustomerId, GroupId, LadderId, RoleName, RosterId, Slug};
use crate::ladder::{Medium, Need, When};
use crate::roster::OnHolidays;
use crate::time::Seconds;

/// A ladder of persons, centres and rosters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftLadder {
    /// Its id; with the site's where that fills its roles.
    pub id: LadderId,
    /// What the file calls it.
    pub named: LadderId,
    /// Whose; anybody's where none is named.
    pub customer: Option<At<CustomerId>>,
    /// From the first to be told to the last.
    pub rungs: Vec<DraftRung>,
    /// Where it begins.
    pub line: usize,
    /// Whether everything in it could be read; whom it reaches is judged only then.
    pub(super) sound: bool,
}

/// A rung of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftRung {
    /// Which rung of the file's it is, from 1. Where a site leaves one empty, those above it keep their number here.
    pub number: usize,
    /// Who; of a group each of its members.
    pub targets: Vec<DraftTarget>,
    /// The groups that it names, whether they are there or not.
    pub groups: Vec<At<GroupId>>,
    /// How long, in seconds, before the next rung is told as well.
    pub wait_s: Seconds,
    /// When it applies.
    pub when: When,
    /// How many people have to accept.
    pub need: Need,
    /// Where it begins.
    pub line: usize,
}

/// One party of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftTarget {
    /// Who.
    pub who: DraftWho,
    /// Channels: the outer list is fallback in order, an inner list is together. `None`: what they have.
    pub by: Option<Vec<Vec<Medium>>>,
    /// The group that they are told as a member of.
    pub group: Option<GroupId>,
    /// The role that they are told for.
    pub role: Option<RoleName>,
    /// The line that names them; the site's or its region's where they have a role there.
    pub line: usize,
}

/// A party by its id in the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DraftWho {
    /// A person.
    Person(Slug),
    /// A centre.
    Centre(CentreId),
    /// Whoever is on duty there.
    Roster(RosterId),
}

impl DraftLadder {
    /// Whether a site fills it.
    pub(super) fn is_filled(&self) -> bool {
        self.id != self.named
    }
}

impl DraftRung {
    /// Whether a public holiday changes when it applies.
    pub(super) fn asks_about_holidays(&self) -> bool {
        self.when.hours.as_ref().is_some_and(|hours| hours.holidays != OnHolidays::On)
    }
}

impl DraftTarget {
    /// The roster, where it is one.
    pub(super) fn roster(&self) -> Option<&RosterId> {
        match &self.who {
            DraftWho::Roster(id) => Some(id),
            DraftWho::Person(_) | DraftWho::Centre(_) => None,
        }
    }

    /// As what they are told, where it is not said of themselves: ` of group "wardens"`.
    pub(super) fn told_as(&self) -> String {
        let group = self.group.as_ref().map(|group| format!(" of group \"{group}\"")).unwrap_or_default();
        let role = self.role.as_ref().map(|role| format!(" in role \"{role}\"")).unwrap_or_default();
        group + &role
    }
}
