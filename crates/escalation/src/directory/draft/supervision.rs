//! `[[supervision]]`: how buttons of one make are watched, and whether that can ever find anything.

use std::collections::BTreeSet;

use super::index::Index;
use super::reader::{At, Reader, Section};
use super::{Draft, hours, wait};
use crate::id::SupervisionId;
use crate::roster::{OnHolidays, Window};
use crate::supervision::Supervision;
use crate::time::Seconds;

/// What a device names that is not to be watched although the defaults name a class.
pub(super) const UNWATCHED: &str = "none";
/// The longest silence that can be allowed: a button that is heard less than once a week is as good as not watched.
const SILENT_MAX: Seconds = Seconds(8 * 24 * 3600);
/// The shortest: it is looked for every few seconds.
const SILENT_MIN: Seconds = Seconds(10);

/// A class of supervision as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftSupervision {
    /// Its id.
    pub id: SupervisionId,
    /// What it says.
    pub class: Supervision,
    /// Where it begins.
    pub line: usize,
}

impl DraftSupervision {
    pub(super) fn read(mut section: Section<'_, '_, '_>) -> Option<Self> {
        let id = section.id::<SupervisionId>("id");
        section.missing("id", "", "give it a short name for the devices");
        if let Some(line) = id.as_ref().filter(|id| id.value.as_str() == UNWATCHED).map(|id| id.line) {
            let what = section.titled("a device that names it is not watched");
            section.reader.error(line, what, "", "give it another id");
        }
        let silent_after = section.read("silent_after", |text| wait::parse(text, SILENT_MAX));
        section.missing(
            "silent_after",
            "nobody would ever be told",
            "add  silent_after = \"1h\": twice as long as its heartbeats are apart, or more",
        );
        let hours = hours::read(&mut section);
        if let Some(silent_after) = silent_after.as_ref().filter(|span| span.value < SILENT_MIN) {
            let what = section.titled("silent_after is shorter than 10 s");
            section.reader.error(silent_after.line, what, "it is looked for every few seconds", "write 10s or more");
        }
        let shortest = hours.iter().flat_map(|hours| &hours.windows).map(Window::minutes).min();
        if let (Some(shortest), Some(silent_after)) = (shortest, &silent_after)
            && silent_after.value.0 > u32::from(shortest) * 60 / 2
        {
            let what = section.titled("silent_after is longer than half of the shortest of its hours");
            let why = "silence is counted anew whenever they begin, so that hardly anybody would ever be told";
            section.reader.error(silent_after.line, what, why, "shorten silent_after, or leave the hours out");
        }
        let line = section.line;
        section.close();
        Some(Self { id: id?.value, class: Supervision { silent_after_s: silent_after?.value, hours }, line })
    }
}

/// Whether every class that is named is there, watches something, and knows its holidays.
pub(super) fn review(reader: &mut Reader<'_>, draft: &Draft, index: &Index<'_>) {
    let used: BTreeSet<&SupervisionId> = draft.devices.iter().filter_map(|device| Some(&device.supervision.as_ref()?.value)).collect();
    for class in draft.supervisions.iter().filter(|class| !used.contains(&class.id)) {
        reader.warn(
            class.line,
            format!("supervision \"{}\": no device names it", class.id),
            "it watches nothing",
            "add  supervision = \"...\"  to devices or under [defaults]",
        );
    }
    forgotten(reader, draft);
    holidays_without_calendar(reader, draft, index);
}

/// Who watches some buttons may believe that all of them are.
fn forgotten(reader: &mut Reader<'_>, draft: &Draft) {
    const NAMED_MAX: usize = 5;
    let Some(first) = draft.supervisions.first() else { return };
    let unwatched = draft.devices.iter().filter(|device| device.supervision.is_none() && !device.is_unwatched);
    let names: Vec<String> = unwatched.map(|device| format!("{}/{}", device.site.value, device.id)).collect();
    let shown = names.iter().take(NAMED_MAX).map(String::as_str).collect::<Vec<_>>().join(", ");
    let rest = names.len().saturating_sub(NAMED_MAX);
    let and_more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    if !names.is_empty() {
        reader.warn(
            first.line,
            format!("no supervision watches {shown}{and_more}"),
            "nobody hears of it when they are dead",
            "name one there or under [defaults], or write  supervision = \"none\"",
        );
    }
}

fn holidays_without_calendar(reader: &mut Reader<'_>, draft: &Draft, index: &Index<'_>) {
    let asks = |class: &&DraftSupervision| class.class.hours.as_ref().is_some_and(|hours| hours.holidays != OnHolidays::On);
    let asking: BTreeSet<&SupervisionId> = draft.supervisions.iter().filter(asks).map(|class| &class.id).collect();
    let mut found = BTreeSet::new();
    for device in &draft.devices {
        let class = device.supervision.as_ref().map(|At { value, .. }| value).filter(|class| asking.contains(class));
        let site = index.site(&device.site.value).filter(|site| site.arrangement.calendar.is_none());
        let Some((class, site)) = class.zip(site) else { continue };
        // A region's sites are many: what all of them lack is said once.
        let (line, owner) = index
            .region_of(site)
            .map_or_else(|| (site.line, format!("site \"{}\"", site.id)), |region| (region.line, format!("region \"{}\"", region.id)));
        if found.insert((class, owner.clone())) {
            reader.error(
                line,
                format!("{owner}: supervision \"{class}\" asks about holidays, and no calendar is named"),
                "no day would be a holiday there",
                "add  calendar = \"AU-WA\"  here or under [defaults]",
            );
        }
    }
}
