//! Our own topics, `cooee/v1/{site}/{device}/...`.
//!
//! Identity comes from the topic alone, which the broker's ACL binds to its client. Whatever arrives on a press topic is a
//! press. A cancel's payload is a safe word: it is handed on to be judged, and never kept.

use escalation::id::DeviceId;
use escalation::private::Private;
use escalation::signal::{Kind, Origin, Signal, Style, Unreadable, Verb};
use escalation::time::Timestamp;
use escalation::word::{Entered, Word};
use serde_json::{Map, Value};

use super::{Heard, Ignored, bare, device, evidence, evidence_without_payload, json, message_id, percent, scalar};

/// What every native topic begins with.
pub const ROOT: &[u8] = b"cooee/v1/";

/// The filters that cover every native topic.
pub const FILTERS: [&str; 5] =
    ["cooee/v1/+/+/press", "cooee/v1/+/+/cancel", "cooee/v1/+/+/alive", "cooee/v1/+/+/tamper", "cooee/v1/+/+/lwt"];

/// What a message on a native topic says. Total: see the room's adapters.
pub fn hear(topic: &[u8], payload: &[u8], origin: Origin) -> Heard {
    let Some((device, leaf)) = address(topic) else {
        return Heard::Ignored(Ignored::NotOurTopic);
    };
    match leaf {
        b"press" => Heard::Signal(press(device, topic, payload, origin)),
        b"cancel" => {
            let evidence = evidence_without_payload(topic);
            Heard::Signal(bare(device, Verb::Cancel(word(payload)), origin, evidence))
        }
        b"alive" => alive(device, payload),
        b"tamper" => {
            let verb = tamper(payload).unwrap_or_else(|why| Verb::Unreadable { why });
            Heard::Signal(bare(device, verb, origin, evidence(topic, payload)))
        }
        b"lwt" if payload.is_empty() => Heard::Ignored(Ignored::Cleared),
        b"lwt" => Heard::Signal(bare(device, presence(payload), origin, evidence(topic, payload))),
        _ => Heard::Ignored(Ignored::NotOurTopic),
    }
}

fn address(topic: &[u8]) -> Option<(DeviceId, &[u8])> {
    let mut levels = topic.strip_prefix(ROOT)?.split(|byte| *byte == b'/');
    let (site, name, leaf) = (levels.next()?, levels.next()?, levels.next()?);
    levels.next().is_none().then(|| (device(site, name), leaf))
}

/// The word that came with a cancel. What cannot be read as one is a wrong one: nobody can say that it was none.
fn word(payload: &[u8]) -> Option<Entered> {
    if payload.is_empty() {
        return None;
    }
    match json(payload) {
        Ok(Value::Object(said)) => said.get("code").map(|code| scalar(code).map_or(Entered::Judged(Word::Wrong), Entered::Open)),
        Ok(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) | Err(_) => {
            Some(Entered::Judged(Word::Wrong))
        }
    }
}

/// A press, whatever its payload: what can be read of it is, field by field, and the rest is evidence.
fn press(device: DeviceId, topic: &[u8], payload: &[u8], origin: Origin) -> Box<Signal> {
    let said = match json(payload) {
        Ok(Value::Object(said)) => said,
        Ok(_) | Err(_) => Map::new(),
    };
    let text = |key: &str| said.get(key).and_then(Value::as_str);
    let verb = Verb::Press { kind: text("kind").and_then(kind), style: text("press").and_then(style) };
    Box::new(Signal {
        id: said.get("id").and_then(message_id),
        sequence: said.get("seq").and_then(Value::as_u64),
        pressed_at: text("at").and_then(|at| at.parse().ok()),
        note: text("note").filter(|note| !note.is_empty()).map(|note| Private::Open(note.to_owned())),
        location: said.get("location").and_then(location),
        battery: said.get("battery").and_then(percent),
        ..*bare(device, verb, origin, evidence(topic, payload))
    })
}

fn kind(text: &str) -> Option<Kind> {
    match text {
        "duress" => Some(Kind::Duress),
        "panic" => Some(Kind::Panic),
        "medical" => Some(Kind::Medical),
        "assist" => Some(Kind::Assist),
        _ => None,
    }
}

fn style(text: &str) -> Option<Style> {
    match text {
        "single" => Some(Style::Single),
        "double" => Some(Style::Double),
        "long" => Some(Style::Long),
        "sos" => Some(Style::Sos),
        _ => None,
    }
}

/// `lat,lon,accuracy_m`, the accuracy left empty where it is not said; a place that is not on Earth says nothing.
fn location(value: &Value) -> Option<Private> {
    let lat = value.get("lat")?.as_f64().filter(|lat| lat.abs() <= 90.0)?;
    let lon = value.get("lon")?.as_f64().filter(|lon| lon.abs() <= 180.0)?;
    let accuracy = value.get("accuracy_m").and_then(Value::as_f64).filter(|metres| *metres >= 0.0);
    let accuracy = accuracy.map(|metres| metres.to_string()).unwrap_or_default();
    Some(Private::Open(format!("{lat},{lon},{accuracy}")))
}

fn alive(device: DeviceId, payload: &[u8]) -> Heard {
    let said = json(payload).unwrap_or(Value::Null);
    let rssi = said.get("rssi").and_then(Value::as_i64);
    Heard::Alive {
        device,
        battery: said.get("battery").and_then(percent),
        rssi: rssi.and_then(|dbm| i32::try_from(dbm).ok()),
        at: said.get("at").and_then(Value::as_str).and_then(|at| at.parse::<Timestamp>().ok()),
    }
}

fn tamper(payload: &[u8]) -> Result<Verb, Unreadable> {
    let said = json(payload)?;
    match said.get("state").and_then(scalar).as_deref() {
        Some("on") => Ok(Verb::Tamper { on: true }),
        Some("off") => Ok(Verb::Tamper { on: false }),
        Some(_) | None => Err(Unreadable::UnknownValue),
    }
}

fn presence(payload: &[u8]) -> Verb {
    match payload {
        b"online" => Verb::Presence { online: true },
        b"offline" => Verb::Presence { online: false },
        _ if payload.len() > super::PAYLOAD_MAX => Verb::Unreadable { why: Unreadable::TooLarge },
        _ if std::str::from_utf8(payload).is_err() => Verb::Unreadable { why: Unreadable::NotUtf8 },
        _ => Verb::Unreadable { why: Unreadable::UnknownValue },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::adapter::PAYLOAD_MAX;
    use escalation::signal::Via;
    use proptest::prelude::*;

    fn origin() -> Origin {
        Origin { via: Via::Session, client: None, qos: 1, retained: false, dup: false, waited_since: None }
    }

    fn signal(topic: &[u8], payload: &[u8]) -> Signal {
        match hear(topic, payload, origin()) {
            Heard::Signal(signal) => *signal,
            other @ (Heard::Alive { .. } | Heard::Ignored(_)) => panic!("{} gave {other:?}", String::from_utf8_lossy(topic)),
        }
    }

    fn pressed(payload: &[u8]) -> Signal {
        let signal = signal(b"cooee/v1/library/counter/press", payload);
        assert!(matches!(signal.verb, Verb::Press { .. }), "{:?}", signal.verb);
        signal
    }

    #[test]
    fn a_full_press_is_read_whole() {
        let payload = br#"{"id":"a1","seq":881,"at":"2026-11-21T06:03:00Z","kind":"assist","press":"long","battery":41,
            "location":{"lat":-31.9,"lon":115.8,"accuracy_m":12},"note":"at the back","colour":"red"}"#;
        let press = pressed(payload);
        assert_eq!(press.device.to_string(), "library/counter");
        assert_eq!(press.verb, Verb::Press { kind: Some(Kind::Assist), style: Some(Style::Long) });
        assert_eq!((press.id.as_deref(), press.sequence, press.battery), (Some("a1"), Some(881), Some(41)));
        assert_eq!(press.pressed_at, Some("2026-11-21T06:03:00Z".parse().unwrap()));
        assert_eq!(press.location.unwrap().open(), Some("-31.9,115.8,12"));
        assert_eq!(press.note.unwrap().open(), Some("at the back"));
    }

    #[test]
    fn identity_comes_from_the_topic_alone() {
        let press = pressed(br#"{"device":"other","site":"elsewhere"}"#);
        assert_eq!(press.device.to_string(), "library/counter");
    }

    #[test]
    fn whatever_arrives_on_a_press_topic_is_a_press() {
        let nested = [vec![b'['; 40], vec![b']'; 40]].concat();
        let large = vec![b'x'; PAYLOAD_MAX + 1];
        for payload in [&b""[..], b"not json", b"\xff\xfe", b"\0", b"[]", b"null", &nested, &large, br#"{"id":[],"kind":7}"#] {
            let press = pressed(payload);
            assert_eq!(press.verb, Verb::Press { kind: None, style: None });
            assert_eq!(press.id, None);
        }
        assert_eq!(pressed(br#"{"kind":"fire"}"#).verb, Verb::Press { kind: None, style: None });
    }

    #[test]
    fn evidence_is_topic_and_payload_and_a_megabyte_by_its_hash() {
        let small = pressed(b"help").evidence;
        assert_eq!(small.raw.open(), Some("Y29vZWUvdjEvbGlicmFyeS9jb3VudGVyL3ByZXNz aGVscA=="));
        assert_eq!(pressed(b"").evidence.raw.open(), Some("Y29vZWUvdjEvbGlicmFyeS9jb3VudGVyL3ByZXNz "));
        let large = pressed(&vec![0; 1_048_576]).evidence;
        assert_eq!(large.raw.open(), Some("Y29vZWUvdjEvbGlicmFyeS9jb3VudGVyL3ByZXNz"));
        assert_eq!(large.payload_bytes, 1_048_576);
        let known = "30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58";
        assert_eq!(large.payload_sha256.unwrap().to_string(), known);
    }

    #[test]
    fn nothing_of_a_cancel_code_is_kept() {
        let cancel = signal(b"cooee/v1/library/counter/cancel", br#"{"code":"1234"}"#);
        assert_eq!(cancel.verb, Verb::Cancel(Some(Entered::Open("1234".to_owned()))));
        assert!(!format!("{cancel:?}").contains("1234"));
        assert_eq!((cancel.evidence.payload_sha256, cancel.evidence.payload_bytes), (None, 0));
        assert!(!cancel.evidence.raw.open().unwrap().contains(' '));
    }

    #[test]
    fn names_that_no_database_could_take_become_hashes() {
        let strange = signal("cooee/v1/Bücherei/a b/press".as_bytes(), b"");
        assert_eq!(strange.device.site.as_str().len(), 18);
        assert!(strange.device.name.as_str().starts_with("x-"));
        let long = [b"cooee/v1/s/".as_slice(), &vec![b'd'; 60_000], b"/press"].concat();
        assert!(matches!(signal(&long, b"").verb, Verb::Press { .. }));
        assert!(matches!(signal(b"cooee/v1//\xff/press", b"").verb, Verb::Press { .. }));
    }

    #[test]
    fn tamper_and_presence_are_read_or_said_to_be_unreadable() {
        let verb = |topic: &[u8], payload: &[u8]| signal(topic, payload).verb;
        let tamper = b"cooee/v1/s/d/tamper";
        assert_eq!(verb(tamper, br#"{"state":"on"}"#), Verb::Tamper { on: true });
        assert_eq!(verb(tamper, br#"{"state":"off"}"#), Verb::Tamper { on: false });
        assert_eq!(verb(tamper, br#"{"state":"ajar"}"#), Verb::Unreadable { why: Unreadable::UnknownValue });
        assert_eq!(verb(tamper, b""), Verb::Unreadable { why: Unreadable::NotJson });
        let lwt = b"cooee/v1/s/d/lwt";
        assert_eq!(verb(lwt, b"online"), Verb::Presence { online: true });
        assert_eq!(verb(lwt, b"offline"), Verb::Presence { online: false });
        assert_eq!(verb(lwt, b"\xff"), Verb::Unreadable { why: Unreadable::NotUtf8 });
        assert_eq!(hear(lwt, b"", origin()), Heard::Ignored(Ignored::Cleared));
    }

    #[test]
    fn a_heartbeat_is_no_signal() {
        let heard = hear(b"cooee/v1/s/d/alive", br#"{"battery":40.6,"rssi":-71,"at":"2026-11-21T06:03:00Z"}"#, origin());
        let Heard::Alive { battery, rssi, at, .. } = heard else { panic!("{heard:?}") };
        assert_eq!((battery, rssi, at.is_some()), (Some(41), Some(-71), true));
        assert!(matches!(hear(b"cooee/v1/s/d/alive", b"\xff", origin()), Heard::Alive { battery: None, .. }));
    }

    #[test]
    fn what_we_publish_is_not_heard() {
        for topic in [&b"cooee/v1/s/d/state"[..], b"cooee/v1/$station/n/online", b"cooee/v1/$station/checkpoint", b"cooee/v1/a/b/c/press"] {
            assert_eq!(hear(topic, b"", origin()), Heard::Ignored(Ignored::NotOurTopic));
        }
    }

    proptest! {
        #[test]
        fn total_on_arbitrary_bytes(topic in prop::collection::vec(any::<u8>(), 0..200), payload in prop::collection::vec(any::<u8>(), 0..400)) {
            let _heard = hear(&topic, &payload, origin());
            let _heard = hear(&[ROOT, &topic].concat(), &payload, origin());
        }

        #[test]
        fn every_press_topic_yields_a_press(site in "[^/+#]{0,80}", name in "[^/+#]{0,80}", payload in prop::collection::vec(any::<u8>(), 0..400)) {
            let topic = format!("cooee/v1/{site}/{name}/press");
            let press = signal(topic.as_bytes(), &payload);
            let is_press = matches!(press.verb, Verb::Press { .. });
            prop_assert!(is_press);
        }

        #[test]
        fn json_of_any_shape_is_a_press(kind in ".{0,20}", id in ".{0,300}", battery in any::<f64>(), lat in any::<f64>()) {
            let payload = serde_json::json!({"kind": kind, "id": id, "battery": battery, "location": {"lat": lat, "lon": lat}});
            let press = pressed(payload.to_string().as_bytes());
            prop_assert!(press.id.is_none_or(|id| id.len() <= 128));
            prop_assert!(press.battery.is_none_or(|percent| percent <= 100));
        }
    }
}
