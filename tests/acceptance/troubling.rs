//! Troubles that people are told of, by the real daemon: a broker that dies, an answer, and the word that it is over.

use serde_json::Value;

use crate::evidence::Evidence;
use crate::town::{SMITH_FIRST, Town, code_in, directory};
use harness::daemon::new_key_with;
use harness::{Fault, Smtp, wait};

/// The phone of whoever looks after the station, who has a mailbox too.
const OPS: &str = "+61491570157";
const OPS_MAIL: &str = "ops@example.org";

/// The operator's ladder, and how soon people are told.
fn technical(wait: &str) -> String {
    format!(
        r#"{SMITH_FIRST}
[[person]]
id = "ops"
name = "Olive Ops"
mobile = "+61 491 570 157"
email = "{OPS_MAIL}"

[technical]
ladder = "station"
wait = "{wait}"

[[ladder]]
id = "station"
[[ladder.rung]]
notify = [{{ person = "ops" }}]
wait = "50m"
"#
    )
}

/// What people were told of the broker.
async fn telling(town: &Town) -> Option<Value> {
    let open = town.daemon.api().get("/api/v1/troubles").await?.body;
    let broker = open["troubles"].as_array()?.iter().find(|trouble| trouble["cause"] == "broker_away")?;
    Some(broker["telling"].clone())
}

#[tokio::test]
async fn whoever_looks_after_the_station_hears_that_the_broker_is_away_and_that_it_is_back() {
    let mut town = Town::open(&technical("3s")).await;
    let ops = town.gateway.phone(OPS);
    town.broker.stop().await;
    let sms = ops.expect_sms("broker away, NO button reaches us. Sites use phones. Mend the broker.").await;
    let code = code_in(&sms.body);
    assert!(sms.body.starts_with("TROUBLE ") && sms.body.ends_with(" TRB-1") && code.starts_with("99"), "{}", sms.body);
    assert!(sms.body.len() <= 160, "{}", sms.body);
    let told = wait::until("the receipt", async || telling(&town).await.filter(|t| t["messages"][0]["outcome"] == "delivered")).await;
    assert_eq!((&told["reference"], &told["taken_by"], &told["messages"][0]["to"]), (&"TRB-1".into(), &Value::Null, &"Olive Ops".into()));
    // A key of one customer sees that buttons are dead, and not who of the operator's people knows.
    let key = new_key_with(&["--role", "auditor", "--customer", "swan"]);
    town.daemon.write_settings(&(town.daemon.settings() + "\n" + &key.stanza));
    town.daemon.signal("HUP");
    let next_door = wait::until("the new key", async || {
        let answer = town.daemon.api_with_key(Some(&key.secret)).get("/api/v1/troubles").await?;
        (answer.status == 200).then_some(answer.text)
    })
    .await;
    assert!(next_door.contains("broker_away") && !next_door.contains("Olive") && !next_door.contains("telling"), "{next_door}");

    ops.reply(&format!("Y{code}")).await;
    ops.expect_sms("You look after: broker away").await;
    assert_eq!(telling(&town).await.unwrap()["taken_by"], "Olive Ops");
    let page = town.daemon.api().get("/").await.unwrap().text;
    assert!(page.contains("TRB-1: told Olive Ops by sms at ") && page.contains("(delivered); Olive Ops looks after it"), "{page}");

    town.broker.start_again().await;
    ops.expect_sms("TROUBLE OVER: broker away").await;
    // How often a broker that is started on a busy machine comes and goes first is its own affair.
    let evidence = Evidence::of(&town.daemon);
    evidence.must_be_whole();
    assert_eq!(evidence.about("TRB-1", "trouble.answered").len(), 1);
    let queued = evidence.about("TRB-1", "dispatch.queued");
    let of = |purpose: &str| queued.iter().filter(|queued| queued["purpose"] == purpose).count();
    assert_eq!(of("trouble_taken"), 1);
    assert!((1..=of("trouble")).contains(&of("trouble_over")), "an end to each beginning, and no more");
}

#[tokio::test]
async fn where_texts_fail_a_mail_says_it_and_a_restart_says_nothing_twice() {
    let smtp = Smtp::start().await;
    let mut town = Town::with(&technical("1s"), |plan, gateway| plan.gateway("first", gateway).mail(&smtp.plain_url())).await;
    town.gateway.phone(OPS).fault(Fault::Refused { code: 21_211 });
    town.broker.stop().await;
    let mail = smtp.expect_mail(OPS_MAIL, "broker away, NO button reaches us").await;
    assert!(mail.header("Subject").starts_with("[TROUBLE] broker away - TRB-1"), "{}", mail.header("Subject"));
    let outcomes = async |town: &Town| {
        let messages = telling(town).await?["messages"].as_array()?.clone();
        Some(messages.iter().map(|told| format!("{} {}", told["medium"], told["outcome"]).replace('"', "")).collect::<Vec<_>>())
    };
    let expected = ["sms failed", "email accepted"];
    wait::until("the mail's report", async || outcomes(&town).await.filter(|found| *found == expected)).await;
    let page = town.daemon.api().get("/").await.unwrap().text;
    assert!(page.contains("by sms at ") && page.contains("(NOT sent)"), "{page}");

    town.daemon.kill();
    town.daemon.launch();
    wait::until("the trouble after a restart", async || outcomes(&town).await.filter(|found| *found == expected)).await;
    town.broker.start_again().await;
    smtp.expect_mail(OPS_MAIL, "Trouble OVER: It is back. Ask the sites if they pressed.").await;
    let evidence = Evidence::of(&town.daemon);
    let queued = evidence.about("TRB-1", "dispatch.queued");
    let over: Vec<_> = queued.iter().filter(|queued| queued["purpose"] == "trouble_over").collect();
    assert!(!over.is_empty() && over.iter().all(|queued| queued["medium"] == "email"), "to the mailbox alone: {over:?}");
}

/// One customer's gap is told to its own people, and named to nobody else.
#[tokio::test]
async fn a_gap_of_one_customer_is_told_to_its_own_people() {
    let roster = r#"
[[ladder.rung]]
notify = [{ roster = "duty", by = ["sms"] }]

[[roster]]
id = "duty"
[[roster.shift]]
people = ["j-smith"]
from = "2020-01-01"
until = "2020-01-02"

[[ladder]]
id = "kal-tech"
customer = "kalamunda"
[[ladder.rung]]
notify = [{ person = "p-nair" }]
"#;
    let technical = technical("1s").replace(SMITH_FIRST, roster);
    let directory = directory(&technical)
        .replace("ladder = \"counters\"\n\n[[customer]]", "ladder = \"counters\"\ntechnical = \"kal-tech\"\n\n[[customer]]");
    let town = Town::of(&directory, |plan, gateway| plan.gateway("first", gateway)).await;
    let sms = town.gateway.phone(crate::town::NAIR).expect_sms("nobody is told at Kalamunda Library").await;
    assert!(sms.body.contains("Put somebody on duty."), "{}", sms.body);
    wait::until("the receipt", async || {
        let open = town.daemon.api().must_get("/api/v1/troubles").await;
        open["troubles"].as_array()?.iter().any(|t| t["telling"]["messages"][0]["outcome"] == "delivered").then_some(())
    })
    .await;
    town.gateway.expect_nothing_else();
}
