//! Shared by the proof targets.
