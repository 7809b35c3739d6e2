//! The parts themselves: each does what the other tests rely on, wrongly behaving ones included.

use std::time::Duration;

use harness::daemon::Api;
use harness::gateway::signature;
use harness::postgres::Database;
use harness::{Broker, Browser, Button, Fault, FaultySmtp, Gateway, Smtp, SmtpFault, wait};
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use reqwest::{Client, Response};
use rumqttc::{AsyncClient, Event, EventLoop, Packet, PublishOptions, QoS};

const KIM: &str = "+61400000001";
const SERVICE: &str = "+61480000000";

/// A subscriber with a session that the broker keeps.
fn listener(broker: &Broker) -> (AsyncClient, EventLoop) {
    let mut options = broker.options("listener");
    options.set_clean_session(false);
    AsyncClient::builder(options).capacity(100).build()
}

async fn connected(line: &mut EventLoop) -> bool {
    wait::until("a connection", async || match line.poll().await {
        Ok(Event::Incoming(Packet::ConnAck(ack))) => Some(ack.session_present),
        Ok(_) | Err(_) => None,
    })
    .await
}

async fn subscribed(client: &AsyncClient, line: &mut EventLoop) {
    client.subscribe("cooee/v1/+/+/press", QoS::AtLeastOnce).await.unwrap();
    wait::until("a SUBACK", async || match line.poll().await {
        Ok(Event::Incoming(Packet::SubAck(_))) => Some(()),
        Ok(_) | Err(_) => None,
    })
    .await;
}

async fn next_press(line: &mut EventLoop) -> String {
    wait::until("a press", async || match line.poll().await {
        Ok(Event::Incoming(Packet::Publish(message))) => Some(String::from_utf8(message.payload.to_vec()).unwrap()),
        Ok(_) | Err(_) => None,
    })
    .await
}

#[tokio::test]
async fn a_press_passes_through_mosquitto() {
    let broker = Broker::start().await;
    let (client, mut line) = listener(&broker);
    connected(&mut line).await;
    subscribed(&client, &mut line).await;
    let button = Button::connect(&broker, "library", "counter").await;
    let id = button.press().await;
    assert!(next_press(&mut line).await.contains(&id));

    let state = r#"{"id":"x","state":"received"}"#;
    let at_least_once = PublishOptions::new(QoS::AtLeastOnce);
    client.publish("cooee/v1/library/counter/state", state, at_least_once).await.unwrap();
    let sent = tokio::spawn(async move { while line.poll().await.is_ok() {} });
    button.expect_state("x", "received").await;
    sent.abort();
}

#[tokio::test]
async fn mosquitto_keeps_a_session_over_kill_and_loses_it_on_request() {
    let mut broker = Broker::start().await;
    let (client, mut line) = listener(&broker);
    assert!(!connected(&mut line).await);
    subscribed(&client, &mut line).await;
    drop((client, line));
    let button = Button::connect(&broker, "library", "counter").await;
    let id = button.press().await;
    broker.restart().await;
    let (_client, mut line) = listener(&broker);
    assert!(connected(&mut line).await, "the session was lost");
    assert!(next_press(&mut line).await.contains(&id));
    drop(line);

    broker.kill();
    broker.start_again().await;
    let (_client, mut line) = listener(&broker);
    assert!(connected(&mut line).await, "the session was lost by kill -9 although autosave is on");
    drop(line);

    broker.restart_without_sessions().await;
    let (_client, mut line) = listener(&broker);
    assert!(!connected(&mut line).await, "the session should have been lost");
}

#[tokio::test]
async fn mosquitto_asks_for_certificates_and_logins() {
    let broker = Broker::plan().client_certificates().start().await;
    assert!(broker.url().starts_with("mqtts://"));
    let button = Button::connect(&broker, "library", "counter").await;
    button.press().await;

    let broker = Broker::plan().login("counter", "secret").start().await;
    let button = Button::connect(&broker, "library", "counter").await;
    button.press().await;
    let stranger = rumqttc::MqttOptions::new("stranger", ("127.0.0.1", broker.port()));
    let (_client, mut line) = AsyncClient::builder(stranger).capacity(1).build();
    line.poll().await.unwrap_err();
}

#[tokio::test]
async fn postgres_answers_goes_away_and_comes_back() {
    let database = Database::fresh().await;
    let other = Database::fresh().await;
    assert_eq!(database.query("select 40 + 2"), "42");
    assert_ne!(database.url(), other.url());

    let mut cluster = harness::Postgres::start_durable().await;
    let name = cluster.create_database();
    cluster.query(&name, "create table kept(n bigint); insert into kept values (7)");
    cluster.crash().await;
    cluster.start_again().await;
    assert_eq!(cluster.query(&name, "select n from kept"), "7");
}

fn mail(subject: &str) -> Message {
    Message::builder()
        .from("Duress <duress@example.org>".parse().unwrap())
        .to("kim@example.org".parse().unwrap())
        .subject(subject)
        .header(ContentType::TEXT_PLAIN)
        .body("Kalamunda Library — front counter".to_owned())
        .unwrap()
}

fn carrier(host: &str, port: u16) -> lettre::transport::smtp::AsyncSmtpTransportBuilder {
    AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host).port(port).timeout(Some(Duration::from_secs(30)))
}

#[tokio::test]
async fn mail_arrives_plain_by_starttls_and_by_implicit_tls() {
    let smtp = Smtp::start().await;
    let [plain, starttls, implicit] = smtp.ports();
    let trust = Certificate::from_pem(smtp.ca_pem().as_bytes()).unwrap();
    let tls = || TlsParameters::builder("localhost".to_owned()).add_root_certificate(trust.clone()).build().unwrap();

    carrier("127.0.0.1", plain).build().send(mail("plain")).await.unwrap();
    carrier("localhost", starttls).tls(Tls::Required(tls())).build().send(mail("starttls")).await.unwrap();
    carrier("localhost", implicit).tls(Tls::Wrapper(tls())).build().send(mail("implicit")).await.unwrap();
    carrier("localhost", starttls).build().send(mail("refused")).await.unwrap_err();

    assert!(!smtp.expect_mail("kim@example.org", "plain").await.encrypted);
    assert!(smtp.expect_mail("kim@example.org", "starttls").await.encrypted);
    let mail = smtp.expect_mail("kim@example.org", "implicit").await;
    assert!(mail.encrypted);
    assert!(mail.text.contains("Library — front counter"), "decoded as a mail program does: {}", mail.text);
    assert_eq!(smtp.mails().len(), 3);
}

#[tokio::test]
async fn mail_asks_for_a_login() {
    let smtp = Smtp::start_with_login("duress", "secret").await;
    let [plain, _starttls, _implicit] = smtp.ports();
    let with = |password: &str| carrier("127.0.0.1", plain).credentials(Credentials::new("duress".to_owned(), password.to_owned())).build();
    with("wrong").send(mail("wrong")).await.unwrap_err();
    carrier("127.0.0.1", plain).build().send(mail("nobody")).await.unwrap_err();
    with("secret").send(mail("right")).await.unwrap();
    let mail = smtp.expect_mail("kim@example.org", "right").await;
    assert_eq!(mail.login.as_deref(), Some("duress"));
}

#[tokio::test]
async fn a_faulty_mail_server_errs_as_told() {
    let smtp = FaultySmtp::start().await;
    let port: u16 = smtp.url().rsplit(':').next().unwrap().parse().unwrap();
    let send = async || carrier("127.0.0.1", port).build().send(mail("one")).await;
    send().await.unwrap();
    smtp.fault(SmtpFault::Busy);
    assert!(send().await.unwrap_err().is_transient());
    smtp.fault(SmtpFault::NoSuchMailbox);
    assert!(send().await.unwrap_err().is_permanent());
    smtp.fault(SmtpFault::ClosingDown);
    assert!(send().await.unwrap_err().is_transient());
    smtp.fault(SmtpFault::DropMidReply);
    send().await.unwrap_err();
    smtp.fault(SmtpFault::Hang);
    let hung = tokio::spawn(async move { carrier("127.0.0.1", port).build().send(mail("hung")).await });
    smtp.expect_met(SmtpFault::Hang, 1).await;
    hung.abort();
    assert_eq!(smtp.taken().len(), 1);
}

async fn send(http: &Client, gateway: &Gateway, body: &str, callback: Option<&str>) -> reqwest::Result<Response> {
    let mut form = vec![("To", KIM), ("From", SERVICE), ("Body", body)];
    form.extend(callback.map(|url| ("StatusCallback", url)));
    http.post(messages(gateway)).basic_auth(gateway.account_sid(), Some(gateway.auth_token())).form(&form).send().await
}

fn messages(gateway: &Gateway) -> String {
    format!("{}/2010-04-01/Accounts/{}/Messages.json", gateway.url(), gateway.account_sid())
}

async fn list(http: &Client, gateway: &Gateway, query: &[(&str, &str)]) -> serde_json::Value {
    let request = http.get(messages(gateway)).query(query);
    let request = request.basic_auth(gateway.account_sid(), Some(gateway.auth_token()));
    request.send().await.unwrap().json().await.unwrap()
}

#[tokio::test]
async fn a_phone_gets_an_sms_and_replies() {
    let (gateway, http) = (Gateway::start(), harness::http::client());
    let phone = gateway.phone(KIM);
    let response = send(&http, &gateway, "DURESS Kalamunda Library. Reply Y47=going", None).await.unwrap();
    assert_eq!(response.status(), 201);
    let sms = phone.expect_sms("Y47").await;
    gateway.expect_nothing_else();
    assert_eq!(sms.from, SERVICE);
    phone.reply("Y47").await;
    for page in ["0", "1"] {
        send(&http, &gateway, page, None).await.unwrap();
    }

    let inbound = list(&http, &gateway, &[("To", SERVICE), ("DateSent>", "2020-01-01T00:00:00Z")]).await;
    assert_eq!(inbound["messages"][0]["body"], "Y47");
    assert_eq!(inbound["messages"][0]["direction"], "inbound");
    let first = list(&http, &gateway, &[("From", SERVICE), ("PageSize", "2")]).await;
    assert_eq!(first["messages"].as_array().unwrap().len(), 2);
    let next = format!("{}{}", gateway.url(), first["next_page_uri"].as_str().unwrap());
    let request = http.get(next).basic_auth(gateway.account_sid(), Some(gateway.auth_token()));
    let second: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
    assert_eq!(second["messages"].as_array().unwrap().len(), 1);
    assert!(second["next_page_uri"].is_null());
    assert_eq!(list(&http, &gateway, &[("DateSent<", "2020-01-01")]).await["messages"].as_array().unwrap().len(), 0);
}

#[tokio::test]
async fn the_gateway_knows_its_customer() {
    let (gateway, http) = (Gateway::start(), harness::http::client());
    let stranger = http.post(messages(&gateway)).basic_auth(gateway.account_sid(), Some("wrong"));
    let stranger = stranger.form(&[("To", KIM), ("From", SERVICE), ("Body", "x")]).send().await.unwrap();
    assert_eq!(stranger.status(), 401);
    let probe = format!("{}/2010-04-01/Accounts/{}.json", gateway.url(), gateway.account_sid());
    let probe = http.get(probe).basic_auth(gateway.account_sid(), Some(gateway.auth_token())).send().await.unwrap();
    assert_eq!(probe.json::<serde_json::Value>().await.unwrap()["status"], "active");
    assert_eq!(gateway.arrived(), 0);
}

#[tokio::test]
async fn the_gateway_errs_as_told() {
    let (gateway, http) = (Gateway::start(), harness::http::client());
    gateway.fault(Fault::ServerError);
    assert_eq!(send(&http, &gateway, "a", None).await.unwrap().status(), 500);
    gateway.fault(Fault::TooMany { retry_after_s: 7 });
    let busy = send(&http, &gateway, "a", None).await.unwrap();
    assert_eq!((busy.status().as_u16(), busy.headers()["retry-after"].to_str().unwrap()), (429, "7"));
    gateway.fault(Fault::Refused { code: 21211 });
    assert_eq!(send(&http, &gateway, "a", None).await.unwrap().status(), 400);
    assert_eq!(gateway.accepted().len(), 0);

    gateway.fault(Fault::DropAfterAccept);
    send(&http, &gateway, "a", None).await.unwrap_err();
    gateway.fault(Fault::None);
    send(&http, &gateway, "a", None).await.unwrap();
    assert_eq!((gateway.accepted().len(), gateway.duplicates(), gateway.arrived()), (2, 1, 5));

    gateway.phone(KIM).fault(Fault::Hang);
    let hung = send(&http, &gateway, "hung", None);
    let release = async {
        gateway.expect_arrivals(6).await;
        gateway.phone(KIM).fault(Fault::None);
    };
    let (hung, ()) = tokio::join!(hung, release);
    hung.unwrap_err();
    assert_eq!(gateway.accepted().len(), 2);
}

/// What the customer's side of a callback sees: path, signature, fields.
type Seen = (String, String, Vec<(String, String)>);

/// A server that answers callbacks with `statuses` in turn, then 204.
async fn callbacks(statuses: &'static [u16]) -> (String, tokio::sync::mpsc::UnboundedReceiver<Seen>) {
    use axum::extract::{Form, OriginalUri};
    use axum::http::{HeaderMap, StatusCode};
    let (tell, told) = tokio::sync::mpsc::unbounded_channel();
    let left = std::sync::Arc::new(std::sync::Mutex::new(statuses.iter()));
    let handler = move |OriginalUri(uri): OriginalUri, headers: HeaderMap, Form(form): Form<Vec<(String, String)>>| async move {
        let signature = headers["x-twilio-signature"].to_str().unwrap().to_owned();
        tell.send((uri.to_string(), signature, form)).unwrap();
        let status = left.lock().unwrap().next().copied().unwrap_or(204);
        StatusCode::from_u16(status).unwrap()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(handler);
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    (url, told)
}

fn status_of(seen: &Seen) -> &str {
    &seen.2.iter().find(|(name, _value)| name == "MessageStatus").unwrap().1
}

#[tokio::test]
async fn receipts_come_signed_and_are_repeated_where_asked() {
    let (gateway, http) = (Gateway::start(), harness::http::client());
    let (actual, mut told) = callbacks(&[500, 500]).await;
    gateway.reach("https://alerts.example.org", &actual);
    let url = "https://alerts.example.org/hooks/first/status?d=17#rc=5&rp=all";
    send(&http, &gateway, "one", Some(url)).await.unwrap();
    let mut seen = Vec::new();
    for _try in 0..4 {
        seen.push(told.recv().await.unwrap());
    }
    let statuses: Vec<&str> = seen.iter().map(status_of).collect();
    assert_eq!(statuses, ["sent", "sent", "sent", "delivered"], "two refusals, two repeats");
    let (path, given, form) = seen.last().unwrap();
    assert_eq!(path, "/hooks/first/status?d=17");
    let signed = "https://alerts.example.org/hooks/first/status?d=17";
    assert_eq!(*given, signature(gateway.auth_token(), signed, form));
    assert_ne!(*given, signature("another token", signed, form));
}

#[tokio::test]
async fn receipts_come_first_late_twice_or_not_at_all() {
    let (gateway, http) = (Gateway::start(), harness::http::client());
    let (url, mut told) = callbacks(&[]).await;
    gateway.fault(Fault::ReceiptFirst);
    send(&http, &gateway, "first", Some(&url)).await.unwrap();
    assert_eq!(status_of(&told.try_recv().unwrap()), "delivered", "before the response");

    gateway.fault(Fault::NoReceipt);
    send(&http, &gateway, "never", Some(&url)).await.unwrap();
    gateway.fault(Fault::Undelivered { code: 30003 });
    send(&http, &gateway, "lost", Some(&url)).await.unwrap();
    assert_eq!(status_of(&told.recv().await.unwrap()), "sent");
    let lost = told.recv().await.unwrap();
    assert_eq!(status_of(&lost), "undelivered");
    assert!(lost.2.contains(&("ErrorCode".to_owned(), "30003".to_owned())));

    gateway.fault(Fault::DuplicateReceipts);
    send(&http, &gateway, "twice", Some(&url)).await.unwrap();
    let mut statuses = Vec::new();
    for _receipt in 0..5 {
        statuses.push(status_of(&told.recv().await.unwrap()).to_owned());
    }
    assert_eq!(statuses, ["sent", "sent", "delivered", "delivered", "sent"]);

    gateway.fault(Fault::LateReceipts(Duration::from_millis(50)));
    send(&http, &gateway, "late", Some(&url)).await.unwrap();
    assert_eq!(status_of(&told.recv().await.unwrap()), "sent");
}

#[test]
fn the_signature_is_the_providers() {
    // The worked example of the provider's documentation ("Explore the algorithm yourself").
    let form = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675310"),
        ("Digits", "1234"),
        ("From", "+14158675310"),
        ("To", "+18005551212"),
    ];
    let form: Vec<_> = form.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let url = "https://example.com/myapp.php?foo=1&bar=2";
    assert_eq!(signature("12345", url, &form), "L/OH5YylLD5NRKLltdqwSvS0BnU=");
}

#[tokio::test]
async fn the_browser_opens_a_page_and_works_it() {
    let page = "<title>Queue</title><h1>1 open</h1><input id=name><button onclick=\"document.querySelector('h1')\
                .innerText = document.querySelector('#name').value\">Claim</button>\
                <script>console.log('loaded')</script>";
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(async move || ([("content-type", "text/html")], page));
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });

    let browser = Browser::open().await;
    browser.goto(&url).await;
    assert_eq!(browser.title().await, "Queue");
    assert_eq!(browser.text("h1").await, "1 open");
    browser.type_into("#name", "Dana").await;
    browser.click("button").await;
    browser.expect_text("h1", "Dana").await;
    assert!(browser.console().await.iter().any(|line| line.contains("loaded")));
    browser.resize(400, 800).await;
    assert_eq!(browser.execute("return window.innerWidth", &[]).await, 400);
    assert!(browser.screenshot("queue").await.metadata().unwrap().len() > 0);
}

#[tokio::test]
async fn the_stream_reader_takes_events_apart() {
    let text = ": hello\n\nid: 7\nevent: press\ndata: {\"a\":\ndata: 1}\n\nevent:beat\r\ndata:2\r\n\r\ndata\n\n";
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = axum::Router::new().fallback(async move |headers: axum::http::HeaderMap| {
        assert_eq!(headers["authorization"], "Bearer ck_1");
        assert_eq!(headers["last-event-id"], "6");
        ([("content-type", "text/event-stream")], text)
    });
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    let mut stream = Api::new(url, Some("ck_1".to_owned())).stream(Some(6)).await;
    let press = stream.next().await.unwrap();
    assert_eq!((press.id, press.kind.as_str(), &press.data["a"]), (Some(7), "press", &1.into()));
    assert_eq!(stream.expect("beat").await.data, 2);
    assert_eq!(stream.next().await, None, "an event without data is none");
}
