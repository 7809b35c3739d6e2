//! Calls: what a machine may hear, what only a human is told, and that nothing but a digit answers.

use dispatch::{HookKind, HookReply, HookRequest, Voice};
use escalation::acknowledgement::{Reply, Sender};
use escalation::dispatch::{Address, Failure, Purpose, Report};
use escalation::input::Input;

use crate::gateway::{Act, Gateway};
use crate::hooks::form;
use crate::watch::{Desk, PUBLIC, TOKEN, Watch, order};

const NUMBER: &str = "+61400000001";

/// An account that makes calls.
fn desk(url: &str, extra: &str) -> Desk {
    let desk = Desk::new();
    let token = desk.secret("token", TOKEN);
    desk.add(&format!(
        "[[voice]]\nname = \"rings\"\nbase_url = \"{url}\"\naccount_sid = \"ACrings\"\nauth_token_file = {token:?}\nfrom = \"+61400000009\"\n{extra}\n"
    ))
}

/// A provider that took one call, and what it was asked for.
struct Call {
    gateway: Gateway,
    watch: Watch,
    voice: Voice,
}

impl Call {
    async fn placed() -> Self {
        let (gateway, watch) = (Gateway::start().await, Watch::new());
        let voice = desk(&gateway.url, "").open(&watch);
        voice.send(order("KAL-42.7", Address::Voice(NUMBER.to_owned()))).unwrap();
        watch.reported(1).await;
        Self { gateway, watch, voice }
    }

    /// A callback of this call, signed as the provider does it.
    async fn post(&self, kind: HookKind, query: &str, fields: &[(&str, &str)]) -> HookReply {
        let word = if kind == HookKind::Status { "status" } else { "voice" };
        let path = format!("/hooks/rings/{word}?d=KAL-42.7{query}");
        // What a machine was believed to be comes without a number.
        let to = (kind == HookKind::Voice).then_some(("To", NUMBER));
        let fields: Vec<_> = [("CallSid", "CA1")].into_iter().chain(to).chain(fields.iter().copied()).collect();
        self.voice.callbacks().receive(form(TOKEN, &path, &fields)).await
    }

    async fn says(&self, query: &str, digits: &str) -> String {
        let answer = self.post(HookKind::Voice, query, &[("CallStatus", "in-progress"), ("Digits", digits)]).await;
        assert_eq!((answer.status, answer.content_type), (200, "text/xml"));
        answer.body
    }

    async fn ends(&self, fields: &[(&str, &str)]) {
        assert_eq!(self.post(HookKind::Status, "", fields).await.status, 200);
    }

    fn answers(&self) -> Vec<Reply> {
        let answers = self.watch.inputs().into_iter();
        answers.filter_map(|input| if let Input::Answer(answer) = input { Some(answer.reply) } else { None }).collect()
    }

    fn states(&self) -> Vec<Report> {
        self.watch.reports().into_iter().map(|report| report.report).collect()
    }
}

#[tokio::test]
async fn a_call_is_asked_for_with_everything_that_it_needs() {
    let call = Call::placed().await;
    let asked = &call.gateway.posts()[0];
    assert_eq!(asked.path, "/2010-04-01/Accounts/ACrings/Calls.json");
    assert_eq!((asked.field("To"), asked.field("From")), (NUMBER.to_owned(), "+61400000009".to_owned()));
    assert_eq!(asked.field("Url"), format!("{PUBLIC}/hooks/rings/voice?d=KAL-42.7"));
    assert_eq!(asked.field("StatusCallback"), format!("{PUBLIC}/hooks/rings/status?d=KAL-42.7#rc=5&rp=all"));
    assert_eq!((asked.field("Timeout"), asked.field("MachineDetection")), ("25".to_owned(), "Enable".to_owned()));
    let report = &call.watch.reports()[0];
    assert_eq!(report.report, Report::AcceptedReceiptDue);
    assert!(report.template.as_ref().unwrap().starts_with("alarm.voice@"));
    assert!(report.text.as_ref().unwrap().open().unwrap().starts_with("DURESS: Kalamunda Library, Front counter 1, at 14:03 AWST."));
}

#[tokio::test]
async fn i4_nothing_but_a_digit_after_a_digit_answers_a_call() {
    let call = Call::placed().await;
    let opening = call.says("", "").await;
    assert!(opening.contains("Security call") && !opening.contains("DURESS") && !opening.contains("Kalamunda"), "{opening}");
    assert!(call.says("&s=asked", "9").await.contains("Security call"), "only 1 asks to hear it");
    let alarm = call.says("&s=asked", "1").await;
    assert!(alarm.contains("DURESS: Kalamunda Library") && alarm.contains("Press 1 if you are going"), "{alarm}");
    assert!(call.says("&s=answered", "4").await.contains("DURESS"), "4 repeats it");
    assert!(call.says("&s=answered", "").await.contains("DURESS"));
    assert!(call.answers().is_empty(), "nobody has answered");
    assert_eq!(call.states(), [Report::AcceptedReceiptDue, Report::Delivered]);
    call.says("&s=answered", "1").await;
    let again = call.says("&s=answered", "1").await;
    assert!(again.contains("<Hangup/>") && !again.contains("<Gather"), "{again}");
    assert_eq!(call.answers().first(), Some(&Reply::Going { code: None }));
    let Some(Input::Answer(answer)) = call.watch.inputs().into_iter().find(|input| matches!(input, Input::Answer(_))) else { panic!() };
    let Sender::Callee { activation, number } = &answer.from else { panic!("from the phone that was rung") };
    assert_eq!((activation.to_string().as_str(), number.open()), ("KAL-42", Some(NUMBER)));
    call.ends(&[("CallStatus", "completed"), ("AnsweredBy", "human")]).await;
    assert_eq!(call.states().len(), 2, "it was heard, however it ended");
}

#[tokio::test]
async fn what_was_not_counted_is_not_said_to_be() {
    let call = Call::placed().await;
    call.says("&s=asked", "1").await;
    // The watch of this test takes everything and counts nothing.
    let said = call.says("&s=answered", "2").await;
    assert!(said.contains("changed nothing") && !said.contains("Thank you"), "{said}");
    call.watch.refuse(1);
    let said = call.says("&s=answered", "3").await;
    assert!(said.contains("was not recorded. Please press it again") && said.contains("<Gather"), "{said}");
}

#[tokio::test]
async fn whoever_does_not_press_was_not_reached() {
    for (fields, code) in [
        (vec![("CallStatus", "busy")], "busy"),
        (vec![("CallStatus", "no-answer")], "noanswer"),
        (vec![("CallStatus", "failed")], "failed"),
        (vec![("AnsweredBy", "machine_start")], "voicemail"),
        (vec![("CallStatus", "completed"), ("AnsweredBy", "machine_end_beep")], "voicemail"),
        (vec![("CallStatus", "completed"), ("AnsweredBy", "human")], "nodigit"),
        (vec![("CallStatus", "completed")], "nodigit"),
    ] {
        let call = Call::placed().await;
        call.ends(&[("CallStatus", "ringing")]).await;
        call.ends(&fields).await;
        call.ends(&fields).await;
        assert_eq!(call.states(), [Report::AcceptedReceiptDue, Report::Undelivered { code: code.to_owned() }], "{fields:?}");
        assert!(call.answers().is_empty());
    }
}

/// A call whose words are not known any more, as after a restart.
async fn from_before() -> Call {
    let (gateway, watch) = (Gateway::start().await, Watch::new());
    Call { voice: desk(&gateway.url, "").open(&watch), gateway, watch }
}

#[tokio::test]
async fn a_call_from_before_a_restart_says_so_and_reaches_nobody() {
    for (query, digits) in [("", ""), ("&s=asked", "1"), ("&s=answered", "4")] {
        let call = from_before().await;
        let said = call.says(query, digits).await;
        assert!(said.contains("interrupted") && said.contains("nothing was acknowledged"), "{said}");
        assert!(call.answers().is_empty());
        assert_eq!(call.states(), [Report::Undelivered { code: "interrupted".to_owned() }]);
    }
}

#[tokio::test]
async fn a_digit_that_answers_counts_also_in_a_call_from_before_a_restart() {
    let call = from_before().await;
    call.says("&s=answered", "1").await;
    assert_eq!(call.answers(), [Reply::Going { code: None }]);
    assert_eq!(call.states(), [Report::Delivered]);
    call.watch.refuse(2);
    let said = call.says("&s=answered", "3").await;
    assert!(said.contains("nothing was acknowledged"), "{said}");
}

#[tokio::test]
async fn that_somebody_heard_it_is_said_again_where_it_was_not_durable() {
    let call = Call::placed().await;
    call.watch.refuse(1);
    call.says("&s=asked", "1").await;
    call.says("&s=asked", "1").await;
    assert_eq!(call.states().last(), Some(&Report::Delivered));
    call.ends(&[("CallStatus", "completed")]).await;
    assert_eq!(call.states().last(), Some(&Report::Delivered));
}

#[tokio::test]
async fn a_callback_that_nobody_signed_says_nothing() {
    let call = Call::placed().await;
    let forged = HookRequest {
        provider: "rings".to_owned(),
        kind: HookKind::Voice,
        method: "POST".to_owned(),
        path_and_query: "/hooks/rings/voice?d=KAL-42.7&s=asked".to_owned(),
        headers: vec![("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned())],
        body: b"CallSid=CA1&Digits=1".to_vec(),
    };
    let answer = call.voice.callbacks().receive(forged).await;
    assert_eq!((answer.status, answer.body.as_str()), (403, ""));
    assert_eq!(call.states(), [Report::AcceptedReceiptDue]);
}

#[tokio::test]
async fn a_refused_call_and_one_that_nothing_is_worded_for_are_failures() {
    let (gateway, watch) = (Gateway::start().await, Watch::new());
    gateway.always(Act::Say(400, None, "{\"code\": 21211}"));
    let voice = desk(&gateway.url, "").open(&watch);
    voice.send(order("KAL-42.7", Address::Voice(NUMBER.to_owned()))).unwrap();
    let mut stand_down = order("KAL-42.8", Address::Voice(NUMBER.to_owned()));
    stand_down.purpose = Purpose::StandDown;
    voice.send(stand_down).unwrap();
    let mut reports: Vec<_> = watch.reported(2).await.into_iter().map(|r| (r.dispatch.to_string(), r.report)).collect();
    reports.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(reports[0].1, Report::Failed(Failure::Refused));
    assert_eq!(reports[1].1, Report::Failed(Failure::Template));
}

#[tokio::test]
async fn settings_that_could_not_ring_anybody_are_refused() {
    let url = "http://127.0.0.1:9";
    let wrong = |desk: Desk, public: Option<&str>| dispatch::check(&desk.settings(), public).unwrap_err().to_string();
    assert!(wrong(desk(url, ""), None).contains("calls need [http] public_url"));
    assert!(wrong(desk(url, "ring_s = 90"), Some(PUBLIC)).contains("must ring for 5 to 40 seconds"));
    assert!(wrong(desk(url, "").but("+61400000009", "Cooee"), Some(PUBLIC)).contains("from is not a number"));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("prompt.voice.txt"), "{{ kind }} at {{ site }}. Press 1.").unwrap();
    let telltale = desk(url, "").add(&format!("[templates]\ndir = {:?}\n", folder.path()));
    assert!(wrong(telltale, Some(PUBLIC)).contains("a voicemail would keep it"));
}
