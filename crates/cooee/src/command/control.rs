//! The running station's control socket: what only its own user and root may ask.

use std::path::PathBuf;

use anyhow::{Context as _, anyhow, bail};
use reqwest::{Client, RequestBuilder};
use serde_json::Value;

use crate::cli::File;
use crate::command::serve::load;

/// A way to the station that these settings are of.
pub(crate) struct Control {
    client: Client,
    socket: PathBuf,
}

impl Control {
    /// Of the station of a settings file, whether it runs or not.
    pub(crate) fn of(file: &File) -> anyhow::Result<Self> {
        let socket = load(file)?.station.data_dir.join("control.sock");
        let client = Client::builder().unix_socket(socket.as_path()).build().context("make a client")?;
        Ok(Self { client, socket })
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
                return Ok(bytes.to_vec());
            }
            let problem: Value = serde_json::from_slice(&bytes).map_err(|_| anyhow!("the station answered {status} and nothing that reads"))?;
            bail!("the station {refuses}: {}", problem.get("detail").and_then(Value::as_str).unwrap_or("it does not say why"))
        })
    }
}
