//! The same contract in memory, with faults chosen by the caller: what the simulation runs on.
//!
//! Deterministic: no thread, no clock, no randomness, and any executor will do. Nothing survives the process.

use std::collections::BTreeMap;
use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Poll;

use crate::{AppendError, Batch, Digest, Disclosure, Entry, Frontier, Head, Ledger, Listing, ListingQuery, ReadError, Seq, ViewsQuery};

/// What goes wrong with one append.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Nothing.
    None,
    /// The batch is written, and the answer is lost.
    UnknownCommitted,
    /// The batch is not written, and nobody can tell.
    UnknownAbsent,
    /// The batch is written after the future was polled this many times in vain. Dropped before, it is not written.
    Stall(u32),
    /// A rival has the place.
    Fenced,
}

/// Chooses the fault of each append.
type Faults = Box<dyn FnMut(&Batch) -> Fault + Send>;

/// A record in memory. A clone is another handle to the same record and the same faults.
#[derive(Clone)]
pub struct MemoryLedger {
    state: Arc<Mutex<State>>,
}

struct State {
    entries: Vec<Entry>,
    frontier: Frontier,
    disclosures: BTreeMap<Digest, (Seq, Disclosure)>,
    listings: BTreeMap<String, Listing>,
    faults: Faults,
}

impl MemoryLedger {
    /// An empty record to which nothing goes wrong.
    pub fn new() -> Self {
        Self::with_faults(|_| Fault::None)
    }

    /// An empty record whose appends fail as `faults` says, which is asked once for each.
    pub fn with_faults(faults: impl FnMut(&Batch) -> Fault + Send + 'static) -> Self {
        let state = State {
            entries: Vec::new(),
            frontier: Frontier::new(),
            disclosures: BTreeMap::new(),
            listings: BTreeMap::new(),
            faults: Box::new(faults),
        };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    /// Changes what goes wrong from now on; the record stays.
    pub fn set_faults(&self, faults: impl FnMut(&Batch) -> Fault + Send + 'static) {
        self.lock().faults = Box::new(faults);
    }

    /// A panic elsewhere leaves the state whole: it is changed only by code that does not panic.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryLedger {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemoryLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryLedger").field("size", &self.lock().frontier.size()).finish_non_exhaustive()
    }
}

impl State {
    fn append(&mut self, batch: &Batch) -> Result<(), AppendError> {
        if batch.first() != Seq::new(self.frontier.size()) && !batch.entries().is_empty() {
            let fenced = AppendError::Fenced { first: batch.first() };
            return if self.holds(batch) { Ok(()) } else { Err(fenced) };
        }
        for (seq, sealed) in batch.placed() {
            let body = sealed.body.clone();
            self.frontier.append(body.leaf());
            for disclosure in &sealed.disclosures {
                self.disclosures.entry(disclosure.digest()).or_insert_with(|| (seq, disclosure.clone()));
            }
            self.entries.push(Entry { seq, leaf: body.leaf(), columns: body.columns().clone(), body: Some(body) });
        }
        for listing in batch.listings() {
            match self.listings.get(&listing.key) {
                Some(newer) if newer.seq > listing.seq => {}
                Some(_) | None => drop(self.listings.insert(listing.key.clone(), listing.clone())),
            }
        }
        Ok(())
    }

    fn holds(&self, batch: &Batch) -> bool {
        batch.placed().all(|(seq, sealed)| self.at(seq).is_some_and(|entry| entry.leaf == sealed.body.leaf()))
    }

    fn at(&self, seq: Seq) -> Option<&Entry> {
        self.entries.get(usize::try_from(seq.index()).ok()?)
    }

    fn matching(&self, from: Seq, limit: u32, matches: impl Fn(&Entry) -> bool) -> Vec<Entry> {
        // An entry's place is its index.
        let start = usize::try_from(from.index()).unwrap_or(usize::MAX);
        let found = self.entries.iter().skip(start).filter(|entry| matches(entry));
        found.take(usize::try_from(limit).unwrap_or(usize::MAX)).cloned().collect()
    }
}

impl Ledger for MemoryLedger {
    async fn head(&self) -> Result<Head, ReadError> {
        Ok(Head { frontier: self.lock().frontier.clone() })
    }

    async fn append(&self, batch: &Batch) -> Result<(), AppendError> {
        let first = batch.first();
        let unknown = || AppendError::Unknown { first, source: "the answer was lost, as the fault has it".into() };
        let fault = {
            let mut state = self.lock();
            (state.faults)(batch)
        };
        match fault {
            Fault::None => self.lock().append(batch),
            Fault::UnknownCommitted => self.lock().append(batch).and_then(|()| Err(unknown())),
            Fault::UnknownAbsent => Err(unknown()),
            Fault::Stall(turns) => {
                stall(turns).await;
                self.lock().append(batch)
            }
            Fault::Fenced => Err(AppendError::Fenced { first }),
        }
    }

    async fn entries(&self, from: Seq, limit: u32) -> Result<Vec<Entry>, ReadError> {
        Ok(self.lock().matching(from, limit, |_| true))
    }

    async fn by_stream(&self, stream: &str, from: Seq, limit: u32) -> Result<Vec<Entry>, ReadError> {
        Ok(self.lock().matching(from, limit, |entry| entry.columns.stream == stream))
    }

    async fn disclosures(&self, from: Seq, to: Seq) -> Result<Vec<(Seq, Disclosure)>, ReadError> {
        let state = self.lock();
        let within = state.disclosures.values().filter(|(seq, _)| (from..to).contains(seq));
        let mut found: Vec<_> = within.cloned().collect();
        // They are in the order of their digests already, which a stable sort keeps.
        found.sort_by_key(|(seq, _)| *seq);
        Ok(found)
    }

    async fn disclosure(&self, digest: &Digest) -> Result<Option<Disclosure>, ReadError> {
        Ok(self.lock().disclosures.get(digest).map(|(_, disclosure)| disclosure.clone()))
    }

    async fn listings(&self, query: &ListingQuery) -> Result<Vec<Listing>, ReadError> {
        let mut found: Vec<_> = self.lock().listings.values().filter(|listing| query.admits(listing)).cloned().collect();
        found.sort_by(|a, b| (b.opened_us, &b.key).cmp(&(a.opened_us, &a.key)));
        found.truncate(usize::try_from(query.limit).unwrap_or(usize::MAX));
        Ok(found)
    }

    async fn views(&self, query: &ViewsQuery) -> Result<Vec<Entry>, ReadError> {
        let state = self.lock();
        let newest = state.entries.iter().rev().filter(|entry| query.admits(entry));
        Ok(newest.take(usize::try_from(query.limit).unwrap_or(usize::MAX)).cloned().collect())
    }

    async fn about(&self, subject: &str) -> Result<Vec<Digest>, ReadError> {
        let state = self.lock();
        let about = state.disclosures.iter().filter(|(_, (_, disclosure))| disclosure.subject() == subject);
        Ok(about.map(|(digest, _)| *digest).collect())
    }

    async fn erase(&self, digests: &[Digest]) -> Result<u64, ReadError> {
        let mut state = self.lock();
        Ok(digests.iter().map(|digest| u64::from(state.disclosures.remove(digest).is_some())).sum())
    }

    async fn clear_listings(&self) -> Result<(), ReadError> {
        self.lock().listings.clear();
        Ok(())
    }
}

/// Is pending this many times, and asks to be polled again each time.
async fn stall(turns: u32) {
    let mut left = turns;
    poll_fn(|context| match left.checked_sub(1) {
        None => Poll::Ready(()),
        Some(fewer) => {
            left = fewer;
            context.waker().wake_by_ref();
            Poll::Pending
        }
    })
    .await;
}
