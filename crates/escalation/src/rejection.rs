//! Why the rules said no: data for a caller who can be told, not an error.

use crate::id::{ActivationId, DeviceId, PersonId};
use crate::plan::StepId;
use crate::time::Timestamp;

/// A refusal that an API caller is told. What comes by SMS or link is never refused, only set aside and recorded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// No such activation.
    #[error("there is no activation {0}")]
    UnknownActivation(ActivationId),
    /// It is closed; the message says since when, the caller reads by whom.
    #[error("{activation} was closed at {at}")]
    AlreadyClosed {
        /// Which.
        activation: ActivationId,
        /// Since when.
        at: Timestamp,
    },
    /// Someone else's action came in between (`If-Match`).
    #[error("{activation} has changed since entry {seen}; look again, then decide")]
    Stale {
        /// Which.
        activation: ActivationId,
        /// What the caller had seen.
        seen: u64,
    },
    /// Another operator holds the claim.
    #[error("{0} is claimed by another operator")]
    ClaimedByAnother(ActivationId),
    /// Only its owner may do that.
    #[error("only the operator who has claimed {0} can hold it or hand it over; claim it first")]
    NotTheOwner(ActivationId),
    /// A hold of no time, or of too much.
    #[error("a hold is between 1 s and 300 s")]
    ImplausibleHold,
    /// The ladder was held three times without moving.
    #[error("a ladder is held three times in a row at most; let it go on, or escalate")]
    HoldsSpent,
    /// Its site asks for more than one person's word.
    #[error(
        "{0} is not closed on one person's word: somebody else says that it is safe, or a responder who has arrived, or the police were rung and gave a reference"
    )]
    CloseGuarded(ActivationId),
    /// A word was given, and whoever is where the button is may be watched.
    #[error("a word was given for {0}: a key of the centre closes it, so that nobody at the place can be made to")]
    WordGiven(ActivationId),
    /// Its place has no action plan.
    #[error("{0} has no action plan")]
    NoPlan(ActivationId),
    /// The plan has no such step.
    #[error("the action plan of {activation} has no step \"{step}\"")]
    NoSuchStep {
        /// Which.
        activation: ActivationId,
        /// Which step.
        step: StepId,
    },
    /// The centre's steps are not taken from the place.
    #[error("the centre's steps of the plan of {0} are taken by a key of the centre, so that nobody at the place can be made to")]
    CentresStep(ActivationId),
    /// Somebody did it before.
    #[error("step \"{step}\" of {activation} was taken or passed over before; the history says by whom")]
    StepTaken {
        /// Which.
        activation: ActivationId,
        /// Which step.
        step: StepId,
    },
    /// Required steps are left.
    #[error("{activation} is not closed before these steps of its plan are done, or passed over for a reason: {}", listed(.left))]
    PlanUnfinished {
        /// Which.
        activation: ActivationId,
        /// Which steps.
        left: Vec<StepId>,
    },
    /// Nothing to open again.
    #[error("{0} is open")]
    NotClosed(ActivationId),
    /// The ladder has come to its end.
    #[error("everybody on the ladder of {0} was told and nobody answered: there is nothing to hold")]
    NothingToHold(ActivationId),
    /// Handed over to whoever has it.
    #[error("{0} is theirs already; name somebody else")]
    AlreadyTheirs(ActivationId),
    /// The idempotency key stands for another act already.
    #[error(
        "this Idempotency-Key was used for another act, another activation or in another name; take a new key for each act, and repeat it only with the same one"
    )]
    KeyReused,
    /// The rung does not exist.
    #[error("the ladder of {activation} has {rungs} rungs")]
    NoSuchRung {
        /// Which.
        activation: ActivationId,
        /// How many there are.
        rungs: usize,
    },
    /// "Verifying" was renewed once already.
    #[error("verifying holds a ladder for 120 s, twice at most; say going, or let it climb")]
    VerifyingSpent,
    /// An ETA of zero or of more than a day.
    #[error("an ETA is between 1 s and 86400 s")]
    ImplausibleEta,
    /// Nobody of that name can test there.
    #[error("nobody of that name or id can be asked about a test there; name a person of the directory")]
    UnknownTester,
    /// The tester is asked by text alone.
    #[error("whoever tests is asked by text, and has no mobile number in the directory")]
    TesterWithoutPhone,
    /// A test of no time, or of too much.
    #[error("a test is between 1 and 60 minutes")]
    ImplausibleTest,
    /// Nobody of that name can be asked there.
    #[error("nobody of that name or id can look after a button there; name a person of the directory as its keeper")]
    UnknownKeeper,
    /// A keeper is asked by text alone.
    #[error("the keeper is asked by text when the button is pressed, and has no mobile number in the directory; name somebody else")]
    KeeperWithoutPhone,
    /// The keeper of a silent button is elsewhere.
    #[error("whoever looks after {0} is not based where it is: who threatens somebody there may have both; name somebody elsewhere")]
    KeeperAtThePlace(DeviceId),
    /// Out of service for no time, or for too long.
    #[error("a button is out of service between 1 minute and 24 hours; take it out again when that has passed and it is no better")]
    ImplausibleSpan,
    /// What people are told to use instead does not serve them.
    #[error("{0} is not of that site, out of service itself, or on test; name a button there that works, or none where people use a phone")]
    NoSubstitute(DeviceId),
    /// People are told to use it.
    #[error("{device} is what people use instead of {of}; put that back first, or name another button for it")]
    IsASubstitute {
        /// Which.
        device: DeviceId,
        /// In the place of which.
        of: DeviceId,
    },
    /// No such roster, or one of nobody in scope.
    #[error("there is no roster of that id; GET /api/v1/duty lists those there are")]
    UnknownRoster,
    /// A roster that others have as well.
    #[error("this roster is also for sites or customers that this key does not reach; somebody with a key for all of them can change it")]
    NotAllOfTheRoster,
    /// No centre of that id that is reached by its desk.
    #[error("there is no centre of that id that is reached by its desk; one with a webhook has none")]
    UnknownDesk,
    /// The centre serves others as well, whose calls the caller does not see.
    #[error("the desk of this centre is for calls that this key does not see; a key that sees all of them arms it")]
    NotAllOfTheDesk,
    /// Nobody of that name is ever on duty there.
    #[error("nobody of that name or id is on this roster, or two have that name; name whoever would be on duty, by id")]
    UnknownOff,
    /// Nobody of that name may be put on duty there.
    #[error(
        "nobody of that name or id can stand in there, or two have that name; name a person of the directory who is of the same customer, by id"
    )]
    UnknownStandIn,
    /// They could not be told of a press.
    #[error(
        "whoever is on this roster is told by text or mail, as its ladders say, of calls for calm support too, and this person has no such address; name somebody else"
    )]
    StandInUnreached,
    /// Begins too early or too late, is over already, or lasts no time, or too long.
    #[error(
        "somebody stands in between 1 minute and 31 days, and that begins within 62 days and at the earliest 15 minutes ago; leave \"from\" out where it is at once. What lasts longer belongs into the directory"
    )]
    ImplausibleStandIn,
    /// It would change nothing.
    #[error("whoever is to be stood in for is on duty at no time between the two; look at who is on duty then")]
    NotOnDuty,
    /// There would be one person fewer.
    #[error(
        "whoever is to stand in is on duty themselves at that time, so that there would be one person fewer; name somebody else, or a shorter time"
    )]
    OnDutyAlready,
    /// Who is on duty would hang on what was said first.
    #[error(
        "somebody stands in for whoever is to stand in, there or on a roster that is told with it, at that time; name somebody who is there, or end that first"
    )]
    StandInAway,
    /// Two would stand in for one.
    #[error("somebody stands in for them already at that time; end that first")]
    StoodInForAlready,
    /// More than anybody keeps an eye on.
    #[error("a hundred times are named for this roster already; change it in the directory")]
    TooManyStandIns,
    /// There is nothing to end.
    #[error("nobody stands in for them from that time on; it may have ended by itself")]
    NoStandIn,
    /// No buttons, or too many.
    #[error("between 1 and 200 buttons are named at once")]
    ImplausibleList,
    /// Somebody is calling for help there right now.
    #[error("{device} has a call that is open, {activation}: close it before it is tested")]
    CallOpen {
        /// Which button.
        device: DeviceId,
        /// Which call.
        activation: ActivationId,
    },
    /// One drill at a time at a site.
    #[error("a drill is open there, {0}; close it before the next")]
    DrillOpen(ActivationId),
    /// A drill of no time, or of too much.
    #[error("a drill is between 1 and 60 minutes")]
    ImplausibleDrill,
    /// As many as may be at once.
    #[error("as many drills are on as may be at once; close one, or wait until one has ended")]
    TooManyDrills,
    /// What is asked for is for calls that are real.
    #[error(
        "{0} is a drill, and this is for real calls alone. If somebody is in danger, raise a call by a button, the page or POST /api/v1/activations, and ring 000"
    )]
    OnlyADrill(ActivationId),
    /// Nobody attended a drill.
    #[error("{0} is a drill: it is closed as a test, and never opened again")]
    DrillIsATest(ActivationId),
    /// A site that no directory knows.
    #[error("there is no such site or device")]
    UnknownPlace,
    /// Nothing of it may be erased.
    #[error("{0} is under legal hold: nothing of it is erased, and nobody's details, before the hold is lifted")]
    UnderLegalHold(ActivationId),
    /// What is open, or owes somebody a message, needs what is known of people. Whose call it is is not said: it may be another customer's.
    #[error("a call is open or still owes somebody a message; erase once every call is closed and everybody was told")]
    StillAtWork,
    /// Whoever is in the directory may be told of the next call.
    #[error("{0} is in the directory that is in force; take them out of it first")]
    StillInTheDirectory(PersonId),
    /// It was erased before, or there never was anything.
    #[error("there is nothing private of it any more")]
    NothingToErase,
    /// The directory was not adopted.
    #[error("the directory was not adopted: {0}")]
    Directory(String),
}

fn listed(steps: &[StepId]) -> String {
    let names: Vec<String> = steps.iter().map(ToString::to_string).collect();
    names.join(", ")
}
