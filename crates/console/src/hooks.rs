//! Where callbacks of providers go. This room hands them on as they came; whoever made the link checks the signature.

use std::future::Future;
use std::pin::Pin;

/// One callback, exactly as it came: a signature is over these bytes.
#[derive(Clone)]
pub struct HookCall {
    /// The `name` in the settings that the URL says; not yet known to be one.
    pub provider: String,
    /// What it is about.
    pub kind: HookKind,
    /// `POST`.
    pub method: String,
    /// Path and query as they were on the wire, undecoded.
    pub path_and_query: String,
    /// Headers in order, names in lower case; values that are not bytes of text are left out.
    pub headers: Vec<(String, String)>,
    /// The body, at most 64 KiB.
    pub body: Vec<u8>,
}

impl std::fmt::Debug for HookCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("HookCall")
            .field("provider", &self.provider)
            .field("kind", &self.kind)
            .field("body", &format_args!("{} bytes, redacted", self.body.len()))
            .finish_non_exhaustive()
    }
}

/// What a callback is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HookKind {
    /// What became of a message.
    Status,
    /// A message from a person.
    Inbound,
    /// A call that asks what to say, and brings digits.
    Voice,
}

/// What the provider is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HookReply {
    /// The HTTP status; 2xx only once it is durable.
    pub status: u16,
    /// The body's type.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

/// Takes callbacks.
pub trait Hooks: Send + Sync {
    /// Takes one; the future ends once it is durable, refused or not taken.
    fn receive(&self, call: HookCall) -> Pin<Box<dyn Future<Output = HookReply> + Send>>;
}
