//! The acceptance ring: the real daemon among real parts.

#[cfg(test)]
mod anchors;
#[cfg(test)]
mod backup;
#[cfg(test)]
mod bad_input;
#[cfg(test)]
mod bundle;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod centre;
#[cfg(test)]
mod crash;
#[cfg(test)]
mod demo;
#[cfg(test)]
mod door;
#[cfg(test)]
mod drilling;
#[cfg(test)]
mod ears;
#[cfg(test)]
mod erasing;
#[cfg(test)]
mod evidence;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod foresight;
#[cfg(test)]
mod incidents;
#[cfg(test)]
mod offices;
#[cfg(test)]
mod onboarding;
#[cfg(test)]
mod out_of_service;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod paper;
#[cfg(test)]
mod parts;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod press_to_ack;
#[cfg(test)]
mod readers;
#[cfg(test)]
mod record;
#[cfg(test)]
mod scheduling;
#[cfg(test)]
mod seats;
#[cfg(test)]
mod separation;
#[cfg(test)]
mod signing;
#[cfg(test)]
mod signing_crash;
#[cfg(test)]
mod standing_in;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod town;
#[cfg(test)]
mod troubling;
#[cfg(test)]
mod views;
#[cfg(test)]
mod watching;
#[cfg(test)]
mod words;
