//! A real mosquitto with the settings that we ship.
//!
//! Its configuration is `deploy/mosquitto.conf`, so that what is proved is what operators run; only where it listens,
//! where it keeps its files and who may log in are the test's own.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use rumqttc::{MqttOptions, TlsConfiguration, Transport};

use crate::certificate::{Authority, Pair};
use crate::folder::Folder;
use crate::port::Port;
use crate::program::{self, Process};

/// Settings of the shipped file that a test replaces with its own.
const OVERRIDDEN: [&str; 14] = [
    "listener",
    "port",
    "bind_address",
    "allow_anonymous",
    "password_file",
    "acl_file",
    "persistence_location",
    "log_dest",
    "pid_file",
    "user",
    "cafile",
    "certfile",
    "keyfile",
    "require_certificate",
];

/// A broker on a port of its own that it keeps over restarts.
pub struct Broker {
    process: Option<Process>,
    program: PathBuf,
    config: PathBuf,
    plan: Plan,
    authority: Option<Authority>,
    client: Option<Pair>,
    port: Port,
    folder: Folder,
}

/// What kind of broker to start.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    tls: bool,
    client_certificates: bool,
    login: Option<(String, String)>,
    shipped: Option<String>,
    extra: String,
}

impl Plan {
    /// TLS with a certificate for `localhost` from an authority of the test's own.
    #[must_use]
    pub fn tls(mut self) -> Self {
        self.tls = true;
        self
    }

    /// TLS, and nobody without a certificate from that authority.
    #[must_use]
    pub fn client_certificates(mut self) -> Self {
        self.tls = true;
        self.client_certificates = true;
        self
    }

    /// Nobody without this user and password.
    #[must_use]
    pub fn login(mut self, user: &str, password: &str) -> Self {
        self.login = Some((user.to_owned(), password.to_owned()));
        self
    }

    /// Settings instead of the shipped ones, to show what a broker without them does.
    #[must_use]
    pub fn instead_of_shipped(mut self, config: &str) -> Self {
        self.shipped = Some(config.to_owned());
        self
    }

    /// Further lines of configuration.
    #[must_use]
    pub fn also(mut self, config: &str) -> Self {
        self.extra.push_str(config);
        self.extra.push('\n');
        self
    }

    /// Starts it and waits until it answers.
    pub async fn start(self) -> Broker {
        let program = program::find("mosquitto", "mosquitto");
        let folder = Folder::new("mosquitto");
        let port = Port::take();
        let authority = self.tls.then(|| Authority::new(&folder));
        let client = authority.as_ref().map(|a| a.client(&folder, "cooee"));
        let config = folder.write("mosquitto.conf", &self.config(&folder, port.number(), authority.as_ref()));
        let mut broker = Broker { process: None, program, config, plan: self, authority, client, port, folder };
        broker.start_again().await;
        broker
    }

    fn config(&self, folder: &Folder, port: u16, authority: Option<&Authority>) -> String {
        let shipped = self.shipped.clone().unwrap_or_else(shipped_config);
        let mut text: String = shipped.lines().filter(|line| !is_overridden(line)).flat_map(|line| [line, "\n"]).collect();
        let at = folder.path().display();
        let anonymous = self.login.is_none();
        let mut add = |line: String| writeln!(text, "{line}").expect("write to a string");
        add(format!("listener {port} 127.0.0.1"));
        add(format!("allow_anonymous {anonymous}"));
        add(format!("persistence_location {at}/"));
        add("persistence_file session.db".to_owned());
        add("log_dest stderr".to_owned());
        // Started as root it would become a user that may not write here; started by anyone else this does nothing.
        add("user root".to_owned());
        if let Some((user, password)) = &self.login {
            add(format!("password_file {}", password_file(folder, user, password).display()));
        }
        if let Some(authority) = authority {
            let server = authority.server(folder);
            add(format!("cafile {}", authority.file.display()));
            add(format!("certfile {}", server.certificate_file.display()));
            add(format!("keyfile {}", server.key_file.display()));
            add(format!("require_certificate {}", self.client_certificates));
        }
        text.push_str(&self.extra);
        text
    }
}

impl Broker {
    /// A broker anyone may use, with the shipped settings.
    pub async fn start() -> Self {
        Self::plan().start().await
    }

    /// A broker of another kind.
    #[must_use]
    pub fn plan() -> Plan {
        Plan::default()
    }

    /// Its address as settings name it: `mqtt://` or `mqtts://`.
    #[must_use]
    pub fn url(&self) -> String {
        if self.plan.tls { format!("mqtts://localhost:{}", self.port.number()) } else { format!("mqtt://127.0.0.1:{}", self.port.number()) }
    }

    /// Its port on 127.0.0.1.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.port.number()
    }

    /// The user and password that it asks for, if any.
    #[must_use]
    pub fn login(&self) -> Option<(&str, &str)> {
        self.plan.login.as_ref().map(|(user, password)| (user.as_str(), password.as_str()))
    }

    /// The file of the authority to trust, with TLS.
    #[must_use]
    pub fn ca_file(&self) -> Option<&Path> {
        self.authority.as_ref().map(|a| a.file.as_path())
    }

    /// A client certificate that it accepts, with TLS.
    #[must_use]
    pub fn client_certificate(&self) -> Option<&Pair> {
        self.client.as_ref()
    }

    /// How a client called `id` reaches it, with all that it asks for.
    #[must_use]
    pub fn options(&self, id: &str) -> MqttOptions {
        let host = if self.plan.tls { "localhost" } else { "127.0.0.1" };
        let mut options = MqttOptions::new(id, (host, self.port.number()));
        options.set_keep_alive(10).set_max_packet_size(268_435_455, 268_435_455);
        if let Some((user, password)) = self.login() {
            options.set_credentials(user, password.to_owned());
        }
        if let (Some(authority), Some(client)) = (&self.authority, &self.client) {
            options.set_transport(Transport::Tls(TlsConfiguration::Simple {
                ca: authority.pem.clone().into_bytes(),
                alpn: None,
                client_auth: Some((client.certificate.clone().into_bytes(), client.key.clone().into_bytes())),
            }));
        }
        options
    }

    /// Starts it where it was, on the same port and with the sessions it kept.
    pub async fn start_again(&mut self) {
        assert!(self.process.is_none(), "the broker is already running");
        let log = self.folder.path().join("mosquitto.log");
        let mut command = Command::new(&self.program);
        command.arg("-c").arg(&self.config);
        let mut process = Process::start("mosquitto", &mut command, &log);
        process.answers_on(self.port.number()).await;
        self.process = Some(process);
    }

    /// Stops it in an orderly way: it writes its sessions first.
    pub async fn stop(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop("TERM").await;
        }
    }

    /// Ends it as a power cut would.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }

    /// Stops it and starts it again.
    pub async fn restart(&mut self) {
        self.stop().await;
        self.start_again().await;
    }

    /// Restarts it without anything it knew: every session, subscription and retained message is gone.
    pub async fn restart_without_sessions(&mut self) {
        self.stop().await;
        let kept = self.folder.path().join("session.db");
        if kept.exists() {
            std::fs::remove_file(&kept).expect("delete the broker's sessions");
        }
        self.start_again().await;
    }

    /// Holds it still without closing a connection, as a broken network path does.
    pub fn freeze(&self) {
        if let Some(process) = &self.process {
            process.signal("STOP");
        }
    }

    /// Lets a frozen broker go on.
    pub fn thaw(&self) {
        if let Some(process) = &self.process {
            process.signal("CONT");
        }
    }
}

/// `deploy/mosquitto.conf`, as it is shipped.
#[must_use]
pub fn shipped_config() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/mosquitto.conf");
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("read {}: {e}", path.display()))
}

fn is_overridden(line: &str) -> bool {
    line.split_whitespace().next().is_some_and(|key| OVERRIDDEN.contains(&key))
}

fn password_file(folder: &Folder, user: &str, password: &str) -> PathBuf {
    let file = folder.write("passwords", "");
    let status = Command::new(program::find("mosquitto_passwd", "mosquitto"))
        .arg("-b")
        .arg(&file)
        .args([user, password])
        .status()
        .expect("run mosquitto_passwd");
    assert!(status.success(), "mosquitto_passwd failed: {status}");
    file
}
