//! Answers by text and by the responder's page: what counts, what is set aside, and what follows.
//!
//! What arrives this way is always recorded and never refused: a phone cannot be told "409".

use crate::acknowledgement::{Answer, Commitment, DEFAULT_ETA, Gesture, Reply, Sender, VERIFYING_HOLD};
use crate::activation::{Activation, Companion, Progress, Told};
use crate::course::Course;
use crate::dispatch::{Purpose, Recipient};
use crate::engine::{Engine, Heard};
use crate::event::{AnsweredVia, Entry, Event, HoldEnd, Lapse, Responder, SetAside};
use crate::id::{ContactKey, PersonId, PersonVersion};
use crate::ladder::Medium;
use crate::notice::Notice;
use crate::signal::Kind;
use crate::time::{Seconds, SignedDuration, Timestamp, Why};
use crate::trouble::Cause;

/// A decline rests a person this long (lifecycle, "Exhausted").
const REST: Seconds = Seconds(900);
/// "Verifying" holds the climb once and is renewable once (lifecycle, "What an answer does").
const VERIFYING_TIMES: usize = 2;
/// "Nothing acknowledged" goes to one phone at most this often per activation, so that two machines cannot talk for ever.
const EXPLAIN_EVERY: Seconds = Seconds(60);
/// How long after a drill, or a word about a trouble, an answer without a code may be about it (ours).
const ECHO: Seconds = Seconds(600);
/// Providers stamp whole seconds; an answer may therefore seem this much older than it is.
pub(crate) const STAMP_SLACK: SignedDuration = SignedDuration::from_secs(2);

impl Engine {
    pub(crate) fn on_answer(&self, now: Timestamp, answer: &Answer) -> Vec<Event> {
        match answer.provider_ref.as_ref().and_then(|r| self.has_heard(now, r)) {
            Some(Heard::Once) => return vec![replayed(answer)],
            Some(Heard::Again) => return Vec::new(),
            None => {}
        }
        match &answer.from {
            Sender::Number(_) | Sender::Callee { .. } => vec![aside(None, None, SetAside::UnknownSender, answer)],
            Sender::Called { activation, contact } => match self.activation(activation) {
                Some(act) => self.on_digit(now, act, *contact, answer),
                None => vec![aside(None, Some(*contact), SetAside::AlreadyClosed, answer)],
            },
            Sender::Contact(contact) => self.on_text(now, *contact, answer),
            Sender::Link { activation, contact, person, gesture } => match self.activation(activation) {
                Some(act) => self.on_link(now, act, *contact, *person, *gesture, answer),
                None => vec![aside(None, Some(*contact), SetAside::AlreadyClosed, answer)],
            },
        }
    }

    fn on_text(&self, now: Timestamp, contact: ContactKey, answer: &Answer) -> Vec<Event> {
        let newest = || self.codes().of(contact).filter_map(|id| self.activation(id)).filter(|a| a.is_open()).max_by_key(|a| a.recency());
        match &answer.reply {
            Reply::Going { code } | Reply::Helping { code } | Reply::Cannot { code } => {
                let meant = code.and_then(|code| self.codes().meaning(contact, code)).and_then(|id| self.activation(id));
                match meant {
                    Some(act) => self.on_code(now, act, contact, answer),
                    None => match code.and_then(|code| self.notice_by_code(contact, code)) {
                        Some(notice) => self.on_notice_code(now, notice, contact, answer),
                        None => self.unclear(now, newest(), contact, SetAside::UnknownCode, answer),
                    },
                }
            }
            Reply::BareYes => match self.only_told(contact) {
                Some(act) => self.bare_yes(now, act, contact, answer),
                None => self.unclear(now, newest(), contact, SetAside::CodeMissing, answer),
            },
            // None of these is said by text.
            Reply::Arrived | Reply::InNeed | Reply::PoliceNeeded | Reply::PoliceRung | Reply::StepDone { .. } | Reply::NotAnAnswer => {
                self.unclear(now, newest(), contact, SetAside::NotAnAnswer, answer)
            }
            Reply::Stop => self.opted_out(now, newest(), contact, answer),
            Reply::Start => self.opted_in(now, newest(), contact, answer),
        }
    }

    fn on_code(&self, now: Timestamp, act: &Activation, contact: ContactKey, answer: &Answer) -> Vec<Event> {
        let mut course = Course::on(self, now, act);
        if was_sent_before(answer, act) {
            course.push(aside(Some(act), Some(contact), SetAside::BeforeTheAlarm, answer));
            course.explain(contact, Purpose::NothingAcknowledged);
            return course.events;
        }
        let by = responder(self.speaker(act, contact), contact, AnsweredVia::Sms, answer);
        course.answered(&by, answer);
        course.events
    }

    /// An answer to a trouble; whoever was told that it is over need not be told once more.
    fn on_notice_code(&self, now: Timestamp, notice: &Notice, contact: ContactKey, answer: &Answer) -> Vec<Event> {
        match (self.on_notice_answer(now, notice, contact, answer), notice.is_open()) {
            (Some(counted), _) => counted,
            (None, true) => self.unclear_of_notices(now, contact, SetAside::BeforeTheAlarm, answer),
            (None, false) => vec![aside(None, Some(contact), SetAside::AlreadyClosed, answer)],
        }
    }

    /// Recorded, and answered with the code where it may have meant a trouble: whoever says yes must not believe that it was taken.
    fn unclear_of_notices(&self, now: Timestamp, contact: ContactKey, why: SetAside, answer: &Answer) -> Vec<Event> {
        let mut events = vec![aside(None, Some(contact), why, answer)];
        match &answer.reply {
            Reply::Going { .. } | Reply::Helping { .. } | Reply::Cannot { .. } | Reply::BareYes => {
                events.extend(self.explain_notice(now, contact));
            }
            Reply::Arrived
            | Reply::InNeed
            | Reply::PoliceNeeded
            | Reply::PoliceRung
            | Reply::StepDone { .. }
            | Reply::Stop
            | Reply::Start
            | Reply::NotAnAnswer => {}
        }
        events
    }

    /// The open activation that this phone was told of, where there is only one.
    fn only_told(&self, contact: ContactKey) -> Option<&Activation> {
        let told = |act: &&Activation| act.told.iter().any(|(to, told)| to.contact() == Some(contact) && told.reached());
        let open = self.codes().of(contact).filter_map(|id| self.activation(id)).filter(|act| act.is_open());
        let mut told = open.filter(told);
        told.next().filter(|_| told.next().is_none())
    }

    /// Whether a phone was called for a drill that is over since a moment: what it says without a code may be about that.
    fn was_drilled(&self, now: Timestamp, contact: ContactKey) -> bool {
        let drills = self.codes().of(contact).filter_map(|id| self.activation(id)).filter(|act| act.is_drill());
        drills.filter_map(|drill| drill.closing.as_ref()).any(|closing| now <= ECHO.after(closing.at))
    }

    /// Whether somebody was sent a word about a trouble a moment ago, also that it is over, and may speak of that instead of a call.
    fn was_told_of_trouble(&self, now: Timestamp, contact: ContactKey) -> bool {
        self.notices().filter_map(|notice| notice.last_spoke_to(contact)).any(|at| now <= ECHO.after(at))
    }

    /// Somebody is there, and it is plain what they mean: the climb waits a little, once, for the code that makes it an answer.
    fn bare_yes(&self, now: Timestamp, act: &Activation, contact: ContactKey, answer: &Answer) -> Vec<Event> {
        let mut course = Course::on(self, now, act);
        let is_plain = !was_sent_before(answer, act) && !self.was_drilled(now, contact) && !self.was_told_of_trouble(now, contact);
        let pause = act.pause(now).filter(|_| is_plain);
        course.push(Event::AnswerSetAside {
            act: Some(act.id.clone()),
            contact: Some(contact),
            why: SetAside::CodeMissing,
            pauses_until: pause,
            text: answer.text.clone(),
            provider_ref: answer.provider_ref.clone(),
        });
        course.explain(contact, Purpose::WhichAlarm);
        course.events
    }

    /// Who answers from a phone: of the people who share it the one committed, else whoever was told there, else whoever owns it.
    fn speaker(&self, act: &Activation, contact: ContactKey) -> Option<PersonVersion> {
        let told = act.told.keys().filter_map(|to| match to {
            Recipient::Person { person, contact: told } if *told == contact => Some(*person),
            Recipient::Person { .. } | Recipient::Centre { .. } | Recipient::Stranger { .. } => None,
        });
        let owners = || self.people_at(contact).filter_map(|id| Some(PersonVersion { person: id, version: self.person(id)?.version }));
        let told: Vec<PersonVersion> = told.collect();
        let committed = act.promise.as_ref().and_then(|p| p.by.person);
        let is_committed = |p: &PersonVersion| committed.is_some_and(|c| c.person == p.person);
        let at_once = told.iter().copied().find(is_committed).or_else(|| owners().find(is_committed));
        at_once.or_else(|| told.last().copied()).or_else(|| owners().next())
    }

    fn on_link(
        &self,
        now: Timestamp,
        act: &Activation,
        contact: ContactKey,
        person: PersonId,
        gesture: Gesture,
        answer: &Answer,
    ) -> Vec<Event> {
        let known = self.person(person).map(|p| PersonVersion { person, version: p.version });
        // A call for help needs no proof of a hand, and none comes too late. Whoever asks for the police in a drill means it.
        if answer.reply == Reply::InNeed || (act.is_drill() && answer.reply == Reply::PoliceNeeded) {
            return self.in_need(now, act, &responder(known, contact, AnsweredVia::Link(gesture), answer));
        }
        let mut course = Course::on(self, now, act);
        match gesture {
            Gesture::Missing => course.push(aside(Some(act), Some(contact), SetAside::NoGesture, answer)),
            Gesture::Shown => {
                let by = responder(known, contact, AnsweredVia::Link(gesture), answer);
                course.answered(&by, answer);
            }
        }
        course.events
    }

    /// A digit in a call that we made: it names its activation, and only a phone that was told of it is believed.
    fn on_digit(&self, now: Timestamp, act: &Activation, contact: ContactKey, answer: &Answer) -> Vec<Event> {
        let mut course = Course::on(self, now, act);
        if act.told.keys().any(|to| to.contact() == Some(contact)) {
            let by = responder(self.speaker(act, contact), contact, AnsweredVia::Voice, answer);
            course.answered(&by, answer);
        } else {
            course.push(aside(Some(act), Some(contact), SetAside::UnknownSender, answer));
        }
        course.events
    }

    /// Recorded, and explained to whoever is being asked for help right now; strangers get no reply.
    fn unclear(&self, now: Timestamp, newest: Option<&Activation>, contact: ContactKey, why: SetAside, answer: &Answer) -> Vec<Event> {
        let Some(act) = newest else {
            let why = if self.knows_contact(contact) { why } else { SetAside::UnknownSender };
            return self.unclear_of_notices(now, contact, why, answer);
        };
        let mut course = Course::on(self, now, act);
        course.push(aside(Some(act), Some(contact), why, answer));
        let purpose = match &answer.reply {
            Reply::BareYes => Purpose::WhichAlarm,
            Reply::Going { .. }
            | Reply::Helping { .. }
            | Reply::Cannot { .. }
            | Reply::Arrived
            | Reply::InNeed
            | Reply::PoliceNeeded
            | Reply::PoliceRung
            | Reply::StepDone { .. }
            | Reply::Stop
            | Reply::Start
            | Reply::NotAnAnswer => Purpose::NothingAcknowledged,
        };
        course.explain(contact, purpose);
        course.events
    }

    /// The carrier blocks us from here on: a trouble, and no reply could arrive.
    fn opted_out(&self, now: Timestamp, newest: Option<&Activation>, contact: ContactKey, answer: &Answer) -> Vec<Event> {
        let mut events = match newest {
            Some(act) => {
                let mut course = Course::on(self, now, act);
                course.push(aside(Some(act), Some(contact), SetAside::OptedOut, answer));
                course.events
            }
            None => vec![aside(None, Some(contact), SetAside::OptedOut, answer)],
        };
        for person in self.people_at(contact) {
            events.extend(self.trouble_noticed(&Cause::OptedOut { person }));
        }
        events
    }

    /// The carrier lets us through again. It answers no alarm, and whoever is asked for help right now is told so.
    fn opted_in(&self, now: Timestamp, newest: Option<&Activation>, contact: ContactKey, answer: &Answer) -> Vec<Event> {
        let mut events = self.unclear(now, newest, contact, SetAside::OptedIn, answer);
        for person in self.people_at(contact) {
            events.extend(self.trouble_cleared(&Cause::OptedOut { person }));
        }
        events
    }
}

impl Course<'_> {
    /// An answer that names its activation and comes from a human.
    fn answered(&mut self, by: &Responder, answer: &Answer) {
        let contact = by.contact;
        if !self.act.is_open() {
            let act = self.act.clone();
            self.push(aside(Some(&act), contact, SetAside::AlreadyClosed, answer));
            if let Some(contact) = contact {
                self.explain(contact, Purpose::AlreadyClosed);
            }
            return;
        }
        if self.is_answered_by_tester(by, answer) {
            return;
        }
        if self.comes_too_late(by, answer) {
            let act = self.act.clone();
            self.push(aside(Some(&act), contact, SetAside::UnknownCode, answer));
            if let Some(contact) = contact {
                self.explain(contact, Purpose::NothingAcknowledged);
            }
            return;
        }
        match &answer.reply {
            // Somebody who is there says that they are safe.
            Reply::Going { .. } if self.act.has_arrived(by) => self.arrive(by),
            Reply::Arrived => self.arrive(by),
            Reply::PoliceNeeded => self.need_police(by, None),
            // Nobody rings the police for a drill: whoever has done so speaks of something else.
            Reply::PoliceRung if self.act.is_drill() => {
                let act = self.act.clone();
                self.push(aside(Some(&act), contact, SetAside::NotAnAnswer, answer));
            }
            Reply::PoliceRung => self.police_rung(by, None, None),
            Reply::StepDone { number } => {
                if !self.tick(by, *number) {
                    let act = self.act.clone();
                    self.push(aside(Some(&act), contact, SetAside::NotAnAnswer, answer));
                }
            }
            Reply::Going { .. } => self.accept(by, Commitment::Going, DEFAULT_ETA),
            Reply::Helping { .. } => {
                if self.verifying_is_spent(by) {
                    let act = self.act.clone();
                    self.push(aside(Some(&act), contact, SetAside::VerifyingSpent, answer));
                    if let (Some(contact), AnsweredVia::Sms | AnsweredVia::Voice) = (contact, by.via) {
                        self.explain(contact, Purpose::NothingAcknowledged);
                    }
                    return;
                }
                self.accept(by, Commitment::Verifying, VERIFYING_HOLD);
            }
            Reply::Cannot { .. } => self.decline(by),
            Reply::InNeed | Reply::BareYes | Reply::Stop | Reply::Start | Reply::NotAnAnswer => {
                let act = self.act.clone();
                self.push(aside(Some(&act), contact, SetAside::NotAnAnswer, answer));
            }
        }
    }

    /// Whether this person has held the climb by "verifying", and renewed it once. A hold that has lapsed counts too.
    pub(crate) fn verifying_is_spent(&self, by: &Responder) -> bool {
        self.act.times_verified(by) >= VERIFYING_TIMES
    }

    /// A human commits. The first answer wins; a firm one replaces "verifying", and one that holds the climb replaces
    /// one that does not; everyone else joins.
    pub(crate) fn accept(&mut self, by: &Responder, commitment: Commitment, eta: Seconds) {
        let climb_on = commitment == Commitment::Going && eta.0 > self.act.eta_limit_s;
        let held = self.act.is_stilled();
        let answered_before = self.act.is_answered();
        let first = self.act.promise.is_none();
        let standing = self.act.promise.as_ref().map(|p| (p.by.is(by), p.commitment, p.climb_on));
        let renewal = match (standing, commitment) {
            (None, _) | (Some((false, Commitment::Verifying, _)), Commitment::Going) => false,
            (Some((false, Commitment::Going, true)), Commitment::Going) if !climb_on => false,
            (Some((true, before, _)), _) => before == commitment,
            (Some((false, _, _)), _) => return self.join(by, commitment, eta.after(self.now), climb_on),
        };
        let event = Event::Accepted { act: self.id(), by: by.clone(), commitment, arrive_by: eta.after(self.now), climb_on, renewal };
        self.push(event);
        self.confirm(by, Purpose::Confirmed);
        if !answered_before {
            self.tell_once_answered(by);
        }
        if first {
            match self.act.kind {
                Kind::Duress | Kind::Panic | Kind::Medical | Kind::Welfare => self.inform_centres(),
                Kind::Assist => {}
            }
        }
        // Whoever was asked before the ladder has taken it for a call, and no rung may ever be entered.
        if matches!(self.act.progress, Progress::Climb { rung: None, .. }) {
            self.tell_whoever_goes_there();
        }
        self.resume_where_held_up(held);
    }

    /// The rung's wait may have run out while a commitment held it that holds it no longer; that was no lateness of ours.
    fn resume_where_held_up(&mut self, held: bool) {
        let is_due = |(due, why): (Timestamp, Why)| due <= self.now && matches!(why, Why::RungWait | Why::Round);
        if held && self.act.climbs_beside() && self.act.next_due().is_some_and(is_due) {
            self.resume(Entry::Resumed);
        }
    }

    /// A human cannot: their pursuit is over, and where they had committed the climb goes on.
    pub(crate) fn decline(&mut self, by: &Responder) {
        let held = self.act.is_stilled();
        let withdrawn = self.act.promise.as_ref().is_some_and(|p| p.by.is(by));
        if withdrawn {
            let event = Event::CommitmentLapsed { act: self.id(), why: Lapse::Withdrawn, whose: None };
            self.push(event);
        }
        let event = Event::Declined { act: self.id(), by: by.clone(), rests_until: REST.after(self.now) };
        self.push(event);
        self.confirm(by, Purpose::Declined);
        if withdrawn {
            self.end_hold(HoldEnd::CommitmentEnded);
            self.resume(Entry::Resumed);
        } else if held && !self.act.is_stilled() {
            // One of those who are needed has left: the climb goes on for another.
            self.end_hold(HoldEnd::CommitmentEnded);
            self.resume(Entry::Resumed);
        } else {
            self.settle();
        }
    }

    fn join(&mut self, by: &Responder, commitment: Commitment, arrive_by: Timestamp, far: bool) {
        let answered_before = self.act.is_answered();
        let held = self.act.is_stilled();
        let event = Event::Joined { act: self.id(), by: by.clone(), commitment, far, arrive_by: Some(arrive_by) };
        self.push(event);
        self.confirm(by, Purpose::Confirmed);
        if !answered_before {
            self.tell_once_answered(by);
        }
        self.resume_where_held_up(held);
    }

    /// Everyone else hears that somebody is going once nobody more is needed: who is still wanted must not lean back.
    fn tell_once_answered(&mut self, by: &Responder) {
        if self.act.is_answered() {
            self.tell_others(by, Purpose::SomeoneGoing);
        }
    }

    /// Confirms by text what came by text or in a call; the page and the API show it themselves.
    pub(crate) fn confirm(&mut self, by: &Responder, purpose: Purpose) {
        match (by.via, by.contact, by.person) {
            (AnsweredVia::Sms | AnsweredVia::Voice, Some(contact), Some(person)) => {
                self.owe(Recipient::Person { person, contact }, Medium::Sms, purpose, None);
            }
            (AnsweredVia::Sms | AnsweredVia::Voice, Some(contact), None) => {
                self.owe(Recipient::Stranger { contact }, Medium::Sms, purpose, None);
            }
            (AnsweredVia::Sms | AnsweredVia::Voice | AnsweredVia::Link(_) | AnsweredVia::Api, _, _) => {}
        }
    }

    /// Tells everyone else who was alarmed, once, by the channel that reached them.
    pub(crate) fn tell_others(&mut self, by: &Responder, purpose: Purpose) {
        for (to, medium) in self.alarmed() {
            if !is_same(&to, by) {
                self.owe(to, medium, purpose, None);
            }
        }
    }

    /// Everyone whom an alarm may have reached, each address once.
    pub(crate) fn alarmed(&self) -> Vec<(Recipient, Medium)> {
        let mut alarmed: Vec<(Recipient, Medium)> = Vec::new();
        for (to, told) in self.act.told.iter().rev() {
            let again =
                to.contact().is_some() && alarmed.iter().any(|(other, medium)| other.contact() == to.contact() && *medium == told.medium);
            if told.reached() && told.medium != Medium::Desk && !again {
                alarmed.push((to.clone(), told.medium));
            }
        }
        alarmed.reverse();
        alarmed
    }

    /// Where somebody who answered can be written to.
    pub(crate) fn address_of(&self, by: &Companion) -> Option<(Recipient, Medium)> {
        address_of(self.engine, &self.act, by)
    }

    fn explain(&mut self, contact: ContactKey, purpose: Purpose) {
        let lately = self.act.answered_at.get(&contact).is_some_and(|at| self.now <= EXPLAIN_EVERY.after(*at));
        if lately {
            return;
        }
        let told = self.act.told.keys().find(|to| to.contact() == Some(contact)).cloned();
        self.owe(told.unwrap_or(Recipient::Stranger { contact }), Medium::Sms, purpose, None);
    }
}

/// Where somebody who answered a call can be written to: where they answered from, else where they were alarmed, else their own phone.
pub(crate) fn address_of(engine: &Engine, act: &Activation, by: &Companion) -> Option<(Recipient, Medium)> {
    let at_contact = |(to, _): &(&Recipient, &Told)| by.contact.is_some() && to.contact() == by.contact;
    let of_person = |(to, told): &(&Recipient, &Told)| match (to, by.person) {
        (Recipient::Person { person, .. }, Some(wanted)) => person.person == wanted.person && told.reached(),
        (Recipient::Person { .. } | Recipient::Centre { .. } | Recipient::Stranger { .. }, _) => false,
    };
    let told = act.told.iter().find(at_contact).or_else(|| act.told.iter().find(of_person));
    if let Some((to, told)) = told {
        return Some((to.clone(), told.medium));
    }
    match (by.person, by.contact) {
        (Some(person), _) => {
            let contact = engine.person(person.person).and_then(|p| p.contacts.get(&Medium::Sms).copied())?;
            Some((Recipient::Person { person, contact }, Medium::Sms))
        }
        (None, Some(contact)) => Some((Recipient::Stranger { contact }, Medium::Sms)),
        (None, None) => None,
    }
}

fn is_same(to: &Recipient, by: &Responder) -> bool {
    match to {
        Recipient::Person { person, contact } => by.person.is_some_and(|p| p.person == person.person) || by.contact == Some(*contact),
        Recipient::Stranger { contact } => by.contact == Some(*contact),
        Recipient::Centre { .. } => false,
    }
}

fn responder(person: Option<PersonVersion>, contact: ContactKey, via: AnsweredVia, answer: &Answer) -> Responder {
    Responder { person, contact: Some(contact), via, by: None, text: answer.text.clone(), provider_ref: answer.provider_ref.clone() }
}

/// Whether a text is older than the alarm that it would answer.
fn was_sent_before(answer: &Answer, act: &Activation) -> bool {
    answer.sent_at.is_some_and(|sent| sent.saturating_add(STAMP_SLACK).is_ok_and(|latest| latest < act.raised_at))
}

/// The same message again says nothing new; its words are with the first.
fn replayed(answer: &Answer) -> Event {
    Event::AnswerSetAside {
        act: None,
        contact: None,
        why: SetAside::Replayed,
        pauses_until: None,
        text: None,
        provider_ref: answer.provider_ref.clone(),
    }
}

fn aside(act: Option<&Activation>, contact: Option<ContactKey>, why: SetAside, answer: &Answer) -> Event {
    Event::AnswerSetAside {
        act: act.map(|a| a.id.clone()),
        contact,
        why,
        pauses_until: None,
        text: answer.text.clone(),
        provider_ref: answer.provider_ref.clone(),
    }
}
