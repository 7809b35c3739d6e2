//! The record on a real PostgreSQL: the same suite as everywhere, and a database that goes away in the middle of an alarm.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use harness::postgres::Database;
use harness::{Button, Daemon, Gateway, Postgres, wait};
use ledger::{AnyLedger, Batch, Disclosure, EntryBody, Ledger as _, Seq, ViewsQuery, conformance};
use serde_json::json;
use tokio::sync::Mutex;

use crate::evidence::Evidence;
use crate::town::{SMITH, SMITH_FIRST, directory, expect_activation};

const CUT: &str = "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";

async fn open(url: &str) -> AnyLedger {
    AnyLedger::open(url, Path::new("/nowhere")).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn on_postgresql_the_record_keeps_the_contract() {
    let databases: Mutex<BTreeMap<String, Database>> = Mutex::default();
    conformance::suite(async |name| {
        let mut databases = databases.lock().await;
        if !databases.contains_key(name) {
            databases.insert(name.to_owned(), Database::fresh().await);
        }
        open(&databases[name].url()).await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn postgresql_itself_refuses_to_change_the_record() {
    let database = Database::fresh().await;
    let AnyLedger::Postgres(ledger) = open(&database.url()).await else { panic!("not a PostgreSQL address") };
    conformance::refuses_changes(&ledger, &["TRUNCATE entry", "TRUNCATE entry_body", "TRUNCATE disclosure"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_to_postgresql_that_is_cut_loses_nothing() {
    let database = Arc::new(Database::fresh().await);
    let ledger = open(&database.url()).await;
    let cut = async || {
        let database = Arc::clone(&database);
        tokio::task::spawn_blocking(move || database.query(CUT)).await.unwrap();
    };
    conformance::a_cut_connection_loses_nothing(&ledger, cut).await;
}

/// As every record of a station is that ran a version from before readers were noted: with what ANALYZE had sampled of it.
#[tokio::test(flavor = "multi_thread")]
async fn a_postgresql_record_with_the_first_migration_alone_is_brought_up_to_date_with_what_it_holds() {
    const SAMPLED: &str = "select count(*) from pg_stats where tablename = 'disclosure' and attname = 'bytes'";
    let database = Database::fresh().await;
    let ledger = open(&database.url()).await;
    let mut batch = Batch::new(Seq::FIRST);
    let mut sealed = Vec::new();
    for (n, kind) in (0_u128..).zip(["note.added", "record.viewed", "note.added"]) {
        let entry = json!({ "type": kind, "t": "2026-11-21T02:14:00.000000Z", "nonce": format!("{n:032x}") });
        let value = Disclosure::seal("", n.to_be_bytes(), "note", &format!("Zebedee said {n}")).unwrap();
        sealed.push(value.digest());
        batch.push(EntryBody::write(&entry).unwrap(), vec![value]);
    }
    ledger.append(&batch).await.unwrap();
    drop(ledger);
    let undone = [
        "DROP INDEX entry_viewed_by_cust",
        "DROP INDEX entry_viewed",
        "ALTER TABLE disclosure ALTER COLUMN bytes SET STATISTICS -1",
        "DELETE FROM _sqlx_migrations WHERE version > 1",
        "ANALYZE disclosure",
    ];
    for sql in undone {
        database.query(sql);
    }
    assert_eq!(database.query(SAMPLED), "1", "ANALYZE takes private values as samples, where nobody forbids it");
    for _opened in 0..2 {
        let ledger = open(&database.url()).await;
        assert_eq!(ledger.head().await.unwrap().size(), 3);
        let views = ledger.views(&ViewsQuery { limit: 9, ..Default::default() }).await.unwrap();
        assert_eq!(views.iter().map(|entry| entry.seq.index()).collect::<Vec<_>>(), [1]);
        for digest in &sealed {
            assert!(ledger.disclosure(digest).await.unwrap().is_some());
        }
    }
    assert_eq!(database.query("select string_agg(version::text, ' ' order by version) from _sqlx_migrations"), "1 2 3");
    assert_eq!(database.query("select count(*) from pg_indexes where indexname like 'entry_viewed%'"), "2");
    database.query("ANALYZE disclosure");
    assert_eq!(database.query(SAMPLED), "0", "neither what was sampled before nor anything new");
}

/// How the database goes away: at once with its connections, or by a statement that neither fails nor ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Away {
    Stopped,
    Frozen,
}

#[tokio::test]
async fn i1_i2_postgresql_stopped_in_the_middle_of_an_alarm() {
    database_away(Away::Stopped).await;
}

#[tokio::test]
async fn i1_i2_postgresql_frozen_in_the_middle_of_an_alarm() {
    database_away(Away::Frozen).await;
}

async fn database_away(how: Away) {
    let mut postgres = Postgres::start_durable().await;
    let name = postgres.create_database();
    let gateway = Gateway::start();
    let plan = Daemon::plan(&directory(SMITH_FIRST)).listener().gateway("first", &gateway).record(&postgres.url(&name));
    let mut daemon = plan.webhook("westside", "http://127.0.0.1:9/", "a secret that is long enough to be one").start().await;
    let front = Button::connect_by(daemon.listener_options("front"), "kalamunda-library", "front-counter-1").await;
    let back = Button::connect_by(daemon.listener_options("back"), "kalamunda-library", "back-office").await;
    let before = front.press().await;
    front.expect_state(&before, "received").await;
    let smith = gateway.phone(SMITH);
    let first = smith.expect_sms("KAL-1").await;
    let shown = async || (daemon.api().must_get("/api/v1/activations/KAL-1").await["attempts"][0]["outcome"] == "delivered").then_some(());
    wait::until("the first text to be delivered", shown).await;

    match how {
        Away::Stopped => postgres.crash().await,
        Away::Frozen => postgres.freeze(),
    }
    let mut pressing = std::pin::pin!(back.press());
    let meanwhile = async {
        let sms = smith.expect_sms("Back office").await;
        assert!(sms.body.ends_with(" KAL-2"), "the turn that finds the record away was decided before: {}", sms.body);
        assert!(std::fs::metadata(daemon.data_dir().join("spool")).unwrap().len() > 0);
        smith.reply(&format!("Y{}", crate::town::code_in(&first.body))).await;
        let hook = gateway.callbacks().into_iter().find(|call| call.url.ends_with("inbound")).unwrap();
        assert_eq!(hook.answers.last(), Some(&200), "a reply is taken once it is spooled");
        let raise = json!({"site": "swan-hub", "device": "reception", "by": "S. Lee"});
        let raised = daemon.api().post("/api/v1/activations", &raise).await.unwrap();
        assert_eq!(
            (raised.status, &raised.body["activation"]),
            (201, &json!("SWN-U1-1")),
            "an id from a space of its own: {}",
            raised.text
        );
        gateway.phone(crate::town::LEE).expect_sms("SWN-U1-1").await;
        let ready = daemon.api().get("/readyz?verbose").await.unwrap();
        assert_eq!(ready.status, 503, "{}", ready.text);
        assert!(back.states().is_empty(), "nothing is `received` before the record has it: {:?}", back.states());
    };
    tokio::select! {
        biased;
        id = &mut pressing => panic!("{id} was acknowledged while the record was away"),
        () = meanwhile => {}
    }
    match how {
        Away::Stopped => postgres.start_again().await,
        Away::Frozen => postgres.thaw(),
    }
    let during = pressing.await;
    back.expect_state(&during, "received").await;
    daemon.ready().await;
    let after = front.press().await;
    let evidence = || Evidence::of_rows(&postgres.query(&name, Evidence::ROWS));
    wait::until("the last press", async || evidence().has_press(&after).then_some(())).await;
    let evidence = evidence();
    evidence.must_be_whole();
    assert!(evidence.has_press(&before) && evidence.has_press(&during));
    let first = |fits: &dyn Fn(&serde_json::Value) -> bool| evidence.entries().iter().position(fits).expect("an entry");
    let raised = |act: &'static str| first(&move |entry| entry["type"] == "activation.raised" && entry["act"] == act);
    let (lost, found) = (first(&|entry| entry["type"] == "record.lost"), first(&|entry| entry["type"] == "record.found"));
    let order = [raised("KAL-1"), raised("KAL-2"), lost, raised("SWN-U1-1"), found];
    assert!(order.is_sorted(), "all of it in order: {order:?}");
    assert_eq!(evidence.about("KAL-1", "answer.accepted").len(), 1);
    expect_activation(&daemon, "KAL-1", "accepted").await;
    expect_activation(&daemon, "KAL-2", "climbing").await;
    assert!(!daemon.data_dir().join("spool").exists(), "the record has everything");
    daemon.kill();
    daemon.start_again().await;
    expect_activation(&daemon, "KAL-2", "climbing").await;
    expect_activation(&daemon, "SWN-U1-1", "climbing").await;
}

#[tokio::test]
async fn killed_while_the_record_is_away_the_spool_brings_everything_back() {
    let mut postgres = Postgres::start_durable().await;
    let name = postgres.create_database();
    let gateway = Gateway::start();
    let plan = Daemon::plan(&directory(SMITH_FIRST)).listener().gateway("first", &gateway).record(&postgres.url(&name));
    let mut daemon = plan.webhook("westside", "http://127.0.0.1:9/", "a secret that is long enough to be one").start().await;
    postgres.stop().await;
    let raise = |device: &str| json!({"site": "kalamunda-library", "device": device, "id": device});
    let smith = gateway.phone(SMITH);
    for (device, act) in [("front-counter-1", "KAL-1"), ("back-office", "KAL-U1-1")] {
        let raised = daemon.api().must_post("/api/v1/activations", &raise(device)).await;
        assert_eq!(raised["activation"], act);
        smith.expect_sms(act).await;
    }
    daemon.kill();
    postgres.start_again().await;
    daemon.start_again().await;
    let evidence = Evidence::of_rows(&postgres.query(&name, Evidence::ROWS));
    evidence.must_be_whole();
    for (device, act) in [("front-counter-1", "KAL-1"), ("back-office", "KAL-U1-1")] {
        expect_activation(&daemon, act, "climbing").await;
        assert!(evidence.has_press(device), "what was confirmed with a 2xx is in the record (I1)");
    }
}
