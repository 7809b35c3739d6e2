//! The desk's router, in process, over a scripted watch. Each file is one face of it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test that cannot set its scene fails where it stands")]

mod api;
mod counter;
mod desks;
mod house;
mod pages;
mod responder;
mod stream;
mod views;
