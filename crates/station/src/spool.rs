//! The spool: sealed batches beside a record that cannot be reached, fsynced, in order, until the record has them.
//!
//! One line a batch: the SHA-256 of the rest, a space, and JSON. A torn last line is a write that never finished and
//! that nobody was told of; anything else that does not read is kept aside, never deleted.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ledger::{Batch, Disclosure, EntryBody, Listing, Seq};
use serde::{Deserialize, Serialize};

/// Put aside, and its presses are still to be heard: `spool.unheard-1`.
const UNHEARD: &str = "unheard";
/// Put aside for a person, and nothing more is to be done with it: `spool.kept-1`.
const KEPT: &str = "kept";

/// The spool of one data directory.
#[derive(Debug)]
pub struct Spool {
    path: PathBuf,
    file: Option<File>,
    /// The file holds what is not to be added to, and could not be put aside so far.
    blocked: bool,
}

/// Where a batch stands in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    offset: u64,
    bytes: usize,
}

/// The spool could not be used.
#[derive(Debug, thiserror::Error)]
pub enum SpoolError {
    /// The file system said no.
    #[error("could not {attempted} the spool {path}; check the disk and its space")]
    File {
        /// `write`, `read`, `read back`, `put aside` or `remove`.
        attempted: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A batch has no JSON form.
    #[error("could not write a batch into the spool")]
    Batch(#[source] serde_json::Error),
    /// A line that is not torn and still does not read.
    #[error(
        "line {line} of the spool {path} does not read; it was kept, and holds entries the record lacks: ask for help before deleting it"
    )]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
    },
}

#[derive(Serialize, Deserialize)]
struct Line {
    first: u64,
    entries: Vec<LineEntry>,
    listings: Vec<LineListing>,
}

#[derive(Serialize, Deserialize)]
struct LineEntry {
    body: String,
    disclosures: Vec<(String, String)>,
}

#[derive(Serialize, Deserialize)]
struct LineListing {
    key: String,
    cust: String,
    site: String,
    state: String,
    opened_us: i64,
    seq: u64,
    card: String,
}

impl Spool {
    /// In a data directory; nothing is made before it is needed.
    pub fn in_dir(data_dir: &Path) -> Self {
        Self { path: data_dir.join("spool"), file: None, blocked: false }
    }

    /// Adds a batch, waits until the disk has it, and says where it stands.
    pub fn append(&mut self, batch: &Batch) -> Result<Place, SpoolError> {
        if self.blocked {
            self.set_aside()?;
        }
        let json = serde_json::to_string(&line_of(batch)).map_err(SpoolError::Batch)?;
        let line = format!("{} {json}\n", digest(json.as_bytes()));
        self.write(line.as_bytes()).map_err(|source| {
            // What the disk has of it is unknown: the next write opens the file again, which cuts a torn line off.
            self.file = None;
            SpoolError::File { attempted: "write", path: self.path.clone(), source }
        })
    }

    fn write(&mut self, line: &[u8]) -> io::Result<Place> {
        let file = match &mut self.file {
            Some(file) => file,
            None => self.file.insert(open(&self.path)?),
        };
        let offset = file.metadata()?.len();
        file.write_all(line)?;
        file.sync_data()?;
        Ok(Place { offset, bytes: line.len() })
    }

    /// The batch that was added there, so that nobody has to hold it in memory meanwhile.
    pub fn read_back(&self, place: Place) -> Result<Batch, SpoolError> {
        let failed = |source| SpoolError::File { attempted: "read back", path: self.path.clone(), source };
        let mut line = vec![0; place.bytes];
        let mut file = File::open(&self.path).map_err(failed)?;
        file.seek(SeekFrom::Start(place.offset)).and_then(|_| file.read_exact(&mut line)).map_err(failed)?;
        let batch = line.strip_suffix(b"\n").and_then(batch_of);
        batch.ok_or_else(|| failed(io::Error::new(io::ErrorKind::InvalidData, "what stands there is not what was written")))
    }

    /// Everything in it, in order. A torn last line is dropped: nobody was told of it.
    ///
    /// # Errors
    /// [`SpoolError::Damaged`] where a line does not read; [`Self::sound`] gives what stands before it.
    pub fn read(&self) -> Result<Vec<Batch>, SpoolError> {
        match self.sound()? {
            (batches, None) => Ok(batches),
            (_, Some(line)) => Err(SpoolError::Damaged { path: self.path.clone(), line }),
        }
    }

    /// What reads, up to the first line that does not, and the number of that line.
    pub fn sound(&self) -> Result<(Vec<Batch>, Option<usize>), SpoolError> {
        let bytes = match std::fs::read(&self.path) {
            Ok(bytes) => bytes,
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => return Ok((Vec::new(), None)),
            Err(source) => return Err(SpoolError::File { attempted: "read", path: self.path.clone(), source }),
        };
        let mut batches = Vec::new();
        for (index, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let Some(whole) = line.strip_suffix(b"\n") else {
                tracing::warn!(spool.line = index + 1, "the last write into the spool never finished; nobody was told of it");
                break;
            };
            match batch_of(whole) {
                Some(batch) => batches.push(batch),
                None => return Ok((batches, Some(index + 1))),
            }
        }
        Ok((batches, None))
    }

    /// Whether an earlier spool was put aside and nobody has looked at it: it holds entries that the record lacks.
    ///
    /// A folder that cannot be read may hold one.
    pub fn has_kept(&self) -> bool {
        let any = |extension| self.beside(extension).map_or(true, |paths| !paths.is_empty());
        self.blocked || any(KEPT) || any(UNHEARD)
    }

    /// Puts the file aside under a name that is not used yet, for a person to look at; nothing in it is lost. Its presses are
    /// still to be heard.
    ///
    /// # Errors
    /// The file stays where it is. Until it can be put aside nothing is added to it, and nothing of it removed.
    pub fn set_aside(&mut self) -> Result<PathBuf, SpoolError> {
        self.file = None;
        self.blocked = true;
        let aside = self.rename(&self.path, UNHEARD)?;
        self.blocked = false;
        Ok(aside)
    }

    /// Spools that were put aside and whose presses nobody has heard yet, each with every batch in it that reads. One that
    /// cannot be read stays where it is, and stays a trouble: it must not keep the next press from being heard.
    pub fn unheard(&self) -> Vec<(PathBuf, Vec<Batch>)> {
        let read = |path: PathBuf| match std::fs::read(&path) {
            Ok(bytes) => Some((path, bytes.split(|byte| *byte == b'\n').filter_map(batch_of).collect())),
            Err(error) => {
                tracing::error!(error = %error, spool.kept = %path.display(), "a spool that was put aside cannot be read");
                None
            }
        };
        let unheard = self.beside(UNHEARD).unwrap_or_else(|error| {
            tracing::error!(error = %error, "nobody can say whether a spool was put aside: its folder cannot be read");
            Vec::new()
        });
        unheard.into_iter().filter_map(read).collect()
    }

    /// Its presses have been heard; the file stays for a person.
    pub fn heard(&self, unheard: &Path) -> Result<PathBuf, SpoolError> {
        self.rename(unheard, KEPT)
    }

    /// Files of the same folder whose names begin so, in order of name.
    fn beside(&self, extension: &str) -> io::Result<Vec<PathBuf>> {
        let Some(folder) = self.path.parent() else { return Ok(Vec::new()) };
        let begins = format!("spool.{extension}");
        let mut paths = Vec::new();
        for entry in std::fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with(&begins) {
                paths.push(entry.path());
            }
        }
        paths.sort();
        Ok(paths)
    }

    fn rename(&self, from: &Path, extension: &str) -> Result<PathBuf, SpoolError> {
        let failed = |source| SpoolError::File { attempted: "put aside", path: from.to_owned(), source };
        let mut names = (1..u32::MAX).map(|n| self.path.with_extension(format!("{extension}-{n}")));
        let to = loop {
            let Some(name) = names.next() else { return Err(failed(io::ErrorKind::AlreadyExists.into())) };
            // Where nobody can say whether a name is taken, nothing is moved over it.
            if !name.try_exists().map_err(failed)? {
                break name;
            }
        };
        std::fs::rename(from, &to).map_err(failed)?;
        Ok(to)
    }

    /// Forgets everything: the record has it.
    pub fn clear(&mut self) -> Result<(), SpoolError> {
        self.file = None;
        if self.blocked {
            return Ok(()); // What is in it is not the record's.
        }
        match std::fs::remove_file(&self.path) {
            Ok(()) => Ok(()),
            Err(missing) if missing.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(source) => Err(SpoolError::File { attempted: "remove", path: self.path.clone(), source }),
        }
    }
}

/// Opens the file for more lines. What a write left half-way behind the last whole line is cut off: it would spoil the next.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.create(true).read(true).append(true).open(path)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last.saturating_add(1));
    if whole < bytes.len() {
        file.set_len(u64::try_from(whole).unwrap_or_default())?;
    }
    if let Some(folder) = path.parent() {
        File::open(folder)?.sync_all()?;
    }
    Ok(file)
}

fn line_of(batch: &Batch) -> Line {
    let text = |bytes: &[u8]| STANDARD.encode(bytes);
    Line {
        first: batch.first().index(),
        entries: batch
            .entries()
            .iter()
            .map(|entry| LineEntry {
                body: text(entry.body.bytes()),
                disclosures: entry.disclosures.iter().map(|d| (d.subject().to_owned(), text(d.bytes()))).collect(),
            })
            .collect(),
        listings: batch
            .listings()
            .map(|l| LineListing {
                key: l.key.clone(),
                cust: l.cust.clone(),
                site: l.site.clone(),
                state: l.state.clone(),
                opened_us: l.opened_us,
                seq: l.seq.index(),
                card: text(&l.card),
            })
            .collect(),
    }
}

fn batch_of(line: &[u8]) -> Option<Batch> {
    let text = std::str::from_utf8(line).ok()?;
    let (stated, json) = text.split_once(' ')?;
    if digest(json.as_bytes()) != stated {
        return None;
    }
    let line: Line = serde_json::from_str(json).ok()?;
    let mut batch = Batch::new(Seq::new(line.first));
    for entry in line.entries {
        let body = EntryBody::parse(&STANDARD.decode(entry.body).ok()?).ok()?;
        let disclosures: Option<Vec<_>> =
            entry.disclosures.iter().map(|(subject, bytes)| Disclosure::parse(subject, &STANDARD.decode(bytes).ok()?).ok()).collect();
        batch.push(body, disclosures?);
    }
    for l in line.listings {
        let card = STANDARD.decode(l.card).ok()?;
        let listing =
            Listing { key: l.key, cust: l.cust, site: l.site, state: l.state, opened_us: l.opened_us, seq: Seq::new(l.seq), card };
        batch.list(listing).ok()?;
    }
    Some(batch)
}

fn digest(bytes: &[u8]) -> String {
    crate::journal::hex(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(first: u64) -> Batch {
        let body = format!(r#"{{"t":"2026-11-21T02:14:31.03825{first}Z","type":"note.added","v":1}}"#);
        let mut batch = Batch::new(Seq::new(first));
        batch.push(EntryBody::parse(body.as_bytes()).unwrap(), vec![Disclosure::seal("P-1", [7; 16], "name", "Jo").unwrap()]);
        let listing = Listing {
            key: "KAL-1".into(),
            cust: "kalamunda".into(),
            site: "library".into(),
            state: "closed".into(),
            opened_us: 5,
            seq: Seq::new(first),
            card: vec![0, 255],
        };
        batch.list(listing).unwrap();
        batch
    }

    #[test]
    fn what_is_spooled_comes_back_and_is_forgotten_when_told() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::in_dir(folder.path());
        assert!(spool.read().unwrap().is_empty());
        spool.append(&batch(0)).unwrap();
        spool.append(&batch(1)).unwrap();
        assert_eq!(Spool::in_dir(folder.path()).read().unwrap(), [batch(0), batch(1)]);
        let mode = std::fs::metadata(folder.path().join("spool")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "names and numbers are in it");
        spool.clear().unwrap();
        spool.clear().unwrap();
        assert!(spool.read().unwrap().is_empty());
    }

    #[test]
    fn a_batch_is_read_back_from_where_it_stands() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::in_dir(folder.path());
        let places: Vec<_> = (0..3).map(|n| spool.append(&batch(n)).unwrap()).collect();
        for (n, place) in (0..).zip(places.iter().copied()) {
            assert_eq!(spool.read_back(place).unwrap(), batch(n));
        }
        std::fs::write(folder.path().join("spool"), "something else that is long enough".repeat(99)).unwrap();
        assert!(matches!(spool.read_back(places[1]), Err(SpoolError::File { attempted: "read back", .. })));
    }

    #[test]
    fn what_was_put_aside_is_unheard_until_said_and_gives_every_line_that_reads() {
        let folder = tempfile::tempdir().unwrap();
        let mut spool = Spool::in_dir(folder.path());
        for n in 0..3 {
            spool.append(&batch(n)).unwrap();
        }
        let path = folder.path().join("spool");
        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(!spool.has_kept());
        let aside = spool.set_aside().unwrap();
        assert_eq!(spool.unheard(), [(aside.clone(), vec![batch(0), batch(2)])]);
        let kept = spool.heard(&aside).unwrap();
        assert_eq!(kept, folder.path().join("spool.kept-1"));
        assert!(spool.has_kept() && spool.unheard().is_empty());
        assert_eq!(std::fs::read(kept).unwrap(), bytes, "nothing in it is lost");
    }

    #[test]
    fn what_could_not_be_put_aside_is_neither_added_to_nor_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (home, elsewhere) = (folder.path().join("data"), folder.path().join("elsewhere"));
        std::fs::create_dir(&home).unwrap();
        let mut spool = Spool::in_dir(&home);
        spool.append(&batch(0)).unwrap();
        // A disk that is away, and comes back.
        std::fs::rename(&home, &elsewhere).unwrap();
        assert!(spool.set_aside().is_err() && spool.append(&batch(1)).is_err());
        assert!(spool.has_kept(), "nobody can say that there is none");
        std::fs::rename(&elsewhere, &home).unwrap();
        spool.clear().unwrap();
        assert_eq!(Spool::in_dir(&home).read().unwrap(), [batch(0)]);
        spool.append(&batch(1)).unwrap();
        assert_eq!(spool.read().unwrap(), [batch(1)], "put aside at last");
        assert_eq!(spool.unheard(), [(home.join("spool.unheard-1"), vec![batch(0)])]);
    }

    #[test]
    fn a_spool_is_never_put_aside_over_another() {
        let folder = tempfile::tempdir().unwrap();
        for n in 1..10_001 {
            std::fs::write(folder.path().join(format!("spool.unheard-{n}")), "").unwrap();
        }
        let mut spool = Spool::in_dir(folder.path());
        for n in 0..2 {
            spool.append(&batch(n)).unwrap();
            assert_eq!(spool.set_aside().unwrap(), folder.path().join(format!("spool.unheard-{}", 10_001 + n)));
        }
    }

    #[test]
    fn a_torn_line_is_nobodys_and_spoils_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spool");
        Spool::in_dir(folder.path()).append(&batch(0)).unwrap();
        let whole = std::fs::read(&path).unwrap();
        let torn = [whole.as_slice(), &whole[..whole.len() / 2]].concat();
        std::fs::write(&path, torn).unwrap();
        let mut spool = Spool::in_dir(folder.path());
        assert_eq!(spool.read().unwrap(), [batch(0)]);
        spool.append(&batch(1)).unwrap();
        assert_eq!(spool.read().unwrap(), [batch(0), batch(1)]);
    }

    #[test]
    fn a_damaged_line_is_told_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("spool");
        let mut spool = Spool::in_dir(folder.path());
        spool.append(&batch(0)).unwrap();
        spool.append(&batch(1)).unwrap();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[100] ^= 1;
        std::fs::write(&path, &bytes).unwrap();
        assert!(matches!(spool.read(), Err(SpoolError::Damaged { line: 1, .. })));
        let kept = spool.set_aside().unwrap();
        assert_eq!(std::fs::read(kept).unwrap(), bytes);
        assert!(spool.read().unwrap().is_empty());
    }

    #[test]
    fn a_spool_that_cannot_be_written_says_so_and_works_once_it_can() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("spool")).unwrap();
        let mut spool = Spool::in_dir(folder.path());
        assert!(matches!(spool.append(&batch(0)), Err(SpoolError::File { attempted: "write", .. })));
        std::fs::remove_dir(folder.path().join("spool")).unwrap();
        spool.append(&batch(0)).unwrap();
        assert_eq!(spool.read().unwrap(), [batch(0)]);
    }
}
