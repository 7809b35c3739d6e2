//! People, sites and buttons from sheets: what is shown, what is written, and that a press at a new counter reaches somebody.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

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
    let mode = |name: &str| std::fs::metadata(town.daemon.config().with_file_name(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("directory.toml"), mode("directory.toml.before")), (0o640, 0o640));
    let kept = std::fs::read_to_string(town.daemon.config().with_file_name("directory.toml.before")).unwrap();
    assert_eq!(kept, before);
    assert_eq!(town.daemon.run(&["check"]).status.code(), Some(0));
    let (code, said) = import(&town.daemon, &[&sheets[..], &["--apply"]].concat());
    assert!(code == Some(0) && said.contains("says all of this already; nothing was written"), "{said}");
    assert_eq!(std::fs::read_to_string(town.daemon.config().with_file_name("directory.toml.before")).unwrap(), before, "nor kept anew");

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
        ("id,name,mobile\na-lee,A. Lee,491570157\n", "people.csv:2: person \"a-lee\": mobile does not begin with +"),
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
        assert!(!file(&town.daemon).with_extension("toml.before").exists());
    }
    let (code, _) = import(&town.daemon, &[]);
    assert_eq!(code, Some(2), "without a sheet there is nothing to do");
    let (code, _) = import(&town.daemon, &["--people", "/nowhere/people.csv"]);
    assert_eq!(code, Some(2));
}
