//! `cooee restore`: looks at a backup, says what it holds and what is lost after it, and puts it into an empty data directory.
//!
//! Exit code 0: it is sound, and nothing is known to be lost. 1: a checkpoint says that later entries are lost, or a list of erasures
//! is not whole; or, with `--verify`, something is wrong with it. 2: nothing was restored.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use ledger::{AuditReport, Fault, Severity};
use station::erasures::FILE;

use crate::auditing::as_text;
use crate::backup::Backup;
use crate::cli;
use crate::command::serve::load;
use crate::wire::take_data_dir;

/// Looks, says what was found, and restores where that was asked for and nothing is wrong.
pub(crate) fn run(arguments: &cli::Restore) -> anyhow::Result<ExitCode> {
    let backup = Backup::open(&arguments.from)?;
    let mut subject = backup.record()?;
    subject.outside.clone_from(&arguments.checkpoints);
    subject.keys.clone_from(&arguments.keys);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start the runtime")?;
    let settings = if arguments.verify { None } else { Some(load(&arguments.file)?) };
    let lying = settings.as_ref().map(|settings| settings.station.data_dir.join(FILE)).filter(|path| path.exists());
    let mut erased = backup.erasures()?;
    for list in arguments.erasures.iter().chain(&lying) {
        erased.add(list, backup.secret()?.as_ref())?;
    }
    let (report, keys) = runtime.block_on(subject.look())?;
    let own = subject.notes.map(|path| path.display().to_string());
    let lost = lost(&report, own.as_deref());
    let last_at = report.last_at.as_deref().and_then(|at| at.parse().ok());
    say(&format!("{}\n{}{}{}", backup.taken(), as_text(&report, keys), loss(&report, lost), erased.as_text(last_at)))?;
    let faults = report.findings.iter().filter(|finding| finding.fault.severity() == Severity::Fault);
    let sound = faults.filter(|finding| !is_loss(&finding.fault, own.as_deref())).count() == 0;
    if let Some(settings) = settings {
        ensure!(sound, "nothing was restored: this backup is not what it was\n  take an older one, and keep this one as evidence");
        let _lock = take_data_dir(&settings.station.data_dir)?;
        backup.put(&settings, &erased)?;
        say(&format!("restored into {}\n{NEXT}", settings.station.data_dir.display()))?;
    } else {
        say(if sound { "this backup can be restored\n" } else { "this backup is not what it was\n" })?;
    }
    Ok(if sound && lost.is_none() && erased.is_sound() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

const NEXT: &str = "before the start: where the record was signed, begin its next name with  cooee record recover\n\
    at the start: calls that were open when the backup was taken go on at once, and people are told\n";

/// Up to which place entries are known to have been, where that is beyond the copy's end.
fn lost(report: &AuditReport, own: Option<&str>) -> Option<u64> {
    let beyond = report.findings.iter().filter(|finding| is_loss(&finding.fault, own));
    beyond.map(|finding| finding.places.end).max()
}

/// A checkpoint from outside that reaches beyond the copy is no fault of it: it is older, as every backup is.
fn is_loss(fault: &Fault, own: Option<&str>) -> bool {
    matches!(fault, Fault::Truncated { from } if own != Some(from.as_str()))
}

fn loss(report: &AuditReport, lost: Option<u64>) -> String {
    let after = report.last_at.as_deref().map_or("it holds nothing".to_owned(), |last| format!("what happened after {last} is not in it"));
    match lost {
        Some(end) => format!("LOST   {after}: at least {} entries, which a checkpoint covers\n", end.saturating_sub(report.size)),
        None => format!("{after}; how much that is, only a later checkpoint can say\n"),
    }
}

fn say(text: &str) -> anyhow::Result<()> {
    std::io::stdout().write_all(text.as_bytes()).context("print what was found")
}
