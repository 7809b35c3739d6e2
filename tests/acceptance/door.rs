//! The door: doctor, check, keys, reload, one process at a time, and an orderly end.

use std::time::Duration;

use harness::daemon::new_key_with;
use harness::{Broker, Button, Daemon, Fault, Gateway, Smtp, wait};
use serde_json::{Value, json};

use crate::evidence::Evidence;
use crate::town::{NAIR, SMITH, SMITH_FIRST, Town, directory};

#[tokio::test]
async fn doctor_says_what_is_well_and_what_to_mend() {
    let mut smtp = Smtp::start().await;
    let mut town = Town::with(SMITH_FIRST, |plan, gateway| plan.gateway("first", gateway).mail(&smtp.plain_url())).await;
    assert!(town.daemon.stop().await.success());
    let look = |daemon: &Daemon| {
        let output = daemon.run(&["doctor"]);
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let line =
        |said: &str, what: &str| said.lines().find(|line| line.contains(what)).unwrap_or_else(|| panic!("no {what} in\n{said}")).to_owned();
    let (code, said) = look(&town.daemon);
    for well in ["clock", "record", "broker", "carrier first", "carrier email"] {
        assert!(line(&said, well).starts_with("ok"), "{well}: {said}");
    }
    assert!(line(&said, "public URL").starts_with("MEND"), "nobody answers there: {said}");
    assert_eq!(code, Some(1), "{said}");
    town.broker.stop().await;
    let gateway = std::mem::replace(&mut town.gateway, Gateway::start());
    drop(gateway);
    smtp.kill();
    let (code, said) = look(&town.daemon);
    for ill in ["broker", "carrier first", "carrier email"] {
        assert!(line(&said, ill).starts_with("MEND"), "{ill}: {said}");
    }
    assert_eq!(code, Some(1));
}

#[tokio::test]
async fn check_says_the_same_to_programs() {
    let gateway = Gateway::start();
    let daemon = Daemon::plan(&directory(SMITH_FIRST)).listener().gateway("first", &gateway).prepare();
    let output = daemon.run(&["check", "--json"]);
    let said: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    let finding = said["findings"].as_array().unwrap().iter().find(|finding| finding["severity"] == "error").unwrap();
    assert!(finding["what"].as_str().is_some_and(|what| what.contains("westside")), "no such webhook: {said}");
    assert!(finding["line"].as_u64().is_some_and(|line| line > 0), "{said}");
}

#[tokio::test]
async fn keys_and_directory_are_taken_up_by_a_reload() {
    let town = Town::open(SMITH_FIRST).await;
    let key = new_key_with(&["--role", "centre"]);
    let api = town.daemon.api_with_key(Some(&key.secret));
    assert_eq!(api.get("/api/v1/devices").await.unwrap().status, 401);
    town.daemon.write_settings(&(town.daemon.settings() + "\n" + &key.stanza));
    town.daemon.write_directory(&directory(SMITH_FIRST).replace("+61 491 570 006", "+61 491 570 313"));
    town.daemon.signal("HUP");
    town.daemon.expect_log("taken up anew").await;
    assert_eq!(api.get("/api/v1/devices").await.unwrap().status, 200);
    town.press().await;
    town.gateway.phone("+61491570313").expect_sms("DURESS").await;
    assert!(town.gateway.phone(SMITH).received().is_empty());
    let evidence = Evidence::of(&town.daemon);
    assert_eq!(evidence.kind("directory.adopted").count(), 2);
    let smiths: Vec<&Value> =
        evidence.kind("person.version").filter(|entry| entry["id"] == "P-1").map(|entry| &entry["person"]["version"]).collect();
    assert_eq!(smiths, [1, 2], "one new version of the one who changed");
    assert_eq!(evidence.kind("person.version").count(), 4);
    town.daemon.signal("HUP");
    wait::until("the second reload", async || (town.daemon.log().matches("taken up anew").count() == 2).then_some(())).await;
    assert_eq!(Evidence::of(&town.daemon).kind("directory.adopted").count(), 2, "the same file is no new version");
}

#[tokio::test]
async fn a_second_process_on_one_data_directory_is_refused() {
    let mut town = Town::open(SMITH_FIRST).await;
    let second = town.daemon.run(&["serve"]);
    assert!(!second.status.success());
    let said = String::from_utf8_lossy(&second.stderr).into_owned();
    assert!(said.contains("another Cooee is using"), "{said}");
    assert!(town.daemon.runs());
    town.press().await;
    town.gateway.phone(SMITH).expect_sms("DURESS").await;
    let socket = std::fs::metadata(town.daemon.data_dir().join("control.sock")).unwrap();
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&socket.permissions()) & 0o777, 0o600);
}

#[tokio::test]
async fn sigterm_finishes_the_sends_under_way() {
    let mut town = Town::open(SMITH_FIRST).await;
    town.gateway.fault(Fault::Held);
    let id = town.button.press().await;
    town.gateway.expect_arrivals(1).await;
    assert!(Evidence::of(&town.daemon).kind("dispatch.reported").next().is_none(), "it is under way");
    town.daemon.signal("TERM");
    town.daemon.expect_log("sends under way are finished first").await;
    town.gateway.fault(Fault::None);
    assert!(town.daemon.ended().await.success());
    let evidence = Evidence::of(&town.daemon);
    assert!(evidence.has_press(&id));
    let report = evidence.kind("dispatch.reported").next().expect("its outcome is recorded before the end");
    assert_eq!(report["report"], "accepted_receipt_due");
    town.daemon.start_again().await;
    town.expect_activation("KAL-1", "climbing").await;
    assert_eq!((town.gateway.accepted().len(), town.gateway.duplicates()), (1, 0), "and it is not sent again");
}

#[tokio::test]
async fn a_restart_in_the_middle_of_a_ladder_goes_on_and_says_how_late_it_is() {
    let rungs = "\n[[ladder.rung]]\nnotify = [{ person = \"j-smith\", by = [\"sms\"] }]\nwait = \"15s\"\n\
                 [[ladder.rung]]\nnotify = [{ person = \"p-nair\", by = [\"sms\"] }]\nwait = \"50m\"\n";
    let mut town = Town::open(rungs).await;
    let act = town.press().await;
    town.gateway.phone(SMITH).expect_sms("DURESS").await;
    town.daemon.kill();
    let entered = Evidence::of(&town.daemon).about(&act, "rung.entered").len();
    assert_eq!(entered, 1, "killed before the wait of 15 s was over");
    // The wait is over while nobody is there to notice, by more than the two seconds that are not worth a word.
    tokio::time::sleep(Duration::from_secs(18)).await;
    town.daemon.start_again().await;
    let sms = town.gateway.phone(NAIR).expect_sms("DURESS").await;
    assert!(sms.body.contains(" late)"), "{}", sms.body);
    let evidence = Evidence::of(&town.daemon);
    let late = evidence.about(&act, "rung.entered")[1];
    assert!(late["late_ms"].as_u64().is_some_and(|ms| ms > 0), "{late}");
    assert!(evidence.kind("station.started").last().unwrap()["down_ms"].as_u64().is_some_and(|ms| ms >= 18_000));
}

#[tokio::test]
async fn health_metrics_and_the_document_are_served() {
    let town = Town::open(SMITH_FIRST).await;
    town.press().await;
    let open = town.daemon.api_with_key(None);
    for path in ["/healthz", "/healthz/dispatch", "/readyz"] {
        assert_eq!(open.get(path).await.unwrap().status, 200, "{path}");
    }
    let metrics = town.daemon.api().get("/metrics").await.unwrap();
    assert_eq!(metrics.status, 200);
    assert!(metrics.text.lines().any(|line| line.starts_with("cooee_")), "{}", metrics.text);
    assert_eq!(town.daemon.api().must_get("/api/v1/openapi.json").await["openapi"].as_str().map(|v| v.starts_with("3.1")), Some(true));
    let mut stream = town.daemon.api().stream(Some(0)).await;
    let raised = stream.expect("activation.raised").await;
    assert_eq!(raised.data["act"], json!("KAL-1"));
    let other = Button::connect(&town.broker, "swan-hub", "reception").await;
    other.press().await;
    assert!(stream.expect("activation.raised").await.id > raised.id, "live after what was missed");
}

/// What the service manager asks and what a watcher from outside asks are two questions.
#[tokio::test]
async fn without_a_broker_the_station_is_up_and_says_that_no_press_reaches_it() {
    let mut broker = Broker::start().await;
    broker.stop().await;
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("notify");
    let manager = tokio::net::UnixDatagram::bind(&socket).unwrap();
    let plan = Daemon::plan(&directory(SMITH_FIRST)).broker(&broker).env("NOTIFY_SOCKET", socket.to_str().unwrap());
    let gateway = Gateway::start();
    let mut daemon = plan.gateway("first", &gateway).webhook("westside", "http://127.0.0.1:9/", "a secret that is long enough").prepare();
    daemon.launch();
    let told = async |wanted: &str| {
        wait::until(&format!("{wanted:?} to the service manager"), async || {
            let mut said = [0; 1_024];
            let length = tokio::time::timeout(wait::PATIENCE, manager.recv(&mut said)).await.ok()?.unwrap();
            String::from_utf8_lossy(&said[..length]).contains(wanted).then_some(())
        })
        .await;
    };
    told("READY=1").await;
    told("STATUS=presses do not reach the station: ").await;
    assert_eq!(daemon.api_with_key(None).get("/readyz").await.unwrap().status, 503);
    assert_eq!(daemon.api_with_key(None).get("/readyz?verbose").await.unwrap().status, 401);
    let ready = daemon.api().get("/readyz?verbose").await.unwrap();
    assert_eq!(ready.status, 503);
    let parts = ready.body["parts"].as_array().unwrap();
    let presses = parts.iter().find(|part| part["name"] == "presses").unwrap();
    assert_eq!(presses["ok"], json!(false));
    assert!(presses["detail"].as_str().unwrap().starts_with("the broker does not answer"), "{presses}");
    broker.start_again().await;
    told("STATUS=presses reach the station").await;
    daemon.ready().await;
}
