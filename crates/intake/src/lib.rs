//! THE EARS.

pub mod adapter;
pub mod settings;
pub mod supervision;
mod troubles;
