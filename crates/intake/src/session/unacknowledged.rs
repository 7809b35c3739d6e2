//! What the broker sent and has no acknowledgement for.
//!
//! A connection that breaks between recording and acknowledging makes the broker send again what is recorded already. To the rules
//! a second copy would be a second press, so it is recognised here: the same packet identifier, marked as sent before, with the same
//! bytes, in a session that never ended, unacknowledged by us, can only be the same message.

use std::collections::BTreeMap;

use ring::digest::{Context, SHA256};
use rumqttc::{Publish, QoS};

use super::wire::Epoch;

/// A hash of topic and payload.
type Bytes = [u8; 32];

/// One submission, so that a verdict finds what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ticket {
    packet: u16,
    number: u64,
}

/// What to do with a message that came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// Hear it, and settle the ticket with what became of it.
    New(Ticket),
    /// It is durable: acknowledge it at once.
    Durable,
    /// It is under way: its verdict will acknowledge this copy.
    UnderWay,
}

/// What is to be acknowledged.
#[derive(Debug, Default)]
pub(super) struct Unacknowledged {
    held: BTreeMap<u16, Held>,
    last: u64,
}

#[derive(Debug)]
struct Held {
    number: u64,
    bytes: Bytes,
    epoch: Epoch,
    durable: bool,
}

impl Unacknowledged {
    /// A message came by this connection.
    pub(super) fn arrived(&mut self, epoch: Epoch, publish: &Publish) -> Arrival {
        self.last += 1;
        let ticket = Ticket { packet: publish.pkid, number: self.last };
        if publish.qos == QoS::AtMostOnce {
            return Arrival::New(ticket);
        }
        let bytes = fingerprint(publish);
        if let Some(held) = self.held.get_mut(&publish.pkid).filter(|held| publish.dup && held.bytes == bytes) {
            held.epoch = epoch;
            return if held.durable { Arrival::Durable } else { Arrival::UnderWay };
        }
        let held = Held { number: ticket.number, bytes, epoch, durable: false };
        self.held.insert(publish.pkid, held);
        Arrival::New(ticket)
    }

    /// Its message is durable: the connection by which its latest copy came, if it still stands for that packet.
    pub(super) fn durable(&mut self, ticket: Ticket) -> Option<Epoch> {
        let held = self.held.get_mut(&ticket.packet).filter(|held| held.number == ticket.number)?;
        held.durable = true;
        Some(held.epoch)
    }

    /// Its message was not taken: the next copy is heard afresh.
    pub(super) fn not_taken(&mut self, ticket: Ticket) {
        if self.held.get(&ticket.packet).is_some_and(|held| held.number == ticket.number) {
            self.held.remove(&ticket.packet);
        }
    }

    /// The acknowledgement of this packet is on its way.
    pub(super) fn acknowledged(&mut self, packet: u16) {
        self.held.remove(&packet);
    }

    /// The session began anew: packet identifiers mean other messages now.
    pub(super) fn forget(&mut self) {
        self.held.clear();
    }
}

fn fingerprint(publish: &Publish) -> Bytes {
    let mut context = Context::new(&SHA256);
    context.update(&u64::try_from(publish.topic.len()).unwrap_or(u64::MAX).to_be_bytes());
    context.update(&publish.topic);
    context.update(&publish.payload);
    let mut bytes = Bytes::default();
    bytes.copy_from_slice(context.finish().as_ref());
    bytes
}
