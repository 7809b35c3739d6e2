//! Two buttons of one site against the real daemon: two calls, each with its own answers, and nobody is told that all is clear while
//! one of them is open.

use harness::Button;
use serde_json::json;

use crate::evidence::Evidence;
use crate::town::{NAIR, NAIR_NEXT, SMITH, SMITH_FIRST, Town, code_in};

#[tokio::test]
async fn whoever_goes_to_one_hears_of_the_other_and_the_first_closing_is_no_all_clear() {
    let town = Town::open(&format!("{SMITH_FIRST}{NAIR_NEXT}")).await;
    let (smith, nair) = (town.gateway.phone(SMITH), town.gateway.phone(NAIR));
    let first = town.press().await;
    smith.reply(&format!("N{}", code_in(&smith.expect_sms("DURESS").await.body))).await;
    smith.expect_sms("noted you can't").await;
    nair.reply(&format!("Y{}", code_in(&nair.expect_sms("DURESS").await.body))).await;
    nair.expect_sms("You are responding").await;
    smith.expect_sms("is responding").await;
    town.expect_activation(&first, "accepted").await;

    let back_office = Button::connect(&town.broker, "kalamunda-library", "back-office").await;
    let id = back_office.press().await;
    let second = back_office.expect_state(&id, "received").await["activation"].as_str().unwrap().to_owned();
    // The ladder asks J. Smith; P. Nair, who stands on a later rung, is on the way there.
    let asked = smith.expect_sms("Back office").await;
    let told = nair.expect_sms("Back office").await;
    for text in [&asked.body, &told.body] {
        assert!(text.contains(&format!("Also open: {first}. ")) && text.len() <= 160, "{text}");
    }
    let shown = town.activation(&second).await;
    assert_eq!((&shown["incident"], &shown["beside"]), (&json!(first), &json!([first])));
    let shown = town.activation(&first).await;
    assert_eq!((&shown["incident"], &shown["beside"]), (&json!(null), &json!([second])));

    let closing = json!({"disposition": "attended", "by": "Jane"});
    town.daemon.api().must_post(&format!("/api/v1/activations/{first}/close"), &closing).await;
    for phone in [&smith, &nair] {
        phone.expect_sms(&format!("STILL OPEN: {second} at Kalamunda Library. Closed alone: Front counter 1, ")).await;
    }
    nair.reply(&format!("Y{}", code_in(&told.body))).await;
    nair.expect_sms("You are responding").await;
    smith.expect_sms("is responding").await;
    town.expect_activation(&second, "accepted").await;
    town.daemon.api().must_post(&format!("/api/v1/activations/{second}/close"), &closing).await;
    for phone in [&smith, &nair] {
        phone.expect_sms("ALL CLEAR Kalamunda Library, Back office").await;
    }
    town.gateway.expect_nothing_else();
    let evidence = Evidence::of(&town.daemon);
    evidence.must_be_whole();
    let raised = evidence.entries().iter().filter(|entry| entry["type"] == "activation.raised").collect::<Vec<_>>();
    assert_eq!((&raised[0]["incident"], &raised[1]["incident"]), (&json!(null), &json!(first)));
}
