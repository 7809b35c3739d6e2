//! Buttons out of service against the real daemon: a press asks its keeper, and the ladder when the keeper is no help.

use harness::daemon::answer;
use reqwest::Method;
use serde_json::json;

use crate::evidence::Evidence;
use crate::town::{NAIR, NAIR_NEXT, SMITH, SMITH_FIRST, Town, code_in};

const PLACE: &str = "/api/v1/devices/kalamunda-library/front-counter-1";

/// P. Nair looks after the front counter; J. Smith is first on its ladder.
async fn town() -> Town {
    let town = Town::open(&format!("{SMITH_FIRST}{NAIR_NEXT}")).await;
    let body = json!({
        "site": "kalamunda-library", "devices": ["Front counter 1"], "keeper": "P. Nair", "instead": "none", "why": "sticks",
        "minutes": 240, "by": "Jane",
    });
    let out = town.daemon.api().must_post("/api/v1/out-of-service", &body).await;
    let first = &out["out_of_service"][0];
    assert_eq!((&first["device"], &first["keeper"], &first["instead"]), (&json!("front-counter-1"), &json!("P. Nair"), &json!(null)));
    town
}

#[tokio::test]
async fn a_keeper_is_asked_alone_and_goes_like_anybody() {
    let town = town().await;
    assert!(town.daemon.api().must_get(PLACE).await["out_of_service_until"].is_string());
    let act = town.press().await;
    let nair = town.gateway.phone(NAIR);
    let question = nair.expect_sms("OUT OF SERVICE").await;
    assert!(question.body.len() <= 160, "one segment: {}", question.body);
    assert_eq!(town.activation(&act).await["asks_keeper"], "P. Nair");
    town.button.press().await;
    nair.reply(&format!("Y{}", code_in(&question.body))).await;
    nair.expect_sms("You are responding").await;
    town.expect_activation(&act, "accepted").await;
    town.gateway.expect_nothing_else();
    let evidence = Evidence::of(&town.daemon);
    evidence.must_be_whole();
    assert!(evidence.entries().iter().any(|entry| entry["type"] == "device.out_of_service"));
}

#[tokio::test]
async fn an_outage_outlives_a_restart_and_a_keeper_who_cannot_calls_the_ladder() {
    let mut town = town().await;
    town.daemon.kill();
    town.daemon.start_again().await;
    let out = town.daemon.api().must_get("/api/v1/out-of-service").await;
    assert!(out["out_of_service"][0]["by"].as_str().unwrap().starts_with("Jane ("), "{out}");
    town.press().await;
    let nair = town.gateway.phone(NAIR);
    let question = nair.expect_sms("OUT OF SERVICE").await;
    nair.reply(&format!("N{}", code_in(&question.body))).await;
    town.gateway.phone(SMITH).expect_sms("DURESS").await;
}

#[tokio::test]
async fn a_button_put_back_calls_the_ladder_at_once() {
    let town = town().await;
    let body = json!({"site": "kalamunda-library", "devices": ["front-counter-1"]});
    assert_eq!(town.daemon.api().must_post("/api/v1/out-of-service/end", &body).await["out_of_service"], json!([]));
    assert!(town.daemon.api().must_get(PLACE).await["out_of_service_until"].is_null());
    town.press().await;
    town.gateway.phone(SMITH).expect_sms("DURESS").await;
}

#[tokio::test]
async fn whoever_takes_out_the_last_button_of_a_site_is_told_so_and_so_is_the_desk() {
    let town = Town::open(SMITH_FIRST).await;
    let queue = async || answer(town.daemon.api().request(Method::GET, "/")).await.unwrap().text;
    let out = async |device: &str| {
        let body = json!({
            "site": "kalamunda-library", "devices": [device], "keeper": "P. Nair", "instead": "none", "why": "works", "minutes": 60,
        });
        let out = town.daemon.api().must_post("/api/v1/out-of-service", &body).await;
        let lines = out["out_of_service"].as_array().unwrap();
        lines.iter().map(|line| line["none_left"].as_bool().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(out("back-office").await, [false]);
    assert!(!queue().await.contains("NO BUTTON OF THIS SITE"));
    assert_eq!(out("front-counter-1").await, [true, true]);
    assert!(queue().await.contains("NO BUTTON OF THIS SITE"));
}

#[tokio::test]
async fn what_is_not_said_takes_nothing_out_of_service() {
    let town = Town::open(SMITH_FIRST).await;
    let whole = json!({
        "site": "kalamunda-library", "devices": ["front-counter-1"], "keeper": "P. Nair", "instead": "none", "why": "sticks", "minutes": 240,
    });
    for (field, value, status) in [
        ("keeper", json!("nobody"), 400),
        ("instead", json!(""), 400),
        ("instead", json!("no such place"), 404),
        ("instead", json!("front-counter-1"), 409),
        ("why", json!("I said so"), 400),
        ("minutes", json!(0), 400),
        ("minutes", json!(1_441), 400),
        ("devices", json!([]), 400),
        ("devices", json!(["front-counter-1", "no such place"]), 404),
    ] {
        let mut body = whole.clone();
        body[field] = value;
        let answer = town.daemon.api().post("/api/v1/out-of-service", &body).await.unwrap();
        assert_eq!(answer.status, status, "{field}: {}", answer.text);
    }
    assert_eq!(town.daemon.api().must_get("/api/v1/out-of-service").await["out_of_service"], json!([]));
}
