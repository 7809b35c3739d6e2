//! A mail relay on loopback that does what a test tells it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};

/// What one connection meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nothing unusual.
    None,
    /// This answer to the recipient.
    Recipient(&'static str),
    /// Hangs up when the mail is complete, before saying so.
    HangUpAfterData,
    /// Never greets.
    Silent,
    /// This answer to the login.
    Login(&'static str),
}

/// The relay; it goes with the runtime of its test.
#[derive(Clone)]
pub(crate) struct Postbox {
    pub(crate) address: String,
    script: Arc<Mutex<VecDeque<Fault>>>,
    mails: Arc<Mutex<Vec<String>>>,
    commands: Arc<Mutex<Vec<String>>>,
}

impl Postbox {
    /// Each connection meets the next of `faults`, then none.
    pub(crate) async fn start(faults: impl IntoIterator<Item = Fault>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let postbox = Self {
            address: listener.local_addr().unwrap().to_string(),
            script: Arc::new(Mutex::new(faults.into_iter().collect())),
            mails: Arc::default(),
            commands: Arc::default(),
        };
        let server = postbox.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let fault = server.script.lock().unwrap().pop_front().unwrap_or(Fault::None);
                tokio::spawn(server.clone().serve(stream, fault));
            }
        });
        postbox
    }

    /// Mails received in full, also those whose sender was never told.
    pub(crate) fn mails(&self) -> Vec<String> {
        self.mails.lock().unwrap().clone()
    }

    pub(crate) fn commands(&self) -> Vec<String> {
        self.commands.lock().unwrap().clone()
    }

    async fn serve(self, stream: TcpStream, fault: Fault) {
        let mut stream = BufStream::new(stream);
        if fault == Fault::Silent {
            return std::future::pending().await;
        }
        say(&mut stream, "220 postbox").await;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await.unwrap_or(0) == 0 {
                return;
            }
            let line = line.trim_end().to_owned();
            self.commands.lock().unwrap().push(line.clone());
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            let answer = match (verb.as_str(), fault) {
                ("EHLO", _) => "250-postbox\r\n250-8BITMIME\r\n250 AUTH PLAIN LOGIN",
                ("RCPT", Fault::Recipient(answer)) | ("AUTH", Fault::Login(answer)) => answer,
                ("AUTH", _) => "235 welcome",
                ("DATA", _) => {
                    say(&mut stream, "354 go on").await;
                    let mail = read_mail(&mut stream).await;
                    self.mails.lock().unwrap().push(mail);
                    if fault == Fault::HangUpAfterData {
                        return;
                    }
                    "250 taken for j.smith@example.org as 0815"
                }
                ("QUIT", _) => "221 bye",
                _other => "250 fine",
            };
            say(&mut stream, answer).await;
        }
    }
}

async fn say(stream: &mut BufStream<TcpStream>, line: &str) {
    if stream.write_all(format!("{line}\r\n").as_bytes()).await.is_ok() {
        drop(stream.flush().await);
    }
}

async fn read_mail(stream: &mut BufStream<TcpStream>) -> String {
    let mut mail = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.unwrap_or(0) == 0 || line == ".\r\n" {
            return mail;
        }
        mail.push_str(&line);
    }
}
