//! The shortest way through the watch: a press becomes a message, and the reply to it is taken.

use std::sync::{Arc, Mutex};

use escalation::acknowledgement::{Answer, Reply, Sender};
use escalation::directory::draft::Draft;
use escalation::dispatch::{Address, DeliveryReport, Order, Purpose, Report};
use escalation::id::{CarrierName, Digest};
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
use station::floor::LinkBase;
use station::run::{Parts, Station};
use station::secret::Secret;
use station::view::{Query, Scope, State};
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
    /// Receipts that were due from before the start.
    receipts_due: Vec<String>,
    _folder: tempfile::TempDir,
}

impl House {
    async fn open() -> Self {
        Self::open_on(MemoryLedger::new()).await
    }

    async fn open_on(ledger: MemoryLedger) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (desk, counter) = desk();
        let sent: Arc<Mutex<Vec<Order>>> = Arc::default();
        let voice = Arc::clone(&sent);
        let station = Station::open(Parts {
            ledger: Arc::new(ledger.clone()),
            clock: PausedClock(Instant::now()),
            entropy: Entropy::from_seed(b"seed"),
            secret: Secret::from_bytes(&[7; 32]),
            links: LinkBase::default(),
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
        let receipts_due = station.floor().receipts_due().map(|(id, provider, sid)| format!("{id} {provider} {sid}")).collect();
        let (stop, stopped) = watch::channel(false);
        tokio::spawn(async move { station.run(stopped).await.unwrap() });
        let draft = Draft::parse("directory.toml", DIRECTORY).draft.unwrap();
        let adopted = desk.adopt(draft, Digest::new([1; 32])).await.unwrap();
        assert!(matches!(adopted, Verdict::Durable(_)), "{adopted:?}");
        Self { ledger, desk, sent, stop, receipts_due, _folder: folder }
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

fn taken(order: &Order) -> Input {
    Input::DeliveryReported(DeliveryReport {
        dispatch: order.id.clone(),
        report: Report::AcceptedReceiptDue,
        provider: Some(CarrierName::parse("first").unwrap()),
        provider_ref: Some("SM1".into()),
        text: None,
        template: None,
        possible_duplicate: false,
        tries: 1,
    })
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_is_due_is_asked_for_after_a_start() {
    let house = House::open().await;
    assert!(matches!(house.desk.submit(press("1")).await, Verdict::Durable(_)));
    let order = house.sent().remove(0);
    assert!(matches!(house.desk.submit(taken(&order)).await, Verdict::Durable(_)));
    house.stop.send_replace(true);
    let house = House::open_on(house.ledger.clone()).await;
    assert_eq!(house.receipts_due, ["KAL-1.1 first SM1"]);
}

#[tokio::test(start_paused = true)]
async fn news_that_calls_for_nothing_waits_for_company_and_no_press_waits_for_it() {
    let house = House::open().await;
    assert!(matches!(house.desk.submit(press("1")).await, Verdict::Durable(_)));
    let order = house.sent().remove(0);
    let start = Instant::now();
    assert!(matches!(house.desk.submit(taken(&order)).await, Verdict::Durable(_)));
    assert!((5..100).contains(&start.elapsed().as_millis()), "alone, it is recorded soon: {:?}", start.elapsed());

    let start = Instant::now();
    let desk = house.desk.clone();
    let receipt = tokio::spawn(async move { desk.submit(taken(&order)).await });
    tokio::task::yield_now().await;
    assert!(matches!(house.desk.submit(press("2")).await, Verdict::Durable(_)));
    assert!(matches!(receipt.await.unwrap(), Verdict::Durable(_)));
    assert_eq!(start.elapsed(), Duration::ZERO, "both at once, when the press came");
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
