//! `[[group]]`: people who are told together, named once for every rung that tells them.
//!
//! It is nobody: once the file is read, a rung that names a group tells each of its members, and the group is gone.

use std::collections::BTreeMap;
use std::fmt;

use toml::de::DeValue;

use super::reader::{At, Section};
use crate::id::{CustomerId, GroupId, Slug};

/// Most members: more are told by no rung that somebody could still read, and each of them waits for the ones before.
const MEMBERS_MAX: usize = 100;

/// A group as the file has it.
#[derive(Clone, PartialEq, Eq)]
pub struct DraftGroup {
    /// Its id.
    pub id: GroupId,
    /// Whose; anybody's where none is named.
    pub customer: Option<At<CustomerId>>,
    /// Who is in it, in the file's order, each once.
    pub members: Vec<At<Slug>>,
    /// Where it begins.
    pub line: usize,
}

impl DraftGroup {
    pub(super) fn read(mut section: Section<'_, '_, '_>) -> Option<Self> {
        let id = section.id::<GroupId>("id");
        section.missing("id", "", "give it a short name for the rungs");
        let customer = section.id("customer");
        let members = members(&mut section);
        let line = section.line;
        section.close();
        Some(Self { id: id?.value, customer, members, line })
    }
}

fn members(section: &mut Section<'_, '_, '_>) -> Vec<At<Slug>> {
    section.missing("members", "a rung that names it would tell nobody", "add  members = [\"...\"]");
    let Some((value, line)) = section.value("members") else {
        return Vec::new();
    };
    let DeValue::Array(items) = value else {
        section.wrong_type("members", line, "a list of persons", value);
        return Vec::new();
    };
    if items.is_empty() {
        let what = section.titled("members is empty");
        section.reader.error(line, what, "a rung that names it would tell nobody", "name a person");
    } else if items.len() > MEMBERS_MAX {
        let what = section.titled(&format!("{} members are more than {MEMBERS_MAX}", items.len()));
        section.reader.error(line, what, "", "tell fewer people together, and others by a later rung");
    }
    let mut members: Vec<At<Slug>> = Vec::new();
    for word in section.list("members", items) {
        match Slug::parse(word.value) {
            Ok(id) if members.iter().any(|member| member.value == id) => {
                let what = section.titled(&format!("members: \"{id}\" is named twice"));
                section.reader.error(word.line, what, "", "name each person once");
            }
            Ok(value) => members.push(At { value, line: word.line }),
            Err(why) => {
                let what = section.titled(&format!("members: {why}"));
                section.reader.error(word.line, what, "", "write the id of a [[person]]");
            }
        }
    }
    members
}

/// Groups by id, for the rungs that name them. Of two with one id, which is an error, the first is meant.
pub(super) struct Groups<'d>(BTreeMap<&'d GroupId, &'d DraftGroup>);

impl<'d> Groups<'d> {
    pub(super) fn of(groups: &'d [DraftGroup]) -> Self {
        let mut by_id = BTreeMap::new();
        for group in groups {
            by_id.entry(&group.id).or_insert(group);
        }
        Self(by_id)
    }

    /// The group of that name.
    pub(super) fn named(&self, id: &GroupId) -> Option<&'d DraftGroup> {
        self.0.get(id).copied()
    }
}

impl fmt::Debug for DraftGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DraftGroup({}, line {}, redacted)", self.id, self.line)
    }
}
