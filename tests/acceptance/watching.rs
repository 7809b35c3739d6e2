//! Buttons that are watched, by the real daemon: a site that nobody hears, people who are told, and a sign of life.

use crate::town::{SMITH_FIRST, Town, directory};
use harness::wait;

/// The phone of whoever looks after the station.
const OPS: &str = "+61491570157";

/// The library's front counter is watched, and the operator is told of troubles.
fn watched() -> String {
    let rungs = format!(
        r#"{SMITH_FIRST}
[[person]]
id = "ops"
name = "Olive Ops"
mobile = "+61 491 570 157"

[technical]
ladder = "station"
wait = "1s"

[[ladder]]
id = "station"
[[ladder.rung]]
notify = [{{ person = "ops" }}]
wait = "50m"

[[supervision]]
id = "counters"
silent_after = "10s"
"#
    );
    directory(&rungs).replace("place = \"Front counter 1\"\n", "place = \"Front counter 1\"\nsupervision = \"counters\"\n")
}

async fn open_troubles(town: &Town) -> Option<Vec<String>> {
    let open = town.daemon.api().get("/api/v1/troubles").await?.body;
    Some(open["troubles"].as_array()?.iter().map(|trouble| trouble["cause"].to_string()).collect())
}

async fn until_blind(town: &Town, is_blind: bool) {
    let blind = async || open_troubles(town).await.map(|open| open.iter().any(|cause| cause.contains("site_blind")));
    wait::until("the site to be blind, or not", async || (blind().await? == is_blind).then_some(())).await;
}

#[tokio::test]
async fn a_site_that_is_not_heard_is_told_to_its_people_and_a_sign_of_life_ends_it() {
    let mut town = Town::of(&watched(), |plan, gateway| plan.gateway("first", gateway)).await;
    let ops = town.gateway.phone(OPS);
    let sms = ops.expect_sms("NO watched button is heard at Kalamunda Library").await;
    assert!(sms.body.contains("The site uses phones. See why.") && sms.body.len() <= 160, "{}", sms.body);
    let page = town.daemon.api().get("/").await.unwrap().text;
    assert!(page.contains("No watched button at kalamunda-library is heard"), "{page}");

    town.daemon.kill();
    town.daemon.launch();
    until_blind(&town, true).await;
    let heard = async || {
        town.button.alive().await;
        let open = open_troubles(&town).await?;
        (!open.iter().any(|cause| cause.contains("site_blind") || cause.contains("device_silent"))).then_some(())
    };
    wait::until("a sign of life to be heard", heard).await;
    town.daemon.stop().await;
    crate::evidence::Evidence::of(&town.daemon).must_be_whole();
}

#[tokio::test]
async fn a_battery_that_runs_out_is_a_trouble_until_it_is_another() {
    let town = Town::open(SMITH_FIRST).await;
    let low = async || open_troubles(&town).await.map(|open| open.iter().any(|cause| cause.contains("battery_low")));
    town.button.publish("alive", r#"{"battery":5}"#).await;
    wait::until("the battery to be low", async || low().await?.then_some(())).await;
    let page = town.daemon.api().get("/").await.unwrap().text;
    assert!(page.contains("The battery of kalamunda-library/front-counter-1 runs out"), "{page}");
    town.button.publish("alive", r#"{"battery":95}"#).await;
    wait::until("another battery", async || (!low().await?).then_some(())).await;
}
