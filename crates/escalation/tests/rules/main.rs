//! The rules, told as stories over the pure engine.
//!
//! [`floor`] holds the harness: a directory, people with phones, and a clock that walks from deadline to deadline. Every
//! story also replays its own record into a second engine, event by event through JSON, and compares the two (I6).

#![cfg(test)]
#![expect(clippy::needless_pass_by_value, reason = "a story hands its inputs and expectations over")]
#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

mod burden;
mod coverage;
mod floor;
mod foresight;
mod naive;
mod properties;
mod rehearsal;
mod rosters;
mod schedules;
mod script;
mod timeline;

mod stories;
