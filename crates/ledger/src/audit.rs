//! The audit: what is wrong with a record, where, and since when. Every entry is looked at, and every checkpoint.
//!
//! Trusts nothing that is stored: hashes are made from the bytes, columns from the bytes, roots from the hashes, and a
//! checkpoint counts only under a key that the auditor was given. It changes nothing, and never ends at the first fault.

mod finding;
mod history;
mod kept;
mod looked;
mod reading;

use std::collections::BTreeMap;
use std::ops::Range;

pub use finding::{Fault, Finding, Severity};
use history::Histories;
use jiff::Timestamp;
use kept::Kept;
use looked::{Body, Held, Looked, Told};

use crate::checkpoint::{Checkpoint, NotACheckpoint};
use crate::key::{Origin, VerifyKey};
use crate::paper::Paper;
use crate::tree::{Frontier, LeafHash, Root};

/// A checkpoint to compare with, and where it comes from.
#[derive(Clone, Debug)]
pub struct Witnessed {
    /// In words: a file's name.
    pub from: String,
    /// Whether it lay outside of the operator's control.
    pub outside: bool,
    /// The note.
    pub note: String,
}

/// An audit under way.
#[derive(Clone, Debug)]
pub struct Audit {
    keys: Vec<VerifyKey>,
    /// By size, those that are to be compared, outside ones among them.
    waiting: BTreeMap<u64, Vec<Kept>>,
    /// From the bytes, where they are there.
    bytes: Frontier,
    /// From the stored hashes.
    stored: Frontier,
    next: u64,
    first_at_us: Option<i64>,
    last_at_us: Option<i64>,
    gone: u64,
    histories: Histories,
    /// Names that a later one succeeded.
    succeeded: BTreeMap<Origin, Succession>,
    verdicts: Vec<Compared>,
    findings: Vec<Finding>,
}

/// A checkpoint, or what stands on paper of one, that was compared with the record.
#[derive(Clone, Debug)]
struct Compared {
    kept: Kept,
    holds: bool,
    /// The time of the last entry that it covers.
    at: Option<String>,
}

/// What an audit found.
#[derive(Clone, Debug)]
pub struct Report {
    /// Entries in the record.
    pub size: u64,
    /// The root over them.
    pub root: Root,
    /// The time of the first entry.
    pub first_at: Option<String>,
    /// The time of the last entry.
    pub last_at: Option<String>,
    /// Entries whose bytes are gone: their retention has ended.
    pub gone: u64,
    /// Checkpoints that hold, and papers.
    pub holding: u64,
    /// The largest signed checkpoint that holds.
    pub newest: Option<u64>,
    /// The largest one from outside that holds, signed or on paper: up to here nothing can have been rewritten unseen.
    pub newest_outside: Option<u64>,
    /// What is wrong, by place.
    pub findings: Vec<Finding>,
}

impl Report {
    /// Whether nothing is wrong; what is only to be known does not count.
    pub fn is_sound(&self) -> bool {
        self.findings.iter().all(|finding| finding.fault.severity() == Severity::Known)
    }
}

impl Audit {
    /// Against these checkpoints, under these keys.
    pub fn new(keys: Vec<VerifyKey>, checkpoints: Vec<Witnessed>) -> Self {
        let mut audit = Self {
            keys,
            waiting: BTreeMap::new(),
            bytes: Frontier::new(),
            stored: Frontier::new(),
            next: 0,
            first_at_us: None,
            last_at_us: None,
            gone: 0,
            histories: Histories::default(),
            succeeded: BTreeMap::new(),
            verdicts: Vec::new(),
            findings: Vec::new(),
        };
        for witnessed in checkpoints {
            audit.await_checkpoint(witnessed);
        }
        audit.note_forks();
        audit.compare();
        audit
    }

    fn await_checkpoint(&mut self, Witnessed { from, outside, note }: Witnessed) {
        match Checkpoint::open(&note, &self.keys) {
            Ok(checkpoint) => self.keep(Kept::Signed { checkpoint, from, outside }),
            Err(NotACheckpoint::OtherOrigin { found, .. }) => self.find(0..0, Fault::KeyUnknown { from, origin: found }),
            Err(why) => self.find(0..0, Fault::NotACheckpoint { from, why }),
        }
    }

    /// Compares with what stands on paper as well. To be said before the first entry.
    pub fn paper(&mut self, from: String, paper: Paper) {
        self.keep(Kept::Paper { paper, from });
        self.compare();
    }

    fn keep(&mut self, kept: Kept) {
        self.waiting.entry(kept.size()).or_default().push(kept);
    }

    /// Two truly signed checkpoints of one name and size with different roots convict the signer, whatever the record says.
    fn note_forks(&mut self) {
        let mut forks = Vec::new();
        for (size, kept) in &self.waiting {
            let signed: Vec<_> = kept.iter().filter_map(Kept::signed).collect();
            for (at, (one, from)) in signed.iter().enumerate() {
                let other = signed.iter().skip(at + 1).find(|(other, _)| other.origin() == one.origin() && other.root() != one.root());
                if let Some((other, other_from)) = other {
                    let notes = Box::new([one.to_string(), other.to_string()]);
                    forks.push((*size, Fault::Equivocation { from: [(*from).to_owned(), (*other_from).to_owned()], notes }));
                }
            }
        }
        for (size, fault) in forks {
            self.find(0..size, fault);
        }
    }

    /// The next entry, in order of places.
    pub(crate) fn entry(&mut self, looked: Looked) {
        let Looked { place, stored, made, body } = looked;
        let Ok(seq) = u64::try_from(place) else {
            return self.find(self.next..self.next, Fault::Extra { place });
        };
        if seq > self.next {
            self.find(self.next..seq, Fault::Missing);
            // The tree goes on as if they had never been: no checkpoint after them will hold.
            self.next = seq;
        } else if seq < self.next {
            return self.find(seq..seq + 1, Fault::Extra { place });
        }
        self.next = seq + 1;
        match (stored, made) {
            (None, _) => self.find(seq..self.next, Fault::LeafUnreadable),
            (Some(stored), Some(made)) if stored != made => self.find(seq..self.next, Fault::Altered),
            (Some(_), Some(_) | None) => {}
        }
        let nothing = || LeafHash::of(&[]);
        self.bytes.append(made.or(stored).unwrap_or_else(nothing));
        self.stored.append(stored.or(made).unwrap_or_else(nothing));
        match body {
            Body::Gone { stream, cust } => {
                self.gone += 1;
                self.histories.pass(&stream, &cust);
            }
            Body::Entry(told) => self.told(seq, told),
            Body::NotAnEntry { why } => self.find(seq..self.next, Fault::NotAnEntry { why }),
        }
        self.compare();
    }

    fn told(&mut self, seq: u64, told: Told) {
        for column in told.differing {
            self.find(seq..seq + 1, Fault::Column { column });
        }
        let before = self.last_at_us.replace(told.at_us);
        self.first_at_us = self.first_at_us.or(self.last_at_us);
        if before.is_some_and(|last| told.at_us <= last) {
            self.find(seq..seq + 1, Fault::TimeGoesBack);
        }
        for fault in self.histories.follow(&told.counted) {
            self.find(seq..seq + 1, fault);
        }
        if let Some((origin, size)) = told.succeeds.as_deref().and_then(named) {
            self.succeeded.insert(origin, Succession { said: seq, shared: seq.min(size) });
        }
    }

    /// Compares the checkpoints of the size that was reached.
    fn compare(&mut self) {
        // A root costs a hash for every bit of the size, which is more than all else that an entry costs here.
        let Some(waiting) = self.waiting.remove(&self.next) else { return };
        let roots = [self.bytes.root(), self.stored.root()];
        // With entries missing the tree is shorter than the places say, and no checkpoint is to hold by chance.
        let whole = self.bytes.size() == self.next;
        for kept in waiting {
            let holds = whole && roots.contains(&kept.root());
            self.verdicts.push(Compared { kept, holds, at: self.last_at_us.and_then(spelled) });
        }
    }

    /// A disclosure, whose entry was shown before.
    pub(crate) fn disclosure(&mut self, Held { place, is_sound }: Held) {
        let place = u64::try_from(place).unwrap_or(u64::MAX);
        if !is_sound {
            self.find_of_value(place, Fault::Disclosure);
        } else if place >= self.next {
            self.find_of_value(place, Fault::DisclosureOfNothing);
        }
    }

    /// Something that the store said and that ended the reading.
    pub fn unreadable(&mut self, why: String) {
        self.find(self.next..self.next, Fault::Unreadable { why });
    }

    /// Everything that was found.
    pub fn finish(mut self) -> Report {
        // Those between missing places, or beyond the end.
        let sizes: Vec<u64> = self.waiting.keys().copied().collect();
        let size = self.next;
        for kept in sizes.iter().flat_map(|size| self.waiting.remove(size).unwrap_or_default()).collect::<Vec<_>>() {
            self.verdicts.push(Compared { kept, holds: false, at: None });
        }
        self.judge(size);
        let newest = self.largest_that_holds(|kept| kept.signed().is_some());
        let newest_outside = self.largest_that_holds(Kept::is_outside);
        if newest_outside.is_none_or(|covered| covered < size) && size > 0 {
            let since = self.time_at(newest_outside.unwrap_or(0));
            self.findings.push(Finding { places: newest_outside.unwrap_or(0)..size, since, fault: Fault::NothingOutside });
        }
        self.findings.sort_by_key(|finding| (finding.places.start, finding.places.end));
        Report {
            size,
            root: self.bytes.root(),
            first_at: self.first_at_us.and_then(spelled),
            last_at: self.last_at_us.and_then(spelled),
            gone: self.gone,
            holding: u64::try_from(self.verdicts.iter().filter(|verdict| verdict.holds).count()).unwrap_or(u64::MAX),
            newest,
            newest_outside,
            findings: self.findings,
        }
    }

    fn largest_that_holds(&self, which: impl Fn(&Kept) -> bool) -> Option<u64> {
        self.verdicts.iter().filter(|verdict| verdict.holds && which(&verdict.kept)).map(|verdict| verdict.kept.size()).max()
    }

    /// What the checkpoints say together: between which two the history was rewritten, and which lie beyond the end.
    fn judge(&mut self, size: u64) {
        let good = self.largest_that_holds(|_| true);
        let below = |size: u64| self.largest_that_holds(|kept| kept.size() < size).unwrap_or(0);
        let (mut found, mut papers) = (Vec::new(), Vec::new());
        let mut rewritten: Option<(u64, String)> = None;
        for verdict in self.verdicts.iter().filter(|verdict| !verdict.holds) {
            let (covers, from, origin) = (verdict.kept.size(), verdict.kept.from().to_owned(), verdict.kept.origin());
            // A name that another succeeded: what it covered beyond the copy that was restored is known to be gone.
            // However long the record has grown under the new name since.
            let known =
                self.succeeded.get(origin).filter(|one| covers > one.shared || good.is_none_or(|good| good < covers) || covers > size);
            match known {
                Some(one) => found.push((one.shared.min(size).min(covers)..covers, Fault::Succeeded { from, said: one.said })),
                None if verdict.kept.signed().is_none() => {
                    papers.push((below(covers).min(size)..covers, Fault::PaperDiffers { from, origin: origin.clone() }));
                }
                None if covers > size => found.push((size..covers, Fault::Truncated { from })),
                None => {
                    let first = rewritten.as_ref().is_none_or(|(bad, _)| covers < *bad);
                    if first {
                        rewritten = Some((covers, from));
                    }
                }
            }
        }
        if let Some((bad, from)) = rewritten {
            let start = below(bad);
            let since = self.time_at(start);
            self.findings.push(Finding { places: start..bad, since, fault: Fault::Rewritten { from } });
        }
        for (places, fault) in papers {
            let since = self.time_at(places.start);
            self.findings.push(Finding { places, since, fault });
        }
        for (places, fault) in found {
            self.find(places, fault);
        }
    }

    /// The time of the last entry before this place, where a checkpoint of that size holds.
    fn time_at(&self, size: u64) -> Option<String> {
        self.verdicts.iter().find(|verdict| verdict.holds && verdict.kept.size() == size)?.at.clone()
    }

    /// Without a time: entries after its place were shown already.
    fn find_of_value(&mut self, place: u64, fault: Fault) {
        self.findings.push(Finding { places: place..place.saturating_add(1), since: None, fault });
    }

    fn find(&mut self, places: Range<u64>, fault: Fault) {
        self.findings.push(Finding { places, since: self.last_at_us.and_then(spelled), fault });
    }
}

/// That a new name goes on where an old one was lost.
#[derive(Clone, Copy, Debug)]
struct Succession {
    /// The entry that says so.
    said: u64,
    /// At most so many entries are of both histories.
    shared: u64,
}

/// A moment of the record, in its one spelling.
fn spelled(at_us: i64) -> Option<String> {
    Timestamp::from_microsecond(at_us).ok().map(|at| format!("{at:.6}"))
}

/// The name and the size of a note.
fn named(note: &str) -> Option<(Origin, u64)> {
    let mut lines = note.split('\n');
    Some((lines.next()?.parse().ok()?, lines.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests;
