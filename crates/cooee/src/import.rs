//! Taking people, sites and buttons from sheets into a directory, with everything else in the file left as somebody wrote it.
//!
//! Pure: a directory's text and sheets go in, the text that it would become and what changes come out. What it would mean is
//! found by the directory's own reader, and said by the sheet's line. Nobody is ever taken out: who is in the directory and in
//! no row stays, and is named.

mod sheet;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, bail};
use escalation::directory::draft::Draft;
use escalation::directory::finding::{Finding, Severity};
use toml_edit::{ArrayOfTables, Document, DocumentMut, Item, Table, Value};

pub(crate) use sheet::{Cell, Key, Row, Sheet, Subject};

/// What came of taking sheets into a directory.
#[derive(Clone, Debug)]
pub(crate) struct Import {
    /// The text that the directory becomes.
    pub(crate) text: String,
    /// What each sheet changes, in the order given.
    pub(crate) sheets: Vec<Taken>,
    /// What the directory's reader says that it did not say before; of a row, by the sheet's line.
    pub(crate) findings: Vec<Finding>,
}

/// What became of one sheet.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    /// What it is about.
    pub(crate) subject: Subject,
    /// Its name.
    pub(crate) file: String,
    /// Rows that change the directory, in the sheet's order.
    pub(crate) changes: Vec<Change>,
    /// Rows that say what the directory says already.
    pub(crate) unchanged: usize,
    /// Who or what is in the directory and in no row.
    pub(crate) left: Vec<Key>,
}

/// What a row changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Its line in the sheet.
    pub(crate) line: u64,
    /// Whom or what.
    pub(crate) key: Key,
    /// Whether the directory did not know them.
    pub(crate) is_new: bool,
    /// Column by column: what it was and what it becomes; `None` where nothing is said.
    pub(crate) cells: Vec<(&'static str, Option<String>, Option<String>)>,
}

impl Import {
    /// Takes sheets into a directory of this text; `file` is its name as findings show it.
    ///
    /// # Errors
    /// Where the directory cannot be changed without losing something of it.
    pub(crate) fn of(file: &str, text: &str, sheets: &[Sheet]) -> anyhow::Result<Self> {
        // The first line of a file that an editor of another system wrote.
        let plain = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut document: DocumentMut =
            plain.parse().with_context(|| format!("{file} cannot be changed, because it is not TOML; mend it first"))?;
        let taken: Vec<Taken> = sheets.iter().map(|sheet| take(&mut document, file, sheet)).collect::<anyhow::Result<_>>()?;
        let changes = taken.iter().any(|taken| !taken.changes.is_empty());
        let after = if changes { document.to_string() } else { text.to_owned() };
        let findings = what_is_new(file, text, &after, sheets)?;
        Ok(Self { text: after, sheets: taken, findings })
    }

    /// Whether the directory stays as it is.
    pub(crate) fn is_nothing(&self) -> bool {
        self.sheets.iter().all(|taken| taken.changes.is_empty())
    }

    /// Whether the directory could not be adopted for something that it now says.
    pub(crate) fn is_refused(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}

fn take(document: &mut DocumentMut, file: &str, sheet: &Sheet) -> anyhow::Result<Taken> {
    let section = sheet.subject.section();
    let known = match document.entry(section).or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new())) {
        Item::ArrayOfTables(tables) => tables,
        Item::None | Item::Value(_) | Item::Table(_) => bail!(
            "{file} does not write each {section} under a heading [[{section}]] of its own, so nothing can be added; write them so, and try again"
        ),
    };
    let mut places: BTreeMap<Key, usize> = BTreeMap::new();
    for (place, table) in known.iter().enumerate() {
        if let Some(key) = key_of(sheet.subject, table) {
            places.entry(key).or_insert(place);
        }
    }
    let (mut changes, mut unchanged) = (Vec::new(), 0);
    for row in &sheet.rows {
        let place = places.get(&row.key).copied();
        let mut fresh = None;
        let table = match place.and_then(|place| known.get_mut(place)) {
            Some(table) => table,
            None => fresh.insert(named(&row.key)),
        };
        let cells = write(table, row);
        let is_new = fresh.is_some();
        if let Some(fresh) = fresh {
            known.push(fresh);
        }
        if is_new || !cells.is_empty() {
            changes.push(Change { line: row.line, key: row.key.clone(), is_new, cells });
        } else {
            unchanged += 1;
        }
    }
    let named: BTreeSet<&Key> = sheet.rows.iter().map(|row| &row.key).collect();
    let left = places.into_keys().filter(|key| !named.contains(key)).collect();
    Ok(Taken { subject: sheet.subject, file: sheet.file.clone(), changes, unchanged, left })
}

/// Who or what a table of the directory is about; `None` where it does not say, which its reader finds.
fn key_of(subject: Subject, table: &Table) -> Option<Key> {
    let said = |name: &str| Some(table.get(name)?.as_str()?.to_owned());
    let site = match subject {
        Subject::People | Subject::Sites => None,
        Subject::Devices => Some(said("site")?),
    };
    Some(Key { site, id: said("id")? })
}

/// A new table that says whom or what it is about, behind a blank line.
fn named(key: &Key) -> Table {
    let mut table = Table::new();
    table.decor_mut().set_prefix("\n");
    if let Some(site) = &key.site {
        table.insert("site", Item::Value(Value::from(site.as_str())));
    }
    table.insert("id", Item::Value(Value::from(key.id.as_str())));
    table
}

/// Writes a row's cells over what a table says, and gives what that changed. Comments stay.
fn write(table: &mut Table, row: &Row) -> Vec<(&'static str, Option<String>, Option<String>)> {
    let mut changed = Vec::new();
    for (column, cell) in &row.cells {
        let was = table.get(column).map(|item| item.as_str().map_or_else(|| item.to_string().trim().to_owned(), str::to_owned));
        match cell {
            Cell::Nothing if was.is_none() => {}
            Cell::Nothing => {
                table.remove(column);
                changed.push((*column, was, None));
            }
            Cell::Text(text) if was.as_deref().is_some_and(|was| says_the_same(column, was, text)) => {}
            Cell::Text(text) => {
                let mut value = Value::from(text.as_str());
                if let Some(before) = table.get(column).and_then(Item::as_value) {
                    *value.decor_mut() = before.decor().clone();
                }
                table.insert(column, Item::Value(value));
                changed.push((*column, was, Some(text.clone())));
            }
        }
    }
    changed
}

/// Whether two cells say the same: numbers are spaced by everybody in their own way.
fn says_the_same(column: &str, one: &str, other: &str) -> bool {
    let dialled = |number: &str| {
        let compact: String = number.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.')).collect();
        compact.strip_prefix("04").map(|rest| format!("+614{rest}")).unwrap_or(compact)
    };
    one.trim() == other || (column == "mobile" && dialled(one) == dialled(other))
}

/// What the directory's reader says of the text as it becomes and did not say of it before.
fn what_is_new(file: &str, before: &str, after: &str, sheets: &[Sheet]) -> anyhow::Result<Vec<Finding>> {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for finding in Draft::parse(file, before).findings {
        *known.entry(finding.what).or_default() += 1;
    }
    let origins = Origins::of(after, sheets)?;
    let mut found = Vec::new();
    for finding in Draft::parse(file, after).findings {
        match known.get_mut(&finding.what).filter(|left| **left > 0) {
            Some(left) => *left -= 1,
            None => found.push(origins.placed(finding)),
        }
    }
    Ok(found)
}

/// Which lines of a directory come from which rows.
struct Origins<'s> {
    /// By the first line of everything in the file that has a heading.
    rows: BTreeMap<usize, Option<(&'s str, u64)>>,
}

impl<'s> Origins<'s> {
    fn of(text: &str, sheets: &'s [Sheet]) -> anyhow::Result<Self> {
        let document = Document::parse(text).context("read the directory as it would become")?;
        let ends: Vec<usize> = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at).collect();
        let line = |offset: usize| ends.partition_point(|end| *end < offset) + 1;
        let mut rows = BTreeMap::new();
        for (section, item) in document.iter() {
            match item {
                Item::Table(table) => drop(table.span().map(|span| rows.insert(line(span.start), None))),
                Item::ArrayOfTables(tables) => {
                    let sheet = sheets.iter().filter(|sheet| sheet.subject.section() == section);
                    let by_key: BTreeMap<&Key, (&str, u64)> =
                        sheet.flat_map(|sheet| sheet.rows.iter().map(|row| (&row.key, (sheet.file.as_str(), row.line)))).collect();
                    let subject = sheets.iter().map(|sheet| sheet.subject).find(|subject| subject.section() == section);
                    for table in tables {
                        let Some(span) = table.span() else { continue };
                        let key = subject.and_then(|subject| key_of(subject, table));
                        rows.insert(line(span.start), key.and_then(|key| by_key.get(&key).copied()));
                    }
                }
                Item::None | Item::Value(_) => {}
            }
        }
        Ok(Self { rows })
    }

    /// A finding by the line of the row that it comes from, where it does.
    fn placed(&self, finding: Finding) -> Finding {
        match self.rows.range(..=finding.line).next_back() {
            Some((_, Some((file, line)))) => {
                Finding { file: (*file).to_owned(), line: usize::try_from(*line).unwrap_or(usize::MAX), ..finding }
            }
            Some((_, None)) | None => finding,
        }
    }
}

#[cfg(test)]
mod tests;
