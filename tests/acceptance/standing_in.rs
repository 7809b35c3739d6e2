//! Who is on duty, changed while the real daemon runs.

use harness::daemon::new_key_with;
use harness::wait;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::evidence::Evidence;
use crate::town::{NAIR, SMITH, Town, directory};

/// J. Smith is on duty, and nobody else is told.
const ON_DUTY: &str = r#"
[[ladder.rung]]
notify = [{ roster = "duty", by = ["sms"] }]
wait = "50m"

[[roster]]
id = "duty"
[[roster.shift]]
people = ["j-smith"]
"#;

/// So many hours from now, as a person would say it to the second.
#[expect(clippy::disallowed_methods, reason = "a daemon of its own reads the same clock, and is asked about the hours to come")]
pub(crate) fn in_hours(hours: i64) -> String {
    let at = Timestamp::now() + SignedDuration::from_hours(hours);
    Timestamp::from_second(at.as_second()).unwrap().to_string()
}

fn nair_for_smith() -> Value {
    json!({"roster": "duty", "off": "J. Smith", "on": "p-nair", "until": in_hours(12), "by": "Jane"})
}

#[tokio::test]
async fn whoever_stands_in_is_texted_also_after_a_restart() {
    let mut town = Town::open(ON_DUTY).await;
    let api = town.daemon.api();
    let duty = api.must_get("/api/v1/duty").await;
    assert_eq!((&duty["rosters"][0]["on_duty"], &duty["rosters"][0]["until"]), (&json!(["J. Smith"]), &json!(null)));
    let duty = api.must_post("/api/v1/duty/stand-ins", &nair_for_smith()).await;
    let said = duty["rosters"][0]["stand_ins"][0].clone();
    assert_eq!((&duty["rosters"][0]["on_duty"], &said["counts"]), (&json!(["P. Nair"]), &json!(true)));
    wait::until("another look ahead", async || (town.daemon.log().matches("looked ahead").count() >= 2).then_some(())).await;
    town.daemon.kill();
    town.daemon.start_again().await;
    let api = town.daemon.api();
    let listed = api.must_get("/api/v1/duty").await;
    assert!(listed["rosters"][0]["stand_ins"][0]["by"].as_str().unwrap().starts_with("Jane ("), "{listed}");
    town.press().await;
    town.gateway.phone(NAIR).expect_sms("DURESS").await;
    town.gateway.expect_nothing_else();
    let over = json!({"roster": "duty", "off": "j-smith", "from": said["from"]});
    let duty = api.must_post("/api/v1/duty/stand-ins/end", &over).await;
    assert_eq!((&duty["rosters"][0]["on_duty"], &duty["rosters"][0]["stand_ins"]), (&json!(["J. Smith"]), &json!([])));
    let again = api.post("/api/v1/duty/stand-ins/end", &over).await.unwrap();
    assert_eq!(again.status, 200, "whoever got no answer says it once more: {}", again.text);
    let never = json!({"roster": "duty", "off": "j-smith", "from": in_hours(3)});
    assert_eq!(api.post("/api/v1/duty/stand-ins/end", &never).await.unwrap().status, 409);
    let evidence = Evidence::of(&town.daemon);
    evidence.must_be_whole();
    for kind in ["duty.stand_in", "duty.stand_in_over"] {
        assert!(evidence.entries().iter().any(|entry| entry["type"] == kind), "{kind}");
    }
}

#[tokio::test]
async fn until_it_begins_whoever_is_on_duty_is_told() {
    let town = Town::open(ON_DUTY).await;
    let mut later = nair_for_smith();
    later["from"] = json!(in_hours(6));
    town.daemon.api().must_post("/api/v1/duty/stand-ins", &later).await;
    town.press().await;
    town.gateway.phone(SMITH).expect_sms("DURESS").await;
    town.gateway.expect_nothing_else();
}

#[tokio::test]
async fn what_is_said_wrongly_changes_nobody() {
    let town = Town::open(ON_DUTY).await;
    let api = town.daemon.api();
    for (field, value, status) in [
        ("roster", json!("nights"), 404),
        ("roster", json!("No Such"), 400),
        ("off", json!("P. Nair"), 400),
        ("on", json!("nobody"), 400),
        // On the other customer's ladder alone.
        ("on", json!("s-lee"), 400),
        ("on", json!("j-smith"), 409),
        ("until", json!("tonight"), 400),
        ("until", json!(in_hours(-1)), 400),
        ("until", json!(in_hours(24 * 32)), 400),
        ("from", json!("soon"), 400),
        ("from", json!(in_hours(-1)), 400),
        ("hours", json!(3), 400),
    ] {
        let mut body = nair_for_smith();
        body[field] = value;
        let answer = api.post("/api/v1/duty/stand-ins", &body).await.unwrap();
        assert_eq!(answer.status, status, "{field}: {}", answer.text);
    }
    let duty = api.must_get("/api/v1/duty").await;
    assert_eq!((&duty["rosters"][0]["on_duty"], &duty["rosters"][0]["stand_ins"]), (&json!(["J. Smith"]), &json!([])));
}

#[tokio::test]
async fn a_key_for_part_of_what_a_roster_is_for_sees_it_and_leaves_it() {
    let (library, swan) = (
        new_key_with(&["--role", "site", "--customer", "kalamunda", "--site", "kalamunda-library"]),
        new_key_with(&["--role", "site", "--customer", "swan"]),
    );
    let town = Town::with(ON_DUTY, |plan, gateway| plan.gateway("first", gateway).key(&library).key(&swan)).await;
    // The fallback of presses from nowhere climbs the same ladder, and is the customer's, not the library's.
    let of_library = town.daemon.api_with_key(Some(&library.secret));
    let duty = of_library.must_get("/api/v1/duty").await;
    assert_eq!((&duty["rosters"][0]["on_duty"], &duty["rosters"][0]["may_change"]), (&json!(["J. Smith"]), &json!(false)));
    let answer = of_library.post("/api/v1/duty/stand-ins", &nair_for_smith()).await.unwrap();
    assert_eq!(answer.status, 409, "{}", answer.text);
    let next_door = town.daemon.api_with_key(Some(&swan.secret));
    assert_eq!(next_door.must_get("/api/v1/duty").await, json!({"rosters": []}));
    let answer = next_door.post("/api/v1/duty/stand-ins", &nair_for_smith()).await.unwrap();
    assert_eq!(answer.status, 404, "{}", answer.text);
    assert!(!answer.text.contains("Smith"), "{}", answer.text);
}

#[tokio::test]
async fn a_key_for_all_of_a_roster_changes_it() {
    let key = new_key_with(&["--role", "centre", "--customer", "kalamunda"]);
    let town = Town::with(ON_DUTY, |plan, gateway| plan.gateway("first", gateway).key(&key)).await;
    let duty = town.daemon.api_with_key(Some(&key.secret)).must_post("/api/v1/duty/stand-ins", &nair_for_smith()).await;
    assert_eq!((&duty["rosters"][0]["on_duty"], &duty["rosters"][0]["may_change"]), (&json!(["P. Nair"]), &json!(true)));
    let entries = Evidence::of(&town.daemon).entries().to_vec();
    assert!(entries.iter().any(|entry| entry["type"] == "duty.stand_in" && entry["cust"] == "kalamunda"));
}

/// The customer's own troubles are told by a roster; its people are on no ladder of a site.
#[tokio::test]
async fn somebody_of_a_technical_roster_stands_in_there() {
    let technical = format!(
        "{ON_DUTY}
[[roster.shift]]
people = [\"p-nair\"]
until = \"2020-01-01\"
[[ladder]]
id = \"kal-it\"
[[ladder.rung]]
notify = [{{ roster = \"kal-it\", by = [\"sms\"] }}]
[[roster]]
id = \"kal-it\"
[[roster.shift]]
people = [\"a-tech\"]
[[roster.shift]]
people = [\"b-tech\"]
until = \"2020-01-01\"
[[person]]
id = \"a-tech\"
name = \"A. Tech\"
mobile = \"+61 491 570 110\"
[[person]]
id = \"b-tech\"
name = \"B. Tech\"
mobile = \"+61 491 570 313\"
"
    );
    let directory = directory(&technical).replacen("ladder = \"counters\"", "ladder = \"counters\"\ntechnical = \"kal-it\"", 1);
    let town = Town::of(&directory, |plan, gateway| plan.gateway("first", gateway)).await;
    let body = json!({"roster": "kal-it", "off": "a-tech", "on": "B. Tech", "until": in_hours(3)});
    let duty = town.daemon.api().must_post("/api/v1/duty/stand-ins", &body).await;
    let it = duty["rosters"].as_array().unwrap().iter().find(|roster| roster["id"] == "kal-it").unwrap();
    assert_eq!(it["on_duty"], json!(["B. Tech"]));
}

/// A file that leaves out whoever stands in puts whoever is ill on duty alone, and says so.
#[tokio::test]
async fn a_reload_says_whose_stand_in_counts_no_more() {
    let town = Town::open(ON_DUTY).await;
    let api = town.daemon.api();
    let wanted = nair_for_smith();
    api.must_post("/api/v1/duty/stand-ins", &wanted).await;
    // The same once more, because no answer came.
    let again = api.must_post("/api/v1/duty/stand-ins", &wanted).await;
    assert_eq!(again["rosters"][0]["stand_ins"].as_array().unwrap().len(), 1);
    let whole = directory(ON_DUTY);
    let (before, rest) = whole.split_once("[[person]]\nid = \"p-nair\"").unwrap();
    let (_, after) = rest.split_once("[[person]]").unwrap();
    town.daemon.write_directory(&format!("{before}[[person]]{after}"));
    town.daemon.signal("HUP");
    town.daemon.expect_log("whoever was to stand in is not on duty").await;
    let duty = api.must_get("/api/v1/duty").await;
    let said = &duty["rosters"][0]["stand_ins"][0];
    assert_eq!((&duty["rosters"][0]["on_duty"], &said["counts"], &said["both"]), (&json!(["J. Smith"]), &json!(false), &json!(false)));
    let troubles = api.must_get("/api/v1/troubles").await;
    assert!(troubles.to_string().contains("stand_in_undone"), "{troubles}");
}
