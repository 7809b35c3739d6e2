//! A watch that writes down what it is handed, and the settings and orders that the stories share.

use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dispatch::{Now, Settings, Voice};
use escalation::dispatch::{Address, DeliveryReport, Order, Purpose, Words};
use escalation::id::CarrierName;
use escalation::input::Input;
use escalation::time::Timestamp;
use escalation::verdict::{NotTaken, Outcome, Submit, Verdict};
use tempfile::TempDir;
use tokio::sync::watch;

pub(crate) const TOKEN: &str = "0123456789abcdef0123456789abcdef";
pub(crate) const OLD_TOKEN: &str = "fedcba9876543210fedcba9876543210";
pub(crate) const PUBLIC: &str = "https://alerts.example.org";
pub(crate) const TEXT: &str = "DURESS Kalamunda Library, Front counter 1. 14:03 AWST. Don't ring site, don't enter alone. \
                               Reply Y47=going H47=helping remotely N47=can't. KAL-42";

/// Writes down inputs; takes them unless told otherwise.
#[derive(Clone)]
pub(crate) struct Watch {
    inputs: Arc<Mutex<Vec<Input>>>,
    refusals: Arc<Mutex<u32>>,
    offered: Arc<Mutex<u32>>,
    changed: watch::Sender<u64>,
}

impl Watch {
    pub(crate) fn new() -> Self {
        Self { inputs: Arc::default(), refusals: Arc::default(), offered: Arc::default(), changed: watch::channel(0).0 }
    }

    /// Does not take the next `n` inputs.
    pub(crate) fn refuse(&self, n: u32) {
        *self.refusals.lock().unwrap() = n;
    }

    pub(crate) fn submit(&self) -> Submit {
        let watch = self.clone();
        Arc::new(move |input| {
            let watch = watch.clone();
            Box::pin(async move {
                // Troubles come and go beside the stories.
                if !matches!(input, Input::TroubleNoticed(_) | Input::TroubleCleared(_)) {
                    *watch.offered.lock().unwrap() += 1;
                    let mut refusals = watch.refusals.lock().unwrap();
                    if *refusals > 0 {
                        *refusals -= 1;
                        return Verdict::NotTaken(NotTaken::Overloaded);
                    }
                }
                watch.inputs.lock().unwrap().push(input);
                watch.changed.send_modify(|n| *n += 1);
                Verdict::Durable(Outcome::default())
            })
        })
    }

    pub(crate) fn inputs(&self) -> Vec<Input> {
        self.inputs.lock().unwrap().clone()
    }

    pub(crate) fn offered(&self) -> u32 {
        *self.offered.lock().unwrap()
    }

    pub(crate) fn reports(&self) -> Vec<DeliveryReport> {
        let reports =
            self.inputs().into_iter().filter_map(|input| if let Input::DeliveryReported(report) = input { Some(report) } else { None });
        reports.collect()
    }

    /// Waits until `enough` holds of what was handed in.
    pub(crate) async fn until(&self, what: &str, enough: impl Fn(&Self) -> bool) {
        let mut changed = self.changed.subscribe();
        let waited = tokio::time::timeout(Duration::from_mins(1), async {
            while !enough(self) {
                changed.changed().await.unwrap();
            }
        });
        assert!(waited.await.is_ok(), "the watch never got {what}; it got {:?}", self.inputs());
    }

    /// The reports, once there are `n`.
    pub(crate) async fn reported(&self, n: usize) -> Vec<DeliveryReport> {
        self.until(&format!("{n} reports"), |watch| watch.reports().len() >= n).await;
        self.reports()
    }
}

/// Settings in the making, with their secrets' folder.
pub(crate) struct Desk {
    dir: TempDir,
    toml: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), toml: String::new() }
    }

    pub(crate) fn secret(&self, name: &str, text: &str) -> String {
        let path = self.dir.path().join(name);
        let mut file = std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Adds an SMS account that does not listen unless asked to.
    pub(crate) fn sms(mut self, name: &str, url: &str, extra: &str) -> Self {
        let token = self.secret("token", &format!("{TOKEN}\n{OLD_TOKEN}\n"));
        let account = format!(
            "[[sms]]\nname = \"{name}\"\nkind = \"twilio\"\nbase_url = \"{url}\"\naccount_sid = \"AC{name}\"\nauth_token_file = {token:?}\nfrom = \"+61400000000\"\nkeep_warm = false\n{extra}\n"
        );
        self.toml.push_str(&account);
        self
    }

    pub(crate) fn add(mut self, toml: &str) -> Self {
        self.toml += toml;
        self
    }

    /// The same, with a line of the settings changed.
    pub(crate) fn but(mut self, line: &str, changed: &str) -> Self {
        self.toml = self.toml.replace(line, changed);
        self
    }

    pub(crate) fn settings(&self) -> Settings {
        toml::from_str(&self.toml).unwrap()
    }

    /// Opens the voice with nothing open.
    pub(crate) fn open(&self, watch: &Watch) -> Voice {
        self.open_while(watch, false, Some(PUBLIC))
    }

    pub(crate) fn open_while(&self, watch: &Watch, busy: bool, public_url: Option<&str>) -> Voice {
        let now = clock();
        let (sender, busy) = watch::channel(busy);
        std::mem::forget(sender); // It says the same for as long as the test runs.
        Voice::open(&self.settings(), public_url, watch.submit(), &busy, &now).unwrap()
    }
}

/// A clock that stands still.
pub(crate) fn clock() -> Now {
    Arc::new(|| Timestamp::from_second(1_776_060_180).unwrap())
}

pub(crate) fn order(id: &str, address: Address) -> Order {
    let mut words = Words::new();
    for (name, word) in [
        ("kind", "DURESS"),
        ("kind_id", "duress"),
        ("site", "Kalamunda Library"),
        ("site_sms", "Kalamunda Library"),
        ("place", "Front counter 1"),
        ("place_sms", "Front counter 1"),
        ("time", "14:03 AWST"),
        ("date", "Mon 13 Apr 2026"),
        ("code", "47"),
        ("ref", "KAL-42"),
        ("opened_at", "2026-04-13T06:03:00Z"),
    ] {
        words.insert(name, word.to_owned());
    }
    Order {
        id: id.parse().unwrap(),
        purpose: Purpose::Alarm,
        address,
        words,
        queued_at: Timestamp::from_second(1_776_060_180).unwrap(),
        recency: 2,
        possible_duplicate: false,
    }
}

pub(crate) fn text(id: &str) -> Order {
    order(id, Address::Sms("+61400000001".to_owned()))
}

pub(crate) fn name(name: &str) -> CarrierName {
    CarrierName::parse(name).unwrap()
}
