//! DER, as much of it as a time stamp needs: elements one after the other, read without any leniency and without a copy.
//!
//! Nothing here calls itself, so that no nesting is too deep, and every length is compared with what is there before it is used.

/// INTEGER.
pub(super) const INTEGER: u8 = 0x02;
/// OCTET STRING.
pub(super) const OCTETS: u8 = 0x04;
/// OBJECT IDENTIFIER.
pub(super) const OID: u8 = 0x06;
/// `GeneralizedTime`.
pub(super) const TIME: u8 = 0x18;
/// SEQUENCE.
pub(super) const SEQUENCE: u8 = 0x30;
/// SET.
pub(super) const SET: u8 = 0x31;
/// `[0]` around other elements.
pub(super) const FIRST: u8 = 0xa0;
/// `[1]` around other elements.
pub(super) const SECOND: u8 = 0xa1;
/// `[0]` in the place of an OCTET STRING, by which a signer's key is named.
pub(super) const KEY_ID: u8 = 0x80;

/// The bits of a tag that say its number; all of them where the number stands in bytes of its own, which no part of a stamp needs.
const NUMBER: u8 = 0x1f;
/// The bit of a length that says that it stands in bytes of its own; how many is in the other bits.
const LONG: u8 = 0x80;

/// Bytes that are not the DER they should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NotDer;

/// What is still to be read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Elements<'a>(&'a [u8]);

impl<'a> Elements<'a> {
    /// The elements that these bytes should be.
    pub(super) const fn of(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// The content of the next one, which has this tag.
    pub(super) fn take(&mut self, tag: u8) -> Result<&'a [u8], NotDer> {
        let (found, content) = self.next()?;
        if found == tag { Ok(content) } else { Err(NotDer) }
    }

    /// The elements inside of the next one, which has this tag.
    pub(super) fn enter(&mut self, tag: u8) -> Result<Self, NotDer> {
        self.take(tag).map(Self)
    }

    /// The content of the next one, where it has this tag; else nothing is read.
    pub(super) fn take_if(&mut self, tag: u8) -> Result<Option<&'a [u8]>, NotDer> {
        if self.0.first() == Some(&tag) { self.take(tag).map(Some) } else { Ok(None) }
    }

    /// Reads what is left without looking at what it says.
    pub(super) fn skip_all(&mut self) -> Result<(), NotDer> {
        while !self.is_empty() {
            self.next()?;
        }
        Ok(())
    }

    /// That nothing is left.
    pub(super) fn end(self) -> Result<(), NotDer> {
        if self.is_empty() { Ok(()) } else { Err(NotDer) }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn next(&mut self) -> Result<(u8, &'a [u8]), NotDer> {
        let (tag, rest) = self.0.split_first().ok_or(NotDer)?;
        if tag & NUMBER == NUMBER {
            return Err(NotDer);
        }
        let (length, rest) = length(rest)?;
        let (content, rest) = rest.split_at_checked(length).ok_or(NotDer)?;
        self.0 = rest;
        Ok((*tag, content))
    }
}

/// A length in its shortest form, and what follows it. One that is said at the end alone (BER) is none.
fn length(bytes: &[u8]) -> Result<(usize, &[u8]), NotDer> {
    let (first, rest) = bytes.split_first().ok_or(NotDer)?;
    if first & LONG == 0 {
        return Ok((usize::from(*first), rest));
    }
    // Three bytes are more than any reply that is read.
    let count = usize::from(first & !LONG);
    let (digits, rest) = rest.split_at_checked(count).filter(|_| (1..=3).contains(&count)).ok_or(NotDer)?;
    let length = digits.iter().fold(0_usize, |length, digit| (length << 8) | usize::from(*digit));
    let is_shortest = digits.first() != Some(&0) && length >= usize::from(LONG);
    if is_shortest { Ok((length, rest)) } else { Err(NotDer) }
}

/// The bytes of an INTEGER that is not negative, without what only says so; `None` where it is negative or not in its shortest form.
pub(super) fn natural(content: &[u8]) -> Option<&[u8]> {
    match content {
        [] | [0, 0..=0x7f, ..] | [0x80..=0xff, ..] => None,
        [0, digits @ ..] if !digits.is_empty() => Some(digits),
        digits => Some(digits),
    }
}

/// One element whose content is short: less than 128 bytes.
pub(super) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    debug_assert!(content.len() < usize::from(LONG), "what is asked of an authority is short");
    let length = u8::try_from(content.len()).unwrap_or(u8::MAX);
    [&[tag, length], content.as_slice()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<&[u8], NotDer> {
        let mut elements = Elements::of(bytes);
        let content = elements.take(OCTETS)?;
        elements.end()?;
        Ok(content)
    }

    #[test]
    fn a_length_has_one_form() {
        let long = |length: &[u8], content: usize| [&[OCTETS], length, &vec![7; content]].concat();
        assert_eq!(read(&[OCTETS, 0]), Ok(&[][..]));
        assert_eq!(read(&long(&[0x7f], 127)).map(<[u8]>::len), Ok(127));
        assert_eq!(read(&long(&[0x81, 0x80], 128)).map(<[u8]>::len), Ok(128));
        assert_eq!(read(&long(&[0x82, 0x01, 0x00], 256)).map(<[u8]>::len), Ok(256));
        assert_eq!(read(&long(&[0x83, 0x01, 0x00, 0x00], 65_536)).map(<[u8]>::len), Ok(65_536));
        // Longer than it need be, said at the end alone, or of more bytes than anything has.
        for length in [&[0x81, 0x7f][..], &[0x82, 0x00, 0x80], &[0x80], &[0x84, 0, 0, 0, 127], &[0xff]] {
            assert_eq!(read(&long(length, 127)), Err(NotDer), "{length:x?}");
        }
        // More or less than is there, another tag, a tag of several bytes, or nothing at all.
        for bytes in [&[OCTETS, 2, 0][..], &[OCTETS, 0, 0], &[INTEGER, 0], &[0x1f, 0x01, 0x00], &[OCTETS], &[]] {
            assert_eq!(read(bytes), Err(NotDer), "{bytes:x?}");
        }
    }

    #[test]
    fn a_number_has_one_form() {
        assert_eq!(natural(&[0]), Some(&[0][..]));
        assert_eq!(natural(&[0x7f]), Some(&[0x7f][..]));
        assert_eq!(natural(&[0, 0x80]), Some(&[0x80][..]));
        for wrong in [&[][..], &[0x80], &[0xff, 0xff], &[0, 0x7f], &[0, 0]] {
            assert_eq!(natural(wrong), None, "{wrong:x?}");
        }
    }
}
