//! Everything we record. The `type` of each is its record kind and its name on the stream.
//!
//! Stored events are never changed, only joined by new kinds and by new optional fields. Every duration is resolved
//! here: events carry absolute deadlines, so that applying one needs no arithmetic and no settings.

mod again;
mod attribution;
mod desk_end;
mod doer;
mod drill_end;
mod erasable;
mod party;
mod raised;
mod reader;
mod responder;
mod sealing;
mod signal_record;
mod successor;
mod telling;
mod tenure;
mod viewed;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

pub use self::again::Again;
pub use self::desk_end::DeskEnd;
pub use self::doer::Doer;
pub use self::drill_end::DrillEnd;
pub use self::erasable::Erasable;
pub use self::party::{Channel, ContactSkip, Entry, OnDuty, Party, RungSkip};
pub use self::raised::{About, Age, Opening, Raised, Scheduled};
pub use self::reader::Reader;
pub use self::responder::{AnsweredVia, CoResponder, Lapse, Responder, SetAside};
pub use self::signal_record::{DeviceSays, Repeat, SignalRecord};
pub use self::successor::Successor;
pub use self::telling::Telling;
pub use self::tenure::{HandOverEnd, HoldEnd};
pub use self::viewed::{ViewOf, Viewed, Viewer, Way};
use crate::acknowledgement::{Code, Commitment, Disposition};
use crate::anchor::Receipt;
use crate::directory::reach::Whose;
use crate::directory::{Directory, Person};
use crate::dispatch::{Purpose, Recipient, Report};
use crate::id::{
    ActivationId, AnchorName, CarrierName, CentreId, ContactKey, CustomerId, DeviceId, Digest, KeyId, LadderId, PersonId, PersonVersion,
    PlanId, RosterId, ScheduleId, SiteId,
};
use crate::ladder::{Medium, RungIndex, Who};
use crate::matter::Topic;
use crate::out_of_service::Defect;
use crate::plan::StepId;
use crate::police::Threshold;
use crate::private::{Field, Private};
use crate::schedule::Missed;
use crate::signal::Kind;
use crate::time::Timestamp;
use crate::trouble::Cause;
use crate::word::Word;

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
        /// References that entries which never reached the record have given to people: none of them, and none before it of its
        /// series, is given again.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        given: Vec<ActivationId>,
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
    /// Written every few minutes where the record is signed: nothing between two of them is missing, and the watch was there.
    #[serde(rename = "tick")]
    Ticked {
        /// Activations that are open.
        open: u32,
        /// Messages that are owed.
        owed: u32,
        /// Registered devices.
        devices: u32,
        /// How many of them said that they are not there.
        absent: u32,
        /// Troubles that are open.
        troubles: u32,
        /// By how many microseconds the wall clock is ahead of the time in this record.
        wall_ahead_us: i64,
    },
    /// Other keys sign the record from here on: at the first start with a key, in a rotation, after a recovery.
    #[serde(rename = "record.signed_by")]
    SignedBy {
        /// The public key that signs, as verifiers need it.
        key: String,
        /// The one before it, while both sign.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<String>,
        /// After a recovery: the last checkpoint under the name before this one, which this record may fall short of.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        succeeds: Option<String>,
    },
    /// A place outside took a checkpoint of this record: what is before it can no longer be changed unseen by whoever has that.
    #[serde(rename = "checkpoint.anchored")]
    CheckpointAnchored {
        /// Which place, by its name in the settings.
        anchor: AnchorName,
        /// Under which name the record was signed.
        origin: String,
        /// How many entries the checkpoint covers.
        size: u64,
        /// Its root.
        root: Digest,
        /// By what it is known that it was taken: `smtp` with the `message_id` of the mail, `http` with the `status` of the answer and the `id` that was posted, `puback`, or `rfc3161` with the time `at` and the `serial` that the authority's stamp says and the stamp itself, `token`: its whole reply in base64.
        receipt: Receipt,
    },
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
    /// People are told of a trouble that lasts, by a notice; the messages are entries of their own.
    #[serde(rename = "trouble.told")]
    TroubleTold {
        /// The notice's reference.
        act: ActivationId,
        /// The customer who may see it, because its own technical ladder is told; left out where the operator's is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cust: Option<CustomerId>,
        /// The customer whose technical ladder heard of it first; left out where that was the operator's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        of: Option<CustomerId>,
        /// What kind of trouble.
        topic: Topic,
        /// The cause that the message names.
        cause: Cause,
        /// How many others of that kind are open.
        more: u32,
        /// Since when any of them is.
        opened: Timestamp,
        /// Of which technical ladder.
        ladder: LadderId,
        /// Which rung.
        rung: RungIndex,
        /// Why now.
        why: Telling,
        /// When the next rung is told, or everybody again.
        until: Timestamp,
        /// Who is tried; nobody where nobody could be.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        parties: Vec<Party>,
    },
    /// Somebody says whether they look after a trouble.
    #[serde(rename = "trouble.answered")]
    TroubleAnswered {
        /// The notice's reference.
        act: ActivationId,
        /// Who.
        by: Responder,
        /// Whether they do.
        takes: bool,
        /// When the next people are told, or everybody again, if it lasts.
        until: Timestamp,
    },
    /// A trouble that people were told of is over for long enough: they are told so.
    #[serde(rename = "trouble.over")]
    TroubleOver {
        /// The notice's reference.
        act: ActivationId,
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
    /// A button is on test: one press of it asks the tester first.
    #[serde(rename = "test.started")]
    TestStarted {
        /// Whose.
        cust: CustomerId,
        /// Which button.
        dev: DeviceId,
        /// Who presses it.
        tester: PersonVersion,
        /// Who put it on test.
        by: Doer,
        /// From when on it is said that it ends.
        warn_at: Timestamp,
        /// When it ends by itself, unless it is pressed before.
        until: Timestamp,
    },
    /// Somebody took a button off test.
    #[serde(rename = "test.ended")]
    TestEnded {
        /// Whose, where the site is known still.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cust: Option<CustomerId>,
        /// Which button.
        dev: DeviceId,
        /// Who.
        by: Doer,
    },
    /// A button is out of service: a press of it asks its keeper first.
    #[serde(rename = "device.out_of_service")]
    OutOfService {
        /// Whose.
        cust: CustomerId,
        /// Which button.
        dev: DeviceId,
        /// Who looks after it meanwhile.
        keeper: PersonVersion,
        /// Which button people there use instead; without one, a phone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instead: Option<DeviceId>,
        /// What is wrong with it.
        why: Defect,
        /// Who took it out of service.
        by: Doer,
        /// From when on it is said that it ends.
        warn_at: Timestamp,
        /// When it ends by itself.
        until: Timestamp,
    },
    /// Somebody put a button back into service.
    #[serde(rename = "device.in_service")]
    InService {
        /// Whose, where the site is known still.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cust: Option<CustomerId>,
        /// Which button.
        dev: DeviceId,
        /// Who.
        by: Doer,
    },
    /// Somebody stands in for somebody else on a roster.
    #[serde(rename = "duty.stand_in")]
    StandInSaid {
        /// Whose, where the roster is for one customer alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cust: Option<CustomerId>,
        /// Whose all of it is where it is not: once it is for anybody else, whoever stands in is not told of theirs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        whose: Option<Whose>,
        /// On which roster.
        roster: RosterId,
        /// Who would be on duty.
        off: PersonId,
        /// Who is on duty instead.
        on: PersonId,
        /// From when.
        from: Timestamp,
        /// Until when.
        until: Timestamp,
        /// Who said so.
        by: Doer,
    },
    /// Whoever was stood in for is back on duty before the time was over.
    #[serde(rename = "duty.stand_in_over")]
    StandInOver {
        /// Whose, where the roster was for one customer alone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cust: Option<CustomerId>,
        /// Whose all of it was where it was not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        whose: Option<Whose>,
        /// On which roster.
        roster: RosterId,
        /// Who was stood in for.
        off: PersonId,
        /// From when that was.
        from: Timestamp,
        /// Who said so.
        by: Doer,
    },
    /// Somebody is at the desk of a centre from here on. What is said again while it lasts is no entry.
    #[serde(rename = "desk.armed")]
    DeskArmed {
        /// Of which centre.
        centre: CentreId,
        /// Who said so.
        by: Doer,
    },
    /// Nobody is at the desk of a centre any more: rungs that wait for it alone go on, and those that name it pass it over.
    #[serde(rename = "desk.unarmed")]
    DeskUnarmed {
        /// Of which centre.
        centre: CentreId,
        /// Why.
        why: DeskEnd,
        /// Who said so, where somebody did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Doer>,
    },
    /// A drill of a schedule was due and could not be held. It is never caught up.
    #[serde(rename = "drill.missed")]
    DrillMissed {
        /// Whose.
        cust: CustomerId,
        /// By which schedule of the directory.
        schedule: ScheduleId,
        /// At which site.
        site: SiteId,
        /// The day, by the clock on the wall there; the last one, where several are told of at once.
        day: Date,
        /// When its window opened.
        due: Timestamp,
        /// How many days were missed, that one among them.
        count: u32,
        /// Why.
        why: Missed,
    },
    /// The tester said whether a press was theirs.
    #[serde(rename = "test.answered")]
    TestAnswered {
        /// Which activation it had raised.
        act: ActivationId,
        /// Of which button.
        dev: DeviceId,
        /// Who says so.
        by: Responder,
        /// Whether it was: then the button is proven and the call is over. Otherwise the ladder begins.
        theirs: bool,
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
        /// How many people have to accept, where it is more than one: what the ladder asks for first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        need: Option<u16>,
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
        /// The directory that resolved its people; the one whose rungs and waits hold is in the raise.
        directory: u32,
        /// Who is pursued from here on.
        parties: Vec<Party>,
        /// What the rosters of the rung said.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        duty: Vec<OnDuty>,
        /// How many people have to accept from here on before the climb stands still, where one is not enough.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        need: Option<u16>,
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
        /// Their estimate is beyond the site's limit: where more than one is needed they do not count.
        #[serde(default, skip_serializing_if = "is_false")]
        far: bool,
        /// When they should be there, or have verified: where more than one is needed they are asked then.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        arrive_by: Option<Timestamp>,
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
    /// A responder is at the place, or says once more that they are safe there.
    #[serde(rename = "answer.arrived")]
    Arrived {
        /// Which.
        act: ActivationId,
        /// Who.
        by: Responder,
        /// When they are asked whether they are safe.
        ask_at: Timestamp,
        /// Without a word until then somebody is sent to them.
        silent_at: Timestamp,
        /// They had arrived before.
        #[serde(default, skip_serializing_if = "is_false")]
        renewal: bool,
    },
    /// A responder who has arrived was asked whether they are safe.
    #[serde(rename = "check.asked")]
    SafetyAsked {
        /// Which.
        act: ActivationId,
        /// Whose arrival, counted from 0 in order.
        arrival: u16,
        /// Silence until then sends somebody to them.
        silent_at: Timestamp,
    },
    /// They did not answer: a call was raised for them.
    #[serde(rename = "check.silent")]
    FellSilent {
        /// Which.
        act: ActivationId,
        /// Whose arrival.
        arrival: u16,
        /// The call for them.
        raised: ActivationId,
    },
    /// Somebody says that the police are needed.
    #[serde(rename = "police.needed")]
    PoliceNeeded {
        /// Which.
        act: ActivationId,
        /// Who.
        by: Responder,
        /// Why, where they said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        threshold: Option<Threshold>,
        /// Unless somebody says by then that they have rung, people are told to.
        ring_by: Timestamp,
    },
    /// Nobody has said that they have rung the police.
    #[serde(rename = "police.unrung")]
    PoliceUnrung {
        /// Which.
        act: ActivationId,
        /// Whether people are told to ring; a centre that has claimed has one minute more.
        told: bool,
        /// When that is asked again.
        next: Timestamp,
    },
    /// Somebody says that the police have been rung.
    #[serde(rename = "police.rung")]
    PoliceRung {
        /// Which.
        act: ActivationId,
        /// Who says so.
        by: Responder,
        /// Why, where they said.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        threshold: Option<Threshold>,
        /// Who rang.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        called_by: Option<Private>,
        /// The reference that the police gave.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reference: Option<Private>,
        /// When, as they say.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        called_at: Option<Timestamp>,
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
    /// Somebody who has committed was asked whether they are still going.
    #[serde(rename = "commitment.questioned")]
    CommitmentQuestioned {
        /// Which.
        act: ActivationId,
        /// Silence until then ends the commitment.
        grace_until: Timestamp,
        /// Whose, where it is not the first one's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        whose: Option<CoResponder>,
    },
    /// A commitment ended without an arrival: the climb goes on, unless enough others are going.
    #[serde(rename = "commitment.lapsed")]
    CommitmentLapsed {
        /// Which.
        act: ActivationId,
        /// Why.
        why: Lapse,
        /// Whose, where it is not the first one's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        whose: Option<CoResponder>,
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
    /// The owner bought time: the people of the ladder are left alone until then.
    #[serde(rename = "hold.placed")]
    Held {
        /// Which.
        act: ActivationId,
        /// Who.
        by: Doer,
        /// When the climb goes on by itself.
        until: Timestamp,
        /// Why.
        reason: Private,
    },
    /// A hold is over: the climb goes on, unless somebody has committed.
    #[serde(rename = "hold.ended")]
    HoldEnded {
        /// Which.
        act: ActivationId,
        /// Why.
        why: HoldEnd,
    },
    /// The owner named who is to take over. It stays theirs until the other one claims it.
    #[serde(rename = "hand_over.offered")]
    HandOverOffered {
        /// Which.
        act: ActivationId,
        /// By whom.
        by: Doer,
        /// To whom.
        to: Successor,
        /// Silence until then leaves it with the owner.
        until: Timestamp,
    },
    /// It was not taken over.
    #[serde(rename = "hand_over.ended")]
    HandOverEnded {
        /// Which.
        act: ActivationId,
        /// Why.
        why: HandOverEnd,
        /// Without an act of the owner their claim lapses then.
        lapses_at: Timestamp,
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
    /// A step of the action plan was taken, or passed over for a reason.
    #[serde(rename = "step.taken")]
    StepTaken {
        /// Which.
        act: ActivationId,
        /// Who.
        by: Responder,
        /// Of which plan.
        plan: PlanId,
        /// Which step.
        step: StepId,
        /// Why it was not done, where it was not.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        skipped: Option<Private>,
    },
    /// Somebody says that it is over. Nothing is stopped by it.
    #[serde(rename = "safe.said")]
    SaidSafe {
        /// Which.
        act: ActivationId,
        /// Who.
        by: Responder,
        /// They had arrived: they said what they saw.
        #[serde(default, skip_serializing_if = "is_false")]
        eyes_on: bool,
        /// With a word; what it was is the entry before this one.
        #[serde(default, skip_serializing_if = "is_false")]
        with_word: bool,
    },
    /// A word was given: the safe one, its twin, or neither. Whoever may be watched where the button is does not see this entry.
    #[serde(rename = "word.judged")]
    WordJudged {
        /// Which.
        act: ActivationId,
        /// What it was.
        word: Word,
        /// When it is acted on, whichever it was.
        heed_at: Timestamp,
    },
    /// It was acted on: a twin sends more people, any other changes nothing.
    #[serde(rename = "word.heeded")]
    WordHeeded {
        /// Which.
        act: ActivationId,
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
        /// Why a drill ended by itself, where it did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        drill: Option<DrillEnd>,
        /// How many entries it has, this one included: a withheld one shows.
        count: u32,
        /// When it leaves memory.
        archive_at: Timestamp,
    },
    /// It is open again, and its ladder begins anew.
    #[serde(rename = "activation.reopened")]
    Reopened {
        /// Which.
        act: ActivationId,
        /// Who said so.
        by: Doer,
        /// Why.
        reason: Private,
    },
    /// It has left memory; lists and late answers are looked up in the record.
    #[serde(rename = "activation.archived")]
    Archived {
        /// Which.
        act: ActivationId,
    },
    /// An evidence bundle of an activation was handed out. It is no entry of the activation's own: that is as it was.
    #[serde(rename = "bundle.exported")]
    BundleExported {
        /// Whose the activation is.
        cust: CustomerId,
        /// Of which activation.
        of: ActivationId,
        /// For whom it was made.
        #[serde(rename = "for")]
        reader: Reader,
        /// To whom it was handed out.
        by: Doer,
        /// How many entries of the activation there were by then.
        entries: u32,
        /// SHA-256 of the zip.
        digest: Digest,
    },
    /// The register of attendance was handed out: who attended which activation.
    #[serde(rename = "register.exported")]
    RegisterExported {
        /// Whose the activations are, where they are one customer's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cust: Option<CustomerId>,
        /// To whom it was handed out.
        by: Doer,
        /// Only those raised at or after.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        from: Option<Timestamp>,
        /// Only those raised before.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        until: Option<Timestamp>,
        /// How many activations are in it.
        lines: u32,
        /// SHA-256 of the table.
        digest: Digest,
    },
    /// Private values were erased: their disclosures are deleted once this is written, and again whenever an older copy is replayed.
    #[serde(rename = "pii.erased")]
    Erased {
        /// Whose the activation is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        cust: Option<CustomerId>,
        /// Of what.
        from: Erasable,
        /// By which disposal authority or law, as whoever asked for it wrote it.
        basis: String,
        /// Who asked for it.
        by: Doer,
        /// What entries hold in the place of the values.
        values: Vec<Digest>,
        /// Where an older copy of the record was restored, which lacks the entry that said so first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        again: Option<Again>,
    },
    /// An activation is under legal hold, or no longer: until it is lifted nothing of it is erased.
    #[serde(rename = "legal_hold.set")]
    LegalHoldSet {
        /// Whose the activation is.
        cust: CustomerId,
        /// Which.
        of: ActivationId,
        /// Whether it is held from here on.
        on: bool,
        /// Who said so.
        by: Doer,
        /// Why: whose order, which matter.
        reason: Private,
    },
    /// Somebody read what the record has of an activation, or a list. It changes nothing, wakes nobody and is nobody's answer.
    #[serde(rename = "record.viewed")]
    Viewed(Box<Viewed>),
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(n: &u64) -> bool {
    *n == 0
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_false(b: &bool) -> bool {
    !*b
}

fn offer(seal: &mut dyn FnMut(Field<'_>), label: &'static str, subject: &str, text: Option<&mut Private>) {
    if let Some(text) = text {
        seal(Field { label, subject: subject.to_owned(), text });
    }
}
