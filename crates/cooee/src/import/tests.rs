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
fn a_new_row_is_put_behind_the_others_of_its_kind() {
    difference(
        Subject::People,
        "id,name,mobile\na-lee,A. Lee,+61491570157\n",
        &expect![[r#"
            + [[person]]
            + id = "a-lee"
            + name = "A. Lee"
            + mobile = "+61491570157"
            + 
        "#]],
    );
    difference(
        Subject::Devices,
        "Site;ID;Place\nlibrary;rear;Rear door\n",
        &expect![[r#"
            + [[device]]
            + site = "library"
            + id = "rear"
            + place = "Rear door"
            + 
        "#]],
    );
}

#[test]
fn a_blank_cell_says_nothing_and_a_dash_takes_a_key_out() {
    difference(Subject::People, "id,mobile,email,based_at\nj-smith,,,\n", &expect![[""]]);
    difference(
        Subject::People,
        "id,based_at,email\nj-smith,-,-\n",
        &expect![[r#"
            - based_at = "library"
        "#]],
    );
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
    let import = import(Subject::People, "id,name,mobile\nj-smith,Jo Smith,0491 570 006\n\na-lee,A. Lee,491570157\n");
    assert!(import.is_refused());
    let shown = shown(&import.findings);
    expect![[r#"
        people.csv:4: person "a-lee": mobile does not begin with + and a country code
          write it with its country code: "+61 4xx xxx xxx"
    "#]]
    .assert_eq(&shown);
}

#[test]
fn what_was_wrong_before_is_not_said_again() {
    let before = DIRECTORY.replace("address = \"7 Example Road\"\n", "");
    let sheet = sheet(Subject::People, "id,name\na-lee,A. Lee\n");
    let import = Import::of("directory.toml", &before, &[sheet]).unwrap();
    let shown: Vec<_> = import.findings.iter().map(|finding| (finding.file.as_str(), finding.line, finding.what.as_str())).collect();
    assert_eq!(shown, [("people.csv", 2, "person \"a-lee\": there is no way to reach this person")]);
    assert!(!import.is_refused(), "a warning is shown and keeps nobody from writing");
}

#[test]
fn a_directory_that_says_it_otherwise_is_left_alone() {
    let people = [sheet(Subject::People, "id\na-lee\n")];
    let refused = |text: &str| format!("{:#}", Import::of("directory.toml", text, &people).unwrap_err());
    expect!["directory.toml does not write each person under a heading [[person]] of its own, so nothing can be added; write them so, and try again"]
        .assert_eq(&refused("person = [{ id = \"j-smith\" }]\n"));
    assert!(refused("[[person]\n").starts_with("directory.toml cannot be changed, because it is not TOML; mend it first"));
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
            sheet.csv:8: this row has more cells than there are columns (2)
              put a text with a comma in it between double quotes
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
        let row: Vec<&str> = columns.iter().map(|_| "x").collect();
        let text = format!("{}\n{}\n", columns.join(","), row.join(","));
        let import = import(subject, &text);
        let unknown: Vec<_> = import.findings.iter().filter(|finding| finding.what.contains("not a known key")).collect();
        assert_eq!(unknown, Vec::<&Finding>::new());
        assert!(import.text.contains("= \"x\""), "{}", import.text);
    }
    // The reader says so of a key that it does not know; else the line above could not fail.
    let parsed = Draft::parse("directory.toml", &DIRECTORY.replace("based_at", "baced_at"));
    assert!(parsed.findings.iter().any(|finding| finding.what.contains("not a known key")), "{:?}", parsed.findings);
}

/// A text that people write into cells, quotes and all.
fn cell() -> impl Strategy<Value = String> {
    "[a-zé \"',;#=\\[\\]\\\\-]{1,12}"
        .prop_map(|text| text.trim().to_owned())
        .prop_filter("says something", |text| !text.is_empty() && text != "-")
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
