//! A backup: a folder with a copy of the record, what belongs to it, and a label that says what all of it is.
//!
//! The record's key is not in it: who has a backup must not be able to sign. Nor are the settings and their secrets.
//! It becomes a backup by its name alone, once everything in it is on the disk and was looked at.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use ledger::{AnyLedger, AuditReport, Digest};
use serde::{Deserialize, Serialize};
use station::secret::Secret;

use crate::auditing::{Keys, Subject};
use crate::config::Settings;
use crate::erasures::{self, Known};
use crate::private;
use crate::signing::{NOTES, Signing};

/// The record, whatever it is called where it came from.
const RECORD: &str = "cooee.db";
/// The station's key.
const KEY: &str = "station.key";
/// What waited for the record.
const SPOOL: &str = "spool";
/// What was erased, so that an older copy does not undo it.
const ERASURES: &str = station::erasures::FILE;
/// What says what the others are.
const LABEL: &str = "backup.json";
/// The shape of the label, and which files there can be: since 2 the list of erasures.
const FORMAT: u32 = 2;
/// Everything that can be in it beside the label.
const FILES: [&str; 5] = [SPOOL, NOTES, KEY, ERASURES, RECORD];
/// What the data directory of a station that never ran may hold.
const LOCK: &str = "lock";

/// A backup whose files are those of its label.
#[derive(Debug)]
pub(crate) struct Backup {
    folder: PathBuf,
    label: Label,
}

/// What is in a backup. It is as good as the folder: what it says is compared, and proves nothing.
#[derive(Debug, Serialize, Deserialize)]
struct Label {
    format: u32,
    /// Which program made it.
    program: String,
    /// Of which station.
    station: String,
    taken_at: String,
    /// Entries of the record.
    size: u64,
    /// The root over them.
    root: String,
    files: BTreeMap<String, Content>,
}

/// What a file must hold.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Content {
    bytes: u64,
    sha256: String,
}

/// What became of taking a backup.
pub(crate) struct Taken {
    /// Where it is: under the name that was asked for where nothing is wrong with it, under another where something is.
    pub(crate) folder: PathBuf,
    /// What an audit of the copy found.
    pub(crate) report: AuditReport,
    /// How far its keys can be trusted.
    pub(crate) keys: Keys,
}

impl Backup {
    /// Takes one of a station, running or not, into a folder that must not be there yet.
    ///
    /// A record with which something is wrong is copied too, and called otherwise: it is evidence, and no backup.
    pub(crate) async fn take(settings: &Settings, to: &Path, now: &str) -> anyhow::Result<Taken> {
        ensure!(to.symlink_metadata().is_err(), "{} is there already\n  a backup is never written over; name another folder", to.display());
        let unfinished = beside(to, "unfinished")?;
        private::folder(&unfinished).with_context(|| {
            format!(
                "make {}\n  where it is there already an earlier backup did not come to its end: remove it. Its parent must be there",
                unfinished.display()
            )
        })?;
        let filled = fill(&unfinished, settings, now).await;
        let (report, keys) = match filled {
            Ok(found) => found,
            Err(why) => {
                if let Err(left) = std::fs::remove_dir_all(&unfinished) {
                    tracing::warn!(error = %left, "{} could not be removed and is no backup", unfinished.display());
                }
                return Err(why);
            }
        };
        let folder = if report.is_sound() { to.to_owned() } else { beside(to, "unsound")? };
        std::fs::rename(&unfinished, &folder).with_context(|| format!("move {} to {}", unfinished.display(), folder.display()))?;
        private::sync_folder(folder.parent().unwrap_or(Path::new("."))).context("have the backup's name on the disk")?;
        Ok(Taken { folder, report, keys })
    }

    /// Opens one to be read: everything that its label names is there, as it was, and nobody else's.
    pub(crate) fn open(folder: &Path) -> anyhow::Result<Self> {
        let label = folder.join(LABEL);
        let text = std::fs::read_to_string(&label)
            .with_context(|| format!("read {}\n  --from names the folder that  cooee backup  made", label.display()))?;
        let label: Label = serde_json::from_str(&text).with_context(|| format!("{} is no label of a backup", label.display()))?;
        ensure!(label.format <= FORMAT, "this backup was made by Cooee {}, which is newer\n  restore it with that version", label.program);
        ensure!(label.files.contains_key(RECORD), "this backup has no {RECORD}: there is nothing to restore");
        for path in [folder.to_owned(), folder.join(LABEL)].into_iter().chain(label.files.keys().map(|name| folder.join(name))) {
            let exposed = private::exposed(&path).with_context(|| format!("look at {}", path.display()))?;
            if let Some(mode) = exposed {
                bail!(
                    "{} is open to others (mode {mode:03o}), and it holds names and numbers\n  run  chmod -R go= {}",
                    path.display(),
                    folder.display()
                );
            }
        }
        for (name, content) in &label.files {
            ensure!(FILES.contains(&name.as_str()), "the label of this backup names {name:?}, which is no part of one");
            let found = content_of(&folder.join(name)).with_context(|| format!("read {name} of the backup"))?;
            ensure!(found == *content, "{name} of this backup is not what was copied: it was altered, or the disk fails");
        }
        for name in ["-wal", "-journal"].map(|end| format!("{RECORD}{end}")) {
            ensure!(
                !folder.join(&name).exists(),
                "there is a {name} in this backup, which the database would take for its own\n  move it away; no backup has one"
            );
        }
        Ok(Self { folder: folder.to_owned(), label })
    }

    /// When it was taken, and by which program.
    pub(crate) fn taken(&self) -> String {
        format!("{}, taken at {} by Cooee {}", self.label.station, self.label.taken_at, self.label.program)
    }

    /// The copy of the record, to be looked at.
    pub(crate) fn record(&self) -> anyhow::Result<Subject> {
        Subject::file(&self.folder.join(RECORD))
    }

    /// What its own list says was erased.
    pub(crate) fn erasures(&self) -> anyhow::Result<Known> {
        Known::of_backup(&self.folder, self.secret()?.as_ref())
    }

    /// The station's key, with which lists of erasures are checked; `None` where the copied station had none.
    pub(crate) fn secret(&self) -> anyhow::Result<Option<Secret>> {
        erasures::key(&[self.folder.join(KEY)])
    }

    /// Puts it where a station with these settings finds it, with what is known to be erased; nothing of a record may be there.
    ///
    /// The record comes last and whole. Whoever is interrupted before has no record, and begins anew with an empty folder.
    pub(crate) fn put(&self, settings: &Settings, erased: &Known) -> anyhow::Result<()> {
        let data_dir = &settings.station.data_dir;
        let Some(record) = settings.record.url.strip_prefix("sqlite:").map(|file| data_dir.join(file)) else {
            bail!("this backup is of a record in a file, and record.url of the settings names a server");
        };
        refuse_content(data_dir)?;
        let key = key_file(settings);
        for path in [&record, &key] {
            ensure!(path.symlink_metadata().is_err(), "{} is there already\n  move it away; nothing is ever written over", path.display());
        }
        if self.label.files.contains_key(NOTES) {
            Signing::of(data_dir).hold()?;
        }
        let unfinished = beside(&record, "unfinished")?;
        for (name, to) in [(NOTES, data_dir.join(NOTES)), (SPOOL, data_dir.join(SPOOL)), (KEY, key), (RECORD, unfinished.clone())] {
            let Some(content) = self.label.files.get(name) else { continue };
            private::copy(&self.folder.join(name), &to).with_context(|| format!("copy {name} to {}", to.display()))?;
            ensure!(
                content_of(&to).with_context(|| format!("read {}", to.display()))? == *content,
                "{} does not read as it was written: the disk fails",
                to.display()
            );
        }
        erased.put(data_dir)?;
        private::sync_folder(data_dir).context("have everything on the disk")?;
        std::fs::rename(&unfinished, &record).with_context(|| format!("move {} to {}", unfinished.display(), record.display()))?;
        private::sync_folder(record.parent().unwrap_or(data_dir)).context("have the record on the disk")
    }
}

async fn fill(folder: &Path, settings: &Settings, now: &str) -> anyhow::Result<(AuditReport, Keys)> {
    let data_dir = &settings.station.data_dir;
    let mut names = vec![RECORD.to_owned()];
    // The record only grows and comes last, so that it has whatever the notes cover, and whatever left the spool meanwhile.
    let from_data_dir = |name: &'static str| (name, data_dir.join(name));
    for (name, from) in [from_data_dir(SPOOL), from_data_dir(NOTES), (KEY, key_file(settings)), from_data_dir(ERASURES)] {
        if private::copy(&from, &folder.join(name)).with_context(|| format!("copy {}", from.display()))? {
            names.push(name.to_owned());
        }
    }
    let record = AnyLedger::open_to_read(&settings.record.url, data_dir).await.context("open the record")?;
    record.copy_to(&folder.join(RECORD)).await?;
    let (report, keys) = Subject::file(&folder.join(RECORD))?.look().await.context("look at the copy")?;
    let mut files = BTreeMap::new();
    for name in names {
        let content = content_of(&folder.join(&name)).with_context(|| format!("read the copy of {name}"))?;
        files.insert(name, content);
    }
    let label = Label {
        format: FORMAT,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        station: settings.station.name.clone(),
        taken_at: now.to_owned(),
        size: report.size,
        root: report.root.digest().to_string(),
        files,
    };
    let text = serde_json::to_vec_pretty(&label).context("write the backup's label")?;
    private::write(&folder.join(LABEL), &text).context("write the backup's label")?;
    private::sync_folder(folder).context("have the backup on the disk")?;
    Ok((report, keys))
}

fn key_file(settings: &Settings) -> PathBuf {
    settings.http.link_key_file.clone().unwrap_or_else(|| settings.station.data_dir.join(KEY))
}

/// Whatever is there is of another station, or of this one before: neither is mixed with a copy.
fn refuse_content(data_dir: &Path) -> anyhow::Result<()> {
    for entry in std::fs::read_dir(data_dir).with_context(|| format!("read {}", data_dir.display()))? {
        let name = entry.with_context(|| format!("read {}", data_dir.display()))?.file_name();
        ensure!(
            name == LOCK || name == ERASURES,
            "{} is not empty ({} is there)\n  a backup is restored into an empty one: move everything in it away but {ERASURES}, and keep it",
            data_dir.display(),
            name.display()
        );
    }
    Ok(())
}

/// A neighbour of this path, with something after its name.
fn beside(path: &Path, end: &str) -> anyhow::Result<PathBuf> {
    let mut name = path.file_name().with_context(|| format!("{} is no name", path.display()))?.to_owned();
    name.push(".");
    name.push(end);
    Ok(path.with_file_name(name))
}

fn content_of(path: &Path) -> io::Result<Content> {
    let mut file = File::open(path)?;
    let mut context = ring::digest::Context::new(&ring::digest::SHA256);
    let mut buffer = vec![0; 65_536];
    let mut bytes = 0;
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            break;
        }
        context.update(buffer.get(..read).unwrap_or_default());
        bytes += u64::try_from(read).unwrap_or(u64::MAX);
    }
    let digest = Digest::try_from(context.finish().as_ref()).map_err(io::Error::other)?;
    Ok(Content { bytes, sha256: digest.to_string() })
}
