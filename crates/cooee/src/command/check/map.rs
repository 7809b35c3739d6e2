//! The days to come as a map: a row for each day of each ladder, hours from left to right, and how well each is covered.
//!
//! Days and hours are those of a clock on the wall. On a day on which it is moved, an hour that comes twice shows the worse of
//! both, and one that never comes is blank. It names ladders and nobody of their people.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use escalation::coverage::{Cover, Level, Span};
use escalation::directory::draft::Proof;
use escalation::time::{SignedDuration, Timestamp};
use escalation::zone::Zone;
use jiff::civil::{Date, DateTime};

/// Pixels of a day's row, of the dates before it, and of an hour.
const ROW: usize = 16;
const DATES: usize = 96;
const HOUR: f64 = 24.0;
/// Minutes of a day on the wall.
const DAY: f64 = 24.0 * 60.0;
/// How each level is written, drawn and explained, from the best to the worst.
const LEVELS: [(Level, char, &str, &str); 4] = [
    (Level::Sound, '.', "#8fce9b", "covered"),
    (Level::OneCarrier, 'c', "#f3d45c", "one carrier: with it down nobody would be told"),
    (Level::OneParty, '1', "#f0964a", "one party: if they do not answer, nobody else is ever asked"),
    (Level::Nobody, '#', "#b00020", "nobody would be told"),
];

/// A piece of a day on the wall, in minutes from its midnight.
struct Piece {
    date: Date,
    from: f64,
    until: f64,
    level: Level,
}

/// The map in letters: an hour each, the worst of its minutes.
pub(super) fn text(proof: &Proof) -> String {
    let mut text = String::from("\n");
    for (_, letter, _, meaning) in LEVELS {
        let _written = writeln!(text, "{letter}  {meaning}");
    }
    for (cover, zone) in &proof.covers {
        let mut days: BTreeMap<Date, [char; 24]> = BTreeMap::new();
        // The worst is written last and stays.
        for piece in pieces(cover, zone) {
            let hours = days.entry(piece.date).or_insert([' '; 24]);
            for (hour, cell) in (0_u8..).zip(hours.iter_mut()) {
                let begin = f64::from(hour) * 60.0;
                if piece.from < begin + 60.0 && piece.until > begin {
                    *cell = letter(piece.level);
                }
            }
        }
        let _written = write!(text, "\nladder \"{}\"{} ({})\n            0     6     12    18\n", cover.ladder, kinds(cover), zone.name());
        for (date, hours) in days {
            let _written = writeln!(text, "{}  {}", date.strftime("%a %e %b"), hours.iter().collect::<String>().trim_end());
        }
    }
    text
}

/// The same as one SVG document that needs nothing else, to the minute.
pub(super) fn svg(proof: &Proof) -> String {
    let mut body = String::new();
    let mut y = 20;
    for (_, _, colour, meaning) in LEVELS {
        let _written = writeln!(
            body,
            "<rect x=\"12\" y=\"{y}\" width=\"14\" height=\"12\" fill=\"{colour}\"/><text x=\"34\" y=\"{}\">{meaning}</text>",
            y + 10
        );
        y += 18;
    }
    for (cover, zone) in &proof.covers {
        y += 28;
        let _written =
            writeln!(body, "<text x=\"12\" y=\"{y}\" font-weight=\"bold\">{}{} ({})</text>", cover.ladder, kinds(cover), zone.name());
        y += 18;
        for hour in [0_u8, 6, 12, 18] {
            let x = left(f64::from(hour) * 60.0);
            let _written = writeln!(body, "<text x=\"{x:.1}\" y=\"{y}\" fill=\"#666\">{hour}</text>");
        }
        y += 6;
        let pieces = pieces(cover, zone);
        let dates: Vec<Date> = pieces.iter().map(|piece| piece.date).collect::<BTreeSet<_>>().into_iter().collect();
        let top = |date: Date| dates.iter().position(|one| *one == date).map_or(y, |row| y + ROW * row);
        for date in &dates {
            let _written = writeln!(body, "<text x=\"12\" y=\"{}\">{}</text>", top(*date) + 12, date.strftime("%a %e %b"));
        }
        for piece in &pieces {
            let (x, width) = (left(piece.from), left(piece.until) - left(piece.from));
            let _written = writeln!(
                body,
                "<rect x=\"{x:.2}\" y=\"{}\" width=\"{width:.2}\" height=\"{}\" fill=\"{}\"/>",
                top(piece.date),
                ROW - 2,
                colour(piece.level),
            );
        }
        y += ROW * dates.len();
    }
    let (width, height) = (left(DAY) + 24.0, y + 20);
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"12\">\n<title>Coverage of the days to come</title>\n\
         <rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{body}</svg>\n"
    )
}

/// ` for assist`, where not every kind of help is meant.
fn kinds(cover: &Cover) -> String {
    if cover.case.is_of_every_kind() {
        return String::new();
    }
    let kinds: Vec<&str> = cover.case.kinds.iter().map(|kind| kind.as_str()).collect();
    format!(" for {}", kinds.join(", "))
}

/// Every level cut at midnights and at changes of the clock, from the best to the worst.
fn pieces(cover: &Cover, zone: &Zone) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::new();
    for ((from, until), level) in cover.levels() {
        let mut at = from;
        while at < until {
            let end = run((at, until), zone);
            let (begin, date) = (zone.wall(at), zone.wall(at).date());
            let minutes = end.duration_since(at).as_secs_f64() / 60.0;
            let from = minute(begin);
            pieces.push(Piece { date, from, until: (from + minutes).min(DAY), level });
            at = end;
        }
    }
    pieces.sort_by_key(|piece| std::cmp::Reverse(piece.level));
    pieces
}

/// How far the wall shows one day in step with time: to its midnight, to a change of the clock, or to the end of the span.
fn run((from, until): Span, zone: &Zone) -> Timestamp {
    let day = SignedDuration::from_hours(24);
    let midnight = zone.wall(from).date().tomorrow().map_or(until, |date| zone.midnight(date));
    let end = midnight.min(until).min(from.saturating_add(day).unwrap_or(until));
    let in_step = |at: Timestamp| zone.wall(at).duration_since(zone.wall(from)) == at.duration_since(from);
    if in_step(end) {
        return end;
    }
    // The clock is moved before that: by halves to the second at which it is.
    let after = |seconds: i64| from.saturating_add(SignedDuration::from_secs(seconds)).unwrap_or(end);
    let (mut early, mut late) = (0, end.duration_since(from).as_secs());
    while late - early > 1 {
        let middle = early + (late - early) / 2;
        if in_step(after(middle)) { early = middle } else { late = middle }
    }
    after(late)
}

fn minute(wall: DateTime) -> f64 {
    f64::from(wall.hour()) * 60.0 + f64::from(wall.minute()) + f64::from(wall.second()) / 60.0
}

fn left(minute: f64) -> f64 {
    let dates = f64::from(u32::try_from(DATES).unwrap_or(0));
    dates + minute / 60.0 * HOUR
}

fn letter(level: Level) -> char {
    LEVELS.iter().find(|(one, ..)| *one == level).map_or('?', |(_, letter, ..)| *letter)
}

fn colour(level: Level) -> &'static str {
    LEVELS.iter().find(|(one, ..)| *one == level).map_or("#000", |(_, _, colour, _)| *colour)
}
