//! The voice against providers that misbehave: servers of our own on loopback, one fault at a time.

#[cfg(test)]
mod calls;
#[cfg(test)]
mod centre;
#[cfg(test)]
mod credit;
#[cfg(test)]
mod gateway;
#[cfg(test)]
mod hooks;
#[cfg(test)]
mod listening;
#[cfg(test)]
mod mailing;
#[cfg(test)]
mod postbox;
#[cfg(test)]
mod presets;
#[cfg(test)]
mod sealed;
#[cfg(test)]
mod sending;
#[cfg(test)]
mod templated;
#[cfg(test)]
mod unreadable;
#[cfg(test)]
mod watch;
