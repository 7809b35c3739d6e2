//! Stories of `cooee rehearse`, on the sample files.

use std::os::unix::fs::PermissionsExt as _;

use clap::Parser as _;
use expect_test::{Expect, expect};

use super::*;
use crate::cli::{Command, Line};

struct Folder(tempfile::TempDir);

impl Folder {
    fn sample() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for secret in ["mqtt-password", "sms-first-token", "mail-password", "westside-webhook"] {
            folder.write(&format!("secrets/{secret}"), "a secret of more than 24 bytes");
        }
        folder.write("directory.toml", include_str!("../../../../../config/directory.toml"));
        folder.write("cooee.toml", include_str!("../../../../../config/cooee.toml"));
        folder
    }

    fn write(&self, name: &str, text: &str) {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
    }

    /// What a command line gives, `cooee rehearse` and the settings left out.
    fn rehearse(&self, line: &[&str]) -> anyhow::Result<Told> {
        let config = self.0.path().join("cooee.toml").display().to_string();
        let words = ["cooee", "rehearse", "--config", &config].into_iter().chain(line.iter().copied());
        let Some(Command::Rehearse(arguments)) = Line::try_parse_from(words)?.command else { panic!("another command") };
        rehearse(&arguments, "2026-12-01T00:00:00Z".parse().unwrap())
    }

    fn shows(&self, line: &[&str], expected: &Expect) {
        expected.assert_eq(&telling::text(&self.rehearse(line).unwrap()));
    }

    fn refuses(&self, line: &[&str], why: &str) {
        let error = self.rehearse(line).err().map(|error| format!("{error:#}")).unwrap_or_default();
        assert!(error.contains(why), "{error}");
    }
}

#[test]
fn a_press_on_christmas_evening_without_texts() {
    Folder::sample().shows(
        &["--site", "kalamunda-library", "--at", "2026-12-25 19:30", "--without", "sms"],
        &expect![[r#"
            Kalamunda Library, Back office: duress, ladder "counters"
            Fri 25 Dec 2026 19:30:00 (Australia/Perth), 2026-12-25T11:30:00Z, without sms, and nobody answers

                 0 s  19:30:00  rung 1 waits 30 s
                 0 s  19:30:00    J. Smith is NOT told by sms: it takes nothing, which is known after 20 s
                20 s  19:30:20    J. Smith is told by email
                30 s  19:30:30  rung 2 waits 45 s
                30 s  19:30:30    P. Nair is NOT told by sms: it takes nothing, which is known after 20 s
                30 s  19:30:30    P. Nair is told by email
                30 s  19:30:30    Duty manager is NOT told by sms: it takes nothing, which is known after 20 s
                50 s  19:30:50    Duty manager is passed over: everything was tried and nothing left
                75 s  19:31:15  rung 3 waits 60 s
                75 s  19:31:15    Westside Centre is told by webhook
               135 s  19:32:15  the ladder is exhausted
               135 s  19:32:15  round 1: everybody again
               135 s  19:32:15    J. Smith is NOT told by sms: it takes nothing, which is known after 20 s
               135 s  19:32:15    P. Nair is NOT told by sms: it takes nothing, which is known after 20 s
               135 s  19:32:15    P. Nair is told by email
               135 s  19:32:15    Duty manager is NOT told by sms: it takes nothing, which is known after 20 s
               135 s  19:32:15    Westside Centre is told by webhook

            somebody is told after 20 s; the ladder is exhausted after 135 s, and from then on its rounds go on without end
            told means that a message leaves: whether it arrives, nobody can rehearse
        "#]],
    );
}

#[test]
fn a_roster_says_who_is_on_duty_then() {
    Folder::sample().shows(
        &["--site", "forrestfield-hub", "--device", "pendant-1", "--at", "2026-12-25T19:30:00+08:00"],
        &expect![[r#"
            Forrestfield Community Hub, Outreach pendant: duress, ladder "outreach"
            Fri 25 Dec 2026 19:30:00 (Australia/Perth), 2026-12-25T11:30:00Z, and nobody answers

                 0 s  19:30:00  rung 1 waits 30 s; on duty in outreach: P. Nair until Sun 27 Dec 08:00
                 0 s  19:30:00    Duty manager is told by sms (first)
                 0 s  19:30:00    P. Nair is told by sms (first)
                30 s  19:30:30  rung 2 waits 60 s
                30 s  19:30:30    Westside Centre is told by webhook
                90 s  19:31:30  the ladder is exhausted
                90 s  19:31:30  round 1: everybody again
                90 s  19:31:30    Duty manager is told by sms (first)
                90 s  19:31:30    P. Nair is told by sms (first)
                90 s  19:31:30    Westside Centre is told by webhook

            somebody is told after 0 s; the ladder is exhausted after 90 s, and from then on its rounds go on without end
            told means that a message leaves: whether it arrives, nobody can rehearse
        "#]],
    );
}

#[test]
fn of_two_accounts_the_second_carries_on() {
    let folder = Folder::sample();
    folder.write("secrets/second", "a secret of more than 24 bytes");
    let second =
        "\n[[sms]]\nname = \"second\"\nkind = \"messagemedia\"\nuser = \"u\"\ntoken_file = \"secrets/second\"\nfrom = \"+61480000001\"\n";
    folder.write("cooee.toml", &(include_str!("../../../../../config/cooee.toml").to_owned() + second));
    let line = ["--site", "kalamunda-library", "--kind", "medical", "--without", "first", "--without", "westside"];
    folder.shows(
        &line,
        &expect![[r#"
            Kalamunda Library, Back office: medical, ladder "counters"
            Tue 1 Dec 2026 08:00:00 (Australia/Perth), 2026-12-01T00:00:00Z, without first, westside, and nobody answers

                 0 s  08:00:00  rung 1 waits 30 s
                 0 s  08:00:00    J. Smith is told by sms (second)
                30 s  08:00:30  rung 2 waits 45 s
                30 s  08:00:30    P. Nair is told by sms (second)
                30 s  08:00:30    P. Nair is told by email
                30 s  08:00:30    Duty manager is told by sms (second)
                75 s  08:01:15  rung 3 waits 60 s
                75 s  08:01:15    Westside Centre is NOT told by webhook: it takes nothing, which is known after 20 s
                95 s  08:01:35    Westside Centre is passed over: everything was tried and nothing left
                95 s  08:01:35  the ladder is exhausted
                95 s  08:01:35  round 1: everybody again
                95 s  08:01:35    J. Smith is told by sms (second)
                95 s  08:01:35    P. Nair is told by sms (second)
                95 s  08:01:35    P. Nair is told by email
                95 s  08:01:35    Duty manager is told by sms (second)
                95 s  08:01:35    Westside Centre is NOT told by webhook: it takes nothing, which is known after 20 s

            somebody is told after 0 s; the ladder is exhausted after 95 s, and from then on its rounds go on without end
            told means that a message leaves: whether it arrives, nobody can rehearse
        "#]],
    );
}

#[test]
fn the_picture_has_a_row_for_everybody_and_stands_alone() {
    let folder = Folder::sample();
    let directory = include_str!("../../../../../config/directory.toml").replace("\"P. Nair\"", "\"P. <Nair> & sons\"");
    folder.write("directory.toml", &directory);
    let told = folder.rehearse(&["--site", "kalamunda-library", "--at", "2026-12-25 19:30", "--without", "sms"]).unwrap();
    let svg = picture::svg(&told);
    for part in ["J. Smith", "P. &lt;Nair&gt; &amp; sons", "Duty manager", "Westside Centre", "rung 3", "exhausted", "sms takes nothing"] {
        assert!(svg.contains(part), "{part} is not in\n{svg}");
    }
    assert!(!svg.contains("href") && svg.ends_with("</svg>\n"), "{svg}");
    let path = folder.0.path().join("rehearsal.svg");
    write_private(&path, &svg).unwrap();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn what_cannot_be_rehearsed_is_said_with_what_could() {
    let folder = Folder::sample();
    folder.refuses(&["--site", "kalamunda"], "its sites are \"forrestfield-hub\", \"kalamunda-library\"");
    folder.refuses(&["--site", "kalamunda-library", "--device", "door"], "its devices are \"back-office\", \"front-counter-1\"");
    folder.refuses(&["--site", "kalamunda-library", "--without", "pigeon"], "there are desk, email, first, sms, voice, webhook, westside");
    folder.refuses(&["--site", "kalamunda-library", "--at", "tomorrow"], "write it by the site's clock");
    folder.refuses(&["--site", "kalamunda-library", "--at", "2026-12-25 19:30 +09:00"], "is no time");
    folder.refuses(&["--site", "kalamunda-library", "--kind", "fire"], "duress, panic, medical, welfare, assist");
    folder.write("directory.toml", "[[site]]\n");
    folder.refuses(&["--site", "kalamunda-library"], "the directory cannot be used");
}
