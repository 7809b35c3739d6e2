//! `cooee verify`: what is wrong with a record, where, and since when; or with an evidence bundle. Reads and changes nothing; the
//! station may be running.
//!
//! Exit code 0: nothing is wrong. 1: something is. 2: it could not be looked at.

mod bundle;

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};

use crate::auditing::{Subject, as_json, as_text};
use crate::cli::Verify;
use crate::command::serve::load;
use crate::signing::Signing;
use crate::terminal;

/// Looks at everything, and prints what was found.
pub(crate) fn run(arguments: &Verify) -> anyhow::Result<ExitCode> {
    if let Some(path) = &arguments.bundle {
        return bundle::run(path, arguments);
    }
    let subject = subject(arguments)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start the runtime")?;
    let (report, trusted) = runtime.block_on(subject.look())?;
    let verdict = if report.is_sound() { "nothing is wrong with what was looked at" } else { "this record is not what it was" };
    let shown = if arguments.json {
        format!("{}\n", terminal::json(&as_json(&report, trusted)))
    } else {
        format!("{}{verdict}\n", as_text(&report, trusted))
    };
    std::io::stdout().write_all(shown.as_bytes()).context("print what was found")?;
    Ok(if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn subject(arguments: &Verify) -> anyhow::Result<Subject> {
    let there = |path: PathBuf| path.exists().then_some(path);
    let found = if let Some(database) = &arguments.database {
        ensure!(database.is_file(), "there is no {}\n  --database names the file of a record", database.display());
        Subject::file(database)?
    } else {
        let settings = load(&arguments.file)?;
        let folder = settings.station.data_dir;
        let notes = there(Signing::of(&folder).notes());
        Subject { url: settings.record.url, folder, notes, outside: Vec::new(), papers: Vec::new(), keys: Vec::new() }
    };
    let notes = arguments.notes.clone().or_else(|| found.notes.clone());
    Ok(Subject { notes, outside: arguments.checkpoints.clone(), papers: arguments.papers.clone(), keys: arguments.keys.clone(), ..found })
}
