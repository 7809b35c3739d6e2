//! Rungs that more than one person has to accept.

use escalation::acknowledgement::{Commitment, Reply};
use escalation::activation::Stage;
use escalation::dispatch::Purpose;
use escalation::event::{ContactSkip, Event};
use escalation::ladder::Medium;
use escalation::trouble::Cause;

use super::PEOPLE;
use crate::floor::Floor;

/// Two are told at once on the first rung, which asks for `need` of them; a third person is on the second.
fn crew(need: &str) -> String {
    let first = "notify = [{ person = \"j-smith\", by = [\"sms\"] }]\nwait = \"30s\"\n";
    let second = "notify = [{ person = \"p-nair\", by = [\"sms\"] }]\nwait = \"30s\"\n";
    let both = "notify = [{ person = \"j-smith\", by = [\"sms\"] }, { person = \"p-nair\", by = [\"sms\"] }]\nwait = \"30s\"\n";
    let third = "notify = [{ person = \"k-lee\", by = [\"sms\"] }]\nwait = \"30s\"\n";
    let text = PEOPLE.replacen(first, &format!("{both}need = {need}\n"), 1).replacen(second, third, 1);
    assert!(text.contains(both) && text.contains(third));
    format!("{text}[[person]]\nid = \"k-lee\"\nmobile = \"+61 491 570 158\"\n")
}

fn pressed(need: &str) -> Floor {
    let mut floor = Floor::new(&crew(need));
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    floor.expect_sms("p-nair");
    floor
}

#[test]
fn the_ladder_goes_on_until_as_many_have_accepted_as_are_needed() {
    let mut floor = pressed("2");
    floor.reply("j-smith", "Y{code}");
    floor.expect("j-smith", Medium::Sms, Purpose::Confirmed);
    floor.expect_nothing_silent();
    assert_eq!((floor.stage(), floor.subject().going()), (Stage::Climbing, 1), "one of two");
    floor.forward("30s");
    floor.expect_sms("k-lee");
    floor.expect_nothing_silent();
    floor.reply("k-lee", "Y{code}");
    floor.expect("k-lee", Medium::Sms, Purpose::Confirmed);
    floor.expect("j-smith", Medium::Sms, Purpose::SomeoneGoing);
    floor.expect("p-nair", Medium::Sms, Purpose::SomeoneGoing);
    assert_eq!(floor.stage(), Stage::Committed(Commitment::Going));
    floor.forward("5m");
    floor.expect_nothing_silent();
}

#[test]
fn one_of_two_who_leaves_lets_the_ladder_go_on() {
    let mut floor = pressed("2");
    floor.reply("j-smith", "Y{code}");
    floor.reply("p-nair", "Y{code}");
    assert_eq!(floor.stage(), Stage::Committed(Commitment::Going));
    floor.skip_messages();
    floor.forward("2m");
    floor.reply("p-nair", "N{code}");
    floor.expect("p-nair", Medium::Sms, Purpose::Declined);
    floor.expect_sms("k-lee");
    floor.expect_nothing_silent();
    assert_eq!((floor.stage(), floor.subject().going()), (Stage::Climbing, 1));
}

#[test]
fn the_first_who_leaves_is_replaced_as_well() {
    let mut floor = pressed("2");
    floor.reply("j-smith", "Y{code}");
    floor.reply("p-nair", "Y{code}");
    floor.skip_messages();
    floor.reply("j-smith", "N{code}");
    floor.expect("j-smith", Medium::Sms, Purpose::Declined);
    floor.expect_sms("k-lee");
    floor.expect_nothing_silent();
    assert_eq!(floor.stage(), Stage::Climbing);
}

/// The same person twice is one person, and whoever verifies has not said that they come.
#[test]
fn each_person_counts_once_and_only_for_going() {
    let mut floor = pressed("2");
    floor.reply("j-smith", "Y{code}");
    floor.reply("j-smith", "Y{code}");
    floor.dial("p-nair", Reply::Helping { code: None });
    assert_eq!((floor.stage(), floor.subject().going()), (Stage::Climbing, 1));
    floor.reply("p-nair", "Y{code}");
    assert_eq!((floor.stage(), floor.subject().going()), (Stage::Committed(Commitment::Going), 2));
}

#[test]
fn each_is_everybody_whom_the_rung_means() {
    let mut floor = pressed("\"each\"");
    assert_eq!(floor.subject().need, 2);
    floor.reply("p-nair", "Y{code}");
    assert_eq!(floor.stage(), Stage::Climbing);
    floor.reply("j-smith", "Y{code}");
    assert_eq!(floor.stage(), Stage::Committed(Commitment::Going));
}

/// Whoever cannot be reached is meant all the same: somebody else has to come for them.
#[test]
fn each_counts_whoever_has_no_address_too() {
    let text = crew("\"each\"").replacen("mobile = \"+61 491 570 156\"\n", "", 1);
    let mut floor = Floor::new(&text);
    floor.press("library/counter-1");
    floor.expect_sms("j-smith");
    floor.reply("j-smith", "Y{code}");
    floor.expect("j-smith", Medium::Sms, Purpose::Confirmed);
    assert_eq!((floor.stage(), floor.subject().need), (Stage::Climbing, 2));
    floor.forward("30s");
    floor.expect_sms("k-lee");
}

/// Rounds ask for those who are missing, and leave whoever is on the way alone.
#[test]
fn rounds_ask_for_whoever_is_missing() {
    let mut floor = pressed("2");
    floor.reply("j-smith", "Y{code}");
    floor.skip_messages();
    floor.forward("60s");
    assert_eq!(floor.stage(), Stage::Exhausted);
    floor.expect_sms("k-lee");
    floor.expect_sms("k-lee");
    floor.expect_sms("p-nair");
    floor.expect_nothing_silent();
    let accepted = |event: &Event| matches!(event, Event::ContactPassedOver { why: ContactSkip::HasAccepted, .. });
    assert!(floor.count(accepted) > 0, "what did not happen is recorded (I9)");
}

/// A rung of people who are all on the way is no gap of the ladder.
#[test]
fn a_rung_whose_people_have_accepted_is_no_trouble() {
    let text = crew("3").replacen("{ person = \"k-lee\", by = [\"sms\"] }", "{ person = \"j-smith\", by = [\"sms\"] }", 1);
    let mut floor = Floor::new(&text);
    floor.press("library/counter-1");
    floor.reply("j-smith", "Y{code}");
    floor.skip_messages();
    floor.forward("30s");
    assert_eq!(floor.count(|event| matches!(event, Event::TroubleRaised { cause: Cause::Coverage { .. }, .. })), 0);
    floor.expect_sms("p-nair");
}

/// Once two are asked for, two it is: a later rung that asks for one takes nothing back.
#[test]
fn a_later_rung_takes_nothing_back() {
    let mut floor = pressed("2");
    assert_eq!(floor.subject().need, 2);
    floor.forward("30s");
    assert_eq!(floor.subject().need, 2);
}
