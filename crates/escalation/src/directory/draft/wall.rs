//! Times by a clock on the wall: `2026-12-24 08:00`, or a date alone for its midnight; and the days of a turn, `7d` or `2w`.

use jiff::civil::{Date, DateTime};

use super::reader::{At, Section, Wrong, clipped};

/// Longest turn: nobody is on duty for half a year.
const TURN_MAX: u16 = 182;

/// A time on the wall, to the minute.
pub(super) fn time(text: &str) -> Result<DateTime, Wrong> {
    let wrong = || {
        Wrong::new(
            format!("\"{}\" is not a time on the wall", clipped(text)),
            "write \"2026-12-24 08:00\", or a date alone for its midnight; never an offset or a zone",
        )
    };
    // The library would read an offset and forget it.
    let plain = text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'-' | b':' | b' ' | b'T')) && text.matches('-').count() == 2;
    let read: DateTime = text.trim().parse().ok().filter(|_| plain).ok_or_else(wrong)?;
    if read.second() != 0 || read.subsec_nanosecond() != 0 { Err(wrong()) } else { Ok(read) }
}

/// A day.
pub(super) fn date(text: &str) -> Result<Date, Wrong> {
    let bare = text.trim().len() == "2026-12-24".len();
    let read = text.trim().parse().ok().filter(|_| bare);
    read.ok_or_else(|| Wrong::new(format!("\"{}\" is not a date", clipped(text)), "write it as \"2026-12-24\""))
}

/// Days of a turn, from 1 to half a year.
pub(super) fn turn(text: &str) -> Result<u16, Wrong> {
    let text = text.trim();
    let days = match (text.strip_suffix('d'), text.strip_suffix('w')) {
        (Some(days), _) => days.parse::<u16>().ok(),
        (None, Some(weeks)) => weeks.parse::<u16>().ok().and_then(|weeks| weeks.checked_mul(7)),
        (None, None) => None,
    };
    days.filter(|days| (1..=TURN_MAX).contains(days))
        .ok_or_else(|| Wrong::new(format!("\"{}\" is not a turn of 1 to {TURN_MAX} days", clipped(text)), "write \"7d\" or \"1w\""))
}

/// A required span `from` .. `until` that is not empty.
pub(super) fn span(section: &mut Section<'_, '_, '_>) -> Option<(DateTime, DateTime)> {
    let (from, until) = (section.read("from", time), section.read("until", time));
    section.missing("from", "", "add  from = \"2026-12-24 08:00\"");
    section.missing("until", "whatever is changed of a roster ends by itself", "add  until = \"2026-12-26 08:00\"");
    ordered(section, from.as_ref(), until.as_ref());
    Some((from?.value, until?.value))
}

/// Says where `until` is not after `from`.
pub(super) fn ordered(section: &mut Section<'_, '_, '_>, from: Option<&At<DateTime>>, until: Option<&At<DateTime>>) {
    if let (Some(from), Some(until)) = (from, until)
        && until.value <= from.value
    {
        let what = section.titled("until is not after from");
        section.reader.error(until.line, what, "it would never hold", "correct one of the two");
    }
}
