//! One activation as words: state by word and shape, times at the site, and what this operator may do about it.

use std::cmp::Reverse;

use escalation::acknowledgement::{Commitment, Disposition};
use escalation::directory::{Mounting, Standing};
use escalation::event::{Age, DrillEnd};
use escalation::police::Threshold;
use escalation::signal::Kind;
use escalation::time::{Timestamp, Why};
use escalation::word::Word;
use station::view::{Beside, Card, State};

use crate::api::shape::disposition;
use crate::caller::Caller;
use crate::moment;
use crate::roles::Action;

/// One activation, ready to be printed.
pub(super) struct Row {
    pub(super) id: String,
    /// `climbing`, for the style sheet.
    pub(super) state: &'static str,
    pub(super) shape: &'static str,
    pub(super) state_words: String,
    pub(super) kind: &'static str,
    pub(super) customer: String,
    pub(super) site: String,
    pub(super) place: String,
    pub(super) mounting: &'static str,
    pub(super) standing: &'static str,
    pub(super) raised: String,
    pub(super) raised_ms: i64,
    pub(super) age: String,
    pub(super) delay: String,
    pub(super) presses: u32,
    pub(super) cancel_asked: bool,
    pub(super) about: String,
    pub(super) beside: Vec<Neighbour>,
    /// Until when a drill lasts; empty where it is none.
    pub(super) drill: String,
    /// `RING 000 NOW`, or what stands in its place; empty where nobody needs the police.
    pub(super) police: &'static str,
    pub(super) brief: String,
    pub(super) owner: String,
    /// Whom the owner has asked to take over.
    pub(super) offered_to: String,
    pub(super) unowned: bool,
    pub(super) said_safe: Vec<String>,
    /// What a word was that somebody gave; empty where none was, or where somebody may be watching.
    pub(super) word: &'static str,
    pub(super) tester: String,
    pub(super) keeper: String,
    pub(super) going: Vec<String>,
    pub(super) step: String,
    pub(super) next: &'static str,
    pub(super) next_ms: i64,
    pub(super) next_in: String,
    pub(super) closed: bool,
    pub(super) ending: String,
    pub(super) seq: u64,
    pub(super) may: May,
}

/// Another call that is open at the same site.
pub(super) struct Neighbour {
    pub(super) id: String,
    pub(super) words: String,
}

/// What this operator may do.
#[expect(clippy::struct_excessive_bools, reason = "one per row of the role table, read one by one by the template")]
pub(super) struct May {
    pub(super) claim: bool,
    pub(super) hold: bool,
    pub(super) hand_over: bool,
    pub(super) accept: bool,
    pub(super) decline: bool,
    pub(super) arrived: bool,
    pub(super) police: bool,
    pub(super) escalate: bool,
    pub(super) note: bool,
    pub(super) safe: bool,
    pub(super) step: bool,
    pub(super) close: bool,
    pub(super) reopen: bool,
}

impl May {
    fn of(caller: &Caller) -> Self {
        let may = |action| caller.role.may(action);
        Self {
            claim: may(Action::Claim),
            hold: may(Action::Hold),
            hand_over: may(Action::HandOver),
            accept: may(Action::Accept),
            decline: may(Action::Decline),
            arrived: may(Action::Arrived),
            police: may(Action::Police),
            escalate: may(Action::Escalate),
            note: may(Action::Note),
            safe: may(Action::Safe),
            step: may(Action::TakeStep),
            close: may(Action::Close),
            reopen: may(Action::Reopen),
        }
    }

    /// Nobody arrives at a drill or rings the police for one, and none is opened again.
    fn in_drill(self) -> Self {
        Self { arrived: false, police: false, step: false, reopen: false, ..self }
    }
}

impl Row {
    /// The row of a card at this time, for this operator.
    pub(super) fn new(card: &Card, now: Timestamp, caller: &Caller) -> Self {
        let zone = &card.timezone;
        let (shape, state_words) = words(card);
        let closed = card.state == State::Closed;
        Self {
            id: card.id.to_string(),
            state: card.state.as_str(),
            shape,
            state_words,
            kind: if card.drill.is_some() { "DRILL" } else { kind(card.kind) },
            customer: card.customer_name.clone(),
            site: card.site_name.clone(),
            place: card.place.clone(),
            mounting: match card.mounting {
                Some(Mounting::Fixed) => "fixed",
                Some(Mounting::Portable) => "portable: may be anywhere on site",
                None => "",
            },
            standing: match card.standing {
                Standing::Registered => "",
                Standing::UnknownDevice => "unregistered button",
                Standing::UnknownSite => "unregistered site",
            },
            raised: moment::day(card.raised_at, zone),
            raised_ms: card.raised_at.as_millisecond(),
            age: moment::span(card.raised_at, now),
            delay: delay(card.age),
            presses: card.presses,
            cancel_asked: card.cancel_asked,
            police: card.police.as_ref().map_or("", |police| match police.state {
                "rung" => "The police were rung.",
                "needed" => "POLICE NEEDED: the owner rings 000.",
                _ring_now => "RING 000 NOW: nobody has said that they have.",
            }),
            brief: card.police.as_ref().map(|police| police.brief.clone()).unwrap_or_default(),
            drill: card.drill.map(|drill| moment::clock(drill.until, zone)).unwrap_or_default(),
            about: card.about.as_ref().map(|about| format!("{}, who went to {}", about.name, about.of)).unwrap_or_default(),
            beside: beside(card),
            owner: card.claimed_by.clone().unwrap_or_default(),
            offered_to: card.offered_to.clone().unwrap_or_default(),
            unowned: is_unowned(card),
            said_safe: card
                .said_safe
                .iter()
                .map(|(name, eyes_on)| if *eyes_on { format!("{name}, who is there") } else { name.clone() })
                .collect(),
            word: card.word.map_or("", word),
            tester: card.asks_tester.clone().unwrap_or_default(),
            keeper: card.asks_keeper.clone().unwrap_or_default(),
            going: going(card),
            step: match (card.rung, card.rungs) {
                (_, 0) => "no ladder".to_owned(),
                (0, rungs) => format!("before step 1 of {rungs}"),
                (rung, rungs) => format!("step {rung} of {rungs}"),
            },
            next: next(card),
            next_ms: card.next_at.map_or(0, Timestamp::as_millisecond),
            next_in: card.next_at.map(|at| moment::span(now, at)).unwrap_or_default(),
            closed,
            ending: ending(card),
            seq: card.seq,
            may: if card.drill.is_some() { May::of(caller).in_drill() } else { May::of(caller) },
        }
    }
}

/// What else is open at its site.
fn beside(card: &Card) -> Vec<Neighbour> {
    let line = |beside: &Beside| Neighbour {
        id: beside.id.to_string(),
        words: format!(
            "{}, since {}, {}",
            beside.place,
            moment::clock(beside.raised_at, &card.timezone),
            if beside.is_answered { "somebody is going" } else { "nobody is going yet" }
        ),
    };
    card.beside.iter().map(line).collect()
}

fn word(word: Word) -> &'static str {
    match word {
        Word::Safe => "The safe word was given.",
        Word::Duress => "DURESS WORD: whoever gave it is not safe. Do not ring the site.",
        Word::Wrong => "A word was given that is not the safe one. Verify.",
        Word::Unknown => "A word was given, but none is known for this site. Verify.",
    }
}

/// Whether nobody has taken it on: no operator and nobody who is going. A drill calls for nobody by sound or number.
pub(super) fn is_unowned(card: &Card) -> bool {
    card.drill.is_none() && card.state != State::Closed && card.claimed_by.is_none() && card.going.is_empty()
}

/// What comes first in the queue is the worst: exhausted, climbing, held, accepted; unowned and oldest first within each.
pub(super) fn urgency(card: &Card) -> impl Ord + use<> {
    let state = match card.state {
        State::Exhausted => 4_u8,
        State::Climbing => 3,
        State::Held => 2,
        State::Accepted => 1,
        State::Closed => 0,
    };
    let amber = card.kind == Kind::Assist;
    (card.drill.is_some(), Reverse((state, is_unowned(card), !amber)), card.raised_at, card.id.to_string())
}

fn words(card: &Card) -> (&'static str, String) {
    let (shape, words) = match card.state {
        State::Exhausted | State::Climbing if card.needed.people > 1 && card.needed.going > 0 => {
            return ("\u{25b2}", format!("{} OF {} GOING, OTHERS STILL ASKED", card.needed.going, card.needed.people));
        }
        State::Exhausted => ("\u{25b2}\u{25b2}", "NOBODY ANSWERED"),
        State::Climbing if card.asks_tester.is_some() => ("\u{25c6}", "A TEST? ITS TESTER IS ASKED"),
        State::Climbing if card.asks_keeper.is_some() => ("\u{25b2}", "OUT OF SERVICE, PRESSED: ITS KEEPER IS ASKED"),
        State::Climbing => ("\u{25b2}", "NO ANSWER YET"),
        State::Held if card.going.is_empty() => ("\u{25c6}", "HELD BY THE OPERATOR"),
        State::Held => ("\u{25c6}", "BEING VERIFIED"),
        State::Accepted => ("\u{25cf}", "SOMEONE IS GOING"),
        State::Closed => ("\u{25a0}", "CLOSED"),
    };
    (shape, words.to_owned())
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Duress => "DURESS",
        Kind::Panic => "PANIC",
        Kind::Medical => "MEDICAL",
        Kind::Welfare => "WELFARE CHECK",
        Kind::Assist => "SUPPORT (not duress)",
    }
}

fn delay(age: Age) -> String {
    match age {
        Age::Live { up_to_s: None } => String::new(),
        Age::Live { up_to_s: Some(s) } => format!("may have waited up to {} min", s.div_ceil(60)),
        Age::Delayed { s } => format!("pressed {} min before it reached us", s / 60),
        Age::Recovered { s: Some(s) } => {
            format!("recovered: pressed {} min before it reached us", s / 60)
        }
        Age::Recovered { s: None } => "recovered: nobody knows when it was pressed".to_owned(),
    }
}

fn going(card: &Card) -> Vec<String> {
    let line = |going: &station::view::Going| {
        let what = match going.commitment {
            Commitment::Going => "is going",
            Commitment::Verifying => "is verifying",
        };
        if let Some(at) = going.arrived_at {
            let silent = if going.silent { " AND DOES NOT ANSWER" } else { "" };
            return format!("{} is there since {}{silent}", going.name, moment::clock(at, &card.timezone));
        }
        match going.arrive_by {
            Some(at) => format!("{} {what}, by {}", going.name, moment::clock(at, &card.timezone)),
            None => format!("{} {what} too", going.name),
        }
    };
    card.going.iter().map(line).collect()
}

fn next(card: &Card) -> &'static str {
    match card.next_why {
        None => "",
        Some(Why::Receipt) => "delivery receipt due",
        Some(Why::RungWait) => "next step of the ladder",
        Some(Why::Arrival) => "should be there; we ask \"still going?\"",
        Some(Why::Grace) => "the ladder goes on unless they answer",
        Some(Why::Police) => "everyone is asked whether 000 was rung",
        Some(Why::Check) => "whoever is there is asked \"are you safe?\"",
        Some(Why::Silence) => "help is sent to whoever is there, unless they answer",
        Some(Why::Hold) => "the hold is over and the ladder goes on",
        Some(Why::HandOver) => "it stays with its owner, and no longer held, unless it is taken over",
        Some(Why::Word) => "the word that was given is acted on",
        Some(Why::ClaimLapse) => "the claim lapses",
        Some(Why::Round) => "everyone is told again",
        Some(Why::DrillOver) => "the drill ends by itself",
        Some(Why::Archive) => "leaves this list",
        Some(Why::Trouble) => "people are told of a trouble",
    }
}

fn ending(card: &Card) -> String {
    let by = card.closed_by.as_deref().unwrap_or("somebody");
    let ended = card.drill.and_then(|drill| drill.ended).map(drill_end_words);
    let what = ended.or_else(|| card.disposition.map(disposition_words)).unwrap_or("no outcome");
    match card.closed_at {
        Some(at) => format!("{what}, by {by}, {}", moment::day(at, &card.timezone)),
        None => String::new(),
    }
}

fn drill_end_words(why: DrillEnd) -> &'static str {
    match why {
        DrillEnd::Exhausted => "every step was tried",
        DrillEnd::TimeOver => "its time was over",
        DrillEnd::Answered => "it was answered",
        DrillEnd::RealCall => "a real call came there",
    }
}

/// Every disposition: its name in forms, and its words.
pub(super) const DISPOSITIONS: [Disposition; 9] = [
    Disposition::Attended,
    Disposition::PoliceAttended,
    Disposition::ResolvedByStaff,
    Disposition::PressedInGoodFaith,
    Disposition::Unintended,
    Disposition::Test,
    Disposition::Fault,
    Disposition::Medical,
    Disposition::CouldNotVerify,
];

/// The reasons for the police: number and words.
pub(super) fn thresholds() -> Vec<(usize, &'static str)> {
    Threshold::ALL.into_iter().enumerate().map(|(index, why)| (index + 1, why.words())).collect()
}

/// The choices of the closing form: value and words.
pub(super) fn endings() -> Vec<(&'static str, &'static str)> {
    DISPOSITIONS.iter().map(|d| (disposition(*d), disposition_words(*d))).collect()
}

fn disposition_words(disposition: Disposition) -> &'static str {
    match disposition {
        Disposition::Attended => "attended",
        Disposition::PoliceAttended => "police attended",
        Disposition::ResolvedByStaff => "resolved by staff",
        Disposition::PressedInGoodFaith => "pressed in good faith",
        Disposition::Unintended => "unintended",
        Disposition::Test => "test",
        Disposition::Fault => "fault",
        Disposition::Medical => "medical",
        Disposition::CouldNotVerify => "could not verify",
    }
}
