//! Public holidays: those of the Australian states and territories, shipped as data, and calendars with local days.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::LazyLock;

use jiff::civil::{Date, DateTime, Time};
use serde::{Deserialize, Serialize};

/// The years of which this version knows the states' holidays.
pub const SHIPPED_YEARS: RangeInclusive<i16> = 2026..=2028;
/// The data, whose head names its source.
const SHIPPED: &str = include_str!("../../data/holidays-au.txt");

/// Every day of the data, with whose it is.
static DAYS: LazyLock<BTreeMap<Date, Vec<(Whose, PartOf)>>> = LazyLock::new(|| {
    let mut days: BTreeMap<Date, Vec<(Whose, PartOf)>> = BTreeMap::new();
    for (date, whose, part) in SHIPPED.lines().filter(|line| !is_remark(line)).filter_map(read) {
        days.entry(date).or_default().push((whose, part));
    }
    days
});

/// A state or territory of Australia.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum State {
    /// Australian Capital Territory.
    #[serde(rename = "AU-ACT")]
    Act,
    /// New South Wales.
    #[serde(rename = "AU-NSW")]
    Nsw,
    /// Northern Territory.
    #[serde(rename = "AU-NT")]
    Nt,
    /// Queensland.
    #[serde(rename = "AU-QLD")]
    Qld,
    /// South Australia.
    #[serde(rename = "AU-SA")]
    Sa,
    /// Tasmania.
    #[serde(rename = "AU-TAS")]
    Tas,
    /// Victoria.
    #[serde(rename = "AU-VIC")]
    Vic,
    /// Western Australia.
    #[serde(rename = "AU-WA")]
    Wa,
}

/// How much of a day is a holiday: all of it, or from a minute on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PartOf {
    from_minute: u16,
}

/// Whose holidays count: a state's, with days added and taken out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// The state whose holidays it has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<State>,
    /// Days of its own.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub days: Vec<Date>,
    /// Days of the state that are none here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<Date>,
}

/// Why a text is not a [`State`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{shown}\" has no holidays in this version: there are AU-ACT, AU-NSW, AU-NT, AU-QLD, AU-SA, AU-TAS, AU-VIC and AU-WA")]
pub struct NotAState {
    shown: String,
}

/// One flag a state, in the order of [`State::ALL`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Whose([bool; 8]);

impl State {
    /// All of them, by name.
    pub const ALL: [Self; 8] = [Self::Act, Self::Nsw, Self::Nt, Self::Qld, Self::Sa, Self::Tas, Self::Vic, Self::Wa];

    /// As the directory writes it: `AU-WA`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Act => "AU-ACT",
            Self::Nsw => "AU-NSW",
            Self::Nt => "AU-NT",
            Self::Qld => "AU-QLD",
            Self::Sa => "AU-SA",
            Self::Tas => "AU-TAS",
            Self::Vic => "AU-VIC",
            Self::Wa => "AU-WA",
        }
    }

    /// Whether, and from when on, a day is a holiday there.
    pub fn holiday(self, date: Date) -> Option<PartOf> {
        let parts = DAYS.get(&date)?.iter().filter(|(whose, _)| whose.has(self));
        parts.map(|(_, part)| *part).min()
    }
}

impl FromStr for State {
    type Err = NotAState;
    fn from_str(text: &str) -> Result<Self, NotAState> {
        let named = Self::ALL.into_iter().find(|state| state.as_str() == text);
        named.ok_or_else(|| NotAState { shown: text.chars().take(64).collect() })
    }
}

impl PartOf {
    /// All of the day.
    pub const ALL: Self = Self { from_minute: 0 };

    /// From which minute of the day on; 0 where it is all of it.
    pub fn from_minute(self) -> u16 {
        self.from_minute
    }
}

impl Calendar {
    /// Whether, and from when on, a day is a holiday.
    pub fn holiday(&self, date: Date) -> Option<PartOf> {
        if self.days.contains(&date) {
            return Some(PartOf::ALL);
        }
        if self.except.contains(&date) {
            return None;
        }
        self.state.and_then(|state| state.holiday(date))
    }
}

impl Whose {
    fn has(self, state: State) -> bool {
        State::ALL.into_iter().zip(self.0).any(|(other, is)| other == state && is)
    }
}

fn is_remark(line: &str) -> bool {
    line.is_empty() || line.starts_with('#')
}

/// `2026-12-24T19:00 NT SA - Christmas Eve`.
fn read(line: &str) -> Option<(Date, Whose, PartOf)> {
    let (head, _name) = line.split_once(" - ")?;
    let (day, states) = head.split_once(' ')?;
    let at = if day.contains('T') { day.parse::<DateTime>().ok()? } else { day.parse::<Date>().ok()?.to_datetime(Time::midnight()) };
    let mut whose = [states == "all"; 8];
    for name in states.split(' ').filter(|name| *name != "all") {
        let place = State::ALL.into_iter().position(|state| state.as_str().strip_prefix("AU-") == Some(name))?;
        *whose.get_mut(place)? = true;
    }
    let hour = u16::try_from(at.hour()).ok()?;
    let minute = u16::try_from(at.minute()).ok()?;
    Some((at.date(), Whose(whose), PartOf { from_minute: hour * 60 + minute }))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn every_line_of_the_data_is_read() {
        let lines: Vec<_> = SHIPPED.lines().filter(|line| !is_remark(line)).collect();
        assert!(lines.len() > 80);
        for line in lines {
            let (date, _, _) = read(line).unwrap_or_else(|| panic!("{line}"));
            assert!(SHIPPED_YEARS.contains(&date.year()), "{line}");
        }
        for (state, year) in State::ALL.into_iter().flat_map(|state| SHIPPED_YEARS.map(move |year| (state, year))) {
            for fixed in [date(year, 12, 25), date(year, 1, 26)] {
                assert_eq!(state.holiday(fixed), Some(PartOf::ALL), "{state:?} {fixed}");
            }
            let whole = DAYS.range(date(year, 1, 1)..=date(year, 12, 31)).filter(|(day, _)| state.holiday(**day) == Some(PartOf::ALL));
            assert!((9..=16).contains(&whole.count()), "{state:?} {year}");
        }
    }

    #[test]
    fn holidays_are_those_of_their_state() {
        assert!(State::Wa.holiday(date(2026, 9, 28)).is_some() && State::Nsw.holiday(date(2026, 9, 28)).is_none());
        assert!(State::Nsw.holiday(date(2026, 4, 27)).is_some() && State::Vic.holiday(date(2026, 4, 27)).is_none());
        assert!(State::Vic.holiday(date(2026, 11, 3)).is_some() && State::Tas.holiday(date(2026, 11, 3)).is_none());
        assert_eq!(State::Qld.holiday(date(2026, 12, 24)).map(PartOf::from_minute), Some(18 * 60));
        assert!(State::Qld.holiday(date(2026, 8, 12)).is_none(), "the show is Brisbane's alone");
    }

    #[test]
    fn a_calendar_adds_local_days_and_takes_others_out() {
        let calendar = Calendar { state: Some(State::Wa), days: vec![date(2026, 11, 2)], except: vec![date(2026, 9, 28)] };
        assert!(calendar.holiday(date(2026, 11, 2)).is_some() && calendar.holiday(date(2026, 9, 28)).is_none());
        assert!(calendar.holiday(date(2026, 12, 25)).is_some() && calendar.holiday(date(2026, 12, 24)).is_none());
        assert_eq!(State::ALL.map(|state| state.as_str().parse()), State::ALL.map(Ok));
        assert!("AU-XX".parse::<State>().is_err());
    }
}
