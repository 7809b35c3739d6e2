//! Drills: a ladder tried out by its own people. Nothing real is ever held back by one, and none goes on for ever.

use escalation::acknowledgement::{Commitment, Disposition, Gesture, Reply};
use escalation::activation::{Activation, Stage};
use escalation::dispatch::{Failure, Purpose, Report};
use escalation::event::{DrillEnd, Event};
use escalation::id::{ActivationId, DispatchId};
use escalation::input::{Act, EscalateTo, Input};
use escalation::ladder::Medium;
use escalation::rejection::Rejection;
use escalation::signal::{Kind, Verb};
use escalation::time::{SignedDuration, Timestamp};
use escalation::word::{Entered, Word};
use expect_test::expect;
use proptest::prelude::*;

use super::{COUNTERS, PEOPLE};
use crate::floor::{Floor, operator, signal};
use crate::script::check;

/// What is said to somebody alone because there is danger.
const OF_DANGER: [Purpose; 5] =
    [Purpose::RingPolice, Purpose::HasAnyoneRung, Purpose::AreYouSafe, Purpose::ColleagueSilent, Purpose::PressedAgain];
const BUTTON: &str = "library/counter-1";

/// The ladder of the front counter is drilled, and J. Smith has been told.
fn drilled() -> Floor {
    let mut floor = Floor::new(PEOPLE);
    floor.drill(BUTTON, 60).unwrap();
    floor.expect_sms("j-smith");
    floor.expect_nothing_silent();
    assert!(floor.subject().is_drill());
    floor
}

/// The latest activation is a call in earnest, and J. Smith has been told of it.
fn is_real(floor: &mut Floor, drill: &ActivationId) -> ActivationId {
    floor.expect_sms("j-smith");
    let call = floor.subject();
    assert!(!call.is_drill() && call.is_open() && call.id != *drill, "{call:?}");
    call.id.clone()
}

fn ended(floor: &Floor, drill: &ActivationId) -> Option<DrillEnd> {
    let why =
        |event: &Event| if let Event::Closed { act, drill: why, .. } = event { (act == drill).then_some(*why).flatten() } else { None };
    floor.events.iter().find_map(|(_, event)| why(event))
}

#[test]
fn a_drill_climbs_like_a_call_and_ends_where_a_call_would_begin_its_rounds() {
    check(
        PEOPLE,
        "drill library/counter-1 60
        delivered sms to j-smith
        forward 30s
        delivered sms to p-nair
        reply p-nair N{code}",
        expect![[r#"
            > drill library/counter-1 60
            0s        LIB-1 raised AS A DRILL until 3600s: duress at library/counter-1 of default (Registered, Live { up_to_s: None }, Ladder)
            0s        LIB-1 rung 1 until 30s (Raised): j-smith by sms
            0s          LIB-1.1 sms to j-smith: alarm code 47
            > delivered sms to j-smith
            0s          LIB-1.1 is Delivered
            > forward 30s
            30s       LIB-1 rung 2 until 60s (WaitOver): p-nair by sms
            30s         LIB-1.2 sms to p-nair: alarm code 47
            > delivered sms to p-nair
            30s         LIB-1.2 is Delivered
            > reply p-nair N{code}
            30s       LIB-1 p-nair declines, rests until 930s
            30s         LIB-1.3 sms to p-nair: declined
            30s       LIB-1 EXHAUSTED
            30s       LIB-1 closed by drill (Exhausted): Test, 11 entries
            30s         LIB-1.4 sms to j-smith: stand_down
            30s         LIB-1.5 sms to p-nair: stand_down
        "#]],
    );
}

#[test]
fn the_drill_of_a_site_is_of_the_ladder_of_the_site() {
    let mut floor = Floor::new(COUNTERS);
    floor.drill("library", 60).unwrap();
    floor.expect_sms("j-smith");
    assert_eq!(floor.subject().kind, Kind::Duress);
    assert_eq!(floor.engine.drills().count(), 1);
    assert!(floor.engine.last_press(&BUTTON.parse().unwrap()).is_none(), "nobody pressed");
}

/// Somebody presses the very button whose ladder is being drilled.
#[test]
fn a_press_during_a_drill_is_a_call_at_once_and_ends_the_drill() {
    let mut floor = drilled();
    let drill = floor.subject().id.clone();
    floor.forward("10s");
    floor.press(BUTTON);
    let call = is_real(&mut floor, &drill);
    floor.expect_nothing_silent();
    floor.forward("0s");
    assert_eq!(ended(&floor, &drill), Some(DrillEnd::RealCall));
    floor.expect("j-smith", Medium::Sms, Purpose::StandDown);
    floor.forward("30s");
    floor.expect_sms("p-nair");
    floor.expect_nothing_silent();
    assert_eq!(floor.engine.drills().count(), 0);
    assert_eq!(floor.engine.open_count(), 1);
    assert_eq!(floor.engine.activation(&call).unwrap().stage(), Stage::Climbing);
}

/// Whoever answers the drill has answered the drill alone.
#[test]
fn an_answer_to_the_drill_stops_no_call() {
    let mut floor = drilled();
    let drill = floor.subject().id.clone();
    let code = *floor.subject().codes.values().next().unwrap();
    floor.press(BUTTON);
    let call = is_real(&mut floor, &drill);
    floor.reply_as("j-smith", &format!("Y{code}"), None, None);
    assert_eq!(floor.engine.activation(&drill).unwrap().stage(), Stage::Committed(Commitment::Going));
    assert_eq!(floor.engine.activation(&call).unwrap().stage(), Stage::Climbing);
    floor.forward("0s");
    floor.skip_messages();
    floor.reply_as("j-smith", &format!("Y{code}"), None, None);
    floor.expect("j-smith", Medium::Sms, Purpose::AlreadyClosed);
    assert_eq!(floor.engine.activation(&call).unwrap().stage(), Stage::Climbing);
}

/// Of a call and a drill at two places nobody knows which one a bare yes means: it holds neither, and the question names the call.
#[test]
fn a_bare_yes_is_asked_about_the_call() {
    let two = PEOPLE.replace("[[ladder]]\nid", "[[site]]\nid = \"hall\"\nname = \"Hall\"\n\n[[ladder]]\nid");
    let mut floor = Floor::new(&two);
    let call = floor.press(BUTTON);
    floor.forward("1s");
    floor.drill("hall", 60).unwrap();
    floor.skip_messages();
    floor.reply("j-smith", "yes");
    let asked = floor.expect("j-smith", Medium::Sms, Purpose::WhichAlarm);
    assert_eq!(asked.id.activation, call);
    floor.forward("29s");
    floor.expect_sms("p-nair");
}

/// What was closed too early is a call again, and one that is real.
#[test]
fn a_call_that_is_opened_again_ends_the_drill_at_its_site() {
    let mut floor = Floor::new(PEOPLE);
    let call = floor.press(BUTTON);
    floor.command(operator("desk"), Act::Close { disposition: Disposition::Unintended, note: None }).unwrap();
    floor.drill(BUTTON, 60).unwrap();
    let drill = floor.subject().id.clone();
    floor.subject = Some(call);
    floor.command(operator("desk"), Act::Reopen { reason: "again".to_owned().into() }).unwrap();
    floor.forward("0s");
    assert_eq!(ended(&floor, &drill), Some(DrillEnd::RealCall));
}

#[test]
fn a_call_elsewhere_leaves_a_drill_alone() {
    let mut floor = Floor::new(COUNTERS);
    floor.drill(BUTTON, 60).unwrap();
    let drill = floor.subject().id.clone();
    floor.press("depot/gate");
    floor.forward("0s");
    assert_eq!(ended(&floor, &drill), None);
}

/// A button that cancels says nothing of a drill, and its twin is a call.
#[test]
fn a_cancel_at_the_device_ends_no_drill_and_its_twin_is_a_call() {
    let mut floor = drilled();
    let drill = floor.subject().id.clone();
    floor.hear(signal(BUTTON, Verb::Cancel(None)));
    assert!(floor.subject().is_open() && !floor.subject().cancel_asked);
    floor.hear(signal(BUTTON, Verb::Cancel(Some(Entered::Judged(Word::Duress)))));
    is_real(&mut floor, &drill);
}

#[test]
fn whoever_gives_the_twin_of_the_safe_word_in_a_drill_calls_in_earnest() {
    for (word, is_call) in [(Word::Duress, true), (Word::Safe, false), (Word::Wrong, false), (Word::Unknown, false)] {
        for place in [BUTTON, "library"] {
            let mut floor = Floor::new(PEOPLE);
            floor.drill(place, 60).unwrap();
            floor.skip_messages();
            let drill = floor.subject().id.clone();
            floor.command_at_the_place(operator("site"), Act::Safe { word: Some(Entered::Judged(word)) }).unwrap();
            if is_call {
                let call = is_real(&mut floor, &drill);
                assert_eq!(floor.engine.activation(&call).unwrap().feedback, Some(false));
                floor.forward("0s");
                assert_eq!(ended(&floor, &drill), None, "whoever watches sees nothing change");
                floor.expect_nothing_silent();
            } else {
                assert_eq!(floor.subject().id, drill);
                floor.expect_nothing_silent();
            }
        }
    }
}

/// A drill ends when nobody foresees it: the word is heard all the same, and looks the same.
#[test]
fn a_word_on_a_drill_that_is_over_is_heard() {
    for (word, is_call) in [(Word::Duress, true), (Word::Safe, false), (Word::Wrong, false)] {
        let mut floor = drilled();
        floor.forward("60m");
        floor.skip_messages();
        let drill = floor.subject().id.clone();
        assert!(!floor.subject().is_open());
        floor.command_at_the_place(operator("site"), Act::Safe { word: Some(Entered::Judged(word)) }).unwrap();
        if is_call {
            is_real(&mut floor, &drill);
        } else {
            floor.expect_nothing_silent();
        }
    }
}

/// A press ended the drill, and whoever answers it without a code does not hold the call.
#[test]
fn a_bare_yes_after_a_drill_holds_no_call() {
    let mut floor = drilled();
    floor.forward("5s");
    floor.press(BUTTON);
    floor.forward("1s");
    floor.skip_messages();
    floor.reply("j-smith", "yes");
    floor.expect("j-smith", Medium::Sms, Purpose::WhichAlarm);
    floor.forward("29s");
    floor.expect_sms("p-nair");
}

/// What had not left when a press ended the drill must not come behind the call.
#[test]
fn what_a_drill_still_owes_to_call_somebody_is_withdrawn_with_its_end() {
    let mut floor = drilled();
    let drill = floor.subject().id.clone();
    floor.press(BUTTON);
    floor.forward("0s");
    let owed: Vec<(Purpose, bool)> = floor.engine.outbox().map(|(id, owed)| (owed.purpose, id.activation == drill)).collect();
    assert!(!owed.contains(&(Purpose::Alarm, true)) && owed.contains(&(Purpose::StandDown, true)), "{owed:?}");
    assert!(owed.contains(&(Purpose::Alarm, false)), "{owed:?}");
}

/// A responder who needs help says so on the page of the drill; so does one who asks there for the police.
#[test]
fn a_responder_who_needs_help_in_a_drill_calls_in_earnest() {
    for reply in [Reply::InNeed, Reply::PoliceNeeded] {
        let mut floor = drilled();
        let drill = floor.subject().id.clone();
        floor.tap("j-smith", reply, Gesture::Missing);
        floor.expect_sms("p-nair");
        let call = floor.subject();
        assert!(!call.is_drill() && call.about.as_ref().is_some_and(|about| about.of == drill), "{call:?}");
        floor.forward("0s");
        assert_eq!(ended(&floor, &drill), None, "whoever watches them sees nothing change");
    }
}

/// Nobody has gone to a place of danger, so nobody is looked for there.
#[test]
fn whoever_has_arrived_in_a_drill_is_not_asked_whether_they_are_safe() {
    let mut floor = drilled();
    floor.tap("j-smith", Reply::Arrived, Gesture::Shown);
    floor.forward("9m");
    floor.expect_nothing_silent();
    assert_eq!(floor.engine.activations().count(), 1);
}

#[test]
fn nobody_is_told_to_ring_the_police_for_a_drill() {
    let mut floor = drilled();
    let police = Act::Police { threshold: None, rung: None };
    assert!(matches!(floor.command(operator("desk"), police), Err(Rejection::OnlyADrill(_))));
    floor.tap("j-smith", Reply::PoliceRung, Gesture::Shown);
    assert!(floor.subject().police.is_none());
}

#[test]
fn a_drill_is_closed_as_a_test_and_never_opened_again() {
    let mut floor = drilled();
    let attended = Act::Close { disposition: Disposition::Attended, note: None };
    assert!(matches!(floor.command(operator("desk"), attended), Err(Rejection::DrillIsATest(_))));
    floor.command(operator("desk"), Act::Close { disposition: Disposition::Test, note: None }).unwrap();
    floor.expect("j-smith", Medium::Sms, Purpose::StandDown);
    let again = Act::Reopen { reason: "again".to_owned().into() };
    assert!(matches!(floor.command(operator("desk"), again), Err(Rejection::DrillIsATest(_))));
    assert_eq!((floor.engine.drills().count(), floor.engine.open_count()), (0, 0));
}

#[test]
fn a_drill_that_makes_no_sense_is_refused() {
    let mut floor = Floor::new(COUNTERS);
    assert_eq!(floor.drill("nowhere", 30), Err(Rejection::UnknownPlace));
    assert_eq!(floor.drill("library/loose", 30), Err(Rejection::UnknownPlace));
    assert_eq!(floor.drill(BUTTON, 0), Err(Rejection::ImplausibleDrill));
    assert_eq!(floor.drill(BUTTON, 61), Err(Rejection::ImplausibleDrill));
    let call = floor.press("library/pendant");
    assert!(matches!(floor.drill(BUTTON, 30), Err(Rejection::CallOpen { activation, .. }) if activation == call));
    floor.command(operator("desk"), Act::Close { disposition: Disposition::Attended, note: None }).unwrap();
    floor.drill(BUTTON, 30).unwrap();
    let drill = floor.subject().id.clone();
    assert_eq!(floor.drill("library", 30), Err(Rejection::DrillOpen(drill)));
}

#[test]
fn only_so_many_drills_are_on_at_once() {
    let site = |n: u32| format!("[[site]]\nid = \"s-{n}\"\nname = \"S\"\n\n");
    let sites: String = (0..21).map(site).collect();
    let mut floor = Floor::new(&PEOPLE.replace("[[ladder]]\nid", &format!("{sites}[[ladder]]\nid")));
    for n in 0..20 {
        floor.drill(&format!("s-{n}"), 60).unwrap();
    }
    assert_eq!(floor.drill("s-20", 60), Err(Rejection::TooManyDrills));
    floor.press(BUTTON);
    assert!(!floor.subject().is_drill());
}

/// Its time was over while the service was away: nobody is told of it any more, but that it is over.
#[test]
fn after_an_outage_a_drill_whose_time_is_over_tells_nobody_more() {
    let mut floor = drilled();
    let drill = floor.subject().id.clone();
    floor.away("2h");
    floor.expect("j-smith", Medium::Sms, Purpose::StandDown);
    floor.expect_nothing_silent();
    assert_eq!(ended(&floor, &drill), Some(DrillEnd::TimeOver));
}

/// After an outage everything is due at once, and a call that is older than a drill goes before it.
#[test]
fn what_is_due_of_a_call_goes_before_what_is_due_of_a_drill() {
    let two = PEOPLE.replace("[[ladder]]\nid", "[[site]]\nid = \"hall\"\nname = \"Hall\"\n\n[[ladder]]\nid");
    let mut floor = Floor::new(&two);
    let call = floor.press(BUTTON);
    floor.drill("hall", 60).unwrap();
    let drill = floor.subject().id.clone();
    let from = floor.events.len();
    floor.away("31s");
    let entered = |event: &Event| if let Event::RungEntered { act, .. } = event { Some(act.clone()) } else { None };
    let entered: Vec<ActivationId> = floor.events[from..].iter().filter_map(|(_, event)| entered(event)).collect();
    assert_eq!(entered, [call, drill]);
}

#[test]
fn everybody_at_once_is_told_in_a_drill_as_well() {
    let mut floor = Floor::new(COUNTERS);
    floor.drill(BUTTON, 60).unwrap();
    floor.skip_messages();
    floor.command(operator("desk"), Act::Escalate { to: EscalateTo::All }).unwrap();
    floor.expect_webhook("westside");
    floor.expect_sms("p-nair");
}

/// What went out, to whom and when, but for what is said once it is over.
fn told(floor: &Floor, act: &ActivationId) -> Vec<(Timestamp, u32, String, Medium, Purpose)> {
    let mut told = Vec::new();
    for (at, event) in &floor.events {
        if let Event::DispatchQueued { act: of, dispatch, to, medium, purpose, .. } = event
            && of == act
            && *purpose != Purpose::StandDown
        {
            told.push((*at, *dispatch, floor.name_of(to), *medium, *purpose));
        }
    }
    told
}

#[derive(Clone, Debug)]
enum Happens {
    Later(u32),
    Reply(usize, usize),
    Report(usize, bool),
    Claim,
    Escalate,
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        6 => prop_oneof![3 => 1_u32..40, 1 => 40_u32..700].prop_map(Happens::Later),
        3 => (0_usize..3, 0_usize..4).prop_map(|(who, what)| Happens::Reply(who, what)),
        4 => (any::<prop::sample::Index>(), any::<bool>()).prop_map(|(which, arrived)| Happens::Report(which.index(8), arrived)),
        1 => Just(Happens::Claim),
        1 => Just(Happens::Escalate),
    ]
}

fn happen(floor: &mut Floor, happens: &Happens) {
    match happens {
        Happens::Later(s) => floor.forward(&format!("{s}s")),
        Happens::Reply(who, what) => {
            let (who, what) = (["j-smith", "p-nair", "duty"][*who], ["Y{code}", "H{code}", "N{code}", "yes"][*what]);
            drop(floor.reply(who, what));
        }
        Happens::Report(which, arrived) => {
            let owed: Vec<DispatchId> = floor.engine.outbox().map(|(id, _)| id.clone()).collect();
            if let Some(id) = owed.get(*which) {
                let report = if *arrived { Report::Delivered } else { Report::Failed(Failure::Unavailable) };
                drop(floor.report_on(id, report));
            }
        }
        Happens::Claim => drop(floor.command(operator("op"), Act::Claim)),
        Happens::Escalate => drop(floor.command(operator("op"), Act::Escalate { to: EscalateTo::Next })),
    }
}

#[derive(Clone, Debug)]
enum Beside {
    Drill(usize, u32),
    Press(usize),
    Word(bool),
    InNeed,
    Other(Happens),
}

fn beside() -> impl Strategy<Value = Beside> {
    prop_oneof![
        3 => (0_usize..3, 1_u32..61).prop_map(|(place, minutes)| Beside::Drill(place, minutes)),
        3 => (0_usize..3).prop_map(Beside::Press),
        1 => any::<bool>().prop_map(Beside::Word),
        1 => Just(Beside::InNeed),
        8 => happens().prop_map(Beside::Other),
    ]
}

fn bound_holds(floor: &Floor, act: &Activation) {
    let drill = act.drill.as_ref().unwrap();
    let until = drill.interrupted_at.unwrap_or(drill.until);
    assert!(floor.now <= until, "{} is a drill, and open beyond its end", act.id);
    assert!(drill.until <= act.raised_at + SignedDuration::from_mins(60), "{} may last too long", act.id);
    assert!(act.police.is_none() && act.word.is_none() && act.presses == 1, "{} is taken for a call", act.id);
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    /// Whom a press tells, when and how, a drill tells: by the same ladder, whatever comes of the messages and whoever answers.
    #[test]
    fn a_drill_tells_whom_a_press_would_tell(all in prop::collection::vec(happens(), 1..25)) {
        let (mut pressed, mut drilled) = (Floor::new(COUNTERS), Floor::new(COUNTERS));
        pressed.press(BUTTON);
        drilled.drill(BUTTON, 60).unwrap();
        let (call, drill) = (pressed.subject().id.clone(), drilled.subject().id.clone());
        for happens in &all {
            happen(&mut pressed, happens);
            happen(&mut drilled, happens);
            let is_open = |act: Option<&Activation>| act.is_some_and(Activation::is_open);
            if !is_open(drilled.engine.activation(&drill)) {
                break;
            }
            prop_assert_eq!(told(&drilled, &drill), told(&pressed, &call));
        }
        let told_in_drill = told(&drilled, &drill);
        prop_assert!(told_in_drill.iter().all(|told| told.0 <= drilled.began + SignedDuration::from_mins(60)));
    }

    /// Whatever else happens: a press is a call or joins one, no drill outlives its bound, and nothing of a drill is taken for danger.
    #[test]
    fn a_press_beside_drills_is_always_a_call(all in prop::collection::vec(beside(), 1..50)) {
        let mut floor = Floor::new(COUNTERS);
        for beside in &all {
            match beside {
                Beside::Drill(place, minutes) => drop(floor.drill([BUTTON, "library", "depot"][*place], *minutes)),
                Beside::Press(button) => {
                    let id = floor.press([BUTTON, "library/loose", "depot/gate"][*button]);
                    let call = floor.engine.activation(&id).unwrap();
                    prop_assert!(call.is_open() && !call.is_drill(), "a press became {call:?}");
                    let site = call.device.site.clone();
                    floor.forward("0s");
                    prop_assert!(floor.engine.drills().all(|drill| drill.device.site != site), "a drill goes on beside a call");
                }
                Beside::Word(twin) => {
                    let Some(drill) = floor.engine.drills().next().map(|drill| drill.id.clone()) else { continue };
                    floor.subject = Some(drill.clone());
                    let before = floor.engine.activations().filter(|act| !act.is_drill()).count();
                    let word = if *twin { Word::Duress } else { Word::Safe };
                    floor.command(operator("site"), Act::Safe { word: Some(Entered::Judged(word)) }).unwrap();
                    let after = floor.engine.activations().filter(|act| !act.is_drill()).count();
                    let site = floor.engine.activation(&drill).unwrap().device.site.clone();
                    let called = floor.engine.activations().any(|act| act.is_open() && !act.is_drill() && act.device.site == site);
                    prop_assert!(if *twin { called } else { after == before }, "a twin calls, and nothing else does");
                }
                Beside::InNeed => {
                    let Some(drill) = floor.engine.drills().next().map(|drill| drill.id.clone()) else { continue };
                    floor.subject = Some(drill);
                    floor.tap("j-smith", Reply::InNeed, Gesture::Missing);
                    prop_assert!(!floor.subject().is_drill());
                }
                Beside::Other(happens) if floor.subject.is_some() => happen(&mut floor, happens),
                Beside::Other(_) => {}
            }
            floor.take(Input::Tick).unwrap();
            for drill in floor.engine.drills() {
                bound_holds(&floor, drill);
            }
        }
        let is_drill = |id: &ActivationId| {
            let raised = |event: &Event| matches!(event, Event::Raised(raised) if raised.act == *id && raised.drill_until.is_some());
            floor.events.iter().any(|(_, event)| raised(event))
        };
        for (_, event) in &floor.events {
            if let Event::DispatchQueued { act, purpose, .. } = event {
                prop_assert!(!OF_DANGER.contains(purpose) || !is_drill(act), "{act}: {purpose:?}");
            }
        }
        floor.forward("61m");
        prop_assert_eq!(floor.engine.drills().count(), 0);
    }
}
