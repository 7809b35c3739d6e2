//! What an authority is asked: to put its time to the hash of a note. Nothing else of the record is in it.

use super::der::{self, INTEGER, OCTETS, SEQUENCE};
use super::{NotAStamp, SHA256, Stamp};
use crate::digest::Digest;

/// BOOLEAN, TRUE.
const TRUE: [u8; 3] = [0x01, 0x01, 0xff];
/// NULL.
const NULL: [u8; 2] = [0x05, 0x00];

/// A question to an authority, and what its answer must fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StampQuery {
    digest: Digest,
    /// As an INTEGER has it.
    nonce: Vec<u8>,
}

impl StampQuery {
    /// Asks about exactly these bytes. The nonce is the caller's to draw, for each question anew: an answer to another one is not
    /// taken for this one's.
    pub fn of(note: &[u8], nonce: [u8; 8]) -> Self {
        let digits = u64::from_be_bytes(nonce).to_be_bytes();
        let start = digits.iter().position(|digit| *digit != 0).unwrap_or(digits.len() - 1);
        let digits = digits.get(start..).unwrap_or_default();
        let sign: &[u8] = if digits.first().is_some_and(|first| *first >= 0x80) { &[0] } else { &[] };
        Self { digest: Digest::of(&[note]), nonce: [sign, digits].concat() }
    }

    /// The bytes to post (`TimeStampReq`, RFC 3161, 2.4.1). It asks for the authority's certificates, so that years later a stamp can be
    /// verified with the root of the authority alone.
    pub fn to_der(&self) -> Vec<u8> {
        let algorithm = der::element(SEQUENCE, &[&SHA256, &NULL]);
        let imprint = der::element(SEQUENCE, &[&algorithm, &der::element(OCTETS, &[self.digest.as_bytes()])]);
        der::element(SEQUENCE, &[&der::element(INTEGER, &[&[1]]), &imprint, &der::element(INTEGER, &[&self.nonce]), &TRUE])
    }

    /// Reads what came back, and takes it only where it answers this.
    ///
    /// # Errors
    /// [`NotAStamp`].
    pub fn answered_by(&self, reply: &[u8]) -> Result<Stamp, NotAStamp> {
        let (stamp, nonce) = super::read(reply)?;
        if stamp.imprint != self.digest {
            return Err(NotAStamp::OtherDigest);
        }
        if nonce != Some(self.nonce.as_slice()) {
            return Err(NotAStamp::OtherNonce);
        }
        Ok(stamp)
    }
}
