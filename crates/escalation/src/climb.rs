//! The climb: entering rungs, trying people's channels, passing over, exhaustion and its rounds.
//!
//! Outcome-driven, not only clock-driven: whatever cannot reach anybody takes no time.

use std::sync::Arc;

use crate::activation::{Chase, Progress};
use crate::addressing::{self, Resolution, Surroundings, add_party};
use crate::course::Course;
use crate::directory::Person;
use crate::dispatch::{Purpose, Recipient};
use crate::event::{Channel, ContactSkip, DrillEnd, Entry, Event, OnDuty, Opening, Party, RungSkip};
use crate::id::{CentreId, PersonId, PersonVersion, RosterId};
use crate::ladder::{Ladder, Medium, Need, Rung, RungIndex, Target, Who};
use crate::roster::Duty;
use crate::signal::Kind;
use crate::time::{Seconds, Timestamp, Why, millis_between};
use crate::trouble::Cause;

/// How long a human who is asked first has, before the full ladder (lifecycle, "Age").
pub(crate) const ASK_FIRST: Seconds = Seconds(120);
/// The centre and the last rung are told again this often without end (lifecycle, "Exhausted").
pub(crate) const ROUND_EVERY: Seconds = Seconds(60);
/// Everyone is told again after these waits, the last of them without end (lifecycle: 1, 2, 3, 5, then every 10 min).
const EVERYONE_AFTER: [Seconds; 5] = [Seconds(60), Seconds(120), Seconds(180), Seconds(300), Seconds(600)];
/// From this lag on a deadline counts as late: overdue rungs collapse, and messages say so.
pub(crate) const LATE_MS: u64 = 2_000;

/// Whether those who declined are left alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Rest {
    Kept,
    Broken,
}

/// Whether a rung is left out where it does not apply.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Limits {
    Kept,
    Broken,
}

/// The directory as a climb sees it: with who rests, and with what was frozen at raise.
struct Now<'c, 'e> {
    course: &'c Course<'e>,
    rest: Rest,
}

impl Surroundings for Now<'_, '_> {
    fn on_duty(&self, roster: &RosterId) -> Option<Duty> {
        self.course.on_duty(roster)
    }

    fn person(&self, person: PersonId, target: &Target) -> Resolution {
        self.course.resolve_person(person, target, self.rest)
    }

    fn centre(&self, centre: &CentreId) -> Resolution {
        self.course.resolve_centre(centre)
    }
}

impl Course<'_> {
    /// Starts a new activation on its ladder, or by asking first.
    pub(crate) fn begin(&mut self, asked: Option<PersonVersion>) {
        match (self.act.opening, asked) {
            (Opening::AskTester | Opening::AskKeeper, Some(asked)) => self.ask_by_text(asked),
            (Opening::Ladder, _) | (Opening::AskTester | Opening::AskKeeper, None) => self.enter(RungIndex(0), Entry::Raised, &[]),
            (Opening::AskFirst, _) => self.ask_first(),
        }
    }

    /// Enters `from`, or the first rung after it that has anybody; past the last one the ladder is exhausted.
    /// The people of the `also` rungs, which are overdue, are told together with it, each of them once.
    pub(crate) fn enter(&mut self, from: RungIndex, why: Entry, also: &[RungIndex]) {
        let ladder = Arc::clone(&self.act.ladder);
        let mut parties: Vec<Party> = Vec::new();
        let mut told = Vec::new();
        for index in also {
            if self.gather(&ladder, *index, &mut parties) {
                told.push(*index);
            }
        }
        let mut index = from;
        while ladder.rung(index).is_some() {
            if self.gather(&ladder, index, &mut parties) {
                return self.entered(&ladder, index, why, told, parties);
            }
            index = index.next();
        }
        match told.pop() {
            Some(last) => self.entered(&ladder, last, why, told, parties),
            None => self.exhaust(),
        }
    }

    /// Adds a rung's people to those who are told; a rung with nobody is passed over, and `false`.
    fn gather(&mut self, ladder: &Ladder, index: RungIndex, parties: &mut Vec<Party>) -> bool {
        if let Err(why) = self.applies(ladder, index) {
            let event = Event::RungPassedOver { act: self.id(), rung: index, why };
            self.push(event);
            return false;
        }
        self.gather_anyway(ladder, index, parties)
    }

    /// The same of a rung whose hours and kinds are not asked.
    fn gather_anyway(&mut self, ladder: &Ladder, index: RungIndex, parties: &mut Vec<Party>) -> bool {
        let here = self.resolve(ladder, index);
        if here.is_empty() {
            self.pass_over(ladder, index);
            return false;
        }
        for party in here {
            add_party(parties, party);
        }
        true
    }

    /// Enters a rung that somebody named: they mean its people, whatever its hours and kinds say.
    pub(crate) fn enter_named(&mut self, rung: RungIndex) {
        let ladder = Arc::clone(&self.act.ladder);
        let mut parties = Vec::new();
        if self.gather_anyway(&ladder, rung, &mut parties) {
            return self.entered(&ladder, rung, Entry::Escalated, Vec::new(), parties);
        }
        self.enter(rung.next(), Entry::Escalated, &[]);
    }

    /// Whether a rung applies now, by what was frozen at raise; why not.
    fn applies(&self, ladder: &Ladder, index: RungIndex) -> Result<(), RungSkip> {
        let applies = |rung: &Rung| {
            let (applies, _) = addressing::applies(&rung.when, self.act.kind, self.act.clock.as_deref(), &self.act.rosters, self.now);
            applies
        };
        ladder.rung(index).map_or(Ok(()), applies)
    }

    /// How many people a rung asks for.
    fn needed(&self, ladder: &Ladder, index: RungIndex) -> u16 {
        let Some(rung) = ladder.rung(index) else { return 1 };
        match rung.need {
            Need::One => 1,
            Need::AtLeast(people) => people,
            Need::Each => {
                let meant = addressing::people(rung.targets.iter(), &|roster| self.on_duty(roster));
                u16::try_from(meant.len()).unwrap_or(u16::MAX)
            }
        }
    }

    /// The rungs that do not apply now, and why not.
    fn does_not_apply(&self, ladder: &Ladder) -> Vec<(RungIndex, RungSkip)> {
        indexes(ladder).filter_map(|index| Some((index, self.applies(ladder, index).err()?))).collect()
    }

    fn entered(&mut self, ladder: &Ladder, rung: RungIndex, why: Entry, also: Vec<RungIndex>, parties: Vec<Party>) {
        let wait_s = ladder.rung(rung).map_or(Seconds(0), |rung| rung.wait_s);
        let duty = also.iter().chain([&rung]).flat_map(|index| self.said_by_rosters(ladder, *index)).collect();
        let need = also.iter().chain([&rung]).map(|index| self.needed(ladder, *index)).max().filter(|need| *need > 1);
        let event = Event::RungEntered {
            act: self.id(),
            rung,
            why,
            until: wait_s.after(self.now),
            also,
            late_ms: self.late_ms,
            directory: self.engine.directory_version(),
            parties,
            duty,
            need,
        };
        self.push(event);
        self.try_everyone_latest();
        self.tell_whoever_goes_there();
        self.ask_whoever_is_overdue();
    }

    /// Whoever joined where one was enough was asked nothing when their time came; where more are needed from here on, it has come.
    fn ask_whoever_is_overdue(&mut self) {
        let overdue = |due: &(Timestamp, Why)| due.0 < self.now && matches!(due.1, Why::Arrival | Why::Grace);
        if let Some((at, why)) = self.act.next_due().filter(overdue) {
            self.promise_due(at, why);
            self.ask_whoever_is_overdue();
        }
    }

    /// Moves on at once where nobody of the latest rung is left to wait for.
    pub(crate) fn settle(&mut self) {
        let over = self.act.latest_pursuits().all(|(_, pursuit)| match pursuit.state {
            Chase::Trying => false,
            Chase::Over(_) => true,
        });
        if !over || !self.act.is_running() {
            return;
        }
        match self.act.progress {
            Progress::Climb { rung, .. } => self.enter(after(rung), Entry::NobodyLeft, &[]),
            Progress::Rounds { .. } => {}
        }
    }

    /// The rung's wait is over. Rungs that are overdue as well collapse into what should be true now.
    pub(crate) fn wait_over(&mut self, rung: Option<RungIndex>, until: Timestamp) {
        let mut next = after(rung);
        let mut also = Vec::new();
        if self.late_ms > 0 {
            let mut due = until;
            let ladder = Arc::clone(&self.act.ladder);
            while let Some(overdue) = ladder.rung(next) {
                // What does not apply takes no time, late or not.
                let wait_s = self.applies(&ladder, next).map_or(Seconds(0), |()| overdue.wait_s);
                due = wait_s.after(due);
                if due > self.now {
                    break;
                }
                also.push(next);
                next = next.next();
            }
        }
        // Past the end everyone is told by the first round; the collapsed rungs need no entry of their own.
        if self.act.ladder.rung(next).is_none() {
            also.clear();
        }
        self.enter(next, Entry::WaitOver, &also);
    }

    /// A channel of a pursuit came to nothing: its next step at once, else it is over.
    pub(crate) fn channel_failed(&mut self, pursuit: u16, step: u16) {
        if !self.act.is_running() || self.act.step_is_alive(pursuit, step) {
            return;
        }
        let current = self.act.pursuits.get(usize::from(pursuit)).is_some_and(|p| p.step == step && p.state == Chase::Trying);
        if current {
            self.try_step(pursuit, step.saturating_add(1));
            self.settle();
        }
    }

    /// Starts a round of telling people again.
    pub(crate) fn start_round(&mut self, everyone: bool) {
        let Progress::Rounds { round, next_everyone, everyone: times, .. } = self.act.progress else {
            return;
        };
        let everyone = everyone || next_everyone <= self.now;
        let next_everyone = if everyone { everyone_after(times).after(self.now) } else { next_everyone };
        let ladder = Arc::clone(&self.act.ladder);
        let left_out = self.does_not_apply(&ladder);
        // Where nothing applies at this hour or for this kind of help, silence would be worse than asking whoever there is.
        let limits = if left_out.len() == ladder.rungs.len() { Limits::Broken } else { Limits::Kept };
        let parties =
            if everyone { self.everybody(&ladder, limits, left_out) } else { self.round_parties(&ladder, false, Rest::Kept, limits) };
        let event = Event::RoundStarted {
            act: self.id(),
            round: round.saturating_add(1),
            everyone,
            next: ROUND_EVERY.after(self.now),
            next_everyone,
            parties,
            late_ms: self.late_ms,
        };
        self.push(event);
        self.try_everyone_latest();
        self.tell_whoever_goes_there();
    }

    /// Whom a round of everybody tells: those who apply and do not rest; where that is nobody, whoever there is.
    fn everybody(&mut self, ladder: &Ladder, limits: Limits, left_out: Vec<(RungIndex, RungSkip)>) -> Vec<Party> {
        let is_limited = !left_out.is_empty();
        let applying = indexes(ladder).filter(|index| !left_out.iter().any(|(out, _)| out == index));
        let awaits_a_desk = self.has_empty_desk(applying.filter_map(|index| ladder.rung(index)));
        for (rung, why) in left_out {
            let event = Event::RungPassedOver { act: self.id(), rung, why };
            self.push(event);
        }
        let mut parties = self.round_parties(ladder, true, Rest::Kept, limits);
        if parties.is_empty() {
            // Everybody has declined. Silence would be worse than asking them once more.
            parties = self.round_parties(ladder, true, Rest::Broken, limits);
        }
        if (parties.is_empty() && !awaits_a_desk) || limits == Limits::Broken {
            self.raise_trouble(Cause::Coverage { ladder: ladder.id.clone(), site: self.act.device.site.clone() });
        }
        if parties.is_empty() && is_limited && limits == Limits::Kept {
            parties = self.round_parties(ladder, true, Rest::Broken, Limits::Broken);
        }
        parties
    }

    /// Whom a round tells, each once: the centres and the last rung always, everybody else when it is everyone's turn.
    fn round_parties(&mut self, ladder: &Ladder, everyone: bool, rest: Rest, limits: Limits) -> Vec<Party> {
        let mut parties: Vec<Party> = Vec::new();
        let left_out = match limits {
            Limits::Kept => self.does_not_apply(ladder),
            Limits::Broken => Vec::new(),
        };
        let asked = || indexes(ladder).filter(|index| !left_out.iter().any(|(out, _)| out == index));
        // An empty desk is nobody's last resort: then whoever comes before it is.
        let is_left = |index: &RungIndex| ladder.rung(*index).is_some_and(|rung| self.is_left(rung));
        let last = asked().filter(|index| !is_left(index)).last();
        for index in asked() {
            let targets = ladder.rung(index).map(|rung| &*rung.targets).unwrap_or_default();
            let again = targets.iter().filter(|target| match target.who {
                Who::Centre(_) => true,
                Who::Person(_) | Who::Roster(_) => everyone || last == Some(index),
            });
            for party in self.resolve_targets(index, again, rest) {
                add_party(&mut parties, party);
            }
        }
        parties
    }

    /// Takes the climb up again where a commitment left it.
    pub(crate) fn resume(&mut self, why: Entry) {
        match self.act.progress {
            Progress::Climb { rung, .. } => self.enter(after(rung), why, &[]),
            Progress::Rounds { .. } => self.start_round(true),
        }
    }

    /// Tells the ladder's centres that nobody has told: an accept never skips them for duress, panic and medical.
    /// A claim is the centre's own answer and needs no telling.
    pub(crate) fn inform_centres(&mut self) {
        self.inform_centres_of(usize::MAX);
    }

    /// Tells the centres whose rungs were passed over because an operator had claimed; the claim has lapsed.
    pub(crate) fn inform_centres_passed(&mut self) {
        match self.act.progress {
            Progress::Climb { rung: Some(rung), .. } => self.inform_centres_of(usize::from(rung.0) + 1),
            Progress::Climb { rung: None, .. } | Progress::Rounds { .. } => {}
        }
    }

    fn inform_centres_of(&mut self, rungs: usize) {
        if self.act.claim.is_some() {
            return;
        }
        let ladder = Arc::clone(&self.act.ladder);
        let asked: Vec<RungIndex> = indexes(&ladder).take(rungs).filter(|index| self.applies(&ladder, *index).is_ok()).collect();
        let targets = asked.into_iter().filter_map(|index| ladder.rung(index)).flat_map(|rung| &rung.targets);
        for target in targets {
            let Who::Centre(centre) = &target.who else {
                continue;
            };
            let Some(channel) = self.centre_channel(centre) else {
                continue;
            };
            let knows = self.act.told.get(&channel.to).is_some_and(|told| told.reached());
            if channel.medium == Medium::Webhook && !knows {
                self.owe(channel.to, channel.medium, Purpose::Alarm, None);
            }
        }
    }

    /// A centre that was told beside a commitment could not be: recorded, and a trouble of coverage. Where the commitment ends, the
    /// climb and its rounds try again.
    pub(crate) fn centre_not_informed(&mut self, dispatch: u32) {
        let centre = self.act.attempts.get(&dispatch).and_then(|attempt| match &attempt.to {
            Recipient::Centre { centre, .. } if attempt.purpose == Purpose::Alarm => Some(centre.clone()),
            Recipient::Centre { .. } | Recipient::Person { .. } | Recipient::Stranger { .. } => None,
        });
        let Some(centre) = centre.filter(|_| self.act.is_open()) else {
            return;
        };
        let ladder = Arc::clone(&self.act.ladder);
        let who = Who::Centre(centre);
        let rung = indexes(&ladder).find(|index| ladder.rung(*index).is_some_and(|rung| rung.targets.iter().any(|t| t.who == who)));
        let event =
            Event::ContactPassedOver { act: self.id(), rung: rung.unwrap_or(RungIndex(0)), who, why: ContactSkip::AllChannelsFailed };
        self.push(event);
        self.raise_trouble(Cause::Coverage { ladder: ladder.id.clone(), site: self.act.device.site.clone() });
    }

    fn ask_first(&mut self) {
        let ladder = Arc::clone(&self.act.ladder);
        let centre = self.engine.directory().customers.get(&self.act.customer).and_then(|c| c.centre.clone());
        let asked = centre.and_then(|centre| self.asked_before(&centre));
        let parties = match asked {
            Some(centre) => vec![centre],
            None => self.first_that_applies(&ladder).map(|rung| self.resolve(&ladder, rung)).unwrap_or_default(),
        };
        if parties.is_empty() {
            return self.enter(RungIndex(0), Entry::Raised, &[]);
        }
        self.ask_before_the_ladder(ASK_FIRST, parties);
    }

    /// The centre that is asked before the ladder, unless its desk is empty.
    fn asked_before(&mut self, centre: &CentreId) -> Option<Party> {
        let (rung, who) = (RungIndex(0), Who::Centre(centre.clone()));
        match self.resolve_centre(centre) {
            Ok((person, steps)) => Some(Party { rung, who, person, steps }),
            Err(ContactSkip::Unknown) => None,
            Err(why) => {
                let event = Event::ContactPassedOver { act: self.id(), rung, who, why };
                self.push(event);
                None
            }
        }
    }

    /// Asks somebody before the ladder; one who goes is no more people than the ladder asks for first.
    pub(crate) fn ask_before_the_ladder(&mut self, within: Seconds, parties: Vec<Party>) {
        let ladder = Arc::clone(&self.act.ladder);
        let first = indexes(&ladder).find(|rung| self.applies(&ladder, *rung).is_ok() && !self.resolve(&ladder, *rung).is_empty());
        let need = first.map(|rung| self.needed(&ladder, rung)).filter(|need| *need > 1);
        let event = Event::AskedFirst { act: self.id(), until: within.after(self.now), parties, need };
        self.push(event);
        self.try_everyone_latest();
    }

    fn first_that_applies(&self, ladder: &Ladder) -> Option<RungIndex> {
        indexes(ladder).find(|index| self.applies(ladder, *index).is_ok())
    }

    fn exhaust(&mut self) {
        let event = Event::Exhausted { act: self.id(), next: self.now };
        self.push(event);
        if self.act.is_drill() {
            return self.end_drill(DrillEnd::Exhausted);
        }
        // A live claim is a human with a deadline of their own: rounds begin when it lapses.
        if self.act.claim.is_none() {
            self.start_round(true);
        }
    }

    fn pass_over(&mut self, ladder: &Ladder, index: RungIndex) {
        let claimed = self.act.claim.is_some();
        let only_centres = ladder.rung(index).is_some_and(|rung| rung.targets.iter().all(|t| matches!(t.who, Who::Centre(_))));
        let why = if claimed && only_centres { RungSkip::CentreHasClaimed } else { RungSkip::Nobody };
        let event = Event::RungPassedOver { act: self.id(), rung: index, why };
        self.push(event);
        // Someone who declined will be there again, and someone whom the call is for, or who is on the way, is no gap of the ladder either.
        let in_need = self.act.about.as_ref().and_then(|about| about.person).map(|about| about.person);
        let rests = |person: &PersonId| {
            in_need == Some(*person)
                || self.act.has_accepted(*person)
                || self.act.resting.get(person).is_some_and(|until| *until > self.now)
        };
        let resting = ladder.rung(index).is_some_and(|rung| {
            rung.targets.iter().any(|target| match &target.who {
                Who::Person(person) => rests(person),
                Who::Centre(_) => false,
                Who::Roster(roster) => self.on_duty(roster).is_some_and(|duty| duty.people.iter().any(rests)),
            })
        });
        // An empty desk is a trouble of its own, and over once somebody sits there: nothing of the directory is to be mended.
        if why == RungSkip::Nobody && !resting && !self.has_empty_desk(ladder.rung(index)) {
            self.raise_trouble(Cause::Coverage { ladder: ladder.id.clone(), site: self.act.device.site.clone() });
        }
    }

    /// Whether a rung names nothing but centres at whose desks nobody is.
    fn is_left(&self, rung: &Rung) -> bool {
        let is_left = |target: &Target| match &target.who {
            Who::Centre(centre) => self.resolve_centre(centre) == Err(ContactSkip::NobodyAtTheDesk),
            Who::Person(_) | Who::Roster(_) => false,
        };
        !rung.targets.is_empty() && rung.targets.iter().all(is_left)
    }

    /// Whether one of these rungs names a desk that nobody is at.
    fn has_empty_desk<'l>(&self, rungs: impl IntoIterator<Item = &'l Rung>) -> bool {
        let is_empty = |target: &Target| match &target.who {
            // One that a reload took out, renamed or gave a webhook can be armed by nobody: that is the directory's to mend.
            Who::Centre(centre) => {
                self.engine.directory().is_desk(centre) && self.resolve_centre(centre) == Err(ContactSkip::NobodyAtTheDesk)
            }
            Who::Person(_) | Who::Roster(_) => false,
        };
        rungs.into_iter().flat_map(|rung| &rung.targets).any(is_empty)
    }

    pub(crate) fn raise_trouble(&mut self, cause: Cause) {
        let again = |event: &Event| matches!(event, Event::TroubleRaised { cause: raised, .. } if *raised == cause);
        if !self.engine.has_trouble(&cause) && !self.events.iter().any(again) {
            let cust = self.engine.customer_of(&cause);
            self.push(Event::TroubleRaised { cust, cause });
        }
    }

    /// Who of a rung can be tried now, with current details; everybody else is recorded as passed over (I9).
    fn resolve(&mut self, ladder: &Ladder, index: RungIndex) -> Vec<Party> {
        let targets = ladder.rung(index).map(|rung| &*rung.targets).unwrap_or_default();
        self.resolve_targets(index, targets.iter(), Rest::Kept)
    }

    fn resolve_targets<'t>(&mut self, index: RungIndex, targets: impl Iterator<Item = &'t Target>, rest: Rest) -> Vec<Party> {
        let mut parties = Vec::new();
        for found in addressing::parties(index, targets, &Now { course: self, rest }) {
            match found {
                Ok(party) => parties.push(party),
                Err((who, why)) => {
                    let event = Event::ContactPassedOver { act: self.id(), rung: index, who, why };
                    self.push(event);
                }
            }
        }
        parties
    }

    /// Who is on duty: by the roster as it is now, else as it was when this was raised.
    fn on_duty(&self, roster: &RosterId) -> Option<Duty> {
        let now = self.engine.directory().rosters.on_duty(roster, self.now);
        now.or_else(|| self.act.rosters.on_duty(roster, self.now))
    }

    /// What the rosters of a rung say now, for the record.
    fn said_by_rosters(&self, ladder: &Ladder, rung: RungIndex) -> Vec<OnDuty> {
        let targets = ladder.rung(rung).map(|rung| &*rung.targets).unwrap_or_default();
        let rosters = targets.iter().filter_map(|target| match &target.who {
            Who::Roster(roster) => Some(roster),
            Who::Person(_) | Who::Centre(_) => None,
        });
        let said = rosters.filter_map(|roster| {
            let Duty { people, until } = self.on_duty(roster)?;
            Some(OnDuty { rung, roster: roster.clone(), people, until })
        });
        said.collect()
    }

    fn resolve_person(&self, id: PersonId, target: &Target, rest: Rest) -> Resolution {
        let resting = self.act.resting.get(&id).is_some_and(|until| *until > self.now);
        if resting && rest == Rest::Kept {
            return Err(ContactSkip::Resting);
        }
        if self.act.about.as_ref().and_then(|about| about.person).is_some_and(|about| about.person == id) {
            return Err(ContactSkip::InNeed);
        }
        if self.act.has_accepted(id) {
            return Err(ContactSkip::HasAccepted);
        }
        let person = self.engine.person(id).ok_or(ContactSkip::Unknown)?;
        addressing::steps_to(id, person, target, self.may_ring(person))
    }

    /// Nothing of a silent alarm may be heard where the victim is, and a call for calm support wakes nobody (lifecycle, "Signal,
    /// activation, trouble").
    fn may_ring(&self, person: &Person) -> bool {
        match self.act.kind {
            Kind::Duress | Kind::Welfare => person.based_at.as_ref() != Some(&self.act.device.site),
            Kind::Panic | Kind::Medical => true,
            Kind::Assist => false,
        }
    }

    fn resolve_centre(&self, id: &CentreId) -> Resolution {
        if self.act.claim.is_some() {
            return Err(ContactSkip::CentreHasClaimed);
        }
        let channel = self.centre_channel(id).ok_or(ContactSkip::Unknown)?;
        addressing::at_the_desk(&channel, self.is_armed(id))?;
        Ok((None, vec![vec![channel]]))
    }

    /// How a centre is reached: by its current details, else by those it had when this was raised.
    fn centre_channel(&self, id: &CentreId) -> Option<Channel> {
        let centre = self.engine.directory().centres.get(id).or_else(|| self.act.centres.get(id))?;
        Some(addressing::channel_to(id, centre))
    }

    pub(crate) fn try_everyone_latest(&mut self) {
        let latest: Vec<u16> = self.act.latest_pursuits().filter_map(|(index, _)| u16::try_from(index).ok()).collect();
        for pursuit in latest {
            self.try_step(pursuit, 0);
        }
    }

    pub(crate) fn try_step(&mut self, pursuit: u16, step: u16) {
        let Some(chased) = self.act.pursuits.get(usize::from(pursuit)) else {
            return;
        };
        let party = chased.party.clone();
        let Some(channels) = party.steps.get(usize::from(step)) else {
            let event = Event::ContactPassedOver { act: self.id(), rung: party.rung, who: party.who, why: ContactSkip::AllChannelsFailed };
            return self.push(event);
        };
        for channel in channels {
            // A desk is told by its own stream; there is nothing to send and nothing that could fail.
            if channel.medium != Medium::Desk {
                let purpose = self.alarm_purpose(&channel.to, pursuit);
                self.owe(channel.to.clone(), channel.medium, purpose, Some((pursuit, step)));
            }
        }
    }

    /// A phone that is rung and written to in one pursuit hears of the alarm for the first time by either.
    fn alarm_purpose(&self, to: &Recipient, pursuit: u16) -> Purpose {
        let is_elsewhere = |(by, _): (u16, u16)| by != pursuit;
        let told_before = || {
            let alarms = self.act.attempts.values().filter(|a| a.purpose.is_alarm() && a.to == *to);
            alarms.into_iter().any(|alarm| alarm.pursuit.is_none_or(is_elsewhere))
        };
        match self.act.progress {
            Progress::Climb { rung: None, .. } => match self.act.opening {
                Opening::AskTester => Purpose::AskTester,
                Opening::AskKeeper => Purpose::AskKeeper,
                Opening::AskFirst | Opening::Ladder => Purpose::AskFirst,
            },
            Progress::Climb { rung: Some(_), .. } if told_before() => Purpose::AlarmAgain,
            Progress::Rounds { .. } if self.act.told.contains_key(to) => Purpose::AlarmAgain,
            Progress::Climb { rung: Some(_), .. } | Progress::Rounds { .. } => Purpose::Alarm,
        }
    }

    /// Says how late the present step is; small lags are not worth a word.
    pub(crate) fn measure_lateness(&mut self, due: Timestamp) {
        let lag = millis_between(due, self.now);
        self.late_ms = if lag >= LATE_MS { lag } else { 0 };
    }
}

fn after(rung: Option<RungIndex>) -> RungIndex {
    rung.map_or(RungIndex(0), RungIndex::next)
}

fn indexes(ladder: &Ladder) -> impl Iterator<Item = RungIndex> + use<> {
    let count = u16::try_from(ladder.rungs.len()).unwrap_or(u16::MAX);
    (0..count).map(RungIndex)
}

/// The wait before everyone is told again, after they were told this often.
fn everyone_after(times: u32) -> Seconds {
    let index = usize::try_from(times).unwrap_or(usize::MAX).min(EVERYONE_AFTER.len() - 1);
    EVERYONE_AFTER.get(index).copied().unwrap_or(Seconds(600))
}
