//! Rungs that hold at certain hours, on certain days, and for certain kinds of help.

use escalation::event::{Event, RungSkip};
use escalation::input::{Act, EscalateTo};
use escalation::ladder::RungIndex;
use escalation::signal::{Kind, Verb};
use escalation::trouble::Cause;

use super::PEOPLE;
use crate::floor::{Floor, operator, signal};

/// The people's ladder with something more said of its first rung and of its second. A floor's day begins at 14:03 in Perth, on a Monday.
fn limited(first: &str, second: &str) -> String {
    let rung = |who: &str| format!("notify = [{{ person = \"{who}\", by = [\"sms\"] }}]\nwait = \"30s\"\n");
    let (j_smith, p_nair) = (rung("j-smith"), rung("p-nair"));
    let text = PEOPLE.replacen(&j_smith, &format!("{j_smith}{first}\n"), 1).replacen(&p_nair, &format!("{p_nair}{second}\n"), 1);
    assert_ne!(text, PEOPLE);
    text
}

fn pressed_for(floor: &mut Floor, kind: Kind) {
    floor.send(signal("library/counter-1", Verb::Press { kind: Some(kind), style: None }));
}

fn skips(floor: &Floor) -> Vec<(u16, RungSkip)> {
    let skip = |event: &Event| {
        let Event::RungPassedOver { rung, why, .. } = event else { return None };
        Some((rung.0 + 1, *why))
    };
    floor.events.iter().filter_map(|(_, event)| skip(event)).collect()
}

fn coverage_troubles(floor: &Floor) -> usize {
    floor.count(|event| matches!(event, Event::TroubleRaised { cause: Cause::Coverage { .. }, .. }))
}

#[test]
fn a_rung_outside_its_hours_takes_no_time_and_says_why() {
    let mut floor = Floor::new(&limited("hours = [\"mon-fri 18:00-08:00\"]", ""));
    floor.press("library/counter-1");
    floor.expect_sms("p-nair");
    floor.expect_nothing_silent();
    assert_eq!(skips(&floor), [(1, RungSkip::OutsideItsHours)], "what did not happen is recorded (I9)");
    assert_eq!(coverage_troubles(&floor), 0, "it was meant so");
}

#[test]
fn hours_are_read_when_a_rung_is_entered() {
    let directory = limited("", "hours = [\"14:04-15:00\"]");
    let mut early = Floor::new(&directory);
    early.press("library/counter-1");
    early.expect_sms("j-smith");
    early.forward("30s");
    assert_eq!(skips(&early).first(), Some(&(2, RungSkip::OutsideItsHours)), "14:03:30");
    let mut later = Floor::new(&directory);
    later.forward("45s");
    later.press("library/counter-1");
    later.expect_sms("j-smith");
    later.forward("30s");
    later.expect_sms("p-nair");
    assert_eq!(skips(&later), [], "14:04 came between the press and the rung");
}

#[test]
fn a_rung_for_some_kinds_is_passed_over_for_the_others() {
    let directory = limited("kinds = [\"assist\"]", "");
    let mut amber = Floor::new(&directory);
    pressed_for(&mut amber, Kind::Assist);
    amber.expect_sms("j-smith");
    assert_eq!(skips(&amber), []);
    for kind in [Kind::Duress, Kind::Panic, Kind::Medical] {
        let mut floor = Floor::new(&directory);
        pressed_for(&mut floor, kind);
        floor.expect_sms("p-nair");
        floor.expect_nothing_silent();
        assert_eq!(skips(&floor), [(1, RungSkip::NotForThisKind)], "{kind:?}");
    }
}

#[test]
fn a_holiday_is_that_of_the_site() {
    let calendar = "[[calendar]]\nid = \"local\"\ndays = [\"2026-04-13\"]\n";
    let on_holidays = limited("hours = [\"00:00-24:00\"]\nholidays = \"only\"", "");
    let at = |named: &str| {
        on_holidays.replacen("name = \"Kalamunda Library\"\n", &format!("name = \"Kalamunda Library\"\ncalendar = \"{named}\"\n"), 1)
    };
    let mut holiday = Floor::new(&format!("{}{calendar}", at("local")));
    holiday.press("library/counter-1");
    holiday.expect_sms("j-smith");
    let mut workday = Floor::new(&format!("{}{calendar}", at("AU-WA")));
    workday.press("library/counter-1");
    workday.expect_sms("p-nair");
    assert_eq!(skips(&workday), [(1, RungSkip::OutsideItsHours)]);
}

/// Hours are a comfort of those who sleep. They never make a call that nobody hears.
#[test]
fn where_nothing_applies_everybody_is_told_at_once_and_it_is_a_trouble() {
    let mut floor = Floor::new(&limited("hours = [\"18:00-08:00\"]", "hours = [\"sat,sun 00:00-24:00\"]"));
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    floor.expect_sms("p-nair");
    floor.expect_nothing_silent();
    assert_eq!(coverage_troubles(&floor), 1);
    floor.forward("60s");
    floor.expect_sms("p-nair");
    floor.expect_sms("j-smith");
    floor.skip_messages();
    floor.forward("60s");
    floor.expect_sms("p-nair");
    floor.expect_nothing_silent();
}

/// A rung that applies and finds nobody is no better than none.
#[test]
fn where_whoever_applies_cannot_be_reached_the_others_are_asked() {
    let nobody = "[[roster]]\nid = \"duty\"\n[[roster.shift]]\npeople = [\"p-nair\"]\nhours = [\"sat,sun 08:00-18:00\"]\n";
    let directory =
        limited("hours = [\"18:00-08:00\"]", "").replacen("{ person = \"p-nair\", by = [\"sms\"] }", "{ roster = \"duty\" }", 1);
    let mut floor = Floor::new(&format!("{directory}{nobody}"));
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    floor.expect_nothing_silent();
    assert_eq!(coverage_troubles(&floor), 1);
}

#[test]
fn the_last_rung_that_applies_is_repeated_every_minute() {
    let mut floor = Floor::new(&limited("", "hours = [\"18:00-08:00\"]"));
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    floor.forward("30s");
    floor.expect_sms("j-smith");
    for _minute in 0..4 {
        floor.forward("60s");
        floor.expect_sms("j-smith");
    }
    floor.expect_nothing_silent();
}

#[test]
fn whoever_names_a_rung_means_it() {
    let mut floor = Floor::new(&limited("", "hours = [\"18:00-08:00\"]"));
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    floor.command(operator("op-3"), Act::Escalate { to: EscalateTo::Rung(RungIndex(1)) }).unwrap();
    floor.expect_sms("p-nair");
    floor.expect_nothing_silent();
}

/// Nobody can say which clock hangs at a place that nobody knows.
#[test]
fn at_an_unknown_site_every_hour_counts() {
    let fallback = "[fallback]\nladder = \"people\"\n";
    let mut floor = Floor::new(&format!("{}{fallback}", limited("hours = [\"18:00-08:00\"]", "")));
    floor.press("nowhere/button");
    floor.expect_sms("j-smith");
    assert_eq!(skips(&floor), []);
}

#[test]
fn whoever_is_asked_first_is_of_a_rung_that_applies() {
    let mut floor = Floor::new(&limited("hours = [\"18:00-08:00\"]", ""));
    let unreadable = Verb::Unreadable { why: escalation::signal::Unreadable::NotJson };
    floor.send(signal("library/counter-1", unreadable));
    floor.expect("p-nair", escalation::ladder::Medium::Sms, escalation::dispatch::Purpose::AskFirst);
    floor.expect_nothing_silent();
}

/// What a call was raised with holds: a site that moves to other hours during it changes nothing.
#[test]
fn an_open_call_keeps_the_clock_it_was_raised_with() {
    let directory = limited("", "hours = [\"14:00-15:00\"]");
    let mut floor = Floor::new(&directory);
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    floor.adopt(&directory.replacen("Australia/Perth", "Europe/London", 1));
    floor.forward("30s");
    floor.expect_sms("p-nair");
}

/// Rungs that were overdue collapse; one that does not apply took no time of theirs.
#[test]
fn after_an_outage_a_rung_that_does_not_apply_has_taken_no_time() {
    let mut floor = Floor::new(&limited("", "hours = [\"18:00-08:00\"]"));
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    floor.away("40s");
    floor.expect_sms("j-smith");
    assert_eq!(floor.count(|event| matches!(event, Event::Exhausted { .. })), 1, "ten seconds ago");
}
