//! Hours: windows of the week, and what public holidays make of them.

use std::fmt;
use std::str::FromStr;

use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time, Weekday};
use serde::{Deserialize, Serialize};

use super::holiday::Calendar;
use super::moment::Moment;

/// Minutes of a day on the wall.
const DAY: u16 = 24 * 60;
/// Days looked ahead for an edge; beyond them the question is to be asked again.
const LOOK_AHEAD: i64 = 8;
/// The days of the week as windows write them, from Monday.
const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// Windows of the week.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hours {
    /// The windows; they may overlap.
    pub windows: Vec<Window>,
    /// What a public holiday changes.
    #[serde(default)]
    pub holidays: OnHolidays,
}

/// What a public holiday makes of a window. The day on which a window begins decides for all of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnHolidays {
    /// Nothing.
    #[default]
    On,
    /// There is none on a holiday. Where only part of the day is one, it ends there.
    Off,
    /// There is one on holidays only. Where only part of the day is one, it begins there.
    Only,
}

/// A window that begins on certain days of the week: `mon-fri 08:00-17:00`, `fri,sat 18:00-02:00`, `00:00-24:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Window {
    /// One flag a day, from Monday.
    days: [bool; 7],
    /// Minutes from midnight to its beginning, less than a day.
    from: u16,
    /// Minutes from the same midnight to its end, up to two days.
    until: u16,
}

/// Why a text is not a [`Window`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{shown}\" is not a window of the week: write \"mon-fri 08:00-17:00\", \"sat,sun 18:00-02:00\" or \"00:00-24:00\"")]
pub struct NotAWindow {
    shown: String,
}

impl Hours {
    /// Whether one of the windows is on.
    pub(super) fn are_on(&self, moment: &mut Moment<'_>, calendar: Option<&Calendar>) -> bool {
        let today = moment.wall().date();
        let mut on = false;
        // A window lasts into the next day, and a clock that is put back at midnight has it end on the day after.
        for ahead in -2..=LOOK_AHEAD {
            let date = today.saturating_add(ahead.days());
            for (from, until) in self.on_date(date, calendar) {
                on |= moment.within(Some(from), Some(until));
            }
            if moment.changes_before(date.saturating_add(1.day())) {
                return on;
            }
        }
        moment.ask_again(today.saturating_add((LOOK_AHEAD + 1).days()));
        on
    }

    /// The windows that begin on a day, after what a holiday makes of them.
    fn on_date<'h>(&'h self, date: Date, calendar: Option<&'h Calendar>) -> impl Iterator<Item = (DateTime, DateTime)> + 'h {
        let holiday = calendar.and_then(|calendar| calendar.holiday(date));
        let today = self.windows.iter().filter(move |window| window.days.get(weekday(date)).is_some_and(|on| *on));
        today
            .filter_map(move |window| match (self.holidays, holiday) {
                (OnHolidays::On, _) | (OnHolidays::Off, None) => Some((window.from, window.until)),
                (OnHolidays::Off, Some(part)) => Some((window.from, window.until.min(part.from_minute()))),
                (OnHolidays::Only, None) => None,
                (OnHolidays::Only, Some(part)) => Some((window.from.max(part.from_minute()), window.until)),
            })
            .filter(|(from, until)| from < until)
            .map(move |(from, until)| (wall(date, from), wall(date, until)))
    }
}

fn wall(date: Date, minutes: u16) -> DateTime {
    date.to_datetime(Time::midnight()).saturating_add(i64::from(minutes).minutes())
}

fn weekday(date: Date) -> usize {
    usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or(0)
}

impl Window {
    /// The days on which it begins.
    pub fn days(&self) -> impl Iterator<Item = Weekday> {
        let named = (0_i8..).zip(self.days).filter(|(_, on)| *on);
        named.filter_map(|(day, _)| Weekday::from_monday_zero_offset(day).ok())
    }

    /// How many minutes it lasts on the wall.
    pub fn minutes(&self) -> u16 {
        self.until - self.from
    }
}

impl FromStr for Window {
    type Err = NotAWindow;
    fn from_str(text: &str) -> Result<Self, NotAWindow> {
        parse(text.trim()).ok_or_else(|| NotAWindow { shown: text.chars().take(64).collect() })
    }
}

fn parse(text: &str) -> Option<Window> {
    let (days, hours) = match text.rsplit_once(' ') {
        Some((days, hours)) => (parse_days(days.trim())?, hours),
        None => ([true; 7], text),
    };
    let (from, until) = hours.split_once('-')?;
    let (from, until) = (minute(from).filter(|from| *from < DAY)?, minute(until)?);
    // An end that is not after the beginning is on the next day.
    let until = if until <= from { until + DAY } else { until };
    Some(Window { days, from, until })
}

fn parse_days(text: &str) -> Option<[bool; 7]> {
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (day(first)?, day(last)?);
        let count = (last + 7 - first) % 7 + 1;
        for number in first..first + count {
            *days.get_mut(number % 7)? = true;
        }
    }
    Some(days)
}

fn day(text: &str) -> Option<usize> {
    let text = text.trim().to_ascii_lowercase();
    NAMES.iter().position(|name| *name == text)
}

/// Minutes from midnight of `08:00`, up to `24:00`.
fn minute(text: &str) -> Option<u16> {
    let (hour, minute) = text.trim().split_once(':')?;
    if hour.is_empty() || hour.len() > 2 || minute.len() != 2 || !text.trim().bytes().all(|b| b.is_ascii_digit() || b == b':') {
        return None;
    }
    let (hour, minute): (u16, u16) = (hour.parse().ok()?, minute.parse().ok()?);
    Some(hour * 60 + minute).filter(|total| minute < 60 && *total <= DAY)
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days: Vec<&str> = NAMES.iter().zip(self.days).filter(|(_, on)| *on).map(|(name, _)| *name).collect();
        if days.len() < NAMES.len() {
            write!(f, "{} ", days.join(","))?;
        }
        let until = if self.until > DAY { self.until - DAY } else { self.until };
        write!(f, "{:02}:{:02}-{:02}:{:02}", self.from / 60, self.from % 60, until / 60, until % 60)
    }
}

impl TryFrom<String> for Window {
    type Error = NotAWindow;
    fn try_from(text: String) -> Result<Self, NotAWindow> {
        text.parse()
    }
}

impl From<Window> for String {
    fn from(window: Window) -> Self {
        window.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_reads_as_it_is_written() {
        let cases = [
            ("mon-fri 08:00-17:00", "mon,tue,wed,thu,fri 08:00-17:00", 540),
            ("fri-mon 18:00-02:00", "mon,fri,sat,sun 18:00-02:00", 480),
            ("Sat, Sun 9:30-12:00", "sat,sun 09:30-12:00", 150),
            ("00:00-24:00", "00:00-24:00", 1440),
            ("08:00-08:00", "08:00-08:00", 1440),
            ("mon 23:00-00:00", "mon 23:00-24:00", 60),
        ];
        for (text, shown, minutes) in cases {
            let window: Window = text.parse().unwrap();
            assert_eq!((window.to_string().as_str(), window.minutes()), (shown, minutes), "{text}");
            assert_eq!(shown.parse::<Window>().unwrap(), window, "{text}");
        }
        for bad in
            ["", "mon", "8-17", "24:00-08:00", "08:00-25:00", "08:60-09:00", "mon--fri 08:00-09:00", "day 08:00-09:00", "+8:00-09:00"]
        {
            assert!(bad.parse::<Window>().is_err(), "{bad:?}");
        }
    }
}
