//! The listener with clients of the kind that buttons have.

use std::time::Duration;

use escalation::input::Input;
use escalation::signal::{Signal, Verb, Via};
use escalation::trouble::Cause;
use escalation::verdict::{NotTaken, Outcome, Verdict};
use rumqttc::{AsyncClient, Event, EventLoop, LastWill, MqttOptions, Packet, PublishOptions, QoS as Level};

use super::*;
use crate::State;

const PRESS: &str = "cooee/v1/library/counter/press";
const DEADLINE: Duration = Duration::from_secs(30);

async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.unwrap_or_else(|_| panic!("{what} did not happen"))
}

struct Room {
    inputs: mpsc::UnboundedReceiver<(Input, oneshot::Sender<Verdict>)>,
    feedback: mpsc::Sender<Feedback>,
    listener: Listener,
    supervision: Supervision,
}

impl Room {
    async fn open() -> Self {
        Self::open_with(Settings::default()).await
    }

    async fn open_with(settings: Settings) -> Self {
        let (sender, inputs) = mpsc::unbounded_channel();
        let submit: Submit = Arc::new(move |input| {
            let (answer, verdict) = oneshot::channel();
            sender.send((input, answer)).unwrap();
            Box::pin(async { verdict.await.unwrap_or(Verdict::NotTaken(NotTaken::Stopping)) })
        });
        let (readiness, mut ready) = watch::channel(Readiness::NotYet { why: String::new() });
        let (feedback, feedback_out) = mpsc::channel(8);
        let supervision = Supervision::default();
        let (troubles, _telling) = Troubles::start(submit.clone());
        let needs = Needs {
            node: "n1".to_owned(),
            submit,
            now: Arc::new(|| "2026-11-21T06:00:00Z".parse().unwrap()),
            rules: watch::channel(Arc::default()).1,
            feedback: feedback_out,
            supervision: supervision.clone(),
            troubles,
            readiness,
        };
        let settings = Settings { listen: "127.0.0.1:0".parse().unwrap(), ..settings };
        let listener = Listener::start(&settings, needs).await.unwrap();
        soon("readiness", ready.wait_for(|said| *said == Readiness::Ready)).await.unwrap();
        Self { inputs, feedback, listener, supervision }
    }

    fn button(&self, id: &str) -> (AsyncClient, EventLoop) {
        let mut options = self.options(id);
        options.set_clean_session(false);
        AsyncClient::builder(options).capacity(10).build()
    }

    fn options(&self, id: &str) -> MqttOptions {
        let address = self.listener.address().unwrap();
        MqttOptions::new(id, (address.ip().to_string(), address.port()))
    }

    async fn signal(&mut self) -> (Signal, oneshot::Sender<Verdict>) {
        match soon("a signal", self.inputs.recv()).await.unwrap() {
            (Input::Signal(signal), answer) => (signal, answer),
            (other, _) => panic!("{other:?}"),
        }
    }
}

fn durable() -> Verdict {
    Verdict::Durable(Outcome::default())
}

async fn until(line: &mut EventLoop, what: &str, wanted: impl Fn(&Packet) -> bool) -> Packet {
    soon(what, async {
        loop {
            match line.poll().await {
                Ok(Event::Incoming(packet)) if wanted(&packet) => return packet,
                Ok(_) => {}
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            }
        }
    })
    .await
}

fn is_puback(packet: &Packet) -> bool {
    matches!(packet, Packet::PubAck(_))
}

#[tokio::test]
async fn i1_the_puback_is_the_records_commit() {
    let mut room = Room::open().await;
    let (button, mut line) = room.button("button-1");
    button.publish(PRESS, "", PublishOptions::at_least_once()).await.unwrap();
    let polling = tokio::spawn(async move {
        until(&mut line, "a PUBACK", is_puback).await;
        line
    });
    let (press, answer) = room.signal().await;
    assert_eq!((press.origin.via, press.origin.client.as_deref()), (Via::Listener, Some("button-1")));
    // Another client's whole conversation fits in between: the first still has no PUBACK.
    let (other, mut other_line) = room.button("button-2");
    other.publish("cooee/v1/library/other/alive", r#"{"battery":50}"#, PublishOptions::at_least_once()).await.unwrap();
    until(&mut other_line, "the heartbeat's PUBACK", is_puback).await;
    assert!(!polling.is_finished());
    let heard = room.supervision.last_heard(&"library/other".parse().unwrap()).unwrap();
    assert_eq!(heard.battery, Some(50));
    answer.send(durable()).unwrap();
    soon("the PUBACK", polling).await.unwrap();
}

#[tokio::test]
async fn what_is_not_taken_gets_no_puback_and_is_sent_again() {
    let mut room = Room::open().await;
    let (button, mut line) = room.button("button");
    button.publish(PRESS, "help", PublishOptions::at_least_once()).await.unwrap();
    let polling = tokio::spawn(async move { until(&mut line, "a PUBACK", is_puback).await });
    let (_, answer) = room.signal().await;
    answer.send(Verdict::NotTaken(NotTaken::Overloaded)).unwrap();
    let (again, answer) = room.signal().await;
    assert!(!polling.is_finished(), "no PUBACK for what was not taken");
    assert!(matches!(again.verb, Verb::Press { .. }));
    answer.send(durable()).unwrap();
    soon("the PUBACK", polling).await.unwrap();
}

#[tokio::test]
async fn feedback_reaches_the_device() {
    let room = Room::open().await;
    let (button, mut line) = room.button("button");
    button.subscribe("cooee/v1/library/counter/state", Level::AtLeastOnce).await.unwrap();
    until(&mut line, "a SUBACK", |packet| matches!(packet, Packet::SubAck(_))).await;
    let feedback =
        Feedback { device: "library/counter".parse().unwrap(), id: None, activation: "KAL-42".parse().unwrap(), state: State::Received };
    room.feedback.send(feedback).await.unwrap();
    let told = until(&mut line, "the feedback", |packet| matches!(packet, Packet::Publish(_))).await;
    let Packet::Publish(told) = told else { panic!("{told:?}") };
    assert_eq!((told.payload.as_ref(), told.retain), (&br#"{"activation":"KAL-42","state":"received"}"#[..], false));
}

#[tokio::test]
async fn a_last_will_is_heard_though_nobody_publishes_it() {
    let mut room = Room::open().await;
    let mut options = room.options("button");
    options.set_last_will(LastWill::new("cooee/v1/library/counter/lwt", "offline", Level::AtLeastOnce, true));
    let (client, mut line) = AsyncClient::builder(options).capacity(10).build();
    until(&mut line, "a CONNACK", |packet| matches!(packet, Packet::ConnAck(_))).await;
    drop((client, line));
    let (gone, answer) = room.signal().await;
    assert_eq!(gone.verb, Verb::Presence { online: false });
    answer.send(durable()).unwrap();
}

#[tokio::test]
async fn a_megabyte_is_taken_by_its_hash() {
    let mut room = Room::open().await;
    let mut options = room.options("button");
    options.set_max_packet_size(2_000_000, 2_000_000);
    let (button, mut line) = AsyncClient::builder(options).capacity(10).build();
    button.publish(PRESS, vec![0; 1_048_576], PublishOptions::at_least_once()).await.unwrap();
    let polling = tokio::spawn(async move { until(&mut line, "a PUBACK", is_puback).await });
    let (press, answer) = room.signal().await;
    assert_eq!((press.evidence.payload_bytes, matches!(press.verb, Verb::Press { .. })), (1_048_576, true));
    answer.send(durable()).unwrap();
    soon("the PUBACK", polling).await.unwrap();
}

/// A file that only its owner may read.
fn private(folder: &std::path::Path, name: &str, text: &str) -> std::path::PathBuf {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    path
}

#[tokio::test]
async fn with_tls_and_passwords_strangers_are_turned_away() {
    let folder = tempfile::tempdir().unwrap();
    let identity = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let hash = mqtt5::broker::auth::PasswordAuthProvider::hash_password("s3cret").unwrap();
    let mut room = Room::open_with(Settings {
        password_file: Some(private(folder.path(), "passwords", &format!("kim:{hash}\n"))),
        cert_file: Some(private(folder.path(), "cert.pem", &identity.cert.pem())),
        key_file: Some(private(folder.path(), "key.pem", &identity.signing_key.serialize_pem())),
        ..Settings::default()
    })
    .await;
    let port = room.listener.address().unwrap().port();
    let options = |password: &str| {
        let mut options = MqttOptions::new("button", ("localhost", port));
        options.set_credentials("kim", password.to_owned());
        options.set_transport(rumqttc::Transport::tls(identity.cert.pem().into_bytes(), None, None));
        options
    };
    let (_stranger, mut line) = AsyncClient::builder(options("wrong")).capacity(10).build();
    assert!(soon("an answer", line.poll()).await.is_err());
    let (button, mut line) = AsyncClient::builder(options("s3cret")).capacity(10).build();
    button.publish(PRESS, "", PublishOptions::at_least_once()).await.unwrap();
    let polling = tokio::spawn(async move { until(&mut line, "a PUBACK", is_puback).await });
    let (_, answer) = room.signal().await;
    answer.send(durable()).unwrap();
    soon("the PUBACK", polling).await.unwrap();
}

/// The watch gives no verdict, as while the record is away: what waits for one is bounded, and every press is still heard.
#[tokio::test]
async fn presses_that_come_only_once_wait_in_a_bounded_number_and_are_all_heard() {
    let mut room = Room::open().await;
    let (button, mut line) = AsyncClient::builder(room.options("button")).capacity(10).build();
    let polling = tokio::spawn(async move { while line.poll().await.is_ok() {} });
    let publishing = tokio::spawn(async move {
        for n in 0..=handler::INSISTING_MAX {
            button.publish(PRESS, format!(r#"{{"id":"{n}"}}"#), PublishOptions::at_most_once()).await.unwrap();
        }
        button
    });
    let (mut heard, mut overflowing, mut unanswered) = (0, 0, Vec::new());
    while heard <= handler::INSISTING_MAX || overflowing == 0 {
        let (input, answer) = soon("a press, or the trouble", room.inputs.recv()).await.unwrap();
        if let Input::Signal(_) = input {
            heard += 1;
        } else {
            assert_eq!(input, Input::TroubleNoticed(Cause::Overflow { queue: "qos0".to_owned() }));
            overflowing += 1;
        }
        unanswered.push(answer);
    }
    let followed = unanswered.iter().filter(|answer| !answer.is_closed()).count();
    assert_eq!(
        (heard, overflowing, followed),
        (handler::INSISTING_MAX + 1, 1, handler::INSISTING_MAX + 1),
        "the last press is not followed"
    );
    drop(publishing.await.unwrap());
    polling.abort();
}

#[tokio::test]
async fn it_ends_when_told() {
    let room = Room::open().await;
    let (_button, mut line) = room.button("button");
    until(&mut line, "a CONNACK", |packet| matches!(packet, Packet::ConnAck(_))).await;
    let address = room.listener.address().unwrap();
    soon("the end", room.listener.shutdown()).await;
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}
