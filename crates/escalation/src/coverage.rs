//! What a press would do at any instant, foretold: who would be told when, if nobody answered.
//!
//! It asks the very functions by which the climb resolves a rung (`addressing`), at the instant at which that rung
//! would be entered. Every answer says until when it holds, so that a fortnight costs its changes and not its minutes.
//! It assumes that nobody answers, and that every message leaves but those by ways that are imagined to be out; it knows
//! nothing of calls that are open, claimed or declined.

mod case;
mod cover;
mod place;

use std::collections::BTreeMap;

use crate::addressing::{self, Resolution, Surroundings};
use crate::directory::{Directory, Person};
use crate::event::{Channel, ContactSkip, Party, RungSkip};
use crate::id::{CentreId, PersonId, RosterId};
use crate::ladder::{Ladder, RungIndex, Target, Who};
use crate::outage::{Outage, known_after};
use crate::roster::Duty;
use crate::signal::Kind;
use crate::time::{Seconds, SignedDuration, Timestamp};

pub use case::Case;
pub(crate) use cover::spans;
pub use cover::{Cover, Level, Only, RungCover, Span, Without, Worst};
pub use place::Place;

/// How far ahead is looked, in days (lifecycle, "Proof before it is needed").
pub const HORIZON_DAYS: i64 = 14;

/// A directory and its people, asked about what would happen.
#[derive(Clone, Copy, Debug)]
pub struct Outlook<'a> {
    /// The directory.
    pub directory: &'a Directory,
    /// Everybody in it.
    pub people: &'a BTreeMap<PersonId, Person>,
    /// What takes no message.
    pub outages: &'a [Outage],
}

/// One climb that nobody answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Walk {
    /// Every rung that has anybody, in order.
    pub entered: Vec<Entered>,
    /// Everybody to whom a message leaves before the ladder is exhausted, rung by rung.
    pub told: Vec<Told>,
    /// Everybody who would be passed over before that, rung by rung.
    pub passed_over: Vec<PassedOver>,
    /// Every rung that would take no time, in order.
    pub skipped: Vec<Skipped>,
    /// After how many seconds it would be exhausted.
    pub exhausted_after_s: u64,
}

/// A rung that would be entered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entered {
    /// Which.
    pub rung: RungIndex,
    /// How many seconds after the press.
    pub after_s: u64,
    /// Who would be tried.
    pub parties: Vec<Party>,
}

/// Somebody who would be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// How many seconds after the press.
    pub after_s: u64,
    /// Of which rung.
    pub rung: RungIndex,
    /// Who.
    pub who: Who,
    /// By the first of their channels that work, together.
    pub by: Vec<Channel>,
}

/// Somebody who would be passed over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// On which rung.
    pub rung: RungIndex,
    /// Who.
    pub who: Who,
    /// Why.
    pub why: ContactSkip,
    /// How many seconds after the press.
    pub after_s: u64,
}

/// A rung that would take no time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Which.
    pub rung: RungIndex,
    /// Why.
    pub why: RungSkip,
}

/// A time during which every press would do the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval {
    /// From when.
    pub from: Timestamp,
    /// Until when.
    pub until: Timestamp,
    /// What a press would do.
    pub walk: Walk,
}

/// The outlook at one instant.
struct Instant<'o, 'a> {
    outlook: &'o Outlook<'a>,
    case: &'o Case,
    at: Timestamp,
}

impl Surroundings for Instant<'_, '_> {
    fn on_duty(&self, roster: &RosterId) -> Option<Duty> {
        self.outlook.directory.rosters.on_duty(roster, self.at)
    }

    fn person(&self, person: PersonId, target: &Target) -> Resolution {
        let details = self.outlook.people.get(&person).ok_or(ContactSkip::Unknown)?;
        addressing::steps_to(person, details, target, self.may_ring(details))
    }

    fn centre(&self, centre: &CentreId) -> Resolution {
        let details = self.outlook.directory.centres.get(centre).ok_or(ContactSkip::Unknown)?;
        let channel = addressing::channel_to(centre, details);
        addressing::at_the_desk(&channel, known_after(self.outlook.outages, channel.medium, &channel.to).is_none())?;
        Ok((None, vec![vec![channel]]))
    }
}

impl Instant<'_, '_> {
    /// A ladder may be climbed for the very site at which somebody is based, where nobody rings them for a silent call; and a call
    /// for calm support rings nobody at all.
    fn may_ring(&self, person: &Person) -> bool {
        let is_silent = |kind: &Kind| match kind {
            Kind::Duress | Kind::Welfare => true,
            Kind::Panic | Kind::Medical | Kind::Assist => false,
        };
        let rings = self.case.kinds.iter().any(|kind| *kind != Kind::Assist);
        rings && (person.based_at.is_none() || !self.case.kinds.iter().any(is_silent))
    }
}

impl Outlook<'_> {
    /// What a press at `at` would do on a ladder, and until when every press would do the same; `None`: for good.
    pub fn walk(&self, ladder: &Ladder, case: &Case, at: Timestamp) -> (Walk, Option<Timestamp>) {
        let mut walk = Walk { entered: Vec::new(), told: Vec::new(), passed_over: Vec::new(), skipped: Vec::new(), exhausted_after_s: 0 };
        let mut until: Option<Timestamp> = None;
        for (index, rung) in (0_u16..).map(RungIndex).zip(&ladder.rungs) {
            let after = SignedDuration::from_secs(i64::try_from(walk.exhausted_after_s).unwrap_or(i64::MAX));
            let instant = Instant { outlook: self, case, at: at.saturating_add(after).unwrap_or(Timestamp::MAX) };
            // Every answer holds until its own edge, and the press that would meet that edge comes so much earlier.
            let mut meets = |edge: Option<Timestamp>| {
                let press = edge.and_then(|edge| edge.checked_sub(after).ok());
                until = [until, press].into_iter().flatten().min();
            };
            let rosters = &self.directory.rosters;
            let (applies, edge) = addressing::applies(&rung.when, case.kind(), case.clock.as_ref(), rosters, instant.at);
            meets(edge);
            if let Err(why) = applies {
                walk.skipped.push(Skipped { rung: index, why });
                continue;
            }
            for target in &rung.targets {
                meets(match &target.who {
                    Who::Roster(roster) => instant.on_duty(roster).and_then(|duty| duty.until),
                    Who::Person(_) | Who::Centre(_) => None,
                });
            }
            let mut parties = Vec::new();
            for found in addressing::parties(index, rung.targets.iter(), &instant) {
                match found {
                    Ok(party) => addressing::add_party(&mut parties, party),
                    Err((who, why)) => walk.passed_over.push(PassedOver { rung: index, who, why, after_s: walk.exhausted_after_s }),
                }
            }
            if parties.is_empty() {
                walk.skipped.push(Skipped { rung: index, why: RungSkip::Nobody });
            } else {
                self.enter(&mut walk, index, parties, rung.wait_s);
            }
        }
        // What would come of an attempt only later, the first round has overtaken.
        walk.told.retain(|told| told.after_s <= walk.exhausted_after_s);
        walk.passed_over.retain(|passed| passed.after_s <= walk.exhausted_after_s);
        (walk, until)
    }

    /// A rung lasts as long as it waits, or until nothing that was tried is left to wait for.
    fn enter(&self, walk: &mut Walk, rung: RungIndex, parties: Vec<Party>, wait_s: Seconds) {
        let after_s = walk.exhausted_after_s;
        let waited_s = after_s.saturating_add(u64::from(wait_s.0));
        let mut nobody_left_s = Some(after_s);
        for party in &parties {
            match self.first_working(party, after_s) {
                Ok((after_s, by)) => {
                    walk.told.push(Told { after_s, rung, who: party.who.clone(), by });
                    nobody_left_s = None;
                }
                Err(after_s) => {
                    walk.passed_over.push(PassedOver { rung, who: party.who.clone(), why: ContactSkip::AllChannelsFailed, after_s });
                    nobody_left_s = nobody_left_s.map(|others| others.max(after_s));
                }
            }
        }
        walk.entered.push(Entered { rung, after_s, parties });
        walk.exhausted_after_s = nobody_left_s.map_or(waited_s, |left| left.min(waited_s));
    }

    /// When the first step of a party is tried that has a channel by which messages leave, and by which; or when all have failed.
    fn first_working(&self, party: &Party, mut after_s: u64) -> Result<(u64, Vec<Channel>), u64> {
        for step in &party.steps {
            let down = |channel: &Channel| known_after(self.outages, channel.medium, &channel.to);
            let by: Vec<Channel> = step.iter().filter(|channel| down(channel).is_none()).cloned().collect();
            if !by.is_empty() {
                return Ok((after_s, by));
            }
            let longest = step.iter().filter_map(down).max().unwrap_or(Seconds(0));
            after_s = after_s.saturating_add(u64::from(longest.0));
        }
        Err(after_s)
    }

    /// What presses from `from` to `until` would do, one entry for each time during which it is the same.
    pub fn intervals(&self, ladder: &Ladder, case: &Case, from: Timestamp, until: Timestamp) -> Vec<Interval> {
        let mut intervals: Vec<Interval> = Vec::new();
        let mut at = from;
        while at < until {
            let (walk, edge) = self.walk(ladder, case, at);
            let end = edge.map_or(until, |edge| edge.min(until));
            match intervals.last_mut() {
                Some(last) if last.walk == walk => last.until = end,
                Some(_) | None => intervals.push(Interval { from: at, until: end, walk }),
            }
            at = end;
        }
        intervals
    }
}

impl Walk {
    /// After how many seconds the first party is told; `None` where nobody ever is.
    pub fn first_told_after_s(&self) -> Option<u64> {
        self.told.iter().map(|told| told.after_s).min()
    }

    /// How many parties are told that share no address with one before them.
    pub fn independent(&self) -> usize {
        let is_told = |party: &&Party| self.told.iter().any(|told| told.rung == party.rung && told.who == party.who);
        let mut apart: Vec<&Party> = Vec::new();
        for party in self.entered.iter().flat_map(|entered| &entered.parties).filter(is_told) {
            let shares =
                |other: &&Party| other.who == party.who || party.steps.iter().flatten().any(|channel| other.is_reached_by(channel));
            if !apart.iter().any(shares) {
                apart.push(party);
            }
        }
        apart.len()
    }
}
