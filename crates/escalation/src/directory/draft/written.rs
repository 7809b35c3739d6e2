//! `[[ladder]]` and `[[ladder.rung]]` as the file has them: a rung may name groups, and roles that each site fills.

use toml::de::DeValue;

use super::ladder::{DraftTarget, DraftWho};
use super::reader::{At, Section, clipped};
use super::{hours, wait};
use crate::id::{CentreId, CustomerId, GroupId, LadderId, RoleName, RosterId, Slug};
use crate::ladder::{Medium, Need, When};
use crate::signal::Kind;
use crate::time::Seconds;

/// A rung's wait where none is written.
const WAIT: Seconds = Seconds(30);
/// Longest wait of a rung: a ladder that rests longer has stopped.
const WAIT_MAX: Seconds = Seconds(3600);
/// Most people that a rung can ask for; more would never come.
const NEED_MAX: u16 = 20;
/// Most rungs of a ladder; far more than anyone climbs in time.
const RUNGS_MAX: usize = 100;

/// A ladder as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WrittenLadder {
    pub(super) id: LadderId,
    pub(super) customer: Option<At<CustomerId>>,
    pub(super) rungs: Vec<WrittenRung>,
    pub(super) line: usize,
    /// Whether everything in it could be read.
    pub(super) sound: bool,
}

/// A rung as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct WrittenRung {
    pub(super) notified: Vec<Notified>,
    pub(super) wait_s: Seconds,
    pub(super) when: When,
    pub(super) need: Need,
    pub(super) line: usize,
}

/// What one item of `notify` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Notified {
    /// A person, a centre or a roster.
    Party(DraftTarget),
    /// Each member of a group.
    Group(Named<GroupId>),
    /// Whoever has a role at the site.
    Role(Named<RoleName>),
}

/// Several by one name, and the channels for each of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Named<T> {
    pub(super) id: At<T>,
    pub(super) by: Option<Vec<Vec<Medium>>>,
}

impl WrittenLadder {
    pub(super) fn read(mut section: Section<'_, '_, '_>) -> Option<Self> {
        let errors_before = section.reader.errors();
        let id = section.id::<LadderId>("id");
        section.missing("id", "", "give it a short name for sites to use");
        let customer = section.id("customer");
        let written = section.has("rung");
        let mut number = 0;
        let title = section.title.clone();
        let rungs = section.each("rung", |mut rung| {
            number += 1;
            rung.title = format!("{title}, rung {number}");
            Some(WrittenRung::read(rung))
        });
        let line = section.line;
        if rungs.is_empty() && !written {
            section.missing("rung", "a press there would be told to nobody", "add  [[ladder.rung]]  with  notify = [{ person = \"...\" }]");
        } else if rungs.len() > RUNGS_MAX {
            let what = section.titled(&format!("{} rungs are more than {RUNGS_MAX}", rungs.len()));
            section.reader.error(line, what, "", "put people who are told together into one rung");
        }
        let reader = section.close();
        Some(Self { id: id?.value, customer, rungs, line, sound: reader.errors() == errors_before })
    }

    /// The roles that it asks for, each with the number of its rung from 1.
    pub(super) fn roles(&self) -> impl Iterator<Item = (usize, &At<RoleName>)> {
        let rungs = (1_usize..).zip(&self.rungs);
        rungs.flat_map(|(number, rung)| {
            rung.notified.iter().filter_map(move |notified| match notified {
                Notified::Role(named) => Some((number, &named.id)),
                Notified::Party(_) | Notified::Group(_) => None,
            })
        })
    }

    /// Whether only a site makes it whole.
    pub(super) fn asks_for_roles(&self) -> bool {
        self.roles().next().is_some()
    }
}

impl WrittenRung {
    fn read(mut section: Section<'_, '_, '_>) -> Self {
        let written = section.has("notify");
        let mut number = 0;
        let title = section.title.clone();
        let notified = section.each("notify", |mut target| {
            number += 1;
            target.title = format!("{title}, notify {number}");
            Notified::read(target)
        });
        let line = section.line;
        section.missing("notify", "it would tell nobody", "add  notify = [{ person = \"...\" }]");
        if written && is_empty_list(&mut section) {
            let what = section.titled("notify is empty");
            section.reader.error(line, what, "it would tell nobody", "name a person, a group or a centre");
        }
        let wait = section.read("wait", |text| wait::parse(text, WAIT_MAX));
        let when = When { hours: hours::read(&mut section), kinds: kinds(&mut section) };
        let need = need(&mut section);
        section.close();
        Self { notified, wait_s: wait.map_or(WAIT, |w| w.value), when, need, line }
    }
}

impl Notified {
    /// The group, where it names one.
    pub(super) fn group(&self) -> Option<&GroupId> {
        match self {
            Self::Group(named) => Some(&named.id.value),
            Self::Party(_) | Self::Role(_) => None,
        }
    }

    /// The roster, where it names one.
    pub(super) fn roster(&self) -> Option<&RosterId> {
        match self {
            Self::Party(target) => target.roster(),
            Self::Group(_) | Self::Role(_) => None,
        }
    }

    fn read(mut section: Section<'_, '_, '_>) -> Option<Self> {
        let person = section.id::<Slug>("person");
        let group = section.id::<GroupId>("group");
        let role = section.id::<RoleName>("role");
        let centre = section.id::<CentreId>("centre");
        let roster = section.id::<RosterId>("roster");
        let written = ["person", "group", "role", "centre", "roster"].iter().filter(|key| section.has(key)).count();
        let line = section.line;
        if written != 1 {
            let what = section.titled("it does not name exactly one party");
            let one_of =
                "write one of  { person = \"...\" }  { group = \"...\" }  { role = \"...\" }  { centre = \"...\" }  { roster = \"...\" }";
            section.reader.error(line, what, "", one_of);
        }
        let by = read_by(&mut section);
        section.close();
        let party = |who| Self::Party(DraftTarget { who, by: by.clone(), group: None, role: None, line });
        let one = person.map(|person| party(DraftWho::Person(person.value)));
        let one = one.or_else(|| group.map(|id| Self::Group(Named { id, by: by.clone() })));
        let one = one.or_else(|| role.map(|id| Self::Role(Named { id, by: by.clone() })));
        let one = one.or_else(|| centre.map(|centre| party(DraftWho::Centre(centre.value))));
        one.or_else(|| roster.map(|roster| party(DraftWho::Roster(roster.value))))
    }
}

fn need(section: &mut Section<'_, '_, '_>) -> Need {
    let Some((value, line)) = section.value("need") else {
        return Need::One;
    };
    let people = match value {
        DeValue::Integer(number) => {
            u16::from_str_radix(number.as_str(), number.radix()).ok().filter(|people| (1..=NEED_MAX).contains(people))
        }
        DeValue::String(word) if word == "each" => return Need::Each,
        DeValue::String(_) | DeValue::Float(_) | DeValue::Boolean(_) | DeValue::Datetime(_) | DeValue::Array(_) | DeValue::Table(_) => None,
    };
    match people {
        Some(1) => Need::One,
        Some(people) => Need::AtLeast(people),
        None => {
            let what = section.titled(&format!("need is neither a number from 1 to {NEED_MAX} nor \"each\""));
            section.reader.error(line, what, "", "write  need = 2  or  need = \"each\"");
            Need::One
        }
    }
}

fn kinds(section: &mut Section<'_, '_, '_>) -> Vec<Kind> {
    let Some((value, line)) = section.value("kinds") else {
        return Vec::new();
    };
    let DeValue::Array(items) = value else {
        section.wrong_type("kinds", line, "a list of kinds of help", value);
        return Vec::new();
    };
    if items.is_empty() {
        let what = section.titled("kinds is empty");
        section.reader.error(line, what, "it would be for no call at all", "leave it out for every kind of help");
    }
    let mut kinds = Vec::new();
    for word in section.list("kinds", items) {
        match Kind::ALL.into_iter().find(|kind| kind.as_str() == word.value) {
            Some(kind) if kinds.contains(&kind) => {}
            Some(kind) => kinds.push(kind),
            None => {
                let what = section.titled(&format!("kinds: \"{}\" is not a kind of help", clipped(word.value)));
                let all = Kind::ALL.map(|kind| format!("\"{}\"", kind.as_str())).join(", ");
                section.reader.error(word.line, what, "", &format!("there are {all}"));
            }
        }
    }
    kinds
}

fn is_empty_list(section: &mut Section<'_, '_, '_>) -> bool {
    match section.value("notify") {
        Some((DeValue::Array(items), _)) => items.is_empty(),
        Some(_) | None => false,
    }
}

fn read_by(section: &mut Section<'_, '_, '_>) -> Option<Vec<Vec<Medium>>> {
    let (value, line) = section.value("by")?;
    let DeValue::Array(steps) = value else {
        section.wrong_type("by", line, "a list of channels", value);
        return None;
    };
    if steps.is_empty() {
        let what = section.titled("by is empty");
        section.reader.error(line, what, "no channel would be tried", "leave it out, or write  by = [\"sms\", \"email\"]");
    }
    let mut by = Vec::new();
    for step in steps {
        let together = match step.get_ref() {
            DeValue::Array(items) => section.list("by", items),
            DeValue::String(_)
            | DeValue::Integer(_)
            | DeValue::Float(_)
            | DeValue::Boolean(_)
            | DeValue::Datetime(_)
            | DeValue::Table(_) => section.list("by", std::slice::from_ref(step)),
        };
        let media: Vec<_> = together.into_iter().filter_map(|word| medium(section, &word)).collect();
        if !media.is_empty() {
            by.push(media);
        }
    }
    Some(by)
}

fn medium(section: &mut Section<'_, '_, '_>, word: &At<&str>) -> Option<Medium> {
    let all = [Medium::Sms, Medium::Email, Medium::Voice, Medium::Webhook, Medium::Desk];
    if let Some(medium) = all.into_iter().find(|m| m.as_str() == word.value) {
        return Some(medium);
    }
    let what = section.titled(&format!("by: \"{}\" is not a channel", clipped(word.value)));
    let remedy = "a person has \"sms\", \"email\" and \"voice\", a centre \"webhook\" and \"desk\"";
    section.reader.error(word.line, what, "", remedy);
    None
}
