//! Troubles are told to people: by the technical ladder, once they have lasted, until somebody looks after them or they are over.
//!
//! Two comforts would be false here: that somebody knows because a page shows it, and that it is mended because it is quiet for a
//! moment. So it is told to people who are asked to say that they look after it, and told again while it lasts; and it is over only
//! once it has been over for a while. Everything here waits behind everything that an activation is due.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::acknowledgement::{Answer, Code, Reply};
use crate::addressing::{self, Resolution, Surroundings};
use crate::answering::STAMP_SLACK;
use crate::codes::Codes;
use crate::dispatch::{DeliveryReport, Purpose, Recipient, Report};
use crate::engine::Engine;
use crate::event::{AnsweredVia, ContactSkip, Event, Party, Responder, RungSkip, Telling};
use crate::id::{ActivationId, CentreId, ContactKey, PersonId, PersonVersion, RosterId};
use crate::ladder::{Ladder, Medium, RungIndex, Target};
use crate::matter::{Causes, Gravity, Matter, Open, Topic};
use crate::notice::{BEGINNINGS, Notice, NoticeStage};
use crate::reporting::rank;
use crate::roster::Duty;
use crate::time::{Seconds, Timestamp};
use crate::trouble::Cause;

/// A matter that comes and goes is told of so many times in this time at most, see [`BEGINNINGS`].
const BEGINNINGS_IN: Seconds = Seconds(3_600);
/// What can wait is told again once a day.
const DAILY: Seconds = Seconds(86_400);
/// Whoever looks after a trouble has so many times as long as nobody would, before everybody is told again.
const TAKEN_TIMES: u32 = 4;
/// When a day begins and ends for what can wait, in hours of the clock on the wall.
const DAY: std::ops::Range<i8> = 7..21;

/// Who of a technical ladder can be told: people, in writing.
struct Keepers<'e> {
    engine: &'e Engine,
    now: Timestamp,
}

impl Surroundings for Keepers<'_> {
    fn on_duty(&self, roster: &RosterId) -> Option<Duty> {
        self.engine.directory().rosters.on_duty(roster, self.now)
    }

    fn person(&self, person: PersonId, target: &Target) -> Resolution {
        let known = self.engine.person(person).ok_or(ContactSkip::Unknown)?;
        addressing::steps_to(person, known, target, false)
    }

    fn centre(&self, _centre: &CentreId) -> Resolution {
        Err(ContactSkip::NoAddress)
    }
}

/// A decision in the making, on one notice.
struct Telltale<'e> {
    engine: &'e Engine,
    now: Timestamp,
    notice: Notice,
    events: Vec<Event>,
}

/// Whom a rung, or a whole ladder, can tell.
struct Reached {
    rung: RungIndex,
    parties: Vec<Party>,
    /// Who was passed over, for the record.
    passed: Vec<Event>,
}

impl Engine {
    /// When people are told next of a matter, or that it is over. It depends on nothing but what is recorded, and is worked out when
    /// that changes: a gap that grows graver as it comes nearer is due by itself.
    pub(crate) fn told_or_over_at(&self, matter: &Matter) -> Option<Timestamp> {
        let over = self.notice(matter).and_then(|notice| self.over_at(notice));
        self.told_next(matter).into_iter().chain(over).min()
    }

    /// When people are told next of a matter that is open; `None` where nobody is, because there is no technical ladder.
    pub fn told_next(&self, matter: &Matter) -> Option<Timestamp> {
        let open = self.causes_of(matter)?.open()?;
        self.directory().technical_ladder(matter.customer.as_ref())?;
        let by_day = || self.by_day(self.due_as(Gravity::Lesser, matter, &open));
        let Some(grave_from) = open.cause.grave_from() else { return Some(by_day()) };
        let grave = self.due_as(Gravity::AlarmPath, matter, &open).max(grave_from);
        Some(if grave_from == Timestamp::MIN { grave } else { grave.min(by_day()) })
    }

    fn due_as(&self, gravity: Gravity, matter: &Matter, open: &Open<'_>) -> Timestamp {
        let wait = self.directory().technical.wait_s;
        // After a start everything is given time to come back.
        let lasted = wait.after(open.since.max(self.up_since()));
        let Some(notice) = self.notice(matter) else { return lasted };
        // It was over meanwhile, and for long enough.
        let came_back = open.since > notice.told_at;
        let in_time = |until: Timestamp| {
            let until = until.max(wait.after(self.up_since()));
            if came_back { until.max(lasted) } else { until }
        };
        match &notice.stage {
            NoticeStage::Over if gravity == Gravity::Lesser => lasted.max(notice.next_day()),
            NoticeStage::Over => lasted.max(notice.may_begin_at()),
            // What was sent was lost while it seemed to be over.
            NoticeStage::Asking { .. } if open.opened > notice.told_at && notice.told().is_empty() => {
                wait.after(open.opened.max(self.up_since()))
            }
            NoticeStage::Asking { until, .. } if gravity == Gravity::AlarmPath && notice.could_wait() => {
                in_time((*until).min(self.grew_at(notice, open)))
            }
            NoticeStage::Asking { until, .. } => in_time(*until),
            NoticeStage::Taken { until, .. } if gravity == Gravity::Lesser => in_time(*until),
            NoticeStage::Taken { until, .. } => {
                let joined = self.joined_at(notice, open).map_or(Timestamp::MAX, |at| at.max(notice.may_begin_at()));
                in_time((*until).min(joined))
            }
        }
    }

    /// When what could wait no longer can, and has been so for long enough to be told.
    fn grew_at(&self, notice: &Notice, open: &Open<'_>) -> Timestamp {
        let grave_since = open.cause_since.max(open.cause.grave_from().unwrap_or(Timestamp::MAX)).max(self.up_since());
        self.directory().technical.wait_s.after(grave_since).max(notice.may_begin_at())
    }

    /// When another of its kind, which whoever looks after a matter does not know of, has lasted long enough to be told.
    fn joined_at(&self, notice: &Notice, open: &Open<'_>) -> Option<Timestamp> {
        open.latest.filter(|latest| *latest > notice.told_at).map(|latest| self.directory().technical.wait_s.after(latest))
    }

    /// When people are told that a matter is over. One that comes and goes is not said to be over until it may begin again: of the two
    /// comforts the last word is never the false one. After a start everything is looked at first.
    fn over_at(&self, notice: &Notice) -> Option<Timestamp> {
        let calm = notice.calm_since.filter(|_| notice.is_open())?;
        let at = self.directory().technical.wait_s.after(calm.max(self.up_since()));
        match notice.cause.gravity(notice.told_at) {
            Gravity::AlarmPath => Some(at.max(notice.may_begin_at())),
            Gravity::Lesser => Some(self.by_day(at.max(notice.next_day()))),
        }
    }

    /// `at`, or the next morning where that is at night.
    fn by_day(&self, at: Timestamp) -> Timestamp {
        let Some(zone) = &self.directory().technical.zone else { return at };
        let wall = zone.wall(at);
        if DAY.contains(&wall.hour()) {
            return at;
        }
        let date = if wall.hour() < DAY.start { Some(wall.date()) } else { wall.date().tomorrow().ok() };
        date.map_or(at, |date| zone.first(date.at(DAY.start, 0, 0, 0)).max(at))
    }

    /// Tells of the first matter that is due, or that it is over.
    pub(crate) fn tell_of_troubles(&self, now: Timestamp) -> Vec<Event> {
        let Some((_, matter)) = self.first_due().filter(|(at, _)| *at <= now) else { return Vec::new() };
        // Nobody is told of somebody who would have stood in until an hour ago.
        let over = if matter.topic == Topic::StandInUndone { self.stand_ins_undone_now(now) } else { Vec::new() };
        if !over.is_empty() {
            return over;
        }
        let open = self.causes_of(matter).and_then(Causes::open);
        match (&open, self.notice(matter)) {
            (Some(open), None) => Telltale::on(self, now, Notice::new(self.next_notice_id(), matter, open.cause)).begin(open),
            (Some(open), Some(notice)) => {
                let telltale = Telltale::on(self, now, notice.clone());
                match notice.stage {
                    NoticeStage::Over => telltale.begin(open),
                    NoticeStage::Asking { .. } if notice.could_wait() && open.gravity(now) == Gravity::AlarmPath => {
                        telltale.tell(open, RungIndex(0), Telling::Joined)
                    }
                    NoticeStage::Asking { rung, .. } => telltale.go_on(open, rung),
                    NoticeStage::Taken { until, .. } => {
                        let why = if until <= now { Telling::Again } else { Telling::Joined };
                        telltale.tell(open, RungIndex(0), why)
                    }
                }
            }
            (None, Some(notice)) => Telltale::on(self, now, notice.clone()).over(),
            (None, None) => Vec::new(),
        }
    }

    /// What became of a message about a trouble.
    pub(crate) fn on_notice_report(&self, now: Timestamp, report: &DeliveryReport) -> Vec<Event> {
        let Some(notice) = self.notice_called(&report.dispatch.activation) else { return Vec::new() };
        let word = notice.words.get(&report.dispatch.number);
        // What became of one that is remembered no more is recorded all the same.
        let moves_up = word.is_none_or(|word| rank(&report.report) > word.state);
        if !notice.has_queued(report.dispatch.number) || (!moves_up && report.text.is_none()) {
            return Vec::new();
        }
        let pursued = word.and_then(|word| word.pursued);
        let mut telltale = Telltale::on(self, now, notice.clone());
        telltale.push(Event::DispatchReported {
            act: notice.id.clone(),
            dispatch: report.dispatch.number,
            report: report.report.clone(),
            receipt_by: None,
            provider: report.provider.clone(),
            provider_ref: report.provider_ref.clone(),
            text: report.text.clone(),
            template: report.template.clone(),
            possible_duplicate: report.possible_duplicate,
            tries: report.tries,
        });
        let lost = matches!(report.report, Report::Undelivered { .. } | Report::Failed(_));
        match pursued.filter(|_| moves_up && lost) {
            Some((party, step)) => telltale.channel_failed(party, step),
            None => telltale.events,
        }
    }

    /// The notice that a code means on a phone.
    pub(crate) fn notice_by_code(&self, contact: ContactKey, code: Code) -> Option<&Notice> {
        if !Codes::is_of_notices(code) {
            return None;
        }
        let meant = || self.notices().filter(|notice| notice.codes.get(&contact) == Some(&code));
        meant().find(|notice| notice.is_open()).or_else(|| meant().next())
    }

    /// The notice that a phone was told of last, of those that are open, and when that was.
    pub(crate) fn notice_told_to(&self, contact: ContactKey) -> Option<(Timestamp, &Notice)> {
        let open = self.notices().filter(|notice| notice.is_open());
        open.filter_map(|notice| Some((notice.word_to(contact)?.at, notice))).max_by_key(|(at, _)| *at)
    }

    /// Somebody answers a notice by its code; `None` where that says nothing of what is open now.
    pub(crate) fn on_notice_answer(&self, now: Timestamp, notice: &Notice, contact: ContactKey, answer: &Answer) -> Option<Vec<Event>> {
        let takes = match &answer.reply {
            Reply::Going { .. } | Reply::Helping { .. } => true,
            Reply::Cannot { .. } => false,
            Reply::Arrived
            | Reply::InNeed
            | Reply::PoliceNeeded
            | Reply::PoliceRung
            | Reply::StepDone { .. }
            | Reply::BareYes
            | Reply::Stop
            | Reply::Start
            | Reply::NotAnAnswer => return None,
        };
        let early = answer.sent_at.is_some_and(|sent| sent.saturating_add(STAMP_SLACK).is_ok_and(|at| at < notice.since));
        if early || !notice.is_open() {
            return None;
        }
        let person = self.people_at(contact).find_map(|id| Some(PersonVersion { person: id, version: self.person(id)?.version }));
        let (text, provider_ref) = (answer.text.clone(), answer.provider_ref.clone());
        let by = Responder { person, contact: Some(contact), via: AnsweredVia::Sms, by: None, text, provider_ref };
        Some(Telltale::on(self, now, notice.clone()).answered(by, takes))
    }

    /// Says it again, with its code, to somebody whose answer said not of what: once for each time they were told.
    pub(crate) fn explain_notice(&self, now: Timestamp, contact: ContactKey) -> Vec<Event> {
        let Some((_, notice)) = self.notice_told_to(contact) else { return Vec::new() };
        let Some(word) = notice.word_to(contact).filter(|word| word.pursued.is_some() || word.at < notice.told_at) else {
            return Vec::new();
        };
        let to = word.to.clone();
        let mut telltale = Telltale::on(self, now, notice.clone());
        telltale.owe(to, Medium::Sms, Purpose::TroubleAgain, None);
        telltale.events
    }
}

impl Notice {
    /// Before anybody was told.
    pub(crate) fn new(id: ActivationId, matter: &Matter, cause: &Cause) -> Self {
        Self {
            id,
            matter: matter.clone(),
            cause: cause.clone(),
            more: 0,
            entries: 0,
            opened: Timestamp::MIN,
            since: Timestamp::MIN,
            told_at: Timestamp::MIN,
            ladder: None,
            stage: NoticeStage::Over,
            calm_since: None,
            begun: Vec::new(),
            pursued: Vec::new(),
            words: BTreeMap::new(),
            dispatches: 0,
            codes: BTreeMap::new(),
        }
    }

    /// Whether what people were told last can wait.
    fn could_wait(&self) -> bool {
        self.cause.gravity(self.told_at) == Gravity::Lesser
    }

    /// What can wait is told of once a day.
    fn next_day(&self) -> Timestamp {
        self.begun.last().map_or(Timestamp::MIN, |last| DAILY.after(*last))
    }

    /// What comes and goes begins a few times in an hour and no more.
    fn may_begin_at(&self) -> Timestamp {
        let first = self.begun.first().filter(|_| self.begun.len() >= BEGINNINGS);
        first.map_or(Timestamp::MIN, |first| BEGINNINGS_IN.after(*first))
    }
}

impl<'e> Telltale<'e> {
    fn on(engine: &'e Engine, now: Timestamp, notice: Notice) -> Self {
        Self { engine, now, notice, events: Vec::new() }
    }

    fn push(&mut self, event: Event) {
        self.notice.apply(self.now, &event);
        self.events.push(event);
    }

    fn begin(self, open: &Open<'_>) -> Vec<Event> {
        self.tell(open, RungIndex(0), Telling::Begins)
    }

    /// The wait of a rung is over: the next one, and past the last one everybody again.
    fn go_on(self, open: &Open<'_>, rung: RungIndex) -> Vec<Event> {
        // Nobody of another ladder has heard of it.
        if self.ladder().is_some_and(|ladder| Some(&ladder.id) != self.notice.ladder.as_ref()) {
            return self.tell(open, RungIndex(0), Telling::WaitOver);
        }
        let next = self.ladder().filter(|ladder| open.gravity(self.now) == Gravity::AlarmPath && ladder.rung(rung.next()).is_some());
        match next {
            Some(_) => self.tell(open, rung.next(), Telling::WaitOver),
            None => self.tell(open, RungIndex(0), Telling::Again),
        }
    }

    /// Tells the people of a rung, or of the first after it that has anybody; all of them together where it is told again.
    fn tell(mut self, open: &Open<'_>, from: RungIndex, why: Telling) -> Vec<Event> {
        let Some(ladder) = self.ladder().cloned() else { return self.events };
        let everybody = why == Telling::Again && open.gravity(self.now) == Gravity::AlarmPath && self.was_asking();
        let Reached { rung, parties, passed } = if everybody { self.everybody(&ladder) } else { self.first_reached(&ladder, from) };
        let technical = &self.engine.directory().technical;
        let wait = match (open.gravity(self.now), ladder.rung(rung.next()), ladder.rung(rung)) {
            (Gravity::Lesser, _, _) => DAILY,
            (Gravity::AlarmPath, Some(_), Some(here)) if !parties.is_empty() => here.wait_s,
            (Gravity::AlarmPath, _, _) => technical.again_s,
        };
        let event = Event::TroubleTold {
            act: self.notice.id.clone(),
            cust: self.engine.seen_by(&self.notice.matter).cloned(),
            of: self.notice.matter.customer.clone(),
            topic: self.notice.matter.topic,
            cause: open.cause.clone(),
            more: open.more,
            opened: open.opened,
            ladder: ladder.id.clone(),
            rung,
            why,
            until: wait.after(self.now),
            parties,
        };
        self.push(event);
        // A notice begins with whom it tells; who was passed over on the way there is said after that.
        for event in passed {
            self.push(event);
        }
        for party in 0..self.notice.pursued.len() {
            self.try_step(u16::try_from(party).unwrap_or(u16::MAX), 0);
        }
        self.events
    }

    fn was_asking(&self) -> bool {
        matches!(self.notice.stage, NoticeStage::Asking { .. })
    }

    /// The first rung from there on that has anybody.
    fn first_reached(&self, ladder: &Ladder, from: RungIndex) -> Reached {
        let mut passed = Vec::new();
        let mut rung = from;
        while ladder.rung(rung).is_some() {
            let parties = self.parties(ladder, rung, &mut passed);
            if !parties.is_empty() {
                return Reached { rung, parties, passed };
            }
            passed.push(Event::RungPassedOver { act: self.notice.id.clone(), rung, why: RungSkip::Nobody });
            rung = rung.next();
        }
        Reached { rung: last(ladder), parties: Vec::new(), passed }
    }

    fn everybody(&self, ladder: &Ladder) -> Reached {
        let (mut everybody, mut passed) = (Vec::new(), Vec::new());
        let mut rung = RungIndex(0);
        while ladder.rung(rung).is_some() {
            for party in self.parties(ladder, rung, &mut passed) {
                addressing::add_party(&mut everybody, party);
            }
            rung = rung.next();
        }
        Reached { rung: last(ladder), parties: everybody, passed }
    }

    /// Who of a rung can be told; who cannot, and why, is among the `passed`.
    fn parties(&self, ladder: &Ladder, rung: RungIndex, passed: &mut Vec<Event>) -> Vec<Party> {
        let targets = ladder.rung(rung).map(|rung| &*rung.targets).unwrap_or_default();
        let mut parties = Vec::new();
        for found in addressing::parties(rung, targets.iter(), &Keepers { engine: self.engine, now: self.now }) {
            match found {
                Ok(party) => parties.push(party),
                Err((who, why)) => passed.push(Event::ContactPassedOver { act: self.notice.id.clone(), rung, who, why }),
            }
        }
        parties
    }

    fn try_step(&mut self, index: u16, step: u16) {
        let Some(party) = self.notice.pursued.get(usize::from(index)).map(|pursued| pursued.party.clone()) else { return };
        let Some(channels) = party.steps.get(usize::from(step)) else {
            let why = ContactSkip::AllChannelsFailed;
            let event = Event::ContactPassedOver { act: self.notice.id.clone(), rung: party.rung, who: party.who, why };
            return self.push(event);
        };
        for channel in channels {
            let again = self.notice.told().iter().any(|(to, medium)| **to == channel.to && *medium == channel.medium);
            let purpose = if again { Purpose::TroubleAgain } else { Purpose::Trouble };
            self.owe(channel.to.clone(), channel.medium, purpose, Some((index, step)));
        }
    }

    /// A channel came to nothing: the next one, and where nobody of the rung is left to wait for the next rung.
    fn channel_failed(mut self, party: u16, step: u16) -> Vec<Event> {
        let current = self.notice.pursued.get(usize::from(party)).is_some_and(|pursued| pursued.step == step);
        if !current || self.notice.is_alive((party, step)) || !self.was_asking() || self.notice.calm_since.is_some() {
            return self.events;
        }
        self.try_step(party, step.saturating_add(1));
        if self.notice.is_waited_for() { self.events } else { self.on_to_the_next(Telling::NobodyLeft) }
    }

    /// The next rung, where there is one; nobody is told again before their time.
    fn on_to_the_next(self, why: Telling) -> Vec<Event> {
        let NoticeStage::Asking { rung, .. } = self.notice.stage else { return self.events };
        let Some(open) = self.open() else { return self.events };
        // What can wait goes to one rung, unless nobody of it can be reached.
        if open.gravity(self.now) == Gravity::Lesser && why != Telling::NobodyLeft {
            return self.events;
        }
        if self.ladder().is_some_and(|ladder| ladder.rung(rung.next()).is_some()) {
            return self.tell(&open, rung.next(), why);
        }
        self.events
    }

    fn open(&self) -> Option<Open<'e>> {
        self.engine.causes_of(&self.notice.matter)?.open()
    }

    /// Somebody looks after it, or cannot. Whoever else of the rung was told keeps their time to answer.
    fn answered(mut self, by: Responder, takes: bool) -> Vec<Event> {
        let gives_up = !takes && self.notice.is_looked_after_by(&by);
        let until = match &self.notice.stage {
            NoticeStage::Asking { until, .. } | NoticeStage::Taken { until, .. } if !takes && !gives_up => *until,
            NoticeStage::Asking { .. } | NoticeStage::Taken { .. } | NoticeStage::Over => self.rest(takes).after(self.now),
        };
        let to = by.person.zip(by.contact).map(|(person, contact)| Recipient::Person { person, contact });
        let event = Event::TroubleAnswered { act: self.notice.id.clone(), by, takes, until };
        self.push(event);
        if let Some(to) = to.filter(|_| takes) {
            self.owe(to, Medium::Sms, Purpose::TroubleTaken, None);
        }
        if takes || (!gives_up && self.notice.is_waited_for()) {
            return self.events;
        }
        self.on_to_the_next(Telling::Declined)
    }

    /// How long people are left alone once somebody looks after it, or gives it up.
    fn rest(&self, takes: bool) -> Seconds {
        let again = self.engine.directory().technical.again_s;
        // It may seem over for a moment.
        match (self.open().map_or(&self.notice.cause, |open| open.cause).gravity(self.now), takes) {
            (Gravity::AlarmPath, true) => Seconds(again.0.saturating_mul(TAKEN_TIMES)),
            (Gravity::AlarmPath, false) => again,
            (Gravity::Lesser, _) => DAILY,
        }
    }

    fn over(mut self) -> Vec<Event> {
        let told: Vec<(Recipient, Medium)> = self.notice.told().into_iter().map(|(to, medium)| (to.clone(), medium)).collect();
        let event = Event::TroubleOver { act: self.notice.id.clone() };
        self.push(event);
        for (to, medium) in told {
            self.owe(to, medium, Purpose::TroubleOver, None);
        }
        self.events
    }

    fn owe(&mut self, to: Recipient, medium: Medium, purpose: Purpose, pursuit: Option<(u16, u16)>) {
        let asks = matches!(purpose, Purpose::Trouble | Purpose::TroubleAgain);
        let code = to.contact().filter(|_| asks && medium == Medium::Sms).and_then(|contact| self.code_for(contact));
        let event = Event::DispatchQueued {
            act: self.notice.id.clone(),
            dispatch: self.notice.dispatches.saturating_add(1),
            to,
            medium,
            purpose,
            pursuit,
            code,
            key: self.engine.key(),
            late_ms: 0,
        };
        self.push(event);
    }

    /// The same code on every message of one beginning to this phone, and another at the next: a late answer takes nothing new.
    fn code_for(&self, contact: ContactKey) -> Option<Code> {
        let given = |all: bool| -> BTreeSet<Code> {
            let notices = self.engine.notices().filter(|notice| all || notice.is_open());
            notices.filter_map(|notice| notice.codes.get(&contact).copied()).collect()
        };
        let choose = |taken: BTreeSet<Code>| self.engine.codes().choose_for_notice(contact, |code| taken.contains(&code));
        // Where a phone was told of very many matters, those that are over give theirs up.
        self.notice.codes.get(&contact).copied().or_else(|| choose(given(true))).or_else(|| choose(given(false)))
    }

    fn ladder(&self) -> Option<&'e Arc<Ladder>> {
        self.engine.directory().technical_ladder(self.notice.matter.customer.as_ref())
    }
}

fn last(ladder: &Ladder) -> RungIndex {
    RungIndex(u16::try_from(ladder.rungs.len().saturating_sub(1)).unwrap_or(u16::MAX))
}
