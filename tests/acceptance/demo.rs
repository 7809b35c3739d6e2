//! The demo, as its user plays it: press, read the fake phone, answer, kill it mid-ladder, start it again.

use std::process::Command;

use harness::daemon::program;
use harness::folder::Folder;
use harness::port::Port;
use harness::program::Process;
use harness::wait;
use serde_json::{Value, json};

/// A demo that keeps its things over a kill.
struct Demo {
    process: Option<Process>,
    folder: Folder,
    http: Port,
    mqtt: Port,
    starts: u32,
}

impl Demo {
    async fn start() -> Self {
        let mut demo = Self { process: None, folder: Folder::new("demo"), http: Port::take(), mqtt: Port::take(), starts: 0 };
        demo.run().await;
        demo
    }

    async fn run(&mut self) {
        self.starts += 1;
        let mut command = Command::new(program());
        command.arg("demo").arg("--data").arg(self.folder.path().join("data"));
        command.args(["--http", &format!("127.0.0.1:{}", self.http.number()), "--mqtt", &format!("127.0.0.1:{}", self.mqtt.number())]);
        self.process = Some(Process::start("cooee demo", &mut command, &self.log()));
        let url = format!("{}/demo/world", self.url());
        wait::until("the demo's buttons to be connected", async || {
            self.process.as_mut().expect("the demo runs").must_live();
            let world: Value = harness::http::client().get(&url).send().await.ok()?.json().await.ok()?;
            (world["connected"] == json!(true)).then_some(())
        })
        .await;
    }

    fn log(&self) -> std::path::PathBuf {
        self.folder.path().join(format!("demo-{}.log", self.starts))
    }

    fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.http.number())
    }

    async fn post(&self, path: &str, body: Value) {
        let answer = harness::http::client().post(format!("{}{path}", self.url())).json(&body).send();
        let status = answer.await.expect("the demo answers").status();
        assert!(status.is_success(), "{path} answered {status}");
    }

    async fn world(&self) -> Value {
        harness::http::client()
            .get(format!("{}/demo/world", self.url()))
            .send()
            .await
            .expect("the demo answers")
            .json()
            .await
            .expect("JSON")
    }

    /// Waits for a text with these words on one of the fake phones.
    async fn text(&self, phone: usize, words: &str) -> String {
        wait::until(&format!("a text saying {words:?} on phone {phone}"), async || {
            let world = self.world().await;
            let thread = world["phones"][phone]["thread"].as_array()?.clone();
            thread.iter().filter_map(|sms| sms["text"].as_str()).find(|text| text.contains(words)).map(ToOwned::to_owned)
        })
        .await
    }

    async fn activation(&self, id: &str) -> Value {
        let url = format!("{}/api/v1/activations/{id}", self.url());
        harness::http::client().get(url).send().await.expect("the desk answers").json().await.expect("JSON")
    }

    fn kill(&mut self) {
        self.process.take().expect("the demo runs").kill();
    }
}

#[tokio::test]
async fn the_demo_survives_being_killed_mid_ladder_and_takes_the_answer() {
    let mut demo = Demo::start().await;
    demo.post("/demo/gesture", json!({"device": "front-counter-1", "gesture": "press"})).await;
    let first = demo.text(0, "DURESS Kalamunda Library, Front counter 1.").await;
    assert!(first.contains("Reply Y47=going") && first.ends_with("KAL-1"), "{first}");
    let before = demo.activation("KAL-1").await;
    assert_eq!(before["state"], "climbing");

    demo.kill();
    demo.run().await;

    let after = demo.activation("KAL-1").await;
    assert_eq!(after["state"], "climbing", "the countdown goes on where it was: {after}");
    assert_eq!(after["raised_at"], before["raised_at"]);
    demo.post("/demo/reply", json!({"number": "+61400000001", "text": "y47"})).await;
    wait::until("the answer to be counted", async || (demo.activation("KAL-1").await["state"] == json!("accepted")).then_some(())).await;
    demo.text(0, "KAL-1").await;
    let lamp = wait::until("the button to be told", async || {
        let world = demo.world().await;
        let buttons = world["buttons"].as_array()?.clone();
        buttons.iter().find(|b| b["device"] == "front-counter-1" && b["lamp"] == "responding").cloned()
    });
    lamp.await;
}

#[tokio::test]
async fn with_the_provider_down_the_mailbox_gets_the_alarm() {
    let demo = Demo::start().await;
    demo.post("/demo/switch", json!({"switch": "provider_down", "on": true})).await;
    demo.post("/demo/gesture", json!({"device": "back-office", "gesture": "press"})).await;
    let mail = wait::until("a mail in the mailbox", async || demo.world().await["mails"].as_array()?.first().cloned()).await;
    let subject = mail["subject"].as_str().unwrap_or_default();
    assert!(subject.starts_with("[DURESS] Kalamunda Library - Back office"), "{subject}");
    assert!(mail["text"].as_str().unwrap_or_default().contains("/a/"), "the mail carries the responder's link");
}
