//! A record of months: as many entries as are wanted, written by the watch's own rules, faster than anybody could press.
//!
//! Every call is one of an ordinary day: pressed, texted, delivered, answered by an operator, closed, and stood down. The
//! process that will read the record writes none of it; it finds it as it would find its own after a restart.

use std::path::Path;

use escalation::acknowledgement::{Commitment, Disposition};
use escalation::directory::draft::{self, Draft};
use escalation::dispatch::{DeliveryReport, Report};
use escalation::id::{ActivationId, CarrierName, DeviceId, Digest, DispatchId, Slug};
use escalation::input::{Act, Attribution, Command, Input, Started};
use escalation::private::Private;
use escalation::signal::{Evidence, Origin, Signal, Verb, Via};
use escalation::time::{SignedDuration, Timestamp};
use escalation::verdict::Verdict;
use ledger::{Batch, Ledger as _, SqlLedger, Sqlite};
use station::adopt;
use station::entropy::Entropy;
use station::floor::{Floor, LinkBase, Ticket, Turn};
use station::journal::Journal;
use station::secret::Secret;

use crate::directory;

/// Calls that are open at the same time.
pub(crate) const TOGETHER: u32 = 100;
/// From the first calls of a round to those of the next.
const ROUND: SignedDuration = SignedDuration::from_mins(20);
/// How long before today the record begins.
const AGO: SignedDuration = SignedDuration::from_hours(24 * 60);
/// A text as long as ours are.
const TEXT: &str =
    "DURESS Bench, q-00000. 14:03 AWST. Don't ring site, don't enter alone. Reply Y47=going H47=helping remotely N47=can't. BEN-42";

/// What was written.
#[derive(Clone, Debug)]
pub(crate) struct History {
    /// Entries.
    pub(crate) entries: u64,
    /// Calls.
    pub(crate) calls: usize,
    /// One of them, from the middle.
    pub(crate) one: ActivationId,
}

/// Writes at least `wanted` entries into a data directory that no process uses.
pub(crate) async fn write(data: &Path, wanted: u64) -> History {
    let mut pen = Pen::open(data, TOGETHER).await;
    let mut calls = Vec::new();
    while pen.floor.next().index() < wanted {
        calls.extend(pen.round().await);
    }
    let one = calls.get(calls.len() / 2).cloned().expect("at least one call");
    History { entries: pen.floor.next().index(), calls: calls.len(), one }
}

/// Whoever writes it: the rules, their journal and the record, without a process around them.
pub(crate) struct Pen {
    ledger: SqlLedger<Sqlite>,
    floor: Floor,
    began: Timestamp,
    now: Timestamp,
}

impl Pen {
    /// On a fresh record in this data directory, with so many buttons.
    pub(crate) async fn open(data: &Path, buttons: u32) -> Self {
        let ledger = SqlLedger::<Sqlite>::open(data.join("cooee.db")).await.expect("make the record");
        let secret = Secret::open(&data.join("station.key")).expect("make the station's key");
        let journal = Journal::new(Entropy::from_system().expect("random bytes"));
        let began = today() - AGO;
        let mut pen = Self { ledger, floor: Floor::new(journal, secret, LinkBase::default()), began, now: began };
        pen.begin(buttons).await;
        pen
    }

    /// One press, decided, sealed and applied, and not yet written.
    pub(crate) fn press(&mut self, key: u32) -> Batch {
        self.now += SignedDuration::from_secs(1);
        self.floor.turn(self.now, self.mono_us(), vec![(Ticket(0), press(key))]).batch
    }

    /// Makes it durable.
    pub(crate) async fn keep(&self, batch: &Batch) {
        self.ledger.append(batch).await.expect("append to the record");
    }

    async fn begin(&mut self, buttons: u32) {
        let zones = draft::zones_version();
        let started = Started {
            node: "bench".to_owned(),
            version: "0".to_owned(),
            zones: zones.to_owned(),
            key: Some(self.floor.secret().id()),
            last_entry_at: None,
            given: Vec::new(),
        };
        self.turn(vec![Input::Started(started)]).await;
        let draft = Draft::parse("directory.toml", &directory::of(buttons)).draft.expect("a directory");
        let adoption = adopt::offer(&draft, Digest::new([1; 32]), zones, &self.floor.vault, self.floor.secret()).expect("adopted");
        self.turn(vec![Input::DirectoryOffered(Box::new(adoption))]).await;
    }

    /// As many calls as there are buttons, from the press to the end.
    async fn round(&mut self) -> Vec<ActivationId> {
        let next_round = self.now + ROUND;
        let (calls, owed) = self.turn((0..TOGETHER).map(press).collect()).await;
        self.deliver(owed).await;
        let accept = Act::Accept { commitment: Commitment::Going, eta_s: None };
        self.act(&calls, &accept).await;
        let close = Act::Close { disposition: Disposition::Attended, note: Some(Private::Open("Spoke with everybody.".to_owned())) };
        self.act(&calls, &close).await;
        self.now = next_round;
        calls
    }

    async fn act(&mut self, calls: &[ActivationId], act: &Act) {
        self.now += SignedDuration::from_secs(60);
        let of = |call: &ActivationId| {
            Input::Command(Command { activation: call.clone(), by: operator(), seen: None, at_the_place: false, act: act.clone() })
        };
        let (_, owed) = self.turn(calls.iter().map(of).collect()).await;
        self.deliver(owed).await;
    }

    /// A provider takes every message and then brings it.
    async fn deliver(&mut self, owed: Vec<DispatchId>) {
        let provider = CarrierName::from(Slug::parse("gateway").expect("a name"));
        let reported = |dispatch: &DispatchId, report: Report, first: bool| {
            Input::DeliveryReported(DeliveryReport {
                provider: Some(provider.clone()),
                provider_ref: first.then(|| format!("SM{dispatch}")),
                text: first.then(|| Private::Open(TEXT.to_owned())),
                template: first.then(|| "alarm.sms@3f2a91c0".to_owned()),
                ..DeliveryReport::bare(dispatch.clone(), report)
            })
        };
        self.now += SignedDuration::from_millis(400);
        self.turn(owed.iter().map(|id| reported(id, Report::AcceptedReceiptDue, true)).collect()).await;
        self.now += SignedDuration::from_secs(2);
        self.turn(owed.iter().map(|id| reported(id, Report::Delivered, false)).collect()).await;
    }

    /// One turn, with whatever its deadlines ask for, made durable. Gives the calls that it concerned and what is owed from here on.
    async fn turn(&mut self, inputs: Vec<Input>) -> (Vec<ActivationId>, Vec<DispatchId>) {
        self.now += SignedDuration::from_micros(1);
        let ticketed = (0..).map(Ticket).zip(inputs).collect();
        let Turn { batch, verdicts, mut orders, .. } = self.floor.turn(self.now, self.mono_us(), ticketed);
        self.keep(&batch).await;
        let calls = verdicts.into_iter().filter_map(|(_, verdict, _)| match verdict {
            Verdict::Durable(outcome) => outcome.activation,
            Verdict::Refused(why) => panic!("the history is not one that could be: {why}"),
            Verdict::NotTaken(why) => panic!("the floor takes everything: {why}"),
        });
        let calls = calls.collect();
        while self.floor.engine.next_deadline().is_some_and(|deadline| deadline.at <= self.now) {
            let Turn { batch, orders: more, .. } = self.floor.turn(self.now, self.mono_us(), vec![(Ticket(0), Input::Tick)]);
            self.keep(&batch).await;
            orders.extend(more);
        }
        (calls, orders)
    }

    fn mono_us(&self) -> u64 {
        u64::try_from(self.now.as_microsecond() - self.began.as_microsecond()).expect("time goes on")
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the bench has no clock of the station's: the record must end before the process that reads it begins"
)]
fn today() -> Timestamp {
    Timestamp::now()
}

fn press(key: u32) -> Input {
    let device: DeviceId = format!("{}/{}", directory::SITE, directory::button(key)).parse().expect("a device");
    let origin = Origin { via: Via::Session, client: None, qos: 1, retained: false, dup: false, waited_since: None };
    let evidence =
        Evidence { raw: Private::Open("Y29vZWUvdjE= e30=".to_owned()), payload_sha256: Some(Digest::new([3; 32])), payload_bytes: 2 };
    Input::Signal(Signal::bare(device, Verb::Press { kind: None, style: None }, origin, evidence))
}

fn operator() -> Attribution {
    let actor = Some(Private::Open("Kim".to_owned()));
    Attribution { principal: "bench".to_owned(), actor, actor_key: None, person: None, idempotency: None }
}
