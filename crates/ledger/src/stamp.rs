//! Time stamps of an authority (RFC 3161): that a note was there at a time, which is not the station's own.
//!
//! A stamp is kept as it came. Here is read only what it is about and what time it says; that the authority signed it is **not**
//! looked at, and nobody may say so who has only read it here: `openssl ts -verify` does, with the authority's certificate.

mod der;
mod query;
#[cfg(test)]
pub(crate) mod tests;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::digest::Digest;
use der::{Elements, FIRST, INTEGER, KEY_ID, NotDer, OCTETS, OID, SECOND, SEQUENCE, SET, TIME};
pub use query::StampQuery;

/// The most bytes that a reply may have. Those of public authorities have two to eight thousand, most of them certificates; each lies
/// in an entry of the record for ever.
pub const REPLY_MAX: usize = 16 * 1024;

/// `id-sha256`, as an element.
const SHA256: [u8; 11] = [0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01];
/// `id-signedData`.
const SIGNED_DATA: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02];
/// `id-ct-TSTInfo`.
const TST_INFO: [u8; 11] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10, 0x01, 0x04];
/// The most bytes of a serial number. RFC 3161 asks for 20.
const SERIAL_MAX: usize = 32;
/// The most digits of a second's parts: more than that is no clock, and could not be recorded as it was said.
const PARTS_MAX: usize = 9;

/// What a stamp says, whoever made it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    /// The SHA-256 of what it is about.
    pub imprint: Digest,
    /// When, by the clock of whoever made it.
    pub at: Timestamp,
    /// Its number among theirs, in hex.
    pub serial: String,
}

/// Bytes that are no stamp, or not the one that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAStamp {
    /// Longer than anything that is kept.
    #[error("too long")]
    TooLong,
    /// Not the DER that a reply is made of; the part in which that shows.
    #[error("unreadable {0}")]
    Unreadable(&'static str),
    /// The authority says that it will not.
    #[error("refused with status {0}")]
    Refused(u8),
    /// It is of a hash that nobody asked about.
    #[error("no SHA-256")]
    OtherAlgorithm,
    /// Without the certificate that was asked for nobody can verify it later who has not kept that.
    #[error("no certificate in it")]
    NoCertificate,
    /// Nobody signed it, or more than one, which RFC 3161 does not allow (2.4.2).
    #[error("no signature in it")]
    NotSigned,
    /// It is of something else.
    #[error("another digest")]
    OtherDigest,
    /// It answers another question.
    #[error("another nonce")]
    OtherNonce,
}

impl Stamp {
    /// Reads a reply that was kept.
    ///
    /// # Errors
    /// [`NotAStamp`].
    pub fn read(reply: &[u8]) -> Result<Self, NotAStamp> {
        read(reply).map(|(stamp, _nonce)| stamp)
    }

    /// Whether it is about exactly these bytes.
    pub fn is_of(&self, note: &[u8]) -> bool {
        self.imprint == Digest::of(&[note])
    }
}

/// What a reply says, and the nonce of the question that it answers (`TimeStampResp`, RFC 3161, 2.4.2).
fn read(reply: &[u8]) -> Result<(Stamp, Option<&[u8]>), NotAStamp> {
    if reply.len() > REPLY_MAX {
        return Err(NotAStamp::TooLong);
    }
    let (status, token) = parts(reply).map_err(|NotDer| NotAStamp::Unreadable("reply"))?;
    match (status, token) {
        // Granted, or granted with changes, which cannot be of what is compared below.
        ([0 | 1], Some(token)) => {
            let Signed { info, certificates, signers } = signed(token).map_err(|NotDer| NotAStamp::Unreadable("token"))?;
            certified(certificates).map_err(|NotDer| NotAStamp::NoCertificate)?;
            signature(signers).map_err(|NotDer| NotAStamp::NotSigned)?;
            said(info)
        }
        ([status], None) if (2..0x80).contains(status) => Err(NotAStamp::Refused(*status)),
        (_, _) => Err(NotAStamp::Unreadable("status")),
    }
}

/// The status of a reply, and its token.
fn parts(reply: &[u8]) -> Result<(&[u8], Option<&[u8]>), NotDer> {
    let mut whole = Elements::of(reply);
    let mut reply = whole.enter(SEQUENCE)?;
    whole.end()?;
    let mut status = reply.enter(SEQUENCE)?;
    let code = status.take(INTEGER)?;
    // Words of the authority's own, which nobody needs.
    status.skip_all()?;
    let token = reply.take_if(SEQUENCE)?;
    reply.end()?;
    Ok((code, token))
}

/// The parts of a token that are looked at. Whether they fit together is not: that is what verifying it is.
struct Signed<'a> {
    info: &'a [u8],
    certificates: Elements<'a>,
    signers: Elements<'a>,
}

/// What was signed, and the certificates and signatures beside it (`ContentInfo` and `SignedData`, RFC 5652, 3 and 5.1).
fn signed(token: &[u8]) -> Result<Signed<'_>, NotDer> {
    let mut token = Elements::of(token);
    is(token.take(OID)?, &SIGNED_DATA)?;
    let mut content = token.enter(FIRST)?;
    token.end()?;
    let mut data = content.enter(SEQUENCE)?;
    content.end()?;
    data.take(INTEGER)?;
    data.take(SET)?;
    let mut inner = data.enter(SEQUENCE)?;
    is(inner.take(OID)?, &TST_INFO)?;
    let mut wrapped = inner.enter(FIRST)?;
    inner.end()?;
    let info = wrapped.take(OCTETS)?;
    wrapped.end()?;
    let certificates = Elements::of(data.take_if(FIRST)?.unwrap_or_default());
    let _revoked = data.take_if(SECOND)?;
    let signers = data.enter(SET)?;
    data.end()?;
    Ok(Signed { info, certificates, signers })
}

/// That there is a certificate first of all; what else is there is somebody else's affair.
fn certified(mut certificates: Elements<'_>) -> Result<(), NotDer> {
    certificates.take(SEQUENCE)?;
    certificates.skip_all()
}

/// That there is one signature (`SignerInfo`, RFC 5652, 5.3), whatever it is of.
fn signature(mut signers: Elements<'_>) -> Result<(), NotDer> {
    let mut signer = signers.enter(SEQUENCE)?;
    signers.end()?;
    signer.take(INTEGER)?;
    // Who: by the issuer of their certificate, or by their key.
    if signer.take_if(KEY_ID)?.is_none() {
        signer.take(SEQUENCE)?;
    }
    signer.take(SEQUENCE)?;
    let _attributes = signer.take_if(FIRST)?;
    signer.take(SEQUENCE)?;
    let signature = signer.take(OCTETS)?;
    let _unsigned = signer.take_if(SECOND)?;
    signer.end()?;
    if signature.is_empty() { Err(NotDer) } else { Ok(()) }
}

/// What was signed says (`TSTInfo`, RFC 3161, 2.4.2).
fn said(info: &[u8]) -> Result<(Stamp, Option<&[u8]>), NotAStamp> {
    let Info { algorithm, imprint, serial, at, nonce } = fields(info).map_err(|NotDer| NotAStamp::Unreadable("time stamp"))?;
    if SHA256.get(2..) != Some(algorithm) {
        return Err(NotAStamp::OtherAlgorithm);
    }
    let imprint = Digest::try_from(imprint).map_err(|_| NotAStamp::Unreadable("digest"))?;
    let serial = der::natural(serial).filter(|digits| digits.len() <= SERIAL_MAX).ok_or(NotAStamp::Unreadable("serial number"))?;
    let serial = serial.iter().map(|digit| format!("{digit:02x}")).collect::<Vec<_>>().concat();
    let at = time(at).ok_or(NotAStamp::Unreadable("time"))?;
    Ok((Stamp { imprint, at, serial }, nonce))
}

/// The fields that are used.
struct Info<'a> {
    algorithm: &'a [u8],
    imprint: &'a [u8],
    serial: &'a [u8],
    at: &'a [u8],
    nonce: Option<&'a [u8]>,
}

fn fields(info: &[u8]) -> Result<Info<'_>, NotDer> {
    let mut whole = Elements::of(info);
    let mut info = whole.enter(SEQUENCE)?;
    whole.end()?;
    is(info.take(INTEGER)?, &[1])?;
    // Under which policy is the authority's affair.
    info.take(OID)?;
    let mut of = info.enter(SEQUENCE)?;
    let mut by = of.enter(SEQUENCE)?;
    let algorithm = by.take(OID)?;
    by.skip_all()?;
    let imprint = of.take(OCTETS)?;
    of.end()?;
    let serial = info.take(INTEGER)?;
    let at = info.take(TIME)?;
    // How exact its clock is, and whether it promises an order.
    let _accuracy = info.take_if(SEQUENCE)?;
    let _ordering = info.take_if(0x01)?;
    let nonce = info.take_if(INTEGER)?;
    info.skip_all()?;
    Ok(Info { algorithm, imprint, serial, at, nonce })
}

fn is(found: &[u8], expected: &[u8]) -> Result<(), NotDer> {
    if found == expected { Ok(()) } else { Err(NotDer) }
}

/// `20260413060405.25Z`: by UTC, with parts of a second only where they say something (RFC 3161, 2.4.2).
fn time(text: &[u8]) -> Option<Timestamp> {
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (whole, parts) = text.split_once('.').map_or((text, None), |(whole, parts)| (whole, Some(parts)));
    let are_digits = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    if whole.len() != 14
        || !are_digits(whole)
        || parts.is_some_and(|parts| !are_digits(parts) || parts.ends_with('0') || parts.len() > PARTS_MAX)
    {
        return None;
    }
    let number = |from: usize, to: usize| whole.get(from..to)?.parse::<i8>().ok();
    let date = Date::new(whole.get(..4)?.parse().ok()?, number(4, 6)?, number(6, 8)?).ok()?;
    let nanoseconds = match parts {
        Some(parts) => format!("{parts:0<PARTS_MAX$}").parse().ok()?,
        None => 0,
    };
    let (hour, minute, second) = (number(8, 10)?, number(10, 12)?, number(12, 14)?);
    let time = jiff::civil::Time::new(hour, minute, second, nanoseconds).ok()?;
    date.to_datetime(time).to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
}
