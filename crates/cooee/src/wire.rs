//! Wiring: every room built and joined, and the order in which they start and stop.
//!
//! Nothing is decided here. Rooms that may not know each other are given each other's functions.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use console::hooks::{HookCall, HookKind, HookReply, Hooks};
use console::keys::Keys;
use dispatch::{BreakerState, Callbacks, HookRequest, Voice};
use escalation::directory::adapter::Rule;
use escalation::directory::draft::{Draft, SafeWords};
use escalation::directory::finding::{Finding, Severity};
use escalation::id::Digest;
use escalation::input::Input;
use escalation::roster::How;
use escalation::time::Timestamp;
use escalation::trouble::Cause;
use escalation::verdict::Verdict;
use escalation::vigil::Heard;
use intake::{Ears, Readiness};
use ledger::{AnyLedger, Ledger as _, Subtrees};
use station::anchoring;
use station::clock::{Clock, MachineClock};
use station::desk::Desk;
use station::entropy::Entropy;
use station::floor::{Feedback, FeedbackState, LinkBase, LinksInTexts};
use station::lookout::{self, Lookout};
use station::notary::{self, Notary, Proofs, Shelf};
use station::run::{Parts, Station, StationError};
use station::secret::Secret;
use station::view::Scope;
use station::vigil;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use crate::anchors::{self, Anchors};
use crate::carriers::carriers;
use crate::config::{Key, Links, Settings};
use crate::departed;
use crate::signing::Signing;

/// Words to devices that may wait; what does not fit is told again at the device's next press.
const FEEDBACK_MAX: usize = 10_000;
/// How long the broker may take before the station calls itself up without it: a trouble is open by then.
const EARS_PATIENCE: Duration = Duration::from_secs(10);

/// A house with its lights on.
pub(crate) struct House {
    desk: Desk,
    ears: Ears,
    voice: Arc<Voice>,
    watch: JoinHandle<Result<(), StationError>>,
    /// Ends with the watch; `None` where the record is not signed.
    notary: Option<JoinHandle<()>>,
    anchors: Vec<JoinHandle<()>>,
    /// Asks for another look at the days to come.
    look_again: lookout::Ask,
    serving: Vec<JoinHandle<io::Result<()>>>,
    keys: watch::Sender<Arc<Keys>>,
    rules: watch::Sender<Arc<Vec<Rule>>>,
    stop_watch: watch::Sender<bool>,
    stop_serving: watch::Sender<bool>,
    /// Where the desk listens.
    pub(crate) address: std::net::SocketAddr,
    /// Held as long as the house stands: one process at a time.
    _lock: File,
}

/// What stands beside the settings in a particular house.
#[derive(Default)]
pub(crate) struct Extras {
    /// No log-in is asked for: the demo, on loopback.
    pub(crate) demo: bool,
    /// Further pages, served beside the desk's own; made once the listener's address is known.
    pub(crate) pages: Option<Pages>,
}

/// Makes further pages, given where the listener inside the process listens.
pub(crate) type Pages = Box<dyn FnOnce(Option<std::net::SocketAddr>) -> axum::Router + Send>;

impl House {
    /// Builds and starts every room. When this returns the record is open, deadlines run and the desk answers.
    pub(crate) async fn open(settings: &Settings, extras: Extras) -> anyhow::Result<Self> {
        let data_dir = &settings.station.data_dir;
        let lock = take_data_dir(data_dir)?;
        let clock = Arc::new(MachineClock::start());
        let now = wall(&clock);
        let ledger = AnyLedger::open(&settings.record.url, data_dir).await.context("open the record")?;
        let key_file = settings.http.link_key_file.clone().unwrap_or_else(|| data_dir.join("station.key"));
        if !key_file.exists() && ledger.head().await.is_ok_and(|head| head.size() > 0) {
            tracing::error!(
                "the station's key {} is gone and a new one is made: links and reply codes given before mean nothing now",
                key_file.display()
            );
        }
        let secret = Secret::open(&key_file)?;
        let (desk, counter) = station::desk::desk();
        let (busy_in, busy) = watch::channel(false);
        let public_url = settings.http.public_url.as_deref();
        let voice = Voice::open(&settings.dispatch, public_url, desk.submitter(), &busy, &now).context("open the carriers")?;
        let voice = Arc::new(voice);
        let (feedback_in, feedback) = mpsc::channel(FEEDBACK_MAX);
        let (retained_in, checkpoints) = mpsc::channel(1);
        let ledger = Arc::new(ledger);
        let mut station = Station::open(Parts {
            ledger: Arc::clone(&ledger),
            clock,
            entropy: Entropy::from_system()?,
            secret,
            links: link_base(settings),
            data_dir: data_dir.clone(),
            node: settings.station.name.clone(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            send: sender(&voice),
            tell: teller(feedback_in),
            counter,
            busy: busy_in,
        })
        .await?;
        for (id, provider, reference) in station.floor().receipts_due() {
            voice.expect_receipt(id, provider, reference);
        }
        let anchors = Anchors::open(settings, &now, station.floor(), &retained_in);
        let departed = departed::over(&voice, station.floor());
        let last_here = station.floor().last_entry_at();
        let in_force = station.floor().engine.directory_version() > 0;
        let (rules, rules_out) = watch::channel(Arc::new(station.floor().engine.directory().adapters.clone()));
        let (stop_watch, stopped) = watch::channel(false);
        let tree = station.take_tree();
        let watch = tokio::spawn(station.run(stopped));
        let (notary, shelf) = sign(data_dir, &desk, ledger, tree);
        tokio::spawn(anchors::seal_mails(Arc::clone(&voice), shelf.signed()));
        let anchoring =
            anchoring::Parts { signed: shelf.signed(), keys: shelf.keys().to_vec(), health: desk.health(), submit: desk.submitter() };
        let anchors = anchors.start(&anchoring, notary.is_some());
        tokio::spawn(anchors::tell(departed, desk.submitter()));
        adopt(settings, &desk, &rules, in_force).await?;
        let (lookout, look_again) = Lookout::new(lookout::Parts { desk: desk.clone(), carriers: carriers(&settings.dispatch) });
        tokio::spawn(lookout.run());
        let node = node_name(&settings.station.name);
        let outgoing = intake::Outgoing { feedback, checkpoints };
        let ears = Ears::open(&settings.intake, &node, desk.submitter(), Arc::clone(&now), rules_out, outgoing, last_here)
            .await
            .context("open the ears")?;
        tokio::spawn(keep_vigil(watching(&ears, &desk, &now), desk.clone()));
        let (keys, keys_out) = watch::channel(Arc::new(read_keys(&settings.keys)?));
        let (stop_serving, serving_stopped) = watch::channel(false);
        let desk_room = DeskRoom {
            settings,
            desk: &desk,
            keys: keys_out,
            voice: &voice,
            ears: &ears,
            proofs: shelf,
            look_again: look_again.clone(),
            stop: serving_stopped,
        };
        let (address, serving) = desk_room.open(extras).await?;
        Ok(Self {
            desk,
            ears,
            voice,
            watch,
            notary,
            anchors,
            look_again,
            serving,
            keys,
            rules,
            stop_watch,
            stop_serving,
            address,
            _lock: lock,
        })
    }

    /// Waits until presses reach us, or until a broker that is away has become a trouble.
    pub(crate) async fn settled(&self) {
        let mut ready = self.ears.ready();
        let heard = tokio::time::timeout(EARS_PATIENCE, ready.wait_for(|said| *said == Readiness::Ready)).await;
        if heard.is_err() {
            let why = in_words(&self.ears.ready().borrow());
            tracing::warn!("the station is up, but {why}; /readyz is 503 until they do, and with ?verbose and a key it says why");
        }
    }

    /// Tells `say` whether presses reach us, now and at every change, for as long as the house stands.
    pub(crate) fn follow_ears(&self, say: impl Fn(&str) + Send + 'static) -> JoinHandle<()> {
        let mut ready = self.ears.ready();
        tokio::spawn(async move {
            loop {
                let words = in_words(&ready.borrow_and_update());
                say(&words);
                if ready.changed().await.is_err() {
                    return;
                }
            }
        })
    }

    /// Where the listener inside the process listens, if that is the way in.
    pub(crate) fn listener(&self) -> Option<std::net::SocketAddr> {
        self.ears.address()
    }

    /// The way to the watch.
    pub(crate) fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Takes up keys and directory anew; says which directory is in force now. A broken one keeps the old one in force.
    pub(crate) async fn reload(&self, settings: &Settings) -> anyhow::Result<InForce> {
        let keys = read_keys(&settings.keys)?;
        let directory = adopt(settings, &self.desk, &self.rules, true).await?;
        self.look_again.look_again();
        self.keys.send_replace(Arc::new(keys));
        self.say_who_stands_in().await;
        Ok(directory)
    }

    /// Whoever reloads is told whose duty is another than somebody said.
    async fn say_who_stands_in(&self) {
        let Ok(rosters) = self.desk.duty(Scope::everything()).await else { return };
        for roster in &rosters {
            let count = |how: Option<How>| roster.stand_ins.iter().filter(|stand_in| stand_in.counts == how).count();
            let (both, undone) = (count(Some(How::Beside)), count(None));
            if undone > 0 {
                tracing::warn!(roster.id = %roster.id, lines = undone, "whoever was to stand in is not on duty, and whoever they stand in for is so alone; see the page of who is on duty, and name somebody else");
            }
            if both > 0 {
                tracing::warn!(roster.id = %roster.id, lines = both, "whoever stands in is on duty beside whoever they stand in for; see the page of who is on duty");
            }
        }
    }

    /// Ends with the watch: only another writer, or a stop, ends it.
    pub(crate) async fn watch_ended(&mut self) -> anyhow::Result<()> {
        match (&mut self.watch).await {
            Ok(ended) => Ok(ended?),
            Err(join) => Err(anyhow::anyhow!(join).context("the watch has died; a fresh start rebuilds its state from the record")),
        }
    }

    /// Hears nothing new, finishes what is being sent, and stops.
    pub(crate) async fn close(self) -> anyhow::Result<()> {
        // Before what carries them goes. What is cut off here was not recorded as taken, so that the next start gives it again.
        self.anchors.iter().for_each(JoinHandle::abort);
        self.ears.shutdown().await;
        self.stop_serving.send_replace(true);
        let mut served = Ok(());
        for serving in self.serving {
            served = served.and(serving.await.context("stop the desk").and_then(|ended| Ok(ended?)));
        }
        // Whatever became of the desk, what is under way is finished and the watch stops in order.
        self.voice.shutdown().await;
        self.stop_watch.send_replace(true);
        if !self.watch.is_finished() {
            self.watch.await.context("stop the watch")??;
        }
        if let Some(notary) = self.notary {
            notary.await.context("sign the record for the last time")?;
        }
        served
    }
}

/// Has the record signed from here on, where a key was made for it; and what verifiers may ask for.
fn sign(data_dir: &Path, desk: &Desk, ledger: Arc<AnyLedger>, tree: Subtrees) -> (Option<JoinHandle<()>>, Arc<Shelf<AnyLedger>>) {
    let Some(signer) = Signing::of(data_dir).open() else { return (None, Arc::new(Shelf::unsigned(ledger))) };
    let parts = notary::Parts { ledger, signer, submit: desk.submitter(), tree, health: desk.health(), tick_every: notary::TICK_EVERY };
    let (notary, shelf) = Notary::new(parts);
    (Some(tokio::spawn(notary.run())), Arc::new(shelf))
}

/// The directory of data: made private, and held by one process at a time.
pub(crate) fn take_data_dir(data_dir: &Path) -> anyhow::Result<File> {
    use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
    let shown = data_dir.display();
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(data_dir).with_context(|| format!("make the data directory {shown}"))?;
    let path: PathBuf = data_dir.join("lock");
    let lock = std::fs::OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
    let lock = lock.with_context(|| format!("open {}", path.display()))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => {
            anyhow::bail!("another Cooee is using {shown}\n  stop it, or give this one a data_dir of its own")
        }
        Err(std::fs::TryLockError::Error(error)) => Err(error).with_context(|| format!("lock {}", path.display())),
    }
}

fn wall(clock: &Arc<MachineClock>) -> Arc<dyn Fn() -> Timestamp + Send + Sync> {
    let clock = Arc::clone(clock);
    Arc::new(move || clock.wall())
}

fn link_base(settings: &Settings) -> LinkBase {
    LinkBase {
        public_url: settings.http.public_url.clone(),
        link_host: settings.http.link_host.clone(),
        in_texts: match settings.http.links {
            Links::Always => LinksInTexts::Always,
            Links::AfterAnswer => LinksInTexts::AfterAnswer,
            Links::Never => LinksInTexts::Never,
        },
    }
}

fn sender(voice: &Arc<Voice>) -> station::run::Send {
    let voice = Arc::clone(voice);
    Box::new(move |order| voice.send(order).map_err(|refused| Box::new(refused.into_order())))
}

fn teller(feedback: mpsc::Sender<intake::Feedback>) -> station::run::Tell {
    Box::new(move |said: Feedback| {
        let state = match said.state {
            FeedbackState::Received => intake::State::Received,
            FeedbackState::Responding => intake::State::Responding,
            FeedbackState::Closed => intake::State::Closed,
        };
        let Feedback { device, id, activation, state: _ } = said;
        if feedback.try_send(intake::Feedback { device, id, activation, state }).is_err() {
            tracing::warn!("a device could not be told how its press stands; it is told at its next one");
        }
    })
}

/// A vigil that dies would leave every button unwatched without a word.
async fn keep_vigil(parts: vigil::Parts, desk: Desk) {
    if tokio::spawn(vigil::run(parts)).await.is_err() {
        tracing::error!("silent buttons are watched no more; start the station anew, and report it with the version");
        drop(desk.submit(Input::TroubleNoticed(Cause::Fault { activation: None })).await);
    }
}

/// The ears know who was heard, the station tells of it, and neither knows the other.
fn watching(ears: &Ears, desk: &Desk, now: &intake::Now) -> vigil::Parts {
    let (supervision, listening, now) = (ears.supervision(), ears.supervision(), Arc::clone(now));
    vigil::Parts {
        desk: desk.clone(),
        now: Box::new(move || now()),
        heard: Box::new(move |device| {
            let last = supervision.last_heard(device)?;
            Some(Heard { signs: last.signs, battery: last.battery })
        }),
        listened: Box::new(move || listening.listened()),
    }
}

/// A node's name in topics: the station's name with everything a topic cannot hold replaced.
pub(crate) fn node_name(station: &str) -> String {
    let name: String = station.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' }).take(64).collect();
    if name.is_empty() { "cooee".to_owned() } else { name }
}

fn read_keys(keys: &[Key]) -> anyhow::Result<Keys> {
    Ok(Keys::read(keys.iter().map(Key::to_console).collect())?)
}

/// Which directory is in force after a file was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InForce {
    /// What the file says.
    TheFile,
    /// What was adopted before, because the file is broken.
    TheLastAdopted,
}

/// Reads the directory file and offers it. A broken one is a trouble while another is in force, and an end where none is.
async fn adopt(settings: &Settings, desk: &Desk, rules: &watch::Sender<Arc<Vec<Rule>>>, in_force: bool) -> anyhow::Result<InForce> {
    let read = read_directory(&settings.directory.path);
    let read = read
        .and_then(|(draft, digest)| read_words(settings.directory.safe_words_file.as_deref(), &draft).map(|words| (draft, digest, words)));
    match read {
        Ok((draft, digest, words)) => {
            let adapters = draft.adapters.iter().map(|adapter| adapter.rule.clone()).collect();
            match desk.adopt(draft, digest).await? {
                Verdict::Durable(_) => {
                    desk.take_words(words).await?;
                    rules.send_replace(Arc::new(adapters));
                    Ok(InForce::TheFile)
                }
                Verdict::Refused(why) => Err(why.into()),
                Verdict::NotTaken(why) => Err(why.into()),
            }
        }
        Err(findings) if in_force => {
            tracing::error!("the directory is broken ({}); the last adopted one stays in force; see  cooee check", places(&findings));
            desk.submit(Input::TroubleNoticed(Cause::DirectoryBroken)).await;
            Ok(InForce::TheLastAdopted)
        }
        Err(findings) => {
            anyhow::bail!(
                "the directory cannot be adopted ({}), and there is none from before\n  cooee check  says what is wrong",
                places(&findings)
            )
        }
    }
}

/// Where the errors are. What they say may name people, and this goes to a log.
fn places(findings: &[Finding]) -> String {
    let errors = findings.iter().filter(|finding| finding.severity == Severity::Error);
    errors.map(|finding| format!("{}:{}", finding.file, finding.line)).collect::<Vec<_>>().join(", ")
}

/// The directory that a command works with, or why it cannot be used.
pub(crate) fn usable_directory(path: &Path) -> anyhow::Result<Draft> {
    read_directory(path).map(|(draft, _)| draft).map_err(|findings| {
        let errors: Vec<String> = findings.iter().filter(|f| f.severity == Severity::Error).map(ToString::to_string).collect();
        anyhow::anyhow!("the directory cannot be used\n{}", errors.join("\n"))
    })
}

/// The directory file as a draft, or everything that is wrong with it.
fn read_directory(path: &Path) -> Result<(Draft, Digest), Vec<Finding>> {
    let file = path.display().to_string();
    let unreadable = |what: String| {
        let remedy = "correct  [directory] path, or create the file; config/directory.toml is a sample".to_owned();
        vec![Finding { severity: Severity::Error, file: file.clone(), line: 0, what, consequence: String::new(), remedy }]
    };
    let text = std::fs::read_to_string(path).map_err(|why| unreadable(format!("the directory cannot be read: {why}")))?;
    let hashed = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
    let digest = hashed.as_ref().try_into().map(Digest::new).map_err(|_| unreadable("its hash cannot be made".to_owned()))?;
    let parsed = Draft::parse(&file, &text);
    match parsed.draft {
        Some(draft) => Ok((draft, digest)),
        None => Err(parsed.findings),
    }
}

/// The safe words of a directory's sites, or everything that is wrong with them. None where no file is named.
pub(crate) fn read_words(path: Option<&Path>, draft: &Draft) -> Result<SafeWords, Vec<Finding>> {
    let Some(path) = path else { return Ok(SafeWords::default()) };
    let file = path.display().to_string();
    let text = std::fs::read_to_string(path).map_err(|why| {
        let what = format!("the safe words cannot be read: {why}");
        let remedy = "correct  [directory] safe_words_file, or leave it out".to_owned();
        vec![Finding { severity: Severity::Error, file: file.clone(), line: 0, what, consequence: String::new(), remedy }]
    })?;
    let parsed = SafeWords::parse(&file, &text, draft);
    parsed.words.ok_or(parsed.findings)
}

/// What the desk is built from.
struct DeskRoom<'a> {
    settings: &'a Settings,
    desk: &'a Desk,
    keys: watch::Receiver<Arc<Keys>>,
    voice: &'a Arc<Voice>,
    ears: &'a Ears,
    proofs: Arc<dyn Proofs>,
    look_again: lookout::Ask,
    stop: watch::Receiver<bool>,
}

type Serving = Vec<JoinHandle<io::Result<()>>>;

impl DeskRoom<'_> {
    /// Opens the desk on its address, and the control socket beside the record.
    async fn open(self, extras: Extras) -> anyhow::Result<(std::net::SocketAddr, Serving)> {
        let http = &self.settings.http;
        let listener = TcpListener::bind(http.listen).await;
        let listener = listener.with_context(|| format!("listen on {} ([http] listen); is something else there?", http.listen))?;
        let address = listener.local_addr().context("read the desk's address")?;
        let mut router = self.router(extras.demo)?;
        let control = self.router(false)?;
        if let Some(pages) = extras.pages {
            router = pages(self.ears.address()).merge(router);
        }
        let socket = self.settings.station.data_dir.join("control.sock");
        let serving = vec![
            tokio::spawn(console::serve(listener, router, stopped(self.stop.clone()))),
            tokio::spawn(async move { console::serve_control(&socket, control, stopped(self.stop)).await }),
        ];
        Ok((address, serving))
    }

    fn router(&self, demo: bool) -> anyhow::Result<axum::Router> {
        let (voice, ready, look_again) = (Arc::clone(self.voice), self.ears.ready(), self.look_again.clone());
        let parts = console::Parts {
            desk: self.desk.clone(),
            keys: self.keys.clone(),
            settings: console::settings::Settings {
                station: self.settings.station.name.clone(),
                public_url: self.settings.http.public_url.clone(),
                phone: self.settings.station.phone.clone(),
                demo,
                carriers: carriers(&self.settings.dispatch),
            },
            hooks: Arc::new(ProviderHooks(self.voice.callbacks())),
            proofs: Arc::clone(&self.proofs),
            look_again: Arc::new(move || look_again.look_again()),
            probes: Arc::new(move || probes(&voice, &ready)),
            extra_metrics: Arc::new(|_text| {}),
        };
        Ok(console::router(parts)?)
    }
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // A sender that is gone means the same.
    drop(stop.wait_for(|stop| *stop).await);
}

/// Whether presses reach us, for the log and the service manager.
fn in_words(ready: &Readiness) -> String {
    match ready {
        Readiness::Ready => "presses reach the station".to_owned(),
        Readiness::NotYet { why } => format!("presses do not reach the station: {why}"),
    }
}

fn probes(voice: &Voice, ready: &watch::Receiver<Readiness>) -> Vec<console::Probe> {
    let ears = match &*ready.borrow() {
        Readiness::Ready => console::Probe { name: "presses".to_owned(), ok: true, detail: String::new() },
        Readiness::NotYet { why } => console::Probe { name: "presses".to_owned(), ok: false, detail: why.clone() },
    };
    let providers = voice.health().into_iter().map(|health| console::Probe {
        name: format!("carrier/{}", health.carrier),
        ok: !health.down,
        detail: carrier_detail(&health),
    });
    std::iter::once(ears).chain(providers).collect()
}

/// How a carrier stands, in a line: its breaker, how long it takes, and its last failure.
fn carrier_detail(health: &dispatch::Health) -> String {
    let breaker = match health.breaker {
        BreakerState::Closed => None,
        BreakerState::Open => Some("breaker open: it is asked last".to_owned()),
        BreakerState::Trying => Some("breaker open: one message is trying it".to_owned()),
    };
    let latency = health.latency.map(|took| format!("took {} ms, median {} ms, worst {} ms", took.last_ms, took.median_ms, took.worst_ms));
    let error = health.last_error.map(|(class, at)| format!("{class} at {at:.0}"));
    [breaker, latency, error].into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// The desk takes callbacks, the voice understands them, and neither knows the other.
struct ProviderHooks(Callbacks);

impl Hooks for ProviderHooks {
    fn receive(&self, call: HookCall) -> Pin<Box<dyn Future<Output = HookReply> + Send>> {
        let callbacks = self.0.clone();
        let kind = match call.kind {
            HookKind::Status => dispatch::HookKind::Status,
            HookKind::Inbound => dispatch::HookKind::Inbound,
            HookKind::Voice => dispatch::HookKind::Voice,
        };
        let HookCall { provider, kind: _, method, path_and_query, headers, body } = call;
        Box::pin(async move {
            let reply = callbacks.receive(HookRequest { provider, kind, method, path_and_query, headers, body }).await;
            HookReply { status: reply.status, content_type: reply.content_type, body: reply.body.into_bytes() }
        })
    }
}
