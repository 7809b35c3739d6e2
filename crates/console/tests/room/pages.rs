//! The operators' pages: sessions, forms, order, and what another site may not do.

use axum::body::Body;
use axum::http::Request;
use console::settings::Settings;
use escalation::drilling::Drill;
use escalation::input::{Act, Moment};

use crate::counter::town;
use crate::house::{House, hidden};
use escalation::time::Seconds;
use station::duty::Change;
use station::view::Beside;

async fn log_in(house: &House, key: &str) -> String {
    let form = format!("key={}", house.token(key));
    let answer = house.send("/login", "", &form).await;
    assert_eq!(answer.status, 303, "{}", answer.body);
    let cookie = answer.header("set-cookie");
    for flag in ["HttpOnly", "SameSite=Strict", "Max-Age=43200"] {
        assert!(cookie.contains(flag), "{cookie}");
    }
    cookie.split(';').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_queue_is_worst_first_and_within_scope() {
    let house = House::new(town());
    let page = house.browse("/", &log_in(&house, "centre").await).await;
    assert_eq!(page.status, 200);
    let place = |id: &str| page.body.find(&format!("aria-label=\"{id}\"")).unwrap();
    assert!(place("KAL-41") < place("KAL-42") && place("KAL-42") < place("SWN-7") && place("SWN-7") < place("KAL-40"));
    assert!(page.body.contains("2 UNOWNED") && page.body.contains("The provider first takes no messages"));
    assert!(page.header("content-security-policy").contains("require-trusted-types-for 'script'"));
    assert!(!page.body.contains("<style") && !page.body.contains("style=") && !page.body.contains("onclick"));
    let kal = house.browse("/", &log_in(&house, "kal").await).await.body;
    assert!(!kal.contains("Swan") && !kal.contains("SWN"));
    assert!(kal.contains("The provider first takes no messages"), "what stops everybody's messages is told to everybody");
    let reader = house.browse("/", &log_in(&house, "auditor").await).await.body;
    assert!(!reader.contains("/claim") && !reader.contains("/close"));
    let site = house.browse("/", &log_in(&house, "library").await).await.body;
    assert!(!site.contains("/claim") && site.contains("/accept"));
}

/// Whoever is busy with one call hears of the others all the same.
#[tokio::test]
async fn the_page_of_a_call_sounds_for_every_call_that_nobody_took_up() {
    let house = House::new(town());
    let cookie = log_in(&house, "centre").await;
    for (id, others) in [("KAL-40", 2), ("KAL-41", 1), ("KAL-42", 1), ("SWN-7", 2)] {
        let page = house.browse(&format!("/activations/{id}"), &cookie).await.body;
        assert!(page.contains("data-unowned=\"2\"") && page.contains(&format!("{others} MORE UNOWNED")), "{id}: {page}");
    }
    let swan = house.browse("/activations/SWN-7", &log_in(&house, "kal").await).await;
    assert_eq!(swan.status, 404);
}

#[tokio::test]
async fn while_the_record_cannot_be_read_open_alarms_are_shown_and_acts_stay_done() {
    let house = House::new(town());
    let cookie = log_in(&house, "centre").await;
    house.watch.world().unread = true;
    let page = house.browse("/", &cookie).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("2 UNOWNED") && page.body.contains("The record cannot be read just now"));
    let act = house.ask("centre", "/api/v1/activations/KAL-42/claim", Some("")).await;
    assert_eq!((act.status.as_u16(), &act.json()["seq"]), (200, &7.into()), "it is durable: anything else would be a lie");
}

#[tokio::test]
async fn a_page_shows_what_was_recorded_as_text() {
    let house = House::new(town());
    let cookie = log_in(&house, "centre").await;
    for path in ["/activations/KAL-42", "/regions/activations/KAL-42"] {
        let page = house.browse(path, &cookie).await;
        assert_eq!(page.status, 200);
        assert!(!page.body.contains("<b>not markup</b>"));
        for shown in ["undelivered", "may have been sent twice", "late by 2 s", "passed over", "pressed 3 times"] {
            assert!(page.body.contains(shown), "{shown}");
        }
    }
    let other = log_in(&house, "kal").await;
    assert_eq!(house.browse("/activations/SWN-7", &other).await.status, 404);
}

#[tokio::test]
async fn who_was_never_heard_from_comes_first_and_is_not_called_reachable() {
    let house = House::new(town());
    let page = house.browse("/people", &log_in(&house, "centre").await).await;
    assert_eq!(page.status, 200);
    let place = |words: &str| page.body.find(words).unwrap_or_else(|| panic!("{words}: {}", page.body));
    assert!(place("2 of 3 never answered") < place("! no address") && place("! no address") < place("S. Lee"));
    assert!(place("sms <b>! NEVER</b>; email 01:00 ago") < place("sms 1 d 1 h ago; email never"), "a mail answers for no phone");
    assert!(!page.body.contains("<b>Nair"), "a name is text");
    let data = house.ask("centre", "/api/v1/people", None).await.json();
    assert_eq!(data["people"][1]["channels"][0], serde_json::json!({"channel": "sms", "last_answered": null}));
    assert!(data["people"][1]["channels"][1]["last_answered"].is_string());
    let nobody = house.ask("button", "/api/v1/people", None).await;
    assert_eq!(nobody.status, 403, "a button sees nobody");
    assert_eq!(house.browse("/people", "").await.header("location"), "/login");
}

/// Whoever works on one call sees what else is open there, also once it is over.
#[tokio::test]
async fn a_call_shows_what_is_open_beside_it() {
    let mut town = town();
    for detail in &mut town.details {
        let other = |id: &str, is_answered| Beside {
            id: id.parse().unwrap(),
            place: "Desk <b>".to_owned(),
            raised_at: detail.card.raised_at,
            is_answered,
        };
        detail.card.beside = vec![other("KAL-77", false), other("KAL-78", true)];
    }
    let house = House::new(town);
    let cookie = log_in(&house, "centre").await;
    for (path, shown) in [
        ("/", "At the same site: <a href=\"/activations/KAL-77\">KAL-77</a>, Desk &#60;b&#62;, since "),
        ("/", "nobody is going yet."),
        ("/", "somebody is going."),
        ("/activations/KAL-39", "STILL OPEN at this site: <a href=\"/activations/KAL-77\">"),
    ] {
        let page = house.browse(path, &cookie).await.body;
        assert!(page.contains(shown), "{shown}: {page}");
    }
    let data = house.ask("centre", "/api/v1/activations/KAL-42", None).await.json();
    assert_eq!((&data["beside"], &data["incident"]), (&serde_json::json!(["KAL-77", "KAL-78"]), &serde_json::json!(null)));
}

#[tokio::test]
async fn what_is_out_of_service_says_what_to_use_and_is_put_back_by_its_form() {
    let mut town = town();
    town.details.iter_mut().for_each(|detail| detail.card.asks_keeper = Some("P. Nair".to_owned()));
    let house = House::new(town);
    let cookie = log_in(&house, "centre").await;
    let page = house.browse("/", &cookie).await;
    for shown in [
        "Out of service (1)",
        "it presses by itself",
        "P. Nair looks after it",
        "Meanwhile use Front counter 1.",
        "ENDS SOON",
        "ITS KEEPER IS ASKED",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    assert!(!page.body.contains("Desk <b>"), "a place is text");
    assert!(page.body.contains("<b>P. Nair</b>, who looks after it, is asked."));
    let csrf = hidden(&page.body, "csrf");
    let back = "site=kalamunda-library&devices=desk-3";
    assert!(house.send("/out-of-service/end", &cookie, &format!("csrf=wrong&{back}")).await.status.is_client_error());
    let told = format!("csrf={csrf}&site=kalamunda-library&devices=desk-3%2C+desk-4&keeper=P.+Nair&minutes=90");
    for poor in ["", "&instead=none", "&why=sticks", "&instead=&why=sticks", "&instead=none&why=because"] {
        assert_eq!(house.send("/out-of-service/start", &cookie, &format!("{told}{poor}")).await.status, 400, "{poor}");
    }
    assert!(house.watch.world().services.is_empty());
    for (verb, form) in [("end", format!("csrf={csrf}&{back}")), ("start", format!("{told}&instead=None&why=damaged"))] {
        let done = house.send(&format!("/out-of-service/{verb}"), &cookie, &form).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/"));
    }
    let world = house.watch.world();
    assert_eq!(
        (world.services.len(), world.services[0].out.is_none(), &world.services[1].devices),
        (2, true, &vec!["desk-3".to_owned(), "desk-4".to_owned()])
    );
    let out = world.services[1].out.as_ref().unwrap();
    assert_eq!((out.instead.as_deref(), out.span), (None, Seconds(5_400)));
}

#[tokio::test]
async fn who_is_on_duty_is_shown_and_changed_by_forms() {
    let house = House::new(town());
    let cookie = log_in(&house, "centre").await;
    assert!(house.browse("/", &cookie).await.body.contains("href=\"/duty\""));
    let page = house.browse("/duty", &cookie).await;
    for shown in [
        "<b>P. Nair</b>, until",
        "from Mon 30 Nov 18:00:00 AWST until Tue 1 Dec 06:00:00 AWST. Said by Jane (centre)",
        "! COUNTS NO MORE, and whoever was stood in for is on duty alone",
        "! BOTH ARE ON DUTY",
        "ring them",
        "<option value=\"p-nair\">P. Nair</option>",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    assert!(!page.body.contains("J. <b>"), "a name is text");
    let csrf = hidden(&page.body, "csrf");
    let start = format!("csrf={csrf}&roster=duty&off=j-smith");
    for poor in ["&on=P.+Nair", "&on=P.+Nair&until=", "&until=2026-12-24T18%3A00", "&on=P.+Nair&until=tonight"] {
        assert_eq!(house.send("/duty/start", &cookie, &format!("{start}{poor}")).await.status, 400, "{poor}");
    }
    let whole = "&on=P.+Nair&from=&until=2026-12-24T18%3A00";
    assert!(house.send("/duty/start", &cookie, &format!("csrf=wrong&roster=duty&off=j-smith{whole}")).await.status.is_client_error());
    assert!(house.watch.world().stand_ins.is_empty());
    for (verb, form) in [("start", format!("{start}{whole}")), ("end", format!("{start}&from=2026-11-30T10%3A00%3A00Z"))] {
        let done = house.send(&format!("/duty/{verb}"), &cookie, &form).await;
        assert_eq!((done.status.as_u16(), done.header("location")), (303, "/duty"), "{verb}: {}", done.body);
    }
    let said: Vec<Change> = house.watch.world().stand_ins.iter().map(|request| request.change.clone()).collect();
    let by_the_rosters_clock = Moment::Wall("2026-12-24T18:00".parse().unwrap());
    assert!(matches!(&said[0], Change::StandIn { from: None, until, .. } if *until == by_the_rosters_clock));
    assert!(matches!(&said[1], Change::Back { .. }));
    let auditor = log_in(&house, "auditor").await;
    let page = house.browse("/duty", &auditor).await;
    assert!(page.body.contains("P. Nair") && !page.body.contains("<form method=\"post\" action=\"/duty"), "an auditor looks");
}

#[tokio::test]
async fn drills_by_schedule_are_shown_with_what_was_missed() {
    let house = House::new(town());
    let cookie = log_in(&house, "centre").await;
    assert!(house.browse("/", &cookie).await.body.contains("href=\"/drills\""));
    let page = house.browse("/drills", &cookie).await;
    for shown in [
        "! 1 site was missed or not answered last time",
        "first tue at 10:00, within 15 minutes: the ladder of the site",
        "Tue 1 Dec 10:00:00 AWST, and waits: the button was on test",
        "href=\"/activations/KAL-44\"",
        "2026-11-03: answered",
        "2026-11-03: a call of the customer was open",
        "0 held, 0 answered, 0 not answered; 1 missed",
        "No longer scheduled",
        "swan-weekly</td><td>2026-11-03: the schedule was changed meanwhile",
    ] {
        assert!(page.body.contains(shown), "{shown}: {}", page.body);
    }
    assert!(!page.body.contains("<i>"), "a name is text");
    let own = log_in(&house, "kal").await;
    let page = house.browse("/drills", &own).await;
    assert!(page.body.contains("KAL-44") && !page.body.contains("swan") && !page.body.contains("a call of"), "{}", page.body);
}

#[tokio::test]
async fn forms_act_with_a_token_and_not_without() {
    let house = House::new(town());
    let cookie = log_in(&house, "centre").await;
    let csrf = hidden(&house.browse("/", &cookie).await.body, "csrf");
    let path = "/activations/KAL-42/claim";
    for form in ["", "csrf=", "csrf=wrong", "x=1"] {
        assert!(house.send(path, &cookie, form).await.status.is_client_error());
    }
    assert!(house.watch.world().acts.is_empty());
    let done = house.send(path, &cookie, &format!("csrf={csrf}&back=queue&seq=30")).await;
    assert_eq!((done.status.as_u16(), done.header("location")), (303, "/"));
    let noted = house.send("/activations/KAL-42/note", &cookie, &format!("csrf={csrf}&note=Rang+police")).await;
    assert_eq!(noted.header("location"), "/activations/KAL-42");
    let stale = format!("csrf={csrf}&seq=30&disposition=test&note=");
    let stale = house.send("/activations/KAL-42/close", &cookie, &stale).await;
    assert_eq!(stale.status, 412);
    assert!(stale.body.contains("It has changed since you looked"));
    let world = house.watch.world();
    assert_eq!(world.acts.len(), 2);
    assert!(matches!(world.acts[0].act, Act::Claim));
    assert!(matches!(&world.acts[1].act, Act::Note { text } if text.open() == Some("Rang police")));
}

#[tokio::test]
async fn another_site_cannot_act_with_our_cookie() {
    let house = House::new(town());
    let cookie = log_in(&house, "centre").await;
    for (name, value) in [("sec-fetch-site", "cross-site"), ("sec-fetch-site", "same-site"), ("origin", "https://evil.example")] {
        let request = Request::builder()
            .method("POST")
            .uri("/api/v1/activations/KAL-42/claim")
            .header("host", "cooee.example")
            .header("cookie", &cookie)
            .header(name, value);
        assert_eq!(house.knock(request.body(Body::empty()).unwrap()).await.status, 403);
    }
    assert!(house.watch.world().acts.is_empty());
}

#[tokio::test(start_paused = true)]
async fn sessions_end_by_logout_by_time_and_with_their_key() {
    let house = House::new(town());
    let cookie = log_in(&house, "centre").await;
    let csrf = hidden(&house.browse("/", &cookie).await.body, "csrf");
    assert_eq!(house.send("/logout", &cookie, "csrf=x").await.status, 400);
    assert_eq!(house.send("/logout", &cookie, &format!("csrf={csrf}")).await.status, 303);
    assert_eq!(house.browse("/", &cookie).await.header("location"), "/login");
    let cookie = log_in(&house, "centre").await;
    tokio::time::advance(std::time::Duration::from_hours(12)).await;
    assert_eq!(house.browse("/", &cookie).await.status, 303);
    let cookie = log_in(&house, "centre").await;
    house.keys.send_replace(std::sync::Arc::default());
    assert_eq!(house.browse("/regions/queue", &cookie).await.status, 401);
}

#[tokio::test]
async fn a_wrong_key_or_a_devices_opens_no_session() {
    let house = House::new(town());
    assert_eq!(house.browse("/", "").await.header("location"), "/login");
    let wrong = house.send("/login", "", "key=ck_centre_wrong").await;
    assert_eq!((wrong.status.as_u16(), wrong.header("set-cookie")), (401, ""));
    let device = house.send("/login", "", &format!("key={}", house.token("button"))).await;
    assert_eq!((device.status.as_u16(), device.header("set-cookie")), (403, ""));
}

#[tokio::test]
async fn cookies_are_secure_where_the_world_comes_by_tls() {
    let settings = Settings { public_url: Some("https://alerts.example.org".to_owned()), ..Settings::default() };
    let house = House::with(town(), settings);
    let answer = house.send("/login", "", &format!("key={}", house.token("centre"))).await;
    assert!(answer.header("set-cookie").ends_with("; Secure"));
}

#[tokio::test]
async fn the_demo_needs_no_login_on_loopback_only() {
    for (demo, host, status) in [(true, "127.0.0.1", 200), (true, "evil.example", 303), (false, "127.0.0.1", 303)] {
        let house = House::with(town(), Settings { demo, ..Settings::default() });
        let (say, stop) = tokio::sync::oneshot::channel::<()>();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(console::serve(listener, house.router.clone(), async {
            drop(stop.await);
        }));
        let head = plain_get(tokio::net::TcpStream::connect(address).await.unwrap(), host).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {status}")), "{demo} {host}: {head}");
        drop(say);
        serving.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn the_control_socket_is_private_and_says_who_acts() {
    use std::os::unix::fs::PermissionsExt;
    let house = House::new(town());
    let place = tempfile::tempdir().unwrap();
    let path = place.path().join("control.sock");
    std::fs::write(&path, "left behind by a crash").unwrap();
    let (say, stop) = tokio::sync::oneshot::channel::<()>();
    let (router, at) = (house.router.clone(), path.clone());
    let serving = tokio::spawn(async move { console::serve_control(&at, router, async { drop(stop.await) }).await });
    let stream = loop {
        match tokio::net::UnixStream::connect(&path).await {
            Ok(stream) => break stream,
            Err(_) => tokio::task::yield_now().await,
        }
    };
    let mode = std::fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let page = plain_get(stream, "localhost").await;
    assert!(page.starts_with("HTTP/1.1 200") && page.contains("os:") && page.contains("(admin)"));
    drop(say);
    serving.await.unwrap().unwrap();
    assert!(!path.exists());
}

async fn plain_get<S>(mut stream: S, host: &str) -> String
where
    S: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin,
{
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let request = format!("GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

#[tokio::test]
async fn a_drill_stands_below_everything_real_and_asks_nobody_to_ring() {
    let mut world = town();
    for detail in world.details.iter_mut().filter(|detail| detail.card.id.to_string() == "KAL-41") {
        detail.card.drill = Some(Drill { until: detail.card.raised_at, interrupted_at: None, ended: None });
    }
    let house = House::new(world);
    let cookie = log_in(&house, "centre").await;
    let queue = house.browse("/", &cookie).await.body;
    let place = |id: &str| queue.find(&format!("aria-label=\"{id}\"")).unwrap();
    assert!(["KAL-42", "SWN-7", "KAL-40"].iter().all(|real| place(real) < place("KAL-41")), "{queue}");
    assert!(queue.contains("1 UNOWNED") && queue.contains("Drills (1)"), "{queue}");
    let page = house.browse("/activations/KAL-41", &cookie).await.body;
    assert!(page.contains("<b>DRILL</b>") && page.contains("Ring nobody, and no police"), "{page}");
    for real in ["KAL-41/police", "KAL-41/arrived", "RING 000", "DURESS", "choose"] {
        assert!(!page.contains(real), "{real} is in\n{page}");
    }
}
