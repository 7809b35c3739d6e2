//! The list of erasures: a file beside the record, so that an older copy of the record does not undo them.
//!
//! One line an erasure: a tag made with the station's key, the place of its entry, and the entry `pii.erased` exactly as the record
//! has it, which names nobody. Only added to. A line without this station's tag is never acted on: what it names may be wanted.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use escalation::event::{Again, Erasable, Event};
use escalation::id::{CustomerId, Digest};
use escalation::input::RepeatedErasure;
use escalation::time::Timestamp;
use ledger::LeafHash;

use crate::journal;
use crate::secret::Secret;

/// What it is called in a data directory and in a backup.
pub const FILE: &str = "erasures";

/// The list of one station.
#[derive(Clone, Debug)]
pub struct Erasures {
    path: PathBuf,
    secret: Secret,
    /// One line at a time.
    writing: Arc<Mutex<()>>,
}

/// An erasure that stands in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// When it was recorded.
    pub at: Timestamp,
    /// The place that its entry had.
    pub seq: u64,
    /// That entry's leaf hash, by which a record is seen to have it.
    pub leaf: LeafHash,
    /// Whose the activation is.
    pub customer: Option<CustomerId>,
    /// Of what.
    pub from: Erasable,
    /// By which disposal authority or law.
    pub basis: String,
    /// Under which key it was asked for.
    pub principal: String,
    /// What entries hold in the place of the values.
    pub values: Vec<Digest>,
    /// Where it was made again: when and where it was recorded first.
    first: Option<Again>,
}

/// What a list holds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// What this station wrote.
    pub listed: Vec<Listed>,
    /// Lines that it did not, counted from 1, or that were altered since.
    pub refused: Vec<usize>,
    /// The last line is cut short: a write that never finished, or a copy that lacks its end.
    pub torn: bool,
}

/// The list could not be used.
#[derive(Debug, thiserror::Error)]
#[error("could not {attempted} the list of erasures {path}; check that the disk is not full and that the station's user owns the file")]
pub struct ErasuresError {
    attempted: &'static str,
    path: PathBuf,
    #[source]
    source: io::Error,
}

impl Erasures {
    /// In a data directory; nothing is made before it is needed.
    pub fn in_dir(data_dir: &Path, secret: Secret) -> Self {
        Self::at(data_dir.join(FILE), secret)
    }

    /// In a file of another name.
    pub fn at(path: PathBuf, secret: Secret) -> Self {
        Self { path, secret, writing: Arc::default() }
    }

    /// Everything in it, in order; nothing where there is no file.
    ///
    /// # Errors
    /// [`ErasuresError`].
    pub fn read(&self) -> Result<Reading, ErasuresError> {
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok(Reading::default()),
            Err(source) => return Err(self.failed("read", source)),
        };
        let mut reading = Reading::default();
        for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let whole = line.strip_suffix(b"\n");
            match self.parse(whole.unwrap_or(line)) {
                Some(listed) => reading.listed.push(listed),
                None if whole.is_none() => reading.torn = true,
                None => reading.refused.push(index.saturating_add(1)),
            }
        }
        Ok(reading)
    }

    /// Adds entries that are in the record at these places, and waits until the disk has them.
    ///
    /// # Errors
    /// [`ErasuresError`]: then nothing of them may be deleted yet.
    pub fn add<'b>(&self, entries: impl IntoIterator<Item = (u64, &'b [u8])>) -> Result<(), ErasuresError> {
        let lines: String = entries.into_iter().map(|(seq, body)| self.line(seq, &String::from_utf8_lossy(body))).collect();
        if lines.is_empty() {
            return Ok(());
        }
        let _one_at_a_time = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let write = || {
            let mut file = self.open()?;
            file.write_all(lines.as_bytes())?;
            file.sync_all()
        };
        write().map_err(|source| self.failed("write", source))
    }

    /// Opens the file for more lines. What a write left half-way behind the last whole line is cut off: it would spoil the next. A last
    /// line that lacks its end alone, as copies may, gets it.
    fn open(&self) -> io::Result<File> {
        let mut options = OpenOptions::new();
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.create(true).read(true).append(true).open(&self.path)?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last.saturating_add(1));
        if self.parse(bytes.get(whole..).unwrap_or_default()).is_some() {
            file.write_all(b"\n")?;
        } else if whole < bytes.len() {
            file.set_len(u64::try_from(whole).unwrap_or_default())?;
        }
        if let Some(folder) = self.path.parent() {
            File::open(folder)?.sync_all()?;
        }
        Ok(file)
    }

    fn line(&self, seq: u64, body: &str) -> String {
        format!("{} {seq} {body}\n", self.secret.erasure(seq, body))
    }

    fn parse(&self, line: &[u8]) -> Option<Listed> {
        let (tag, rest) = std::str::from_utf8(line).ok()?.split_once(' ')?;
        let (seq, body) = rest.split_once(' ')?;
        let seq: u64 = seq.parse().ok()?;
        if self.secret.erasure(seq, body) != tag {
            return None;
        }
        let (at, event) = journal::read(body.as_bytes()).ok()?;
        let Event::Erased { cust, from, basis, by, values, again } = event else { return None };
        let leaf = LeafHash::of(body.as_bytes());
        Some(Listed { at, seq, leaf, customer: cust, from, basis, principal: by.principal, values, first: again })
    }

    fn failed(&self, attempted: &'static str, source: io::Error) -> ErasuresError {
        ErasuresError { attempted, path: self.path.clone(), source }
    }
}

impl Listed {
    /// The same to be made once more, in a record that has so many of its values.
    pub fn repeated(self, found: u32) -> RepeatedErasure {
        let Self { at, seq, leaf, customer, from, basis, principal, values, first } = self;
        let own = Again { at, seq, leaf: Digest::new(*leaf.digest().as_bytes()), found };
        let again = Again { found, ..first.unwrap_or(own) };
        RepeatedErasure { customer, from, basis, principal, values, again }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As the record has it: `pii.erased` of one value.
    fn body(basis: &str) -> String {
        let value = "a".repeat(64);
        format!(
            r#"{{"basis":"{basis}","by":{{"principal":"app"}},"from":{{"activation":"KAL-1"}},"t":"2026-11-21T02:14:31.000007Z","type":"pii.erased","v":1,"values":["{value}"]}}"#
        )
    }

    fn list(folder: &Path, key: u8) -> Erasures {
        Erasures::in_dir(folder, Secret::from_bytes(&[key; 32]))
    }

    #[test]
    fn what_was_added_is_read_by_the_same_station_alone() {
        let folder = tempfile::tempdir().unwrap();
        let ours = list(folder.path(), 7);
        assert_eq!(ours.read().unwrap(), Reading::default(), "there is no file yet");
        let (first, second) = (body("GDA 27.2"), body("GDA 28"));
        ours.add([(4, first.as_bytes())]).unwrap();
        ours.add([(9, second.as_bytes())]).unwrap();
        let read = ours.read().unwrap();
        assert_eq!(read.refused, Vec::<usize>::new());
        let leaves = [(4, LeafHash::of(first.as_bytes())), (9, LeafHash::of(second.as_bytes()))];
        assert_eq!(read.listed.iter().map(|line| (line.seq, line.leaf)).collect::<Vec<_>>(), leaves);
        let again = read.listed[0].clone().repeated(1);
        assert_eq!((again.basis.as_str(), again.again.seq, again.again.found, again.values.len()), ("GDA 27.2", 4, 1, 1));
        let theirs = list(folder.path(), 8).read().unwrap();
        assert_eq!((theirs.listed.len(), theirs.refused), (0, vec![1, 2]));
    }

    /// Another value, another place, another order of words: each line stands or falls by itself.
    #[test]
    fn a_line_that_was_altered_is_refused_and_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let ours = list(folder.path(), 7);
        let entries = [body("GDA 1"), body("GDA 2"), body("GDA 3")];
        ours.add(entries.iter().zip(4..).map(|(body, seq)| (seq, body.as_bytes()))).unwrap();
        let path = folder.path().join(FILE);
        let whole = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = whole.split_inclusive('\n').collect();
        let second = lines[1];
        for altered in [
            second.replace("aaaa\"]", "aaab\"]"),
            second.replace(" 5 ", " 6 "),
            second.replace("GDA 2", "GDA 9"),
            second.replace("KAL-1", "KAL-2"),
            "nothing of ours\n".to_owned(),
            "\n".to_owned(),
            format!("{}{}", if second.starts_with('0') { '1' } else { '0' }, &second[1..]),
        ] {
            assert_ne!(altered, second);
            std::fs::write(&path, [lines[0], &altered, lines[2]].concat()).unwrap();
            let read = ours.read().unwrap();
            assert_eq!((read.listed.iter().map(|line| line.seq).collect::<Vec<_>>(), read.refused), (vec![4, 6], vec![2]), "{altered}");
        }
    }

    #[test]
    fn a_torn_line_is_cut_off_before_the_next() {
        let folder = tempfile::tempdir().unwrap();
        let ours = list(folder.path(), 7);
        ours.add([(4, body("GDA 1").as_bytes())]).unwrap();
        let path = folder.path().join(FILE);
        let whole = std::fs::read(&path).unwrap();
        for torn in 1..whole.len() {
            std::fs::write(&path, [whole.as_slice(), &whole[..torn]].concat()).unwrap();
            let read = ours.read().unwrap();
            // Only its end is missing from the last of them: a copy that somebody pasted.
            let lacks_its_end = torn + 1 == whole.len();
            assert_eq!((read.listed.len(), read.torn), (if lacks_its_end { 2 } else { 1 }, !lacks_its_end), "{torn} bytes");
            assert_eq!(read.refused, Vec::<usize>::new());
            ours.add([(5, body("GDA 2").as_bytes())]).unwrap();
            let read = ours.read().unwrap();
            assert_eq!((read.listed.len(), read.refused.len(), read.torn), (if lacks_its_end { 3 } else { 2 }, 0, false), "{torn} bytes");
        }
    }

    /// An entry of another kind under a good tag asks for nothing.
    #[test]
    fn only_erasures_are_taken() {
        let folder = tempfile::tempdir().unwrap();
        let ours = list(folder.path(), 7);
        ours.add([(4, br#"{"t":"2026-11-21T02:14:31.000007Z","type":"record.found","v":1}"#.as_slice())]).unwrap();
        assert_eq!(ours.read().unwrap().refused, [1]);
    }
}
