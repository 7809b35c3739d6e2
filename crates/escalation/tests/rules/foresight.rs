//! What the days to come hold: the first time at which nobody would be told, against a reader that tries every minute, and the
//! trouble that it is.

use std::collections::BTreeMap;

use escalation::coverage::{Case, Outlook};
use escalation::event::Event;
use escalation::foresight::{Foresight, Gap};
use escalation::id::SiteId;
use escalation::input::Input;
use escalation::outage::{one_for_each_way, outages};
use escalation::time::{SignedDuration, Timestamp};
use escalation::trouble::Cause;
use escalation::zone::Zone;

use crate::coverage::{directory, pick};
use crate::floor::Floor;
use crate::rosters::{Dice, ZONES, edges};
use crate::stories::PEOPLE;

/// The people's ladder with nobody but a roster on it, which is on duty at these hours. The floor's day is a Monday in Perth.
fn rostered(hours: &str) -> String {
    let rung = |who: &str| format!("notify = [{{ person = \"{who}\", by = [\"sms\"] }}]");
    let roster = "notify = [{ roster = \"duty\", by = [\"sms\"] }]";
    let text = PEOPLE.replace(&rung("j-smith"), roster).replace(&rung("p-nair"), roster);
    assert!(text.matches(roster).count() == 2, "{text}");
    format!("{text}\n[[roster]]\nid = \"duty\"\n[[roster.shift]]\npeople = [\"j-smith\"]\nhours = [\"{hours}\"]\n")
}

/// What the lookout would hand in now.
fn seen(floor: &Floor) -> Foresight {
    let people = floor.engine.people().map(|(id, person)| (*id, person.clone())).collect();
    let carriers = one_for_each_way(floor.engine.directory());
    let edition = (floor.engine.directory_version(), floor.engine.duty_changes());
    Foresight::of(floor.engine.directory(), &people, edition, floor.now, &carriers)
}

/// Looks ahead; gives what was raised and cleared, by the time at which each gap begins.
fn look(floor: &mut Floor) -> Vec<String> {
    let seen = seen(floor);
    told(&floor.take(Input::CoverageForeseen(seen)).unwrap())
}

fn told(events: &[Event]) -> Vec<String> {
    let line = |event: &Event| {
        if let Event::TroubleRaised { cust: Some(_), cause: Cause::CoverageGap { ladder, site, from } } = event {
            return format!("{ladder} at {site} from {from}");
        }
        let Event::TroubleCleared { cust: Some(_), cause: Cause::CoverageGap { from, .. } } = event else { panic!("{event:?}") };
        format!("no longer from {from}")
    };
    events.iter().map(line).collect()
}

#[test]
fn a_gap_ahead_is_a_trouble_once_and_clears_when_it_is_over() {
    // By the clock in Perth the floor's day begins on Monday at 14:03.
    let mut floor = Floor::new(&rostered("mon-fri 00:00-24:00"));
    assert_eq!(look(&mut floor), ["people at library from 2026-04-17T16:00:00Z"], "Saturday begins at 16:00 UTC of Friday");
    assert!(look(&mut floor).is_empty(), "it is known");
    floor.forward("24h");
    assert!(look(&mut floor).is_empty(), "and stays so");
    floor.forward("96h");
    assert!(look(&mut floor).is_empty(), "it has begun, and is the same gap");
    floor.forward("48h");
    assert_eq!(look(&mut floor), ["no longer from 2026-04-17T16:00:00Z", "people at library from 2026-04-24T16:00:00Z"]);
}

#[test]
fn a_directory_without_the_gap_clears_it_and_an_old_proof_says_nothing() {
    let mut floor = Floor::new(&rostered("mon-fri 00:00-24:00"));
    let before = seen(&floor);
    look(&mut floor);
    floor.adopt(&rostered("mon-sun 00:00-24:00"));
    assert!(floor.take(Input::CoverageForeseen(before)).unwrap().is_empty(), "it was worked out of another directory");
    assert_eq!(look(&mut floor), ["no longer from 2026-04-17T16:00:00Z"]);
    assert_eq!(floor.engine.troubles().count(), 0);
}

#[test]
fn a_gap_that_has_begun_is_named_from_when_it_was_found() {
    let mut floor = Floor::new(&rostered("mon 00:00-14:00"));
    assert_eq!(look(&mut floor), ["people at library from 2026-04-13T06:03:00Z"]);
    floor.forward("1h");
    assert!(look(&mut floor).is_empty());
}

/// Minute by minute, for every kind of help, whether anybody would be told.
fn first_silent(floor: &Outlook<'_>, site: &str, from: Timestamp, minutes: i64) -> Option<Timestamp> {
    let site = &floor.directory.sites[&SiteId::parse(site).unwrap()];
    let ladder = &floor.directory.ladders[&site.ladder];
    let cases = Case::all(ladder, &[site.clock.as_deref().cloned()]);
    let silent = |at: Timestamp| cases.iter().any(|case| floor.walk(ladder, case, at).0.told.is_empty());
    (0..minutes).map(|minute| from + SignedDuration::from_mins(minute)).find(|at| silent(*at))
}

#[test]
fn the_first_gap_is_the_first_minute_at_which_nobody_would_be_told() {
    let (mut gaps, mut sound) = (0, 0);
    for seed in 1..=150_u64 {
        let mut dice = Dice::new(seed);
        let name = pick(&mut dice, &ZONES);
        let edge = pick(&mut dice, &edges(name));
        let (directory, people): (_, BTreeMap<_, _>) = directory(&mut dice, &Zone::named(name).unwrap(), edge);
        let at = edge - SignedDuration::from_hours(12);
        let carriers = one_for_each_way(&directory);
        let seen = Foresight::of(&directory, &people, (1, 0), at, &carriers);
        let out = outages(&carriers, &directory, |_| true);
        let outlook = Outlook { directory: &directory, people: &people, outages: &out };
        let minutes = 24 * 60;
        let expected = first_silent(&outlook, "library", at, minutes);
        let found = seen.gaps.first().map(|gap: &Gap| gap.from).filter(|from| *from < at + SignedDuration::from_mins(minutes));
        // A gap may begin within a minute, because a rung is entered some seconds after the press.
        let to_the_minute = |gap: Timestamp| Timestamp::from_second((gap.as_second() + 59).div_euclid(60) * 60).unwrap();
        assert_eq!(found.map(to_the_minute), expected, "seed {seed}");
        gaps += usize::from(expected.is_some());
        sound += usize::from(expected.is_none());
    }
    println!("{gaps} directories with a gap, {sound} without, to the minute");
    assert!(gaps > 30 && sound > 10, "{gaps} with, {sound} without");
}
