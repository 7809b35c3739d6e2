//! Changes to a text at their places, so that every byte between them stays what it was.
//!
//! Knows lines and where a table's keys are, and nothing of what they mean.

use std::ops::Range;

use toml_edit::{InlineTable, Table};

use super::lines::Lines;

/// Changes to be made to a text.
pub(crate) struct Edits<'t> {
    text: &'t str,
    lines: Lines,
    /// How a line of it ends.
    end: &'static str,
    places: Vec<(Range<usize>, String)>,
    appended: String,
    /// Where each line of the changed text was; of a new one, where what it stands before was. Known once it is made.
    origins: Vec<usize>,
}

impl<'t> Edits<'t> {
    pub(crate) fn new(text: &'t str) -> Self {
        let end = if text.contains("\r\n") { "\r\n" } else { "\n" };
        Self { text, lines: Lines::of(text), end, places: Vec::new(), appended: String::new(), origins: Vec::new() }
    }

    /// Writes this in place of what is there.
    pub(crate) fn replace(&mut self, place: Range<usize>, with: &str) {
        self.places.push((place, with.to_owned()));
    }

    /// Takes out the lines on which this is, with what is noted behind it.
    pub(crate) fn take_out(&mut self, place: Range<usize>) {
        let begin = self.text.get(..place.start).and_then(|before| before.rfind('\n')).map_or(0, |end| end + 1);
        self.places.push((begin..self.line_end(place.end), String::new()));
    }

    /// Adds lines to a table that is there, behind the last of its own.
    pub(crate) fn add_lines(&mut self, table: &Table, added: &[String]) {
        if added.is_empty() {
            return;
        }
        let own = table.iter().filter_map(|(_, item)| item.as_value()?.span());
        let last = own.chain(table.span()).map(|span| span.end).max().unwrap_or(self.text.len());
        let at = self.line_end(last);
        let is_whole = self.text.get(..at).is_some_and(|before| before.ends_with('\n'));
        let first = if is_whole { "" } else { self.end };
        let lines = added.iter().fold(first.to_owned(), |lines, line| lines + line + self.end);
        self.places.push((at..at, lines));
    }

    /// Adds keys to a table that is written as one value, behind the last of its own.
    pub(crate) fn add_inline(&mut self, table: &InlineTable, added: &[String]) {
        let added = added.join(", ");
        let last = table.iter().filter_map(|(_, value)| value.span()).map(|span| span.end).max();
        match (last, table.span()) {
            (Some(end), _) => self.places.push((end..end, format!(", {added}"))),
            (None, Some(span)) => self.places.push((span, format!("{{ {added} }}"))),
            (None, None) => {}
        }
    }

    /// Adds a table of these lines behind everything.
    pub(crate) fn append(&mut self, section: &str, lines: &[String]) {
        let heading = format!("[[{section}]]");
        for line in ["", &heading].into_iter().chain(lines.iter().map(String::as_str)) {
            self.appended += line;
            self.appended += self.end;
        }
    }

    /// The text with all of it made.
    pub(crate) fn made(&mut self) -> String {
        // Of two at one place what is added goes behind what is taken out there.
        self.places.sort_by_key(|(place, _)| (place.start, place.end));
        let mut made = Made { text: String::with_capacity(self.text.len() + self.appended.len()), origins: Vec::new() };
        let mut done = 0;
        for (place, with) in &self.places {
            made.keep(self.text, done..place.start, &self.lines);
            made.write(with, self.lines.line(place.end));
            done = place.end.max(done);
        }
        made.keep(self.text, done..self.text.len(), &self.lines);
        if !self.appended.is_empty() {
            let behind = self.lines.line(self.text.len());
            if !made.begins_a_line() {
                made.write(self.end, behind);
            }
            made.write(&self.appended, behind);
        }
        self.origins = made.origins;
        made.text
    }

    /// The line that a line of the changed text had before; where it is new, the one before which it stands.
    pub(crate) fn line_before(&self, line: usize) -> usize {
        self.origins.get(line.saturating_sub(1)).copied().unwrap_or_else(|| self.lines.line(self.text.len()))
    }

    /// Where the line after that of a byte begins.
    fn line_end(&self, from: usize) -> usize {
        let rest = self.text.get(from..).unwrap_or_default();
        rest.find('\n').map_or(self.text.len(), |end| from + end + 1)
    }
}

/// The changed text while it is put together.
struct Made {
    text: String,
    /// Where each line that has begun was before.
    origins: Vec<usize>,
}

impl Made {
    /// Keeps what stands in this place of the text.
    fn keep(&mut self, text: &str, place: Range<usize>, lines: &Lines) {
        let mut at = place.start;
        for line in text.get(place).unwrap_or_default().split_inclusive('\n') {
            self.write(line, lines.line(at));
            at += line.len();
        }
    }

    /// Writes this, which stood on that line before.
    fn write(&mut self, text: &str, origin: usize) {
        for line in text.split_inclusive('\n') {
            if self.begins_a_line() {
                self.origins.push(origin);
            }
            self.text += line;
        }
    }

    fn begins_a_line(&self) -> bool {
        self.text.is_empty() || self.text.ends_with('\n')
    }
}
