//! Reading a record for an audit: rows as they lie, whatever they are worth, and never for writing.

use sqlx::pool::PoolConnection;
use tokio::task::spawn_blocking;

use crate::audit::Audit;
use crate::audit::looked::{Held, Looked, Raw};
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
        // While one connection reads entries, the other reads the disclosures of those before them. Nothing else is waited for.
        let mut readers = (self.reader().await?, self.reader().await?);
        let mut after = i64::MIN;
        loop {
            after = show_from::<DB>(&mut readers, after, audit).await?;
            let beyond = disclosed::<DB>(&mut readers.1, after, i64::MAX).await?;
            if entries_after::<DB>(&mut readers.0, after).await?.is_empty() {
                // Those of entries that are not there. What a running station has added meanwhile came with its entries.
                held::<DB>(&beyond)?.into_iter().for_each(|held| audit.disclosure(held));
                return Ok(());
            }
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

/// Shows an audit the entries after this place with their disclosures, and gives the place of the last one.
///
/// Two threads look at entries, and the database reads ahead of both: whoever only waited for rows would be woken for each of them.
async fn show_from<DB: Dialect>(
    (of_entries, of_disclosures): &mut (PoolConnection<DB>, PoolConnection<DB>),
    mut after: i64,
    audit: &mut Audit,
) -> Result<i64, sqlx::Error> {
    let mut reading = Begun::now(entries_after::<DB>(of_entries, after)).await;
    let mut disclosures = Vec::new();
    loop {
        let read = reading.answer().await;
        let last = read.as_ref().ok().and_then(|entries| entries.last()).map(|row| DB::integer(row, 0));
        let (mut entries, last) = match (read, last) {
            (Ok(entries), Some(Ok(last))) => (entries, last),
            // The end, or what cannot be read: what was read before is looked at all the same.
            (read, last) => {
                held::<DB>(&disclosures)?.into_iter().for_each(|held| audit.disclosure(held));
                return read.and(last.unwrap_or(Ok(after)));
            }
        };
        reading = Begun::now(entries_after::<DB>(of_entries, last)).await;
        let disclosing = Begun::now(disclosed::<DB>(of_disclosures, after, last)).await;
        let rest = entries.split_off(entries.len() / 2);
        let looking = spawn_blocking(move || Ok::<_, sqlx::Error>((look::<DB>(&rest)?, held::<DB>(&disclosures)?)));
        look::<DB>(&entries)?.into_iter().for_each(|entry| audit.entry(entry));
        let (rest, held) = looking.await.map_err(|_died| sqlx::Error::WorkerCrashed)??;
        for disclosure in held {
            audit.disclosure(disclosure);
        }
        for entry in rest {
            audit.entry(entry);
        }
        disclosures = disclosing.answer().await?;
        after = last;
    }
}

fn look<DB: Dialect>(rows: &[DB::Row]) -> Result<Vec<Looked>, sqlx::Error> {
    rows.iter().map(|row| raw::<DB>(row).map(Looked::at)).collect()
}

fn held<DB: Dialect>(rows: &[DB::Row]) -> Result<Vec<Held>, sqlx::Error> {
    let bytes = |row, column| DB::bytes(row, column).ok().flatten().unwrap_or_default();
    rows.iter().map(|row| Ok(Held::of(DB::integer(row, 0)?, &bytes(row, 1), &bytes(row, 2)))).collect()
}

async fn entries_after<DB: Dialect>(reader: &mut DB::Connection, after: i64) -> Result<Vec<DB::Row>, sqlx::Error> {
    let limit = Param::Integer(PAGE.try_into().unwrap_or(i64::MAX));
    DB::fetch(reader, ENTRIES.into(), arguments::<DB>(&[Param::Integer(after), limit])?).await
}

async fn disclosed<DB: Dialect>(reader: &mut DB::Connection, after: i64, until: i64) -> Result<Vec<DB::Row>, sqlx::Error> {
    DB::fetch(reader, DISCLOSURES.into(), arguments::<DB>(&[Param::Integer(after), Param::Integer(until)])?).await
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
