//! Buttons that are watched: what is silent is said, what is not known is neither raised nor cleared.

use std::collections::BTreeMap;

use escalation::dispatch::Purpose;
use escalation::id::DeviceId;
use escalation::input::Input;
use escalation::time::{SignedDuration, Timestamp};
use escalation::trouble::Cause;
use escalation::vigil::{Heard, Passed, Vigil, Watchlist};
use proptest::prelude::*;

use super::troubling::technical;
use crate::floor::{Floor, duration};

/// Two counters of the library that say every ten minutes that they are there, and a pendant that nobody watches.
const WATCHED: &str = r#"
[[supervision]]
id = "counters"
silent_after = "30m"
"#;

fn watched(classes: &str) -> String {
    let town = technical().replace("id = \"counter-1\"\n", "id = \"counter-1\"\nsupervision = \"counters\"\n");
    let town = town.replace("id = \"counter-2\"\n", "id = \"counter-2\"\nsupervision = \"counters\"\n");
    format!("{town}\n{classes}")
}

/// A floor, and a vigil beside it that looks every minute.
struct Watch {
    floor: Floor,
    vigil: Vigil,
    ears: BTreeMap<DeviceId, Heard>,
    listening: bool,
}

impl Watch {
    fn new(directory: &str) -> Self {
        Self { floor: Floor::new(directory), vigil: Vigil::default(), ears: BTreeMap::new(), listening: true }
    }

    fn hear(&mut self, device: &str) {
        self.ears.entry(id(device)).or_default().signs += 1;
    }

    fn battery(&mut self, device: &str, percent: u8) {
        self.hear(device);
        self.ears.entry(id(device)).or_default().battery = Some(percent);
    }

    /// A fresh process: nothing is known of any device, and the record is as it was.
    fn restart(&mut self) {
        self.vigil = Vigil::default();
        self.ears.clear();
    }

    fn look(&mut self, listened: SignedDuration) {
        let list = Watchlist::of(self.floor.engine.directory(), self.floor.engine.directory_version());
        let listened_ms = if self.listening { u64::try_from(listened.as_millis()).unwrap() } else { 0 };
        let passed = Passed { now: self.floor.now, listened_ms };
        let ears = self.ears.clone();
        for news in self.vigil.look(&list, passed, &|device| ears.get(device).copied()) {
            let cause = news.cause.clone();
            let input = if news.is_on { Input::TroubleNoticed(cause) } else { Input::TroubleCleared(cause) };
            self.floor.take(input).unwrap();
            self.vigil.told(news);
        }
    }

    fn pass(&mut self, span: &str) {
        for _minute in 0..duration(span).as_mins() {
            self.floor.forward("1m");
            self.look(SignedDuration::from_mins(1));
        }
    }

    fn troubles(&self) -> Vec<String> {
        let shown = |cause: &Cause| serde_json::to_string(cause).unwrap().replace(['"', '{', '}'], "");
        self.floor.engine.troubles().map(|(cause, _)| shown(cause)).collect()
    }
}

fn id(device: &str) -> DeviceId {
    device.parse().unwrap()
}

const ONE: &str = "device_silent:device:library/counter-1";
const TWO: &str = "device_silent:device:library/counter-2";
const BLIND: &str = "site_blind:site:library";

#[test]
fn a_button_that_falls_silent_is_a_trouble_until_it_is_heard() {
    let mut watch = Watch::new(&watched(WATCHED));
    watch.hear("library/counter-1");
    for _ in 0..4 {
        watch.hear("library/counter-2");
        watch.pass("10m");
    }
    assert_eq!(watch.troubles(), [ONE]);
    watch.hear("library/counter-1");
    watch.pass("1m");
    assert!(watch.troubles().is_empty());
}

#[test]
fn a_site_of_which_nothing_is_heard_is_blind_and_wakes_its_people() {
    let mut watch = Watch::new(&watched(WATCHED));
    watch.pass("30m");
    assert_eq!(watch.troubles(), [ONE, TWO, BLIND]);
    watch.floor.skip_messages();
    watch.floor.forward("2m");
    watch.floor.expect("kal-it", escalation::ladder::Medium::Sms, Purpose::Trouble);
    watch.hear("library/counter-2");
    watch.pass("1m");
    assert_eq!(watch.troubles(), [ONE], "one that is heard is a way to be heard");
}

#[test]
fn after_a_start_a_button_is_unknown_which_neither_raises_nor_clears() {
    let mut watch = Watch::new(&watched(WATCHED));
    watch.hear("library/counter-2");
    watch.pass("35m");
    watch.hear("library/counter-2");
    watch.pass("1m");
    assert_eq!(watch.troubles(), [ONE]);
    watch.restart();
    watch.pass("29m");
    assert_eq!(watch.troubles(), [ONE], "nobody heard counter-1, and nobody waited long enough for counter-2");
    watch.pass("1m");
    assert_eq!(watch.troubles(), [ONE, TWO, BLIND]);
    watch.restart();
    watch.hear("library/counter-1");
    watch.pass("1m");
    assert_eq!(watch.troubles(), [TWO]);
}

#[test]
fn silence_counts_only_while_somebody_listens() {
    let mut watch = Watch::new(&watched(WATCHED));
    watch.pass("20m");
    watch.listening = false;
    watch.pass("10h");
    assert!(watch.troubles().is_empty(), "the broker that is away is the trouble");
    watch.listening = true;
    watch.pass("9m");
    assert!(watch.troubles().is_empty());
    watch.pass("1m");
    assert_eq!(watch.troubles(), [ONE, TWO, BLIND], "a broker that comes and goes puts it off and does not do away with it");
}

#[test]
fn silence_counts_within_its_hours_and_anew_each_day() {
    // The story begins on a Monday at 14:03 in Perth.
    let mut watch = Watch::new(&watched(&format!("{WATCHED}hours = [\"mon-fri 08:00-17:00\"]\n")));
    watch.hear("library/counter-1");
    watch.hear("library/counter-2");
    watch.pass("10m");
    for _ in 0..15 {
        watch.hear("library/counter-1");
        watch.hear("library/counter-2");
        watch.pass("10m");
    }
    // It is 16:43; both go off with the office, and one comes back.
    watch.pass("930m");
    assert!(watch.troubles().is_empty(), "it is 08:13 on Tuesday");
    watch.hear("library/counter-1");
    watch.pass("20m");
    assert_eq!(watch.troubles(), [TWO]);
    watch.pass("1440m");
    assert_eq!(watch.troubles(), [ONE, TWO, BLIND], "what was silent when the office closed is silent at night");
    watch.pass("5760m");
    watch.hear("library/counter-2");
    watch.pass("1m");
    assert_eq!(watch.troubles(), [ONE], "a sign of life counts at any hour");
}

#[test]
fn what_is_watched_no_more_is_no_trouble_and_may_be_one_again() {
    let mut watch = Watch::new(&watched(WATCHED));
    watch.pass("40m");
    watch.battery("library/counter-1", 5);
    watch.pass("1m");
    assert_eq!(watch.troubles(), [TWO, "battery_low:device:library/counter-1"]);
    watch.floor.adopt(&technical());
    assert_eq!(watch.troubles(), ["battery_low:device:library/counter-1"]);
    // Back before the vigil has looked: nothing that it said before may be taken for said.
    watch.floor.adopt(&watched(WATCHED));
    watch.pass("1m");
    assert_eq!(watch.troubles(), [TWO, "battery_low:device:library/counter-1"]);
}

#[test]
fn what_was_heard_before_it_was_watched_speaks_for_nobody_now() {
    let mut watch = Watch::new(&watched(WATCHED));
    watch.hear("library/counter-2");
    watch.pass("31m");
    assert_eq!(watch.troubles(), [ONE, TWO, BLIND]);
    // Off watch for a look, and back: its old sign is no new one.
    watch.floor.adopt(&technical());
    watch.pass("1m");
    assert!(watch.troubles().is_empty());
    watch.floor.adopt(&watched(WATCHED));
    watch.pass("29m");
    assert!(watch.troubles().is_empty(), "unknown, and not for long enough");
    watch.pass("1m");
    assert_eq!(watch.troubles(), [ONE, TWO, BLIND]);
    // A pendant that was heard some time ago comes under watch: that makes nobody heard.
    watch.ears.entry(id("library/pendant")).or_default().signs = 7;
    let all = watched(WATCHED).replace("id = \"pendant\"\n", "id = \"pendant\"\nsupervision = \"counters\"\n");
    watch.floor.adopt(&all);
    watch.pass("1m");
    assert_eq!(watch.troubles(), [ONE, TWO, BLIND]);
}

#[test]
fn a_longer_silence_that_is_allowed_later_wakes_nobody_up() {
    let mut watch = Watch::new(&watched(WATCHED));
    watch.hear("library/counter-1");
    watch.pass("31m");
    watch.floor.adopt(&watched(&WATCHED.replace("30m", "20h")));
    watch.pass("1m");
    assert_eq!(watch.troubles(), [ONE, TWO, BLIND], "none of them was heard");
}

#[test]
fn what_was_noticed_under_another_directory_is_no_trouble_of_this_one() {
    let mut watch = Watch::new(&technical());
    for cause in [
        Cause::DeviceSilent { device: id("library/counter-1") },
        Cause::SiteBlind { site: "library".parse::<escalation::id::Slug>().unwrap().into() },
        Cause::BatteryLow { device: id("library/gone") },
    ] {
        assert_eq!(watch.floor.take(Input::TroubleNoticed(cause)).unwrap(), []);
    }
}

/// The counters speak often and by day; the pendant once a day, at any hour.
#[test]
fn one_that_speaks_seldom_hides_no_blind_site_and_one_that_is_switched_off_neither() {
    let classes = "[[supervision]]\nid = \"counters\"\nsilent_after = \"1h\"\nhours = [\"mon-fri 08:00-17:00\"]\n\
        [[supervision]]\nid = \"pendants\"\nsilent_after = \"26h\"\n";
    let town = watched(classes).replace("id = \"pendant\"\n", "id = \"pendant\"\nsupervision = \"pendants\"\n");
    // Monday, 14:03.
    let mut watch = Watch::new(&town);
    watch.pass("1m");
    for device in ["library/counter-1", "library/counter-2", "library/pendant"] {
        watch.hear(device);
    }
    watch.pass("61m");
    assert_eq!(watch.troubles(), [ONE, TWO, BLIND], "the pendant was heard an hour ago, and so may the power have been");
    watch.hear("library/pendant");
    watch.pass("30m");
    assert_eq!(watch.troubles(), [ONE, TWO]);
    watch.hear("library/counter-1");
    watch.hear("library/counter-2");
    watch.hear("library/pendant");
    watch.pass("1m");
    assert!(watch.troubles().is_empty());
    // It is 15:36. The office closes, and the counters with it; the pendant dies.
    for _ in 0..8 {
        watch.hear("library/counter-1");
        watch.hear("library/counter-2");
        watch.pass("10m");
    }
    watch.pass("960m");
    assert!(watch.troubles().is_empty(), "08:56 on Tuesday");
    watch.floor.now = "2026-04-17T12:00:00Z".parse().unwrap();
    watch.pass("600m");
    assert_eq!(watch.troubles(), ["device_silent:device:library/pendant", BLIND], "on Friday night nothing else is due");
}

#[test]
fn a_battery_is_low_until_it_is_another_one() {
    let mut watch = Watch::new(&technical());
    for (percent, is_low) in [(50, false), (21, false), (20, true), (25, true), (29, true), (30, false), (25, false), (0, true)] {
        watch.battery("library/counter-1", percent);
        watch.pass("1m");
        assert_eq!(!watch.troubles().is_empty(), is_low, "{percent} %");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

    /// Whatever is heard, however often we cannot listen or start anew: against a count kept by hand.
    #[test]
    fn silence_is_what_was_not_heard_for_as_long_as_somebody_listened(
        minutes in prop::collection::vec((prop::bool::weighted(0.05), prop::bool::weighted(0.03), prop::bool::weighted(0.8), prop::bool::weighted(0.01)), 1..400)
    ) {
        let mut watch = Watch::new(&watched(WATCHED));
        let (mut silent, mut open) = ([0_u32; 2], [false; 2]);
        let mut heard = [false; 2];
        for (one, two, listening, restart) in minutes {
            if restart {
                watch.restart();
                (silent, heard) = ([0; 2], [false; 2]);
            }
            watch.listening = listening;
            for (at, (device, signs)) in [("library/counter-1", one), ("library/counter-2", two)].into_iter().enumerate() {
                silent[at] += u32::from(listening);
                if signs {
                    watch.hear(device);
                    (silent[at], heard[at]) = (0, true);
                }
                if silent[at] >= 30 {
                    open[at] = true;
                } else if heard[at] {
                    open[at] = false;
                }
            }
            watch.pass("1m");
            let troubles = watch.troubles();
            let has = |name: &str| troubles.iter().any(|open| open == name);
            prop_assert_eq!([has(ONE), has(TWO)], open);
            if silent.iter().all(|silent| *silent >= 30) {
                prop_assert!(has(BLIND), "nothing is heard there");
            }
            if has(BLIND) {
                prop_assert!(open == [true; 2], "blind, and yet something is heard");
            }
        }
    }
}

/// The clock on the wall moves as it likes; what counts is for how long somebody listened.
#[test]
fn a_step_of_the_clock_makes_nobody_silent() {
    let mut watch = Watch::new(&watched(WATCHED));
    for day in ["2031-01-01", "2026-04-13", "2040-06-01"] {
        watch.floor.now = format!("{day}T06:10:00Z").parse::<Timestamp>().unwrap();
        watch.look(SignedDuration::from_mins(9));
        assert!(watch.troubles().is_empty(), "{day}");
    }
    watch.look(SignedDuration::from_mins(3));
    assert_eq!(watch.troubles(), [ONE, TWO, BLIND]);
}
