//! Somebody who stands in, as somebody said while the station ran.

use escalation::coverage::{Case, Outlook};
use escalation::event::Event;
use escalation::id::{PersonId, RosterId};
use escalation::rejection::Rejection;
use escalation::time::{SignedDuration, Timestamp};

use super::{COUNTERS, PEOPLE};
use crate::floor::Floor;

/// J. Smith is always on duty, and first on the ladder; R. Ono and K. Lee are on none.
fn rostered(more: &str) -> String {
    let first = "notify = [{ person = \"j-smith\", by = [\"sms\"] }]";
    let ladder = PEOPLE.replace(first, "notify = [{ roster = \"duty\", by = [\"sms\"] }]");
    assert_ne!(ladder, PEOPLE);
    format!(
        "{ladder}
[[person]]
id = \"r-ono\"
name = \"R. Ono\"
mobile = \"+61 491 570 159\"
[[person]]
id = \"k-lee\"
name = \"K. Lee\"
email = \"k.lee@example.org\"
[[roster]]
id = \"duty\"
[[roster.shift]]
people = [\"j-smith\"]
{more}"
    )
}

fn on_duty(floor: &Floor, at: Timestamp) -> Vec<PersonId> {
    floor.engine.directory().rosters.on_duty(&RosterId::parse("duty").unwrap(), at).unwrap().people
}

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

#[test]
fn whoever_stands_in_is_told_and_nobody_else_of_the_roster() {
    let mut floor = Floor::new(&rostered(""));
    let said = floor.stand_in("duty", "j-smith", "r-ono", 0, 6).unwrap();
    assert!(matches!(said.as_slice(), [Event::StandInSaid { cust: Some(cust), .. }] if cust.as_str() == "default"), "{said:?}");
    floor.press("library/counter-1");
    floor.expect_sms("r-ono");
    floor.expect_nothing_silent();
    floor.reply("r-ono", "Y{code}");
    assert!(floor.subject().promise.is_some());
}

#[test]
fn it_ends_by_itself_and_on_a_persons_word() {
    let mut floor = Floor::new(&rostered(""));
    floor.stand_in("duty", "j-smith", "r-ono", 0, 6).unwrap();
    floor.stand_in("duty", "j-smith", "p-nair", 24, 30).unwrap();
    floor.forward("6h");
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    assert_eq!(on_duty(&floor, floor.now + hours(20)), [floor.person("p-nair")]);
    let later = floor.engine.stand_ins_on(&RosterId::parse("duty").unwrap(), floor.now).next().unwrap().stand_in.from;
    let over = floor.end_stand_in("duty", "j-smith", later).unwrap();
    assert!(matches!(over.as_slice(), [Event::StandInOver { .. }]));
    assert_eq!(on_duty(&floor, floor.now + hours(20)), [floor.person("j-smith")]);
    assert_eq!(floor.end_stand_in("duty", "j-smith", later), Err(Rejection::NoStandIn), "it is over");
}

#[test]
fn a_rung_that_is_entered_afterwards_asks_whoever_stands_in() {
    let first = "notify = [{ person = \"p-nair\", by = [\"sms\"] }]";
    let text = PEOPLE.replace(first, "notify = [{ roster = \"duty\", by = [\"sms\"] }]");
    let roster = "[[roster]]\nid = \"duty\"\n[[roster.shift]]\npeople = [\"p-nair\"]\n";
    let other = "[[person]]\nid = \"r-ono\"\nname = \"R. Ono\"\nmobile = \"+61 491 570 159\"\n";
    let mut floor = Floor::new(&format!("{text}{roster}{other}"));
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    floor.stand_in("duty", "p-nair", "r-ono", 0, 6).unwrap();
    floor.forward("30s");
    floor.expect_sms("r-ono");
    floor.expect_nothing_silent();
}

#[test]
fn a_reload_keeps_it_and_whoever_leaves_the_directory_stands_in_no_more() {
    let mut floor = Floor::new(&rostered(""));
    floor.stand_in("duty", "j-smith", "r-ono", 0, 6).unwrap();
    floor.adopt(&rostered("[[roster.shift]]\npeople = [\"p-nair\"]\nhours = [\"sat,sun 08:00-09:00\"]\n"));
    assert_eq!(on_duty(&floor, floor.now), [floor.person("r-ono")]);
    let without = rostered("").replacen("r-ono", "s-new", 1).replacen("R. Ono", "S. New", 1);
    floor.adopt(&without);
    assert_eq!(on_duty(&floor, floor.now), [floor.person("j-smith")], "whoever is gone tells nobody that they are");
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    floor.adopt(&rostered(""));
    assert_eq!(on_duty(&floor, floor.now), [floor.person("r-ono")], "and is back with the file");
}

#[test]
fn whoever_is_put_on_duty_by_the_next_file_takes_nobody_off() {
    let mut floor = Floor::new(&rostered(""));
    floor.stand_in("duty", "j-smith", "r-ono", 0, 24).unwrap();
    floor.adopt(&rostered("[[roster.shift]]\npeople = [\"r-ono\"]\n"));
    assert_eq!(on_duty(&floor, floor.now), [floor.person("j-smith"), floor.person("r-ono")], "there would be one fewer");
}

#[test]
fn whoever_cannot_be_told_any_more_stands_in_no_more() {
    let mut floor = Floor::new(&rostered(""));
    floor.stand_in("duty", "j-smith", "r-ono", 0, 24).unwrap();
    floor.adopt(&rostered("").replacen("mobile = \"+61 491 570 159\"", "email = \"r.ono@example.org\"", 1));
    assert_eq!(on_duty(&floor, floor.now), [floor.person("j-smith")]);
}

#[test]
fn whoever_is_told_by_the_same_rung_stands_in_for_nobody_there() {
    let beside = "notify = [{ roster = \"duty\", by = [\"sms\"] }, { person = \"r-ono\", by = [\"sms\"] }]";
    let text = rostered("").replacen("notify = [{ roster = \"duty\", by = [\"sms\"] }]", beside, 1);
    let mut floor = Floor::new(&text);
    assert_eq!(floor.stand_in("duty", "j-smith", "r-ono", 0, 6).unwrap_err(), Rejection::OnDutyAlready);
    let other = "[[roster]]\nid = \"other\"\n[[roster.shift]]\npeople = [\"r-ono\"]\nfrom = \"2026-04-14\"\n";
    let mut floor = Floor::new(&format!("{}{other}", text.replacen("person = \"r-ono\"", "roster = \"other\"", 1)));
    floor.stand_in("duty", "j-smith", "r-ono", 0, 2).unwrap();
    assert_eq!(floor.stand_in("duty", "j-smith", "r-ono", 2, 48).unwrap_err(), Rejection::OnDutyAlready, "from the 14th on");
}

#[test]
fn one_stands_in_for_whoever_stands_in() {
    let mut floor = Floor::new(&rostered(""));
    floor.stand_in("duty", "j-smith", "r-ono", 0, 12).unwrap();
    floor.stand_in("duty", "r-ono", "p-nair", 6, 12).unwrap();
    let (now, later) = (floor.now, floor.now + hours(7));
    assert_eq!((on_duty(&floor, now), on_duty(&floor, later)), (vec![floor.person("r-ono")], vec![floor.person("p-nair")]));
}

#[test]
fn what_would_change_nothing_or_tell_nobody_is_refused() {
    let mut floor = Floor::new(&rostered("[[roster.shift]]\npeople = [\"p-nair\"]\nfrom = \"2026-04-20\"\n"));
    let mut refused = |off: &str, on: &str, from: i64, until: i64| floor.stand_in("duty", off, on, from, until).unwrap_err();
    assert_eq!(refused("r-ono", "p-nair", 0, 6), Rejection::UnknownOff);
    assert_eq!(refused("j-smith", "nobody", 0, 6), Rejection::UnknownStandIn);
    assert_eq!(refused("p-nair", "r-ono", 0, 6), Rejection::NotOnDuty, "only from the 20th on");
    assert_eq!(refused("j-smith", "k-lee", 0, 6), Rejection::StandInUnreached, "the ladder texts, and there is no number");
    assert_eq!(refused("j-smith", "j-smith", 0, 6), Rejection::OnDutyAlready);
    assert_eq!(refused("j-smith", "p-nair", 0, 24 * 14), Rejection::OnDutyAlready, "from the 20th on there would be one fewer");
    assert_eq!(refused("j-smith", "r-ono", 0, 0), Rejection::ImplausibleStandIn);
    assert_eq!(refused("j-smith", "r-ono", -8, -2), Rejection::ImplausibleStandIn, "it is over");
    assert_eq!(refused("j-smith", "r-ono", 0, 24 * 31 + 1), Rejection::ImplausibleStandIn);
    assert_eq!(refused("j-smith", "r-ono", 24 * 62 + 1, 24 * 63), Rejection::ImplausibleStandIn);
    floor.stand_in("duty", "j-smith", "r-ono", 2, 6).unwrap();
    assert_eq!(floor.stand_in("duty", "j-smith", "p-nair", 5, 8).unwrap_err(), Rejection::StoodInForAlready);
    floor.stand_in("duty", "j-smith", "p-nair", 6, 8).unwrap();
    assert_eq!(floor.stand_in("nights", "j-smith", "r-ono", 0, 6).unwrap_err(), Rejection::UnknownRoster);
}

/// Somebody of Mundaring's, and a roster of Kalamunda's library.
fn neighbours(whose: &str) -> String {
    let library = COUNTERS.replace("notify = [{ person = \"j-smith\", by = [\"sms\", \"email\"] }]", "notify = [{ roster = \"duty\" }]");
    assert_ne!(library, COUNTERS);
    format!(
        "{library}
[[person]]
id = \"r-ono\"
{whose}
name = \"R. Ono\"
mobile = \"+61 491 570 159\"
[[roster]]
id = \"duty\"
[[roster.shift]]
people = [\"j-smith\"]
"
    )
}

#[test]
fn nobody_of_another_customer_stands_in() {
    let mut floor = Floor::new(&neighbours("customer = \"mundaring\""));
    assert_eq!(floor.stand_in("duty", "j-smith", "r-ono", 0, 6).unwrap_err(), Rejection::UnknownStandIn);
    for anybodys in ["customer = \"kalamunda\"", ""] {
        let mut floor = Floor::new(&neighbours(anybodys));
        floor.stand_in("duty", "j-smith", "r-ono", 0, 6).unwrap();
        // The next file says whose they are.
        floor.adopt(&neighbours("customer = \"mundaring\""));
        assert_eq!(on_duty(&floor, floor.now), [floor.person("j-smith")]);
    }
}

#[test]
fn what_is_foretold_has_whoever_stands_in() {
    let mut floor = Floor::new(&rostered(""));
    floor.stand_in("duty", "j-smith", "r-ono", 2, 6).unwrap();
    let people = floor.engine.people().map(|(id, person)| (*id, person.clone())).collect();
    let directory = floor.engine.directory();
    let outlook = Outlook { directory, people: &people, outages: &[] };
    let ladder = directory.ladders.values().next().unwrap();
    let case = Case::all(ladder, &[None]).remove(0);
    let hour = |at: Timestamp| (at - floor.now).get_seconds() / 3_600;
    let foretold = outlook.intervals(ladder, &case, floor.now, floor.now + hours(8));
    let edges: Vec<i64> = foretold.iter().map(|interval| hour(interval.from)).collect();
    assert_eq!(edges, [0, 2, 6]);
}

#[test]
fn a_roster_that_is_for_somebody_else_by_now_has_nobody_who_was_said_before() {
    let mut floor = Floor::new(&neighbours(""));
    floor.stand_in("duty", "j-smith", "r-ono", 0, 6).unwrap();
    let depot = "notify = [{ person = \"depot-lead\", by = [\"sms\"] }]";
    let moved = neighbours("").replacen("notify = [{ roster = \"duty\" }]", "notify = [{ person = \"p-nair\" }]", 1).replacen(
        depot,
        "notify = [{ roster = \"duty\", by = [\"sms\"] }]",
        1,
    );
    floor.adopt(&moved);
    assert_eq!(on_duty(&floor, floor.now), [floor.person("j-smith")]);
}
