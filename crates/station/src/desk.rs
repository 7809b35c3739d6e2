//! The desk: the one handle through which other rooms speak to the watch.
//!
//! Submitting waits for a verdict; looking waits for the gap between two turns, so that nobody ever sees what is not
//! durable. The desk holds no state of its own and forgets nothing: what it cannot take it says so.

use std::sync::Arc;

use escalation::acknowledgement::Reply;
use escalation::directory::draft::{Draft, SafeWords};
use escalation::dispatch::Failure;
use escalation::event::ViewOf;
use escalation::id::{ActivationId, Digest, PersonId, SiteId};
use escalation::input::{Act, Input};
use escalation::out_of_service::Defect;
use escalation::signal::Kind;
use escalation::time::{Seconds, Timestamp};
use escalation::verdict::{NotTaken, Submit, Verdict};
use escalation::vigil::Watchlist;
use tokio::sync::{broadcast, mpsc, oneshot, watch};

use crate::consoles::{DeskView, SeatRequest};
use crate::duty::{RosterView, StandInRequest};
use crate::erasing::{Deletion, NotDeleted};
use crate::evidence::{Dossier, Purpose};
use crate::milestones::Milestones;
use crate::onlookers::Onlooker;
use crate::schedules::Timetable;
use crate::vault::Vault;
use crate::view::{
    Card, CoverageView, Detail, DeviceView, Page, PersonView, Query, ResponderView, Scope, StreamEntry, TestView, TroubleView, ViewsAsked,
    ViewsPage, WithdrawalView,
};

/// How many inputs may wait in front of the watch. Beyond it the desk answers [`NotTaken::Overloaded`]: MQTT holds
/// the message, an API caller gets a 503. 65,536 is as many unacknowledged QoS 1 messages as one connection can hold.
pub const INPUTS_MAX: usize = 65_536;
/// How many looks may wait; beyond it a reader waits in line.
pub const LOOKS_MAX: usize = 1_024;
/// How many entries a slow stream reader may be behind before it must read the record instead (mechanisms: 10,000).
pub const STREAM_MAX: usize = 10_000;

/// The handle. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    inputs: mpsc::Sender<Knock>,
    looks: mpsc::Sender<Look>,
    stream: broadcast::Sender<Arc<StreamEntry>>,
    health: watch::Receiver<Health>,
}

/// An input at the door, and who waits for its verdict.
pub struct Knock {
    /// What happened.
    pub input: Input,
    /// Who waits; nobody does where the receiver was dropped.
    pub reply: oneshot::Sender<Verdict>,
}

/// A question to be answered between two turns.
pub enum Look {
    /// A page of activations.
    List(Query, oneshot::Sender<Result<Page, DeskError>>),
    /// One activation in full.
    Activation(ActivationId, Scope, Onlooker, oneshot::Sender<Result<Option<Detail>, DeskError>>),
    /// One activation's card, at once where it is in memory; from the record where it has left.
    Card(ActivationId, Scope, oneshot::Sender<Result<Option<Card>, DeskError>>),
    /// Everything that the record has of one activation, to hand it out or for the station itself.
    Evidence(ActivationId, Scope, Purpose, oneshot::Sender<Result<Option<Dossier>, DeskError>>),
    /// A bundle was made of this activation, and the record says who is handed it.
    Handed(Box<Card>, Onlooker, oneshot::Sender<()>),
    /// Somebody by the id of a directory or by number, and what entries hold in the place of what is said of them.
    About(String, oneshot::Sender<Result<Option<About>, DeskError>>),
    /// Private values that the record says are erased.
    Delete(Deletion, oneshot::Sender<Result<(), NotDeleted>>),
    /// How many activations are open within a scope, drills left out.
    Count(Scope, oneshot::Sender<u64>),
    /// Devices of the directory.
    Devices(Scope, oneshot::Sender<Vec<DeviceView>>),
    /// Whom a press may be told to.
    People(Scope, Onlooker, oneshot::Sender<Vec<PersonView>>),
    /// Somebody is about to be shown what the watch itself does not show.
    Seen(ViewOf, Scope, Onlooker, oneshot::Sender<()>),
    /// What the record says of its readers.
    Views(ViewsAsked, oneshot::Sender<Result<Option<ViewsPage>, DeskError>>),
    /// What the directory would do with a press.
    Coverage(Scope, oneshot::Sender<CoverageView>),
    /// What is watched, where that is of another version than this one.
    Watchlist(u32, oneshot::Sender<Option<Watchlist>>),
    /// Buttons on test.
    Tests(Scope, oneshot::Sender<Vec<TestView>>),
    /// Buttons out of service.
    OutOfService(Scope, oneshot::Sender<Vec<WithdrawalView>>),
    /// Buttons to be taken out of service or put back, with the keeper's name still unresolved.
    Service(ServiceRequest, oneshot::Sender<Verdict>),
    /// The rosters, and who is on duty.
    Duty(Scope, oneshot::Sender<Vec<RosterView>>),
    /// The desks within a scope, and whether anybody is at them.
    Desks(Scope, oneshot::Sender<Vec<DeskView>>),
    /// Somebody says that they are at a desk, or that they leave it.
    Seat(SeatRequest, oneshot::Sender<Verdict>),
    /// Somebody to stand in, or to be back on duty, with names still unresolved.
    StandIn(StandInRequest, oneshot::Sender<Verdict>),
    /// Buttons to be put on test, with the tester's name still unresolved.
    Test(TestRequest, oneshot::Sender<Verdict>),
    /// The schedules of drills, and what became of the last ones.
    Schedules(Scope, oneshot::Sender<Timetable>),
    /// A ladder to be drilled.
    Drill(DrillRequest, oneshot::Sender<Verdict>),
    /// Open troubles.
    Troubles(Scope, oneshot::Sender<Vec<TroubleView>>),
    /// What a link shows.
    Responder(String, oneshot::Sender<Option<ResponderView>>),
    /// Entries after a sequence number, without the sites of activations.
    Since(u64, usize, oneshot::Sender<Result<Vec<StreamEntry>, DeskError>>),
    /// The same entries with the sites of activations that are in memory.
    Place(Vec<StreamEntry>, oneshot::Sender<Vec<StreamEntry>>),
    /// An act with the actor's reference still unresolved.
    Act(Request, oneshot::Sender<Verdict>),
    /// A press through the API.
    Raise(RaiseRequest, oneshot::Sender<Verdict>),
    /// An answer through a link.
    AnswerLink {
        /// The link's token.
        token: String,
        /// What was chosen.
        reply: Reply,
        /// Whether a hand was seen.
        gesture: escalation::acknowledgement::Gesture,
        /// Where the verdict goes; `None` is an unknown or lapsed link.
        done: oneshot::Sender<Option<Verdict>>,
    },
    /// A directory that was read: adopted where it differs from the one in force.
    Adopt(Box<(Draft, Digest)>, oneshot::Sender<Verdict>),
    /// Safe words that were read: from here on these count.
    Words(SafeWords, oneshot::Sender<()>),
    /// Answered as soon as the watch has turned once more: proof of life.
    Turn(oneshot::Sender<Timestamp>),
}

/// Somebody, and what entries hold in the place of what is said of them.
#[derive(Clone, Debug)]
pub struct About {
    /// Who.
    pub person: PersonId,
    /// The digests.
    pub values: Vec<Digest>,
    /// Everybody whom the directory knows or knew.
    pub(crate) vault: Arc<Vault>,
}

/// An act through the API, as the caller worded it.
#[derive(Clone, Debug)]
pub struct Request {
    /// On which activation.
    pub activation: ActivationId,
    /// The key or session.
    pub principal: String,
    /// The person's id or name that the caller says acts.
    pub actor: Option<String>,
    /// The caller's `Idempotency-Key`.
    pub idempotency_key: Option<String>,
    /// `If-Match`.
    pub seen: Option<u64>,
    /// Whose things the key may touch; outside of it the activation does not exist.
    pub scope: Scope,
    /// What.
    pub act: Act,
}

/// Buttons to be put on test, or taken off it.
#[derive(Clone, Debug)]
pub struct TestRequest {
    /// The key or session.
    pub principal: String,
    /// The person's id or name that the caller says acts.
    pub actor: Option<String>,
    /// Whose things the key may touch.
    pub scope: Scope,
    /// At which site.
    pub site: SiteId,
    /// Which buttons or places there.
    pub devices: Vec<String>,
    /// Who presses them and for how long at most; `None` takes them off test.
    pub on: Option<(String, Seconds)>,
}

/// Buttons to be taken out of service, or put back.
#[derive(Clone, Debug)]
pub struct ServiceRequest {
    /// The key or session.
    pub principal: String,
    /// The person's id or name that the caller says acts.
    pub actor: Option<String>,
    /// Whose things the key may touch.
    pub scope: Scope,
    /// At which site.
    pub site: SiteId,
    /// Which buttons or places there.
    pub devices: Vec<String>,
    /// How they are out of it; `None` puts them back.
    pub out: Option<Withdrawal>,
}

/// How buttons are out of service.
#[derive(Clone, Debug)]
pub struct Withdrawal {
    /// Name or id of the person who looks after them.
    pub keeper: String,
    /// Which button or place at the same site is used instead; `None` is a phone.
    pub instead: Option<String>,
    /// What is wrong with them.
    pub why: Defect,
    /// For how long at most.
    pub span: Seconds,
}

/// A ladder to be drilled.
#[derive(Clone, Debug)]
pub struct DrillRequest {
    /// The key or session.
    pub principal: String,
    /// The person's id or name that the caller says acts.
    pub actor: Option<String>,
    /// Whose things the key may touch.
    pub scope: Scope,
    /// At which site.
    pub site: SiteId,
    /// The ladder of which button or place there; `None` is the site's own.
    pub device: Option<String>,
    /// For how long at most.
    pub span: Seconds,
    /// What it is for.
    pub note: Option<String>,
}

/// A press through the API: from an app, or by an operator on someone's behalf.
#[derive(Clone, Debug)]
pub struct RaiseRequest {
    /// The key or session.
    pub principal: String,
    /// Who the caller says presses.
    pub actor: Option<String>,
    /// Whose things the key may touch.
    pub scope: Scope,
    /// At which site.
    pub site: SiteId,
    /// Which device or place there; a name that nobody registered becomes an unregistered device.
    pub device: String,
    /// What kind, if said.
    pub kind: Option<Kind>,
    /// Words with it.
    pub note: Option<String>,
    /// The caller's id for it: the same again within 24 h joins.
    pub id: Option<String>,
    /// The request's body, kept as evidence.
    pub body: Vec<u8>,
}

/// How the station is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// Replay is done and inputs are taken.
    pub started: bool,
    /// The record takes entries; `false` while they go to the spool.
    pub record_reachable: bool,
    /// Entries in the spool.
    pub spooled: u64,
    /// Entries in the record.
    pub size: u64,
    /// When the last entry was written.
    pub last_at: Timestamp,
    /// How far it has come with what anchors wait for.
    pub milestones: Milestones,
    /// Activations that are not closed, drills left out.
    pub open: u64,
    /// Drills that are not over.
    pub drills: u64,
    /// Messages owed and not yet reported.
    pub owed: u64,
    /// Lag of the last deadline, in milliseconds.
    pub lag_ms: u64,
    /// A directory is in force.
    pub directory: bool,
    /// Troubles that are open.
    pub troubles: u64,
    /// Those of them that are times ahead at which nobody would be told.
    pub gaps: u64,
    /// Drills of schedules that were missed since the record began.
    pub drills_missed: u64,
    /// Drills of schedules that nobody answered since the record began.
    pub drills_unanswered: u64,
    /// Counters since start, for metrics.
    pub totals: Totals,
}

/// Counters since the start of the process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Inputs decided.
    pub inputs: u64,
    /// Appends committed.
    pub appends: u64,
    /// Entries committed.
    pub entries: u64,
    /// Activations raised, drills left out.
    pub raised: u64,
    /// Drills started.
    pub drills: u64,
    /// Ladders exhausted, those of drills left out.
    pub exhausted: u64,
    /// Messages that no provider took, by reason.
    pub failed: std::collections::BTreeMap<&'static str, u64>,
}

/// Why a look could not be answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DeskError {
    /// The process is going down.
    #[error("the station is stopping")]
    Stopping,
    /// The record could not be read.
    #[error("the record could not be read: {0}")]
    Record(String),
    /// A cursor that this station did not make.
    #[error("that cursor is not one of ours; start again without it")]
    Cursor,
}

/// The watch's ends of a desk.
pub struct Counter {
    /// Inputs, in order of arrival.
    pub inputs: mpsc::Receiver<Knock>,
    /// Questions.
    pub looks: mpsc::Receiver<Look>,
    /// Where committed entries go.
    pub stream: broadcast::Sender<Arc<StreamEntry>>,
    /// Where health is posted.
    pub health: watch::Sender<Health>,
}

/// Makes a desk and the watch's ends of it.
pub fn desk() -> (Desk, Counter) {
    let (inputs_in, inputs) = mpsc::channel(INPUTS_MAX);
    let (looks_in, looks) = mpsc::channel(LOOKS_MAX);
    let (stream, _) = broadcast::channel(STREAM_MAX);
    let (health_in, health) = watch::channel(Health::default());
    let desk = Desk { inputs: inputs_in, looks: looks_in, stream: stream.clone(), health };
    (desk, Counter { inputs, looks, stream, health: health_in })
}

impl Desk {
    /// Hands in what happened and waits until it is durable, refused or not taken.
    pub async fn submit(&self, input: Input) -> Verdict {
        let (reply, verdict) = oneshot::channel();
        match self.inputs.try_send(Knock { input, reply }) {
            Ok(()) => verdict.await.unwrap_or(Verdict::NotTaken(NotTaken::Stopping)),
            Err(mpsc::error::TrySendError::Full(_)) => Verdict::NotTaken(NotTaken::Overloaded),
            Err(mpsc::error::TrySendError::Closed(_)) => Verdict::NotTaken(NotTaken::Stopping),
        }
    }

    /// The same as a function that other rooms can hold without knowing this one.
    pub fn submitter(&self) -> Submit {
        let desk = self.clone();
        Arc::new(move |input| {
            let desk = desk.clone();
            Box::pin(async move { desk.submit(input).await })
        })
    }

    /// A page of activations, newest first.
    pub async fn list(&self, query: Query) -> Result<Page, DeskError> {
        self.look(|done| Look::List(query, done)).await?
    }

    /// One activation in full; `None` where it does not exist within the scope. That it was shown is noted.
    pub async fn activation(&self, id: ActivationId, scope: Scope, onlooker: Onlooker) -> Result<Option<Detail>, DeskError> {
        self.look(|done| Look::Activation(id, scope, onlooker, done)).await?
    }

    /// How one activation stands; `None` where it does not exist within the scope. What is in memory needs no record.
    pub async fn card(&self, id: ActivationId, scope: Scope) -> Result<Option<Card>, DeskError> {
        self.look(|done| Look::Card(id, scope, done)).await?
    }

    /// Everything that the record has of one activation; `None` where it does not exist within the scope.
    pub(crate) async fn dossier(&self, id: ActivationId, scope: Scope, purpose: Purpose) -> Result<Option<Dossier>, DeskError> {
        self.look(|done| Look::Evidence(id, scope, purpose, done)).await?
    }

    /// Notes that somebody is handed a bundle of this activation.
    pub(crate) async fn handed(&self, card: Card, onlooker: Onlooker) -> Result<(), DeskError> {
        self.look(|done| Look::Handed(Box::new(card), onlooker, done)).await
    }

    /// Somebody, and what is said of them; `None` where nobody was ever called so.
    pub(crate) async fn about(&self, text: String) -> Result<Option<About>, DeskError> {
        self.look(|done| Look::About(text, done)).await?
    }

    /// Deletes private values that the record says are erased.
    pub(crate) async fn delete(&self, deletion: Deletion) -> Result<Result<(), NotDeleted>, DeskError> {
        self.look(|done| Look::Delete(deletion, done)).await
    }

    /// How many activations are open within a scope, drills left out; from memory.
    pub async fn count(&self, scope: Scope) -> Result<u64, DeskError> {
        if scope.is_everything() {
            return Ok(self.health.borrow().open);
        }
        self.look(|done| Look::Count(scope, done)).await
    }

    /// Registered devices within a scope.
    pub async fn devices(&self, scope: Scope) -> Result<Vec<DeviceView>, DeskError> {
        self.look(|done| Look::Devices(scope, done)).await
    }

    /// Whom the ladders within a scope may tell, and who of them was ever heard from. That it was shown is noted.
    pub async fn people(&self, scope: Scope, onlooker: Onlooker) -> Result<Vec<PersonView>, DeskError> {
        self.look(|done| Look::People(scope, onlooker, done)).await
    }

    /// Notes that somebody is about to be shown this.
    pub async fn seen(&self, of: ViewOf, scope: Scope, onlooker: Onlooker) -> Result<(), DeskError> {
        self.look(|done| Look::Seen(of, scope, onlooker, done)).await
    }

    /// What the record says of its readers, the newest first; `None` where the activation does not exist within the scope.
    pub async fn views(&self, asked: ViewsAsked) -> Result<Option<ViewsPage>, DeskError> {
        self.look(|done| Look::Views(asked, done)).await?
    }

    /// What the directory says of the places within a scope, for whoever works out what a press there would do.
    pub async fn coverage(&self, scope: Scope) -> Result<CoverageView, DeskError> {
        self.look(|done| Look::Coverage(scope, done)).await
    }

    /// What is watched, where the directory in force is of another version than this one.
    pub(crate) async fn watchlist(&self, known: u32) -> Result<Option<Watchlist>, DeskError> {
        self.look(|done| Look::Watchlist(known, done)).await
    }

    /// Buttons on test within a scope.
    pub async fn tests(&self, scope: Scope) -> Result<Vec<TestView>, DeskError> {
        self.look(|done| Look::Tests(scope, done)).await
    }

    /// Puts buttons on test, or takes them off it.
    pub async fn test(&self, request: TestRequest) -> Result<Verdict, DeskError> {
        self.look(|done| Look::Test(request, done)).await
    }

    /// Buttons out of service within a scope.
    pub async fn out_of_service(&self, scope: Scope) -> Result<Vec<WithdrawalView>, DeskError> {
        self.look(|done| Look::OutOfService(scope, done)).await
    }

    /// Takes buttons out of service, or puts them back.
    pub async fn service(&self, request: ServiceRequest) -> Result<Verdict, DeskError> {
        self.look(|done| Look::Service(request, done)).await
    }

    /// The rosters within a scope, and who is on duty.
    pub async fn duty(&self, scope: Scope) -> Result<Vec<RosterView>, DeskError> {
        self.look(|done| Look::Duty(scope, done)).await
    }

    /// Puts one person in the place of another, or the other back on duty.
    pub async fn stand_in(&self, request: StandInRequest) -> Result<Verdict, DeskError> {
        self.look(|done| Look::StandIn(request, done)).await
    }

    /// The desks within a scope, and whether anybody is at them.
    pub async fn desks(&self, scope: Scope) -> Result<Vec<DeskView>, DeskError> {
        self.look(|done| Look::Desks(scope, done)).await
    }

    /// Somebody says that they are at a desk, for the next [`crate::consoles::WORD_HOLDS`], or that they leave it.
    pub async fn seat(&self, request: SeatRequest) -> Result<Verdict, DeskError> {
        self.look(|done| Look::Seat(request, done)).await
    }

    /// The schedules of drills within a scope.
    pub async fn schedules(&self, scope: Scope) -> Result<Timetable, DeskError> {
        self.look(|done| Look::Schedules(scope, done)).await
    }

    /// Drills a ladder.
    pub async fn drill(&self, request: DrillRequest) -> Result<Verdict, DeskError> {
        self.look(|done| Look::Drill(request, done)).await
    }

    /// Open troubles within a scope.
    pub async fn troubles(&self, scope: Scope) -> Result<Vec<TroubleView>, DeskError> {
        self.look(|done| Look::Troubles(scope, done)).await
    }

    /// What a responder's link shows; `None` where it is unknown or has lapsed.
    pub async fn responder(&self, token: &str) -> Result<Option<ResponderView>, DeskError> {
        self.look(|done| Look::Responder(token.to_owned(), done)).await
    }

    /// Answers through a link; `None` where it is unknown or has lapsed.
    pub async fn answer_link(
        &self,
        token: &str,
        reply: Reply,
        gesture: escalation::acknowledgement::Gesture,
    ) -> Result<Option<Verdict>, DeskError> {
        self.look(|done| Look::AnswerLink { token: token.to_owned(), reply, gesture, done }).await
    }

    /// Acts on an activation.
    pub async fn act(&self, request: Request) -> Result<Verdict, DeskError> {
        self.look(|done| Look::Act(request, done)).await
    }

    /// Raises an activation.
    pub async fn raise(&self, request: RaiseRequest) -> Result<Verdict, DeskError> {
        self.look(|done| Look::Raise(request, done)).await
    }

    /// Offers a directory that was read from a file with this digest.
    pub async fn adopt(&self, draft: Draft, digest: Digest) -> Result<Verdict, DeskError> {
        self.look(|done| Look::Adopt(Box::new((draft, digest)), done)).await
    }

    /// Takes up safe words in place of those before. They are kept in memory alone.
    pub async fn take_words(&self, words: SafeWords) -> Result<(), DeskError> {
        self.look(|done| Look::Words(words, done)).await
    }

    /// At most `limit` entries after `seq`, within a scope, for a stream that resumes.
    pub async fn since(&self, seq: u64, limit: usize, scope: Scope) -> Result<Vec<StreamEntry>, DeskError> {
        let entries = self.look(|done| Look::Since(seq, limit, done)).await??;
        // Read first, placed then: the watch looks up only what was read.
        let mut placed = self.look(|done| Look::Place(entries, done)).await?;
        placed.retain(|entry| scope.permits_entry(entry));
        Ok(placed)
    }

    /// Entries as they become durable, of every customer: the reader filters by its scope.
    pub fn follow(&self) -> broadcast::Receiver<Arc<StreamEntry>> {
        self.stream.subscribe()
    }

    /// How the station is; changes wake the receiver.
    pub fn health(&self) -> watch::Receiver<Health> {
        self.health.clone()
    }

    /// Waits until the watch has turned once more.
    pub async fn turn(&self) -> Result<Timestamp, DeskError> {
        self.look(Look::Turn).await
    }

    async fn look<T>(&self, ask: impl FnOnce(oneshot::Sender<T>) -> Look) -> Result<T, DeskError> {
        let (done, answer) = oneshot::channel();
        self.looks.send(ask(done)).await.map_err(|_| DeskError::Stopping)?;
        answer.await.map_err(|_| DeskError::Stopping)
    }
}

/// A failure's name in metrics.
pub fn failure_name(failure: Failure) -> &'static str {
    match failure {
        Failure::NoCarrier => "no_carrier",
        Failure::NoAddress => "no_address",
        Failure::Refused => "refused",
        Failure::Unavailable => "unavailable",
        Failure::Credentials => "credentials",
        Failure::Template => "template",
        Failure::Withdrawn => "withdrawn",
    }
}
