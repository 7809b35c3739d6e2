//! The acceptance ring: the real daemon among real parts.

#[cfg(test)]
mod demo;
#[cfg(test)]
mod ears;
#[cfg(test)]
mod parts;
