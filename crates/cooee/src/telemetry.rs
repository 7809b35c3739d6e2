//! Log lines on standard error: text for people, JSON for machines. Standard output belongs to what was asked for.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// How log lines are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// Starts logging. A filter that cannot be read does not stop anything: it says so and means `info`.
pub(crate) fn start(format: Format, filter: &str) {
    let (filter, wrong) = match filter.parse::<Targets>() {
        Ok(filter) => (filter, None),
        Err(why) => (Targets::new().with_default(LevelFilter::INFO), Some(why)),
    };
    let registry = tracing_subscriber::registry().with(filter);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let started = match format {
        Format::Text => registry.with(lines).try_init(),
        Format::Json => registry.with(lines.json().flatten_event(true)).try_init(),
    };
    if started.is_ok()
        && let Some(why) = wrong
    {
        tracing::warn!("the log filter cannot be read, \"info\" is used: {why}");
    }
}
