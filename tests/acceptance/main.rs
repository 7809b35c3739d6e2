//! The acceptance ring: the real daemon among real parts.

mod parts;
