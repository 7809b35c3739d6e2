//! Events to entries and back.
//!
//! An event is sealed before it is applied: every private text becomes a salted disclosure, and what the rules see,
//! live and at replay alike, is the digest. Knows the common fields of an entry; decides nothing.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use escalation::event::Event;
use escalation::id::{CustomerId, Digest};
use escalation::private::Private;
use escalation::time::Timestamp;
use ledger::{Disclosure, EntryBody};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::entropy::Entropy;

/// The version of the common fields (record format).
const VERSION: u64 = 1;
/// The largest number of the record, so that every JSON reader reads it alike (record format: below 2^53).
const NUMBER_MAX: i64 = (1 << 53) - 1;

/// Seals events.
#[derive(Debug)]
pub struct Journal {
    entropy: Entropy,
    boot: String,
    mended: Arc<AtomicU64>,
}

/// What an entry has beside its event.
#[derive(Clone, Debug)]
pub struct Common {
    /// When, to the microsecond.
    pub at: Timestamp,
    /// Microseconds since this process started.
    pub mono_us: u64,
    /// Whose it is; `None` where the event itself says, or where it is nobody's.
    pub customer: Option<CustomerId>,
    /// Its place among its activation's entries, from 0.
    pub aseq: Option<u32>,
}

/// An event that can be applied, and the entry that it is.
#[derive(Debug)]
pub struct Sealed {
    /// With digests in place of texts.
    pub event: Event,
    /// The bytes.
    pub body: EntryBody,
    /// The texts.
    pub disclosures: Vec<Disclosure>,
}

/// An event could not be written, or an entry could not be read.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The event has no JSON form.
    #[error("could not write an event as JSON")]
    Event(#[source] serde_json::Error),
    /// Its JSON is not an entry.
    #[error("could not make an entry of an event")]
    Entry(#[source] ledger::NotAnEntry),
    /// A text could not be sealed.
    #[error("could not seal a private text")]
    Disclosure(#[source] ledger::NotADisclosure),
    /// An entry that this program does not understand: written by a newer one.
    #[error("could not read an entry; it may have been written by a newer program")]
    Unreadable(#[source] serde_json::Error),
    /// An entry without a time.
    #[error("an entry has no time")]
    NoTime,
}

impl Journal {
    /// Under a boot id made from its entropy.
    pub fn new(mut entropy: Entropy) -> Self {
        let boot = hex(entropy.sixteen().get(..4).unwrap_or_default());
        Self { entropy, boot: format!("b-{boot}"), mended: Arc::default() }
    }

    /// How many events could only be written after they were mended: each is a fault of the program, and a trouble.
    pub fn mended(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.mended)
    }

    /// Seals an event. What the record cannot hold is mended before anybody acts on it, and counted: an event that was not
    /// written at all would be a press that comes again for ever and alarms nobody.
    pub fn seal(&mut self, mut event: Event, common: &Common) -> Result<Sealed, JournalError> {
        let mut disclosures = Vec::new();
        let mut failed = None;
        event.seal_with(&mut |field| {
            let Private::Open(value) = field.text else { return };
            let salt = self.entropy.sixteen();
            // A subject that no database takes costs the text its owner, not the event its place.
            let seal = |subject: &str| Disclosure::seal(subject, salt, field.label, value);
            match seal(&field.subject).or_else(|_| seal("")) {
                Ok(disclosure) => {
                    *field.text = Private::Sealed(Digest::new(*disclosure.digest().as_bytes()));
                    disclosures.push(disclosure);
                }
                Err(why) => failed = Some(why),
            }
        });
        if let Some(why) = failed {
            return Err(JournalError::Disclosure(why));
        }
        let nonce = hex(&self.entropy.sixteen());
        let written = self.written(&event, common, nonce);
        let why = match EntryBody::write(&written) {
            Ok(body) => return Ok(Sealed { event, body, disclosures }),
            Err(why) => why,
        };
        let Value::Object(fields) = serde_json::to_value(&written).map_err(JournalError::Event)? else {
            return Err(JournalError::Entry(why));
        };
        let body = EntryBody::write(&mend(fields)).map_err(JournalError::Entry)?;
        // What is applied is what a replay will read (I6).
        let (_, event) = read(body.bytes())?;
        tracing::error!(error = %why, entry.kind = %body.columns().kind, "an event had to be mended before it could be written: a fault of the program");
        self.mended.fetch_add(1, Ordering::Relaxed);
        Ok(Sealed { event, body, disclosures })
    }

    fn written<'a>(&'a self, event: &'a Event, common: &'a Common, nonce: String) -> Written<'a> {
        Written {
            v: VERSION,
            t: spell(common.at),
            mono_us: common.mono_us,
            nonce,
            boot: &self.boot,
            cust: common.customer.as_ref(),
            aseq: common.aseq,
            event,
        }
    }
}

/// An entry's fields: those that all entries have, and the event's own.
#[derive(Serialize)]
struct Written<'a> {
    v: u64,
    t: String,
    mono_us: u64,
    nonce: String,
    boot: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    cust: Option<&'a CustomerId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aseq: Option<u32>,
    #[serde(flatten)]
    event: &'a Event,
}

/// The same with every number drawn into the bounds of the record.
fn mend(fields: Map<String, Value>) -> Map<String, Value> {
    fields.into_iter().map(|(name, value)| (name, within_bounds(value))).collect()
}

fn within_bounds(value: Value) -> Value {
    match value {
        Value::Number(number) => {
            let whole = number.as_i64().or_else(|| number.as_u64().map(|_| NUMBER_MAX));
            whole.map_or(Value::Null, |whole| whole.clamp(-NUMBER_MAX, NUMBER_MAX).into())
        }
        Value::Array(values) => values.into_iter().map(within_bounds).collect(),
        Value::Object(fields) => Value::Object(mend(fields)),
        Value::Null | Value::Bool(_) | Value::String(_) => value,
    }
}

/// Reads an entry back.
pub fn read(body: &[u8]) -> Result<(Timestamp, Event), JournalError> {
    #[derive(serde::Deserialize)]
    struct When {
        t: Timestamp,
    }
    let event = serde_json::from_slice(body).map_err(JournalError::Unreadable)?;
    let when: When = serde_json::from_slice(body).map_err(|_| JournalError::NoTime)?;
    Ok((when.t, event))
}

/// RFC 3339 in UTC with exactly six digits, the one spelling of the record.
fn spell(at: Timestamp) -> String {
    format!("{at:.6}")
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use escalation::event::Doer;
    use escalation::id::Slug;

    use super::*;

    #[test]
    fn an_event_is_sealed_and_reads_back_as_it_is_applied() {
        let by = Doer {
            principal: "ops".into(),
            actor: Some(Private::Open("Jo Smith".into())),
            actor_key: None,
            person: None,
            idempotency: None,
        };
        let event = Event::NoteAdded { act: "KAL-1".parse().unwrap(), by, text: Private::Open("a knife".into()) };
        let at: Timestamp = "2026-11-21T02:14:31.000007Z".parse().unwrap();
        let common = Common { at, mono_us: 5, customer: Some(Slug::parse("kalamunda").unwrap().into()), aseq: Some(3) };
        let mut journal = Journal::new(Entropy::from_seed(b"seed"));
        let sealed = journal.seal(event.clone(), &common).unwrap();
        let text = String::from_utf8(sealed.body.bytes().to_vec()).unwrap();
        assert!(!text.contains("Smith") && !text.contains("knife"), "{text}");
        assert_eq!(sealed.disclosures.iter().map(Disclosure::value).collect::<Vec<_>>(), ["Jo Smith", "a knife"]);
        assert_eq!(read(sealed.body.bytes()).unwrap(), (at, sealed.event));
        let columns = sealed.body.columns();
        assert_eq!((columns.kind.as_str(), columns.cust.as_str(), columns.stream.as_str()), ("note.added", "kalamunda", "KAL-1"));
        let again = journal.seal(event, &common).unwrap();
        assert_ne!(again.body.bytes(), sealed.body.bytes(), "a nonce and salts of its own");
    }

    #[test]
    fn an_event_that_the_record_cannot_hold_is_mended_and_said() {
        let at: Timestamp = "2026-11-21T02:14:31.000007Z".parse().unwrap();
        let common = Common { at, mono_us: 5, customer: None, aseq: None };
        let mut journal = Journal::new(Entropy::from_seed(b"seed"));
        let mended = journal.mended();
        for (by_us, written_us) in [(5, 5), (i64::MAX, NUMBER_MAX), (i64::MIN, -NUMBER_MAX)] {
            let sealed = journal.seal(Event::ClockStepped { by_us }, &common).unwrap();
            assert_eq!(sealed.event, Event::ClockStepped { by_us: written_us });
            assert_eq!(read(sealed.body.bytes()).unwrap(), (at, sealed.event), "replay equals live (I6)");
        }
        assert_eq!(mended.load(Ordering::Relaxed), 2);
    }
}
