//! `hours` and `holidays`: at which windows of the week a shift or a rung is on.

use toml::de::DeValue;

use super::reader::Section;
use crate::roster::{Hours, OnHolidays, Window};

/// Reads both. `None`: day and night, every day.
pub(super) fn read(section: &mut Section<'_, '_, '_>) -> Option<Hours> {
    let windows = windows(section);
    let holidays = section.choice("holidays", &[("on", OnHolidays::On), ("off", OnHolidays::Off), ("only", OnHolidays::Only)]);
    if let Some(holidays) = holidays.as_ref().filter(|h| h.value != OnHolidays::On)
        && windows.is_empty()
        && !section.has("hours")
    {
        let what = section.titled("holidays has no effect without hours");
        section.reader.error(holidays.line, what, "", "add  hours = [\"00:00-24:00\"]");
    }
    let holidays = holidays.map_or(OnHolidays::On, |h| h.value);
    (!windows.is_empty()).then_some(Hours { windows, holidays })
}

/// Where `holidays` is written as something that a calendar decides: its line.
pub(super) fn asks_for_holidays(section: &mut Section<'_, '_, '_>) -> Option<usize> {
    let (value, line) = section.value("holidays")?;
    let asks = match value {
        DeValue::String(word) => word != "on",
        DeValue::Integer(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Array(_) | DeValue::Table(_) | DeValue::Datetime(_) => {
            false
        }
    };
    asks.then_some(line)
}

fn windows(section: &mut Section<'_, '_, '_>) -> Vec<Window> {
    let Some((value, line)) = section.value("hours") else {
        return Vec::new();
    };
    let DeValue::Array(items) = value else {
        section.wrong_type("hours", line, "a list of windows", value);
        return Vec::new();
    };
    if items.is_empty() {
        let what = section.titled("hours is empty");
        section.reader.error(
            line,
            what,
            "it would never be on",
            "leave it out for day and night, or write  hours = [\"mon-fri 08:00-17:00\"]",
        );
    }
    let mut windows = Vec::new();
    for text in section.list("hours", items) {
        match text.value.parse() {
            Ok(window) => windows.push(window),
            Err(why) => {
                let what = section.titled(&format!("hours: {why}"));
                section.reader.error(text.line, what, "", "write it in one of these forms");
            }
        }
    }
    windows
}
