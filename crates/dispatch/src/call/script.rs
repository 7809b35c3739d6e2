//! What is said in a call, as the documents (`TwiML`) that the provider reads aloud. Pure.
//!
//! Until a digit has asked for it nothing is said that a voicemail must not keep.

use std::fmt::Write as _;

use escalation::acknowledgement::Reply;

use crate::message::Spoken;

/// How often each thing is said before the call ends by itself.
const TIMES: usize = 3;
/// How long a digit is waited for after the words, seconds.
const DIGIT_S: u32 = 6;
/// What the digits are after the words of the alarm. Not in a template: what is said here is what is done.
const CHOICES: &str = "Press 1 if you are going, 2 to help from where you are, 3 if you cannot, 4 to hear it again.";

/// One call's words, and what it was answered. Names places; has no `Debug`.
pub(super) struct Script {
    prompt: String,
    content: String,
    /// Said in place of the choices, where no digit could be kept.
    instead: Option<String>,
    /// The digit that was durable, and what it was answered.
    pub(super) answered: Option<(Digit, Said)>,
}

/// A digit that answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Digit {
    Going,
    Helping,
    Cannot,
}

/// What became of a digit, to be said back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// It counts.
    Counted(Digit),
    /// It is recorded, and changes nothing.
    SetAside,
}

impl Digit {
    pub(super) fn read(digits: &str) -> Option<Self> {
        match digits {
            "1" => Some(Self::Going),
            "2" => Some(Self::Helping),
            "3" => Some(Self::Cannot),
            _other => None,
        }
    }

    pub(super) fn reply(self) -> Reply {
        match self {
            Self::Going => Reply::Going { code: None },
            Self::Helping => Reply::Helping { code: None },
            Self::Cannot => Reply::Cannot { code: None },
        }
    }
}

impl Script {
    pub(super) fn new(spoken: &Spoken) -> Self {
        Self { prompt: spoken.prompt.clone(), content: spoken.content.clone(), instead: spoken.instead.clone(), answered: None }
    }

    /// The first words: who is called, and that a digit is wanted. `action` is where the digit goes.
    pub(super) fn opening(&self, action: &str) -> String {
        asking(action, &self.prompt, "")
    }

    /// The alarm, and what each digit does.
    pub(super) fn alarm(&self, action: &str, before: &str) -> String {
        if let Some(instead) = &self.instead {
            return ending(&vec![format!("{} {instead}", self.content); TIMES].join(" Again. "));
        }
        let words = format!("{before}{} {CHOICES}", self.content);
        asking(action, &words, "Nothing was acknowledged. Others are being asked. Goodbye.")
    }
}

/// The last words of a call that was answered.
pub(super) fn parting(said: Said) -> String {
    ending(match said {
        Said::Counted(Digit::Going) => "Thank you. You are recorded as going. Goodbye.",
        Said::Counted(Digit::Helping) => "Thank you. You are recorded as helping from where you are. Goodbye.",
        Said::Counted(Digit::Cannot) => "It is recorded that you cannot. Others are being asked. Goodbye.",
        Said::SetAside => "That changed nothing: it may be over, or others have it. Please look at your messages. Goodbye.",
    })
}

/// The words of a call that nobody knows any more. They name nothing: who hears them is not known either.
pub(super) fn interrupted() -> String {
    ending("This call was interrupted, and nothing was acknowledged. Please look at your messages. Goodbye.")
}

/// Says the words several times, each time waiting for one digit, and then the last words.
fn asking(action: &str, words: &str, last: &str) -> String {
    let (action, words) = (escaped(action), escaped(words));
    let mut body = String::new();
    for _time in 0..TIMES {
        let _written = write!(
            body,
            "<Gather input=\"dtmf\" numDigits=\"1\" timeout=\"{DIGIT_S}\" method=\"POST\" action=\"{action}\">\
             <Say language=\"en-AU\">{words}</Say></Gather>"
        );
    }
    let last = if last.is_empty() { String::new() } else { said(last) };
    document(&format!("{body}{last}<Hangup/>"))
}

fn ending(words: &str) -> String {
    document(&format!("{}<Hangup/>", said(words)))
}

fn said(words: &str) -> String {
    format!("<Say language=\"en-AU\">{}</Say>", escaped(words))
}

fn document(body: &str) -> String {
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>{body}</Response>")
}

/// As text and as an attribute; what XML 1.0 cannot hold at all becomes a space.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_can_change_what_a_call_says() {
        let spoken = Spoken {
            prompt: "Call for <Dial>\u{0}\"A\" & 'B'. Press 1.".to_owned(),
            content: "DURESS </Say><Hangup/>".to_owned(),
            instead: None,
            template: String::new(),
        };
        let script = Script::new(&spoken);
        let opening = script.opening("https://a.example.org/hooks/v/voice?d=KAL-1.1&s=heard");
        assert!(opening.contains("Call for &lt;Dial&gt; &quot;A&quot; &amp; &apos;B&apos;. Press 1."), "{opening}");
        assert!(opening.contains("?d=KAL-1.1&amp;s=heard\""));
        assert!(!opening.contains("DURESS"), "a machine may be listening");
        assert_eq!(script.alarm("x", "").matches("<Hangup/>").count(), 1);
    }

    #[test]
    fn a_call_that_nobody_could_record_asks_for_no_digit() {
        let spoken = Spoken {
            prompt: "Press 1.".to_owned(),
            content: "DURESS.".to_owned(),
            instead: Some("To answer, ring 08 9555 0100.".to_owned()),
            template: String::new(),
        };
        let said = Script::new(&spoken).alarm("x", "");
        assert!(said.contains("DURESS. To answer, ring 08 9555 0100. Again. DURESS."), "{said}");
        assert!(!said.contains("Gather") && !said.contains("Press"), "no digit is asked for that would be lost: {said}");
    }
}
