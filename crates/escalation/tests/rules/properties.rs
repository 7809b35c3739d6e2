//! What must hold whatever happens, in whatever order.
//!
//! [`Floor::take`] already proves of every input that deciding twice gives the same, that every event reads back as it was
//! written, that the replayed state is the live one and that no event makes no sense. Here the inputs are anything at all.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use escalation::acknowledgement::{Answer, Code, Commitment, Disposition, Gesture, Reply, Sender};
use escalation::activation::{Activation, Check, Promise, Stage};
use escalation::directory::{Adoption, Centre, Customer, Device, Directory, Fallback, Mounting, Person, PersonChange, Site};
use escalation::dispatch::{DeliveryReport, Failure, Report};
use escalation::event::{Event, Successor};
use escalation::id::{ActivationId, CarrierName, CentreId, ContactKey, CustomerId, DispatchId, LadderId, PersonId, PlanId, SiteId};
use escalation::input::{Act, Attribution, Command, DeskArmed, DeskUnarmed, DrillWanted, EscalateTo, Input, Started};
use escalation::ladder::{Ladder, Medium, Need, Rung, RungIndex, Target, When, Who};
use escalation::plan::{Part, Plan, Step, StepId};
use escalation::roster::{Hours, OnHolidays, WallClock};
use escalation::signal::{DeviceClock, Kind, Style, Unreadable, Verb};
use escalation::time::{Seconds, SignedDuration, Timestamp};
use escalation::trouble::Cause;
use escalation::word::{Entered, Word};
use escalation::zone::Zone;
use proptest::prelude::*;

use crate::floor::{Floor, digest_of, key_of, operator, signal};

const PEOPLE: u32 = 4;
/// After this many ticks at one instant nothing may be due any more.
const PATIENCE: usize = 2_000;

/// One thing that happens; indexes are taken modulo what there is.
#[derive(Clone, Debug)]
enum Happening {
    Signal { device: usize, verb: Verb, id: Option<u8>, retained: bool, dup: bool, age_s: Option<u32>, client: bool },
    Raised { device: usize, key: u8 },
    Text { person: u32, reply: u8, right: bool, repeat: u8, early: bool },
    Page { person: u32, act: usize, reply: u8, gesture: bool },
    Report { act: usize, number: u32, report: u8, text: bool },
    Command { act: usize, by: u8, what: u8, eta: u32 },
    Drill { place: u8, minutes: u32 },
    Directory(Box<Adoption>),
    Wait { ms: u32 },
    ToDeadline { before: bool },
    Lost,
    Found,
    Away { s: u32 },
    Stepped,
    Trouble { on: bool },
    Seat { taken: bool },
}

fn key(person: u32, medium: Medium, generation: u8) -> ContactKey {
    // The last two people share a phone, as keyholders of one house do.
    key_of(&format!("{} {} {generation}", person.min(PEOPLE - 1), medium.as_str()))
}

/// A word as the watch has judged it, or none.
fn word() -> impl Strategy<Value = Option<Entered>> {
    let words = prop::sample::select(vec![Word::Safe, Word::Duress, Word::Wrong, Word::Unknown]);
    prop::option::of(words.prop_map(Entered::Judged))
}

fn verbs() -> impl Strategy<Value = Verb> {
    let kind = prop::option::of(prop::sample::select(vec![Kind::Duress, Kind::Panic, Kind::Medical, Kind::Assist]));
    prop_oneof![
        8 => kind.prop_map(|kind| Verb::Press { kind, style: Some(Style::Single) }),
        1 => word().prop_map(Verb::Cancel),
        1 => any::<bool>().prop_map(|on| Verb::Tamper { on }),
        1 => any::<bool>().prop_map(|online| Verb::Presence { online }),
        1 => Just(Verb::Unreadable { why: Unreadable::TooDeep }),
    ]
}

/// Most rungs hold always. A floor's day begins at 14:03 in Perth, on a Monday.
fn limits() -> impl Strategy<Value = When> {
    let hours = |window: &str| Some(Hours { windows: vec![window.parse().unwrap()], holidays: OnHolidays::Off });
    let kinds = vec![Kind::Assist, Kind::Medical];
    prop_oneof![
        4 => Just(When::default()),
        1 => Just(When { hours: hours("14:00-14:10"), kinds: Vec::new() }),
        1 => Just(When { hours: hours("mon 14:05-15:00"), kinds: vec![Kind::Duress] }),
        1 => Just(When { hours: None, kinds }),
    ]
}

/// Any directory: empty rungs, unknown people and centres, dangling ladders and zero waits included.
fn directories() -> impl Strategy<Value = Adoption> {
    let media = prop::sample::select(vec![Medium::Sms, Medium::Email, Medium::Webhook]);
    let by = prop::collection::vec(prop::collection::vec(media, 0..3), 0..3);
    let person = (1..=PEOPLE + 1, by).prop_map(|(n, by)| Target { who: Who::Person(PersonId::new(n)), by });
    let centre = prop::sample::select(vec!["hooked", "desk", "gone"])
        .prop_map(|id| Target { who: Who::Centre(CentreId::parse(id).unwrap()), by: vec![vec![Medium::Webhook]] });
    let target = prop_oneof![4 => person, 1 => centre];
    let wait = prop_oneof![1 => Just(0_u32), 6 => 1_u32..120];
    let need = prop_oneof![4 => Just(Need::One), 1 => Just(Need::AtLeast(2)), 1 => Just(Need::Each)];
    let rung = (prop::collection::vec(target, 0..3), wait, limits(), need);
    let rung = rung.prop_map(|(targets, s, when, need)| Rung { targets, wait_s: Seconds(s), when, need });
    let ladders = prop::collection::vec(prop::collection::vec(rung, 0..4), 1..3);
    (ladders, any::<[bool; 4]>(), 0_u8..2, any::<u16>())
        .prop_map(|(ladders, flags, generation, salt)| adoption(&ladders, flags, generation, salt))
}

fn adoption(ladders: &[Vec<Rung>], [centred, fallback, portable, mailboxes]: [bool; 4], generation: u8, salt: u16) -> Adoption {
    let mut directory = Directory::default();
    let ladder_id = |index: usize| LadderId::parse(&format!("ladder-{index}")).unwrap();
    for (index, rungs) in ladders.iter().enumerate() {
        directory.ladders.insert(ladder_id(index), Arc::new(Ladder { id: ladder_id(index), rungs: rungs.clone() }));
    }
    let steps = |required: [bool; 2]| required.map(|required| Step { required }).to_vec();
    let (id, responder, centre) = (PlanId::parse("duress").unwrap(), steps([centred, false]), steps([false, portable]));
    directory.plans.insert(id.clone(), Arc::new(Plan { id, version: 1, responder, centre }));
    let hook = Some(CarrierName::parse("hook").unwrap());
    directory.centres.insert(CentreId::parse("hooked").unwrap(), Centre { webhook: hook });
    directory.centres.insert(CentreId::parse("desk").unwrap(), Centre { webhook: None });
    for (index, (customer, prefix)) in [("one", "ONE"), ("two", "TWO")].into_iter().enumerate() {
        let centre = centred.then(|| CentreId::parse(if index == 0 { "hooked" } else { "desk" }).unwrap());
        let customer = CustomerId::parse(customer).unwrap();
        directory
            .customers
            .insert(customer.clone(), Customer { prefix: prefix.parse().unwrap(), ladder: Some(ladder_id(0)), centre, technical: None });
        // The second site's ladder exists in some directories only.
        let site = Site {
            customer,
            ladder: ladder_id(index),
            eta_limit_s: Seconds(900),
            feedback: true,
            close_guard: escalation::directory::CloseGuard::AfterCancel,
            plan: (index == 0).then(|| PlanId::parse("duress").unwrap()),
            clock: Some(Arc::new(WallClock { zone: Zone::named("Australia/Perth").unwrap(), calendar: None })),
        };
        directory.sites.insert(SiteId::parse(if index == 0 { "library" } else { "depot" }).unwrap(), site);
    }
    let mounting = if portable { Mounting::Portable } else { Mounting::Fixed };
    for device in ["library/a", "library/b", "depot/c"] {
        directory.devices.insert(device.parse().unwrap(), Device { ladder: None, mounting, kind: Kind::Duress, supervision: None });
    }
    directory.fallback = fallback.then(|| Fallback { customer: CustomerId::parse("two").unwrap(), ladder: ladder_id(1) });
    let people = (1..=PEOPLE).map(|n| {
        let mut contacts = BTreeMap::from([(Medium::Sms, key(n, Medium::Sms, generation))]);
        if mailboxes {
            contacts.insert(Medium::Email, key(n, Medium::Email, generation));
        }
        PersonChange {
            id: PersonId::new(n),
            person: Person { version: u32::from(generation) + 1, contacts, based_at: None, customer: None },
            reference: "r".to_owned().into(),
            name: "n".to_owned().into(),
            mobile: None,
            email: None,
        }
    });
    let digest = digest_of(&format!("{salt}"));
    Adoption { digest, directory, people: people.collect(), gone: Vec::new(), places: "{}".to_owned().into(), zones: "z".to_owned() }
}

fn happenings() -> impl Strategy<Value = Happening> {
    let signals = (0_usize..6, verbs(), prop::option::of(0_u8..4), any::<[bool; 4]>(), prop::option::of(0_u32..100_000)).prop_map(
        |(device, verb, id, [retained, dup, client, rare], age_s)| Happening::Signal {
            device,
            verb,
            id,
            retained: retained && rare,
            dup,
            age_s,
            client,
        },
    );
    prop_oneof![
        6 => signals,
        1 => (0_usize..6, 0_u8..3).prop_map(|(device, key)| Happening::Raised { device, key }),
        6 => (1..=PEOPLE, 0_u8..8, any::<bool>(), 0_u8..40, prop::bool::weighted(0.1))
            .prop_map(|(person, reply, right, repeat, early)| Happening::Text { person, reply, right, repeat, early }),
        2 => (1..=PEOPLE, any::<prop::sample::Index>(), 0_u8..14, any::<bool>())
            .prop_map(|(person, act, reply, gesture)| Happening::Page { person, act: act.index(16), reply, gesture }),
        8 => (any::<prop::sample::Index>(), 0_u32..20, 0_u8..6, any::<bool>())
            .prop_map(|(act, number, report, text)| Happening::Report { act: act.index(16), number, report, text }),
        5 => (any::<prop::sample::Index>(), 0_u8..3, 0_u8..20, 0_u32..4_000)
            .prop_map(|(act, by, what, eta)| Happening::Command { act: act.index(16), by, what, eta }),
        1 => (0_u8..3, 0_u32..62).prop_map(|(place, minutes)| Happening::Drill { place, minutes }),
        2 => any::<bool>().prop_map(|taken| Happening::Seat { taken }),
        1 => directories().prop_map(|adoption| Happening::Directory(Box::new(adoption))),
        4 => (0_u32..200_000).prop_map(|ms| Happening::Wait { ms }),
        8 => any::<bool>().prop_map(|before| Happening::ToDeadline { before }),
        1 => Just(Happening::Lost),
        1 => Just(Happening::Found),
        1 => (0_u32..4_000).prop_map(|s| Happening::Away { s }),
        1 => Just(Happening::Stepped),
        1 => any::<bool>().prop_map(|on| Happening::Trouble { on }),
    ]
}

/// What the outbox must be: queued, and not yet reported or archived.
#[derive(Default)]
struct Owed(BTreeSet<DispatchId>);

impl Owed {
    fn follow(&mut self, events: &[Event]) {
        for event in events {
            if let Event::DispatchQueued { act, dispatch, .. } = event {
                assert!(self.0.insert(DispatchId { activation: act.clone(), number: *dispatch }), "a number was given twice");
            }
            if let Event::DispatchReported { act, dispatch, .. } = event {
                self.0.remove(&DispatchId { activation: act.clone(), number: *dispatch });
            }
            if let Event::Archived { act } = event {
                self.0.retain(|id| id.activation != *act);
            }
        }
    }
}

struct World {
    floor: Floor,
    owed: Owed,
    references: u32,
}

impl World {
    fn happen(&mut self, happening: &Happening) {
        match happening {
            Happening::Wait { ms } => self.walk(SignedDuration::from_millis(i64::from(*ms))),
            Happening::ToDeadline { before } => {
                let Some(deadline) = self.floor.engine.next_deadline() else { return };
                let slip = SignedDuration::from_micros(if *before { -1 } else { 0 });
                let target = (deadline.at + slip).max(self.floor.now).min(self.floor.now + SignedDuration::from_hours(1));
                self.walk(target.duration_since(self.floor.now));
            }
            Happening::Away { s } => {
                let last_entry_at = Some(self.floor.now);
                self.floor.now += SignedDuration::from_secs(i64::from(*s));
                let started = Started {
                    node: "a".to_owned(),
                    version: "v".to_owned(),
                    zones: "z".to_owned(),
                    key: Some(if s % 5 == 0 { "0badc0de" } else { "c0ffee00" }.parse().unwrap()),
                    last_entry_at,
                    given: Vec::new(),
                };
                self.take(Input::Started(started));
                self.settle();
            }
            Happening::Signal { .. }
            | Happening::Raised { .. }
            | Happening::Text { .. }
            | Happening::Page { .. }
            | Happening::Report { .. }
            | Happening::Command { .. }
            | Happening::Directory(_)
            | Happening::Drill { .. }
            | Happening::Seat { .. }
            | Happening::Lost
            | Happening::Found
            | Happening::Stepped
            | Happening::Trouble { .. } => {
                if let Some(input) = self.input(happening) {
                    self.take(input);
                }
            }
        }
    }

    fn input(&mut self, happening: &Happening) -> Option<Input> {
        let devices = ["library/a", "library/b", "depot/c", "library/stranger", "elsewhere/x", "depot/y"];
        Some(match happening {
            Happening::Signal { device, verb, id, retained, dup, age_s, client } => {
                let mut signal = signal(devices.get(*device)?, verb.clone());
                signal.id = id.map(|id| format!("id-{id}"));
                signal.origin.retained = *retained;
                signal.origin.dup = *dup;
                signal.origin.client = client.then(|| "gateway".to_owned());
                signal.evidence.payload_sha256 = Some(digest_of(&format!("{id:?}")));
                signal.clock = DeviceClock::Proven;
                signal.sequence = age_s.map(u64::from);
                signal.pressed_at = age_s.map(|s| self.floor.now - SignedDuration::from_secs(i64::from(s)));
                Input::Signal(signal)
            }
            Happening::Raised { device, key } => {
                let by = Attribution { idempotency: Some(digest_of(&key.to_string())), ..operator("app") };
                Input::Raised { signal: signal(devices.get(*device)?, Verb::Press { kind: None, style: None }), by }
            }
            Happening::Text { person, reply, right, repeat, early } => {
                let contact = key(*person, Medium::Sms, 0);
                let held: Vec<Code> = self.floor.engine.activations().filter_map(|a| a.codes.get(&contact).copied()).collect();
                let code =
                    if *right { held.get(usize::from(*repeat) % held.len().max(1)).copied() } else { Code::new(10 + u16::from(*repeat)) };
                // Some messages are the same as an earlier one.
                self.references += u32::from(*repeat > 3);
                let sent_at = early.then(|| self.floor.now - SignedDuration::from_secs(60));
                let provider_ref = Some(format!("SM{}", self.references));
                Input::Answer(Answer { from: Sender::Contact(contact), reply: reply_of(*reply, code), text: None, provider_ref, sent_at })
            }
            Happening::Page { person, act, reply, gesture } => {
                let from = Sender::Link {
                    activation: self.act(*act)?,
                    contact: key(*person, Medium::Sms, 0),
                    person: PersonId::new(*person),
                    gesture: if *gesture { Gesture::Shown } else { Gesture::Missing },
                };
                Input::Answer(Answer { from, reply: reply_of(*reply, None), text: None, provider_ref: None, sent_at: None })
            }
            Happening::Report { act, number, report, text } => Input::DeliveryReported(DeliveryReport {
                dispatch: DispatchId { activation: self.act(*act)?, number: *number },
                report: report_of(*report),
                provider: None,
                provider_ref: None,
                text: text.then(|| "words".to_owned().into()),
                template: None,
                possible_duplicate: false,
                tries: 1,
            }),
            Happening::Command { act, by, what, eta } => {
                let person = (*by == 2).then(|| PersonId::new(eta % (PEOPLE + 1) + 1));
                let by = Attribution { person, ..operator(if *by == 0 { "westside" } else { "eastside" }) };
                Input::Command(Command {
                    activation: self.act(*act)?,
                    by,
                    seen: None,
                    at_the_place: eta % 2 == 1,
                    act: act_of(*what, *eta),
                })
            }
            Happening::Drill { place, minutes } => {
                let site = SiteId::parse(if *place == 2 { "depot" } else { "library" }).unwrap();
                let device = (*place == 0).then(|| "library/a".parse().unwrap());
                let span = Seconds(minutes * 60);
                Input::DrillWanted(DrillWanted { site, device, span, note: None, by: operator("westside") })
            }
            Happening::Seat { taken: true } => {
                Input::DeskArmed(DeskArmed { centre: CentreId::parse("desk").unwrap(), by: operator("westside") })
            }
            Happening::Seat { taken: false } => Input::DeskUnarmed(DeskUnarmed { centre: CentreId::parse("desk").unwrap(), by: None }),
            Happening::Directory(adoption) => Input::DirectoryOffered(adoption.clone()),
            Happening::Lost => Input::RecordLost { spooled: true },
            Happening::Found => Input::RecordFound,
            Happening::Stepped => Input::ClockStepped { by_us: -5_000_000 },
            Happening::Trouble { on: true } => Input::TroubleNoticed(Cause::BrokerAway),
            Happening::Trouble { on: false } => Input::TroubleCleared(Cause::BrokerAway),
            Happening::Wait { .. } | Happening::ToDeadline { .. } | Happening::Away { .. } => return None,
        })
    }

    fn act(&self, index: usize) -> Option<ActivationId> {
        let acts: Vec<_> = self.floor.engine.activations().map(|a| a.id.clone()).collect();
        acts.get(index % acts.len().max(1)).cloned()
    }

    fn take(&mut self, input: Input) {
        let is_press = if let Input::Signal(signal) = &input {
            matches!(signal.verb, Verb::Press { .. } | Verb::Unreadable { .. }) && !signal.origin.retained
        } else {
            false
        };
        // A refusal changes nothing, and is for callers only.
        let caller = matches!(input, Input::Command(_) | Input::DrillWanted(_) | Input::DeskArmed(_));
        match self.floor.take(input) {
            Ok(events) => {
                let recorded = events.iter().filter(|e| matches!(e, Event::Raised(_) | Event::PressedAgain { .. })).count();
                assert!(!is_press || recorded == 1, "i7: a press must be in the record once: {events:#?}");
                self.owed.follow(&events);
            }
            Err(refused) => assert!(caller, "{refused} told to nobody"),
        }
        self.hold();
    }

    fn walk(&mut self, span: SignedDuration) {
        let target = self.floor.now + span;
        for _ in 0..PATIENCE {
            match self.floor.engine.next_deadline() {
                Some(deadline) if deadline.at <= target => {
                    self.floor.now = self.floor.now.max(deadline.at);
                    self.take(Input::Tick);
                }
                Some(_) | None => break,
            }
        }
        self.floor.now = target;
        self.settle();
    }

    /// Everything due at this instant is handled within bounded ticks, and then a tick decides nothing.
    fn settle(&mut self) {
        for _ in 0..PATIENCE {
            if self.floor.engine.next_deadline().is_none_or(|d| d.at > self.floor.now) {
                assert_eq!(self.floor.take(Input::Tick), Ok(Vec::new()), "nothing is due");
                return;
            }
            self.take(Input::Tick);
        }
        panic!("still due after {PATIENCE} ticks: {:?}", self.floor.engine.next_deadline());
    }

    fn hold(&self) {
        let engine = &self.floor.engine;
        let earliest = engine.activations().filter_map(Activation::next_due).map(|(at, _)| at).min();
        assert_eq!(engine.next_deadline().map(|d| d.at), earliest, "the next deadline is the earliest of all");
        for act in engine.activations().filter(|a| a.is_open()) {
            assert!(act.next_due().is_some(), "i3: {} is open and waits for nothing", act.id);
            let lapses_at = act.claim.as_ref().map(|claim| claim.lapses_at);
            let held = act.hold.as_deref().map(|hold| hold.until);
            assert!(held.is_none_or(|until| until <= self.floor.now + SignedDuration::from_secs(300)), "a hold is short: {held:?}");
            assert!(held <= lapses_at, "a hold is an owner's: {held:?} and {lapses_at:?}");
            assert!(act.offer.is_none() || lapses_at.is_some(), "and so is an offer");
            hold_together(act);
            let unfollowed = act.followed.as_ref().is_some_and(|followed| !followed.left().is_empty());
            assert!(act.is_open() || !unfollowed, "{} is closed with steps of its plan left", act.id);
        }
        assert_eq!(engine.open_count(), engine.activations().filter(|a| a.is_open()).count());
        let owed: BTreeSet<_> = engine.outbox().map(|(id, _)| id.clone()).collect();
        assert_eq!(owed, self.owed.0, "the outbox is what was queued less what was reported");
    }
}

/// Nobody counts twice, nobody holds a ladder alone that asks for more, and whoever counts there does so until a time that is kept.
fn hold_together(act: &Activation) {
    let going: Vec<_> = act.committed().filter(|promise| promise.by.commitment == Commitment::Going && !promise.by.far).collect();
    let is_one_of_two = |(n, one): (usize, &&Promise)| going.iter().skip(n + 1).any(|other| other.by.is_same(&one.by));
    assert!(!going.iter().enumerate().any(is_one_of_two), "nobody counts twice: {going:?}");
    let known: BTreeSet<_> = going.iter().filter_map(|promise| promise.by.person.map(|by| by.person)).collect();
    let certain = if known.is_empty() { going.len().min(1) } else { known.len() };
    assert_eq!(act.going(), certain, "whoever has no name in the directory may be one who has: {going:?}");
    let waits = matches!(act.stage(), Stage::Committed(_));
    assert!(!waits || act.need <= 1 || certain >= usize::from(act.need), "{certain} of {} hold {}", act.need, act.id);
    let (next, _) = act.next_due().unwrap();
    for promise in act.committed().filter(|_| act.need > 1) {
        let until = believed_until(act, promise);
        assert!(next <= until, "{} would believe {promise:?} beyond {until}", act.id);
    }
}

/// Until when somebody's commitment is believed: as they said, until their answer is due, or, where they are there, by their own check.
fn believed_until(act: &Activation, promise: &Promise) -> Timestamp {
    let there = act.arrivals.iter().find(|arrival| arrival.by.is_same(&promise.by));
    match there.map(|arrival| (arrival.check, arrival)) {
        Some((Check::Heard, arrival)) => arrival.ask_at,
        Some((Check::Asked | Check::Silent, arrival)) => arrival.silent_at,
        Some((Check::Over, _)) | None => promise.grace_until.unwrap_or(promise.arrive_by),
    }
}

fn reply_of(index: u8, code: Option<Code>) -> Reply {
    match index {
        0 | 1 => Reply::Going { code },
        2 => Reply::Helping { code },
        3 => Reply::Cannot { code },
        4 => Reply::BareYes,
        5 => Reply::Stop,
        6 => Reply::Start,
        7 => Reply::NotAnAnswer,
        8 => Reply::Arrived,
        9 => Reply::InNeed,
        10 => Reply::PoliceNeeded,
        11 => Reply::PoliceRung,
        12 | 13 => Reply::StepDone { number: u16::from(index) - 11 },
        _other => Reply::NotAnAnswer,
    }
}

fn report_of(index: u8) -> Report {
    match index {
        0 => Report::AcceptedReceiptDue,
        1 => Report::Accepted,
        2 => Report::Delivered,
        3 => Report::Undelivered { code: "30003".to_owned() },
        4 => Report::Failed(Failure::NoCarrier),
        _other => Report::Failed(Failure::Unavailable),
    }
}

fn act_of(index: u8, eta: u32) -> Act {
    match index {
        0 | 1 => Act::Claim,
        2 => Act::Accept { commitment: Commitment::Going, eta_s: Some(Seconds(eta)) },
        3 => Act::Accept { commitment: Commitment::Verifying, eta_s: None },
        4 => Act::Decline,
        5 => Act::Escalate { to: EscalateTo::Next },
        6 => Act::Escalate { to: EscalateTo::Rung(RungIndex(u16::try_from(eta % 4).unwrap_or(0))) },
        7 => Act::Escalate { to: EscalateTo::All },
        8 => Act::Note { text: "words".to_owned().into() },
        9 => Act::Arrived,
        10 => Act::Hold { span: Seconds(eta % 400), reason: "words".to_owned().into() },
        11 => {
            let person = Some(PersonId::new(eta % (PEOPLE + 1) + 1));
            Act::HandOver { to: Successor { name: "name".to_owned().into(), key: None, person } }
        }
        12 | 13 => Act::Reopen { reason: "words".to_owned().into() },
        14 => {
            let words = [None, Some(Word::Safe), Some(Word::Duress), Some(Word::Wrong)];
            Act::Safe { word: words[usize::try_from(eta % 4).unwrap_or(0)].map(Entered::Judged) }
        }
        15 | 16 => {
            let part = if eta.is_multiple_of(2) { Part::Responder } else { Part::Centre };
            let number = u16::try_from(eta / 2 % 4).unwrap_or(0);
            Act::TakeStep { step: StepId { part, number }, skipped: (index == 16).then(|| "words".to_owned().into()) }
        }
        _other => Act::Close { disposition: Disposition::Attended, note: None },
    }
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    #[test]
    fn whatever_happens_the_promises_hold(
        first in prop::option::weighted(0.95, directories()),
        happenings in prop::collection::vec(happenings(), 1..80),
    ) {
        let mut world = World { floor: Floor::bare(), owed: Owed::default(), references: 0 };
        if let Some(adoption) = first {
            world.take(Input::DirectoryOffered(Box::new(adoption)));
        }
        for happening in &happenings {
            world.happen(happening);
        }
    }
}
