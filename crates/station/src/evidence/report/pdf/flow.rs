//! Flow: a report laid out on sheets of A4, from the top to the bottom, and the parts that it is made of for whoever has it read aloud.
//!
//! No row is cut between two sheets unless it is longer than one, and a table says its columns again on each. All lengths are points.

use qrcode::{Color, EcLevel, QrCode};

use super::NotTypeset;
use super::face::{Case, Face};
use crate::evidence::report::{Block, Fact, Paper, Table};

/// A4.
pub(super) const WIDTH: f32 = 595.28;
pub(super) const HEIGHT: f32 = 841.89;
/// 17 mm on both sides.
pub(super) const MARGIN: f32 = 48.0;
const TOP: f32 = 52.0;
const BOTTOM: f32 = HEIGHT - 62.0;
const INNER: f32 = WIDTH - 2.0 * MARGIN;

const TITLE: Style = Style { face: Face::Bold, size: 20.0, leading: 26.0 };
const HEADING: Style = Style { face: Face::Bold, size: 11.5, leading: 16.0 };
const WORDS: Style = Style { face: Face::Regular, size: 9.0, leading: 12.5 };
const WARNING: Style = Style { face: Face::Bold, size: 9.0, leading: 12.5 };
const NAME: Style = Style { face: Face::Bold, size: 8.5, leading: 12.0 };
const VALUE: Style = Style { face: Face::Regular, size: 8.5, leading: 12.0 };
const CELL: Style = Style { face: Face::Regular, size: 7.8, leading: 10.2 };
const COLUMN: Style = Style { face: Face::Bold, size: 7.8, leading: 10.2 };
const TYPED: Style = Style { face: Face::Mono, size: 7.2, leading: 10.2 };

/// Between two columns.
const GAP: f32 = 7.0;
/// Above and below the text of a row.
const ROW_PAD: f32 = 2.4;
/// How wide the names of facts are.
const NAMES: f32 = 104.0;
/// What stays free below a heading, at the least: the words below it and some rows.
const KEPT_TOGETHER: f32 = 92.0;
/// A word of more letters without a space is a hash or a key.
const WORD_MAX: usize = 40;
/// How wide the square with the root is.
const SQUARE: f32 = 112.0;
/// Modules that stay white around it (ISO/IEC 18004).
const QUIET: u16 = 4;

/// How a text is set.
#[derive(Clone, Copy, Debug)]
struct Style {
    face: Face,
    size: f32,
    leading: f32,
}

/// A part that may be read aloud: its pieces bear its number.
pub(super) type Leaf = usize;

/// One sheet.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub(super) pieces: Vec<Piece>,
}

/// Something on a sheet. What belongs to no part is an ornament.
#[derive(Debug)]
pub(super) enum Piece {
    /// A line of text, from its left end on its baseline.
    Text { x: f32, y: f32, face: Face, size: f32, text: String, leaf: Option<Leaf> },
    /// A filled rectangle, from its upper left corner; how light it is, from 0.
    Bar { x: f32, y: f32, width: f32, height: f32, light: u8 },
    /// Filled squares of one size.
    Squares { x: f32, y: f32, side: f32, dark: Vec<(u16, u16)>, leaf: Leaf },
}

/// What the report is made of, in the order in which it is read.
#[derive(Debug)]
pub(super) enum Part {
    /// The title.
    Title { text: String, leaf: Leaf },
    /// The heading of a section, and where it is.
    Heading { text: String, leaf: Leaf, sheet: usize, y: f32 },
    /// Words.
    Words { leaf: Leaf },
    /// A picture, and what it says.
    Picture { says: String, leaf: Leaf },
    /// A table: of each row its cells, and which of them name others.
    Table { rows: Vec<Vec<(Names, Leaf)>> },
}

/// Whether a cell names others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// It is what is named.
    Nothing,
    /// Those beside it.
    Row,
    /// Those below it.
    Column,
}

/// A report on sheets.
pub(super) struct Laid {
    pub(super) sheets: Vec<Sheet>,
    pub(super) parts: Vec<Part>,
    pub(super) leaves: usize,
}

/// Lays a report out.
pub(super) fn lay_out(case: &Case, paper: &Paper) -> Result<Laid, NotTypeset> {
    let mut flow = Flow { case, sheets: vec![Sheet::default()], parts: Vec::new(), leaves: 0, y: TOP };
    flow.opening(paper)?;
    for section in &paper.sections {
        flow.heading(section.title);
        for block in &section.blocks {
            match block {
                Block::Says(words) => flow.words(WORDS, words),
                Block::Warns(words) => flow.words(WARNING, words),
                Block::Facts(facts) => flow.facts(facts, INNER),
                Block::Table(table) => flow.table(table),
            }
        }
    }
    let Flow { sheets, parts, leaves, .. } = flow;
    Ok(Laid { sheets, parts, leaves })
}

struct Flow<'a> {
    case: &'a Case,
    sheets: Vec<Sheet>,
    parts: Vec<Part>,
    leaves: usize,
    /// How far the last sheet is filled.
    y: f32,
}

/// Lines of one cell, and how they are set.
struct Cell {
    style: Style,
    lines: Vec<String>,
}

impl Flow<'_> {
    fn leaf(&mut self) -> Leaf {
        self.leaves += 1;
        self.leaves - 1
    }

    fn put(&mut self, piece: Piece) {
        if let Some(sheet) = self.sheets.last_mut() {
            sheet.pieces.push(piece);
        }
    }

    fn turn(&mut self) {
        self.sheets.push(Sheet::default());
        self.y = TOP;
    }

    /// Title, what stands below it, and beside that the root as a square.
    fn opening(&mut self, paper: &Paper) -> Result<(), NotTypeset> {
        let text = self.case.spelled(TITLE.face, &paper.title);
        let leaf = self.leaf();
        self.line(TITLE, MARGIN, &text, Some(leaf));
        self.parts.push(Part::Title { text, leaf });
        self.y += 4.0;
        self.put(Piece::Bar { x: MARGIN, y: self.y, width: INNER, height: 1.2, light: 0 });
        self.y += 12.0;
        let top = self.y;
        self.facts(&paper.head, INNER - SQUARE - 24.0);
        let below = self.y;
        self.y = top;
        self.seal(paper)?;
        self.y = self.y.max(below) + 4.0;
        Ok(())
    }

    fn seal(&mut self, paper: &Paper) -> Result<(), NotTypeset> {
        let seal = &paper.seal;
        let signed = format!("{}\n{}\n{}\n", seal.origin, seal.size, seal.root);
        let code = QrCode::with_error_correction_level(&signed, EcLevel::M).map_err(|_| NotTypeset::Square)?;
        let across = u16::try_from(code.width()).map_err(|_| NotTypeset::Square)?;
        let places = (0..across).flat_map(|row| (0..across).map(move |column| (column, row)));
        let dark = places.zip(code.to_colors()).filter(|(_, color)| *color == Color::Dark).map(|(place, _)| place).collect();
        let side = SQUARE / f32::from(across + 2 * QUIET);
        let leaf = self.leaf();
        let left = WIDTH - MARGIN - SQUARE;
        let quiet = side * f32::from(QUIET);
        self.put(Piece::Squares { x: left + quiet, y: self.y, side, dark, leaf });
        self.parts
            .push(Part::Picture { says: format!("The three lines that were signed, as a QR code: {}", signed.replace('\n', " ")), leaf });
        self.y += SQUARE - 2.0 * quiet + 10.0;
        let leaf = self.leaf();
        for (face, text) in [
            (Face::Bold, "What was signed".to_owned()),
            (Face::Regular, seal.origin.clone()),
            (Face::Regular, format!("{} entries, with the root", seal.size)),
            (Face::Mono, seal.root.clone()),
        ] {
            let style = Style { face, size: 6.6, leading: 9.0 };
            let spelled = self.case.spelled(face, &text);
            for line in self.case.wrapped(face, style.size, &spelled, SQUARE - 2.0 * quiet) {
                self.line(style, left + quiet, &line, Some(leaf));
            }
        }
        self.parts.push(Part::Words { leaf });
        Ok(())
    }

    fn heading(&mut self, title: &str) {
        self.y += 14.0;
        if self.y + KEPT_TOGETHER > BOTTOM {
            self.turn();
        }
        let (sheet, y) = (self.sheets.len().saturating_sub(1), self.y);
        let text = self.case.spelled(HEADING.face, title);
        let leaf = self.leaf();
        self.line(HEADING, MARGIN, &text, Some(leaf));
        self.parts.push(Part::Heading { text, leaf, sheet, y });
        self.put(Piece::Bar { x: MARGIN, y: self.y + 1.0, width: INNER, height: 0.8, light: 0 });
        self.y += 7.0;
    }

    fn words(&mut self, style: Style, words: &str) {
        let text = self.case.spelled(style.face, &words.replace('`', ""));
        let leaf = self.leaf();
        for line in self.case.wrapped(style.face, style.size, &text, INNER) {
            if self.y + style.leading > BOTTOM {
                self.turn();
            }
            self.line(style, MARGIN, &line, Some(leaf));
        }
        self.parts.push(Part::Words { leaf });
        self.y += 5.0;
    }

    fn facts(&mut self, facts: &[Fact], width: f32) {
        let mut rows = Vec::with_capacity(facts.len());
        for fact in facts {
            let name = self.cell(NAME, fact.name, NAMES - GAP);
            let value = self.cell(VALUE, &fact.value, width - NAMES);
            let leaves = [self.leaf(), self.leaf()];
            self.row(&[name, value], &[NAMES, width - NAMES], &leaves, None);
            rows.push([Names::Row, Names::Nothing].into_iter().zip(leaves).collect());
        }
        self.parts.push(Part::Table { rows });
        self.y += 5.0;
    }

    fn table(&mut self, table: &Table) {
        let shares: u16 = table.columns.iter().map(|(_, share)| *share).sum();
        let widths: Vec<f32> = table.columns.iter().map(|(_, share)| INNER * f32::from(*share) / f32::from(shares.max(1))).collect();
        let names: Vec<&str> = table.columns.iter().map(|(name, _)| name.as_str()).collect();
        let head = self.cells(COLUMN, &names, &widths);
        let leaves = self.leaves_of(&head);
        let mut rows = vec![leaves.iter().map(|leaf| (Names::Column, *leaf)).collect()];
        self.head(&head, &widths, Some(&leaves));
        for row in &table.rows {
            let row: Vec<&str> = row.iter().map(String::as_str).collect();
            let cells = self.cells(CELL, &row, &widths);
            let leaves = self.leaves_of(&cells);
            self.row(&cells, &widths, &leaves, Some(&head));
            rows.push(leaves.into_iter().map(|leaf| (Names::Nothing, leaf)).collect());
        }
        self.parts.push(Part::Table { rows });
        self.y += 5.0;
    }

    fn cells(&self, style: Style, texts: &[&str], widths: &[f32]) -> Vec<Cell> {
        texts.iter().zip(widths).map(|(text, width)| self.cell(style, text, width - GAP)).collect()
    }

    fn cell(&self, style: Style, text: &str, width: f32) -> Cell {
        let is_typed = text.len() > WORD_MAX && text.bytes().all(|letter| letter.is_ascii_graphic());
        let style = if is_typed { Style { leading: style.leading, ..TYPED } } else { style };
        let spelled = self.case.spelled(style.face, text);
        // An empty cell is one as well, or those beside it would be read as if they stood below other names.
        let spelled = if spelled.trim().is_empty() { "\u{a0}".to_owned() } else { spelled };
        Cell { style, lines: self.case.wrapped(style.face, style.size, &spelled, width) }
    }

    fn leaves_of(&mut self, cells: &[Cell]) -> Vec<Leaf> {
        cells.iter().map(|_| self.leaf()).collect()
    }

    /// The names of columns; again on a further sheet they are an ornament.
    fn head(&mut self, cells: &[Cell], widths: &[f32], leaves: Option<&[Leaf]>) {
        let height = height(cells);
        self.lines(cells, widths, leaves);
        self.put(Piece::Bar { x: MARGIN, y: self.y + height, width: INNER, height: 0.7, light: 0 });
        self.y += height + 0.7;
    }

    /// A row, on the next sheet where it does not fit on this one. One that is longer than a sheet goes on from one to the next.
    fn row(&mut self, cells: &[Cell], widths: &[f32], leaves: &[Leaf], head: Option<&[Cell]>) {
        let mut rest: Vec<Cell> = cells.iter().map(|cell| Cell { style: cell.style, lines: cell.lines.clone() }).collect();
        loop {
            if self.y + height(&rest) > BOTTOM {
                self.turn();
                if let Some(head) = head {
                    self.head(head, widths, None);
                }
            }
            let fits = |cell: &Cell| fitting(BOTTOM - self.y - 2.0 * ROW_PAD, cell.style.leading);
            let after: Vec<Cell> = rest
                .iter_mut()
                .map(|cell| {
                    let fits = fits(cell).clamp(1, cell.lines.len().max(1));
                    Cell { style: cell.style, lines: cell.lines.split_off(fits.min(cell.lines.len())) }
                })
                .collect();
            let height = height(&rest);
            self.lines(&rest, widths, Some(leaves));
            let width = widths.iter().sum();
            self.put(Piece::Bar { x: MARGIN, y: self.y + height, width, height: 0.3, light: 150 });
            self.y += height + 0.3;
            if after.iter().all(|cell| cell.lines.is_empty()) {
                return;
            }
            rest = after;
        }
    }

    /// The lines of some cells beside each other, without moving down.
    fn lines(&mut self, cells: &[Cell], widths: &[f32], leaves: Option<&[Leaf]>) {
        let top = self.y;
        let mut x = MARGIN;
        for (place, (cell, width)) in cells.iter().zip(widths).enumerate() {
            self.y = top + ROW_PAD;
            let leaf = leaves.and_then(|leaves| leaves.get(place)).copied();
            for line in &cell.lines {
                self.line(cell.style, x, line, leaf);
            }
            x += width;
        }
        self.y = top;
    }

    /// One line of a spelled text, and down to the next.
    fn line(&mut self, style: Style, x: f32, text: &str, leaf: Option<Leaf>) {
        let Style { face, size, leading } = style;
        // Letters stand on their baseline with a quarter of the size below it.
        let y = self.y + leading / 2.0 + size * 0.36;
        if !text.is_empty() {
            self.put(Piece::Text { x, y, face, size, text: text.to_owned(), leaf });
        }
        self.y += leading;
    }
}

/// How high a row is with all its lines.
fn height(cells: &[Cell]) -> f32 {
    let highest = cells.iter().map(|cell| cell.lines.iter().map(|_| cell.style.leading).sum::<f32>()).fold(0.0, f32::max);
    highest + 2.0 * ROW_PAD
}

/// How many lines fit into a height.
fn fitting(height: f32, leading: f32) -> usize {
    let mut lines: usize = 0;
    let mut filled = leading;
    while filled <= height {
        lines += 1;
        filled += leading;
    }
    lines
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;
    use crate::evidence::report::{Seal, Section};

    /// A report with a table of two columns.
    pub(in super::super) fn paper(rows: Vec<Vec<String>>) -> Paper {
        let table = Table { columns: vec![("Entry".to_owned(), 1), ("What".to_owned(), 5)], rows };
        Paper {
            reference: "KAL-42".to_owned(),
            reader: "police",
            title: "Activation KAL-42".to_owned(),
            head: vec![Fact { name: "Kind", value: "duress".to_owned() }],
            sections: vec![Section { title: "What happened", blocks: vec![Block::Says("Two clocks."), Block::Table(table)] }],
            seal: Seal {
                origin: "alerts.example.org/1".to_owned(),
                size: 1_042,
                root: "u6AXCOeqZcos9Ddq6mFRme+NDhWznONgT6yPFuP3MZ8=".to_owned(),
            },
            made_at: "2026-11-28T07:00:00Z".parse().unwrap(),
        }
    }

    fn laid(rows: Vec<Vec<String>>) -> Laid {
        lay_out(&Case::open().unwrap(), &paper(rows)).unwrap()
    }

    /// On which sheets each part has pieces, and its text.
    fn found(laid: &Laid) -> BTreeMap<Leaf, (BTreeSet<usize>, String)> {
        let mut found: BTreeMap<Leaf, (BTreeSet<usize>, String)> = BTreeMap::new();
        for (sheet, number) in laid.sheets.iter().zip(0..) {
            for piece in &sheet.pieces {
                match piece {
                    Piece::Text { leaf: Some(leaf), text, y, .. } => {
                        assert!(*y < BOTTOM, "{text:?} lies at {y} in the foot");
                        let (sheets, said) = found.entry(*leaf).or_default();
                        sheets.insert(number);
                        said.push_str(text);
                    }
                    Piece::Text { leaf: None, .. } | Piece::Bar { .. } | Piece::Squares { .. } => {}
                }
            }
        }
        found
    }

    #[test]
    fn no_row_is_cut_and_every_sheet_names_the_columns() {
        let rows: Vec<Vec<String>> = (0..900).map(|n: usize| vec![n.to_string(), "pacing up and down ".repeat(n % 17)]).collect();
        let laid = laid(rows.clone());
        assert!(laid.sheets.len() > 20, "{}", laid.sheets.len());
        let found = found(&laid);
        let Some(Part::Table { rows: cells }) = laid.parts.last() else { panic!("no table") };
        for (row, cells) in rows.iter().zip(&cells[1..]) {
            let sheets: BTreeSet<usize> = cells.iter().flat_map(|(_, leaf)| found[leaf].0.clone()).collect();
            assert_eq!(sheets.len(), 1, "{row:?}");
            for (text, (_, leaf)) in row.iter().zip(cells) {
                assert_eq!(found[leaf].1.replace('\u{a0}', "").trim(), text.trim());
            }
        }
        for sheet in &laid.sheets {
            let names =
                |name: &str| sheet.pieces.iter().any(|piece| matches!(piece, Piece::Text { text, face: Face::Bold, .. } if text == name));
            assert!(names("Entry") && names("What"));
        }
    }

    #[test]
    fn a_row_that_is_longer_than_a_sheet_goes_on_and_loses_nothing() {
        let note = (0..4_000).map(|n: usize| format!("word{n}")).collect::<Vec<_>>().join(" ");
        let laid = laid(vec![vec!["7".to_owned(), note.clone()], vec!["8".to_owned(), "after it".to_owned()]]);
        let found = found(&laid);
        let Some(Part::Table { rows }) = laid.parts.last() else { panic!("no table") };
        let (sheets, said) = &found[&rows[1][1].1];
        assert!(sheets.len() > 3, "{sheets:?}");
        assert_eq!(said.trim(), note);
    }
}
