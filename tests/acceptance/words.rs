//! Safe words against the real daemon: what a watcher at the place sees is the same, and the word itself is nowhere.

use harness::Gateway;
use harness::daemon::{Api, Plan, new_key_with};
use serde_json::{Value, json};

use crate::evidence::Evidence;
use crate::town::{NAIR, NAIR_NEXT, SMITH, SMITH_FIRST, Town};

const SAFE: &str = "blueheron";
const TWIN: &str = "greypelican";
const WORDS: &str = "[[words]]\nsite = \"kalamunda-library\"\nsafe = \"Blue Heron\"\nduress = \"Grey Pelican\"\n";

/// A town with safe words, and what a key of its library sees.
async fn town() -> (Town, Api) {
    let key = new_key_with(&["--role", "site", "--site", "kalamunda-library"]);
    let plan = |plan: Plan, gateway: &Gateway| plan.gateway("first", gateway).key(&key).secret_of("directory", "safe_words_file", WORDS);
    let town = Town::with(&format!("{SMITH_FIRST}{NAIR_NEXT}"), plan).await;
    let library = town.daemon.api_with_key(Some(&key.secret));
    (town, library)
}

/// What came back without its times and its places in the record.
fn told(mut answer: Value) -> Value {
    answer["seq"] = Value::Null;
    for field in ["raised_at", "next_at", "seq"] {
        answer["activation"][field] = Value::Null;
    }
    answer
}

/// The history's kinds as a key sees them.
async fn history(api: &Api, act: &str) -> Vec<String> {
    let detail = api.must_get(&format!("/api/v1/activations/{act}")).await;
    detail["history"].as_array().unwrap().iter().map(|line| line["kind"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_twin_at_the_sites_own_page_looks_like_the_safe_word_and_sends_more_people() {
    let mut answers = Vec::new();
    for word in [SAFE, TWIN, "mistaken"] {
        let (town, library) = town().await;
        let act = town.press().await;
        town.gateway.phone(SMITH).expect_sms("DURESS").await;
        let safe = format!("/api/v1/activations/{act}/safe");
        let answer = library.must_post(&safe, &json!({"by": "J. Smith", "safe_word": word})).await;
        answers.push(told(answer));
        let close = library.post(&format!("/api/v1/activations/{act}/close"), &json!({"disposition": "test"})).await.unwrap();
        assert_eq!((close.status, close.body["type"].as_str().unwrap().contains("word-given")), (409, true), "{}", close.text);
        Evidence::expect(&town.daemon, &act, "word.heeded", |_| true).await;
        assert!(!history(&library, &act).await.iter().any(|kind| kind.starts_with("word.")));
        let centre = town.activation(&act).await;
        match word {
            SAFE => assert_eq!(centre["word"], "safe"),
            TWIN => {
                assert_eq!(centre["word"], "duress");
                town.gateway.phone(NAIR).expect_sms("DURESS").await;
            }
            _wrong => assert_eq!(centre["word"], "wrong"),
        }
        let close = town.daemon.api().post(&format!("/api/v1/activations/{act}/close"), &json!({"disposition": "test"})).await.unwrap();
        assert_eq!(close.status, if word == SAFE { 200 } else { 409 }, "{}", close.text);
        let evidence = Evidence::of(&town.daemon);
        evidence.must_be_whole();
        for entry in evidence.entries() {
            assert!(!entry.to_string().contains(word), "the word is in the record");
        }
        assert!(!town.daemon.log().to_lowercase().contains(word), "the word is in the log");
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(answers[0], answers[2]);
}

#[tokio::test]
async fn a_word_at_a_keypad_is_judged_and_never_kept() {
    let (town, library) = town().await;
    let act = town.press().await;
    town.button.cancel("grey pelican").await;
    let judged = Evidence::expect(&town.daemon, &act, "word.judged", |_| true).await;
    assert_eq!(judged["word"], "duress");
    assert_eq!(library.must_get(&format!("/api/v1/activations/{act}")).await["word"], Value::Null);
    town.gateway.phone(NAIR).expect_sms("DURESS").await;
    let evidence = Evidence::of(&town.daemon);
    assert!(evidence.entries().iter().all(|entry| !entry.to_string().contains("pelican")));
    assert!(!town.daemon.log().contains("pelican"));
}

#[tokio::test]
async fn a_twin_at_a_quiet_button_raises_a_call_that_the_button_does_not_hear_of() {
    let (town, _library) = town().await;
    town.button.cancel("grey pelican").await;
    town.gateway.phone(SMITH).expect_sms("DURESS").await;
    assert_eq!(town.button.states(), Vec::<Value>::new());
}
