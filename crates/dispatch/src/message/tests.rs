//! What the built-in texts say, that none exceeds a segment, and that a bad edited one is refused where it stands.

use std::fs;

use escalation::dispatch::{Purpose, Words};
use proptest::prelude::*;

use super::*;

fn words() -> Words {
    let mut words = complete(&Words::new());
    for (name, word) in [
        ("kind", "DURESS"),
        ("kind_id", "duress"),
        ("site", "Kalamunda Library"),
        ("site_sms", "Kalamunda Library"),
        ("place", "Front counter 1"),
        ("place_sms", "Front counter 1"),
        ("time", "14:03 AWST"),
        ("date", "Mon 13 Apr 2026"),
        ("code", "47"),
        ("ref", "KAL-42"),
    ] {
        words.insert(name, word.to_owned());
    }
    words
}

#[test]
fn the_first_message_reads_as_promised() {
    let text = Book::load(None).unwrap().sms(Purpose::Alarm, &words()).unwrap();
    assert_eq!(
        text.body,
        "DURESS Kalamunda Library, Front counter 1. 14:03 AWST. Don't ring site, don't enter alone. \
         Reply Y47=going H47=helping remotely N47=can't. KAL-42"
    );
    assert_eq!(septets(&text.body), Some(145));
    assert!(text.template.starts_with("alarm.sms@") && text.template.len() == 18, "{}", text.template);
}

#[test]
fn support_is_not_worded_as_duress() {
    let mut words = words();
    words.insert("kind_id", "assist".to_owned());
    let text = Book::load(None).unwrap().sms(Purpose::Alarm, &words).unwrap();
    assert_eq!(
        text.body,
        "SUPPORT asked for (not duress) Kalamunda Library, Front counter 1. 14:03 AWST. \
         Go over calmly or reply Y47 going / N47 can't. KAL-42"
    );
}

#[test]
fn support_pressed_again_or_unanswered_is_still_not_worded_as_duress() {
    let book = Book::load(None).unwrap();
    let mut words = words();
    for (name, word) in [("kind", "SUPPORT"), ("kind_id", "assist"), ("presses", "4")] {
        words.insert(name, word.to_owned());
    }
    for (purpose, text) in [
        (
            Purpose::AlarmAgain,
            "SUPPORT STILL OPEN (not duress) Kalamunda Library, Front counter 1. 14:03 AWST. No answer yet. \
             Go over calmly or reply Y47 going / N47 can't. KAL-42",
        ),
        (
            Purpose::PressedAgain,
            "SUPPORT PRESSED AGAIN (4x) Kalamunda Library, Front counter 1. 14:03 AWST. \
             Go over calmly or reply Y47 going / N47 can't. KAL-42",
        ),
    ] {
        assert_eq!(book.sms(purpose, &words).unwrap().body, text);
        let mail = book.email(purpose, &words).unwrap().text;
        assert!(mail.contains("Go over calmly.") && !mail.contains("Do NOT phone"), "{mail}");
    }
}

#[test]
fn a_bare_yes_is_told_the_code_and_that_it_did_nothing() {
    let book = Book::load(None).unwrap();
    let mut words = words();
    for kind in ["duress", "assist"] {
        words.insert("kind_id", kind.to_owned());
        assert_eq!(
            book.sms(Purpose::WhichAlarm, &words).unwrap().body,
            "Which alarm? Nothing acknowledged yet. For Kalamunda Library, Front counter 1 reply Y47=going N47=can't. \
             For another, the code in its text. KAL-42"
        );
    }
    words.insert("code", String::new());
    words.insert("phone", "08 9555 0100".to_owned());
    let text = book.sms(Purpose::WhichAlarm, &words).unwrap().body;
    assert_eq!(text, "Which alarm? Nothing acknowledged yet. Ring 08 9555 0100. KAL-42");
}

#[test]
fn an_old_press_and_an_unregistered_button_are_not_worded_as_plain_and_live() {
    let book = Book::load(None).unwrap();
    let mut words = words();
    words.insert("age", "9 min ago".to_owned());
    words.insert("late", "4 min".to_owned());
    let text = |purpose, words: &Words| book.sms(purpose, words).unwrap().body;
    assert_eq!(
        text(Purpose::Alarm, &words),
        "DURESS Kalamunda Library, Front. 14:03 AWST (9 min ago) (4 min late). Don't ring site, don't enter alone. \
         Reply Y47=going H47=helping remotely N47=can't. KAL-42"
    );
    assert_eq!(
        text(Purpose::AlarmAgain, &words),
        "DURESS STILL OPEN Kalamunda Library. 14:03 AWST (9 min ago) (4 min late). No answer yet. Don't ring site. \
         Reply Y47=going H47=helping remotely N47=can't. KAL-42"
    );
    words.insert("late", String::new());
    words.insert("unregistered", "yes".to_owned());
    words.insert("place", "dev-9".to_owned());
    words.insert("place_sms", "dev-9".to_owned());
    assert_eq!(
        text(Purpose::Alarm, &words),
        "DURESS unregistered button Kalamunda Library, dev-9. 14:03 AWST (9 min ago). Don't ring site, don't enter alone. \
         Reply Y47=going H47=helping N47=can't. KAL-42"
    );
    assert_eq!(
        text(Purpose::AskFirst, &words),
        "CHECK NEEDED unregistered button Kalamunda Library, dev-9. 14:03 AWST (9 min ago). Don't ring site. \
         Reply Y47=going H47=helping N47=can't. KAL-42"
    );
    let mail = book.email(Purpose::Alarm, &words).unwrap();
    assert_eq!(mail.subject, "[DURESS] unregistered button - Kalamunda Library - dev-9 - 14:03 AWST (9 min ago) - KAL-42");
    assert!(mail.text.starts_with("A DURESS alarm came from an unregistered button.\n"), "{}", mail.text);
    assert!(mail.text.contains("14:03 AWST (9 min ago)"), "{}", mail.text);
    let mail = book.email(Purpose::AlarmAgain, &words).unwrap();
    assert_eq!(mail.subject, "[DURESS STILL OPEN] unregistered button - Kalamunda Library - dev-9 - 14:03 AWST (9 min ago) - KAL-42");
}

#[test]
fn the_link_rides_along_only_where_it_fits() {
    let book = Book::load(None).unwrap();
    let mut words = words();
    words.insert("link", "acme.au/9Kq3v".to_owned());
    let short = book.sms(Purpose::Alarm, &words).unwrap().body;
    assert!(short.ends_with("KAL-42 acme.au/9Kq3v"), "{short}");
    words.insert("link", "alerts.acme.au/a/9Kq3vT2mWxP".to_owned());
    let long = book.sms(Purpose::Alarm, &words).unwrap().body;
    assert!(
        long.ends_with(
            "Front counter 1. 14:03 AWST. Don't ring site, don't enter alone. Reply Y47=going H47=helping remotely N47=can't. KAL-42"
        ),
        "{long}"
    );
}

#[test]
fn the_place_gives_way_first_and_never_mid_word() {
    let mut words = words();
    words.insert("code", "4711".to_owned());
    words.insert("ref", "KALAMU-1234567".to_owned());
    words.insert("site_sms", "Kalamunda Libraries".to_owned());
    words.insert("place_sms", "Front desk counter 1".to_owned());
    let text = Book::load(None).unwrap().sms(Purpose::Alarm, &words).unwrap().body;
    assert!(text.starts_with("DURESS Kalamunda Libraries, Front desk. 14:03 AWST. "), "{text}");
    assert!(text.contains("Y4711=going") && text.ends_with("KALAMU-1234567"), "{text}");
}

#[test]
fn typography_from_the_directory_stays_in_the_alphabet() {
    let mut words = words();
    words.insert("site_sms", "Ren\u{e9}\u{2019}s [Caf\u{e9}] \u{1f600}".to_owned());
    let text = Book::load(None).unwrap().sms(Purpose::Alarm, &words).unwrap().body;
    assert!(text.contains("Ren\u{e9}'s (Caf\u{e9}) ?"), "{text}");
    assert!(septets(&text).is_some());
}

#[test]
fn without_a_code_the_message_says_whom_to_ring() {
    let mut words = words();
    words.insert("code", String::new());
    words.insert("phone", "08 9555 0100".to_owned());
    let book = Book::load(None).unwrap();
    let text = book.sms(Purpose::Alarm, &words).unwrap().body;
    assert!(text.contains("To answer ring 08 9555 0100.") && !text.contains("Reply"), "{text}");
    let mail = book.email(Purpose::Alarm, &words).unwrap();
    assert!(mail.text.contains("To answer, ring 08 9555 0100."), "{}", mail.text);
}

#[test]
fn what_could_not_be_recorded_says_so_and_takes_no_answer() {
    let book = Book::load(None).unwrap();
    for (phone, wanted) in [("08 9555 0100", "ring 08 9555 0100"), ("", "phone the centre")] {
        let mut words = words();
        for (name, word) in [("code", ""), ("url", ""), ("link", ""), ("unrecorded", "yes"), ("phone", phone)] {
            words.insert(name, word.to_owned());
        }
        for purpose in [Purpose::Alarm, Purpose::AlarmAgain, Purpose::AskFirst] {
            let instead = book.spoken(purpose, &words).unwrap().instead;
            assert_eq!(instead.as_deref(), Some(&*format!("No answer can be taken here. To answer, {wanted}.")));
            let mail = book.email(purpose, &words).unwrap().text;
            assert!(mail.contains("could not be written into the record yet") && mail.contains(wanted), "{mail}");
        }
    }
    assert_eq!(book.spoken(Purpose::Alarm, &words()).unwrap().instead, None);
    assert!(!book.email(Purpose::Alarm, &words()).unwrap().text.contains("into the record"));
}

#[test]
fn without_a_code_no_text_asks_for_a_reply_by_text() {
    let book = Book::load(None).unwrap();
    for (kind, kind_id) in [("DURESS", "duress"), ("SUPPORT", "assist")] {
        for (phone, wanted) in [("08 9555 0100", "ring 08 9555 0100"), ("", "phone the centre")] {
            let mut words = words();
            for (name, word) in [("kind", kind), ("kind_id", kind_id), ("code", ""), ("phone", phone)] {
                words.insert(name, word.to_owned());
            }
            for purpose in [
                Purpose::Alarm,
                Purpose::AlarmAgain,
                Purpose::AskFirst,
                Purpose::PressedAgain,
                Purpose::StillGoing,
                Purpose::AreYouSafe,
                Purpose::NothingAcknowledged,
            ] {
                let text = book.sms(purpose, &words).unwrap().body;
                let said = text.to_lowercase();
                assert!(said.contains(wanted) && !said.contains("reply y") && !said.contains("=going"), "{purpose:?}: {text}");
                let mail = book.email(purpose, &words).unwrap().text;
                assert!(mail.contains(&format!("To answer, {wanted}.")), "{purpose:?}: {mail}");
            }
        }
    }
}

#[test]
fn no_text_teaches_a_word_that_carriers_act_on() {
    for (name, source) in BUILT_IN {
        let shouted = source.to_uppercase();
        for word in ["REPLY STOP", "REPLY END", "REPLY QUIT", "REPLY CANCEL", "TEXT STOP"] {
            assert!(!shouted.contains(word), "{name} teaches {word}");
        }
    }
}

#[test]
fn page_and_plain_text_say_the_same_and_markup_in_words_stays_text() {
    let mut words = words();
    words.insert("url", "https://alerts.example.org/a/9Kq3vT2mWxP".to_owned());
    words.insert("hazards", "<script>dog</script>".to_owned());
    let mail = Book::load(None).unwrap().email(Purpose::Alarm, &words).unwrap();
    assert_eq!(mail.subject, "[DURESS] Kalamunda Library - Front counter 1 - 14:03 AWST - KAL-42");
    assert!(mail.text.contains("Opening this e-mail or the link does not answer the alarm."));
    assert!(!mail.html.contains("<script>") && mail.html.contains("&lt;script&gt;dog"), "{}", mail.html);
    assert_eq!(mail.html.matches("<a ").count(), 1, "one link");
    assert!(!mail.html.contains("<img") && !mail.html.contains("<form"));
    assert!(mail.template.starts_with("alarm.email@"));
}

#[test]
fn every_purpose_has_every_text_even_from_no_words_at_all() {
    let book = Book::load(None).unwrap();
    for purpose in Purpose::ALL {
        assert!(!book.sms(purpose, &Words::new()).unwrap().body.is_empty());
        assert!(!book.email(purpose, &Words::new()).unwrap().text.is_empty());
    }
}

#[test]
fn an_edited_text_is_refused_with_file_line_and_remedy() {
    for (file, source, wanted) in [
        ("alarm.sms.txt", "Hello\n{{ colour }}", "alarm.sms.txt:2: there is no word \"colour\""),
        ("alarm.sms.txt", "Hello {{ site_sms", "alarm.sms.txt:1: "),
        ("alarm.sms.txt", "Help\n{{ site_sms }} \u{1f600}", "alarm.sms.txt:2: \"\u{1f600}\" is not in the alphabet"),
        ("alarn.sms.txt", "Hello", "alarn.sms.txt: no message is made from a file of this name"),
        ("alarm.email.txt", "{% for a in paragraphs %}{% endfor %}", "there is no word \"paragraphs\""),
        ("alarm.email.txt", "{% for a in range(100000) %}{{ site }}{% endfor %}", "alarm.email.txt:"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join(file), source).unwrap();
        let outcome = Book::load(Some(dir.path()));
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains(wanted), "{file}: {error}");
        assert!(error.lines().count() >= 2, "no remedy in {error}");
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("alarm.sms.txt"), "x".repeat(130)).unwrap();
    let error = Book::load(Some(dir.path())).unwrap_err().to_string();
    assert!(error.contains("takes 130 septets before site and place"), "{error}");
}

#[test]
fn an_edited_text_is_used_and_named_by_its_content() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("alarm.sms.txt"), "Help at {{ site_sms }} {{ place_sms }} Y{{ code }} {{ ref }}\n").unwrap();
    let edited = Book::load(Some(dir.path())).unwrap().sms(Purpose::Alarm, &words()).unwrap();
    assert_eq!(edited.body, "Help at Kalamunda Library Front counter 1 Y47 KAL-42");
    let built_in = Book::load(None).unwrap().sms(Purpose::Alarm, &words()).unwrap();
    assert_ne!(edited.template, built_in.template);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_text_message_exceeds_a_segment_whatever_the_words_are(
        site in ".{0,60}",
        place in "[A-Za-z0-9 \\[\\]{}€^~|,.'\u{2019}-]{0,60}",
        ref_ in "[A-Z]{3,6}-[1-9][0-9]{0,6}",
        code in prop::option::of(10_u16..10_000),
        link in prop::option::of("[a-z]{3,30}\\.au/a/[A-Za-z0-9_-]{11}"),
        late in "([0-9]{1,3} (s|min))?",
        age in "(up to [0-9]{1,3} min ago)?",
        kind in prop::sample::select(vec![("DURESS", "duress"), ("MEDICAL", "medical"), ("PANIC", "panic"), ("SUPPORT", "assist")]),
        unregistered in "(yes)?",
        people in ".{0,40}",
    ) {
        let book = Book::load(None).unwrap();
        let mut words = Words::new();
        for (name, word) in [
            ("kind", kind.0.to_owned()), ("kind_id", kind.1.to_owned()), ("site_sms", site), ("place_sms", place),
            ("time", "14:03 ACWST".to_owned()), ("ref", ref_.clone()), ("code", code.map(|c| c.to_string()).unwrap_or_default()),
            ("link", link.unwrap_or_default()), ("late", late), ("age", age), ("unregistered", unregistered.clone()),
            ("presses", "9999".to_owned()), ("responder", people.clone()), ("recipient", people.clone()), ("disposition", people),
            ("phone", "+61 8 9555 0100".to_owned()),
        ] {
            words.insert(name, word);
        }
        for purpose in Purpose::ALL {
            let text = book.sms(purpose, &words).unwrap().body;
            let cost = septets(&text);
            prop_assert!(cost.is_some_and(|cost| cost <= SEGMENT), "{purpose:?} {cost:?}: {text}");
            let asks = matches!(purpose, Purpose::Alarm | Purpose::AlarmAgain | Purpose::AskFirst | Purpose::PressedAgain);
            prop_assert!(!asks || unregistered.is_empty() || text.contains("unregistered button"), "{purpose:?}: {text}");
            if let (Some(code), Purpose::Alarm) = (code, purpose) {
                let verb = format!("Y{code}");
                prop_assert!(text.contains(&verb) && text.contains("14:03 ACWST") && text.contains(&ref_), "{text}");
            }
        }
    }
}

/// Words of a drill, as the watch gives them.
fn drill_words() -> Words {
    let mut words = words();
    words.insert("drill", "yes".to_owned());
    words.insert("kind", "DRILL".to_owned());
    words
}

#[test]
fn a_drill_reads_as_a_drill_and_says_so_first() {
    let book = Book::load(None).unwrap();
    let mut words = drill_words();
    words.insert("recipient", "Priya".to_owned());
    let text = |purpose| book.sms(purpose, &words).unwrap().body;
    expect_test::expect![[r"
        DRILL, not real: Kalamunda Library, Front counter 1. 14:03 AWST. Do NOT go. Answer as if it were: Y47=going H47=helping N47=can't. KAL-42
        DRILL: thanks Priya. Your answer is noted for Kalamunda Library, Front counter 1. Do NOT go, it is practice. KAL-42
        DRILL: OK, noted you can't respond. The drill goes on to others for Kalamunda Library, Front counter 1. If that changes reply Y47. KAL-42
        DRILL: someone has answered for Kalamunda Library, Front counter 1, 14:03 AWST. You do not need to act. Y47 answers too. KAL-42
        DRILL: would you still be going to Kalamunda Library, Front counter 1? Reply Y47=yes N47=can't. Without an answer the drill goes on to others. KAL-42
        DRILL OVER: Kalamunda Library, Front counter 1, 14:03 AWST. Whatever else you are sent is NOT this drill. KAL-42
        DRILL OVER: Kalamunda Library, Front counter 1, 14:03 AWST. Your reply answered nothing real. A real alarm has another code. KAL-42
    "]]
    .assert_eq(&format!(
        "{}\n{}\n{}\n{}\n{}\n{}\n{}\n",
        text(Purpose::Alarm),
        text(Purpose::Confirmed),
        text(Purpose::Declined),
        text(Purpose::SomeoneGoing),
        text(Purpose::StillGoing),
        text(Purpose::StandDown),
        text(Purpose::AlreadyClosed),
    ));
    let mail = book.email(Purpose::Alarm, &words).unwrap();
    assert_eq!(mail.subject, "[DRILL] Kalamunda Library - Front counter 1 - 14:03 AWST - KAL-42");
    assert!(mail.text.starts_with("DRILL. This is practice: nobody is in danger"), "{}", mail.text);
    assert!(mail.html.contains("DRILL. This is practice"), "{}", mail.html);
    let call = book.spoken(Purpose::Alarm, &words).unwrap();
    assert_eq!(call.prompt, "This is a drill. Security call for Priya: press 1 to hear it.");
    assert!(call.content.starts_with("This is a drill. Nobody is in danger. ") && call.content.ends_with("This is a drill."));
}

/// Whatever the words and the purpose: a drill says so first, fits in one segment, and is never worded as a call.
#[test]
fn no_message_of_a_drill_can_be_taken_for_a_call() {
    let book = Book::load(None).unwrap();
    let mut longest = longest_words();
    for kind in ["duress", "panic", "medical", "welfare", "assist"] {
        for mut words in [drill_words(), std::mem::take(&mut longest)] {
            words.insert("kind_id", kind.to_owned());
            words.insert("kind", "DRILL".to_owned());
            words.insert("drill", "yes".to_owned());
            // Nobody drills a trouble.
            for purpose in Purpose::ALL.into_iter().filter(|purpose| !purpose.as_str().starts_with("trouble")) {
                let text = book.sms(purpose, &words).unwrap().body;
                assert!(text.starts_with("DRILL"), "{purpose:?}: {text}");
                assert!(septets(&text).is_some_and(|cost| cost <= SEGMENT), "{purpose:?}: {text}");
                // A press joins no drill, so that none is ever said to have been pressed again.
                let is_real = purpose == Purpose::PressedAgain;
                assert!(
                    is_real || !["DURESS", "PANIC", "MEDICAL", "SUPPORT"].iter().any(|word| text.contains(word)),
                    "{purpose:?}: {text}"
                );
                let mail = book.email(purpose, &words).unwrap();
                assert!(mail.subject.starts_with("[DRILL") && mail.text.starts_with("DRILL"), "{purpose:?}: {}", mail.subject);
            }
            for purpose in SPOKEN {
                let call = book.spoken(purpose, &words).unwrap();
                assert!(call.prompt.starts_with("This is a drill.") && call.content.starts_with("This is a drill."));
            }
        }
        longest = longest_words();
    }
}

/// A drill may be over because somebody called in earnest: its end must deny nothing.
#[test]
fn the_end_of_a_drill_denies_no_call() {
    let book = Book::load(None).unwrap();
    for purpose in [Purpose::StandDown, Purpose::AlreadyClosed] {
        let mail = book.email(purpose, &drill_words()).unwrap();
        let all = format!("{}\n{}\n{}\n{}", book.sms(purpose, &drill_words()).unwrap().body, mail.subject, mail.text, mail.html);
        for denial in ["nobody is in danger", "ALL CLEAR", "All clear", "do not need to act", "Nobody needs you", "nobody is to go"] {
            assert!(!all.contains(denial), "{purpose:?} says {denial}: {all}");
        }
        assert!(mail.subject.starts_with("[DRILL OVER] Kalamunda Library"), "{}", mail.subject);
    }
}

/// A place whose name begins so is marked all the same.
#[test]
fn a_name_that_begins_with_drill_is_no_mark() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("alarm.sms.txt"), "{{ site_sms }} {{ code }}").unwrap();
    let book = Book::load(Some(dir.path())).unwrap();
    let mut words = drill_words();
    words.insert("site_sms", "DRILL HALL".to_owned());
    assert_eq!(book.sms(Purpose::Alarm, &words).unwrap().body, "DRILL: DRILL HALL 47");
}

/// An operator's own text, which knows nothing of drills, is marked as well; where that makes it too long the built-in one is sent.
#[test]
fn an_edited_text_that_knows_no_drills_is_marked_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("alarm.sms.txt"), "ALARM at {{ site_sms }} {{ code }}").unwrap();
    let long = format!("{} {{{{ rendezvous }}}}", "x".repeat(118));
    fs::write(dir.path().join("stand_down.sms.txt"), long).unwrap();
    let book = Book::load(Some(dir.path())).unwrap();
    assert_eq!(book.sms(Purpose::Alarm, &drill_words()).unwrap().body, "DRILL: ALARM at Kalamunda Library 47");
    let mut at_length = drill_words();
    assert!(book.sms(Purpose::StandDown, &at_length).unwrap().body.starts_with("DRILL: xxx"));
    at_length.insert("rendezvous", "8".repeat(40));
    assert!(book.sms(Purpose::StandDown, &at_length).unwrap().body.starts_with("DRILL OVER: Kalamunda"));
    assert_eq!(book.sms(Purpose::Alarm, &words()).unwrap().body, "ALARM at Kalamunda Library 47");
}

#[test]
fn a_call_beside_another_says_so_and_keeps_its_place() {
    let book = Book::load(None).unwrap();
    let mut words = words();
    for (beside, septets_taken) in [("KAL-41", 155), ("KAL-41 +2", 158)] {
        words.insert("beside", beside.to_owned());
        let text = book.sms(Purpose::Alarm, &words).unwrap().body;
        assert_eq!(
            text,
            format!(
                "DURESS Kalamunda Library, Front counter 1. 14:03 AWST. Also open: {beside}. Don't ring site, don't enter alone. \
                 Reply Y47=going H47=helping N47=can't. KAL-42"
            )
        );
        assert_eq!(septets(&text), Some(septets_taken));
    }
    // What is open beside it gives way before the place does.
    words.insert("site_sms", "Kalamunda Central Lib".to_owned());
    words.insert("place_sms", "Front counter 1 left".to_owned());
    let text = book.sms(Purpose::Alarm, &words).unwrap().body;
    assert!(text.contains("Front counter 1 left") && !text.contains("KAL-41"), "{text}");
}

/// Whoever reads that a call is over reads in the first words that another one there is not, however long everything is.
#[test]
fn nobody_is_told_that_all_is_clear_while_a_call_is_open_there() {
    let open = |words: &mut Words| words.insert("still_open", "KAL-43".to_owned());
    let book = Book::load(None).unwrap();
    let mut short = words();
    open(&mut short);
    short.insert("disposition", "attended".to_owned());
    assert_eq!(
        book.sms(Purpose::StandDown, &short).unwrap().body,
        "STILL OPEN: KAL-43 at Kalamunda Library. Closed alone: Front counter 1, 14:03 AWST alarm, attended. KAL-42"
    );
    let mail = book.email(Purpose::StandDown, &short).unwrap();
    assert!(mail.subject.starts_with("[STILL OPEN: KAL-43] ") && !mail.text.contains("All clear"), "{} {}", mail.subject, mail.text);
    let mut long = longest_words();
    long.insert("drill", String::new());
    let text = book.sms(Purpose::StandDown, &long).unwrap().body;
    assert!(text.starts_with("STILL OPEN: 888888888888888888 at ") && text.len() <= 160, "{text}");
    // Nor is whoever answers late or hears who is going.
    for (purpose, comfort) in [(Purpose::AlreadyClosed, "Nobody needs you"), (Purpose::SomeoneGoing, "You do not need to act")] {
        assert!(book.sms(purpose, &words()).unwrap().body.contains(comfort));
        let (text, mail) = (book.sms(purpose, &short).unwrap().body, book.email(purpose, &short).unwrap().text);
        assert!(text.contains("STILL OPEN there: KAL-43.") && !text.contains(comfort), "{text}");
        assert!(mail.contains("STILL OPEN at the same site: KAL-43.") && !mail.contains(comfort), "{mail}");
    }
    // Whoever is not told of the other call is not told either that there is none.
    let mut unclear = words();
    unclear.insert("unclear", "yes".to_owned());
    for (purpose, comfort) in
        [(Purpose::StandDown, "CLEAR"), (Purpose::AlreadyClosed, "Nobody needs you"), (Purpose::SomeoneGoing, "You do not need to act")]
    {
        let (text, mail) = (book.sms(purpose, &unclear).unwrap().body, book.email(purpose, &unclear).unwrap());
        assert!(!text.contains(comfort) && !text.contains("OPEN"), "{text}");
        assert!(!mail.text.contains(comfort) && !mail.subject.contains(comfort) && !mail.text.contains("clear"), "{}", mail.text);
    }

    // An operator's own text that knows nothing of it is not sent then.
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("stand_down.sms.txt"), "Entwarnung {{ site_sms }}").unwrap();
    fs::write(dir.path().join("stand_down.email.subject.txt"), "Entwarnung {{ site }}").unwrap();
    let book = Book::load(Some(dir.path())).unwrap();
    assert_eq!(book.sms(Purpose::StandDown, &words()).unwrap().body, "Entwarnung Kalamunda Library");
    assert!(book.sms(Purpose::StandDown, &short).unwrap().body.starts_with("STILL OPEN: KAL-43"));
    assert!(book.email(Purpose::StandDown, &short).unwrap().subject.contains("STILL OPEN"));
    assert_eq!(book.email(Purpose::StandDown, &words()).unwrap().subject, "Entwarnung Kalamunda Library");
}

/// Among colleagues who are told to go over calmly nobody may overlook that somebody there is threatened.
#[test]
fn a_call_for_support_beside_another_sends_nobody_in_alone() {
    let book = Book::load(None).unwrap();
    let mut words = words();
    words.insert("kind_id", "assist".to_owned());
    words.insert("still_open", "KAL-41".to_owned());
    for purpose in [Purpose::Alarm, Purpose::AlarmAgain, Purpose::PressedAgain] {
        let (text, mail) = (book.sms(purpose, &words).unwrap().body, book.email(purpose, &words).unwrap().text);
        assert!(text.contains("ALSO OPEN: KAL-41. Don't go alone.") && !text.contains("calmly"), "{text}");
        assert!(mail.contains("Do not go in alone.") && !mail.contains("calmly"), "{mail}");
    }
    assert!(book.spoken(Purpose::Alarm, &words).unwrap().content.contains("Do not go in alone."));
    // Nor is whoever may not be told of the other one, and reads nothing of it.
    words.insert("still_open", String::new());
    words.insert("unclear", "yes".to_owned());
    for purpose in [Purpose::Alarm, Purpose::AlarmAgain, Purpose::PressedAgain] {
        let (text, mail) = (book.sms(purpose, &words).unwrap().body, book.email(purpose, &words).unwrap().text);
        assert!(text.contains(". Don't go alone.") && !text.contains("calmly") && !text.contains("OPEN:"), "{text}");
        assert!(mail.contains("Do not go in alone.") && !mail.contains("calmly"), "{mail}");
    }
    let spoken = book.spoken(Purpose::Alarm, &words).unwrap().content;
    assert!(spoken.contains("Do not go in alone.") && !spoken.contains("Another call"), "{spoken}");
    assert!(!book.sms(Purpose::AskKeeper, &words).unwrap().body.contains("calmly"));

    // An operator's own text that knows nothing of it is not sent then, and the record says which one was.
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("alarm.sms.txt"), "Go over calmly to {{ site_sms }} {{ code }}").unwrap();
    let own = Book::load(Some(dir.path())).unwrap();
    let (sent, built_in) = (own.sms(Purpose::Alarm, &words).unwrap(), book.sms(Purpose::Alarm, &words).unwrap());
    assert_eq!((&sent.body, &sent.template), (&built_in.body, &built_in.template));
    words.insert("unclear", String::new());
    let sent = own.sms(Purpose::Alarm, &words).unwrap();
    assert!(sent.body.starts_with("Go over calmly to Kalamunda") && sent.template != built_in.template, "{}", sent.body);
}

/// The reference of another call gives way before the link to the reader's own page.
#[test]
fn whoever_goes_keeps_the_link_to_their_page() {
    let book = Book::load(None).unwrap();
    let mut words = words();
    words.insert("recipient", "Priya".to_owned());
    words.insert("link", "cooee.example.org/a/TOKEN0000ab".to_owned());
    words.insert("beside", "KAL-41".to_owned());
    let text = book.sms(Purpose::Confirmed, &words).unwrap().body;
    assert!(text.contains("cooee.example.org/a/TOKEN0000ab") && text.len() <= 160, "{text}");
}
