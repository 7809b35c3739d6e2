//! Stories of roles: one ladder for many offices, and whoever has the part at each.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use expect_test::expect;
use proptest::prelude::*;

use super::{Draft, check, resolve};
use crate::directory::Directory;
use crate::id::{LadderId, SiteId, Slug};
use crate::ladder::Rung;

/// Two offices of a region with one ladder, and these lines in the region and at each of them.
fn offices(region: &str, northam: &str, merredin: &str) -> String {
    format!(
        r#"[defaults]
timezone = "Australia/Perth"
ladder = "offices"
[[person]]
id = "a-lee"
mobile = "+61 400 000 001"
[[person]]
id = "b-nair"
mobile = "+61 400 000 002"
[[person]]
id = "manager"
mobile = "+61 400 000 003"
email = "manager@example.org"
[[person]]
id = "director"
mobile = "+61 400 000 004"
[[region]]
id = "wheatbelt"
{region}
[[site]]
id = "northam"
extends = "wheatbelt"
name = "Northam"
address = "3 Example St"
{northam}
[[site]]
id = "merredin"
extends = "wheatbelt"
name = "Merredin"
address = "8 Example St"
{merredin}
[[ladder]]
id = "offices"
[[ladder.rung]]
notify = [{{ role = "warden", by = ["sms"] }}]
[[ladder.rung]]
notify = [{{ role = "deputy" }}]
[[ladder.rung]]
notify = [{{ role = "manager" }}, {{ person = "director" }}]
[[ladder]]
id = "nowhere"
[[ladder.rung]]
notify = [{{ person = "director" }}]
[[ladder.rung]]
notify = [{{ person = "manager" }}]
[fallback]
ladder = "nowhere"
"#
    )
}

fn adopted(text: &str) -> Directory {
    let parsed = Draft::parse("directory.toml", text);
    resolve(&parsed.draft.unwrap_or_else(|| panic!("{:?}\n{text}", parsed.findings))).directory
}

fn rungs(directory: &Directory, site: &str) -> String {
    let site = &directory.sites[&SiteId::parse(site).unwrap()];
    format!("{} {}", site.ladder, serde_json::to_string(&directory.ladders[&site.ladder].rungs).unwrap())
}

#[test]
fn each_site_tells_whoever_has_the_role_there() {
    let text = offices(
        "roles = { manager = [\"manager\"], deputy = [] }",
        "roles.warden = [\"a-lee\", \"b-nair\"]",
        "roles.warden = [\"b-nair\"]\nroles.manager = []",
    );
    check(&text, &expect![[""]]);
    let directory = adopted(&text);
    expect![[r#"offices@northam [{"targets":[{"who":{"person":"P-1"},"by":[["sms"]]},{"who":{"person":"P-2"},"by":[["sms"]]}],"wait_s":30},{"targets":[{"who":{"person":"P-3"},"by":[["sms"],["email"]]},{"who":{"person":"P-4"},"by":[["sms"]]}],"wait_s":30}]"#]].assert_eq(&rungs(&directory, "northam"));
    expect![[r#"offices@merredin [{"targets":[{"who":{"person":"P-2"},"by":[["sms"]]}],"wait_s":30},{"targets":[{"who":{"person":"P-4"},"by":[["sms"]]}],"wait_s":30}]"#]].assert_eq(&rungs(&directory, "merredin"));
    let ids: Vec<&str> = directory.ladders.keys().map(LadderId::as_str).collect();
    assert_eq!(ids, ["nowhere", "offices@merredin", "offices@northam"], "the ladder itself is climbed by nobody");
    assert!(directory.customers.values().all(|customer| customer.ladder.is_none()), "nobody has a role where no site is known");
}

#[test]
fn a_role_may_be_a_groups_or_a_rosters() {
    let text = offices(
        "",
        "roles = { warden = [{ group = \"wardens\" }, \"b-nair\"], deputy = [{ roster = \"duty\" }], manager = [] }",
        "roles = { warden = [\"b-nair\"], deputy = [], manager = [] }",
    ) + "[[group]]\nid = \"wardens\"\nmembers = [\"a-lee\"]\n[[roster]]\nid = \"duty\"\ntimezone = \"Australia/Perth\"\n[[roster.shift]]\npeople = [\"manager\"]\n";
    check(&text, &expect![[""]]);
}

#[test]
fn what_is_wrong_with_a_role_is_said_where_it_is_written_and_once() {
    let region = "roles = { manager = [\"manger\"], wardn = [\"a-lee\"], \"two words\" = [], deputy = \"a-lee\" }";
    let northam =
        "roles.warden = [\"a-lee\", \"a-lee\", 3, \"a b\", { group = \"x\", roster = \"y\" }, { group = \"wardens\" }, { size = 1 }]";
    check(
        &offices(region, northam, "roles.warden = []"),
        &expect![[r#"
            Error directory.toml:19: region "wheatbelt", roles: deputy is a text, not a list
              write it in that form
            Error directory.toml:19: region "wheatbelt", roles: "two words" is not a name: use 1 to 64 of A-Z a-z 0-9 . _ -
              name the role in that form
            Error directory.toml:19: region "wheatbelt", roles.manager: there is no person "manger"
              did you mean "manager"?
            Warning directory.toml:19: region "wheatbelt": role "wardn" is asked for at none of its sites, or each of them says its own
              nobody is ever told because of it
              did you mean "warden"?
            Error directory.toml:25: site "northam", roles: warden is a number, not a text in quotes, or a table
              write it in that form
            Error directory.toml:25: site "northam", roles: warden 4 is no person: "a b" is not a name: use 1 to 64 of A-Z a-z 0-9 . _ -
              write the id of a [[person]]
            Error directory.toml:25: site "northam", roles, warden 5: it names neither a group nor a roster, or both
              write one of  { group = "..." }  { roster = "..." }; a person's id stands by itself
            Error directory.toml:25: site "northam", roles, warden 7: it names neither a group nor a roster, or both
              write one of  { group = "..." }  { roster = "..." }; a person's id stands by itself
            Error directory.toml:25: site "northam", roles, warden 7: "size" is not a known key
              the keys here are group, roster
            Error directory.toml:25: site "northam", roles: warden names person "a-lee" twice
              name each once
            Error directory.toml:25: site "northam", roles.warden: there is no group "x"
              add a [[group]] of that id, or name one that is there
            Error directory.toml:25: site "northam", roles.warden: there is no group "wardens"
              add a [[group]] of that id, or name one that is there
        "#]],
    );
}

#[test]
fn a_role_of_which_a_site_says_nothing_is_an_error_of_the_rung_and_said_once() {
    check(
        &offices("roles.manager = [\"manager\"]", "roles.warden = [\"a-lee\"]", ""),
        &expect![[r#"
        Error directory.toml:35: ladder "offices", rung 1: 1 of 2 sites ("merredin") does not say who is "warden"
          nobody could be told there for it
          write  roles.warden = ["..."]  at the site or its region, or  roles.warden = []  where nobody is
        Error directory.toml:37: ladder "offices", rung 2: 2 of 2 sites ("northam", "merredin") do not say who is "deputy"
          nobody could be told there for it
          write  roles.deputy = ["..."]  at the site or its region, or  roles.deputy = []  where nobody is
    "#]],
    );
    let wrong = offices("roles = { manager = [], deputy = [], warden = [] }\ncustomer = \"nobody\"", "", "extends = 3").replacen(
        "extends = \"wheatbelt\"\nname = \"Merredin\"",
        "name = \"Merredin\"",
        1,
    );
    check(
        &wrong,
        &expect![[r#"
            Error directory.toml:20: region "wheatbelt": there is no customer "nobody"
              add a [[customer]] of that id, or name one that is there
            Error directory.toml:31: site "merredin": extends is a number, not a text in quotes
              write it in that form
            Warning directory.toml:32: ladder "offices" has one rung
              if nobody there answers, nobody else is ever asked; it is used at "northam"
              add a rung with someone else
        "#]],
    );
}

#[test]
fn where_no_site_is_known_nobody_has_a_role() {
    let filled = "roles = { manager = [\"manager\"], deputy = [], warden = [\"a-lee\"] }";
    let text = offices(filled, "", "");
    let technical = "[technical]\nladder = \"offices\"\n[[customer]]\nid = \"outreach\"\ntechnical = \"offices\"\n";
    check(
        &format!("{}{technical}", text.replacen("[fallback]\nladder = \"nowhere\"", "[fallback]\nladder = \"offices\"", 1)),
        &expect![[r#"
            Error directory.toml:47: fallback: ladder "offices" asks for roles, and no site is there to say who has them
              nobody could be told
              name a ladder of persons, groups, rosters and centres
            Error directory.toml:49: technical: ladder "offices" asks for roles, and no site is there to say who has them
              nobody could be told
              name a ladder of persons, groups, rosters and centres
            Error directory.toml:52: customer "outreach", technical: ladder "offices" asks for roles, and no site is there to say who has them
              nobody could be told
              name a ladder of persons, groups, rosters and centres
        "#]],
    );
    check(
        &text.replacen("[fallback]\nladder = \"nowhere\"", "", 1),
        &expect![[r#"
        Warning directory.toml:0: there is no [fallback]
          a press that names a site nobody knows would be recorded and told to nobody
          add  [fallback]  with a ladder
        Error directory.toml:3: ladder "offices" is a default and asks for roles, and there is no [fallback]
          a press that names a site nobody knows would be told to nobody, or to another customer's people
          add  [fallback]  with a ladder of persons, groups, rosters and centres
    "#]],
    );
    check(
        &text.replacen("[fallback]\nladder = \"nowhere\"", "[[customer]]\nid = \"outreach\"\nladder = \"nowhere\"", 1),
        &expect![[r#"
            Warning directory.toml:0: there is no [fallback]
              a press that names a site nobody knows would be recorded and told to nobody
              add  [fallback]  with a ladder
            Warning directory.toml:19: region "wheatbelt": role "deputy" is asked for at none of its sites, or each of them says its own
              nobody is ever told because of it
              take it out, or name it in a rung of that ladder:  notify = [{ role = "..." }]
            Warning directory.toml:19: region "wheatbelt": role "manager" is asked for at none of its sites, or each of them says its own
              nobody is ever told because of it
              take it out, or name it in a rung of that ladder:  notify = [{ role = "..." }]
            Warning directory.toml:19: region "wheatbelt": role "warden" is asked for at none of its sites, or each of them says its own
              nobody is ever told because of it
              take it out, or name it in a rung of that ladder:  notify = [{ role = "..." }]
        "#]],
    );
}

#[test]
fn whoever_has_a_role_is_of_the_sites_own_customer() {
    let other = "[[customer]]\nid = \"outreach\"\n[[customer]]\nid = \"other\"\n[[person]]\nid = \"m-webb\"\nmobile = \"+61 400 000 005\"\ncustomer = \"other\"\n";
    let region = "customer = \"outreach\"\nroles = { manager = [\"m-webb\"], deputy = [], warden = [\"a-lee\"] }";
    check(
        &(offices(region, "", "").replacen("[fallback]", "[fallback]\ncustomer = \"outreach\"", 1) + other),
        &expect![[r#"
        Error directory.toml:20: ladder "offices", rung 3: person "m-webb" in role "manager" belongs to customer "other", not "outreach"
          they would be told of another customer's alarms
          name one of that customer, or leave its own customer out
    "#]],
    );
}

#[test]
fn whom_nobody_can_reach_is_said_once_for_all_sites_that_have_them_alike() {
    let unreachable = "[[person]]\nid = \"z\"\n";
    let text = offices("roles = { manager = [], deputy = [\"z\"], warden = [\"manager\"] }", "", "");
    check(
        &(text + unreachable),
        &expect![[r#"
            Warning directory.toml:36: ladder "offices", rung 2: nobody in it has an address
              a press then would wait 0 s here and go on to rung 3; it is used at "northam", "merredin"
              give its people a mobile or an email
            Warning directory.toml:48: person "z": there is no way to reach this person
              a rung that names only this person takes 0 s
              add  mobile = "+614..."  or  email = "..."
        "#]],
    );
    let alone =
        offices("roles = { manager = [\"z\"], deputy = [], warden = [\"z\"] }", "", "").replacen(", { person = \"director\" }", "", 1);
    check(
        &(alone + unreachable),
        &expect![[r#"
            Error directory.toml:32: ladder "offices" can reach nobody
              nobody in it has an address; it is used at "northam", "merredin"
              give its people a mobile or an email, or its centre a webhook
            Warning directory.toml:48: person "z": there is no way to reach this person
              a rung that names only this person takes 0 s
              add  mobile = "+614..."  or  email = "..."
        "#]],
    );
    let single = offices("roles = { manager = [\"manager\"], deputy = [], warden = [] }", "", "roles.warden = [\"a-lee\"]");
    check(
        &single,
        &expect![[r#"
            Warning directory.toml:32: ladder "offices" has one rung
              if nobody there answers, nobody else is ever asked; it is used at "northam"
              add a rung with someone else
        "#]],
    );
}

#[test]
fn two_ladders_that_name_the_same_people_on_one_line_are_each_judged() {
    let frame = "[[person]]\nid = \"p\"\nmobile = \"+61 400 000 009\"\n[defaults]\ntimezone = \"UTC\"\n[fallback]\nladder = \"x\"\n";
    let site = "[[site]]\nid = \"s\"\nname = \"S\"\naddress = \"1\"\nladder = \"y\"\n";
    let ladders = "ladder = [{ id = \"x\", rung = [{ notify = [{ person = \"p\" }] }] }, { id = \"y\", rung = [{ notify = [{ person = \"p\", by = [\"email\"] }] }] }]\n";
    check(
        &format!("{ladders}{frame}{site}"),
        &expect![[r#"
        Error directory.toml:1: ladder "y" can reach nobody
          nobody in it has an address; it is used at "s"
          give its people a mobile or an email, or its centre a webhook
        Warning directory.toml:1: ladder "x" has one rung
          if nobody there answers, nobody else is ever asked
          add a rung with someone else
    "#]],
    );
    let region = "[[region]]\nid = \"r\"\nladder = \"l\"\nroles = { a = [\"p\"], b = [\"p\"] }\n";
    let office =
        |id: &str, none: &str| format!("[[site]]\nid = \"{id}\"\nextends = \"r\"\nname = \"S\"\naddress = \"1\"\nroles.{none} = []\n");
    let ladders = "[[ladder]]\nid = \"l\"\n[[ladder.rung]]\nnotify = [{ role = \"a\", by = [\"sms\"] }, { role = \"b\", by = [\"email\"] }]\n[[ladder]]\nid = \"x\"\n[[ladder.rung]]\nnotify = [{ person = \"p\" }]\n";
    check(
        &format!("{frame}{region}{}{}{ladders}", office("s1", "b"), office("s2", "a")),
        &expect![[r#"
        Error directory.toml:24: ladder "l" can reach nobody
          nobody in it has an address; it is used at "s2"
          give its people a mobile or an email, or its centre a webhook
        Warning directory.toml:24: ladder "l" has one rung
          if nobody there answers, nobody else is ever asked; it is used at "s1"
          add a rung with someone else
        Warning directory.toml:28: ladder "x" has one rung
          if nobody there answers, nobody else is ever asked
          add a rung with someone else
    "#]],
    );
}

#[test]
fn one_slip_of_a_ladder_is_said_once_however_many_sites_fill_it() {
    let mut text = "[defaults]\ntimezone = \"UTC\"\nladder = \"l\"\n[[person]]\nid = \"mute\"\n[fallback]\nladder = \"x\"\n[[ladder]]\nid = \"x\"\n[[ladder.rung]]\nnotify = [{ person = \"p-0\" }]\n[[ladder.rung]]\nnotify = [{ person = \"p-1\" }]\n\
                    [[ladder]]\nid = \"l\"\n[[ladder.rung]]\nnotify = [{ role = \"warden\" }]\nneed = 2\nkinds = [\"duress\"]\n[[ladder.rung]]\nnotify = [{ person = \"mute\" }]\n".to_owned();
    for number in 0..300 {
        writeln!(text, "[[person]]\nid = \"p-{number}\"\nmobile = \"+61 400 000 {number:03}\"").unwrap();
        writeln!(text, "[[site]]\nid = \"s-{number}\"\nname = \"S\"\naddress = \"1\"\nroles.warden = [\"p-{number}\"]").unwrap();
    }
    check(
        &text,
        &expect![[r#"
        Warning directory.toml:4: person "mute": there is no way to reach this person
          a rung that names only this person takes 0 s
          add  mobile = "+614..."  or  email = "..."
        Error directory.toml:14: ladder "l" can reach nobody for assist
          no rung that anybody can be reached on is for that kind of help, which any button may ask for; it is used at "s-0", "s-1", "s-2", "s-3", "s-4" and 295 more
          add the kind to a rung, or a rung that is for every kind
        Error directory.toml:14: ladder "l" can reach nobody for medical
          no rung that anybody can be reached on is for that kind of help, which any button may ask for; it is used at "s-0", "s-1", "s-2", "s-3", "s-4" and 295 more
          add the kind to a rung, or a rung that is for every kind
        Error directory.toml:14: ladder "l" can reach nobody for panic
          no rung that anybody can be reached on is for that kind of help, which any button may ask for; it is used at "s-0", "s-1", "s-2", "s-3", "s-4" and 295 more
          add the kind to a rung, or a rung that is for every kind
        Error directory.toml:14: ladder "l" can reach nobody for welfare
          no rung that anybody can be reached on is for that kind of help, which any button may ask for; it is used at "s-0", "s-1", "s-2", "s-3", "s-4" and 295 more
          add the kind to a rung, or a rung that is for every kind
        Warning directory.toml:16: ladder "l", rung 1: it needs 2 people and has 1
          its ladder goes on until people of other rungs have accepted as well; it is used at "s-0", "s-1", "s-2", "s-3", "s-4" and 295 more
          name more people on it, or ask for fewer
        Warning directory.toml:20: ladder "l", rung 2: nobody in it has an address
          a press then would wait 0 s here and begin again with everyone; it is used at "s-0", "s-1", "s-2", "s-3", "s-4" and 295 more
          give its people a mobile or an email
    "#]],
    );
}

#[test]
fn what_is_proved_of_a_ladder_is_said_once_with_the_sites_of_which_it_is_true() {
    let mut text = "[defaults]\ntimezone = \"UTC\"\nladder = \"l\"\n[fallback]\nladder = \"x\"\n[[ladder]]\nid = \"x\"\n[[ladder.rung]]\nnotify = [{ person = \"p-0\" }]\n[[ladder.rung]]\nnotify = [{ person = \"p-1\" }]\n\
                    [[ladder]]\nid = \"l\"\n[[ladder.rung]]\nnotify = [{ role = \"warden\" }]\n[[ladder.rung]]\nnotify = [{ person = \"p-0\" }]\n".to_owned();
    for number in 0..8 {
        let mail = if number == 7 { "email = \"p@example.org\"\n" } else { "" };
        writeln!(text, "[[person]]\nid = \"p-{number}\"\nmobile = \"+61 400 000 {number:03}\"\n{mail}").unwrap();
        writeln!(text, "[[site]]\nid = \"s-{number}\"\nname = \"S\"\naddress = \"1\"\nroles.warden = [\"p-{number}\"]").unwrap();
    }
    let draft = Draft::parse("directory.toml", &text).draft.unwrap();
    let from: crate::time::Timestamp = "2026-11-29T00:00:00Z".parse().unwrap();
    let proof = draft.prove("directory.toml", from, from + crate::time::SignedDuration::from_hours(24), None);
    let shown = proof.findings.iter().fold(String::new(), |shown, finding| shown + &finding.to_string() + "\n");
    expect![[r#"
        directory.toml:6: ladder "x" tells everybody by sms alone at any time
          with sms down, nobody would be told
          add another channel, or a centre
        directory.toml:12: ladder "l" has one party to tell at any time
          if that one does not answer, nobody else is ever asked; it is so at "s-0"
          add someone with an address of their own
        directory.toml:12: ladder "l" tells everybody by sms alone at any time
          with sms down, nobody would be told; it is so at "s-0", "s-1", "s-2", "s-3", "s-4" and 2 more
          add another channel, or a centre
    "#]]
    .assert_eq(&shown);
    assert_eq!(proof.covers.len(), 9, "and each is proved");
}

#[test]
fn a_role_is_unasked_only_where_that_is_known() {
    let filled = "roles = { manager = [\"manager\"], deputy = [\"a-lee\"], warden = [\"a-lee\"] }";
    let own = "roles.deputy = [\"b-nair\"]";
    check(
        &offices(filled, own, own),
        &expect![[r#"
        Warning directory.toml:19: region "wheatbelt": role "deputy" is asked for at none of its sites, or each of them says its own
          nobody is ever told because of it
          take it out, or name it in a rung of that ladder:  notify = [{ role = "..." }]
    "#]],
    );
    check(
        &offices(filled, "ladder = \"nowhere\"\nroles.warden = [\"b-nair\"]", ""),
        &expect![[r#"
        Warning directory.toml:26: site "northam": role "warden" is asked for by no ladder that is climbed there
          nobody is ever told because of it
          take it out, or name it in a rung of that ladder:  notify = [{ role = "..." }]
    "#]],
    );
    check(
        &offices(filled, "customer = \"nobody\"\nroles.wardn = [\"b-nair\"]", "roles = 3"),
        &expect![[r#"
        Error directory.toml:25: site "northam": there is no customer "nobody"
          add a [[customer]] of that id, or name one that is there
        Error directory.toml:32: site "merredin": roles is a number, not a table: [roles]
          write it in that form
    "#]],
    );
    let twice = offices("roles.manager = [\"manager\"]\nroles.warden = [\"a-lee\"]", "", "");
    let twice = twice.replacen("{ person = \"director\" }", "{ role = \"deputy\" }", 1).replacen(
        "[fallback]\nladder = \"nowhere\"",
        "[fallback]\nladder = 3",
        1,
    );
    check(
        &twice,
        &expect![[r#"
        Error directory.toml:38: ladder "offices", rung 2: 2 of 2 sites ("northam", "merredin") do not say who is "deputy"
          nobody could be told there for it
          write  roles.deputy = ["..."]  at the site or its region, or  roles.deputy = []  where nobody is
        Error directory.toml:48: fallback: ladder is a number, not a text in quotes
          write it in that form
    "#]],
    );
}

#[test]
fn a_button_with_a_ladder_of_its_own_climbs_it_as_its_site_fills_it() {
    let filled = "roles = { manager = [\"manager\"], deputy = [], warden = [\"a-lee\"] }";
    let text = offices(filled, "ladder = \"nowhere\"", "") + "[[device]]\nid = \"front\"\nsite = \"northam\"\nladder = \"offices\"\n";
    check(&text, &expect![[""]]);
    let directory = adopted(&text);
    assert_eq!(directory.devices.values().next().unwrap().ladder.as_ref().unwrap().as_str(), "offices@northam");
    assert_eq!(directory.sites[&SiteId::parse("northam").unwrap()].ladder.as_str(), "nowhere");
}

#[test]
fn no_file_names_a_ladder_as_a_site_fills_it() {
    let filled = "roles = { manager = [\"manager\"], deputy = [], warden = [\"a-lee\"] }";
    check(
        &offices(filled, "ladder = \"offices@northam\"", "").replacen("id = \"nowhere\"", "id = \"no@where\"", 1),
        &expect![[r#"
        Error directory.toml:25: site "northam": ladder "offices@northam" is not a name: use 1 to 64 of A-Z a-z 0-9 . _ -
          write it in that form
        Error directory.toml:41: ladder "no@where": id "no@where" is not a name: use 1 to 64 of A-Z a-z 0-9 . _ -
          write it in that form
        Error directory.toml:47: fallback: there is no ladder "nowhere"
          add a [[ladder]] of that id, or name one that is there
    "#]],
    );
    let longest = LadderId::from(Slug::parse(&"l".repeat(64)).unwrap()).at(&SiteId::parse(&"s".repeat(64)).unwrap());
    assert_eq!(serde_json::from_str::<LadderId>(&serde_json::to_string(&longest).unwrap()).unwrap(), longest);
    for wrong in ["", "@", "a@", "@b", "a@b@c", "a b@c"] {
        assert!(LadderId::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn no_debug_of_roles_shows_who_has_them() {
    let draft = Draft::parse("directory.toml", &offices("roles = { manager = [\"manager\"], deputy = [], warden = [\"a-lee\"] }", "", ""))
        .draft
        .unwrap();
    let shown = format!("{:?} {:?}", draft.regions[0].arrangement.roles, draft.regions[0].arrangement.roles.iter().collect::<Vec<_>>());
    assert!(!shown.contains("a-lee"), "{shown}");
}

const ROLES: [&str; 3] = ["r-0", "r-1", "r-2"];

/// What a region or a site says: of each role who has it, if anything.
type Said = [Option<BTreeSet<usize>>; 3];

/// One item of a rung: the role or the person of that number.
type Item = (bool, usize);

fn roles(said: &Said) -> String {
    let person = |number: &usize| format!("\"p-{number}\"");
    let lists = ROLES.iter().zip(said).filter_map(|(role, had)| {
        let had: Vec<String> = had.as_ref()?.iter().map(person).collect();
        Some(format!("roles.{role} = [{}]\n", had.join(", ")))
    });
    lists.collect()
}

/// A directory with these offices, written with roles and written out.
fn twice(region: &Said, sites: &[Said], ladder: &[Vec<Item>]) -> [String; 2] {
    let mut people = "[defaults]\ntimezone = \"Australia/Perth\"\n".to_owned();
    for number in 0..5 {
        writeln!(people, "[[person]]\nid = \"p-{number}\"\nmobile = \"+61 400 000 10{number}\"").unwrap();
    }
    people += "[[ladder]]\nid = \"none\"\n[[ladder.rung]]\nnotify = [{ person = \"p-0\" }]\n[fallback]\nladder = \"none\"\n";
    let (mut short, mut long) = (people.clone(), people);
    writeln!(short, "[[region]]\nid = \"r\"\nladder = \"l\"\n{}", roles(region)).unwrap();
    writeln!(short, "[[ladder]]\nid = \"l\"").unwrap();
    for items in ladder {
        let names = items.iter().map(|(is_role, number)| {
            if *is_role { format!("{{ role = \"r-{}\" }}", number % 3) } else { format!("{{ person = \"p-{number}\" }}") }
        });
        writeln!(short, "[[ladder.rung]]\nnotify = [{}]", names.collect::<Vec<_>>().join(", ")).unwrap();
    }
    for (site, own) in sites.iter().enumerate() {
        writeln!(short, "[[site]]\nid = \"s-{site}\"\nextends = \"r\"\nname = \"S\"\naddress = \"1\"\n{}", roles(own)).unwrap();
        writeln!(long, "[[site]]\nid = \"s-{site}\"\nladder = \"l-{site}\"\nname = \"S\"\naddress = \"1\"\n[[ladder]]\nid = \"l-{site}\"")
            .unwrap();
        for items in ladder {
            let told: Vec<String> = items
                .iter()
                .flat_map(|(is_role, number)| {
                    let role = number % 3;
                    let had = own[role].as_ref().or(region[role].as_ref());
                    if *is_role { had.into_iter().flatten().copied().collect() } else { vec![*number] }
                })
                .map(|number| format!("{{ person = \"p-{number}\" }}"))
                .collect();
            if !told.is_empty() {
                writeln!(long, "[[ladder.rung]]\nnotify = [{}]", told.join(", ")).unwrap();
            }
        }
    }
    [short, long]
}

/// Whom each site tells, in order.
fn told(directory: &Directory) -> BTreeMap<SiteId, Vec<Rung>> {
    directory.sites.iter().map(|(id, site)| (id.clone(), directory.ladders[&site.ladder].rungs.clone())).collect()
}

fn said() -> impl Strategy<Value = Said> {
    proptest::array::uniform3(proptest::option::of(proptest::collection::btree_set(0_usize..5, 0..3)))
}

proptest! {
    #[test]
    fn a_directory_with_roles_means_what_it_means_written_out(
        region in said(),
        sites in proptest::collection::vec(said(), 1..4),
        ladder in proptest::collection::vec(proptest::collection::vec((any::<bool>(), 0_usize..5), 1..3), 1..4),
    ) {
        let [short, long] = twice(&region, &sites, &ladder);
        let [named, written_out] = [&short, &long].map(|text| Draft::parse("directory.toml", text).draft);
        let asked: BTreeSet<usize> = ladder.iter().flatten().filter(|(is_role, _)| *is_role).map(|(_, number)| number % 3).collect();
        let all_said = sites.iter().all(|own| asked.iter().all(|role| own[*role].is_some() || region[*role].is_some()));
        prop_assert_eq!(named.is_some(), all_said && written_out.is_some(), "{}", short);
        if let (Some(named), Some(written_out)) = (named, written_out) {
            prop_assert_eq!(told(&resolve(&named).directory), told(&resolve(&written_out).directory));
            prop_assert_eq!(named.told(), written_out.told());
        }
    }
}
