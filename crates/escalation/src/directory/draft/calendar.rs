//! `[[calendar]]`: whose public holidays count, with local days added and others taken out.

use jiff::civil::Date;
use toml::de::DeValue;

use super::reader::{Section, Wrong};
use super::wall;
use crate::id::CalendarId;
use crate::roster::{Calendar, State};

/// A calendar as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftCalendar {
    /// Its id.
    pub id: CalendarId,
    /// What it says.
    pub calendar: Calendar,
    /// Where it begins.
    pub line: usize,
}

impl DraftCalendar {
    pub(super) fn read(mut section: Section<'_, '_, '_>) -> Option<Self> {
        let id = section.id::<CalendarId>("id");
        section.missing("id", "", "give it a short name for the rosters");
        let named_as_state = id.as_ref().filter(|id| id.value.as_str().parse::<State>().is_ok());
        if let Some(line) = named_as_state.map(|id| id.line) {
            let what = section.titled("it has the name of a state's own calendar");
            section.reader.error(line, what, "", "give it another id, and name the state under  state");
        }
        let state = section.read("state", |text| text.parse::<State>().map_err(|why| Wrong::new(why.to_string(), "write one of these")));
        let days = dates(&mut section, "days");
        let except = dates(&mut section, "except");
        let line = section.line;
        section.close();
        Some(Self { id: id?.value, calendar: Calendar { state: state.map(|s| s.value), days, except }, line })
    }
}

fn dates(section: &mut Section<'_, '_, '_>, key: &'static str) -> Vec<Date> {
    let Some((value, line)) = section.value(key) else {
        return Vec::new();
    };
    let DeValue::Array(items) = value else {
        section.wrong_type(key, line, "a list of dates", value);
        return Vec::new();
    };
    let mut dates = Vec::new();
    for text in section.list(key, items) {
        match wall::date(text.value) {
            Ok(date) => dates.push(date),
            Err(wrong) => {
                let what = section.titled(&format!("{key}: {}", wrong.what));
                section.reader.error(text.line, what, "", &wrong.remedy);
            }
        }
    }
    dates
}
