//! Stories of regions: what several sites have alike, said once.

use std::collections::BTreeSet;
use std::fmt::Write;

use expect_test::expect;
use proptest::prelude::*;

use super::{Draft, SOUND, check, resolve};

/// `SOUND` with the library in a region, and these lines in the region and at the site.
fn in_region(region: &str, site: &str) -> String {
    let site = SOUND.replacen("name = \"Kalamunda Library\"", &format!("name = \"Kalamunda Library\"\nextends = \"hills\"\n{site}"), 1);
    format!("{site}[[region]]\nid = \"hills\"\ntimezone = \"Australia/Perth\"\n{region}\n")
}

/// A plan and a calendar for a region to name.
const NAMED: &str = "[[plan]]\nid = \"duress\"\ncentre = [\"Ring\"]\n[[calendar]]\nid = \"shire\"\nstate = \"AU-WA\"\n";

#[test]
fn a_site_has_what_its_region_says() {
    let region = "ladder = \"counters\"\nfeedback = \"off\"\nclose_guard = \"always\"\neta_limit = \"25m\"\nplan = \"duress\"\n\
                  calendar = \"shire\"\nstate = \"WA\"\nphone = \"08 9555 0111\"";
    let office = "[[site]]\nid = \"hall\"\nextends = \"hills\"\nname = \"Hall\"\naddress = \"2 Example Rd\"\n";
    let text = format!("{}{office}{NAMED}", in_region(region, ""));
    check(&text, &expect![[""]]);
    let resolved = resolve(&Draft::parse("directory.toml", &text).draft.unwrap());
    let hall = &resolved.directory.sites[&"hall".parse::<crate::id::Slug>().unwrap().into()];
    expect![[r#"{"customer":"kalamunda","ladder":"counters","eta_limit_s":1500,"feedback":false,"close_guard":"always","plan":"duress","clock":{"zone":"Australia/Perth","calendar":"shire"}}"#]]
        .assert_eq(&serde_json::to_string(hall).unwrap());
    let card = &resolved.places.sites[&"hall".parse::<crate::id::Slug>().unwrap().into()];
    assert_eq!((card.state.as_str(), card.phone.as_str(), card.timezone.as_str()), ("WA", "08 9555 0111", "Australia/Perth"));
}

#[test]
fn the_site_goes_before_its_region_and_the_region_before_the_defaults() {
    let text = in_region("plan = \"duress\"\neta_limit = \"25m\"", "")
        + NAMED
        + "[[plan]]\nid = \"other\"\ncentre = [\"Ring\"]\n[defaults]\nplan = \"other\"\ncalendar = \"shire\"\n";
    let resolved = resolve(&Draft::parse("directory.toml", &text).draft.unwrap());
    let library = resolved.directory.sites.values().next().unwrap();
    assert_eq!(library.eta_limit_s.0, 20 * 60, "the site's own");
    assert_eq!(library.plan.as_ref().unwrap().as_str(), "duress", "the region's");
    assert_eq!(library.clock.as_ref().unwrap().calendar.as_ref().unwrap().as_str(), "shire", "the defaults'");
}

#[test]
fn mistakes_of_a_region_are_said_of_the_region_and_once() {
    let office = "[[site]]\nid = \"hall\"\nextends = \"hills\"\nname = \"Hall\"\naddress = \"2 Example Rd\"\n";
    let wrong = "ladder = \"countres\"\nplan = \"none\"\ncalendar = \"none\"\neta_limit = \"5h\"\nfeedback = \"maybe\"\nsize = 3\n\
                 extends = \"hills\"\naddress = \"1 Example Rd\"\nhazards = \"Dog\"";
    check(
        &format!("{}{office}", in_region(wrong, "")),
        &expect![[r#"
            Error directory.toml:50: region "hills": there is no ladder "countres"
              did you mean "counters"?
            Error directory.toml:51: region "hills": there is no plan "none"
              add a [[plan]] of that id, or name one that is there
            Error directory.toml:52: region "hills": there is no calendar "none"
              add a [[calendar]] of that id, or name one that is there
            Error directory.toml:53: region "hills": eta_limit is outside of 1 s to 4 h
              choose a span within these limits
            Error directory.toml:54: region "hills": feedback "maybe" is none of the choices
              write "on" or "off"
            Error directory.toml:55: region "hills": "size" is not a known key
              the keys here are id, customer, ladder, feedback, close_guard, eta_limit, plan, calendar, timezone, state, phone, roles
            Error directory.toml:56: region "hills": extends: a region extends no other
              write into one region what both say
            Error directory.toml:57: region "hills": address: that is of one place, and help would be sent to the wrong one
              write it at each site
            Error directory.toml:58: region "hills": hazards: that is of one place, and help would be sent to the wrong one
              write it at each site
        "#]],
    );
}

#[test]
fn a_region_that_is_not_there_is_named_with_the_nearest() {
    let text = in_region("", "")
        .replace("extends = \"hills\"", "extends = \"hils\"")
        .replace("timezone = \"Australia/Perth\"\naddress", "address");
    check(
        &text,
        &expect![[r#"
        Error directory.toml:23: site "library": there is no region "hils"
          did you mean "hills"?
        Warning directory.toml:46: no site extends region "hills"
          what it says holds nowhere
          write  extends = "..."  at its sites
    "#]],
    );
}

#[test]
fn a_region_is_there_once_has_an_id_and_is_extended() {
    let text = format!(
        "{}[[region]]\nid = \"hills\"\ntimezone = \"Australia/Perth\"\n[[region]]\nid = \"plain\"\n[[region]]\ntimezone = \"UTC\"\n",
        in_region("", "")
    );
    check(
        &text,
        &expect![[r#"
            Error directory.toml:51: region "hills" is there twice; the first is on line 47
              rename one of them or merge the two
            Error directory.toml:54: region "plain": timezone is missing
              a site that names none would have no clock
              add  timezone = "Australia/Perth"  here or under [defaults]
            Warning directory.toml:54: no site extends region "plain"
              what it says holds nowhere
              write  extends = "..."  at its sites
            Error directory.toml:56: region 4: id is missing
              give it a short name for its sites to extend
        "#]],
    );
}

#[test]
fn nothing_of_a_region_holds_at_another_customers_site() {
    let other = "[[customer]]\nid = \"mundaring\"\n[[site]]\nid = \"inn\"\nname = \"Inn\"\naddress = \"3 Example Rd\"\ncustomer = \"mundaring\"\nextends = \"hills\"\n\
                 [[site]]\nid = \"hall\"\nname = \"Hall\"\naddress = \"3 Example Rd\"\nextends = \"hills\"\n";
    check(
        &format!(
            "{}{other}",
            in_region("customer = \"kalamunda\"\nladder = \"counters\"", "").replacen(
                "[[ladder]]",
                "[[ladder]]\ncustomer = \"kalamunda\"",
                1
            )
        ),
        &expect![[r#"
            Error directory.toml:46: fallback: customer is missing
              there are several customers
              add  customer = "..."
            Error directory.toml:60: site "inn": region "hills" belongs to another customer
              one customer's settings would hold at another's site
              extend a region of the site's own customer
        "#]],
    );
    check(
        &format!("{}{other}", in_region("ladder = \"counters\"", "customer = \"kalamunda\"")),
        &expect![[r#"
        Error directory.toml:45: fallback: customer is missing
          there are several customers
          add  customer = "..."
        Error directory.toml:47: region "hills": customer is missing
          there are several customers, and a region belongs to exactly one
          add  customer = "..."
    "#]],
    );
    let foreign = SOUND.replace("[[ladder]]\nid = \"counters\"", "[[ladder]]\nid = \"counters\"\ncustomer = \"mundaring\"");
    let text = in_region("customer = \"kalamunda\"\nladder = \"counters\"", "")
        .replace(SOUND.split_once("[[ladder]]").unwrap().1, foreign.split_once("[[ladder]]").unwrap().1);
    check(
        &format!("{text}[[customer]]\nid = \"mundaring\"\n"),
        &expect![[r#"
        Error directory.toml:46: fallback: customer is missing
          there are several customers
          add  customer = "..."
        Error directory.toml:52: ladder "counters" belongs to customer "mundaring", not "kalamunda"
          one customer's people would be told of another's
          use a ladder of the customer's own
    "#]],
    );
}

#[test]
fn what_all_sites_of_a_region_lack_is_said_once() {
    let office = "[[site]]\nid = \"hall\"\nextends = \"hills\"\nname = \"Hall\"\naddress = \"2 Example Rd\"\n";
    let text = format!("{}{office}", in_region("", "")).replacen("ladder = \"counters\"\ncentre", "centre", 1);
    check(
        &text,
        &expect![[r#"
        Error directory.toml:46: region "hills": ladder is missing, and its customer has none either
          a press there would be told to nobody
          add  ladder = "..."  here, at the customer or under [defaults]
    "#]],
    );
    let holidays = |text: String| text.replace("wait = \"45s\"", "wait = \"45s\"\nhours = [\"mon-fri 08:00-17:00\"]\nholidays = \"off\"");
    check(
        &holidays(format!("{}{office}", in_region("ladder = \"counters\"", ""))),
        &expect![[r#"
        Error directory.toml:49: region "hills": ladder "counters", rung 1 asks about holidays, and no calendar is named
          no day would be a holiday there
          add  calendar = "AU-WA"  here or under [defaults]
    "#]],
    );
    check(
        &holidays(format!("{}{office}", in_region("", ""))),
        &expect![[r#"
            Error directory.toml:49: region "hills": ladder "counters", rung 1 asks about holidays, and no calendar is named
              no day would be a holiday there
              add  calendar = "AU-WA"  here or under [defaults]
        "#]],
    );
}

#[test]
fn one_slip_is_said_once_however_many_sites_it_meets() {
    let office = |id: &str, more: &str| format!("[[site]]\nid = \"{id}\"\nname = \"Hall\"\naddress = \"2 Example Rd\"\n{more}");
    let halls = office("hall", "extends = \"hills\"\ncustomer = \"kalamunda\"\n") + &office("inn", "extends = \"hills\"\n");
    let no_default = |text: String| text.replacen("ladder = \"counters\"\ncentre", "centre", 1);
    check(
        &no_default(format!("{}{halls}", in_region("customer = \"kalamudna\"", ""))),
        &expect![[r#"
        Error directory.toml:49: region "hills": there is no customer "kalamudna"
          did you mean "kalamunda"?
    "#]],
    );
    let unread = office("hall", "extends = \"the hills\"\n") + &office("inn", "extends = 3\n");
    check(
        &no_default(format!("{}{unread}", in_region("ladder = \"counters\"", ""))),
        &expect![[r#"
        Error directory.toml:54: site "hall": extends "the hills" is not a name: use 1 to 64 of A-Z a-z 0-9 . _ -
          write it in that form
        Error directory.toml:59: site "inn": extends is a number, not a text in quotes
          write it in that form
    "#]],
    );
    let one_line = "site = [{ id = \"a\", name = \"A\", address = \"1\" }, { id = \"b\", name = \"B\", address = \"2\" }]\n[defaults]\ntimezone = \"UTC\"\n\
                    [[person]]\nid = \"x\"\nmobile = \"+61 400 000 002\"\n[[ladder]]\nid = \"l\"\n[[ladder.rung]]\nnotify = [{ person = \"x\" }]\n\
                    [[ladder.rung]]\nnotify = [{ person = \"x\" }]\n[fallback]\nladder = \"l\"\n";
    check(
        one_line,
        &expect![[r#"
        Error directory.toml:1: site "a": ladder is missing, and its customer has none either
          a press there would be told to nobody
          add  ladder = "..."  here, at the customer or under [defaults]
        Error directory.toml:1: site "b": ladder is missing, and its customer has none either
          a press there would be told to nobody
          add  ladder = "..."  here, at the customer or under [defaults]
    "#]],
    );
    let with_no_customer = format!("customer = []\n{}", one_line.replace("timezone = \"UTC\"", "timezone = \"UTC\"\nladder = \"l\""));
    let draft = Draft::parse("directory.toml", &with_no_customer).draft.unwrap();
    assert_eq!(resolve(&draft).directory.sites.len(), 2, "an empty list of customers loses no site");
}

#[test]
fn the_property_below_and_that_of_roles_know_every_setting_of_a_region() {
    let found = Draft::parse("directory.toml", "[[region]]\nqqqqqqqqqqqq = 1\n").findings;
    let keys = found.iter().find_map(|finding| finding.remedy.strip_prefix("the keys here are ")).unwrap();
    let known: BTreeSet<&str> = keys.split(", ").collect();
    let written = SETTINGS.iter().map(|(key, _)| *key).chain(["id", "customer", "roles"]);
    assert_eq!(known, written.collect());
}

#[test]
fn no_debug_of_a_region_shows_a_number() {
    let text = in_region("phone = \"08 9555 0111\"", "");
    let draft = Draft::parse("directory.toml", &text).draft.unwrap();
    let shown = format!("{:?} {:?}", draft.regions, draft.sites);
    assert!(!shown.contains("9555"), "{shown}");
}

/// Every setting that a region can have, with two values each.
const SETTINGS: [(&str, [&str; 2]); 9] = [
    ("ladder", ["day", "night"]),
    ("timezone", ["Australia/Perth", "Australia/Lord_Howe"]),
    ("calendar", ["AU-WA", "AU-NSW"]),
    ("plan", ["one", "two"]),
    ("eta_limit", ["10m", "20m"]),
    ("feedback", ["on", "off"]),
    ("close_guard", ["always", "after_cancel"]),
    ("state", ["WA", "NSW"]),
    ("phone", ["08 9555 0111", "02 5550 0111"]),
];
/// Which of its values each setting has, where it has one.
type Said = [Option<bool>; SETTINGS.len()];

fn write_settings(text: &mut String, said: &Said) {
    for ((key, values), value) in SETTINGS.iter().zip(said) {
        if let Some(value) = value {
            writeln!(text, "{key} = \"{}\"", values[usize::from(*value)]).unwrap();
        }
    }
}

/// A directory of two customers with a region each, with its sites written by the regions, and with the same sites written out.
fn twice([calendar, plan]: [Option<bool>; 2], regions: &[Said; 2], sites: &[(Said, bool, Option<bool>)]) -> [String; 2] {
    let mut frame = "[defaults]\n".to_owned();
    let mut defaults = Said::default();
    (defaults[2], defaults[3]) = (calendar, plan);
    write_settings(&mut frame, &defaults);
    frame += "timezone = \"Australia/Perth\"\nladder = \"day\"\n[[customer]]\nid = \"aaa\"\n[[customer]]\nid = \"bbb\"\nladder = \"night\"\n\
        [[person]]\nid = \"me\"\nemail = \"me@example.org\"\n[[plan]]\nid = \"one\"\ncentre = [\"Ring\"]\n[[plan]]\nid = \"two\"\ncentre = [\"Ring\"]\n\
        [[ladder]]\nid = \"day\"\n[[ladder.rung]]\nnotify = [{ person = \"me\" }]\n[[ladder]]\nid = \"night\"\n[[ladder.rung]]\nnotify = [{ person = \"me\" }]\n";
    let (mut short, mut long) = (frame.clone(), frame);
    for (name, said) in ["aaa", "bbb"].into_iter().zip(regions) {
        writeln!(short, "[[region]]\nid = \"{name}\"\ncustomer = \"{name}\"").unwrap();
        write_settings(&mut short, said);
    }
    for (number, (own, of_b, extends)) in sites.iter().enumerate() {
        let customer = if *of_b { "bbb" } else { "aaa" };
        let head = format!("[[site]]\nid = \"s-{number}\"\nname = \"Site {number}\"\n");
        let named = format!("customer = \"{customer}\"\n");
        short += &head;
        match extends {
            None => short += &named,
            Some(says_customer) => {
                writeln!(short, "extends = \"{customer}\"").unwrap();
                short += if *says_customer { &named } else { "" };
            }
        }
        write_settings(&mut short, own);
        long += &head;
        long += &named;
        let region = if extends.is_some() { regions[usize::from(*of_b)] } else { Said::default() };
        let whole: Vec<_> = own.iter().zip(&region).map(|(own, region)| own.or(*region)).collect();
        write_settings(&mut long, &whole.try_into().unwrap());
    }
    [short, long]
}

proptest! {
    #[test]
    fn a_directory_with_regions_means_what_it_means_written_out(
        defaults in any::<[Option<bool>; 2]>(),
        regions in any::<[Said; 2]>(),
        sites in proptest::collection::vec(any::<(Said, bool, Option<bool>)>(), 1..6),
    ) {
        let [short, long] = twice(defaults, &regions, &sites).map(|text| {
            let parsed = Draft::parse("directory.toml", &text);
            resolve(&parsed.draft.unwrap_or_else(|| panic!("{:?}\n{text}", parsed.findings)))
        });
        prop_assert_eq!(short.directory, long.directory);
        prop_assert!(short.places == long.places, "what may be said differs");
    }
}
