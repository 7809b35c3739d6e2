//! Erasing: private values are deleted under a basis that the record names, once it does.
//!
//! Entries and hashes stay, and so does every proof. What was asked for and not deleted, for whatever reason, is deleted at the next start.

use escalation::event::Erasable;
use escalation::id::{ActivationId, Digest, PersonId};
use escalation::input::{Erasure, Input, LegalHold};
use escalation::private::Private;
use escalation::rejection::Rejection;
use escalation::verdict::{NotTaken, Verdict};

use crate::desk::{About, Desk, DeskError};
use crate::look::attribution;
use crate::vault::Vault;
use crate::view::Scope;

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
            let dossier = desk.dossier(id.clone(), scope).await?.ok_or(NotErased::Unknown)?;
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
    if let Ok(_) | Err(NotErased::Refused(Rejection::NothingToErase)) = &recorded {
        // Also where nothing is left of it: the log may not have forgotten what was deleted before.
        desk.delete(values).await.map_err(|why| NotErased::StillThere { of: from.to_string(), why: why.to_string() })?;
    }
    Ok(Erased { from, values: count, seq: recorded? })
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
