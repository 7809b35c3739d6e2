//! `cooee verify BUNDLE`: whether an evidence bundle is what was handed out. Needs nothing but the file and, to prove anything, a key.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ledger::{BundleReport, Outside, Stamped, verify_bundle};
use serde_json::{Value, json};

use crate::cli::Verify;
use crate::terminal;

const OWN_KEY: &str = "NOT PROVEN  no key was given, and the one in the bundle was put there by whoever made it: anybody can make such a bundle\n  \
     give the key from paper with  --key; this bundle brings";
const OPEN: &str =
    "NOT COMPLETE  none of its entries closes the activation, or it was opened again: later entries may exist that are not in it";
const CLOSED: &str = "known  an entry closes the activation; what was recorded after the last entry is not in it";
const NOBODY: &str = "NOT ANCHORED  nobody outside is named who was given a checkpoint that covers all of it up to its closing; a time stamp is no such, before it is verified";
const COMPARE: &str = "known  only the record says that this zip was handed out: compare its SHA-256 with the entry bundle.exported";

/// How it ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    /// Everything holds under a key that whoever verifies has brought.
    Sound,
    /// It fits together, under a key that it brings itself.
    Unproven,
    /// Something is wrong.
    Wrong,
}

impl Verdict {
    fn of(report: &BundleReport, given: bool) -> Self {
        match (report.is_sound(), given) {
            (true, true) => Self::Sound,
            (true, false) => Self::Unproven,
            (false, _) => Self::Wrong,
        }
    }

    const fn word(self) -> &'static str {
        match self {
            Self::Sound => "sound",
            Self::Unproven => "unproven",
            Self::Wrong => "wrong",
        }
    }

    const fn words(self) -> &'static str {
        match self {
            Self::Sound => "nothing is wrong with this bundle",
            Self::Unproven => "NOT PROVEN: its parts fit together, and nothing says who made them",
            Self::Wrong => "this bundle is not what was handed out",
        }
    }

    fn code(self) -> ExitCode {
        match self {
            Self::Sound => ExitCode::SUCCESS,
            Self::Wrong => ExitCode::from(1),
            Self::Unproven => ExitCode::from(2),
        }
    }
}

/// Looks at everything, and prints what was found.
pub(super) fn run(path: &Path, arguments: &Verify) -> anyhow::Result<ExitCode> {
    let bytes = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    let report = verify_bundle(&bytes, &arguments.keys);
    let given = !arguments.keys.is_empty();
    let verdict = Verdict::of(&report, given);
    let shown = if arguments.json { format!("{}\n", terminal::json(&as_json(&report, given, verdict))) } else { as_text(&report, verdict) };
    std::io::stdout().write_all(shown.as_bytes()).context("print what was found")?;
    Ok(verdict.code())
}

/// For people. Whatever the bundle says is shown without what would do something to a terminal.
fn as_text(report: &BundleReport, verdict: Verdict) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let _written = writeln!(text, "WRONG  {}", terminal::plain(&finding.to_string()));
    }
    for (label, value) in &report.info {
        let _written = writeln!(text, "{}: {}", terminal::plain(label), terminal::plain(value));
    }
    if let Some(checkpoint) = &report.checkpoint {
        let (size, origin, root) = (checkpoint.size(), checkpoint.origin().to_string(), checkpoint.root());
        let _written = writeln!(text, "the first {size} entries of {} were signed, with root {}", terminal::plain(&origin), root.digest());
    }
    if let Some(digest) = &report.digest {
        let _written = writeln!(text, "SHA-256 {digest}\n{COMPARE}");
    }
    for outside in &report.outside {
        let _written = writeln!(text, "{}", placed_in_words(outside));
    }
    if !report.anchored {
        let _written = writeln!(text, "{NOBODY}");
    }
    let BundleReport { proven, values, withheld, closed, .. } = report;
    let _written = writeln!(
        text,
        "{proven} entries are proven; {values} private values belong to them; {withheld} entries and values are named as withheld\n{}",
        if *closed { CLOSED } else { OPEN }
    );
    if verdict == Verdict::Unproven {
        let keys: Vec<String> = report.keys.iter().map(|key| terminal::plain(&key.to_string())).collect();
        let _written = writeln!(text, "{OWN_KEY} {}", keys.join(" "));
    }
    let _written = writeln!(text, "{}", verdict.words());
    text
}

/// A place outside, and what a time stamp says that it gave.
fn placed_in_words(outside: &Outside) -> String {
    let (to, at, size) = (terminal::plain(&outside.to), terminal::plain(&outside.recorded_at), outside.size);
    // An authority keeps nothing that could be asked for.
    let (did, ask) = if outside.is_stamp() { ("was asked to stamp", "") } else { ("was given", ": ask for theirs") };
    let root = STANDARD.encode(outside.root.as_bytes());
    let mut words = format!("outside  the record says that {to} {did} the first {size} entries, recorded at {at}{ask}; its root is {root}");
    if let Some(stamped) = &outside.stamp {
        words.push('\n');
        words.push_str(&stamp(&to, stamped));
    }
    if outside.lacks_stamp {
        let _written = write!(words, "\nNOT CHECKED  entry {} has a time stamp that is not in this bundle", outside.entry);
    }
    words
}

/// What a time stamp says, and how whoever has the authority's certificates verifies it: that is not done here.
fn stamp(to: &str, stamped: &Stamped) -> String {
    let Stamped { stamp, file, note } = stamped;
    let (at, serial) = (stamp.at, &stamp.serial);
    format!(
        "NOT CHECKED  that an authority signed the time stamp of {to}, which says {at} and has the serial number {serial}; it is of that checkpoint\n  \
         with the certificates of its root and of those between  openssl ts -verify -data {note} -in {file} -CAfile AUTHORITY.pem  checks it"
    )
}

/// A place outside that was given a checkpoint or asked to stamp one.
fn placed(outside: &Outside) -> Value {
    let Outside { to, entry, recorded_at, origin, size, root, receipt, stamp, lacks_stamp } = outside;
    let stamp = stamp.as_ref().map(|Stamped { stamp, file, note }| {
        json!({ "at": stamp.at.to_string(), "serial": stamp.serial, "file": file, "of": note, "signature": "not_checked" })
    });
    json!({
        "anchor": to, "entry": entry, "recorded_at": recorded_at, "origin": origin, "size": size, "root": STANDARD.encode(root.as_bytes()),
        "receipt": receipt, "stamp": stamp, "lacks_stamp": lacks_stamp,
    })
}

/// For programs. `sound` is true only where everything holds under a key that was given.
fn as_json(report: &BundleReport, given: bool, verdict: Verdict) -> Value {
    let findings =
        report.findings.iter().map(|finding| json!({ "file": finding.file, "what": finding.fault.name(), "words": finding.to_string() }));
    let info = report.info.iter().map(|(label, value)| (label.clone(), json!(value)));
    json!({
        "verdict": verdict.word(),
        "sound": verdict == Verdict::Sound,
        "activation": report.name,
        "sha256": report.digest.as_ref().map(ToString::to_string),
        "said": info.collect::<serde_json::Map<_, _>>(),
        "origin": report.checkpoint.as_ref().map(|checkpoint| checkpoint.origin().to_string()),
        "size": report.checkpoint.as_ref().map(ledger::Checkpoint::size),
        "root": report.checkpoint.as_ref().map(|checkpoint| checkpoint.root().digest().to_string()),
        "proven": report.proven,
        "values": report.values,
        "withheld": report.withheld,
        "closed": report.closed,
        "anchored": report.anchored,
        "outside": report.outside.iter().map(placed).collect::<Vec<_>>(),
        "keys": if given { "given" } else { "from_the_bundle" },
        "findings": findings.collect::<Vec<_>>(),
    })
}
