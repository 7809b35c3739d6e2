//! People, sites and buttons from sheets: what is shown, what is written, and that a press at a new counter reaches somebody.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use harness::Daemon;

use crate::town::{SMITH, SMITH_FIRST, Town, directory};

const PEOPLE: &str = "id,customer,name,mobile\nj-smith,kalamunda,J. Smith,0491 570 313\n\"a-lee\",kalamunda,\"Lee, A.\",+61491570157\n";
const SITES: &str =
    "ID;Customer;Name;Address;Suburb;State\r\nforrestfield;kalamunda;Forrestfield Library;2 Example Street;Forrestfield;WA\r\n";
const DEVICES: &str = "site,id,place,mounting\nforrestfield,desk,Returns desk,fixed\n";

/// A sheet beside the daemon's directory.
fn sheet(daemon: &Daemon, name: &str, text: &str) -> String {
    let path = daemon.config().with_file_name(name);
    std::fs::write(&path, text).expect("write a sheet");
    path.display().to_string()
}

fn file(daemon: &Daemon) -> PathBuf {
    daemon.config().with_file_name("directory.toml")
}

/// What else there is beside the directory under its name.
fn beside(daemon: &Daemon) -> Vec<PathBuf> {
    let folder = std::fs::read_dir(file(daemon).parent().unwrap()).unwrap();
    let paths = folder.map(|found| found.unwrap().path());
    paths.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("directory.toml.")).collect()
}

fn import(daemon: &Daemon, arguments: &[&str]) -> (Option<i32>, String) {
    let output = daemon.run(&[&["import"], arguments].concat());
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

#[tokio::test]
async fn a_press_at_an_imported_counter_reaches_an_imported_number() {
    let town = Town::open(SMITH_FIRST).await;
    let before = directory(SMITH_FIRST);
    let people = sheet(&town.daemon, "people.csv", PEOPLE);
    let sites = sheet(&town.daemon, "sites.csv", SITES);
    let devices = sheet(&town.daemon, "devices.csv", DEVICES);
    let sheets = ["--people", &people, "--sites", &sites, "--devices", &devices];
    let private = std::fs::Permissions::from_mode(0o640);
    std::fs::set_permissions(file(&town.daemon), private).unwrap();

    let (code, said) = import(&town.daemon, &sheets);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("people.csv: 1 new, 1 changed, 0 as they are"), "{said}");
    assert!(said.contains("mobile: +61 491 570 006  ->  0491 570 313"), "{said}");
    assert!(said.contains("+ site \"forrestfield\"  (line 2)") && said.contains("+ device \"forrestfield/desk\""), "{said}");
    assert!(said.contains("2 people of the directory are in no row and stay; take leavers out by hand: p-nair, s-lee"), "{said}");
    assert!(said.ends_with("Nothing was written. Add --apply to write it.\n"), "{said}");
    assert_eq!(std::fs::read_to_string(file(&town.daemon)).unwrap(), before, "a dry run writes nothing");

    let (code, said) = import(&town.daemon, &[&sheets[..], &["--apply"]].concat());
    assert_eq!(code, Some(0), "{said}");
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let [kept] = beside(&town.daemon).try_into().expect("one file of how it was, and nothing else");
    assert_eq!((mode(&file(&town.daemon)), mode(&kept)), (0o640, 0o640));
    assert_eq!(std::fs::read_to_string(&kept).unwrap(), before);
    assert_eq!(town.daemon.run(&["check"]).status.code(), Some(0));
    let (code, said) = import(&town.daemon, &[&sheets[..], &["--apply"]].concat());
    assert!(code == Some(0) && said.contains("says all of this already; nothing was written"), "{said}");
    assert_eq!(beside(&town.daemon), [kept], "nor kept anew");

    town.daemon.signal("HUP");
    town.daemon.expect_log("taken up anew").await;
    town.button.press_of("forrestfield", "desk").await;
    let text = town.gateway.phone("+61491570313").expect_sms("DURESS").await;
    assert!(text.body.contains("Forrestfield"), "{}", text.body);
    assert!(town.gateway.phone(SMITH).received().is_empty(), "the old number");
}

#[tokio::test]
async fn a_sheet_that_would_break_the_directory_changes_nothing() {
    let town = Town::open(SMITH_FIRST).await;
    let before = directory(SMITH_FIRST);
    let refused = [
        ("id,name,mobile\na-lee,A. Lee,491570157\n", "people.csv:2: mobile has no 0 or + in front"),
        ("id,name,mobile\na-lee,A. Lee,+6149157\n", "people.csv:2: person \"a-lee\": mobile has 7 digits"),
        ("id,mobile\nJ-Smith,+61491570157\n", "people.csv:2: person \"J-Smith\" differs from \"j-smith\""),
        ("id,mobile\np-nair,-\n", "people.csv:2: mobile of person \"p-nair\" is taken out of the directory by hand alone"),
        ("id,name,mobil\na-lee,A. Lee,+61491570157\n", "people.csv:1: a column is called \"mobil\""),
        ("id,mobile\na-lee,6.14916E+10\n", "people.csv:2: mobile was rounded by the spreadsheet program"),
        ("id,customer\nj-smith,\"kala\nmunda\"\n", "people.csv:2: person \"j-smith\": customer"),
    ];
    for (text, said_of_it) in refused {
        let people = sheet(&town.daemon, "people.csv", text);
        let (code, said) = import(&town.daemon, &["--people", &people, "--apply"]);
        assert_eq!(code, Some(1), "{said}");
        assert!(said.contains(said_of_it), "{said_of_it} is not said:\n{said}");
        assert_eq!(std::fs::read_to_string(file(&town.daemon)).unwrap(), before);
        assert!(beside(&town.daemon).is_empty());
    }
    // While somebody else imports nothing is written.
    let other = std::fs::File::open(file(&town.daemon).parent().unwrap()).unwrap();
    other.lock().unwrap();
    let people = sheet(&town.daemon, "people.csv", PEOPLE);
    let (code, _) = import(&town.daemon, &["--people", &people, "--apply"]);
    assert_eq!((code, std::fs::read_to_string(file(&town.daemon)).unwrap()), (Some(2), before));
    drop(other);
    let (code, _) = import(&town.daemon, &[]);
    assert_eq!(code, Some(2), "without a sheet there is nothing to do");
    let (code, _) = import(&town.daemon, &["--people", "/nowhere/people.csv"]);
    assert_eq!(code, Some(2));
}
