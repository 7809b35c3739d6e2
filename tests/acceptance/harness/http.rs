//! The HTTP client that the parts and the tests use.

use crate::wait;

/// A client for loopback: no proxy, no redirect followed, no certificate of the machine needed.
#[must_use]
pub fn client() -> reqwest::Client {
    // Fails only when another part has installed the same provider first.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .connect_timeout(wait::PATIENCE)
        .tcp_nodelay(true)
        .tls_certs_only([])
        .build()
        .expect("build an HTTP client")
}
