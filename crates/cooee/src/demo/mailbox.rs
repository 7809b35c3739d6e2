//! A mail server that keeps what it is given: plain SMTP on loopback, for the demo's people.
//!
//! It knows as much of SMTP and MIME as it takes to receive a mail and show its plain text. It delivers nothing.

mod message;
mod smtp;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context;
use escalation::time::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::Now;
use super::keep::Keep;

/// The server; stops when dropped.
pub(crate) struct Mailbox {
    shelf: Arc<Shelf>,
    url: String,
    _tasks: JoinSet<()>,
}

/// One mail as a reader sees it.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Mail {
    /// To whom.
    pub(crate) to: Vec<String>,
    /// About what.
    pub(crate) subject: String,
    /// Its plain text.
    pub(crate) text: String,
    /// When.
    pub(crate) at: Timestamp,
}

/// Where mails are kept.
struct Shelf {
    now: Now,
    keep: Keep,
    mails: Mutex<Vec<Mail>>,
}

impl Mailbox {
    /// Starts the server on a free port; `keep` is a file that outlives a kill.
    pub(crate) async fn start(keep: Option<PathBuf>, now: Now) -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("open a loopback port for the demo's mailbox")?;
        let url = format!("smtp://{}", listener.local_addr()?);
        let keep = Keep::new(keep);
        let mails = Mutex::new(keep.read()?);
        let shelf = Arc::new(Shelf { now, keep, mails });
        let mut tasks = JoinSet::new();
        tasks.spawn(smtp::serve(listener, Arc::clone(&shelf)));
        Ok(Self { shelf, url, _tasks: tasks })
    }

    /// What `[email] url` has to be.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Every mail, oldest first.
    pub(crate) fn mails(&self) -> Vec<Mail> {
        self.shelf.mails.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Shelf {
    fn put(&self, to: Vec<String>, raw: &str) {
        let (subject, text) = message::read(raw);
        let mail = Mail { to, subject, text, at: (self.now)() };
        self.keep.add(&mail);
        self.mails.lock().unwrap_or_else(PoisonError::into_inner).push(mail);
    }
}

#[cfg(test)]
mod tests;
