//! The report as one page that loads nothing.

use super::{Block, Fact, Paper, Section, Table};

/// How it looks, printed as well.
const STYLE: &str = include_str!("../report.css");

/// The page.
pub(in crate::evidence) fn page(paper: &Paper) -> String {
    let title = escaped(&paper.title);
    let sections: Vec<String> = paper.sections.iter().map(section).collect();
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{title}</title>\n<style>\n{STYLE}</style></head>\n<body>\n<h1>{title}</h1>\n{}{}</body></html>\n",
        facts(&paper.head),
        sections.concat()
    )
}

fn section(section: &Section) -> String {
    let blocks: Vec<String> = section.blocks.iter().map(block).collect();
    format!("<h2>{}</h2>\n{}", escaped(section.title), blocks.concat())
}

fn block(block: &Block) -> String {
    match block {
        Block::Says(words) => format!("<p>{}</p>\n", typed(words)),
        Block::Warns(words) => format!("<p><strong>{}</strong></p>\n", typed(words)),
        Block::Facts(some) => facts(some),
        Block::Table(table) => rows(table),
    }
}

fn facts(facts: &[Fact]) -> String {
    let line = |fact: &Fact| format!("<tr><th>{}</th><td>{}</td></tr>\n", escaped(fact.name), escaped(&fact.value));
    let lines: Vec<String> = facts.iter().map(line).collect();
    format!("<table class=\"head\">\n{}</table>\n", lines.concat())
}

fn rows(table: &Table) -> String {
    let names: Vec<String> = table.columns.iter().map(|(name, _)| format!("<th>{}</th>", escaped(name))).collect();
    let row = |cells: &Vec<String>| {
        let cells: Vec<String> = cells.iter().map(|cell| format!("<td>{}</td>", escaped(cell))).collect();
        format!("<tr>{}</tr>\n", cells.concat())
    };
    let rows: Vec<String> = table.rows.iter().map(row).collect();
    format!("<table>\n<tr>{}</tr>\n{}</table>\n", names.concat(), rows.concat())
}

/// Every second part of what backticks divide is typed.
fn typed(words: &str) -> String {
    let parts = words.split('`').zip([false, true].into_iter().cycle());
    parts.map(|(part, is_typed)| if is_typed { format!("<code>{}</code>", escaped(part)) } else { escaped(part) }).collect()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
