//! Random bytes, digests and comparisons in constant time: the few calls into `ring` that keys, sessions and nonces need.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use escalation::id::Digest;
use ring::rand::{SecureRandom, SystemRandom};

/// The system gave no random bytes.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the system gave no random bytes; nothing secret can be made until it does")]
pub struct NoRandom;

/// Fresh random bytes.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], NoRandom> {
    let mut bytes = [0; N];
    SystemRandom::new().fill(&mut bytes).map_err(|_| NoRandom)?;
    Ok(bytes)
}

/// Bytes as they travel in tokens, cookies and forms.
pub(crate) fn text(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// SHA-256.
pub(crate) fn digest(bytes: &[u8]) -> Digest {
    let mut out = [0; 32];
    out.copy_from_slice(ring::digest::digest(&ring::digest::SHA256, bytes).as_ref());
    Digest::new(out)
}

/// Compares without telling by its duration where the two differ.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    a.len() == b.len() && std::hint::black_box(a.iter().zip(b).fold(0_u8, |difference, (x, y)| difference | (x ^ y))) == 0
}
