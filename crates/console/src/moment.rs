//! Times as people read them: the site's own clock with its zone's name, and spans in minutes and seconds.

use escalation::time::{Timestamp, millis_between};
use jiff::tz::{TimeZone, TimeZoneDatabase};

/// `14:03:05 AWST` at the site; UTC, and saying so, where the zone is unknown.
pub(crate) fn clock(at: Timestamp, zone: &str) -> String {
    at.to_zoned(known(zone)).strftime("%H:%M:%S %Z").to_string()
}

/// `14:03 AWST`, as the text message says it.
pub(crate) fn minute(at: Timestamp, zone: &str) -> String {
    at.to_zoned(known(zone)).strftime("%H:%M %Z").to_string()
}

/// `Mon 13 Apr 14:03:05 AWST`.
pub(crate) fn day(at: Timestamp, zone: &str) -> String {
    at.to_zoned(known(zone)).strftime("%a %-d %b %H:%M:%S %Z").to_string()
}

/// `00:43`, `1:02:43`, `3 d 4 h`.
pub(crate) fn span(from: Timestamp, to: Timestamp) -> String {
    let seconds = millis_between(from, to) / 1_000;
    match (seconds / 86_400, seconds / 3_600) {
        (0, 0) => format!("{:02}:{:02}", seconds / 60, seconds % 60),
        (0, hours) => format!("{hours}:{:02}:{:02}", seconds / 60 % 60, seconds % 60),
        (days, hours) => format!("{days} d {} h", hours % 24),
    }
}

fn known(zone: &str) -> TimeZone {
    TimeZoneDatabase::bundled().get(zone).unwrap_or(TimeZone::UTC)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_the_sites_and_say_so() {
        let at: Timestamp = "2026-04-13T06:03:05Z".parse().unwrap();
        assert_eq!(clock(at, "Australia/Perth"), "14:03:05 AWST");
        assert_eq!(minute(at, "nowhere"), "06:03 UTC");
        assert_eq!(day(at, "Australia/Sydney"), "Mon 13 Apr 16:03:05 AEST");
        for (later, shown) in [("06:03:48Z", "00:43"), ("07:05:48Z", "1:02:43"), ("05:00:00Z", "00:00")] {
            assert_eq!(span(at, format!("2026-04-13T{later}").parse().unwrap()), shown);
        }
    }
}
