//! The report: what a bundle says, for people. One page that loads nothing.
//!
//! What is not known to have worked is said so. It shows what the bundle holds and no more.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use escalation::event::Reader;
use escalation::time::Timestamp;
use escalation::zone::Zone;
use ledger::{Checkpoint, VerifyKey, Withheld};
use serde_json::Value;

use super::Kept;
use super::anchors::Taken;
use super::guard::Guard;
use crate::view::{Attempt, Card, Detail, Line};

/// How it looks, on paper as well.
const STYLE: &str = include_str!("report.css");
/// Kinds of entries that say what did not work, or is not known to have.
const UNPROVEN: [&str; 10] = [
    "rung.passed_over",
    "contact.passed_over",
    "receipt.overdue",
    "answer.set_aside",
    "commitment.lapsed",
    "claim.lapsed",
    "hand_over.ended",
    "check.silent",
    "police.unrung",
    "activation.exhausted",
];
/// Kinds of entries in which a person says something.
const ANSWERS: [&str; 17] = [
    "answer.accepted",
    "answer.joined",
    "answer.declined",
    "answer.arrived",
    "answer.set_aside",
    "police.needed",
    "police.rung",
    "activation.claimed",
    "hold.placed",
    "hand_over.offered",
    "activation.escalated",
    "activation.cancel_asked",
    "note.added",
    "safe.said",
    "word.judged",
    "activation.closed",
    "activation.reopened",
];

/// What a report is made of.
pub(super) struct Report<'a> {
    /// The history with what this reader may have.
    pub(super) detail: &'a Detail,
    /// The entries, for their clocks.
    pub(super) own: &'a [Kept],
    /// What is not in the bundle.
    pub(super) withheld: &'a [Withheld],
    /// Who outside was given what.
    pub(super) taken: &'a [Taken],
    /// What it is proven against.
    pub(super) checkpoint: &'a Checkpoint,
    /// The keys.
    pub(super) keys: &'a [VerifyKey],
    /// What must not be said.
    pub(super) guard: &'a Guard,
    /// For whom.
    pub(super) reader: Reader,
    /// To whom it is handed.
    pub(super) principal: &'a str,
    /// The same as a person, for a reader who may know.
    pub(super) actor: Option<&'a str>,
    /// When.
    pub(super) made_at: Timestamp,
}

/// The page.
pub(super) fn write(report: &Report<'_>) -> String {
    let title = title(&report.detail.card);
    let parts = [
        head(report),
        section("What happened", TIMELINE_SAYS, &report.timeline()),
        section("Who was told, by what, and how we know", TOLD_SAYS, &report.told()),
        section("Who answered and acted", "", &report.answered()),
        section("What is not known to have worked", "", &report.unproven()),
        section("Who outside holds a checkpoint that covers this", if report.taken.is_empty() { "" } else { HELD_SAYS }, &report.held()),
        section("What is not in this bundle", "", &report.left_out()),
        section("How this can be checked", "", &report.proof()),
    ];
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{}</title>\n<style>\n{STYLE}</style></head>\n<body>\n{}</body></html>\n",
        escaped(&title),
        parts.concat()
    )
}

const TIMELINE_SAYS: &str = "Two clocks: the time of day as the station had it, and how long after the first entry by the machine's own counter, which no setting of the clock moves. It starts anew when the program does; then there is none.";
const TOLD_SAYS: &str = "Taken means that a provider or a mail server has it. Delivered means that a receipt says a device took it. Neither says that a person read it; only an answer does.";
const HELD_SAYS: &str = "Each was given the record's size and root when all before it had been written. A receipt is the station's own word: ask the keeper for the checkpoint of that size, and compare its root. Where theirs is another, the record was rewritten.";
const NOBODY_HOLDS: &str = "Nobody outside is known to have been given a checkpoint that covers this. That the record was not rewritten as a whole before it was signed for this bundle, nothing outside shows.";

fn head(report: &Report<'_>) -> String {
    let card = &report.detail.card;
    let zone = zone(card);
    let rows = [
        (
            "Kind",
            if card.drill.is_some() {
                format!("DRILL, as if {}: nobody was in danger", card.kind.as_str())
            } else {
                card.kind.as_str().to_owned()
            },
        ),
        ("Where", format!("{}, {} ({})", card.site_name, card.place, card.device)),
        ("Whose", card.customer_name.clone()),
        ("First entry", format!("{} ({} UTC)", local(zone.as_ref(), card.raised_at), utc(card.raised_at))),
        ("Presses", card.presses.to_string()),
        ("The device's own clock", report.pressed_at()),
        ("State", state(card)),
        ("Made for", report.reader.as_str().to_owned()),
        ("Handed to", report.actor.map_or_else(|| report.principal.to_owned(), |actor| format!("{actor} ({})", report.principal))),
        ("Made at", format!("{} UTC", utc(report.made_at))),
    ];
    let rows: Vec<String> = rows.iter().map(|(name, value)| row(name, &report.said(value))).collect();
    format!("<h1>{}</h1>\n<table class=\"head\">\n{}</table>\n", escaped(&title(card)), rows.concat())
}

fn title(card: &Card) -> String {
    let what = if card.drill.is_some() { "Drill" } else { "Activation" };
    format!("{what} {}", card.id)
}

fn state(card: &Card) -> String {
    match (card.closed_at, card.disposition) {
        (Some(at), Some(disposition)) => format!(
            "closed at {} UTC by {}: {}",
            utc(at),
            card.closed_by.as_deref().unwrap_or("somebody"),
            crate::order::disposition(disposition)
        ),
        (Some(_), None) | (None, _) => format!("{}; NOT CLOSED when this was made: what came later is not here", card.state.as_str()),
    }
}

impl Report<'_> {
    /// What the device said of when it was pressed, where that entry is in the bundle.
    fn pressed_at(&self) -> String {
        let Some(first) = self.own.first() else { return String::new() };
        if let Some(why) = self.withheld_for(first.entry.seq.index()) {
            return why;
        }
        let fields = first.fields();
        let said = fields.get("signal").and_then(|signal| signal.get("pressed_at")).and_then(Value::as_str);
        said.map_or_else(|| "said nothing".to_owned(), |at| format!("said {at}; what clocks of devices say is not proven"))
    }

    fn timeline(&self) -> String {
        let zone = zone(&self.detail.card);
        let clocks = clocks(self.own);
        let row = |line: &Line| {
            let cells = [
                line.seq.to_string(),
                local(zone.as_ref(), line.at),
                utc(line.at),
                clocks.get(&line.seq).cloned().unwrap_or_default(),
                self.line(line),
            ];
            cells.to_vec()
        };
        let name = zone.as_ref().map_or("UTC", Zone::name);
        self.table(&["Entry", name, "UTC", "After the first", "What"], self.detail.history.iter().map(row))
    }

    fn told(&self) -> String {
        let row = |attempt: &Attempt| {
            vec![
                attempt.dispatch.number.to_string(),
                attempt.to.clone(),
                attempt.medium.as_str().to_owned(),
                attempt.purpose.as_str().replace('_', " "),
                utc(attempt.queued_at),
                attempt.outcome_at.map(utc).unwrap_or_default(),
                known(attempt),
            ]
        };
        self.table(
            &["No.", "To", "By", "What for", "Owed since (UTC)", "Last heard (UTC)", "How we know"],
            self.detail.attempts.iter().map(row),
        )
    }

    fn answered(&self) -> String {
        let lines = self.detail.history.iter().filter(|line| ANSWERS.contains(&line.kind.as_str()));
        let rows = lines.map(|line| vec![line.seq.to_string(), utc(line.at), self.line(line)]);
        self.table(&["Entry", "UTC", "Who and what"], rows)
    }

    fn unproven(&self) -> String {
        let lines = self.detail.history.iter().filter(|line| UNPROVEN.contains(&line.kind.as_str()));
        let lines = lines.map(|line| vec![format!("entry {}", line.seq), self.line(line)]);
        let attempts = self.detail.attempts.iter().filter(|attempt| attempt.outcome != "delivered");
        let attempts = attempts.map(|attempt| {
            vec![
                format!("message {}", attempt.dispatch.number),
                format!("{} to {}: {}", attempt.medium.as_str(), attempt.to, known(attempt)),
            ]
        });
        self.table(&["Which", "What"], attempts.chain(lines))
    }

    fn held(&self) -> String {
        if self.taken.is_empty() {
            return format!("<p><strong>{NOBODY_HOLDS}</strong></p>\n");
        }
        let zone = zone(&self.detail.card);
        let all = self.own.len();
        let row = |taken: &Taken| {
            vec![
                taken.to.clone(),
                local(zone.as_ref(), taken.at),
                utc(taken.at),
                if taken.covers == all { format!("all {all}") } else { format!("the first {} of {all}", taken.covers) },
                taken.size.to_string(),
                root_text(taken),
                taken.receipt.clone(),
            ]
        };
        let name = zone.as_ref().map_or("UTC", Zone::name);
        self.table(&["Who", name, "UTC", "Entries of this", "Size", "Root", "How we know"], self.taken.iter().map(row))
    }

    fn left_out(&self) -> String {
        let rows = self.withheld.iter().map(|withheld| {
            let what = match &withheld.value {
                Some((_, label)) => format!("a private value of it ({label})"),
                None => "the entry".to_owned(),
            };
            vec![withheld.index.to_string(), what, withheld.reason.to_owned()]
        });
        self.table(&["Entry", "What", "Why"], rows)
    }

    fn proof(&self) -> String {
        let rows = [
            ("Record", self.checkpoint.origin().to_string()),
            ("Signed entries", self.checkpoint.size().to_string()),
            ("Root", self.checkpoint.root().digest().to_string()),
        ];
        let keys = self.keys.iter().map(|key| ("Public key", key.to_string()));
        let rows: Vec<String> = rows.into_iter().chain(keys).map(|(name, value)| row(name, &escaped(&value))).collect();
        format!(
            "<table class=\"head\">\n{}</table>\n<p>Every entry above lies in the folder <code>records</code> as it was written, with a proof in <code>proofs</code>. \
             Compare the key with the one on paper, then run <code>sh data/verify.sh</code> with it. This page is a view of those entries; where the two differ, the entries count. \
             They say what the station recorded, not that it was so.</p>\n",
            rows.concat()
        )
    }

    /// A line's sentence, where its entry is in the bundle.
    fn line(&self, line: &Line) -> String {
        self.withheld_for(line.seq).unwrap_or_else(|| line.text.clone())
    }

    /// Why a whole entry is not in the bundle; `None` where it is.
    fn withheld_for(&self, seq: u64) -> Option<String> {
        let whole = self.withheld.iter().find(|withheld| withheld.index == seq && withheld.value.is_none());
        whole.map(|withheld| format!("(withheld: {})", withheld.reason))
    }

    fn table(&self, names: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
        let rows: Vec<String> = rows
            .map(|cells| {
                let cells: Vec<String> = cells.iter().map(|cell| format!("<td>{}</td>", self.said(cell))).collect();
                format!("<tr>{}</tr>\n", cells.concat())
            })
            .collect();
        if rows.is_empty() {
            return "<p>Nothing.</p>\n".to_owned();
        }
        let names: Vec<String> = names.iter().map(|name| format!("<th>{}</th>", escaped(name))).collect();
        format!("<table>\n<tr>{}</tr>\n{}</table>\n", names.concat(), rows.concat())
    }

    /// A text as this reader may have it.
    fn said(&self, text: &str) -> String {
        if self.guard.hears(text) { "(withheld)".to_owned() } else { escaped(text) }
    }
}

/// Who outside was given what, for the paper that says what is in the bundle.
pub(super) fn anchors_in_words(taken: &[Taken]) -> String {
    let lines = taken.iter().map(|taken| {
        format!("  {}: {} entries with the root {}; recorded at {} UTC\n", taken.to, taken.size, root_text(taken), utc(taken.at))
    });
    let lines: String = lines.collect();
    let lines = if lines.is_empty() { format!("  {NOBODY_HOLDS}\n") } else { lines };
    format!("\nWho outside was given a checkpoint that covers this:\n{lines}")
}

fn root_text(taken: &Taken) -> String {
    STANDARD.encode(taken.root.as_bytes())
}

/// A line of a table of two columns; what it says is ready to be shown.
fn row(name: &str, said: &str) -> String {
    format!("<tr><th>{name}</th><td>{said}</td></tr>\n")
}

fn section(title: &str, says: &str, inside: &str) -> String {
    let says = if says.is_empty() { String::new() } else { format!("<p>{says}</p>\n") };
    format!("<h2>{title}</h2>\n{says}{inside}")
}

/// How it is known what became of a message, or that it is not.
fn known(attempt: &Attempt) -> String {
    let who = attempt.provider.as_deref().unwrap_or("the provider");
    let detail = attempt.detail.as_deref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    let twice = if attempt.possible_duplicate { "; it may have been sent twice" } else { "" };
    let known = match attempt.outcome {
        "delivered" => format!("a receipt of {who} says that it was delivered"),
        "accepted" => format!("{who} took it; nothing says that it arrived"),
        "undelivered" => format!("{who} says that it did NOT arrive{detail}"),
        "failed" => format!("it did NOT leave{detail}"),
        "no receipt" => format!("{who} took it; the receipt that was promised did NOT come in time"),
        other => format!("{other}; nothing was heard of it"),
    };
    format!("{known}{twice}")
}

/// How long after the first entry each one was written, by the counter of the machine.
fn clocks(own: &[Kept]) -> BTreeMap<u64, String> {
    let read = |kept: &Kept| {
        let fields = kept.fields();
        let boot = fields.get("boot").and_then(Value::as_str)?.to_owned();
        Some((kept.entry.seq.index(), boot, fields.get("mono_us").and_then(Value::as_u64)?))
    };
    let read: Vec<_> = own.iter().filter_map(read).collect();
    let Some((_, first_boot, first)) = read.first().cloned() else { return BTreeMap::new() };
    let after = read.into_iter().map(|(seq, boot, mono_us)| {
        let ms = mono_us.saturating_sub(first) / 1_000;
        let said = if boot == first_boot { format!("{}.{:03} s", ms / 1_000, ms % 1_000) } else { "after a restart".to_owned() };
        (seq, said)
    });
    after.collect()
}

fn zone(card: &Card) -> Option<Zone> {
    Zone::named(&card.timezone).ok()
}

fn local(zone: Option<&Zone>, at: Timestamp) -> String {
    zone.map_or_else(|| utc(at), |zone| format!("{:.3}", zone.wall(at)).replace('T', " "))
}

fn utc(at: Timestamp) -> String {
    format!("{at:.3}").replace('T', " ").replace('Z', "")
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
