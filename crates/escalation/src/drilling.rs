//! Drills: a ladder is tried out by its own people, through the very path that a press takes.
//!
//! A drill is an activation: it climbs, tells and takes answers by the same rules. What differs stands here and wherever a rule
//! asks for it. Two comforts would be false: that a call is a drill because one is on, and that a drill is a call. So nothing ever
//! joins a drill, a real call at its site ends it at once, whatever is said of danger within one is a real call of its own, and a
//! drill that nobody closes ends by itself.

use std::sync::Arc;

use crate::acknowledgement::Disposition;
use crate::activation::Activation;
use crate::closing::ARCHIVE_AFTER;
use crate::course::Course;
use crate::directory::{CloseGuard, Standing};
use crate::dispatch::{Failure, Report};
use crate::engine::Engine;
use crate::event::{Age, Doer, DrillEnd, Event, Opening, Raised, Scheduled, SignalRecord};
use crate::id::{DeviceId, DeviceName, SiteId, Slug};
use crate::input::DrillWanted;
use crate::private::Private;
use crate::rejection::Rejection;
use crate::reporting::owed;
use crate::signal::{Kind, Origin, Signal, Verb, Via};
use crate::time::{Seconds, Timestamp};
use crate::word::{Entered, Word};

/// The longest that a drill lasts (ours: as long as a button is on test).
pub(crate) const LONGEST: Seconds = Seconds(3_600);
/// The most drills of one customer at once (ours): each may write to everybody on a ladder.
pub(crate) const AT_ONCE_MAX: usize = 20;

/// What makes an activation a drill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Drill {
    /// When it ends by itself.
    pub until: Timestamp,
    /// When somebody at its site called for help in earnest.
    pub interrupted_at: Option<Timestamp>,
    /// Why it ended by itself, where it did.
    pub ended: Option<DrillEnd>,
}

/// A drill that is about to begin.
pub(crate) struct Beginning<'b> {
    /// At which site.
    pub(crate) site: &'b SiteId,
    /// The ladder of which button there.
    pub(crate) device: Option<DeviceId>,
    /// For how long at the most.
    pub(crate) span: Seconds,
    /// What it is for.
    pub(crate) note: Option<Private>,
    /// Who is responsible.
    pub(crate) by: Doer,
    /// By which schedule, where it is by one.
    pub(crate) scheduled: Option<Scheduled>,
}

impl Drill {
    /// When it ends without anybody doing anything.
    pub(crate) fn ends_at(&self) -> Timestamp {
        self.interrupted_at.unwrap_or(self.until)
    }
}

impl Engine {
    /// Starts a drill, unless somebody there is calling for help, or one is on already.
    pub(crate) fn on_drill_wanted(&self, now: Timestamp, wanted: &DrillWanted) -> Result<Vec<Event>, Rejection> {
        let site = self.directory().sites.get(&wanted.site).ok_or(Rejection::UnknownPlace)?;
        if wanted.device.as_ref().is_some_and(|device| device.site != wanted.site || !self.directory().devices.contains_key(device)) {
            return Err(Rejection::UnknownPlace);
        }
        if wanted.span.0 == 0 || wanted.span > LONGEST {
            return Err(Rejection::ImplausibleDrill);
        }
        let is_there = |act: &&Activation| act.is_open() && act.device.site == wanted.site;
        if let Some(call) = self.activations().find(|act| is_there(act) && !act.is_drill()) {
            return Err(Rejection::CallOpen { device: call.device.clone(), activation: call.id.clone() });
        }
        if let Some(drill) = self.drills().find(is_there) {
            return Err(Rejection::DrillOpen(drill.id.clone()));
        }
        if self.drills().filter(|drill| drill.customer == site.customer).count() >= AT_ONCE_MAX {
            return Err(Rejection::TooManyDrills);
        }
        let (device, note, by) = (wanted.device.clone(), wanted.note.clone(), Doer::from(&wanted.by));
        self.begin_drill(now, Beginning { site: &wanted.site, device, span: wanted.span, note, by, scheduled: None })
    }

    /// Begins a drill that may begin.
    pub(crate) fn begin_drill(&self, now: Timestamp, beginning: Beginning<'_>) -> Result<Vec<Event>, Rejection> {
        let Beginning { site: place, device, span, note, by, scheduled } = beginning;
        let site = self.directory().sites.get(place).ok_or(Rejection::UnknownPlace)?;
        let device = device.unwrap_or_else(|| self.no_button_at(place));
        let kind = self.kind_of(&device, None);
        let (customer, ladder, _) = self.route(&device);
        let origin = Origin { via: Via::Api, client: None, qos: 0, retained: false, dup: false, waited_since: None };
        let mut signal = Signal::made_here(device.clone(), Some(kind), origin);
        signal.note = note;
        let raised = Raised {
            act: self.next_activation_id(&customer),
            ord: self.next_ordinal(&customer),
            cust: customer,
            dev: device.clone(),
            // Nobody heard a stranger: the ladder was named by whoever asked.
            standing: Standing::Registered,
            kind,
            age: Age::Live { up_to_s: None },
            opening: Opening::Ladder,
            ladder: Arc::clone(&ladder),
            directory: self.directory_version(),
            eta_limit_s: site.eta_limit_s.0,
            centres: self.centres_of(&ladder),
            // The button did nothing and says nothing of it.
            feedback: Some(false),
            guard: CloseGuard::Off,
            // Its steps are for those who are in danger, the ringing of the police among them.
            plan: None,
            about: None,
            tester: None,
            drill_until: Some(span.after(now)),
            scheduled,
            incident: None,
            signal: SignalRecord::from(&signal),
            by: Some(by),
        };
        let act = Activation::raise(now, &raised, device, ladder, self.directory());
        let mut course =
            Course { engine: self, now, act, events: vec![Event::Raised(Box::new(raised))], late_ms: 0, left: None, given: Vec::new() };
        course.begin(None);
        Ok(course.events)
    }

    /// A name that no button has: by it the ladder of the site itself is found.
    fn no_button_at(&self, site: &SiteId) -> DeviceId {
        let names = ["site", "whole-site", "no-button"].into_iter().filter_map(|name| DeviceName::parse(name).ok());
        let mut free = names.map(|name| DeviceId { site: site.clone(), name }).filter(|id| !self.directory().devices.contains_key(id));
        free.next().unwrap_or_else(|| DeviceId { site: site.clone(), name: DeviceName::from(Slug::unnamed()) })
    }

    /// Whoever gives the twin of a safe word is not safe, in a drill as at any other time: it is a call of its own.
    pub(crate) fn forced_in_drill(&self, now: Timestamp, drill: &Activation, word: &Entered) -> Vec<Event> {
        match word.word() {
            Word::Duress => {
                let origin = Origin { via: Via::Api, client: None, qos: 0, retained: false, dup: false, waited_since: None };
                let mut signal = Signal::made_here(drill.device.clone(), Some(Kind::Duress), origin);
                signal.verb = Verb::Cancel(Some(word.clone()));
                self.on_signal(now, &signal, None)
            }
            Word::Safe | Word::Wrong | Word::Unknown => Vec::new(),
        }
    }
}

impl Activation {
    /// A real call has come between.
    pub(crate) fn interrupt_drill(&mut self, at: Timestamp) {
        if let Some(drill) = &mut self.drill {
            drill.interrupted_at = drill.interrupted_at.or(Some(at));
        }
    }
}

impl Course<'_> {
    /// Its time is over, or a real call has come between.
    pub(crate) fn drill_over(&mut self) {
        let interrupted = self.act.drill.as_ref().is_some_and(|drill| drill.interrupted_at.is_some());
        self.end_drill(if interrupted { DrillEnd::RealCall } else { DrillEnd::TimeOver });
    }

    /// It ends by itself, and everyone told hears so.
    pub(crate) fn end_drill(&mut self, why: DrillEnd) {
        let doer = Doer { principal: "drill".to_owned(), actor: None, actor_key: None, person: None, idempotency: None };
        let event = Event::Closed {
            act: self.id(),
            by: doer,
            disposition: Disposition::Test,
            note: None,
            drill: Some(why),
            count: self.act.entries.saturating_add(1),
            archive_at: ARCHIVE_AFTER.after(self.now),
        };
        self.push(event);
        self.stand_down();
        self.withdraw_calls();
    }

    /// What has not left yet must not come behind a real call, nor after a start.
    pub(crate) fn withdraw_calls(&mut self) {
        let owed: Vec<u32> = owed(&self.act).collect();
        for dispatch in owed {
            if self.act.attempts.get(&dispatch).is_some_and(|attempt| attempt.purpose.calls()) {
                let event = Event::DispatchReported {
                    act: self.id(),
                    dispatch,
                    report: Report::Failed(Failure::Withdrawn),
                    receipt_by: None,
                    provider: None,
                    provider_ref: None,
                    text: None,
                    template: None,
                    possible_duplicate: false,
                    tries: 0,
                };
                self.push(event);
            }
        }
    }
}
