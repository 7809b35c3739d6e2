//! `cooee record`: the key that signs the record. Made once, rotated, and begun anew after a restore.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;

use crate::cli::{File, Record};
use crate::command::serve::load;
use crate::signing::Signing;
use crate::wire::take_data_dir;

/// Does it, and prints the public key. The station must not be running: it takes the key up at its next start.
pub(crate) fn run(arguments: &Record) -> anyhow::Result<ExitCode> {
    let (file, words) = match arguments {
        Record::New(new) => (&new.file, "The record is signed from the next start on. Its public key, which every verifier needs:"),
        Record::Rotate(file) => (file, "From the next start on both keys sign. Give every verifier the new one, the first of these:"),
        Record::Recover(file) => (file, "From the next start on the record is signed under a new name. Its public key:"),
    };
    let (signing, _lock) = held(file)?;
    let keys = match arguments {
        Record::New(new) => vec![signing.begin(&new.origin)?],
        Record::Rotate(_) => signing.rotate().map(|(new, old)| vec![new, old])?,
        Record::Recover(_) => vec![signing.recover()?],
    };
    let shown = format!("{words}\n\n  {}\n\nKeep a printed copy where this machine's operator cannot exchange it.\n", keys.join("\n  "));
    std::io::stdout().write_all(shown.as_bytes()).context("print the public key")?;
    Ok(ExitCode::SUCCESS)
}

fn held(file: &File) -> anyhow::Result<(Signing, std::fs::File)> {
    let settings = load(file)?;
    let data_dir = &settings.station.data_dir;
    let lock = take_data_dir(data_dir)?;
    Ok((Signing::of(data_dir), lock))
}
