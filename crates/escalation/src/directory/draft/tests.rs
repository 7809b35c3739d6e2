//! Stories of the directory file: what is written, and everything that is found in it.

#![expect(clippy::needless_raw_string_hashes, reason = "expect-test writes its snapshots with them")]

mod drill;
mod group;
mod region;
mod roles;

use std::fmt::Write;

use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::{Draft, Resolved, zones_version};
use crate::directory::finding::Severity;
use crate::id::{ContactKey, DeviceId, PersonId};
use crate::ladder::Medium;
use crate::retention::Class;

/// Nothing is sent to a desk: where one is asked first, and where nobody else is asked at some hours, that is said.
#[test]
fn a_desk_that_may_be_empty_is_said_where_it_is_asked_first() {
    let text = r#"
[defaults]
timezone = "Australia/Perth"
[[customer]]
id = "kalamunda"
[[person]]
id = "me"
mobile = "0491 570 006"
[[centre]]
id = "night"
[[site]]
id = "shop"
name = "Shop"
ladder = "first"
[[ladder]]
id = "first"
[[ladder.rung]]
notify = [{ centre = "night" }]
[[ladder.rung]]
notify = [{ person = "me" }]
hours = ["mon-fri 08:00-17:00"]
"#;
    let parsed = Draft::parse("directory.toml", text);
    let said: Vec<String> = parsed.findings.iter().map(|finding| finding.what.clone()).collect();
    assert!(said.iter().any(|what| what == "ladder \"first\", rung 1: nothing is sent, it asks a desk alone"), "{said:?}");
    let (from, until) = ("2026-11-30T00:00:00Z".parse().unwrap(), "2026-12-07T00:00:00Z".parse().unwrap());
    let proof = parsed.draft.unwrap().prove("directory.toml", from, until, None);
    // A press at 16:59 comes to the second rung a minute later.
    let said: Vec<String> = proof.findings.iter().map(|finding| finding.what.clone()).collect();
    assert!(said.iter().any(|what| what.starts_with("ladder \"first\" asks desks alone from Mon 30 Nov 16:59")), "{said:?}");
    let (cover, _) = &proof.covers[0];
    let without = cover.without.iter().find(|without| without.carrier == "desk").unwrap();
    assert!(!without.silent.is_empty() && without.worst.first_told_after_s.is_none(), "{without:?}");
    // For some kinds of help alone, at whatever hour.
    let of_kinds = text.replace("hours = [\"mon-fri 08:00-17:00\"]", "kinds = [\"assist\"]");
    let proof = Draft::parse("directory.toml", &of_kinds).draft.unwrap().prove("directory.toml", from, until, None);
    let said: Vec<_> = proof.findings.iter().filter(|finding| finding.what.contains("asks desks alone")).map(|f| f.what.clone()).collect();
    expect![[r#"ladder "first" asks desks alone for duress, panic, medical, welfare at any time"#]].assert_eq(&said.join("\n"));
}

/// A directory without a single finding, to which stories add their mistake.
const SOUND: &str = r#"
[[customer]]
id = "kalamunda"
prefix = "KAL"
ladder = "counters"
centre = "westside"
[[person]]
id = "j-smith"
name = "J. Smith"
mobile = "0400 000 001"
email = "j.smith@example.org"
based_at = "library"
[[person]]
id = "p-nair"
mobile = "+61 400 000 002"
[[centre]]
id = "westside"
name = "Westside Centre"
webhook = "westside"
[[site]]
id = "library"
name = "Kalamunda Library"
timezone = "Australia/Perth"
address = "1 Example Rd"
feedback = "off"
eta_limit = "20m"
[[device]]
id = "front-1"
site = "library"
place = "Front counter 1"
[[device]]
id = "pendant"
site = "library"
mounting = "portable"
kind = "assist"
[[ladder]]
id = "counters"
[[ladder.rung]]
notify = [{ person = "j-smith" }]
wait = "45s"
[[ladder.rung]]
notify = [{ person = "p-nair", by = ["sms"] }, { centre = "westside", by = [["webhook", "desk"]] }]
[fallback]
ladder = "counters"
"#;

fn check(text: &str, expected: &Expect) {
    let parsed = Draft::parse("directory.toml", text);
    let mut shown = String::new();
    for finding in &parsed.findings {
        writeln!(shown, "{:?} {finding}", finding.severity).unwrap();
    }
    let errors = parsed.findings.iter().any(|f| f.severity == Severity::Error);
    assert_eq!(parsed.draft.is_none(), errors, "a draft exists exactly where no finding is an error");
    expected.assert_eq(&shown);
}

/// `SOUND` with one passage replaced.
fn with(from: &str, to: &str) -> String {
    assert!(SOUND.contains(from), "the story replaces a passage that is not there: {from}");
    SOUND.replacen(from, to, 1)
}

fn resolve(draft: &Draft) -> Resolved {
    let mut next = 0;
    draft.resolve(
        &mut |_| {
            next += 1;
            format!("P-{next}").parse().unwrap()
        },
        &|medium, address| {
            let mut bytes = [0; 16];
            bytes[0] = u8::from(medium == Medium::Sms);
            bytes[1] = u8::try_from(address.len()).unwrap();
            ContactKey::new(bytes)
        },
    )
}

#[test]
fn a_sound_directory_has_no_findings() {
    check(SOUND, &expect![[""]]);
}

#[test]
fn what_is_resolved_is_what_is_written() {
    let draft = Draft::parse("directory.toml", SOUND).draft.unwrap();
    let resolved = resolve(&draft);
    expect![[r#"{"customers":{"kalamunda":{"prefix":"KAL","ladder":"counters","centre":"westside"}},"sites":{"library":{"customer":"kalamunda","ladder":"counters","eta_limit_s":1200,"feedback":false,"clock":{"zone":"Australia/Perth"}}},"devices":{"library/front-1":{"ladder":null,"mounting":"fixed","kind":"duress"},"library/pendant":{"ladder":null,"mounting":"portable","kind":"assist"}},"ladders":{"counters":{"id":"counters","rungs":[{"targets":[{"who":{"person":"P-1"},"by":[["sms"],["email"]]}],"wait_s":45},{"targets":[{"who":{"person":"P-2"},"by":[["sms"]]},{"who":{"centre":"westside"},"by":[["webhook","desk"]]}],"wait_s":30}]}},"centres":{"westside":{"webhook":"westside"}},"fallback":{"customer":"kalamunda","ladder":"counters"},"adapters":[]}"#]]
    .assert_eq(&serde_json::to_string(&resolved.directory).unwrap());
    let smith = &resolved.people[0];
    assert_eq!(smith.id, "P-1".parse::<PersonId>().unwrap());
    assert_eq!(smith.mobile.as_deref(), Some("+61400000001"));
    assert_eq!(smith.contacts.len(), 2);
    let front: DeviceId = "library/front-1".parse().unwrap();
    assert!(resolved.directory.route(&front).is_some());
}

#[test]
fn what_may_be_said_is_kept_beside_it() {
    let draft = Draft::parse("directory.toml", SOUND).draft.unwrap();
    let resolved = resolve(&draft);
    expect![[r#"
        {
          "customers": {
            "kalamunda": "kalamunda"
          },
          "centres": {
            "westside": "Westside Centre"
          },
          "sites": {
            "library": {
              "name": "Kalamunda Library",
              "sms_name": "Kalamunda Library",
              "timezone": "Australia/Perth",
              "address": "1 Example Rd",
              "suburb": "",
              "state": "",
              "cross_street": "",
              "entry": "",
              "rendezvous": "",
              "hazards": "",
              "phone": ""
            }
          },
          "devices": {
            "library/front-1": {
              "name": "Front counter 1",
              "sms_name": "Front counter 1"
            },
            "library/pendant": {
              "name": "pendant",
              "sms_name": "pendant"
            }
          }
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&resolved.places).unwrap());
}

#[test]
fn a_small_directory_is_small() {
    check(
        r#"
[[person]]
id = "me"
email = "me@localhost"
[[site]]
id = "shop"
name = "Shop"
timezone = "Australia/Hobart"
ladder = "all"
[[ladder]]
id = "all"
[[ladder.rung]]
notify = [{ person = "me" }]
"#,
        &expect![[r#"
            Warning directory.toml:0: there is no [fallback]
              a press that names a site nobody knows would be recorded and told to nobody
              add  [fallback]  with a ladder
            Warning directory.toml:5: site "shop": there is no address
              whoever goes, and the police, would have to know the place by its name
              add  address = "...", suburb, state and cross_street
            Warning directory.toml:10: ladder "all" has one rung
              if nobody there answers, nobody else is ever asked
              add a rung with someone else
        "#]],
    );
}

#[test]
fn defaults_stand_in() {
    let text = r#"
[defaults]
prefix = "LIB"
timezone = "Australia/Lord_Howe"
ladder = "all"
centre = "west"
[[centre]]
id = "west"
[[site]]
id = "shop"
name = "Shop"
[[ladder]]
id = "all"
[[ladder.rung]]
notify = [{ centre = "west" }]
"#;
    let draft = Draft::parse("directory.toml", text).draft.unwrap();
    let resolved = resolve(&draft);
    expect![[r#"{"customers":{"default":{"prefix":"LIB","ladder":"all","centre":"west"}},"sites":{"shop":{"customer":"default","ladder":"all","eta_limit_s":900,"feedback":true,"clock":{"zone":"Australia/Lord_Howe"}}},"devices":{},"ladders":{"all":{"id":"all","rungs":[{"targets":[{"who":{"centre":"west"},"by":[["desk"]]}],"wait_s":30}]}},"centres":{"west":{"webhook":null}},"fallback":null,"adapters":[]}"#]].assert_eq(&serde_json::to_string(&resolved.directory).unwrap());
    let zones: Vec<_> = resolved.places.sites.values().map(|s| s.timezone.as_str()).collect();
    assert_eq!(zones, ["Australia/Lord_Howe"]);
}

#[test]
fn nothing_can_be_adopted_from_an_empty_file() {
    check(
        "",
        &expect![[r#"
            Error directory.toml:0: there is no [[site]]
              nobody could be told where to go
              add a site with its id, name, timezone and ladder
            Error directory.toml:0: there is no [[ladder]]
              a press would be told to nobody
              add a ladder with at least one [[ladder.rung]]
            Warning directory.toml:0: there is no [fallback]
              a press that names a site nobody knows would be recorded and told to nobody
              add  [fallback]  with a ladder
        "#]],
    );
}

#[test]
fn broken_toml_is_said_with_everything_else_that_is_certain() {
    check(
        "[[person]]\nid = \"a\"\nmobile = \"12\"\nname = \"unclosed\n[[site]]\nid = = 3\nnmae = \"x\"\n",
        &expect![[r#"
            Error directory.toml:1: site 1: id is a number, not a text in quotes
              write it in that form
            Error directory.toml:3: person "a": mobile does not begin with + and a country code
              write it with its country code: "+61 4xx xxx xxx"
            Error directory.toml:4: this is not TOML: invalid basic string, expected `"`
              mend this line; what depends on it is checked once the file can be read
            Error directory.toml:6: this is not TOML: extra `=`, expected nothing
              mend this line; what depends on it is checked once the file can be read
            Error directory.toml:6: this is not TOML: unexpected key or value, expected newline, `#`
              mend this line; what depends on it is checked once the file can be read
            Error directory.toml:7: site 1: "nmae" is not a known key
              did you mean "name"? nothing unknown is ever ignored
        "#]],
    );
}

#[test]
fn an_unknown_key_names_itself_and_the_nearest_known_one() {
    let text = with("mobile = \"0400", "mobil = \"0400");
    check(
        &text,
        &expect![[r#"
        Error directory.toml:10: person "j-smith": "mobil" is not a known key
          did you mean "mobile"? nothing unknown is ever ignored
    "#]],
    );
    check(
        &format!("{SOUND}\n[[sites]]\nid=\"x\"\n"),
        &expect![[r#"
        Error directory.toml:46: "sites" is not a known key
          did you mean "site"? nothing unknown is ever ignored
    "#]],
    );
    check(
        &with("feedback = \"off\"", "xyzzy = 1"),
        &expect![[r#"
            Error directory.toml:25: site "library": "xyzzy" is not a known key
              the keys here are id, extends, customer, ladder, feedback, close_guard, eta_limit, plan, calendar, timezone, state, phone, roles, name, sms_name, address, suburb, cross_street, entry, rendezvous, hazards
        "#]],
    );
    check(
        &with("wait = \"45s\"", "wiat = \"45s\""),
        &expect![[r#"
        Error directory.toml:40: ladder "counters", rung 1: "wiat" is not a known key
          did you mean "wait"? nothing unknown is ever ignored
    "#]],
    );
    check(
        &with("by = [\"sms\"]", "via = [\"sms\"]"),
        &expect![[r#"
            Error directory.toml:42: ladder "counters", rung 2, notify 1: "via" is not a known key
              the keys here are person, group, role, centre, roster, by
        "#]],
    );
}

#[test]
fn wrong_types_are_said() {
    let text = r#"
person = "j-smith"
[[site]]
id = 7
name = true
address = 2026-01-01
[[ladder]]
id = "l"
rung = 3
[[ladder]]
id = "m"
[[ladder.rung]]
notify = ["j-smith"]
[[ladder.rung]]
notify = [{ person = "x", by = "sms" }, { person = "x", by = [1, ["sms", 2.5]] }]
[fallback]
ladder = ["l"]
"#;
    check(
        text,
        &expect![[r#"
            Error directory.toml:2: person is a text, not tables: [[person]]
              write it in that form
            Error directory.toml:3: site 1: timezone is missing
              messages say the local time
              add  timezone = "Australia/Perth"  here or under [defaults]
            Error directory.toml:4: site 1: id is a number, not a text in quotes
              write it in that form
            Error directory.toml:5: site 1: name is true or false, not a text in quotes
              write it in that form
            Error directory.toml:6: site 1: address is a date, not a text in quotes
              write it in that form
            Error directory.toml:9: ladder "l": rung is a number, not tables: [[rung]]
              write it in that form
            Error directory.toml:13: ladder "m", rung 1: notify is a text, not a table
              write it in that form
            Error directory.toml:15: ladder "m", rung 2, notify 1: by is a text, not a list of channels
              write it in that form
            Error directory.toml:15: ladder "m", rung 2, notify 2: by is a number, not a text in quotes
              write it in that form
            Error directory.toml:15: ladder "m", rung 2, notify 2: by is a fraction, not a text in quotes
              write it in that form
            Error directory.toml:15: ladder "m", rung 2: there is no person "x"
              add a [[person]] of that id, or name one that is there
            Error directory.toml:17: fallback: ladder is a list, not a text in quotes
              write it in that form
        "#]],
    );
}

/// A sound directory whose library follows this plan.
fn planned(plan: &str) -> String {
    format!("{}\n[[plan]]\nid = \"duress\"\n{plan}\n", with("feedback = \"off\"", "feedback = \"off\"\nplan = \"duress\""))
}

#[test]
fn a_plan_has_steps_some_of_which_are_required() {
    let text = planned(
        r#"version = 3
approved_by = "A. Director"
review_by = "2027-06-30"
responder = ["Wait for a second person", { step = "Look whether anybody is hurt", required = true }]
centre = [{ step = "Ring the back office", required = false }]"#,
    );
    let parsed = Draft::parse("directory.toml", &text);
    assert!(parsed.findings.is_empty(), "{:?}", parsed.findings);
    let draft = parsed.draft.unwrap();
    let resolved = resolve(&draft);
    let (id, plan) = resolved.directory.plans.first_key_value().unwrap();
    assert_eq!((id.as_str(), plan.version), ("duress", 3));
    assert_eq!(plan.required().map(|step| step.to_string()).collect::<Vec<_>>(), ["responder 2"]);
    let site = resolved.directory.sites.values().next().unwrap();
    assert_eq!(site.plan.as_ref(), Some(id));
    let card = &resolved.places.plans[id];
    assert_eq!(card.approved_by, "A. Director");
    assert_eq!(plan.required().next().and_then(|step| card.says(step)), Some("Look whether anybody is hurt"));
    let due = |day: &str| draft.unreviewed("directory.toml", format!("{day}T12:00:00Z").parse().unwrap()).len();
    assert_eq!((due("2027-06-30"), due("2027-07-01")), (0, 1));
}

#[test]
fn what_is_wrong_with_a_plan_is_said_with_its_line() {
    let long = "x".repeat(201);
    let many = vec!["\"step\""; 21].join(", ");
    check(
        &planned(&format!(
            "version = 0\nresponder = [\"\", 7, {{ step = \"{long}\" }}, {{ required = true }}, {{ step = \"x\", required = 1, who = \"y\" }}]\ncentre = [{many}]"
        )),
        &expect![[r#"
            Error directory.toml:47: plan "duress": centre has 21 steps; nobody follows more than 20
              put together what is done together
            Error directory.toml:49: plan "duress": version is not a whole number from 1
              write 1, 2, 3 ...
            Error directory.toml:50: plan "duress": responder 1 is empty or not one line
              say in a line what is done
            Error directory.toml:50: plan "duress": responder is a number, not a text in quotes, or a table
              write it in that form
            Error directory.toml:50: plan "duress", responder 3: step has a step of 201 characters; it is read on a phone, and has room for 200
              shorten it, or make two steps of it
            Error directory.toml:50: plan "duress", responder 4: step is missing
              add  step = "..."
            Error directory.toml:50: plan "duress", responder 5: required is a number, not true or false
              write it in that form
            Error directory.toml:50: plan "duress", responder 5: "who" is not a known key
              the keys here are step, required
        "#]],
    );
    check(
        &planned("review_by = \"soon\""),
        &expect![[r#"
        Error directory.toml:47: plan "duress": it has no steps
          nobody would be told what to do
          add  responder = ["..."]  or  centre = ["..."]
        Error directory.toml:49: plan "duress": review_by "soon" is not a date
          write it as "2026-12-24"
    "#]],
    );
    check(
        &with("feedback = \"off\"", "plan = \"durress\""),
        &expect![[r#"
        Error directory.toml:25: site "library": there is no plan "durress"
          add a [[plan]] of that id, or name one that is there
    "#]],
    );
    check(
        &format!("{}[[plan]]\nid = \"duress\"\ncentre = []\n", planned("centre = [\"x\"]")),
        &expect![[r#"
            Error directory.toml:50: plan "duress": it has no steps
              nobody would be told what to do
              add  responder = ["..."]  or  centre = ["..."]
            Error directory.toml:50: plan "duress" is there twice; the first is on line 47
              rename one of them or merge the two
        "#]],
    );
}

#[test]
fn what_is_not_in_this_version_is_refused() {
    let text = with(
        "address = \"1 Example Rd\"",
        "address = \"1 Example Rd\"\ntype = \"library\"\nlat = -31.9\nlon = 116.0\ncallback = \"never\"\nhours = \"9-5\"\nstaffing_min = 2\ncallback_number = \"1\"",
    )
    .replacen("prefix = \"KAL\"", "prefix = \"KAL\"\njurisdiction = \"AU-WA\"", 1)
    .replacen("based_at", "screen = \"private\"\nbased_at", 1)
    .replacen("mounting", "adapter = \"native\"\nmounting", 1)
    .replacen("{ person = \"j-smith\" }", "{ role = \"warden\", by = [\"fax\"] }", 1);
    check(
        &text,
        &expect![[r#"
            Error directory.toml:5: customer "kalamunda": jurisdiction: jurisdictions are not in this version
              leave the key out
            Error directory.toml:13: person "j-smith": screen: rules for a phone that others can see are not in this version
              leave the key out: every message is worded as if others could see it
            Error directory.toml:27: site "library": type: types of sites are not in this version
              leave the key out
            Error directory.toml:28: site "library": lat: positions of sites are not in this version
              say it in words under entry
            Error directory.toml:29: site "library": lon: positions of sites are not in this version
              say it in words under entry
            Error directory.toml:30: site "library": callback: rules for calling back are not in this version
              leave the key out: the counter is never called
            Error directory.toml:31: site "library": hours: opening hours are not in this version
              write hours at the rungs that hold by them
            Error directory.toml:32: site "library": staffing_min: staffing rules are not in this version
              leave the key out
            Error directory.toml:33: site "library": callback_number: rules for calling back are not in this version
              use phone for the number a responder rings
            Error directory.toml:43: device "pendant": adapter: adapters named by a device are not in this version
              write an [[adapter]] rule; devices with native topics need none
            Error directory.toml:49: ladder "counters", rung 1, notify 1: by: "fax" is not a channel
              a person has "sms", "email" and "voice", a centre "webhook" and "desk"
            Error directory.toml:49: ladder "counters", rung 1: 1 of 1 sites ("library") does not say who is "warden"
              nobody could be told there for it
              write  roles.warden = ["..."]  at the site or its region, or  roles.warden = []  where nobody is
            Error directory.toml:54: fallback: ladder "counters" asks for roles, and no site is there to say who has them
              nobody could be told
              name a ladder of persons, groups, rosters and centres
        "#]],
    );
}

#[test]
fn unknown_references_are_said_with_the_nearest() {
    let text = SOUND
        .replacen("ladder = \"counters\"\ncentre = \"westside\"", "ladder = \"countres\"\ncentre = \"eastside\"", 1)
        .replacen("based_at = \"library\"", "based_at = \"librari\"\ncustomer = \"nobody\"", 1)
        .replacen("site = \"library\"", "site = \"libary\"", 1)
        .replacen("person = \"p-nair\"", "person = \"p-nairn\"", 1)
        .replacen("{ centre = \"westside\"", "{ centre = \"westsde\"", 1)
        .replacen("[fallback]\nladder = \"counters\"", "[fallback]\nladder = \"none\"\ncustomer = \"x\"", 1);
    check(
        &text,
        &expect![[r#"
        Error directory.toml:5: customer "kalamunda": there is no ladder "countres"
          did you mean "counters"?
        Error directory.toml:6: customer "kalamunda": there is no centre "eastside"
          did you mean "westside"?
        Error directory.toml:12: person "j-smith": there is no site "librari"
          did you mean "library"?
        Error directory.toml:13: person "j-smith": there is no customer "nobody"
          add a [[customer]] of that id, or name one that is there
        Error directory.toml:30: device "front-1": there is no site "libary"
          did you mean "library"?
        Error directory.toml:43: ladder "counters", rung 2: there is no person "p-nairn"
          did you mean "p-nair"?
        Error directory.toml:43: ladder "counters", rung 2: there is no centre "westsde"
          did you mean "westside"?
        Error directory.toml:45: fallback: there is no ladder "none"
          add a [[ladder]] of that id, or name one that is there
        Error directory.toml:46: fallback: there is no customer "x"
          add a [[customer]] of that id, or name one that is there
    "#]],
    );
}

#[test]
fn bad_numbers_and_mailboxes_are_said_without_repeating_them() {
    let mut text = SOUND.to_owned();
    for (i, number) in [
        "400 000 001",
        "0400 000 00",
        "+61 0400 000 001",
        "+61 400 000",
        "+123",
        "+61 4OO OOO OO1",
        "",
        "+61 8 9555 0100",
        "+4917012345678",
    ]
    .iter()
    .enumerate()
    {
        writeln!(text, "[[person]]\nid = \"m{i}\"\nmobile = \"{number}\"").unwrap();
    }
    let mailboxes = ["nobody", "@x.org", "a@", "a b@x.org", "a@x..org", "a@-x.org"];
    for (i, mailbox) in mailboxes.iter().enumerate() {
        writeln!(text, "[[person]]\nid = \"e{i}\"\nemail = \"{mailbox}\"").unwrap();
    }
    check(
        &text,
        &expect![[r#"
        Error directory.toml:47: person "m0": mobile does not begin with + and a country code
          write it with its country code: "+61 4xx xxx xxx"
        Error directory.toml:50: person "m1": mobile does not begin with + and a country code
          write it with its country code: "+61 4xx xxx xxx"
        Error directory.toml:53: person "m2": mobile has a 0 where the country code or the number after it begins
          leave that 0 out: "+61 4xx xxx xxx"
        Error directory.toml:56: person "m3": mobile has 6 digits after +61; an Australian mobile has 9
          write it with its country code: "+61 4xx xxx xxx"
        Error directory.toml:59: person "m4": mobile has 3 digits; a number has 8 to 15
          write it with its country code: "+61 4xx xxx xxx"
        Error directory.toml:62: person "m5": mobile has something in it that is not a digit
          write it with its country code: "+61 4xx xxx xxx"
        Error directory.toml:65: person "m6": mobile does not begin with + and a country code
          write it with its country code: "+61 4xx xxx xxx"
        Warning directory.toml:68: person "m7": mobile is an Australian landline
          a text message there is lost or read out by a machine
          give a mobile number, +61 4...
        Error directory.toml:74: person "e0": email has no @
          write it as  name@example.org
        Error directory.toml:77: person "e1": email has a part that is empty or too long
          write it as  name@example.org
        Error directory.toml:80: person "e2": email has no domain after the @
          write it as  name@example.org
        Error directory.toml:83: person "e3": email has a character before the @ that mail does not carry
          write it as  name@example.org
        Error directory.toml:86: person "e4": email has no domain after the @
          write it as  name@example.org
        Error directory.toml:89: person "e5": email has no domain after the @
          write it as  name@example.org
    "#]],
    );
}

#[test]
fn twice_the_same_id_is_said_with_the_first_line() {
    let again = r#"
[[customer]]
id = "kalamunda"
prefix = "KAL"
[[person]]
id = "p-nair"
mobile = "+61400000009"
[[centre]]
id = "westside"
[[site]]
id = "library"
customer = "kalamunda"
name = "Again"
timezone = "Australia/Perth"
address = "2 Example Rd"
[[device]]
id = "front-1"
site = "library"
[[ladder]]
id = "counters"
[[ladder.rung]]
notify = [{ person = "p-nair" }]
[[ladder.rung]]
notify = [{ person = "p-nair" }]
"#;
    check(
        &format!("{SOUND}{again}"),
        &expect![[r#"
            Error directory.toml:20: site "library": customer is missing
              there are several customers, and a site belongs to exactly one
              add  customer = "..."
            Error directory.toml:43: fallback: customer is missing
              there are several customers
              add  customer = "..."
            Error directory.toml:46: customer "kalamunda" is there twice; the first is on line 2
              rename one of them or merge the two
            Error directory.toml:49: person "p-nair" is there twice; the first is on line 13
              rename one of them or merge the two
            Error directory.toml:52: centre "westside" is there twice; the first is on line 16
              rename one of them or merge the two
            Error directory.toml:54: site "library" is there twice; the first is on line 20
              rename one of them or merge the two
            Error directory.toml:60: device "library/front-1" is there twice; the first is on line 27
              rename one of them or merge the two
            Error directory.toml:63: ladder "counters" is there twice; the first is on line 36
              rename one of them or merge the two
        "#]],
    );
}

#[test]
fn two_people_with_one_number_are_a_warning() {
    let text = with("+61 400 000 002\"", "+61 400 000 001\"\nemail = \"J.Smith@example.org\"");
    check(
        &text,
        &expect![[r#"
        Warning directory.toml:15: persons "j-smith" and "p-nair" have the same mobile number
          who of them answered could not be told, and the two count as one way to reach someone
          give each their own, or make them one person
        Warning directory.toml:16: persons "j-smith" and "p-nair" have the same mailbox
          who of them answered could not be told, and the two count as one way to reach someone
          give each their own, or make them one person
    "#]],
    );
}

#[test]
fn unknown_zones_are_said() {
    check(
        &with("Australia/Perth", "Australia/Pert"),
        &expect![[r#"
        Error directory.toml:23: site "library": timezone "Australia/Pert" is not a time zone
          write an IANA name: "Australia/Perth", "Australia/Sydney"
    "#]],
    );
    check(
        &with("timezone = \"Australia/Perth\"\n", ""),
        &expect![[r#"
            Error directory.toml:20: site "library": timezone is missing
              messages say the local time
              add  timezone = "Australia/Perth"  here or under [defaults]
        "#]],
    );
    assert!(zones_version().starts_with("20"), "{}", zones_version());
}

#[test]
fn waits_have_a_unit_and_a_limit() {
    for (wait, said) in [
        (
            "\"45\"",
            expect![[r#"
            Error directory.toml:40: ladder "counters", rung 1: wait "45" is not a span of time
              write it with its unit: "30s", "2m"
        "#]],
        ),
        (
            "45",
            expect![[r#"
            Error directory.toml:40: ladder "counters", rung 1: wait is a number, not a text in quotes
              write it in that form
        "#]],
        ),
        (
            "\"0s\"",
            expect![[r#"
                Error directory.toml:40: ladder "counters", rung 1: wait is outside of 1 s to 1 h
                  choose a span within these limits
            "#]],
        ),
        (
            "\"61m\"",
            expect![[r#"
                Error directory.toml:40: ladder "counters", rung 1: wait is outside of 1 s to 1 h
                  choose a span within these limits
            "#]],
        ),
        (
            "\"1500ms\"",
            expect![[r#"
            Error directory.toml:40: ladder "counters", rung 1: wait is not in whole seconds
              write it with its unit: "30s", "2m"
        "#]],
        ),
        (
            "\"30s ago\"",
            expect![[r#"
                Error directory.toml:40: ladder "counters", rung 1: wait is outside of 1 s to 1 h
                  choose a span within these limits
            "#]],
        ),
        ("\"1h\"", expect![[""]]),
    ] {
        check(&with("\"45s\"", wait), &said);
    }
}

#[test]
fn ladders_without_rungs_and_rungs_without_anybody() {
    let more = r#"
[[ladder]]
id = "empty"
[[ladder]]
id = "no-notify"
[[ladder.rung]]
wait = "30s"
[[ladder]]
id = "nobody"
[[ladder.rung]]
notify = []
[[ladder]]
id = "both"
[[ladder.rung]]
notify = [{ person = "p-nair", centre = "westside" }, {}, { person = "p-nair", by = [] }, { person = "p-nair", by = ["pigeon"] }]
"#;
    check(
        &format!("{SOUND}{more}"),
        &expect![[r#"
            Error directory.toml:46: ladder "empty": rung is missing
              a press there would be told to nobody
              add  [[ladder.rung]]  with  notify = [{ person = "..." }]
            Error directory.toml:50: ladder "no-notify", rung 1: notify is missing
              it would tell nobody
              add  notify = [{ person = "..." }]
            Error directory.toml:54: ladder "nobody", rung 1: notify is empty
              it would tell nobody
              name a person, a group or a centre
            Error directory.toml:59: ladder "both", rung 1, notify 1: it does not name exactly one party
              write one of  { person = "..." }  { group = "..." }  { role = "..." }  { centre = "..." }  { roster = "..." }
            Error directory.toml:59: ladder "both", rung 1, notify 2: it does not name exactly one party
              write one of  { person = "..." }  { group = "..." }  { role = "..." }  { centre = "..." }  { roster = "..." }
            Error directory.toml:59: ladder "both", rung 1, notify 3: by is empty
              no channel would be tried
              leave it out, or write  by = ["sms", "email"]
            Error directory.toml:59: ladder "both", rung 1, notify 4: by: "pigeon" is not a channel
              a person has "sms", "email" and "voice", a centre "webhook" and "desk"
        "#]],
    );
    let long = "[[ladder.rung]]\nnotify = [{ person = \"p-nair\" }]\n".repeat(101);
    check(
        &format!("{SOUND}\n[[ladder]]\nid = \"long\"\n{long}"),
        &expect![[r#"
            Error directory.toml:46: ladder "long": 101 rungs are more than 100
              put people who are told together into one rung
        "#]],
    );
}

#[test]
fn a_ladder_that_can_reach_nobody_is_refused() {
    let more = r#"
[[person]]
id = "mute"
[[site]]
id = "depot"
name = "Depot"
timezone = "Australia/Perth"
address = "3 Example Rd"
ladder = "silent"
[[device]]
id = "gate"
site = "library"
ladder = "silent"
[[ladder]]
id = "silent"
[[ladder.rung]]
notify = [{ person = "mute" }]
[[ladder.rung]]
notify = [{ person = "p-nair", by = ["email"] }, { centre = "westside", by = ["sms"] }]
"#;
    check(
        &format!("{SOUND}{more}"),
        &expect![[r#"
        Warning directory.toml:46: person "mute": there is no way to reach this person
          a rung that names only this person takes 0 s
          add  mobile = "+614..."  or  email = "..."
        Error directory.toml:58: ladder "silent" can reach nobody
          nobody in it has an address; it is used at "depot", "library/gate"
          give its people a mobile or an email, or its centre a webhook
    "#]],
    );
}

#[test]
fn rungs_passed_over_and_channels_missing_are_warnings() {
    let more = r#"
[[person]]
id = "mute"
[[centre]]
id = "desk-only"
[[ladder]]
id = "gaps"
[[ladder.rung]]
notify = [{ person = "mute" }]
[[ladder.rung]]
notify = [{ person = "p-nair", by = [["sms", "email"]] }]
[[ladder.rung]]
notify = [{ person = "mute" }]
[[ladder]]
id = "one"
[[ladder.rung]]
notify = [{ person = "p-nair" }]
[[ladder]]
id = "watched"
[[ladder.rung]]
notify = [{ centre = "desk-only" }]
[[ladder.rung]]
notify = [{ centre = "desk-only" }]
"#;
    check(
        &format!("{SOUND}{more}"),
        &expect![[r#"
            Warning directory.toml:46: person "mute": there is no way to reach this person
              a rung that names only this person takes 0 s
              add  mobile = "+614..."  or  email = "..."
            Warning directory.toml:52: ladder "gaps", rung 1: nobody in it has an address
              a press then would wait 0 s here and go on to rung 2
              give its people a mobile or an email
            Warning directory.toml:55: ladder "gaps", rung 2: person "p-nair" cannot be reached by email
              that channel is passed over at once
              add the address, or leave the channel out of by
            Warning directory.toml:56: ladder "gaps", rung 3: nobody in it has an address
              a press then would wait 0 s here and begin again with everyone
              give its people a mobile or an email
            Warning directory.toml:58: ladder "one" has one rung
              if nobody there answers, nobody else is ever asked
              add a rung with someone else
            Warning directory.toml:62: ladder "watched" sends nothing to anybody
              while nobody is at the desk, a press is told to nobody
              add a rung with a person, or give the centre a webhook
        "#]],
    );
}

#[test]
fn customers_stay_apart() {
    let more = r#"
[[customer]]
id = "gosnells"
[[person]]
id = "g-lee"
customer = "gosnells"
mobile = "+61400000003"
[[site]]
id = "depot"
customer = "gosnells"
name = "Depot"
timezone = "Australia/Perth"
address = "3 Example Rd"
ladder = "kal-only"
[[site]]
id = "pool"
customer = "gosnells"
name = "Pool"
timezone = "Australia/Perth"
address = "4 Example Rd"
[[ladder]]
id = "kal-only"
customer = "kalamunda"
[[ladder.rung]]
notify = [{ person = "g-lee" }]
[[ladder.rung]]
notify = [{ person = "p-nair" }]
"#;
    check(
        &format!("{SOUND}{more}"),
        &expect![[r#"
            Error directory.toml:20: site "library": customer is missing
              there are several customers, and a site belongs to exactly one
              add  customer = "..."
            Error directory.toml:43: fallback: customer is missing
              there are several customers
              add  customer = "..."
            Error directory.toml:58: ladder "kal-only" belongs to customer "kalamunda", not "gosnells"
              one customer's people would be told of another's
              use a ladder of the customer's own
            Error directory.toml:59: site "pool": ladder is missing, and its customer has none either
              a press there would be told to nobody
              add  ladder = "..."  here, at the customer or under [defaults]
            Error directory.toml:69: ladder "kal-only", rung 1: person "g-lee" belongs to customer "gosnells", not "kalamunda"
              they would be told of another customer's alarms
              name one of that customer, or leave its own customer out
        "#]],
    );
    let foreign = with("id = \"p-nair\"", "id = \"p-nair\"\ncustomer = \"kalamunda\"");
    let shared = r#"
[[customer]]
id = "gosnells"
ladder = "counters"
[[site]]
id = "depot"
customer = "gosnells"
name = "Depot"
timezone = "Australia/Perth"
address = "3 Example Rd"
"#;
    let foreign = foreign.replacen("id = \"library\"", "id = \"library\"\ncustomer = \"kalamunda\"", 1);
    check(
        &format!("{foreign}{shared}"),
        &expect![[r#"
            Error directory.toml:44: ladder "counters", rung 2: person "p-nair" belongs to customer "kalamunda", not "gosnells"
              they would be told of another customer's alarms
              name one of that customer, or leave its own customer out
            Error directory.toml:45: fallback: customer is missing
              there are several customers
              add  customer = "..."
        "#]],
    );
    check(
        &format!("{SOUND}\n[defaults]\nprefix = \"ABC\"\n"),
        &expect![[r#"
            Error directory.toml:47: defaults: prefix has no effect where customers are named
              give each [[customer]] its own prefix
        "#]],
    );
    check(
        &with("id = \"kalamunda\"\nprefix = \"KAL\"", "id = \"k2\""),
        &expect![[r#"
            Error directory.toml:2: customer "k2": prefix is missing
              references like KAL-42 begin with it, and the id has too few letters to make one
              add  prefix = "KAL"  : 2 to 6 capital letters of your choice
        "#]],
    );
}

/// Somebody who looks after the station, and whatever else a story needs.
fn looked_after(technical: &str, rung: &str) -> String {
    let ladder = "[[ladder]]\nid = \"station\"\n[[ladder.rung]]\nnotify = [{ person = \"j-smith\" }]\n";
    let defaults = "[defaults]\ntimezone = \"Australia/Perth\"\n";
    format!("{SOUND}[technical]\n{technical}\n{ladder}[[ladder.rung]]\nnotify = [{{ person = \"p-nair\" }}]\n{rung}{defaults}")
}

#[test]
fn troubles_have_a_ladder_of_their_own() {
    let text = looked_after("ladder = \"station\"\nwait = \"90s\"\nagain = \"1h\"", "");
    check(&text, &expect![[""]]);
    let technical = resolve(&Draft::parse("directory.toml", &text).draft.unwrap()).directory.technical;
    assert_eq!((technical.wait_s.0, technical.again_s.0, technical.ladder.unwrap().as_str()), (90, 3_600, "station"));
    check(
        &looked_after("wait = \"2h\"", ""),
        &expect![[r#"
        Error directory.toml:45: technical: ladder is missing
          the station's troubles would be told to nobody
          name the ladder of whoever looks after the station
        Error directory.toml:46: technical: wait is outside of 1 s to 1 h
          choose a span within these limits
    "#]],
    );
    check(
        &text.replace("[defaults]\ntimezone = \"Australia/Perth\"\n", ""),
        &expect![[r#"
        Warning directory.toml:46: troubles are told to people, and [defaults] has no timezone
          nobody knows when it is night: what can wait is told at any hour
          name the timezone of whoever looks after the station in [defaults]
    "#]],
    );
    check(
        &looked_after("ladder = \"station\"\nagain = \"1s\"", ""),
        &expect![[r#"
        Error directory.toml:47: technical: again is shorter than 1 min
          everybody of the ladder would be told without a pause
          choose 1 min at least; 30m is usual
    "#]],
    );
    check(
        &looked_after("ladder = \"stations\"", ""),
        &expect![[r#"
        Error directory.toml:46: technical: there is no ladder "stations"
          did you mean "station"?
    "#]],
    );
}

#[test]
fn a_technical_ladder_asks_for_nothing_that_is_not_honoured() {
    let rung = "kinds = [\"duress\"]\nneed = 2\n[[ladder.rung]]\nnotify = [{ centre = \"westside\" }, { person = \"j-smith\", by = [\"voice\"] }]\n";
    check(
        &looked_after("ladder = \"station\"", rung),
        &expect![[r#"
        Error directory.toml:51: ladder "station", rung 2 has hours or kinds, and a trouble has neither a site's clock nor a kind
          it is climbed for troubles
          name a roster with shifts; for calls keep another ladder
        Error directory.toml:51: ladder "station", rung 2 needs several people, and one who looks after a trouble is enough
          it is climbed for troubles
          leave need out; for calls keep another ladder
        Warning directory.toml:51: ladder "station", rung 2: it needs 2 people and has 1
          its ladder goes on until people of other rungs have accepted as well
          name more people on it, or ask for fewer
        Error directory.toml:55: ladder "station", rung 3 names a centre, and a centre takes what it is sent for a call for help
          it is climbed for troubles
          name people; for calls keep another ladder
        Error directory.toml:55: ladder "station", rung 3 is told by a call, and nobody is rung for a trouble in this version
          it is climbed for troubles
          leave voice out of by; for calls keep another ladder
    "#]],
    );
    check(
        &with("prefix = \"KAL\"", "prefix = \"TRB\""),
        &expect![[r#"
        Error directory.toml:4: customer "kalamunda": the prefix TRB is the station's own
          messages about troubles have references that begin so
          choose another prefix
    "#]],
    );
}

/// Whoever would be told of another customer's troubles is found, also where that customer has named nobody.
#[test]
fn nobodys_people_are_told_of_anothers_troubles() {
    let other = "[[customer]]\nid = \"swan\"\nprefix = \"SWN\"\nladder = \"counters\"\n";
    let text = looked_after("ladder = \"station\"", other)
        .replacen("id = \"p-nair\"", "id = \"p-nair\"\ncustomer = \"kalamunda\"", 1)
        .replacen("id = \"library\"", "id = \"library\"\ncustomer = \"kalamunda\"", 1)
        .replacen("[fallback]", "[fallback]\ncustomer = \"kalamunda\"", 1);
    check(
        &text,
        &expect![[r#"
        Error directory.toml:55: ladder "station", rung 2: person "p-nair" belongs to customer "kalamunda", not "swan"
          they would be told of another customer's alarms
          name one of that customer, or leave its own customer out
    "#]],
    );
    let named = text.replacen("id = \"swan\"", "id = \"swan\"\ntechnical = \"counters\"", 1);
    check(
        &named,
        &expect![[r#"
        Error directory.toml:43: ladder "counters", rung 2 names a centre, and a centre takes what it is sent for a call for help
          it is climbed for troubles
          name people; for calls keep another ladder
        Error directory.toml:44: ladder "counters", rung 2: person "p-nair" belongs to customer "kalamunda", not "swan"
          they would be told of another customer's alarms
          name one of that customer, or leave its own customer out
    "#]],
    );
}

#[test]
fn names_must_fit_a_text_message() {
    check(
        &with("Kalamunda Library", "Kalamunda Library and Community Centre"),
        &expect![[r#"
            Warning directory.toml:20: site "library": a text message will call it "Kalamunda Library"
              its name is longer than 20 characters
              add  sms_name = "..."  so that a stranger still finds the place
        "#]],
    );
    check(
        &with("name = \"Kalamunda Library\"", "name = \"Kalamunda Library\"\nsms_name = \"Kalamunda Library and\""),
        &expect![[r#"
            Error directory.toml:23: site "library": sms_name has 21 characters; a text message has room for 20
              shorten it so that a stranger still finds the place
        "#]],
    );
    check(
        &with("Front counter 1", "Frontcounteroftheeast"),
        &expect![[r#"
            Error directory.toml:27: device "front-1": the name has no word that fits into a text message
              add  sms_name = "..."  with up to 20 characters
        "#]],
    );
    check(
        &with("Front counter 1", "Front\\ncounter"),
        &expect![[r#"
        Error directory.toml:30: device "front-1": place has a line break or a control character in it
          write it on one line
    "#]],
    );
    check(
        &with("Front counter 1", "  "),
        &expect![[r#"
        Error directory.toml:30: device "front-1": place is empty
          write it out or leave the key out
    "#]],
    );
}

#[test]
fn choices_are_listed() {
    let text = with("feedback = \"off\"", "feedback = \"maybe\"")
        .replacen("mounting = \"portable\"", "mounting = \"worn\"", 1)
        .replacen("kind = \"assist\"", "kind = \"welfare\"", 1)
        .replacen("eta_limit = \"20m\"", "eta_limit = \"5h\"", 1)
        .replacen("prefix = \"KAL\"", "prefix = \"kal\"", 1);
    check(
        &text,
        &expect![[r#"
            Error directory.toml:4: customer "kalamunda": prefix "kal" is not a prefix of 2 to 6 capital letters
              write it in that form
            Error directory.toml:25: site "library": feedback "maybe" is none of the choices
              write "on" or "off"
            Error directory.toml:26: site "library": eta_limit is outside of 1 s to 4 h
              choose a span within these limits
            Error directory.toml:34: device "pendant": mounting "worn" is none of the choices
              write "fixed" or "portable"
            Error directory.toml:35: device "pendant": kind "welfare" is none of the choices
              write "duress" or "panic" or "medical" or "assist"
        "#]],
    );
}

#[test]
fn nobody_to_fall_back_on_is_a_warning() {
    check(
        &with("[fallback]\nladder = \"counters\"\n", ""),
        &expect![[r#"
            Warning directory.toml:0: there is no [fallback]
              a press that names a site nobody knows would be recorded and told to nobody
              add  [fallback]  with a ladder
        "#]],
    );
    check(
        &with("address = \"1 Example Rd\"\n", ""),
        &expect![[r#"
        Warning directory.toml:20: site "library": there is no address
          whoever goes, and the police, would have to know the place by its name
          add  address = "...", suburb, state and cross_street
    "#]],
    );
}

const ADAPTER: &str = r#"
[[adapter]]
id = "zigbee"
topic = "zigbee2mqtt/{device}"
site = "library"
battery_pointer = "/battery"
otherwise = "nothing"
[adapter.devices]
counter = "library/front-1"
[[adapter.when]]
pointer = "/action"
equals = ["emergency", "single"]
means = "press"
kind = "duress"
"#;

#[test]
fn adapter_rules_are_read() {
    let text = format!("{SOUND}{ADAPTER}");
    check(&text, &expect![[""]]);
    let draft = Draft::parse("directory.toml", &text).draft.unwrap();
    assert_eq!(resolve(&draft).directory.adapters[0].when[0].equals.len(), 2);
}

#[test]
#[expect(clippy::too_many_lines, reason = "one mistake a line, and what is said of it")]
fn adapter_rules_that_cannot_work_are_refused() {
    for (from, to, said) in [
        (
            "otherwise",
            "otherwize",
            expect![[r#"
            Error directory.toml:51: adapter "zigbee": "otherwize" is not a known key
              did you mean "otherwise"? nothing unknown is ever ignored
        "#]],
        ),
        (
            "equals",
            "equal",
            expect![[r#"
            Error directory.toml:56: adapter "zigbee", when 1: "equal" is not a known key
              did you mean "equals"? nothing unknown is ever ignored
        "#]],
        ),
        (
            "\"press\"",
            "\"shout\"",
            expect![[r#"
                Error directory.toml:57: adapter "zigbee": unknown variant `shout`, expected one of `press`, `cancel`, `tamper_on`, `tamper_off`, `alive`, `online`, `offline`, `nothing`
                  see the reference of adapter rules for what may stand here
            "#]],
        ),
        (
            "zigbee2mqtt/{device}",
            "zigbee2mqtt/+",
            expect![[r#"
            Error directory.toml:46: adapter "zigbee": the topic has a wildcard where none can stand
              its messages could not become signals
              use {device} and {site} for one whole level each, and # only at the end
        "#]],
        ),
        (
            "zigbee2mqtt/{device}",
            "zigbee2mqtt/button",
            expect![[r#"
            Error directory.toml:46: adapter "zigbee": nothing says which device a message is from
              its messages could not become signals
              put {device} into the topic, or give device_pointer
        "#]],
        ),
        (
            "zigbee2mqtt/{device}",
            "$SYS/{device}",
            expect![[r#"
            Error directory.toml:46: adapter "zigbee": the topic begins with $, which brokers keep for themselves
              its messages could not become signals
              use another topic
        "#]],
        ),
        (
            "site = \"library\"",
            "site = \"libary\"",
            expect![[r#"
            Error directory.toml:49: adapter "zigbee": there is no site "libary"
              did you mean "library"?
        "#]],
        ),
        (
            "library/front-1",
            "library/front-9",
            expect![[r#"
            Warning directory.toml:46: adapter "zigbee": device "library/front-9" is not registered
              its press still climbs the ladder, worded as an unregistered button
              add a [[device]], or correct the name here
        "#]],
        ),
        (
            "library/front-1",
            "front-1",
            expect![[r#"
            Error directory.toml:53: adapter "zigbee": "front-1" is not a device like site/device
              see the reference of adapter rules for what may stand here
        "#]],
        ),
        (
            "\"/action\"",
            "\"action\"",
            expect![[r#"
            Error directory.toml:55: adapter "zigbee", when 1: pointer is not a JSON pointer
              write it with a slash before each step: "/action"
        "#]],
        ),
        (
            "\"/battery\"",
            "\"battery\"",
            expect![[r#"
            Error directory.toml:46: adapter "zigbee": a pointer is not a JSON pointer
              its messages could not become signals
              write it with a slash before each step: "/id"
        "#]],
        ),
        (
            "[\"emergency\", \"single\"]",
            "[1]",
            expect![[r#"
            Error directory.toml:56: adapter "zigbee": invalid type: integer `1`, expected a string
              see the reference of adapter rules for what may stand here
        "#]],
        ),
    ] {
        let adapter = ADAPTER.replacen(from, to, 1);
        assert_ne!(adapter, ADAPTER, "the story replaces a passage that is not there: {from}");
        check(&format!("{SOUND}{adapter}"), &said);
    }
    let bare = "\n[[adapter]]\nid = \"zigbee\"\ntopic = \"a/{device}\"\n";
    check(
        &format!("{SOUND}{bare}"),
        &expect![[r#"
        Error directory.toml:46: adapter "zigbee": when is missing
          no message would mean anything
          add  [[adapter.when]]  with  means = "press"
    "#]],
    );
    check(
        &format!("{SOUND}{bare}when = [{{ means = \"press\" }}]\n"),
        &expect![[r#"
            Error directory.toml:46: adapter "zigbee": nothing says which site a message is from
              its messages could not become signals
              give site, or put {site} into the topic
        "#]],
    );
}

#[test]
fn no_finding_or_debug_shows_an_address() {
    let text = with("+61 400 000 002\"", "+61 400 000 001\"\nemail = \"not@@mail\"");
    let parsed = Draft::parse("directory.toml", &text);
    let shown = format!("{parsed:?}");
    for secret in ["400", "j.smith@", "not@", "J. Smith", "Example Rd"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
    let draft = Draft::parse("directory.toml", SOUND).draft.unwrap();
    let shown = format!("{draft:?} {:?} {:?}", draft.people, resolve(&draft));
    for secret in ["400", "j.smith@", "J. Smith", "Example Rd"] {
        assert!(!shown.contains(secret), "{secret} in {shown}");
    }
}

proptest! {
    #[test]
    fn parsing_is_total(text in "\\PC*") {
        Draft::parse("directory.toml", &text);
    }

    #[test]
    fn parsing_is_total_near_a_sound_file(at in 0..SOUND.len(), cut in 0..40usize, put in "[\\PC\n\"\\[\\]={}]{0,8}") {
        let text = format!("{SOUND}{ADAPTER}");
        let end = (at + cut).min(text.len());
        let near = format!("{}{put}{}", &text[..at], &text[end..]);
        let parsed = Draft::parse("directory.toml", &near);
        prop_assert!(parsed.draft.is_some() || parsed.findings.iter().any(|f| f.severity == Severity::Error));
        if let Some(draft) = parsed.draft {
            let resolved = resolve(&draft);
            prop_assert_eq!(resolved.directory.sites.len(), draft.sites.len());
        }
    }
}

/// A roster without a mistake, named by the second rung.
const DUTY: &str = r#"
[[roster]]
id = "duty"
timezone = "Australia/Perth"
calendar = "local"
[[roster.shift]]
people = ["p-nair", "j-smith"]
turn = "1w"
first = "2026-11-30 08:00"
hours = ["mon-fri 18:00-08:00", "sat,sun 00:00-24:00"]
[[roster.shift]]
people = ["j-smith"]
hours = ["mon-fri 08:00-18:00"]
holidays = "off"
from = "2026-01-01"
[[roster.override]]
from = "2026-12-24 18:00"
until = "2026-12-27"
people = ["j-smith"]
[[roster.swap]]
from = "2026-12-31 18:00"
until = "2027-01-01 08:00"
off = "p-nair"
on = "j-smith"
[[calendar]]
id = "local"
state = "AU-WA"
days = ["2027-03-08"]
except = ["2026-09-28"]
[[leave]]
person = "p-nair"
from = "2027-02-01"
until = "2027-02-15"
"#;

fn rostered(duty: &str) -> String {
    format!("{}{duty}", with("{ person = \"p-nair\", by = [\"sms\"] }", "{ roster = \"duty\", by = [\"sms\"] }"))
}

#[test]
fn a_roster_is_resolved_as_it_is_written() {
    check(&rostered(DUTY), &expect![[r#""#]]);
    let draft = Draft::parse("directory.toml", &rostered(DUTY)).draft.unwrap();
    let resolved = resolve(&draft);
    let json = serde_json::to_string_pretty(&resolved.directory.rosters).unwrap();
    expect![[r#"
        {
          "rosters": {
            "duty": {
              "zone": "Australia/Perth",
              "calendar": "local",
              "shifts": [
                {
                  "people": [
                    "P-2",
                    "P-1"
                  ],
                  "turn": {
                    "first": "2026-11-30T08:00:00",
                    "days": 7
                  },
                  "hours": {
                    "windows": [
                      "mon,tue,wed,thu,fri 18:00-08:00",
                      "sat,sun 00:00-24:00"
                    ],
                    "holidays": "on"
                  }
                },
                {
                  "people": [
                    "P-1"
                  ],
                  "hours": {
                    "windows": [
                      "mon,tue,wed,thu,fri 08:00-18:00"
                    ],
                    "holidays": "off"
                  },
                  "from": "2026-01-01T00:00:00"
                }
              ],
              "overrides": [
                {
                  "from": "2026-12-24T18:00:00",
                  "until": "2026-12-27T00:00:00",
                  "people": [
                    "P-1"
                  ]
                }
              ],
              "swaps": [
                {
                  "from": "2026-12-31T18:00:00",
                  "until": "2027-01-01T08:00:00",
                  "off": "P-2",
                  "on": "P-1"
                }
              ]
            }
          },
          "calendars": {
            "local": {
              "state": "AU-WA",
              "days": [
                "2027-03-08"
              ],
              "except": [
                "2026-09-28"
              ]
            }
          },
          "leave": {
            "P-2": [
              {
                "from": "2027-02-01T00:00:00",
                "until": "2027-02-15T00:00:00"
              }
            ]
          }
        }"#]]
    .assert_eq(&json);
    let again: crate::directory::Directory = serde_json::from_str(&serde_json::to_string(&resolved.directory).unwrap()).unwrap();
    assert_eq!(again, resolved.directory, "a directory with rosters reads back as it was written");
}

#[test]
fn mistakes_in_rosters_are_said_with_their_line() {
    let text = rostered(DUTY)
        .replacen("timezone = \"Australia/Perth\"\ncalendar = \"local\"", "calendar = \"lokal\"\ncustomer = \"nobody\"", 1)
        .replacen("turn = \"1w\"\nfirst = \"2026-11-30 08:00\"", "turn = \"fortnight\"\nfirst = \"next Monday\"", 1)
        .replacen("mon-fri 18:00-08:00", "weekdays 18-8", 1)
        .replacen("people = [\"j-smith\"]\nhours = [\"mon-fri 08:00-18:00\"]", "people = []\nfirst = \"2026-01-01\"\nhours = []", 1)
        .replacen("until = \"2026-12-27\"\npeople = [\"j-smith\"]", "until = \"2026-12-24\"\npeople = [\"j-smit\"]", 1)
        .replacen("off = \"p-nair\"", "of = \"p-nair\"", 1)
        .replacen("state = \"AU-WA\"\ndays = [\"2027-03-08\"]", "state = \"WA\"\ndays = [\"8 March\"]", 1)
        .replacen("person = \"p-nair\"\nfrom = \"2027-02-01\"", "person = \"p-nairn\"\nfrom = \"2027-02-01T08:00+08\"", 1);
    check(
        &format!("{text}[[roster]]\nid = \"unused\"\ntimezone = \"Australia/Perth\"\n"),
        &expect![[r#"
            Error directory.toml:42: ladder "counters", rung 2: roster "duty" belongs to customer "nobody", not "kalamunda"
              they would be told of another customer's alarms
              name one of that customer, or leave its own customer out
            Error directory.toml:46: roster "duty": timezone is missing
              its times are those of a clock on a wall
              add  timezone = "Australia/Perth"  here or under [defaults]
            Error directory.toml:48: roster "duty": there is no calendar "lokal"
              did you mean "local"?
            Error directory.toml:49: roster "duty": there is no customer "nobody"
              add a [[customer]] of that id, or name one that is there
            Error directory.toml:52: roster "duty", shift 1: turn "fortnight" is not a turn of 1 to 182 days
              write "7d" or "1w"
            Error directory.toml:53: roster "duty", shift 1: first "next Monday" is not a time on the wall
              write "2026-12-24 08:00", or a date alone for its midnight; never an offset or a zone
            Error directory.toml:54: roster "duty", shift 1: hours: "weekdays 18-8" is not a window of the week: write "mon-fri 08:00-17:00", "sat,sun 18:00-02:00" or "00:00-24:00"
              write it in one of these forms
            Error directory.toml:55: roster "duty", shift 2: people is empty
              it would have nobody on duty
              name a person
            Error directory.toml:57: roster "duty", shift 2: first has no effect without turn
              add  turn = "1w", or write  from
            Error directory.toml:58: roster "duty", shift 2: hours is empty
              it would never be on
              leave it out for day and night, or write  hours = ["mon-fri 08:00-17:00"]
            Error directory.toml:63: roster "duty", override 1: until is not after from
              it would never hold
              correct one of the two
            Error directory.toml:64: roster "duty": there is no person "j-smit"
              did you mean "j-smith"?
            Error directory.toml:65: roster "duty", swap 1: off is missing
              add  off = "...": who would be on duty
            Error directory.toml:68: roster "duty", swap 1: "of" is not a known key
              did you mean "off"? nothing unknown is ever ignored
            Error directory.toml:72: calendar "local": state "WA" has no holidays in this version: there are AU-ACT, AU-NSW, AU-NT, AU-QLD, AU-SA, AU-TAS, AU-VIC and AU-WA
              write one of these
            Error directory.toml:73: calendar "local": days: "8 March" is not a date
              write it as "2026-12-24"
            Error directory.toml:77: leave 1: from "2027-02-01T08:00+08" is not a time on the wall
              write "2026-12-24 08:00", or a date alone for its midnight; never an offset or a zone
            Error directory.toml:79: roster "unused": shift is missing
              nobody would ever be on duty
              add  [[roster.shift]]  with  people = ["..."]
            Warning directory.toml:79: roster "unused" is on no ladder
              nobody is ever asked because of it
              name it in a rung:  notify = [{ roster = "..." }]
        "#]],
    );
}

#[test]
fn holidays_need_a_calendar_and_hours() {
    let text = DUTY.replacen("calendar = \"local\"\n", "", 1).replacen("hours = [\"mon-fri 08:00-18:00\"]\n", "", 1);
    check(
        &rostered(&text),
        &expect![[r#"
        Error directory.toml:56: roster "duty", shift 2: holidays: the roster names no calendar
          no day would be a holiday
          add  calendar = "AU-WA"  to the roster
        Error directory.toml:56: roster "duty", shift 2: holidays has no effect without hours
          add  hours = ["00:00-24:00"]
    "#]],
    );
}

#[test]
fn a_roster_keeps_customers_apart() {
    let text = rostered(DUTY).replacen("id = \"p-nair\"", "id = \"p-nair\"\ncustomer = \"other\"", 1);
    let text = text.replacen("id = \"duty\"", "id = \"duty\"\ncustomer = \"other\"", 1);
    let other = "[[customer]]\nid = \"other\"\nprefix = \"OTH\"\n";
    let text = text.replacen("[[site]]\nid = \"library\"", "[[site]]\nid = \"library\"\ncustomer = \"kalamunda\"", 1);
    let text = text.replacen("[fallback]", "[fallback]\ncustomer = \"kalamunda\"", 1);
    check(
        &format!("{text}{other}"),
        &expect![[r#"
            Error directory.toml:44: ladder "counters", rung 2: person "p-nair" belongs to customer "other", not "kalamunda"
              they would be told of another customer's alarms
              name one of that customer, or leave its own customer out
            Error directory.toml:44: ladder "counters", rung 2: roster "duty" belongs to customer "other", not "kalamunda"
              they would be told of another customer's alarms
              name one of that customer, or leave its own customer out
        "#]],
    );
}

fn prove(text: &str, from: &str, days: i64) -> super::Proof {
    let draft = Draft::parse("directory.toml", text).draft.unwrap();
    let from: crate::time::Timestamp = from.parse().unwrap();
    draft.prove("directory.toml", from, from + crate::time::SignedDuration::from_hours(24 * days), None)
}

fn proved(text: &str, from: &str, days: i64) -> String {
    let mut shown = String::new();
    for finding in prove(text, from, days).findings {
        writeln!(shown, "{finding}").unwrap();
    }
    shown
}

#[test]
fn a_gap_in_a_roster_is_said_with_its_times() {
    let weekdays = "[[roster]]\nid = \"duty\"\ntimezone = \"Australia/Perth\"\n[[roster.shift]]\npeople = [\"p-nair\"]\nhours = [\"mon-fri 00:00-24:00\", \"sat,sun 00:00-18:00\"]\n";
    expect![[r#"
        directory.toml:45: roster "duty" has nobody on duty from Sat 5 Dec 18:00 to Sun 6 Dec 00:00 (Australia/Perth), and 3 times more
          it is passed over in 0 s then: ladder "counters", rung 2
          add a shift or an override for that time
    "#]]
    .assert_eq(&proved(&rostered(weekdays), "2026-12-01T00:00:00Z", 14));
    let proof = prove(&rostered(weekdays), "2026-12-01T00:00:00Z", 14);
    let [(cover, _)] = proof.covers.as_slice() else { panic!("one ladder") };
    assert_eq!((cover.worst.first_told_after_s, cover.worst.exhausted_after_s), (Some(0), 75));
    assert!(cover.intervals.len() < 20, "a fortnight costs its changes, not its minutes: {}", cover.intervals.len());
}

#[test]
fn a_ladder_that_reaches_one_or_none_at_times_is_said() {
    let text = rostered(
        "[[roster]]\nid = \"duty\"\ntimezone = \"Australia/Perth\"\n[[roster.shift]]\npeople = [\"p-nair\"]\nhours = [\"mon-fri 08:00-17:00\"]\n",
    );
    let alone = text.replacen("{ person = \"j-smith\" }", "{ roster = \"duty\" }", 1).replacen(
        ", { centre = \"westside\", by = [[\"webhook\", \"desk\"]] }",
        "",
        1,
    );
    assert_ne!(alone, text);
    expect![[r#"
        directory.toml:36: ladder "counters" reaches nobody from Tue 1 Dec 17:00 to Wed 2 Dec 08:00 (Australia/Perth), and 4 times more
          a press then would be told to nobody
          give it a rung that is always there
        directory.toml:36: ladder "counters" has one party to tell from Tue 1 Dec 08:00 to Tue 1 Dec 17:00 (Australia/Perth), and 4 times more
          if that one does not answer, nobody else is ever asked
          add someone with an address of their own
        directory.toml:36: ladder "counters" tells everybody by sms alone from Tue 1 Dec 08:00 to Tue 1 Dec 17:00 (Australia/Perth), and 4 times more
          with sms down, nobody would be told
          add another channel, or a centre
        directory.toml:45: roster "duty" has nobody on duty from Tue 1 Dec 17:00 to Wed 2 Dec 08:00 (Australia/Perth), and 4 times more
          it is passed over in 0 s then: ladder "counters", rung 1; ladder "counters", rung 2
          add a shift or an override for that time
    "#]].assert_eq(&proved(&alone, "2026-12-01T00:00:00Z", 7));
}

/// Nights from Monday to Friday and whole weekends leave the small hours of Monday; an office shift that is off on holidays leaves
/// the day. Whoever wrote that roster overlooked both.
#[test]
fn gaps_that_people_overlook_are_found() {
    expect![[""]].assert_eq(&proved(SOUND, "2026-12-01T00:00:00Z", 14));
    expect![[r#"
        directory.toml:46: roster "duty" has nobody on duty from Mon 7 Dec 00:00 to Mon 7 Dec 08:00 (Australia/Perth), and 3 times more
          it is passed over in 0 s then: ladder "counters", rung 2
          add a shift or an override for that time
    "#]]
    .assert_eq(&proved(&rostered(DUTY), "2026-12-01T00:00:00Z", 31));
    expect![[r#"
        directory.toml:46: roster "duty" has nobody on duty from Mon 25 Dec 08:00 to Mon 25 Dec 18:00 (Australia/Perth), and 3 times more
          it is passed over in 0 s then: ladder "counters", rung 2
          add a shift or an override for that time
        directory.toml:46: roster "duty": the states' holidays are known up to 2028 only
          a holiday after that would count as a working day
          add its days to a [[calendar]]
    "#]]
    .assert_eq(&proved(&rostered(DUTY), "2028-12-25T00:00:00Z", 14));
}

#[test]
fn the_sample_is_covered_for_a_fortnight() {
    let proof = prove(include_str!("../../../../../config/directory.toml"), "2026-12-01T00:00:00Z", 14);
    assert_eq!(proof.findings, []);
    let figures = proof.covers.iter().map(|(cover, _)| (cover.intervals.len(), cover.worst, &cover.only));
    expect![[r#"
        [
            (
                1,
                Worst {
                    first_told_after_s: Some(
                        0,
                    ),
                    exhausted_after_s: 135,
                    independent: 4,
                },
                [],
            ),
            (
                11,
                Worst {
                    first_told_after_s: Some(
                        0,
                    ),
                    exhausted_after_s: 90,
                    independent: 3,
                },
                [],
            ),
        ]"#]]
    .assert_eq(&format!("{:#?}", figures.collect::<Vec<_>>()));
}

#[test]
fn an_account_that_stands_alone_is_said() {
    use crate::outage::{Carrier, Path};
    let draft = Draft::parse("directory.toml", include_str!("../../../../../config/directory.toml")).draft.unwrap();
    let from: crate::time::Timestamp = "2026-12-01T00:00:00Z".parse().unwrap();
    let first = Carrier { name: "first".to_owned(), of: Path::Medium(Medium::Sms), attempt_s: crate::time::Seconds(20) };
    let second = Carrier { name: "second".to_owned(), ..first.clone() };
    let until = from + crate::time::SignedDuration::from_hours(24);
    let proved = |carriers: &[Carrier]| {
        let findings = draft.prove("directory.toml", from, until, Some(carriers)).findings;
        findings.iter().map(|finding| format!("{finding}\n")).collect::<Vec<_>>().concat()
    };
    expect![[r#"
        directory.toml:141: ladder "counters" tells everybody by "first" alone at any time
          with that account down nobody would be told, because the other channels have none
          add an account for another channel, or a second one for this
        directory.toml:156: ladder "outreach" tells everybody by "first" alone at any time
          with that account down nobody would be told, because the other channels have none
          add an account for another channel, or a second one for this
    "#]]
    .assert_eq(&proved(std::slice::from_ref(&first)));
    assert_eq!(proved(&[first, second]), "", "either of two accounts carries for the other");
}

/// `SOUND` with something said of when each of its two rungs applies.
fn limited(first: &str, second: &str) -> String {
    let text = with("wait = \"45s\"", &format!("wait = \"45s\"\n{first}"));
    text.replacen("[fallback]", &format!("{second}\n[fallback]"), 1)
}

#[test]
fn when_a_rung_applies_is_resolved_as_it_is_written() {
    let text =
        limited("hours = [\"mon-fri 08:00-18:00\"]\nholidays = \"off\"", "kinds = [\"duress\", \"panic\", \"medical\", \"welfare\"]");
    let text = text.replacen("hours =", "kinds = [\"assist\"]\nhours =", 1);
    let text = text.replacen("timezone = \"Australia/Perth\"", "timezone = \"Australia/Perth\"\ncalendar = \"AU-WA\"", 1);
    check(&text, &expect![[r#""#]]);
    let resolved = resolve(&Draft::parse("directory.toml", &text).draft.unwrap());
    let when: Vec<_> = resolved.directory.ladders.values().flat_map(|ladder| &ladder.rungs).map(|rung| &rung.when).collect();
    expect![[r#"[{"hours":{"windows":["mon,tue,wed,thu,fri 08:00-18:00"],"holidays":"off"},"kinds":["assist"]},{"kinds":["duress","panic","medical","welfare"]}]"#]].assert_eq(&serde_json::to_string(&when).unwrap());
    let library = crate::id::SiteId::parse("library").unwrap();
    expect![[r#"{"zone":"Australia/Perth","calendar":"AU-WA"}"#]]
        .assert_eq(&serde_json::to_string(&resolved.directory.clock_at(&library)).unwrap());
    assert!(resolved.directory.rosters.calendars.keys().any(|id| id.as_str() == "AU-WA"), "the state's holidays are there");
    let again: crate::directory::Directory = serde_json::from_str(&serde_json::to_string(&resolved.directory).unwrap()).unwrap();
    assert_eq!(again, resolved.directory, "a directory with hours reads back as it was written");
}

#[test]
fn mistakes_in_when_a_rung_applies_are_said_with_their_line() {
    let text = limited("hours = [\"8-18\"]\nkinds = [\"robbery\"]", "hours = []\nkinds = []\nholidays = \"never\"");
    check(
        &text,
        &expect![[r#"
        Error directory.toml:41: ladder "counters", rung 1: hours: "8-18" is not a window of the week: write "mon-fri 08:00-17:00", "sat,sun 18:00-02:00" or "00:00-24:00"
          write it in one of these forms
        Error directory.toml:42: ladder "counters", rung 1: kinds: "robbery" is not a kind of help
          there are "duress", "panic", "medical", "welfare", "assist"
        Error directory.toml:45: ladder "counters", rung 2: hours is empty
          it would never be on
          leave it out for day and night, or write  hours = ["mon-fri 08:00-17:00"]
        Error directory.toml:46: ladder "counters", rung 2: kinds is empty
          it would be for no call at all
          leave it out for every kind of help
        Error directory.toml:47: ladder "counters", rung 2: holidays "never" is none of the choices
          write "on" or "off" or "only"
    "#]],
    );
    check(
        &limited("holidays = \"off\"\nkinds = \"duress\"", ""),
        &expect![[r#"
        Error directory.toml:41: ladder "counters", rung 1: holidays has no effect without hours
          add  hours = ["00:00-24:00"]
        Error directory.toml:42: ladder "counters", rung 1: kinds is a text, not a list of kinds of help
          write it in that form
    "#]],
    );
    let text = limited("hours = [\"00:00-24:00\"]\nholidays = \"only\"", "");
    check(
        &text,
        &expect![[r#"
        Error directory.toml:20: site "library": ladder "counters", rung 1 asks about holidays, and no calendar is named
          no day would be a holiday there
          add  calendar = "AU-WA"  here or under [defaults]
    "#]],
    );
    check(
        &text.replacen("feedback =", "calendar = \"AU-XX\"\nfeedback =", 1),
        &expect![[r#"
        Error directory.toml:25: site "library": there is no calendar "AU-XX"
          add a [[calendar]] of that id, or name one that is there
    "#]],
    );
}

/// A button may ask for any kind of help, whatever it means by itself.
#[test]
fn a_ladder_that_is_for_some_kinds_only_is_refused() {
    check(
        &limited("kinds = [\"assist\"]", "kinds = [\"duress\", \"panic\", \"assist\"]"),
        &expect![[r#"
        Error directory.toml:36: ladder "counters" can reach nobody for medical
          no rung that anybody can be reached on is for that kind of help, which any button may ask for; it is used at "library"
          add the kind to a rung, or a rung that is for every kind
        Error directory.toml:36: ladder "counters" can reach nobody for welfare
          no rung that anybody can be reached on is for that kind of help, which any button may ask for; it is used at "library"
          add the kind to a rung, or a rung that is for every kind
    "#]],
    );
}

#[test]
fn a_ladder_that_reaches_nobody_at_some_hours_is_said() {
    let day = "hours = [\"mon-fri 08:00-18:00\"]";
    expect![[r#"
        directory.toml:36: ladder "counters" reaches nobody from Tue 1 Dec 18:00 to Wed 2 Dec 08:00 (Australia/Perth), and 4 times more
          a press then would be told to nobody
          give it a rung that is always there
        directory.toml:36: ladder "counters" has one party to tell from Tue 1 Dec 17:59 to Tue 1 Dec 18:00 (Australia/Perth), and 4 times more
          if that one does not answer, nobody else is ever asked
          add someone with an address of their own
    "#]].assert_eq(&proved(&limited(day, day), "2026-12-01T00:00:00Z", 7));
    let for_support = "hours = [\"mon-fri 08:00-18:00\"]\nkinds = [\"assist\"]";
    expect![[r#"
        directory.toml:36: ladder "counters" has one party to tell for duress, panic, medical, welfare at any time
          if that one does not answer, nobody else is ever asked
          add someone with an address of their own
        directory.toml:36: ladder "counters" has one party to tell for assist from Tue 1 Dec 17:59 to Wed 2 Dec 07:59 (Australia/Perth), and 4 times more
          if that one does not answer, nobody else is ever asked
          add someone with an address of their own
    "#]].assert_eq(&proved(&limited("", for_support), "2026-12-01T00:00:00Z", 7));
    let london = "[[site]]\nid = \"annex\"\nname = \"Annex\"\ntimezone = \"Europe/London\"\naddress = \"2 Example Rd\"\n";
    let text = format!("{}{london}", limited(day, day));
    expect![[r#"
        directory.toml:36: ladder "counters" reaches nobody from Tue 1 Dec 18:00 to Wed 2 Dec 08:00 (Australia/Perth), and 4 times more
          a press then would be told to nobody
          give it a rung that is always there
        directory.toml:36: ladder "counters" has one party to tell from Tue 1 Dec 17:59 to Tue 1 Dec 18:00 (Australia/Perth), and 4 times more
          if that one does not answer, nobody else is ever asked
          add someone with an address of their own
        directory.toml:36: ladder "counters" reaches nobody from Tue 1 Dec 00:00 to Tue 1 Dec 08:00 (Europe/London), and 5 times more
          a press then would be told to nobody
          give it a rung that is always there
        directory.toml:36: ladder "counters" has one party to tell from Tue 1 Dec 17:59 to Tue 1 Dec 18:00 (Europe/London), and 4 times more
          if that one does not answer, nobody else is ever asked
          add someone with an address of their own
    "#]].assert_eq(&proved(&text, "2026-12-01T00:00:00Z", 7));
}

#[test]
fn a_class_of_supervision_is_resolved_for_the_devices_that_name_it() {
    let text = with("place = \"Front counter 1\"", "place = \"Front counter 1\"\nsupervision = \"counters\"");
    let text = format!("{text}[[supervision]]\nid = \"counters\"\nsilent_after = \"1h\"\nhours = [\"mon-fri 08:00-17:00\"]\n");
    check(
        &text,
        &expect![[r#"
        Warning directory.toml:46: no supervision watches library/pendant
          nobody hears of it when they are dead
          name one there or under [defaults], or write  supervision = "none"
    "#]],
    );
    let directory = resolve(&Draft::parse("directory.toml", &text).draft.unwrap()).directory;
    let class = directory.supervision_of(&"library/front-1".parse().unwrap()).unwrap();
    assert_eq!(class.silent_after_s.0, 3_600);
    assert!(class.hours.is_some());
    assert_eq!(directory.supervision_of(&"library/pendant".parse().unwrap()), None);
    let by_default = format!(
        "[defaults]\nsupervision = \"counters\"\n{}",
        text.replace("kind = \"assist\"", "kind = \"assist\"\nsupervision = \"none\"")
    );
    check(&by_default, &expect![[""]]);
    assert_eq!(resolve(&Draft::parse("directory.toml", &by_default).draft.unwrap()).directory, directory);
}

#[test]
fn a_customers_own_term_of_retention_goes_before_everybodys() {
    let text = format!(
        "{SOUND}[[retention]]\nclass = \"genuine\"\nkeep = \"7y\"\nbasis = \"GDA 27.2.1\"\n\
         [[retention]]\nclass = \"test\"\nkeep = \"90d\"\nbasis = \"GDA 27.2.1\"\n\
         [[retention]]\ncustomer = \"kalamunda\"\nclass = \"genuine\"\nkeep = \"2y\"\nbasis = \"GDA 27.2.2\"\n"
    );
    check(&text, &expect![[""]]);
    let terms = Draft::parse("directory.toml", &text).draft.unwrap().terms();
    let shown =
        |customer: &str, class| terms.of(class, &customer.parse::<crate::id::Slug>().unwrap().into()).map(|term| term.keep.to_string());
    assert_eq!((shown("kalamunda", Class::Genuine), shown("kalamunda", Class::Test)), (Some("2y".to_owned()), Some("90d".to_owned())));
    assert_eq!((shown("kalamunda", Class::Drill), shown("somebody-else", Class::Test)), (None, None));
}

#[test]
fn mistakes_in_retention_are_said_with_their_line() {
    let terms = "
[[retention]]
class = \"false alarms\"
keep = \"7\"
[[retention]]
customer = \"kalamundah\"
class = \"test\"
keep = \"6d\"
basis = \"GDA 27.2.1\"
for_ever = true
[[retention]]
class = \"drill\"
keep = \"90d\"
basis = \"GDA 27.2.1\"
[[retention]]
class = \"drill\"
keep = \"2y\"
basis = \"GDA 27.2.1\"
[[retention]]
customer = \"kalamundah\"
class = \"drill\"
keep = \"2y\"
basis = \"GDA 27.2.1\"
";
    check(
        &format!("{SOUND}{terms}"),
        &expect![[r#"
            Error directory.toml:46: retention 1: basis is missing
              nothing may be erased without a right to
              name the disposal authority or law:  basis = "General Disposal Authority for Local Government, 27.2.1"
            Error directory.toml:47: retention 1: class is no class of calls
              write one of drill, test, unfounded, genuine
            Error directory.toml:48: retention 1: keep is no span of years, months, weeks and days, like "7y" or "90d"
              write how long after its closing a call is kept: "7y", "90d"
            Error directory.toml:52: retention 2: keep is shorter than 7 days
              write how long after its closing a call is kept: "7y", "90d"
            Error directory.toml:54: retention 2: "for_ever" is not a known key
              the keys here are customer, class, keep, basis
            Error directory.toml:59: retention of drill at everybody is written twice
              nobody could say which of them holds
              keep one of them
            Warning directory.toml:64: retention of drill: there is no customer "kalamundah" in this file
              it holds for the calls of a customer who has left, and for nobody where the name is wrong
              leave it for as long as the record has calls of theirs
        "#]],
    );
}

#[test]
fn mistakes_in_supervision_are_said_with_their_line() {
    let text = with("place = \"Front counter 1\"", "place = \"Front counter 1\"\nsupervision = \"counter\"");
    let classes = "
[[supervision]]
id = \"counters\"
silent_after = \"30\"
[[supervision]]
id = \"none\"
silent_after = \"9d\"
[[supervision]]
id = \"pendants\"
[[supervision]]
id = \"never\"
silent_after = \"9h\"
hours = [\"mon-fri 08:00-17:00\"]
holidays = \"off\"
louder = true
[[supervision]]
id = \"counters\"
silent_after = \"1h\"
";
    check(
        &format!("{text}{classes}"),
        &expect![[r#"
            Error directory.toml:31: device "front-1": there is no supervision "counter"
              did you mean "counters"?
            Error directory.toml:49: supervision "counters": silent_after "30" is not a span of time
              write it with its unit: "30s", "2m"
            Error directory.toml:51: supervision "none": a device that names it is not watched
              give it another id
            Error directory.toml:52: supervision "none": silent_after "9d" is not a span of time
              write it with its unit: "30s", "2m"
            Error directory.toml:53: supervision "pendants": silent_after is missing
              nobody would ever be told
              add  silent_after = "1h": twice as long as its heartbeats are apart, or more
            Warning directory.toml:55: supervision "never": no device names it
              it watches nothing
              add  supervision = "..."  to devices or under [defaults]
            Warning directory.toml:55: no supervision watches library/pendant
              nobody hears of it when they are dead
              name one there or under [defaults], or write  supervision = "none"
            Error directory.toml:57: supervision "never": silent_after is longer than half of the shortest of its hours
              silence is counted anew whenever they begin, so that hardly anybody would ever be told
              shorten silent_after, or leave the hours out
            Error directory.toml:60: supervision "never": "louder" is not a known key
              the keys here are id, silent_after, hours, holidays
            Warning directory.toml:61: supervision "counters": no device names it
              it watches nothing
              add  supervision = "..."  to devices or under [defaults]
        "#]],
    );
    let text = text.replace("supervision = \"counter\"", "supervision = \"office\"");
    let office = "[[supervision]]\nid = \"office\"\nsilent_after = \"1h\"\nhours = [\"mon-fri 08:00-17:00\"]\nholidays = \"off\"\n";
    check(
        &format!("{text}{office}"),
        &expect![[r#"
            Error directory.toml:20: site "library": supervision "office" asks about holidays, and no calendar is named
              no day would be a holiday there
              add  calendar = "AU-WA"  here or under [defaults]
            Warning directory.toml:46: no supervision watches library/pendant
              nobody hears of it when they are dead
              name one there or under [defaults], or write  supervision = "none"
        "#]],
    );
    let lacking = format!("{text}{office}[[region]]\nid = \"hills\"\ntimezone = \"Australia/Perth\"\n");
    check(
        &lacking.replace("feedback = \"off\"", "feedback = \"off\"\nextends = \"hills\""),
        &expect![[r#"
        Warning directory.toml:47: no supervision watches library/pendant
          nobody hears of it when they are dead
          name one there or under [defaults], or write  supervision = "none"
        Error directory.toml:52: region "hills": supervision "office" asks about holidays, and no calendar is named
          no day would be a holiday there
          add  calendar = "AU-WA"  here or under [defaults]
    "#]],
    );
    check(
        &format!("[defaults]\nsupervision = \"counterz\"\n{text}{office}"),
        &expect![[r#"
        Error directory.toml:2: defaults: there is no supervision "counterz"
          add a [[supervision]] of that id, or name one that is there
        Error directory.toml:22: site "library": supervision "office" asks about holidays, and no calendar is named
          no day would be a holiday there
          add  calendar = "AU-WA"  here or under [defaults]
    "#]],
    );
}
