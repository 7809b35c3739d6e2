//! What runs between a button's PUBLISH and its PUBACK.
//!
//! Must answer "not taken" by no PUBACK at all: a PUBACK with a reason is a plain success to an MQTT 3.1.1 device.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use escalation::directory::adapter::Rule;
use escalation::input::Input;
use escalation::signal::{Origin, Signal, Via};
use escalation::verdict::{NotTaken, Submit, Verdict};
use mqtt5::QoS;
use mqtt5::broker::{BrokerEventHandler, ClientConnectEvent, ClientDisconnectEvent, ClientPublishEvent, PublishAction};
use mqtt5::packet::publish::PublishPacket;
use tokio::sync::{Semaphore, mpsc, watch};

use crate::Now;
use crate::adapter::{Adapters, Heard};
use crate::once_only::{hand_over, overflow};
use crate::supervision::{Supervision, is_sign_of_life};
use crate::troubles::Troubles;

/// How long what was not taken rests before it is tried again, or its client is dropped.
const PAUSE: Duration = Duration::from_secs(1);
/// How often a message that comes only once is tried.
const TRIES: u32 = 60;
/// How many messages that come only once may wait for their verdict. Overflow rule: what comes beyond is handed to the watch
/// once and not tried again, and a trouble says so until nothing waits any more.
pub(super) const INSISTING_MAX: usize = 1_024;
/// A topic that nobody reads; see [`silence`].
const NOWHERE: &str = "$SYS/cooee/not-taken";

type Answer<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A client's last will, as it said when it connected.
#[derive(Clone)]
struct Will {
    topic: Arc<str>,
    payload: Vec<u8>,
    qos: u8,
}

pub(super) struct Handler {
    submit: Submit,
    now: Now,
    supervision: Supervision,
    troubles: Troubles,
    adapters: RwLock<Arc<Adapters>>,
    drops: mpsc::Sender<Arc<str>>,
    insisting: Arc<Semaphore>,
    /// One entry per connection and client, the oldest first: a client may be back before we hear that it left.
    wills: Mutex<BTreeMap<Arc<str>, VecDeque<Option<Will>>>>,
}

impl Handler {
    pub(super) fn new(
        submit: Submit,
        now: Now,
        supervision: Supervision,
        troubles: Troubles,
        rules: &watch::Receiver<Arc<Vec<Rule>>>,
        drops: mpsc::Sender<Arc<str>>,
    ) -> Self {
        let insisting = Arc::new(Semaphore::new(INSISTING_MAX));
        let handler = Self { submit, now, supervision, troubles, adapters: RwLock::default(), drops, insisting, wills: Mutex::default() };
        handler.adopt(&rules.borrow());
        handler
    }

    /// From now on these rules hold.
    pub(super) fn adopt(&self, rules: &[Rule]) {
        let (adapters, faults) = Adapters::new(rules);
        for fault in faults {
            tracing::error!(%fault, "an adapter rule is left out");
        }
        *self.adapters.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(adapters);
    }

    /// A will is the broker's word: a device that has gone is not alive, whatever it left to be said.
    fn hear(&self, client: &str, topic: &str, payload: &[u8], qos: u8, is_will: bool) -> Option<Signal> {
        let adapters = self.adapters.read().unwrap_or_else(PoisonError::into_inner).clone();
        let origin = Origin { via: Via::Listener, client: Some(client.to_owned()), qos, retained: false, dup: false, waited_since: None };
        let now = (self.now)();
        match adapters.hear(topic.as_bytes(), payload, origin) {
            Heard::Signal(mut signal) => {
                signal.clock = self.supervision.clock(&signal.device, now);
                Some(*signal)
            }
            Heard::Alive { device, battery, rssi, at } => {
                if !is_will {
                    self.supervision.heartbeat(&device, now, at, battery, rssi);
                }
                None
            }
            Heard::Ignored(_) => None,
        }
    }

    async fn on_publish(&self, event: ClientPublishEvent) -> PublishAction {
        let qos = level(event.qos);
        let Some(signal) = self.hear(&event.client_id, &event.topic, &event.payload, qos, false) else {
            return PublishAction::Continue;
        };
        if is_sign_of_life(&signal.verb) {
            self.supervision.heard(&signal.device, (self.now)(), signal.battery);
        }
        if qos == 0 {
            self.hear_once(signal);
            return PublishAction::Continue;
        }
        match (self.submit)(Input::Signal(signal)).await {
            Verdict::Durable(_) => PublishAction::Continue,
            Verdict::Refused(why) => {
                tracing::error!(%why, "the rules refused a signal, which they never should");
                PublishAction::Continue
            }
            Verdict::NotTaken(why) => {
                tracing::warn!(%why, "a signal was not taken; its client is dropped, to send it again");
                tokio::time::sleep(PAUSE).await;
                if self.drops.try_send(event.client_id).is_err() {
                    tracing::warn!("too many clients are being dropped; one stays connected without its PUBACK");
                }
                silence()
            }
        }
    }

    fn on_connect(&self, event: ClientConnectEvent) {
        let will = event.will_topic.map(|topic| Will {
            topic,
            payload: event.will_payload.map(|payload| payload.to_vec()).unwrap_or_default(),
            qos: event.will_qos.map_or(0, level),
        });
        self.wills().entry(event.client_id).or_default().push_back(will);
    }

    /// The library publishes a will without asking us: what it says is heard here.
    fn on_disconnect(&self, event: &ClientDisconnectEvent) {
        let will = {
            let mut wills = self.wills();
            let will = wills.get_mut(&event.client_id).and_then(VecDeque::pop_front).flatten();
            if wills.get(&event.client_id).is_some_and(VecDeque::is_empty) {
                wills.remove(&event.client_id);
            }
            will
        };
        let Some(will) = will.filter(|_| event.unexpected) else {
            return;
        };
        if let Some(signal) = self.hear(&event.client_id, &will.topic, &will.payload, will.qos, true) {
            self.hear_once(signal);
        }
    }

    /// Hands on what comes only once, and insists while there is room.
    fn hear_once(&self, signal: Signal) {
        if let Ok(room) = Arc::clone(&self.insisting).try_acquire_owned() {
            let (submit, troubles) = (self.submit.clone(), self.troubles.clone());
            let insisting = Arc::clone(&self.insisting);
            tokio::spawn(async move {
                let durable = insist(submit, signal, &troubles).await;
                drop(room);
                // One that is durable says nothing of those that still wait. A trouble may be open from before this start.
                if durable && insisting.available_permits() == INSISTING_MAX {
                    troubles.clear(overflow());
                }
            });
            return;
        }
        hand_over(&self.submit, &self.troubles, signal);
    }

    fn wills(&self) -> std::sync::MutexGuard<'_, BTreeMap<Arc<str>, VecDeque<Option<Will>>>> {
        self.wills.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Submits what comes only once until it is taken; true once it is durable.
async fn insist(submit: Submit, signal: Signal, troubles: &Troubles) -> bool {
    for _ in 0..TRIES {
        match submit(Input::Signal(signal.clone())).await {
            Verdict::Durable(_) => return true,
            Verdict::Refused(why) => {
                tracing::error!(%why, "the rules refused a signal, which they never should");
                return false;
            }
            Verdict::NotTaken(NotTaken::Stopping) => break,
            Verdict::NotTaken(NotTaken::Overloaded | NotTaken::Unrecorded) => tokio::time::sleep(PAUSE).await,
        }
    }
    tracing::error!(via = ?signal.origin.via, qos = signal.origin.qos, "a signal that comes only once could not be recorded");
    troubles.raise(overflow());
    false
}

/// The one answer that makes the library send no PUBACK: the message continues as one of QoS 0, empty, to a topic nobody reads.
fn silence() -> PublishAction {
    PublishAction::Transform(PublishPacket::new(NOWHERE, Vec::new(), QoS::AtMostOnce))
}

fn level(qos: QoS) -> u8 {
    match qos {
        QoS::AtMostOnce => 0,
        QoS::AtLeastOnce => 1,
        QoS::ExactlyOnce => 2,
    }
}

impl BrokerEventHandler for Handler {
    fn on_client_connect(&self, event: ClientConnectEvent) -> Answer<'_, ()> {
        self.on_connect(event);
        Box::pin(async {})
    }

    fn on_client_publish(&self, event: ClientPublishEvent) -> Answer<'_, PublishAction> {
        Box::pin(self.on_publish(event))
    }

    fn on_client_disconnect(&self, event: ClientDisconnectEvent) -> Answer<'_, ()> {
        self.on_disconnect(&event);
        Box::pin(async {})
    }
}
