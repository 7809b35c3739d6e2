//! The session with an outside broker: what it keeps for us survives our absence, and is acknowledged once it is durable.
//!
//! Two tasks share the work. [`wire`] alone polls the connection and never waits for anybody; [`attendant`] hears, submits and
//! acknowledges. Every message carries the epoch of its connection: no client library fences acknowledgements, and a late
//! one would confirm another message that nobody has recorded yet. What we publish goes by a client of its own (`outward`).

mod attendant;
mod unacknowledged;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use escalation::directory::adapter::Rule;
use escalation::time::Timestamp;
use escalation::verdict::Submit;
use rumqttc::{AckMode, AsyncClient, Broker, EventLoop, MqttOptions, NetworkOptions, TlsConfiguration, Transport};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::settings::Access;
use crate::supervision::Supervision;
use crate::troubles::Troubles;
use crate::{NotOpened, Now, Readiness};

/// Largest packet that MQTT can carry, in bytes: we refuse none, or one poison message would cut every connection for ever.
const PACKET_MAX: usize = 268_435_455;
/// Largest packet that we send, in bytes.
const PACKET_OUT_MAX: usize = 65_536;
/// Packet identifiers there are: queues of this size cannot be full of what is unacknowledged.
pub(crate) const QUEUE: usize = 65_536;
/// Half-open connections are noticed within twice this.
const KEEP_ALIVE_S: u16 = 5;
/// How long connecting may take, in seconds.
const CONNECT_S: u64 = 5;
/// How long an orderly end may take.
const FAREWELL: Duration = Duration::from_secs(3);

/// What a session needs from outside.
pub(crate) struct Needs {
    pub(crate) submit: Submit,
    pub(crate) now: Now,
    pub(crate) rules: watch::Receiver<Arc<Vec<Rule>>>,
    pub(crate) supervision: Supervision,
    pub(crate) troubles: Troubles,
    pub(crate) readiness: watch::Sender<Readiness>,
    /// The last time before this start at which the station was there, if it ever was.
    pub(crate) last_here: Option<Timestamp>,
}

/// A running session.
pub(crate) struct Session {
    stop: watch::Sender<bool>,
    attendant: JoinHandle<()>,
    wire: JoinHandle<()>,
}

impl Session {
    /// Starts connecting; the session goes on trying until it is shut down.
    pub(crate) fn start(access: &Access, needs: Needs) -> Result<Self, NotOpened> {
        let mut options = options(access, &access.client_id)?;
        options.set_clean_session(false);
        options.set_ack_mode(AckMode::Manual);
        options.set_max_packet_size(PACKET_MAX, PACKET_OUT_MAX);
        let (client, line) = connect(options, QUEUE);
        let (events_in, events) = mpsc::channel(QUEUE);
        let (stop, stopping) = watch::channel(false);
        let fence = Arc::new(wire::Fence::new(client));
        let wire = tokio::spawn(wire::run(line, fence.clone(), events_in));
        let attendant = tokio::spawn(attendant::run(needs, fence, events, stopping));
        Ok(Self { stop, attendant, wire })
    }

    /// Takes nothing new, waits a moment for what is under way, acknowledges it and leaves. What is unacknowledged stays with the broker.
    pub(crate) async fn shutdown(self) {
        self.stop.send_replace(true);
        let Self { attendant, wire, .. } = self;
        let (abort_attendant, abort_wire) = (attendant.abort_handle(), wire.abort_handle());
        let farewell = async move { (attendant.await, wire.await) };
        if tokio::time::timeout(FAREWELL * 2, farewell).await.is_err() {
            tracing::warn!("the broker did not let us go in time; the connection is cut");
            abort_attendant.abort();
            abort_wire.abort();
        }
    }
}

/// The options that every connection of ours has.
pub(crate) fn options(access: &Access, client_id: &str) -> Result<MqttOptions, NotOpened> {
    let address = &access.address;
    let mut options = MqttOptions::new(client_id, Broker::tcp(address.host.as_str(), address.port));
    options.set_keep_alive(KEEP_ALIVE_S);
    if let Some((user, password)) = &access.login {
        options.set_credentials(user.as_str(), password.expose().to_vec());
    }
    if address.encrypted {
        options.set_transport(Transport::tls_with_config(tls(access)?));
    }
    Ok(options)
}

/// A client and its connection, with small packets sent at once.
pub(crate) fn connect(options: MqttOptions, capacity: usize) -> (AsyncClient, EventLoop) {
    let (client, mut line) = AsyncClient::builder(options).capacity(capacity).build();
    let mut network = NetworkOptions::new();
    network.set_tcp_nodelay(true);
    network.set_connection_timeout(CONNECT_S);
    line.set_network_options(network);
    (client, line)
}

fn tls(access: &Access) -> Result<TlsConfiguration, NotOpened> {
    let identity = access.identity.as_ref().map(|(cert, key)| (cert.clone(), key.expose().to_vec()));
    match &access.ca {
        Some(ca) => Ok(TlsConfiguration::Simple { ca: ca.clone(), alpn: None, client_auth: identity }),
        None if identity.is_some() => Err(NotOpened::IdentityWithoutCa),
        None => TlsConfiguration::try_default_rustls().map_err(|why| NotOpened::NoTrust { why: why.to_string() }),
    }
}

#[cfg(test)]
mod tests;
