//! One session: the floor or Cooee, fresh, among fresh parts.

use std::ops::Range;
use std::process::Command;
use std::time::Duration;

use harness::folder::Folder;
use harness::program::Process;
use harness::{Broker, Daemon, wait};

use crate::buttons::Buttons;
use crate::calibration::Calibration;
use crate::directory;
use crate::floor::Order;
use crate::gateway::Gateway;

/// What the allocator reads, under the name that the unit sets.
const ARENAS: &str = "MALLOC_ARENA_MAX";

/// Presses before anything is measured: connections open, statements are prepared, memory is warm.
const WARM_UP: u32 = 50;
/// Time for what follows a message (its report, the next poll) to be over.
const SETTLE: Duration = Duration::from_millis(400);

/// Settings of the shipped broker that are left out: its own journal would cost both the same, and hide what differs.
const JOURNAL: [&str; 3] = ["persistence", "autosave_on_changes", "autosave_interval"];

/// Something under measurement and its parts. What is first ends first.
pub(crate) struct Session {
    subject: Subject,
    pub(crate) buttons: Buttons,
    pub(crate) gateway: Gateway,
    _broker: Broker,
    next_key: u32,
}

/// What is measured.
enum Subject {
    /// Its process, and the folder that is deleted with it.
    Floor {
        process: Process,
        _folder: Folder,
    },
    Cooee(Box<Daemon>),
}

impl Session {
    /// The floor, warm.
    pub(crate) async fn floor(keys: u32, like: Calibration) -> Self {
        let (broker, gateway) = (broker().await, Gateway::start(keys + WARM_UP));
        let folder = Folder::new("floor");
        let order = Order {
            broker: broker.port(),
            gateway: gateway.port(),
            entry: like.entry_bytes,
            body: like.body_bytes,
            folder: folder.path().to_path_buf(),
        };
        let this = std::env::current_exe().expect("the path of this bench");
        let mut process = Process::start("floor", Command::new(this).args(order.arguments()), &folder.path().join("floor.log"));
        wait::until("the floor to be ready", async || {
            process.must_live();
            order.ready().exists().then_some(())
        })
        .await;
        Self::warm(Subject::Floor { process, _folder: folder }, broker, gateway).await
    }

    /// Cooee, warm.
    pub(crate) async fn cooee(keys: u32) -> Self {
        let (broker, gateway) = (broker().await, Gateway::start(keys + WARM_UP));
        let daemon = daemon(&directory::of(keys + WARM_UP), &broker, &gateway).start().await;
        Self::warm(Subject::Cooee(Box::new(daemon)), broker, gateway).await
    }

    async fn warm(subject: Subject, broker: Broker, gateway: Gateway) -> Self {
        let buttons = Buttons::connect(broker.port());
        let mut session = Self { subject, buttons, gateway, _broker: broker, next_key: 0 };
        for key in session.keys(WARM_UP) {
            session.buttons.press(key);
            session.gateway.until(usize::try_from(key).expect("fits memory") + 1).await;
        }
        session.settle().await;
        session
    }

    /// The next buttons that nobody has pressed.
    pub(crate) fn keys(&mut self, count: u32) -> Range<u32> {
        let keys = self.next_key..self.next_key + count;
        self.next_key = keys.end;
        keys
    }

    /// From here on the same buttons are pressed again, and what came of their presses so far is forgotten.
    pub(crate) fn begin_again(&mut self) {
        self.next_key = 0;
        self.gateway.forget();
    }

    /// The process under measurement.
    pub(crate) fn pid(&self) -> u32 {
        match &self.subject {
            Subject::Floor { process, .. } => process.pid(),
            Subject::Cooee(daemon) => daemon.pid(),
        }
    }

    /// The daemon, when it is Cooee that is measured.
    pub(crate) fn daemon(&mut self) -> Option<&mut Daemon> {
        match &mut self.subject {
            Subject::Floor { .. } => None,
            Subject::Cooee(daemon) => Some(daemon),
        }
    }

    /// How often Cooee gave the record up for a while: a figure taken then is not one of an ordinary day.
    pub(crate) fn times_spooled(&self) -> usize {
        match &self.subject {
            Subject::Floor { .. } => 0,
            Subject::Cooee(daemon) => daemon.log().matches("go to the spool").count(),
        }
    }

    /// Waits until every button pressed so far has led to a message, and for what follows the last of them.
    pub(crate) async fn all_through(&self) {
        self.gateway.until(usize::try_from(self.next_key).expect("fits memory")).await;
        self.settle().await;
    }

    /// How many of the buttons pressed so far led to no message.
    pub(crate) fn lost(&self) -> usize {
        usize::try_from(self.next_key).expect("fits memory") - self.gateway.distinct()
    }

    async fn settle(&self) {
        tokio::time::sleep(SETTLE).await;
    }
}

/// The broker that both are measured with.
pub(crate) async fn broker() -> Broker {
    let shipped = harness::broker::shipped_config();
    let kept = shipped.lines().filter(|line| !line.split_whitespace().next().is_some_and(|key| JOURNAL.contains(&key)));
    let config: Vec<&str> = kept.collect();
    Broker::plan().instead_of_shipped(&config.join("\n")).start().await
}

/// A daemon between this broker and this gateway, its record on the disk that the floor's is on.
pub(crate) fn daemon(directory: &str, broker: &Broker, gateway: &Gateway) -> harness::daemon::Plan {
    let url = format!("http://127.0.0.1:{}", gateway.port());
    let plan = Daemon::plan_on_disk(directory).broker(broker).sms(
        "gateway",
        &url,
        "AC00000000000000000000000000c00eee",
        "a-token-for-the-bench-only",
    );
    plan.env(ARENAS, arenas())
}

/// What the unit says of the allocator: what is measured is what a service gets.
fn arenas() -> &'static str {
    let unit = include_str!("../../deploy/cooee.service");
    let line = unit.lines().find_map(|line| line.strip_prefix("Environment=")?.strip_prefix(ARENAS)?.strip_prefix('='));
    line.expect("the unit says how many arenas the allocator has")
}
