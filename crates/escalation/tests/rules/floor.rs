//! The floor: an engine, the people around it, and a clock.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use escalation::acknowledgement::{Answer, Code, Gesture, Reply, Sender};
use escalation::activation::{Activation, Stage};
use escalation::directory::draft::Draft;
use escalation::directory::finding::Severity;
use escalation::directory::{Adoption, Person, PersonChange};
use escalation::dispatch::{DeliveryReport, Dispatch, Purpose, Recipient, Report};
use escalation::engine::Engine;
use escalation::event::{Event, Successor};
use escalation::id::{ActivationId, CentreId, ContactKey, DeviceId, Digest, DispatchId, PersonId, RosterId, SiteId};
use escalation::input::{
    Act, Attribution, Command, DeskArmed, DeskUnarmed, DrillWanted, InServiceWanted, Input, Moment, OutOfServiceWanted, StandInOver,
    StandInWanted, Started, TestOver, TestWanted,
};
use escalation::ladder::Medium;
use escalation::out_of_service::Defect;
use escalation::private::Private;
use escalation::rejection::Rejection;
use escalation::signal::{Evidence, Origin, Signal, Verb, Via};
use escalation::time::{Seconds, SignedDuration, Timestamp};

use crate::timeline::line;

/// Ticks after which a clock that is walked forward must have arrived.
const PATIENCE: usize = 100_000;

/// A floor of people, buttons and phones around one engine.
pub(crate) struct Floor {
    pub(crate) engine: Engine,
    /// The same record, replayed through JSON as it grows.
    shadow: Engine,
    pub(crate) now: Timestamp,
    pub(crate) began: Timestamp,
    people: BTreeMap<String, PersonId>,
    /// Messages that no line of the story has expected yet.
    unexpected: VecDeque<Dispatch>,
    /// The latest code each phone was given, and the latest message to each address.
    codes: BTreeMap<ContactKey, Code>,
    latest: BTreeMap<(String, Medium), DispatchId>,
    /// Of which activation the story speaks: the latest raised or joined.
    pub(crate) subject: Option<ActivationId>,
    pub(crate) timeline: Vec<String>,
    pub(crate) events: Vec<(Timestamp, Event)>,
    messages: u32,
}

/// A message that was expected and came.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) id: DispatchId,
    pub(crate) purpose: Purpose,
    pub(crate) code: Option<Code>,
}

impl Floor {
    /// Adopts a directory file. A file with errors is a mistake of the story.
    pub(crate) fn new(toml: &str) -> Self {
        let mut floor = Self::bare();
        floor.adopt(toml);
        floor
    }

    /// No directory at all.
    pub(crate) fn bare() -> Self {
        let began: Timestamp = "2026-04-13T06:03:00Z".parse().unwrap();
        Self {
            engine: Engine::default(),
            shadow: Engine::default(),
            now: began,
            began,
            people: BTreeMap::new(),
            unexpected: VecDeque::new(),
            codes: BTreeMap::new(),
            latest: BTreeMap::new(),
            subject: None,
            timeline: Vec::new(),
            events: Vec::new(),
            messages: 0,
        }
    }

    /// Offers a directory file, as a reload would.
    pub(crate) fn adopt(&mut self, toml: &str) {
        let parsed = Draft::parse("directory.toml", toml);
        let errors: Vec<String> = parsed.findings.iter().filter(|f| f.severity == Severity::Error).map(ToString::to_string).collect();
        let draft = parsed.draft.unwrap_or_else(|| panic!("the story's directory does not hold:\n{}", errors.join("\n")));
        let people = RefCell::new(std::mem::take(&mut self.people));
        let resolved = draft.resolve(
            &mut |person| {
                let mut people = people.borrow_mut();
                let next = PersonId::new(u32::try_from(people.len()).unwrap() + 1);
                *people.entry(person.id.to_string()).or_insert(next)
            },
            &|_, address| key_of(address),
        );
        self.people = people.into_inner();
        let changes = resolved.people.iter().filter_map(|p| {
            let before = self.engine.person(p.id);
            let version = before.map_or(1, |b| b.version + u32::from(b.contacts != p.contacts));
            let person = Person { version, contacts: p.contacts.clone(), based_at: p.based_at.clone(), customer: p.customer.clone() };
            (before != Some(&person)).then(|| PersonChange {
                id: p.id,
                person,
                reference: p.reference.to_string().into(),
                name: p.name.clone().into(),
                mobile: p.mobile.clone().map(Into::into),
                email: p.email.clone().map(Into::into),
            })
        });
        let adoption = Adoption {
            digest: digest_of(toml),
            directory: resolved.directory.clone(),
            people: changes.collect(),
            gone: self.people.values().copied().filter(|id| !resolved.people.iter().any(|person| person.id == *id)).collect(),
            places: "{}".to_owned().into(),
            zones: "2025b".to_owned(),
        };
        self.take(Input::DirectoryOffered(Box::new(adoption))).unwrap();
    }

    /// One input: decided, sealed, applied, replayed, and its messages laid out for the story to expect.
    pub(crate) fn take(&mut self, input: Input) -> Result<Vec<Event>, Rejection> {
        let decided = self.engine.decide(self.now, &input)?;
        assert_eq!(self.engine.decide(self.now, &input).as_ref(), Ok(&decided), "deciding twice gives the same");
        let mut sealed = Vec::new();
        for mut event in decided {
            event.seal_with(&mut |field| {
                let digest = digest_of(field.text.open().unwrap_or_default());
                *field.text = Private::Sealed(digest);
            });
            let json = serde_json::to_string(&event).unwrap();
            let again: Event = serde_json::from_str(&json).unwrap_or_else(|e| panic!("{e} in {json}"));
            assert_eq!(again, event, "an event reads back as it was written");
            self.engine.apply(self.now, &event);
            self.shadow.apply(self.now, &again);
            self.note(&event);
            sealed.push(event);
        }
        assert!(self.engine == self.shadow, "replay differs from live after {input:?}");
        assert_eq!(self.engine.faults(), 0, "an event made no sense: {sealed:#?}");
        Ok(sealed)
    }

    fn note(&mut self, event: &Event) {
        if let Event::Raised(raised) = event {
            self.subject = Some(raised.act.clone());
        }
        if let Event::PressedAgain { act, .. } = event {
            self.subject = Some(act.clone());
        }
        if let Event::DispatchQueued { act, dispatch, to, medium, code, .. } = event {
            let id = DispatchId { activation: act.clone(), number: *dispatch };
            self.latest.insert((self.name_of(to), *medium), id.clone());
            if let (Some(code), Some(contact)) = (code, to.contact()) {
                self.codes.insert(contact, *code);
            }
            self.unexpected.push_back(self.engine.owed(&id).cloned().unwrap());
        }
        if let Some(words) = line(self, event) {
            self.timeline.push(format!("{:<9} {words}", self.stamp(self.now)));
        }
        self.events.push((self.now, event.clone()));
    }

    /// Seconds since the story began.
    pub(crate) fn stamp(&self, at: Timestamp) -> String {
        let ms = at.duration_since(self.began).as_millis();
        let (s, ms) = (ms / 1_000, ms % 1_000);
        if ms == 0 { format!("{s}s") } else { format!("{s}.{ms:03}s") }
    }

    pub(crate) fn name_of(&self, to: &Recipient) -> String {
        match to {
            Recipient::Person { person, .. } => self.person_name(person.person),
            Recipient::Centre { centre, .. } => centre.to_string(),
            Recipient::Stranger { .. } => "stranger".to_owned(),
        }
    }

    pub(crate) fn person_name(&self, id: PersonId) -> String {
        self.people.iter().find(|(_, known)| **known == id).map_or_else(|| id.to_string(), |(name, _)| name.clone())
    }

    /// Somebody of the directory, where anybody is called so.
    pub(crate) fn person_called(&self, name: &str) -> Option<PersonId> {
        self.people.get(name).copied()
    }

    pub(crate) fn person(&self, name: &str) -> PersonId {
        *self.people.get(name).unwrap_or_else(|| panic!("nobody is called {name}"))
    }

    fn contact(&self, name: &str, medium: Medium) -> ContactKey {
        match self.people.get(name) {
            Some(id) => *self.engine.person(*id).unwrap().contacts.get(&medium).unwrap_or_else(|| panic!("{name} has no {medium:?}")),
            None => key_of(name),
        }
    }

    pub(crate) fn subject(&self) -> &Activation {
        let id = self.subject.as_ref().expect("nothing was raised yet");
        self.engine.activation(id).unwrap_or_else(|| panic!("{id} has left memory"))
    }

    pub(crate) fn stage(&self) -> Stage {
        self.subject().stage()
    }

    // --- Devices ---

    /// A plain press. `device` is `site/device`.
    pub(crate) fn press(&mut self, device: &str) -> ActivationId {
        self.send(signal(device, Verb::Press { kind: None, style: None }))
    }

    /// Any signal that raises or joins; gives the activation.
    pub(crate) fn send(&mut self, signal: Signal) -> ActivationId {
        let events = self.take(Input::Signal(signal)).unwrap();
        events.iter().find_map(Event::activation).cloned().unwrap_or_else(|| panic!("nothing was raised or joined: {events:?}"))
    }

    /// Any signal; gives what was recorded.
    pub(crate) fn hear(&mut self, signal: Signal) -> Vec<Event> {
        self.take(Input::Signal(signal)).unwrap()
    }

    // --- People ---

    /// The next message that nobody expected yet must be this one.
    pub(crate) fn expect(&mut self, who: &str, medium: Medium, purpose: Purpose) -> Message {
        let found = self.unexpected.iter().position(|d| self.name_of(&d.to) == who && d.medium == medium && d.purpose == purpose);
        let Some(dispatch) = found.and_then(|index| self.unexpected.remove(index)) else {
            panic!("expected {} to {who} for {purpose:?}, but there is\n{}", medium.as_str(), self.loose_ends());
        };
        Message { id: dispatch.id, purpose: dispatch.purpose, code: dispatch.code }
    }

    /// A call for help by text.
    pub(crate) fn expect_sms(&mut self, who: &str) -> Message {
        self.expect_alarm(who, Medium::Sms)
    }

    /// A call for help by mail.
    pub(crate) fn expect_email(&mut self, who: &str) -> Message {
        self.expect_alarm(who, Medium::Email)
    }

    /// A call for help to a centre.
    pub(crate) fn expect_webhook(&mut self, who: &str) -> Message {
        self.expect_alarm(who, Medium::Webhook)
    }

    fn expect_alarm(&mut self, who: &str, medium: Medium) -> Message {
        let found = self.unexpected.iter().find(|d| self.name_of(&d.to) == who && d.medium == medium && d.purpose.is_alarm());
        let purpose = found.map_or(Purpose::Alarm, |d| d.purpose);
        self.expect(who, medium, purpose)
    }

    /// Drops what was sent so far; for stories that are about what follows.
    pub(crate) fn skip_messages(&mut self) {
        self.unexpected.clear();
    }

    /// Nothing may have been sent that no line expected, and nothing open may be without a next deadline (I3).
    pub(crate) fn expect_nothing_silent(&self) {
        assert!(self.unexpected.is_empty(), "nobody expected\n{}", self.loose_ends());
        for act in self.engine.activations().filter(|a| a.is_open()) {
            assert!(act.next_due().is_some(), "i3: {} is open and waits for nothing", act.id);
        }
    }

    fn loose_ends(&self) -> String {
        let lines =
            self.unexpected.iter().map(|d| format!("  {} to {} for {:?} ({})", d.medium.as_str(), self.name_of(&d.to), d.purpose, d.id));
        let lines: Vec<String> = lines.collect();
        if lines.is_empty() { "  no message".to_owned() } else { lines.join("\n") }
    }

    /// A text from somebody's phone; `{code}` stands for the latest code that phone was given. An unknown name is a strange number.
    pub(crate) fn reply(&mut self, who: &str, text: &str) -> Vec<Event> {
        self.messages += 1;
        let provider_ref = format!("SM{}", self.messages);
        self.reply_as(who, text, Some(provider_ref), None)
    }

    /// The same with the provider's id and time of its own choosing.
    pub(crate) fn reply_as(&mut self, who: &str, text: &str, provider_ref: Option<String>, sent_at: Option<Timestamp>) -> Vec<Event> {
        let contact = self.contact(who, Medium::Sms);
        let code = self.codes.get(&contact).map_or_else(|| "99".to_owned(), ToString::to_string);
        let text = text.replace("{code}", &code);
        let answer = Answer { from: Sender::Contact(contact), reply: Reply::parse(&text), text: Some(text.into()), provider_ref, sent_at };
        self.take(Input::Answer(answer)).unwrap()
    }

    /// A digit in a call to somebody, as the carrier understands it.
    pub(crate) fn dial(&mut self, who: &str, reply: Reply) -> Vec<Event> {
        self.messages += 1;
        let from = Sender::Called { activation: self.subject.clone().unwrap(), contact: self.contact(who, Medium::Sms) };
        let provider_ref = Some(format!("CA{}", self.messages));
        self.take(Input::Answer(Answer { from, reply, text: None, provider_ref, sent_at: None })).unwrap()
    }

    /// A button on somebody's page.
    pub(crate) fn tap(&mut self, who: &str, reply: Reply, gesture: Gesture) -> Vec<Event> {
        let from = Sender::Link {
            activation: self.subject.clone().unwrap(),
            contact: self.contact(who, Medium::Sms),
            person: self.person(who),
            gesture,
        };
        self.take(Input::Answer(Answer { from, reply, text: None, provider_ref: None, sent_at: None })).unwrap()
    }

    // --- Carriers ---

    pub(crate) fn report(&mut self, message: &Message, report: Report) -> Vec<Event> {
        self.report_on(&message.id, report)
    }

    pub(crate) fn report_on(&mut self, id: &DispatchId, report: Report) -> Vec<Event> {
        let first = self.engine.owed(id).is_some();
        let report = DeliveryReport {
            dispatch: id.clone(),
            report,
            provider: Some(escalation::id::CarrierName::parse("first").unwrap()),
            provider_ref: Some(format!("SM-{id}")),
            text: first.then(|| "words".to_owned().into()),
            template: first.then(|| "alarm.sms@3f2a91c0".to_owned()),
            possible_duplicate: false,
            tries: 1,
        };
        self.take(Input::DeliveryReported(report)).unwrap()
    }

    /// The latest message to somebody by one channel.
    pub(crate) fn latest(&self, who: &str, medium: Medium) -> DispatchId {
        self.latest.get(&(who.to_owned(), medium)).cloned().unwrap_or_else(|| panic!("no {} went to {who}", medium.as_str()))
    }

    pub(crate) fn deliver(&mut self, message: &Message) {
        self.report(message, Report::AcceptedReceiptDue);
        self.report(message, Report::Delivered);
    }

    // --- The desk ---

    pub(crate) fn command(&mut self, by: Attribution, act: Act) -> Result<Vec<Event>, Rejection> {
        let activation = self.subject.clone().unwrap();
        self.take(Input::Command(Command { activation, by, seen: None, at_the_place: false, act }))
    }

    /// The same by a key that is used where the button is.
    pub(crate) fn command_at_the_place(&mut self, by: Attribution, act: Act) -> Result<Vec<Event>, Rejection> {
        let activation = self.subject.clone().unwrap();
        self.take(Input::Command(Command { activation, by, seen: None, at_the_place: true, act }))
    }

    /// Puts buttons on test for somebody, for so many minutes.
    pub(crate) fn test(&mut self, devices: &[&str], tester: &str, minutes: u32) -> Result<Vec<Event>, Rejection> {
        let devices = devices.iter().map(|device| device.parse().unwrap()).collect();
        let tester = Successor { name: tester.to_owned().into(), key: None, person: self.person_called(tester) };
        self.take(Input::TestWanted(TestWanted { devices, tester, span: Seconds(minutes * 60), by: operator("desk") }))
    }

    /// Takes buttons off test.
    pub(crate) fn end_test(&mut self, devices: &[&str]) -> Vec<Event> {
        let devices = devices.iter().map(|device| device.parse().unwrap()).collect();
        self.take(Input::TestOver(TestOver { devices, by: operator("desk") })).unwrap()
    }

    /// Takes buttons out of service for so many minutes; `-` is no other button.
    pub(crate) fn take_out(&mut self, devices: &[&str], keeper: &str, instead: &str, minutes: u32) -> Result<Vec<Event>, Rejection> {
        let devices = devices.iter().map(|device| device.parse().unwrap()).collect();
        let keeper = Successor { name: keeper.to_owned().into(), key: None, person: self.person_called(keeper) };
        let instead = (instead != "-").then(|| instead.parse().unwrap());
        let (why, span, by) = (Defect::Sticks, Seconds(minutes * 60), operator("desk"));
        self.take(Input::OutOfServiceWanted(OutOfServiceWanted { devices, keeper, instead, why, span, by }))
    }

    /// Puts buttons back into service.
    pub(crate) fn put_back(&mut self, devices: &[&str]) -> Vec<Event> {
        let devices = devices.iter().map(|device| device.parse().unwrap()).collect();
        self.take(Input::InServiceWanted(InServiceWanted { devices, by: operator("desk") })).unwrap()
    }

    /// Puts one person in the place of another, from so many hours from now until so many.
    pub(crate) fn stand_in(&mut self, roster: &str, off: &str, on: &str, from: i64, until: i64) -> Result<Vec<Event>, Rejection> {
        let at = |hours: i64| self.now + SignedDuration::from_hours(hours);
        self.stand_in_until(roster, off, on, Some(at(from)), at(until))
    }

    /// The same until an instant, from another on or at once.
    pub(crate) fn stand_in_until(
        &mut self,
        roster: &str,
        off: &str,
        on: &str,
        from: Option<Timestamp>,
        until: Timestamp,
    ) -> Result<Vec<Event>, Rejection> {
        let named = |floor: &Self, name: &str| Successor { name: name.to_owned().into(), key: None, person: floor.person_called(name) };
        self.take(Input::StandInWanted(StandInWanted {
            roster: RosterId::parse(roster).unwrap(),
            off: named(self, off),
            on: named(self, on),
            from: from.map(Moment::Instant),
            until: Moment::Instant(until),
            by: operator("desk"),
        }))
    }

    /// Puts somebody back on duty who was stood in for from then on.
    pub(crate) fn end_stand_in(&mut self, roster: &str, off: &str, from: Timestamp) -> Result<Vec<Event>, Rejection> {
        let off = Successor { name: off.to_owned().into(), key: None, person: self.person_called(off) };
        self.take(Input::StandInOver(StandInOver {
            roster: RosterId::parse(roster).unwrap(),
            off,
            from,
            of_others: true,
            by: operator("desk"),
        }))
    }

    /// Somebody sits down at the desk of a centre.
    pub(crate) fn arm(&mut self, centre: &str) -> Result<Vec<Event>, Rejection> {
        self.take(Input::DeskArmed(DeskArmed { centre: CentreId::parse(centre).unwrap(), by: operator("desk") }))
    }

    /// Nobody said for a while that they are at it.
    pub(crate) fn lapse(&mut self, centre: &str) -> Vec<Event> {
        self.take(Input::DeskUnarmed(DeskUnarmed { centre: CentreId::parse(centre).unwrap(), by: None })).unwrap()
    }

    /// Drills the ladder of a button, `site/device`, or of a whole site, for so many minutes.
    pub(crate) fn drill(&mut self, place: &str, minutes: u32) -> Result<Vec<Event>, Rejection> {
        let (site, device) = match place.parse::<DeviceId>() {
            Ok(device) => (device.site.clone(), Some(device)),
            Err(_) => (SiteId::parse(place).unwrap(), None),
        };
        let note = Some("words".to_owned().into());
        self.take(Input::DrillWanted(DrillWanted { site, device, span: Seconds(minutes * 60), note, by: operator("desk") }))
    }

    /// The watch looks whether a drill of a schedule is due.
    pub(crate) fn look_for_drills(&mut self) -> Vec<Event> {
        self.take(Input::DrillsDue { clock_is_off: false }).unwrap()
    }

    /// Walks the clock and looks for drills every second, as the watch does.
    pub(crate) fn watch(&mut self, span: &str) {
        let target = self.now + duration(span);
        while self.now < target {
            self.forward("1s");
            self.look_for_drills();
        }
    }

    /// Nothing happens for a long time: no deadline and no look.
    pub(crate) fn at(&mut self, at: &str) {
        self.now = at.parse().unwrap();
        self.forward("0s");
    }

    // --- Time ---

    /// Walks the clock from deadline to deadline: `30s`, `2m`, `1h`, `500ms`.
    pub(crate) fn forward(&mut self, span: &str) {
        let target = self.now + duration(span);
        for _ in 0..PATIENCE {
            match self.engine.next_deadline() {
                Some(deadline) if deadline.at <= target => {
                    self.now = self.now.max(deadline.at);
                    let events = self.take(Input::Tick).unwrap();
                    assert!(!events.is_empty(), "a deadline was due and nothing came of it: {deadline:?}");
                }
                Some(_) | None => {
                    assert_eq!(self.take(Input::Tick), Ok(Vec::new()), "a tick with nothing due decides nothing");
                    self.now = target;
                    return;
                }
            }
        }
        panic!("the clock did not arrive within {PATIENCE} ticks");
    }

    /// The service is away for a while: no tick, then a start and everything that is overdue.
    pub(crate) fn away(&mut self, span: &str) {
        let last_entry_at = Some(self.now);
        self.now += duration(span);
        let started = Started {
            node: "a".to_owned(),
            version: "0.1.0".to_owned(),
            zones: "2025b".to_owned(),
            key: None,
            last_entry_at,
            given: Vec::new(),
        };
        self.take(Input::Started(started)).unwrap();
        self.forward("0s");
    }

    /// The events of one kind, by what `pick` takes from them.
    pub(crate) fn count(&self, pick: impl Fn(&Event) -> bool) -> usize {
        self.events.iter().filter(|(_, e)| pick(e)).count()
    }
}

/// Somebody at a desk with a key and no name.
pub(crate) fn operator(principal: &str) -> Attribution {
    Attribution { principal: principal.to_owned(), actor: None, actor_key: None, person: None, idempotency: None }
}

/// A signal from `site/device`, as its session brings it.
pub(crate) fn signal(device: &str, verb: Verb) -> Signal {
    let device: DeviceId = device.parse().unwrap();
    let origin = Origin { via: Via::Session, client: None, qos: 1, retained: false, dup: false, waited_since: None };
    let evidence = Evidence { raw: "dG9waWM= e30=".to_owned().into(), payload_sha256: Some(digest_of("{}")), payload_bytes: 2 };
    Signal::bare(device, verb, origin, evidence)
}

pub(crate) fn press(device: &str) -> Signal {
    signal(device, Verb::Press { kind: None, style: None })
}

pub(crate) fn duration(span: &str) -> SignedDuration {
    let split = span.find(|c: char| !c.is_ascii_digit()).unwrap_or(span.len());
    let (number, unit) = span.split_at(split);
    let number: i64 = number.parse().unwrap_or_else(|_| panic!("{span} is not a span"));
    match unit {
        "ms" => SignedDuration::from_millis(number),
        "s" => SignedDuration::from_secs(number),
        "m" => SignedDuration::from_mins(number),
        "h" => SignedDuration::from_hours(number),
        _other => panic!("{span} is not a span"),
    }
}

/// A digest that tells texts apart; nothing here needs it to be secret.
pub(crate) fn digest_of(text: &str) -> Digest {
    let mut bytes = [0_u8; 32];
    for (lane, chunk) in bytes.chunks_exact_mut(8).enumerate() {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ u64::try_from(lane).unwrap();
        for byte in text.bytes() {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        chunk.copy_from_slice(&hash.to_be_bytes());
    }
    Digest::new(bytes)
}

pub(crate) fn key_of(address: &str) -> ContactKey {
    let digest = digest_of(address);
    ContactKey::new(digest.as_bytes().first_chunk::<16>().copied().unwrap())
}
