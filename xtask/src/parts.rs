//! The programs that the acceptance ring needs, and how each system installs them.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Result, bail};

use crate::step::{Step, say};

/// One program, and its package by the name that each package manager knows.
#[derive(Debug)]
struct Part {
    name: &'static str,
    is_there: fn() -> bool,
    apt: &'static str,
    dnf: &'static str,
    pacman: &'static str,
    brew: &'static str,
}

const PARTS: [Part; 7] = [
    Part {
        name: "mosquitto",
        is_there: || on_path("mosquitto") && on_path("mosquitto_passwd"),
        apt: "mosquitto",
        dnf: "mosquitto",
        pacman: "mosquitto",
        brew: "mosquitto",
    },
    Part {
        name: "the PostgreSQL server",
        is_there: || on_path("initdb") || has_debian_postgres(Path::new("/usr/lib/postgresql")),
        apt: "postgresql",
        dnf: "postgresql-server",
        pacman: "postgresql",
        brew: "postgresql@17",
    },
    Part {
        name: "chromium",
        is_there: || on_path("chromium") || on_path("chromium-browser"),
        apt: "chromium",
        dnf: "chromium",
        pacman: "chromium",
        brew: "chromium",
    },
    Part {
        name: "chromedriver",
        is_there: || on_path("chromedriver"),
        apt: "chromium-driver",
        dnf: "chromedriver",
        pacman: "chromium",
        brew: "chromedriver",
    },
    Part {
        name: "the PDF tools poppler-utils",
        is_there: || ["pdftotext", "pdfinfo", "pdftoppm"].into_iter().all(on_path),
        apt: "poppler-utils",
        dnf: "poppler-utils",
        pacman: "poppler",
        brew: "poppler",
    },
    Part { name: "openssl", is_there: || on_path("openssl"), apt: "openssl", dnf: "openssl", pacman: "openssl", brew: "openssl@3" },
    Part {
        name: "the mail server aiosmtpd",
        is_there: has_aiosmtpd,
        apt: "python3-aiosmtpd",
        dnf: "python3-aiosmtpd",
        pacman: "python-aiosmtpd",
        brew: "python (then: python3 -m pip install aiosmtpd)",
    },
];

/// Installs what is missing through apt-get, or says what to install and fails.
pub(crate) fn install_missing() -> Result<()> {
    let missing: Vec<&Part> = PARTS.iter().filter(|part| !(part.is_there)()).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|part| part.name).collect();
    say(&format!("The tests run against real parts. Missing: {}.", names.join(", ")));
    if !on_path("apt-get") {
        bail!("install them and try again:\n{}", hints(&missing));
    }
    let packages = missing.iter().map(|part| part.apt);
    let update = Step::new("apt-get", ["update"]);
    let install = Step::new("apt-get", ["install", "--yes", "--no-install-recommends"].into_iter().chain(packages.clone()));
    match rights() {
        Rights::Root => {
            update.run()?;
            install.env("DEBIAN_FRONTEND", "noninteractive").run()?;
        }
        Rights::Sudo => {
            Step::new("sudo", ["apt-get", "update"]).run()?;
            let install = ["apt-get", "install", "--yes", "--no-install-recommends"];
            Step::new("sudo", install.into_iter().chain(packages)).run()?;
        }
        Rights::None => bail!("installing needs root, and there is no sudo. As root run\n  {} && {}", update.shown(), install.shown()),
    }
    let still: Vec<&str> = missing.iter().filter(|part| !(part.is_there)()).map(|part| part.name).collect();
    if !still.is_empty() {
        bail!("installed, and yet not found: {}", still.join(", "));
    }
    Ok(())
}

enum Rights {
    Root,
    Sudo,
    None,
}

fn rights() -> Rights {
    let id = Command::new("id").arg("-u").output();
    if id.is_ok_and(|output| output.stdout.trim_ascii() == b"0") {
        Rights::Root
    } else if on_path("sudo") {
        Rights::Sudo
    } else {
        Rights::None
    }
}

fn hints(missing: &[&Part]) -> String {
    let line = |tool: &str, name: fn(&Part) -> &'static str| {
        let mut names: Vec<&str> = missing.iter().map(|part| name(part)).collect();
        names.dedup();
        format!("  {tool} {}", names.join(" "))
    };
    [
        line("Fedora:   dnf install", |part| part.dnf),
        line("Arch:     pacman -S", |part| part.pacman),
        line("Homebrew: brew install", |part| part.brew),
    ]
    .join("\n")
}

/// Whether a program is on the `PATH`, or where servers are kept off it.
fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let elsewhere = ["/usr/sbin", "/usr/local/sbin", "/opt/homebrew/bin", "/opt/homebrew/sbin"];
    std::env::split_paths(&path).chain(elsewhere.iter().map(PathBuf::from)).any(|folder| folder.join(program).is_file())
}

/// Debian and its kin keep each version's programs in a folder of its own.
fn has_debian_postgres(versions: &Path) -> bool {
    let versions = std::fs::read_dir(versions).into_iter().flatten().flatten();
    versions.into_iter().any(|version| version.path().join("bin/initdb").is_file())
}

/// The distribution's own interpreter has it, or the first one on the `PATH`.
fn has_aiosmtpd() -> bool {
    ["/usr/bin/python3", "python3"].iter().any(|python| {
        let probe = Command::new(python).args(["-c", "import aiosmtpd"]).output();
        probe.is_ok_and(|output| output.status.success())
    })
}
