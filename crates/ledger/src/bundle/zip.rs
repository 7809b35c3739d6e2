//! A zip of stored files: nothing is compressed and nothing is dated, so that the same files always make the same bytes.
//!
//! What is read is packed again and compared, so that every byte of a zip is accounted for.

use std::collections::BTreeMap;

/// Files by their paths.
pub(super) type Files = BTreeMap<String, Vec<u8>>;

const LOCAL: u32 = 0x0403_4b50;
const CENTRAL: u32 = 0x0201_4b50;
const END: u32 = 0x0605_4b50;
/// A plain stored file needs version 1.0 (PKWARE APPNOTE 4.4.3.2).
const VERSION: u16 = 10;
/// 1980-01-01, the first day that the format can say.
const DATE: u16 = 0x0021;
/// Bytes of a local header before the name.
const LOCAL_LEN: usize = 30;
/// More bytes than a central directory has for one file beside its name, and for its end: for an estimate of room alone.
const ROOM: usize = 128;

/// More or larger files than this format can hold: 65,535 files and 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is more than a plain zip holds: 65,535 files, 4 GiB")]
pub struct TooLarge;

/// Why bytes are no zip of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAZip {
    /// No file is in it.
    #[error("it does not begin as a zip does")]
    Beginning,
    /// It ends early, or a length is wrong.
    #[error("it breaks off, or is damaged, in what begins at byte {at}")]
    Broken {
        /// Where the file begins that does not read.
        at: usize,
    },
    /// Compressed, or otherwise packed by another program.
    #[error("the file at byte {at} is not stored as it is: another program has packed it; take the bundle as it was handed out")]
    Method {
        /// Where the file begins.
        at: usize,
    },
    /// As much as nobody packs.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
}

/// Packs files, in the order of their paths.
pub(super) fn pack(files: &Files) -> Result<Vec<u8>, TooLarge> {
    let count = u16::try_from(files.len()).map_err(|_| TooLarge)?;
    let room = files.iter().map(|(name, content)| content.len() + 2 * name.len() + ROOM).sum();
    let mut out = Vec::with_capacity(room);
    let mut directory = Vec::new();
    for (name, content) in files {
        let offset = length(out.len())?;
        let common = common(name, content)?;
        put(&mut out, &[&LOCAL.to_le_bytes(), &common, &[0; 2], name.as_bytes(), content]);
        // No comment, disk 0, no attributes.
        put(&mut directory, &[&CENTRAL.to_le_bytes(), &VERSION.to_le_bytes(), &common, &[0; 12], &offset.to_le_bytes(), name.as_bytes()]);
    }
    let (at, size) = (length(out.len())?, length(directory.len())?);
    let counts = [count.to_le_bytes(), count.to_le_bytes()].concat();
    put(&mut out, &[&directory, &END.to_le_bytes(), &[0; 4], &counts, &size.to_le_bytes(), &at.to_le_bytes(), &[0; 2]]);
    Ok(out)
}

/// What both headers of a file say, from the version on to the length of its name.
fn common(name: &str, content: &[u8]) -> Result<Vec<u8>, TooLarge> {
    let mut out = Vec::new();
    let size = length(content.len())?;
    let name_len = u16::try_from(name.len()).map_err(|_| TooLarge)?;
    // No flags, stored, midnight.
    put(&mut out, &[&VERSION.to_le_bytes(), &[0; 6], &DATE.to_le_bytes(), &crc32(content).to_le_bytes()]);
    put(&mut out, &[&size.to_le_bytes(), &size.to_le_bytes(), &name_len.to_le_bytes()]);
    Ok(out)
}

fn put(out: &mut Vec<u8>, parts: &[&[u8]]) {
    for part in parts {
        out.extend_from_slice(part);
    }
}

fn length(len: usize) -> Result<u32, TooLarge> {
    u32::try_from(len).map_err(|_| TooLarge)
}

/// Reads the files of a zip, and where it first differs from what [`pack`] would make of them.
pub(super) fn unpack(bytes: &[u8]) -> Result<(Files, Option<usize>), NotAZip> {
    let mut files = Files::new();
    let mut at = 0;
    while number::<4>(bytes, at) == Some(LOCAL) {
        let broken = NotAZip::Broken { at };
        let field = |offset: usize| number::<2>(bytes, at + offset).ok_or(broken);
        if field(8)? != 0 {
            return Err(NotAZip::Method { at });
        }
        let (name_len, extra) = (index(field(26)?), index(field(28)?));
        let size = index(number::<4>(bytes, at + 18).ok_or(broken)?);
        let name = bytes.get(at + LOCAL_LEN..at + LOCAL_LEN + name_len).ok_or(broken)?;
        let start = at + LOCAL_LEN + name_len + extra;
        let content = bytes.get(start..start.saturating_add(size)).ok_or(broken)?;
        files.insert(String::from_utf8_lossy(name).into_owned(), content.to_vec());
        at = start + size;
    }
    if files.is_empty() {
        return Err(NotAZip::Beginning);
    }
    if number::<4>(bytes, at) != Some(CENTRAL) {
        return Err(NotAZip::Broken { at });
    }
    let again = pack(&files)?;
    let differs = again.iter().zip(bytes).position(|(one, other)| one != other);
    let longer = (again.len() != bytes.len()).then(|| again.len().min(bytes.len()));
    Ok((files, differs.or(longer)))
}

/// A number of so many bytes, the lowest first.
fn number<const LEN: usize>(bytes: &[u8], at: usize) -> Option<u32> {
    let part = bytes.get(at..at.checked_add(LEN)?)?;
    Some(part.iter().rev().fold(0, |all, byte| (all << 8) | u32::from(*byte)))
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// CRC-32 as zip has it (polynomial 0xEDB88320, reflected).
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _bit| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg());
    !bytes.iter().fold(u32::MAX, |crc, byte| (0..8).fold(crc ^ u32::from(*byte), step))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some() -> Files {
        [("a/b.txt", "hello"), ("a/c/d.json", "{}"), ("a/empty", "")]
            .map(|(name, content)| (name.to_owned(), content.as_bytes().to_vec()))
            .into()
    }

    #[test]
    fn the_checksum_is_the_published_one() {
        assert_eq!(crc32(b"123456789"), 0xCBF4_3926);
    }

    #[test]
    fn what_was_packed_reads_back_and_every_other_byte_shows() {
        let packed = pack(&some()).expect("packed");
        assert_eq!(unpack(&packed), Ok((some(), None)));
        for at in 0..packed.len() {
            for bit in 0..8 {
                let mut other = packed.clone();
                other[at] ^= 1 << bit;
                let read = unpack(&other);
                assert!(!matches!(read, Ok((_, None))), "byte {at}: {read:?}");
            }
        }
        for end in 0..packed.len() {
            assert!(!matches!(unpack(&packed[..end]), Ok((_, None))));
        }
        assert!(!matches!(unpack(&[packed, vec![0]].concat()), Ok((_, None))));
    }
}
