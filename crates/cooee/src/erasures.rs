//! Which erasures a restore knows of: the backup's own list, the one that lies in the data directory, and those that are handed in.
//!
//! Each list was added to and never cut, so that all of them together say the most. None is believed without the station's own tag.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail, ensure};
use escalation::time::Timestamp;
use station::erasures::{Erasures, FILE, Listed, Reading};
use station::secret::Secret;

use crate::private;

/// What lists say together.
#[derive(Debug, Default)]
pub(crate) struct Known {
    /// Each line once, in order.
    lines: Vec<String>,
    listed: Vec<Listed>,
    /// What of them is not believed, or not whole.
    warnings: Vec<String>,
    /// Whether any list but the backup's own was there: that one knows of nothing later than the backup.
    from_outside: bool,
}

impl Known {
    /// What the backup's own list says; nothing where it has none. A line in it that is not believed must not keep a station from
    /// coming back: it is said, and stays in the backup.
    pub(crate) fn of_backup(folder: &Path, secret: Option<&Secret>) -> anyhow::Result<Self> {
        let mut known = Self::default();
        let path = folder.join(FILE);
        if path.exists() {
            let refused = known.take(&path, secret)?;
            known.warnings.extend(refused.map(|refused| format!("{refused}: what they named is not erased again")));
        }
        Ok(known)
    }

    /// Adds a list that lies elsewhere. One of whose lines any is not believed is refused: whoever gave it can give another.
    pub(crate) fn add(&mut self, path: &Path, secret: Option<&Secret>) -> anyhow::Result<()> {
        ensure!(path.exists(), "there is no list of erasures {}\n  nothing was restored", path.display());
        self.from_outside = true;
        if let Some(refused) = self.take(path, secret)? {
            bail!(
                "{refused}: nothing is erased by it, and nothing was restored\n  give the list as it was, or leave it out, and erase again by hand"
            );
        }
        Ok(())
    }

    /// Takes what is this station's; says what is not.
    fn take(&mut self, path: &Path, secret: Option<&Secret>) -> anyhow::Result<Option<String>> {
        let shown = path.display();
        let Some(secret) = secret else {
            return Ok(Some(format!("{shown} cannot be checked, because this backup has no station.key")));
        };
        let Reading { listed, refused, torn } = Erasures::at(path.to_owned(), secret.clone()).read()?;
        if torn {
            self.warnings.push(format!("{shown} is cut short: what its last line named is not known"));
        }
        let bytes = std::fs::read(path).with_context(|| format!("read {shown}"))?;
        let text = String::from_utf8_lossy(&bytes);
        let last = text.lines().count();
        for (number, line) in (1_usize..).zip(text.lines()) {
            let is_left_out = refused.contains(&number) || (torn && number == last);
            if !is_left_out && !self.lines.iter().any(|known| known == line) {
                self.lines.push(line.to_owned());
            }
        }
        let new = listed.into_iter().filter(|listed| !self.listed.iter().any(|known| known.leaf == listed.leaf)).collect::<Vec<_>>();
        self.listed.extend(new);
        let said = || format!("{shown}: {} not written by this backup's station, or altered since", numbered(&refused));
        Ok((!refused.is_empty()).then(said))
    }

    /// Whether every line of every list is believed and whole.
    pub(crate) fn is_sound(&self) -> bool {
        self.warnings.is_empty()
    }

    /// Puts it where the next start looks for it. One that lies there is part of it.
    pub(crate) fn put(&self, data_dir: &Path) -> anyhow::Result<()> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let (path, unfinished) = (data_dir.join(FILE), data_dir.join(format!("{FILE}.unfinished")));
        let text: String = self.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
        private::write(&unfinished, text.as_bytes()).with_context(|| format!("write {}", unfinished.display()))?;
        std::fs::rename(&unfinished, &path).with_context(|| format!("move {} to {}", unfinished.display(), path.display()))
    }

    /// What it says of a copy whose last entry is of this time.
    pub(crate) fn as_text(&self, last_at: Option<Timestamp>) -> String {
        let warned = self.warnings.iter().map(|warning| format!("WARNING {warning}\n"));
        let later = self.listed.iter().filter(|listed| last_at.is_none_or(|last| listed.at > last));
        let again = later.map(|Listed { from, at, basis, values, .. }| {
            let count = values.len();
            format!("ERASED since, at {at:.0}: {count} values of {from}, by {basis:?}; the start erases again what this copy has of them\n")
        });
        let unknown = if self.from_outside {
            "what was erased after the newest list was copied is not known: it is back, and is to be erased again\n"
        } else {
            "NOT KNOWN what was erased after this backup was taken: no list of erasures was given. It is back, and is to be erased again\n"
        };
        warned.chain(again).chain([unknown.to_owned()]).collect()
    }
}

/// The station's key among these, where there is one: what lists are checked with.
pub(crate) fn key(places: &[PathBuf]) -> anyhow::Result<Option<Secret>> {
    let found = places.iter().find(|path| path.exists());
    found.map(|path| Secret::open(path).with_context(|| format!("read {}", path.display()))).transpose()
}

fn numbered(lines: &[usize]) -> String {
    let numbers: Vec<_> = lines.iter().map(ToString::to_string).collect();
    if lines.len() == 1 { format!("line {} was", numbers.concat()) } else { format!("lines {} were", numbers.join(", ")) }
}
