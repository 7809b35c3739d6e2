//! Stories of the watch on a record in memory: a press becomes a message, lists keep to their scope, words say what is so.

mod restoring;
mod seats;
mod viewing;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use crate::clock::Clock;
use crate::desk::{Desk, DrillRequest, Request, desk};
use crate::duty::{Change, StandInRequest};
use crate::entropy::Entropy;
use crate::floor::{FeedbackState, Floor, LinkBase, LinksInTexts};
use crate::journal::Journal;
use crate::onlookers::Onlooker;
use crate::replay;
use crate::run::{Parts, Station};
use crate::secret::Secret;
use crate::view::{Query, ResponderAnswer, Scope, State};
use escalation::acknowledgement::{Answer, Commitment, Disposition, Gesture, Reply, Sender};
use escalation::directory::draft::Draft;
use escalation::dispatch::{Address, DeliveryReport, Order, Purpose, Report};
use escalation::event::Way;
use escalation::id::{CarrierName, CustomerId, Digest, RosterId, SiteId, Slug};
use escalation::input::{Act, Input, Moment};
use escalation::private::Private;
use escalation::rejection::Rejection;
use escalation::signal::{DeviceClock, Evidence, Origin, Signal, Verb, Via};
use escalation::time::{Seconds, Timestamp};
use escalation::trouble::Cause;
use escalation::verdict::{NotTaken, Verdict};
use ledger::memory::{Fault, MemoryLedger};
use ledger::{AppendError, Batch, Disclosure, Entry, Head, Ledger, Listing, ListingQuery, ReadError, Seq, ViewsQuery};
use tokio::sync::watch;
use tokio::time::{Duration, Instant};

const DIRECTORY: &str = r#"
[[customer]]
id = "kalamunda"
prefix = "KAL"
ladder = "counters"
[[customer]]
id = "perth"
prefix = "PER"
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
customer = "kalamunda"
[[site]]
id = "clinic"
name = "Perth Clinic"
timezone = "Australia/Perth"
customer = "perth"
[[device]]
id = "desk-1"
site = "clinic"
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
customer = "kalamunda"
ladder = "counters"
"#;

/// How long a message may take, in paused time.
const PATIENCE: Duration = Duration::from_mins(1);

/// The monotonic clock is paused with the runtime's; the wall clock can be stepped.
#[derive(Clone)]
struct PausedClock(Instant, Arc<Mutex<i64>>);

impl Clock for PausedClock {
    fn monotonic(&self) -> Duration {
        self.0.elapsed()
    }

    fn wall(&self) -> Timestamp {
        let stepped_s = *self.1.lock().unwrap();
        Timestamp::from_second(1_795_000_000 + stepped_s).unwrap() + self.monotonic()
    }
}

struct House {
    ledger: MemoryLedger,
    desk: Desk,
    sent: Arc<Mutex<Vec<Order>>>,
    /// What devices were told.
    told: Arc<Mutex<Vec<FeedbackState>>>,
    /// Of each message: whether the spool had been written when it left.
    spooled: Arc<Mutex<Vec<bool>>>,
    stop: watch::Sender<bool>,
    /// The watch itself; it panics where its run ends in an error.
    watch: tokio::task::JoinHandle<()>,
    clock: PausedClock,
    /// Receipts that were due from before the start.
    receipts_due: Vec<String>,
    folder: tempfile::TempDir,
}

impl House {
    async fn open() -> Self {
        Self::open_in(tempfile::tempdir().unwrap(), DIRECTORY).await
    }

    async fn open_in(folder: tempfile::TempDir, directory: &str) -> Self {
        Self::open_on(MemoryLedger::new(), folder, directory, LinkBase::default()).await
    }

    async fn open_on(ledger: MemoryLedger, folder: tempfile::TempDir, directory: &str, links: LinkBase) -> Self {
        Self::open_behind(ledger.clone(), ledger, folder, directory, links).await
    }

    /// With something between the station and its record.
    async fn open_behind(record: impl Ledger, ledger: MemoryLedger, folder: tempfile::TempDir, directory: &str, links: LinkBase) -> Self {
        Self::open_under(Secret::from_bytes(&[7; 32]), record, ledger, folder, directory, links).await
    }

    /// Under another key.
    async fn open_under(
        secret: Secret,
        record: impl Ledger,
        ledger: MemoryLedger,
        folder: tempfile::TempDir,
        directory: &str,
        links: LinkBase,
    ) -> Self {
        let clock = PausedClock(Instant::now(), Arc::default());
        let (desk, counter) = desk();
        let sent: Arc<Mutex<Vec<Order>>> = Arc::default();
        let voice = Arc::clone(&sent);
        let told: Arc<Mutex<Vec<FeedbackState>>> = Arc::default();
        let telling = Arc::clone(&told);
        let spooled: Arc<Mutex<Vec<bool>>> = Arc::default();
        let (known, spool) = (Arc::clone(&spooled), folder.path().join("spool"));
        let station = Station::open(Parts {
            ledger: Arc::new(record),
            clock: clock.clone(),
            entropy: Entropy::from_seed(b"seed"),
            secret,
            links,
            data_dir: folder.path().to_owned(),
            node: "one".into(),
            version: "0".into(),
            send: Box::new(move |order| {
                voice.lock().unwrap().push(order);
                known.lock().unwrap().push(spool.is_file());
                Ok(())
            }),
            tell: Box::new(move |feedback| telling.lock().unwrap().push(feedback.state)),
            counter,
            busy: watch::channel(false).0,
        })
        .await
        .unwrap();
        let receipts_due = station.floor().receipts_due().map(|(id, provider, sid)| format!("{id} {provider} {sid}")).collect();
        let (stop, stopped) = watch::channel(false);
        let watch = tokio::spawn(async move { station.run(stopped).await.unwrap() });
        let draft = Draft::parse("directory.toml", directory).draft.unwrap();
        let adopted = desk.adopt(draft, Digest::new([1; 32])).await.unwrap();
        assert!(matches!(adopted, Verdict::Durable(_)), "{adopted:?}");
        Self { ledger, desk, sent, told, spooled, stop, watch, clock, receipts_due, folder }
    }

    /// Somebody steps the wall clock.
    fn step_wall(&self, s: i64) {
        *self.clock.1.lock().unwrap() += s;
    }

    /// Stops the station as a crash would: nothing more is written. Gives its folder.
    async fn crash(self) -> tempfile::TempDir {
        self.ledger.set_faults(|_| Fault::UnknownAbsent);
        self.stop.send_replace(true);
        while self.desk.turn().await.is_ok() {}
        self.folder
    }

    async fn entries_of(&self, kind: &str) -> Vec<serde_json::Value> {
        let entries = self.of_kind(kind).await;
        entries.iter().map(|entry| serde_json::from_slice(entry.body.as_ref().unwrap().bytes()).unwrap()).collect()
    }

    async fn of_kind(&self, kind: &str) -> Vec<Entry> {
        let entries = self.ledger.entries(Seq::FIRST, 9_999).await.unwrap();
        entries.into_iter().filter(|entry| entry.columns.kind == kind).collect()
    }

    /// Waits until the record has so many entries of a kind.
    async fn until_recorded(&self, kind: &str, count: usize) {
        let recorded = async {
            while self.entries_of(kind).await.len() < count {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, recorded).await.unwrap_or_else(|_| panic!("{count} of {kind} are not in the record"));
    }

    fn sent(&self) -> Vec<Order> {
        self.sent.lock().unwrap().clone()
    }

    /// The first message that leaves from now on. Time is paused, so that waiting takes none.
    async fn next_sent(&self) -> Order {
        let before = self.sent().len();
        loop {
            if let Some(order) = self.sent().get(before) {
                return order.clone();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

fn press(id: &str) -> Input {
    Input::Signal(press_of("library/front-1", id))
}

fn press_of(device: &str, id: &str) -> Signal {
    let origin = Origin { via: Via::Session, client: None, qos: 1, retained: false, dup: false, waited_since: None };
    let evidence = Evidence { raw: Private::Open("dG9waWM= cGF5bG9hZA==".into()), payload_sha256: None, payload_bytes: 7 };
    let press = Signal::bare(device.parse().unwrap(), Verb::Press { kind: None, style: None }, origin, evidence);
    Signal { id: Some(id.to_owned()), ..press }
}

fn query(scope: Scope, cursor: Option<String>, limit: u16) -> Query {
    Query { scope, open: None, site: None, from: None, to: None, cursor, limit }
}

fn of(customer: &str) -> Scope {
    Scope { customers: Some([Slug::parse(customer).unwrap().into()].into()), sites: None, at_the_place: false }
}

fn onlooker(principal: &str) -> Onlooker {
    Onlooker { principal: principal.into(), way: Way::Api }
}

fn note(activation: &str, key: &str, seen: Option<u64>) -> Request {
    Request {
        activation: activation.parse().unwrap(),
        principal: "ops".into(),
        actor: None,
        idempotency_key: Some(key.into()),
        seen,
        scope: Scope::everything(),
        act: Act::Note { text: Private::Open("rang back".into()) },
    }
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
async fn i2_nothing_leaves_that_neither_record_nor_spool_knows_unless_it_says_so() {
    let house = House::open().await;
    house.ledger.set_faults(|_| Fault::UnknownAbsent);
    // Its verdict waits for the record, which never comes.
    let desk = house.desk.clone();
    tokio::spawn(async move { desk.submit(press("1")).await });
    let order = tokio::time::timeout(PATIENCE, house.next_sent()).await.expect("an alarm outranks its paperwork");
    assert!(!order.words["code"].is_empty(), "what is spooled can be answered");
    assert_eq!(*house.spooled.lock().unwrap(), [true], "the spool was written before the message left");

    let house = House::open().await;
    house.ledger.set_faults(|_| Fault::UnknownAbsent);
    std::fs::create_dir(house.folder.path().join("spool")).unwrap();
    let desk = house.desk.clone();
    tokio::spawn(async move { desk.submit(press("1")).await });
    let order = tokio::time::timeout(PATIENCE, house.next_sent()).await.expect("an alarm outranks its paperwork");
    for word in ["code", "link", "url"] {
        assert_eq!(order.words[word], "", "nobody could honour the {word}");
    }
    assert_eq!(order.words["unrecorded"], "yes");
}

/// Another process has the record: what this one decided is not so, and state is rebuilt by a fresh process alone. Whether the
/// record says so at once or only after it was away, no verdict, no message and no word to a device leaves.
#[tokio::test(start_paused = true)]
async fn a_fenced_watch_releases_nothing_and_ends() {
    for away_before in [false, true] {
        let house = House::open().await;
        if away_before {
            house.ledger.set_faults(|_| Fault::UnknownAbsent);
            let desk = house.desk.clone();
            tokio::spawn(async move { desk.submit(press("1")).await });
            house.next_sent().await;
        }
        let sent = house.sent().len();
        house.ledger.set_faults(|_| Fault::Fenced);
        let verdict = house.desk.submit(Input::Signal(press_of("library/b-2", "2"))).await;
        assert!(!matches!(verdict, Verdict::Durable(_)), "{verdict:?}");
        let why = house.watch.await.unwrap_err().into_panic();
        assert!(why.downcast_ref::<String>().is_some_and(|why| why.contains("Fenced")), "it ended for another reason");
        if !away_before {
            assert_eq!(house.sent.lock().unwrap().len(), sent, "a message left");
        }
        assert_eq!(*house.told.lock().unwrap(), [], "a device was told");
        let desk = house.desk.clone();
        assert!(matches!(desk.submit(press("3")).await, Verdict::NotTaken(_)), "nothing is taken after it");
    }
}

/// Whoever is told that nothing was taken must not have stopped a ladder; and what can be written again is taken again.
#[tokio::test(start_paused = true)]
async fn i4_a_word_that_nobody_can_write_down_holds_no_ladder() {
    let roster = "[[roster]]\nid = \"duty\"\ntimezone = \"Australia/Perth\"\n[[roster.shift]]\npeople = [\"j-smith\"]\n";
    let house = House::open_in(tempfile::tempdir().unwrap(), &format!("{DIRECTORY}{roster}")).await;
    let stand_in = || StandInRequest {
        principal: "desk".to_owned(),
        actor: None,
        scope: Scope::everything(),
        roster: RosterId::parse("duty").unwrap(),
        off: "j-smith".to_owned(),
        change: Change::StandIn { on: "p-nair".to_owned(), from: None, until: Moment::Instant("2026-12-05T16:00:00Z".parse().unwrap()) },
    };
    house.desk.submit(press("1")).await;
    house.ledger.set_faults(|_| Fault::UnknownAbsent);
    let spool = house.folder.path().join("spool");
    std::fs::create_dir(&spool).unwrap();
    let desk = house.desk.clone();
    tokio::spawn(async move { desk.submit(Input::Signal(press_of("library/b-2", "2"))).await });
    while house.sent().len() < 2 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    let close = |key: &str| Request { act: Act::Close { disposition: Disposition::Test, note: None }, ..note("KAL-1", key, None) };
    let refused = house.desk.act(close("a")).await.unwrap();
    assert_eq!(refused, Verdict::NotTaken(NotTaken::Unrecorded));
    assert_eq!(house.desk.count(Scope::everything()).await.unwrap(), 2, "both are open");
    assert_eq!(house.desk.stand_in(stand_in()).await.unwrap(), Verdict::NotTaken(NotTaken::Unrecorded));
    let stand_ins = async || house.desk.duty(Scope::everything()).await.unwrap()[0].stand_ins.len();
    assert_eq!(stand_ins().await, 0, "whoever was on duty is");
    std::fs::remove_dir(&spool).unwrap();
    tokio::time::sleep(Duration::from_secs(2)).await;
    let taken = house.desk.act(close("b")).await.unwrap();
    assert!(matches!(taken, Verdict::Durable(_)), "the spool has it: {taken:?}");
    let taken = house.desk.stand_in(stand_in()).await.unwrap();
    assert!(matches!(taken, Verdict::Durable(_)), "and who stands in: {taken:?}");
    assert_eq!(stand_ins().await, 1);
}

#[tokio::test(start_paused = true)]
async fn lists_page_and_never_show_another_customer() {
    let house = House::open().await;
    for n in 0..5 {
        for device in [format!("library/b-{n}"), format!("clinic/b-{n}")] {
            let verdict = house.desk.submit(Input::Signal(press_of(&device, "1"))).await;
            assert!(matches!(verdict, Verdict::Durable(_)));
        }
    }
    let (mut cursor, mut seen) = (None, Vec::new());
    loop {
        let page = house.desk.list(query(of("perth"), cursor, 2)).await.unwrap();
        assert!(page.cards.len() <= 2);
        seen.extend(page.cards.iter().map(|card| card.id.to_string()));
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen, ["PER-5", "PER-4", "PER-3", "PER-2", "PER-1"]);
    let foreign = house.desk.activation("KAL-1".parse().unwrap(), of("perth"), onlooker("ops")).await.unwrap();
    assert_eq!(foreign, None);
    let foreign = house.desk.act(Request { scope: of("perth"), ..note("KAL-1", "k", None) }).await.unwrap();
    assert_eq!(foreign, Verdict::Refused(Rejection::UnknownActivation("KAL-1".parse().unwrap())));
    let entries = house.desk.since(0, 1_000, of("perth")).await.unwrap();
    assert!(!entries.is_empty() && entries.iter().all(|entry| entry.customer == "perth"), "{entries:?}");
    assert!(house.desk.devices(of("perth")).await.unwrap().iter().all(|device| device.customer.as_str() == "perth"));
}

#[tokio::test(start_paused = true)]
async fn whom_a_press_may_be_told_to_is_shown_with_when_they_were_last_heard_from() {
    let outside = "[[person]]\nid = \"m-webb\"\nname = \"M. Webb\"\nemail = \"m.webb@example.org\"\n";
    let house = House::open_in(tempfile::tempdir().unwrap(), &format!("{DIRECTORY}{outside}")).await;
    house.desk.submit(press("1")).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    let text = format!("Y{}", house.sent()[0].words["code"]);
    let answer = Answer {
        from: Sender::Number(Private::Open("+61400000001".into())),
        reply: Reply::parse(&text),
        text: Some(Private::Open(text)),
        provider_ref: Some("SM1".into()),
        sent_at: None,
    };
    assert!(matches!(house.desk.submit(Input::Answer(answer)).await, Verdict::Durable(outcome) if outcome.counted));
    let seen = async |scope: Scope| {
        let people = house.desk.people(scope, onlooker("ops")).await.unwrap();
        people.into_iter().map(|person| (person.last_answered().is_some(), person.name)).collect::<Vec<_>>()
    };
    let at = |site: &str| Scope { customers: None, sites: Some([SiteId::parse(site).unwrap()].into()), at_the_place: false };
    let (smith, nair) = ("J. Smith".to_owned(), "P. Nair".to_owned());
    let heard = [(false, nair.clone()), (true, smith.clone())];
    for scope in [Scope::everything(), of("kalamunda"), at("library")] {
        assert_eq!(seen(scope).await, heard, "whom its ladders may tell, the unheard first; nobody who is on none");
    }
    for scope in [of("perth"), at("clinic")] {
        assert_eq!(seen(scope).await, [(false, smith.clone()), (false, nair.clone())], "and nothing of another customer's call");
    }
}

#[tokio::test(start_paused = true)]
async fn a_repeat_is_answered_as_before_and_stale_knowledge_is_refused() {
    let house = House::open().await;
    house.desk.submit(press("1")).await;
    let seen = house.desk.list(query(Scope::everything(), None, 1)).await.unwrap().cards[0].seq;
    let first = house.desk.act(note("KAL-1", "once", Some(seen))).await.unwrap();
    assert!(matches!(first, Verdict::Durable(_)), "{first:?}");
    let again = house.desk.act(note("KAL-1", "once", Some(seen))).await.unwrap();
    assert!(matches!(again, Verdict::Durable(_)), "the same again is no conflict: {again:?}");
    let other = house.desk.act(note("KAL-1", "other", Some(seen))).await.unwrap();
    assert!(matches!(other, Verdict::Refused(Rejection::Stale { .. })), "{other:?}");
}

#[tokio::test(start_paused = true)]
async fn a_receipt_of_what_may_have_left_twice_says_so() {
    let house = House::open().await;
    house.desk.submit(press("1")).await;
    let ledger = house.ledger.clone();
    let folder = house.crash().await;
    ledger.set_faults(|_| Fault::None);
    let house = House::open_on(ledger, folder, DIRECTORY, LinkBase::default()).await;
    let again = house.sent()[0].clone();
    assert!(again.possible_duplicate);
    // The first copy reached the phone before the crash; nobody has heard of the second yet.
    let Input::DeliveryReported(accepted) = taken(&again) else { panic!("a report") };
    let delivered = DeliveryReport { report: Report::Delivered, ..accepted };
    house.desk.submit(Input::DeliveryReported(delivered)).await;
    let reported = house.entries_of("dispatch.reported").await;
    assert_eq!(reported.len(), 1);
    assert_eq!(reported[0]["possible_duplicate"], true, "{reported:?}");
}

#[tokio::test(start_paused = true)]
async fn i7_a_counter_that_no_json_reader_agrees_on_loses_no_press() {
    let house = House::open().await;
    let verdict = house.desk.submit(Input::Signal(Signal { sequence: Some(u64::MAX), ..press_of("library/front-1", "1") })).await;
    assert!(matches!(verdict, Verdict::Durable(_)), "{verdict:?}");
    assert_eq!(house.of_kind("activation.raised").await.len(), 1);
    assert_eq!(house.sent().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn words_say_how_old_a_press_is_and_who_is_unknown() {
    let house = House::open().await;
    let pressed_at = Timestamp::from_second(1_795_000_000 - 720).unwrap();
    let old = Signal { pressed_at: Some(pressed_at), clock: DeviceClock::Proven, ..press_of("library/front-1", "1") };
    house.desk.submit(Input::Signal(old)).await;
    house.desk.submit(Input::Signal(press_of("library/found-in-a-drawer", "1"))).await;
    let sent = house.sent();
    assert_eq!((sent[0].words["age"].as_str(), sent[0].words["unregistered"].as_str()), ("12 min ago", ""));
    assert_eq!((sent[1].words["unregistered"].as_str(), sent[1].words["place"].as_str()), ("yes", "found-in-a-drawer"));
    assert!(sent.iter().all(|order| order.words["late"].is_empty()));
}

#[tokio::test(start_paused = true)]
async fn a_directory_is_adopted_once_and_a_change_is_a_new_version_of_the_person() {
    let house = House::open().await;
    let changed = DIRECTORY.replace("0400 000 002", "0400 000 009");
    for (text, digest) in [(DIRECTORY, 1), (changed.as_str(), 2), (changed.as_str(), 2)] {
        let draft = Draft::parse("directory.toml", text).draft.unwrap();
        let verdict = house.desk.adopt(draft, Digest::new([digest; 32])).await.unwrap();
        assert!(matches!(verdict, Verdict::Durable(_)), "{verdict:?}");
    }
    assert_eq!(house.of_kind("directory.adopted").await.len(), 2);
    let versions = house.of_kind("person.version").await;
    let told: Vec<_> = versions
        .iter()
        .map(|entry| {
            let fields: serde_json::Value = serde_json::from_slice(entry.body.as_ref().unwrap().bytes()).unwrap();
            (fields["id"].as_str().unwrap().to_owned(), fields["person"]["version"].as_u64().unwrap())
        })
        .collect();
    assert_eq!(told, [("P-1".to_owned(), 1), ("P-2".to_owned(), 1), ("P-2".to_owned(), 2)]);
}

#[tokio::test(start_paused = true)]
async fn i4_a_step_of_the_wall_clock_makes_no_humans_answer_too_old() {
    for step_s in [-3_600, 3_600] {
        let house = House::open().await;
        house.desk.submit(press("0")).await;
        house.step_wall(step_s);
        tokio::time::sleep(Duration::from_secs(3)).await;
        // This alarm is raised while our time and the world's differ.
        house.desk.submit(Input::Signal(press_of("clinic/desk-1", "1"))).await;
        tokio::time::sleep(Duration::from_secs(5)).await;
        let sent = house.sent();
        let alarm = sent.iter().find(|order| order.id.to_string() == "PER-1.1").unwrap();
        let text = format!("Y{}", alarm.words["code"]);
        let answer = Answer {
            from: Sender::Number(Private::Open("+61400000001".into())),
            reply: Reply::parse(&text),
            text: Some(Private::Open(text)),
            provider_ref: Some("SM2".into()),
            sent_at: Some(house.clock.wall()),
        };
        let verdict = house.desk.submit(Input::Answer(answer)).await;
        let Verdict::Durable(outcome) = verdict else { panic!("{verdict:?}") };
        assert!(outcome.counted, "a step of {step_s} s: {outcome:?}");
    }
}

/// The machine's clock is put back by an hour: by the station's it is ten past seven, which nobody else believes. Put forward by forty-five
/// minutes it is followed at once, and nobody expects what it says is due by then.
#[tokio::test(start_paused = true)]
async fn a_drill_is_held_by_a_clock_that_others_have_too() {
    for (step_s, at, missed) in
        [(-3_600, "19:10", Some("clock")), (-30, "19:10", None), (2_700, "19:50", Some("clock")), (2_700, "19:10", Some("passed"))]
    {
        let text = format!("{DIRECTORY}[[drill]]\nid = \"weekly\"\nsites = [\"library\"]\non = \"wed\"\nat = \"{at}\"\nminutes = 5\n");
        let house = House::open_in(tempfile::tempdir().unwrap(), &text).await;
        house.step_wall(step_s);
        tokio::time::sleep(Duration::from_mins(12)).await;
        let whys = house.entries_of("drill.missed").await.into_iter().map(|entry| entry["why"].clone()).collect::<Vec<_>>();
        assert_eq!(whys, missed.into_iter().collect::<Vec<_>>(), "a step of {step_s} s before {at}");
        assert_eq!(house.entries_of("activation.raised").await.len(), usize::from(missed.is_none()), "a step of {step_s} s before {at}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_spool_that_does_not_read_is_put_aside_and_presses_are_heard() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("spool"), "not a line of ours\n").unwrap();
    let house = House::open_in(folder, DIRECTORY).await;
    assert!(matches!(house.desk.submit(press("1")).await, Verdict::Durable(_)));
    let troubles = house.desk.troubles(Scope::everything()).await.unwrap();
    assert!(troubles.iter().any(|trouble| trouble.cause == Cause::SpoolPutAside), "{troubles:?}");
}

/// What stands in the spool's place cannot be read as a file, whoever asks.
#[tokio::test(start_paused = true)]
async fn a_spool_that_cannot_be_read_at_all_keeps_no_press_from_being_heard() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("spool")).unwrap();
    let house = House::open_in(folder, DIRECTORY).await;
    assert!(matches!(house.desk.submit(press("1")).await, Verdict::Durable(_)));
    let troubles = house.desk.troubles(Scope::everything()).await.unwrap();
    assert!(troubles.iter().any(|trouble| trouble.cause == Cause::SpoolPutAside), "{troubles:?}");
    // The next loss has a spool again.
    house.ledger.set_faults(|_| Fault::UnknownAbsent);
    let desk = house.desk.clone();
    tokio::spawn(async move { desk.submit(Input::Signal(press_of("clinic/desk-1", "2"))).await });
    house.next_sent().await;
    house.desk.turn().await.unwrap();
    assert!(house.folder.path().join("spool").is_file());
}

#[tokio::test(start_paused = true)]
async fn a_reference_that_only_a_spool_put_aside_knows_is_not_given_again() {
    let house = House::open().await;
    // The batch in hand when the record fails has a reference of the usual series; the next have one of the loss.
    house.ledger.set_faults(|_| Fault::UnknownAbsent);
    for (device, id) in [("library/front-1", "1"), ("library/front-2", "2")] {
        let desk = house.desk.clone();
        tokio::spawn(async move { desk.submit(Input::Signal(press_of(device, id))).await });
        house.desk.turn().await.unwrap();
    }
    let told: Vec<_> = house.sent().iter().map(|order| order.id.activation.to_string()).collect();
    assert_eq!(told, ["KAL-1", "KAL-U1-1"]);
    let folder = house.crash().await;
    let house = House::open_on(MemoryLedger::new(), folder, DIRECTORY, LinkBase::default()).await;
    house.until_recorded("activation.raised", 2).await;
    let named = |entries: Vec<serde_json::Value>| entries.iter().map(|e| e["act"].as_str().unwrap().to_owned()).collect::<Vec<_>>();
    assert_eq!(named(house.entries_of("activation.raised").await), ["KAL-2", "KAL-3"]);
    // Nor after somebody has taken the file away.
    let ledger = house.ledger.clone();
    let folder = house.crash().await;
    std::fs::remove_file(folder.path().join("spool.kept-1")).unwrap();
    let house = House::open_on(ledger, folder, DIRECTORY, LinkBase::default()).await;
    house.ledger.set_faults(|_| Fault::UnknownAbsent);
    for (device, id) in [("library/front-3", "3"), ("library/front-4", "4")] {
        let desk = house.desk.clone();
        tokio::spawn(async move { desk.submit(Input::Signal(press_of(device, id))).await });
        house.desk.turn().await.unwrap();
    }
    let told: BTreeSet<_> = house.sent().iter().map(|order| order.id.activation.to_string()).collect();
    assert!(!told.contains("KAL-U1-1") && told.contains("KAL-U2-1"), "{told:?}");
}

#[tokio::test(start_paused = true)]
async fn a_caller_cannot_act_in_the_name_of_another_customers_person() {
    let others = r#"
[[person]]
id = "m-far"
name = "M. Far"
mobile = "0400 000 009"
[[ladder]]
id = "others"
[[ladder.rung]]
notify = [{ person = "m-far" }]
"#;
    let directory =
        format!("{DIRECTORY}{others}").replace("prefix = \"PER\"\nladder = \"counters\"", "prefix = \"PER\"\nladder = \"others\"");
    let house = House::open_in(tempfile::tempdir().unwrap(), &directory).await;
    house.desk.submit(press("1")).await;
    let accept = |actor: &str| Request {
        actor: Some(actor.to_owned()),
        act: Act::Accept { commitment: Commitment::Going, eta_s: None },
        ..note("KAL-1", actor, None)
    };
    let going = async || house.desk.list(query(of("kalamunda"), None, 1)).await.unwrap().cards.remove(0).going;
    house.desk.act(accept("m-far")).await.unwrap();
    assert!(going().await.iter().all(|going| !going.name.contains("Far")), "another customer's person is a bare word");
    house.desk.act(accept("P. Nair")).await.unwrap();
    assert!(going().await.iter().any(|going| going.name.contains("P. Nair")), "one of the activation's own ladder is known");
}

/// It was listed when it was closed; the lists tell what is, and the device hears that it is heard again.
#[tokio::test(start_paused = true)]
async fn what_is_opened_again_is_among_the_open_ones_alone() {
    let house = House::open().await;
    house.desk.submit(press("1")).await;
    let act = async |act: Act, key: &str| house.desk.act(Request { act, ..note("KAL-1", key, None) }).await.unwrap();
    act(Act::Close { disposition: Disposition::Attended, note: None }, "a").await;
    act(Act::Reopen { reason: Private::Open("too early".into()) }, "b").await;
    for (open, seen) in [(Some(true), 1), (Some(false), 0), (None, 1)] {
        let asked = Query { open, ..query(of("kalamunda"), None, 10) };
        assert_eq!(house.desk.list(asked).await.unwrap().cards.len(), seen, "{open:?}");
    }
    assert_eq!(*house.told.lock().unwrap(), [FeedbackState::Received, FeedbackState::Closed, FeedbackState::Received]);
}

/// Before, whoever answered a closed call late read that a call was *still* open there which was raised after that closing.
#[tokio::test(start_paused = true)]
async fn what_was_raised_after_a_closing_is_not_still_open() {
    let house = House::open().await;
    house.desk.submit(press("1")).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let asked = house.sent();
    let text = format!("Y{}", asked[0].words["code"]);
    let close = Act::Close { disposition: Disposition::Attended, note: None };
    house.desk.act(Request { act: close, ..note("KAL-1", "k", None) }).await.unwrap();
    tokio::time::sleep(Duration::from_secs(10)).await;
    house.desk.submit(Input::Signal(press_of("library/front-2", "2"))).await;
    let answer = Answer {
        from: Sender::Number(Private::Open("+61400000001".into())),
        reply: Reply::parse(&text),
        text: Some(Private::Open(text)),
        provider_ref: Some("SM9".into()),
        sent_at: None,
    };
    house.desk.submit(Input::Answer(answer)).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let sent = house.sent();
    let late = sent.iter().find(|order| order.purpose == Purpose::AlreadyClosed).expect("a late answer is told so");
    assert_eq!((late.words["still_open"].as_str(), late.words["unclear"].as_str()), ("", "yes"), "nor that nobody is needed there");
    let next = sent.iter().find(|order| order.words["ref"] == "KAL-2").expect("the next call");
    assert_eq!(next.words["beside"], "", "what is closed is beside nothing");
}

/// Whether an aggressor can see a device is settled when it is pressed, not by a reload in the middle.
#[tokio::test(start_paused = true)]
async fn a_device_is_told_as_was_promised_when_it_was_pressed() {
    let quiet = DIRECTORY.replace("name = \"Kalamunda Library\"", "name = \"Kalamunda Library\"\nfeedback = \"off\"");
    let told = [FeedbackState::Received, FeedbackState::Closed];
    for (at_first, later, expected) in [(DIRECTORY, quiet.as_str(), told.as_slice()), (quiet.as_str(), DIRECTORY, &[])] {
        let house = House::open_in(tempfile::tempdir().unwrap(), at_first).await;
        house.desk.submit(press("1")).await;
        let draft = Draft::parse("directory.toml", later).draft.unwrap();
        house.desk.adopt(draft, Digest::new([2; 32])).await.unwrap();
        let close = Act::Close { disposition: Disposition::Attended, note: None };
        house.desk.act(Request { act: close, ..note("KAL-1", "k", None) }).await.unwrap();
        assert_eq!(*house.told.lock().unwrap(), expected);
    }
}

/// `station.key` was lost: it is said in the queue, and whoever is told from then on can answer, although the directory is the same.
#[tokio::test(start_paused = true)]
async fn a_lost_key_is_a_trouble_and_new_messages_can_be_answered() {
    let house = House::open().await;
    house.desk.submit(press("1")).await;
    house.stop.send_replace(true);
    let (folder, other) = (tempfile::tempdir().unwrap(), Secret::from_bytes(&[8; 32]));
    let house = House::open_under(other, house.ledger.clone(), house.ledger.clone(), folder, DIRECTORY, LinkBase::default()).await;
    let troubles = house.desk.troubles(of("perth")).await.unwrap();
    assert!(troubles.iter().any(|trouble| trouble.cause == Cause::KeyReplaced), "{troubles:?}");
    tokio::time::sleep(Duration::from_mins(1)).await;
    let sent = house.sent();
    let to_nair = sent.iter().find(|order| order.address == Address::Sms("+61400000002".into())).expect("the climb goes on");
    let text = format!("Y{}", to_nair.words["code"]);
    let answer = Answer {
        from: Sender::Number(Private::Open("+61400000002".into())),
        reply: Reply::parse(&text),
        text: Some(Private::Open(text)),
        provider_ref: Some("SM9".into()),
        sent_at: None,
    };
    let verdict = house.desk.submit(Input::Answer(answer)).await;
    let Verdict::Durable(outcome) = verdict else { panic!("{verdict:?}") };
    assert!(outcome.counted, "{outcome:?}");
}

/// Whose a trouble is decides who is told of it: in the list, and on the stream.
#[tokio::test(start_paused = true)]
async fn a_trouble_is_told_to_whom_it_concerns_and_to_nobody_else() {
    let house = House::open().await;
    house.desk.submit(press("1")).await;
    let library = || SiteId::parse("library").unwrap();
    let counters = || escalation::id::LadderId::parse("counters").unwrap();
    let coverage = Cause::Coverage { ladder: counters(), site: library() };
    let gap = Cause::CoverageGap { ladder: counters(), site: library(), from: "2026-12-05T16:00:00Z".parse().unwrap() };
    let of_an_activation = Cause::Fault { activation: Some("KAL-1".parse().unwrap()) };
    let opted_out = Cause::OptedOut { person: escalation::id::PersonId::new(1) };
    let of_the_site = [coverage, gap, Cause::Tampered { site: library() }];
    let unscoped = [opted_out, Cause::Fault { activation: None }];
    let all = || std::iter::once(&Cause::BrokerAway).chain(&of_the_site).chain(std::iter::once(&of_an_activation)).chain(&unscoped);
    for cause in all() {
        assert!(matches!(house.desk.submit(Input::TroubleNoticed(cause.clone())).await, Verdict::Durable(_)));
    }
    let at = |site: SiteId| Scope { customers: None, sites: Some([site].into()), at_the_place: false };
    for (scope, sees_site, sees_all) in [
        (Scope::everything(), true, true),
        (of("kalamunda"), true, false),
        (at(library()), true, false),
        (of("perth"), false, false),
        (at(SiteId::parse("clinic").unwrap()), false, false),
    ] {
        let listed: Vec<Cause> = house.desk.troubles(scope.clone()).await.unwrap().into_iter().map(|trouble| trouble.cause).collect();
        let expected = |cause: &Cause| {
            *cause == Cause::BrokerAway || sees_all || (sees_site && (of_the_site.contains(cause) || *cause == of_an_activation))
        };
        for cause in all() {
            assert_eq!(listed.contains(cause), expected(cause), "{cause:?} for {scope:?}");
        }
        let streamed = house.desk.since(0, 1_000, scope.clone()).await.unwrap();
        let streamed = streamed.iter().filter(|entry| entry.kind == "trouble.raised").count();
        // The stream cannot tell whose an activation is, and keeps silent.
        let expected = all().filter(|cause| expected(cause) && (sees_all || **cause != of_an_activation)).count();
        assert_eq!(streamed, expected, "{scope:?}");
    }
}

/// A history that is too long to show says how much of it is not shown, where that is.
#[tokio::test(start_paused = true)]
async fn a_long_history_says_where_and_how_much_is_left_out() {
    let house = House::open().await;
    house.desk.submit(press("1")).await;
    for n in 0..8 {
        house.desk.act(note("KAL-1", &n.to_string(), None)).await.unwrap();
    }
    let id = "KAL-1".parse().unwrap();
    let whole = crate::look::history(&house.ledger, &id, 100, 3).await.unwrap();
    let shown = |history: crate::look::History| {
        let (ledger, vault) = (house.ledger.clone(), crate::vault::Vault::default());
        async move {
            let card = crate::portray::archived(&vault, &history.entries).unwrap();
            let detail = crate::portray::detail(&ledger, &vault, card, &history).await.unwrap();
            detail.history.into_iter().map(|line| (line.kind, line.text)).collect::<Vec<_>>()
        }
    };
    let entries = whole.entries.len();
    let all = shown(whole).await;
    assert!(all.len() == entries && all.iter().all(|(kind, _)| kind != "entries.left_out"));
    let some = shown(crate::look::history(&house.ledger, &id, 4, 3).await.unwrap()).await;
    let gap = ("entries.left_out".to_owned(), format!("{} entries not shown", entries - 4));
    assert_eq!(some, [&all[..2], &[gap], &all[entries - 2..]].concat());
}

/// Two operators share their centre's key: the list says who of them is going, also after a start.
#[tokio::test(start_paused = true)]
async fn names_that_one_key_gives_are_shown_and_kept_apart() {
    let house = House::open().await;
    house.desk.submit(press("1")).await;
    let accept = |actor: &str| Request {
        actor: Some(actor.to_owned()),
        act: Act::Accept { commitment: Commitment::Going, eta_s: None },
        ..note("KAL-1", actor, None)
    };
    for name in ["Jane Rowe", "Bob Lake", " jane  ROWE "] {
        let verdict = house.desk.act(accept(name)).await.unwrap();
        assert!(matches!(verdict, Verdict::Durable(_)), "{verdict:?}");
    }
    let names = async |house: &House| {
        let going = house.desk.list(query(Scope::everything(), None, 1)).await.unwrap().cards.remove(0).going;
        going.into_iter().map(|going| going.name).collect::<Vec<_>>()
    };
    assert_eq!(names(&house).await, ["Jane Rowe (ops)", "Bob Lake (ops)"]);
    house.stop.send_replace(true);
    let house = House::open_on(house.ledger.clone(), tempfile::tempdir().unwrap(), DIRECTORY, LinkBase::default()).await;
    assert_eq!(names(&house).await, ["Jane Rowe (ops)", "Bob Lake (ops)"]);
    let detail = house.desk.activation("KAL-1".parse().unwrap(), Scope::everything(), onlooker("ops")).await.unwrap().unwrap();
    assert!(detail.history.iter().any(|line| line.text.starts_with("Bob Lake (ops)")), "{:?}", detail.history);
}

#[tokio::test(start_paused = true)]
async fn a_receipt_that_is_due_is_asked_for_after_a_start() {
    let house = House::open().await;
    assert!(matches!(house.desk.submit(press("1")).await, Verdict::Durable(_)));
    let order = house.sent().remove(0);
    assert!(matches!(house.desk.submit(taken(&order)).await, Verdict::Durable(_)));
    house.stop.send_replace(true);
    let house = House::open_on(house.ledger.clone(), tempfile::tempdir().unwrap(), DIRECTORY, LinkBase::default()).await;
    assert_eq!(house.receipts_due, ["KAL-1.1 first SM1"]);
}

#[tokio::test(start_paused = true)]
async fn what_memory_knows_is_answered_from_memory_and_within_the_scope() {
    let house = House::open().await;
    house.desk.submit(press("1")).await;
    let kalamunda = Scope { customers: Some([CustomerId::parse("kalamunda").unwrap()].into()), sites: None, at_the_place: false };
    let library = Scope { customers: None, sites: Some([SiteId::parse("library").unwrap()].into()), at_the_place: false };
    let elsewhere = Scope { customers: None, sites: Some([SiteId::parse("depot").unwrap()].into()), at_the_place: false };
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
    let house = House::open_on(MemoryLedger::new(), tempfile::tempdir().unwrap(), &shared, links).await;
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

/// A record whose commits take a while, and that counts how often it is asked.
struct SlowLedger {
    inner: MemoryLedger,
    takes: Duration,
    asked: Arc<Mutex<Vec<Seq>>>,
    /// Pages that cannot be read the first time, by where they begin.
    unread: Mutex<BTreeSet<Seq>>,
}

impl Ledger for SlowLedger {
    async fn append(&self, batch: &Batch) -> Result<(), AppendError> {
        self.asked.lock().unwrap().push(batch.first());
        tokio::time::sleep(self.takes).await;
        self.inner.append(batch).await
    }

    async fn head(&self) -> Result<Head, ReadError> {
        self.inner.head().await
    }

    async fn entries(&self, from: Seq, limit: u32) -> Result<Vec<Entry>, ReadError> {
        if self.unread.lock().unwrap().remove(&from) {
            return Err(ReadError::Unavailable { attempted: "read entries of the record", source: "no connection in time".into() });
        }
        self.inner.entries(from, limit).await
    }

    async fn by_stream(&self, stream: &str, from: Seq, limit: u32) -> Result<Vec<Entry>, ReadError> {
        self.inner.by_stream(stream, from, limit).await
    }

    async fn disclosures(&self, from: Seq, to: Seq) -> Result<Vec<(Seq, Disclosure)>, ReadError> {
        self.inner.disclosures(from, to).await
    }

    async fn disclosure(&self, digest: &ledger::Digest) -> Result<Option<Disclosure>, ReadError> {
        self.inner.disclosure(digest).await
    }

    async fn listings(&self, query: &ListingQuery) -> Result<Vec<Listing>, ReadError> {
        self.inner.listings(query).await
    }

    async fn views(&self, query: &ViewsQuery) -> Result<Vec<Entry>, ReadError> {
        self.inner.views(query).await
    }

    async fn about(&self, subject: &str) -> Result<Vec<ledger::Digest>, ReadError> {
        self.inner.about(subject).await
    }

    async fn erase(&self, digests: &[ledger::Digest]) -> Result<u64, ReadError> {
        self.inner.erase(digests).await
    }

    async fn clear_listings(&self) -> Result<(), ReadError> {
        self.inner.clear_listings().await
    }
}

#[tokio::test(start_paused = true)]
async fn a_slow_append_goes_on_and_is_asked_for_once() {
    let (ledger, asked) = (MemoryLedger::new(), Arc::<Mutex<Vec<Seq>>>::default());
    let slow = SlowLedger { inner: ledger.clone(), takes: Duration::from_millis(700), asked: Arc::clone(&asked), unread: Mutex::default() };
    let house = House::open_behind(slow, ledger, tempfile::tempdir().unwrap(), DIRECTORY, LinkBase::default()).await;
    let verdict = tokio::time::timeout(PATIENCE, house.desk.submit(press("1"))).await.expect("the record has it in the end");
    assert!(matches!(verdict, Verdict::Durable(_)), "{verdict:?}");
    assert_eq!(house.sent().len(), 1, "the message did not wait for it");
    let mut asked = asked.lock().unwrap().clone();
    let all = asked.len();
    asked.dedup();
    assert_eq!(asked.len(), all, "no batch was asked for twice: {asked:?}");
}

/// A page is asked for before it is needed, while nobody looks whether it can be had: that it could not must not keep a station from starting.
#[tokio::test(start_paused = true)]
async fn a_page_that_was_begun_in_vain_is_asked_for_again() {
    let inner = MemoryLedger::new();
    let house = House::open_on(inner.clone(), tempfile::tempdir().unwrap(), DIRECTORY, LinkBase::default()).await;
    house.desk.submit(press("1")).await;
    let head = inner.head().await.unwrap();
    let unread = Mutex::new(BTreeSet::from([Seq::FIRST, head.next()]));
    let ledger = SlowLedger { inner, takes: Duration::ZERO, asked: Arc::default(), unread };
    let mut floor = Floor::new(Journal::new(Entropy::from_seed(b"again")), Secret::from_bytes(&[7; 32]), LinkBase::default());
    let replayed = replay::replay(&ledger, &mut floor).await.unwrap();
    assert_eq!((replayed.size, replayed.tree.head().root), (head.size(), head.frontier.root()));
    assert!(ledger.unread.lock().unwrap().is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_a_long_outage_held_reaches_the_record_in_order() {
    let house = House::open().await;
    house.ledger.set_faults(|_| Fault::UnknownAbsent);
    for n in 0..300 {
        let desk = house.desk.clone();
        tokio::spawn(async move { desk.submit(Input::Signal(press_of(&format!("library/b-{n}"), "1"))).await });
        house.desk.turn().await.unwrap();
    }
    house.ledger.set_faults(|_| Fault::None);
    house.until_recorded("record.found", 1).await;
    assert_eq!(house.entries_of("activation.raised").await.len(), 300);
    assert!(!house.folder.path().join("spool").exists());
}

#[tokio::test(start_paused = true)]
async fn a_start_after_a_crash_in_an_outage_finds_the_record() {
    let house = House::open().await;
    house.ledger.set_faults(|_| Fault::UnknownAbsent);
    let desk = house.desk.clone();
    tokio::spawn(async move { desk.submit(press("1")).await });
    house.next_sent().await;
    house.desk.turn().await.unwrap();
    let ledger = house.ledger.clone();
    let folder = house.crash().await;
    ledger.set_faults(|_| Fault::None);
    let house = House::open_on(ledger, folder, DIRECTORY, LinkBase::default()).await;
    assert_eq!(house.entries_of("record.lost").await.len(), 1);
    assert_eq!(house.entries_of("record.found").await.len(), 1);
    let troubles = house.desk.troubles(Scope::everything()).await.unwrap();
    assert!(troubles.iter().all(|trouble| trouble.cause != Cause::RecordUnreachable), "{troubles:?}");
}

/// Neither record nor spool, a crash, and the same again: nobody's reference or message is named like another's.
#[tokio::test(start_paused = true)]
async fn i2_what_nobody_wrote_down_is_never_named_again() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("spool")).unwrap();
    let ledger = MemoryLedger::new();
    let (mut folder, mut activations, mut keys) = (folder, Vec::new(), Vec::new());
    for round in 0..2 {
        ledger.set_faults(|_| Fault::None);
        let directory = DIRECTORY.replace("J. Smith", &format!("J. Smith {round}"));
        std::fs::remove_dir(folder.path().join("spool")).unwrap();
        let house = House::open_on(ledger.clone(), folder, &directory, LinkBase::default()).await;
        house.step_wall(60 * round);
        std::fs::create_dir(house.folder.path().join("spool")).unwrap();
        ledger.set_faults(|_| Fault::UnknownAbsent);
        for device in ["library/front-1", "library/front-2"] {
            let desk = house.desk.clone();
            let press = Input::Signal(press_of(device, "1"));
            tokio::spawn(async move { desk.submit(press).await });
            house.next_sent().await;
            house.desk.turn().await.unwrap();
        }
        keys.extend(house.sent().iter().map(Order::key));
        activations.extend(house.sent().iter().map(|order| order.id.activation.to_string()).skip(1));
        folder = house.crash().await;
    }
    let distinct = |texts: &[String]| texts.iter().collect::<BTreeSet<_>>().len();
    assert_eq!(distinct(&keys), keys.len(), "a carrier would take one for a repeat of another: {keys:?}");
    assert!(activations.len() >= 2 && distinct(&activations) == activations.len(), "{activations:?}");
}

#[tokio::test(start_paused = true)]
async fn an_event_that_cannot_be_written_as_it_is_is_mended_and_becomes_a_trouble() {
    let house = House::open().await;
    // A wall clock that leaps by three hundred years: more microseconds than a number of the record holds.
    house.step_wall(9_100_000_000);
    let verdict = house.desk.submit(press("1")).await;
    assert!(matches!(verdict, Verdict::Durable(_)), "{verdict:?}");
    house.until_recorded("clock.stepped", 1).await;
    house.until_recorded("trouble.raised", 1).await;
    let troubles = house.desk.troubles(Scope::everything()).await.unwrap();
    assert!(troubles.iter().any(|trouble| trouble.cause == Cause::Fault { activation: None }), "{troubles:?}");
}

#[tokio::test(start_paused = true)]
async fn i7_presses_of_a_spool_that_was_put_aside_are_heard_once() {
    let house = House::open().await;
    house.ledger.set_faults(|_| Fault::UnknownAbsent);
    for (device, id) in [("library/front-1", "1"), ("library/front-1", "2"), ("clinic/desk-1", "3")] {
        let desk = house.desk.clone();
        let press = Input::Signal(Signal { note: Some(Private::Open("a knife".into())), ..press_of(device, id) });
        tokio::spawn(async move { desk.submit(press).await });
        house.desk.turn().await.unwrap();
    }
    let folder = house.crash().await;
    // The record was lost as well and an empty one is in its place: nobody is in its directory yet.
    let house = House::open_on(MemoryLedger::new(), folder, DIRECTORY, LinkBase::default()).await;
    house.until_recorded("activation.raised", 2).await;
    let raised = house.entries_of("activation.raised").await;
    assert_eq!(raised.iter().map(|entry| entry["dev"].as_str().unwrap()).collect::<Vec<_>>(), ["library/front-1", "clinic/desk-1"]);
    assert_eq!(raised.iter().map(|entry| entry["signal"]["id"].as_str().unwrap()).collect::<Vec<_>>(), ["1", "3"]);
    assert_eq!(house.entries_of("activation.pressed_again").await.len(), 1);
    house.desk.turn().await.unwrap();
    assert_eq!(house.sent().iter().filter(|order| order.purpose == Purpose::Alarm).count(), 2, "somebody is told of each");
    // The broker brings it too.
    let redelivered = house.desk.submit(press("1")).await;
    assert!(matches!(redelivered, Verdict::Durable(_)), "{redelivered:?}");
    let ledger = house.ledger.clone();
    let folder = house.crash().await;
    ledger.set_faults(|_| Fault::None);
    let house = House::open_on(ledger, folder, DIRECTORY, LinkBase::default()).await;
    assert_eq!(house.entries_of("activation.raised").await.len(), 2, "not at the next start again");
    let troubles = house.desk.troubles(Scope::everything()).await.unwrap();
    assert!(troubles.iter().any(|trouble| trouble.cause == Cause::SpoolPutAside), "a person still has to look: {troubles:?}");
}

/// Nobody pressed: what was a drill in such a spool is no call now.
#[tokio::test(start_paused = true)]
async fn a_drill_of_a_spool_that_was_put_aside_is_not_heard_as_a_press() {
    let house = House::open().await;
    house.ledger.set_faults(|_| Fault::UnknownAbsent);
    let drill = DrillRequest {
        principal: "desk".to_owned(),
        actor: None,
        scope: Scope::everything(),
        site: SiteId::parse("library").unwrap(),
        device: None,
        span: Seconds(600),
        note: None,
    };
    let desk = house.desk.clone();
    tokio::spawn(async move { desk.drill(drill).await });
    let order = house.next_sent().await;
    assert_eq!((order.words["drill"].as_str(), order.words["kind"].as_str(), order.recency), ("yes", "DRILL", 1));
    let desk = house.desk.clone();
    tokio::spawn(async move { desk.submit(Input::Signal(press_of("clinic/desk-1", "3"))).await });
    house.desk.turn().await.unwrap();
    let folder = house.crash().await;
    let house = House::open_on(MemoryLedger::new(), folder, DIRECTORY, LinkBase::default()).await;
    house.until_recorded("activation.raised", 1).await;
    house.desk.turn().await.unwrap();
    let raised = house.entries_of("activation.raised").await;
    assert_eq!(raised.iter().map(|entry| entry["dev"].as_str().unwrap()).collect::<Vec<_>>(), ["clinic/desk-1"]);
    assert!(house.sent().iter().all(|order| order.words["drill"].is_empty()));
}
