//! When people were last heard from: by their own hand, from the address that they have, and to whom.

use escalation::acknowledgement::{Answer, Commitment, Gesture, Reply, Sender};
use escalation::id::SiteId;
use escalation::input::{Act, Attribution, Input};
use escalation::ladder::Medium;
use escalation::time::{Seconds, Timestamp};

use super::{COUNTERS, PEOPLE};
use crate::floor::{Floor, operator};
use crate::script::play;

fn last(floor: &Floor, who: &str) -> Option<Timestamp> {
    by(floor, who, Medium::Sms)
}

fn by(floor: &Floor, who: &str, medium: Medium) -> Option<Timestamp> {
    let person = floor.engine.person(floor.person(who)).unwrap();
    floor.engine.last_answered(person.contacts[&medium], |_| true)
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
fn another_number_is_one_that_nobody_has_answered_and_a_mail_answers_for_no_phone() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    floor.forward("10s");
    floor.reply("j-smith", "Y{code}");
    let at = floor.now;
    assert_eq!((last(&floor, "j-smith"), by(&floor, "j-smith", Medium::Email)), (Some(at), None));
    floor.skip_messages();
    floor.adopt(&COUNTERS.replacen("+61 491 570 006", "+61 491 570 313", 1));
    assert_eq!(last(&floor, "j-smith"), None, "another number is another phone");
    let mailbox = floor.engine.person(floor.person("j-smith")).unwrap().contacts[&Medium::Email];
    floor.forward("10s");
    let from =
        Sender::Link { activation: floor.subject().id.clone(), contact: mailbox, person: floor.person("j-smith"), gesture: Gesture::Shown };
    let declined = Answer { from, reply: Reply::Cannot { code: None }, text: None, provider_ref: None, sent_at: None };
    floor.take(Input::Answer(declined)).unwrap();
    assert_eq!((last(&floor, "j-smith"), by(&floor, "j-smith", Medium::Email)), (None, Some(floor.now)));
    floor.skip_messages();
    floor.adopt(COUNTERS);
    assert_eq!(last(&floor, "j-smith"), Some(at), "and the old one was answered then");
}

#[test]
fn what_was_answered_at_one_site_is_not_said_to_another() {
    let mut floor = Floor::new(COUNTERS);
    play(&mut floor, "press library/counter-1\nforward 10s\nreply j-smith Y{code}");
    let phone = floor.engine.person(floor.person("j-smith")).unwrap().contacts[&Medium::Sms];
    let of = |site: &str| {
        let site = SiteId::parse(site).unwrap();
        floor.engine.last_answered(phone, |whose| whose == Some(&site))
    };
    assert_eq!((of("library"), of("depot")), (Some(floor.now), None));
    assert_eq!(floor.engine.last_answered(phone, |whose| whose.is_none()), None, "nor to the operator as a trouble's");
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
