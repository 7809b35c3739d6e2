//! Safe words: one proves that it is over, its twin calls for more people, and whoever watches cannot tell which was given.

use escalation::activation::{Activation, Stage};
use escalation::event::Event;
use escalation::input::{Act, Input};
use escalation::signal::Verb;
use escalation::word::{Entered, Word};
use expect_test::expect;

use super::COUNTERS;
use crate::floor::{Floor, operator, signal};
use crate::script::{check, play};

fn guarded() -> Floor {
    let site = "customer = \"kalamunda\"\nname = \"Kalamunda Library\"";
    Floor::new(&COUNTERS.replace(site, &format!("{site}\nclose_guard = \"after_cancel\"")))
}

fn is_closed(script: &str) -> bool {
    let mut floor = guarded();
    play(&mut floor, &format!("press library/counter-1\n{script}"));
    floor.stage() == Stage::Closed
}

#[test]
fn the_safe_word_bears_out_what_one_person_says() {
    for (script, closed) in [
        ("cancel library/counter-1\nwestside closes", false),
        ("cancel library/counter-1 with safe\nwestside closes", true),
        ("cancel library/counter-1 with wrong\nwestside closes", false),
        ("cancel library/counter-1 with unknown\nwestside closes", false),
        ("cancel library/counter-1 with duress\nwestside closes", false),
        ("desk says safe as Jane with safe\ndesk closes as Jane", true),
        ("desk says safe as Jane with wrong\ndesk closes as Jane", false),
        ("desk says safe as Jane with wrong\nnight closes as Bob", false),
        ("desk says safe as Jane with safe\nforward 2m\npress library/counter-1\ndesk closes as Jane", false),
    ] {
        assert_eq!(is_closed(script), closed, "{script}");
    }
}

#[test]
fn once_a_twin_was_given_only_what_others_have_seen_closes_it() {
    for (script, closed) in [
        ("desk says safe as Jane with duress\nnight closes as Bob", false),
        ("desk says safe as Jane with duress\ndesk says safe as Jane with safe\nnight closes as Bob", false),
        ("desk says safe as Jane with duress\ndesk says safe as Eve\nnight closes as Bob", false),
        ("j-smith arrives\ndesk says safe as j-smith with duress\nnight closes as Bob", false),
        ("desk says safe as Jane with duress\nj-smith arrives\ndesk says safe as j-smith\nnight closes as Bob", true),
        ("desk says safe as Jane with duress\nj-smith rang police\nnight closes as Bob", true),
    ] {
        assert_eq!(is_closed(script), closed, "{script}");
    }
    let mut floor = guarded();
    play(&mut floor, "press library/counter-1 assist\ndesk says safe as Jane with duress\nnight closes as Bob");
    assert_ne!(floor.stage(), Stage::Closed, "a call for support is guarded as well, once somebody was made to say that it is over");
}

#[test]
fn nobody_at_the_place_can_be_made_to_close_it_whatever_the_word_was() {
    let refusals = ["safe", "duress", "wrong"].map(|word| {
        let mut floor = Floor::new(COUNTERS);
        play(&mut floor, &format!("press library/counter-1\ndesk says safe as Jane with {word}\nlibrary closes at the place"));
        assert_ne!(floor.stage(), Stage::Closed);
        floor.timeline.last().cloned().unwrap()
    });
    assert!(refusals.iter().all(|refusal| *refusal == refusals[0] && refusal.contains("refused")), "{refusals:?}");
    let mut floor = Floor::new(COUNTERS);
    play(&mut floor, "press library/counter-1\nlibrary closes at the place");
    assert_eq!(floor.stage(), Stage::Closed, "without a word nothing has changed");
}

#[test]
fn a_twin_sends_more_people_a_little_later_whoever_has_committed() {
    check(
        COUNTERS,
        "press library/counter-1
        j-smith accepts 10m
        desk says safe as j-smith with duress
        forward 4s
        forward 1s",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-1.1 sms to j-smith: alarm code 47
            > j-smith accepts 10m
            0s        KAL-1 j-smith through desk accepts: Going until 600s
            0s          KAL-1.2 webhook to westside: alarm
            > desk says safe as j-smith with duress
            0s        KAL-1 the word was Duress, heeded at 5s
            0s        KAL-1 j-smith through desk says safe, eyes on false, with a word
            > forward 4s
            > forward 1s
            5s        KAL-1 the word is heeded
            5s        KAL-1 rung 2 until 50s (Resumed): p-nair by sms+email, duty by sms
            5s          KAL-1.3 sms to p-nair: alarm code 47
            5s          KAL-1.4 email to p-nair: alarm
            5s          KAL-1.5 sms to duty: alarm code 47
        "#]],
    );
}

#[test]
fn no_other_word_moves_anything() {
    for word in ["safe", "wrong", "unknown"] {
        let mut floor = Floor::new(COUNTERS);
        play(&mut floor, &format!("press library/counter-1\nj-smith accepts 10m\ndesk says safe as j-smith with {word}\nforward 1m"));
        assert_eq!(floor.count(|event| matches!(event, Event::RungEntered { .. })), 1, "{word}");
    }
}

#[test]
fn a_twin_at_a_button_that_nobody_pressed_is_a_call() {
    let mut floor = Floor::new(COUNTERS);
    play(&mut floor, "cancel library/counter-1 with safe\ncancel library/counter-1 with wrong");
    assert_eq!(floor.engine.open_count(), 0);
    play(&mut floor, "cancel library/counter-1 with duress");
    let raised = floor.engine.activations().next().unwrap();
    assert_eq!((raised.feedback, raised.word.as_ref().map(|given| given.word)), (Some(false), Some(Word::Duress)));
    // What a broker kept from some other day raises nothing by itself.
    let mut floor = Floor::new(COUNTERS);
    let mut kept = signal("library/counter-1", Verb::Cancel(Some(Entered::Judged(Word::Duress))));
    kept.origin.retained = true;
    floor.hear(kept);
    assert_eq!(floor.engine.open_count(), 0);
}

#[test]
fn what_nobody_judged_proves_nothing() {
    let mut floor = guarded();
    play(&mut floor, "press library/counter-1");
    floor.take(Input::Signal(signal("library/counter-1", Verb::Cancel(Some(Entered::Open("4719".to_owned())))))).unwrap();
    play(&mut floor, "westside closes");
    assert_ne!(floor.stage(), Stage::Closed);
    assert!(!format!("{:?}", Entered::Open("4719".to_owned())).contains("4719"));
}

/// What everybody sees of a call, the word aside.
fn seen(act: &Activation) -> Activation {
    let mut act = act.clone();
    act.word = act.word.map(|given| Box::new(escalation::word::Given { word: Word::Unknown, ..*given }));
    for said in &mut act.said_safe {
        said.disproved = false;
    }
    act
}

/// In every state that a story leads to: the same entries, the same call, and the same answer, but for the one entry that says it.
#[test]
fn a_twin_looks_like_the_safe_word_when_it_is_given() {
    for before in [
        "",
        "forward 31s",
        "j-smith accepts 10m",
        "j-smith verifies",
        "westside claims\nwestside holds 100s",
        "j-smith arrives",
        "forward 10m",
        "cancel library/counter-1",
        "westside closes",
    ] {
        let given = |word: Word, at_the_button: bool| {
            let mut floor = guarded();
            play(&mut floor, &format!("press library/counter-1\n{before}"));
            let entered = Some(Entered::Judged(word));
            let events = if at_the_button && floor.stage() != Stage::Closed {
                floor.hear(signal("library/counter-1", Verb::Cancel(entered)))
            } else {
                floor.command_at_the_place(operator("library"), Act::Safe { word: entered }).unwrap_or_default()
            };
            let told: Vec<Event> = events.into_iter().filter(|event| !matches!(event, Event::WordJudged { .. })).collect();
            (told, seen(floor.subject()), floor.engine.owed_count(), floor.engine.next_deadline())
        };
        for at_the_button in [true, false] {
            let safe = given(Word::Safe, at_the_button);
            assert_eq!(given(Word::Duress, at_the_button), safe, "{before}");
            assert_eq!(given(Word::Wrong, at_the_button), safe, "{before}");
        }
    }
}
