//! A rehearsal in words: one line for each thing that would happen, with the seconds after the press and the clock on the wall.

use std::fmt::Write as _;

use escalation::directory::Standing;
use escalation::event::{ContactSkip, OnDuty, RungSkip};
use escalation::ladder::{Medium, Who};
use escalation::rehearsal::{Happening, Step};
use escalation::time::{SignedDuration, Timestamp};

use super::Told;

/// The whole of it.
pub(super) fn text(told: &Told) -> String {
    let mut text = heading(told);
    for step in &told.rehearsal.steps {
        let clock = told.zone.wall(told.instant(step.after_s)).strftime("%H:%M:%S");
        let _written = writeln!(text, "{:>6} s  {clock}  {}", step.after_s, told.words(step));
    }
    text + &outcome(told)
}

fn heading(told: &Told) -> String {
    let site = told.hand.places.sites.get(&told.device.site).map_or("", |card| &card.name);
    let button = match told.rehearsal.standing {
        Standing::Registered => told.hand.places.devices.get(&told.device).map_or_else(String::new, |place| place.name.clone()),
        Standing::UnknownDevice | Standing::UnknownSite => "an unregistered button".to_owned(),
    };
    let wall = told.zone.wall(told.at).strftime("%a %-d %b %Y %H:%M:%S");
    let without = if told.without.is_empty() { String::new() } else { format!(", without {}", told.without.join(", ")) };
    format!(
        "{site}, {button}: {}, ladder \"{}\"\n{wall} ({}), {}{without}, and nobody answers\n\n",
        told.rehearsal.kind.as_str(),
        told.rehearsal.ladder,
        told.zone.name(),
        told.at,
    )
}

fn outcome(told: &Told) -> String {
    let first = told.rehearsal.first_told_after_s();
    let first = first.map_or("nobody is told before that".to_owned(), |after| format!("somebody is told after {after} s"));
    let exhausted = told.rehearsal.exhausted_after_s().unwrap_or_default();
    format!(
        "\n{first}; the ladder is exhausted after {exhausted} s, and from then on its rounds go on without end\n\
         told means that a message leaves: whether it arrives, nobody can rehearse\n"
    )
}

impl Told {
    pub(super) fn instant(&self, after_s: u64) -> Timestamp {
        let after = SignedDuration::from_secs(i64::try_from(after_s).unwrap_or(i64::MAX));
        self.at.saturating_add(after).unwrap_or(Timestamp::MAX)
    }

    fn words(&self, step: &Step) -> String {
        match &step.what {
            Happening::Entered { rung, waits_s, duty } => {
                let waits = format!("rung {} waits {waits_s} s", rung.0 + 1);
                let words: Vec<String> = std::iter::once(waits).chain(duty.iter().map(|duty| self.on_duty(duty))).collect();
                words.join("; ")
            }
            Happening::Told { who, medium, .. } => format!("  {} is told by {}", self.name(who), self.way(*medium)),
            Happening::Stuck { who, medium, known_after_s, .. } => {
                format!(
                    "  {} is NOT told by {}: it takes nothing, which is known after {} s",
                    self.name(who),
                    medium.as_str(),
                    known_after_s.0
                )
            }
            Happening::PassedOver { who, why, .. } => format!("  {} is passed over: {}", self.name(who), reason(*why)),
            Happening::Skipped { rung, why } => format!("rung {} {} and takes no time", rung.0 + 1, skip(*why)),
            Happening::Exhausted => "the ladder is exhausted".to_owned(),
            Happening::Round => "round 1: everybody again".to_owned(),
        }
    }

    fn on_duty(&self, duty: &OnDuty) -> String {
        let names: Vec<String> = duty.people.iter().map(|person| self.name(&Who::Person(*person))).collect();
        let names = if names.is_empty() { "nobody".to_owned() } else { names.join(", ") };
        let until = duty.until.map(|until| format!(" until {}", self.zone.wall(until).strftime("%a %-d %b %H:%M")));
        format!("on duty in {}: {names}{}", duty.roster, until.unwrap_or_default())
    }

    /// A channel and the account that is asked first for it.
    fn way(&self, medium: Medium) -> String {
        match medium {
            Medium::Sms | Medium::Voice => match self.up.iter().find(|carrier| carrier.of.medium() == medium) {
                Some(carrier) => format!("{} ({})", medium.as_str(), carrier.name),
                None => medium.as_str().to_owned(),
            },
            Medium::Email | Medium::Webhook | Medium::Desk => medium.as_str().to_owned(),
        }
    }

    pub(super) fn name(&self, who: &Who) -> String {
        match who {
            Who::Person(person) => self.hand.names.get(person).map_or_else(|| person.to_string(), Clone::clone),
            Who::Centre(centre) => self.hand.places.centres.get(centre).map_or_else(|| centre.to_string(), Clone::clone),
            Who::Roster(roster) => format!("roster {roster}"),
        }
    }
}

/// Why a rung is passed over.
fn skip(why: RungSkip) -> &'static str {
    match why {
        RungSkip::Nobody => "has nobody",
        RungSkip::CentreHasClaimed => "has the centre alone, which has claimed,",
        RungSkip::OutsideItsHours => "is outside its hours",
        RungSkip::NotForThisKind => "is not for this kind of help",
    }
}

/// Why somebody is not tried, or not any further.
pub(super) fn reason(why: ContactSkip) -> &'static str {
    match why {
        ContactSkip::Unknown => "in no directory",
        ContactSkip::NoAddress => "no address for the channels of the rung",
        ContactSkip::AllChannelsFailed => "everything was tried and nothing left",
        ContactSkip::Resting => "declined, and rests",
        ContactSkip::InNeed => "the call is for them",
        ContactSkip::CentreHasClaimed => "an operator has claimed",
        ContactSkip::SameAddress => "the same address is on this rung already",
        ContactSkip::NobodyOnDuty => "nobody is on duty",
        ContactSkip::HasAccepted => "has accepted already",
        ContactSkip::NobodyAtTheDesk => "nobody is at the desk",
        ContactSkip::NotByCall => "only a call would reach them, and it must not ring",
    }
}
