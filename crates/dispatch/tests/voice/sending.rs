//! Texts on their way out: what is retried, what goes elsewhere, what is doubted, and who waits for whom.

use dispatch::{BreakerState, IN_HAND_MAX, NotQueued};
use escalation::dispatch::{Address, Failure, Report};
use escalation::input::Input;
use escalation::trouble::Cause;

use crate::gateway::{Act, Gateway, Listing};
use crate::watch::{Desk, TEXT, Watch, clock, name, text};

fn down(carrier: &str) -> Cause {
    Cause::ProviderDown { carrier: name(carrier) }
}

#[tokio::test]
async fn a_text_goes_out_at_once_and_is_reported_with_its_words() {
    let (gateway, watch) = (Gateway::start().await, Watch::new());
    let voice = Desk::new().sms("first", &gateway.url, "").open(&watch);
    voice.send(text("KAL-42.7")).unwrap();
    let report = watch.reported(1).await.remove(0);
    assert_eq!(report.report, Report::AcceptedReceiptDue);
    assert_eq!(report.dispatch.to_string(), "KAL-42.7");
    assert_eq!(report.provider, Some(name("first")));
    assert_eq!(report.provider_ref.as_deref(), Some("SM00000000000000000000000000000001"));
    assert_eq!(report.text.unwrap().open(), Some(TEXT));
    assert!(report.template.unwrap().starts_with("alarm.sms@"));
    assert_eq!((report.tries, report.possible_duplicate), (1, false));
    let post = gateway.posts().remove(0);
    assert_eq!(post.path, "/2010-04-01/Accounts/ACfirst/Messages.json");
    assert_eq!((post.field("To"), post.field("From"), post.field("Body")), ("+61400000001".into(), "+61400000000".into(), TEXT.to_owned()));
    assert_eq!(post.field("StatusCallback"), "https://alerts.example.org/hooks/first/status?d=KAL-42.7#rc=5&rp=all");
    assert_eq!(post.field("ValidityPeriod"), "600");
    assert!(post.header("authorization").starts_with("Basic "));
    voice.shutdown().await;
}

#[tokio::test]
async fn a_provider_that_fails_is_asked_again() {
    let (gateway, watch) = (Gateway::start().await, Watch::new());
    gateway.script([Act::Say(500, None, "{}"), Act::Say(429, Some(1), "{}")]);
    let voice = Desk::new().sms("first", &gateway.url, "").open(&watch);
    voice.send(text("KAL-42.1")).unwrap();
    let report = watch.reported(1).await.remove(0);
    assert_eq!((report.report, report.tries, report.possible_duplicate), (Report::AcceptedReceiptDue, 3, false));
    assert_eq!(voice.health().remove(0).consecutive_failures, 0);
}

#[tokio::test]
async fn the_next_account_is_asked_before_patience_with_the_first() {
    let (first, second, watch) = (Gateway::start().await, Gateway::start().await, Watch::new());
    first.always(Act::Say(429, Some(3_600), "{}"));
    let voice = Desk::new().sms("first", &first.url, "").sms("second", &second.url, "").open(&watch);
    voice.send(text("KAL-42.1")).unwrap();
    let report = watch.reported(1).await.remove(0);
    assert_eq!((report.provider, report.tries), (Some(name("second")), 2));
    assert_eq!(first.posts().len(), 1);
}

#[tokio::test]
async fn an_unreachable_provider_is_passed_over_raises_a_trouble_and_clears_it() {
    let (second, watch) = (Gateway::start().await, Watch::new());
    let refusing = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", listener.local_addr().unwrap())
    };
    let voice = Desk::new().sms("first", &refusing, "").sms("second", &second.url, "").open(&watch);
    for n in 1..=3 {
        voice.send(text(&format!("KAL-{n}.1"))).unwrap();
        let report = watch.reported(n).await.pop().unwrap();
        assert_eq!((report.provider, report.possible_duplicate), (Some(name("second")), false), "connection refused: never sent");
    }
    watch.until("the trouble", |watch| watch.inputs().contains(&Input::TroubleNoticed(down("first")))).await;
    let health = voice.health();
    assert!(health[0].down && health[0].consecutive_failures == 3 && health[0].last_error.unwrap().0 == "connect");
    assert!(!health[1].down && health[1].last_ok.is_some());
}

#[tokio::test]
async fn a_trouble_is_cleared_by_the_first_message_taken() {
    let (gateway, watch) = (Gateway::start().await, Watch::new());
    gateway.script([Act::Say(401, None, "{\"code\":20003}")]);
    let voice = Desk::new().sms("first", &gateway.url, "").open(&watch);
    voice.send(text("KAL-1.1")).unwrap();
    let report = watch.reported(1).await.remove(0);
    assert_eq!(report.report, Report::Failed(Failure::Credentials));
    watch.until("the trouble", |watch| watch.inputs().contains(&Input::TroubleNoticed(down("first")))).await;
    voice.send(text("KAL-2.1")).unwrap();
    watch.until("its end", |watch| watch.inputs().contains(&Input::TroubleCleared(down("first")))).await;
}

#[tokio::test]
async fn a_hung_account_is_left_for_the_next_and_the_message_is_marked() {
    let (first, second, watch) = (Gateway::start().await, Gateway::start().await, Watch::new());
    first.always(Act::Hang);
    first.listing(Listing::Hung);
    let voice = Desk::new().sms("first", &first.url, "request_ms = 300").sms("second", &second.url, "").open(&watch);
    voice.send(text("KAL-42.1")).unwrap();
    let report = watch.reported(1).await.remove(0);
    assert_eq!((report.provider, report.tries, report.possible_duplicate), (Some(name("second")), 2, true));
}

#[tokio::test]
async fn an_account_that_says_nothing_for_long_has_another_asked_beside_it_and_the_message_is_marked() {
    let (first, second, watch) = (Gateway::start().await, Gateway::start().await, Watch::new());
    first.always(Act::Hold);
    let long = "request_ms = 600000\nattempt_s = 600";
    let voice = Desk::new().sms("first", &first.url, long).sms("second", &second.url, long).open(&watch);
    voice.send(text("KAL-42.1")).unwrap();
    let report = watch.reported(1).await.remove(0);
    assert_eq!((report.provider, report.tries, report.possible_duplicate), (Some(name("second")), 2, true));
    // The first goes on by itself: closing waits for it, and nothing is reported twice.
    first.release();
    voice.shutdown().await;
    assert_eq!((watch.reports().len(), first.posts().len(), second.posts().len()), (1, 1, 1));
}

#[tokio::test]
async fn every_account_is_asked_while_the_others_say_nothing() {
    let (first, second, third, watch) = (Gateway::start().await, Gateway::start().await, Gateway::start().await, Watch::new());
    let long = "request_ms = 600000\nattempt_s = 600";
    for second_does in [Act::Hang, Act::Say(503, None, "{}")] {
        first.always(Act::Hang);
        second.always(second_does);
        let desk = Desk::new().sms("first", &first.url, long).sms("second", &second.url, long).sms("third", &third.url, long);
        let voice = desk.open(&watch);
        let before = watch.reports().len();
        voice.send(text("KAL-42.1")).unwrap();
        let report = watch.reported(before + 1).await.pop().unwrap();
        assert_eq!((report.provider, report.tries, report.possible_duplicate), (Some(name("third")), 3, true));
    }
}

#[tokio::test]
async fn a_text_waits_for_a_good_account_and_not_by_a_dead_one() {
    let (dead, good, watch) = (Gateway::start().await, Gateway::start().await, Watch::new());
    dead.always(Act::Say(401, None, "{}"));
    let voice = Desk::new().sms("dead", &dead.url, "").sms("good", &good.url, "slots = 1").open(&watch);
    voice.send(text("KAL-1.1")).unwrap();
    watch.reported(1).await;
    good.always(Act::Hold);
    for n in 2..=4 {
        voice.send(text(&format!("KAL-{n}.1"))).unwrap();
    }
    good.until("the first of them", |good| good.posts().len() == 2).await;
    good.release();
    let reports = watch.reported(4).await;
    assert!(reports.iter().all(|report| report.provider == Some(name("good"))));
    assert_eq!((dead.posts().len(), good.posts().len()), (1, 4));
}

#[tokio::test]
async fn a_hedge_that_fails_leaves_the_first_account_its_time() {
    let (first, second, watch) = (Gateway::start().await, Gateway::start().await, Watch::new());
    first.always(Act::Hold);
    second.always(Act::Say(400, None, "{\"code\":21211}"));
    let long = "request_ms = 600000\nattempt_s = 600";
    let voice = Desk::new().sms("first", &first.url, long).sms("second", &second.url, long).open(&watch);
    voice.send(text("KAL-42.1")).unwrap();
    second.until("the hedge", |second| second.posts().len() == 1).await;
    watch.until("its end", |_| voice.health()[1].last_ok.is_some()).await;
    first.release();
    let report = watch.reported(1).await.remove(0);
    assert_eq!(
        (report.provider, report.tries, report.possible_duplicate),
        (Some(name("first")), 2, false),
        "the second surely took nothing"
    );
}

#[tokio::test]
async fn an_account_that_kept_failing_is_passed_over_until_one_message_finds_it_well() {
    let (first, second, watch) = (Gateway::start().await, Gateway::start().await, Watch::new());
    first.always(Act::Say(500, None, "{}"));
    let voice = Desk::new().sms("first", &first.url, "").sms("second", &second.url, "").open(&watch);
    for n in 1..=5 {
        voice.send(text(&format!("KAL-{n}.1"))).unwrap();
        assert_eq!(watch.reported(n).await.pop().unwrap().provider, Some(name("second")));
    }
    assert_eq!(first.posts().len(), 3, "then the second is asked first");
    let health = voice.health();
    assert_eq!((health[0].breaker, health[1].breaker), (BreakerState::Open, BreakerState::Closed));
    assert!(health[0].latency.is_none());
    let latency = health[1].latency.unwrap();
    assert!(latency.median_ms <= latency.worst_ms && latency.last_ms <= latency.worst_ms);
    // Where nobody else takes it, it is asked all the same.
    second.always(Act::Say(500, None, "{}"));
    first.always(Act::Take);
    voice.send(text("KAL-6.1")).unwrap();
    assert_eq!(watch.reported(6).await.pop().unwrap().provider, Some(name("first")));
    assert_eq!(voice.health()[0].breaker, BreakerState::Closed);
}

#[tokio::test]
async fn a_lost_answer_is_looked_up_before_anything_is_sent_twice() {
    let (gateway, watch) = (Gateway::start().await, Watch::new());
    gateway.script([Act::TakeAndHangUp]);
    let voice = Desk::new().sms("first", &gateway.url, "").open(&watch);
    voice.send(text("KAL-42.1")).unwrap();
    let report = watch.reported(1).await.remove(0);
    assert_eq!((report.report, report.tries, report.possible_duplicate), (Report::AcceptedReceiptDue, 1, false));
    assert_eq!(gateway.posts().len(), 1, "it was there: not sent again");
}

#[tokio::test]
async fn a_message_the_provider_does_not_have_is_sent_again_and_marked() {
    for listing in [Listing::Shown, Listing::Broken] {
        let (gateway, watch) = (Gateway::start().await, Watch::new());
        gateway.script([Act::HangUp]);
        gateway.listing(listing);
        let voice = Desk::new().sms("first", &gateway.url, "").open(&watch);
        voice.send(text("KAL-42.1")).unwrap();
        let report = watch.reported(1).await.remove(0);
        assert_eq!((report.report, report.tries, report.possible_duplicate), (Report::AcceptedReceiptDue, 2, true), "{listing:?}");
    }
}

#[tokio::test]
async fn a_number_that_every_account_refuses_is_refused_once_by_each() {
    let (first, second, watch) = (Gateway::start().await, Gateway::start().await, Watch::new());
    first.always(Act::Say(400, None, "{\"code\":21610}"));
    second.always(Act::Say(400, None, "{\"code\":21211}"));
    let voice = Desk::new().sms("first", &first.url, "").sms("second", &second.url, "").open(&watch);
    voice.send(text("KAL-42.1")).unwrap();
    let report = watch.reported(1).await.remove(0);
    assert_eq!((report.report, report.tries), (Report::Failed(Failure::Refused), 2));
    assert_eq!((first.posts().len(), second.posts().len()), (1, 1));
    assert!(voice.health().iter().all(|health| health.consecutive_failures == 0), "a refusal says nothing against a provider");
}

#[tokio::test]
async fn an_attempt_ends_and_says_that_nobody_took_it() {
    let (gateway, watch) = (Gateway::start().await, Watch::new());
    gateway.always(Act::Say(503, None, "{}"));
    let voice = Desk::new().sms("first", &gateway.url, "attempt_s = 1").open(&watch);
    voice.send(text("KAL-42.1")).unwrap();
    let report = watch.reported(1).await.remove(0);
    assert_eq!(report.report, Report::Failed(Failure::Unavailable));
    assert!(report.tries >= 2 && report.text.is_some());
}

#[tokio::test]
async fn after_a_restart_the_provider_is_asked_first() {
    let (gateway, watch) = (Gateway::start().await, Watch::new());
    gateway.has("SMbefore", TEXT, "sent");
    let voice = Desk::new().sms("first", &gateway.url, "").open(&watch);
    let mut order = text("KAL-42.1");
    order.possible_duplicate = true;
    voice.send(order).unwrap();
    let report = watch.reported(1).await.remove(0);
    assert_eq!((report.provider_ref.as_deref(), report.possible_duplicate, report.tries), (Some("SMbefore"), false, 0));
    assert!(gateway.posts().is_empty());
    // What the provider gave up on is sent again, and said to be a second one.
    gateway.becomes("SMbefore", "failed", Some(30008));
    let mut order = text("KAL-42.2");
    order.possible_duplicate = true;
    voice.send(order).unwrap();
    let report = watch.reported(2).await.pop().unwrap();
    assert!(report.possible_duplicate);
    assert_eq!(gateway.posts().len(), 1);
}

#[tokio::test]
async fn an_earlier_message_of_the_same_words_is_not_taken_for_this_one() {
    let (gateway, watch) = (Gateway::start().await, Watch::new());
    let voice = Desk::new().sms("first", &gateway.url, "").open(&watch);
    voice.send(text("KAL-42.1")).unwrap();
    watch.reported(1).await;
    let mut again = text("KAL-42.2");
    again.possible_duplicate = true;
    voice.send(again).unwrap();
    let report = watch.reported(2).await.pop().unwrap();
    assert_eq!((report.tries, report.possible_duplicate), (1, true));
    assert_eq!(gateway.posts().len(), 2, "the first was another dispatch's");
}

#[tokio::test]
async fn a_trouble_from_before_a_restart_is_cleared_by_the_first_message_taken() {
    let (gateway, watch) = (Gateway::start().await, Watch::new());
    let voice = Desk::new().sms("first", &gateway.url, "").open(&watch);
    voice.send(text("KAL-42.1")).unwrap();
    watch.until("its end", |watch| watch.inputs().contains(&Input::TroubleCleared(down("first")))).await;
    voice.send(text("KAL-42.2")).unwrap();
    watch.reported(2).await;
    voice.shutdown().await;
    let carrier = || name("first");
    let others = [
        Cause::RepliesUnread { carrier: carrier() },
        Cause::CreditLow { carrier: carrier(), gone: false },
        Cause::CreditLow { carrier: carrier(), gone: true },
        Cause::CreditUnread { carrier: carrier() },
    ]
    .map(Input::TroubleCleared);
    let troubles = watch.inputs().into_iter().filter(|input| !matches!(input, Input::DeliveryReported(_)) && !others.contains(input));
    assert_eq!(troubles.collect::<Vec<_>>(), [Input::TroubleCleared(down("first"))], "said once, and no trouble raised");
}

#[tokio::test]
async fn an_account_that_may_not_send_is_our_trouble_and_not_the_numbers() {
    let (gateway, watch) = (Gateway::start().await, Watch::new());
    gateway.always(Act::Say(400, None, "{\"code\":21606}"));
    let voice = Desk::new().sms("first", &gateway.url, "").open(&watch);
    voice.send(text("KAL-42.1")).unwrap();
    assert_eq!(watch.reported(1).await.remove(0).report, Report::Failed(Failure::Credentials));
    watch.until("the trouble", |watch| watch.inputs().contains(&Input::TroubleNoticed(down("first")))).await;
}

#[tokio::test]
async fn a_hung_provider_delays_nobody_else() {
    let (hung, good, watch) = (Gateway::start().await, Gateway::start().await, Watch::new());
    hung.always(Act::Hang);
    let desk = Desk::new();
    let secret = desk.secret("hook", "a secret of more than twenty-four bytes");
    let hook = format!("[[webhook]]\nname = \"westside\"\nurl = \"{}/hook\"\nsecret_file = {secret:?}\n", good.url);
    let voice = desk
        .sms("hung", &hung.url, "slots = 2\nrequest_ms = 600000\nattempt_s = 600")
        .sms("good", &good.url, "slots = 2")
        .add(&hook)
        .open(&watch);
    for n in 1..=2 {
        voice.send(text(&format!("KAL-{n}.1"))).unwrap();
    }
    hung.until("both", |hung| hung.posts().len() == 2).await;
    for n in 3..=22 {
        voice.send(text(&format!("KAL-{n}.1"))).unwrap();
    }
    voice.send(crate::watch::order("KAL-23.1", Address::Webhook(name("westside")))).unwrap();
    let reports = watch.reported(21).await;
    assert!(reports.iter().all(|report| report.provider != Some(name("hung"))));
    assert_eq!(hung.posts().len(), 2, "its slots, and no more");
}

#[tokio::test]
async fn every_free_slot_is_used_at_once() {
    let (gateway, watch) = (Gateway::start().await, Watch::new());
    gateway.always(Act::Hold);
    let voice = Desk::new().sms("first", &gateway.url, "").open(&watch);
    for n in 1..=200 {
        voice.send(text(&format!("KAL-{n}.1"))).unwrap();
    }
    // None is answered before all 128 are there.
    gateway.until("a request in every slot", |gateway| gateway.posts().len() == 128).await;
    assert!(watch.reports().is_empty());
    gateway.release();
    assert_eq!(watch.reported(200).await.len(), 200);
    assert_eq!(gateway.posts().len(), 200);
}

#[tokio::test]
async fn of_those_that_wait_the_newest_activation_goes_first() {
    let (gateway, watch) = (Gateway::start().await, Watch::new());
    gateway.always(Act::Hold);
    let voice = Desk::new().sms("first", &gateway.url, "slots = 1").open(&watch);
    for (id, recency) in [("KAL-1.1", 1), ("KAL-2.1", 2), ("KAL-4.1", 4), ("KAL-3.1", 3), ("KAL-4.2", 4)] {
        let mut order = text(id);
        order.recency = recency;
        voice.send(order).unwrap();
    }
    gateway.until("the first", |gateway| gateway.posts().len() == 1).await;
    gateway.release();
    let reports = watch.reported(5).await;
    let ids: Vec<_> = gateway.posts().iter().map(|post| post.field("StatusCallback")).collect();
    for (callback, id) in ids.iter().zip(["KAL-1.1", "KAL-4.1", "KAL-4.2", "KAL-3.1", "KAL-2.1"]) {
        assert!(callback.contains(&format!("d={id}#")), "{ids:?}");
    }
    assert_eq!(reports.len(), 5);
}

#[tokio::test]
async fn a_report_is_offered_until_it_is_taken_and_the_text_is_sent_once() {
    let (gateway, watch) = (Gateway::start().await, Watch::new());
    watch.refuse(3);
    let voice = Desk::new().sms("first", &gateway.url, "").open(&watch);
    voice.send(text("KAL-42.1")).unwrap();
    voice.send(text("KAL-42.1")).unwrap();
    assert_eq!(watch.reported(1).await.len(), 1);
    voice.shutdown().await;
    assert_eq!(watch.offered(), 4, "three times not taken, once taken");
    assert_eq!(gateway.posts().len(), 1, "offered twice while in hand is one message");
}

#[tokio::test]
async fn closing_finishes_what_is_under_way_and_leaves_the_rest_owed() {
    let (gateway, watch) = (Gateway::start().await, Watch::new());
    gateway.always(Act::Hold);
    let voice = Desk::new().sms("first", &gateway.url, "slots = 1").open(&watch);
    for n in 1..=5 {
        voice.send(text(&format!("KAL-{n}.1"))).unwrap();
    }
    gateway.until("the first", |gateway| gateway.posts().len() == 1).await;
    let closing = voice.shutdown();
    tokio::pin!(closing);
    tokio::select! {
        biased;
        () = &mut closing => panic!("it did not wait for what is under way"),
        () = tokio::task::yield_now() => {}
    }
    gateway.release();
    closing.await;
    assert_eq!((watch.reports().len(), gateway.posts().len()), (1, 1));
    assert!(matches!(voice.send(text("KAL-9.1")), Err(NotQueued::Closing(_))));
}

#[tokio::test]
async fn one_order_too_many_goes_back_to_its_owner() {
    let (gateway, watch) = (Gateway::start().await, Watch::new());
    gateway.always(Act::Hang);
    let voice = Desk::new().sms("first", &gateway.url, "slots = 1\nrequest_ms = 600000").open(&watch);
    let mut order = text("KAL-1.1");
    order.words.clear();
    for n in 1..=IN_HAND_MAX {
        order.id.activation.number = u32::try_from(n).unwrap();
        voice.send(order.clone()).unwrap();
    }
    order.id.activation.number += 1;
    let back = voice.send(order.clone()).unwrap_err();
    assert!(matches!(back, NotQueued::Full(_)));
    assert_eq!(back.into_order().id, order.id);
}

#[tokio::test]
async fn what_nobody_can_carry_is_said_at_once() {
    let watch = Watch::new();
    let voice = Desk::new().open(&watch);
    for (address, failure) in [
        (Address::Missing, Failure::NoAddress),
        (Address::Sms("+61400000001".to_owned()), Failure::NoCarrier),
        (Address::Email("a@example.org".to_owned()), Failure::NoCarrier),
        (Address::Webhook(name("nobody")), Failure::NoCarrier),
    ] {
        let before = watch.reports().len();
        voice.send(crate::watch::order(&format!("KAL-{}.1", before + 1), address)).unwrap();
        let report = watch.reported(before + 1).await.pop().unwrap();
        assert_eq!((report.report, report.tries), (Report::Failed(failure), 0));
    }
}

#[tokio::test]
async fn doctor_tells_good_credentials_from_bad_and_from_nobody_there() {
    let gateway = Gateway::start().await;
    let desk = Desk::new().sms("first", &gateway.url, "").sms("second", "http://127.0.0.1:1", "");
    let probes = dispatch::probe(&desk.settings(), None, &clock()).await.unwrap();
    assert!(probes[0].1.is_ok(), "{probes:?}");
    let said = probes[1].1.clone().unwrap_err();
    assert!(said.contains("cannot be reached") && said.lines().count() == 2, "{said}");
    assert!(gateway.posts().is_empty(), "a probe sends no message");
}
