//! Taking people, sites and buttons from sheets into a directory, with every other byte of the file left as somebody wrote it.
//!
//! Pure: a directory's text and sheets go in, the text that it would become and what changes come out. What it would mean is
//! found by the directory's own reader, and said by the sheet's line. A directory that could not be used is no result: the
//! station would go on by the old one while somebody believes that a number was taken. Nobody is ever taken out: who is in the
//! directory and in no row stays, and is named. Whoever loses a role to others, and is told of nothing any more, is named too.

mod column;
mod edits;
mod lines;
mod sheet;
mod subject;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{anyhow, bail};
use escalation::directory::draft::{Draft, is_one_number};
use escalation::directory::finding::{Finding, Severity};
use escalation::id::Slug;
use toml_edit::{Document, Item, Table};

pub(crate) use self::column::Column;
use self::column::Roles;
use self::edits::Edits;
use self::lines::Lines;
pub(crate) use self::sheet::{Cell, Row, Sheet};
pub(crate) use self::subject::{Key, Subject};

/// What came of taking sheets into a directory.
#[derive(Clone, Debug)]
pub(crate) struct Import {
    /// The text that the directory becomes.
    pub(crate) text: String,
    /// What each sheet changes, in the order given.
    pub(crate) sheets: Vec<Taken>,
    /// Every error of the directory as it would be, and what else is new or concerns a row. Of what a row says by the sheet's
    /// line, of anything else by the line of the directory as it is.
    pub(crate) findings: Vec<Finding>,
    /// Who would be told of nothing any more: a role of theirs is given to others.
    pub(crate) silenced: Vec<String>,
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
    /// New people who would be told of nothing: they are on no ladder that is climbed.
    pub(crate) untold: Vec<Key>,
}

/// What a row changes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Change {
    /// Its line in the sheet.
    pub(crate) line: usize,
    /// Whom or what.
    pub(crate) key: Key,
    /// Whether the directory did not know them.
    pub(crate) is_new: bool,
    /// Column by column.
    pub(crate) cells: Vec<Becomes>,
}

/// A column, what it was and what it becomes; `None` where nothing is said.
pub(crate) type Becomes = (Column, Option<String>, Option<String>);

impl Import {
    /// Takes sheets into a directory of this text; `file` is its name as findings show it.
    ///
    /// # Errors
    /// Where the directory cannot be changed without losing something of it.
    pub(crate) fn of(file: &str, text: &str, sheets: &[Sheet]) -> anyhow::Result<Self> {
        let document = parse(file, text)?;
        let mut edits = Edits::new(text);
        let (mut taken, mut wrong) = (Vec::new(), Vec::new());
        for sheet in sheets {
            let mut taking = Taking { file, text, sheet, edits: &mut edits, wrong: &mut wrong };
            taken.push(taking.all(&document)?);
        }
        let after = edits.made();
        let draft = Draft::parse(file, &after);
        wrong.extend(findings(file, text, &after, &draft.findings, sheets, &edits)?);
        let mut silenced = Vec::new();
        if let Some(draft) = &draft.draft {
            let told: BTreeSet<&str> = draft.told().into_iter().map(Slug::as_str).collect();
            for taken in taken.iter_mut().filter(|taken| taken.subject == Subject::People) {
                let new = taken.changes.iter().filter(|change| change.is_new && !told.contains(change.key.id.as_str()));
                taken.untold = new.map(|change| change.key.clone()).collect();
            }
            let before = Draft::parse(file, text).draft;
            let told_before = before.iter().flat_map(Draft::told).map(Slug::as_str);
            silenced = told_before.filter(|person| !told.contains(person)).map(str::to_owned).collect();
        }
        Ok(Self { text: after, sheets: taken, findings: wrong, silenced })
    }

    /// Whether the directory stays as it is.
    pub(crate) fn is_nothing(&self) -> bool {
        self.sheets.iter().all(|taken| taken.changes.is_empty())
    }

    /// Whether the directory could not be used as it would be, or a row cannot be taken.
    pub(crate) fn is_refused(&self) -> bool {
        self.findings.iter().any(|finding| finding.severity == Severity::Error)
    }
}

/// The directory with the place of everything in it. What is wrong is said without the line itself: there may be a number on it.
fn parse<'t>(file: &str, text: &'t str) -> anyhow::Result<Document<&'t str>> {
    Document::parse(text).map_err(|why| {
        let line = why.span().map_or(0, |span| Lines::of(text).line(span.start));
        anyhow!("{file}:{line}: nothing can be taken into this directory, because it is not TOML: {}; mend this line first", why.message())
    })
}

/// Taking one sheet.
struct Taking<'a, 't> {
    file: &'a str,
    text: &'t str,
    sheet: &'a Sheet,
    edits: &'a mut Edits<'t>,
    wrong: &'a mut Vec<Finding>,
}

impl Taking<'_, '_> {
    fn all(&mut self, document: &Document<&str>) -> anyhow::Result<Taken> {
        let (file, subject) = (self.file, self.sheet.subject);
        let section = subject.section();
        let mut known: BTreeMap<Key, &Table> = BTreeMap::new();
        match document.get(section) {
            None => {}
            Some(Item::ArrayOfTables(tables)) => {
                for table in tables {
                    if let Some(key) = key_of(subject, table) {
                        known.entry(key).or_insert(table);
                    }
                }
            }
            Some(Item::None | Item::Value(_) | Item::Table(_)) => bail!(
                "{file} does not write each {section} under a heading [[{section}]] of its own, so nothing can be added; write them so, and try again"
            ),
        }
        let mut alike: BTreeMap<String, &Key> = known.keys().map(|key| (subject.folded(key), key)).collect();
        let (mut changes, mut unchanged) = (Vec::new(), 0);
        for row in &self.sheet.rows {
            let is_new = !known.contains_key(&row.key);
            // Two that the directory has already are two, however alike they are.
            if let Some(other) = alike.insert(subject.folded(&row.key), &row.key).filter(|other| is_new && **other != row.key) {
                let what = format!("{section} \"{}\" differs from \"{other}\" by no more than its spelling", row.key);
                self.refuse(row, what, &format!("write \"{other}\" if it is the same one; give another one an id that nobody mistakes"));
            }
            let cells = match known.get(&row.key) {
                Some(table) => self.change(table, row)?,
                None => self.add(row),
            };
            if is_new || !cells.is_empty() {
                changes.push(Change { line: row.line, key: row.key.clone(), is_new, cells });
            } else {
                unchanged += 1;
            }
        }
        let rows: BTreeSet<&Key> = self.sheet.rows.iter().map(|row| &row.key).collect();
        let left = known.keys().filter(|key| !rows.contains(key)).cloned().collect();
        Ok(Taken { subject, file: self.sheet.file.clone(), changes, unchanged, left, untold: Vec::new() })
    }

    /// Writes a row's cells over what the directory says, and gives what that changes.
    fn change(&mut self, table: &Table, row: &Row) -> anyhow::Result<Vec<Becomes>> {
        let mut changed = Vec::new();
        let mut added = Vec::new();
        for (column, cell) in &row.cells {
            let Some((key, item)) = column.place(table) else {
                match cell {
                    Cell::Text(text) => {
                        added.push((column, text.as_str()));
                        changed.push((column.clone(), None, Some(text.clone())));
                    }
                    Cell::Nothing => self.refuse_nothing(row, column),
                }
                continue;
            };
            let (Some(value), Some(named), Some(span)) = (item.as_value(), key.span(), item.span()) else {
                return Err(self.unwritable(table, column));
            };
            let said = column.cell(value);
            let was = said.clone().unwrap_or_else(|| self.text.get(span.clone()).unwrap_or_default().to_owned());
            match cell {
                Cell::Text(text) if says_the_same(column, &was, text) => {}
                Cell::Text(_) if said.is_none() && matches!(column, Column::Role(_)) => {
                    let what = format!("{column} of site \"{}\" is a group's or a roster's, and a sheet has persons alone", row.key);
                    self.refuse(row, what, "leave the cell blank, or change the directory by hand");
                }
                Cell::Text(_) if self.has_notes(span.clone()) => {
                    let what = format!(
                        "{column} of {} \"{}\" has notes between its lines, which would be lost",
                        self.sheet.subject.section(),
                        row.key
                    );
                    self.refuse(row, what, "leave the cell blank, or change the directory by hand");
                }
                Cell::Text(text) => {
                    self.edits.replace(span, &column.value(text).to_string());
                    changed.push((column.clone(), Some(was), Some(text.clone())));
                }
                Cell::Nothing if !self.sheet.subject.taken_out().iter().any(|key| column.is(key)) => {
                    let what =
                        format!("{column} of {} \"{}\" is taken out of the directory by hand alone", self.sheet.subject.section(), row.key);
                    self.refuse(row, what, "leave the cell blank to leave what the directory says");
                }
                Cell::Nothing => {
                    self.edits.take_out(named.start..span.end);
                    changed.push((column.clone(), Some(was), None));
                }
            }
        }
        self.add_to(table, &added)?;
        Ok(changed)
    }

    /// Adds what a table does not say yet where it belongs.
    fn add_to(&mut self, table: &Table, added: &[(&Column, &str)]) -> anyhow::Result<()> {
        let (roles, keys): (Vec<_>, Vec<_>) = added.iter().partition(|(column, _)| column.role().is_some());
        let mut lines: Vec<String> = keys.iter().map(|(column, text)| column.line(text)).collect();
        let inner = || roles.iter().filter_map(|(column, text)| column.role_line(text)).collect::<Vec<_>>();
        if let Some((first, _)) = roles.first() {
            match Roles::of(table) {
                None => return Err(self.unwritable(table, first)),
                Some(Roles::Lines) => lines.extend(roles.iter().map(|(column, text)| column.line(text))),
                Some(Roles::Section(section)) => self.edits.add_lines(section, &inner()),
                Some(Roles::Inline(value)) => self.edits.add_inline(value, &inner()),
            }
        }
        self.edits.add_lines(table, &lines);
        Ok(())
    }

    /// Why a key cannot be changed. Without the id: this goes into the log.
    fn unwritable(&self, table: &Table, column: &Column) -> anyhow::Error {
        let line = table.span().map_or(0, |span| Lines::of(self.text).line(span.start));
        let section = self.sheet.subject.section();
        anyhow!("{}:{line}: {column} of this {section} is no value of one line; write it so first", self.file)
    }

    /// A region's role is not taken away by saying nothing of it.
    fn refuse_nothing(&mut self, row: &Row, column: &Column) {
        if column.role().is_some() {
            let what = format!("{column} of site \"{}\" is \"-\"", row.key);
            self.refuse(row, what, "write  nobody  where nobody has the role there; leave the cell blank to leave what the directory says");
        }
    }

    /// Whether somebody noted something within a value.
    fn has_notes(&self, span: std::ops::Range<usize>) -> bool {
        self.text.get(span).is_some_and(|value| value.lines().count() > 1 && value.contains('#'))
    }

    fn add(&mut self, row: &Row) -> Vec<Becomes> {
        for (column, _) in row.cells.iter().filter(|(_, cell)| *cell == Cell::Nothing) {
            self.refuse_nothing(row, column);
        }
        let said = |(column, cell): &(Column, Cell)| match cell {
            Cell::Text(text) => Some((column.clone(), text.clone())),
            Cell::Nothing => None,
        };
        let cells: Vec<(Column, String)> = row.cells.iter().filter_map(said).collect();
        let site = row.key.site.as_ref().map(|site| (Column::Key("site"), site.clone()));
        let all = site.into_iter().chain([(Column::Key("id"), row.key.id.clone())]).chain(cells.iter().cloned());
        let lines: Vec<String> = all.map(|(column, text)| column.line(&text)).collect();
        self.edits.append(self.sheet.subject.section(), &lines);
        cells.into_iter().map(|(column, text)| (column, None, Some(text))).collect()
    }

    fn refuse(&mut self, row: &Row, what: String, remedy: &str) {
        self.wrong.push(Finding {
            severity: Severity::Error,
            file: self.sheet.file.clone(),
            line: row.line,
            what,
            consequence: String::new(),
            remedy: remedy.to_owned(),
        });
    }
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

/// Whether two cells say the same: numbers are spaced by everybody in their own way.
fn says_the_same(column: &Column, one: &str, other: &str) -> bool {
    match column {
        Column::Key(key) => one.trim() == other || (*key == "mobile" && is_one_number(one, other)),
        Column::Role(_) => Column::has_the_same_people(one, other),
    }
}

/// What is to be said of the directory as it would be: every error, and of the rest what is new or concerns a row.
fn findings(file: &str, before: &str, after: &str, found: &[Finding], sheets: &[Sheet], edits: &Edits<'_>) -> anyhow::Result<Vec<Finding>> {
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    for finding in Draft::parse(file, before).findings {
        *known.entry(finding.what).or_default() += 1;
    }
    let origins = origins(file, after, sheets)?;
    let mut said = Vec::new();
    for finding in found {
        if let Some((file, line)) = origins.get(&finding.line) {
            said.push(Finding { file: (*file).to_owned(), line: *line, ..finding.clone() });
            continue;
        }
        let is_new = known.get_mut(&finding.what).is_none_or(|left| std::mem::replace(left, left.saturating_sub(1)) == 0);
        if is_new || finding.severity == Severity::Error {
            said.push(Finding { line: edits.line_before(finding.line), ..finding.clone() });
        }
    }
    Ok(said)
}

/// Which lines of a directory say what a row says: its heading, and each key that the row has a cell for.
fn origins<'s>(file: &str, text: &str, sheets: &'s [Sheet]) -> anyhow::Result<BTreeMap<usize, (&'s str, usize)>> {
    let (document, lines) = (parse(file, text)?, Lines::of(text));
    let mut origins = BTreeMap::new();
    for sheet in sheets {
        let rows: BTreeMap<&Key, &Row> = sheet.rows.iter().map(|row| (&row.key, row)).collect();
        for table in document.get(sheet.subject.section()).and_then(Item::as_array_of_tables).into_iter().flatten() {
            let Some(row) = key_of(sheet.subject, table).and_then(|key| rows.get(&key).copied()) else { continue };
            let naming = sheet.subject.naming().iter().map(|naming| Column::Key(naming));
            let columns = row.cells.iter().map(|(column, _)| column.clone()).chain(naming);
            let keys = columns.filter_map(|column| column.place(table)?.0.span());
            for span in keys.chain(table.span()) {
                origins.insert(lines.line(span.start), (sheet.file.as_str(), row.line));
            }
        }
    }
    Ok(origins)
}

#[cfg(test)]
mod tests;
