//! A centre that is reached by its desk: a key that follows the stream arms it, and when its words stop the ladder goes on.

use std::time::Duration;

use harness::Daemon;
use harness::daemon::{Api, Key, answer, new_key_with};
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::evidence::Evidence;
use crate::town::{SMITH, Town};

/// A desk that is asked first, for longer than any test lasts, and then a person.
pub(crate) const DESK_FIRST: &str = r#"
[[ladder.rung]]
notify = [{ centre = "night-desk" }]
wait = "50m"

[[ladder.rung]]
notify = [{ person = "j-smith", by = ["sms"] }]
wait = "50m"

[[centre]]
id = "night-desk"
name = "Night desk"
"#;

const DESK: &str = "/api/v1/desks/night-desk";

/// An operator's own software, which says again and again that it is there.
struct Seat(JoinHandle<()>);

impl Seat {
    fn take(api: Api) -> Self {
        Self(tokio::spawn(async move {
            loop {
                // Nobody answers while the station is down; whoever sits there says it again.
                drop(api.post(DESK, &json!({"console": "left"})).await);
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
        }))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn desk(daemon: &Daemon) -> Value {
    let told = daemon.api().must_get("/api/v1/desks").await;
    let desks = told["desks"].as_array().unwrap();
    assert_eq!(desks.len(), 1, "a centre with a webhook has no desk: {told}");
    desks[0].clone()
}

fn count(daemon: &Daemon, kind: &str) -> usize {
    Evidence::of(daemon).kind(kind).count()
}

fn by(town: &Town, key: &Key) -> Api {
    town.daemon.api_with_key(Some(&key.secret))
}

/// Why anybody was passed over for a call.
fn why(town: &Town, act: &str) -> Vec<Value> {
    Evidence::of(&town.daemon).about(act, "contact.passed_over").iter().map(|entry| entry["why"].clone()).collect()
}

#[tokio::test]
async fn a_press_waits_for_whoever_is_at_the_desk_and_no_longer_than_they_are() {
    let operator = new_key_with(&["--role", "centre"]);
    let mut town = Town::with(DESK_FIRST, |plan, gateway| plan.gateway("first", gateway).key(&operator)).await;
    let phone = town.gateway.phone(SMITH);

    // Nobody is there: the person is told at once.
    assert_eq!(desk(&town.daemon).await["armed"], false);
    let passed = town.press().await;
    let first = phone.expect_sms("Front counter 1").await;
    assert!(first.body.contains(&passed), "{}", first.body);
    assert_eq!(why(&town, &passed), ["nobody_at_the_desk"]);
    by(&town, &operator).must_post(&format!("/api/v1/activations/{passed}/claim"), &json!({})).await;
    by(&town, &operator).must_post(&format!("/api/v1/activations/{passed}/close"), &json!({"disposition": "test"})).await;

    // Somebody sits down: the next press waits for them, also over a kill and a start.
    let seat = Seat::take(by(&town, &operator));
    harness::wait::until("the desk to be armed", async || (desk(&town.daemon).await["armed"] == true).then_some(())).await;
    let waits = town.press().await;
    assert_eq!(town.activation(&waits).await["state"], "climbing");
    town.daemon.kill();
    town.daemon.start_again().await;
    harness::wait::until("the console to say so again", async || (desk(&town.daemon).await["consoles"] == 1).then_some(())).await;
    assert!(why(&town, &waits).is_empty(), "it waits for the desk");
    assert!(phone.received().iter().all(|sms| !sms.body.contains(&waits)), "nobody else is told of it");
    let told = desk(&town.daemon).await;
    assert_eq!((&told["armed"], &told["may_arm"], &told["name"]), (&true.into(), &true.into(), &"Night desk".into()));

    // And when nobody says so any more, the ladder goes on by itself, long before the rung's 50 minutes.
    drop(seat);
    let told = phone.expect_sms(&waits).await;
    assert!(told.body.contains("Front counter 1"), "{}", told.body);
    assert_eq!(why(&town, &waits), ["nobody_at_the_desk"]);
    assert_eq!((count(&town.daemon, "desk.armed"), count(&town.daemon, "desk.unarmed")), (1, 1), "no word that was said again is an entry");
    let evidence = Evidence::of(&town.daemon);
    assert_eq!(evidence.kind("desk.unarmed").next().unwrap()["why"], "lapsed");

    // Whoever leaves says so, and it holds at once.
    by(&town, &operator).must_post(DESK, &json!({})).await;
    assert_eq!(desk(&town.daemon).await["armed"], true);
    let left = answer(by(&town, &operator).request(Method::DELETE, DESK)).await.unwrap();
    assert_eq!((left.status, &left.body["desks"][0]["armed"]), (200, &false.into()));
    Evidence::of(&town.daemon).must_be_whole();
}
