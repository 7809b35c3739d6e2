//! `cooee doctor`: looks at the live surroundings (broker, record, mail relay, providers, clock, public URL) and says
//! what to do. It sends no message and raises nothing.
//!
//! Exit code 0: everything answered. 1: something must be mended. 2: the settings cannot be used.

use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use intake::selftest;
use ledger::{AnyLedger, Ledger as _};
use station::clock::{Clock as _, MachineClock};

use crate::cli::File;
use crate::command::serve::load;
use crate::config::Settings;
use crate::wire::{node_name, take_data_dir};

/// How long the public URL may take to answer.
const URL_PATIENCE: Duration = Duration::from_secs(10);

/// One thing looked at: what it is, and how it is or what to do.
struct Look {
    what: String,
    found: Result<String, String>,
}

/// Looks, and prints what was found.
pub(crate) fn run(arguments: &File) -> anyhow::Result<ExitCode> {
    let settings = load(arguments)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start the runtime")?;
    let looks = runtime.block_on(look_at_everything(&settings));
    let mut out = std::io::stdout().lock();
    for look in &looks {
        let (mark, text) = match &look.found {
            Ok(text) => ("ok  ", text),
            Err(text) => ("MEND", text),
        };
        writeln!(out, "{mark}  {:<24} {}", look.what, text.replace('\n', "\n        ")).context("print what was found")?;
    }
    let all_well = looks.iter().all(|look| look.found.is_ok());
    Ok(if all_well { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

async fn look_at_everything(settings: &Settings) -> Vec<Look> {
    let mut looks = vec![clock(), record(settings).await, broker(settings).await];
    looks.extend(carriers(settings).await);
    looks.extend(anchors(settings).await);
    looks.push(public_url(settings).await);
    looks
}

/// No second opinion is asked for: that would be a connection nobody configured. The reader compares.
fn clock() -> Look {
    let now = MachineClock::start().wall();
    Look { what: "clock".to_owned(), found: Ok(format!("{now:.0}; compare with a clock you trust, messages carry this time")) }
}

async fn record(settings: &Settings) -> Look {
    let what = "record".to_owned();
    let lock = match take_data_dir(&settings.station.data_dir) {
        Ok(lock) => lock,
        Err(why) => return Look { what, found: Err(format!("{why:#}\n{}", ask_itself(settings))) },
    };
    let opened = AnyLedger::open(&settings.record.url, &settings.station.data_dir).await;
    let found = match opened {
        Ok(ledger) => ledger.head().await.map(|head| format!("{} entries", head.size())).map_err(|why| why.to_string()),
        Err(why) => Err(format!("{:#}", anyhow::Error::new(why))),
    };
    drop(lock);
    Look { what, found }
}

/// How to ask a station that runs. What is wrong in detail is for a key that oversees the whole station, or for this machine's root.
fn ask_itself(settings: &Settings) -> String {
    let socket = settings.station.data_dir.join("control.sock");
    format!(
        "if that is the station itself, ask it:  sudo curl --unix-socket {} 'http://localhost/readyz?verbose'\n\
         or over HTTP with a key of the role admin, auditor or centre that has no sites and no customers",
        socket.display()
    )
}

async fn broker(settings: &Settings) -> Look {
    let mqtt = match &settings.intake {
        intake::settings::Settings::Session(mqtt) => mqtt,
        intake::settings::Settings::Listener(listener) => {
            let free = tokio::net::TcpListener::bind(listener.listen).await;
            let found = free
                .map(|_| format!("the listener's address {} is free", listener.listen))
                .map_err(|why| format!("the listener's address {} cannot be had: {why}", listener.listen));
            return Look { what: "presses".to_owned(), found };
        }
    };
    let found = match mqtt.access() {
        Ok(access) => match selftest::run(&access, &node_name(&settings.station.name)).await {
            Ok(lacks) if lacks.is_empty() => Ok("keeps what it accepts while we are away".to_owned()),
            Ok(lacks) => Err(lacks.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")),
            Err(why) => Err(why.to_string()),
        },
        Err(why) => Err(why.to_string()),
    };
    Look { what: "broker".to_owned(), found }
}

async fn carriers(settings: &Settings) -> Vec<Look> {
    let clock = Arc::new(MachineClock::start());
    let now: dispatch::Now = Arc::new(move || clock.wall());
    let probed = match dispatch::probe(&settings.dispatch, settings.http.public_url.as_deref(), &now).await {
        Ok(probed) => probed,
        Err(why) => return vec![Look { what: "carriers".to_owned(), found: Err(why.to_string()) }],
    };
    if probed.is_empty() {
        let remedy = "no carrier is configured: nobody would be told of a press\nadd [[sms]], [email] or [[webhook]]".to_owned();
        return vec![Look { what: "carriers".to_owned(), found: Err(remedy) }];
    }
    probed.into_iter().map(|(name, found)| Look { what: format!("carrier {name}"), found }).collect()
}

/// Whether each anchor can be reached. Nothing is sent.
async fn anchors(settings: &Settings) -> Vec<Look> {
    let clock = Arc::new(MachineClock::start());
    let now: dispatch::Now = Arc::new(move || clock.wall());
    let mut looks = Vec::new();
    for wanted in &settings.dispatch.anchor {
        let found = match dispatch::anchor::Way::open(wanted, &settings.dispatch, &now) {
            Ok(way) => way.probe().await,
            Err(why) => Err(why.to_string()),
        };
        looks.push(Look { what: format!("anchor {}", wanted.name()), found });
    }
    looks
}

async fn public_url(settings: &Settings) -> Look {
    let what = "public URL".to_owned();
    let Some(url) = &settings.http.public_url else {
        return Look { what, found: Ok("none: replies are polled for, and links are left out".to_owned()) };
    };
    let client = reqwest::Client::builder().timeout(URL_PATIENCE).redirect(reqwest::redirect::Policy::none()).build();
    let found = match client {
        Ok(client) => match client.get(format!("{url}/healthz")).send().await {
            Ok(answer) if answer.status().is_success() => Ok(format!("{url} reaches a station")),
            Ok(answer) => {
                Err(format!("{url}/healthz answers {}: is the proxy in front of [http] listen, and the station up?", answer.status()))
            }
            Err(why) => Err(format!("{url}/healthz cannot be reached from here: {why}")),
        },
        Err(why) => Err(format!("no HTTPS client can be made: {why}; install ca-certificates")),
    };
    Look { what, found }
}
