//! The API: who may, what is refused, and that 2xx comes only after durable.

use axum::body::Body;
use axum::http::Request;
use escalation::input::Act;
use escalation::ladder::Medium;
use escalation::outage::{Carrier, Path};
use escalation::plan::{Part, StepId};
use escalation::rejection::Rejection;
use escalation::time::Seconds;
use escalation::verdict::{NotTaken, Outcome, Verdict};

use crate::counter::town;
use crate::house::House;

const ACT: &str = "/api/v1/activations/KAL-42/";

#[tokio::test]
async fn a_wrong_key_is_401_and_after_many_429_but_a_right_one_always_works() {
    let house = House::new(town());
    let good = house.token("centre").to_owned();
    let mut forged = good.clone();
    forged.pop();
    let mut last = 0;
    for wrong in ["", "Bearer", "Bearer x", "Basic eDp5", &format!("Bearer {forged}")].repeat(12) {
        let request = Request::builder().uri("/api/v1/activations").header("authorization", wrong);
        let answer = house.knock(request.body(Body::empty()).unwrap()).await;
        last = answer.status.as_u16();
        assert!([401, 429].contains(&last));
        assert_eq!(answer.header("content-type"), "application/problem+json");
        assert!(!answer.body.contains("KAL"));
    }
    assert_eq!(last, 429);
    assert_eq!(house.ask("centre", "/api/v1/activations", None).await.status, 200);
    let bare = Request::builder().uri("/api/v1/activations").body(Body::empty()).unwrap();
    assert_eq!(house.knock(bare).await.status, 401);
}

#[tokio::test]
async fn a_reload_takes_a_key_out_of_force() {
    let house = House::new(town());
    house.keys.send_replace(std::sync::Arc::default());
    assert_eq!(house.ask("centre", "/api/v1/activations", None).await.status, 401);
}

#[tokio::test]
async fn roles_hold_at_the_routes() {
    let house = House::new(town());
    let cases: [(&str, &str, Option<&str>, [u16; 5]); 21] = [
        // centre, library (site), button (device), auditor, admin
        ("activations", "", None, [200, 200, 403, 200, 200]),
        ("activations", "", Some(r#"{"site":"kalamunda-library","device":"app"}"#), [201, 201, 201, 403, 201]),
        ("activations/KAL-42/claim", "", Some(""), [200, 403, 403, 403, 200]),
        ("activations/KAL-42/hold", "", Some(r#"{"for_s":60,"reason":"on the line"}"#), [200, 403, 403, 403, 200]),
        ("activations/KAL-42/hand-over", "", Some(r#"{"to":"Jane"}"#), [200, 403, 403, 403, 200]),
        ("activations/KAL-42/accept", "", Some(r#"{"by":"j","commitment":"going"}"#), [200, 200, 403, 403, 200]),
        ("activations/KAL-42/decline", "", Some(r#"{"by":"j"}"#), [200, 200, 403, 403, 200]),
        ("activations/KAL-42/escalate", "", Some(r#"{"to":"rung 2"}"#), [200, 200, 403, 403, 200]),
        ("activations/KAL-42/note", "", Some(r#"{"note":"x"}"#), [200, 200, 403, 403, 200]),
        ("activations/KAL-42/safe", "", Some(""), [200, 200, 403, 403, 200]),
        ("activations/KAL-42/reopen", "", Some(r#"{"reason":"x"}"#), [200, 200, 403, 403, 200]),
        ("activations/KAL-42/close", "", Some(r#"{"disposition":"test"}"#), [200, 200, 403, 403, 200]),
        ("activations/KAL-42/views", "", None, [403, 403, 403, 200, 200]),
        ("views", "", None, [403, 403, 403, 200, 200]),
        ("duty", "", None, [200, 200, 403, 200, 200]),
        ("desks", "", None, [200, 200, 403, 200, 200]),
        ("desks/westside", "", Some(r#"{"console":"left"}"#), [200, 403, 403, 403, 200]),
        ("drills", "", None, [200, 200, 403, 200, 200]),
        ("duty/stand-ins", "", Some(r#"{"roster":"duty","off":"a","on":"b","until":"2026-12-24 18:00"}"#), [200, 200, 403, 403, 200]),
        ("duty/stand-ins/end", "", Some(r#"{"roster":"duty","off":"a","from":"2026-11-30T10:00:00Z"}"#), [200, 200, 403, 403, 200]),
        // This house has no record to be handed anything from.
        ("activations/KAL-42/export", "", Some(r#"{"for":"police"}"#), [403, 403, 403, 404, 404]),
    ];
    for (path, _, body, expected) in cases {
        for (key, status) in ["centre", "library", "button", "auditor", "admin"].iter().zip(expected) {
            let answer = house.ask(key, &format!("/api/v1/{path}"), body).await;
            assert_eq!(answer.status, status, "{key} {path}: {}", answer.body);
        }
    }
}

#[tokio::test]
async fn what_is_outside_of_a_scope_does_not_exist() {
    let house = House::new(town());
    for (key, path, body) in [
        ("kal", "/api/v1/activations/SWN-7", None),
        ("library", "/api/v1/activations/KAL-41", None),
        ("kal", "/api/v1/activations/SWN-7/claim", Some("")),
        ("library", "/api/v1/activations/SWN-7/note", Some(r#"{"note":"x"}"#)),
        ("kal", "/api/v1/devices/swan-hub/desk", None),
        ("button", "/api/v1/activations", Some(r#"{"site":"swan-hub","device":"x"}"#)),
        ("centre", "/api/v1/activations/KAL-9999", None),
        ("centre", "/api/v1/activations/not-a-reference", None),
    ] {
        let answer = house.ask(key, path, body).await;
        assert_eq!(answer.status, 404, "{key} {path}");
        assert!(!answer.body.contains("wan"), "{}", answer.body);
    }
    for (key, seen) in [("kal", 4), ("library", 3), ("centre", 5)] {
        let list = house.ask(key, "/api/v1/activations", None).await;
        assert_eq!(list.json()["activations"].as_array().unwrap().len(), seen, "{key}");
        assert_eq!(list.body.contains("Swan"), key == "centre");
    }
    for (key, seen) in [("kal", 1), ("library", 1), ("centre", 2)] {
        let list = house.ask(key, "/api/v1/drills", None).await;
        assert_eq!(list.json()["schedules"].as_array().unwrap().len(), seen, "{key}");
        assert_eq!(list.json()["no_longer_scheduled"].as_array().unwrap().len(), seen - 1, "{key}");
        assert_eq!(list.body.contains("swan") || list.body.contains("call_open"), key == "centre", "{key}: {}", list.body);
    }
    assert!(house.watch.world().raises.is_empty() && house.watch.world().acts.is_empty());
}

#[tokio::test]
async fn an_act_reaches_the_watch_as_it_was_worded() {
    let house = House::new(town());
    let body = r#"{"by":"j-smith","commitment":"verifying","eta_s":300}"#;
    let headers = [("idempotency-key", "abc"), ("if-match", "\"31\"")];
    let answer = house.ask_with("centre", &format!("{ACT}accept"), Some(body), &headers).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.json()["role"], "responder");
    assert_eq!(answer.json()["activation"]["seq"], 31);
    let acts = &house.watch.world().acts;
    assert_eq!(acts.len(), 1);
    assert_eq!(acts[0].principal, "the centre");
    assert_eq!(acts[0].actor.as_deref(), Some("j-smith"));
    assert_eq!(acts[0].idempotency_key.as_deref(), Some("abc"));
    assert_eq!(acts[0].seen, Some(31));
    assert!(matches!(acts[0].act, Act::Accept { .. }));
}

#[tokio::test]
async fn a_hold_and_a_hand_over_say_how_long_and_to_whom() {
    let house = House::new(town());
    for (verb, body, status) in [
        ("hold", r#"{"for_s":90,"reason":"on the line"}"#, 200),
        ("hold", r#"{"for_s":90}"#, 400),
        ("hand-over", r#"{"to":"Jane","by":"Bob"}"#, 200),
        ("hand-over", r#"{"to":" "}"#, 400),
    ] {
        assert_eq!(house.ask("centre", &format!("{ACT}{verb}"), Some(body)).await.status, status, "{body}");
    }
    let acts: Vec<_> = house.watch.world().acts.iter().map(|request| request.act.clone()).collect();
    let [Act::Hold { span: Seconds(90), reason }, Act::HandOver { to }] = acts.as_slice() else { panic!("{acts:?}") };
    assert_eq!((reason.open(), to.name.open()), (Some("on the line"), Some("Jane")));
}

#[tokio::test]
async fn refusals_say_who_when_and_how_it_stands() {
    let house = House::new(town());
    let stale = house.ask_with("centre", &format!("{ACT}claim"), Some(""), &[("if-match", "\"30\"")]).await;
    assert_eq!((stale.status.as_u16(), &stale.json()["activation"]["seq"]), (412, &31.into()));
    let closed = house.ask("centre", "/api/v1/activations/KAL-39/claim", Some("")).await;
    assert_eq!(closed.status, 409);
    assert!(closed.json()["detail"].as_str().unwrap().contains("by Westside MC at 2026-04-13T06:03:15Z"));
    assert_eq!(closed.json()["activation"]["closed_by"], "Westside MC");
    house.watch.world().verdicts.push_back(Verdict::Durable(Outcome { co_responder: true, ..Outcome::default() }));
    let second = house.ask("centre", "/api/v1/activations/KAL-40/accept", Some(r#"{"by":"x","commitment":"going"}"#)).await;
    assert_eq!(second.status, 200);
    assert_eq!((&second.json()["role"], &second.json()["first"]), (&"co-responder".into(), &"P. Nair".into()));
    for (why, status) in [
        (Rejection::NotTheOwner("KAL-42".parse().unwrap()), 409),
        (Rejection::NotClosed("KAL-42".parse().unwrap()), 409),
        (Rejection::CloseGuarded("KAL-42".parse().unwrap()), 409),
        (Rejection::PlanUnfinished { activation: "KAL-42".parse().unwrap(), left: vec![StepId { part: Part::Centre, number: 1 }] }, 409),
        (Rejection::NoPlan("KAL-42".parse().unwrap()), 409),
        (Rejection::HoldsSpent, 409),
        (Rejection::NothingToHold("KAL-42".parse().unwrap()), 409),
        (Rejection::AlreadyTheirs("KAL-42".parse().unwrap()), 409),
        (Rejection::ImplausibleHold, 400),
        (Rejection::ClaimedByAnother("KAL-42".parse().unwrap()), 409),
        (Rejection::VerifyingSpent, 409),
        (Rejection::KeyReused, 422),
        (Rejection::ImplausibleEta, 400),
    ] {
        house.watch.world().verdicts.push_back(Verdict::Refused(why));
        assert_eq!(house.ask("centre", &format!("{ACT}claim"), Some("")).await.status, status);
    }
}

#[tokio::test]
async fn i1_what_was_not_taken_is_503_and_never_2xx() {
    let house = House::new(town());
    for why in [NotTaken::Overloaded, NotTaken::Stopping, NotTaken::Unrecorded] {
        for (path, body) in [("/api/v1/activations", r#"{"site":"s","device":"d"}"#), ("/api/v1/activations/KAL-42/claim", "")] {
            house.watch.world().verdicts.push_back(Verdict::NotTaken(why));
            let answer = house.ask("centre", path, Some(body)).await;
            assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (503, "1"));
        }
    }
}

#[tokio::test]
async fn bad_bodies_are_refused_and_nothing_is_done() {
    let house = House::new(town());
    let deep = format!(r#"{{"note":{}1{}}}"#, "[".repeat(20_000), "]".repeat(20_000));
    let large = format!(r#"{{"note":"{}"}}"#, "x".repeat(70_000));
    let long = format!(r#"{{"note":"{}"}}"#, "x".repeat(3_000));
    for (body, status) in [
        ("not json", 400),
        (r#"{"note":"x","unknown":1}"#, 400),
        (r#"{"note":1}"#, 400),
        (r#"{"note":" "}"#, 400),
        ("{}", 400),
        ("[]", 400),
        (deep.as_str(), 400),
        (long.as_str(), 400),
        (large.as_str(), 413),
    ] {
        let answer = house.ask("centre", &format!("{ACT}note"), Some(body)).await;
        assert_eq!(answer.status, status, "{}", &body[..body.len().min(40)]);
        assert_eq!(answer.header("content-type"), "application/problem+json");
    }
    for headers in [[("if-match", "31")], [("if-match", "*")], [("idempotency-key", "")]] {
        let answer = house.ask_with("centre", &format!("{ACT}claim"), Some(""), &headers).await;
        assert_eq!(answer.status, 400, "{headers:?}");
    }
    for query in ["limit=0", "limit=201", "state=half", "from=yesterday", "unknown=1", "site=a/b"] {
        let answer = house.ask("centre", &format!("/api/v1/activations?{query}"), None).await;
        assert_eq!(answer.status, 400, "{query}");
    }
    for raise in [
        r#"{"site":"s"}"#,
        r#"{"site":"s","device":"d","place":"p"}"#,
        r#"{"site":"a b","device":"d"}"#,
        r#"{"site":"s","device":"d","kind":"fire"}"#,
    ] {
        assert_eq!(house.ask("centre", "/api/v1/activations", Some(raise)).await.status, 400);
    }
    let form = [("content-type", "text/plain")];
    let request = Request::builder()
        .method("POST")
        .uri(format!("{ACT}note"))
        .header(form[0].0, form[0].1)
        .header("authorization", format!("Bearer {}", house.token("centre")));
    let answer = house.knock(request.body(Body::from(r#"{"note":"x"}"#)).unwrap()).await;
    assert_eq!(answer.status, 415);
    assert!(house.watch.world().acts.is_empty() && house.watch.world().raises.is_empty());
}

#[tokio::test]
async fn verbs_of_later_days_and_odd_paths_are_404() {
    let house = House::new(town());
    for verb in ["x"] {
        assert_eq!(house.ask("admin", &format!("{ACT}{verb}"), Some("")).await.status, 404, "{verb}");
    }
    assert_eq!(house.ask("admin", "/api/v1/nothing", None).await.status, 404);
    assert_eq!(house.ask("admin", "/api/v1/troubles", Some("{}")).await.status, 405);
}

#[tokio::test]
async fn health_pages_tell_the_truth() {
    let house = House::new(town());
    let get = |path: &'static str| house.knock(Request::builder().uri(path).body(Body::empty()).unwrap());
    assert_eq!(get("/healthz").await.status, 200);
    assert_eq!(get("/healthz/dispatch").await.status, 200);
    assert_eq!(get("/readyz").await.json(), serde_json::json!({"ready": true}));
    let ready = house.ask("auditor", "/readyz?verbose", None).await;
    assert_eq!(ready.status, 200);
    assert_eq!(ready.json()["parts"].as_array().unwrap().len(), 4);
    house.watch.health.send_modify(|health| health.record_reachable = false);
    assert_eq!(get("/readyz").await.status, 503);
    let metrics = house.ask("admin", "/metrics", None).await;
    assert!(metrics.body.contains("cooee_record_reachable 0"));
    assert!(metrics.body.contains("cooee_extra 1\n# EOF"));
    assert!(metrics.body.contains(r#"cooee_http_requests_total{route="/healthz",status="200"} 1"#));
}

#[tokio::test]
async fn the_stations_numbers_are_for_who_oversees_it() {
    let house = House::new(town());
    for path in ["/metrics", "/readyz?verbose", "/readyz?x&verbose=1"] {
        let bare = house.knock(Request::builder().uri(path).body(Body::empty()).unwrap()).await;
        assert_eq!(bare.status, 401, "{path}");
        for (key, status) in [("centre", 200), ("auditor", 200), ("admin", 200), ("kal", 403), ("library", 403), ("button", 403)] {
            let answer = house.ask(key, path, None).await;
            assert_eq!(answer.status, status, "{key} {path}");
            assert_eq!(answer.body.contains("open_activations") || answer.body.contains("parts"), status == 200, "{}", answer.body);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn callers_share_one_turn_a_second() {
    let house = House::new(town());
    let get = || house.knock(Request::builder().uri("/healthz/dispatch").body(Body::empty()).unwrap());
    for _ in 0..50 {
        assert_eq!(get().await.status, 200);
    }
    assert_eq!(house.watch.world().turns, 1);
    tokio::time::advance(std::time::Duration::from_secs(1)).await;
    assert_eq!(get().await.status, 200);
    assert_eq!(house.watch.world().turns, 2);
}

#[tokio::test]
async fn everyone_who_may_look_is_told_that_buttons_are_dead() {
    let mut world = town();
    let since = world.now;
    let opted_out = escalation::trouble::Cause::OptedOut { person: escalation::id::PersonId::new(7) };
    world.troubles.extend([escalation::trouble::Cause::BrokerAway, opted_out].map(|cause| station::view::TroubleView {
        cause,
        since,
        timezone: "UTC".to_owned(),
        telling: None,
    }));
    let house = House::new(world);
    for (key, seen) in [("kal", 2), ("library", 2), ("centre", 3)] {
        let troubles = house.ask(key, "/api/v1/troubles", None).await;
        assert_eq!(troubles.json()["troubles"].as_array().unwrap().len(), seen, "{key} {}", troubles.body);
        assert!(troubles.body.contains("broker_away"));
    }
    assert!(house.ask("library", "/", None).await.body.contains("buttons cannot reach us"));
}

#[tokio::test]
async fn an_act_needs_no_history_and_one_on_what_is_long_over_says_who_and_when() {
    let mut world = town();
    world.unread = true;
    let mut old = world.details[4].card.clone();
    old.id = "KAL-3".parse().unwrap();
    world.departed.push(old);
    let house = House::new(world);
    let answer = house.ask("centre", &format!("{ACT}claim"), Some("")).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["activation"]["seq"]), (200, &31.into()));
    let over = house.ask("centre", "/api/v1/activations/KAL-3/claim", Some("")).await;
    assert_eq!(over.status, 409, "{}", over.body);
    assert!(over.json()["detail"].as_str().unwrap().contains("by Westside MC at 2026-04-13T06:03:15Z"));
    assert_eq!(house.ask("centre", "/api/v1/activations/KAL-999/claim", Some("")).await.status, 404);
}

#[tokio::test]
async fn the_record_is_given_as_it_was_hashed_and_whole_only_to_who_may_see_everything() {
    let house = House::new(town());
    let note = house.ask("auditor", "/api/v1/record/checkpoint", None).await;
    assert_eq!((note.status.as_u16(), note.header("content-type")), (200, "text/plain; charset=utf-8"));
    assert!(note.body.starts_with("a/1\n3\n"));
    let entries = house.ask("auditor", "/api/v1/record/entries?from=0&to=3", None).await;
    assert_eq!((entries.status.as_u16(), entries.body.as_str()), (200, "{\"v\":1}\n\n{\"v\":3}\n"));
    let some = house.ask("auditor", "/api/v1/record/entries?from=2&to=9", None).await;
    assert_eq!(some.body, "{\"v\":3}\n");
    assert_eq!(house.ask("kal", "/api/v1/record/entries?from=0&to=3", None).await.status, 404);
    assert_eq!(house.ask("auditor", "/api/v1/record/entries?from=0", None).await.status, 400);
    assert_eq!(house.ask("auditor", "/api/v1/record/entries/2/proof", None).await.body, "index 2\n");
    assert_eq!(house.ask("auditor", "/api/v1/record/entries/3/proof", None).await.status, 404);
    let proof = house.ask("auditor", "/api/v1/record/consistency?from=1&to=3", None).await;
    assert_eq!(proof.json(), serde_json::json!({"from": 1, "to": 3, "hashes": ["13"]}));
    assert_eq!(house.ask("button", "/api/v1/record/checkpoint", None).await.status, 403);
}

#[tokio::test(start_paused = true)]
async fn a_watch_that_does_not_turn_is_503() {
    let (desk, _counter) = station::desk::desk();
    let house = House::new(town());
    drop(house.watch);
    let (_keys, keys) = tokio::sync::watch::channel(std::sync::Arc::default());
    let router = console::router(console::Parts {
        desk,
        keys,
        settings: console::settings::Settings::default(),
        hooks: std::sync::Arc::new(NoHooks),
        proofs: std::sync::Arc::new(crate::house::Paper),
        look_again: std::sync::Arc::new(|| ()),
        probes: std::sync::Arc::new(Vec::new),
        extra_metrics: std::sync::Arc::new(|_| {}),
    })
    .unwrap();
    let request = Request::builder().uri("/healthz/dispatch").body(Body::empty()).unwrap();
    let response = tower::ServiceExt::oneshot(router, request).await.unwrap();
    assert_eq!(response.status(), 503);
}

struct NoHooks;
impl console::hooks::Hooks for NoHooks {
    fn receive(&self, _: console::hooks::HookCall) -> std::pin::Pin<Box<dyn Future<Output = console::hooks::HookReply> + Send>> {
        unreachable!("nothing calls back here")
    }
}

#[tokio::test]
async fn callbacks_are_handed_on_as_they_came() {
    let house = House::new(town());
    let request = Request::builder()
        .method("POST")
        .uri("/hooks/first/status?d=KAL-42.1&x=%2F%20")
        .header("x-twilio-signature", "abc=")
        .header("content-type", "application/x-www-form-urlencoded");
    let answer = house.knock(request.body(Body::from("MessageSid=SM1&Body=%00")).unwrap()).await;
    assert_eq!((answer.status.as_u16(), answer.body.as_str()), (403, "wrong signature"));
    let calls = house.calls.lock().unwrap();
    assert_eq!(calls[0].path_and_query, "/hooks/first/status?d=KAL-42.1&x=%2F%20");
    assert_eq!(calls[0].provider, "first");
    assert_eq!(calls[0].body, b"MessageSid=SM1&Body=%00");
    assert!(calls[0].headers.contains(&("x-twilio-signature".to_owned(), "abc=".to_owned())));
}

#[tokio::test]
async fn a_key_is_told_how_its_own_places_are_covered() {
    let carrier = |name: &str, medium| Carrier { name: name.to_owned(), of: Path::Medium(medium), attempt_s: Seconds(20) };
    let carriers = vec![carrier("first", Medium::Sms), carrier("email", Medium::Email)];
    let house = House::with(town(), console::settings::Settings { carriers, ..console::settings::Settings::default() });
    assert_eq!(house.ask("button", "/api/v1/coverage", None).await.status, 403);
    let all = house.ask("centre", "/api/v1/coverage", None).await.json();
    assert_eq!(all["until"], "2026-04-27T06:03:00Z");
    let [library, hub] = all["places"].as_array().unwrap().as_slice() else { panic!("two places: {all}") };
    assert_eq!(library["worst"], serde_json::json!({"first_told_after_s": 0, "exhausted_after_s": 90, "independent": 2}));
    let down = serde_json::json!([
        {"carrier": "first", "worst": {"first_told_after_s": 20, "exhausted_after_s": 50, "independent": 1}},
        {"carrier": "email", "worst": {"first_told_after_s": 0, "exhausted_after_s": 90, "independent": 2}},
    ]);
    assert_eq!((&library["without"], &library["gaps"]), (&down, &serde_json::json!([])));
    assert_eq!(library["rungs"][0], serde_json::json!({"rung": 1, "parties": 1, "addresses": 2, "carriers": 2, "transports": 2}));
    assert_eq!(hub["worst"]["first_told_after_s"], serde_json::Value::Null);
    assert_eq!(hub["only"], serde_json::json!([{"rung": 1}, {"carrier": "first"}]));
    assert_eq!(hub["gaps"][1], serde_json::json!({"from": "2026-04-18T16:00:00Z", "until": "2026-04-19T16:00:00Z", "level": "nobody"}));
    let own = house.ask("kal", "/api/v1/coverage", None).await;
    assert!(own.body.contains("kalamunda-library") && !own.body.contains("swan") && !own.body.contains("duty"), "{}", own.body);
    assert!(!all.to_string().contains("jane"), "{all}");
}
