//! The running station's control socket: what only its own user and root may ask.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail};
use reqwest::{Client, RequestBuilder};
use serde_json::Value;

use crate::cli::File;
use crate::command::serve::load;

/// What the station says to a request.
pub(crate) enum Answer {
    /// It did it, and says this.
    Done(Vec<u8>),
    /// It did not.
    Refused {
        /// The problem's own word, as `legal-hold`.
        kind: String,
        /// In words.
        detail: String,
    },
}

/// A way to the station that these settings are of.
pub(crate) struct Control {
    client: Client,
    socket: PathBuf,
    record: String,
}

impl Control {
    /// Of the station of a settings file, whether it runs or not.
    pub(crate) fn of(file: &File) -> anyhow::Result<Self> {
        let settings = load(file)?;
        let socket = settings.station.data_dir.join("control.sock");
        let client = Client::builder().unix_socket(socket.as_path()).build().context("make a client")?;
        Ok(Self { client, socket, record: settings.record.url })
    }

    /// Where what the station has deleted still is.
    pub(crate) fn still_there(&self) -> &'static str {
        if self.record.starts_with("postgres") {
            "the files of PostgreSQL still have their bytes until they are written anew: have  VACUUM FULL disclosure  run while no call is open\n\
             older backups still have them: keep those no longer than you may\n"
        } else {
            "older backups still have them: keep those no longer than you may\n"
        }
    }

    /// A GET of a path of the API.
    pub(crate) fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("http://localhost{path}"))
    }

    /// A POST to a path of the API.
    pub(crate) fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.client.post(format!("http://localhost{path}")).json(body)
    }

    /// What the station answers; an error says that it `refuses`, and why.
    pub(crate) fn answer(&self, request: RequestBuilder, refuses: &str, roles: &str) -> anyhow::Result<Vec<u8>> {
        match self.ask(request, roles)? {
            Answer::Done(bytes) => Ok(bytes),
            Answer::Refused { detail, .. } => bail!("the station {refuses}: {detail}"),
        }
    }

    /// What the station answers, a refusal too; an error says that it could not be asked.
    pub(crate) fn ask(&self, request: RequestBuilder, roles: &str) -> anyhow::Result<Answer> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start the runtime")?;
        runtime.block_on(async {
            let unreached = || {
                format!(
                    "ask the station at {}; it must be running, and only its own user and root may ask\n  elsewhere a key of the role {roles} asks the API",
                    self.socket.display()
                )
            };
            let answer = request.send().await.with_context(unreached)?;
            let status = answer.status();
            let bytes = answer.bytes().await.context("read what the station sent; it broke off")?;
            if status.is_success() {
                return Ok(Answer::Done(bytes.to_vec()));
            }
            let problem: Value = serde_json::from_slice(&bytes).map_err(|_| anyhow!("the station answered {status} and nothing that reads"))?;
            let text = |field: &str| problem.get(field).and_then(Value::as_str);
            let kind = text("type").and_then(|kind| kind.rsplit(':').next()).unwrap_or_default().to_owned();
            Ok(Answer::Refused { kind, detail: text("detail").unwrap_or("it does not say why").to_owned() })
        })
    }
}
