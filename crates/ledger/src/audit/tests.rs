use std::path::Path;

use expect_test::expect_file;
use sqlx::Sqlite;

use super::looked::Raw;
use super::*;
use crate::Ledger as _;
use crate::batch::Batch;
use crate::disclosure::Disclosure;
use crate::entry::{EntryBody, Seq};
use crate::proof::{ConsistencyProof, TreeHead};
use crate::signer::{Signer, SigningKeys};
use crate::signing_key::SigningKey;
use crate::sql::SqlLedger;
use crate::subtrees::{Blocks, Subtrees};

/// Entries in the record that is tampered with.
const SIZE: u64 = 1_000;
/// Entries of one activation in it.
const LONG: u64 = 10;

fn origin() -> Origin {
    "alerts.example.org/kalamunda/1".parse().expect("a name")
}

fn keys() -> SigningKeys {
    SigningKeys { current: SigningKey::from_seed(origin(), &[7; 32]).expect("a key"), before: None }
}

/// An entry of a record in which activations of ten entries follow one another.
fn body(index: u64, twist: &str) -> EntryBody {
    let (act, aseq) = (index / LONG + 1, index % LONG);
    let more = match aseq {
        0 => format!(r#""ord":{act},"#),
        9 => format!(r#""count":{LONG},"#),
        _ => String::new(),
    };
    let (first, last) = if more.starts_with(r#""count"#) { (more, String::new()) } else { (String::new(), more) };
    let second = index % 60;
    let (hour, minute) = (index / 3600, index / 60 % 60);
    let text = format!(
        r#"{{"act":"KAL-{act}","aseq":{aseq},{first}"cust":"kalamunda","nonce":"{index:032x}",{last}"t":"2026-11-21T{hour:02}:{minute:02}:{second:02}.000000Z","twist":"{twist}","type":"tick","v":1}}"#
    );
    EntryBody::parse(text.as_bytes()).expect("an entry")
}

fn raw(index: u64, body: &EntryBody) -> Raw {
    let columns = body.columns();
    Raw {
        seq: i64::try_from(index).expect("small"),
        leaf: body.leaf_bytes().to_vec(),
        at_us: columns.at_us,
        stream: columns.stream.clone(),
        kind: columns.kind.clone(),
        cust: columns.cust.clone(),
        body: Some(body.bytes().to_vec()),
    }
}

/// Notes of a signer that saw the record grow to each of these sizes.
fn notes(folder: &Path, sizes: &[u64], body: impl Fn(u64) -> EntryBody) -> Vec<String> {
    notes_of(keys(), folder, sizes, body)
}

fn notes_of(keys: SigningKeys, folder: &Path, sizes: &[u64], body: impl Fn(u64) -> EntryBody) -> Vec<String> {
    let path = folder.join("checkpoints");
    drop(std::fs::remove_file(&path));
    Signer::create(&path).expect("made");
    let mut signer = Signer::open(&path, keys).expect("opens");
    let mut tree = Subtrees::new();
    let mut given = Vec::new();
    for size in sizes {
        tree.extend((tree.size()..*size).map(|index| body(index).leaf()));
        let older = signer.last().map_or(0, Checkpoint::size);
        let mut blocks = Blocks::default();
        for block in tree.needed(&[older, *size]) {
            blocks.insert(block, (block * 256..(block + 1) * 256).map(|index| body(index).leaf()).collect());
        }
        let proof = tree.consistency(older, *size, &blocks).unwrap_or(ConsistencyProof { path: Vec::new() });
        let TreeHead { size, root } = tree.head();
        given.push(signer.sign(TreeHead { size, root }, &proof).expect("signed").to_string());
    }
    given
}

fn witnessed(from: &str, outside: bool, notes: &[String]) -> Vec<Witnessed> {
    notes.iter().map(|note| Witnessed { from: from.to_owned(), outside, note: note.clone() }).collect()
}

fn faults(report: &Report) -> Vec<&Finding> {
    report.findings.iter().filter(|finding| finding.fault.severity() == Severity::Fault).collect()
}

/// Each byte of bytes, hash, place and columns of each of 1,000 entries, a bit of it flipped: found, and found at its place.
#[test]
fn every_byte_of_every_entry_is_watched() {
    let mut before = Audit::new(keys().public(), Vec::new());
    let mut flips = 0_u64;
    for index in 0..SIZE {
        let sound = raw(index, &body(index, ""));
        let mut flip = |tampered: Raw, what: &str| {
            let mut audit = before.clone();
            let moved = tampered.seq != sound.seq;
            audit.entry(Looked::at(tampered));
            let found = audit.findings.first().unwrap_or_else(|| panic!("entry {index}: {what} was not seen"));
            assert!(moved || found.places == (index..index + 1), "entry {index}: {what} was seen at {:?}", found.places);
            flips += 1;
        };
        let bit = |at: usize| 1_u8 << ((at + usize::try_from(index).expect("small")) % 8);
        let bytes = sound.body.clone().expect("bytes");
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= bit(at);
            flip(Raw { body: Some(changed), ..sound.clone() }, "a byte");
        }
        for at in 0..sound.leaf.len() {
            let mut leaf = sound.leaf.clone();
            leaf[at] ^= bit(at);
            flip(Raw { leaf, ..sound.clone() }, "the hash");
        }
        for shift in 0..63 {
            flip(Raw { seq: sound.seq ^ (1 << shift), ..sound.clone() }, "the place");
            flip(Raw { at_us: sound.at_us ^ (1 << shift), ..sound.clone() }, "at_us");
        }
        for column in ["stream", "kind", "cust"] {
            let pick = |raw: &mut Raw| {
                match column {
                    "stream" => &raw.stream,
                    "kind" => &raw.kind,
                    _ => &raw.cust,
                }
                .clone()
            };
            let text = pick(&mut sound.clone());
            for at in 0..text.len() {
                let mut changed = text.clone().into_bytes();
                changed[at] ^= 1 << (at % 7);
                let changed = String::from_utf8(changed).expect("seven bits");
                let mut tampered = sound.clone();
                match column {
                    "stream" => tampered.stream = changed,
                    "kind" => tampered.kind = changed,
                    _ => tampered.cust = changed,
                }
                flip(tampered, column);
            }
        }
        before.entry(Looked::at(sound));
        assert!(before.findings.is_empty(), "{:?}", before.findings);
    }
    assert!(flips > 300_000, "{flips}");
}

/// A record in a file, its signer's notes, and what somebody outside kept.
struct Record {
    ledger: SqlLedger<Sqlite>,
    folder: tempfile::TempDir,
    own: Vec<String>,
    outside: Vec<String>,
}

impl Record {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let ledger = SqlLedger::<Sqlite>::open(folder.path().join("cooee.db")).await.expect("opens");
        let mut batch = Batch::new(Seq::new(0));
        for index in 0..SIZE {
            let mut salt = [0; 16];
            salt[..8].copy_from_slice(&index.to_be_bytes());
            let disclosed = Disclosure::seal("P-1", salt, "name", "Dana").expect("sealed");
            batch.push(body(index, ""), vec![disclosed]);
        }
        ledger.append(&batch).await.expect("appended");
        let own = notes(folder.path(), &[100, 400, 700, SIZE], |index| body(index, ""));
        let outside = vec![own[1].clone()];
        Self { ledger, folder, own, outside }
    }

    async fn attack(&self, sql: &str) {
        let triggers = ["entry_is_never_changed", "entry_is_never_deleted", "entry_body_is_never_changed", "disclosure_is_never_changed"];
        let drops = triggers.map(|name| format!("DROP TRIGGER IF EXISTS {name}; ")).concat();
        let sql: &'static str = Box::leak(format!("PRAGMA ignore_check_constraints = on; {drops}{sql}").into_boxed_str());
        self.ledger.tamper(sql).await.expect("a superuser may do anything");
    }

    async fn audit(&self) -> Report {
        let mut checkpoints = witnessed("checkpoints", false, &self.own);
        checkpoints.extend(witnessed("outside", true, &self.outside));
        let mut audit = Audit::new(keys().public(), checkpoints);
        // As an auditor does: read alone, while the record is open.
        let read = SqlLedger::<Sqlite>::open_to_read(self.folder.path().join("cooee.db")).await.expect("opens to be read");
        read.audit(&mut audit).await;
        audit.finish()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().concat()
}

/// The statements that put another body at a place, with a hash that fits.
fn rewritten(index: u64) -> String {
    let forged = body(index, "forged");
    format!(
        "UPDATE entry_body SET body = x'{}' WHERE seq = {index}; UPDATE entry SET leaf_hash = x'{}' WHERE seq = {index}; ",
        hex(forged.bytes()),
        hex(forged.leaf_bytes())
    )
}

/// A record that is longer than what is read at once: a fault is found on whichever page it lies, and none where there is none.
#[tokio::test]
async fn a_record_of_several_pages_is_audited_to_its_end() {
    let record = Record::new().await;
    let mut batch = Batch::new(Seq::new(SIZE));
    for index in SIZE..2 * SIZE + 100 {
        batch.push(body(index, ""), Vec::new());
    }
    record.ledger.append(&batch).await.expect("appended");
    let sound = record.audit().await;
    assert!(sound.is_sound(), "{:?}", sound.findings);
    assert_eq!(sound.size, 2 * SIZE + 100);
    record.attack(&format!("DELETE FROM entry_body WHERE seq = {0}; DELETE FROM entry WHERE seq = {0}", SIZE + 1)).await;
    record.attack(&format!("UPDATE entry SET kind = 'other' WHERE seq = {}", 2 * SIZE + 50)).await;
    record.attack("INSERT INTO disclosure (digest, seq, subject, bytes) SELECT x'aa', 90000, subject, bytes FROM disclosure LIMIT 1").await;
    let found = record.audit().await.findings;
    let named = |is: &dyn Fn(&Finding) -> bool| found.iter().filter(|finding| is(finding)).count();
    assert_eq!(named(&|f| matches!(f.fault, Fault::Missing) && f.places == (SIZE + 1..SIZE + 2)), 1, "{found:?}");
    assert_eq!(named(&|f| matches!(f.fault, Fault::Column { column: "kind" }) && f.places.start == 2 * SIZE + 50), 1, "{found:?}");
    assert_eq!(named(&|f| matches!(f.fault, Fault::Disclosure) && f.places.start == 90_000), 1, "{found:?}");
}

const RENUMBER: &str = "UPDATE entry SET seq = -seq - 1 WHERE seq > 500; UPDATE entry SET seq = -seq - 2 WHERE seq < 0; \
    UPDATE entry_body SET seq = -seq - 1 WHERE seq > 500; UPDATE entry_body SET seq = -seq - 2 WHERE seq < 0";

/// Whatever a superuser of the database does to 1,000 entries, said by name and place, and printed for the documentation.
#[tokio::test]
async fn what_a_superuser_does_is_found_located_and_named() {
    let swap = |table: &str| {
        format!(
            "UPDATE {table} SET seq = -1 WHERE seq = 501; UPDATE {table} SET seq = 501 WHERE seq = 502; UPDATE {table} SET seq = 502 WHERE seq = -1; "
        )
    };
    let insert = "UPDATE entry SET seq = -seq - 2 WHERE seq >= 500; UPDATE entry SET seq = -seq - 1 WHERE seq < 0; \
        UPDATE entry_body SET seq = -seq - 2 WHERE seq >= 500; UPDATE entry_body SET seq = -seq - 1 WHERE seq < 0; ";
    let forged = body(500, "forged");
    let columns = forged.columns();
    let inserted = format!(
        "{insert}INSERT INTO entry VALUES (500, x'{}', {}, '{}', '{}', '{}'); INSERT INTO entry_body VALUES (500, x'{}')",
        hex(forged.leaf_bytes()),
        columns.at_us,
        columns.stream,
        columns.kind,
        columns.cust,
        hex(forged.bytes())
    );
    let everything: String = (0..SIZE).map(rewritten).collect();
    let attacks: Vec<(&str, String, &str)> = vec![
        (
            "a byte of an entry is changed",
            "UPDATE entry_body SET body = CAST(replace(CAST(body AS TEXT), '\"v\":1', '\"v\":2') AS BLOB) WHERE seq = 500".into(),
            "altered 500..501",
        ),
        ("a stored hash is changed", "UPDATE entry SET leaf_hash = zeroblob(32) WHERE seq = 500".into(), "altered 500..501"),
        ("a column is changed", "UPDATE entry SET cust = 'swan' WHERE seq = 500".into(), "column 500..501"),
        ("an entry is deleted", "DELETE FROM entry WHERE seq = 500; DELETE FROM entry_body WHERE seq = 500".into(), "missing 500..501"),
        (
            "an entry is deleted and the rest renumbered",
            format!("DELETE FROM entry WHERE seq = 500; DELETE FROM entry_body WHERE seq = 500; {RENUMBER}"),
            "rewritten 400..700",
        ),
        ("two entries change places", swap("entry") + &swap("entry_body"), "rewritten 400..700"),
        ("an entry is inserted and the rest renumbered", inserted, "rewritten 400..700"),
        ("an entry is rewritten with its hash", rewritten(500), "rewritten 400..700"),
        ("every entry is rewritten with its hash", everything, "rewritten 0..100"),
        (
            "the last hundred entries are cut off",
            "DELETE FROM entry WHERE seq >= 900; DELETE FROM entry_body WHERE seq >= 900; DELETE FROM disclosure WHERE seq >= 900".into(),
            "truncated 900..1000",
        ),
        ("a private value is exchanged", "UPDATE disclosure SET bytes = x'5b5d' WHERE seq = 500".into(), "disclosure 500..501"),
        ("a private value is erased", "DELETE FROM disclosure WHERE seq = 500".into(), ""),
        ("the bytes of an entry are deleted when their time has come", "DELETE FROM entry_body WHERE seq = 500".into(), ""),
    ];
    let mut table = String::from("| What was done | What `cooee verify` says of it | Where |\n|---|---|---|\n");
    for (what, sql, expected) in attacks {
        let record = Record::new().await;
        assert!(record.audit().await.is_sound());
        record.attack(&sql).await;
        let report = record.audit().await;
        let said: Vec<String> =
            faults(&report).iter().map(|f| format!("{} {}..{}", f.fault.name(), f.places.start, f.places.end)).collect();
        let found = said.iter().any(|one| one == expected);
        assert!(found || (expected.is_empty() && said.is_empty()), "{what}: {said:?}");
        table.push_str(&row(what, &report, expected));
    }
    // The one who holds database, notes and key.
    let mut record = Record::new().await;
    record.attack(&(0..SIZE).map(rewritten).collect::<String>()).await;
    record.own = notes(record.folder.path(), &[100, 400, 700, SIZE], |index| body(index, "forged"));
    let report = record.audit().await;
    let said: Vec<&str> = faults(&report).iter().map(|finding| finding.fault.name()).collect();
    assert_eq!(said, ["equivocation", "rewritten"]);
    table.push_str(&row(
        "everything is rewritten and signed anew with the stolen key, and one checkpoint lies outside",
        &report,
        "equivocation",
    ));
    record.outside.clear();
    let report = record.audit().await;
    assert!(report.is_sound() && report.newest_outside.is_none());
    table.push_str(&row("the same, and no checkpoint lies outside", &report, ""));
    let mut record = Record::new().await;
    record
        .attack("DELETE FROM entry WHERE seq >= 900; DELETE FROM entry_body WHERE seq >= 900; DELETE FROM disclosure WHERE seq >= 900")
        .await;
    record.own.pop();
    let report = record.audit().await;
    assert!(report.is_sound() && report.newest_outside == Some(400));
    table.push_str(&row("the tail is cut off, of the notes too, and the newest checkpoint outside is older", &report, ""));
    record.outside = notes(record.folder.path(), &[SIZE], |index| body(index, ""));
    let report = record.audit().await;
    assert_eq!(faults(&report).iter().map(|finding| finding.fault.name()).collect::<Vec<_>>(), ["truncated"]);
    table.push_str(&row("the same, and the newest checkpoint outside is of before", &report, "truncated"));
    let page = include_str!("../../../../docs/src/reference/tampering.md");
    let head = page.split_once("| What was done").map_or(page, |(head, _)| head);
    expect_file!["../../../../docs/src/reference/tampering.md"].assert_eq(&format!("{head}{table}"));
}

/// A line of the table: what is said first that was expected, or what must be known where nothing is wrong.
fn row(what: &str, report: &Report, expected: &str) -> String {
    let name = expected.split(' ').next().unwrap_or_default();
    let shown = report.findings.iter().find(|finding| finding.fault.name() == name);
    let (said, place) = match shown {
        Some(finding) => (finding.fault.name().to_owned(), range(finding)),
        None => match report.findings.iter().find(|finding| finding.fault == Fault::NothingOutside) {
            Some(finding) => ("nothing wrong; known: nothing_outside".to_owned(), range(finding)),
            None => ("nothing wrong".to_owned(), String::new()),
        },
    };
    format!("| {what} | {said} | {place} |\n")
}

fn range(finding: &Finding) -> String {
    match finding.places.end.saturating_sub(finding.places.start) {
        0 => String::new(),
        1 => format!("entry {}", finding.places.start),
        _ => format!("entries {} to {}", finding.places.start, finding.places.end - 1),
    }
}

#[test]
fn a_withheld_entry_of_an_activation_shows_in_its_count() {
    let mut audit = Audit::new(keys().public(), Vec::new());
    for (place, index) in [0, 1, 2, 4, 5, 6, 7, 8, 9, 10].into_iter().enumerate() {
        let kept = body(index, "");
        audit.entry(Looked::at(Raw { seq: i64::try_from(place).expect("small"), ..raw(index, &kept) }));
    }
    let report = audit.finish();
    let said: Vec<_> = faults(&report).into_iter().map(|finding| (&finding.fault, finding.places.clone())).collect();
    assert_eq!(said, [(&Fault::Sequence { act: "KAL-1".to_owned(), expected: 3, found: 4 }, 3..4)]);
}

#[test]
fn a_restore_that_a_new_name_tells_of_is_known_and_one_that_nobody_tells_of_is_a_fault() {
    let folder = tempfile::tempdir().expect("a folder");
    let old = notes(folder.path(), &[5, 9], |index| body(index, ""));
    let succeeds = serde_json::json!({"type": "record.signed_by", "t": "2026-11-22T00:00:00.000000Z", "v": 1, "succeeds": old[1]});
    let succeeds = EntryBody::write(&succeeds).expect("an entry");
    for told in [true, false] {
        let mut audit = Audit::new(keys().public(), witnessed("checkpoints", false, &old));
        (0..6).for_each(|index| audit.entry(Looked::at(raw(index, &body(index, "")))));
        if told {
            audit.entry(Looked::at(raw(6, &succeeds)));
        }
        let report = audit.finish();
        assert_eq!(report.is_sound(), told, "{:?}", report.findings);
        let name = if told { "succeeded" } else { "truncated" };
        assert!(report.findings.iter().any(|finding| finding.fault.name() == name), "{:?}", report.findings);
    }
}

/// What was lost stays known however long the record grows under its new name, and what both histories share must still hold.
#[test]
fn a_record_that_has_outgrown_what_it_lost_is_not_called_rewritten() {
    let folder = tempfile::tempdir().expect("a folder");
    let old = notes(folder.path(), &[5, 9], |index| body(index, ""));
    let later = || SigningKey::from_seed("alerts.example.org/2".parse().expect("a name"), &[8; 32]).expect("a key");
    for (succeeded, changed, sound) in [(&old[0], None, true), (&old[1], None, true), (&old[0], Some(2), false)] {
        let succeeds = serde_json::json!({"type": "record.signed_by", "t": "2026-11-22T00:00:00.000000Z", "v": 1, "succeeds": succeeded});
        let succeeds = EntryBody::write(&succeeds).expect("an entry");
        let grown = |index: u64| match index {
            6 => succeeds.clone(),
            _ => body(index, if index > 6 || Some(index) == changed { "later" } else { "" }),
        };
        let path = tempfile::tempdir().expect("a folder");
        let new = notes_of(SigningKeys { current: later(), before: None }, path.path(), &[12], grown);
        let mut kept = witnessed("outside", true, &old);
        kept.extend(witnessed("checkpoints", false, &new));
        let mut audit = Audit::new(vec![keys().public().remove(0), later().public().clone()], kept);
        (0..12).for_each(|index| audit.entry(Looked::at(raw(index, &grown(index)))));
        let report = audit.finish();
        let names: Vec<_> = report.findings.iter().map(|finding| finding.fault.name()).collect();
        assert_eq!((names.contains(&"succeeded"), !names.contains(&"rewritten")), (true, sound), "{:?}", report.findings);
    }
}

#[test]
fn a_checkpoint_that_proves_nothing_is_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let note = &notes(folder.path(), &[3], |index| body(index, ""))[0];
    let altered = note.replace("\n3\n", "\n2\n");
    let report = Audit::new(keys().public(), witnessed("mail", true, &[altered])).finish();
    assert!(matches!(faults(&report)[..], [Finding { fault: Fault::NotACheckpoint { .. }, .. }]), "{:?}", report.findings);
    let other = SigningKey::from_seed("elsewhere/1".parse().expect("a name"), &[9; 32]).expect("a key");
    let report = Audit::new(vec![other.public().clone()], witnessed("mail", true, std::slice::from_ref(note))).finish();
    assert!(report.is_sound() && report.findings.iter().any(|finding| matches!(finding.fault, Fault::KeyUnknown { .. })));
}

/// What somebody has on paper needs no key, and covers as a checkpoint from outside does.
#[test]
fn a_root_on_paper_is_compared_without_a_key() {
    let of = |size: u64, twist: &'static str| {
        let mut tree = Frontier::new();
        tree.extend((0..size).map(|index| body(index, twist).leaf()));
        let root = crate::checkpoint::text(&origin(), &TreeHead { size, root: tree.root() });
        root.parse::<Paper>().expect("a paper")
    };
    let audited = |keys: Vec<VerifyKey>, papers: &[(&str, Paper)], entries: u64| {
        let mut audit = Audit::new(keys, Vec::new());
        for (from, paper) in papers {
            audit.paper((*from).to_owned(), paper.clone());
        }
        (0..entries).for_each(|index| audit.entry(Looked::at(raw(index, &body(index, "")))));
        audit.finish()
    };
    let found = |report: &Report| faults(report).iter().map(|finding| (finding.fault.name(), finding.places.clone())).collect::<Vec<_>>();
    let sound = audited(Vec::new(), &[("the report", of(12, "")), ("nothing", of(0, ""))], 20);
    assert_eq!((found(&sound), sound.newest, sound.newest_outside, sound.holding), (vec![], None, Some(12), 2));
    let uncovered: Vec<_> = sound.findings.iter().map(|finding| (finding.fault.name(), finding.places.clone())).collect();
    assert_eq!(uncovered, [("nothing_outside", 12..20)], "beyond the paper nothing covers it");
    // Another record's, or that of this one before it was made anew.
    let differing = audited(keys().public(), &[("early", of(5, "")), ("the report", of(12, "other"))], 20);
    assert_eq!(found(&differing), [("paper_differs", 5..12)]);
    assert_eq!(faults(&differing)[0].since.as_deref(), Some("2026-11-21T00:00:04.000000Z"), "the last entry that a paper covers and holds");
    assert!(!differing.is_sound());
    let cut = audited(Vec::new(), &[("the report", of(30, ""))], 20);
    assert_eq!((found(&cut), faults(&cut)[0].since.clone()), (vec![("paper_differs", 0..30)], None));
}
