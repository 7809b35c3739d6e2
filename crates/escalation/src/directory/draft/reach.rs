//! Whether a ladder reaches anybody: the coarse form of the proof, without hours and rosters.

use std::collections::BTreeSet;

use super::reader::Reader;
use super::{Draft, DraftLadder, DraftRoster, DraftRung, DraftTarget, DraftWho};
use crate::ladder::{Medium, Need};
use crate::signal::Kind;

pub(super) fn review(reader: &mut Reader<'_>, draft: &Draft) {
    for ladder in draft.ladders.iter().filter(|l| l.sound) {
        if ladder.rungs.iter().flat_map(|r| &r.targets).all(|t| draft.exists(t)) {
            judge(reader, draft, ladder);
        }
    }
}

fn judge(reader: &mut Reader<'_>, draft: &Draft, ladder: &DraftLadder) {
    let used_at = used_at(draft, ladder);
    let reached = |rung: &DraftRung| rung.targets.iter().any(|t| !draft.usable(t).is_empty());
    if !ladder.rungs.iter().any(reached) {
        reader.error(
            ladder.line,
            format!("ladder \"{}\" can reach nobody", ladder.id),
            &format!("nobody in it has an address{used_at}"),
            "give its people a mobile or an email, or its centre a webhook",
        );
        return;
    }
    for kind in Kind::ALL {
        if !ladder.rungs.iter().any(|rung| rung.when.is_for(kind) && reached(rung)) {
            reader.error(
                ladder.line,
                format!("ladder \"{}\" can reach nobody for {}", ladder.id, kind.as_str()),
                &format!("no rung that anybody can be reached on is for that kind of help, which any button may ask for{used_at}"),
                "add the kind to a rung, or a rung that is for every kind",
            );
        }
    }
    for (index, rung) in ladder.rungs.iter().enumerate() {
        channels(reader, draft, ladder, index, rung);
        if !reached(rung) {
            let next = if index + 1 == ladder.rungs.len() {
                "and begin again with everyone".to_owned()
            } else {
                format!("and go on to rung {}", index + 2)
            };
            reader.warn(
                rung.line,
                format!("ladder \"{}\", rung {}: nobody in it has an address", ladder.id, index + 1),
                &format!("a press then would wait 0 s here {next}"),
                "give its people a mobile or an email",
            );
        }
    }
    for (index, rung) in ladder.rungs.iter().enumerate() {
        let (needed, people) = (rung.need, draft.people_of(rung));
        if let Need::AtLeast(needed) = needed
            && people < usize::from(needed)
        {
            reader.warn(
                rung.line,
                format!("ladder \"{}\", rung {}: it needs {needed} people and has {people}", ladder.id, index + 1),
                "its ladder goes on until people of other rungs have accepted as well",
                "name more people on it, or ask for fewer",
            );
        }
    }
    let mut targets = ladder.rungs.iter().flat_map(|r| &r.targets);
    if targets.all(|t| draft.usable(t).iter().all(|m| *m == Medium::Desk)) {
        reader.warn(
            ladder.line,
            format!("ladder \"{}\" sends nothing to anybody", ladder.id),
            &format!("a press is answered only if someone watches the desk{used_at}"),
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

fn channels(reader: &mut Reader<'_>, draft: &Draft, ladder: &DraftLadder, index: usize, rung: &DraftRung) {
    for target in &rung.targets {
        let usable = draft.usable(target);
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
                format!("ladder \"{}\", rung {}: {whom} {} be reached by {}", ladder.id, index + 1, can(&target.who), medium.as_str()),
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
fn used_at(draft: &Draft, ladder: &DraftLadder) -> String {
    let sites = draft.sites.iter().filter(|s| draft.ladder_of(s).is_some_and(|l| l.value == ladder.id)).map(|s| format!("\"{}\"", s.id));
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

impl Draft {
    fn exists(&self, target: &DraftTarget) -> bool {
        match &target.who {
            DraftWho::Person(id) => self.people.iter().any(|p| p.id == *id),
            DraftWho::Centre(id) => self.centres.iter().any(|c| c.id == *id),
            DraftWho::Roster(id) => {
                self.rosters.iter().any(|r| r.id == *id && r.people().all(|p| self.people.iter().any(|q| q.id == p.value)))
            }
        }
    }

    /// How many people a rung may mean, each once.
    fn people_of(&self, rung: &DraftRung) -> usize {
        let of = |target: &DraftTarget| match &target.who {
            DraftWho::Person(id) => vec![id.clone()],
            DraftWho::Centre(_) => Vec::new(),
            DraftWho::Roster(id) => {
                let roster = self.rosters.iter().filter(|roster| roster.id == *id);
                roster.flat_map(DraftRoster::people).map(|person| person.value.clone()).collect()
            }
        };
        rung.targets.iter().flat_map(of).collect::<BTreeSet<_>>().len()
    }

    /// The channels by which a target is asked, in order: what is written, else what they have.
    pub(super) fn channels_of(&self, target: &DraftTarget) -> Vec<Vec<Medium>> {
        target.by.clone().unwrap_or_else(|| {
            let defaults = match &target.who {
                DraftWho::Person(_) | DraftWho::Roster(_) => [Medium::Sms, Medium::Email].as_slice(),
                DraftWho::Centre(id) => match self.centres.iter().find(|c| c.id == *id) {
                    Some(centre) if centre.webhook.is_some() => &[Medium::Webhook],
                    Some(_) | None => &[Medium::Desk],
                },
            };
            let has = |medium: &&Medium| self.addresses(target, **medium);
            defaults.iter().filter(has).map(|m| vec![*m]).collect()
        })
    }

    fn usable(&self, target: &DraftTarget) -> Vec<Medium> {
        let channels = self.channels_of(target).into_iter().flatten();
        channels.filter(|m| self.addresses(target, *m)).collect()
    }

    fn addresses(&self, target: &DraftTarget, medium: Medium) -> bool {
        match &target.who {
            DraftWho::Person(id) => {
                let person = self.people.iter().find(|p| p.id == *id);
                person.is_some_and(|p| p.reachable_by(medium))
            }
            DraftWho::Roster(id) => {
                let roster = self.rosters.iter().filter(|r| r.id == *id);
                let mut people = roster.flat_map(DraftRoster::people).filter_map(|named| self.people.iter().find(|p| p.id == named.value));
                people.any(|p| p.reachable_by(medium))
            }
            DraftWho::Centre(id) => match medium {
                Medium::Desk => true,
                Medium::Webhook => {
                    let centre = self.centres.iter().find(|c| c.id == *id);
                    centre.is_some_and(|c| c.webhook.is_some())
                }
                Medium::Sms | Medium::Email | Medium::Voice => false,
            },
        }
    }
}
