//! THE DESK: the API, the live stream, and the pages of operators and responders.
//!
//! This room knows HTTP and people; it does not know the rules, the record or any carrier. It speaks to the watch only
//! through [`station::desk::Desk`], and answers 2xx only after the watch said [`escalation::verdict::Verdict::Durable`] (I1).
//! It reads no wall clock: the time of day is the watch's, and its own stopwatches are monotonic.

mod api;
mod assets;
mod caller;
pub mod hooks;
pub mod keys;
mod limiter;
mod metrics;
mod moment;
mod page;
mod problem;
mod responder;
pub mod roles;
mod room;
mod secret;
mod security;
mod serve;
mod session;
pub mod settings;

pub use api::openapi::document as openapi;
pub use room::{Parts, Probe, router};
pub use secret::NoRandom;
pub use serve::{serve, serve_control};
