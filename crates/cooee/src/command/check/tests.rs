//! Stories of `cooee check`, on real files.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use super::*;

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    fn sample() -> (Self, PathBuf) {
        let folder = Self::new();
        for secret in ["mqtt-password", "sms-first-token", "mail-password", "westside-webhook"] {
            folder.write(&format!("secrets/{secret}"), "a secret of more than 24 bytes");
        }
        folder.write("directory.toml", include_str!("../../../../../config/directory.toml"));
        let path = folder.write("cooee.toml", include_str!("../../../../../config/cooee.toml"));
        (folder, path)
    }
}

fn run(path: &Path) -> Report {
    // The process may have been given one by another test.
    let _given = rustls::crypto::ring::default_provider().install_default();
    check(path, &BTreeMap::new(), "2026-12-01T00:00:00Z".parse().unwrap())
}

#[test]
fn the_samples_can_be_used_as_they_are() {
    let (_folder, path) = Folder::sample();
    let report = run(&path);
    assert_eq!(
        report.text(),
        "3 people, 2 sites, 4 devices, 2 ladders: can be used, 0 warnings\nthe next 14 days, in 12 intervals: somebody is told \
         after 0 s at most, and a ladder that nobody answers is exhausted after 135 s at most\n"
    );
    assert_eq!(report.exit_code(), ExitCode::SUCCESS);
    assert_eq!(report.json()["usable"], true);
}

#[test]
fn a_ladder_that_rings_people_needs_an_account_that_makes_calls() {
    let (folder, path) = Folder::sample();
    let directory = folder.0.path().join("directory.toml");
    let rung = "\n[[ladder]]\nid = \"night\"\n[[ladder.rung]]\nnotify = [{ person = \"j-smith\", by = [\"voice\", \"sms\"] }]\n\
                [[ladder.rung]]\nnotify = [{ person = \"p-nair\" }]\n";
    std::fs::write(&directory, include_str!("../../../../../config/directory.toml").to_owned() + rung).unwrap();
    let report = run(&path);
    let whats: Vec<_> = report.findings.iter().map(|f| f.what.as_str()).collect();
    assert_eq!(whats, ["ladder \"night\": somebody is to be rung, and the settings have no [[voice]]"]);
    assert_eq!(report.exit_code(), ExitCode::from(1));
    folder.write("secrets/token", "a secret of more than 24 bytes");
    let account = "\n[[voice]]\nname = \"rings\"\naccount_sid = \"AC1\"\nauth_token_file = \"secrets/token\"\nfrom = \"+61480000000\"\n";
    std::fs::write(&path, include_str!("../../../../../config/cooee.toml").to_owned() + account).unwrap();
    assert_eq!(run(&path).findings, []);
}

#[test]
fn settings_and_directory_are_found_wrong_in_one_pass() {
    let (folder, path) = Folder::sample();
    let settings = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, settings.replace("name = \"westside\"", "name = \"eastside\"")).unwrap();
    std::fs::remove_file(folder.0.path().join("secrets/mail-password")).unwrap();
    let report = run(&path);
    let whats: Vec<_> = report.findings.iter().map(|f| f.what.as_str()).collect();
    assert_eq!(whats.len(), 2, "{whats:?}");
    assert!(whats[0].starts_with("email.password_file: cannot read"), "{whats:?}");
    assert_eq!(whats[1], "centre \"westside\": the settings have no [[webhook]] \"westside\"");
    assert!(report.findings[1].file.ends_with("directory.toml") && report.findings[1].line > 0);
    assert_eq!(report.exit_code(), ExitCode::from(1));
}

#[test]
fn each_room_is_asked_about_its_own_settings() {
    let (folder, path) = Folder::sample();
    let settings = std::fs::read_to_string(&path).unwrap();
    let settings = settings.replace("mqtts://broker.example.org:8883", "mqtts://kim:hunter2@broker");
    let settings = settings.replace("https://westside.example.org/duress", "http://westside.example.org/duress");
    let keys = "[[key]]\nid = \"a\"\nname = \"Gate\"\nrole = \"site\"\nhash = \"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855\"\n";
    std::fs::write(&path, settings + keys).unwrap();
    let shown = run(&path).text();
    for part in ["mqtt.password_file", "plain http", "names no site", "3 errors"] {
        assert!(shown.contains(part), "{part} is not in\n{shown}");
    }
    assert!(!shown.contains("hunter2"), "{shown}");
    drop(folder);
}

#[test]
fn a_file_that_is_not_there_is_another_exit_code() {
    let report = run(Path::new("no/such/cooee.toml"));
    assert_eq!((report.exit_code(), report.findings.len()), (ExitCode::from(2), 1));
    let (folder, path) = Folder::sample();
    std::fs::remove_file(folder.0.path().join("directory.toml")).unwrap();
    let report = run(&path);
    assert_eq!((report.exit_code(), report.findings.len()), (ExitCode::from(2), 1));
}
