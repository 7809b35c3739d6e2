//! Settings: the file `cooee.toml`, then `COOEE__SECTION__KEY` from the environment.
//!
//! The `config` crate layers the two; what it cannot tell, the line, is found again in the file's own spans. Each room
//! owns the type of its section; this file only says which section is whose. Every mistake of every section is
//! reported in one pass. It must not read a secret's content, and opens no connection.

mod account;
mod anchor;
mod key;
mod layer;
mod secret;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use escalation::directory::finding::{Finding, Severity};
use serde::Deserialize;

pub(crate) use key::{Key, Role};
use layer::Layered;

/// Everything that settings can say, in the shape each room wants it.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    /// `[station]`.
    pub(crate) station: Station,
    /// `[record]`.
    pub(crate) record: Record,
    /// `[mqtt]` or `[listener]`.
    pub(crate) intake: intake::settings::Settings,
    /// `[[sms]]`, `[email]`, `[[voice]]`, `[[webhook]]`, `[[anchor]]`, `[templates]`.
    pub(crate) dispatch: dispatch::Settings,
    /// `[http]`.
    pub(crate) http: Http,
    /// `[directory]`.
    pub(crate) directory: Directory,
    /// `[[key]]`, in the file's order.
    pub(crate) keys: Vec<Key>,
}

/// What reading settings gave.
pub(crate) struct Loaded {
    /// The settings; `None` exactly where a finding is an error.
    pub(crate) settings: Option<Settings>,
    /// Where the directory is, if that can be read: so that a check looks at it whatever else is wrong.
    pub(crate) directory: Option<Directory>,
    /// The names of all `[[webhook]]` tables: what a centre of the directory may name.
    pub(crate) webhooks: Vec<String>,
    /// Whether there is any `[[voice]]` table: whether anybody can be rung.
    pub(crate) calls: bool,
    /// Everything the operator should know, by line.
    pub(crate) findings: Vec<Finding>,
}

/// `[station]`: who we are and where our data lies.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Station {
    /// Shown on every page.
    pub(crate) name: String,
    /// The record, its spool and the control socket; relative to the settings file.
    pub(crate) data_dir: PathBuf,
    /// Whom an operator rings when a page is not live; empty where nobody is named.
    #[serde(default)]
    pub(crate) phone: String,
}

/// `[record]`: which database.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Record {
    /// `sqlite:` with a path relative to `data_dir`, or `postgres://`.
    pub(crate) url: String,
}

impl Default for Record {
    fn default() -> Self {
        Self { url: "sqlite:cooee.db".to_owned() }
    }
}

/// `[http]`: where people and programs reach us.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Http {
    /// Where we listen.
    pub(crate) listen: SocketAddr,
    /// What links and signed callbacks begin with; links are left out without it.
    pub(crate) public_url: Option<String>,
    /// When a text message carries the link.
    pub(crate) links: Links,
    /// How a text message writes the host, where that is shorter.
    pub(crate) link_host: Option<String>,
    /// The key of links, shared by nodes; made in `data_dir` without it.
    pub(crate) link_key_file: Option<PathBuf>,
}

impl Default for Http {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8700)),
            public_url: None,
            links: Links::AfterAnswer,
            link_host: None,
            link_key_file: None,
        }
    }
}

/// When a text message carries the link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Links {
    /// Wherever it fits.
    Always,
    /// In a second message, after an answer.
    AfterAnswer,
    /// Never.
    Never,
}

/// `[directory]`: where people, sites and ladders are written.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Directory {
    /// The file; relative to the settings file.
    pub(crate) path: PathBuf,
    /// Who may edit it.
    #[serde(default)]
    pub(crate) source: Source,
    /// The safe words of its sites: secrets, so in a file of their own.
    #[serde(default)]
    pub(crate) safe_words_file: Option<PathBuf>,
}

/// Who may edit the directory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Source {
    /// The file alone.
    #[default]
    File,
}

/// Sections that are tables: the environment may override their keys.
const TABLES: [&str; 8] = ["station", "record", "mqtt", "listener", "http", "email", "templates", "directory"];
/// Sections that are lists of tables: they come from the file alone.
const LISTS: [&str; 5] = ["sms", "voice", "webhook", "anchor", "key"];

impl Settings {
    /// Reads the file at `path` with `environment` over it.
    pub(crate) fn load(path: &Path, environment: &BTreeMap<String, String>) -> Loaded {
        let file = path.display().to_string();
        match std::fs::read_to_string(path) {
            Ok(text) => Self::parse(path, &text, environment),
            Err(why) => Loaded {
                settings: None,
                directory: None,
                webhooks: Vec::new(),
                calls: false,
                findings: vec![Finding {
                    severity: Severity::Error,
                    file,
                    line: 0,
                    what: format!("the settings cannot be read: {why}"),
                    consequence: String::new(),
                    remedy: "name the file with  --config FILE; config/cooee.toml is a sample".to_owned(),
                }],
            },
        }
    }

    fn parse(path: &Path, text: &str, environment: &BTreeMap<String, String>) -> Loaded {
        let mut layered = Layered::new(path, text, environment, &TABLES, &LISTS);
        let station = layered.table::<Station>("station", "[station] with its name and data_dir");
        let directory = layered.table::<Directory>("directory", "[directory] with the path of the directory file");
        let record = layered.table_or_default::<Record>("record");
        let http = layered.table_or_default::<Http>("http");
        let keys = layered.list::<Key>("key");
        key::review(&mut layered, &keys);
        review_record(&mut layered, &record);
        review_http(&mut layered, &http);
        let webhooks = layered.names("webhook");
        let calls = !layered.names("voice").is_empty();
        let intake = way_in(&mut layered);
        let has_broker = !matches!(intake, Some(intake::settings::Settings::Listener(_)));
        let email = layered.optional("email");
        let dispatch = dispatch::Settings {
            sms: account::read(&mut layered),
            anchor: anchor::read(&mut layered, email.is_some(), has_broker),
            email,
            voice: layered.list("voice").into_iter().map(|(_, account)| account).collect(),
            webhook: layered.list("webhook").into_iter().map(|(_, endpoint)| endpoint).collect(),
            templates: layered.table_or_default("templates"),
        };
        secret::review(&mut layered);
        let findings = layered.into_findings();
        let sound = findings.iter().all(|f| f.severity != Severity::Error);
        let settings = station.zip(directory.clone()).zip(intake).filter(|_| sound);
        Loaded {
            settings: settings.map(|((station, directory), intake)| Self {
                station,
                record,
                intake,
                dispatch,
                http,
                directory,
                keys: keys.into_iter().map(|(_, key)| key).collect(),
            }),
            directory,
            webhooks,
            calls,
            findings,
        }
    }
}

/// Where presses come from: exactly one of the two sections.
fn way_in(layered: &mut Layered<'_>) -> Option<intake::settings::Settings> {
    let before = layered.errors();
    let (mqtt, listener) = (layered.optional("mqtt"), layered.optional("listener"));
    // A section that is there and wrong has been reported; it must not be said to be missing as well.
    let readable = layered.is_whole() && layered.errors() == before;
    match intake::settings::Settings::choose(mqtt, listener) {
        Ok(chosen) => Some(chosen),
        Err(_) if !readable => None,
        Err(why) => {
            layered.error(&["mqtt"], &why.to_string(), "no press could reach us", "keep one of [mqtt] and [listener]");
            None
        }
    }
}

fn review_record(layered: &mut Layered<'_>, record: &Record) {
    let authority = record.url.split_once("://").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default());
    if authority.rsplit_once('@').is_some_and(|(login, _)| login.contains(':')) {
        layered.error(
            &["record", "url"],
            "record.url has a password in it",
            "settings are copied and shown; secrets live in files",
            "leave it out, put it into a password file of mode 0600 and name that file in PGPASSFILE",
        );
    }
}

fn review_http(layered: &mut Layered<'_>, http: &Http) {
    let Some(url) = &http.public_url else {
        return;
    };
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let sound = host.is_some_and(|h| !h.is_empty() && !h.contains([' ', '?', '#', '@']));
    if !sound || url.ends_with('/') {
        layered.error(
            &["http", "public_url"],
            "http.public_url is not the beginning of an address",
            "links and the signatures of callbacks are made from it",
            "write it as  https://alerts.example.org  without a slash at its end",
        );
    }
}

#[cfg(test)]
mod tests;
