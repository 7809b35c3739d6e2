//! How long what a call holds is kept: by its last closing, and never a day less.

use std::collections::BTreeMap;

use escalation::acknowledgement::Disposition;
use escalation::event::{Doer, Erasable, Event};
use escalation::id::{ActivationId, CustomerId, Digest};
use escalation::input::{Act, Input, LegalHold};
use escalation::retention::{Class, Holdings, Keep, NotAKeep, Standing, Term, Terms};
use escalation::time::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::COUNTERS;
use crate::floor::{Floor, digest_of, operator, press};

const BASIS: &str = "GDA 27.2.1";

fn term(keep: &str) -> Term {
    Term { keep: Keep::parse(keep).unwrap(), basis: BASIS.to_owned() }
}

/// Every class of its own length; Mundaring keeps what is genuine for longer.
fn terms() -> Terms {
    let [kalamunda, mundaring] = ["kalamunda", "mundaring"].map(|id| CustomerId::parse(id).unwrap());
    let terms = [
        (Class::Drill, None, term("10d")),
        (Class::Test, None, term("20d")),
        (Class::Unfounded, None, term("30d")),
        (Class::Genuine, None, term("1y")),
        (Class::Genuine, Some(mundaring.clone()), term("7y")),
    ];
    Terms::new(terms, [kalamunda, mundaring].into())
}

fn held(floor: &Floor) -> Holdings {
    let mut holdings = Holdings::default();
    for (at, event) in &floor.events {
        holdings.take(*at, event.clone());
    }
    holdings
}

/// How it stands with a call so long from now.
fn standing(floor: &Floor, act: &ActivationId, days: i64) -> (Option<Class>, Standing) {
    let (holdings, terms) = (held(floor), terms());
    let later = floor.now + SignedDuration::from_hours(24 * days);
    let found = holdings.look(&terms, later).into_iter().find(|holding| holding.activation == *act).unwrap();
    (found.class, found.standing)
}

fn close(floor: &mut Floor, act: &ActivationId, disposition: Disposition) -> Timestamp {
    floor.subject = Some(act.clone());
    floor.command(operator("desk"), Act::Close { disposition, note: Some("words".to_owned().into()) }).unwrap();
    floor.now
}

fn days(n: i64) -> SignedDuration {
    SignedDuration::from_hours(24 * n)
}

#[test]
fn what_a_call_turned_out_to_be_says_how_long_it_is_kept() {
    let mut floor = Floor::new(COUNTERS);
    for (device, disposition, class, kept) in [
        ("library/counter-1", Disposition::Attended, Class::Genuine, 365),
        ("library/counter-1", Disposition::CouldNotVerify, Class::Genuine, 365),
        ("library/counter-1", Disposition::Unintended, Class::Unfounded, 30),
        ("library/counter-1", Disposition::Test, Class::Test, 20),
        ("depot/gate", Disposition::PoliceAttended, Class::Genuine, 7 * 365 + 2),
    ] {
        let act = floor.press(device);
        assert_eq!(standing(&floor, &act, 9_999), (None, Standing::Open), "what is open is kept");
        let closed = close(&mut floor, &act, disposition);
        let over = closed + days(kept);
        assert_eq!(standing(&floor, &act, kept - 1), (Some(class), Standing::KeptUntil(over)), "{disposition:?}");
        assert_eq!(standing(&floor, &act, kept), (Some(class), Standing::DueSince(over)), "{disposition:?}");
        floor.forward("2m");
    }
    let drill = floor.drill("library", 30).unwrap();
    let Some(Event::Raised(raised)) = drill.first() else { panic!("{drill:?}") };
    let act = raised.act.clone();
    let closed = close(&mut floor, &act, Disposition::Test);
    assert_eq!(standing(&floor, &act, 10), (Some(Class::Drill), Standing::DueSince(closed + days(10))));
}

#[test]
fn opening_again_voids_the_closing_and_the_last_one_counts() {
    let mut floor = Floor::new(COUNTERS);
    let act = floor.press("library/counter-1");
    close(&mut floor, &act, Disposition::Test);
    floor.command(operator("desk"), Act::Reopen { reason: "words".to_owned().into() }).unwrap();
    assert_eq!(standing(&floor, &act, 9_999), (None, Standing::Open));
    floor.forward("1h");
    let closed = close(&mut floor, &act, Disposition::Unintended);
    assert_eq!(standing(&floor, &act, 30), (Some(Class::Unfounded), Standing::DueSince(closed + days(30))));
}

#[test]
fn what_is_held_is_never_due_and_is_again_once_it_is_not() {
    let mut floor = Floor::new(COUNTERS);
    let act = floor.press("library/counter-1");
    close(&mut floor, &act, Disposition::Test);
    let customer = CustomerId::parse("kalamunda").unwrap();
    let hold = |on| {
        let (of, customer, reason) = (act.clone(), customer.clone(), "Coroner".to_owned().into());
        Input::LegalHoldAsked(LegalHold { customer, of, on, by: operator("desk"), reason })
    };
    floor.take(hold(true)).unwrap();
    assert_eq!(standing(&floor, &act, 9_999).1, Standing::Held);
    floor.take(hold(false)).unwrap();
    assert!(matches!(standing(&floor, &act, 9_999).1, Standing::DueSince(_)));
}

#[test]
fn what_was_erased_is_not_due_until_something_private_comes_after_it() {
    let mut floor = Floor::new(COUNTERS);
    let act = floor.press("library/counter-1");
    close(&mut floor, &act, Disposition::Test);
    let (mut holdings, terms, later) = (held(&floor), terms(), floor.now + days(9_999));
    let look = |holdings: &Holdings| holdings.look(&terms, later).first().unwrap().standing;
    let by = Doer::from(&operator("desk"));
    let values: Vec<_> = (0..20).map(|n| digest_of(&format!("value {n}"))).collect();
    let some = Event::Erased {
        cust: None,
        from: Erasable::Activation(act.clone()),
        basis: BASIS.to_owned(),
        by: by.clone(),
        values: values[..1].to_vec(),
        again: None,
    };
    holdings.take(floor.now, some);
    assert!(matches!(look(&holdings), Standing::DueSince(_)), "one value of several");
    let erased =
        Event::Erased { cust: None, from: Erasable::Activation(act.clone()), basis: BASIS.to_owned(), by: by.clone(), values, again: None };
    holdings.take(floor.now, erased);
    assert_eq!(look(&holdings), Standing::Erased);
    holdings.take(floor.now, Event::NoteAdded { act, by, text: escalation::private::Private::Sealed(Digest::new([7; 32])) });
    assert!(matches!(look(&holdings), Standing::DueSince(_)));
}

#[test]
fn without_a_term_nothing_is_due_and_a_night_of_rounds_is_said_to_be_too_long() {
    let mut floor = Floor::new(COUNTERS);
    let act = floor.press("library/counter-1");
    let closed = close(&mut floor, &act, Disposition::Test);
    let (mut holdings, none) = (held(&floor), Terms::default());
    let later = floor.now + days(9_999);
    assert_eq!(holdings.look(&none, later).first().unwrap().standing, Standing::NoTerm);
    for _ in 0..escalation::retention::ENTRIES_MAX {
        holdings.take(floor.now, Event::ClaimLapsed { act: act.clone() });
    }
    assert_eq!(holdings.look(&terms(), later).first().unwrap().standing, Standing::TooLong(closed + days(20)));
}

/// Whoever has left the directory has agreed to no term but their own.
#[test]
fn a_customer_who_has_left_is_kept_by_no_term_of_others() {
    let mut floor = Floor::new(COUNTERS);
    let act = floor.press("library/counter-1");
    close(&mut floor, &act, Disposition::Attended);
    let later = floor.now + days(9_999);
    let kalamunda = CustomerId::parse("kalamunda").unwrap();
    let everybodys = (Class::Genuine, None, term("1y"));
    let look = |terms: &Terms| held(&floor).look(terms, later).first().unwrap().standing;
    let there = Terms::new([everybodys.clone()], [kalamunda.clone()].into());
    assert!(matches!(look(&there), Standing::DueSince(_)));
    assert_eq!(look(&Terms::new([everybodys.clone()], [].into())), Standing::NoTerm);
    let own = Terms::new([everybodys, (Class::Genuine, Some(kalamunda), term("7y"))], [].into());
    assert!(matches!(look(&own), Standing::DueSince(_)), "their own holds still");
}

/// What a court wants of a call it wants of the call for its responder as well.
#[test]
fn a_hold_covers_the_calls_for_responders() {
    let mut floor = Floor::new(COUNTERS);
    let first = floor.press("library/counter-1");
    floor.skip_messages();
    floor.tap("j-smith", escalation::acknowledgement::Reply::InNeed, escalation::acknowledgement::Gesture::Shown);
    let all: Vec<ActivationId> = floor.engine.activations().map(|act| act.id.clone()).collect();
    assert_eq!(all.len(), 2, "{all:?}");
    for act in &all {
        close(&mut floor, act, Disposition::Attended);
    }
    let (of, customer) = (first, CustomerId::parse("kalamunda").unwrap());
    floor
        .take(Input::LegalHoldAsked(LegalHold { customer, of, on: true, by: operator("desk"), reason: "Coroner".to_owned().into() }))
        .unwrap();
    for act in &all {
        assert_eq!(standing(&floor, act, 9_999).1, Standing::Held, "{act}");
    }
    // A responder to the second, of whom a third was raised, and so on.
    let of_first = floor.events.iter().find_map(|(at, event)| {
        if let Event::Raised(raised) = event { raised.about.is_some().then(|| (*at, raised.clone())) } else { None }
    });
    let (at, mut third) = of_first.unwrap();
    let by = Doer::from(&operator("desk"));
    third.about.as_mut().unwrap().of = third.act.clone();
    third.act = "KAL-99".parse().unwrap();
    let closed =
        Event::Closed { act: third.act.clone(), by, disposition: Disposition::Attended, note: None, drill: None, count: 2, archive_at: at };
    let (mut holdings, terms) = (held(&floor), terms());
    holdings.take(at, Event::Raised(third.clone()));
    holdings.take(at, closed);
    let found = holdings.look(&terms, at + days(9_999)).into_iter().find(|holding| holding.activation == third.act).unwrap();
    assert_eq!(found.standing, Standing::Held);
}

#[test]
fn spans_are_years_months_weeks_and_days() {
    for (text, shown) in [("7y", "7y"), ("90d", "90d"), ("1y 6mo", "1y 6mo"), ("2 weeks", "14d"), ("100y", "100y")] {
        assert_eq!(Keep::parse(text).unwrap().to_string(), shown);
    }
    for text in ["", "7", "soon", "36h", "1y 1h", "-7y", "7y ago", "1d 0.5s"] {
        assert_eq!(Keep::parse(text), Err(NotAKeep::Unreadable), "{text}");
    }
    assert_eq!((Keep::parse("6d"), Keep::parse("0y")), (Err(NotAKeep::TooShort), Err(NotAKeep::TooShort)));
    assert_eq!((Keep::parse("100y 1d"), Keep::parse("99999 days")), (Err(NotAKeep::TooLong), Err(NotAKeep::TooLong)));
}

/// The 29th of February has no anniversary in most years: what began then is over a day later, never earlier.
#[test]
fn a_leap_day_is_over_on_the_first_of_march() {
    for (began, keep, over) in [
        ("2024-02-29T05:00:00Z", "1y", "2025-03-01T05:00:00Z"),
        ("2024-02-29T05:00:00Z", "4y", "2028-02-29T05:00:00Z"),
        ("2026-01-31T05:00:00Z", "1mo", "2026-03-01T05:00:00Z"),
        ("2026-11-29T05:00:00Z", "7y", "2033-11-29T05:00:00Z"),
    ] {
        assert_eq!(Keep::parse(keep).unwrap().after(began.parse().unwrap()), over.parse::<Timestamp>().unwrap(), "{began} {keep}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::default())]

    /// Nothing is kept for less than its years, months and days have at the least, or for more than they have at the most; what began
    /// later is never over a day earlier.
    #[test]
    fn no_term_is_shorter_than_it_says(began_s in 1_700_000_000_i64..4_000_000_000, later_s in 0_i64..100_000_000, years in 0_i64..20, months in 0_i64..24, more in 7_i64..400) {
        let keep = Keep::parse(&format!("{years}y {months}mo {more}d")).unwrap();
        let began = Timestamp::from_second(began_s).unwrap();
        let kept = keep.after(began).duration_since(began);
        prop_assert!(kept >= days(365 * years + 28 * months + more), "{kept}");
        prop_assert!(kept <= days(366 * years + 31 * months + more + 1), "{kept}");
        let later = Timestamp::from_second(began_s + later_s).unwrap();
        // The 31st of January is over on the 1st of March, and so is the 1st of February, at its own time of day.
        prop_assert!(keep.after(later) + days(1) > keep.after(began));
    }

    /// Whatever is closed, opened and held in whatever order: what is due was closed last, is not held, and its term is over.
    #[test]
    fn what_is_due_was_closed_last_is_not_held_and_its_term_is_over(steps in prop::collection::vec((0_usize..6, 0_usize..3), 1..40)) {
        let mut floor = Floor::new(COUNTERS);
        let customer = CustomerId::parse("kalamunda").unwrap();
        let kinds = [(Disposition::Test, 20), (Disposition::Fault, 30), (Disposition::Attended, 365)];
        // By call: the last closing that was not voided, with its days, and whether it is held.
        let mut expected: BTreeMap<ActivationId, (Option<(Timestamp, i64)>, bool)> = BTreeMap::new();
        for (what, which) in steps {
            let subject = expected.keys().nth(which % expected.len().max(1)).cloned();
            match (what, subject) {
                (0, _) | (_, None) => {
                    let act = floor.send(press("library/counter-1"));
                    expected.entry(act).or_insert((None, false));
                }
                (1 | 2, Some(act)) => {
                    floor.subject = Some(act.clone());
                    let (disposition, kept) = kinds[which];
                    if floor.command(operator("desk"), Act::Close { disposition, note: None }).is_ok() {
                        let call = expected.get_mut(&act).unwrap();
                        call.0 = call.0.or(Some((floor.now, kept)));
                    }
                }
                (3, Some(act)) => {
                    floor.subject = Some(act.clone());
                    if floor.command(operator("desk"), Act::Reopen { reason: "words".to_owned().into() }).is_ok() {
                        expected.get_mut(&act).unwrap().0 = None;
                    }
                }
                (4, Some(of)) => {
                    let on = which > 0;
                    expected.get_mut(&of).unwrap().1 = on;
                    let reason = "Coroner".to_owned().into();
                    floor.take(Input::LegalHoldAsked(LegalHold { customer: customer.clone(), of, on, by: operator("desk"), reason })).unwrap();
                }
                _ => floor.forward("7m"),
            }
        }
        let (holdings, terms) = (held(&floor), terms());
        for ahead in [0, 10, 20, 29, 30, 100, 364, 365, 366] {
            let later = floor.now + days(ahead);
            for holding in holdings.look(&terms, later) {
                let (closed, is_held) = expected[&holding.activation];
                let due = closed.filter(|(at, kept)| !is_held && later >= *at + days(*kept));
                let is_due = matches!(holding.standing, Standing::DueSince(_));
                prop_assert_eq!(is_due, due.is_some(), "{:?} after {} days: {:?}", &holding, ahead, closed);
            }
        }
    }
}
