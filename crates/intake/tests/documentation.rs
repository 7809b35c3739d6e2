//! The page of topics says what the ears subscribe to and read.

use std::collections::BTreeSet;

use escalation::private::Private;
use escalation::signal::{Kind, Origin, Style, Verb, Via};
use intake::State;
use intake::adapter::Heard;
use intake::adapter::native::{FILTERS, hear};

const TOPICS: &str = include_str!("../../../docs/src/reference/mqtt.md");

/// The topics of the table under a heading, as filters.
fn filters(heading: &str) -> BTreeSet<String> {
    let chapter = TOPICS.split("\n## ").find(|chapter| chapter.starts_with(heading)).unwrap_or_default();
    let rows = chapter.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    rows.filter(|row| row.starts_with("cooee/")).map(|topic| topic.replace("{site}", "+").replace("{device}", "+")).collect()
}

#[test]
fn every_topic_is_documented_and_no_other() {
    assert_eq!(filters("What devices publish"), FILTERS.map(str::to_owned).into());
}

#[test]
fn the_documented_press_is_read_whole() {
    let sample = TOPICS.split("```json\n").nth(1).and_then(|rest| rest.split("```").next()).expect("the page has a press");
    let origin = Origin { via: Via::Session, client: None, qos: 1, retained: false, dup: false, waited_since: None };
    let Heard::Signal(press) = hear(b"cooee/v1/library/counter/press", sample.as_bytes(), origin) else { panic!("it is no signal") };
    assert_eq!(press.verb, Verb::Press { kind: Some(Kind::Duress), style: Some(Style::Long) });
    assert_eq!((press.id.as_deref(), press.sequence, press.battery), (Some("b-17-0042"), Some(881), Some(41)));
    assert!(press.pressed_at.is_some());
    assert_eq!(press.location.as_ref().and_then(Private::open), Some("-31.9,115.8,12"));
    assert_eq!(press.note.as_ref().and_then(Private::open), Some("at the back"));
}

#[test]
fn the_documented_states_are_those_that_devices_are_told() {
    for state in [State::Received, State::Responding, State::Closed] {
        let word = serde_json::to_string(&state).expect("a word");
        assert!(TOPICS.contains(&format!("`{}`", word.trim_matches('"'))) || TOPICS.contains(&word), "{word} is not on the page");
    }
}
