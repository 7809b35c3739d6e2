//! Rungs that name a roster: whoever is on duty when the rung is entered.

use escalation::event::{ContactSkip, Event, OnDuty};
use escalation::id::RosterId;
use escalation::ladder::Who;
use escalation::trouble::Cause;

use super::PEOPLE;
use crate::floor::Floor;

/// J. Smith until 14:04 by the library's clock, P. Nair from then on; the press comes at 14:03.
const TURNS: &str = r#"
[[roster]]
id = "duty"
[[roster.shift]]
people = ["j-smith", "p-nair"]
turn = "1d"
first = "2026-04-12 14:04"
"#;

/// The people's ladder with rosters in its second rung, and a third rung for P. Nair.
fn rostered(rosters: &str) -> String {
    let second = "notify = [{ person = \"p-nair\", by = [\"sms\"] }]\nwait = \"30s\"";
    let rung = |who: &str| format!("notify = [{{ {who}, by = [\"sms\"] }}]\nwait = \"30s\"");
    let ladder = PEOPLE.replace(second, &format!("{}\n[[ladder.rung]]\n{}", rung("roster = \"duty\""), rung("person = \"p-nair\"")));
    assert_ne!(ladder, PEOPLE);
    format!("{ladder}{rosters}")
}

fn said(floor: &Floor) -> Vec<OnDuty> {
    let entered = floor.events.iter().filter_map(|(_, e)| {
        let Event::RungEntered { duty, .. } = e else { return None };
        Some(duty.clone())
    });
    entered.flatten().collect()
}

#[test]
fn a_roster_is_asked_when_its_rung_is_entered_and_what_it_said_is_recorded() {
    let mut floor = Floor::new(&rostered(TURNS));
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    floor.forward("30s");
    floor.expect_sms("j-smith");
    assert!(floor.engine.activation(&floor.subject().id).is_some());
    let [first] = said(&floor).try_into().expect("one roster was asked");
    assert_eq!((first.rung.0, first.roster.as_str(), first.people), (1, "duty", vec![floor.person("j-smith")]));
    assert_eq!(floor.stamp(first.until.unwrap()), "60s", "until the hand-over at 14:04");
    floor.skip_messages();
    let mut later = Floor::new(&rostered(TURNS));
    later.forward("45s");
    later.press("library/counter-1");
    later.expect_sms("j-smith");
    later.forward("30s");
    later.expect_sms("p-nair");
    assert_eq!(said(&later)[0].people, vec![later.person("p-nair")], "on duty since 14:04, between the press and the rung");
}

#[test]
fn a_roster_with_nobody_on_duty_takes_no_time_and_is_a_trouble() {
    let nobody = "[[roster]]\nid = \"duty\"\n[[roster.shift]]\npeople = [\"j-smith\"]\nhours = [\"sat,sun 08:00-18:00\"]\n";
    let mut floor = Floor::new(&rostered(nobody));
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    floor.forward("30s");
    floor.expect_sms("p-nair");
    floor.expect_nothing_silent();
    let passed = |e: &Event| matches!(e, Event::ContactPassedOver { who: Who::Roster(_), why: ContactSkip::NobodyOnDuty, .. });
    assert_eq!(floor.count(passed), 1, "what did not happen is recorded (I9)");
    assert_eq!(floor.count(|e| matches!(e, Event::TroubleRaised { cause: Cause::Coverage { .. }, .. })), 1);
}

#[test]
fn a_swap_that_is_adopted_during_the_climb_counts() {
    let mut floor = Floor::new(&rostered(TURNS));
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    let swap = "[[roster.swap]]\nfrom = \"2026-04-13 12:00\"\nuntil = \"2026-04-13 18:00\"\noff = \"j-smith\"\non = \"p-nair\"\n";
    floor.adopt(&rostered(&format!("{TURNS}{swap}")));
    floor.forward("30s");
    floor.expect_sms("p-nair");
}

/// A reload that takes the roster out leaves open calls the one they were raised with.
#[test]
fn a_roster_that_left_the_directory_is_still_asked_for_open_calls() {
    let mut floor = Floor::new(&rostered(TURNS));
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    floor.adopt(PEOPLE);
    floor.forward("30s");
    floor.expect_sms("j-smith");
    assert_eq!(said(&floor)[0].roster, RosterId::parse("duty").unwrap());
}

/// Two on duty are told together, each once, and a round tells whoever is on duty by then.
#[test]
fn everybody_on_duty_is_told_at_once() {
    let both = "[[roster]]\nid = \"duty\"\n[[roster.shift]]\npeople = [\"p-nair\", \"j-smith\"]\n[[roster.shift]]\npeople = [\"p-nair\"]\n";
    let mut floor = Floor::new(&rostered(both));
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    floor.forward("30s");
    floor.expect_sms("p-nair");
    floor.expect_sms("j-smith");
    floor.expect_nothing_silent();
}

#[test]
fn leave_takes_somebody_off_the_roster() {
    let leave = "[[leave]]\nperson = \"j-smith\"\nfrom = \"2026-04-10\"\nuntil = \"2026-04-20\"\n";
    let mut floor = Floor::new(&rostered(&format!("{TURNS}{leave}")));
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    floor.forward("30s");
    floor.expect_sms("p-nair");
}
