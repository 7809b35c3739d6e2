//! `[mqtt]` and `[listener]` of `cooee.toml`: where presses come from.
//!
//! Secrets come from files alone, and a file that everybody can read is refused. Must not open a connection.

use std::fmt;
use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Which way in.
#[derive(Clone, Debug)]
pub enum Settings {
    /// A session with an outside broker: the default of production.
    Session(Mqtt),
    /// A broker inside this process.
    Listener(Listener),
}

impl Settings {
    /// The one way in that the settings name.
    ///
    /// # Errors
    /// There must be exactly one.
    pub fn choose(mqtt: Option<Mqtt>, listener: Option<Listener>) -> Result<Self, BadSettings> {
        match (mqtt, listener) {
            (Some(mqtt), None) => Ok(Self::Session(mqtt)),
            (None, Some(listener)) => Ok(Self::Listener(listener)),
            (None, None) => Err(BadSettings::NoWayIn),
            (Some(_), Some(_)) => Err(BadSettings::TwoWaysIn),
        }
    }
}

/// `[mqtt]`: the session with an outside broker.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mqtt {
    /// `mqtt://host:1883`, or `mqtts://host:8883` for TLS. No user, password or path.
    pub url: String,
    /// The session's name at the broker; the same after every restart, and nobody else's.
    #[serde(default = "client_id")]
    pub client_id: String,
    /// User at the broker.
    pub username: Option<String>,
    /// File with that user's password.
    pub password_file: Option<PathBuf>,
    /// PEM file with the certificates that may sign the broker's; without it the system's hold.
    pub ca_file: Option<PathBuf>,
    /// PEM file with our certificate, where the broker asks for one.
    pub client_cert_file: Option<PathBuf>,
    /// PEM file with its key.
    pub client_key_file: Option<PathBuf>,
    /// Whether to test at the start that the broker keeps messages while we are away.
    #[serde(default = "yes")]
    pub self_test: bool,
}

/// `[listener]`: the broker inside this process.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// Where buttons connect.
    #[serde(default = "loopback")]
    pub listen: SocketAddr,
    /// Users and their password hashes, as `mqttv5-cli passwd` writes them; without it everybody may connect, from this machine alone.
    pub password_file: Option<PathBuf>,
    /// Who may publish and read which topics.
    pub acl_file: Option<PathBuf>,
    /// PEM file with the certificate, for TLS on `listen`.
    pub cert_file: Option<PathBuf>,
    /// PEM file with its key.
    pub key_file: Option<PathBuf>,
}

impl Default for Listener {
    fn default() -> Self {
        Self { listen: loopback(), password_file: None, acl_file: None, cert_file: None, key_file: None }
    }
}

fn client_id() -> String {
    "cooee".to_owned()
}

fn yes() -> bool {
    true
}

fn loopback() -> SocketAddr {
    SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 1883)
}

/// Why settings cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BadSettings {
    /// Neither section is there.
    #[error("there is no way in for presses: add [mqtt] with the broker's url, or [listener] for the broker inside")]
    NoWayIn,
    /// Both are.
    #[error("[mqtt] and [listener] are both there: presses come by one of them, remove the other")]
    TwoWaysIn,
    /// The URL cannot be read.
    #[error("mqtt.url \"{url}\": {what}")]
    Url {
        /// As it stands there, without any password.
        url: String,
        /// What is wrong, and what to do.
        what: &'static str,
    },
    /// The client id cannot be used.
    #[error("mqtt.client_id: use 1 to 64 of A-Z a-z 0-9 . _ -")]
    ClientId,
    /// One of two keys that belong together is missing.
    #[error("{present} is set but {missing} is not: they belong together")]
    HalfAPair {
        /// The key that is there.
        present: &'static str,
        /// The key that is not.
        missing: &'static str,
    },
    /// A TLS file without TLS.
    #[error("{key} is set, but mqtt.url begins with mqtt:// and would send everything in clear: use mqtts://, or remove {key}")]
    NotEncrypted {
        /// The key.
        key: &'static str,
    },
    /// A secret that everybody can read.
    #[error("{key}: everybody on this machine can read {}; run  chmod o-rwx {}", path.display(), path.display())]
    WorldReadable {
        /// The key.
        key: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// A file that cannot be read.
    #[error("{key}: cannot read {}: {source}", path.display())]
    File {
        /// The key.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// An open door.
    #[error(
        "listener.listen {listen} can be reached from outside, so that anybody could raise or drown an alarm: set listener.password_file, or listen on 127.0.0.1"
    )]
    OpenToAll {
        /// The address.
        listen: SocketAddr,
    },
}

/// Where the broker is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Name or address, without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Whether by TLS.
    pub encrypted: bool,
}

/// Everything that a connection to the broker needs, read and checked.
#[derive(Clone)]
pub struct Access {
    /// Where.
    pub address: Address,
    /// The session's name.
    pub client_id: String,
    /// User and password.
    pub login: Option<(String, Secret)>,
    /// Certificates that may sign the broker's, PEM; `None` for the system's.
    pub ca: Option<Vec<u8>>,
    /// Our certificate and its key, PEM.
    pub identity: Option<(Vec<u8>, Secret)>,
}

/// A secret, in memory only.
#[derive(Clone)]
pub struct Secret(Vec<u8>);

impl Secret {
    /// The secret's bytes.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

impl Mqtt {
    /// Checks everything and reads the files.
    ///
    /// # Errors
    /// The first thing that is wrong, with its key and its remedy.
    pub fn access(&self) -> Result<Access, BadSettings> {
        let address = address(&self.url)?;
        escalation::id::Slug::parse(&self.client_id).map_err(|_| BadSettings::ClientId)?;
        let tls = [
            ("mqtt.ca_file", &self.ca_file),
            ("mqtt.client_cert_file", &self.client_cert_file),
            ("mqtt.client_key_file", &self.client_key_file),
        ];
        if let Some((key, _)) = tls.iter().find(|(_, file)| file.is_some() && !address.encrypted) {
            return Err(BadSettings::NotEncrypted { key });
        }
        let login = match (&self.username, &self.password_file) {
            (Some(user), Some(file)) => Some((user.clone(), password("mqtt.password_file", file)?)),
            (Some(user), None) => Some((user.clone(), Secret(Vec::new()))),
            (None, Some(_)) => {
                return Err(BadSettings::HalfAPair { present: "mqtt.password_file", missing: "mqtt.username" });
            }
            (None, None) => None,
        };
        let identity = match (&self.client_cert_file, &self.client_key_file) {
            (Some(cert), Some(key)) => Some((read("mqtt.client_cert_file", cert)?, secret("mqtt.client_key_file", key)?)),
            (Some(_), None) => {
                return Err(BadSettings::HalfAPair { present: "mqtt.client_cert_file", missing: "mqtt.client_key_file" });
            }
            (None, Some(_)) => {
                return Err(BadSettings::HalfAPair { present: "mqtt.client_key_file", missing: "mqtt.client_cert_file" });
            }
            (None, None) => None,
        };
        let ca = self.ca_file.as_deref().map(|file| read("mqtt.ca_file", file)).transpose()?;
        Ok(Access { address, client_id: self.client_id.clone(), login, ca, identity })
    }
}

impl Listener {
    /// Checks that what is open is meant to be.
    ///
    /// # Errors
    /// The first thing that is wrong, with its key and its remedy.
    pub fn check(&self) -> Result<(), BadSettings> {
        match (&self.cert_file, &self.key_file) {
            (Some(cert), Some(key)) => {
                read("listener.cert_file", cert)?;
                secret("listener.key_file", key)?;
            }
            (Some(_), None) => {
                return Err(BadSettings::HalfAPair { present: "listener.cert_file", missing: "listener.key_file" });
            }
            (None, Some(_)) => {
                return Err(BadSettings::HalfAPair { present: "listener.key_file", missing: "listener.cert_file" });
            }
            (None, None) => {}
        }
        match &self.password_file {
            Some(file) => secret("listener.password_file", file).map(drop),
            None if self.listen.ip().is_loopback() => Ok(()),
            None => Err(BadSettings::OpenToAll { listen: self.listen }),
        }
    }
}

fn address(url: &str) -> Result<Address, BadSettings> {
    if url.contains('@') {
        let url = url.rsplit('@').next().unwrap_or_default().to_owned();
        return Err(BadSettings::Url { url, what: "put the user into mqtt.username and the password into mqtt.password_file" });
    }
    let bad = |what| BadSettings::Url { url: url.to_owned(), what };
    let (encrypted, rest) = match url.split_once("://") {
        Some(("mqtt", rest)) => (false, rest),
        Some(("mqtts", rest)) => (true, rest),
        Some(_) | None => return Err(bad("begin it with mqtts:// or mqtt://")),
    };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let default = if encrypted { 8883 } else { 1883 };
    let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, Some(port.strip_prefix(':').ok_or_else(|| bad("after ] comes :port, or nothing"))?)),
        None => rest.split_once(':').map_or((rest, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() || host.contains(['/', '?', '#', ' ']) {
        return Err(bad("it must name a host, and no path"));
    }
    let port = port.map_or(Ok(default), |port| port.parse().map_err(|_| bad("its port must be a number from 1 to 65535")))?;
    Ok(Address { host: host.to_owned(), port, encrypted })
}

fn read(key: &'static str, path: &Path) -> Result<Vec<u8>, BadSettings> {
    fs::read(path).map_err(|source| BadSettings::File { key, path: path.to_owned(), source })
}

fn secret(key: &'static str, path: &Path) -> Result<Secret, BadSettings> {
    let bytes = read(key, path)?;
    let about = fs::metadata(path).map_err(|source| BadSettings::File { key, path: path.to_owned(), source })?;
    if about.permissions().mode() & 0o007 != 0 {
        return Err(BadSettings::WorldReadable { key, path: path.to_owned() });
    }
    Ok(Secret(bytes))
}

/// A password without the line end that editors put behind it.
fn password(key: &'static str, path: &Path) -> Result<Secret, BadSettings> {
    let mut secret = secret(key, path)?;
    while secret.0.last().is_some_and(|byte| matches!(byte, b'\n' | b'\r')) {
        secret.0.pop();
    }
    Ok(secret)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mqtt(toml: &str) -> Mqtt {
        toml::from_str(toml).unwrap()
    }

    fn refusal(toml: &str) -> String {
        mqtt(toml).access().map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn urls_are_read_or_explained() {
        let read = |url| address(url).unwrap();
        assert_eq!(read("mqtts://broker"), Address { host: "broker".to_owned(), port: 8883, encrypted: true });
        assert_eq!(read("mqtt://[::1]:2000/"), Address { host: "::1".to_owned(), port: 2000, encrypted: false });
        for bad in ["broker", "http://broker", "mqtt://", "mqtt://broker:x", "mqtt://broker/path", "mqtt://[::1]2"] {
            assert!(address(bad).is_err(), "{bad} must be refused");
        }
        let told = address("mqtt://kim:hunter2@broker").unwrap_err().to_string();
        assert!(told.contains("password_file") && !told.contains("hunter2"), "{told}");
    }

    #[test]
    fn secrets_that_everybody_can_read_are_refused_with_the_remedy() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        fs::write(&file, "s3cret\n").unwrap();
        let toml = format!("url='mqtt://b'\nusername='u'\npassword_file='{}'", file.display());
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(refusal(&toml).contains("chmod o-rwx"));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).unwrap();
        let (user, secret) = mqtt(&toml).access().unwrap().login.unwrap();
        assert_eq!((user.as_str(), secret.expose()), ("u", &b"s3cret"[..]));
        assert!(!format!("{secret:?}").contains("s3cret"));
    }

    #[test]
    fn half_a_configuration_is_refused() {
        assert!(refusal("url='mqtt://b'\npassword_file='x'").contains("mqtt.username"));
        assert!(refusal("url='mqtts://b'\nclient_cert_file='x'").contains("client_key_file"));
        assert!(refusal("url='mqtt://b'\nca_file='x'").contains("mqtts://"));
        assert!(refusal("url='mqtt://b'\nclient_id='a b'").contains("client_id"));
        assert!(toml::from_str::<Mqtt>("url='mqtt://b'\npassword='x'").is_err());
        assert!(matches!(Settings::choose(None, None), Err(BadSettings::NoWayIn)));
        assert!(matches!(Settings::choose(Some(mqtt("url='mqtt://b'")), Some(Listener::default())), Err(BadSettings::TwoWaysIn)));
    }

    #[test]
    fn a_listener_open_to_all_is_refused() {
        assert!(Listener::default().check().is_ok());
        let open: Listener = toml::from_str("listen='0.0.0.0:1883'").unwrap();
        assert!(open.check().unwrap_err().to_string().contains("password_file"));
    }
}
