//! HTTP clients for providers: one per account, no redirects, no proxy unless set, our own timeouts; loopback or TLS only, but for
//! what is no secret to anybody.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use escalation::time::Timestamp;
use reqwest::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use reqwest::{Client, Proxy, Url, redirect};

use crate::carrier::Fault;
use crate::settings::{Secret, SettingsError, is_loopback};

/// The longest a provider can ask us to stay away; what is longer is asked again after an hour.
const RETRY_AFTER_MAX: Duration = Duration::from_hours(1);

/// What a client is made from.
pub(crate) struct Wanted<'a> {
    /// The setting's name for errors, `[[sms]] first`.
    pub(crate) what: &'a str,
    pub(crate) url: &'a str,
    pub(crate) connect_ms: u64,
    pub(crate) request_ms: u64,
    /// Idle connections kept: as many as requests may be under way.
    pub(crate) slots: usize,
    pub(crate) proxy: Option<&'a str>,
    pub(crate) ca_file: Option<&'a Path>,
    /// Our own certificate and its key, where the provider asks for one.
    pub(crate) identity: Option<(&'a Path, &'a Path)>,
}

/// Checks the address and builds the client for it.
pub(crate) fn build(wanted: &Wanted<'_>) -> Result<(Client, Url), SettingsError> {
    let url = address(wanted.what, wanted.url)?;
    client(wanted, url.scheme() == "http", true).map(|client| (client, url))
}

/// The same for a place to which nothing private is sent, and whose answer others verify: it may be reached in clear. Then it is not
/// said which program and version asks, for whoever listens would know where one stands.
pub(crate) fn build_public(wanted: &Wanted<'_>) -> Result<(Client, Url), SettingsError> {
    let url = public_address(wanted.what, wanted.url)?;
    let in_clear = url.scheme() == "http";
    client(wanted, in_clear, !in_clear).map(|client| (client, url))
}

fn client(wanted: &Wanted<'_>, in_clear: bool, says_who: bool) -> Result<Client, SettingsError> {
    let what = wanted.what;
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // The door installs it first; a caller that did not must not meet a panic in the library. Lost races are fine.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
    let mut builder = Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .connect_timeout(Duration::from_millis(wanted.connect_ms))
        .timeout(Duration::from_millis(wanted.request_ms))
        .pool_max_idle_per_host(wanted.slots)
        .pool_idle_timeout(Duration::from_secs(90))
        .tcp_keepalive(Duration::from_secs(30));
    if says_who {
        builder = builder.user_agent(concat!("cooee/", env!("CARGO_PKG_VERSION")));
    }
    if let Some(proxy) = wanted.proxy {
        let proxy =
            Proxy::all(proxy).map_err(|error| SettingsError::new(what, format!("proxy: {error}"), "write it like http://proxy:3128"))?;
        builder = builder.proxy(proxy);
    }
    if let Some(path) = wanted.ca_file {
        builder = builder.tls_certs_only(roots(what, path)?);
    } else if in_clear {
        // Without this a system that has no certificates could not even speak to its own loopback.
        builder = builder.tls_backend_preconfigured(no_roots(what)?);
    }
    if let Some((certificate, key)) = wanted.identity
        && !in_clear
    {
        builder = builder.identity(identity(what, certificate, key)?);
    }
    builder.build().map_err(|error| {
        SettingsError::new(
            what,
            format!("no TLS client can be made: {error}"),
            "install the system's CA certificates (package ca-certificates), or set ca_file",
        )
    })
}

/// Checks an address: `https`, or `http` on loopback.
pub(crate) fn address(what: &str, text: &str) -> Result<Url, SettingsError> {
    let url = Url::parse(text)
        .map_err(|error| SettingsError::new(what, format!("\"{text}\" is not a URL: {error}"), "write it like https://host/path"))?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if url.host_str().is_some_and(is_loopback) => Ok(url),
        "http" => Err(SettingsError::new(
            what,
            "plain http would send secrets and alarms in clear across a network",
            "use https, or a loopback address for a gateway on this machine",
        )),
        _other => Err(SettingsError::new(what, "the URL is neither https nor http", "write it like https://host/path")),
    }
}

/// Checks an address that may be in clear. A user or a password in it would be a secret in clear, and a secret is a file.
pub(crate) fn public_address(what: &str, text: &str) -> Result<Url, SettingsError> {
    let url = match Url::parse(text) {
        Ok(url) if url.scheme() == "http" && url.has_host() => url,
        Ok(_) | Err(_) => address(what, text)?,
    };
    if url.username().is_empty() && url.password().is_none() {
        return Ok(url);
    }
    Err(SettingsError::new(
        what,
        "the URL holds a user or a password",
        "use an authority that asks for none; this version can give it none",
    ))
}

fn roots(what: &str, path: &Path) -> Result<Vec<reqwest::Certificate>, SettingsError> {
    let wrong = |error: &dyn std::fmt::Display| {
        SettingsError::new(what, format!("ca_file {}: {error}", path.display()), "give a PEM file with the certificates to trust")
    };
    let pem = std::fs::read(path).map_err(|error| wrong(&error))?;
    let roots = reqwest::Certificate::from_pem_bundle(&pem).map_err(|error| wrong(&error))?;
    if roots.is_empty() {
        return Err(wrong(&"it holds no certificate"));
    }
    Ok(roots)
}

fn identity(what: &str, certificate: &Path, key: &Path) -> Result<reqwest::Identity, SettingsError> {
    let whole = Secret::whole(&format!("{what} client_key_file"), key)?;
    let wrong = |error: &dyn std::fmt::Display| {
        SettingsError::new(
            what,
            format!("client_cert_file {}: {error}", certificate.display()),
            "give PEM files with the certificate and with its key",
        )
    };
    let mut pem = std::fs::read(certificate).map_err(|error| wrong(&error))?;
    pem.push(b'\n');
    pem.extend_from_slice(whole.as_bytes());
    reqwest::Identity::from_pem(&pem).map_err(|error| wrong(&error))
}

fn no_roots(what: &str) -> Result<rustls::ClientConfig, SettingsError> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| SettingsError::new(what, error, "report this: the TLS library lacks its defaults"))?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Ok(config)
}

/// Sorts what went wrong with a request by whether it may have arrived.
pub(crate) fn fault_of(error: &reqwest::Error) -> Fault {
    if error.is_connect() {
        // Refused, no name, no TLS, or no connection in time: not a byte of the request left.
        return Fault::NotSent("connect");
    }
    if error.is_builder() {
        return Fault::NotSent("request");
    }
    let why = if error.is_timeout() { "timeout" } else { "cut off" };
    Fault::Unknown { why, absent: false }
}

/// How long a `Retry-After` header asks us to wait, in seconds or until a date (RFC 9110, 10.2.3); never more than
/// [`RETRY_AFTER_MAX`]. A date is compared with the provider's own `Date`, so that a clock that is off moves nothing; `now` is
/// used where there is none.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let asked = text(RETRY_AFTER)?;
    let wait = match asked.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_not_seconds) => {
            let there = text(DATE).and_then(http_date).unwrap_or(now);
            // A date that is past asks for no wait.
            Duration::try_from(http_date(asked)?.duration_since(there)).unwrap_or_default()
        }
    };
    Some(wait.min(RETRY_AFTER_MAX))
}

/// Reads `Sun, 06 Nov 1994 08:49:37 GMT`, the only form a sender may use (RFC 9110, 5.6.7).
fn http_date(text: &str) -> Option<Timestamp> {
    let plain = text.strip_suffix("GMT")?;
    Timestamp::strptime("%a, %d %b %Y %H:%M:%S %z", format!("{plain}+0000")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_secret_may_go_in_clear_and_a_login_may_not() {
        assert!(public_address("t", "http://stamps.example.org/tsr").is_ok());
        assert!(public_address("t", "https://stamps.example.org/tsr").is_ok());
        assert!(address("t", "http://stamps.example.org/tsr").is_err(), "for everything else");
        for wrong in [
            "ftp://stamps.example.org",
            "stamps.example.org",
            "http://",
            "http://me@stamps.example.org/",
            "https://:pass@stamps.example.org/",
        ] {
            assert!(public_address("t", wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn patience_is_asked_for_in_seconds_or_by_a_date_and_has_a_bound() {
        let now: Timestamp = "2015-10-21T07:00:00Z".parse().unwrap();
        let asked = |pairs: &[(HeaderName, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap()));
            retry_after(&pairs.collect(), now)
        };
        let until = (RETRY_AFTER, "Wed, 21 Oct 2015 07:28:00 GMT");
        assert_eq!(asked(&[]), None);
        assert_eq!(asked(&[(RETRY_AFTER, "7")]), Some(Duration::from_secs(7)));
        assert_eq!(asked(std::slice::from_ref(&until)), Some(Duration::from_mins(28)));
        assert_eq!(asked(&[until.clone(), (DATE, "Wed, 21 Oct 2015 07:27:55 GMT")]), Some(Duration::from_secs(5)), "by its own clock");
        assert_eq!(asked(&[until, (DATE, "Wed, 21 Oct 2015 09:00:00 GMT")]), Some(Duration::ZERO), "past");
        assert_eq!(asked(&[(RETRY_AFTER, "18446744073709551615")]), Some(RETRY_AFTER_MAX));
        assert_eq!(asked(&[(RETRY_AFTER, "Fri, 21 Oct 2016 07:28:00 GMT")]), Some(RETRY_AFTER_MAX));
        for nonsense in ["soon", "-1", "Wed, 21 Oct 2015 07:28:00 +1000", ""] {
            assert_eq!(asked(&[(RETRY_AFTER, nonsense)]), None, "{nonsense:?}");
        }
    }
}
