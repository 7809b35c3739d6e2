//! Action plans: ticked, passed over, asked for at the closing, and moving no ladder.

use escalation::activation::Stage;
use escalation::event::Event;
use escalation::input::{Act, Attribution};
use escalation::plan::{Part, StepId};
use escalation::rejection::Rejection;
use expect_test::expect;

use super::COUNTERS;
use crate::floor::{Floor, digest_of, operator};
use crate::script::{check, compare, play};

const PLAN: &str = r#"
[[plan]]
id = "council-duress"
version = 3
responder = ["Wait at the rendezvous for a second person", { step = "Look whether anybody is hurt", required = true }]
centre = [{ step = "Ring the back office, never the counter", required = true }]
"#;

fn planned() -> String {
    let site = "customer = \"kalamunda\"\nname = \"Kalamunda Library\"";
    format!("{}{PLAN}", COUNTERS.replace(site, &format!("{site}\nplan = \"council-duress\"")))
}

#[test]
fn a_call_is_closed_once_every_required_step_is_taken_or_passed_over() {
    check(
        &planned(),
        "press library/counter-1
        westside closes
        j-smith takes responder 2
        westside closes
        p-nair skips centre 1
        westside closes",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-1.1 sms to j-smith: alarm code 47
            > westside closes
            0s        refused: KAL-1 is not closed before these steps of its plan are done, or passed over for a reason: responder 2, centre 1
            > j-smith takes responder 2
            0s        KAL-1 j-smith through desk takes step responder 2
            > westside closes
            0s        refused: KAL-1 is not closed before these steps of its plan are done, or passed over for a reason: centre 1
            > p-nair skips centre 1
            0s        KAL-1 p-nair through desk passes over step centre 1
            > westside closes
            0s        KAL-1 closed by westside: Attended, 6 entries
            0s          KAL-1.2 sms to j-smith: stand_down
        "#]],
    );
}

#[test]
fn a_step_is_done_once_and_what_was_passed_over_may_still_be_done() {
    let mut floor = Floor::new(&planned());
    play(&mut floor, "press library/counter-1");
    floor.timeline.clear();
    play(
        &mut floor,
        "j-smith skips centre 1
        p-nair skips centre 1
        p-nair takes centre 1
        j-smith takes centre 1
        j-smith skips centre 1
        j-smith takes responder 3
        j-smith takes centre 2",
    );
    compare(
        &floor,
        expect![[r#"
        > j-smith skips centre 1
        0s        KAL-1 j-smith through desk passes over step centre 1
        > p-nair skips centre 1
        0s        refused: step "centre 1" of KAL-1 was taken or passed over before; the history says by whom
        > p-nair takes centre 1
        0s        KAL-1 p-nair through desk takes step centre 1
        > j-smith takes centre 1
        0s        refused: step "centre 1" of KAL-1 was taken or passed over before; the history says by whom
        > j-smith skips centre 1
        0s        refused: step "centre 1" of KAL-1 was taken or passed over before; the history says by whom
        > j-smith takes responder 3
        0s        refused: the action plan of KAL-1 has no step "responder 3"
        > j-smith takes centre 2
        0s        refused: the action plan of KAL-1 has no step "centre 2"
    "#]],
    );
}

#[test]
fn a_responder_ticks_their_own_steps_on_the_page_and_none_of_the_centres() {
    let mut floor = Floor::new(&planned());
    play(&mut floor, "press library/counter-1\ntap j-smith going");
    floor.timeline.clear();
    play(&mut floor, "tap j-smith step 1\ntap j-smith step 1\ntap j-smith step 3");
    compare(
        &floor,
        expect![[r#"
            > tap j-smith step 1
            0s        KAL-1 j-smith on the page takes step responder 1
            > tap j-smith step 1
            0s        KAL-1 j-smith on the page takes step responder 1
            > tap j-smith step 3
            0s        KAL-1: an answer set aside (NotAnAnswer)
        "#]],
    );
}

/// Whoever is made to tick a step has stopped nobody. What an owner does renews their claim, whatever it is; and whoever ticks none is not waited for.
#[test]
fn steps_move_no_ladder() {
    let climb = |steps: &str| {
        let mut floor = Floor::new(&planned());
        play(&mut floor, &format!("press library/counter-1\n{steps}\nforward 20m"));
        let kept: Vec<String> = floor.timeline.iter().filter(|l| !l.starts_with('>') && !l.contains(" step ")).cloned().collect();
        kept
    };
    assert_eq!(climb("j-smith takes responder 1\nj-smith skips responder 2\np-nair takes centre 1"), climb(""));
}

#[test]
fn a_plan_is_frozen_into_its_call_and_support_has_none() {
    let mut floor = Floor::new(&planned());
    let raised = |floor: &mut Floor, kind: &str| {
        play(floor, &format!("press library/counter-1 {kind}"));
        let plan = floor.engine.activations().max_by_key(|act| act.raised_at).unwrap().followed.clone();
        plan.map(|followed| (followed.plan.version, followed.plan.responder.len()))
    };
    assert_eq!(raised(&mut floor, "duress"), Some((3, 2)));
    play(&mut floor, "forward 1s");
    assert_eq!(raised(&mut floor, "assist"), None);
    floor.adopt(&planned().replace("version = 3", "version = 4").replace("\"Wait at the rendezvous for a second person\", ", ""));
    let first = floor.engine.activations().min_by_key(|act| act.raised_at).unwrap();
    assert_eq!(first.followed.as_ref().map(|followed| followed.plan.version), Some(3), "what was raised keeps what it was raised with");
    assert!(floor.engine.activations().all(|act| act.stage() != Stage::Closed));
}

#[test]
fn a_link_ticks_nothing_before_its_holder_has_answered_or_after_they_cannot() {
    for before in ["", "tap j-smith cannot", "tap j-smith going\ntap j-smith cannot"] {
        let mut floor = Floor::new(&planned());
        play(&mut floor, &format!("press library/counter-1\n{before}\ntap j-smith step 2"));
        assert_eq!(floor.count(|event| matches!(event, Event::StepTaken { .. })), 0, "{before}");
    }
    let mut floor = Floor::new(&planned());
    play(&mut floor, "press library/counter-1\nforward 40s\ntap j-smith going\ntap p-nair going\ntap p-nair step 2\ntap j-smith step 2");
    assert_eq!(floor.count(|event| matches!(event, Event::StepTaken { .. })), 2, "a colleague says it as well");
}

#[test]
fn what_is_open_again_is_followed_again() {
    let mut floor = Floor::new(&planned());
    play(&mut floor, "press library/counter-1\nj-smith takes responder 2\nj-smith takes centre 1\nwestside closes\nwestside reopens");
    floor.timeline.clear();
    play(&mut floor, "westside closes");
    assert!(floor.timeline.concat().contains("responder 2, centre 1"), "{:?}", floor.timeline);
}

#[test]
fn at_the_place_no_step_of_the_centres_is_taken() {
    let mut floor = Floor::new(&planned());
    play(&mut floor, "press library/counter-1");
    let take = |part, number| Act::TakeStep { step: StepId { part, number }, skipped: None };
    let refused = floor.command_at_the_place(operator("desk"), take(Part::Centre, 1));
    assert!(matches!(refused, Err(Rejection::CentresStep(_))), "{refused:?}");
    assert_eq!(floor.command_at_the_place(operator("desk"), take(Part::Responder, 1)).map(|events| events.len()), Ok(1));
}

#[test]
fn a_key_that_passed_a_step_over_does_not_stand_for_doing_it() {
    let mut floor = Floor::new(&planned());
    play(&mut floor, "press library/counter-1");
    let by = || Attribution { idempotency: Some(digest_of("k")), ..operator("desk") };
    let step = StepId { part: Part::Centre, number: 1 };
    let skipped = Act::TakeStep { step, skipped: Some("words".to_owned().into()) };
    assert_eq!(floor.command(by(), skipped.clone()).map(|events| events.len()), Ok(1));
    assert_eq!(floor.command(by(), skipped).map(|events| events.len()), Ok(0));
    assert_eq!(floor.command(by(), Act::TakeStep { step, skipped: None }), Err(Rejection::KeyReused));
}
