//! Text messages: one API per file, and how we listen to it.

pub(crate) mod answer;
pub(crate) mod listening;
pub(crate) mod signature;
pub(crate) mod twilio;
