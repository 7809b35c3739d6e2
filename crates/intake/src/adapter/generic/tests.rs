use super::*;
use crate::adapter::Adapters;
use escalation::signal::{Kind, Signal, Style, Via};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Sample {
    adapter: Vec<Rule>,
}

fn origin() -> Origin {
    Origin { via: Via::Session, client: None, qos: 1, retained: false, dup: false, waited_since: None }
}

fn rules(toml: &str) -> Vec<Rule> {
    toml::from_str::<Sample>(toml).unwrap().adapter
}

fn adapters(toml: &str) -> Adapters {
    let (adapters, faults) = Adapters::new(&rules(toml));
    assert_eq!(faults, []);
    adapters
}

fn sample(name: &str) -> Adapters {
    let path = format!("{}/../../config/adapters/{name}.toml", env!("CARGO_MANIFEST_DIR"));
    adapters(&std::fs::read_to_string(path).unwrap())
}

fn signal(adapters: &Adapters, topic: &str, payload: &str) -> Signal {
    match adapters.hear(topic.as_bytes(), payload.as_bytes(), origin()) {
        Heard::Signal(signal) => *signal,
        other @ (Heard::Alive { .. } | Heard::Ignored(_)) => panic!("{topic} {payload} gave {other:?}"),
    }
}

fn press(style: Style) -> Verb {
    Verb::Press { kind: None, style: Some(style) }
}

fn faults(toml: &str) -> String {
    let (_, faults) = Adapters::new(&rules(toml));
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

#[test]
fn zigbee2mqtt() {
    let z = sample("zigbee2mqtt");
    let heard = signal(&z, "zigbee2mqtt/counter-1", r#"{"action":"emergency","battery":87.5,"linkquality":120}"#);
    assert_eq!((heard.device.to_string(), heard.battery), ("kalamunda-library/counter-1".to_owned(), Some(88)));
    assert_eq!(heard.verb, press(Style::Sos));
    assert_eq!(signal(&z, "zigbee2mqtt/seb", r#"{"sos":true,"tamper":false,"battery_low":false}"#).verb, press(Style::Sos));
    assert_eq!(signal(&z, "zigbee2mqtt/seb", r#"{"sos":false,"tamper":true}"#).verb, Verb::Tamper { on: true });
    assert_eq!(z.hear(b"zigbee2mqtt/counter-1", br#"{"action":"","linkquality":9}"#, origin()), Heard::Ignored(Ignored::WithoutMeaning));
    assert!(matches!(z.hear(b"zigbee2mqtt/counter-1", br#"{"battery":80}"#, origin()), Heard::Alive { battery: Some(80), .. }));
    for payload in [r#"{"state":"offline"}"#, "offline"] {
        assert_eq!(signal(&z, "zigbee2mqtt/counter-1/availability", payload).verb, Verb::Presence { online: false });
    }
    assert_eq!(z.hear(b"zigbee2mqtt/bridge/state", b"{}", origin()), Heard::Ignored(Ignored::NotOurTopic));
}

#[test]
fn a_keypads_code_is_not_kept() {
    let cancel = signal(&sample("zigbee2mqtt"), "zigbee2mqtt/keypad", r#"{"action":"disarm","action_code":"1234"}"#);
    assert_eq!((cancel.verb.clone(), cancel.evidence.payload_sha256), (Verb::Cancel(Some(Entered::Open("1234".to_owned()))), None));
    assert!(!format!("{cancel:?}").contains("1234"));
}

#[test]
fn tasmota() {
    let t = sample("tasmota");
    assert_eq!(signal(&t, "stat/desk/RESULT", r#"{"Button1":{"Action":"SINGLE"}}"#).verb, press(Style::Single));
    assert_eq!(signal(&t, "stat/desk/RESULT", r#"{"Button1":{"Action":"HOLD"}}"#).verb, press(Style::Long));
    assert_eq!(t.hear(b"stat/desk/RESULT", br#"{"POWER":"ON"}"#, origin()), Heard::Ignored(Ignored::WithoutMeaning));
    assert_eq!(signal(&t, "tele/desk/LWT", "Offline").verb, Verb::Presence { online: false });
    assert!(matches!(t.hear(b"tele/desk/STATE", br#"{"Uptime":"0T01:00:00"}"#, origin()), Heard::Alive { .. }));
}

#[test]
fn shelly_has_the_press_anywhere_in_its_array() {
    let s = sample("shelly");
    let frame = |events: &str| format!(r#"{{"src":"shelly1","method":"NotifyEvent","params":{{"ts":1.5,"events":[{events}]}}}}"#);
    let push = r#"{"component":"input:0","id":0,"event":"single_push","ts":1736605194.11}"#;
    assert_eq!(signal(&s, "shelly1/events/rpc", &frame(push)).verb, press(Style::Single));
    let second = format!(r#"{{"component":"input:0","event":"config_changed"}},{push}"#);
    assert_eq!(signal(&s, "shelly1/events/rpc", &frame(&second)).verb, press(Style::Single));
    let other = frame(r#"{"component":"input:0","event":"btn_up"}"#);
    assert_eq!(s.hear(b"shelly1/events/rpc", other.as_bytes(), origin()), Heard::Ignored(Ignored::WithoutMeaning));
    assert_eq!(signal(&s, "shelly1/online", "false").verb, Verb::Presence { online: false });
}

#[test]
fn chirpstack() {
    let c = sample("chirpstack");
    let topic = "application/0f/device/24e124535b316056/event/up";
    let up = r#"{"deduplicationId":"3ac7e3c4","object":{"battery":16,"button_event":{"status":"short press","msgid":482913}}}"#;
    let heard = signal(&c, topic, up);
    assert_eq!((heard.verb.clone(), heard.battery, heard.id.as_deref()), (press(Style::Single), Some(16), Some("3ac7e3c4")));
    assert_eq!(signal(&c, topic, r#"{"data":"/y4B"}"#).verb, Verb::Unreadable { why: Unreadable::NoRuleMatched });
    let log = "application/0f/device/24e124535b316056/event/log";
    let reset = r#"{"level":"WARNING","code":"UPLINK_F_CNT_RESET"}"#;
    assert_eq!(signal(&c, log, reset).verb, Verb::Unreadable { why: Unreadable::NoRuleMatched });
    assert_eq!(c.hear(log.as_bytes(), br#"{"code":"OTAA"}"#, origin()), Heard::Ignored(Ignored::WithoutMeaning));
}

#[test]
fn the_things_stack_never_alarms_on_a_simulated_uplink() {
    let t = sample("things-stack");
    let topic = "v3/counters@council/devices/pb01/up";
    let alarm = r#"{"uplink_message":{"f_port":2,"decoded_payload":{"Alarm":"TRUE"}}}"#;
    assert_eq!(signal(&t, topic, alarm).verb, press(Style::Sos));
    let simulated = r#"{"uplink_message":{"f_port":2,"decoded_payload":{"Alarm":"TRUE"}},"simulated":true}"#;
    assert_eq!(t.hear(topic.as_bytes(), simulated.as_bytes(), origin()), Heard::Ignored(Ignored::WithoutMeaning));
    let replayed = r#"{"uplink_message":{"f_port":3,"decoded_payload":{"Alarm":"TRUE"}}}"#;
    assert_eq!(t.hear(topic.as_bytes(), replayed.as_bytes(), origin()), Heard::Ignored(Ignored::WithoutMeaning));
}

#[test]
fn devices_are_mapped_named_by_pointer_or_hashed() {
    let mapped = adapters(
        r#"
        [[adapter]]
        id = "traccar"
        topic = "traccar/#"
        device_pointer = "/device/uniqueId"
        id_pointer = "/event/id"
        devices = { "86 753" = "library/pendant" }
        [[adapter.when]]
        pointer = "/event/attributes/alarm"
        equals = ["sos", "general"]
        means = "press"
        kind = "assist"
        "#,
    );
    let known = signal(&mapped, "traccar/a/b", r#"{"event":{"id":7,"attributes":{"alarm":"sos"}},"device":{"uniqueId":"86 753"}}"#);
    assert_eq!((known.device.to_string(), known.id.as_deref()), ("library/pendant".to_owned(), Some("7")));
    assert_eq!(known.verb, Verb::Press { kind: Some(Kind::Assist), style: None });
    let strange = signal(&mapped, "traccar/a", r#"{"event":{"attributes":{"alarm":"sos"}},"device":{"uniqueId":"ü"}}"#);
    assert_eq!(strange.device.site.as_str(), "traccar");
    assert!(strange.device.name.as_str().starts_with("x-"));
}

#[test]
fn what_is_not_json_is_unreadable_even_among_telemetry() {
    let z = sample("zigbee2mqtt");
    let why = |payload: &[u8]| {
        let Heard::Signal(signal) = z.hear(b"zigbee2mqtt/counter-1", payload, origin()) else { panic!("nothing was heard") };
        let Verb::Unreadable { why } = signal.verb else { panic!("{:?}", signal.verb) };
        why
    };
    assert_eq!(why(b"{\"action\":\"emer"), Unreadable::NotJson);
    assert_eq!(why(b"\xff"), Unreadable::NotUtf8);
    assert_eq!(why(&vec![b' '; PAYLOAD_MAX + 1]), Unreadable::TooLarge);
    assert_eq!(why(&[b'['; 64]), Unreadable::TooDeep);
    assert_eq!(z.hear(b"zigbee2mqtt/counter-1", b"", origin()), Heard::Ignored(Ignored::WithoutMeaning));
}

#[test]
fn filters_cover_patterns_and_repeat_none() {
    let filters = sample("tasmota").filters();
    assert!(filters.contains(&"stat/+/RESULT".to_owned()) && filters.contains(&"cooee/v1/+/+/press".to_owned()));
    assert_eq!(adapters("[[adapter]]\nid='a'\nsite='s'\ntopic='x/{device}/#'\nwhen=[{means='alive'}]").filters().last().unwrap(), "x/+/#");
}

#[test]
fn faults_say_what_to_do_and_the_other_rules_hold() {
    let base = |topic: &str, more: &str| format!("[[adapter]]\nid='a'\ntopic='{topic}'\n{more}\nwhen=[{{pointer='/a',means='press'}}]");
    for (toml, want) in [
        (base("x/y", "site='s'"), "nothing says which device"),
        (base("x/{device}", ""), "nothing says which site"),
        (base("x/{device}/{device}", "site='s'"), "once each"),
        (base("x/a{device}", "site='s'"), "whole level"),
        (base("#/{device}", "site='s'"), "only at the end"),
        (base("cooee/v1/x/{device}/press", "site='s'"), "among our own"),
        (base("x/{device}", "site='s'\nid_pointer='id'"), "begin with /"),
        (base("{site}/+", "device_pointer='/d'"), "nearly everything"),
        ("[[adapter]]\nid='a'\nsite='s'\ntopic='x/{device}'\nwhen=[]".to_owned(), "none of its messages"),
        ("[[adapter]]\nid='a'\nsite='s'\ntopic='x/{device}'\nwhen=[{means='alive',kind='panic'}]".to_owned(), "only"),
    ] {
        let found = faults(&toml);
        assert!(found.contains(want), "{toml}\ngave: {found}");
    }
    let two = format!("{}\n{}", base("x/y", "site='s'"), base("z/{device}", "site='s'"));
    let (adapters, faults) = Adapters::new(&rules(&two));
    assert_eq!(faults.len(), 1);
    assert!(adapters.filters().contains(&"z/+".to_owned()));
}

proptest! {
    #[test]
    fn total_on_arbitrary_bytes(level in prop::collection::vec(any::<u8>(), 0..60), payload in prop::collection::vec(any::<u8>(), 0..300)) {
        let adapters = sample("zigbee2mqtt");
        let topic = [b"zigbee2mqtt/".as_slice(), &level].concat();
        let heard = adapters.hear(&topic, &payload, origin());
        prop_assert!(!level.contains(&b'/') || heard != Heard::Ignored(Ignored::Cleared));
    }

    #[test]
    fn a_press_is_found_under_any_device_name(name in "[^/+#\u{0}]{1,80}") {
        let heard = signal(&sample("zigbee2mqtt"), &format!("zigbee2mqtt/{name}"), r#"{"action":"sos"}"#);
        prop_assert_eq!(heard.verb, press(Style::Sos));
    }
}
