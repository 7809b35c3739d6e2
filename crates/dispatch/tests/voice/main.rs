//! The voice against providers that misbehave: servers of our own on loopback, one fault at a time.

mod centre;
mod gateway;
mod hooks;
mod listening;
mod mailing;
mod postbox;
mod sending;
mod watch;
