//! The report on paper: a PDF that loads nothing, can be searched and read aloud, and is the same byte for byte each time it is made.
//!
//! It lays out what the report says and knows nothing else. It is made beside the watch, never on its way.

mod face;
mod flow;

use std::num::NonZeroU16;

use escalation::time::Timestamp;
use krilla::color::luma;
use krilla::configure::{Accessibility, Archival, ConfigurationBuilder};
use krilla::destination::XyzDestination;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::{DateTime, Metadata};
use krilla::outline::{Outline, OutlineNode};
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::tagging::{Artifact, ArtifactType, ContentTag, Identifier, Node, TableHeaderScope, Tag, TagGroup, TagKind, TagTree};
use krilla::{Document, SerializeSettings};

use super::{Block, Paper};
use face::{Case, Face};
use flow::{HEIGHT, Laid, Leaf, MARGIN, Names, Part, Piece, Sheet, WIDTH};

/// The language of all that is ours in it.
const LANGUAGE: &str = "en";
/// The line at the foot of each sheet.
const FOOT: f32 = HEIGHT - 34.0;
const FOOT_SIZE: f32 = 7.2;

/// The most rows that are set: some 350 sheets, and some ten seconds where nothing is optimised.
const ROWS_MAX: usize = 5_000;

/// Why there is no paper.
#[derive(Debug, thiserror::Error)]
pub(in crate::evidence) enum NotTypeset {
    /// A font that comes with the program does not read.
    #[error("a font that comes with the program does not read")]
    Font,
    /// Nobody prints it.
    #[error("it has more than {ROWS_MAX} rows")]
    TooLong,
    /// The square with the root cannot be made.
    #[error("the record's name is too long for a QR code")]
    Square,
    /// The library found it to be none that an archive takes.
    #[error("it is no PDF that an archive takes")]
    Refused,
}

/// The report as a PDF: PDF/A-2a, tagged as PDF/UA-1 asks.
pub(in crate::evidence) fn typeset(paper: &Paper) -> Result<Vec<u8>, NotTypeset> {
    let rows = paper.sections.iter().flat_map(|section| &section.blocks).map(Block::rows).sum::<usize>();
    if rows > ROWS_MAX {
        return Err(NotTypeset::TooLong);
    }
    let case = Case::open()?;
    let laid = flow::lay_out(&case, paper)?;
    let configuration = ConfigurationBuilder::new()
        .with_archival_validator(Archival::A2_A)
        .with_accessibility_validator(Accessibility::UA1)
        .finish()
        .map_err(|_| NotTypeset::Refused)?;
    let mut document = Document::new_with(SerializeSettings { configuration, enable_tagging: true, ..SerializeSettings::default() });
    document.set_metadata(metadata(paper));
    let mut marks = vec![Vec::new(); laid.leaves];
    let count = laid.sheets.len();
    for (sheet, number) in laid.sheets.iter().zip(1_usize..) {
        let Some(settings) = PageSettings::from_wh(WIDTH, HEIGHT) else { return Err(NotTypeset::Refused) };
        let mut page = document.start_page_with(settings);
        let mut surface = page.surface();
        let mut press = Press { case: &case, surface: &mut surface, marks: &mut marks };
        press.print(sheet);
        press.foot(paper, &format!("Page {number} of {count}"));
        surface.finish();
        page.finish();
    }
    document.set_outline(outline(&laid));
    document.set_tag_tree(tags(&laid, &marks));
    // What the library says of it may hold words of the report, which no log may have.
    document.finish().map_err(|_| NotTypeset::Refused)
}

fn metadata(paper: &Paper) -> Metadata {
    Metadata::new()
        .title(format!("{}, for: {}", paper.title, paper.reader))
        .creator(format!("cooee {}", env!("CARGO_PKG_VERSION")))
        .language(LANGUAGE.to_owned())
        .creation_date(date(paper.made_at))
        .document_id(format!("{} {} {} {}", paper.seal.origin, paper.reference, paper.reader, paper.made_at))
}

/// A moment to the second, in UTC.
fn date(at: Timestamp) -> DateTime {
    let at = at.to_zoned(jiff::tz::TimeZone::UTC);
    let small = |number: i8| u8::try_from(number).unwrap_or_default();
    DateTime::new(u16::try_from(at.year()).unwrap_or_default())
        .month(small(at.month()))
        .day(small(at.day()))
        .hour(small(at.hour()))
        .minute(small(at.minute()))
        .second(small(at.second()))
        .utc_offset_hour(0)
        .utc_offset_minute(0)
}

/// What prints one sheet.
struct Press<'a, 'b> {
    case: &'a Case,
    surface: &'a mut Surface<'b>,
    /// Of each part, where its pieces are.
    marks: &'a mut Vec<Vec<Identifier>>,
}

impl Press<'_, '_> {
    fn print(&mut self, sheet: &Sheet) {
        let mut open: Option<Option<Leaf>> = None;
        for piece in &sheet.pieces {
            let leaf = match piece {
                Piece::Text { leaf, .. } => *leaf,
                Piece::Bar { .. } => None,
                Piece::Squares { leaf, .. } => Some(*leaf),
            };
            if open != Some(leaf) {
                if open.is_some() {
                    self.surface.end_tagged();
                }
                self.begin(leaf);
                open = Some(leaf);
            }
            self.piece(piece);
        }
        if open.is_some() {
            self.surface.end_tagged();
        }
    }

    fn begin(&mut self, leaf: Option<Leaf>) {
        let Some(leaf) = leaf else {
            self.surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Other)));
            return;
        };
        let mark = self.surface.start_tagged(ContentTag::Other);
        if let Some(marks) = self.marks.get_mut(leaf) {
            marks.push(mark);
        }
    }

    fn piece(&mut self, piece: &Piece) {
        match piece {
            Piece::Text { x, y, face, size, text, .. } => self.text(*x, *y, *face, *size, text),
            Piece::Bar { x, y, width, height, light } => self.fill([(*x, *y, *width, *height)], *light),
            Piece::Squares { x, y, side, dark, .. } => {
                let squares = dark.iter().map(|(column, row)| (x + side * f32::from(*column), y + side * f32::from(*row), *side, *side));
                self.fill(squares, 0);
            }
        }
    }

    fn text(&mut self, x: f32, y: f32, face: Face, size: f32, text: &str) {
        self.surface.set_fill(Some(ink(0)));
        self.surface.draw_glyphs(Point::from_xy(x, y), &self.case.glyphs(face, text), self.case.font(face), text, size, false);
    }

    /// Rectangles by their upper left corners, widths and heights.
    fn fill(&mut self, some: impl IntoIterator<Item = (f32, f32, f32, f32)>, light: u8) {
        let mut path = PathBuilder::new();
        for (x, y, width, height) in some {
            if let Some(rect) = Rect::from_xywh(x, y, width, height) {
                path.push_rect(rect);
            }
        }
        if let Some(path) = path.finish() {
            self.surface.set_fill(Some(ink(light)));
            self.surface.draw_path(&path);
        }
    }

    /// What a sheet is of, and which it is: a loose one finds its place again.
    fn foot(&mut self, paper: &Paper, number: &str) {
        self.surface.start_tagged(ContentTag::Artifact(Artifact::with_kind(ArtifactType::Footer)));
        self.fill([(MARGIN, FOOT - 11.0, WIDTH - 2.0 * MARGIN, 0.4)], 120);
        let of = format!("{}  \u{b7}  {}  \u{b7}  for: {}", paper.title, paper.seal.origin, paper.reader);
        let of = self.case.spelled(Face::Regular, &of);
        self.text(MARGIN, FOOT, Face::Regular, FOOT_SIZE, &of);
        let number = self.case.spelled(Face::Regular, number);
        let left = WIDTH - MARGIN - self.case.width(Face::Regular, FOOT_SIZE, &number);
        self.text(left, FOOT, Face::Regular, FOOT_SIZE, &number);
        self.surface.end_tagged();
    }
}

fn ink(light: u8) -> Fill {
    Fill { paint: luma::Color::new(light).into(), ..Fill::default() }
}

fn outline(laid: &Laid) -> Outline {
    let mut outline = Outline::new();
    for part in &laid.parts {
        match part {
            Part::Heading { text, sheet, y, .. } => {
                outline.push_child(OutlineNode::new(text.clone(), XyzDestination::new(*sheet, Point::from_xy(MARGIN, *y))));
            }
            Part::Title { .. } | Part::Words { .. } | Part::Picture { .. } | Part::Table { .. } => {}
        }
    }
    outline
}

/// What whoever has it read aloud hears, in order.
fn tags(laid: &Laid, marks: &[Vec<Identifier>]) -> TagTree {
    let filled = |tag: TagKind, leaf: Leaf| {
        let marks = marks.get(leaf).map(Vec::as_slice).unwrap_or_default();
        TagGroup::with_children(tag, marks.iter().map(|mark| Node::from(*mark)).collect())
    };
    let mut tree = TagTree::new().with_lang(Some(LANGUAGE.to_owned()));
    for part in &laid.parts {
        tree.push(match part {
            Part::Title { text, leaf } => filled(Tag::Hn(NonZeroU16::MIN, Some(text.clone())).into(), *leaf),
            Part::Heading { text, leaf, .. } => filled(Tag::Hn(NonZeroU16::MIN.saturating_add(1), Some(text.clone())).into(), *leaf),
            Part::Words { leaf } => filled(Tag::P.into(), *leaf),
            Part::Picture { says, leaf } => filled(Tag::Figure(Some(says.clone())).into(), *leaf),
            Part::Table { rows } => {
                let row = |cells: &Vec<(Names, Leaf)>| {
                    let cell = |(names, leaf): &(Names, Leaf)| match names {
                        Names::Nothing => filled(Tag::TD.into(), *leaf),
                        Names::Row => filled(Tag::TH(TableHeaderScope::Row).into(), *leaf),
                        Names::Column => filled(Tag::TH(TableHeaderScope::Column).into(), *leaf),
                    };
                    TagGroup::with_children(Tag::TR, cells.iter().map(|one| Node::from(cell(one))).collect())
                };
                TagGroup::with_children(Tag::Table, rows.iter().map(|cells| Node::from(row(cells))).collect())
            }
        });
    }
    tree
}

#[cfg(test)]
mod tests {
    use super::flow::tests::paper;
    use super::*;

    #[test]
    fn the_same_report_is_the_same_bytes_and_no_letter_keeps_it_from_being_made() {
        let texts = ["Zo\u{eb} Nguy\u{1ec5}n", "\u{674e}\u{5c0f}\u{9f99}", "\u{1f600}", "\u{202e}\u{0}\u{feff}\u{fffe}\u{e000}", "", " "];
        let rows: Vec<Vec<String>> = texts.iter().map(|text| vec![(*text).to_owned(), text.repeat(300)]).collect();
        let made = typeset(&paper(rows.clone())).unwrap();
        assert!(made.starts_with(b"%PDF-1.7"));
        assert!(made == typeset(&paper(rows.clone())).unwrap());
        let mut later = paper(rows);
        later.made_at += jiff::SignedDuration::from_secs(1);
        assert!(made != typeset(&later).unwrap(), "its time is the one that it says");
    }

    #[test]
    fn what_cannot_be_set_is_said() {
        let rows = vec![vec!["1".to_owned(), "pacing".to_owned()]; ROWS_MAX + 1];
        assert!(matches!(typeset(&paper(rows)), Err(NotTypeset::TooLong)));
        let mut paper = paper(Vec::new());
        paper.seal.origin = "a".repeat(3_000);
        assert!(matches!(typeset(&paper), Err(NotTypeset::Square)));
    }
}
