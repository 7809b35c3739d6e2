//! The bench: Cooee against the floor, measured in the same run on the same parts.
//!
//! The floor is the least that does the job: one real mosquitto, one session with manual acknowledgement, one SQLite
//! commit of as many bytes as Cooee writes for a press, one POST over a kept connection. It is a process of its own
//! (this program once more). Floor and Cooee take turns; what counts is the median of the ratios of each pair.
//!
//! `cargo xtask bench [--quick] [latency] [memory] [restart] [record] [check]`. Ends with an error when a press is lost, never because
//! a target is missed: a figure depends on the machine, a loss does not.

#![expect(clippy::expect_used, clippy::panic, reason = "a part that cannot be had, or that fails, ends the bench there and then")]

mod buttons;
mod calibration;
mod check;
mod directory;
mod figures;
mod floor;
mod gateway;
mod history;
mod memory;
mod pace;
mod record;
mod restart;
mod rival;
mod session;
mod table;
mod usage;

use std::process::ExitCode;

use table::Table;

/// How much is measured.
#[derive(Clone, Copy, Debug)]
struct Plan {
    /// Pairs of sessions, floor and Cooee in turn.
    runs: usize,
    /// Presses one at a time, in each session.
    single: u32,
    /// Presses at a steady rate, in each session.
    steady: u32,
    /// Presses in one burst, in each session.
    burst: u32,
    /// Presses at once against a slow gateway.
    slow: u32,
    /// Activations after which memory is read.
    memory: u32,
    /// Activations that are open at once when it is read once more.
    open: u32,
    /// Entries of the long record.
    entries: u64,
    /// Sites of the directory that is proved.
    sites: u32,
}

const FULL: Plan =
    Plan { runs: 7, single: 300, steady: 1_000, burst: 2_000, slow: 500, memory: 20_000, open: 5_000, entries: 1_000_000, sites: 1_000 };
const QUICK: Plan =
    Plan { runs: 3, single: 100, steady: 400, burst: 1_000, slow: 500, memory: 5_000, open: 2_000, entries: 100_000, sites: 200 };

fn main() -> ExitCode {
    // Cargo itself adds `--bench`.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    if let Some((first, rest)) = arguments.split_first()
        && first == floor::NAME
    {
        floor::run(rest);
        return ExitCode::SUCCESS;
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let named: Vec<&str> = arguments.iter().map(String::as_str).filter(|argument| *argument != "--quick").collect();
    if let Some(unknown) = named.iter().find(|name| !["latency", "memory", "restart", "record", "check"].contains(name)) {
        panic!("the bench has no part `{unknown}`: there are latency, memory, restart, record, check, and the switch --quick");
    }
    let wanted = |name: &str| named.is_empty() || named.contains(&name);
    let plan = if quick { QUICK } else { FULL };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("start a runtime");
    runtime.block_on(async {
        let mut table = Table::default();
        if wanted("latency") {
            rival::compare(&plan, &mut table).await;
        }
        if wanted("memory") {
            memory::measure(&plan, &mut table).await;
        }
        if wanted("restart") {
            restart::measure(&plan, &mut table).await;
        }
        if wanted("record") {
            record::measure(&plan, &mut table).await;
        }
        if wanted("check") {
            check::measure(&plan, &mut table).await;
        }
        table.print();
        if table.lost() == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    })
}
