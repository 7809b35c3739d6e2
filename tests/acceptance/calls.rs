//! Calls: a press rings a phone, and only a human's digit answers it.

use harness::Gateway;

use crate::evidence::Evidence;
use crate::town::{NAIR, SMITH, Town, code_in};

/// J. Smith is rung first and written to where that comes to nothing; then P. Nair is rung.
const RINGING: &str = r#"
[[ladder.rung]]
notify = [{ person = "j-smith", by = ["voice", "sms"] }]
wait = "50m"

[[ladder.rung]]
notify = [{ person = "p-nair", by = ["voice"] }]
wait = "50m"
"#;

async fn town() -> Town {
    let plan = |plan: harness::daemon::Plan, gateway: &Gateway| plan.gateway("first", gateway).voice("rings", gateway);
    Town::with(RINGING, plan).await
}

#[tokio::test]
async fn a_digit_in_a_call_is_an_answer() {
    let town = town().await;
    let act = town.press().await;
    let call = town.gateway.phone(SMITH).answer_call().await;
    assert_eq!(call.words(), "Security call for J: press 1 to hear it.");
    let call = call.press("1").await;
    assert!(call.words().starts_with("DURESS: Kalamunda Library, Front counter 1, at "), "{}", call.words());
    assert_eq!(town.activation(&act).await["state"], "climbing", "hearing it is not answering it");
    let call = call.press("1").await;
    assert_eq!(call.words(), "Thank you. You are recorded as going. Goodbye.");
    let held = town.expect_activation(&act, "accepted").await;
    assert_eq!(held["going"][0]["name"], "J. Smith");
    town.gateway.phone(SMITH).expect_sms("You are responding to Kalamunda Library").await;
    call.hang_up().await;
    let evidence = Evidence::of(&town.daemon);
    assert_eq!(evidence.about(&act, "answer.accepted")[0]["by"]["via"], "voice");
    evidence.must_be_whole();
    town.gateway.expect_nothing_else();
}

#[tokio::test]
async fn a_voicemail_hears_nothing_counts_for_nothing_and_is_passed_over_at_once() {
    let town = town().await;
    let act = town.press().await;
    let kept = town.gateway.phone(SMITH).voicemail().await;
    assert!(!kept.contains("DURESS") && !kept.contains("Kalamunda"), "{kept}");
    Evidence::expect(&town.daemon, &act, "dispatch.reported", |entry| entry["report"]["undelivered"]["code"] == "voicemail").await;
    let sms = town.gateway.phone(SMITH).expect_sms("DURESS").await;
    assert_eq!(town.activation(&act).await["state"], "climbing");
    town.gateway.phone(SMITH).reply(&format!("N{}", code_in(&sms.body))).await;
    let call = town.gateway.phone(NAIR).answer_call().await.press("1").await.press("3").await;
    assert_eq!(call.words(), "It is recorded that you cannot. Others are being asked. Goodbye.");
    assert_eq!(Evidence::of(&town.daemon).about(&act, "answer.declined").len(), 2);
}

#[tokio::test]
async fn busy_no_answer_and_a_hang_up_give_way_to_the_next_channel_and_the_next_person() {
    for how in ["busy", "noanswer", "nodigit"] {
        let town = town().await;
        let act = town.press().await;
        let smith = town.gateway.phone(SMITH);
        match how {
            "busy" => smith.busy().await,
            "noanswer" => smith.no_answer().await,
            _hangs_up => smith.answer_call().await.hang_up().await,
        }
        Evidence::expect(&town.daemon, &act, "dispatch.reported", |entry| entry["report"]["undelivered"]["code"] == how).await;
        smith.expect_sms("DURESS").await;
        assert_eq!(town.activation(&act).await["state"], "climbing");
        town.gateway.expect_nothing_else();
    }
}
