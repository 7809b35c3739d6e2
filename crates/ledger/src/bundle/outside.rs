//! Checkpoints that places outside were given or asked to stamp, and that the record of a bundle begins with each of them.
//!
//! Whom to ask stands in a list; what left, as far as it is still known, and the way from there to the bundle's own checkpoint
//! stand beside it. Nothing here proves anything by itself: the copy in somebody else's hands does, or the stamp of an authority that
//! somebody has verified.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::proof::{ConsistencyProof, TreeHead};
use crate::stamp::Stamp;
use crate::tree::Root;

/// Where what left lies.
pub(super) const FOLDER: &str = "data/anchors/";
/// The list.
pub(super) const LIST: &str = "data/anchors.csv";
/// Its first line.
const HEADING: &str = "anchor,entry,recorded_at,size,root,receipt,origin";
/// More hashes than a path can have: two for each level of a tree of 2^63 leaves.
const PATH_MAX: usize = 126;

/// The word for a receipt that is a stamp: whoever made it keeps nothing that could be asked for.
const STAMP: &str = "rfc3161";

/// A checkpoint that a place outside was given or asked to stamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// To whom, without a comma.
    pub to: String,
    /// The place of the entry that says so.
    pub entry: u64,
    /// When that was recorded.
    pub recorded_at: String,
    /// Under which name the record was signed.
    pub origin: String,
    /// How many entries it covers.
    pub size: u64,
    /// Its root.
    pub root: Digest,
    /// By what it is known that it was taken: the word that the entry has for it.
    pub receipt: &'static str,
    /// From there to the bundle's checkpoint.
    pub onwards: ConsistencyProof,
    /// The note that was given, where it is still known.
    pub note: Option<Checkpoint>,
    /// The stamp that an authority gave for that note, as it came.
    pub stamp: Option<Vec<u8>>,
}

/// A line of the list, as it is read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// To whom.
    pub to: String,
    /// The place of the entry that says so.
    pub entry: u64,
    /// When that was recorded.
    pub recorded_at: String,
    /// Under which name the record was signed.
    pub origin: String,
    /// How many entries the checkpoint covers.
    pub size: u64,
    /// Its root.
    pub root: Digest,
    /// By what it is known that it was taken: `smtp`, `http`, `puback` or `rfc3161`.
    pub receipt: String,
    /// What the stamp says that an authority gave for it, where the bundle has that; read, and not verified.
    pub stamp: Option<Stamped>,
    /// Whether the entry has a stamp that is not in the bundle.
    pub lacks_stamp: bool,
}

/// What an entry says of the stamp that it has.
pub(super) struct Claim {
    /// The stamp, to the byte.
    pub(super) token: Vec<u8>,
    at: String,
    serial: String,
}

/// A stamp as it is read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped {
    /// What it says.
    pub stamp: Stamp,
    /// Its file.
    pub file: String,
    /// The file with what it is of.
    pub note: String,
}

impl Given {
    /// The files of some, by their names in the folder `data`.
    pub(super) fn files(all: &[Self], checkpoint: &Checkpoint) -> Vec<(String, Vec<u8>)> {
        let lines: Vec<String> = all.iter().map(Self::line).collect();
        let mut files = vec![("anchors.csv".to_owned(), format!("{HEADING}\n{}", lines.concat()).into_bytes())];
        for given in all {
            files.push((format!("anchors/{:010}.consistency", given.size), given.way(checkpoint).into_bytes()));
            files.extend(given.note.as_ref().map(|note| (format!("anchors/{:010}.checkpoint", given.size), note.to_string().into_bytes())));
            // Two authorities may have stamped the same note.
            files.extend(given.stamp.as_ref().map(|stamp| (format!("anchors/{:010}.{:010}.tsr", given.size, given.entry), stamp.clone())));
        }
        files
    }

    fn line(&self) -> String {
        let Self { to, entry, recorded_at, origin, size, receipt, .. } = self;
        // A record's name may have a comma, and stands last.
        format!("{to},{entry},{recorded_at},{size},{},{receipt},{origin}\n", STANDARD.encode(self.root.as_bytes()))
    }

    /// As a witness is asked to sign (C2SP tlog-witness, `add-checkpoint`): the older size, the proof, the newer checkpoint.
    fn way(&self, checkpoint: &Checkpoint) -> String {
        let path: Vec<String> = self.onwards.path.iter().map(|hash| format!("{}\n", STANDARD.encode(hash.as_bytes()))).collect();
        format!("old {}\n{}\n{checkpoint}", self.size, path.concat())
    }
}

impl Outside {
    /// What a list says, line by line; `None` for one that does not read.
    pub(super) fn read(list: &str) -> Vec<Option<Self>> {
        let mut lines = list.lines();
        let heading = (lines.next() != Some(HEADING)).then_some(None);
        heading.into_iter().chain(lines.map(Self::line)).collect()
    }

    fn line(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.splitn(7, ',').collect();
        let &[to, entry, recorded_at, size, root, receipt, origin] = fields.as_slice() else { return None };
        let entry = number(entry)?;
        let root = Digest::try_from(STANDARD.decode(root).ok()?.as_slice()).ok()?;
        let size = number(size).filter(|size| *size > 0)?;
        let [to, recorded_at, receipt, origin] = [to, recorded_at, receipt, origin].map(ToOwned::to_owned);
        Some(Self { to, entry, recorded_at, origin, size, root, receipt, stamp: None, lacks_stamp: false })
    }

    /// Whether it was asked to stamp it: it was given nothing then, and keeps nothing.
    pub fn is_stamp(&self) -> bool {
        self.receipt == STAMP
    }

    /// The entry that should say so.
    pub(super) fn record(&self) -> String {
        format!("data/records/{:010}.json", self.entry)
    }

    /// Whether an entry says just that.
    pub(super) fn is_said_by(&self, entry: &[u8]) -> bool {
        let Ok(entry) = serde_json::from_slice::<Value>(entry) else { return false };
        let text = |name: &str| entry.get(name).and_then(Value::as_str);
        text("type") == Some("checkpoint.anchored")
            && text("t") == Some(&self.recorded_at)
            && text("anchor") == Some(&self.to)
            && text("origin") == Some(&self.origin)
            && text("root") == Some(&self.root.to_string())
            && receipt(&entry) == Some(&self.receipt)
            && entry.get("size").and_then(Value::as_u64) == Some(self.size)
    }

    /// The file with what was given.
    pub(super) fn note(&self) -> String {
        format!("{FOLDER}{:010}.checkpoint", self.size)
    }

    /// The file with the stamp.
    pub(super) fn stamp(&self) -> String {
        format!("{FOLDER}{:010}.{:010}.tsr", self.size, self.entry)
    }

    /// The file with the way onwards.
    pub(super) fn way(&self) -> String {
        format!("{FOLDER}{:010}.consistency", self.size)
    }

    pub(super) fn head(&self) -> TreeHead {
        TreeHead { size: self.size, root: Root::from_digest(self.root) }
    }

    /// The path that a file has from here to a checkpoint, and that checkpoint's note; `None` where it does not read.
    pub(super) fn onwards<'a>(&self, file: &'a str) -> Option<(ConsistencyProof, &'a str)> {
        let (path, note) = file.split_once("\n\n")?;
        let mut lines = path.split('\n');
        let older = lines.next()?.strip_prefix("old ").and_then(number)?;
        let path: Vec<Digest> = lines.map(|line| Digest::try_from(STANDARD.decode(line).ok()?.as_slice()).ok()).collect::<Option<_>>()?;
        (older == self.size && path.len() <= PATH_MAX).then_some((ConsistencyProof { path }, note))
    }
}

impl Claim {
    /// What an entry says; `None` where it says of no stamp.
    pub(super) fn of(entry: &[u8]) -> Option<Self> {
        let entry = serde_json::from_slice::<Value>(entry).ok()?;
        let said = entry.get("receipt")?.get(STAMP)?;
        let text = |name: &str| said.get(name).and_then(Value::as_str).map(ToOwned::to_owned);
        Some(Self { token: STANDARD.decode(text("token")?).ok()?, at: text("at")?, serial: text("serial")? })
    }

    /// Whether the stamp itself says the same.
    pub(super) fn is_of(&self, stamp: &Stamp) -> bool {
        self.at == stamp.at.to_string() && self.serial == stamp.serial
    }
}

/// The word for what an entry has as receipt: alone, or as the name of what more it says.
fn receipt(entry: &Value) -> Option<&String> {
    match entry.get("receipt")? {
        Value::String(word) => Some(word),
        Value::Object(fields) => fields.keys().next().filter(|_| fields.len() == 1),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

/// A number as it is written: no sign and no leading zero.
fn number(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number: &u64| number.to_string() == text)
}
