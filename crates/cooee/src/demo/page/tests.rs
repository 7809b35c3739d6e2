//! The page over real HTTP, its buttons with a real broker inside the test.

use std::net::SocketAddr;
use std::sync::Mutex;
use std::time::Duration;

use mqtt5::broker::MqttBroker;
use mqtt5::broker::config::{BrokerConfig, StorageBackend, StorageConfig};
use reqwest::Client;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::super::Now;
use super::*;

const PHONE: &str = "+61491570006";

struct Demo {
    url: String,
    broker: SocketAddr,
    http: Client,
    parts: Arc<Parts>,
    _tasks: JoinSet<()>,
}

async fn demo() -> Demo {
    // The process may have been given one by another test.
    let _given = rustls::crypto::ring::default_provider().install_default();
    let now: Now = Arc::new(|| "2026-11-22T06:03:00Z".parse().unwrap());
    let broker = free_port();
    let mut tasks = JoinSet::new();
    let memory = StorageConfig::new().with_backend(StorageBackend::Memory);
    let inside = BrokerConfig::new().with_bind_address(broker).with_storage(memory);
    let mut inside = MqttBroker::with_config(inside).await.unwrap();
    tasks.spawn(async move { inside.run().await.unwrap() });
    let parts = Arc::new(Parts {
        site: "Example Library".to_owned(),
        timezone: "Australia/Perth".to_owned(),
        buttons: Buttons::start(broker, "library", &[("counter", "Front counter")], Arc::clone(&now)),
        phones: Phones::start("+61480000000", None, Arc::clone(&now)).await.unwrap(),
        mailbox: Mailbox::start(None, now).await.unwrap(),
        people: vec![Persona { name: "J. Smith".to_owned(), mobile: PHONE.to_owned() }],
        restart: None,
        broker: broker.to_string(),
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let routes = router(Arc::clone(&parts));
    tasks.spawn(async move { axum::serve(listener, routes).await.unwrap() });
    Demo { url, broker, http: Client::builder().no_proxy().build().unwrap(), parts, _tasks: tasks }
}

fn free_port() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

impl Demo {
    async fn post(&self, path: &str, body: Value) -> u16 {
        let request = self.http.post(format!("{}{path}", self.url)).json(&body);
        request.send().await.unwrap().status().as_u16()
    }

    async fn world(&self) -> Value {
        let request = self.http.get(format!("{}/demo/world", self.url));
        request.send().await.unwrap().json().await.unwrap()
    }

    async fn until(&self, what: &str, met: impl Fn(&Value) -> bool) {
        for _ in 0..600 {
            if met(&self.world().await) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("waited 30 s for {what}");
    }
}

#[tokio::test]
async fn files_come_with_a_strict_policy() {
    let demo = demo().await;
    for (path, kind) in [("/demo", "text/html"), ("/demo/demo.css", "text/css"), ("/demo/demo.js", "text/javascript")] {
        let answer = demo.http.get(format!("{}{path}", demo.url)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(answer.headers()["content-type"].to_str().unwrap().starts_with(kind));
        assert!(answer.headers()["content-security-policy"].to_str().unwrap().contains("default-src 'none'"));
        let text = answer.text().await.unwrap();
        let elsewhere = ["http://", "https://", "style=", "onclick=\"", "innerHTML"];
        assert!(!elsewhere.iter().any(|mark| text.contains(mark)), "{path} has something inline or from elsewhere");
    }
}

#[tokio::test]
async fn a_press_is_published_and_the_lamp_shows_the_answer() {
    let demo = demo().await;
    let mut options = rumqttc::MqttOptions::new("cooee", rumqttc::Broker::tcp("127.0.0.1", demo.broker.port()));
    options.set_keep_alive(5);
    let (client, mut line) = rumqttc::AsyncClient::builder(options).capacity(10).build();
    client.subscribe("cooee/v1/library/+/press", rumqttc::QoS::AtLeastOnce).await.unwrap();
    let heard = Arc::new(Mutex::new(None));
    let hear = Arc::clone(&heard);
    let subscribed = Arc::new(Mutex::new(false));
    let subscription = Arc::clone(&subscribed);
    let mut tasks = JoinSet::new();
    tasks.spawn(async move {
        loop {
            match line.poll().await {
                Ok(rumqttc::Event::Incoming(rumqttc::Packet::SubAck(_))) => *subscription.lock().unwrap() = true,
                Ok(rumqttc::Event::Incoming(rumqttc::Packet::Publish(message))) => {
                    *hear.lock().unwrap() = serde_json::from_slice::<Value>(&message.payload).ok();
                }
                Ok(_) => {}
                // The broker may not listen yet.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    });
    demo.until("both ends to be connected", |world| world["connected"] == true && *subscribed.lock().unwrap()).await;
    assert_eq!(demo.post("/demo/gesture", json!({"device": "counter", "gesture": "press"})).await, 204);
    demo.until("the press to be heard", |_| heard.lock().unwrap().is_some()).await;
    let press = heard.lock().unwrap().clone().unwrap();
    assert!(press["id"].as_str().unwrap().starts_with("demo-"));
    let state = json!({"id": press["id"], "activation": "LIB-1", "state": "received"}).to_string();
    let options = rumqttc::PublishOptions::new(rumqttc::QoS::AtLeastOnce);
    client.publish("cooee/v1/library/counter/state", state, options).await.unwrap();
    demo.until("the lamp", |world| world["buttons"][0]["lamp"] == "received" && world["buttons"][0]["activation"] == "LIB-1").await;
}

#[tokio::test]
async fn phones_answer_and_switches_turn() {
    let demo = demo().await;
    assert_eq!(demo.post("/demo/reply", json!({"number": PHONE, "text": "Y47"})).await, 204);
    assert_eq!(demo.post("/demo/switch", json!({"switch": "no_receipt", "on": true})).await, 204);
    let world = demo.world().await;
    assert_eq!(world["phones"][0]["thread"][0]["text"], "Y47");
    assert_eq!(world["switches"], json!({"provider_down": false, "no_receipt": true}));
    assert!(demo.parts.phones.is_on(Switch::NoReceipt));
}

#[tokio::test]
async fn nonsense_is_refused() {
    let demo = demo().await;
    for (path, body, status) in [
        ("/demo/gesture", json!({"device": "nobody", "gesture": "press"}), 409),
        ("/demo/gesture", json!({"device": "counter", "gesture": "smash"}), 422),
        ("/demo/reply", json!({"number": "+10000000000", "text": "Y"}), 404),
        ("/demo/reply", json!({"number": PHONE, "text": " "}), 400),
        ("/demo/switch", json!({"switch": "no_receipt"}), 422),
    ] {
        assert_eq!(demo.post(path, body.clone()).await, status, "{path} {body}");
    }
    // A form of another site cannot carry JSON without asking first.
    let form = demo.http.post(format!("{}/demo/switch", demo.url)).form(&[("switch", "no_receipt"), ("on", "true")]);
    assert_eq!(form.send().await.unwrap().status(), 415);
}
