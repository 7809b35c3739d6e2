//! What a gateway tells us that its mappings do not read: nobody's words are lost for it, and silence is not taken for none.

use dispatch::HookKind;
use escalation::acknowledgement::{Answer, Code, Reply, Sender};
use escalation::dispatch::Report;
use escalation::input::Input;
use escalation::time::Timestamp;
use escalation::trouble::Cause;
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::templated::{answers, gateway, hook, key, shop};
use crate::watch::{Watch, name};

fn reply(id: &str, text: &str) -> String {
    format!(r#"{{"id":"{id}","sender":{{"number":"61400000001"}},"body":"{text}","at":"2026-04-13T06:03:00Z"}}"#)
}

fn number(answer: &Answer) -> String {
    let Sender::Number(number) = &answer.from else { panic!("from a number") };
    number.open().unwrap().to_owned()
}

fn refs(watch: &Watch) -> Vec<String> {
    answers(watch).into_iter().map(|answer| answer.provider_ref.unwrap()).collect()
}

fn confirmed(gateway: &Gateway) -> Vec<Value> {
    gateway.at("/replies/confirmed").iter().map(|seen| serde_json::from_str(&seen.body).unwrap()).collect()
}

#[tokio::test]
async fn a_listed_reply_that_does_not_read_is_handed_in_as_it_came_and_confirmed() {
    let (gateway_, watch, desk) = shop().await;
    let (mute, nameless) = (r#"{"id":"r-1","sender":{"number":"61400000001"},"body":null}"#, r#"{"id":"r-2","body":"Y47"}"#);
    gateway_.shows("/replies", 200, &format!(r#"{{"replies":[{mute},{nameless},{}]}}"#, reply("r-3", "Y48")));
    gateway_.shows("/replies/confirmed", 200, "{}");
    let toml = gateway(&desk, &gateway_.url, "");
    let _voice = desk.add(&toml).open_while(&watch, true, None);
    gateway_.until("the confirmation", |gateway| !gateway.at("/replies/confirmed").is_empty()).await;
    assert_eq!(confirmed(&gateway_)[0], json!({"ids": ["r-1", "r-2", "r-3"]}));
    assert_eq!(refs(&watch), ["second:r-1", "second:r-2", "second:r-3"]);
    let said = answers(&watch);
    assert_eq!((said[0].reply.clone(), number(&said[0]).as_str()), (Reply::NotAnAnswer, "+61400000001"));
    let kept: Value = serde_json::from_str(said[0].text.as_ref().unwrap().open().unwrap()).unwrap();
    assert_eq!(kept, serde_json::from_str::<Value>(mute).unwrap(), "evidence, whatever it means");
    assert_eq!((said[1].reply.clone(), number(&said[1]).as_str()), (Reply::NotAnAnswer, ""), "from nobody it answers nothing");
    assert_eq!(said[2].reply, Reply::Going { code: Code::new(48) });
}

#[tokio::test]
async fn an_item_without_an_id_is_a_trouble_and_keeps_no_other_from_being_heard() {
    let (gateway_, watch, desk) = shop().await;
    gateway_.shows("/replies", 200, &format!(r#"{{"replies":[{{"body":"Y47"}},{}]}}"#, reply("r-3", "Y48")));
    gateway_.shows("/replies/confirmed", 200, "{}");
    let toml = gateway(&desk, &gateway_.url, "");
    let _voice = desk.add(&toml).open_while(&watch, true, None);
    let unread = Cause::RepliesUnread { carrier: name("second") };
    watch.until("the trouble", |watch| watch.inputs().contains(&Input::TroubleNoticed(unread.clone()))).await;
    assert_eq!((refs(&watch), confirmed(&gateway_)[0].clone()), (vec!["second:r-3".to_owned()], json!({"ids": ["r-3"]})));
    gateway_.shows("/replies", 200, r#"{"replies":[]}"#);
    watch.until("its end", |watch| watch.inputs().contains(&Input::TroubleCleared(unread.clone()))).await;
}

#[tokio::test]
async fn a_list_that_is_not_where_the_settings_say_is_a_trouble_and_no_empty_list() {
    for body in [r#"{"messages":[]}"#, r#"{"replies":"none"}"#, "[]", "no json"] {
        let (gateway_, watch, desk) = shop().await;
        gateway_.shows("/replies", 200, body);
        let toml = gateway(&desk, &gateway_.url, "");
        let _voice = desk.add(&toml).open_while(&watch, false, None);
        let trouble = Input::TroubleNoticed(Cause::RepliesUnread { carrier: name("second") });
        watch.until("the trouble", |watch| watch.inputs().contains(&trouble)).await;
    }
}

#[tokio::test]
async fn a_list_that_nobody_could_read_three_times_is_a_trouble() {
    let (gateway_, watch, desk) = shop().await;
    gateway_.shows("/replies", 500, "{}");
    let toml = gateway(&desk, &gateway_.url, "");
    let _voice = desk.add(&toml).open_while(&watch, true, None);
    let trouble = Input::TroubleNoticed(Cause::RepliesUnread { carrier: name("second") });
    watch.until("the trouble", |watch| watch.inputs().contains(&trouble)).await;
    assert!(gateway_.at("/replies").len() >= 3);
}

#[tokio::test]
async fn a_callback_of_several_is_heard_to_its_end() {
    let (gateway_, watch, desk) = shop().await;
    let toml = gateway(&desk, &gateway_.url, "");
    let callbacks = desk.add(&toml).open(&watch).callbacks();
    let body = format!(r#"[{},{{"hello":"there"}},{{"id":"r-2"}},{}]"#, reply("r-1", "N47"), reply("r-3", "Y47"));
    let said = callbacks.receive(hook(HookKind::Inbound, &key(), &body)).await;
    assert_eq!(said.status, 400, "what nobody can read is not confirmed");
    assert_eq!(refs(&watch), ["second:r-1", "second:r-2", "second:r-3"]);
    assert_eq!(answers(&watch)[1].reply, Reply::NotAnAnswer);
    callbacks.receive(hook(HookKind::Inbound, &key(), &body)).await;
    assert_eq!(answers(&watch).len(), 3, "each once");
    watch.refuse(1);
    let body = format!(r#"[{},{{"hello":"there"}},{}]"#, reply("r-4", "N47"), reply("r-5", "Y47"));
    assert_eq!(callbacks.receive(hook(HookKind::Inbound, &key(), &body)).await.status, 503, "I1: it is asked for again");
    assert_eq!(refs(&watch).last().unwrap(), "second:r-5");
}

#[tokio::test]
async fn a_reply_with_a_status_is_a_reply_wherever_it_is_posted() {
    let (gateway_, watch, desk) = shop().await;
    let toml = gateway(&desk, &gateway_.url, "");
    let voice = desk.add(&toml).open(&watch);
    let callbacks = voice.callbacks();
    let with = |status: &str, id: &str, from: &str| {
        format!(r#"{{"id":"{id}","status":"{status}","sender":{{"number":"{from}"}},"body":"Y47","at":"2026-04-13T06:03:00Z"}}"#)
    };
    let query = format!("{}&d=KAL-42.7", key());
    for (n, (kind, status)) in
        [(HookKind::Status, "received"), (HookKind::Status, "delivered"), (HookKind::Inbound, "delivered")].into_iter().enumerate()
    {
        let body = with(status, &format!("r-{n}"), "61400000001");
        assert_eq!(callbacks.receive(hook(kind, &query, &body)).await.status, 200);
        assert_eq!((answers(&watch).len(), watch.reports().len()), (n + 1, 0), "{status}: a human's words, and no receipt");
    }
    // What says whose message it is, is its receipt, with whatever words.
    voice.expect_receipt(&"KAL-42.7".parse().unwrap(), &name("second"), "m-7");
    for kind in [HookKind::Status, HookKind::Inbound] {
        callbacks.receive(hook(kind, &query, &with("delivered", "m-7", "61400000001"))).await;
    }
    callbacks.receive(hook(HookKind::Status, &format!("{}&d=KAL-42.8", key()), &with("expired", "m-8", "61400000009"))).await;
    let reports: Vec<_> = watch.reports().into_iter().map(|report| (report.dispatch.to_string(), report.report)).collect();
    assert_eq!(answers(&watch).len(), 3);
    assert_eq!(
        reports,
        [("KAL-42.7".to_owned(), Report::Delivered), ("KAL-42.8".to_owned(), Report::Undelivered { code: "expired".to_owned() })],
        "and what comes from our own number is no reply"
    );
}

#[tokio::test]
async fn a_reply_without_a_time_that_was_there_before_we_looked_is_handed_in_as_one_from_before() {
    let (gateway_, watch, desk) = shop().await;
    let reply = |id: u8| format!(r#"{{"id":{id},"sender":{{"number":"61400000001"}},"body":"Y47"}}"#);
    gateway_.shows("/replies", 200, &format!(r#"{{"replies":[{}]}}"#, reply(1)));
    gateway_.shows("/replies/confirmed", 200, "{}");
    watch.refuse(1);
    let toml = gateway(&desk, &gateway_.url, "");
    let _voice = desk.add(&toml).open_while(&watch, true, None);
    gateway_.until("the confirmation", |gateway| !gateway.at("/replies/confirmed").is_empty()).await;
    gateway_.shows("/replies", 200, &format!(r#"{{"replies":[{},{}]}}"#, reply(1), reply(2)));
    watch.until("the new one", |watch| answers(watch).len() == 2).await;
    let said: Vec<_> = answers(&watch).into_iter().map(|answer| (answer.provider_ref.unwrap(), answer.sent_at)).collect();
    let before_any_alarm = Some(Timestamp::UNIX_EPOCH);
    assert_eq!(said, [("second:1".to_owned(), before_any_alarm), ("second:2".to_owned(), None)]);
}
