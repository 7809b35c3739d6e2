//! Adapter rules: how a message of another ecosystem becomes a signal, without code.
//!
//! A rule is data: a topic pattern, JSON pointers, and what their values mean. The ears apply it; see `docs/src/reference/directory.md`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{DeviceId, SiteId, Slug};
use crate::signal::{Kind, Style};

/// One adapter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Its name, for findings and logs.
    pub id: Slug,
    /// An MQTT topic in which `{device}` and `{site}` stand for one level each, `+` for any one level and a closing `#` for any rest: `zigbee2mqtt/{device}`.
    pub topic: String,
    /// The site of its devices, where the topic does not name one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub site: Option<SiteId>,
    /// Which device an outside name stands for, where it is not the name itself.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub devices: BTreeMap<String, DeviceId>,
    /// A JSON pointer to the device's name, where the topic does not carry it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device_pointer: Option<String>,
    /// A JSON pointer to the message's own id, for recognising repeats.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_pointer: Option<String>,
    /// A JSON pointer to the battery in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub battery_pointer: Option<String>,
    /// A JSON pointer to the safe word that came with a cancel. It is judged and not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub word_pointer: Option<String>,
    /// Tried in order; the first that matches decides.
    pub when: Vec<When>,
    /// What a message means that no `when` matched. Of several rules for one topic the first with a matching `when` decides.
    #[serde(default)]
    pub otherwise: Otherwise,
}

/// One condition and its meaning.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// A JSON pointer (RFC 6901), in which a level `*` stands for each element of an array; empty is the whole payload, which may then be plain text.
    #[serde(default)]
    pub pointer: String,
    /// The values that match, compared as text (`true`, `1`, `emergency`); empty means that the pointer only has to exist.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub equals: Vec<String>,
    /// What it means.
    pub means: Meaning,
    /// Of a press: which kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// Of a press: which style.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub style: Option<Style>,
}

/// What a matching message means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// A call for help.
    Press,
    /// Someone asks to cancel.
    Cancel,
    /// Opened.
    TamperOn,
    /// Closed again.
    TamperOff,
    /// Alive.
    Alive,
    /// There.
    Online,
    /// Gone.
    Offline,
    /// Known and without meaning to us: not recorded.
    Nothing,
}

/// What a message means that no condition matched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Otherwise {
    /// Fail towards alarm: an unreadable signal that asks a human.
    #[default]
    Unreadable,
    /// The topic also carries telemetry: not recorded. What is not even readable still asks a human.
    Nothing,
}
