//! Test mode: for a stated time one press of a listed button asks a named person, and nobody else, whether it was they.
//!
//! Two comforts would be false here: that a button works because somebody pressed it, and that a press is a test because
//! somebody is testing. So only that person's own word by text makes it one, within a minute; silence, a "no", a second press, a
//! cancel, a message that does not leave, and whatever is not plainly a fresh press of that very button are the full ladder.
//! The press that is asked about ends the test mode of its button, however it ends.

use crate::acknowledgement::{Answer, Disposition, Reply};
use crate::activation::{Activation, Progress};
use crate::addressing;
use crate::closing::ARCHIVE_AFTER;
use crate::course::Course;
use crate::dispatch::Purpose;
use crate::engine::Engine;
use crate::event::{Age, AnsweredVia, Doer, Entry, Event, Opening, Party, Responder, SetAside};
use crate::id::{CustomerId, DeviceId, PersonId, PersonVersion};
use crate::input::{TestOver, TestWanted};
use crate::ladder::{Medium, RungIndex, Target, Who};
use crate::raising::{BELIEVABLE_S, LIVE_S, Tone};
use crate::rejection::Rejection;
use crate::signal::{Signal, Verb, Via};
use crate::time::{Seconds, SignedDuration, Timestamp, millis_between};

/// The longest that a button is on test (lifecycle, "Test and drill").
const LONGEST: Seconds = Seconds(3_600);
/// Before its end it is said that it ends (lifecycle: "warns before it ends").
const WARNING: Seconds = Seconds(300);
/// Without a yes for this long a press is a call like any other (lifecycle: 60 s).
const ANSWER_WITHIN: Seconds = Seconds(60);
/// The most buttons that are named at once.
const BUTTONS_MAX: usize = 200;

/// A button on test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestMode {
    /// Who put it on test.
    pub by: Doer,
    /// Who presses it.
    pub tester: PersonVersion,
    /// Since when.
    pub since: Timestamp,
    /// From when on it is said that it ends.
    pub warn_at: Timestamp,
    /// When it ends by itself.
    pub until: Timestamp,
}

impl TestMode {
    /// Whether it is on.
    pub fn is_on(&self, now: Timestamp) -> bool {
        self.since <= now && now < self.until
    }
}

impl Engine {
    /// Puts buttons on test: all that are named, or none.
    pub(crate) fn on_test_wanted(&self, now: Timestamp, wanted: &TestWanted) -> Result<Vec<Event>, Rejection> {
        let tester = wanted.tester.person.and_then(|id| Some((id, self.person(id)?))).ok_or(Rejection::UnknownTester)?;
        if !tester.1.contacts.contains_key(&Medium::Sms) {
            return Err(Rejection::TesterWithoutPhone);
        }
        if wanted.span.0 == 0 || wanted.span > LONGEST {
            return Err(Rejection::ImplausibleTest);
        }
        some_buttons(&wanted.devices)?;
        let until = wanted.span.after(now);
        let mut events = Vec::new();
        for dev in &wanted.devices {
            let cust = self.whose_button(dev)?;
            // Whoever is sent to it needs it to be no question whether they press in earnest.
            if let Some(of) = self.stands_in_for(now, dev).next() {
                return Err(Rejection::IsASubstitute { device: dev.clone(), of: of.clone() });
            }
            if let Some(act) = self.open_of(dev) {
                return Err(Rejection::CallOpen { device: dev.clone(), activation: act.id.clone() });
            }
            events.push(Event::TestStarted {
                cust,
                dev: dev.clone(),
                tester: PersonVersion { person: tester.0, version: tester.1.version },
                by: Doer::from(&wanted.by),
                warn_at: warned_before(until, WARNING, now),
                until,
            });
        }
        Ok(events)
    }

    /// Takes buttons off test; those that are not on it any more are left as they are.
    pub(crate) fn on_test_over(&self, now: Timestamp, over: &TestOver) -> Vec<Event> {
        let on_test = over.devices.iter().filter(|dev| self.test_of(dev).is_some_and(|test| test.is_on(now)));
        let ended = |dev: &DeviceId| {
            let cust = self.directory().sites.get(&dev.site).map(|site| site.customer.clone());
            Event::TestEnded { cust, dev: dev.clone(), by: Doer::from(&over.by) }
        };
        on_test.map(ended).collect()
    }

    /// Whom a press asks first because its button is on test: only a press that is certainly fresh, of the button itself, and the
    /// first one.
    pub(crate) fn tester_of(&self, now: Timestamp, signal: &Signal, age: Age, opening: Opening) -> Option<&TestMode> {
        let test = self.test_of(&signal.device).filter(|test| test.is_on(now))?;
        (self.is_fresh_press(signal, age, opening, test.since) && self.open_of(&signal.device).is_none()).then_some(test)
    }

    /// Whether a signal is a press of a registered button by itself, and certainly not from before `since`.
    pub(crate) fn is_fresh_press(&self, signal: &Signal, age: Age, opening: Opening, since: Timestamp) -> bool {
        let is_press = match &signal.verb {
            Verb::Press { .. } => true,
            Verb::Cancel(_) | Verb::Tamper { .. } | Verb::Presence { .. } | Verb::Unreadable { .. } => false,
        };
        let by_itself = match signal.origin.via {
            Via::Session | Via::Listener => true,
            Via::Api | Via::Page | Via::Check => false,
        };
        // Whatever its clock is worth, where it says that it was pressed before, it may have been; unless it is plainly no clock.
        let is_told = |at: &Timestamp| millis_between(*at, since) / 1_000 <= BELIEVABLE_S;
        let before = signal.origin.waited_since.into_iter().chain(signal.pressed_at.filter(is_told)).any(|at| at < since);
        let fresh = match (age, opening) {
            (Age::Live { up_to_s }, Opening::Ladder) => {
                let waited_long = up_to_s.is_some_and(|s| s > LIVE_S);
                !before && !waited_long && !signal.origin.retained && !signal.origin.dup
            }
            (Age::Live { .. } | Age::Delayed { .. } | Age::Recovered { .. }, _) => false,
        };
        is_press && by_itself && fresh && self.directory().devices.contains_key(&signal.device)
    }

    /// Whose a registered button is.
    pub(crate) fn whose_button(&self, device: &DeviceId) -> Result<CustomerId, Rejection> {
        let site = self.directory().sites.get(&device.site).filter(|_| self.directory().devices.contains_key(device));
        site.map(|site| site.customer.clone()).ok_or(Rejection::UnknownPlace)
    }

    /// Any call of this very button that is open.
    pub(crate) fn open_of(&self, device: &DeviceId) -> Option<&Activation> {
        Tone::ALL.into_iter().find_map(|tone| self.open_at(&crate::raising::Joint::Device(device.clone(), tone)))
    }
}

/// Whether as many buttons are named as may be at once.
pub(crate) fn some_buttons(devices: &[DeviceId]) -> Result<(), Rejection> {
    if devices.is_empty() || devices.len() > BUTTONS_MAX { Err(Rejection::ImplausibleList) } else { Ok(()) }
}

/// So long before its end it is said that something ends, or at once.
pub(crate) fn warned_before(until: Timestamp, warning: Seconds, now: Timestamp) -> Timestamp {
    until.saturating_sub(SignedDuration::from_secs(i64::from(warning.0))).unwrap_or(until).max(now)
}

impl Activation {
    /// Who is being asked whether a press was theirs, as a test; `None` once that is decided, or never was a question.
    pub fn asks_tester(&self) -> Option<PersonId> {
        let asking = match (self.opening, self.progress) {
            (Opening::AskTester, Progress::Climb { rung: None, .. }) => {
                // Once anybody has said more about it, a yes no longer makes it a test.
                self.is_open() && self.promise.is_none() && self.word.is_none() && self.police.is_none()
            }
            (Opening::AskTester | Opening::AskKeeper | Opening::AskFirst | Opening::Ladder, _) => false,
        };
        let (_, asked) = self.latest_pursuits().next().filter(|_| asking)?;
        asked.party.person.map(|person| person.person)
    }
}

impl Course<'_> {
    /// Asks a tester or a keeper; where they cannot be asked, the ladder begins.
    pub(crate) fn ask_by_text(&mut self, asked: PersonVersion) {
        let target = Target { who: Who::Person(asked.person), by: vec![vec![Medium::Sms]] };
        let reached = self.engine.person(asked.person).and_then(|person| addressing::steps_to(asked.person, person, &target, false).ok());
        let Some((person, steps)) = reached else {
            return self.enter(RungIndex(0), Entry::Raised, &[]);
        };
        let party = Party { rung: RungIndex(0), who: target.who, person, steps };
        self.ask_before_the_ladder(ANSWER_WITHIN, vec![party]);
    }

    /// Whether a text is the tester's answer; then it is taken as such, and as nothing else.
    pub(crate) fn is_answered_by_tester(&mut self, by: &Responder, answer: &Answer) -> bool {
        let Some(tester) = self.act.asks_tester() else { return false };
        if by.via != AnsweredVia::Sms || by.person.is_none_or(|person| person.person != tester) {
            return false;
        }
        match &answer.reply {
            Reply::Going { .. } => self.was_a_test(by),
            Reply::Cannot { .. } => self.was_no_test(by),
            Reply::Helping { .. }
            | Reply::Arrived
            | Reply::InNeed
            | Reply::PoliceNeeded
            | Reply::PoliceRung
            | Reply::StepDone { .. }
            | Reply::BareYes
            | Reply::Stop
            | Reply::Start
            | Reply::NotAnAnswer => return self.is_set_aside(by, answer),
        }
        true
    }

    /// Whether somebody says yes who was asked nothing but whether it was they, testing, once that is no question any more: they
    /// have not said that they go, and nothing may stand still for it.
    pub(crate) fn comes_too_late(&self, by: &Responder, answer: &Answer) -> bool {
        let as_tester = |contact| self.act.told.iter().any(|(to, told)| told.as_tester && to.contact() == Some(contact));
        let is_yes = matches!(answer.reply, Reply::Going { .. } | Reply::Helping { .. });
        is_yes && by.via == AnsweredVia::Sms && by.contact.is_some_and(as_tester)
    }

    fn is_set_aside(&mut self, by: &Responder, answer: &Answer) -> bool {
        let event = Event::AnswerSetAside {
            act: Some(self.id()),
            contact: by.contact,
            why: SetAside::NotAnAnswer,
            pauses_until: None,
            text: answer.text.clone(),
            provider_ref: answer.provider_ref.clone(),
        };
        self.push(event);
        true
    }

    /// It was they: the press is proof that the button works, and the call is over.
    fn was_a_test(&mut self, by: &Responder) {
        let event = Event::TestAnswered { act: self.id(), dev: self.act.device.clone(), by: by.clone(), theirs: true };
        self.push(event);
        let doer = Doer {
            principal: "test".to_owned(),
            actor: None,
            actor_key: None,
            person: by.person.map(|person| person.person),
            idempotency: None,
        };
        let event = Event::Closed {
            act: self.id(),
            by: doer,
            disposition: Disposition::Test,
            note: None,
            drill: None,
            count: self.act.entries.saturating_add(1),
            archive_at: ARCHIVE_AFTER.after(self.now),
        };
        self.push(event);
        self.stand_down();
    }

    /// It was somebody else.
    fn was_no_test(&mut self, by: &Responder) {
        let event = Event::TestAnswered { act: self.id(), dev: self.act.device.clone(), by: by.clone(), theirs: false };
        self.push(event);
        self.confirm(by, Purpose::NotATest);
        self.enter(RungIndex(0), Entry::NotATest, &[]);
    }

    /// Something beside the press speaks against a test: it is not waited for any longer.
    pub(crate) fn ask_tester_no_longer(&mut self) {
        if self.act.asks_tester().is_some() {
            self.enter(RungIndex(0), Entry::NotATest, &[]);
        }
    }
}
