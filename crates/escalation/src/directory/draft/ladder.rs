//! `[[ladder]]` and `[[ladder.rung]]`: who is asked, in which order.

use toml::de::DeValue;

use super::group::Groups;
use super::reader::{At, Section, clipped};
use super::{hours, wait};
use crate::id::{CentreId, CustomerId, GroupId, LadderId, RosterId, Slug};
use crate::ladder::{Medium, Need, When};
use crate::roster::OnHolidays;
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
pub struct DraftLadder {
    /// Its id.
    pub id: LadderId,
    /// Whose; anybody's where none is named.
    pub customer: Option<At<CustomerId>>,
    /// From the first to be told to the last.
    pub rungs: Vec<DraftRung>,
    /// Where it begins.
    pub line: usize,
    /// Whether everything in it could be read; whom it reaches is judged only then.
    pub(super) sound: bool,
}

/// A rung as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftRung {
    /// Who; of a group each of its members.
    pub targets: Vec<DraftTarget>,
    /// The groups that it names, whether they are there or not.
    pub groups: Vec<At<GroupId>>,
    /// How long, in seconds, before the next rung is told as well.
    pub wait_s: Seconds,
    /// When it applies.
    pub when: When,
    /// How many people have to accept.
    pub need: Need,
    /// Where it begins.
    pub line: usize,
}

/// One party of a rung as the file has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftTarget {
    /// Who.
    pub who: DraftWho,
    /// Channels: the outer list is fallback in order, an inner list is together. `None`: what they have.
    pub by: Option<Vec<Vec<Medium>>>,
    /// The group that they are told as a member of.
    pub group: Option<GroupId>,
    /// Its line.
    pub line: usize,
}

/// What one item of `notify` names.
struct Notified {
    targets: Vec<DraftTarget>,
    group: Option<At<GroupId>>,
}

impl DraftTarget {
    /// The roster, where it is one.
    pub(super) fn roster(&self) -> Option<&RosterId> {
        match &self.who {
            DraftWho::Roster(id) => Some(id),
            DraftWho::Person(_) | DraftWho::Centre(_) => None,
        }
    }
}

/// A party by its id in the file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DraftWho {
    /// A person.
    Person(Slug),
    /// A centre.
    Centre(CentreId),
    /// Whoever is on duty there.
    Roster(RosterId),
}

impl DraftLadder {
    pub(super) fn read(mut section: Section<'_, '_, '_>, named: &Groups<'_>) -> Option<Self> {
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
            Some(DraftRung::read(rung, named))
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
}

impl DraftRung {
    fn read(mut section: Section<'_, '_, '_>, named: &Groups<'_>) -> Self {
        let written = section.has("notify");
        let mut number = 0;
        let title = section.title.clone();
        let notified = section.each("notify", |mut target| {
            number += 1;
            target.title = format!("{title}, notify {number}");
            Notified::read(target, named)
        });
        let groups = notified.iter().filter_map(|notified| notified.group.clone()).collect();
        let targets = notified.into_iter().flat_map(|notified| notified.targets).collect();
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
        Self { targets, groups, wait_s: wait.map_or(WAIT, |w| w.value), when, need, line }
    }

    /// Whether a public holiday changes when it applies.
    pub(super) fn asks_about_holidays(&self) -> bool {
        self.when.hours.as_ref().is_some_and(|hours| hours.holidays != OnHolidays::On)
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

impl Notified {
    fn read(mut section: Section<'_, '_, '_>, named: &Groups<'_>) -> Option<Self> {
        let person = section.id::<Slug>("person");
        let group = section.id::<GroupId>("group");
        let centre = section.id::<CentreId>("centre");
        let roster = section.id::<RosterId>("roster");
        let written = ["person", "group", "centre", "roster"].iter().filter(|key| section.has(key)).count();
        section.later("role", "roles are", "name a person, a group or a roster");
        let line = section.line;
        if written > 1 || (written == 0 && !section.has("role")) {
            let what = section.titled("it does not name exactly one party");
            let one_of = "write one of  { person = \"...\" }  { group = \"...\" }  { centre = \"...\" }  { roster = \"...\" }";
            section.reader.error(line, what, "", one_of);
        }
        let by = read_by(&mut section);
        section.close();
        let target = |who| DraftTarget { who, by: by.clone(), group: None, line };
        let one = |who| Self { targets: vec![target(who)], group: None };
        match (person, group, centre, roster) {
            (Some(person), _, _, _) => Some(one(DraftWho::Person(person.value))),
            (None, Some(group), _, _) => {
                let members = named.named(&group.value).into_iter().flat_map(|group| &group.members);
                let member = |id: &At<Slug>| DraftTarget { group: Some(group.value.clone()), ..target(DraftWho::Person(id.value.clone())) };
                Some(Self { targets: members.map(member).collect(), group: Some(group) })
            }
            (None, None, Some(centre), _) => Some(one(DraftWho::Centre(centre.value))),
            (None, None, None, Some(roster)) => Some(one(DraftWho::Roster(roster.value))),
            (None, None, None, None) => None,
        }
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
