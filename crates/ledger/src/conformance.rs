//! The one suite that every implementation of `Ledger` must pass. Behind the feature `conformance`; it fails by panicking.
//!
//! Knows only the contract; what a database refuses besides is asked in `refuses_changes`.

use std::fmt::Debug;

use serde_json::{Map, Value};

use crate::{
    AppendError, Batch, Dialect, Disclosure, Entry, EntryBody, Frontier, Ledger, Listing, ListingQuery, Seq, SqlLedger, ViewsQuery,
};

/// Runs the whole suite.
///
/// `make` opens the ledger of a name: empty at the first call with that name, and another handle to the same record at
/// every later one.
pub async fn suite<L: Ledger, F: AsyncFn(&str) -> L>(make: F) {
    what_is_appended_comes_back(&make("round-trip").await).await;
    entries_are_found_in_order(&make("order").await).await;
    the_same_batch_is_accepted_again(&make("retry").await).await;
    of_two_writers_one_is_fenced(&make("rivals").await, &make("rivals").await).await;
    a_gap_is_refused(&make("gap").await).await;
    a_refused_batch_leaves_nothing(&make("rollback").await).await;
    a_dropped_append_can_be_repeated(&make("dropped").await, &make("dropped").await).await;
    every_chunk_edge_is_kept(&make("chunks").await).await;
    any_text_is_taken(&make("payloads").await).await;
    disclosures_are_kept_beside(&make("disclosures").await).await;
    what_is_erased_is_gone_and_nothing_else(&make("erasure").await).await;
    who_read_is_found_from_the_newest_on(&make("views").await).await;
    listings_are_found_by_page(&make("listings").await).await;
    listings_are_replaced_and_rebuilt(&make("projection").await).await;
}

/// Tries each kind of change that the tables must refuse, around the ledger, and looks whether anything changed.
///
/// `ledger` must be empty; `others` are further statements its database must refuse.
///
/// # Panics
/// When one is taken: this is a test.
pub async fn refuses_changes<DB: Dialect>(ledger: &SqlLedger<DB>, others: &[&'static str]) {
    let mut batch = Batch::new(Seq::FIRST);
    batch.push(body("first", ""), vec![secret(1)]);
    batch.push(body("second", ""), Vec::new());
    accepted(ledger, &batch).await;
    let before = (sure(ledger.entries(Seq::FIRST, 9).await), sure(ledger.disclosures(Seq::FIRST, Seq::new(9)).await));
    let changes = [
        "UPDATE entry SET kind = 'x'",
        "UPDATE entry SET seq = seq + 10",
        "DELETE FROM entry WHERE seq = 1",
        "UPDATE entry_body SET seq = seq + 10",
        "UPDATE disclosure SET subject = 'x'",
        "INSERT INTO entry SELECT -1, leaf_hash, at_us, stream, kind, cust FROM entry WHERE seq = 0",
    ];
    for sql in changes.iter().chain(others) {
        assert!(ledger.tamper(sql).await.is_err(), "the database took: {sql}");
    }
    let after = (sure(ledger.entries(Seq::FIRST, 9).await), sure(ledger.disclosures(Seq::FIRST, Seq::new(9)).await));
    assert_eq!(before, after);
    // What retention and erasure need is granted.
    sure(ledger.tamper("DELETE FROM entry_body WHERE seq = 0").await);
    sure(ledger.tamper("DELETE FROM disclosure WHERE seq = 0").await);
    let entries = sure(ledger.entries(Seq::FIRST, 9).await);
    assert_eq!(entries.iter().map(|entry| entry.body.is_some()).collect::<Vec<_>>(), [false, true]);
    assert_eq!(sure(ledger.disclosure(&secret(1).digest()).await), None);
    assert_eq!(sure(ledger.head().await).size(), 2, "the hash of a deleted body stays");
}

/// Appends while `cut` cuts the ledger's connections; every batch must be in the record once, whatever was lost.
///
/// `ledger` must be empty.
///
/// # Panics
/// When one is lost or its outcome stays unknown: this is a test.
pub async fn a_cut_connection_loses_nothing<L: Ledger>(ledger: &L, cut: impl AsyncFn()) {
    let mut expected = Frontier::new();
    for round in 0..20_u64 {
        let batch = batch(Seq::new(expected.size()), 1 + 40 * (round % 3));
        let (mut outcome, ()) = tokio::join!(ledger.append(&batch), cut());
        let mut attempts = 0;
        while let Err(AppendError::Unknown { .. }) = outcome {
            attempts += 1;
            assert!(attempts < 10, "still unknown with nobody cutting: {outcome:?}");
            outcome = ledger.append(&batch).await;
        }
        sure(outcome);
        expected.extend(batch.entries().iter().map(|sealed| sealed.body.leaf()));
    }
    assert_eq!(sure(ledger.head().await).frontier, expected);
}

async fn what_is_appended_comes_back<L: Ledger>(ledger: &L) {
    assert_eq!(sure(ledger.head().await).frontier, Frontier::new());
    let mut batch = Batch::new(Seq::FIRST);
    let bodies = [body("raised", "KAL-1"), body("noted", "")];
    for entry in &bodies {
        batch.push(entry.clone(), Vec::new());
    }
    accepted(ledger, &batch).await;
    let head = sure(ledger.head().await);
    assert_eq!(head.frontier, bodies.iter().map(EntryBody::leaf).collect());
    assert_eq!(head.next(), Seq::new(2));
    let expected = bodies.into_iter().zip(0..).map(|(body, index)| Entry {
        seq: Seq::new(index),
        leaf: body.leaf(),
        columns: body.columns().clone(),
        body: Some(body),
    });
    assert_eq!(sure(ledger.entries(Seq::FIRST, 10).await), expected.collect::<Vec<_>>());
}

async fn entries_are_found_in_order<L: Ledger>(ledger: &L) {
    let mut batch = Batch::new(Seq::FIRST);
    for i in 0..30_u64 {
        let (kind, stream) = (["raised", "noted", "closed"], ["KAL-9", "KAL-10", ""]);
        let pick = |list: [&'static str; 3], n: u64| list.into_iter().cycle().nth(usize::try_from(n).unwrap_or(0)).unwrap_or("");
        batch.push(body(pick(kind, i), pick(stream, i / 3)), Vec::new());
        if i % 7 == 0 {
            accepted(ledger, &batch).await;
            batch = Batch::new(batch.next());
        }
    }
    accepted(ledger, &batch).await;
    let places = |entries: Vec<Entry>| entries.into_iter().map(|entry| entry.seq.index()).collect::<Vec<_>>();
    let leaves: Vec<_> = sure(ledger.entries(Seq::new(27), 2).await).iter().map(|entry| entry.leaf).collect();
    assert_eq!(sure(ledger.leaves(Seq::new(27), 2).await), leaves);
    assert_eq!(places(sure(ledger.entries(Seq::new(27), 2).await)), [27, 28]);
    assert_eq!(places(sure(ledger.entries(Seq::new(30), 2).await)), [0_u64; 0]);
    assert_eq!(places(sure(ledger.by_stream("KAL-10", Seq::FIRST, 4).await)), [3, 4, 5, 12]);
    assert_eq!(places(sure(ledger.by_stream("KAL-10", Seq::new(5), 9).await)), [5, 12, 13, 14, 21, 22, 23]);
    assert_eq!(places(sure(ledger.by_stream("KAL-1", Seq::FIRST, 4).await)), [0_u64; 0]);
}

async fn the_same_batch_is_accepted_again<L: Ledger>(ledger: &L) {
    let batch = batch(Seq::FIRST, 3);
    let later = self::batch(batch.next(), 2);
    for _ in 0..3 {
        accepted(ledger, &batch).await;
    }
    accepted(ledger, &later).await;
    accepted(ledger, &batch).await;
    assert_eq!(sure(ledger.head().await).size(), 5);
    // Longer than what is there, equal as far as it goes: that was never one batch of ours.
    let mut longer = batch.clone();
    for sealed in later.entries() {
        longer.push(sealed.body.clone(), Vec::new());
    }
    longer.push(body("more", ""), Vec::new());
    fenced(ledger, &longer).await;
}

async fn of_two_writers_one_is_fenced<L: Ledger>(ours: &L, theirs: &L) {
    let mut frontier = Frontier::new();
    for round in 0..50_u64 {
        let first = Seq::new(frontier.size());
        let (a, b) = (one(first, &format!("a-{round}")), one(first, &format!("b-{round}")));
        let (mine, other) = tokio::join!(ours.append(&a), theirs.append(&b));
        let won = match (mine, other) {
            (Ok(()), Err(AppendError::Fenced { .. })) => a,
            (Err(AppendError::Fenced { .. }), Ok(())) => b,
            both => fail(&format!("exactly one of two rivals wins, round {round}: {both:?}")),
        };
        frontier.extend(won.entries().iter().map(|sealed| sealed.body.leaf()));
    }
    assert_eq!(frontier.size(), 50);
    assert_eq!(sure(ours.head().await).frontier, frontier);
    assert_eq!(sure(theirs.head().await).frontier, frontier);
}

async fn a_gap_is_refused<L: Ledger>(ledger: &L) {
    fenced(ledger, &batch(Seq::new(1), 1)).await;
    accepted(ledger, &batch(Seq::FIRST, 2)).await;
    for count in [1, 9, 70] {
        fenced(ledger, &batch(Seq::new(3), count)).await;
    }
    assert_eq!(sure(ledger.head().await).size(), 2);
    accepted(ledger, &batch(Seq::new(2), 1)).await;
}

async fn a_refused_batch_leaves_nothing<L: Ledger>(ledger: &L) {
    accepted(ledger, &one(Seq::FIRST, "KAL-1")).await;
    // Small enough for one statement, and too large for it; over what is there, and beyond it.
    for (first, count) in [(0, 2), (0, 100), (2, 2), (2, 100)] {
        let mut batch = Batch::new(Seq::new(first));
        for i in 0..count {
            batch.push(body("refused", ""), vec![secret(i)]);
        }
        sure(batch.list(card("KAL-1", 1, 1)));
        fenced(ledger, &batch).await;
    }
    assert_eq!(sure(ledger.head().await).size(), 1);
    assert_eq!(sure(ledger.disclosures(Seq::FIRST, Seq::new(999)).await), []);
    assert_eq!(sure(ledger.listings(&ListingQuery { limit: 9, ..ListingQuery::default() }).await), []);
    accepted(ledger, &one(Seq::new(1), "KAL-1")).await;
}

/// Whenever an append is dropped, the same batch is accepted afterwards, by this handle or by one that took over.
async fn a_dropped_append_can_be_repeated<L: Ledger>(ledger: &L, other: &L) {
    let mut first = Seq::FIRST;
    for polls in 0..24_u32 {
        let batch = batch(first, if polls % 2 == 0 { 3 } else { 80 });
        drop_after(polls / 2, ledger.append(&batch)).await;
        accepted(if polls % 3 == 0 { other } else { ledger }, &batch).await;
        first = batch.next();
        assert_eq!(sure(ledger.head().await).next(), first);
    }
}

async fn every_chunk_edge_is_kept<L: Ledger>(ledger: &L) {
    let mut frontier = Frontier::new();
    for count in [1_u32, 7, 8, 9, 23, 24, 25, 63, 64, 65, 511, 512, 513] {
        let mut batch = Batch::new(Seq::new(frontier.size()));
        for i in 0..count {
            let place = frontier.size() + u64::from(i);
            batch.push(body("counted", &format!("KAL-{place}")), vec![secret(u128::from(place))]);
            sure(batch.list(card(&format!("KAL-{place}"), 1, place)));
        }
        accepted(ledger, &batch).await;
        let read = sure(ledger.entries(batch.first(), 9999).await);
        assert!(read.iter().map(|entry| entry.body.as_ref()).eq(batch.entries().iter().map(|sealed| Some(&sealed.body))));
        let sealed = sure(ledger.disclosures(batch.first(), batch.next()).await);
        let expected = batch.placed().flat_map(|(seq, sealed)| sealed.disclosures.iter().map(move |d| (seq, d.clone())));
        assert_eq!(sealed, expected.collect::<Vec<_>>(), "{count} disclosures");
        frontier.extend(batch.entries().iter().map(|sealed| sealed.body.leaf()));
        let listed = sure(ledger.listings(&ListingQuery { limit: 9999, ..ListingQuery::default() }).await);
        assert_eq!(u64::try_from(listed.len()), Ok(frontier.size()), "{count} listings");
    }
    assert_eq!(sure(ledger.head().await).frontier, frontier);
}

async fn any_text_is_taken<L: Ledger>(ledger: &L) {
    let mut batch = Batch::new(Seq::FIRST);
    let payloads =
        ["\0", "a\0b", "\u{1}\u{1f}\u{7f}\u{2028}", "\u{10ffff}é", "'; DROP TABLE entry; --", "$1 ?1 :a", "/4CAwA==", &"x".repeat(100_000)];
    for (payload, salt) in payloads.iter().zip(0..) {
        let mut fields = fields("received", "");
        fields.insert("payload".to_owned(), Value::from(*payload));
        let sealed = sure(Disclosure::seal("", u128::to_be_bytes(salt), "payload", payload));
        batch.push(sure(EntryBody::write(&fields)), vec![sealed]);
    }
    sure(batch.list(Listing { card: vec![0, 0xff, 0xc0, 0x80], ..card("KAL-1", 1, 0) }));
    accepted(ledger, &batch).await;
    let read = sure(ledger.entries(Seq::FIRST, 99).await);
    assert!(read.iter().map(|entry| entry.body.as_ref()).eq(batch.entries().iter().map(|sealed| Some(&sealed.body))));
    let values: Vec<_> = sure(ledger.disclosures(Seq::FIRST, batch.next()).await).iter().map(|(_, d)| d.value()).collect();
    assert_eq!(values, payloads);
    let listed = sure(ledger.listings(&ListingQuery { limit: 9, ..ListingQuery::default() }).await);
    assert_eq!(listed, batch.listings().cloned().collect::<Vec<_>>());
}

async fn disclosures_are_kept_beside<L: Ledger>(ledger: &L) {
    let mut batch = Batch::new(Seq::FIRST);
    batch.push(body("a", ""), vec![secret(1), secret(2)]);
    batch.push(body("b", ""), Vec::new());
    // The same file twice is one file; nothing an input holds may be refused.
    batch.push(body("c", ""), vec![secret(3), secret(3), secret(1)]);
    accepted(ledger, &batch).await;
    assert_eq!(sure(ledger.disclosure(&secret(2).digest()).await), Some(secret(2)));
    assert_eq!(sure(ledger.disclosure(&secret(4).digest()).await), None);
    let mut first = [secret(1), secret(2)];
    first.sort_by_key(Disclosure::digest);
    let expected = first.map(|disclosure| (Seq::FIRST, disclosure)).to_vec();
    assert_eq!(sure(ledger.disclosures(Seq::FIRST, Seq::new(2)).await), expected);
    assert_eq!(sure(ledger.disclosures(Seq::new(1), Seq::new(3)).await), [(Seq::new(2), secret(3))]);
}

async fn what_is_erased_is_gone_and_nothing_else<L: Ledger>(ledger: &L) {
    let mut batch = Batch::new(Seq::FIRST);
    let other = sure(Disclosure::seal("P-18", [9; 16], "name", "another"));
    batch.push(body("a", ""), (1..=700).map(secret).chain([other.clone()]).collect());
    accepted(ledger, &batch).await;
    let before = (sure(ledger.head().await), sure(ledger.entries(Seq::FIRST, 9).await));
    let about = sure(ledger.about("P-17").await);
    assert_eq!(about.len(), 700);
    assert_eq!(sure(ledger.erase(&[]).await), 0);
    assert_eq!((sure(ledger.erase(&about).await), sure(ledger.erase(&about).await)), (700, 0));
    assert_eq!(sure(ledger.about("P-17").await), []);
    assert_eq!(sure(ledger.disclosures(Seq::FIRST, Seq::new(9)).await), [(Seq::FIRST, other)]);
    assert_eq!((sure(ledger.head().await), sure(ledger.entries(Seq::FIRST, 9).await)), before, "entries and hashes stay");
}

async fn who_read_is_found_from_the_newest_on<L: Ledger>(ledger: &L) {
    let mut batch = Batch::new(Seq::FIRST);
    for i in 0..60_u64 {
        let mut fields = fields(if i % 3 == 0 { "noted" } else { "record.viewed" }, "");
        fields.insert("in".to_owned(), Value::from(if i % 2 == 0 { "views:KAL-1" } else { "views:people" }));
        fields.insert("cust".to_owned(), Value::from(if i % 5 == 0 { "acme" } else { "zenith" }));
        batch.push(sure(EntryBody::write(&fields)), Vec::new());
    }
    accepted(ledger, &batch).await;
    let all = sure(ledger.entries(Seq::FIRST, 99).await);
    let only = |values: &[&str]| Some(values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>());
    let queries = [
        ViewsQuery::default(),
        ViewsQuery { custs: only(&["acme"]), ..ViewsQuery::default() },
        ViewsQuery { custs: only(&["acme", "zenith"]), ..ViewsQuery::default() },
        ViewsQuery { stream: Some("views:KAL-1".to_owned()), ..ViewsQuery::default() },
        ViewsQuery { stream: Some("views:KAL-1".to_owned()), custs: only(&["acme"]), ..ViewsQuery::default() },
        ViewsQuery { stream: Some("views:KAL-2".to_owned()), ..ViewsQuery::default() },
        ViewsQuery { custs: only(&[]), ..ViewsQuery::default() },
    ];
    for query in queries {
        let expected: Vec<_> = all.iter().rev().filter(|entry| query.admits(entry)).cloned().collect();
        let mut found = Vec::new();
        let mut page = ViewsQuery { limit: 3, ..query.clone() };
        loop {
            let entries = sure(ledger.views(&page).await);
            let Some(last) = entries.last() else { break };
            page.before = Some(last.seq);
            found.extend(entries);
        }
        assert_eq!(found, expected, "{query:?}");
    }
}

async fn listings_are_found_by_page<L: Ledger>(ledger: &L) {
    let mut batch = Batch::new(Seq::FIRST);
    for i in 0..40_u64 {
        batch.push(body("raised", ""), Vec::new());
        // Four at a time are opened in the same microsecond, and one kind of key sorts by its bytes alone.
        let key = format!("{}-{i}", if i % 2 == 0 { "kal" } else { "KAL" });
        let site = ["north", "south", "east"].into_iter().cycle().nth(usize::try_from(i).unwrap_or(0)).unwrap_or("");
        let state = if i < 30 { "closed" } else { "open" };
        let cust = if i % 5 == 0 { "acme" } else { "zenith" };
        let listing =
            Listing { cust: cust.into(), site: site.into(), state: state.into(), ..card(&key, i64::try_from(i / 4).unwrap_or(0), i) };
        sure(batch.list(listing));
    }
    accepted(ledger, &batch).await;
    let mut all: Vec<_> = batch.listings().cloned().collect();
    all.sort_by(|a, b| (b.opened_us, &b.key).cmp(&(a.opened_us, &a.key)));
    let only = |values: &[&str]| Some(values.iter().map(|value| (*value).to_owned()).collect::<Vec<_>>());
    let queries = [
        ListingQuery::default(),
        ListingQuery { custs: only(&["acme"]), ..ListingQuery::default() },
        ListingQuery { custs: only(&["acme", "zenith"]), sites: only(&["south"]), ..ListingQuery::default() },
        ListingQuery { states: only(&["open"]), from_us: Some(8), ..ListingQuery::default() },
        ListingQuery { from_us: Some(2), to_us: Some(5), ..ListingQuery::default() },
        ListingQuery { custs: only(&[]), ..ListingQuery::default() },
        ListingQuery { sites: only(&["west"]), ..ListingQuery::default() },
    ];
    for query in queries {
        let expected: Vec<_> = all.iter().filter(|listing| query.admits(listing)).cloned().collect();
        let mut found = Vec::new();
        let mut page = ListingQuery { limit: 3, ..query.clone() };
        loop {
            let listings = sure(ledger.listings(&page).await);
            let Some(last) = listings.last() else { break };
            page.before = Some((last.opened_us, last.key.clone()));
            found.extend(listings);
        }
        assert_eq!(found, expected, "{query:?}");
    }
}

async fn listings_are_replaced_and_rebuilt<L: Ledger>(ledger: &L) {
    let all = ListingQuery { limit: 9, ..ListingQuery::default() };
    let newer = Listing { state: "closed".into(), ..card("KAL-1", 1, 1) };
    let mut batch = batch(Seq::FIRST, 2);
    sure(batch.list(card("KAL-1", 1, 0)));
    sure(batch.list(newer.clone()));
    accepted(ledger, &batch).await;
    assert_eq!(sure(ledger.listings(&all).await), std::slice::from_ref(&newer));
    // A batch of listings alone is a rebuild, and an older one never replaces a newer.
    let mut rebuilt = Batch::new(Seq::FIRST);
    sure(rebuilt.list(card("KAL-1", 1, 0)));
    accepted(ledger, &rebuilt).await;
    assert_eq!(sure(ledger.listings(&all).await), [newer]);
    sure(ledger.clear_listings().await);
    assert_eq!(sure(ledger.listings(&all).await), []);
    accepted(ledger, &rebuilt).await;
    assert_eq!(sure(ledger.listings(&all).await), [card("KAL-1", 1, 0)]);
    accepted(ledger, &Batch::new(Seq::new(99))).await;
    assert_eq!(sure(ledger.head().await).size(), 2);
}

fn fields(kind: &str, stream: &str) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("t".to_owned(), Value::from("2026-11-21T02:14:00.000000Z"));
    fields.insert("type".to_owned(), Value::from(kind));
    if !stream.is_empty() {
        fields.insert("act".to_owned(), Value::from(stream));
    }
    fields
}

fn body(kind: &str, stream: &str) -> EntryBody {
    sure(EntryBody::write(&fields(kind, stream)))
}

/// So many entries from a place on, with one disclosure each; the same arguments give the same bytes.
pub(crate) fn batch(first: Seq, count: u64) -> Batch {
    let mut batch = Batch::new(first);
    for i in 0..count {
        let place = first.index() + i;
        batch.push(body("counted", &format!("KAL-{place}")), vec![secret(u128::from(place))]);
    }
    batch
}

fn one(first: Seq, stream: &str) -> Batch {
    let mut batch = Batch::new(first);
    batch.push(body("rival", stream), Vec::new());
    batch
}

fn secret(salt: u128) -> Disclosure {
    sure(Disclosure::seal("P-17", salt.to_be_bytes(), "name", "somebody"))
}

fn card(key: &str, opened_us: i64, seq: u64) -> Listing {
    Listing {
        key: key.to_owned(),
        cust: "acme".to_owned(),
        site: "north".to_owned(),
        state: "open".to_owned(),
        opened_us,
        seq: Seq::new(seq),
        card: key.as_bytes().to_vec(),
    }
}

async fn accepted<L: Ledger>(ledger: &L, batch: &Batch) {
    sure(ledger.append(batch).await);
}

async fn fenced<L: Ledger>(ledger: &L, batch: &Batch) {
    let outcome = ledger.append(batch).await;
    assert!(matches!(outcome, Err(AppendError::Fenced { .. })), "expected Fenced at {}: {outcome:?}", batch.first());
}

/// Polls a future this many times when it asks for it, then drops it.
async fn drop_after<T>(polls: u32, future: impl Future<Output = T>) {
    let mut future = Box::pin(future);
    let mut left = polls;
    std::future::poll_fn(|context| {
        if left == 0 || future.as_mut().poll(context).is_ready() {
            return std::task::Poll::Ready(());
        }
        left -= 1;
        std::task::Poll::Pending
    })
    .await;
}

fn sure<T, E: Debug>(outcome: Result<T, E>) -> T {
    match outcome {
        Ok(value) => value,
        Err(error) => fail(&format!("{error:?}")),
    }
}

#[expect(clippy::panic, reason = "this is how a test suite fails")]
fn fail(why: &str) -> ! {
    panic!("{why}")
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeMap;

    use super::*;
    use crate::memory::{Fault, MemoryLedger};
    use crate::{ReadError, Sqlite};

    #[tokio::test]
    async fn memory_keeps_the_contract() {
        let made = RefCell::new(BTreeMap::new());
        suite(async |name| MemoryLedger::clone(made.borrow_mut().entry(name.to_owned()).or_default())).await;
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn sqlite_keeps_the_contract() {
        let folder = tempfile::tempdir().expect("a folder");
        suite(async |name| SqlLedger::<Sqlite>::open(folder.path().join(name)).await.expect("opens")).await;
    }

    /// The faults of the simulation keep the contract too: the same batch until the outcome is known.
    #[tokio::test]
    async fn faults_in_memory_lose_nothing() {
        let faults = [Fault::UnknownAbsent, Fault::Stall(3), Fault::UnknownCommitted, Fault::None];
        let mut turns = faults.into_iter().cycle();
        let ledger = MemoryLedger::with_faults(move |_| turns.next().unwrap_or(Fault::None));
        a_cut_connection_loses_nothing(&ledger, async || ()).await;
        ledger.set_faults(|_| Fault::Fenced);
        let head = sure(ledger.head().await);
        fenced(&ledger, &one(head.next(), "KAL-1")).await;
        assert_eq!(sure(ledger.head().await), head);
    }

    #[tokio::test]
    async fn a_stalled_append_that_is_dropped_is_absent() {
        let ledger = MemoryLedger::with_faults(|_| Fault::Stall(3));
        drop_after(2, ledger.append(&one(Seq::FIRST, "KAL-1"))).await;
        assert_eq!(sure(ledger.head().await).size(), 0);
    }

    #[tokio::test]
    async fn what_was_altered_in_the_store_is_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = SqlLedger::<Sqlite>::open(folder.path().join("record.db")).await.expect("opens");
        accepted(&ledger, &batch(Seq::FIRST, 3)).await;
        for sql in [
            "DROP TRIGGER entry_body_is_never_changed; UPDATE entry_body SET body = x'7b7d' WHERE seq = 1",
            "DROP TRIGGER disclosure_is_never_changed; UPDATE disclosure SET bytes = x'5b5d' WHERE seq = 1",
        ] {
            ledger.tamper(sql).await.expect("nothing stops the owner");
        }
        assert_eq!(sure(ledger.entries(Seq::FIRST, 1).await).len(), 1);
        let entry = ledger.entries(Seq::FIRST, 3).await.expect_err("damaged").to_string();
        assert!(entry.starts_with("entry 1 was altered"), "{entry}");
        let disclosure = ledger.disclosures(Seq::new(1), Seq::new(2)).await.expect_err("damaged");
        assert!(matches!(disclosure, ReadError::Damaged { .. }), "{disclosure}");
        ledger.tamper("DROP TRIGGER entry_is_never_deleted; DELETE FROM entry WHERE seq = 1").await.expect("deletes");
        let head = ledger.head().await.expect_err("damaged").to_string();
        assert!(head.contains("it is missing"), "{head}");
    }

    #[tokio::test]
    async fn sqlite_refuses_changes() {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = SqlLedger::<Sqlite>::open(folder.path().join("record.db")).await.expect("opens");
        refuses_changes(&ledger, &["INSERT OR REPLACE INTO entry SELECT seq, leaf_hash, 0, '', 'x', '' FROM entry"]).await;
    }
}
