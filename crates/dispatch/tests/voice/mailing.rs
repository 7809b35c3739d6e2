//! E-mail: how a mail reads, and what a relay's answers mean.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dispatch::{Settings, check};
use escalation::dispatch::{Address, Failure, Order, Report};

use crate::postbox::{Fault, Postbox};
use crate::watch::{Desk, Watch, clock, name, order};

fn desk(postbox: &Postbox, extra: &str) -> Desk {
    let toml = format!("[email]\nurl = \"smtp://{}\"\nfrom = \"Duress <duress@example.org>\"\nattempt_s = 5\n{extra}\n", postbox.address);
    Desk::new().add(&toml)
}

fn mail(id: &str) -> Order {
    let mut order = order(id, Address::Email("j.smith@example.org".to_owned()));
    order.words.insert("url", "https://alerts.example.org/a/9Kq3vT2mWxP".to_owned());
    order
}

fn header<'a>(mail: &'a str, name: &str) -> &'a str {
    let line = mail.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    line.unwrap_or_default()
}

#[tokio::test]
async fn a_mail_has_plain_words_first_and_one_thread_per_activation() {
    let (postbox, watch) = (Postbox::start([]).await, Watch::new());
    let voice = desk(&postbox, "").open(&watch);
    voice.send(mail("KAL-42.1")).unwrap();
    let report = watch.reported(1).await.remove(0);
    assert_eq!((report.report, report.provider, report.tries), (Report::Accepted, Some(name("email")), 1));
    assert_eq!(
        report.provider_ref.as_deref(),
        Some("<KAL-42.1.1776060180000000@example.org>"),
        "never the relay's words: they may name the recipient"
    );
    assert!(report.text.unwrap().open().unwrap().starts_with("A DURESS button was pressed."));
    voice.send(mail("KAL-42.2")).unwrap();
    watch.reported(2).await;
    let mails = postbox.mails();
    let first = &mails[0];
    assert_eq!(header(first, "Subject"), "[DURESS] Kalamunda Library - Front counter 1 - 14:03 AWST - KAL-42");
    assert_eq!(header(first, "Message-ID"), "<KAL-42.1.1776060180000000@example.org>");
    assert_eq!(header(first, "References"), "<KAL-42.20260413060300@example.org>");
    assert_eq!(header(first, "References"), header(&mails[1], "References"));
    assert_ne!(header(first, "Message-ID"), header(&mails[1], "Message-ID"));
    assert_eq!(header(first, "Auto-Submitted"), "auto-generated");
    assert_eq!(header(first, "X-Auto-Response-Suppress"), "All");
    assert!(header(first, "Content-Type").starts_with("multipart/alternative"));
    assert!(first.find("text/plain").unwrap() < first.find("text/html").unwrap());
    assert!(!first.contains("attachment") && !first.contains("<img"));
}

#[tokio::test]
async fn a_relay_that_cannot_now_is_asked_again_and_one_that_will_not_is_not() {
    for (fault, outcome, tries) in
        [(Fault::Recipient("450 later"), Report::Accepted, 2), (Fault::Recipient("550 nobody here"), Report::Failed(Failure::Refused), 1)]
    {
        let (postbox, watch) = (Postbox::start([fault]).await, Watch::new());
        let voice = desk(&postbox, "").open(&watch);
        voice.send(mail("KAL-42.1")).unwrap();
        let report = watch.reported(1).await.remove(0);
        assert_eq!((report.report, report.tries, report.possible_duplicate), (outcome, tries, false), "{fault:?}");
    }
}

#[tokio::test]
async fn a_mail_whose_receipt_was_lost_is_sent_again_under_the_same_id_and_marked() {
    let (postbox, watch) = (Postbox::start([Fault::HangUpAfterData]).await, Watch::new());
    let voice = desk(&postbox, "").open(&watch);
    voice.send(mail("KAL-42.1")).unwrap();
    let report = watch.reported(1).await.remove(0);
    assert_eq!((report.report, report.tries, report.possible_duplicate), (Report::Accepted, 2, true));
    let mails = postbox.mails();
    assert_eq!(mails.len(), 2);
    assert_eq!(header(&mails[0], "Message-ID"), header(&mails[1], "Message-ID"));
}

#[tokio::test]
async fn a_relay_that_never_greets_is_given_up_and_nothing_is_in_doubt() {
    let (postbox, watch) = (Postbox::start([Fault::Silent; 1]).await, Watch::new());
    let voice = desk(&postbox, "request_ms = 300\nconnect_ms = 200").open(&watch);
    voice.send(mail("KAL-42.1")).unwrap();
    let report = watch.reported(1).await.remove(0);
    assert_eq!((report.report, report.tries, report.possible_duplicate), (Report::Accepted, 2, false));
}

#[tokio::test]
async fn our_own_login_refused_is_not_blamed_on_the_recipient() {
    let (postbox, watch) = (Postbox::start([Fault::Login("535 no")]).await, Watch::new());
    let desk = Desk::new();
    let password = desk.secret("password", "swordfish\n");
    let toml = format!(
        "[email]\nurl = \"smtp://station%40example.org@{}\"\npassword_file = {password:?}\nfrom = \"duress@example.org\"\n",
        postbox.address
    );
    let desk = desk.add(&toml);
    let voice = desk.open(&watch);
    voice.send(mail("KAL-42.1")).unwrap();
    let report = watch.reported(1).await.remove(0);
    assert_eq!(report.report, Report::Failed(Failure::Credentials));
    voice.send(mail("KAL-42.2")).unwrap();
    assert_eq!(watch.reported(2).await.pop().unwrap().report, Report::Accepted);
    let login = postbox.commands().into_iter().find(|line| line.starts_with("AUTH PLAIN")).unwrap();
    let login = STANDARD.decode(login.trim_start_matches("AUTH PLAIN ")).unwrap();
    assert_eq!(login, b"\0station@example.org\0swordfish");
    assert!(dispatch::probe(&desk.settings(), None, &clock()).await.unwrap()[0].1.is_ok());
}

#[tokio::test]
async fn without_the_promised_starttls_not_a_word_is_sent() {
    let (postbox, watch) = (Postbox::start([]).await, Watch::new());
    let toml = format!("[email]\nurl = \"smtp://{}?tls=starttls\"\nfrom = \"duress@example.org\"\nattempt_s = 1\n", postbox.address);
    let voice = Desk::new().add(&toml).open(&watch);
    voice.send(mail("KAL-42.1")).unwrap();
    let report = watch.reported(1).await.remove(0);
    assert_eq!(report.report, Report::Failed(Failure::Unavailable));
    assert!(postbox.commands().iter().all(|line| line.starts_with("EHLO") || line.starts_with("QUIT")), "{:?}", postbox.commands());
}

#[test]
fn settings_that_would_speak_in_clear_are_refused_with_the_remedy() {
    let refused = |toml: &str| {
        let settings: Settings = toml::from_str(toml).unwrap();
        check(&settings, None).unwrap_err().to_string()
    };
    let clear = refused("[email]\nurl = \"smtp://mail.example.org:25\"\nfrom = \"duress@example.org\"");
    assert!(clear.contains("plain smtp") && clear.contains("smtps://"), "{clear}");
    let password = refused("[email]\nurl = \"smtps://user:secret@mail.example.org\"\nfrom = \"duress@example.org\"");
    assert!(password.contains("password_file") && !password.contains("secret@"), "{password}");
    let desk = Desk::new().sms("first", "http://api.example.org", "");
    let error = check(&desk.settings(), None).unwrap_err().to_string();
    assert!(error.contains("[[sms]] first") && error.contains("use https"), "{error}");
    let twice = Desk::new().sms("same", "http://127.0.0.1:1", "").sms("same", "http://127.0.0.1:2", "");
    assert!(check(&twice.settings(), None).unwrap_err().to_string().contains("named \"same\""));
}
