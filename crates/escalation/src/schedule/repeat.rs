//! On which days something repeats: `tue` every week, `first tue` or `last fri` every month.

use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, Weekday};
use serde::{Deserialize, Serialize};

/// The days of the week as they are written, from Monday.
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// The weeks of a month as they are written.
const WEEKS: [(&str, Week); 5] =
    [("first", Week::First), ("second", Week::Second), ("third", Week::Third), ("fourth", Week::Fourth), ("last", Week::Last)];

/// On which days something repeats.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Repeat {
    day: Weekday,
    /// In which week of the month; every week where none is said.
    week: Option<Week>,
}

/// Which of a month's four or five Tuesdays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Week {
    First,
    Second,
    Third,
    Fourth,
    Last,
}

/// Why a text is not a [`Repeat`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "\"{shown}\" is no day that repeats: write \"tue\" for every week, or \"first tue\", \"second tue\" ... \"last tue\" for every month"
)]
pub struct NotARepeat {
    shown: String,
}

impl Repeat {
    /// Whether it is on this day.
    pub fn is_on(self, date: Date) -> bool {
        date.weekday() == self.day && self.week.is_none_or(|week| week.has(date))
    }
}

impl Week {
    fn has(self, date: Date) -> bool {
        let before = (date.day() - 1) / 7;
        match self {
            Self::First => before == 0,
            Self::Second => before == 1,
            Self::Third => before == 2,
            Self::Fourth => before == 3,
            Self::Last => date.day() > date.days_in_month() - 7,
        }
    }
}

impl FromStr for Repeat {
    type Err = NotARepeat;
    fn from_str(text: &str) -> Result<Self, NotARepeat> {
        let wrong = || NotARepeat { shown: text.chars().take(40).filter(|c| !c.is_control()).collect() };
        let lower = text.to_ascii_lowercase();
        let words: Vec<&str> = lower.split_whitespace().collect();
        let (week, day) = match words.as_slice() {
            [day] => (None, *day),
            [week, day] => {
                let known = WEEKS.iter().find(|(name, _)| name == week).ok_or_else(wrong)?;
                (Some(known.1), *day)
            }
            [] | [_, _, ..] => return Err(wrong()),
        };
        let (_, day) = DAYS.iter().find(|(name, _)| *name == day).ok_or_else(wrong)?;
        Ok(Self { day: *day, week })
    }
}

impl fmt::Display for Repeat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, _)) = WEEKS.iter().find(|(_, week)| Some(*week) == self.week) {
            write!(f, "{name} ")?;
        }
        f.write_str(DAYS.iter().find(|(_, day)| *day == self.day).map_or("", |(name, _)| name))
    }
}

impl TryFrom<String> for Repeat {
    type Error = NotARepeat;
    fn try_from(text: String) -> Result<Self, NotARepeat> {
        text.parse()
    }
}

impl From<Repeat> for String {
    fn from(repeat: Repeat) -> Self {
        repeat.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_repeat_reads_as_it_is_written() {
        for text in ["mon", "sun", "first tue", "second wed", "third thu", "fourth sat", "last fri"] {
            assert_eq!(text.parse::<Repeat>().unwrap().to_string(), text);
        }
        assert_eq!(" First  TUE ".parse::<Repeat>().unwrap().to_string(), "first tue");
        for bad in ["", "tuesday", "tue first", "fifth tue", "first", "first tue wed", "2 weeks tue", "mon-fri", "every tue"] {
            assert!(bad.parse::<Repeat>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn the_last_tuesday_is_the_fourth_or_the_fifth() {
        let days = |text: &str, month: i8| -> Vec<i8> {
            let repeat: Repeat = text.parse().unwrap();
            let first = Date::new(2026, month, 1).unwrap();
            first.series(jiff::ToSpan::day(1)).take(31).filter(|day| day.month() == month && repeat.is_on(*day)).map(Date::day).collect()
        };
        assert_eq!(days("tue", 12), [1, 8, 15, 22, 29]);
        assert_eq!(days("first tue", 12), [1]);
        assert_eq!(days("fourth tue", 12), [22]);
        assert_eq!(days("last tue", 12), [29]);
        assert_eq!(days("last sat", 2), [28]);
        assert_eq!(days("fourth sat", 2), [28]);
    }
}
