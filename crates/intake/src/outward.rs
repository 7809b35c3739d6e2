//! What we publish to an outside broker: our own birth and will, feedback to devices, and checkpoints of the record.
//!
//! By a client of its own with a clean session, so that nothing we say can stand in the way of what we hear. Must not wait for
//! the broker while holding anything else up: what waits for it waits in the caller's bounded queue, whose overflow rule holds.

use std::time::Duration;

use rumqttc::{AsyncClient, Event, EventLoop, LastWill, MqttOptions, Packet, PublishOptions, QoS};
use serde::Serialize;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use crate::session::{connect, options};
use crate::settings::Access;
use crate::{Feedback, NotOpened, Outgoing, State};

/// How many messages may be on their way to the broker. Overflow rule: the newest is dropped and logged; a device that needs it repeats its press.
const WAITING_MAX: usize = 1_024;
/// How many checkpoints may be on their way: those that nobody waits for any more stay until the broker speaks again.
const KEPT_MAX: usize = 16;
/// How long to wait before connecting again.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How long an orderly end may take.
const FAREWELL: Duration = Duration::from_secs(2);

/// The client that speaks.
pub(crate) struct Outward {
    client: AsyncClient,
    topic: String,
    line: JoinHandle<()>,
    speaker: JoinHandle<()>,
    keeper: JoinHandle<()>,
}

/// A checkpoint for the broker to keep for whoever subscribes, and who waits for its PUBACK. Dropped where there was none.
#[derive(Debug)]
pub struct Retained {
    /// The signed note, to the byte.
    pub note: String,
    /// Told once the broker has taken it.
    pub taken: oneshot::Sender<()>,
}

impl Outward {
    /// Starts speaking; goes on trying until it is shut down.
    pub(crate) fn start(access: &Access, node: &str, outgoing: Outgoing) -> Result<Self, NotOpened> {
        let topic = online_topic(node);
        let mut spoken = options(access, &format!("{}-out", access.client_id))?;
        spoken.set_clean_session(true);
        spoken.set_last_will(LastWill::new(topic.clone(), "offline", QoS::AtLeastOnce, true));
        let (client, line) = connect(spoken, WAITING_MAX);
        let (connected_in, connected) = watch::channel(false);
        let line = tokio::spawn(run(line, client.clone(), topic.clone(), connected_in));
        let speaker = tokio::spawn(speak(client.clone(), outgoing.feedback, connected));
        let mut apart = options(access, &format!("{}-anchor", access.client_id))?;
        apart.set_clean_session(true);
        let keeper = tokio::spawn(keep(apart, outgoing.checkpoints));
        Ok(Self { client, topic, line, speaker, keeper })
    }

    /// Says that we leave, and leaves.
    pub(crate) async fn shutdown(self) {
        self.speaker.abort();
        self.keeper.abort();
        let said = self.client.try_publish(self.topic.as_str(), "offline", retained());
        let asked = said.and_then(|()| self.client.try_disconnect_with_timeout(FAREWELL / 2));
        if let Err(error) = asked {
            tracing::debug!(%error, "could not say goodbye to the broker; our last will does");
        }
        let abort = self.line.abort_handle();
        if tokio::time::timeout(FAREWELL, self.line).await.is_err() {
            abort.abort();
        }
    }
}

/// Where our own birth and will stand, retained.
pub(crate) fn online_topic(node: &str) -> String {
    format!("cooee/v1/$station/{node}/online")
}

/// Where the latest checkpoint of the record stands, retained.
const CHECKPOINT: &str = "cooee/v1/$station/checkpoint";

/// Where a device is told, and what: the JSON of `cooee/v1/{site}/{device}/state`.
pub(crate) fn told(feedback: &Feedback) -> (String, String) {
    #[derive(Serialize)]
    struct Told<'f> {
        #[serde(skip_serializing_if = "Option::is_none")]
        id: Option<&'f str>,
        activation: String,
        state: State,
    }
    let told = Told { id: feedback.id.as_deref(), activation: feedback.activation.to_string(), state: feedback.state };
    let topic = format!("cooee/v1/{}/{}/state", feedback.device.site, feedback.device.name);
    (topic, serde_json::to_string(&told).unwrap_or_default())
}

fn retained() -> PublishOptions {
    PublishOptions::at_least_once().retained()
}

async fn run(mut line: EventLoop, client: AsyncClient, topic: String, connected: watch::Sender<bool>) {
    loop {
        match line.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                if let Err(error) = client.try_publish(topic.as_str(), "online", retained()) {
                    tracing::warn!(%error, "could not publish that we are online");
                }
                connected.send_replace(true);
            }
            Ok(Event::Incoming(_) | Event::Outgoing(_)) => {}
            Err(rumqttc::ConnectionError::RequestsDone) => return,
            Err(error) => {
                tracing::debug!(%error, "the connection that publishes is gone");
                connected.send_replace(false);
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        }
    }
}

/// Hands on what is said, but only while there is a connection: the client would forget it with the next one.
async fn speak(client: AsyncClient, mut feedback: mpsc::Receiver<Feedback>, mut connected: watch::Receiver<bool>) {
    while let Some(feedback) = feedback.recv().await {
        if connected.wait_for(|connected| *connected).await.is_err() {
            return;
        }
        let (topic, payload) = told(&feedback);
        if let Err(error) = client.try_publish(topic, payload, PublishOptions::at_least_once()) {
            tracing::warn!(%error, activation.id = %feedback.activation, "feedback to a device was dropped");
        }
    }
}

/// Publishes one checkpoint after the other, each once the one before has its PUBACK or nobody waits for it any more. By a connection
/// of its own, made for the first: a broker that cuts off whoever publishes where they may not must not cut off what devices are told.
async fn keep(options: MqttOptions, mut checkpoints: mpsc::Receiver<Retained>) {
    let mut next = checkpoints.recv().await;
    if next.is_none() {
        return;
    }
    let (client, line) = connect(options, KEPT_MAX);
    let (connected_in, mut connected) = watch::channel(false);
    let giving = async {
        while let Some(Retained { note, mut taken }) = next.take() {
            let published = tokio::select! {
                published = publish(&client, note, &mut connected) => published,
                () = taken.closed() => Err("nobody waits for it any more".to_owned()),
            };
            match published {
                // Whoever gives up in this very moment gives the next one.
                Ok(()) => drop(taken.send(())),
                Err(why) => {
                    // Now, and not once the next one is there: nobody may wait for it before they are told.
                    drop(taken);
                    tracing::debug!(%why, "a checkpoint was not taken by the broker");
                }
            }
            next = checkpoints.recv().await;
        }
    };
    tokio::select! {
        () = giving => {}
        () = stay(line, connected_in) => {}
    }
}

/// Keeps a connection that says nothing by itself.
async fn stay(mut line: EventLoop, connected: watch::Sender<bool>) {
    loop {
        match line.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => drop(connected.send_replace(true)),
            Ok(Event::Incoming(_) | Event::Outgoing(_)) => {}
            Err(error) => {
                tracing::debug!(%error, "the connection for checkpoints is gone");
                connected.send_replace(false);
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        }
    }
}

async fn publish(client: &AsyncClient, note: String, connected: &mut watch::Receiver<bool>) -> Result<(), String> {
    connected.wait_for(|connected| *connected).await.map_err(|why| why.to_string())?;
    let notice = client.try_publish_tracked(CHECKPOINT, note, retained()).map_err(|why| why.to_string())?;
    notice.wait_async().await.map(drop).map_err(|why| why.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_told_in_the_words_of_the_contract() {
        let feedback = Feedback {
            device: "library/counter".parse().unwrap(),
            id: Some("a1".to_owned()),
            activation: "KAL-42".parse().unwrap(),
            state: State::Received,
        };
        let (topic, payload) = told(&feedback);
        assert_eq!(topic, "cooee/v1/library/counter/state");
        assert_eq!(payload, r#"{"id":"a1","activation":"KAL-42","state":"received"}"#);
        let (_, payload) = told(&Feedback { id: None, state: State::Closed, ..feedback });
        assert_eq!(payload, r#"{"activation":"KAL-42","state":"closed"}"#);
    }
}
