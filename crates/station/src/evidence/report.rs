//! The report: what a bundle says, for people. What it says is made once, and shown as a page and on paper.
//!
//! What is not known to have worked is said so. It shows what the bundle holds and no more.

pub(super) mod html;
pub(super) mod pdf;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use escalation::event::Reader;
use escalation::time::Timestamp;
use escalation::zone::Zone;
use ledger::{Checkpoint, VerifyKey, Withheld};
use serde_json::Value;

use super::Kept;
use super::anchors::{self, Stamping, Taken};
use super::guard::Guard;
use crate::view::{Attempt, Card, Detail, Line};

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

/// What a report says, before it is shown in one way or another. What the record has of people stands in it as its reader may have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Paper {
    /// Of which activation.
    pub(super) reference: String,
    /// For whom.
    pub(super) reader: &'static str,
    /// The heading.
    pub(super) title: String,
    /// What stands below it.
    pub(super) head: Vec<Fact>,
    /// The rest, in order.
    pub(super) sections: Vec<Section>,
    /// The record's name, size and root as they are signed, line by line.
    pub(super) seal: Seal,
    /// When it was made.
    pub(super) made_at: Timestamp,
}

/// What everything is proven against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seal {
    /// The record's name.
    pub(super) origin: String,
    /// How many entries are signed.
    pub(super) size: u64,
    /// Their root, in base64 as a checkpoint has it.
    pub(super) root: String,
}

/// Something with a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fact {
    /// What it is called.
    pub(super) name: &'static str,
    /// What it is.
    pub(super) value: String,
}

/// A part with a heading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Section {
    /// The heading.
    pub(super) title: &'static str,
    /// What stands below it.
    pub(super) blocks: Vec<Block>,
}

/// A part of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Block {
    /// Words of ours; what stands between backticks is typed.
    Says(&'static str),
    /// Words of ours that nobody may pass over.
    Warns(&'static str),
    /// Facts, one below the other.
    Facts(Vec<Fact>),
    /// A table.
    Table(Table),
}

/// A table of which every row has as many cells as there are columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Table {
    /// Their names, and how much of a page's width each gets beside the others.
    pub(super) columns: Vec<(String, u16)>,
    /// What stands below them.
    pub(super) rows: Vec<Vec<String>>,
}

impl Block {
    /// How many rows it has.
    pub(super) fn rows(&self) -> usize {
        match self {
            Self::Says(_) | Self::Warns(_) => 0,
            Self::Facts(facts) => facts.len(),
            Self::Table(table) => table.rows.len(),
        }
    }
}

/// Says it all.
pub(super) fn write(report: &Report<'_>) -> Paper {
    let section = |title, blocks| Section { title, blocks };
    let checkpoint = report.checkpoint;
    Paper {
        reference: report.detail.card.id.to_string(),
        reader: report.reader.as_str(),
        title: title(&report.detail.card),
        head: report.head(),
        sections: vec![
            section("What happened", vec![Block::Says(TIMELINE_SAYS), report.timeline()]),
            section("Who was told, by what, and how we know", vec![Block::Says(TOLD_SAYS), report.told()]),
            section("Who answered and acted", vec![report.answered()]),
            section("What is not known to have worked", vec![report.unproven()]),
            section("Who outside was given a checkpoint that covers this, or asked to stamp one", report.held()),
            section("What is not in this bundle", vec![report.left_out()]),
            section("How this can be checked", vec![report.proof(), Block::Says(PROOF_SAYS)]),
        ],
        seal: Seal { origin: checkpoint.origin().to_string(), size: checkpoint.size(), root: checkpoint.root_text() },
        made_at: report.made_at,
    }
}

const TIMELINE_SAYS: &str = "Two clocks: the time of day as the station had it, and how long after the first entry by the machine's own counter, which no setting of the clock moves. It starts anew when the program does; then there is none.";
const TOLD_SAYS: &str = "Taken means that a provider or a mail server has it. Delivered means that a receipt says a device took it. Neither says that a person read it; only an answer does.";
const HELD_SAYS: &str = "The size and the root are the record's when all before had been written: a keeper was given them signed, an authority the hash of that. A receipt is the station's own word: ask the keeper for the checkpoint of that size, and compare its root. Where theirs is another, the record was rewritten. An authority that was asked to stamp it keeps nothing.";
const STAMPS_SAY: &str = "A time stamp that is in this bundle lies in the folder `anchors`, and says nothing before it was verified with the authority's certificates.";
const STAMPS_LEFT_OUT: &str = "Where it is not in this bundle, it lies in the entry that says so.";
const NOBODY_HOLDS: &str = "Nobody outside is known to have been given a checkpoint that covers this. That the record was not rewritten as a whole before it was signed for this bundle, nothing outside shows.";
const HELD_UNNAMED: &str = "Who was given a checkpoint that covers this is withheld from this reader, and nothing in this bundle shows that anybody was: whoever passed it on could have written those lines. Somebody who may know their names has to ask them.";
const ONLY_STAMPED: &str = "Nobody outside is known to have been given a checkpoint that covers this: an authority was asked to stamp one, and keeps nothing. Until its time stamp is verified, nothing outside shows that the record was not rewritten as a whole before it was signed for this bundle.";
const PROOF_SAYS: &str = "Every entry above lies in the folder `records` as it was written, with a proof in `proofs`. Compare the key with the one on paper, then run `sh data/verify.sh` with it. This report is a view of those entries; where the two differ, the entries count. They say what the station recorded, not that it was so.";

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
    fn head(&self) -> Vec<Fact> {
        let card = &self.detail.card;
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
            ("The device's own clock", self.pressed_at()),
            ("State", state(card)),
            ("Made for", self.reader.as_str().to_owned()),
            ("Handed to", self.actor.map_or_else(|| self.principal.to_owned(), |actor| format!("{actor} ({})", self.principal))),
            ("Made at", format!("{} UTC", utc(self.made_at))),
        ];
        rows.into_iter().map(|(name, value)| Fact { name, value: self.said(&value) }).collect()
    }

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

    fn timeline(&self) -> Block {
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
        self.table(&[("Entry", 9), (name, 19), ("UTC", 19), ("After the first", 15), ("What", 58)], self.detail.history.iter().map(row))
    }

    fn told(&self) -> Block {
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
            &[("No.", 7), ("To", 20), ("By", 9), ("What for", 13), ("Owed since (UTC)", 19), ("Last heard (UTC)", 19), ("How we know", 33)],
            self.detail.attempts.iter().map(row),
        )
    }

    fn answered(&self) -> Block {
        let lines = self.detail.history.iter().filter(|line| ANSWERS.contains(&line.kind.as_str()));
        let rows = lines.map(|line| vec![line.seq.to_string(), utc(line.at), self.line(line)]);
        self.table(&[("Entry", 9), ("UTC", 19), ("Who and what", 92)], rows)
    }

    fn unproven(&self) -> Block {
        let lines = self.detail.history.iter().filter(|line| UNPROVEN.contains(&line.kind.as_str()));
        let lines = lines.map(|line| vec![format!("entry {}", line.seq), self.line(line)]);
        let attempts = self.detail.attempts.iter().filter(|attempt| attempt.outcome != "delivered");
        let attempts = attempts.map(|attempt| {
            vec![
                format!("message {}", attempt.dispatch.number),
                format!("{} to {}: {}", attempt.medium.as_str(), attempt.to, known(attempt)),
            ]
        });
        self.table(&[("Which", 18), ("What", 102)], attempts.chain(lines))
    }

    fn held(&self) -> Vec<Block> {
        if self.taken.is_empty() {
            return vec![Block::Warns(NOBODY_HOLDS)];
        }
        let zone = zone(&self.detail.card);
        let all = self.own.len();
        let row = |taken: &Taken| {
            let how = match (&taken.stamp, taken.receipt.as_str()) {
                (Stamping::Kept, anchors::WITHHELD) => "given; withheld",
                (Stamping::Withheld, _) => "asked to stamp; withheld",
                (Stamping::Kept | Stamping::Here(_) | Stamping::LeftOut, known) => known,
            };
            vec![
                self.said(&taken.to),
                local(zone.as_ref(), taken.at),
                utc(taken.at),
                covers(taken, all),
                taken.size.to_string(),
                root_text(taken),
                self.said(how),
            ]
        };
        let is_here = |taken: &Taken| matches!(taken.stamp, Stamping::Here(_));
        let is_elsewhere = |taken: &Taken| matches!(taken.stamp, Stamping::LeftOut | Stamping::Withheld);
        let stamps = [(STAMPS_SAY, self.taken.iter().any(is_here)), (STAMPS_LEFT_OUT, self.taken.iter().any(is_elsewhere))];
        let stamps = stamps.into_iter().filter(|(_, is_so)| *is_so).map(|(says, _)| Block::Says(says));
        let name = zone.as_ref().map_or("UTC", Zone::name);
        let columns = [("Who", 13), (name, 16), ("UTC", 16), ("Entries of this", 13), ("Size", 9), ("Root", 25), ("How we know", 28)];
        let columns = columns.map(|(name, share)| (name.to_owned(), share)).to_vec();
        // A root names nobody, though its letters may happen to.
        let table = Block::Table(Table { columns, rows: self.taken.iter().map(row).collect() });
        let warning = unheld(self.taken).map(Block::Warns);
        warning.into_iter().chain([Block::Says(HELD_SAYS)]).chain(stamps).chain([table]).collect()
    }

    fn left_out(&self) -> Block {
        let rows = self.withheld.iter().map(|withheld| {
            let what = match &withheld.value {
                Some((_, label)) => format!("a private value of it ({label})"),
                None => "the entry".to_owned(),
            };
            vec![withheld.index.to_string(), what, withheld.reason.to_owned()]
        });
        self.table(&[("Entry", 9), ("What", 37), ("Why", 74)], rows)
    }

    fn proof(&self) -> Block {
        let rows = [
            ("Record", self.checkpoint.origin().to_string()),
            ("Signed entries", self.checkpoint.size().to_string()),
            ("Root", self.checkpoint.root_text()),
            ("Root in hex", self.checkpoint.root().digest().to_string()),
        ];
        let keys = self.keys.iter().map(|key| ("Public key", key.to_string()));
        Block::Facts(rows.into_iter().chain(keys).map(|(name, value)| Fact { name, value }).collect())
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

    fn table(&self, columns: &[(&str, u16)], rows: impl Iterator<Item = Vec<String>>) -> Block {
        let rows: Vec<Vec<String>> = rows.map(|cells| cells.iter().map(|cell| self.said(cell)).collect()).collect();
        if rows.is_empty() {
            return Block::Says("Nothing.");
        }
        Block::Table(Table { columns: columns.iter().map(|(name, share)| ((*name).to_owned(), *share)).collect(), rows })
    }

    /// A text as this reader may have it.
    fn said(&self, text: &str) -> String {
        if self.guard.hears(text) { "(withheld)".to_owned() } else { text.to_owned() }
    }
}

/// Who outside was given what, for the paper that says what is in the bundle.
pub(super) fn anchors_in_words(taken: &[Taken], all: usize) -> String {
    let lines = taken.iter().map(|taken| {
        let (to, size, covers, root, at) = (&taken.to, taken.size, covers(taken, all), root_text(taken), utc(taken.at));
        let (did, more) = match &taken.stamp {
            Stamping::Kept => ("was given", ""),
            Stamping::Here(_) => ("was asked to stamp", "; its time stamp is in anchors/"),
            Stamping::LeftOut => {
                ("was asked to stamp", "; its time stamp is NOT in this folder, because the checkpoint that it is of is not known here")
            }
            Stamping::Withheld => ("was asked to stamp", "; its time stamp is withheld"),
        };
        format!("  {to} {did} {size} entries of the record, {covers} of the activation, with the root {root}; recorded at {at} UTC{more}\n")
    });
    let lines: String = lines.collect();
    let warning = unheld(taken).map(|says| format!("  {says}\n")).unwrap_or_default();
    format!("\nWho outside was given a checkpoint that covers this, or asked to stamp one:\n{lines}{warning}")
}

/// What nothing outside shows to this reader.
fn unheld(taken: &[Taken]) -> Option<&'static str> {
    let mut keepers = taken.iter().filter(|taken| taken.has_keeper()).peekable();
    match (taken.is_empty(), keepers.peek().is_some()) {
        (true, _) => Some(NOBODY_HOLDS),
        (false, false) => Some(ONLY_STAMPED),
        (false, true) => (!keepers.any(Taken::is_named)).then_some(HELD_UNNAMED),
    }
}

fn covers(taken: &Taken, all: usize) -> String {
    if taken.covers == all { format!("all {all}") } else { format!("the first {} of {all}", taken.covers) }
}

fn root_text(taken: &Taken) -> String {
    STANDARD.encode(taken.root.as_bytes())
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
