//! Text messages: one API per file, and how we listen to it.

pub(crate) mod account;
pub(crate) mod answer;
pub(crate) mod awaited;
pub(crate) mod ears;
pub(crate) mod http;
pub(crate) mod listening;
pub(crate) mod number;
pub(crate) mod preset;
pub(crate) mod signature;
pub(crate) mod twilio;
