//! A rehearsal: an engine of its own lives through a press that nobody answers, under outages that are imagined.
//!
//! What it tells is read from the very events that the engine would record, so that it can differ from the rules in nothing.
//! It knows no call that is open and writes no record. A message by a way that is not out counts as taken at once; that
//! it arrives, or that anybody reads it, is not said.

use std::collections::BTreeMap;

use crate::directory::{Adoption, Directory, Person, PersonChange, Standing};
use crate::dispatch::{DeliveryReport, Failure, Report};
use crate::engine::Engine;
use crate::event::{ContactSkip, Event, OnDuty, Party, RungSkip};
use crate::id::{ActivationId, DeviceId, Digest, DispatchId, LadderId, PersonId};
use crate::input::{DeskArmed, Input};
use crate::ladder::{Medium, RungIndex, Who};
use crate::outage::{Outage, Path, known_after};
use crate::private::Private;
use crate::signal::{Kind, Origin, Signal, Via};
use crate::time::{Seconds, Timestamp, millis_between};

/// What is rehearsed.
#[derive(Clone, Copy, Debug)]
pub struct Scene<'a> {
    /// The directory.
    pub directory: &'a Directory,
    /// Everybody in it.
    pub people: &'a BTreeMap<PersonId, Person>,
    /// Which button is pressed; it need not be registered.
    pub device: &'a DeviceId,
    /// What kind of help is called for; what the button means by itself where nothing is said.
    pub kind: Option<Kind>,
    /// When.
    pub at: Timestamp,
    /// What takes no message meanwhile.
    pub outages: &'a [Outage],
}

/// What would happen, from the press to the first round after the last rung.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rehearsal {
    /// By which ladder.
    pub ladder: LadderId,
    /// What kind of help.
    pub kind: Kind,
    /// How well the button is known.
    pub standing: Standing,
    /// In order.
    pub steps: Vec<Step>,
}

/// One thing that would happen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// How many seconds after the press.
    pub after_s: u64,
    /// What.
    pub what: Happening,
}

/// What can happen while nobody answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A rung is entered.
    Entered {
        /// Which.
        rung: RungIndex,
        /// For how many seconds it waits.
        waits_s: u64,
        /// What its rosters say.
        duty: Vec<OnDuty>,
    },
    /// A message leaves, or a desk has the call in view.
    Told {
        /// Of which rung.
        rung: RungIndex,
        /// Who.
        who: Who,
        /// By what.
        medium: Medium,
    },
    /// A message is tried and does not leave.
    Stuck {
        /// Of which rung.
        rung: RungIndex,
        /// Who is not told.
        who: Who,
        /// By what.
        medium: Medium,
        /// After how many seconds it is given up.
        known_after_s: Seconds,
    },
    /// Somebody is passed over, at once or after everything that was tried.
    PassedOver {
        /// Of which rung.
        rung: RungIndex,
        /// Who.
        who: Who,
        /// Why.
        why: ContactSkip,
    },
    /// A rung takes no time: it does not apply, or has nobody.
    Skipped {
        /// Which.
        rung: RungIndex,
        /// Why.
        why: RungSkip,
    },
    /// The last rung waited in vain.
    Exhausted,
    /// Everybody is told again.
    Round,
}

/// The engine at play.
struct Stage<'s> {
    scene: &'s Scene<'s>,
    engine: Engine,
    now: Timestamp,
    /// What carriers will say, and when.
    reports: BTreeMap<(Timestamp, DispatchId), Report>,
    rehearsal: Option<Rehearsal>,
}

impl Scene<'_> {
    /// Lives through it. `None` never happens: a press is always raised.
    pub fn play(&self) -> Option<Rehearsal> {
        let reports = BTreeMap::new();
        let mut stage = Stage { scene: self, engine: Engine::default(), now: self.at, reports, rehearsal: None };
        stage.take(&Input::DirectoryOffered(Box::new(self.adoption())));
        stage.take_seats();
        stage.take(&Input::Signal(self.press()));
        while let Some((at, input)) = stage.next() {
            // Everything of the instant at which it is exhausted belongs to it; what comes later only repeats.
            if stage.is_over() && at > stage.now {
                break;
            }
            stage.now = stage.now.max(at);
            stage.take(&input);
        }
        stage.rehearsal
    }

    fn adoption(&self) -> Adoption {
        let unsaid = || Private::Open(String::new());
        let change = |(id, person): (&PersonId, &Person)| PersonChange {
            id: *id,
            person: person.clone(),
            reference: unsaid(),
            name: unsaid(),
            mobile: None,
            email: None,
        };
        Adoption {
            digest: Digest::new([0; 32]),
            directory: self.directory.clone(),
            people: self.people.iter().map(change).collect(),
            gone: Vec::new(),
            places: unsaid(),
            zones: String::new(),
        }
    }

    fn press(&self) -> Signal {
        let origin = Origin { via: Via::Session, client: None, qos: 1, retained: false, dup: false, waited_since: None };
        Signal::made_here(self.device.clone(), self.kind, origin)
    }
}

impl Stage<'_> {
    /// Somebody is at every desk, unless desks are imagined to be empty.
    fn take_seats(&mut self) {
        let empty = Path::Medium(Medium::Desk);
        if self.scene.outages.iter().any(|outage| outage.of == empty) {
            return;
        }
        for centre in self.scene.directory.desks() {
            self.take(&Input::DeskArmed(DeskArmed::from((centre, "rehearsal"))));
        }
    }

    /// What comes next: a carrier's word, else a deadline.
    fn next(&mut self) -> Option<(Timestamp, Input)> {
        let deadline = self.engine.next_deadline().map(|deadline| deadline.at);
        let reported = self.reports.first_key_value().map(|((at, _), _)| *at);
        match (reported, deadline) {
            (Some(at), None) => self.reported(at),
            (Some(at), Some(deadline)) if at <= deadline => self.reported(at),
            (Some(_) | None, Some(deadline)) => Some((deadline, Input::Tick)),
            (None, None) => None,
        }
    }

    fn reported(&mut self, at: Timestamp) -> Option<(Timestamp, Input)> {
        let ((_, dispatch), report) = self.reports.pop_first()?;
        Some((at, Input::DeliveryReported(DeliveryReport::bare(dispatch, report))))
    }

    fn take(&mut self, input: &Input) {
        // Nothing that is played here can be refused: only callers of the API are.
        for event in self.engine.decide(self.now, input).unwrap_or_default() {
            self.engine.apply(self.now, &event);
            self.note(&event);
        }
    }

    fn note(&mut self, event: &Event) {
        if let Event::Raised(raised) = event {
            self.rehearsal =
                Some(Rehearsal { ladder: raised.ladder.id.clone(), kind: raised.kind, standing: raised.standing, steps: Vec::new() });
        }
        if let Event::RungEntered { rung, until, parties, duty, .. } = event {
            let waits_s = millis_between(self.now, *until) / 1_000;
            self.happens(Happening::Entered { rung: *rung, waits_s, duty: duty.clone() });
            self.show_desks(parties);
        }
        if let Event::DispatchQueued { act, dispatch, pursuit: Some((pursuit, _)), .. } = event {
            self.send(&DispatchId { activation: act.clone(), number: *dispatch }, *pursuit);
        }
        if let Event::ContactPassedOver { rung, who, why, .. } = event {
            self.happens(Happening::PassedOver { rung: *rung, who: who.clone(), why: *why });
        }
        if let Event::RungPassedOver { rung, why, .. } = event {
            self.happens(Happening::Skipped { rung: *rung, why: *why });
        }
        if let Event::Exhausted { .. } = event {
            self.happens(Happening::Exhausted);
        }
        if let Event::RoundStarted { parties, .. } = event {
            self.happens(Happening::Round);
            self.show_desks(parties);
        }
    }

    /// A carrier gets a message and will say at once that it is taken, or later that it is not.
    fn send(&mut self, id: &DispatchId, pursuit: u16) {
        let Some(owed) = self.engine.owed(id) else { return };
        let Some(party) = self.party(&id.activation, pursuit) else { return };
        let (rung, who, medium) = (party.rung, party.who.clone(), owed.medium);
        match known_after(self.scene.outages, medium, &owed.to) {
            None => {
                self.reports.insert((self.now, id.clone()), Report::Accepted);
                self.happens(Happening::Told { rung, who, medium });
            }
            Some(known_after_s) => {
                self.reports.insert((known_after_s.after(self.now), id.clone()), Report::Failed(Failure::Unavailable));
                self.happens(Happening::Stuck { rung, who, medium, known_after_s });
            }
        }
    }

    fn party(&self, act: &ActivationId, pursuit: u16) -> Option<&Party> {
        self.engine.activation(act)?.pursuits.get(usize::from(pursuit)).map(|pursuit| &pursuit.party)
    }

    /// Nothing is sent to a desk: it is told by having the call in view.
    fn show_desks(&mut self, parties: &[Party]) {
        let on_desk = |party: &&Party| party.steps.first().is_some_and(|step| step.iter().any(|c| c.medium == Medium::Desk));
        for party in parties.iter().filter(on_desk) {
            self.happens(Happening::Told { rung: party.rung, who: party.who.clone(), medium: Medium::Desk });
        }
    }

    fn happens(&mut self, what: Happening) {
        let after_s = millis_between(self.scene.at, self.now) / 1_000;
        if let Some(rehearsal) = &mut self.rehearsal {
            rehearsal.steps.push(Step { after_s, what });
        }
    }

    fn is_over(&self) -> bool {
        let mut steps = self.rehearsal.iter().flat_map(|rehearsal| &rehearsal.steps);
        steps.any(|step| step.what == Happening::Exhausted)
    }
}

impl Rehearsal {
    /// After how many seconds the first of all is told; `None` where nobody is before the ladder is exhausted.
    pub fn first_told_after_s(&self) -> Option<u64> {
        let mut before = self.steps.iter().take_while(|step| step.what != Happening::Exhausted);
        before.find(|step| matches!(step.what, Happening::Told { .. })).map(|step| step.after_s)
    }

    /// After how many seconds the ladder is exhausted.
    pub fn exhausted_after_s(&self) -> Option<u64> {
        self.steps.iter().find(|step| step.what == Happening::Exhausted).map(|step| step.after_s)
    }
}
