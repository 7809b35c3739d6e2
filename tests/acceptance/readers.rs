//! What each reader of evidence is told: names of every shape, what a device sent, which word was given, and nothing that answers.

use std::path::{Path, PathBuf};

use harness::daemon::{self, Key};
use harness::{Button, Daemon, Gateway, Smtp};
use serde_json::{Value, json};

use crate::bundle::unpacked;
use crate::evidence::Evidence;
use crate::signing::signed_with;
use crate::town::{SMITH, SMITH_MAIL, code_in, directory, expect_activation};

/// Names of every shape, whose id has nothing of them, and a number each.
const PEOPLE: [(&str, &str, &str); 4] = [
    ("first", "Mary-Jane O'Brien", "491570006"),
    ("second", "Zoë Nguyễn", "491570156"),
    ("third", "Cher", "491570157"),
    ("fourth", "Đặng Sørensen", "491570158"),
];
/// How else they are written: in ids, by hand, and the numbers as they are dialled.
const SPELLINGS: [&str; 12] = [
    "mary-jane o’brien",
    "mary-jane-o-brien",
    "mary-jane-obrien",
    "o'brien",
    "o’brien",
    "zoe nguyen",
    "zoe-nguyen",
    "zoë",
    "dang sorensen",
    "sørensen",
    "0491 570",
    "0491-570",
];

/// A directory in which everybody is told at once, and one button is called after who carries it.
fn named_directory() -> String {
    let person =
        |(id, name, number): &(&str, &str, &str)| format!("\n[[person]]\nid = \"{id}\"\nname = \"{name}\"\nmobile = \"+61{number}\"\n");
    let people: String = PEOPLE.iter().map(person).collect();
    let targets: Vec<String> = PEOPLE.iter().map(|(id, ..)| format!("{{ person = \"{id}\", by = [\"sms\"] }}")).collect();
    let pendant =
        "\n[[device]]\nid = \"mary-jane-obrien-pendant\"\nsite = \"kalamunda-library\"\nplace = \"Pendant\"\nmounting = \"portable\"\n";
    let rung = format!("\n[[ladder.rung]]\nnotify = [{}]\nwait = \"50m\"\n", targets.join(", "));
    let whole = directory(&rung);
    let (before, after) = whole.split_once("[[ladder]]").unwrap();
    format!("{before}{people}{pendant}\n[[ladder]]{after}")
}

/// Whether a text says this as words of their own.
fn says(text: &str, words: &str) -> bool {
    let ends = |letter: Option<char>| letter.is_none_or(|letter| !letter.is_alphanumeric());
    text.match_indices(words).any(|(at, found)| ends(text[..at].chars().next_back()) && ends(text[at + found.len()..].chars().next()))
}

/// Asks for a bundle through the API; gives its bytes and the file.
async fn handed(daemon: &Daemon, key: &Key, act: &str, reader: &str, folder: &Path) -> (PathBuf, Vec<u8>) {
    let api = daemon.api_with_key(Some(&key.secret));
    let request = api.request(reqwest::Method::POST, &format!("/api/v1/activations/{act}/export"));
    let answer = request.json(&json!({"for": reader})).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let bytes = answer.bytes().await.unwrap().to_vec();
    let file = folder.join(format!("{act}-{reader}.zip"));
    std::fs::write(&file, &bytes).unwrap();
    (file, bytes)
}

fn must_verify(daemon: &Daemon, bundle: &Path, key: &str) {
    let output = daemon.run(&["verify", bundle.to_str().unwrap(), "--key", key]);
    assert!(output.status.success(), "{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
}

#[tokio::test]
async fn nobodys_name_or_number_is_in_what_an_applicant_or_a_regulator_gets() {
    let gateway = Gateway::start();
    // The key is called after who holds it.
    let made = daemon::new_key_with(&["--role", "auditor"]);
    let name = made.stanza.split('"').find(|part| part.starts_with("proof ")).unwrap().to_owned();
    let auditor = Key { stanza: made.stanza.replace(&name, "Zoe Nguyen"), ..made };
    let (daemon, key) = signed_with(&gateway, |plan| plan.directory(&named_directory()).key(&auditor)).await;
    let (front, pendant) = (daemon.listener_options("front"), daemon.listener_options("pendant"));
    Button::connect_by(front, "kalamunda-library", "front-counter-1").await.press().await;
    let first = gateway.phone(&format!("+61{}", PEOPLE[0].2));
    let alarm = first.expect_sms("DURESS").await;
    first.reply(&format!("Y{} Mary-Jane here", code_in(&alarm.body))).await;
    first.reply(&format!("Y{}", code_in(&alarm.body))).await;
    expect_activation(&daemon, "KAL-1", "accepted").await;
    let act = async |verb: &str, body: Value| daemon.api().must_post(&format!("/api/v1/activations/KAL-1/{verb}"), &body).await;
    act("note", json!({"note": "Zoë says to ring Cher on 0491 570 157.", "by": "Cher"})).await;
    act("police", json!({"called_by": "Đặng Sørensen", "reference": "ask Dang Sorensen, 0491-570-158", "by": "Zoë Nguyễn"})).await;
    act("close", json!({"disposition": "attended", "note": "Mary-Jane O’Brien drove home.", "by": "O'Brien"})).await;
    Button::connect_by(pendant, "kalamunda-library", "mary-jane-obrien-pendant").await.press().await;
    expect_activation(&daemon, "KAL-2", "climbing").await;
    let folder = tempfile::tempdir().unwrap();
    for (activation, reader) in [("KAL-1", "foi"), ("KAL-1", "regulator"), ("KAL-2", "foi"), ("KAL-2", "regulator")] {
        let (file, bytes) = handed(&daemon, &auditor, activation, reader, folder.path()).await;
        let text = String::from_utf8_lossy(&bytes).to_lowercase();
        let names = PEOPLE.iter().map(|(_, name, _)| name.to_lowercase());
        for private in names.chain(SPELLINGS.map(ToOwned::to_owned)) {
            assert!(!says(&text, &private), "{private:?} is in the bundle of {activation} for {reader}");
        }
        for (.., number) in PEOPLE {
            assert!(!text.contains(number), "{number} is in the bundle of {activation} for {reader}");
        }
        must_verify(&daemon, &file, &key);
    }
    // What was looked for was there to be found.
    let (_, bytes) = handed(&daemon, &auditor, "KAL-1", "police", folder.path()).await;
    let text = String::from_utf8_lossy(&bytes).to_lowercase();
    for (_, name, number) in PEOPLE {
        assert!(says(&text, &name.to_lowercase()) && text.contains(number), "{name} is not in the bundle for the police");
    }
}

#[tokio::test]
async fn an_applicant_gets_no_hash_that_confirms_a_guess_and_no_word_that_was_given() {
    const WORDS: &str = "[[words]]\nsite = \"kalamunda-library\"\nsafe = \"Blue Heron\"\nduress = \"Grey Pelican\"\n";
    let gateway = Gateway::start();
    let admin = daemon::new_key_with(&["--role", "admin"]);
    let (daemon, key) = signed_with(&gateway, |plan| plan.secret_of("directory", "safe_words_file", WORDS).key(&admin)).await;
    let button = Button::connect_by(daemon.listener_options("front"), "kalamunda-library", "front-counter-1").await;
    button.press().await;
    gateway.phone(SMITH).expect_sms("DURESS").await;
    daemon.api().must_post("/api/v1/activations/KAL-1/safe", &json!({"by": "J. Smith", "safe_word": "grey pelican"})).await;
    Evidence::expect(&daemon, "KAL-1", "word.heeded", |_| true).await;
    button.cancel("blue heron").await;
    Evidence::expect(&daemon, "KAL-1", "activation.cancel_asked", |_| true).await;
    let evidence = Evidence::of(&daemon);
    let hashes: Vec<&str> = evidence.entries().iter().filter_map(|entry| entry["signal"]["payload_sha256"].as_str()).collect();
    assert!(!hashes.is_empty());
    let folder = tempfile::tempdir().unwrap();
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).to_lowercase();
    let (file, bytes) = handed(&daemon, &admin, "KAL-1", "foi", folder.path()).await;
    let text = said(&bytes);
    for private in hashes.iter().copied().chain(["payload_sha256", "word.judged", "duress word", "\"word\":", "safe word was given"]) {
        assert!(!text.contains(private), "{private} is in the bundle");
    }
    must_verify(&daemon, &file, &key);
    let bag = unpacked(&file, folder.path(), "KAL-1");
    let withheld = std::fs::read_to_string(bag.join("data/withheld.csv")).unwrap();
    for why in ["what a device sent", "what a word was"] {
        assert!(withheld.contains(why), "{withheld}");
    }
    let (_, bytes) = handed(&daemon, &admin, "KAL-1", "police", folder.path()).await;
    assert!(said(&bytes).contains(hashes[0]) && said(&bytes).contains("the duress word was given"));
}

#[tokio::test]
async fn nobody_who_only_looks_is_handed_a_link_that_answers() {
    let (gateway, smtp) = (Gateway::start(), Smtp::start().await);
    let auditor = daemon::new_key_with(&["--role", "auditor"]);
    let rung = "\n[[ladder.rung]]\nnotify = [{ person = \"j-smith\", by = [[\"sms\", \"email\"]] }]\nwait = \"50m\"\n";
    let (daemon, key) = signed_with(&gateway, |plan| plan.directory(&directory(rung)).mail(&smtp.plain_url()).key(&auditor)).await;
    let button = Button::connect_by(daemon.listener_options("front"), "kalamunda-library", "front-counter-1").await;
    button.press().await;
    let smith = gateway.phone(SMITH);
    let alarm = smith.expect_sms("DURESS").await;
    let mail = smtp.expect_mail(SMITH_MAIL, "Front counter 1").await;
    let link = mail.text.split_whitespace().find(|word| word.contains("/a/")).unwrap();
    let token = |text: &str| text.rsplit_once("/a/").unwrap().1.get(..11).unwrap().to_owned();
    smith.reply(&format!("Y{}", code_in(&alarm.body))).await;
    // The text after an answer holds a link as well, for the phone.
    let confirmed = smith.expect_sms("/a/").await;
    let tokens = [token(link), token(&confirmed.body)];
    expect_activation(&daemon, "KAL-1", "accepted").await;
    harness::wait::until("both links to be in the record", async || {
        let sent = crate::evidence::disclosures(&daemon, "text").concat();
        tokens.iter().all(|token| sent.contains(token)).then_some(())
    })
    .await;
    let api = daemon.api_with_key(Some(&auditor.secret));
    let folder = tempfile::tempdir().unwrap();
    for closed in [false, true] {
        if closed {
            daemon.api().must_post("/api/v1/activations/KAL-1/close", &json!({"disposition": "test", "note": link})).await;
        }
        let mut seen = String::new();
        for path in [
            "/api/v1/activations",
            "/api/v1/activations/KAL-1",
            "/api/v1/record/entries?from=0&to=1000",
            "/api/v1/register",
            "/",
            "/activations/KAL-1",
        ] {
            let answer = api.get(path).await.unwrap();
            assert_eq!(answer.status, 200, "{path}: {}", answer.text);
            assert!(!tokens.iter().any(|token| answer.text.contains(token)), "{path} shows a link: {}", answer.text);
            seen += &answer.text;
        }
        assert!(seen.contains("/a/(link)"), "the message itself is shown");
        for reader in ["police", "regulator", "foi"] {
            let (file, bytes) = handed(&daemon, &auditor, "KAL-1", reader, folder.path()).await;
            let text = String::from_utf8_lossy(&bytes);
            assert!(!tokens.iter().any(|token| text.contains(token)), "the bundle for {reader} holds a link");
            must_verify(&daemon, &file, &key);
        }
    }
}
