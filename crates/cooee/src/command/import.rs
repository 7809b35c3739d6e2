//! `cooee import`: people, sites and buttons from sheets, into the directory.
//!
//! Shows what would change, by name and number, because whoever may read the directory may: on standard output, never in the
//! log. With `--apply` it writes, and keeps the directory as it was beside it. The running station is told by a reload, as of
//! any other change.
//!
//! Exit code 0: nothing is wrong. 1: something is, and nothing was written. 2: it could not be done.

use std::fmt::Write as _;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use escalation::directory::finding::Finding;

use crate::cli;
use crate::command::serve::load;
use crate::import::{Change, Import, Sheet, Subject, Taken};
use crate::terminal::plain;

/// How many who are in no row are named; of more the rest are counted.
const NAMED_MAX: usize = 20;

/// Shows what the sheets change, and writes it where that is asked for.
pub(crate) fn run(arguments: &cli::Import) -> anyhow::Result<ExitCode> {
    let settings = load(&arguments.file)?;
    let path = &settings.directory.path;
    let text = std::fs::read_to_string(path).with_context(|| format!("read the directory {}", path.display()))?;
    let mut out = std::io::stdout().lock();
    let sheets = match read(arguments)? {
        Ok(sheets) => sheets,
        Err(findings) => {
            let shown = lines(&findings);
            write!(out, "{shown}\nNothing was taken: mend the sheet and try again.\n").context("print what is wrong")?;
            return Ok(ExitCode::from(1));
        }
    };
    let import = Import::of(&path.display().to_string(), &text, &sheets)?;
    write!(out, "{}", told(&import)).context("print what would change")?;
    let shown = path.display();
    let said = if import.is_refused() {
        "Nothing was written: with these changes the directory could not be used. Mend the sheet and try again.".to_owned()
    } else if import.is_nothing() {
        format!("{shown} says all of this already; nothing was written.")
    } else if arguments.apply {
        let before = replace(path, &text, &import.text)?;
        format!(
            "Written to {shown}; as it was before: {}.\nProve it with  cooee check, then have the station take it up:  systemctl reload cooee",
            before.display()
        )
    } else {
        "Nothing was written. Add --apply to write it.".to_owned()
    };
    writeln!(out, "{said}").context("print what was done")?;
    Ok(if import.is_refused() { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

/// The sheets, or everything that is wrong with them.
fn read(arguments: &cli::Import) -> anyhow::Result<Result<Vec<Sheet>, Vec<Finding>>> {
    let given = [(Subject::People, &arguments.people), (Subject::Sites, &arguments.sites), (Subject::Devices, &arguments.devices)];
    let (mut sheets, mut findings) = (Vec::new(), Vec::new());
    for (subject, path) in given {
        let Some(path) = path else { continue };
        let shown = path.display().to_string();
        let bytes = std::fs::read(path).with_context(|| format!("read the sheet {shown}"))?;
        match Sheet::read(subject, &shown, &bytes) {
            Ok(sheet) => sheets.push(sheet),
            Err(wrong) => findings.extend(wrong),
        }
    }
    Ok(if findings.is_empty() { Ok(sheets) } else { Err(findings) })
}

/// Puts the new text in the directory's place at once, under the same owner and rights, and the old one beside it.
fn replace(path: &Path, before: &str, after: &str) -> anyhow::Result<PathBuf> {
    let shown = path.display();
    // What a link leads to is replaced, and not the link.
    let path = &path.canonicalize().with_context(|| format!("find {shown}"))?;
    let meta = path.metadata().with_context(|| format!("look at {shown}"))?;
    let beside = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    };
    let (kept, new) = (beside(".before"), beside(".new"));
    for (path, text) in [(&kept, before), (&new, after)] {
        put(path, text, &meta).with_context(|| format!("write {}", path.display()))?;
    }
    let now = std::fs::read_to_string(path).with_context(|| format!("read {shown} again"))?;
    ensure!(now == before, "{shown} was changed by somebody else meanwhile, and nothing was written; try again");
    std::fs::rename(&new, path).with_context(|| format!("put the new directory in the place of {shown}"))?;
    Ok(kept)
}

/// Writes a file that is as private as another from its first byte on, and on the disk when this returns.
fn put(path: &Path, text: &str, like: &std::fs::Metadata) -> std::io::Result<()> {
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (like.uid(), like.gid()) {
        std::os::unix::fs::fchown(&file, Some(like.uid()), Some(like.gid()))?;
    }
    file.set_permissions(std::fs::Permissions::from_mode(like.mode() & 0o777))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

fn told(import: &Import) -> String {
    let mut told = String::new();
    for taken in &import.sheets {
        told += &of_a_sheet(taken);
    }
    told += &lines(&import.findings);
    if !import.findings.is_empty() {
        told.push('\n');
    }
    told
}

fn lines(findings: &[Finding]) -> String {
    findings.iter().fold(String::new(), |lines, finding| lines + &finding.to_string() + "\n")
}

fn of_a_sheet(taken: &Taken) -> String {
    let new = taken.changes.iter().filter(|change| change.is_new).count();
    let changed = taken.changes.len() - new;
    let mut told = format!("{}: {new} new, {changed} changed, {} as they are\n", taken.file, taken.unchanged);
    for change in &taken.changes {
        told += &of_a_row(taken.subject, change);
    }
    if !taken.left.is_empty() {
        let named: Vec<String> = taken.left.iter().take(NAMED_MAX).map(|key| plain(&key.to_string())).collect();
        let rest = taken.left.len() - named.len();
        let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
        let count = taken.left.len();
        let named = named.join(", ");
        let what = taken.subject.words();
        // Writing to a String cannot fail.
        let _infallible =
            writeln!(told, "  {count} {what} of the directory are in no row and stay; take leavers out by hand: {named}{more}");
    }
    told.push('\n');
    told
}

fn of_a_row(subject: Subject, change: &Change) -> String {
    let mark = if change.is_new { '+' } else { '~' };
    let mut told = format!("{mark} {} \"{}\"  (line {})\n", subject.section(), plain(&change.key.to_string()), change.line);
    for (column, was, becomes) in &change.cells {
        let said = match (was, becomes) {
            (Some(was), Some(becomes)) => format!("{}  ->  {}", plain(was), plain(becomes)),
            (Some(was), None) => format!("{}  ->  nothing", plain(was)),
            (None, Some(becomes)) => plain(becomes),
            (None, None) => continue,
        };
        // Writing to a String cannot fail.
        let _infallible = writeln!(told, "    {column}: {said}");
    }
    told
}
