//! Evidence: what is handed out of one activation, to whom, and that it was.
//!
//! A bundle is made of what the record has, never of what memory thinks. It leaves only once the record says who has it.

mod anchors;
mod guard;
mod letters;
mod readers;
pub mod register;
mod report;
mod selection;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use escalation::anchor::LastAnchored;
use escalation::event::{Event, Reader, Way};
use escalation::id::{ActivationId, AnchorName, Digest, PersonId, PersonVersion};
use escalation::input::{Export, Input};
use escalation::private::Private;
use escalation::time::Timestamp;
use escalation::verdict::{NotTaken, Verdict};
use ledger::{Disclosure, Entry, Ledger, ReadError, TooLarge};
use serde_json::Value;
use tokio::task::JoinError;

pub use self::letters::is_plain;
use self::readers::Readers;
use crate::desk::{Desk, DeskError};
use crate::journal;
use crate::look::{attribution, history};
use crate::notary::{NotaryError, Proofs};
use crate::onlookers::Onlooker;
use crate::portray;
use crate::vault::Vault;
use crate::view::{Card, Scope};

/// The most entries of one activation that a bundle holds: each makes two files, and a zip holds 65,535.
pub use escalation::retention::ENTRIES_MAX;
/// How many of them are read at once.
const PAGE: u32 = 1_000;

/// What somebody wants to be handed.
#[derive(Clone, Debug)]
pub struct Wish {
    /// Of which activation.
    pub of: ActivationId,
    /// For whom.
    pub reader: Reader,
    /// The key or session that asks.
    pub principal: String,
    /// The person's id or name that the caller says acts.
    pub actor: Option<String>,
    /// Whose things the key may touch; outside of it the activation does not exist.
    pub scope: Scope,
}

/// A bundle that may leave: the record says so.
#[derive(Clone, PartialEq, Eq)]
pub struct Handed {
    /// The zip.
    pub zip: Vec<u8>,
    /// The entry that says to whom it was handed.
    pub seq: u64,
}

/// Why nothing is handed out.
#[derive(Debug, thiserror::Error)]
pub enum NotHanded {
    /// It does not exist within the scope.
    #[error("there is no such activation")]
    Unknown,
    /// More entries than a bundle holds.
    #[error("the activation has more than {ENTRIES_MAX} entries")]
    TooLong,
    /// More activations than a register holds.
    #[error("there are more than {} activations in that time", register::LINES_MAX)]
    TooMany,
    /// More bytes than a bundle holds.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The station could not answer.
    #[error(transparent)]
    Desk(#[from] DeskError),
    /// It could not be proven.
    #[error(transparent)]
    Notary(#[from] NotaryError),
    /// That it is handed out could not be recorded.
    #[error("that it is handed out could not be recorded: {0}")]
    NotTaken(NotTaken),
    /// Whoever packed it has died.
    #[error("packing it was broken off")]
    Died(#[source] JoinError),
}

/// Everything that the record has of one activation.
#[derive(Clone, Debug)]
pub struct Dossier {
    /// Names, to be shown to whoever may see them.
    pub(crate) vault: Arc<Vault>,
    /// How it stands.
    pub(crate) card: Card,
    /// Its own entries, from the first on.
    pub(crate) own: Vec<Kept>,
    /// The entries that say who the people are that it names.
    pub(crate) people: Vec<Kept>,
    /// The entries that say who outside took a checkpoint that covers it.
    pub(crate) anchors: Vec<Kept>,
    /// Who read of it, where it is to be handed out.
    pub(crate) readers: Readers,
    /// The directories that it went by.
    pub(crate) directories: Vec<Entry>,
    /// How many entries it has beyond those.
    pub(crate) left_out: usize,
}

/// What is read of an activation for what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To hand it out: with who read of it.
    ToHandOut,
    /// To work with it here.
    OwnUse,
}

/// One entry, what it says and what it commits to.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    /// As it is kept.
    pub(crate) entry: Entry,
    /// When and what; `None` where its bytes are gone.
    pub(crate) said: Option<(Timestamp, Event)>,
    /// Its private values.
    pub(crate) values: Vec<Held>,
}

/// One private value.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    /// What the entry has in its place.
    pub(crate) digest: ledger::Digest,
    /// What kind of value it is.
    pub(crate) label: &'static str,
    /// The value; `None` where it was erased.
    pub(crate) disclosure: Option<Disclosure>,
}

/// Makes a bundle, has the record say who is handed it, and only then gives it away.
///
/// # Errors
/// [`NotHanded`]. Then nothing was handed out; where recording it failed, the record may say so all the same.
pub async fn hand_out(desk: &Desk, proofs: &dyn Proofs, wish: Wish) -> Result<Handed, NotHanded> {
    let mut dossier = desk.dossier(wish.of.clone(), wish.scope.clone(), Purpose::ToHandOut).await?.ok_or(NotHanded::Unknown)?;
    if dossier.left_out > 0 {
        return Err(NotHanded::TooLong);
    }
    let mut attested = proofs.attest(dossier.places()).await?;
    // A receipt is an entry that comes after what it is about, and so is a reader's: one that is not signed yet must keep nobody waiting
    // for evidence.
    dossier.anchors.retain(|kept| kept.entry.seq.index() < attested.checkpoint.size());
    dossier.readers.keep_signed(attested.checkpoint.size());
    let beside: Vec<u64> = dossier.places_beside().collect();
    if !beside.is_empty() {
        attested = proofs.attest(dossier.places().into_iter().chain(beside).collect()).await?;
    }
    let now = desk.turn().await?;
    let customer = dossier.card.customer.clone();
    let entries = u32::try_from(dossier.own.len()).unwrap_or(u32::MAX);
    let bundle = selection::bundle(&dossier, proofs, attested, &wish, now).await?;
    let packed = tokio::task::spawn_blocking(move || bundle.pack()).await.map_err(NotHanded::Died)??;
    let digest = Digest::new(*packed.digest.as_bytes());
    let Wish { of, reader, principal, actor, .. } = wish;
    let onlooker = Onlooker { principal: principal.clone(), way: Way::Bundle };
    let export = Export { of, customer, reader, by: attribution(principal, actor, None), entries, digest };
    let seq = recorded(desk, Input::BundleExported(export)).await?;
    // Among its readers only now: whoever asked in vain was shown nothing. Where the watch stops meanwhile, the entry says it alone.
    if let Err(why) = desk.handed(dossier.card, onlooker).await {
        tracing::debug!(error = %why, "a bundle that the record says was handed out is not counted as a look");
    }
    Ok(Handed { zip: packed.zip, seq })
}

/// Has the record say that something is handed out; gives the entry.
async fn recorded(desk: &Desk, input: Input) -> Result<u64, NotHanded> {
    match desk.submit(input).await {
        Verdict::Durable(outcome) => Ok(outcome.seq),
        Verdict::NotTaken(why) => Err(NotHanded::NotTaken(why)),
        // The rules refuse nobody a line in the record; whoever is not written down gets nothing.
        Verdict::Refused(_) => Err(NotHanded::NotTaken(NotTaken::Unrecorded)),
    }
}

impl Dossier {
    /// Reads everything that the record has of an activation; `None` where there is none within the scope.
    pub(crate) async fn read<L: Ledger>(
        ledger: &L,
        vault: Arc<Vault>,
        id: &ActivationId,
        scope: &Scope,
        anchored: &BTreeMap<AnchorName, LastAnchored>,
        purpose: Purpose,
    ) -> Result<Option<Self>, DeskError> {
        let history = history(ledger, id, ENTRIES_MAX, PAGE).await?;
        let card = portray::archived(&vault, &history.entries).filter(|card| scope.permits(&card.customer, &card.site));
        let Some(card) = card else { return Ok(None) };
        let unreadable = |error: ReadError| DeskError::Record(error.to_string());
        let mut read = Self::gather(ledger, vault, card, history.entries, history.left_out).await.map_err(unreadable)?;
        read.anchors = anchors::receipts(ledger, &read.own, anchored).await.map_err(unreadable)?;
        read.readers = match purpose {
            Purpose::ToHandOut => Readers::of(ledger, id).await.map_err(unreadable)?,
            Purpose::OwnUse => Readers::default(),
        };
        Ok(Some(read))
    }

    async fn gather<L: Ledger>(ledger: &L, vault: Arc<Vault>, card: Card, entries: Vec<Entry>, left_out: usize) -> Result<Self, ReadError> {
        let mut own = Vec::with_capacity(entries.len());
        for entry in entries {
            own.push(Kept::read(ledger, entry).await?);
        }
        let mut people = Vec::new();
        for version in named(&vault, &own) {
            if let Some(entry) = at(ledger, vault.person_entry(version)).await? {
                people.push(Kept::read(ledger, entry).await?);
            }
        }
        let mut directories = Vec::new();
        for version in own.iter().filter_map(Kept::directory).collect::<BTreeSet<u32>>() {
            directories.extend(at(ledger, vault.directory_entry(version)).await?);
        }
        Ok(Self { vault, card, own, people, anchors: Vec::new(), readers: Readers::default(), directories, left_out })
    }

    /// Whether a link that was sent still answers: it does until the activation has left memory.
    fn links_answer(&self) -> bool {
        !self.own.iter().any(|kept| matches!(kept.said, Some((_, Event::Archived { .. }))))
    }

    /// What its own entries hold in the place of private values that are still there.
    pub(crate) fn kept_values(&self) -> Vec<Digest> {
        let held = self.own.iter().flat_map(|kept| &kept.values).filter(|held| held.disclosure.is_some());
        held.map(|held| Digest::new(*held.digest.as_bytes())).collect()
    }

    /// The places of all that must be proven.
    fn places(&self) -> Vec<u64> {
        self.own.iter().chain(&self.people).map(|kept| kept.entry.seq.index()).collect()
    }

    /// The places of what says who outside took what, then of what says who read.
    fn places_beside(&self) -> impl Iterator<Item = u64> {
        self.anchors.iter().chain(&self.readers.kept).map(|kept| kept.entry.seq.index())
    }
}

impl Kept {
    async fn read<L: Ledger>(ledger: &L, entry: Entry) -> Result<Self, ReadError> {
        let said = entry.body.as_ref().and_then(|body| journal::read(body.bytes()).ok());
        let mut committed = Vec::new();
        if let Some((_, event)) = &said {
            event.clone().seal_with(&mut |field| {
                committed.extend(Private::digest(field.text).map(|digest| (ledger::Digest::from_bytes(*digest.as_bytes()), field.label)));
            });
        }
        let mut values = Vec::with_capacity(committed.len());
        for (digest, label) in committed {
            values.push(Held { digest, label, disclosure: ledger.disclosure(&digest).await? });
        }
        Ok(Self { entry, said, values })
    }

    /// The directory that it went by.
    fn directory(&self) -> Option<u32> {
        let (_, event) = self.said.as_ref()?;
        if let Event::Raised(raised) = event {
            return Some(raised.directory);
        }
        if let Event::RungEntered { directory, .. } = event { Some(*directory) } else { None }
    }

    /// Its bytes as text; empty where they are gone.
    fn text(&self) -> String {
        self.entry.body.as_ref().map(|body| String::from_utf8_lossy(body.bytes()).into_owned()).unwrap_or_default()
    }

    fn fields(&self) -> Value {
        self.entry.body.as_ref().and_then(|body| serde_json::from_slice(body.bytes()).ok()).unwrap_or_default()
    }
}

async fn at<L: Ledger>(ledger: &L, seq: Option<ledger::Seq>) -> Result<Option<Entry>, ReadError> {
    match seq {
        Some(seq) => Ok(ledger.entries(seq, 1).await?.into_iter().next()),
        None => Ok(None),
    }
}

/// Whether a text says the name, number or mailbox of anybody whom the directory knows or knew.
pub(crate) fn names_anybody(vault: &Vault, text: &str) -> bool {
    guard::Guard::of_everybody(vault).hears(text)
}

/// The versions of people that entries say were told, answered or acted; of a person who is named without one, the latest. Whoever
/// merely stands on the ladder is left alone.
fn named(vault: &Vault, entries: &[Kept]) -> BTreeSet<PersonVersion> {
    let mut versions = BTreeSet::new();
    for kept in entries {
        collect(vault, &kept.fields(), &mut versions);
    }
    versions
}

/// Every person within a value. What devices and callers write lies under other names.
fn collect(vault: &Vault, value: &Value, versions: &mut BTreeSet<PersonVersion>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| collect(vault, value, versions)),
        Value::Object(fields) => {
            if let Some(text) = fields.get("person").and_then(Value::as_str) {
                let acts = fields.contains_key("principal") || fields.contains_key("name");
                let person = text.parse::<PersonId>().ok().filter(|_| acts);
                let latest = || vault.latest(person?).map(|(version, _)| version);
                versions.extend(text.parse().ok().or_else(latest));
            }
            fields.values().for_each(|value| collect(vault, value, versions));
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
