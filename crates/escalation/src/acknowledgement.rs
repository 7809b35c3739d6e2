//! What counts as a human answer, and what never does (I4).
//!
//! A reply counts only in a form that a human must make: the whole message is one short code, or a digit in a call that a
//! human asked to hear. Quoted texts,
//! reactions and auto-replies are recorded and answered "nothing acknowledged".

use serde::{Deserialize, Serialize};

use crate::id::{ActivationId, ContactKey, PersonId};
use crate::private::Private;
use crate::time::{Seconds, Timestamp};

/// The longest reply that is read as an answer, in characters (interfaces, "Reply grammar").
pub const REPLY_MAX: usize = 20;

/// Something a person sent us, by text or by the responder's page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Who, as far as the way in can tell.
    pub from: Sender,
    /// What it says.
    pub reply: Reply,
    /// The words themselves.
    pub text: Option<Private>,
    /// The provider's own id of the message: a replay has the same.
    pub provider_ref: Option<String>,
    /// When the provider says it was sent.
    pub sent_at: Option<Timestamp>,
}

/// Who sent an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sender {
    /// A number as the provider gave it; the watch turns it into a key before the rules see it.
    Number(Private),
    /// A contact known by key only; its reply carries the code.
    Contact(ContactKey),
    /// Whoever pressed a digit in a call of ours, by the number that was rung; the watch turns it into a key.
    Callee {
        /// What the call was about.
        activation: ActivationId,
        /// Which number was rung.
        number: Private,
    },
    /// The same, known by key only.
    Called {
        /// What the call was about.
        activation: ActivationId,
        /// Which phone was rung.
        contact: ContactKey,
    },
    /// The holder of a responder's link: one person and one activation.
    Link {
        /// For which activation the link was made.
        activation: ActivationId,
        /// To which contact it went.
        contact: ContactKey,
        /// For whom it was made.
        person: PersonId,
        /// Whether a human gesture came with the press of the button.
        gesture: Gesture,
    },
}

/// Evidence that a hand, not a scanner, pressed a button on the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gesture {
    /// A pointer or key event, or the challenge of the page without scripts, came with it.
    Shown,
    /// Nothing did, or it came faster than a person reads: it stops nothing.
    Missing,
}

/// What a reply says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// `Y47`: going.
    Going {
        /// The code, `None` from a link.
        code: Option<Code>,
    },
    /// `H47`: helping remotely.
    Helping {
        /// The code, `None` from a link.
        code: Option<Code>,
    },
    /// `N47`: cannot.
    Cannot {
        /// The code, `None` from a link.
        code: Option<Code>,
    },
    /// At the place, or still safe there; from a link only.
    Arrived,
    /// Needs help themselves; from a link only.
    InNeed,
    /// The police are needed; from a link only.
    PoliceNeeded,
    /// The police have been rung; from a link only.
    PoliceRung,
    /// A step of the responders' plan is done; from a link only.
    StepDone {
        /// Which, from 1.
        number: u16,
    },
    /// A bare `Y` or `YES`: asks for the code.
    BareYes,
    /// An opt-out word that carriers act on.
    Stop,
    /// A word that takes the opt-out back.
    Start,
    /// Anything else.
    NotAnAnswer,
}

/// A reply code: two to four digits, unique per phone among open activations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Code(u16);

impl Code {
    /// A code of two to four digits without a leading zero, 10 to 9999.
    pub fn new(number: u16) -> Option<Self> {
        (10..=9999).contains(&number).then_some(Self(number))
    }
    /// The number a person types.
    pub fn number(self) -> u16 {
        self.0
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl Reply {
    /// Reads a text message. Case and spaces are tolerated; anything longer than [`REPLY_MAX`] characters is not an answer.
    pub fn parse(text: &str) -> Self {
        let whole = text.trim();
        if whole.chars().count() > REPLY_MAX {
            return Self::NotAnAnswer;
        }
        let compact: String = whole.chars().filter(|c| !c.is_whitespace()).map(|c| c.to_ascii_uppercase()).collect();
        match compact.as_str() {
            "Y" | "YES" => return Self::BareYes,
            "STOP" | "STOPALL" | "UNSUBSCRIBE" | "CANCEL" | "END" | "QUIT" | "OPTOUT" | "REVOKE" => return Self::Stop,
            // YES takes it back at some carriers as well, but here it is meant for an alarm.
            "START" | "UNSTOP" => return Self::Start,
            _other => {}
        }
        let mut letters = compact.chars();
        let verb = letters.next();
        let Some(code) = read_code(letters.as_str()) else {
            return Self::NotAnAnswer;
        };
        match verb {
            Some('Y') => Self::Going { code: Some(code) },
            Some('H') => Self::Helping { code: Some(code) },
            Some('N') => Self::Cannot { code: Some(code) },
            Some(_) | None => Self::NotAnAnswer,
        }
    }

    /// The code that came with it, if any.
    pub fn code(&self) -> Option<Code> {
        match self {
            Self::Going { code } | Self::Helping { code } | Self::Cannot { code } => *code,
            Self::Arrived
            | Self::InNeed
            | Self::PoliceNeeded
            | Self::PoliceRung
            | Self::StepDone { .. }
            | Self::BareYes
            | Self::Stop
            | Self::Start
            | Self::NotAnAnswer => None,
        }
    }
}

fn read_code(digits: &str) -> Option<Code> {
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && (2..=4).contains(&digits.len());
    if !plain || digits.starts_with('0') {
        return None;
    }
    digits.parse().ok().and_then(Code::new)
}

/// What a person commits to by accepting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Commitment {
    /// On the way.
    Going,
    /// Finding out from where they are; holds the climb 120 s, renewable once.
    Verifying,
}

/// What became of an activation, as said at closing. Our words never say "false" or "accidental".
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disposition {
    /// Someone attended.
    Attended,
    /// Police attended.
    PoliceAttended,
    /// Staff resolved it.
    ResolvedByStaff,
    /// Pressed in good faith.
    PressedInGoodFaith,
    /// Unintended.
    Unintended,
    /// A test.
    Test,
    /// A fault of the equipment.
    Fault,
    /// Medical.
    Medical,
    /// Could not verify.
    CouldNotVerify,
}

/// How long a commitment holds when nobody said (lifecycle, "What an answer does").
pub const DEFAULT_ETA: Seconds = Seconds(600);
/// How long "verifying" holds the climb, and how long its one renewal does.
pub const VERIFYING_HOLD: Seconds = Seconds(120);
/// A bare yes holds the climb this long, once, while its code is asked for.
pub const BARE_YES_PAUSE: Seconds = Seconds(30);
/// A claim lapses after this long without an action by its owner.
pub const CLAIM_LAPSE: Seconds = Seconds(120);

#[cfg(test)]
mod tests {
    use super::*;

    fn going(code: u16) -> Reply {
        Reply::Going { code: Code::new(code) }
    }

    #[test]
    fn replies_are_read_as_people_type_them() {
        for text in ["Y47", "y47", " Y 47 ", "Y4 7", "y 47\n"] {
            assert_eq!(Reply::parse(text), going(47), "{text:?}");
        }
        assert_eq!(Reply::parse("h123"), Reply::Helping { code: Code::new(123) });
        assert_eq!(Reply::parse("N 4711"), Reply::Cannot { code: Code::new(4711) });
        assert_eq!(Reply::parse("yes"), Reply::BareYes);
        assert_eq!(Reply::parse("Stop"), Reply::Stop);
        assert_eq!(Reply::parse("start"), Reply::Start);
    }

    #[test]
    fn i4_quotes_reactions_and_auto_replies_are_not_answers() {
        for text in [
            "",
            "Y",
            "47",
            "Y4",
            "Y04",
            "Y47811",
            "X47",
            "Y47 ok thanks on my way now",
            "Liked \u{201c}DURESS Kalamunda Library, Front counter 1. Reply Y47=going\u{201d}",
            "I'm driving. Y47",
            "Y4\u{0667}",
        ] {
            let reply = Reply::parse(text);
            assert!(reply.code().is_none(), "{text:?} must not carry a code, got {reply:?}");
        }
    }
}
