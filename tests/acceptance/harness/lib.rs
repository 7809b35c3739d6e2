//! The real parts that the acceptance ring and the bench run Cooee against.
//!
//! One part a file. Each runs on a loopback port of its own, is stopped by its own process id when dropped,
//! and keeps its files (the path is printed) when the test fails. A part that is missing fails the test and says
//! what to install; nothing is ever skipped.
//!
//! The parts stand outside the house: they know Cooee only by its topics, its HTTP faces and its settings, and
//! must never import one of its crates.

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::missing_panics_doc,
    reason = "a part that cannot be had, and an expectation that is not met, fail the test there and then"
)]

pub mod broker;
pub mod browser;
pub mod certificate;
pub mod daemon;
pub mod device;
pub mod folder;
pub mod gateway;
pub mod http;
pub mod port;
pub mod postgres;
pub mod program;
pub mod smtp;
pub mod smtp_fault;
pub mod stamper;
pub mod wait;

pub use broker::Broker;
pub use browser::Browser;
pub use daemon::Daemon;
pub use device::Button;
pub use gateway::{Fault, Gateway};
pub use postgres::Postgres;
pub use smtp::Smtp;
pub use smtp_fault::{FaultySmtp, SmtpFault};
pub use stamper::{StampFault, Stamper};
