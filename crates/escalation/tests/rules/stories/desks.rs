//! Stories of desks: a centre that nothing is sent to counts while somebody says that they are at it, and else takes no time.

use escalation::activation::{Chase, Progress, Stage};
use escalation::event::{ContactSkip, Event};
use escalation::id::CentreId;
use escalation::input::Input;
use escalation::rejection::Rejection;
use escalation::trouble::Cause;
use expect_test::expect;

use super::COUNTERS;
use crate::floor::Floor;
use crate::script::{check, play};

/// The desk first, then a person, then the desk beside another person.
fn desk_first() -> String {
    COUNTERS.replace(
        "[[ladder]]\nid = \"depot\"\n",
        "[[ladder]]\nid = \"depot\"\n\n[[ladder.rung]]\nnotify = [{ centre = \"night-desk\" }]\nwait = \"90s\"\n",
    )
}

fn unarmed() -> Cause {
    Cause::DeskUnarmed { centre: CentreId::parse("night-desk").unwrap() }
}

fn nobody_there(floor: &Floor) -> usize {
    floor.count(|event| matches!(event, Event::ContactPassedOver { why: ContactSkip::NobodyAtTheDesk, .. }))
}

fn troubles(floor: &Floor) -> Vec<Cause> {
    floor.engine.troubles().map(|(cause, _)| cause.clone()).collect()
}

#[test]
fn a_desk_that_nobody_is_at_takes_no_time_and_says_why() {
    check(
        &desk_first(),
        "press depot/gate
        forward 60s",
        expect![[r#"
            > press depot/gate
            0s        MUN-1 raised: duress at depot/gate of mundaring (Registered, Live { up_to_s: None }, Ladder)
            0s        MUN-1 night-desk of rung 1 passed over (NobodyAtTheDesk)
            0s        MUN-1 rung 1 passed over (Nobody)
            0s        MUN-1 rung 2 until 60s (Raised): depot-lead by sms
            0s          MUN-1.1 sms to depot-lead: alarm code 47
            > forward 60s
            60s       MUN-1 night-desk of rung 3 passed over (NobodyAtTheDesk)
            60s       MUN-1 rung 3 passed over (Nobody)
            60s       MUN-1 EXHAUSTED
            60s       MUN-1 night-desk of rung 1 passed over (NobodyAtTheDesk)
            60s       MUN-1 night-desk of rung 3 passed over (NobodyAtTheDesk)
            60s       MUN-1 round 1 (everyone): depot-lead by sms
            60s         MUN-1.2 sms to depot-lead: alarm_again code 47
        "#]],
    );
}

/// Nothing of the directory is to be mended: whoever looks after an empty desk is told of the desk.
#[test]
fn an_empty_desk_is_no_gap_of_the_ladder() {
    let mut floor = Floor::new(&desk_first());
    floor.press("depot/gate");
    floor.forward("5m");
    assert!(nobody_there(&floor) > 2);
    assert!(troubles(&floor).is_empty(), "{:?}", troubles(&floor));
}

/// What a reload renamed or took out can be armed by nobody: then the ladder has a gap, and whoever looks after the directory is told.
#[test]
fn a_desk_that_a_reload_took_away_is_a_gap_of_the_ladder() {
    let mut floor = Floor::new(&desk_first());
    floor.press("depot/gate");
    floor.adopt(&desk_first().replace("night-desk", "evening-desk"));
    floor.forward("5m");
    assert!(troubles(&floor).iter().any(|cause| matches!(cause, Cause::Coverage { .. })), "{:?}", troubles(&floor));
}

#[test]
fn an_armed_desk_is_waited_for() {
    check(
        &desk_first(),
        "arm night-desk
        press depot/gate
        forward 89s
        forward 1s",
        expect![[r#"
            > arm night-desk
            0s        the desk of night-desk armed by desk
            > press depot/gate
            0s        MUN-1 raised: duress at depot/gate of mundaring (Registered, Live { up_to_s: None }, Ladder)
            0s        MUN-1 rung 1 until 90s (Raised): night-desk by desk
            > forward 89s
            > forward 1s
            90s       MUN-1 rung 2 until 150s (WaitOver): depot-lead by sms
            90s         MUN-1.1 sms to depot-lead: alarm code 47
        "#]],
    );
}

/// Whoever leaves leaves nobody behind who is waited for: the next rung is told in the same moment.
#[test]
fn a_rung_that_waits_for_a_desk_alone_goes_on_when_it_is_left() {
    check(
        &desk_first(),
        "arm night-desk
        press depot/gate
        forward 20s
        lapse night-desk
        forward 60s",
        expect![[r#"
            > arm night-desk
            0s        the desk of night-desk armed by desk
            > press depot/gate
            0s        MUN-1 raised: duress at depot/gate of mundaring (Registered, Live { up_to_s: None }, Ladder)
            0s        MUN-1 rung 1 until 90s (Raised): night-desk by desk
            > forward 20s
            > lapse night-desk
            20s       the desk of night-desk unarmed (Lapsed)
            20s       MUN-1 night-desk of rung 1 passed over (NobodyAtTheDesk)
            20s       MUN-1 rung 2 until 80s (NobodyLeft): depot-lead by sms
            20s         MUN-1.1 sms to depot-lead: alarm code 47
            > forward 60s
            80s       MUN-1 night-desk of rung 3 passed over (NobodyAtTheDesk)
            80s       MUN-1 rung 3 passed over (Nobody)
            80s       MUN-1 EXHAUSTED
            80s       MUN-1 night-desk of rung 1 passed over (NobodyAtTheDesk)
            80s       MUN-1 night-desk of rung 3 passed over (NobodyAtTheDesk)
            80s       MUN-1 round 1 (everyone): depot-lead by sms
            80s         MUN-1.2 sms to depot-lead: alarm_again code 47
        "#]],
    );
}

/// Where somebody else of the rung is waited for, they have the time that they were given.
#[test]
fn a_desk_that_is_left_takes_nobody_elses_time() {
    let beside = COUNTERS.replace(
        "notify = [{ person = \"depot-lead\", by = [\"sms\"] }]",
        "notify = [{ person = \"depot-lead\", by = [\"sms\"] }, { centre = \"night-desk\" }]",
    );
    let mut floor = Floor::new(&beside);
    play(&mut floor, "arm night-desk\npress depot/gate\nforward 20s\nlapse night-desk");
    assert_eq!(nobody_there(&floor), 1);
    let Progress::Climb { until, .. } = floor.subject().progress else { panic!("{:?}", floor.subject().progress) };
    assert_eq!(floor.stamp(until), "60s");
    play(&mut floor, "failed sms to depot-lead");
    assert_eq!(floor.stage(), Stage::Exhausted, "and then nobody of it is left to wait for");
}

/// The newest call first, each of them once, and no call of somebody else.
#[test]
fn everything_that_waits_for_a_desk_goes_on_and_nothing_else_does() {
    let mut floor = Floor::new(&desk_first());
    play(&mut floor, "arm night-desk\npress depot/gate\nforward 1s\npress elsewhere/button\npress library/counter-1\nforward 5s");
    floor.skip_messages();
    let events = floor.lapse("night-desk");
    let passed: Vec<String> =
        events.iter().filter(|e| matches!(e, Event::ContactPassedOver { .. })).filter_map(|e| Some(e.activation()?.to_string())).collect();
    assert_eq!(passed, ["MUN-2", "MUN-1"]);
    assert!(floor.lapse("night-desk").is_empty(), "it was left before");
}

/// A phone that is told of two calls in one moment answers each by a code of its own: a yes to one stops nobody's ladder but its own.
#[test]
fn i4_of_two_calls_that_leave_a_desk_together_each_has_a_code_of_its_own() {
    let two = desk_first().replace(
        "[[site]]\nid = \"depot\"",
        "[[device]]\nid = \"shed\"\nsite = \"depot\"\nplace = \"Shed\"\nmounting = \"fixed\"\n\n[[site]]\nid = \"depot\"",
    );
    let mut floor = Floor::new(&two);
    play(&mut floor, "arm night-desk\npress depot/gate\nforward 5s\npress depot/shed\nforward 10s");
    let events = floor.lapse("night-desk");
    let codes: Vec<_> = events.iter().filter_map(|e| if let Event::DispatchQueued { code, .. } = e { *code } else { None }).collect();
    assert!(codes.len() == 2 && codes.first() != codes.last(), "{codes:?}");
}

/// The last resort of a ladder is whoever can be told: an empty desk behind them leaves nobody to a round in which nobody is told.
#[test]
fn an_empty_desk_on_the_last_rung_leaves_no_round_without_anybody() {
    let mut floor = Floor::new(&desk_first());
    play(&mut floor, "press depot/gate\nforward 70s\narm night-desk\nforward 70s\nlapse night-desk\nforward 8m");
    let told = |event: &Event| if let Event::RoundStarted { parties, .. } = event { Some(parties.len()) } else { None };
    let rounds: Vec<usize> = floor.events.iter().filter_map(|(_, event)| told(event)).collect();
    assert!(rounds.len() > 8 && rounds.iter().all(|told| *told > 0), "{rounds:?}");
}

/// A desk that is asked by day is nothing to wait for at night: then the ladder has a gap, and somebody is told of it.
#[test]
fn at_night_a_day_desk_hides_no_gap_of_the_ladder() {
    let by_day = desk_first().replace(
        "notify = [{ centre = \"night-desk\" }]\nwait = \"90s\"",
        "notify = [{ centre = \"night-desk\" }]\nwait = \"90s\"\nhours = [\"00:00-00:01\"]",
    );
    let nobody = by_day.replace("notify = [{ person = \"depot-lead\", by = [\"sms\"] }]", "notify = [{ roster = \"none\" }]")
        + "\n[[roster]]\nid = \"none\"\n[[roster.shift]]\npeople = [\"depot-lead\"]\nhours = [\"00:02-00:03\"]\n";
    let mut floor = Floor::new(&nobody);
    play(&mut floor, "press depot/gate\nforward 1s");
    assert!(troubles(&floor).iter().any(|cause| matches!(cause, Cause::Coverage { .. })), "{:?}", troubles(&floor));
}

#[test]
fn whoever_comes_may_claim_what_passed_the_desk_over() {
    let mut floor = Floor::new(&desk_first());
    play(&mut floor, "press depot/gate\nforward 5s\nnight claims\nforward 1s");
    assert!(floor.subject().claim.is_some(), "a claim counts whenever it comes");
    play(&mut floor, "arm night-desk\nforward 54s");
    let claimed = |event: &Event| matches!(event, Event::ContactPassedOver { why: ContactSkip::CentreHasClaimed, .. });
    assert_eq!((nobody_there(&floor), floor.count(claimed)), (1, 1), "the centre has answered, whether it sits there or not");
}

/// A round asks whoever is there by then.
#[test]
fn a_desk_that_is_armed_after_the_last_rung_is_asked_in_the_next_round() {
    let mut floor = Floor::new(&desk_first());
    play(&mut floor, "press depot/gate\nforward 70s\narm night-desk\nforward 50s");
    let waits = floor.subject().pursuits.iter().filter(|pursuit| format!("{:?}", pursuit.party.who).contains("night-desk")).count();
    assert!(waits > 0, "{:?}", floor.subject().pursuits);
    play(&mut floor, "leave night-desk\nforward 2m");
    assert_eq!(floor.stage(), Stage::Exhausted, "and rounds go on without it");
}

/// A ladder of nothing but an empty desk is exhausted at once, and its rounds go on without end.
#[test]
fn i5_a_ladder_of_an_empty_desk_never_ends_in_silence() {
    let alone = COUNTERS.replace("notify = [{ person = \"depot-lead\", by = [\"sms\"] }]", "notify = [{ centre = \"night-desk\" }]");
    let mut floor = Floor::new(&alone);
    play(&mut floor, "press depot/gate\nforward 10m");
    assert_eq!(floor.stage(), Stage::Exhausted);
    let rounds = |floor: &Floor| floor.count(|event| matches!(event, Event::RoundStarted { .. }));
    assert_eq!(rounds(&floor), 11);
    play(&mut floor, "arm night-desk\nforward 1m");
    assert_eq!(rounds(&floor), 12);
    let rung = floor.subject().pursuits.last().map(|pursuit| pursuit.state);
    assert_eq!(rung, Some(Chase::Trying), "and now somebody sits there");
}

/// The centre of a customer is asked about old presses before the ladder, unless nobody is at its desk.
#[test]
fn an_old_press_asks_rung_one_where_the_desk_is_empty() {
    let asked = COUNTERS.replace("prefix = \"MUN\"\n", "prefix = \"MUN\"\ncentre = \"night-desk\"\n");
    for (script, who) in [("", "depot-lead"), ("arm night-desk", "night-desk")] {
        let mut floor = Floor::new(&asked);
        play(&mut floor, script);
        let mut old = crate::floor::press("depot/gate");
        old.origin.retained = true;
        floor.send(old);
        let first = floor.events.iter().find_map(|(_, e)| if let Event::AskedFirst { parties, .. } = e { Some(parties) } else { None });
        let parties = first.expect("somebody is asked first");
        let names: Vec<String> = parties.iter().map(|party| format!("{:?}", party.who)).collect();
        let is_desk = names.iter().any(|name| name.contains("night-desk"));
        assert_eq!((names.len(), is_desk), (1, who == "night-desk"), "{names:?}");
        if is_desk {
            floor.lapse("night-desk");
            floor.expect_sms("depot-lead");
        }
    }
}

/// What somebody holds is held; once it is over the ladder knows that the desk is empty.
#[test]
fn a_hold_outlasts_a_desk_that_is_left() {
    let mut floor = Floor::new(&desk_first());
    play(&mut floor, "arm night-desk\npress depot/gate\nnight claims\nnight holds 60s\nforward 10s\nlapse night-desk\nforward 49s");
    assert_eq!(floor.count(|event| matches!(event, Event::RungEntered { .. })), 1);
    play(&mut floor, "forward 1s");
    assert_eq!(floor.count(|event| matches!(event, Event::RungEntered { .. })), 2, "30 s before its time");
}

/// A start changes nothing of what the record says, and what comes after it meets the same desks.
#[test]
fn i6_a_desk_is_armed_in_a_replayed_record_as_it_was() {
    let mut floor = Floor::new(&desk_first());
    play(&mut floor, "arm night-desk\npress depot/gate\nforward 10s\naway 20s\nforward 10s\nlapse night-desk\nforward 5m\narm night-desk");
    let mut again = escalation::engine::Engine::default();
    for (at, event) in &floor.events {
        again.apply(*at, event);
    }
    assert!(again == floor.engine);
    assert!(again.is_armed(&CentreId::parse("night-desk").unwrap()));
    assert_eq!(again.next_deadline(), floor.engine.next_deadline());
}

#[test]
fn only_a_desk_is_armed_and_only_once() {
    let mut floor = Floor::new(COUNTERS);
    assert_eq!(floor.arm("westside"), Err(Rejection::UnknownDesk), "it has a webhook");
    assert_eq!(floor.arm("nowhere"), Err(Rejection::UnknownDesk));
    assert_eq!(floor.arm("night-desk").unwrap().len(), 1);
    assert!(floor.arm("night-desk").unwrap().is_empty(), "a word that is said again is no entry");
    play(&mut floor, "press library/counter-1\nforward 80s");
    floor.expect_webhook("westside");
}

#[test]
fn an_empty_desk_is_a_trouble_until_somebody_sits_there() {
    let mut floor = Floor::new(COUNTERS);
    assert_eq!(floor.take(Input::TroubleNoticed(unarmed())).unwrap().len(), 1);
    floor.arm("night-desk").unwrap();
    assert!(troubles(&floor).is_empty());
    assert!(floor.take(Input::TroubleNoticed(unarmed())).unwrap().is_empty(), "somebody sat down in the same moment");
    floor.lapse("night-desk");
    floor.take(Input::TroubleNoticed(unarmed())).unwrap();
    floor.adopt(&COUNTERS.replace("notify = [{ centre = \"night-desk\" }]", "notify = [{ centre = \"westside\" }]"));
    assert!(troubles(&floor).is_empty(), "no ladder counts on it any more");
    assert!(floor.take(Input::TroubleNoticed(unarmed())).unwrap().is_empty());
}

#[test]
fn a_drill_meets_the_same_desk() {
    let mut floor = Floor::new(&desk_first());
    play(&mut floor, "drill depot/gate 10");
    assert_eq!(nobody_there(&floor), 1);
    let rung = floor.events.iter().find_map(|(_, e)| if let Event::RungEntered { rung, .. } = e { Some(rung.0) } else { None });
    assert_eq!(rung, Some(1));
}
