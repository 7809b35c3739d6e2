//! From a command to what it does.

mod backup;
mod check;
mod control;
mod demo;
mod doctor;
mod drill;
mod erase;
mod export;
mod import;
mod key;
mod record;
mod rehearse;
mod restore;
mod retention;
mod serve;
mod verify;

use std::process::ExitCode;

use crate::cli::{Command, Demo, Key, Line};

/// Does what the line asks; an error means that it could not be done.
pub(crate) fn run(line: Line) -> anyhow::Result<ExitCode> {
    match line.command.unwrap_or(Command::Demo(Demo::default())) {
        Command::Check(arguments) => check::run(&arguments),
        Command::Rehearse(arguments) => rehearse::run(&arguments),
        Command::Import(arguments) => import::run(&arguments),
        Command::Drill(arguments) => drill::run(&arguments),
        Command::Key(Key::New(arguments)) => key::new(arguments),
        Command::Record(arguments) => record::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Erase(arguments) => erase::run(&arguments),
        Command::LegalHold(arguments) => erase::hold(&arguments),
        Command::Retention(arguments) => retention::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Backup(arguments) => backup::run(&arguments),
        Command::Restore(arguments) => restore::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Doctor(arguments) => doctor::run(&arguments),
    }
}
