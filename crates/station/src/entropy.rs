//! Salts, nonces and keys. Seeded in a simulation, so that a seed run twice gives the same log.

use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};

/// A source of random bytes: HMAC-SHA256 over a counter, under a seed that comes from the system or from a simulation.
#[derive(Debug)]
pub struct Entropy {
    key: hmac::Key,
    counter: u64,
    pool: Vec<u8>,
}

/// The system gave no random bytes.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the system gave no random bytes; check /dev/urandom")]
pub struct NoEntropy;

impl Entropy {
    /// Seeded by the system.
    pub fn from_system() -> Result<Self, NoEntropy> {
        let mut seed = [0; 32];
        SystemRandom::new().fill(&mut seed).map_err(|_| NoEntropy)?;
        Ok(Self::from_seed(&seed))
    }

    /// Seeded by the caller: the same seed gives the same bytes.
    pub fn from_seed(seed: &[u8]) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, seed), counter: 0, pool: Vec::new() }
    }

    /// Sixteen fresh bytes: a salt or a nonce of 128 bits.
    pub fn sixteen(&mut self) -> [u8; 16] {
        if self.pool.len() < 16 {
            self.counter = self.counter.wrapping_add(1);
            self.pool.extend_from_slice(hmac::sign(&self.key, &self.counter.to_be_bytes()).as_ref());
        }
        let rest = self.pool.split_off(16);
        let taken = std::mem::replace(&mut self.pool, rest);
        taken.try_into().unwrap_or([0; 16])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_gives_the_same_bytes_and_never_the_same_twice() {
        let (mut one, mut two) = (Entropy::from_seed(b"1"), Entropy::from_seed(b"1"));
        let drawn: Vec<_> = (0..100).map(|_| one.sixteen()).collect();
        assert!(drawn.iter().all(|bytes| *bytes == two.sixteen()));
        assert_eq!(drawn.iter().collect::<std::collections::BTreeSet<_>>().len(), 100);
    }
}
