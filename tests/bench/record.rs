//! The record when it is long: what an append, a checkpoint, a start, an audit and a bundle cost.
//!
//! An append is held against the least that makes the same bytes as durable: one insertion and one commit. A start and an
//! audit are held against reading and hashing the same entries, which no verifier can spare.

use std::path::Path;
use std::time::Duration;

use escalation::id::ActivationId;
use harness::Daemon;
use harness::folder::Folder;
use ledger::{
    BLOCK, Batch, Blocks, ConsistencyProof, LeafHash, Ledger as _, Origin, Seq, Signer, SigningKey, SigningKeys, SqlLedger, Sqlite,
    Subtrees,
};
use reqwest::Method;
use ring::digest::{Context, SHA256};
use rusqlite::{Connection, OpenFlags};
use serde_json::json;
use tokio::time::Instant;

use crate::Plan;
use crate::directory;
use crate::figures::{ms, percentile};
use crate::floor;
use crate::history::{self, History, Pen};
use crate::table::{Table, Target, say};
use crate::usage;

/// The name under which the bench signs.
const ORIGIN: &str = "bench.example.org/record/1";
/// Leaves that a checkpoint adds: what one call writes from its press to its end.
const LEAVES: usize = 12;
/// Checkpoints over the long record.
const CHECKPOINTS: usize = 200;
/// Leaf hashes read at once.
const PAGE: u32 = 4_096;
/// [`BLOCK`], as the length of a list.
const BLOCK_LEN: usize = 256;
/// How often a start, an audit and a bundle are taken.
const TIMES: usize = 3;

/// Writes the lines.
pub(crate) async fn measure(plan: &Plan, table: &mut Table) {
    append(plan, table).await;
    let daemon = Daemon::plan_on_disk(&directory::of(history::TOGETHER)).listener().prepare();
    must(&daemon, &["record", "new", "--origin", ORIGIN]);
    let began = Instant::now();
    let written = history::write(&daemon.data_dir(), plan.entries).await;
    say(&format!("a record of {} entries in {} calls was written in {:.0?}", written.entries, written.calls, began.elapsed()));
    checkpoints(&daemon.data_dir(), table).await;
    long(daemon, &written, table).await;
}

/// Decided, sealed, hashed and committed, and beside it the same number of bytes inserted and committed.
async fn append(plan: &Plan, table: &mut Table) {
    let mut pairs = Vec::new();
    for _run in 0..plan.runs {
        let (ours, bare) = (Folder::new("append"), Folder::new("insert"));
        let mut pen = Pen::open(ours.path(), plan.single).await;
        let mut least = Least::open(bare.path());
        let (mut took, mut floor) = (Vec::new(), Vec::new());
        for key in 0..plan.single {
            let start = Instant::now();
            let batch = pen.press(key);
            pen.keep(&batch).await;
            took.push(start.elapsed());
            let bytes = vec![0_u8; bytes_of(&batch)];
            let start = Instant::now();
            least.keep(&bytes);
            floor.push(start.elapsed());
        }
        pairs.push((ms(percentile(&floor, 50)), ms(percentile(&took, 50))));
    }
    table.ratio("append of a press p50", "ms", &pairs, Target::AtMost(1.5));
}

/// Bytes that a batch makes durable, without what its indexes and its listing add.
fn bytes_of(batch: &Batch) -> usize {
    let sealed = batch.entries().iter().flat_map(|sealed| &sealed.disclosures).map(|disclosure| disclosure.bytes().len() + 32);
    let bodies = batch.entries().iter().map(|sealed| sealed.body.bytes().len() + 32);
    sealed.chain(bodies).sum()
}

/// The least: a table of bytes, as durable as the record.
struct Least(Connection);

impl Least {
    fn open(folder: &Path) -> Self {
        Self(floor::open(&folder.join("least.db")))
    }

    fn keep(&mut self, bytes: &[u8]) {
        let inserting = self.0.transaction().expect("begin");
        inserting.prepare_cached("INSERT INTO press (bytes) VALUES (?1)").expect("prepare").execute([bytes]).expect("insert");
        inserting.commit().expect("commit");
    }
}

/// From new leaves to a signed note over all entries. The note's file is in memory: no disk is in the figure, and neither is the
/// reading of leaves from the record.
async fn checkpoints(data: &Path, table: &mut Table) {
    let ledger = SqlLedger::<Sqlite>::open_to_read(data.join("cooee.db")).await.expect("open the record");
    let mut leaves: Vec<LeafHash> = Vec::new();
    loop {
        let from = Seq::new(u64::try_from(leaves.len()).expect("a number"));
        let page = ledger.leaves(from, PAGE).await.expect("read the leaves");
        if page.is_empty() {
            break;
        }
        leaves.extend(page);
    }
    let (before, after) = leaves.split_at(leaves.len().saturating_sub(LEAVES * CHECKPOINTS));
    let mut tree = Subtrees::new();
    tree.extend(before.iter().copied());
    let folder = Folder::in_memory("signer");
    let notes = folder.path().join("notes");
    Signer::create(&notes).expect("make the notes");
    let current = SigningKey::from_seed(ORIGIN.parse::<Origin>().expect("an origin"), &[5; 32]).expect("a key");
    let mut signer = Signer::open(&notes, SigningKeys { current, before: None }).expect("open the notes");
    signer.sign(tree.head(), &ConsistencyProof::default()).expect("sign");
    let mut took = Vec::new();
    for some in after.chunks(LEAVES) {
        let older = tree.size();
        let start = Instant::now();
        tree.extend(some.iter().copied());
        let mut blocks = Blocks::default();
        for block in tree.needed(&[older, tree.size()]) {
            let first = usize::try_from(block * BLOCK).expect("fits memory");
            blocks.insert(block, leaves.iter().skip(first).take(BLOCK_LEN).copied().collect());
        }
        let proof = tree.consistency(older, tree.size(), &blocks).expect("prove");
        signer.sign(tree.head(), &proof).expect("sign");
        took.push(start.elapsed());
    }
    let p50 = ms(percentile(&took, 50)) * 1e3;
    table.alone("checkpoint p50, without the disk", "us", &[p50], Target::AtMost(100.0));
}

/// A start, its memory, an audit and bundles, on the long record.
async fn long(mut daemon: Daemon, written: &History, table: &mut Table) {
    let file = daemon.data_dir().join("cooee.db");
    let (mut starts, mut audits, mut bundles, mut rss) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for _time in 0..TIMES {
        let floor = hashed(&file);
        let start = Instant::now();
        daemon.start_again().await;
        starts.push((floor.as_secs_f64(), start.elapsed().as_secs_f64()));
        rss.push(f64::from(usage::rss_anon_kib(daemon.pid())) / 1024.0);
        bundles.push(ms(bundle(&daemon, &written.one).await));
        daemon.stop().await;
        let floor = hashed(&file);
        let start = Instant::now();
        must(&daemon, &["verify"]);
        audits.push((floor.as_secs_f64(), start.elapsed().as_secs_f64()));
    }
    let entries = written.entries;
    let seconds = |pairs: &[(f64, f64)]| pairs.iter().map(|(_floor, cooee)| *cooee).collect::<Vec<_>>();
    table.ratio(&format!("start on {entries} entries"), "s", &starts, Target::None);
    table.alone("... until it is ready", "s", &seconds(&starts), Target::AtMost(3.0));
    table.alone("... RssAnon then", "MiB", &rss, Target::None);
    table.ratio(&format!("verify of {entries} entries"), "s", &audits, Target::None);
    table.alone("... with its reading of the tree and keys", "s", &seconds(&audits), Target::AtMost(3.0));
    table.alone(&format!("bundle of one call of {}", written.calls), "ms", &bundles, Target::AtMost(1e3));
}

/// Reads every entry and hashes it, and does nothing else: how long.
fn hashed(file: &Path) -> Duration {
    let start = Instant::now();
    let record = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("open the record");
    let sql = "SELECT e.leaf_hash, b.body FROM entry e JOIN entry_body b ON b.seq = e.seq ORDER BY e.seq";
    let mut select = record.prepare(sql).expect("ask for the entries");
    let mut rows = select.query([]).expect("read the entries");
    while let Some(row) = rows.next().expect("read an entry") {
        let (leaf, body) = (row.get_ref(0).expect("a hash"), row.get_ref(1).expect("bytes"));
        let mut hash = Context::new(&SHA256);
        hash.update(&[0]);
        hash.update(body.as_blob().expect("bytes"));
        assert_eq!(hash.finish().as_ref(), leaf.as_blob().expect("a hash"), "an entry has another hash");
    }
    start.elapsed()
}

/// Asks the running station for an evidence bundle: how long until all of it was there.
async fn bundle(daemon: &Daemon, call: &ActivationId) -> Duration {
    let path = format!("/api/v1/activations/{call}/export");
    let start = Instant::now();
    let asked = daemon.api().request(Method::POST, &path).json(&json!({"for": "police"}));
    let answer = asked.send().await.expect("an answer");
    let status = answer.status();
    let zip = answer.bytes().await.expect("all of it");
    let took = start.elapsed();
    assert!(status.is_success() && zip.starts_with(b"PK"), "no bundle of {call}: {status}");
    took
}

fn must(daemon: &Daemon, arguments: &[&str]) {
    let ran = daemon.run(arguments);
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "cooee {}: {out}{err}", arguments.join(" "));
}
