//! Applies the directory's adapter rules, so that a new kind of button needs no code.
//!
//! Must not know any ecosystem: what one says stands in its rule (`config/adapters/` has samples). What no rule can read
//! fails towards alarm unless the rule says that its topic also carries other things.

use escalation::directory::adapter::{Meaning, Otherwise, Rule, When};
use escalation::id::{DeviceId, DeviceName, SiteId, Slug};
use escalation::signal::{Origin, Unreadable, Verb};
use escalation::word::Entered;
use serde_json::Value;

use super::{
    DEPTH_MAX, Heard, Ignored, PAYLOAD_MAX, bare, deeper_than, evidence, evidence_without_payload, message_id, percent, scalar, slug,
};

/// Longest topic that MQTT can carry, in bytes.
const TOPIC_MAX: usize = 65_535;

/// A rule that was found sound, ready to be applied.
#[derive(Clone, Debug)]
pub struct Compiled {
    rule: Rule,
    levels: Vec<Level>,
    /// Ends in `#`.
    open_ended: bool,
    filter: String,
}

/// One level of a topic pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Level {
    Literal(String),
    Device,
    Site,
    Any,
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("adapter \"{rule}\": {what}")]
pub struct RuleFault {
    /// Which.
    pub rule: Slug,
    /// What, and what to do about it.
    pub what: String,
}

impl Compiled {
    /// Compiles a rule, or says everything that is wrong with it.
    pub fn new(rule: &Rule) -> Result<Self, Vec<RuleFault>> {
        let mut faults = Vec::new();
        let (levels, open_ended) = levels(&rule.topic, &mut faults);
        check_identity(rule, &levels, &mut faults);
        check_pointers(rule, &mut faults);
        check_meanings(rule, &mut faults);
        if !faults.is_empty() {
            return Err(faults.into_iter().map(|what| RuleFault { rule: rule.id.clone(), what }).collect());
        }
        let filter = filter(&levels, open_ended);
        Ok(Self { rule: rule.clone(), levels, open_ended, filter })
    }

    /// The MQTT topic filter that covers the pattern.
    pub fn filter(&self) -> &str {
        &self.filter
    }

    /// The site and device that a topic names, if the pattern matches it.
    fn matches<'t>(&self, topic: &'t [u8]) -> Option<Named<'t>> {
        let mut named = Named::default();
        let mut said = topic.split(|byte| *byte == b'/');
        for level in &self.levels {
            let text = said.next()?;
            match level {
                Level::Literal(literal) if literal.as_bytes() != text => return None,
                Level::Literal(_) | Level::Any => {}
                Level::Device => named.device = Some(text),
                Level::Site => named.site = Some(text),
            }
        }
        (self.open_ended || said.next().is_none()).then_some(named)
    }

    fn device(&self, named: &Named<'_>, said: &Value) -> DeviceId {
        let pointed = self.rule.device_pointer.as_deref().and_then(|path| at(said, path).into_iter().find_map(scalar));
        let name = pointed.as_deref().map(str::as_bytes).or(named.device).unwrap_or_default();
        if let Some(known) = std::str::from_utf8(name).ok().and_then(|name| self.rule.devices.get(name)) {
            return known.clone();
        }
        let site = named.site.map(|site| SiteId::from(slug(site)));
        DeviceId {
            // A rule that maps its devices may leave the site out; what it does not map is then at a place nobody knows, and rings.
            site: site.or_else(|| self.rule.site.clone()).unwrap_or_else(|| SiteId::from(self.rule.id.clone())),
            name: DeviceName::from(slug(name)),
        }
    }
}

/// What a topic names.
#[derive(Clone, Copy, Debug, Default)]
struct Named<'t> {
    site: Option<&'t [u8]>,
    device: Option<&'t [u8]>,
}

/// What a message says by these rules: the first rule with a condition that matches decides; if none has one, the first that
/// wants unreadable messages told.
pub fn hear(rules: &[Compiled], topic: &[u8], payload: &[u8], origin: Origin) -> Heard {
    let said = read(payload);
    let mut unmatched = Vec::new();
    for rule in rules {
        let Some(named) = rule.matches(topic) else {
            continue;
        };
        let matched = said.as_ref().ok().and_then(|said| rule.rule.when.iter().find(|when| holds(when, said)).map(|when| (said, when)));
        match matched {
            Some((said, when)) => return meaning(rule, &named, said, when, topic, payload, origin),
            None => unmatched.push((rule, named)),
        }
    }
    if unmatched.is_empty() {
        return Heard::Ignored(Ignored::NotOurTopic);
    }
    let why = match &said {
        Ok(said) => unreadable_because(&unmatched, said, payload),
        Err(why) => *why,
    };
    let teller = unmatched.iter().find(|(rule, _)| match rule.rule.otherwise {
        Otherwise::Unreadable => true,
        // Telemetry is readable: a payload that is no JSON at all, where every condition looks into JSON, is not telemetry.
        Otherwise::Nothing => why != Unreadable::NoRuleMatched,
    });
    let Some((rule, named)) = teller else {
        return Heard::Ignored(Ignored::WithoutMeaning);
    };
    let verb = Verb::Unreadable { why };
    let device = rule.device(named, said.as_ref().unwrap_or(&Value::Null));
    Heard::Signal(bare(device, verb, origin, evidence(topic, payload)))
}

fn unreadable_because(unmatched: &[(&Compiled, Named<'_>)], said: &Value, payload: &[u8]) -> Unreadable {
    let wants_text = |rule: &Compiled| rule.rule.when.iter().any(|when| when.pointer.is_empty());
    let plain = matches!(said, Value::String(_)) && !payload.starts_with(b"\"");
    if plain && !payload.is_empty() && !unmatched.iter().any(|(rule, _)| wants_text(rule)) {
        return Unreadable::NotJson;
    }
    Unreadable::NoRuleMatched
}

/// JSON where it is JSON, else the whole as text.
fn read(payload: &[u8]) -> Result<Value, Unreadable> {
    if payload.len() > PAYLOAD_MAX {
        return Err(Unreadable::TooLarge);
    }
    let text = std::str::from_utf8(payload).map_err(|_| Unreadable::NotUtf8)?;
    if deeper_than(DEPTH_MAX, text) {
        return Err(Unreadable::TooDeep);
    }
    Ok(serde_json::from_str(text).unwrap_or_else(|_| Value::String(text.to_owned())))
}

fn holds(when: &When, said: &Value) -> bool {
    let found = at(said, &when.pointer);
    if when.equals.is_empty() {
        return !found.is_empty();
    }
    let says = |value: &&Value| text_of(value).is_some_and(|text| when.equals.contains(&text));
    found.iter().any(says)
}

/// A value as rules compare it; arrays and objects have no text.
fn text_of(value: &Value) -> Option<String> {
    if value.is_null() { Some("null".to_owned()) } else { scalar(value) }
}

/// Every value that a pointer leads to: RFC 6901, and a level `*` stands for each element of an array.
fn at<'v>(said: &'v Value, pointer: &str) -> Vec<&'v Value> {
    let mut found = vec![said];
    for level in pointer.split('/').skip(1) {
        let level = level.replace("~1", "/").replace("~0", "~");
        found = found.into_iter().flat_map(|value| below(value, &level)).collect();
    }
    found
}

fn below<'v>(value: &'v Value, level: &str) -> Vec<&'v Value> {
    match value {
        Value::Array(elements) if level == "*" => elements.iter().collect(),
        Value::Array(elements) => level.parse().ok().and_then(|index: usize| elements.get(index)).into_iter().collect(),
        Value::Object(fields) => fields.get(level).into_iter().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    }
}

fn meaning(rule: &Compiled, named: &Named<'_>, said: &Value, when: &When, topic: &[u8], payload: &[u8], origin: Origin) -> Heard {
    let device = rule.device(named, said);
    let pointed = |pointer: &Option<String>| pointer.as_deref().map(|path| at(said, path)).unwrap_or_default();
    let battery = pointed(&rule.rule.battery_pointer).into_iter().find_map(percent);
    let verb = match when.means {
        Meaning::Press => Verb::Press { kind: when.kind, style: when.style },
        Meaning::Cancel => {
            // A keypad's cancel may carry its code: neither the payload nor anything in it is kept.
            let entered = pointed(&rule.rule.word_pointer).into_iter().find_map(scalar).map(Entered::Open);
            return Heard::Signal(bare(device, Verb::Cancel(entered), origin, evidence_without_payload(topic)));
        }
        Meaning::TamperOn => Verb::Tamper { on: true },
        Meaning::TamperOff => Verb::Tamper { on: false },
        Meaning::Alive => {
            return Heard::Alive { device, battery, rssi: None, at: None };
        }
        Meaning::Online => Verb::Presence { online: true },
        Meaning::Offline => Verb::Presence { online: false },
        Meaning::Nothing => return Heard::Ignored(Ignored::WithoutMeaning),
    };
    let mut signal = bare(device, verb, origin, evidence(topic, payload));
    signal.id = pointed(&rule.rule.id_pointer).into_iter().find_map(message_id);
    signal.battery = battery;
    Heard::Signal(signal)
}

fn levels(topic: &str, faults: &mut Vec<String>) -> (Vec<Level>, bool) {
    if topic.is_empty() || topic.len() > TOPIC_MAX || topic.contains('\0') {
        faults.push(format!("its topic must have 1 to {TOPIC_MAX} bytes and no NUL"));
        return (Vec::new(), false);
    }
    let (body, open_ended) = match topic.strip_suffix("/#") {
        Some(body) => (body, true),
        None => (topic, false),
    };
    let levels: Vec<Level> = body.split('/').map(|level| one_level(level, faults)).collect();
    if levels.iter().all(|level| *level != Level::Device && !matches!(level, Level::Literal(_))) {
        faults.push(format!("topic \"{topic}\" would match nearly everything; name at least one level"));
    }
    if body.starts_with("cooee/") {
        faults.push(format!("topic \"{topic}\" is among our own; give the adapter's devices another one"));
    }
    (levels, open_ended)
}

fn one_level(text: &str, faults: &mut Vec<String>) -> Level {
    match text {
        "{device}" => Level::Device,
        "{site}" => Level::Site,
        "+" => Level::Any,
        literal => {
            if literal.contains(['{', '}', '+', '#']) {
                faults.push(format!("topic level \"{literal}\": use {{device}}, {{site}} or + for a whole level, # only at the end"));
            }
            Level::Literal(literal.to_owned())
        }
    }
}

fn check_identity(rule: &Rule, levels: &[Level], faults: &mut Vec<String>) {
    let count = |wanted: &Level| levels.iter().filter(|level| *level == wanted).count();
    if count(&Level::Device) > 1 || count(&Level::Site) > 1 {
        faults.push("{device} and {site} may stand in its topic once each".to_owned());
    }
    if count(&Level::Device) == 0 && rule.device_pointer.is_none() {
        faults.push("nothing says which device it is: put {device} into the topic, or add device_pointer".to_owned());
    }
    if count(&Level::Site) == 0 && rule.site.is_none() && rule.devices.is_empty() {
        faults.push("nothing says which site it is: add site = \"...\", {site} in the topic, or map its devices".to_owned());
    }
}

fn check_pointers(rule: &Rule, faults: &mut Vec<String>) {
    let optional = [&rule.device_pointer, &rule.id_pointer, &rule.battery_pointer, &rule.word_pointer];
    let pointers = optional.into_iter().flatten().chain(rule.when.iter().map(|when| &when.pointer));
    for pointer in pointers {
        if !pointer.is_empty() && !pointer.starts_with('/') {
            faults.push(format!("pointer \"{pointer}\" must be empty or begin with / (RFC 6901)"));
        }
    }
}

fn check_meanings(rule: &Rule, faults: &mut Vec<String>) {
    if rule.when.is_empty() {
        faults.push("it has no [[adapter.when]], so that none of its messages could mean anything".to_owned());
    }
    let misplaced = |when: &&When| when.means != Meaning::Press && (when.kind.is_some() || when.style.is_some());
    if rule.when.iter().any(|when| misplaced(&when)) {
        faults.push("kind and style belong to means = \"press\" only".to_owned());
    }
}

fn filter(levels: &[Level], open_ended: bool) -> String {
    let mut shown: Vec<&str> = levels
        .iter()
        .map(|level| match level {
            Level::Literal(text) => text.as_str(),
            Level::Device | Level::Site | Level::Any => "+",
        })
        .collect();
    if open_ended {
        shown.push("#");
    }
    shown.join("/")
}

#[cfg(test)]
mod tests;
