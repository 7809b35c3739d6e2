//! Evidence bundles of the real daemon: what each reader is told and what not, whoever asks, and what others' tools make of them.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use harness::daemon::{self, Key};
use harness::{Button, Daemon, Gateway, Stamper};
use reqwest::Method;
use serde_json::{Value, json};

use crate::anchors::{expect_receipt, size_with};
use crate::centre::{Centre, SECRET};
use crate::evidence::Evidence;
use crate::paper::poppler;
use crate::signing::{checkpoint, signed_with};
use crate::town::{SMITH, code_in, expect_activation};

/// What a person says and is: none of it may reach whoever is told nothing private.
pub(crate) const PRIVATE: [&str; 6] = ["smith", "491570006", "491 570 006", "@example.org", "bruise on his arm", "pacing"];
/// Everything that the script in a bundle may use.
const TOOLS: [&str; 16] =
    ["sh", "openssl", "sha256sum", "base64", "basenc", "cat", "cut", "date", "dirname", "head", "mktemp", "od", "rm", "sort", "tail", "tr"];
/// An `openssl` of a day on which every certificate of these tests has ended, unless it is told a time itself.
const YEARS_LATER: &str = "\
#!/bin/sh
case \" $* \" in
  *' -attime '*) ;;
  ' ts -verify '*) exec OPENSSL \"$@\" -attime 2500000000 ;;
esac
exec OPENSSL \"$@\"
";

/// A station with one activation that was raised, answered by text, noted and closed.
pub(crate) struct Story {
    pub(crate) daemon: Daemon,
    _gateway: Gateway,
    key: String,
    folder: tempfile::TempDir,
}

impl Story {
    pub(crate) async fn told(keys: &[Key]) -> Self {
        Self::told_with(keys, |plan| plan).await
    }

    /// The same with further settings.
    async fn told_with(keys: &[Key], further: impl FnOnce(daemon::Plan) -> daemon::Plan) -> Self {
        let gateway = Gateway::start();
        let (daemon, key) = signed_with(&gateway, |plan| further(keys.iter().fold(plan, daemon::Plan::key))).await;
        let button = Button::connect_by(daemon.listener_options("front"), "kalamunda-library", "front-counter-1").await;
        button.press().await;
        let smith = gateway.phone(SMITH);
        let sms = smith.expect_sms("DURESS").await;
        smith.reply(&format!("Y{}", code_in(&sms.body))).await;
        expect_activation(&daemon, "KAL-1", "accepted").await;
        let act = async |verb: &str, body: Value| daemon.api().must_post(&format!("/api/v1/activations/KAL-1/{verb}"), &body).await;
        act("note", json!({"note": "He was pacing up and down.", "by": "J. Smith"})).await;
        act("close", json!({"disposition": "attended", "note": "A bruise on his arm.", "by": "J. Smith"})).await;
        smith.expect_sms("ALL CLEAR").await;
        Self { daemon, _gateway: gateway, key, folder: tempfile::tempdir().unwrap() }
    }

    /// Asks for a bundle on the command line.
    pub(crate) fn export(&self, reader: &str) -> PathBuf {
        let to = self.folder.path().join(format!("{reader}.zip"));
        let (code, said) =
            run(&self.daemon, &["export", "--activation", "KAL-1", "--for", reader, "--to", to.to_str().unwrap(), "--by", "Sgt Park"]);
        assert_eq!(code, Some(0), "{said}");
        to
    }

    /// What our own program says of a bundle.
    fn verify(&self, bundle: &Path, key: &str) -> (Option<i32>, Value) {
        let Output { status, stdout, stderr } = self.daemon.run(&["verify", bundle.to_str().unwrap(), "--json", "--key", key]);
        let said = serde_json::from_slice(&stdout).unwrap_or_else(|_| panic!("{}", String::from_utf8_lossy(&stderr)));
        (status.code(), said)
    }

    /// Unpacks a bundle with somebody else's program; gives its folder.
    pub(crate) fn unpack(&self, bundle: &Path) -> PathBuf {
        unpacked(bundle, self.folder.path(), "KAL-1")
    }

    /// Runs the script of an unpacked bundle.
    fn check_by_hand(&self, bag: &Path, key: Option<&str>) -> (Option<i32>, String) {
        let script = bag.join("data/verify.sh");
        let arguments: Vec<&str> = script.to_str().into_iter().chain(key).collect();
        self.by_hand(bag, &arguments)
    }

    /// Runs a shell in this folder, with nothing but openssl and coreutils beside it.
    fn by_hand(&self, folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
        self.by_hand_with(&self.tools("tools"), folder, arguments)
    }

    /// The same once every certificate has ended.
    fn by_hand_years_later(&self, folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
        let tools = self.tools("tools-years-later");
        let openssl = tools.join("openssl");
        if let Ok(real) = std::fs::read_link(&openssl) {
            std::fs::remove_file(&openssl).unwrap();
            std::fs::write(&openssl, YEARS_LATER.replace("OPENSSL", real.to_str().unwrap())).unwrap();
            std::fs::set_permissions(&openssl, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
        self.by_hand_with(&tools, folder, arguments)
    }

    /// A folder with nothing but openssl and coreutils.
    fn tools(&self, name: &str) -> PathBuf {
        let tools = self.folder.path().join(name);
        if !tools.exists() {
            std::fs::create_dir(&tools).unwrap();
            for tool in TOOLS {
                let found = ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(tool)).into_iter().find(|path| path.exists());
                symlink(found.unwrap_or_else(|| panic!("this test needs {tool}")), tools.join(tool)).unwrap();
            }
        }
        tools
    }

    fn by_hand_with(&self, tools: &Path, folder: &Path, arguments: &[&str]) -> (Option<i32>, String) {
        let mut shell = Command::new("/bin/sh");
        shell.args(arguments).current_dir(folder).env_clear().env("PATH", tools).env("KEY", &self.key);
        let Output { status, stdout, stderr } = shell.output().expect("run sh");
        (status.code(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
    }
}

/// Unpacks a bundle of an activation with somebody else's program; gives its folder.
pub(crate) fn unpacked(bundle: &Path, folder: &Path, activation: &str) -> PathBuf {
    let to = folder.join(bundle.file_stem().unwrap());
    let unpacked = Command::new("python3").args(["-m", "zipfile", "-e"]).arg(bundle).arg(&to).status().expect("run python3");
    assert!(unpacked.success());
    to.join(activation)
}

/// Its exit code, and all that it said.
fn run(daemon: &Daemon, arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } = daemon.run(arguments);
    (status.code(), format!("{}{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr)))
}

pub(crate) fn text(bag: &Path, file: &str) -> String {
    std::fs::read_to_string(bag.join(file)).unwrap_or_else(|why| panic!("{file}: {why}"))
}

fn count(bag: &Path, folder: &str) -> usize {
    std::fs::read_dir(bag.join("data").join(folder)).map_or(0, Iterator::count)
}

#[tokio::test]
async fn the_police_are_handed_everything_and_others_tools_find_it_sound() {
    let story = Story::told(&[]).await;
    let zip = story.export("police");
    let (code, said) = story.verify(&zip, &story.key);
    assert_eq!((code, &said["sound"], &said["closed"], &said["keys"]), (Some(0), &json!(true), &json!(true), &json!("given")), "{said}");
    let bag = story.unpack(&zip);
    let report = text(&bag, "data/report.html");
    let known = [
        "J. Smith (by text) accepted: going",
        "Front counter 1",
        "pacing up and down",
        "a receipt of first says that it was delivered",
        "Australia/Perth",
    ];
    for words in known {
        assert!(report.contains(words), "{words:?} is not in\n{report}");
    }
    // Every entry of the activation, and of the person who was told.
    let evidence = Evidence::of(&story.daemon);
    let own = evidence.entries().iter().filter(|entry| entry["act"] == "KAL-1").count();
    // And of whoever read of it, as far as that was signed by then.
    let records = std::fs::read_dir(bag.join("data/records")).unwrap().map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap());
    let own = own + records.filter(|record| record.contains("\"in\":\"views:KAL-1\"")).count();
    assert_eq!((count(&bag, "records"), count(&bag, "proofs")), (own + 1, own + 1));
    let told: Vec<String> = std::fs::read_dir(bag.join("data/disclosures"))
        .unwrap()
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
        .collect();
    for value in ["J. Smith", "+61491570006", "A bruise on his arm."] {
        assert!(told.iter().any(|told| told.contains(&format!("\"{value}\""))), "{value} is not among {told:?}");
    }
    assert!(!told.iter().any(|told| told.contains("P. Nair")), "nobody told her");
    // The record says who has it, and the digest is that of the file.
    let custody: Vec<&Value> = evidence.kind("bundle.exported").collect();
    let [custody] = custody.as_slice() else { panic!("{custody:?}") };
    let digest = Command::new("sha256sum").arg(&zip).output().unwrap().stdout;
    assert_eq!(custody["digest"].as_str().unwrap().as_bytes(), &digest[..64]);
    assert_eq!((&custody["of"], &custody["for"], &custody["cust"]), (&json!("KAL-1"), &json!("police"), &json!("kalamunda")));
    assert!(custody["by"]["principal"].as_str().unwrap().starts_with("os:") && custody["by"]["actor"]["sd"].is_string(), "{custody}");
    assert_eq!(crate::evidence::disclosures(&story.daemon, "actor").last().map(String::as_str), Some("Sgt Park"));

    let (code, said) = story.check_by_hand(&bag, Some(&story.key));
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains(&format!("{} entries are in it", own + 1)), "{said}");
    // Nobody outside was given anything, and all of them say so.
    assert!(said.contains("NOT ANCHORED") && report.contains("Nobody outside is known to have been given a checkpoint"), "{said}");
    assert!(text(&bag, "data/README.txt").contains("Nobody outside is known"));
    // Without a key nothing is proven, and both say so.
    let (code, said) = story.check_by_hand(&bag, None);
    assert!(code == Some(2) && said.contains("NOT PROVEN"), "{said}");
    let (code, said) = run(&story.daemon, &["verify", zip.to_str().unwrap()]);
    assert!(code == Some(2) && said.contains("NOT PROVEN") && said.contains(&story.key) && !said.contains("nothing is wrong"), "{said}");
    assert!(said.contains(std::str::from_utf8(&digest[..64]).unwrap()), "{said}");
    let (code, said) = run(&story.daemon, &["verify", zip.to_str().unwrap(), "--json"]);
    let said: Value = serde_json::from_str(&said).unwrap_or_else(|why| panic!("{why}: {said}"));
    assert_eq!((code, &said["sound"], &said["verdict"], &said["findings"]), (Some(2), &json!(false), &json!("unproven"), &json!([])));
    // With a key that did not sign it.
    let mut other = story.key.clone();
    let at = other.len() - 10;
    let letter = if other.get(at..=at) == Some("A") { "B" } else { "A" };
    other.replace_range(at..=at, letter);
    let (code, said) = story.check_by_hand(&bag, Some(&other));
    assert!(code == Some(1) && said.contains("did not sign"), "{said}");
    let again = run(&story.daemon, &["export", "--activation", "KAL-1", "--for", "police", "--to", zip.to_str().unwrap()]);
    assert!(again.0 == Some(2) && again.1.contains("is there already"), "{again:?}");
    assert_eq!(Evidence::of(&story.daemon).kind("bundle.exported").count(), 1, "what is not handed out is not recorded");
}

#[tokio::test]
async fn whoever_is_told_nothing_private_gets_no_byte_of_it_and_it_is_still_proven() {
    let story = Story::told(&[]).await;
    for reader in ["foi", "regulator"] {
        let zip = story.export(reader);
        let bytes = String::from_utf8_lossy(&std::fs::read(&zip).unwrap()).to_lowercase();
        for private in PRIVATE {
            assert!(!bytes.contains(private), "{private:?} is in the bundle for {reader}");
        }
        let (code, said) = story.verify(&zip, &story.key);
        assert_eq!((code, &said["sound"], &said["closed"]), (Some(0), &json!(true), &json!(true)), "{said}");
        let bag = story.unpack(&zip);
        let (code, said) = story.check_by_hand(&bag, Some(&story.key));
        assert_eq!(code, Some(0), "{said}");
        let withheld = text(&bag, "data/withheld.csv");
        let of_the_press = if reader == "foi" { ",what a device sent" } else { ",raw," };
        for label in [",note,", ",actor,", of_the_press, ",the details of a person", ",the directory"] {
            assert!(withheld.contains(label), "{label} is not in\n{withheld}");
        }
        assert!(!text(&bag, "data/report.html").contains("Don't ring site"), "a text that was sent says who is going, by first name");
    }
}

#[tokio::test]
async fn a_stranger_knows_whom_to_ask_for_a_checkpoint_and_compares_it() {
    let centre = Centre::open().await;
    let theirs = daemon::new_key_with(&["--role", "auditor", "--customer", "kalamunda"]);
    let keys = [daemon::new_key_with(&["--role", "auditor"]), theirs];
    let story = Story::told_with(&keys, |plan| plan.anchor_hook("union", centre.url(), SECRET, "every_s = 1\n")).await;
    let closed = size_with(&story.daemon, "activation.closed");
    expect_receipt(&story.daemon, "union", closed).await;
    checkpoint(&story.daemon, size_with(&story.daemon, "checkpoint.anchored")).await;

    let zip = story.export("police");
    let (code, said) = story.verify(&zip, &story.key);
    assert_eq!((code, &said["sound"]), (Some(0), &json!(true)), "{said}");
    let [outside, ..] = said["outside"].as_array().unwrap().as_slice() else { panic!("{said}") };
    let size = outside["size"].as_u64().unwrap();
    assert!(outside["anchor"] == "union" && size >= closed, "{said}");
    // What the keeper has is what the bundle says that they have.
    let calls = centre.calls();
    let kept = calls.iter().map(|call| &call.body["data"]).find(|data| data["size"] == size).unwrap();
    assert_eq!(outside["root"], kept["root"]);
    let bag = story.unpack(&zip);
    let note = format!("data/anchors/{size:010}.checkpoint");
    assert_eq!(json!(text(&bag, &note)), kept["checkpoint"]);
    let root = kept["root"].as_str().unwrap();
    for file in ["data/report.html", "data/README.txt", "data/anchors.csv"] {
        let text = text(&bag, file);
        assert!(text.contains("union") && text.contains(root), "{file}: {text}");
    }
    let (code, said) = story.check_by_hand(&bag, Some(&story.key));
    assert!(
        code == Some(0) && said.contains(&format!("the record says that union was given the first {size} entries")) && said.contains(root),
        "{said}"
    );

    // A root that nobody was given does not lead to the record, whoever makes the manifests anew.
    let list = text(&bag, "data/anchors.csv");
    let first = if root.starts_with('A') { 'B' } else { 'A' };
    std::fs::write(bag.join("data/anchors.csv"), list.replace(root, &format!("{first}{}", &root[1..]))).unwrap();
    list_anew(&bag);
    std::fs::remove_file(bag.join(&note)).unwrap();
    let (code, said) = story.check_by_hand(&bag, Some(&story.key));
    assert!(code == Some(1) && said.contains("missing"), "{said}");
    std::fs::write(bag.join(&note), kept["checkpoint"].as_str().unwrap()).unwrap();
    let (code, said) = story.check_by_hand(&bag, Some(&story.key));
    assert!(code == Some(1) && said.contains("the record does not begin with what went outside"), "{said}");
    // A note that is another than the list says.
    std::fs::write(bag.join("data/anchors.csv"), &list).unwrap();
    std::fs::copy(bag.join("data/checkpoint"), bag.join(&note)).unwrap();
    list_anew(&bag);
    let (code, said) = story.check_by_hand(&bag, Some(&story.key));
    assert!(code == Some(1) && said.contains("is another than data/anchors.csv says"), "{said}");

    // Which anchors there are is told to the police, by whoever oversees the whole station.
    let [auditor, customers] = &keys;
    for (key, reader, is_told) in [(auditor, "police", true), (auditor, "foi", false), (customers, "police", false)] {
        let request = story.daemon.api_with_key(Some(&key.secret)).request(Method::POST, "/api/v1/activations/KAL-1/export");
        let answer = request.json(&json!({ "for": reader })).send().await.unwrap();
        let to = story.folder.path().join(format!("{reader}-{is_told}.zip"));
        std::fs::write(&to, answer.bytes().await.unwrap()).unwrap();
        let (code, said) = story.verify(&to, &story.key);
        let name = if is_told { "union" } else { "(withheld)" };
        assert!(code == Some(0) && said["outside"][0]["anchor"] == name && said["outside"][0]["root"] == root, "{said}");
        let bytes = String::from_utf8_lossy(&std::fs::read(&to).unwrap()).into_owned();
        assert_eq!(bytes.contains("union"), is_told);
        let paper = story.unpack(&to).join("data/report.pdf");
        let paper = [poppler("pdftotext", &[], &paper, &["-"]), poppler("pdfinfo", &["-meta"], &paper, &[])].concat();
        assert_eq!(String::from_utf8_lossy(&paper).contains("union"), is_told);
    }
}

/// The page's command for a time stamp, about this one.
fn command_of(stamp: &Value, authority: &Path) -> String {
    let page = commands("stamp");
    let [.., sample] = page.lines().collect::<Vec<_>>()[..] else { panic!("no command in {page}") };
    let named =
        |option: &str| sample.split_whitespace().skip_while(|word| *word != option).nth(1).unwrap_or_else(|| panic!("{option}: {sample}"));
    [("-data", stamp["of"].as_str().unwrap()), ("-in", stamp["file"].as_str().unwrap()), ("-CAfile", authority.to_str().unwrap())]
        .into_iter()
        .fold(sample.to_owned(), |command, (option, value)| command.replace(named(option), value))
}

#[tokio::test]
async fn a_stranger_verifies_time_stamps_with_what_is_in_the_bundle_and_the_authoritys_root() {
    let stampers = [Stamper::start().await, Stamper::start().await];
    let names = ["first-authority", "second-authority"];
    let anchors: String = names.iter().zip(&stampers).map(|(name, stamper)| stamper.anchor(name, "when = [\"closing\"]\n")).collect();
    let story = Story::told_with(&[], |plan| plan.also(&anchors)).await;
    let closed = size_with(&story.daemon, "activation.closed");
    for name in names {
        expect_receipt(&story.daemon, name, closed).await;
    }
    checkpoint(&story.daemon, size_with(&story.daemon, "checkpoint.anchored")).await;

    let zip = story.export("police");
    let (code, said) = story.verify(&zip, &story.key);
    // Nobody has verified them, and no authority keeps anything.
    assert_eq!((code, &said["sound"], &said["anchored"]), (Some(0), &json!(true), &json!(false)), "{said}");
    let stamp_of = |name: &str| {
        let outside = said["outside"].as_array().unwrap().iter().find(|outside| outside["anchor"] == name);
        outside
            .map(|outside| outside["stamp"].clone())
            .filter(|stamp| stamp["signature"] == "not_checked")
            .unwrap_or_else(|| panic!("{said}"))
    };
    let (code, words) = run(&story.daemon, &["verify", zip.to_str().unwrap(), "--key", &story.key]);
    assert!(code == Some(0) && words.matches("NOT CHECKED").count() == 2 && words.contains("NOT ANCHORED"), "{words}");
    assert!(words.matches("was asked to stamp the first").count() == 2 && !words.contains("ask for theirs"), "{words}");
    let bag = story.unpack(&zip);
    for (name, stamper) in names.iter().zip(&stampers) {
        let stamp = stamp_of(name);
        // The report says what the stamp says.
        let at = format!("a time stamp says {} by the authority", stamp["at"].as_str().unwrap());
        let report = text(&bag, "data/report.html").replace("&#39;", "'");
        assert!(report.contains(&at) && report.contains("an authority was asked to stamp one, and keeps nothing"), "{at}");
        assert!(text(&bag, "data/README.txt").contains(&format!("{name} was asked to stamp")), "{name}");
        // Nothing but openssl, the files of the bundle and what the authority gives to anybody.
        let (code, words) = story.by_hand(&bag, &["-euc", &command_of(&stamp, &stamper.root())]);
        assert!(code == Some(0) && words.contains("Verification: OK"), "{words}");
    }
    let (code, words) = story.check_by_hand(&bag, Some(&story.key));
    assert!(code == Some(0) && words.matches("NOT CHECKED").count() == 2 && words.contains("NOT ANCHORED"), "{words}");
    // The script does the same with both roots in one file.
    let roots = story.folder.path().join("roots.pem");
    let both: String = stampers.iter().map(|stamper| std::fs::read_to_string(stamper.root()).unwrap()).collect();
    std::fs::write(&roots, both).unwrap();
    let script = |authority: &Path| story.by_hand(&bag, &["data/verify.sh", &story.key, authority.to_str().unwrap()]);
    let vouched = |words: &str| words.matches("an authority whose certificates were given signed the time stamp of").count();
    let (code, words) = script(&roots);
    assert!(code == Some(0) && vouched(&words) == 2 && !words.contains("NOT "), "{words}");
    // What was rewritten between the closing and the stamp a stamp does not show, and both times are there to compare.
    assert_eq!(words.matches("; the record says that this was closed at 20").count(), 2, "{words}");
    // Their certificates have ended since: then as of the time that they say, which is said.
    let later = ["data/verify.sh", &story.key, roots.to_str().unwrap()];
    let (code, words) = story.by_hand_years_later(&bag, &later);
    let ended = words.matches("as of its own time, and not as of today by this machine's clock").count();
    assert!(code == Some(0) && vouched(&words) == 2 && ended == 2 && !words.contains("NOT "), "{words}");
    // Of one that is not trusted nothing is known, and of certificates that are no root's as little: the bundle is not wrong for it.
    let (code, words) = script(&stampers[0].root());
    let unverified = |words: &str| words.matches("NOT VERIFIED  that an authority signed the time stamp of").count();
    assert!(code == Some(3) && (vouched(&words), unverified(&words)) == (1, 1) && !words.contains("WRONG"), "{words}");
    assert!(!words.contains("NOT ANCHORED"), "one of them covers it: {words}");
    let (code, words) = script(&stampers[0].own_certificate());
    assert!(code == Some(3) && (vouched(&words), unverified(&words)) == (0, 2) && !words.contains("WRONG"), "{words}");
    assert!(words.contains("NOT ANCHORED") && words.contains("no time stamp was verified with them"), "{words}");

    // A note that was changed is another than was stamped, whoever makes the manifests anew.
    let stamp = stamp_of(names[0]);
    let note = stamp["of"].as_str().unwrap();
    std::fs::write(bag.join(note), text(&bag, note).replacen('\n', " \n", 1)).unwrap();
    list_anew(&bag);
    let (code, words) = story.by_hand(&bag, &["-euc", &command_of(&stamp, &stampers[0].root())]);
    assert!(code != Some(0) && words.contains("message imprint mismatch"), "{words}");
    assert_eq!(story.check_by_hand(&bag, Some(&story.key)).0, Some(1));

    // A stamp names the authority: who may not know which anchors there are gets none.
    let withheld = story.unpack(&story.export("foi"));
    let files: Vec<PathBuf> = std::fs::read_dir(withheld.join("data/anchors")).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(!files.is_empty() && !files.iter().any(|file| file.extension().is_some_and(|ending| ending == "tsr")), "{files:?}");
}

/// Makes the manifests of a bag anew, as whoever forges one does.
fn list_anew(bag: &Path) {
    for manifest in ["manifest-sha256.txt", "tagmanifest-sha256.txt"] {
        let lines: Vec<String> = text(bag, manifest).lines().map(|line| line.split_once("  ").unwrap().1.to_owned()).collect();
        let sums = Command::new("sha256sum").args(&lines).current_dir(bag).output().unwrap();
        std::fs::write(bag.join(manifest), sums.stdout).unwrap();
    }
}

#[tokio::test]
async fn a_bundle_that_was_changed_is_found_and_the_file_is_named() {
    let story = Story::told(&[]).await;
    let zip = story.export("police");
    let bag = story.unpack(&zip);
    let record = std::fs::read_dir(bag.join("data/records")).unwrap().next().unwrap().unwrap().path();
    let name = format!("data/records/{}", record.file_name().unwrap().to_str().unwrap());
    let whole = std::fs::read(&zip).unwrap();
    let body = std::fs::read(&record).unwrap();
    let start = whole.windows(body.len()).position(|part| part == body).unwrap();
    let forged = story.folder.path().join("forged.zip");
    for at in [0, body.len() / 2, body.len() - 1] {
        let mut bytes = whole.clone();
        bytes[start + at] ^= 1;
        std::fs::write(&forged, bytes).unwrap();
        let (code, said) = story.verify(&forged, &story.key);
        let files: Vec<&Value> = said["findings"].as_array().unwrap().iter().map(|finding| &finding["file"]).collect();
        assert!(code == Some(1) && files.contains(&&json!(name)), "{said}");
    }
    // Whoever changes an entry and makes the manifests anew is stopped by the proof.
    std::fs::write(&record, String::from_utf8(body).unwrap().replace("\"v\":1", "\"v\":2")).unwrap();
    list_anew(&bag);
    let (code, said) = story.check_by_hand(&bag, Some(&story.key));
    assert!(code == Some(1) && said.contains(&format!("{name} is not in the record that was signed")), "{said}");
}

/// The page's commands of this kind, as they stand there.
fn commands(kind: &str) -> String {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/src/operate/verify.md");
    let page = std::fs::read_to_string(page).expect("the page for third parties");
    let begin = format!("```sh,{kind}\n");
    let blocks = page.split(&begin).skip(1).map(|rest| rest.split("```").next().unwrap_or_default());
    blocks.collect()
}

#[tokio::test]
async fn the_page_for_third_parties_does_what_it_says() {
    let story = Story::told(&[]).await;
    let bag = story.unpack(&story.export("police"));
    let (code, said) = story.by_hand(bag.parent().unwrap(), &["-euc", &commands("bundle").replace("KAL-42", "KAL-1")]);
    assert!(code == Some(0) && said.contains("entries are in it"), "{said}");

    let page = commands("by-hand");
    let (sample, _) = page.split_once('\n').unwrap();
    assert!(sample.starts_with("KEY='"), "the key comes first: {sample}");
    let script = page.replacen(sample, &format!("KEY='{}'", story.key), 1);
    let desk = story.folder.path().join("desk");
    std::fs::create_dir(&desk).unwrap();
    std::fs::copy(bag.join("data/checkpoint"), desk.join("checkpoint")).unwrap();
    let mut seen = 0;
    for record in std::fs::read_dir(bag.join("data/records")).unwrap() {
        let record = record.unwrap().path();
        let proof = format!("data/proofs/{}.tlog-proof", record.file_stem().unwrap().to_str().unwrap());
        let entry = std::fs::read_to_string(&record).unwrap();
        let Some(digest) = entry.split_once(r#"{"sd":""#).and_then(|(_, rest)| rest.get(..64)) else { continue };
        // A text with a link that still answers is withheld.
        let disclosure = bag.join(format!("data/disclosures/{digest}.json"));
        if !disclosure.exists() {
            continue;
        }
        std::fs::copy(disclosure, desk.join("disclosure.json")).unwrap();
        std::fs::copy(&record, desk.join("entry.json")).unwrap();
        std::fs::copy(bag.join(proof), desk.join("proof")).unwrap();
        let (code, said) = story.by_hand(&desk, &["-euc", &script]);
        for words in ["Signature Verified Successfully", "the entry is in the record that was signed", digest] {
            assert!(code == Some(0) && said.contains(words), "{words}: {said}");
        }
        std::fs::write(desk.join("entry.json"), entry.replace("\"v\":1", "\"v\":2")).unwrap();
        let (_code, said) = story.by_hand(&desk, &["-euc", &script]);
        assert!(!said.contains("the entry is in the record"), "{said}");
        seen += 1;
    }
    assert!(seen > 3, "entries with values: {seen}");
    let note = text(&desk, "checkpoint");
    let size = note.lines().nth(1).unwrap();
    std::fs::write(desk.join("checkpoint"), note.replacen(size, &format!("{size}0"), 1)).unwrap();
    let (code, said) = story.by_hand(&desk, &["-euc", &script]);
    assert!(code != Some(0) && said.contains("Signature Verification Failure"), "{said}");
}

#[tokio::test]
async fn only_who_may_is_handed_a_bundle_and_it_is_recorded_before_it_leaves() {
    let key = |role: &str, customer: &str| daemon::new_key_with(&["--role", role, "--customer", customer]);
    let keys =
        [key("auditor", "kalamunda"), key("auditor", "swan"), key("admin", "swan"), key("centre", "kalamunda"), key("site", "kalamunda")];
    let story = Story::told(&keys).await;
    let mut asked = Vec::new();
    for key in &keys {
        let api = story.daemon.api_with_key(Some(&key.secret));
        let answer = api.post("/api/v1/activations/KAL-1/export", &json!({"for": "foi"})).await.unwrap();
        asked.push(answer.status);
    }
    assert_eq!(asked, [200, 404, 404, 403, 403]);
    let nothing = story.daemon.api().post("/api/v1/activations/KAL-99/export", &json!({"for": "foi"})).await.unwrap();
    let theirs =
        story.daemon.api_with_key(Some(&keys[1].secret)).post("/api/v1/activations/KAL-1/export", &json!({"for": "foi"})).await.unwrap();
    assert_eq!((nothing.status, &nothing.text), (404, &theirs.text), "another customer's does not exist");
    assert_eq!(Evidence::of(&story.daemon).kind("bundle.exported").count(), 1);
    let request = story.daemon.api().request(Method::POST, "/api/v1/activations/KAL-1/export").json(&json!({"for": "regulator"}));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/zip");
    assert_eq!(answer.headers()["content-disposition"], "attachment; filename=\"KAL-1-regulator.zip\"");
    let zip = story.folder.path().join("api.zip");
    std::fs::write(&zip, answer.bytes().await.unwrap()).unwrap();
    assert_eq!(story.verify(&zip, &story.key).0, Some(0));
}

#[tokio::test]
async fn the_register_says_who_attended_and_what_nobody_knows() {
    let swan = daemon::new_key_with(&["--role", "site", "--customer", "swan"]);
    let story = Story::told(std::slice::from_ref(&swan)).await;
    let to = story.folder.path().join("register.csv");
    let time = ["--from", "2020-01-01T00:00:00+08:00", "--until", "2100-01-01T00:00:00Z"];
    let arguments = [&["export", "--register", "--to", to.to_str().unwrap()], &time[..]].concat();
    let (code, said) = run(&story.daemon, &arguments);
    assert_eq!(code, Some(0), "{said}");
    let table = std::fs::read_to_string(&to).unwrap();
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.trim_matches('"').split("\",\"").collect()).collect();
    let [names, row] = rows.as_slice() else { panic!("{table}") };
    let cell = |name: &str| row[names.iter().position(|known| *known == name).unwrap_or_else(|| panic!("{name}: {table}"))];
    for (name, value) in [
        ("reference", "KAL-1"),
        ("premises", "Kalamunda Library"),
        ("address", "7 Example Road, Kalamunda, WA"),
        ("officer", "J. Smith"),
        ("cause", "attended"),
        ("action", "A bruise on his arm."),
        // Who goes has not arrived, and what nobody tells us stays empty and is named.
        ("attended", ""),
        ("police_rung", ""),
        ("officer_licence", ""),
        ("not_recorded", "officer_licence police_arrived owner_notified"),
    ] {
        assert_eq!(cell(name), value, "{name}: {table}");
    }
    assert!(cell("activated") <= cell("first_told") && cell("first_told") <= cell("closed"), "{table}");
    let later = story.daemon.api().get("/api/v1/register?from=2100-01-01T00:00:00Z").await.unwrap();
    assert_eq!(later.text.lines().count(), 1, "{}", later.text);
    let theirs = story.daemon.api_with_key(Some(&swan.secret)).get("/api/v1/register").await.unwrap();
    assert!(theirs.status == 200 && theirs.text == later.text, "another customer has none: {}", theirs.text);
    // The record says who has them, and the digest is that of the table.
    let evidence = Evidence::of(&story.daemon);
    let custody: Vec<&Value> = evidence.kind("register.exported").collect();
    let said: Vec<(&Value, &Value)> = custody.iter().map(|entry| (&entry["lines"], &entry["cust"])).collect();
    assert_eq!(said, [(&json!(1), &Value::Null), (&json!(0), &Value::Null), (&json!(0), &json!("swan"))]);
    let digest = Command::new("sha256sum").arg(&to).output().unwrap().stdout;
    assert_eq!(custody[0]["digest"].as_str().unwrap().as_bytes(), &digest[..64]);
    assert_eq!((&custody[0]["from"], &custody[0]["until"]), (&json!("2019-12-31T16:00:00Z"), &json!("2100-01-01T00:00:00Z")));
    assert!(custody[0]["by"]["principal"].as_str().unwrap().starts_with("os:"));
}

#[tokio::test]
async fn without_a_signature_nothing_is_handed_out() {
    let gateway = Gateway::start();
    let plan = Daemon::plan(&crate::town::directory(crate::town::SMITH_FIRST)).listener().gateway("first", &gateway);
    let daemon = plan.webhook("westside", "http://127.0.0.1:9/", "a secret that is long enough to be one").start().await;
    let button = Button::connect_by(daemon.listener_options("front"), "kalamunda-library", "front-counter-1").await;
    button.press().await;
    gateway.phone(SMITH).expect_sms("DURESS").await;
    let folder = tempfile::tempdir().unwrap();
    let to = folder.path().join("a.zip");
    let (code, said) = run(&daemon, &["export", "--activation", "KAL-1", "--for", "police", "--to", to.to_str().unwrap()]);
    assert!(code == Some(2) && said.contains("cooee record new") && !to.exists(), "{said}");
    assert_eq!(Evidence::of(&daemon).kind("bundle.exported").count(), 0);
}
