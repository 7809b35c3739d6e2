//! The daemon under test: `cooee serve`, built beside the test, with settings and a directory of the test's own.

mod api;
mod stream;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Output};
use std::sync::atomic::{AtomicU32, Ordering};

pub use api::{Answer, Api, answer};
pub use stream::{Stream, StreamEvent};

use crate::broker::Broker;
use crate::folder::Folder;
use crate::gateway::Gateway;
use crate::port::Port;
use crate::program::Process;
use crate::wait;

/// The number that texts come from.
pub const SENDER: &str = "+61480000000";

/// How long a carrier is waited for where a test says nothing else.
const PATIENCE: [(&str, &str); 3] = [("connect_ms", "30000"), ("request_ms", "60000"), ("attempt_s", "120")];

/// A daemon with a data directory that it keeps over restarts.
pub struct Daemon {
    process: Option<Process>,
    environment: BTreeMap<String, String>,
    secret: String,
    port: Port,
    listener: Port,
    folder: Folder,
}

/// What the daemon is to be told.
pub struct Plan {
    tables: BTreeMap<&'static str, BTreeMap<String, String>>,
    further: String,
    directory: String,
    environment: BTreeMap<String, String>,
    port: Port,
    listener: Port,
    folder: Folder,
}

impl Plan {
    /// The broker that it listens to, with the login and certificates that this broker asks for.
    #[must_use]
    pub fn broker(self, broker: &Broker) -> Self {
        let mut plan = self.set("mqtt", "url", &broker.url()).set("mqtt", "client_id", "cooee");
        if let Some((user, password)) = broker.login() {
            let file = plan.folder.write_secret("mqtt-password", password);
            plan = plan.set("mqtt", "username", user).set_path("mqtt", "password_file", &file);
        }
        if let (Some(ca), Some(client)) = (broker.ca_file(), broker.client_certificate()) {
            let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(&client.key_file, private).expect("make the broker's client key private");
            plan = plan.set_path("mqtt", "ca_file", ca).set_path("mqtt", "client_cert_file", &client.certificate_file).set_path(
                "mqtt",
                "client_key_file",
                &client.key_file,
            );
        }
        plan
    }

    /// The broker inside, instead of one outside.
    #[must_use]
    pub fn listener(self) -> Self {
        let listen = format!("127.0.0.1:{}", self.listener.number());
        self.set("listener", "listen", &listen)
    }

    /// An SMS account, after those already named; replies and receipts are posted back to the daemon.
    #[must_use]
    pub fn gateway(self, name: &str, gateway: &Gateway) -> Self {
        gateway.inbound_webhook(&format!("{}/hooks/{name}/inbound", self.url()));
        self.account(name, gateway, "inbound = \"webhook\"\n")
    }

    /// An SMS account whose replies are asked for: nothing is posted back but receipts.
    #[must_use]
    pub fn gateway_polled(self, name: &str, gateway: &Gateway) -> Self {
        self.account(name, gateway, "inbound = \"poll\"\n")
    }

    /// An SMS account with further settings, in TOML. Our own patience with it outlasts any load on the machine, so that
    /// only its faults and kills lead to a second try; a test that waits for ours to end says how long it is.
    #[must_use]
    pub fn account(self, name: &str, gateway: &Gateway, further: &str) -> Self {
        let patience = PATIENCE.iter().filter(|(key, _)| !further.contains(key)).map(|(key, value)| format!("{key} = {value}\n"));
        let further: String = patience.chain([further.to_owned()]).collect();
        self.sms(name, &gateway.url(), gateway.account_sid(), gateway.auth_token()).also(&further)
    }

    /// An SMS account at any address that speaks the Messages API.
    #[must_use]
    pub fn sms(mut self, name: &str, url: &str, account_sid: &str, auth_token: &str) -> Self {
        let token = self.folder.write_secret(&format!("sms-{name}-token"), auth_token);
        write!(
            self.further,
            "[[sms]]\nname = {name:?}\nkind = \"twilio\"\nbase_url = {url:?}\naccount_sid = {account_sid:?}\n\
             auth_token_file = \"{}\"\nfrom = {SENDER:?}\n",
            token.display(),
        )
        .expect("write to a string");
        self
    }

    /// An account that makes calls, at the gateway.
    #[must_use]
    pub fn voice(self, name: &str, gateway: &Gateway) -> Self {
        let token = self.folder.write_secret(&format!("voice-{name}-token"), gateway.auth_token());
        let patience = PATIENCE.map(|(key, value)| format!("{key} = {value}")).join("\n");
        self.also(&format!(
            "[[voice]]\nname = {name:?}\nbase_url = {:?}\naccount_sid = {:?}\nauth_token_file = \"{}\"\nfrom = {SENDER:?}\n{patience}\n",
            gateway.url(),
            gateway.account_sid(),
            token.display(),
        ))
    }

    /// A centre's webhook.
    #[must_use]
    pub fn webhook(self, name: &str, url: &str, secret: &str) -> Self {
        let file = self.folder.write_secret(&format!("webhook-{name}"), secret);
        self.also(&format!("[[webhook]]\nname = {name:?}\nurl = {url:?}\nsecret_file = \"{}\"", file.display()))
    }

    /// A place outside that is posted checkpoints, with further settings in TOML.
    #[must_use]
    pub fn anchor_hook(self, name: &str, url: &str, secret: &str, further: &str) -> Self {
        let file = self.folder.write_secret(&format!("anchor-{name}"), secret);
        let file = file.display();
        self.also(&format!("[[anchor]]\nname = {name:?}\nkind = \"webhook\"\nurl = {url:?}\nsecret_file = \"{file}\"\n{further}"))
    }

    /// Another key than the administrator's.
    #[must_use]
    pub fn key(self, key: &Key) -> Self {
        self.also(&key.stanza)
    }

    /// The mail server, such as [`crate::Smtp::plain_url`]; our patience with it is that with an SMS account.
    #[must_use]
    pub fn mail(self, url: &str) -> Self {
        let plan = self.set("email", "url", url).set("email", "from", "Duress <duress@example.org>");
        PATIENCE.iter().fold(plan, |plan, (key, value)| plan.set_raw("email", key, value))
    }

    /// The database of the record, instead of `SQLite` in the data directory.
    #[must_use]
    pub fn record(self, url: &str) -> Self {
        self.set("record", "url", url)
    }

    /// Another directory than it was planned with.
    #[must_use]
    pub fn directory(mut self, toml: &str) -> Self {
        toml.clone_into(&mut self.directory);
        self
    }

    /// One more setting that is a string.
    #[must_use]
    pub fn set(self, table: &'static str, key: &str, value: &str) -> Self {
        self.set_raw(table, key, &format!("{value:?}"))
    }

    /// One more setting that names a file.
    #[must_use]
    pub fn set_path(self, table: &'static str, key: &str, file: &Path) -> Self {
        self.set_raw(table, key, &format!("\"{}\"", file.display()))
    }

    /// One more setting that names a file with this secret.
    #[must_use]
    pub fn secret_of(self, table: &'static str, key: &str, secret: &str) -> Self {
        let file = self.folder.write_secret(&format!("{table}-{key}"), secret);
        self.set_path(table, key, &file)
    }

    /// One more setting, its value in TOML; in place of one of the same name.
    #[must_use]
    pub fn set_raw(mut self, table: &'static str, key: &str, value: &str) -> Self {
        self.tables.entry(table).or_default().insert(key.to_owned(), value.to_owned());
        self
    }

    /// Further settings in TOML, such as arrays of tables.
    #[must_use]
    pub fn also(mut self, toml: &str) -> Self {
        self.further.push_str(toml);
        self.further.push('\n');
        self
    }

    /// Whether the further settings say this already.
    #[must_use]
    pub fn says(&self, toml: &str) -> bool {
        self.further.contains(toml)
    }

    /// A variable in its environment, such as a failpoint.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// Where it will be reached.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.number())
    }

    /// Writes the files without starting anything: for `check`, `doctor` and daemons that must refuse to start.
    #[must_use]
    pub fn prepare(self) -> Daemon {
        let key = new_key();
        let at = self.url();
        let mut plan = self.set("station", "name", "Proof").set_raw("directory", "path", "\"directory.toml\"");
        let data = plan.folder.path().join("data");
        std::fs::create_dir(&data).expect("make the data directory");
        plan = plan.set_path("station", "data_dir", &data).set("http", "public_url", &at);
        let listen = format!("127.0.0.1:{}", plan.port.number());
        plan = plan.set("http", "listen", &listen).also(&key.stanza);
        let mut settings = String::new();
        for (table, lines) in &plan.tables {
            writeln!(settings, "[{table}]").expect("write to a string");
            for (key, value) in lines {
                writeln!(settings, "{key} = {value}").expect("write to a string");
            }
        }
        settings.push_str(&plan.further);
        plan.folder.write("cooee.toml", &settings);
        plan.folder.write("directory.toml", &plan.directory);
        let Self { environment, port, listener, folder, .. } = plan;
        Daemon { process: None, environment, secret: key.secret, port, listener, folder }
    }

    /// Starts it and waits until it is ready.
    pub async fn start(self) -> Daemon {
        let mut daemon = self.prepare();
        daemon.start_again().await;
        daemon
    }
}

impl Daemon {
    /// A daemon with this directory, as TOML, whose files are in memory.
    #[must_use]
    pub fn plan(directory: &str) -> Plan {
        Self::plan_in(Folder::in_memory("daemon"), directory)
    }

    /// The same with its files on a disk, as a service has them: for what is measured against something else on that disk.
    #[must_use]
    pub fn plan_on_disk(directory: &str) -> Plan {
        Self::plan_in(Folder::new("daemon"), directory)
    }

    fn plan_in(folder: Folder, directory: &str) -> Plan {
        Plan {
            tables: BTreeMap::new(),
            further: String::new(),
            directory: directory.to_owned(),
            environment: BTreeMap::new(),
            port: Port::take(),
            listener: Port::take(),
            folder,
        }
    }

    /// Where it is reached.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.number())
    }

    /// Its process id, while it runs.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.process.as_ref().expect("the daemon is not running").pid()
    }

    /// Its settings file.
    #[must_use]
    pub fn config(&self) -> PathBuf {
        self.folder.path().join("cooee.toml")
    }

    /// Its data directory.
    #[must_use]
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Writes another directory; it is read at the next reload or start.
    pub fn write_directory(&self, toml: &str) {
        self.folder.write("directory.toml", toml);
    }

    /// Sets or clears a variable for the next start.
    pub fn set_env(&mut self, name: &str, value: Option<&str>) {
        match value {
            Some(value) => self.environment.insert(name.to_owned(), value.to_owned()),
            None => self.environment.remove(name),
        };
    }

    /// Starts it on its data directory and waits until it is ready.
    pub async fn start_again(&mut self) {
        self.launch();
        self.ready().await;
    }

    /// Starts it on its data directory and does not wait.
    pub fn launch(&mut self) {
        assert!(self.process.is_none(), "the daemon is already running");
        let mut command = self.command(&["serve"]);
        self.process = Some(Process::start("cooee", &mut command, &self.folder.path().join("cooee.log")));
    }

    /// Waits until it says that it is ready; fails with its log when it ends instead.
    pub async fn ready(&mut self) {
        let api = self.api();
        let process = self.process.as_mut().expect("the daemon is not running");
        wait::until("the daemon to be ready", async || {
            process.must_live();
            api.get("/readyz").await.filter(|answer| answer.status == 200).map(drop)
        })
        .await;
    }

    /// Waits until presses reach it, whatever its carriers do; fails with its log when it ends instead.
    pub async fn hears(&mut self) {
        let api = self.api();
        let process = self.process.as_mut().expect("the daemon is not running");
        wait::until("the daemon to hear presses", async || {
            process.must_live();
            let answer = api.get("/readyz?verbose").await?;
            let parts = answer.body.get("parts")?.as_array()?;
            let well = |name: &str| parts.iter().any(|part| part["name"] == name && part["ok"] == true);
            (well("watch") && well("presses")).then_some(())
        })
        .await;
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.process.as_mut().is_some_and(|process| process.ended().is_none())
    }

    /// How a client called `id` reaches the broker inside.
    #[must_use]
    pub fn listener_options(&self, id: &str) -> rumqttc::MqttOptions {
        let mut options = rumqttc::MqttOptions::new(id, ("127.0.0.1", self.listener.number()));
        options.set_keep_alive(10).set_max_packet_size(268_435_455, 268_435_455);
        options
    }

    /// The administrator's key.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// Its settings file as text, to be changed and written again.
    #[must_use]
    pub fn settings(&self) -> String {
        std::fs::read_to_string(self.config()).expect("read the settings")
    }

    /// Writes other settings; they are read at the next start, keys at the next reload.
    pub fn write_settings(&self, toml: &str) {
        self.folder.write("cooee.toml", toml);
    }

    /// Waits until its log says `part`.
    pub async fn expect_log(&self, part: &str) {
        wait::until(&format!("{part:?} in the daemon's log"), async || self.log().contains(part).then_some(())).await;
    }

    /// Waits until it has ended by itself (a failpoint, a fence, bad settings).
    pub async fn ended(&mut self) -> ExitStatus {
        let mut process = self.process.take().expect("the daemon is not running");
        wait::until("the daemon to end", async || process.ended()).await
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }

    /// SIGTERM; waits until it has ended.
    pub async fn stop(&mut self) -> ExitStatus {
        self.process.take().expect("the daemon is not running").stop("TERM").await
    }

    /// Sends a signal such as `HUP` or `STOP`.
    pub fn signal(&self, signal: &str) {
        self.process.as_ref().expect("the daemon is not running").signal(signal);
    }

    /// What it has logged since its first start.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("cooee.log")).unwrap_or_default()
    }

    /// Runs another command of the program with these settings, such as `check`.
    #[must_use]
    pub fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("run cooee")
    }

    /// The API, as an administrator.
    #[must_use]
    pub fn api(&self) -> Api {
        self.api_with_key(Some(&self.secret))
    }

    /// The API with another key, or none.
    #[must_use]
    pub fn api_with_key(&self, key: Option<&str>) -> Api {
        Api::new(self.url(), key.map(str::to_owned))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(program());
        command.args(arguments).arg("--config").arg(self.config()).envs(&self.environment);
        command
    }
}

/// A key as `cooee key new` makes it.
#[derive(Clone, Debug)]
pub struct Key {
    /// What a client sends.
    pub secret: String,
    /// What the settings hold.
    pub stanza: String,
}

/// A new administrator's key.
#[must_use]
pub fn new_key() -> Key {
    new_key_with(&["--role", "admin"])
}

/// A new key with these arguments of `cooee key new`, such as `--role site --site kalamunda-library`.
#[must_use]
pub fn new_key_with(arguments: &[&str]) -> Key {
    // The record attributes acts to a key's name, so that no two may share one.
    static MADE: AtomicU32 = AtomicU32::new(1);
    let name = format!("proof {}", MADE.fetch_add(1, Ordering::Relaxed));
    let output = Command::new(program()).args(["key", "new", "--name", &name]).args(arguments).output();
    let output = output.expect("run cooee key new");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "cooee key new failed: {said}{}", String::from_utf8_lossy(&output.stderr));
    let secret = said.split_whitespace().find(|word| word.starts_with("ck_"));
    let stanza = said.find("[[key]]").and_then(|at| said.get(at..));
    match (secret, stanza) {
        (Some(secret), Some(stanza)) => Key { secret: secret.to_owned(), stanza: stanza.to_owned() },
        (Some(_), None) | (None, Some(_) | None) => {
            panic!("cooee key new printed no key or no stanza:\n{said}")
        }
    }
}

/// The program, built by the same cargo profile as this test.
#[must_use]
pub fn program() -> PathBuf {
    let test = std::env::current_exe().expect("the path of this test");
    let folder = test.parent().and_then(Path::parent).expect("a test lies in target/<profile>/deps");
    let program = folder.join(format!("cooee{}", std::env::consts::EXE_SUFFIX));
    assert!(program.is_file(), "{} is missing: run `cargo xtask test`, or `cargo build -p cooee` first", program.display());
    program
}
