//! What is written down reads back for ever: golden files of every kind of event, only ever added to.
//!
//! `COOEE_ADD_GOLDEN=1 cargo test -p escalation --test rules` writes a file for a kind that has none. It never changes one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use escalation::anchor::{Anchored, Receipt};
use escalation::dispatch::Report;
use escalation::event::{Erasable, Event, Reader, ViewOf, Viewer, Way};
use escalation::id::{AnchorName, CustomerId, LadderId, SiteId};
use escalation::input::{Act, Attribution, Erasure, Export, Input, LegalHold, RegisterExport, SignedBy, Started, View};
use escalation::signal::{Kind, Style, Verb};
use escalation::time::SignedDuration;
use escalation::trouble::Cause;
use serde_json::Value;

use super::COUNTERS;
use crate::floor::{Floor, digest_of, operator, press, signal};
use crate::script::play;

/// Every kind of event. A new variant must stop the compiler in [`kind`] and be named here.
const KINDS: [&str; 68] = [
    "station.started",
    "clock.stepped",
    "record.lost",
    "record.found",
    "tick",
    "record.signed_by",
    "checkpoint.anchored",
    "directory.adopted",
    "person.version",
    "trouble.raised",
    "trouble.cleared",
    "trouble.told",
    "trouble.answered",
    "trouble.over",
    "device.reported",
    "test.started",
    "test.ended",
    "device.out_of_service",
    "device.in_service",
    "duty.stand_in",
    "duty.stand_in_over",
    "desk.armed",
    "desk.unarmed",
    "drill.missed",
    "test.answered",
    "activation.raised",
    "activation.pressed_again",
    "activation.cancel_asked",
    "asked.first",
    "rung.entered",
    "rung.passed_over",
    "contact.passed_over",
    "dispatch.queued",
    "dispatch.reported",
    "receipt.overdue",
    "answer.accepted",
    "answer.joined",
    "answer.declined",
    "answer.arrived",
    "check.asked",
    "check.silent",
    "police.needed",
    "police.unrung",
    "police.rung",
    "answer.set_aside",
    "commitment.questioned",
    "commitment.lapsed",
    "activation.claimed",
    "claim.lapsed",
    "hold.placed",
    "hold.ended",
    "hand_over.offered",
    "hand_over.ended",
    "activation.escalated",
    "activation.exhausted",
    "round.started",
    "note.added",
    "safe.said",
    "word.judged",
    "word.heeded",
    "activation.closed",
    "activation.reopened",
    "activation.archived",
    "bundle.exported",
    "register.exported",
    "pii.erased",
    "legal_hold.set",
    "record.viewed",
];

fn kind(event: &Event) -> &'static str {
    match event {
        Event::StationStarted { .. } => "station.started",
        Event::ClockStepped { .. } => "clock.stepped",
        Event::RecordLost { .. } => "record.lost",
        Event::RecordFound {} => "record.found",
        Event::Ticked { .. } => "tick",
        Event::SignedBy { .. } => "record.signed_by",
        Event::CheckpointAnchored { .. } => "checkpoint.anchored",
        Event::DirectoryAdopted { .. } => "directory.adopted",
        Event::PersonVersioned { .. } => "person.version",
        Event::TroubleRaised { .. } => "trouble.raised",
        Event::TroubleCleared { .. } => "trouble.cleared",
        Event::TroubleTold { .. } => "trouble.told",
        Event::TroubleAnswered { .. } => "trouble.answered",
        Event::TroubleOver { .. } => "trouble.over",
        Event::DeviceReported { .. } => "device.reported",
        Event::TestStarted { .. } => "test.started",
        Event::TestEnded { .. } => "test.ended",
        Event::OutOfService { .. } => "device.out_of_service",
        Event::InService { .. } => "device.in_service",
        Event::StandInSaid { .. } => "duty.stand_in",
        Event::StandInOver { .. } => "duty.stand_in_over",
        Event::DeskArmed { .. } => "desk.armed",
        Event::DeskUnarmed { .. } => "desk.unarmed",
        Event::DrillMissed { .. } => "drill.missed",
        Event::TestAnswered { .. } => "test.answered",
        Event::Raised(_) => "activation.raised",
        Event::PressedAgain { .. } => "activation.pressed_again",
        Event::CancelAsked { .. } => "activation.cancel_asked",
        Event::AskedFirst { .. } => "asked.first",
        Event::RungEntered { .. } => "rung.entered",
        Event::RungPassedOver { .. } => "rung.passed_over",
        Event::ContactPassedOver { .. } => "contact.passed_over",
        Event::DispatchQueued { .. } => "dispatch.queued",
        Event::DispatchReported { .. } => "dispatch.reported",
        Event::ReceiptOverdue { .. } => "receipt.overdue",
        Event::Accepted { .. } => "answer.accepted",
        Event::Joined { .. } => "answer.joined",
        Event::Declined { .. } => "answer.declined",
        Event::Arrived { .. } => "answer.arrived",
        Event::SafetyAsked { .. } => "check.asked",
        Event::FellSilent { .. } => "check.silent",
        Event::PoliceNeeded { .. } => "police.needed",
        Event::PoliceUnrung { .. } => "police.unrung",
        Event::PoliceRung { .. } => "police.rung",
        Event::AnswerSetAside { .. } => "answer.set_aside",
        Event::CommitmentQuestioned { .. } => "commitment.questioned",
        Event::CommitmentLapsed { .. } => "commitment.lapsed",
        Event::Claimed { .. } => "activation.claimed",
        Event::ClaimLapsed { .. } => "claim.lapsed",
        Event::Held { .. } => "hold.placed",
        Event::HoldEnded { .. } => "hold.ended",
        Event::HandOverOffered { .. } => "hand_over.offered",
        Event::HandOverEnded { .. } => "hand_over.ended",
        Event::Escalated { .. } => "activation.escalated",
        Event::Exhausted { .. } => "activation.exhausted",
        Event::RoundStarted { .. } => "round.started",
        Event::NoteAdded { .. } => "note.added",
        Event::StepTaken { .. } => "step.taken",
        Event::SaidSafe { .. } => "safe.said",
        Event::WordJudged { .. } => "word.judged",
        Event::WordHeeded { .. } => "word.heeded",
        Event::Closed { .. } => "activation.closed",
        Event::Reopened { .. } => "activation.reopened",
        Event::Archived { .. } => "activation.archived",
        Event::BundleExported { .. } => "bundle.exported",
        Event::RegisterExported { .. } => "register.exported",
        Event::Erased { .. } => "pii.erased",
        Event::LegalHoldSet { .. } => "legal_hold.set",
        Event::Viewed(_) => "record.viewed",
    }
}

fn signed_by(key: &str, before: Option<&str>) -> SignedBy {
    let vkey = |id: &str| format!("alerts.example.org/kalamunda/1+0000000{id}+AQ==");
    SignedBy { key: vkey(key), before: before.map(vkey), succeeds: Some("a note".to_owned()) }
}

/// The keys are said when they change, and a restart alone changes nothing; a tick is written however quiet it was.
#[test]
fn keys_are_recorded_when_they_change_and_a_tick_each_time() {
    let mut floor = Floor::new(COUNTERS);
    let said = |floor: &mut Floor, key, before| floor.take(Input::SignedBy(signed_by(key, before))).unwrap().len();
    assert_eq!(said(&mut floor, "1", None), 1);
    assert_eq!(said(&mut floor, "1", None), 0);
    assert_eq!(said(&mut floor, "2", Some("1")), 1);
    assert_eq!(said(&mut floor, "2", None), 1);
    floor.press("library/counter-1");
    for _ in 0..2 {
        let events = floor.take(Input::TickOwed { wall_ahead_us: 7 }).unwrap();
        let [Event::Ticked { open: 1, absent: 0, wall_ahead_us: 7, .. }] = events.as_slice() else { panic!("{events:?}") };
    }
}

fn anchored(anchor: &str, size: u64) -> Anchored {
    let receipt = Receipt::Http { status: 204, id: "checkpoint.9".to_owned() };
    let origin = "alerts.example.org/kalamunda/1".to_owned();
    Anchored { anchor: AnchorName::parse(anchor).unwrap(), origin, size, root: digest_of("root"), receipt }
}

/// What an anchor took is remembered over a replay, and shows that it can be reached.
#[test]
fn a_receipt_is_recorded_and_ends_its_own_anchors_trouble() {
    let mut floor = Floor::new(COUNTERS);
    let failing = |anchor: &str| Cause::AnchorFailing { anchor: AnchorName::parse(anchor).unwrap() };
    for anchor in ["insurer", "union"] {
        assert_eq!(floor.take(Input::TroubleNoticed(failing(anchor))).unwrap().len(), 1);
        assert!(floor.take(Input::TroubleNoticed(failing(anchor))).unwrap().is_empty(), "one trouble, however often it fails");
    }
    let told = floor.take(Input::CheckpointAnchored(anchored("insurer", 9))).unwrap();
    assert!(matches!(told.as_slice(), [Event::CheckpointAnchored { size: 9, .. }, Event::TroubleCleared { .. }]), "{told:?}");
    assert_eq!(floor.take(Input::CheckpointAnchored(anchored("insurer", 12))).unwrap().len(), 1);
    let open: Vec<_> = floor.engine.troubles().map(|(cause, _)| cause.clone()).collect();
    assert_eq!(open, [failing("union")]);
    let last = floor.engine.anchored();
    assert_eq!(last.iter().map(|(name, last)| (name.as_str(), last.size, last.at)).collect::<Vec<_>>(), [("insurer", 12, floor.now)]);
}

/// While the spool holds, losses are counted. Where it fails as well, a crash would forget the count.
#[test]
fn what_neither_record_nor_spool_holds_is_named_by_the_time() {
    let mut floor = Floor::new(COUNTERS);
    let lose = |floor: &mut Floor, spooled| floor.take(Input::RecordLost { spooled }).unwrap();
    let series = |floor: &mut Floor, n: u32| floor.press(&format!("library/loss-{n}")).series;
    lose(&mut floor, true);
    assert_eq!(series(&mut floor, 1), 1);
    lose(&mut floor, false);
    let apart = series(&mut floor, 2);
    assert!(apart > 1_000_000, "{apart}");
    assert!(lose(&mut floor, false).is_empty() && lose(&mut floor, true).is_empty(), "that is said once");
    floor.take(Input::RecordFound).unwrap();
    lose(&mut floor, false);
    assert!(series(&mut floor, 3) > apart, "and never again");
    floor.take(Input::RecordFound).unwrap();
    lose(&mut floor, true);
    assert_eq!(series(&mut floor, 4), 2, "losses with a spool go on being counted");
}

#[test]
fn a_reference_that_the_record_lacks_is_not_given_again() {
    let mut floor = Floor::new(COUNTERS);
    let given = ["KAL-4", "KAL-U2-9"].map(|id| id.parse().unwrap()).to_vec();
    let (node, version, zones) = ("a".to_owned(), "0.1.0".to_owned(), "2025b".to_owned());
    floor.take(Input::Started(Started { node, version, zones, key: None, last_entry_at: None, given })).unwrap();
    let named = |floor: &mut Floor, n: u32| floor.press(&format!("library/loose-{n}")).to_string();
    assert_eq!(named(&mut floor, 1), "KAL-5");
    floor.take(Input::RecordLost { spooled: true }).unwrap();
    assert_eq!(named(&mut floor, 2), "KAL-U3-1", "a loss that only the spool counted is counted");
}

/// A long day in which everything happens that can.
fn a_long_day() -> Floor {
    let mut floor = Floor::new(COUNTERS);
    let started = Started {
        node: "a".to_owned(),
        version: "0.1.0".to_owned(),
        zones: "2025b".to_owned(),
        key: Some("0badc0de".parse().unwrap()),
        last_entry_at: Some(floor.began),
        given: vec!["OLD-7".parse().unwrap()],
    };
    floor.take(Input::Started(started)).unwrap();
    floor.take(Input::ClockStepped { by_us: -1_500_000 }).unwrap();
    floor.take(Input::SignedBy(signed_by("2", Some("1")))).unwrap();
    floor.take(Input::CheckpointAnchored(anchored("insurer", 9))).unwrap();
    floor.take(Input::TroubleNoticed(Cause::SubscriptionRefused { filter: "cooee/v1/+/+/press".to_owned() })).unwrap();
    floor.take(Input::TroubleCleared(Cause::SubscriptionRefused { filter: "cooee/v1/+/+/press".to_owned() })).unwrap();
    floor.hear(signal("library/counter-1", Verb::Tamper { on: true }));
    let mut full = signal("library/counter-1", Verb::Press { kind: Some(Kind::Duress), style: Some(Style::Long) });
    full.id = Some("press-1".to_owned());
    full.sequence = Some(881);
    full.pressed_at = Some(floor.now);
    full.note = Some("words".to_owned().into());
    full.location = Some("-31.9,115.8,12".to_owned().into());
    full.battery = Some(41);
    full.origin.client = Some("gateway-1".to_owned());
    let by = Attribution {
        actor: Some("Jane".to_owned().into()),
        person: Some(floor.person("duty")),
        idempotency: Some(digest_of("key")),
        ..operator("app")
    };
    floor.take(Input::Raised { signal: full.clone(), by: by.clone() }).unwrap();
    floor.take(Input::Raised { signal: full, by: by.clone() }).unwrap();
    play(
        &mut floor,
        "cancel library/counter-1
        promised sms to j-smith
        forward 31s
        reply p-nair Y{code}
        reply duty Y{code}
        reply j-smith N{code}
        reply j-smith hello
        forward 15m
        westside claims
        forward 3m
        desk escalates 2
        failed sms to duty
        failed sms to p-nair
        undelivered email to p-nair
        away 3m",
    );
    let by = |key: &str| Attribution { idempotency: Some(digest_of(key)), ..by.clone() };
    floor.command(by("note"), Act::Note { text: "words".to_owned().into() }).unwrap();
    floor
        .command(
            by("close"),
            Act::Close { disposition: escalation::acknowledgement::Disposition::PoliceAttended, note: Some("w".to_owned().into()) },
        )
        .unwrap();
    floor.take(Input::TickOwed { wall_ahead_us: -1_500_000 }).unwrap();
    play(
        &mut floor,
        "record lost
        unreadable library/counter-2
        press library/counter-1
        westside claims
        forward 80s
        record found",
    );
    let mut kept = press("library/pendant");
    kept.origin.retained = true;
    floor.send(kept);
    play(&mut floor, "arm night-desk\nleave night-desk\nwestside claims\nwestside holds 100s\nwestside hands over to duty\nforward 61s");
    play(
        &mut floor,
        "j-smith needs police\nforward 40s\nj-smith rang police\nj-smith arrives\ndesk says safe as j-smith with duress\nforward 6m",
    );
    let open: Vec<_> = floor.engine.activations().filter(|a| a.is_open()).map(|a| a.id.clone()).collect();
    for act in open {
        floor.subject = Some(act);
        play(&mut floor, "westside closes\nwestside reopens\nwestside closes");
    }
    floor.test(&["library/counter-1", "library/counter-2"], "j-smith", 30).unwrap();
    floor.press("library/counter-2");
    floor.reply("j-smith", "Y{code}");
    floor.end_test(&["library/counter-1"]);
    floor.take_out(&["library/counter-1"], "p-nair", "library/counter-2", 240).unwrap();
    stand_in(&mut floor);
    floor.forward("25h");
    floor.adopt(&super::troubling::technical());
    let gap = Cause::CoverageGap { ladder: LadderId::parse("counters").unwrap(), site: SiteId::parse("library").unwrap(), from: floor.now };
    floor.take(Input::TroubleNoticed(gap.clone())).unwrap();
    play(&mut floor, "forward 60s\nreply kal-it Y{code}");
    floor.take(Input::TroubleCleared(gap)).unwrap();
    floor.forward("60s");
    let owed: Vec<_> = floor.engine.outbox().map(|(id, _)| id.clone()).collect();
    for id in owed {
        floor.report_on(&id, Report::Accepted);
    }
    hand_out(&mut floor, &by);
    floor
}

/// Nobody looks at the clock for a week in which the library was to be drilled.
fn miss_a_drill(floor: &mut Floor) {
    floor.adopt(&format!("{COUNTERS}\n[[drill]]\nid = \"spring\"\nsites = [\"library\"]\non = \"tue\"\nat = \"10:00\"\n"));
    floor.now += SignedDuration::from_hours(8 * 24);
    floor.look_for_drills();
}

/// The button is back, somebody stands in for J. Smith, and somebody thinks better of it.
fn stand_in(floor: &mut Floor) {
    floor.put_back(&["library/counter-1"]);
    let roster = "[[roster]]\nid = \"duty\"\n[[roster.shift]]\npeople = [\"j-smith\"]\n";
    let told = COUNTERS.replace("person = \"j-smith\", by", "roster = \"duty\", by");
    floor.adopt(&format!("{told}{roster}"));
    let said = floor.stand_in("duty", "j-smith", "p-nair", 0, 6).unwrap();
    let from = said.iter().find_map(|event| if let Event::StandInSaid { from, .. } = event { Some(*from) } else { None });
    floor.end_stand_in("duty", "j-smith", from.unwrap()).unwrap();
}

/// What is handed out of the record, and erased beside it.
fn hand_out(floor: &mut Floor, by: &dyn Fn(&str) -> Attribution) {
    floor
        .take(Input::BundleExported(Export {
            of: "KAL-1".parse().unwrap(),
            customer: CustomerId::parse("kalamunda").unwrap(),
            reader: Reader::Police,
            by: by("export"),
            entries: 31,
            digest: digest_of("zip"),
        }))
        .unwrap();
    floor
        .take(Input::RegisterExported(RegisterExport {
            customer: Some(CustomerId::parse("kalamunda").unwrap()),
            by: by("register"),
            from: Some("2026-04-01T00:00:00Z".parse().unwrap()),
            until: Some("2026-05-01T00:00:00Z".parse().unwrap()),
            lines: 3,
            digest: digest_of("table"),
        }))
        .unwrap();
    let customer = CustomerId::parse("kalamunda").unwrap();
    floor
        .take(Input::Viewed(Box::new(View {
            of: ViewOf::Activation("KAL-1".parse().unwrap()),
            customer: Some(customer.clone()),
            site: Some(SiteId::parse("library").unwrap()),
            by: Some(Viewer::Principal("app".to_owned())),
            how: vec![Way::Page, Way::Api],
            count: 7,
            first: "2026-04-13T06:40:00Z".parse().unwrap(),
            last: "2026-04-13T07:39:59Z".parse().unwrap(),
        })))
        .unwrap();
    for on in [true, false] {
        let of = "KAL-1".parse().unwrap();
        floor
            .take(Input::LegalHoldAsked(LegalHold { customer: customer.clone(), of, on, by: by("hold"), reason: "w".to_owned().into() }))
            .unwrap();
    }
    floor
        .take(Input::ErasureAsked(Erasure {
            customer: Some(customer),
            from: Erasable::Activation("KAL-1".parse().unwrap()),
            basis: "GDA 27.2".to_owned(),
            by: by("erase"),
            values: vec![digest_of("a"), digest_of("b")],
        }))
        .unwrap();
    miss_a_drill(floor);
}

fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/golden/events/v1")
}

fn files() -> BTreeMap<String, String> {
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let path = entry.unwrap().path();
        (path.file_stem().unwrap().to_string_lossy().into_owned(), std::fs::read_to_string(&path).unwrap())
    };
    std::fs::read_dir(golden()).expect("tests/golden/events/v1 is part of this repository").map(read).collect()
}

#[test]
fn every_kind_has_a_golden_file_that_reads_back_and_writes_the_same() {
    if std::env::var_os("COOEE_ADD_GOLDEN").is_some() {
        add_what_is_missing();
    }
    let files = files();
    let mut seen = BTreeSet::new();
    for (name, text) in &files {
        let written: Value = serde_json::from_str(text).unwrap_or_else(|e| panic!("{name}: {e}"));
        let event: Event = serde_json::from_value(written.clone()).unwrap_or_else(|e| panic!("{name} no longer reads: {e}"));
        assert_eq!(serde_json::to_value(&event).unwrap(), written, "{name} is written differently now");
        assert_eq!(written.to_string(), text.trim_end(), "{name} is one line with sorted keys");
        seen.insert(kind(&event));
    }
    for kind in KINDS {
        assert!(seen.contains(kind), "no golden file of {kind}; COOEE_ADD_GOLDEN=1 adds one");
    }
}

/// Of each kind the event with the most to say.
fn add_what_is_missing() {
    let mut fullest: BTreeMap<&str, String> = BTreeMap::new();
    for (_, event) in &a_long_day().events {
        let text = serde_json::to_value(event).unwrap().to_string();
        let best = fullest.entry(kind(event)).or_default();
        if text.len() > best.len() {
            *best = text;
        }
    }
    std::fs::create_dir_all(golden()).unwrap();
    for (kind, text) in fullest {
        let path = golden().join(format!("{kind}.json"));
        if !path.exists() {
            std::fs::write(path, text + "\n").unwrap();
        }
    }
}

#[test]
fn no_event_holds_a_float_a_large_number_or_a_key_beyond_ascii() {
    for (_, event) in &a_long_day().events {
        let value = serde_json::to_value(event).unwrap();
        assert_eq!(value.get("type").and_then(Value::as_str), Some(kind(event)));
        plain(&value, kind(event));
    }
}

fn plain(value: &Value, whose: &str) {
    match value {
        Value::Number(n) => {
            let small = n.as_i64().is_some_and(|n| n.unsigned_abs() < 1 << 53);
            assert!(small, "{whose}: {n} is no integer below 2^53");
        }
        Value::Array(items) => items.iter().for_each(|item| plain(item, whose)),
        Value::Object(map) => {
            for (key, value) in map {
                assert!(key.is_ascii(), "{whose}: {key}");
                plain(value, whose);
            }
        }
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}
