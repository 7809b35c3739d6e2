use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;

const DIRECTORY: &str = r#"# Ours.

[defaults]
timezone = "Australia/Perth"

[[customer]]
id = "kalamunda"
name = "City of Kalamunda"
prefix = "KAL"
ladder = "counters"

[[person]]
id = "j-smith"
name = "J. Smith"
mobile = "0491 570 006"                # on holiday in May
based_at = "library"

[[person]]
id = "p-nair"
mobile = "+61 491 570 156"

# The library.
[[site]]
id = "library"
name = "Library"
address = "7 Example Road"

[[device]]
id = "front"
site = "library"

[[ladder]]
id = "counters"

[[ladder.rung]]
notify = [{ person = "j-smith", by = ["sms"] }, { person = "p-nair", by = ["sms"] }]
wait = "2m"
"#;

fn sheet(subject: Subject, text: &str) -> Sheet {
    Sheet::read(subject, &format!("{}.csv", subject.words()), text.as_bytes()).expect("a sheet without mistakes")
}

fn import(subject: Subject, text: &str) -> Import {
    Import::of("directory.toml", DIRECTORY, &[sheet(subject, text)]).expect("a directory that can be changed")
}

/// What a sheet changes of the directory's text, line by line.
fn difference(subject: Subject, text: &str, expected: &Expect) {
    let after = import(subject, text).text;
    let (before, after): (Vec<_>, Vec<_>) = (DIRECTORY.lines().collect(), after.lines().collect());
    let alike = before.iter().zip(&after).take_while(|(one, other)| one == other).count();
    let rest = before.len().min(after.len()) - alike;
    let behind = before.iter().rev().zip(after.iter().rev()).take(rest).take_while(|(one, other)| one == other).count();
    let shown = |lines: &[&str], mark: &str| {
        lines[alike..lines.len() - behind].iter().fold(String::new(), |shown, line| shown + mark + " " + line + "\n")
    };
    expected.assert_eq(&format!("{}{}", shown(&before, "-"), shown(&after, "+")));
}

fn mistakes(subject: Subject, bytes: &[u8], expected: &Expect) {
    let findings = Sheet::read(subject, "sheet.csv", bytes).expect_err("a sheet with mistakes");
    expected.assert_eq(&shown(&findings));
}

fn shown(findings: &[Finding]) -> String {
    findings.iter().fold(String::new(), |shown, finding| shown + &finding.to_string() + "\n")
}

#[test]
fn a_changed_cell_changes_its_value_and_leaves_the_comment() {
    difference(
        Subject::People,
        "id,name,mobile\nj-smith,J. Smith,0491 570 007\n",
        &expect![[r#"
            - mobile = "0491 570 006"                # on holiday in May
            + mobile = "0491 570 007"                # on holiday in May
        "#]],
    );
}

#[test]
fn a_new_row_is_put_behind_everything() {
    difference(
        Subject::People,
        "id,name,mobile\na-lee,A. Lee,+61491570157\n",
        &expect![[r#"
            + 
            + [[person]]
            + id = "a-lee"
            + name = "A. Lee"
            + mobile = "+61491570157"
        "#]],
    );
    difference(
        Subject::Devices,
        "Site;ID;Place\nlibrary;rear;Rear door\n",
        &expect![[r#"
            + 
            + [[device]]
            + site = "library"
            + id = "rear"
            + place = "Rear door"
        "#]],
    );
}

#[test]
fn a_blank_cell_says_nothing_and_a_dash_takes_a_key_out() {
    difference(Subject::People, "id,mobile,email,based_at\nj-smith,,,\n", &expect![[""]]);
    difference(
        Subject::People,
        "id,name,email\nj-smith,-,-\n",
        &expect![[r#"
            - name = "J. Smith"
        "#]],
    );
}

/// What a site with these roles says once a sheet's cells of a warden and a deputy are taken, and what that changes.
fn with_roles(roles: &str, cells: &str) -> String {
    let before = DIRECTORY.replacen("address = \"7 Example Road\"\n", &format!("address = \"7 Example Road\"\n{roles}"), 1);
    let sheet = sheet(Subject::Sites, &format!("id,Roles.warden,roles.deputy\nlibrary,{cells}\n"));
    let import = Import::of("directory.toml", &before, &[sheet]).expect("a directory that can be changed");
    let of_site = import.text.split_once("address = \"7 Example Road\"\n").unwrap().1.split_once("\n[[device]]").unwrap().0.to_owned();
    let cells = import.sheets[0].changes.iter().flat_map(|change| &change.cells);
    let said: Vec<String> = cells.map(|cell| format!("{}: {:?} -> {:?}\n", cell.0, cell.1, cell.2)).collect();
    let errors: Vec<Finding> = import.findings.into_iter().filter(|finding| finding.severity == Severity::Error).collect();
    format!("{of_site}{}{}", said.concat(), shown(&errors))
}

fn all(expected: &[(&str, &str, Expect)]) {
    for (before, cells, becomes) in expected {
        becomes.assert_eq(&with_roles(before, cells));
    }
}

#[test]
fn a_column_says_who_has_a_role() {
    all(&[
        (
            "",
            "j-smith p-nair,nobody",
            expect![[r#"
                roles.warden = ["j-smith", "p-nair"]
                roles.deputy = []
                roles.warden: None -> Some("j-smith p-nair")
                roles.deputy: None -> Some("nobody")
            "#]],
        ),
        (
            "roles.warden = [\"j-smith\"] # him\n",
            "\"p-nair, j-smith\",",
            expect![[r#"
                roles.warden = ["p-nair", "j-smith"] # him
                roles.warden: Some("j-smith") -> Some("p-nair, j-smith")
            "#]],
        ),
        (
            "roles.warden = [\"j-smith\", \"p-nair\"]\n",
            "j-smith;p-nair,-",
            expect![[r#"
                roles.warden = ["j-smith", "p-nair"]
                sites.csv:2: roles.deputy of site "library" is "-"
                  write  nobody  where nobody has the role there; leave the cell blank to leave what the directory says
            "#]],
        ),
        (
            "roles.warden = [\"j-smith\", \"p-nair\"]\n",
            "p-nair j-smith,",
            expect![[r#"
            roles.warden = ["j-smith", "p-nair"]
        "#]],
        ),
        (
            "roles.warden = [\n  \"j-smith\", # Mon-Wed\n]\n",
            "p-nair,",
            expect![[r#"
            roles.warden = [
              "j-smith", # Mon-Wed
            ]
            sites.csv:2: roles.warden of site "library" has notes between its lines, which would be lost
              leave the cell blank, or change the directory by hand
        "#]],
        ),
        (
            "roles.warden = [{ group = \"g\" }]\nroles.deputy = [\"p-nair\"]\n",
            "j-smith,-",
            expect![[r#"
                roles.warden = [{ group = "g" }]
                roles.deputy = ["p-nair"]
                sites.csv:2: roles.warden of site "library" is a group's or a roster's, and a sheet has persons alone
                  leave the cell blank, or change the directory by hand
                sites.csv:2: roles.deputy of site "library" is taken out of the directory by hand alone
                  leave the cell blank to leave what the directory says
                sites.csv:2: site "library", roles.warden: there is no group "g"
                  add a [[group]] of that id, or name one that is there
            "#]],
        ),
    ]);
}

#[test]
fn a_role_is_written_where_a_site_writes_its_roles() {
    all(&[
        (
            "roles = { warden = [] }\n",
            "j-smith,p-nair",
            expect![[r#"
                roles = { warden = ["j-smith"], deputy = ["p-nair"] }
                roles.warden: Some("nobody") -> Some("j-smith")
                roles.deputy: None -> Some("p-nair")
            "#]],
        ),
        (
            "roles = {}\n",
            "j-smith,p-nair",
            expect![[r#"
                roles = { warden = ["j-smith"], deputy = ["p-nair"] }
                roles.warden: None -> Some("j-smith")
                roles.deputy: None -> Some("p-nair")
            "#]],
        ),
        (
            "[site.roles] # ours\nwarden = [\n  \"j-smith\",\n]\n",
            "p-nair,j-smith",
            expect![[r#"
                [site.roles] # ours
                warden = ["p-nair"]
                deputy = ["j-smith"]
                roles.warden: Some("j-smith") -> Some("p-nair")
                roles.deputy: None -> Some("j-smith")
            "#]],
        ),
    ]);
}

#[test]
fn whoever_loses_the_last_thing_that_has_them_told_is_named() {
    let rung = "notify = [{ person = \"j-smith\", by = [\"sms\"] }, { person = \"p-nair\", by = [\"sms\"] }]";
    let asking = DIRECTORY.replacen(rung, "notify = [{ role = \"warden\" }, { person = \"j-smith\" }]", 1).replacen(
        "[[device]]",
        "roles.warden = [\"j-smith\", \"p-nair\"]\n[[device]]",
        1,
    ) + "[fallback]\nladder = \"x\"\n[[ladder]]\nid = \"x\"\n[[ladder.rung]]\nnotify = [{ person = \"j-smith\" }]\n";
    let silenced = |cell: &str| {
        let import =
            Import::of("directory.toml", &asking, &[sheet(Subject::Sites, &format!("id,roles.warden\nlibrary,{cell}\n"))]).unwrap();
        assert!(!import.is_refused(), "{:?}", import.findings);
        import.silenced
    };
    assert_eq!(silenced("p-nair"), [""; 0], "j-smith is named on a rung as well");
    assert_eq!(silenced("j-smith"), ["p-nair"]);
    assert_eq!(silenced("nobody"), ["p-nair"]);
}

#[test]
fn a_column_of_a_role_is_one_of_a_site_and_names_a_role() {
    difference(
        Subject::Sites,
        "id,name,address,roles.warden\nhall,Hall,2 Example Road,j-smith\n",
        &expect![[r#"
        + 
        + [[site]]
        + id = "hall"
        + name = "Hall"
        + address = "2 Example Road"
        + roles.warden = ["j-smith"]
    "#]],
    );
    mistakes(
        Subject::Sites,
        b"id,roles.,roles.two words,roles.Warden,roles.Warden,role\nlibrary,,,,,\n",
        &expect![[r#"
        sheet.csv:1: a column is called "roles.", which names no role
          name the role as a rung of the ladder does:  roles.warden
        sheet.csv:1: a column is called "roles.two words", which names no role
          name the role as a rung of the ladder does:  roles.warden
        sheet.csv:1: two columns are called "roles.Warden"
          leave one of the two
        sheet.csv:1: a column is called "role", and sites have none of that name
          take it out, or name it one of: id, customer, extends, name, sms_name, address, suburb, state, cross_street, entry, rendezvous, hazards, phone, timezone, ladder, plan, calendar, eta_limit, feedback, close_guard, or roles.NAME
    "#]],
    );
    mistakes(
        Subject::Sites,
        b"id,roles.warden\nlibrary,none\n",
        &expect![[r#"
        sheet.csv:2: roles.warden is "none"
          leave the cell blank to leave what the directory says; write - to take a text out
    "#]],
    );
    mistakes(
        Subject::People,
        b"id,roles.warden\nj-smith,library\n",
        &expect![[r#"
        sheet.csv:1: a column is called "roles.warden", and people have none of that name
          take it out, or name it one of: id, customer, name, mobile, email, based_at
    "#]],
    );
    let strange = DIRECTORY.replacen("[[device]]", "roles = 3\n[[device]]", 1);
    let no_list = Import::of("directory.toml", &strange, &[sheet(Subject::Sites, "id,roles.warden\nlibrary,p-nair\n")]);
    expect!["directory.toml:23: roles.warden of this site is no value of one line; write it so first"]
        .assert_eq(&no_list.unwrap_err().to_string());
}

#[test]
fn what_the_directory_says_already_changes_no_byte_of_it() {
    let same = import(Subject::People, "\u{feff}id\tmobile\r\nj-smith\t+61 491 570 006\r\np-nair\t0491-570-156\r\n");
    assert_eq!((same.text.as_str(), same.is_nothing(), same.sheets[0].unchanged), (DIRECTORY, true, 2));
}

#[test]
fn who_is_in_no_row_stays_and_is_named() {
    let import = import(Subject::People, "id,name\nj-smith,Jo Smith\n");
    let left: Vec<String> = import.sheets[0].left.iter().map(Key::to_string).collect();
    assert_eq!(left, ["p-nair"]);
    assert!(import.text.contains("p-nair"));
}

#[test]
fn a_button_of_the_same_name_at_another_site_is_another_one() {
    let import = import(Subject::Devices, "site,id,place\nlibrary,front,Front desk\nannexe,front,Annexe\n");
    let changes: Vec<_> = import.sheets[0].changes.iter().map(|change| (change.key.to_string(), change.is_new)).collect();
    assert_eq!(changes, [("library/front".to_owned(), false), ("annexe/front".to_owned(), true)]);
}

#[test]
fn what_it_would_mean_is_said_by_the_line_of_the_sheet() {
    let import = import(Subject::People, "id,name,mobile\nj-smith,Jo Smith,0491 570 006\n\na-lee,A. Lee,+6149157\n");
    assert!(import.is_refused());
    let shown = shown(&import.findings);
    expect![[r#"
        people.csv:4: person "a-lee": mobile has 7 digits; a number has 8 to 15
          write it with its country code: "+61 4xx xxx xxx"
    "#]]
    .assert_eq(&shown);
}

#[test]
fn a_warning_that_was_there_is_not_said_again_and_an_error_always_is() {
    let before = DIRECTORY.replace("address = \"7 Example Road\"\n", "");
    let sheets = [sheet(Subject::People, "id,name\na-lee,A. Lee\n")];
    let import = Import::of("directory.toml", &before, &sheets).unwrap();
    let said = |import: &Import| {
        let said = import.findings.iter().map(|finding| (finding.file.clone(), finding.line, finding.what.clone()));
        said.collect::<Vec<_>>()
    };
    assert_eq!(said(&import), [("people.csv".to_owned(), 2, "person \"a-lee\": there is no way to reach this person".to_owned())]);
    assert!(!import.is_refused(), "a warning is shown and keeps nobody from writing");
    let broken = before.replace("ladder = \"counters\"", "ladder = \"counter\"");
    for rows in ["id,name\na-lee,A. Lee\n", "id,name\nj-smith,J. Smith\n"] {
        let import = Import::of("directory.toml", &broken, &[sheet(Subject::People, rows)]).unwrap();
        assert!(import.is_refused(), "the station would take up nothing of it");
        assert!(said(&import).iter().any(|(file, line, what)| file == "directory.toml" && *line == 10 && what.contains("no ladder")));
    }
}

#[test]
fn a_wrong_number_in_place_of_a_wrong_number_is_refused() {
    let before = DIRECTORY.replace("0491 570 006", "123");
    let import = Import::of("directory.toml", &before, &[sheet(Subject::People, "id,mobile\nj-smith,+6149157\n")]).unwrap();
    assert!(import.is_refused());
    assert_eq!((import.findings[0].file.as_str(), import.findings[0].line), ("people.csv", 2));
}

#[test]
fn an_id_that_people_take_for_another_is_refused() {
    for (rows, other) in [("J-Smith", "j-smith"), ("j_smith", "j-smith"), ("jsmith", "j-smith"), ("a.lee,1\nA-Lee", "a.lee")] {
        let import = import(Subject::People, &format!("id,name\n{rows},2\n"));
        let said = import.findings.iter().find(|finding| finding.severity == Severity::Error).expect("an error");
        assert!(said.what.contains(&format!("differs from \"{other}\" by no more than its spelling")), "{said}");
    }
}

#[test]
fn two_that_the_directory_has_are_two_however_alike() {
    let directory = DIRECTORY.replace("[[ladder]]\n", "[[person]]\nid = \"j.smith\"\nemail = \"j@example.org\"\n\n[[ladder]]\n");
    let both = [sheet(Subject::People, "id,name\nj-smith,Jo\nj.smith,Jay\n")];
    let import = Import::of("directory.toml", &directory, &both).unwrap();
    assert!(!import.is_refused(), "{:?}", import.findings);
    assert_eq!(import.sheets[0].changes.len(), 2);
}

/// A person without a customer may be told of every customer's calls, and one without a number of none.
#[test]
fn whose_somebody_is_and_how_they_are_reached_is_taken_out_by_hand_alone() {
    for subject in [Subject::People, Subject::Sites, Subject::Devices] {
        for column in subject.columns().iter().filter(|column| !subject.naming().contains(column)) {
            let section = subject.section();
            let naming = subject.naming().iter().fold(String::new(), |keys, key| keys + key + " = \"a\"\n");
            let directory = format!("[[{section}]]\n{naming}{column} = \"x\"\n");
            let cells = vec!["a"; subject.naming().len()].join(",");
            let rows = format!("{},{column}\n{cells},-\n", subject.naming().join(","));
            let import = Import::of("directory.toml", &directory, &[sheet(subject, &rows)]).unwrap();
            let is_refused = import.findings.iter().any(|finding| finding.what.contains("by hand alone") && finding.line == 2);
            assert_eq!(is_refused, !subject.taken_out().contains(column), "{section} {column}: {:?}", import.findings);
        }
    }
    let new = import(Subject::People, "id,name,mobile,email\na-lee,A. Lee,-,a@example.org\n");
    assert!(!new.is_refused(), "of somebody new nothing is taken out: {:?}", new.findings);
}

/// Of everybody who would be told of nothing the operator hears, however often the directory names them.
#[test]
fn who_is_new_and_would_be_told_of_nothing_is_named() {
    let told_by = |rung: &str, rest: &str| {
        let directory = DIRECTORY.replace("{ person = \"p-nair\", by = [\"sms\"] }", rung) + rest;
        let new = [sheet(Subject::People, "id,mobile\na-lee,+61491570157\n")];
        let import = Import::of("directory.toml", &directory, &new).unwrap();
        assert!(!import.is_refused(), "{:?}", import.findings);
        import.sheets[0].untold.is_empty()
    };
    let other = "{ person = \"p-nair\" }";
    let group = "[[group]]\nid = \"g\"\nmembers = [\"a-lee\"]\n";
    let roster = "[[roster]]\nid = \"r\"\n[[roster.shift]]\npeople = [\"a-lee\", \"p-nair\"]\n";
    let swap = "[[roster]]\nid = \"r\"\n[[roster.shift]]\npeople = [\"p-nair\"]\n\
                [[roster.swap]]\noff = \"a-lee\"\non = \"j-smith\"\nfrom = \"2031-01-01 08:00\"\nuntil = \"2031-01-02 08:00\"\n";
    let spare = "[[ladder]]\nid = \"spare\"\n[[ladder.rung]]\nnotify = [{ person = \"a-lee\" }]\n[[ladder.rung]]\nnotify = [{ person = \"p-nair\" }]\n";
    for (rung, rest, is_told) in [
        ("{ person = \"a-lee\" }", "", true),
        ("{ group = \"g\" }", group, true),
        ("{ roster = \"r\" }", roster, true),
        (other, "", false),
        (other, group, false),
        (other, roster, false),
        ("{ roster = \"r\" }", swap, false),
        (other, spare, false),
        (other, &format!("{spare}[technical]\nladder = \"spare\"\n"), true),
        (other, &format!("{spare}[fallback]\nladder = \"spare\"\n"), true),
    ] {
        assert_eq!(told_by(rung, rest), is_told, "{rung} {rest}");
    }
}

/// Every byte that no row speaks of: line ends, marks, comments above and below, other people's alignment.
#[test]
fn what_no_row_speaks_of_stays_to_the_byte() {
    let directory = "\u{feff}[defaults]\r\ntimezone = \"UTC\"\r\nladder = \"l\"\r\n[[person]]\r\n'id' = 'a'\r\n# Never without asking Pat.\r\n\
                     mobile   =  '+61 491 570 006'   # pager\r\nname = \"A\"   # old\r\n# retired in May\r\n\r\n[[site]]\r\nid = \"s\"\r\nname = \"S\"\r\naddress = \"1 Example Road\"\r\n\
                     [[ladder]]\r\nid = \"l\"\r\n[[ladder.rung]]\r\nnotify = [{ person = \"a\" }]";
    let rows = [sheet(Subject::People, "id,mobile,name,email\na,+61491570157,-,a@example.org\nb,+61491570158,,\n")];
    let import = Import::of("directory.toml", directory, &rows).unwrap();
    assert!(!import.is_refused(), "{:?}", import.findings);
    let expected =
        directory.replace("'+61 491 570 006'", "\"+61491570157\"").replace("name = \"A\"   # old\r\n", "email = \"a@example.org\"\r\n")
            + "\r\n\r\n[[person]]\r\nid = \"b\"\r\nmobile = \"+61491570158\"\r\n";
    assert_eq!(import.text, expected);
}

/// Wherever it stands: before, right behind and far behind what was taken out, and what was added.
#[test]
fn a_finding_of_the_directory_has_the_line_that_it_has_now() {
    let rows = "id,customer,email,name,mobile\nj-smith,kalamunda,j@example.org,-,\nb,,,,+61491570158\n";
    for (place, line) in DIRECTORY.lines().enumerate().filter(|(_, line)| line.contains(" = ") && !line.starts_with("notify")) {
        let stray = DIRECTORY.replacen(line, &format!("{line}\nstray = 1"), 1);
        let import = Import::of("directory.toml", &stray, &[sheet(Subject::People, rows)]).unwrap();
        let said = import.findings.iter().find(|finding| finding.what.contains("not a known key")).expect("the stray key");
        assert_eq!((said.file.as_str(), said.line), ("directory.toml", place + 2), "behind {line}");
    }
}

#[test]
fn what_is_wrong_with_the_directory_is_said_without_what_stands_there() {
    let broken = DIRECTORY.replace("\"0491 570 006\"", "\"0491 570 006");
    let said = format!("{:#}", Import::of("directory.toml", &broken, &[]).unwrap_err());
    assert!(said.starts_with("directory.toml:15: ") && !said.contains("570"), "{said}");
}

#[test]
fn a_directory_that_says_it_otherwise_is_left_alone() {
    let people = [sheet(Subject::People, "id\na-lee\n")];
    let refused = |text: &str| format!("{:#}", Import::of("directory.toml", text, &people).unwrap_err());
    expect!["directory.toml does not write each person under a heading [[person]] of its own, so nothing can be added; write them so, and try again"]
        .assert_eq(&refused("person = [{ id = \"j-smith\" }]\n"));
    assert!(refused("[[person]\n").contains("because it is not TOML"));
}

#[test]
fn mistakes_of_a_sheet_have_their_lines() {
    mistakes(
        Subject::People,
        b"id,mobile\nj-smith,+61491570006\n\n\"a\nb\",1\n,+61491570006\nj-smith,6.14916E+10\nk,1,2\n",
        &expect![[r#"
            sheet.csv:6: this row has no id
              write it, or take the row out
            sheet.csv:7: mobile was rounded by the spreadsheet program: its last digits are lost
              format that column as text, write the number again, and save
            sheet.csv:7: person "j-smith" is there twice; first on line 2
              leave one of the two
            sheet.csv:8: this row has 3 cells, and the first line has 2
              put a text with a comma in it between double quotes, with no blank before the first; save the sheet anew
        "#]],
    );
    mistakes(
        Subject::Devices,
        b"id,plase,id\nfront,Counter,1\n",
        &expect![[r#"
            sheet.csv:1: a column is called "plase", and devices have none of that name
              take it out, or name it one of: site, id, place, sms_name, mounting, kind, ladder, supervision
            sheet.csv:1: two columns are called "id"
              leave one of the two
            sheet.csv:1: there is no column "site", so nobody could say which of the devices a row is
              add it: its cells are the names that the directory uses
        "#]],
    );
}

#[test]
fn cells_that_stand_under_another_name_are_refused() {
    let rows = "id,name,address,suburb,phone,state\nlib,Library,Unit 3, 7 Example Road,,,\nlib2,Lib2,Kalamunda,WA\nlib3, \"Main\",1 Road,,,\nlib4,Library,Unit 3, 7 Example Road,,\nlib5,\"\"\"Main\"\"\",1 Road,,,\nok,O,1 Road,,,\n";
    mistakes(
        Subject::Sites,
        rows.as_bytes(),
        &expect![[r"
            sheet.csv:2: this row has 7 cells, and the first line has 6
              put a text with a comma in it between double quotes, with no blank before the first; save the sheet anew
            sheet.csv:3: this row has 4 cells, and the first line has 6
              put a text with a comma in it between double quotes, with no blank before the first; save the sheet anew
            sheet.csv:4: name begins with a blank
              take it out; a text with a comma in it stands between double quotes
            sheet.csv:4: name begins with a quotation mark
              let no blank stand between the comma and the quotation mark
            sheet.csv:5: suburb begins with a blank
              take it out; a text with a comma in it stands between double quotes
            sheet.csv:6: name begins with a quotation mark
              let no blank stand between the comma and the quotation mark
        "]],
    );
    let wider = sheet(Subject::People, "id,name,,\na,A,,\n");
    assert_eq!(wider.rows.len(), 1, "columns without a name to the right of the others are nobody's");
}

#[test]
fn what_a_program_left_in_a_cell_is_refused() {
    mistakes(
        Subject::Sites,
        "id,address,phone,entry\na,#REF!,895550111,1E+2\nb,####,08 9555 0111,\nc,\u{2013},6.1E+10,\nd,1 Road,1800 555 011,-\n".as_bytes(),
        &expect![[r#####"
            sheet.csv:2: address is "#REF!", which the spreadsheet program wrote in place of something
              format that column as text, write the number again, and save
            sheet.csv:2: phone has no 0 or + in front: the spreadsheet program may have cut it off, or it has no area code
              format that column as text, write the number again with its area code, and save
            sheet.csv:3: address is "####", which the spreadsheet program wrote in place of something
              format that column as text, write the number again, and save
            sheet.csv:4: address is "–"
              leave the cell blank to leave what the directory says; write - to take a text out
            sheet.csv:4: phone was rounded by the spreadsheet program: its last digits are lost
              format that column as text, write the number again, and save
        "#####]],
    );
    mistakes(
        Subject::People,
        b"sep=;\nid;name\na;A\n",
        &expect![[r"
        sheet.csv:1: the first line names a separator and no columns
          take that line out
    "]],
    );
    mistakes(
        Subject::People,
        b"id,name\ra,A\rb,B\ra,A\r",
        &expect![[r#"
        sheet.csv:4: person "a" is there twice; first on line 2
          leave one of the two
    "#]],
    );
}

#[test]
fn a_sheet_in_another_encoding_is_refused_where_it_shows() {
    mistakes(
        Subject::People,
        b"id,name\na,Anne\nb,Ren\xe9\n",
        &expect![[r#"
            sheet.csv:3: there are letters on this line that are not UTF-8, so a name would be written wrongly
              save it again as "CSV UTF-8"
        "#]],
    );
    let utf16: Vec<u8> = "id,name\n".bytes().flat_map(|byte| [byte, 0]).collect();
    mistakes(
        Subject::People,
        &utf16,
        &expect![[r#"
            sheet.csv:1: this is no CSV file: there are null characters in it
              save it again as "CSV UTF-8"
        "#]],
    );
    mistakes(
        Subject::People,
        b" \n,,\n",
        &expect![[r"
            sheet.csv:1: there is nothing in it
              give it a first line with the names of its columns
        "]],
    );
}

/// Every column is a key that the directory's reader knows: a sheet with all of them leaves no key unknown.
#[test]
fn every_column_is_a_key_of_the_directory() {
    for subject in [Subject::People, Subject::Sites, Subject::Devices] {
        let columns = subject.columns();
        let row: Vec<&str> = columns.iter().map(|_| "x1").collect();
        let text = format!("{}\n{}\n", columns.join(","), row.join(","));
        let import = import(subject, &text);
        let unknown: Vec<_> = import.findings.iter().filter(|finding| finding.what.contains("not a known key")).collect();
        assert_eq!(unknown, Vec::<&Finding>::new());
        assert!(import.text.contains("= \"x1\""), "{}", import.text);
    }
    // The reader says so of a key that it does not know; else the line above could not fail.
    let parsed = Draft::parse("directory.toml", &DIRECTORY.replace("based_at", "baced_at"));
    assert!(parsed.findings.iter().any(|finding| finding.what.contains("not a known key")), "{:?}", parsed.findings);
}

/// A text that people write into cells, quotes and all; not one that is taken for a slip.
fn cell() -> impl Strategy<Value = String> {
    let says_something = |text: &String| text.contains(char::is_alphanumeric) && !text.starts_with('"');
    "[a-zé \"',;#=\\[\\]\\\\-]{1,12}".prop_map(|text| text.trim().to_owned()).prop_filter("says something", says_something)
}

proptest! {
    /// What a sheet says stands in the directory, whatever it says; taking it a second time changes nothing; and everybody
    /// else is as they were.
    #[test]
    fn what_is_taken_is_there_and_taking_it_again_is_nothing(names in prop::collection::btree_map("[a-z]{1,6}", cell(), 1..6)) {
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        let rows: Vec<String> = names.iter().map(|(id, name)| format!("{id},{}", quoted(name))).collect();
        let rows = rows.join("\n");
        let people = [sheet(Subject::People, &format!("id,name\n{rows}"))];
        let import = Import::of("directory.toml", DIRECTORY, &people).unwrap();
        let parsed = Draft::parse("directory.toml", &import.text);
        let draft = parsed.draft.expect("a directory without errors");
        for (id, name) in &names {
            let person = draft.people.iter().find(|person| person.id.as_str() == id).expect("is there");
            prop_assert_eq!(&person.name, name);
        }
        prop_assert_eq!(draft.people.len(), names.len() + 2);
        let before = Draft::parse("directory.toml", DIRECTORY).draft.expect("a directory without errors");
        for old in &before.people {
            let now = draft.people.iter().find(|person| person.id == old.id).expect("stays");
            prop_assert_eq!((&now.name, now.mobile.as_ref().map(|m| &m.value)), (&old.name, old.mobile.as_ref().map(|m| &m.value)));
        }
        prop_assert_eq!(draft.sites.len(), before.sites.len());
        let again = Import::of("directory.toml", &import.text, &people).unwrap();
        prop_assert!(again.is_nothing());
        prop_assert_eq!(again.text, import.text);
    }
}
