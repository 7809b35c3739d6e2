//! `cooee export`: asks the running station for an evidence bundle or the register, through its control socket.
//!
//! No second process writes to a record, and what is handed out as evidence must be in it: without a running station there is none.
//! Exit code 0: it is in the file. 2: it could not be had.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use escalation::event::Reader;
use escalation::id::ActivationId;
use escalation::time::Timestamp;
use ledger::Digest;
use reqwest::RequestBuilder;
use serde_json::json;

use super::control::Control;
use crate::cli::Export;
use crate::private;

/// Asks for it, keeps it, and says what it is.
pub(crate) fn run(arguments: &Export) -> anyhow::Result<ExitCode> {
    let to = &arguments.to;
    ensure!(!to.exists(), "{} is there already\n  nothing is written over; give another name", to.display());
    let control = Control::of(&arguments.file)?;
    let request = match (&arguments.activation, arguments.reader) {
        (Some(activation), Some(reader)) => bundle(&control, activation, reader, arguments.by.as_deref()),
        (Some(_) | None, Some(_) | None) => register(&control, arguments.from, arguments.until),
    };
    let bytes = control.answer(request, "hands nothing out", "admin or auditor")?;
    private::write(to, &bytes)
        .with_context(|| format!("write {}; the record says that it was handed out: it is lost, ask for another", to.display()))?;
    let what = if arguments.register {
        format!(
            "{}: the register of attendance, which the record says you have; its last column names those that no record of ours can fill\n",
            to.display()
        )
    } else {
        let hash = Digest::of(&[&bytes]);
        format!(
            "{file}: {} bytes\nSHA-256 {hash}, which the record holds beside who has it\ncheck it with  cooee verify {file} --key 'the public key from paper'\n",
            bytes.len(),
            file = to.display()
        )
    };
    std::io::stdout().write_all(what.as_bytes()).context("print where it is")?;
    Ok(ExitCode::SUCCESS)
}

fn bundle(control: &Control, activation: &ActivationId, reader: Reader, by: Option<&str>) -> RequestBuilder {
    let mut body = json!({ "for": reader });
    if let (Some(by), Some(fields)) = (by, body.as_object_mut()) {
        fields.insert("by".to_owned(), json!(by));
    }
    control.post(&format!("/api/v1/activations/{activation}/export"), &body)
}

fn register(control: &Control, from: Option<Timestamp>, until: Option<Timestamp>) -> RequestBuilder {
    let span: Vec<(&str, String)> =
        [("from", from), ("to", until)].into_iter().filter_map(|(name, at)| Some((name, at?.to_string()))).collect();
    control.get("/api/v1/register").query(&span)
}
