//! Everything we record. The `type` of each is its record kind and its name on the stream.
//!
//! Stored events are never changed, only joined by new kinds and by new optional fields. Every duration is resolved
//! here: events carry absolute deadlines, so that applying one needs no arithmetic and no settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::acknowledgement::{Code, Commitment, Disposition, Gesture};
use crate::directory::{Centre, Directory, Person, Standing};
use crate::dispatch::{Purpose, Recipient, Report};
use crate::id::{ActivationId, CarrierName, CentreId, ContactKey, CustomerId, DeviceId, Digest, KeyId, PersonId, PersonVersion};
use crate::ladder::{Ladder, Medium, RungIndex, Who};
use crate::private::{Field, Private};
use crate::signal::{Evidence, Kind, Signal, Style, Unreadable, Verb, Via};
use crate::time::Timestamp;
use crate::trouble::Cause;

/// One thing that is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type")]
pub enum Event {
    /// The station has taken up its work.
    #[serde(rename = "station.started")]
    StationStarted {
        /// The node's name.
        node: String,
        /// The program's version.
        version: String,
        /// The time-zone database's version.
        zones: String,
        /// The station's key: contact keys and links are made with it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<KeyId>,
        /// For how many milliseconds nothing was recorded before, if anything ever was.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        down_ms: Option<u64>,
    },
    /// The wall clock was stepped; no deadline moved.
    #[serde(rename = "clock.stepped")]
    ClockStepped {
        /// By how many microseconds.
        by_us: i64,
    },
    /// The record cannot be reached; what follows is spooled first.
    #[serde(rename = "record.lost")]
    RecordLost {
        /// Counts these episodes from 1; more than a million, taken from the time, where the spool failed as well. References minted meanwhile carry it.
        series: u32,
    },
    /// The record has everything again.
    #[serde(rename = "record.found")]
    RecordFound {},
    /// A directory came into force.
    #[serde(rename = "directory.adopted")]
    DirectoryAdopted {
        /// Counts from 1.
        version: u32,
        /// SHA-256 of the file.
        digest: Digest,
        /// What the rules use.
        directory: Box<Directory>,
        /// People no longer in the file.
        gone: Vec<PersonId>,
        /// Names and addresses of sites and places.
        places: Private,
        /// The time-zone database that resolved its zones.
        zones: String,
    },
    /// A person's details are new or changed.
    #[serde(rename = "person.version")]
    PersonVersioned {
        /// Who.
        id: PersonId,
        /// Address keys and restrictions.
        person: Person,
        /// The directory's own id.
        reference: Private,
        /// The name.
        name: Private,
        /// The mobile number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        mobile: Option<Private>,
        /// The mailbox.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        email: Option<Private>,
    },
    /// Something does not hold what it promises.
    #[serde(rename = "trouble.raised")]
    TroubleRaised {
        /// Whose, where it is one customer's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cust: Option<CustomerId>,
        /// What; also its key.
        cause: Cause,
    },
    /// It does again.
    #[serde(rename = "trouble.cleared")]
    TroubleCleared {
        /// Whose, where it is one customer's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cust: Option<CustomerId>,
        /// What.
        cause: Cause,
    },
    /// A device said something that is not a press: tamper, presence, a cancel with no open activation.
    #[serde(rename = "device.reported")]
    DeviceReported {
        /// Whose, where the site is known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cust: Option<CustomerId>,
        /// Which.
        dev: DeviceId,
        /// What.
        says: DeviceSays,
        /// The message.
        signal: SignalRecord,
    },
    /// A call for help.
    #[serde(rename = "activation.raised")]
    Raised(Box<Raised>),
    /// The same button again. Resets nothing, cancels nothing (I8).
    #[serde(rename = "activation.pressed_again")]
    PressedAgain {
        /// Which activation it joined.
        act: ActivationId,
        /// By which device.
        dev: DeviceId,
        /// How many presses that makes, redeliveries not counted.
        presses: u32,
        /// How it was recognised.
        how: Repeat,
        /// The kind of call it named, if any: it may differ from the one that raised the activation.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        kind: Option<Kind>,
        /// The message.
        signal: SignalRecord,
        /// Who is responsible, where it came through the API.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Doer>,
    },
    /// Someone at the device asked to cancel: a state to verify. Stops nothing.
    #[serde(rename = "activation.cancel_asked")]
    CancelAsked {
        /// Which.
        act: ActivationId,
        /// By which device.
        dev: DeviceId,
        /// The message, without its code.
        signal: SignalRecord,
    },
    /// A human is asked to look before the full ladder: the centre, else rung 1.
    #[serde(rename = "asked.first")]
    AskedFirst {
        /// Which.
        act: ActivationId,
        /// Silence until then starts the full ladder.
        until: Timestamp,
        /// Who is asked.
        parties: Vec<Party>,
    },
    /// A rung was entered: its people are told now.
    #[serde(rename = "rung.entered")]
    RungEntered {
        /// Which.
        act: ActivationId,
        /// Which rung.
        rung: RungIndex,
        /// Why now.
        why: Entry,
        /// Until when it waits.
        until: Timestamp,
        /// Earlier rungs that were overdue and are told together with this one.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        also: Vec<RungIndex>,
        /// By how many milliseconds it is late.
        #[serde(default, skip_serializing_if = "is_zero")]
        late_ms: u64,
        /// The directory that resolved its people.
        directory: u32,
        /// Who is pursued from here on.
        parties: Vec<Party>,
    },
    /// A rung had nobody to tell and took no time (I9).
    #[serde(rename = "rung.passed_over")]
    RungPassedOver {
        /// Which.
        act: ActivationId,
        /// Which rung.
        rung: RungIndex,
        /// Why.
        why: RungSkip,
    },
    /// Somebody will not be tried (any further), and why (I9).
    #[serde(rename = "contact.passed_over")]
    ContactPassedOver {
        /// Which.
        act: ActivationId,
        /// Of which rung.
        rung: RungIndex,
        /// Who.
        who: Who,
        /// Why.
        why: ContactSkip,
    },
    /// A message is owed.
    #[serde(rename = "dispatch.queued")]
    DispatchQueued {
        /// Which.
        act: ActivationId,
        /// Its number within the activation.
        dispatch: u32,
        /// To whom.
        to: Recipient,
        /// By which channel.
        medium: Medium,
        /// What for.
        purpose: Purpose,
        /// For an alarm: whose pursuit, counted from 0 in order of entry, and which of its channel steps.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pursuit: Option<(u16, u16)>,
        /// The code this contact answers with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<Code>,
        /// The station's key, for a message to a person: under it alone the code and the link are known again.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        key: Option<KeyId>,
        /// By how many milliseconds it is late.
        #[serde(default, skip_serializing_if = "is_zero")]
        late_ms: u64,
    },
    /// What became of a message.
    #[serde(rename = "dispatch.reported")]
    DispatchReported {
        /// Which.
        act: ActivationId,
        /// Which message.
        dispatch: u32,
        /// What.
        report: Report,
        /// Until when a receipt is waited for.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        receipt_by: Option<Timestamp>,
        /// Which provider account says so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        provider: Option<CarrierName>,
        /// The provider's id of the message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        provider_ref: Option<String>,
        /// The text as sent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<Private>,
        /// The template it was made from.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        template: Option<String>,
        /// It may have been sent twice.
        #[serde(default, skip_serializing_if = "is_false")]
        possible_duplicate: bool,
        /// How many requests it took.
        tries: u32,
    },
    /// A promised receipt did not come in time: the next channel is tried.
    #[serde(rename = "receipt.overdue")]
    ReceiptOverdue {
        /// Which.
        act: ActivationId,
        /// Which message.
        dispatch: u32,
    },
    /// A human has committed.
    #[serde(rename = "answer.accepted")]
    Accepted {
        /// Which.
        act: ActivationId,
        /// Who, and how they said so.
        by: Responder,
        /// To what.
        commitment: Commitment,
        /// When they should be there, or have verified.
        arrive_by: Timestamp,
        /// Their estimate is beyond the site's limit: the climb goes on beside it.
        #[serde(default, skip_serializing_if = "is_false")]
        climb_on: bool,
        /// It renews a commitment of the same person.
        #[serde(default, skip_serializing_if = "is_false")]
        renewal: bool,
    },
    /// Another human is coming as well.
    #[serde(rename = "answer.joined")]
    Joined {
        /// Which.
        act: ActivationId,
        /// Who.
        by: Responder,
        /// To what.
        commitment: Commitment,
    },
    /// A human cannot.
    #[serde(rename = "answer.declined")]
    Declined {
        /// Which.
        act: ActivationId,
        /// Who.
        by: Responder,
        /// Until when they are left alone, should everybody be told again.
        rests_until: Timestamp,
    },
    /// Something came back that counts for nothing, and why.
    #[serde(rename = "answer.set_aside")]
    AnswerSetAside {
        /// Which, where that could be told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        act: Option<ActivationId>,
        /// From which address, where that could be told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        contact: Option<ContactKey>,
        /// Why.
        why: SetAside,
        /// The climb waits until then for the code that a bare yes lacks.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        pauses_until: Option<Timestamp>,
        /// The words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        text: Option<Private>,
        /// The provider's id of the message.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        provider_ref: Option<String>,
    },
    /// The person committed was asked whether they are still going.
    #[serde(rename = "commitment.questioned")]
    CommitmentQuestioned {
        /// Which.
        act: ActivationId,
        /// Silence until then resumes the climb.
        grace_until: Timestamp,
    },
    /// A commitment ended without an arrival: the climb goes on.
    #[serde(rename = "commitment.lapsed")]
    CommitmentLapsed {
        /// Which.
        act: ActivationId,
        /// Why.
        why: Lapse,
    },
    /// An operator owns it.
    #[serde(rename = "activation.claimed")]
    Claimed {
        /// Which.
        act: ActivationId,
        /// Who.
        by: Doer,
        /// Without an act of theirs it lapses then.
        lapses_at: Timestamp,
    },
    /// The owner did nothing for too long.
    #[serde(rename = "claim.lapsed")]
    ClaimLapsed {
        /// Which.
        act: ActivationId,
    },
    /// Someone moved the climb on.
    #[serde(rename = "activation.escalated")]
    Escalated {
        /// Which.
        act: ActivationId,
        /// Who.
        by: Doer,
        /// To which rung; `None` is everyone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to: Option<RungIndex>,
    },
    /// Every rung was tried and nobody answered. An alarm of its own (I5).
    #[serde(rename = "activation.exhausted")]
    Exhausted {
        /// Which.
        act: ActivationId,
        /// When everybody is told next.
        next: Timestamp,
    },
    /// People are told again.
    #[serde(rename = "round.started")]
    RoundStarted {
        /// Which.
        act: ActivationId,
        /// Counts from 1.
        round: u32,
        /// Whether it is everyone, or only the centre and the last rung.
        everyone: bool,
        /// When the next round is.
        next: Timestamp,
        /// When everyone is told next.
        next_everyone: Timestamp,
        /// Who is pursued in it.
        parties: Vec<Party>,
        /// By how many milliseconds it is late.
        #[serde(default, skip_serializing_if = "is_zero")]
        late_ms: u64,
    },
    /// Somebody wrote something down.
    #[serde(rename = "note.added")]
    NoteAdded {
        /// Which.
        act: ActivationId,
        /// Who.
        by: Doer,
        /// The words.
        text: Private,
    },
    /// It is over.
    #[serde(rename = "activation.closed")]
    Closed {
        /// Which.
        act: ActivationId,
        /// Who said so.
        by: Doer,
        /// With which outcome.
        disposition: Disposition,
        /// And which words.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<Private>,
        /// How many entries it has, this one included: a withheld one shows.
        count: u32,
        /// When it leaves memory.
        archive_at: Timestamp,
    },
    /// It has left memory; lists and late answers are looked up in the record.
    #[serde(rename = "activation.archived")]
    Archived {
        /// Which.
        act: ActivationId,
    },
}

/// A call for help, as recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raised {
    /// Its reference.
    pub act: ActivationId,
    /// Counts a customer's activations without a gap: a withheld one shows.
    pub ord: u32,
    /// Whose.
    pub cust: CustomerId,
    /// By which device.
    pub dev: DeviceId,
    /// How well that device is known.
    pub standing: Standing,
    /// What kind of help.
    pub kind: Kind,
    /// How old the press is.
    pub age: Age,
    /// How it starts.
    pub opening: Opening,
    /// The ladder, frozen.
    pub ladder: Arc<Ladder>,
    /// The directory version it was taken from.
    pub directory: u32,
    /// Above this many seconds the climb goes on beside an accept.
    pub eta_limit_s: u32,
    /// The ladder's centres as they were, for those that a later directory no longer knows.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub centres: BTreeMap<CentreId, Centre>,
    /// Whether the device is told what becomes of its call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feedback: Option<bool>,
    /// The message.
    pub signal: SignalRecord,
    /// Who is responsible, where it was raised through the API.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Doer>,
}

/// How old a press was when it reached us (lifecycle, "Age").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Age {
    /// Fresh, or of an age nobody vouches for.
    Live {
        /// It may have waited up to this many seconds while the link was away.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        up_to_s: Option<u64>,
    },
    /// Old by a proven clock, still dispatched in full.
    Delayed {
        /// Seconds.
        s: u64,
    },
    /// Too old to send everyone at once, or a kept copy that nobody had seen.
    Recovered {
        /// Seconds, where known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        s: Option<u64>,
    },
}

/// How an activation starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opening {
    /// Rung by rung.
    Ladder,
    /// A human is asked first: the centre, else rung 1. Unanswered, the full ladder follows.
    AskFirst,
}

/// What is recorded of a signal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignalRecord {
    /// Which way in.
    pub via: Via,
    /// The sender's client id or gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// MQTT quality of service.
    pub qos: u8,
    /// A copy kept by the broker.
    #[serde(default, skip_serializing_if = "is_false")]
    pub retained: bool,
    /// Marked as possibly sent before.
    #[serde(default, skip_serializing_if = "is_false")]
    pub dup: bool,
    /// Topic and payload.
    pub raw: Private,
    /// SHA-256 of the payload.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload_sha256: Option<Digest>,
    /// Payload size.
    pub payload_bytes: u64,
    /// The sender's id for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The sender's counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sequence: Option<u64>,
    /// The sender's time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pressed_at: Option<Timestamp>,
    /// How it was pressed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub style: Option<Style>,
    /// Why it could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unreadable: Option<Unreadable>,
    /// Words with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Private>,
    /// Where it says it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<Private>,
    /// Battery in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub battery: Option<u8>,
}

impl From<&Signal> for SignalRecord {
    fn from(signal: &Signal) -> Self {
        let Evidence { raw, payload_sha256, payload_bytes } = signal.evidence.clone();
        let (style, unreadable) = match &signal.verb {
            Verb::Press { style, .. } => (*style, None),
            Verb::Unreadable { why } => (None, Some(*why)),
            Verb::Cancel | Verb::Tamper { .. } | Verb::Presence { .. } => (None, None),
        };
        Self {
            via: signal.origin.via,
            client: signal.origin.client.clone(),
            qos: signal.origin.qos,
            retained: signal.origin.retained,
            dup: signal.origin.dup,
            raw,
            payload_sha256,
            payload_bytes,
            id: signal.id.clone(),
            sequence: signal.counter(),
            pressed_at: signal.pressed_at,
            style,
            unreadable,
            note: signal.note.clone(),
            location: signal.location.clone(),
            battery: signal.battery,
        }
    }
}

/// What a device said that is not a press.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceSays {
    /// Opened.
    TamperOn,
    /// Closed again.
    TamperOff,
    /// There.
    Online,
    /// Gone.
    Offline,
    /// Cancel, while nothing of it was open.
    Cancel,
}

/// How a repeat press was recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// The very same message once more: same id, or same counter and time.
    Redelivered,
    /// Within the merge window of the last press: one gesture.
    SameGesture,
    /// Later than that: pressed again.
    Again,
}

/// Why a rung was entered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// The activation was raised.
    Raised,
    /// The rung before waited in vain.
    WaitOver,
    /// Nobody on the rung before was left to wait for.
    NobodyLeft,
    /// Someone moved it on.
    Escalated,
    /// A commitment ended.
    Resumed,
    /// The button was pressed again long after an accept.
    PressedAgain,
}

/// Somebody pursued: a target of a rung with the details that were current when it was entered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// Of which rung.
    pub rung: RungIndex,
    /// Who.
    pub who: Who,
    /// For a person: which details.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonVersion>,
    /// The channel steps that can be tried: fallback in order, together within a step.
    pub steps: Vec<Vec<Channel>>,
}

/// One channel to one party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// Which medium.
    pub medium: Medium,
    /// To whom exactly.
    pub to: Recipient,
}

/// Why a whole rung was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RungSkip {
    /// It resolves to nobody who can be tried.
    Nobody,
    /// Only the centre is on it, and an operator has claimed.
    CentreHasClaimed,
}

/// Why somebody is not tried (any further).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContactSkip {
    /// No longer in any directory.
    Unknown,
    /// None of the rung's channels has an address for them.
    NoAddress,
    /// Every channel failed or stayed without a receipt.
    AllChannelsFailed,
    /// Declined, and rests.
    Resting,
    /// An operator of the centre has claimed already.
    CentreHasClaimed,
    /// The same address is on this rung already.
    SameAddress,
}

/// Why something that came back counts for nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SetAside {
    /// Not a form that counts: free text, a quote, a reaction, an auto-reply.
    NotAnAnswer,
    /// A bare yes without its code.
    CodeMissing,
    /// A code that this phone was never given, or that has lapsed.
    UnknownCode,
    /// From a number that nobody asked.
    UnknownSender,
    /// Sent before the activation was raised.
    BeforeTheAlarm,
    /// No human gesture came with it: a scanner or a preview.
    NoGesture,
    /// An opt-out word.
    OptedOut,
    /// The activation was closed before.
    AlreadyClosed,
    /// The very same message was here before.
    Replayed,
    /// "Verifying" was renewed once already.
    VerifyingSpent,
}

/// Why a commitment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lapse {
    /// Asked whether still going, and silent.
    NoAnswer,
    /// Verifying took too long.
    VerifyingOver,
    /// Withdrawn: declined after accepting.
    Withdrawn,
    /// The button was pressed again more than two minutes after.
    PressedAgain,
}

/// Who answered, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Responder {
    /// A person of the directory.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonVersion>,
    /// The address they answered from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactKey>,
    /// How.
    pub via: AnsweredVia,
    /// Through the API: who is responsible.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Doer>,
    /// The words, by text message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Private>,
    /// The provider's id of the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider_ref: Option<String>,
}

/// How an answer came: part of its quality.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AnsweredVia {
    /// A text message with a code.
    Sms,
    /// The responder's page, with a gesture.
    Link(Gesture),
    /// A key-held API call.
    Api,
}

/// Who is responsible for an act through the API.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Doer {
    /// Key or session.
    pub principal: String,
    /// The name the caller says acted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<Private>,
    /// Keyed digest of that name, by which two people behind one key are told apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor_key: Option<ContactKey>,
    /// The same as a person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// Hash of the caller's idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idempotency: Option<Digest>,
}

impl Doer {
    /// Whether two callers without a person of the directory are one human: the same key, in the same name. A name that was
    /// recorded before names had keys says nothing, and the caller's key alone decides.
    pub(crate) fn is_same_caller(&self, other: &Self) -> bool {
        let tells = |doer: &Self| doer.actor.is_none() || doer.actor_key.is_some();
        self.principal == other.principal && (self.actor_key == other.actor_key || !tells(self) || !tells(other))
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(b: &bool) -> bool {
    !*b
}

impl Event {
    /// The activation it belongs to: its stream in the record.
    pub fn activation(&self) -> Option<&ActivationId> {
        match self {
            Self::Raised(raised) => Some(&raised.act),
            Self::PressedAgain { act, .. }
            | Self::CancelAsked { act, .. }
            | Self::AskedFirst { act, .. }
            | Self::RungEntered { act, .. }
            | Self::RungPassedOver { act, .. }
            | Self::ContactPassedOver { act, .. }
            | Self::DispatchQueued { act, .. }
            | Self::DispatchReported { act, .. }
            | Self::ReceiptOverdue { act, .. }
            | Self::Accepted { act, .. }
            | Self::Joined { act, .. }
            | Self::Declined { act, .. }
            | Self::CommitmentQuestioned { act, .. }
            | Self::CommitmentLapsed { act, .. }
            | Self::Claimed { act, .. }
            | Self::ClaimLapsed { act }
            | Self::Escalated { act, .. }
            | Self::Exhausted { act, .. }
            | Self::RoundStarted { act, .. }
            | Self::NoteAdded { act, .. }
            | Self::Closed { act, .. }
            | Self::Archived { act } => Some(act),
            Self::AnswerSetAside { act, .. } => act.as_ref(),
            Self::StationStarted { .. }
            | Self::ClockStepped { .. }
            | Self::RecordLost { .. }
            | Self::RecordFound {}
            | Self::DirectoryAdopted { .. }
            | Self::PersonVersioned { .. }
            | Self::TroubleRaised { .. }
            | Self::TroubleCleared { .. }
            | Self::DeviceReported { .. } => None,
        }
    }

    /// Who is responsible for it, where it came through the API.
    pub fn doer(&self) -> Option<&Doer> {
        match self {
            Self::Raised(raised) => raised.by.as_ref(),
            Self::PressedAgain { by, .. } => by.as_ref(),
            Self::Accepted { by, .. } | Self::Joined { by, .. } | Self::Declined { by, .. } => by.by.as_ref(),
            Self::Claimed { by, .. } | Self::Escalated { by, .. } | Self::NoteAdded { by, .. } | Self::Closed { by, .. } => Some(by),
            Self::StationStarted { .. }
            | Self::ClockStepped { .. }
            | Self::RecordLost { .. }
            | Self::RecordFound {}
            | Self::DirectoryAdopted { .. }
            | Self::PersonVersioned { .. }
            | Self::TroubleRaised { .. }
            | Self::TroubleCleared { .. }
            | Self::DeviceReported { .. }
            | Self::CancelAsked { .. }
            | Self::AskedFirst { .. }
            | Self::RungEntered { .. }
            | Self::RungPassedOver { .. }
            | Self::ContactPassedOver { .. }
            | Self::DispatchQueued { .. }
            | Self::DispatchReported { .. }
            | Self::ReceiptOverdue { .. }
            | Self::AnswerSetAside { .. }
            | Self::CommitmentQuestioned { .. }
            | Self::CommitmentLapsed { .. }
            | Self::ClaimLapsed { .. }
            | Self::Exhausted { .. }
            | Self::RoundStarted { .. }
            | Self::Archived { .. } => None,
        }
    }

    /// Offers every private text to `seal`, in a fixed order.
    pub fn seal_with(&mut self, seal: &mut dyn FnMut(Field<'_>)) {
        match self {
            Self::DirectoryAdopted { places, .. } => offer(seal, "places", "", Some(places)),
            Self::PersonVersioned { id, reference, name, mobile, email, .. } => {
                let subject = id.to_string();
                offer(seal, "reference", &subject, Some(reference));
                offer(seal, "name", &subject, Some(name));
                offer(seal, "mobile", &subject, mobile.as_mut());
                offer(seal, "email", &subject, email.as_mut());
            }
            Self::Raised(raised) => {
                seal_signal(seal, &mut raised.signal);
                if let Some(by) = &mut raised.by {
                    seal_doer(seal, by);
                }
            }
            Self::PressedAgain { signal, by, .. } => {
                seal_signal(seal, signal);
                if let Some(by) = by {
                    seal_doer(seal, by);
                }
            }
            Self::CancelAsked { signal, .. } | Self::DeviceReported { signal, .. } => seal_signal(seal, signal),
            Self::DispatchReported { text, .. } | Self::AnswerSetAside { text, .. } => offer(seal, "text", "", text.as_mut()),
            Self::Accepted { by, .. } | Self::Joined { by, .. } | Self::Declined { by, .. } => {
                let subject = by.person.map(|p| p.person.to_string()).unwrap_or_default();
                offer(seal, "text", &subject, by.text.as_mut());
                if let Some(doer) = &mut by.by {
                    seal_doer(seal, doer);
                }
            }
            Self::Claimed { by, .. } | Self::Escalated { by, .. } => seal_doer(seal, by),
            Self::NoteAdded { by, text, .. } => {
                seal_doer(seal, by);
                offer(seal, "note", "", Some(text));
            }
            Self::Closed { by, note, .. } => {
                seal_doer(seal, by);
                offer(seal, "note", "", note.as_mut());
            }
            Self::StationStarted { .. }
            | Self::ClockStepped { .. }
            | Self::RecordLost { .. }
            | Self::RecordFound {}
            | Self::TroubleRaised { .. }
            | Self::TroubleCleared { .. }
            | Self::AskedFirst { .. }
            | Self::RungEntered { .. }
            | Self::RungPassedOver { .. }
            | Self::ContactPassedOver { .. }
            | Self::DispatchQueued { .. }
            | Self::ReceiptOverdue { .. }
            | Self::CommitmentQuestioned { .. }
            | Self::CommitmentLapsed { .. }
            | Self::ClaimLapsed { .. }
            | Self::Exhausted { .. }
            | Self::RoundStarted { .. }
            | Self::Archived { .. } => {}
        }
    }
}

fn offer(seal: &mut dyn FnMut(Field<'_>), label: &'static str, subject: &str, text: Option<&mut Private>) {
    if let Some(text) = text {
        seal(Field { label, subject: subject.to_owned(), text });
    }
}

fn seal_signal(seal: &mut dyn FnMut(Field<'_>), signal: &mut SignalRecord) {
    offer(seal, "raw", "", Some(&mut signal.raw));
    offer(seal, "note", "", signal.note.as_mut());
    offer(seal, "location", "", signal.location.as_mut());
}

fn seal_doer(seal: &mut dyn FnMut(Field<'_>), doer: &mut Doer) {
    let subject = doer.person.map(|p| p.to_string()).unwrap_or_default();
    offer(seal, "actor", &subject, doer.actor.as_mut());
}
