//! Replay: from the record to the state that was (I6).

use escalation::directory::place::Places;
use escalation::event::Event;
use escalation::id::{Digest, PersonVersion};
use escalation::private::Private;
use escalation::retention::Holdings;
use escalation::time::Timestamp;
use ledger::{AppendError, Begun, Entry, LeafHash, Ledger, ReadError, Seq, Subtrees};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread::{self, JoinHandle};

use crate::failpoint;
use crate::floor::Floor;
use crate::journal::{self, JournalError};
use crate::spool::Spool;
use crate::vault::PersonCard;

/// How many entries are read at once.
const PAGE: u32 = 1_000;

/// The state could not be rebuilt.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The record could not be read.
    #[error("could not read the record")]
    Record(#[from] ReadError),
    /// An entry was not understood.
    #[error("entry {seq} of the record could not be read")]
    Entry {
        /// Which.
        seq: u64,
        /// Why.
        #[source]
        source: JournalError,
    },
    /// The record took nothing.
    #[error("could not write what was spooled into the record")]
    Append(#[source] AppendError),
    /// The thread that understands entries has died, which is a fault of the program.
    #[error("could not read the record: a thread of this program died; start it again, and report what it printed before")]
    Died,
}

/// Gives the record what was spooled when it could not be reached. Before anything else is done.
///
/// What does not continue the record (an older one was restored, or another writer came in between), or does not read, is
/// put aside for a person and becomes a trouble: it must not keep the next press from being heard. The same holds of a file
/// that cannot be read at all.
///
/// # Errors
/// The record cannot be written.
pub async fn drain_spool<L: Ledger>(ledger: &L, spool: &mut Spool) -> Result<usize, ReplayError> {
    let (batches, mut unplaced) = match spool.sound() {
        Ok((batches, damaged)) => (batches, damaged.is_some()),
        Err(error) => {
            tracing::error!(error = %error, "a spool cannot be read");
            (Vec::new(), true)
        }
    };
    for batch in &batches {
        match ledger.append(batch).await {
            Ok(()) => {}
            Err(AppendError::Fenced { .. }) => {
                unplaced = true;
                break;
            }
            Err(unknown @ AppendError::Unknown { .. }) => return Err(ReplayError::Append(unknown)),
        }
    }
    if unplaced {
        match spool.set_aside() {
            Ok(kept) => tracing::error!(
                spool.kept = %kept.display(),
                "a spool does not read or does not continue the record; it was put aside, with entries that were acted on and are not in the record"
            ),
            Err(error) => tracing::error!(
                error = %error,
                "a spool does not read or does not continue the record, and could not be put aside; nothing is spooled until it can be"
            ),
        }
        return Ok(0);
    }
    if let Err(error) = spool.clear() {
        // The record knows these bytes again at the next start.
        tracing::error!(error = %error, "the record has what was spooled, but the spool could not be removed");
    }
    Ok(batches.len())
}

/// What a replay has read of the record.
#[derive(Debug, Default)]
pub struct Replayed {
    /// How many entries it has.
    pub size: u64,
    /// The tree over them, up to the first that is missing.
    pub tree: Subtrees,
    /// The entries that say that something was erased.
    pub said: Vec<Said>,
    /// What they say is erased. It is deleted once more by `forget`.
    pub erased: BTreeSet<Digest>,
}

/// An entry that says that something was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its place.
    pub seq: Seq,
    /// Its leaf hash.
    pub leaf: LeafHash,
    /// The leaf hash of the entry that said so first, where that was lost.
    pub first: Option<Digest>,
}

/// Rebuilds the floor from the record.
pub async fn replay<L: Ledger>(ledger: &L, floor: &mut Floor) -> Result<Replayed, ReplayError> {
    let mut from = Seq::FIRST;
    let mut replayed = Replayed::default();
    let mut page = Begun::now(ledger.entries(from, PAGE)).await;
    let mut understood: Vec<Understood> = Vec::new();
    loop {
        // What was begun may have waited for a connection in vain while nobody looked; what is asked properly counts.
        let entries = match page.answer().await {
            Ok(entries) => entries,
            Err(_) => ledger.entries(from, PAGE).await?,
        };
        let Some(last) = entries.last() else {
            take_up(ledger, floor, &mut replayed, understood).await?;
            replayed.size = from.index();
            return Ok(replayed);
        };
        from = last.seq.next();
        // Three pages are at work at once, because nobody is alarmed by a station that starts: this one is understood by another thread
        // while the next is read and the one before is applied. Whoever only waited for rows would be woken for each of them.
        page = Begun::now(ledger.entries(from, PAGE)).await;
        let understanding = Understanding::of(entries);
        take_up(ledger, floor, &mut replayed, understood).await?;
        understood = understanding.wait()?;
    }
}

/// An entry as it was read, and what it says.
struct Understood {
    seq: Seq,
    leaf: LeafHash,
    at_us: i64,
    /// `None` where its bytes are gone.
    says: Option<Result<(Timestamp, Event), JournalError>>,
}

/// Entries that are being understood.
enum Understanding {
    /// By a thread of its own. It is no task of the runtime, which would make it a matter of chance what else is done before its end: one
    /// start on one record is like the other.
    Begun(JoinHandle<Vec<Understood>>),
    /// By whoever waits for them: there was no thread to be had, and a station that starts slowly hears presses.
    Left(Arc<Vec<Entry>>),
}

impl Understanding {
    fn of(entries: Vec<Entry>) -> Self {
        let entries = Arc::new(entries);
        let given = Arc::clone(&entries);
        let thread = thread::Builder::new().name("replay".to_owned()).spawn(move || given.iter().map(Understood::of).collect());
        thread.map_or(Self::Left(entries), Self::Begun)
    }

    fn wait(self) -> Result<Vec<Understood>, ReplayError> {
        match self {
            Self::Begun(thread) => thread.join().map_err(|_panic| ReplayError::Died),
            Self::Left(entries) => Ok(entries.iter().map(Understood::of).collect()),
        }
    }
}

impl Understood {
    fn of(entry: &Entry) -> Self {
        let says = entry.body.as_ref().map(|body| journal::read(body.bytes()));
        Self { seq: entry.seq, leaf: entry.leaf, at_us: entry.columns.at_us, says }
    }
}

/// Applies entries in their order.
async fn take_up<L: Ledger>(ledger: &L, floor: &mut Floor, replayed: &mut Replayed, page: Vec<Understood>) -> Result<(), ReplayError> {
    for Understood { seq, leaf, at_us, says } in page {
        failpoint::reached(failpoint::MID_REPLAY);
        if seq.index() == replayed.tree.size() {
            replayed.tree.append(leaf);
        }
        // A body whose retention has ended takes no part: its activation was archived long before.
        let Some(says) = says else {
            floor.pass(seq, Timestamp::from_microsecond(at_us).unwrap_or(Timestamp::UNIX_EPOCH));
            continue;
        };
        let (at, event) = says.map_err(|source| ReplayError::Entry { seq: seq.index(), source })?;
        floor.replay(seq, at, &event);
        if let Event::Erased { values, again, .. } = &event {
            replayed.said.push(Said { seq, leaf, first: again.as_ref().map(|again| again.leaf) });
            replayed.erased.extend(values);
        }
        recall(ledger, floor, &event).await?;
    }
    Ok(())
}

/// What the record holds of every call. Rebuilds nothing and changes nothing; what is in a spool is not in the record yet.
///
/// # Errors
/// The record cannot be read, or holds what this program does not understand.
pub async fn holdings<L: Ledger>(ledger: &L) -> Result<Holdings, ReplayError> {
    let mut from = Seq::FIRST;
    let mut holdings = Holdings::default();
    loop {
        let entries = ledger.entries(from, PAGE).await?;
        let Some(last) = entries.last() else { return Ok(holdings) };
        from = last.seq.next();
        for entry in &entries {
            let Some(body) = &entry.body else { continue };
            let (at, event) = journal::read(body.bytes()).map_err(|source| ReplayError::Entry { seq: entry.seq.index(), source })?;
            holdings.take(at, event);
        }
    }
}

/// What the record says is erased is deleted once more: a crash may have come in between, or an older copy was restored. That it cannot
/// be deleted keeps no press from being heard. Says whether it is gone.
pub(crate) async fn forget<L: Ledger>(ledger: &L, floor: &mut Floor, erased: &BTreeSet<Digest>) -> bool {
    if erased.is_empty() {
        return true;
    }
    let erased: Vec<_> = erased.iter().copied().map(to_ledger).collect();
    let gone = match ledger.erase(&erased).await {
        Ok(0) => return true,
        Ok(values) => {
            tracing::warn!(values, "private values that the record says are erased were there again, and were deleted");
            true
        }
        Err(error) => {
            tracing::error!(error = %error, "private values that the record says are erased may still be there; the next start deletes them");
            false
        }
    };
    // Some of it was recalled.
    Arc::make_mut(&mut floor.vault).forget_callers();
    gone
}

/// Puts the names that an entry commits to where messages find them. What was erased stays unknown.
async fn recall<L: Ledger>(ledger: &L, floor: &mut Floor, event: &Event) -> Result<(), ReadError> {
    if let Event::PersonVersioned { id, person, reference, name, mobile, email } = event {
        let card = PersonCard {
            reference: open(ledger, Some(reference)).await?.unwrap_or_else(|| id.to_string()),
            name: open(ledger, Some(name)).await?.unwrap_or_else(|| id.to_string()),
            mobile: open(ledger, mobile.as_ref()).await?,
            email: open(ledger, email.as_ref()).await?,
            contacts: person.contacts.clone(),
            based_at: person.based_at.clone(),
            customer: person.customer.clone(),
        };
        Arc::make_mut(&mut floor.vault).keep_person(PersonVersion { person: *id, version: person.version }, card);
    }
    if let Event::DirectoryAdopted { version, places, .. } = event
        && let Some(text) = open(ledger, Some(places)).await?
    {
        let places: Places = serde_json::from_str(&text).unwrap_or_default();
        Arc::make_mut(&mut floor.vault).keep_places(*version, places);
    }
    if let Some((key, actor)) = event.doer().and_then(|doer| Some((doer.actor_key?, doer.actor.as_ref()?)))
        && floor.vault.actor(key).is_none()
        && let Some(name) = open(ledger, Some(actor)).await?
    {
        Arc::make_mut(&mut floor.vault).keep_actor(key, &name);
    }
    if let Event::HandOverOffered { to, .. } = event
        && let Some(key) = to.key.filter(|key| floor.vault.actor(*key).is_none())
        && let Some(name) = open(ledger, Some(&to.name)).await?
    {
        Arc::make_mut(&mut floor.vault).keep_actor(key, &name);
    }
    Ok(())
}

/// The text behind a commitment, while it has not been erased.
pub(crate) async fn open<L: Ledger>(ledger: &L, text: Option<&Private>) -> Result<Option<String>, ReadError> {
    let Some(digest) = text.and_then(Private::digest) else { return Ok(None) };
    let disclosure = ledger.disclosure(&to_ledger(digest)).await?;
    Ok(disclosure.map(|disclosure| disclosure.value()))
}

fn to_ledger(digest: Digest) -> ledger::Digest {
    ledger::Digest::from_bytes(*digest.as_bytes())
}
