//! Everything that can happen to us.
//!
//! Silence is among it: [`Input::Tick`] is tested like speech.

use jiff::civil::DateTime;

use crate::acknowledgement::{Answer, Commitment, Disposition};
use crate::anchor::Anchored;
use crate::directory::Adoption;
use crate::dispatch::DeliveryReport;
use crate::event::{Again, Doer, Erasable, Event, Reader, Successor, ViewOf, Viewed, Viewer, Way};
use crate::foresight::Foresight;
use crate::id::{ActivationId, CentreId, ContactKey, CustomerId, DeviceId, Digest, KeyId, PersonId, RosterId, SiteId};
use crate::ladder::RungIndex;
use crate::out_of_service::Defect;
use crate::plan::StepId;
use crate::police::Threshold;
use crate::private::Private;
use crate::signal::Signal;
use crate::time::{Seconds, Timestamp};
use crate::trouble::Cause;
use crate::word::Entered;

/// One thing that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// A device sent something.
    Signal(Signal),
    /// Someone with a key pressed on a device's or a person's behalf.
    Raised {
        /// The press, as if a device had sent it.
        signal: Signal,
        /// Who is responsible.
        by: Attribution,
    },
    /// A person answered by text or by the responder's page.
    Answer(Answer),
    /// Someone with a key acted through the API.
    Command(Command),
    /// Someone with a key puts buttons on test.
    TestWanted(TestWanted),
    /// Someone with a key takes buttons off test.
    TestOver(TestOver),
    /// Somebody takes buttons out of service.
    OutOfServiceWanted(OutOfServiceWanted),
    /// Somebody puts buttons back into service.
    InServiceWanted(InServiceWanted),
    /// Somebody puts one person in the place of another on a roster.
    StandInWanted(StandInWanted),
    /// Somebody puts whoever was stood in for back on duty.
    StandInOver(StandInOver),
    /// Somebody with a key says that they are at the desk of a centre, where nobody was known to be.
    DeskArmed(DeskArmed),
    /// Nobody is at the desk of a centre any more.
    DeskUnarmed(DeskUnarmed),
    /// Someone with a key wants a ladder to be drilled.
    DrillWanted(DrillWanted),
    /// A carrier or its provider says what became of a message.
    DeliveryReported(DeliveryReport),
    /// A deadline may have passed.
    Tick,
    /// A drill of a schedule may be due.
    DrillsDue {
        /// Whether the clock of the station differs from that of the world: then people know another hour than it does, and none
        /// begins.
        clock_is_off: bool,
    },
    /// A valid directory file whose content differs from the last adopted one.
    DirectoryOffered(Box<Adoption>),
    /// Something does not hold what it promises.
    TroubleNoticed(Cause),
    /// It does again.
    TroubleCleared(Cause),
    /// The station has replayed its record and takes up its work.
    Started(Started),
    /// The wall clock was stepped under us.
    ClockStepped {
        /// By how many microseconds; positive is forward.
        by_us: i64,
    },
    /// The record cannot be reached from here on.
    RecordLost {
        /// Whether the spool takes entries meanwhile; without it nobody may know after a crash which ids were given.
        spooled: bool,
    },
    /// The record has everything that was spooled.
    RecordFound,
    /// It is time to write down that the watch is there and how it stands, whether or not anything happened.
    TickOwed {
        /// By how many microseconds the wall clock is ahead of ours; the watch fills it in.
        wall_ahead_us: i64,
    },
    /// These keys sign the record from here on.
    SignedBy(SignedBy),
    /// An anchor took a checkpoint of the record.
    CheckpointAnchored(Anchored),
    /// An evidence bundle was made; it is handed out once that is recorded.
    BundleExported(Export),
    /// A register of attendance was made; it is handed out once that is recorded.
    RegisterExported(RegisterExport),
    /// What the days to come hold was worked out.
    CoverageForeseen(Foresight),
    /// Somebody wants private values erased. They are deleted once that is recorded.
    ErasureAsked(Erasure),
    /// An erasure that this record lacks is made again: an older copy of it was restored.
    ErasureRepeated(RepeatedErasure),
    /// An activation is put under legal hold, or no longer is.
    LegalHoldAsked(LegalHold),
    /// Somebody read of the record, so often within a window.
    Viewed(Box<View>),
}

/// Buttons to be put on test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestWanted {
    /// Which.
    pub devices: Vec<DeviceId>,
    /// Who presses them. The watch fills in by what they are known.
    pub tester: Successor,
    /// For how long at the most.
    pub span: Seconds,
    /// Who is responsible.
    pub by: Attribution,
}

/// Buttons to be taken off test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestOver {
    /// Which.
    pub devices: Vec<DeviceId>,
    /// Who is responsible.
    pub by: Attribution,
}

/// Buttons to be taken out of service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutOfServiceWanted {
    /// Which.
    pub devices: Vec<DeviceId>,
    /// Who looks after them meanwhile. The watch fills in by what they are known.
    pub keeper: Successor,
    /// Which button people use instead; without one, a phone.
    pub instead: Option<DeviceId>,
    /// What is wrong with them.
    pub why: Defect,
    /// For how long at the most.
    pub span: Seconds,
    /// Who is responsible.
    pub by: Attribution,
}

/// Buttons to be put back into service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InServiceWanted {
    /// Which.
    pub devices: Vec<DeviceId>,
    /// Who is responsible.
    pub by: Attribution,
}

/// Somebody to stand in for somebody on a roster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandInWanted {
    /// On which.
    pub roster: RosterId,
    /// Who would be on duty. The watch fills in by what they are known.
    pub off: Successor,
    /// Who is on duty instead.
    pub on: Successor,
    /// From when; `None` is at once.
    pub from: Option<Moment>,
    /// Until when.
    pub until: Moment,
    /// Who is responsible.
    pub by: Attribution,
}

/// Somebody to be back on duty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StandInOver {
    /// On which roster.
    pub roster: RosterId,
    /// Who was stood in for.
    pub off: Successor,
    /// From when on, as it is listed.
    pub from: Timestamp,
    /// Whether what was said for others than those whom the roster is for by now may be ended too.
    pub of_others: bool,
    /// Who is responsible.
    pub by: Attribution,
}

/// A desk that somebody is at from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskArmed {
    /// Of which centre.
    pub centre: CentreId,
    /// Who is responsible.
    pub by: Attribution,
}

/// A desk that nobody is at any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskUnarmed {
    /// Of which centre.
    pub centre: CentreId,
    /// Who said so; `None`: nobody said that they are there for as long as a word holds.
    pub by: Option<Attribution>,
}

/// A time as somebody says it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// An instant.
    Instant(Timestamp),
    /// By a clock on the wall where the roster is.
    Wall(DateTime),
}

/// A ladder to be drilled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DrillWanted {
    /// At which site.
    pub site: SiteId,
    /// The ladder of which button there; `None` is the site's own.
    pub device: Option<DeviceId>,
    /// For how long at the most.
    pub span: Seconds,
    /// What it is for.
    pub note: Option<Private>,
    /// Who is responsible.
    pub by: Attribution,
}

/// Which keys sign the record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedBy {
    /// The key, as verifiers need it: `name+id+base64`.
    pub key: String,
    /// The one before it, while both sign.
    pub before: Option<String>,
    /// After a recovery: the last note under the name before this one.
    pub succeeds: Option<String>,
}

/// An evidence bundle that is about to be handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Export {
    /// Of which activation.
    pub of: ActivationId,
    /// Whose that is.
    pub customer: CustomerId,
    /// For whom it was made.
    pub reader: Reader,
    /// To whom it is handed out.
    pub by: Attribution,
    /// How many entries of the activation there are.
    pub entries: u32,
    /// SHA-256 of the zip.
    pub digest: Digest,
}

impl From<&Export> for Event {
    fn from(export: &Export) -> Self {
        let Export { of, customer, reader, by, entries, digest } = export;
        Self::BundleExported {
            cust: customer.clone(),
            of: of.clone(),
            reader: *reader,
            by: Doer::from(by),
            entries: *entries,
            digest: *digest,
        }
    }
}

/// A register of attendance that is about to be handed out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegisterExport {
    /// Whose the activations are, where they are one customer's.
    pub customer: Option<CustomerId>,
    /// To whom it is handed out.
    pub by: Attribution,
    /// Only those raised at or after.
    pub from: Option<Timestamp>,
    /// Only those raised before.
    pub until: Option<Timestamp>,
    /// How many activations are in it.
    pub lines: u32,
    /// SHA-256 of the table.
    pub digest: Digest,
}

impl From<&RegisterExport> for Event {
    fn from(export: &RegisterExport) -> Self {
        let RegisterExport { customer, by, from, until, lines, digest } = export;
        Self::RegisterExported { cust: customer.clone(), by: Doer::from(by), from: *from, until: *until, lines: *lines, digest: *digest }
    }
}

/// Private values that are to be erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erasure {
    /// Whose the activation is.
    pub customer: Option<CustomerId>,
    /// Of what.
    pub from: Erasable,
    /// By which disposal authority or law.
    pub basis: String,
    /// Who is responsible.
    pub by: Attribution,
    /// What entries hold in their place.
    pub values: Vec<Digest>,
}

/// An erasure that was recorded once, and is not in the record that is there now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RepeatedErasure {
    /// Whose the activation is.
    pub customer: Option<CustomerId>,
    /// Of what.
    pub from: Erasable,
    /// By which disposal authority or law.
    pub basis: String,
    /// Under which key it was asked for.
    pub principal: String,
    /// What entries hold in their place.
    pub values: Vec<Digest>,
    /// Where and when it was recorded.
    pub again: Again,
}

/// A legal hold, placed or lifted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LegalHold {
    /// Whose the activation is.
    pub customer: CustomerId,
    /// Which.
    pub of: ActivationId,
    /// Whether it is held from here on.
    pub on: bool,
    /// Who is responsible.
    pub by: Attribution,
    /// Why.
    pub reason: Private,
}

/// What one reader read of one thing within a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct View {
    /// What.
    pub of: ViewOf,
    /// Whose that is, where it is one customer's.
    pub customer: Option<CustomerId>,
    /// At which site, where it is one's.
    pub site: Option<SiteId>,
    /// Who; `None` for more than could be kept apart.
    pub by: Option<Viewer>,
    /// By which ways.
    pub how: Vec<Way>,
    /// How many times.
    pub count: u32,
    /// When first.
    pub first: Timestamp,
    /// When last.
    pub last: Timestamp,
}

impl From<&View> for Event {
    fn from(view: &View) -> Self {
        let View { of, customer, site, by, how, count, first, last } = view.clone();
        Self::Viewed(Box::new(Viewed { of, cust: customer, site, by, how, count, first, last }))
    }
}

/// A start of the station.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Started {
    /// The node's name.
    pub node: String,
    /// The program's version.
    pub version: String,
    /// The time-zone database's version.
    pub zones: String,
    /// The station's key, by which people's replies and links are known again.
    pub key: Option<KeyId>,
    /// The time of the last entry before this start, `None` on an empty record.
    pub last_entry_at: Option<Timestamp>,
    /// References that were given in entries which the record will never have: the highest of each prefix and series.
    pub given: Vec<ActivationId>,
}

/// An act through the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// On which activation.
    pub activation: ActivationId,
    /// Who is responsible.
    pub by: Attribution,
    /// The entry that the caller had seen of this activation, where acting on stale knowledge would be wrong. The watch checks it.
    pub seen: Option<u64>,
    /// The caller is where the button is, and may be watched: what they are told must not depend on which word was given.
    pub at_the_place: bool,
    /// What.
    pub act: Act,
}

/// Who is responsible for an act.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribution {
    /// The key or session, by its name in the settings; `os:root` from the control socket.
    pub principal: String,
    /// The name that the caller says acted, if any.
    pub actor: Option<Private>,
    /// Keyed digest of that name, made by the watch: the name itself is sealed before the rules see it twice.
    pub actor_key: Option<ContactKey>,
    /// The same as a person of the directory, where the watch could resolve it.
    pub person: Option<PersonId>,
    /// Hash of the caller's `Idempotency-Key`: the same within 24 h changes nothing.
    pub idempotency: Option<Digest>,
}

/// What someone did through the API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Takes ownership. Satisfies the centre's rung; quiets nobody else.
    Claim,
    /// The owner buys time: the people of the ladder are left alone for so long.
    Hold {
        /// For how long, 1 to 300 seconds.
        span: Seconds,
        /// Why.
        reason: Private,
    },
    /// The owner names who is to take over; it is theirs once they claim it.
    HandOver {
        /// Who. The watch fills in by what they are known again.
        to: Successor,
    },
    /// A named person commits (see [`Attribution::person`] and `actor`).
    Accept {
        /// To what.
        commitment: Commitment,
        /// In how many seconds they expect to be there.
        eta_s: Option<Seconds>,
    },
    /// A named person cannot.
    Decline,
    /// A named person is at the place, or is still safe there.
    Arrived,
    /// The police are needed, or have been rung.
    Police {
        /// Why, where they said.
        threshold: Option<Threshold>,
        /// Who rang, where somebody has.
        rung: Option<Rung>,
    },
    /// A step of the action plan was taken.
    TakeStep {
        /// Which.
        step: StepId,
        /// Why it was not done, where it was passed over.
        skipped: Option<Private>,
    },
    /// Moves the climb on.
    Escalate {
        /// How far.
        to: EscalateTo,
    },
    /// Adds words.
    Note {
        /// The words.
        text: Private,
    },
    /// Somebody says that it is over; that closes nothing.
    Safe {
        /// With a word that proves it, or says the opposite.
        word: Option<Entered>,
    },
    /// Ends it.
    Close {
        /// With which outcome.
        disposition: Disposition,
        /// And which words.
        note: Option<Private>,
    },
    /// Opens what was closed again.
    Reopen {
        /// Why.
        reason: Private,
    },
}

/// Somebody has rung the police.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Who.
    pub called_by: Private,
    /// The reference that the police gave.
    pub reference: Option<Private>,
    /// When, as they say.
    pub at: Option<Timestamp>,
}

/// How far to escalate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EscalateTo {
    /// The next rung.
    Next,
    /// A chosen rung.
    Rung(RungIndex),
    /// Everyone on the ladder, now.
    All,
}

impl Input {
    /// Who is responsible, where somebody with a key is: the watch fills in who that is.
    pub fn by_mut(&mut self) -> Option<&mut Attribution> {
        match self {
            Self::Raised { by, .. }
            | Self::Command(Command { by, .. })
            | Self::TestWanted(TestWanted { by, .. })
            | Self::TestOver(TestOver { by, .. })
            | Self::OutOfServiceWanted(OutOfServiceWanted { by, .. })
            | Self::InServiceWanted(InServiceWanted { by, .. })
            | Self::StandInWanted(StandInWanted { by, .. })
            | Self::StandInOver(StandInOver { by, .. })
            | Self::DeskArmed(DeskArmed { by, .. })
            | Self::DeskUnarmed(DeskUnarmed { by: Some(by), .. })
            | Self::DrillWanted(DrillWanted { by, .. })
            | Self::BundleExported(Export { by, .. })
            | Self::RegisterExported(RegisterExport { by, .. })
            | Self::ErasureAsked(Erasure { by, .. })
            | Self::LegalHoldAsked(LegalHold { by, .. }) => Some(by),
            Self::Signal(_)
            | Self::Answer(_)
            | Self::DeskUnarmed(DeskUnarmed { by: None, .. })
            | Self::DeliveryReported(_)
            | Self::Tick
            | Self::DrillsDue { .. }
            | Self::DirectoryOffered(_)
            | Self::TroubleNoticed(_)
            | Self::TroubleCleared(_)
            | Self::Started(_)
            | Self::ClockStepped { .. }
            | Self::RecordLost { .. }
            | Self::RecordFound
            | Self::TickOwed { .. }
            | Self::SignedBy(_)
            | Self::CheckpointAnchored(_)
            | Self::CoverageForeseen(_)
            | Self::ErasureRepeated(_)
            | Self::Viewed(_) => None,
        }
    }

    /// Presses and answers first, then deadlines, receipts, the rest (mechanisms, "Rooms meeting"). Lower goes first.
    pub fn rank(&self) -> u8 {
        match self {
            Self::Signal(_)
            | Self::Raised { .. }
            | Self::Answer(_)
            | Self::Command(_)
            | Self::TestWanted(_)
            | Self::TestOver(_)
            | Self::OutOfServiceWanted(_)
            | Self::InServiceWanted(_)
            | Self::StandInWanted(_)
            | Self::StandInOver(_) => 0,
            // Behind every press of the same turn, which then is no call that waits for a desk that is left.
            Self::Tick | Self::DeskArmed(_) | Self::DeskUnarmed(_) => 1,
            Self::DeliveryReported(_) => 2,
            Self::DirectoryOffered(_)
            | Self::TroubleNoticed(_)
            | Self::TroubleCleared(_)
            | Self::Started(_)
            | Self::ClockStepped { .. }
            | Self::RecordLost { .. }
            | Self::RecordFound
            | Self::TickOwed { .. }
            | Self::SignedBy(_)
            | Self::CheckpointAnchored(_)
            | Self::BundleExported(_)
            | Self::RegisterExported(_)
            | Self::CoverageForeseen(_)
            // Whatever is real goes first.
            | Self::DrillWanted(_)
            | Self::DrillsDue { .. }
            | Self::LegalHoldAsked(_) => 3,
            // After a directory of the same turn, which may name again whoever is to be erased.
            Self::ErasureAsked(_) | Self::ErasureRepeated(_) => 4,
            // Behind all: who read is nobody's alarm.
            Self::Viewed(_) => 5,
        }
    }
}
