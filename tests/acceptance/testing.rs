//! Test mode against the real daemon: one press asks its tester, and whatever is no test reaches the ladder.

use serde_json::json;

use crate::evidence::Evidence;
use crate::town::{NAIR, NAIR_NEXT, SMITH, SMITH_FIRST, Town, code_in};

const PLACE: &str = "/api/v1/devices/kalamunda-library/front-counter-1";

/// P. Nair tests the front counter; J. Smith is first on its ladder.
async fn town() -> Town {
    let town = Town::open(&format!("{SMITH_FIRST}{NAIR_NEXT}")).await;
    let body = json!({"site": "kalamunda-library", "devices": ["Front counter 1"], "tester": "P. Nair", "minutes": 30, "by": "Jane"});
    let on = town.daemon.api().must_post("/api/v1/tests", &body).await;
    assert_eq!((&on["tests"][0]["device"], &on["tests"][0]["tester"]), (&json!("front-counter-1"), &json!("P. Nair")));
    town
}

#[tokio::test]
async fn a_test_press_asks_its_tester_alone_and_their_yes_proves_the_button() {
    let town = town().await;
    let page = town.daemon.api().must_get(PLACE).await;
    assert!(page["last_proven"].is_null());
    let act = town.press().await;
    let nair = town.gateway.phone(NAIR);
    let question = nair.expect_sms("TEST?").await;
    assert!(question.body.len() <= 160, "one segment: {}", question.body);
    let asked = town.activation(&act).await;
    assert_eq!((&asked["state"], &asked["asks_tester"]), (&json!("climbing"), &json!("P. Nair")));
    nair.reply(&format!("Y{}", code_in(&question.body))).await;
    let closed = town.expect_activation(&act, "closed").await;
    assert_eq!(closed["disposition"], "test");
    nair.expect_sms("ALL CLEAR").await;
    town.gateway.expect_nothing_else();
    assert!(town.daemon.api().must_get(PLACE).await["last_proven"].is_string());
    assert_eq!(town.daemon.api().must_get("/api/v1/tests").await["tests"], json!([]), "one press each");
    let evidence = Evidence::of(&town.daemon);
    evidence.must_be_whole();
    for kind in ["test.started", "test.answered"] {
        assert!(evidence.entries().iter().any(|entry| entry["type"] == kind), "{kind}");
    }
    town.press().await;
    town.gateway.phone(SMITH).expect_sms("DURESS").await;
}

#[tokio::test]
async fn a_second_press_during_a_test_is_a_call() {
    let town = town().await;
    town.press().await;
    town.gateway.phone(NAIR).expect_sms("TEST?").await;
    town.button.press().await;
    town.gateway.phone(SMITH).expect_sms("DURESS").await;
}

#[tokio::test]
async fn a_test_outlives_a_restart_and_ends_when_somebody_ends_it() {
    let mut town = town().await;
    town.daemon.kill();
    town.daemon.start_again().await;
    let on = town.daemon.api().must_get("/api/v1/tests").await;
    assert!(on["tests"][0]["by"].as_str().unwrap().starts_with("Jane ("), "{on}");
    let body = json!({"site": "kalamunda-library", "devices": ["front-counter-1"]});
    assert_eq!(town.daemon.api().must_post("/api/v1/tests/end", &body).await["tests"], json!([]));
    town.press().await;
    town.gateway.phone(SMITH).expect_sms("DURESS").await;
}
