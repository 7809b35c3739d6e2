//! Stories of schedules: drills that begin by themselves, said once for many sites.

use expect_test::expect;

use super::{Draft, SOUND, check, resolve};

/// `SOUND` with a region of two offices more, of which one has a button with a ladder of its own, and these schedules.
fn with(drills: &str) -> String {
    let offices = "[[region]]\nid = \"hills\"\ntimezone = \"Australia/Perth\"\n\
        [[site]]\nid = \"hall\"\nname = \"Hall\"\nextends = \"hills\"\naddress = \"2 Example Rd\"\n\
        [[site]]\nid = \"pool\"\nname = \"Pool\"\nextends = \"hills\"\naddress = \"3 Example Rd\"\n\
        [[device]]\nid = \"desk\"\nsite = \"hall\"\nladder = \"nights\"\n[[device]]\nid = \"desk\"\nsite = \"pool\"\n\
        [[ladder]]\nid = \"nights\"\n[[ladder.rung]]\nnotify = [{ person = \"p-nair\" }]\n[[ladder.rung]]\nnotify = [{ person = \"j-smith\" }]\n";
    format!("{SOUND}{offices}{drills}")
}

/// One that is sound, at another hour than others.
fn drill(id: &str, more: &str) -> String {
    format!("[[drill]]\nid = \"{id}\"\n{more}\n")
}

#[test]
fn a_schedule_of_a_region_is_one_of_its_sites() {
    let text = with(
        &(drill("spring", "region = \"hills\"\non = \"first tue\"\nat = \"10:00\"")
            + &drill("weekly", "sites = [\"library\"]\ndevice = \"pendant\"\non = \"Fri\"\nat = \"07:00\"\nminutes = 1")),
    );
    check(
        &text,
        &expect![[r#"
        Warning directory.toml:79: drill "weekly": device "pendant" has no ladder of its own at site "library"
          the ladder of the site is drilled, as it is where no device is named
          leave device out
    "#]],
    );
    let resolved = resolve(&Draft::parse("directory.toml", &text).draft.unwrap());
    expect![[r#"{"spring":{"customer":"kalamunda","sites":["hall","pool"],"on":"first tue","at":"10:00:00","window_s":900},"weekly":{"customer":"kalamunda","sites":["library"],"device":"pendant","on":"fri","at":"07:00:00","window_s":60}}"#]].assert_eq(&serde_json::to_string(&resolved.directory.drills).unwrap());
}

#[test]
fn what_is_wrong_with_a_schedule_is_said_with_its_line() {
    check(
        &with(
            &(drill("none", "on = \"tue\"\nat = \"10:00\"")
                + &drill("both", "sites = [\"hall\"]\nregion = \"hills\"\non = \"mon\"\nat = \"10:00\"")
                + &drill("unknown", "sites = [\"hal\", \"pool\", \"pool\", \"a b\", 3]\ndevice = \"dsk\"\non = \"wed\"\nat = \"10:00\"")
                + &drill("nowhere", "region = \"hils\"\non = \"thu\"\nat = \"10:00\"")
                + &drill("empty", "sites = []\non = \"fri\"\nat = \"10:00\"")
                + &drill("empty", "sites = [\"library\"]\ndevice = \"desk\"\non = \"sat\"\nat = \"10:00\"\nsize = 1")),
        ),
        &expect![[r#"
            Error directory.toml:71: drill "none": sites is missing
              nothing would be drilled
              add  sites = ["..."]  or  region = "..."
            Error directory.toml:78: drill "both": sites and region are both there
              write one of the two
            Error directory.toml:83: drill "unknown": sites is a number, not a text in quotes
              write it in that form
            Error directory.toml:83: drill "unknown": sites: "pool" is named twice
              name each site once
            Error directory.toml:83: drill "unknown": sites: "a b" is not a name: use 1 to 64 of A-Z a-z 0-9 . _ -
              write the id of a [[site]]
            Error directory.toml:83: drill "unknown": there is no site "hal"
              did you mean "hall"?
            Error directory.toml:84: drill "unknown": there is no device "dsk" at site "pool"
              its drills there could never be held
              name a button that each of the sites has, or leave device out to drill the sites' own ladders
            Error directory.toml:89: drill "nowhere": there is no region "hils"
              did you mean "hills"?
            Error directory.toml:94: drill "empty": sites is empty
              nothing would be drilled
              name a site
            Error directory.toml:97: drill "empty" is there twice; the first is on line 92
              rename one of them or merge the two
            Error directory.toml:100: drill "empty": there is no device "desk" at site "library"
              its drills there could never be held
              name a button that each of the sites has, or leave device out to drill the sites' own ladders
            Error directory.toml:103: drill "empty": "size" is not a known key
              the keys here are id, sites, region, device, on, at, minutes
        "#]],
    );
    check(
        &with(
            &(drill("a", "sites = [\"hall\"]\non = \"tuesday\"\nat = \"10\"")
                + &drill("b", "sites = [\"hall\"]\non = \"fifth tue\"\nat = \"10:60\"")
                + &drill("c", "sites = [\"hall\"]\non = 3\nat = 10:00:00")
                + &drill("d", "sites = \"hall\"\non = \"tue\"\nat = \"1000\"")
                + &drill("e", "sites = [\"hall\"]")
                + "[[drill]]\nsites = [\"hall\"]\non = \"tue\"\nat = \"10:00\"\n"),
        ),
        &expect![[r#"
            Error directory.toml:74: drill "a": on is wrong: "tuesday" is no day that repeats: write "tue" for every week, or "first tue", "second tue" ... "last tue" for every month
              write it in that form
            Error directory.toml:75: drill "a": at "10" is not a time of day
              write "10:00"
            Error directory.toml:79: drill "b": on is wrong: "fifth tue" is no day that repeats: write "tue" for every week, or "first tue", "second tue" ... "last tue" for every month
              write it in that form
            Error directory.toml:80: drill "b": at "10:60" is not a time of day
              write "10:00"
            Error directory.toml:84: drill "c": on is a number, not a text in quotes
              write it in that form
            Error directory.toml:85: drill "c": at is a date, not a text in quotes
              write it in that form
            Error directory.toml:88: drill "d": sites is a text, not a list of sites
              write it in that form
            Error directory.toml:90: drill "d": at "1000" is not a time of day
              write "10:00"
            Error directory.toml:91: drill "e": on is missing
              add  on = "first tue"  for every month, or  on = "tue"  for every week
            Error directory.toml:91: drill "e": at is missing
              add  at = "10:00"
            Error directory.toml:94: drill 6: id is missing
              give it a short name, by which its drills are listed
        "#]],
    );
}

#[test]
fn nobody_is_drilled_at_night() {
    check(
        &with(
            &(drill("early", "sites = [\"hall\"]\non = \"mon\"\nat = \"06:59\"")
                + &drill("late", "sites = [\"hall\"]\non = \"tue\"\nat = \"19:46\"")
                + &drill("midnight", "sites = [\"hall\"]\non = \"wed\"\nat = \"23:50\"\nminutes = 30")
                + &drill("long", "sites = [\"hall\"]\non = \"thu\"\nat = \"10:00\"\nminutes = 181")
                + &drill("fits", "sites = [\"hall\"]\non = \"fri\"\nat = \"19:45\"")
                + &drill("nothing", "sites = [\"hall\"]\non = \"sat\"\nat = \"10:00\"\nminutes = 0")),
        ),
        &expect![[r#"
            Error directory.toml:75: drill "early": at 06:59 with its 15 minutes is not by day
              people would be woken by a drill, and not wake for a call
              let it begin at 07:00 or later, and the last of its drills by 20:00
            Error directory.toml:80: drill "late": at 19:46 with its 15 minutes is not by day
              people would be woken by a drill, and not wake for a call
              let it begin at 07:00 or later, and the last of its drills by 20:00
            Error directory.toml:85: drill "midnight": at 23:50 with its 30 minutes is not by day
              people would be woken by a drill, and not wake for a call
              let it begin at 07:00 or later, and the last of its drills by 20:00
            Error directory.toml:92: drill "long": minutes is more than 180
              nobody would know when to expect a drill
              write fewer, or several [[drill]]
            Error directory.toml:103: drill "nothing": minutes is not a whole number from 1
              write 1, 2, 3 ...
        "#]],
    );
}

#[test]
fn two_schedules_at_one_hour_are_a_warning() {
    check(
        &with(
            &(drill("monthly", "sites = [\"hall\"]\non = \"first tue\"\nat = \"10:00\"")
                + &drill("weekly", "sites = [\"hall\", \"pool\"]\non = \"tue\"\nat = \"10:14\"")
                + &drill("apart", "sites = [\"hall\", \"pool\"]\non = \"tue\"\nat = \"10:29\"")
                + &drill("people", "sites = [\"library\"]\non = \"last tue\"\nat = \"10:40\"")),
        ),
        &expect![[r#"
            Warning directory.toml:76: drill "monthly" and drill "weekly" are at one hour on some days, both at site "hall"
              no two drills are on at one site, so that one of them may be missed
              let one of them be at another hour or on another day
            Warning directory.toml:86: drill "apart" and drill "people" are at one hour on some days, and both tell person "j-smith" and 1 more
              whoever has two drills to answer may answer one and think that it was both
              let one of them be at another hour or on another day
        "#]],
    );
}

#[test]
fn a_button_without_a_ladder_of_its_own_is_a_warning() {
    check(
        &with(&drill("desks", "region = \"hills\"\ndevice = \"desk\"\non = \"tue\"\nat = \"10:00\"")),
        &expect![[r#"
        Warning directory.toml:74: drill "desks": device "desk" has no ladder of its own at site "pool"
          the ladder of the site is drilled, as it is where no device is named
          leave device out
    "#]],
    );
}

#[test]
fn more_sites_than_can_be_drilled_in_time_are_a_warning() {
    let site =
        |n: usize| format!("[[site]]\nid = \"office-{n}\"\nname = \"Office {n}\"\nextends = \"hills\"\naddress = \"{n} Example Rd\"\n");
    let sites: String = (0..56).map(site).collect();
    check(
        &with(&(sites.clone() + &drill("all", "region = \"hills\"\non = \"tue\"\nat = \"10:00\"\nminutes = 2"))),
        &expect![[r#"
            Warning directory.toml:351: drill "all": 58 sites in 2 minutes may be more than can be drilled
              two begin 5 s apart at least, 20 of a customer are on at once, and one may last 375 s until it is answered and over: the rest are missed
              write more minutes, or several [[drill]] on different days
        "#]],
    );
    check(&with(&(sites + &drill("all", "region = \"hills\"\non = \"tue\"\nat = \"10:00\"\nminutes = 15"))), &expect![[r#""#]]);
}

/// Ten in the morning in Perth is before six in London.
#[test]
fn a_roster_by_whose_clock_it_is_night_is_a_warning() {
    let roster = |zone: &str| {
        format!(
            "[[roster]]\nid = \"far\"\ntimezone = \"{zone}\"\n[[roster.shift]]\npeople = [\"p-nair\"]\n\
             [[site]]\nid = \"quay\"\nname = \"Quay\"\nextends = \"hills\"\naddress = \"4 Example Rd\"\nladder = \"far\"\n\
             [[ladder]]\nid = \"far\"\n[[ladder.rung]]\nnotify = [{{ roster = \"far\" }}]\n[[ladder.rung]]\nnotify = [{{ person = \"j-smith\" }}]\n"
        )
    };
    let quay = drill("quay", "sites = [\"quay\"]\non = \"tue\"\nat = \"10:00\"");
    check(
        &with(&(roster("Europe/London") + &quay)),
        &expect![[r#"
        Warning directory.toml:88: drill "quay": by the clock of roster "far" its window is not by day
          whoever is on duty there may be woken by a drill
          let it be at an hour that is by day there too, or write a [[drill]] for the sites of each time zone
    "#]],
    );
    check(&with(&(roster("Australia/Sydney") + &quay)), &expect![[r#""#]]);
}

/// One customer's drills are nothing that another's schedule says.
#[test]
fn the_sites_of_a_schedule_are_of_one_customer() {
    let swan = "[[customer]]\nid = \"swan\"\nprefix = \"SWN\"\nladder = \"counters\"\n\
        [[site]]\nid = \"hub\"\nname = \"Hub\"\ncustomer = \"swan\"\ntimezone = \"Australia/Perth\"\naddress = \"4 Example Rd\"\n";
    let own = SOUND.replace("[[site]]\nid = \"library\"", "[[site]]\nid = \"library\"\ncustomer = \"kalamunda\"");
    let own = own.replace("[fallback]\n", "[fallback]\ncustomer = \"kalamunda\"\n");
    check(
        &format!("{own}{swan}{}", drill("both", "sites = [\"library\", \"hub\"]\non = \"tue\"\nat = \"10:00\"")),
        &expect![[r#"
        Error directory.toml:57: drill "both": its sites are of several customers
          what one customer's drills come to would be known to another
          write a [[drill]] for each customer
    "#]],
    );
}
