//! The tidy ring: the rules of the house, proved from its files. Nothing to install, nothing to configure.
//!
//! Each rule is a function from text to findings, tried on a small bad sample before it is trusted with the house.

#[cfg(test)]
mod failures;
#[cfg(test)]
mod house;
#[cfg(test)]
mod imports;
#[cfg(test)]
mod licences;
#[cfg(test)]
mod links;
#[cfg(test)]
mod map;
#[cfg(test)]
mod migrations;
#[cfg(test)]
mod names;
#[cfg(test)]
mod one_tls;
#[cfg(test)]
mod proofs;
#[cfg(test)]
mod words;
