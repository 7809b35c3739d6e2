//! One line per event, as a person would tell it.

use escalation::event::{AnsweredVia, Channel, CoResponder, DrillEnd, Event, Party, Raised, Responder, Successor, Viewer};
use escalation::ladder::{RungIndex, Who};

use crate::floor::Floor;

/// The words for one event, `None` for what belongs to no story.
pub(crate) fn line(floor: &Floor, event: &Event) -> Option<String> {
    Some(match event {
        Event::DirectoryAdopted { .. } | Event::PersonVersioned { .. } | Event::CheckpointAnchored { .. } => return None,
        Event::StationStarted { down_ms, .. } => format!("started, away for {} ms", down_ms.unwrap_or(0)),
        Event::ClockStepped { .. } | Event::RecordLost { .. } | Event::RecordFound {} => of_the_record(event),
        Event::Ticked { open, .. } => format!("tick, {open} open"),
        Event::SignedBy { key, .. } => format!("signed by {key}"),
        Event::TroubleRaised { cause, .. } => format!("! trouble: {cause:?}"),
        Event::TroubleCleared { .. } | Event::TroubleTold { .. } | Event::TroubleAnswered { .. } | Event::TroubleOver { .. } => {
            return notice(floor, event);
        }
        Event::DeviceReported { dev, says, .. } => format!("{dev} says {says:?}"),
        Event::Raised(raised) => raised_line(floor, raised),
        Event::PressedAgain { act, presses, how, .. } => format!("{act} pressed again, {presses} presses ({how:?})"),
        Event::TestStarted { dev, until, .. } => format!("{dev} is on test until {}", floor.stamp(*until)),
        Event::TestEnded { dev, .. } => format!("{dev} is off test"),
        Event::OutOfService { dev, until, .. } => format!("{dev} is out of service until {}", floor.stamp(*until)),
        Event::InService { .. } | Event::StandInSaid { .. } | Event::StandInOver { .. } => back_again(floor, event),
        Event::DrillMissed { schedule, site, day, count, why, .. } => format!("{schedule} at {site} MISSED on {day}, {count} ({why:?})"),
        Event::TestAnswered { act, by, theirs, .. } => format!("{act} {} says test: {theirs}", responder(floor, by)),
        Event::CancelAsked { act, .. } => format!("{act} cancel asked"),
        Event::AskedFirst { act, until, parties, .. } => {
            format!("{act} asks first until {}: {}", floor.stamp(*until), people(floor, parties))
        }
        Event::RungEntered { act, rung, why, until, also, late_ms, parties, .. } => {
            let (rung, until, late) = (format!("{}{}", rung.0 + 1, with_rungs(also)), floor.stamp(*until), by_ms(*late_ms));
            format!("{act} rung {rung} until {until} ({why:?}{late}): {}", people(floor, parties))
        }
        Event::RungPassedOver { act, rung, why } => format!("{act} rung {} passed over ({why:?})", rung.0 + 1),
        Event::ContactPassedOver { act, rung, who, why } => {
            format!("{act} {} of rung {} passed over ({why:?})", who_is(floor, who), rung.0 + 1)
        }
        Event::DispatchQueued { .. } => return queued(floor, event),
        Event::DispatchReported { act, dispatch, report, .. } => format!("  {act}.{dispatch} is {report:?}"),
        Event::ReceiptOverdue { act, dispatch } => format!("  {act}.{dispatch} has no receipt"),
        Event::Accepted { act, by, commitment, arrive_by, climb_on, renewal } => {
            let beside = if *climb_on { ", the climb goes on" } else { "" };
            let again = if *renewal { " once more" } else { "" };
            format!("{act} {} accepts{again}: {commitment:?} until {}{beside}", responder(floor, by), floor.stamp(*arrive_by))
        }
        Event::Joined { .. } | Event::CommitmentQuestioned { .. } | Event::CommitmentLapsed { .. } => return commitment(floor, event),
        Event::Arrived { act, by, ask_at, silent_at, renewal } => {
            let again = if *renewal { "is safe" } else { "arrives" };
            format!("{act} {} {again}: asked at {}, silent at {}", responder(floor, by), floor.stamp(*ask_at), floor.stamp(*silent_at))
        }
        Event::SafetyAsked { act, arrival, silent_at } => format!("{act} arrival {arrival} safe? until {}", floor.stamp(*silent_at)),
        Event::FellSilent { act, arrival, raised } => format!("{act} arrival {arrival} SILENT: {raised}"),
        Event::PoliceNeeded { act, by, threshold, ring_by } => {
            format!("{act} {} needs the police ({threshold:?}), rung by {}", responder(floor, by), floor.stamp(*ring_by))
        }
        Event::PoliceUnrung { act, told, next } => format!("{act} police unrung, told {told}, again at {}", floor.stamp(*next)),
        Event::PoliceRung { act, by, .. } => format!("{act} {} says the police were rung", responder(floor, by)),
        Event::Declined { act, by, rests_until } => {
            format!("{act} {} declines, rests until {}", responder(floor, by), floor.stamp(*rests_until))
        }
        Event::AnswerSetAside { act, why, pauses_until, .. } => {
            let act = act.as_ref().map_or_else(|| "no activation".to_owned(), ToString::to_string);
            let pause = pauses_until.map(|until| format!(", waits for the code until {}", floor.stamp(until)));
            format!("{act}: an answer set aside ({why:?}){}", pause.unwrap_or_default())
        }
        Event::Claimed { act, by, lapses_at } => format!("{act} claimed by {} until {}", by.principal, floor.stamp(*lapses_at)),
        Event::Held { act, by, until, .. } => format!("{act} held by {} until {}", by.principal, floor.stamp(*until)),
        Event::HoldEnded { act, why } => format!("{act} hold ended ({why:?})"),
        Event::HandOverOffered { act, by, to, until } => {
            format!("{act} {} asks {} to take over until {}", by.principal, successor(floor, to), floor.stamp(*until))
        }
        Event::HandOverEnded { act, why, lapses_at } => {
            format!("{act} not taken over ({why:?}), claim until {}", floor.stamp(*lapses_at))
        }
        Event::ClaimLapsed { act } => format!("{act} claim lapsed"),
        Event::Escalated { act, by, to } => match to {
            Some(rung) => format!("{act} escalated to rung {} by {}", rung.0 + 1, by.principal),
            None => format!("{act} escalated to everyone by {}", by.principal),
        },
        Event::Exhausted { act, .. } => format!("{act} EXHAUSTED"),
        Event::RoundStarted { .. } => return round(floor, event),
        Event::NoteAdded { act, by, .. } => format!("{act} note by {}", by.principal),
        Event::StepTaken { act, by, step, skipped, .. } => {
            format!("{act} {} {} step {step}", responder(floor, by), done(skipped.is_some()))
        }
        Event::SaidSafe { act, by, eyes_on, with_word } => {
            format!("{act} {} says safe, {}", responder(floor, by), seen(*eyes_on, *with_word))
        }
        Event::WordJudged { act, word, heed_at } => format!("{act} the word was {word:?}, heeded at {}", floor.stamp(*heed_at)),
        Event::WordHeeded { act } => format!("{act} the word is heeded"),
        Event::Closed { act, by, disposition, count, drill, .. } => {
            format!("{act} closed by {}{}: {disposition:?}, {count} entries", by.principal, ended(*drill))
        }
        Event::Reopened { act, by, .. } => format!("{act} OPENED AGAIN by {}", by.principal),
        Event::Archived { act } => format!("{act} archived"),
        Event::BundleExported { .. }
        | Event::RegisterExported { .. }
        | Event::Erased { .. }
        | Event::LegalHoldSet { .. }
        | Event::DeskArmed { .. }
        | Event::DeskUnarmed { .. }
        | Event::Viewed(_) => {
            return handed(event);
        }
    })
}

fn successor(floor: &Floor, to: &Successor) -> String {
    to.person.map_or_else(|| "a name".to_owned(), |person| floor.person_name(person))
}

/// Everybody is told again.
fn round(floor: &Floor, event: &Event) -> Option<String> {
    let Event::RoundStarted { act, round, everyone, late_ms, parties, .. } = event else { return None };
    let late = by_ms(*late_ms);
    let scope = if *everyone { "everyone" } else { "centre and last rung" };
    Some(format!("{act} round {round} ({scope}{late}): {}", people(floor, parties)))
}

fn ended(drill: Option<DrillEnd>) -> String {
    drill.map(|why| format!(" ({why:?})")).unwrap_or_default()
}

fn raised_line(floor: &Floor, r: &Raised) -> String {
    let drill = r.drill_until.map(|until| format!(" AS A DRILL until {}", floor.stamp(until))).unwrap_or_default();
    let incident = r.incident.as_ref().map(|first| format!(" with {first}")).unwrap_or_default();
    let (act, kind) = (&r.act, r.kind.as_str());
    format!("{act} raised{drill}{incident}: {kind} at {} of {} ({:?}, {:?}, {:?})", r.dev, r.cust, r.standing, r.age, r.opening)
}

/// A message that is owed.
fn queued(floor: &Floor, event: &Event) -> Option<String> {
    let Event::DispatchQueued { act, dispatch, to, medium, purpose, code, late_ms, .. } = event else { return None };
    let code = code.map(|c| format!(" code {c}")).unwrap_or_default();
    let late = if *late_ms == 0 { String::new() } else { format!(" late by {late_ms} ms") };
    Some(format!("  {act}.{dispatch} {} to {}: {}{code}{late}", medium.as_str(), floor.name_of(to), purpose.as_str()))
}

/// What people are told of a trouble.
fn notice(floor: &Floor, event: &Event) -> Option<String> {
    if let Event::TroubleTold { act, rung, why, until, parties, more, topic, .. } = event {
        let (rung, until) = (rung.0 + 1, floor.stamp(*until));
        return Some(format!("{act} {topic:?} +{more} rung {rung} until {until} ({why:?}): {}", people(floor, parties)));
    }
    if let Event::TroubleAnswered { act, by, takes, until } = event {
        return Some(format!("{act} {} looks after it: {takes}, until {}", responder(floor, by), floor.stamp(*until)));
    }
    if let Event::TroubleCleared { cause, .. } = event {
        return Some(format!("! cleared: {cause:?}"));
    }
    let Event::TroubleOver { act } = event else { return None };
    Some(format!("{act} over"))
}

/// What becomes of a commitment, and who is there beside the first.
fn commitment(floor: &Floor, event: &Event) -> Option<String> {
    if let Event::Joined { act, by, commitment, arrive_by, .. } = event {
        return Some(format!("{act} {} joins: {commitment:?} until {}", responder(floor, by), floor.stamp((*arrive_by)?)));
    }
    if let Event::CommitmentQuestioned { act, grace_until, whose } = event {
        return Some(format!("{act}{} still going? until {}", of(floor, *whose), floor.stamp(*grace_until)));
    }
    let Event::CommitmentLapsed { act, why, whose } = event else { return None };
    Some(format!("{act}{} commitment lapsed ({why:?})", of(floor, *whose)))
}

/// Says of a co-responder who it is; of the first one nothing.
fn of(floor: &Floor, whose: Option<CoResponder>) -> String {
    let name = |whose: CoResponder| whose.person.map_or_else(|| "somebody".to_owned(), |person| floor.person_name(person.person));
    whose.map_or_else(String::new, |whose| format!(" {}", name(whose)))
}

/// Who stands in, who is back on duty, and what is back in service.
fn back_again(floor: &Floor, event: &Event) -> String {
    if let Event::StandInSaid { roster, off, on, until, .. } = event {
        let (off, on) = (floor.person_name(*off), floor.person_name(*on));
        return format!("{on} stands in for {off} on {roster} until {}", floor.stamp(*until));
    }
    if let Event::InService { dev, .. } = event {
        return format!("{dev} is in service");
    }
    let Event::StandInOver { roster, off, .. } = event else { return String::new() };
    format!("{} is back on {roster}", floor.person_name(*off))
}

fn done(skipped: bool) -> &'static str {
    if skipped { "passes over" } else { "takes" }
}

fn seen(eyes_on: bool, with_word: bool) -> String {
    format!("eyes on {eyes_on}{}", if with_word { ", with a word" } else { "" })
}

/// What was handed out of the record, and what was deleted beside it.
fn handed(event: &Event) -> Option<String> {
    if let Event::BundleExported { of, reader, by, entries, .. } = event {
        return Some(format!("{of} exported for {} by {}: {entries} entries", reader.as_str(), by.principal));
    }
    if let Event::Erased { from, by, values, .. } = event {
        return Some(format!("{} values of {from:?} erased by {}", values.len(), by.principal));
    }
    if let Event::DeskArmed { centre, by } = event {
        return Some(format!("the desk of {centre} armed by {}", by.principal));
    }
    if let Event::DeskUnarmed { centre, why, .. } = event {
        return Some(format!("the desk of {centre} unarmed ({why:?})"));
    }
    if let Event::LegalHoldSet { of, on, by, .. } = event {
        return Some(format!("{of} under legal hold: {on}, says {}", by.principal));
    }
    if let Event::Viewed(viewed) = event {
        let by = match &viewed.by {
            Some(Viewer::Principal(principal)) => principal.clone(),
            Some(Viewer::Link(person)) => format!("the link of {person}"),
            None => "others".to_owned(),
        };
        return Some(format!("{} read {} times by {by}", viewed.of, viewed.count));
    }
    let Event::RegisterExported { by, lines, .. } = event else { return None };
    Some(format!("register of {lines} activations handed to {}", by.principal))
}

/// What becomes of the clock and of the record itself.
fn of_the_record(event: &Event) -> String {
    if let Event::ClockStepped { by_us } = event {
        return format!("clock stepped by {by_us} us");
    }
    let Event::RecordLost { series } = event else { return "record found".to_owned() };
    format!("record lost, series U{series}")
}

/// By how much it is late.
fn by_ms(late_ms: u64) -> String {
    if late_ms == 0 { String::new() } else { format!(", late by {late_ms} ms") }
}

/// What is told together with a rung.
fn with_rungs(also: &[RungIndex]) -> String {
    if also.is_empty() { String::new() } else { format!(" with {}", rungs(also)) }
}

fn rungs(list: &[RungIndex]) -> String {
    list.iter().map(|r| (r.0 + 1).to_string()).collect::<Vec<_>>().join("+")
}

fn who_is(floor: &Floor, who: &Who) -> String {
    match who {
        Who::Person(id) => floor.person_name(*id),
        Who::Centre(id) => id.to_string(),
        Who::Roster(id) => format!("roster {id}"),
    }
}

fn people(floor: &Floor, parties: &[Party]) -> String {
    let step = |channels: &Vec<Channel>| channels.iter().map(|c| c.medium.as_str()).collect::<Vec<_>>().join("+");
    let party = |p: &Party| {
        let steps = p.steps.iter().map(step).collect::<Vec<_>>().join(" then ");
        format!("{} by {steps}", who_is(floor, &p.who))
    };
    if parties.is_empty() { "nobody".to_owned() } else { parties.iter().map(party).collect::<Vec<_>>().join(", ") }
}

fn responder(floor: &Floor, by: &Responder) -> String {
    let name = by.person.map_or_else(|| "somebody".to_owned(), |p| floor.person_name(p.person));
    match by.via {
        AnsweredVia::Sms => name,
        AnsweredVia::Link(_) => format!("{name} on the page"),
        AnsweredVia::Voice => format!("{name} in a call"),
        AnsweredVia::Api => format!("{name} through {}", by.by.as_ref().map_or("nobody", |d| &d.principal)),
    }
}
