//! `roles` of a site or its region: who has which part there, for the ladders that ask for it.
//!
//! It is nobody by itself: once the file is read, a ladder that asks for roles is there once for each site, and tells whoever
//! has them there.

use std::collections::BTreeMap;
use std::fmt;

use toml::de::DeValue;

use super::reader::{At, Section, Wrong};
use crate::id::{GroupId, RoleName, RosterId, Slug};

/// Most persons, groups and rosters that have one role: more are a group.
const HOLDERS_MAX: usize = 20;

/// Who has which role.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct DraftRoles {
    by_name: BTreeMap<RoleName, DraftRole>,
    /// Whether they are written in a way that nobody can read, so that nothing of them is missing.
    pub(super) astray: bool,
}

/// Who has one role at a site. Nobody, where the site says so.
#[derive(Clone, PartialEq, Eq)]
pub struct DraftRole {
    /// Each of them once, in the file's order.
    pub holders: Vec<At<Holder>>,
    /// Where the role is named.
    pub line: usize,
    /// Whether all of it could be read.
    pub(super) sound: bool,
}

/// Who has a role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A person.
    Person(Slug),
    /// Each member of a group.
    Group(GroupId),
    /// Whoever is on duty there.
    Roster(RosterId),
}

impl DraftRoles {
    pub(super) fn read(section: &mut Section<'_, '_, '_>) -> Self {
        let read = section.lists("roles", |roles, name, list| {
            let errors_before = roles.reader.errors();
            let role = match RoleName::parse(name.value) {
                Ok(role) => role,
                Err(why) => {
                    let what = roles.titled(&why.to_string());
                    roles.reader.error(name.line, what, "", "name the role in that form");
                    return None;
                }
            };
            let person = |text: &str| match Slug::parse(text) {
                Ok(id) => Ok(Holder::Person(id)),
                Err(why) => Err(Wrong::new(format!("is no person: {why}"), "write the id of a [[person]]")),
            };
            let read = roles.items(role.as_str(), list, person, Holder::read);
            let holders = each_once(roles, &role, read);
            if holders.len() > HOLDERS_MAX {
                let what = roles.titled(&format!("{role} is had by {}; more than {HOLDERS_MAX} are", holders.len()));
                roles.reader.error(name.line, what, "", "tell fewer people together, and others by a later rung");
            }
            let sound = roles.reader.errors() == errors_before;
            Some((role, DraftRole { holders, line: name.line, sound }))
        });
        let is_table = section.table_itself().get("roles").is_none_or(|roles| matches!(roles.get_ref(), DeValue::Table(_)));
        Self { by_name: read.into_iter().collect(), astray: !is_table }
    }

    /// Each of them, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&RoleName, &DraftRole)> {
        self.by_name.iter()
    }

    /// Who has a role; `None` where nobody said who.
    pub fn get(&self, role: &RoleName) -> Option<&DraftRole> {
        self.by_name.get(role)
    }

    /// These, and where they say nothing of a role what `other` says of it.
    #[must_use]
    pub(super) fn or(mut self, other: &Self) -> Self {
        self.astray |= other.astray;
        for (role, had) in &other.by_name {
            self.by_name.entry(role.clone()).or_insert_with(|| had.clone());
        }
        self
    }
}

impl Holder {
    fn read(mut section: Section<'_, '_, '_>) -> Option<Self> {
        let group = section.id::<GroupId>("group");
        let roster = section.id::<RosterId>("roster");
        if section.has("group") == section.has("roster") {
            let what = section.titled("it names neither a group nor a roster, or both");
            let line = section.line;
            section.reader.error(line, what, "", "write one of  { group = \"...\" }  { roster = \"...\" }; a person's id stands by itself");
        }
        section.close();
        group.map(|group| Self::Group(group.value)).or_else(|| roster.map(|roster| Self::Roster(roster.value)))
    }
}

fn each_once(roles: &mut Section<'_, '_, '_>, role: &RoleName, read: Vec<At<Holder>>) -> Vec<At<Holder>> {
    let mut holders: Vec<At<Holder>> = Vec::new();
    for holder in read {
        if holders.iter().any(|known| known.value == holder.value) {
            let what = roles.titled(&format!("{role} names {} twice", holder.value));
            roles.reader.error(holder.line, what, "", "name each once");
        } else {
            holders.push(holder);
        }
    }
    holders
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(id) => write!(f, "person \"{id}\""),
            Self::Group(id) => write!(f, "group \"{id}\""),
            Self::Roster(id) => write!(f, "roster \"{id}\""),
        }
    }
}

impl fmt::Debug for DraftRoles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DraftRoles({}, redacted)", self.by_name.len())
    }
}

impl fmt::Debug for DraftRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DraftRole(line {}, redacted)", self.line)
    }
}
