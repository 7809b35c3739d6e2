//! Every way a provider fails: the message leaves all the same, or the next channel is tried, and nobody else waits.

use harness::{Button, Fault, FaultySmtp, Gateway, SmtpFault, wait};
use serde_json::{Value, json};

use crate::centre::{Centre, SECRET};
use crate::evidence::Evidence;
use crate::town::{NAIR, NAIR_NEXT, SMITH, SMITH_FIRST, Town, directory_of};

/// J. Smith by e-mail alone, then P. Nair.
const MAIL_FIRST: &str = r#"
[[ladder.rung]]
notify = [{ person = "j-smith", by = ["email"] }]
wait = "50m"
[[ladder.rung]]
notify = [{ person = "p-nair", by = ["sms"] }]
wait = "50m"
"#;

/// Everything at once.
const ALL_AT_ONCE: &str = r#"
[[ladder.rung]]
notify = [{ person = "j-smith", by = [["sms", "email"]] }, { centre = "westside" }]
wait = "50m"
"#;

/// The first word of the carrier about a message by this medium.
async fn reported(town: &Town, act: &str, fits: impl Fn(&Value) -> bool) -> Value {
    Evidence::expect(&town.daemon, act, "dispatch.reported", fits).await
}

fn alarms(evidence: &Evidence, act: &str) -> usize {
    evidence.about(act, "dispatch.queued").into_iter().filter(|entry| entry["purpose"] == "alarm").count()
}

#[tokio::test]
async fn a_server_error_and_a_busy_provider_are_tried_again() {
    for fault in [Fault::ServerError, Fault::TooMany { retry_after_s: 1 }] {
        let town = Town::open(SMITH_FIRST).await;
        town.gateway.fault(fault);
        let act = town.press().await;
        town.gateway.expect_arrivals(2).await;
        town.gateway.fault(Fault::None);
        town.gateway.phone(SMITH).expect_sms("DURESS").await;
        let sent = reported(&town, &act, |entry| entry["report"] == "accepted_receipt_due").await;
        assert!(sent["tries"].as_u64().unwrap() >= 3, "{fault:?}: {sent}");
        assert!(sent["possible_duplicate"].is_null(), "a clear no leaves no doubt: {sent}");
        assert_eq!(town.gateway.accepted().len(), 1, "{fault:?}");
        town.gateway.expect_nothing_else();
    }
}

#[tokio::test]
async fn a_number_that_does_not_exist_is_passed_over_at_once() {
    let town = Town::open(&format!("{SMITH_FIRST}{NAIR_NEXT}")).await;
    town.gateway.phone(SMITH).fault(Fault::Refused { code: 21211 });
    let act = town.press().await;
    town.gateway.phone(NAIR).expect_sms("DURESS").await;
    let evidence = Evidence::of(&town.daemon);
    let refused = evidence.about(&act, "dispatch.reported")[0];
    assert_eq!((&refused["report"]["failed"], &refused["tries"]), (&json!("refused"), &json!(1)), "a refusal is not repeated");
    let passed = evidence.about(&act, "contact.passed_over")[0];
    assert_eq!(passed["why"], "all_channels_failed", "what did not happen is recorded too (I9)");
    let entered: Vec<&Value> = evidence.about(&act, "rung.entered").into_iter().map(|entry| &entry["why"]).collect();
    assert_eq!(entered, ["raised", "nobody_left"]);
}

#[tokio::test]
async fn a_hung_account_holds_up_nobody() {
    let (first, second) = (Gateway::start(), Gateway::start());
    first.fault(Fault::Hang);
    let town = Town::with(SMITH_FIRST, |plan, _unused| {
        let plan = plan.directory(&directory_of(12, SMITH_FIRST));
        plan.account("first", &first, "slots = 3\nrequest_ms = 6000\n").account("second", &second, "")
    })
    .await;
    // All at once, so that the later ones come while the slots are taken.
    let devices: Vec<String> = (0..12).map(|n| format!("b-{n}")).collect();
    town.button.press_all("kalamunda-library", &devices).await;
    wait::until("12 texts by the second account", async || (second.accepted().len() >= 12).then_some(())).await;
    assert_eq!((first.accepted().len(), second.duplicates()), (0, 0));
    // Its three slots are all that a hung account ever takes; the rest went past it without asking.
    let evidence = Evidence::of(&town.daemon);
    let by_second = evidence.kind("dispatch.reported").filter(|entry| entry["provider"] == "second" && entry["tries"] == 1);
    assert!(by_second.count() >= 1, "someone must have gone straight to the second account");
}

#[tokio::test]
async fn a_hung_mail_server_and_a_hung_centre_hold_up_no_text() {
    let (smtp, centre) = (FaultySmtp::start().await, Centre::open().await);
    smtp.fault(SmtpFault::Hang);
    centre.hang();
    let town = Town::with(ALL_AT_ONCE, |plan, gateway| {
        let plan = plan.directory(&directory_of(8, ALL_AT_ONCE)).gateway("first", gateway).mail(&smtp.url());
        plan.webhook("westside", centre.url(), SECRET)
    })
    .await;
    for n in 0..8 {
        town.button.press_of("kalamunda-library", &format!("b-{n}")).await;
    }
    let texts = async || (town.gateway.accepted().iter().filter(|sms| sms.body.starts_with("DURESS")).count() >= 8).then_some(());
    wait::until("8 texts", texts).await;
    centre.expect_call("dispatch.alarm").await;
    smtp.expect_met(SmtpFault::Hang, 1).await;
    assert!(smtp.taken().is_empty());
}

#[tokio::test]
async fn a_receipt_may_precede_the_response_and_come_twice_and_out_of_order() {
    for (fault, callbacks) in [(Fault::ReceiptFirst, 1), (Fault::DuplicateReceipts, 5)] {
        let town = Town::open(SMITH_FIRST).await;
        town.gateway.fault(fault);
        let act = town.press().await;
        let shown = async || {
            let seen = town.activation(&act).await;
            (seen["attempts"][0]["outcome"] == "delivered").then_some(())
        };
        wait::until("the text to be delivered", shown).await;
        wait::until("all receipts", async || (town.gateway.callbacks().len() >= callbacks).then_some(())).await;
        assert!(town.gateway.callbacks().iter().all(|call| call.answers == [200]), "{fault:?}");
        let evidence = Evidence::of(&town.daemon);
        let delivered = evidence.about(&act, "dispatch.reported").into_iter().filter(|entry| entry["report"] == "delivered");
        assert_eq!(delivered.count(), 1, "{fault:?}");
        assert_eq!(alarms(&evidence, &act), 1, "{fault:?}");
        let seen = town.activation(&act).await;
        assert_eq!((&seen["attempts"][0]["outcome"], &seen["state"]), (&json!("delivered"), &json!("climbing")), "{fault:?} (I4)");
    }
}

/// The one test that waits: 30 s is how long a promised receipt may take.
#[tokio::test]
async fn a_receipt_that_does_not_come_leads_to_the_next_channel_and_a_late_one_changes_nothing() {
    let smtp = FaultySmtp::start().await;
    let town = Town::with(SMITH_FIRST, |plan, gateway| plan.gateway("first", gateway).mail(&smtp.url())).await;
    town.gateway.fault(Fault::NoReceipt);
    let act = town.press().await;
    let sms = town.gateway.phone(SMITH).expect_sms("DURESS").await;
    wait::until("the mail", async || (!smtp.taken().is_empty()).then_some(())).await;
    assert_eq!(Evidence::of(&town.daemon).about(&act, "receipt.overdue").len(), 1);
    town.gateway.receipt(&sms.sid, "delivered", None).await;
    reported(&town, &act, |entry| entry["report"] == "delivered").await;
    let evidence = Evidence::of(&town.daemon);
    assert_eq!((alarms(&evidence, &act), smtp.taken().len()), (2, 1));
    assert_eq!(town.activation(&act).await["state"], "climbing");
}

#[tokio::test]
async fn an_answer_that_was_lost_is_looked_up_and_not_sent_twice() {
    let town = Town::open(SMITH_FIRST).await;
    town.gateway.fault(Fault::DropAfterAccept);
    let act = town.press().await;
    let sent = reported(&town, &act, |entry| entry["report"] == "accepted_receipt_due" || entry["report"] == "delivered").await;
    assert!(sent["provider_ref"].is_string(), "{sent}");
    town.gateway.fault(Fault::None);
    let shown = async || (town.activation(&act).await["attempts"][0]["outcome"] == "delivered").then_some(());
    wait::until("the text to be delivered", shown).await;
    assert_eq!((town.gateway.accepted().len(), town.gateway.arrived()), (1, 1));
}

#[tokio::test]
async fn an_answer_that_was_lost_and_cannot_be_looked_up_is_sent_again_and_marked() {
    let town = Town::open(SMITH_FIRST).await;
    town.gateway.lists(false);
    town.gateway.fault(Fault::DropAfterAccept);
    let act = town.press().await;
    town.gateway.expect_arrivals(1).await;
    town.gateway.fault(Fault::None);
    wait::until("it to be sent again", async || (town.gateway.accepted().len() >= 2).then_some(())).await;
    let sent = reported(&town, &act, |entry| entry["report"] == "accepted_receipt_due" || entry["report"] == "accepted").await;
    assert_eq!(sent["possible_duplicate"], true, "{sent}");
}

#[tokio::test]
async fn a_provider_that_stays_down_is_a_trouble_until_it_is_back() {
    let smtp = FaultySmtp::start().await;
    // Without the greeting that keeps a connection warm: its success, coming between the failures, would restart their count.
    let account = "attempt_s = 8\nkeep_warm = false\n";
    let town = Town::with(SMITH_FIRST, |plan, gateway| plan.account("first", gateway, account).mail(&smtp.url())).await;
    town.gateway.fault(Fault::ServerError);
    town.gateway.lists(false);
    let act = town.press().await;
    wait::until("the mail", async || (!smtp.taken().is_empty()).then_some(())).await;
    let failed = reported(&town, &act, |entry| entry["report"]["failed"] == "unavailable").await;
    assert!(failed["tries"].as_u64().unwrap() >= 2, "{failed}");
    let down = json!({"provider_down": {"carrier": "first"}});
    let troubles = async || {
        let said = town.daemon.api().must_get("/api/v1/troubles").await;
        said["troubles"].as_array().unwrap().iter().any(|trouble| trouble["cause"] == down)
    };
    wait::until("the trouble", async || troubles().await.then_some(())).await;
    let ready = town.daemon.api().get("/readyz?verbose").await.unwrap();
    assert_eq!(ready.status, 503);
    town.gateway.fault(Fault::None);
    town.gateway.lists(true);
    let other = Button::connect(&town.broker, "kalamunda-library", "back-office").await;
    other.press().await;
    town.gateway.phone(SMITH).expect_sms("Back office").await;
    wait::until("the trouble to be cleared", async || (!troubles().await).then_some(())).await;
}

#[tokio::test]
async fn an_account_that_the_settings_no_longer_have_is_no_trouble_any_more() {
    let account = "attempt_s = 2\nkeep_warm = false\n";
    let mut town = Town::with(SMITH_FIRST, |plan, gateway| plan.account("first", gateway, account)).await;
    town.gateway.fault(Fault::ServerError);
    town.press().await;
    let troubled = async |town: &Town, carrier: &str| {
        let down = json!({"provider_down": {"carrier": carrier}});
        let said = town.daemon.api().must_get("/api/v1/troubles").await;
        said["troubles"].as_array().unwrap().iter().any(|trouble| trouble["cause"] == down)
    };
    wait::until("the trouble", async || troubled(&town, "first").await.then_some(())).await;
    town.daemon.kill();
    town.daemon.write_settings(&town.daemon.settings().replacen("name = \"first\"", "name = \"main\"", 1));
    town.daemon.start_again().await;
    wait::until("the end of the old one's", async || (!troubled(&town, "first").await).then_some(())).await;
    wait::until("the new one's", async || troubled(&town, "main").await.then_some(())).await;
}

#[tokio::test]
async fn a_mailbox_that_is_busy_is_tried_again() {
    let smtp = FaultySmtp::start().await;
    for fault in [SmtpFault::Busy, SmtpFault::ClosingDown, SmtpFault::DropMidReply] {
        let town = Town::with(MAIL_FIRST, |plan, gateway| plan.gateway("first", gateway).mail(&smtp.url())).await;
        let before = smtp.taken().len();
        smtp.fault(fault);
        let act = town.press().await;
        smtp.expect_met(fault, 1).await;
        smtp.fault(SmtpFault::None);
        wait::until("the mail", async || (smtp.taken().len() > before).then_some(())).await;
        let sent = reported(&town, &act, |entry| entry["report"] == "accepted").await;
        assert!(sent["tries"].as_u64().unwrap() >= 2, "{fault:?}: {sent}");
        assert_eq!(sent["possible_duplicate"] == true, fault == SmtpFault::DropMidReply, "{fault:?}: {sent}");
        town.gateway.expect_nothing_else();
    }
}

#[tokio::test]
async fn a_mailbox_that_does_not_exist_and_a_mail_server_that_hangs_lead_to_the_next_person() {
    for (fault, failure) in [(SmtpFault::NoSuchMailbox, "refused"), (SmtpFault::Hang, "unavailable")] {
        let smtp = FaultySmtp::start().await;
        smtp.fault(fault);
        let town = Town::with(MAIL_FIRST, |plan, gateway| {
            let plan = plan.gateway("first", gateway).mail(&smtp.url());
            // Our patience ends only where the server hangs: the other one answers, however long it takes.
            let hangs = fault == SmtpFault::Hang;
            if hangs { plan.set_raw("email", "request_ms", "1000").set_raw("email", "attempt_s", "1") } else { plan }
        })
        .await;
        let act = town.press().await;
        town.gateway.phone(NAIR).expect_sms("DURESS").await;
        let failed = reported(&town, &act, |entry| entry["report"]["failed"].is_string()).await;
        assert_eq!(failed["report"]["failed"], failure, "{failed}");
    }
}
