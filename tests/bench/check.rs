//! What the proof of a large directory costs: `cooee check` for a fortnight, with rosters in four zones, and ten times as many sites.

use std::fmt::Write as _;
use std::process::{Command, Stdio};
use std::time::Duration;

use harness::Daemon;
use tokio::time::Instant;

use crate::Plan;
use crate::table::{Table, Target};
use crate::usage;

/// How much larger the second directory is.
const TIMES: u32 = 10;
/// People of a site.
const PEOPLE: u32 = 5;
/// Sites of a customer.
const SITES: u32 = 20;
/// Zones and whose holidays hold there: with half an hour's change of the clock, with an hour's, and with none.
const ZONES: [(&str, &str); 4] =
    [("Australia/Perth", "AU-WA"), ("Australia/Sydney", "AU-NSW"), ("Australia/Adelaide", "AU-SA"), ("Australia/Lord_Howe", "AU-NSW")];
/// How often the process's memory is read.
const EVERY: Duration = Duration::from_millis(5);

/// Writes the lines.
pub(crate) async fn measure(plan: &Plan, table: &mut Table) {
    let (small, large) = (plan.sites, plan.sites * TIMES);
    let mut took = Vec::new();
    for _run in 0..plan.runs.min(3) {
        took.push((once(small).await, once(large).await));
    }
    let seconds: Vec<(f64, f64)> = took.iter().map(|(small, large)| (small.seconds, large.seconds)).collect();
    table.alone(&format!("check of {small} sites"), "s", &seconds.iter().map(|(small, _)| *small).collect::<Vec<_>>(), Target::AtMost(2.0));
    table.alone("... peak memory", "MiB", &took.iter().map(|(small, _)| small.peak_mib).collect::<Vec<_>>(), Target::AtMost(300.0));
    table.ratio(&format!("... {large} sites against it"), "s", &seconds, Target::AtMost(12.0));
    table.alone("... peak memory", "MiB", &took.iter().map(|(_, large)| large.peak_mib).collect::<Vec<_>>(), Target::None);
    for (sites, proof) in took.iter().take(1).flat_map(|(one, other)| [(small, one), (large, other)]) {
        table.note(format!("cooee check on {sites} sites and {} people: {}", sites * PEOPLE, proof.said));
    }
}

/// One proof.
struct Proof {
    seconds: f64,
    peak_mib: f64,
    /// The line that says how many intervals there were.
    said: String,
}

async fn once(sites: u32) -> Proof {
    let daemon = Daemon::plan(&directory(sites))
        .listener()
        .sms("gateway", "http://127.0.0.1:9", "AC00000000000000000000000000c00eee", "a-token-for-the-bench-only")
        .mail("smtp://127.0.0.1:9")
        .prepare();
    let mut command = Command::new(harness::daemon::program());
    command.arg("check").arg("--config").arg(daemon.config()).stdout(Stdio::piped()).stderr(Stdio::null());
    let start = Instant::now();
    let mut child = command.spawn().expect("run cooee");
    let output = child.stdout.take().expect("its output");
    let reading = tokio::task::spawn_blocking(move || std::io::read_to_string(output).expect("read what it says"));
    let mut peak_kib = 0;
    let status = loop {
        peak_kib = usage::peak_kib(child.id()).unwrap_or(0).max(peak_kib);
        if let Some(status) = child.try_wait().expect("wait for cooee") {
            break status;
        }
        tokio::time::sleep(EVERY).await;
    };
    let seconds = start.elapsed().as_secs_f64();
    let said = reading.await.expect("read what it says");
    assert!(status.success(), "cooee check: {said}");
    let said = said.lines().find(|line| line.contains("intervals")).expect("a line about intervals").to_owned();
    Proof { seconds, peak_mib: f64::from(peak_kib) / 1024.0, said }
}

/// So many sites, each with five people, a roster of turns and office hours, and a ladder of three rungs.
fn directory(sites: u32) -> String {
    let mut text = "[defaults]\ntimezone = \"Australia/Perth\"\n[[centre]]\nid = \"centre\"\nname = \"Centre\"\n".to_owned();
    for state in ["AU-WA", "AU-NSW", "AU-SA"] {
        write!(text, "[[calendar]]\nid = \"{}\"\nstate = \"{state}\"\n", state.to_lowercase()).expect("write to a string");
    }
    for customer in 0..sites.div_ceil(SITES) {
        write!(
            text,
            "[[customer]]\nid = \"c{customer}\"\nname = \"Council {customer}\"\nprefix = \"{}\"\nladder = \"l{}\"\ncentre = \"centre\"\n",
            prefix(customer),
            customer * SITES
        )
        .expect("write to a string");
    }
    for (site, (zone, state)) in (0..sites).zip(ZONES.into_iter().cycle()) {
        for person in 0..PEOPLE {
            let number = site * PEOPLE + person;
            write!(
                text,
                "[[person]]\nid = \"p{site}-{person}\"\nname = \"Person {site} {person}\"\nmobile = \"+6140{number:07}\"\nemail = \"p{number}@example.org\"\n"
            )
            .expect("write to a string");
        }
        write!(
            text,
            "[[site]]\nid = \"s{site}\"\ncustomer = \"c{}\"\nname = \"Site {site}\"\ntimezone = \"{zone}\"\naddress = \"{site} Example Road\"\n\
             suburb = \"Sample\"\nstate = \"WA\"\ncross_street = \"Sample Street\"\nladder = \"l{site}\"\n\
             [[device]]\nid = \"b1\"\nsite = \"s{site}\"\nplace = \"Counter\"\nmounting = \"fixed\"\n\
             [[roster]]\nid = \"r{site}\"\ntimezone = \"{zone}\"\ncalendar = \"{}\"\n\
             [[roster.shift]]\npeople = [\"p{site}-1\", \"p{site}-2\", \"p{site}-3\"]\nturn = \"1w\"\nfirst = \"2026-11-02 08:00\"\n\
             [[roster.shift]]\npeople = [\"p{site}-4\"]\nhours = [\"mon-fri 08:00-17:00\"]\nholidays = \"off\"\n\
             [[ladder]]\nid = \"l{site}\"\n\
             [[ladder.rung]]\nnotify = [{{ person = \"p{site}-0\", by = [\"sms\", \"email\"] }}]\nwait = \"30s\"\n\
             [[ladder.rung]]\nnotify = [{{ roster = \"r{site}\", by = [[\"sms\", \"email\"]] }}]\nwait = \"45s\"\n\
             [[ladder.rung]]\nnotify = [{{ centre = \"centre\" }}, {{ roster = \"r{}\" }}]\nwait = \"60s\"\n",
            site / SITES,
            state.to_lowercase(),
            (site + 1) % sites
        )
        .expect("write to a string");
    }
    text.push_str("[fallback]\ncustomer = \"c0\"\nladder = \"l0\"\n");
    text
}

/// Three capital letters that no other customer has.
fn prefix(customer: u32) -> String {
    let letter = |number: u32| char::from_digit(10 + number % 26, 36).expect("a letter").to_ascii_uppercase();
    [customer / 676, customer / 26, customer].map(letter).iter().collect()
}
