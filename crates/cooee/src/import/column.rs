//! A column of a sheet: one key of the directory, or who has a role at a site.

use std::collections::BTreeSet;
use std::fmt;

use toml_edit::{Array, InlineTable, Item, Key, Table, Value};

/// What the cells of a column say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// A key that takes a text.
    Key(&'static str),
    /// Who has this role: `roles.warden`.
    Role(String),
}

/// What a cell of a role's column says where nobody has it.
const NOBODY: &str = "nobody";

impl Column {
    /// The column of a heading; `known` are the keys that the sheet may have, and `has_roles` whether it may say who has a role.
    pub(crate) fn named(heading: &str, known: &[&'static str], has_roles: bool) -> Option<Self> {
        let heading = heading.trim();
        if has_roles && let Some((_, role)) = heading.split_once('.').filter(|(roles, _)| roles.eq_ignore_ascii_case("roles")) {
            return Some(Self::Role(role.to_owned()));
        }
        let plain = heading.to_lowercase().replace([' ', '-'], "_");
        known.iter().find(|key| **key == plain).map(|key| Self::Key(key))
    }

    /// Whether it is this key.
    pub(crate) fn is(&self, key: &str) -> bool {
        match self {
            Self::Key(own) => *own == key,
            Self::Role(_) => false,
        }
    }

    /// What a cell becomes in the directory.
    pub(crate) fn value(&self, cell: &str) -> Value {
        match self {
            Self::Key(_) => Value::from(cell),
            Self::Role(_) => Value::Array(people(cell).into_iter().collect::<Array>()),
        }
    }

    /// The line that says it in a table of its own.
    pub(crate) fn line(&self, cell: &str) -> String {
        match self {
            Self::Key(key) => format!("{key} = {}", self.value(cell)),
            Self::Role(role) => format!("roles.{} = {}", Key::new(role), self.value(cell)),
        }
    }

    /// The role, where it is one's.
    pub(crate) fn role(&self) -> Option<&str> {
        match self {
            Self::Key(_) => None,
            Self::Role(role) => Some(role),
        }
    }

    /// The line that says it in a table of roles.
    pub(crate) fn role_line(&self, cell: &str) -> Option<String> {
        Some(format!("{} = {}", Key::new(self.role()?), self.value(cell)))
    }

    /// What a value of the directory says, as a cell would; `None` where no cell could.
    pub(crate) fn cell(&self, value: &Value) -> Option<String> {
        match self {
            Self::Key(_) => value.as_str().map(str::to_owned),
            Self::Role(_) => {
                let people = value.as_array()?.iter().map(Value::as_str).collect::<Option<Vec<_>>>()?;
                Some(if people.is_empty() { NOBODY.to_owned() } else { people.join(" ") })
            }
        }
    }

    /// Whether two cells say the same of a role, in whatever order: a rung tells all of them at once.
    pub(crate) fn has_the_same_people(one: &str, other: &str) -> bool {
        let set = |cell| people(cell).into_iter().collect::<BTreeSet<_>>();
        set(one) == set(other)
    }

    /// Where a table of the directory says it.
    pub(crate) fn place<'t>(&self, table: &'t Table) -> Option<(&'t Key, &'t Item)> {
        match self {
            Self::Key(key) => table.get_key_value(key),
            Self::Role(role) => table.get("roles")?.as_table_like()?.get_key_value(role),
        }
    }
}

/// Where a site that says something of its roles says more of them.
pub(crate) enum Roles<'t> {
    /// Nowhere yet, or each on a line of the site.
    Lines,
    /// Under a heading of their own.
    Section(&'t Table),
    /// All in one value.
    Inline(&'t InlineTable),
}

impl<'t> Roles<'t> {
    /// Of a site's table; `None` where they are written in no way that the directory takes.
    pub(crate) fn of(table: &'t Table) -> Option<Self> {
        match table.get("roles") {
            None | Some(Item::None) => Some(Self::Lines),
            Some(Item::Table(roles)) if roles.is_dotted() => Some(Self::Lines),
            Some(Item::Table(roles)) => Some(Self::Section(roles)),
            Some(Item::Value(Value::InlineTable(roles))) if roles.is_dotted() => Some(Self::Lines),
            Some(Item::Value(Value::InlineTable(roles))) => Some(Self::Inline(roles)),
            Some(Item::Value(_) | Item::ArrayOfTables(_)) => None,
        }
    }
}

/// The ids in a cell, however somebody keeps them apart.
fn people(cell: &str) -> Vec<&str> {
    if cell.eq_ignore_ascii_case(NOBODY) {
        return Vec::new();
    }
    cell.split([' ', ',', ';', '\n', '\r', '\t']).filter(|id| !id.is_empty()).collect()
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => f.write_str(key),
            Self::Role(role) => write!(f, "roles.{role}"),
        }
    }
}
