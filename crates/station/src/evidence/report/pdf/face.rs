//! Faces: the letters that a report is set in, how wide they are, and what is written for those that are not there.
//!
//! A letter has one glyph and one width: texts are composed first (Unicode NFC), and nothing is joined or moved. That is enough for
//! names in Latin, Greek and Cyrillic letters. Any other is written as its code point, so that none is lost without a trace.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider as _};
use unicode_normalization::UnicodeNormalization as _;

use super::NotTypeset;

static REGULAR: &[u8] = include_bytes!("../../../../fonts/NotoSans-Regular.ttf");
static BOLD: &[u8] = include_bytes!("../../../../fonts/NotoSans-Bold.ttf");
static MONO: &[u8] = include_bytes!("../../../../fonts/NotoSansMono-Regular.ttf");

/// Letters in one line, at the most.
const LETTERS_MAX: usize = 200;
/// In the fonts, and shown by nothing or by what they are not: told by their code points.
const UNSEEN: [char; 2] = ['\u{ad}', '\u{34f}'];

/// What a text is set in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Face {
    /// Words.
    Regular,
    /// Headings.
    Bold,
    /// What is compared letter by letter.
    Mono,
}

/// The letters of every face.
pub(super) struct Case {
    regular: Cut,
    bold: Cut,
    mono: Cut,
}

struct Cut {
    font: Font,
    letters: BTreeMap<char, Letter>,
}

#[derive(Clone, Copy)]
struct Letter {
    glyph: GlyphId,
    /// In parts of the size that it is set in.
    advance: f32,
}

impl Case {
    /// Reads the faces that come with the program.
    pub(super) fn open() -> Result<Self, NotTypeset> {
        Ok(Self { regular: Cut::read(REGULAR)?, bold: Cut::read(BOLD)?, mono: Cut::read(MONO)? })
    }

    /// The font of a face.
    pub(super) fn font(&self, face: Face) -> Font {
        self.cut(face).font.clone()
    }

    /// A text in letters that the face has: one line, with each that it lacks as its code point.
    pub(super) fn spelled(&self, face: Face, text: &str) -> String {
        let letters = &self.cut(face).letters;
        let mut spelled = String::with_capacity(text.len());
        for letter in text.nfc() {
            if letters.contains_key(&letter) {
                spelled.push(letter);
            } else if letter.is_whitespace() {
                spelled.push(' ');
            } else {
                let _infallible = write!(spelled, "[U+{:04X}]", u32::from(letter));
            }
        }
        spelled
    }

    /// How wide a spelled text is at this size, in points.
    pub(super) fn width(&self, face: Face, size: f32, text: &str) -> f32 {
        let letters = &self.cut(face).letters;
        text.chars().filter_map(|letter| letters.get(&letter)).map(|letter| letter.advance).sum::<f32>() * size
    }

    /// The glyphs of a spelled text.
    pub(super) fn glyphs(&self, face: Face, text: &str) -> Vec<KrillaGlyph> {
        let letters = &self.cut(face).letters;
        let glyph = |(at, letter): (usize, char)| {
            let Letter { glyph, advance } = *letters.get(&letter)?;
            Some(KrillaGlyph::new(glyph, advance, 0.0, 0.0, 0.0, at..at + letter.len_utf8(), None))
        };
        text.char_indices().filter_map(glyph).collect()
    }

    /// A spelled text in lines that are no wider than this. It breaks at spaces, and within a word that is too wide by itself: after
    /// a stroke where there is one.
    pub(super) fn wrapped(&self, face: Face, size: f32, text: &str, width: f32) -> Vec<String> {
        let mut lines = Vec::new();
        let mut line = String::new();
        for word in text.split(' ').filter(|word| !word.is_empty()) {
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if self.width(face, size, &longer) <= width {
                line = longer;
                continue;
            }
            if !line.is_empty() {
                // The space stays, so that whoever copies the text gets two words.
                lines.push(format!("{} ", std::mem::take(&mut line)));
            }
            let mut wide = 0.0;
            let mut count = 0;
            for letter in word.chars() {
                line.push(letter);
                wide += self.width(face, size, letter.encode_utf8(&mut [0; 4]));
                count += 1;
                // Marks have no width of their own, and are broken by their number.
                if (wide > width || count > LETTERS_MAX) && count > 1 {
                    let rest = line.split_off(breaking(&line));
                    lines.push(std::mem::replace(&mut line, rest));
                    wide = self.width(face, size, &line);
                    count = line.chars().count();
                }
            }
        }
        lines.push(line);
        lines
    }

    fn cut(&self, face: Face) -> &Cut {
        match face {
            Face::Regular => &self.regular,
            Face::Bold => &self.bold,
            Face::Mono => &self.mono,
        }
    }
}

/// Where a word that has become too wide by its last letter is broken.
fn breaking(word: &str) -> usize {
    let last = word.char_indices().next_back().map_or(0, |(at, _)| at);
    let mut letters = word.char_indices().filter(|(at, _)| *at < last);
    letters.rfind(|(_, letter)| matches!(letter, '-' | '/' | '@')).map_or(last, |(at, letter)| at + letter.len_utf8())
}

impl Cut {
    fn read(bytes: &'static [u8]) -> Result<Self, NotTypeset> {
        let font = Font::new(bytes.into(), 0).ok_or(NotTypeset::Font)?;
        let read = FontRef::new(bytes).map_err(|_| NotTypeset::Font)?;
        let widths = read.glyph_metrics(Size::new(1.0), LocationRef::default());
        let letter = |(code, glyph): (u32, skrifa::GlyphId)| {
            let advance = widths.advance_width(glyph)?;
            Some((char::from_u32(code).filter(|letter| !UNSEEN.contains(letter))?, Letter { glyph: GlyphId::new(glyph.to_u32()), advance }))
        };
        Ok(Self { font, letters: read.charmap().mappings().filter_map(letter).collect() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_that_are_not_there_are_told_by_their_code_points() {
        let case = Case::open().unwrap();
        let names = ["Zoë Nguyễn", "Đặng Thị Hồng", "Αλέξανδρος", "Šárka Żółć", "Олександр Їжак", "Þórður", "Māori Ōtautahi", "İlknur Ğ"];
        for name in names {
            for face in [Face::Regular, Face::Bold] {
                assert_eq!(case.spelled(face, name), name.nfc().collect::<String>());
            }
        }
        assert_eq!(case.spelled(Face::Regular, "Nguye\u{302}\u{303}n"), "Nguyễn");
        assert_eq!(case.spelled(Face::Regular, "李 \u{1f600}\n\u{202e}x\u{0}\u{ad}"), "[U+674E] [U+1F600] [U+202E]x[U+0000][U+00AD]");
    }

    #[test]
    fn lines_lose_nothing_and_are_not_too_wide() {
        let case = Case::open().unwrap();
        let text = "He was pacing  up and down; u6AXCOeqZcos9Ddq6mFRme+NDhWznONgT6yPFuP3MZ8= and so on";
        for width in [20.0, 60.0, 200.0] {
            let lines = case.wrapped(Face::Regular, 8.0, text, width);
            let squeezed = |text: &str| text.replace(' ', "");
            assert_eq!(squeezed(&lines.concat()), squeezed(text));
            for line in &lines {
                assert!(case.width(Face::Regular, 8.0, line.trim_end()) <= width, "{line:?}");
            }
        }
        assert_eq!(case.wrapped(Face::Regular, 8.0, "", 50.0), [""]);
    }
}
