//! Callbacks: only what the provider signed is believed, each thing once, and nothing is confirmed before it is durable.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dispatch::{Callbacks, HookKind, HookRequest};
use escalation::acknowledgement::{Code, Reply, Sender};
use escalation::dispatch::Report;
use escalation::input::Input;
use ring::hmac;

use crate::gateway::{Act, Gateway};
use crate::watch::{Desk, OLD_TOKEN, PUBLIC, TOKEN, Watch, text};

const STATUS: &str = "/hooks/first/status?d=KAL-42.7";
const INBOUND: &str = "/hooks/first/inbound";

fn sign(token: &str, signed: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    STANDARD.encode(hmac::sign(&key, signed.as_bytes()))
}

/// A form request signed as the provider does: the address, then each field sorted by name.
pub(crate) fn form(token: &str, path: &str, fields: &[(&str, &str)]) -> HookRequest {
    let mut sorted = fields.to_vec();
    sorted.sort_unstable();
    let signed = sorted.iter().fold(format!("{PUBLIC}{path}"), |signed, (name, value)| signed + name + value);
    let mut url = reqwest::Url::parse("http://localhost/").unwrap();
    url.query_pairs_mut().extend_pairs(fields);
    HookRequest {
        provider: path.split('/').nth(2).unwrap().to_owned(),
        kind: match path.split(['/', '?']).nth(3).unwrap() {
            "status" => HookKind::Status,
            "inbound" => HookKind::Inbound,
            "voice" => HookKind::Voice,
            other => panic!("no callback goes to {other}"),
        },
        method: "POST".to_owned(),
        path_and_query: path.to_owned(),
        headers: vec![
            ("Content-Type".to_owned(), "application/x-www-form-urlencoded; charset=utf-8".to_owned()),
            ("X-Twilio-Signature".to_owned(), sign(token, &signed)),
            ("Host".to_owned(), "evil.example.org".to_owned()),
            ("X-Forwarded-Host".to_owned(), "evil.example.org".to_owned()),
        ],
        body: url.query().unwrap().as_bytes().to_vec(),
    }
}

fn reply(sid: &str, body: &str) -> HookRequest {
    form(TOKEN, INBOUND, &[("MessageSid", sid), ("From", "+61400000001"), ("To", "+61400000000"), ("Body", body)])
}

fn status(sid: &str, status: &str) -> HookRequest {
    form(
        TOKEN,
        STATUS,
        &[("MessageSid", sid), ("MessageStatus", status), ("ErrorCode", if status == "undelivered" { "30003" } else { "" })],
    )
}

async fn callbacks(watch: &Watch) -> Callbacks {
    let gateway = Gateway::start().await;
    Desk::new().sms("first", &gateway.url, "inbound = \"webhook\"").open(watch).callbacks()
}

#[tokio::test]
async fn a_signed_reply_is_handed_in_once_and_confirmed_with_an_empty_answer() {
    let watch = Watch::new();
    let callbacks = callbacks(&watch).await;
    for _ in 0..3 {
        let answer = callbacks.receive(reply("SM1", "y 47")).await;
        assert_eq!((answer.status, answer.content_type), (200, "text/xml"));
        assert!(answer.body.ends_with("<Response/>"));
    }
    let inputs = watch.inputs();
    let [Input::Answer(answer)] = inputs.as_slice() else { panic!("one answer, got {inputs:?}") };
    assert_eq!(answer.reply, Reply::Going { code: Code::new(47) });
    let Sender::Number(number) = &answer.from else { panic!("from a number") };
    assert_eq!(number.open(), Some("+61400000001"));
    assert_eq!(answer.provider_ref.as_deref(), Some("SM1"));
}

#[tokio::test]
async fn i4_a_reaction_that_quotes_our_text_is_not_an_answer() {
    let watch = Watch::new();
    let callbacks = callbacks(&watch).await;
    let quoted = format!("Liked \u{201c}{}\u{201d}", crate::watch::TEXT);
    assert_eq!(callbacks.receive(reply("SM1", &quoted)).await.status, 200);
    let inputs = watch.inputs();
    let [Input::Answer(answer)] = inputs.as_slice() else { panic!("recorded all the same, got {inputs:?}") };
    assert_eq!(answer.reply, Reply::NotAnAnswer);
}

#[tokio::test]
async fn what_is_not_signed_by_the_provider_is_refused_and_nothing_is_submitted() {
    let watch = Watch::new();
    let callbacks = callbacks(&watch).await;
    let mut forged = vec![form("another token", INBOUND, &[("MessageSid", "SM1"), ("From", "+61400000001"), ("Body", "Y47")])];
    let mut changed = reply("SM1", "Y47");
    changed.body = b"MessageSid=SM1&From=%2B61400000001&To=%2B61400000000&Body=Y48".to_vec();
    forged.push(changed);
    let mut elsewhere = reply("SM1", "Y47");
    elsewhere.path_and_query = "/hooks/first/inbound?x=1".to_owned();
    forged.push(elsewhere);
    let mut unsigned = reply("SM1", "Y47");
    unsigned.headers.retain(|(name, _)| name != "X-Twilio-Signature");
    forged.push(unsigned);
    let mut binary = reply("SM1", "Y47");
    binary.body = vec![0xff, 0, 0xfe];
    forged.push(binary);
    let mut untyped = reply("SM1", "Y47");
    untyped.headers.retain(|(name, _)| name != "Content-Type");
    forged.push(untyped);
    for request in forged {
        assert_eq!(callbacks.receive(request).await.status, 403);
    }
    assert_eq!(watch.offered(), 0);
}

#[tokio::test]
async fn both_tokens_are_good_while_one_replaces_the_other() {
    let watch = Watch::new();
    let callbacks = callbacks(&watch).await;
    let fields = [("MessageSid", "SM1"), ("From", "+61400000001"), ("Body", "Y47")];
    assert_eq!(callbacks.receive(form(OLD_TOKEN, INBOUND, &fields)).await.status, 200);
}

#[tokio::test]
async fn without_a_public_address_no_callback_can_be_believed() {
    let (gateway, watch) = (Gateway::start().await, Watch::new());
    let voice = Desk::new().sms("first", &gateway.url, "").open_while(&watch, false, None);
    assert_eq!(voice.callbacks().receive(reply("SM1", "Y47")).await.status, 403);
    voice.send(text("KAL-42.1")).unwrap();
    watch.reported(1).await;
    assert_eq!(gateway.posts()[0].field("StatusCallback"), "", "and none is asked for");
}

#[tokio::test]
async fn i1_a_callback_is_confirmed_only_once_it_is_durable() {
    let watch = Watch::new();
    let callbacks = callbacks(&watch).await;
    watch.refuse(2);
    assert_eq!(callbacks.receive(reply("SM1", "Y47")).await.status, 503);
    assert_eq!(callbacks.receive(status("SM2", "delivered")).await.status, 503);
    assert!(watch.inputs().is_empty());
    // The provider tries again; what was not taken is not mistaken for a replay.
    assert_eq!(callbacks.receive(reply("SM1", "Y47")).await.status, 200);
    assert_eq!(callbacks.receive(status("SM2", "delivered")).await.status, 200);
    assert_eq!(watch.inputs().len(), 2);
}

#[tokio::test]
async fn a_status_only_moves_up() {
    let watch = Watch::new();
    let callbacks = callbacks(&watch).await;
    for now in ["queued", "sent", "delivered", "sent", "delivered", "queued", "undelivered", "delivered"] {
        assert_eq!(callbacks.receive(status("SM1", now)).await.status, 200);
    }
    let reports: Vec<_> = watch.reports().into_iter().map(|report| report.report).collect();
    assert_eq!(reports, [Report::Delivered, Report::Undelivered { code: "30003".to_owned() }]);
    assert!(watch.reports().iter().all(|report| report.dispatch.to_string() == "KAL-42.7"));
}

#[tokio::test]
async fn a_receipt_may_come_before_the_answer_it_belongs_to() {
    let (gateway, watch) = (Gateway::start().await, Watch::new());
    gateway.always(Act::Hold);
    let voice = Desk::new().sms("first", &gateway.url, "inbound = \"webhook\"").open(&watch);
    voice.send(text("KAL-42.7")).unwrap();
    gateway.until("the request", |gateway| gateway.posts().len() == 1).await;
    assert_eq!(voice.callbacks().receive(status("SM00000000000000000000000000000001", "delivered")).await.status, 200);
    gateway.release();
    let reports = watch.reported(2).await;
    assert_eq!((reports[0].report.clone(), reports[1].report.clone()), (Report::Delivered, Report::AcceptedReceiptDue));
    assert_eq!(reports[0].dispatch, reports[1].dispatch);
    assert!(reports[0].text.is_none() && reports[1].text.is_some(), "the words come with the first report of the send");
}

#[tokio::test]
async fn a_json_callback_is_bound_by_the_digest_in_its_address() {
    let watch = Watch::new();
    let callbacks = callbacks(&watch).await;
    let body = br#"{"MessageSid":"SM9","MessageStatus":"undelivered","ErrorCode":30005,"extra":[1]}"#;
    let digest = ring::digest::digest(&ring::digest::SHA256, body);
    let hex: String = digest.as_ref().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let path = format!("/hooks/first/status?d=KAL-42.7&bodySHA256={hex}");
    let request = |body: &[u8]| HookRequest {
        provider: "first".to_owned(),
        kind: HookKind::Status,
        method: "POST".to_owned(),
        path_and_query: path.clone(),
        headers: vec![
            ("content-type".to_owned(), "application/json".to_owned()),
            ("x-twilio-signature".to_owned(), sign(TOKEN, &format!("{PUBLIC}{path}"))),
        ],
        body: body.to_vec(),
    };
    assert_eq!(callbacks.receive(request(br#"{"MessageSid":"SM9","MessageStatus":"delivered"}"#)).await.status, 403);
    assert_eq!(callbacks.receive(request(body)).await.status, 200);
    assert_eq!(watch.reports()[0].report, Report::Undelivered { code: "30005".to_owned() });
}

#[tokio::test]
async fn other_methods_strangers_and_giants_are_turned_away() {
    let watch = Watch::new();
    let callbacks = callbacks(&watch).await;
    for (change, status) in [("GET", 405), ("HEAD", 405)] {
        let mut request = reply("SM1", "Y47");
        request.method = change.to_owned();
        assert_eq!(callbacks.receive(request).await.status, status);
    }
    for stranger in ["second", "", "a b", "../first"] {
        let mut request = reply("SM1", "Y47");
        request.provider = stranger.to_owned();
        assert_eq!(callbacks.receive(request).await.status, 404, "{stranger:?}");
    }
    let mut giant = reply("SM1", "Y47");
    giant.body = vec![b'a'; 1_000_000];
    assert_eq!(callbacks.receive(giant).await.status, 413);
    let senseless = form(TOKEN, INBOUND, &[("Hello", "there")]);
    assert_eq!(callbacks.receive(senseless).await.status, 400);
    assert_eq!(watch.offered(), 0);
}
