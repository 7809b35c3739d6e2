//! Hears what the wire hands on, submits it, and acknowledges it once it is durable.
//!
//! Keeps the subscriptions whole: after every connection the entire set is subscribed, and what left it is unsubscribed. Must
//! never acknowledge anything by itself but what has no meaning for the rules.

mod seen;
mod subscriptions;

use std::sync::Arc;
use std::time::Duration;

use escalation::directory::adapter::Rule;
use escalation::input::Input;
use escalation::signal::{Origin, Signal, Via};
use escalation::time::Timestamp;
use escalation::trouble::Cause;
use escalation::verdict::{NotTaken, Verdict};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{FuturesUnordered, StreamExt};
use rumqttc::{ManualAck, Publish, QoS};
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use self::seen::Seen;
use self::subscriptions::Subscriptions;
use super::unacknowledged::{Arrival, Ticket, Unacknowledged};
use super::wire::{Epoch, Fence, Happened};
use super::{FAREWELL, Needs};
use crate::Readiness;
use crate::adapter::{Adapters, Heard};
use crate::once_only::{hand_over, overflow};
use crate::supervision::is_sign_of_life;

/// How long the broker may be away before that is a trouble.
const AWAY_MAX: Duration = Duration::from_secs(10);
/// What comes this soon after we are back may have waited for us.
const CATCHING_UP: Duration = Duration::from_secs(5);
/// For how long after we are back in a session that the broker kept nothing is a sign of life: a backlog may be long, and an old
/// heartbeat of a dead button must not speak for it.
const BACKLOG: Duration = Duration::from_mins(1);
/// How long what was not taken rests before it is asked for, or tried, again.
const PAUSE: Duration = Duration::from_secs(1);
/// How many QoS 0 signals may wait for their verdict, or to be tried again: no broker sends those twice. Overflow rule: what
/// comes beyond is handed to the watch once and not followed, and a trouble says so until nothing waits any more.
pub(super) const ONCE_ONLY_MAX: usize = 4_096;

/// One submission's end.
struct Settled {
    ticket: Ticket,
    ack: Option<ManualAck>,
    signal: Signal,
    verdict: Verdict,
}

struct Attendant {
    needs: Needs,
    fence: Arc<Fence>,
    adapters: Adapters,
    subscriptions: Subscriptions,
    unacknowledged: Unacknowledged,
    under_way: FuturesUnordered<BoxFuture<'static, Settled>>,
    /// Of those under way, how many came by QoS 0.
    once_only: usize,
    seen: Seen,
    /// The connection that stands.
    epoch: Option<Epoch>,
    /// Since when there is none, by the watch's clock and by ours.
    away: Option<(Option<Timestamp>, Instant)>,
    /// What comes until then may have waited since.
    catching_up: Option<(Timestamp, Instant)>,
    /// When the connection is to be cut because something was not taken.
    cut_at: Option<Instant>,
    had_session: bool,
}

/// Attends until told to stop, then settles what is under way and disconnects.
pub(super) async fn run(mut needs: Needs, fence: Arc<Fence>, mut events: mpsc::Receiver<Happened>, mut stopping: watch::Receiver<bool>) {
    let adapters = adapters(&needs.rules.borrow_and_update().clone());
    let had_session = needs.last_here.is_some();
    let mut attendant = Attendant {
        subscriptions: Subscriptions::new(fence.clone(), needs.troubles.clone(), adapters.filters()),
        adapters,
        unacknowledged: Unacknowledged::default(),
        under_way: FuturesUnordered::new(),
        once_only: 0,
        seen: Seen::default(),
        epoch: None,
        away: Some((needs.last_here, Instant::now())),
        catching_up: None,
        cut_at: None,
        had_session,
        needs,
        fence,
    };
    let mut rules = attendant.needs.rules.clone();
    loop {
        let alarm = attendant.next_alarm();
        tokio::select! {
            happened = events.recv() => match happened {
                Some(happened) => attendant.on(happened),
                None => break,
            },
            Some(settled) = attendant.under_way.next() => attendant.settle(settled),
            granted = attendant.subscriptions.answered() => attendant.on_subscribed(granted),
            Ok(()) = rules.changed() => {
                let now_in_force = rules.borrow_and_update().clone();
                attendant.adopt(&now_in_force);
            }
            () = tokio::time::sleep_until(alarm) => attendant.on_alarm(),
            _ = stopping.wait_for(|stop| *stop) => break,
        }
    }
    attendant.leave().await;
}

fn adapters(rules: &[Rule]) -> Adapters {
    let (adapters, faults) = Adapters::new(rules);
    for fault in faults {
        tracing::error!(%fault, "an adapter rule is left out");
    }
    adapters
}

impl Attendant {
    fn on(&mut self, happened: Happened) {
        match happened {
            Happened::Connected { epoch, session_present } => self.on_connected(epoch, session_present),
            Happened::Published { epoch, publish } => self.on_published(epoch, &publish),
            Happened::Lost { why } => self.on_lost(&why),
            Happened::GivenUp => {
                self.unacknowledged.forget();
                self.needs.troubles.raise(Cause::SessionLost);
            }
        }
    }

    fn on_connected(&mut self, epoch: Epoch, session_present: bool) {
        tracing::info!(session_present, "connected to the broker");
        let absence = self.away.take().and_then(|(since, _)| since);
        self.epoch = Some(epoch);
        self.cut_at = None;
        if session_present {
            self.catching_up = absence.map(|since| (since, Instant::now() + CATCHING_UP));
            self.needs.supervision.listen_from(Instant::now() + BACKLOG);
        } else {
            self.needs.supervision.listen_from(Instant::now());
            self.unacknowledged.forget();
            if self.had_session {
                tracing::warn!("the broker had no session for us: what was pressed while we were away, and had not reached us, is gone");
                self.needs.troubles.raise(Cause::SessionLost);
            }
        }
        self.had_session = true;
        self.needs.troubles.clear(Cause::BrokerAway);
        self.subscriptions.connected();
        self.say_readiness();
    }

    fn on_lost(&mut self, why: &str) {
        if self.epoch.take().is_some() {
            tracing::warn!(why, "the connection to the broker is gone");
            self.away = Some((Some((self.needs.now)()), Instant::now()));
        } else {
            tracing::debug!(why, "still no connection to the broker");
        }
        self.catching_up = None;
        self.needs.supervision.listen_no_more();
        self.subscriptions.lost();
        self.needs.readiness.send_replace(Readiness::NotYet { why: format!("the broker does not answer: {why}") });
    }

    fn on_published(&mut self, epoch: Epoch, publish: &Publish) {
        let ack = self.fence.client().prepare_ack(publish);
        let ticket = match self.unacknowledged.arrived(epoch, publish) {
            Arrival::New(ticket) => ticket,
            Arrival::UnderWay => return,
            Arrival::Durable => return self.acknowledge(epoch, ack),
        };
        let now = (self.needs.now)();
        match self.adapters.hear(&publish.topic, &publish.payload, self.origin(publish)) {
            Heard::Ignored(_) => self.acknowledge(epoch, ack),
            Heard::Alive { device, battery, rssi, at } => {
                // A retained message says how things were.
                if !publish.retain {
                    self.needs.supervision.heartbeat(&device, now, at, battery, rssi);
                }
                self.acknowledge(epoch, ack);
            }
            Heard::Signal(mut signal) => {
                if self.seen.is_copy(&signal) {
                    return self.acknowledge(epoch, ack);
                }
                signal.clock = self.needs.supervision.clock(&signal.device, now);
                if !signal.origin.retained && is_sign_of_life(&signal.verb) {
                    self.needs.supervision.heard(&signal.device, now, signal.battery);
                }
                if ack.is_none() && self.once_only >= ONCE_ONLY_MAX {
                    return hand_over(&self.needs.submit, &self.needs.troubles, *signal);
                }
                self.submit(ticket, ack, *signal, None);
            }
        }
    }

    fn origin(&self, publish: &Publish) -> Origin {
        let waited = self.catching_up.filter(|(_, until)| Instant::now() < *until);
        Origin {
            via: Via::Session,
            client: None,
            qos: level(publish.qos),
            retained: publish.retain,
            dup: publish.dup,
            waited_since: waited.map(|(since, _)| since),
        }
    }

    fn submit(&mut self, ticket: Ticket, ack: Option<ManualAck>, signal: Signal, after: Option<Duration>) {
        self.once_only += usize::from(ack.is_none());
        let submit = self.needs.submit.clone();
        // Submitted here, not in the future: presses reach the watch in the order in which they came.
        let pending = after.is_none().then(|| submit(Input::Signal(signal.clone())));
        let settled = async move {
            let verdict = match (pending, after) {
                (Some(pending), _) => pending.await,
                (None, rest) => {
                    tokio::time::sleep(rest.unwrap_or_default()).await;
                    submit(Input::Signal(signal.clone())).await
                }
            };
            Settled { ticket, ack, signal, verdict }
        };
        self.under_way.push(settled.boxed());
    }

    fn settle(&mut self, settled: Settled) {
        let Settled { ticket, ack, signal, verdict } = settled;
        if ack.is_none() {
            self.once_only -= 1;
            return self.settle_unguaranteed(ticket, signal, &verdict);
        }
        match verdict {
            Verdict::Durable(_) => {
                self.seen.remember(&signal);
                self.acknowledge_ticket(ticket, ack);
            }
            Verdict::Refused(why) => {
                tracing::error!(%why, "the rules refused a signal, which they never should; it is acknowledged, or it would come again for ever");
                self.acknowledge_ticket(ticket, ack);
            }
            Verdict::NotTaken(why) => {
                self.unacknowledged.not_taken(ticket);
                match why {
                    NotTaken::Stopping => {}
                    NotTaken::Overloaded | NotTaken::Unrecorded => {
                        tracing::warn!(%why, "a signal was not taken; the broker will be asked for it again");
                        self.cut_at.get_or_insert_with(|| Instant::now() + PAUSE);
                    }
                }
            }
        }
    }

    /// What came by QoS 0 comes only once: we try again ourselves.
    fn settle_unguaranteed(&mut self, ticket: Ticket, signal: Signal, verdict: &Verdict) {
        match verdict {
            Verdict::Durable(_) => {
                self.seen.remember(&signal);
                // One that is durable says nothing of those that still wait. A trouble may be open from before this start.
                if self.once_only == 0 {
                    self.needs.troubles.clear(overflow());
                }
            }
            Verdict::Refused(why) => {
                tracing::error!(%why, "the rules refused a signal, which they never should");
            }
            Verdict::NotTaken(NotTaken::Stopping) => {
                tracing::error!("a signal that came by QoS 0 is lost: the station is stopping");
            }
            Verdict::NotTaken(NotTaken::Overloaded | NotTaken::Unrecorded) => self.submit(ticket, None, signal, Some(PAUSE)),
        }
    }

    fn acknowledge_ticket(&mut self, ticket: Ticket, ack: Option<ManualAck>) {
        if let Some(epoch) = self.unacknowledged.durable(ticket) {
            self.acknowledge(epoch, ack);
        }
    }

    fn acknowledge(&mut self, epoch: Epoch, ack: Option<ManualAck>) {
        let Some(ack) = ack else { return };
        let packet = match &ack {
            ManualAck::PubAck(ack) => ack.pkid,
            ManualAck::PubRec(ack) => ack.pkid,
        };
        match self.fence.acknowledge(epoch, ack) {
            Ok(true) => self.unacknowledged.acknowledged(packet),
            Ok(false) => tracing::debug!("an acknowledgement came too late for its connection and was dropped"),
            Err(error) => {
                tracing::warn!(%error, "an acknowledgement could not be queued; the broker will send that message again");
                self.fence.cut();
            }
        }
    }

    fn adopt(&mut self, rules: &[Rule]) {
        self.adapters = adapters(rules);
        self.subscriptions.want(self.adapters.filters());
        self.say_readiness();
    }

    fn on_subscribed(&mut self, all_answered: bool) {
        if all_answered && self.subscriptions.complete() {
            self.needs.troubles.clear(Cause::SessionLost);
        }
        self.say_readiness();
    }

    fn say_readiness(&self) {
        let readiness = match (self.epoch, self.subscriptions.gap()) {
            (None, _) => Readiness::NotYet { why: "the broker does not answer".to_owned() },
            (Some(_), Some(filter)) => Readiness::NotYet { why: format!("the broker has not granted the subscription to {filter}") },
            (Some(_), None) => Readiness::Ready,
        };
        self.needs.readiness.send_if_modified(|said| {
            let changed = *said != readiness;
            *said = readiness;
            changed
        });
    }

    fn next_alarm(&self) -> Instant {
        let away = self.away.map(|(_, since)| since + AWAY_MAX);
        let away = away.filter(|_| !self.needs.troubles.is_open(&Cause::BrokerAway));
        let idle = Instant::now() + Duration::from_hours(1);
        [away, self.cut_at, self.subscriptions.retry_at()].into_iter().flatten().min().unwrap_or(idle)
    }

    fn on_alarm(&mut self) {
        let now = Instant::now();
        if self.away.is_some_and(|(_, since)| now >= since + AWAY_MAX) {
            self.needs.troubles.raise(Cause::BrokerAway);
        }
        if self.cut_at.is_some_and(|at| now >= at) {
            self.cut_at = None;
            self.fence.cut();
        }
        self.subscriptions.on_alarm(now);
    }

    /// Waits for what is under way, then disconnects behind its acknowledgements.
    async fn leave(mut self) {
        let deadline = Instant::now() + FAREWELL;
        while let Ok(Some(settled)) = tokio::time::timeout_at(deadline, self.under_way.next()).await {
            self.settle(settled);
        }
        self.needs.readiness.send_replace(Readiness::NotYet { why: "the station is stopping".to_owned() });
        let asked = if self.epoch.is_some() {
            self.fence.client().try_disconnect_with_timeout(Duration::from_secs(1))
        } else {
            self.fence.client().try_disconnect_now()
        };
        if let Err(error) = asked {
            tracing::debug!(%error, "could not say goodbye to the broker");
        }
    }
}

fn level(qos: QoS) -> u8 {
    match qos {
        QoS::AtMostOnce => 0,
        QoS::AtLeastOnce => 1,
        QoS::ExactlyOnce => 2,
    }
}
