//! Erasing: private values are deleted under a basis that the record names, once it does.
//!
//! Entries and hashes stay, and so does every proof. What was asked for and not deleted, for whatever reason, is deleted at the next start.

use std::collections::BTreeSet;

use escalation::erasing::VALUES_MAX;
use escalation::event::Erasable;
use escalation::id::{ActivationId, Digest, PersonId};
use escalation::input::{Erasure, Input, LegalHold, RepeatedErasure};
use escalation::private::Private;
use escalation::rejection::Rejection;
use escalation::verdict::{NotTaken, Verdict};
use ledger::{Entry, Ledger, ReadError, Seq};

use crate::desk::{About, Desk, DeskError};
use crate::erasures::{Erasures, ErasuresError, Listed, Reading};
use crate::evidence::Purpose;
use crate::floor::Floor;
use crate::look::attribution;
use crate::replay::{Replayed, forget};
use crate::vault::Vault;
use crate::view::Scope;

/// The entries that say that something was erased.
const KIND: &str = "pii.erased";

/// Who asks, and for what they may.
#[derive(Clone, Debug)]
pub struct Asker {
    /// The key or session.
    pub principal: String,
    /// The person's id or name that the caller says acts.
    pub actor: Option<String>,
    /// Whose things the key may touch.
    pub scope: Scope,
}

/// Of what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Of an activation.
    Activation(ActivationId),
    /// Of a person, by the id that the directory had for them or by their number.
    Person(String),
}

/// What was erased.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Erased {
    /// Of what.
    pub from: Erasable,
    /// How many values.
    pub values: usize,
    /// The last entry that says so.
    pub seq: u64,
}

/// Why nothing is known to be erased.
#[derive(Debug, thiserror::Error)]
pub enum NotErased {
    /// It does not exist within the scope.
    #[error("there is no such activation or person")]
    Unknown,
    /// Its history is too long to be read at once.
    #[error("the activation has more than {} entries", crate::evidence::ENTRIES_MAX)]
    TooLong,
    /// The basis stands in the record for ever, in clear.
    #[error("the basis names somebody whom the directory knows or knew, and would stand in the record for ever; name the authority alone")]
    NamesSomebody,
    /// The rules forbid it.
    #[error(transparent)]
    Refused(Rejection),
    /// It could not be recorded.
    #[error("it could not be recorded: {0}")]
    NotTaken(NotTaken),
    /// The station could not answer.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// The record says so, and the values are still there.
    #[error(
        "the record says that {of} was erased, but it could not be deleted yet: {why}; ask again for {of}, until it says that nothing private is left, or restart the station"
    )]
    StillThere {
        /// Of what: an activation's reference, or a person's number.
        of: String,
        /// Why it could not be deleted.
        why: String,
    },
}

/// Has the record say what is erased under which basis, and deletes it.
///
/// # Errors
/// [`NotErased`].
pub async fn erase(desk: &Desk, asker: Asker, whose: Whose, basis: String) -> Result<Erased, NotErased> {
    let Asker { principal, actor, scope } = asker;
    let (from, customer, values) = match whose {
        Whose::Activation(id) => {
            let dossier = desk.dossier(id.clone(), scope, Purpose::OwnUse).await?.ok_or(NotErased::Unknown)?;
            if dossier.left_out > 0 {
                return Err(NotErased::TooLong);
            }
            must_name_nobody(&dossier.vault, &basis)?;
            (Erasable::Activation(id), Some(dossier.card.customer.clone()), dossier.kept_values())
        }
        // A person belongs to no customer.
        Whose::Person(text) if scope.is_everything() => {
            let About { person, values, vault } = desk.about(text).await?.ok_or(NotErased::Unknown)?;
            must_name_nobody(&vault, &basis)?;
            (Erasable::Person(person), None, values)
        }
        Whose::Person(_) => return Err(NotErased::Unknown),
    };
    let count = values.len();
    let erasure = Erasure { customer, from: from.clone(), basis, by: attribution(principal, actor, None), values: values.clone() };
    let recorded = recorded(desk, Input::ErasureAsked(erasure)).await;
    let said = match &recorded {
        Ok(seq) => Some(*seq),
        // The log may not have forgotten what was deleted before.
        Err(NotErased::Refused(Rejection::NothingToErase)) => None,
        Err(_) => return recorded.map(|seq| Erased { from, values: count, seq }),
    };
    let still_there = |why: String| NotErased::StillThere { of: from.to_string(), why };
    let deleted = desk.delete(Deletion { values, said }).await.map_err(|why| still_there(why.to_string()))?;
    deleted.map_err(|why| still_there(why.to_string()))?;
    Ok(Erased { from, values: count, seq: recorded? })
}

/// Values that the record says are erased.
#[derive(Debug)]
pub struct Deletion {
    /// What entries hold in their place.
    pub(crate) values: Vec<Digest>,
    /// The last entry that says so, where one was written now.
    pub(crate) said: Option<u64>,
}

/// Why values that the record says are erased are still there.
#[derive(Debug, thiserror::Error)]
pub enum NotDeleted {
    /// They would come back with an older copy of the record.
    #[error(transparent)]
    Unlisted(#[from] ErasuresError),
    /// The record did not answer, or somebody reads it for long.
    #[error(transparent)]
    Record(#[from] ReadError),
    /// What says so is not where it was written.
    #[error("the entries that say so cannot be found in the record")]
    Unsaid,
    /// The program is going down.
    #[error("the station is stopping")]
    Stopping,
}

/// Puts on the list what the record says, and deletes it: in this order, so that a restore cannot bring back what is gone.
pub(crate) async fn delete<L: Ledger>(ledger: &L, list: &Erasures, deletion: Deletion) -> Result<(), NotDeleted> {
    let Deletion { values, said } = deletion;
    if let Some(last) = said {
        let count = values.len().div_ceil(VALUES_MAX);
        let first = last.saturating_add(1).saturating_sub(u64::try_from(count).unwrap_or(u64::MAX));
        let entries = ledger.entries(Seq::new(first), u32::try_from(count).unwrap_or(u32::MAX)).await?;
        let said = bodies(&entries);
        if said.len() != count {
            return Err(NotDeleted::Unsaid);
        }
        let list = list.clone();
        let listing = tokio::task::spawn_blocking(move || list.add(said.iter().map(|(seq, body)| (*seq, body.as_slice()))));
        listing.await.map_err(|_| NotDeleted::Stopping)??;
    }
    ledger.erase(&to_ledger(&values)).await?;
    Ok(())
}

/// The bytes of those entries that say that something was erased.
fn bodies(entries: &[Entry]) -> Vec<(u64, Vec<u8>)> {
    let said = entries.iter().filter(|entry| entry.columns.kind == KIND);
    said.filter_map(|entry| Some((entry.seq.index(), entry.body.as_ref()?.bytes().to_vec()))).collect()
}

/// What a start has to make good.
#[derive(Debug, Default)]
pub(crate) struct Overdue {
    /// Erasures that the record lacks, of values that it has: an older copy of it was restored.
    pub(crate) repeats: Vec<RepeatedErasure>,
    /// Something that was erased may be there, or may come back.
    pub(crate) failing: bool,
}

/// Compares the list with the record: what the list lacks is added to it, then what the record says is deleted once more, and what the
/// record lacks is to be made again.
pub(crate) async fn overdue<L: Ledger>(ledger: &L, list: &Erasures, floor: &mut Floor, replayed: &Replayed) -> Result<Overdue, ReadError> {
    let Reading { listed, refused, torn: _ } = match list.read() {
        Ok(reading) => reading,
        Err(error) => {
            tracing::error!(error = %error, "what the list of erasures names cannot be erased again");
            return Ok(Overdue { repeats: Vec::new(), failing: true });
        }
    };
    if !refused.is_empty() {
        tracing::error!(
            lines = ?refused,
            "lines of the list of erasures were not written by this station, or were altered; nothing that they name was erased"
        );
    }
    // In this order: what is not on the list would come back with an older copy.
    let gone = match enlist(ledger, list, &listed, replayed).await? {
        Ok(()) => forget(ledger, floor, &replayed.erased).await,
        Err(error) => {
            tracing::error!(error = %error, "an older copy of the record would bring back what is erased");
            false
        }
    };
    let mut overdue = Overdue { repeats: Vec::new(), failing: !gone || !refused.is_empty() };
    let mut known = replayed.erased.clone();
    for line in listed {
        if line.values.iter().all(|value| known.contains(value)) {
            continue;
        }
        let mut found = 0;
        for value in to_ledger(&line.values) {
            found += u32::from(ledger.disclosure(&value).await?.is_some());
        }
        if found > 0 && floor.engine.held_against(&line.from).is_some() {
            tracing::error!(
                erasure.of = %line.from,
                values = found,
                "what was erased is in this older copy of the record under legal hold, and stays; lift the hold there, and start again"
            );
            overdue.failing = true;
        } else if found > 0 {
            tracing::warn!(erasure.of = %line.from, values = found, "an older copy of the record has what was erased; it is erased again");
            known.extend(&line.values);
            overdue.repeats.push(line.repeated(found));
        }
    }
    Ok(overdue)
}

/// Adds to the list what the record says and it lacks: its file was lost, or a crash came between the entry and its line.
async fn enlist<L: Ledger>(
    ledger: &L,
    list: &Erasures,
    listed: &[Listed],
    replayed: &Replayed,
) -> Result<Result<(), ErasuresError>, ReadError> {
    let leaves: BTreeSet<Digest> = listed.iter().map(|line| Digest::new(*line.leaf.digest().as_bytes())).collect();
    let mut missing = Vec::new();
    for said in &replayed.said {
        let own = Digest::new(*said.leaf.digest().as_bytes());
        // What was made again is on the list as it was made first.
        if !leaves.contains(&own) && !said.first.is_some_and(|first| leaves.contains(&first)) {
            missing.extend(bodies(&ledger.entries(said.seq, 1).await?));
        }
    }
    Ok(list.add(missing.iter().map(|(seq, body)| (*seq, body.as_slice()))))
}

/// Puts an activation under legal hold, or lifts it; gives the entry that says so.
///
/// # Errors
/// [`NotErased`].
pub async fn hold(desk: &Desk, asker: Asker, of: ActivationId, on: bool, reason: String) -> Result<u64, NotErased> {
    let Asker { principal, actor, scope } = asker;
    let card = desk.card(of.clone(), scope).await?.ok_or(NotErased::Unknown)?;
    let by = attribution(principal, actor, None);
    recorded(desk, Input::LegalHoldAsked(LegalHold { customer: card.customer, of, on, by, reason: Private::Open(reason) })).await
}

async fn recorded(desk: &Desk, input: Input) -> Result<u64, NotErased> {
    match desk.submit(input).await {
        Verdict::Durable(outcome) => Ok(outcome.seq),
        Verdict::Refused(why) => Err(NotErased::Refused(why)),
        Verdict::NotTaken(why) => Err(NotErased::NotTaken(why)),
    }
}

/// A basis is no place for anybody's name or number.
fn must_name_nobody(vault: &Vault, basis: &str) -> Result<(), NotErased> {
    if crate::evidence::names_anybody(vault, basis) { Err(NotErased::NamesSomebody) } else { Ok(()) }
}

/// A digest as the record keeps it.
pub(crate) fn to_ledger(values: &[Digest]) -> Vec<ledger::Digest> {
    values.iter().map(|digest| ledger::Digest::from_bytes(*digest.as_bytes())).collect()
}

/// A person whom somebody means by the id of a directory, or by number.
pub(crate) fn meant(vault: &Vault, text: &str) -> Option<PersonId> {
    vault.by_reference(text).or_else(|| text.parse().ok().filter(|person| vault.latest(*person).is_some()))
}
