//! Tasks for people who work on the house: `cargo xtask <task>`.
//!
//! Each prints the commands that it runs, so that nobody has to come here to learn them. Knows nothing of the rooms.

mod parts;
mod step;

use std::process::ExitCode;

use anyhow::{Result, bail};
use step::{Step, say};

const TASKS: &str = "\
cargo xtask test [RING...]   install what the tests need, build cooee, run every ring, or only some:
                             rooms, tidy, simulation, acceptance
cargo xtask sim --seed N     replay one seed of the simulation, with its log
cargo xtask sim --seeds N    live so many seeds instead of the usual number
cargo xtask bench [NAME...]  measure cooee against the floor, both as shipped (profile dist)
cargo xtask tidy             the rules of the house: imports, licences, links, words
cargo xtask docs             build the documentation of the code; any warning is an error
cargo xtask ci               format, clippy, docs and every test: what must hold before a change goes in";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--").collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match task(&arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&format!("xtask: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn task(arguments: &[&str]) -> Result<()> {
    match arguments {
        ["test", rings @ ..] => test(rings),
        ["sim", "--seed", seed] => simulate("COOEE_SIM_SEED", seed),
        ["sim", "--seeds", count] => simulate("COOEE_SIM_SEEDS", count),
        ["bench", names @ ..] => bench(names),
        ["tidy"] => ring("tidy")?.run(),
        ["docs"] => docs(),
        ["ci"] => ci(),
        [] => bail!("name a task:\n{TASKS}"),
        [other, ..] => bail!("`{other}` is no task, or lacks an argument:\n{TASKS}"),
    }
}

/// Everything that a change must pass, the cheapest first.
fn ci() -> Result<()> {
    Step::cargo(["fmt", "--all", "--", "--check"]).run()?;
    Step::cargo(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]).run()?;
    docs()?;
    test(&[])
}

fn docs() -> Result<()> {
    Step::cargo(["doc", "--workspace", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings").run()
}

/// Runs every ring, or those that are named.
fn test(rings: &[&str]) -> Result<()> {
    let steps = rings.iter().map(|name| ring(name)).collect::<Result<Vec<Step>>>()?;
    if rings.is_empty() || rings.contains(&"acceptance") {
        parts::install_missing()?;
        Step::cargo(["build", "--package", "cooee"]).run()?;
    }
    if rings.is_empty() {
        return Step::cargo(["test", "--workspace"]).run();
    }
    steps.iter().try_for_each(Step::run)
}

fn ring(name: &str) -> Result<Step> {
    Ok(match name {
        "rooms" => Step::cargo(["test", "--workspace", "--exclude", "proof"]),
        "tidy" | "simulation" | "acceptance" => Step::cargo(["test", "--package", "proof", "--test", name]),
        other => bail!("there is no ring `{other}`: there are rooms, tidy, simulation, acceptance"),
    })
}

/// Lives one seed, with its log on the terminal, or so many of them.
fn simulate(what: &str, number: &str) -> Result<()> {
    let number: u64 = match number.parse() {
        Ok(number) => number,
        Err(error) => bail!("a seed, or how many, is a whole number; `{number}` is not: {error}"),
    };
    let arguments = ["test", "--package", "proof", "--test", "simulation", "--", "every_seed_keeps_the_promises", "--nocapture"];
    Step::cargo(arguments).env(what, &number.to_string()).run()
}

/// Both are built as shipped, since that is what people will run.
fn bench(names: &[&str]) -> Result<()> {
    parts::install_missing()?;
    Step::cargo(["build", "--profile", "dist", "--package", "cooee"]).run()?;
    let arguments = ["bench", "--profile", "dist", "--package", "proof", "--bench", "floor", "--"];
    Step::cargo(arguments.into_iter().chain(names.iter().copied())).run()
}
