//! Anchors: who outside was given a checkpoint that covers an activation, so that a stranger knows whom to ask for theirs; and who was
//! asked to stamp one, and keeps nothing.
//!
//! It goes by the entries that say so. Of each anchor the first checkpoint counts that covers the closing, and the first that covers
//! every entry where that is a later one: what it took afterwards covers no less, and bounds the time no closer.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use escalation::anchor::{LastAnchored, Receipt};
use escalation::event::{Event, Reader};
use escalation::id::AnchorName;
use escalation::time::Timestamp;
use ledger::{Checkpoint, ConsistencyProof, Digest, Given, Ledger, ReadError, Seq, Stamp};

use super::guard::Guard;
use super::{Dossier, Kept, PAGE, Wish};
use crate::notary::Proofs;

/// How many of the station's own entries after an activation are searched, in pages: about a month of a quiet station.
const PAGES: u32 = 10;
/// What stands in the place of a name and a receipt that a reader may not have.
pub(super) const WITHHELD: &str = "(withheld)";
/// Why the entry is left out for whoever may not know which anchors there are.
pub(super) const SOMEBODYS: &str = "which anchor it was: one may be called after another customer";

/// A checkpoint that an anchor took.
#[derive(Clone, Debug)]
pub(super) struct Taken {
    /// Which anchor, as this reader may have it.
    pub(super) to: String,
    /// The entry that says so.
    pub(super) entry: u64,
    /// When it was written.
    pub(super) at: Timestamp,
    /// How many entries of the activation it covers.
    pub(super) covers: usize,
    /// By what it is known, as the entry has it in a word. Any reader may have that: it names nobody.
    pub(super) kind: &'static str,
    /// How it is known, as this reader may have it.
    pub(super) receipt: String,
    /// What was given.
    pub(super) size: u64,
    /// The same as the note has it.
    pub(super) root: Digest,
    /// Under which name the record was signed.
    origin: String,
    /// What became of the stamp that an authority gave for it.
    pub(super) stamp: Stamping,
}

/// What became of a stamp.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stamping {
    /// There is none: somebody was given the checkpoint, and may have kept it.
    Kept,
    /// It goes into the bundle, as it came.
    Here(Vec<u8>),
    /// It stays in the entry: what it is of is not known any more, so that nobody could verify it.
    LeftOut,
    /// This reader may not have it, for it names the authority.
    Withheld,
}

impl Taken {
    /// Whether somebody was given it, and may have kept it.
    pub(super) fn has_keeper(&self) -> bool {
        self.stamp == Stamping::Kept
    }

    /// Whether this reader may know whose it was, and so whom to ask.
    pub(super) fn is_named(&self) -> bool {
        self.to != WITHHELD
    }
}

/// The entries that say who took a checkpoint that covers these entries of an activation.
pub(super) async fn receipts<L: Ledger>(
    ledger: &L,
    own: &[Kept],
    anchored: &BTreeMap<AnchorName, LastAnchored>,
) -> Result<Vec<Kept>, ReadError> {
    let Some(mut search) = Search::over(own, anchored) else { return Ok(Vec::new()) };
    let mut from = Seq::new(search.ended);
    for _page in 0..PAGES {
        if search.missing().is_empty() {
            break;
        }
        let found = ledger.by_stream("", from, PAGE).await?;
        let Some(last) = found.last().map(|entry| entry.seq.next()) else { break };
        search.take(ledger, found).await?;
        from = last;
    }
    // One that was set up long after the activation: what it took last is close behind what that covers.
    for size in search.missing() {
        let found = ledger.by_stream("", Seq::new(size), PAGE).await?;
        search.take(ledger, found).await?;
    }
    let mut found = search.found;
    found.sort_by_key(|kept| kept.entry.seq);
    Ok(found)
}

/// What is looked for.
struct Search<'a> {
    anchored: &'a BTreeMap<AnchorName, LastAnchored>,
    /// The size that covers the closing.
    ended: u64,
    /// The size that covers everything.
    whole: u64,
    /// The largest size so far that each anchor is known to have taken.
    reached: BTreeMap<AnchorName, u64>,
    found: Vec<Kept>,
}

impl<'a> Search<'a> {
    fn over(own: &[Kept], anchored: &'a BTreeMap<AnchorName, LastAnchored>) -> Option<Self> {
        let whole = own.last()?.entry.seq.next().index();
        let is_turn = |kept: &&Kept| matches!(kept.said, Some((_, Event::Closed { .. } | Event::Reopened { .. })));
        let is_closing = |kept: &&Kept| matches!(kept.said, Some((_, Event::Closed { .. })));
        // What was opened again is not over where it was closed before.
        let closing = own.iter().rev().find(is_turn).filter(is_closing);
        let ended = closing.map_or(whole, |kept| kept.entry.seq.next().index());
        Some(Self { anchored, ended, whole, reached: BTreeMap::new(), found: Vec::new() })
    }

    /// The size that each anchor took last of which nothing was found that covers everything.
    fn missing(&self) -> BTreeSet<u64> {
        let lacks = |(name, last): &(&AnchorName, &LastAnchored)| last.size >= self.ended && self.reached(name) < self.whole.min(last.size);
        self.anchored.iter().filter(lacks).map(|(_, last)| last.size).collect()
    }

    fn reached(&self, name: &AnchorName) -> u64 {
        self.reached.get(name).copied().unwrap_or_default()
    }

    async fn take<L: Ledger>(&mut self, ledger: &L, entries: Vec<ledger::Entry>) -> Result<(), ReadError> {
        for entry in entries.into_iter().filter(|entry| entry.columns.kind == "checkpoint.anchored") {
            let kept = Kept::read(ledger, entry).await?;
            let Some((_, Event::CheckpointAnchored { anchor, size, .. })) = &kept.said else { continue };
            let had = self.reached(anchor);
            let is_first = had < self.ended && *size >= self.ended;
            let is_whole = had < self.whole && *size >= self.whole;
            if is_first || is_whole {
                self.reached.insert(anchor.clone(), *size);
                self.found.push(kept);
            }
        }
        Ok(())
    }
}

/// Whether this reader may know which anchors there are. That is the whole station's affair, for one may be called after another
/// customer: whoever asks must oversee it, and for applicants and regulators that is not said at all.
pub(super) fn are_told(wish: &Wish) -> bool {
    match wish.reader {
        Reader::Police => wish.scope.is_everything(),
        Reader::Regulator | Reader::Foi => false,
    }
}

impl Dossier {
    /// Who took what.
    pub(super) fn taken(&self, guard: &Guard, are_told: bool) -> Vec<Taken> {
        let taken = |kept: &Kept| {
            let Some((at, Event::CheckpointAnchored { anchor, origin, size, root, receipt })) = &kept.said else { return None };
            let is_told = are_told && !guard.hears(&kept.text());
            let told = |text: String| if is_told { text } else { WITHHELD.to_owned() };
            Some(Taken {
                to: told(anchor.to_string()),
                entry: kept.entry.seq.index(),
                at: *at,
                covers: self.own.iter().filter(|own| own.entry.seq.index() < *size).count(),
                kind: receipt.as_str(),
                receipt: told(known(receipt)),
                size: *size,
                root: Digest::from_bytes(*root.as_bytes()),
                origin: origin.clone(),
                stamp: stamping(receipt, is_told),
            })
        };
        self.anchors.iter().filter_map(taken).collect()
    }
}

/// What of it goes into the bundle, with the way to the bundle's own checkpoint. What is not known or not proven is left out: it adds
/// to the evidence, which waits for none of it.
pub(super) async fn given(proofs: &dyn Proofs, taken: &mut [Taken], checkpoint: &Checkpoint) -> Vec<Given> {
    let known = proofs.notes(taken.iter().map(|taken| taken.size).collect()).await.unwrap_or_default();
    let mut given = Vec::with_capacity(taken.len());
    for taken in taken {
        let Ok(path) = proofs.consistency(taken.size, checkpoint.size()).await else { continue };
        let Ok(path) = path.iter().map(|hash| Digest::from_hex(hash)).collect::<Result<_, _>>() else { continue };
        let is_that =
            |note: &&Checkpoint| note.size() == taken.size && *note.root().digest() == taken.root && note.origin().as_str() == taken.origin;
        let note = known.iter().find(is_that);
        taken.leave_out_what_is_not_of(note);
        let Taken { to, entry, at, kind, size, root, origin, stamp, .. } = &*taken;
        given.push(Given {
            to: to.clone(),
            entry: *entry,
            recorded_at: format!("{at:.6}"),
            origin: origin.clone(),
            size: *size,
            root: *root,
            receipt: kind,
            onwards: ConsistencyProof { path },
            note: note.cloned(),
            stamp: if let Stamping::Here(stamp) = stamp { Some(stamp.clone()) } else { None },
        });
    }
    given
}

impl Taken {
    /// A stamp is of every byte of a note; without that note beside it nobody can verify it.
    fn leave_out_what_is_not_of(&mut self, note: Option<&Checkpoint>) {
        let is_of = |stamp: &[u8], note: &Checkpoint| Stamp::read(stamp).is_ok_and(|read| read.is_of(note.to_string().as_bytes()));
        if let Stamping::Here(stamp) = &self.stamp
            && !note.is_some_and(|note| is_of(stamp, note))
        {
            self.stamp = Stamping::LeftOut;
            self.receipt.push_str("; it is not in this bundle, because the checkpoint that it is of is not known here");
        }
    }
}

/// How it is known that a checkpoint was taken, and what is not.
fn known(receipt: &Receipt) -> String {
    match receipt {
        Receipt::Smtp { message_id } => format!("the mail relay took mail {message_id}; nothing says that it arrived or was kept"),
        Receipt::Http { status, id } => format!("the receiver answered {status} to {id}; nothing says that it was kept"),
        Receipt::Puback => "the broker acknowledged it; nothing says that anybody has kept it".to_owned(),
        // What the entry says of it is the station's word; this is the stamp's own.
        Receipt::Rfc3161 { token, .. } => match decoded(token).map(|token| Stamp::read(&token)) {
            Some(Ok(Stamp { at, serial, .. })) => format!(
                "it was asked to stamp it, and keeps nothing: a time stamp says {at} by the authority's clock and has its serial number {serial}; that the authority signed it was not checked here"
            ),
            Some(Err(_)) | None => "it was asked to stamp it, and keeps nothing: what is recorded as its time stamp is none".to_owned(),
        },
    }
}

/// What becomes of what an authority gave.
fn stamping(receipt: &Receipt, is_told: bool) -> Stamping {
    match receipt {
        Receipt::Smtp { .. } | Receipt::Http { .. } | Receipt::Puback => Stamping::Kept,
        Receipt::Rfc3161 { .. } if !is_told => Stamping::Withheld,
        Receipt::Rfc3161 { token, .. } => Stamping::Here(decoded(token).unwrap_or_default()),
    }
}

fn decoded(token: &str) -> Option<Vec<u8>> {
    STANDARD.decode(token).ok()
}

#[cfg(test)]
mod tests {
    use ledger::memory::MemoryLedger;
    use ledger::{Batch, EntryBody, LeafHash, Signer, SigningKey, SigningKeys, Subtrees};
    use serde_json::{Value, json};

    use super::super::report;
    use super::*;
    use crate::notary::{Answer, Attested, Notes};

    /// A record: of each entry whether it closes the activation, is of it, says that an anchor took so much, or is anything else.
    enum Made {
        Own,
        Closing,
        Reopening,
        Took(&'static str, u64),
        Other,
    }

    /// Which receipts are found, by anchor and size.
    async fn found(made: &[Made]) -> Vec<(String, u64)> {
        let ledger = MemoryLedger::new();
        let mut batch = Batch::new(Seq::FIRST);
        let mut anchored = BTreeMap::new();
        let mut aseq = 0_u64;
        for (one, n) in made.iter().zip(0_u64..) {
            let fields = match one {
                Made::Own => json!({ "type": "claim.lapsed", "act": "KAL-1", "aseq": aseq }),
                Made::Closing => json!({
                    "type": "activation.closed", "act": "KAL-1", "aseq": aseq, "count": aseq + 1, "disposition": "attended", "by": { "principal": "api:centre" },
                    "archive_at": "2026-04-14T06:00:00Z",
                }),
                Made::Reopening => {
                    json!({ "type": "activation.reopened", "act": "KAL-1", "aseq": aseq, "by": { "principal": "api:centre" }, "reason": { "sd": "0".repeat(64) } })
                }
                Made::Took(anchor, size) => {
                    let name = AnchorName::parse(anchor).unwrap();
                    anchored.insert(name, LastAnchored { origin: "a/1".to_owned(), size: *size, at: Timestamp::UNIX_EPOCH });
                    json!({ "type": "checkpoint.anchored", "anchor": anchor, "origin": "a/1", "size": size, "root": "00".repeat(32), "receipt": "puback" })
                }
                Made::Other => json!({ "type": "record.found" }),
            };
            aseq += u64::from(matches!(one, Made::Own | Made::Closing | Made::Reopening));
            let mut entry = json!({
                "v": 1, "t": format!("2026-04-13T06:{:02}:{:02}.000000Z", n / 60 % 60, n % 60), "boot": "b-00000000", "mono_us": n, "nonce": format!("{n:032x}"),
            });
            let (Value::Object(entry), Value::Object(fields)) = (&mut entry, fields) else { panic!("no objects") };
            entry.extend(fields);
            batch.push(EntryBody::write(entry).unwrap(), Vec::new());
        }
        ledger.append(&batch).await.unwrap();
        let mut own = Vec::new();
        for entry in ledger.by_stream("KAL-1", Seq::FIRST, 1_000).await.unwrap() {
            let kept = Kept::read(&ledger, entry).await.unwrap();
            assert!(kept.said.is_some(), "an entry of this test does not read");
            own.push(kept);
        }
        let said = |kept: &Kept| match &kept.said {
            Some((_, Event::CheckpointAnchored { anchor, size, .. })) => (anchor.to_string(), *size),
            other => panic!("{other:?}"),
        };
        receipts(&ledger, &own, &anchored).await.unwrap().iter().map(said).collect()
    }

    #[tokio::test]
    async fn of_each_anchor_the_first_counts_that_covers_the_closing_and_the_first_that_covers_everything() {
        use Made::{Closing, Other, Own, Reopening, Took};
        let one = |name: &str, size| (name.to_owned(), size);
        // Before the closing, over it, over all, and again.
        let made = [Own, Took("union", 1), Closing, Took("union", 3), Own, Took("union", 5), Took("insurer", 6), Took("union", 7)];
        assert_eq!(found(&made).await, [one("union", 3), one("union", 5), one("insurer", 6)]);
        // The same checkpoint does both.
        assert_eq!(found(&[Own, Closing, Took("union", 2), Took("union", 3)]).await, [one("union", 2)]);
        // Open: everything must be covered.
        assert_eq!(found(&[Own, Took("union", 1), Own, Took("union", 2)]).await, []);
        assert_eq!(found(&[Own, Own, Other, Took("union", 3)]).await, [one("union", 3)]);
        assert_eq!(found(&[Own, Closing, Other]).await, []);
        // Opened again: what covers the closing before that does not cover how it stands.
        assert_eq!(found(&[Own, Closing, Took("union", 2), Reopening, Own]).await, []);
        assert_eq!(found(&[Own, Closing, Took("union", 2), Reopening, Took("union", 4)]).await, [one("union", 4)]);
    }

    /// What knows no note any more, as after a change of keys, or knows others.
    struct Forgetful(Vec<Checkpoint>);

    impl Proofs for Forgetful {
        fn checkpoint(&self) -> Option<String> {
            None
        }
        fn entries(&self, _from: u64, _limit: u32) -> Answer<'_, Vec<Vec<u8>>> {
            Box::pin(async { Ok(Vec::new()) })
        }
        fn proof(&self, _index: u64) -> Answer<'_, String> {
            Box::pin(async { Ok(String::new()) })
        }
        fn attest(&self, _places: Vec<u64>) -> Answer<'_, Attested> {
            Box::pin(std::future::pending())
        }
        fn consistency(&self, _older: u64, _newer: u64) -> Answer<'_, Vec<String>> {
            Box::pin(async { Ok(Vec::new()) })
        }
        fn notes(&self, _sizes: BTreeSet<u64>) -> Answer<'_, Notes> {
            Box::pin(async { Ok(self.0.clone()) })
        }
    }

    fn note() -> Checkpoint {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoints");
        Signer::create(&path).unwrap();
        let current = SigningKey::from_seed("a/1".parse().unwrap(), &[7; 32]).unwrap();
        let mut signer = Signer::open(&path, SigningKeys { current, before: None }).unwrap();
        let mut tree = Subtrees::new();
        tree.extend([LeafHash::of(b"an entry")]);
        signer.sign(tree.head(), &ConsistencyProof { path: Vec::new() }).unwrap()
    }

    /// One that was taken out without a word would look as if there had never been one.
    #[tokio::test]
    async fn a_stamp_that_is_left_out_is_said_to_be() {
        let note = note();
        let stamp = |stamp| Taken {
            to: "stamps".to_owned(),
            entry: 9,
            at: Timestamp::UNIX_EPOCH,
            covers: 1,
            kind: "rfc3161",
            receipt: "it was asked".to_owned(),
            size: note.size(),
            root: *note.root().digest(),
            origin: "a/1".to_owned(),
            stamp,
        };
        for notes in [vec![], vec![note.clone()]] {
            let mut taken = [stamp(Stamping::Here(b"of another note".to_vec())), stamp(Stamping::Withheld), stamp(Stamping::Kept)];
            let given = given(&Forgetful(notes), &mut taken, &note).await;
            assert!(given.iter().all(|given| given.stamp.is_none() && given.receipt == "rfc3161"), "{given:?}");
            let [left_out, others @ ..] = taken.each_ref().map(|taken| (&taken.stamp, taken.receipt.contains("it is not in this bundle")));
            assert_eq!((left_out, others), ((&Stamping::LeftOut, true), [(&Stamping::Withheld, false), (&Stamping::Kept, false)]));
            let words = report::anchors_in_words(&taken[..1], 1);
            assert!(words.contains("stamps was asked to stamp") && words.contains("its time stamp is NOT in this folder"), "{words}");
            assert!(words.contains("Nobody outside is known to have been given") && !words.contains("stamps was given"), "{words}");
            assert!(!report::anchors_in_words(&taken, 1).contains("Nobody outside is known"), "one of them may have kept it");
        }
    }

    /// What a stamp says is read from it, and not from what the entry says of it.
    #[test]
    fn what_is_shown_of_a_stamp_is_its_own() {
        let said = |token: &str| known(&Receipt::Rfc3161 { at: Timestamp::UNIX_EPOCH, serial: "77".to_owned(), token: token.to_owned() });
        for token in ["MAA=", "no base64"] {
            let words = said(token);
            assert!(words.contains("what is recorded as its time stamp is none") && !words.contains("77"), "{words}");
        }
        assert_eq!((stamping(&Receipt::Puback, false), stamping(&Receipt::Puback, true)), (Stamping::Kept, Stamping::Kept));
    }

    #[tokio::test]
    async fn one_that_was_set_up_long_afterwards_is_found_by_what_it_took_last() {
        use Made::{Closing, Other, Own, Took};
        let quiet = u64::from(PAGES * PAGE) + 500;
        let late = [Took("union", quiet + 2), Other, Took("union", quiet + 4)];
        let made: Vec<Made> = [Own, Closing].into_iter().chain((0..quiet).map(|_| Other)).chain(late).collect();
        assert_eq!(found(&made).await, [("union".to_owned(), quiet + 4)]);
    }
}
