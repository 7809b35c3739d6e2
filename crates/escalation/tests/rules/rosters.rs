//! Who is on duty, against a reader that knows nothing but what a clock on the wall has shown and will show.
//!
//! Every edge of ten years in five zones, to the minute, with rosters thrown by seed so that their times fall on the edges.

use std::collections::BTreeMap;

use escalation::id::{CalendarId, PersonId, RosterId};
use escalation::roster::{
    Calendar, Counting, Duty, Hours, How, Leave, OnHolidays, Override, Roster, Rosters, Shift, StandIn, State, Swap, Turn,
};
use escalation::time::{SignedDuration, Timestamp};
use escalation::zone::Zone;
use jiff::ToSpan;
use jiff::civil::{Date, DateTime, date};
use jiff::tz::TimeZone;

pub(crate) const ZONES: [&str; 5] = ["Australia/Sydney", "Australia/Lord_Howe", "Australia/Perth", "Pacific/Chatham", "Europe/London"];
/// Minutes on either side of an edge that are looked at one by one.
const AROUND: i64 = 24 * 60;
/// Minutes more on which the naive reader looks back and ahead.
const MARGIN: i64 = 4 * 60;
const ROSTERS_PER_EDGE: u64 = 4;

/// Chance from a seed, the same every time.
pub(crate) struct Dice(u64);

impl Dice {
    /// The first throws of small seeds are alike, and are thrown away.
    pub(crate) fn new(seed: u64) -> Self {
        let mut dice = Self(seed);
        (0..8).for_each(|_| {
            dice.throw(2);
        });
        dice
    }

    pub(crate) fn throw(&mut self, sides: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        i64::try_from(self.0 >> 33).unwrap() % sides
    }

    pub(crate) fn heads(&mut self) -> bool {
        self.throw(2) == 0
    }
}

/// Every change of a zone's clock in ten years; where there is none, the first day of every quarter.
pub(crate) fn edges(zone: &str) -> Vec<Timestamp> {
    let tz = TimeZone::get(zone).unwrap();
    let (from, to) = (date(2026, 1, 1), date(2036, 1, 1));
    let start = from.to_zoned(tz.clone()).unwrap().timestamp();
    let end = to.to_zoned(tz.clone()).unwrap().timestamp();
    let changes: Vec<_> = tz.following(start).map(|change| change.timestamp()).take_while(|at| *at < end).collect();
    if !changes.is_empty() {
        return changes;
    }
    (0..40).map(|quarter: i32| (from + (quarter * 3).months()).to_zoned(tz.clone()).unwrap().timestamp()).collect()
}

/// What the clock shows on every minute, the latest it has shown so far, and the earliest it will show after that minute.
struct Walls {
    begin: Timestamp,
    shown: Vec<DateTime>,
    latest: Vec<DateTime>,
    earliest: Vec<DateTime>,
}

impl Walls {
    fn around(zone: &Zone, edge: Timestamp) -> Self {
        let begin = edge - SignedDuration::from_mins(AROUND + MARGIN);
        let shown: Vec<_> = (0..=2 * (AROUND + MARGIN)).map(|minute| zone.wall(begin + SignedDuration::from_mins(minute))).collect();
        let mut latest = shown.clone();
        for index in 1..latest.len() {
            latest[index] = latest[index].max(latest[index - 1]);
        }
        let mut earliest = shown.clone();
        for index in (1..earliest.len()).rev() {
            let after = earliest.get(index + 1).copied().unwrap_or(DateTime::MAX);
            earliest[index] = shown.get(index + 1).copied().unwrap_or(DateTime::MAX).min(after);
        }
        Self { begin, shown, latest, earliest }
    }

    fn at(&self, minute: usize) -> Timestamp {
        self.begin + SignedDuration::from_mins(i64::try_from(minute).unwrap())
    }
}

/// One minute, as the naive reader sees it.
#[derive(Clone, Copy)]
struct Naive {
    at: Timestamp,
    shown: DateTime,
    latest: DateTime,
    earliest: DateTime,
}

impl Naive {
    /// The clock has shown this time or a later one.
    fn came(&self, wall: DateTime) -> bool {
        self.latest >= wall
    }

    /// The clock shows an earlier time, or will show this one or an earlier one again.
    fn comes(&self, wall: DateTime) -> bool {
        self.shown < wall || self.earliest <= wall
    }

    fn on(&self, from: DateTime, until: DateTime) -> bool {
        self.came(from) && self.comes(until)
    }

    /// For an absence it is the other way round.
    fn surely(&self, from: DateTime, until: DateTime) -> bool {
        !self.comes(from) && !self.came(until)
    }

    fn on_duty(&self, rosters: &Rosters, roster: &Roster) -> Vec<PersonId> {
        let calendar = &rosters.calendars[&CalendarId::parse("local").unwrap()];
        let away = |person: &PersonId| rosters.leave.get(person).is_some_and(|leave| leave.iter().any(|l| self.surely(l.from, l.until)));
        let mut people: Vec<PersonId> = Vec::new();
        for shift in &roster.shifts {
            let in_force = shift.from.is_none_or(|from| self.came(from)) && shift.until.is_none_or(|until| self.comes(until));
            if !in_force || !shift.hours.as_ref().is_none_or(|hours| self.in_hours(hours, calendar)) {
                continue;
            }
            let count = shift.people.len();
            match shift.turn {
                None => people.extend(shift.people.iter().filter(|person| !away(person))),
                Some(turn) => {
                    let days = i64::from(turn.days);
                    for number in 0..16_i64 {
                        if self.on(turn.first + (number * days).days(), turn.first + ((number + 1) * days).days()) {
                            let whose = usize::try_from(number).unwrap() % count;
                            let stands_in = (whose..whose + count).map(|index| shift.people[index % count]).find(|person| !away(person));
                            people.extend(stands_in);
                        }
                    }
                }
            }
        }
        for change in roster.overrides.iter().filter(|o| self.on(o.from, o.until)) {
            people.clone_from(&change.people);
        }
        for swap in roster.swaps.iter().filter(|s| self.on(s.from, s.until)) {
            people.iter_mut().filter(|person| **person == swap.off).for_each(|person| *person = swap.on);
        }
        let is_on = |counting: &&Counting| counting.stand_in.from <= self.at && self.at < counting.stand_in.until;
        for Counting { stand_in, how } in roster.stand_ins.iter().filter(is_on) {
            if people.contains(&stand_in.off) && !people.contains(&stand_in.on) {
                people
                    .iter_mut()
                    .filter(|person| *how == How::Instead && **person == stand_in.off)
                    .for_each(|person| *person = stand_in.on);
                people.extend(Some(stand_in.on).filter(|_| *how == How::Beside));
            }
        }
        let mut once = Vec::new();
        for person in people {
            if !once.contains(&person) {
                once.push(person);
            }
        }
        once
    }

    /// Whether a window is on, from what is written in it.
    fn in_hours(&self, hours: &Hours, calendar: &Calendar) -> bool {
        (-3..=2).any(|ahead: i64| {
            let day = self.shown.date() + ahead.days();
            let holiday = calendar.holiday(day).map(|part| i64::from(part.from_minute()));
            hours.windows.iter().any(|window| {
                let text = window.to_string();
                let (from, until) = text.rsplit(' ').next().unwrap().split_once('-').unwrap();
                let (from, mut until) = (minutes(from), minutes(until));
                if until <= from {
                    until += 24 * 60;
                }
                let (from, until) = match (hours.holidays, holiday) {
                    (OnHolidays::On, _) | (OnHolidays::Off, None) => (from, until),
                    (OnHolidays::Off, Some(part)) => (from, until.min(part)),
                    (OnHolidays::Only, None) => (0, 0),
                    (OnHolidays::Only, Some(part)) => (from.max(part), until),
                };
                let midnight = day.at(0, 0, 0, 0);
                window.days().any(|weekday| weekday == day.weekday())
                    && from < until
                    && self.on(midnight + from.minutes(), midnight + until.minutes())
            })
        })
    }
}

fn minutes(text: &str) -> i64 {
    let (hour, minute) = text.split_once(':').unwrap();
    hour.parse::<i64>().unwrap() * 60 + minute.parse::<i64>().unwrap()
}

/// A time of day near the hours at which clocks are changed, or anywhere.
fn near(dice: &mut Dice) -> i64 {
    if dice.heads() { dice.throw(17) * 15 } else { dice.throw(24 * 4) * 15 }
}

fn moment(dice: &mut Dice, day: Date, spread: i64) -> DateTime {
    let days = dice.throw(2 * spread + 1) - spread;
    (day + days.days()).at(0, 0, 0, 0) + near(dice).minutes()
}

fn span(dice: &mut Dice, day: Date) -> (DateTime, DateTime) {
    let (a, b) = (moment(dice, day, 1), moment(dice, day, 1));
    (a.min(b), a.max(b))
}

pub(crate) fn hours(dice: &mut Dice) -> Hours {
    let holidays = [OnHolidays::On, OnHolidays::Off, OnHolidays::Only][usize::try_from(dice.throw(3)).unwrap()];
    let days = ["", "mon-fri ", "sat,sun ", "sun ", "fri-sun "];
    let windows = (0..=dice.throw(2)).map(|_| {
        let (from, until) = (near(dice), near(dice));
        let days = days[usize::try_from(dice.throw(5)).unwrap()];
        format!("{days}{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, until / 60, until % 60).parse().unwrap()
    });
    Hours { windows: windows.collect(), holidays }
}

fn people(dice: &mut Dice) -> Vec<PersonId> {
    let count = dice.throw(3) + 1;
    let first = dice.throw(5);
    (first..first + count).map(|number| PersonId::new(u32::try_from(number % 5 + 1).unwrap())).collect()
}

fn shift(dice: &mut Dice, day: Date) -> Shift {
    let turn = dice.heads().then(|| {
        let days = u16::try_from([1, 1, 7, 14][usize::try_from(dice.throw(4)).unwrap()]).unwrap();
        let first = moment(dice, day, 0) - (i64::from(days) * dice.throw(9)).days();
        Turn { first, days }
    });
    Shift {
        people: people(dice),
        turn,
        hours: dice.heads().then(|| hours(dice)),
        from: (dice.throw(4) == 0).then(|| moment(dice, day, 1)),
        until: (dice.throw(4) == 0).then(|| moment(dice, day, 1)),
    }
}

pub(crate) fn thrown(dice: &mut Dice, zone: &Zone, edge: Timestamp) -> Rosters {
    let day = zone.wall(edge).date();
    let shifts = (0..=dice.throw(2)).map(|_| shift(dice, day)).collect();
    let overrides = (0..dice.throw(3) / 2).map(|_| {
        let (from, until) = span(dice, day);
        Override { from, until, people: people(dice) }
    });
    let overrides = overrides.collect();
    let swaps = (0..dice.throw(3)).map(|_| {
        let (from, until) = span(dice, day);
        let (off, on) = (people(dice)[0], people(dice)[0]);
        Swap { from, until, off, on }
    });
    let swaps = swaps.collect();
    let leave = (0..dice.throw(3)).map(|_| {
        let (from, until) = span(dice, day);
        (people(dice)[0], vec![Leave { from, until }])
    });
    let leave = leave.collect();
    let calendar = CalendarId::parse("local").unwrap();
    let days = if dice.heads() { vec![day] } else { vec![day + 1.day()] };
    let local = Calendar { state: Some(State::Nsw), days, except: Vec::new() };
    let roster = Roster { zone: zone.clone(), calendar: Some(calendar.clone()), shifts, overrides, swaps, stand_ins: Vec::new() };
    Rosters { rosters: BTreeMap::from([(id(), roster)]), calendars: BTreeMap::from([(calendar, local)]), leave }
}

/// Who stands in by hand: no part of a directory, and so of nothing else that is thrown.
fn stand_ins(dice: &mut Dice, edge: Timestamp) -> Vec<Counting> {
    let stand_ins = (0..dice.throw(3)).map(|_| {
        let from = edge + SignedDuration::from_mins(dice.throw(24 * 60) - 12 * 60);
        let until = from + SignedDuration::from_mins(1 + dice.throw(6 * 60));
        let stand_in = StandIn { from, until, off: people(dice)[0], on: people(dice)[0] };
        Counting { stand_in, how: if dice.throw(2) == 0 { How::Instead } else { How::Beside } }
    });
    stand_ins.collect()
}

pub(crate) fn id() -> RosterId {
    RosterId::parse("duty").unwrap()
}

/// At every minute exactly the people the rules say, and every answer holds until it says so.
fn check(zone: &Zone, edge: Timestamp, seed: u64) -> (usize, bool) {
    let mut dice = Dice::new(seed);
    let mut rosters = thrown(&mut dice, zone, edge);
    rosters.rosters.get_mut(&id()).unwrap().stand_ins = stand_ins(&mut dice, edge);
    let roster = &rosters.rosters[&id()];
    let walls = Walls::around(zone, edge);
    let margin = usize::try_from(MARGIN).unwrap();
    let mut held: Option<Duty> = None;
    let (mut questions, mut overlapped) = (0, false);
    for minute in margin..walls.shown.len() - margin {
        let at = walls.at(minute);
        let naive = Naive { at, shown: walls.shown[minute], latest: walls.latest[minute], earliest: walls.earliest[minute] };
        let expected = naive.on_duty(&rosters, roster);
        overlapped |= naive.latest > naive.shown && expected.len() > 1;
        let duty = match held.take() {
            Some(duty) if duty.until.is_none_or(|until| until > at) => duty,
            Some(_) | None => {
                questions += 1;
                rosters.on_duty(&id(), at).unwrap()
            }
        };
        assert_eq!(duty.people, expected, "{} seed {seed} at {at} ({}): {rosters:#?}", zone.name(), naive.shown);
        held = Some(duty);
    }
    (questions, overlapped)
}

#[test]
fn on_every_edge_of_ten_years_the_people_are_those_the_rules_say() {
    let (mut questions, mut overlaps, mut looked_at) = (0, 0, 0);
    for (number, name) in (1_u64..).zip(ZONES) {
        let zone = Zone::named(name).unwrap();
        let edges = edges(name);
        assert!(edges.len() >= 20, "{name}: {}", edges.len());
        for (index, edge) in (0_u64..).zip(edges) {
            for throw in 0..ROSTERS_PER_EDGE {
                let (asked, overlapped) = check(&zone, edge, 1 + number * 1_000_000 + index * 1_000 + throw);
                questions += asked;
                overlaps += usize::from(overlapped);
                looked_at += 1;
            }
        }
    }
    println!("{looked_at} rosters around edges, {questions} questions, {overlaps} with an overlap");
    assert!(overlaps > 20, "too few rosters have two people on duty while a clock repeats an hour: {overlaps}");
}

/// Between two edges nothing changes: asked at any instant, the answer is the one that was said to hold.
#[test]
fn an_answer_holds_until_it_says() {
    let mut dice = Dice::new(0x0C00_EE11);
    for round in 0..300 {
        let zone = Zone::named(ZONES[usize::try_from(dice.throw(5)).unwrap()]).unwrap();
        let edge: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let edge = edge + SignedDuration::from_mins(dice.throw(10 * 365 * 24 * 60));
        let rosters = thrown(&mut dice, &zone, edge);
        let mut at = edge - SignedDuration::from_hours(60);
        let end = edge + SignedDuration::from_hours(24 * 30);
        while at < end {
            let duty = rosters.on_duty(&id(), at).unwrap();
            let until = duty.until.unwrap_or(end);
            assert!(until > at, "round {round}: no progress at {at}");
            let length = until.min(end).duration_since(at).as_secs();
            for _ in 0..3 {
                let within = at + SignedDuration::from_secs(dice.throw(length.max(1)));
                let again = rosters.on_duty(&id(), within).unwrap();
                assert_eq!(again.people, duty.people, "round {round}: asked at {at} and {within}: {rosters:#?}");
            }
            at = until;
        }
    }
}
