//! Rungs that more than one person has to accept.

use escalation::acknowledgement::{Commitment, Gesture, Reply};
use escalation::activation::Stage;
use escalation::dispatch::Purpose;
use escalation::event::{ContactSkip, Event};
use escalation::input::{Act, Attribution, EscalateTo};
use escalation::ladder::{Medium, RungIndex};
use escalation::time::Seconds;
use escalation::trouble::Cause;
use expect_test::expect;

use super::PEOPLE;
use crate::floor::{Floor, key_of, operator, press};
use crate::script::check;

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

/// Each of two who are needed is asked at their own time; whoever does not answer counts no longer.
#[test]
fn each_who_is_needed_is_asked_whether_they_still_go() {
    check(
        &crew("2"),
        "press library/counter-1
        reply j-smith Y{code}
        forward 10s
        reply p-nair Y{code}
        forward 10m
        reply j-smith Y{code}
        forward 2m",
        expect![[r#"
            > press library/counter-1
            0s        LIB-1 raised: duress at library/counter-1 of default (Registered, Live { up_to_s: None }, Ladder)
            0s        LIB-1 rung 1 until 30s (Raised): j-smith by sms, p-nair by sms
            0s          LIB-1.1 sms to j-smith: alarm code 47
            0s          LIB-1.2 sms to p-nair: alarm code 47
            > reply j-smith Y{code}
            0s        LIB-1 j-smith accepts: Going until 600s
            0s          LIB-1.3 sms to j-smith: confirmed code 47
            > forward 10s
            > reply p-nair Y{code}
            10s       LIB-1 p-nair joins: Going until 610s
            10s         LIB-1.4 sms to p-nair: confirmed code 47
            10s         LIB-1.5 sms to j-smith: someone_going code 47
            > forward 10m
            600s      LIB-1 still going? until 720s
            600s        LIB-1.6 sms to j-smith: still_going code 47
            610s      LIB-1 p-nair still going? until 730s
            610s        LIB-1.7 sms to p-nair: still_going code 47
            > reply j-smith Y{code}
            610s      LIB-1 j-smith accepts once more: Going until 1210s
            610s        LIB-1.8 sms to j-smith: confirmed code 47
            > forward 2m
            730s      LIB-1 p-nair commitment lapsed (NoAnswer)
            730s      LIB-1 rung 2 until 760s (Resumed): k-lee by sms
            730s        LIB-1.9 sms to k-lee: alarm code 47
        "#]],
    );
}

#[test]
fn a_co_responder_who_answers_goes_on_counting() {
    let mut floor = pressed("2");
    floor.reply("j-smith", "Y{code}");
    floor.reply("p-nair", "Y{code}");
    floor.forward("10m");
    floor.skip_messages();
    floor.reply("p-nair", "Y{code}");
    floor.reply("j-smith", "Y{code}");
    floor.forward("5m");
    assert_eq!((floor.stage(), floor.subject().going()), (Stage::Committed(Commitment::Going), 2));
    floor.forward("5m");
    floor.expect("p-nair", Medium::Sms, Purpose::StillGoing);
}

/// Somebody is sent to them, and somebody else has to come in their place.
#[test]
fn a_co_responder_who_falls_silent_at_the_place_counts_no_longer() {
    let mut floor = pressed("2");
    floor.reply("j-smith", "Y{code}");
    floor.reply("p-nair", "Y{code}");
    let called = floor.subject.clone();
    floor.tap("p-nair", Reply::Arrived, Gesture::Shown);
    floor.skip_messages();
    floor.forward("5m");
    floor.subject = called;
    assert_eq!((floor.stage(), floor.subject().going()), (Stage::Climbing, 1));
    floor.expect("p-nair", Medium::Sms, Purpose::AreYouSafe);
    floor.expect_sms("k-lee");
    floor.tap("p-nair", Reply::Arrived, Gesture::Shown);
    assert_eq!((floor.stage(), floor.subject().going()), (Stage::Committed(Commitment::Going), 2), "they are safe, and there");
}

/// "Verifying" beside somebody who goes ends like any other, so that they are asked again.
#[test]
fn a_co_responder_who_only_looks_is_asked_again_when_that_is_over() {
    let mut floor = pressed("2");
    floor.reply("j-smith", "Y{code}");
    floor.dial("p-nair", Reply::Helping { code: None });
    floor.forward("2m");
    let over = |event: &Event| matches!(event, Event::CommitmentLapsed { whose: Some(_), .. });
    assert_eq!(floor.count(over), 1);
    floor.expect_sms("p-nair");
}

fn named(name: &str) -> Attribution {
    Attribution { actor: Some(name.to_owned().into()), actor_key: Some(key_of(name)), ..operator("westside") }
}

/// A name that an operator gives may be anybody's, also of one who has accepted already.
#[test]
fn whoever_is_not_in_the_directory_counts_for_nobody_beside_who_is() {
    let going = || Act::Accept { commitment: Commitment::Going, eta_s: None };
    let mut floor = pressed("2");
    floor.command(named("Jo"), going()).unwrap();
    floor.command(named("Pat"), going()).unwrap();
    assert_eq!((floor.stage(), floor.subject().going()), (Stage::Climbing, 1), "two names may be one human");
    floor.reply("j-smith", "Y{code}");
    assert_eq!((floor.stage(), floor.subject().going()), (Stage::Climbing, 1), "who may be this one");
    floor.reply("p-nair", "Y{code}");
    assert_eq!((floor.stage(), floor.subject().going()), (Stage::Committed(Commitment::Going), 2));
    let mut floor = pressed("2");
    floor.reply("j-smith", "Y{code}");
    floor.command(named("Jo"), going()).unwrap();
    assert_eq!((floor.stage(), floor.subject().going()), (Stage::Climbing, 1));
    floor.reply("p-nair", "Y{code}");
    assert_eq!((floor.stage(), floor.subject().going()), (Stage::Committed(Commitment::Going), 2));
}

/// Nobody asked them while one was enough. They have their time to answer from the moment that they are needed.
#[test]
fn whoever_comes_to_be_needed_later_is_asked_before_they_count_no_longer() {
    let text = crew("1").replacen(
        "notify = [{ person = \"k-lee\", by = [\"sms\"] }]\n",
        "notify = [{ person = \"k-lee\", by = [\"sms\"] }]\nneed = 2\n",
        1,
    );
    let mut floor = Floor::new(&text);
    floor.press("library/counter-1");
    floor.reply("j-smith", "Y{code}");
    floor.reply("p-nair", "Y{code}");
    floor.forward("10m");
    floor.reply("j-smith", "Y{code}");
    floor.skip_messages();
    floor.forward("5m");
    floor.expect_nothing_silent();
    floor.command(operator("westside"), Act::Escalate { to: EscalateTo::Rung(RungIndex(1)) }).unwrap();
    assert_eq!(floor.subject().need, 2);
    floor.forward("1s");
    floor.expect_sms("k-lee");
    floor.expect("p-nair", Medium::Sms, Purpose::StillGoing);
    floor.expect_nothing_silent();
    assert_eq!(floor.subject().going(), 2);
    floor.forward("2m");
    assert_eq!(floor.subject().going(), 1);
}

/// Who says that they come later than counts is one of two no longer.
#[test]
fn a_co_responder_who_says_that_they_come_later_counts_no_longer() {
    let mut floor = pressed("2");
    floor.reply("j-smith", "Y{code}");
    floor.reply("p-nair", "Y{code}");
    floor.forward("1m");
    floor.skip_messages();
    let late = Act::Accept { commitment: Commitment::Going, eta_s: Some(Seconds(1_800)) };
    floor.command(Attribution { person: Some(floor.person("p-nair")), ..operator("westside") }, late).unwrap();
    assert_eq!((floor.stage(), floor.subject().going()), (Stage::Climbing, 1));
    floor.expect_sms("k-lee");
}

/// Whoever is asked to look at an old press first is one of two where the ladder asks for two.
#[test]
fn whoever_is_asked_before_the_ladder_is_no_more_people_than_it_asks_for_first() {
    let mut floor = Floor::new(&crew("2"));
    let mut kept = press("library/counter-1");
    kept.origin.retained = true;
    floor.send(kept);
    floor.expect("j-smith", Medium::Sms, Purpose::AskFirst);
    floor.expect("p-nair", Medium::Sms, Purpose::AskFirst);
    floor.reply("j-smith", "Y{code}");
    floor.skip_messages();
    assert_eq!((floor.stage(), floor.subject().going()), (Stage::Climbing, 1));
    floor.forward("120s");
    floor.expect("p-nair", Medium::Sms, Purpose::AlarmAgain);
    // Who would be asked first is nobody: one is enough, as without asking first.
    let nobody = crew("2")
        .replace("mobile = \"+61 491 570 006\"", "email = \"j@example.org\"")
        .replace("mobile = \"+61 491 570 156\"", "email = \"p@example.org\"");
    let mut floor = Floor::new(&nobody);
    let mut kept = press("library/counter-1");
    kept.origin.retained = true;
    floor.send(kept);
    assert_eq!(floor.subject().need, 1);
}

/// Somebody joined where one was enough, and their time is over when more come to be needed: no deadline lies in the past.
#[test]
fn whoever_comes_to_be_needed_after_their_time_is_asked_then() {
    let late = PEOPLE.replacen("wait = \"30s\"", "wait = \"30s\"\n# first", 1).replacen(
        "notify = [{ person = \"p-nair\", by = [\"sms\"] }]",
        "notify = [{ person = \"p-nair\", by = [\"sms\"] }]\nneed = 2",
        1,
    );
    let mut floor = Floor::new(&late);
    floor.press("library/counter-1");
    floor.skip_messages();
    floor.reply("j-smith", "Y{code}");
    floor.command(operator("desk"), Act::Accept { commitment: Commitment::Verifying, eta_s: None }).unwrap();
    floor.forward("15m");
    assert!(floor.subject().need > 1, "the rung that asks for two was entered");
    assert!(floor.engine.next_deadline().is_none_or(|deadline| deadline.at >= floor.now));
    let questioned = |event: &Event| matches!(event, Event::RungEntered { need: Some(2), .. });
    let entered = floor.events.iter().position(|(_, event)| questioned(event)).unwrap();
    let (at, _) = floor.events[entered];
    let lapsed = floor.events[entered..].iter().find(|(_, event)| matches!(event, Event::CommitmentLapsed { whose: Some(_), .. }));
    assert_eq!(lapsed.map(|(lapsed, _)| *lapsed), Some(at), "verifying is over, and was when more were needed");
}
