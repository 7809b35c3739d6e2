//! Who looked: by key, by page and by link, in the record after a kill, and shown to nobody else.

use std::process::Output;

use harness::daemon::{Key, answer, new_key_with};
use harness::{Button, Daemon, Gateway, wait};
use reqwest::Method;
use serde_json::{Value, json};

use crate::bundle::{Story, text};
use crate::evidence::Evidence;
use crate::signing::{checkpoint, signed_with};
use crate::town::{SMITH_FIRST, Town, directory, expect_activation};

const ACT: &str = "/api/v1/activations/KAL-1";

/// The entries about readers of one history, each as who, how and how often.
fn readers(daemon: &Daemon, of: &str) -> Vec<(String, Value, u64)> {
    let evidence = Evidence::of(daemon);
    let viewed = evidence.kind("record.viewed").filter(|entry| entry["in"] == format!("views:{of}"));
    let line = |entry: &Value| {
        let by = entry["by"]["principal"].as_str().or(entry["by"]["link"].as_str()).unwrap_or("others");
        (by.to_owned(), entry["how"].clone(), entry["count"].as_u64().unwrap())
    };
    viewed.map(line).collect()
}

/// What the record calls whoever has a key.
fn name_of(key: &Key) -> String {
    let line = key.stanza.lines().find_map(|line| line.trim().strip_prefix("name")).unwrap();
    line.split('"').nth(1).unwrap().to_owned()
}

/// A key under another name.
fn renamed(key: Key, name: &str) -> Key {
    let stanza = key.stanza.replace(&name_of(&key), name);
    Key { stanza, ..key }
}

#[tokio::test]
async fn a_reader_is_named_once_an_hour_also_after_a_kill_and_the_record_verifies() {
    let gateway = Gateway::start();
    let auditor = new_key_with(&["--role", "auditor", "--customer", "kalamunda"]);
    let library = new_key_with(&["--role", "site", "--site", "kalamunda-library"]);
    let stranger = new_key_with(&["--role", "auditor", "--customer", "swan"]);
    let [auditor_name, library_name, stranger_name] = [&auditor, &library, &stranger].map(name_of);
    let (mut daemon, key) =
        signed_with(&gateway, |plan| plan.directory(&directory(SMITH_FIRST)).key(&auditor).key(&library).key(&stranger)).await;
    let button = Button::connect_by(daemon.listener_options("front"), "kalamunda-library", "front-counter-1").await;
    button.press().await;
    expect_activation(&daemon, "KAL-1", "climbing").await;
    // The watch's own helper has looked with the daemon's key; the rest is by keys of this test's own.
    let (asks, at_the_desk) = (daemon.api_with_key(Some(&auditor.secret)), daemon.api_with_key(Some(&library.secret)));
    for _ in 0..5 {
        asks.must_get(ACT).await;
    }
    let page = answer(at_the_desk.request(Method::GET, "/activations/KAL-1")).await.unwrap();
    assert_eq!(page.status, 200);
    for path in [ACT, "/activations/KAL-1"] {
        let refused = answer(daemon.api_with_key(Some(&stranger.secret)).request(Method::GET, path)).await.unwrap();
        assert_eq!(refused.status, 404, "{path}");
    }
    let by = |daemon: &Daemon, name: &str| readers(daemon, "KAL-1").into_iter().filter(|(who, _, _)| who == name).collect::<Vec<_>>();
    wait::until("each reader to be in the record", async || {
        (!by(&daemon, &auditor_name).is_empty() && !by(&daemon, &library_name).is_empty()).then_some(())
    })
    .await;
    // One entry, however many of them came within its second: the others wait for the hour.
    let told = by(&daemon, &auditor_name);
    assert!(matches!(told.as_slice(), [(_, how, 1..=5)] if *how == json!(["api"])), "{told:?}");
    assert_eq!(by(&daemon, &library_name), [(library_name.clone(), json!(["page"]), 1)]);
    assert!(by(&daemon, &stranger_name).is_empty());

    // Within the hour a further look is counted, and in memory; after the kill the next one is another window.
    asks.must_get(ACT).await;
    daemon.kill();
    daemon.start_again().await;
    let asks = daemon.api_with_key(Some(&auditor.secret));
    asks.must_get(ACT).await;
    wait::until("the look after the kill", async || (by(&daemon, &auditor_name).len() == 2).then_some(())).await;
    Evidence::of(&daemon).must_be_whole();
    let Output { status, stdout, stderr } = daemon.run(&["verify", "--key", &key]);
    assert_eq!(status.code(), Some(0), "{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));

    // The auditor is told, the people of the site and another customer's auditor are not.
    let told = asks.must_get(&format!("{ACT}/views")).await;
    let lines = told["views"].as_array().unwrap();
    assert!(lines.iter().any(|line| line["by"] == library_name && line["person"].is_null()), "{told}");
    assert!(lines.iter().all(|line| line["of"] == "KAL-1"), "{told}");
    let at_the_desk = daemon.api_with_key(Some(&library.secret));
    for path in [&format!("{ACT}/views"), "/api/v1/views"] {
        assert_eq!(at_the_desk.get(path).await.unwrap().status, 403);
    }
    let next_door = daemon.api_with_key(Some(&stranger.secret));
    assert_eq!(next_door.get(&format!("{ACT}/views")).await.unwrap().status, 404);
    // What they looked at of their own may be there by then.
    let theirs = next_door.must_get("/api/v1/views").await;
    let theirs = theirs["views"].as_array().unwrap();
    assert!(theirs.iter().all(|line| line["by"] == stranger_name && line["customer"] == "swan"), "{theirs:?}");
}

/// Whoever asks for a bundle in vain was shown nothing: this record is not signed, so that there is none.
#[tokio::test]
async fn a_bundle_that_was_not_handed_out_is_nobodys_look() {
    let town = Town::open(SMITH_FIRST).await;
    town.press().await;
    town.expect_activation("KAL-1", "climbing").await;
    let answer = town.daemon.api().post(&format!("{ACT}/export"), &json!({"for": "police"})).await.unwrap();
    assert_eq!(answer.status, 404, "{}", answer.text);
    // What is read after it is written after it.
    town.daemon.api().must_get(&format!("{ACT}/views")).await;
    wait::until("the look to be in the record", async || {
        let ways: Vec<Value> = readers(&town.daemon, "KAL-1").into_iter().map(|(_, how, _)| how).collect();
        assert!(!ways.iter().any(|how| how.to_string().contains("bundle")), "{ways:?}");
        ways.iter().any(|how| how.to_string().contains("views")).then_some(())
    })
    .await;
}

/// Whoever is handed a bundle is told as much of its readers as they are of anybody else.
#[tokio::test]
async fn the_police_are_told_who_read_a_regulator_as_far_as_nobody_is_named_and_an_applicant_nothing() {
    // A key is called after the one who holds it, another is not.
    let named = renamed(new_key_with(&["--role", "auditor"]), "J. Smith");
    let plain = new_key_with(&["--role", "auditor"]);
    let plain_name = name_of(&plain);
    let story = Story::told(&[named.clone(), plain.clone()]).await;
    for key in [&named, &plain] {
        story.daemon.api_with_key(Some(&key.secret)).must_get(ACT).await;
    }
    let both = ["J. Smith", plain_name.as_str()];
    wait::until("both readers to be in the record", async || {
        let told = readers(&story.daemon, "KAL-1");
        both.iter().all(|name| told.iter().any(|(who, _, _)| who == name)).then_some(())
    })
    .await;
    let size = u64::try_from(Evidence::of(&story.daemon).entries().len()).unwrap();
    checkpoint(&story.daemon, size).await;
    for (reader, told_named, told_plain) in [("police", true, true), ("regulator", false, true), ("foi", false, false)] {
        let bag = story.unpack(&story.export(reader));
        let words = text(&bag, "data/README.txt");
        let says = |name: &str| words.lines().any(|line| line.starts_with(&format!("  {name}: ")));
        assert_eq!((says("J. Smith"), says(&plain_name)), (told_named, told_plain), "{reader}: {words}");
        assert!(words.contains("followed the live stream"), "{reader}: {words}");
        let records: Vec<String> = std::fs::read_dir(bag.join("data/records"))
            .unwrap()
            .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
            .filter(|record| record.contains("views:KAL-1"))
            .collect();
        let held = |name: &str| records.iter().any(|record| record.contains(&format!("\"principal\":\"{name}\"")));
        assert_eq!((held("J. Smith"), held(&plain_name)), (told_named, told_plain), "{reader}");
        assert!(told_plain || records.is_empty(), "{reader}: {records:?}");
    }
}
