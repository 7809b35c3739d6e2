//! Presses of a spool that was put aside.
//!
//! Such a spool does not continue the record and can never be appended, but a person may have been promised that a press in
//! it was heard. What was a press is made an input again, with the id that it had, and the rules see to it that a press which
//! came by another way as well is one. Must not bring back anything else: an answer belongs to what was raised then.

use std::collections::BTreeMap;

use escalation::event::{Doer, Event, Repeat, SignalRecord};
use escalation::id::{ActivationId, DeviceId, Digest, Prefix};
use escalation::input::{Attribution, Input};
use escalation::private::Private;
use escalation::signal::{DeviceClock, Evidence, Kind, Origin, Signal, Verb};
use escalation::time::Timestamp;
use ledger::{Batch, Ledger, ReadError};

use crate::journal;

/// The texts that the batches disclose, by digest.
type Texts = BTreeMap<Digest, String>;

/// The presses among these batches that the record does not have, in their order.
pub(crate) async fn presses<L: Ledger>(ledger: &L, batches: &[Batch]) -> Result<Vec<Input>, ReadError> {
    let disclosures = batches.iter().flat_map(Batch::entries).flat_map(|sealed| &sealed.disclosures);
    let texts = disclosures.map(|disclosure| (Digest::new(*disclosure.digest().as_bytes()), disclosure.value())).collect();
    let mut presses = Vec::new();
    for (seq, sealed) in batches.iter().flat_map(Batch::placed) {
        let Some(press) = journal::read(sealed.body.bytes()).ok().and_then(|(at, event)| press_of(at, &event, &texts)) else { continue };
        let there = ledger.entries(seq, 1).await?;
        if !there.first().is_some_and(|entry| entry.seq == seq && entry.leaf == sealed.body.leaf()) {
            presses.push(press);
        }
    }
    Ok(presses)
}

/// The highest references of each prefix and series that these batches gave to people.
pub(crate) fn references(batches: &[Batch]) -> impl Iterator<Item = ActivationId> {
    let mut highest: BTreeMap<(Prefix, u32), u32> = BTreeMap::new();
    for (_, sealed) in batches.iter().flat_map(Batch::placed) {
        if let Ok((_, Event::Raised(raised))) = journal::read(sealed.body.bytes()) {
            let last = highest.entry((raised.act.prefix.clone(), raised.act.series)).or_default();
            *last = raised.act.number.max(*last);
        }
    }
    highest.into_iter().map(|((prefix, series), number)| ActivationId { prefix, series, number })
}

fn press_of(at: Timestamp, event: &Event, texts: &Texts) -> Option<Input> {
    let (signal, by) = if let Event::Raised(raised) = event {
        // Nobody pressed: heard again, a drill would send people out.
        if raised.drill_until.is_some() {
            return None;
        }
        (signal_of(at, &raised.dev, Some(raised.kind), &raised.signal, texts), &raised.by)
    } else if let Event::PressedAgain { dev, kind, signal, by, how, .. } = event {
        match how {
            Repeat::Redelivered => return None,
            Repeat::SameGesture | Repeat::Again => (signal_of(at, dev, *kind, signal, texts), by),
        }
    } else {
        return None;
    };
    Some(match by {
        Some(doer) => Input::Raised { signal, by: attribution(doer, texts) },
        None => Input::Signal(signal),
    })
}

fn signal_of(at: Timestamp, device: &DeviceId, kind: Option<Kind>, record: &SignalRecord, texts: &Texts) -> Signal {
    // Our own clock saw it come. Only a press that is known by counter and time must keep the sender's time, or it would be another.
    let by_counter = record.id.is_none() && record.sequence.is_some() && record.pressed_at.is_some();
    let (pressed_at, clock) = if by_counter { (record.pressed_at, DeviceClock::Unproven) } else { (Some(at), DeviceClock::Proven) };
    Signal {
        device: device.clone(),
        verb: match record.unreadable {
            Some(why) => Verb::Unreadable { why },
            None => Verb::Press { kind, style: record.style },
        },
        origin: Origin {
            via: record.via,
            client: record.client.clone(),
            qos: record.qos,
            retained: record.retained,
            // A call in the spool was new to the rules once, and stays so: as a repeat it could hide behind one that is over.
            dup: record.dup,
            waited_since: Some(at),
        },
        evidence: Evidence {
            raw: reopened(&record.raw, texts).unwrap_or_else(|| record.raw.clone()),
            payload_sha256: record.payload_sha256,
            payload_bytes: record.payload_bytes,
        },
        id: record.id.clone(),
        sequence: record.sequence,
        pressed_at,
        clock,
        note: record.note.as_ref().and_then(|note| reopened(note, texts)),
        location: record.location.as_ref().and_then(|location| reopened(location, texts)),
        battery: record.battery,
    }
}

fn attribution(doer: &Doer, texts: &Texts) -> Attribution {
    Attribution {
        principal: doer.principal.clone(),
        actor: doer.actor.as_ref().and_then(|actor| reopened(actor, texts)),
        actor_key: doer.actor_key,
        person: doer.person,
        idempotency: doer.idempotency,
    }
}

fn reopened(text: &Private, texts: &Texts) -> Option<Private> {
    texts.get(&text.digest()?).cloned().map(Private::Open)
}
