//! `[[drill]]`: when the ladders of sites are drilled by themselves, and whether that can go well.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use jiff::ToSpan;
use jiff::civil::{Date, Time, date};
use toml::de::DeValue;

use super::index::Index;
use super::reader::{At, Reader, Section, Wrong, clipped};
use super::some_of::some_of;
use super::{Draft, DraftDevice, DraftLadder, DraftSite, DraftWho};
use crate::drilling::{AT_ONCE_MAX, LONGEST};
use crate::id::{CustomerId, DeviceName, LadderId, RegionId, RosterId, ScheduleId, SiteId};
use crate::schedule::{ANSWERED_FOR, APART_MIN, DAY_BEGINS, DAY_ENDS, Repeat, Schedule};
use crate::time::{Seconds, Timestamp};
use crate::zone::Zone;

/// In how many minutes the drills of all sites begin, where nothing is said.
const MINUTES: u32 = 15;
/// The most: whoever is drilled should know at about what hour.
const MINUTES_MAX: u32 = 180;
/// How many names a finding says.
const NAMED_MAX: usize = 3;
/// By more drills on one day nobody should be told (ours): each holds a code of two digits on their phone until the day after, and of
/// those there are seventy before they become longer.
const TOLD_MAX: usize = 60;
/// Days that are looked through for two schedules at one hour: a year and a month, from a day that makes findings repeat.
const DAYS: i64 = 396;
const FROM: Date = date(2026, 1, 1);

/// A schedule as the file has it.
#[derive(Clone, PartialEq, Eq)]
pub struct DraftDrill {
    /// Its id.
    pub id: ScheduleId,
    /// Where, as far as sites are named.
    pub sites: Vec<At<SiteId>>,
    /// Where, if at all sites of a region.
    pub region: Option<At<RegionId>>,
    /// The ladder of which button there.
    pub device: Option<At<DeviceName>>,
    /// On which days.
    pub on: Repeat,
    /// At which hour.
    pub at: Time,
    /// In how long the drills of all sites begin.
    pub window: Seconds,
    /// Where it begins.
    pub line: usize,
}

impl DraftDrill {
    pub(super) fn read(mut section: Section<'_, '_, '_>) -> Option<Self> {
        let id = section.id::<ScheduleId>("id");
        section.missing("id", "", "give it a short name, by which its drills are listed");
        let sites = sites(&mut section);
        let region = section.id::<RegionId>("region");
        if !section.has("sites") && !section.has("region") {
            section.missing("sites", "nothing would be drilled", "add  sites = [\"...\"]  or  region = \"...\"");
        }
        if let Some(region) = region.as_ref().filter(|_| section.has("sites")) {
            let what = section.titled("sites and region are both there");
            section.reader.error(region.line, what, "", "write one of the two");
        }
        let device = section.id::<DeviceName>("device");
        let on = section
            .read("on", |text| text.parse::<Repeat>().map_err(|why| Wrong::new(format!("is wrong: {why}"), "write it in that form")));
        section.missing("on", "", "add  on = \"first tue\"  for every month, or  on = \"tue\"  for every week");
        let at = section.read("at", clock);
        section.missing("at", "", "add  at = \"10:00\"");
        let minutes = section.count("minutes");
        let window = minutes.as_ref().map_or(MINUTES, |minutes| minutes.value);
        if let Some(minutes) = minutes.as_ref().filter(|minutes| minutes.value > MINUTES_MAX) {
            let what = section.titled(&format!("minutes is more than {MINUTES_MAX}"));
            section.reader.error(minutes.line, what, "nobody would know when to expect a drill", "write fewer, or several [[drill]]");
        } else if let Some(at) = &at {
            by_day(&mut section, at, window);
        }
        let line = section.line;
        section.close();
        Some(Self { id: id?.value, sites, region, device, on: on?.value, at: at?.value, window: Seconds(window.saturating_mul(60)), line })
    }

    /// Its sites that are there, each once.
    fn there<'d>(&self, draft: &'d Draft, index: &Index<'d>) -> BTreeMap<&'d SiteId, &'d DraftSite> {
        let named = self.sites.iter().filter_map(|site| index.site(&site.value));
        let region = self.region.as_ref().map(|region| &region.value);
        let of_region = draft.sites.iter().filter(|site| region.is_some() && site.extends.as_ref().map(|extends| &extends.value) == region);
        named.chain(of_region).map(|site| (&site.id, site)).collect()
    }

    /// The form the rules use; `None` never happens in a draft without errors.
    pub(super) fn rules(&self, draft: &Draft, index: &Index<'_>) -> Option<Schedule> {
        let there = self.there(draft, index);
        let customer = index.customer_of(there.first_key_value()?.1)?;
        Some(Schedule {
            customer: customer.id.clone(),
            sites: there.keys().map(|id| (*id).clone()).collect(),
            device: self.device.as_ref().map(|device| device.value.clone()),
            on: self.on,
            at: self.at,
            window_s: self.window,
        })
    }
}

fn sites(section: &mut Section<'_, '_, '_>) -> Vec<At<SiteId>> {
    let Some((value, line)) = section.value("sites") else {
        return Vec::new();
    };
    let DeValue::Array(items) = value else {
        section.wrong_type("sites", line, "a list of sites", value);
        return Vec::new();
    };
    if items.is_empty() {
        let what = section.titled("sites is empty");
        section.reader.error(line, what, "nothing would be drilled", "name a site");
    }
    let mut sites: Vec<At<SiteId>> = Vec::new();
    let mut named = BTreeSet::new();
    for word in section.list("sites", items) {
        match SiteId::parse(word.value) {
            Ok(id) if !named.insert(id.clone()) => {
                let what = section.titled(&format!("sites: \"{id}\" is named twice"));
                section.reader.error(word.line, what, "", "name each site once");
            }
            Ok(value) => sites.push(At { value, line: word.line }),
            Err(why) => {
                let what = section.titled(&format!("sites: {why}"));
                section.reader.error(word.line, what, "", "write the id of a [[site]]");
            }
        }
    }
    sites
}

/// An hour of the clock on the wall, to the minute.
fn clock(text: &str) -> Result<Time, Wrong> {
    let wrong = || Wrong::new(format!("\"{}\" is not a time of day", clipped(text)), "write \"10:00\"");
    let (hour, minute) = text.trim().split_once(':').ok_or_else(wrong)?;
    let plain = |part: &str| part.len() == 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !plain(hour) || !plain(minute) {
        return Err(wrong());
    }
    let read = hour.parse().ok().zip(minute.parse().ok());
    read.and_then(|(hour, minute)| Time::new(hour, minute, 0, 0).ok()).ok_or_else(wrong)
}

/// Nobody is drilled at night, nor in a window that lasts into it.
fn by_day(section: &mut Section<'_, '_, '_>, at: &At<Time>, minutes: u32) {
    let of_day = |time: Time| i64::from(time.hour()) * 60 + i64::from(time.minute());
    let (begins, closes) = (of_day(at.value), of_day(at.value) + i64::from(minutes));
    if begins < of_day(DAY_BEGINS) || closes > of_day(DAY_ENDS) {
        let what = section.titled(&format!("at {:02}:{:02} with its {minutes} minutes is not by day", at.value.hour(), at.value.minute()));
        let remedy = "let it begin at 07:00 or later, and the last of its drills by 20:00";
        section.reader.error(at.line, what, "people would be woken by a drill, and not wake for a call", remedy);
    }
}

/// Whether every schedule has places that are there and belong together, and leaves everybody time for each of its drills.
pub(super) fn review(reader: &mut Reader<'_>, draft: &Draft, index: &Index<'_>) {
    let ladders: BTreeMap<&LadderId, &DraftLadder> = draft.ladders.iter().map(|ladder| (&ladder.id, ladder)).collect();
    let mut plans: Vec<Rehearsed<'_>> = Vec::new();
    for drill in &draft.drills {
        let there = drill.there(draft, index);
        let owner = format!("drill \"{}\"", drill.id);
        let is_there = |region: &&At<RegionId>| draft.regions.iter().any(|known| known.id == region.value);
        if let Some(region) = drill.region.as_ref().filter(is_there).filter(|_| there.is_empty()) {
            reader.error(
                region.line,
                format!("{owner}: no site extends region \"{}\"", region.value),
                "nothing would be drilled",
                "name sites, or another region",
            );
        }
        let customers: BTreeSet<&CustomerId> =
            there.values().filter_map(|site| index.customer_of(site)).map(|customer| &customer.id).collect();
        if customers.len() > 1 {
            reader.error(
                drill.line,
                format!("{owner}: its sites are of several customers"),
                "what one customer's drills come to would be known to another",
                "write a [[drill]] for each customer",
            );
        }
        let buttons = named(draft, drill);
        every_site_has_it(reader, drill, &owner, &there, &buttons);
        let climbed = climbed(index, &buttons, &there, &ladders);
        has_time(reader, drill, &owner, &climbed);
        let plan = Rehearsed::new(drill, &there, &climbed);
        rosters_are_by_day(reader, index, &owner, &plan, &climbed);
        plans.push(plan);
    }
    clashes(reader, &plans);
    too_many_a_day(reader, &plans);
}

/// The buttons of the name that a schedule says, by site.
fn named<'d>(draft: &'d Draft, drill: &DraftDrill) -> BTreeMap<&'d SiteId, &'d DraftDevice> {
    let wanted = drill.device.as_ref().map(|device| &device.value);
    let of_name = draft.devices.iter().filter(|device| Some(&device.id) == wanted);
    of_name.map(|device| (&device.site.value, device)).collect()
}

/// A schedule that drills a button needs that button at every one of its sites.
fn every_site_has_it(
    reader: &mut Reader<'_>,
    drill: &DraftDrill,
    owner: &str,
    there: &BTreeMap<&SiteId, &DraftSite>,
    buttons: &BTreeMap<&SiteId, &DraftDevice>,
) {
    let Some(device) = &drill.device else { return };
    let without: Vec<&SiteId> = there.keys().filter(|site| !buttons.contains_key(**site)).copied().collect();
    let names: Vec<&str> = without.iter().map(|site| site.as_str()).collect();
    if let Some(named) = some_of(&names, NAMED_MAX) {
        reader.error(
            device.line,
            format!("{owner}: there is no device \"{}\" at site {named}", device.value),
            "its drills there could never be held",
            "name a button that each of the sites has, or leave device out to drill the sites' own ladders",
        );
    }
    let is_shared = |site: &&&SiteId| buttons.get(**site).is_some_and(|button| button.ladder.is_none());
    let shared: Vec<&str> = there.keys().filter(is_shared).map(|site| site.as_str()).collect();
    if let Some(named) = some_of(&shared, NAMED_MAX) {
        reader.warn(
            device.line,
            format!("{owner}: device \"{}\" has no ladder of its own at site {named}", device.value),
            "the ladder of the site is drilled, as it is where no device is named",
            "leave device out",
        );
    }
}

/// The ladder that its drill climbs at each of its sites.
fn climbed<'d>(
    index: &Index<'d>,
    buttons: &BTreeMap<&'d SiteId, &'d DraftDevice>,
    there: &BTreeMap<&'d SiteId, &'d DraftSite>,
    ladders: &BTreeMap<&'d LadderId, &'d DraftLadder>,
) -> Vec<&'d DraftLadder> {
    let of_button = |site: &SiteId| buttons.get(site).and_then(|button| button.ladder.as_ref());
    let named = there.values().filter_map(|site| {
        let ladder = of_button(&site.id).or_else(|| index.ladder_of(site))?;
        ladders.get(&index.climbed(&ladder.value, &site.id)).copied()
    });
    named.collect()
}

/// No more drills of a customer than twenty are on at once, and each may last as long as its ladder and five minutes more; and two
/// begin at least some seconds apart.
fn has_time(reader: &mut Reader<'_>, drill: &DraftDrill, owner: &str, climbed: &[&DraftLadder]) {
    let sites = climbed.len();
    let lasts = |ladder: &DraftLadder| ladder.rungs.iter().map(|rung| rung.wait_s.0).fold(ANSWERED_FOR.0, u32::saturating_add);
    let longest = climbed.iter().map(|ladder| lasts(ladder)).max().unwrap_or(ANSWERED_FOR.0).min(LONGEST.0);
    let rounds = usize::try_from(drill.window.0 / longest).unwrap_or(usize::MAX).saturating_add(1);
    let one_by_one = usize::try_from(drill.window.0 / APART_MIN.0).unwrap_or(usize::MAX);
    if sites > rounds.saturating_mul(AT_ONCE_MAX).min(one_by_one) {
        reader.warn(
            drill.line,
            format!("{owner}: {sites} sites in {} minutes may be more than can be drilled", drill.window.0 / 60),
            &format!(
                "two begin {} s apart at least, {AT_ONCE_MAX} of a customer are on at once, and one may last {longest} s until it is answered and over: the rest are missed",
                APART_MIN.0
            ),
            "write more minutes, or several [[drill]] on different days",
        );
    }
}

/// Whoever is on duty by a clock of their own is drilled by that of the sites.
fn rosters_are_by_day(reader: &mut Reader<'_>, index: &Index<'_>, owner: &str, plan: &Rehearsed<'_>, climbed: &[&DraftLadder]) {
    let targets = climbed.iter().flat_map(|ladder| &ladder.rungs).flat_map(|rung| &rung.targets);
    let of_target = |who: &DraftWho| if let DraftWho::Roster(id) = who { index.roster(id) } else { None };
    let rosters: BTreeMap<&RosterId, &Zone> =
        targets.filter_map(|target| of_target(&target.who)).map(|roster| (&roster.id, &roster.zone)).collect();
    let at_night = rosters.into_iter().filter(|(_, zone)| plan.windows.iter().any(|window| !is_by_day(zone, *window)));
    let names: Vec<&str> = at_night.map(|(id, _)| id.as_str()).collect();
    if let Some(named) = some_of(&names, NAMED_MAX) {
        reader.warn(
            plan.drill.line,
            format!("{owner}: by the clock of roster {named} its window is not by day"),
            "whoever is on duty there may be woken by a drill",
            "let it be at an hour that is by day there too, or write a [[drill]] for the sites of each time zone",
        );
    }
}

/// Whether a window lies between the hours at which drills may be held, by this clock.
fn is_by_day(zone: &Zone, (opens, closes): (Timestamp, Timestamp)) -> bool {
    let (from, to) = (zone.wall(opens), zone.wall(closes));
    from.date() == to.date() && from.time() >= DAY_BEGINS && to.time() <= DAY_ENDS
}

/// What is compared of a schedule.
struct Rehearsed<'d> {
    drill: &'d DraftDrill,
    sites: BTreeSet<&'d SiteId>,
    /// Of how many of its drills each person or roster is told.
    told: BTreeMap<String, usize>,
    /// Its windows in a year, in order.
    windows: Vec<(Timestamp, Timestamp)>,
}

impl<'d> Rehearsed<'d> {
    fn new(drill: &'d DraftDrill, there: &BTreeMap<&'d SiteId, &'d DraftSite>, climbed: &[&DraftLadder]) -> Self {
        let mut told: BTreeMap<String, usize> = BTreeMap::new();
        for ladder in climbed {
            for who in told_by(ladder) {
                let count = told.entry(who).or_default();
                *count = count.saturating_add(1);
            }
        }
        let zones: BTreeSet<&str> = there.values().map(|site| site.card.timezone.as_str()).collect();
        let zones = zones.into_iter().filter_map(|name| Zone::named(name).ok());
        let days = || (0..DAYS).filter_map(|ahead| FROM.checked_add(ahead.days()).ok()).filter(|day| drill.on.is_on(*day));
        let window = |zone: &Zone, day: Date| {
            let opens = zone.first(day.to_datetime(drill.at));
            (opens, drill.window.after(opens))
        };
        let mut windows: Vec<_> = zones.flat_map(|zone| days().map(move |day| window(&zone, day))).collect();
        windows.sort_unstable();
        Self { drill, sites: there.keys().copied().collect(), told, windows }
    }

    fn meets(&self, other: &Self) -> bool {
        let mut theirs = other.windows.iter().peekable();
        self.windows.iter().any(|(opens, closes)| {
            while theirs.next_if(|(_, over)| over <= opens).is_some() {}
            theirs.peek().is_some_and(|(begins, _)| begins < closes)
        })
    }
}

/// Whom a ladder tells, each once.
fn told_by(ladder: &DraftLadder) -> BTreeSet<String> {
    let targets = ladder.rungs.iter().flat_map(|rung| &rung.targets);
    let who = targets.filter_map(|target| match &target.who {
        DraftWho::Person(id) => Some(format!("person \"{id}\"")),
        DraftWho::Roster(id) => Some(format!("roster \"{id}\"")),
        DraftWho::Centre(_) => None,
    });
    who.collect()
}

/// Every drill holds a code of each phone that it told until a day after it, and whoever is told of very many answers none.
fn too_many_a_day(reader: &mut Reader<'_>, plans: &[Rehearsed<'_>]) {
    let everybody: BTreeSet<&String> = plans.iter().flat_map(|plan| plan.told.keys()).collect();
    for who in everybody {
        let theirs: Vec<(&DraftDrill, usize)> = plans.iter().filter_map(|plan| Some((plan.drill, *plan.told.get(who)?))).collect();
        let on_day = |day: Date| theirs.iter().filter(|(drill, _)| drill.on.is_on(day)).map(|(_, count)| count).sum::<usize>();
        let in_all: usize = theirs.iter().map(|(_, count)| count).sum();
        let days = || (0..DAYS).filter_map(|ahead| FROM.checked_add(ahead.days()).ok());
        let most = if in_all > TOLD_MAX { days().map(on_day).max().unwrap_or(0) } else { 0 };
        if let Some((drill, _)) = theirs.iter().max_by_key(|(_, count)| *count).filter(|_| most > TOLD_MAX) {
            reader.warn(
                drill.line,
                format!("{who} is told of {most} drills by schedule on some days"),
                "each of them holds one of their reply codes until the day after, so that those of calls become longer",
                "let fewer of them be on one day",
            );
        }
    }
}

/// Two schedules at one hour: at one site the second is missed, and one person has two drills to answer.
fn clashes(reader: &mut Reader<'_>, plans: &[Rehearsed<'_>]) {
    for (index, plan) in plans.iter().enumerate() {
        for earlier in plans.iter().take(index).filter(|earlier| plan.meets(earlier)) {
            let owner = format!("drill \"{}\" and drill \"{}\" are at one hour on some days", earlier.drill.id, plan.drill.id);
            let sites: Vec<&str> = plan.sites.intersection(&earlier.sites).map(|site| site.as_str()).collect();
            let people: Vec<&String> = plan.told.keys().filter(|who| earlier.told.contains_key(*who)).collect();
            if let Some(named) = some_of(&sites, NAMED_MAX) {
                reader.warn(
                    plan.drill.line,
                    format!("{owner}, both at site {named}"),
                    "no two drills are on at one site, so that one of them may be missed",
                    "let one of them be at another hour or on another day",
                );
            } else if let Some(first) = people.first() {
                let more = people.len().saturating_sub(1);
                let whom = if more == 0 { (*first).clone() } else { format!("{first} and {more} more") };
                reader.warn(
                    plan.drill.line,
                    format!("{owner}, and both tell {whom}"),
                    "whoever has two drills to answer may answer one and think that it was both",
                    "let one of them be at another hour or on another day",
                );
            }
        }
    }
}

impl fmt::Debug for DraftDrill {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DraftDrill({}, line {}, redacted)", self.id, self.line)
    }
}
