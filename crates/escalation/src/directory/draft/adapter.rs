//! `[[adapter]]`: how another ecosystem's messages become signals. The rule itself is [`Rule`]; this checks what is written.

use serde::Deserialize;
use toml::Spanned;
use toml::de::DeValue;

use super::reader::{At, Section};
use crate::directory::adapter::Rule;
use crate::id::{SiteId, Slug};

const RULE_KEYS: [&str; 10] =
    ["id", "topic", "site", "devices", "device_pointer", "id_pointer", "battery_pointer", "word_pointer", "when", "otherwise"];
const WHEN_KEYS: [&str; 5] = ["pointer", "equals", "means", "kind", "style"];

/// An adapter rule with its line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftAdapter {
    /// The rule, as it is adopted.
    pub rule: Rule,
    /// Where the site is named, if it is.
    pub site: Option<At<SiteId>>,
    /// Where it begins.
    pub line: usize,
}

impl DraftAdapter {
    pub(super) fn read(mut section: Section<'_, '_, '_>) -> Option<Self> {
        let errors_before = section.reader.errors();
        section.id::<Slug>("id");
        section.missing("id", "", "give the rule a short name for findings");
        section.text("topic");
        section.missing("topic", "", "add  topic = \"zigbee2mqtt/{device}\"");
        let site = section.id::<SiteId>("site");
        for key in RULE_KEYS {
            section.value(key);
        }
        check_conditions(&mut section);
        let (title, line) = (section.title.clone(), section.line);
        let table = section.table_itself().clone();
        let reader = section.close();
        if reader.errors() != errors_before {
            return None;
        }
        match Rule::deserialize(toml::de::Deserializer::from(Spanned::new(0..0, table))) {
            Ok(rule) => {
                if let Some((what, remedy)) = unusable(&rule) {
                    reader.error(line, format!("{title}: {what}"), "its messages could not become signals", remedy);
                }
                Some(Self { rule, site, line })
            }
            Err(why) => {
                let at = why.span().map_or(line, |span| reader.line_of(span.start));
                let what = format!("{title}: {}", sentence(why.message()));
                reader.error(at, what, "", "see the reference of adapter rules for what may stand here");
                None
            }
        }
    }
}

fn check_conditions(section: &mut Section<'_, '_, '_>) {
    section.missing("when", "no message would mean anything", "add  [[adapter.when]]  with  means = \"press\"");
    section.each("when", |mut when| {
        for key in WHEN_KEYS {
            when.value(key);
        }
        when.missing("means", "", "add  means = \"press\"");
        if let Some((DeValue::String(pointer), line)) = when.value("pointer")
            && !pointer.is_empty()
            && !pointer.starts_with('/')
        {
            let what = when.titled("pointer is not a JSON pointer");
            when.reader.error(line, what, "", "write it with a slash before each step: \"/action\"");
        }
        when.close();
        None::<()>
    });
}

/// Why a rule that reads well still cannot work, and what to do.
fn unusable(rule: &Rule) -> Option<(&'static str, &'static str)> {
    let levels: Vec<_> = rule.topic.split('/').collect();
    let placed = |name: &str| levels.contains(&name);
    let misplaced = levels.iter().enumerate().any(|(i, level)| {
        let whole = matches!(*level, "{device}" | "{site}") || (*level == "#" && i + 1 == levels.len());
        !whole && level.contains(['{', '}', '+', '#'])
    });
    if misplaced {
        return Some((
            "the topic has a wildcard where none can stand",
            "use {device} and {site} for one whole level each, and # only at the end",
        ));
    }
    if levels.first().is_some_and(|first| first.starts_with('$')) {
        return Some(("the topic begins with $, which brokers keep for themselves", "use another topic"));
    }
    if !placed("{device}") && rule.device_pointer.is_none() {
        return Some(("nothing says which device a message is from", "put {device} into the topic, or give device_pointer"));
    }
    if !placed("{site}") && rule.site.is_none() && rule.devices.is_empty() {
        return Some(("nothing says which site a message is from", "give site, or put {site} into the topic"));
    }
    if rule.when.is_empty() {
        return Some(("when is empty: no message would mean anything", "add an [[adapter.when]]"));
    }
    let pointers = [&rule.device_pointer, &rule.id_pointer, &rule.battery_pointer, &rule.word_pointer];
    if pointers.into_iter().flatten().any(|p| !p.starts_with('/')) {
        return Some(("a pointer is not a JSON pointer", "write it with a slash before each step: \"/id\""));
    }
    None
}

/// A library's message on one line of bearable length.
fn sentence(message: &str) -> String {
    message.chars().take(200).filter(|c| !c.is_control()).collect()
}
