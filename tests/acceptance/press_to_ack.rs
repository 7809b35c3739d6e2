//! The main job: a press becomes a person who has answered, by every way in and every way back.

use harness::{Broker, Button, Daemon, Fault, Gateway, Smtp, wait};
use rusqlite::Connection;
use serde_json::json;

use crate::centre::{Centre, SECRET};
use crate::evidence::Evidence;
use crate::town::{NAIR, NAIR_NEXT, SMITH, SMITH_FIRST, SMITH_MAIL, Town, code_in, directory, expect_activation, shape_of};

/// The first text, to the letter (interfaces, "Messages to people").
const GOLDEN: &str = "DURESS Kalamunda Library, Front counter 1. HH:MM AWST. Don't ring site, don't enter alone. \
                      Reply YNN=going HNN=helping remotely NNN=can't. KAL-1";

const CENTRE_FIRST: &str = "\n[[ladder.rung]]\nnotify = [{ centre = \"westside\" }]\nwait = \"50m\"\n";

#[tokio::test]
async fn through_a_broker_a_press_becomes_a_person_and_is_closed() {
    let town = Town::open(&format!("{SMITH_FIRST}{NAIR_NEXT}")).await;
    let id = town.button.press().await;
    let smith = town.gateway.phone(SMITH);
    let sms = smith.expect_sms("DURESS").await;
    assert_eq!(shape_of(&sms.body), GOLDEN);
    assert!(sms.body.len() <= 160, "one segment");
    let received = town.button.expect_state(&id, "received").await;
    assert_eq!(received["activation"], "KAL-1");

    smith.reply(&format!("Y{}", code_in(&sms.body))).await;
    let hook = town.gateway.callbacks().into_iter().find(|call| call.url.ends_with("/hooks/first/inbound")).unwrap();
    assert_eq!(hook.answers, [200], "taken at the first try");
    let held = town.expect_activation("KAL-1", "accepted").await;
    assert_eq!(held["going"][0]["name"], "J. Smith");
    town.button.expect_state(&id, "responding").await;
    smith.expect_sms("You are responding to Kalamunda Library").await;

    let close = json!({"disposition": "resolved_by_staff", "note": "Calm again.", "by": "J. Smith"});
    let closed = town.daemon.api().must_post("/api/v1/activations/KAL-1/close", &close).await;
    assert_eq!(closed["activation"]["state"], "closed");
    smith.expect_sms("ALL CLEAR Kalamunda Library").await;
    town.button.expect_state(&id, "closed").await;
    town.gateway.expect_nothing_else();

    let evidence = Evidence::of(&town.daemon);
    evidence.must_be_whole();
    let order = ["activation.raised", "rung.entered", "dispatch.queued", "answer.accepted", "activation.closed"];
    let at = order.map(|kind| evidence.entries().iter().position(|e| e["type"] == kind && e["act"] == "KAL-1").expect(kind));
    assert!(at.is_sorted(), "{at:?}");
    let count = evidence.entries().iter().filter(|entry| entry["act"] == "KAL-1" && entry["aseq"].is_u64());
    let closing = evidence.about("KAL-1", "activation.closed")[0];
    let until_closing = count.filter(|entry| entry["aseq"].as_u64() <= closing["aseq"].as_u64()).count();
    assert_eq!(closing["count"], until_closing, "a withheld entry would show");
}

#[tokio::test]
async fn through_the_listener_a_press_becomes_a_person_who_answers_without_any_inbound_port() {
    let gateway = Gateway::start();
    let plan = Daemon::plan(&directory(SMITH_FIRST)).listener().gateway_polled("first", &gateway);
    let daemon = plan.webhook("westside", "http://127.0.0.1:9/", SECRET).start().await;
    let button = Button::connect_by(daemon.listener_options("counter"), "kalamunda-library", "front-counter-1").await;
    let id = button.press().await;
    assert!(Evidence::of(&daemon).has_press(&id), "its PUBACK is the record's commit (I1)");
    let smith = gateway.phone(SMITH);
    let sms = smith.expect_sms("DURESS").await;
    assert_eq!(shape_of(&sms.body), GOLDEN);
    button.expect_state(&id, "received").await;
    smith.reply(&format!(" y {} ", code_in(&sms.body))).await;
    assert!(gateway.callbacks().iter().all(|call| !call.url.contains("inbound")), "nothing was posted");
    expect_activation(&daemon, "KAL-1", "accepted").await;
    button.expect_state(&id, "responding").await;
    daemon.api().must_post("/api/v1/activations/KAL-1/close", &json!({"disposition": "attended"})).await;
    button.expect_state(&id, "closed").await;
}

#[tokio::test]
async fn an_undelivered_text_leads_to_an_e_mail_at_once() {
    let smtp = Smtp::start().await;
    let town = Town::with(SMITH_FIRST, |plan, gateway| plan.gateway("first", gateway).mail(&smtp.plain_url())).await;
    town.gateway.phone(SMITH).fault(Fault::Undelivered { code: 30003 });
    let act = town.press().await;
    let mail = smtp.expect_mail(SMITH_MAIL, "Kalamunda Library").await;
    assert!(mail.header("subject").starts_with("[DURESS] Kalamunda Library - Front counter 1"), "{}", mail.header("subject"));
    assert!(mail.text.contains(&format!("{}/a/", town.daemon.url())), "a mail carries the link: {}", mail.text);
    assert_eq!(mail.header("auto-submitted"), "auto-generated");
    let evidence = Evidence::of(&town.daemon);
    let by_mail = evidence.about(&act, "dispatch.queued").into_iter().find(|entry| entry["medium"] == "email").unwrap();
    let lost = evidence.about(&act, "dispatch.reported").into_iter().find(|entry| entry["report"]["undelivered"].is_object()).unwrap();
    assert_eq!(lost["report"]["undelivered"]["code"], "30003");
    assert_eq!(lost["aseq"].as_u64().unwrap() + 1, by_mail["aseq"].as_u64().unwrap(), "the outcome caused it, no clock did");
    assert_eq!(town.activation(&act).await["state"], "climbing", "no receipt is an answer (I4)");
}

#[tokio::test]
async fn a_centre_is_called_with_a_signature_and_answers_through_the_api() {
    let centre = Centre::open().await;
    let key = harness::daemon::new_key_with(&["--role", "centre", "--customer", "kalamunda"]);
    let town = Town::with(&format!("{CENTRE_FIRST}{SMITH_FIRST}"), |plan, gateway| {
        plan.gateway("first", gateway).webhook("westside", centre.url(), SECRET).key(&key)
    })
    .await;
    let act = town.press().await;
    let call = centre.expect_call("dispatch.alarm").await;
    assert!(call.signed, "by the secret that both have");
    let dispatch = call.body["data"]["dispatch"].as_str().unwrap();
    assert!(call.id.starts_with(&format!("{dispatch}-")), "the dispatch and when it was queued: {}", call.id);
    for (field, value) in [("ref", act.as_str()), ("site", "Kalamunda Library"), ("place", "Front counter 1"), ("kind", "duress")] {
        assert_eq!(call.body["data"][field], value, "{field}");
    }
    let api = town.daemon.api_with_key(Some(&key.secret));
    let claimed = api.must_post(&format!("/api/v1/activations/{act}/claim"), &json!({"by": "P. Nair"})).await;
    let by = claimed["activation"]["claimed_by"].as_str().unwrap();
    assert!(by.starts_with("P. Nair (proof"), "who says so, and by which key: {by}");
    let going = json!({"by": "J. Smith", "commitment": "going", "eta_s": 300});
    let accepted = api.must_post(&format!("/api/v1/activations/{act}/accept"), &going).await;
    assert_eq!((&accepted["role"], &accepted["activation"]["state"]), (&json!("responder"), &json!("accepted")));
    let too = json!({"by": "P. Nair", "commitment": "going"});
    let joined = api.must_post(&format!("/api/v1/activations/{act}/accept"), &too).await;
    assert_eq!((&joined["role"], &joined["first"]), (&json!("co-responder"), &json!("J. Smith")));
    api.must_post(&format!("/api/v1/activations/{act}/close"), &json!({"disposition": "attended"})).await;
    let stand_down = centre.expect_call("dispatch.stand_down").await;
    assert!(stand_down.signed);
    assert_eq!(stand_down.body["data"]["disposition"].as_str().unwrap().to_lowercase(), "attended");
    let evidence = Evidence::of(&town.daemon);
    let by = &evidence.about(&act, "activation.claimed")[0]["by"];
    assert!(by["principal"].as_str().is_some_and(|principal| !principal.is_empty()), "every act is attributable: {by}");
}

#[tokio::test]
async fn the_second_account_sends_what_the_first_cannot() {
    let second = Gateway::start();
    let town = Town::with(SMITH_FIRST, |plan, gateway| plan.gateway("first", gateway).gateway_polled("second", &second)).await;
    town.gateway.fault(Fault::ServerError);
    let act = town.press().await;
    let sms = second.phone(SMITH).expect_sms("DURESS").await;
    assert_eq!(town.gateway.accepted().len(), 0);
    assert!(town.gateway.arrived() >= 1, "the first was asked first");
    let sent = Evidence::expect(&town.daemon, &act, "dispatch.reported", |entry| entry["report"] == "accepted_receipt_due").await;
    assert_eq!((&sent["provider"], &sent["provider_ref"]), (&json!("second"), &json!(sms.sid)));
    second.phone(SMITH).reply(&format!("Y{}", code_in(&sms.body))).await;
    town.expect_activation(&act, "accepted").await;
}

#[tokio::test]
async fn several_are_asked_until_one_goes_and_everyone_is_told() {
    let town = Town::open(&format!("{SMITH_FIRST}{NAIR_NEXT}")).await;
    let act = town.press().await;
    let (smith, nair) = (town.gateway.phone(SMITH), town.gateway.phone(NAIR));
    let first = smith.expect_sms("DURESS").await;
    assert!(nair.received().is_empty());
    smith.reply(&format!("N{}", code_in(&first.body))).await;
    let second = nair.expect_sms("DURESS").await;
    smith.expect_sms("noted you can't").await;
    nair.reply(&format!("H{}", code_in(&second.body))).await;
    town.expect_activation(&act, "held").await;
    nair.reply(&format!("Y{}", code_in(&second.body))).await;
    smith.expect_sms("P. Nair is responding").await;
}

/// Asserted by what the record holds: a writer that keeps the database busy takes the record away.
#[tokio::test]
async fn i1_no_puback_and_no_received_before_the_record_has_the_press() {
    let gateway = Gateway::start();
    let plan = Daemon::plan(&directory(SMITH_FIRST)).listener().gateway("first", &gateway);
    let daemon = plan.webhook("westside", "http://127.0.0.1:9/", SECRET).start().await;
    let button = Button::connect_by(daemon.listener_options("counter"), "kalamunda-library", "front-counter-1").await;
    let rival = Connection::open(daemon.data_dir().join("cooee.db")).unwrap();
    rival.busy_timeout(wait::PATIENCE).unwrap();
    rival.execute_batch("BEGIN IMMEDIATE").unwrap();
    let mut pressing = std::pin::pin!(button.press());
    let meanwhile = async {
        let sms = gateway.phone(SMITH).expect_sms("DURESS").await;
        assert!(daemon.data_dir().join("spool").exists(), "what was acted on is in the spool (I2)");
        gateway.phone(SMITH).reply(&format!("Y{}", code_in(&sms.body))).await;
        let hook = gateway.callbacks().into_iter().find(|call| call.url.ends_with("inbound")).unwrap();
        assert_eq!(hook.answers, [200], "an HTTP answer may get its 2xx once spooled");
        assert_eq!(Evidence::of(&daemon).kind("activation.raised").count(), 0);
        assert!(button.states().is_empty(), "{:?}", button.states());
    };
    tokio::select! {
        biased;
        id = &mut pressing => panic!("{id} was acknowledged, and is not in the record"),
        () = meanwhile => {}
    }
    rival.execute_batch("ROLLBACK").unwrap();
    let id = pressing.await;
    button.expect_state(&id, "received").await;
    let evidence = Evidence::of(&daemon);
    assert!(evidence.has_press(&id));
    evidence.must_be_whole();
}

#[tokio::test]
async fn two_customers_each_have_their_own_people_and_references() {
    let town = Town::open(SMITH_FIRST).await;
    let swan = Button::connect(&town.broker, "swan-hub", "reception").await;
    let id = swan.press().await;
    assert_eq!(swan.expect_state(&id, "received").await["activation"], "SWN-1");
    let sms = town.gateway.phone(crate::town::LEE).expect_sms("DURESS Swan Hub, Reception").await;
    assert!(sms.body.ends_with(" SWN-1"), "{}", sms.body);
    assert_eq!(town.press().await, "KAL-1");
    town.gateway.phone(SMITH).expect_sms("KAL-1").await;
    town.gateway.expect_nothing_else();
}

#[tokio::test]
async fn the_way_in_by_tls_with_a_certificate_and_a_password() {
    let broker = Broker::plan().client_certificates().login("cooee", "s3cret").start().await;
    let (gateway, smtp) = (Gateway::start(), Smtp::start_with_login("duress", "secret").await);
    let plan = Daemon::plan(&directory(SMITH_FIRST)).broker(&broker).gateway("first", &gateway);
    let plan = plan.mail(&smtp.implicit_url()).secret_of("email", "password_file", "secret").set_path("email", "ca_file", smtp.ca_file());
    let daemon = plan.webhook("westside", "http://127.0.0.1:9/", SECRET).start().await;
    gateway.phone(SMITH).fault(Fault::Refused { code: 21211 });
    let button = Button::connect(&broker, "kalamunda-library", "front-counter-1").await;
    let id = button.press().await;
    button.expect_state(&id, "received").await;
    let mail = smtp.expect_mail(SMITH_MAIL, "Front counter 1").await;
    assert!(mail.encrypted);
    assert_eq!(mail.login.as_deref(), Some("duress"));
    assert_eq!(daemon.api().must_get("/api/v1/activations/KAL-1").await["state"], "climbing");
}
