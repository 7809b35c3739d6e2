//! Stories of `cooee check`, on real files.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use expect_test::expect;

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
    expect![["
        3 people, 2 sites, 4 devices, 2 ladders: can be used, 0 warnings
        the next 14 days, in 12 intervals: somebody is told after 0 s at most, and a ladder that nobody answers is exhausted after 135 s at most
          without email: somebody is told after 0 s at most, 3 independent at least
          without first: somebody is told after 20 s at most, 2 independent at least
          without westside: somebody is told after 0 s at most, 2 independent at least
    "]].assert_eq(&report.text());
    assert_eq!(report.exit_code(), ExitCode::SUCCESS);
    assert_eq!(report.json()["usable"], true);
}

#[test]
fn the_figures_of_a_ladder_are_there_for_programs() {
    let (_folder, path) = Folder::sample();
    let coverage = &run(&path).json()["coverage"];
    assert_eq!(
        (&coverage["days"], &coverage["first_told_after_s"], &coverage["exhausted_after_s"], &coverage["independent"]),
        (&json!(14), &json!(0), &json!(135), &json!(3))
    );
    expect![[r#"
        {
          "cases": [
            {
              "calendar": null,
              "intervals": 11,
              "kinds": [
                "duress",
                "panic",
                "medical",
                "welfare",
                "assist"
              ],
              "only": [],
              "rungs": [
                {
                  "addresses": 3,
                  "carriers": 2,
                  "parties": 2,
                  "rung": 1,
                  "transports": 2
                },
                {
                  "addresses": 1,
                  "carriers": 1,
                  "parties": 1,
                  "rung": 2,
                  "transports": 1
                }
              ],
              "timezone": "Australia/Perth",
              "without": [
                {
                  "carrier": "first",
                  "exhausted_after_s": 90,
                  "first_told_after_s": 20,
                  "independent": 2
                },
                {
                  "carrier": "email",
                  "exhausted_after_s": 90,
                  "first_told_after_s": 0,
                  "independent": 3
                },
                {
                  "carrier": "westside",
                  "exhausted_after_s": 50,
                  "first_told_after_s": 0,
                  "independent": 2
                }
              ],
              "worst": {
                "exhausted_after_s": 90,
                "first_told_after_s": 0,
                "independent": 3
              }
            }
          ],
          "ladder": "outreach",
          "worst": {
            "exhausted_after_s": 90,
            "first_told_after_s": 0,
            "independent": 3
          }
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&coverage["ladders"][1]).unwrap());
}

/// A ladder that is climbed by two clocks and for two sorts of calls has four cases, and is there once.
#[test]
fn every_ladder_is_there_once_with_its_cases() {
    let (folder, path) = Folder::sample();
    let site = "\n[[site]]\nid = \"hall\"\ncustomer = \"kalamunda\"\nname = \"Hall\"\ntimezone = \"Australia/Sydney\"\ncalendar = \"AU-NSW\"\n\
                address = \"1 Example Road\"\nsuburb = \"Sydney\"\nstate = \"NSW\"\ncross_street = \"Sample Street\"\nladder = \"night\"\n";
    let twin = site.replace("\"hall\"", "\"annexe\"").replace("calendar = \"AU-NSW\"\n", "");
    let other = twin.replace("\"annexe\"", "\"depot\"").replace("Australia/Sydney", "Australia/Perth");
    let rung = |who: &str, more: &str| format!("[[ladder.rung]]\nnotify = [{{ person = \"{who}\" }}]\n{more}\n");
    let (night, anytime) = (rung("j-smith", "hours = [\"mon-fri 18:00-08:00\"]\nkinds = [\"duress\"]"), rung("p-nair", ""));
    let ladder = format!("[[ladder]]\nid = \"night\"\n{night}{anytime}");
    let directory = include_str!("../../../../../config/directory.toml");
    folder.write("directory.toml", &format!("{directory}{site}{twin}{other}{ladder}"));
    let report = run(&path);
    let json = report.json();
    let ladders = json["coverage"]["ladders"].as_array().unwrap_or_else(|| panic!("{}", report.text()));
    let names: Vec<&str> = ladders.iter().map(|ladder| ladder["ladder"].as_str().unwrap()).collect();
    assert_eq!(names, ["counters", "outreach", "night"]);
    let cases: Vec<(&str, usize)> = ladders[2]["cases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|case| (case["timezone"].as_str().unwrap(), case["kinds"].as_array().unwrap().len()))
        .collect();
    assert_eq!(cases, [("Australia/Sydney", 1), ("Australia/Sydney", 4), ("Australia/Perth", 1), ("Australia/Perth", 4)]);
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

#[test]
fn the_map_shows_the_hours_that_are_not_covered() {
    let (folder, path) = Folder::sample();
    let directory = include_str!("../../../../../config/directory.toml");
    let nights = "\n[[roster]]\nid = \"nights\"\n[[roster.shift]]\npeople = [\"p-nair\"]\nhours = [\"mon-fri 18:30-06:00\"]\n\
                  [[ladder]]\nid = \"night\"\n[[ladder.rung]]\nnotify = [{ roster = \"nights\" }]\n\
                  [[ladder.rung]]\nnotify = [{ roster = \"nights\" }, { roster = \"outreach\" }]\n";
    folder.write("directory.toml", &(directory.to_owned() + nights));
    let report = run(&path);
    let proof = &report.figures.as_ref().unwrap().proof;
    let shown = map::text(proof);
    expect![["
         (Australia/Perth)
                    0     6     12    18
        Tue  1 Dec          .........1111111
        Wed  2 Dec  11111111.........1111111
        Thu  3 Dec  11111111.........1111111
        Fri  4 Dec  11111111.........1111111
        Sat  5 Dec  111111111111111111111111
        Sun  6 Dec  111111111111111111111111
        Mon  7 Dec  1111111111111111111.....
        Tue  8 Dec  ......1111111111111.....
        Wed  9 Dec  ......1111111111111.....
        Thu 10 Dec  ......1111111111111.....
        Fri 11 Dec  ......1111111111111.....
        Sat 12 Dec  ......111111111111111111
        Sun 13 Dec  111111111111111111111111
        Mon 14 Dec  11111111.........1111111
        Tue 15 Dec  11111111
    "]]
    .assert_eq(shown.split_once("ladder \"night\"").unwrap().1);
    let svg = map::svg(proof);
    assert!(svg.contains("#f0964a") && svg.contains("outreach") && !svg.contains("Nair"), "{svg}");
}

/// On the day on which the clock is put back an hour comes twice and is drawn once; a day is never wider than a day.
#[test]
fn a_day_on_which_the_clock_is_moved_is_a_row_like_any_other() {
    let (folder, path) = Folder::sample();
    folder.write("directory.toml", &include_str!("../../../../../config/directory.toml").replace("Australia/Perth", "Australia/Sydney"));
    let _given = rustls::crypto::ring::default_provider().install_default();
    let report = check(&path, &BTreeMap::new(), "2026-09-30T00:00:00Z".parse().unwrap());
    let shown = map::text(&report.figures.as_ref().unwrap().proof);
    assert!(shown.contains("Sun  4 Oct  .. ....................."), "{shown}");
    assert!(shown.contains("Sat  3 Oct  ........................"), "{shown}");
}
