//! HTTP clients for providers: one per account, no redirects, no proxy unless set, our own timeouts, loopback or TLS only.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Client, Proxy, Url, redirect};

use crate::carrier::Fault;
use crate::settings::{SettingsError, is_loopback};

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
}

/// Checks the address and builds the client for it.
pub(crate) fn build(wanted: &Wanted<'_>) -> Result<(Client, Url), SettingsError> {
    let what = wanted.what;
    let url = Url::parse(wanted.url).map_err(|error| {
        SettingsError::new(what, format!("\"{}\" is not a URL: {error}", wanted.url), "write it like https://host/path")
    })?;
    let in_clear = match url.scheme() {
        "https" => false,
        "http" if url.host_str().is_some_and(is_loopback) => true,
        "http" => {
            return Err(SettingsError::new(
                what,
                "plain http would send secrets and alarms in clear across a network",
                "use https, or a loopback address for a gateway on this machine",
            ));
        }
        _other => {
            return Err(SettingsError::new(what, "the URL is neither https nor http", "write it like https://host/path"));
        }
    };
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
        .tcp_keepalive(Duration::from_secs(30))
        .user_agent(concat!("cooee/", env!("CARGO_PKG_VERSION")));
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
    let client = builder.build().map_err(|error| {
        SettingsError::new(
            what,
            format!("no TLS client can be made: {error}"),
            "install the system's CA certificates (package ca-certificates), or set ca_file",
        )
    })?;
    Ok((client, url))
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

/// Seconds from a `Retry-After` header; a date is not honoured, providers send seconds.
pub(crate) fn retry_after(headers: &reqwest::header::HeaderMap) -> Option<Duration> {
    let value = headers.get(reqwest::header::RETRY_AFTER)?;
    value.to_str().ok()?.trim().parse().ok().map(Duration::from_secs)
}
