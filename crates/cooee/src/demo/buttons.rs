//! A virtual site's buttons: real MQTT to whatever broker Cooee listens to, as a gateway on the wall would speak it.
//!
//! They press, cancel and report their battery, and show what Cooee tells them. They know nothing of ladders.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use rumqttc::{AsyncClient, Broker, Event, EventLoop, MqttOptions, Packet, PublishOptions, QoS};
use serde::{Deserialize, Serialize};
use tokio::task::JoinSet;

use super::Now;

/// How long to rest before connecting again.
const REST: Duration = Duration::from_millis(500);
/// Messages that wait while the broker is away; beyond it a press says that it could not be sent.
const WAITING_MAX: usize = 100;

/// The buttons; they fall silent when dropped.
pub(crate) struct Buttons {
    site: String,
    client: AsyncClient,
    now: Now,
    panel: Arc<Mutex<Panel>>,
    _tasks: JoinSet<()>,
}

/// What the page shows of a button.
#[derive(Clone, Serialize)]
pub(crate) struct Button {
    /// Its name in topics.
    pub(crate) device: String,
    /// Where it is.
    pub(crate) place: String,
    /// `idle`, `sent`, `received`, `responding` or `closed`: its lamp.
    pub(crate) lamp: String,
    /// Which activation it lit for.
    pub(crate) activation: Option<String>,
}

#[derive(Default)]
struct Panel {
    connected: bool,
    buttons: BTreeMap<String, Button>,
    order: Vec<String>,
}

/// What a button can be made to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Gesture {
    /// A call for help.
    Press,
    /// A wish to cancel, which Cooee verifies.
    Cancel,
    /// A heartbeat of a battery at 5 %.
    Battery,
}

/// What Cooee tells a device.
#[derive(Deserialize)]
struct Told {
    activation: Option<String>,
    state: String,
}

impl Buttons {
    /// Hangs the buttons `(device, place)` on the wall of `site`, and keeps them connected to `broker`.
    pub(crate) fn start(broker: SocketAddr, site: &str, devices: &[(&str, &str)], now: Now) -> Self {
        let mut options = MqttOptions::new("demo-site", Broker::tcp(broker.ip().to_string(), broker.port()));
        options.set_keep_alive(5);
        let (client, line) = AsyncClient::builder(options).capacity(WAITING_MAX).build();
        let panel = Arc::new(Mutex::new(Panel::of(devices)));
        let mut tasks = JoinSet::new();
        let filter = format!("cooee/v1/{site}/+/state");
        tasks.spawn(stay_connected(line, client.clone(), filter, Arc::clone(&panel)));
        Self { site: site.to_owned(), client, now, panel, _tasks: tasks }
    }

    /// The site's name in topics.
    pub(crate) fn site(&self) -> &str {
        &self.site
    }

    /// Whether the broker is there.
    pub(crate) fn connected(&self) -> bool {
        lock(&self.panel).connected
    }

    /// Every button, in the order they were hung.
    pub(crate) fn all(&self) -> Vec<Button> {
        let panel = lock(&self.panel);
        panel.order.iter().filter_map(|device| panel.buttons.get(device).cloned()).collect()
    }

    /// Does it. An unknown device is an error, and so is a broker that has been away for too many presses.
    pub(crate) fn gesture(&self, device: &str, gesture: Gesture) -> anyhow::Result<()> {
        let known = lock(&self.panel).buttons.contains_key(device);
        anyhow::ensure!(known, "there is no button \"{device}\" on this wall");
        let at = (self.now)();
        let (verb, payload) = match gesture {
            Gesture::Press => {
                let id = format!("demo-{}", at.as_microsecond());
                ("press", serde_json::json!({ "id": id, "press": "long", "battery": 87 }).to_string())
            }
            Gesture::Cancel => ("cancel", String::new()),
            Gesture::Battery => ("alive", serde_json::json!({ "battery": 5 }).to_string()),
        };
        let topic = format!("cooee/v1/{}/{device}/{verb}", self.site);
        let sent = self.client.try_publish(topic, payload, PublishOptions::new(QoS::AtLeastOnce));
        sent.context("the broker has been away for too long, press again")?;
        if gesture == Gesture::Press
            && let Some(button) = lock(&self.panel).buttons.get_mut(device)
            && button.activation.is_none()
        {
            "sent".clone_into(&mut button.lamp);
        }
        Ok(())
    }
}

impl Panel {
    fn of(devices: &[(&str, &str)]) -> Self {
        let button = |(device, place): &(&str, &str)| Button {
            device: (*device).to_owned(),
            place: (*place).to_owned(),
            lamp: "idle".to_owned(),
            activation: None,
        };
        let buttons = devices.iter().map(|d| (d.0.to_owned(), button(d))).collect();
        Self { connected: false, buttons, order: devices.iter().map(|d| d.0.to_owned()).collect() }
    }

    /// Lights a lamp as Cooee says; what cannot be read leaves it as it was.
    fn light(&mut self, topic: &str, payload: &[u8]) {
        let device = topic.split('/').nth(3).unwrap_or_default();
        let told: Result<Told, _> = serde_json::from_slice(payload);
        if let (Some(button), Ok(told)) = (self.buttons.get_mut(device), told) {
            let closed = told.state == "closed";
            button.lamp = told.state;
            button.activation = told.activation.filter(|_| !closed);
        }
    }
}

fn lock(panel: &Mutex<Panel>) -> MutexGuard<'_, Panel> {
    panel.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn stay_connected(mut line: EventLoop, client: AsyncClient, filter: String, panel: Arc<Mutex<Panel>>) {
    loop {
        match line.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                lock(&panel).connected = true;
                if let Err(why) = client.try_subscribe(filter.clone(), QoS::AtLeastOnce) {
                    tracing::warn!("the demo's buttons cannot hear what Cooee tells them: {why}");
                }
            }
            Ok(Event::Incoming(Packet::Publish(message))) => {
                let topic = String::from_utf8_lossy(&message.topic).into_owned();
                lock(&panel).light(&topic, &message.payload);
            }
            Ok(Event::Incoming(_) | Event::Outgoing(_)) => {}
            Err(why) => {
                lock(&panel).connected = false;
                tracing::debug!("the demo's buttons are not connected: {why}");
                tokio::time::sleep(REST).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lamps_show_what_cooee_says() {
        let mut panel = Panel::of(&[("counter", "Front counter")]);
        panel.light("cooee/v1/library/counter/state", br#"{"id":"x","activation":"LIB-1","state":"received"}"#);
        assert_eq!(panel.buttons["counter"].lamp, "received");
        panel.light("cooee/v1/library/counter/state", b"\xff");
        panel.light("cooee/v1/library/nobody/state", br#"{"state":"received"}"#);
        assert_eq!(panel.buttons["counter"].activation.as_deref(), Some("LIB-1"));
        panel.light("cooee/v1/library/counter/state", br#"{"activation":"LIB-1","state":"closed"}"#);
        assert_eq!(panel.buttons["counter"].activation, None);
    }
}
