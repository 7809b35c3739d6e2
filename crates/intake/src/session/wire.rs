//! The one task that polls the connection. It waits for nobody, so that a slow record can never cost us the connection.
//!
//! Must not interpret a message: it stamps each with its connection's epoch and hands it on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ring::rand::{SecureRandom, SystemRandom};
use rumqttc::{AsyncClient, ClientError, ConnectionError, Event, EventLoop, ManualAck, Packet, Publish, StateError};
use tokio::sync::Notify;
use tokio::sync::mpsc::{self, error::TrySendError};
use tokio::time::Instant;

/// First wait before connecting again, and the longest.
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(5);
/// A connection that held this long was a good one: the next wait is short again.
const HELD_WELL: Duration = Duration::from_secs(10);
/// After so many connections in a row that broke on something we cannot read, the session itself is given up.
const CHOKED_MAX: u32 = 8;

/// One connection's number; it changes with every end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Epoch(u64);

/// What happened on the wire, in order.
#[derive(Debug)]
pub(super) enum Happened {
    /// A connection stands.
    Connected {
        /// From now on.
        epoch: Epoch,
        /// The broker had kept our session.
        session_present: bool,
    },
    /// A message came.
    Published {
        /// By which connection.
        epoch: Epoch,
        /// The message.
        publish: Publish,
    },
    /// There is no connection any more, or still none.
    Lost {
        /// Why.
        why: String,
    },
    /// The session was given up because it held something that we cannot read: what the broker kept for us is gone.
    GivenUp,
}

/// Lets an acknowledgement through only while its connection stands.
pub(super) struct Fence {
    client: AsyncClient,
    epoch: Mutex<u64>,
    cut: Notify,
}

impl Fence {
    pub(super) fn new(client: AsyncClient) -> Self {
        Self { client, epoch: Mutex::new(0), cut: Notify::new() }
    }

    /// The client, for subscriptions.
    pub(super) fn client(&self) -> &AsyncClient {
        &self.client
    }

    /// Acknowledges if `epoch` is still the connection's; says whether it did.
    ///
    /// The check and the queueing happen under one lock, and the queue is emptied after every change of epoch: an
    /// acknowledgement cannot slip onto the next connection.
    pub(super) fn acknowledge(&self, epoch: Epoch, ack: ManualAck) -> Result<bool, ClientError> {
        let current = self.lock();
        if *current != epoch.0 {
            return Ok(false);
        }
        self.client.try_manual_ack(ack).map(|()| true)
    }

    /// Drops the connection, so that the broker sends again what is unacknowledged.
    pub(super) fn cut(&self) {
        self.cut.notify_one();
    }

    fn current(&self) -> Epoch {
        Epoch(*self.lock())
    }

    fn end_epoch(&self, line: &mut EventLoop) {
        *self.lock() += 1;
        // After the change nobody queues an acknowledgement of the old epoch; this discards those queued before it.
        line.clean();
    }

    fn lock(&self) -> MutexGuard<'_, u64> {
        self.epoch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Polls until the client is told to disconnect.
pub(super) async fn run(mut line: EventLoop, fence: Arc<Fence>, events: mpsc::Sender<Happened>) {
    let mut pace = Pace::default();
    loop {
        let polled = tokio::select! {
            polled = line.poll() => polled,
            // Cancelling a poll may drop an acknowledgement it had taken up: here the whole connection is dropped with it.
            () = fence.cut.notified() => Err(ConnectionError::MqttState(StateError::ConnectionAborted)),
        };
        match polled {
            Ok(Event::Incoming(Packet::ConnAck(ack))) => {
                if pace.giving_up {
                    pace = Pace::default();
                    line.mqtt_options.set_clean_session(false);
                    fence.end_epoch(&mut line);
                    if events.send(Happened::GivenUp).await.is_err() {
                        return;
                    }
                    continue;
                }
                pace.connected();
                let connected = Happened::Connected { epoch: fence.current(), session_present: ack.session_present };
                hand_on(connected, &mut line, &fence, &events).await;
            }
            Ok(Event::Incoming(Packet::Publish(publish))) => {
                let published = Happened::Published { epoch: fence.current(), publish };
                hand_on(published, &mut line, &fence, &events).await;
            }
            Ok(Event::Incoming(_) | Event::Outgoing(_)) => {}
            Err(ConnectionError::RequestsDone) => return,
            Err(error) => {
                fence.end_epoch(&mut line);
                if events.send(Happened::Lost { why: error.to_string() }).await.is_err() {
                    return;
                }
                if pace.failed(&error) {
                    tracing::error!(
                        "the broker keeps sending something that is not MQTT; giving up the session with all it holds, so that new presses come through"
                    );
                    line.mqtt_options.set_clean_session(true);
                }
                tokio::select! {
                    () = tokio::time::sleep(pace.wait()) => {}
                    () = events.closed() => return,
                }
            }
        }
    }
}

/// Hands on without waiting. Overflow rule: where the attendant is a whole session behind, the connection is dropped and the
/// broker sends again; only what came by QoS 0 is lost with it.
async fn hand_on(happened: Happened, line: &mut EventLoop, fence: &Fence, events: &mpsc::Sender<Happened>) {
    match events.try_send(happened) {
        Ok(()) | Err(TrySendError::Closed(_)) => {}
        Err(TrySendError::Full(_)) => {
            fence.end_epoch(line);
            let why = "more messages came than could be taken".to_owned();
            // With the connection gone there is time to wait.
            if events.send(Happened::Lost { why }).await.is_err() {
                tracing::debug!("the attendant has left");
            }
        }
    }
}

/// How long to wait before connecting again.
#[derive(Default)]
struct Pace {
    failures: u32,
    choked: u32,
    since: Option<Instant>,
    giving_up: bool,
}

impl Pace {
    fn connected(&mut self) {
        self.since = Some(Instant::now());
    }

    /// Counts a failure; says whether the session must be given up.
    fn failed(&mut self, error: &ConnectionError) -> bool {
        let since = self.since.take();
        let held_well = since.is_some_and(|since| since.elapsed() >= HELD_WELL);
        self.failures = if held_well { 0 } else { self.failures.saturating_add(1) };
        let choked = matches!(error, ConnectionError::MqttState(StateError::Deserialization(_) | StateError::ProtocolViolation(_)));
        if held_well {
            self.choked = 0;
        } else if choked && since.is_some() {
            // Only behind a CONNACK: what answers in its place is not our broker, and no session of ours is at stake.
            self.choked += 1;
        }
        self.giving_up = self.choked >= CHOKED_MAX;
        self.giving_up
    }

    /// Doubles with every failure up to 5 s; half of it is chance, so that many clients do not come back at once.
    fn wait(&self) -> Duration {
        let full = BACKOFF_FIRST.saturating_mul(1 << self.failures.min(6)).min(BACKOFF_MAX);
        let mut chance = [0_u8; 1];
        // Without a source of chance the wait is the whole one.
        let share = SystemRandom::new().fill(&mut chance).map_or(255, |()| u32::from(chance[0]));
        full / 2 + full / 2 * share / 255
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn garbage() -> ConnectionError {
        ConnectionError::MqttState(StateError::Deserialization(rumqttc::mqttbytes::Error::MalformedPacket))
    }

    #[test]
    fn waits_grow_to_five_seconds_and_no_further() {
        let mut pace = Pace::default();
        assert!(pace.wait() <= BACKOFF_FIRST);
        for _ in 0..40 {
            pace.failed(&ConnectionError::NetworkTimeout);
            assert!(pace.wait() <= BACKOFF_MAX);
        }
        assert!(pace.wait() >= BACKOFF_MAX / 2);
        assert!(!pace.giving_up);
    }

    #[test]
    fn only_what_is_not_mqtt_gives_the_session_up() {
        let mut pace = Pace::default();
        for _ in 1..CHOKED_MAX {
            pace.connected();
            assert!(!pace.failed(&garbage()));
        }
        pace.connected();
        assert!(pace.failed(&garbage()));
    }
}
