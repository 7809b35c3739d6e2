//! Whether a ladder reaches anybody: the coarse form of the proof, without hours and rosters.

use super::index::Index;
use super::reader::Reader;
use super::{Draft, DraftLadder, DraftRung, DraftWho};
use crate::ladder::{Medium, Need};
use crate::signal::Kind;

pub(super) fn review(reader: &mut Reader<'_>, draft: &Draft, index: &Index<'_>) {
    for ladder in draft.ladders.iter().filter(|l| l.sound) {
        let mut groups = ladder.rungs.iter().flat_map(|rung| &rung.groups);
        let told = groups.all(|group| index.group(&group.value).is_some_and(|group| !group.members.is_empty()));
        if told && ladder.rungs.iter().flat_map(|r| &r.targets).all(|t| index.has(t)) {
            judge(reader, draft, index, ladder);
        }
    }
}

fn judge(reader: &mut Reader<'_>, draft: &Draft, index: &Index<'_>, ladder: &DraftLadder) {
    let used_at = || used_at(draft, index, ladder);
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
    for (place, rung) in ladder.rungs.iter().enumerate() {
        channels(reader, index, ladder, place, rung);
        if !reached(rung) {
            let next = if place + 1 == ladder.rungs.len() {
                "and begin again with everyone".to_owned()
            } else {
                format!("and go on to rung {}", place + 2)
            };
            reader.warn(
                rung.line,
                format!("ladder \"{}\", rung {}: nobody in it has an address", ladder.id, place + 1),
                &format!("a press then would wait 0 s here {next}"),
                "give its people a mobile or an email",
            );
        }
    }
    for (place, rung) in ladder.rungs.iter().enumerate() {
        let (needed, people) = (rung.need, index.people_of(rung).len());
        if let Need::AtLeast(needed) = needed
            && people < usize::from(needed)
        {
            reader.warn(
                rung.line,
                format!("ladder \"{}\", rung {}: it needs {needed} people and has {people}", ladder.id, place + 1),
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
            "if nobody there answers, nobody else is ever asked",
            "add a rung with someone else",
        );
    }
}

fn channels(reader: &mut Reader<'_>, index: &Index<'_>, ladder: &DraftLadder, place: usize, rung: &DraftRung) {
    for target in &rung.targets {
        let usable = index.usable(target);
        for medium in target.by.iter().flatten().flatten() {
            if usable.contains(medium) {
                continue;
            }
            let whom = match &target.who {
                DraftWho::Person(id) => format!("person \"{id}\""),
                DraftWho::Centre(id) => format!("centre \"{id}\""),
                DraftWho::Roster(id) => format!("nobody of roster \"{id}\""),
            };
            reader.warn(
                target.line,
                format!("ladder \"{}\", rung {}: {whom} {} be reached by {}", ladder.id, place + 1, can(&target.who), medium.as_str()),
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

/// `: a press at "a", "b" would be told to nobody`, for the sites and devices that use a ladder.
fn used_at(draft: &Draft, index: &Index<'_>, ladder: &DraftLadder) -> String {
    let sites = draft.sites.iter().filter(|s| index.ladder_of(s).is_some_and(|l| l.value == ladder.id)).map(|s| format!("\"{}\"", s.id));
    let devices = draft
        .devices
        .iter()
        .filter(|d| d.ladder.as_ref().is_some_and(|l| l.value == ladder.id))
        .map(|d| format!("\"{}/{}\"", d.site.value, d.id));
    let places: Vec<_> = sites.chain(devices).collect();
    match places.as_slice() {
        [] => String::new(),
        some => format!("; it is used at {}", some.join(", ")),
    }
}
