//! Programs that are not ours: found, started, watched, stopped by their own process id.

use std::fs::OpenOptions;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};

use tokio::net::TcpStream;

use crate::wait;

/// Folders that hold servers and are not on everybody's `PATH`.
const ELSEWHERE: [&str; 5] = ["/usr/sbin", "/usr/local/sbin", "/usr/lib/chromium", "/opt/homebrew/bin", "/opt/homebrew/sbin"];

/// Where `program` is, or `None`.
#[must_use]
pub fn look_for(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).chain(ELSEWHERE.iter().map(PathBuf::from)).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Where `program` is; fails with the remedy where it is missing. `package` is its name for apt-get.
#[must_use]
pub fn find(program: &str, package: &str) -> PathBuf {
    look_for(program).unwrap_or_else(|| missing(program, package))
}

/// Fails the test because a part is missing, and says what to do.
pub fn missing(program: &str, package: &str) -> ! {
    panic!("{program} is missing: run `cargo xtask test`, which installs it, or apt-get install {package}")
}

/// A running program, its output in a log file.
#[derive(Debug)]
pub struct Process {
    name: &'static str,
    child: Child,
    log: PathBuf,
    _guard: Guard,
}

impl Process {
    /// Starts `command`; what it says is appended to `log`.
    #[must_use]
    pub fn start(name: &'static str, command: &mut Command, log: &Path) -> Self {
        let out = OpenOptions::new().create(true).append(true).open(log).expect("open a log file");
        let err = out.try_clone().expect("share a log file");
        let child = command.stdin(Stdio::null()).stdout(out).stderr(err).spawn().unwrap_or_else(|e| panic!("start {name}: {e}"));
        let guard = Guard::over(child.id());
        Self { name, child, log: log.to_path_buf(), _guard: guard }
    }

    /// Its process id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// How it ended, if it has.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("ask after a child process")
    }

    /// Sends the named signal (`TERM`, `INT`, `HUP`, `STOP`, `CONT`).
    pub fn signal(&self, signal: &str) {
        send(signal, self.pid());
    }

    /// Ends it as a power cut would.
    pub fn kill(mut self) {
        self.end();
    }

    /// Asks it to end by `signal` and waits until it has.
    pub async fn stop(mut self, signal: &str) -> ExitStatus {
        self.signal(signal);
        let what = format!("{} to end after SIG{signal}; its log: {}", self.name, self.log.display());
        wait::until(&what, async || self.ended()).await
    }

    /// Waits until something answers on `port`; fails with the log when the program ends instead.
    pub async fn answers_on(&mut self, port: u16) {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let what = format!("{} to listen on {address}", self.name);
        wait::until(&what, async || {
            self.must_live();
            TcpStream::connect(address).await.ok().map(drop)
        })
        .await;
    }

    /// Fails the test, with what the program said, when it is no longer running.
    pub fn must_live(&mut self) {
        if let Some(status) = self.ended() {
            panic!("{} ended ({status}); it said:\n{}", self.name, self.said());
        }
    }

    /// Everything it has said.
    #[must_use]
    pub fn said(&self) -> String {
        let bytes = std::fs::read(&self.log).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn end(&mut self) {
        // Both fail only when it has already gone, which is what is wanted.
        let _gone = self.child.kill();
        let _reaped = self.child.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// Ends a program when this process ends without a word (killed, aborted), so that nothing is left running.
///
/// A shell that holds our end of a pipe: when the pipe closes because we are gone, it kills that one process id.
#[derive(Debug)]
pub struct Guard(Child);

impl Guard {
    /// Watches over the process `pid`, which must outlive the guard or be reaped after it.
    #[must_use]
    pub fn over(pid: u32) -> Self {
        let shell = Command::new("sh")
            .args(["-c", r#"read -r _; kill -KILL "$0" 2>/dev/null"#, &pid.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("start sh");
        Self(shell)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        // The guard goes before its pipe closes, so an ordinary end kills nothing that has taken the id since.
        let _gone = self.0.kill();
        let _reaped = self.0.wait();
    }
}

/// Sends a signal to one process.
pub fn send(signal: &str, pid: u32) {
    let status =
        Command::new("sh").args(["-c", r#"kill -s "$0" "$1""#, signal, &pid.to_string()]).stderr(Stdio::null()).status().expect("start sh");
    // A process that has just ended by itself is no failure of the test.
    let _ended = status.success();
}
