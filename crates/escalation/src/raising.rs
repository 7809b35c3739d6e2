//! Signals: what raises an activation, what joins one, and what is only noted.
//!
//! Everything here fails towards alarm. Nothing is discarded: a press is raised or merged, never dropped (I7), and a
//! repeat never resets a timer and never cancels (I8).

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::activation::{Activation, Progress};
use crate::course::Course;
use crate::directory::{Centre, CloseGuard, Mounting, Site, Standing};
use crate::dispatch::Purpose;
use crate::engine::Engine;
use crate::event::{About, Age, DeviceSays, Doer, Entry, Event, HoldEnd, Lapse, Opening, Raised, Repeat, SignalRecord};
use crate::id::{ActivationId, CentreId, ContactKey, CustomerId, DeviceId, LadderId, PersonId, SiteId, Slug};
use crate::ladder::{Ladder, Medium, RungIndex, Who};
use crate::plan::Plan;
use crate::signal::{DeviceClock, Kind, Signal, Verb, Via};
use crate::time::{Seconds, Timestamp, millis_between};
use crate::trouble::Cause;
use crate::word::{Entered, Word};

/// Presses of one device this close together are one gesture (mechanisms, "Directory": merge window 60 s).
const MERGE_WINDOW: Seconds = Seconds(60);
/// How long after closing a broker's mark "sent before" still means the press of that call (ours). The mark speaks of one hop
/// and not of the button: a press whose first copy died with us, or with the link, bears it as well.
const OWED_AGAIN: Seconds = Seconds(600);
/// Presses of unregistered senders, and unreadable messages of one site, join for this long (lifecycle; mechanisms).
const STRANGERS_WINDOW: Seconds = Seconds(600);
/// A press this long after an accept or a hold resumes the climb (lifecycle, "Merge").
const ACCEPT_OUTLIVED: Seconds = Seconds(120);
/// The acceptor is told of repeat presses at most this often.
const PRESSED_AGAIN_EVERY: Seconds = Seconds(60);
/// While a button chatters its presses disturb people no more often than this (lifecycle: notifications are limited, evidence never;
/// the figure is ours: as often as everyone is told again in the end).
const CHATTER_DISTURBS_EVERY: Seconds = Seconds(600);
/// Up to this age a press is live (lifecycle, "Age").
pub(crate) const LIVE_S: u64 = 120;
/// Up to this age it is dispatched in full, marked as delayed.
const DELAYED_S: u64 = 3_600;
/// The same for portable devices, medical and welfare calls.
const DELAYED_LONG_S: u64 = 86_400;
/// Beyond 30 days an age is a broken clock rather than a late press, and counts as unknown.
pub(crate) const BELIEVABLE_S: u64 = 30 * 86_400;
/// Above this ETA the climb goes on beside an accept, where a site is unknown (lifecycle: 15 min).
const ETA_LIMIT: Seconds = Seconds(900);

/// What presses join by.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Joint {
    /// One registered device; support calls, medical ones and duress stay apart so that none hides another.
    Device(DeviceId, Tone),
    /// Unregistered senders behind one client or gateway at one site.
    Strangers(SiteId, Arc<str>, Tone),
    /// One unregistered sender that no client or gateway speaks for: it has only its own name.
    Stranger(DeviceId, Tone),
    /// Unreadable messages of one site.
    Unreadable(SiteId),
    /// A drill: no press joins it, whatever it is of.
    Drill(ActivationId),
    /// A responder to another call: theirs joins nobody's and hides in nobody's.
    Responder(ActivationId, Option<PersonId>, Option<ContactKey>, Tone),
}

/// Whom a call needs: somebody against a threat, somebody for the ill, a word among colleagues.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Tone {
    Red,
    Medical,
    Welfare,
    Amber,
}

impl Joint {
    /// What later presses join an activation by.
    pub(crate) fn of(raised: &Raised, device: &DeviceId) -> Self {
        if raised.drill_until.is_some() {
            return Self::Drill(raised.act.clone());
        }
        if let Some(about) = &raised.about {
            return Self::of_responder(about, Tone::of(raised.kind));
        }
        if raised.signal.unreadable.is_some() {
            return Self::Unreadable(device.site.clone());
        }
        match raised.standing {
            Standing::Registered => Self::Device(device.clone(), Tone::of(raised.kind)),
            Standing::UnknownDevice | Standing::UnknownSite => {
                Self::of_stranger(device, raised.signal.via, raised.signal.client.as_deref(), Tone::of(raised.kind))
            }
        }
    }

    /// Presses of an unregistered sender: by its client or gateway, else by its own name. A key of the API is neither: it raises for
    /// many places.
    pub(crate) fn of_stranger(device: &DeviceId, via: Via, client: Option<&str>, tone: Tone) -> Self {
        match (via, client) {
            (Via::Session | Via::Listener, Some(client)) => Self::Strangers(device.site.clone(), client.into(), tone),
            (Via::Api | Via::Page | Via::Check, _) | (Via::Session | Via::Listener, None) => Self::Stranger(device.clone(), tone),
        }
    }

    fn of_responder(about: &About, tone: Tone) -> Self {
        let person = about.person.map(|p| p.person);
        // A person is one human wherever they answer from.
        Self::Responder(about.of.clone(), person, about.mark.filter(|_| person.is_none()), tone)
    }

    /// A registered device's presses join for as long as its activation is open; those of strangers for a while only.
    fn is_open_ended(&self) -> bool {
        match self {
            Self::Device(..) | Self::Responder(..) | Self::Drill(_) => true,
            Self::Strangers(..) | Self::Stranger(..) | Self::Unreadable(_) => false,
        }
    }
}

impl Tone {
    pub(crate) const ALL: [Self; 4] = [Self::Red, Self::Medical, Self::Welfare, Self::Amber];

    pub(crate) fn of(kind: Kind) -> Self {
        match kind {
            Kind::Duress | Kind::Panic => Self::Red,
            Kind::Medical => Self::Medical,
            Kind::Welfare => Self::Welfare,
            Kind::Assist => Self::Amber,
        }
    }
}

impl Engine {
    pub(crate) fn on_signal(&self, now: Timestamp, signal: &Signal, by: Option<Doer>) -> Vec<Event> {
        match &signal.verb {
            Verb::Press { kind, .. } => self.on_press(now, signal, self.kind_of(&signal.device, *kind), by),
            Verb::Unreadable { .. } => self.on_press(now, signal, self.kind_of(&signal.device, None), by),
            Verb::Cancel(entered) => self.on_cancel(now, signal, entered.as_ref()),
            Verb::Tamper { on } => self.on_tamper(signal, *on),
            Verb::Presence { online } => self.on_presence(signal, *online),
        }
    }

    pub(crate) fn kind_of(&self, device: &DeviceId, said: Option<Kind>) -> Kind {
        said.or_else(|| self.directory().devices.get(device).map(|d| d.kind)).unwrap_or(Kind::Duress)
    }

    fn on_press(&self, now: Timestamp, signal: &Signal, kind: Kind, by: Option<Doer>) -> Vec<Event> {
        if signal.origin.retained && self.has_seen_retained(signal) {
            return Vec::new();
        }
        let asked_before = by.as_ref().and_then(|doer| self.was_done(now, &doer.principal, doer.idempotency?));
        let before = asked_before
            .and_then(|done| self.activation(&done.act))
            .filter(|act| act.device == signal.device)
            .or_else(|| self.pressed_before(now, signal));
        // A reused id never hides one kind of call behind another, nor a new call behind one that is over.
        let same = |act: &&Activation| Tone::of(act.kind) == Tone::of(kind) && !is_counted_anew(now, act, signal);
        if let Some(act) = before.filter(same) {
            return joined(self, now, act, signal, kind, Repeat::Redelivered, by);
        }
        self.join_or_raise(now, signal, kind, by, None)
    }

    /// A press for a responder to another call.
    pub(crate) fn on_press_about(&self, now: Timestamp, signal: &Signal, kind: Kind, by: Option<Doer>, about: About) -> Vec<Event> {
        self.join_or_raise(now, signal, kind, by, Some(about))
    }

    fn join_or_raise(&self, now: Timestamp, signal: &Signal, kind: Kind, by: Option<Doer>, about: Option<About>) -> Vec<Event> {
        let joint = about.as_ref().map_or_else(|| self.joint(signal, kind), |about| Joint::of_responder(about, Tone::of(kind)));
        match self.open_at(&joint) {
            Some(act) if joint.is_open_ended() || now <= STRANGERS_WINDOW.after(act.raised_at) => {
                let how = if now > MERGE_WINDOW.after(act.gesture_at) {
                    Repeat::Again
                } else if signal.origin.dup && act.is_last_payload(signal.evidence.payload_sha256) {
                    // The sender's second try at one message. Later than a gesture, it may as well be a press of its own.
                    Repeat::Redelivered
                } else {
                    Repeat::SameGesture
                };
                joined(self, now, act, signal, kind, how, by)
            }
            Some(_) | None => self.raise(now, signal, kind, by, about),
        }
    }

    fn raise(&self, now: Timestamp, signal: &Signal, kind: Kind, by: Option<Doer>, about: Option<About>) -> Vec<Event> {
        let (customer, ladder, standing) = self.route(&signal.device);
        let age = self.age_of(now, signal, kind);
        let site = self.directory().sites.get(&signal.device.site);
        let twin = match &signal.verb {
            Verb::Cancel(entered) => entered.as_ref().map(Entered::word),
            Verb::Press { .. } | Verb::Tamper { .. } | Verb::Presence { .. } | Verb::Unreadable { .. } => None,
        };
        let says_nothing = about.is_some() || twin.is_some();
        let opening = self.opening_of(now, signal, kind);
        let unasked = by.is_none() && about.is_none();
        let tester = unasked.then(|| self.tester_of(now, signal, age, opening)).flatten().map(|test| test.tester);
        let keeper = (unasked && tester.is_none()).then(|| self.keeper_of(now, signal, kind)).flatten();
        let incident = tester.is_none().then(|| self.incident_at(&customer, &signal.device.site)).flatten();
        let raised = Raised {
            act: self.next_activation_id(&customer),
            ord: self.next_ordinal(&customer),
            cust: customer,
            dev: signal.device.clone(),
            standing,
            kind,
            age,
            opening: match (tester, keeper) {
                (Some(_), _) => Opening::AskTester,
                (None, Some(_)) => Opening::AskKeeper,
                (None, None) => opening,
            },
            ladder: Arc::clone(&ladder),
            directory: self.directory_version(),
            eta_limit_s: site.map_or(ETA_LIMIT, |s| s.eta_limit_s).0,
            centres: self.centres_of(&ladder),
            // The button at the place says nothing of a call that it did not make, or that a twin made.
            guard: guard_of(site, kind),
            feedback: if says_nothing { Some(false) } else { site.map(|s| s.feedback) },
            plan: self.plan_of(site, kind).filter(|_| about.is_none()),
            about,
            tester,
            drill_until: None,
            scheduled: None,
            incident,
            signal: SignalRecord::from(signal),
            by,
        };
        let act = Activation::raise(now, &raised, raised.dev.clone(), ladder, self.directory());
        let mut course =
            Course { engine: self, now, act, events: vec![Event::Raised(Box::new(raised))], late_ms: 0, left: None, given: Vec::new() };
        course.begin(tester.or(keeper));
        if let Some(twin) = twin {
            course.judge(twin);
        }
        course.events
    }

    /// Where a press goes. Even with no directory at all it is raised: an empty ladder is exhausted at once and says so.
    pub(crate) fn route(&self, device: &DeviceId) -> (CustomerId, Arc<Ladder>, Standing) {
        if let Some(route) = self.directory().route(device) {
            return (route.customer.clone(), Arc::clone(route.ladder), route.standing);
        }
        let nobody = Ladder { id: LadderId::from(Slug::unnamed()), rungs: Vec::new() };
        let site = self.directory().sites.get(&device.site).map(|site| &site.customer);
        let standing = match site {
            Some(_) if self.directory().devices.contains_key(device) => Standing::Registered,
            Some(_) => Standing::UnknownDevice,
            None => Standing::UnknownSite,
        };
        let customer = site.or_else(|| self.directory().customers.keys().next()).cloned();
        (customer.unwrap_or_else(|| CustomerId::from(Slug::unnamed())), Arc::new(nobody), standing)
    }

    /// What is done about a call at a site. Support among colleagues follows no plan, one word ends it; neither does a call for a
    /// responder, who went by the plan of another one.
    fn plan_of(&self, site: Option<&Site>, kind: Kind) -> Option<Arc<Plan>> {
        match kind {
            Kind::Assist => None,
            Kind::Duress | Kind::Panic | Kind::Medical | Kind::Welfare => self.directory().plans.get(site?.plan.as_ref()?).map(Arc::clone),
        }
    }

    /// A ladder's centres as the directory has them now.
    pub(crate) fn centres_of(&self, ladder: &Ladder) -> BTreeMap<CentreId, Centre> {
        let targets = ladder.rungs.iter().flat_map(|rung| &rung.targets);
        let centres = targets.filter_map(|target| match &target.who {
            Who::Centre(id) => Some((id.clone(), self.directory().centres.get(id)?.clone())),
            Who::Person(_) | Who::Roster(_) => None,
        });
        centres.collect()
    }

    pub(crate) fn joint(&self, signal: &Signal, kind: Kind) -> Joint {
        let device = &signal.device;
        match &signal.verb {
            Verb::Unreadable { .. } => Joint::Unreadable(device.site.clone()),
            Verb::Press { .. } | Verb::Cancel(_) | Verb::Tamper { .. } | Verb::Presence { .. } => {
                if self.directory().devices.contains_key(device) {
                    return Joint::Device(device.clone(), Tone::of(kind));
                }
                Joint::of_stranger(device, signal.origin.via, signal.origin.client.as_deref(), Tone::of(kind))
            }
        }
    }

    /// Only a proven clock makes a press old. Unknown, future and implausible mean live (lifecycle, "Age").
    pub(crate) fn age_of(&self, now: Timestamp, signal: &Signal, kind: Kind) -> Age {
        let proven_s = match (signal.clock, signal.pressed_at) {
            (DeviceClock::Proven, Some(at)) if at <= now => Some(millis_between(at, now) / 1_000).filter(|s| *s <= BELIEVABLE_S),
            (DeviceClock::Proven | DeviceClock::Unproven, _) => None,
        };
        if signal.origin.retained {
            return Age::Recovered { s: proven_s };
        }
        let portable = self.directory().devices.get(&signal.device).is_some_and(|d| d.mounting == Mounting::Portable);
        let limit = if portable || matches!(kind, Kind::Medical | Kind::Welfare) { DELAYED_LONG_S } else { DELAYED_S };
        match proven_s {
            Some(s) if s > limit => Age::Recovered { s: Some(s) },
            Some(s) if s > LIVE_S => Age::Delayed { s },
            Some(_) => Age::Live { up_to_s: None },
            None => Age::Live { up_to_s: signal.origin.waited_since.map(|since| millis_between(since, now) / 1_000).filter(|s| *s > 0) },
        }
    }

    /// Whether a signal by itself sends everyone at once, or has a human look first.
    pub(crate) fn opening_of(&self, now: Timestamp, signal: &Signal, kind: Kind) -> Opening {
        match (&signal.verb, self.age_of(now, signal, kind)) {
            (Verb::Unreadable { .. }, _) | (_, Age::Recovered { .. }) => Opening::AskFirst,
            (
                Verb::Press { .. } | Verb::Cancel(_) | Verb::Tamper { .. } | Verb::Presence { .. },
                Age::Live { .. } | Age::Delayed { .. },
            ) => Opening::Ladder,
        }
    }

    fn on_cancel(&self, now: Timestamp, signal: &Signal, entered: Option<&Entered>) -> Vec<Event> {
        let open = Tone::ALL.into_iter().find_map(|tone| self.open_at(&Joint::Device(signal.device.clone(), tone)));
        let origin = &signal.origin;
        let stranger = |tone| self.open_at(&Joint::of_stranger(&signal.device, origin.via, origin.client.as_deref(), tone));
        match open.or_else(|| Tone::ALL.into_iter().find_map(stranger)) {
            Some(act) => {
                let mut course = Course::on(self, now, act);
                let event = Event::CancelAsked { act: course.id(), dev: signal.device.clone(), signal: SignalRecord::from(signal) };
                course.push(event);
                if let Some(entered) = entered {
                    course.judge(entered.word());
                }
                course.ask_tester_no_longer();
                course.events
            }
            None => match entered.map(Entered::word) {
                // A call for help by whoever is made to prove that there is none. What a broker kept may be of any day.
                Some(Word::Duress) if !signal.origin.retained => self.raise(now, signal, Kind::Duress, None, None),
                Some(Word::Safe | Word::Duress | Word::Wrong | Word::Unknown) | None => {
                    vec![self.device_reported(signal, DeviceSays::Cancel)]
                }
            },
        }
    }

    fn on_tamper(&self, signal: &Signal, on: bool) -> Vec<Event> {
        let says = if on { DeviceSays::TamperOn } else { DeviceSays::TamperOff };
        let mut events = vec![self.device_reported(signal, says)];
        let cause = Cause::Tampered { site: signal.device.site.clone() };
        events.extend(match on {
            true if self.directory().sites.contains_key(&signal.device.site) => self.trouble_noticed(&cause),
            // Of a site that nobody registered it is recorded alone: names can be made up without end.
            true => Vec::new(),
            // One closed again says nothing of another that stands open.
            false if self.is_tampered_beside(&signal.device) => Vec::new(),
            false => self.trouble_cleared(&cause),
        });
        events
    }

    /// Only transitions are recorded: a broker repeats retained presence at every connect.
    fn on_presence(&self, signal: &Signal, online: bool) -> Vec<Event> {
        if self.presence_of(&signal.device) == Some(online) {
            return Vec::new();
        }
        let says = if online { DeviceSays::Online } else { DeviceSays::Offline };
        vec![self.device_reported(signal, says)]
    }

    fn device_reported(&self, signal: &Signal, says: DeviceSays) -> Event {
        let cust = self.directory().sites.get(&signal.device.site).map(|site| site.customer.clone());
        Event::DeviceReported { cust, dev: signal.device.clone(), says, signal: SignalRecord::from(signal) }
    }
}

/// Whether the same comes so long after its call was closed that the sender has begun to count anew: by an id, or by a counter
/// beside a clock that nobody vouches for. A time that is vouched for tells the old message; so does that a broker kept it, or,
/// for a while, that it sent it twice.
fn is_counted_anew(now: Timestamp, act: &Activation, signal: &Signal) -> bool {
    let Some(closing) = &act.closing else { return false };
    let tells_little = signal.id.is_some() || signal.clock == DeviceClock::Unproven;
    let window = if signal.origin.dup { OWED_AGAIN } else { MERGE_WINDOW };
    tells_little && !signal.origin.retained && now > window.after(closing.at)
}

/// Anyone who was told may close a call for support (lifecycle, "Signal, activation, trouble").
fn guard_of(site: Option<&Site>, kind: Kind) -> CloseGuard {
    match kind {
        Kind::Assist => CloseGuard::Off,
        Kind::Duress | Kind::Panic | Kind::Medical | Kind::Welfare => site.map(|site| site.close_guard).unwrap_or_default(),
    }
}

fn joined(engine: &Engine, now: Timestamp, act: &Activation, signal: &Signal, kind: Kind, how: Repeat, by: Option<Doer>) -> Vec<Event> {
    let mut course = Course::on(engine, now, act);
    let chattered = act.is_pressed_fast();
    // The same message once more is no second press; neither is what a button does by itself that is out of service for it.
    let sticks = by.is_none() && (how == Repeat::Redelivered || engine.is_of_a_stuck_button(now, act, signal, kind));
    let presses = match how {
        Repeat::Redelivered => act.presses,
        Repeat::SameGesture | Repeat::Again => act.presses.saturating_add(1),
    };
    let event = Event::PressedAgain {
        act: course.id(),
        dev: signal.device.clone(),
        presses,
        how,
        kind: signal.said_kind(),
        signal: SignalRecord::from(signal),
        by,
    };
    course.push(event);
    course.judge_pace(chattered);
    match how {
        Repeat::Redelivered => {}
        Repeat::SameGesture | Repeat::Again if sticks => {}
        Repeat::SameGesture => {
            course.ask_tester_no_longer();
            course.resume_if_outlived();
        }
        Repeat::Again => {
            course.ask_tester_no_longer();
            course.tell_pressed_again();
            course.resume_if_outlived();
        }
    }
    if engine.opening_of(now, signal, kind) == Opening::Ladder {
        course.ask_no_longer(sticks);
    }
    course.events
}

impl Course<'_> {
    /// Somebody is pressing now: whoever was asked to look first is no longer waited for, the ladder begins.
    fn ask_no_longer(&mut self, sticks: bool) {
        match self.act.progress {
            // The same message once more is no second press of a button on test.
            Progress::Climb { rung: None, .. } if self.act.asks_tester().is_some() => {}
            Progress::Climb { rung: None, .. } if self.act.waits_for_keeper() && sticks => {}
            Progress::Climb { rung: None, .. } if self.act.is_running() => self.enter(RungIndex(0), Entry::PressedAgain, &[]),
            Progress::Climb { .. } | Progress::Rounds { .. } => {}
        }
    }

    /// A button that sticks is a trouble of its own while it does. Of several buttons behind one gateway nobody knows which.
    fn judge_pace(&mut self, chattered: bool) {
        let Joint::Device(device, _) = &self.act.joint else { return };
        let cause = Cause::Chatter { device: device.clone() };
        match (chattered, self.act.is_pressed_fast()) {
            // Another call of the same button may have ended the trouble with its closing.
            (_, true) => self.raise_trouble(cause),
            (true, false) => self.events.extend(self.engine.trouble_cleared(&cause)),
            (false, false) => {}
        }
    }

    /// Whether a press that chatters has just made the climb go on; the next ones need not.
    fn has_chattered_enough(&self) -> bool {
        let lately = |at: Timestamp| self.now <= CHATTER_DISTURBS_EVERY.after(at);
        self.act.is_chattering() && self.act.resumed_at().is_some_and(lately)
    }

    /// Pressed again long after somebody committed, or the owner held it: the climb goes on.
    fn resume_if_outlived(&mut self) {
        if self.has_chattered_enough() {
            return;
        }
        let outlived = !self.act.climbs_beside() && self.act.promise.as_ref().is_some_and(|p| self.now > ACCEPT_OUTLIVED.after(p.since));
        let held_too_long = self.act.hold.as_deref().is_some_and(|hold| self.now > ACCEPT_OUTLIVED.after(hold.since));
        if outlived {
            let event = Event::CommitmentLapsed { act: self.id(), why: Lapse::PressedAgain, whose: None };
            self.push(event);
        }
        if outlived || held_too_long {
            self.end_hold(HoldEnd::PressedAgain);
            if self.act.is_running() {
                self.resume(Entry::PressedAgain);
            }
        }
    }

    /// Whoever has committed, and the centres that were told, hear that it was pressed again.
    fn tell_pressed_again(&mut self) {
        let every = if self.act.is_chattering() { CHATTER_DISTURBS_EVERY } else { PRESSED_AGAIN_EVERY };
        if self.act.pressed_again_told_at.is_some_and(|at| self.now <= every.after(at)) {
            return;
        }
        let committed = self.act.promise.as_ref().map(|p| p.by.clone()).and_then(|by| self.address_of(&by));
        let centres: Vec<_> =
            self.act.told.iter().filter(|(to, _)| to.contact().is_none()).map(|(to, told)| (to.clone(), told.medium)).collect();
        for (to, medium) in centres.into_iter().chain(committed) {
            if medium != Medium::Desk {
                self.owe(to, medium, Purpose::PressedAgain, None);
            }
        }
    }
}
