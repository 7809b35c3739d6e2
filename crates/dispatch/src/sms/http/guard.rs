//! Whether a callback comes from the provider: a secret that only it was told, or its signature. Never where it came from.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use escalation::time::Timestamp;
use ring::hmac;

use crate::inbound::{HookRequest, header};
use crate::settings::{Callback, CallbackAuth, Encoding, Hash, Secret, SettingsError};
use crate::sms::http::sheet::percent;
use crate::sms::signature::value;

/// Shortest secret accepted, bytes.
const SECRET_MIN: usize = 24;
/// How far a signed time may be from ours, seconds.
const TIME_SLACK: u64 = 300;

/// Checks callbacks of one gateway.
pub(super) struct Guard {
    settings: Callback,
    secret: Secret,
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Guard(redacted)")
    }
}

impl Guard {
    /// Reads the secret; refuses one that could be guessed.
    pub(super) fn open(what: &str, settings: &Callback) -> Result<Self, SettingsError> {
        let what = format!("{what} callback.secret_file");
        let secret = Secret::read(&what, &settings.secret_file)?;
        if let Some(short) = secret.each().find(|secret| secret.len() < SECRET_MIN) {
            return Err(SettingsError::new(
                what,
                format!("the secret has {} bytes", short.len()),
                format!("use at least {SECRET_MIN} random ones, as  openssl rand -hex 24  makes them"),
            ));
        }
        Ok(Self { settings: settings.clone(), secret })
    }

    /// What our addresses end with, where the secret is in them: `key=...`.
    pub(super) fn in_address(&self) -> Option<String> {
        let by_address = self.settings.auth == CallbackAuth::Secret && self.settings.header.is_none();
        by_address.then(|| format!("key={}", percent(&self.secret.current)))
    }

    /// Whether what stands in the address is proved too, and not only the body.
    pub(super) fn covers_address(&self) -> bool {
        match self.settings.auth {
            CallbackAuth::Secret | CallbackAuth::Basic => true,
            CallbackAuth::Hmac => false,
        }
    }

    /// True where this request proves that it comes from the provider.
    pub(super) fn believes(&self, request: &HookRequest, now: Timestamp) -> bool {
        match self.settings.auth {
            CallbackAuth::Secret => self.shown(request).is_some_and(|shown| self.secret.each().any(|good| same(good, &shown))),
            CallbackAuth::Basic => {
                let user = self.settings.user.as_deref().unwrap_or_default();
                let wanted = |secret: &str| format!("Basic {}", STANDARD.encode(format!("{user}:{secret}")));
                header(request, "authorization").is_some_and(|shown| self.secret.each().any(|good| same(&wanted(good), shown)))
            }
            CallbackAuth::Hmac => self.is_signed(request, now).unwrap_or(false),
        }
    }

    /// The secret as the request shows it.
    fn shown(&self, request: &HookRequest) -> Option<String> {
        if let Some(name) = &self.settings.header {
            return header(request, name).map(str::to_owned);
        }
        value(&request.query(), "key").map(str::to_owned)
    }

    fn is_signed(&self, request: &HookRequest, now: Timestamp) -> Option<bool> {
        let shown = header(request, self.settings.header.as_deref()?)?;
        let shown = shown.split_once('=').filter(|(name, _)| name.starts_with("sha")).map_or(shown, |(_, rest)| rest);
        let signature = match self.settings.encoding {
            Encoding::Hex => from_hex(shown)?,
            Encoding::Base64 => STANDARD.decode(shown).ok()?,
        };
        let mut signed = Vec::with_capacity(request.body.len() + 16);
        if let Some(name) = &self.settings.timestamp_header {
            let at = header(request, name)?;
            if at.parse::<i64>().ok()?.abs_diff(now.as_second()) > TIME_SLACK {
                return None;
            }
            signed.extend_from_slice(at.as_bytes());
            signed.push(b'.');
        }
        signed.extend_from_slice(&request.body);
        let algorithm = match self.settings.hash {
            Hash::Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
            Hash::Sha256 => hmac::HMAC_SHA256,
            Hash::Sha512 => hmac::HMAC_SHA512,
        };
        let verified = |secret: &str| hmac::verify(&hmac::Key::new(algorithm, secret.as_bytes()), &signed, &signature).is_ok();
        Some(self.secret.each().any(verified))
    }
}

/// Compares in constant time: what is compared are codes under the two texts as keys.
fn same(one: &str, other: &str) -> bool {
    let key = |text: &str| hmac::Key::new(hmac::HMAC_SHA256, text.as_bytes());
    let code = hmac::sign(&key(one), b"callback");
    hmac::verify(&key(other), b"callback", code.as_ref()).is_ok()
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    let digits = digits?;
    let pair = |pair: &[u32]| match pair {
        [high, low] => u8::try_from(high * 16 + low).ok(),
        _odd => None,
    };
    digits.chunks(2).map(pair).collect()
}
