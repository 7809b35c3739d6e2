//! The two layers of settings, and where each key stands in the file.
//!
//! Knows the names of sections, not what is in them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
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
    /// Whether the file is TOML: where it is not, what seems to be missing may just be unread.
    whole: bool,
    /// Keys that the environment overrides: `http.listen`.
    overridden: BTreeSet<String>,
    findings: Vec<Finding>,
}

impl<'t> Layered<'t> {
    /// Layers `environment` over the file's `text`. What is wrong becomes findings; what can be read is still there.
    pub(crate) fn new(path: &Path, text: &'t str, environment: &BTreeMap<String, String>, tables: &[&str], lists: &[&str]) -> Self {
        let (spans, broken) = DeTable::parse_recoverable(text);
        let mut layered = Self {
            path: path.to_owned(),
            text,
            spans: spans.into_inner(),
            merged: BTreeMap::new(),
            whole: broken.is_empty(),
            overridden: BTreeSet::new(),
            findings: Vec::new(),
        };
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
        if self.whole && !self.merged.contains_key(name) {
            self.add(0, format!("there is no [{name}]"), "", &format!("add {need}"));
        }
        self.optional(name)
    }

    /// A section that may be left out.
    pub(crate) fn optional<T: DeserializeOwned>(&mut self, name: &str) -> Option<T> {
        let value = self.merged.get(name).cloned()?;
        // Anything but a table was reported when the sections were looked at.
        matches!(value.kind, ValueKind::Table(_)).then(|| self.shape(name, value, &[name]))?
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
        self.choices(list, "name").into_iter().flatten().collect()
    }

    /// The text under `key` in every table of a list, in order.
    pub(crate) fn choices(&self, list: &str, key: &str) -> Vec<Option<String>> {
        let text = |value: Value| value.into_table().ok()?.remove(key)?.into_string().ok();
        self.items(list).into_iter().map(text).collect()
    }

    /// One table of a list whose key `but` chose its shape and is no part of it.
    pub(crate) fn item<T: DeserializeOwned>(&mut self, list: &str, index: usize, but: &str) -> Option<T> {
        let mut value = self.items(list).into_iter().nth(index)?;
        if let ValueKind::Table(table) = &mut value.kind {
            table.remove(but);
        }
        self.shape(list, value, &[list, &index.to_string()])
    }

    /// Every text in the settings, with its path.
    pub(crate) fn texts(&self) -> Vec<(Vec<String>, String)> {
        let mut found = Vec::new();
        for (name, value) in &self.merged {
            gather(&mut vec![name.clone()], value, &mut found);
        }
        found
    }

    /// Whether the file is TOML at all.
    pub(crate) fn is_whole(&self) -> bool {
        self.whole
    }

    /// How many errors were found so far; here everything found is one.
    pub(crate) fn errors(&self) -> usize {
        self.findings.len()
    }

    /// Reports an error at a key.
    pub(crate) fn error(&mut self, at: &[&str], what: &str, consequence: &str, remedy: &str) {
        let line = self.line_of(at).unwrap_or(0);
        self.add(line, what.to_owned(), consequence, remedy);
    }

    /// Reports an error on a line, from 0, within a key's value.
    pub(crate) fn error_within(&mut self, at: &[&str], line: usize, what: &str, remedy: &str) {
        let up = (0..at.len()).find_map(|off| Some((self.place_of(at.get(..at.len() - off)?)?, off)));
        let begins = match up {
            // Where the key itself is missing, the table it should be in.
            Some((place, 0)) => self.line_at(place.key) + line + usize::from(line > 0 && self.begins_below(place.value)),
            Some((place, _)) => self.line_at(place.key),
            None => 0,
        };
        self.add(begins, what.to_owned(), "", remedy);
    }

    /// Whether a text begins on the line after its quotes.
    fn begins_below(&self, offset: usize) -> bool {
        let text = self.text.get(offset..).unwrap_or_default();
        ["\"\"\"\n", "'''\n"].iter().any(|quotes| text.starts_with(quotes))
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
    fn overrides(&mut self, environment: &BTreeMap<String, String>, tables: &[&str], lists: &[&str]) -> HashMap<String, String> {
        let mut taken = HashMap::new();
        for (name, value) in environment {
            let Some(rest) = name.strip_prefix(PREFIX) else {
                continue;
            };
            let lower = rest.to_ascii_lowercase();
            let section = lower.split("__").next().unwrap_or_default();
            let depth = lower.split("__").filter(|part| !part.is_empty()).count();
            if tables.contains(&section) && depth == 2 {
                self.overridden.insert(lower.replace("__", "."));
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

    fn merge(&mut self, over: HashMap<String, String>) {
        let environment = Environment::with_prefix("COOEE").prefix_separator("__").separator("__").source(Some(over));
        let built = Config::builder().add_source(File::from_str(self.text, FileFormat::Toml)).add_source(environment).build();
        match built.and_then(|config| config.cache.into_table()) {
            Ok(merged) => {
                self.merged = merged.into_iter().collect();
                let folder = self.path.parent().unwrap_or(Path::new("")).to_owned();
                for value in self.merged.values_mut() {
                    anchor("", value, &folder);
                }
            }
            Err(why) => self.add(0, format!("the settings cannot be layered: {why}"), "", "mend the file"),
        }
    }

    /// Gives a section its shape. The library stops at the first mistake; taking out the key that it names and trying
    /// again finds the others, until what is missing is what was taken out.
    fn shape<T: DeserializeOwned>(&mut self, name: &str, mut value: Value, at: &[&str]) -> Option<T> {
        let mut removed = BTreeSet::new();
        loop {
            let shaped: Result<T, config::ConfigError> = value.clone().try_deserialize();
            let mistake = match shaped {
                Ok(shaped) => return removed.is_empty().then_some(shaped),
                Err(why) => Mistake::read(&why.to_string()),
            };
            let mistake = mistake.within(name);
            if removed.contains(&mistake.path) {
                return None;
            }
            self.report(name, at, &mistake);
            let mut path = mistake.path;
            if remove(&mut value, &path).is_none() {
                // What is missing cannot be taken out; the inner table that lacks it can, and then the rest is looked at.
                path.pop();
                remove(&mut value, &path)?;
            }
            removed.insert(path);
        }
    }

    /// Reports a mistake where it was made: on a line of the file, or in a variable.
    fn report(&mut self, section: &str, at: &[&str], mistake: &Mistake) {
        let key = mistake.path.join(".");
        let path: Vec<&str> = at.iter().copied().chain(mistake.path.iter().map(String::as_str)).collect();
        if self.overridden.contains(&path.join(".")) {
            let variable = format!("{PREFIX}{}__{}", section.to_ascii_uppercase(), key.to_ascii_uppercase());
            self.findings.push(Finding {
                severity: Severity::Error,
                file: "environment".to_owned(),
                line: 0,
                what: format!("{variable} {}", mistake.what),
                consequence: String::new(),
                remedy: mistake.remedy.clone(),
            });
            return;
        }
        // What is missing has no line of its own: the table it is missing from has.
        let line = (at.len()..=path.len()).rev().find_map(|depth| self.line_of(path.get(..depth)?));
        let what = if key.is_empty() { format!("{section}: {}", mistake.what) } else { format!("{section}: {key} {}", mistake.what) };
        self.add(line.unwrap_or(0), what, "", &mistake.remedy);
    }

    /// The line of a path of keys and list positions, if the file has it.
    fn line_of(&self, path: &[&str]) -> Option<usize> {
        self.place_of(path).map(|place| self.line_at(place.key))
    }

    /// Where a path of keys and list positions stands, if the file has it.
    fn place_of(&self, path: &[&str]) -> Option<Place> {
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
                return Some(Place { key: start, value: value.span().start });
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

/// Where a key and its value begin in the file, bytes.
#[derive(Clone, Copy)]
struct Place {
    key: usize,
    value: usize,
}

/// Makes paths absolute: `*_file` by `$CREDENTIALS_DIRECTORY` where it is there, all others by the settings' folder.
#[expect(clippy::iter_over_hash_type, reason = "each value is changed by itself; the order cannot be seen")]
fn anchor(key: &str, value: &mut Value, folder: &Path) {
    if let ValueKind::Table(table) = &mut value.kind {
        for (key, value) in table.iter_mut() {
            anchor(key, value, folder);
        }
    } else if let ValueKind::Array(items) = &mut value.kind {
        for item in items {
            anchor(key, item, folder);
        }
    } else if let ValueKind::String(text) = &mut value.kind
        && (key.ends_with("_file") || matches!(key, "data_dir" | "dir" | "path"))
    {
        *text = super::secret::place(key, text, folder).display().to_string();
    }
}

fn gather(path: &mut Vec<String>, value: &Value, found: &mut Vec<(Vec<String>, String)>) {
    if let ValueKind::Table(table) = &value.kind {
        let sorted: BTreeMap<_, _> = table.iter().collect();
        for (key, value) in sorted {
            path.push(key.clone());
            gather(path, value, found);
            path.pop();
        }
    } else if let ValueKind::Array(items) = &value.kind {
        for (index, item) in items.iter().enumerate() {
            path.push(index.to_string());
            gather(path, item, found);
            path.pop();
        }
    } else if let ValueKind::String(text) = &value.kind {
        found.push((path.clone(), text.clone()));
    }
}

/// Takes out what a path leads to; `None` where nothing is there.
fn remove(value: &mut Value, path: &[String]) -> Option<Value> {
    let (last, way) = path.split_last()?;
    let mut inner = value;
    for step in way {
        let ValueKind::Table(table) = &mut inner.kind else { return None };
        inner = table.get_mut(step)?;
    }
    let ValueKind::Table(table) = &mut inner.kind else { return None };
    table.remove(last)
}

/// A library's message, taken apart.
struct Mistake {
    /// The key it is about, outermost first; empty where it names none.
    path: Vec<String>,
    what: String,
    remedy: String,
}

impl Mistake {
    fn read(message: &str) -> Self {
        let (text, path) = match message.rsplit_once(" for key `") {
            Some((text, rest)) => (text, rest.split('`').next().unwrap_or_default()),
            None => (message, ""),
        };
        let mut path: Vec<String> = path.split('.').filter(|step| !step.is_empty()).map(str::to_owned).collect();
        if let Some(unknown) = between(text, "unknown field `", '`') {
            let known = text.split_once(", expected").map_or("", |(_, known)| known);
            let known = known.split('`').skip(1).step_by(2);
            let remedy = match near(&unknown, known.clone()) {
                Some(near) => format!("did you mean {near}?"),
                None => format!("the keys here are {}", known.collect::<Vec<_>>().join(", ")),
            };
            path.push(unknown);
            return Self { path, what: "is not a known key".to_owned(), remedy };
        }
        let missing = between(text, "missing configuration field \"", '"');
        if let Some(missing) = missing.or_else(|| between(text, "missing field `", '`')) {
            let whole = missing.split('.').map(str::to_owned);
            let known = path.len();
            // Some messages name the whole way again.
            path.extend(whole.skip(if missing.contains('.') { known } else { 0 }));
            return Self { path, what: "is missing".to_owned(), remedy: "add it; config/cooee.toml shows how".to_owned() };
        }
        let what = match text.split_once(" does not have variant constructor ") {
            Some((_, written)) => format!("\"{written}\" is none of the choices"),
            None => text.to_owned(),
        };
        Self {
            what: if path.is_empty() { what } else { format!("cannot be used: {what}") },
            path,
            remedy: "write it as config/cooee.toml shows".to_owned(),
        }
    }

    /// The same within a section: some messages name the section too.
    fn within(mut self, section: &str) -> Self {
        if self.path.len() > 1 && self.path.first().is_some_and(|first| first == section) {
            self.path.remove(0);
        }
        self
    }
}

fn between(text: &str, mark: &str, end: char) -> Option<String> {
    let rest = text.split_once(mark)?.1;
    rest.split(end).next().map(str::to_owned)
}

fn near<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    known
        .map(|k| (strsim::osa_distance(word, k), k))
        .filter(|(slips, _)| *slips <= (word.len() / 3).max(1))
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, near)| near)
}

fn suggestion<'a>(word: &str, known: impl Iterator<Item = &'a str> + Clone) -> String {
    match near(word, known.clone()) {
        Some(near) => format!("did you mean {near}?"),
        None => format!("the sections are {}", known.collect::<Vec<_>>().join(", ")),
    }
}
