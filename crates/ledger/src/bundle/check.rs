//! What is wrong with a bundle, and in which file. Trusts nothing that it says of itself but what a key vouches for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::{Map, Value};

use super::outside::{Claim, FOLDER, LIST, Outside, Stamped};
use super::zip::{self, NotAZip};
use super::{IDENTIFIER, WITHHELD};
use crate::checkpoint::{Checkpoint, NotACheckpoint};
use crate::digest::Digest;
use crate::entry::EntryBody;
use crate::key::VerifyKey;
use crate::proof::NotProven;
use crate::stamp::{NotAStamp, Stamp};
use crate::tlog_proof::{NotATlogProof, TlogProof};

/// What stands in the place of a name that a reader may not have.
const WITHHELD_NAME: &str = "(withheld)";
/// The kind of entry after which a history that was ended goes on.
const REOPENED: &str = "activation.reopened";

/// What was found in a bundle.
#[derive(Clone, Debug, Default)]
pub struct BundleReport {
    /// The history that it is of.
    pub name: String,
    /// SHA-256 of the zip.
    pub digest: Option<Digest>,
    /// What the bag says of itself.
    pub info: Vec<(String, String)>,
    /// The keys that it brings.
    pub keys: Vec<VerifyKey>,
    /// What its entries are proven against; `None` where nobody known vouches for it.
    pub checkpoint: Option<Checkpoint>,
    /// Entries that are in it and proven.
    pub proven: u64,
    /// Values that belong to them.
    pub values: u64,
    /// Entries and values that are named as withheld.
    pub withheld: u64,
    /// Which places outside were given a checkpoint of the record or asked to stamp one, as entries of it say: what was kept is
    /// compared by hand.
    pub outside: Vec<Outside>,
    /// Whether one that was given away covers the entry that ends the history; every entry of it, where none does. One that was
    /// stamped does not count: whoever stamps keeps nothing, and nobody has verified the stamp here.
    pub anchored: bool,
    /// Whether one of its entries ends the history and none opens it again: else later ones may exist. They may even then.
    pub closed: bool,
    /// What is wrong.
    pub findings: Vec<BundleFinding>,
}

/// One thing that is wrong with a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BundleFinding {
    /// In which file; empty for the zip as a whole.
    pub file: String,
    /// What it is.
    pub fault: BundleFault,
}

/// What can be wrong with a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BundleFault {
    /// The zip does not read.
    Zip(NotAZip),
    /// The zip is not as it was packed.
    Packing {
        /// The first byte that differs.
        at: usize,
    },
    /// It lies beside the bundle's folder.
    Beside,
    /// It should be there.
    Missing,
    /// It is in no manifest.
    Unlisted,
    /// It does not have the hash that the manifest says.
    Altered,
    /// It does not read as what it should be.
    Unreadable,
    /// A line of it is no key.
    Key,
    /// Nobody known vouches for it.
    Checkpoint(NotACheckpoint),
    /// It is no entry.
    Entry(String),
    /// It is no proof, or of a checkpoint that nobody known vouches for.
    Proof(NotATlogProof),
    /// It proves something else.
    NotProven(NotProven),
    /// It leads to another checkpoint than the bundle's.
    OtherCheckpoint,
    /// The record does not begin with what a place outside is said to have.
    NotContinued(NotProven),
    /// It is another checkpoint than the list says.
    OtherNote,
    /// It is no stamp.
    Stamp(NotAStamp),
    /// It is another stamp than the entry has, or the entry has none.
    OtherStamp {
        /// The entry's place.
        entry: u64,
    },
    /// It is a stamp of something else than the note beside it, or there is none.
    NotStamped,
    /// It says another time or another serial number than the entry says of it.
    OtherClaim {
        /// The entry's place.
        entry: u64,
    },
    /// No line of the list names it.
    Unnamed,
    /// The entry that it names does not say so.
    Unsaid {
        /// The entry's place.
        entry: u64,
    },
    /// It is of another place than its name says.
    OtherPlace,
    /// It is an entry of another history.
    OtherHistory {
        /// Which.
        found: String,
    },
    /// No entry commits to it.
    ValueOfNothing,
    /// An entry commits to a value that is neither there nor named as withheld.
    Unexplained {
        /// The value's digest.
        value: Digest,
    },
    /// An entry of the history is neither there nor named as withheld.
    Gap {
        /// Its number within the history, from 0.
        aseq: u64,
    },
    /// No entry is in it, so that it proves nothing.
    Empty,
    /// It says of itself that it is of another history.
    OtherName {
        /// Of which.
        found: String,
    },
    /// Two entries have the same number.
    Twice {
        /// The number.
        aseq: u64,
    },
    /// It ends the history with another count of entries than its own number says.
    Count {
        /// How many there are up to it.
        expected: u64,
        /// How many it says.
        found: u64,
    },
}

impl BundleReport {
    /// Whether nothing is wrong.
    pub fn is_sound(&self) -> bool {
        self.findings.is_empty()
    }
}

/// Looks at a whole bundle under these keys; under the bundle's own where there are none, which shows only that it fits together.
pub fn verify(bytes: &[u8], keys: &[VerifyKey]) -> BundleReport {
    let mut check = Check::default();
    check.report.digest = Some(Digest::of(&[bytes]));
    match zip::unpack(bytes) {
        Ok((files, differs)) => {
            if let Some(at) = differs {
                check.find("", BundleFault::Packing { at });
            }
            check.unfold(files);
            check.manifests();
            check.contents(keys);
        }
        Err(why) => check.find("", BundleFault::Zip(why)),
    }
    check.report
}

#[derive(Default)]
struct Check {
    files: BTreeMap<String, Vec<u8>>,
    report: BundleReport,
    /// Values that entries commit to, and in which file.
    committed: BTreeMap<Digest, String>,
    /// Entries that are withheld as a whole.
    left_out: BTreeSet<u64>,
    /// The last entry of the history that is known, and the last that ends it.
    last: Option<u64>,
    ended_at: Option<u64>,
    /// Numbers within the history that are accounted for.
    numbers: BTreeSet<u64>,
    /// The latest entry that ends the history or opens it again, and whether it ends it.
    ending: Option<(u64, bool)>,
}

impl Check {
    fn find(&mut self, file: &str, fault: BundleFault) {
        self.report.findings.push(BundleFinding { file: file.to_owned(), fault });
    }

    /// Takes the files out of the bundle's folder.
    fn unfold(&mut self, files: BTreeMap<String, Vec<u8>>) {
        let folder = files.keys().find_map(|path| path.strip_suffix("/bagit.txt")).unwrap_or_default().to_owned();
        for (path, content) in files {
            match path.strip_prefix(&folder).and_then(|path| path.strip_prefix('/')) {
                Some(inside) => drop(self.files.insert(inside.to_owned(), content)),
                None => self.find(&path, BundleFault::Beside),
            }
        }
        self.report.name = folder;
        self.report.info = self.text("bag-info.txt").lines().filter_map(said).collect();
        // Whoever unpacks it goes by what the bag says, for a folder can have any name.
        let called = self.report.info.iter().find(|(label, _)| label == IDENTIFIER).map(|(_, name)| name.clone()).unwrap_or_default();
        if called != self.report.name {
            self.find("bag-info.txt", BundleFault::OtherName { found: called });
        }
    }

    /// A file's text; empty where it is missing or is none, which the manifests say.
    fn text(&self, path: &str) -> String {
        self.files.get(path).map(|content| String::from_utf8_lossy(content).into_owned()).unwrap_or_default()
    }

    fn manifests(&mut self) {
        let is_payload = |path: &&String| path.starts_with("data/");
        let payload: BTreeSet<String> = self.files.keys().filter(is_payload).cloned().collect();
        let tags = ["bag-info.txt", "bagit.txt", "manifest-sha256.txt"].map(ToOwned::to_owned).into();
        self.manifest("tagmanifest-sha256.txt", &tags);
        self.manifest("manifest-sha256.txt", &payload);
        let known = |path: &String| payload.contains(path) || tags.contains(path) || path == "tagmanifest-sha256.txt";
        let others: Vec<String> = self.files.keys().filter(|path| !known(path)).cloned().collect();
        for path in others {
            self.find(&path, BundleFault::Unlisted);
        }
        for path in ["data/checkpoint", "data/log.vkey", "data/withheld.csv"] {
            if !self.files.contains_key(path) {
                self.find(path, BundleFault::Missing);
            }
        }
    }

    fn manifest(&mut self, manifest: &str, expected: &BTreeSet<String>) {
        let mut listed = BTreeSet::new();
        for line in self.text(manifest).lines() {
            let Some((digest, path)) = line.split_once("  ").and_then(|(hex, path)| Some((Digest::from_hex(hex).ok()?, path))) else {
                self.find(manifest, BundleFault::Unreadable);
                continue;
            };
            listed.insert(path.to_owned());
            match self.files.get(path) {
                None => self.find(path, BundleFault::Missing),
                Some(content) if Digest::of(&[content]) != digest => self.find(path, BundleFault::Altered),
                Some(_) => {}
            }
        }
        for path in expected.difference(&listed) {
            self.find(path, BundleFault::Unlisted);
        }
    }

    fn contents(&mut self, keys: &[VerifyKey]) {
        self.report.keys = self.keys();
        let keys = if keys.is_empty() { self.report.keys.clone() } else { keys.to_vec() };
        let note = self.text("data/checkpoint");
        match Checkpoint::open(&note, &keys) {
            Ok(checkpoint) => self.report.checkpoint = Some(checkpoint),
            Err(why) => self.find("data/checkpoint", BundleFault::Checkpoint(why)),
        }
        let records: Vec<(String, Vec<u8>)> = self.folder("data/records/");
        for (path, body) in &records {
            self.record(path, body, &keys);
        }
        for (path, content) in self.folder("data/disclosures/") {
            let digest = Digest::of(&[&content]);
            if path != format!("data/disclosures/{digest}.json") {
                self.find(&path, BundleFault::Altered);
            } else if self.committed.remove(&digest).is_none() {
                self.find(&path, BundleFault::ValueOfNothing);
            } else {
                self.report.values += 1;
            }
        }
        if records.is_empty() {
            self.find("data/records", BundleFault::Empty);
        }
        self.withheld();
        self.outside(&keys);
        for (value, path) in std::mem::take(&mut self.committed) {
            self.find(&path, BundleFault::Unexplained { value });
        }
        let gap = (0..).zip(&self.numbers).find(|(expected, found)| expected != *found);
        if let Some((aseq, _)) = gap {
            self.find("data/records", BundleFault::Gap { aseq });
        }
    }

    /// The bundle's own keys.
    fn keys(&mut self) -> Vec<VerifyKey> {
        let mut keys = Vec::new();
        for line in self.text("data/log.vkey").lines() {
            match line.parse() {
                Ok(key) => keys.push(key),
                Err(_) => self.find("data/log.vkey", BundleFault::Key),
            }
        }
        keys
    }

    fn folder(&self, path: &str) -> Vec<(String, Vec<u8>)> {
        let inside = self.files.iter().filter(|(name, _)| name.starts_with(path));
        inside.map(|(name, content)| (name.clone(), content.clone())).collect()
    }

    fn record(&mut self, path: &str, body: &[u8], keys: &[VerifyKey]) {
        if let Err(why) = EntryBody::parse(body) {
            self.find(path, BundleFault::Entry(why.to_string()));
        }
        let proof_path = path.replacen("/records/", "/proofs/", 1).replacen(".json", ".tlog-proof", 1);
        match TlogProof::open(&self.text(&proof_path), keys) {
            Ok(proof) => {
                if path != format!("data/records/{:010}.json", proof.index) {
                    self.find(&proof_path, BundleFault::OtherPlace);
                } else if self.report.checkpoint.as_ref() != Some(&proof.checkpoint) {
                    self.find(&proof_path, BundleFault::OtherCheckpoint);
                } else if let Err(why) = proof.proves(body) {
                    self.find(path, BundleFault::NotProven(why));
                } else {
                    self.report.proven += 1;
                }
            }
            Err(why) => self.find(&proof_path, BundleFault::Proof(why)),
        }
        let Ok(Value::Object(fields)) = serde_json::from_slice(body) else { return };
        self.history(path, &fields);
        for digest in commitments(&Value::Object(fields)) {
            self.committed.insert(digest, path.to_owned());
        }
    }

    /// Its number within the history, and what it says of the others.
    fn history(&mut self, path: &str, fields: &Map<String, Value>) {
        let place = path.strip_prefix("data/records/").and_then(|name| name.strip_suffix(".json")).and_then(|digits| digits.parse().ok());
        let Some(act) = fields.get("act").and_then(Value::as_str) else { return };
        if act != self.report.name {
            return self.find(path, BundleFault::OtherHistory { found: act.to_owned() });
        }
        let Some(aseq) = fields.get("aseq").and_then(Value::as_u64) else { return };
        if !self.numbers.insert(aseq) {
            self.find(path, BundleFault::Twice { aseq });
        }
        let count = fields.get("count").and_then(Value::as_u64);
        self.last = self.last.max(place);
        if count.is_some() {
            self.ended_at = self.ended_at.max(place);
        }
        let reopens = fields.get("type").and_then(Value::as_str) == Some(REOPENED);
        if (count.is_some() || reopens) && self.ending.is_none_or(|(latest, _)| latest < aseq) {
            self.ending = Some((aseq, count.is_some()));
            self.report.closed = count.is_some();
        }
        if let Some(found) = count {
            let expected = aseq.saturating_add(1);
            if found != expected {
                self.find(path, BundleFault::Count { expected, found });
            }
        }
    }

    /// The record begins with each checkpoint that a place outside is said to have. A bundle of an older version names none.
    fn outside(&mut self, keys: &[VerifyKey]) {
        let list = if self.files.contains_key(LIST) { Outside::read(&self.text(LIST)) } else { Vec::new() };
        let mut named = BTreeSet::new();
        for outside in list {
            let Some(mut outside) = outside else {
                self.find(LIST, BundleFault::Unreadable);
                continue;
            };
            named.extend([outside.way(), outside.note(), outside.stamp()]);
            self.leads_on(&outside);
            // An entry that is withheld says nothing here, and then the list may not say whose it was. Whoever passed this on may
            // have written such a line, so that it proves nothing.
            let is_shown = self.files.get(&outside.record()).is_some_and(|entry| outside.is_said_by(entry));
            let is_withheld = outside.to == WITHHELD_NAME && self.left_out.contains(&outside.entry);
            if !is_shown && (!is_withheld || self.files.contains_key(&outside.record())) {
                self.find(LIST, BundleFault::Unsaid { entry: outside.entry });
            }
            let through = if self.report.closed { self.ended_at } else { self.last };
            self.report.anchored |= is_shown && !outside.is_stamp() && through.is_some_and(|index| index < outside.size);
            let path = outside.note();
            if self.files.contains_key(&path) {
                match Checkpoint::open(&self.text(&path), keys) {
                    Ok(note) if note.origin().as_str() != outside.origin || *note.head() != outside.head() => {
                        self.find(&path, BundleFault::OtherNote);
                    }
                    Ok(_) => {}
                    Err(why) => self.find(&path, BundleFault::Checkpoint(why)),
                }
            }
            outside.lacks_stamp = outside.is_stamp() && !self.files.contains_key(&outside.stamp());
            outside.stamp = self.stamp(&outside);
            self.report.outside.push(outside);
        }
        for (path, _) in self.folder(FOLDER) {
            if !named.contains(&path) {
                self.find(&path, BundleFault::Unnamed);
            }
        }
    }

    /// What the stamp says that goes with a line; whether it is the one of the entry, and of the note beside it. That an authority signed
    /// it is looked at by nobody here: that takes the authority's certificates.
    fn stamp(&mut self, outside: &Outside) -> Option<Stamped> {
        let (file, note, entry) = (outside.stamp(), outside.note(), outside.entry);
        let bytes = self.files.get(&file)?;
        let claim = self.files.get(&outside.record()).and_then(|entry| Claim::of(entry)).filter(|claim| claim.token == *bytes);
        let fault = match (claim, Stamp::read(bytes), self.files.get(&note)) {
            (None, _, _) => BundleFault::OtherStamp { entry },
            (Some(_), Err(why), _) => BundleFault::Stamp(why),
            (Some(_), Ok(_), None) => BundleFault::NotStamped,
            (Some(_), Ok(stamp), Some(text)) if !stamp.is_of(text) => BundleFault::NotStamped,
            (Some(claim), Ok(stamp), Some(_)) if claim.is_of(&stamp) => return Some(Stamped { stamp, file, note }),
            (Some(_), Ok(_), Some(_)) => BundleFault::OtherClaim { entry },
        };
        self.find(&file, fault);
        None
    }

    fn leads_on(&mut self, outside: &Outside) {
        let path = outside.way();
        let text = self.text(&path);
        let Some((proof, note)) = outside.onwards(&text) else {
            return self.find(&path, BundleFault::Unreadable);
        };
        if note != self.text("data/checkpoint") {
            return self.find(&path, BundleFault::OtherCheckpoint);
        }
        // Where nobody vouches for the bundle's checkpoint, that is said already.
        let continues = self.report.checkpoint.as_ref().map(|checkpoint| checkpoint.begins_with(&outside.head(), &proof));
        if let Some(Err(why)) = continues {
            self.find(&path, BundleFault::NotContinued(why));
        }
    }

    fn withheld(&mut self) {
        const PATH: &str = "data/withheld.csv";
        let text = self.text(PATH);
        let mut lines = text.lines();
        if lines.next() != Some(WITHHELD) {
            self.find(PATH, BundleFault::Unreadable);
        }
        for line in lines {
            let Some((index, aseq, value)) = withheld(line) else {
                self.find(PATH, BundleFault::Unreadable);
                continue;
            };
            self.report.withheld += 1;
            if self.report.checkpoint.as_ref().is_some_and(|signed| index >= signed.size()) {
                self.find(PATH, BundleFault::Unreadable);
                continue;
            }
            if value.is_none() {
                self.left_out.insert(index);
            }
            if aseq.is_some() {
                self.last = self.last.max(Some(index));
            }
            if let Some(aseq) = aseq
                && !self.numbers.insert(aseq)
            {
                self.find(PATH, BundleFault::Twice { aseq });
            }
            if let Some(value) = value {
                self.committed.remove(&value);
            }
        }
    }
}

/// The place of the entry, its number and the value that a line of `withheld.csv` names; `None` where it does not read.
fn withheld(line: &str) -> Option<(u64, Option<u64>, Option<Digest>)> {
    let fields: Vec<&str> = line.split(',').collect();
    let &[index, leaf, aseq, value, _label, _reason] = fields.as_slice() else { return None };
    let index = index.parse().ok()?;
    let _leaf = Digest::from_hex(leaf).ok()?;
    let aseq = if aseq.is_empty() { None } else { Some(aseq.parse().ok()?) };
    let value = if value.is_empty() { None } else { Some(Digest::from_hex(value).ok()?) };
    Some((index, aseq, value))
}

/// A line of `bag-info.txt`.
fn said(line: &str) -> Option<(String, String)> {
    line.split_once(": ").map(|(label, value)| (label.to_owned(), value.to_owned()))
}

/// The digests of every value that an entry commits to, in the order of its bytes.
fn commitments(value: &Value) -> Vec<Digest> {
    match value {
        Value::Object(fields) => match fields.get("sd").and_then(Value::as_str).map(Digest::from_hex) {
            Some(Ok(digest)) if fields.len() == 1 => vec![digest],
            Some(Ok(_) | Err(_)) | None => fields.values().flat_map(commitments).collect(),
        },
        Value::Array(values) => values.iter().flat_map(commitments).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

impl BundleFault {
    /// A word for programs.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Zip(_) => "zip",
            Self::Packing { .. } => "packing",
            Self::Beside => "beside",
            Self::Missing => "missing",
            Self::Unlisted => "unlisted",
            Self::Altered => "altered",
            Self::Unreadable => "unreadable",
            Self::Key => "key",
            Self::Checkpoint(_) => "checkpoint",
            Self::Entry(_) => "not_an_entry",
            Self::Proof(_) => "not_a_proof",
            Self::NotProven(_) => "not_proven",
            Self::OtherCheckpoint => "other_checkpoint",
            Self::NotContinued(_) => "not_continued",
            Self::OtherNote => "other_note",
            Self::Stamp(_) => "stamp",
            Self::OtherStamp { .. } => "other_stamp",
            Self::NotStamped => "not_stamped",
            Self::OtherClaim { .. } => "other_claim",
            Self::Unnamed => "unnamed",
            Self::Unsaid { .. } => "unsaid",
            Self::OtherPlace => "other_place",
            Self::OtherHistory { .. } => "other_history",
            Self::ValueOfNothing => "value_of_nothing",
            Self::Unexplained { .. } => "unexplained",
            Self::Gap { .. } => "gap",
            Self::Empty => "empty",
            Self::OtherName { .. } => "other_name",
            Self::Twice { .. } => "twice",
            Self::Count { .. } => "count",
        }
    }
}

impl fmt::Display for BundleFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}: ", self.file)?;
        }
        match &self.fault {
            BundleFault::Zip(why) => write!(f, "the zip does not read: {why}"),
            BundleFault::Packing { at } => {
                write!(f, "the zip is not as it was packed, from byte {at} on: it was altered, or another program has packed it again")
            }
            BundleFault::Beside => write!(f, "it lies beside the bundle's folder"),
            BundleFault::Missing => write!(f, "it is missing"),
            BundleFault::Unlisted => write!(f, "it is in no manifest: it was put in later, or its line was taken out"),
            BundleFault::Altered => write!(f, "it does not have the hash that it was packed with; it was altered"),
            BundleFault::Unreadable => write!(f, "a line of it does not read"),
            BundleFault::Key => write!(f, "a line of it is no public key"),
            BundleFault::Checkpoint(why) => write!(f, "it proves nothing: {why}"),
            BundleFault::Entry(why) => write!(f, "it is no entry: {why}"),
            BundleFault::Proof(why) => write!(f, "it proves nothing: {why}"),
            BundleFault::NotProven(why) => write!(f, "it is not in the record that was signed: {why}"),
            BundleFault::OtherCheckpoint => write!(f, "it leads to another checkpoint than the bundle's"),
            BundleFault::NotContinued(why) => write!(f, "the record does not begin with what went outside: {why}"),
            BundleFault::OtherNote => write!(f, "it is another checkpoint than data/anchors.csv says went outside"),
            BundleFault::Stamp(why) => write!(f, "it is no time stamp: {why}"),
            BundleFault::OtherStamp { entry } => write!(f, "it is another time stamp than entry {entry} has"),
            BundleFault::NotStamped => write!(f, "it is a time stamp of something else than the checkpoint beside it"),
            BundleFault::OtherClaim { entry } => write!(f, "entry {entry} says another time or serial number than this time stamp"),
            BundleFault::Unnamed => write!(f, "no line of data/anchors.csv names it"),
            BundleFault::Unsaid { entry } => {
                write!(f, "entry {entry} does not say what a line of it says: to whom which checkpoint went, and how that is known")
            }
            BundleFault::OtherPlace => write!(f, "it is of another place than its name says"),
            BundleFault::OtherHistory { found } => write!(f, "it is an entry of {found}"),
            BundleFault::ValueOfNothing => write!(f, "no entry commits to this value"),
            BundleFault::Unexplained { value } => {
                write!(f, "it commits to the value {value}, which is neither there nor named as withheld")
            }
            BundleFault::Gap { aseq } => write!(f, "entry {aseq} of the activation is neither there nor named as withheld"),
            BundleFault::Empty => write!(f, "no entry is in it: it proves nothing"),
            BundleFault::OtherName { found } => write!(f, "it says that the bundle is of {found}, and its folder has another name"),
            BundleFault::Twice { aseq } => write!(f, "entry {aseq} of the activation is there twice"),
            BundleFault::Count { expected, found } => write!(f, "it closes an activation of {found} entries, and is number {expected}"),
        }
    }
}
