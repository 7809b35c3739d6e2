//! `cooee serve`: the daemon.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use escalation::directory::finding::Severity;
use tokio::signal::unix::{SignalKind, signal};

use crate::cli::File;
use crate::config::Settings;
use crate::wire::{Extras, House, InForce};

/// How often the service manager is told that the watch turns.
const WATCHDOG_EVERY: Duration = Duration::from_secs(5);

/// Serves until SIGTERM or SIGINT. SIGHUP takes up keys and directory anew.
pub(crate) fn run(arguments: &File) -> anyhow::Result<ExitCode> {
    let settings = load(arguments)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("start the runtime")?;
    runtime.block_on(serve(arguments, &settings))?;
    Ok(ExitCode::SUCCESS)
}

/// Settings without an error; everything wrong with them otherwise.
pub(super) fn load(arguments: &File) -> anyhow::Result<Settings> {
    let environment: BTreeMap<_, _> =
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect();
    let loaded = Settings::load(&arguments.config, &environment);
    let errors: Vec<String> =
        loaded.findings.iter().filter(|finding| finding.severity == Severity::Error).map(ToString::to_string).collect();
    loaded.settings.with_context(|| format!("the settings cannot be used\n{}", errors.join("\n")))
}

async fn serve(arguments: &File, settings: &Settings) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("listen for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("listen for SIGINT")?;
    let mut hangup = signal(SignalKind::hangup()).context("listen for SIGHUP")?;
    let mut house = House::open(settings, Extras::default()).await?;
    house.settled().await;
    // A broker that is away is its own outage and not ours: killing us for it would end the ladders that climb. `/readyz` says it.
    tracing::info!(http.address = %house.address, "ready");
    tell_manager(&[sd_notify::NotifyState::Ready]);
    let status = house.follow_ears(|words| tell_manager(&[sd_notify::NotifyState::Status(words)]));
    let watchdog = tokio::spawn(feed_watchdog(house.desk().clone()));
    let ended = loop {
        tokio::select! {
            _ = terminate.recv() => break Ok(()),
            _ = interrupt.recv() => break Ok(()),
            _ = hangup.recv() => reload(arguments, &house).await,
            ended = house.watch_ended() => break ended,
        }
    };
    watchdog.abort();
    status.abort();
    tell_manager(&[sd_notify::NotifyState::Stopping]);
    ended?;
    tracing::info!("stopping: sends under way are finished first");
    house.close().await
}

async fn reload(arguments: &File, house: &House) {
    let reloaded = match load(arguments) {
        Ok(settings) => house.reload(&settings).await,
        Err(why) => Err(why),
    };
    match reloaded {
        Ok(InForce::TheFile) => tracing::info!("keys and directory were taken up anew; other settings need a restart"),
        Ok(InForce::TheLastAdopted) => {
            tracing::error!("keys were taken up anew; the directory was not, the last adopted one stays in force");
        }
        Err(why) => tracing::error!("nothing was taken up: {why:#}"),
    }
}

/// The watch itself feeds the watchdog: an HTTP answer alone would prove nothing.
async fn feed_watchdog(desk: station::desk::Desk) {
    let mut every = tokio::time::interval(WATCHDOG_EVERY);
    loop {
        every.tick().await;
        if desk.turn().await.is_ok() {
            tell_manager(&[sd_notify::NotifyState::Watchdog]);
        }
    }
}

fn tell_manager(state: &[sd_notify::NotifyState]) {
    if let Err(error) = sd_notify::notify(state) {
        tracing::debug!(error = %error, "there is no service manager to tell");
    }
}
