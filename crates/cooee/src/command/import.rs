//! `cooee import`: people, sites and buttons from sheets, into the directory.
//!
//! Shows what would change, by name and number, because whoever may read the directory may: on standard output, never in the
//! log. With `--apply` it writes, and keeps the directory as it was beside it. The running station is told by a reload, as of
//! any other change.
//!
//! Exit code 0: nothing is wrong. 1: something is, and nothing was written. 2: it could not be done.

use std::fmt::Write as _;
use std::fs::{File, OpenOptions, Permissions, TryLockError};
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail, ensure};
use escalation::directory::finding::Finding;
use station::clock::{Clock as _, MachineClock};

use crate::cli;
use crate::command::serve::load;
use crate::import::{Change, Import, Key, Sheet, Subject, Taken};
use crate::terminal::plain;

/// How many who are in no row are named; of more the rest are counted.
const NAMED_MAX: usize = 20;

/// Shows what the sheets change, and writes it where that is asked for.
pub(crate) fn run(arguments: &cli::Import) -> anyhow::Result<ExitCode> {
    let settings = load(&arguments.file)?;
    let place = Place::of(&settings.directory.path, arguments.apply)?;
    let shown = settings.directory.path.display();
    let text = std::fs::read_to_string(&place.path).with_context(|| format!("read the directory {shown}"))?;
    let mut out = std::io::stdout().lock();
    let sheets = match read(arguments)? {
        Ok(sheets) => sheets,
        Err(findings) => {
            write!(out, "{}\nNothing was taken: mend the sheet and try again.\n", lines(&findings)).context("print what is wrong")?;
            return Ok(ExitCode::from(1));
        }
    };
    let import = Import::of(&shown.to_string(), &text, &sheets)?;
    write!(out, "{}", told(&import)).context("print what would change")?;
    if import.is_refused() {
        let why = "Nothing was written: with what is said above the directory could not be used. Mend that and try again.";
        writeln!(out, "{why}").context("print why nothing was written")?;
        return Ok(ExitCode::from(1));
    }
    let said = if import.is_nothing() {
        format!("{shown} says all of this already; nothing was written.")
    } else if arguments.apply {
        let kept = place.replace(&text, &import.text)?;
        let (kept, config) = (kept.display(), arguments.file.config.display());
        format!(
            "Written to {shown}; as it was before: {kept}.\n\
             Nothing has changed for the station yet. Prove it with  cooee check --config {config}  and reload:  systemctl reload cooee"
        )
    } else {
        "Nothing was written. Add --apply to write it.".to_owned()
    };
    // What is written stays written, whether anybody still reads this or not.
    drop(writeln!(out, "{said}"));
    Ok(ExitCode::SUCCESS)
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

/// Where the directory is.
struct Place {
    /// The file itself: what a link leads to is replaced, and not the link.
    path: PathBuf,
    /// Its folder; locked, where it is to be written, so that of two imports one waits for nobody and is refused.
    folder: File,
}

impl Place {
    fn of(path: &Path, to_write: bool) -> anyhow::Result<Self> {
        let path = path.canonicalize().with_context(|| format!("find the directory {}", path.display()))?;
        let parent = path.parent().context("find the folder of the directory")?;
        let folder = File::open(parent).with_context(|| format!("open the folder {}", parent.display()))?;
        if to_write {
            match folder.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => bail!("somebody else is importing into {} just now; try again after them", path.display()),
                Err(TryLockError::Error(why)) => return Err(why).with_context(|| format!("lock the folder {}", parent.display())),
            }
        }
        Ok(Self { path, folder })
    }

    /// Puts the new text in the directory's place at once, under the same owner and rights. The old file itself stays beside it
    /// under another name, which is given.
    fn replace(&self, before: &str, after: &str) -> anyhow::Result<PathBuf> {
        let Self { path, folder } = self;
        let shown = path.display();
        let new = self.beside(".new");
        // Of an import that was cut short.
        drop(std::fs::remove_file(&new));
        let kept = self.beside(&format!(".before-{}", MachineClock::start().wall().strftime("%Y%m%dT%H%M%S%.3fZ")));
        let done = put(path, &new, after).with_context(|| format!("write {}", new.display())).and_then(|()| {
            let now = std::fs::read_to_string(path).with_context(|| format!("read {shown} again"))?;
            ensure!(now == before, "{shown} was changed by somebody else meanwhile, and nothing was written; try again");
            std::fs::hard_link(path, &kept).with_context(|| format!("keep the directory as it was as {}", kept.display()))?;
            std::fs::rename(&new, path).with_context(|| format!("put the new directory in the place of {shown}")).inspect_err(|_| {
                // It says that there was a change, and there was none.
                drop(std::fs::remove_file(&kept));
            })
        });
        if done.is_err() {
            // It holds everybody's numbers.
            drop(std::fs::remove_file(&new));
        }
        done?;
        folder.sync_all().with_context(|| format!("have the disk keep {shown}: it is written, and may be gone after a power cut"))?;
        Ok(kept)
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut name = self.path.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    }
}

/// Writes a new file that is as private as another from its first byte on, and on the disk when this returns.
fn put(like: &Path, path: &Path, text: &str) -> std::io::Result<()> {
    let like = like.metadata()?;
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    let own = file.metadata()?;
    if (own.uid(), own.gid()) != (like.uid(), like.gid()) {
        std::os::unix::fs::fchown(&file, Some(like.uid()), Some(like.gid()))?;
    }
    file.set_permissions(Permissions::from_mode(like.mode() & 0o777))?;
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
    told += &silenced(&import.silenced);
    told
}

/// Who would be told of nothing any more.
fn silenced(people: &[String]) -> String {
    if people.is_empty() {
        return String::new();
    }
    let named: Vec<String> = people.iter().take(NAMED_MAX).map(|person| plain(person)).collect();
    let more = match people.len() - named.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("! {} people are told now and would be told of nothing any more: {}{more}\n\n", people.len(), named.join(", "))
}

fn lines(findings: &[Finding]) -> String {
    let shown = findings.iter().map(Finding::to_string);
    // A cell may hold what does something to a terminal instead of being seen.
    shown.flat_map(|finding| finding.lines().map(plain).collect::<Vec<_>>()).fold(String::new(), |lines, line| lines + &line + "\n")
}

fn of_a_sheet(taken: &Taken) -> String {
    let new = taken.changes.iter().filter(|change| change.is_new).count();
    let changed = taken.changes.len() - new;
    let mut told = format!("{}: {new} new, {changed} changed, {} as they are\n", taken.file, taken.unchanged);
    for change in &taken.changes {
        told += &of_a_row(taken.subject, change);
    }
    let what = taken.subject.words();
    let stay = "of the directory are in no row and stay; take leavers out by hand";
    told += &some(&taken.left, &format!("{what} {stay}"));
    told += &some(&taken.untold, "new people would be told of nothing: they are on no ladder that is climbed");
    told.push('\n');
    told
}

/// How many of them there are, and their names.
fn some(keys: &[Key], what: &str) -> String {
    if keys.is_empty() {
        return String::new();
    }
    let named: Vec<String> = keys.iter().take(NAMED_MAX).map(|key| plain(&key.to_string())).collect();
    let rest = keys.len() - named.len();
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!("  {} {what}: {}{more}\n", keys.len(), named.join(", "))
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
