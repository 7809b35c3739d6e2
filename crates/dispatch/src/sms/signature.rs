//! Whether a callback was signed by the provider: HMAC-SHA1 over our own public address and what came with it.
//!
//! Never reads `Host` or `X-Forwarded-*`: whoever can set them could choose what is checked.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use escalation::id::Digest;
use reqwest::Url;
use ring::hmac;

/// A form or query as pairs, decoded, in the order sent.
pub(crate) type Pairs = Vec<(String, String)>;

/// Decodes `a=b&c=d`; nothing can fail, what is not UTF-8 is replaced.
pub(crate) fn pairs_of(encoded: &str) -> Pairs {
    let Ok(mut url) = Url::parse("http://localhost/") else {
        return Pairs::new();
    };
    url.set_query(Some(encoded));
    url.query_pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// The first value of a name.
pub(crate) fn value<'a>(pairs: &'a Pairs, name: &str) -> Option<&'a str> {
    let found = pairs.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str())
}

/// True where `signature` is what `token` gives for this address and these form fields.
pub(crate) fn form_is_signed(token: &str, url: &str, form: &Pairs, signature: &str) -> bool {
    // Fields sorted by name, then value, each once: what the provider's own libraries do.
    let mut sorted: Vec<_> = form.iter().collect();
    sorted.sort();
    sorted.dedup();
    let mut signed = url.to_owned();
    for (name, value) in sorted {
        signed.push_str(name);
        signed.push_str(value);
    }
    is_signed(token, signed.as_bytes(), signature)
}

/// The same for a body that is not a form: its SHA-256 is in the address as `bodySHA256`, and the address is signed.
pub(crate) fn body_is_signed(token: &str, url: &str, body: &[u8], signature: &str) -> bool {
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let query = pairs_of(query);
    let Some(wanted) = value(&query, "bodySHA256") else {
        return false;
    };
    // The digest of a body that the caller sent is no secret; the signature below is compared in constant time.
    sha256_hex(body).eq_ignore_ascii_case(wanted) && is_signed(token, url.as_bytes(), signature)
}

fn sha256_hex(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().first_chunk().map_or_else(String::new, |bytes| Digest::new(*bytes).to_string())
}

fn is_signed(token: &str, signed: &[u8], signature: &str) -> bool {
    let Ok(signature) = STANDARD.decode(signature) else {
        return false;
    };
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    hmac::verify(&key, signed, &signature).is_ok()
}

/// Signs as the provider does, for tests.
#[cfg(test)]
pub(crate) fn sign(token: &str, signed: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, token.as_bytes());
    STANDARD.encode(hmac::sign(&key, signed.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of Twilio's page "Validating requests are coming from Twilio".
    #[test]
    fn the_providers_own_example_is_accepted_and_any_change_refused() {
        let url = "https://example.com/myapp.php?foo=1&bar=2";
        let form = pairs_of("CallSid=CA1234567890ABCDE&Caller=%2B14158675310&Digits=1234&From=%2B14158675310&To=%2B18005551212");
        let signature = "L/OH5YylLD5NRKLltdqwSvS0BnU=";
        assert!(form_is_signed("12345", url, &form, signature));
        assert!(!form_is_signed("12346", url, &form, signature));
        assert!(!form_is_signed("12345", "https://example.com/myapp.php?foo=1&bar=3", &form, signature));
        assert!(!form_is_signed("12345", url, &pairs_of("CallSid=CA1"), signature));
        assert!(!form_is_signed("12345", url, &form, "not base64!"));
        assert!(!form_is_signed("12345", url, &form, ""));
    }

    #[test]
    fn a_json_body_is_bound_to_the_signed_address() {
        let body = b"{\"MessageStatus\":\"delivered\"}";
        let hex = sha256_hex(body);
        let url = format!("https://example.com/hooks/first/status?d=KAL-1.1&bodySHA256={hex}");
        let signature = sign("token", &url);
        assert!(body_is_signed("token", &url, body, &signature));
        assert!(!body_is_signed("token", &url, b"{}", &signature));
        assert!(!body_is_signed("token", "https://example.com/x", body, &sign("token", "https://example.com/x")));
    }
}
