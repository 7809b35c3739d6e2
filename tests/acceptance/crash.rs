//! The power is cut: no acknowledged press is lost, nothing confirmed is undone, and every ladder goes on.
//!
//! `COOEE_CRASH_ROUNDS=100` runs the whole hundred; `COOEE_CRASH_SEED` repeats a run's moments.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use harness::daemon::Api;
use harness::{Broker, Button, Daemon, Fault, Gateway, wait};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::evidence::Evidence;
use crate::town::directory_of;

const SITE: &str = "kalamunda-library";
const ROUNDS: usize = 12;
/// Rounds of a broker that restarts.
const RESTARTS: usize = 5;
/// A run has at least so many presses, however few its rounds are.
const PRESSES: usize = 500;
/// And a round at least so many, however many rounds there are.
const EACH_MIN: usize = 44;
const WESTSIDE: &str = "a secret that is long enough to be one";
/// One person by one channel: one alarm an activation, so that every further copy of it is a duplicate.
const ONE: &str = "\n[[ladder.rung]]\nnotify = [{ person = \"j-smith\", by = [\"sms\"] }]\nwait = \"59m\"\n";

/// When the power is cut.
#[derive(Clone, Copy, Debug)]
enum Moment {
    InABurst,
    UnderSteadyLoad,
    WhileTheGatewayAnswers503,
    DuringReplay,
}

const MOMENTS: [Moment; 4] = [Moment::InABurst, Moment::UnderSteadyLoad, Moment::WhileTheGatewayAnswers503, Moment::DuringReplay];

/// A daemon that is killed again and again, and what it promised.
struct Trial {
    daemon: Daemon,
    gateway: Gateway,
    button: Button,
    dice: Dice,
    /// How many buttons are pressed in one round.
    each: usize,
    presses: usize,
    kills: usize,
    acknowledged: Vec<String>,
    accepted: BTreeSet<String>,
    closed: BTreeSet<String>,
    /// How often each message may have left twice: it was owed, and its report not in the record, when the power went.
    in_doubt: BTreeMap<String, usize>,
}

impl Trial {
    async fn open(rounds: usize, plan: harness::daemon::Plan, gateway: Gateway, button: impl AsyncFnOnce(&Daemon) -> Button) -> Self {
        let plan = plan.gateway("first", &gateway);
        let daemon = plan.webhook("westside", "http://127.0.0.1:9/", WESTSIDE).start().await;
        let button = button(&daemon).await;
        let (acknowledged, accepted, closed, in_doubt) = (Vec::new(), BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
        Self {
            daemon,
            gateway,
            button,
            dice: Dice::new(),
            each: each(rounds),
            presses: 0,
            kills: 0,
            acknowledged,
            accepted,
            closed,
            in_doubt,
        }
    }

    fn next_devices(&mut self) -> Vec<String> {
        let first = self.presses;
        self.presses += self.each;
        (first..self.presses).map(|n| format!("b-{n}")).collect()
    }

    async fn round(&mut self, moment: Moment) {
        let devices = self.next_devices();
        let open = self.not_yet_answered();
        let fault = match moment {
            Moment::WhileTheGatewayAnswers503 => Fault::Unavailable,
            Moment::InABurst | Moment::UnderSteadyLoad | Moment::DuringReplay => Fault::Slow(Duration::from_millis(20)),
        };
        self.gateway.fault(fault);
        let api = self.daemon.api();
        // Some are sure to be confirmed, the rest race with the cut.
        let mut open = open.into_iter();
        let before = answer_until_gone(&api, open.by_ref().take(4)).await;
        self.confirm(before);
        let pause = self.dice.up_to_ms(match moment {
            Moment::InABurst | Moment::DuringReplay => 250,
            Moment::UnderSteadyLoad | Moment::WhileTheGatewayAnswers503 => 500,
        });
        let early = self.dice.up_to_ms(150);
        let pressing = async {
            match moment {
                Moment::InABurst | Moment::DuringReplay => self.button.press_all(SITE, &devices).await,
                Moment::UnderSteadyLoad | Moment::WhileTheGatewayAnswers503 => {
                    let mut ids = Vec::new();
                    for device in &devices {
                        ids.push(self.button.press_of(SITE, device).await);
                    }
                    ids
                }
            }
        };
        let (daemon, gateway, in_doubt, kills) = (&mut self.daemon, &self.gateway, &mut self.in_doubt, &mut self.kills);
        let cutting = async {
            tokio::time::sleep(pause).await;
            cut(daemon, gateway, in_doubt, kills);
            gateway.fault(Fault::None);
            daemon.launch();
            if matches!(moment, Moment::DuringReplay) {
                tokio::time::sleep(early).await;
                cut(daemon, gateway, in_doubt, kills);
                daemon.launch();
            }
            daemon.hears().await;
        };
        let (ids, answers, ()) = tokio::join!(pressing, answer_until_gone(&api, open), cutting);
        self.acknowledged.extend(ids);
        self.confirm(answers);
    }

    fn confirm(&mut self, answers: Answers) {
        self.accepted.extend(answers.accepted);
        self.closed.extend(answers.closed);
    }

    /// Activations that nobody has answered yet.
    fn not_yet_answered(&self) -> Vec<String> {
        let evidence = Evidence::of(&self.daemon);
        let raised = evidence.kind("activation.raised").map(|entry| entry["act"].as_str().unwrap().to_owned());
        raised.filter(|act| !self.accepted.contains(act) && !self.closed.contains(act)).collect()
    }

    /// Everything that was promised must hold.
    async fn settle(&mut self) -> Figures {
        let all_there = async || {
            let evidence = Evidence::of(&self.daemon);
            self.acknowledged.iter().all(|id| evidence.has_press(id)).then_some(())
        };
        wait::until("every acknowledged press in the record", all_there).await;
        let asked = async || {
            let evidence = Evidence::of(&self.daemon);
            let sent: BTreeSet<String> = copies(&self.gateway).into_keys().collect();
            let owed: Vec<String> = alarms(&evidence).filter(|alarm| !sent.contains(alarm)).collect();
            let reported = evidence.kind("dispatch.reported").map(dispatch_of).collect::<BTreeSet<_>>();
            let all = owed.is_empty() && queued(&evidence).all(|dispatch| reported.contains(&dispatch));
            all.then_some(evidence)
        };
        let evidence = wait::until("every ladder to have asked for help", asked).await;
        evidence.must_be_whole();
        let raised = evidence.kind("activation.raised").count();
        assert_eq!(raised, self.presses, "each button's press is an activation of its own, once");
        assert_eq!(alarms(&evidence).count(), raised, "and each has its one alarm");
        for act in &self.accepted {
            assert!(!evidence.about(act, "answer.accepted").is_empty(), "{act} was accepted with a 2xx");
        }
        for act in &self.closed {
            assert!(!evidence.about(act, "activation.closed").is_empty(), "{act} was closed with a 2xx");
            let seen = self.daemon.api().must_get(&format!("/api/v1/activations/{act}")).await;
            assert_eq!(seen["state"], "closed", "{act}");
        }
        let (duplicates, marked) = self.judge_duplicates(&evidence);
        Figures { raised, duplicates, marked }
    }

    fn judge_duplicates(&self, evidence: &Evidence) -> (usize, usize) {
        let marked = evidence.kind("dispatch.reported").filter(|entry| entry["possible_duplicate"] == true);
        let marked: BTreeSet<String> = marked.map(dispatch_of).collect();
        let mut duplicates = 0;
        for (dispatch, copies) in copies(&self.gateway) {
            let allowed = self.in_doubt.get(&dispatch).copied().unwrap_or(0);
            assert!(copies - 1 <= allowed, "{dispatch} left {copies} times, and was in doubt {allowed} times");
            assert!(copies == 1 || marked.contains(&dispatch), "{dispatch} left {copies} times and is not marked");
            duplicates += copies - 1;
        }
        (duplicates, marked.len())
    }

    fn print(&self, way: &str, figures: &Figures) {
        let in_doubt: usize = self.in_doubt.values().sum();
        let Self { kills, dice, .. } = self;
        eprintln!(
            "crash, {way}: {kills} kills, {} presses acknowledged, {} raised, 0 lost, {} accepts and {} closings confirmed and kept, \
             {in_doubt} messages owed at a kill, {} sent twice, {} marked (seed {})",
            self.acknowledged.len(),
            figures.raised,
            self.accepted.len(),
            self.closed.len(),
            figures.duplicates,
            figures.marked,
            dice.seed,
        );
    }
}

struct Figures {
    raised: usize,
    duplicates: usize,
    marked: usize,
}

/// Cuts the power and notes what was in doubt at that moment.
fn cut(daemon: &mut Daemon, gateway: &Gateway, in_doubt: &mut BTreeMap<String, usize>, kills: &mut usize) {
    daemon.kill();
    *kills += 1;
    note_doubts(daemon, gateway, in_doubt);
}

/// A message that was owed at that moment may have been on its way, whether the gateway had read it yet or not.
fn note_doubts(daemon: &Daemon, gateway: &Gateway, in_doubt: &mut BTreeMap<String, usize>) {
    let evidence = Evidence::of(daemon);
    let reported: BTreeSet<String> = evidence.kind("dispatch.reported").map(dispatch_of).collect();
    let left: BTreeSet<String> = copies(gateway).into_keys().chain(queued(&evidence)).collect();
    for dispatch in left.difference(&reported) {
        *in_doubt.entry(dispatch.clone()).or_default() += 1;
    }
}

/// What an operator was told is done.
#[derive(Default)]
struct Answers {
    accepted: Vec<String>,
    closed: Vec<String>,
}

/// Accepts and closes in turn until nobody answers any more.
async fn answer_until_gone(api: &Api, open: impl Iterator<Item = String>) -> Answers {
    let mut answers = Answers::default();
    for (n, act) in open.enumerate() {
        let (verb, body) = match n % 2 {
            0 => ("accept", json!({"by": "P. Nair", "commitment": "going", "eta_s": 600})),
            _ => ("close", json!({"disposition": "test"})),
        };
        let Some(answer) = api.post(&format!("/api/v1/activations/{act}/{verb}"), &body).await else { break };
        match (answer.status, verb) {
            (200, "accept") => answers.accepted.push(act),
            (200, _) => answers.closed.push(act),
            (_, _) => {}
        }
    }
    answers
}

/// How often each message was accepted at the gateway.
fn copies(gateway: &Gateway) -> BTreeMap<String, usize> {
    let mut copies = BTreeMap::new();
    for sms in gateway.accepted() {
        let callback = sms.status_callback.unwrap();
        let dispatch = callback.split_once("?d=").unwrap().1.split('#').next().unwrap().to_owned();
        *copies.entry(dispatch).or_default() += 1;
    }
    copies
}

fn dispatch_of(entry: &Value) -> String {
    format!("{}.{}", entry["act"].as_str().unwrap(), entry["dispatch"])
}

fn queued(evidence: &Evidence) -> impl Iterator<Item = String> {
    evidence.kind("dispatch.queued").map(dispatch_of)
}

/// The ladders' own; whoever is going to another call at the site is told beside them.
fn alarms(evidence: &Evidence) -> impl Iterator<Item = String> {
    evidence.kind("dispatch.queued").filter(|entry| entry["purpose"] == "alarm" && entry["pursuit"].is_array()).map(dispatch_of)
}

/// Moments nobody chose: splitmix64.
pub(crate) struct Dice {
    seed: u64,
    state: u64,
}

impl Dice {
    /// Of the seed that `COOEE_CRASH_SEED` names, or of another one at each run.
    pub(crate) fn new() -> Self {
        let given = std::env::var("COOEE_CRASH_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed = given.unwrap_or_else(|| u64::from(std::process::id()));
        Self { seed, state: seed }
    }

    /// What a run is repeated with.
    pub(crate) fn seed(&self) -> u64 {
        self.seed
    }

    /// Less than so many milliseconds.
    pub(crate) fn up_to_ms(&mut self, most: u64) -> Duration {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        Duration::from_millis((mixed ^ (mixed >> 31)) % most)
    }
}

/// How many buttons a round needs for the presses of a run.
fn each(rounds: usize) -> usize {
    PRESSES.div_ceil(rounds).max(EACH_MIN)
}

/// A directory with a button for every press of the run.
fn directory_for(rounds: usize) -> String {
    directory_of(rounds * each(rounds), ONE)
}

fn rounds() -> usize {
    std::env::var("COOEE_CRASH_ROUNDS").ok().map_or(ROUNDS, |rounds| rounds.parse().expect("COOEE_CRASH_ROUNDS is a number"))
}

#[tokio::test]
async fn i1_killed_at_random_moments_nothing_acknowledged_is_lost() {
    let broker = Broker::start().await;
    let plan = Daemon::plan(&directory_for(rounds())).broker(&broker);
    let mut trial = Trial::open(rounds(), plan, Gateway::start(), async |_daemon| Button::connect(&broker, SITE, "gateway").await).await;
    for (moment, round) in MOMENTS.into_iter().cycle().zip(0..rounds()) {
        // A provider that cannot be asked what it has is the one that gets a message twice.
        trial.gateway.lists((round / MOMENTS.len()).is_multiple_of(2));
        trial.round(moment).await;
    }
    let figures = trial.settle().await;
    trial.print("behind a broker", &figures);
}

#[tokio::test]
async fn i1_the_listener_killed_at_random_moments_loses_nothing_acknowledged() {
    let rounds = rounds().div_ceil(3);
    let plan = Daemon::plan(&directory_for(rounds)).listener();
    let connect = async |daemon: &Daemon| Button::connect_by(daemon.listener_options("gateway"), SITE, "gateway").await;
    let mut trial = Trial::open(rounds, plan, Gateway::start(), connect).await;
    for (moment, _round) in MOMENTS.into_iter().cycle().zip(0..rounds) {
        trial.round(moment).await;
    }
    let figures = trial.settle().await;
    trial.print("broker inside", &figures);
}

#[tokio::test]
async fn killed_at_each_failpoint_nothing_acknowledged_is_lost() {
    let points = ["before_append:5", "after_append_before_release:5", "after_release:5", "mid_replay:40", "mid_spool:2"];
    let broker = Broker::start().await;
    let plan = Daemon::plan(&directory_for(points.len())).broker(&broker);
    let mut trial =
        Trial::open(points.len(), plan, Gateway::start(), async |_daemon| Button::connect(&broker, SITE, "gateway").await).await;
    for point in points {
        assert!(trial.daemon.stop().await.success());
        trial.daemon.set_env("COOEE_FAILPOINT", Some(point));
        trial.daemon.launch();
        let devices = trial.next_devices();
        let rival = point.starts_with("mid_spool").then(|| Connection::open(trial.daemon.data_dir().join("cooee.db")).unwrap());
        if let Some(rival) = &rival {
            trial.daemon.hears().await;
            rival.busy_timeout(wait::PATIENCE).unwrap();
            rival.execute_batch("BEGIN IMMEDIATE").unwrap();
        }
        let (ids, ended) = tokio::join!(trial.button.press_all(SITE, &devices), trial.daemon.ended());
        assert!(!ended.success(), "{point}: it must have died there");
        assert!(trial.daemon.log().contains("dying on purpose"), "{point}");
        trial.acknowledged.extend(ids);
        trial.kills += 1;
        drop(rival);
        note_doubts(&trial.daemon, &trial.gateway, &mut trial.in_doubt);
        trial.daemon.set_env("COOEE_FAILPOINT", None);
        trial.daemon.launch();
        trial.daemon.hears().await;
    }
    let figures = trial.settle().await;
    trial.print("at each failpoint", &figures);
}

#[tokio::test]
async fn a_broker_that_restarts_loses_no_press_and_one_that_forgets_us_is_a_trouble() {
    let mut broker = Broker::start().await;
    let plan = Daemon::plan(&directory_for(RESTARTS)).broker(&broker);
    let mut trial = Trial::open(RESTARTS, plan, Gateway::start(), async |_daemon| Button::connect(&broker, SITE, "gateway").await).await;
    for _ in 0..3 {
        let devices = trial.next_devices();
        let (ids, ()) = tokio::join!(trial.button.press_all(SITE, &devices), broker.restart());
        trial.acknowledged.extend(ids);
    }
    // Killed together: the broker, stopped in an orderly way, holds what it has acknowledged until both are back.
    cut(&mut trial.daemon, &trial.gateway, &mut trial.in_doubt, &mut trial.kills);
    let devices = trial.next_devices();
    trial.acknowledged.extend(trial.button.press_all(SITE, &devices).await);
    broker.restart().await;
    trial.daemon.launch();
    trial.daemon.hears().await;
    trial.settle().await;

    broker.restart_without_sessions().await;
    let noticed = async || {
        let evidence = Evidence::of(&trial.daemon);
        let raised = evidence.kind("trouble.raised").filter(|entry| entry["cause"] == "session_lost").count();
        let cleared = evidence.kind("trouble.cleared").filter(|entry| entry["cause"] == "session_lost").count();
        (raised == 1 && cleared == 1).then_some(())
    };
    wait::until("the lost session to be a trouble, and over once everything is subscribed again", noticed).await;
    trial.daemon.hears().await;
    let devices = trial.next_devices();
    trial.acknowledged.extend(trial.button.press_all(SITE, &devices).await);
    let figures = trial.settle().await;
    trial.print("broker restarts", &figures);
}
