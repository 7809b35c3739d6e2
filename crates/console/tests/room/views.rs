//! Who read: what is noted of whoever is shown something, and who is told.

use escalation::event::{ViewOf, Viewed, Viewer, Way};
use escalation::id::{CustomerId, PersonId, SiteId};
use serde_json::json;
use station::onlookers::Onlooker;
use station::view::{ViewLine, ViewsPage};

use crate::counter::town;
use crate::house::House;

fn noted(house: &House) -> Vec<(String, Onlooker)> {
    house.watch.world().onlookers.drain(..).map(|(of, onlooker)| (of.name(), onlooker)).collect()
}

fn by(principal: &str, way: Way) -> Onlooker {
    Onlooker { principal: principal.to_owned(), way }
}

#[tokio::test]
async fn whoever_is_shown_details_is_noted_by_key_and_way() {
    let house = House::new(town());
    for (path, of, way) in [
        ("/api/v1/activations/KAL-42", "KAL-42", Way::Api),
        ("/api/v1/people", "people", Way::Api),
        ("/api/v1/duty", "duty", Way::Api),
        ("/api/v1/record/entries?from=0&to=1", "entries", Way::Api),
        ("/activations/KAL-42", "KAL-42", Way::Page),
        ("/regions/activations/KAL-42", "KAL-42", Way::Page),
        ("/people", "people", Way::Page),
        ("/duty", "people", Way::Page),
    ] {
        assert_eq!(house.ask("auditor", path, None).await.status, 200, "{path}");
        assert_eq!(noted(&house), [(of.to_owned(), by("the auditor", way))], "{path}");
    }
}

#[tokio::test]
async fn whoever_is_refused_is_noted_nowhere() {
    let house = House::new(town());
    for (key, path) in [
        ("kal", "/api/v1/activations/SWN-7"),
        ("library", "/activations/KAL-41"),
        ("button", "/api/v1/activations/KAL-42"),
        ("button", "/api/v1/people"),
        ("kal", "/api/v1/record/entries?from=0&to=1"),
        ("centre", "/api/v1/activations/KAL-42/views"),
        ("library", "/api/v1/views"),
        ("centre", "/api/v1/activations/nonsense"),
        // It is there, and no drill.
        ("centre", "/api/v1/drills/KAL-42"),
        ("button", "/api/v1/duty"),
    ] {
        let answer = house.ask(key, path, None).await;
        assert!([403, 404].contains(&answer.status.as_u16()), "{key} {path}: {}", answer.status);
        assert!(noted(&house).is_empty() && house.watch.world().asked.is_empty(), "{key} {path}");
    }
}

#[tokio::test]
async fn to_whom_a_bundle_is_handed_stays_in_its_line() {
    let house = House::new(town());
    for bad in [r"Sgt\nPark", r"Sgt\u2028Park", r"Sgt\u202ePark", r"\u0007"] {
        let answer = house.ask("auditor", "/api/v1/activations/KAL-42/export", Some(&format!(r#"{{"for":"police","by":"{bad}"}}"#))).await;
        assert_eq!(answer.status, 400, "{bad}");
        assert!(answer.body.contains("direction of writing"), "{}", answer.body);
    }
    // This house has no record to be handed anything from.
    let answer = house.ask("auditor", "/api/v1/activations/KAL-42/export", Some(r#"{"for":"police","by":"Zo\u00eb O'Brien"}"#)).await;
    assert_eq!(answer.status, 404, "{}", answer.body);
}

#[tokio::test]
async fn an_auditor_is_told_who_read() {
    let mut world = town();
    let said = Viewed {
        of: ViewOf::Activation("KAL-42".parse().unwrap()),
        cust: Some(CustomerId::parse("kalamunda").unwrap()),
        site: Some(SiteId::parse("kalamunda-library").unwrap()),
        by: Some(Viewer::Principal("the centre".to_owned())),
        how: vec![Way::Page, Way::Api],
        count: 7,
        first: "2026-04-13T06:04:00Z".parse().unwrap(),
        last: "2026-04-13T06:09:00Z".parse().unwrap(),
    };
    let others = Viewed { of: ViewOf::Others, cust: None, site: None, by: None, how: Vec::new(), ..said.clone() };
    let opened = Viewed { by: Some(Viewer::Link(PersonId::new(3))), how: vec![Way::Link], ..said.clone() };
    let line = |seq, said| ViewLine { seq, at: "2026-04-13T06:10:00Z".parse().unwrap(), said };
    world.readers = ViewsPage { views: vec![line(91, said), line(90, others), line(89, opened)], next: Some(89) };
    let house = House::new(world);
    let answer = house.ask("auditor", "/api/v1/activations/KAL-42/views?page=99", None).await;
    assert_eq!(answer.status, 200);
    let json = answer.json();
    assert_eq!(json["next"], "89");
    let expected = json!({
        "seq": 91, "of": "KAL-42", "customer": "kalamunda", "site": "kalamunda-library", "by": "the centre",
        "person": null, "how": ["page", "api"], "count": 7, "first": "2026-04-13T06:04:00Z", "last": "2026-04-13T06:09:00Z",
    });
    assert_eq!(json["views"][0], expected);
    assert_eq!((&json["views"][1]["of"], &json["views"][1]["by"]), (&"others".into(), &json!(null)));
    assert_eq!((&json["views"][2]["by"], &json["views"][2]["person"]), (&"link".into(), &"P-3".into()));
    {
        let world = house.watch.world();
        assert_eq!((world.asked[0].before, &world.asked[0].onlooker), (Some(99), &by("the auditor", Way::Views)));
    }
    assert_eq!(house.ask("auditor", "/api/v1/activations/KAL-9999/views", None).await.status, 404);
    for bad in ["page=x", "page=-1", "page=", "from=1"] {
        assert_eq!(house.ask("auditor", &format!("/api/v1/views?{bad}"), None).await.status, 400, "{bad}");
    }
}
