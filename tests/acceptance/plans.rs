//! Action plans against the real daemon: steps are ticked by name, outlive a restart, and are asked for at the closing.

use harness::daemon::new_key_with;
use serde_json::{Value, json};

use crate::evidence::Evidence;
use crate::town::{SMITH, SMITH_FIRST, Town, directory};

const PLAN: &str = r#"
[[plan]]
id = "council-duress"
version = 3
approved_by = "A. Director"
responder = ["Wait at the rendezvous for a second person", { step = "Look whether anybody is hurt", required = true }]
centre = [{ step = "Ring the back office, never the counter", required = true }]
"#;

fn planned() -> String {
    let site = "name = \"Kalamunda Library\"\n";
    format!("{}{PLAN}", directory(SMITH_FIRST).replacen(site, &format!("{site}plan = \"council-duress\"\n"), 1))
}

fn step<'a>(detail: &'a Value, id: &str) -> &'a Value {
    detail["plan"]["steps"].as_array().unwrap().iter().find(|step| step["step"] == id).unwrap()
}

#[tokio::test]
async fn a_plan_is_followed_by_name_and_asked_for_at_the_closing() {
    let key = new_key_with(&["--role", "site", "--site", "kalamunda-library"]);
    let mut town = Town::of(&planned(), |plan, gateway| plan.gateway("first", gateway).key(&key)).await;
    let act = town.press().await;
    town.gateway.phone(SMITH).expect_sms("DURESS").await;
    let route = |verb: &str| format!("/api/v1/activations/{act}/{verb}");
    let api = town.daemon.api();
    let early = api.post(&route("close"), &json!({"disposition": "attended"})).await.unwrap();
    assert_eq!(early.status, 409, "{}", early.text);
    assert!(early.body["detail"].as_str().unwrap().contains("responder 2, centre 1"), "{}", early.text);
    api.must_post(&route("step"), &json!({"step": "responder 2", "by": "J. Smith"})).await;
    let again = api.post(&route("step"), &json!({"step": "responder 2", "by": "P. Nair"})).await.unwrap();
    assert_eq!(again.status, 409, "{}", again.text);
    api.must_post(&route("step"), &json!({"step": "centre 1", "by": "P. Nair", "skipped": "nobody is in the back office"})).await;
    // Somebody may be watching where the button is: of what the centre does, and why not, nothing shows there.
    let library = town.daemon.api_with_key(Some(&key.secret));
    let refused = library.post(&route("step"), &json!({"step": "centre 1", "by": "P. Nair"})).await.unwrap();
    assert_eq!(refused.status, 409, "{}", refused.text);
    let seen = library.must_get(&format!("/api/v1/activations/{act}")).await;
    assert!(seen["plan"]["steps"].as_array().unwrap().iter().all(|step| step["step"] != "centre 1"), "{seen}");
    assert!(!seen.to_string().contains("back office"), "{seen}");
    town.daemon.kill();
    town.daemon.start_again().await;
    let detail = town.activation(&act).await;
    assert_eq!((&detail["plan"]["version"], &detail["plan"]["approved_by"]), (&json!(3), &json!("A. Director")));
    let done = step(&detail, "responder 2");
    assert!(done["by"].as_str().unwrap().starts_with("J. Smith (") && done["skipped"].is_null(), "by whom, and by which key: {done}");
    let passed_over = step(&detail, "centre 1");
    assert_eq!(passed_over["skipped"], "nobody is in the back office", "{passed_over}");
    assert!(passed_over["by"].as_str().unwrap().starts_with("P. Nair ("), "{passed_over}");
    assert_eq!(step(&detail, "responder 1")["by"], Value::Null);
    let log = town.daemon.log();
    assert!(!log.contains("back office") && !log.contains("anybody is hurt"), "what a plan says is in no log line");
    town.daemon.api().must_post(&route("close"), &json!({"disposition": "attended"})).await;
    Evidence::expect(&town.daemon, &act, "activation.closed", |_| true).await;
}
