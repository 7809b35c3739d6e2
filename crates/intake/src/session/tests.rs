//! The session against a broker that does exactly what a test says, byte by byte.

use std::time::Duration;

use escalation::input::Input;
use escalation::signal::{DeviceClock, Signal, Verb};
use escalation::trouble::Cause;
use escalation::verdict::{NotTaken, Outcome, Verdict};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::attendant::ONCE_ONLY_MAX;
use super::*;
use crate::settings::Mqtt;

const PRESS: &str = "cooee/v1/library/counter/press";
/// Subscribed to by nobody, and therefore acknowledged at once: shows what was NOT acknowledged before it.
const MARKER: &str = "somebody/elses/topic";
const DEADLINE: Duration = Duration::from_secs(30);

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.unwrap_or_else(|_| panic!("{what} did not happen"))
}

/// A watch that gives its verdicts when the test says so.
struct Watch {
    inputs: mpsc::UnboundedReceiver<(Input, oneshot::Sender<Verdict>)>,
}

impl Watch {
    fn new() -> (Self, Submit) {
        let (sender, inputs) = mpsc::unbounded_channel();
        let submit: Submit = Arc::new(move |input| {
            let (answer, verdict) = oneshot::channel();
            sender.send((input, answer)).unwrap();
            Box::pin(async { verdict.await.unwrap_or(Verdict::NotTaken(NotTaken::Stopping)) })
        });
        (Self { inputs }, submit)
    }

    /// The next signal; troubles on the way are taken.
    async fn signal(&mut self) -> (Signal, oneshot::Sender<Verdict>) {
        loop {
            match soon("a signal", self.inputs.recv()).await.unwrap() {
                (Input::Signal(signal), answer) => return (signal, answer),
                (_, answer) => answer.send(durable()).unwrap(),
            }
        }
    }

    async fn trouble(&mut self, wanted: &Input) {
        loop {
            let (input, answer) = soon("a trouble", self.inputs.recv()).await.unwrap();
            answer.send(durable()).unwrap();
            if input == *wanted {
                return;
            }
        }
    }

    fn is_quiet(&mut self) -> bool {
        !matches!(self.inputs.try_recv(), Ok((Input::Signal(_), _)))
    }
}

fn durable() -> Verdict {
    Verdict::Durable(Outcome::default())
}

/// One connection of a broker that the test plays.
struct Broker {
    stream: TcpStream,
}

impl Broker {
    /// Accepts a connection; says whether it wants a clean session.
    async fn accept(listener: &TcpListener, session_present: bool) -> (Self, bool) {
        let (stream, _) = soon("a connection", listener.accept()).await.unwrap();
        let mut broker = Self { stream };
        let (kind, connect) = broker.packet().await;
        assert_eq!(kind & 0xf0, 0x10, "CONNECT");
        broker.send(&[0x20, 2, u8::from(session_present), 0]).await;
        (broker, connect[7] & 2 != 0)
    }

    /// Answers every SUBSCRIBE of a round with this code; returns how many filters were asked for.
    async fn subscribe(&mut self, code: u8) -> usize {
        let (kind, body) = self.packet().await;
        assert_eq!(kind & 0xf0, 0x80, "SUBSCRIBE");
        let (mut at, mut filters) = (2, 0);
        while at < body.len() {
            at += 3 + usize::from(u16::from_be_bytes([body[at], body[at + 1]]));
            filters += 1;
        }
        let mut ack = vec![0x90, u8::try_from(2 + filters).unwrap(), body[0], body[1]];
        ack.resize(4 + filters, code);
        self.send(&ack).await;
        filters
    }

    async fn publish(&mut self, packet: u16, dup: bool, topic: &str, payload: &[u8]) {
        self.publish_with(0x32 | u8::from(dup) << 3, &packet.to_be_bytes(), topic, payload).await;
    }

    /// By QoS 0.
    async fn publish_once(&mut self, topic: &str, payload: &[u8]) {
        self.publish_with(0x30, &[], topic, payload).await;
    }

    async fn publish_with(&mut self, head: u8, packet: &[u8], topic: &str, payload: &[u8]) {
        let length = 2 + packet.len() + topic.len() + payload.len();
        let mut bytes = vec![head];
        let mut rest = length;
        while rest >= 128 {
            bytes.push(u8::try_from(rest % 128).unwrap() | 0x80);
            rest /= 128;
        }
        bytes.push(u8::try_from(rest).unwrap());
        bytes.extend(u16::try_from(topic.len()).unwrap().to_be_bytes());
        bytes.extend(topic.as_bytes());
        bytes.extend(packet);
        bytes.extend(payload);
        self.send(&bytes).await;
    }

    /// The packet identifier of the next PUBACK.
    async fn puback(&mut self) -> u16 {
        loop {
            let (kind, body) = self.packet().await;
            match kind & 0xf0 {
                0x40 => return u16::from_be_bytes([body[0], body[1]]),
                0xc0 => self.send(&[0xd0, 0]).await,
                other => panic!("packet {other:#x} instead of a PUBACK"),
            }
        }
    }

    async fn packet(&mut self) -> (u8, Vec<u8>) {
        soon("a packet", async {
            let kind = self.stream.read_u8().await.unwrap();
            let length = self.stream.read_u8().await.unwrap();
            let length = if length < 128 {
                usize::from(length)
            } else {
                usize::from(length & 127) + 128 * usize::from(self.stream.read_u8().await.unwrap())
            };
            let mut body = vec![0; length];
            self.stream.read_exact(&mut body).await.unwrap();
            (kind, body)
        })
        .await
    }

    async fn send(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// The client ends this connection.
    async fn end(mut self) {
        let mut rest = Vec::new();
        drop(soon("the end of the connection", self.stream.read_to_end(&mut rest)).await);
    }
}

struct Room {
    listener: TcpListener,
    watch: Watch,
    readiness: watch::Receiver<Readiness>,
    rules: watch::Sender<Arc<Vec<Rule>>>,
    supervision: Supervision,
    session: Session,
}

async fn room() -> Room {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("mqtt://{}", listener.local_addr().unwrap());
    let access = toml::from_str::<Mqtt>(&format!("url='{url}'")).unwrap().access().unwrap();
    let (watch, submit) = Watch::new();
    let (readiness_in, readiness) = watch::channel(Readiness::NotYet { why: String::new() });
    let (rules, in_force) = watch::channel(Arc::default());
    let supervision = Supervision::default();
    let needs = Needs {
        submit: submit.clone(),
        now: Arc::new(|| "2026-11-21T06:00:00Z".parse().unwrap()),
        rules: in_force,
        supervision: supervision.clone(),
        troubles: Troubles::start(submit).0,
        readiness: readiness_in,
        last_here: None,
    };
    let session = Session::start(&access, needs).unwrap();
    Room { listener, watch, readiness, rules, supervision, session }
}

impl Room {
    async fn connected(&mut self, session_present: bool) -> Broker {
        let (mut broker, clean) = Broker::accept(&self.listener, session_present).await;
        assert!(!clean, "the session must be one that the broker keeps");
        assert_eq!(broker.subscribe(1).await, 5);
        broker
    }

    async fn ready(&mut self) {
        soon("readiness", self.readiness.wait_for(|said| *said == Readiness::Ready)).await.unwrap();
    }
}

#[tokio::test]
async fn i1_a_press_is_acknowledged_only_once_it_is_durable() {
    let mut room = room().await;
    let mut broker = room.connected(false).await;
    room.ready().await;
    broker.publish(1, false, PRESS, b"").await;
    let (press, answer) = room.watch.signal().await;
    assert_eq!((press.device.to_string().as_str(), press.clock), ("library/counter", DeviceClock::Unproven));
    broker.publish(2, false, MARKER, b"").await;
    assert_eq!(broker.puback().await, 2, "the press is not durable yet");
    answer.send(durable()).unwrap();
    assert_eq!(broker.puback().await, 1);
}

#[tokio::test]
async fn a_late_acknowledgement_never_confirms_a_new_message() {
    let mut room = room().await;
    let mut broker = room.connected(false).await;
    broker.publish(1, false, PRESS, b"old").await;
    let (_, old) = room.watch.signal().await;
    drop(broker);
    let mut broker = room.connected(false).await;
    broker.publish(1, false, PRESS, b"new").await;
    let (_, new) = room.watch.signal().await;
    old.send(durable()).unwrap();
    broker.publish(2, false, MARKER, b"").await;
    assert_eq!(broker.puback().await, 2, "the new press is not durable yet");
    new.send(durable()).unwrap();
    assert_eq!(broker.puback().await, 1);
}

#[tokio::test]
async fn what_is_sent_again_in_the_same_session_is_one_press() {
    let mut room = room().await;
    let mut broker = room.connected(false).await;
    broker.publish(1, false, PRESS, b"a").await;
    broker.publish(2, false, PRESS, b"b").await;
    let (_, under_way) = room.watch.signal().await;
    let (_, recorded) = room.watch.signal().await;
    drop(broker);
    soon("the loss", room.readiness.wait_for(|said| matches!(said, Readiness::NotYet { why } if why.contains("answer")))).await.unwrap();
    recorded.send(durable()).unwrap();
    let mut broker = room.connected(true).await;
    broker.publish(1, true, PRESS, b"a").await;
    broker.publish(2, true, PRESS, b"b").await;
    assert_eq!(broker.puback().await, 2);
    under_way.send(durable()).unwrap();
    assert_eq!(broker.puback().await, 1);
    assert!(room.watch.is_quiet(), "no second press");
    broker.publish(1, false, PRESS, b"a").await;
    let (again, _answer) = room.watch.signal().await;
    assert!(again.origin.waited_since.is_some());
}

#[tokio::test]
async fn what_was_not_taken_is_asked_for_again() {
    let mut room = room().await;
    let mut broker = room.connected(false).await;
    broker.publish(1, false, PRESS, b"").await;
    let (_, answer) = room.watch.signal().await;
    answer.send(Verdict::NotTaken(NotTaken::Overloaded)).unwrap();
    broker.end().await;
    let mut broker = room.connected(true).await;
    broker.publish(1, true, PRESS, b"").await;
    let (press, answer) = room.watch.signal().await;
    assert!(press.origin.dup);
    answer.send(durable()).unwrap();
    assert_eq!(broker.puback().await, 1);
}

/// The trouble may be of an earlier process; and what waits still could be lost with this one.
#[tokio::test]
async fn an_overflow_is_over_once_nothing_waits_and_is_said_to_be_after_a_restart_too() {
    let mut room = room().await;
    let mut broker = room.connected(false).await;
    broker.publish_once(PRESS, b"a").await;
    broker.publish_once(PRESS, b"b").await;
    let (_, first) = room.watch.signal().await;
    let (_, second) = room.watch.signal().await;
    first.send(durable()).unwrap();
    // A word with the attendant: the first verdict is settled before this press comes out.
    broker.publish(1, false, PRESS, b"c").await;
    let (_, third) = room.watch.signal().await;
    third.send(durable()).unwrap();
    assert_eq!(broker.puback().await, 1);
    assert!(room.watch.inputs.try_recv().is_err(), "one waits still");
    second.send(durable()).unwrap();
    room.watch.trouble(&Input::TroubleCleared(Cause::Overflow { queue: "qos0".to_owned() })).await;
}

#[tokio::test]
async fn presses_that_come_only_once_wait_in_a_bounded_number_and_each_is_handed_over() {
    let mut room = room().await;
    let mut broker = room.connected(false).await;
    let publishing = tokio::spawn(async move {
        for n in 0..=ONCE_ONLY_MAX {
            broker.publish_once(PRESS, format!(r#"{{"id":"{n}"}}"#).as_bytes()).await;
        }
        broker
    });
    let (mut unanswered, mut overflowing) = (Vec::new(), false);
    while unanswered.len() <= ONCE_ONLY_MAX || !overflowing {
        let (input, answer) = soon("a press, or the trouble", room.watch.inputs.recv()).await.unwrap();
        if let Input::Signal(_) = input {
            unanswered.push(answer);
        } else {
            overflowing |= input == Input::TroubleNoticed(Cause::Overflow { queue: "qos0".to_owned() });
            answer.send(durable()).unwrap();
        }
    }
    let followed = unanswered.iter().filter(|answer| !answer.is_closed()).count();
    assert_eq!(followed, ONCE_ONLY_MAX, "the last is not followed");
    drop(publishing.await.unwrap());
}

#[tokio::test]
async fn a_refused_subscription_is_a_trouble_and_not_ready() {
    let mut room = room().await;
    let (mut broker, _) = Broker::accept(&room.listener, false).await;
    broker.subscribe(0x80).await;
    let cause = Cause::SubscriptionRefused { filter: "cooee/v1/+/+/press".to_owned() };
    room.watch.trouble(&Input::TroubleNoticed(cause.clone())).await;
    assert!(matches!(*room.readiness.borrow(), Readiness::NotYet { .. }));
    drop(broker);
    let _broker = room.connected(true).await;
    room.watch.trouble(&Input::TroubleCleared(cause)).await;
    room.ready().await;
}

#[tokio::test]
async fn a_lost_session_is_said_and_cleared_once_all_is_subscribed_again() {
    let mut room = room().await;
    drop(room.connected(false).await);
    let (mut broker, _) = Broker::accept(&room.listener, false).await;
    room.watch.trouble(&Input::TroubleNoticed(Cause::SessionLost)).await;
    broker.subscribe(1).await;
    room.watch.trouble(&Input::TroubleCleared(Cause::SessionLost)).await;
}

#[tokio::test]
async fn no_message_can_wedge_the_session() {
    let mut room = room().await;
    let mut broker = room.connected(false).await;
    let deep = [b'['; 4_000];
    let long_topic = format!("cooee/v1/s/{}/press", "d".repeat(60_000));
    broker.publish(1, false, PRESS, &vec![0; 1_048_576]).await;
    broker.publish(2, false, &long_topic, b"\xff").await;
    broker.publish(3, false, PRESS, &deep).await;
    broker.publish(4, false, "cooee/v1/s/d/tamper", b"\0").await;
    for packet in 1..=4 {
        let (signal, answer) = room.watch.signal().await;
        assert_eq!(matches!(signal.verb, Verb::Press { .. }), packet < 4, "{packet}");
        answer.send(durable()).unwrap();
        assert_eq!(broker.puback().await, packet);
    }
}

#[tokio::test]
async fn a_session_that_holds_what_is_not_mqtt_is_given_up_at_last() {
    let mut room = room().await;
    let broker = loop {
        let (mut broker, clean) = Broker::accept(&room.listener, false).await;
        if clean {
            break broker;
        }
        broker.send(&[0x32, 2, 0, 9]).await;
    };
    broker.end().await;
    room.watch.trouble(&Input::TroubleNoticed(Cause::SessionLost)).await;
    let mut broker = room.connected(false).await;
    room.ready().await;
    broker.publish(1, false, PRESS, b"").await;
    let (_, answer) = room.watch.signal().await;
    answer.send(durable()).unwrap();
    assert_eq!(broker.puback().await, 1);
}

#[tokio::test]
async fn a_subscription_without_guarantee_is_a_trouble() {
    let mut room = room().await;
    let (mut broker, _) = Broker::accept(&room.listener, false).await;
    broker.subscribe(0).await;
    room.watch.trouble(&Input::TroubleNoticed(Cause::BrokerSetting { lacks: "qos1".to_owned() })).await;
    room.ready().await;
}

#[tokio::test]
async fn retained_copies_are_heard_once() {
    let mut room = room().await;
    let mut broker = room.connected(false).await;
    let lwt = |packet: u8| {
        let topic = b"cooee/v1/site1/d/lwt";
        [&[0x33, 31, 0, 20][..], topic, &[0, packet], b"offline"].concat()
    };
    broker.send(&lwt(1)).await;
    let (signal, answer) = room.watch.signal().await;
    assert_eq!((signal.verb, signal.origin.retained), (Verb::Presence { online: false }, true));
    answer.send(durable()).unwrap();
    assert_eq!(broker.puback().await, 1);
    broker.send(&lwt(2)).await;
    assert_eq!(broker.puback().await, 2);
    assert!(room.watch.is_quiet());
}

#[tokio::test]
async fn a_heartbeat_that_the_broker_kept_is_no_sign_of_life() {
    let mut room = room().await;
    let mut broker = room.connected(false).await;
    let signs = |room: &Room| room.supervision.last_heard(&"library/counter".parse().unwrap()).map_or(0, |last| last.signs);
    let alive = "cooee/v1/library/counter/alive";
    broker.publish_with(0x33, &[0, 1], alive, br#"{"battery":80}"#).await;
    assert_eq!(broker.puback().await, 1);
    assert_eq!(signs(&room), 0, "a retained one says how things were");
    broker.publish(2, false, alive, b"").await;
    assert_eq!(broker.puback().await, 2);
    assert_eq!(signs(&room), 1);
    // After an absence within one session nobody can tell what has just been sent from what waited.
    broker.end().await;
    let mut broker = room.connected(true).await;
    broker.publish(3, false, alive, b"").await;
    assert_eq!(broker.puback().await, 3);
    assert_eq!(signs(&room), 1, "it may have waited");
}

#[tokio::test]
async fn new_rules_are_subscribed_and_old_ones_left() {
    let mut room = room().await;
    let mut broker = room.connected(false).await;
    let rule: Rule = toml::from_str("id='a'\nsite='s'\ntopic='x/{device}'\nwhen=[{means='press'}]").unwrap();
    room.rules.send_replace(Arc::new(vec![rule]));
    assert_eq!(broker.subscribe(1).await, 1);
    broker.publish(1, false, "x/d", b"help").await;
    let (press, _answer) = room.watch.signal().await;
    assert_eq!(press.device.to_string(), "s/d");
    room.rules.send_replace(Arc::default());
    let (kind, body) = broker.packet().await;
    assert_eq!((kind & 0xf0, &body[4..]), (0xa0, &b"x/+"[..]), "UNSUBSCRIBE");
}

#[tokio::test]
async fn leaving_acknowledges_what_becomes_durable_and_says_goodbye() {
    let mut room = room().await;
    let mut broker = room.connected(false).await;
    broker.publish(1, false, PRESS, b"").await;
    let (_, answer) = room.watch.signal().await;
    let leaving = tokio::spawn(room.session.shutdown());
    answer.send(durable()).unwrap();
    assert_eq!(broker.puback().await, 1);
    assert_eq!(broker.packet().await.0 & 0xf0, 0xe0, "DISCONNECT");
    drop(broker);
    soon("the end", leaving).await.unwrap();
}
