//! The ears against a real mosquitto: what it can do to us must cost no press.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use escalation::directory::adapter::Rule;
use escalation::input::Input;
use escalation::signal::{Signal, Verb};
use escalation::trouble::Cause;
use escalation::verdict::{NotTaken, Outcome, Submit, Verdict};
use harness::broker::Plan;
use harness::{Broker, Button, wait};
use intake::selftest::{self, Lack};
use intake::settings::{Mqtt, Settings};
use intake::{Ears, Feedback, Outgoing, Readiness, Retained, State};
use rumqttc::{AsyncClient, Event, EventLoop, Packet, PublishOptions, QoS};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, mpsc, oneshot, watch};

/// A watch that takes everything, or nothing while it is told to hold.
#[derive(Clone, Default)]
struct Watch {
    taken: Arc<Mutex<Vec<Input>>>,
    holding: Arc<Mutex<bool>>,
}

impl Watch {
    fn submit(&self) -> Submit {
        let watch = self.clone();
        Arc::new(move |input| {
            let held = *watch.holding.lock().unwrap() && matches!(input, Input::Signal(_));
            watch.taken.lock().unwrap().push(input);
            Box::pin(async move {
                if held {
                    std::future::pending::<()>().await;
                }
                Verdict::Durable(Outcome::default())
            })
        })
    }

    fn hold(&self, holding: bool) {
        *self.holding.lock().unwrap() = holding;
    }

    fn has(&self, input: &Input) -> bool {
        self.taken.lock().unwrap().contains(input)
    }

    fn signals(&self) -> Vec<Signal> {
        let taken = self.taken.lock().unwrap();
        let signals = taken.iter().filter_map(|input| if let Input::Signal(signal) = input { Some(signal.clone()) } else { None });
        signals.collect()
    }

    async fn expect(&self, input: Input) {
        wait::until(&format!("{input:?}"), async || self.has(&input).then_some(())).await;
    }

    async fn expect_press(&self, id: &str) -> Signal {
        wait::until(&format!("the press {id}"), async || self.signals().into_iter().find(|signal| signal.id.as_deref() == Some(id))).await
    }
}

struct Room {
    ears: Ears,
    watch: Watch,
    feedback: mpsc::Sender<Feedback>,
    checkpoints: mpsc::Sender<Retained>,
    _rules: watch::Sender<Arc<Vec<Rule>>>,
}

/// The house says nothing.
fn quiet() -> Outgoing {
    Outgoing { feedback: mpsc::channel(1).1, checkpoints: mpsc::channel(1).1 }
}

impl Room {
    async fn open(broker: &Broker) -> Self {
        let room = Self::opening(broker).await;
        room.ready().await;
        room
    }

    async fn opening(broker: &Broker) -> Self {
        let watch = Watch::default();
        let (feedback, feedback_out) = mpsc::channel(16);
        let (checkpoints, checkpoints_out) = mpsc::channel(1);
        let outgoing = Outgoing { feedback: feedback_out, checkpoints: checkpoints_out };
        let (rules, in_force) = watch::channel(Arc::default());
        let now = Arc::new(|| "2026-11-21T06:00:00Z".parse().unwrap());
        let settings = Settings::Session(mqtt(broker));
        let ears = Ears::open(&settings, "n1", watch.submit(), now, in_force, outgoing, None).await.unwrap();
        Self { ears, watch, feedback, checkpoints, _rules: rules }
    }

    async fn ready(&self) {
        let mut ready = self.ears.ready();
        tokio::time::timeout(wait::PATIENCE, ready.wait_for(|said| *said == Readiness::Ready)).await.unwrap().unwrap();
    }
}

/// Settings for this broker; the self-test is a test of its own.
fn mqtt(broker: &Broker) -> Mqtt {
    let mut mqtt: Mqtt = toml::from_str(&format!("url = \"{}\"\nself_test = false", broker.url())).unwrap();
    if let (Some((user, password)), Some(ca)) = (broker.login(), broker.ca_file()) {
        let file = ca.with_file_name("password");
        std::fs::write(&file, password).unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        mqtt.username = Some(user.to_owned());
        mqtt.password_file = Some(file);
    }
    if let (Some(ca), Some(identity)) = (broker.ca_file(), broker.client_certificate()) {
        mqtt.ca_file = Some(ca.to_owned());
        mqtt.client_cert_file = Some(identity.certificate_file.clone());
        std::fs::set_permissions(&identity.key_file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        mqtt.client_key_file = Some(identity.key_file.clone());
    }
    mqtt
}

/// A broker that lets anything through, as one without our settings does.
fn careless() -> Plan {
    Broker::plan().instead_of_shipped("persistence true\nset_tcp_nodelay true")
}

/// A client that takes and sends any packet.
async fn client(broker: &Broker, id: &str) -> (AsyncClient, EventLoop) {
    let (client, mut line) = AsyncClient::builder(broker.options(id)).capacity(100).build();
    heard(&mut line, |packet| matches!(packet, Packet::ConnAck(_))).await;
    (client, line)
}

async fn heard(line: &mut EventLoop, wanted: impl Fn(&Packet) -> bool) -> Packet {
    wait::until("a packet", async || match line.poll().await {
        Ok(Event::Incoming(packet)) if wanted(&packet) => Some(packet),
        Ok(_) | Err(_) => None,
    })
    .await
}

#[tokio::test]
async fn i1_what_is_not_durable_stays_with_the_broker() {
    let broker = Broker::start().await;
    let room = Room::open(&broker).await;
    room.watch.hold(true);
    let button = Button::connect(&broker, "library", "counter").await;
    let id = button.press().await;
    room.watch.expect_press(&id).await;
    room.ears.shutdown().await;
    let next = Room::open(&broker).await;
    assert!(next.watch.expect_press(&id).await.origin.dup, "the broker must still hold what was never durable");
    next.ears.shutdown().await;
    let third = Room::open(&broker).await;
    let marker = button.press().await;
    third.watch.expect_press(&marker).await;
    assert_eq!(third.watch.signals().len(), 1, "what was durable must not come again");
}

#[tokio::test]
async fn a_restarting_broker_loses_no_press() {
    let mut broker = Broker::start().await;
    let room = Room::open(&broker).await;
    let button = Button::connect(&broker, "library", "counter").await;
    let mut pressed = BTreeSet::new();
    for _ in 0..5 {
        let pressing = async {
            let mut ids = Vec::new();
            for _ in 0..20 {
                ids.push(button.press().await);
            }
            ids
        };
        let (ids, ()) = tokio::join!(pressing, broker.restart());
        pressed.extend(ids);
    }
    for id in &pressed {
        room.watch.expect_press(id).await;
    }
    room.ears.shutdown().await;
}

#[tokio::test]
async fn presses_wait_in_the_broker_while_we_are_away() {
    let broker = Broker::start().await;
    Room::open(&broker).await.ears.shutdown().await;
    let button = Button::connect(&broker, "library", "counter").await;
    let mut ids = Vec::new();
    for _ in 0..50 {
        ids.push(button.press().await);
    }
    let room = Room::open(&broker).await;
    for id in &ids {
        room.watch.expect_press(id).await;
    }
    assert_eq!(room.watch.signals().len(), ids.len());
}

#[tokio::test]
async fn a_broker_that_is_away_or_forgets_us_is_a_trouble_until_it_is_back() {
    let mut broker = Broker::start().await;
    let room = Room::open(&broker).await;
    broker.stop().await;
    room.watch.expect(Input::TroubleNoticed(Cause::BrokerAway)).await;
    broker.start_again().await;
    room.watch.expect(Input::TroubleCleared(Cause::BrokerAway)).await;
    broker.restart_without_sessions().await;
    room.watch.expect(Input::TroubleNoticed(Cause::SessionLost)).await;
    room.watch.expect(Input::TroubleCleared(Cause::SessionLost)).await;
    room.ready().await;
    let button = Button::connect(&broker, "library", "counter").await;
    let id = button.press().await;
    room.watch.expect_press(&id).await;
}

#[tokio::test]
async fn no_message_wedges_the_session() {
    let broker = careless().start().await;
    let room = Room::open(&broker).await;
    let (sender, mut line) = client(&broker, "sender").await;
    let long = format!("cooee/v1/library/{}/press", "d".repeat(60_000));
    let press = "cooee/v1/library/counter/press";
    let poison: [(&str, Vec<u8>); 6] = [
        (press, vec![0; 1_048_576]),
        (&long, Vec::new()),
        (press, b"\xff\xfe".to_vec()),
        (press, b"\0".to_vec()),
        (press, vec![b'['; 60_000]),
        ("cooee/v1//\u{e4}/press", Vec::new()),
    ];
    for (topic, payload) in &poison {
        sender.publish(*topic, payload.clone(), PublishOptions::at_least_once()).await.unwrap();
        heard(&mut line, |packet| matches!(packet, Packet::PubAck(_))).await;
    }
    let button = Button::connect(&broker, "library", "counter").await;
    let id = button.press().await;
    room.watch.expect_press(&id).await;
    let signals = room.watch.signals();
    assert_eq!(signals.len(), poison.len() + 1, "each is a signal, once");
    assert!(signals.iter().all(|signal| matches!(signal.verb, Verb::Press { .. })), "and a press");
}

#[tokio::test]
async fn a_quality_of_service_0_press_is_heard_and_marked() {
    let broker = Broker::start().await;
    let room = Room::open(&broker).await;
    let (sender, mut line) = client(&broker, "sender").await;
    sender.publish("cooee/v1/library/counter/press", r#"{"id":"q0"}"#, PublishOptions::at_most_once()).await.unwrap();
    let sent = tokio::spawn(async move { while line.poll().await.is_ok() {} });
    assert_eq!(room.watch.expect_press("q0").await.origin.qos, 0);
    sent.abort();
}

#[tokio::test]
async fn by_tls_with_a_certificate_and_a_password() {
    let broker = Broker::plan().client_certificates().login("cooee", "s3cret").start().await;
    let room = Room::open(&broker).await;
    let button = Button::connect(&broker, "library", "counter").await;
    let id = button.press().await;
    room.watch.expect_press(&id).await;
    room.ears.shutdown().await;
}

#[tokio::test]
async fn devices_are_told_and_our_own_death_is_announced() {
    let broker = Broker::start().await;
    let room = Room::open(&broker).await;
    let button = Button::connect(&broker, "library", "counter").await;
    let id = button.press().await;
    let feedback = Feedback {
        device: "library/counter".parse().unwrap(),
        id: Some(id.clone()),
        activation: "KAL-42".parse().unwrap(),
        state: State::Received,
    };
    room.feedback.send(feedback).await.unwrap();
    button.expect_state(&id, "received").await;
    let (watcher, mut line) = client(&broker, "watcher").await;
    watcher.subscribe("cooee/v1/$station/n1/online", QoS::AtLeastOnce).await.unwrap();
    let says =
        |wanted: &'static [u8]| move |packet: &Packet| matches!(packet, Packet::Publish(message) if message.payload.as_ref() == wanted);
    heard(&mut line, says(b"online")).await;
    room.ears.shutdown().await;
    heard(&mut line, says(b"offline")).await;
}

/// Whoever comes later gets the latest, to the byte; and what the broker did not take is not said to be taken.
#[tokio::test]
async fn a_checkpoint_is_kept_by_the_broker_for_whoever_comes_later() {
    let mut broker = Broker::start().await;
    let room = Room::open(&broker).await;
    let keep = |note: &str| {
        let (taken, was_taken) = oneshot::channel();
        room.checkpoints.try_send(Retained { note: note.to_owned(), taken }).unwrap();
        was_taken
    };
    let notes = ["origin\n1\nroot\n\n\u{2014} one\n", "origin\n2\nroot\n\n\u{2014} two\n"];
    for note in notes {
        keep(note).await.unwrap();
    }
    let (watcher, mut line) = client(&broker, "watcher").await;
    watcher.subscribe("cooee/v1/$station/checkpoint", QoS::AtLeastOnce).await.unwrap();
    heard(
        &mut line,
        |packet| matches!(packet, Packet::Publish(message) if message.retain && message.payload.as_ref() == notes[1].as_bytes()),
    )
    .await;
    broker.freeze();
    let mut waiting = keep("origin\n3\n");
    broker.kill();
    assert!(waiting.try_recv().is_err(), "the broker that it was sent to never took it");
    drop(waiting);
    broker.start_again().await;
    // It may be sent by the connection of which nobody knows yet that it is gone: then it is dropped, and given again as an anchor does.
    while keep("origin\n4\n").await.is_err() {}
    room.ears.shutdown().await;
}

#[tokio::test]
async fn the_self_test_finds_nothing_lacking_in_the_shipped_settings() {
    let broker = Broker::start().await;
    let room = Room::open(&broker).await;
    let access = mqtt(&broker).access().unwrap();
    assert_eq!(selftest::run(&access, "n1").await.unwrap(), BTreeSet::new());
    assert!(room.watch.signals().is_empty(), "the session must not be disturbed");
    assert!(!room.watch.has(&Input::TroubleNoticed(Cause::SessionLost)));
}

#[tokio::test]
async fn the_self_test_says_what_a_broker_lacks() {
    for (config, lack) in [
        ("persistence true", Lack::Queue),
        ("max_queued_messages 10000\nmax_packet_size 20000", Lack::PacketSize),
        ("max_queued_messages 10000\nmessage_size_limit 20000", Lack::PacketSize),
    ] {
        let broker = Broker::plan().instead_of_shipped(config).start().await;
        let access = mqtt(&broker).access().unwrap();
        assert_eq!(selftest::run(&access, "n1").await.unwrap(), BTreeSet::from([lack]), "{config}");
    }
}

#[tokio::test]
async fn what_a_broker_lacks_is_a_trouble_at_the_start() {
    let broker = careless().start().await;
    let mut settings = mqtt(&broker);
    settings.self_test = true;
    let watch = Watch::default();
    let (_rules, rules) = watch::channel(Arc::default());
    let now = Arc::new(|| "2026-11-21T06:00:00Z".parse().unwrap());
    let ears = Ears::open(&Settings::Session(settings), "n1", watch.submit(), now, rules, quiet(), None).await.unwrap();
    watch.expect(Input::TroubleNoticed(Lack::Queue.cause())).await;
    watch.expect(Input::TroubleCleared(Lack::PacketSize.cause())).await;
    ears.shutdown().await;
}

#[tokio::test]
async fn a_frozen_broker_is_noticed_and_nothing_is_lost_when_it_goes_on() {
    let broker = Broker::start().await;
    let room = Room::open(&broker).await;
    let button = Button::connect(&broker, "library", "counter").await;
    broker.freeze();
    let mut ready = room.ears.ready();
    tokio::time::timeout(wait::PATIENCE, ready.wait_for(|said| *said != Readiness::Ready)).await.unwrap().unwrap();
    broker.thaw();
    let id = button.press().await;
    room.watch.expect_press(&id).await;
}

#[tokio::test]
async fn what_the_watch_does_not_take_comes_again_by_itself() {
    let broker = Broker::start().await;
    let refusals = Arc::new(Mutex::new(3));
    let watch = Watch::default();
    let (taking, left) = (watch.submit(), Arc::clone(&refusals));
    let submit: Submit = Arc::new(move |input| {
        let mut left = left.lock().unwrap();
        if matches!(input, Input::Signal(_)) && *left > 0 {
            *left -= 1;
            return Box::pin(async { Verdict::NotTaken(NotTaken::Overloaded) });
        }
        taking(input)
    });
    let (_rules, rules) = watch::channel(Arc::default());
    let now = Arc::new(|| "2026-11-21T06:00:00Z".parse().unwrap());
    let ears = Ears::open(&Settings::Session(mqtt(&broker)), "n1", submit, now, rules, quiet(), None).await.unwrap();
    let mut ready = ears.ready();
    tokio::time::timeout(wait::PATIENCE, ready.wait_for(|said| *said == Readiness::Ready)).await.unwrap().unwrap();
    let button = Button::connect(&broker, "library", "counter").await;
    let id = button.press().await;
    watch.expect_press(&id).await;
    assert_eq!(*refusals.lock().unwrap(), 0);
    tokio::time::timeout(wait::PATIENCE, ears.shutdown()).await.unwrap();
}

/// A way to the broker that breaks whenever the test says so.
async fn breakable_way(to: u16) -> (u16, Arc<Notify>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let cut = Arc::new(Notify::new());
    let cuts = Arc::clone(&cut);
    tokio::spawn(async move {
        while let Ok((mut from, _)) = listener.accept().await {
            let cuts = Arc::clone(&cuts);
            tokio::spawn(async move {
                let mut there = TcpStream::connect(("127.0.0.1", to)).await.unwrap();
                from.set_nodelay(true).unwrap();
                there.set_nodelay(true).unwrap();
                tokio::select! {
                    _ = tokio::io::copy_bidirectional(&mut from, &mut there) => {}
                    () = cuts.notified() => {}
                }
            });
        }
    });
    (port, cut)
}

#[tokio::test]
async fn every_press_is_recorded_while_connections_break_under_slow_commits() {
    const PRESSES: usize = 1_000;
    let broker = Broker::start().await;
    let (port, cut) = breakable_way(broker.port()).await;
    let durable: Arc<Mutex<Vec<Signal>>> = Arc::default();
    let records = Arc::clone(&durable);
    let submit: Submit = Arc::new(move |input| {
        let records = Arc::clone(&records);
        Box::pin(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            if let Input::Signal(signal) = input {
                records.lock().unwrap().push(signal);
            }
            Verdict::Durable(Outcome::default())
        })
    });
    let settings: Mqtt = toml::from_str(&format!("url = \"mqtt://127.0.0.1:{port}\"\nself_test = false")).unwrap();
    let (_rules, rules) = watch::channel(Arc::default());
    let now = Arc::new(|| "2026-11-21T06:00:00Z".parse().unwrap());
    let ears = Ears::open(&Settings::Session(settings), "n1", submit, now, rules, quiet(), None).await.unwrap();
    let mut ready = ears.ready();
    tokio::time::timeout(wait::PATIENCE, ready.wait_for(|said| *said == Readiness::Ready)).await.unwrap().unwrap();

    let (sender, mut line) = client(&broker, "sender").await;
    let mut pressed = BTreeSet::new();
    for number in 0..PRESSES {
        let id = format!("chaos-{number}");
        let payload = format!(r#"{{"id":"{id}"}}"#);
        sender.publish("cooee/v1/library/counter/press", payload, PublishOptions::at_least_once()).await.unwrap();
        heard(&mut line, |packet| matches!(packet, Packet::PubAck(_))).await;
        pressed.insert(id);
        if number % 50 == 49 {
            cut.notify_waiters();
        }
    }
    let recorded = || durable.lock().unwrap().iter().filter_map(|signal| signal.id.clone()).collect::<BTreeSet<_>>();
    wait::until("every press to be recorded", async || (recorded() == pressed).then_some(())).await;
    let mut once = BTreeSet::new();
    for signal in durable.lock().unwrap().iter() {
        assert!(once.insert(signal.id.clone()) || signal.origin.dup, "a copy must say that it may be one: {:?}", signal.id);
    }
    ears.shutdown().await;
}
