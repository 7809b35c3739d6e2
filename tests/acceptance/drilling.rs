//! Drills against the real daemon: a whole ladder with its phones, and nothing real behind it.

use harness::Smtp;
use serde_json::{Value, json};

use crate::evidence::Evidence;
use crate::town::{NAIR, NAIR_NEXT, SMITH, SMITH_FIRST, Town};

/// One rung that is over soon, and then P. Nair.
const SMITH_BRIEFLY: &str = r#"
[[ladder.rung]]
notify = [{ person = "j-smith", by = [["sms", "email"]] }]
wait = "1s"
"#;

async fn drill(town: &Town, body: Value) -> String {
    let started = town.daemon.api().must_post("/api/v1/drills", &body).await;
    started["drill"].as_str().unwrap().to_owned()
}

async fn sheet(town: &Town, drill: &str) -> Value {
    town.daemon.api().must_get(&format!("/api/v1/drills/{drill}")).await
}

/// The code in a text of a drill: what follows `Y` in `Answer as if it were: Y47=going`.
fn code_in(text: &str) -> String {
    let after = text.split_once(": Y").unwrap_or_else(|| panic!("no code in {text:?}")).1;
    after.chars().take_while(char::is_ascii_digit).collect()
}

#[tokio::test]
async fn a_drill_calls_the_people_of_a_ladder_and_its_sheet_says_who_answered() {
    let smtp = Smtp::start().await;
    let town =
        Town::with(&format!("{SMITH_BRIEFLY}{NAIR_NEXT}"), |plan, gateway| plan.gateway("first", gateway).mail(&smtp.plain_url())).await;
    let act = drill(&town, json!({"site": "kalamunda-library", "device": "Front counter 1", "note": "Spring drill", "by": "Jane"})).await;
    let (smith, nair) = (town.gateway.phone(SMITH), town.gateway.phone(NAIR));
    let text = smith.expect_sms("DRILL").await;
    assert!(text.body.starts_with("DRILL, not real: Kalamunda Library, Front counter 1.") && text.body.len() <= 160, "{}", text.body);
    let mail = smtp.expect_mail("j.smith@example.org", "[DRILL] Kalamunda Library").await;
    assert!(mail.text.starts_with("DRILL. This is practice"), "{}", mail.text);
    let text = nair.expect_sms("DRILL").await;
    nair.reply(&format!("Y{}", code_in(&text.body))).await;
    let thanks = nair.expect_sms("DRILL: thanks").await;
    assert!(thanks.body.contains("Do NOT go"), "{}", thanks.body);
    smith.expect_sms("DRILL: P. Nair has answered").await;
    let shown = town.expect_activation(&act, "accepted").await;
    assert!(shown["drill"]["until"].is_string() && shown["drill"]["ended"].is_null(), "{shown}");
    let result = sheet(&town, &act).await;
    assert_eq!((&result["answered"], &result["unanswered"]), (&json!(1), &json!(1)), "{result}");
    let [first, second] = result["told"].as_array().unwrap().as_slice() else { panic!("{result}") };
    assert_eq!((&first["name"], &first["rung"], &first["answer"]), (&json!("J. Smith"), &json!(1), &json!(null)));
    let by: Vec<&str> = first["messages"].as_array().unwrap().iter().map(|message| message["by"].as_str().unwrap()).collect();
    assert_eq!(by, ["sms", "email"]);
    assert_eq!((&second["name"], &second["rung"], &second["messages"][0]["by"]), (&json!("P. Nair"), &json!(2), &json!("sms")));
    assert_eq!((&second["answer"]["what"], &second["answer"]["by"]), (&json!("going"), &json!("sms")));
    assert!(second["answer"]["after_ms"].as_u64().is_some_and(|ms| ms > 0), "{result}");
    // Who answered is known to have been heard from, and nobody else, also after a start.
    let heard = async || {
        let people = town.daemon.api().must_get("/api/v1/people").await;
        let of = |person: &Value| (person["name"].as_str().unwrap().to_owned(), person["channels"][0]["last_answered"].is_string());
        people["people"].as_array().unwrap().iter().map(of).collect::<Vec<_>>()
    };
    let expected = [("J. Smith", false), ("S. Lee", false), ("P. Nair", true)].map(|(name, heard)| (name.to_owned(), heard));
    assert_eq!(heard().await, expected);
    // It is in no count of calls, and the button knows nothing of it.
    let metrics = town.daemon.api().get("/metrics").await.unwrap().text;
    for line in ["cooee_open_activations 0", "cooee_drills_open 1", "cooee_activations_raised_total 0", "cooee_drills_started_total 1"] {
        assert!(metrics.lines().any(|l| l == line), "{line} is not in\n{metrics}");
    }
    let device = town.daemon.api().must_get("/api/v1/devices/kalamunda-library/front-counter-1").await;
    assert!(device["last_press"].is_null() && device["last_proven"].is_null() && device["activation"].is_null(), "{device}");
    town.daemon.api().must_post(&format!("/api/v1/activations/{act}/close"), &json!({"disposition": "test"})).await;
    smith.expect_sms("DRILL OVER").await;
    nair.expect_sms("DRILL OVER").await;
    let printed = town.daemon.run(&["drill", "--result", &act]);
    let said = String::from_utf8_lossy(&printed.stdout).into_owned();
    assert_eq!(printed.status.code(), Some(1), "somebody has not answered: {said}");
    for part in ["started by Jane (", "J. Smith", "NO ANSWER", "going by sms after", "2 told, 1 answered, 1 did not"] {
        assert!(said.contains(part), "{part} is not in\n{said}");
    }
    let register = town.daemon.api().get("/api/v1/register").await.unwrap().text;
    let line = register.lines().find(|line| line.contains(&act)).unwrap();
    assert!(line.contains("\"drill\"") && !line.contains("Nair") && !line.contains("duress"), "{line}");
    Evidence::of(&town.daemon).must_be_whole();
}

/// Somebody presses the very button that is being drilled.
#[tokio::test]
async fn a_press_during_a_drill_is_duress_at_once() {
    let town = Town::open(&format!("{SMITH_FIRST}{NAIR_NEXT}")).await;
    let act = drill(&town, json!({"site": "kalamunda-library", "device": "front-counter-1"})).await;
    let smith = town.gateway.phone(SMITH);
    let text = smith.expect_sms("DRILL").await;
    let call = town.press().await;
    assert_ne!(call, act);
    smith.expect_sms("DURESS").await;
    smith.expect_sms("DRILL OVER").await;
    let over = town.expect_activation(&act, "closed").await;
    assert_eq!((&over["drill"]["ended"], &over["disposition"]), (&json!("real_call"), &json!("test")), "{over}");
    // Their answer to the drill answers nothing, and says so.
    smith.reply(&format!("Y{}", code_in(&text.body))).await;
    smith.expect_sms("answered nothing real").await;
    assert_eq!(town.activation(&call).await["state"], "climbing");
    let again = town.daemon.api().post("/api/v1/drills", &json!({"site": "kalamunda-library"})).await.unwrap();
    assert_eq!(again.status, 409, "{}", again.text);
}

#[tokio::test]
async fn a_drill_outlives_a_restart_and_ends_where_every_rung_was_tried() {
    let mut town = Town::open(SMITH_FIRST).await;
    let begun = town.daemon.run(&["drill", "--site", "kalamunda-library", "--note", "Spring drill"]);
    let said = String::from_utf8_lossy(&begun.stdout).into_owned();
    assert!(begun.status.success() && said.contains(" has begun: "), "{said}{}", String::from_utf8_lossy(&begun.stderr));
    let act = said.split(' ').next().unwrap().to_owned();
    let smith = town.gateway.phone(SMITH);
    let text = smith.expect_sms("DRILL").await;
    town.daemon.kill();
    town.daemon.start_again().await;
    assert!(town.activation(&act).await["drill"].is_object());
    smith.reply(&format!("N{}", code_in(&text.body))).await;
    let over = town.expect_activation(&act, "closed").await;
    assert_eq!(over["drill"]["ended"], "exhausted", "{over}");
    let result = sheet(&town, &act).await;
    assert_eq!((&result["told"][0]["answer"]["what"], &result["unanswered"]), (&json!("cannot"), &json!(0)), "{result}");
    town.press().await;
    smith.expect_sms("DURESS").await;
}
