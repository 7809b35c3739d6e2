//! A certificate authority for one test, and what it signs.

use std::path::PathBuf;

use rcgen::{BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair, KeyUsagePurpose};

use crate::folder::Folder;

/// An authority whose files lie in a part's folder.
pub struct Authority {
    issuer: Issuer<'static, KeyPair>,
    /// Its own certificate, as PEM.
    pub pem: String,
    /// The file that holds it.
    pub file: PathBuf,
}

/// A certificate and its key, as PEM and as files.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The certificate, as PEM.
    pub certificate: String,
    /// Its key, as PEM.
    pub key: String,
    /// The file of the certificate.
    pub certificate_file: PathBuf,
    /// The file of the key.
    pub key_file: PathBuf,
}

impl Authority {
    /// A new authority; its certificate is `ca.pem` in `folder`.
    #[must_use]
    pub fn new(folder: &Folder) -> Self {
        let key = KeyPair::generate().expect("make a key");
        let mut params = CertificateParams::new(Vec::new()).expect("describe an authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        params.distinguished_name.push(DnType::CommonName, "proof authority");
        let pem = params.self_signed(&key).expect("sign an authority").pem();
        let file = folder.write("ca.pem", &pem);
        Self { issuer: Issuer::new(params, key), pem, file }
    }

    /// A server's certificate for `localhost` and 127.0.0.1.
    #[must_use]
    pub fn server(&self, folder: &Folder) -> Pair {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        self.sign(folder, "server", names, ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A client's certificate whose common name is `name`.
    #[must_use]
    pub fn client(&self, folder: &Folder, name: &str) -> Pair {
        self.sign(folder, name, Vec::new(), ExtendedKeyUsagePurpose::ClientAuth)
    }

    fn sign(&self, folder: &Folder, name: &str, names: Vec<String>, usage: ExtendedKeyUsagePurpose) -> Pair {
        let key = KeyPair::generate().expect("make a key");
        let mut params = CertificateParams::new(names).expect("describe a certificate");
        params.extended_key_usages = vec![usage];
        params.distinguished_name.push(DnType::CommonName, name);
        let certificate = params.signed_by(&key, &self.issuer).expect("sign a certificate").pem();
        let key = key.serialize_pem();
        Pair {
            certificate_file: folder.write(&format!("{name}.crt"), &certificate),
            key_file: folder.write(&format!("{name}.key"), &key),
            certificate,
            key,
        }
    }
}
