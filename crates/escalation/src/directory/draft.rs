//! The directory file as people write it: TOML in, a checked draft or findings with file and line out.
//!
//! Pure and total: it reads no file, asks no database and refuses no text by panicking. Every finding of a file is
//! reported in one pass, never only the first. A draft exists only where no finding is an error, so that what follows
//! ([`Draft::resolve`]) cannot fail. It must not accept a key that nobody would honour.
//!
//! A finding names ids of the directory, and a person's id may be a name: show findings to the person who edits the
//! file, log only their file and line. Numbers, mailboxes and people's names are never part of a finding.

mod adapter;
mod arrangement;
mod at_hand;
mod belonging;
mod calendar;
mod centre;
mod customer;
mod defaults;
mod device;
mod drill;
mod fallback;
mod filling;
mod group;
mod hours;
mod index;
mod ladder;
mod leave;
mod mailbox;
mod mobile;
mod nearest;
mod person;
mod plan;
mod proof;
mod reach;
mod reader;
mod reference;
mod region;
mod resolve;
mod retention;
mod roles;
mod roster;
mod safe_words;
mod sayable;
mod site;
mod some_of;
mod supervision;
mod technical;
mod wait;
mod wall;
mod written;
mod zone;

use std::fmt;

pub use adapter::DraftAdapter;
pub use arrangement::Arrangement;
pub use at_hand::AtHand;
pub use calendar::DraftCalendar;
pub use centre::DraftCentre;
pub use customer::DraftCustomer;
pub use defaults::DraftDefaults;
pub use device::DraftDevice;
pub use drill::DraftDrill;
pub use fallback::DraftFallback;
pub use group::DraftGroup;
pub use ladder::{DraftLadder, DraftRung, DraftTarget, DraftWho};
pub use leave::DraftLeave;
pub use mobile::is_one_number;
pub use person::DraftPerson;
pub use plan::{DraftPlan, DraftStep};
pub use proof::Proof;
pub use reader::At;
pub use region::DraftRegion;
pub use resolve::{Resolved, ResolvedPerson};
pub use retention::DraftRetention;
pub use roles::{DraftRole, DraftRoles, Holder};
pub use roster::{DraftOverride, DraftRoster, DraftShift, DraftSwap};
pub use safe_words::{ParsedWords, SafeWords};
pub use site::DraftSite;
pub use supervision::DraftSupervision;
pub use technical::DraftTechnical;
pub use zone::zones_version;

use index::Index;
use reader::{Reader, Section};
use region::Regions;
use written::WrittenLadder;

use super::finding::{Finding, Severity};

/// A directory file whose every reference holds.
#[derive(Clone, PartialEq, Eq)]
pub struct Draft {
    /// What holds where a customer or site says nothing.
    pub defaults: DraftDefaults,
    /// Customers in the file's order; the implicit one where none is named.
    pub customers: Vec<DraftCustomer>,
    /// People in the file's order.
    pub people: Vec<DraftPerson>,
    /// Regions in the file's order; whatever they say is in their sites as well.
    pub regions: Vec<DraftRegion>,
    /// Sites in the file's order.
    pub sites: Vec<DraftSite>,
    /// Devices in the file's order.
    pub devices: Vec<DraftDevice>,
    /// Centres in the file's order.
    pub centres: Vec<DraftCentre>,
    /// Groups in the file's order; the rungs that name them tell their members.
    pub groups: Vec<DraftGroup>,
    /// Ladders as they are climbed, in the file's order; one that asks for roles once for each of its sites.
    pub ladders: Vec<DraftLadder>,
    /// Ladders as they are written.
    written: Vec<WrittenLadder>,
    /// Rosters in the file's order.
    pub rosters: Vec<DraftRoster>,
    /// Calendars of public holidays in the file's order.
    pub calendars: Vec<DraftCalendar>,
    /// Who is away when, in the file's order.
    pub leave: Vec<DraftLeave>,
    /// Whose a press is that names a site nobody knows.
    pub fallback: Option<DraftFallback>,
    /// Who is told of troubles.
    pub technical: DraftTechnical,
    /// Adapter rules in the file's order: the first whose topic matches is asked.
    pub adapters: Vec<DraftAdapter>,
    /// Action plans in the file's order.
    pub plans: Vec<DraftPlan>,
    /// Classes of supervision in the file's order.
    pub supervisions: Vec<DraftSupervision>,
    /// Terms of retention in the file's order.
    pub retention: Vec<DraftRetention>,
    /// Schedules of drills in the file's order.
    pub drills: Vec<DraftDrill>,
}

/// What reading a directory file gave.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// The draft; `None` exactly where a finding is an error.
    pub draft: Option<Draft>,
    /// Everything a reader of the file should know, by line.
    pub findings: Vec<Finding>,
}

impl Draft {
    /// Reads a directory file. `file` is its name as findings show it.
    pub fn parse(file: &str, text: &str) -> Parsed {
        let (root, broken) = toml::de::DeTable::parse_recoverable(text);
        let mut reader = Reader::new(file, text, broken.is_empty());
        for error in &broken {
            let line = reader.line_of(error.span().map_or(0, |span| span.start));
            reader.error(
                line,
                format!("this is not TOML: {}", error.message()),
                "",
                "mend this line; what depends on it is checked once the file can be read",
            );
        }
        let draft = read(&mut reader, root.get_ref());
        if broken.is_empty() {
            let index = Index::of(&draft);
            reference::review(&mut reader, &draft, &index);
            filling::review(&mut reader, &draft, &index, root.get_ref().contains_key("fallback"));
            belonging::review(&mut reader, &draft, &index);
            supervision::review(&mut reader, &draft, &index);
            technical::review(&mut reader, &draft);
            retention::review(&mut reader, &draft);
            reach::review(&mut reader, &draft, &index);
            drill::review(&mut reader, &draft, &index);
        }
        let findings = reader.into_findings();
        let adoptable = findings.iter().all(|f| f.severity != Severity::Error);
        Parsed { draft: adoptable.then_some(draft), findings }
    }
}

fn read(reader: &mut Reader<'_>, root: &toml::de::DeTable<'_>) -> Draft {
    let mut file = Section::whole_file(reader, root);
    let defaults = file.table("defaults").map(DraftDefaults::read).unwrap_or_default();
    let mut customers: Vec<_> = file.each("customer", DraftCustomer::read);
    // An empty list names none: without any customer no site would be anybody's.
    let named = file.has("customer") && !file.none_of("customer");
    let people = file.each("person", DraftPerson::read);
    let regions = file.each("region", |section| DraftRegion::read(section, &defaults));
    let by_id = Regions::of(&regions);
    let sites = file.each("site", |section| DraftSite::read(section, &by_id, &defaults));
    let devices = file.each("device", |section| DraftDevice::read(section, &defaults));
    let centres = file.each("centre", DraftCentre::read);
    let groups = file.each("group", DraftGroup::read);
    let written = file.each("ladder", WrittenLadder::read);
    let rosters = file.each("roster", |section| DraftRoster::read(section, &defaults));
    let calendars = file.each("calendar", DraftCalendar::read);
    let leave = file.each("leave", DraftLeave::read);
    let fallback = file.table("fallback").and_then(DraftFallback::read);
    let technical = file.table("technical").map(DraftTechnical::read).unwrap_or_default();
    let adapters = file.each("adapter", DraftAdapter::read);
    let plans = file.each("plan", DraftPlan::read);
    let supervisions = file.each("supervision", DraftSupervision::read);
    let retention = file.each("retention", DraftRetention::read);
    let drills = file.each("drill", DraftDrill::read);
    nothing_there(&mut file);
    file.close();
    if !named {
        customers.extend(DraftCustomer::implicit(reader, &defaults));
    } else if let Some(prefix) = &defaults.prefix {
        reader.error(
            prefix.line,
            "defaults: prefix has no effect where customers are named".to_owned(),
            "",
            "give each [[customer]] its own prefix",
        );
    }
    let mut draft = Draft {
        defaults,
        customers,
        people,
        regions,
        sites,
        devices,
        centres,
        groups,
        ladders: Vec::new(),
        written,
        rosters,
        calendars,
        leave,
        fallback,
        technical,
        adapters,
        plans,
        supervisions,
        retention,
        drills,
    };
    draft.ladders = draft.filled();
    draft
}

fn nothing_there(file: &mut Section<'_, '_, '_>) {
    if file.none_of("site") {
        file.reader.error(
            0,
            "there is no [[site]]".to_owned(),
            "nobody could be told where to go",
            "add a site with its id, name, timezone and ladder",
        );
    }
    if file.none_of("ladder") {
        file.reader.error(
            0,
            "there is no [[ladder]]".to_owned(),
            "a press would be told to nobody",
            "add a ladder with at least one [[ladder.rung]]",
        );
    }
    if file.absent("fallback") {
        file.reader.warn(
            0,
            "there is no [fallback]".to_owned(),
            "a press that names a site nobody knows would be recorded and told to nobody",
            "add  [fallback]  with a ladder",
        );
    }
}

impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Draft({} people, {} sites, {} devices, {} ladders, redacted)",
            self.people.len(),
            self.sites.len(),
            self.devices.len(),
            self.ladders.len()
        )
    }
}

#[cfg(test)]
mod tests;
