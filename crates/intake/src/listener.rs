//! A broker inside this process: a button's PUBACK is the record's commit, because the handler runs before it.
//!
//! For the demo and loopback until it has soaked. A handler that waits for the commit holds up its own connection's other
//! packets and nobody else's; heartbeats are answered without it. Must not keep anything on disk: the record does.

mod handler;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use escalation::directory::adapter::Rule;
use escalation::verdict::Submit;
use mqtt5::QoS;
use mqtt5::broker::config::{AuthConfig, StorageBackend, StorageConfig, TlsConfig};
use mqtt5::broker::router::{DeliveryLanes, MessageRouter};
use mqtt5::broker::{BrokerConfig, BrokerShutdownHandle, MqttBroker};
use mqtt5::packet::publish::PublishPacket;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use self::handler::Handler;
use crate::outward::{online_topic, told};
use crate::settings::Listener as Settings;
use crate::supervision::Supervision;
use crate::troubles::Troubles;
use crate::{Feedback, NotOpened, Now, Readiness};

/// Largest packet taken, in bytes; it must let through what is recorded by its hash alone.
const PACKET_MAX: usize = 4 * 1024 * 1024;
/// How many clients may wait to be dropped. Overflow rule: one too many stays connected, without its PUBACK.
const DROPS_MAX: usize = 1_024;
/// How long an orderly end may take.
const FAREWELL: Duration = Duration::from_secs(6);

/// What a listener needs from outside.
pub(crate) struct Needs {
    pub(crate) node: String,
    pub(crate) submit: Submit,
    pub(crate) now: Now,
    pub(crate) rules: watch::Receiver<Arc<Vec<Rule>>>,
    pub(crate) feedback: mpsc::Receiver<Feedback>,
    pub(crate) supervision: Supervision,
    pub(crate) troubles: Troubles,
    pub(crate) readiness: watch::Sender<Readiness>,
}

/// A running listener.
pub(crate) struct Listener {
    address: Option<SocketAddr>,
    handle: BrokerShutdownHandle,
    broker: JoinHandle<()>,
    helpers: [JoinHandle<()>; 3],
}

impl Listener {
    /// Binds the socket and starts serving.
    pub(crate) async fn start(settings: &Settings, needs: Needs) -> Result<Self, NotOpened> {
        settings.check()?;
        let (drops_in, drops) = mpsc::channel(DROPS_MAX);
        let handler = Arc::new(Handler::new(needs.submit, needs.now, needs.supervision.clone(), needs.troubles, &needs.rules, drops_in));
        let refused = |why: mqtt5::MqttError| NotOpened::Listen { listen: settings.listen, why: why.to_string() };
        let mut broker = MqttBroker::with_config(config(settings, handler.clone())).await.map_err(refused)?;
        let (router, handle, ready) = (broker.router(), broker.shutdown_handle(), broker.ready_receiver());
        let address = broker.local_addr().or_else(|| broker.tls_local_addr());
        let (readiness, supervision) = (needs.readiness, needs.supervision.clone());
        // A broker of our own keeps nothing for us.
        supervision.listen_from(Instant::now());
        let helpers = [
            tokio::spawn(drop_clients(router.clone(), drops)),
            tokio::spawn(speak(router, needs.node, needs.feedback, ready, readiness.clone())),
            tokio::spawn(follow(handler, needs.rules)),
        ];
        let broker = tokio::spawn(async move {
            let why = match broker.run().await {
                Ok(()) => "the station is stopping".to_owned(),
                Err(error) => {
                    tracing::error!(%error, "the listener has ended; no button can reach us");
                    format!("the listener has ended: {error}")
                }
            };
            supervision.listen_no_more();
            readiness.send_replace(Readiness::NotYet { why });
        });
        Ok(Self { address, handle, broker, helpers })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Closes every connection. What has no PUBACK is sent again by its device.
    pub(crate) async fn shutdown(self) {
        self.handle.shutdown();
        let abort = self.broker.abort_handle();
        if tokio::time::timeout(FAREWELL, self.broker).await.is_err() {
            abort.abort();
        }
        for helper in self.helpers {
            helper.abort();
        }
    }
}

fn config(settings: &Settings, handler: Arc<Handler>) -> BrokerConfig {
    let auth =
        AuthConfig { allow_anonymous: settings.password_file.is_none(), acl_file: settings.acl_file.clone(), ..AuthConfig::default() };
    let mut config = BrokerConfig::new()
        .with_max_packet_size(PACKET_MAX)
        .with_auth(match &settings.password_file {
            Some(file) => auth.with_password_file(file.clone()),
            None => auth,
        })
        .with_storage(StorageConfig::new().with_backend(StorageBackend::Memory));
    config.sys_topics_enabled = false;
    config.event_handler = Some(handler);
    match (&settings.cert_file, &settings.key_file) {
        (Some(cert), Some(key)) => {
            config.bind_addresses = Vec::new();
            config.tls_config = Some(TlsConfig::new(cert.clone(), key.clone()).with_bind_address(settings.listen));
        }
        (Some(_) | None, _) => config.bind_addresses = vec![settings.listen],
    }
    config
}

/// Drops the connections of clients whose message was not taken, so that they connect again and send it again.
///
/// The library has no call for that: the client's own id is taken over for a moment, which ends the connection in the way the
/// protocol has for it, and given back.
async fn drop_clients(router: Arc<MessageRouter>, mut drops: mpsc::Receiver<Arc<str>>) {
    while let Some(client) = drops.recv().await {
        let (lanes, _received) = DeliveryLanes::channel(1);
        let (end, _ended) = oneshot::channel();
        let queue = router.queue_handle(&client);
        let taken_over = router.register_client(client.to_string(), lanes, queue, end).await;
        tracing::debug!(generation = taken_over.generation, "a client whose message was not taken is dropped");
        router.disconnect_client(&client).await;
    }
}

/// Says that we are online once we are, and gives feedback to devices.
async fn speak(
    router: Arc<MessageRouter>,
    node: String,
    mut feedback: mpsc::Receiver<Feedback>,
    mut ready: watch::Receiver<bool>,
    readiness: watch::Sender<Readiness>,
) {
    if ready.wait_for(|ready| *ready).await.is_err() {
        return;
    }
    let online = PublishPacket::new(online_topic(&node), "online", QoS::AtLeastOnce).with_retain(true);
    router.route_message(&online, None).await;
    readiness.send_replace(Readiness::Ready);
    while let Some(feedback) = feedback.recv().await {
        let (topic, payload) = told(&feedback);
        router.route_message(&PublishPacket::new(topic, payload, QoS::AtLeastOnce), None).await;
    }
}

async fn follow(handler: Arc<Handler>, mut rules: watch::Receiver<Arc<Vec<Rule>>>) {
    while rules.changed().await.is_ok() {
        let now_in_force = rules.borrow_and_update().clone();
        handler.adopt(&now_in_force);
    }
}

#[cfg(test)]
mod tests;
