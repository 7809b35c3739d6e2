//! `cooee verify`: what is wrong with a record, where, and since when. Reads and changes nothing; the station may be running.
//!
//! Exit code 0: nothing is wrong. 1: something is. 2: it could not be looked at.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use ledger::{AnyLedger, Audit, AuditReport, Severity, Witnessed, notes};
use serde_json::json;

use crate::cli::Verify;
use crate::command::serve::load;
use crate::signing::Signing;

/// What is looked at.
struct Subject {
    /// The record's address.
    url: String,
    /// Where a relative address begins.
    folder: PathBuf,
    /// The signer's own notes, where there are any.
    notes: Option<PathBuf>,
}

/// Looks at everything, and prints what was found.
pub(crate) fn run(arguments: &Verify) -> anyhow::Result<ExitCode> {
    let subject = subject(arguments)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start the runtime")?;
    let (report, trusted) = runtime.block_on(look(arguments, &subject))?;
    let shown = if arguments.json { format!("{}\n", as_json(&report, trusted)) } else { as_text(&report, trusted) };
    std::io::stdout().write_all(shown.as_bytes()).context("print what was found")?;
    Ok(if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn subject(arguments: &Verify) -> anyhow::Result<Subject> {
    let there = |path: PathBuf| path.exists().then_some(path);
    if let Some(database) = &arguments.database {
        ensure!(database.is_file(), "there is no {}\n  --database names the file of a record", database.display());
        let folder = database.parent().unwrap_or(Path::new(".")).to_owned();
        let name = database.file_name().and_then(|name| name.to_str()).context("the database's name is no text")?;
        let notes = arguments.notes.clone().or_else(|| there(folder.join("checkpoints")));
        return Ok(Subject { url: format!("sqlite:{name}"), folder, notes });
    }
    let settings = load(&arguments.file)?;
    let folder = settings.station.data_dir;
    let notes = arguments.notes.clone().or_else(|| there(Signing::of(&folder).notes()));
    Ok(Subject { url: settings.record.url, folder, notes })
}

/// How far the keys can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keys {
    /// They were given by whoever verifies.
    Given,
    /// They stand in the record itself, so that whoever forged it could have put in others.
    FromTheRecord,
    /// There is none.
    None,
}

async fn look(arguments: &Verify, subject: &Subject) -> anyhow::Result<(AuditReport, Keys)> {
    // Read first: the record only grows, so that it is at least as long as what was signed before.
    let mut checkpoints = Vec::new();
    let own = subject.notes.iter().map(|path| (path, false));
    for (path, outside) in own.chain(arguments.checkpoints.iter().map(|path| (path, true))) {
        let from = path.display().to_string();
        let text = std::fs::read_to_string(path).with_context(|| format!("read {from}"))?;
        let (whole, rest) = notes(&text);
        ensure!(!outside || (rest.is_empty() && !whole.is_empty()), "{from} holds no whole checkpoint; take the file as it was sent");
        checkpoints.extend(whole.into_iter().map(|note| Witnessed { from: from.clone(), outside, note: note.to_owned() }));
    }
    let record = AnyLedger::open_to_read(&subject.url, &subject.folder).await.context("open the record")?;
    let (keys, trusted) = match arguments.keys.as_slice() {
        [] => {
            let keys = record.signing_keys().await;
            let trusted = if keys.is_empty() { Keys::None } else { Keys::FromTheRecord };
            (keys, trusted)
        }
        given => (given.to_vec(), Keys::Given),
    };
    let mut audit = Audit::new(keys, checkpoints);
    record.audit(&mut audit).await;
    Ok((audit.finish(), trusted))
}

fn as_text(report: &AuditReport, keys: Keys) -> String {
    let mut text = String::new();
    let wrong = |severity| report.findings.iter().filter(move |finding| finding.fault.severity() == severity);
    for (mark, severity) in [("WRONG", Severity::Fault), ("known", Severity::Known)] {
        for finding in wrong(severity) {
            let _written = writeln!(text, "{mark}  {finding}");
        }
    }
    match keys {
        Keys::Given => {}
        Keys::FromTheRecord => text.push_str(
            "known  the keys were taken from the record itself: whoever forged it could have put in others; give the printed one with  --key\n",
        ),
        Keys::None => text.push_str("known  nothing was signed, or no key was given: only that the record fits together was looked at\n"),
    }
    let _written = writeln!(text, "{} entries, root {}", report.size, report.root.digest());
    if let (Some(first), Some(last)) = (&report.first_at, &report.last_at) {
        let _written = writeln!(text, "from {first} to {last}");
    }
    if report.gone > 0 {
        let _written = writeln!(text, "the bytes of {} entries are gone, their hashes are there", report.gone);
    }
    let covered = |size: Option<u64>| size.map_or("none".to_owned(), |size| format!("the first {size} entries"));
    let _written = writeln!(
        text,
        "{} checkpoints hold; signed: {}; covered from outside: {}",
        report.holding,
        covered(report.newest),
        covered(report.newest_outside)
    );
    text.push_str(if report.is_sound() { "nothing is wrong with what was looked at\n" } else { "this record is not what it was\n" });
    text
}

fn as_json(report: &AuditReport, keys: Keys) -> serde_json::Value {
    let findings: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            json!({
                "what": finding.fault.name(),
                "wrong": finding.fault.severity() == Severity::Fault,
                "from": finding.places.start,
                "to": finding.places.end,
                "after": finding.since,
                "words": finding.to_string(),
            })
        })
        .collect();
    json!({
        "sound": report.is_sound(),
        "size": report.size,
        "root": report.root.digest().to_string(),
        "first_at": report.first_at,
        "last_at": report.last_at,
        "bodies_gone": report.gone,
        "checkpoints_holding": report.holding,
        "signed_to": report.newest,
        "covered_from_outside_to": report.newest_outside,
        "keys": match keys { Keys::Given => "given", Keys::FromTheRecord => "from_the_record", Keys::None => "none" },
        "findings": findings,
    })
}
