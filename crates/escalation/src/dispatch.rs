//! What we owe the outside world: messages, and what became of each.
//!
//! A [`Dispatch`] is state: queued by an event, in the outbox until a carrier reported. An [`Order`] is the same
//! with the address and the words filled in; the watch makes it at send time and nobody stores it.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::acknowledgement::Code;
use crate::id::{CarrierName, CentreId, ContactKey, DispatchId, PersonVersion};
use crate::ladder::Medium;
use crate::private::Private;
use crate::time::Timestamp;

/// One message owed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispatch {
    /// Its number; the idempotency key to every carrier.
    pub id: DispatchId,
    /// To whom.
    pub to: Recipient,
    /// By which channel.
    pub medium: Medium,
    /// What it is for.
    pub purpose: Purpose,
    /// The code by which this contact answers, where answering by text makes sense.
    pub code: Option<Code>,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// By how many milliseconds it is late, where the service was away.
    pub late_ms: u64,
}

/// Who a message is for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recipient {
    /// A person at one address.
    Person {
        /// Which details of the person were current.
        person: PersonVersion,
        /// The address, by key.
        contact: ContactKey,
    },
    /// A centre's webhook or desk.
    Centre {
        /// Which centre.
        centre: CentreId,
        /// The webhook's name in the settings; `None` means the desk.
        webhook: Option<CarrierName>,
    },
    /// A number that wrote to us and is on no ladder of the moment; only ever told "nothing acknowledged".
    Stranger {
        /// The address, by key.
        contact: ContactKey,
    },
}

impl Recipient {
    /// The address, by key, where it is a person's.
    pub fn contact(&self) -> Option<ContactKey> {
        match self {
            Self::Person { contact, .. } | Self::Stranger { contact } => Some(*contact),
            Self::Centre { .. } => None,
        }
    }
}

impl Recipient {
    /// Whether both end on one phone, in one mailbox or at one centre, whoever is named.
    pub(crate) fn is_same_address(&self, other: &Self) -> bool {
        match self.contact() {
            Some(contact) => other.contact() == Some(contact),
            None => self == other,
        }
    }
}

/// What a message is for. Each has a template per medium.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// The call for help, to someone on a rung.
    Alarm,
    /// The same again, in a round after exhaustion.
    AlarmAgain,
    /// Unsure, old or unreadable: a human is asked to look, before the full ladder.
    AskFirst,
    /// To the keeper of a button that is out of service: it was pressed all the same.
    AskKeeper,
    /// To whoever tests a button: was that press theirs?
    AskTester,
    /// To whoever said that it was not: everyone is told.
    NotATest,
    /// To everyone told: the button was pressed again.
    PressedAgain,
    /// To the person who accepted: we have it.
    Confirmed,
    /// To the person who declined: we have it.
    Declined,
    /// To others who were alarmed: somebody is going.
    SomeoneGoing,
    /// To the person committed, at their time of arrival: still going?
    StillGoing,
    /// To a responder who has arrived: are they safe?
    AreYouSafe,
    /// To whoever else has committed: a responder who has arrived does not answer. Don't go in alone.
    ColleagueSilent,
    /// To whoever has committed, or everyone alarmed: the police are to be rung, by them.
    RingPolice,
    /// To everyone else alarmed: has anyone rung the police?
    HasAnyoneRung,
    /// To everyone alarmed: it is over.
    StandDown,
    /// The reply could not be read, or came from nobody we asked: nothing was acknowledged.
    NothingAcknowledged,
    /// A bare yes: which alarm?
    WhichAlarm,
    /// An answer after closing.
    AlreadyClosed,
    /// Something does not hold what it promises, to whoever looks after that.
    Trouble,
    /// The same again: it lasts.
    TroubleAgain,
    /// To whoever looks after it: we have that.
    TroubleTaken,
    /// To everyone told of it: it is over.
    TroubleOver,
}

impl Purpose {
    /// Whether it calls for help, as against what is said about a call that somebody knows of.
    pub fn is_alarm(self) -> bool {
        match self {
            Self::Alarm | Self::AlarmAgain | Self::AskFirst | Self::AskKeeper | Self::AskTester => true,
            Self::PressedAgain
            | Self::NotATest
            | Self::Confirmed
            | Self::Declined
            | Self::SomeoneGoing
            | Self::StillGoing
            | Self::AreYouSafe
            | Self::ColleagueSilent
            | Self::RingPolice
            | Self::HasAnyoneRung
            | Self::StandDown
            | Self::NothingAcknowledged
            | Self::WhichAlarm
            | Self::AlreadyClosed
            | Self::Trouble
            | Self::TroubleAgain
            | Self::TroubleTaken
            | Self::TroubleOver => false,
        }
    }

    /// Whether it asks somebody to do something about a call: of a drill that is over nobody is asked any more.
    pub fn calls(self) -> bool {
        self.is_alarm() || self == Self::StillGoing
    }

    /// The template's name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Alarm => "alarm",
            Self::AlarmAgain => "alarm_again",
            Self::AskFirst => "ask_first",
            Self::AskKeeper => "ask_keeper",
            Self::AskTester => "ask_tester",
            Self::NotATest => "not_a_test",
            Self::PressedAgain => "pressed_again",
            Self::Confirmed => "confirmed",
            Self::Declined => "declined",
            Self::SomeoneGoing => "someone_going",
            Self::StillGoing => "still_going",
            Self::AreYouSafe => "are_you_safe",
            Self::ColleagueSilent => "colleague_silent",
            Self::RingPolice => "ring_police",
            Self::HasAnyoneRung => "has_anyone_rung",
            Self::StandDown => "stand_down",
            Self::NothingAcknowledged => "nothing_acknowledged",
            Self::WhichAlarm => "which_alarm",
            Self::AlreadyClosed => "already_closed",
            Self::Trouble => "trouble",
            Self::TroubleAgain => "trouble_again",
            Self::TroubleTaken => "trouble_taken",
            Self::TroubleOver => "trouble_over",
        }
    }

    /// Every purpose, for whoever checks that each has its templates.
    pub const ALL: [Self; 23] = [
        Self::Alarm,
        Self::AlarmAgain,
        Self::AskFirst,
        Self::AskKeeper,
        Self::AskTester,
        Self::NotATest,
        Self::PressedAgain,
        Self::Confirmed,
        Self::Declined,
        Self::SomeoneGoing,
        Self::StillGoing,
        Self::AreYouSafe,
        Self::ColleagueSilent,
        Self::RingPolice,
        Self::HasAnyoneRung,
        Self::StandDown,
        Self::NothingAcknowledged,
        Self::WhichAlarm,
        Self::AlreadyClosed,
        Self::Trouble,
        Self::TroubleAgain,
        Self::TroubleTaken,
        Self::TroubleOver,
    ];
}

/// A dispatch with everything a carrier needs. It lives only in memory and its `Debug` shows no address and no words.
#[derive(Clone)]
pub struct Order {
    /// Which message; what carriers tell it apart by is [`Order::key`].
    pub id: DispatchId,
    /// What it is for: chooses the template.
    pub purpose: Purpose,
    /// Where it goes: chooses the carrier.
    pub address: Address,
    /// What the template may say.
    pub words: Words,
    /// When it was queued.
    pub queued_at: Timestamp,
    /// Larger is newer; of two waiting orders the newer activation's goes first. 0 is a drill's: it goes behind all others, and never
    /// takes the last free slot of a provider's account.
    pub recency: u64,
    /// It may have been sent before a crash; the carrier asks its provider first where it can, then sends and says so.
    pub possible_duplicate: bool,
}

impl Order {
    /// Whether it is of a drill.
    pub fn is_drill(&self) -> bool {
        self.words.get("drill").is_some_and(|drill| !drill.is_empty())
    }

    /// The idempotency key, `KAL-42.7-1795227271038254`: the same on every retry and after every restart. The time at which it
    /// was queued is part of it, since a number may be given again where a crash met a record and a spool that both failed, and
    /// a carrier must not take the second message for a repeat of the first.
    pub fn key(&self) -> String {
        format!("{}-{}", self.id, self.queued_at.as_microsecond())
    }
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Order")
            .field("id", &self.id)
            .field("purpose", &self.purpose)
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// Where an order goes.
#[derive(Clone, PartialEq, Eq)]
pub enum Address {
    /// An E.164 number, `+61400000001`.
    Sms(String),
    /// A mailbox.
    Email(String),
    /// An E.164 number to ring.
    Voice(String),
    /// A webhook by its name in the settings.
    Webhook(CarrierName),
    /// The details were erased or never known: report [`Report::Failed`] with [`Failure::NoAddress`].
    Missing,
}

impl Address {
    /// The channel.
    pub fn medium(&self) -> Option<Medium> {
        match self {
            Self::Sms(_) => Some(Medium::Sms),
            Self::Email(_) => Some(Medium::Email),
            Self::Voice(_) => Some(Medium::Voice),
            Self::Webhook(_) => Some(Medium::Webhook),
            Self::Missing => None,
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sms(_) => f.write_str("Sms(redacted)"),
            Self::Email(_) => f.write_str("Email(redacted)"),
            Self::Voice(_) => f.write_str("Voice(redacted)"),
            Self::Webhook(name) => write!(f, "Webhook({name})"),
            Self::Missing => f.write_str("Missing"),
        }
    }
}

/// The words a template may use, by name. Every name is always present; what is not known is empty.
///
/// `kind` (`DURESS`), `kind_id` (`duress`), `site`, `site_sms`, `place`, `place_sms` (`sms_name`s, at most 20 characters), `time` (`14:03 AWST`),
/// `date` (`Mon 13 Apr 2026`), `code` (`47` or empty), `ref` (`KAL-42`), `link` (without scheme, or empty), `url` (with scheme, or empty),
/// `presses` (`4`), `age` (`12 min ago`, `up to 5 min ago`, or empty), `late` (`45 s`, or empty), `unregistered` (`yes` or empty), `drill` (`yes` where it is one; `kind` is `DRILL` then, or empty),
/// `responder` (who is going, or empty), `about` (the responder whom a call is for, or empty), `address` (street, suburb, state), `mounting` (`fixed`, `portable`), `customer`, `entry`, `hazards`,
/// `brief` (what to say to the police), `rendezvous`, `recipient` (first name), `disposition`, `opened_at` and `now` (RFC 3339), `phone` (whom to ring, or empty), `site_id`, `device_id`, `customer_id`.
///
/// Of a trouble: `trouble` (`broker away`), `trouble_id` (`broker_away`), `wrong` (what is), `remedy` (what to do at 3 am), `ended` (`OVER`, or `UNPROVEN` where nobody knows that it is mended), `ending` (what that means).
pub type Words = BTreeMap<&'static str, String>;

/// What a carrier says became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeliveryReport {
    /// Which message.
    pub dispatch: DispatchId,
    /// What became of it.
    pub report: Report,
    /// Which provider account says so.
    pub provider: Option<CarrierName>,
    /// The provider's own id of the message.
    pub provider_ref: Option<String>,
    /// The text as sent, with the first report only.
    pub text: Option<Private>,
    /// The template it was made from, `alarm.sms@3f2a91c0`, with the first report only.
    pub template: Option<String>,
    /// It may have been sent twice, because an earlier send was cut off before its answer was recorded.
    pub possible_duplicate: bool,
    /// How many requests it took, across providers.
    pub tries: u32,
}

impl DeliveryReport {
    /// What became of it, after one request, from nobody in particular.
    pub fn bare(dispatch: DispatchId, report: Report) -> Self {
        Self { dispatch, report, provider: None, provider_ref: None, text: None, template: None, possible_duplicate: false, tries: 1 }
    }
}

/// The states a message passes through, in order of rank; a status only moves up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Report {
    /// A provider took it and promised a receipt.
    AcceptedReceiptDue,
    /// A provider took it; no receipt will come.
    Accepted,
    /// The provider says the phone has it. Says nothing about a person.
    Delivered,
    /// The provider gave up after taking it.
    Undelivered {
        /// The provider's code, digits and letters only.
        code: String,
    },
    /// No provider took it.
    Failed(Failure),
}

/// Why no provider took a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// No carrier is configured for this channel.
    NoCarrier,
    /// The details were erased or never known.
    NoAddress,
    /// Every provider refused it for a reason that a retry cannot mend (bad number, opted out, mailbox unknown).
    Refused,
    /// Every provider was unreachable, overloaded or silent for as long as an attempt may take.
    Unavailable,
    /// Our own credentials were refused everywhere.
    Credentials,
    /// The text could not be made from its template.
    Template,
    /// The drill that it called for was over before it left.
    Withdrawn,
}
