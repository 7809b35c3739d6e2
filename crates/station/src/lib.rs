//! THE WATCH: the single writer. It decides, appends, applies, and only then acts.
//!
//! This room has the only clock and the only order. It knows no protocol: what comes in is an
//! [`escalation::input::Input`], what goes out is an [`escalation::dispatch::Order`].

pub mod desk;
pub mod view;
