//! A span of time with its unit: `30s`, `2m`, `1m 30s`. A bare number could mean anything and is refused.

use jiff::SignedDuration;
use jiff::fmt::friendly::SpanParser;

use super::reader::Wrong;
use crate::time::Seconds;

const REMEDY: &str = "write it with its unit: \"30s\", \"2m\"";

/// Whole seconds from 1 to `max`.
pub(super) fn parse(text: &str, max: Seconds) -> Result<Seconds, Wrong> {
    let Ok(span) = SpanParser::new().parse_duration(text.trim()) else {
        let what = format!("\"{}\" is not a span of time", super::reader::clipped(text));
        return Err(Wrong::new(what, REMEDY));
    };
    if span.subsec_nanos() != 0 {
        return Err(Wrong::new("is not in whole seconds", REMEDY));
    }
    let limit = SignedDuration::from_secs(i64::from(max.0));
    if span <= SignedDuration::ZERO || span > limit {
        let what = format!("is outside of 1 s to {}", shown(max));
        return Err(Wrong::new(what, "choose a span within these limits"));
    }
    u32::try_from(span.as_secs()).map(Seconds).map_err(|_| Wrong::new("is too long", REMEDY))
}

fn shown(span: Seconds) -> String {
    if span.0.is_multiple_of(3600) { format!("{} h", span.0 / 3600) } else { format!("{} s", span.0) }
}
