//! A throwaway PostgreSQL cluster.
//!
//! One is shared by the tests of a process that run at the same time, each with a database of its own; a test that
//! takes the database away from Cooee starts a cluster for itself.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use tokio::sync::Mutex;

use crate::folder::Folder;
use crate::port::Port;
use crate::program::{self, Process};

static SHARED: Mutex<Weak<Postgres>> = Mutex::const_new(Weak::new());
static DATABASES: AtomicU32 = AtomicU32::new(1);

/// A cluster on a port of its own that it keeps over restarts.
#[derive(Debug)]
pub struct Postgres {
    process: Option<Process>,
    programs: PathBuf,
    owner: Option<Owner>,
    fsync: bool,
    port: Port,
    folder: Folder,
}

/// A database in a cluster that lives as long as a test holds it.
#[derive(Debug)]
pub struct Database {
    cluster: Arc<Postgres>,
    name: String,
}

/// Whom the server runs as when we are root, which it refuses to be.
#[derive(Clone, Copy, Debug)]
struct Owner {
    uid: u32,
    gid: u32,
}

impl Database {
    /// A fresh database in the cluster that this process shares.
    pub async fn fresh() -> Self {
        let mut shared = SHARED.lock().await;
        let cluster = match shared.upgrade() {
            Some(cluster) => cluster,
            None => Arc::new(Postgres::start().await),
        };
        *shared = Arc::downgrade(&cluster);
        let name = cluster.create_database();
        Self { cluster, name }
    }

    /// Its address as settings name it.
    #[must_use]
    pub fn url(&self) -> String {
        self.cluster.url(&self.name)
    }

    /// Runs one statement and gives its rows, columns parted by `|`.
    pub fn query(&self, sql: &str) -> String {
        self.cluster.query(&self.name, sql)
    }
}

impl Postgres {
    /// A cluster whose commits do not wait for the disk: for everything but durability.
    pub async fn start() -> Self {
        Self::with(false).await
    }

    /// A cluster that waits for the disk, as an operator's does.
    pub async fn start_durable() -> Self {
        Self::with(true).await
    }

    async fn with(fsync: bool) -> Self {
        let programs = programs();
        let folder = Folder::new("postgres");
        let owner = owner();
        if let Some(owner) = owner {
            std::os::unix::fs::chown(folder.path(), Some(owner.uid), Some(owner.gid)).expect("hand over a folder");
        }
        let mut cluster = Self { process: None, programs, owner, fsync, port: Port::take(), folder };
        let data = cluster.folder.path().join("data");
        cluster.must("initdb", |c| {
            c.args(["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C", "--no-sync"]).arg(&data);
        });
        cluster.start_again().await;
        cluster
    }

    /// Makes a database and says its name.
    #[must_use]
    pub fn create_database(&self) -> String {
        let name = format!("proof_{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let _rows = self.query("postgres", &format!("create database {name}"));
        name
    }

    /// The address of one of its databases, as settings name it.
    #[must_use]
    pub fn url(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}", self.port.number())
    }

    /// Runs one statement and gives its rows, columns parted by `|`.
    pub fn query(&self, database: &str, sql: &str) -> String {
        self.must("psql", |c| {
            c.args(["--no-psqlrc", "-At", "-v", "ON_ERROR_STOP=1", "-d", &self.url(database), "-c", sql]);
        })
    }

    /// Dumps one of its databases as an operator would, and restores the dump into another, which is empty.
    pub fn copy(&self, from: &str, to: &str) {
        let dump = self.must("pg_dump", |c| {
            c.arg(self.url(from));
        });
        let file = self.folder.write(&format!("{from}.sql"), &dump);
        self.must("psql", |c| {
            c.args(["--no-psqlrc", "-q", "-v", "ON_ERROR_STOP=1", "-d", &self.url(to), "-f"]).arg(&file);
        });
    }

    /// What lies in its files below this folder of its data directory (`base`, `pg_wal`), each by its path.
    #[must_use]
    pub fn files(&self, below: &str) -> Vec<(PathBuf, Vec<u8>)> {
        let mut folders = vec![self.folder.path().join("data").join(below)];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for path in std::fs::read_dir(&folder).expect("a folder of the cluster").map(|entry| entry.expect("an entry").path()) {
                if path.is_dir() {
                    folders.push(path);
                } else if let Ok(bytes) = std::fs::read(&path) {
                    // What is gone by now was removed by the server between the two looks.
                    files.push((path, bytes));
                }
            }
        }
        files
    }

    /// What the server itself has logged.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("postgres.log")).expect("the server's log")
    }

    /// Starts it where it was.
    pub async fn start_again(&mut self) {
        assert!(self.process.is_none(), "the database is already running");
        let mut command = self.command("postgres");
        command
            .arg("-D")
            .arg(self.folder.path().join("data"))
            .arg("-k")
            .arg(self.folder.path())
            .args(["-p", &self.port.number().to_string()])
            .args(["-c", "listen_addresses=127.0.0.1"])
            .args(["-c", if self.fsync { "fsync=on" } else { "fsync=off" }]);
        let mut process = Process::start("postgres", &mut command, &self.folder.path().join("postgres.log"));
        let ready = format!("PostgreSQL to accept connections on port {}", self.port.number());
        crate::wait::until(&ready, async || {
            process.must_live();
            let (status, _said) = self.run("pg_isready", |c| {
                c.args(["-h", "127.0.0.1", "-p", &self.port.number().to_string()]);
            });
            status.success().then_some(())
        })
        .await;
        self.process = Some(process);
    }

    /// Takes it away, cutting every connection in an orderly way.
    pub async fn stop(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop("INT").await;
        }
    }

    /// Takes it away at once: connections are cut, what was not committed is rolled back at the next start.
    pub async fn crash(&mut self) {
        if let Some(process) = self.process.take() {
            process.stop("QUIT").await;
        }
    }

    /// Holds it still without closing a connection: a statement neither fails nor ends.
    pub fn freeze(&self) {
        self.signal_all("STOP");
    }

    /// Lets a frozen cluster go on.
    pub fn thaw(&self) {
        self.signal_all("CONT");
    }

    fn signal_all(&self, signal: &str) {
        let Some(process) = &self.process else { return };
        let parent = process.pid().to_string();
        let children = Command::new("ps").args(["-o", "pid=", "--ppid", &parent]).output().expect("run ps");
        for pid in String::from_utf8_lossy(&children.stdout).split_whitespace().filter_map(|p| p.parse().ok()) {
            program::send(signal, pid);
        }
        process.signal(signal);
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(self.programs.join(program));
        command.current_dir(self.folder.path());
        if let Some(owner) = self.owner {
            std::os::unix::process::CommandExt::gid(&mut command, owner.gid);
            std::os::unix::process::CommandExt::uid(&mut command, owner.uid);
        }
        command
    }

    fn run(&self, program: &str, arguments: impl FnOnce(&mut Command)) -> (ExitStatus, String) {
        let mut command = self.command(program);
        arguments(&mut command);
        let output = command.output().unwrap_or_else(|e| panic!("run {program}: {e}"));
        let mut said = String::from_utf8_lossy(&output.stdout).into_owned();
        said.push_str(&String::from_utf8_lossy(&output.stderr));
        (output.status, said)
    }

    fn must(&self, program: &str, arguments: impl FnOnce(&mut Command)) -> String {
        let (status, said) = self.run(program, arguments);
        assert!(status.success(), "{program} failed ({status}): {said}");
        said.trim_end().to_owned()
    }
}

/// The newest server's programs: Debian and Fedora keep them off the `PATH`.
fn programs() -> PathBuf {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions
        .filter_map(|entry| {
            let version: u32 = entry.file_name().to_str()?.parse().ok()?;
            let programs = entry.path().join("bin");
            programs.join("initdb").is_file().then_some((version, programs))
        })
        .max()
        .map(|(_version, programs)| programs)
        .or_else(|| program::look_for("initdb")?.parent().map(Path::to_path_buf))
        .unwrap_or_else(|| program::missing("PostgreSQL", "postgresql"))
}

fn owner() -> Option<Owner> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    if id(&["-u"])? != 0 {
        return None;
    }
    let missing = || program::missing("the user postgres, who the server runs as,", "postgresql");
    Some(Owner { uid: id(&["-u", "postgres"]).unwrap_or_else(missing), gid: id(&["-g", "postgres"]).unwrap_or_else(missing) })
}
