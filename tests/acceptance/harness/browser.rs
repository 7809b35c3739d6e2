//! Headless Chromium, driven through chromedriver by the W3C `WebDriver` protocol.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::folder::Folder;
use crate::port::Port;
use crate::program::{self, Guard, Process};
use crate::wait;

/// The key under which the protocol hands out an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one window and a profile of its own.
pub struct Browser {
    http: reqwest::Client,
    session: String,
    chromium: Option<u32>,
    _guard: Option<Guard>,
    _driver: Process,
    port: Port,
    folder: Folder,
}

impl Browser {
    /// Opens a window of 1440 x 900.
    pub async fn open() -> Self {
        let chromium = program::look_for("chromium").or_else(|| program::look_for("chromium-browser"));
        let chromium = chromium.unwrap_or_else(|| program::missing("chromium", "chromium"));
        let driver = program::find("chromedriver", "chromium-driver");
        let folder = Folder::new("browser");
        let port = Port::take();
        let mut command = Command::new(driver);
        command.arg(format!("--port={}", port.number()));
        let mut driver = Process::start("chromedriver", &mut command, &folder.path().join("chromedriver.log"));
        driver.answers_on(port.number()).await;
        let http = crate::http::client();
        let capabilities = capabilities(&chromium, &folder);
        let url = format!("http://127.0.0.1:{}/session", port.number());
        let opened = ask(http.post(url).json(&capabilities)).await.unwrap_or_else(|e| panic!("open a browser: {e}"));
        let session = text_at(&opened, "/sessionId");
        let chromium = opened.pointer("/capabilities/goog:processID").and_then(Value::as_u64);
        let chromium = chromium.and_then(|pid| u32::try_from(pid).ok());
        let guard = chromium.map(Guard::over);
        Self { http, session, chromium, _guard: guard, _driver: driver, port, folder }
    }

    /// Goes to a page and waits until it has loaded.
    pub async fn goto(&self, url: &str) {
        self.must("url", json!({"url": url})).await;
    }

    /// Loads the page again.
    pub async fn reload(&self) {
        self.must("refresh", json!({})).await;
    }

    /// The page's title.
    pub async fn title(&self) -> String {
        text_of(&self.execute("return document.title", &[]).await)
    }

    /// The page as it stands, as HTML.
    pub async fn source(&self) -> String {
        text_of(&self.execute("return document.documentElement.outerHTML", &[]).await)
    }

    /// Waits until an element fits the CSS selector, and clicks it. A live page may replace it meanwhile: then the new one.
    pub async fn click(&self, css: &str) {
        self.on_element(css, "click", json!({})).await;
    }

    /// Waits until an element fits the CSS selector, and types into it key by key.
    pub async fn type_into(&self, css: &str, text: &str) {
        self.on_element(css, "value", json!({"text": text})).await;
    }

    async fn on_element(&self, css: &str, command: &str, body: Value) {
        wait::until(&format!("{css} on the page, to {command} it"), async || {
            let element = self.element(css).await;
            let answer = ask(self.http.post(self.url(&format!("element/{element}/{command}"))).json(&body)).await;
            match answer {
                Ok(_done) => Some(()),
                // What is replaced at this moment, or not drawn yet, is looked for again.
                Err(why) if ["stale element", "not interactable", "click intercepted"].iter().any(|passing| why.contains(passing)) => None,
                Err(why) => panic!("browser, {command} {css}: {why}"),
            }
        })
        .await;
    }

    /// Presses keys wherever the focus is.
    pub async fn press_keys(&self, keys: &str) {
        let presses: Vec<Value> =
            keys.chars().flat_map(|key| [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})]).collect();
        self.must("actions", json!({"actions": [{"type": "key", "id": "keyboard", "actions": presses}]})).await;
    }

    /// Waits until an element fits the CSS selector, and gives its visible text.
    pub async fn text(&self, css: &str) -> String {
        let element = self.element(css).await;
        let script = "return arguments[0].innerText";
        text_of(&self.execute(script, &[json!({ELEMENT: element})]).await)
    }

    /// Waits until an element that fits the CSS selector shows `part`.
    pub async fn expect_text(&self, css: &str, part: &str) {
        let script = "return [...document.querySelectorAll(arguments[0])].map(e => e.innerText)";
        let what = format!("{part:?} in {css} of the page");
        wait::until(&what, async || {
            let texts = self.execute(script, &[json!(css)]).await;
            let texts = texts.as_array()?;
            texts.iter().any(|t| t.as_str().is_some_and(|t| t.contains(part))).then_some(())
        })
        .await;
    }

    /// How many elements fit the CSS selector now.
    pub async fn count(&self, css: &str) -> u64 {
        let script = "return document.querySelectorAll(arguments[0]).length";
        self.execute(script, &[json!(css)]).await.as_u64().unwrap_or(0)
    }

    /// Runs a script in the page and gives what it returns.
    pub async fn execute(&self, script: &str, arguments: &[Value]) -> Value {
        self.must("execute/sync", json!({"script": script, "args": arguments})).await
    }

    /// What the page has written to its console since the last call, network errors included.
    pub async fn console(&self) -> Vec<String> {
        let lines = self.must("se/log", json!({"type": "browser"})).await;
        let lines = lines.as_array().cloned().unwrap_or_default();
        lines.iter().map(|line| format!("{}: {}", text_at(line, "/level"), text_at(line, "/message"))).collect()
    }

    /// Sets the size of what the page sees, in CSS pixels: a window is never narrower than 500, a phone is.
    pub async fn resize(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        let command = json!({"cmd": "Emulation.setDeviceMetricsOverride", "params": size});
        self.must("goog/cdp/execute", command).await;
    }

    /// Whether pages may run scripts from now on; what the test asks of a page works either way.
    pub async fn scripts(&self, run: bool) {
        let command = json!({"cmd": "Emulation.setScriptExecutionDisabled", "params": {"value": !run}});
        self.must("goog/cdp/execute", command).await;
    }

    /// Takes a picture of the window and says where it is.
    pub async fn screenshot(&self, name: &str) -> PathBuf {
        let url = self.url("screenshot");
        let picture = ask(self.http.get(url)).await.unwrap_or_else(|e| panic!("take a screenshot: {e}"));
        let path = self.folder.path().join(format!("{name}.png"));
        let bytes = STANDARD.decode(text_of(&picture)).expect("a picture in base64");
        std::fs::write(&path, bytes).expect("write a picture");
        path
    }

    /// The id of the first element that fits, once there is one.
    async fn element(&self, css: &str) -> String {
        let find = json!({"using": "css selector", "value": css});
        wait::until(&format!("{css} on the page"), async || {
            let found = ask(self.http.post(self.url("element")).json(&find)).await.ok()?;
            found.get(ELEMENT).and_then(Value::as_str).map(str::to_owned)
        })
        .await
    }

    async fn must(&self, command: &str, body: Value) -> Value {
        let answer = ask(self.http.post(self.url(command)).json(&body)).await;
        answer.unwrap_or_else(|e| panic!("browser, {command} {body}: {e}"))
    }

    fn url(&self, command: &str) -> String {
        format!("http://127.0.0.1:{}/session/{}/{command}", self.port.number(), self.session)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Chromedriver closes Chromium in an orderly way; what does not end so is ended by its process id.
        let _closed = close(self.port.number(), &self.session);
        if let Some(pid) = self.chromium {
            program::send("KILL", pid);
        }
    }
}

/// `DELETE /session/{id}`, without a runtime: a destructor cannot await.
fn close(port: u16, session: &str) -> std::io::Result<()> {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    write!(stream, "DELETE /session/{session} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n")?;
    stream.read(&mut [0; 64]).map(drop)
}

fn capabilities(chromium: &std::path::Path, folder: &Folder) -> Value {
    let profile = format!("--user-data-dir={}", folder.path().join("profile").display());
    json!({"capabilities": {"alwaysMatch": {
        "browserName": "chrome",
        "goog:loggingPrefs": {"browser": "ALL"},
        "goog:chromeOptions": {"binary": chromium, "args": [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage",
            "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
            "--window-size=1440,900", profile,
        ]},
    }}})
}

/// The `value` of an answer, or the error it names.
async fn ask(request: reqwest::RequestBuilder) -> Result<Value, String> {
    let response = request.timeout(wait::PATIENCE).send().await.map_err(|e| e.to_string())?;
    let ok = response.status().is_success();
    let body: Value = response.json().await.map_err(|e| e.to_string())?;
    let value = body.get("value").cloned().unwrap_or_default();
    if ok { Ok(value) } else { Err(text_at(&value, "/message")) }
}

fn text_at(value: &Value, pointer: &str) -> String {
    value.pointer(pointer).map(text_of).unwrap_or_default()
}

fn text_of(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
