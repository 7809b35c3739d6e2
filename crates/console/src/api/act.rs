//! Acts on an activation: by the API and, with the same care, by the pages' forms.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use escalation::acknowledgement::{Commitment, Disposition};
use escalation::event::Successor;
use escalation::id::ActivationId;
use escalation::input::{Act, EscalateTo, Rung};
use escalation::ladder::RungIndex;
use escalation::plan::StepId;
use escalation::police::Threshold;
use escalation::private::Private;
use escalation::rejection::Rejection;
use escalation::time::{Seconds, Timestamp};
use escalation::verdict::Verdict;
use escalation::word::Entered;
use serde::{Deserialize, Deserializer, Serialize};
use station::desk::Request;
use station::view::Card;
use utoipa::ToSchema;

use super::activations::{NAME_MAX, NOTE_MAX, fits};
use super::shape::Activation;
use super::strict::{Conditions, Strict};
use crate::caller::Caller;
use crate::problem::{Document, Problem};
use crate::roles::Action;
use crate::room::Room;

/// Nothing but who acts.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ByBody {
    /// Id or name of the person who acts, at most 200 bytes.
    by: Option<String>,
}

/// Somebody says that it is over.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct SafeBody {
    /// Id or name of the person who says so, at most 200 bytes.
    by: Option<String>,
    /// The word that they gave with it, at most 200 bytes. The answer is the same whichever it was.
    safe_word: Option<String>,
}

/// The word that came with it, where one did.
pub(crate) fn entered(word: Option<String>) -> Result<Option<Entered>, Problem> {
    fits("safe_word", word.as_deref(), NAME_MAX)?;
    Ok(word.filter(|word| !word.trim().is_empty()).map(Entered::Open))
}

/// The owner buys time.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HoldBody {
    /// For how many seconds, 1 to 300.
    for_s: u32,
    /// Why, at most 2,000 bytes.
    reason: String,
    /// Id or name of the person who acts.
    by: Option<String>,
}

/// The owner asks somebody to take over.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct HandOverBody {
    /// Id or name of the person who is to take over: they claim it in that name, by whatever key.
    to: String,
    /// Id or name of the person who acts.
    by: Option<String>,
}

/// A named person.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeclineBody {
    /// Id or name of the person who cannot.
    by: String,
}

/// A named person is there.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ArrivedBody {
    /// Id or name of the person who has arrived.
    by: String,
}

/// The police.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct PoliceBody {
    /// Why: 1 credible threat of harm, 2 stalking or threats outside of work, 3 assault or attempt, 4 weapon present or implied,
    /// 5 property damage, getting worse, 6 refuses to leave, safety at risk.
    threshold: Option<u8>,
    /// Who rang; absent where nobody has.
    called_by: Option<String>,
    /// The reference that the police gave.
    reference: Option<String>,
    /// When they rang, RFC 3339.
    at: Option<String>,
    /// Id or name of the person who says so.
    by: Option<String>,
}

/// Whoever is named to take over; what they are known again by is found by the watch.
pub(crate) fn successor(name: String) -> Result<Successor, Problem> {
    fits("to", Some(&name), NAME_MAX)?;
    if name.trim().is_empty() {
        return Err(Problem::bad_request("Say who is to take over, in \"to\". Nothing was recorded.".to_owned()));
    }
    Ok(Successor { name: Private::Open(name), key: None, person: None })
}

fn police_act(body: PoliceBody) -> Result<(Option<String>, Act), Problem> {
    let wrong = |what: &str| Problem::bad_request(format!("{what}. Nothing was recorded."));
    let threshold = match body.threshold {
        Some(number) => Some(Threshold::of_number(number).ok_or_else(|| wrong("\"threshold\" is 1 to 6"))?),
        None => None,
    };
    fits("called_by", body.called_by.as_deref(), NAME_MAX)?;
    fits("reference", body.reference.as_deref(), NAME_MAX)?;
    let at = body.at.map(|at| at.parse().map_err(|_| wrong("\"at\" is a time like 2026-11-21T06:03:00Z"))).transpose()?;
    let rung = match body.called_by {
        Some(called_by) => Some(Rung { called_by: Private::Open(called_by), reference: body.reference.map(Private::Open), at }),
        None if body.reference.is_some() || at.is_some() => return Err(wrong("Say who rang, in \"called_by\"")),
        None => None,
    };
    Ok((body.by, Act::Police { threshold, rung }))
}

/// A named person commits.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AcceptBody {
    /// Id or name of the person who commits.
    by: String,
    /// going or verifying.
    #[schema(value_type = String)]
    commitment: Commitment,
    /// In how many seconds they expect to be there, 1 to 86400; 600 where not said.
    eta_s: Option<u32>,
}

/// A step of the action plan.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepBody {
    /// Whose step and which, from 1: `responder 2` or `centre 1`.
    #[schema(example = "responder 2")]
    step: String,
    /// Why it was not done, at most 2,000 bytes; absent where it was.
    skipped: Option<String>,
    /// Id or name of the person who took it.
    by: Option<String>,
}

/// A step that somebody took, or passed over for a reason.
pub(crate) fn step_act(step: &str, skipped: Option<String>) -> Result<Act, Problem> {
    let wrong = |what: &str| Problem::bad_request(format!("{what}. Nothing was recorded."));
    let step = StepId::parse(step).ok_or_else(|| wrong("\"step\" is responder 1, responder 2, ... or centre 1, ..."))?;
    fits("skipped", skipped.as_deref(), NOTE_MAX)?;
    match skipped.as_deref().map(str::trim) {
        Some("") => Err(wrong("Say in \"skipped\" why the step was passed over, or leave it out where it was taken")),
        Some(_) | None => Ok(Act::TakeStep { step, skipped: skipped.map(Private::Open) }),
    }
}

/// How far to escalate.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct EscalateBody {
    /// `next`, `all`, or `rung 3` (from 1).
    #[serde(deserialize_with = "escalate_to")]
    #[schema(value_type = String, example = "next")]
    to: EscalateTo,
    /// Id or name of the person who acts.
    by: Option<String>,
}

/// Words.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoteBody {
    /// At most 2,000 bytes.
    note: String,
    /// Id or name of the person who writes.
    by: Option<String>,
}

/// The end.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CloseBody {
    /// attended, `police_attended`, `resolved_by_staff`, `pressed_in_good_faith`, unintended, test, fault, medical or `could_not_verify`.
    #[schema(value_type = String)]
    disposition: Disposition,
    /// Words with it, at most 2,000 bytes.
    note: Option<String>,
    /// Id or name of the person who closes.
    by: Option<String>,
}

/// What was closed is open again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReopenBody {
    /// Why, at most 2,000 bytes.
    reason: String,
    /// Id or name of the person who acts.
    by: Option<String>,
}

/// What an act did. It is durable.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Acted {
    /// `responder` for the first to accept, `co-responder` for who came after; absent for other acts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<&'static str>,
    /// For a co-responder: who was first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) first: Option<String>,
    /// The last entry it caused.
    pub(crate) seq: u64,
    /// How it stands now; absent where it could not be read. The act is durable all the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) activation: Option<Activation>,
}

macro_rules! act {
    ($(#[$doc:meta])* $name:ident, $verb:literal, $body:ty, $action:expr, |$value:ident| $parts:expr) => {
        $(#[$doc])*
        #[utoipa::path(
            post, path = concat!("/api/v1/activations/{id}/", $verb), request_body = $body,
            params(
                ("id" = String, Path, description = "The activation's reference", example = "KAL-42"),
                ("Idempotency-Key" = Option<String>, Header, description = "The same again within 24 h changes nothing and answers with the current state"),
                ("If-Match" = Option<String>, Header, description = "The `seq` you saw, in double quotes; 412 with the fresh state where it has changed since"),
            ),
            responses(
                (status = 200, description = "It is durable", body = Acted),
                (status = "4XX", description = "Refused; 409 and 412 bring the fresh state", body = Document, content_type = "application/problem+json"),
                (status = 503, description = "Not taken; send it again", body = Document, content_type = "application/problem+json"),
            )
        )]
        pub(super) async fn $name(
            State(room): State<Arc<Room>>,
            caller: Caller,
            conditions: Conditions,
            Path(id): Path<String>,
            Strict { value: $value, .. }: Strict<$body>,
        ) -> Result<Json<Acted>, Problem> {
            caller.must($action)?;
            let (actor, act): (Option<String>, Act) = $parts;
            perform(&room, &caller, &id, Wish { actor, act, conditions }).await.map(Json)
        }
    };
}

act!(
    /// Takes ownership as an operator.
    claim, "claim", ByBody, Action::Claim, |body| (body.by, Act::Claim)
);
act!(
    /// The owner leaves the people of the ladder alone for a stated time; then it goes on by itself. Three times in a row at most.
    hold, "hold", HoldBody, Action::Hold, |body| {
        (body.by, Act::Hold { span: Seconds(body.for_s), reason: Private::Open(body.reason) })
    }
);
act!(
    /// The owner asks somebody to take over. It stays theirs until the other one claims it; silence for 60 s ends the offer, and a hold with it.
    hand_over, "hand-over", HandOverBody, Action::HandOver, |body| (body.by, Act::HandOver { to: successor(body.to)? })
);
act!(
    /// A named person commits. Where somebody is already going this one is a co-responder.
    accept, "accept", AcceptBody, Action::Accept, |body| (
        Some(body.by),
        Act::Accept { commitment: body.commitment, eta_s: body.eta_s.map(Seconds) }
    )
);
act!(
    /// A named person cannot: the ladder moves on at once.
    decline, "decline", DeclineBody, Action::Decline, |body| (Some(body.by), Act::Decline)
);
act!(
    /// A named person is at the place, or is still safe there. They are asked every 3 minutes; silence for 2 raises a `welfare` call for them.
    arrived, "arrived", ArrivedBody, Action::Arrived, |body| (Some(body.by), Act::Arrived)
);
act!(
    /// The police are needed, or have been rung. Without `called_by` nobody has: people are told to ring 000, until somebody says that they have.
    police, "police", PoliceBody, Action::Police, |body| police_act(body)?
);
act!(
    /// A step of the action plan was taken, or is passed over for a reason. It moves no ladder; required steps are asked for at the closing.
    step, "step", StepBody, Action::TakeStep, |body| (body.by, step_act(&body.step, body.skipped)?)
);
act!(
    /// Moves the climb on.
    escalate, "escalate", EscalateBody, Action::Escalate, |body| (body.by, Act::Escalate { to: body.to })
);
act!(
    /// Adds words.
    note, "note", NoteBody, Action::Note, |body| {
        (body.by, Act::Note { text: Private::Open(body.note) })
    }
);
act!(
    /// Somebody says that it is over, with the safe word or its twin where they gave one. It closes nothing: where the site asks for more than one word, somebody else closes on it.
    safe, "safe", SafeBody, Action::Safe, |body| (body.by, Act::Safe { word: entered(body.safe_word)? })
);
act!(
    /// Ends it with a disposition.
    close, "close", CloseBody, Action::Close, |body| (
        body.by,
        Act::Close { disposition: body.disposition, note: body.note.map(Private::Open) }
    )
);

act!(
    /// Opens what was closed again, within a day: the ladder begins anew, and nobody is taken to be still going.
    reopen, "reopen", ReopenBody, Action::Reopen, |body| (body.by, Act::Reopen { reason: Private::Open(body.reason) })
);

/// What somebody wants done.
pub(crate) struct Wish {
    /// Who acts, as the caller says.
    pub(crate) actor: Option<String>,
    /// What.
    pub(crate) act: Act,
    /// Under which conditions.
    pub(crate) conditions: Conditions,
}

/// Does it, and answers only once it is durable. The caller's role was asked before.
pub(crate) async fn perform(room: &Room, caller: &Caller, id: &str, wish: Wish) -> Result<Acted, Problem> {
    let id: ActivationId = id.parse().map_err(|_| unknown())?;
    fits("by", wish.actor.as_deref(), NAME_MAX)?;
    let accepts = match &wish.act {
        Act::Accept { .. } => true,
        Act::Note { text } => {
            fits("note", text.open(), NOTE_MAX)?;
            false
        }
        Act::Hold { reason, .. } | Act::Reopen { reason } => {
            fits("reason", reason.open(), NOTE_MAX)?;
            false
        }
        Act::Close { note, .. } => {
            fits("note", note.as_ref().and_then(Private::open), NOTE_MAX)?;
            false
        }
        Act::Claim
        | Act::Safe { .. }
        | Act::HandOver { .. }
        | Act::Decline
        | Act::Arrived
        | Act::Police { .. }
        | Act::TakeStep { .. }
        | Act::Escalate { .. } => false,
    };
    let gives_word = matches!(wish.act, Act::Safe { .. });
    let request = Request {
        activation: id.clone(),
        principal: caller.principal.clone(),
        actor: wish.actor,
        idempotency_key: wish.conditions.idempotency_key,
        seen: wish.conditions.seen,
        scope: caller.scope.clone(),
        act: wish.act,
    };
    match room.desk.act(request).await? {
        Verdict::Durable(outcome) => {
            // It is done: that its new state cannot be read must not look as if it were not.
            let card = fresh(room, caller, id).await;
            // Whoever gives a word is not shown what it was.
            let card = card.map(|card| if gives_word { Card { word: None, ..card } } else { card });
            let going = card.as_ref().and_then(|card| card.going.first());
            let first = going.map(|going| going.name.clone());
            Ok(Acted {
                role: accepts.then_some(if outcome.co_responder { "co-responder" } else { "responder" }),
                first: first.filter(|_| accepts && outcome.co_responder),
                seq: outcome.seq,
                activation: card.as_ref().map(Activation::from),
            })
        }
        Verdict::Refused(Rejection::UnknownActivation(id)) => Err(departed(room, caller, id).await),
        Verdict::Refused(why) => Err(refusal(room, caller, why).await),
        Verdict::NotTaken(why) => Err(why.into()),
    }
}

/// Memory does not have it: what was closed more than a day ago is in the record, and is answered like what was closed just now.
async fn departed(room: &Room, caller: &Caller, id: ActivationId) -> Problem {
    match room.desk.card(id.clone(), caller.scope.clone()).await {
        Ok(Some(card)) => match card.closed_at {
            Some(at) => already_closed(Some(&card), at),
            None => unknown(),
        },
        Ok(None) => unknown(),
        Err(why) => why.into(),
    }
}

fn already_closed(card: Option<&Card>, at: Timestamp) -> Problem {
    let by = card.and_then(|card| card.closed_by.clone()).unwrap_or_else(|| "somebody".to_owned());
    let detail = format!("It was closed by {by} at {at}. Nothing was changed.");
    Problem::new(StatusCode::CONFLICT, "already-closed", "Already closed", detail).with(card.map(Activation::from))
}

fn unknown() -> Problem {
    Problem::not_found("activation with this reference")
}

/// Why the rules said no, with the fresh state where the caller acted on a stale one.
pub(crate) async fn refusal(room: &Room, caller: &Caller, why: Rejection) -> Problem {
    let words = why.to_string();
    match why {
        Rejection::UnknownActivation(_) => unknown(),
        Rejection::UnknownPlace => Problem::not_found("site or device"),
        Rejection::AlreadyClosed { activation, at } => {
            let card = fresh(room, caller, activation).await;
            already_closed(card.as_ref(), at)
        }
        Rejection::Stale { activation, .. } => {
            let card = fresh(room, caller, activation).await;
            Problem::new(
                StatusCode::PRECONDITION_FAILED,
                "stale",
                "It has changed since you looked",
                format!("{words}. Nothing was changed. How it stands now is in \"activation\"."),
            )
            .with(card.as_ref().map(Activation::from))
        }
        Rejection::ClaimedByAnother(activation) => {
            let card = fresh(room, caller, activation).await;
            conflict("claimed", "Claimed by another operator", &words).with(card.as_ref().map(Activation::from))
        }
        Rejection::KeyReused => {
            let detail = format!("{words}. Nothing was changed.");
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "key-reused", "The key stands for another act", detail)
        }
        Rejection::VerifyingSpent => conflict("verifying-spent", "Verified long enough", &words),
        Rejection::NotTheOwner(_) => conflict("not-the-owner", "Claim it first", &words),
        Rejection::CloseGuarded(activation) => {
            let card = fresh(room, caller, activation).await;
            conflict("close-guarded", "One word is not enough", &words).with(card.as_ref().map(Activation::from))
        }
        Rejection::WordGiven(activation) => {
            let card = fresh(room, caller, activation).await;
            conflict("word-given", "The centre closes it", &words).with(card.as_ref().map(Activation::from))
        }
        Rejection::PlanUnfinished { activation, .. } => {
            let card = fresh(room, caller, activation).await;
            conflict("plan-unfinished", "Steps of the plan are left", &words).with(card.as_ref().map(Activation::from))
        }
        Rejection::StepTaken { .. } => conflict("step-taken", "Taken before", &words),
        Rejection::CentresStep(_) => conflict("centres-step", "The centre takes it", &words),
        Rejection::NoPlan(_) => conflict("no-plan", "There is no plan", &words),
        Rejection::NoSuchStep { .. } => conflict("no-such-step", "The plan has no such step", &words),
        Rejection::NotClosed(_) => conflict("not-closed", "It is open", &words),
        Rejection::HoldsSpent => conflict("holds-spent", "Held long enough", &words),
        Rejection::NothingToHold(_) => conflict("nothing-to-hold", "Nothing to hold", &words),
        Rejection::AlreadyTheirs(_) => conflict("already-theirs", "Theirs already", &words),
        Rejection::NoSuchRung { .. } => conflict("no-such-rung", "The ladder has no such rung", &words),
        Rejection::TesterWithoutPhone => conflict("tester-without-phone", "They could not be asked", &words),
        Rejection::CallOpen { .. } => conflict("call-open", "A call is open there", &words),
        Rejection::DrillOpen(_) => conflict("drill-open", "A drill is open there", &words),
        Rejection::TooManyDrills => conflict("too-many-drills", "Too many drills", &words),
        Rejection::OnlyADrill(_) => conflict("only-a-drill", "This is a drill", &words),
        Rejection::DrillIsATest(_) => conflict("drill-is-a-test", "It is a test", &words),
        Rejection::KeeperWithoutPhone => conflict("keeper-without-phone", "They could not be asked", &words),
        Rejection::KeeperAtThePlace(_) => conflict("keeper-at-the-place", "They may be threatened as well", &words),
        Rejection::NoSubstitute(_) => conflict("no-substitute", "That one does not serve", &words),
        Rejection::IsASubstitute { .. } => conflict("is-a-substitute", "People are told to use it", &words),
        Rejection::NotAllOfTheRoster => conflict("not-all-of-the-roster", "Others have this roster as well", &words),
        Rejection::NotAllOfTheDesk => conflict("not-all-of-the-desk", "Others have this desk as well", &words),
        Rejection::StandInUnreached => conflict("stand-in-unreached", "They could not be told", &words),
        Rejection::NotOnDuty => conflict("not-on-duty", "They are not on duty then", &words),
        Rejection::OnDutyAlready => conflict("on-duty-already", "They are on duty themselves", &words),
        Rejection::StandInAway => conflict("stand-in-away", "Somebody stands in for them", &words),
        Rejection::StoodInForAlready => conflict("stood-in-for-already", "Somebody stands in for them already", &words),
        Rejection::TooManyStandIns => conflict("too-many-stand-ins", "Too many times", &words),
        Rejection::NoStandIn => conflict("no-stand-in", "Nobody stands in for them", &words),
        Rejection::UnknownDesk
        | Rejection::UnknownRoster
        | Rejection::UnknownOff
        | Rejection::UnknownStandIn
        | Rejection::ImplausibleStandIn
        | Rejection::ImplausibleDrill
        | Rejection::UnknownKeeper
        | Rejection::ImplausibleSpan
        | Rejection::UnknownTester
        | Rejection::ImplausibleTest
        | Rejection::ImplausibleList
        | Rejection::ImplausibleEta
        | Rejection::ImplausibleHold => Problem::bad_request(format!("{words}. Nothing was changed.")),
        Rejection::UnderLegalHold(_) => conflict("legal-hold", "Under legal hold", &words),
        Rejection::StillAtWork => conflict("still-at-work", "It is not over", &words),
        Rejection::StillInTheDirectory(_) => conflict("in-the-directory", "The directory names them", &words),
        Rejection::NothingToErase => conflict("nothing-to-erase", "Nothing to erase", &words),
        Rejection::Directory(_) => conflict("directory", "The directory was not adopted", &words),
    }
}

fn conflict(slug: &'static str, title: &'static str, words: &str) -> Problem {
    let detail = format!("{words}. Nothing was changed.");
    Problem::new(StatusCode::CONFLICT, slug, title, detail)
}

async fn fresh(room: &Room, caller: &Caller, id: ActivationId) -> Option<Card> {
    room.desk.card(id, caller.scope.clone()).await.ok().flatten()
}

fn escalate_to<'de, D: Deserializer<'de>>(source: D) -> Result<EscalateTo, D::Error> {
    let text = String::deserialize(source)?;
    read_escalate_to(&text).ok_or_else(|| serde::de::Error::custom("\"to\" is next, all, or rung 1, rung 2, ..."))
}

/// Reads `next`, `all` or `rung 3`.
pub(crate) fn read_escalate_to(text: &str) -> Option<EscalateTo> {
    match text {
        "next" => Some(EscalateTo::Next),
        "all" => Some(EscalateTo::All),
        rung => {
            let number: u16 = rung.strip_prefix("rung ")?.parse().ok()?;
            number.checked_sub(1).map(RungIndex).map(EscalateTo::Rung)
        }
    }
}
