//! A centre's webhook: signed, with one id over all retries, and never more than a machine's word.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use escalation::dispatch::{Address, Failure, Report};
use ring::hmac;
use serde_json::Value;

use crate::gateway::{Act, Gateway};
use crate::watch::{Desk, Watch, name, order};

const SECRET: &str = "a secret of more than twenty-four bytes";

fn desk(gateway: &Gateway) -> Desk {
    let desk = Desk::new();
    let secret = desk.secret("hook", &format!("{SECRET}\n"));
    desk.add(&format!("[[webhook]]\nname = \"westside\"\nurl = \"{}/alarms?a=1\"\nsecret_file = {secret:?}\nattempt_s = 5\n", gateway.url))
}

#[tokio::test]
async fn a_centre_can_check_who_sends_and_discard_a_second_one() {
    let (gateway, watch) = (Gateway::start().await, Watch::new());
    gateway.script([Act::Say(500, None, ""), Act::HangUp]);
    let voice = desk(&gateway).open(&watch);
    let order = order("KAL-42.3", Address::Webhook(name("westside")));
    let id = order.key();
    assert_eq!(id, format!("KAL-42.3-{}", order.queued_at.as_microsecond()), "never a later message's, whatever a crash forgets");
    voice.send(order).unwrap();
    let report = watch.reported(1).await.remove(0);
    assert_eq!((report.report, report.tries, report.possible_duplicate), (Report::Accepted, 3, true));
    assert_eq!(report.provider, Some(name("westside")));
    let posts = gateway.posts();
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    for post in &posts {
        assert_eq!((post.path.as_str(), post.header("webhook-id").as_str()), ("/alarms?a=1", id.as_str()));
        assert_eq!(post.header("webhook-timestamp"), "1776060180");
        let signed = format!("{id}.1776060180.{}", post.body);
        let signature = post.header("webhook-signature");
        let signature = STANDARD.decode(signature.strip_prefix("v1,").unwrap()).unwrap();
        assert!(hmac::verify(&key, signed.as_bytes(), &signature).is_ok());
        assert_eq!(post.body, posts[0].body);
    }
    let body: Value = serde_json::from_str(&posts[0].body).unwrap();
    assert_eq!(body["type"], "dispatch.alarm");
    assert_eq!(body["data"]["site"], "Kalamunda Library");
    assert_eq!(body["data"]["kind"], "duress");
    assert_eq!(body["data"]["hazards"], "", "every name is there");
    assert_eq!(report.text.unwrap().open(), Some(posts[0].body.as_str()));
}

#[tokio::test]
async fn what_a_centre_refuses_is_not_repeated() {
    for (status, failure) in [(410, Failure::Refused), (401, Failure::Credentials), (302, Failure::Refused)] {
        let (gateway, watch) = (Gateway::start().await, Watch::new());
        gateway.always(Act::Say(status, None, ""));
        let voice = desk(&gateway).open(&watch);
        voice.send(order("KAL-42.3", Address::Webhook(name("westside")))).unwrap();
        let report = watch.reported(1).await.remove(0);
        assert_eq!((report.report, report.tries), (Report::Failed(failure), 1), "{status}");
    }
}
