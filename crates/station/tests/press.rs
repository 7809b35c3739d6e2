//! The shortest way through the watch: a press becomes a message, and the reply to it is taken.

use std::sync::{Arc, Mutex};

use escalation::acknowledgement::{Answer, Gesture, Reply, Sender};
use escalation::directory::draft::Draft;
use escalation::dispatch::{Address, Order, Purpose};
use escalation::id::{CustomerId, Digest, SiteId};
use escalation::input::Input;
use escalation::private::Private;
use escalation::signal::{DeviceClock, Evidence, Origin, Signal, Verb, Via};
use escalation::time::Timestamp;
use escalation::verdict::Verdict;
use ledger::memory::MemoryLedger;
use ledger::{Ledger as _, Seq};
use station::clock::Clock;
use station::desk::{Desk, desk};
use station::entropy::Entropy;
use station::floor::{LinkBase, LinksInTexts};
use station::run::{Parts, Station};
use station::secret::Secret;
use station::view::{Query, ResponderAnswer, Scope, State};
use tokio::sync::watch;
use tokio::time::{Duration, Instant};

const DIRECTORY: &str = r#"
[[customer]]
id = "kalamunda"
prefix = "KAL"
ladder = "counters"
[[person]]
id = "j-smith"
name = "J. Smith"
mobile = "0400 000 001"
[[person]]
id = "p-nair"
name = "P. Nair"
mobile = "0400 000 002"
[[site]]
id = "library"
name = "Kalamunda Library"
timezone = "Australia/Perth"
[[device]]
id = "front-1"
site = "library"
place = "Front counter 1"
[[ladder]]
id = "counters"
[[ladder.rung]]
notify = [{ person = "j-smith" }]
wait = "45s"
[[ladder.rung]]
notify = [{ person = "p-nair" }]
[fallback]
ladder = "counters"
"#;

struct PausedClock(Instant);

impl Clock for PausedClock {
    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }

    fn wall(&self) -> Timestamp {
        Timestamp::from_second(1_795_000_000).unwrap() + self.monotonic()
    }
}

struct House {
    ledger: MemoryLedger,
    desk: Desk,
    sent: Arc<Mutex<Vec<Order>>>,
    stop: watch::Sender<bool>,
    _folder: tempfile::TempDir,
}

impl House {
    async fn open() -> Self {
        Self::with(DIRECTORY, LinkBase::default()).await
    }

    async fn with(directory: &str, links: LinkBase) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let ledger = MemoryLedger::new();
        let (desk, counter) = desk();
        let sent: Arc<Mutex<Vec<Order>>> = Arc::default();
        let voice = Arc::clone(&sent);
        let station = Station::open(Parts {
            ledger: Arc::new(ledger.clone()),
            clock: PausedClock(Instant::now()),
            entropy: Entropy::from_seed(b"seed"),
            secret: Secret::from_bytes(&[7; 32]),
            links,
            data_dir: folder.path().to_owned(),
            node: "one".into(),
            version: "0".into(),
            send: Box::new(move |order| {
                voice.lock().unwrap().push(order);
                Ok(())
            }),
            tell: Box::new(|_| {}),
            counter,
            busy: watch::channel(false).0,
        })
        .await
        .unwrap();
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(async move { station.run(stopped).await.unwrap() });
        let draft = Draft::parse("directory.toml", directory).draft.unwrap();
        let adopted = desk.adopt(draft, Digest::new([1; 32])).await.unwrap();
        assert!(matches!(adopted, Verdict::Durable(_)), "{adopted:?}");
        Self { ledger, desk, sent, stop, _folder: folder }
    }

    fn sent(&self) -> Vec<Order> {
        self.sent.lock().unwrap().clone()
    }
}

fn press(id: &str) -> Input {
    Input::Signal(Signal {
        device: "library/front-1".parse().unwrap(),
        verb: Verb::Press { kind: None, style: None },
        origin: Origin { via: Via::Session, client: None, qos: 1, retained: false, dup: false, waited_since: None },
        evidence: Evidence { raw: Private::Open("dG9waWM= cGF5bG9hZA==".into()), payload_sha256: None, payload_bytes: 7 },
        id: Some(id.to_owned()),
        sequence: None,
        pressed_at: None,
        clock: DeviceClock::Unproven,
        note: None,
        location: None,
        battery: None,
    })
}

#[tokio::test(start_paused = true)]
async fn a_press_becomes_a_message_and_the_reply_is_taken() {
    let house = House::open().await;
    let verdict = house.desk.submit(press("1")).await;
    let Verdict::Durable(outcome) = verdict else { panic!("{verdict:?}") };
    assert_eq!(outcome.activation.map(|id| id.to_string()).as_deref(), Some("KAL-1"));
    let sent = house.sent();
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!((sent[0].purpose, &sent[0].address), (Purpose::Alarm, &Address::Sms("+61400000001".into())));
    assert_eq!(sent[0].words["site"], "Kalamunda Library");
    assert_eq!(sent[0].words["place"], "Front counter 1");

    let text = format!("Y{}", sent[0].words["code"]);
    let answer = Answer {
        from: Sender::Number(Private::Open("+61400000001".into())),
        reply: Reply::parse(&text),
        text: Some(Private::Open(text)),
        provider_ref: Some("SM1".into()),
        sent_at: None,
    };
    let verdict = house.desk.submit(Input::Answer(answer)).await;
    let Verdict::Durable(outcome) = verdict else { panic!("{verdict:?}") };
    assert!(outcome.counted);
    let page = house
        .desk
        .list(Query { scope: Scope::everything(), open: Some(true), site: None, from: None, to: None, cursor: None, limit: 10 })
        .await
        .unwrap();
    assert_eq!(page.cards.iter().map(|card| card.state).collect::<Vec<_>>(), [State::Accepted]);
    assert_eq!(page.cards[0].going[0].name, "J. Smith");

    house.stop.send(true).unwrap();
    let entries = house.ledger.entries(Seq::FIRST, 1_000).await.unwrap();
    let text: String = entries.iter().map(|entry| String::from_utf8_lossy(entry.body.as_ref().unwrap().bytes()).into_owned()).collect();
    for private in ["Smith", "j-smith", "0400", "+614", "Kalamunda Library"] {
        assert!(!text.contains(private), "{private} is in the record");
    }
}

#[tokio::test(start_paused = true)]
async fn what_memory_knows_is_answered_from_memory_and_within_the_scope() {
    let house = House::open().await;
    house.desk.submit(press("1")).await;
    let kalamunda = Scope { customers: Some([CustomerId::parse("kalamunda").unwrap()].into()), sites: None };
    let library = Scope { customers: None, sites: Some([SiteId::parse("library").unwrap()].into()) };
    let elsewhere = Scope { customers: None, sites: Some([SiteId::parse("depot").unwrap()].into()) };
    for (scope, seen) in [(Scope::everything(), 1), (kalamunda, 1), (library, 1), (elsewhere, 0)] {
        assert_eq!(house.desk.count(scope.clone()).await.unwrap(), seen, "{scope:?}");
        let card = house.desk.card("KAL-1".parse().unwrap(), scope.clone()).await.unwrap();
        assert_eq!(card.is_some(), seen == 1);
        let raised = house.desk.since(0, 100, scope).await.unwrap();
        assert_eq!(raised.iter().any(|entry| entry.kind == "activation.raised" && entry.site == "library"), seen == 1);
    }
}

/// Two people of one phone: what one of them answered is not what the other did.
#[tokio::test(start_paused = true)]
async fn a_shared_phone_does_not_answer_for_both() {
    let shared = DIRECTORY.replace("0400 000 002", "0400 000 001");
    let links = LinkBase { public_url: Some("https://a.example".into()), link_host: None, in_texts: LinksInTexts::Always };
    let house = House::with(&shared, links).await;
    house.desk.submit(press("1")).await;
    tokio::time::sleep(Duration::from_secs(50)).await;
    let links: Vec<String> = house.sent().iter().map(|order| order.words["url"].clone()).collect();
    let tokens: Vec<&str> = links.iter().filter_map(|link| link.rsplit('/').next()).collect();
    assert_eq!(tokens.len(), 2, "{links:?}");
    house.desk.answer_link(tokens[0], Reply::Going { code: None }, Gesture::Shown).await.unwrap().unwrap();
    let first = house.desk.responder(tokens[0]).await.unwrap().unwrap();
    let second = house.desk.responder(tokens[1]).await.unwrap().unwrap();
    assert_eq!((first.answer, second.answer), (ResponderAnswer::Going, ResponderAnswer::None));
}
