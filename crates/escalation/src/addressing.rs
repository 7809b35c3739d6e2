//! Whether a rung applies at an instant, whom it means then, and by which channels: asked by the climb when a rung is entered,
//! and by the proof in advance, so that the two cannot differ.
//!
//! Knows no activation: who rests, and whether an operator has claimed, is said by whoever asks.

use std::collections::BTreeSet;

use crate::directory::{Centre, Person};
use crate::dispatch::Recipient;
use crate::event::{Channel, ContactSkip, Party, RungSkip};
use crate::id::{CentreId, PersonId, PersonVersion, RosterId};
use crate::ladder::{Medium, RungIndex, Target, When, Who};
use crate::roster::{Duty, Rosters, WallClock};
use crate::signal::Kind;
use crate::time::Timestamp;

/// Somebody with current details and the channel steps to try, or why not.
pub(crate) type Resolution = Result<(Option<PersonVersion>, Vec<Vec<Channel>>), ContactSkip>;

/// What the directory says to whoever asks for a rung.
pub(crate) trait Surroundings {
    /// Who is on duty; `None` where nobody knows the roster.
    fn on_duty(&self, roster: &RosterId) -> Option<Duty>;
    /// How a person is reached by a target's channels.
    fn person(&self, person: PersonId, target: &Target) -> Resolution;
    /// How a centre is reached.
    fn centre(&self, centre: &CentreId) -> Resolution;
}

/// Whether a rung applies to a call of this kind at an instant, and until when the hours say so; `None`: for good.
/// Where nobody knows by which clock to read them, hours limit nothing: too many are told rather than too few.
pub(crate) fn applies(
    when: &When,
    kind: Kind,
    clock: Option<&WallClock>,
    rosters: &Rosters,
    at: Timestamp,
) -> (Result<(), RungSkip>, Option<Timestamp>) {
    if !when.is_for(kind) {
        return (Err(RungSkip::NotForThisKind), None);
    }
    match (&when.hours, clock) {
        (Some(hours), Some(clock)) => {
            let (on, until) = rosters.are_on(hours, clock, at);
            (if on { Ok(()) } else { Err(RungSkip::OutsideItsHours) }, until)
        }
        (Some(_), None) | (None, _) => (Ok(()), None),
    }
}

/// Everybody whom targets mean, in order: each party that can be tried, or who cannot and why.
pub(crate) fn parties<'t>(
    rung: RungIndex,
    targets: impl Iterator<Item = &'t Target>,
    around: &impl Surroundings,
) -> Vec<Result<Party, (Who, ContactSkip)>> {
    let mut found: Vec<Result<Party, (Who, ContactSkip)>> = Vec::new();
    for (who, resolved) in targets.flat_map(|target| meant(target, around)) {
        let resolved = resolved.and_then(|(person, steps)| {
            let mut taken = steps.iter().flatten();
            let taken = taken.all(|channel| found.iter().flatten().any(|party| party.is_reached_by(channel)));
            if taken { Err(ContactSkip::SameAddress) } else { Ok((person, steps)) }
        });
        found.push(match resolved {
            Ok((person, steps)) => Ok(Party { rung, who, person, steps }),
            Err(why) => Err((who, why)),
        });
    }
    found
}

/// Whom a target means: itself, or everybody whom its roster has on duty.
fn meant(target: &Target, around: &impl Surroundings) -> Vec<(Who, Resolution)> {
    let itself = |resolved| vec![(target.who.clone(), resolved)];
    match &target.who {
        Who::Person(person) => itself(around.person(*person, target)),
        Who::Centre(centre) => itself(around.centre(centre)),
        Who::Roster(roster) => match around.on_duty(roster) {
            None => itself(Err(ContactSkip::Unknown)),
            Some(duty) if duty.people.is_empty() => itself(Err(ContactSkip::NobodyOnDuty)),
            Some(duty) => {
                let people = duty.people.into_iter();
                people.map(|person| (Who::Person(person), around.person(person, target))).collect()
            }
        },
    }
}

/// The people whom targets mean, each once, whether or not they can be tried.
pub(crate) fn people<'t>(targets: impl Iterator<Item = &'t Target>, on_duty: &dyn Fn(&RosterId) -> Option<Duty>) -> BTreeSet<PersonId> {
    let meant = |target: &Target| match &target.who {
        Who::Person(person) => vec![*person],
        Who::Centre(_) => Vec::new(),
        Who::Roster(roster) => on_duty(roster).map(|duty| duty.people).unwrap_or_default(),
    };
    targets.flat_map(meant).collect()
}

/// How a person with these details is reached by a target's channels; by a call only where their phone `may_ring`.
pub(crate) fn steps_to(id: PersonId, person: &Person, target: &Target, may_ring: bool) -> Resolution {
    let version = PersonVersion { person: id, version: person.version };
    let channel = |medium: &Medium| {
        let contact = *person.contacts.get(&medium.in_writing())?;
        Some(Channel { medium: *medium, to: Recipient::Person { person: version, contact } })
    };
    let quiet = |channel: &Channel| channel.medium != Medium::Voice || may_ring;
    let steps: Vec<Vec<Channel>> = target
        .by
        .iter()
        .map(|together| together.iter().filter_map(channel).filter(quiet).collect::<Vec<_>>())
        .filter(|together| !together.is_empty())
        .collect();
    if steps.is_empty() {
        let unheard = !may_ring && target.by.iter().flatten().find_map(channel).is_some();
        return Err(if unheard { ContactSkip::NotByCall } else { ContactSkip::NoAddress });
    }
    Ok((Some(version), steps))
}

/// How a centre with these details is reached.
pub(crate) fn channel_to(id: &CentreId, centre: &Centre) -> Channel {
    let medium = if centre.webhook.is_some() { Medium::Webhook } else { Medium::Desk };
    Channel { medium, to: Recipient::Centre { centre: id.clone(), webhook: centre.webhook.clone() } }
}

/// Nobody can be reached by a desk that nobody is at.
pub(crate) fn at_the_desk(channel: &Channel, is_armed: bool) -> Result<(), ContactSkip> {
    match channel.medium {
        Medium::Desk if !is_armed => Err(ContactSkip::NobodyAtTheDesk),
        Medium::Desk | Medium::Sms | Medium::Email | Medium::Voice | Medium::Webhook => Ok(()),
    }
}

/// Adds a party that is not among them already, at the same addresses, from another rung.
pub(crate) fn add_party(parties: &mut Vec<Party>, party: Party) {
    let among = |channel: &Channel| parties.iter().any(|other| other.who == party.who && other.is_reached_by(channel));
    if !party.steps.iter().flatten().all(among) {
        parties.push(party);
    }
}

impl Party {
    /// Whether one of its own channels ends at the same address.
    pub(crate) fn is_reached_by(&self, channel: &Channel) -> bool {
        self.steps.iter().flatten().any(|own| own.medium == channel.medium && own.to.is_same_address(&channel.to))
    }
}
