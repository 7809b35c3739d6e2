//! A real SMTP server (Python's `aiosmtpd`): the truth about TLS, STARTTLS, logins and how a mail reads.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;

use crate::certificate::Authority;
use crate::folder::Folder;
use crate::port::Port;
use crate::program::{self, Process};
use crate::wait;

const SERVER: &str = include_str!("smtp_server.py");

/// One server with three doors: plain, STARTTLS, and TLS from the first byte.
pub struct Smtp {
    process: Option<Process>,
    authority: Authority,
    login: Option<(String, String)>,
    doors: [Port; 3],
    folder: Folder,
}

/// A mail as the receiving side reads it.
#[derive(Clone, Debug, Deserialize)]
pub struct Mail {
    /// Envelope sender.
    pub from: String,
    /// Envelope recipients.
    pub to: Vec<String>,
    /// Header names and decoded values, in order.
    pub headers: Vec<(String, String)>,
    /// The plain text part, decoded.
    pub text: String,
    /// The HTML part, decoded; empty where there is none.
    pub html: String,
    /// File names of attachments.
    pub attachments: Vec<String>,
    /// Whether it came over TLS.
    pub encrypted: bool,
    /// Who had logged in.
    pub login: Option<String>,
    /// The bytes as they came.
    pub raw: String,
}

impl Mail {
    /// The first header of this name, or "".
    #[must_use]
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(n, _value)| n.eq_ignore_ascii_case(name));
        found.map_or("", |(_name, value)| value.as_str())
    }
}

impl Smtp {
    /// A server that takes mail from anyone.
    pub async fn start() -> Self {
        Self::with(None).await
    }

    /// A server that takes mail only after this login.
    pub async fn start_with_login(user: &str, password: &str) -> Self {
        Self::with(Some((user.to_owned(), password.to_owned()))).await
    }

    async fn with(login: Option<(String, String)>) -> Self {
        let folder = Folder::new("smtp");
        std::fs::create_dir(folder.path().join("mail")).expect("make the mail folder");
        let authority = Authority::new(&folder);
        let doors = [Port::take(), Port::take(), Port::take()];
        let mut smtp = Self { process: None, authority, login, doors, folder };
        smtp.start_again().await;
        smtp
    }

    /// Its address as settings name it, without TLS.
    #[must_use]
    pub fn plain_url(&self) -> String {
        self.address("smtp", "127.0.0.1", 0, "")
    }

    /// Its address as settings name it, TLS after STARTTLS.
    #[must_use]
    pub fn starttls_url(&self) -> String {
        self.address("smtp", "localhost", 1, "?tls=required")
    }

    /// Its address as settings name it, TLS from the first byte.
    #[must_use]
    pub fn implicit_url(&self) -> String {
        self.address("smtps", "localhost", 2, "")
    }

    /// The ports of the three doors: plain, STARTTLS, implicit TLS.
    #[must_use]
    pub fn ports(&self) -> [u16; 3] {
        self.doors.each_ref().map(Port::number)
    }

    /// The authority to trust, as PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.authority.pem
    }

    /// The file of the authority to trust.
    #[must_use]
    pub fn ca_file(&self) -> &Path {
        &self.authority.file
    }

    /// Every mail so far, in order of arrival.
    #[must_use]
    pub fn mails(&self) -> Vec<Mail> {
        let mut files: Vec<PathBuf> = std::fs::read_dir(self.folder.path().join("mail"))
            .expect("read the mail folder")
            .filter_map(|entry| entry.ok().map(|e| e.path()))
            .filter(|path| path.extension().is_some_and(|e| e == "json"))
            .collect();
        files.sort();
        let read = |path: PathBuf| -> Mail {
            let text = std::fs::read_to_string(&path).expect("read a mail");
            serde_json::from_str(&text).expect("a mail as smtp_server.py writes it")
        };
        files.into_iter().map(read).collect()
    }

    /// Waits for a mail to `to` whose text part or subject contains `part`.
    pub async fn expect_mail(&self, to: &str, part: &str) -> Mail {
        let what = format!("a mail to {to} that contains {part:?}; the server's files: {}", self.folder.path().display());
        wait::until(&what, async || {
            let fits = |mail: &Mail| mail.to.iter().any(|t| t == to) && (mail.text.contains(part) || mail.header("subject").contains(part));
            self.mails().into_iter().find(fits)
        })
        .await
    }

    /// Takes the server away.
    pub fn kill(&mut self) {
        if let Some(process) = self.process.take() {
            process.kill();
        }
    }

    /// Starts it where it was.
    pub async fn start_again(&mut self) {
        assert!(self.process.is_none(), "the mail server is already running");
        let server = self.authority.server(&self.folder);
        let mut command = Command::new(python());
        command
            .arg(self.folder.write("smtp_server.py", SERVER))
            .arg(self.folder.path().join("mail"))
            .args([server.certificate_file, server.key_file])
            .args(self.ports().map(|port| port.to_string()));
        if let Some((user, password)) = &self.login {
            command.args([user, password]);
        }
        let mut process = Process::start("aiosmtpd", &mut command, &self.folder.path().join("smtp.log"));
        for port in self.ports() {
            process.answers_on(port).await;
        }
        self.process = Some(process);
    }

    fn address(&self, scheme: &str, host: &str, door: usize, query: &str) -> String {
        let user = self.login.as_ref().map(|(user, _password)| format!("{user}@")).unwrap_or_default();
        let port = self.doors.get(door).map_or(0, Port::number);
        format!("{scheme}://{user}{host}:{port}{query}")
    }
}

/// The interpreter that has `aiosmtpd`: the distribution's own, which need not be the first on the `PATH`.
fn python() -> PathBuf {
    let candidates = [Some(PathBuf::from("/usr/bin/python3")), program::look_for("python3")];
    let has = |python: &PathBuf| {
        let probe = Command::new(python).args(["-c", "import aiosmtpd"]).output();
        probe.is_ok_and(|output| output.status.success())
    };
    candidates.into_iter().flatten().find(has).unwrap_or_else(|| program::missing("aiosmtpd", "python3-aiosmtpd"))
}
