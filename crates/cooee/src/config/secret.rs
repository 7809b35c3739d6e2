//! Files that settings name: where they are looked for, and whether others can read a secret.
//!
//! Only whether a file is there and who may read it; its content is read by the room that needs it.

use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::layer::Layered;

/// Files that are meant to be shown to others.
const OPEN_FILES: [&str; 4] = ["ca_file", "client_cert_file", "cert_file", "acl_file"];
/// Where systemd puts credentials: owned by root, readable by the service alone whatever their mode says.
const CREDENTIALS: &str = "/run/credentials";

/// Where a path of the settings points: absolute as it is, a `*_file` in `$CREDENTIALS_DIRECTORY` where it is there,
/// anything else beside the settings.
pub(super) fn place(key: &str, written: &str, folder: &Path) -> PathBuf {
    let path = Path::new(written);
    if path.is_absolute() {
        return path.to_owned();
    }
    if key.ends_with("_file")
        && let (Some(credentials), Some(name)) = (std::env::var_os("CREDENTIALS_DIRECTORY"), path.file_name())
    {
        let credential = Path::new(&credentials).join(name);
        if credential.exists() {
            return credential;
        }
    }
    folder.join(path)
}

/// Looks at every `*_file` of every section.
pub(super) fn review(layered: &mut Layered<'_>) {
    for (at, written) in layered.texts() {
        let Some(key) = at.last().filter(|key| key.ends_with("_file")) else {
            continue;
        };
        let secret = !OPEN_FILES.contains(&key.as_str());
        let name = at.iter().filter(|step| step.parse::<usize>().is_err());
        let name = name.map(String::as_str).collect::<Vec<_>>().join(".");
        let steps: Vec<_> = at.iter().map(String::as_str).collect();
        if let Some((what, remedy)) = wrong(Path::new(&written), secret) {
            layered.error(&steps, &format!("{name}: {what}"), "", &remedy);
        }
    }
}

fn wrong(path: &Path, secret: bool) -> Option<(String, String)> {
    let shown = path.display();
    let about = match std::fs::metadata(path) {
        Ok(about) => about,
        Err(why) => {
            let remedy = if secret {
                "create it with the secret on its first line, mode 0600, owned by the service's user"
            } else {
                "create it, or correct the path"
            };
            return Some((format!("cannot read {shown}: {why}"), remedy.to_owned()));
        }
    };
    if !about.is_file() {
        return Some((format!("{shown} is not a file"), "name the file itself".to_owned()));
    }
    let from_systemd = path.starts_with(CREDENTIALS) && about.uid() == 0;
    if secret && !from_systemd && about.permissions().mode() & 0o077 != 0 {
        return Some((
            format!("others on this machine can read {shown}"),
            format!("chmod 600 {shown}, and change the secret if others had access"),
        ));
    }
    None
}
