//! A button on the wall: an MQTT client that presses, and sees what Cooee tells it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, NetworkOptions, Packet, PublishOptions, QoS};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

use crate::broker::Broker;
use crate::wait;

static PRESSES: AtomicU64 = AtomicU64::new(1);

/// A button with a connection of its own.
pub struct Button {
    client: AsyncClient,
    seen: Arc<Seen>,
    line: JoinHandle<()>,
    topic: String,
}

#[derive(Default)]
struct Seen {
    subscribed: Mutex<bool>,
    states: Mutex<Vec<Value>>,
}

impl Button {
    /// Connects the button `device` at `site`, and waits until it would hear what is said to it.
    pub async fn connect(broker: &Broker, site: &str, device: &str) -> Self {
        Self::connect_by(broker.options(&format!("{site}-{device}")), site, device).await
    }

    /// The same by a way of its own, such as the broker inside Cooee.
    pub async fn connect_by(mut options: MqttOptions, site: &str, device: &str) -> Self {
        let topic = format!("cooee/v1/{site}/{device}");
        options.set_clean_session(true);
        let (client, mut line) = AsyncClient::builder(options).capacity(4096).build();
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        line.set_network_options(network);
        let seen = Arc::new(Seen::default());
        let line = tokio::spawn(attend(line, client.clone(), format!("{topic}/state"), Arc::clone(&seen)));
        let what = format!("the button {topic} to be connected");
        wait::until(&what, async || seen.subscribed.lock().expect("no holder panics").then_some(())).await;
        Self { client, seen, line, topic }
    }

    /// Presses it and waits for the PUBACK. Says the id of the press.
    pub async fn press(&self) -> String {
        let id = format!("press-{}", PRESSES.fetch_add(1, Ordering::Relaxed));
        self.publish("press", json!({"id": id}).to_string()).await;
        id
    }

    /// Presses it with this payload and waits for the PUBACK.
    pub async fn press_with(&self, payload: impl Into<Vec<u8>>) {
        self.publish("press", payload).await;
    }

    /// Passes on the press of another device at this gateway's site and waits for the PUBACK. Says the id of the press.
    pub async fn press_of(&self, site: &str, device: &str) -> String {
        let id = format!("press-{}", PRESSES.fetch_add(1, Ordering::Relaxed));
        self.publish_to(&format!("cooee/v1/{site}/{device}/press"), json!({"id": id}).to_string()).await;
        id
    }

    /// Passes on the presses of many devices at once and waits for every PUBACK, as often as it takes. Says their ids.
    pub async fn press_all(&self, site: &str, devices: &[String]) -> Vec<String> {
        let mut sent = Vec::with_capacity(devices.len());
        for device in devices {
            let id = format!("press-{}", PRESSES.fetch_add(1, Ordering::Relaxed));
            let (topic, payload) = (format!("cooee/v1/{site}/{device}/press"), json!({"id": id}).to_string());
            let notice = self.client.publish_tracked(&topic, payload.clone(), PublishOptions::new(QoS::AtLeastOnce)).await;
            sent.push((id, topic, payload, notice));
        }
        let mut ids = Vec::with_capacity(sent.len());
        for (id, topic, payload, notice) in sent {
            let acknowledged = match notice {
                Ok(notice) => notice.wait_async().await.is_ok(),
                Err(_full) => false,
            };
            if !acknowledged {
                self.publish_to(&topic, payload).await;
            }
            ids.push(id);
        }
        ids
    }

    /// Says that it is alive and waits for the PUBACK.
    pub async fn alive(&self) {
        self.publish("alive", r#"{"battery":80}"#).await;
    }

    /// Cancels with this code and waits for the PUBACK.
    pub async fn cancel(&self, code: &str) {
        self.publish("cancel", json!({"code": code}).to_string()).await;
    }

    /// Publishes under its own topic at QoS 1, as often as it takes until the broker has acknowledged it.
    pub async fn publish(&self, what: &str, payload: impl Into<Vec<u8>>) {
        self.publish_to(&format!("{}/{what}", self.topic), payload).await;
    }

    /// The same under any topic.
    pub async fn publish_to(&self, topic: &str, payload: impl Into<Vec<u8>>) {
        let payload = payload.into();
        wait::until(&format!("a PUBACK for {topic}"), async || self.publish_once(topic, payload.clone()).await).await;
    }

    /// What Cooee has said on its `state` topic, in order.
    #[must_use]
    pub fn states(&self) -> Vec<Value> {
        self.seen.states.lock().expect("no holder panics").clone()
    }

    /// Waits until Cooee has said `state` about the press `id`.
    pub async fn expect_state(&self, id: &str, state: &str) -> Value {
        let what = format!("state {state:?} of press {id} on {}", self.topic);
        wait::until(&what, async || self.states().into_iter().find(|s| has(s, "id", id) && has(s, "state", state))).await
    }

    /// One try; `None` when the connection was lost before the acknowledgement.
    async fn publish_once(&self, topic: &str, payload: Vec<u8>) -> Option<()> {
        let options = PublishOptions::new(QoS::AtLeastOnce);
        let notice = self.client.publish_tracked(topic, payload, options).await.ok()?;
        notice.wait_async().await.ok().map(drop)
    }
}

impl Drop for Button {
    fn drop(&mut self) {
        self.line.abort();
    }
}

/// Keeps the connection: subscribes after each connect, notes what comes, reconnects.
async fn attend(mut line: EventLoop, client: AsyncClient, state: String, seen: Arc<Seen>) {
    loop {
        match line.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                client.try_subscribe(&state, QoS::AtLeastOnce).expect("queue a subscription");
            }
            Ok(Event::Incoming(Packet::SubAck(_))) => {
                *seen.subscribed.lock().expect("no holder panics") = true;
            }
            Ok(Event::Incoming(Packet::Publish(message))) => {
                let state = serde_json::from_slice(&message.payload).expect("a state is JSON");
                seen.states.lock().expect("no holder panics").push(state);
            }
            Ok(_other) => {}
            Err(_away) => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
}

fn has(state: &Value, field: &str, value: &str) -> bool {
    state.get(field).and_then(Value::as_str) == Some(value)
}
