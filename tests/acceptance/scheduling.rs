//! Drills that the directory asks for, by the real daemon and its clock.

use harness::daemon::new_key_with;
use harness::wait;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use serde_json::{Value, json};

use crate::evidence::Evidence;
use crate::town::{SMITH, SMITH_FIRST, Town, directory};

/// A zone in which it is about noon, so that drills may be held; and by its clock the day of the week and the minute that comes next
/// but one.
#[expect(clippy::disallowed_methods, reason = "a daemon of its own reads the same clock, and is told of an hour that is about to come")]
fn soon() -> (String, String, String) {
    let at = Timestamp::now() + SignedDuration::from_secs(120);
    let ahead = 12 - at.to_zoned(TimeZone::UTC).hour();
    // The names of these zones count westwards.
    let zone = if ahead == 0 { "Etc/GMT".to_owned() } else { format!("Etc/GMT{:+}", -ahead) };
    let there = at.to_zoned(TimeZone::get(&zone).unwrap());
    (zone, there.strftime("%a").to_string().to_lowercase(), there.strftime("%H:%M").to_string())
}

/// The library is drilled, and so is the hub next door, in three minutes in which a call of its customer is open.
fn town_of(schedule: &(String, String, String)) -> String {
    let (zone, on, at) = schedule;
    let of = |id: &str, site: &str, minutes: u32| {
        format!("[[drill]]\nid = \"{id}\"\nsites = [\"{site}\"]\non = \"{on}\"\nat = \"{at}\"\nminutes = {minutes}\n")
    };
    let places = directory(SMITH_FIRST).replace("Australia/Perth", zone);
    format!("{places}\n{}{}", of("library-drills", "kalamunda-library", 30), of("swan-drills", "swan-hub", 3))
}

async fn site(town: &Town, schedule: &str) -> Value {
    let listed = town.daemon.api().must_get("/api/v1/drills").await;
    let schedules = listed["schedules"].as_array().unwrap();
    schedules.iter().find(|known| known["id"] == schedule).unwrap_or_else(|| panic!("{schedule} in {listed}"))["sites"][0].clone()
}

#[tokio::test]
async fn a_drill_begins_by_itself_and_one_beside_a_call_is_missed() {
    let key = new_key_with(&["--role", "site", "--customer", "kalamunda"]);
    let mut town = Town::of(&town_of(&soon()), |plan, gateway| plan.gateway("first", gateway).key(&key)).await;
    let call = json!({"site": "swan-hub", "device": "reception"});
    town.daemon.api().must_post("/api/v1/activations", &call).await;
    let before = site(&town, "library-drills").await;
    assert_eq!((&before["held"], &before["missed"], &before["last_held"]), (&json!(0), &json!(0), &json!(null)));
    assert!(before["next"].is_string() && before["waits_for"].is_null(), "{before}");
    let smith = town.gateway.phone(SMITH);
    let text = smith.expect_sms("DRILL").await;
    assert!(text.body.starts_with("DRILL, not real: Kalamunda Library"), "{}", text.body);
    let begun = site(&town, "library-drills").await;
    let drill = begun["last_held"]["drill"].as_str().unwrap().to_owned();
    assert_eq!((&begun["held"], &begun["last_held"]["outcome"]), (&json!(1), &json!("on")), "{begun}");
    let sheet = town.daemon.api().must_get(&format!("/api/v1/drills/{drill}")).await;
    assert_eq!(sheet["started_by"], "schedule:library-drills", "{sheet}");
    // A press at the drilled site is a call at once.
    town.press().await;
    smith.expect_sms("DURESS").await;
    town.expect_activation(&drill, "closed").await;
    assert_eq!(site(&town, "library-drills").await["last_held"]["outcome"], "cut_short");
    let missed = wait::until("the hub's drill to be missed", async || {
        let swan = site(&town, "swan-drills").await;
        (swan["missed"] == 1).then_some(swan)
    })
    .await;
    let why = missed["last_missed"]["why"].as_str().unwrap();
    assert_eq!(why, "call_open", "{missed}");
    // The customer next door sees its own.
    let own = town.daemon.api_with_key(Some(&key.secret)).must_get("/api/v1/drills").await;
    assert_eq!(own["schedules"].as_array().unwrap().len(), 1, "{own}");
    assert!(!own.to_string().contains("swan") && !own.to_string().contains(why), "{own}");
    // What was held and missed is in the record, and is not held again after a start.
    town.daemon.kill();
    town.daemon.start_again().await;
    let (library, swan) = (site(&town, "library-drills").await, site(&town, "swan-drills").await);
    assert_eq!((&library["held"], &library["missed"], &swan["held"], &swan["missed"]), (&json!(1), &json!(0), &json!(0), &json!(1)));
    let metrics = town.daemon.api().get("/metrics").await.unwrap().text;
    for line in ["cooee_drills_missed_total 1", "cooee_drills_unanswered_total 0"] {
        assert!(metrics.lines().any(|l| l == line), "{line} is not in\n{metrics}");
    }
    let evidence = Evidence::of(&town.daemon);
    evidence.must_be_whole();
    assert_eq!(evidence.entries().iter().filter(|entry| entry["type"] == "drill.missed").count(), 1);
}
