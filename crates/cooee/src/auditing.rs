//! Looking at a whole record against checkpoints, and saying what was found. Reads and changes nothing.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use ledger::{AnyLedger, Audit, AuditReport, Paper, Severity, VerifyKey, Witnessed, notes};
use serde_json::json;

use crate::terminal;

/// What is looked at, and against what.
pub(crate) struct Subject {
    /// The record's address.
    pub(crate) url: String,
    /// Where a relative address begins.
    pub(crate) folder: PathBuf,
    /// The signer's own notes, where there are any.
    pub(crate) notes: Option<PathBuf>,
    /// Files of checkpoints that were kept where the operator could not reach them.
    pub(crate) outside: Vec<PathBuf>,
    /// Files with what stands on paper of a checkpoint.
    pub(crate) papers: Vec<PathBuf>,
    /// The public keys; none for those that the record itself names.
    pub(crate) keys: Vec<VerifyKey>,
}

/// How far the keys can be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// They were given by whoever verifies.
    Given,
    /// They stand in the record itself, so that whoever forged it could have put in others.
    FromTheRecord,
    /// There is none.
    None,
}

impl Subject {
    /// The record in this file, with the signer's notes beside it where there are any.
    pub(crate) fn file(database: &Path) -> anyhow::Result<Self> {
        let folder = database.parent().unwrap_or(Path::new("."));
        let name = database.file_name().and_then(|name| name.to_str()).context("the database's name is no text")?;
        let notes = folder.join(crate::signing::NOTES);
        Ok(Self {
            url: format!("sqlite:{name}"),
            folder: folder.to_owned(),
            notes: notes.exists().then_some(notes),
            outside: Vec::new(),
            papers: Vec::new(),
            keys: Vec::new(),
        })
    }

    /// Looks at everything.
    pub(crate) async fn look(&self) -> anyhow::Result<(AuditReport, Keys)> {
        // Read first: the record only grows, so that it is at least as long as what was signed before.
        let mut checkpoints = Vec::new();
        let own = self.notes.iter().map(|path| (path, false));
        for (path, outside) in own.chain(self.outside.iter().map(|path| (path, true))) {
            let from = path.display().to_string();
            let text = std::fs::read_to_string(path).with_context(|| format!("read {from}"))?;
            let (whole, rest) = notes(&text);
            ensure!(!outside || (rest.is_empty() && !whole.is_empty()), "{from} holds no whole checkpoint; take the file as it was sent");
            checkpoints.extend(whole.into_iter().map(|note| Witnessed { from: from.clone(), outside, note: note.to_owned() }));
        }
        let papers = self.papers.iter().map(|path| read_paper(path)).collect::<anyhow::Result<Vec<_>>>()?;
        let record = AnyLedger::open_to_read(&self.url, &self.folder).await.context("open the record")?;
        let (keys, trusted) = match self.keys.as_slice() {
            [] => {
                let keys = record.signing_keys().await;
                let trusted = if keys.is_empty() { Keys::None } else { Keys::FromTheRecord };
                (keys, trusted)
            }
            given => (given.to_vec(), Keys::Given),
        };
        let mut audit = Audit::new(keys, checkpoints);
        for (from, paper) in papers {
            audit.paper(from, paper);
        }
        record.audit(&mut audit).await;
        Ok((audit.finish(), trusted))
    }
}

/// What stands on paper, and the file that it was written into.
fn read_paper(path: &Path) -> anyhow::Result<(String, Paper)> {
    let from = path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(|| format!("read {from}"))?;
    let paper = text.parse().with_context(|| format!("read {from}; scan the code of the report again, or copy the lines as they stand"))?;
    Ok((from, paper))
}

/// The findings and how far the record is covered, for people. Ends without a verdict.
pub(crate) fn as_text(report: &AuditReport, keys: Keys) -> String {
    let mut text = String::new();
    let wrong = |severity| report.findings.iter().filter(move |finding| finding.fault.severity() == severity);
    for (mark, severity) in [("WRONG", Severity::Fault), ("known", Severity::Known)] {
        for finding in wrong(severity) {
            let _written = writeln!(text, "{mark}  {}", terminal::plain(&finding.to_string()));
        }
    }
    match keys {
        Keys::Given => {}
        Keys::FromTheRecord => text.push_str(
            "known  the keys were taken from the record itself: whoever forged it could have put in others; give the printed one with  --key\n",
        ),
        Keys::None => text.push_str("known  nothing was signed, or no key was given: only that the record fits together was looked at\n"),
    }
    let _written = writeln!(text, "{} entries, root {}", report.size, report.root.digest());
    if let (Some(first), Some(last)) = (&report.first_at, &report.last_at) {
        let _written = writeln!(text, "from {} to {}", terminal::plain(first), terminal::plain(last));
    }
    if report.gone > 0 {
        let _written = writeln!(text, "the bytes of {} entries are gone, their hashes are there", report.gone);
    }
    let covered = |size: Option<u64>| size.map_or("none".to_owned(), |size| format!("the first {size} entries"));
    let _written = writeln!(
        text,
        "{} checkpoints hold; signed: {}; covered from outside: {}",
        report.holding,
        covered(report.newest),
        covered(report.newest_outside)
    );
    text
}

/// The same for programs.
pub(crate) fn as_json(report: &AuditReport, keys: Keys) -> serde_json::Value {
    let findings: Vec<_> = report
        .findings
        .iter()
        .map(|finding| {
            json!({
                "what": finding.fault.name(),
                "wrong": finding.fault.severity() == Severity::Fault,
                "from": finding.places.start,
                "to": finding.places.end,
                "after": finding.since,
                "words": finding.to_string(),
            })
        })
        .collect();
    json!({
        "sound": report.is_sound(),
        "size": report.size,
        "root": report.root.digest().to_string(),
        "first_at": report.first_at,
        "last_at": report.last_at,
        "bodies_gone": report.gone,
        "checkpoints_holding": report.holding,
        "signed_to": report.newest,
        "covered_from_outside_to": report.newest_outside,
        "keys": match keys { Keys::Given => "given", Keys::FromTheRecord => "from_the_record", Keys::None => "none" },
        "findings": findings,
    })
}
