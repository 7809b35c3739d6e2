//! What a reader may see: activations, devices and troubles with their names filled in.
//!
//! Made between two turns of the watch, from state that is durable. Names and numbers appear here and nowhere below;
//! whoever shows a view decides by its [`Scope`] what leaves.

use std::collections::{BTreeMap, BTreeSet};

use escalation::acknowledgement::{Commitment, Disposition};
use escalation::directory::{Directory, Mounting, Person, Standing};
use escalation::dispatch::Purpose;
use escalation::drilling::Drill;
use escalation::event::{Age, Event, Viewed};
use escalation::id::{ActivationId, CustomerId, DeviceId, DispatchId, PersonId, PlanId, SiteId};
use escalation::ladder::Medium;
use escalation::matter::Matter;
use escalation::out_of_service::Defect;
use escalation::plan::{Part, StepId};
use escalation::police::Threshold;
use escalation::signal::Kind;
use escalation::time::{Timestamp, Why};
use escalation::trouble::Cause;
use escalation::word::Word;

use crate::journal;
use crate::onlookers::Onlooker;
pub use crate::sheet::{Answered, Sheet, Told};

/// Whose things a key may see. Nothing outside it is shown, counted or hinted at.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Only these customers; `None` is all of them.
    pub customers: Option<BTreeSet<CustomerId>>,
    /// Only these sites; `None` is all of them.
    pub sites: Option<BTreeSet<SiteId>>,
    /// The key is used where the buttons are, so that somebody may be watching: what a safe word was is not shown.
    pub at_the_place: bool,
}

impl Scope {
    /// Everything.
    pub fn everything() -> Self {
        Self::default()
    }

    /// Whether something of this customer and site may be seen.
    pub fn permits(&self, customer: &CustomerId, site: &SiteId) -> bool {
        self.customers.as_ref().is_none_or(|c| c.contains(customer)) && self.sites.as_ref().is_none_or(|s| s.contains(site))
    }

    /// Whether an entry of the stream may be seen.
    pub fn permits_entry(&self, entry: &StreamEntry) -> bool {
        if self.at_the_place && is_covert(&entry.kind) {
            return false;
        }
        // Who read is told to whoever asks for it and may know, and to nobody who merely follows what happens.
        if entry.is_of_readers() {
            return false;
        }
        if matches!(entry.kind.as_str(), "trouble.raised" | "trouble.cleared") {
            return self.permits_trouble(entry);
        }
        self.permits_columns(entry, &entry.site)
    }

    fn permits_columns(&self, entry: &StreamEntry, site: &str) -> bool {
        let within = |allowed: Option<bool>| allowed.unwrap_or(true);
        within(self.customers.as_ref().map(|set| set.iter().any(|c| c.as_str() == entry.customer)))
            && within(self.sites.as_ref().map(|set| set.iter().any(|s| s.as_str() == site)))
    }

    /// A trouble's entry is of no site: whose it is stands in its cause.
    fn permits_trouble(&self, entry: &StreamEntry) -> bool {
        let Ok((_, Event::TroubleRaised { cause, .. } | Event::TroubleCleared { cause, .. })) = journal::read(&entry.body) else {
            return self.is_everything();
        };
        match Audience::of(&cause) {
            Audience::Everyone => true,
            Audience::Site(site) => self.permits_columns(entry, site.as_str()),
            // Whose the activation is does not stand in the entry: the list of troubles knows it.
            Audience::Activation(_) | Audience::Unscoped => self.is_everything(),
        }
    }

    /// The same without what a safe word was, where somebody may be watching.
    pub fn veil(&self, card: Card) -> Card {
        if self.at_the_place { Card { word: None, ..card } } else { card }
    }

    /// A plan without what the centre does, and why a step was passed over, where somebody may be watching.
    pub fn veil_plan(&self, plan: PlanView) -> PlanView {
        if !self.at_the_place {
            return plan;
        }
        let reasonless = |taken: Taken| Taken { skipped: taken.skipped.map(|_why| String::new()), ..taken };
        let own = plan.steps.into_iter().filter(|step| step.id.part == Part::Responder);
        let steps = own.map(|step| StepView { taken: step.taken.map(reasonless), ..step }).collect();
        PlanView { steps, ..plan }
    }

    /// Whether a line of a history may be seen.
    pub fn permits_line(&self, line: &Line) -> bool {
        !(self.at_the_place && is_covert(&line.kind))
    }

    /// Whether it may be seen who was told of a matter: a customer sees who its own technical ladder told, and nobody of the operator's.
    pub fn permits_telling(&self, matter: &Matter, directory: &Directory) -> bool {
        let is_own = |customer: &CustomerId| {
            directory.has_technical_ladder(customer) && self.customers.as_ref().is_none_or(|customers| customers.contains(customer))
        };
        self.is_everything() || (self.sites.is_none() && matter.customer.as_ref().is_some_and(is_own))
    }

    /// Whether the station's own affairs may be seen: only by keys that are not restricted.
    pub fn is_everything(&self) -> bool {
        self.customers.is_none() && self.sites.is_none()
    }
}

/// The kind of the entries that say who read.
const VIEWED: &str = "record.viewed";

/// Whether a record kind tells a safe word from its twin, or what the centre does about it.
fn is_covert(kind: &str) -> bool {
    matches!(kind, "word.judged" | "word.heeded" | "step.taken")
}

/// Who may be told of a trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience<'a> {
    /// Everyone: it may stop anybody's presses or messages, and it holds nobody's data.
    Everyone,
    /// Who may see this site.
    Site(&'a SiteId),
    /// Who may see this activation.
    Activation(&'a ActivationId),
    /// Only who may see everything: a person or an anchor belongs to no customer.
    Unscoped,
}

impl<'a> Audience<'a> {
    /// Who may be told of this.
    pub fn of(cause: &'a Cause) -> Self {
        match cause {
            Cause::BrokerAway
            | Cause::SubscriptionRefused { .. }
            | Cause::SessionLost
            | Cause::BrokerSetting { .. }
            | Cause::RecordUnreachable
            | Cause::RecordUnsigned
            | Cause::SpoolPutAside
            | Cause::ErasureFailing
            | Cause::KeyReplaced
            | Cause::DirectoryBroken
            | Cause::ProviderDown { .. }
            | Cause::RepliesUnread { .. }
            | Cause::Overflow { .. } => Self::Everyone,
            Cause::Coverage { site, .. } | Cause::CoverageGap { site, .. } | Cause::Tampered { site } | Cause::SiteBlind { site } => {
                Self::Site(site)
            }
            Cause::Chatter { device } | Cause::DeviceSilent { device } | Cause::BatteryLow { device } => Self::Site(&device.site),
            Cause::Fault { activation: Some(id) } => Self::Activation(id),
            // An anchor may be called after the customer who keeps it, and credit is its owner's business. Of a roster the page of who is
            // on duty tells whom it concerns, and of a desk the list of desks.
            Cause::OptedOut { .. }
            | Cause::StandInUndone { .. }
            | Cause::DeskUnarmed { .. }
            | Cause::AnchorFailing { .. }
            | Cause::CreditLow { .. }
            | Cause::CreditUnread { .. }
            | Cause::Fault { activation: None } => Self::Unscoped,
        }
    }
}

/// Where an activation stands, in the API's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The ladder is running; nobody has committed.
    Climbing,
    /// Someone is verifying and the climb waits for them.
    Held,
    /// Someone is going.
    Accepted,
    /// Every rung was tried; rounds go on.
    Exhausted,
    /// Over.
    Closed,
}

impl State {
    /// As the API writes it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Climbing => "climbing",
            Self::Held => "held",
            Self::Accepted => "accepted",
            Self::Exhausted => "exhausted",
            Self::Closed => "closed",
        }
    }
}

/// One activation in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Card {
    /// Its reference.
    pub id: ActivationId,
    /// Where it stands.
    pub state: State,
    /// What kind of help.
    pub kind: Kind,
    /// Whose.
    pub customer: CustomerId,
    /// That customer's name.
    pub customer_name: String,
    /// At which site.
    pub site: SiteId,
    /// That site's name, or its id where nobody named it.
    pub site_name: String,
    /// By which device.
    pub device: DeviceId,
    /// Where exactly, or the device's id.
    pub place: String,
    /// IANA zone of the site, `UTC` where unknown.
    pub timezone: String,
    /// How well the device is known.
    pub standing: Standing,
    /// Whether it stays where it is.
    pub mounting: Option<Mounting>,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// How old the press was.
    pub age: Age,
    /// How often it was pressed.
    pub presses: u32,
    /// Someone at the device asked to cancel: verify.
    pub cancel_asked: bool,
    /// Whether the police are needed, and what to say to them.
    pub police: Option<PoliceView>,
    /// For whom, where it is for a responder to another call.
    pub about: Option<AboutView>,
    /// It is a drill: nobody is in danger.
    pub drill: Option<Drill>,
    /// The first call of the incident that it belongs to, where others were open at its site when it was raised.
    pub incident: Option<ActivationId>,
    /// The other calls that are open at its site now, the earliest first.
    pub beside: Vec<Beside>,
    /// The rung it stands on, from 1; 0 before the first.
    pub rung: u16,
    /// How many rungs there are.
    pub rungs: u16,
    /// When something happens next without anybody doing anything.
    pub next_at: Option<Timestamp>,
    /// What.
    pub next_why: Option<Why>,
    /// Which operator owns it.
    pub claimed_by: Option<String>,
    /// Until when that operator holds the climb.
    pub held_until: Option<Timestamp>,
    /// Whom they have asked to take over, and who has not done so.
    pub offered_to: Option<String>,
    /// Who has said that it is over since it was last pressed, and whether they were there.
    pub said_safe: Vec<(String, bool)>,
    /// What the latest safe word was that somebody gave.
    pub word: Option<Word>,
    /// Its button is on test, and this person is being asked whether it was they. Without their yes it is a call like any other.
    pub asks_tester: Option<String>,
    /// Its button is out of service, and this person, who looks after it, is asked first. Unanswered, the ladder follows.
    pub asks_keeper: Option<String>,
    /// Who is going.
    pub going: Vec<Going>,
    /// How many people have to accept before the ladder stands still, and how many of them are going.
    pub needed: Needed,
    /// When it was closed.
    pub closed_at: Option<Timestamp>,
    /// By whom.
    pub closed_by: Option<String>,
    /// With which outcome.
    pub disposition: Option<Disposition>,
    /// The entry that last changed it: what `If-Match` compares.
    pub seq: u64,
}

/// Another call that is open at the same site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beside {
    /// Its reference.
    pub id: ActivationId,
    /// Where exactly, or its device's id.
    pub place: String,
    /// When it was raised.
    pub raised_at: Timestamp,
    /// Whether anybody is going.
    pub is_answered: bool,
}

/// How many people a call needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Needed {
    /// At the least.
    pub people: u16,
    /// So many of them are going and near enough.
    pub going: u16,
}

/// A button on test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestView {
    /// Which.
    pub device: DeviceId,
    /// Whose.
    pub customer: CustomerId,
    /// The site's name, or its id where nobody named it.
    pub site_name: String,
    /// Where exactly, or the device's id.
    pub place: String,
    /// IANA zone of the site, `UTC` where unknown.
    pub timezone: String,
    /// Who presses it.
    pub tester: String,
    /// Who put it on test.
    pub by: String,
    /// Since when.
    pub since: Timestamp,
    /// When it ends by itself, unless it is pressed before.
    pub until: Timestamp,
    /// That is soon.
    pub ends_soon: bool,
}

/// A button out of service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WithdrawalView {
    /// Which.
    pub device: DeviceId,
    /// Whose.
    pub customer: CustomerId,
    /// The site's name, or its id where nobody named it.
    pub site_name: String,
    /// Where exactly, or the device's id.
    pub place: String,
    /// IANA zone of the site, `UTC` where unknown.
    pub timezone: String,
    /// Who looks after it.
    pub keeper: String,
    /// Which button people use instead, and where that is; `None` is a phone.
    pub instead: Option<(DeviceId, String)>,
    /// What is wrong with it.
    pub why: Defect,
    /// Who took it out of service.
    pub by: String,
    /// Since when.
    pub since: Timestamp,
    /// When it ends by itself.
    pub until: Timestamp,
    /// That is soon.
    pub ends_soon: bool,
    /// No button of its site is in service: people there have a phone, and nothing else.
    pub none_left: bool,
}

/// The police are needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PoliceView {
    /// `needed`, `ring_now` or `rung`. Only a person's word makes it `rung`.
    pub state: &'static str,
    /// Why, where somebody said.
    pub threshold: Option<Threshold>,
    /// What to say: suburb and state first.
    pub brief: String,
}

/// A responder who needs help themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AboutView {
    /// Their name.
    pub name: String,
    /// The call to which they went.
    pub of: ActivationId,
}

/// Somebody who has committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Going {
    /// Their name.
    pub name: String,
    /// To what.
    pub commitment: Commitment,
    /// When they should be there; `None` for a co-responder where one is enough.
    pub arrive_by: Option<Timestamp>,
    /// Since when they are there.
    pub arrived_at: Option<Timestamp>,
    /// They were asked there whether they are safe, and did not answer.
    pub silent: bool,
}

/// One activation in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// The head of it.
    pub card: Card,
    /// The frozen ladder and how far it has come.
    pub ladder: Vec<RungView>,
    /// Its action plan and how far it was followed, where its place has one.
    pub plan: Option<PlanView>,
    /// What came of it, where it is a drill.
    pub sheet: Option<Sheet>,
    /// Every message and what became of it, oldest first.
    pub attempts: Vec<Attempt>,
    /// Everything recorded, oldest first.
    pub history: Vec<Line>,
}

/// The action plan of an activation, as it was when that was raised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanView {
    /// Its id.
    pub id: PlanId,
    /// Which version of it, as its author counts.
    pub version: u32,
    /// Who approved it; empty where that is not said.
    pub approved_by: String,
    /// What responders do, then what the centre does.
    pub steps: Vec<StepView>,
}

/// One step of an action plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepView {
    /// Which.
    pub id: StepId,
    /// What is done; empty where it was erased.
    pub says: String,
    /// The activation is not closed before it is taken, or passed over for a reason.
    pub required: bool,
    /// Who did it first; else who passed it over.
    pub taken: Option<Taken>,
}

/// How a step was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// Who.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why it was not done, where it was passed over.
    pub skipped: Option<String>,
}

/// One rung of a frozen ladder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RungView {
    /// From 1.
    pub number: u16,
    /// How long it waits, in seconds.
    pub wait_s: u32,
    /// Whether it was entered, and when.
    pub entered_at: Option<Timestamp>,
    /// Whether the climb stands on it now, and until when.
    pub until: Option<Timestamp>,
    /// Why it was last passed over in 0 s, if it was and has not been entered since.
    pub passed_over: Option<String>,
    /// How many people it asks for: a number or `each`, where one is not enough.
    pub need: Option<String>,
    /// Who is on it: a name and the channels, as text.
    pub targets: Vec<TargetView>,
}

/// One party on a rung.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetView {
    /// A person's or centre's name.
    pub name: String,
    /// Channels in order of fallback; an inner list goes together.
    pub by: Vec<Vec<Medium>>,
    /// Why they were not tried (any further), if so.
    pub passed_over: Option<String>,
}

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Its number.
    pub dispatch: DispatchId,
    /// To whom, by name.
    pub to: String,
    /// By which channel.
    pub medium: Medium,
    /// What for.
    pub purpose: Purpose,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// What became of it: `queued`, `accepted`, `delivered`, `undelivered`, `failed`, `no receipt`; on the sheet of a drill that is over
    /// also `not known`.
    pub outcome: &'static str,
    /// When that was said.
    pub outcome_at: Option<Timestamp>,
    /// When a provider took it.
    pub taken_at: Option<Timestamp>,
    /// When the provider said that it had arrived.
    pub delivered_at: Option<Timestamp>,
    /// A provider promised to say whether it arrives.
    pub receipt_due: bool,
    /// Code or reason, where there is one.
    pub detail: Option<String>,
    /// Which provider account.
    pub provider: Option<String>,
    /// It may have been sent twice.
    pub possible_duplicate: bool,
    /// By how many milliseconds it was late.
    pub late_ms: u64,
}

impl Attempt {
    /// Whether it is known, or has to be taken, not to have got through.
    pub fn is_lost(&self) -> bool {
        matches!(self.outcome, "failed" | "undelivered" | "no receipt" | "not known")
    }

    /// Nobody waits for a receipt any more: what has not come is not known to have arrived.
    pub(crate) fn conclude(&mut self) {
        if self.outcome == "queued" || (self.outcome == "accepted" && self.receipt_due) {
            self.outcome = "not known";
        }
    }
}

/// One line of an activation's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The record's sequence number.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
    /// The record kind.
    pub kind: String,
    /// One sentence with names filled in.
    pub text: String,
}

/// A page of a list, newest first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// What is on it.
    pub cards: Vec<Card>,
    /// Ask for more with this.
    pub next_cursor: Option<String>,
}

/// What to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Whose.
    pub scope: Scope,
    /// Only open, only closed, or both.
    pub open: Option<bool>,
    /// Only this site.
    pub site: Option<SiteId>,
    /// Raised at or after.
    pub from: Option<Timestamp>,
    /// Raised before.
    pub to: Option<Timestamp>,
    /// From a page before; opaque.
    pub cursor: Option<String>,
    /// At most this many, 1 to 200.
    pub limit: u16,
}

/// Whose reading of what is asked for.
#[derive(Clone, Debug)]
pub struct ViewsAsked {
    /// Of this activation; of everything within the scope where it is `None`.
    pub of: Option<ActivationId>,
    /// Whose things whoever asks may see.
    pub scope: Scope,
    /// Who asks: that they were told is noted too.
    pub onlooker: Onlooker,
    /// Only before this entry: the last one of the page before.
    pub before: Option<u64>,
    /// At most this many, 1 to 200.
    pub limit: u16,
}

/// What the record says of its readers, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ViewsPage {
    /// What is on the page.
    pub views: Vec<ViewLine>,
    /// The entry to ask for more with; `None` where there is no more within the scope.
    pub next: Option<u64>,
}

/// That somebody read something, so often within a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ViewLine {
    /// The entry that says so.
    pub seq: u64,
    /// When it was written.
    pub at: Timestamp,
    /// What it says.
    pub said: Viewed,
}

/// One device of the directory, or one that was heard without being in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceView {
    /// Which.
    pub id: DeviceId,
    /// Whose.
    pub customer: CustomerId,
    /// Where exactly.
    pub place: String,
    /// Whether it stays where it is.
    pub mounting: Mounting,
    /// When it last pressed, since this process knows.
    pub last_press: Option<Timestamp>,
    /// When a test press of it last reached a human.
    pub last_proven: Option<Timestamp>,
    /// Until when it is out of service, where it is.
    pub out_of_service_until: Option<Timestamp>,
    /// Its open activation.
    pub open: Option<ActivationId>,
}

/// Somebody whom a ladder may tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersonView {
    /// Who.
    pub id: PersonId,
    /// What they are called.
    pub name: String,
    /// Their addresses by channel, the phone first, each with when a human last answered from it; `None` where nobody knows of any.
    pub channels: Vec<(Medium, Option<Timestamp>)>,
}

impl PersonView {
    /// When a human last answered from the address by which they are told first.
    pub fn last_answered(&self) -> Option<Timestamp> {
        self.channels.first().and_then(|(_, at)| *at)
    }
}

/// What a press at some places depends on: their part of the directory, and the people whom it may tell. Whoever has it works out
/// the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CoverageView {
    /// The sites, the devices with a ladder of their own, and the ladders, centres and rosters that they use.
    pub directory: Directory,
    /// Everybody whom those ladders may tell, by key and without a name.
    pub people: BTreeMap<PersonId, Person>,
    /// Which version of the directory it is.
    pub version: u32,
    /// After how many changes of who is on duty.
    pub duty: u64,
    /// When this was true.
    pub at: Timestamp,
}

/// An open trouble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TroubleView {
    /// What.
    pub cause: Cause,
    /// Since when.
    pub since: Timestamp,
    /// By which clock its times are said: the site's, else UTC.
    pub timezone: String,
    /// What people were told of it; `None` for whoever may not see whom.
    pub telling: Option<TellingView>,
}

/// What people were told of a trouble, together with others of its kind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TellingView {
    /// The reference of the messages, once there are any.
    pub reference: Option<String>,
    /// When people are told next if it lasts; `None` where nobody is told, because there is no technical ladder.
    pub next_at: Option<Timestamp>,
    /// Who looks after it.
    pub taken_by: Option<String>,
    /// Nobody could be told when people were last looked for.
    pub unheard: bool,
    /// Each message, the earliest first.
    pub messages: Vec<ToldView>,
}

/// One message about a trouble.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldView {
    /// To whom, by name.
    pub to: String,
    /// By which channel.
    pub medium: Medium,
    /// What for.
    pub purpose: Purpose,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// What became of it: `queued`, `accepted`, `delivered`, `failed`.
    pub outcome: &'static str,
}

/// What a responder's page shows. Before an answer it shows only what the text message showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponderView {
    /// The head of the activation.
    pub card: Card,
    /// For whom the link was made.
    pub name: String,
    /// Their answer so far.
    pub answer: ResponderAnswer,
    /// Street and suburb, only after accepting.
    pub address: String,
    /// Way in, hazards, rendezvous, only after accepting.
    pub approach: Vec<(&'static str, String)>,
    /// Whom to ring with a question; never the counter.
    pub phone: String,
    /// What whoever goes is to do, only after accepting.
    pub plan: Vec<ResponderStep>,
}

/// One step of the responders' plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponderStep {
    /// From 1.
    pub number: u16,
    /// What is done; empty where it was erased.
    pub says: String,
    /// The activation is not closed before it is taken.
    pub required: bool,
    /// Somebody did it.
    pub done: bool,
    /// It was passed over for a reason.
    pub skipped: bool,
}

/// What this responder has said so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponderAnswer {
    /// Nothing.
    None,
    /// Going, first.
    Going,
    /// Helping remotely, first.
    Helping,
    /// Going or helping beside somebody else.
    Joined,
    /// At the place.
    Arrived,
    /// Cannot.
    Declined,
}

/// One entry as a stream or a record reader gets it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamEntry {
    /// The record's sequence number.
    pub seq: u64,
    /// The record kind: the event's name.
    pub kind: String,
    /// Whose, empty where it is the station's own.
    pub customer: String,
    /// At which site, empty where it is nobody's in particular.
    pub site: String,
    /// Which activation or device, empty where none.
    pub stream: String,
    /// The exact bytes: one line of JSON without names.
    pub body: std::sync::Arc<[u8]>,
}

impl StreamEntry {
    /// Whether it says who read, which nobody is told who merely follows what happens.
    pub fn is_of_readers(&self) -> bool {
        self.kind == VIEWED
    }
}
