//! `cooee export`: asks the running station for an evidence bundle or the register, through its control socket.
//!
//! No second process writes to a record, and what is handed out as evidence must be in it: without a running station there is none.
//! Exit code 0: it is in the file. 2: it could not be had.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow, bail, ensure};
use escalation::event::Reader;
use escalation::id::ActivationId;
use escalation::time::Timestamp;
use ledger::Digest;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use crate::cli::Export;
use crate::command::serve::load;
use crate::private;

/// Asks for it, keeps it, and says what it is.
pub(crate) fn run(arguments: &Export) -> anyhow::Result<ExitCode> {
    let to = &arguments.to;
    ensure!(!to.exists(), "{} is there already\n  nothing is written over; give another name", to.display());
    let settings = load(&arguments.file)?;
    let socket = settings.station.data_dir.join("control.sock");
    let client = Client::builder().unix_socket(socket.as_path()).build().context("make a client")?;
    let request = match (&arguments.activation, arguments.reader) {
        (Some(activation), Some(reader)) => bundle(&client, activation, reader, arguments.by.as_deref()),
        (Some(_) | None, Some(_) | None) => register(&client, arguments.from, arguments.until),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start the runtime")?;
    let bytes = runtime.block_on(answer(request, &socket))?;
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

fn bundle(client: &Client, activation: &ActivationId, reader: Reader, by: Option<&str>) -> RequestBuilder {
    let mut body = json!({ "for": reader });
    if let (Some(by), Some(fields)) = (by, body.as_object_mut()) {
        fields.insert("by".to_owned(), json!(by));
    }
    client.post(format!("http://localhost/api/v1/activations/{activation}/export")).json(&body)
}

fn register(client: &Client, from: Option<Timestamp>, until: Option<Timestamp>) -> RequestBuilder {
    let span: Vec<(&str, String)> =
        [("from", from), ("to", until)].into_iter().filter_map(|(name, at)| Some((name, at?.to_string()))).collect();
    client.get("http://localhost/api/v1/register").query(&span)
}

async fn answer(request: RequestBuilder, socket: &Path) -> anyhow::Result<Vec<u8>> {
    let unreached = || {
        format!(
            "ask the station at {}; it must be running, and only its own user and root may ask\n  \
             elsewhere a key of the role admin or auditor asks the API",
            socket.display()
        )
    };
    let answer = request.send().await.with_context(unreached)?;
    let status = answer.status();
    let bytes = answer.bytes().await.context("read what the station sent; it broke off")?;
    if status.is_success() {
        return Ok(bytes.to_vec());
    }
    let problem: Value = serde_json::from_slice(&bytes).map_err(|_| anyhow!("the station answered {status} and nothing that reads"))?;
    bail!("the station hands nothing out: {}", problem.get("detail").and_then(Value::as_str).unwrap_or("it does not say why"))
}
