//! Every oracle can fail: pasts that were doctored, each by one thing that must never happen, and the finding it must lead to.

use std::sync::LazyLock;

use escalation::dispatch::{Purpose, Recipient};
use escalation::event::{Event, Party};
use escalation::id::{Digest, PersonId, PersonVersion};
use escalation::ladder::Who;

use crate::oracle;
use crate::past::{Entry, Past};
use crate::scenario::{Lie, live};

/// A few sound pasts with a bit of everything in them.
static PASTS: LazyLock<Vec<Past>> = LazyLock::new(|| (0..24).map(|seed| live(seed, Lie::Nothing).past).collect());

/// Doctors the first pasts that have what it takes; every past is sound before, and one at least must be found wrong after.
fn is_found(finding: &str, doctor: impl Fn(&mut Past) -> Option<()>) {
    let found = PASTS.iter().any(|past| {
        let mut doctored = past.clone();
        doctor(&mut doctored).is_some() && {
            assert_eq!(oracle::judge(past), [""; 0], "sound before it was doctored");
            oracle::judge(&doctored).iter().any(|wrong| wrong.starts_with(finding))
        }
    });
    assert!(found, "no past was found wrong: {finding}");
}

fn position(past: &Past, fits: impl Fn(&Entry) -> bool) -> Option<usize> {
    past.entries.iter().position(fits)
}

fn is_queued_for(entry: &Entry, wanted: Purpose) -> bool {
    matches!(&entry.event, Event::DispatchQueued { purpose, .. } if *purpose == wanted)
}

#[test]
fn i1_a_confirmed_entry_that_is_another_or_gone() {
    is_found("I1 a confirmed entry is not in the record", |past| {
        past.confirmed.first_mut()?.1.push(b' ');
        Some(())
    });
    is_found("I1 a confirmed entry is not in the record", |past| {
        past.entries.pop();
        past.confirmed.iter().any(|(seq, _)| *seq == u64::try_from(past.entries.len()).unwrap()).then_some(())
    });
}

#[test]
fn i3_an_activation_that_nobody_comes_back_to() {
    // All that followed its raise is missing: the deadline passes, and nothing happens.
    is_found("I3 a turn left a deadline behind", |past| {
        let raised = position(past, |entry| entry.kind == "activation.raised")?;
        let act = past.entries[raised].event.activation()?.clone();
        let mut place = 0;
        past.entries.retain(|entry| {
            place += 1;
            place <= raised + 1 || entry.event.activation() != Some(&act)
        });
        Some(())
    });
}

#[test]
fn i4_an_answer_that_no_human_gave() {
    is_found("I4 stopped by nobody", |past| (!std::mem::take(&mut past.human.texts).is_empty()).then_some(()));
    is_found("I4 stopped by nobody", |past| (!std::mem::take(&mut past.human.links).is_empty()).then_some(()));
    is_found("I4 stopped by nobody", |past| (!std::mem::take(&mut past.human.keys).is_empty()).then_some(()));
}

#[test]
fn i5_a_call_that_goes_quiet() {
    is_found("I5 quiet for too long", |past| {
        past.sent.retain(|sent| !sent.alarm);
        Some(())
    });
}

#[test]
fn i6_a_state_that_the_record_does_not_give() {
    is_found("I6 replay differs from live", |past| {
        let last = past.entries.iter().rposition(|entry| entry.event.activation().is_some())?;
        past.entries.remove(last);
        Some(())
    });
    is_found("W no state at the end", |past| past.live.take().map(drop));
}

#[test]
fn i7_a_press_that_is_acknowledged_and_not_there() {
    is_found("I7 a press is not in the record", |past| past.received.insert(Digest::new([9; 32])).then_some(()));
}

#[test]
fn i8_a_repeat_that_resets_the_ladder() {
    is_found("I8 a repeat reset something", |past| {
        let again = position(past, |entry| entry.kind == "activation.pressed_again")?;
        let entry = &mut past.entries[again];
        entry.event = Event::Exhausted { act: entry.event.activation()?.clone(), next: entry.at };
        Some(())
    });
    is_found("I8 a ladder went back", |past| {
        let entered = position(past, |entry| entry.kind == "rung.entered")?;
        let again = past.entries[entered].clone();
        past.entries.insert(entered + 1, again);
        Some(())
    });
}

#[test]
fn i9_a_history_with_a_gap() {
    is_found("I9 aseq has a gap", |past| {
        let passed = position(past, |entry| entry.kind == "rung.passed_over" || entry.kind == "contact.passed_over")?;
        past.entries.remove(passed);
        Some(())
    });
    is_found("I9 count at closing", |past| {
        past.entries.iter_mut().find_map(|entry| if let Event::Closed { count, .. } = &mut entry.event { Some(count) } else { None }).map(
            |count| {
                *count += 1;
            },
        )
    });
    is_found("I9 ord has a gap", |past| {
        let raised =
            past.entries.iter_mut().find_map(|entry| if let Event::Raised(raised) = &mut entry.event { Some(raised) } else { None });
        raised.map(|raised| raised.ord += 1)
    });
}

#[test]
fn i10_time_that_stands_still() {
    is_found("I10 time did not increase", |past| {
        past.entries[1].at = past.entries[0].at;
        Some(())
    });
}

#[test]
fn i11_a_name_in_a_log_line_or_an_entry() {
    is_found("I11 a private text was logged", |past| {
        past.heard.push_str("told Padma\n");
        Some(())
    });
    is_found("P a private text is in an entry", |past| {
        past.entries.first_mut()?.text.push_str("+61400000002");
        Some(())
    });
}

#[test]
fn an_event_that_makes_no_sense() {
    is_found("F events made no sense", |past| {
        let queued = past.entries.iter().rposition(|entry| entry.kind == "dispatch.queued")?;
        let again = past.entries[queued].clone();
        past.entries.push(again);
        Some(())
    });
}

#[test]
fn a_message_that_is_sent_twice() {
    is_found("D a duplicate without a kill", |past| {
        let again = past.sent.iter().find(|sent| sent.known)?.clone();
        past.sent.push(again);
        Some(())
    });
}

#[test]
fn t_somebody_told_of_a_trouble_who_is_not_told_of_its_end_or_told_twice() {
    is_found("T told of a trouble and not of its end", |past| {
        past.entries.remove(position(past, |entry| is_queued_for(entry, Purpose::TroubleOver))?);
        Some(())
    });
    is_found("T told of an end twice or without cause", |past| {
        let told = position(past, |entry| is_queued_for(entry, Purpose::TroubleOver))?;
        let again = past.entries[told].clone();
        past.entries.insert(told, again);
        Some(())
    });
    is_found("T said to be over while it lasts", |past| {
        let over = position(past, |entry| entry.kind == "trouble.over")?;
        let act = past.entries[over].event.activation()?.clone();
        let told = position(past, |entry| entry.kind == "trouble.told" && entry.event.activation() == Some(&act))?;
        let Event::TroubleTold { cause, .. } = past.entries[told].event.clone() else { return None };
        past.entries.retain(|entry| !matches!(&entry.event, Event::TroubleCleared { cause: cleared, .. } if *cleared == cause));
        Some(())
    });
    is_found("T said to be over before anything was looked at", |past| {
        let over = position(past, |entry| entry.kind == "trouble.over")?;
        let started = position(past, |entry| entry.kind == "station.started")?;
        let again = Entry { at: past.entries[over].at, ..past.entries[started].clone() };
        past.entries.insert(over, again);
        Some(())
    });
}

fn is_scheduled(entry: &Entry) -> bool {
    matches!(&entry.event, Event::Raised(raised) if raised.scheduled.is_some())
}

#[test]
fn h_a_drill_that_is_lost_or_held_twice_or_beside_something_real() {
    is_found("H due, and neither held nor missed", |past| {
        past.entries.remove(position(past, |entry| entry.kind == "drill.missed")?);
        Some(())
    });
    is_found("H held and missed, or twice", |past| {
        let missed = position(past, |entry| entry.kind == "drill.missed")?;
        let again = past.entries[missed].clone();
        past.entries.insert(missed, again);
        Some(())
    });
    is_found("H drilled beside a call", |past| {
        let held = position(past, is_scheduled)?;
        let mut call = past.entries[held].clone();
        let Event::Raised(raised) = &mut call.event else { return None };
        raised.act.number += 1_000;
        (raised.drill_until, raised.scheduled) = (None, None);
        past.entries.insert(held, call);
        Some(())
    });
    is_found("H drilled beside a drill", |past| {
        let held = position(past, is_scheduled)?;
        let mut drill = past.entries[held].clone();
        let Event::Raised(raised) = &mut drill.event else { return None };
        raised.act.number += 1_000;
        raised.scheduled = None;
        past.entries.insert(held, drill);
        Some(())
    });
    is_found("H drilled outside of its window", |past| {
        let held = position(past, is_scheduled)?;
        past.entries[held].at -= escalation::time::SignedDuration::from_mins(20);
        Some(())
    });
    is_found("H drilled too soon after a start", |past| {
        let held = position(past, is_scheduled)?;
        let started = position(past, |entry| entry.kind == "station.started")?;
        let again = Entry { at: past.entries[held].at, ..past.entries[started].clone() };
        past.entries.insert(held, again);
        Some(())
    });
    is_found("H drilled what cannot be drilled", |past| {
        let held = position(past, is_scheduled)?;
        let lost = Entry { event: Event::RecordLost { series: 1 }, ..past.entries[held].clone() };
        past.entries.insert(held, lost);
        Some(())
    });
    is_found("H drilled right after a call", |past| {
        let held = position(past, is_scheduled)?;
        let mut call = past.entries[held].clone();
        let Event::Raised(raised) = &mut call.event else { return None };
        raised.act.number += 1_000;
        (raised.drill_until, raised.scheduled) = (None, None);
        let act = raised.act.clone();
        let closed = position(past, |entry| matches!(&entry.event, Event::Closed { drill: None, .. }))?;
        let mut closed = Entry { at: past.entries[held].at, ..past.entries[closed].clone() };
        let Event::Closed { act: of, .. } = &mut closed.event else { return None };
        *of = act;
        past.entries.insert(held, closed);
        past.entries.insert(held, call);
        Some(())
    });
    is_found("H missed before its window was over", |past| {
        let missed = position(past, |entry| entry.kind == "drill.missed")?;
        past.entries[missed].at -= escalation::time::SignedDuration::from_mins(1);
        Some(())
    });
    is_found("H missed for what was not so", |past| {
        let missed = position(past, |entry| entry.kind == "drill.missed")?;
        let Event::DrillMissed { why, .. } = &mut past.entries[missed].event else { return None };
        *why = escalation::schedule::Missed::NoSuchPlace;
        Some(())
    });
    is_found("H missed what was not due", |past| {
        let missed = position(past, |entry| entry.kind == "drill.missed")?;
        let Event::DrillMissed { count, .. } = &mut past.entries[missed].event else { return None };
        *count += 1;
        Some(())
    });
    is_found("H a call ended as a drill", |past| {
        let ended = position(past, |entry| matches!(&entry.event, Event::Closed { drill: Some(_), .. }))?;
        let act = past.entries[ended].event.activation()?.clone();
        past.entries.retain(|entry| !matches!(&entry.event, Event::Raised(raised) if raised.act == act));
        Some(())
    });
}

#[test]
fn h_a_drill_in_a_heap_or_at_an_hour_that_nobody_knows_or_of_a_button_on_test() {
    is_found("H drilled what cannot be drilled", |past| {
        let counter = |entry: &Entry| matches!(&entry.event, Event::Raised(raised) if raised.dev.name.as_str() == "front-1");
        let held = position(past, |entry| is_scheduled(entry) && counter(entry))?;
        let entry = past.entries[held].clone();
        let Event::Raised(raised) = &entry.event else { return None };
        let until = entry.at + escalation::time::SignedDuration::from_mins(1);
        let event = Event::TestStarted {
            cust: raised.cust.clone(),
            dev: raised.dev.clone(),
            tester: PersonVersion { person: PersonId::new(1), version: 1 },
            by: raised.by.clone()?,
            warn_at: until,
            until,
        };
        let test = Entry { event, ..entry };
        past.entries.insert(held, test);
        Some(())
    });
    is_found("H drilled in a heap", |past| {
        let held = position(past, is_scheduled)?;
        let mut other = past.entries[held].clone();
        let Event::Raised(raised) = &mut other.event else { return None };
        raised.act.number += 1_000;
        past.entries.insert(held, other);
        Some(())
    });
    is_found("H drilled at an hour that nobody knows yet", |past| {
        let held = position(past, is_scheduled)?;
        let step = Entry { event: Event::ClockStepped { by_us: 600_000_000 }, ..past.entries[held].clone() };
        past.entries.insert(held, step);
        Some(())
    });
    is_found("H drilled at an hour that nobody knows yet", |past| {
        let held = position(past, is_scheduled)?;
        for entry in &mut past.entries[held..] {
            entry.truly -= escalation::time::SignedDuration::from_mins(10);
        }
        // The entry before it is of the same moment.
        (held > 0).then(|| past.entries[held - 1].truly = past.entries[held].truly)
    });
    is_found("H drilled by another clock than everybody's", |past| {
        let held = position(past, is_scheduled)?;
        past.steps.push((past.entries[held].truly, 600_000_000));
        Some(())
    });
}

/// Whom the first rung asked that names a roster.
fn asked_by_a_roster(past: &mut Past) -> Option<&mut Vec<Party>> {
    let said = |entry: &Entry| matches!(&entry.event, Event::RungEntered { duty, .. } if !duty.is_empty());
    let entered = position(past, said)?;
    let Event::RungEntered { parties, .. } = &mut past.entries[entered].event else { return None };
    Some(parties)
}

#[test]
fn o_somebody_on_duty_whom_nobody_put_there() {
    is_found("O a roster said somebody else than the record", |past| {
        let said = |entry: &Entry| matches!(&entry.event, Event::RungEntered { duty, .. } if !duty.is_empty());
        let entered = position(past, said)?;
        let Event::RungEntered { duty, .. } = &mut past.entries[entered].event else { return None };
        duty[0].people.clear();
        Some(())
    });
    is_found("O a rung did not ask whom its roster said", |past| {
        asked_by_a_roster(past)?.clear();
        Some(())
    });
    is_found("O a rung asked whom nobody named", |past| {
        let asked = asked_by_a_roster(past)?;
        let stranger = Party { who: Who::Person(PersonId::new(9_999)), ..asked.first()?.clone() };
        asked.push(stranger);
        Some(())
    });
    // Who stands in is forgotten, and the rung has asked them.
    is_found("O a roster said somebody else than the record", |past| {
        past.entries.retain(|entry| entry.kind != "duty.stand_in");
        Some(())
    });
}

#[test]
fn g_somebody_alarmed_who_is_not_told_or_told_twice() {
    for (purpose, missing, twice) in [
        (Purpose::StandDown, "G alarmed and not stood down", "G stood down twice or without cause"),
        (Purpose::SomeoneGoing, "G alarmed and not told who is going", "G told too often who is going"),
    ] {
        is_found(missing, |past| {
            past.entries.remove(position(past, |entry| is_queued_for(entry, purpose))?);
            Some(())
        });
        is_found(twice, |past| {
            let told = position(past, |entry| is_queued_for(entry, purpose))?;
            let again = past.entries[told].clone();
            past.entries.insert(told, again);
            Some(())
        });
    }
    // A stand-down before the closing is one without cause.
    is_found("G stood down twice or without cause", |past| {
        past.entries.remove(position(past, |entry| entry.kind == "activation.closed")?);
        Some(())
    });
}

#[test]
fn n_whoever_goes_there_and_hears_nothing_of_the_next_call() {
    is_found("N goes there and was not told", |past| {
        let beside = |entry: &Entry| {
            matches!(&entry.event, Event::DispatchQueued { purpose: Purpose::Alarm, pursuit: None, to: Recipient::Person { .. }, .. })
        };
        let told = position(past, beside)?;
        past.entries.remove(told);
        Some(())
    });
}
