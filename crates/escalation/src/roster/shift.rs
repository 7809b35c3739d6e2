//! A shift: a crew, its hours, and whether its people take turns.

use std::collections::BTreeMap;

use jiff::ToSpan;
use jiff::civil::DateTime;
use serde::{Deserialize, Serialize};

use super::change::Leave;
use super::holiday::Calendar;
use super::hours::Hours;
use super::moment::Moment;
use crate::id::PersonId;

/// A crew and the hours at which it is on duty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    /// Who, in the order of their turns or of their importance.
    pub people: Vec<PersonId>,
    /// Whether one after the other; `None`: all together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<Turn>,
    /// At which hours; `None`: day and night.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hours: Option<Hours>,
    /// Not before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<DateTime>,
    /// Not after.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<DateTime>,
}

/// How a crew takes turns: the first of the list from `first` on, the next so many days later at the same time on the wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// The first hand-over. Before it nobody of the shift is on duty.
    pub first: DateTime,
    /// Days from hand-over to hand-over, at least 1.
    pub days: u16,
}

impl Shift {
    /// Who of it is on duty.
    pub(super) fn on(&self, moment: &mut Moment<'_>, calendar: Option<&Calendar>, leave: &BTreeMap<PersonId, Vec<Leave>>) -> Vec<PersonId> {
        let in_force = moment.within(self.from, self.until);
        let in_hours = self.hours.as_ref().is_none_or(|hours| hours.are_on(moment, calendar));
        // Turns and leave are asked about in any case: their edges are edges of the answer.
        let here: Vec<bool> = self.people.iter().map(|person| !is_away(moment, leave.get(person))).collect();
        let on: Vec<PersonId> = match self.turn {
            Some(turn) => turn.holders(moment).into_iter().filter_map(|number| self.holder(number, &here)).collect(),
            None => self.people.iter().zip(&here).filter(|(_, here)| **here).map(|(person, _)| *person).collect(),
        };
        if in_force && in_hours { on } else { Vec::new() }
    }

    /// Who has the turn of that number: whose it is, or the next of the list who is not away.
    fn holder(&self, number: u64, here: &[bool]) -> Option<PersonId> {
        let count = u64::try_from(self.people.len()).ok().filter(|count| *count > 0)?;
        let whose = usize::try_from(number % count).ok()?;
        let in_turn = self.people.iter().zip(here).cycle().skip(whose).take(self.people.len());
        in_turn.filter(|(_, here)| **here).map(|(person, _)| *person).next()
    }
}

impl Turn {
    /// The numbers of the turns that are on: one, or two while a clock that was put back repeats a hand-over.
    fn holders(self, moment: &mut Moment<'_>) -> Vec<u64> {
        // Also where the first hand-over is far ahead, it is an edge.
        moment.within(Some(self.first), None);
        let days = i64::from(self.days.max(1));
        let since = i64::from((moment.wall().date() - self.first.date()).get_days());
        let about = since.div_euclid(days);
        // A hand-over lies within a day of where whole days would put it.
        let near = about.saturating_sub(2)..=about.saturating_add(2);
        near.filter(|number| *number >= 0)
            .filter(|number| {
                let (from, until) = (self.hand_over(number.saturating_mul(days)), self.hand_over((number + 1).saturating_mul(days)));
                moment.within(Some(from), Some(until))
            })
            .filter_map(|number| u64::try_from(number).ok())
            .collect::<Vec<_>>()
    }

    fn hand_over(self, days: i64) -> DateTime {
        self.first.saturating_add(days.days())
    }
}

fn is_away(moment: &mut Moment<'_>, leave: Option<&Vec<Leave>>) -> bool {
    let mut away = false;
    for leave in leave.into_iter().flatten() {
        away |= moment.surely_within(leave.from, leave.until);
    }
    away
}
