//! How much Cooee writes and sends for one press, so that the floor writes and sends as much.

use harness::Daemon;
use rusqlite::{Connection, OpenFlags};

use crate::session::Session;

/// What the floor has to match.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calibration {
    /// Bytes of entries, their hashes and their disclosures that are committed before a press is acknowledged.
    pub(crate) entry_bytes: usize,
    /// Entries among them.
    pub(crate) entries: usize,
    /// Bytes of the body of the message.
    pub(crate) body_bytes: usize,
}

impl Calibration {
    /// Lets Cooee take some presses and reads its record.
    pub(crate) async fn measure() -> Self {
        let mut session = Session::cooee(0).await;
        let body_bytes = session.gateway.body_bytes();
        let daemon = session.daemon().expect("this session is Cooee's");
        daemon.stop().await;
        let (presses, entries, bytes) = read(daemon);
        assert!(presses > 0, "the record has no press");
        Self { entry_bytes: bytes / presses, entries: entries / presses, body_bytes }
    }
}

/// How many presses the record has, the entries of their first commits, and the bytes of those.
///
/// A press is committed together with all that follows at once; what comes later for it is the carrier's report alone.
fn read(daemon: &Daemon) -> (usize, usize, usize) {
    let file = daemon.data_dir().join("cooee.db");
    let record = Connection::open_with_flags(&file, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("open the record");
    let sql = "WITH first AS (SELECT e.seq, e.kind, length(b.body) + length(e.leaf_hash) AS bytes FROM entry e \
                   JOIN entry_body b ON b.seq = e.seq \
                   WHERE e.stream IN (SELECT stream FROM entry WHERE kind = 'activation.raised') AND e.kind <> 'dispatch.reported'), \
               sealed AS (SELECT length(d.bytes) + length(d.digest) AS bytes FROM disclosure d JOIN first ON first.seq = d.seq) \
               SELECT (SELECT count(*) FROM first WHERE kind = 'activation.raised'), (SELECT count(*) FROM first), \
                   (SELECT sum(bytes) FROM first) + (SELECT coalesce(sum(bytes), 0) FROM sealed)";
    let counts: [u32; 3] = record.query_row(sql, [], |row| Ok([row.get(0)?, row.get(1)?, row.get(2)?])).expect("read the record");
    let [presses, entries, bytes] = counts.map(|count| usize::try_from(count).expect("fits memory"));
    (presses, entries, bytes)
}
