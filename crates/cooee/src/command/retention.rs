//! `cooee retention`: which calls are kept for how long by the directory's terms, and which of them are due to be erased. Reads the
//! record beside the running station, and erases nothing but a list that somebody has read.
//!
//! Exit code 0: nothing is due. 1: something is. 2: it could not be looked at. Of `--erase`: see `erasing`.

mod erasing;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use escalation::id::CustomerId;
use escalation::retention::{Class, Holding, Standing, Terms};
use escalation::time::Timestamp;
use ledger::AnyLedger;
use serde_json::json;
use station::clock::{Clock, MachineClock};

use crate::cli::Retention;
use crate::command::control::Control;
use crate::command::serve::load;
use crate::terminal;
use crate::wire::usable_directory;

/// Looks, and prints what is due.
pub(crate) fn run(arguments: &Retention) -> anyhow::Result<ExitCode> {
    let settings = load(&arguments.file)?;
    let draft = usable_directory(&settings.directory.path)?;
    let terms = draft.terms();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("start the runtime")?;
    let holdings = || {
        runtime.block_on(async {
            let record = AnyLedger::open_to_read(&settings.record.url, &settings.station.data_dir).await.context("open the record")?;
            station::replay::holdings(&record).await.context("read the record")
        })
    };
    let now = MachineClock::start().wall();
    if let (Some(read), Some(by)) = (&arguments.erase, &arguments.by) {
        let look = || Ok(erasing::due(&holdings()?.look(&terms, now), now));
        return erasing::erase((read, by), &Control::of(&arguments.file)?, look);
    }
    let holdings = holdings()?;
    let then = arguments.at.unwrap_or(now);
    let all = holdings.look(&terms, then);
    let shown = if arguments.json {
        format!("{}\n", terminal::json(&as_json(&all, then)))
    } else {
        let config = format!("--config {}", quoted(&arguments.file.config.display().to_string()));
        as_text(&all, &terms, (then, now), &config)
    };
    std::io::stdout().write_all(shown.as_bytes()).context("print what is due")?;
    Ok(if all.iter().any(|holding| is_due(holding.standing)) { ExitCode::from(1) } else { ExitCode::SUCCESS })
}

fn is_due(standing: Standing) -> bool {
    match standing {
        Standing::DueSince(_) | Standing::TooLong(_) => true,
        Standing::Erased | Standing::Open | Standing::Held | Standing::NoTerm | Standing::KeptUntil(_) => false,
    }
}

/// For people: how many of each, and then each that is due with the command that erases it. What is due only by then has no command: it
/// would erase at once.
fn as_text(all: &[Holding<'_>], terms: &Terms, (then, now): (Timestamp, Timestamp), config: &str) -> String {
    let mut text = format!("by the times of the record, at {then}\n");
    if terms.is_empty() {
        text.push_str("the directory has no [[retention]]: nothing says how long anything is kept, and nothing is ever due\n");
    }
    let mut by_class: BTreeMap<(&CustomerId, Option<Class>), Vec<&Holding<'_>>> = BTreeMap::new();
    for holding in all.iter().filter(|holding| holding.standing != Standing::Erased) {
        by_class.entry((&holding.customer, holding.class)).or_default().push(holding);
    }
    for ((customer, class), calls) in &by_class {
        let kept = calls
            .first()
            .and_then(|holding| holding.term)
            .map_or_else(|| "no term".to_owned(), |term| format!("kept {} by {}", term.keep, terminal::plain(&term.basis)));
        let due = calls.iter().filter(|holding| is_due(holding.standing)).count();
        let held = calls.iter().filter(|holding| holding.standing == Standing::Held).count();
        let held = if held > 0 { format!(", {held} under legal hold") } else { String::new() };
        let _written = match class {
            Some(class) => writeln!(text, "{customer}, {}: {} calls, {due} due{held} ({kept})", class.as_str(), calls.len()),
            None => writeln!(text, "{customer}: {} open", calls.len()),
        };
    }
    for holding in all {
        match (holding.standing, holding.term) {
            (Standing::DueSince(since) | Standing::TooLong(since), _) if since > now => {
                let _written = writeln!(text, "NOT YET due, from {since}  {}", holding.activation);
            }
            (Standing::DueSince(since), Some(term)) => {
                let (id, basis) = (&holding.activation, quoted(&terminal::plain(&term.basis)));
                let _written = writeln!(text, "due since {since}  {id}\n  cooee erase {config} --activation {id} --basis={basis}");
            }
            (Standing::TooLong(since), _) => {
                let _written =
                    writeln!(text, "due since {since}  {}, which has too many entries to be erased by itself", holding.activation);
            }
            (Standing::DueSince(_), None)
            | (Standing::Erased | Standing::Open | Standing::Held | Standing::NoTerm | Standing::KeptUntil(_), _) => {}
        }
    }
    text.push_str("nothing was erased: look whether each may be, then erase it\n");
    let due = erasing::due(all, now);
    if then == now && !due.is_empty() {
        let (count, fingerprint) = (due.len(), erasing::fingerprint(&due));
        let _written = writeln!(
            text,
            "or all {count} that are due, once you have read this:\n  cooee retention {config} --erase {fingerprint} --by NAME"
        );
    }
    text
}

/// As a shell takes it for one word, whatever is in it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// The same for programs.
fn as_json(all: &[Holding<'_>], now: Timestamp) -> serde_json::Value {
    let calls: Vec<_> = all
        .iter()
        .map(|holding| {
            let (standing, at) = match holding.standing {
                Standing::Erased => ("erased", None),
                Standing::Open => ("open", None),
                Standing::Held => ("held", None),
                Standing::NoTerm => ("no_term", None),
                Standing::KeptUntil(at) => ("kept", Some(at)),
                Standing::DueSince(at) => ("due", Some(at)),
                Standing::TooLong(at) => ("too_long", Some(at)),
            };
            json!({
                "activation": holding.activation.to_string(),
                "customer": holding.customer.to_string(),
                "class": holding.class.map(Class::as_str),
                "closed_at": holding.closed_at.map(|at| at.to_string()),
                "keep": holding.term.map(|term| term.keep.to_string()),
                "basis": holding.term.map(|term| term.basis.as_str()),
                "standing": standing,
                "at": at.map(|at| at.to_string()),
            })
        })
        .collect();
    json!({"at": now.to_string(), "calls": calls})
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use escalation::retention::{Keep, Term};

    use super::*;

    #[test]
    fn a_basis_is_one_word_of_the_shell_whatever_it_says() {
        assert_eq!(quoted("GDA 27.2.1"), "'GDA 27.2.1'");
        assert_eq!(quoted("a'; rm -rf / #"), r"'a'\''; rm -rf / #'");
    }

    /// What the list prints is what the program takes, with the same settings; what is due later has no command.
    #[test]
    fn the_printed_command_is_one_that_the_program_takes() {
        let customer = CustomerId::parse("kalamunda").unwrap();
        let term = Term { keep: Keep::parse("7y").unwrap(), basis: "-Council's authority, 27.2".to_owned() };
        let now: Timestamp = "2033-11-29T06:03:12Z".parse().unwrap();
        let holding = |standing| Holding {
            activation: "KAL-42".parse().unwrap(),
            customer: customer.clone(),
            class: Some(Class::Genuine),
            closed_at: Some(now),
            term: Some(&term),
            standing,
        };
        let config = format!("--config {}", quoted("/etc/it's here.toml"));
        let terms = Terms::new([(Class::Genuine, None, term.clone())], [customer.clone()].into());
        let text = as_text(&[holding(Standing::DueSince(now))], &terms, (now, now), &config);
        let line = text.lines().find(|line| line.contains("cooee erase")).unwrap();
        // A shell's own way of taking words apart.
        let words = std::process::Command::new("sh").args(["-c", &format!("printf '%s\\n' {line}")]).output().unwrap();
        let words = String::from_utf8(words.stdout).unwrap();
        let Some(crate::cli::Command::Erase(erase)) = crate::cli::Line::try_parse_from(words.lines()).unwrap().command else {
            panic!("{words}")
        };
        assert_eq!((erase.basis.as_str(), erase.file.config.to_str()), ("-Council's authority, 27.2", Some("/etc/it's here.toml")));
        assert_eq!(erase.activation, Some("KAL-42".parse().unwrap()));
        let later = now.saturating_add(escalation::time::SignedDuration::from_hours(1)).unwrap();
        let text = as_text(&[holding(Standing::DueSince(later))], &terms, (later, now), &config);
        assert!(text.contains("NOT YET due") && !text.contains("cooee erase") && !text.contains("--erase"), "{text}");
    }
}
