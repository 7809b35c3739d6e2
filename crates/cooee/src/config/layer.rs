//! The two layers of settings, and where each key stands in the file.
//!
//! Knows the names of sections, not what is in them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use config::{Config, Environment, File, FileFormat, Value, ValueKind};
use escalation::directory::finding::{Finding, Severity};
use serde::de::DeserializeOwned;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

const PREFIX: &str = "COOEE__";

/// Settings before they have a shape.
pub(crate) struct Layered<'t> {
    path: PathBuf,
    text: &'t str,
    spans: DeTable<'t>,
    merged: BTreeMap<String, Value>,
    findings: Vec<Finding>,
}

impl<'t> Layered<'t> {
    /// Layers `environment` over the file's `text`. What is wrong becomes findings; what can be read is still there.
    pub(crate) fn new(path: &Path, text: &'t str, environment: &BTreeMap<String, String>, tables: &[&str], lists: &[&str]) -> Self {
        let (spans, broken) = DeTable::parse_recoverable(text);
        let mut layered = Self { path: path.to_owned(), text, spans: spans.into_inner(), merged: BTreeMap::new(), findings: Vec::new() };
        for error in &broken {
            let line = layered.line_at(error.span().map_or(0, |span| span.start));
            layered.add(
                line,
                format!("this is not TOML: {}", error.message()),
                "",
                "mend this line; the settings are checked once the file can be read",
            );
        }
        layered.refuse_unknown(tables, lists);
        let over = layered.overrides(environment, tables, lists);
        if broken.is_empty() {
            layered.merge(over);
        }
        layered
    }

    /// A section that has to be there.
    pub(crate) fn table<T: DeserializeOwned>(&mut self, name: &str, need: &str) -> Option<T> {
        match self.merged.get(name).cloned() {
            Some(value) => self.shape(name, value, &[name]),
            None => {
                // Where the file is broken TOML the section may just be unread.
                if self.findings.is_empty() || !self.merged.is_empty() {
                    self.add(0, format!("there is no [{name}]"), "", &format!("add {need}"));
                }
                None
            }
        }
    }

    /// A section that may be left out.
    pub(crate) fn optional<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let value = self.merged.get(name).cloned()?;
        self.shape(name, value, &[name])
    }

    /// A section whose every key has a default.
    pub(crate) fn table_or_default<T: DeserializeOwned + Default>(&mut self, name: &str) -> T {
        self.optional(name).unwrap_or_default()
    }

    /// A list of tables, `[[key]]`, each with its position from 0; those with mistakes are left out and said.
    pub(crate) fn list<T: DeserializeOwned>(&mut self, name: &str) -> Vec<(usize, T)> {
        let mut found = Vec::new();
        for (index, value) in self.items(name).into_iter().enumerate() {
            if let Some(shaped) = self.shape(name, value, &[name, &index.to_string()]) {
                found.push((index, shaped));
            }
        }
        found
    }

    /// The `name` of every table in a list.
    pub(crate) fn names(&self, list: &str) -> Vec<String> {
        let tables = self.items(list).into_iter().filter_map(|v| v.into_table().ok());
        tables.filter_map(|mut t| t.remove("name")?.into_string().ok()).collect()
    }

    /// Every text in the settings, with its path.
    pub(crate) fn texts(&self) -> Vec<(Vec<String>, String)> {
        let mut found = Vec::new();
        for (name, value) in &self.merged {
            gather(&mut vec![name.clone()], value, &mut found);
        }
        found
    }

    /// Reports an error at a key.
    pub(crate) fn error(&mut self, at: &[&str], what: &str, consequence: &str, remedy: &str) {
        let line = self.line_of(at).unwrap_or(0);
        self.add(line, what.to_owned(), consequence, remedy);
    }

    /// Everything found, by line.
    pub(crate) fn into_findings(mut self) -> Vec<Finding> {
        self.findings.sort_by_key(|f| f.line);
        self.findings
    }

    fn items(&self, name: &str) -> Vec<Value> {
        let items = self.merged.get(name).cloned().map(Value::into_array);
        items.and_then(Result::ok).unwrap_or_default()
    }

    fn refuse_unknown(&mut self, tables: &[&str], lists: &[&str]) {
        let mut wrong = Vec::new();
        for (key, value) in &self.spans {
            let (name, line) = (key.get_ref().as_ref(), self.line_at(key.span().start));
            let is_table = matches!(value.get_ref(), DeValue::Table(_));
            let is_list = matches!(value.get_ref(), DeValue::Array(_));
            if tables.contains(&name) {
                if !is_table {
                    wrong.push((line, format!("{name} is not a section"), format!("write it as  [{name}]")));
                }
            } else if lists.contains(&name) {
                if !is_list {
                    wrong.push((line, format!("{name} is not a list of tables"), format!("write it as  [[{name}]]")));
                }
            } else {
                let known = tables.iter().chain(lists).copied();
                wrong.push((line, format!("\"{name}\" is not a known section"), suggestion(name, known)));
            }
        }
        for (line, what, remedy) in wrong {
            self.add(line, what, "", &remedy);
        }
    }

    /// The variables that override something; those that cannot are said.
    fn overrides(
        &mut self,
        environment: &BTreeMap<String, String>,
        tables: &[&str],
        lists: &[&str],
    ) -> std::collections::HashMap<String, String> {
        let mut taken = std::collections::HashMap::new();
        for (name, value) in environment {
            let Some(rest) = name.strip_prefix(PREFIX) else {
                continue;
            };
            let lower = rest.to_ascii_lowercase();
            let section = lower.split("__").next().unwrap_or_default();
            let depth = lower.split("__").filter(|part| !part.is_empty()).count();
            if tables.contains(&section) && depth == 2 {
                taken.insert(name.clone(), value.clone());
                continue;
            }
            let remedy = if lists.contains(&section) {
                format!("[[{section}]] comes from the file alone; write it there")
            } else if tables.contains(&section) {
                format!("write it as  {PREFIX}{}__KEY", section.to_ascii_uppercase())
            } else {
                suggestion(section, tables.iter().copied())
            };
            self.findings.push(Finding {
                severity: Severity::Error,
                file: "environment".to_owned(),
                line: 0,
                what: format!("{name} overrides nothing"),
                consequence: String::new(),
                remedy,
            });
        }
        taken
    }

    fn merge(&mut self, over: std::collections::HashMap<String, String>) {
        let environment = Environment::with_prefix("COOEE").prefix_separator("__").separator("__").source(Some(over));
        let built = Config::builder().add_source(File::from_str(self.text, FileFormat::Toml)).add_source(environment).build();
        match built.and_then(|config| config.cache.into_table()) {
            Ok(merged) => {
                self.merged = merged.into_iter().collect();
                let folder = self.path.parent().unwrap_or(Path::new("")).to_owned();
                for value in self.merged.values_mut() {
                    anchor(value, &folder);
                }
            }
            Err(why) => self.add(0, format!("the settings cannot be layered: {why}"), "", "mend the file"),
        }
    }

    fn shape<T: DeserializeOwned>(&mut self, name: &str, value: Value, at: &[&str]) -> Option<T> {
        let shaped: Result<T, config::ConfigError> = value.try_deserialize();
        match shaped {
            Ok(shaped) => Some(shaped),
            Err(why) => {
                let why = why.to_string();
                let key = quoted(&why);
                let path: Vec<&str> = at.iter().copied().chain(key.as_deref()).collect();
                let line = self.line_of(&path).or_else(|| self.line_of(at));
                let env = key.as_ref().map(|key| format!("{PREFIX}{}__{}", name.to_ascii_uppercase(), key.to_ascii_uppercase()));
                let remedy = remedy(&why, env.as_deref());
                self.add(line.unwrap_or(0), format!("{name}: {}", clean(&why)), "", &remedy);
                None
            }
        }
    }

    /// The line of a path of keys and list positions, if the file has it.
    fn line_of(&self, path: &[&str]) -> Option<usize> {
        let mut table = &self.spans;
        let mut steps = path.iter().peekable();
        loop {
            let (key, value) = table.get_key_value(*steps.next()?)?;
            let mut value = value;
            let mut start = key.span().start;
            if let (DeValue::Array(items), Some(step)) = (value.get_ref(), steps.peek())
                && let Ok(index) = step.parse::<usize>()
            {
                steps.next();
                value = items.get(index)?;
                start = value.span().start;
            }
            if steps.peek().is_none() {
                return Some(self.line_at(start));
            }
            let DeValue::Table(inner) = Spanned::get_ref(value) else {
                return None;
            };
            table = inner;
        }
    }

    fn line_at(&self, offset: usize) -> usize {
        let before = self.text.get(..offset).unwrap_or(self.text);
        1 + before.bytes().filter(|b| *b == b'\n').count()
    }

    fn add(&mut self, line: usize, what: String, consequence: &str, remedy: &str) {
        self.findings.push(Finding {
            severity: Severity::Error,
            file: self.path.display().to_string(),
            line,
            what,
            consequence: consequence.to_owned(),
            remedy: remedy.to_owned(),
        });
    }
}

/// Makes paths absolute: `*_file` by `$CREDENTIALS_DIRECTORY` where it is there, all others by the settings' folder.
fn anchor(value: &mut Value, folder: &Path) {
    match &mut value.kind {
        ValueKind::Table(table) => {
            for (key, value) in table.iter_mut() {
                let is_path = key.ends_with("_file") || matches!(key.as_str(), "data_dir" | "dir" | "path");
                match &mut value.kind {
                    ValueKind::String(text) if is_path => {
                        *text = super::secret::place(key, text, folder).display().to_string();
                    }
                    _ => anchor(value, folder),
                }
            }
        }
        ValueKind::Array(items) => items.iter_mut().for_each(|item| anchor(item, folder)),
        _ => {}
    }
}

fn gather(path: &mut Vec<String>, value: &Value, found: &mut Vec<(Vec<String>, String)>) {
    match &value.kind {
        ValueKind::Table(table) => {
            let sorted: BTreeMap<_, _> = table.iter().collect();
            for (key, value) in sorted {
                path.push(key.clone());
                gather(path, value, found);
                path.pop();
            }
        }
        ValueKind::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(index.to_string());
                gather(path, item, found);
                path.pop();
            }
        }
        ValueKind::String(text) => found.push((path.clone(), text.clone())),
        _ => {}
    }
}

/// The key that a message is about: what it puts in backquotes after "field", or after "key".
fn quoted(message: &str) -> Option<String> {
    let after = message.split_once("field `").or_else(|| message.split_once("key `"))?.1;
    let key = after.split('`').next()?;
    Some(key.rsplit('.').next().unwrap_or(key).to_owned())
}

/// A library's message without its guesses at where it stands.
fn clean(message: &str) -> String {
    let cut = message.split(", expected one of").next().unwrap_or(message);
    cut.split(", expected `").next().unwrap_or(cut).to_owned()
}

fn remedy(message: &str, env: Option<&str>) -> String {
    if let Some(known) = message.split("expected one of ").nth(1) {
        return format!("the choices are {}", known.split(" in ").next().unwrap_or(known));
    }
    if message.contains("missing") {
        return match env {
            Some(env) => format!("add it, or set {env}"),
            None => "add it".to_owned(),
        };
    }
    "write it as config/cooee.toml shows".to_owned()
}

fn suggestion<'a>(word: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    let near = known
        .clone()
        .map(|k| (strsim::osa_distance(word, k), k))
        .filter(|(slips, _)| *slips <= (word.len() / 3).max(1))
        .min_by_key(|(slips, _)| *slips);
    match near {
        Some((_, near)) => format!("did you mean {near}?"),
        None => format!("the sections are {}", known.collect::<Vec<_>>().join(", ")),
    }
}
