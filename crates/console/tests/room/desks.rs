//! Desks: what a key may say of them, what it is told, and what the pages show before anybody has sat down.

use escalation::id::CentreId;
use escalation::rejection::Rejection;
use escalation::verdict::{NotTaken, Verdict};
use station::consoles::{DeskView, Word};

use crate::counter::{World, town};
use crate::house::House;

fn with_desks(armed: bool) -> World {
    let mut world = town();
    let since = armed.then_some(world.now);
    let desk = |id: &str, may_arm| DeskView {
        centre: CentreId::parse(id).unwrap(),
        name: format!("The {id}"),
        armed_since: since,
        consoles: usize::from(armed) * 2,
        may_arm,
    };
    world.desks = vec![desk("westside", true), desk("elsewhere", false)];
    world
}

/// What was said of desks: by whom, of which, from which console; `-` is all of them.
fn said(house: &House) -> Vec<String> {
    let words = house.watch.world().seats.drain(..).collect::<Vec<_>>();
    let word = |word: &Word| match word {
        Word::Here(console) => format!("here {console}"),
        Word::Gone(console) => format!("gone {}", console.as_deref().unwrap_or("-")),
    };
    words.iter().map(|said| format!("{}: {} {}", said.principal, said.centre, word(&said.word))).collect()
}

async fn delete(house: &House, key: &str, path: &str) -> (u16, String) {
    let request = axum::http::Request::delete(path).header("authorization", format!("Bearer {}", house.token(key)));
    let answer = house.knock(request.body(axum::body::Body::empty()).unwrap()).await;
    (answer.status.as_u16(), answer.body)
}

#[tokio::test]
async fn a_key_says_that_somebody_is_there_and_that_they_leave() {
    let house = House::new(with_desks(true));
    let answer = house.ask("centre", "/api/v1/desks/westside", Some(r#"{"console":"left"}"#)).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let told = answer.json();
    assert_eq!((&told["holds_s"], &told["desks"][0]["centre"], &told["desks"][0]["armed"]), (&15.into(), &"westside".into(), &true.into()));
    assert_eq!((&told["desks"][0]["consoles"], &told["desks"][1]["may_arm"]), (&2.into(), &false.into()));
    assert_eq!(house.ask("centre", "/api/v1/desks/westside", Some("")).await.status, 200, "a key may have one console");
    for (query, gone) in [("", "-"), ("?console=left", "left")] {
        let (status, body) = delete(&house, "centre", &format!("/api/v1/desks/westside{query}")).await;
        assert_eq!(status, 200, "{body}");
        assert!(said(&house).last().unwrap().ends_with(&format!("gone {gone}")));
    }
    house.ask("admin", "/api/v1/desks/westside", Some("")).await;
    assert_eq!(said(&house), ["the admin: westside here "]);
}

#[tokio::test]
async fn what_makes_no_sense_arms_nothing() {
    let house = House::new(with_desks(false));
    for (path, body, status) in [
        ("desks/westside", r#"{"console":"a name with blanks"}"#, 400),
        ("desks/westside", r#"{"console":"x","by":"Jane"}"#, 400),
        ("desks/West%20Side", "", 404),
    ] {
        let answer = house.ask("centre", &format!("/api/v1/{path}"), Some(body)).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
    }
    assert!(said(&house).is_empty());
    let (status, _) = delete(&house, "centre", "/api/v1/desks/westside?all=yes").await;
    assert_eq!(status, 400);
    for (verdict, status, word) in [
        (Verdict::Refused(Rejection::UnknownDesk), 404, "not-found"),
        (Verdict::Refused(Rejection::NotAllOfTheDesk), 409, "not-all-of-the-desk"),
        (Verdict::NotTaken(NotTaken::Unrecorded), 503, "not-taken"),
    ] {
        house.watch.world().verdicts.push_back(verdict);
        let answer = house.ask("centre", "/api/v1/desks/westside", Some("")).await;
        assert_eq!(answer.status, status);
        assert!(answer.body.contains(word), "{}", answer.body);
    }
    for key in ["auditor", "library", "button"] {
        let (status, body) = delete(&house, key, "/api/v1/desks/westside").await;
        assert_eq!(status, 403, "{key}: {body}");
    }
}

/// The page is made before anybody has clicked: it says NOT ARMED, and only offers what its reader may do.
#[tokio::test]
async fn a_page_says_not_armed_until_it_knows_better() {
    for (armed, words) in [(false, "The westside: NOT ARMED"), (true, "The westside: armed for")] {
        let house = House::new(with_desks(armed));
        for path in ["/", "/activations/KAL-42"] {
            let page = house.ask("centre", path, None).await;
            assert_eq!(page.status, 200);
            assert!(page.body.contains("data-desk=\"westside\"") && page.body.contains("&#9632; NOT ARMED"), "{path}");
            assert!(page.body.contains("Start the shift: arm this desk") && !page.body.contains("data-desk=\"elsewhere\""));
        }
        assert!(house.ask("centre", "/", None).await.body.contains(words));
        let region = house.ask("centre", "/regions/queue", None).await.body;
        assert!(region.contains(words) && !region.contains("data-desk"), "what a click has armed is never replaced");
        for key in ["library", "auditor"] {
            let page = house.ask(key, "/", None).await.body;
            assert!(page.contains(words) && !page.contains("data-desk"), "{key} sees how it stands, and sits down nowhere");
        }
    }
}
