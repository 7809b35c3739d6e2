//! Incidents: calls of one site belong together and stay apart, and whoever goes to one of them hears of the next.

use std::collections::{BTreeMap, BTreeSet};

use escalation::acknowledgement::{Disposition, Gesture, Reply};
use escalation::activation::Activation;
use escalation::dispatch::{Purpose, Recipient};
use escalation::event::Event;
use escalation::id::{ActivationId, ContactKey};
use escalation::input::Act;
use escalation::ladder::Medium;
use escalation::signal::{Kind, Unreadable, Verb};
use expect_test::expect;
use proptest::prelude::*;

use super::{COUNTERS, PEOPLE};
use crate::floor::{Floor, operator, press, signal};
use crate::script::check;

fn beside(floor: &Floor, act: &ActivationId) -> Vec<String> {
    let act = floor.engine.activation(act).unwrap();
    floor.engine.calls_beside(act).map(|other| other.id.to_string()).collect()
}

fn on(floor: &mut Floor, id: &ActivationId, act: Act) {
    floor.subject = Some(id.clone());
    floor.command(operator("jane"), act).unwrap();
}

/// Who is told of a call beside its ladder.
fn told(floor: &Floor, news: &[Event]) -> Vec<String> {
    let beside = |event: &Event| {
        let Event::DispatchQueued { to, purpose: Purpose::Alarm, pursuit: None, .. } = event else { return None };
        matches!(to, Recipient::Person { .. }).then(|| floor.name_of(to))
    };
    news.iter().filter_map(beside).collect()
}

/// What was recorded since so many events had been.
fn since(floor: &Floor, seen: usize) -> Vec<Event> {
    floor.events[seen..].iter().map(|(_, event)| event.clone()).collect()
}

fn closing() -> Act {
    Act::Close { disposition: Disposition::Attended, note: None }
}

#[test]
fn whoever_goes_to_one_call_hears_of_the_next_at_that_site_whatever_rung_they_stand_on() {
    check(
        COUNTERS,
        "press library/counter-1
        reply j-smith N{code}
        reply p-nair Y{code}
        press library/counter-2",
        expect![[r#"
            > press library/counter-1
            0s        KAL-1 raised: duress at library/counter-1 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-1 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-1.1 sms to j-smith: alarm code 47
            > reply j-smith N{code}
            0s        KAL-1 j-smith declines, rests until 900s
            0s          KAL-1.2 sms to j-smith: declined
            0s        KAL-1 rung 2 until 45s (NobodyLeft): p-nair by sms+email, duty by sms
            0s          KAL-1.3 sms to p-nair: alarm code 47
            0s          KAL-1.4 email to p-nair: alarm
            0s          KAL-1.5 sms to duty: alarm code 47
            > reply p-nair Y{code}
            0s        KAL-1 p-nair accepts: Going until 600s
            0s          KAL-1.6 sms to p-nair: confirmed code 47
            0s          KAL-1.7 sms to j-smith: someone_going code 47
            0s          KAL-1.8 sms to duty: someone_going code 47
            0s          KAL-1.9 webhook to westside: alarm
            > press library/counter-2
            0s        KAL-2 raised with KAL-1: duress at library/counter-2 of kalamunda (Registered, Live { up_to_s: None }, Ladder)
            0s        KAL-2 rung 1 until 30s (Raised): j-smith by sms then email
            0s          KAL-2.1 sms to j-smith: alarm code 84
            0s          KAL-2.2 sms to p-nair: alarm code 84
        "#]],
    );
}

/// Before, whoever was told of both and of whom the first was closed read "ALL CLEAR" with the other one open.
#[test]
fn a_closing_leaves_the_other_call_as_it_is() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    let first = floor.subject().id.clone();
    floor.press("library/counter-2");
    let second = floor.subject().id.clone();
    assert_eq!((beside(&floor, &first), beside(&floor, &second)), (vec![second.to_string()], vec![first.to_string()]));
    on(&mut floor, &first, closing());
    assert_eq!((beside(&floor, &first), beside(&floor, &second)), (vec![second.to_string()], Vec::new()));
    assert!(floor.engine.activation(&second).unwrap().is_open());
    // A third belongs to the incident that the first began, which is over.
    floor.press("library/pendant");
    assert_eq!(floor.subject().incident.as_deref(), Some(&first));
}

/// Whoever is asked before the ladder and goes takes it for a call; no rung is ever entered then.
#[test]
fn what_somebody_was_asked_about_first_is_told_once_they_go() {
    let mut floor = Floor::new(PEOPLE);
    floor.press("library/counter-1");
    floor.reply("j-smith", "N{code}");
    floor.reply("p-nair", "Y{code}");
    let asked = floor.hear(signal("library/counter-2", Verb::Unreadable { why: Unreadable::NotJson }));
    assert_eq!(told(&floor, &asked), [""; 0]);
    floor.subject = asked.iter().find_map(Event::activation).cloned();
    let goes = floor.reply("j-smith", "Y{code}");
    assert_eq!(told(&floor, &goes), ["p-nair"]);
}

/// A silent call is told to nobody beside its ladder whose phone may lie where it comes from.
#[test]
fn whoever_works_there_is_not_told_beside_the_ladder() {
    let there = |person: &str| COUNTERS.replace(&format!("id = \"{person}\"\n"), &format!("id = \"{person}\"\nbased_at = \"library\"\n"));
    for (directory, kind, expected) in
        [(there("p-nair"), Kind::Duress, &[][..]), (there("p-nair"), Kind::Panic, &["p-nair"]), (there("duty"), Kind::Duress, &["p-nair"])]
    {
        let mut floor = Floor::new(&directory);
        floor.hear(signal("library/counter-1", Verb::Press { kind: Some(Kind::Panic), style: None }));
        floor.reply("j-smith", "N{code}");
        floor.reply("p-nair", "Y{code}");
        let raised = floor.hear(signal("library/counter-2", Verb::Press { kind: Some(kind), style: None }));
        assert_eq!(told(&floor, &raised), expected, "{kind:?}");
        let call = floor.engine.calls_beside(floor.subject()).next().unwrap().clone();
        let nair = floor.person("p-nair");
        let contact = floor.engine.person(nair).unwrap().contacts[&Medium::Sms];
        assert!(!floor.engine.is_kept_from(&call, Some(nair), contact), "a panic alarm is heard by everybody there");
    }
}

/// Before, whoever had called for help where they went read of their own call on the phone in their hand, where it was said of
/// another one that it is over.
#[test]
fn a_responders_own_call_is_kept_from_them_and_from_whoever_has_their_number() {
    let shared = COUNTERS.replace("+61 491 570 157", "+61 491 570 156");
    let mut floor = Floor::new(&shared);
    floor.press("library/counter-1");
    floor.reply("j-smith", "N{code}");
    floor.tap("p-nair", Reply::Going { code: None }, Gesture::Shown);
    let first = floor.subject().clone();
    floor.tap("p-nair", Reply::InNeed, Gesture::Shown);
    let own = floor.engine.calls_beside(&first).next().expect("a call of their own").clone();
    let (smith, nair, duty) = (floor.person("j-smith"), floor.person("p-nair"), floor.person("duty"));
    let phone = |person| floor.engine.person(person).unwrap().contacts[&Medium::Sms];
    assert!(floor.engine.is_kept_from(&own, Some(nair), phone(nair)));
    assert!(floor.engine.is_kept_from(&own, Some(duty), phone(duty)), "the same phone");
    assert!(!floor.engine.is_kept_from(&own, Some(smith), phone(smith)));
}

/// Before, whoever else was going heard nothing of a colleague's call for help, unless its ladder came to them.
#[test]
fn whoever_goes_there_hears_of_a_colleague_who_calls_for_help() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    floor.reply("j-smith", "N{code}");
    floor.reply("p-nair", "Y{code}");
    floor.reply("duty", "Y{code}");
    let seen = floor.events.len();
    floor.tap("duty", Reply::InNeed, Gesture::Shown);
    let news = since(&floor, seen);
    assert_eq!(told(&floor, &news), ["p-nair"], "and not whoever called, on the phone in their hand");
}

/// Before, the place of the next call was sent to a phone that its owner may not have in their hand any more.
#[test]
fn whoever_may_be_threatened_there_hears_of_no_other_call_beside_its_ladder() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    floor.reply("j-smith", "N{code}");
    floor.reply("p-nair", "Y{code}");
    floor.reply("duty", "Y{code}");
    floor.tap("duty", Reply::InNeed, Gesture::Shown);
    let own = floor.engine.activations().find(|act| act.about.is_some()).expect("a call of their own").id.clone();
    let pressed = floor.hear(press("library/counter-2"));
    assert_eq!(told(&floor, &pressed), ["p-nair"]);
    floor.subject = pressed.iter().find_map(Event::activation).cloned();
    let (nair, duty) = (floor.person("p-nair"), floor.person("duty"));
    let phone = |floor: &Floor, person| floor.engine.person(person).unwrap().contacts[&Medium::Sms];
    let next = floor.subject().clone();
    assert!(floor.engine.is_kept_from(&next, Some(duty), phone(&floor, duty)), "every call there is kept from them");
    assert!(!floor.engine.is_kept_from(&next, Some(nair), phone(&floor, nair)));
    // Once somebody has closed their own call they are told again.
    on(&mut floor, &own, closing());
    let third = floor.hear(press("library/pendant"));
    let who: BTreeSet<String> = told(&floor, &third).into_iter().collect();
    assert_eq!(who, ["duty", "p-nair"].map(str::to_owned).into());
}

/// Whoever goes with somebody who falls silent is warned in words of its own; whoever goes to another call there hears of theirs.
#[test]
fn whoever_goes_to_another_call_hears_of_a_responder_who_falls_silent() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    floor.reply("j-smith", "N{code}");
    floor.reply("duty", "Y{code}");
    floor.tap("duty", Reply::Arrived, Gesture::Shown);
    floor.press("library/counter-2");
    floor.reply("j-smith", "N{code}");
    floor.reply("p-nair", "Y{code}");
    let seen = floor.events.len();
    floor.forward("5m");
    let news = since(&floor, seen);
    assert!(news.iter().any(|event| matches!(event, Event::FellSilent { .. })));
    assert_eq!(told(&floor, &news), ["p-nair"]);
}

/// Whoever says that they go after a colleague fell silent was warned by nobody.
#[test]
fn whoever_goes_once_a_colleague_is_silent_is_told_of_their_call() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    let first = floor.subject().id.clone();
    floor.reply("j-smith", "N{code}");
    floor.reply("duty", "Y{code}");
    floor.tap("duty", Reply::Arrived, Gesture::Shown);
    floor.forward("5m");
    floor.subject = Some(first);
    floor.reply("p-nair", "Y{code}");
    let seen = floor.events.len();
    floor.forward("31s");
    let news = since(&floor, seen);
    assert!(news.iter().any(|event| matches!(event, Event::RungEntered { .. } | Event::RoundStarted { .. })), "the next rung of theirs");
    let alarmed =
        |event: &Event| matches!(event, Event::DispatchQueued { to, purpose: Purpose::Alarm, .. } if floor.name_of(to) == "p-nair");
    assert!(news.iter().any(alarmed), "{news:?}");
}

/// Before, whoever had declined a call heard nothing of it when it was opened again, however long ago that was.
#[test]
fn what_is_opened_again_is_news_to_whoever_had_declined_it() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    let first = floor.subject().id.clone();
    floor.reply("j-smith", "N{code}");
    floor.reply("p-nair", "N{code}");
    on(&mut floor, &first, closing());
    floor.forward("2h");
    floor.press("library/counter-2");
    floor.reply("j-smith", "N{code}");
    floor.reply("p-nair", "Y{code}");
    let seen = floor.events.len();
    on(&mut floor, &first, Act::Reopen { reason: "words".to_owned().into() });
    let news = since(&floor, seen);
    assert_eq!(told(&floor, &news), ["p-nair"]);
}

#[test]
fn what_is_opened_again_is_news_to_whoever_goes_there_also_where_they_knew_it() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    let first = floor.subject().id.clone();
    floor.forward("30s");
    on(&mut floor, &first, closing());
    floor.press("library/counter-2");
    floor.reply("j-smith", "N{code}");
    floor.reply("p-nair", "Y{code}");
    let seen = floor.events.len();
    on(&mut floor, &first, Act::Reopen { reason: "words".to_owned().into() });
    let news = since(&floor, seen);
    assert_eq!(told(&floor, &news), ["p-nair"]);
}

/// Before, whoever went to two calls was told twice of a third that was opened again.
#[test]
fn whoever_goes_to_several_is_told_once_of_what_is_opened_again() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    let first = floor.subject().id.clone();
    on(&mut floor, &first, closing());
    for button in ["library/counter-2", "library/pendant"] {
        floor.press(button);
        floor.reply("j-smith", "N{code}");
        floor.reply("p-nair", "Y{code}");
        assert_eq!(floor.subject().committed().count(), 1, "{button}");
    }
    let seen = floor.events.len();
    on(&mut floor, &first, Act::Reopen { reason: "words".to_owned().into() });
    let news = since(&floor, seen);
    assert_eq!(told(&floor, &news), ["p-nair"]);
}

#[test]
fn a_drill_is_in_no_incident() {
    let mut floor = Floor::new(COUNTERS);
    floor.drill("library/counter-1", 60).unwrap();
    let drill = floor.subject().id.clone();
    floor.press("library/counter-2");
    assert_eq!(floor.subject().incident, None);
    let call = floor.subject().id.clone();
    assert_eq!((beside(&floor, &drill), beside(&floor, &call)), (Vec::new(), Vec::new()));
}

#[test]
fn what_is_opened_again_is_beside_the_others_again() {
    let mut floor = Floor::new(COUNTERS);
    floor.press("library/counter-1");
    let first = floor.subject().id.clone();
    on(&mut floor, &first, closing());
    floor.press("library/counter-2");
    let second = floor.subject().id.clone();
    assert_eq!((floor.subject().incident.as_deref(), beside(&floor, &second)), (None, Vec::new()));
    on(&mut floor, &first, Act::Reopen { reason: "words".to_owned().into() });
    assert_eq!(beside(&floor, &second), [first.to_string()]);
}

#[derive(Clone, Debug)]
enum Step {
    Press(usize),
    Reply(usize, char),
    Close(usize),
    Forward(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..4_usize).prop_map(Step::Press),
        3 => (0..4_usize, prop_oneof![Just('Y'), Just('H'), Just('N')]).prop_map(|(who, what)| Step::Reply(who, what)),
        1 => (0..4_usize).prop_map(Step::Close),
        2 => (0..90_i64).prop_map(Step::Forward),
    ]
}

/// From where those answered who go to a call.
fn going(act: &Activation) -> BTreeSet<ContactKey> {
    act.committed().filter_map(|promise| promise.by.contact).collect()
}

proptest! {
    /// Whatever is pressed, answered and closed: a call's incident is that of the earliest that is open at its site, and once a
    /// rung of it was entered everybody knows of it who was going to another one there at that moment.
    #[test]
    fn whoever_is_going_knows_of_every_call_at_that_site(steps in proptest::collection::vec(step(), 1..30)) {
        const BUTTONS: [&str; 4] = ["library/counter-1", "library/counter-2", "library/pendant", "depot/gate"];
        const WHO: [&str; 4] = ["j-smith", "p-nair", "duty", "depot-lead"];
        let mut floor = Floor::new(COUNTERS);
        let mut open: Vec<(ActivationId, usize)> = Vec::new();
        let mut first: BTreeMap<ActivationId, ActivationId> = BTreeMap::new();
        for step in steps {
            let seen = floor.events.len();
            let were_going: Vec<(ActivationId, usize, BTreeSet<ContactKey>)> = open
                .iter()
                .map(|(id, site)| (id.clone(), *site, going(floor.engine.activation(id).unwrap())))
                .collect();
            match step {
                Step::Press(button) => {
                    floor.press(BUTTONS[button]);
                }
                Step::Reply(who, letter) => drop(floor.reply(WHO[who], &format!("{letter}{{code}}"))),
                Step::Close(which) if !open.is_empty() => {
                    let (id, _) = open[which % open.len()].clone();
                    on(&mut floor, &id, closing());
                }
                Step::Close(_) => {}
                Step::Forward(s) => floor.forward(&format!("{s}s")),
            }
            let news = since(&floor, seen);
            for event in &news {
                if let Event::Raised(raised) = event {
                    let site = usize::from(raised.dev.site.as_str() == "depot");
                    let expected = open.iter().find(|(_, there)| *there == site).map(|(id, _)| first[id].clone());
                    prop_assert_eq!(&raised.incident, &expected);
                    first.insert(raised.act.clone(), expected.unwrap_or_else(|| raised.act.clone()));
                    open.push((raised.act.clone(), site));
                }
                if let Event::Closed { act, .. } = event {
                    open.retain(|(id, _)| id != act);
                }
            }
            // Only where one thing happened is it plain who was going at that moment.
            if let [Event::Raised(raised), ..] = news.as_slice() {
                let site = usize::from(raised.dev.site.as_str() == "depot");
                let told: BTreeSet<ContactKey> = news.iter().filter_map(|event| told_of(event, &raised.act)).collect();
                let there = were_going.iter().filter(|(_, at, _)| *at == site).flat_map(|(_, _, who)| who);
                for who in there {
                    prop_assert!(told.contains(who), "somebody goes there and is not told of {}", raised.act);
                }
            }
        }
    }
}

fn told_of(event: &Event, call: &ActivationId) -> Option<ContactKey> {
    let Event::DispatchQueued { act, to, medium: Medium::Sms, purpose: Purpose::Alarm, code: Some(_), .. } = event else { return None };
    (act == call).then(|| to.contact()).flatten()
}
