//! Somebody who stands in, as somebody said while the station ran.

use std::sync::Arc;

use escalation::coverage::{Case, Outlook};
use escalation::directory::Directory;
use escalation::event::Event;
use escalation::foresight::{Foresight, Gap};
use escalation::id::{LadderId, PersonId, RosterId, SiteId};
use escalation::input::Input;
use escalation::ladder::RungIndex;
use escalation::rejection::Rejection;
use escalation::roster::How;
use escalation::time::{SignedDuration, Timestamp};
use escalation::trouble::Cause;

use super::{COUNTERS, PEOPLE};
use crate::coverage::pick;
use crate::floor::Floor;
use crate::rosters::Dice;

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

/// How each line of the roster counts.
fn how(floor: &Floor) -> Vec<Option<How>> {
    let roster = RosterId::parse("duty").unwrap();
    floor.engine.stand_ins_on(&roster, floor.now).map(|said| floor.engine.how_counts(said)).collect()
}

fn is_undone(floor: &Floor) -> bool {
    let undone = Cause::StandInUndone { roster: RosterId::parse("duty").unwrap() };
    floor.engine.troubles().any(|(cause, _)| *cause == undone)
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
    assert_eq!(floor.end_stand_in("duty", "j-smith", later), Ok(Vec::new()), "it is over");
    assert_eq!(floor.end_stand_in("duty", "j-smith", later + hours(1)), Err(Rejection::NoStandIn), "it never was");
    assert_eq!(floor.end_stand_in("duty", "p-nair", later), Err(Rejection::NoStandIn), "nor for them");
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
    assert!(is_undone(&floor));
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
    assert_eq!((on_duty(&floor, floor.now), how(&floor)), (vec![floor.person("j-smith")], vec![None]));
    assert!(is_undone(&floor), "whoever is ill is on duty alone");
    floor.adopt(&rostered(""));
    assert_eq!((on_duty(&floor, floor.now), is_undone(&floor)), (vec![floor.person("r-ono")], false));
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
    assert_eq!(refused("j-smith", "r-ono", -1, 6), Rejection::ImplausibleStandIn, "nobody stood in an hour ago");
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
        assert_eq!((on_duty(&floor, floor.now), is_undone(&floor)), (vec![floor.person("j-smith")], true));
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

/// Two rosters of one person each, and a spare one: told by one rung, or each by one of its own.
fn side_by_side(is_one_rung: bool) -> String {
    let (first, second) = ("notify = [{ person = \"j-smith\", by = [\"sms\"] }]", "notify = [{ person = \"p-nair\", by = [\"sms\"] }]");
    let (duty, other) = ("{ roster = \"duty\", by = [\"sms\"] }", "{ roster = \"other\", by = [\"sms\"] }");
    let (one, two) = if is_one_rung {
        (format!("{duty}, {other}"), "{ person = \"p-nair\", by = [\"sms\"] }".to_owned())
    } else {
        (duty.to_owned(), other.to_owned())
    };
    let ladder = PEOPLE.replacen(first, &format!("notify = [{one}]"), 1).replacen(second, &format!("notify = [{two}]"), 1);
    assert!(ladder.contains(duty) && ladder.contains(other), "{ladder}");
    let person = |id: &str, mobile: &str| format!("[[person]]\nid = \"{id}\"\nname = \"{id}\"\nmobile = \"+61 491 570 {mobile}\"\n");
    let roster = |id: &str, person: &str| format!("[[roster]]\nid = \"{id}\"\n[[roster.shift]]\npeople = [\"{person}\"]\n");
    format!("{ladder}\n{}{}{}{}", person("c-lee", "313"), person("x-ono", "159"), roster("duty", "j-smith"), roster("other", "c-lee"))
}

#[test]
fn a_file_that_puts_two_rosters_on_one_rung_leaves_nobody_out() {
    let mut floor = Floor::new(&side_by_side(false));
    floor.stand_in("duty", "j-smith", "c-lee", 0, 12).unwrap();
    assert_eq!(on_duty(&floor, floor.now), [floor.person("c-lee")]);
    floor.adopt(&side_by_side(true));
    assert_eq!((on_duty(&floor, floor.now).len(), how(&floor), is_undone(&floor)), (2, vec![Some(How::Beside)], false));
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    floor.expect_sms("c-lee");
    floor.adopt(&side_by_side(false));
    assert_eq!(how(&floor), [Some(How::Instead)]);
}

#[test]
fn whoever_is_back_on_duty_beside_a_stand_in_takes_nobody_off() {
    let mut floor = Floor::new(&side_by_side(false));
    floor.stand_in("other", "c-lee", "x-ono", 0, 6).unwrap();
    floor.stand_in("duty", "j-smith", "c-lee", 0, 12).unwrap();
    floor.adopt(&side_by_side(true));
    // Until six c-lee is told by one of the two alone, and then by both: they are on duty beside J. Smith all the time.
    assert_eq!(how(&floor), [Some(How::Beside)]);
    let other = RosterId::parse("other").unwrap();
    let from = floor.engine.stand_ins_on(&other, floor.now).next().unwrap().stand_in.from;
    floor.end_stand_in("other", "c-lee", from).unwrap();
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    floor.expect_sms("c-lee");
    floor.expect_nothing_silent();
}

/// How many each rung of a press at `at` would pursue.
fn pursued(floor: &Floor, directory: &Directory, at: Timestamp) -> Vec<(RungIndex, usize)> {
    let people = floor.engine.people().map(|(id, person)| (*id, person.clone())).collect();
    let outlook = Outlook { directory, people: &people, outages: &[] };
    let ladder = directory.ladders.values().next().unwrap();
    let (walk, _) = outlook.walk(ladder, &Case::all(ladder, &[None]).remove(0), at);
    walk.entered.iter().map(|entered| (entered.rung, entered.parties.len())).collect()
}

/// Whatever is said, ended and adopted in whatever order: no rung tells fewer people at any hour than by the file alone.
#[test]
fn no_rung_ever_tells_fewer_people_than_the_file_alone() {
    let shared = |text: &str| text.replacen("+61 491 570 159", "+61 491 570 313", 1);
    let files = [side_by_side(false), side_by_side(true), shared(&side_by_side(true)), shared(&side_by_side(false))];
    let (mut both, mut counted) = (0, 0);
    for seed in 1..=80 {
        let mut dice = Dice::new(seed);
        let mut floor = Floor::new(&files[0]);
        for _step in 0..12 {
            let roster = pick(&mut dice, &["duty", "other"]);
            let people = ["j-smith", "c-lee", "x-ono", "p-nair"];
            match dice.throw(6) {
                0 => floor.adopt(&pick(&mut dice, &files)),
                1 => floor.forward(pick(&mut dice, &["20m", "1h", "3h"])),
                2 => {
                    let id = RosterId::parse(roster).unwrap();
                    let first = floor.engine.stand_ins_on(&id, floor.now).next().map(|said| (said.stand_in.off, said.stand_in.from));
                    let name = |person: PersonId| people.into_iter().find(|name| floor.person(name) == person).unwrap();
                    if let Some((off, from)) = first.map(|(off, from)| (name(off), from)) {
                        floor.end_stand_in(roster, off, from).unwrap();
                    }
                }
                _say => {
                    let from = dice.throw(4);
                    let until = from + 1 + dice.throw(6);
                    drop(floor.stand_in(roster, pick(&mut dice, &people), pick(&mut dice, &people), from, until));
                }
            }
            let mut alone = floor.engine.directory().clone();
            Arc::make_mut(&mut alone.rosters).rosters.values_mut().for_each(|roster| roster.stand_ins.clear());
            for half_hour in 0..22 {
                let at = floor.now + SignedDuration::from_mins(30 * half_hour + 7);
                let (said, file) = (pursued(&floor, floor.engine.directory(), at), pursued(&floor, &alone, at));
                assert!(
                    said.iter().zip(&file).all(|(said, file)| said >= file) && said.len() == file.len(),
                    "seed {seed} {at}: {said:?} {file:?}"
                );
            }
            both += how(&floor).iter().filter(|how| **how == Some(How::Beside)).count();
            counted += how(&floor).iter().filter(|how| **how == Some(How::Instead)).count();
        }
    }
    assert!(both > 8 && counted > 40, "{both} {counted}");
}

#[test]
fn nobody_stands_in_who_is_stood_in_for() {
    for is_one_rung in [true, false] {
        let mut floor = Floor::new(&side_by_side(is_one_rung));
        floor.stand_in("other", "c-lee", "x-ono", 0, 6).unwrap();
        let said = floor.stand_in("duty", "j-smith", "c-lee", 0, 6);
        if is_one_rung {
            assert_eq!(said.unwrap_err(), Rejection::StandInAway);
            assert_eq!(floor.stand_in("other", "c-lee", "j-smith", 6, 9).unwrap_err(), Rejection::OnDutyAlready);
        } else {
            said.unwrap();
        }
    }
    let mut floor = Floor::new(&rostered("[[roster.shift]]\npeople = [\"p-nair\"]\n"));
    floor.stand_in("duty", "p-nair", "r-ono", 0, 6).unwrap();
    assert_eq!(floor.stand_in("duty", "j-smith", "p-nair", 0, 3).unwrap_err(), Rejection::StandInAway);
    assert_eq!(floor.stand_in("duty", "j-smith", "p-nair", 6, 9).unwrap_err(), Rejection::OnDutyAlready, "then they are back");
}

#[test]
fn whoever_shares_a_phone_with_somebody_of_the_rung_is_told_already() {
    let shared = side_by_side(true).replacen("+61 491 570 159", "+61 491 570 313", 1);
    let mut floor = Floor::new(&shared);
    assert_eq!(floor.stand_in("duty", "j-smith", "x-ono", 0, 6).unwrap_err(), Rejection::OnDutyAlready);
    let mut floor = Floor::new(&side_by_side(true));
    floor.stand_in("duty", "j-smith", "x-ono", 0, 6).unwrap();
    floor.adopt(&shared);
    assert_eq!(how(&floor), [Some(How::Beside)], "the phone rings once");
}

#[test]
fn a_call_for_calm_support_reaches_whoever_stands_in_as_whoever_is_ill() {
    let by = |text: &str| text.replacen("{ roster = \"duty\", by = [\"sms\"] }", "{ roster = \"duty\", by = [\"voice\", \"email\"] }", 1);
    let smith = |text: &str| text.replacen("id = \"j-smith\"\n", "id = \"j-smith\"\nemail = \"j@example.org\"\n", 1);
    let mut floor = Floor::new(&by(&smith(&rostered(""))));
    assert_eq!(floor.stand_in("duty", "j-smith", "r-ono", 0, 6).unwrap_err(), Rejection::StandInUnreached, "nobody is rung for it");
    floor.stand_in("duty", "j-smith", "k-lee", 0, 6).unwrap();
    // Whoever is ill has no mailbox either: then nothing is lost.
    let mut floor = Floor::new(&by(&rostered("")));
    floor.stand_in("duty", "j-smith", "r-ono", 0, 6).unwrap();
    // The next file has one, and both are told.
    floor.adopt(&by(&smith(&rostered(""))));
    assert_eq!((on_duty(&floor, floor.now).len(), how(&floor)), (2, vec![Some(How::Beside)]));
}

#[test]
fn what_no_press_climbs_asks_for_no_address() {
    let unused =
        "[[ladder]]\nid = \"unused\"\n[[ladder.rung]]\nnotify = [{ roster = \"duty\", by = [\"email\"] }, { person = \"k-lee\" }]\n";
    let mut floor = Floor::new(&rostered(""));
    floor.stand_in("duty", "j-smith", "r-ono", 0, 6).unwrap();
    floor.adopt(&rostered(unused));
    assert_eq!(how(&floor), [Some(How::Instead)]);
    let mut floor = Floor::new(&rostered(unused));
    floor.stand_in("duty", "j-smith", "r-ono", 0, 6).unwrap();
}

#[test]
fn a_roster_that_goes_to_others_as_well_keeps_nobody_who_was_said_before() {
    // On no ladder at all, and then on Kalamunda's.
    let nobodys = neighbours("").replacen("notify = [{ roster = \"duty\" }]", "notify = [{ person = \"p-nair\" }]", 1);
    let mut floor = Floor::new(&nobodys);
    floor.stand_in("duty", "j-smith", "r-ono", 0, 6).unwrap();
    floor.adopt(&neighbours(""));
    assert_eq!((on_duty(&floor, floor.now), how(&floor)), (vec![floor.person("j-smith")], vec![None]));
    // For both, and then for one of them alone.
    let depot = "notify = [{ person = \"depot-lead\", by = [\"sms\"] }]";
    let both = neighbours("").replacen(depot, "notify = [{ roster = \"duty\", by = [\"sms\"] }]", 1);
    let mut floor = Floor::new(&both);
    let said = floor.stand_in("duty", "j-smith", "r-ono", 0, 6).unwrap();
    assert!(
        matches!(said.as_slice(), [Event::StandInSaid { cust: None, whose: Some(whose), .. }] if whose.customers.len() == 2),
        "{said:?}"
    );
    floor.adopt(&neighbours(""));
    assert_eq!(how(&floor), [Some(How::Instead)], "it is for fewer");
    floor.stand_in("duty", "r-ono", "p-nair", 6, 9).unwrap_err();
    floor.stand_in("duty", "j-smith", "r-ono", 6, 9).unwrap();
    floor.adopt(&both);
    assert_eq!(how(&floor), [Some(How::Instead), None], "the later one is Kalamunda's");
    assert!(is_undone(&floor));
}

#[test]
fn an_entry_of_the_last_version_counts_while_the_roster_is_for_as_many_as_then() {
    let depot = "notify = [{ person = \"depot-lead\", by = [\"sms\"] }]";
    let both = neighbours("").replacen(depot, "notify = [{ roster = \"duty\", by = [\"sms\"] }]", 1);
    let floor = Floor::new(&both);
    let mut engine = floor.engine.clone();
    let mut written =
        serde_json::json!({"type": "duty.stand_in", "roster": "duty", "off": "P-1", "on": "P-2", "by": {"principal": "desk"}});
    written["off"] = serde_json::to_value(floor.person("j-smith")).unwrap();
    written["on"] = serde_json::to_value(floor.person("r-ono")).unwrap();
    written["from"] = serde_json::to_value(floor.now).unwrap();
    written["until"] = serde_json::to_value(floor.now + hours(6)).unwrap();
    engine.apply(floor.now, &serde_json::from_value(written).unwrap());
    let on_duty = engine.directory().rosters.on_duty(&RosterId::parse("duty").unwrap(), floor.now).unwrap().people;
    assert_eq!(on_duty, [floor.person("r-ono")]);
}

#[test]
fn the_same_said_once_more_is_said_already() {
    let mut floor = Floor::new(&rostered(""));
    floor.stand_in("duty", "j-smith", "r-ono", 0, 6).unwrap();
    assert_eq!(floor.stand_in("duty", "j-smith", "r-ono", 0, 6), Ok(Vec::new()));
    floor.forward("5m");
    let until = floor.engine.stand_ins_on(&RosterId::parse("duty").unwrap(), floor.now).next().unwrap().stand_in.until;
    assert_eq!(floor.stand_in_until("duty", "j-smith", "r-ono", None, until), Ok(Vec::new()));
    assert_eq!(floor.stand_in_until("duty", "j-smith", "r-ono", None, until + hours(1)), Err(Rejection::StoodInForAlready));
    assert_eq!(floor.stand_in_until("duty", "j-smith", "p-nair", None, until), Err(Rejection::StoodInForAlready));
}

#[test]
fn what_counts_for_nothing_stands_in_nobodys_way() {
    let without = rostered("").replacen("r-ono", "s-new", 1).replacen("R. Ono", "S. New", 1);
    let mut floor = Floor::new(&rostered(""));
    floor.stand_in("duty", "j-smith", "r-ono", 0, 6).unwrap();
    floor.adopt(&without);
    floor.stand_in("duty", "j-smith", "p-nair", 0, 6).unwrap();
    assert_eq!(how(&floor), [Some(How::Instead)], "it is in the place of the other");
    floor.adopt(&rostered(""));
    assert_eq!(on_duty(&floor, floor.now), [floor.person("p-nair")]);
}

#[test]
fn whoever_looks_after_the_station_is_told_of_a_stand_in_that_counts_no_more_while_it_would_last() {
    let technical = "[technical]\nladder = \"station\"\n[[ladder]]\nid = \"station\"\n[[ladder.rung]]\nnotify = [{ person = \"p-nair\", by = [\"sms\"] }]\n";
    let mut floor = Floor::new(&rostered(technical));
    floor.stand_in("duty", "j-smith", "r-ono", 0, 2).unwrap();
    floor.adopt(&rostered(technical).replacen("r-ono", "s-new", 1).replacen("R. Ono", "S. New", 1));
    assert!(is_undone(&floor));
    floor.forward("2m");
    assert!(floor.events.iter().any(|(_, event)| matches!(event, Event::TroubleTold { cause: Cause::StandInUndone { .. }, .. })));
    floor.forward("3h");
    assert!(!is_undone(&floor), "it would be over");
    let told = floor.events.iter().filter(|(_, event)| matches!(event, Event::TroubleTold { .. })).count();
    floor.forward("6h");
    assert_eq!(
        floor.events.iter().filter(|(_, event)| matches!(event, Event::TroubleTold { .. })).count(),
        told,
        "and nobody hears of it again"
    );
}

/// Before, a roster of another name had whoever is ill on duty, and the trouble that said so ended.
#[test]
fn a_roster_that_was_renamed_leaves_nobody_on_duty_alone_unsaid() {
    let mut floor = Floor::new(&rostered(""));
    floor.stand_in("duty", "j-smith", "r-ono", 0, 20).unwrap();
    let renamed = |stand_in: &str| {
        rostered("").replace("\"duty\"", "\"duty-perth\"").replacen("id = \"duty-perth\"\nname", "id = \"duty\"\nname", 1) + stand_in
    };
    floor.adopt(&renamed(""));
    assert!(is_undone(&floor), "{:?}", floor.engine.directory().rosters.rosters.keys().collect::<Vec<_>>());
    // One evening of it leaves them alone at all other times.
    floor.stand_in("duty-perth", "j-smith", "r-ono", 0, 2).unwrap();
    let stale = Foresight { directory: 0, duty: 0, at: floor.now, gaps: Vec::new() };
    floor.take(Input::CoverageForeseen(stale)).unwrap();
    assert!(is_undone(&floor), "after two hours they are");
    floor.stand_in("duty-perth", "j-smith", "r-ono", 2, 20).unwrap();
    let stale = Foresight { directory: 0, duty: 0, at: floor.now, gaps: Vec::new() };
    floor.take(Input::CoverageForeseen(stale)).unwrap();
    assert!(!is_undone(&floor), "somebody stands in for them there");
    // What was said of the one that is gone can be ended by its name.
    let from = floor.engine.said_of(&RosterId::parse("duty").unwrap()).next().unwrap().stand_in.from;
    assert_eq!(floor.end_stand_in("duty", "j-smith", from).map(|events| events.len()), Ok(1));
}

/// Before, one evening that somebody else was named for took all the days after it from whoever had been said to stand in.
#[test]
fn what_is_said_of_one_evening_leaves_the_days_around_it() {
    let mut floor = Floor::new(&rostered(""));
    let without = |who: &str, name: &str| rostered("").replacen(who, "s-new", 1).replacen(name, "S. New", 1);
    floor.stand_in("duty", "j-smith", "r-ono", 0, 48).unwrap();
    floor.adopt(&without("r-ono", "R. Ono"));
    assert!(is_undone(&floor));
    floor.stand_in("duty", "j-smith", "p-nair", 6, 12).unwrap();
    assert_eq!(how(&floor), [None, None, Some(How::Instead)]);
    assert!(is_undone(&floor), "before and after it they are on duty alone");
    floor.adopt(&rostered(""));
    assert!(!is_undone(&floor));
    let who = |floor: &Floor, ahead: i64| on_duty(floor, floor.now + hours(ahead));
    assert_eq!(who(&floor, 3), [floor.person("r-ono")]);
    assert_eq!(who(&floor, 9), [floor.person("p-nair")]);
    assert_eq!(who(&floor, 24), [floor.person("r-ono")]);
    assert_eq!(who(&floor, 50), [floor.person("j-smith")]);
}

#[test]
fn what_somebody_has_ended_is_no_trouble_at_the_next_look_ahead() {
    let mut floor = Floor::new(&rostered(""));
    floor.stand_in("duty", "j-smith", "r-ono", 0, 2).unwrap();
    floor.adopt(&rostered("").replacen("r-ono", "s-new", 1).replacen("R. Ono", "S. New", 1));
    let roster = RosterId::parse("duty").unwrap();
    let from = floor.engine.stand_ins_on(&roster, floor.now).next().unwrap().stand_in.from;
    floor.end_stand_in("duty", "j-smith", from).unwrap();
    let stale = Foresight { directory: 0, duty: 0, at: floor.now, gaps: Vec::new() };
    floor.take(Input::CoverageForeseen(stale)).unwrap();
    assert!(!is_undone(&floor), "somebody has seen it, and ended it");
}

#[test]
fn whoever_stood_in_until_a_tick_is_on_the_roster_no_more() {
    let mut floor = Floor::new(&rostered(""));
    floor.stand_in("duty", "j-smith", "r-ono", 0, 2).unwrap();
    let may = |floor: &Floor| {
        let ladder = floor.engine.directory().ladders.values().next().unwrap();
        floor.engine.directory().may_tell(ladder, floor.person("r-ono"))
    };
    floor.forward("3h");
    assert!(may(&floor));
    floor.take(Input::TickOwed { wall_ahead_us: 0 }).unwrap();
    assert!(!may(&floor));
}

#[test]
fn what_was_worked_out_before_somebody_stood_in_says_nothing() {
    let mut floor = Floor::new(&rostered(""));
    let before = floor.engine.duty_changes();
    let gap =
        Gap { site: SiteId::parse("library").unwrap(), ladder: LadderId::parse("people").unwrap(), from: floor.now, until: floor.now };
    let seen = Foresight { directory: floor.engine.directory_version(), duty: before, at: floor.now, gaps: vec![gap] };
    floor.stand_in("duty", "j-smith", "r-ono", 0, 2).unwrap();
    assert_eq!(floor.take(Input::CoverageForeseen(seen)), Ok(Vec::new()));
    assert_eq!(floor.engine.duty_changes(), before + 1);
    let roster = RosterId::parse("duty").unwrap();
    let from = floor.engine.stand_ins_on(&roster, floor.now).next().unwrap().stand_in.from;
    floor.end_stand_in("duty", "j-smith", from).unwrap();
    assert_eq!(floor.engine.duty_changes(), before + 2);
}
