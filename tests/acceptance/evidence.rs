//! What the record says, read straight from its tables as a stranger would: not through the program under test.

use base64::Engine as _;
use harness::Daemon;
use rusqlite::{Connection, OpenFlags};
use serde_json::Value;

/// The record as it stands.
pub(crate) struct Evidence {
    entries: Vec<Value>,
}

impl Evidence {
    /// Of a daemon that keeps its record in its data directory, running or not.
    pub(crate) fn of(daemon: &Daemon) -> Self {
        let connection = connect(daemon);
        let mut statement =
            connection.prepare("SELECT e.seq, b.body FROM entry e LEFT JOIN entry_body b USING (seq) ORDER BY seq").unwrap();
        let rows = statement.query_map([], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?))).unwrap();
        Self::read(rows.map(Result::unwrap))
    }

    /// Of a record on PostgreSQL, as its own client reads it.
    pub(crate) fn of_rows(rows: &str) -> Self {
        let row = |line: &str| {
            let (seq, body) = line.split_once('|').unwrap();
            (seq.parse().unwrap(), body.as_bytes().to_vec())
        };
        Self::read(rows.lines().map(row))
    }

    /// What to ask PostgreSQL for [`Self::of_rows`].
    pub(crate) const ROWS: &str = "select seq, convert_from(body, 'UTF8') from entry_body order by seq";

    fn read(rows: impl Iterator<Item = (i64, Vec<u8>)>) -> Self {
        let entries: Vec<Value> = rows
            .zip(0_i64..)
            .map(|((seq, body), expected)| {
                assert_eq!(seq, expected, "the record has a gap");
                serde_json::from_slice(&body).unwrap()
            })
            .collect();
        let times: Vec<&str> = entries.iter().filter_map(|entry| entry["t"].as_str()).collect();
        assert!(times.windows(2).all(|pair| pair[0] < pair[1]), "recorded time must be strictly increasing (I10)");
        Self { entries }
    }

    /// Every entry, in order.
    pub(crate) fn entries(&self) -> &[Value] {
        &self.entries
    }

    /// Entries of this kind, in order.
    pub(crate) fn kind<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.entries.iter().filter(move |entry| entry["type"] == kind)
    }

    /// Entries of this kind about this activation, in order.
    pub(crate) fn about<'a>(&'a self, activation: &'a str, kind: &'a str) -> Vec<&'a Value> {
        self.kind(kind).filter(|entry| entry["act"] == activation).collect()
    }

    /// Whether a press with this id was recorded.
    pub(crate) fn has_press(&self, id: &str) -> bool {
        self.entries.iter().any(|entry| entry["signal"]["id"] == id)
    }

    /// Each activation's own count of its entries must be without a gap.
    pub(crate) fn must_be_whole(&self) {
        let mut next = std::collections::BTreeMap::new();
        for entry in &self.entries {
            let Some(aseq) = entry["aseq"].as_u64() else { continue };
            let expected = next.entry(entry["act"].to_string()).or_insert(0);
            assert_eq!(aseq, *expected, "{entry}");
            *expected += 1;
        }
    }

    /// Waits until the record holds an entry of this kind about this activation that `fits`, and gives it.
    pub(crate) async fn expect(daemon: &Daemon, activation: &str, kind: &str, fits: impl Fn(&Value) -> bool) -> Value {
        harness::wait::until(&format!("{kind} of {activation} in the record"), async || {
            Self::of(daemon).about(activation, kind).into_iter().find(|entry| fits(entry)).cloned()
        })
        .await
    }
}

/// Every private text of the record, by what it is: `raw`, `text`, `note`. The texts of raw signals are decoded.
pub(crate) fn disclosures(daemon: &Daemon, label: &str) -> Vec<String> {
    let connection = connect(daemon);
    let mut statement = connection.prepare("SELECT bytes FROM disclosure ORDER BY seq").unwrap();
    let rows = statement.query_map([], |row| row.get::<_, Vec<u8>>(0)).unwrap();
    let parts = rows.map(|row| serde_json::from_slice::<[String; 3]>(&row.unwrap()).unwrap());
    parts.filter(|[_salt, of, _value]| of == label).map(|[_salt, _of, value]| value).collect()
}

/// A base64 text as bytes.
pub(crate) fn decoded(text: &str) -> Vec<u8> {
    base64::engine::general_purpose::STANDARD.decode(text).unwrap()
}

fn connect(daemon: &Daemon) -> Connection {
    let connection = Connection::open_with_flags(daemon.data_dir().join("cooee.db"), OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    connection.busy_timeout(harness::wait::PATIENCE).unwrap();
    connection
}
