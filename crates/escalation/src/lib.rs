//! THE RULES: what happened, plus what time it is, gives what is recorded and what is owed.
//!
//! This room is pure. It has no sockets, no clock, no randomness, no log and no names: people are
//! minted ids ([`id::PersonId`]) and digests of their addresses ([`id::ContactKey`]). Time always comes in
//! as a parameter. A rule that needs a sleep or a socket belongs in another room.
//!
//! # Dramatis personae
//! - [`engine::Engine`]: `decide`, `apply`, `next_deadline`, `outbox`; nothing else changes state.
//! - [`input::Input`]: everything that can happen to us. [`event::Event`]: everything we record.
//! - [`activation::Activation`]: one person's call for help, from the first signal to its disposition.
//! - [`ladder::Ladder`]: rungs, targets and waits; [`directory::Directory`]: who and where.
//! - [`roster::Rosters`]: who is on duty at an instant, and until when that answer holds.
//! - [`coverage::Outlook`]: what a press would do at any instant, foretold; [`rehearsal::Scene`]: one press, lived through.
//! - [`foresight::Foresight`]: where nobody would be told in the days to come, and the trouble that it is.
//! - [`trouble::Trouble`]: what does not hold what it promises; [`notice::Notice`]: what people were told of it, by the technical ladder.
//! - [`dispatch::Dispatch`]: what we owe a carrier; [`dispatch::Order`]: the same with its address and words filled in.
//! - [`drilling::Drill`]: a ladder tried out by its own people, and marked as that wherever it shows.
//! - [`schedule::Schedule`]: on which days drills begin by themselves.
//! - [`incident`]: calls that belong together, and that stay apart.
//! - [`plan::Plan`]: what responders and the centre do, step by step.
//! - [`word::Word`]: the safe word, and the twin of whoever is made to say it.
//! - [`acknowledgement`]: what counts as a human answer, and what never does.

pub mod acknowledgement;
pub mod activation;
mod addressing;
mod agenda;
pub mod anchor;
mod answered;
mod answering;
mod arriving;
mod climb;
mod closing;
mod codes;
mod command;
mod course;
pub mod coverage;
pub mod desk;
mod devices;
pub mod directory;
pub mod dispatch;
pub mod drilling;
mod dues;
pub mod engine;
pub mod erasing;
pub mod event;
pub mod few;
pub mod foresight;
pub mod id;
pub mod incident;
pub mod input;
pub mod ladder;
pub mod matter;
pub mod notice;
pub mod out_of_service;
pub mod outage;
mod owning;
pub mod plan;
mod planning;
pub mod police;
mod policing;
pub mod private;
mod raising;
pub mod rehearsal;
pub mod rejection;
mod remembered;
mod reopening;
mod reporting;
pub mod retention;
pub mod roster;
pub mod schedule;
mod scheduling;
pub mod signal;
pub mod standing_in;
pub mod supervision;
pub mod testing;
pub mod time;
pub mod trouble;
mod troubling;
pub mod verdict;
pub mod vigil;
pub mod word;
pub mod zone;
