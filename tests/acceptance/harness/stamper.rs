//! A time-stamping authority: `openssl ts -reply` behind a small HTTP server, with a root of its own.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse as _, Redirect, Response};
use futures_util::stream;
use tokio::task::JoinHandle;

use crate::folder::Folder;
use crate::program;

/// Its root, its own certificate, and how it stamps. `refusing` takes another hash than anybody asks with.
const CONFIG: &str = "\
[req]
distinguished_name = name
prompt = no
[name]
CN = A test root
[root]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[stamping]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
[usual]
serial = serial
crypto_device = builtin
signer_cert = authority.pem
signer_key = authority.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.1
digests = sha256
accuracy = secs:1
tsa_name = yes
ess_cert_id_alg = sha256
[refusing]
serial = serial
crypto_device = builtin
signer_cert = authority.pem
signer_key = authority.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.99999.1
digests = sha512
";
/// What it says that an answer is.
const REPLY: (&str, &str) = ("content-type", "application/timestamp-reply");
/// Where whoever follows it is given a stamp after all.
const ELSEWHERE: &str = "/elsewhere";
/// Where the digest lies in a question about a SHA-256.
const DIGEST: std::ops::Range<usize> = 24..56;

/// An authority; gone when dropped.
pub struct Stamper {
    url: String,
    desk: Arc<Desk>,
    server: JoinHandle<()>,
}

struct Desk {
    folder: Folder,
    fault: Mutex<Option<StampFault>>,
    asked: Mutex<usize>,
}

/// What is wrong with its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StampFault {
    /// It stamps what nobody asked about.
    OtherDigest,
    /// It answers somebody else's question about the same.
    OtherNonce,
    /// It brings no certificate.
    NoCertificate,
    /// It says that it will not.
    Refuses,
    /// It takes the question and never answers.
    Hangs,
    /// Its answer is no stamp.
    Garbage,
    /// Its answer never ends.
    Endless,
    /// It answers with a page for people.
    Page,
    /// It says that it stands elsewhere.
    Redirects,
}

impl Stamper {
    /// Makes a root and a certificate, and starts to answer.
    pub async fn start() -> Self {
        let folder = Folder::new("stamper");
        folder.write("config", CONFIG);
        folder.write("serial", "01");
        let key = ["ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out"];
        openssl(folder.path(), &[&key[..], &["root.key"]].concat());
        openssl(folder.path(), &[&key[..], &["authority.key"]].concat());
        let new = ["req", "-new", "-config", "config"];
        let root = ["-x509", "-key", "root.key", "-extensions", "root", "-days", "30", "-out", "root.pem"];
        openssl(folder.path(), &[&new[..], &root].concat());
        openssl(folder.path(), &[&new[..], &["-subj", "/CN=A test authority", "-key", "authority.key", "-out", "asked"]].concat());
        let sign = ["x509", "-req", "-in", "asked", "-CA", "root.pem", "-CAkey", "root.key", "-set_serial", "2", "-days", "30"];
        openssl(folder.path(), &[&sign[..], &["-extfile", "config", "-extensions", "stamping", "-out", "authority.pem"]].concat());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("listen");
        let url = format!("http://{}/stamp", listener.local_addr().expect("an address"));
        let desk = Arc::new(Desk { folder, fault: Mutex::new(None), asked: Mutex::new(0) });
        let router = Router::new().fallback(take).with_state(Arc::clone(&desk));
        let server = tokio::spawn(async move { axum::serve(listener, router).await.expect("serve") });
        Self { url, desk, server }
    }

    /// Where it is asked.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The certificate of its root, as it would give that to anybody.
    #[must_use]
    pub fn root(&self) -> PathBuf {
        self.desk.folder.path().join("root.pem")
    }

    /// The certificate with which it stamps, that of no root.
    #[must_use]
    pub fn own_certificate(&self) -> PathBuf {
        self.desk.folder.path().join("authority.pem")
    }

    /// From now on something is wrong with its answers, or nothing.
    pub fn fault(&self, fault: Option<StampFault>) {
        *self.desk.fault.lock().expect("nobody panics with it") = fault;
    }

    /// How often it was asked.
    #[must_use]
    pub fn asked(&self) -> usize {
        *self.desk.asked.lock().expect("nobody panics with it")
    }

    /// A table of settings that names it, with further settings in TOML.
    #[must_use]
    pub fn anchor(&self, name: &str, further: &str) -> String {
        format!("[[anchor]]\nname = {name:?}\nkind = \"rfc3161\"\nurl = {:?}\n{further}", self.url)
    }
}

impl Drop for Stamper {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// Runs `openssl` in a folder.
fn openssl(folder: &Path, arguments: &[&str]) {
    let output = Command::new(program::find("openssl", "openssl")).args(arguments).current_dir(folder).output().expect("run openssl");
    assert!(output.status.success(), "openssl {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

async fn take(State(desk): State<Arc<Desk>>, uri: Uri, headers: HeaderMap, question: Bytes) -> Response {
    let kind = headers.get("content-type").and_then(|kind| kind.to_str().ok());
    if kind != Some("application/timestamp-query") {
        return StatusCode::METHOD_NOT_ALLOWED.into_response();
    }
    let number = {
        let mut asked = desk.asked.lock().expect("nobody panics with it");
        *asked += 1;
        *asked
    };
    let fault = desk.fault.lock().expect("nobody panics with it").filter(|_| uri.path() != ELSEWHERE);
    let reply = match fault {
        Some(StampFault::Hangs) => std::future::pending().await,
        Some(StampFault::Garbage) => b"no stamp at all".to_vec(),
        Some(StampFault::Endless) => {
            let without_end = stream::repeat_with(|| Ok::<_, Infallible>(Bytes::from_static(&[0x30; 1_024])));
            return ([REPLY], Body::from_stream(without_end)).into_response();
        }
        Some(StampFault::Page) => return "<p>Welcome</p>".into_response(),
        Some(StampFault::Redirects) => return Redirect::temporary(ELSEWHERE).into_response(),
        Some(StampFault::OtherDigest | StampFault::OtherNonce | StampFault::NoCertificate | StampFault::Refuses) | None => {
            let stamping = tokio::task::spawn_blocking(move || stamp(desk.folder.path(), number, &question, fault));
            stamping.await.expect("openssl stamps")
        }
    };
    ([REPLY], reply).into_response()
}

/// What `openssl ts` answers to a question, or to another one.
fn stamp(folder: &Path, number: usize, question: &[u8], fault: Option<StampFault>) -> Vec<u8> {
    let (asked, reply) = (format!("{number}.tsq"), format!("{number}.tsr"));
    let mut question = question.to_vec();
    if fault == Some(StampFault::OtherDigest) {
        // All else is as it was asked, the nonce too.
        question.get_mut(DIGEST).expect("a question").fill(0x17);
    }
    std::fs::write(folder.join(&asked), &question).expect("keep the question");
    let digest: Vec<String> = question.get(DIGEST).expect("a question").iter().map(|byte| format!("{byte:02x}")).collect();
    let another = |digest: &str, further: &[&str]| {
        openssl(folder, &[&["ts", "-query", "-sha256", "-digest", digest, "-out", &asked], further].concat());
    };
    let mut section = "usual";
    match fault {
        Some(StampFault::OtherNonce) => another(&digest.concat(), &["-cert"]),
        Some(StampFault::NoCertificate) => another(&digest.concat(), &[]),
        Some(StampFault::Refuses) => section = "refusing",
        Some(
            StampFault::OtherDigest
            | StampFault::Hangs
            | StampFault::Garbage
            | StampFault::Endless
            | StampFault::Page
            | StampFault::Redirects,
        )
        | None => {}
    }
    openssl(folder, &["ts", "-reply", "-config", "config", "-section", section, "-queryfile", &asked, "-out", &reply]);
    std::fs::read(folder.join(reply)).expect("a reply")
}
