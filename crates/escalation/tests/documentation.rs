//! The reference pages say what the rules read and write: keys, kinds, replies and troubles, compared with the code.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use escalation::acknowledgement::Reply;
use escalation::directory::draft::Draft;
use expect_test::expect_file;

const EVENTS: &str = concat!(
    include_str!("../src/event.rs"),
    include_str!("../src/event/raised.rs"),
    include_str!("../src/event/signal_record.rs"),
    include_str!("../src/event/party.rs"),
    include_str!("../src/event/responder.rs"),
    include_str!("../src/event/doer.rs"),
    include_str!("../src/event/successor.rs"),
    include_str!("../src/event/again.rs"),
    include_str!("../src/event/viewed.rs"),
);
const TROUBLES: &str = include_str!("../src/trouble.rs");
const DIRECTORY: &str = include_str!("../../../docs/src/reference/directory.md");
const RECORD: &str = include_str!("../../../docs/src/reference/record.md");
const REPLIES: &str = include_str!("../../../docs/src/reference/replies.md");
const TROUBLE_PAGE: &str = include_str!("../../../docs/src/operate/trouble.md");
/// What stands before the part of the record's page that is printed.
const BEFORE_KINDS: &str = "Fields without a mark are always there; *optional* ones only where there is something to say.\n";
/// A key that no section has, and that is near to none.
const STRANGER: &str = "qqqqqqqqqqqq";

/// The first cell of every table row under each heading, code spans taken apart.
fn keys(page: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut heading = String::new();
    for line in page.lines() {
        if let Some(text) = line.strip_prefix("## ") {
            text.trim_matches('`').clone_into(&mut heading);
        }
        if let Some(cell) = line.strip_prefix("| `").and_then(|row| row.split(" |").next()) {
            let spans = cell.split('`').step_by(2).map(str::to_owned);
            found.entry(heading.clone()).or_default().extend(spans.filter(|span| !span.starts_with(", ")));
        }
    }
    found
}

#[test]
fn the_directory_page_has_every_key_and_no_other() {
    let text = format!(
        "[defaults]\n{STRANGER}=1\n[fallback]\n{STRANGER}=1\n[technical]\n{STRANGER}=1\n[[customer]]\n{STRANGER}=1\n[[centre]]\n{STRANGER}=1\n[[person]]\n{STRANGER}=1\n\
         [[region]]\n{STRANGER}=1\n[[site]]\n{STRANGER}=1\n[[device]]\n{STRANGER}=1\n[[group]]\n{STRANGER}=1\n[[ladder]]\n{STRANGER}=1\n[[ladder.rung]]\n{STRANGER}=1\nnotify=[{{{STRANGER}=1}}]\n\
         [[roster]]\n{STRANGER}=1\n[[roster.shift]]\n{STRANGER}=1\n[[roster.override]]\n{STRANGER}=1\n[[roster.swap]]\n{STRANGER}=1\n\
         [[calendar]]\n{STRANGER}=1\n[[leave]]\n{STRANGER}=1\n[[supervision]]\n{STRANGER}=1\n[[retention]]\n{STRANGER}=1\n[[drill]]\n{STRANGER}=1\n[[plan]]\n{STRANGER}=1\ncentre=[{{{STRANGER}=1}}]\n[[adapter]]\n{STRANGER}=1\n[[adapter.when]]\n{STRANGER}=1\n"
    );
    let sections = [
        ("customer 1, ", "[[customer]]"),
        ("centre 1, ", "[[centre]]"),
        ("person 1, ", "[[person]]"),
        ("region 1, ", "[[region]]"),
        ("site 1, ", "[[site]]"),
        ("device 1, ", "[[device]]"),
        ("group 1, ", "[[group]]"),
        ("ladder 1, rung 1, notify 1, ", "notify"),
        ("ladder 1, rung 1, ", "[[ladder.rung]]"),
        ("ladder 1, ", "[[ladder]]"),
        ("roster 1, shift 1, ", "[[roster.shift]]"),
        ("roster 1, override 1, ", "[[roster.override]]"),
        ("roster 1, swap 1, ", "[[roster.swap]]"),
        ("roster 1, ", "[[roster]]"),
        ("calendar 1, ", "[[calendar]]"),
        ("leave 1, ", "[[leave]]"),
        ("supervision 1, ", "[[supervision]]"),
        ("retention 1, ", "[[retention]]"),
        ("drill 1, ", "[[drill]]"),
        ("plan 1, centre 1, ", "a step"),
        ("plan 1, ", "[[plan]]"),
        ("adapter 1, when 1, ", "[[adapter.when]]"),
        ("adapter 1, ", "[[adapter]]"),
        ("defaults, ", "[defaults]"),
        ("fallback, ", "[fallback]"),
        ("technical, ", "[technical]"),
    ];
    let mut read: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for finding in Draft::parse("directory.toml", &text).findings {
        let Some(title) = finding.what.strip_suffix(&format!(": \"{STRANGER}\" is not a known key")) else { continue };
        let section = sections.iter().find(|(name, _)| *name == format!("{title}, ")).expect(title).1;
        let keys = finding.remedy.strip_prefix("the keys here are ").expect("no key is near to the stranger");
        read.insert(section.to_owned(), keys.split(", ").map(str::to_owned).collect());
    }
    assert_eq!(read.len(), sections.len(), "{:?}", read.keys());
    assert_eq!(keys(DIRECTORY), read);
}

#[test]
fn the_replies_page_reads_as_the_program_reads() {
    let mut examples = 0;
    for line in REPLIES.lines().filter(|line| line.starts_with("| `")) {
        let mut cells = line.trim_matches('|').split(" | ").map(str::trim);
        let (reply, said) = (cells.next().unwrap().trim_matches('`'), cells.next().unwrap());
        let read = match Reply::parse(reply) {
            Reply::Going { .. } => "going",
            Reply::Helping { .. } => "helping",
            Reply::Cannot { .. } => "cannot",
            Reply::Arrived | Reply::InNeed | Reply::PoliceNeeded | Reply::PoliceRung | Reply::StepDone { .. } => {
                unreachable!("none of these is said by text")
            }
            Reply::BareYes => "bare yes",
            Reply::Stop => "stop",
            Reply::Start => "start",
            Reply::NotAnAnswer => "no answer",
        };
        assert_eq!(said, read, "{reply}");
        examples += 1;
    }
    assert!(examples > 10, "the table of the page was not found");
}

#[test]
fn every_trouble_has_its_remedy() {
    let causes = TROUBLES.split_once("pub enum Cause {").unwrap().1.split_once("\n}").unwrap().0;
    let causes: BTreeSet<String> = causes.lines().filter_map(|line| variant(line, 4)).map(|name| snake(&name)).collect();
    assert!(causes.contains("broker_away") && causes.len() > 10, "{causes:?}");
    let told: BTreeSet<String> = TROUBLE_PAGE.lines().filter_map(|line| line.strip_prefix("### ")).map(str::to_owned).collect();
    assert_eq!(told, causes);
}

#[test]
fn the_record_page_prints_every_kind() {
    let variants = EVENTS.split_once("pub enum Event {").unwrap().1.split_once("\n}\n").unwrap().0;
    let head = RECORD.split_once(BEFORE_KINDS).expect("the record's page says where the kinds begin").0;
    expect_file!["../../../docs/src/reference/record.md"].assert_eq(&format!("{head}{BEFORE_KINDS}{}", kinds(variants)));
}

/// The kinds as a chapter, from the variants of the event: each with its sentence and its fields.
fn kinds(variants: &str) -> String {
    let mut page = String::new();
    let (mut words, mut kind) = (Vec::new(), String::new());
    for line in variants.lines() {
        let bare = line.trim();
        // A field may be called otherwise as well; what a kind is called stands as deep as its name.
        if let Some(renamed) = line.strip_prefix("    #[serde(rename = \"") {
            renamed.trim_end_matches("\")]").clone_into(&mut kind);
            let _written = write!(page, "\n### `{kind}`\n\n{}\n", words.join(" "));
            words.clear();
        } else if line.starts_with("    ///") {
            words.push(bare.trim_start_matches("/// ").to_owned());
        } else if let Some(name) = variant(line, 4) {
            page += &fields_after(EVENTS, &format!("    {name} {{\n"), 8);
            if matches!(name.as_str(), "Raised" | "Viewed") {
                page += &fields_after(EVENTS, &format!("pub struct {name} {{\n"), 4);
            }
            words.clear();
        }
    }
    page += "\n## What fields are made of\n";
    for part in ["About", "Scheduled", "SignalRecord", "Party", "Channel", "Responder", "CoResponder", "Doer", "Successor", "Again"] {
        let _written = write!(page, "\n### {part}\n{}", fields_after(EVENTS, &format!("pub struct {part} {{\n"), 4));
    }
    page
}

/// A table of the fields behind `start`, as deep as `indent`; nothing where there are none.
fn fields_after(source: &str, start: &str, indent: usize) -> String {
    let Some((_before, rest)) = source.split_once(start) else { return String::new() };
    let deep = " ".repeat(indent);
    let mut table = String::new();
    let (mut words, mut optional, mut renamed) = (Vec::new(), false, None);
    for line in rest.lines().take_while(|line| line.starts_with(&deep)) {
        let bare = line.trim();
        if let Some(text) = bare.strip_prefix("/// ") {
            words.push(text.to_owned());
        } else if bare.starts_with("#[serde(default") {
            optional = true;
        } else if let Some(other) = bare.strip_prefix("#[serde(rename = \"") {
            renamed = other.split('"').next();
        } else if let Some((name, kind)) = bare.trim_start_matches("pub ").trim_end_matches(',').split_once(": ") {
            let kind = kind.trim_start_matches("Option<").trim_start_matches("Box<").trim_end_matches('>');
            let kind = if kind == "Private" { "sealed".to_owned() } else { format!("`{}`", shown(kind)) };
            let mark = if optional { ", optional" } else { "" };
            let name = renamed.take().unwrap_or(name);
            let _written = writeln!(table, "| `{name}` | {kind}{mark} | {} |", words.join(" ").replace('|', "\\|"));
            words.clear();
            optional = false;
        }
    }
    if table.is_empty() { table } else { format!("\n| Field | Type | What it is |\n|---|---|---|\n{table}") }
}

/// A type with its wrappers spelt as JSON has them.
fn shown(kind: &str) -> String {
    if let Some((key, value)) = kind.strip_prefix("BTreeMap<").and_then(|rest| rest.split_once(", ")) {
        return format!("{{{key}: {}}}", shown(value.trim_end_matches('>')));
    }
    match kind.strip_prefix("Vec<") {
        Some(rest) => format!("[{}]", shown(rest.trim_end_matches('>'))),
        None => kind.trim_start_matches("Arc<").to_owned(),
    }
}

/// The name of a variant that begins on this line.
fn variant(line: &str, indent: usize) -> Option<String> {
    let bare = line.strip_prefix(&" ".repeat(indent))?;
    let name: String = bare.chars().take_while(char::is_ascii_alphanumeric).collect();
    name.starts_with(|c: char| c.is_ascii_uppercase()).then_some(name)
}

fn snake(name: &str) -> String {
    let mut text = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() && !text.is_empty() {
            text.push('_');
        }
        text.push(c.to_ascii_lowercase());
    }
    text
}
