//! When people were last heard from: by their own hand, from the address that they have, and to whom.

use escalation::acknowledgement::{Commitment, Gesture, Reply};
use escalation::id::CustomerId;
use escalation::input::{Act, Attribution};
use escalation::time::{Seconds, Timestamp};

use super::{COUNTERS, PEOPLE};
use crate::floor::{Floor, operator};
use crate::script::play;

fn last(floor: &Floor, who: &str) -> Option<Timestamp> {
    floor.engine.last_answered(floor.person(who), |_| true)
}

#[test]
fn a_reply_a_gesture_and_a_digit_are_a_human_and_nothing_else_is() {
    let mut floor = Floor::new(COUNTERS);
    play(&mut floor, "press library/counter-1\nforward 10s");
    assert_eq!(last(&floor, "j-smith"), None, "a text that left is no answer");
    play(&mut floor, "delivered sms to j-smith\nforward 10s\nreply j-smith hello");
    assert_eq!(last(&floor, "j-smith"), None, "neither is a receipt, nor words that answer nothing");
    let by = Attribution { person: Some(floor.person("j-smith")), ..operator("desk") };
    floor.command(by, Act::Accept { commitment: Commitment::Going, eta_s: Some(Seconds(300)) }).unwrap();
    assert_eq!(last(&floor, "j-smith"), None, "what somebody says of them proves no phone");
    floor.forward("5s");
    floor.reply("j-smith", "N{code}");
    assert_eq!(last(&floor, "j-smith"), Some(floor.now), "also to say that they cannot");
}

#[test]
fn a_link_is_an_answer_by_its_gesture() {
    let mut floor = Floor::new(COUNTERS);
    play(&mut floor, "press library/counter-1\nforward 10s");
    floor.tap("j-smith", Reply::Cannot { code: None }, Gesture::Missing);
    assert_eq!(last(&floor, "j-smith"), None, "a scanner is nobody");
    floor.tap("j-smith", Reply::Cannot { code: None }, Gesture::Shown);
    assert_eq!(last(&floor, "j-smith"), Some(floor.now));
}

#[test]
fn another_number_is_somebody_whom_nobody_has_heard_from() {
    let mut floor = Floor::new(PEOPLE);
    floor.press("library/counter-1");
    floor.forward("10s");
    floor.reply("j-smith", "Y{code}");
    let at = floor.now;
    assert_eq!(last(&floor, "j-smith"), Some(at));
    floor.skip_messages();
    floor.adopt(&PEOPLE.replacen("name = \"J. Smith\"", "name = \"Jo Smith\"", 1));
    assert_eq!(last(&floor, "j-smith"), Some(at), "another name is the same phone");
    floor.adopt(&PEOPLE.replacen("+61 491 570 006", "+61 491 570 313", 1));
    assert_eq!(last(&floor, "j-smith"), None, "another number is not");
    floor.adopt(PEOPLE);
    assert_eq!(last(&floor, "j-smith"), Some(at), "and the old one is proven still");
}

#[test]
fn what_somebody_answered_to_one_customer_is_not_said_to_another() {
    let mut floor = Floor::new(COUNTERS);
    play(&mut floor, "press library/counter-1\nforward 10s\nreply j-smith Y{code}");
    let of = |customer: &str| {
        let customer = CustomerId::parse(customer).unwrap();
        floor.engine.last_answered(floor.person("j-smith"), |whose| whose == Some(&customer))
    };
    assert_eq!((of("kalamunda"), of("mundaring")), (Some(floor.now), None));
    assert_eq!(floor.engine.last_answered(floor.person("j-smith"), |whose| whose.is_none()), None, "nor to the operator as a trouble's");
}

#[test]
fn a_drill_and_a_test_prove_a_phone_too() {
    let mut floor = Floor::new(PEOPLE);
    floor.test(&["library/counter-1"], "j-smith", 10).unwrap();
    floor.press("library/counter-1");
    floor.reply("j-smith", "Y{code}");
    assert_eq!(last(&floor, "j-smith"), Some(floor.now));
    floor.skip_messages();
    floor.forward("1m");
    floor.drill("library", 10).unwrap();
    floor.forward("5s");
    floor.reply("j-smith", "N{code}");
    assert_eq!(last(&floor, "j-smith"), Some(floor.now));
}
