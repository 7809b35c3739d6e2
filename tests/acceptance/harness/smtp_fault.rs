//! A small SMTP server that misbehaves on request.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use crate::port::Port;
use crate::wait;

/// What the server does wrong, until told otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SmtpFault {
    /// Nothing: it takes the mail.
    #[default]
    None,
    /// `450` to the recipient: try later.
    Busy,
    /// `550` to the recipient: no such mailbox.
    NoSuchMailbox,
    /// `421` instead of taking the text, and it hangs up.
    ClosingDown,
    /// Silence after the text, the connection held open.
    Hang,
    /// Half a reply after the text, then the connection is gone: was it taken or not?
    DropMidReply,
    /// `535` to any login.
    WrongPassword,
}

/// A server on a port of its own, served by the test's runtime.
pub struct FaultySmtp {
    port: Port,
    desk: Arc<Desk>,
    server: tokio::task::JoinHandle<()>,
}

#[derive(Default)]
struct Desk {
    fault: Mutex<SmtpFault>,
    taken: Mutex<Vec<(String, String)>>,
    attempts: Mutex<Vec<SmtpFault>>,
}

impl FaultySmtp {
    /// A server that takes mail until told to misbehave.
    pub async fn start() -> Self {
        let port = Port::take();
        let desk = Arc::new(Desk::default());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port.number())).await.expect("bind the SMTP port");
        let server = tokio::spawn(serve(listener, Arc::clone(&desk)));
        Self { port, desk, server }
    }

    /// Its address as settings name it.
    #[must_use]
    pub fn url(&self) -> String {
        format!("smtp://127.0.0.1:{}", self.port.number())
    }

    /// From now on it does this wrong.
    pub fn fault(&self, fault: SmtpFault) {
        *self.desk.fault.lock().expect("no holder panics") = fault;
    }

    /// Recipient and text of every mail that it answered with 250.
    #[must_use]
    pub fn taken(&self) -> Vec<(String, String)> {
        self.desk.taken.lock().expect("no holder panics").clone()
    }

    /// Waits until `count` mails have met this fault.
    pub async fn expect_met(&self, fault: SmtpFault, count: usize) {
        let what = format!("{count} mails that met {fault:?}");
        wait::until(&what, async || {
            let attempts = self.desk.attempts.lock().expect("no holder panics");
            (attempts.iter().filter(|f| **f == fault).count() >= count).then_some(())
        })
        .await;
    }
}

impl Drop for FaultySmtp {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn serve(listener: TcpListener, desk: Arc<Desk>) {
    let mut talks = JoinSet::new();
    loop {
        if let Ok((stream, _peer)) = listener.accept().await {
            talks.spawn(talk(stream, Arc::clone(&desk)));
        }
    }
}

/// One conversation; ends with the connection.
async fn talk(stream: TcpStream, desk: Arc<Desk>) -> Option<()> {
    let (reader, mut writer) = stream.into_split();
    let mut lines = BufReader::new(reader).lines();
    let mut say = async |reply: &str| writer.write_all(reply.as_bytes()).await.ok();
    let mut recipient = String::new();
    say("220 localhost ESMTP\r\n").await?;
    while let Some(line) = lines.next_line().await.ok()? {
        let fault = *desk.fault.lock().ok()?;
        let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
        match (verb.as_str(), fault) {
            ("EHLO", _) => say("250-localhost\r\n250 AUTH PLAIN\r\n").await?,
            ("AUTH", SmtpFault::WrongPassword) => {
                desk.meet(fault);
                say("535 5.7.8 wrong user or password\r\n").await?;
            }
            ("AUTH", _) => say("235 2.7.0 welcome\r\n").await?,
            ("RCPT", SmtpFault::Busy) => {
                desk.meet(fault);
                say("450 4.2.1 mailbox busy\r\n").await?;
            }
            ("RCPT", SmtpFault::NoSuchMailbox) => {
                desk.meet(fault);
                say("550 5.1.1 no such mailbox\r\n").await?;
            }
            ("RCPT", _) => {
                recipient = line.split(['<', '>']).nth(1).unwrap_or_default().to_owned();
                say("250 OK\r\n").await?;
            }
            ("DATA", SmtpFault::ClosingDown) => {
                desk.meet(fault);
                say("421 4.3.2 closing down\r\n").await?;
                return None;
            }
            ("DATA", _) => {
                say("354 go on\r\n").await?;
                let mut text = String::new();
                while let Some(line) = lines.next_line().await.ok()?.filter(|l| l != ".") {
                    text.push_str(&line);
                    text.push('\n');
                }
                desk.meet(fault);
                match fault {
                    SmtpFault::Hang => std::future::pending::<()>().await,
                    SmtpFault::DropMidReply => {
                        say("250-O").await?;
                        return None;
                    }
                    SmtpFault::None | SmtpFault::Busy | SmtpFault::NoSuchMailbox | SmtpFault::ClosingDown | SmtpFault::WrongPassword => {
                        desk.taken.lock().ok()?.push((recipient.clone(), text));
                        say("250 OK kept\r\n").await?;
                    }
                }
            }
            ("QUIT", _) => {
                say("221 bye\r\n").await?;
                return None;
            }
            ("MAIL" | "RSET" | "NOOP", _) => say("250 OK\r\n").await?,
            (_, _) => say("502 not here\r\n").await?,
        }
    }
    None
}

impl Desk {
    fn meet(&self, fault: SmtpFault) {
        self.attempts.lock().expect("no holder panics").push(fault);
    }
}
