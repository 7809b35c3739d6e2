//! `[[roster]]`: who is on duty when, as people write it.

use std::collections::BTreeMap;
use std::fmt;

use jiff::civil::DateTime;
use toml::de::DeValue;

use super::defaults::DraftDefaults;
use super::reader::{At, Section};
use super::{Draft, hours, wall};
use crate::id::{CalendarId, CustomerId, PersonId, RosterId, Slug};
use crate::roster::{Calendar, Hours, Override, Roster, Rosters, Shift, State, Swap, Turn};
use crate::zone::Zone;

/// A roster as the file has it.
#[derive(Clone, PartialEq, Eq)]
pub struct DraftRoster {
    /// Its id.
    pub id: RosterId,
    /// Whose; anybody's where none is named.
    pub customer: Option<At<CustomerId>>,
    /// Whose clock on the wall its times are read from.
    pub zone: Zone,
    /// Whose public holidays its hours mean.
    pub calendar: Option<At<CalendarId>>,
    /// Who is on duty as a rule.
    pub shifts: Vec<DraftShift>,
    /// Times at which certain people stand in for everybody.
    pub overrides: Vec<DraftOverride>,
    /// Times at which one person stands in for another.
    pub swaps: Vec<DraftSwap>,
    /// Where it begins.
    pub line: usize,
}

/// A shift as the file has it.
#[derive(Clone, PartialEq, Eq)]
pub struct DraftShift {
    /// Who.
    pub people: Vec<At<Slug>>,
    /// Whether one after the other.
    pub turn: Option<Turn>,
    /// At which hours.
    pub hours: Option<Hours>,
    /// Not before.
    pub from: Option<DateTime>,
    /// Not after.
    pub until: Option<DateTime>,
}

/// An override as the file has it.
#[derive(Clone, PartialEq, Eq)]
pub struct DraftOverride {
    /// From when.
    pub from: DateTime,
    /// Until when.
    pub until: DateTime,
    /// Who, and nobody else.
    pub people: Vec<At<Slug>>,
}

/// A swap as the file has it.
#[derive(Clone, PartialEq, Eq)]
pub struct DraftSwap {
    /// From when.
    pub from: DateTime,
    /// Until when.
    pub until: DateTime,
    /// Who would be on duty.
    pub off: At<Slug>,
    /// Who is instead.
    pub on: At<Slug>,
}

impl DraftRoster {
    pub(super) fn read(mut section: Section<'_, '_, '_>, defaults: &DraftDefaults) -> Option<Self> {
        let id = section.id::<RosterId>("id");
        section.missing("id", "", "give it a short name for the rungs");
        let customer = section.id("customer");
        let timezone = section.read("timezone", super::zone::parse);
        if defaults.timezone.is_none() {
            section.missing(
                "timezone",
                "its times are those of a clock on a wall",
                "add  timezone = \"Australia/Perth\"  here or under [defaults]",
            );
        }
        let calendar = section.id::<CalendarId>("calendar");
        let written = section.has("shift");
        let title = section.title.clone();
        let mut number = 0;
        let shifts = section.each("shift", |mut shift| {
            number += 1;
            shift.title = format!("{title}, shift {number}");
            Some(DraftShift::read(shift, calendar.is_some()))
        });
        if !written || section.none_of("shift") {
            section.missing("shift", "nobody would ever be on duty", "add  [[roster.shift]]  with  people = [\"...\"]");
        }
        let overrides = section.each("override", DraftOverride::read);
        let swaps = section.each("swap", DraftSwap::read);
        let line = section.line;
        section.close();
        let named = timezone.or_else(|| defaults.timezone.clone()).and_then(|zone| Zone::named(&zone.value).ok());
        // Without a zone there is an error already; the roster is kept, so that nobody is told that it is not there.
        let zone = named.unwrap_or_default();
        Some(Self { id: id?.value, customer, zone, calendar, shifts, overrides, swaps, line })
    }

    /// Everybody who may ever be on duty.
    pub fn people(&self) -> impl Iterator<Item = &At<Slug>> {
        let shifts = self.shifts.iter().flat_map(|shift| &shift.people);
        let overrides = self.overrides.iter().flat_map(|change| &change.people);
        shifts.chain(overrides).chain(self.swaps.iter().map(|swap| &swap.on))
    }

    /// Everybody who is named.
    pub fn named(&self) -> impl Iterator<Item = &At<Slug>> {
        self.people().chain(self.swaps.iter().map(|swap| &swap.off))
    }
}

impl DraftShift {
    fn read(mut section: Section<'_, '_, '_>, has_calendar: bool) -> Self {
        let people = people(&mut section);
        let turn = section.read("turn", wall::turn);
        let first = section.read("first", wall::time);
        let line = section.line;
        match (&turn, &first) {
            (Some(_), None) => section.missing("first", "it says when the first of the list begins", "add  first = \"2026-11-30 08:00\""),
            (None, Some(first)) if !section.has("turn") => {
                let what = section.titled("first has no effect without turn");
                section.reader.error(first.line, what, "", "add  turn = \"1w\", or write  from");
            }
            (Some(_) | None, _) => {}
        }
        if let Some(line) = hours::asks_for_holidays(&mut section)
            && !has_calendar
        {
            let what = section.titled("holidays: the roster names no calendar");
            section.reader.error(line, what, "no day would be a holiday", "add  calendar = \"AU-WA\"  to the roster");
        }
        let hours = hours::read(&mut section);
        let (from, until) = (section.read("from", wall::time), section.read("until", wall::time));
        wall::ordered(&mut section, from.as_ref(), until.as_ref());
        if people.is_empty() && section.has("people") {
            let what = section.titled("people is empty");
            section.reader.error(line, what, "it would have nobody on duty", "name a person");
        }
        section.close();
        let turn = turn.zip(first).map(|(days, first)| Turn { first: first.value, days: days.value });
        Self { people, turn, hours, from: from.map(|f| f.value), until: until.map(|u| u.value) }
    }
}

impl DraftOverride {
    fn read(mut section: Section<'_, '_, '_>) -> Option<Self> {
        let span = wall::span(&mut section);
        let people = people(&mut section);
        section.close();
        let (from, until) = span?;
        Some(Self { from, until, people })
    }
}

impl DraftSwap {
    fn read(mut section: Section<'_, '_, '_>) -> Option<Self> {
        let span = wall::span(&mut section);
        let (off, on) = (section.id::<Slug>("off"), section.id::<Slug>("on"));
        section.missing("off", "", "add  off = \"...\": who would be on duty");
        section.missing("on", "", "add  on = \"...\": who is instead");
        section.close();
        let (from, until) = span?;
        Some(Self { from, until, off: off?, on: on? })
    }
}

fn people(section: &mut Section<'_, '_, '_>) -> Vec<At<Slug>> {
    section.missing("people", "nobody would be on duty", "add  people = [\"...\"]");
    let Some((value, line)) = section.value("people") else {
        return Vec::new();
    };
    let DeValue::Array(items) = value else {
        section.wrong_type("people", line, "a list of persons", value);
        return Vec::new();
    };
    let mut people = Vec::new();
    for text in section.list("people", items) {
        match Slug::parse(text.value) {
            Ok(value) => people.push(At { value, line: text.line }),
            Err(why) => {
                let what = section.titled(&format!("people: {why}"));
                section.reader.error(text.line, what, "", "write the person's id");
            }
        }
    }
    people
}

impl Draft {
    /// The rosters as the rules use them. Nobody is left out in a draft without errors: every person named there exists.
    pub(super) fn rosters(&self, known: &BTreeMap<&Slug, PersonId>) -> Rosters {
        let ids = |people: &[At<Slug>]| people.iter().filter_map(|p| known.get(&p.value).copied()).collect::<Vec<_>>();
        let mut rosters = Rosters::default();
        for draft in &self.rosters {
            let shifts = draft.shifts.iter().map(|shift| Shift {
                people: ids(&shift.people),
                turn: shift.turn,
                hours: shift.hours.clone(),
                from: shift.from,
                until: shift.until,
            });
            let overrides = draft.overrides.iter().map(|o| Override { from: o.from, until: o.until, people: ids(&o.people) });
            let swaps = draft.swaps.iter().filter_map(|s| {
                let (off, on) = (*known.get(&s.off.value)?, *known.get(&s.on.value)?);
                Some(Swap { from: s.from, until: s.until, off, on })
            });
            let roster = Roster {
                zone: draft.zone.clone(),
                calendar: draft.calendar.as_ref().map(|c| c.value.clone()),
                shifts: shifts.collect(),
                overrides: overrides.collect(),
                swaps: swaps.collect(),
                stand_ins: Vec::new(),
            };
            rosters.rosters.insert(draft.id.clone(), roster);
        }
        let named = self
            .rosters
            .iter()
            .filter_map(|roster| roster.calendar.as_ref())
            .chain(self.sites.iter().filter_map(|site| site.arrangement.calendar.as_ref()));
        let states = named.filter_map(|named| Some((named.value.clone(), named.value.as_str().parse::<State>().ok()?)));
        rosters.calendars.extend(states.map(|(id, state)| (id, Calendar { state: Some(state), ..Calendar::default() })));
        rosters.calendars.extend(self.calendars.iter().map(|c| (c.id.clone(), c.calendar.clone())));
        for leave in &self.leave {
            if let Some(person) = known.get(&leave.person.value) {
                rosters.leave.entry(*person).or_default().push(leave.leave.clone());
            }
        }
        rosters
    }
}

impl fmt::Debug for DraftRoster {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DraftRoster({}, line {}, redacted)", self.id, self.line)
    }
}
