//! What is read from a row, and how it shows that the row is not what was written.
//!
//! The order of the columns is that of the `SELECT`s in `sql`.

use crate::dialect::Dialect;
use crate::digest::Digest;
use crate::disclosure::Disclosure;
use crate::entry::{Columns, EntryBody, Seq};
use crate::listing::Listing;
use crate::tree::LeafHash;
use crate::{Entry, ReadError};

pub(crate) const READ_ENTRIES: &str = "read entries of the record";
pub(crate) const READ_DISCLOSURES: &str = "read disclosures of the record";
pub(crate) const ERASE: &str = "erase personal data";
pub(crate) const READ_LISTINGS: &str = "read the list";

pub(crate) fn entry<DB: Dialect>(row: &DB::Row) -> Result<Entry, ReadError> {
    let seq = place::<DB>(row, 0)?;
    let leaf = leaf::<DB>(row, seq)?;
    let columns = read_columns::<DB>(row).map_err(unavailable(READ_ENTRIES))?;
    let body = match DB::bytes(row, 6).map_err(unavailable(READ_ENTRIES))? {
        None => None,
        Some(bytes) => Some(
            EntryBody::from_stored(bytes, leaf, columns.clone())
                .ok_or_else(|| damaged_entry(seq, "its bytes do not have the hash they were stored with"))?,
        ),
    };
    Ok(Entry { seq, leaf, columns, body })
}

fn read_columns<DB: Dialect>(row: &DB::Row) -> Result<Columns, sqlx::Error> {
    Ok(Columns { at_us: DB::integer(row, 2)?, stream: DB::text(row, 3)?, kind: DB::text(row, 4)?, cust: DB::text(row, 5)? })
}

pub(crate) fn place<DB: Dialect>(row: &DB::Row, column: usize) -> Result<Seq, ReadError> {
    let place = DB::integer(row, column).map_err(unavailable(READ_ENTRIES))?;
    let index = u64::try_from(place).map_err(|source| ReadError::Unavailable { attempted: READ_ENTRIES, source: source.into() })?;
    Ok(Seq::new(index))
}

pub(crate) fn leaf<DB: Dialect>(row: &DB::Row, seq: Seq) -> Result<LeafHash, ReadError> {
    let bytes = DB::bytes(row, 1).map_err(unavailable(READ_ENTRIES))?.unwrap_or_default();
    let digest = Digest::try_from(bytes.as_slice()).map_err(|_| damaged_entry(seq, "its leaf hash is not 32 bytes"))?;
    Ok(LeafHash::from_digest(digest))
}

pub(crate) fn disclosure<DB: Dialect>(row: &DB::Row) -> Result<Disclosure, ReadError> {
    let damaged = |why| ReadError::Damaged { what: "a disclosure".to_owned(), why };
    let cell = |column| DB::bytes(row, column).map_err(unavailable(READ_DISCLOSURES));
    let digest = Digest::try_from(cell(0)?.unwrap_or_default().as_slice()).map_err(|_| damaged("its digest is not 32 bytes"))?;
    let subject = DB::text(row, 2).map_err(unavailable(READ_DISCLOSURES))?;
    Disclosure::from_stored(digest, subject, cell(3)?.unwrap_or_default())
        .ok_or_else(|| damaged("its bytes do not have the digest they are stored under"))
}

pub(crate) fn listing<DB: Dialect>(row: &DB::Row) -> Result<Listing, ReadError> {
    let text = |column| DB::text(row, column).map_err(unavailable(READ_LISTINGS));
    Ok(Listing {
        key: text(0)?,
        cust: text(1)?,
        site: text(2)?,
        state: text(3)?,
        opened_us: DB::integer(row, 4).map_err(unavailable(READ_LISTINGS))?,
        seq: place::<DB>(row, 5)?,
        card: DB::bytes(row, 6).map_err(unavailable(READ_LISTINGS))?.unwrap_or_default(),
    })
}

pub(crate) fn unavailable(attempted: &'static str) -> impl Fn(sqlx::Error) -> ReadError {
    move |source| ReadError::Unavailable { attempted, source: source.into() }
}

pub(crate) fn damaged_entry(seq: Seq, why: &'static str) -> ReadError {
    ReadError::Damaged { what: format!("entry {seq}"), why }
}
