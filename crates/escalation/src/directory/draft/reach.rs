//! Whether a ladder reaches anybody: the coarse form of the proof, without hours and rosters.

use std::collections::BTreeMap;

use super::index::Index;
use super::reader::Reader;
use super::some_of::some_of;
use super::{Draft, DraftLadder, DraftRung, DraftWho};
use crate::directory::finding::Severity;
use crate::id::LadderId;
use crate::ladder::Need;
use crate::signal::Kind;

/// Most places that a finding names.
const PLACES_SHOWN: usize = 5;

/// What is found, and which ladders it is true of: a ladder that asks for roles is there once for each of its sites, and what is
/// wrong with all of them is said once.
type Found<'d> = BTreeMap<Said, Vec<&'d DraftLadder>>;

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Said {
    line: usize,
    severity: Severity,
    what: String,
    consequence: String,
    remedy: &'static str,
    /// Whether it says where also of a ladder that no site fills.
    says_where: bool,
}

pub(super) fn review(reader: &mut Reader<'_>, draft: &Draft, index: &Index<'_>) {
    let mut found = Found::new();
    for ladder in draft.ladders.iter().filter(|l| l.sound) {
        let mut groups = ladder.rungs.iter().flat_map(|rung| &rung.groups);
        let told = groups.all(|group| index.group(&group.value).is_some_and(|group| !group.members.is_empty()));
        if told && ladder.rungs.iter().flat_map(|r| &r.targets).all(|t| index.has(t)) {
            for said in judge(index, ladder) {
                found.entry(said).or_default().push(ladder);
            }
        }
    }
    if found.is_empty() {
        return;
    }
    let places = places(draft, index);
    for (said, ladders) in found {
        let is_filled = ladders.iter().any(|ladder| ladder.is_filled());
        let at = if said.says_where || is_filled { used_at(&places, &ladders) } else { String::new() };
        let consequence = said.consequence + &at;
        match said.severity {
            Severity::Error => reader.error(said.line, said.what, &consequence, said.remedy),
            Severity::Warning => reader.warn(said.line, said.what, &consequence, said.remedy),
        }
    }
}

fn judge(index: &Index<'_>, ladder: &DraftLadder) -> Vec<Said> {
    let whole = |severity, what: String, consequence: &str, remedy, says_where| Said {
        line: ladder.line,
        severity,
        what: format!("ladder \"{}\" {what}", ladder.named),
        consequence: consequence.to_owned(),
        remedy,
        says_where,
    };
    let reached = |rung: &DraftRung| rung.targets.iter().any(|t| !index.usable(t).is_empty());
    if !ladder.rungs.iter().any(reached) {
        let remedy = "give its people a mobile or an email, or its centre a webhook";
        return vec![whole(Severity::Error, "can reach nobody".to_owned(), "nobody in it has an address", remedy, true)];
    }
    let mut said = Vec::new();
    for kind in Kind::ALL {
        if !ladder.rungs.iter().any(|rung| rung.when.is_for(kind) && reached(rung)) {
            said.push(whole(
                Severity::Error,
                format!("can reach nobody for {}", kind.as_str()),
                "no rung that anybody can be reached on is for that kind of help, which any button may ask for",
                "add the kind to a rung, or a rung that is for every kind",
                true,
            ));
        }
    }
    let nexts = ladder.rungs.iter().skip(1).map(Some).chain([None]);
    for (rung, next) in ladder.rungs.iter().zip(nexts) {
        said.extend(channels(index, ladder, rung));
        said.extend(of_rung(index, ladder, rung, next));
    }
    if index.sends_nothing(ladder) {
        said.push(whole(
            Severity::Warning,
            "sends nothing to anybody".to_owned(),
            "while nobody is at the desk, a press is told to nobody",
            "add a rung with a person, or give the centre a webhook",
            true,
        ));
    } else if let Some(first) = ladder.rungs.first().filter(|rung| index.asks_desks_alone(rung) && reached(rung)) {
        said.push(Said {
            line: first.line,
            severity: Severity::Warning,
            what: format!("ladder \"{}\", rung {}: nothing is sent, it asks a desk alone", ladder.named, first.number),
            consequence: "while nobody is at the desk it is passed over in 0 s, and who comes next is told first".to_owned(),
            remedy: "see that the desk is armed whenever it counts, or give the centre a webhook",
            says_where: false,
        });
    }
    if ladder.rungs.len() == 1 {
        let consequence = "if nobody there answers, nobody else is ever asked";
        said.push(whole(Severity::Warning, "has one rung".to_owned(), consequence, "add a rung with someone else", false));
    }
    said
}

fn of_rung(index: &Index<'_>, ladder: &DraftLadder, rung: &DraftRung, next: Option<&DraftRung>) -> Vec<Said> {
    let warning = |what: String, consequence: String, remedy| Said {
        line: rung.line,
        severity: Severity::Warning,
        what: format!("ladder \"{}\", rung {}: {what}", ladder.named, rung.number),
        consequence,
        remedy,
        says_where: false,
    };
    let mut said = Vec::new();
    if rung.targets.iter().all(|t| index.usable(t).is_empty()) {
        let next = match next {
            None => "and begin again with everyone".to_owned(),
            Some(next) => format!("and go on to rung {}", next.number),
        };
        let consequence = format!("a press then would wait 0 s here {next}");
        said.push(warning("nobody in it has an address".to_owned(), consequence, "give its people a mobile or an email"));
    }
    let people = index.people_of(rung).len();
    if let Need::AtLeast(needed) = rung.need
        && people < usize::from(needed)
    {
        let consequence = "its ladder goes on until people of other rungs have accepted as well".to_owned();
        said.push(warning(format!("it needs {needed} people and has {people}"), consequence, "name more people on it, or ask for fewer"));
    }
    said
}

fn channels(index: &Index<'_>, ladder: &DraftLadder, rung: &DraftRung) -> Vec<Said> {
    let mut said = Vec::new();
    for target in &rung.targets {
        let usable = index.usable(target);
        for medium in target.by.iter().flatten().flatten().filter(|medium| !usable.contains(medium)) {
            let told_as = target.role.as_ref().map(|role| format!(" in role \"{role}\"")).unwrap_or_default();
            let whom = match &target.who {
                DraftWho::Person(id) => format!("person \"{id}\"{told_as}"),
                DraftWho::Centre(id) => format!("centre \"{id}\"{told_as}"),
                DraftWho::Roster(id) => format!("nobody of roster \"{id}\"{told_as}"),
            };
            let can = can(&target.who);
            said.push(Said {
                line: target.line,
                severity: Severity::Warning,
                what: format!("ladder \"{}\", rung {}: {whom} {can} be reached by {}", ladder.named, rung.number, medium.as_str()),
                consequence: "that channel is passed over at once".to_owned(),
                remedy: "add the address, or leave the channel out of by",
                says_where: false,
            });
        }
    }
    said
}

/// "nobody of roster x can", but "person x cannot".
fn can(who: &DraftWho) -> &'static str {
    match who {
        DraftWho::Person(_) | DraftWho::Centre(_) => "cannot",
        DraftWho::Roster(_) => "can",
    }
}

/// `; it is used at "a", "b"`, for the sites and devices that climb one of these ladders.
fn used_at(places: &BTreeMap<LadderId, Vec<String>>, ladders: &[&DraftLadder]) -> String {
    let all: Vec<&str> = ladders.iter().filter_map(|ladder| places.get(&ladder.id)).flatten().map(String::as_str).collect();
    some_of(&all, PLACES_SHOWN).map(|places| format!("; it is used at {places}")).unwrap_or_default()
}

/// Where each ladder is climbed, as findings say it: sites, then the devices that have one of their own.
fn places(draft: &Draft, index: &Index<'_>) -> BTreeMap<LadderId, Vec<String>> {
    let sites = draft.sites.iter().filter_map(|s| Some((index.climbed(&index.ladder_of(s)?.value, &s.id), s.id.to_string())));
    let devices = draft
        .devices
        .iter()
        .filter_map(|d| Some((index.climbed(&d.ladder.as_ref()?.value, &d.site.value), format!("{}/{}", d.site.value, d.id))));
    let mut places: BTreeMap<LadderId, Vec<String>> = BTreeMap::new();
    for (ladder, place) in sites.chain(devices) {
        places.entry(ladder).or_default().push(place);
    }
    places
}
