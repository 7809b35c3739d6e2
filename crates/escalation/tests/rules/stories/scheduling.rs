//! Drills that begin by themselves: each is held once in its window, or is missed once and says why, and nothing real waits for one.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use escalation::acknowledgement::Disposition;
use escalation::event::{DrillEnd, Event};
use escalation::id::{DeviceId, ScheduleId, SiteId};
use escalation::input::{Act, Input, Started};
use escalation::rejection::Rejection;
use escalation::schedule::{Missed, Outcome, Schedule, Tally};
use escalation::time::{SignedDuration, Timestamp};
use escalation::zone::Zone;
use expect_test::expect;
use jiff::civil::Date;
use proptest::prelude::*;

use super::{COUNTERS, PEOPLE, closing_as_fault};
use crate::floor::{Floor, operator, press};
use crate::script::play;

const BUTTON: &str = "library/counter-1";
/// A Tuesday, ten o'clock in Perth.
const TEN: &str = "2026-04-14T02:00:00Z";

/// `PEOPLE` with a schedule of the library.
fn scheduled(on: &str, at: &str) -> String {
    format!("{PEOPLE}\n[[drill]]\nid = \"spring\"\nsites = [\"library\"]\non = \"{on}\"\nat = \"{at}\"\n")
}

/// It is shortly before ten on the Tuesday on which the library is drilled.
fn before_ten() -> Floor {
    let mut floor = Floor::new(&scheduled("tue", "10:00"));
    floor.at("2026-04-14T01:59:30Z");
    floor
}

fn missed(floor: &Floor) -> Vec<(Date, u32, Missed)> {
    let of = |event: &Event| if let Event::DrillMissed { day, count, why, .. } = event { Some((*day, *count, *why)) } else { None };
    floor.events.iter().filter_map(|(_, event)| of(event)).collect()
}

/// When drills of schedules began, and where.
fn held(floor: &Floor) -> Vec<(Timestamp, SiteId)> {
    let of = |(at, event): &(Timestamp, Event)| {
        if let Event::Raised(raised) = event { raised.scheduled.as_ref().map(|_| (*at, raised.dev.site.clone())) } else { None }
    };
    floor.events.iter().filter_map(of).collect()
}

fn tally(floor: &Floor) -> Tally {
    floor.engine.scheduled().next().unwrap().2.clone()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// Everybody answers what is owed, and whatever is open is closed.
fn close(floor: &mut Floor) {
    floor.command(operator("desk"), closing_as_fault()).unwrap();
    floor.skip_messages();
}

fn start(floor: &mut Floor) {
    let started = Started {
        node: "a".to_owned(),
        version: "0.1.0".to_owned(),
        zones: "2025b".to_owned(),
        key: None,
        last_entry_at: Some(floor.now),
        given: Vec::new(),
    };
    floor.take(Input::Started(started)).unwrap();
}

#[test]
fn a_drill_begins_by_itself_and_says_by_which_schedule() {
    let mut floor = before_ten();
    floor.watch("29s");
    assert!(held(&floor).is_empty());
    floor.watch("2s");
    let drill = floor.subject();
    assert!(drill.is_drill() && drill.raised_at == TEN.parse().unwrap(), "{drill:?}");
    let raised = floor.events.iter().find_map(|(_, event)| if let Event::Raised(raised) = event { Some(raised) } else { None }).unwrap();
    let scheduled = raised.scheduled.as_ref().unwrap();
    assert_eq!((scheduled.schedule.as_str(), scheduled.day), ("spring", day("2026-04-14")));
    assert_eq!(raised.by.as_ref().unwrap().principal, "schedule:spring");
    assert_eq!(raised.drill_until, Some("2026-04-14T03:00:00Z".parse().unwrap()));
    floor.expect_sms("j-smith");
    floor.expect_nothing_silent();
    assert_eq!((tally(&floor).last_held.unwrap().outcome, tally(&floor).held), (Outcome::On, 1));
    floor.reply("j-smith", "Y{code}");
    floor.command(operator("desk"), Act::Close { disposition: Disposition::Test, note: None }).unwrap();
    floor.skip_messages();
    assert_eq!((tally(&floor).last_held.unwrap().outcome, tally(&floor).answered), (Outcome::Answered, 1));
    assert_eq!(tally(&floor).next.unwrap().day, day("2026-04-21"));
    floor.watch("20m");
    assert_eq!((held(&floor).len(), missed(&floor)), (1, Vec::new()));
}

/// The clock of a turn stands, and what is written in it is later by microseconds: a press is seen by a look in the same turn.
#[test]
fn a_press_in_the_very_turn_of_a_look_is_a_call_that_it_waits_for() {
    for back_us in [0, 1, 5] {
        let mut floor = before_ten();
        floor.at("2026-04-14T02:00:00.5Z");
        floor.press(BUTTON);
        let turn = floor.now.saturating_sub(SignedDuration::from_micros(back_us)).unwrap();
        let begun = floor.engine.decide(turn, &Input::DrillsDue { clock_is_off: false }).unwrap();
        assert!(begun.is_empty(), "{back_us}: {begun:?}");
    }
}

/// Nobody is at a desk to close it, and others of the ladder have time to answer too.
#[test]
fn one_that_is_answered_ends_by_itself_after_five_minutes() {
    let mut floor = before_ten();
    floor.watch("35s");
    floor.skip_messages();
    floor.reply("j-smith", "Y{code}");
    floor.watch("299s");
    assert!(floor.subject().is_open());
    floor.watch("2s");
    let ended = floor.events.iter().find_map(|(_, event)| if let Event::Closed { drill, .. } = event { *drill } else { None });
    assert_eq!((floor.subject().is_open(), ended), (false, Some(DrillEnd::Answered)));
    assert_eq!((tally(&floor).answered, tally(&floor).last_held.unwrap().outcome), (1, Outcome::Answered));
    // One that somebody starts is theirs to close, and whoever only looks has not said that they go.
    floor.drill("library", 60).unwrap();
    floor.reply("j-smith", "Y{code}");
    floor.watch("6m");
    assert!(floor.subject().is_open());
}

/// A clock that is put back, as far as a station lets it: what was held was held.
#[test]
fn a_clock_that_is_put_back_holds_nothing_twice() {
    let mut floor = before_ten();
    floor.watch("3m");
    floor.now = "2026-04-14T01:00:00Z".parse().unwrap();
    for _ in 0..90 {
        floor.now += SignedDuration::from_mins(1);
        floor.look_for_drills();
    }
    assert_eq!((held(&floor).len(), missed(&floor).len()), (1, 0));
}

#[test]
fn one_that_nobody_answers_is_counted_as_that() {
    let mut floor = before_ten();
    floor.watch("3m");
    let ended = floor.events.iter().any(|(_, event)| matches!(event, Event::Closed { drill: Some(DrillEnd::Exhausted), .. }));
    assert!(ended, "every rung was tried");
    assert_eq!((tally(&floor).last_held.unwrap().outcome, tally(&floor).unanswered), (Outcome::Unanswered, 1));
    assert_eq!(floor.engine.drills_missed_and_unanswered(), (0, 1));
}

#[test]
fn a_call_holds_every_drill_of_its_customer_within_its_window_and_no_longer() {
    let mut floor = before_ten();
    floor.press(BUTTON);
    floor.watch("10m");
    let waiting: Vec<Missed> = floor.engine.drills_waiting(floor.now, false).into_values().collect();
    assert_eq!((held(&floor).len(), waiting), (0, vec![Missed::CallOpen]));
    close(&mut floor);
    floor.watch("119s");
    let waiting: Vec<Missed> = floor.engine.drills_waiting(floor.now, false).into_values().collect();
    assert_eq!((held(&floor).len(), waiting), (0, vec![Missed::JustClosed]));
    floor.watch("2s");
    assert_eq!((held(&floor).len(), missed(&floor)), (1, Vec::new()));

    let mut floor = before_ten();
    floor.press(BUTTON);
    floor.watch("15m");
    assert_eq!(missed(&floor), Vec::new());
    floor.watch("30s");
    assert_eq!(missed(&floor), [(day("2026-04-14"), 1, Missed::CallOpen)]);
    close(&mut floor);
    floor.watch("10m");
    assert!(held(&floor).is_empty(), "it is never caught up");
    floor.at("2026-04-21T02:00:00Z");
    floor.watch("2s");
    assert_eq!((held(&floor).len(), missed(&floor).len(), tally(&floor).missed), (1, 1, 1));
}

/// Somebody presses the very button that is drilled.
#[test]
fn a_press_during_a_scheduled_drill_is_a_call_at_once() {
    let text = format!("{}device = \"counter-1\"\n", scheduled("tue", "10:00"));
    let mut floor = Floor::new(&text);
    floor.at("2026-04-14T01:59:30Z");
    floor.watch("35s");
    let drill = floor.subject().id.clone();
    assert_eq!(floor.subject().device, BUTTON.parse::<DeviceId>().unwrap());
    floor.skip_messages();
    let call = floor.press(BUTTON);
    assert!(call != drill && !floor.subject().is_drill());
    floor.expect_sms("j-smith");
    floor.watch("1s");
    let why = floor.events.iter().find_map(|(_, event)| if let Event::Closed { drill, .. } = event { *drill } else { None });
    assert_eq!(why, Some(DrillEnd::RealCall));
    assert_eq!(tally(&floor).last_held.unwrap().outcome, Outcome::CutShort);
    floor.watch("20m");
    assert_eq!((held(&floor).len(), missed(&floor).len()), (1, 0), "held once, and not again");
}

/// The look for drills may come before the tick that ends one.
#[test]
fn one_that_a_call_came_between_does_not_end_as_answered() {
    let mut floor = before_ten();
    floor.watch("35s");
    floor.skip_messages();
    floor.reply("j-smith", "Y{code}");
    let drill = floor.subject().id.clone();
    floor.forward("300s");
    floor.hear(press(BUTTON));
    floor.look_for_drills();
    floor.forward("1s");
    let of = |event: &Event| if let Event::Closed { act, drill: why, .. } = event { (*act == drill).then_some(*why) } else { None };
    let ended: Vec<_> = floor.events.iter().filter_map(|(_, event)| of(event)).collect();
    assert_eq!(ended, [Some(DrillEnd::RealCall)]);
}

#[test]
fn after_a_start_nothing_is_drilled_for_two_minutes() {
    let mut floor = before_ten();
    floor.forward("60s");
    start(&mut floor);
    floor.watch("119s");
    assert!(held(&floor).is_empty());
    floor.watch("2s");
    assert_eq!(held(&floor).len(), 1);

    let mut floor = before_ten();
    floor.forward("14m");
    start(&mut floor);
    floor.watch("3m");
    assert_eq!((held(&floor).len(), missed(&floor)), (0, vec![(day("2026-04-14"), 1, Missed::Down)]));
}

/// The clock of a machine without a battery says 2026 again, then 2036: the days between are told of as one.
#[test]
fn days_on_which_the_station_was_down_are_one_entry_and_none_is_held_afterwards() {
    let mut floor = before_ten();
    floor.at("2026-05-05T06:00:00Z");
    start(&mut floor);
    floor.watch("130s");
    assert_eq!((held(&floor).len(), missed(&floor)), (0, vec![(day("2026-05-05"), 4, Missed::Down)]));
    floor.at("2036-05-05T06:00:00Z");
    floor.watch("5s");
    let told = missed(&floor);
    assert_eq!((told.len(), told[1].1, told[1].2, held(&floor).len()), (2, 521, Missed::Passed, 0), "{told:?}");
    assert_eq!(tally(&floor).missed, 525);
    floor.at("2036-05-06T02:00:00Z");
    floor.watch("2s");
    assert_eq!(held(&floor).len(), 1);
}

#[test]
fn a_button_on_test_or_out_of_service_is_not_drilled() {
    let text = format!("{}device = \"counter-1\"\nminutes = 5\n", scheduled("tue", "10:00"));
    for (why, withdraw) in [(Missed::OnTest, false), (Missed::OutOfService, true)] {
        let mut floor = Floor::new(&text);
        floor.at("2026-04-14T01:59:30Z");
        let done = if withdraw { floor.take_out(&[BUTTON], "p-nair", "-", 60) } else { floor.test(&[BUTTON], "p-nair", 60) };
        done.unwrap();
        floor.watch("6m");
        assert_eq!((held(&floor).len(), missed(&floor)), (0, vec![(day("2026-04-14"), 1, why)]));
    }
}

#[test]
fn a_record_that_cannot_be_reached_holds_them() {
    let mut floor = before_ten();
    floor.take(Input::RecordLost { spooled: true }).unwrap();
    floor.watch("16m");
    assert_eq!(missed(&floor), [(day("2026-04-14"), 1, Missed::RecordLost)]);
}

/// Somebody drills the site by hand at that very hour.
#[test]
fn no_two_drills_are_on_at_one_site() {
    let mut floor = before_ten();
    floor.drill("library", 60).unwrap();
    floor.watch("35s");
    assert!(held(&floor).is_empty());
    floor.command(operator("desk"), Act::Close { disposition: Disposition::Test, note: None }).unwrap();
    floor.watch("2s");
    assert_eq!(held(&floor).len(), 1);
    assert!(matches!(floor.drill("library", 60), Err(Rejection::DrillOpen(_))));
}

/// Mundaring's depot calls for help; Kalamunda's library is drilled all the same, and neither hears of the other.
#[test]
fn another_customers_call_holds_nothing() {
    let mut floor = Floor::new(&format!("{COUNTERS}\n[[drill]]\nid = \"spring\"\nsites = [\"library\"]\non = \"tue\"\nat = \"10:00\"\n"));
    floor.at("2026-04-14T01:59:58Z");
    floor.press("depot/gate");
    floor.watch("3s");
    assert_eq!(held(&floor).len(), 1);
    let customers: BTreeSet<_> = floor.engine.scheduled().map(|(_, schedule, _)| schedule.customer.as_str().to_owned()).collect();
    assert_eq!(customers, BTreeSet::from(["kalamunda".to_owned()]));
}

/// `PEOPLE` with so many offices more, all on one schedule.
fn offices(count: usize, minutes: u32) -> String {
    let mut text = PEOPLE.to_owned();
    let mut sites = Vec::new();
    for number in 0..count {
        let id = format!("office-{number:03}");
        write!(text, "[[site]]\nid = \"{id}\"\nname = \"Office {number}\"\n").unwrap();
        sites.push(format!("\"{id}\""));
    }
    let sites = sites.join(", ");
    write!(text, "[[drill]]\nid = \"all\"\nsites = [{sites}]\non = \"first tue\"\nat = \"10:00\"\nminutes = {minutes}\n").unwrap();
    text
}

#[test]
fn many_offices_are_drilled_one_after_the_other() {
    let mut floor = Floor::new(&offices(30, 15));
    floor.at("2026-05-05T01:59:59Z");
    floor.watch("16m");
    let begun = held(&floor);
    let apart: Vec<i64> = begun.windows(2).map(|two| two[0].0.duration_until(two[1].0).as_secs()).collect();
    assert_eq!((begun.len(), missed(&floor).len()), (30, 0));
    assert!(apart.iter().all(|apart| *apart == 30), "{apart:?}");
    assert_eq!(begun.iter().map(|(_, site)| site).collect::<BTreeSet<_>>().len(), 30);
}

/// In one minute twelve begin, five seconds apart.
#[test]
fn what_does_not_fit_into_its_window_is_missed() {
    let mut floor = Floor::new(&offices(45, 1));
    floor.at("2026-05-05T01:59:59Z");
    floor.watch("2m");
    let why: BTreeSet<String> = missed(&floor).iter().map(|(_, _, why)| format!("{why:?}")).collect();
    assert_eq!((held(&floor).len(), missed(&floor).len()), (12, 33));
    assert_eq!(why, BTreeSet::from(["Crowded".to_owned()]));
}

/// Each goes on for five minutes after it was answered, so that twenty are on.
#[test]
fn no_more_than_twenty_are_on_at_once() {
    let mut floor = Floor::new(&offices(30, 3));
    floor.at("2026-05-05T01:59:59Z");
    let mut answered = 0;
    for _ in 0..240 {
        floor.watch("1s");
        if held(&floor).len() > answered {
            answered += 1;
            floor.reply("j-smith", "Y{code}");
        }
    }
    let why: BTreeSet<String> = missed(&floor).iter().map(|(_, _, why)| format!("{why:?}")).collect();
    assert_eq!((held(&floor).len(), missed(&floor).len()), (20, 10));
    assert_eq!(why, BTreeSet::from(["TooManyDrills".to_owned()]));
}

/// A call held all of them for half of their window. What is late does not come in a heap: five would ring one supervisor in as many
/// seconds.
#[test]
fn what_is_late_is_held_as_far_apart_as_what_is_not() {
    let mut floor = Floor::new(&offices(10, 20));
    floor.at("2026-05-05T01:59:30Z");
    floor.press(BUTTON);
    floor.watch("630s");
    close(&mut floor);
    floor.watch("11m");
    let begun: Vec<i64> = held(&floor).iter().map(|(at, _)| at.as_second() - held(&floor)[0].0.as_second()).collect();
    assert_eq!(begun, [0, 120, 240, 360]);
    let why: BTreeSet<String> = missed(&floor).iter().map(|(_, _, why)| format!("{why:?}")).collect();
    assert_eq!((missed(&floor).len(), why), (6, BTreeSet::from(["Crowded".to_owned()])));
    // Those whose turn it was are not made late by those whose turn is over.
    let on_time: Vec<SiteId> = (6..10).map(|number| SiteId::parse(&format!("office-{number:03}")).unwrap()).collect();
    assert_eq!(held(&floor).into_iter().map(|(_, site)| site).collect::<Vec<_>>(), on_time);
}

/// Twenty schedules of one customer, with a site each, all at ten: whoever is on their ladder gets no twenty texts in twenty seconds.
#[test]
fn schedules_of_one_customer_do_not_come_in_a_heap() {
    let mut text = offices(20, 15);
    text.truncate(text.find("[[drill]]").unwrap());
    for number in 0..20 {
        write!(text, "[[drill]]\nid = \"s-{number:02}\"\nsites = [\"office-{number:03}\"]\non = \"first tue\"\nat = \"10:00\"\n").unwrap();
    }
    for call in [false, true] {
        let mut floor = Floor::new(&text);
        floor.at("2026-05-05T01:59:30Z");
        if call {
            floor.press(BUTTON);
            floor.watch("5m");
            close(&mut floor);
        }
        floor.watch("16m");
        let begun = held(&floor);
        let apart: Vec<i64> = begun.windows(2).map(|two| two[0].0.duration_until(two[1].0).as_secs()).collect();
        assert_eq!((begun.len(), missed(&floor).len()), (20, 0));
        assert!(apart.iter().all(|apart| *apart >= 5), "{apart:?}");
    }
}

/// One who is drilled at the same second as another customer is held up by a second alone.
#[test]
fn schedules_of_two_customers_do_not_wait_for_each_other() {
    let drill = |id: &str, site: &str| format!("[[drill]]\nid = \"{id}\"\nsites = [\"{site}\"]\non = \"tue\"\nat = \"10:00\"\n");
    let mut floor = Floor::new(&format!("{COUNTERS}\n{}{}", drill("spring", "library"), drill("autumn", "depot")));
    floor.at("2026-04-14T01:59:58Z");
    floor.watch("4s");
    assert_eq!(held(&floor).len(), 2);
}

/// The station's clock is not the world's: nobody expects a drill at its hour.
#[test]
fn a_clock_that_is_wrong_holds_them() {
    let mut floor = before_ten();
    for _ in 0..16 * 60 {
        floor.forward("1s");
        floor.take(Input::DrillsDue { clock_is_off: true }).unwrap();
    }
    assert_eq!((held(&floor).len(), missed(&floor)), (0, vec![(day("2026-04-14"), 1, Missed::Clock)]));
}

/// The clock of the machine is put forward while nothing is open, and the station follows it at once.
fn put_forward(floor: &mut Floor, minutes: i64) {
    floor.now += SignedDuration::from_mins(minutes);
    floor.take(Input::ClockStepped { by_us: minutes * 60_000_000 }).unwrap();
}

/// At nine it says ten: nobody expects the drill now.
#[test]
fn a_clock_that_leaps_into_a_window_holds_nothing_in_it() {
    let mut floor = Floor::new(&format!("{}minutes = 60\n", scheduled("tue", "10:00")));
    floor.at("2026-04-14T01:05:00Z");
    put_forward(&mut floor, 60);
    floor.watch("5m");
    let waiting: Vec<Missed> = floor.engine.drills_waiting(floor.now, false).into_values().collect();
    assert_eq!((held(&floor).len(), waiting), (0, vec![Missed::Clock]));
    floor.watch("51m");
    assert_eq!((held(&floor).len(), missed(&floor)), (0, vec![(day("2026-04-14"), 1, Missed::Clock)]));
    floor.at("2026-04-21T02:00:00Z");
    floor.watch("2s");
    assert_eq!(held(&floor).len(), 1);
}

#[test]
fn a_clock_that_leapt_is_not_believed_for_ten_minutes() {
    let mut floor = Floor::new(&format!("{}minutes = 60\n", scheduled("tue", "10:00")));
    floor.at("2026-04-14T00:58:00Z");
    put_forward(&mut floor, 60);
    floor.watch("599s");
    assert!(held(&floor).is_empty());
    floor.watch("2s");
    assert_eq!((held(&floor).len(), missed(&floor).len()), (1, 0));
    // A window that it leapt over as a whole was gone past.
    let mut floor = before_ten();
    put_forward(&mut floor, 60);
    floor.watch("2s");
    assert_eq!(missed(&floor), [(day("2026-04-14"), 1, Missed::Passed)]);
}

/// While a call is open a step forward is followed slowly; when it is closed the rest is followed at once.
#[test]
fn a_clock_that_leaps_when_a_call_is_closed_holds_nothing_either() {
    let mut floor = Floor::new(&format!("{}minutes = 60\n", scheduled("tue", "10:00")));
    floor.at("2026-04-14T01:00:00Z");
    floor.press(BUTTON);
    floor.take(Input::ClockStepped { by_us: 3_600_000_000 }).unwrap();
    floor.forward("10m");
    close(&mut floor);
    floor.forward("59m");
    floor.watch("52m");
    assert_eq!((held(&floor).len(), missed(&floor)), (0, vec![(day("2026-04-14"), 1, Missed::Clock)]));
}

/// Whoever takes it back has not answered, and others are asked.
#[test]
fn an_answer_that_was_taken_back_is_none() {
    let mut floor = before_ten();
    floor.watch("32s");
    floor.skip_messages();
    floor.reply("j-smith", "Y{code}");
    floor.watch("60s");
    floor.reply("j-smith", "N{code}");
    floor.watch("10m");
    assert_eq!((tally(&floor).last_held.unwrap().outcome, tally(&floor).answered, tally(&floor).unanswered), (Outcome::Unanswered, 0, 1));
}

#[test]
fn where_two_are_needed_one_is_no_answer() {
    for (second, outcome) in [(false, Outcome::Unanswered), (true, Outcome::Answered)] {
        let mut floor = Floor::new(&scheduled("tue", "10:00").replacen("wait = \"30s\"", "wait = \"30s\"\nneed = 2", 1));
        floor.at("2026-04-14T01:59:30Z");
        floor.watch("32s");
        floor.reply("j-smith", "Y{code}");
        floor.watch("40s");
        if second {
            floor.reply("p-nair", "Y{code}");
            floor.watch("301s");
            assert!(!floor.subject().is_open(), "it is over five minutes after the second of them");
        }
        floor.watch("65m");
        assert_eq!(tally(&floor).last_held.unwrap().outcome, outcome, "{second}");
    }
}

/// A reload in which nothing of the schedule changes.
#[test]
fn a_reload_repeats_no_day_and_swallows_none() {
    let text = scheduled("tue", "10:00");
    let mut floor = before_ten();
    floor.adopt(&format!("{text}# one\n"));
    floor.watch("35s");
    floor.adopt(&format!("{text}# two\n"));
    floor.watch("15m");
    assert_eq!((held(&floor).len(), missed(&floor).len(), tally(&floor).held), (1, 0, 1));
    // A site more, and another window: this site's day was held.
    floor.adopt(&format!("{text}minutes = 60\n"));
    floor.watch("46m");
    assert_eq!((held(&floor).len(), missed(&floor).len()), (1, 0));
}

#[test]
fn a_schedule_that_becomes_more_frequent_has_missed_nothing_before() {
    let mut floor = Floor::new(&scheduled("first tue", "10:00"));
    floor.at("2026-05-05T02:00:00Z");
    floor.watch("2s");
    floor.at("2026-05-22T06:00:00Z");
    floor.adopt(&scheduled("tue", "10:00"));
    floor.watch("5s");
    assert_eq!((held(&floor).len(), missed(&floor)), (1, Vec::new()));
    assert_eq!(tally(&floor).next.unwrap().day, day("2026-05-26"));
}

#[test]
fn a_schedule_that_is_moved_has_its_day_once() {
    // To a later hour of the day: it is held then, once.
    let mut floor = before_ten();
    floor.adopt(&scheduled("tue", "11:00"));
    floor.watch("62m");
    assert_eq!((held(&floor).len(), missed(&floor).len()), (1, 0));
    assert!(held(&floor)[0].0 >= "2026-04-14T03:00:00Z".parse().unwrap());
    // Once more on that day, after it was held.
    floor.adopt(&scheduled("tue", "14:00"));
    floor.at("2026-04-14T06:00:00Z");
    floor.watch("16m");
    assert_eq!((held(&floor).len(), missed(&floor).len()), (1, 0));

    // To an hour that is over: it is missed, and says so.
    let mut floor = before_ten();
    floor.adopt(&scheduled("tue", "09:00"));
    floor.watch("16m");
    assert_eq!((held(&floor).len(), missed(&floor)), (0, vec![(day("2026-04-14"), 1, Missed::Changed)]));
}

/// What was added at half past nine is due at ten. A call holds it, and its hour is moved to one before it was added.
#[test]
fn a_schedule_that_is_moved_before_it_was_written_loses_no_day() {
    for (called, at) in [(true, "2026-04-14T02:10:00Z"), (false, "2026-04-14T01:40:00Z")] {
        let mut floor = Floor::new(PEOPLE);
        floor.at("2026-04-14T01:30:00Z");
        floor.adopt(&scheduled("tue", "10:00"));
        floor.at("2026-04-14T01:39:00Z");
        if called {
            floor.press(BUTTON);
        }
        floor.at(at);
        floor.look_for_drills();
        floor.adopt(&scheduled("tue", "09:00"));
        floor.watch("2s");
        assert_eq!((held(&floor).len(), missed(&floor)), (0, vec![(day("2026-04-14"), 1, Missed::Changed)]), "{at}");
        assert_eq!(tally(&floor).next.unwrap().day, day("2026-04-21"));
    }
}

/// The clock of a site turns out to be another, by which its Tuesday is over.
#[test]
fn a_day_that_a_clock_put_right_has_behind_it_is_missed() {
    let there = |zone: &str| scheduled("tue", "10:00").replace("Australia/Perth", zone);
    let mut floor = Floor::new(&there("Pacific/Honolulu"));
    floor.at("2026-04-14T19:59:00Z");
    floor.press(BUTTON);
    floor.watch("5m");
    floor.adopt(&there("Pacific/Auckland"));
    assert_eq!(missed(&floor), [(day("2026-04-14"), 1, Missed::Changed)]);
    assert_eq!(tally(&floor).next.unwrap().day, day("2026-04-21"));
}

#[test]
fn a_window_that_is_made_shorter_is_missed_as_changed() {
    let mut floor = Floor::new(&format!("{}minutes = 60\n", scheduled("tue", "10:00")));
    floor.at("2026-04-14T01:59:30Z");
    floor.press(BUTTON);
    floor.watch("20m");
    floor.adopt(&format!("{}minutes = 10\n", scheduled("tue", "10:00")));
    floor.watch("2s");
    assert_eq!(missed(&floor), [(day("2026-04-14"), 1, Missed::Changed)]);
}

/// The look comes late: what stands then, and did not in the window, is no reason; nor is a drill of somebody else.
#[test]
fn what_came_after_the_window_is_no_reason() {
    let spring = "[[drill]]\nid = \"spring\"\nsites = [\"library\"]\non = \"tue\"\nat = \"10:00\"\n";
    let depot = "[[drill]]\nid = \"depot\"\nsites = [\"depot\"]\non = \"tue\"\nat = \"10:15\"\n";
    let mut floor = Floor::new(&format!("{COUNTERS}\n{spring}{depot}"));
    floor.at("2026-04-14T02:15:01Z");
    floor.hear(press("library/counter-1"));
    floor.look_for_drills();
    assert_eq!((held(&floor).len(), missed(&floor)), (1, vec![(day("2026-04-14"), 1, Missed::Passed)]));
    // A call that was open to the end of it, and is closed by the time of the look, is one.
    let mut floor = Floor::new(&format!("{COUNTERS}\n{spring}"));
    floor.at("2026-04-14T02:14:30Z");
    floor.press("library/counter-1");
    floor.forward("31s");
    close(&mut floor);
    floor.look_for_drills();
    assert_eq!(missed(&floor), [(day("2026-04-14"), 1, Missed::CallOpen)]);
}

/// Forty offices, and a clock that says ten years later: one look misses so many days and no more, and the next ones the rest.
#[test]
fn one_look_searches_for_so_many_days_and_no_more() {
    let mut floor = Floor::new(&offices(40, 15).replace("first tue", "tue"));
    floor.at("2036-05-05T06:00:00Z");
    let mut looks = Vec::new();
    for _ in 0..40 {
        let before = missed(&floor).len();
        floor.look_for_drills();
        looks.push(missed(&floor)[before..].iter().map(|(_, count, _)| *count).sum::<u32>());
    }
    assert!(looks.iter().all(|days| *days <= 2_000), "{looks:?}");
    assert_eq!(missed(&floor).len(), 40);
}

#[test]
fn what_waits_is_missed_where_its_schedule_goes() {
    for gone in [PEOPLE.to_owned(), scheduled("wed", "10:00"), scheduled("first tue", "10:00")] {
        let mut floor = before_ten();
        floor.press(BUTTON);
        floor.watch("5m");
        floor.adopt(&gone);
        assert_eq!(missed(&floor), [(day("2026-04-14"), 1, Missed::Changed)], "{gone}");
        close(&mut floor);
        floor.watch("15m");
        assert_eq!((held(&floor).len(), missed(&floor).len()), (0, 1));
    }
    // What had its hour while the station was down is not forgotten by the file that came meanwhile.
    let mut floor = before_ten();
    floor.at("2026-04-22T06:00:00Z");
    start(&mut floor);
    floor.adopt(&scheduled("wed", "15:00"));
    floor.watch("3m");
    assert_eq!(missed(&floor), [(day("2026-04-21"), 2, Missed::Down)]);
}

/// What was missed is shown of what is no longer scheduled as well, and comes back with it.
#[test]
fn what_was_missed_outlives_its_schedule() {
    let mut floor = before_ten();
    floor.press(BUTTON);
    floor.watch("5m");
    floor.adopt(PEOPLE);
    let former: Vec<_> = floor
        .engine
        .no_longer_scheduled()
        .map(|(whose, (id, site), former)| (whose.to_string(), format!("{id} {site}"), former.missed))
        .collect();
    let why = Some((day("2026-04-14"), Missed::Changed));
    assert_eq!(former.iter().map(|(_, place, missed)| (place.as_str(), *missed)).collect::<Vec<_>>(), [("spring library", why)]);
    floor.adopt(&format!("{}# again\n", scheduled("tue", "10:00")));
    assert_eq!((floor.engine.no_longer_scheduled().count(), tally(&floor).last_missed), (0, why));
}

#[test]
fn what_is_taken_out_and_put_back_on_one_day_is_held_once() {
    let mut floor = before_ten();
    floor.watch("5m");
    for (number, at) in ["10:30", "11:00"].into_iter().enumerate() {
        floor.adopt(&format!("{PEOPLE}# {number}\n"));
        floor.adopt(&format!("{}# {number}\n", scheduled("tue", at)));
        floor.watch("40m");
    }
    assert_eq!((held(&floor).len(), missed(&floor).len()), (1, 0));
    // What was kept of it is forgotten, and so is what was kept of a year of others.
    for number in 0..50 {
        floor.forward("49h");
        floor.adopt(&scheduled("tue", "10:00").replace("spring", &format!("spring-{number}")));
        floor.adopt(PEOPLE);
    }
    assert_eq!(floor.engine.no_longer_scheduled().count(), 0);
}

/// The customer itself is taken out, and put back on the same day.
#[test]
fn a_customer_that_is_gone_takes_nothing_with_it() {
    let spring = "\n[[drill]]\nid = \"spring\"\nsites = [\"library\"]\non = \"tue\"\nat = \"10:00\"\n";
    let mut floor = Floor::new(&format!("{COUNTERS}{spring}"));
    floor.at("2026-04-14T01:59:30Z");
    floor.press(BUTTON);
    floor.watch("5m");
    floor.adopt(PEOPLE);
    let former: Vec<_> = floor.engine.no_longer_scheduled().map(|(whose, _, former)| (whose.to_string(), former.missed)).collect();
    assert_eq!(former, [("kalamunda".to_owned(), Some((day("2026-04-14"), Missed::Changed)))]);
    close(&mut floor);
    floor.adopt(&format!("{COUNTERS}{spring}"));
    assert_eq!((tally(&floor).missed, tally(&floor).next.unwrap().day), (1, day("2026-04-21")));
    floor.watch("20m");
    assert_eq!((held(&floor).len(), missed(&floor).len()), (0, 1));
    // Gone for longer than two days it is forgotten.
    floor.adopt(&format!("{PEOPLE}# one\n"));
    floor.forward("49h");
    floor.adopt(&format!("{PEOPLE}# two\n"));
    assert_eq!(floor.engine.no_longer_scheduled().count(), 0);
}

#[test]
fn what_is_put_back_knows_what_was_held() {
    let mut floor = before_ten();
    floor.watch("35s");
    let drill = floor.subject().id.clone();
    floor.adopt(PEOPLE);
    // It ends while its line is out.
    floor.watch("10m");
    floor.adopt(&scheduled("tue", "10:00"));
    let tally = tally(&floor);
    let last = tally.last_held.unwrap();
    assert_eq!((last.drill, last.outcome, tally.held, tally.unanswered), (drill, Outcome::Unanswered, 1, 1));
}

/// The library becomes the shire's, by the same schedule: neither reads what became of the drills of the other.
#[test]
fn what_is_another_customers_begins_anew() {
    let spring = "\n[[drill]]\nid = \"spring\"\nsites = [\"library\"]\non = \"tue\"\nat = \"10:00\"\n";
    let mut floor = Floor::new(&format!("{COUNTERS}{spring}"));
    floor.at("2026-04-14T01:59:30Z");
    floor.press(BUTTON);
    floor.watch("5m");
    floor.adopt(&format!("{COUNTERS}{spring}").replacen(
        "id = \"library\"\ncustomer = \"kalamunda\"",
        "id = \"library\"\ncustomer = \"mundaring\"",
        1,
    ));
    assert_eq!(missed(&floor), [(day("2026-04-14"), 1, Missed::Changed)], "whoever waited for it is told");
    let told =
        floor.events.iter().find_map(|(_, event)| if let Event::DrillMissed { cust, .. } = event { Some(cust.to_string()) } else { None });
    assert_eq!(told.as_deref(), Some("kalamunda"));
    assert_eq!((tally(&floor).missed, tally(&floor).last_missed), (0, None));
    let former: Vec<String> = floor.engine.no_longer_scheduled().map(|(whose, ..)| whose.to_string()).collect();
    assert_eq!(former, ["kalamunda"]);
}

#[test]
fn a_drill_that_is_on_outlives_its_schedule() {
    let mut floor = before_ten();
    floor.watch("35s");
    let drill = floor.subject().id.clone();
    floor.adopt(PEOPLE);
    assert_eq!(floor.engine.scheduled().count(), 0);
    floor.reply("j-smith", "Y{code}");
    assert!(floor.engine.activation(&drill).unwrap().is_open());
    floor.adopt(&scheduled("tue", "10:00"));
    floor.watch("15m");
    assert_eq!(held(&floor).len(), 1, "a schedule that is new begins with the next hour that has not begun");
}

#[test]
fn what_was_missed_reads_as_a_story() {
    let mut floor = Floor::new(&format!("{}minutes = 1\n", scheduled("tue", "10:00")));
    floor.at("2026-04-14T01:59:30Z");
    floor.press(BUTTON);
    floor.timeline.clear();
    floor.watch("90s");
    play(&mut floor, "forward 0s");
    let told: Vec<&String> = floor.timeline.iter().filter(|line| line.contains("MISSED")).collect();
    expect![[r#"
        [
            "71878s    spring at library MISSED on 2026-04-14, 1 (CallOpen)",
        ]
    "#]]
    .assert_debug_eq(&told);
}

/// One thing that happens while days pass.
#[derive(Clone, Debug)]
enum Happens {
    /// The clock goes on, and the watch looks as often as it does.
    Watch(u32),
    /// It goes on by hours, without a look.
    Leap(u32),
    /// It is put forward by so many minutes.
    Step(i64),
    Press,
    Close,
    Start,
    Reload(usize),
    DrillByHand,
    LoseRecord,
    FindRecord,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        6 => (1_u32..400).prop_map(Happens::Watch),
        4 => (1_u32..40).prop_map(Happens::Leap),
        2 => (2_i64..90).prop_map(Happens::Step),
        2 => Just(Happens::Press),
        3 => Just(Happens::Close),
        1 => Just(Happens::Start),
        2 => (0_usize..7).prop_map(Happens::Reload),
        1 => Just(Happens::DrillByHand),
        1 => Just(Happens::LoseRecord),
        2 => Just(Happens::FindRecord),
    ]
}

/// Two sites in two zones by one schedule, and one of them by another; variants of it that a manager may write.
fn variant(number: usize) -> String {
    let (on, at, minutes) =
        [("tue", "10:00", 15), ("tue", "10:00", 45), ("tue", "14:30", 15), ("mon", "10:00", 15), ("first tue", "08:00", 2)][number % 5];
    // The last two have one of the sites, or one of the schedules, no longer.
    let (sites, without_b) = (if number == 5 { "[\"library\"]" } else { "[\"library\", \"hall\"]" }, number == 6);
    let hall = "[[site]]\nid = \"hall\"\nname = \"Hall\"\ntimezone = \"Australia/Lord_Howe\"\n\n";
    let b = "[[drill]]\nid = \"b\"\nsites = [\"library\"]\non = \"wed\"\nat = \"18:00\"\ndevice = \"counter-1\"\n";
    let b = if without_b { "" } else { b };
    format!("{PEOPLE}\n{hall}[[drill]]\nid = \"a\"\nsites = {sites}\non = \"{on}\"\nat = \"{at}\"\nminutes = {minutes}\n{b}")
}

fn zone_at(site: &SiteId) -> Zone {
    Zone::named(if site.as_str() == "hall" { "Australia/Lord_Howe" } else { "Australia/Perth" }).unwrap()
}

/// What a reader of the record, who knows the calendar and nothing of the rules, may expect of it.
#[derive(Default)]
struct Reader {
    /// Each day of each site of each schedule that came to something.
    told: BTreeSet<(ScheduleId, SiteId, Date)>,
    /// Since when and until when each call was open.
    calls: BTreeMap<String, (Timestamp, Option<Timestamp>)>,
    drills: BTreeMap<String, (SiteId, Timestamp)>,
    started: Option<Timestamp>,
    lost: bool,
    /// Steps of the clock: what it said before and after.
    steps: Vec<(Timestamp, Timestamp)>,
    /// When drills of schedules began, and when directories were adopted, after the first: also later than what is read.
    begun: Vec<Timestamp>,
    reloads: BTreeSet<Timestamp>,
    /// The schedules in force.
    schedules: BTreeMap<ScheduleId, Schedule>,
}

impl Reader {
    fn of(events: &[(Timestamp, Event)]) -> Self {
        let is_scheduled = |event: &Event| matches!(event, Event::Raised(raised) if raised.scheduled.is_some());
        let at_times =
            |is: &dyn Fn(&Event) -> bool| -> Vec<Timestamp> { events.iter().filter(|(_, e)| is(e)).map(|(at, _)| *at).collect() };
        let adopted = at_times(&|event| matches!(event, Event::DirectoryAdopted { .. }));
        let mut reader = Self { begun: at_times(&is_scheduled), reloads: adopted.into_iter().skip(1).collect(), ..Self::default() };
        for (at, event) in events {
            reader.read(*at, event);
        }
        reader
    }

    fn read(&mut self, at: Timestamp, event: &Event) {
        if let Event::StationStarted { .. } = event {
            self.started = Some(at);
        }
        if let Event::RecordLost { .. } = event {
            self.lost = true;
        }
        if let Event::RecordFound {} = event {
            self.lost = false;
        }
        if let Event::ClockStepped { by_us } = event {
            self.steps.push((at - SignedDuration::from_micros(*by_us), at));
        }
        if let Event::DrillMissed { .. } = event {
            self.is_missed(at, event);
        }
        if let Event::Raised(raised) = event {
            if let Some(scheduled) = &raised.scheduled {
                self.is_held(at, &raised.dev.site, &scheduled.schedule, scheduled.day);
            }
            if raised.drill_until.is_some() {
                self.drills.insert(raised.act.to_string(), (raised.dev.site.clone(), at));
            } else {
                self.calls.insert(raised.act.to_string(), (at, None));
            }
        }
        if let Event::Closed { act, .. } = event {
            if let Some((_, closed)) = self.calls.get_mut(&act.to_string()) {
                *closed = closed.or(Some(at));
            }
            self.drills.remove(&act.to_string());
        }
        if let Event::DirectoryAdopted { directory, .. } = event {
            self.schedules = directory.drills.clone();
        }
    }

    fn is_call_open(&self, then: Timestamp) -> bool {
        self.calls.values().any(|(raised, closed)| *raised <= then && closed.is_none_or(|closed| then < closed))
    }

    fn is_just_closed(&self, then: Timestamp) -> bool {
        let mut closed = self.calls.values().filter_map(|(_, closed)| *closed);
        closed.any(|closed| closed <= then && then < closed + SignedDuration::from_secs(120))
    }

    fn is_clock_doubted(&self, then: Timestamp, opens: Timestamp) -> bool {
        let doubted = |(from, to): &(Timestamp, Timestamp)| then < *to + SignedDuration::from_secs(600) || (*from < opens && opens <= *to);
        self.steps.iter().filter(|(_, to)| *to <= then).any(doubted)
    }

    fn is_held(&mut self, at: Timestamp, site: &SiteId, id: &ScheduleId, day: Date) {
        let what = format!("{id} {site} {day} at {at}");
        assert!(self.told.insert((id.clone(), site.clone(), day)), "twice: {what}");
        assert!(!self.is_call_open(at), "beside a call: {what}");
        assert!(!self.is_just_closed(at), "behind a call: {what}");
        assert!(!self.drills.values().any(|(there, _)| there == site), "beside a drill: {what}");
        assert!(!self.lost, "while the record was away: {what}");
        assert!(self.started.is_none_or(|started| started + SignedDuration::from_secs(120) <= at), "too soon: {what}");
        let wall = zone_at(site).wall(at);
        assert!((7..20).contains(&wall.hour()) && wall.date() == day, "at night or on another day: {wall} {what}");
        let occasion = self.schedules[id].on_day(0, &zone_at(site), day).unwrap();
        assert!(occasion.opens <= at && at < occasion.closes, "outside of its window: {what}");
        assert!(!self.is_clock_doubted(at, occasion.opens), "at an hour that nobody knows: {what}");
    }

    /// A drill is missed at the end of its window and no sooner, and what is said to have stood in its way did so then.
    fn is_missed(&mut self, at: Timestamp, event: &Event) {
        let Event::DrillMissed { schedule: id, site, due, count, why, day, .. } = event else { return };
        assert!(*due <= at && *count > 0, "nothing is missed before it was due: {event:?}");
        let (schedule, zone) = (self.schedules[id].clone(), zone_at(site));
        // Days that are missed together are those up to the last that is told.
        let mut first = *day;
        for number in 0..*count {
            if number > 0 {
                first = first.yesterday().unwrap();
                while !schedule.on.is_on(first) {
                    first = first.yesterday().unwrap();
                }
            }
            assert!(self.told.insert((id.clone(), site.clone(), first)), "twice, {first}: {event:?}");
        }
        let occasion = schedule.on_day(0, &zone, first).unwrap();
        let (opens, closes) = (occasion.opens, occasion.closes);
        let then = at.min(closes);
        assert!(*why == Missed::Changed || at >= closes - SignedDuration::from_secs(2), "too soon: {event:?}");
        let is_so = match why {
            Missed::Down => self.started.is_some_and(|started| closes <= started + SignedDuration::from_secs(120)),
            Missed::CallOpen => self.is_call_open(then),
            Missed::JustClosed => self.is_just_closed(then),
            Missed::DrillOpen => self.drills.values().any(|(there, began)| there == site && *began <= then),
            Missed::Crowded => self.begun.iter().any(|begun| opens <= *begun && *begun <= then),
            Missed::RecordLost => self.lost,
            Missed::Clock => self.is_clock_doubted(then, opens),
            Missed::Changed => self.reloads.contains(&at) || self.reloads.range(..at).any(|reload| closes <= *reload),
            Missed::Passed => at >= closes && !self.is_call_open(then) && !self.lost && !self.is_just_closed(then),
            Missed::TooManyDrills | Missed::OnTest | Missed::OutOfService | Missed::NoSuchPlace => false,
        };
        assert!(is_so, "it was not so: {event:?} at {at}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, ..ProptestConfig::default() })]

    #[test]
    fn each_day_is_held_once_or_missed_once(happenings in prop::collection::vec(happens(), 1..60)) {
        let mut floor = Floor::new(&variant(0));
        let mut reloads = 0;
        for happening in &happenings {
            match happening {
                Happens::Watch(seconds) => {
                    // As the watch looks, but not at every second of a test.
                    for _ in 0..=seconds / 20 {
                        floor.forward("20s");
                        floor.look_for_drills();
                    }
                }
                Happens::Leap(hours) if floor.engine.open_count() == 0 => {
                    floor.forward(&format!("{hours}h"));
                    floor.look_for_drills();
                }
                Happens::Step(minutes) if floor.engine.open_count() == 0 => {
                    put_forward(&mut floor, *minutes);
                    floor.look_for_drills();
                }
                Happens::Press => drop(floor.hear(press(BUTTON))),
                Happens::Close if floor.engine.open_count() > 0 => {
                    let open: Vec<_> = floor.engine.activations().filter(|act| act.is_open()).map(|act| (act.id.clone(), act.is_drill())).collect();
                    for (id, is_drill) in open {
                        floor.subject = Some(id);
                        let disposition = if is_drill { Disposition::Test } else { Disposition::Fault };
                        floor.command(operator("desk"), Act::Close { disposition, note: None }).unwrap();
                    }
                }
                Happens::Start => start(&mut floor),
                Happens::Reload(number) => {
                    reloads += 1;
                    floor.adopt(&format!("{}# {reloads}\n", variant(*number)));
                }
                Happens::DrillByHand => drop(floor.drill("library", 5)),
                Happens::LoseRecord => drop(floor.take(Input::RecordLost { spooled: true }).unwrap()),
                Happens::FindRecord => drop(floor.take(Input::RecordFound).unwrap()),
                Happens::Leap(_) | Happens::Step(_) | Happens::Close => {}
            }
            floor.skip_messages();
        }
        // Whatever is over is told by the first looks after a start.
        floor.forward("121s");
        for _ in 0..3 {
            floor.look_for_drills();
        }
        let reader = Reader::of(&floor.events);
        every_day_came_to_something(&floor, &reader);
    }
}

/// Every day that is over, and on which no directory was adopted at the site, came to something.
fn every_day_came_to_something(floor: &Floor, reader: &Reader) {
    let adopted = |event: &Event| if let Event::DirectoryAdopted { directory, .. } = event { Some(directory.drills.clone()) } else { None };
    let adoptions: Vec<_> = floor.events.iter().filter_map(|(at, event)| Some((*at, adopted(event)?))).collect();
    for site in ["library", "hall"].map(|site| SiteId::parse(site).unwrap()) {
        let zone = zone_at(&site);
        let (first, last) = (zone.wall(floor.began).date(), zone.wall(floor.now).date());
        for day in first.series(jiff::ToSpan::day(1)).take_while(|day| *day <= last) {
            let (from, to) = (zone.midnight(day), zone.midnight(day.tomorrow().unwrap()));
            let is_touched = adoptions.iter().any(|(at, _)| from <= *at && *at < to);
            let Some((_, schedules)) = adoptions.iter().rfind(|(at, _)| *at < from).filter(|_| !is_touched) else { continue };
            for (id, schedule) in schedules.iter().filter(|(_, schedule)| schedule.sites.contains(&site)) {
                let is_over = schedule.on_day(0, &zone, day).is_some_and(|occasion| occasion.closes <= floor.now);
                assert!(!is_over || reader.told.contains(&(id.clone(), site.clone(), day)), "{id} {site} {day}: nothing came of it");
            }
        }
    }
}
