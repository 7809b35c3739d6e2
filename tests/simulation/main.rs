//! The watch, proved by chance: thousands of seeded half hours in which everything goes wrong that can.
//!
//! Each seed drives the real station on paused time over a faulty record, lossy carriers, people who answer or do not,
//! kills and restarts. It is lived twice, and both lives must agree to the byte. A seed that fails is lived again with
//! `COOEE_SIM_SEED=N cargo test -p proof --test simulation`, which prints all that happened; `COOEE_SIM_SEEDS=K` says how many.

#[cfg(test)]
#[expect(clippy::wildcard_enum_match_arm, reason = "each judgement looks at the few events it is about")]
mod alarmed;
mod beside;
#[cfg(test)]
mod carriers;
#[cfg(test)]
mod dice;
#[cfg(test)]
#[expect(clippy::wildcard_enum_match_arm, reason = "each judgement looks at the few events it is about")]
mod drills;
#[cfg(test)]
mod duty;
#[cfg(test)]
mod faults;
#[cfg(test)]
#[expect(clippy::wildcard_enum_match_arm, reason = "each judgement looks at the few events it is about")]
mod oracle;
#[cfg(test)]
mod overhear;
#[cfg(test)]
mod past;
#[cfg(test)]
mod people;
#[cfg(test)]
mod planted;
#[cfg(test)]
mod scenario;
#[cfg(test)]
mod seeds;
#[cfg(test)]
#[expect(clippy::wildcard_enum_match_arm, reason = "each judgement looks at the few events it is about")]
mod troubled;
#[cfg(test)]
#[expect(clippy::wildcard_enum_match_arm, reason = "each judgement looks at the few events it is about")]
mod world;
