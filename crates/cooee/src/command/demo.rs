//! `cooee demo`: the whole house in one process, with a small town around it.
//!
//! The house is the real one: its settings and directory are written to files and read like anybody's, its carriers
//! speak HTTP and SMTP, its buttons MQTT. Only what stands at the other ends is ours. Nothing leaves this machine.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use escalation::directory::finding::Severity;
use station::clock::{Clock as _, MachineClock};
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::Demo;
use crate::config::Settings;
use crate::demo::buttons::Buttons;
use crate::demo::mailbox::Mailbox;
use crate::demo::page::{self, Parts, Persona};
use crate::demo::phones::Phones;
use crate::wire::{Extras, House};

/// The demo's people, places and ladder, as an operator would write them.
const DIRECTORY: &str = include_str!("../demo/directory.toml");
/// The site whose buttons hang on the page.
const SITE: (&str, &str) = ("kalamunda-library", "Kalamunda Library");
/// Its buttons.
const BUTTONS: [(&str, &str); 3] =
    [("front-counter-1", "Front counter 1"), ("back-office", "Back office"), ("pendant-m-lee", "Pendant, M. Lee")];
/// Whose phones lie on the page.
const PEOPLE: [(&str, &str); 3] = [("J. Smith", "+61400000001"), ("Priya Nair", "+61400000002"), ("Sam Okoro", "+61400000003")];
/// The service's own number.
const NUMBER: &str = "+61480000000";
/// Where the desk and the broker are looked for first.
const DESK_PORT: u16 = 8700;
const BROKER_PORT: u16 = 1883;

/// Runs the demo until it is interrupted.
pub(crate) fn run(arguments: &Demo) -> anyhow::Result<ExitCode> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("start the runtime")?;
    runtime.block_on(play(arguments))?;
    Ok(ExitCode::SUCCESS)
}

async fn play(arguments: &Demo) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    let place = Place::make(arguments.data.as_deref())?;
    let clock = Arc::new(MachineClock::start());
    let now: crate::demo::Now = Arc::new(move || clock.wall());
    let phones = Phones::start(NUMBER, place.keep("phones"), Arc::clone(&now)).await?;
    let mailbox = Mailbox::start(place.keep("mailbox"), Arc::clone(&now)).await?;
    let desk = arguments.http.map_or_else(|| free(DESK_PORT), Ok)?;
    let broker = arguments.mqtt.map_or_else(|| free(BROKER_PORT), Ok)?;
    phones.post_replies_to(format!("http://{desk}/hooks/phones/inbound"));
    let settings = place.settings(&phones, &mailbox, desk, broker)?;
    let restart = arguments.data.as_ref().map(|data| format!("cargo run --release -- demo --data {}", data.display()));
    let pages = move |broker: Option<SocketAddr>| {
        let broker = broker.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, BROKER_PORT)));
        page::router(Arc::new(Parts {
            site: SITE.1.to_owned(),
            timezone: "Australia/Perth".to_owned(),
            buttons: Buttons::start(broker, SITE.0, &BUTTONS, now),
            phones,
            mailbox,
            people: PEOPLE.map(|(name, mobile)| Persona { name: name.to_owned(), mobile: mobile.to_owned() }).into(),
            restart,
            broker: broker.to_string(),
        }))
    };
    let mut house = House::open(&settings, Extras { demo: true, pages: Some(Box::new(pages)) }).await?;
    house.settled().await;
    greet(&house, arguments)?;
    let ended = tokio::select! {
        _ = terminate.recv() => Ok(()),
        _ = interrupt.recv() => Ok(()),
        ended = house.watch_ended() => ended,
    };
    ended?;
    house.close().await
}

fn greet(house: &House, arguments: &Demo) -> anyhow::Result<()> {
    let broker = house.listener().map_or(BROKER_PORT, |address| address.port());
    let mut out = std::io::stdout().lock();
    writeln!(out, "\n  Cooee demo: nothing leaves this machine, nobody is called.\n")?;
    writeln!(out, "    open      http://{}/demo     buttons, phones, mailbox", house.address)?;
    writeln!(out, "    the desk  http://{}/         what an operator sees; start the shift there to arm it", house.address)?;
    writeln!(out, "    or press  mosquitto_pub -p {broker} -q 1 -t cooee/v1/{}/{}/press -n", SITE.0, BUTTONS[0].0)?;
    match &arguments.data {
        Some(data) => writeln!(out, "\n  Kept in {}: kill it mid-ladder and start it again.", data.display())?,
        None => writeln!(out, "\n  Forgotten when it ends; with  demo --data DIR  it survives being killed.")?,
    }
    writeln!(out, "  Stop with Ctrl-C.\n")?;
    Ok(())
}

/// The port a reader of the documentation expects, or a free one where somebody has it already.
fn free(wanted: u16) -> anyhow::Result<SocketAddr> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, wanted)).or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    bound.and_then(|listener| listener.local_addr()).context("find a free port on loopback")
}

/// Where the demo keeps its things.
struct Place {
    folder: PathBuf,
    kept: bool,
}

impl Place {
    fn make(data: Option<&Path>) -> anyhow::Result<Self> {
        let folder = match data {
            Some(data) => std::path::absolute(data).context("resolve --data")?,
            None => std::env::temp_dir().join(format!("cooee-demo-{}", std::process::id())),
        };
        let mut builder = std::fs::DirBuilder::new();
        std::os::unix::fs::DirBuilderExt::mode(builder.recursive(true), 0o700);
        builder.create(&folder).with_context(|| format!("make {}", folder.display()))?;
        Ok(Self { folder, kept: data.is_some() })
    }

    fn keep(&self, name: &str) -> Option<PathBuf> {
        self.kept.then(|| self.folder.join(format!("{name}.jsonl")))
    }

    /// Writes settings and directory, and reads them as anybody's.
    fn settings(&self, phones: &Phones, mailbox: &Mailbox, desk: SocketAddr, broker: SocketAddr) -> anyhow::Result<Settings> {
        self.write("auth-token", phones.auth_token())?;
        self.write("directory.toml", DIRECTORY)?;
        let text = format!(
            "[station]\nname = \"Demo\"\ndata_dir = \"record\"\n\n[listener]\nlisten = \"{broker}\"\n\n\
             [http]\nlisten = \"{desk}\"\npublic_url = \"http://{desk}\"\n\n\
             [[sms]]\nname = \"phones\"\nkind = \"twilio\"\nbase_url = \"{}\"\naccount_sid = \"{}\"\nauth_token_file = \"auth-token\"\n\
             from = \"{NUMBER}\"\ninbound = \"webhook\"\n\n\
             [email]\nurl = \"{}\"\nfrom = \"Duress <duress@example.org>\"\n\n[directory]\npath = \"directory.toml\"\n",
            phones.base_url(),
            phones.account_sid(),
            mailbox.url(),
        );
        let path = self.write("cooee.toml", &text)?;
        let loaded = Settings::load(&path, &BTreeMap::new());
        let errors: Vec<String> =
            loaded.findings.iter().filter(|finding| finding.severity == Severity::Error).map(ToString::to_string).collect();
        loaded.settings.with_context(|| format!("the demo's own settings do not read\n{}", errors.join("\n")))
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<PathBuf> {
        use std::os::unix::fs::OpenOptionsExt as _;
        let path = self.folder.join(name);
        let file = std::fs::OpenOptions::new().create(true).truncate(true).write(true).mode(0o600).open(&path);
        file.and_then(|mut file| file.write_all(text.as_bytes())).with_context(|| format!("write {}", path.display()))?;
        Ok(path)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if !self.kept
            && let Err(why) = std::fs::remove_dir_all(&self.folder)
        {
            tracing::warn!("the demo's folder {} could not be removed: {why}", self.folder.display());
        }
    }
}
