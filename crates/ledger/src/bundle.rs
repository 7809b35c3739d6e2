//! Evidence bundles: entries, their proofs and what they disclose, as a `BagIt` bag (RFC 8493) in a zip, for whoever verifies without us.
//!
//! Knows what has to fit together, and nothing of whom a bundle is for or what may be told to them: that is decided before.

mod check;
mod outside;
mod zip;

use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::disclosure::Disclosure;
use crate::entry::EntryBody;
use crate::key::VerifyKey;
use crate::tlog_proof::TlogProof;
use crate::tree::LeafHash;

pub use check::{BundleFault, BundleFinding, BundleReport, verify as verify_bundle};
pub use outside::{Given, Outside, Stamped};
use zip::Files;
pub use zip::{NotAZip, TooLarge};

/// What every bag says first.
const BAGIT: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
/// The checks by hand, which need nothing of ours.
const VERIFY: &str = include_str!("bundle/verify.sh");
/// The first line of the list of what is withheld.
const WITHHELD: &str = "index,leaf_hash,aseq,value,label,reason";

/// What `bag-info.txt` calls the history that the bundle is of (RFC 8493, 2.2.2).
pub const IDENTIFIER: &str = "External-Identifier";

/// What goes into a bundle.
#[derive(Clone, Debug)]
pub struct Bundle {
    /// The history that it is of, as its entries name it; also its folder.
    pub name: String,
    /// What the bag says of itself, in order.
    pub info: Vec<(&'static str, String)>,
    /// Every key that signs the record, the current one first.
    pub keys: Vec<VerifyKey>,
    /// What everything in it is proven against.
    pub checkpoint: Checkpoint,
    /// Entries with their proofs.
    pub proven: Vec<(EntryBody, TlogProof)>,
    /// Values that they commit to.
    pub disclosures: Vec<Disclosure>,
    /// What is not in it, and why.
    pub withheld: Vec<Withheld>,
    /// Checkpoints that cover it and that places outside were given or asked to stamp.
    pub anchors: Vec<Given>,
    /// Papers for people, by their names in the folder `data`.
    pub papers: Vec<(&'static str, Vec<u8>)>,
}

/// An entry, or a value of one, that is not in a bundle.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Withheld {
    /// The entry's place.
    pub index: u64,
    /// Its hash.
    pub leaf: LeafHash,
    /// Its number within the history, where the whole entry is withheld and has one.
    pub aseq: Option<u64>,
    /// The value alone, and what kind of value it is where that is known.
    pub value: Option<(Digest, String)>,
    /// Why, in words without a comma.
    pub reason: &'static str,
}

/// A bundle as it is handed out.
#[derive(Clone, PartialEq, Eq)]
pub struct Packed {
    /// The zip.
    pub zip: Vec<u8>,
    /// Its SHA-256.
    pub digest: Digest,
}

impl Bundle {
    /// Packs it.
    ///
    /// # Errors
    /// It has more files or bytes than a plain zip holds.
    pub fn pack(&self) -> Result<Packed, TooLarge> {
        let zip = zip::pack(&bag(&self.name, &self.info, &self.payload()))?;
        let digest = Digest::of(&[&zip]);
        Ok(Packed { zip, digest })
    }

    fn payload(&self) -> Files {
        let mut files = Files::new();
        let mut put = |path: String, content: &[u8]| files.insert(format!("data/{path}"), content.to_vec());
        put("checkpoint".to_owned(), self.checkpoint.to_string().as_bytes());
        let keys: Vec<String> = self.keys.iter().map(|key| format!("{key}\n")).collect();
        put("log.vkey".to_owned(), keys.concat().as_bytes());
        for (body, proof) in &self.proven {
            put(format!("records/{:010}.json", proof.index), body.bytes());
            put(format!("proofs/{:010}.tlog-proof", proof.index), proof.to_string().as_bytes());
        }
        for disclosure in &self.disclosures {
            put(format!("disclosures/{}.json", disclosure.digest()), disclosure.bytes());
        }
        let lines: Vec<String> = self.withheld.iter().map(Withheld::line).collect();
        put("withheld.csv".to_owned(), format!("{WITHHELD}\n{}", lines.concat()).as_bytes());
        for (name, content) in Given::files(&self.anchors, &self.checkpoint) {
            put(name, &content);
        }
        put("verify.sh".to_owned(), VERIFY.as_bytes());
        for (name, bytes) in &self.papers {
            put((*name).to_owned(), bytes);
        }
        files
    }
}

impl Withheld {
    fn line(&self) -> String {
        let aseq = self.aseq.map(|aseq| aseq.to_string()).unwrap_or_default();
        let (value, label) = match &self.value {
            Some((digest, label)) => (digest.to_string(), label.as_str()),
            None => (String::new(), ""),
        };
        format!("{},{},{aseq},{value},{label},{}\n", self.index, self.leaf.digest(), self.reason)
    }
}

/// The files of a bag in a folder of this name: manifests of the payload and of what the bag says of itself.
fn bag(name: &str, info: &[(&'static str, String)], payload: &Files) -> Files {
    let bytes: usize = payload.values().map(Vec::len).sum();
    let said = info.iter().map(|(label, value)| format!("{label}: {value}\n"));
    let info: String = said.chain([format!("Payload-Oxum: {bytes}.{}\n", payload.len())]).collect();
    let mut files: Files = [("bagit.txt", BAGIT.to_owned()), ("bag-info.txt", info), ("manifest-sha256.txt", manifest(payload))]
        .map(|(path, text)| (path.to_owned(), text.into_bytes()))
        .into();
    let tags = manifest(&files);
    files.insert("tagmanifest-sha256.txt".to_owned(), tags.into_bytes());
    files.extend(payload.iter().map(|(path, content)| (path.clone(), content.clone())));
    files.into_iter().map(|(path, content)| (format!("{name}/{path}"), content)).collect()
}

fn manifest(files: &Files) -> String {
    let lines: Vec<String> = files.iter().map(|(path, content)| format!("{}  {path}\n", Digest::of(&[content]))).collect();
    lines.concat()
}

#[cfg(test)]
mod tests;
