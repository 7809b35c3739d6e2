//! `cooee drill`: have the running station drill a ladder, and print what came of a drill.
//!
//! Exit code 0: the drill has begun, or it is over and everybody was reached and has answered. 1: anything less.
//! 2: it is not known to have begun, or the sheet could not be read.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use escalation::id::ActivationId;
use escalation::time::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::control::Control;
use crate::cli::Drill;

/// What the station says of a drill that has begun.
#[derive(Deserialize)]
struct Started {
    drill: String,
}

/// The result sheet, as far as it is printed.
#[derive(Deserialize)]
struct Sheet {
    drill: Head,
    started_by: String,
    told: Vec<Told>,
    answered: usize,
    unanswered: usize,
    lost: usize,
    unreached: Vec<String>,
    claimed_by: Option<String>,
    complete: bool,
}

#[derive(Deserialize)]
struct Head {
    id: String,
    site_name: String,
    place: String,
    raised_at: Timestamp,
    closed_at: Option<Timestamp>,
    drill: Bound,
}

#[derive(Deserialize)]
struct Bound {
    until: Timestamp,
    ended: Option<String>,
}

#[derive(Deserialize)]
struct Told {
    name: String,
    rung: u16,
    messages: Vec<Message>,
    answer: Option<Answer>,
}

#[derive(Deserialize)]
struct Message {
    by: String,
    at: Timestamp,
    delivered_at: Option<Timestamp>,
    outcome: String,
    detail: Option<String>,
}

#[derive(Deserialize)]
struct Answer {
    after_ms: u64,
    what: String,
    by: String,
}

/// Starts a drill, or prints the sheet of one.
pub(crate) fn run(arguments: &Drill) -> anyhow::Result<ExitCode> {
    let control = Control::of(&arguments.file)?;
    match (&arguments.site, &arguments.result) {
        (Some(site), None) => start(&control, arguments, site.as_str()),
        (None, Some(drill)) => result(&control, drill),
        (Some(_), Some(_)) | (None, None) => bail!("say either  --site  or  --result"),
    }
}

fn start(control: &Control, arguments: &Drill, site: &str) -> anyhow::Result<ExitCode> {
    let Drill { device, minutes, note, by, .. } = arguments;
    let mut body = Map::from_iter([("site".to_owned(), json!(site)), ("minutes".to_owned(), json!(minutes))]);
    for (field, said) in [("device", device), ("note", note), ("by", by)] {
        body.extend(said.as_ref().map(|said| (field.to_owned(), json!(said))));
    }
    let request = control.post("/api/v1/drills", &Value::Object(body));
    let answer = control.answer(request, "starts no drill", "centre, site or admin")?;
    let Started { drill } = serde_json::from_slice(&answer).context("read what the station answered")?;
    print(&format!(
        "{drill} has begun: the people of the ladder are called as for a real press, in messages that say DRILL\n\
         a real press at {site} is a call of its own and ends it\n\
         what came of it:  cooee drill --result {drill}\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}

fn result(control: &Control, drill: &ActivationId) -> anyhow::Result<ExitCode> {
    let request = control.get(&format!("/api/v1/drills/{drill}"));
    let answer = control.answer(request, "shows no result sheet", "centre, site, auditor or admin")?;
    let sheet: Sheet = serde_json::from_slice(&answer).context("read what the station answered")?;
    print(&printed(&sheet))?;
    Ok(if sheet.complete { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn printed(sheet: &Sheet) -> String {
    let Sheet {
        drill: Head { id, site_name, place, raised_at, closed_at, drill },
        started_by,
        told,
        answered,
        unanswered,
        lost,
        unreached,
        claimed_by,
        ..
    } = sheet;
    let stands = match (closed_at, drill.ended.as_deref()) {
        (None, _) => format!("still on, until {:.0} at the latest", drill.until),
        (Some(at), Some("exhausted")) => format!("over at {at:.0}: every step was tried"),
        (Some(at), Some("time_over")) => format!("over at {at:.0}: its time was over"),
        (Some(at), Some("real_call")) => format!("over at {at:.0}: a real call came there"),
        (Some(at), Some(_) | None) => format!("closed at {at:.0}"),
    };
    let mut page = format!("{id}: drill at {site_name}, {place}\nstarted by {started_by} at {raised_at:.0}, {stands}\n");
    for told in told {
        let step = if told.rung == 0 { "beside".to_owned() } else { format!("step {}", told.rung) };
        let messages: Vec<String> = told.messages.iter().map(message).collect();
        let messages = if messages.is_empty() { "no message".to_owned() } else { messages.join("; ") };
        let answer = told.answer.as_ref().map_or_else(
            || "NO ANSWER".to_owned(),
            |answer| format!("{} by {} after {}", answer.what, answer.by, seconds(answer.after_ms)),
        );
        let _written = writeln!(page, "  {step:<7} {:<24} {answer:<30} {messages}", told.name);
    }
    for line in unreached {
        let _written = writeln!(page, "  not reached, {line}");
    }
    if let Some(operator) = claimed_by {
        let _written = writeln!(page, "  claimed by {operator}");
    }
    let _written = writeln!(page, "{} told, {answered} answered, {unanswered} did not; {lost} messages lost", told.len());
    page
}

fn message(message: &Message) -> String {
    let Message { by, at, delivered_at, outcome, detail } = message;
    let after = delivered_at.map(|delivered| {
        let ms = u64::try_from(delivered.duration_since(*at).as_millis()).unwrap_or_default();
        format!(" after {}", seconds(ms))
    });
    let detail = detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    format!("{by} {outcome}{}{detail}", after.unwrap_or_default())
}

fn seconds(ms: u64) -> String {
    format!("{}.{} s", ms / 1_000, ms % 1_000 / 100)
}

fn print(text: &str) -> anyhow::Result<()> {
    std::io::stdout().write_all(text.as_bytes()).context("print it")
}
