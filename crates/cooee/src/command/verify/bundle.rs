//! `cooee verify BUNDLE`: whether an evidence bundle is what was handed out. Needs nothing but the file and, to prove anything, a key.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use ledger::{BundleReport, verify_bundle};
use serde_json::{Value, json};

use crate::cli::Verify;

const OWN_KEY: &str =
    "the key was taken from the bundle itself: whoever forged it could have put in another; give the printed one with  --key";
const OPEN: &str = "none of its entries closes the activation: it was open when this was made, and what came later is not in it";

/// Looks at everything, and prints what was found.
pub(super) fn run(path: &Path, arguments: &Verify) -> anyhow::Result<ExitCode> {
    let bytes = std::fs::read(path).with_context(|| format!("read {}", path.display()))?;
    let report = verify_bundle(&bytes, &arguments.keys);
    let given = !arguments.keys.is_empty();
    let shown = if arguments.json { format!("{}\n", as_json(&report, given)) } else { as_text(&report, given) };
    std::io::stdout().write_all(shown.as_bytes()).context("print what was found")?;
    Ok(if report.is_sound() { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn as_text(report: &BundleReport, given: bool) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        let _written = writeln!(text, "WRONG  {finding}");
    }
    for (holds, known) in [(!given, OWN_KEY), (!report.closed, OPEN)] {
        if holds {
            let _written = writeln!(text, "known  {known}");
        }
    }
    for (label, value) in &report.info {
        let _written = writeln!(text, "{label}: {value}");
    }
    if let Some(checkpoint) = &report.checkpoint {
        let (size, origin, root) = (checkpoint.size(), checkpoint.origin(), checkpoint.root());
        let _written = writeln!(text, "the first {size} entries of {origin} were signed, with root {}", root.digest());
    }
    let BundleReport { proven, values, withheld, .. } = report;
    let verdict = if report.is_sound() { "nothing is wrong with this bundle" } else { "this bundle is not what was handed out" };
    let _written = writeln!(
        text,
        "{proven} entries are proven; {values} private values belong to them; {withheld} entries and values are named as withheld\n{verdict}"
    );
    text
}

fn as_json(report: &BundleReport, given: bool) -> Value {
    let findings =
        report.findings.iter().map(|finding| json!({ "file": finding.file, "what": finding.fault.name(), "words": finding.to_string() }));
    let info = report.info.iter().map(|(label, value)| (label.clone(), json!(value)));
    json!({
        "sound": report.is_sound(),
        "activation": report.name,
        "said": info.collect::<serde_json::Map<_, _>>(),
        "origin": report.checkpoint.as_ref().map(|checkpoint| checkpoint.origin().to_string()),
        "size": report.checkpoint.as_ref().map(ledger::Checkpoint::size),
        "root": report.checkpoint.as_ref().map(|checkpoint| checkpoint.root().digest().to_string()),
        "proven": report.proven,
        "values": report.values,
        "withheld": report.withheld,
        "closed": report.closed,
        "keys": if given { "given" } else { "from_the_bundle" },
        "findings": findings.collect::<Vec<_>>(),
    })
}
