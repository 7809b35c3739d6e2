//! The responder's page: opening it changes nothing, a scanner stops nothing, a hand is recorded (I4).

use std::time::Duration;

use axum::body::Body;
use axum::http::Request;
use escalation::acknowledgement::{Gesture, Reply};
use escalation::drilling::Drill;
use escalation::verdict::{NotTaken, Verdict};
use station::view::{Beside, ResponderAnswer};

use crate::counter::town;
use crate::house::{Answer, House, hidden};

const LINK: &str = "/a/TOKEN0000ab";

async fn read(house: &House) -> Answer {
    let page = house.browse(LINK, "").await;
    tokio::time::advance(Duration::from_secs(3)).await;
    page
}

fn gestures(house: &House) -> Vec<Gesture> {
    house.watch.world().answers.iter().map(|(_, _, gesture)| *gesture).collect()
}

#[tokio::test(start_paused = true)]
async fn get_and_head_change_nothing_and_show_only_what_the_text_message_showed() {
    let house = House::new(town());
    for method in ["GET", "HEAD", "GET"] {
        let request = Request::builder().uri(LINK).method(method);
        let answer = house.knock(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert!(answer.header("x-robots-tag").contains("noindex"));
        assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
        if method == "GET" {
            assert!(answer.body.contains("Kalamunda Library") && answer.body.contains("14:03 AWST"));
            for hidden in ["Smith", "Barber", "rear door", "9555", "Nair"] {
                assert!(!answer.body.contains(hidden), "{hidden} must not be shown before an answer");
            }
        }
    }
    assert!(house.watch.world().answers.is_empty());
}

/// Before an answer it says no more of another call than the text did.
#[tokio::test(start_paused = true)]
async fn what_is_open_beside_it_is_named_and_after_an_answer_told() {
    for (answer, shown, hidden) in [
        (ResponderAnswer::None, "<b>Also open at this site:</b> KAL-77.", "Back office"),
        (ResponderAnswer::Going, "<b>Also open at this site:</b> Back office, 14:03", "nobody reads this"),
    ] {
        let mut town = town();
        let view = town.links.get_mut("TOKEN0000ab").unwrap();
        let raised_at = view.card.raised_at;
        view.card.beside = vec![Beside { id: "KAL-77".parse().unwrap(), place: "Back office".to_owned(), raised_at, is_answered: false }];
        view.answer = answer;
        let page = House::new(town).browse(LINK, "").await.body;
        assert!(page.contains(shown) && !page.contains(hidden), "{page}");
    }
}

#[tokio::test(start_paused = true)]
async fn page_and_files_are_small() {
    let house = House::new(town());
    let page = house.browse(LINK, "").await.body;
    let mut total = page.len();
    for part in page.split('"').filter(|part| part.starts_with("/assets/")) {
        let file = house.browse(part, "").await;
        assert_eq!(file.status, 200);
        assert!(file.header("cache-control").contains("immutable"));
        total += file.body.len();
    }
    assert!(total < 15_000, "{total} bytes");
}

#[tokio::test(start_paused = true)]
async fn a_hand_is_recorded_and_the_page_then_says_what_and_where() {
    let house = House::new(town());
    let nonce = hidden(&read(&house).await.body, "nonce");
    let answer = house.send(LINK, "", &format!("choice=going&hand=pointer&nonce={nonce}")).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, LINK));
    assert_eq!(house.watch.world().answers, [("TOKEN0000ab".to_owned(), Reply::Going { code: None }, Gesture::Shown)]);
    let page = house.browse(LINK, "").await.body;
    for shown in ["you are going", "5 Barber St", "rear door B", "08 9555 0100"] {
        assert!(page.contains(shown), "{shown}");
    }
    let again = house.send(LINK, "", &format!("choice=cannot&hand=key&nonce={nonce}")).await;
    assert!(again.body.contains("Nothing has been acknowledged yet"), "a nonce is good once");
}

#[tokio::test(start_paused = true)]
async fn i4_a_scanner_that_submits_the_form_stops_nothing() {
    let house = House::new(town());
    let fast = hidden(&house.browse(LINK, "").await.body, "nonce");
    let answer = house.send(LINK, "", &format!("choice=going&hand=pointer&nonce={fast}")).await;
    assert!(answer.body.contains("Nothing has been acknowledged yet"));
    tokio::time::advance(Duration::from_secs(3)).await;
    for form in [
        format!("choice=going&hand=&nonce={fast}"),
        "choice=going&hand=pointer&nonce=made.up.one".to_owned(),
        "choice=going".to_owned(),
        "nonce=&choice=".to_owned(),
        String::new(),
        "%ff%fe=%00&choice=going&choice=cannot".to_owned(),
    ] {
        let answer = house.send(LINK, "", &form).await;
        assert_eq!(answer.status, 200, "{form}");
        assert!(answer.body.contains("Nothing has been acknowledged yet"), "{form}");
    }
    assert_eq!(gestures(&house), [Gesture::Missing; 7]);
    tokio::time::advance(Duration::from_hours(2)).await;
    let stale = house.send(LINK, "", &format!("choice=going&hand=pointer&nonce={fast}")).await;
    assert!(stale.body.contains("Nothing has been acknowledged yet"));
    for _ in 0..50 {
        house.send(LINK, "", "choice=going").await;
    }
    assert!(gestures(&house).len() <= 18, "what says nothing new does not fill the record");
    assert!(!gestures(&house).contains(&Gesture::Shown));
}

async fn question(house: &House) -> (String, String, Vec<String>) {
    let nonce = hidden(&read(house).await.body, "nonce");
    let page = house.send(LINK, "", &format!("choice=helping&hand=&nonce={nonce}")).await.body;
    assert!(page.contains("Nothing has been acknowledged yet") && !page.contains("<script"));
    let word = page.split("class=\"word\">").nth(1).unwrap().split('<').next().unwrap();
    let buttons = page.split("name=\"word\" value=\"").skip(1);
    let buttons = buttons.map(|b| b.split('"').next().unwrap().to_owned()).collect();
    tokio::time::advance(Duration::from_secs(3)).await;
    (hidden(&page, "nonce"), word.to_owned(), buttons)
}

#[tokio::test(start_paused = true)]
async fn without_scripts_the_right_word_is_a_hand() {
    let house = House::new(town());
    let (nonce, word, buttons) = question(&house).await;
    assert_ne!(buttons[0], word);
    let answer = house.send(LINK, "", &format!("choice=helping&nonce={nonce}&word={word}")).await;
    assert_eq!(answer.status, 303);
    assert_eq!(gestures(&house), [Gesture::Missing, Gesture::Shown]);
}

#[tokio::test(start_paused = true)]
async fn one_wrong_word_spoils_the_question() {
    let house = House::new(town());
    let (nonce, word, buttons) = question(&house).await;
    let wrong = house.send(LINK, "", &format!("choice=helping&nonce={nonce}&word={}", buttons[0])).await;
    assert!(wrong.body.contains("Nothing has been acknowledged yet"));
    let right = house.send(LINK, "", &format!("choice=helping&nonce={nonce}&word={word}")).await;
    assert!(right.body.contains("Nothing has been acknowledged yet"));
    assert_eq!(gestures(&house), [Gesture::Missing; 3]);
    let (nonce, word, _) = question(&house).await;
    let other = house.send(LINK, "", &format!("choice=going&nonce={nonce}&word={word}")).await;
    assert_eq!(other.status, 200, "a question is about one choice");
}

#[tokio::test(start_paused = true)]
async fn a_forged_link_is_a_plain_404_and_many_are_429_but_a_right_one_always_works() {
    let house = House::new(town());
    for forged in ["TOKEN0000ac", "x", "TOKEN0000ab%00", "..%2f..%2fetc", &"A".repeat(4_000)] {
        let answer = house.browse(&format!("/a/{forged}"), "").await;
        assert_eq!(answer.status, 404, "{forged}");
        assert!(!answer.body.contains("Kalamunda"));
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(house.send(&format!("/a/{forged}"), "", "choice=going").await.status, 404);
    }
    let mut last = 0;
    for n in 0..40 {
        last = house.browse(&format!("/a/FORGED{n:05}"), "").await.status.as_u16();
    }
    assert_eq!(last, 429);
    assert_eq!(house.browse(LINK, "").await.status, 200);
    assert!(house.watch.world().answers.is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_was_not_taken_says_so_loudly() {
    let house = House::new(town());
    let nonce = hidden(&read(&house).await.body, "nonce");
    house.watch.world().verdicts.push_back(Verdict::NotTaken(NotTaken::Unrecorded));
    let answer = house.send(LINK, "", &format!("choice=going&hand=key&nonce={nonce}")).await;
    assert_eq!(answer.status, 503);
    assert!(answer.body.contains("NOT SENT - reply by text"));
}

#[tokio::test(start_paused = true)]
async fn who_cannot_come_learns_nothing_more() {
    let house = House::new(town());
    let link = "TOKEN0000ab";
    house.watch.world().links.get_mut(link).unwrap().answer = ResponderAnswer::Declined;
    let page = house.browse(LINK, "").await.body;
    assert!(page.contains("The next person is asked") && page.contains("I AM GOING"));
    assert!(!page.contains("Barber") && !page.contains("9555"));
}

#[tokio::test(start_paused = true)]
async fn a_closed_call_says_so_and_offers_nothing() {
    let house = House::new(town());
    {
        let mut world = house.watch.world();
        let view = world.links.get_mut("TOKEN0000ab").unwrap();
        view.card.state = station::view::State::Closed;
        view.answer = ResponderAnswer::None;
    }
    let page = house.browse(LINK, "").await.body;
    assert!(page.contains("OVER: DURESS") && !page.contains("<form"));
}

#[tokio::test(start_paused = true)]
async fn who_is_there_says_so_and_then_that_they_are_safe() {
    let house = House::new(town());
    let link = "TOKEN0000ab";
    house.watch.world().links.get_mut(link).unwrap().answer = ResponderAnswer::Going;
    let page = read(&house).await.body;
    assert!(page.contains("I HAVE ARRIVED") && page.contains("I NEED HELP MYSELF"));
    let nonce = hidden(&page, "nonce");
    let answer = house.send(LINK, "", &format!("choice=arrived&hand=key&nonce={nonce}")).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, LINK));
    assert_eq!(house.watch.world().answers, [(link.to_owned(), Reply::Arrived, Gesture::Shown)]);
    house.watch.world().links.get_mut(link).unwrap().answer = ResponderAnswer::Arrived;
    let page = house.browse(LINK, "").await.body;
    assert!(page.contains("you have arrived") && page.contains("I AM SAFE") && page.contains("I AM LEAVING"));
}

#[tokio::test(start_paused = true)]
async fn a_step_of_the_plan_is_ticked_with_a_hand_alone() {
    let house = House::new(town());
    let link = "TOKEN0000ab";
    house.watch.world().links.get_mut(link).unwrap().answer = ResponderAnswer::Going;
    let page = read(&house).await.body;
    assert!(page.contains("<s>Wait for a second person</s> <b>done</b>") && page.contains("value=\"step 2\""), "{page}");
    let nonce = hidden(&page, "nonce");
    let asked = house.send(LINK, "", &format!("choice=step+2&hand=&nonce={nonce}")).await;
    assert!(
        asked.status.as_u16() == 200 && asked.body.contains("step 2&#34; of the plan is done")
            || asked.body.contains("step 2\" of the plan is done"),
        "{}",
        asked.body
    );
    let nonce = hidden(&read(&house).await.body, "nonce");
    let answer = house.send(LINK, "", &format!("choice=step+2&hand=key&nonce={nonce}")).await;
    assert_eq!((answer.status.as_u16(), answer.header("location")), (303, LINK));
    let step = Reply::StepDone { number: 2 };
    let answers = house.watch.world().answers.clone();
    assert_eq!(answers, [(link.to_owned(), step.clone(), Gesture::Missing), (link.to_owned(), step, Gesture::Shown)]);
}

#[tokio::test(start_paused = true)]
async fn a_responders_own_call_for_help_is_taken_without_a_hand_and_shows_nothing() {
    let house = House::new(town());
    for times in 1..=30 {
        let answer = house.send(LINK, "", "choice=need&nonce=").await;
        assert_eq!((answer.status.as_u16(), answer.header("location")), (303, "/a/TOKEN0000ab?noted"));
        assert_eq!(house.watch.world().answers.len(), times, "however often it is pressed");
    }
    assert_eq!(house.watch.world().answers[0], ("TOKEN0000ab".to_owned(), Reply::InNeed, Gesture::Missing));
    let page = house.browse("/a/TOKEN0000ab?noted", "").await.body;
    assert!(page.contains("Recorded."));
}

#[tokio::test(start_paused = true)]
async fn the_page_of_a_drill_says_so_first_and_sends_nobody_anywhere() {
    let mut world = town();
    for view in world.links.values_mut() {
        view.card.drill = Some(Drill { until: view.card.raised_at, interrupted_at: None, ended: None });
    }
    let house = House::new(world);
    let before = read(&house).await.body;
    let nonce = hidden(&before, "nonce");
    let sent = house.send(LINK, "", &format!("choice=going&hand=pointer&nonce={nonce}")).await;
    assert_eq!(sent.status, 303);
    let after = house.browse(LINK, "").await.body;
    for page in [&before, &after] {
        for shown in ["<title>DRILL - ", "<h1>DRILL</h1>", "Nobody is in danger, do not go", "NO DRILL: I AM IN DANGER"] {
            assert!(page.contains(shown), "{shown} is not in\n{page}");
        }
        for real in ["DURESS", "RING 000", "POLICE", "enter alone", "ARRIVED", "5 Barber St", "I NEED HELP MYSELF"] {
            assert!(!page.contains(real), "{real} is in\n{page}");
        }
    }
    assert!(after.contains("Recorded for the drill. Do not go."), "{after}");
}
