//! Erasing a list of what is due that somebody has read: the same list or nothing, one call after the other, each by the running station.
//!
//! Decides nothing about what is due. Each call is looked up again just before it is erased, because a hold may have come meanwhile.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use escalation::retention::{Class, Holding, Standing};
use escalation::time::Timestamp;
use ledger::Digest;
use serde_json::{Value, json};

use crate::command::control::{Answer, Control};

/// Hex digits of a fingerprint: 64 bits tell lists apart, and can be typed.
const DIGITS: usize = 16;

/// Refusals that concern one call alone: under hold, too long, unknown, its basis names somebody.
const OF_ONE_CALL: [&str; 4] = ["legal-hold", "too-long", "not-found", "bad-request"];

/// Nothing private is left in it: what was there was erased with a person.
const NOTHING_LEFT: &str = "nothing-to-erase";

/// The record says that it is erased, and the bytes are still there.
const STILL_THERE: &str = "still-there";

/// A call that may be erased, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Due {
    customer: String,
    class: &'static str,
    activation: String,
    since: String,
    basis: String,
}

/// What of these is due now and can be erased by itself, in the list's order.
pub(super) fn due(all: &[Holding<'_>], now: Timestamp) -> Vec<Due> {
    all.iter().filter_map(|holding| of(holding, now)).collect()
}

fn of(holding: &Holding<'_>, now: Timestamp) -> Option<Due> {
    let since = match holding.standing {
        Standing::DueSince(since) if since <= now => since,
        Standing::DueSince(_)
        | Standing::Erased
        | Standing::Open
        | Standing::Held
        | Standing::NoTerm
        | Standing::KeptUntil(_)
        | Standing::TooLong(_) => return None,
    };
    Some(Due {
        customer: holding.customer.to_string(),
        class: holding.class.map(Class::as_str)?,
        activation: holding.activation.to_string(),
        since: since.to_string(),
        basis: holding.term?.basis.clone(),
    })
}

/// What tells this list from every other.
pub(super) fn fingerprint(due: &[Due]) -> String {
    let rows: Vec<_> = due.iter().map(|call| json!([call.customer, call.class, call.activation, call.since, call.basis])).collect();
    Digest::of(&[Value::Array(rows).to_string().as_bytes()]).to_string().chars().take(DIGITS).collect()
}

/// Has the station erase each, if this is the list that was read; `look` works it out again.
///
/// Exit code 0: all of it is erased. 1: some of it was refused for itself. An error: it came to no end, and says how far it came.
pub(super) fn erase((read, by): (&str, &str), control: &Control, look: impl Fn() -> anyhow::Result<Vec<Due>>) -> anyhow::Result<ExitCode> {
    let listed = look()?;
    if listed.is_empty() || fingerprint(&listed) != read {
        bail!(
            "what is due is no longer the list {read:?}: {} calls are due now\n  nothing was erased; run  cooee retention  and read it again",
            listed.len()
        );
    }
    let mut done = 0_usize;
    let mut refused = 0_usize;
    for call in &listed {
        let left = || format!("{done} of {} calls are erased; {} are left to do", listed.len(), listed.len().saturating_sub(done));
        let id = &call.activation;
        if !look().with_context(left)?.contains(call) {
            refused += 1;
            say(&format!("{id}: NOT erased: it is not due any more\n")).with_context(left)?;
            continue;
        }
        let body = json!({"basis": call.basis, "by": by});
        let answer = control.ask(control.post(&format!("/api/v1/activations/{id}/erase"), &body), "admin").with_context(left)?;
        match answer {
            Answer::Done(bytes) => {
                done += 1;
                let said: Value = serde_json::from_slice(&bytes).unwrap_or_default();
                let count = |field: &str| said.get(field).map_or_else(|| "?".to_owned(), ToString::to_string);
                say(&format!("{id}: {} private values are deleted; entry {} of the record says so\n", count("values"), count("seq")))?;
            }
            Answer::Refused { kind, detail } if OF_ONE_CALL.contains(&kind.as_str()) => {
                refused += 1;
                say(&format!("{id}: NOT erased: {detail}\n")).with_context(left)?;
            }
            Answer::Refused { kind, .. } if kind == NOTHING_LEFT => {
                done += 1;
                say(&format!("{id}: nothing private was left\n"))?;
            }
            // It is on no list any more, and whoever reads the next one would never come back to it.
            Answer::Refused { kind, detail } if kind == STILL_THERE => {
                bail!(
                    "the station stopped at {id}: {detail}\n  run  cooee erase --activation {id}  until it says that nothing private is left; {}",
                    left()
                );
            }
            Answer::Refused { detail, .. } => {
                bail!("the station stopped at {id}: {detail}\n  {}; run  cooee retention  for what they are", left());
            }
        }
    }
    say(&format!("{done} of {} calls are erased; {refused} are not\n{}", listed.len(), control.still_there()))?;
    Ok(if refused == 0 { ExitCode::SUCCESS } else { ExitCode::from(1) })
}

fn say(text: &str) -> anyhow::Result<()> {
    std::io::stdout().write_all(text.as_bytes()).context("print what was erased")
}
