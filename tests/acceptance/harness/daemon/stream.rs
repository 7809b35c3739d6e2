//! A reader of the live stream (server-sent events).

use reqwest::Response;
use serde_json::Value;

use crate::wait;

/// An open stream.
pub struct Stream {
    response: Response,
    pending: String,
}

/// One event of the stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StreamEvent {
    /// Sequence number in the record, where it has one.
    pub id: Option<u64>,
    /// The record's kind, or `message`.
    pub kind: String,
    /// Its data as JSON; null where it is none.
    pub data: Value,
}

impl Stream {
    pub(super) fn new(response: Response) -> Self {
        Self { response, pending: String::new() }
    }

    /// The next event; `None` when the stream has ended. Comments are passed over.
    pub async fn next(&mut self) -> Option<StreamEvent> {
        loop {
            while let Some((block, rest)) = self.pending.split_once("\n\n") {
                let event = parse(block);
                self.pending = String::from(rest);
                if let Some(event) = event {
                    return Some(event);
                }
            }
            let chunk = self.response.chunk().await.ok().flatten()?;
            self.pending.push_str(&String::from_utf8_lossy(&chunk).replace("\r\n", "\n"));
        }
    }

    /// Reads on until an event of this kind comes.
    pub async fn expect(&mut self, kind: &str) -> StreamEvent {
        let search = async {
            loop {
                let event = self.next().await.unwrap_or_else(|| panic!("the stream ended before any {kind}"));
                if event.kind == kind {
                    return event;
                }
            }
        };
        let found = tokio::time::timeout(wait::PATIENCE, search).await;
        found.unwrap_or_else(|_late| panic!("waited {} s for {kind} on the stream", wait::PATIENCE.as_secs()))
    }
}

/// An event from its lines; `None` where there is no data, as in a comment that keeps the line open.
fn parse(block: &str) -> Option<StreamEvent> {
    let field = |name: &str| {
        block
            .lines()
            .filter_map(move |line| line.split_once(':'))
            .filter_map({
                let name = name.to_owned();
                move |(n, value)| (n == name).then(|| value.strip_prefix(' ').unwrap_or(value))
            })
            .collect::<Vec<_>>()
    };
    let data = field("data");
    if data.is_empty() {
        return None;
    }
    Some(StreamEvent {
        id: field("id").last().and_then(|id| id.parse().ok()),
        kind: field("event").last().map_or("message", |kind| *kind).to_owned(),
        data: serde_json::from_str(&data.join("\n")).unwrap_or_default(),
    })
}
