//! Reading a TOML table key by key, so that every mistake has a line and no key goes unread.
//!
//! A [`Section`] remembers which keys it was asked for; [`Section::close`] reports the rest with the nearest known one.
//! It knows nothing of what a directory means.

use std::collections::BTreeSet;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::nearest::nearest;
use crate::directory::finding::{Finding, Severity};

/// A value and the line it stands on, counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Its line.
    pub line: usize,
}

/// Why a value cannot be taken, and what to write instead.
pub(super) struct Wrong {
    pub(super) what: String,
    pub(super) remedy: String,
}

impl Wrong {
    pub(super) fn new(what: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), remedy: remedy.into() }
    }
}

/// One file being read, and what was found so far.
pub(super) struct Reader<'f> {
    file: &'f str,
    starts: Vec<usize>,
    whole: bool,
    findings: Vec<Finding>,
    errors: usize,
}

impl<'f> Reader<'f> {
    /// `whole` is false where the text is broken TOML: a key that seems to be missing may then just be unread.
    pub(super) fn new(file: &'f str, text: &str, whole: bool) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, b)| *b == b'\n');
        Self { file, starts: std::iter::once(0).chain(ends.map(|(i, _)| i + 1)).collect(), whole, findings: Vec::new(), errors: 0 }
    }

    /// The line, counted from 1, of a byte.
    pub(super) fn line_of(&self, offset: usize) -> usize {
        self.starts.partition_point(|start| *start <= offset)
    }

    pub(super) fn error(&mut self, line: usize, what: String, consequence: &str, remedy: &str) {
        self.add(Severity::Error, line, what, consequence, remedy);
    }

    pub(super) fn warn(&mut self, line: usize, what: String, consequence: &str, remedy: &str) {
        self.add(Severity::Warning, line, what, consequence, remedy);
    }

    fn add(&mut self, severity: Severity, line: usize, what: String, consequence: &str, remedy: &str) {
        self.errors += usize::from(severity == Severity::Error);
        self.findings.push(Finding {
            severity,
            file: self.file.to_owned(),
            line,
            what,
            consequence: consequence.to_owned(),
            remedy: remedy.to_owned(),
        });
    }

    /// How many errors were found so far.
    pub(super) fn errors(&self) -> usize {
        self.errors
    }

    /// Everything found, by line, each once; what was found first comes first within a line.
    pub(super) fn into_findings(mut self) -> Vec<Finding> {
        self.findings.sort_by_key(|f| f.line);
        let mut said = BTreeSet::new();
        let new = self.findings.iter().map(|f| said.insert((f.line, &f.what, &f.consequence))).collect::<Vec<_>>();
        let mut new = new.into_iter();
        self.findings.retain(|_| new.next().unwrap_or(true));
        self.findings
    }
}

/// One table of the file.
pub(super) struct Section<'r, 'f, 't> {
    pub(super) reader: &'r mut Reader<'f>,
    table: &'t DeTable<'t>,
    /// How findings call it: `person "j-smith"`; empty for the file itself.
    pub(super) title: String,
    /// Where it begins.
    pub(super) line: usize,
    known: Vec<&'static str>,
    refused: Vec<&'static str>,
}

impl<'r, 'f, 't> Section<'r, 'f, 't> {
    pub(super) fn whole_file(reader: &'r mut Reader<'f>, table: &'t DeTable<'_>) -> Self {
        Self { reader, table, title: String::new(), line: 0, known: Vec::new(), refused: Vec::new() }
    }

    /// The table as TOML gives it.
    pub(super) fn table_itself(&self) -> &'t DeTable<'t> {
        self.table
    }

    /// Whether the key is written at all.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Whether the key is certainly not written: in broken TOML it may just be unread.
    pub(super) fn absent(&self, key: &str) -> bool {
        self.reader.whole && !self.has(key)
    }

    /// Whether there is certainly no `[[key]]`.
    pub(super) fn none_of(&self, key: &str) -> bool {
        match self.table.get(key).map(Spanned::get_ref) {
            Some(DeValue::Array(items)) => items.is_empty(),
            Some(_) => false,
            None => self.reader.whole,
        }
    }

    /// A text that is not blank, on one line.
    pub(super) fn text(&mut self, key: &'static str) -> Option<At<String>> {
        self.read(key, |text| {
            if text.trim().is_empty() {
                return Err(Wrong::new("is empty", "write it out or leave the key out"));
            }
            if text.chars().any(char::is_control) {
                return Err(Wrong::new("has a line break or a control character in it", "write it on one line"));
            }
            Ok(text.trim().to_owned())
        })
    }

    /// A text that `FromStr` takes; its error is shown, and it says what is allowed.
    pub(super) fn id<T>(&mut self, key: &'static str) -> Option<At<T>>
    where
        T: FromStrLike,
    {
        self.read(key, |text| T::from_text(text).map_err(|why| Wrong::new(why, "write it in that form")))
    }

    /// A text that `parse` takes.
    pub(super) fn read<T>(&mut self, key: &'static str, parse: impl FnOnce(&str) -> Result<T, Wrong>) -> Option<At<T>> {
        let (value, line) = self.value(key)?;
        let DeValue::String(text) = value else {
            self.wrong_type(key, line, "a text in quotes", value);
            return None;
        };
        match parse(text) {
            Ok(value) => Some(At { value, line }),
            Err(wrong) => {
                let what = self.titled(&format!("{key} {}", wrong.what));
                self.reader.error(line, what, "", &wrong.remedy);
                None
            }
        }
    }

    /// A text out of a fixed set.
    pub(super) fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<At<T>> {
        self.read(key, |text| {
            if let Some((_, value)) = choices.iter().find(|(name, _)| *name == text) {
                return Ok(*value);
            }
            let names: Vec<_> = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect();
            Err(Wrong::new(format!("\"{}\" is none of the choices", clipped(text)), format!("write {}", names.join(" or "))))
        })
    }

    /// The value of a key as TOML gives it, with its line.
    pub(super) fn value(&mut self, key: &'static str) -> Option<(&'t DeValue<'t>, usize)> {
        if !self.known.contains(&key) && !self.refused.contains(&key) {
            self.known.push(key);
        }
        let value = self.table.get(key)?;
        Some((value.get_ref(), self.reader.line_of(value.span().start)))
    }

    /// Says that a key is required and not there. `need` says what it is for.
    pub(super) fn missing(&mut self, key: &str, need: &str, remedy: &str) {
        if self.absent(key) {
            let what = self.titled(&format!("{key} is missing"));
            self.reader.error(self.line, what, need, remedy);
        }
    }

    /// A key whose rules are not written yet: known, and refused.
    pub(super) fn later(&mut self, key: &'static str, nouns: &str, remedy: &str) {
        self.refuse(key, &format!("{nouns} not in this version"), remedy);
    }

    /// A key that has no place here: known, and refused for a reason.
    pub(super) fn refuse(&mut self, key: &'static str, why: &str, remedy: &str) {
        self.refused.push(key);
        if let Some((_, line)) = self.value(key) {
            let what = self.titled(&format!("{key}: {why}"));
            self.reader.error(line, what, "", remedy);
        }
    }

    /// One sub-table: `[fallback]`.
    pub(super) fn table(&mut self, key: &'static str) -> Option<Section<'_, 'f, 't>> {
        let (value, line) = self.value(key)?;
        let DeValue::Table(table) = value else {
            self.wrong_type(key, line, &format!("a table: [{key}]"), value);
            return None;
        };
        Some(Section { title: key.to_owned(), table, line, known: Vec::new(), refused: Vec::new(), reader: &mut *self.reader })
    }

    /// Every table of an array, read by `read`: `[[person]]`. Those it gives up on have said why.
    pub(super) fn each<T>(&mut self, key: &'static str, mut read: impl FnMut(Section<'_, 'f, 't>) -> Option<T>) -> Vec<T> {
        let Some((value, line)) = self.value(key) else {
            return Vec::new();
        };
        let DeValue::Array(items) = value else {
            self.wrong_type(key, line, &format!("tables: [[{key}]]"), value);
            return Vec::new();
        };
        let mut found = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let line = self.reader.line_of(item.span().start);
            let DeValue::Table(table) = item.get_ref() else {
                self.wrong_type(key, line, "a table", item.get_ref());
                continue;
            };
            let title = self.child_title(key, index, table);
            found.extend(read(Section { title, table, line, known: Vec::new(), refused: Vec::new(), reader: &mut *self.reader }));
        }
        found
    }

    /// Every item of a list that has texts and tables side by side: `["...", { step = "..." }]`.
    pub(super) fn texts_or_tables<T>(
        &mut self,
        key: &'static str,
        text: impl FnMut(&str) -> Result<T, Wrong>,
        table: impl FnMut(Section<'_, 'f, 't>) -> Option<T>,
    ) -> Vec<T> {
        let Some((value, line)) = self.value(key) else {
            return Vec::new();
        };
        let items = self.items(key, (value, line), text, table);
        items.into_iter().map(|item| item.value).collect()
    }

    /// Every list of a table whose keys are names that the file makes up: `roles = { warden = ["..."] }`. `list` has the name
    /// and its line, and reads the items with [`Self::items`].
    pub(super) fn lists<T>(
        &mut self,
        key: &'static str,
        mut list: impl FnMut(&mut Section<'_, 'f, 't>, At<&str>, (&'t DeValue<'t>, usize)) -> Option<T>,
    ) -> Vec<T> {
        let title = self.title.clone();
        let Some(mut section) = self.table(key) else {
            return Vec::new();
        };
        section.title = if title.is_empty() { key.to_owned() } else { format!("{title}, {key}") };
        let mut found = Vec::new();
        for (name, value) in section.table {
            let at = At { value: name.get_ref().as_ref(), line: section.reader.line_of(name.span().start) };
            let line = section.reader.line_of(value.span().start);
            found.extend(list(&mut section, at, (value.get_ref(), line)));
        }
        found
    }

    /// The items of a list that has texts and tables side by side, each with its line.
    pub(super) fn items<T>(
        &mut self,
        key: &str,
        (value, line): (&'t DeValue<'t>, usize),
        mut text: impl FnMut(&str) -> Result<T, Wrong>,
        mut table: impl FnMut(Section<'_, 'f, 't>) -> Option<T>,
    ) -> Vec<At<T>> {
        let DeValue::Array(items) = value else {
            self.wrong_type(key, line, "a list", value);
            return Vec::new();
        };
        let mut found = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let line = self.reader.line_of(item.span().start);
            match item.get_ref() {
                DeValue::String(words) => match text(words) {
                    Ok(value) => found.push(At { value, line }),
                    Err(wrong) => {
                        let what = self.titled(&format!("{key} {} {}", index + 1, wrong.what));
                        self.reader.error(line, what, "", &wrong.remedy);
                    }
                },
                DeValue::Table(fields) => {
                    let title = self.child_title(key, index, fields);
                    let read =
                        table(Section { title, table: fields, line, known: Vec::new(), refused: Vec::new(), reader: &mut *self.reader });
                    found.extend(read.map(|value| At { value, line }));
                }
                DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) => {
                    self.wrong_type(key, line, "a text in quotes, or a table", item.get_ref());
                }
            }
        }
        found
    }

    /// `true` or `false`.
    pub(super) fn flag(&mut self, key: &'static str) -> Option<At<bool>> {
        let (value, line) = self.value(key)?;
        let DeValue::Boolean(value) = value else {
            self.wrong_type(key, line, "true or false", value);
            return None;
        };
        Some(At { value: *value, line })
    }

    /// A whole number from 1.
    pub(super) fn count(&mut self, key: &'static str) -> Option<At<u32>> {
        let (value, line) = self.value(key)?;
        let DeValue::Integer(number) = value else {
            self.wrong_type(key, line, "a number", value);
            return None;
        };
        let read = u32::from_str_radix(number.as_str(), number.radix()).ok().filter(|number| *number > 0);
        if read.is_none() {
            let what = self.titled(&format!("{key} is not a whole number from 1"));
            self.reader.error(line, what, "", "write 1, 2, 3 ...");
        }
        Some(At { value: read?, line })
    }

    /// A list of text, each with its line.
    pub(super) fn list(&mut self, key: &'static str, items: &'t [Spanned<DeValue<'t>>]) -> Vec<At<&'t str>> {
        let mut found = Vec::new();
        for item in items {
            let line = self.reader.line_of(item.span().start);
            let DeValue::String(text) = item.get_ref() else {
                self.wrong_type(key, line, "a text in quotes", item.get_ref());
                continue;
            };
            let value = text.as_ref();
            found.push(At { value, line });
        }
        found
    }

    /// Reports every key that nobody asked for, and gives the reader back.
    pub(super) fn close(self) -> &'r mut Reader<'f> {
        for key in self.table.keys() {
            let name = key.get_ref().as_ref();
            if self.known.contains(&name) || self.refused.contains(&name) {
                continue;
            }
            let what = self.titled(&format!("\"{}\" is not a known key", clipped(name)));
            let remedy = match nearest(name, self.known.iter().chain(&self.refused).copied()) {
                Some(known) => format!("did you mean \"{known}\"? nothing unknown is ever ignored"),
                None => format!("the keys here are {}", self.known.join(", ")),
            };
            let line = self.reader.line_of(key.span().start);
            self.reader.error(line, what, "", &remedy);
        }
        self.reader
    }

    pub(super) fn wrong_type(&mut self, key: &str, line: usize, wanted: &str, value: &DeValue<'_>) {
        let what = self.titled(&format!("{key} is {}, not {wanted}", type_of(value)));
        self.reader.error(line, what, "", "write it in that form");
    }

    /// `what` with the section's title before it.
    pub(super) fn titled(&self, what: &str) -> String {
        if self.title.is_empty() { what.to_owned() } else { format!("{}: {what}", self.title) }
    }

    fn child_title(&self, key: &str, index: usize, table: &DeTable<'_>) -> String {
        let name = match table.get("id").map(Spanned::get_ref) {
            Some(DeValue::String(id)) => format!("{key} \"{}\"", clipped(id)),
            Some(_) | None => format!("{key} {}", index + 1),
        };
        if self.title.is_empty() { name } else { format!("{}, {name}", self.title) }
    }
}

/// What a text becomes; like [`FromStr`], with an error that can be shown.
pub(super) trait FromStrLike: Sized {
    fn from_text(text: &str) -> Result<Self, String>;
}

macro_rules! from_slug {
    ($($name:ty),*) => {$(
        impl FromStrLike for $name {
            fn from_text(text: &str) -> Result<Self, String> {
                <$name>::parse(text).map_err(|why| why.to_string())
            }
        }
    )*};
}

from_slug!(
    crate::id::Slug,
    crate::id::CustomerId,
    crate::id::RegionId,
    crate::id::GroupId,
    crate::id::SiteId,
    crate::id::DeviceName,
    crate::id::RoleName,
    crate::id::CentreId,
    crate::id::CarrierName,
    crate::id::RosterId,
    crate::id::CalendarId,
    crate::id::ScheduleId,
    crate::id::PlanId,
    crate::id::SupervisionId
);

impl FromStrLike for crate::id::LadderId {
    /// A ladder as a site fills it is named by nobody.
    fn from_text(text: &str) -> Result<Self, String> {
        crate::id::Slug::parse(text).map(Self::from).map_err(|why| why.to_string())
    }
}

impl FromStrLike for crate::id::Prefix {
    fn from_text(text: &str) -> Result<Self, String> {
        Self::from_str(text).map_err(|why| why.to_string())
    }
}

/// At most 64 characters of a text that may be anything, without control characters.
pub(super) fn clipped(text: &str) -> String {
    text.chars().take(64).filter(|c| !c.is_control()).collect()
}

fn type_of(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a text",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}
