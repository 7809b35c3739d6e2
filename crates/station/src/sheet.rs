//! The result sheet of a drill: who was told by what and when, who answered, who did not, and what failed.
//!
//! Made from the drill's own history alone. What the record does not say happened is shown as not having happened.

use escalation::acknowledgement::Commitment;
use escalation::dispatch::Recipient;
use escalation::event::{AnsweredVia, ContactSkip, Event, Party, Responder};
use escalation::id::{CentreId, PersonId};
use escalation::ladder::Who;
use escalation::time::{Timestamp, millis_between};

use crate::portray::{doer, plain, who};
use crate::vault::Vault;
use crate::view::Attempt;

/// What came of a drill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sheet {
    /// Who started it.
    pub by: String,
    /// Everybody whose rung was entered, in order; each once.
    pub told: Vec<Told>,
    /// Rungs and people that the drill came to and could not reach, and why.
    pub unreached: Vec<String>,
    /// The operator who claimed it first. Of which centre they are the record does not say.
    pub claimed_by: Option<String>,
    /// It is over.
    pub over: bool,
}

/// Somebody who was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// Their name, or a centre's.
    pub name: String,
    /// On which rung, from 1; 0 where they were told beside it.
    pub rung: u16,
    /// When that rung was entered.
    pub at: Timestamp,
    /// What was sent to them to call them, oldest first.
    pub written: Vec<Attempt>,
    /// Their first answer.
    pub answered: Option<Answered>,
    whom: Whom,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answered {
    /// When.
    pub at: Timestamp,
    /// How long after their rung was entered, in milliseconds.
    pub after_ms: u64,
    /// `going`, `verifying` or `cannot`.
    pub what: &'static str,
    /// `sms`, `voice`, `link` or `api`; an answer by the API is somebody's word for theirs.
    pub via: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Whom {
    Person(PersonId),
    Centre(CentreId),
}

impl Told {
    fn new(vault: &Vault, directory: u32, party: &Party, at: Timestamp) -> Option<Self> {
        let whom = match (&party.who, party.person) {
            (Who::Centre(centre), _) => Whom::Centre(centre.clone()),
            (Who::Person(_) | Who::Roster(_), Some(person)) => Whom::Person(person.person),
            (Who::Person(person), None) => Whom::Person(*person),
            (Who::Roster(_), None) => return None,
        };
        Some(Self::of(vault, directory, whom, party.rung.0.saturating_add(1), at))
    }

    /// A centre is told beside somebody's answer, whatever rung it stands on.
    fn beside(vault: &Vault, directory: u32, to: &Recipient, at: Timestamp) -> Option<Self> {
        match to {
            Recipient::Centre { centre, .. } => Some(Self::of(vault, directory, Whom::Centre(centre.clone()), 0, at)),
            Recipient::Person { person, .. } => Some(Self::of(vault, directory, Whom::Person(person.person), 0, at)),
            Recipient::Stranger { .. } => None,
        }
    }

    fn of(vault: &Vault, directory: u32, whom: Whom, rung: u16, at: Timestamp) -> Self {
        let named = match &whom {
            Whom::Person(person) => Who::Person(*person),
            Whom::Centre(centre) => Who::Centre(centre.clone()),
        };
        Self { name: who(vault, directory, &named), rung, at, written: Vec::new(), answered: None, whom }
    }

    /// Whether it is a centre; one without a message watches the desk.
    pub fn is_centre(&self) -> bool {
        matches!(self.whom, Whom::Centre(_))
    }

    fn answer(&mut self, at: Timestamp, what: &'static str, via: &'static str) {
        let after_ms = millis_between(self.at, at);
        self.answered.get_or_insert(Answered { at, after_ms, what, via });
    }
}

/// The sheet of a drill, from its history and what became of its messages.
pub(crate) fn of(vault: &Vault, directory: u32, history: &[(u64, Timestamp, Event)], attempts: &[Attempt]) -> Sheet {
    let mut sheet = Sheet::default();
    for (_, at, event) in history {
        sheet.read(vault, directory, *at, event, attempts);
    }
    if sheet.over {
        sheet.told.iter_mut().flat_map(|told| &mut told.written).for_each(Attempt::conclude);
    }
    sheet
}

impl Sheet {
    fn read(&mut self, vault: &Vault, directory: u32, at: Timestamp, event: &Event, attempts: &[Attempt]) {
        if let Event::Raised(raised) = event {
            self.by = raised.by.as_ref().map(|by| doer(vault, by)).unwrap_or_default();
        }
        if let Event::RungEntered { parties, .. } = event {
            for told in parties.iter().filter_map(|party| Told::new(vault, directory, party, at)) {
                if self.told.iter().all(|before| before.whom != told.whom) {
                    self.told.push(told);
                }
            }
        }
        if let Event::DispatchQueued { dispatch, to, purpose, .. } = event
            && purpose.is_alarm()
        {
            if self.told.iter().all(|told| !told.is_at(to)) {
                self.told.extend(Told::beside(vault, directory, to, at));
            }
            if let Some(told) = self.told.iter_mut().find(|told| told.is_at(to)) {
                told.written.extend(attempts.iter().find(|attempt| attempt.dispatch.number == *dispatch).cloned());
            }
        }
        if let Event::RungPassedOver { rung, why, .. } = event {
            self.unreached.push(format!("step {}: {}", rung.0.saturating_add(1), plain(why)));
        }
        if let Event::ContactPassedOver { who: passed, why, rung, .. } = event
            && *why != ContactSkip::Resting
        {
            self.unreached.push(format!("step {}: {}, {}", rung.0.saturating_add(1), who(vault, directory, passed), plain(why)));
        }
        if let Event::Claimed { by, .. } = event {
            self.claimed_by.get_or_insert_with(|| doer(vault, by));
        }
        self.over |= matches!(event, Event::Closed { .. });
        self.read_answer(at, event);
    }

    fn read_answer(&mut self, at: Timestamp, event: &Event) {
        let Some((by, what)) = said(event) else { return };
        let via = match by.via {
            AnsweredVia::Sms => "sms",
            AnsweredVia::Voice => "voice",
            AnsweredVia::Link(_) => "link",
            AnsweredVia::Api => "api",
        };
        let theirs = |told: &&mut Told| by.person.is_some_and(|person| told.whom == Whom::Person(person.person));
        if let Some(told) = self.told.iter_mut().find(theirs) {
            told.answer(at, what, via);
        }
    }
}

/// Who answers, and what.
fn said(event: &Event) -> Option<(&Responder, &'static str)> {
    if let Event::Accepted { by, commitment, .. } | Event::Joined { by, commitment, .. } = event {
        return Some((by, committed(*commitment)));
    }
    if let Event::Declined { by, .. } = event { Some((by, "cannot")) } else { None }
}

fn committed(commitment: Commitment) -> &'static str {
    match commitment {
        Commitment::Going => "going",
        Commitment::Verifying => "verifying",
    }
}

impl Told {
    fn is_at(&self, to: &Recipient) -> bool {
        match (to, &self.whom) {
            (Recipient::Person { person, .. }, Whom::Person(told)) => person.person == *told,
            (Recipient::Centre { centre, .. }, Whom::Centre(told)) => centre == told,
            (Recipient::Person { .. } | Recipient::Centre { .. } | Recipient::Stranger { .. }, _) => false,
        }
    }
}
