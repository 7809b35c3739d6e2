//! One seed: a station's eventful half hour, and a calm end after which everything must add up.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use escalation::directory::draft::Draft;
use escalation::id::Digest;
use escalation::verdict::Verdict;
use ledger::{Ledger as _, Seq};
use station::desk::{Desk, desk};
use station::entropy::Entropy;
use station::floor::{Floor, LinkBase, LinksInTexts};
use station::journal::Journal;
use station::replay;
use station::run::{Parts, Station};
use station::secret::Secret;
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::carriers::{pause, take};
use crate::dice::Dice;
use crate::drills;
use crate::faults::{Handle, Weather};
use crate::oracle;
use crate::overhear::Overheard;
use crate::past::Past;
use crate::people;
use crate::world::{World, WorldClock};

/// Where devices are; the last two are in no directory.
const DEVICES: [&str; 7] =
    ["library/front-1", "library/front-1", "library/front-2", "library/pendant", "clinic/desk-1", "library/new-button", "nowhere/x-1"];

/// How long after the end of all faults the last device may wait for its acknowledgement: six presses and their gaps, and more.
const HEALED_MAX: Duration = Duration::from_mins(30);

/// What a seed gives: everything that was said and written, and what was wrong with it.
pub(crate) struct Ended {
    pub(crate) log: Vec<String>,
    pub(crate) wrong: Vec<String>,
    pub(crate) kills: usize,
    /// What the oracles look at.
    pub(crate) past: Past,
}

/// How the station is bent on purpose, to see whether the oracles notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lie {
    /// Not at all.
    Nothing,
    /// The record says that it has what it has not.
    CommitsNothingNow,
    /// One message in ten is silently forgotten by the voice's queue, which says it took it.
    VoiceForgets,
    /// A send goes out twice.
    VoiceStutters,
    /// A restart's sends are not marked.
    VoiceHidesDoubt,
    /// Another writer appends beside it.
    Rival,
    /// The record cannot be reached, and never can be again.
    RecordStaysAway,
    /// What a caller has seen is not told to the desk.
    DeskIsNotToldWhatWasSeen,
}

/// Lives one seed.
pub(crate) fn live(seed: u64, lie: Lie) -> Ended {
    in_a_world_of_its_own(async |folder, heard| {
        let (world, floor) = half_hour(seed, lie, folder).await;
        conclude(&world, floor, heard).await
    })
}

/// Lives it once more, and tells all that was said and written.
pub(crate) fn relive(seed: u64) -> Vec<String> {
    in_a_world_of_its_own(async |folder, _heard| {
        let (world, _floor) = half_hour(seed, Lie::Nothing, folder).await;
        let entries = world.memory.entries(Seq::FIRST, u32::MAX).await.unwrap();
        let texts = entries.iter().map(|entry| String::from_utf8_lossy(entry.body.as_ref().unwrap().bytes()).into_owned());
        let mut log = std::mem::take(&mut world.state().log);
        log.extend(texts);
        log
    })
}

/// Time of its own, a folder of its own, and somebody who listens.
fn in_a_world_of_its_own<T>(lives: impl AsyncFnOnce(&std::path::Path, &Overheard) -> T) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
    let folder = scratch();
    let heard = Overheard::default();
    tracing::subscriber::with_default(heard.clone(), || runtime.block_on(lives(folder.path(), &heard)))
}

/// In memory where the machine has such a folder: thousands of spools are written and synced.
fn scratch() -> tempfile::TempDir {
    let shared = std::path::Path::new("/dev/shm");
    if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() }.unwrap()
}

async fn half_hour(seed: u64, lie: Lie, folder: &std::path::Path) -> (Arc<World>, Option<Floor>) {
    let mut dice = Dice::new(seed);
    let calm = dice.chance(30);
    let weather = Weather {
        slow: if calm { 0 } else { *dice.pick(&[0, 20, 300]) },
        unknown: if calm { 0 } else { *dice.pick(&[0, 20, 300]) },
        deadly: if calm { 0 } else { *dice.pick(&[0, 0, 10, 60]) },
    };
    let world = World::new(dice.fork(), weather, folder.to_owned());
    world.state().human.willing = *dice.pick(&[0, 5, 20, 50]);
    world.state().lie = lie;
    let (end, ended) = watch::channel(false);
    let keeper = tokio::spawn(keep(Arc::clone(&world), dice.fork(), ended));
    tokio::spawn(read_directories(Arc::clone(&world), dice.fork()));
    let operator_ms = *dice.pick(&[20_000, 120_000, 3_000_000]);
    tokio::spawn(people::operate(Arc::clone(&world), dice.fork(), operator_ms));
    let trouble = tokio::spawn(make_trouble(Arc::clone(&world), dice.fork(), calm));
    let until = Duration::from_secs(dice.between(300, 1_500));
    let mut presses = Vec::new();
    let rush = dice.chance(15);
    while world.age() < until {
        let device = dice.pick(&DEVICES);
        presses.push(tokio::spawn(people::press(Arc::clone(&world), device, dice.fork())));
        let gap = if rush { dice.between(0, 40_000) } else { dice.between(1_000, 500_000) };
        pause(gap).await;
    }
    trouble.abort();
    heal(&world);
    let all_pressed = async {
        for pressed in presses {
            pressed.await.unwrap();
        }
    };
    if tokio::time::timeout(HEALED_MAX, all_pressed).await.is_err() {
        world.wrong("L a press was never acknowledged", "long after everything was mended");
    }
    settle(&world).await;
    world.log("END");
    end.send(true).unwrap();
    let floor = keeper.await.unwrap();
    (world, floor)
}

/// Compares the end with a replay, and hands over all that is to be judged.
async fn conclude(world: &World, floor: Option<Floor>, heard: &Overheard) -> Ended {
    if let Some(floor) = &floor {
        replays_to(world, floor).await;
    }
    let past = Past::of(world, floor.map(|floor| floor.engine), heard).await;
    let mut state = world.state();
    let mut log = std::mem::take(&mut state.log);
    log.extend(past.entries.iter().map(|entry| entry.text.clone()));
    let kills = usize::try_from(state.life).unwrap() - 1;
    Ended { log, wrong: std::mem::take(&mut state.wrong), kills, past }
}

/// I6 at every start: the state that was left in order is the one that is rebuilt.
fn compare_restart(world: &World, floor: &Floor) {
    let last = world.state().last_floor.take();
    if let Some(last) = last
        && last.engine != floor.engine
        && !world.state().ever_unspooled
    {
        world.wrong("I6 replay differs from live", oracle::differences(&last.engine, &floor.engine));
    }
}

/// I6 at the end, by the station's own replay.
async fn replays_to(world: &World, floor: &Floor) {
    let mut rebuilt = Floor::new(Journal::new(Entropy::from_seed(b"replay")), Secret::from_bytes(&[7; 32]), LinkBase::default());
    let replayed = replay::replay(&world.memory, &mut rebuilt).await.unwrap();
    if replayed.tree.head().root != world.memory.head().await.unwrap().frontier.root() {
        world.wrong("what a replay proves from is not the record", replayed.size.to_string());
    }
    if floor.engine != rebuilt.engine {
        world.wrong("I6 replay differs from live", oracle::differences(&floor.engine, &rebuilt.engine));
    }
    if floor.next() != rebuilt.next() {
        world.wrong("I6 replay ends elsewhere", format!("{} and {}", floor.next(), rebuilt.next()));
    }
}

/// Nothing goes wrong from here on.
fn heal(world: &World) {
    mend_spool(world);
    let mut state = world.state();
    state.weather = Weather { slow: 0, unknown: 0, deadly: 0 };
    state.outage_until = if state.lie == Lie::RecordStaysAway { Duration::MAX } else { Duration::ZERO };
    state.full_until = Duration::ZERO;
}

/// Until the record has everything; a station that never comes to rest is wrong.
async fn settle(world: &World) {
    for _second in 0..120 {
        pause(1_000).await;
        let Some(desk) = world.desk() else { continue };
        let health = desk.health().borrow().clone();
        if health.started && health.record_reachable && health.spooled == 0 {
            return;
        }
    }
    world.wrong("L the record was never caught up", "two minutes after everything was mended");
}

/// Keeps a process running: starts it, ends it when told, and starts it again.
async fn keep(world: Arc<World>, mut dice: Dice, mut ended: watch::Receiver<bool>) -> Option<Floor> {
    let mut down_since = world.true_time();
    loop {
        let life = {
            let mut state = world.state();
            state.life += 1;
            state.alive = true;
            state.life
        };
        // A station whose spool cannot even be read does not start; somebody has mended it.
        mend_spool(&world);
        world.log(format!("START {life}"));
        let (desk, counter) = desk();
        let opened = tokio::select! {
            biased;
            () = world.killed.notified() => None,
            opened = Station::open(parts(&world, life, counter, &mut dice)) => Some(opened),
        };
        match opened {
            Some(Ok(station)) => {
                let up_at = world.true_time();
                world.state().downs.push((down_since, up_at));
                compare_restart(&world, station.floor());
                let (stop, stopped) = watch::channel(false);
                let mut watch = tokio::spawn(station.keep_watch(stopped));
                world.state().desk = Some(desk.clone());
                let over = tokio::select! {
                    biased;
                    () = world.killed.notified() => {
                        watch.abort();
                        drop(watch.await);
                        None
                    }
                    () = async { drop(ended.wait_for(|end| *end).await) } => {
                        stop.send(true).unwrap();
                        Some(watch.await.unwrap())
                    }
                    () = world.asked_to_stop.notified() => {
                        stop.send(true).unwrap();
                        Some(watch.await.unwrap())
                    }
                    fenced = &mut watch => Some(fenced.unwrap()),
                };
                bury(&world);
                down_since = world.true_time();
                match over {
                    Some(Ok(floor)) if *ended.borrow() => return Some(floor),
                    Some(Ok(floor)) => {
                        world.log("STOPPED");
                        world.state().last_floor = Some(floor);
                    }
                    Some(Err(error)) => world.wrong("W the station ended by itself", error),
                    None => {}
                }
            }
            Some(Err(error)) => {
                world.log(format!("could not start: {error}"));
                bury(&world);
            }
            None => bury(&world),
        }
        let mended = world.state().weather.deadly == 0 && world.state().weather.unknown == 0;
        pause(if mended { 500 } else { dice.between(200, 60_000) }).await;
    }
}

/// What the process was doing ends with it.
fn bury(world: &World) {
    let mut state = world.state();
    state.alive = false;
    state.desk = None;
    for task in state.tasks.drain(..) {
        task.abort();
    }
}

fn parts(world: &Arc<World>, life: u32, counter: station::desk::Counter, dice: &mut Dice) -> Parts<Handle, WorldClock> {
    let (to_voice, to_devices) = (Arc::clone(world), Arc::clone(world));
    let seed = [dice.between(0, u64::MAX), u64::from(life)].map(u64::to_be_bytes).concat();
    world.boots(Entropy::from_seed(&seed).sixteen());
    Parts {
        ledger: Arc::new(Handle { world: Arc::clone(world), life }),
        clock: WorldClock { world: Arc::clone(world), started: Instant::now() },
        entropy: Entropy::from_seed(&seed),
        secret: Secret::from_bytes(&[7; 32]),
        links: LinkBase { public_url: Some("https://alerts.example.org".into()), link_host: None, in_texts: LinksInTexts::Always },
        data_dir: world.folder.clone(),
        node: "one".into(),
        version: "0".into(),
        send: Box::new(move |order| take(&to_voice, life, order)),
        tell: Box::new(move |feedback| to_devices.told(&feedback)),
        counter,
        busy: watch::channel(false).0,
    }
}

/// Read again at every start and whenever it was edited.
async fn read_directories(world: Arc<World>, mut dice: Dice) {
    let (mut version, mut adopted) = (0, None);
    loop {
        let life = world.state().life;
        if let Some(desk) = world.desk()
            && adopted != Some((life, version))
            && adopt(&world, &desk, version).await
        {
            adopted = Some((life, version));
        }
        pause(dice.between(2_000, 20_000)).await;
        if dice.chance(1) {
            version = (version + 1) % DRAFTS.len();
        }
    }
}

async fn adopt(world: &Arc<World>, desk: &Desk, version: usize) -> bool {
    let digest = Digest::new([u8::try_from(version).unwrap() + 1; 32]);
    match desk.adopt(DRAFTS[version].clone(), digest).await {
        Ok(Verdict::Durable(outcome)) => {
            world.confirm("directory", &outcome, None);
            true
        }
        Ok(Verdict::Refused(why)) => {
            world.wrong("R a good directory was refused", why);
            false
        }
        Ok(Verdict::NotTaken(_)) | Err(_) => false,
    }
}

/// Three versions of one directory: a number changes and somebody leaves who is on no ladder, then a person leaves and a wait is
/// shorter, and whoever stands in on the roster may be told by its rung in their own name.
static DRAFTS: LazyLock<[Draft; 3]> = LazyLock::new(|| {
    [("0400 000 001", "45s", true), ("0400 000 009", "45s", true), ("0400 000 001", "20s", false)]
        .map(|(smith, wait, lee)| Draft::parse("directory.toml", &directory(smith, wait, lee)).draft.unwrap())
});

/// Whoever leaves with the third version.
const LEE: &str = "[[person]]\nid = \"k-lee\"\nname = \"Kim Leeward\"\nmobile = \"0400 000 003\"\nemail = \"kim@example.org\"\n";

/// Somebody who can be called in.
const FOX: &str = "[[person]]\nid = \"t-fox\"\nname = \"Toni Foxworth\"\nmobile = \"0400 000 005\"\n";

/// P. Nair, always.
const ROSTER: &str = "[[roster]]\nid = \"second\"\ntimezone = \"Australia/Perth\"\n[[roster.shift]]\npeople = [\"p-nair\"]\n";

/// A customer who presses nothing: its drills are held, unless the station is down.
const HILLS: &str = r#"
[[customer]]
id = "hills"
prefix = "HIL"
ladder = "hills"
[[site]]
id = "hall"
customer = "hills"
name = "Hills Hall"
timezone = "Australia/Perth"
address = "3 Example Rd"
[[site]]
id = "annexe"
customer = "hills"
name = "Hills Annexe"
timezone = "Australia/Perth"
address = "4 Example Rd"
[[site]]
id = "lodge"
customer = "hills"
name = "Hills Lodge"
timezone = "Australia/Perth"
address = "5 Example Rd"
[[ladder]]
id = "hills"
[[ladder.rung]]
notify = [{ person = "m-ono", by = ["sms"] }]
wait = "40s"
[[ladder.rung]]
notify = [{ person = "p-nair", by = ["sms"] }]
wait = "40s"
"#;

/// The directory, with what changes between its versions.
fn directory(smith: &str, wait: &str, lee: bool) -> String {
    let fox_person = if smith.ends_with('9') { "" } else { FOX };
    let (quiet, schedules) = (HILLS, drills::schedules());
    let lee_person = if lee { LEE } else { "" };
    let lee_target = if lee { r#", { person = "k-lee", by = [["sms", "email"]] }"# } else { r#", { person = "m-ono", by = ["sms"] }"# };
    format!(
        r#"
[[customer]]
id = "kalamunda"
prefix = "KAL"
ladder = "counters"
centre = "westside"
[[customer]]
id = "perth"
prefix = "PER"
ladder = "short"
[[person]]
id = "j-smith"
name = "Jo Smithfield"
mobile = "{smith}"
email = "jo@example.org"
[[person]]
id = "p-nair"
name = "Padma Nairobi"
mobile = "0400 000 002"
{fox_person}{lee_person}[[person]]
id = "m-ono"
name = "Mika Onoda"
mobile = "0400 000 004"
email = "mika@example.org"
[[centre]]
id = "westside"
name = "Westside Centre"
webhook = "westside"
[[site]]
id = "library"
customer = "kalamunda"
name = "Kalamunda Library"
timezone = "Australia/Perth"
address = "1 Example Rd"
[[site]]
id = "clinic"
customer = "perth"
name = "Perth Clinic"
timezone = "Australia/Perth"
address = "2 Example Rd"
feedback = "off"
{quiet}{schedules}[[device]]
id = "front-1"
site = "library"
place = "Front counter 1"
[[device]]
id = "front-2"
site = "library"
place = "Front counter 2"
[[device]]
id = "pendant"
site = "library"
mounting = "portable"
kind = "assist"
[[device]]
id = "desk-1"
site = "clinic"
{ROSTER}[[ladder]]
id = "counters"
[[ladder.rung]]
notify = [{{ person = "j-smith", by = ["sms", "email"] }}]
wait = "{wait}"
[[ladder.rung]]
notify = [{{ roster = "second", by = ["sms"] }}{lee_target}]
wait = "60s"
[[ladder.rung]]
notify = [{{ centre = "westside" }}, {{ person = "m-ono", by = [["sms", "email"]] }}]
wait = "30s"
[[ladder]]
id = "short"
[[ladder.rung]]
notify = [{{ person = "m-ono", by = ["sms", "email"] }}]
wait = "{wait}"
[[ladder.rung]]
notify = [{{ person = "m-ono", by = ["email"] }}, {{ person = "j-smith", by = ["sms"] }}, {{ person = "p-nair", by = ["sms"] }}]
wait = "60s"
need = 2
[[ladder]]
id = "station"
[[ladder.rung]]
notify = [{{ person = "m-ono", by = ["sms", "email"] }}]
wait = "60s"
[[ladder.rung]]
notify = [{{ person = "p-nair", by = ["sms"] }}]
[technical]
ladder = "station"
wait = "20s"
again = "4m"
[fallback]
customer = "kalamunda"
ladder = "counters"
"#
    )
}

/// What the directory and the messages say that neither log nor entry may say.
pub(crate) const PRIVATE: [&str; 18] = [
    "Smithfield",
    "j-smith",
    "Padma",
    "Foxworth",
    "Nairobi",
    "p-nair",
    "Leeward",
    "k-lee",
    "Onoda",
    "m-ono",
    "0400 000",
    "+614",
    "Example Rd",
    "example.org",
    "Kalamunda Library",
    "Front counter",
    "knife",
    "Liked",
];

/// Outages, full queues, steps of the wall clock, kills and orderly stops.
async fn make_trouble(world: Arc<World>, mut dice: Dice, calm: bool) {
    if calm {
        return std::future::pending().await;
    }
    loop {
        pause(dice.between(5_000, 240_000)).await;
        let age = world.age();
        match dice.between(0, 100) {
            0..25 => {
                if dice.chance(20) && !world.folder.join("spool").exists() {
                    break_spool(&world);
                }
                let lasts = *dice.pick(&[200, 2_000, 30_000, 240_000]);
                world.log(format!("OUTAGE {lasts} ms"));
                world.state().outage_until = age + Duration::from_millis(dice.between(lasts / 2, lasts));
            }
            25..35 => world.state().full_until = age + Duration::from_millis(dice.between(100, 60_000)),
            35..50 => {
                let by_s = *dice.pick(&[-86_400_i64, -600, -30, -2, 2, 30, 600, 86_400]);
                world.log(format!("STEP {by_s} s"));
                let at = world.true_time();
                let mut state = world.state();
                state.step_us += by_s * 1_000_000;
                state.steps.push((at, by_s * 1_000_000));
            }
            50..80 => {
                let life = world.state().life;
                world.die(life);
            }
            80..90 => world.asked_to_stop.notify_one(),
            _rest => mend_spool(&world),
        }
        if world.state().spool_broken && dice.chance(50) {
            sleep(Duration::from_millis(dice.between(0, 30_000))).await;
            mend_spool(&world);
        }
    }
}

/// A folder where the spool should be: it cannot be opened.
fn break_spool(world: &World) {
    world.log("SPOOL BROKEN");
    std::fs::create_dir(world.folder.join("spool")).unwrap();
    let mut state = world.state();
    state.spool_broken = true;
    state.ever_unspooled = true;
}

fn mend_spool(world: &World) {
    if world.state().spool_broken {
        world.log("SPOOL MENDED");
        std::fs::remove_dir(world.folder.join("spool")).unwrap();
        world.state().spool_broken = false;
    }
}
