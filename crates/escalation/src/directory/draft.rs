//! The directory file as people write it.
