//! Reading a record for an audit: rows as they lie, whatever they are worth, and never for writing.

use crate::audit::{Audit, Raw};
use crate::begun::Begun;
use crate::dialect::{Dialect, Param};
use crate::key::VerifyKey;
use crate::sql::{SqlLedger, arguments};

/// Rows read at once.
const PAGE: usize = 1_000;

const ENTRIES: &str = "SELECT e.seq, e.leaf_hash, e.at_us, e.stream, e.kind, e.cust, b.body \
    FROM entry e LEFT JOIN entry_body b ON b.seq = e.seq WHERE e.seq > $1 ORDER BY e.seq LIMIT $2";
const DISCLOSURES: &str = "SELECT seq, digest, bytes FROM disclosure WHERE seq > $1 AND seq <= $2 ORDER BY seq";
const KEYS: &str = "SELECT e.seq, e.leaf_hash, e.at_us, e.stream, e.kind, e.cust, b.body \
    FROM entry e LEFT JOIN entry_body b ON b.seq = e.seq WHERE e.kind = $1 ORDER BY e.seq LIMIT $2";

impl<DB: Dialect> SqlLedger<DB> {
    /// Shows an audit everything that is there. What cannot be read is a finding too.
    pub async fn audit(&self, audit: &mut Audit) {
        if let Err(why) = self.show(audit).await {
            audit.unreadable(why.to_string());
        }
    }

    async fn show(&self, audit: &mut Audit) -> Result<(), sqlx::Error> {
        // One connection for all of it: nothing else is waited for.
        let mut reader = self.reader().await?;
        let mut after = i64::MIN;
        let mut entries = entries_after::<DB>(&mut reader, after).await?;
        loop {
            let Some(last) = entries.last().map(|last| last.seq) else {
                let beyond = disclosed::<DB>(&mut reader, after, i64::MAX).await?;
                entries = entries_after::<DB>(&mut reader, after).await?;
                if entries.is_empty() {
                    // Those of entries that are not there. What a running station has added meanwhile came with its entries.
                    return beyond.iter().try_for_each(|row| disclosure::<DB>(audit, row));
                }
                continue;
            };
            let page = disclosed::<DB>(&mut reader, after, last).await?;
            // Read while this one is looked at.
            let next = Begun::now(entries_after::<DB>(&mut reader, last)).await;
            for entry in &entries {
                audit.entry(entry);
            }
            page.iter().try_for_each(|row| disclosure::<DB>(audit, row))?;
            (entries, after) = (next.answer().await?, last);
        }
    }

    /// The keys that the record itself says sign it. They are as good as the record.
    pub async fn signing_keys(&self) -> Vec<VerifyKey> {
        let params = [Param::Text("record.signed_by"), Param::Integer(PAGE.try_into().unwrap_or(i64::MAX))];
        let rows = self.fetch(KEYS, &params).await.unwrap_or_default();
        let mut keys: Vec<VerifyKey> = Vec::new();
        for body in rows.iter().filter_map(|row| raw::<DB>(row).ok()?.body) {
            let fields: serde_json::Map<String, serde_json::Value> = serde_json::from_slice(&body).unwrap_or_default();
            let named = ["key", "before"].into_iter().filter_map(|field| fields.get(field)?.as_str()?.parse().ok());
            for key in named {
                if !keys.contains(&key) {
                    keys.push(key);
                }
            }
        }
        keys
    }
}

async fn entries_after<DB: Dialect>(reader: &mut DB::Connection, after: i64) -> Result<Vec<Raw>, sqlx::Error> {
    let limit = Param::Integer(PAGE.try_into().unwrap_or(i64::MAX));
    let rows = DB::fetch(reader, ENTRIES.into(), arguments::<DB>(&[Param::Integer(after), limit])?).await?;
    rows.iter().map(raw::<DB>).collect()
}

async fn disclosed<DB: Dialect>(reader: &mut DB::Connection, after: i64, until: i64) -> Result<Vec<DB::Row>, sqlx::Error> {
    DB::fetch(reader, DISCLOSURES.into(), arguments::<DB>(&[Param::Integer(after), Param::Integer(until)])?).await
}

fn disclosure<DB: Dialect>(audit: &mut Audit, row: &DB::Row) -> Result<(), sqlx::Error> {
    let bytes = |column| DB::bytes(row, column).ok().flatten().unwrap_or_default();
    audit.disclosure(DB::integer(row, 0)?, &bytes(1), &bytes(2));
    Ok(())
}

/// A row as it lies. A column of another type than it had is as empty, which no column of a sound entry is unseen.
fn raw<DB: Dialect>(row: &DB::Row) -> Result<Raw, sqlx::Error> {
    Ok(Raw {
        seq: DB::integer(row, 0)?,
        leaf: DB::bytes(row, 1).ok().flatten().unwrap_or_default(),
        at_us: DB::integer(row, 2).unwrap_or_default(),
        stream: DB::text(row, 3).unwrap_or_default(),
        kind: DB::text(row, 4).unwrap_or_default(),
        cust: DB::text(row, 5).unwrap_or_default(),
        // Only what is not there is gone; what is there and is no bytes was put there by somebody.
        body: DB::bytes(row, 6).unwrap_or(Some(Vec::new())),
    })
}
