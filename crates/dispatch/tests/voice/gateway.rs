//! A provider's HTTP API on loopback that does what a test tells it: answers, refuses, hangs, or hangs up.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What to do with a POST.
#[derive(Clone, Debug)]
pub(crate) enum Act {
    /// Take it: 201 with a sid.
    Take,
    /// Answer this status, with this `Retry-After` and this body.
    Say(u16, Option<u64>, &'static str),
    /// Never answer, keep the connection.
    Hang,
    /// Hang up without an answer, the message lost.
    HangUp,
    /// Hang up without an answer, the message taken.
    TakeAndHangUp,
    /// Take it once [`Gateway::release`] was called.
    Hold,
}

/// What to do with a GET of the messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listing {
    Shown,
    Broken,
    Hung,
}

/// One request as it came in.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> String {
        let found = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.clone()).unwrap_or_default()
    }

    /// A form field, decoded.
    pub(crate) fn field(&self, name: &str) -> String {
        let mut url = reqwest::Url::parse("http://localhost/").unwrap();
        url.set_query(Some(&self.body));
        let found = url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
        found.unwrap_or_default()
    }
}

struct Inner {
    script: Mutex<VecDeque<Act>>,
    always: Mutex<Act>,
    listing: Mutex<Listing>,
    /// Answers 401 to every GET.
    closed: Mutex<bool>,
    /// What stands at a path, whatever the method.
    pages: Mutex<BTreeMap<String, (u16, String)>>,
    posts: Mutex<Vec<Seen>>,
    gets: Mutex<Vec<Seen>>,
    /// Newest first, as the API lists them.
    messages: Mutex<Vec<Value>>,
    changed: watch::Sender<u64>,
    released: watch::Sender<bool>,
}

/// The server; it goes with the runtime of its test.
#[derive(Clone)]
pub(crate) struct Gateway {
    pub(crate) url: String,
    inner: Arc<Inner>,
}

impl Gateway {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let inner = Arc::new(Inner {
            script: Mutex::default(),
            always: Mutex::new(Act::Take),
            listing: Mutex::new(Listing::Shown),
            closed: Mutex::new(false),
            pages: Mutex::default(),
            posts: Mutex::default(),
            gets: Mutex::default(),
            messages: Mutex::default(),
            changed: watch::channel(0).0,
            released: watch::channel(false).0,
        });
        let server = Arc::clone(&inner);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(Arc::clone(&server), stream));
            }
        });
        Self { url, inner }
    }

    /// What the next POSTs meet, one after another; after that `always`.
    pub(crate) fn script(&self, acts: impl IntoIterator<Item = Act>) {
        self.inner.script.lock().unwrap().extend(acts);
    }

    pub(crate) fn always(&self, act: Act) {
        *self.inner.always.lock().unwrap() = act;
    }

    pub(crate) fn listing(&self, listing: Listing) {
        *self.inner.listing.lock().unwrap() = listing;
    }

    /// Answers every request of this path (without its query) with this from now on.
    pub(crate) fn shows(&self, path: &str, status: u16, body: &str) {
        self.inner.pages.lock().unwrap().insert(path.to_owned(), (status, body.to_owned()));
    }

    /// The requests of one path, without its query.
    pub(crate) fn at(&self, path: &str) -> Vec<Seen> {
        let all = self.posts().into_iter().chain(self.gets());
        all.filter(|seen| seen.path.split('?').next() == Some(path)).collect()
    }

    pub(crate) fn refuse_logins(&self) {
        *self.inner.closed.lock().unwrap() = true;
    }

    pub(crate) fn release(&self) {
        self.inner.released.send_replace(true);
    }

    pub(crate) fn posts(&self) -> Vec<Seen> {
        self.inner.posts.lock().unwrap().clone()
    }

    pub(crate) fn gets(&self) -> Vec<Seen> {
        self.inner.gets.lock().unwrap().clone()
    }

    /// A message somebody sent us.
    pub(crate) fn receive(&self, sid: &str, from: &str, body: &str) {
        let message = json!({"sid": sid, "from": from, "body": body, "direction": "inbound", "status": "received"});
        self.inner.messages.lock().unwrap().insert(0, message);
    }

    /// A message of ours that the provider has.
    pub(crate) fn has(&self, sid: &str, body: &str, status: &str) {
        let message = json!({"sid": sid, "body": body, "direction": "outbound-api", "status": status});
        self.inner.messages.lock().unwrap().insert(0, message);
    }

    /// What became of a message of ours.
    pub(crate) fn becomes(&self, sid: &str, status: &str, code: Option<i64>) {
        for message in self.inner.messages.lock().unwrap().iter_mut().filter(|m| m["sid"] == sid) {
            message["status"] = json!(status);
            message["error_code"] = json!(code);
        }
    }

    /// Waits until `enough` holds of what came in.
    pub(crate) async fn until(&self, what: &str, enough: impl Fn(&Self) -> bool) {
        let mut changed = self.inner.changed.subscribe();
        let waited = tokio::time::timeout(Duration::from_mins(1), async {
            while !enough(self) {
                changed.changed().await.unwrap();
            }
        });
        assert!(waited.await.is_ok(), "the gateway never saw {what}; it saw {} posts, {} gets", self.posts().len(), self.gets().len());
    }
}

async fn serve(inner: Arc<Inner>, stream: TcpStream) {
    let mut stream = BufStream::new(stream);
    while let Some((method, seen)) = read(&mut stream).await {
        let page = inner.pages.lock().unwrap().get(seen.path.split('?').next().unwrap()).cloned();
        let answer = if let Some((status, body)) = page {
            let list = if method == "GET" { &inner.gets } else { &inner.posts };
            list.lock().unwrap().push(seen.clone());
            inner.changed.send_modify(|n| *n += 1);
            Some((status, None, body))
        } else if method == "POST" || method == "PUT" {
            inner.posts.lock().unwrap().push(seen.clone());
            inner.changed.send_modify(|n| *n += 1);
            post(&inner, &seen).await
        } else {
            inner.gets.lock().unwrap().push(seen.clone());
            inner.changed.send_modify(|n| *n += 1);
            get(&inner, &seen).await
        };
        let Some((status, retry_after, body)) = answer else { return };
        let retry_after = retry_after.map(|s| format!("retry-after: {s}\r\n")).unwrap_or_default();
        let head = format!(
            "HTTP/1.1 {status} Said\r\ncontent-type: application/json\r\n{retry_after}content-length: {}\r\n\r\n{}",
            body.len(),
            if method == "HEAD" { "" } else { &body }
        );
        if stream.write_all(head.as_bytes()).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

type Answer = Option<(u16, Option<u64>, String)>;

async fn post(inner: &Inner, seen: &Seen) -> Answer {
    let scripted = inner.script.lock().unwrap().pop_front();
    let act = scripted.unwrap_or_else(|| inner.always.lock().unwrap().clone());
    match act {
        Act::Take => Some(take(inner, seen)),
        Act::Say(status, retry_after, body) => Some((status, retry_after, body.to_owned())),
        Act::Hang => std::future::pending().await,
        Act::HangUp => None,
        Act::TakeAndHangUp => {
            take(inner, seen);
            None
        }
        Act::Hold => {
            inner.released.subscribe().wait_for(|released| *released).await.unwrap();
            Some(take(inner, seen))
        }
    }
}

fn take(inner: &Inner, seen: &Seen) -> (u16, Option<u64>, String) {
    let mut messages = inner.messages.lock().unwrap();
    let sid = format!("SM{:032}", messages.len() + 1);
    let message = json!({"sid": sid, "to": seen.field("To"), "from": seen.field("From"), "body": seen.field("Body"), "direction": "outbound-api", "status": "queued"});
    messages.insert(0, message.clone());
    (201, None, message.to_string())
}

async fn get(inner: &Inner, seen: &Seen) -> Answer {
    if *inner.closed.lock().unwrap() {
        return Some((401, None, "{}".to_owned()));
    }
    if !seen.path.contains("/Messages.json") {
        return Some((200, None, "{}".to_owned()));
    }
    let listing = *inner.listing.lock().unwrap();
    match listing {
        Listing::Shown => {
            let messages = inner.messages.lock().unwrap().clone();
            Some((200, None, json!({"messages": messages, "next_page_uri": null}).to_string()))
        }
        Listing::Broken => Some((500, None, "{}".to_owned())),
        Listing::Hung => std::future::pending().await,
    }
}

async fn read(stream: &mut BufStream<TcpStream>) -> Option<(String, Seen)> {
    let mut line = String::new();
    if stream.read_line(&mut line).await.ok()? == 0 {
        return None;
    }
    let mut parts = line.split_whitespace();
    let (method, path) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.push((name.to_owned(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    stream.read_exact(&mut body).await.ok()?;
    let body = String::from_utf8(body).unwrap();
    Some((method.clone(), Seen { method, path, headers, body }))
}
