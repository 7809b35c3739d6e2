//! The pages about messages say what is sent: every text with its septets, and the fields of a centre's webhook.

use std::fmt::Write as _;

use dispatch::gsm7::{SEGMENT, septets};
use dispatch::message::Book;
use escalation::dispatch::{Purpose, Words};
use expect_test::expect_file;

const MESSAGES: &str = include_str!("../../../docs/src/reference/messages.md");
/// What stands before the part of the page that is printed.
const BEFORE_TEXTS: &str = "A test prints what follows from the program itself.\n";

/// One alarm, as an ordinary directory words it.
fn words() -> Words {
    let mut words = Words::from([("phone", "08 9555 0111"), ("presses", "4"), ("mounting", "fixed")].map(|(k, v)| (k, v.to_owned())));
    for (name, word) in [
        ("kind", "DURESS"),
        ("kind_id", "duress"),
        ("site", "Kalamunda Library"),
        ("site_sms", "Kalamunda Library"),
        ("place", "Front counter 1"),
        ("place_sms", "Front counter 1"),
        ("time", "14:03 AWST"),
        ("date", "Sat 21 Nov 2026"),
        ("code", "47"),
        ("ref", "KAL-42"),
        ("responder", "Priya N"),
        ("recipient", "Priya"),
        ("brief", "Kalamunda WA, 7 Example Road, near Mead St, Kalamunda Library, Front counter 1, fixed button"),
        ("disposition", "attended"),
        ("trouble", "broker away"),
        ("trouble_id", "broker_away"),
        ("wrong", "broker away, no button reaches us"),
        ("remedy", "Sites use phones. Mend the broker."),
        ("ended", "OVER"),
        ("ending", "It is back. Ask the sites if they pressed."),
    ] {
        words.insert(name, word.to_owned());
    }
    words
}

/// The same, and for a trouble of the station that it has no place.
fn words_of(purpose: Purpose) -> Words {
    let mut words = words();
    if matches!(purpose, Purpose::Trouble | Purpose::TroubleAgain | Purpose::TroubleTaken | Purpose::TroubleOver) {
        words.extend([("site", String::new()), ("code", "9900".to_owned()), ("ref", "TRB-1".to_owned())]);
    }
    words
}

/// When each is sent.
fn occasion(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Alarm => "The call for help, to someone on a rung.",
        Purpose::AlarmAgain => "The same again, in a round after every rung was tried.",
        Purpose::AskFirst => "Old, unreadable or kept by the broker: a human is asked to look, before the full ladder.",
        Purpose::AskKeeper => "A button out of service was pressed: to its keeper alone, a minute before the full ladder.",
        Purpose::AskTester => "A button on test was pressed: to its tester alone, and by text alone.",
        Purpose::NotATest => "To the tester who said by text that it was not they.",
        Purpose::PressedAgain => "To whoever is going and to the centre, once a minute at most.",
        Purpose::Confirmed => "To the person who answered going, or helping, by text.",
        Purpose::Declined => "To the person who answered by text that they cannot.",
        Purpose::SomeoneGoing => "To everybody else who was alarmed, once.",
        Purpose::StillGoing => "To the person committed, when they should be there.",
        Purpose::AreYouSafe => "To a responder who has arrived, three minutes after their last word.",
        Purpose::ColleagueSilent => "To whoever else is going or there, when a responder who has arrived falls silent.",
        Purpose::RingPolice => "Police are needed and nobody has said to have rung: to whoever has committed, else to everybody alarmed.",
        Purpose::HasAnyoneRung => "The same to everybody else who was alarmed, until somebody says to have rung.",
        Purpose::StandDown => "To everybody who was alarmed, once it is closed.",
        Purpose::NothingAcknowledged => "To a phone on the ladder whose reply is no answer, once a minute at most.",
        Purpose::WhichAlarm => "To a phone that replied a bare yes.",
        Purpose::AlreadyClosed => "To who answers after closing.",
        Purpose::Trouble => "A trouble has lasted: to the technical ladder, rung by rung.",
        Purpose::TroubleAgain => "It lasts, and nobody looks after it, or whoever does was told long ago.",
        Purpose::TroubleTaken => "To the person who answered by text that they look after it.",
        Purpose::TroubleOver => "To everybody who was told of it, once it has been over for as long as it had to last.",
    }
}

#[test]
fn every_text_is_printed_with_its_septets() {
    let book = Book::load(None).expect("the built-in texts are sound");
    let mut page = String::new();
    for purpose in Purpose::ALL {
        let text = book.sms(purpose, &words_of(purpose)).expect("it can be worded").body;
        let mail = book.email(purpose, &words_of(purpose)).expect("it can be worded");
        let cost = septets(&text).expect("it is in the alphabet");
        assert!(cost <= SEGMENT, "{text}");
        let _written = write!(
            page,
            "\n## `{}`\n\n{}\n\n```text\n{text}\n```\n\n{cost} septets. As an e-mail: `{}`\n",
            purpose.as_str(),
            occasion(purpose),
            mail.subject
        );
    }
    let mut assist = words();
    assist.extend([("kind", "SUPPORT".to_owned()), ("kind_id", "assist".to_owned())]);
    let text = book.sms(Purpose::Alarm, &assist).expect("it can be worded").body;
    let _written = write!(
        page,
        "\n## `alarm` of the kind `assist`\n\nColleagues are asked, and it says that it is not duress.\n\n```text\n{text}\n```\n\n{} septets.\n",
        septets(&text).expect("it is in the alphabet")
    );
    let mut welfare = words();
    welfare.extend([("kind", "WELFARE".to_owned()), ("kind_id", "welfare".to_owned()), ("about", "J. Smith".to_owned())]);
    let text = book.sms(Purpose::Alarm, &welfare).expect("it can be worded").body;
    let _written = write!(
        page,
        "\n## `alarm` for a responder\n\nSomebody who had arrived does not answer, or asks for help themselves.\n\n```text\n{text}\n```\n\n{} septets.\n",
        septets(&text).expect("it is in the alphabet")
    );
    let head = MESSAGES.split_once(BEFORE_TEXTS).expect("the page says where the texts begin").0;
    expect_file!["../../../docs/src/reference/messages.md"].assert_eq(&format!("{head}{BEFORE_TEXTS}{page}"));
}
