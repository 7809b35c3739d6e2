//! Looking ahead, by the real daemon: at its start, at a reload and over a restart.

use jiff::civil::Weekday;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::evidence::Evidence;
use crate::town::{Town, directory};
use harness::daemon::new_key_with;
use harness::wait;

/// Nobody but a roster that is off duty on Sundays, of which every fortnight has two.
const NOT_ON_SUNDAYS: &str = r#"
[[ladder.rung]]
notify = [{ roster = "duty", by = ["sms"] }]

[[roster]]
id = "duty"
[[roster.shift]]
people = ["j-smith"]
hours = ["mon-sat 00:00-24:00"]
"#;

async fn gaps(town: &Town) -> Vec<Value> {
    let open = town.daemon.api().must_get("/api/v1/troubles").await;
    open["troubles"].as_array().unwrap().iter().filter_map(|trouble| trouble["cause"].get("coverage_gap").cloned()).collect()
}

async fn looked(town: &Town, times: usize) {
    wait::until(&format!("look number {times}"), async || (town.daemon.log().matches("looked ahead").count() >= times).then_some(())).await;
}

#[tokio::test]
async fn a_time_ahead_at_which_nobody_would_be_told_is_a_trouble_until_it_is_mended() {
    let mut town = Town::open(NOT_ON_SUNDAYS).await;
    looked(&town, 1).await;
    let found = wait::until("the gap", async || gaps(&town).await.pop()).await;
    assert_eq!((&found["ladder"], &found["site"]), (&json!("counters"), &json!("kalamunda-library")));
    let from = found["from"].as_str().unwrap().to_owned();
    // It begins at midnight in Perth, or, where it is Sunday there while this runs, when it was looked at.
    let there = from.parse::<Timestamp>().unwrap() + SignedDuration::from_hours(8);
    assert_eq!(there.to_zoned(TimeZone::UTC).weekday(), Weekday::Sunday, "{from}");
    let page = town.daemon.api().get("/").await.unwrap().text;
    assert!(page.contains("a press at kalamunda-library would be told to nobody (ladder counters)"), "{page}");
    let metrics = town.daemon.api().get("/metrics").await.unwrap().text;
    assert!(metrics.contains("cooee_coverage_gaps 1\n"), "{metrics}");
    // Nothing changes: at a reload of the same file, and at another start, it is the same trouble. The customer next door is shown
    // nothing of it.
    let key = new_key_with(&["--role", "auditor", "--customer", "swan"]);
    town.daemon.write_settings(&(town.daemon.settings() + "\n" + &key.stanza));
    town.daemon.signal("HUP");
    looked(&town, 2).await;
    let next_door = town.daemon.api_with_key(Some(&key.secret)).must_get("/api/v1/troubles").await;
    assert_eq!((next_door["troubles"].as_array().map(Vec::len), gaps(&town).await.len()), (Some(0), 1), "{next_door}");
    town.daemon.kill();
    town.daemon.start_again().await;
    assert_eq!(wait::until("the gap after a restart", async || gaps(&town).await.pop()).await, found);
    let raised = |evidence: &Evidence| evidence.kind("trouble.raised").filter(|e| e["cause"]["coverage_gap"].is_object()).count();
    town.daemon.write_directory(&directory(&NOT_ON_SUNDAYS.replace("mon-sat", "mon-sun")));
    town.daemon.signal("HUP");
    wait::until("the gap to be mended", async || gaps(&town).await.is_empty().then_some(())).await;
    let evidence = Evidence::of(&town.daemon);
    evidence.must_be_whole();
    assert_eq!(raised(&evidence), 1);
    let cleared: Vec<&Value> = evidence.kind("trouble.cleared").filter(|e| e["cause"]["coverage_gap"].is_object()).collect();
    assert_eq!(cleared.len(), 1, "{cleared:?}");
    assert_eq!((&cleared[0]["cause"]["coverage_gap"]["from"], &cleared[0]["cust"]), (&json!(from), &json!("kalamunda")));
}
