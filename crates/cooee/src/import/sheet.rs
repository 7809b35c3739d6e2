//! A sheet: people, sites or buttons as a spreadsheet program saves them, one row each.
//!
//! Every mistake is a finding with the sheet's own line. It knows which columns there are and nothing of what they mean: what
//! a cell says is judged by the directory's own reader once it stands in the directory.

use std::collections::BTreeMap;

use escalation::directory::finding::{Finding, Severity};
use escalation::id::RoleName;

use super::column::Column;
use super::lines::Lines;
use super::subject::{Key, Subject};

/// A sheet that could be read.
#[derive(Clone, Debug)]
pub(crate) struct Sheet {
    /// What it is about.
    pub(crate) subject: Subject,
    /// Its name, as findings show it.
    pub(crate) file: String,
    /// Its rows, in its order.
    pub(crate) rows: Vec<Row>,
}

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row {
    /// Its line in the sheet, counted from 1; its first one where a cell has several.
    pub(crate) line: usize,
    /// Whom or what it is about.
    pub(crate) key: Key,
    /// What it says beside that, in the sheet's order.
    pub(crate) cells: Vec<(Column, Cell)>,
}

/// What a cell says. One that is blank says nothing and is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Cell {
    /// This text.
    Text(String),
    /// That the directory is to say nothing.
    Nothing,
}

/// What stands in a cell that takes a key out of the directory.
pub(crate) const NOTHING: &str = "-";

/// What people write where they do not know; somebody may be called so.
const UNKNOWN: [&str; 8] = ["n/a", "na", "nil", "none", "tba", "tbc", "tbd", "unknown"];

/// What a spreadsheet program leaves in a cell that it could not work out.
const FAILED: [&str; 7] = ["#REF!", "#N/A", "#NAME?", "#VALUE!", "#NUM!", "#DIV/0!", "#NULL!"];

const SAVE_AS: &str = "save it again as \"CSV UTF-8\"";

impl Sheet {
    /// Reads a sheet as it was saved: separated by commas, semicolons or tabs, whichever its first line has.
    ///
    /// # Errors
    /// Everything that is wrong with it, by line. Nothing of such a sheet is taken.
    pub(crate) fn read(subject: Subject, file: &str, bytes: &[u8]) -> Result<Self, Vec<Finding>> {
        let mut reading = Reading { subject, file, text: "", lines: Lines::of(""), findings: Vec::new() };
        let rows = reading.rows(bytes);
        if reading.findings.is_empty() { Ok(Self { subject, file: file.to_owned(), rows }) } else { Err(reading.findings) }
    }
}

/// A sheet while it is read.
struct Reading<'f> {
    subject: Subject,
    file: &'f str,
    text: &'f str,
    lines: Lines,
    findings: Vec<Finding>,
}

impl<'f> Reading<'f> {
    fn rows(&mut self, bytes: &'f [u8]) -> Vec<Row> {
        let Some(text) = self.text(bytes) else { return Vec::new() };
        self.text = text;
        self.lines = Lines::of(text);
        let separator = separator(text);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(separator).from_reader(text.as_bytes());
        let mut records = Vec::new();
        for record in reader.records() {
            match record {
                Ok(record) => records.push(record),
                Err(why) => {
                    self.wrong(1, format!("this is no row of a CSV file: {why}"), SAVE_AS);
                }
            }
        }
        let mut records = records.into_iter().filter(|record| record.iter().any(|cell| !cell.trim().is_empty()));
        let Some(mut heading) = records.next() else {
            self.wrong(1, "there is nothing in it".to_owned(), "give it a first line with the names of its columns");
            return Vec::new();
        };
        if heading.get(0).is_some_and(|cell| cell.trim().to_lowercase().starts_with("sep=")) {
            self.wrong(self.line_of(&heading), "the first line names a separator and no columns".to_owned(), "take that line out");
            return Vec::new();
        }
        // Columns without a name to the right of the others are what a program writes of a sheet that once was wider.
        let width = heading.len();
        let used = heading.iter().enumerate().filter(|(_, name)| !name.trim().is_empty()).last().map_or(0, |(last, _)| last + 1);
        heading.truncate(used);
        let Some(columns) = self.columns(&heading) else { return Vec::new() };
        let mut rows: Vec<Row> = Vec::new();
        let mut seen = BTreeMap::new();
        for record in records {
            let Some(row) = self.row(&columns, width, &record) else { continue };
            if let Some(first) = seen.insert(row.key.clone(), row.line) {
                let what = format!("{} is there twice; first on line {first}", self.called(&row.key));
                self.wrong(row.line, what, "leave one of the two");
            }
            rows.push(row);
        }
        rows
    }

    fn text<'t>(&mut self, bytes: &'t [u8]) -> Option<&'t str> {
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains('\0') => Some(text),
            Ok(_) => {
                self.wrong(1, "this is no CSV file: there are null characters in it".to_owned(), SAVE_AS);
                None
            }
            Err(why) => {
                let before = bytes.get(..why.valid_up_to()).unwrap_or_default();
                let line = Lines::of(std::str::from_utf8(before).unwrap_or_default()).line(before.len());
                let what = "there are letters on this line that are not UTF-8, so a name would be written wrongly".to_owned();
                self.wrong(line, what, SAVE_AS);
                None
            }
        }
    }

    /// The column that each place of a row belongs to; `None` where that cannot be said.
    fn columns(&mut self, heading: &csv::StringRecord) -> Option<Vec<Column>> {
        let line = self.line_of(heading);
        let known = self.subject.columns();
        let has_roles = self.subject.has_roles();
        let mut columns: Vec<Column> = Vec::new();
        for name in heading {
            match Column::named(name, known, has_roles) {
                None => {
                    let what = format!("a column is called \"{}\", and {} have none of that name", clipped(name), self.subject.words());
                    let roles = if has_roles { ", or roles.NAME" } else { "" };
                    self.wrong(line, what, &format!("take it out, or name it one of: {}{roles}", known.join(", ")));
                }
                Some(Column::Role(role)) if RoleName::parse(&role).is_err() => {
                    let what = format!("a column is called \"{}\", which names no role", clipped(name));
                    self.wrong(line, what, "name the role as a rung of the ladder does:  roles.warden");
                }
                Some(column) if columns.contains(&column) => {
                    self.wrong(line, format!("two columns are called \"{column}\""), "leave one of the two");
                }
                Some(column) => columns.push(column),
            }
        }
        for naming in self.subject.naming().iter().filter(|naming| !columns.iter().any(|column| column.is(naming))) {
            let what = format!("there is no column \"{naming}\", so nobody could say which of the {} a row is", self.subject.words());
            self.wrong(line, what, "add it: its cells are the names that the directory uses");
        }
        self.findings.is_empty().then_some(columns)
    }

    fn row(&mut self, columns: &[Column], width: usize, record: &csv::StringRecord) -> Option<Row> {
        let line = self.line_of(record);
        let beyond = record.iter().skip(columns.len()).any(|cell| !cell.trim().is_empty());
        // A row of another width is one whose cells may stand under other names than they were written for.
        if record.len() != width || beyond {
            let what = format!("this row has {} cells, and the first line has {width}", record.len());
            self.wrong(
                line,
                what,
                "put a text with a comma in it between double quotes, with no blank before the first; save the sheet anew",
            );
            return None;
        }
        // Behind a comma without quotation marks around it the rest of a text begins with a blank, and moves every other cell.
        for (column, _) in columns.iter().zip(record).filter(|(_, cell)| cell.starts_with(char::is_whitespace) && !cell.trim().is_empty()) {
            let what = format!("{column} begins with a blank");
            self.wrong(line, what, "take it out; a text with a comma in it stands between double quotes");
        }
        let said: Vec<(&Column, &str)> =
            columns.iter().zip(record).map(|(column, cell)| (column, cell.trim())).filter(|(_, cell)| !cell.is_empty()).collect();
        let of = |key: &str| said.iter().find(|(column, _)| column.is(key)).map(|(_, cell)| *cell);
        for naming in self.subject.naming() {
            if of(naming).is_none_or(|said| said == NOTHING) {
                self.wrong(line, format!("this row has no {naming}"), "write it, or take the row out");
                return None;
            }
        }
        let naming = |column: &str| of(column).unwrap_or_default().to_owned();
        let site = (self.subject == Subject::Devices).then(|| naming("site"));
        let key = Key { site, id: naming("id") };
        let others = said.iter().filter(|(column, _)| !self.subject.naming().iter().any(|naming| column.is(naming)));
        let cell = |text: &str| if text == NOTHING { Cell::Nothing } else { Cell::Text(text.to_owned()) };
        let cells: Vec<(Column, Cell)> = others.map(|(column, said)| ((*column).clone(), cell(said))).collect();
        for (column, cell) in &cells {
            if let Cell::Text(text) = cell {
                self.doubt(line, column, text);
            }
        }
        Some(Row { line, key, cells })
    }

    /// Says so where a cell holds what a spreadsheet program made of something else.
    fn doubt(&mut self, line: usize, column: &Column, text: &str) {
        let is_number = column.is("mobile") || column.is("phone");
        let as_text = "format that column as text, write the number again, and save";
        if text.chars().all(|c| c == '#') || FAILED.contains(&text) {
            self.wrong(
                line,
                format!("{column} is \"{}\", which the spreadsheet program wrote in place of something", clipped(text)),
                as_text,
            );
        } else if !text.contains(char::is_alphanumeric) || (!column.is("name") && UNKNOWN.contains(&text.to_lowercase().as_str())) {
            let what = format!("{column} is \"{}\"", clipped(text));
            self.wrong(line, what, "leave the cell blank to leave what the directory says; write - to take a text out");
        } else if text.starts_with('"') {
            let what = format!("{column} begins with a quotation mark");
            self.wrong(line, what, "let no blank stand between the comma and the quotation mark");
        } else if is_number && is_rounded(text) {
            self.wrong(line, format!("{column} was rounded by the spreadsheet program: its last digits are lost"), as_text);
        } else if is_number && !text.contains(|c: char| c.is_ascii_digit()) {
            self.wrong(line, format!("{column} has no digit in it"), "write the number; leave the cell blank where it is not known");
        } else if is_number && lost_its_zero(text) {
            let what = format!("{column} has no 0 or + in front: the spreadsheet program may have cut it off, or it has no area code");
            self.wrong(line, what, "format that column as text, write the number again with its area code, and save");
        }
    }

    /// The line on which a row begins: where the last one ended there may be blank lines.
    fn line_of(&self, record: &csv::StringRecord) -> usize {
        let ended = record.position().and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or_default();
        let blank = self.text.as_bytes().iter().skip(ended).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        self.lines.line(ended + blank)
    }

    fn called(&self, key: &Key) -> String {
        format!("{} \"{key}\"", self.subject.section())
    }

    fn wrong(&mut self, line: usize, what: String, remedy: &str) {
        self.findings.push(Finding {
            severity: Severity::Error,
            file: self.file.to_owned(),
            line,
            what,
            consequence: String::new(),
            remedy: remedy.to_owned(),
        });
    }
}

/// What separates the cells: spreadsheet programs write semicolons where a comma is the decimal point.
fn separator(text: &str) -> u8 {
    let heading = text.split(['\n', '\r']).find(|line| !line.trim().is_empty()).unwrap_or_default();
    let count = |separator: u8| heading.bytes().filter(|byte| *byte == separator).count();
    [b',', b';', b'\t'].into_iter().rev().max_by_key(|separator| count(*separator)).unwrap_or(b',')
}

/// Whether this is a long number as spreadsheet programs shorten it: `6.14916E+10`.
fn is_rounded(text: &str) -> bool {
    let upper = text.to_uppercase().replace(',', ".");
    let Some((digits, exponent)) = upper.split_once("E+") else { return false };
    let is_number = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.');
    is_number(digits) && is_number(exponent)
}

/// Whether this is a number that begins as none does that somebody dials.
fn lost_its_zero(text: &str) -> bool {
    let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.')).collect();
    // Emergency, service and 13.../1800... numbers begin with a digit, and those of four figures are extensions.
    digits.len() > 6 && digits.chars().all(|c| c.is_ascii_digit()) && !digits.starts_with(['0', '1'])
}

/// So much of a text as a line has room for.
fn clipped(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(40).collect()
}
