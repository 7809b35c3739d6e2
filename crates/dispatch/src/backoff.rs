//! How long to wait before asking a provider again: exponential, capped, and spread so that many do not come back at once.
//!
//! Pure: the spread comes from a seed, so that the same message waits the same way in every run.

use std::time::Duration;

/// Waits that double from `first` up to `most`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The first wait, at most.
    pub first: Duration,
    /// No wait is longer.
    pub most: Duration,
}

impl Backoff {
    /// Between tries of one message: an attempt lasts about 20 s, so the waits stay well below that.
    pub const SENDING: Self = Self { first: Duration::from_millis(400), most: Duration::from_secs(4) };
    /// Between offers of one report to a watch that does not take it.
    pub const REPORTING: Self = Self { first: Duration::from_millis(100), most: Duration::from_secs(5) };

    /// The wait before try `round + 1`, between half and all of `first * 2^round`, never more than `most`.
    pub fn wait(self, seed: u64, round: u32) -> Duration {
        let whole = self.first.saturating_mul(1_u32.checked_shl(round).unwrap_or(u32::MAX)).min(self.most);
        let half = whole / 2;
        let span = u64::try_from(half.as_micros()).unwrap_or(u64::MAX).max(1);
        half + Duration::from_micros(mix(seed ^ (u64::from(round) << 32)) % span)
    }
}

/// A seed from a message's name: the same message spreads the same way, two messages differently.
pub fn seed_of(name: &str) -> u64 {
    name.bytes().fold(0, |seed, byte| mix(seed ^ u64::from(byte)))
}

/// `SplitMix64` (Steele, Lea, Flood 2014): every bit of the seed reaches every bit of the result.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_stay_within_their_bounds_and_repeat_for_the_same_seed() {
        for seed in 0..500 {
            let mut ceiling = Backoff::SENDING.first;
            for round in 0..70 {
                let wait = Backoff::SENDING.wait(seed, round);
                assert!(wait >= ceiling / 2 && wait <= ceiling, "seed {seed} round {round}: {wait:?}");
                assert_eq!(wait, Backoff::SENDING.wait(seed, round));
                ceiling = (ceiling * 2).min(Backoff::SENDING.most);
            }
        }
    }

    #[test]
    fn two_messages_do_not_come_back_together() {
        let waits: std::collections::BTreeSet<_> = (1..200).map(|n| Backoff::SENDING.wait(seed_of(&format!("KAL-{n}.1")), 0)).collect();
        assert!(waits.len() > 150, "only {} different waits", waits.len());
    }
}
