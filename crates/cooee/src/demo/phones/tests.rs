//! Stories of the fake provider, over real HTTP.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Form, State};
use axum::http::HeaderMap;
use axum::routing::post;
use serde_json::Value;
use tokio::sync::mpsc;

use super::*;

const PHONE: &str = "+61491570006";

fn now() -> Now {
    Arc::new(|| "2026-11-22T06:03:00Z".parse().unwrap())
}

async fn provider() -> Phones {
    Phones::start("+61480000000", None, now()).await.unwrap()
}

fn http() -> reqwest::Client {
    // The process may have been given one by another test.
    let _given = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().unwrap()
}

fn messages(phones: &Phones) -> String {
    format!("{}/2010-04-01/Accounts/{}/Messages.json", phones.base_url(), phones.account_sid())
}

async fn send(phones: &Phones, callback: Option<&str>) -> reqwest::Response {
    let mut form = vec![("To", PHONE), ("From", "+61480000000"), ("Body", "DURESS Library")];
    form.extend(callback.map(|url| ("StatusCallback", url)));
    let request = http().post(messages(phones)).form(&form);
    request.basic_auth(phones.account_sid(), Some(phones.auth_token())).send().await.unwrap()
}

async fn list(phones: &Phones, query: &str) -> Value {
    let request = http().get(format!("{}?{query}", messages(phones)));
    let response = request.basic_auth(phones.account_sid(), Some(phones.auth_token())).send().await.unwrap();
    response.json().await.unwrap()
}

type Seen = (HeaderMap, BTreeMap<String, String>);

/// A server that hands on what is posted to it.
async fn hook() -> (String, mpsc::UnboundedReceiver<Seen>, JoinSet<()>) {
    let (into, from) = mpsc::unbounded_channel();
    let take = async |State(into): State<mpsc::UnboundedSender<Seen>>, headers: HeaderMap, Form(form): Form<BTreeMap<String, String>>| {
        into.send((headers, form)).unwrap();
    };
    let router = Router::new().route("/hook", post(take)).with_state(into);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, from, tasks)
}

#[tokio::test]
async fn a_text_reaches_a_phone_with_signed_receipts() {
    let phones = provider().await;
    let (url, mut seen, _tasks) = hook().await;
    let answer = send(&phones, Some(&format!("{url}#rc=5&rp=all"))).await;
    assert_eq!(answer.status(), 201);
    let sent: Value = answer.json().await.unwrap();
    for status in ["sent", "delivered"] {
        let (headers, form) = seen.recv().await.unwrap();
        assert_eq!((form["MessageStatus"].as_str(), &form["MessageSid"]), (status, &sent["sid"].as_str().unwrap().to_owned()));
        assert!(headers.contains_key("x-twilio-signature"));
    }
    let thread = phones.thread(PHONE);
    assert_eq!((thread.len(), thread[0].body.as_str(), thread[0].inbound), (1, "DURESS Library", false));
}

#[tokio::test]
async fn a_reply_is_posted_and_can_be_listed() {
    let phones = provider().await;
    let (url, mut seen, _tasks) = hook().await;
    phones.post_replies_to(url);
    phones.reply(PHONE, "Y47");
    let (_, form) = seen.recv().await.unwrap();
    assert_eq!((form["Body"].as_str(), form["From"].as_str()), ("Y47", PHONE));
    let listed = list(&phones, "To=%2B61480000000&DateSent%3E=2026-11-22").await;
    assert_eq!(listed["messages"][0]["body"], "Y47");
    assert_eq!(listed["messages"][0]["direction"], "inbound");
    let later = list(&phones, "To=%2B61480000000&DateSent%3E=2026-11-23").await;
    assert_eq!(later["messages"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn lists_come_in_pages() {
    let phones = provider().await;
    for text in ["1", "2", "3"] {
        phones.reply(PHONE, text);
    }
    let first = list(&phones, "PageSize=2").await;
    let next = first["next_page_uri"].as_str().unwrap();
    let second = list(&phones, next.split_once('?').unwrap().1).await;
    let bodies = |page: &Value| -> Vec<String> {
        let messages = page["messages"].as_array().unwrap();
        messages.iter().map(|m| m["body"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((bodies(&first), bodies(&second)), (vec!["3".to_owned(), "2".to_owned()], vec!["1".to_owned()]));
    assert!(second["next_page_uri"].is_null());
}

#[tokio::test]
async fn switches_make_it_fail_as_they_say() {
    let phones = provider().await;
    phones.switch(Switch::ProviderDown, true);
    assert_eq!(send(&phones, None).await.status(), 503);
    assert!(phones.is_on(Switch::ProviderDown) && phones.thread(PHONE).is_empty());
    phones.switch(Switch::ProviderDown, false);
    phones.switch(Switch::NoReceipt, true);
    let (url, mut seen, _tasks) = hook().await;
    assert_eq!(send(&phones, Some(&url)).await.status(), 201);
    assert_eq!(phones.thread(PHONE).len(), 1);
    let sid = phones.thread(PHONE)[0].sid.clone();
    phones.exchange.deliver(&sid).await;
    assert!(seen.try_recv().is_err(), "a receipt was posted");
    assert_eq!(phones.thread(PHONE)[0].status, "queued");
}

#[tokio::test]
async fn a_stranger_is_refused() {
    let phones = provider().await;
    let request = http().get(messages(&phones)).basic_auth(phones.account_sid(), Some("wrong"));
    assert_eq!(request.send().await.unwrap().status(), 401);
}

#[tokio::test]
async fn threads_outlive_a_kill() {
    let folder = tempfile::tempdir().unwrap();
    let keep = folder.path().join("phones.jsonl");
    let phones = Phones::start("+61480000000", Some(keep.clone()), now()).await.unwrap();
    send(&phones, None).await;
    phones.reply(PHONE, "Y47");
    drop(phones);
    std::fs::write(&keep, std::fs::read_to_string(&keep).unwrap() + "\n{\"sid\":\"cut off").unwrap();
    let phones = Phones::start("+61480000000", Some(keep), now()).await.unwrap();
    let bodies: Vec<_> = phones.thread(PHONE).into_iter().map(|m| m.body).collect();
    assert_eq!(bodies, ["DURESS Library", "Y47"]);
}
