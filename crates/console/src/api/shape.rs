//! The API's JSON: what a view becomes outside. Names of fields are a contract.

use escalation::acknowledgement::{Commitment, Disposition};
use escalation::directory::{Mounting, Standing};
use escalation::drilling::Drill;
use escalation::event::{Age, DrillEnd};
use escalation::police::Threshold;
use escalation::time::{Timestamp, Why};
use escalation::word::Word;
use serde::{Serialize, Serializer};
use station::view::{
    Attempt, Card, Detail, DeviceView, Going, Line, PersonView, PlanView, PoliceView, RungView, StepView, TellingView, ToldView,
    TroubleView,
};
use utoipa::ToSchema;

/// One activation.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Activation {
    /// Its reference.
    #[schema(example = "KAL-42")]
    id: String,
    /// climbing, held, accepted, exhausted or closed.
    state: &'static str,
    /// duress, panic, medical, welfare or assist; of a drill `drill`.
    kind: &'static str,
    customer: String,
    customer_name: String,
    site: String,
    site_name: String,
    /// Its name within its site.
    device: String,
    /// Where exactly.
    place: String,
    /// IANA zone of the site.
    timezone: String,
    /// registered, `unknown_device` or `unknown_site`.
    standing: &'static str,
    /// fixed or portable, where known.
    mounting: Option<&'static str>,
    /// RFC 3339, UTC; so are all times.
    #[serde(serialize_with = "time")]
    #[schema(value_type = String)]
    raised_at: Timestamp,
    age: AgeShape,
    /// How often it was pressed.
    presses: u32,
    /// Someone at the device asked to cancel: verify.
    cancel_asked: bool,
    /// Whether the police are needed, and what to say to them.
    police: Option<PoliceShape>,
    /// For whom, where it is for a responder to another call.
    about: Option<AboutShape>,
    /// It is a drill: nobody pressed, nobody is in danger, and no police are to be rung. Absent where it is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    drill: Option<DrillShape>,
    /// The first call of the incident that it belongs to, where others were open at its site when it was raised.
    incident: Option<String>,
    /// The other calls that are open at its site now, the earliest first: closing this one closes none of them.
    beside: Vec<String>,
    /// The rung it stands on, from 1; 0 before the first.
    rung: u16,
    rungs: u16,
    /// When something happens next without anybody doing anything.
    #[serde(serialize_with = "maybe_time")]
    #[schema(value_type = Option<String>)]
    next_at: Option<Timestamp>,
    /// receipt, `rung_wait`, arrival, grace, check, silence, police, hold, `hand_over`, word, `claim_lapse`, round, `drill_over` or archive.
    next_why: Option<&'static str>,
    /// The operator who owns it.
    claimed_by: Option<String>,
    /// Until when that operator holds the ladder.
    #[serde(serialize_with = "maybe_time")]
    #[schema(value_type = Option<String>)]
    held_until: Option<Timestamp>,
    /// Whom they have asked to take over, and who has not done so.
    offered_to: Option<String>,
    /// Who has said that it is over since it was last pressed. It closes nothing.
    said_safe: Vec<SafeShape>,
    /// What the latest word was that somebody gave: safe, duress (whoever gave it is not safe), wrong or unknown. Never shown to a key
    /// that is used where the buttons are, nor in the answer to whoever gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    word: Option<&'static str>,
    /// Its button is on test, and this person is being asked whether it was they.
    asks_tester: Option<String>,
    /// Its button is out of service, and this person, who looks after it, is asked first.
    asks_keeper: Option<String>,
    going: Vec<GoingShape>,
    /// How many people have to accept before the ladder stands still.
    needed: u16,
    #[serde(serialize_with = "maybe_time")]
    #[schema(value_type = Option<String>)]
    closed_at: Option<Timestamp>,
    closed_by: Option<String>,
    disposition: Option<&'static str>,
    /// The entry that last changed it: what `If-Match` takes.
    seq: u64,
}

/// How old the press was when it arrived.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AgeShape {
    /// live, delayed or recovered.
    state: &'static str,
    /// Seconds, where known; for a live one at most so many.
    seconds: Option<u64>,
}

/// The police are needed. Only a person's word makes it `rung`; nothing rings by itself.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct PoliceShape {
    /// needed (the centre has claimed), `ring_now` or rung.
    state: &'static str,
    /// Why, in words.
    threshold: Option<&'static str>,
    /// What to say to them: suburb and state first.
    brief: String,
}

impl From<&PoliceView> for PoliceShape {
    fn from(police: &PoliceView) -> Self {
        Self { state: police.state, threshold: police.threshold.map(Threshold::words), brief: police.brief.clone() }
    }
}

/// A responder who needs help themselves.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AboutShape {
    name: String,
    /// The call to which they went.
    of: String,
}

/// What makes an activation a drill.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct DrillShape {
    /// When it ends by itself.
    #[serde(serialize_with = "time")]
    #[schema(value_type = String)]
    until: Timestamp,
    /// Why it ended by itself, where it did: exhausted (every rung was tried), `time_over`, answered (by a
    /// schedule, and somebody goes) or `real_call`.
    ended: Option<&'static str>,
}

impl From<&Drill> for DrillShape {
    fn from(drill: &Drill) -> Self {
        Self { until: drill.until, ended: drill.ended.map(drill_end) }
    }
}

fn drill_end(why: DrillEnd) -> &'static str {
    match why {
        DrillEnd::Exhausted => "exhausted",
        DrillEnd::TimeOver => "time_over",
        DrillEnd::Answered => "answered",
        DrillEnd::RealCall => "real_call",
    }
}

/// Somebody who has said that it is over.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct SafeShape {
    name: String,
    /// They had arrived: they said what they saw.
    eyes_on: bool,
}

/// Somebody who has committed.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct GoingShape {
    name: String,
    /// going or verifying.
    commitment: &'static str,
    /// When they should be there; absent for a co-responder where one is enough.
    #[serde(serialize_with = "maybe_time")]
    #[schema(value_type = Option<String>)]
    arrive_by: Option<Timestamp>,
    /// Since when they are there.
    #[serde(serialize_with = "maybe_time")]
    #[schema(value_type = Option<String>)]
    arrived_at: Option<Timestamp>,
    /// They were asked there whether they are safe, and did not answer.
    silent: bool,
}

/// One activation in full.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct FullActivation {
    #[serde(flatten)]
    head: Activation,
    /// The frozen ladder and how far it has come.
    ladder: Vec<Rung>,
    /// The action plan of its place, frozen, and how far it was followed.
    plan: Option<PlanShape>,
    /// Every message and what became of it, oldest first.
    attempts: Vec<AttemptShape>,
    /// Everything recorded, oldest first.
    history: Vec<HistoryLine>,
}

/// An action plan, as it was when the activation was raised.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct PlanShape {
    id: String,
    /// As its author counts.
    version: u32,
    /// Absent where that is not said.
    #[serde(skip_serializing_if = "String::is_empty")]
    approved_by: String,
    /// What responders do, then what the centre does.
    steps: Vec<StepShape>,
}

/// One step of an action plan.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct StepShape {
    /// As `POST /api/v1/activations/{id}/step` takes it.
    #[schema(example = "responder 2")]
    step: String,
    /// What is done.
    says: String,
    /// The activation is not closed before it is taken, or passed over for a reason.
    required: bool,
    /// Who took it or passed it over; absent while nobody has.
    by: Option<String>,
    #[serde(serialize_with = "maybe_time")]
    #[schema(value_type = Option<String>)]
    at: Option<Timestamp>,
    /// Why it was not done, where it was passed over.
    skipped: Option<String>,
}

impl From<&PlanView> for PlanShape {
    fn from(plan: &PlanView) -> Self {
        let step = |view: &StepView| StepShape {
            step: view.id.to_string(),
            says: view.says.clone(),
            required: view.required,
            by: view.taken.as_ref().map(|taken| taken.by.clone()),
            at: view.taken.as_ref().map(|taken| taken.at),
            skipped: view.taken.as_ref().and_then(|taken| taken.skipped.clone()),
        };
        Self {
            id: plan.id.to_string(),
            version: plan.version,
            approved_by: plan.approved_by.clone(),
            steps: plan.steps.iter().map(step).collect(),
        }
    }
}

/// One rung of a ladder.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Rung {
    /// From 1.
    number: u16,
    wait_s: u32,
    #[serde(serialize_with = "maybe_time")]
    #[schema(value_type = Option<String>)]
    entered_at: Option<Timestamp>,
    /// Until when the climb stands on it, where it does.
    #[serde(serialize_with = "maybe_time")]
    #[schema(value_type = Option<String>)]
    until: Option<Timestamp>,
    /// Why it was last passed over in 0 s, if it was and has not been entered since.
    passed_over: Option<String>,
    /// How many people it asks for: a number or each, where one is not enough.
    need: Option<String>,
    targets: Vec<Target>,
}

/// One party on a rung.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Target {
    name: String,
    /// Channels in order of fallback; an inner list goes together.
    by: Vec<Vec<&'static str>>,
    /// Why they were not tried any further, if so.
    passed_over: Option<String>,
}

/// One message.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct AttemptShape {
    #[schema(example = "KAL-42.7")]
    dispatch: String,
    to: String,
    medium: &'static str,
    purpose: &'static str,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String)]
    queued_at: Timestamp,
    /// queued, accepted, delivered, undelivered, failed or `no receipt`. Never an answer.
    outcome: &'static str,
    #[serde(serialize_with = "maybe_time")]
    #[schema(value_type = Option<String>)]
    outcome_at: Option<Timestamp>,
    detail: Option<String>,
    provider: Option<String>,
    possible_duplicate: bool,
    late_ms: u64,
}

/// One line of a history.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct HistoryLine {
    seq: u64,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String)]
    at: Timestamp,
    /// The record kind.
    kind: String,
    text: String,
}

/// A page of activations, newest first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct ActivationPage {
    pub(crate) activations: Vec<Activation>,
    /// Ask for more with this; absent on the last page.
    pub(crate) next_cursor: Option<String>,
}

/// One device.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Device {
    site: String,
    /// Its name within its site.
    #[serde(rename = "device")]
    name: String,
    customer: String,
    place: String,
    /// fixed or portable.
    mounting: &'static str,
    #[serde(serialize_with = "maybe_time")]
    #[schema(value_type = Option<String>)]
    last_press: Option<Timestamp>,
    /// When a test press of it last reached a human, who said that it was theirs.
    #[serde(serialize_with = "maybe_time")]
    #[schema(value_type = Option<String>)]
    last_proven: Option<Timestamp>,
    /// Until when it is out of service, where it is: a press asks its keeper first.
    #[serde(serialize_with = "maybe_time")]
    #[schema(value_type = Option<String>)]
    out_of_service_until: Option<Timestamp>,
    /// Its open activation.
    activation: Option<String>,
}

/// The devices in scope.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Devices {
    pub(crate) devices: Vec<Device>,
}

/// Somebody whom a ladder may tell.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Person {
    /// The station's own name for them.
    #[serde(rename = "person")]
    id: String,
    name: String,
    /// Their addresses, the phone first.
    channels: Vec<Channel>,
}

/// One address of somebody.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Channel {
    /// sms (and calls) or email.
    channel: &'static str,
    /// When a human last answered from it: by a reply with a code, a page or a call, also in a drill. Null where nobody knows that
    /// anybody ever did.
    #[serde(serialize_with = "maybe_time")]
    #[schema(value_type = Option<String>)]
    last_answered: Option<Timestamp>,
}

/// The people whom the ladders in scope may tell, whoever was longest not heard from first.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct People {
    pub(crate) people: Vec<Person>,
}

/// One open trouble.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Trouble {
    /// Its cause, as the record writes it: a name, or an object with a name and what it concerns.
    cause: serde_json::Value,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String)]
    since: Timestamp,
    /// What people were told of it, together with others of its kind; left out for keys that may not see whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    telling: Option<Telling>,
}

/// What people were told of a trouble.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Telling {
    /// The reference of the messages, once there are any.
    #[schema(example = "TRB-7")]
    reference: Option<String>,
    /// When people are told next if it lasts; null where nobody is, because there is no technical ladder.
    #[serde(serialize_with = "maybe_time")]
    #[schema(value_type = Option<String>)]
    next_at: Option<Timestamp>,
    /// Who looks after it.
    taken_by: Option<String>,
    /// Nobody could be told when people were last looked for.
    unheard: bool,
    /// Each message, the earliest first.
    messages: Vec<Told>,
}

/// One message about a trouble.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Told {
    to: String,
    /// sms or email.
    medium: &'static str,
    /// `trouble`, `trouble_again`, `trouble_taken` or `trouble_over`.
    purpose: &'static str,
    #[serde(serialize_with = "time")]
    #[schema(value_type = String)]
    queued_at: Timestamp,
    /// queued, accepted, delivered or failed.
    outcome: &'static str,
}

/// The open troubles in scope.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(crate) struct Troubles {
    pub(crate) troubles: Vec<Trouble>,
}

impl From<&Card> for Activation {
    fn from(card: &Card) -> Self {
        Self {
            id: card.id.to_string(),
            state: card.state.as_str(),
            kind: if card.drill.is_some() { "drill" } else { card.kind.as_str() },
            customer: card.customer.to_string(),
            customer_name: card.customer_name.clone(),
            site: card.site.to_string(),
            site_name: card.site_name.clone(),
            device: card.device.name.to_string(),
            place: card.place.clone(),
            timezone: card.timezone.clone(),
            standing: standing(card.standing),
            mounting: card.mounting.map(mounting),
            raised_at: card.raised_at,
            age: age(card.age),
            presses: card.presses,
            cancel_asked: card.cancel_asked,
            police: card.police.as_ref().map(PoliceShape::from),
            drill: card.drill.as_ref().map(DrillShape::from),
            about: card.about.as_ref().map(|about| AboutShape { name: about.name.clone(), of: about.of.to_string() }),
            incident: card.incident.as_ref().map(ToString::to_string),
            beside: card.beside.iter().map(|beside| beside.id.to_string()).collect(),
            rung: card.rung,
            rungs: card.rungs,
            next_at: card.next_at,
            next_why: card.next_why.map(why),
            claimed_by: card.claimed_by.clone(),
            held_until: card.held_until,
            offered_to: card.offered_to.clone(),
            said_safe: card.said_safe.iter().map(|(name, eyes_on)| SafeShape { name: name.clone(), eyes_on: *eyes_on }).collect(),
            word: card.word.map(word),
            asks_tester: card.asks_tester.clone(),
            asks_keeper: card.asks_keeper.clone(),
            going: card.going.iter().map(GoingShape::from).collect(),
            needed: card.needed.people,
            closed_at: card.closed_at,
            closed_by: card.closed_by.clone(),
            disposition: card.disposition.map(disposition),
            seq: card.seq,
        }
    }
}

fn word(word: Word) -> &'static str {
    match word {
        Word::Safe => "safe",
        Word::Duress => "duress",
        Word::Wrong => "wrong",
        Word::Unknown => "unknown",
    }
}

impl From<&Going> for GoingShape {
    fn from(going: &Going) -> Self {
        Self {
            name: going.name.clone(),
            commitment: commitment(going.commitment),
            arrive_by: going.arrive_by,
            arrived_at: going.arrived_at,
            silent: going.silent,
        }
    }
}

impl From<&Detail> for FullActivation {
    fn from(detail: &Detail) -> Self {
        Self {
            head: Activation::from(&detail.card),
            ladder: detail.ladder.iter().map(Rung::from).collect(),
            plan: detail.plan.as_ref().map(PlanShape::from),
            attempts: detail.attempts.iter().map(AttemptShape::from).collect(),
            history: detail.history.iter().map(HistoryLine::from).collect(),
        }
    }
}

impl From<&RungView> for Rung {
    fn from(rung: &RungView) -> Self {
        let target = |target: &station::view::TargetView| Target {
            name: target.name.clone(),
            by: target.by.iter().map(|together| together.iter().map(|medium| medium.as_str()).collect()).collect(),
            passed_over: target.passed_over.clone(),
        };
        Self {
            number: rung.number,
            wait_s: rung.wait_s,
            entered_at: rung.entered_at,
            until: rung.until,
            passed_over: rung.passed_over.clone(),
            need: rung.need.clone(),
            targets: rung.targets.iter().map(target).collect(),
        }
    }
}

impl From<&Attempt> for AttemptShape {
    fn from(attempt: &Attempt) -> Self {
        Self {
            dispatch: attempt.dispatch.to_string(),
            to: attempt.to.clone(),
            medium: attempt.medium.as_str(),
            purpose: attempt.purpose.as_str(),
            queued_at: attempt.queued_at,
            outcome: attempt.outcome,
            outcome_at: attempt.outcome_at,
            detail: attempt.detail.clone(),
            provider: attempt.provider.clone(),
            possible_duplicate: attempt.possible_duplicate,
            late_ms: attempt.late_ms,
        }
    }
}

impl From<&Line> for HistoryLine {
    fn from(line: &Line) -> Self {
        Self { seq: line.seq, at: line.at, kind: line.kind.clone(), text: line.text.clone() }
    }
}

impl From<&DeviceView> for Device {
    fn from(device: &DeviceView) -> Self {
        Self {
            site: device.id.site.to_string(),
            name: device.id.name.to_string(),
            customer: device.customer.to_string(),
            place: device.place.clone(),
            mounting: mounting(device.mounting),
            last_press: device.last_press,
            last_proven: device.last_proven,
            out_of_service_until: device.out_of_service_until,
            activation: device.open.as_ref().map(ToString::to_string),
        }
    }
}

impl From<&PersonView> for Person {
    fn from(person: &PersonView) -> Self {
        Self {
            id: person.id.to_string(),
            name: person.name.clone(),
            channels: person.channels.iter().map(|(medium, at)| Channel { channel: medium.as_str(), last_answered: *at }).collect(),
        }
    }
}

impl TryFrom<&TroubleView> for Trouble {
    type Error = serde_json::Error;
    fn try_from(trouble: &TroubleView) -> Result<Self, serde_json::Error> {
        let telling = trouble.telling.as_ref().map(Telling::from);
        Ok(Self { cause: serde_json::to_value(&trouble.cause)?, since: trouble.since, telling })
    }
}

impl From<&TellingView> for Telling {
    fn from(telling: &TellingView) -> Self {
        let told = |told: &ToldView| Told {
            to: told.to.clone(),
            medium: told.medium.as_str(),
            purpose: told.purpose.as_str(),
            queued_at: told.queued_at,
            outcome: told.outcome,
        };
        Self {
            reference: telling.reference.clone(),
            next_at: telling.next_at,
            taken_by: telling.taken_by.clone(),
            unheard: telling.unheard,
            messages: telling.messages.iter().map(told).collect(),
        }
    }
}

pub(super) fn time<S: Serializer>(at: &Timestamp, sink: S) -> Result<S::Ok, S::Error> {
    sink.collect_str(at)
}

#[expect(clippy::ref_option, reason = "the signature is serde's")]
pub(super) fn maybe_time<S: Serializer>(at: &Option<Timestamp>, sink: S) -> Result<S::Ok, S::Error> {
    match at {
        Some(at) => sink.collect_str(at),
        None => sink.serialize_none(),
    }
}

fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Registered => "registered",
        Standing::UnknownDevice => "unknown_device",
        Standing::UnknownSite => "unknown_site",
    }
}

fn mounting(mounting: Mounting) -> &'static str {
    match mounting {
        Mounting::Fixed => "fixed",
        Mounting::Portable => "portable",
    }
}

fn commitment(commitment: Commitment) -> &'static str {
    match commitment {
        Commitment::Going => "going",
        Commitment::Verifying => "verifying",
    }
}

fn age(age: Age) -> AgeShape {
    let (state, seconds) = match age {
        Age::Live { up_to_s } => ("live", up_to_s),
        Age::Delayed { s } => ("delayed", Some(s)),
        Age::Recovered { s } => ("recovered", s),
    };
    AgeShape { state, seconds }
}

fn why(why: Why) -> &'static str {
    match why {
        Why::Receipt => "receipt",
        Why::RungWait => "rung_wait",
        Why::Arrival => "arrival",
        Why::Grace => "grace",
        Why::Check => "check",
        Why::Police => "police",
        Why::Silence => "silence",
        Why::Hold => "hold",
        Why::HandOver => "hand_over",
        Why::Word => "word",
        Why::ClaimLapse => "claim_lapse",
        Why::Round => "round",
        Why::DrillOver => "drill_over",
        Why::Archive => "archive",
        Why::Trouble => "trouble",
    }
}

/// As the API and the record write it.
pub(crate) fn disposition(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Attended => "attended",
        Disposition::PoliceAttended => "police_attended",
        Disposition::ResolvedByStaff => "resolved_by_staff",
        Disposition::PressedInGoodFaith => "pressed_in_good_faith",
        Disposition::Unintended => "unintended",
        Disposition::Test => "test",
        Disposition::Fault => "fault",
        Disposition::Medical => "medical",
        Disposition::CouldNotVerify => "could_not_verify",
    }
}
