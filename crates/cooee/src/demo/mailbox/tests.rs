//! The mailbox, with the mail library that Cooee itself sends by.

use lettre::message::MultiPart;
use lettre::transport::smtp::AsyncSmtpTransport;
use lettre::{AsyncTransport, Message, Tokio1Executor};

use super::*;

fn now() -> Now {
    Arc::new(|| "2026-11-22T06:03:00Z".parse().unwrap())
}

async fn send(mailbox: &Mailbox, text: &str) {
    let mail = Message::builder()
        .from("Duress <duress@example.org>".parse().unwrap())
        .to("j.smith@example.org".parse().unwrap())
        .subject("[DURESS] Kalamunda Library")
        .multipart(MultiPart::alternative_plain_html(text.to_owned(), "<p>no</p>".to_owned()))
        .unwrap();
    let address = mailbox.url().strip_prefix("smtp://").unwrap();
    let (host, port) = address.split_once(':').unwrap();
    let carrier = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host).port(port.parse().unwrap()).build();
    carrier.send(mail).await.unwrap();
}

#[tokio::test]
async fn a_mail_is_kept_with_its_link_whole() {
    let folder = tempfile::tempdir().unwrap();
    let keep = folder.path().join("mail.jsonl");
    let text = "A button was pressed – look:\n\nhttp://127.0.0.1:8700/a/9Kq3vT2mWxP_and_a_long_tail_so_that_the_line_has_to_be_wrapped_somewhere\n.\n..dots";
    let mailbox = Mailbox::start(Some(keep.clone()), now()).await.unwrap();
    send(&mailbox, text).await;
    drop(mailbox);
    let mails = Mailbox::start(Some(keep), now()).await.unwrap().mails();
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].subject, "[DURESS] Kalamunda Library");
    assert_eq!(mails[0].to, ["j.smith@example.org"]);
    assert_eq!(mails[0].text.replace("\r\n", "\n"), text);
}
