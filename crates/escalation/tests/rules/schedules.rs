//! On which days and at which instant drills are due, against a reader that counts days by hand and looks at a clock on the wall minute
//! by minute: ten years in five zones, with hours that fall on every edge.

use std::collections::BTreeSet;

use escalation::id::{CustomerId, SiteId};
use escalation::schedule::{Repeat, Schedule};
use escalation::time::{Seconds, SignedDuration, Timestamp};
use escalation::zone::Zone;
use jiff::ToSpan;
use jiff::civil::{Date, DateTime, Time, date};

use crate::rosters::{Dice, ZONES, edges};

const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const WEEKS: [&str; 6] = ["", "first ", "second ", "third ", "fourth ", "last "];
const FROM: Date = date(2026, 1, 1);
const UNTIL: Date = date(2036, 1, 1);

fn schedule(on: &str, at: Time, minutes: u32, sites: usize) -> Schedule {
    Schedule {
        customer: CustomerId::parse("kalamunda").unwrap(),
        sites: (0..sites).map(|number| SiteId::parse(&format!("site-{number:03}")).unwrap()).collect(),
        device: None,
        on: on.parse::<Repeat>().unwrap(),
        at,
        window_s: Seconds(minutes * 60),
    }
}

/// The days of ten years, by a calendar on paper: a column for each weekday, read from the top.
fn by_hand(week: usize, day: usize) -> Vec<Date> {
    let mut found = Vec::new();
    for year in 2026..2036_i16 {
        for month in 1..=12_i8 {
            let mut column = Vec::new();
            for number in 1..=31_i8 {
                // 1 January 2026 was a Thursday.
                if let Ok(date) = Date::new(year, month, number) {
                    let since: i64 = FROM.until((jiff::Unit::Day, date)).unwrap().get_days().into();
                    if usize::try_from((since + 3) % 7).unwrap() == day {
                        column.push(date);
                    }
                }
            }
            match week {
                0 => found.extend(column),
                5 => found.extend(column.last()),
                number => found.extend(column.get(number - 1)),
            }
        }
    }
    found
}

#[test]
fn the_days_of_ten_years_are_those_of_a_paper_calendar() {
    let perth = Zone::named("Australia/Perth").unwrap();
    for (week, named) in WEEKS.iter().enumerate() {
        for (day, name) in DAYS.iter().enumerate() {
            let schedule = schedule(&format!("{named}{name}"), Time::constant(10, 0, 0, 0), 15, 1);
            let (mut from, mut settled, mut days) = (perth.midnight(FROM), None, Vec::new());
            while let Some(next) = schedule.next(0, &perth, from, settled).filter(|next| next.day < UNTIL) {
                (from, settled) = (from.max(next.opens), Some(next.day));
                days.push(next.day);
            }
            assert_eq!(days, by_hand(week, day), "{named}{name}");
        }
    }
}

/// The first minute at which the clock shows a time of that day, or a later one.
fn naive(zone: &Zone, wall: DateTime) -> Timestamp {
    let utc = wall.to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp();
    let begin = utc - SignedDuration::from_hours(16);
    let minutes = (0..32 * 60).map(|minute| begin + SignedDuration::from_mins(minute));
    minutes.clone().find(|at| zone.wall(*at) >= wall).unwrap()
}

/// A time that the clock skips is the moment of the skip, one that it shows twice is the first of the two, and either is once.
#[test]
fn every_hour_of_every_edge_is_due_once() {
    for name in ZONES {
        let zone = Zone::named(name).unwrap();
        for (number, edge) in (1..).zip(edges(name)) {
            let mut dice = Dice::new(number);
            let there = zone.wall(edge).date();
            for ahead in -1..=1_i64 {
                let day = there.checked_add(ahead.days()).unwrap();
                let (hour, minute) = (i8::try_from(dice.throw(5)).unwrap(), i8::try_from(dice.throw(60)).unwrap());
                let at = Time::new(hour, minute, 0, 0).unwrap();
                let schedule = schedule(DAYS[usize::try_from(day.weekday().to_monday_zero_offset()).unwrap()], at, 15, 1);
                let due = schedule.on_day(0, &zone, day).unwrap();
                assert_eq!(due.opens, naive(&zone, day.to_datetime(at)), "{name} {day} {at}");
                assert_eq!((due.turn, due.closes), (due.opens, due.opens + SignedDuration::from_mins(15)));
                // Asked at every moment around it there is this one and no other within the week.
                let from = due.opens - SignedDuration::from_hours(30);
                let first = schedule.next(0, &zone, from, None).unwrap();
                assert_eq!(first, due, "{name} {day} {at}");
                let next = schedule.next(0, &zone, from, Some(day)).unwrap();
                assert_eq!(next.day, day.checked_add(7.days()).unwrap(), "{name} {day} {at}");
                assert!(next.opens.duration_since(due.opens) > SignedDuration::from_hours(6 * 24), "{name} {day} {at}");
            }
        }
    }
}

#[test]
fn the_turns_of_many_sites_lie_within_the_window_and_apart() {
    let perth = Zone::named("Australia/Perth").unwrap();
    let schedule = schedule("tue", Time::constant(10, 0, 0, 0), 15, 300);
    let day = date(2026, 12, 1);
    let turns: BTreeSet<Timestamp> = (0..300).map(|place| schedule.on_day(place, &perth, day).unwrap().turn).collect();
    let due = schedule.on_day(0, &perth, day).unwrap();
    assert_eq!(turns.len(), 300);
    assert!(turns.iter().all(|turn| (due.opens..due.closes).contains(turn)));
    let apart: BTreeSet<i64> = turns.iter().zip(turns.iter().skip(1)).map(|(one, two)| one.duration_until(*two).as_secs()).collect();
    assert_eq!(apart, BTreeSet::from([3]));
    assert_eq!(schedule.on_day(0, &perth, date(2026, 12, 2)), None);
}
