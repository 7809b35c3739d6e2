//! Stories of groups: people who are told together, named once.

use std::collections::BTreeSet;
use std::fmt::Write;

use expect_test::expect;
use proptest::prelude::*;

use super::{Draft, SOUND, check, resolve};

/// `SOUND` with a group in its second rung beside what is there, and this group.
fn with_group(group: &str) -> String {
    let rung =
        SOUND.replacen("notify = [{ person = \"p-nair\",", "notify = [{ group = \"wardens\", by = [\"sms\"] }, { person = \"p-nair\",", 1);
    format!("{rung}[[person]]\nid = \"a-lee\"\nmobile = \"+61 400 000 003\"\n[[group]]\nid = \"wardens\"\n{group}\n")
}

#[test]
fn a_rung_that_names_a_group_tells_each_of_its_members() {
    let text = with_group("members = [\"a-lee\", \"j-smith\"]");
    check(&text, &expect![[""]]);
    let resolved = resolve(&Draft::parse("directory.toml", &text).draft.unwrap());
    let ladder = resolved.directory.ladders.values().next().unwrap();
    expect![[r#"[{"targets":[{"who":{"person":"P-1"},"by":[["sms"],["email"]]}],"wait_s":45},{"targets":[{"who":{"person":"P-3"},"by":[["sms"]]},{"who":{"person":"P-1"},"by":[["sms"]]},{"who":{"person":"P-2"},"by":[["sms"]]},{"who":{"centre":"westside"},"by":[["webhook","desk"]]}],"wait_s":30}]"#]]
        .assert_eq(&serde_json::to_string(&ladder.rungs).unwrap());
}

#[test]
fn mistakes_of_a_group_are_said_of_the_group_and_once() {
    let again = "[[ladder]]\nid = \"nights\"\n[[ladder.rung]]\nnotify = [{ group = \"wardens\" }]\n[[ladder.rung]]\nnotify = [{ group = \"wardens\" }]\n";
    check(
        &format!("{}{again}", with_group("members = [\"a-lea\", \"a-lee\", \"a-lee\", \"a b\", 3]\ncustomer = \"nobody\"\nsize = 1")),
        &expect![[r#"
            Error directory.toml:50: group "wardens": members is a number, not a text in quotes
              write it in that form
            Error directory.toml:50: group "wardens": members: "a-lee" is named twice
              name each person once
            Error directory.toml:50: group "wardens": members: "a b" is not a name: use 1 to 64 of A-Z a-z 0-9 . _ -
              write the id of a [[person]]
            Error directory.toml:50: group "wardens": there is no person "a-lea"
              did you mean "a-lee"?
            Error directory.toml:51: group "wardens": there is no customer "nobody"
              add a [[customer]] of that id, or name one that is there
            Error directory.toml:52: group "wardens": "size" is not a known key
              the keys here are id, customer, members
        "#]],
    );
    check(
        &format!("{}{again}", with_group("members = []")),
        &expect![[r#"
        Error directory.toml:50: group "wardens": members is empty
          a rung that names it would tell nobody
          name a person
    "#]],
    );
    check(
        &format!("{}{again}", with_group("")),
        &expect![[r#"
        Error directory.toml:48: group "wardens": members is missing
          a rung that names it would tell nobody
          add  members = ["..."]
    "#]],
    );
    let many: Vec<String> = (0..101).map(|n| format!("\"x-{n}\"")).collect();
    let people: String =
        (0..101).fold(String::new(), |people, n| people + &format!("[[person]]\nid = \"x-{n}\"\nemail = \"x-{n}@example.org\"\n"));
    check(
        &format!("{}{people}", with_group(&format!("members = [{}]", many.join(", ")))).replace(", by = [\"sms\"] }, {", " }, {"),
        &expect![[r#"
            Error directory.toml:50: group "wardens": 101 members are more than 100
              tell fewer people together, and others by a later rung
        "#]],
    );
}

#[test]
fn a_group_is_there_once_has_an_id_and_is_told_by_a_rung() {
    let more = "[[group]]\nid = \"wardens\"\nmembers = [\"p-nair\"]\n[[group]]\nid = \"idle\"\nmembers = [\"p-nair\"]\n[[group]]\nmembers = [\"p-nair\"]\n";
    check(
        &format!("{}{more}", with_group("members = [\"a-lee\"]")),
        &expect![[r#"
        Error directory.toml:51: group "wardens" is there twice; the first is on line 48
          rename one of them or merge the two
        Warning directory.toml:54: group "idle" is on no ladder
          nobody is ever told because of it
          name it in a rung:  notify = [{ group = "..." }]
        Error directory.toml:57: group 4: id is missing
          give it a short name for the rungs
    "#]],
    );
    check(
        &with_group("members = [\"a-lee\"]").replacen("group = \"wardens\"", "group = \"wardnes\"", 1),
        &expect![[r#"
        Error directory.toml:42: ladder "counters", rung 2: there is no group "wardnes"
          did you mean "wardens"?
        Warning directory.toml:48: group "wardens" is on no ladder
          nobody is ever told because of it
          name it in a rung:  notify = [{ group = "..." }]
    "#]],
    );
    let two = SOUND.replacen("{ person = \"j-smith\" }", "{ person = \"j-smith\", group = \"wardens\" }", 1);
    check(
        &two,
        &expect![[r#"
            Error directory.toml:39: ladder "counters", rung 1, notify 1: it does not name exactly one party
              write one of  { person = "..." }  { group = "..." }  { role = "..." }  { centre = "..." }  { roster = "..." }
        "#]],
    );
}

#[test]
fn a_ladder_of_nobody_but_a_group_without_members_is_an_error() {
    let only = "[[person]]\nid = \"a\"\nmobile = \"+61 400 000 003\"\n[[site]]\nid = \"s\"\nname = \"S\"\naddress = \"1\"\n[defaults]\ntimezone = \"UTC\"\nladder = \"l\"\n\
                [[ladder]]\nid = \"l\"\n[[ladder.rung]]\nnotify = [{ group = \"g\" }]\n[[group]]\nid = \"g\"\n";
    for members in ["", "members = []\n", "members = [\"b\"]\n", "members = 3\n"] {
        assert!(Draft::parse("directory.toml", &format!("{only}{members}")).draft.is_none(), "{members}");
    }
    assert!(Draft::parse("directory.toml", &format!("{only}members = [\"a\"]\n")).draft.is_some());
}

#[test]
fn nobody_of_another_customer_is_told_by_way_of_a_group() {
    let other = "[[customer]]\nid = \"mundaring\"\n[[site]]\nid = \"inn\"\nname = \"Inn\"\naddress = \"3 Example Rd\"\ntimezone = \"Australia/Perth\"\ncustomer = \"mundaring\"\nladder = \"inn\"\n\
                 [[ladder]]\nid = \"inn\"\n[[ladder.rung]]\nnotify = [{ person = \"m-webb\" }]\n[[ladder.rung]]\nnotify = [{ person = \"m-webb\" }]\n\
                 [[person]]\nid = \"m-webb\"\nmobile = \"+61 400 000 004\"\ncustomer = \"mundaring\"\n";
    let text = |group: &str| {
        let own = with_group(group).replace("[[site]]\nid = \"library\"", "[[site]]\nid = \"library\"\ncustomer = \"kalamunda\"");
        format!("{}{other}", own.replace("[fallback]", "[fallback]\ncustomer = \"kalamunda\""))
    };
    check(&text("members = [\"a-lee\"]"), &expect![[""]]);
    check(
        &text("members = [\"a-lee\", \"m-webb\"]"),
        &expect![[r#"
            Error directory.toml:43: ladder "counters", rung 2: person "m-webb" of group "wardens" belongs to customer "mundaring", not "kalamunda"
              they would be told of another customer's alarms
              name one of that customer, or leave its own customer out
        "#]],
    );
    check(
        &text("members = [\"a-lee\", \"m-webb\"]\ncustomer = \"kalamunda\""),
        &expect![[r#"
        Error directory.toml:52: group "wardens": person "m-webb" belongs to customer "mundaring", not "kalamunda"
          they would be told of another customer's alarms
          name one of that customer, or leave its own customer out
    "#]],
    );
    check(
        &text("members = [\"a-lee\", \"m-webb\"]\ncustomer = \"mundaring\""),
        &expect![[r#"
        Error directory.toml:43: ladder "counters", rung 2: group "wardens" belongs to customer "mundaring", not "kalamunda"
          they would be told of another customer's alarms
          name one of that customer, or leave its own customer out
    "#]],
    );
}

#[test]
fn no_debug_of_a_group_shows_who_is_in_it() {
    let draft = Draft::parse("directory.toml", &with_group("members = [\"a-lee\"]")).draft.unwrap();
    let shown = format!("{:?}", draft.groups);
    assert!(shown.contains("wardens") && !shown.contains("a-lee"), "{shown}");
}

/// One item of a rung: the group or the person of that number, and whether it says by which channel.
type Item = (bool, usize, bool);

/// A directory with these rungs, written with groups and written out.
fn twice(groups: &[BTreeSet<usize>; 3], rungs: &[Vec<Item>], each: bool) -> [String; 2] {
    let mut frame =
        "[defaults]\ntimezone = \"Australia/Perth\"\nladder = \"l\"\n[[site]]\nid = \"s\"\nname = \"S\"\naddress = \"1 Example Rd\"\n"
            .to_owned();
    for number in 0..6 {
        writeln!(frame, "[[person]]\nid = \"p-{number}\"\nmobile = \"+61 400 000 10{number}\"\nemail = \"p-{number}@example.org\"")
            .unwrap();
    }
    frame += "[[ladder]]\nid = \"l\"\n";
    let (mut short, mut long) = (frame.clone(), frame);
    for items in rungs {
        let (mut named, mut written_out) = (Vec::new(), Vec::new());
        for (is_group, number, says_by) in items {
            let by = if *says_by { ", by = [\"email\"]" } else { "" };
            let person = |number: &usize| format!("{{ person = \"p-{number}\"{by} }}");
            if *is_group {
                named.push(format!("{{ group = \"g-{}\"{by} }}", number % 3));
                written_out.extend(groups[number % 3].iter().map(person));
            } else {
                named.push(person(number));
                written_out.push(person(number));
            }
        }
        for (text, notify) in [(&mut short, named), (&mut long, written_out)] {
            writeln!(text, "[[ladder.rung]]\nnotify = [{}]", notify.join(", ")).unwrap();
            *text += if each { "need = \"each\"\n" } else { "" };
        }
    }
    for (number, members) in groups.iter().enumerate() {
        let members: Vec<String> = members.iter().map(|member| format!("\"p-{member}\"")).collect();
        writeln!(short, "[[group]]\nid = \"g-{number}\"\nmembers = [{}]", members.join(", ")).unwrap();
    }
    [short, long]
}

proptest! {
    #[test]
    fn a_directory_with_groups_means_what_it_means_written_out(
        groups in proptest::array::uniform3(proptest::collection::btree_set(0_usize..6, 1..4)),
        rungs in proptest::collection::vec(proptest::collection::vec((any::<bool>(), 0_usize..6, any::<bool>()), 1..4), 1..5),
        each in any::<bool>(),
    ) {
        let [short, long] = twice(&groups, &rungs, each).map(|text| {
            let parsed = Draft::parse("directory.toml", &text);
            resolve(&parsed.draft.unwrap_or_else(|| panic!("{:?}\n{text}", parsed.findings)))
        });
        prop_assert_eq!(short.directory, long.directory);
    }
}
