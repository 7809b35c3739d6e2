//! Whether a ladder reaches anybody: the coarse form of the proof, without hours and rosters.

use std::collections::{BTreeMap, BTreeSet};

use super::index::Index;
use super::reader::Reader;
use super::{Draft, DraftLadder, DraftRung, DraftWho};
use crate::id::LadderId;
use crate::ladder::{Medium, Need};
use crate::signal::Kind;

pub(super) fn review(reader: &mut Reader<'_>, draft: &Draft, index: &Index<'_>) {
    // Where a region's sites fill a ladder alike, what is wrong with it is said once.
    let mut alike: BTreeMap<_, Vec<&DraftLadder>> = BTreeMap::new();
    for ladder in draft.ladders.iter().filter(|l| l.sound) {
        alike.entry((ladder.line, ladder.filling())).or_default().push(ladder);
    }
    for ladders in alike.into_values() {
        let Some(ladder) = ladders.first() else { continue };
        let mut groups = ladder.rungs.iter().flat_map(|rung| &rung.groups);
        let told = groups.all(|group| index.group(&group.value).is_some_and(|group| !group.members.is_empty()));
        if told && ladder.rungs.iter().flat_map(|r| &r.targets).all(|t| index.has(t)) {
            judge(reader, index, ladder, &|| used_at(draft, index, &ladders));
        }
    }
}

fn judge(reader: &mut Reader<'_>, index: &Index<'_>, ladder: &DraftLadder, used_at: &dyn Fn() -> String) {
    let reached = |rung: &DraftRung| rung.targets.iter().any(|t| !index.usable(t).is_empty());
    if !ladder.rungs.iter().any(reached) {
        reader.error(
            ladder.line,
            format!("ladder \"{}\" can reach nobody", ladder.id),
            &format!("nobody in it has an address{}", used_at()),
            "give its people a mobile or an email, or its centre a webhook",
        );
        return;
    }
    for kind in Kind::ALL {
        if !ladder.rungs.iter().any(|rung| rung.when.is_for(kind) && reached(rung)) {
            reader.error(
                ladder.line,
                format!("ladder \"{}\" can reach nobody for {}", ladder.id, kind.as_str()),
                &format!("no rung that anybody can be reached on is for that kind of help, which any button may ask for{}", used_at()),
                "add the kind to a rung, or a rung that is for every kind",
            );
        }
    }
    let nexts = ladder.rungs.iter().skip(1).map(Some).chain([None]);
    for (rung, next) in ladder.rungs.iter().zip(nexts) {
        channels(reader, index, ladder, rung);
        if !reached(rung) {
            let next = match next {
                None => "and begin again with everyone".to_owned(),
                Some(next) => format!("and go on to rung {}", next.number),
            };
            reader.warn(
                rung.line,
                format!("ladder \"{}\", rung {}: nobody in it has an address", ladder.id, rung.number),
                &format!("a press then would wait 0 s here {next}"),
                "give its people a mobile or an email",
            );
        }
    }
    for rung in &ladder.rungs {
        let (needed, people) = (rung.need, index.people_of(rung).len());
        if let Need::AtLeast(needed) = needed
            && people < usize::from(needed)
        {
            reader.warn(
                rung.line,
                format!("ladder \"{}\", rung {}: it needs {needed} people and has {people}", ladder.id, rung.number),
                "its ladder goes on until people of other rungs have accepted as well",
                "name more people on it, or ask for fewer",
            );
        }
    }
    let mut targets = ladder.rungs.iter().flat_map(|r| &r.targets);
    if targets.all(|t| index.usable(t).iter().all(|m| *m == Medium::Desk)) {
        reader.warn(
            ladder.line,
            format!("ladder \"{}\" sends nothing to anybody", ladder.id),
            &format!("a press is answered only if someone watches the desk{}", used_at()),
            "add a rung with a person, or give the centre a webhook",
        );
    }
    if ladder.rungs.len() == 1 {
        reader.warn(
            ladder.line,
            format!("ladder \"{}\" has one rung", ladder.id),
            &format!("if nobody there answers, nobody else is ever asked{}", if ladder.is_filled() { used_at() } else { String::new() }),
            "add a rung with someone else",
        );
    }
}

fn channels(reader: &mut Reader<'_>, index: &Index<'_>, ladder: &DraftLadder, rung: &DraftRung) {
    for target in &rung.targets {
        let usable = index.usable(target);
        for medium in target.by.iter().flatten().flatten() {
            if usable.contains(medium) {
                continue;
            }
            let told_as = target.role.as_ref().map(|role| format!(" in role \"{role}\"")).unwrap_or_default();
            let whom = match &target.who {
                DraftWho::Person(id) => format!("person \"{id}\"{told_as}"),
                DraftWho::Centre(id) => format!("centre \"{id}\"{told_as}"),
                DraftWho::Roster(id) => format!("nobody of roster \"{id}\"{told_as}"),
            };
            reader.warn(
                target.line,
                format!("ladder \"{}\", rung {}: {whom} {} be reached by {}", ladder.named, rung.number, can(&target.who), medium.as_str()),
                "that channel is passed over at once",
                "add the address, or leave the channel out of by",
            );
        }
    }
}

/// "nobody of roster x can", but "person x cannot".
fn can(who: &DraftWho) -> &'static str {
    match who {
        DraftWho::Person(_) | DraftWho::Centre(_) => "cannot",
        DraftWho::Roster(_) => "can",
    }
}

/// `; it is used at "a", "b"`, for the sites and devices that climb one of these ladders.
fn used_at(draft: &Draft, index: &Index<'_>, ladders: &[&DraftLadder]) -> String {
    let ids: BTreeSet<&LadderId> = ladders.iter().map(|ladder| &ladder.id).collect();
    let climbed = |id: &LadderId| ids.contains(id);
    let sites = draft.sites.iter().filter(|s| index.ladder_of(s).is_some_and(|l| climbed(&index.climbed(&l.value, &s.id))));
    let devices = draft.devices.iter().filter(|d| d.ladder.as_ref().is_some_and(|l| climbed(&index.climbed(&l.value, &d.site.value))));
    let devices = devices.map(|d| format!("\"{}/{}\"", d.site.value, d.id));
    let places: Vec<_> = sites.map(|s| format!("\"{}\"", s.id)).chain(devices).collect();
    match places.as_slice() {
        [] => String::new(),
        some => format!("; it is used at {}", some.join(", ")),
    }
}
