//! Time zones, from the bundled database only: the host's own may be older, or missing.
//!
//! Also the two readings of a clock on a wall where it is moved: when it first comes to a time, and when it last does.

use std::sync::LazyLock;

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone, TimeZoneDatabase};
use serde::{Deserialize, Serialize};

use crate::time::Timestamp;

static BUNDLED: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// A zone of the bundled database, written by its canonical IANA name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone(TimeZone);

/// Why a text is not a [`Zone`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{shown}\" is not a time zone of the bundled database")]
pub struct NotAZone {
    shown: String,
}

impl Zone {
    /// Looks a zone up by its IANA name.
    pub fn named(name: &str) -> Result<Self, NotAZone> {
        let known = BUNDLED.get(name).ok().filter(|zone| zone.iana_name().is_some());
        known.map(Self).ok_or_else(|| NotAZone { shown: name.chars().take(64).collect() })
    }

    /// The canonical IANA name: `Australia/Perth`.
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    /// What a clock on the wall shows.
    pub fn wall(&self, at: Timestamp) -> DateTime {
        self.0.to_datetime(at)
    }

    /// When the clock on the wall first shows `wall`. A time that it skips is the moment of the skip.
    pub fn first(&self, wall: DateTime) -> Timestamp {
        self.reading(wall).0
    }

    /// When the clock on the wall last shows `wall`, where it comes twice. A time that it skips is the moment of the skip.
    pub fn last(&self, wall: DateTime) -> Timestamp {
        self.reading(wall).1
    }

    /// When a day begins.
    pub fn midnight(&self, date: Date) -> Timestamp {
        self.first(date.to_datetime(Time::midnight()))
    }

    /// The first and the last occurrence; out of range it is the end of time, which no roster reaches.
    fn reading(&self, wall: DateTime) -> (Timestamp, Timestamp) {
        let at = |offset: jiff::tz::Offset| offset.to_timestamp(wall).unwrap_or(Timestamp::MAX);
        match self.0.to_ambiguous_timestamp(wall).offset() {
            AmbiguousOffset::Unambiguous { offset } => (at(offset), at(offset)),
            AmbiguousOffset::Fold { before, after } => (at(before), at(after)),
            AmbiguousOffset::Gap { after, .. } => {
                // Read by the later offset, a skipped time lies before the change: the next change is the one that skips it.
                let early = at(after);
                let skip = self.0.following(early).next().map_or(early, |change| change.timestamp());
                (skip, skip)
            }
        }
    }
}

impl Default for Zone {
    /// Universal time.
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl TryFrom<String> for Zone {
    type Error = NotAZone;
    fn try_from(name: String) -> Result<Self, NotAZone> {
        Self::named(&name)
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> Self {
        zone.name().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn both(zone: &str, wall: &str) -> [String; 2] {
        let zone = Zone::named(zone).unwrap();
        let wall: DateTime = wall.parse().unwrap();
        [zone.first(wall).to_string(), zone.last(wall).to_string()]
    }

    #[test]
    fn a_time_that_comes_twice_has_a_first_and_a_last() {
        assert_eq!(both("Australia/Sydney", "2026-04-05T02:30:00"), ["2026-04-04T15:30:00Z", "2026-04-04T16:30:00Z"]);
        assert_eq!(both("Australia/Sydney", "2026-04-05T03:00:00"), ["2026-04-04T17:00:00Z", "2026-04-04T17:00:00Z"]);
        assert_eq!(both("Australia/Lord_Howe", "2026-04-05T01:45:00"), ["2026-04-04T14:45:00Z", "2026-04-04T15:15:00Z"]);
        assert_eq!(both("Australia/Perth", "2026-04-05T02:30:00"), ["2026-04-04T18:30:00Z", "2026-04-04T18:30:00Z"]);
    }

    #[test]
    fn a_time_that_is_skipped_is_the_moment_of_the_skip() {
        for wall in ["2026-10-04T02:00:00", "2026-10-04T02:30:00", "2026-10-04T02:59:59", "2026-10-04T03:00:00"] {
            assert_eq!(both("Australia/Sydney", wall), ["2026-10-03T16:00:00Z", "2026-10-03T16:00:00Z"], "{wall}");
        }
        assert_eq!(both("Pacific/Chatham", "2026-09-27T03:00:00"), ["2026-09-26T14:00:00Z", "2026-09-26T14:00:00Z"]);
    }

    #[test]
    fn a_zone_is_written_by_its_name() {
        let zone = Zone::named("Australia/Perth").unwrap();
        let text = serde_json::to_string(&zone).unwrap();
        assert_eq!(text, "\"Australia/Perth\"");
        assert_eq!(serde_json::from_str::<Zone>(&text).unwrap(), zone);
        assert!(Zone::named("Mars/Olympus").is_err());
    }
}
