//! Replies and receipts without any way in: the provider's list is read.

use escalation::acknowledgement::{Code, Reply};
use escalation::dispatch::Report;
use escalation::input::Input;
use escalation::trouble::Cause;

use crate::gateway::Gateway;
use crate::watch::{Desk, Watch, name, text};

fn answers(watch: &Watch) -> Vec<Reply> {
    let answers = watch.inputs().into_iter().filter_map(|input| if let Input::Answer(answer) = input { Some(answer.reply) } else { None });
    answers.collect()
}

#[tokio::test]
async fn what_came_in_while_we_were_away_is_read_at_start_oldest_first() {
    let (gateway, watch) = (Gateway::start().await, Watch::new());
    gateway.receive("SMa", "+61400000001", "N47");
    gateway.receive("SMb", "+61400000001", "Y47");
    gateway.has("SMc", "ours", "delivered");
    let _voice = Desk::new().sms("first", &gateway.url, "").open_while(&watch, false, None);
    watch.until("both", |watch| answers(watch).len() == 2).await;
    assert_eq!(answers(&watch), [Reply::Cannot { code: Code::new(47) }, Reply::Going { code: Code::new(47) }]);
}

#[tokio::test]
async fn a_reply_listed_again_and_again_is_handed_in_once_and_again_if_it_was_not_taken() {
    let (gateway, watch) = (Gateway::start().await, Watch::new());
    gateway.receive("SMa", "+61400000001", "Y47");
    watch.refuse(1);
    let _voice = Desk::new().sms("first", &gateway.url, "").open_while(&watch, true, None);
    gateway.until("three listings", |gateway| gateway.gets().len() >= 3).await;
    assert_eq!(answers(&watch).len(), 1);
    assert_eq!(watch.offered(), 2);
}

#[tokio::test]
async fn a_text_that_was_taken_and_not_delivered_is_found_out_by_asking() {
    let (gateway, watch) = (Gateway::start().await, Watch::new());
    let voice = Desk::new().sms("first", &gateway.url, "").open_while(&watch, true, None);
    voice.send(text("KAL-42.7")).unwrap();
    let first = watch.reported(1).await.remove(0);
    assert_eq!(first.report, Report::AcceptedReceiptDue, "a receipt can be asked for");
    gateway.becomes(&first.provider_ref.unwrap(), "undelivered", Some(30003));
    let receipt = watch.reported(2).await.pop().unwrap();
    assert_eq!(receipt.report, Report::Undelivered { code: "30003".to_owned() });
    assert_eq!(receipt.dispatch, first.dispatch);
}

#[tokio::test]
async fn a_receipt_due_from_before_a_restart_is_asked_for() {
    let (gateway, watch) = (Gateway::start().await, Watch::new());
    gateway.has("SMbefore", "text", "delivered");
    gateway.has("SMother", "text", "delivered");
    let voice = Desk::new().sms("first", &gateway.url, "").open_while(&watch, true, None);
    voice.expect_receipt(&"KAL-42.7".parse().unwrap(), &name("first"), "SMbefore");
    let receipts = watch.reported(1).await;
    assert_eq!((receipts[0].dispatch.to_string().as_str(), &receipts[0].report), ("KAL-42.7", &Report::Delivered));
    assert_eq!(receipts.len(), 1, "others' messages are not ours");
}

#[tokio::test]
async fn an_account_that_is_kept_warm_is_greeted_at_start_and_bad_credentials_are_known_before_an_alarm() {
    let (gateway, watch) = (Gateway::start().await, Watch::new());
    gateway.refuse_logins();
    let desk = Desk::new().sms("first", &gateway.url, "").but("keep_warm = false", "keep_warm = true");
    let _voice = desk.open(&watch);
    let trouble = Input::TroubleNoticed(Cause::ProviderDown { carrier: name("first") });
    watch.until("the trouble", |watch| watch.inputs().contains(&trouble)).await;
    assert!(gateway.posts().is_empty());
}
