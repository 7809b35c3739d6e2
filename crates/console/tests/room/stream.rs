//! The stream: exactly from where the reader was, only what the key may see, and a beat.

use std::sync::Arc;

use axum::body::{Body, BodyDataStream};
use axum::http::Request;
use futures_util::StreamExt;
use station::view::StreamEntry;
use tower::ServiceExt;

use crate::counter::town;
use crate::house::House;

fn entry(seq: u64, customer: &str, site: &str) -> StreamEntry {
    StreamEntry {
        seq,
        kind: "rung.entered".to_owned(),
        customer: customer.to_owned(),
        site: site.to_owned(),
        stream: String::new(),
        body: format!(r#"{{"n":{seq}}}"#).into_bytes().into(),
    }
}

struct Following {
    body: BodyDataStream,
    rest: String,
}

impl Following {
    async fn start(house: &House, key: &str, last: Option<u64>) -> Self {
        let mut request = Request::builder().uri("/api/v1/stream").header("authorization", format!("Bearer {}", house.token(key)));
        if let Some(last) = last {
            request = request.header("last-event-id", last);
        }
        let request = request.body(Body::empty()).unwrap();
        let response = house.router.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        let mut following = Self { body: response.into_body().into_data_stream(), rest: String::new() };
        if last.is_none() {
            // The first beat says that the reader is in place.
            assert!(following.any().await.contains("event: beat"));
        }
        following
    }

    async fn any(&mut self) -> String {
        loop {
            if let Some((event, rest)) = self.rest.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.rest = rest;
                return event;
            }
            let chunk = self.body.next().await.unwrap().unwrap();
            self.rest.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    async fn next(&mut self) -> String {
        loop {
            let event = self.any().await;
            if !event.contains("event: beat") {
                return event;
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn it_resumes_exactly_and_then_goes_on_live() {
    let mut world = town();
    world.entries = (1..=1_200).map(|n| entry(n, "kalamunda", "kalamunda-library")).collect();
    let house = House::new(world);
    house.watch.health.send_modify(|health| health.size = 1_200);
    let mut stream = Following::start(&house, "centre", Some(90)).await;
    for n in 91..=1_200 {
        assert_eq!(stream.next().await, format!("id: {n}\nevent: rung.entered\ndata: {{\"n\":{n}}}"));
    }
    assert!(stream.any().await.starts_with("id: 1200\nevent: beat"));
    for n in [1_199, 1_201] {
        house.watch.stream.send(Arc::new(entry(n, "kalamunda", "kalamunda-library"))).unwrap();
    }
    assert!(stream.next().await.starts_with("id: 1201\n"), "what was sent is not sent again");
}

#[tokio::test(start_paused = true)]
async fn another_customers_entries_are_never_seen() {
    let house = House::new(town());
    house.watch.health.send_modify(|health| health.open = 4);
    let mut kal = Following::start(&house, "kal", None).await;
    let mut library = Following::start(&house, "library", None).await;
    let mut all = Following::start(&house, "auditor", None).await;
    for (n, customer, site) in [
        (1, "", ""),
        (2, "swan", "swan-hub"),
        (3, "kalamunda", ""),
        (4, "kalamunda", "kalamunda-depot"),
        (5, "kalamunda", "kalamunda-library"),
    ] {
        house.watch.stream.send(Arc::new(entry(n, customer, site))).unwrap();
    }
    for n in 1..=5 {
        assert!(all.next().await.starts_with(&format!("id: {n}\n")));
    }
    for n in 3..=5 {
        assert!(kal.next().await.starts_with(&format!("id: {n}\n")));
    }
    assert!(library.next().await.starts_with("id: 5\n"));
    let beat = library.any().await;
    assert!(beat.contains(r#""open":2"#), "{beat}");
    let beat = all.any().await;
    assert!(beat.contains(r#""open":4"#), "{beat}");
}

/// A number that moves on by itself, a second after the centre has opened a silent call, would say so to whoever stands at the counter.
#[tokio::test(start_paused = true)]
async fn that_somebody_looked_moves_nothing() {
    let house = House::new(town());
    let mut library = Following::start(&house, "library", None).await;
    house.watch.stream.send(Arc::new(entry(4, "kalamunda", "kalamunda-library"))).unwrap();
    assert!(library.next().await.starts_with("id: 4\n"));
    let viewed = StreamEntry { kind: "record.viewed".to_owned(), ..entry(5, "kalamunda", "kalamunda-library") };
    house.watch.stream.send(Arc::new(viewed)).unwrap();
    for _ in 0..3 {
        assert!(library.any().await.starts_with("id: 4\nevent: beat"));
    }
    house.watch.stream.send(Arc::new(entry(6, "kalamunda", "kalamunda-library"))).unwrap();
    assert!(library.next().await.starts_with("id: 6\n"));
}

#[tokio::test(start_paused = true)]
async fn dead_buttons_are_heard_of_in_every_scope_and_a_persons_phone_is_not() {
    let house = House::new(town());
    let mut library = Following::start(&house, "library", None).await;
    for (n, cause) in [(1, r#"{"opted_out":{"person":"P-7"}}"#), (2, r#""broker_away""#)] {
        let body = format!(r#"{{"type":"trouble.raised","cause":{cause},"t":"2026-04-13T06:04:15.000000Z"}}"#);
        let entry = StreamEntry { kind: "trouble.raised".to_owned(), body: body.into_bytes().into(), ..entry(n, "", "") };
        house.watch.stream.send(Arc::new(entry)).unwrap();
    }
    assert!(library.next().await.starts_with("id: 2\n"));
}

#[tokio::test(start_paused = true)]
async fn a_long_stretch_of_others_or_of_nothing_is_not_the_end() {
    let mut world = town();
    let other = (1..=1_400).map(|n| entry(n, "swan", "swan-hub"));
    world.entries = other.chain([entry(4_000, "kalamunda", "kalamunda-library")]).collect();
    let house = House::new(world);
    house.watch.health.send_modify(|health| health.size = 4_001);
    let mut stream = Following::start(&house, "library", Some(90)).await;
    assert!(stream.next().await.starts_with("id: 4000\n"));
}

#[tokio::test(start_paused = true)]
async fn who_is_too_far_behind_is_told_to_start_again() {
    let house = House::new(town());
    house.watch.health.send_modify(|health| health.size = 20_000);
    for last in [9_999, 20_001] {
        let mut stream = Following::start(&house, "centre", Some(last)).await;
        assert!(stream.next().await.contains("event: reset"), "{last}");
    }
}

#[tokio::test]
async fn a_device_may_not_follow_and_nonsense_is_refused() {
    let house = House::new(town());
    assert_eq!(house.ask("button", "/api/v1/stream", None).await.status, 403);
    let headers = [("last-event-id", "x")];
    assert_eq!(house.ask_with("centre", "/api/v1/stream", None, &headers).await.status, 400);
}
