//! G: everyone alarmed is told once who is going, and once that it is over, by the channel that reached them.
//!
//! Worked out from the record alone, by counting messages to addresses; it asks the rules nothing.

use std::collections::{BTreeMap, BTreeSet};

use escalation::acknowledgement::Commitment;
use escalation::dispatch::{Purpose, Recipient, Report};
use escalation::event::{Event, Responder};
use escalation::id::{ActivationId, PersonId};

use crate::oracle::Findings;
use crate::past::Past;

/// Somebody's phone, mailbox or centre.
type Address = String;

/// What one activation's people were told.
#[derive(Default)]
struct Told {
    /// Alarms that may have arrived, by address.
    alarms: BTreeMap<Address, BTreeSet<u32>>,
    /// Whose address it is, as far as it is a person's.
    people: BTreeMap<Address, BTreeSet<PersonId>>,
    /// Who must hear that somebody is going, since the first who said so.
    to_hear_of_going: Option<BTreeSet<Address>>,
    /// How often somebody said that they are going.
    times_going: usize,
    /// Others are wanted beside whoever goes, and hear of it once they are enough.
    more_wanted: bool,
    going: BTreeMap<Address, usize>,
    /// Who must be stood down, since the closing.
    to_stand_down: Option<BTreeSet<Address>>,
    stood_down: BTreeMap<Address, usize>,
}

impl Told {
    fn alarmed(&self) -> BTreeSet<Address> {
        self.alarms.iter().filter(|(_, alarms)| !alarms.is_empty()).map(|(address, _)| address.clone()).collect()
    }

    fn alarmed_but(&self, by: &Responder) -> BTreeSet<Address> {
        let is_theirs = |address: &Address| {
            by.contact.is_some_and(|contact| *address == contact.to_string())
                || by.person.is_some_and(|by| self.people.get(address).is_some_and(|people| people.contains(&by.person)))
        };
        self.alarmed().into_iter().filter(|address| !is_theirs(address)).collect()
    }

    fn queued(&mut self, dispatch: u32, to: &Recipient, purpose: Purpose) {
        let address = address_of(to);
        match purpose {
            Purpose::Alarm | Purpose::AlarmAgain | Purpose::AskFirst | Purpose::AskKeeper => {
                if let Recipient::Person { person, .. } = to {
                    self.people.entry(address.clone()).or_default().insert(person.person);
                }
                self.alarms.entry(address).or_default().insert(dispatch);
            }
            Purpose::SomeoneGoing => *self.going.entry(address).or_default() += 1,
            Purpose::StandDown => *self.stood_down.entry(address).or_default() += 1,
            _other => {}
        }
    }

    /// What will not arrive alarmed nobody; once it is over nothing of that changes.
    fn reported(&mut self, dispatch: u32, report: &Report) {
        if matches!(report, Report::Undelivered { .. } | Report::Failed(_)) {
            for alarms in self.alarms.values_mut() {
                alarms.remove(&dispatch);
            }
        }
    }

    fn judge(&self, act: &ActivationId, found: &mut Findings) {
        let to_hear = self.to_hear_of_going.iter().flatten().filter(|_| !self.more_wanted);
        for address in to_hear.filter(|address| !self.going.contains_key(*address)) {
            found.wrong("G alarmed and not told who is going", format!("{act} {address}"));
        }
        for (address, times) in self.going.iter().filter(|(_, times)| **times > self.times_going) {
            found.wrong("G told too often who is going", format!("{act} {address} {times} times of {}", self.times_going));
        }
        let expected = self.to_stand_down.clone().unwrap_or_default();
        for address in expected.iter().filter(|address| !self.stood_down.contains_key(*address)) {
            found.wrong("G alarmed and not stood down", format!("{act} {address}"));
        }
        for (address, times) in self.stood_down.iter().filter(|(address, times)| **times > 1 || !expected.contains(*address)) {
            found.wrong("G stood down twice or without cause", format!("{act} {address} {times} times"));
        }
    }
}

/// Judges every activation of a past.
pub(crate) fn are_told_how_it_goes(past: &Past, found: &mut Findings) {
    let mut all: BTreeMap<ActivationId, Told> = BTreeMap::new();
    for entry in &past.entries {
        let Some(act) = entry.event.activation() else { continue };
        let told = all.entry(act.clone()).or_default();
        match &entry.event {
            Event::DispatchQueued { dispatch, to, purpose, .. } => told.queued(*dispatch, to, *purpose),
            Event::DispatchReported { dispatch, report, .. } => told.reported(*dispatch, report),
            Event::Accepted { by, commitment: Commitment::Going, .. } => {
                told.times_going += 1;
                if told.to_hear_of_going.is_none() {
                    told.to_hear_of_going = Some(told.alarmed_but(by));
                }
            }
            Event::Joined { commitment: Commitment::Going, .. } if told.more_wanted => told.times_going += 1,
            Event::RungEntered { need: Some(_), .. } => told.more_wanted = true,
            Event::Closed { .. } => told.to_stand_down = Some(told.alarmed()),
            _other => {}
        }
    }
    for (act, told) in all {
        told.judge(&act, found);
    }
}

fn address_of(to: &Recipient) -> Address {
    match to {
        Recipient::Person { contact, .. } | Recipient::Stranger { contact } => contact.to_string(),
        Recipient::Centre { centre, .. } => centre.to_string(),
    }
}
