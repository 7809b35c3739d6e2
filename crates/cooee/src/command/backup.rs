//! `cooee backup`: a copy of the record and what belongs to it, taken while the station runs, and looked at.
//!
//! Exit code 0: there is a backup, and nothing is wrong with it. 1: something is wrong with the record, and so with its copy.
//! 2: it could not be taken.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use station::clock::{Clock as _, MachineClock};

use crate::auditing::as_text;
use crate::backup::Backup;
use crate::cli;
use crate::command::serve::load;

/// Takes it, and says where it is and what it holds.
pub(crate) fn run(arguments: &cli::Backup) -> anyhow::Result<ExitCode> {
    let settings = load(&arguments.file)?;
    let now = format!("{:.0}", MachineClock::start().wall());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start the runtime")?;
    let taken = runtime.block_on(Backup::take(&settings, &arguments.to, &now))?;
    let found = as_text(&taken.report, taken.keys);
    let sound = taken.report.is_sound();
    let verdict = if sound {
        "this is a backup; it was read after it was written, and nothing is wrong with it"
    } else {
        "this is no backup: the record is not what it was. Keep it as evidence"
    };
    let shown = format!("{found}{}: {verdict}\n", taken.folder.display());
    std::io::stdout().write_all(shown.as_bytes()).context("print where the backup is")?;
    Ok(if sound { ExitCode::SUCCESS } else { ExitCode::from(1) })
}
