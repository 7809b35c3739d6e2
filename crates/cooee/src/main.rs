//! THE DOOR: the binary. Reads the command line and settings, wires the rooms together, and decides the exit code.
//!
//! The only crate that sees every room. It must not decide anything about alarms.

mod anchors;
mod auditing;
mod backup;
mod carriers;
mod cli;
mod command;
mod config;
mod demo;
mod departed;
#[cfg(test)]
mod documentation;
mod erasures;
mod import;
mod private;
mod signing;
mod telemetry;
mod terminal;
mod wire;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let line = cli::Line::parse();
    // One TLS stack; a provider that is installed already is the same one.
    drop(rustls::crypto::ring::default_provider().install_default());
    telemetry::start(line.log_format, &line.log);
    match command::run(line) {
        Ok(code) => code,
        Err(why) => {
            tracing::error!("{why:#}");
            ExitCode::from(2)
        }
    }
}
