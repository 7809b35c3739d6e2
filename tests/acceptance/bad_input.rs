//! Bad input: a clear error, nothing lost, nothing acknowledged.

use harness::broker::Broker;
use harness::daemon::{Plan, answer, new_key_with};
use harness::{Button, Daemon, Gateway, Smtp, wait};
use reqwest::Method;
use serde_json::{Value, json};

use crate::evidence::{Evidence, decoded, disclosures};
use crate::town::{LEE, SMITH, SMITH_FIRST, SMITH_MAIL, Town, code_in, directory, expect_activation};

/// A mistake in the directory: what is written where, the line it is found on, and what is said.
struct Mistake {
    after: &'static str,
    written: &'static str,
    blamed: &'static str,
    said: &'static str,
}

const MISTAKES: [Mistake; 5] = [
    Mistake { after: "name = \"J. Smith\"\n", written: "colour = \"red\"\n", blamed: "colour = \"red\"", said: "colour" },
    Mistake {
        after: "",
        written: "\n[[ladder.rung]]\nnotify = [{ person = \"j-smyth\" }]\n",
        blamed: "notify = [{ person = \"j-smyth\" }]",
        said: "j-smyth",
    },
    Mistake { after: "", written: "\n[[ladder]]\nid = \"hollow\"\n", blamed: "[[ladder]]\nid = \"hollow\"", said: "rung" },
    Mistake {
        after: "",
        written: "\n[[person]]\nid = \"x-y\"\nname = \"X\"\nmobile = \"000\"\n",
        blamed: "mobile = \"000\"",
        said: "mobile",
    },
    Mistake {
        after: "",
        written: "\n[[person]]\nname = \"Other\"\nid = \"j-smith\"\nemail = \"o@example.org\"\n",
        blamed: "[[person]]\nname = \"Other\"",
        said: "j-smith",
    },
];

impl Mistake {
    fn made(&self) -> String {
        let sound = directory(SMITH_FIRST);
        if self.after.is_empty() { sound + self.written } else { sound.replacen(self.after, &format!("{}{}", self.after, self.written), 1) }
    }

    fn line(&self, text: &str) -> usize {
        let before = text.split(self.blamed).next().unwrap();
        before.lines().count() + usize::from(before.ends_with('\n') || before.is_empty())
    }
}

fn alone(gateway: &Gateway) -> Plan {
    let plan = Daemon::plan(&directory(SMITH_FIRST)).listener().gateway("first", gateway);
    plan.webhook("westside", "http://127.0.0.1:9/", "a secret that is long enough to be one")
}

#[tokio::test]
async fn a_mistake_in_the_directory_is_found_with_its_line_and_serve_refuses_it() {
    let gateway = Gateway::start();
    let mut daemon = alone(&gateway).prepare();
    assert_eq!(daemon.run(&["check"]).status.code(), Some(0), "{}", String::from_utf8_lossy(&daemon.run(&["check"]).stdout));
    for mistake in MISTAKES {
        let text = mistake.made();
        daemon.write_directory(&text);
        let output = daemon.run(&["check"]);
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert_eq!(output.status.code(), Some(1), "{said}");
        let at = format!("directory.toml:{}:", mistake.line(&text));
        let finding = said.lines().find(|line| line.contains(&at));
        assert!(finding.is_some_and(|line| line.contains(mistake.said)), "{at} {} is not in\n{said}", mistake.said);
        daemon.launch();
        assert!(!daemon.ended().await.success(), "serve must refuse it: {}", mistake.said);
        let at = at.trim_end_matches(':');
        assert!(daemon.log().contains(at), "and say where: {}", daemon.log());
    }
    daemon.write_directory(&directory(SMITH_FIRST));
    daemon.start_again().await;
}

#[tokio::test]
async fn an_unknown_setting_is_found_with_its_line_and_serve_refuses_it() {
    let gateway = Gateway::start();
    let mut daemon = alone(&gateway).prepare();
    let sound = daemon.settings();
    daemon.write_settings(&sound.replacen("[station]\n", "[station]\ncolour = \"red\"\n", 1));
    let line = daemon.settings().lines().position(|line| line.starts_with("colour")).unwrap() + 1;
    let output = daemon.run(&["check"]);
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("cooee.toml:{line}:")) && said.contains("colour"), "{said}");
    daemon.launch();
    assert!(!daemon.ended().await.success());
    assert!(daemon.log().contains(&format!("cooee.toml:{line}:")), "{}", daemon.log());
    daemon.write_settings(&sound);
    daemon.set_env("COOEE__STATION__COLOUR", Some("red"));
    assert_eq!(daemon.run(&["check"]).status.code(), Some(1), "the environment is no back door");
}

#[tokio::test]
async fn a_directory_that_breaks_later_keeps_the_last_one_in_force_and_is_a_trouble() {
    let gateway = Gateway::start();
    let mut daemon = alone(&gateway).start().await;
    daemon.write_directory(&MISTAKES[1].made());
    daemon.signal("HUP");
    expect_trouble(&daemon, &json!("directory_broken")).await;
    daemon.kill();
    daemon.start_again().await;
    expect_trouble(&daemon, &json!("directory_broken")).await;
    let button = Button::connect_by(daemon.listener_options("counter"), "kalamunda-library", "front-counter-1").await;
    button.press().await;
    gateway.phone(SMITH).expect_sms("DURESS").await;
    daemon.write_directory(&directory(SMITH_FIRST));
    daemon.signal("HUP");
    let api = daemon.api();
    let over = async || api.must_get("/api/v1/troubles").await["troubles"].as_array().unwrap().is_empty().then_some(());
    wait::until("the trouble to be over", over).await;
}

async fn expect_trouble(daemon: &Daemon, cause: &Value) {
    let api = daemon.api();
    let there = async || {
        let said = api.must_get("/api/v1/troubles").await;
        said["troubles"].as_array().unwrap().iter().any(|trouble| trouble["cause"] == *cause).then_some(())
    };
    wait::until(&format!("the trouble {cause}"), there).await;
}

/// Presses that nobody can read.
fn poison() -> Vec<Vec<u8>> {
    vec![
        b"help!".to_vec(),
        vec![b'x'; 1_048_576],
        b"\xff\xfe\xfd".to_vec(),
        b"\0".to_vec(),
        [vec![b'['; 30_000], vec![b']'; 30_000]].concat(),
        br#"{"id":{"a":[1,2,{"b":null}]}}"#.to_vec(),
        Vec::new(),
    ]
}

async fn poisoned(daemon: &Daemon, gateway: &Gateway, button: &Button) {
    for payload in poison() {
        button.press_with(payload).await;
    }
    button.publish_to(&format!("cooee/v1/kalamunda-library/{}/press", "d".repeat(60_000)), Vec::new()).await;
    let good = button.press().await;
    button.expect_state(&good, "received").await;
    gateway.phone(SMITH).expect_sms("Front counter 1").await;
    let evidence = Evidence::of(daemon);
    assert!(evidence.has_press(&good), "the next press comes through");
    let signals = ["activation.raised", "activation.pressed_again"].map(|kind| evidence.kind(kind).map(|entry| &entry["signal"]));
    let sizes: Vec<u64> = signals.into_iter().flatten().filter_map(|signal| signal["payload_bytes"].as_u64()).collect();
    for payload in poison() {
        assert!(
            sizes.contains(&u64::try_from(payload.len()).unwrap()),
            "a press of {} bytes is not in the record (I7): {sizes:?}",
            payload.len()
        );
    }
    let raw = disclosures(daemon, "raw");
    let payloads: Vec<Vec<u8>> = raw.iter().filter_map(|text| text.split_once(' ')).map(|(_topic, payload)| decoded(payload)).collect();
    for payload in poison().into_iter().filter(|payload| (1..65_536).contains(&payload.len())) {
        assert!(payloads.contains(&payload), "{} bytes are not kept as they came", payload.len());
    }
    evidence.must_be_whole();
    for act in evidence.kind("activation.raised").map(|entry| entry["act"].as_str().unwrap()) {
        expect_activation(daemon, act, "climbing").await;
    }
}

#[tokio::test]
async fn no_payload_and_no_topic_wedges_the_session_or_is_lost() {
    let broker = Broker::plan().instead_of_shipped("persistence true\nset_tcp_nodelay true").start().await;
    let gateway = Gateway::start();
    let plan = Daemon::plan(&directory(SMITH_FIRST)).broker(&broker).gateway("first", &gateway);
    let mut daemon = plan.webhook("westside", "http://127.0.0.1:9/", "a secret that is long enough to be one").start().await;
    let button = Button::connect(&broker, "kalamunda-library", "front-counter-1").await;
    poisoned(&daemon, &gateway, &button).await;
    let before = Evidence::of(&daemon).kind("activation.pressed_again").count();
    daemon.kill();
    daemon.start_again().await;
    let marker = Button::connect(&broker, "kalamunda-library", "back-office").await.press().await;
    wait::until("the marker", async || Evidence::of(&daemon).has_press(&marker).then_some(())).await;
    assert_eq!(Evidence::of(&daemon).kind("activation.pressed_again").count(), before, "no poison comes again");
}

#[tokio::test]
async fn no_payload_and_no_topic_wedges_the_listener_or_is_lost() {
    let gateway = Gateway::start();
    let daemon = alone(&gateway).start().await;
    let button = Button::connect_by(daemon.listener_options("counter"), "kalamunda-library", "front-counter-1").await;
    poisoned(&daemon, &gateway, &button).await;
}

/// The kinds of what is recorded because somebody outside asked for it. What carriers report of our own texts, and what the station sees
/// of itself, arrives whenever it does and says nothing of a request that was refused.
fn caused_from_outside(daemon: &Daemon) -> Vec<String> {
    let of_itself = ["dispatch.", "receipt.", "trouble.", "clock.", "record."];
    let kinds = Evidence::of(daemon).entries().iter().map(|entry| entry["type"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    kinds.into_iter().filter(|kind| !of_itself.iter().any(|own| kind.starts_with(own))).collect()
}

#[tokio::test]
async fn a_callback_counts_once_and_only_with_its_signature() {
    let town = Town::open(SMITH_FIRST).await;
    let act = town.press().await;
    let smith = town.gateway.phone(SMITH);
    let code = code_in(&smith.expect_sms("DURESS").await.body);
    // A stranger writes first, so that there is a callback to forge from.
    town.gateway.phone("+61491570999").send(harness::daemon::SENDER, "hello").await;
    let honest = town.gateway.callbacks().into_iter().find(|call| call.url.ends_with("/inbound")).unwrap();
    let mut forged = honest.clone();
    for (name, value) in &mut forged.form {
        match name.as_str() {
            "From" => SMITH.clone_into(value),
            "Body" => *value = format!("Y{code}"),
            "MessageSid" | "SmsSid" => "SM00000000000000000000000000009999".clone_into(value),
            _other => {}
        }
    }
    let before = caused_from_outside(&town.daemon);
    assert_eq!(town.gateway.replay(&forged).await, 403, "signed for other words");
    forged.signature = "AAAAAAAAAAAAAAAAAAAAAAAAAAA=".to_owned();
    assert_eq!(town.gateway.replay(&forged).await, 403);
    let nameless = harness::http::client().post(format!("{}/hooks/nobody/inbound", town.daemon.url())).form(&forged.form);
    assert_eq!(answer(nameless).await.unwrap().status, 404);
    assert_eq!(caused_from_outside(&town.daemon), before, "nothing recorded");

    smith.reply(&format!("Y{code}")).await;
    town.expect_activation(&act, "accepted").await;
    let real = town.gateway.callbacks().pop().unwrap();
    for _ in 0..3 {
        assert_eq!(town.gateway.replay(&real).await, 200);
    }
    assert_eq!(Evidence::of(&town.daemon).about(&act, "answer.accepted").len(), 1, "a replay is no second answer");
}

#[tokio::test]
async fn a_replayed_callback_counts_for_nothing_after_a_restart() {
    let mut town = Town::open(SMITH_FIRST).await;
    let act = town.press().await;
    let smith = town.gateway.phone(SMITH);
    let code = code_in(&smith.expect_sms("DURESS").await.body);
    smith.reply(&format!("N{code}")).await;
    let real = town.gateway.callbacks().into_iter().find(|call| call.url.ends_with("/inbound")).unwrap();
    assert_eq!(Evidence::of(&town.daemon).about(&act, "answer.declined").len(), 1);
    town.daemon.kill();
    town.daemon.start_again().await;
    assert_eq!(town.gateway.replay(&real).await, 200);
    assert_eq!(Evidence::of(&town.daemon).about(&act, "answer.declined").len(), 1);
}

#[tokio::test]
async fn a_reaction_a_quote_and_a_bare_yes_acknowledge_nothing_and_are_told_so() {
    let town = Town::open(SMITH_FIRST).await;
    let act = town.press().await;
    let smith = town.gateway.phone(SMITH);
    let alarm = smith.expect_sms("DURESS").await.body;
    smith.reply(&format!("Liked \u{201c}{alarm}\u{201d}")).await;
    smith.expect_sms("Nothing has been acknowledged").await;
    smith.reply(&format!("> {alarm}\nY{}", code_in(&alarm))).await;
    smith.reply("Y").await;
    smith.reply("Y99").await;
    town.gateway.phone(LEE).send(harness::daemon::SENDER, &format!("Y{}", code_in(&alarm))).await;
    let evidence = Evidence::of(&town.daemon);
    let why: Vec<&str> = evidence.kind("answer.set_aside").filter_map(|entry| entry["why"].as_str()).collect();
    assert_eq!(why, ["not_an_answer", "not_an_answer", "code_missing", "unknown_code", "unknown_code"]);
    assert_eq!(town.activation(&act).await["state"], "climbing");
    assert!(evidence.kind("answer.accepted").next().is_none());
}

/// A responder's link, as a mail carries it, and the daemon it leads to.
struct Linked {
    town: Town,
    act: String,
    link: String,
    _smtp: Smtp,
}

impl Linked {
    async fn open() -> Self {
        let smtp = Smtp::start().await;
        let rung = "\n[[ladder.rung]]\nnotify = [{ person = \"j-smith\", by = [[\"sms\", \"email\"]] }]\nwait = \"50m\"\n";
        let town = Town::with(rung, |plan, gateway| plan.gateway("first", gateway).mail(&smtp.plain_url())).await;
        let act = town.press().await;
        let mail = smtp.expect_mail(SMITH_MAIL, "Front counter 1").await;
        let link = mail.text.split_whitespace().find(|word| word.contains("/a/")).unwrap().to_owned();
        Self { town, act, link, _smtp: smtp }
    }

    async fn get(&self) -> String {
        answer(harness::http::client().get(&self.link)).await.unwrap().text
    }

    async fn post(&self, form: &[(&str, &str)]) -> harness::daemon::Answer {
        answer(harness::http::client().post(&self.link).form(form)).await.unwrap()
    }

    /// Nothing has counted: the ladder climbs and nobody has accepted.
    async fn must_climb(&self) -> Evidence {
        assert_eq!(self.town.activation(&self.act).await["state"], "climbing");
        let evidence = Evidence::of(&self.town.daemon);
        assert!(evidence.kind("answer.accepted").chain(evidence.kind("answer.declined")).next().is_none());
        evidence
    }
}

fn field(page: &str, name: &str) -> String {
    let marker = format!("name=\"{name}\" value=\"");
    page.split_once(&marker).unwrap_or_else(|| panic!("no {name} in {page}")).1.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn get_and_head_on_a_link_and_a_forged_one_change_nothing() {
    let linked = Linked::open().await;
    let before = Evidence::of(&linked.town.daemon).entries().len();
    let http = harness::http::client();
    for method in [Method::GET, Method::HEAD, Method::GET, Method::OPTIONS, Method::PUT, Method::DELETE] {
        let asked = answer(http.request(method.clone(), &linked.link)).await.unwrap();
        let expected = if method == Method::GET || method == Method::HEAD { 200 } else { 405 };
        assert_eq!(asked.status, expected, "{method}");
    }
    let mut forged = linked.link.clone();
    let last = if forged.pop() == Some('A') { 'B' } else { 'A' };
    forged.push(last);
    for url in [forged.as_str(), &format!("{}/a/x", linked.town.daemon.url()), &format!("{}/a/%00", linked.town.daemon.url())] {
        assert_eq!(answer(http.get(url)).await.unwrap().status, 404, "{url}");
        let posted = answer(http.post(url).form(&[("choice", "going"), ("hand", "pointer")])).await.unwrap();
        assert_eq!(posted.status, 404, "{url}");
        assert!(posted.text.contains("Nothing has been acknowledged"), "{}", posted.text);
    }
    linked.must_climb().await;
    let after = Evidence::of(&linked.town.daemon);
    let answers = after.entries()[before..].iter().filter(|entry| entry["type"].as_str().unwrap().starts_with("answer."));
    assert_eq!(answers.count(), 0);
}

#[tokio::test]
async fn i4_a_mail_scanner_that_fetches_and_submits_stops_nothing() {
    let linked = Linked::open().await;
    // At once, as scanners do; the script's field as they leave it; and a nonce of their own making.
    for form in [
        vec![("nonce", ""), ("hand", ""), ("choice", "going")],
        vec![("nonce", ""), ("hand", "pointer"), ("choice", "going")],
        vec![("nonce", "0.x.y"), ("hand", "pointer"), ("choice", "cannot")],
        vec![("choice", "going")],
        vec![],
    ] {
        // A page of its own for each, or the later ones would not be at once on a slow machine.
        let nonce = field(&linked.get().await, "nonce");
        let form: Vec<_> = form
            .into_iter()
            .map(|(name, value)| (name, if name == "nonce" && value.is_empty() { nonce.as_str() } else { value }))
            .collect();
        let said = linked.post(&form).await;
        assert!(said.text.contains("Nothing has been acknowledged yet"), "{form:?}: {}", said.text);
    }
    // A patient one presses the first button of what it is asked then.
    let nonce = field(&linked.get().await, "nonce");
    tokio::time::sleep(READING).await;
    let question = linked.post(&[("nonce", &nonce), ("hand", ""), ("choice", "going")]).await.text;
    assert!(question.contains("One more press"), "{question}");
    let (asked, first) = (field(&question, "nonce"), field(&question, "word"));
    tokio::time::sleep(READING).await;
    let said = linked.post(&[("choice", "going"), ("nonce", &asked), ("word", &first)]).await;
    assert!(said.text.contains("Nothing has been acknowledged yet"), "{}", said.text);
    let evidence = linked.must_climb().await;
    let aside = evidence.about(&linked.act, "answer.set_aside").into_iter().filter(|entry| entry["why"] == "no_gesture");
    assert!(aside.count() >= 1, "it is recorded all the same (I9)");
}

/// What the page calls too fast to have been read.
const READING: std::time::Duration = std::time::Duration::from_millis(2_100);

#[tokio::test]
async fn a_wrong_key_role_site_or_customer_learns_and_changes_nothing() {
    let keys = [
        ("device", new_key_with(&["--role", "device", "--site", "kalamunda-library"])),
        ("auditor", new_key_with(&["--role", "auditor", "--customer", "kalamunda"])),
        ("site", new_key_with(&["--role", "site", "--site", "kalamunda-library"])),
        ("swan", new_key_with(&["--role", "centre", "--customer", "swan"])),
        ("hub", new_key_with(&["--role", "site", "--site", "swan-hub"])),
    ];
    let town =
        Town::with(SMITH_FIRST, |plan, gateway| keys.iter().fold(plan.gateway("first", gateway), |plan, (_, key)| plan.key(key))).await;
    let act = town.press().await;
    town.gateway.phone(SMITH).expect_sms("DURESS").await;
    let shown = async || (town.activation(&act).await["attempts"][0]["outcome"] == "delivered").then_some(());
    wait::until("the text to be delivered", shown).await;
    let before = caused_from_outside(&town.daemon);
    let one = format!("/api/v1/activations/{act}");
    let going = json!({"by": "J. Smith", "commitment": "going"});
    let nobody = town.daemon.secret().replace("ck_", "ck_x");
    let mut half = town.daemon.secret().to_owned();
    half.pop();
    for wrong in [None, Some(""), Some("ck_"), Some("ck_nobody_nothing"), Some(nobody.as_str()), Some(half.as_str())] {
        let api = town.daemon.api_with_key(wrong);
        assert_eq!(api.get(&one).await.unwrap().status, 401, "{wrong:?}");
        assert_eq!(api.post(&format!("{one}/accept"), &going).await.unwrap().status, 401, "{wrong:?}");
    }
    for (who, key) in &keys {
        let api = town.daemon.api_with_key(Some(&key.secret));
        let (seen, accepted, claimed) = match *who {
            "device" => (403, 403, 403),
            "auditor" => (200, 403, 403),
            "site" => (200, 0, 403),
            _other_customer => (404, 404, if *who == "hub" { 403 } else { 404 }),
        };
        assert_eq!(api.get(&one).await.unwrap().status, seen, "{who}");
        if accepted != 0 {
            let answer = api.post(&format!("{one}/accept"), &going).await.unwrap();
            assert_eq!(answer.status, accepted, "{who}");
            assert!(!answer.text.contains("Smith") && !answer.text.contains("Kalamunda"), "{who}: {}", answer.text);
        }
        assert_eq!(api.post(&format!("{one}/claim"), &json!({})).await.unwrap().status, claimed, "{who}");
        if seen == 404 {
            let listed = api.must_get("/api/v1/activations").await;
            assert_eq!(listed["activations"], json!([]), "{who}");
            let unknown = api.get("/api/v1/activations/KAL-77").await.unwrap();
            let told = api.get(&one).await.unwrap();
            assert_eq!(unknown.text, told.text, "{who}: what is another's looks as if it did not exist");
            let raised = api.post("/api/v1/activations", &json!({"site": "kalamunda-library", "device": "front-counter-1"})).await.unwrap();
            assert_eq!(raised.status, 404, "{who}");
        }
    }
    let api = town.daemon.api();
    for (body, status) in
        [(json!({"site": "kalamunda-library"}), 400), (json!({"site": "x y", "device": "d"}), 400), (json!({"colour": 1}), 400)]
    {
        assert_eq!(api.post("/api/v1/activations", &body).await.unwrap().status, status, "{body}");
    }
    let huge = api.request(Method::POST, "/api/v1/activations").header("content-type", "application/json").body(vec![b'['; 1_000_000]);
    assert_eq!(answer(huge).await.unwrap().status, 413);
    let deep = api.request(Method::POST, "/api/v1/activations").header("content-type", "application/json").body(vec![b'['; 60_000]);
    assert_eq!(answer(deep).await.unwrap().status, 400);
    let plain = api.request(Method::POST, &format!("{one}/close")).body("disposition=test");
    assert_eq!(answer(plain).await.unwrap().status, 415);
    assert_eq!(caused_from_outside(&town.daemon), before, "nothing recorded");
    assert_eq!(town.activation(&act).await["state"], "climbing");
}
