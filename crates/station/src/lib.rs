//! THE WATCH: the single writer. It decides, appends, applies, and only then acts.
//!
//! This room has the only clock and the only order. It knows no protocol: what comes in is an
//! [`escalation::input::Input`], what goes out is an [`escalation::dispatch::Order`].
//!
//! # Dramatis personae
//! - [`run::Station`]: the loop. [`floor::Floor`]: what it holds, and one turn of it.
//! - [`journal::Journal`]: events to bytes. [`spool::Spool`]: bytes beside a record that cannot be reached.
//!   `lost`: what waits for it meanwhile. `salvage`: presses of a spool that cannot be given to it any more.
//! - [`notary::Notary`]: has what was recorded signed afterwards, and proves things from it.
//! - [`onlookers`]: who reads, counted until it is written down. `viewed`: what the record says of its readers.
//! - [`evidence`]: what is handed out of one activation, and that it was. [`erasing`]: what is deleted of it, and why.
//! - [`erasures::Erasures`]: what was deleted, beside the record, for when an older copy of it is put back.
//! - [`vault::Vault`]: names and numbers. [`secret::Secret`]: the key of links and contacts.
//! - `failpoint`: where a debug build can be told to die, for the proof that nothing is lost.
//! - [`desk::Desk`]: how every other room speaks to the watch; [`view`]: what they are shown.

mod actor;
pub mod adopt;
pub mod anchoring;
pub mod clock;
pub mod consoles;
pub mod desk;
pub mod duty;
pub mod entropy;
pub mod erasing;
pub mod erasures;
pub mod evidence;
mod failpoint;
pub mod floor;
pub mod journal;
mod links;
mod look;
pub mod lookout;
mod lost;
pub mod milestones;
pub mod notary;
mod notice;
pub mod onlookers;
mod order;
mod people;
mod portray;
pub mod replay;
pub mod run;
mod salvage;
pub mod schedules;
pub mod secret;
mod sheet;
pub mod spool;
pub mod vault;
pub mod view;
mod viewed;
pub mod vigil;

#[cfg(test)]
mod tests;
