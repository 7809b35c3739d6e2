//! `cooee erase` and `cooee legal-hold`: have the running station erase private values under a basis, or forbid it.
//!
//! The record says what was erased and why before anything is deleted. Exit code 0: it is done. 2: it is not known to be done.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use serde_json::{Map, Value, json};

use super::control::Control;
use crate::cli::{Erase, LegalHold};

/// Erases, and says what.
pub(crate) fn run(arguments: &Erase) -> anyhow::Result<ExitCode> {
    let mut body = body(arguments.by.as_deref());
    body.insert("basis".to_owned(), json!(arguments.basis));
    let path = match (&arguments.activation, &arguments.person) {
        (Some(activation), None) => format!("/api/v1/activations/{activation}/erase"),
        (None, Some(person)) => {
            body.insert("person".to_owned(), json!(person));
            "/api/v1/erasures".to_owned()
        }
        (Some(_), Some(_)) | (None, None) => bail!("say either  --activation  or  --person"),
    };
    let control = Control::of(&arguments.file)?;
    let said = ask(&control, &path, body, "erases nothing")?;
    let [from, values, seq] = ["from", "values", "seq"].map(|field| text(&said, field));
    print(&format!(
        "{values} private values of {from} are deleted; entry {seq} of the record says so, and by which basis\n{}",
        control.still_there()
    ))
}

/// Places a legal hold, or lifts it.
pub(crate) fn hold(arguments: &LegalHold) -> anyhow::Result<ExitCode> {
    let LegalHold { activation, lift, .. } = arguments;
    let mut body = body(arguments.by.as_deref());
    body.insert("on".to_owned(), json!(!lift));
    body.insert("reason".to_owned(), json!(arguments.reason));
    let path = format!("/api/v1/activations/{activation}/legal-hold");
    ask(&Control::of(&arguments.file)?, &path, body, "does not change the hold")?;
    print(&if *lift {
        format!("{activation} is under no legal hold\n")
    } else {
        format!("{activation} is under legal hold: nothing of it is erased, and nobody's details, until it is lifted\n")
    })
}

fn body(by: Option<&str>) -> Map<String, Value> {
    by.map(|by| ("by".to_owned(), json!(by))).into_iter().collect()
}

fn ask(control: &Control, path: &str, body: Map<String, Value>, refuses: &str) -> anyhow::Result<Value> {
    let answer = control.answer(control.post(path, &Value::Object(body)), refuses, "admin")?;
    serde_json::from_slice(&answer).context("read what the station answered")
}

fn text(said: &Value, field: &str) -> String {
    let value = said.get(field).cloned().unwrap_or_default();
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

fn print(text: &str) -> anyhow::Result<ExitCode> {
    std::io::stdout().write_all(text.as_bytes()).context("print what was done")?;
    Ok(ExitCode::SUCCESS)
}
