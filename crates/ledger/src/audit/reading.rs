//! Reading a record for an audit: rows as they lie, whatever they are worth, and never for writing.

use crate::audit::{Audit, Raw};
use crate::begun::Begun;
use crate::dialect::{Dialect, Param};
use crate::key::VerifyKey;
use crate::sql::SqlLedger;

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
        let mut after = i64::MIN;
        let mut page = Begun::now(self.entries_after(after)).await;
        loop {
            let entries = page.answer().await?;
            let last = entries.last().map_or(i64::MAX, |last| last.seq);
            let disclosed = Begun::now(self.disclosed(after, last)).await;
            // Read while this one is looked at.
            page = Begun::now(self.entries_after(last)).await;
            for entry in &entries {
                audit.entry(entry);
            }
            // Beyond the last entry: those of entries that are not there.
            for row in disclosed.answer().await? {
                disclosure::<DB>(audit, &row)?;
            }
            if entries.is_empty() {
                return Ok(());
            }
            after = last;
        }
    }

    async fn entries_after(&self, after: i64) -> Result<Vec<Raw>, sqlx::Error> {
        let limit = Param::Integer(PAGE.try_into().unwrap_or(i64::MAX));
        self.fetch(ENTRIES, &[Param::Integer(after), limit]).await?.iter().map(raw::<DB>).collect()
    }

    async fn disclosed(&self, after: i64, until: i64) -> Result<Vec<DB::Row>, sqlx::Error> {
        self.fetch(DISCLOSURES, &[Param::Integer(after), Param::Integer(until)]).await
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
