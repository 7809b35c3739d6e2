//! A gateway spoken to by templates: what a request says, what an answer means, and whose word is taken for a reply.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dispatch::{HookKind, HookRequest, Settings};
use escalation::acknowledgement::{Answer, Code, Reply, Sender};
use escalation::dispatch::{Address, Failure, Report};
use escalation::input::Input;
use ring::hmac;
use serde_json::{Value, json};

use crate::gateway::{Act, Gateway};
use crate::watch::{Desk, TEXT, Watch, clock, name, order, text};

const SECRET: &str = "a secret of callbacks, 24+";
const TAKEN: &str = r#"{"messages":[{"id":"m-1","status":"QUEUED"}]}"#;

/// A JSON gateway that is polled and calls back.
pub(crate) fn gateway(desk: &Desk, url: &str, more: &str) -> String {
    let (token, secret) = (desk.secret("token-http", "s3cret\n"), desk.secret("callback", SECRET));
    format!(
        r#"
[[sms]]
name = "second"
kind = "http"
from = "+61400000009"
url = "{url}/send"
body = '''{{"to":"{{{{ to_plain }}}}","from":"{{{{ from }}}}","text":"{{{{ text }}}}","ref":"{{{{ dispatch }}}}"{{% if status_url %}},"callback":"{{{{ status_url }}}}"{{% endif %}}}}'''
auth = "bearer"
token_file = {token:?}
keep_warm = false
{more}
[sms.headers]
X-Api-Version = "3"
[sms.taken]
id = "/messages/0/id"
status = "/messages/0/status"
ok = ["queued"]
code = "/error/code"
credentials = ["NO_CREDIT"]
transient = ["THROTTLED"]
[sms.receipt]
id = "id"
status = "status"
code = "reason"
delivered = ["delivered"]
failed = ["failed", "expired"]
poll_url = "{url}/messages/{{{{ id }}}}"
[sms.reply]
id = "id"
from = "/sender/number"
text = "body"
sent_at = ["at"]
poll_url = "{url}/replies?after={{{{ since }}}}"
poll_items = "/replies"
confirm_url = "{url}/replies/confirmed"
confirm_body = '{{"ids": {{{{ ids }}}}}}'
[sms.callback]
auth = "secret"
secret_file = {secret:?}
"#
    )
}

pub(crate) async fn shop() -> (Gateway, Watch, Desk) {
    let gateway = Gateway::start().await;
    gateway.shows("/replies", 200, r#"{"replies":[]}"#);
    (gateway, Watch::new(), Desk::new())
}

pub(crate) fn hook(kind: HookKind, query: &str, body: &str) -> HookRequest {
    let path = match kind {
        HookKind::Status => "status",
        HookKind::Inbound | HookKind::Voice => "inbound",
    };
    HookRequest {
        provider: "second".to_owned(),
        kind,
        method: "POST".to_owned(),
        path_and_query: format!("/hooks/second/{path}{query}"),
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        body: body.as_bytes().to_vec(),
    }
}

pub(crate) fn answers(watch: &Watch) -> Vec<Answer> {
    watch.inputs().into_iter().filter_map(|input| if let Input::Answer(answer) = input { Some(answer) } else { None }).collect()
}

pub(crate) fn key() -> String {
    format!("?key={}", SECRET.replace(' ', "%20").replace(',', "%2C").replace('+', "%2B"))
}

#[tokio::test]
async fn a_request_says_what_the_template_says_with_our_login_and_headers() {
    let (gateway_, watch, desk) = shop().await;
    gateway_.shows("/send", 202, TAKEN);
    let voice = {
        let toml = gateway(&desk, &gateway_.url, "");
        desk.add(&toml)
    }
    .open(&watch);
    voice.send(text("KAL-42.7")).unwrap();
    let report = watch.reported(1).await.remove(0);
    assert_eq!((report.report, report.provider), (Report::AcceptedReceiptDue, Some(name("second"))));
    assert_eq!((report.provider_ref.as_deref(), report.tries), (Some("m-1"), 1));
    let sent = gateway_.at("/send").remove(0);
    assert_eq!((sent.method.as_str(), sent.header("authorization").as_str()), ("POST", "Bearer s3cret"));
    assert_eq!((sent.header("x-api-version").as_str(), sent.header("content-type").as_str()), ("3", "application/json"));
    let callback = format!("https://alerts.example.org/hooks/second/status?d=KAL-42.7&{}", &key()[1..]);
    assert_eq!(
        serde_json::from_str::<Value>(&sent.body).unwrap(),
        json!({"to": "61400000001", "from": "+61400000009", "text": TEXT, "ref": "KAL-42.7", "callback": callback})
    );
}

#[tokio::test]
async fn no_word_can_break_out_of_its_place() {
    let nasty = "Zo\u{eb}\"s, {x} & = + % \\ ? #";
    for (method, url, body, kind) in [
        ("post", "", r#"body = '{"to":"{{ to }}","text":"{{ text }}"}'"#, "application/json"),
        ("post", "", "body_as = \"form\"\nbody = 'to={{ to }}&text={{ text }}'", "application/x-www-form-urlencoded"),
        ("get", "?to={{ to }}&text={{ text }}", "", ""),
    ] {
        let (gateway, watch, desk) = shop().await;
        gateway.shows("/send", 200, "fine");
        let toml = format!(
            "[[sms]]\nname = \"second\"\nkind = \"http\"\nfrom = \"+61400000009\"\nkeep_warm = false\nmethod = \"{method}\"\n\
             url = \"{0}/send{url}\"\n{body}\n[sms.reply]\nid = \"i\"\nfrom = \"f\"\ntext = \"t\"\nsent_at = [\"at\"]\npoll_url = \"{0}/replies\"\n",
            gateway.url
        );
        let voice = desk.add(&toml).open(&watch);
        let mut order = text("KAL-1.1");
        order.words.insert("site_sms", nasty.to_owned());
        voice.send(order).unwrap();
        let report = watch.reported(1).await.remove(0);
        assert_eq!(report.report, Report::Accepted, "no receipt was promised");
        let (sent, words) = (gateway.at("/send").remove(0), report.text.unwrap());
        assert_eq!(sent.header("content-type"), kind);
        let said = match kind {
            "application/json" => serde_json::from_str::<Value>(&sent.body).unwrap()["text"].as_str().unwrap().to_owned(),
            "" => reqwest::Url::parse(&format!("http://h{}", sent.path))
                .unwrap()
                .query_pairs()
                .find(|(k, _)| k == "text")
                .unwrap()
                .1
                .into_owned(),
            _form => sent.field("text"),
        };
        assert_eq!(Some(said.as_str()), words.open());
        assert!(said.contains("Zo") && said.contains("& = + %"), "{said}");
    }
}

#[tokio::test]
async fn an_answer_is_what_the_settings_say_it_is() {
    for (status, body, report, duplicate) in [
        (200, r#"{"error":{"code":"NO_CREDIT"}}"#, Report::Failed(Failure::Credentials), false),
        (400, r#"{"error":{"code":"BAD_NUMBER"}}"#, Report::Failed(Failure::Refused), false),
        (402, "{}", Report::Failed(Failure::Credentials), false),
        (400, r#"{"error":{"code":"throttled"}}"#, Report::Failed(Failure::Unavailable), false),
        (200, r#"{"messages":[{"id":"m-1","status":"PONDERED"}]}"#, Report::Failed(Failure::Unavailable), true),
    ] {
        let (gateway_, watch, desk) = shop().await;
        gateway_.shows("/send", status, body);
        let toml = gateway(&desk, &gateway_.url, "attempt_s = 1");
        let voice = desk.add(&toml).open(&watch);
        voice.send(text("KAL-42.1")).unwrap();
        let said = watch.reported(1).await.remove(0);
        assert_eq!((said.report, said.possible_duplicate), (report, duplicate), "{body}");
    }
}

#[tokio::test]
async fn replies_and_receipts_are_polled_and_confirmed_once_they_are_durable() {
    let (gateway_, watch, desk) = shop().await;
    gateway_.shows("/send", 200, TAKEN);
    gateway_.shows("/messages/m-1", 200, r#"{"id":"m-1","status":"expired","reason":"E-17"}"#);
    gateway_.shows(
        "/replies",
        200,
        r#"{"replies":[{"id":2,"sender":{"number":"0400 000 001"},"body":"y47","at":"2026-04-13T06:03:00Z"},
                       {"id":1,"sender":{"number":"61400000002"},"body":"N47","at":"2026-04-13T06:02:00Z"},
                       {"id":0,"sender":{"number":"61400000002"},"body":"Y47","at":"2026-01-01T00:00:00Z"}]}"#,
    );
    gateway_.shows("/replies/confirmed", 202, "{}");
    watch.refuse(1);
    let toml = gateway(&desk, &gateway_.url, "");
    let voice = desk.add(&toml).open_while(&watch, true, None);
    gateway_.until("the second confirmation", |gateway| gateway.at("/replies/confirmed").len() >= 2).await;
    let confirmed: Vec<Value> = gateway_.at("/replies/confirmed").iter().map(|seen| serde_json::from_str(&seen.body).unwrap()).collect();
    assert_eq!(confirmed[0], json!({"ids": ["0", "2"]}), "what was not taken is not confirmed; what is too old is only confirmed");
    assert_eq!(confirmed[1], json!({"ids": ["0", "1", "2"]}));
    let said: Vec<_> = answers(&watch).into_iter().map(|answer| (answer.reply, answer.provider_ref.unwrap())).collect();
    assert_eq!(
        said,
        [(Reply::Going { code: Code::new(47) }, "second:2".to_owned()), (Reply::Cannot { code: Code::new(47) }, "second:1".to_owned()),]
    );
    let Sender::Number(number) = &answers(&watch)[0].from else { panic!("from a number") };
    assert_eq!(number.open(), Some("+61400000001"), "however the provider writes it");
    voice.send(text("KAL-42.7")).unwrap();
    let receipt = watch.reported(2).await.pop().unwrap();
    assert_eq!((receipt.report, receipt.dispatch.to_string().as_str()), (Report::Undelivered { code: "E17".to_owned() }, "KAL-42.7"));
}

#[tokio::test]
async fn one_message_that_cannot_be_asked_after_costs_no_other_its_receipt() {
    let (gateway_, watch, desk) = shop().await;
    let toml = gateway(&desk, &gateway_.url, "");
    gateway_.shows("/messages/m-1", 500, "{}");
    gateway_.shows("/messages/m-2", 400, "{}");
    for n in 3..=30 {
        gateway_.shows(&format!("/messages/m-{n}"), 200, &format!(r#"{{"id":"m-{n}","status":"delivered"}}"#));
    }
    let voice = desk.add(&toml).open_while(&watch, true, None);
    for n in 1..=30 {
        voice.expect_receipt(&format!("KAL-42.{n}").parse().unwrap(), &name("second"), &format!("m-{n}"));
    }
    let reports = watch.reported(28).await;
    assert!(reports.iter().all(|report| report.report == Report::Delivered));
}

#[tokio::test]
async fn only_a_callback_that_proves_itself_is_believed() {
    let (gateway_, watch, desk) = shop().await;
    let toml = gateway(&desk, &gateway_.url, "");
    let callbacks = desk.add(&toml).open(&watch).callbacks();
    let reply = r#"{"id":"r-1","sender":{"number":"+61400000001"},"body":"Y47"}"#;
    for query in ["", "?key=", "?key=another%20secret%20of%20callbacks", "?d=KAL-42.7"] {
        assert_eq!(callbacks.receive(hook(HookKind::Inbound, query, reply)).await.status, 403, "{query}");
    }
    assert_eq!(watch.offered(), 0);
    for _ in 0..2 {
        let said = callbacks.receive(hook(HookKind::Inbound, &key(), reply)).await;
        assert_eq!((said.status, said.body.as_str()), (200, "OK"));
    }
    assert_eq!(answers(&watch).len(), 1, "each once");
    let status = format!("{}&d=KAL-42.7", key());
    for (body, code) in [
        (r#"{"id":"m-9","status":"sent"}"#, 200),
        (r#"{"id":"m-9","status":"Delivered"}"#, 200),
        (r#"{"id":"m-9","status":"delivered"}"#, 200),
        ("not json", 400),
        (r#"{"hello":"there"}"#, 400),
    ] {
        assert_eq!(callbacks.receive(hook(HookKind::Status, &status, body)).await.status, code, "{body}");
    }
    assert_eq!(watch.reports().len(), 1);
    assert_eq!((watch.reports()[0].report.clone(), watch.reports()[0].dispatch.to_string().as_str()), (Report::Delivered, "KAL-42.7"));
    // A reply that is posted to the address of receipts is a reply all the same.
    let other = reply.replace("r-1", "r-2");
    assert_eq!(callbacks.receive(hook(HookKind::Status, &status, &other)).await.status, 200);
    assert_eq!(answers(&watch).len(), 2);
    watch.refuse(1);
    let third = reply.replace("r-1", "r-3");
    assert_eq!(callbacks.receive(hook(HookKind::Inbound, &key(), &third)).await.status, 503, "I1: not confirmed before it is durable");
    assert_eq!(callbacks.receive(hook(HookKind::Inbound, &key(), &third)).await.status, 200);
}

#[tokio::test]
async fn secrets_in_headers_and_signatures_are_checked_too() {
    let reply = r#"{"id":"r-1","sender":{"number":"+61400000001"},"body":"Y47"}"#;
    let at = (clock())().as_second();
    let sign = |signed: String| -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
        hmac::sign(&key, signed.as_bytes()).as_ref().iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
    };
    let basic = format!("Basic {}", STANDARD.encode(format!("cooee:{SECRET}")));
    let stamp = |at: i64| vec![("X-At", at.to_string()), ("X-Sign", format!("sha256={}", sign(format!("{at}.{reply}"))))];
    for (more, headers, status) in [
        ("header = \"X-Secret\"", vec![("x-secret", SECRET.to_owned())], 200),
        ("header = \"X-Secret\"", vec![("x-secret", "another one of 24 bytes".to_owned())], 403),
        ("user = \"cooee\"\nauth = \"basic\"", vec![("Authorization", basic.clone())], 200),
        ("user = \"other\"\nauth = \"basic\"", vec![("Authorization", basic)], 403),
        ("auth = \"hmac\"\nheader = \"X-Sign\"", vec![("X-Sign", sign(reply.to_owned()))], 200),
        ("auth = \"hmac\"\nheader = \"X-Sign\"", vec![("X-Sign", sign(reply.replace("Y47", "N47")))], 403),
        ("auth = \"hmac\"\nheader = \"X-Sign\"", vec![("X-Sign", "0g".to_owned())], 403),
        ("auth = \"hmac\"\nheader = \"X-Sign\"\ntimestamp_header = \"X-At\"", stamp(at), 200),
        ("auth = \"hmac\"\nheader = \"X-Sign\"\ntimestamp_header = \"X-At\"", stamp(at - 3_600), 403),
    ] {
        let (gateway_, watch, desk) = shop().await;
        let mut toml = gateway(&desk, &gateway_.url, "");
        if more.contains("auth") {
            toml = toml.replace("auth = \"secret\"\n", "");
        }
        let callbacks = desk.add(&toml).add(more).open(&watch).callbacks();
        let mut request = hook(HookKind::Inbound, &key(), reply);
        request.headers.extend(headers.into_iter().map(|(name, value)| (name.to_owned(), value)));
        assert_eq!(callbacks.receive(request).await.status, status, "{more}");
    }
}

#[tokio::test]
async fn a_signature_over_the_body_says_nothing_of_the_address() {
    let (gateway_, watch, desk) = shop().await;
    let toml =
        gateway(&desk, &gateway_.url, "").replace("auth = \"secret\"\n", "auth = \"hmac\"\nheader = \"X-Sign\"\nencoding = \"base64\"\n");
    let callbacks = desk.add(&toml).open(&watch).callbacks();
    let body = r#"{"id":"m-9","status":"delivered"}"#;
    let mut request = hook(HookKind::Status, "?d=KAL-42.7", body);
    let code = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()), body.as_bytes());
    request.headers.push(("X-Sign".to_owned(), STANDARD.encode(code)));
    assert_eq!(callbacks.receive(request).await.status, 200);
    assert!(watch.reports().is_empty(), "whose receipt it is was not signed, and nobody waits for m-9");
}

#[tokio::test]
async fn a_token_is_fetched_once_kept_and_fetched_anew_when_it_is_refused() {
    let (gateway_, watch, desk) = shop().await;
    gateway_.shows("/token", 200, r#"{"access_token":"t-1","expires_in":"3600"}"#);
    gateway_.script([Act::Say(201, None, TAKEN), Act::Say(401, None, "{}"), Act::Say(201, None, TAKEN)]);
    let login =
        format!("auth = \"oauth2\"\nuser = \"client\"\nscope = \"messages:read messages:write\"\ntoken_url = \"{}/token\"", gateway_.url);
    let toml = gateway(&desk, &gateway_.url, "").replace("auth = \"bearer\"", &login);
    let voice = desk.add(&toml).open(&watch);
    for n in 1..=2 {
        voice.send(text(&format!("KAL-{n}.1"))).unwrap();
        assert_eq!(watch.reported(n).await.pop().unwrap().report, Report::AcceptedReceiptDue);
        gateway_.shows("/token", 200, r#"{"access_token":"t-2"}"#);
    }
    let tokens = gateway_.at("/token");
    assert_eq!((tokens.len(), tokens[0].field("grant_type").as_str()), (2, "client_credentials"));
    assert_eq!((tokens[0].field("client_id"), tokens[0].field("client_secret")), ("client".to_owned(), "s3cret".to_owned()));
    assert_eq!(tokens[0].field("scope"), "messages:read messages:write");
    let used: Vec<_> = gateway_.at("/send").iter().map(|seen| seen.header("authorization")).collect();
    assert_eq!(used, ["Bearer t-1", "Bearer t-1", "Bearer t-2"]);
}

#[tokio::test]
async fn a_login_by_basic_or_mac_is_sent_with_each_request() {
    for (auth, begins) in [("basic", "Basic Y2xpZW50OnMzY3JldA=="), ("mac", "MAC id=\"client\", ts=\"1776060180\", nonce=\"")] {
        let (gateway_, watch, desk) = shop().await;
        gateway_.shows("/send", 200, TAKEN);
        let toml = gateway(&desk, &gateway_.url, "").replace("auth = \"bearer\"", &format!("auth = \"{auth}\"\nuser = \"client\""));
        let voice = desk.add(&toml).open(&watch);
        voice.send(text("KAL-1.1")).unwrap();
        assert_eq!(watch.reported(1).await.remove(0).tries, 1);
        let login = gateway_.at("/send").remove(0).header("authorization");
        assert!(login.starts_with(begins), "{login}");
    }
}

#[tokio::test]
async fn a_gateway_that_fails_is_left_for_the_next_account_whatever_its_kind() {
    let (second, watch, desk) = shop().await;
    let first = Gateway::start().await;
    first.always(Act::Say(500, None, "{}"));
    second.shows("/send", 200, TAKEN);
    let toml = gateway(&desk, &second.url, "");
    let voice = desk.sms("first", &first.url, "").add(&toml).open(&watch);
    voice.send(text("KAL-1.1")).unwrap();
    let report = watch.reported(1).await.remove(0);
    assert_eq!((report.provider, report.tries, report.possible_duplicate), (Some(name("second")), 2, false));
}

#[tokio::test]
async fn doctor_knows_whether_a_gateway_takes_our_login() {
    let (gateway_, _watch, desk) = shop().await;
    gateway_.shows("/me", 200, "{}");
    let toml = gateway(&desk, &gateway_.url, &format!("probe_url = \"{}/me\"", gateway_.url));
    let desk = desk.add(&toml);
    let said = async |settings: &Settings| dispatch::probe(settings, None, &clock()).await.unwrap().remove(0).1;
    assert!(said(&desk.settings()).await.unwrap().contains("takes our login"));
    gateway_.shows("/me", 403, "{}");
    assert!(said(&desk.settings()).await.unwrap_err().contains("refuses our login"));
    let desk = desk.but(&format!("probe_url = \"{}/me\"", gateway_.url), "");
    assert!(said(&desk.settings()).await.unwrap().contains("nobody knows"));
    assert!(gateway_.posts().is_empty(), "a probe sends no message");
}

#[tokio::test]
async fn a_gateway_that_is_set_up_wrong_is_refused_with_its_key_and_the_remedy() {
    for (from, to, wanted) in [
        ("\"{{ text }}\"", "{{ text }}", "body: does not make JSON"),
        ("\"text\":\"{{ text }}\"", "\"text\":\"hello\"", "body: does not say the text"),
        ("\"to\":\"{{ to_plain }}\",", "", "body: does not say whom"),
        ("{{ dispatch }}", "{{ dispach }}", "body: there is no word \"dispach\""),
        ("{{ dispatch }}", "{{ dispatch", "body: is not a template"),
        ("from = \"+61400000009\"", "from = \"COUNCIL\"", "from: is not a number"),
        ("auth = \"bearer\"", "auth = \"basic\"", "auth: needs user"),
        ("id = \"/messages/0/id\"", "id = \"messages\"", "taken.id: is not a JSON pointer"),
        ("/replies/confirmed\"", "/replies/{{ text }}\"", "reply.confirm_url: there is no word \"text\""),
        ("sent_at = [\"at\"]", "", "reply.sent_at: is missing"),
        ("X-Api-Version = \"3\"", "\"X Api\" = \"3\"", "headers.X Api: is not a header"),
        ("X-Api-Version = \"3\"", "X-Api-Key = \"abcdef\"", "headers.X-Api-Key: seems to hold a secret"),
        ("url = \"http://127", "url = \"http://me:pass@127", "url: holds a password"),
        ("http://127.0.0.1", "http://gateway.example.org", "plain http"),
    ] {
        let desk = Desk::new();
        let toml = gateway(&desk, "http://127.0.0.1:1", "");
        assert!(toml.contains(from), "the story changes a passage that is not there: {from}");
        let desk = desk.add(&toml.replace(from, to));
        let error = dispatch::check(&desk.settings(), None).unwrap_err().to_string();
        assert!(error.starts_with("[[sms]] second ") && error.contains(wanted) && error.lines().count() >= 2, "{error}");
    }
    let desk = Desk::new();
    let toml = gateway(&desk, "http://127.0.0.1:1", "inbound = \"webhook\"")
        .replace("poll_url = \"http://127.0.0.1:1/replies?after={{ since }}\"\n", "");
    let desk = desk.add(&toml);
    assert!(dispatch::check(&desk.settings(), Some("https://alerts.example.org")).is_ok());
    let error = dispatch::check(&desk.settings(), None).unwrap_err().to_string();
    assert!(error.contains("there is no public_url"), "{error}");
    desk.secret("callback", "short");
    let error = dispatch::check(&desk.settings(), Some("https://alerts.example.org")).unwrap_err().to_string();
    assert!(error.contains("callback.secret_file: the secret has 5 bytes"), "{error}");
}

#[tokio::test]
async fn a_header_may_hold_the_secret_or_name_the_message() {
    let (gateway_, watch, desk) = shop().await;
    gateway_.shows("/send", 200, TAKEN);
    let own = "X-Api-Key = \"{{ token }}\"\nIdempotency-Key = \"{{ dispatch_key }}\"";
    let toml = gateway(&desk, &gateway_.url, "").replace("auth = \"bearer\"\n", "").replace("X-Api-Version = \"3\"", own);
    let voice = desk.add(&toml).open_while(&watch, false, None);
    voice.send(text("KAL-42.7")).unwrap();
    watch.reported(1).await;
    let sent = gateway_.at("/send").remove(0);
    assert_eq!((sent.header("x-api-key").as_str(), sent.header("idempotency-key").as_str()), ("s3cret", text("KAL-42.7").key().as_str()));
    gateway_.until("a listing", |gateway| !gateway.at("/replies").is_empty()).await;
    let listed = gateway_.at("/replies").remove(0);
    assert_eq!(listed.header("x-api-key"), "s3cret");
    assert!(!listed.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("idempotency-key")), "of no message");
}

#[tokio::test]
async fn a_listing_that_is_refused_says_nothing_against_sending() {
    let (gateway_, watch, desk) = shop().await;
    gateway_.shows("/replies", 429, "{}");
    let toml = gateway(&desk, &gateway_.url, "");
    let voice = desk.add(&toml).open_while(&watch, true, None);
    gateway_.until("a second look", |gateway| gateway.at("/replies").len() >= 2).await;
    assert_eq!(voice.health()[0].consecutive_failures, 0);
}

#[tokio::test]
async fn only_texts_go_by_a_gateway() {
    let (gateway_, watch, desk) = shop().await;
    let toml = gateway(&desk, &gateway_.url, "");
    let voice = desk.add(&toml).open(&watch);
    voice.send(order("KAL-1.1", Address::Email("a@example.org".to_owned()))).unwrap();
    assert_eq!(watch.reported(1).await.remove(0).report, Report::Failed(Failure::NoCarrier));
}

#[tokio::test]
async fn a_provider_whose_tokens_hang_is_given_up_by_every_message_at_once() {
    let (gateway_, other, watch, desk) = {
        let (gateway, watch, desk) = shop().await;
        (gateway, Gateway::start().await, watch, desk)
    };
    // A door that is open and behind which nobody speaks.
    let hung = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let login = format!("auth = \"oauth2\"\nuser = \"client\"\ntoken_url = \"http://{}/token\"", hung.local_addr().unwrap());
    // The first account's own time is far longer than that of the second's: what ends the wait is the budget of the request.
    let toml = gateway(&desk, &gateway_.url, "request_ms = 2000").replace("auth = \"bearer\"", &login);
    let voice = desk.add(&toml).sms("third", &other.url, "").open(&watch);
    let many = 40;
    for n in 1..=many {
        voice.send(text(&format!("KAL-{n}.1"))).unwrap();
    }
    // One after another they would take more than a minute, and the watch waits no longer.
    let reports = watch.reported(many).await;
    assert!(reports.iter().all(|report| report.provider == Some(name("third"))));
    assert!(reports.iter().all(|report| !report.possible_duplicate), "without a token nothing was sent");
}
